"""Unit 06 against autograd, central differences and plain loops written out here; the trained net from many starts."""

from __future__ import annotations

import math
from pathlib import Path

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad, jacobian

from chainrule.course import load_items
from chainrule.items import Trial
from chainrule.verify import typed

SIZES = [(5, 4, 3), (3, 2, 6), (1, 5, 2), (7, 3, 4)]  # T, V, H
KEYS = ("W_xh", "W_hh", "W_yh", "b_h", "b_y")
HELLO = [0, 1, 2, 2], [1, 2, 2, 3]  # h e l l, e l l o

# the net of seed 001 once more, as plain lists, so that a typing mistake in the notebook shows
W_XH = [[0.6, 0.8, 0.4, 0.8], [0.2, 0.2, 0.8, 0.7], [0.9, 0.8, 0.1, 0.2]]
W_HH = [[0.1, 0.5, 0.1], [0.5, 0.9, 0.3], [0.3, 0.2, 0.1]]
W_YH = [[0.9, 0.8, 0.3], [0.2, 0.3, 0.4], [0.6, 0.9, 0.1], [0.5, 0.0, 0.3]]


@pytest.fixture
def key(answer_key):
    """The instructor's objects of this unit, by name."""
    return answer_key("06-rnn-hello")


@pytest.fixture(scope="module")
def items():
    """The unit's items by id."""
    return load_items(Path(__file__).parents[2] / "authoring" / "06-rnn-hello" / "items.py")


@pytest.fixture
def rng():
    return np.random.default_rng(60_006)


def random_params(rng, V, H):
    shapes = {"W_xh": (H, V), "W_hh": (H, H), "W_yh": (V, H), "b_h": (H,), "b_y": (V,)}
    return {name: 0.7 * rng.normal(size=shape) for name, shape in shapes.items()}


def random_task(rng, T, V, H):
    return rng.normal(size=(T, V)), rng.integers(V, size=T), 0.6 * rng.normal(size=H), random_params(rng, V, H)


def log_shares(scores):
    return scores - anp.log(anp.sum(anp.exp(scores)))


def loss_of(inputs, targets, h0, params, raw_shift=None, score_shift=None):
    """The summed loss in autograd's numpy, with places to nudge: the tanh's inputs and the scores of each step."""
    h, loss = h0, 0.0
    for t in range(len(inputs)):
        raw = anp.dot(params["W_xh"], inputs[t]) + anp.dot(params["W_hh"], h) + params["b_h"]
        h = anp.tanh(raw if raw_shift is None else raw + raw_shift[t])
        scores = anp.dot(params["W_yh"], h) + params["b_y"]
        loss = loss - log_shares(scores if score_shift is None else scores + score_shift[t])[targets[t]]
    return loss


# --------------------------------------------------------------------------- letters and shapes


def test_letters_and_pairs(key):
    assert dict(key["char_to_ix"]) == {"h": 0, "e": 1, "l": 2, "o": 3}
    assert [tuple(pair) for pair in key["pairs"]] == [("h", "e"), ("e", "l"), ("l", "l"), ("l", "o")]
    followers = {a: {b for c, b in key["pairs"] if c == a} for a, _ in key["pairs"]}
    assert [letter for letter, after in followers.items() if len(after) > 1] == [key["ambiguous_input"]]


@pytest.mark.parametrize(("ix", "size"), [(0, 3), (2, 5), (4, 5)])
def test_one_hot_picks_its_column(key, rng, ix, size):
    matrix = rng.normal(size=(3, size))
    np.testing.assert_array_equal(matrix @ key["one_hot"](ix, size), matrix[:, ix])


def test_each_shape_stands_for_one_task(key):
    """By what goes in (an image is one, a sentence many) and what comes out (a class is one, a sentence many)."""
    one, many = "one", "many"
    goes = {
        "image classification": (one, one),
        "image captioning": (one, many),
        "sentiment of a sentence": (many, one),
        "translation": (many, many),
    }
    assert key["architectures"] == {task: f"{a}-to-{b}" for task, (a, b) in goes.items()}
    assert list(key["tasks"]) == list(goes)


