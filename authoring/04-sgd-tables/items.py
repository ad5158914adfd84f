"""Unit 04, gradient descent by tables: what is graded, on which cases, and the mistakes that it knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from chainrule.items import Case, Finding, Same, Slip, Trial, Worked, choice, function, value

Rng = np.random.Generator
Array = np.ndarray[Any, np.dtype[np.float64]]

SUMMED = 5e-4  # four or six gradients, each rounded or cut to four decimals by hand, summed: measured up to 4.5e-4
BOUND = 1e-4  # what the total error must fall below in the training run
RUN = 1e-3  # a record may leave the key's by a thousandth: far above summation noise, far below another procedure


def _net(rng: Rng, d: int, h: int, m: int) -> tuple[Array, Array]:
    """w1 (d+1, h), w2 (h+1, m) with biases away from 0, small enough to keep the sigmoids off their flat ends."""
    w1, w2 = rng.normal(scale=1 / np.sqrt(d), size=(d + 1, h)), rng.normal(scale=1.2 / np.sqrt(h), size=(h + 1, m))
    w1[0], w2[0] = _away(rng, h, 0.3, 0.8), _away(rng, m, 0.3, 0.8)
    return w1, w2


def _away(rng: Rng, shape: int | tuple[int, ...], low: float, high: float) -> Array:
    return rng.choice([-1.0, 1.0], size=shape) * rng.uniform(low, high, size=shape)


def _batch(n: int, d: int, h: int, m: int) -> Callable[[Rng], tuple[Any, ...]]:
    """X, Y, w1, w2, alpha for n rows; inputs away from 0 and from the bias input, targets away from one half."""

    def draw(rng: Rng) -> tuple[Any, ...]:
        Y = 0.5 + _away(rng, (n, m), 0.2, 0.45)
        return (_away(rng, (n, d), 1.2, 2.2), Y, *_net(rng, d, h, m), float(rng.uniform(0.4, 0.9)))

    return draw


def _row(d: int, h: int, m: int) -> Callable[[Rng], tuple[Any, ...]]:
    """x (d,), y (m,), w1, w2, alpha."""

    def draw(rng: Rng) -> tuple[Any, ...]:
        X, Y, w1, w2, alpha = _batch(1, d, h, m)(rng)
        return X[0], Y[0], w1, w2, alpha

    return draw


def _training(n: int, d: int, h: int, m: int, epochs: int) -> Callable[[Rng], tuple[Any, ...]]:
    return lambda rng: (*_batch(n, d, h, m)(rng), epochs)


def _six_rows(given: Mapping[str, Any], *more: Any) -> tuple[Any, ...]:
    return (given["X"], given["Y"], given["w1"], given["w2"], *more)


# --------------------------------------------------------------------------- judging the table and the training run

Place = tuple[int, int, int]
Line = tuple[float, float, float]
COLUMNS = ("layer", "row", "column", "w", "c", "w_star")


class NotATable(ValueError):
    """Why an answer cannot be read as the update table, in words for the student."""


def accept_table(trial: Trial) -> Finding | None:
    """Every weight's line is found by its place, whatever the order; c and w_star count one share each.

    A w_star that follows from the line's own c counts, so a wrong gradient table is charged once.
    """
    alpha, want = float(trial.given["alpha"]), _lines(trial.want)
    try:
        got = _lines(trial.got)
    except NotATable as problem:
        return Finding("form", str(problem))
    moved = _moved(got, want)
    if moved is not None:
        name, says, back = moved
        share = _share({back(place): line for place, line in got.items()}, want, alpha)
        return Finding(name, says, round(0.5 * share, 2))
    if not set(got) & set(want):
        return Finding("places", "no line has the layer, row and column of a weight; look at the example line.")
    wrong = [place for place in want if place not in got or not _right(got[place], want[place])]
    if not wrong and len(got) == len(want):
        return None
    if set(got) == set(want):
        for name, says, credit, test in TABLE_SIGNS:
            if all(test(got[place], want[place], alpha) for place in want):
                return Finding(name, says, credit)
    return _partly(got, want, wrong, alpha)


def _near_c(a: float, b: float) -> bool:
    return abs(a - b) <= SUMMED


def _near_w(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-4


def _right(got: Line, want: Line) -> bool:
    return _near_w(got[0], want[0]) and _near_c(got[1], want[1]) and _near_w(got[2], want[2])


TABLE_SIGNS: tuple[tuple[str, str, float, Callable[[Line, Line, float], bool]], ...] = (
    (
        "ascent",
        "every w_star lies on the wrong side of w: with a positive c the error grows when the weight grows.",
        0.5,
        lambda got, want, alpha: _near_c(got[1], want[1]) and _near_w(got[2], want[0] + alpha * want[1]),
    ),
    (
        "no-alpha",
        "w and c are right; each weight moves by its whole gradient. Which factor makes the step small?",
        0.5,
        lambda got, want, alpha: _near_c(got[1], want[1]) and _near_w(got[2], want[0] - want[1]),
    ),
    (
        "change-alone",
        "w and c are right; w_star holds the size of the step, not the new weight.",
        0.5,
        lambda got, want, alpha: _near_c(got[1], want[1]) and _near_w(abs(got[2]), alpha * abs(want[1])),
    ),
    (
        "no-update",
        "w_star is w: no weight has moved.",
        0.25,
        lambda got, want, alpha: _near_c(got[1], want[1]) and abs(got[2] - want[0]) <= 1e-6,
    ),
    (
        "other-c",
        "each w_star goes with its own c, but c is not the sum over rows 1 to 4.",
        0.5,
        lambda got, want, alpha: _near_w(got[0], want[0]) and _follows(got, alpha),
    ),
)


def _follows(got: Line, alpha: float) -> bool:
    """Whether the new weight is right for the line's own gradient, where that moves it at all."""
    return _near_w(got[2], got[0] - alpha * got[1]) and abs(alpha * got[1]) > 2e-5


def _share(got: Mapping[Place, Line], want: Mapping[Place, Line], alpha: float) -> float:
    points = 0.0
    for place, right in want.items():
        line = got.get(place)
        if line is None or not _near_w(line[0], right[0]):
            continue
        points += 0.5 * _near_c(line[1], right[1])
        points += 0.5 * (_near_w(line[2], right[2]) or _follows(line, alpha))
    return points / len(want)


def _partly(got: Mapping[Place, Line], want: Mapping[Place, Line], wrong: list[Place], alpha: float) -> Finding:
    missing, extra = [place for place in want if place not in got], [place for place in got if place not in want]
    credit = min(round(_share(got, want, alpha), 2), 0.9)
    if missing:
        return Finding(
            "lines-missing", f"{len(missing)} of the 14 weights have no line, {_named(missing[0])} is one.", credit
        )
    if extra:
        return Finding(
            "lines-extra", f"there is a line for {_named(extra[0])}, a weight that the net does not have.", credit
        )
    place = wrong[0]
    off = [
        name
        for name, a, b, near in zip(COLUMNS[3:], got[place], want[place], (_near_w, _near_c, _near_w), strict=True)
        if not near(a, b)
    ]
    return Finding(
        "cells", f"{len(wrong)} of 14 lines have a wrong cell; in the line of {_named(place)} it is {off[0]}.", credit
    )


