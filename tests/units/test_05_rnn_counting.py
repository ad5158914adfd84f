"""Unit 05 against autograd, central differences and numbers worked out here by hand."""

from __future__ import annotations

from types import SimpleNamespace

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad

from chainrule.course import Course
from chainrule.items import Trial

UNIT = "05-rnn-counting"
SIZES = [(1, 1), (1, 6), (4, 3), (3, 7), (6, 2)]  # n, T


@pytest.fixture
def key(answer_key):
    """The instructor's objects of this unit, by name."""
    return answer_key(UNIT)


@pytest.fixture
def rng():
    return np.random.default_rng(50_005)


@pytest.fixture
def items():
    return Course.find().unit(UNIT).items


def last_states(X, w_x, w_rec, start=0.0):
    """The end of every sequence as a polynomial of w_rec, with autograd's numpy and nothing of the notebook's."""
    T = X.shape[1]
    powers = anp.array([w_rec ** (T - 1 - k) for k in range(T)])
    return start * w_rec**T + w_x * anp.dot(X, powers)


def mean_square(X, y, w_x, w_rec, start=0.0):
    return anp.mean((last_states(X, w_x, w_rec, start) - y) ** 2)


def random_net(rng, n, T):
    """X, y, w_x, w_rec with weights of both signs, unlike in size."""
    w_x, w_rec = rng.choice([-1, 1], size=2) * rng.uniform([0.3, 0.9], [0.7, 1.5])
    return rng.normal(size=(n, T)), rng.uniform(0, T, size=n), float(w_x), float(w_rec)


# --------------------------------------------------------------------------- forward


def test_worked_states_are_those_of_hand_work(key):
    """w_x = .5, w_rec = 1.5: old state times 1.5, plus half of the input."""
    by_hand = [[0, 0, 0, 0.5], [0, 0, 0.5, 0.75 + 0.5], [0, 0.5, 0.75 + 0.5, 1.875 + 0.5]]
    np.testing.assert_allclose(key["S_worked"], by_hand, rtol=0, atol=1e-15)


def test_next_state_keeps_memory_and_input_apart(key):
    """Impulses: an input alone shows w_x, a state alone shows w_rec."""
    assert key["next_state"](0.0, 1.0, 0.3, 1.7) == pytest.approx(0.3)
    assert key["next_state"](1.0, 0.0, 0.3, 1.7) == pytest.approx(1.7)
    np.testing.assert_allclose(key["next_state"](np.array([2.0, -1.0]), np.array([3.0, 4.0]), 10.0, 100.0), [230, -60])


@pytest.mark.parametrize(("n", "T"), SIZES)
def test_states_are_a_polynomial_of_w_rec(key, rng, n, T):
    X, _, w_x, w_rec = random_net(rng, n, T)
    S = key["states"](X, w_x, w_rec)
    assert S.shape == (n, T + 1)
    assert not S[:, 0].any()
    for k in range(1, T + 1):
        np.testing.assert_allclose(S[:, k], last_states(X[:, :k], w_x, w_rec), rtol=1e-12, atol=1e-13)


def test_weights_of_one_count(key, rng):
    """With both weights 1 the states are running counts of ones."""
    X = rng.integers(0, 2, size=(9, 12)).astype(float)
    np.testing.assert_array_equal(key["states"](X, 1.0, 1.0)[:, 1:], np.cumsum(X, axis=1))


@pytest.mark.parametrize("name", ["next-state", "states"])
def test_no_case_has_equal_weights(items, rng, name):
    """A probe at w_x = w_rec passes a net that multiplies by the wrong weight."""
    for case in items[name].cases:
        for _ in range(50):
            *_, w_x, w_rec = case.draw(rng)
            assert abs(abs(w_x) - abs(w_rec)) > 0.3


# --------------------------------------------------------------------------- backward


@pytest.mark.parametrize("n", [1, 3, 8])
def test_cost_and_its_gradient(key, rng, n):
    ends, y = rng.normal(size=n), rng.normal(size=n)

    def cost(s):
        return anp.sum((s - y) ** 2) / n

    assert key["count_loss"](ends, y) == pytest.approx(cost(ends), rel=1e-13)
    np.testing.assert_allclose(key["output_gradient"](ends, y), grad(cost)(ends), rtol=1e-12)


@pytest.mark.parametrize(("n", "T"), SIZES)
def test_each_column_is_the_gradient_of_what_follows(key, rng, n, T):
    """Column k: start at S_k, let the rest of the net run, differentiate the cost."""
    X, y, w_x, w_rec = random_net(rng, n, T)
    S = key["states"](X, w_x, w_rec)
    G = key["gradient_over_time"](key["output_gradient"](S[:, -1], y), T, w_rec)
    assert G.shape == (n, T + 1)
    for k in range(T + 1):

        def cost(start, k=k):
            rest = last_states(X[:, k:], w_x, w_rec, start) if k < T else start
            return anp.mean((rest - y) ** 2)

        np.testing.assert_allclose(G[:, k], grad(cost)(S[:, k]), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("n", "T"), SIZES)
