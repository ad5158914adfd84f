"""The statistics, against published worked examples and against independent formulas."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from chainrule.report.statistics import (
    alphas_without,
    correlation,
    cronbach_alpha,
    item_rest_correlations,
    margin,
    quartiles,
)

# D. J. Denis, Applied Univariate, Bivariate, and Multivariate Statistics (2nd ed., Wiley 2021): five items, ten
# people, and what SPSS's RELIABILITY says of them
DENIS = np.array(
    [
        [10, 12, 15, 11, 12],
        [12, 18, 12, 12, 1],
        [8, 16, 14, 14, 4],
        [6, 8, 16, 8, 6],
        [4, 7, 8, 7, 5],
        [6, 6, 3, 7, 3],
        [3, 4, 6, 5, 8],
        [7, 3, 7, 9, 9],
        [8, 9, 4, 10, 10],
        [9, 5, 6, 11, 12],
    ],
    dtype=float,
)

# R's data set `attitude` (S. Chatterjee and B. Price, Regression Analysis by Example, 1977), and what
# psych::alpha(attitude) prints (W. Revelle, An overview of the psych package)
ATTITUDE = """rating,complaints,privileges,learning,raises,critical,advance
43,51,30,39,61,92,45
63,64,51,54,63,73,47
71,70,68,69,76,86,48
61,63,45,47,54,84,35
81,78,56,66,71,83,47
43,55,49,44,54,49,34
58,67,42,56,66,68,35
71,75,50,55,70,66,41
72,82,72,67,71,83,31
67,61,45,47,62,80,41
64,53,53,58,58,67,34
67,60,47,39,59,74,41
69,62,57,42,55,63,25
68,83,83,45,59,77,35
77,77,54,72,79,77,46
81,90,50,72,60,54,36
74,85,64,69,79,79,63
65,60,65,75,55,80,60
65,70,46,57,75,85,46
50,58,68,54,64,78,52
50,40,33,34,43,64,33
64,61,52,62,66,80,41
53,66,52,50,63,80,37
40,37,42,58,50,57,49
63,54,42,48,66,75,33
66,77,66,63,88,76,72
78,75,58,74,80,78,49
48,57,44,45,51,83,38
85,85,71,71,77,74,55
82,82,39,59,64,78,39
"""
PSYCH_ALPHA = 0.843
PSYCH_WITHOUT = [0.810, 0.797, 0.828, 0.803, 0.795, 0.864, 0.840]
PSYCH_R_DROP = [0.67, 0.74, 0.56, 0.71, 0.79, 0.27, 0.46]


@pytest.fixture(scope="module")
def attitude() -> np.ndarray:
    return pd.read_csv(io.StringIO(ATTITUDE)).to_numpy(float)


def test_alpha_of_denis() -> None:
    """SPSS: .633 for the five items; the first one's corrected item-total correlation is .712."""
    assert cronbach_alpha(DENIS) == pytest.approx(0.633, abs=5e-4)
    assert item_rest_correlations(DENIS)[0] == pytest.approx(0.712, abs=5e-4)


def test_alpha_of_attitude(attitude: np.ndarray) -> None:
    """psych: alpha, alpha without each item, and each item's correlation with the others, to the printed digits."""
    assert cronbach_alpha(attitude) == pytest.approx(PSYCH_ALPHA, abs=5e-4)
    assert alphas_without(attitude) == pytest.approx(PSYCH_WITHOUT, abs=5.1e-4)
    assert item_rest_correlations(attitude) == pytest.approx(PSYCH_R_DROP, abs=5.1e-3)


@settings(max_examples=60, deadline=None)
@given(arrays(float, st.tuples(st.integers(3, 12), st.integers(2, 6)), elements=st.integers(0, 8).map(lambda n: n / 4)))
def test_by_covariances(points: np.ndarray) -> None:
    """Alpha is k / (k - 1) * (1 - trace / sum of the covariance matrix); the rest by pandas."""
    k = points.shape[1]
    covariance = np.cov(points.T)
    alpha = cronbach_alpha(points)
    if alpha is None:
        assert np.sum(covariance) == pytest.approx(0, abs=1e-9)
    else:
        assert alpha == pytest.approx(k / (k - 1) * (1 - np.trace(covariance) / np.sum(covariance)))
    frame = pd.DataFrame(points)
    for item, r in enumerate(item_rest_correlations(points)):
        rest = frame.drop(columns=item).sum(axis=1)
        if r is None:
            assert min(frame[item].std(), rest.std()) == pytest.approx(0, abs=1e-9)
        else:
            assert r == pytest.approx(frame[item].corr(rest), abs=1e-9)


def test_what_is_not_defined_is_none() -> None:
    """Two students, one item, an item or a total that does not vary."""
    assert cronbach_alpha(DENIS[:2]) is None
    assert cronbach_alpha(DENIS[:, :1]) is None
    assert alphas_without(DENIS[:, :2]) == [None, None]
    same = np.array([[1.0, 0.1, 0.3], [1.0, 0.1, 0.3], [1.0, 0.1, 0.3]])
    assert cronbach_alpha(same) is None
    assert item_rest_correlations(same) == [None, None, None]
    one = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 0.5]])
    assert item_rest_correlations(one) == [None, None], "nor has the other item a rest that varies"
    assert correlation(DENIS[:2, 0], DENIS[:2, 1]) is None
    assert cronbach_alpha(np.zeros((0, 3))) is None
    assert quartiles(np.zeros(0)).mean is None


def test_alpha_may_be_negative() -> None:
    """Two items that run against each other, not quite in step."""
    points = np.array([[0.0, 2.0], [1.0, 1.0], [2.0, 0.5]])
    assert cronbach_alpha(points) < 0  # type: ignore[operator]
    assert item_rest_correlations(points)[0] < -0.9  # type: ignore[operator]


def test_margin_of_a_correlation() -> None:
    """r = .5 of 28 pairs: Fisher's interval is .156 to .736, so .344 at its wider side; of three pairs, nothing."""
    assert margin(0.5, 28) == pytest.approx(0.5 - 0.1559, abs=1e-3)
    assert margin(0.5, 3) is None
    assert margin(1.0, 28) is None


def test_quartiles() -> None:
    """As pandas has them."""
    numbers = np.array([0.0, 0.2, 0.25, 0.9, 1.0, 1.0])
    found = quartiles(numbers)
    told = pd.Series(numbers).describe()
    assert (found.n, found.mean, found.least, found.greatest) == (6, told["mean"], 0.0, 1.0)
    assert (found.lower, found.median, found.upper) == pytest.approx(tuple(told[["25%", "50%", "75%"]]))
