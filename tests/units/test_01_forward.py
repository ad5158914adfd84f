"""Unit 01 against arithmetic of its own: plain Python sums with `math.exp`, and the numbers printed by seed 001."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

HAND = 5e-5  # half a unit of the fourth decimal: what a number printed with four decimals can be off
SIZES = [(3, 2, 4), (1, 5, 2), (6, 4, 1), (2, 3, 7)]


@pytest.fixture
def key(answer_key):
    """The instructor's objects of this unit, by name."""
    return answer_key("01-forward")


@pytest.fixture
def rng():
    return np.random.default_rng(20240601)


@pytest.mark.parametrize("z", [-745.0, -40.0, -3.7, -1e-9, 0.0, 0.6, 2.0, 36.0])
def test_sigmoid_is_the_odds_of_e(key, z):
    """sigma / (1 - sigma) = e^z, asked on the negative side, where 1 - sigma loses no digits."""
    low = float(key["sigmoid"](-abs(z)))
    assert low == pytest.approx(math.exp(-abs(z)) * (1 - low), rel=1e-12)
    assert float(key["sigmoid"](abs(z))) == pytest.approx(1 - low, rel=1e-15)


@pytest.mark.parametrize("shape", [(), (5,), (3, 4), (2, 5, 3)])
def test_sigmoid_keeps_shape_and_slope(key, rng, shape):
    """Its slope by central differences is sigma (1 - sigma), in every shape."""
    z, h = rng.normal(scale=2, size=shape), 1e-5
    sigma = key["sigmoid"](z)
    slope = (key["sigmoid"](z + h) - key["sigmoid"](z - h)) / (2 * h)
    assert np.shape(sigma) == shape
    np.testing.assert_allclose(slope, sigma * (1 - sigma), atol=1e-9)


def test_sigmoid_is_right_and_silent_at_the_ends(key):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(key["sigmoid"](np.array([-1000.0, 0.0, 1000.0])), [0, 0.5, 1])


def test_with_bias_puts_one_first_and_leaves_its_argument(key, rng):
    batch = rng.normal(size=(4, 3))
    before = batch.tolist()
    assert key["with_bias"](batch).tolist() == [[1.0, *row] for row in before]
    assert key["with_bias"](batch[2]).tolist() == [1.0, *before[2]]
    assert batch.tolist() == before


def test_row_1_gives_the_printed_numbers(key):
    """Seed 001 prints the first entries; the second come from the same sums worked on paper."""
    np.testing.assert_allclose(key["s1"], [4.3, 5.3], atol=1e-12)
    np.testing.assert_allclose(key["a1"], [0.9866, 0.9950], atol=HAND)
    np.testing.assert_allclose(key["s2"], [2.0862, 0.5 + 0.8 * 0.9866 + 0.1 * 0.9950], atol=HAND)
    np.testing.assert_allclose(key["a2"], [0.8896, 0.8004], atol=HAND)


@pytest.mark.parametrize(("d", "h", "m"), SIZES)
def test_layer_forward_is_the_plain_sum(key, rng, d, h, m):
    a_prev, w = rng.normal(size=(m, d)), rng.normal(size=(d + 1, h))
    s, a = key["layer_forward"](a_prev, w)
    want = [_layer(row, w) for row in a_prev.tolist()]
    np.testing.assert_allclose(s, [sums for sums, _ in want], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(a, [squeezed for _, squeezed in want], rtol=1e-12)


@pytest.mark.parametrize(("d", "h", "m"), SIZES)
def test_mlp_forward_is_two_plain_layers(key, rng, d, h, m):
    """Batch and single example alike, with biases that are not zero."""
    x, w1, w2 = rng.normal(size=(5, d)), rng.normal(size=(d + 1, h)), rng.normal(size=(h + 1, m))
    batch, single = key["mlp_forward"](x, w1, w2), key["mlp_forward"](x[3], w1, w2)
    want = [_net(row, w1, w2) for row in x.tolist()]
    assert set(batch) == set(single) == {"s1", "a1", "s2", "a2"}
    for name in batch:
        np.testing.assert_allclose(batch[name], [row[name] for row in want], rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(single[name], want[3][name], rtol=1e-12, atol=1e-12)


def test_mlp_forward_feels_every_weight(key, rng):
    """No weight, bias or input is left out: moving any one of them moves the outputs."""
    x, w1, w2 = rng.normal(size=3), rng.normal(size=(4, 5)), rng.normal(size=(6, 2))
    before = key["mlp_forward"](x, w1, w2)["a2"]
    for argument in (x, w1, w2):
        for place in np.ndindex(argument.shape):
            kept = argument[place]
            argument[place] = kept + 0.1
            assert np.abs(key["mlp_forward"](x, w1, w2)["a2"] - before).max() > 1e-6, place
            argument[place] = kept


def test_predictions_are_the_six_rows(key):
    want = [_net(row, key["w1"], key["w2"])["a2"] for row in key["X"].tolist()]
    np.testing.assert_allclose(key["predictions"], want, rtol=1e-12)


def test_the_right_weight_makes_the_printed_line_true(key):
    assert key["slip_weight"] * 1 + 0.1 * 1 + 0.3 * 4 + 0.5 * 5 == pytest.approx(4.3)


def test_the_right_form_is_the_sigmoid_of_the_sum(key):
    """The text's single unit: W x = 2, W_h h = 1, b = 1."""
    exponents = {"a": 2 + 1 + 1, "b": -(2 + 1 + 1), "c": -2 + 1 + 1}
    right = [name for name, power in exponents.items() if abs(1 / (1 + math.exp(power)) - 0.9820) < HAND]
    assert right == [key["slip_sigmoid"]]


@pytest.mark.parametrize(("d", "h", "m"), SIZES)
def test_rnn_hidden_is_a_layer_on_input_and_memory(key, rng, d, h, m):
    """The memory is one more input: the same numbers through a plain layer with stacked, transposed weights."""
    x, state, b = rng.normal(size=d), rng.normal(size=h), rng.normal(size=h)
    w_x, w_h = rng.normal(size=(h, d)), rng.normal(size=(h, h))
    stacked = [b.tolist(), *w_x.T.tolist(), *w_h.T.tolist()]
    _, want = _layer([*x.tolist(), *state.tolist()], stacked)
    np.testing.assert_allclose(key["rnn_hidden"](x, state, w_x, w_h, b), want, rtol=1e-12)


def _net(x, w1, w2):
    s1, a1 = _layer(x, w1)
    s2, a2 = _layer(a1, w2)
    return {"s1": s1, "a1": a1, "s2": s2, "a2": a2}


def _layer(inputs, w):
    """One example through one layer, a product at a time; row 0 of w holds the biases."""
    inputs = [1.0, *inputs]
    sums = [math.fsum(float(w[i][k]) * inputs[i] for i in range(len(inputs))) for k in range(len(w[0]))]
    return sums, [_squeeze(s) for s in sums]


def _squeeze(z):
    return 1 / (1 + math.exp(-z))
