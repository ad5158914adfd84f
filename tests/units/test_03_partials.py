"""Unit 03 against autograd, central differences of errors written out here, and the numbers printed by seed 001."""

from __future__ import annotations

import inspect
import math

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad, jacobian

from chainrule.verify import typed

HAND = 5e-5  # half a unit of the fourth decimal: what a number printed with four decimals can be off
SIZES = [(3, 2, 4), (2, 5, 3), (6, 4, 1), (1, 3, 2), (4, 1, 5)]  # d, h, m


@pytest.fixture
def key(answer_key):
    """The instructor's objects of this unit, by name."""
    return answer_key("03-partials")


@pytest.fixture
def rng():
    return np.random.default_rng(30_003)


def error_of_row(x, y, w1, w2):
    """Half the squared error of one row, written with autograd's numpy and nothing of the notebook's."""
    hidden = 1 / (1 + anp.exp(-(anp.dot(x, w1[1:]) + w1[0])))
    output = 1 / (1 + anp.exp(-(anp.dot(hidden, w2[1:]) + w2[0])))
    return 0.5 * anp.sum((output - y) ** 2)


def class_loss(x, label, w1, w2):
    hidden = 1 / (1 + anp.exp(-(anp.dot(x, w1[1:]) + w1[0])))
    scores = anp.dot(hidden, w2[1:]) + w2[0]
    return anp.log(anp.sum(anp.exp(scores))) - scores[label]


def random_net(rng, d, h, m):
    return rng.normal(size=d), rng.uniform(size=m), rng.normal(size=(d + 1, h)), rng.normal(size=(h + 1, m))


# --------------------------------------------------------------------------- row 1, by hand


def test_row_1_gives_the_printed_numbers(key):
    """Seed 001 prints .0776 (as .0775, from rounded factors), .1502 and .0020."""
    assert key["dE_dw2_01"] == pytest.approx(0.0776, abs=HAND)
    assert key["dE_da1"][0] == pytest.approx(0.1502, abs=HAND)
    assert key["dE_dw1_01"] == pytest.approx(0.0020, abs=HAND)


def test_row_1_by_plain_arithmetic(key):
    """The chain for each of the eight and six weights with `math` alone."""
    x, y = [1.0, 1.0, 4.0, 5.0], [0.1, 0.05]
    w1, w2 = [[0.5, 0.5], [0.1, 0.2], [0.3, 0.4], [0.5, 0.6]], [[0.5, 0.5], [0.7, 0.8], [0.9, 0.1]]
    a1 = [1.0] + [1 / (1 + math.exp(-sum(x[i] * w1[i][k] for i in range(4)))) for k in range(2)]
    a2 = [1 / (1 + math.exp(-sum(a1[k] * w2[k][j] for k in range(3)))) for j in range(2)]
    delta2 = [(a2[j] - y[j]) * a2[j] * (1 - a2[j]) for j in range(2)]
    back = [sum(delta2[j] * w2[k][j] for j in range(2)) for k in (1, 2)]
    delta1 = [back[k] * a1[k + 1] * (1 - a1[k + 1]) for k in range(2)]
    np.testing.assert_allclose(key["dE_da2"], [a2[0] - y[0], a2[1] - y[1]], rtol=1e-12)
    np.testing.assert_allclose(key["dE_da1"], back, rtol=1e-12)
    np.testing.assert_allclose(key["c2_row1"], [[a * d for d in delta2] for a in a1], rtol=1e-12)
    np.testing.assert_allclose(key["c1_row1"], [[v * d for d in delta1] for v in x], rtol=1e-12)
    assert key["dE_dw2_01"] == pytest.approx(delta2[0], rel=1e-12)
    assert key["dE_dw1_01"] == pytest.approx(delta1[0], rel=1e-12)


def test_row_1_is_the_slope_of_its_error(key):
    """Each number is what the error of row 1 does when that weight is nudged."""
    given = (key["x"], key["y"], key["w1"], key["w2"])
    c1, c2 = grad(error_of_row, 2)(*given), grad(error_of_row, 3)(*given)
    assert error_of_row(*given) == pytest.approx(0.5932, abs=HAND)
    np.testing.assert_allclose(key["c1_row1"], c1, rtol=1e-10)
    np.testing.assert_allclose(key["c2_row1"], c2, rtol=1e-10)