def _named(place: Place) -> str:
    return f"w{place[0]}[{place[1]}, {place[2]}]"


def _moved(got: Mapping[Place, Line], want: Mapping[Place, Line]) -> tuple[str, str, Callable[[Place], Place]] | None:
    """A table whose places are all counted in another way, and the way back."""
    for down, right in ((0, 1), (1, 1)):
        if set(got) == {(layer, i + down, k + right) for layer, i, k in want}:
            says = "the columns are counted from 1, as on the slides; numpy counts from 0."
            return "counted-from-1", says, lambda p, down=down, right=right: (p[0], p[1] - down, p[2] - right)
    if set(got) == {(layer, k, i) for layer, i, k in want}:
        says = "row and column are swapped: w1 has four rows and two columns."
        return "swapped", says, lambda p: (p[0], p[2], p[1])
    return None


def _lines(answer: Any) -> dict[Place, Line]:
    """The table by place: a DataFrame, a dict of columns or a list of dicts."""
    if isinstance(answer, list) and answer and all(isinstance(entry, Mapping) for entry in answer):
        answer = pd.DataFrame([{str(k): entry[k] for k in entry} for entry in answer])
    elif isinstance(answer, Mapping):
        answer = pd.DataFrame({str(name): list(np.ravel(column)) for name, column in answer.items()})
    if not isinstance(answer, pd.DataFrame):
        raise NotATable("`update_table` is not a DataFrame.")
    columns = {str(name).strip().casefold(): answer[name] for name in answer.columns}
    missing = [name for name in COLUMNS if name not in columns]
    if missing:
        raise NotATable(
            f"there is no column called {missing[0]}; the table needs {', '.join(COLUMNS)} as columns. "
            "If some of them are the index, `reset_index()` makes columns of them."
        )
    lines: dict[Place, Line] = {}
    for cells in zip(*(columns[name] for name in COLUMNS), strict=True):
        try:
            layer = int(float(str(cells[0]).strip().lower().removeprefix("w")))
            row, column = (int(float(cell)) for cell in cells[1:3])
            w, c, w_star = (float(cell) for cell in cells[3:])
        except (ValueError, TypeError, OverflowError):
            raise NotATable("there is a cell that is no number; is one of them empty?") from None
        if (layer, row, column) in lines:
            raise NotATable(f"there are two lines for {_named((layer, row, column))}; each weight has one.")
        lines[layer, row, column] = (w, c, w_star)
    return lines


def accept_run(trial: Trial) -> Finding | None:
    """The record of the one run that is asked for: its length, its first steps, every number of it, its end."""
    want = np.asarray(trial.want, dtype=float)
    got = np.asarray(trial.got, dtype=float).ravel()
    if got.size >= 2 and not np.all(np.isfinite(got)):
        return Finding("not-finite", "there are entries that are not finite numbers.")
    if got.size == want.size and _close(got, want) and got[-1] < BOUND:
        return None
    if got.size == want.size - 1 and (_close(got, want[1:]) or _close(got, want[:-1])):
        return Finding(
            "one-short", "these are 2000 numbers: the error before the first step or after the last is missing.", 0.5
        )
    if got.size < 2:
        return Finding("form", f"a record of {want.size} numbers is asked for, not {got.size}.")
    if _close(got[:1], want[:1]) and got.size <= 2 * want.size:
        if _close(got[: want.size], want[: got.size]):
            return Finding(
                "other-length", f"the run is the right one, but it has {got.size - 1} steps; 2000 are asked for.", 0.5
            )
        if abs(got[1] - SMALL_STEP) < 1e-4:
            return Finding("small-rate", "the first step is that of alpha .01; this run is asked for at alpha .1.", 0.5)
        if abs(got[1] - ONLINE) < 1e-4:
            return Finding(
                "online", "the first pass is an online one, with a step after each row; batch steps are asked for.", 0.5
            )
    if abs(got[0] - FOUR_ROWS) < 1e-4:
        return Finding("four-rows", "it starts at the error of rows 1 to 4 alone; all six rows are asked for.", 0.5)
    if _close(6 * got[:1], want[:1]) and got.size == want.size and _close(6 * got, want):
        return Finding(
            "mean-error", "every entry is a sixth of what it should be: the errors of the rows are summed here.", 0.5
        )
    if abs(got[0] - want[0]) > 1e-4:
        return Finding(
            "other-start", "it does not start at the error of the given weights. Were w1 or w2 changed before the run?"
        )
    return Finding("made-up", "after the start it is not the record of 2000 batch steps at alpha .1.")


# The numbers that give away another procedure, from the given data and weights: total error after one batch step
# at alpha .01, after one online epoch at alpha .1, and before any step on rows 1 to 4 alone.
SMALL_STEP, ONLINE, FOUR_ROWS = 3.2179088, 2.9308808, 2.1738097


def _close(got: Array, want: Array) -> bool:
    return got.shape == want.shape and bool(np.all(np.abs(got - want) <= RUN * np.abs(want)))


# --------------------------------------------------------------------------- whole solutions that several items share

NEW_W2 = """
    a0 = with_bias({x})
    a1 = with_bias(sigmoid(a0 @ w1))
    a2 = sigmoid(a1 @ w2)
    d_s2 = (a2 - {y}) * a2 * (1 - a2)
    w2 = w2 - alpha * {outer_2}
    d_s1 = (d_s2 @ w2[1:].T) * a1[..., 1:] * (1 - a1[..., 1:])
    return w1 - alpha * {outer_1}, w2
"""
NEW_W2_BATCH = NEW_W2.format(x="X", y="Y", outer_2="(a1.T @ d_s2)", outer_1="(a0.T @ d_s1)")
NEW_W2_ROW = NEW_W2.format(x="x", y="y", outer_2="np.outer(a1, d_s2)", outer_1="np.outer(a0, d_s1)")
NEW_W2_ONLINE = """
    for x, y in zip(X, Y):
        a0 = with_bias(x)
        a1 = with_bias(sigmoid(a0 @ w1))
        a2 = sigmoid(a1 @ w2)
        d_s2 = (a2 - y) * a2 * (1 - a2)
        w2 = w2 - alpha * np.outer(a1, d_s2)
        d_s1 = (w2[1:] @ d_s2) * a1[1:] * (1 - a1[1:])
        w1 = w1 - alpha * np.outer(a0, d_s1)
    return w1, w2
"""
MATRICES = """
    a0 = with_bias(X)
    a1 = with_bias(sigmoid(a0 @ w1))
    a2 = sigmoid(a1 @ w2)
    d_s2 = (a2 - Y) * a2 * (1 - a2)
    d_s1 = (d_s2 @ w2[1:].T) * a1[:, 1:] * (1 - a1[:, 1:])
    return w1 - alpha * a0.T @ d_s1, w2 - alpha * a1.T @ d_s2
"""
SAYS_NEW_W2 = (
    "the second layer is right, the first is not: its error signal went back through the w2 that was already new."
)
SAYS_ASCENT = "the weights move uphill: each step goes along the gradient, so the error grows."
SAYS_NO_ALPHA = "each weight moves by its whole gradient. Which factor makes the step small?"

