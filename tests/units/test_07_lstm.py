"""Unit 07 against autograd, plain loops, the numbers of its own text, and cells judged on texts of their own."""

from __future__ import annotations

import copy
import math
import re

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad

from chainrule.items import Trial

UNIT = "07-lstm"
SIZES = [(2, 3, 5, 4), (4, 2, 3, 6), (3, 5, 2, 1), (1, 4, 6, 3), (5, 1, 2, 2)]  # inputs, units, classes, steps
GATES = "fico"


@pytest.fixture
def key(answer_key):
    """The instructor's objects of this unit, by name."""
    return answer_key(UNIT)


@pytest.fixture
def items(course):
    """The unit's items by id."""
    return course.unit(UNIT).items


@pytest.fixture
def rng():
    return np.random.default_rng(70_007)


def random_params(rng, d, h, v):
    """Ten parameters of no special form, biases away from zero."""
    params = {f"W_{gate}": rng.normal(size=(h, h + d)) for gate in GATES}
    params |= {f"b_{gate}": rng.normal(0.4, 1.0, size=h) for gate in GATES}
    return params | {"W_v": rng.normal(size=(v, h)), "b_v": rng.normal(0.3, 1.0, size=v)}


def random_sequence(rng, d, h, v, steps):
    return (
        rng.normal(size=(steps, d)),
        rng.integers(0, v, size=steps),
        rng.normal(0.5, 0.5, size=h),
        rng.normal(-0.5, 1.0, size=h),
        random_params(rng, d, h, v),
    )


def logistic(a):
    return 1 / (1 + anp.exp(-a))


def sequence_loss(xs, ys, h, c, params):
    """The loss of a sequence, in autograd's numpy, with the weights cut into their two halves."""
    n, total = len(h), 0.0

    def layer(gate, x):
        W = params[f"W_{gate}"]
        return anp.dot(W[:, :n], h) + anp.dot(W[:, n:], x) + params[f"b_{gate}"]

    for x, label in zip(xs, ys, strict=True):
        f, i, o, new = (
            logistic(layer("f", x)),
            logistic(layer("i", x)),
            logistic(layer("o", x)),
            anp.tanh(layer("c", x)),
        )
        c = f * c + i * new
        h = o * anp.tanh(c)
        v = anp.dot(params["W_v"], h) + params["b_v"]
        total = total + anp.log(anp.sum(anp.exp(v))) - v[label]
    return total


def step_by_loops(x, h, c, params):
    """One step with `math` and nothing else, unit by unit."""
    z = [*h, *x]
    after_h, after_c = [], []
    for k in range(len(h)):
        a = {g: sum(w * s for w, s in zip(params[f"W_{g}"][k], z, strict=True)) + params[f"b_{g}"][k] for g in GATES}
        f, i, o = (1 / (1 + math.exp(-a[g])) for g in "fio")
        after_c.append(f * c[k] + i * math.tanh(a["c"]))
        after_h.append(o * math.tanh(after_c[-1]))
    return after_h, after_c


# --------------------------------------------------------------------------- forwards


@pytest.mark.parametrize("sizes", SIZES)
def test_a_step_is_what_plain_loops_give(key, rng, sizes):
    xs, _, h, c, params = random_sequence(rng, *sizes)
    for x in xs:
        want_h, want_c = step_by_loops(x, h, c, params)
        h, c, _ = key["lstm_step"](x, h, c, params)
        np.testing.assert_allclose(h, want_h, rtol=1e-12)
        np.testing.assert_allclose(c, want_c, rtol=1e-12)


@pytest.mark.parametrize(("d", "h"), [(2, 3), (5, 2), (3, 1)])
def test_each_layer_by_plain_loops(key, rng, d, h):
    z, W, b = rng.normal(size=h + d), rng.normal(size=(h, h + d)), rng.normal(size=h)
    sums = [sum(w * s for w, s in zip(row, z, strict=True)) + bias for row, bias in zip(W, b, strict=True)]
    for name in ("forget_gate", "input_gate", "output_gate"):
        np.testing.assert_allclose(key[name](z, W, b), [1 / (1 + math.exp(-a)) for a in sums], rtol=1e-12)
    np.testing.assert_allclose(key["candidate"](z, W, b), [math.tanh(a) for a in sums], rtol=1e-12)


