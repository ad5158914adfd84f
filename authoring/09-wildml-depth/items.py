"""Unit 09, three classes and more layers: what is graded, on which cases, and the mistakes that it knows."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from chainrule.items import Case, Finding, Same, Slip, Trial, Worked, function, value

Rng = np.random.Generator
Array = np.ndarray[Any, np.dtype[Any]]
Model = dict[str, Array]

# --------------------------------------------------------------------------- drawing cases


def _sizes(rng: Rng, count: int) -> list[int]:
    """Sizes from 2 to 8, no two of them equal."""
    return [int(size) for size in rng.choice(np.arange(2, 9), size=count, replace=False)]


def _away_from_0(rng: Rng, *shape: int) -> Array:
    """Numbers of both signs, none near 0."""
    return rng.choice([-1.0, 1.0], size=shape) * rng.uniform(0.3, 1.3, size=shape)


def _labels(rng: Rng, n: int, c: int) -> Array:
    """Class numbers, not all the same where there are several points; class 0 and the last one can both be there."""
    labels = rng.integers(c, size=n)
    if n > 1:
        labels[rng.choice(n, size=2, replace=False)] = [0, c - 1]
    return labels


def _model(rng: Rng, *sizes: int) -> Model:
    """Weights of a size at which no tanh is flat, and biases that are not 0."""
    model: Model = {}
    for i, (before, after) in enumerate(itertools.pairwise(sizes), start=1):
        model[f"W{i}"] = _away_from_0(rng, before, after) / np.sqrt(before)
        model[f"b{i}"] = 0.6 * _away_from_0(rng, 1, after)
    return model


def _net(layers: int, n: int | None = None, c: int | None = None) -> Callable[[Rng], tuple[Any, ...]]:
    """Draws (model, X) with pairwise distinct sizes; n points and c classes where these are given."""

    def draw(rng: Rng) -> tuple[Any, ...]:
        points, *sizes = _distinct(rng, layers, n, c)
        return _model(rng, *sizes), _away_from_0(rng, points, sizes[0])

    return draw


def _distinct(rng: Rng, layers: int, n: int | None, c: int | None) -> list[int]:
    """[points, inputs, hidden units ..., classes], no two of them equal, more points than one but where n says so."""
    while True:
        points, *sizes = _sizes(rng, layers + 2)
        points, sizes[-1] = n or points, c or sizes[-1]
        if len({points, *sizes}) == layers + 2 and (n or points > 2):
            return [points, *sizes]


def _labelled(layers: int, n: int | None = None, c: int | None = None, lam: bool = True) -> Callable[[Rng], Any]:
    """Draws (model, X, y), and a reg_lambda that shows if it is wanted."""

    def draw(rng: Rng) -> tuple[Any, ...]:
        model, X = _net(layers, n, c)(rng)
        y = _labels_not_known(rng, model, X, layers)
        return (model, X, y, float(rng.uniform(0.2, 0.6))) if lam else (model, X, y)

    return draw


def _labels_not_known(rng: Rng, model: Model, X: Array, layers: int) -> Array:
    """Labels that the net is not sure of: where it is, y_hat - y is a small difference with few digits in float32."""
    signal = X
    for i in range(1, layers + 1):
        signal = signal @ model[f"W{i}"] + model[f"b{i}"]
        if i < layers:
            signal = np.tanh(signal)
    powers = np.exp(signal)
    chance = powers / powers.sum(axis=1, keepdims=True)
    labels = _labels(rng, len(X), chance.shape[1])
    sure = chance[np.arange(len(X)), labels] > 0.7
    return np.where(sure, np.argmin(chance, axis=1), labels)


def _listed(layers: int, labels: bool, lam: bool, n: int | None = None) -> Callable[[Rng], Any]:
    """The same with weights and biases as lists."""

    def draw(rng: Rng) -> tuple[Any, ...]:
        model, X, y, reg_lambda = _labelled(layers, n)(rng)
        weights = [model[f"W{i}"] for i in range(1, layers + 1)]
        biases = [model[f"b{i}"][0] for i in range(1, layers + 1)]
        return (weights, biases, X, *([y] if labels else []), *([reg_lambda] if lam else []))

    return draw


def _probs(n: int | None, c: int | None) -> Callable[[Rng], tuple[Array, Array]]:
    """Probabilities with one large and one small entry in each row, none at an end; labels of all kinds."""

    def draw(rng: Rng) -> tuple[Array, Array]:
        points, classes = _distinct(rng, 1, n, c)[::2] if c != 2 else (int(rng.integers(4, 8)), 2)
        scores = 1.5 * _away_from_0(rng, points, classes)
        powers = np.exp(scores)
        return powers / powers.sum(axis=1, keepdims=True), _labels(rng, points, classes)

    return draw


def _two_classes(given: Mapping[str, Any]) -> tuple[Any, ...]:
    """tiny without its last output, and two points."""
    model = {**given["tiny"], "W2": given["tiny"]["W2"][:, :2], "b2": given["tiny"]["b2"][:, :2]}
    return model, given["X_tiny"][:2], np.array([0, 1]), 0.1


def _grid_case(c: int) -> Callable[[Rng], tuple[Model, Array, float]]:
    """A model, points and a step. No grid point is near a boundary, and arange's length is not on the edge."""

    def draw(rng: Rng) -> tuple[Model, Array, float]:
        while True:
            model = _model(rng, 2, 5, c)
            X = rng.uniform([-1.5, 0.4], [1.0, 1.9], size=(7, 2))
            step = float(rng.uniform(0.23, 0.34))
            low, spans = X.min(axis=0) - 0.5, np.ptp(X, axis=0) + 1
            counts = np.ceil(spans / step).astype(int)
            left = spans / step % 1
            if counts[0] == counts[1] or np.any(left < 0.1) or np.any(left > 0.9):
                continue
            grids = [low[k] + step * np.arange(counts[k]) for k in (0, 1)]
            asked = np.array([(u, v) for v in grids[1] for u in grids[0]])
            scores = np.tanh(asked @ model["W1"] + model["b1"]) @ model["W2"] + model["b2"]
            second, best = np.sort(scores, axis=1)[:, -2:].T
            share = np.bincount(np.argmax(scores, axis=1), minlength=c) / len(scores)
            # three classes must be seen, and more than half the points must not be of class 1 alone
            if np.min(best - second) > 1e-3 and np.sum(share > 0.08) >= min(c, 3):
                return model, X, step

    return draw


# --------------------------------------------------------------------------- judging points that students make

MANY, LINE, SHAPE = 100, 0.95, 0.6  # points of each class, the best line, own neighbours: what the question asks for
FEW = 20  # points of each class with which a net can still be judged, where the question about the points was missed


class NotOfTheForm(ValueError):
    """Why an answer cannot be read at all, in words for the student."""


def accept_points(trial: Trial) -> Finding | None:
    """Three classes, enough points of each, no class beyond a straight line, and some shape in them."""
    if trial.got[0] is None or trial.got[1] is None:
        return Finding("not-answered", "`X3` or `y3` is None.")
    try:
        points, labels = _points(trial.got)
    except NotOfTheForm as problem:
        return Finding("form", str(problem))
    classes = set(labels.tolist())
    if classes == {1.0, 2.0, 3.0}:
        return Finding("counted-from-1", "the classes are called 1, 2, 3; here they count from 0.", 0.5)
    if classes != {0.0, 1.0, 2.0}:
        says = f"`y3` holds {len(classes)} different classes; 0, 1 and 2 are asked for, all of them."
        return Finding("other-classes", says, 0.25)
    fewest = min(len({tuple(point) for point in points[labels == label]}) for label in range(3))
    if fewest < FEW:
        return Finding("hardly-any", f"the smallest class has {fewest} different points; {MANY} are asked for.")
    finding = _without_shape(points, labels.astype(int), trial.given)
    if finding is None and fewest < MANY:
        says = f"the smallest class has {fewest} different points; at least {MANY} are asked for."
        return Finding("too-few", says, 0.5)
    return finding