ITEMS = (
    value(
        "row-gradients",
        "c1_rows",
        "c2_rows",
        points=3,
        parts=["c1_rows", "c2_rows"],
        slips=[
            Slip(
                "sign",
                "(a2 - y)",
                "(y - a2)",
                credit=0.5,
                says="every entry has the opposite sign: the error's slope is output less target.",
            ),
            Slip(
                "no-output-slope",
                "(a2 - y) * a2 * (1 - a2)",
                "a2 - y",
                credit=0.5,
                says="the output error arrives with its full size. Which slope does it pass on its way into the "
                "outputs' sums?",
            ),
            Slip(
                "no-hidden-slope",
                "w2[1:] @ d_s2 * a1[1:] * (1 - a1[1:])",
                "w2[1:] @ d_s2",
                credit=0.5,
                says="the second layer is right; in the first, the error has not passed the hidden units' sigmoid.",
            ),
            Slip(
                "bias-row",
                "w2[1:] @",
                "w2[:-1] @",
                credit=0.5,
                says="the second layer is right; the hidden units got each other's error. Which rows of w2 "
                "belong to hidden "
                "units, and which one is the bias?",
            ),
            Slip(
                "hidden-only-first-output",
                "w2[1:] @ d_s2",
                "w2[1:, 0] * d_s2[0]",
                credit=0.5,
                says="the second layer is right; a hidden unit feeds both outputs, but the error of one only has "
                "come back.",
            ),
            Slip(
                "no-bias-input",
                "np.outer(a0, d_s1), np.outer(a1, d_s2)",
                "np.outer(np.append(0, a0[1:]), d_s1), np.outer(np.append(0, a1[1:]), d_s2)",
                credit=0.5,
                says="the biases have no gradient. Their input is always 1, so theirs is the error signal itself.",
            ),
            Slip(
                "activation-for-slope",
                "a1[1:] * (1 - a1[1:])",
                "a1[1:]",
                credit=0.5,
                says="the second layer is right; in the first, the sigmoid's slope is only half there.",
            ),
            Slip(
                "one-target",
                "Y[r]",
                "Y[0]",
                credit=0.5,
                says="row 1 is right, the others are a little off: they were compared with row 1's targets.",
            ),
            Slip(
                "one-row",
                "X[r], Y[r]",
                "X[0], Y[0]",
                credit=0.25,
                says="all six tables are row 1's. Does the loop use its counter?",
            ),
            Slip(
                "running-sum",
                "for c1, _ in of_rows])\nc2_rows = np.array([c2 for _, c2 in of_rows])",
                "for c1, _ in of_rows]).cumsum(axis=0)\nc2_rows = np.array([c2 for _, c2 in of_rows]).cumsum(axis=0)",
                credit=0.5,
                says="each table has the earlier rows in it: a running sum. Here each row stands alone.",
            ),
            Slip(
                "transposed",
                "np.outer(a0, d_s1), np.outer(a1, d_s2)",
                "np.outer(d_s1, a0), np.outer(d_s2, a1)",
                credit=0.5,
                says="each table lies on its side: inputs go down, units go across, as in w1 and w2.",
            ),
        ],
        same=[
            Same(
                "rounded-4",
                "of_rows])\nc2_rows = np.array([c2 for _, c2 in of_rows])",
                "of_rows]).round(4)\nc2_rows = np.array([c2 for _, c2 in of_rows]).round(4)",
            ),
            Same(
                "whole-batch",
                "",
                """
                a0 = with_bias(X)
                a1 = with_bias(sigmoid(a0 @ w1))
                a2 = sigmoid(a1 @ w2)
                d_s2 = (a2 - Y) * a2 * (1 - a2)
                d_s1 = d_s2 @ w2[1:].T * a1[:, 1:] * (1 - a1[:, 1:])
                c1_rows = a0[:, :, None] * d_s1[:, None, :]
                c2_rows = np.einsum("rk,rj->rkj", a1, d_s2)
                """,
            ),
            Same("keeps-the-bias-unit", "w2[1:] @ d_s2 * a1[1:] * (1 - a1[1:])", "(w2 @ d_s2 * a1 * (1 - a1))[1:]"),
        ],
        hints=[
            "Does your `mlp_gradients` still give unit 3's tables for row 1? c2 there starts with .0776.",
            "Row 2 is worked above: compare `c1_rows[1][2, 0]` with -.2024 and `c2_rows[1][0, 0]` with .1055.",
            "A list of six tables becomes one array with `np.array([...])`; the tables number r, from 0, "
            "are mlp_gradients of X[r] and Y[r].",
        ],
    ),
    value(
        "gradient-sum-4",
        "c1_sum4",
        "c2_sum4",
        points=2,
        atol=SUMMED,
        parts=["c1_sum4", "c2_sum4"],
        builds_on=["row-gradients"],
        slips=[
            Slip(
                "six-rows",
                "",
                "c1_sum4 = c1_rows.sum(axis=0)\nc2_sum4 = c2_rows.sum(axis=0)",
                credit=0.5,
                says="that is the sum over all six rows; here rows 1 to 4 are asked.",
            ),
            Slip(
                "mean",
                "",
                "c1_sum4 = c1_rows[:4].mean(axis=0)\nc2_sum4 = c2_rows[:4].mean(axis=0)",
                credit=0.5,
                says="every entry is a quarter of what it should be: a mean where a sum is asked.",
            ),
            Slip(
                "rows-2-to-4",
                "",
                "c1_sum4 = c1_rows[1:4].sum(axis=0)\nc2_sum4 = c2_rows[1:4].sum(axis=0)",
                credit=0.5,
                says="row 1 is missing: numpy's slice 1:4 starts at the second row.",
            ),
            Slip(
                "rows-2-to-5",
                "",
                "c1_sum4 = c1_rows[1:5].sum(axis=0)\nc2_sum4 = c2_rows[1:5].sum(axis=0)",
                credit=0.5,
                says="these are four rows, but rows 2 to 5: numpy counts rows from 0.",
            ),
            Slip(
                "three-rows",
                "",
                "c1_sum4 = c1_rows[:3].sum(axis=0)\nc2_sum4 = c2_rows[:3].sum(axis=0)",
                credit=0.5,
                says="row 4 is missing: a slice ends before its second number.",
            ),
            Slip(
                "row-4-alone",
                "",
                "c1_sum4 = c1_rows[3]\nc2_sum4 = c2_rows[3]",
                credit=0.25,
                says="that is row 4's table alone. The earlier rows should be in it too.",
            ),
            Slip(
                "sign-lost",
                "",
                "c1_sum4 = abs(c1_rows[:4].sum(axis=0))\nc2_sum4 = c2_rows[:4].sum(axis=0)",
                credit=0.5,
                says="the sizes are right, but the third line of c1 has lost its minus sign, as it did in print.",
            ),
        ],
        same=[
            Same(
                "rows-rounded-first",
                "",
                "c1_sum4 = np.round(c1_rows[:4], 4).sum(axis=0)\nc2_sum4 = np.round(c2_rows[:4], 4).sum(axis=0)",
            ),
            Same(
                "rows-cut-first",
                "",
                "c1_sum4 = (np.trunc(c1_rows[:4] * 1e4) / 1e4).sum(axis=0)\n"
                "c2_sum4 = (np.trunc(c2_rows[:4] * 1e4) / 1e4).sum(axis=0)",
            ),
            Same(
                "added-up",
                "",
                "c1_sum4 = c1_rows[0] + c1_rows[1] + c1_rows[2] + c1_rows[3]\nc2_sum4 = sum(c2_rows[r] for r in "
                "range(4))",
            ),
        ],
        hints=[
            "Which numpy indices do rows 1 to 4 have?",
            "The first axis of `c1_rows` counts the rows; the sum runs along it and leaves a (4, 2) table.",
            "`c1_rows[:4]` are the four tables; `.sum(axis=0)` adds them cell by cell.",
        ],
    ),
    value(
        "gradient-sum-6",
        "c1_sum6",
        "c2_sum6",
        points=2,
        atol=SUMMED,
        parts=["c1_sum6", "c2_sum6"],
        builds_on=["row-gradients"],
        slips=[
            Slip(
                "four-rows",
                "",
                "c1_sum6 = c1_rows[:4].sum(axis=0)\nc2_sum6 = c2_rows[:4].sum(axis=0)",
                credit=0.5,
                says="that is the sum over rows 1 to 4 again; here all six are asked.",
            ),
            Slip(
                "mean",
                "",
                "c1_sum6 = c1_rows.mean(axis=0)\nc2_sum6 = c2_rows.mean(axis=0)",
                credit=0.5,
                says="every entry is a sixth of what it should be: a mean where a sum is asked.",
            ),
            Slip(
                "five-rows",
                "",
                "c1_sum6 = c1_rows[:5].sum(axis=0)\nc2_sum6 = c2_rows[:5].sum(axis=0)",
                credit=0.5,
                says="row 6 is missing: a slice ends before its second number.",
            ),
            Slip(
                "rows-2-to-6",
                "",
                "c1_sum6 = c1_rows[1:].sum(axis=0)\nc2_sum6 = c2_rows[1:].sum(axis=0)",
                credit=0.5,
                says="row 1 is missing: numpy counts rows from 0.",
            ),
            Slip(
                "last-two",
                "",
                "c1_sum6 = c1_rows[4:].sum(axis=0)\nc2_sum6 = c2_rows[4:].sum(axis=0)",
                credit=0.5,
                says="these are rows 5 and 6 alone; the first four belong to the sum too.",
            ),
            Slip(
                "sign-lost",
                "",
                "c1_sum6 = abs(c1_rows.sum(axis=0))\nc2_sum6 = c2_rows.sum(axis=0)",
                credit=0.5,
                says="the sizes are right, but the third line of c1 has lost its minus sign.",
            ),
        ],
        same=[
            Same(
                "rows-rounded-first",
                "",
                "c1_sum6 = np.round(c1_rows, 4).sum(axis=0)\nc2_sum6 = np.round(c2_rows, 4).sum(axis=0)",
            ),
            Same(
                "rows-cut-first",
                "",
                "c1_sum6 = (np.trunc(c1_rows * 1e4) / 1e4).sum(axis=0)\nc2_sum6 = (np.trunc(c2_rows * 1e4) / "
                "1e4).sum(axis=0)",
            ),
            Same("einsum", "", 'c1_sum6 = np.einsum("rik->ik", c1_rows)\nc2_sum6 = np.add.reduce(c2_rows)'),
        ],
        hints=["As before, with no row left out.", "The sum still runs along the first axis."],
    ),
    value(
        "w1-star",
        points=1,
        builds_on=["gradient-sum-4"],
        slips=[
            Slip(
                "ascent",
                "w1 - alpha",
                "w1 + alpha",
                credit=0.5,
                says="the weights move the wrong way: where c is positive, the error grows with the weight.",
            ),
            Slip("no-alpha", "alpha * c1_sum4", "c1_sum4", credit=0.5, says=SAYS_NO_ALPHA),
            Slip(
                "alpha-.1",
                "alpha *",
                "0.1 *",
                credit=0.5,
                says="the step is ten times too long: alpha is .01 in this table.",
            ),
            Slip(
                "six-rows",
                "c1_sum4",
                "c1_rows.sum(axis=0)",
                credit=0.5,
                says="this step takes all six rows; the table is made with rows 1 to 4.",
            ),
            Slip(
                "mean",
                "c1_sum4",
                "c1_sum4 / 4",
                credit=0.5,
                says="the step is a quarter of what it should be: the gradients are summed, not averaged.",
            ),
            Slip(
                "sign-lost",
                "c1_sum4",
                "abs(c1_sum4)",
                credit=0.5,
                says="the third line moves the wrong way: its gradient has lost its minus sign, as it did in print.",
            ),
            Slip(
                "no-update",
                "w1 - alpha * c1_sum4",
                "w1.copy()",
                credit=0,
                says="these are the old weights; none has moved.",
            ),
            Slip(
                "change-alone",
                "w1 - alpha",
                "alpha",
                credit=0.5,
                says="that is the size of the step alone; the new weight is asked.",
            ),
        ],
        same=[
            Same("rounded-4", "w1 - alpha * c1_sum4", "np.round(w1 - alpha * np.round(c1_sum4, 4), 4)"),
            Same("cut-4", "w1 - alpha * c1_sum4", "np.floor((w1 - alpha * np.trunc(c1_sum4 * 1e4) / 1e4) * 1e4) / 1e4"),
            Same("steps-added", "w1 - alpha * c1_sum4", "w1 + (-alpha * c1_rows[:4]).sum(axis=0)"),
        ],
        hints=[
            "Which way does a weight with a positive gradient go?",
            "`w1[2, 0]` has the gradient -.2929, so it must end a little above .3.",
            "The rule is w* = w - alpha c, on the whole table at once.",
        ],
    ),
    value(
        "w2-star",
        points=1,
        builds_on=["gradient-sum-4"],
        slips=[
            Slip(
                "ascent",
                "w2 - alpha",
                "w2 + alpha",
                credit=0.5,
                says="the weights move the wrong way: all these gradients are positive, so all weights should fall.",
            ),
            Slip("no-alpha", "alpha * c2_sum4", "c2_sum4", credit=0.5, says=SAYS_NO_ALPHA),
            Slip(
                "alpha-.1",
                "alpha *",
                "0.1 *",
                credit=0.5,
                says="the step is ten times too long: alpha is .01 in this table.",
            ),
            Slip(
                "printed",
                "w2 - alpha * c2_sum4",
                "printed_w2_star.copy()",
                credit=0,
                says="that is the table as it is printed. Most of its cells are wrong; work them out yourself.",
            ),
            Slip(
                "six-rows",
                "c2_sum4",
                "c2_rows.sum(axis=0)",
                credit=0.5,
                says="this step takes all six rows; the table is made with rows 1 to 4.",
            ),
            Slip(
                "mean",
                "c2_sum4",
                "c2_sum4 / 4",
                credit=0.5,
                says="the step is a quarter of what it should be: the gradients are summed, not averaged.",
            ),
            Slip(
                "one-row",
                "c2_sum4",
                "c2_rows[0]",
                credit=0.5,
                says="this step takes row 1 alone; the table is made with rows 1 to 4.",
            ),
            Slip(
                "no-update",
                "w2 - alpha * c2_sum4",
                "w2.copy()",
                credit=0,
                says="these are the old weights; none has moved.",
            ),
            Slip(
                "change-alone",
                "w2 - alpha",
                "alpha",
                credit=0.5,
                says="that is the size of the step alone; the new weight is asked.",
            ),
        ],
        same=[
            Same("rounded-4", "w2 - alpha * c2_sum4", "np.round(w2 - alpha * np.round(c2_sum4, 4), 4)"),
            Same("cut-4", "w2 - alpha * c2_sum4", "np.floor((w2 - alpha * np.trunc(c2_sum4 * 1e4) / 1e4) * 1e4) / 1e4"),
            Same("steps-added", "w2 - alpha * c2_sum4", "w2 + (-alpha * c2_rows[:4]).sum(axis=0)"),
        ],
        hints=[
            "It is the first layer's rule with the second layer's tables.",
            "`w2[0, 0]` is worked above: .4966.",
            "The rule is w* = w - alpha c.",
        ],
    ),
    choice(
        "wrong-cells",
        points=2,
        builds_on=["w2-star"],
        slips=[
            Slip(
                "counted-from-1",
                "{(k, j) for",
                "{(k, j + 1) for",
                credit=0.5,
                says="the cells are the right ones, but the columns are counted from 1, as on the slides; numpy "
                "counts from 0.",
            ),
            Slip(
                "both-from-1",
                "{(k, j) for",
                "{(k + 1, j + 1) for",
                credit=0.5,
                says="the cells are the right ones, but rows and columns are counted from 1; numpy counts both from 0.",
            ),
            Slip(
                "swapped",
                "{(k, j) for",
                "{(j, k) for",
                credit=0.5,
                says="the cells are the right ones, but row and column are swapped: the row comes first.",
            ),
            Slip(
                "right-cells",
                "> 0.001",
                "<= 0.001",
                credit=0.5,
                says="that is what the table prints right; the question is what it prints wrong.",
            ),
            Slip(
                "all",
                " if abs(w2_star[k, j] - printed_w2_star[k, j]) > 0.001",
                "",
                credit=0.25,
                says="one cell of the table is right. Which one agrees with your w2_star?",
            ),
            Slip(
                "only-the-tiny",
                "abs(w2_star[k, j] - printed_w2_star[k, j]) > 0.001",
                "printed_w2_star[k, j] < 0.01",
                credit=0.5,
                says="the tiny numbers are found. One more cell looks likely and is wrong: compare each with its "
                "old weight.",
            ),
            Slip(
                "far-from-the-first",
                "abs(w2_star[k, j] - printed_w2_star[k, j]) > 0.001",
                "abs(w2_star[k, j] - printed_w2_star[k, j]) > 0.1",
                credit=0.5,
                says="the large differences are found. A smaller one is left, well above .001.",
            ),
            Slip(
                "second-column",
                "if abs(w2_star[k, j] - printed_w2_star[k, j]) > 0.001",
                "if j == 1",
                credit=0.25,
                says="these cells are wrong, but the first column has wrong ones too.",
            ),
        ],
        same=[
            Same(
                "a-list",
                "{(k, j) for k in range(3) for j in range(2) if abs(w2_star[k, j] - printed_w2_star[k, j]) > 0.001}",
                "[(2, 1), (0, 1), (1, 0), (1, 1), (2, 0)]",
            ),
            Same("by-the-rule", "abs(w2_star[k, j] -", "abs(w2[k, j] - alpha * c2_sum4[k, j] -"),
        ],
        hints=[
            "Take your `w2_star` and the printed table side by side, cell by cell.",
            "How far can a weight move with alpha .01 and gradients below .5?",
            "`abs(w2_star - printed_w2_star) > .001` is True where the table is wrong.",
        ],
    ),
    value(
        "update-table",
        points=2,
        accept=accept_table,
        compares=True,
        builds_on=["gradient-sum-4", "w1-star", "w2-star"],
        slips=[
            Slip("ascent", "new[i, k]", "w[i, k] + alpha * c[i, k]", credit=0.5, says=TABLE_SIGNS[0][1]),
            Slip("no-alpha", "new[i, k]", "w[i, k] - c[i, k]", credit=0.5, says=TABLE_SIGNS[1][1]),
            Slip("change-alone", "new[i, k]", "alpha * c[i, k]", credit=0.5, says=TABLE_SIGNS[2][1]),
            Slip("no-update", "new[i, k]", "w[i, k]", credit=0.25, says=TABLE_SIGNS[3][1]),
            Slip(
                "other-c",
                "[(1, w1, c1_sum4, w1_star), (2, w2, c2_sum4, w2_star)]",
                "[(1, w1, c1_rows.sum(0), w1 - alpha * c1_rows.sum(0)), (2, w2, c2_rows.sum(0), w2 - alpha * "
                "c2_rows.sum(0))]",
                credit=0.5,
                says=TABLE_SIGNS[4][1],
            ),
            Slip(
                "counted-from-1",
                '"column": k',
                '"column": k + 1',
                credit=0.5,
                says="the columns are counted from 1, as on the slides; numpy counts from 0.",
            ),
            Slip(
                "swapped",
                '"row": i, "column": k',
                '"row": k, "column": i',
                credit=0.5,
                says="row and column are swapped: w1 has four rows and two columns.",
            ),
        ],
        same=[
            Same(
                "shuffled",
                "np.ndindex(w.shape)\n    ]\n)",
                "np.ndindex(w.shape)\n    ]\n).sample(frac=1, random_state=4)[['c', 'w_star', 'column', 'layer', "
                "'w', 'row']]",
            ),
            Same("rounded-4", "np.ndindex(w.shape)\n    ]\n)", "np.ndindex(w.shape)\n    ]\n).round(4)"),
            Same(
                "with-a-change",
                "np.ndindex(w.shape)\n    ]\n)",
                "np.ndindex(w.shape)\n    ]\n).assign(change=lambda table: table.w_star - table.w)",
            ),
        ],
        hints=[
            "`np.ndindex(w1.shape)` runs through all pairs (row, column) of a table.",
            "A list of dicts, one a weight, makes a DataFrame: `pd.DataFrame([{...}, {...}])`.",
            "Each dict holds the six columns; the first layer gives 8 lines, the second 6.",
        ],
    ),
    function(
        "batch-step",
        points=2,
        float32=False,
        parts=["w1", "w2"],
        builds_on=["row-gradients"],
        worked=[Worked("the six rows with alpha .1", lambda given: _six_rows(given, 0.1))],
        cases=[
            Case("a batch", _batch(5, 3, 4, 2)),
            Case("another net", _batch(4, 2, 3, 5)),
            Case("one row", _batch(1, 4, 2, 3)),
            Case("one output", _batch(6, 2, 5, 1)),
        ],
        slips=[
            Slip(
                "ascent",
                "w1 - alpha * c1, w2 - alpha * c2",
                "w1 + alpha * c1, w2 + alpha * c2",
                credit=0.5,
                says=SAYS_ASCENT,
            ),
            Slip(
                "mean",
                "w1 - alpha * c1, w2 - alpha * c2",
                "w1 - alpha * c1 / len(X), w2 - alpha * c2 / len(X)",
                credit=0.5,
                says="the steps are too short by the number of rows: the gradients are summed, not averaged.",
            ),
            Slip("no-alpha", "w1 - alpha * c1, w2 - alpha * c2", "w1 - c1, w2 - c2", credit=0.5, says=SAYS_NO_ALPHA),
            Slip(
                "last-row",
                "",
                "for x, y in zip(X, Y):\n    c1, c2 = mlp_gradients(x, y, w1, w2)\n"
                "return w1 - alpha * c1, w2 - alpha * c2",
                credit=0.5,
                says="only the last row's gradient is in the step. What happens to the earlier ones in the loop?",
            ),
            Slip(
                "first-row",
                "",
                "c1, c2 = mlp_gradients(X[0], Y[0], w1, w2)\nreturn w1 - alpha * c1, w2 - alpha * c2",
                credit=0.25,
                says="only the first row's gradient is in the step.",
            ),
            Slip(
                "online",
                "",
                "for x, y in zip(X, Y):\n    c1, c2 = mlp_gradients(x, y, w1, w2)\n"
                "    w1, w2 = w1 - alpha * c1, w2 - alpha * c2\nreturn w1, w2",
                credit=0.5,
                says="the weights move after every row. Here all gradients are taken at the same weights, then "
                "one step is made.",
            ),
            Slip("new-w2", "", NEW_W2_BATCH, credit=0.5, says=SAYS_NEW_W2),
            Slip(
                "biases-still",
                "w1 - alpha * c1, w2 - alpha * c2",
                "np.vstack([w1[:1], (w1 - alpha * c1)[1:]]), np.vstack([w2[:1], (w2 - alpha * c2)[1:]])",
                credit=0.5,
                says="the biases in row 0 have not moved; they learn like all other weights.",
            ),
            Slip(
                "second-layer-only",
                "w1 - alpha * c1, w2 - alpha * c2",
                "w1.copy(), w2 - alpha * c2",
                credit=0.25,
                says="the first layer has not moved.",
            ),
            Slip(
                "returns-gradients",
                "w1 - alpha * c1, w2 - alpha * c2",
                "c1, c2",
                credit=0.25,
                says="these are the summed gradients; the new weights are asked.",
            ),
        ],
        same=[
            Same("matrices", "", MATRICES),
            Same(
                "loop",
                "",
                "c1, c2 = np.zeros(w1.shape), np.zeros(w2.shape)\nfor r in range(len(X)):\n"
                "    d1, d2 = mlp_gradients(X[r], Y[r], w1, w2)\n    c1 += d1\n    c2 += d2\n"
                "return w1 - alpha * c1, w2 - alpha * c2",
            ),
            Same("backwards", "zip(X, Y, strict=True)", "zip(X[::-1], Y[::-1])"),
            Same(
                "step-by-step",
                "",
                "new1, new2 = w1.copy(), w2.copy()\nfor x, y in zip(X, Y):\n"
                "    d1, d2 = mlp_gradients(x, y, w1, w2)\n    new1 -= alpha * d1\n    new2 -= alpha * "
                "d2\nreturn new1, new2",
            ),
        ],
        hints=[
            "At which weights is each row's gradient taken: old or new?",
            "Start two sums at zero, add every row's c1 and c2, and step once after the loop.",
            "New weights are w - alpha times the sum of `mlp_gradients` over all rows.",
        ],
    ),
    function(
        "online-epoch",
        points=3,
        float32=False,
        parts=["w1", "w2"],
        builds_on=["row-gradients"],
        worked=[Worked("the six rows with alpha .1", lambda given: _six_rows(given, 0.1))],
        cases=[
            Case("a batch", _batch(5, 3, 4, 2)),
            Case("another net", _batch(4, 2, 3, 5)),
            Case("one row", _batch(1, 4, 2, 3)),
            Case("one output", _batch(6, 2, 5, 1)),
        ],
        slips=[
            Slip(
                "batch",
                "",
                "gradients = [mlp_gradients(x, y, w1, w2) for x, y in zip(X, Y)]\n"
                "return w1 - alpha * sum(c1 for c1, _ in gradients), w2 - alpha * sum(c2 for _, c2 in gradients)",
                credit=0.5,
                says="that is one batch step: all gradients were taken at the old weights. Here each row sees "
                "the newest ones.",
            ),
            Slip(
                "ascent",
                "w1 - alpha * c1, w2 - alpha * c2",
                "w1 + alpha * c1, w2 + alpha * c2",
                credit=0.5,
                says=SAYS_ASCENT,
            ),
            Slip("no-alpha", "w1 - alpha * c1, w2 - alpha * c2", "w1 - c1, w2 - c2", credit=0.5, says=SAYS_NO_ALPHA),
            Slip(
                "last-row",
                "",
                "for x, y in zip(X, Y):\n    c1, c2 = mlp_gradients(x, y, w1, w2)\n"
                "return w1 - alpha * c1, w2 - alpha * c2",
                credit=0.25,
                says="only the last row has made a step. Does the update stand inside the loop?",
            ),
            Slip(
                "first-row",
                "    w1, w2 = w1 - alpha * c1, w2 - alpha * c2\n",
                "    return w1 - alpha * c1, w2 - alpha * c2\n",
                credit=0.25,
                says="only the first row has made a step. Where does the function return?",
            ),
            Slip(
                "last-row-skipped",
                "zip(X, Y, strict=True)",
                "zip(X[:-1], Y[:-1])",
                credit=0.5,
                says="the last row has made no step.",
            ),
            Slip(
                "reversed",
                "zip(X, Y, strict=True)",
                "zip(X[::-1], Y[::-1])",
                credit=0.5,
                says="the rows come in the opposite order; here the first row steps first.",
            ),
            Slip(
                "mean",
                "w1 - alpha * c1, w2 - alpha * c2",
                "w1 - alpha * c1 / len(X), w2 - alpha * c2 / len(X)",
                credit=0.5,
                says="each step is too short by the number of rows; one row's step takes its whole gradient "
                "times alpha.",
            ),
            Slip(
                "new-w2",
                "",
                NEW_W2_ONLINE,
                credit=0.5,
                says="the rows step in order, but within a step the first layer's error went back through a w2 "
                "that was already new.",
            ),
        ],
        same=[
            Same(
                "by-index",
                "",
                "for r in range(len(X)):\n    c1, c2 = mlp_gradients(X[r], Y[r], w1, w2)\n"
                "    w1 = w1 - alpha * c1\n    w2 = w2 - alpha * c2\nreturn w1, w2",
            ),
            Same(
                "batches-of-one",
                "",
                "for r in range(len(X)):\n    w1, w2 = batch_step(X[r : r + 1], Y[r : r + 1], w1, w2, alpha)\n"
                "return w1, w2",
            ),
            Same(
                "on-copies",
                "",
                "w1, w2 = w1.copy(), w2.copy()\nfor x, y in zip(X, Y):\n"
                "    c1, c2 = mlp_gradients(x, y, w1, w2)\n    w1 -= alpha * c1\n    w2 -= alpha * c2\nreturn w1, w2",
            ),
            Same(
                "in-place",
                "",
                "for x, y in zip(X, Y):\n    c1, c2 = mlp_gradients(x, y, w1, w2)\n"
                "    w1 -= alpha * c1\n    w2 -= alpha * c2\nreturn w1, w2",
            ),
        ],
        hints=[
            "Which weights does the second row see?",
            "With one row alone it is the same as a batch step; try the first two rows next.",
            "Inside the loop: gradients of this row at the present w1 and w2, then both weights step; after the "
            "loop, return.",
        ],
    ),
    choice(
        "online-vs-batch",
        points=1,
        builds_on=["batch-step", "online-epoch"],
        slips=[
            Slip(
                "batch",
                "<",
                ">",
                credit=0,
                says="put numbers in: the total error after each, to six decimals. The difference is small, but "
                "it is there.",
            ),
        ],
        same=[Same("capitals", 'online_vs_batch = "online" if', 'online_vs_batch = " Online" if')],
        hints=[
            "Work out both: new weights first, then the total error of all six rows with them.",
            "The two differ in the fourth decimal.",
        ],
    ),
    function(
        "simultaneous",
        "simultaneous_step",
        points=2,
        float32=False,
        parts=["w1", "w2"],
        builds_on=["row-gradients"],
        worked=[
            Worked("row 2 with alpha 1", lambda given: (given["X"][1], given["Y"][1], given["w1"], given["w2"], 1.0))
        ],
        cases=[
            Case("one example", _row(3, 4, 2)),
            Case("another net", _row(5, 2, 3)),
            Case("one output", _row(2, 3, 1)),
            Case("one hidden unit", _row(4, 1, 2)),
        ],
        slips=[
            Slip("new-w2", "", NEW_W2_ROW, credit=0.5, says=SAYS_NEW_W2),
            Slip(
                "forward-again",
                "",
                "_, c2 = mlp_gradients(x, y, w1, w2)\nw2 = w2 - alpha * c2\n"
                "c1, _ = mlp_gradients(x, y, w1, w2)\nreturn w1 - alpha * c1, w2",
                credit=0.5,
                says="the second layer is right; the first one's gradient was taken after it had stepped, with a "
                "new forward pass.",
            ),
            Slip(
                "first-layer-first",
                "",
                "c1, _ = mlp_gradients(x, y, w1, w2)\nw1 = w1 - alpha * c1\n"
                "_, c2 = mlp_gradients(x, y, w1, w2)\nreturn w1, w2 - alpha * c2",
                credit=0.5,
                says="the first layer is right; the second one's gradient was taken after the first had stepped.",
            ),
            Slip(
                "ascent",
                "w1 - alpha * c1, w2 - alpha * c2",
                "w1 + alpha * c1, w2 + alpha * c2",
                credit=0.5,
                says=SAYS_ASCENT,
            ),
            Slip("no-alpha", "w1 - alpha * c1, w2 - alpha * c2", "w1 - c1, w2 - c2", credit=0.5, says=SAYS_NO_ALPHA),
            Slip(
                "second-layer-only",
                "w1 - alpha * c1, w2 - alpha * c2",
                "w1.copy(), w2 - alpha * c2",
                credit=0.25,
                says="the first layer has not moved.",
            ),
            Slip(
                "biases-still",
                "w1 - alpha * c1, w2 - alpha * c2",
                "np.vstack([w1[:1], (w1 - alpha * c1)[1:]]), np.vstack([w2[:1], (w2 - alpha * c2)[1:]])",
                credit=0.5,
                says="the biases in row 0 have not moved; they learn like all other weights.",
            ),
            Slip(
                "returns-gradients",
                "w1 - alpha * c1, w2 - alpha * c2",
                "c1, c2",
                credit=0.25,
                says="these are the gradients; the new weights are asked.",
            ),
        ],
        same=[
            Same(
                "w1-first-from-old-w2",
                "",
                "a0 = with_bias(x)\na1 = with_bias(sigmoid(a0 @ w1))\na2 = sigmoid(a1 @ w2)\n"
                "d_s2 = (a2 - y) * a2 * (1 - a2)\nd_s1 = (w2 @ d_s2)[1:] * (a1 - a1**2)[1:]\n"
                "w1 = w1 - alpha * np.outer(a0, d_s1)\nw2 = w2 - alpha * np.outer(a1, d_s2)\nreturn w1, w2",
            ),
            Same("a-batch-of-one", "", "return batch_step(x[None, :], y[None, :], w1, w2, alpha)"),
            Same(
                "old-w2-kept",
                "",
                "old = w2.copy()\n_, c2 = mlp_gradients(x, y, w1, w2)\nw2 = w2 - alpha * c2\n"
                "c1, _ = mlp_gradients(x, y, w1, old)\nreturn w1 - alpha * c1, w2",
            ),
        ],
        hints=[
            "Work out both gradients before either weight changes.",
            "The table above has row 2's `w1[2, 0]` both ways: .5024 is right.",
            "c1 and c2 from the old w1 and w2; then w1 - alpha c1 and w2 - alpha c2.",
        ],
    ),
    function(
        "training-loop",
        "train",
        points=3,
        float32=False,
        parts=["w1", "w2", "errors"],
        builds_on=["batch-step"],
        worked=[Worked("the six rows, alpha .1, three epochs", lambda given: _six_rows(given, 0.1, 3))],
        cases=[
            Case("four epochs", _training(5, 3, 4, 2, 4)),
            Case("seven epochs", _training(4, 2, 3, 1, 7)),
            Case("one epoch", _training(6, 4, 2, 3, 1)),
            Case("one row", _training(1, 3, 2, 4, 3)),
            Case("no epoch", _training(3, 2, 5, 4, 0)),
        ],
        slips=[
            Slip(
                "no-start",
                "errors = [total_error(w1, w2)]",
                "errors = []",
                credit=0.5,
                says="the weights are right; the record lacks the error before the first step.",
            ),
            Slip(
                "no-end",
                "    w1, w2 = batch_step(X, Y, w1, w2, alpha)\n        errors.append(total_error(w1, w2))\n"
                "    return w1, w2, np.array(errors)",
                "    w1, w2 = batch_step(X, Y, w1, w2, alpha)\n        errors.append(total_error(w1, w2))\n"
                "    return w1, w2, np.array(errors[:-1])",
                credit=0.5,
                says="the weights are right; the record lacks the error after the last step.",
            ),
            Slip(
                "no-half",
                "0.5 * np.sum",
                "np.sum",
                credit=0.5,
                says="the weights are right; every error is twice what it should be.",
            ),
            Slip(
                "mean-error",
                "np.sum((a2 - Y) ** 2)",
                "np.sum((a2 - Y) ** 2) / len(X)",
                credit=0.5,
                says="the weights are right; the errors are averaged over the rows, here they are summed.",
            ),
            Slip(
                "online",
                "batch_step(X, Y, w1, w2, alpha)",
                "online_epoch(X, Y, w1, w2, alpha)",
                credit=0.5,
                says="the weights step after each row; this loop makes one batch step an epoch.",
            ),
            Slip(
                "from-the-start",
                "",
                """
                def total_error(w1, w2):
                    a2 = sigmoid(with_bias(sigmoid(with_bias(X) @ w1)) @ w2)
                    return 0.5 * np.sum((a2 - Y) ** 2)

                new1, new2, errors = w1, w2, [total_error(w1, w2)]
                for _ in range(epochs):
                    new1, new2 = batch_step(X, Y, w1, w2, alpha)
                    errors.append(total_error(new1, new2))
                return new1, new2, np.array(errors)
                """,
                credit=0.25,
                says="the error stands still after the first step: every step starts from the same weights again.",
            ),
            Slip(
                "old-weights-back",
                "",
                """
                start1, start2, errors = w1, w2, []
                for epoch in range(epochs + 1):
                    a2 = sigmoid(with_bias(sigmoid(with_bias(X) @ w1)) @ w2)
                    errors.append(0.5 * np.sum((a2 - Y) ** 2))
                    if epoch < epochs:
                        w1, w2 = batch_step(X, Y, w1, w2, alpha)
                return start1, start2, np.array(errors)
                """,
                credit=0.5,
                says="the record is right, but the weights that come back are those of the start.",
            ),
            Slip(
                "one-step-more",
                "range(epochs)",
                "range(epochs + 1)",
                credit=0.5,
                says="it makes one step more than `epochs`; the first record belongs to the weights before any step.",
            ),
            Slip(
                "ascent",
                "batch_step(X, Y, w1, w2, alpha)",
                "batch_step(X, Y, w1, w2, -alpha)",
                credit=0.5,
                says=SAYS_ASCENT,
            ),
        ],
        same=[
            Same(
                "matrices",
                "",
                """
                a0, errors = with_bias(X), np.zeros(epochs + 1)
                for epoch in range(epochs + 1):
                    a1 = with_bias(sigmoid(a0 @ w1))
                    a2 = sigmoid(a1 @ w2)
                    errors[epoch] = np.sum((a2 - Y) ** 2) / 2
                    if epoch == epochs:
                        break
                    d_s2 = (a2 - Y) * a2 * (1 - a2)
                    d_s1 = (d_s2 @ w2[1:].T) * a1[:, 1:] * (1 - a1[:, 1:])
                    w1, w2 = w1 - alpha * a0.T @ d_s1, w2 - alpha * a1.T @ d_s2
                return w1, w2, errors
                """,
            ),
            Same("a-list", "np.array(errors)", "errors"),
            Same(
                "row-by-row-error",
                "return 0.5 * np.sum((a2 - Y) ** 2)",
                "return sum(0.5 * np.dot(e, e) for e in a2 - Y)",
            ),
            Same("einsum", "return 0.5 * np.sum((a2 - Y) ** 2)", 'return 0.5 * np.einsum("nm,nm->", a2 - Y, a2 - Y)'),
        ],
        hints=[
            "How many records are there before the loop starts?",
            "Each turn of the loop: step, then record. The new weights must be the ones that the next turn "
            "starts from.",
            "errors = [E of the start]; for each epoch, w1, w2 = batch_step(...), and the new E is appended.",
        ],
    ),
    value(
        "training-run",
        "errors",
        points=1,
        accept=accept_run,
        compares=True,
        builds_on=["training-loop"],
        slips=[
            Slip(
                "small-rate",
                "0.1",
                "alpha",
                credit=0.5,
                says="the first step is that of alpha .01; this run is asked for at alpha .1.",
            ),
            Slip(
                "one-short",
                "0.1, 2000)",
                "0.1, 2000)\nerrors = errors[1:]",
                credit=0.5,
                says="these are 2000 numbers: the error before the first step or after the last is missing.",
            ),
            Slip(
                "other-length",
                "2000",
                "500",
                credit=0.5,
                says="the run is the right one, but 2000 steps are asked for.",
            ),
            Slip(
                "four-rows",
                "X, Y, w1",
                "X[:4], Y[:4], w1",
                credit=0.5,
                says="it starts at the error of rows 1 to 4 alone; all six rows are asked for.",
            ),
            Slip(
                "mean-error",
                "0.1, 2000)",
                "0.1, 2000)\nerrors = errors / 6",
                credit=0.5,
                says="every entry is a sixth of what it should be: the errors of the rows are summed here.",
            ),
            Slip(
                "online",
                "",
                """
                u1, u2, errors = w1, w2, []
                for epoch in range(2001):
                    a2 = sigmoid(with_bias(sigmoid(with_bias(X) @ u1)) @ u2)
                    errors.append(0.5 * np.sum((a2 - Y) ** 2))
                    u1, u2 = online_epoch(X, Y, u1, u2, 0.1)
                """,
                credit=0.5,
                says="the first pass is an online one, with a step after each row; batch steps are asked for.",
            ),
            Slip(
                "made-up",
                "",
                "errors = np.concatenate([[3.24545, 2.95326], np.geomspace(2.9, 7e-5, 1999)])",
                credit=0,
                says="after the start it is not the record of 2000 batch steps at alpha .1.",
            ),
        ],
        same=[
            Same("a-list", "0.1, 2000)", "0.1, 2000)\nerrors = [float(error) for error in errors]"),
            Same("rounded-8", "0.1, 2000)", "0.1, 2000)\nerrors = np.round(errors, 8)"),
        ],
        hints=[
            "The third thing that `train` returns is the record.",
            "It should start 3.24545, 2.95326. If it starts elsewhere, look at the rate, the rows and the weights.",
        ],
    ),
)