# --------------------------------------------------------------------------- by hand


def plain_steps(h, letters):
    """States and outputs of the seed's net with `math` alone, no biases."""
    for letter in letters:
        h = [math.tanh(W_XH[i][letter] + sum(W_HH[i][j] * h[j] for j in range(3))) for i in range(3)]
        powers = [math.exp(sum(W_YH[k][i] * h[i] for i in range(3))) for k in range(4)]
        yield h, [power / sum(powers) for power in powers]


def test_first_step_by_plain_arithmetic(key):
    h, p = next(plain_steps([0, 0, 0], [0]))
    np.testing.assert_allclose(key["h1"], h, rtol=1e-12)
    np.testing.assert_allclose(key["h1"], np.tanh([0.6, 0.2, 0.9]), rtol=1e-12)
    np.testing.assert_allclose(key["p1"], p, rtol=1e-12)
    np.testing.assert_allclose(key["h1_from_h0"], np.tanh([0.7, 0.48, 1.01]), rtol=1e-12)


def test_hello_loss_by_plain_arithmetic(key):
    outputs = [p for _, p in plain_steps([0, 0, 0], HELLO[0])]
    loss = -sum(math.log(p[target]) for p, target in zip(outputs, HELLO[1], strict=True))
    assert key["hello_loss"] == pytest.approx(loss, rel=1e-12)
    # what the seed's total reads as printed, one output for all steps, is something else
    assert abs(loss + sum(math.log(outputs[-1][target]) for target in HELLO[1])) > 0.1


@pytest.mark.parametrize("cut", [False, True], ids=["rounded", "cut"])
@pytest.mark.parametrize("products", [False, True], ids=["sums kept", "products kept"])
def test_hand_work_to_four_decimals_is_within_the_tolerances(key, items, cut, products):
    def kept(numbers):
        numbers = np.asarray(numbers, dtype=float)
        return typed(numbers + np.sign(numbers) * 1e-12, cut=cut)

    def times(matrix, vector):
        return np.sum(kept(np.array(matrix) * vector), axis=1) if products else kept(np.array(matrix) @ vector)

    def step(letter, h):
        return kept(np.tanh(kept(np.array(W_XH)[:, letter] + times(W_HH, h))))

    def shares(h):
        powers = kept(np.exp(times(W_YH, h)))
        return kept(powers / np.sum(powers))

    h, loss = np.zeros(3), 0.0
    for letter, target in zip(*HELLO, strict=True):
        h = step(letter, h)
        loss += float(kept(-np.log(shares(h)[target])))
    h1 = step(0, np.zeros(3))
    work = {"h1-zero-start": h1, "h1-given-start": step(0, [0.2, 0.1, 0.3]), "p1": shares(h1), "hello-loss": loss}
    for name, by_hand in work.items():
        assert np.all(np.abs(by_hand - key[items[name].names[0]]) <= items[name].atol), name


# --------------------------------------------------------------------------- forward


def test_step_of_the_text(key):
    got = key["rnn_step"](
        np.array([1.0, 0]),
        np.array([0.5, -1]),
        np.array([[1.0, 2], [0, -1]]),
        np.array([[0.5, 0], [1, 0.2]]),
        np.array([0.1, 0]),
    )
    np.testing.assert_allclose(got, [math.tanh(1 + 0.25 + 0.1), math.tanh(0.5 - 0.2)], rtol=1e-12)