def test_weight_gradients_against_autograd(key, rng, n, T):
    X, y, w_x, w_rec = random_net(rng, n, T)
    S = key["states"](X, w_x, w_rec)
    dw_x, dw_rec = key["rnn_gradients"](X, S, key["output_gradient"](S[:, -1], y), w_rec)
    assert dw_x == pytest.approx(grad(mean_square, 2)(X, y, w_x, w_rec), rel=1e-9, abs=1e-11)
    assert dw_rec == pytest.approx(grad(mean_square, 3)(X, y, w_x, w_rec), rel=1e-9, abs=1e-11)


@pytest.mark.parametrize(("n", "T"), SIZES)
def test_weight_gradients_from_another_start_state(key, rng, n, T):
    """A start that is not zero: its column of S belongs to dw_rec. Central differences of the cost."""
    X, y, w_x, w_rec = random_net(rng, n, T)
    start = rng.normal(size=n)
    S = np.column_stack([start] + [last_states(X[:, :k], w_x, w_rec, start) for k in range(1, T + 1)])
    got = key["rnn_gradients"](X, S, 2 * (S[:, -1] - y) / n, w_rec)
    h = 1e-5
    measured = (
        (mean_square(X, y, w_x + h, w_rec, start) - mean_square(X, y, w_x - h, w_rec, start)) / (2 * h),
        (mean_square(X, y, w_x, w_rec + h, start) - mean_square(X, y, w_x, w_rec - h, start)) / (2 * h),
    )
    np.testing.assert_allclose(got, measured, rtol=1e-6, atol=1e-6)


def test_state_1_by_plain_arithmetic(key):
    """The ends miss by -.5, -.75, -.625; two steps back, times 1.5 each; only the third sequence has a 1 in step 1."""
    at_state_1 = [2 / 3 * miss * 1.5 * 1.5 for miss in (0.5 - 1, 1.25 - 2, 2.375 - 3)]
    np.testing.assert_allclose(key["state1_terms"], [at_state_1[2], 0.0], rtol=1e-12, atol=1e-15)
    assert at_state_1[2] == pytest.approx(-0.9375)


def test_state_1_is_what_the_first_step_adds(key):
    """All steps' gradient less the one of a net that starts in state 1: untied weights, differentiated apart."""
    X, y = key["X"], key["y"]

    def cost(u, v):  # the weights of step 1 alone
        first = u * X[:, 0] + v * 0.0
        return anp.mean((last_states(X[:, 1:], 0.5, 1.5, first) - y) ** 2)

    np.testing.assert_allclose(key["state1_terms"], [grad(cost, 0)(0.5, 1.5), grad(cost, 1)(0.5, 1.5)], atol=1e-14)


def test_hand_work_of_four_decimals_counts(key, items):
    """Two thirds of -.625, times 1.5 twice, rounded up, to even or cut at each step: all within the tolerance."""
    reached = {-0.9373: (-0.4166, -0.6249), -0.9375: (-0.4167, -0.6250), -0.9377: (-0.4167, -0.6251)}
    for by_hand, (at_end, one_back) in reached.items():
        assert abs(at_end - 2 * (2.375 - 3) / 3) < 1e-4
        assert abs(one_back - 1.5 * at_end) < 1e-4
        assert abs(by_hand - 1.5 * one_back) < 1e-4
        assert abs(by_hand - key["state1_terms"][0]) < 0.9 * items["state1-terms"].atol
    worst = max(abs(by_hand - key["state1_terms"][0]) for by_hand in reached)
    assert worst > 1.5e-4  # the usual 1e-4 would not do


# --------------------------------------------------------------------------- the check of the gradients


def test_check_of_right_gradients_is_tiny(key, rng):
    for n, T in SIZES[1:]:  # a single step does not use w_rec: 0 against 0
        X, y, w_x, w_rec = random_net(rng, n, T)
        errors = np.asarray(key["gradient_check"](X, y, w_x, w_rec))
        assert errors.shape == (2,)
        assert np.all(errors < 1e-6)


def test_check_at_a_large_step_shows_the_bend(key):
    """(1, 0, 1) with target 2 at w_x = 2: E is 4 w_rec**4, its slope 2 at .5, measured 2.08 with h = .1."""
    errors = key["gradient_check"](np.array([[1.0, 0.0, 1.0]]), np.array([2.0]), 2.0, 0.5, 0.1)
    assert errors[0] == pytest.approx(0, abs=1e-12)
    assert errors[1] == pytest.approx(0.08 / 4.08, rel=1e-9)