def _points(got: Any) -> tuple[Array, Array]:
    """X (n, 2) and y (n,), finite numbers of a size that can be judged."""
    try:
        points, labels = np.asarray(got[0], dtype=float), np.asarray(got[1], dtype=float)
    except (ValueError, TypeError, IndexError, KeyError):
        raise NotOfTheForm("`X3` and `y3` are not arrays of numbers.") from None
    labels = labels.ravel()
    if points.ndim != 2 or points.shape != (labels.size, 2):
        raise NotOfTheForm(f"`X3` has the shape {points.shape} and `y3` {labels.size} entries; (n, 2) and n are asked.")
    if not (np.all(np.isfinite(points)) and np.all(np.isfinite(labels))):
        raise NotOfTheForm("there are entries that are not finite numbers.")
    if labels.size > 20_000:
        raise NotOfTheForm(f"{labels.size} points are more than can be judged; a few hundred are enough.")
    return points, labels


def _without_shape(points: Array, labels: Array, given: Mapping[str, Any]) -> Finding | None:
    for label in range(3):
        share = given["line_accuracy"](points, labels == label)
        if share > LINE:
            says = f"one straight line tells class {label} from the rest in {share:.3f} of the points; "
            says += f"at most {LINE:g} is asked for."
            return Finding("straight-line", says, 0.25)
    share = given["neighbour_share"](points, labels)
    if share < SHAPE:
        says = f"{share:.2f} of the points have a neighbour of their own class; {SHAPE:g} at least is asked for."
        return Finding("noise", says + " There is no shape in them that a net could learn.")
    return None


def _judged_on(got: Any, given: Mapping[str, Any]) -> list[tuple[Array, Array]]:
    """The points that a net is judged on: the student's where they can serve, then the notebook's spare ones."""
    spare = (given["X_spare"], given["y_spare"])
    try:
        points, labels = _points(got)
    except NotOfTheForm:
        return [spare]
    counts = [int(np.sum(labels == label)) for label in range(3)]
    if min(counts) < FEW or sum(counts) != labels.size or np.any(np.std(points, axis=0) == 0):
        return [spare]
    own = (points, labels.astype(int))
    return [spare] if _without_shape(*own, given) else [own, spare]


# --------------------------------------------------------------------------- judging nets that students train

AHEAD, BEST = 0.2, 0.8  # over the linear baseline; of the experiment's best net
ROUNDED = 0.006  # a table's accuracies may be rounded to two decimals


def accept_model3(trial: Trial) -> Finding | None:
    """The net gets .2 more right than a linear softmax does, on the student's points or on the spare ones."""
    model, handed_in = trial.got
    if model is None:
        return Finding("not-answered", "`model3` is None.")
    try:
        weights, biases = _layers([model["W1"], model["W2"]], [model["b1"], model["b2"]])
    except (NotOfTheForm, KeyError, TypeError, IndexError) as problem:
        return Finding("form", f"`model3` is not a model of three layers: {problem}")
    first = None
    for points, labels in _judged_on(handed_in, trial.given):
        finding = _ahead_of_a_line(weights, biases, points, labels, trial.given)
        if finding is None:
            return None
        first = first or finding
    return first


def _ahead_of_a_line(
    weights: list[Array], biases: list[Array], points: Array, labels: Array, given: Mapping[str, Any]
) -> Finding | None:
    if not all(np.all(np.isfinite(part)) for part in (*weights, *biases)):
        return Finding("not-finite", "some of its numbers are not finite (nan or inf): were the steps too large?")
    baseline, share = float(given["linear_accuracy"](points, labels)), _share_right(weights, biases, points, labels)
    if share >= baseline + AHEAD:
        return None
    seen = f"it gets {share:.3f} of the points right; the linear baseline has {baseline:.3f}"
    if share < baseline - 0.02:
        return Finding("untrained", f"{seen}. That is less than without a hidden layer: has it been trained at all?")
    says = f"{seen}, and {AHEAD:g} more is asked for. Has it enough hidden units, and did it have the time?"
    return Finding("near-a-line", says, 0.25)


def _share_right(weights: list[Array], biases: list[Array], points: Array, labels: Array) -> float:
    signal = points
    with np.errstate(all="ignore"):
        for i, (W, b) in enumerate(zip(weights, biases, strict=True)):
            signal = signal @ W + b
            if i < len(weights) - 1:
                signal = np.tanh(signal)
    return float(np.mean(np.argmax(signal, axis=1) == labels))


def _layers(weights: Any, biases: Any) -> tuple[list[Array], list[Array]]:
    """The layers of a net on 2 inputs and 3 classes; NotOfTheForm where they do not fit together."""
    if len(weights) != len(biases) or not 1 <= len(weights) <= 100:
        raise NotOfTheForm(f"there are {len(weights)} weight matrices and {len(biases)} biases.")
    found: tuple[list[Array], list[Array]] = ([], [])
    before = 2
    for i, (weight, bias) in enumerate(zip(weights, biases, strict=True), start=1):
        try:
            W, b = np.asarray(weight, dtype=float), np.asarray(bias, dtype=float).ravel()
        except (ValueError, TypeError):
            raise NotOfTheForm(f"W{i} or b{i} is not an array of numbers.") from None
        if W.ndim != 2 or W.shape[0] != before or b.size != W.shape[1] or W.shape[1] == 0:
            raise NotOfTheForm(f"W{i} has the shape {W.shape} and b{i} {b.size} entries; {before} numbers come in.")
        found[0].append(W)
        found[1].append(b)
        before = W.shape[1]
    if before != 3:
        raise NotOfTheForm(f"{before} outputs for three classes.")
    return found


def accept_experiment(trial: Trial) -> Finding | None:
    """Four different nets, a table that says what they are and what they get right, the best of them good."""
    table, nets, handed_in = trial.got
    if table is None:
        return Finding("not-answered", "`depth_table` is None.")
    try:
        lines = _lines(table)
        if nets is None:
            raise NotOfTheForm("`depth_nets` is None, and a table alone cannot be counted again.")
        layered = _nets(nets)
    except NotOfTheForm as problem:
        return Finding("form", str(problem))
    if len(lines) != len(layered):
        return Finding("form", f"`depth_table` has {len(lines)} lines, `depth_nets` has {len(layered)} nets.")
    first = None
    for points, labels in _judged_on(handed_in, trial.given):
        finding = _counted_again(lines, layered, points, labels)
        if finding is None:
            return None
        first = first or finding
    return first


def _lines(table: Any) -> list[tuple[float, str, float]]:
    """layers, hidden, accuracy of each line: of a DataFrame, a dict of columns or a list of dicts."""
    try:
        if not isinstance(table, pd.DataFrame):
            table = pd.DataFrame(table)
    except (ValueError, TypeError):
        raise NotOfTheForm("`depth_table` is not a DataFrame.") from None
    columns = {str(name).strip().casefold(): table[name] for name in table.columns}
    for name in ("layers", "hidden", "accuracy"):
        if name not in columns:
            raise NotOfTheForm(f"there is no column called {name} in `depth_table`; is it the index?")
    try:
        return [
            (float(layers), str(hidden), float(accuracy))
            for layers, hidden, accuracy in zip(columns["layers"], columns["hidden"], columns["accuracy"], strict=True)
        ]
    except (ValueError, TypeError):
        raise NotOfTheForm("there is a cell under layers or accuracy that is no number.") from None


