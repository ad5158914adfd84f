"""Unit 08, training on the moons: what is graded, on which cases, and the mistakes that it knows."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from chainrule.items import Case, Finding, Probe, Same, Seed, Slip, Trial, Worked, choice, function, value

Rng = np.random.Generator
Array = np.ndarray[Any, np.dtype[np.float64]]
Model = dict[str, Array]

LOSS, ACCURACY = 0.08, 0.97  # the bounds of a trained net; `start` has .584 and .865
EPS = 1e-9  # fractions of points are compared exactly, but for the last bit
ROUNDED = 6e-4  # accuracies may be rounded to three decimals
SIZES = (1, 2, 3, 4, 5, 20, 50)
PARTS = ("W1", "b1", "W2", "b2")


# --------------------------------------------------------------------------- drawing cases


def _away(rng: Rng, *shape: int, low: float = 0.3, high: float = 1.3) -> Array:
    """Numbers of both signs, none near 0."""
    return rng.choice([-1.0, 1.0], size=shape) * rng.uniform(low, high, size=shape)


def _sizes(rng: Rng, count: int = 4) -> list[int]:
    """Sizes from 2 to 7, no two of them equal."""
    return [int(size) for size in rng.choice(np.arange(2, 8), size=count, replace=False)]


def _model(rng: Rng, d: int, h: int, c: int) -> Model:
    """Asymmetric weights and biases away from 0; sums stay where tanh and softmax are not flat."""
    return {
        "W1": 1.2 * _away(rng, d, h) / np.sqrt(d),
        "b1": _away(rng, 1, h, high=0.8),
        "W2": 1.6 * _away(rng, h, c) / np.sqrt(h),
        "b2": _away(rng, 1, c, high=0.8),
    }


def _labels(rng: Rng, n: int, c: int) -> Array:
    """Class numbers, not all of one class where there are several points, and never all of class 0."""
    y = rng.integers(c, size=n)
    if n > 1 and np.all(y == y[0]):
        y[0] = (y[0] + 1) % c
    return y if n > 1 or y[0] else np.array([c - 1])


def _net(rng: Rng, n: int, d: int, h: int, c: int) -> tuple[Model, Array]:
    return _model(rng, d, h, c), _away(rng, n, d)


def _any_net(rng: Rng) -> tuple[Model, Array]:
    return _net(rng, *_sizes(rng))


def _one_point_net(rng: Rng) -> tuple[Model, Array]:
    return _net(rng, 1, *_sizes(rng, 3))


def _scores(model: Model, X: Array) -> Array:
    return np.tanh(X @ model["W1"] + model["b1"]) @ model["W2"] + model["b2"]


def _clear_net(rng: Rng, n: int, d: int, h: int, c: int) -> tuple[Model, Array]:
    """No two scores of a point are nearly the same, so that float32 finds the same class."""
    while True:
        model, X = _net(rng, n, d, h, c)
        ordered = np.sort(_scores(model, X), axis=1)
        if np.all(np.diff(ordered, axis=1) > 0.01):
            return model, X


def _batch(rng: Rng, n: int, d: int, h: int, c: int) -> tuple[Model, Array, Array, float]:
    """model, X, y, reg_lambda; the penalty is strong enough to be seen."""
    return (*_net(rng, n, d, h, c), _labels(rng, n, c), float(rng.uniform(0.3, 0.9)))


def _any_batch(rng: Rng) -> tuple[Model, Array, Array, float]:
    return _batch(rng, *_sizes(rng))


def _one_point(rng: Rng) -> tuple[Model, Array, Array, float]:
    return _batch(rng, 1, *_sizes(rng, 3))


def _no_penalty(rng: Rng) -> tuple[Model, Array, Array, float]:
    return (*_any_batch(rng)[:3], 0.0)


Draw = Callable[[Rng], tuple[Any, ...]]
SLOPES: dict[str, tuple[Callable[[Array], Array], Callable[[Array, Array], Array]]] = {
    "tanh": (np.tanh, lambda z1, a1: 1 - a1**2),
    "sigmoid": (lambda z1: 1 / (1 + np.exp(-z1)), lambda z1, a1: a1 * (1 - a1)),
    "relu": (lambda z1: np.maximum(z1, 0), lambda z1, a1: 1.0 * (z1 > 0)),
}
CANCELS = 0.05  # a sum below this share of its terms' sizes keeps too few digits in float32


def _steady(draw: Draw, activation: str = "tanh") -> Draw:
    """Only nets in whose backward pass no whole array cancels out, so that float32 gets it right.

    A ReLU net also has hidden sums of both signs, none near 0, where it has no slope.
    """
    activate, slope_of = SLOPES[activation]

    def is_steady(model: Model, X: Array, target: Array) -> bool:
        z1 = X @ model["W1"] + model["b1"]
        if activation == "relu" and not (np.all(np.abs(z1) > 0.03) and np.any(z1 > 0) and np.any(z1 < 0)):
            return False
        a1 = activate(z1)
        z2 = a1 @ model["W2"] + model["b2"]
        if target.ndim == 1:
            powers = np.exp(z2)
            d3 = powers / np.sum(powers, axis=1, keepdims=True) - np.eye(z2.shape[1])[target]
        else:
            d3 = 2 * (z2 - target)
        slope = slope_of(z1, a1)
        d2 = d3 @ model["W2"].T * slope
        pairs = [(d2, np.abs(d3) @ np.abs(model["W2"].T) * slope)]
        for inputs, signal in ((X, d2), (a1, d3), (np.ones((len(X), 1)), d2), (np.ones((len(X), 1)), d3)):
            pairs.append((inputs.T @ signal, np.abs(inputs).T @ np.abs(signal)))
        pairs.append((d3, np.ones(1)))
        return all(np.max(np.abs(total)) > CANCELS * np.max(terms) for total, terms in pairs)

    def drawn(rng: Rng) -> tuple[Any, ...]:
        while True:
            args = draw(rng)
            if is_steady(*args[:3]):
                return args

    return drawn


def _probabilities(rng: Rng, n: int, c: int) -> tuple[Array, Array]:
    powers = np.exp(_away(rng, n, c))
    return powers / np.sum(powers, axis=1, keepdims=True), _labels(rng, n, c)


def _signals(rng: Rng, n: int, h: int, c: int) -> tuple[Array, Array, Array]:
    """d3, W2, a1: signals whose rows sum to 0, activations between -.9 and .9 and away from 0."""
    probs, y = _probabilities(rng, n, c)
    probs[np.arange(n), y] -= 1
    return probs, _away(rng, h, c), _away(rng, n, h, low=0.2, high=0.9)


def _minibatch(rng: Rng, m: int, N: int) -> tuple[Any, ...]:
    """model, X_b, y_b, reg_lambda, N."""
    d, h, c = (int(size) for size in rng.choice([2, 3, 4, 5], size=3, replace=False))
    model, X_b, y_b, _ = _batch(rng, m, d, h, c)
    return model, X_b, y_b, float(rng.uniform(0.8, 2.0)), N


def _to_split(n: int, size: int) -> Callable[[Rng], tuple[Any, ...]]:
    """X, y, size, rng. Each point has a label of its own, so that pairs can be told."""

    def draw(rng: Rng) -> tuple[Any, ...]:
        return rng.normal(size=(n, 3)), rng.permutation(n) + 10, size, Seed(int(rng.integers(1000, 2**31)))

    return draw


def _annealing(rng: Rng) -> tuple[float, float, int]:
    return float(rng.uniform(0.05, 0.9)), float(rng.uniform(0.1, 0.7)), int(rng.integers(3, 30))


def _decay(rng: Rng) -> tuple[float, float, int, int]:
    """An epoch in the middle of a stage, so that whole and broken parts differ."""
    every = int(rng.integers(4, 9))
    epoch = every * int(rng.integers(2, 5)) + int(rng.integers(1, every - 1))
    return float(rng.uniform(0.05, 0.9)), float(rng.uniform(0.4, 0.8)), every, epoch


def _last_of_stage(rng: Rng) -> tuple[float, float, int, int]:
    every = int(rng.integers(4, 9))
    return float(rng.uniform(0.05, 0.9)), float(rng.uniform(0.4, 0.8)), every, every * int(rng.integers(2, 5)) - 1


def _schedule(rng: Rng) -> tuple[Any, ...]:
    """model, X, y, schedule, epochs, with a rate that follows no rule at all."""
    model, X, y, _ = _any_batch(rng)
    epochs = int(rng.integers(3, 6))
    rates = rng.uniform(0.02, 0.2, size=epochs + 2)
    return model, X, y, Probe("lambda epoch: float(rates[epoch])", {"rates": rates}), epochs


def _smooth_schedule(rng: Rng) -> tuple[Any, ...]:
    model, X, y, _ = _any_batch(rng)
    names = {"eps0": float(rng.uniform(0.05, 0.2)), "k": float(rng.uniform(0.3, 0.9))}
    return model, X, y, Probe("lambda epoch: eps0 / (1 + k * epoch)", names), int(rng.integers(3, 6))


def _dropped(rng: Rng, n: int, h: int) -> tuple[tuple[Array, float, Array], tuple[Array, float, Array]]:
    """Arguments of the two functions, with masks of their own that drop some units and keep some."""

    def mask() -> Array:
        flat = np.zeros(n * h)
        flat[rng.permutation(n * h)[: rng.integers(n * h // 3 + 1, n * h - n * h // 4)]] = 1.0
        return flat.reshape(n, h)

    keep = [float(share) for share in rng.choice([0.3, 0.4, 0.6, 0.7, 0.8, 0.9], size=2, replace=False)]
    return (_away(rng, n, h), keep[0], mask()), (_away(rng, n, h), keep[1], mask())


def _regression(rng: Rng, n: int, d: int, h: int, k: int) -> tuple[Model, Array, Array]:
    return (*_net(rng, n, d, h, k), 2.5 * _away(rng, n, k))


def _tiny(given: Mapping[str, Any], *more: Any) -> tuple[Any, ...]:
    return (given["tiny"], given["X_tiny"], given["y_tiny"], *more)


def _third_class(tiny: Model) -> Model:
    """tiny with one more output, which has the highest score at point 2."""
    more = {"W2": np.array([[-0.5], [1.5], [-1.0]]), "b2": np.array([[0.2]])}
    return {**tiny, **{name: np.hstack([tiny[name], part]) for name, part in more.items()}}


TINY_D3 = np.array([[-0.3102, 0.3102], [0.7552, -0.7552]])
TINY_A1 = np.array([[0.7616, -0.4621, 0.4621], [-0.4621, 0.9866, -0.9051]])
TINY_PROBS = np.array([[0.6898, 0.3102], [0.7552, 0.2448]])
TINY_MASK = np.array([[1.0, 0.0, 1.0]])
TINY_DROP = ((np.array([[0.8, -0.4, 0.6]]), 0.5, TINY_MASK), (np.array([[0.3, 0.2, -0.5]]), 0.5, TINY_MASK))


# --------------------------------------------------------------------------- judging trained nets


class NotAModel(ValueError):
    """What was handed in is no net of the asked form; the message says where."""


def _as_model(got: Any, start: Mapping[str, Any]) -> Model:
    """The student's net as arrays of the shapes of `start`. Raises NotAModel."""
    if not isinstance(got, Mapping):
        raise NotAModel("a dict with the keys W1, b1, W2 and b2 is asked for.")
    model: Model = {}
    for name in PARTS:
        if name not in got:
            raise NotAModel(f"the net has no key {name!r}.")
        want = np.shape(start[name])
        try:
            part = np.asarray(got[name], dtype=float)
        except (TypeError, ValueError):
            raise NotAModel(f"{name} is not an array of numbers.") from None
        if [k for k in part.shape if k != 1] != [k for k in want if k != 1]:
            raise NotAModel(f"{name} has shape {part.shape}; with the start's three hidden units it has {want}.")
        model[name] = part.reshape(want)
    return model