@pytest.mark.parametrize("sizes", SIZES)
def test_forward_by_loops(key, rng, sizes):
    """Every sum written out, from a start that is not zero."""
    inputs, _, h0, params = random_task(rng, *sizes)
    T, V, H = sizes
    hs, ps = key["rnn_forward"](inputs, h0, params)
    assert hs.shape == (T + 1, H)
    assert ps.shape == (T, V)
    np.testing.assert_array_equal(hs[0], h0)
    h = list(h0)
    for t in range(T):
        h = [
            math.tanh(
                params["b_h"][i]
                + sum(params["W_xh"][i, k] * inputs[t, k] for k in range(V))
                + sum(params["W_hh"][i, j] * h[j] for j in range(H))
            )
            for i in range(H)
        ]
        powers = [math.exp(params["b_y"][k] + sum(params["W_yh"][k, i] * h[i] for i in range(H))) for k in range(V)]
        np.testing.assert_allclose(hs[t + 1], h, rtol=1e-12)
        np.testing.assert_allclose(ps[t], np.array(powers) / sum(powers), rtol=1e-12)
        got = key["rnn_step"](inputs[t], hs[t], params["W_xh"], params["W_hh"], params["b_h"])
        np.testing.assert_allclose(got, h, rtol=1e-12)


# --------------------------------------------------------------------------- backward


