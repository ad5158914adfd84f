"""Unit 04 against central differences of a plain-Python error, and the numbers printed by seed 001."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

HAND = 5.1e-5  # half a unit of the fourth decimal: what a number printed with four decimals can be off
SIZES = [(5, 3, 4, 2), (4, 2, 3, 5), (1, 4, 2, 3), (6, 2, 5, 1)]
WORKED = Path("/work/shared/design/worked-values.csv")

# The tables of seed 001 (worked-values.csv), with the point and the sign that two cells of c1 lost in print.
C1 = [[0.0604, 0.0332], [0.1134, 0.0427], [-0.2929, -0.1658], [0.2193, 0.1129]]
C2 = [[0.3447, 0.4816], [0.2929, 0.4176], [0.2930, 0.4191]]
W1_STAR = [[0.4994, 0.4997], [0.0989, 0.1996], [0.3029, 0.4017], [0.4978, 0.5989]]
W2_STAR = [[0.4966, 0.4952], [0.6971, 0.7958], [0.8971, 0.0958]]


@pytest.fixture
def key(answer_key):
    """The instructor's objects of this unit, by name."""
    return answer_key("04-sgd-tables")


@pytest.fixture
def rng():
    return np.random.default_rng(20240604)


@pytest.mark.parametrize("row", range(6))
def test_row_gradients_are_the_slopes_of_the_row_error(key, row):
    X, Y, w1, w2 = (key[name] for name in ("X", "Y", "w1", "w2"))
    want1, want2 = _slopes(X[row : row + 1], Y[row : row + 1], w1, w2)
    np.testing.assert_allclose(key["c1_rows"][row], want1, atol=1e-9)
    np.testing.assert_allclose(key["c2_rows"][row], want2, atol=1e-9)


def test_sums_over_four_rows_are_the_printed_tables(key):
    np.testing.assert_allclose(key["c1_sum4"], C1, atol=HAND)
    np.testing.assert_allclose(key["c2_sum4"], C2, atol=HAND)


def test_sums_over_six_rows_are_the_slopes_of_the_total_error(key):
    want1, want2 = _slopes(key["X"], key["Y"], key["w1"], key["w2"])
    np.testing.assert_allclose(key["c1_sum6"], want1, atol=1e-8)
    np.testing.assert_allclose(key["c2_sum6"], want2, atol=1e-8)


def test_new_weights_are_the_printed_ones_where_the_print_is_right(key):
    np.testing.assert_allclose(key["w1_star"], W1_STAR, atol=HAND)
    np.testing.assert_allclose(key["w2_star"], W2_STAR, atol=HAND)


def test_wrong_cells_are_those_that_the_printed_gradients_contradict(key):
    """Worked from the printed tables alone: w - .01 c against the printed w*."""
    rule = np.array([[0.5, 0.5], [0.7, 0.8], [0.9, 0.1]]) - 0.01 * np.array(C2)
    printed = key["printed_w2_star"]
    wrong = {(k, j) for k in range(3) for j in range(2) if abs(printed[k][j] - rule[k][j]) > HAND}
    assert key["wrong_cells"] == wrong
    assert wrong == {(0, 1), (1, 0), (1, 1), (2, 0), (2, 1)}


def test_update_table_has_each_weight_once(key):
    table = key["update_table"]
    assert isinstance(table, pd.DataFrame)
    lines = {(line.layer, line.row, line.column): (line.w, line.c, line.w_star) for line in table.itertuples()}
    want = {}
    for layer, w, c, new in ((1, key["w1"], C1, W1_STAR), (2, key["w2"], C2, W2_STAR)):
        want |= {(layer, i, k): (w[i][k], c[i][k], new[i][k]) for i in range(len(c)) for k in range(2)}
    assert len(table) == len(lines) == 14
    assert lines.keys() == want.keys()
    for place, cells in want.items():
        assert lines[place] == pytest.approx(cells, abs=HAND), place


@pytest.mark.parametrize(("n", "d", "h", "m"), SIZES)
def test_batch_step_goes_down_the_slope_of_the_summed_error(key, rng, n, d, h, m):
    X, Y, w1, w2 = _problem(rng, n, d, h, m)
    before = [array.copy() for array in (X, Y, w1, w2)]
    new1, new2 = key["batch_step"](X, Y, w1, w2, 0.3)
    slope1, slope2 = _slopes(X, Y, w1, w2)
    np.testing.assert_allclose((w1 - new1) / 0.3, slope1, atol=1e-8)
    np.testing.assert_allclose((w2 - new2) / 0.3, slope2, atol=1e-8)
    for array, old in zip((X, Y, w1, w2), before, strict=True):
        np.testing.assert_array_equal(array, old)


@pytest.mark.parametrize(("n", "d", "h", "m"), SIZES)
def test_online_epoch_steps_at_the_newest_weights(key, rng, n, d, h, m):
    X, Y, w1, w2 = _problem(rng, n, d, h, m)
    want1, want2 = w1, w2
    for row in range(n):
        slope1, slope2 = _slopes(X[row : row + 1], Y[row : row + 1], want1, want2)
        want1, want2 = want1 - 0.6 * slope1, want2 - 0.6 * slope2
    new1, new2 = key["online_epoch"](X, Y, w1, w2, 0.6)
    np.testing.assert_allclose(new1, want1, atol=1e-8)
    np.testing.assert_allclose(new2, want2, atol=1e-8)
    if n > 1:
        assert np.abs(new2 - key["batch_step"](X, Y, w1, w2, 0.6)[1]).max() > 1e-4