@pytest.mark.parametrize("cut", [False, True], ids=["rounded", "cut"])
@pytest.mark.parametrize("slope_first", [False, True])
def test_hand_work_to_four_decimals_is_within_the_tolerances(key, items, cut, slope_first):
    """All of row 1 worked with four decimals kept at every step, in either order of the factors."""

    def kept(number):
        return typed(np.asarray(number) + (1e-12 if cut else 0.0), cut=cut)

    def through(upstream, a):
        return kept(upstream * kept(a * (1 - a))) if slope_first else kept(kept(upstream * a) * (1 - a))

    a1, a2, w2 = kept(key["a1"]), kept(key["a2"]), key["w2"]
    errors = kept(a2 - key["y"])
    delta2 = through(errors, a2)
    back = kept(np.sum(kept(w2[1:] * delta2), axis=1))
    delta1 = through(back, a1)
    work = {
        "error-signal": errors,
        "partial-w2-01": delta2[0],
        "grad-w2-row1": kept(np.outer([1, *a1], delta2)),
        "partial-a1": back,
        "partial-w1-01": delta1[0],
        "grad-w1-row1": kept(np.outer([1, *key["x"]], delta1)),
    }
    for name, by_hand in work.items():
        item = items[name]
        exact = key[item.names[0]]
        assert np.all(np.abs(by_hand - exact) <= item.atol), name
        # and nothing less than hand work: the tolerance is a small part of the answer
        assert item.atol < 0.06 * np.max(np.abs(exact)), name


@pytest.fixture
def items():
    """The unit's items by id."""
    from pathlib import Path

    from chainrule.course import load_items

    return load_items(Path(__file__).parents[2] / "authoring" / "03-partials" / "items.py")


# --------------------------------------------------------------------------- one neuron


@pytest.mark.parametrize("shape", [(), (4,), (2, 3)])
def test_sigmoid_prime_is_the_slope_at_the_sum(key, rng, shape):
    s, h = rng.normal(size=shape), 1e-6
    slope = (np.tanh((s + h) / 2) - np.tanh((s - h) / 2)) / (4 * h)
    np.testing.assert_allclose(key["sigmoid_prime"]((1 + np.tanh(s / 2)) / 2), slope, rtol=1e-8)


@pytest.mark.parametrize("s", [-3.0, -0.4, 0.0, 1.0, 2.0862])
def test_gates_are_the_sigmoid_in_four_steps(key, s):
    negative, power, plus_one, end = key["sigmoid_gates"](s)
    assert negative == -s
    assert math.log(power) == pytest.approx(-s, abs=1e-12)
    assert plus_one - power == pytest.approx(1, rel=1e-12)
    assert end == pytest.approx((1 + math.tanh(s / 2)) / 2, rel=1e-12)


def test_gates_give_the_printed_graph(key):
    """Seed 001's graph: -2.0862, .1242, 1.1242, .8896."""
    np.testing.assert_allclose(key["sigmoid_gates"](float(key["s2"][0])), [-2.0862, 0.1242, 1.1242, 0.8896], atol=HAND)


@pytest.mark.parametrize("upstream", [1.0, -2.5, 0.3])
@pytest.mark.parametrize("s", [-1.7, 0.2, 2.0862])
def test_gates_backward_nudges_each_gate_input(key, s, upstream):
    """Each entry against central differences of what is left of the graph after that gate's input."""
    h = 1e-6
    rests = [lambda v: 1 / v, lambda v: 1 / (1 + v), lambda v: 1 / (1 + math.exp(v)), lambda v: 1 / (1 + math.exp(-v))]
    places = [1 + math.exp(-s), math.exp(-s), -s, s]
    slopes = [upstream * (f(v + h) - f(v - h)) / (2 * h) for f, v in zip(rests, places, strict=True)]
    np.testing.assert_allclose(key["sigmoid_gates_backward"](s, upstream), slopes, rtol=1e-7)
    assert inspect.signature(key["sigmoid_gates_backward"]).parameters["upstream"].default == 1.0


@pytest.mark.parametrize("d", [1, 3, 6])
def test_neuron_backward_against_autograd(key, rng, d):
    def error(w, a, target):
        return 0.5 * (1 / (1 + anp.exp(-anp.dot(w, a))) - target) ** 2

    w, a, target = rng.normal(size=d), rng.normal(size=d), float(rng.uniform())
    d_w, d_a = key["neuron_graph_backward"](w, a, target)
    np.testing.assert_allclose(d_w, grad(error, 0)(w, a, target), rtol=1e-10)
    np.testing.assert_allclose(d_a, grad(error, 1)(w, a, target), rtol=1e-10)


# --------------------------------------------------------------------------- branches