def _forward(model: Mapping[str, Array], X: Array) -> tuple[Array, Array]:
    a1 = np.tanh(X @ model["W1"] + model["b1"])
    scores = a1 @ model["W2"] + model["b2"]
    powers = np.exp(scores - np.max(scores, axis=1, keepdims=True))
    return a1, powers / np.sum(powers, axis=1, keepdims=True)


def _loss(model: Mapping[str, Array], given: Mapping[str, Any]) -> float:
    """The tutorial's printed loss on the training points; inf where the net has blown up."""
    y = given["y"]
    with np.errstate(all="ignore"):
        probs = _forward(model, given["X"])[1][np.arange(len(y)), y]
        squares = np.sum(model["W1"] ** 2) + np.sum(model["W2"] ** 2)
        loss = (-np.sum(np.log(probs)) + given["reg_lambda"] / 2 * squares) / len(y)
    return float(loss) if np.isfinite(loss) else np.inf


def _accuracy(model: Mapping[str, Array], given: Mapping[str, Any]) -> float:
    with np.errstate(all="ignore"):
        return float(np.mean(np.argmax(_forward(model, given["X"])[1], axis=1) == given["y"]))


def _step(model: Mapping[str, Array], given: Mapping[str, Any]) -> Model:
    """One step of batch descent at the notebook's rate."""
    X, y, lam = given["X"], given["y"], given["reg_lambda"]
    a1, d3 = _forward(model, X)
    d3[np.arange(len(y)), y] -= 1
    d2 = d3 @ model["W2"].T * (1 - a1**2)
    slopes = {
        "W1": X.T @ d2 + lam * model["W1"],
        "b1": np.sum(d2, axis=0, keepdims=True),
        "W2": a1.T @ d3 + lam * model["W2"],
        "b2": np.sum(d3, axis=0, keepdims=True),
    }
    return {name: model[name] - given["epsilon"] * slopes[name] for name in PARTS}


def _distance(one: Mapping[str, Array], other: Mapping[str, Array]) -> float:
    with np.errstate(all="ignore"):
        return float(np.sqrt(sum(np.sum((one[name] - other[name]) ** 2) for name in PARTS)))


def _from_batch_descent(model: Mapping[str, Array], given: Mapping[str, Any]) -> bool:
    """Whether two more batch steps lead back to where the net is.

    At the rate .01 batch descent ends in jumping between two places, which no run with minibatches does: two steps
    then move the net by a hundredth of one step or less (.004 after 2500 passes, .001 after 5000), and the net of a
    minibatch run by a fifth of it or more. A net at rest, where even one step moves nothing, is not meant.
    """
    one = _step(model, given)
    moved = _distance(one, model)
    return moved > 0.02 and _distance(_step(one, given), model) < 0.02 * moved


UNDERTRAINED = "undertrained"
SAYS_UNDERTRAINED = (
    "the net has learnt something, but its loss is still above .08 or its accuracy below .97: too few steps, or steps "
    "that are too small. Are the gradients sums over the points, as the rate .01 expects?"
)
SAYS_ASCENT = (
    "the loss is higher than before the first step: the net has walked uphill, or its steps were far too large."
)
SAYS_START = "these are the weights of `start`, untrained."
SAYS_AGAIN = (
    "this is a net from batch descent: two more steps over all points lead right back to it. Train one from `start` "
    "with minibatches."
)
SAYS_UNPAIRED = (
    "the loss stays near .69, which is what guessing costs: the labels tell this net nothing. Does each point still "
    "have its own label when it comes out of the shuffling?"
)


def _bounds(model: Model, given: Mapping[str, Any]) -> Finding | None:
    """Whether a net with the shapes of `start` is trained, and if not, what it looks like."""
    if _distance(model, given["start"]) < EPS:
        return Finding("start-itself", SAYS_START, 0.0)
    loss, before = _loss(model, given), _loss(given["start"], given)
    if loss <= LOSS and _accuracy(model, given) >= ACCURACY - EPS:
        return None
    if loss <= before:
        return Finding(UNDERTRAINED, SAYS_UNDERTRAINED, 0.25)
    return Finding("ascent", SAYS_ASCENT, 0.25)


def accept_model(trial: Trial) -> Finding | None:
    """A net with the shapes of `start`, whose loss and accuracy on the training points meet the bounds."""
    try:
        model = _as_model(trial.got, trial.given["start"])
    except NotAModel as error:
        return Finding("form", str(error))
    return _bounds(model, trial.given)


def accept_minibatch_model(trial: Trial) -> Finding | None:
    """As for `model`, and not simply the net of batch descent once more."""
    try:
        model = _as_model(trial.got, trial.given["start"])
    except NotAModel as error:
        return Finding("form", str(error))
    finding = _bounds(model, trial.given)
    if finding is None:
        return Finding("batch-again", SAYS_AGAIN, 0.0) if _from_batch_descent(model, trial.given) else None
    if finding.name == "ascent" and 0.6 <= _loss(model, trial.given) <= 1.0:
        return Finding("unpaired", SAYS_UNPAIRED, 0.25)
    return finding


# --------------------------------------------------------------------------- judging accuracies

SAYS_PERCENT = "this is a percentage; a fraction between 0 and 1 is asked for."
SAYS_ERRORS = "this is the share of points that are classified wrong."
SAYS_OTHER_POINTS = "this is no accuracy on the 200 training points. Which points did you count?"
SAYS_SAME_POINTS = (
    "the two columns are the same. Were the nets tested on the points that they were trained on? `X_test` has others."
)
SAYS_SWEEP = (
    "with three units and more .95 is reached on the training points and .90 on the test points. Are all nets trained, "
    "each from a start of its own size?"
)


def accept_baseline(trial: Trial) -> Finding | None:
    """A fraction of the 200 points, where a straight line can get."""
    got = float(np.asarray(trial.got, dtype=float).reshape(()))
    n = len(trial.given["y"])
    if _is_count(got, n) and 0.82 - EPS <= got <= 0.88 + EPS:
        return None
    if 82 - EPS <= got <= 88 + EPS:
        return Finding("percent", SAYS_PERCENT, 0.5)
    if _is_count(got, n) and 0.12 - EPS <= got <= 0.18 + EPS:
        return Finding("error-rate", SAYS_ERRORS, 0.5)
    if 0.82 <= got <= 0.92:
        return Finding("other-points", SAYS_OTHER_POINTS, 0.5)
    return Finding("out-of-reach", "logistic regression gets between .82 and .88 of the 200 training points right.")