def test_check_finds_a_wrong_gradient(answer_key, items):
    """With any slip of rnn-gradients in the key, the check of a right loss is far from tiny."""
    instructor = answer_key(UNIT)
    X, y = np.array([[1.0, 0.5, 2.0, 1.5], [0.3, 1.2, 0.7, 1.1]]), np.array([4.0, 1.0])
    for slip in items["rnn-gradients"].slips:
        names = instructor.run(["gradient_check"], {"rnn-gradients": instructor.edited("rnn-gradients", slip)})
        try:
            worst = np.max(names["gradient_check"](X, y, 0.6, 1.3))
        except ValueError:  # a slip of another shape cannot be compared at all
            continue
        assert worst > 1e-2, slip.name


# --------------------------------------------------------------------------- steps and growth


def test_one_step_goes_downhill(key, rng):
    X, y, w_x, w_rec = random_net(rng, 4, 3)
    slopes = grad(mean_square, 2)(X, y, w_x, w_rec), grad(mean_square, 3)(X, y, w_x, w_rec)
    after = key["sgd_step"](w_x, w_rec, *slopes, 1e-4)
    assert mean_square(X, y, *after) < mean_square(X, y, w_x, w_rec)
    assert key["sgd_step"](0.5, 1.5, 2.0, -4.0, 0.1) == pytest.approx((0.3, 1.9))


@pytest.mark.parametrize("w_rec", [0.5, 1.0, 1.5, -0.7])
def test_growth_is_the_slope_of_the_end_by_a_state_k_steps_before(key, w_rec):
    T = 6
    growth = key["gradient_growth"](w_rec, T)
    assert growth.shape == (T + 1,)
    for k in range(T + 1):
        nothing = np.zeros((1, k))
        end = (lambda start, x=nothing: last_states(x, 0.4, w_rec, start)[0]) if k else (lambda start: start)
        assert growth[k] == pytest.approx(grad(end)(0.8), rel=1e-12)


def test_regimes_are_what_the_growth_does(key):
    words = {0.5: "vanishes", 1: "steady", 1.5: "explodes"}
    for w_rec, word in key["regimes"].items():
        left = float(w_rec) ** 50
        assert word == words[w_rec] == ("vanishes" if left < 1e-6 else "explodes" if left > 1e6 else "steady")


def test_rprop_by_hand(key):
    w, sign, delta = key["rprop_step"](np.array([3.0, -0.2]), np.ones(2), np.full(2, 0.1), np.array([0.5, 1.5]))
    np.testing.assert_allclose(w, [0.38, 1.55])
    np.testing.assert_array_equal(sign, [1, -1])
    np.testing.assert_allclose(delta, [0.12, 0.05])
    w, sign, delta = key["rprop_step"](np.array([-4.0]), np.zeros(1), np.ones(1), np.zeros(1), 2.0, 0.25)
    assert (w[0], sign[0], delta[0]) == (0.25, -1, 0.25)


def test_rprop_at_signs_of_zero(key):
    """0 now, 0 before, both: delta halves; a weight moves only where its gradient is not 0."""
    grad, before = np.array([0.0, 2.0, 0.0]), np.array([-1.0, 0.0, 0.0])
    w, sign, delta = key["rprop_step"](grad, before, np.full(3, 0.1), np.array([1.0, 2.0, 3.0]))
    np.testing.assert_allclose(w, [1.0, 1.95, 3.0])
    np.testing.assert_array_equal(sign, [0, 1, 0])
    np.testing.assert_allclose(delta, [0.05, 0.05, 0.05])


def test_rprop_does_not_see_the_size_of_a_gradient(key, rng):
    grads, before = rng.normal(size=5), rng.choice([-1.0, 1.0], size=5)
    delta, w = rng.uniform(0.1, 1, size=5), rng.normal(size=5)
    for one, other in zip(
        key["rprop_step"](grads, before, delta, w), key["rprop_step"](1e6 * grads, before, delta, w), strict=True
    ):
        np.testing.assert_array_equal(one, other)


# --------------------------------------------------------------------------- training, and how it is judged


def finding(items, trained, path, given):
    """What the item finds in an answer, or None."""
    return items["counting-trained"].accept(Trial((trained, path), (), None, given))


def given_of(seed):
    """Training data like the notebook's, drawn anew."""
    X20 = np.random.default_rng(seed).integers(0, 2, size=(20, 10)).astype(float)
    return {"w_x": 0.5, "w_rec": 1.5, "X20": X20, "y20": X20.sum(axis=1)}


