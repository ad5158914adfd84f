"""Unit 02 against hand numbers, 50-digit arithmetic, laws of the losses, and central differences."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pytest

UNIT = "02-loss"
DIGITS = 50  # of the arithmetic that float64 results are held against
STEP = 1e-6  # of central differences; their error is then about 1e-9 of the loss


@pytest.fixture
def key(answer_key: Callable[[str], Any]) -> Any:
    return answer_key(UNIT)


def rng() -> np.random.Generator:
    return np.random.default_rng(20)


def exact_losses(f: np.ndarray, labels: np.ndarray) -> list[float]:
    """Cross-entropy of each row in 50-digit arithmetic, by the plain formula: no shift is needed there."""
    with localcontext() as context:
        context.prec = DIGITS
        losses = []
        for row, label in zip(f, labels, strict=True):
            powers = [Decimal(float(score)).exp() for score in row]
            losses.append(float((sum(powers) / powers[label]).ln()))
        return losses


def exact_softmax(row: np.ndarray) -> list[float]:
    with localcontext() as context:
        context.prec = DIGITS
        powers = [Decimal(float(score)).exp() for score in row]
        return [float(power / sum(powers)) for power in powers]


def differences(loss: Callable[[], float], array: np.ndarray) -> np.ndarray:
    """Central differences of `loss` with respect to every entry of `array`, which is moved and put back."""
    slope = np.zeros_like(array)
    for place in np.ndindex(array.shape):
        kept = array[place]
        array[place] = kept + STEP
        above = loss()
        array[place] = kept - STEP
        below = loss()
        array[place] = kept
        slope[place] = (above - below) / (2 * STEP)
    return slope


# --------------------------------------------------------------------------- given data


def test_given_outputs_are_those_of_the_net(key: Any) -> None:
    """A2 is the forward pass of the given X, w1, w2, each unit computed on its own."""
    X, w1, w2, A2 = key["X"], key["w1"], key["w2"], key["A2"]
    for r in range(6):
        hidden = [1 / (1 + math.exp(-(w1[0, k] + sum(X[r, i] * w1[i + 1, k] for i in range(3))))) for k in range(2)]
        for j in range(2):
            s = w2[0, j] + hidden[0] * w2[1, j] + hidden[1] * w2[2, j]
            assert A2[r, j] == pytest.approx(1 / (1 + math.exp(-s)), abs=1e-9)


def test_given_scores_are_those_of_the_small_net(key: Any) -> None:
    """net_scores is z2 of the given net on the given points, to the four decimals that are shown."""
    net, points, shown = key["net"], key["points"], key["net_scores"]
    for n in range(4):
        hidden = [math.tanh(net["b1"][0, k] + points[n] @ net["W1"][:, k]) for k in range(3)]
        for j in range(2):
            z = net["b2"][0, j] + sum(hidden[k] * net["W2"][k, j] for k in range(3))
            assert shown[n, j] == pytest.approx(z, abs=6e-5)


# --------------------------------------------------------------------------- squared errors


def test_error_of_row_1_is_the_hand_number(key: Any) -> None:
    """worked-values.csv, E row 1."""
    assert key["E_row1"] == pytest.approx(0.5932448719, abs=1e-9)
    assert key["E_rows"][0] == pytest.approx(0.5932448719, abs=1e-9)


def test_errors_add_up_to_the_start_of_unit_4s_training(key: Any) -> None:
    """The syllabus gives the total over the six rows before training."""
    assert sum(key["E_rows"]) == pytest.approx(3.24545, abs=5e-6)


def test_only_the_mended_target_gives_the_printed_error(key: Any) -> None:
    """.5932 is printed; the misprinted .5 gives .3569."""

    def line(target: float) -> float:
        return 0.5 * ((0.8896 - 0.1) ** 2 + (0.8004 - target) ** 2)

    assert line(key["slip_target"]) == pytest.approx(0.5932, abs=1e-4)
    assert line(0.5) == pytest.approx(0.3569, abs=1e-4)


def test_squared_error_of_hand_sized_rows(key: Any) -> None:
    """3-4-5 triangles: half of 25, half of 169, and a perfect row."""
    got = key["squared_error"](
        np.array([[3.0, 0, 0], [5, 1, 2], [7, 8, 9]]), np.array([[0.0, 4, 0], [0, 13, 2], [7, 8, 9]])
    )
    assert got.tolist() == [12.5, 84.5, 0.0]


def test_squared_error_falls_with_the_miss(key: Any) -> None:
    """The derivative of the summed errors with respect to an output is the miss: the half is there for that."""
    draw = rng()
    y_hat, y = draw.normal(size=(4, 3)), draw.normal(size=(4, 3))
    slope = differences(lambda: float(np.sum(key["squared_error"](y_hat, y))), y_hat)
    assert slope == pytest.approx(y_hat - y, abs=1e-7)


@pytest.mark.parametrize("shape", [(5, 3), (2, 7), (1, 4), (6,)])
def test_mean_squared_error_by_its_definition(key: Any, shape: tuple[int, ...]) -> None:
    """Variance plus squared bias of the misses: the mean square, found another way."""
    draw = rng()
    y_hat, y = draw.normal(2, 1, size=shape), draw.normal(size=shape)
    misses = [float(miss) for miss in np.ravel(y_hat - y)]
    mean = math.fsum(misses) / len(misses)
    variance = math.fsum((miss - mean) ** 2 for miss in misses) / len(misses)
    assert key["mean_squared_error"](y_hat, y) == pytest.approx(variance + mean**2, rel=1e-12)


# --------------------------------------------------------------------------- softmax and cross-entropy


def test_softmax_of_the_worked_scores(key: Any) -> None:
    """1, e, e^2 over their sum."""
    parts = [1.0, math.e, math.e**2]
    want = [part / (1 + math.e + math.e**2) for part in parts]
    assert key["softmax"](np.array([1.0, 2, 3])) == pytest.approx(want, rel=1e-12)


@pytest.mark.parametrize("offset", [0.0, 1000.0, -1000.0])
def test_softmax_against_50_digits(key: Any, offset: float) -> None:
    """Right and silent wherever the scores lie, rows far apart included."""
    f = rng().integers(-20, 20, size=(4, 5)) / 8 + offset
    f[2] -= 2 * offset
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        got = key["softmax"](f)
        alone = key["softmax"](f[1])
    assert got == pytest.approx(np.array([exact_softmax(row) for row in f]), rel=1e-12)
    assert alone == pytest.approx(exact_softmax(f[1]), rel=1e-12)


def test_softmax_keeps_only_differences(key: Any) -> None:
    """Rows add up to 1, ratios are exponentials of differences, a shift per row changes nothing."""
    draw = rng()
    f = draw.normal(size=(6, 4))
    p = key["softmax"](f)
    assert p.sum(axis=1) == pytest.approx(np.ones(6), rel=1e-13)
    assert np.log(p[:, 0] / p[:, 3]) == pytest.approx(f[:, 0] - f[:, 3], rel=1e-11)
    assert key["softmax"](f + draw.normal(0, 50, size=(6, 1))) == pytest.approx(p, rel=1e-11)


def test_cross_entropy_of_even_chances_is_log_of_their_number(key: Any) -> None:
    assert key["cross_entropy"](np.full((3, 8), 1 / 8), np.array([0, 7, 4])) == pytest.approx(math.log(8), rel=1e-13)


def test_cross_entropy_is_the_geometric_mean_in_disguise(key: Any) -> None:
    """exp(-n L) is the product of what the right classes got: .7 * .6 * .2 * .25 = .021."""
    assert math.exp(-4 * key["cross_entropy"](key["probs"], key["prob_labels"])) == pytest.approx(0.021, rel=1e-12)


def test_cross_entropy_from_logits_against_50_digits(key: Any) -> None:
    """Ordinary scores, and every class of a row with scores at +-1000 as the right one."""
    draw = rng()
    f, labels = draw.normal(0, 2, size=(6, 3)), draw.integers(0, 3, size=6)
    loss = key["cross_entropy_from_logits"]
    assert loss(f, labels) == pytest.approx(np.mean(exact_losses(f, labels)), rel=1e-13)
    extreme = np.array([1000.0, -1000.0, 999.5, 0.25])
    for label in range(4):
        got = loss(extreme[None], np.array([label]))
        assert np.isfinite(got)
        assert got == pytest.approx(exact_losses(extreme[None], np.array([label]))[0], rel=1e-13)


def test_cross_entropy_from_logits_of_rows_far_apart(key: Any) -> None:
    """One row near +1000 and one near -1000 in a batch: each has its own ordinary loss."""
    f, labels = np.array([[1000.0, 1001.5, 999.0], [-1000.0, -1002.0, -999.5]]), np.array([0, 1])
    want = np.mean(exact_losses(f, labels))
    assert 1 < want < 3
    assert key["cross_entropy_from_logits"](f, labels) == pytest.approx(want, rel=1e-13)


def test_cross_entropy_from_logits_has_the_known_slope(key: Any) -> None:
    """Its gradient is (softmax - one-hot) / n: fails for a sum, for a lost minus, for neighbouring labels."""
    f, labels = rng().normal(size=(5, 3)), np.array([0, 2, 1, 2, 0])
    slope = differences(lambda: float(key["cross_entropy_from_logits"](f, labels)), f)
    want = np.array([exact_softmax(row) for row in f])
    want[np.arange(5), labels] -= 1
    assert slope == pytest.approx(want / 5, abs=1e-8)


def test_sequence_loss_is_the_surprise_of_the_whole_word(key: Any) -> None:
    """exp(-L) is the probability of the word, the product over its steps: .6 * .5 * .4 = .12."""
    assert math.exp(-key["sequence_loss"](key["step_probs"], key["step_targets"])) == pytest.approx(0.12, rel=1e-12)


def test_sequence_losses_of_two_halves_add_up(key: Any) -> None:
    """A sum over steps may be cut anywhere; a mean may not."""
    draw = rng()
    p, targets = draw.dirichlet(np.ones(5), size=7), draw.integers(0, 5, size=7)
    loss = key["sequence_loss"]
    assert loss(p[:3], targets[:3]) + loss(p[3:], targets[3:]) == pytest.approx(loss(p, targets), rel=1e-13)


# --------------------------------------------------------------------------- penalties


def test_penalty_of_whole_numbers(key: Any) -> None:
    """.4 / 2 times 1 + 4 + 9 + 16 + 25 + 36 + 9."""
    weights = [np.array([[1.0, -2], [3, 4]]), np.array([[-5.0, 6], [0, 3]])]
    assert key["l2_penalty"](weights, 0.4) == pytest.approx(20.0, rel=1e-14)


def test_penalty_pulls_each_weight_by_lam_times_itself(key: Any) -> None:
    draw = rng()
    weights = [draw.normal(size=(4, 3)), draw.normal(size=(3, 2))]
    for W in weights:
        slope = differences(lambda: float(key["l2_penalty"](weights, 0.3)), W)
        assert slope == pytest.approx(0.3 * W, abs=1e-8)


def test_regularized_loss_splits_into_data_and_penalty(key: Any) -> None:
    """Against 50 digits; twice the rows leave it as it is, so neither part is divided or multiplied by N."""
    draw = rng()
    f, labels, weights = draw.normal(size=(5, 4)), draw.integers(0, 4, size=5), [draw.normal(size=(3, 4))]
    loss = key["regularized_loss"]
    want = np.mean(exact_losses(f, labels)) + 0.2 / 2 * math.fsum(float(w) ** 2 for w in weights[0].ravel())
    assert loss(f, labels, weights, 0.2) == pytest.approx(want, rel=1e-13)
    assert loss(np.vstack([f, f]), np.tile(labels, 2), weights, 0.2) == pytest.approx(want, rel=1e-13)


def model_and_data() -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    draw = rng()
    shapes = {"W1": (3, 5), "b1": (1, 5), "W2": (5, 4), "b2": (1, 4)}
    model = {name: draw.normal(size=shape) for name, shape in shapes.items()}
    return model, draw.normal(size=(6, 3)), np.array([3, 0, 2, 1, 3, 0])


def test_wildml_loss_has_the_slopes_of_seed_004(key: Any) -> None:
    """N times its gradient is seed 004's: a1' d3 + lambda W2, sum of d3, X' d2 + lambda W1, sum of d2."""
    model, X, y = model_and_data()
    lam = 0.7
    slopes = {
        name: 6 * differences(lambda: float(key["calculate_loss"](model, X, y, lam)), array)
        for name, array in model.items()
    }
    a1 = np.tanh(X @ model["W1"] + model["b1"])
    d3 = np.array([exact_softmax(row) for row in a1 @ model["W2"] + model["b2"]]) - np.eye(4)[y]
    d2 = (1 - a1**2) * (d3 @ model["W2"].T)
    assert slopes["W2"] == pytest.approx(a1.T @ d3 + lam * model["W2"], abs=1e-7)
    assert slopes["b2"][0] == pytest.approx(d3.sum(axis=0), abs=1e-7)
    assert slopes["W1"] == pytest.approx(X.T @ d2 + lam * model["W1"], abs=1e-7)
    assert slopes["b1"][0] == pytest.approx(d2.sum(axis=0), abs=1e-7)