def _nets(nets: Any) -> list[tuple[list[Array], list[Array]]]:
    if not isinstance(nets, list | tuple):
        raise NotOfTheForm("`depth_nets` is not a list.")
    found = []
    for i, net in enumerate(nets):
        try:
            weights, biases = net
            found.append(_layers(list(weights), list(biases)))
        except (ValueError, TypeError) as problem:
            raise NotOfTheForm(f"entry {i} of `depth_nets` is no pair (weights, biases) of a net: {problem}") from None
    return found


def _counted_again(
    lines: list[tuple[float, str, float]], nets: list[tuple[list[Array], list[Array]]], points: Array, labels: Array
) -> Finding | None:
    shares = [_share_right(weights, biases, points, labels) for weights, biases in nets]
    said = [accuracy for _, _, accuracy in lines]
    if _close([number / 100 for number in said], shares) and max(said) > 1.5:
        return Finding("percent", "the accuracies are percentages; fractions between 0 and 1 are asked for.", 0.5)
    if _close([1 - number for number in said], shares) and not _close(said, shares):
        return Finding("errors", "the numbers are the fractions that are wrong, not those that are right.", 0.5)
    if not _close(said, shares):
        i = int(np.argmax(~(np.abs(np.array(said) - shares) <= ROUNDED)))
        says = f"line {i} says {said[i]:.3f}, but its net gets {shares[i]:.3f} of the points right."
        return Finding("not-what-they-do", says)
    for i, ((layers, hidden, _), (weights, _)) in enumerate(zip(lines, nets, strict=True)):
        if layers == len(weights) + 1:
            says = f"line {i} says {layers:g} layers; `layers` counts weight matrices, and its net has {len(weights)}."
            return Finding("layers-of-units", says, 0.5)
        if layers != len(weights) or not _is_width(hidden, [W.shape[1] for W in weights[:-1]]):
            return Finding("other-nets", f"line {i} does not describe net {i}: look at `layers` and `hidden`.", 0.25)
    different = len({tuple(W.shape for W in weights) for weights, _ in nets})
    if different < 4:
        return Finding("too-few", f"there are {different} different nets; at least four are asked for.", 0.5)
    if max(shares) < BEST:
        says = f"the best net gets {max(shares):.3f} right; {BEST:g} is asked for. Were they trained long enough?"
        return Finding("none-good", says, 0.25)
    return None


def _close(said: list[float], shares: list[float]) -> bool:
    return bool(np.all(np.abs(np.array(said) - np.array(shares)) <= ROUNDED))


def _is_width(hidden: str, widths: list[int]) -> bool:
    """Whether a cell of the column `hidden` tells the widths: one number for all layers, or a list of them."""
    numbers = [int(float(number)) for number in re.findall(r"\d+(?:\.0+)?", hidden)]
    if not widths:
        return True
    return numbers == widths or (len(numbers) == 1 and numbers[0] in (*widths, sum(widths)))


# --------------------------------------------------------------------------- words that several items share

SAYS_MEAN_OF_POINTS = (
    "The points' share is divided by their number, the penalty is not. The loss is a sum over the points here."
)
SAYS_GLOBAL = "The penalty is the notebook's .01, whatever the function was called with: there is an argument for it."
SAYS_OVER_ALL = "All probabilities of all points sum to 1 together. Each point's should, over its own row."
SOFTMAX_OVER_ALL = "np.exp({z}) / np.sum(np.exp({z}))"


# --------------------------------------------------------------------------- the items