def test_the_memory_and_what_is_shown_of_it(key, rng):
    f, c_prev, i, c_tilde, o, c = rng.normal(size=(6, 4))
    want = [p * q + r * s for p, q, r, s in zip(f, c_prev, i, c_tilde, strict=True)]
    np.testing.assert_allclose(key["cell_state"](f, c_prev, i, c_tilde), want, rtol=1e-12)
    shown = [gate * math.tanh(memory) for gate, memory in zip(o, c, strict=True)]
    np.testing.assert_allclose(key["hidden_state"](o, c), shown, rtol=1e-12)


def test_the_output_is_scores_and_their_softmax(key, rng):
    h, W_v, b_v = rng.normal(size=3), rng.normal(size=(5, 3)), rng.normal(size=5)
    v, y_hat = key["lstm_output"](h, W_v, b_v)
    want = [sum(w * s for w, s in zip(row, h, strict=True)) + bias for row, bias in zip(W_v, b_v, strict=True)]
    np.testing.assert_allclose(v, want, rtol=1e-12)
    np.testing.assert_allclose(y_hat, [math.exp(s) / sum(map(math.exp, want)) for s in want], rtol=1e-12)


# --------------------------------------------------------------------------- one step back


def test_from_the_loss_to_the_scores_and_the_hidden_state(key, rng):
    """-log softmax(W_v h + b_v)[label], differentiated by autograd for v and for h."""
    h, W_v, b_v = rng.normal(size=3), rng.normal(size=(5, 3)), rng.normal(size=5)
    for label in range(5):

        def loss_of_scores(v, label=label):
            return anp.log(anp.sum(anp.exp(v))) - v[label]

        def loss_of_h(h, loss=loss_of_scores):
            return loss(anp.dot(W_v, h) + b_v)

        _, y_hat = key["lstm_output"](h, W_v, b_v)
        before = y_hat.copy()
        d_v, d_h = key["d_output"](y_hat, label, W_v)
        np.testing.assert_array_equal(y_hat, before)
        np.testing.assert_allclose(d_v, grad(loss_of_scores)(W_v @ h + b_v), rtol=1e-10)
        np.testing.assert_allclose(d_h, grad(loss_of_h)(h), rtol=1e-10)


def downstream(a, c_prev, d_h, d_c_next):
    """Whatever follows a step, made linear: d_h and d_c_next are its slopes. `a`: the four sums, a dict."""
    c = logistic(a["f"]) * c_prev + logistic(a["i"]) * anp.tanh(a["c"])
    return anp.sum(d_h * logistic(a["o"]) * anp.tanh(c)) + anp.sum(d_c_next * c)


@pytest.mark.parametrize("n", [1, 3, 6])
def test_every_gate_of_a_step_against_autograd(key, rng, n):
    """From d_h and d_c_next to the inputs of the four layers and to the old memory."""
    a = {gate: rng.normal(size=n) for gate in GATES}
    c_prev, d_h, d_c_next = rng.normal(size=(3, n))
    f, i, o, c_tilde = (
        1 / (1 + np.exp(-a["f"])),
        1 / (1 + np.exp(-a["i"])),
        1 / (1 + np.exp(-a["o"])),
        np.tanh(a["c"]),
    )
    c = f * c_prev + i * c_tilde
    want = grad(downstream)(a, c_prev, d_h, d_c_next)
    d_c = key["d_cell"](d_h, o, c, d_c_next)
    np.testing.assert_allclose(key["d_output_gate"](d_h, o, c)[1], want["o"], rtol=1e-10)
    np.testing.assert_allclose(key["d_candidate"](d_c, i, c_tilde)[1], want["c"], rtol=1e-10)
    np.testing.assert_allclose(key["d_input_gate"](d_c, i, c_tilde)[1], want["i"], rtol=1e-10)
    np.testing.assert_allclose(key["d_forget_gate"](d_c, f, c_prev)[1], want["f"], rtol=1e-10)
    back = grad(downstream, 1)(a, c_prev, d_h, d_c_next)
    np.testing.assert_allclose(key["d_previous_cell"](d_c, f), back, rtol=1e-10)