def test_wildml_loss_against_50_digits(key: Any) -> None:
    """Scores unit by unit, losses in 50 digits, biases without a penalty."""
    model, X, y = model_and_data()
    z2 = np.empty((6, 4))
    for n in range(6):
        hidden = [math.tanh(model["b1"][0, k] + math.fsum(X[n] * model["W1"][:, k])) for k in range(5)]
        for j in range(4):
            z2[n, j] = model["b2"][0, j] + math.fsum(hidden[k] * model["W2"][k, j] for k in range(5))
    squares = math.fsum(float(w) ** 2 for name in ("W1", "W2") for w in model[name].ravel())
    want = (math.fsum(exact_losses(z2, y)) + 0.7 / 2 * squares) / 6
    assert key["calculate_loss"](model, X, y, 0.7) == pytest.approx(want, rel=1e-12)


def test_the_two_penalties_agree_for_one_row_alone(key: Any) -> None:
    """At N = 1 inside and outside are the same; at N = 4 they are the numbers worked in the text."""
    net, points, classes, lam = key["net"], key["points"], key["classes"], key["lam"]
    weights = [net["W1"], net["W2"]]
    outside = key["regularized_loss"](key["net_scores"], classes, weights, lam)
    inside = key["calculate_loss"](net, points, classes, lam)
    assert lam / 2 * (4.5 + 3.75) == pytest.approx(0.4125)
    assert outside - inside == pytest.approx(0.4125 * 3 / 4, abs=1e-4)
    one = key["regularized_loss"](key["net_scores"][:1], classes[:1], weights, lam)
    assert key["calculate_loss"](net, points[:1], classes[:1], lam) == pytest.approx(one, abs=1e-4)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("squared_error", ("guess", "wanted")),
        ("mean_squared_error", ("guess", "wanted")),
        ("softmax", ("scores",)),
        ("cross_entropy", ("probs", "prob_labels")),
        ("cross_entropy_from_logits", ("scores", "labels")),
        ("sequence_loss", ("step_probs", "step_targets")),
    ],
)
def test_arguments_stay_as_they_are(key: Any, name: str, args: tuple[str, ...]) -> None:
    arrays = [key[arg] for arg in args]
    before = [array.copy() for array in arrays]
    key[name](*arrays)
    for array, kept in zip(arrays, before, strict=True):
        assert np.array_equal(array, kept)