ITEMS = (
    value(
        "three-class-data",
        "X3",
        "y3",
        points=2,
        accept=accept_points,
        slips=[
            Slip(
                "too-few",
                "110",
                "60",
                credit=0.5,
                says="There are fewer points than asked for.",
            ),
            Slip(
                "straight-line",
                "",
                """
y3 = np.repeat([0, 1, 2], 110)
X3 = rng.normal(scale=0.4, size=(330, 2)) + np.array([[0.0, 2.0], [-2.0, -1.0], [2.0, -1.0]])[y3]
""",
                credit=0.25,
                says="A straight line is enough for one class at least.",
            ),
            Slip(
                "counted-from-1",
                "X3 = np.column_stack",
                "y3 = y3 + 1\nX3 = np.column_stack",
                credit=0.5,
                says="The classes count from 1.",
            ),
            Slip(
                "other-classes",
                "[0, 1, 2], 110",
                "[0, 1], 150",
                credit=0.25,
                says="A class is missing.",
            ),
            Slip(
                "noise",
                "",
                "y3 = np.repeat([0, 1, 2], 110)\nX3 = rng.normal(size=(330, 2))",
                credit=0.0,
                says="The labels have nothing to do with the points.",
            ),
        ],
        same=[
            Same(
                "rings",
                "",
                """
y3 = rng.permutation(np.repeat([0, 1, 2], [120, 150, 180]))
radius = 0.3 + 0.8 * y3 + rng.normal(scale=0.15, size=450)
angle = rng.uniform(0, 2 * np.pi, size=450)
X3 = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
""",
            ),
            Same(
                "stripes, six of them",
                "",
                """
stripe = np.repeat(np.arange(6), 70)
X3 = np.column_stack([stripe + rng.uniform(0.1, 0.9, size=420), rng.uniform(0, 4, size=420)])
y3 = (stripe % 3).astype(float)
""",
            ),
            Same(
                "as lists",
                "X3 = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])",
                "X3 = [[r * np.cos(a), r * np.sin(a)] for r, a in zip(radius, angle)]\ny3 = [int(k) for k in y3]",
            ),
        ],
        hints=[
            "Run the picture: which class can a straight line cut off?",
            "Let a class go around another one, or have a part of it on both sides.",
            "Give each class a start angle of its own and let the angle grow with the distance from the middle.",
        ],
    ),
    function(
        "three-class-forward",
        "forward3",
        points=1,
        worked=[Worked("tiny and its three points", lambda given: (given["tiny"], given["X_tiny"]))],
        cases=[
            Case("a batch", _net(2)),
            Case("one point", _net(2, n=1)),
            Case("three classes", _net(2, c=3)),
        ],
        slips=[
            Slip(
                "no-tanh",
                "np.tanh(z1)",
                "z1",
                credit=0.25,
                says="The hidden layer passes its sums on as they are. Without a curve in it, it is no use at all.",
            ),
            Slip(
                "no-hidden-bias",
                ' + model["b1"]',
                "",
                says="The hidden layer's biases are left out.",
            ),
            Slip("no-output-bias", ' + model["b2"]', "", says="The output layer's biases are left out."),
            Slip(
                "tanh-on-scores",
                "softmax(z2)",
                "softmax(np.tanh(z2))",
                says="The scores went through a tanh before the softmax. Only hidden layers have one.",
            ),
            Slip(
                "sigmoids",
                "softmax(z2)",
                "1 / (1 + np.exp(-z2))",
                credit=0.25,
                says="Each class is squashed on its own, so the probabilities of a point do not sum to 1.",
            ),
            Slip(
                "over-the-points",
                "softmax(z2)",
                "softmax(z2.T).T",
                says="The probabilities sum to 1 over the points of a class, not over the classes of a point.",
            ),
            Slip("softmax-over-all", "softmax(z2)", SOFTMAX_OVER_ALL.format(z="z2"), says=SAYS_OVER_ALL),
            Slip(
                "sigmoid-hidden",
                "np.tanh(z1)",
                "1 / (1 + np.exp(-z1))",
                says="The hidden layer has a sigmoid; the tutorial's net has another function there.",
            ),
            Slip(
                "scores", "probs = softmax(z2)", "probs = z2", credit=0.25, says="The probabilities are still scores."
            ),
        ],
        same=[
            Same("einsum", 'X @ model["W1"]', 'np.einsum("nd,dh->nh", X, model["W1"])'),
            Same("softmax by hand", "softmax(z2)", "np.exp(z2) / np.exp(z2).sum(axis=1)[:, None]"),
            Same(
                "unit by unit",
                "",
                """
    z1 = np.empty((len(X), model["W1"].shape[1]))
    for k in range(z1.shape[1]):
        z1[:, k] = sum(X[:, i] * model["W1"][i, k] for i in range(X.shape[1])) + np.ravel(model["b1"])[k]
    a1 = np.tanh(z1)
    z2 = np.stack([a1.dot(model["W2"][:, j]) for j in range(model["W2"].shape[1])], axis=1) + model["b2"]
    powers = np.exp(z2 - z2.max())
    return {"z1": z1, "a1": a1, "z2": z2, "probs": (powers.T / powers.sum(axis=1)).T}
""",
            ),
        ],
        hints=[
            "It is unit 8's forward pass; only the number of columns of W2 differs.",
            "Compare z1, a1, z2 and probs with the table, in this order: the first one that differs is the place.",
        ],
    ),
    function(
        "three-class-delta",
        "output_delta",
        points=1,
        worked=[
            Worked(
                "three points, as in the table",
                lambda given: (
                    np.array([[0.4224, 0.105, 0.4726], [0.7166, 0.1636, 0.1198], [0.3806, 0.53, 0.0894]]),
                    given["y_tiny"],
                ),
            ),
            Worked(
                "two points of four classes",
                lambda given: (np.array([[0.1, 0.2, 0.3, 0.4], [0.4, 0.3, 0.2, 0.1]]), np.array([3, 1])),
            ),
        ],
        cases=[
            Case("a batch", _probs(None, None)),
            Case("three classes", _probs(7, 3)),
            Case("two classes", _probs(None, 2)),
            Case("one point", _probs(1, 5)),
        ],
        slips=[
            Slip("sign", "return d_scores", "return -d_scores", says="All signs are turned: it is y minus the output."),
            Slip(
                "whole-columns",
                "d_scores[np.arange(len(y)), y] -= 1",
                "d_scores[:, y] -= 1",
                says="1 is taken off whole columns. In each row only the true class's entry changes.",
            ),
            Slip(
                "number-as-target",
                "d_scores[np.arange(len(y)), y] -= 1",
                "d_scores -= y[:, None]",
                credit=0.25,
                says="The class number itself is subtracted. A class is a place here, not an amount.",
            ),
            Slip(
                "one-place-off",
                "d_scores[np.arange(len(y)), y] -= 1",
                "d_scores[np.arange(len(y)), y - 1] -= 1",
                says="The 1 is taken off one place too far to the left: classes count from 0.",
            ),
            Slip(
                "mean",
                "return d_scores",
                "return d_scores / len(y)",
                says="It is divided by the number of points. The loss behind this code is a sum.",
            ),
            Slip(
                "three-classes-only",
                "return d_scores",
                "return probs - np.eye(3)[y]",
                says="It is right for three classes and stops for any other number of them.",
            ),
            Slip(
                "true-class-only",
                "return d_scores",
                "keep = np.zeros_like(probs)\n    keep[np.arange(len(y)), y] = 1\n    return keep * d_scores",
                says="The other classes' entries are 0. Their probabilities are not 0, and that is an error too.",
            ),
            Slip(
                "slope-too-many",
                "return d_scores",
                "return d_scores * probs * (1 - probs)",
                says="A slope of the output was multiplied in. With softmax and this loss none is left over.",
            ),
        ],
        same=[
            Same(
                "one-hot",
                "",
                "return probs - np.eye(probs.shape[1])[y]",
            ),
            Same(
                "loop",
                "",
                """
    rows = []
    for p, k in zip(probs, y):
        rows.append([p[j] - (1.0 if j == k else 0.0) for j in range(len(p))])
    return np.array(rows)
""",
            ),
            Same("compare", "", "return probs - (np.arange(probs.shape[1])[None, :] == y[:, None])"),
            Same("in place", "probs.copy()", "probs"),
        ],
        hints=[
            "Every row must sum to 0.",
            "One entry in each row changes: the first list of places counts the rows, the second names the class.",
            "probs minus the one-hot rows of y",
        ],
    ),
    function(
        "three-class-gradients",
        "gradients3",
        points=2,
        builds_on=["three-class-forward", "three-class-delta"],
        worked=[
            Worked(
                "tiny, its three points, reg_lambda = .1",
                lambda given: (given["tiny"], given["X_tiny"], given["y_tiny"], 0.1),
            ),
            Worked("tiny with its first two classes alone", _two_classes),
        ],
        cases=[
            Case("a batch", _labelled(2)),
            Case("three classes", _labelled(2, c=3)),
            Case("one point", _labelled(2, n=1)),
        ],
        slips=[
            Slip(
                "no-tanh-prime",
                ' * (1 - net["a1"] ** 2)',
                "",
                credit=0.25,
                says="The hidden layer's signal lacks the slope of its tanh.",
            ),
            Slip(
                "sum-for-activation",
                'net["a1"] ** 2',
                'net["z1"] ** 2',
                says="In the slope it is the sum z1 that is squared. Its tanh belongs there; a reader had it so, too.",
            ),
            Slip(
                "square-forgotten",
                'net["a1"] ** 2',
                'net["a1"]',
                says="The slope of the tanh is 1 minus something squared.",
            ),
            Slip(
                "no-penalty",
                "return d_model",
                """d_model["W1"] = d_model["W1"] - reg_lambda * model["W1"]
    d_model["W2"] = d_model["W2"] - reg_lambda * model["W2"]
    return d_model""",
                says="The points' share is right; the penalty on the weights has no part in it.",
            ),
            Slip(
                "penalty-on-biases",
                "return d_model",
                """d_model["b1"] = d_model["b1"] + reg_lambda * model["b1"]
    d_model["b2"] = d_model["b2"] + reg_lambda * model["b2"]
    return d_model""",
                says="The biases are penalised as well. The tutorial leaves them out.",
            ),
            Slip(
                "half-penalty",
                "return d_model",
                """d_model["W1"] = d_model["W1"] - reg_lambda / 2 * model["W1"]
    d_model["W2"] = d_model["W2"] - reg_lambda / 2 * model["W2"]
    return d_model""",
                says="The penalty is half as strong as it should be: differentiate its square.",
            ),
            Slip(
                "mean",
                "return d_model",
                "return {name: part / len(X) for name, part in d_model.items()}",
                says="Everything is divided by the number of points. The loss is a sum here.",
            ),
            Slip(
                "mean-of-points",
                'output_delta(net["probs"], y)',
                'output_delta(net["probs"], y) / len(X)',
                says=SAYS_MEAN_OF_POINTS,
            ),
            Slip(
                "global-lambda",
                "net = forward3(model, X)",
                'reg_lambda = globals()["reg_lambda"]\n    net = forward3(model, X)',
                says=SAYS_GLOBAL,
            ),
            Slip(
                "mean-for-biases",
                "np.sum(signal, axis=0, keepdims=True)",
                "np.mean(signal, axis=0, keepdims=True)",
                says="b2 is a mean over the points, while the weights are sums.",
            ),
        ],
        same=[
            Same("factored slope", '(1 - net["a1"] ** 2)', '((1 - net["a1"]) * (1 + net["a1"]))'),
            Same("slope from the sums", '(1 - net["a1"] ** 2)', '(1 / np.cosh(net["z1"]) ** 2)'),
            Same("flat biases", "np.sum(hidden_signal, axis=0, keepdims=True)", "hidden_signal.sum(axis=0)"),
            Same("einsum", 'net["a1"].T @ signal', 'np.einsum("nh,nc->hc", net["a1"], signal)'),
            Same(
                "entry by entry",
                "",
                """
    net = forward3(model, X)
    signal = output_delta(net["probs"], y)
    hidden_signal = np.zeros_like(net["a1"])
    for j in range(signal.shape[1]):
        hidden_signal = hidden_signal + np.outer(signal[:, j], model["W2"][:, j])
    hidden_signal = hidden_signal - hidden_signal * net["a1"] * net["a1"]
    d_model = {"b1": sum(hidden_signal), "b2": sum(signal)}
    for name, came, back in (("W1", X, hidden_signal), ("W2", net["a1"], signal)):
        rows = [[float(np.sum(u * d)) for d in back.T] for u in came.T]
        d_model[name] = np.array(rows) + reg_lambda * model[name]
    return d_model
""",
            ),
        ],
        hints=[
            "Compare the hidden layer's signal with the first line of the table before you look at W1 and b1.",
            "Weights: what went in, transposed, times the signal, and then the penalty. Biases: sums over the points.",
            "unit 8's gradients, with output_delta in it",
        ],
    ),
    value(
        "three-class-trained",
        "model3",
        "model3_points",
        points=2,
        accept=accept_model3,
        builds_on=["three-class-data", "three-class-gradients"],
        slips=[
            Slip(
                "untrained", "range(num_passes)", "range(0)", credit=0, says="These are the weights of a random start."
            ),
            Slip(
                "near-a-line",
                "",
                """
model3 = random_start([2, 10, 3], rng)
model3 = {name: 0.01 * part for name, part in model3.items()}
for _ in range(100):
    d_model3 = gradients3(model3, X3, y3, 1.0)
    model3 = {name: part - 0.003 * d_model3[name] for name, part in model3.items()}
""",
                credit=0.25,
                says="It is hardly better than a straight line.",
            ),
        ],
        same=[
            Same("wider and longer", "random_start([2, 10, 3], rng)", "random_start([2, 16, 3], rng)"),
            Same(
                "spare points",
                "gradients3(model3, X3, y3, reg_lambda)",
                "gradients3(model3, X_spare, y_spare, reg_lambda)",
            ),
        ],
        hints=[
            "Print the loss now and then: does it fall, and has it stopped falling?",
            "With three hidden units a boundary can bend about three times. Try more units, or a smaller rate.",
        ],
    ),
    function(
        "four-layer-forward",
        "forward4",
        points=2,
        worked=[Worked("tiny4 and three points", lambda given: (given["tiny4"], given["X_tiny"]))],
        cases=[
            Case("a batch", _net(3)),
            Case("one point", _net(3, n=1)),
            Case("three classes", _net(3, c=3)),
        ],
        slips=[
            Slip(
                "second-layer-linear",
                "np.tanh(z2)",
                "z2",
                credit=0.25,
                says="The second hidden layer passes its sums on as they are.",
            ),
            Slip(
                "first-layer-linear",
                "np.tanh(z1)",
                "z1",
                credit=0.25,
                says="The first hidden layer passes its sums on as they are.",
            ),
            Slip(
                "sums-passed-on",
                'a2 @ model["W3"]',
                'z2 @ model["W3"]',
                says="a2 is right, but the scores are made from something else: what does the last layer get?",
            ),
            Slip(
                "first-sums-passed-on",
                'a1 @ model["W2"]',
                'z1 @ model["W2"]',
                says="a1 is right, but the second hidden layer's sums are made from something else.",
            ),
            Slip(
                "tanh-on-scores",
                "softmax(z3)",
                "softmax(np.tanh(z3))",
                says="The scores went through a tanh before the softmax. Only hidden layers have one.",
            ),
            Slip("no-middle-bias", ' + model["b2"]', "", says="The second hidden layer's biases are left out."),
            Slip("no-output-bias", ' + model["b3"]', "", says="The output layer's biases are left out."),
            Slip("softmax-over-all", "softmax(z3)", SOFTMAX_OVER_ALL.format(z="z3"), says=SAYS_OVER_ALL),
            Slip(
                "over-the-points",
                "softmax(z3)",
                "softmax(z3.T).T",
                says="The probabilities sum to 1 over the points of a class, not over the classes of a point.",
            ),
        ],
        same=[
            Same("einsum", 'a1 @ model["W2"]', 'np.einsum("nh,hk->nk", a1, model["W2"])'),
            Same("softmax by hand", "softmax(z3)", "np.exp(z3) / np.exp(z3).sum(axis=1)[:, None]"),
            Same("tanh by exponentials", "np.tanh(z2)", "(1 - np.exp(-2 * z2)) / (1 + np.exp(-2 * z2))"),
            Same(
                "loop",
                "",
                """
    parts, a = {}, X
    for i in (1, 2, 3):
        parts[f"z{i}"] = a.dot(model[f"W{i}"]) + np.ravel(model[f"b{i}"])
        a = np.tanh(parts[f"z{i}"]) if i < 3 else softmax(parts[f"z{i}"])
        parts["probs" if i == 3 else f"a{i}"] = a
    return parts
""",
            ),
        ],
        hints=[
            "The second hidden layer does with a1 what the first one does with X.",
            "Compare your numbers with the table from the top: the first one that differs is the place.",
        ],
    ),
    function(
        "four-layer-deltas",
        "deltas4",
        points=3,
        parts=["d4", "d3", "d2"],
        builds_on=["four-layer-forward", "three-class-delta"],
        worked=[Worked("tiny4 and three points", lambda given: (given["tiny4"], given["X_tiny"], given["y_tiny"]))],
        cases=[
            Case("a batch", _labelled(3, lam=False)),
            Case("one point", _labelled(3, n=1, lam=False)),
            Case("three classes", _labelled(3, c=3, lam=False)),
        ],
        slips=[
            Slip(
                "no-slope-d3",
                ' * (1 - net["a2"] ** 2)',
                "",
                credit=0.25,
                says="d3 is the signal before the second tanh's slope, and d2 goes on from there.",
            ),
            Slip(
                "no-slope-d2",
                ' * (1 - net["a1"] ** 2)',
                "",
                credit=0.5,
                says="d4 and d3 are right; d2 lacks a slope.",
            ),
            Slip(
                "d2-from-raw-signal",
                'd3 @ model["W2"].T',
                '(d4 @ model["W3"].T) @ model["W2"].T',
                credit=0.5,
                says="d2 was taken straight from d4: on its way it also passes the slope of the second hidden layer.",
            ),
            Slip(
                "sums-for-activations",
                "",
                """
    net = forward4(model, X)
    d4 = output_delta(net["probs"], y)
    d3 = d4 @ model["W3"].T * (1 - net["z2"] ** 2)
    d2 = d3 @ model["W2"].T * (1 - net["z1"] ** 2)
    return d4, d3, d2
""",
                says="In the slopes it is the sums that are squared. What comes out of the tanh belongs there.",
            ),
            Slip(
                "sigmoid-slopes",
                "",
                """
    net = forward4(model, X)
    d4 = output_delta(net["probs"], y)
    d3 = d4 @ model["W3"].T * net["a2"] * (1 - net["a2"])
    d2 = d3 @ model["W2"].T * net["a1"] * (1 - net["a1"])
    return d4, d3, d2
""",
                credit=0.25,
                says="The slopes are the sigmoid's. These layers have a tanh.",
            ),
            Slip(
                "averaged",
                'output_delta(net["probs"], y)',
                'output_delta(net["probs"], y) / len(X)',
                says="Everything is divided by the number of points; here nothing is averaged.",
            ),
            Slip(
                "first-layer-first",
                "return d4, d3, d2",
                "return d2, d3, d4",
                says="The three signals are right, their order is turned.",
            ),
            Slip(
                "slope-at-the-output",
                'output_delta(net["probs"], y)',
                'output_delta(net["probs"], y) * net["probs"] * (1 - net["probs"])',
                says="A slope of the output was multiplied into d4. With softmax and this loss none is left over.",
            ),
        ],
        same=[
            Same("factored slope", '(1 - net["a2"] ** 2)', '((1 - net["a2"]) * (1 + net["a2"]))'),
            Same("einsum", 'd3 @ model["W2"].T', 'np.einsum("nk,hk->nh", d3, model["W2"])'),
            Same("slope from the sums", '(1 - net["a1"] ** 2)', '(1 / np.cosh(net["z1"]) ** 2)'),
            Same(
                "unit by unit",
                "",
                """
    net = forward4(model, X)
    found = [output_delta(net["probs"], y)]
    for W, a in ((model["W3"], net["a2"]), (model["W2"], net["a1"])):
        back = [sum(found[-1][:, j] * W[k, j] for j in range(W.shape[1])) for k in range(len(W))]
        found.append(np.array(back).T * (1 - a * a))
    return tuple(found)
""",
            ),
        ],
        hints=[
            "d3 is found from d4 just as d2 is found from d3.",
            "Each step back: through the weights that lie between, then times the slope of the layer where you arrive.",
            "d3 = d4 W3^T times (1 - a2^2), d2 = d3 W2^T times (1 - a1^2)",
        ],
    ),
    function(
        "four-layer-gradients",
        "gradients4",
        points=2,
        builds_on=["four-layer-forward", "four-layer-deltas"],
        worked=[
            Worked(
                "tiny4, three points, no penalty",
                lambda given: (given["tiny4"], given["X_tiny"], given["y_tiny"], 0.0),
            ),
            Worked(
                "the same with a penalty of .1",
                lambda given: (given["tiny4"], given["X_tiny"], given["y_tiny"], 0.1),
            ),
        ],
        cases=[
            Case("a batch", _labelled(3)),
            Case("one point", _labelled(3, n=1)),
            Case("three classes", _labelled(3, c=3)),
        ],
        slips=[
            Slip(
                "no-penalty",
                "signal3, signal2, signal1 = deltas4(model, X, y)",
                "signal3, signal2, signal1 = deltas4(model, X, y)\n    reg_lambda = 0",
                says="The points' share is right; the penalty on the weights has no part in it.",
            ),
            Slip(
                "new-matrix-unpenalised",
                ' + reg_lambda * model["W3"]',
                "",
                says="W1 and W2 have their penalty, the matrix that came in addition has none.",
            ),
            Slip(
                "penalty-on-biases",
                "",
                """
    net = forward4(model, X)
    signal3, signal2, signal1 = deltas4(model, X, y)
    d_model = {}
    for i, (a, d) in enumerate(((X, signal1), (net["a1"], signal2), (net["a2"], signal3)), start=1):
        d_model[f"W{i}"] = a.T @ d + reg_lambda * model[f"W{i}"]
        d_model[f"b{i}"] = np.sum(d, axis=0, keepdims=True) + reg_lambda * model[f"b{i}"]
    return d_model
""",
                says="The biases are penalised as well. The tutorial leaves them out.",
            ),
            Slip(
                "sums-as-inputs",
                "",
                """
    net = forward4(model, X)
    signal3, signal2, signal1 = deltas4(model, X, y)
    d_model = {}
    for i, (a, d) in enumerate(((X, signal1), (net["z1"], signal2), (net["z2"], signal3)), start=1):
        d_model[f"W{i}"] = a.T @ d + reg_lambda * model[f"W{i}"]
        d_model[f"b{i}"] = np.sum(d, axis=0, keepdims=True)
    return d_model
""",
                says="W2 and W3 are multiplied with activations on the way forward, not with the sums z1 and z2.",
            ),
            Slip(
                "mean",
                "",
                """
    net = forward4(model, X)
    signal3, signal2, signal1 = deltas4(model, X, y)
    d_model = {}
    for i, (a, d) in enumerate(((X, signal1), (net["a1"], signal2), (net["a2"], signal3)), start=1):
        d_model[f"W{i}"] = (a.T @ d + reg_lambda * model[f"W{i}"]) / len(X)
        d_model[f"b{i}"] = np.mean(d, axis=0, keepdims=True)
    return d_model
""",
                says="Everything is divided by the number of points. The loss is a sum here.",
            ),
            Slip(
                "mean-of-points",
                "signal3, signal2, signal1 = deltas4(model, X, y)",
                "signal3, signal2, signal1 = (signal / len(X) for signal in deltas4(model, X, y))",
                says=SAYS_MEAN_OF_POINTS,
            ),
            Slip(
                "global-lambda",
                "net = forward4(model, X)",
                'reg_lambda = globals()["reg_lambda"]\n    net = forward4(model, X)',
                says=SAYS_GLOBAL,
            ),
            Slip(
                "penalty-subtracted",
                ' + reg_lambda * model["W1"]',
                ' - reg_lambda * model["W1"]',
                says="In W1 the penalty has the wrong sign: large weights should become smaller.",
            ),
        ],
        same=[
            Same(
                "loop",
                "",
                """
    net = forward4(model, X)
    inputs = [X, net["a1"], net["a2"]]
    d_model = {}
    for i, d in enumerate(reversed(deltas4(model, X, y))):
        d_model[f"W{i + 1}"] = reg_lambda * model[f"W{i + 1}"] + sum(np.outer(a, s) for a, s in zip(inputs[i], d))
        d_model[f"b{i + 1}"] = sum(d)
    return d_model
""",
            ),
            Same("einsum", 'net["a1"].T @ signal2', 'np.einsum("nh,nk->hk", net["a1"], signal2)'),
            Same("a column of ones", "np.sum(signal3, axis=0, keepdims=True)", "np.ones((1, len(X))) @ signal3"),
            Same("flat biases", "np.sum(signal2, axis=0, keepdims=True)", "signal2.sum(0)"),
        ],
        hints=[
            "Check the shapes first: each gradient has the shape of its parameter.",
            "Which activation goes into W2, and which signal comes back to it?",
            "X with d2, a1 with d3, a2 with d4; then the penalty for the three matrices",
        ],
    ),
    function(
        "any-depth-forward",
        "forward_deep",
        points=2,
        worked=[
            Worked(
                "tiny4 as lists",
                lambda given: (given["tiny_weights"], given["tiny_biases"], given["X_tiny"]),
            ),
            Worked(
                "one layer, the first one of them",
                lambda given: (given["tiny_weights"][:1], given["tiny_biases"][:1], given["X_tiny"]),
            ),
        ],
        cases=[
            Case("one layer", _listed(1, False, False)),
            Case("two layers", _listed(2, False, False)),
            Case("four layers", _listed(4, False, False)),
            Case("five layers, one point", _listed(5, False, False, n=1)),
        ],
        slips=[
            Slip(
                "tanh-at-the-end",
                "softmax(z)",
                "softmax(np.tanh(z))",
                says="The last layer's scores went through a tanh as well.",
            ),
            Slip(
                "no-softmax",
                "softmax(z) if i == len(weights) - 1 else np.tanh(z)",
                "z if i == len(weights) - 1 else np.tanh(z)",
                credit=0.25,
                says="The last activation holds scores, not probabilities.",
            ),
            Slip(
                "softmax-everywhere",
                "softmax(z) if i == len(weights) - 1 else np.tanh(z)",
                "softmax(z)",
                credit=0.25,
                says="Every layer ends in a softmax. It belongs to the last one alone.",
            ),
            Slip(
                "last-hidden-linear",
                "np.tanh(z))",
                "(z if i == len(weights) - 2 else np.tanh(z)))",
                says="The last hidden layer has no tanh: where does the loop treat layers in another way?",
            ),
            Slip(
                "no-biases",
                " + biases[i]",
                "",
                says="The biases are left out.",
            ),
            Slip("softmax-over-all", "softmax(z)", SOFTMAX_OVER_ALL.format(z="z"), says=SAYS_OVER_ALL),
            Slip(
                "no-input",
                "return activations",
                "return activations[1:]",
                says="The list starts at a1. X is the first activation here, the backward pass needs it.",
            ),
            Slip(
                "first-bias-everywhere",
                "",
                """
    activations = [X]
    for i in range(len(weights)):
        z = activations[-1] @ weights[i] + biases[0][0]
        activations.append(softmax(z) if i == len(weights) - 1 else np.tanh(z))
    return activations
""",
                credit=0.25,
                says="The same bias stands everywhere: each layer has a vector of its own.",
            ),
        ],
        same=[
            Same("einsum", "activations[-1] @ weights[i]", 'np.einsum("nd,dh->nh", activations[-1], weights[i])'),
            Same(
                "recursion",
                "",
                """
    if len(weights) == 1:
        return [X, softmax(X @ weights[0] + biases[0])]
    return [X, *forward_deep(weights[1:], biases[1:], np.tanh(X @ weights[0] + biases[0]))]
""",
            ),
            Same(
                "last layer after the loop",
                "",
                """
    activations = [X]
    for W, b in list(zip(weights, biases))[:-1]:
        activations.append(np.tanh(np.dot(activations[-1], W) + b.reshape(1, -1)))
    scores = np.exp(np.dot(activations[-1], weights[-1]) + biases[-1])
    return activations + [scores / scores.sum(axis=1, keepdims=True)]
""",
            ),
        ],
        hints=[
            "What is the same in all layers, and what is different in the last one?",
            "Compare with forward4 on tiny4: X, a1, a2, probs.",
        ],
    ),
    function(
        "any-depth-gradients",
        "gradients_deep",
        points=4,
        parts=["weights", "biases"],
        builds_on=["any-depth-forward", "three-class-delta"],
        worked=[
            Worked(
                "tiny4 as lists, reg_lambda = .1",
                lambda given: (given["tiny_weights"], given["tiny_biases"], given["X_tiny"], given["y_tiny"], 0.1),
            ),
            Worked(
                "one layer, the first one of them",
                lambda given: (
                    given["tiny_weights"][:1],
                    given["tiny_biases"][:1],
                    given["X_tiny"],
                    given["y_tiny"],
                    0.1,
                ),
            ),
        ],
        cases=[
            Case("one layer", _listed(1, True, True)),
            Case("two layers", _listed(2, True, True)),
            Case("four layers", _listed(4, True, True)),
            Case("five layers, one point", _listed(5, True, True, n=1)),
        ],
        slips=[
            Slip(
                "last-layer-first",
                "return d_weights, d_biases",
                "return d_weights[::-1], d_biases[::-1]",
                says="The gradients are right, but the last layer's stand first in the lists.",
            ),
            Slip(
                "no-slopes",
                " * (1 - activations[i] ** 2)",
                "",
                credit=0.25,
                says="The signal goes back through the weights and never meets the slope of a tanh.",
            ),
            Slip(
                "one-slope-only",
                "signal = signal @ weights[i].T * (1 - activations[i] ** 2)",
                "slope = 1 - activations[i] ** 2 if i == len(weights) - 1 else 1.0\n"
                "            signal = signal @ weights[i].T * slope",
                says="The last two layers are right, those before lack slopes: every hidden layer has one of its own.",
            ),
            Slip(
                "square-forgotten",
                "activations[i] ** 2",
                "activations[i]",
                says="The slope of the tanh is 1 minus something squared.",
            ),
            Slip(
                "sigmoid-slopes",
                "(1 - activations[i] ** 2)",
                "activations[i] * (1 - activations[i])",
                credit=0.25,
                says="The slopes are the sigmoid's. These layers have a tanh.",
            ),
            Slip(
                "no-penalty",
                " + reg_lambda * weights[i]",
                "",
                says="The points' share is right; the penalty on the weights has no part in it.",
            ),
            Slip(
                "penalty-on-biases",
                "np.sum(signal, axis=0)",
                "np.sum(signal, axis=0) + reg_lambda * biases[i]",
                says="The biases are penalised as well. The tutorial leaves them out.",
            ),
            Slip(
                "mean",
                "return d_weights, d_biases",
                "return [d / len(X) for d in d_weights], [d / len(X) for d in d_biases]",
                says="Everything is divided by the number of points. The loss is a sum here.",
            ),
            Slip(
                "mean-of-points",
                "output_delta(activations[-1], y)",
                "output_delta(activations[-1], y) / len(X)",
                says=SAYS_MEAN_OF_POINTS,
            ),
            Slip(
                "global-lambda",
                "activations = forward_deep(weights, biases, X)",
                'reg_lambda = globals()["reg_lambda"]\n    activations = forward_deep(weights, biases, X)',
                says=SAYS_GLOBAL,
            ),
            Slip(
                "penalty-into-the-signal",
                "signal = signal @ weights[i].T",
                "signal = signal @ (weights[i] + reg_lambda).T",
                credit=0.5,
                says="The penalty travels back with the signal. It belongs to each layer's own weights only.",
            ),
        ],
        same=[
            Same(
                "signals first",
                "",
                """
    activations = forward_deep(weights, biases, X)
    signals = [output_delta(activations[-1], y)]
    for W, a in zip(weights[:0:-1], activations[-2:0:-1]):
        signals.append((1 - a * a) * np.dot(signals[-1], W.T))
    signals = signals[::-1]
    d_weights = [np.dot(a.T, s) + reg_lambda * W for a, s, W in zip(activations, signals, weights)]
    return d_weights, [s.sum(axis=0) for s in signals]
""",
            ),
            Same("factored slope", "(1 - activations[i] ** 2)", "((1 - activations[i]) * (1 + activations[i]))"),
            Same("einsum", "activations[i].T @ signal", 'np.einsum("nd,nh->dh", activations[i], signal)'),
            Same("rows of biases", "np.sum(signal, axis=0)", "np.sum(signal, axis=0, keepdims=True)"),
            Same("slope of X too", "if i > 0:", "if True:"),
        ],
        hints=[
            "Compare tiny_weights here with tiny4 in gradients4: which matrix differs first, from the end?",
            "Gradients of a layer come before the signal moves on; it moves through the weights of that same layer.",
            "signal = signal W_i^T times (1 - a^2), where a is the activation that goes into W_i",
        ],
    ),
    function(
        "layer-norms",
        "layer_gradient_norms",
        points=1,
        builds_on=["any-depth-gradients"],
        worked=[
            Worked(
                "tiny4 as lists",
                lambda given: (given["tiny_weights"], given["tiny_biases"], given["X_tiny"], given["y_tiny"]),
            )
        ],
        cases=[
            Case("one layer", _listed(1, True, False)),
            Case("three layers", _listed(3, True, False)),
            Case("five layers", _listed(5, True, False)),
        ],
        slips=[
            Slip(
                "no-root",
                "np.sqrt(np.sum(slope**2))",
                "np.sum(slope**2)",
                says="The squares are summed; the root is missing.",
            ),
            Slip(
                "absolute-sum",
                "np.sqrt(np.sum(slope**2))",
                "np.sum(np.abs(slope))",
                says="The sizes are summed. The Frobenius norm is a root of a sum of squares.",
            ),
            Slip(
                "mean-square",
                "np.sum(slope**2)",
                "np.mean(slope**2)",
                says="It is the root of the mean of the squares: of their sum, please.",
            ),
            Slip(
                "largest-stretch",
                "np.sqrt(np.sum(slope**2))",
                "np.linalg.norm(slope, 2)",
                says="That is another matrix norm, the largest stretch of a vector. All entries count here.",
            ),
            Slip(
                "last-layer-first",
                "for slope in slopes]",
                "for slope in slopes[::-1]]",
                says="The norms are right, their order is turned: first layer first.",
            ),
            Slip(
                "norms-of-the-weights",
                "for slope in slopes]",
                "for slope in weights]",
                credit=0.25,
                says="These are the norms of the weights themselves, not of their gradients.",
            ),
            Slip(
                "with-biases",
                "for slope in slopes]",
                "for slope in map(np.vstack, zip(slopes, _))]",
                says="The biases' gradients are counted as well; the weights' alone are asked for.",
            ),
            Slip(
                "with-penalty",
                "X, y, 0.0)",
                "X, y, 1.0)",
                says="A penalty is counted. It does not come back through the net.",
            ),
        ],
        same=[
            Same("numpy's norm", "np.sqrt(np.sum(slope**2))", "np.linalg.norm(slope)"),
            Same("trace", "np.sqrt(np.sum(slope**2))", "np.sqrt(np.trace(slope.T @ slope))"),
            Same("hypot", "np.sqrt(np.sum(slope**2))", "np.hypot.reduce(slope.ravel())"),
        ],
        hints=[
            "gradients_deep has the matrices already; what should its penalty be?",
            "One number for each matrix: np.linalg.norm without a second argument gives it.",
        ],
    ),
    value(
        "depth-experiment",
        "depth_table",
        "depth_nets",
        "depth_points",
        points=2,
        accept=accept_experiment,
        builds_on=["three-class-data", "any-depth-forward", "any-depth-gradients"],
        slips=[
            Slip("percent", "np.mean(found == y3)", "100 * np.mean(found == y3)", says="Fractions are asked for."),
            Slip(
                "none-good",
                "range(600)",
                "range(0)",
                credit=0.25,
                says="None of the nets is good.",
            ),
            Slip(
                "not-what-they-do",
                "np.mean(found == y3)}",
                "0.97}",
                credit=0,
                says="The table says something else than the nets do.",
            ),
        ],
        same=[
            Same(
                "other nets, rounded",
                "",
                """
depth_nets, lines = [], []
for sizes in ([2, 4, 3], [2, 12, 3], [2, 8, 4, 3], [2, 5, 5, 5, 3]):
    weights, biases = random_layers(sizes, rng)
    for _ in range(400):
        d_weights, d_biases = gradients_deep(weights, biases, X3, y3, reg_lambda)
        weights = [W - 0.005 * d_W for W, d_W in zip(weights, d_weights)]
        biases = [b - 0.005 * d_b for b, d_b in zip(biases, d_biases)]
    depth_nets.append([weights, [b[None] for b in biases]])
    found = np.argmax(forward_deep(weights, biases, X3)[-1], axis=1)
    lines.append([len(weights), str(sizes[1:-1]), round(float(np.mean(found == y3)), 2)])
depth_table = pd.DataFrame(lines, columns=["layers", "hidden", "accuracy"])
""",
            ),
        ],
        hints=[
            "Each line needs its net at the same place of `depth_nets`, as (weights, biases), and its own count.",
            "If no net reaches .8, try one hidden layer of 10 units first, then change one thing at a time.",
        ],
    ),
    function(
        "decision-grid",
        points=2,
        builds_on=["three-class-forward"],
        parts=["xx", "yy", "labels"],
        worked=[
            Worked(
                "tiny, data between (0, 0) and (1, .3), step .5",
                lambda given: (given["tiny"], np.array([[0.0, 0.3], [1.0, 0.0], [0.4, 0.1]]), 0.5),
            )
        ],
        cases=[
            Case("three classes", _grid_case(3)),
            Case("two classes", _grid_case(2)),
            Case("four classes", _grid_case(4)),
        ],
        slips=[
            Slip(
                "no-margin",
                "",
                """
    low, high = X.min(axis=0), X.max(axis=0)
    xx, yy = np.meshgrid(np.arange(low[0], high[0], step), np.arange(low[1], high[1], step))
    asked = np.column_stack([xx.ravel(), yy.ravel()])
    return xx, yy, np.argmax(forward3(model, asked)["probs"], axis=1).reshape(xx.shape)
""",
                says="The grid ends where the data end; a margin around them is asked for.",
            ),
            Slip(
                "margin-below-only",
                "X.max(axis=0) + 0.5",
                "X.max(axis=0)",
                says="The margin is there below and to the left only.",
            ),
            Slip(
                "turned",
                "np.arange(low[1], high[1], step))",
                'np.arange(low[1], high[1], step), indexing="ij")',
                says="All three arrays are turned: rows of the grid go up, columns go across.",
            ),
            Slip(
                "up-before-across",
                "np.meshgrid(np.arange(low[0], high[0], step), np.arange(low[1], high[1], step))",
                "np.meshgrid(np.arange(low[1], high[1], step), np.arange(low[0], high[0], step))",
                says="The grid was made from the second coordinate first: `xx` holds what goes up, not across.",
            ),
            Slip(
                "swapped-in-the-answer",
                "return xx, yy, labels",
                "return yy, xx, labels",
                says="`xx` and `yy` have each other's place in the answer.",
            ),
            Slip(
                "end-included",
                "X.max(axis=0) + 0.5",
                "X.max(axis=0) + 0.5 + step",
                says="The grid goes one step too far: `np.arange` stops before its end.",
            ),
            Slip(
                "linspace",
                "np.meshgrid(np.arange(low[0], high[0], step), np.arange(low[1], high[1], step))",
                "np.meshgrid(*(np.linspace(low[k], high[k], int(np.ceil((high[k] - low[k]) / step))) for k in (0, 1)))",
                says="The numbers are spread from end to end, as by `np.linspace`; they should be `step` apart.",
            ),
            Slip(
                "coordinates-swapped",
                "[xx.ravel(), yy.ravel()]",
                "[yy.ravel(), xx.ravel()]",
                says="The grid is right, but the net was asked about (up, across) instead of (across, up).",
            ),
            Slip(
                "flat", ".reshape(xx.shape)", "", says="`labels` is still one long row; it has the grid's shape to get."
            ),
            Slip(
                "down-the-columns",
                ".reshape(xx.shape)",
                '.reshape(xx.shape, order="F")',
                says="The labels were filled in column by column, while the grid was made flat row by row.",
            ),
            Slip(
                "certainty",
                "np.argmax(",
                "np.max(",
                credit=0.25,
                says="`labels` holds the highest probability, not the class that has it.",
            ),
            Slip(
                "two-classes-only",
                'np.argmax(forward3(model, asked)["probs"], axis=1)',
                '(forward3(model, asked)["probs"][:, 1] > 0.5).astype(int)',
                says="Only classes 0 and 1 are told apart; there may be more of them.",
            ),
        ],
        same=[
            Same("numpy's c_", "np.column_stack([xx.ravel(), yy.ravel()])", "np.c_[xx.ravel(), yy.ravel()]"),
            Same("from the scores", '["probs"]', '["z2"]'),
            Same(
                "row by row",
                "",
                """
    across = np.arange(np.min(X[:, 0]) - 0.5, np.max(X[:, 0]) + 0.5, step)
    up = np.arange(np.min(X[:, 1]) - 0.5, np.max(X[:, 1]) + 0.5, step)
    xx = np.array([across for _ in up])
    yy = np.array([[height] * len(across) for height in up])
    rows = [forward3(model, np.stack([xx[i], yy[i]], axis=1))["probs"].argmax(1) for i in range(len(up))]
    return xx, yy, np.array(rows)
""",
            ),
        ],
        hints=[
            "Check the example of the text first: what are xx.shape and yy[:, 0]?",
            "np.meshgrid(across, up) gives xx and yy; `ravel` makes a grid flat, `reshape(xx.shape)` undoes it.",
        ],
    ),
)
