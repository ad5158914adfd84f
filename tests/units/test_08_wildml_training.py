"""Unit 08 against autograd, plain arithmetic, scikit-learn's data, and trained nets from twenty seeds."""

from __future__ import annotations

import copy
import math

import autograd.numpy as anp
import numpy as np
import pandas as pd
import pytest
from autograd import grad

from chainrule.cases import draw, outcomes, rng_for
from chainrule.items import Trial
from chainrule.judge import judge_item
from chainrule.judge.diagnose import all_agree
from chainrule.judge.follow import Earlier
from chainrule.verify import SECRET, evidence_of, verdict_of

UNIT = "08-wildml-training"
SHAPES = [(6, 2, 4, 3), (1, 3, 5, 2), (5, 4, 2, 6), (7, 3, 1, 4)]  # n, d, h, c
SEEDS = range(20)
SIZES = [1, 2, 3, 4, 5, 20, 50]
TANH, SIGMOID, RELU = (
    anp.tanh,
    lambda z: 1 / (1 + anp.exp(-z)),
    lambda z: anp.where(z > 0, z, 0.0),
)


@pytest.fixture(scope="module")
def unit(course):
    return course.unit(UNIT)


@pytest.fixture
def key(answer_key):
    """The instructor's objects of this unit, by name."""
    return answer_key(UNIT)


@pytest.fixture
def rng():
    return np.random.default_rng(80_008)