def accept_sweep(trial: Trial) -> Finding | None:
    """A line for each size, with fractions of the training and test points that trained nets reach."""
    if not isinstance(trial.got, pd.DataFrame):
        return Finding("form", "a DataFrame with the columns hidden, train_accuracy and test_accuracy is asked for.")
    columns = {str(name).strip().lower(): trial.got[name] for name in trial.got.columns}
    missing = [name for name in ("hidden", "train_accuracy", "test_accuracy") if name not in columns]
    if missing:
        return Finding("form", f"the table has no column called {missing[0]}.")
    hidden, train, test = (
        np.asarray(columns[name], dtype=float) for name in ("hidden", "train_accuracy", "test_accuracy")
    )
    if not (np.all(np.isfinite(train)) and np.all(np.isfinite(test))):
        return Finding("form", "there are accuracies that are not numbers.")
    if sorted(hidden.tolist()) != sorted(map(float, SIZES)):
        return Finding("form", f"one row for each of {', '.join(map(str, SIZES))} hidden units is asked for.")
    if np.any(train > 1 + EPS) or np.any(test > 1 + EPS):
        return Finding("percent", SAYS_PERCENT, 0.5)
    if np.all(np.abs(train - test) < EPS):
        return Finding("test-on-train", SAYS_SAME_POINTS, 0.5)
    large = hidden >= 3
    if np.any(train[large] < 0.95 - EPS) or np.any(test[large] < 0.90 - EPS):
        return Finding(UNDERTRAINED, SAYS_SWEEP, 0.25)
    if np.any(train[hidden == 1] > 0.90 + EPS):
        return Finding(
            "one-unit", "one hidden unit can draw one line, and no line gets more than .90 right here.", 0.25
        )
    if np.any(train < 0.5) or np.any(test < 0.5):
        return Finding("form", "an accuracy below one half is worse than guessing; a trained net is better than that.")
    sizes = (len(trial.given["y"]), len(trial.given["y_test"]))
    if not all(_is_count(share, n) for shares, n in zip((train, test), sizes, strict=True) for share in shares):
        return Finding("made-up", f"these are not accuracies on {sizes[0]} and {sizes[1]} points.")
    return None


def _is_count(share: float, n: int) -> bool:
    """Whether a share is a whole number of n points, rounded to three decimals or finer."""
    return bool(np.isfinite(share) and abs(share * n - np.round(share * n)) <= ROUNDED * n)


# --------------------------------------------------------------------------- judging minibatches

SAYS_NOT_SHUFFLED = "the points come in the order in which they stand in X: an epoch's order is to be drawn."
SAYS_TAIL = "points at the end are missing: the last batch is as short as it has to be, but it is there."
SAYS_LABELS = "points have labels of other points: what shuffles X has to shuffle y in the same way."
SAYS_TWICE = "some points come twice and others not at all: an epoch holds each point once."
SAYS_BLOCKS = "the batches come in a drawn order, but each holds neighbours of X, the same ones in every epoch."
SAYS_OWN = "the order is that of a generator made in the function, the same at each call: draw it from `rng`."
SAYS_EMPTY = "there is a batch without any points: where does the last batch begin when `size` divides their number?"
SAYS_EVEN = "the points are spread evenly over the batches; each but the last is to hold `size` points."


