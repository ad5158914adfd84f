"""Item statistics of classical test theory, as pure functions on arrays of points.

`points` is (students, items), one row for each student all of whose items have a score. What is not defined (no
variance, too few students or items) is None, never a number. Variances and covariances are the samples' (n - 1).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

LEAST = 3  # students: of two, every correlation is 1 or -1

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Quartiles:
    """Of n numbers: mean, least, quartiles, greatest. All are None where there are no numbers."""

    n: int
    mean: float | None = None
    least: float | None = None
    lower: float | None = None
    median: float | None = None
    upper: float | None = None
    greatest: float | None = None


def quartiles(numbers: Array) -> Quartiles:
    """(n,) -> their quartiles, interpolated linearly as numpy does (type 7 of Hyndman and Fan, 1996)."""
    if not numbers.size:
        return Quartiles(0)
    five = (float(number) for number in np.quantile(numbers, [0, 0.25, 0.5, 0.75, 1]))
    return Quartiles(int(numbers.size), float(np.mean(numbers)), *five)


def cronbach_alpha(points: Array) -> float | None:
    """(n, k) -> alpha = k / (k - 1) * (1 - sum of the items' variances / variance of the total).

    None for fewer than LEAST students or two items, or where all totals are equal. Below 0 where items run against
    each other. Source: L. J. Cronbach, Coefficient alpha and the internal structure of tests, Psychometrika 16
    (1951), 297-334.
    """
    n, k = points.shape
    if n < LEAST or k < 2:
        return None
    total = _variance(points.sum(axis=1))
    if total == 0.0:
        return None
    return float(k / (k - 1) * (1 - sum(_variance(column) for column in points.T) / total))


def alphas_without(points: Array) -> list[float | None]:
    """(n, k) -> alpha of the other k - 1 items, for each item left out."""
    return [cronbach_alpha(np.delete(points, item, axis=1)) for item in range(points.shape[1])]


def item_rest_correlations(points: Array) -> list[float | None]:
    """(n, k) -> for each item, Pearson's correlation of its points with the sum of all others'.

    The corrected item-total correlation: the item itself is not in the total, which would flatter it. None where an
    item or the rest does not vary. Source: S. Henrysson, Correction of item-total correlations in item analysis,
    Psychometrika 28 (1963), 211-218.
    """
    total = points.sum(axis=1)
    return [correlation(column, total - column) for column in points.T]


def correlation(x: Array, y: Array) -> float | None:
    """(n,), (n,) -> Pearson's r; None for fewer than LEAST pairs, or where one of the two does not vary."""
    if x.size < LEAST or _variance(x) == 0.0 or _variance(y) == 0.0:
        return None
    return float(np.clip(np.corrcoef(x, y)[0, 1], -1.0, 1.0))


def margin(r: float, n: int) -> float | None:
    """Half the width of the interval that holds a correlation with 95 % confidence, at its wider side.

    By Fisher's transformation: tanh(atanh(r) -+ 1.96 / sqrt(n - 3)). None for n of 3 or less, or |r| = 1.
    Source: R. A. Fisher, On the probable error of a coefficient of correlation, Metron 1 (1921), 3-32.
    """
    if n <= 3 or abs(r) >= 1.0:
        return None
    step = 1.96 / math.sqrt(n - 3)
    return max(abs(math.tanh(math.atanh(r) + side * step) - r) for side in (-1, 1))


def _variance(numbers: Array) -> float:
    """(n,) -> the sample's variance; exactly 0 where all numbers are equal but for rounding."""
    spread = float(np.ptp(numbers))
    if spread <= 1e-9 * max(1.0, float(np.max(np.abs(numbers)))):
        return 0.0
    return float(np.var(numbers, ddof=1))