def random_model(rng, d, h, c):
    """Weights and biases, none of them zero."""
    shapes = {"W1": (d, h), "b1": (1, h), "W2": (h, c), "b2": (1, c)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


def summed_loss(model, X, y, reg_lambda, activation=TANH):
    """Cross-entropy summed over the points, and the penalty, with nothing of the notebook's."""
    scores = anp.dot(activation(anp.dot(X, model["W1"]) + model["b1"]), model["W2"]) + model["b2"]
    data = anp.sum(anp.log(anp.sum(anp.exp(scores), axis=1)) - scores[np.arange(len(y)), y])
    return data + reg_lambda / 2 * (anp.sum(model["W1"] ** 2) + anp.sum(model["W2"] ** 2))


def assert_same_parts(got, want, rtol=1e-9):
    for name in ("W1", "b1", "W2", "b2"):
        np.testing.assert_allclose(got[name], want[name], rtol=rtol, atol=1e-12, err_msg=name)


def assert_untouched(function, *arguments):
    kept = copy.deepcopy(arguments)
    result = function(*arguments)
    for now, before in zip(arguments, kept, strict=True):
        if isinstance(now, dict):
            for name in now:
                np.testing.assert_array_equal(now[name], before[name])
        elif isinstance(now, np.ndarray):
            np.testing.assert_array_equal(now, before)
    return result


# --------------------------------------------------------------------------- what the notebook gives


@pytest.mark.parametrize(("n", "seed", "names"), [(200, 0, ("X", "y")), (320, 1, ("X_test", "y_test"))])
def test_the_moons_are_scikit_learns(key, n, seed, names):
    datasets = pytest.importorskip("sklearn.datasets")
    points, labels = datasets.make_moons(n, noise=0.2, random_state=seed)
    np.testing.assert_allclose(key[names[0]], points, rtol=0, atol=1e-14)
    np.testing.assert_array_equal(key[names[1]], labels)


def test_start_is_the_tutorials(key):
    """np.random.seed(0) and randn, in the order in which the tutorial draws."""
    legacy = np.random.RandomState(0)
    np.testing.assert_array_equal(key["start"]["W1"], legacy.randn(2, 3) / np.sqrt(2))
    np.testing.assert_array_equal(key["start"]["W2"], legacy.randn(3, 2) / np.sqrt(3))
    assert not np.any(key["start"]["b1"])
    assert not np.any(key["start"]["b2"])


def test_given_cells_do_not_import_scikit_learn(unit):
    """Importing it takes longer than all the rest of the setup; only the baseline's own cell needs it."""
    cells = [cell for cell in unit.key.cells if cell.given]
    assert cells
    assert not any("import sklearn" in cell.source or "from sklearn" in cell.source for cell in cells)


def test_tiny_by_plain_arithmetic(key):
    """The tables of the text, with `math` alone."""
    z1 = [[1 * 1 + 0, -1 + 0.5, 0.5], [-1 + 0.5, 1 + 1 + 0.5, -0.5 - 1]]
    a1 = [[math.tanh(z) for z in row] for row in z1]
    z2 = [[a[0] + 0.5 * a[1] - 0.5 * a[2] + 0.1, -a[0] + a[2] - 0.1] for a in a1]
    probs = [[math.exp(z) / (math.exp(row[0]) + math.exp(row[1])) for z in row] for row in z2]
    net = key["forward"](key["tiny"], key["X_tiny"])
    for name, want in (("z1", z1), ("a1", a1), ("z2", z2), ("probs", probs)):
        np.testing.assert_allclose(net[name], want, rtol=1e-12)
    d3 = [[probs[0][0] - 1, probs[0][1]], [probs[1][0], probs[1][1] - 1]]
    back = [[d[0] - d[1], 0.5 * d[0], -0.5 * d[0] + d[1]] for d in d3]
    d2 = [[g * (1 - a * a) for g, a in zip(*rows, strict=True)] for rows in zip(back, a1, strict=True)]
    np.testing.assert_allclose(key["delta3"](np.array(probs), key["y_tiny"]), d3, rtol=1e-12)
    np.testing.assert_allclose(key["delta2"](np.array(d3), key["tiny"]["W2"], np.array(a1)), d2, rtol=1e-12)
    got = key["gradients"](key["tiny"], key["X_tiny"], key["y_tiny"], 0.1)
    np.testing.assert_allclose(np.ravel(got["b1"]), [d2[0][k] + d2[1][k] for k in range(3)], rtol=1e-12)
    np.testing.assert_allclose(got["W1"][0], [d2[0][k] - d2[1][k] + 0.1 * w for k, w in enumerate((1, -1, 0.5))])


# --------------------------------------------------------------------------- forward and backward


@pytest.mark.parametrize("shape", SHAPES)
def test_forward_and_predict(key, rng, shape):
    n, d, h, c = shape
    model, X = random_model(rng, d, h, c), rng.normal(size=(n, d))
    net = assert_untouched(key["forward"], model, X)
    for row in range(n):
        z1 = [sum(X[row, i] * model["W1"][i, k] for i in range(d)) + model["b1"][0, k] for k in range(h)]
        z2 = [sum(math.tanh(z1[k]) * model["W2"][k, j] for k in range(h)) + model["b2"][0, j] for j in range(c)]
        total = sum(math.exp(z) for z in z2)
        np.testing.assert_allclose(net["z1"][row], z1, rtol=1e-10)
        np.testing.assert_allclose(net["a1"][row], [math.tanh(z) for z in z1], rtol=1e-10)
        np.testing.assert_allclose(net["z2"][row], z2, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(net["probs"][row], [math.exp(z) / total for z in z2], rtol=1e-9)
        assert key["predict"](model, X)[row] == z2.index(max(z2))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("reg_lambda", [0.0, 0.7])
@pytest.mark.parametrize(
    ("name", "activation"), [("gradients", TANH), ("gradients_sigmoid", SIGMOID), ("gradients_relu", RELU)]
)
def test_gradients_against_autograd(key, rng, shape, reg_lambda, name, activation):
    n, d, h, c = shape
    model, X, y = random_model(rng, d, h, c), rng.normal(size=(n, d)), rng.integers(c, size=n)
    want = grad(summed_loss)(model, X, y, reg_lambda, activation)
    assert_same_parts(assert_untouched(key[name], model, X, y, reg_lambda), want)


def test_relu_net_has_open_and_closed_units(key, rng):
    """The test above says little where all units are open; here each weight of a closed unit has no gradient."""
    model, X, y = random_model(rng, 3, 6, 2), rng.normal(size=(1, 3)), np.array([1])
    closed = (X @ model["W1"] + model["b1"])[0] < 0
    assert 0 < closed.sum() < 6
    got = key["gradients_relu"](model, X, y, 0.0)
    assert not np.any(got["W1"][:, closed])
    assert np.all(got["W1"][:, ~closed] != 0)


@pytest.mark.parametrize("shape", SHAPES)
def test_deltas_are_slopes_of_the_loss(key, rng, shape):
    """Central differences of the summed loss in every score and in every hidden sum."""
    n, _, h, c = shape
    z1, W2, b2, y, step = (
        rng.normal(size=(n, h)),
        rng.normal(size=(h, c)),
        rng.normal(size=c),
        rng.integers(c, size=n),
        1e-6,
    )

    def loss_of_scores(z2):
        return float(np.sum(np.log(np.sum(np.exp(z2), axis=1)) - z2[np.arange(n), y]))

    def slopes(f, at):
        found = np.zeros_like(at)
        for place in np.ndindex(*at.shape):
            move = np.zeros_like(at)
            move[place] = step
            found[place] = (f(at + move) - f(at - move)) / (2 * step)
        return found

    a1 = np.tanh(z1)
    z2 = a1 @ W2 + b2
    probs = np.exp(z2) / np.sum(np.exp(z2), axis=1, keepdims=True)
    d3 = assert_untouched(key["delta3"], probs, y)
    np.testing.assert_allclose(d3, slopes(loss_of_scores, z2), atol=1e-8)
    got = assert_untouched(key["delta2"], d3, W2, a1)
    np.testing.assert_allclose(got, slopes(lambda z: loss_of_scores(np.tanh(z) @ W2 + b2), z1), atol=1e-8)


@pytest.mark.parametrize("shape", SHAPES)
def test_regression_against_autograd(key, rng, shape):
    n, d, h, k = shape
    model, X, t = random_model(rng, d, h, k), rng.normal(size=(n, d)), rng.normal(size=(n, k))

    def squares(model):
        output = anp.dot(anp.tanh(anp.dot(X, model["W1"]) + model["b1"]), model["W2"]) + model["b2"]
        return anp.sum((output - t) ** 2)

    assert_same_parts(assert_untouched(key["gradients_regression"], model, X, t), grad(squares)(model))


def test_the_codes_step_is_n_times_the_printed_losss(key):
    """On the 200 moons, by autograd of the loss that is printed; the choice item says the same number."""

    def printed(model):
        return summed_loss(model, key["X"], key["y"], key["reg_lambda"]) / len(key["y"])

    slopes = grad(printed)(key["start"])
    stepped = key["gradients"](key["start"], key["X"], key["y"], key["reg_lambda"])
    ratios = np.concatenate([(stepped[name] / slopes[name]).ravel() for name in stepped])
    np.testing.assert_allclose(ratios, key["gradient_over_loss_gradient"], rtol=1e-9)


@pytest.mark.parametrize("size", [1, 4, 7, 10, 30])
def test_an_epochs_minibatches_sum_to_the_full_gradient(key, rng, size):
    model, X, y = random_model(rng, 3, 4, 5), rng.normal(size=(10, 3)), rng.integers(5, size=10)
    batches = key["minibatches"](X, y, size, np.random.default_rng(5))
    parts = [assert_untouched(key["minibatch_gradients"], model, X_b, y_b, 0.9, 10) for X_b, y_b in batches]
    whole = {name: sum(part[name] for part in parts) for name in model}
    assert_same_parts(whole, grad(summed_loss)(model, X, y, 0.9))


@pytest.mark.parametrize(("n", "size"), [(23, 5), (20, 5), (7, 9), (6, 1)])
def test_minibatches_hold_each_pair_once(key, n, size):
    X, y = np.arange(2.0 * n).reshape(n, 2), np.arange(n) + 100
    batches = assert_untouched(key["minibatches"], X, y, size, np.random.default_rng(1))
    assert [len(X_b) for X_b, _ in batches[:-1]] == [size] * (len(batches) - 1)
    assert len(batches) == math.ceil(n / size)
    pairs = [(row[0], label) for X_b, y_b in batches for row, label in zip(X_b, y_b, strict=True)]
    assert sorted(pairs) == [(2.0 * i, 100 + i) for i in range(n)]
    again = key["minibatches"](X, y, size, np.random.default_rng(1))
    other = key["minibatches"](X, y, size, np.random.default_rng(2))
    np.testing.assert_array_equal(np.concatenate([b for _, b in again]), [label for _, label in pairs])
    assert [label for _, label in pairs] != [label for _, b in other for label in b]


@pytest.mark.parametrize(
    ("item", "slip"),
    [("predict", "two-classes-only"), ("forward", "always-tanh"), ("delta3", "two-classes-only")],
)
def test_the_worked_examples_show_what_is_wired_in(unit, item, slip):
    """Who is right for two classes or for the tanh alone sees it at home, not only in the grade."""
    item = unit.items[item]
    public = tuple(case for case in draw(item, unit.key, rng_for(SECRET, UNIT, item, "home")) if case.public)
    edit = next(edit for edit in item.slips if edit.name == slip)
    theirs = outcomes(item, unit.key, public, {item.id: unit.key.edited(item.id, edit)})
    assert not all_agree(item, theirs, outcomes(item, unit.key, public))


# --------------------------------------------------------------------------- rates


def test_rates_by_hand(key):
    """The table of the text, by fractions: .02 / (1 + t / 4), and .02 halved after every ten epochs."""
    for epoch, want in ((0, 1 / 50), (1, 2 / 125), (4, 1 / 100), (9, 4 / 650), (25, 4 / 1450)):
        assert key["annealed"](0.02, 0.25, epoch) == pytest.approx(want, rel=1e-12)
    for epoch, want in ((0, 0.02), (9, 0.02), (10, 0.01), (19, 0.01), (20, 0.005), (25, 0.005), (30, 0.0025)):
        assert key["step_decay"](0.02, 0.5, 10, epoch) == pytest.approx(want, rel=1e-12)


def test_train_annealed_takes_the_scheduled_steps(key, rng):
    """Three steps by autograd, with rates that follow no rule."""
    model, X, y = random_model(rng, 3, 4, 2), rng.normal(size=(6, 3)), rng.integers(2, size=6)
    rates = [0.11, 0.02, 0.3]
    got, used = assert_untouched(key["train_annealed"], model, X, y, lambda epoch: rates[epoch], 3)
    np.testing.assert_array_equal(used, rates)
    want = model
    for rate in rates:
        slopes = grad(summed_loss)(want, X, y, key["reg_lambda"])
        want = {name: want[name] - rate * slopes[name] for name in want}
    assert_same_parts(got, want)


def test_the_readers_annealing_diverges_and_rescaled_it_does_not(key):
    """eps0 = 1 with summed gradients ends where a line could get; 1/200 goes on learning."""
    losses = {}
    for eps0 in (1.0, 1 / 200):
        net, _ = key["train_annealed"](
            key["start"], key["X"], key["y"], lambda epoch, eps0=eps0: eps0 / (1 + 0.005 * epoch), 600
        )
        losses[eps0] = summed_loss(net, key["X"], key["y"], key["reg_lambda"]) / 200
    assert losses[1.0] > 1 > 0.2 > losses[1 / 200]


# --------------------------------------------------------------------------- dropout


@pytest.mark.parametrize("keep", [0.25, 0.6, 1.0])
def test_dropout_backward_is_the_slope_of_forward(key, rng, keep):
    a, d, mask = rng.normal(size=(5, 4)), rng.normal(size=(5, 4)), rng.integers(2, size=(5, 4)).astype(float)

    def reached(a):
        return anp.sum(d * anp.where(mask == 1, a / keep, 0.0))

    forward = assert_untouched(key["dropout_forward"], a, keep, mask)
    assert np.sum(d * forward) == pytest.approx(reached(a), rel=1e-12)
    np.testing.assert_allclose(assert_untouched(key["dropout_backward"], d, keep, mask), grad(reached)(a), rtol=1e-12)


def test_dropout_keeps_the_average(key, rng):
    """Over all 2^6 masks, weighted by how likely they are, nothing is lost."""
    a, keep = rng.normal(size=(1, 6)), 0.3
    masks = [np.array([[float(bit) for bit in f"{number:06b}"]]) for number in range(64)]
    mean = sum(
        keep ** mask.sum() * (1 - keep) ** (6 - mask.sum()) * key["dropout_forward"](a, keep, mask) for mask in masks
    )
    np.testing.assert_allclose(mean, a, rtol=1e-10)


# --------------------------------------------------------------------------- trained nets


def trial(unit, got):
    return Trial(got, (), None, unit.key.given())


def accept(unit, item, got):
    return unit.items[item].accept(trial(unit, got))


def facts(net, X, y):
    """Printed loss and accuracy, by this test's own forward pass."""
    loss = float(summed_loss(net, X, y, 0.01)) / len(y)
    scores = np.tanh(X @ net["W1"] + net["b1"]) @ net["W2"] + net["b2"]
    return loss, float(np.mean(np.argmax(scores, axis=1) == y))


def test_start_fails_by_a_wide_margin(unit, key):
    loss, accuracy = facts(key["start"], key["X"], key["y"])
    assert loss > 5 * 0.08
    assert accuracy < 0.9
    for item in ("build-model", "minibatch-train"):
        assert accept(unit, item, key["start"]).name == "start-itself"


@pytest.mark.slow
def test_batch_descent_meets_the_bounds_from_twenty_starts(unit, key):
    for seed in SEEDS:
        first = key["random_start"](3, np.random.default_rng(seed))
        net = unit.key["trained"](first, unit.key["gradients"], key["num_passes"])
        loss, accuracy = facts(net, key["X"], key["y"])
        assert loss < 0.074, seed
        assert accuracy >= 0.975 - 1e-9, seed
        assert accept(unit, "build-model", net) is None


@pytest.mark.slow
def test_minibatches_meet_the_bounds_with_twenty_orders(unit, key):
    solution = unit.key.solution("minibatch-train")
    for seed in SEEDS:
        names = dict(
            unit.key.run(["minibatches", "minibatch_gradients", "start", "epsilon", "forward", "printed_loss"])
        )
        names |= {"minibatch_losses": []}
        exec(solution.replace("default_rng(8)", f"default_rng({seed})"), names)
        loss, accuracy = facts(names["minibatch_model"], key["X"], key["y"])
        assert loss < 0.076, seed
        assert accuracy >= 0.975 - 1e-9, seed
        assert accept(unit, "minibatch-train", names["minibatch_model"]) is None, seed


@pytest.mark.slow
def test_sweep_meets_the_bounds_from_twenty_starts(unit):
    solution = unit.key.solution("hidden-sizes")
    for seed in SEEDS:
        names = dict(unit.key.run(["trained", "gradients", "random_start", "predict", "X", "X_test", "pd", "np"]))
        names |= {"sweep_models": {}}
        exec(solution.replace("default_rng(4)", f"default_rng({seed})"), names)
        table = names["size_sweep"]
        assert accept(unit, "hidden-sizes", table) is None, (seed, table)
        large = table[table["hidden"] >= 3]
        assert large["train_accuracy"].min() >= 0.965, seed
        assert large["test_accuracy"].min() >= 0.94, seed
        assert table["train_accuracy"].iloc[0] <= 0.88, seed


def test_the_net_of_batch_descent_is_not_a_minibatch_net(unit, key):
    net = key["model"]
    assert accept(unit, "build-model", net) is None
    assert accept(unit, "minibatch-train", net).name == "batch-again"


def test_digits_after_pass_2000_are_not_reproducible(key):
    """What the notebook says about a change of 1e-9: the two runs part visibly, and both meet the bound."""
    other = {name: part.copy() for name, part in key["start"].items()}
    moved = []
    for change in (0.0, 1e-9, -1e-9, 2e-9, 3e-9):
        other["W1"] = key["start"]["W1"] + change
        moved.append(facts(key["trained"](other, key["gradients"], 3000), key["X"], key["y"])[0])
    assert max(moved) < 0.074
    assert max(moved) - min(moved) > 1e-4


def test_other_forms_of_a_net(unit, key):
    net = key["model"]
    flat = {**net, "b1": net["b1"].ravel(), "b2": net["b2"].ravel().tolist(), "losses": [1.0, 2.0]}
    assert accept(unit, "build-model", flat) is None
    turned = {**net, "W1": net["W1"].T}
    assert accept(unit, "build-model", turned).name == "form"
    wider = key["random_start"](4, np.random.default_rng(0))
    for wrong in (3.0, [1, 2], {}, {**net, "W2": "text"}, {**net, "b1": None}, wider):
        assert accept(unit, "build-model", wrong).name == "form"
    assert accept(unit, "build-model", {name: part * np.nan for name, part in net.items()}) is not None
    assert accept(unit, "build-model", {name: 0 * part for name, part in net.items()}) is not None


def made_sweep(train, test):
    return pd.DataFrame({"hidden": SIZES, "train_accuracy": train, "test_accuracy": test})


def test_made_up_sweeps_fail(unit):
    good = made_sweep(
        np.array([172, 178, 195, 196, 197, 196, 197]) / 200, np.array([277, 281, 311, 310, 312, 309, 308]) / 320
    )
    assert accept(unit, "hidden-sizes", good) is None
    assert accept(unit, "hidden-sizes", good.round(3).sample(frac=1, random_state=1)) is None
    fractions = [0.86, 0.9, 0.975, 0.98, 0.98, 0.985, 0.98]
    assert (
        accept(unit, "hidden-sizes", made_sweep(fractions, [0.86, 0.89, 0.97, 0.97, 0.98, 0.96, 0.96])).name
        == "made-up"
    )
    assert accept(unit, "hidden-sizes", made_sweep([0.97] * 7, [0.95] * 7)).name == "one-unit"
    assert accept(unit, "hidden-sizes", made_sweep(fractions, fractions)).name == "test-on-train"
    assert accept(unit, "hidden-sizes", good.drop(columns="hidden")).name == "form"
    assert accept(unit, "hidden-sizes", good.iloc[:-1]).name == "form"
    assert accept(unit, "hidden-sizes", good * [1, np.nan, 1]).name == "form"
    assert accept(unit, "hidden-sizes", [1, 2, 3]).name == "form"


def test_baseline_is_what_a_line_can_do(unit, key):
    linear = pytest.importorskip("sklearn.linear_model")
    right = linear.LogisticRegression().fit(key["X"], key["y"]).score(key["X"], key["y"])
    assert key["baseline_accuracy"] == pytest.approx(right, abs=1e-12)
    assert accept(unit, "baseline", np.float32(right)) is None
    for wrong, name in ((0.845678, "other-points"), (1.0, "out-of-reach"), (0.5, "out-of-reach"), (84.0, "percent")):
        assert accept(unit, "baseline", wrong).name == name


# --------------------------------------------------------------------------- the judge, where this unit is special


def test_subtracting_in_place_costs_half_and_is_no_known_slip(unit):
    item = unit.items["delta3"]
    drawn = draw(item, unit.key, rng_for(SECRET, UNIT, item, "in place"))

    def spoils(probs, y):
        probs[np.arange(len(y)), y] -= 1
        return probs

    verdict = verdict_of(unit, item, drawn, {"delta3": spoils})
    assert verdict.points == 0.5
    assert not {slip.name for slip in item.slips} & set(verdict.slips)
    assert "changes its arguments" in verdict.says


@pytest.mark.parametrize("answer", [None, 3, "x", [], [1, 2], [(1, 2, 3)], {"a": 1}])
def test_minibatches_of_another_form_earn_nothing(unit, answer):
    item = unit.items["minibatches"]
    drawn = draw(item, unit.key, rng_for(SECRET, UNIT, item, "form"))
    evidence = evidence_of(item, drawn, {"minibatches": lambda *arguments: answer})
    assert judge_item(unit, item, evidence, drawn, Earlier()).points == 0