def slope(function, at, h=1e-6):
    """Central differences of a function that returns one number, entry by entry."""
    out = np.zeros(at.shape)
    for place in np.ndindex(at.shape):
        step = np.zeros(at.shape)
        step[place] = h
        out[place] = (function(at + step) - function(at - step)) / (2 * h)
    return out


def test_the_gates_themselves_against_differences(key, rng):
    """The first results: gradients at the outputs of the gates and of the candidate, and at C."""
    f, i, o = rng.uniform(0.1, 0.9, size=(3, 4))
    c_tilde, c_prev, d_h, d_c_next = rng.normal(size=(4, 4))
    c = f * c_prev + i * c_tilde

    def later(c):
        return np.sum(d_h * o * np.tanh(c)) + np.sum(d_c_next * c)

    close = {"rtol": 1e-6, "atol": 1e-9}
    d_c = key["d_cell"](d_h, o, c, d_c_next)
    np.testing.assert_allclose(d_c, slope(later, c), **close)
    shown = slope(lambda o: np.sum(d_h * o * np.tanh(c)), o)
    np.testing.assert_allclose(key["d_output_gate"](d_h, o, c)[0], shown, **close)
    new = slope(lambda new: later(f * c_prev + i * new), c_tilde)
    np.testing.assert_allclose(key["d_candidate"](d_c, i, c_tilde)[0], new, **close)
    written = slope(lambda i: later(f * c_prev + i * c_tilde), i)
    np.testing.assert_allclose(key["d_input_gate"](d_c, i, c_tilde)[0], written, **close)
    kept = slope(lambda f: later(f * c_prev + i * c_tilde), f)
    np.testing.assert_allclose(key["d_forget_gate"](d_c, f, c_prev)[0], kept, **close)


@pytest.mark.parametrize(("d", "h"), [(2, 3), (5, 2), (4, 1)])
def test_back_over_the_weights(key, rng, d, h):
    """sum of d_a . (W z + b) has d_a as its slope at the sums: autograd for h_prev, x and all eight parameters."""
    params = random_params(rng, d, h, 3)
    d_a = {gate: rng.normal(size=h) for gate in GATES}
    h_prev, x = rng.normal(size=h), rng.normal(size=d)

    def sums(params, h_prev, x):
        z = anp.concatenate([h_prev, x])
        return sum(anp.sum(d_a[g] * (anp.dot(params[f"W_{g}"], z) + params[f"b_{g}"])) for g in GATES)

    d_h_prev, d_x = key["d_concat"](d_a, params, h)
    np.testing.assert_allclose(d_h_prev, grad(sums, 1)(params, h_prev, x), rtol=1e-10)
    np.testing.assert_allclose(d_x, grad(sums, 2)(params, h_prev, x), rtol=1e-10)
    found, want = key["d_weights"](d_a, np.concatenate([h_prev, x])), grad(sums)(params, h_prev, x)
    assert set(found) == {f"{kind}_{gate}" for kind in "Wb" for gate in GATES}
    for name, value in found.items():
        np.testing.assert_allclose(value, want[name], rtol=1e-10, err_msg=name)


# --------------------------------------------------------------------------- the whole sequence