@pytest.mark.parametrize("shape", [(), (4,), (2, 3)])
def test_branches_add_what_autograd_adds(key, rng, shape):
    """v goes three ways (a square, a sine, a product with a constant), each into a sum with weights of its own."""
    v, constant, outer = rng.normal(size=shape), rng.normal(size=shape), rng.normal(size=(3, *shape))

    def whole(v):
        return anp.sum(outer[0] * v**2 + outer[1] * anp.sin(v) + outer[2] * constant * v)

    got = key["branch_gradient"](list(outer), [2 * v, np.cos(v), constant])
    assert np.shape(got) == shape
    np.testing.assert_allclose(got, grad(whole)(v), rtol=1e-10)


@pytest.mark.parametrize("sizes", SIZES)
def test_shared_bias_moves_a_whole_row(key, rng, sizes):
    """Central differences of the error in one number that fills row 0."""
    x, y, w1, w2 = random_net(rng, *sizes)
    w1[0], w2[0] = 0.37, -0.61

    def moved(w, step):
        return np.vstack([w[:1] + step, w[1:]])

    h = 1e-5
    slope1 = (error_of_row(x, y, moved(w1, h), w2) - error_of_row(x, y, moved(w1, -h), w2)) / (2 * h)
    slope2 = (error_of_row(x, y, w1, moved(w2, h)) - error_of_row(x, y, w1, moved(w2, -h))) / (2 * h)
    got = key["shared_bias_gradient"](x, y, w1, w2)
    assert np.shape(got[0]) == np.shape(got[1]) == ()
    np.testing.assert_allclose(got, [slope1, slope2], rtol=1e-6, atol=1e-10)


# --------------------------------------------------------------------------- whole nets


@pytest.mark.parametrize("sizes", SIZES)
def test_mlp_gradients_against_autograd(key, rng, sizes):
    net = random_net(rng, *sizes)
    before = [part.copy() for part in net]
    c1, c2 = key["mlp_gradients"](*net)
    np.testing.assert_allclose(c1, grad(error_of_row, 2)(*net), rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(c2, grad(error_of_row, 3)(*net), rtol=1e-9, atol=1e-14)
    for part, kept in zip(net, before, strict=True):
        np.testing.assert_array_equal(part, kept)


@pytest.mark.parametrize(("n", "m"), [(1, 3), (4, 2), (3, 5)])
def test_softmax_gradient_through_the_whole_jacobian(key, rng, n, m):
    """autograd's jacobian of the probabilities, times the slope of -log at the label, over n."""
    f, labels = 2 * rng.normal(size=(n, m)), rng.integers(m, size=n)
    kept = f.copy()

    def softmax(row):
        return anp.exp(row) / anp.sum(anp.exp(row))

    rows = [-jacobian(softmax)(row)[label] / softmax(row)[label] / n for row, label in zip(f, labels, strict=True)]
    got = key["softmax_cross_entropy_gradient"](f, labels)
    np.testing.assert_allclose(got, rows, rtol=1e-9)
    np.testing.assert_allclose(np.sum(got, axis=1), 0, atol=1e-15)
    np.testing.assert_array_equal(f, kept)


@pytest.mark.parametrize("sizes", [(3, 2, 4), (2, 5, 3), (1, 3, 2)])
def test_softmax_mlp_gradients_against_autograd(key, rng, sizes):
    x, _, w1, w2 = random_net(rng, *sizes)
    for label in range(sizes[2]):
        c1, c2 = key["softmax_mlp_gradients"](x, label, w1, w2)
        np.testing.assert_allclose(c1, grad(class_loss, 2)(x, label, w1, w2), rtol=1e-9, atol=1e-14)
        np.testing.assert_allclose(c2, grad(class_loss, 3)(x, label, w1, w2), rtol=1e-9, atol=1e-14)


# --------------------------------------------------------------------------- measuring


@pytest.mark.parametrize("shape", [(4,), (2, 3)])
def test_numeric_gradient_finds_a_known_gradient(key, rng, shape):
    w, scale = rng.normal(size=shape), rng.normal(size=shape)
    kept = w.copy()

    def f(w):
        return float(np.sum(scale * np.sin(w)) + np.prod(w))

    got = key["numeric_gradient"](f, w)
    np.testing.assert_allclose(got, scale * np.cos(w) + np.prod(w) / w, rtol=1e-7, atol=1e-9)
    np.testing.assert_array_equal(w, kept)


def test_numeric_gradient_is_central_and_uses_its_step(key):
    """For w**3 central differences give 3 w**2 + h**2 exactly, and one-sided ones do not."""
    w = np.array([1.0, -2.0])
    for h in (0.1, 0.01):
        got = key["numeric_gradient"](lambda w: float(np.sum(w**3)), w, h)
        np.testing.assert_allclose(got, 3 * w**2 + h**2, rtol=1e-11)