def test_online_epoch_gives_the_digits_of_the_errata(key):
    """w2[0,1] of the seed after six online rows is .494789, not the batch step's .494812."""
    args = [key[name] for name in ("X", "Y", "w1", "w2", "alpha")]
    assert key["online_epoch"](*args)[1][0, 0] == pytest.approx(0.494789, abs=5e-7)
    assert key["batch_step"](*args)[1][0, 0] == pytest.approx(0.494812, abs=5e-7)


def test_the_better_of_the_two_has_the_smaller_plain_error(key):
    X, Y, *start = (key[name] for name in ("X", "Y", "w1", "w2", "alpha"))
    left = {
        "online": _error(X, Y, *key["online_epoch"](X, Y, *start)),
        "batch": _error(X, Y, *key["batch_step"](X, Y, *start)),
    }
    assert key["online_vs_batch"] == min(left, key=lambda name: left[name])


@pytest.mark.parametrize(("d", "h", "m"), [(3, 4, 2), (5, 2, 3), (2, 3, 1)])
def test_simultaneous_step_takes_both_slopes_at_the_old_weights(key, rng, d, h, m):
    X, Y, w1, w2 = _problem(rng, 1, d, h, m)
    new1, new2 = key["simultaneous_step"](X[0], Y[0], w1, w2, 0.8)
    slope1, slope2 = _slopes(X, Y, w1, w2)
    np.testing.assert_allclose(new1, w1 - 0.8 * slope1, atol=1e-8)
    np.testing.assert_allclose(new2, w2 - 0.8 * slope2, atol=1e-8)


@pytest.mark.parametrize("epochs", [0, 1, 4])
def test_train_records_the_error_before_and_after_each_step(key, rng, epochs):
    X, Y, w1, w2 = _problem(rng, 4, 3, 2, 5)
    new1, new2, errors = key["train"](X, Y, w1, w2, 0.3, epochs)
    want = [_error(X, Y, w1, w2)]
    for _ in range(epochs):
        slope1, slope2 = _slopes(X, Y, w1, w2)
        w1, w2 = w1 - 0.3 * slope1, w2 - 0.3 * slope2
        want.append(_error(X, Y, w1, w2))
    np.testing.assert_allclose(errors, want, rtol=1e-7)
    np.testing.assert_allclose(new1, w1, atol=1e-7)
    np.testing.assert_allclose(new2, w2, atol=1e-7)


def test_training_run_is_the_record_that_the_syllabus_names(key):
    errors = key["errors"]
    assert errors.shape == (2001,)
    assert errors[0] == pytest.approx(_error(key["X"], key["Y"], key["w1"], key["w2"]), rel=1e-12)
    assert errors[:2] == pytest.approx([3.24545, 2.95326], abs=5.1e-6)
    assert np.all(np.diff(errors) < 0)
    assert errors[-1] < 1e-4


@pytest.mark.skipif(not WORKED.is_file(), reason="the design's table of worked values is not on this machine")
def test_every_exact_value_of_the_design_table(key):
    """The 28 cells of c1, c2, w1* and w2*, to ten decimals; the seed counts columns from 1."""
    tables = {"c1": "c1_sum4", "c2": "c2_sum4", "w1*": "w1_star", "w2*": "w2_star"}
    seen = 0
    for line in csv.DictReader(WORKED.open(encoding="utf-8")):
        name, _, rest = line["quantity"].partition("[")
        if name in tables:
            row, column = (int(index) for index in rest.partition("]")[0].split(","))
            assert key[tables[name]][row, column - 1] == pytest.approx(float(line["exact"]), abs=1e-10), line[
                "quantity"
            ]
            seen += 1
    assert seen == 28


# --------------------------------------------------------------------------- arithmetic of its own


def _problem(rng, n, d, h, m):
    """Random data and weights, biases that are not zero."""
    X, Y = rng.normal(size=(n, d)), rng.uniform(0.1, 0.9, size=(n, m))
    return X, Y, rng.normal(size=(d + 1, h)), rng.normal(size=(h + 1, m))


def _error(X, Y, w1, w2):
    """Half the sum of squared errors of all rows, in plain Python."""
    total = 0.0
    for x, y in zip(np.asarray(X).tolist(), np.asarray(Y).tolist(), strict=True):
        total += 0.5 * sum((a - t) ** 2 for a, t in zip(_layer(_layer(x, w1), w2), y, strict=True))
    return total


def _layer(a, w):
    sums = [sum(v * w[i][k] for i, v in enumerate([1.0, *a])) for k in range(len(w[0]))]
    return [1 / (1 + math.exp(-s)) for s in sums]


def _slopes(X, Y, w1, w2, step=1e-5):
    """Central differences of the error in every weight."""
    slopes = []
    for which in (0, 1):
        weights = [np.array(w1, dtype=float), np.array(w2, dtype=float)]
        slope = np.zeros(weights[which].shape)
        for place in np.ndindex(slope.shape):
            kept = weights[which][place]
            weights[which][place] = kept + step
            above = _error(X, Y, *weights)
            weights[which][place] = kept - step
            slope[place] = (above - _error(X, Y, *weights)) / (2 * step)
            weights[which][place] = kept
        slopes.append(slope)
    return slopes