@pytest.mark.parametrize("sizes", SIZES)
def test_backward_against_autograd(key, rng, sizes):
    """Loss, ten gradients and both start states, from start states that are not zero."""
    xs, ys, h0, c0, params = random_sequence(rng, *sizes)
    before = copy.deepcopy((xs, ys, h0, c0, params))
    loss, grads, d_h0, d_c0 = key["lstm_backward"](xs, ys, h0, c0, params)
    assert loss == pytest.approx(sequence_loss(xs, ys, h0, c0, params), rel=1e-12)
    want_h0, want_c0, want = (grad(sequence_loss, k)(xs, ys, h0, c0, params) for k in (2, 3, 4))
    np.testing.assert_allclose(d_h0, want_h0, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(d_c0, want_c0, rtol=1e-9, atol=1e-12)
    assert set(grads) == set(params)
    for name, value in grads.items():
        np.testing.assert_allclose(value, want[name], rtol=1e-9, atol=1e-12, err_msg=name)
    for old, now in zip(before[:4], (xs, ys, h0, c0), strict=True):
        np.testing.assert_array_equal(old, now)
    for name, old in before[4].items():
        np.testing.assert_array_equal(old, params[name])


@pytest.mark.parametrize("seed", range(5))
def test_one_update_lowers_the_loss_and_the_printed_sign_raises_it(key, seed):
    """Seed 002 prints W += alpha dJ/dW; the loss of a random LSTM rises with it and falls with the choice's sign."""
    xs, ys, h0, c0, params = random_sequence(np.random.default_rng(seed), 3, 4, 5, 6)
    before = copy.deepcopy(params)
    loss, grads, _, _ = key["lstm_backward"](xs, ys, h0, c0, params)
    down = key["sgd_update"](params, grads, 1e-3)
    squares = sum(np.sum(g**2) for g in grads.values())
    assert sequence_loss(xs, ys, h0, c0, down) == pytest.approx(loss - 1e-3 * squares, abs=0.1e-3 * squares)
    up = {name: value + 1e-3 * grads[name] for name, value in params.items()}
    assert sequence_loss(xs, ys, h0, c0, up) > loss
    assert key["update_sign"] == "-"
    for name, value in params.items():
        np.testing.assert_array_equal(value, before[name])
        assert not np.shares_memory(value, down[name])


def test_what_the_belt_does_to_a_gradient(key, rng):
    """The slope of the last state in each earlier one, with the gates held fast, by autograd."""
    fs, added = rng.uniform(0.2, 0.95, size=(2, 5, 3))

    def last_state(c, start, cell):
        for t in range(start, len(fs)):
            c = fs[t, cell] * c + added[t, cell]
        return c

    want = [[grad(last_state)(0.7, t, cell) for cell in range(3)] for t in range(5)]
    np.testing.assert_allclose(key["state_gradient_lstm"](fs), want, rtol=1e-12)
    np.testing.assert_allclose(key["state_gradient_lstm"](fs[:, 1]), np.array(want)[:, 1], rtol=1e-12)


# --------------------------------------------------------------------------- the numbers in the text


def printed(number):
    """A number as the text prints it: four decimals, no zero in front of the point."""
    return re.sub(r"^(-?)0\.", r"\1.", f"{number:.4f}")


def test_the_worked_numbers_of_the_text(course, key):
    """First unit of the first step and of `example`, by `math` alone: each stands in the text."""
    text = course.unit(UNIT).text.read_text("utf-8")
    prose = "\n".join(line for line in text.splitlines() if line.startswith("# "))
    z, params = [0.2, -0.1, 1.0, 0.0, 0.5], key["params"]
    a = {g: sum(w * s for w, s in zip(params[f"W_{g}"][0], z, strict=True)) + params[f"b_{g}"][0] for g in GATES}
    assert [round(a[g], 2) for g in "fic"] == [1.23, 0.87, -0.83]
    f, i, o = (1 / (1 + math.exp(-a[g])) for g in "fio")
    c = f * 0.5 + i * math.tanh(a["c"])
    numbers = [f, i, o, math.tanh(a["c"]), f * 0.5, -i * math.tanh(a["c"]), c, math.tanh(c), o * math.tanh(c)]
    f, i, new, o, old, d_h, d_next = 0.5, 0.7, 0.2, 0.6, 0.6, 0.5, 0.1
    c = f * old + i * new
    tanh_c = math.tanh(c)
    from_h = d_h * o * (1 - tanh_c**2)
    d_c = from_h + d_next
    numbers += [tanh_c, d_h * tanh_c, d_h * tanh_c * o * (1 - o), 1 - tanh_c**2, from_h, d_c, d_c * i]
    numbers += [d_c * i * (1 - new**2), d_c * new, d_c * new * i * (1 - i), d_c * old, d_c * old * f * (1 - f), d_c * f]
    missing = [printed(number) for number in numbers if printed(number) not in prose]
    assert not missing


def test_the_worked_loss_of_the_text(course, key):
    """The five losses add up to what the text says, and the first is -log of its probability."""
    text = course.unit(UNIT).text.read_text("utf-8")
    given = [key[name] for name in ("xs", "ys", "h0", "c0", "params")]
    assert f"add up to {sequence_loss(*given):.4f}" in text
    other_given = [key["other"][name] for name in ("xs", "ys", "h0", "c0", "params")]
    assert f"the `other` one to {sequence_loss(*other_given):.4f}" in text
    first = sequence_loss(given[0][:1], given[1][:1], *given[2:])
    assert f"{first:.4f}" in text
    assert printed(math.exp(-first)) in text
    first_h, first_c, _ = key["lstm_step"](*other_given[0][:1], *other_given[2:])
    for state in (first_h, first_c):
        assert f"({', '.join(map(printed, state))})" in text
    e = key["example"]
    np.testing.assert_allclose(e["c"], e["f"] * e["c_prev"] + e["i"] * e["c_tilde"], rtol=1e-12)


# --------------------------------------------------------------------------- the two cells


def states_over(cell, characters, special):
    """A one-cell LSTM over a text, by `math` alone: its state after every character."""
    h, c, seen = 0.0, 0.0, []

    def total(gate, x):
        (on_h, on_x), (bias,) = np.ravel(cell[f"W_{gate}"]), np.ravel(cell[f"b_{gate}"])
        return on_h * h + on_x * x + bias

    def squash(a):
        return 1 / (1 + math.exp(-a)) if a > 0 else math.exp(a) / (1 + math.exp(a))

    for character in characters:
        a = {gate: total(gate, 1.0 if character == special else 0.0) for gate in GATES}
        c = squash(a["f"]) * c + squash(a["i"]) * math.tanh(a["c"])
        h = squash(a["o"]) * math.tanh(c)
        seen.append(c)
    return np.array(seen)


def random_lines(rng):
    """Lines of up to 80 characters and the count that each character should see."""
    lines = ["x" * n for n in [*rng.integers(0, 81, size=12), 80, 0]]
    text = "\n".join(lines)
    return text, np.array([len(text[: k + 1].rsplit("\n", 1)[-1]) for k in range(len(text))])


def random_quotations(rng):
    """Quotations of up to 80 characters; for each character True inside, False outside, None at a mark."""
    text, where = "", []
    for _ in range(12):
        for count, inside in ((rng.integers(0, 200), False), (rng.integers(0, 81), True)):
            text += "x" * count + '"'
            where += [inside] * count + [None]
    return text + "x" * 50, [*where, *[False] * 50]


def cell_of(rng, scale):
    return {f"W_{g}": scale * rng.normal(size=(1, 2)) for g in GATES} | {
        f"b_{g}": scale * rng.normal(size=1) for g in GATES
    }


@pytest.mark.parametrize("seed", range(20))
def test_the_line_cell_counts_on_any_text(key, seed):
    """The bound is .01; the solution is a thousand times nearer, a cell of zeros or of chance misses by tens."""
    rng = np.random.default_rng(seed)
    text, counts = random_lines(rng)
    assert np.max(np.abs(states_over(key["line_params"], text, "\n") - counts)) < 1e-5
    for start in (cell_of(rng, 0.0), cell_of(rng, 1.0)):
        assert np.max(np.abs(states_over(start, text, "\n") - counts)) > 10


@pytest.mark.parametrize("seed", range(20))
def test_the_quote_cell_tells_inside_from_outside_on_any_text(key, seed):
    """The level is .5; the solution stays .49 away on both sides, a cell of zeros or of chance misses it widely."""
    rng = np.random.default_rng(seed)
    text, where = random_quotations(rng)
    inside, outside = (np.array([place is side for place in where]) for side in (True, False))
    c = states_over(key["quote_params"], text, '"')
    assert np.min(c[inside]) > 0.99
    assert np.max(c[outside]) < 0.01
    for start in (cell_of(rng, 0.0), cell_of(rng, 1.0)):
        c = states_over(start, text, '"')
        assert np.mean(c[inside] > 0.5) < 0.75 or np.mean(c[outside] < 0.5) < 0.75


MADE_UP = [
    {},
    None,
    "one_cell",
    [1.0, 2.0],
    np.arange(81.0),
    {"c": np.arange(81.0)},
    {f"{kind}_{gate}": np.zeros(2 if kind == "W" else 1) for kind in "Wb" for gate in GATES},
    {f"{kind}_{gate}": np.full(3, 20.0) for kind in "Wb" for gate in GATES},
    {f"{kind}_{gate}": np.full(2 if kind == "W" else 1, np.nan) for kind in "Wb" for gate in GATES},
    {f"{kind}_{gate}": "20" for kind in "Wb" for gate in GATES},
]


@pytest.mark.parametrize(("item", "name"), [("line-length-cell", "line_params"), ("quote-cell", "quote_params")])
def test_the_judge_takes_cells_that_do_the_job_and_no_made_up_ones(key, items, item, name):
    """The judge's own cell against one written here, and answers that are no cell at all."""
    accept = items[item].accept
    assert accept(Trial(key[name], (), None, {})) is None
    for answer in MADE_UP:
        try:
            found = accept(Trial(answer, (), None, {}))
        except (ValueError, TypeError, KeyError, IndexError, AttributeError):
            continue  # what the judge takes for "not of the form that is asked for"
        assert found is not None
        assert found.credit == 0
    always_on = {f"{kind}_{gate}": np.full(2 if kind == "W" else 1, 1e308) for kind in "Wb" for gate in GATES}
    assert accept(Trial(always_on, (), None, {})).credit <= 0.25
    rng = np.random.default_rng(3)
    for scale in [0.5, 3.0, 20.0] * 20:
        assert accept(Trial(cell_of(rng, scale), (), None, {})) is not None


@pytest.mark.parametrize(("item", "name"), [("line-length-cell", "line_params"), ("quote-cell", "quote_params")])
@pytest.mark.parametrize("seed", range(4))
def test_cells_with_other_weights_pass_where_they_do_the_job(key, items, item, name, seed):
    """Any cell near the solution that keeps the bounds on texts made here is right for the judge as well."""
    rng = np.random.default_rng(seed)
    cell = {k: np.asarray(v) * rng.uniform(0.9, 1.1, size=np.shape(v)) for k, v in key[name].items()}
    if item == "line-length-cell":
        text, counts = random_lines(rng)
        does_it = np.all(np.abs(states_over(cell, text, "\n") - counts) <= 0.01)
    else:
        text, where = random_quotations(rng)
        c = states_over(cell, text, '"')
        does_it = all(place is None or (state > 0.5) == place for state, place in zip(c, where, strict=True))
    assert does_it
    assert items[item].accept(Trial(cell, (), None, {})) is None


def test_the_judge_names_what_a_cell_does_wrong(key, items):
    """Cells made wrong here, not by the items' own edits."""
    line, quote = key["line_params"], key["quote_params"]
    open_always, slow_leak = np.zeros((1, 2)), np.array([5.0])
    wrong = [
        ("line-length-cell", line | {"W_f": open_always}, "never-reset"),
        ("line-length-cell", line | {"W_i": open_always}, "newline-counted"),
        ("line-length-cell", line | {"b_f": slow_leak}, "leaks"),
        ("quote-cell", quote | {"W_c": open_always}, "never-cleared"),
        ("quote-cell", quote | {"b_f": np.array([2.0])}, "fades"),
        ("quote-cell", quote | {"b_f": np.array([-20.0])}, "only-at-the-mark"),
    ]
    for item, cell, name in wrong:
        found = items[item].accept(Trial(cell, (), None, {}))
        slip = next(slip for slip in items[item].slips if slip.name == name)
        assert (found.name, found.credit) == (name, slip.credit)