def accept_minibatches(trial: Trial) -> Finding | None:
    """Each point once and with its own label, in batches of `size` with a short last one, in a drawn order."""
    X, y, size, _ = trial.args
    n = len(X)
    if not isinstance(trial.got, list | tuple) or any(
        not isinstance(pair, list | tuple) or len(pair) != 2 for pair in trial.got
    ):
        return Finding("form", "a list of pairs (X_b, y_b) is asked for.")
    places: list[list[int]] = []
    labels: list[list[float]] = []
    for part, theirs in trial.got:
        rows = np.asarray(part, dtype=float).reshape(-1, X.shape[1])
        if len(rows) > n:
            return Finding("form", "a batch holds more points than there are in X.")
        near = np.max(np.abs(rows[:, None, :] - X[None, :, :]), axis=2) < 1e-5
        if not np.all(np.sum(near, axis=1) == 1):
            return Finding("form", "there are points that are not rows of X.")
        places.append([int(place) for place in np.argmax(near, axis=1)])
        labels.append([float(label) for label in np.asarray(theirs, dtype=float).ravel()])
        if len(labels[-1]) != len(places[-1]):
            return Finding("form", "a batch has another number of labels than of points.")
    order = [place for batch in places for place in batch]
    if len(set(order)) < len(order):
        return Finding("with-replacement", SAYS_TWICE, 0.25)
    if n - len(order) >= size or not order:
        return Finding("points-missing", "points of X are missing from the batches.")
    if len(order) < n:
        return Finding("tail-dropped", SAYS_TAIL, 0.5)
    if any(y[place] != label for place, label in zip(order, itertools.chain(*labels), strict=True)):
        return Finding("labels-left-behind", SAYS_LABELS, 0.25)
    if not all(places):
        return Finding("empty-batch", SAYS_EMPTY, 0.5)
    short = [n % size] if n % size else []
    sizes = [len(batch) for batch in places]
    return (
        _order_finding(places, order, n) if sizes == [size] * (n // size) + short else _size_finding(sizes, size, short)
    )


def _size_finding(sizes: list[int], size: int, short: list[int]) -> Finding:
    if sorted(sizes) == sorted([size] * (len(sizes) - len(short)) + short):
        return Finding("short-one-first", "the short batch is to be the last one.", 0.5)
    return Finding("evened-out", SAYS_EVEN, 0.5)


def _order_finding(places: list[list[int]], order: list[int], n: int) -> Finding | None:
    if len(places) < 2:  # one batch holds all points: their order tells nothing
        return None
    if order == sorted(order):
        return Finding("not-shuffled", SAYS_NOT_SHUFFLED, 0.25)
    if max(map(len, places)) > 1 and all(max(batch) - min(batch) == len(batch) - 1 for batch in places):
        return Finding("blocks-shuffled", SAYS_BLOCKS, 0.5)
    fixed = [np.random.default_rng(seed).permutation(n).tolist() for seed in (0, 1, 42)]
    fixed += [np.random.RandomState(seed).permutation(n).tolist() for seed in (0, 1, 42)]
    return Finding("own-generator", SAYS_OWN, 0.5) if order in fixed else None


# --------------------------------------------------------------------------- solutions that several items share

MEANS = """
    net = forward(model, X)
    d3 = delta3(net["probs"], y)
    d2 = delta2(d3, model["W2"], net["a1"])
    return {
        "W1": X.T @ d2 + reg_lambda * model["W1"],
        "b1": np.mean(d2, axis=0, keepdims=True),
        "W2": net["a1"].T @ d3 + reg_lambda * model["W2"],
        "b2": np.mean(d3, axis=0, keepdims=True),
    }
"""
NOT_SUMMED = """
    net = forward(model, X)
    d3 = delta3(net["probs"], y)
    d2 = delta2(d3, model["W2"], net["a1"])
    return {
        "W1": X.T @ d2 + reg_lambda * model["W1"],
        "b1": d2,
        "W2": net["a1"].T @ d3 + reg_lambda * model["W2"],
        "b2": d3,
    }
"""
BY_POINTS = """
    d_model = {name: np.array(reg_lambda * part if name[0] == "W" else 0 * part) for name, part in model.items()}
    for x, label in zip(X, y):
        a1 = np.tanh(x @ model["W1"] + model["b1"][0])
        powers = np.exp(a1 @ model["W2"] + model["b2"][0])
        d3 = powers / powers.sum()
        d3[label] -= 1
        d2 = (model["W2"] @ d3) * (1 - a1 * a1)
        d_model["W1"] += np.outer(x, d2)
        d_model["b1"] += d2
        d_model["W2"] += np.outer(a1, d3)
        d_model["b2"] += d3
    return d_model
"""
FLAT_BIASES = """
    net = forward(model, X)
    d3 = net["probs"] - np.eye(net["probs"].shape[1])[y]
    d2 = np.einsum("nc,hc->nh", d3, model["W2"]) / np.cosh(net["z1"]) ** 2
    return {
        "W1": np.einsum("nd,nh->dh", X, d2) + reg_lambda * model["W1"],
        "b1": d2.sum(axis=0),
        "W2": np.einsum("nh,nc->hc", net["a1"], d3) + reg_lambda * model["W2"],
        "b2": d3.sum(axis=0),
    }
"""
ANY_ACTIVATION = """
    z1 = X @ model["W1"] + model["b1"]
    a1, slope = {pair}
    scores = a1 @ model["W2"] + model["b2"]
    powers = np.exp(scores - scores.max())
    d3 = powers / powers.sum(axis=1, keepdims=True) - np.eye(scores.shape[1])[y]
    d2 = (d3 @ model["W2"].T) * slope
    lam = reg_lambda
    return {{
        "b2": d3.sum(axis=0),
        "b1": d2.sum(axis=0),
        "W2": a1.T @ d3 + lam * model["W2"],
        "W1": X.T @ d2 + lam * model["W1"],
    }}
"""
SAYS_NO_PENALTY = "the gradients of the weights lack the penalty's part."
SAYS_MEAN = "the points' part is divided by their number: the summed loss is asked for, as the tutorial steps along it."
SAYS_MEAN_OF_ALL = (
    "everything is divided by the number of points, the penalty's part as well: that is the gradient of the loss that "
    "the tutorial prints. The summed one is asked for."
)
SAYS_GLOBAL = "the penalty has the notebook's .01 in it, whatever the function was called with: it has an argument."
SAYS_UPSIDE_DOWN = "That is the factor the other way round: which of the two is larger, the sum or the mean?"
SAYS_BIAS_MEAN = "the biases take the mean over the points; all gradients here are sums."


def _activation_slips(kept: str, right: str, other: str, says_other: str) -> list[Slip]:
    """Mistakes of a net with another hidden activation. `right` is the slope's text in its solution."""
    return [
        Slip(
            "tanh-slope-kept",
            right,
            'slope = 1 - net["a1"] ** 2',
            credit=0.5,
            says="the hidden layer has its new activation, but its slope is still the tanh's.",
        ),
        Slip(
            "tanh-forward",
            kept,
            "net = forward(model, X)",
            credit=0.5,
            says="the slope is the new one, but the forward pass still goes through the tanh.",
        ),
        Slip(
            "no-slope",
            right,
            "slope = 1.0",
            credit=0.25,
            says="the error signal arrives at the hidden layer, but no slope of its activation is applied.",
        ),
        Slip("other-slope", right, other, credit=0.5, says=says_other),
        Slip(
            "mean",
            'd3 = delta3(net["probs"], y)',
            'd3 = delta3(net["probs"], y) / len(y)',
            credit=0.5,
            says=SAYS_MEAN,
        ),
        Slip(
            "mean-of-all",
            'd3 = delta3(net["probs"], y)',
            'd3 = delta3(net["probs"], y) / len(y)\n    reg_lambda = reg_lambda / len(y)',
            credit=0.5,
            says=SAYS_MEAN_OF_ALL,
        ),
        Slip(
            "no-penalty",
            kept,
            f"reg_lambda = 0.0\n    {kept}",
            credit=0.5,
            says=SAYS_NO_PENALTY,
        ),
        Slip("global-lambda", kept, f'reg_lambda = globals()["reg_lambda"]\n    {kept}', credit=0.5, says=SAYS_GLOBAL),
    ]


# --------------------------------------------------------------------------- the items

ITEMS = (
    function(
        "predict",
        points=1,
        worked=[
            Worked("the two points of tiny", lambda given: (given["tiny"], given["X_tiny"])),
            Worked("tiny with a third class", lambda given: (_third_class(given["tiny"]), given["X_tiny"])),
        ],
        cases=[
            Case("many points", lambda rng: _clear_net(rng, 11, 3, 4, 5), times=2),
            Case("two classes", lambda rng: _clear_net(rng, 9, 4, 3, 2)),
            Case("one point", lambda rng: _clear_net(rng, 1, 2, 5, 4)),
        ],
        slips=[
            Slip(
                "down-the-columns",
                "axis=1",
                "axis=0",
                credit=0.5,
                says="there is one number for each class: the largest score was looked for down the points, not across "
                "the classes of each point.",
            ),
            Slip(
                "scores",
                "np.argmax(scores, axis=1)",
                "scores",
                credit=0.25,
                says="these are the scores themselves. Which class do they speak for?",
            ),
            Slip(
                "two-classes-only",
                "np.argmax(scores, axis=1)",
                "(scores[:, 1] > scores[:, 0]).astype(int)",
                credit=0.5,
                says="only classes 0 and 1 are told apart; there may be more of them.",
            ),
            Slip(
                "largest-score",
                "np.argmax(",
                "np.max(",
                credit=0.5,
                says="this is how large the largest score is, not where it stands.",
            ),
            Slip(
                "no-output-bias",
                ' + model["b2"]',
                "",
                credit=0.5,
                says="some points land in another class, as they do when the biases of the output are left out.",
            ),
            Slip(
                "no-hidden-bias",
                ' + model["b1"]',
                "",
                credit=0.5,
                says="some points land in another class, as they do when the biases of the hidden layer are left out.",
            ),
            Slip(
                "no-tanh",
                'np.tanh(x @ model["W1"] + model["b1"])',
                'x @ model["W1"] + model["b1"]',
                credit=0.5,
                says="some points land in another class, as they do when the hidden layer lets its sums through "
                "unchanged.",
            ),
        ],
        same=[
            Same(
                "with-softmax",
                "",
                """
    hidden = np.tanh(x.dot(model["W1"]) + model["b1"])
    powers = np.exp(hidden.dot(model["W2"]) + model["b2"])
    probs = powers / powers.sum(axis=1, keepdims=True)
    return probs.argmax(axis=1)
""",
            ),
            Same(
                "point-by-point",
                "",
                """
    labels = []
    for point in x:
        hidden = np.tanh(point @ model["W1"] + model["b1"].ravel())
        labels.append(int(np.argmax(hidden @ model["W2"] + model["b2"].ravel())))
    return labels
""",
            ),
            Same("sorted", "np.argmax(scores, axis=1)", "np.argsort(scores, axis=1)[:, -1]"),
        ],
        hints=[
            "Two lines bring you to the scores; a third asks where the largest one of each row stands.",
            "`np.argmax` finds places. Along which axis do the classes of one point lie?",
            "`np.argmax(scores, axis=1)`, where the scores are a matrix (n, c).",
        ],
    ),
    function(
        "forward",
        points=2,
        worked=[
            Worked("the two points of tiny", lambda given: (given["tiny"], given["X_tiny"])),
            Worked(
                "tiny with a ReLU",
                lambda given: (given["tiny"], given["X_tiny"], Probe("lambda z: np.maximum(z, 0)", {})),
            ),
        ],
        cases=[
            Case("a batch", _any_net, times=2),
            Case("one point", _one_point_net),
            Case("another activation", lambda rng: (*_any_net(rng), Probe("lambda z: z / (1 + np.abs(z))", {}))),
        ],
        slips=[
            Slip(
                "always-tanh",
                "activation(z1)",
                "np.tanh(z1)",
                credit=0.5,
                says="the hidden layer is a tanh, whatever function is given: a1 comes from the third argument.",
            ),
            Slip(
                "no-hidden-bias",
                ' + model["b1"]',
                "",
                credit=0.5,
                says="that is the hidden layer without its biases.",
            ),
            Slip(
                "no-output-bias",
                ' + model["b2"]',
                "",
                credit=0.5,
                says="that is the output layer without its biases.",
            ),
            Slip(
                "sigmoid-hidden",
                "activation(z1)",
                "1 / (1 + np.exp(-z1))",
                credit=0.5,
                says="the hidden layer of this net is not a sigmoid.",
            ),
            Slip(
                "sums-passed-on",
                "z2 = a1 @",
                "z2 = z1 @",
                credit=0.5,
                says="z1 and a1 are right, but the output layer was fed with the sums, not with the activations.",
            ),
            Slip(
                "softmax-over-points",
                "softmax(z2)",
                "softmax(z2.T).T",
                credit=0.5,
                says="the probabilities of each class sum to 1 over the points; those of each point should, over the "
                "classes.",
            ),
            Slip(
                "softmax-over-all",
                "softmax(z2)",
                "np.exp(z2) / np.sum(np.exp(z2))",
                credit=0.5,
                says="all the probabilities together sum to 1; each point's should, over its own row.",
            ),
            Slip(
                "no-softmax",
                "softmax(z2)",
                "z2",
                credit=0.5,
                says="the probabilities are still the scores.",
            ),
            Slip(
                "sigmoid-output",
                "softmax(z2)",
                "1 / (1 + np.exp(-z2))",
                credit=0.5,
                says="each score was squeezed by itself, and so the probabilities of a point do not sum to 1.",
            ),
            Slip(
                "tanh-output",
                "softmax(z2)",
                "softmax(np.tanh(z2))",
                credit=0.5,
                says="the scores went through a second tanh before they became probabilities.",
            ),
        ],
        same=[
            Same(
                "as-in-the-tutorial",
                "probs = softmax(z2)",
                "exp_scores = np.exp(z2)\n    probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)",
            ),
            Same("einsum", 'X @ model["W1"]', 'np.einsum("nd,dh->nh", X, model["W1"])'),
            Same(
                "point-by-point",
                "",
                """
    rows = {"z1": [], "a1": [], "z2": [], "probs": []}
    for x in X:
        z1 = model["W1"].T @ x + model["b1"].ravel()
        a1 = np.array([activation(z) for z in z1])
        z2 = model["W2"].T @ a1 + model["b2"].ravel()
        powers = np.exp(z2)
        for name, row in zip(rows, (z1, a1, z2, powers / powers.sum())):
            rows[name].append(row)
    return {name: np.array(part) for name, part in rows.items()}
""",
            ),
        ],
        hints=[
            "Four lines, one for each of the four formulas.",
            "A row vector stands left of its matrix; the biases (1, h) are added to every row by themselves.",
            "z1 is `X @ model['W1'] + model['b1']`, a1 is `activation(z1)`; the output layer in the same way.",
        ],
    ),
    function(
        "delta3",
        points=1,
        changed_arguments=0.5,
        worked=[
            Worked("the two points of tiny", lambda given: (TINY_PROBS, given["y_tiny"])),
            Worked(
                "two points of four classes",
                lambda given: (np.array([[0.1, 0.2, 0.3, 0.4], [0.4, 0.3, 0.2, 0.1]]), np.array([3, 1])),
            ),
        ],
        cases=[
            Case("several classes", lambda rng: _probabilities(rng, 7, 4), times=2),
            Case("two classes", lambda rng: _probabilities(rng, 5, 2)),
            Case("one point", lambda rng: _probabilities(rng, 1, 3)),
        ],
        slips=[
            Slip(
                "labels-as-numbers",
                "d_scores[np.arange(len(y)), y] -= 1",
                "d_scores = d_scores - np.asarray(y)[:, None]",
                credit=0.25,
                says="the class numbers were subtracted as amounts: nothing for class 0, 2 for class 2. What is "
                "subtracted from the true class's probability is the same for every class.",
            ),
            Slip(
                "whole-columns",
                "d_scores[np.arange(len(y)), y] -= 1",
                "d_scores[:, y] -= 1",
                credit=0.5,
                says="whole columns were lowered: at each point only one entry changes. An index with a colon takes "
                "all rows.",
            ),
            Slip(
                "two-classes-only",
                "",
                "\n    return probs - np.column_stack([1 - y, y])\n",
                credit=0.5,
                says="it is right for two classes and stops for any other number of them.",
            ),
            Slip(
                "true-class-alone",
                "return d_scores",
                "return np.where(d_scores < 0, d_scores, 0)",
                credit=0.5,
                says="the entries of the other classes are 0: their probabilities should be 0 and are not, and that "
                "is an error too.",
            ),
            Slip(
                "turned-round",
                "return d_scores",
                "return -d_scores",
                credit=0.5,
                says="every entry has the opposite sign: which of prediction and truth comes first?",
            ),
            Slip(
                "mean",
                "return d_scores",
                "return d_scores / len(y)",
                credit=0.5,
                says="every entry is divided by the number of points; the loss behind this signal is a sum.",
            ),
        ],
        same=[
            Same(
                "one-hot",
                "",
                "\n    return probs - np.eye(probs.shape[1])[y]\n",
            ),
            Same(
                "loop",
                "",
                """
    rows = []
    for row, label in zip(probs, y):
        rows.append([p - 1 if j == label else p for j, p in enumerate(row)])
    return rows
""",
            ),
            Same(
                "compared",
                "",
                "\n    return probs - (np.arange(probs.shape[1]) == np.asarray(y)[:, None])\n",
            ),
        ],
        hints=[
            "Start from a copy of the probabilities. In each row one entry changes.",
            "`d[np.arange(n), y]` is one entry a row: row 0 with class y[0], row 1 with class y[1], ...",
            "Subtract 1 there, in the copy.",
        ],
    ),
    function(
        "delta2",
        points=2,
        worked=[Worked("the two points of tiny", lambda given: (TINY_D3, given["tiny"]["W2"], TINY_A1))],
        cases=[
            Case("a batch", lambda rng: _signals(rng, 6, 4, 3), times=2),
            Case("more classes than units", lambda rng: _signals(rng, 4, 2, 5)),
            Case("one point", lambda rng: _signals(rng, 1, 5, 3)),
        ],
        slips=[
            Slip(
                "no-tanh-prime",
                " * (1 - a1**2)",
                "",
                credit=0.5,
                says="the error signal arrives at the hidden layer, but the slope of the tanh is not applied.",
            ),
            Slip(
                "square-forgotten",
                "a1**2",
                "a1",
                credit=0.5,
                says="the slope is not that of the tanh: something in it is to be squared.",
            ),
            Slip(
                "sum-squared",
                "a1**2",
                "np.arctanh(a1) ** 2",
                credit=0.5,
                says="this is the slope with z1 in the place of a1, as a reader proposed. It turns negative where z1 "
                "is large, and the tanh never falls.",
            ),
            Slip(
                "tanh-again",
                "a1**2",
                "np.tanh(a1) ** 2",
                credit=0.5,
                says="the tanh was applied a second time: a1 has been through it already.",
            ),
            Slip(
                "sigmoid-slope",
                "(1 - a1**2)",
                "a1 * (1 - a1)",
                credit=0.5,
                says="that is the slope of a sigmoid; this hidden layer is a tanh.",
            ),
            Slip(
                "activation-for-slope",
                "(1 - a1**2)",
                "a1",
                credit=0.25,
                says="the signal was multiplied with the activations themselves, not with the slope at them.",
            ),
            Slip(
                "mean",
                "(1 - a1**2)",
                "(1 - a1**2) / len(a1)",
                credit=0.5,
                says="every entry is divided by the number of points; the loss behind this signal is a sum.",
            ),
        ],
        same=[
            Same("einsum", "d3 @ W2.T", 'np.einsum("nc,hc->nh", d3, W2)'),
            Same("factored", "(1 - a1**2)", "(1 - a1) * (1 + a1)"),
            Same("from-the-sums", "* (1 - a1**2)", "/ np.cosh(np.arctanh(a1)) ** 2"),
            Same(
                "point-by-point",
                "",
                "\n    return np.array([(W2 @ signal) * (1 - a * a) for signal, a in zip(d3, a1)])\n",
            ),
        ],
        hints=[
            "Two factors: what comes back through the weights, and the slope of the tanh.",
            "(n, c) times (c, h) is (n, h): turn W2 round. The slope multiplies entry by entry.",
            "The slope of tanh is 1 minus the square of its output.",
        ],
    ),
    function(
        "gradients",
        points=3,
        builds_on=["forward", "delta3", "delta2"],
        worked=[Worked("tiny with its two points", lambda given: _tiny(given, 0.1))],
        cases=[
            Case("a batch", _steady(_any_batch), times=2),
            Case("one point", _steady(_one_point)),
            Case("no penalty", _steady(_no_penalty)),
        ],
        slips=[
            Slip(
                "mean",
                'd3 = delta3(net["probs"], y)',
                'd3 = delta3(net["probs"], y) / len(y)',
                credit=0.5,
                says=SAYS_MEAN,
            ),
            Slip(
                "mean-of-all",
                'd3 = delta3(net["probs"], y)',
                'd3 = delta3(net["probs"], y) / len(y)\n    reg_lambda = reg_lambda / len(y)',
                credit=0.5,
                says=SAYS_MEAN_OF_ALL,
            ),
            Slip(
                "biases-not-summed",
                "",
                NOT_SUMMED,
                credit=0.5,
                says="the gradients of the biases have a row for each "
                "point: that is what the formulas for one point give. Over a batch the rows add up to one.",
            ),
            Slip("biases-averaged", "", MEANS, credit=0.5, says=SAYS_BIAS_MEAN),
            Slip(
                "no-penalty",
                "net = forward(model, X)",
                "reg_lambda = 0.0\n    net = forward(model, X)",
                credit=0.5,
                says=SAYS_NO_PENALTY,
            ),
            Slip(
                "global-lambda",
                "net = forward(model, X)",
                'reg_lambda = globals()["reg_lambda"]\n    net = forward(model, X)',
                credit=0.5,
                says=SAYS_GLOBAL,
            ),
            Slip(
                "penalty-on-biases",
                '("W1", "W2")',
                "model",
                credit=0.5,
                says="the biases have a penalty's part, too; the penalty is on the weights alone.",
            ),
            Slip(
                "penalty-doubled",
                "+ reg_lambda *",
                "+ 2 * reg_lambda *",
                credit=0.5,
                says="the penalty's part is twice what it should be: what in front of the sum meets the square's 2?",
            ),
            Slip(
                "penalty-halved",
                "+ reg_lambda *",
                "+ reg_lambda / 2 *",
                credit=0.5,
                says="the penalty's part is half of what it should be: a square brings a factor of its own when it is "
                "differentiated.",
            ),
            Slip(
                "penalty-subtracted",
                "+ reg_lambda *",
                "- reg_lambda *",
                credit=0.5,
                says="the penalty's part has the wrong sign: the larger a weight, the more the loss rises with it.",
            ),
            Slip(
                "penalty-over-n",
                "+ reg_lambda *",
                "+ reg_lambda / len(y) *",
                credit=0.5,
                says="the penalty is divided by the number of points, while the points' part is a sum: the two belong "
                "to different losses.",
            ),
            Slip(
                "sums-for-activations",
                'net["a1"].T',
                'net["z1"].T',
                credit=0.5,
                says="W2 was given the sums z1 as its inputs; forward it multiplies something else.",
            ),
        ],
        same=[
            Same("point-by-point", "", BY_POINTS),
            Same("flat-biases", "", FLAT_BIASES),
            Same("bias-as-product", "np.sum(d2, axis=0, keepdims=True)", "np.ones((1, len(X))) @ d2"),
        ],
        hints=[
            "Forward, then delta3, then delta2; each of the four gradients is one line after that.",
            "A gradient has its matrix's shape: (h, c) comes from (h, n) times (n, c). A bias sums over the points.",
            "W2: `net['a1'].T @ d3 + reg_lambda * model['W2']`; b2: `np.sum(d3, axis=0, keepdims=True)`.",
        ],
    ),
    choice(
        "sum-or-mean",
        "gradient_over_loss_gradient",
        points=1,
        slips=[
            Slip(
                "upside-down",
                "200",
                "1 / 200",
                credit=0.25,
                says=SAYS_UPSIDE_DOWN,
            ),
            Slip(
                "upside-down-word",
                "200",
                '"1/N"',
                credit=0.25,
                says=SAYS_UPSIDE_DOWN,
            ),
            Slip(
                "upside-down-fraction",
                "200",
                '"1/200"',
                credit=0.25,
                says=SAYS_UPSIDE_DOWN,
            ),
            Slip(
                "none",
                "200",
                "1",
                credit=0.0,
                says="The code's gradient has no factor in front, and the printed loss has one. Compare them for tiny.",
            ),
            Slip(
                "tiny",
                "200",
                "2",
                credit=0.25,
                says="That is the factor for tiny and its two points. How many points has the training set?",
            ),
            Slip(
                "points-and-classes",
                "200",
                "400",
                credit=0.25,
                says="The sum over the classes holds one term a point, the true class's: it does not double the count.",
            ),
        ],
        same=[
            Same(name, "200", text)
            for name, text in (
                ("word", '"N"'),
                ("code", '"len(X)"'),
                ("code-labels", '"len(y)"'),
                ("code-tutorial", '"num_examples"'),
                ("number-as-text", '"200"'),
                ("words", '"the number of examples"'),
                ("words-short", '"number of examples"'),
                ("points", '"the number of points"'),
                ("points-short", '"number of points"'),
                ("training-points", '"the number of training points"'),
                ("training-examples", '"the number of training examples"'),
                ("equation", '"N = 200"'),
                ("equation-close", '"N=200"'),
                ("times", '"N times"'),
                ("number-times", '"200 times"'),
                ("times-number", '"times 200"'),
                ("number-x", '"200x"'),
                ("number-with-point", '"200."'),
                ("number-with-decimal", '"200.0"'),
                ("number-in-words", '"two hundred"'),
                ("a-factor", '"a factor of 200"'),
                ("by-a-factor", '"by a factor of 200"'),
                ("equation-code", '"len(X) = 200"'),
                ("shape", '"X.shape[0]"'),
                ("shape-labels", '"y.shape[0]"'),
                ("named", '"N, the number of points"'),
                ("number-of-rows", '"the number of rows"'),
            )
        ],
        hints=[
            "Write both losses under each other. What stands in front of one of them?",
            "For tiny, with two points, the factor is .4450 / .2225.",
        ],
    ),
    value(
        "baseline",
        "baseline_accuracy",
        points=1,
        accept=accept_baseline,
        slips=[
            Slip(
                "percent",
                "float(np.mean(baseline_classifier.predict(X) == y))",
                "100 * float(np.mean(baseline_classifier.predict(X) == y))",
                credit=0.5,
                says=SAYS_PERCENT,
            ),
            Slip(
                "error-rate",
                "baseline_classifier.predict(X) == y",
                "baseline_classifier.predict(X) != y",
                credit=0.5,
                says=SAYS_ERRORS,
            ),
            Slip(
                "other-points",
                "baseline_classifier.predict(X) == y",
                "baseline_classifier.predict(X_test) == y_test",
                credit=0.5,
                says=SAYS_OTHER_POINTS,
            ),
        ],
        same=[
            Same(
                "score",
                "float(np.mean(baseline_classifier.predict(X) == y))",
                "round(baseline_classifier.score(X, y), 3)",
            ),
            Same("hardly-regularised", "LogisticRegression()", "LogisticRegression(C=1e4)"),
        ],
        hints=[
            "`fit(X, y)`, then `predict(X)`, then compare with `y`.",
            "The mean of an array of True and False is the fraction of True.",
        ],
    ),
    value(
        "build-model",
        "model",
        points=2,
        accept=accept_model,
        builds_on=["gradients"],
        slips=[
            Slip("start-itself", "trained(start, gradients, num_passes)", "dict(start)", credit=0.0, says=SAYS_START),
            Slip(UNDERTRAINED, "range(passes)", "range(min(passes, 50))", credit=0.25, says=SAYS_UNDERTRAINED),
            Slip("ascent", "net[name] - epsilon", "net[name] + epsilon", credit=0.25, says=SAYS_ASCENT),
        ],
        same=[Same("smaller-steps", "net[name] - epsilon *", "net[name] - epsilon / 2 *")],
        hints=[
            "In each pass: `gradients_of(net, X, y, reg_lambda)`, then one step for each of the four parts.",
            "Against the gradient, all four parts from the same gradients, and not in `start` itself.",
            "`net[name] = net[name] - epsilon * d_net[name]`, for each name, in each pass.",
        ],
    ),
    function(
        "minibatches",
        points=2,
        accept=accept_minibatches,
        worked=[
            Worked(
                "five points in batches of 2",
                lambda given: (given["X"][:5], np.array([10, 11, 12, 13, 14]), 2, Seed(3)),
            )
        ],
        cases=[
            Case("a short last batch", _to_split(23, 5)),
            Case("batches of one size", _to_split(18, 6)),
            Case("a last batch of one", _to_split(31, 10)),
            Case("batches of one point", _to_split(13, 1)),
            Case("one batch for all", _to_split(12, 40)),
        ],
        slips=[
            Slip("not-shuffled", "rng.permutation(len(X))", "np.arange(len(X))", credit=0.25, says=SAYS_NOT_SHUFFLED),
            Slip("tail-dropped", "range(0, len(X), size)", "range(0, len(X) - size + 1, size)", says=SAYS_TAIL),
            Slip("empty-batch", "range(0, len(X), size)", "range(0, len(X) + 1, size)", says=SAYS_EMPTY),
            Slip("labels-left-behind", "y[order[i : i + size]]", "y[i : i + size]", credit=0.25, says=SAYS_LABELS),
            Slip(
                "with-replacement",
                "rng.permutation(len(X))",
                "rng.integers(len(X), size=len(X))",
                credit=0.25,
                says=SAYS_TWICE,
            ),
            Slip(
                "blocks-shuffled",
                "",
                """
    blocks = [(X[i : i + size], y[i : i + size]) for i in range(0, len(X), size)]
    last = blocks.pop() if len(X) % size else None
    chosen = [blocks[i] for i in rng.permutation(len(blocks))[::-1]]
    if [id(block) for block in chosen] == [id(block) for block in blocks]:
        chosen.reverse()
    return chosen + ([last] if last else [])
""",
                says=SAYS_BLOCKS,
            ),
            Slip(
                "own-generator",
                "rng.permutation(len(X))",
                "np.random.default_rng(0).permutation(len(X))",
                says=SAYS_OWN,
            ),
            Slip(
                "evened-out",
                "",
                """
    order = rng.permutation(len(X))
    return [(X[part], y[part]) for part in np.array_split(order, -(-len(X) // size))]
""",
                says=SAYS_EVEN,
            ),
        ],
        same=[
            Same(
                "shuffled-list",
                "",
                """
    left = list(range(len(X)))
    rng.shuffle(left)
    batches = []
    while left:
        now, left = left[:size], left[size:]
        batches.append((X[now], y[now]))
    return batches
""",
            ),
            Same("sorted-by-chance", "rng.permutation(len(X))", "np.argsort(rng.random(len(X)))"),
            Same(
                "shuffled-copies",
                "",
                """
    both = np.column_stack([X, y])
    rng.shuffle(both)
    parts = [both[i : i + size] for i in range(0, len(both), size)]
    return [[part[:, :-1], part[:, -1].astype(int)] for part in parts]
""",
            ),
        ],
        hints=[
            "Draw one order of all places 0 to n - 1 and use it for X and for y.",
            "`range(0, n, size)` gives the places where batches begin; a slice that reaches too far just ends.",
            "`order = rng.permutation(len(X))`, then `X[order[i:i + size]]` and `y[order[i:i + size]]`.",
        ],
    ),
    function(
        "minibatch-gradients",
        points=2,
        builds_on=["gradients"],
        worked=[Worked("tiny's two points of 10", lambda given: _tiny(given, 0.5, 10))],
        cases=[
            Case("a batch", _steady(lambda rng: _minibatch(rng, 6, 15)), times=2),
            Case("a batch of one point", _steady(lambda rng: _minibatch(rng, 1, 7))),
            Case("all points in one batch", _steady(lambda rng: _minibatch(rng, 7, 7))),
        ],
        slips=[
            Slip(
                "full-penalty",
                "reg_lambda * len(X_b) / N",
                "reg_lambda",
                credit=0.5,
                says="each batch carries the whole penalty, and so an epoch applies it once for every batch.",
            ),
            Slip(
                "no-penalty",
                "reg_lambda * len(X_b) / N",
                "0.0",
                credit=0.25,
                says="the penalty is missing altogether.",
            ),
            Slip(
                "one-points-share",
                "reg_lambda * len(X_b) / N",
                "reg_lambda / N",
                credit=0.5,
                says="the penalty is one point's share; the batch holds several points.",
            ),
            Slip(
                "upside-down",
                "reg_lambda * len(X_b) / N",
                "reg_lambda * N / len(X_b)",
                credit=0.5,
                says="the share is upside down: a small batch gets more of the penalty than there is.",
            ),
            Slip(
                "scaled-as-a-whole",
                "",
                """
    d_model = gradients(model, X_b, y_b, reg_lambda)
    return {name: part * len(X_b) / N for name, part in d_model.items()}
""",
                credit=0.5,
                says="the points' part was scaled down as well; a sum over the batch's points is their share already.",
            ),
            Slip(
                "mean-of-batch",
                "",
                """
    d_model = gradients(model, X_b, y_b, reg_lambda)
    return {name: part / len(X_b) for name, part in d_model.items()}
""",
                credit=0.25,
                says="everything is divided by the size of the batch: these batches do not sum to the full gradient.",
            ),
            Slip(
                "points-averaged",
                "",
                """
    d_model = gradients(model, X_b, y_b, reg_lambda * len(X_b) ** 2 / N)
    return {name: part / len(X_b) for name, part in d_model.items()}
""",
                credit=0.5,
                says="the penalty's share is right, but the points' part is a mean over the batch: these parts are to "
                "sum to the full gradient's.",
            ),
            Slip(
                "global-lambda",
                "reg_lambda * len(X_b) / N",
                'globals()["reg_lambda"] * len(X_b) / N',
                credit=0.5,
                says=SAYS_GLOBAL,
            ),
        ],
        same=[
            Same(
                "penalty-afterwards",
                "",
                """
    d_model = dict(gradients(model, X_b, y_b, 0.0))
    for name in ("W1", "W2"):
        d_model[name] = d_model[name] + reg_lambda * model[name] * (len(X_b) / N)
    return d_model
""",
            ),
            Same(
                "sum-of-points",
                "",
                """
    singles = [gradients(model, X_b[i : i + 1], y_b[i : i + 1], reg_lambda / N) for i in range(len(X_b))]
    return {name: sum(single[name] for single in singles) for name in model}
""",
            ),
            Same(
                "by-difference",
                "",
                """
    without, full = gradients(model, X_b, y_b, 0.0), gradients(model, X_b, y_b, reg_lambda)
    share = len(X_b) / N
    return {name: (1 - share) * without[name] + share * full[name] for name in model}
""",
            ),
        ],
        hints=[
            "`gradients` on the batch does nearly all. Only one of its arguments has to be smaller.",
            "The batch's share of the penalty is the share that its points have in all points.",
            "`reg_lambda * len(X_b) / N`",
        ],
    ),
    value(
        "minibatch-train",
        "minibatch_model",
        points=2,
        accept=accept_minibatch_model,
        builds_on=["minibatches", "minibatch-gradients"],
        slips=[
            Slip(
                "batch-again",
                "",
                "\nminibatch_model = {name: part.copy() for name, part in model.items()}\n",
                credit=0.0,
                says=SAYS_AGAIN,
            ),
            Slip(UNDERTRAINED, "range(800)", "range(20)", credit=0.25, says=SAYS_UNDERTRAINED),
            Slip(
                "unpaired",
                "minibatches(X, y, 32, rng)",
                "minibatches(rng.permutation(X), y, 32, rng)",
                credit=0.25,
                says=SAYS_UNPAIRED,
            ),
        ],
        same=[
            Same("other-size", "minibatches(X, y, 32, rng)", "minibatches(X, y, 25, rng)"),
        ],
        hints=[
            "Two loops: epochs outside, the batches of one epoch inside, one step for each batch.",
            "Draw new minibatches in every epoch, from the same `rng`.",
            "The inner loop is `for X_b, y_b in minibatches(X, y, 32, rng):`, with a step along `minibatch_gradients`.",
        ],
    ),
    function(
        "annealing",
        "annealed",
        points=1,
        worked=[Worked("epoch 9 of the table", lambda given: (0.02, 0.25, 9))],
        cases=[
            Case("a later epoch", _annealing, times=2),
            Case("the first epoch", lambda rng: (*_annealing(rng)[:2], 0)),
        ],
        slips=[
            Slip(
                "compounded",
                "(1 + k * epoch)",
                "(1 + k) ** epoch",
                credit=0.5,
                says="the rate is divided anew in each epoch, so that it falls like interest: it falls far too fast.",
            ),
            Slip(
                "exponential",
                "/ (1 + k * epoch)",
                "* np.exp(-k * epoch)",
                credit=0.5,
                says="that is exponential decay, another schedule; it falls much faster after a while.",
            ),
            Slip(
                "epoch-from-1",
                "k * epoch",
                "k * (epoch + 1)",
                credit=0.5,
                says="the rate is one epoch ahead: epoch 0 should have the full rate.",
            ),
            Slip(
                "bracket-lost",
                "/ (1 + k * epoch)",
                "/ 1 + k * epoch",
                credit=0.5,
                says="the rate grows with the epochs: only the 1 was divided by. What does the fraction line cover?",
            ),
            Slip(
                "k-forgotten", "k * epoch", "epoch", credit=0.5, says="k has no influence: how fast does the rate fall?"
            ),
            Slip(
                "straight-down",
                "eps0 / (1 + k * epoch)",
                "eps0 * (1 - k * epoch)",
                credit=0.25,
                says="the rate falls by the same amount each epoch, and will pass 0.",
            ),
        ],
        same=[
            Same("power", "/ (1 + k * epoch)", "* (1.0 + epoch * k) ** -1"),
            Same("rewritten", "eps0 / (1 + k * epoch)", "(eps0 / k) / (1 / k + epoch)"),
            Same(
                "stepwise",
                "",
                """
    below = 1.0
    for _ in range(int(epoch)):
        below = below + k
    return np.array([eps0 / below])
""",
            ),
        ],
        hints=[
            "For epoch 4, eps0 = .02 and k = .25 it is .01: what was .02 divided by?",
            "One line, straight from the formula. Mind what stands under the fraction line.",
        ],
    ),
    function(
        "step-decay",
        points=1,
        worked=[
            Worked("epoch 25 of the table", lambda given: (0.02, 0.5, 10, 25)),
            Worked("epoch 9 of the table", lambda given: (0.02, 0.5, 10, 9)),
        ],
        cases=[
            Case("in the middle of a stage", _decay, times=2),
            Case("the last epoch of a stage", _last_of_stage),
            Case("the first epoch", lambda rng: (*_decay(rng)[:3], 0)),
        ],
        slips=[
            Slip(
                "every-epoch",
                "(epoch // every)",
                "epoch",
                credit=0.25,
                says="the rate drops in each epoch: `every` has no influence.",
            ),
            Slip(
                "gliding",
                "epoch // every",
                "epoch / every",
                credit=0.5,
                says="the rate glides down between the drops, because a broken number of stages is counted.",
            ),
            Slip(
                "epoch-from-1",
                "epoch // every",
                "(epoch + 1) // every",
                credit=0.5,
                says="the drops come one epoch early: epochs are counted from 0.",
            ),
            Slip(
                "within-the-stage",
                "epoch // every",
                "epoch % every",
                credit=0.25,
                says="the place within the stage was counted, not the stages that are over: the rate jumps up again.",
            ),
            Slip(
                "times-stages",
                "drop ** (epoch // every)",
                "drop * (epoch // every)",
                credit=0.25,
                says="drop is multiplied with the number of stages; it should be applied once for each of them.",
            ),
        ],
        same=[
            Same("floor", "(epoch // every)", "np.floor(epoch / every)"),
            Same("int", "(epoch // every)", "int(epoch / every)"),
            Same(
                "loop",
                "",
                """
    rate = eps0
    for passed in range(1, int(epoch) + 1):
        if passed % every == 0:
            rate = rate * drop
    return rate
""",
            ),
        ],
        hints=[
            "How many whole stages of `every` epochs are over? None in the first stage.",
            "`//` divides and drops the broken part. `drop` applied twice is `drop * drop`.",
            "`drop` to the power of `epoch // every`.",
        ],
    ),
    function(
        "annealed-train",
        "train_annealed",
        points=2,
        builds_on=["gradients"],
        parts=("model", "rates"),
        float32=False,  # updated weights: a float32 tolerance would be as wide as the steps' own differences
        worked=[
            Worked(
                "tiny, three epochs",
                lambda given: (
                    *_tiny(given),
                    Probe("lambda epoch: eps0 / (1 + k * epoch)", {"eps0": 0.02, "k": 0.25}),
                    3,
                ),
            )
        ],
        cases=[
            Case("a schedule without a rule", _schedule, times=2),
            Case("an annealed schedule", _smooth_schedule),
        ],
        slips=[
            Slip(
                "one-ahead",
                "schedule(epoch)",
                "schedule(epoch + 1)",
                credit=0.5,
                says="the rates are those of the next epoch: counting starts at 0.",
            ),
            Slip(
                "first-rate-kept",
                "schedule(epoch)",
                "schedule(0)",
                credit=0.25,
                says="every epoch has the first one's rate: the schedule was asked once only.",
            ),
            Slip(
                "compounded",
                "rate = schedule(epoch)",
                "rate = schedule(epoch) * (rates[-1] / schedule(0) if rates else 1.0)",
                credit=0.5,
                says="the rate was lowered from the one before it; the schedule gives the rate itself, not a factor.",
            ),
            Slip(
                "ascent",
                "net[name] - rate",
                "net[name] + rate",
                credit=0.5,
                says="the rates are right and the weights move uphill: a step goes against the gradient.",
            ),
            Slip(
                "mean",
                "net[name] - rate *",
                "net[name] - rate / len(X) *",
                credit=0.5,
                says="the steps are divided by the number of points; here the rate goes with the summed gradient.",
            ),
            Slip(
                "no-penalty",
                "gradients(net, X, y, reg_lambda)",
                "gradients(net, X, y, 0.0)",
                credit=0.5,
                says="the steps lack the penalty's part.",
            ),
            Slip(
                "old-gradients",
                "gradients(net, X, y, reg_lambda)",
                "gradients(model, X, y, reg_lambda)",
                credit=0.25,
                says="all steps go along the gradients of the first model: they change when the model changes.",
            ),
        ],
        same=[
            Same(
                "rates-first",
                "",
                """
    rates = [schedule(epoch) for epoch in range(epochs)]
    now = dict(model)
    for rate in rates:
        d_now = gradients(now, X, y, reg_lambda)
        now = {name: now[name] - rate * d_now[name] for name in now}
    return now, rates
""",
            ),
            Same(
                "in-place-on-copies", "net[name] = net[name] - rate * d_net[name]", "net[name] += -rate * d_net[name]"
            ),
            Same(
                "recursive",
                "",
                """
    if epochs == 0:
        return model, np.zeros(0)
    rate = schedule(0)
    d_net = gradients(model, X, y, reg_lambda)
    net = {name: part - rate * d_net[name] for name, part in model.items()}
    net, rates = train_annealed(net, X, y, lambda epoch: schedule(epoch + 1), epochs - 1)
    return net, np.concatenate([[rate], rates])
""",
            ),
        ],
        hints=[
            "The loop is that of `trained`; only the rate is asked for anew in each epoch.",
            "Ask `schedule(epoch)` with epoch 0, 1, 2, ..., use it as it is, and keep it in a list.",
            "`net[name] = net[name] - schedule(epoch) * d_net[name]`, on a copy of the model.",
        ],
    ),
    function(
        "sigmoid-net",
        "gradients_sigmoid",
        points=2,
        builds_on=["forward", "delta3"],
        worked=[Worked("tiny with its two points", lambda given: _tiny(given, 0.1))],
        cases=[
            Case("a batch", _steady(_any_batch, "sigmoid"), times=2),
            Case("one point", _steady(_one_point, "sigmoid")),
            Case("no penalty", _steady(_no_penalty, "sigmoid")),
        ],
        slips=[
            *_activation_slips(
                "net = forward(model, X, sigmoid)",
                'slope = net["a1"] * (1 - net["a1"])',
                'slope = net["z1"] * (1 - net["z1"])',
                "the slope was worked out from the sums z1; its formula takes the activations.",
            ),
            Slip(
                "sigmoid-again",
                'slope = net["a1"] * (1 - net["a1"])',
                'slope = sigmoid(net["a1"]) * (1 - sigmoid(net["a1"]))',
                credit=0.5,
                says="the sigmoid was applied a second time: a1 has been through it already.",
            ),
        ],
        same=[
            Same(
                "written-out",
                "",
                ANY_ACTIVATION.format(pair="1 / (1 + np.exp(-z1)), np.exp(-z1) / (1 + np.exp(-z1)) ** 2"),
            ),
            Same(
                "by-tanh", "", ANY_ACTIVATION.format(pair="(1 + np.tanh(z1 / 2)) / 2, (1 - np.tanh(z1 / 2) ** 2) / 4")
            ),
            Same(
                "slope-expanded",
                'slope = net["a1"] * (1 - net["a1"])',
                'slope = net["a1"] - net["a1"] ** 2',
            ),
        ],
        hints=[
            "Copy `gradients` and look for the tanh: it stands in two places.",
            "The forward pass has an argument for it; the slope of the sigmoid is known from unit 3.",
            "The slope of the sigmoid is a1 times (1 - a1).",
        ],
    ),
    function(
        "relu-net",
        "gradients_relu",
        points=2,
        builds_on=["forward", "delta3"],
        worked=[Worked("tiny with its two points", lambda given: _tiny(given, 0.1))],
        cases=[
            Case("a batch", _steady(_any_batch, "relu"), times=2),
            Case("one point", _steady(_one_point, "relu")),
            Case("no penalty", _steady(_no_penalty, "relu")),
        ],
        slips=[
            *_activation_slips(
                "net = forward(model, X, relu)",
                'slope = net["z1"] > 0',
                'slope = net["a1"]',
                "the signal was multiplied with what came through the gate; the slope there is one number, however "
                "much came through.",
            ),
            Slip(
                "sign-for-gate",
                'slope = net["z1"] > 0',
                'slope = np.sign(net["z1"])',
                credit=0.5,
                says="closed units send the signal back with its sign turned: how steep is the ReLU where it is 0?",
            ),
            Slip(
                "leaky",
                'slope = net["z1"] > 0',
                'slope = np.where(net["z1"] > 0, 1.0, 0.01)',
                credit=0.5,
                says="closed units let a little of the signal back: that belongs to a leaky ReLU, this one is closed.",
            ),
        ],
        same=[
            Same("written-out", "", ANY_ACTIVATION.format(pair="np.maximum(z1, 0), (z1 > 0).astype(float)")),
            Same("from-the-output", 'slope = net["z1"] > 0', 'slope = np.where(net["a1"] > 0, 1.0, 0.0)'),
            Same("heaviside", 'slope = net["z1"] > 0', 'slope = np.heaviside(net["z1"], 0.5)'),
            Same(
                "closed-units-set",
                'd2 = d3 @ model["W2"].T * slope',
                'd2 = d3 @ model["W2"].T\n    d2[~slope] = 0',
            ),
        ],
        hints=[
            "Copy `gradients` and look for the tanh: it stands in two places.",
            "Read the slope off the picture: one number for z1 below 0, another one above.",
            "The slope is 1 where z1 is above 0 and 0 elsewhere: `net['z1'] > 0`.",
        ],
    ),
    value(
        "hidden-sizes",
        "size_sweep",
        points=2,
        accept=accept_sweep,
        builds_on=["predict", "build-model"],
        slips=[
            Slip(
                "percent",
                "[np.mean(predict(sweep_models[hidden], X) == y)",
                "[100 * np.mean(predict(sweep_models[hidden], X) == y)",
                credit=0.5,
                says=SAYS_PERCENT,
            ),
            Slip(
                "test-on-train",
                "predict(sweep_models[hidden], X_test) == y_test",
                "predict(sweep_models[hidden], X) == y",
                credit=0.5,
                says=SAYS_SAME_POINTS,
            ),
            Slip(UNDERTRAINED, "gradients, 1500)", "gradients, 15)", credit=0.25, says=SAYS_SWEEP),
        ],
        same=[Same("other-starts", "default_rng(4)", "default_rng(hidden)")],
        hints=[
            "A loop over the sizes: make a start, train it, ask `predict` twice.",
            "`trained(random_start(hidden, rng), gradients, 1500)` is one net; accuracy is a mean of True and False.",
        ],
    ),
    function(
        "dropout",
        "dropout_forward",
        "dropout_backward",
        points=2,
        parts=("forward", "backward"),
        worked=[
            Worked("the layer of the table", lambda given: TINY_DROP),
            Worked("the same with keep = .8", lambda given: tuple((a, 0.8, mask) for a, _, mask in TINY_DROP)),
        ],
        cases=[
            Case("a batch", lambda rng: _dropped(rng, 5, 4), times=2),
            Case("one point", lambda rng: _dropped(rng, 1, 6)),
        ],
        slips=[
            Slip(
                "not-inverted",
                "a * mask / keep",
                "a * mask",
                credit=0.5,
                says="forward, units are dropped, but what stays is not made up for: at test time all sums are larger.",
            ),
            Slip(
                "backward-not-scaled",
                "d * (mask / keep)",
                "d * mask",
                credit=0.5,
                says="backward, the factor of the forward pass is missing: each entry meets what it met forward.",
            ),
            Slip(
                "backward-everywhere",
                "d * (mask / keep)",
                "d / keep",
                credit=0.5,
                says="backward, dropped units get an error signal, although they had no part in the output.",
            ),
            Slip(
                "forward-times-keep",
                "a * mask / keep",
                "a * mask * keep",
                credit=0.5,
                says="forward, what stays is made smaller; it has to make up for what is gone.",
            ),
            Slip(
                "wrong-way-round",
                "a * mask / keep",
                "a * (1 - mask) / keep",
                credit=0.5,
                says="forward, the units with a 1 in the mask were dropped, and the others kept.",
            ),
            Slip(
                "share-of-dropped",
                "a * mask / keep",
                "a * mask / (1 - keep)",
                credit=0.5,
                says="forward, what stays is divided by the share of the dropped units; keep is the share that stays.",
            ),
        ],
        same=[
            Same("chosen", "a * mask / keep", "np.where(mask == 1, a / keep, 0.0)"),
            Same(
                "indexed",
                "return d * (mask / keep)",
                "signal = np.zeros_like(d)\n    on = mask > 0\n    signal[on] = d[on] / keep\n    return signal",
            ),
            Same("factor-first", "a * mask / keep", "(1 / keep) * mask * a"),
            Same(
                "loop",
                "return a * mask / keep",
                "return [[x / keep * m for x, m in zip(*rows)] for rows in zip(a, mask)]",
            ),
        ],
        hints=[
            "Forward: what the mask keeps, made larger. By which number?",
            "Backward is multiplication with the same factor, entry by entry, as forward.",
            "The factor is mask / keep, both ways.",
        ],
    ),
    function(
        "regression-gradients",
        "gradients_regression",
        points=2,
        builds_on=["forward", "delta2"],
        worked=[
            Worked(
                "tiny with the targets of the table",
                lambda given: (given["tiny"], given["X_tiny"], np.array([[1.0, 0.0], [0.0, 1.0]])),
            )
        ],
        cases=[
            Case("several outputs", _steady(lambda rng: _regression(rng, 6, 2, 4, 3)), times=2),
            Case("one output", _steady(lambda rng: _regression(rng, 5, 3, 4, 1))),
            Case("one point", _steady(lambda rng: _regression(rng, 1, 4, 5, 2))),
        ],
        slips=[
            Slip(
                "half",
                "2 * (net",
                "(net",
                credit=0.5,
                says="every entry is half of what it should be: this loss has no 1/2 in front that would swallow the "
                "square's 2.",
            ),
            Slip(
                "softmax-kept",
                'net["z2"] - t',
                'net["probs"] - t',
                credit=0.25,
                says="the outputs went through the softmax: probabilities were compared with the targets.",
            ),
            Slip(
                "turned-round",
                'net["z2"] - t',
                't - net["z2"]',
                credit=0.5,
                says="every entry has the opposite sign: steps against these gradients move away from the targets.",
            ),
            Slip(
                "mean",
                '2 * (net["z2"] - t)',
                '2 * (net["z2"] - t) / len(X)',
                credit=0.5,
                says="everything is divided by the number of points; this loss is a sum.",
            ),
            Slip(
                "mean-of-entries",
                '2 * (net["z2"] - t)',
                '2 * (net["z2"] - t) / t.size',
                credit=0.5,
                says="everything is divided by the number of entries, as `np.mean` of the squares would have it; this "
                "loss is a sum.",
            ),
            Slip(
                "tanh-output",
                'net["z2"] - t',
                'np.tanh(net["z2"]) - t',
                credit=0.5,
                says="the outputs went through a tanh; a linear output is the sums themselves.",
            ),
            Slip(
                "sums-for-activations",
                'net["a1"].T',
                'net["z1"].T',
                credit=0.5,
                says="W2 was given the sums z1 as its inputs; forward it multiplies something else.",
            ),
        ],
        same=[
            Same(
                "written-out",
                "",
                """
    a1 = np.tanh(X @ model["W1"] + model["b1"])
    gap = a1 @ model["W2"] + model["b2"] - t
    d2 = (gap @ model["W2"].T) / np.cosh(X @ model["W1"] + model["b1"]) ** 2
    return {"W1": 2 * X.T @ d2, "b1": 2 * d2.sum(0), "W2": 2 * a1.T @ gap, "b2": 2 * gap.sum(0)}
""",
            ),
            Same(
                "point-by-point",
                "",
                """
    d_model = {name: np.zeros_like(part) for name, part in model.items()}
    for x, target in zip(X, t):
        a1 = np.tanh(x @ model["W1"] + model["b1"][0])
        d3 = 2 * (a1 @ model["W2"] + model["b2"][0] - target)
        d2 = (model["W2"] @ d3) * (1 - a1 * a1)
        d_model["W1"] += np.outer(x, d2)
        d_model["b1"] += d2
        d_model["W2"] += np.outer(a1, d3)
        d_model["b2"] += d3
    return d_model
""",
            ),
            Same("einsum", 'net["a1"].T @ d3', 'np.einsum("nh,nk->hk", net["a1"], d3)'),
        ],
        hints=[
            "Only the signal at the output differs from `gradients`, and there is no penalty.",
            "Differentiate one square, (z2 - t)^2, with respect to z2.",
            "`d3 = 2 * (net['z2'] - t)`; the rest is as before.",
        ],
    ),
)