@pytest.mark.parametrize("sizes", SIZES)
def test_deltas_against_autograd(key, rng, sizes):
    """Gradients at the scores, at the tanh's inputs and at the start state, each found by nudging that place."""
    inputs, targets, h0, params = random_task(rng, *sizes)
    T, V, H = sizes
    hs, ps = key["rnn_forward"](inputs, h0, params)
    kept = ps.copy()
    d_y = key["output_deltas"](ps, targets)
    np.testing.assert_array_equal(ps, kept)
    at_scores = grad(lambda shift: loss_of(inputs, targets, h0, params, score_shift=shift))(np.zeros((T, V)))
    np.testing.assert_allclose(d_y, at_scores, rtol=1e-9, atol=1e-13)
    d_raw = key["hidden_deltas"](hs, d_y, params)
    at_raw = grad(lambda shift: loss_of(inputs, targets, h0, params, raw_shift=shift))(np.zeros((T, H)))
    np.testing.assert_allclose(d_raw, at_raw, rtol=1e-9, atol=1e-13)
    d_h0 = key["start_state_gradient"](d_raw, params["W_hh"])
    np.testing.assert_allclose(d_h0, grad(loss_of, 2)(inputs, targets, h0, params), rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("sizes", SIZES)
def test_gradients_against_autograd(key, rng, sizes):
    """All five, from the pieces and from rnn_backward; arguments stay as they are."""
    inputs, targets, h0, params = random_task(rng, *sizes)
    kept = {name: param.copy() for name, param in params.items()}
    want = grad(loss_of, 3)(inputs, targets, h0, params)
    loss, grads, h_last = key["rnn_backward"](inputs, targets, h0, params)
    hs, ps = key["rnn_forward"](inputs, h0, params)
    d_y = key["output_deltas"](ps, targets)
    pieces = dict(zip(("W_yh", "b_y"), key["output_gradients"](hs, d_y), strict=True))
    d_raw = key["hidden_deltas"](hs, d_y, params)
    pieces |= dict(zip(("W_xh", "W_hh", "b_h"), key["recurrent_gradients"](inputs, hs, d_raw), strict=True))
    assert set(grads) == set(KEYS)
    for name in KEYS:
        assert np.shape(grads[name]) == np.shape(pieces[name]) == params[name].shape
        np.testing.assert_allclose(grads[name], want[name], rtol=1e-8, atol=1e-12)
        np.testing.assert_allclose(pieces[name], want[name], rtol=1e-8, atol=1e-12)
        np.testing.assert_array_equal(params[name], kept[name])
    assert loss == pytest.approx(loss_of(inputs, targets, h0, params), rel=1e-12)
    np.testing.assert_allclose(h_last, hs[-1], rtol=1e-12)


def test_large_sums_are_not_clipped(key, rng):
    """A long run of a target that the net thinks unlikely: sums over time above 5, by central differences."""
    T, V, H = 14, 3, 4
    inputs, targets, h0, params = random_task(rng, T, V, H)
    targets[:], params["b_y"][1] = 1, -4.0
    grads = key["rnn_backward"](inputs, targets, h0, params)[1]
    step = 1e-5
    for name in ("b_y", "W_hh"):
        place = np.unravel_index(np.argmax(np.abs(grads[name])), grads[name].shape)
        around = []
        for sign in (1, -1):
            moved = {key_: param.copy() for key_, param in params.items()}
            moved[name][place] += sign * step
            around.append(loss_of(inputs, targets, h0, moved))
        assert grads[name][place] == pytest.approx((around[0] - around[1]) / (2 * step), rel=1e-6)
    assert np.max(np.abs(grads["b_y"])) > 5


@pytest.mark.parametrize(("T", "H"), [(6, 3), (1, 4), (9, 2), (4, 1)])
def test_gradient_flow_against_jacobians(key, rng, T, H):
    """d_last through autograd's jacobian of the way from each state to the last."""
    inputs, W_hh, h0, d_last = rng.normal(size=(T, H)), rng.normal(size=(H, H)), rng.normal(size=H), rng.normal(size=H)

    def onward(h, t):
        for x in inputs[t:]:
            h = anp.tanh(x + anp.dot(W_hh, h))
        return h

    hs = [h0]
    for x in inputs:
        hs.append(np.tanh(x + W_hh @ hs[-1]))
    want = [math.hypot(*np.ravel(d_last @ jacobian(onward)(hs[t], t))) for t in range(T)]
    got = key["gradient_flow"](np.array(hs), d_last, W_hh)
    assert np.shape(got) == (T,)
    np.testing.assert_allclose(got, want, rtol=1e-9)


# --------------------------------------------------------------------------- steps


def test_clipping_keeps_what_is_inside(key):
    grads = {"a": np.array([[0.5, -3.0], [7.0, -1.9]]), "b": np.array([2.5, 0.0])}
    got = key["clip_gradients"](grads, 2.0)
    np.testing.assert_array_equal(got["a"], [[0.5, -2.0], [2.0, -1.9]])
    np.testing.assert_array_equal(got["b"], [2.0, 0.0])
    assert got is not grads
    np.testing.assert_array_equal(grads["a"], [[0.5, -3.0], [7.0, -1.9]])
    assert key["clip_gradients"](grads, 6.0)["a"][1, 0] == 6.0


def test_adagrad_steps_shrink_like_one_over_root(key):
    """With one gradient for ever, step k from an empty memory is alpha over root k, whatever the gradient's size."""
    w, memory = np.array([1.0, 1.0, 1.0]), np.zeros(3)
    gradient = np.array([0.1, -4.0, 0.0])
    for k in range(1, 6):
        new, memory = key["adagrad_step"](w, gradient, memory, 0.3)
        np.testing.assert_allclose(new - w, -0.3 / math.sqrt(k) * np.sign(gradient), rtol=1e-5)
        np.testing.assert_allclose(memory, k * gradient**2, rtol=1e-12)
        w = new


def test_adagrad_step_of_the_text(key):
    w, memory = key["adagrad_step"](np.array([1.0]), np.array([-1.0]), np.array([3.0]), 0.5)
    assert w[0] == pytest.approx(1.25, abs=1e-8)
    assert memory[0] == 4.0


# --------------------------------------------------------------------------- writing


def test_generate_goes_round_a_ring(key):
    """Without memory: each letter's unit leads to the next letter only."""
    V = 4
    net = {"W_xh": 3 * np.eye(V), "W_hh": np.zeros((V, V)), "W_yh": np.roll(np.eye(V), 1, axis=0)}
    net |= {"b_h": np.zeros(V), "b_y": np.zeros(V)}
    assert [int(ix) for ix in key["generate"](np.zeros(V), 2, 6, net)] == [3, 0, 1, 2, 3, 0]


def test_generate_uses_state_and_biases(key):
    """One unit that turns its sign at each step and begins where h says; a bias keeps letter 2 out."""
    net = {"W_xh": np.zeros((1, 3)), "W_hh": np.array([[-50.0]]), "W_yh": np.array([[1.0], [-1.0], [0.5]])}
    net |= {"b_h": np.zeros(1), "b_y": np.array([0.0, 0.0, -9.0])}
    assert [int(ix) for ix in key["generate"](np.array([0.5]), 2, 5, net)] == [1, 0, 1, 0, 1]
    assert [int(ix) for ix in key["generate"](np.array([-0.5]), 2, 4, net)] == [0, 1, 0, 1]
    net["b_y"] = np.array([0.0, 0.0, 9.0])
    assert [int(ix) for ix in key["generate"](np.array([0.5]), 0, 3, net)] == [2, 2, 2]


def test_generate_feeds_its_letters_back(key):
    """Run through rnn_forward on its own letters, each is the most probable one."""
    rng = np.random.default_rng(3)
    for _ in range(5):
        params, h = {name: 2 * param for name, param in random_params(rng, 5, 4).items()}, rng.normal(size=4)
        found = [int(ix) for ix in key["generate"](h, 3, 8, params)]
        _, ps = key["rnn_forward"](np.eye(5)[[3, *found[:-1]]], h, params)
        assert found == [int(ix) for ix in np.argmax(ps, axis=1)]


# --------------------------------------------------------------------------- the trained net


def chance_of_ello(params):
    """The probability that a net from a zero state gives to "ello" after "h", in plain numpy."""
    h, chance = np.zeros(len(params["b_h"])), 1.0
    for letter, target in zip(*HELLO, strict=True):
        h = np.tanh(params["W_xh"][:, letter] + params["W_hh"] @ h + params["b_h"])
        chance *= float(np.exp(log_shares(params["W_yh"] @ h + params["b_y"]))[target])
    return chance


def accepted(items, key, got):
    return items["hello-learned"].accept(Trial(got, (), key["learned"], key.given()))


def test_given_start_fails_and_solution_passes_by_far(key, items):
    start = key.given()["start"]
    assert chance_of_ello(start) < 0.01
    assert accepted(items, key, start).name == "untrained"
    assert chance_of_ello(key["learned"]) > 0.9
    assert accepted(items, key, key["learned"]) is None


def test_solution_learns_from_twenty_starts(key, items):
    """The notebook's own training from random weights, three to seven units: far above the start each time."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        H = 3 + seed % 5
        begin = {name: (param if name[0] == "W" else 0 * param) for name, param in random_params(rng, 4, H).items()}
        learned = key.run(["learned"], values={"start": begin})["learned"]
        assert chance_of_ello(begin) < 0.1, seed
        assert chance_of_ello(learned) > 0.9, seed
        assert accepted(items, key, begin) is not None, seed
        assert accepted(items, key, learned) is None, seed


def test_made_up_answers_do_not_pass(key, items):
    """Targets typed in, biases alone, a net without memory; and forms that only look like a net."""
    zeros = {name: np.zeros_like(param) for name, param in key.given()["start"].items()}
    for bias in range(4):
        assert accepted(items, key, {**zeros, "b_y": np.eye(4)[bias]}) is not None
    memoryless = {**zeros, "W_xh": np.eye(4)[:3] * 5, "W_yh": np.array([[0, 0, 0], [1, 0, 0], [0, 1, 1], [0, 0, 0.0]])}
    assert accepted(items, key, memoryless).name == "no-memory"
    assert accepted(items, key, {name: param * np.nan for name, param in zeros.items()}) is not None
    for form in ([1, 2, 2, 3], "ello", None, {}, {**zeros, "W_yh": np.zeros((3, 4))}, {**zeros, "b_h": np.zeros(0)}):
        with pytest.raises((TypeError, KeyError, ValueError)):
            accepted(items, key, form)


def test_a_net_made_by_hand_passes(key, items):
    """Any way of finding the weights will do: unit 3 counts the l in what went before."""
    net = {
        "W_xh": np.vstack([5 * np.eye(4)[:3], np.zeros(4)]),
        "W_hh": np.array([[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 5.0, 0]]),
        "W_yh": np.array([[0, 0, 0, 0], [5.0, 0, 0, 0], [0, 5, 5, 0], [0, 0, 4, 4]]),
        "b_h": np.zeros(4),
        "b_y": np.zeros(4),
    }
    assert accepted(items, key, net) is None
    # lists, and biases as columns, are the same net
    assert accepted(items, key, {k: v.tolist() if k[0] == "W" else v[:, None] for k, v in net.items()}) is None