def descent(key, given, steps, alpha=0.001, limit=1.0):
    """Clipped gradient descent with the instructor's functions."""
    net = SimpleNamespace(**{name: key[name] for name in ("states", "output_gradient", "rnn_gradients", "sgd_step")})
    u, v = given["w_x"], given["w_rec"]
    path = [(u, v)]
    for _ in range(steps):
        S = net.states(given["X20"], u, v)
        slopes = np.array(net.rnn_gradients(given["X20"], S, net.output_gradient(S[:, -1], given["y20"]), v))
        slopes = slopes / max(1.0, np.hypot(*slopes) / limit)
        u, v = net.sgd_step(u, v, *slopes, alpha)
        path.append((u, v))
    return np.array(path)


@pytest.fixture
def run(key, items):
    return SimpleNamespace(path=key["w_path"], trained=key["w_trained"], given=dict(key.given()))


def test_the_run_is_accepted_by_a_wide_margin(items, run):
    assert finding(items, run.trained, run.path, run.given) is None
    assert np.max(np.abs(run.trained - 1)) < 0.01 / 50
    assert np.max(np.abs(run.path[0] - 1)) == 0.5  # the start is 50 times too far


def test_the_judges_gradient_is_right(items, run, rng):
    """`accept` carries derivatives forward in time; autograd goes back."""
    places = rng.uniform(0.2, 1.5, size=(6, 2))
    X, y = run.given["X20"], run.given["y20"]
    judged = items["counting-trained"].accept.__globals__["_gradients"](places, X, y)
    for (u, v), got in zip(places, judged, strict=True):
        np.testing.assert_allclose(got, [grad(mean_square, 2)(X, y, u, v), grad(mean_square, 3)(X, y, u, v)], rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("other-start", np.ones((100, 2))),
        ("few-steps", np.array([[0.5, 1.5], [1.0, 1.0]])),
        ("few-steps", np.array([[0.5, 1.5], [0.5, 0.9], [1.0, 1.0]])),
        ("made-up", np.linspace((0.5, 1.5), (1.0, 1.0), 300)),
        ("made-up", np.geomspace((0.5, 1.5), (1.0, 1.0), 300)),
        ("made-up", np.vstack([np.linspace((0.5, 1.5), (0.5, 1), 200), np.linspace((0.5, 1), (1, 1), 200)])),
        ("made-up", np.vstack([np.linspace((0.5, 1.5), (0.37, 1.2), 200), np.linspace((0.37, 1.2), (1, 1), 200)])),
        ("form", np.ones(2)),
        ("form", np.ones((4, 5))),
        ("diverged", np.array([[0.5, 1.5], [-3.0, -7.0], [1e13, 4e13]])),
        ("diverged", np.full((50, 2), np.nan)),
    ],
)
def test_made_up_records_earn_nothing(items, run, name, path):
    found = finding(items, path[-1] if path.ndim == 2 and path.shape[1] == 2 else np.ones(2), path, run.given)
    assert found is not None
    assert found.name == name
    assert found.credit <= 0.25


def test_typing_ones_beside_a_real_path_that_ends_elsewhere(items, run):
    found = finding(items, np.ones(2), run.path[:500], run.given)
    assert (found.name, found.credit) == ("two-ends", 0.25)


def test_what_cannot_be_read_is_no_crash(items, run):
    """Text, ragged lists, dicts: the judge turns these exceptions into words. A missing part is named."""
    for path in ("far", [[0.5, 1.5], [1.0]], {"a": 1}):
        with pytest.raises((ValueError, TypeError, AttributeError)):
            finding(items, np.ones(2), path, run.given)
    assert finding(items, np.ones(2), None, run.given).name == "form"
    assert finding(items, None, run.path, run.given).name == "form"


def test_ascent_is_not_accepted(items, run):
    assert finding(items, run.path[0], run.path[::-1], run.given).name == "other-start"
    uphill = run.path[:1] - 0.2 * (run.path - run.path[:1])
    assert finding(items, uphill[-1], uphill, run.given).name == "made-up"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_twenty_other_data_sets_are_learned(key, items, seed):
    """The recipe of the notebook on data of 20 seeds: downhill throughout, and three times nearer than asked."""
    given = given_of(seed)
    path = descent(key, given, 8000)
    assert finding(items, path[-1], path, given) is None
    assert np.max(np.abs(path[-1] - 1)) < 0.01 / 3


@pytest.mark.slow
@pytest.mark.parametrize("limit", [0.5, 2.0, 5.0, 10.0])
def test_other_limits_of_the_clip_pass_too(key, items, run, limit):
    path = descent(key, run.given, 9000, limit=limit)
    assert finding(items, path[-1], path, run.given) is None
