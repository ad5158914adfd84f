"""Unit 03, partial derivatives: what is graded, on which cases, and the mistakes that it knows."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.items import Case, Probe, Same, Slip, Worked, function, value

Rng = np.random.Generator
Array = np.ndarray[Any, np.dtype[np.float64]]
Net = tuple[Array, Array, Array, Array]

# Four-decimal hand work that is cut, not rounded, at every step drifts further than 1e-4 where a step multiplies it on.
# Measured for row 1: c2 by 1.8e-4, dE/da1 by 2.1e-4, c1 by 5.2e-4 (a delta cut to .0003, times x = 5).
ATOL_C2 = 2e-4
ATOL_A1 = 2.5e-4
ATOL_C1 = 5.5e-4


def _sizes(rng: Rng, count: int) -> list[int]:
    """Layer sizes from 2 to 6, no two of them equal."""
    return [int(size) for size in rng.choice(np.arange(2, 7), size=count, replace=False)]


def _away_from_0(rng: Rng, *shape: int) -> Array:
    """Numbers of both signs, none near 0."""
    return rng.choice([-1.0, 1.0], size=shape) * rng.uniform(0.3, 1.3, size=shape)


def _weights(rng: Rng, d: int, h: int) -> tuple[Array, Array]:
    """x (d,) and weights (d+1, h) whose sums stay off the flat ends of the sigmoid."""
    return _away_from_0(rng, d), _away_from_0(rng, d + 1, h) / np.sqrt(d)


def _targets(rng: Rng, m: int) -> Array:
    """Targets outside (0, 1): the error a2 - y is never near 0, and has both signs."""
    return np.where(rng.random(m) < 0.5, rng.uniform(-1.0, -0.2, m), rng.uniform(1.2, 2.0, m))


def _net(rng: Rng, d: int, h: int, m: int) -> Net:
    x, w1 = _weights(rng, d, h)
    _, w2 = _weights(rng, h, m)
    return x, _targets(rng, m), w1, w2


def _any_net(rng: Rng) -> Net:
    d, h, m = _sizes(rng, 3)
    return _net(rng, d, h, m)


def _shared_net(rng: Rng, d: int, h: int, m: int) -> Net:
    """Row 0 of each matrix holds one number; all deltas have one sign, so that their sums do not cancel."""
    x, _, w1, w2 = _net(rng, d, h, m)
    w1[0], w2[1:], w2[0] = _away_from_0(rng, 1), rng.uniform(0.2, 1.2, size=(h, m)), _away_from_0(rng, 1)
    side = rng.choice([-1.0, 1.0])
    return x, 0.5 + side * rng.uniform(0.8, 1.6, m), w1, w2


def _any_shared_net(rng: Rng) -> Net:
    d, h, m = _sizes(rng, 3)
    return _shared_net(rng, d, h, m)


def _softmax_net(rng: Rng, d: int, h: int, m: int) -> tuple[Array, int, Array, Array]:
    x, w1 = _weights(rng, d, h)
    _, w2 = _weights(rng, h, m)
    return x, int(rng.integers(m)), w1, w2


def _any_softmax_net(rng: Rng) -> tuple[Array, int, Array, Array]:
    d, h, m = _sizes(rng, 3)
    return _softmax_net(rng, d, h, m)


def _scores(rng: Rng, n: int, m: int) -> tuple[Array, Array]:
    """Scores (n, m) and labels (n,) that are not all the same where there are several."""
    labels = rng.integers(m, size=n)
    if n > 1 and np.all(labels == labels[0]):
        labels[0] = (labels[0] + 1) % m
    return 1.5 * _away_from_0(rng, n, m), labels


def _sum_input(rng: Rng) -> float:
    """A sum s of either sign, neither near 0 nor at the flat ends."""
    return float(rng.choice([-1.0, 1.0]) * rng.uniform(0.6, 2.2))


def _neuron(rng: Rng, d: int) -> tuple[Array, Array, float]:
    """Weights, inputs and a target of one neuron; w . a between about -2 and 2, the two never alike."""
    w = _away_from_0(rng, d)
    a = rng.uniform(0.3, 1.0, size=d)
    s = float(w @ a)
    w = w * (rng.uniform(0.5, 1.5) / max(abs(s), 0.5))
    return w, a, float(_targets(rng, 1)[0])


def _biased_neuron(rng: Rng) -> tuple[Array, Array, float]:
    w, a, target = _neuron(rng, int(rng.integers(3, 6)))
    a[0] = 1.0
    return w, a, target


def _squared_error_of_a_layer(rng: Rng) -> tuple[Probe, Array]:
    """The error of one sigmoid layer as a function of its weights, a matrix."""
    n, d, m = _sizes(rng, 3)
    names = {"A": 1.5 * _away_from_0(rng, n, d), "Y": rng.uniform(size=(n, m))}
    source = "lambda w: float(0.5 * np.sum((1 / (1 + np.exp(-(A @ w))) - Y) ** 2))"
    return Probe(source, names), _away_from_0(rng, d, m)


def _waves(rng: Rng) -> tuple[Probe, Array]:
    """A bumpy function of a vector, in which every entry meets every other."""
    n, d = _sizes(rng, 2)
    names = {"A": 1.5 * _away_from_0(rng, n, d), "b": _away_from_0(rng, n), "c": _away_from_0(rng, n)}
    return Probe("lambda w: float(c @ np.sin(A @ w + b))", names), _away_from_0(rng, d)


SMALL_NET = (
    np.array([2.0, -1.0]),
    np.array([0.0]),
    np.array([[0.1, -0.2, 0.3], [0.5, 0.4, -0.6], [0.2, -0.7, 0.8]]),
    np.array([[0.3], [0.9], [-0.4], [0.6]]),
)
SHARED_NET = (
    SMALL_NET[0],
    np.array([0.0, 1.0]),
    np.array([[0.1, 0.1, 0.1], [0.5, 0.4, -0.6], [0.2, -0.7, 0.8]]),
    np.array([[0.3, 0.3], [0.9, 0.2], [-0.4, 0.5], [0.6, -0.8]]),
)
CLASS_NET = (SMALL_NET[0], 1, SMALL_NET[2], np.array([[0.3, -0.1], [0.9, 0.2], [-0.4, 0.5], [0.6, -0.8]]))

ITEMS = (
    value(
        "error-signal",
        "dE_da2",
        points=1,
        slips=[
            Slip(
                "turned-round",
                "a2 - y",
                "y - a2",
                credit=0.5,
                says="The signs are turned: both outputs are too large, and making them larger makes E larger.",
            ),
            Slip(
                "the-error-itself",
                "a2 - y",
                "0.5 * (a2 - y) ** 2",
                credit=0.25,
                says="That is each output's share of E itself. How fast does it change when the output moves?",
            ),
            Slip(
                "half-forgotten",
                "a2 - y",
                "2 * (a2 - y)",
                credit=0.5,
                says="It is twice too large: what does the factor in front of the sum do to the 2 of the square?",
            ),
            Slip(
                "half-kept",
                "a2 - y",
                "0.5 * (a2 - y)",
                credit=0.5,
                says=(
                    "It is half of what it should be: the square brings a factor of its own when it is differentiated."
                ),
            ),
            Slip(
                "one-link-too-far",
                "a2 - y",
                "(a2 - y) * a2 * (1 - a2)",
                credit=0.5,
                says=(
                    "That is already the slope with respect to the sums s2. Here the question stops one link earlier, "
                    "at the outputs."
                ),
            ),
            Slip(
                "targets-swapped",
                "a2 - y",
                "a2 - y[::-1]",
                credit=0.5,
                says="Each output was compared with the other one's target.",
            ),
            Slip(
                "printed-target",
                "a2 - y",
                "a2 - np.array([0.1, 0.5])",
                credit=0.5,
                says="The second target is .05. The slides print .5 in the line for E.",
            ),
        ],
        same=[
            Same("rounded", "a2 - y", "np.round(a2 - y, 4)"),
            Same("typed", "a2 - y", "[.7896, .7504]"),
            Same("cut", "a2 - y", "(.7895, .7503)"),
        ],
        hints=[
            "Differentiate E with respect to one output; the other one is a constant.",
            "What is left of a half times a square?",
            "output minus target",
        ],
    ),
    function(
        "sigmoid-prime",
        points=1,
        worked=[Worked("a = .5, .9 and .6", lambda given: (np.array([0.5, 0.9, 0.6]),))],
        cases=[
            Case("a vector", lambda rng: (rng.uniform(0.05, 0.95, size=5),)),
            Case("a matrix", lambda rng: (rng.uniform(0.05, 0.95, size=(3, 4)),)),
            Case("one number", lambda rng: (float(rng.choice([rng.uniform(0.1, 0.4), rng.uniform(0.6, 0.9)])),)),
            Case("both ends", lambda rng: (rng.permutation([0.0, 1.0, *rng.uniform(0.2, 0.4, size=2)]),)),
        ],
        slips=[
            Slip(
                "activation-squashed-again",
                "a * (1 - a)",
                "sigmoid(a) * (1 - sigmoid(a))",
                credit=0.5,
                says="It looks as if the sigmoid was taken once more. What comes in is its output already.",
            ),
            Slip(
                "one-factor",
                "a * (1 - a)",
                "1 - a",
                credit=0.25,
                says="That is one factor of two. At a = 0 the sigmoid is flat, and this gives 1.",
            ),
            Slip(
                "tanh-slope",
                "a * (1 - a)",
                "1 - a**2",
                credit=0.25,
                says="That is the slope of tanh, from its output. The sigmoid's is another one.",
            ),
            Slip(
                "sign",
                "a * (1 - a)",
                "a * (a - 1)",
                credit=0.5,
                says="It is negative, but the sigmoid rises everywhere.",
            ),
            Slip(
                "plus",
                "a * (1 - a)",
                "a * (1 + a)",
                credit=0.25,
                says="It grows all the way to a = 1. The sigmoid is flat at both ends, so its slope is 0 there.",
            ),
            Slip(
                "activation-alone", "a * (1 - a)", "a", credit=0, says="That is the activation itself, not its slope."
            ),
        ],
        same=[
            Same("expanded", "a * (1 - a)", "a - a**2"),
            Same("about the middle", "a * (1 - a)", "0.25 - (a - 0.5) ** 2"),
            Same(
                "one by one",
                "",
                "    flat = [u * (1.0 - u) for u in np.ravel(a)]\n    return np.array(flat).reshape(np.shape(a))",
            ),
            Same("from the sum", "a * (1 - a)", "np.multiply(1 - a, a)"),
        ],
        hints=[
            "Only a is needed, no exp.",
            "It must be 0 at a = 0 and at a = 1, and .25 in the middle.",
            "a times (1 - a)",
        ],
    ),
    value(
        "partial-w2-01",
        "dE_dw2_01",
        points=1,
        builds_on=["error-signal", "sigmoid-prime"],
        slips=[
            Slip(
                "no-brackets",
                "dE_da2[0] * sigmoid_prime(a2[0]) * 1.0",
                "a2[0] - y[0] * a2[0] * (1 - a2[0])",
                credit=0.5,
                says="That is the slides' line without brackets: the product was taken before the difference.",
            ),
            Slip(
                "no-slope",
                " * sigmoid_prime(a2[0])",
                "",
                credit=0.25,
                says="That is the error alone: which slope of the chain is still missing?",
            ),
            Slip(
                "no-error",
                "dE_da2[0] * ",
                "",
                credit=0.25,
                says="That is the slope of the sigmoid alone: how does E come into the chain?",
            ),
            Slip(
                "other-output",
                "dE_da2[0] * sigmoid_prime(a2[0])",
                "dE_da2[1] * sigmoid_prime(a2[1])",
                credit=0.5,
                says=(
                    "That belongs to the second output. The formulas count outputs from 1, numpy's columns count from "
                    "0."
                ),
            ),
            Slip(
                "not-the-bias",
                "* 1.0",
                "* a1[0]",
                credit=0.5,
                says="That is the weight from hidden unit 1. What is a bias weight multiplied with?",
            ),
            Slip(
                "times-the-weight",
                "* 1.0",
                "* w2[0, 0]",
                credit=0.5,
                says="The weight itself came into the product. The last slope is what the weight is multiplied with.",
            ),
            Slip(
                "sign",
                "= dE",
                "= -dE",
                credit=0.5,
                says="The sign is turned: this output is too large, and a larger bias makes it larger still.",
            ),
        ],
        same=[
            Same("rounded", "dE_da2[0] * sigmoid_prime(a2[0]) * 1.0", "np.round(dE_da2[0] * sigmoid_prime(a2[0]), 4)"),
            Same("as printed", "dE_da2[0] * sigmoid_prime(a2[0]) * 1.0", ".0775"),
            Same("array of one", "dE_da2[0] * sigmoid_prime(a2[0]) * 1.0", "(dE_da2 * sigmoid_prime(a2))[:1]"),
        ],
        hints=[
            "Three slopes in a row.",
            "Error of output 1, its sigmoid's slope, the input of the bias weight.",
            "(a2[0] - y[0]) times a2[0] (1 - a2[0]) times 1",
        ],
    ),
    value(
        "grad-w2-row1",
        "c2_row1",
        points=2,
        builds_on=["error-signal", "sigmoid-prime"],
        atol=ATOL_C2,
        slips=[
            Slip(
                "no-slope",
                " * sigmoid_prime(a2)",
                "",
                credit=0.25,
                says="The error arrives at the weights without the slope of the sigmoid.",
            ),
            Slip(
                "no-error",
                "dE_da2 * ",
                "",
                credit=0.25,
                says="Only slopes were multiplied: the error of the outputs is not in it.",
            ),
            Slip(
                "transposed",
                "np.outer(with_bias(a1), dE_da2 * sigmoid_prime(a2))",
                "np.outer(dE_da2 * sigmoid_prime(a2), with_bias(a1))",
                credit=0.5,
                says="Rows and columns are swapped: c2 has the shape of w2, one column an output.",
            ),
            Slip(
                "no-bias-row",
                "with_bias(a1)",
                "a1",
                credit=0.5,
                says="The bias row is missing: c2 has one entry for each weight of w2.",
            ),
            Slip(
                "sums-for-activations",
                "with_bias(a1)",
                "with_bias(s1)",
                credit=0.5,
                says=(
                    "The sums s1 came into the product. The weights of w2 are multiplied with something else on the "
                    "way forward."
                ),
            ),
            Slip(
                "net-inputs",
                "with_bias(a1)",
                "with_bias(x)",
                credit=0.25,
                says="These rows belong to the inputs x. What goes into the weights of w2?",
            ),
            Slip(
                "columns-swapped",
                "sigmoid_prime(a2))",
                "sigmoid_prime(a2))[:, ::-1]",
                credit=0.5,
                says="The two columns are swapped: each delta stands under the other output.",
            ),
            Slip(
                "times-the-weights",
                "sigmoid_prime(a2))",
                "sigmoid_prime(a2)) * w2",
                credit=0.25,
                says="The weights themselves came into the product; a weight's own value is not in its slope.",
            ),
            Slip(
                "slope-of-the-sums",
                "sigmoid_prime(a2)",
                "sigmoid_prime(s2)",
                credit=0.5,
                says="The slope was computed from the sums s2; `sigmoid_prime` wants activations.",
            ),
        ],
        same=[
            Same(
                "rounded",
                "c2_row1 = np.outer(with_bias(a1), dE_da2 * sigmoid_prime(a2))",
                "c2_row1 = np.round(np.outer(with_bias(a1), dE_da2 * sigmoid_prime(a2)), 4)",
            ),
            Same(
                "columns and rows",
                "np.outer(with_bias(a1), dE_da2 * sigmoid_prime(a2))",
                "with_bias(a1)[:, None] * (dE_da2 * a2 * (1 - a2))[None, :]",
            ),
            Same(
                "typed from rounded factors",
                "np.outer(with_bias(a1), dE_da2 * sigmoid_prime(a2))",
                "[[.0775, .1199], [.0765, .1183], [.0771, .1193]]",
            ),
            Same(
                "typed, cut at each step",
                "np.outer(with_bias(a1), dE_da2 * sigmoid_prime(a2))",
                "[[.0775, .1198], [.0764, .1181], [.0771, .1192]]",
            ),
            Same(
                "a table",
                "np.outer(with_bias(a1), dE_da2 * sigmoid_prime(a2))",
                "pd.DataFrame(np.outer(with_bias(a1), dE_da2 * sigmoid_prime(a2)))",
            ),
        ],
        hints=[
            "Two deltas, three inputs, six products.",
            "Row k is a1[k] times both deltas; row 0 has the input 1.",
            "np.outer(with_bias(a1), delta) with delta = error times slope",
        ],
    ),
    value(
        "partial-a1",
        "dE_da1",
        points=2,
        builds_on=["error-signal", "sigmoid-prime"],
        atol=ATOL_A1,
        slips=[
            Slip(
                "first-road-only",
                "w2[1:] @ (dE_da2 * sigmoid_prime(a2))",
                "w2[1:, 0] * (dE_da2 * sigmoid_prime(a2))[0]",
                credit=0.25,
                says="That is the road over the first output alone. Where else does the hidden unit lead?",
            ),
            Slip(
                "second-road-only",
                "w2[1:] @ (dE_da2 * sigmoid_prime(a2))",
                "w2[1:, 1] * (dE_da2 * sigmoid_prime(a2))[1]",
                credit=0.25,
                says="That is the road over the second output alone. Where else does the hidden unit lead?",
            ),
            Slip(
                "no-slope",
                "(dE_da2 * sigmoid_prime(a2))",
                "dE_da2",
                credit=0.25,
                says="The errors came back over the weights, but not through the sigmoids of the outputs.",
            ),
            Slip(
                "bias-row",
                "w2[1:]",
                "w2[:-1]",
                credit=0.5,
                says="The bias row was used as if it belonged to hidden unit 1. Row 0 belongs to the constant 1.",
            ),
            Slip(
                "transposed",
                "w2[1:]",
                "w2[1:].T",
                credit=0.5,
                says="The weights were summed the other way: stay with one hidden unit and go over the outputs.",
            ),
            Slip(
                "mean",
                "w2[1:]",
                "0.5 * w2[1:]",
                credit=0.5,
                says="It is half of what it should be: the roads add, no mean is taken.",
            ),
            Slip(
                "sign",
                "= w2",
                "= -w2",
                credit=0.5,
                says="The signs are turned: all weights of the roads are positive and both outputs are too large.",
            ),
            Slip(
                "no-weights",
                "w2[1:] @ (dE_da2 * sigmoid_prime(a2))",
                "dE_da2 * sigmoid_prime(a2)",
                credit=0.25,
                says="These are the deltas of the outputs. They still have to travel back over the weights.",
            ),
            Slip(
                "no-brackets",
                "w2[1:] @ (dE_da2 * sigmoid_prime(a2))",
                "np.sum(a2 - y * a2 * (1 - a2) * w2[1:], axis=1)",
                credit=0.25,
                says="That is the slides' line without brackets: the product was taken before the difference.",
            ),
            Slip(
                "targets-swapped",
                "dE_da2 *",
                "(a2 - y[::-1]) *",
                credit=0.5,
                says=(
                    "Each output was compared with the other one's target. The target belongs to output j, as the "
                    "sum's index does."
                ),
            ),
        ],
        same=[
            Same(
                "rounded", "w2[1:] @ (dE_da2 * sigmoid_prime(a2))", "np.round(w2[1:] @ (dE_da2 * sigmoid_prime(a2)), 4)"
            ),
            Same(
                "sum of roads",
                "w2[1:] @ (dE_da2 * sigmoid_prime(a2))",
                "[sum(w2[k, j] * dE_da2[j] * a2[j] * (1 - a2[j]) for j in (0, 1)) for k in (1, 2)]",
            ),
            Same("typed", "w2[1:] @ (dE_da2 * sigmoid_prime(a2))", "(.1502, .0818)"),
            Same("typed, cut at each step", "w2[1:] @ (dE_da2 * sigmoid_prime(a2))", "(.1500, .0816)"),
        ],
        hints=[
            "Each hidden unit feeds two outputs.",
            "For each road: error, slope of that output, weight of that road.",
            "w2[1:] @ delta2",
        ],
    ),
    value(
        "partial-w1-01",
        "dE_dw1_01",
        points=1,
        builds_on=["partial-a1", "sigmoid-prime"],
        slips=[
            Slip(
                "no-slope",
                " * sigmoid_prime(a1[0])",
                "",
                credit=0.25,
                says=(
                    "That is the gradient at the hidden unit's output. A sigmoid still stands between it and the "
                    "weight."
                ),
            ),
            Slip(
                "no-gradient",
                "dE_da1[0] * ",
                "",
                credit=0.25,
                says="That is the hidden unit's slope alone: what comes back from the outputs is missing.",
            ),
            Slip(
                "other-unit",
                "dE_da1[0] * sigmoid_prime(a1[0])",
                "dE_da1[1] * sigmoid_prime(a1[1])",
                credit=0.5,
                says="That belongs to hidden unit 2. The formulas count units from 1, numpy counts from 0.",
            ),
            Slip(
                "slope-of-the-output",
                "sigmoid_prime(a1[0])",
                "sigmoid_prime(a2[0])",
                credit=0.5,
                says="The slope is that of an output unit. Whose sigmoid stands behind this weight?",
            ),
            Slip(
                "slope-of-the-sum",
                "sigmoid_prime(a1[0])",
                "sigmoid_prime(s1[0])",
                credit=0.5,
                says="The slope was computed from the sum s1; `sigmoid_prime` wants an activation.",
            ),
            Slip(
                "one-road",
                "dE_da1[0]",
                "(w2[1, 0] * (a2[0] - y[0]) * a2[0] * (1 - a2[0]))",
                credit=0.5,
                says="Only the road over the first output came back to the hidden unit.",
            ),
            Slip(
                "sign",
                "= dE",
                "= -dE",
                credit=0.5,
                says="The sign is turned: a larger bias makes this unit, and with it E, larger.",
            ),
        ],
        same=[
            Same("rounded", "dE_da1[0] * sigmoid_prime(a1[0]) * 1.0", "np.round(dE_da1[0] * sigmoid_prime(a1[0]), 4)"),
            Same("cut", "dE_da1[0] * sigmoid_prime(a1[0]) * 1.0", ".0019"),
            Same("written out", "sigmoid_prime(a1[0])", "a1[0] * (1 - a1[0])"),
        ],
        hints=[
            "Three slopes again, this time at the hidden unit.",
            "dE_da1 holds the first of them; the last one is the input of a bias.",
            "dE_da1[0] times a1[0] (1 - a1[0]) times 1",
        ],
    ),
    value(
        "grad-w1-row1",
        "c1_row1",
        points=2,
        builds_on=["partial-a1", "sigmoid-prime"],
        atol=ATOL_C1,
        slips=[
            Slip(
                "no-slope",
                " * sigmoid_prime(a1)",
                "",
                credit=0.25,
                says="The gradient arrives at the weights without the slope of the hidden sigmoids.",
            ),
            Slip(
                "no-gradient",
                "dE_da1 * ",
                "",
                credit=0.25,
                says="Only slopes were multiplied: what comes back from the outputs is missing.",
            ),
            Slip(
                "transposed",
                "np.outer(with_bias(x), dE_da1 * sigmoid_prime(a1))",
                "np.outer(dE_da1 * sigmoid_prime(a1), with_bias(x))",
                credit=0.5,
                says="Rows and columns are swapped: c1 has the shape of w1, one column a hidden unit.",
            ),
            Slip(
                "no-bias-row",
                "with_bias(x)",
                "x",
                credit=0.5,
                says="The bias row is missing: c1 has one entry for each weight of w1.",
            ),
            Slip(
                "columns-swapped",
                "sigmoid_prime(a1))",
                "sigmoid_prime(a1))[:, ::-1]",
                credit=0.5,
                says="The two columns are swapped: each delta stands under the other hidden unit.",
            ),
            Slip(
                "bias-row-last",
                "with_bias(x)",
                "np.append(x, 1.0)",
                credit=0.5,
                says="The bias row stands at the bottom; in w1 it is row 0.",
            ),
            Slip(
                "slope-of-the-outputs",
                "sigmoid_prime(a1)",
                "sigmoid_prime(a2)",
                credit=0.5,
                says="The slopes are those of the output units. Whose sigmoids stand behind these weights?",
            ),
            Slip(
                "slope-of-the-sums",
                "sigmoid_prime(a1)",
                "sigmoid_prime(s1)",
                credit=0.5,
                says="The slope was computed from the sums s1; `sigmoid_prime` wants activations.",
            ),
            Slip("sign", "= np", "= -np", credit=0.5, says="The signs are turned."),
        ],
        same=[
            Same(
                "rounded",
                "c1_row1 = np.outer(with_bias(x), dE_da1 * sigmoid_prime(a1))",
                "c1_row1 = np.round(np.outer(with_bias(x), dE_da1 * sigmoid_prime(a1)), 4)",
            ),
            Same(
                "columns and rows",
                "np.outer(with_bias(x), dE_da1 * sigmoid_prime(a1))",
                "with_bias(x).reshape(4, 1) @ (dE_da1 * a1 * (1 - a1)).reshape(1, 2)",
            ),
            Same(
                "typed from rounded factors",
                "np.outer(with_bias(x), dE_da1 * sigmoid_prime(a1))",
                "[[.0020, .0004], [.0020, .0004], [.0080, .0016], [.0100, .0020]]",
            ),
            Same(
                "typed, cut at each step",
                "np.outer(with_bias(x), dE_da1 * sigmoid_prime(a1))",
                "[[.0019, .0003], [.0019, .0003], [.0076, .0012], [.0095, .0015]]",
            ),
        ],
        hints=[
            "Two deltas, four inputs, eight products.",
            "delta1 is dE_da1 times the hidden units' slopes.",
            "np.outer(with_bias(x), delta1)",
        ],
    ),
    function(
        "gates-forward",
        "sigmoid_gates",
        points=1,
        worked=[Worked("s = 1", lambda given: (1.0,)), Worked("row 1's s2[1]", lambda given: (float(given["s2"][0]),))],
        cases=[
            Case("one number", lambda rng: (_sum_input(rng),), times=3),
            Case("a negative number", lambda rng: (-abs(_sum_input(rng)),)),
        ],
        slips=[
            Slip(
                "minus-left-out",
                "negative = -s",
                "negative = s",
                credit=0.5,
                says="The first gate passed its number on unchanged. It multiplies with -1.",
            ),
            Slip(
                "inputs",
                "[negative, exponential, plus_one, reciprocal]",
                "[s, negative, exponential, plus_one]",
                credit=0.5,
                says="These are the numbers that go into the gates. Asked for is what comes out.",
            ),
            Slip(
                "backwards",
                "[negative, exponential, plus_one, reciprocal]",
                "[reciprocal, plus_one, exponential, negative]",
                credit=0.5,
                says="The numbers are right and stand in the order of the way back.",
            ),
            Slip(
                "plus-one-inside",
                "np.exp(negative)",
                "np.exp(negative + 1)",
                credit=0.25,
                says="1 was added before exp as well; exp comes first, then plus 1.",
            ),
            Slip(
                "minus-one-twice",
                "exponential + 1",
                "1 - exponential",
                credit=0.25,
                says="The third gate adds 1; here it subtracted.",
            ),
            Slip(
                "reciprocal-left-out",
                "1 / plus_one",
                "plus_one",
                credit=0.25,
                says="The last gate did nothing: its output should be a number between 0 and 1.",
            ),
            Slip(
                "powers-of-ten",
                "np.exp(negative)",
                "10.0**negative",
                credit=0.25,
                says="The second gate took powers of 10, exp takes powers of e.",
            ),
        ],
        same=[
            Same(
                "a list",
                "np.array([negative, exponential, plus_one, reciprocal])",
                "[negative, exponential, plus_one, reciprocal]",
            ),
            Same("by the sigmoid", "", "    a = sigmoid(s)\n    return np.array([-s, (1 - a) / a, 1 / a, a])"),
            Same("powers of e", "np.exp(negative)", "1 / np.e**s"),
            Same(
                "in a loop",
                "",
                (
                    "    gates = [lambda v: -1 * v, np.exp, lambda v: 1 + v, lambda v: 1 / v]\n    out = []\n    for "
                    "gate in gates:\n        s = gate(s)\n        out.append(s)\n    return np.array(out)"
                ),
            ),
        ],
        hints=[
            "Each gate works on what the gate before it put out.",
            "Four numbers; the last one is the sigmoid of s.",
            "-s, exp(-s), 1 + exp(-s), 1 / (1 + exp(-s))",
        ],
    ),
    function(
        "gates-backward",
        "sigmoid_gates_backward",
        points=2,
        builds_on=["gates-forward"],
        worked=[
            Worked("s = 1, upstream 1", lambda given: (1.0,)),
            Worked("s = 1, upstream -2", lambda given: (1.0, -2.0)),
        ],
        cases=[
            Case("upstream left at 1", lambda rng: (_sum_input(rng),), times=2),
            Case(
                "another upstream",
                lambda rng: (_sum_input(rng), float(rng.uniform(1.5, 3.0) * rng.choice([-1.0, 1.0]))),
                times=2,
            ),
        ],
        slips=[
            Slip(
                "upstream-ignored",
                "upstream * (-1 / plus_one**2)",
                "-1 / plus_one**2",
                credit=0.5,
                says="The upstream gradient does not reach the gates: with upstream 1 it would not show.",
            ),
            Slip(
                "reciprocal-sign",
                "(-1 / plus_one**2)",
                "(1 / plus_one**2)",
                credit=0.5,
                says="The sign of the reciprocal's slope is turned: 1/v falls when v grows.",
            ),
            Slip(
                "reciprocal-not-squared",
                "(-1 / plus_one**2)",
                "(-1 / plus_one)",
                credit=0.5,
                says="The reciprocal's slope is not right: one power of its input is missing.",
            ),
            Slip(
                "reciprocal-of-its-output",
                "(-1 / plus_one**2)",
                "(-(plus_one**2))",
                credit=0.5,
                says="The reciprocal's slope was taken at the gate's output. It belongs to its input.",
            ),
            Slip(
                "last-sign",
                "d_negative * -1",
                "d_negative",
                credit=0.5,
                says="The gate times -1 handed the gradient on with its sign unturned.",
            ),
            Slip(
                "exp-at-the-sum",
                "d_exponential * exponential",
                "d_exponential * np.exp(s)",
                credit=0.5,
                says="The slope of exp was taken at s. What goes into that gate is something else.",
            ),
            Slip(
                "exp-slope-left-out",
                "d_exponential * exponential",
                "d_exponential",
                credit=0.25,
                says="The exp gate handed the gradient on unchanged; only a plus gate does that.",
            ),
            Slip(
                "plus-gate-adds",
                "d_plus_one * 1",
                "d_plus_one + 1",
                credit=0.25,
                says="The plus gate added 1 to the gradient. Going back, its slope is what counts.",
            ),
            Slip(
                "slopes-alone",
                "[d_plus_one, d_exponential, d_negative, d_s]",
                "[-1 / plus_one**2, 1.0, exponential, -1.0]",
                credit=0.25,
                says="These are the gates' own slopes. The chain rule multiplies them up, from the end to the front.",
            ),
            Slip(
                "forward-order",
                "[d_plus_one, d_exponential, d_negative, d_s]",
                "[d_s, d_negative, d_exponential, d_plus_one]",
                credit=0.5,
                says="The numbers are right and stand in the order of the way forward.",
            ),
        ],
        same=[
            Same(
                "a list",
                "np.array([d_plus_one, d_exponential, d_negative, d_s])",
                "[d_plus_one, d_exponential, d_negative, d_s]",
            ),
            Same(
                "running product",
                "",
                "    _, e, p, _ = sigmoid_gates(s)\n    return upstream * np.cumprod([-(p**-2.0), 1.0, e, -1.0])",
            ),
            Same(
                "from the output",
                "",
                (
                    "    a = sigmoid_gates(s)[-1]\n    slope = upstream * a * (1 - a)\n    return np.array([-upstream "
                    "* a**2, -upstream * a**2, -slope, slope])"
                ),
            ),
            Same(
                "without the gates",
                "",
                (
                    "    e = np.exp(-s)\n    first = -upstream / (1 + e) / (1 + e)\n    return np.array([first, first, "
                    "first * e, -first * e])"
                ),
            ),
        ],
        hints=[
            "Begin at the reciprocal gate: its input is 1 + exp(-s).",
            "Each entry is the one before it times one local slope.",
            "upstream times -1/p^2, times 1, times exp(-s), times -1, with p = 1 + exp(-s)",
        ],
    ),
    function(
        "neuron-graph",
        "neuron_graph_backward",
        points=2,
        builds_on=["sigmoid-prime"],
        parts=["dE_dw", "dE_da"],
        worked=[
            Worked("the little neuron", lambda given: (np.array([0.5, -1.0, 2.0]), np.array([1.0, 0.5, 0.25]), 1.0))
        ],
        cases=[
            Case("three inputs", lambda rng: _neuron(rng, 3)),
            Case("six inputs", lambda rng: _neuron(rng, 6)),
            Case("a bias in front", _biased_neuron),
        ],
        slips=[
            Slip(
                "factors-swapped",
                "return d_s * a, d_s * w",
                "return d_s * w, d_s * a",
                credit=0.5,
                says="A product hands each factor the gradient times the other one; here each got it times itself.",
            ),
            Slip(
                "no-slope",
                " * sigmoid_prime(output)",
                "",
                credit=0.25,
                says="The error reaches the products, but the sigmoid's slope is not in it.",
            ),
            Slip(
                "no-error",
                "(output - target) * ",
                "",
                credit=0.25,
                says="That is the gradient of the output, not of E: the first gate on the way back is missing.",
            ),
            Slip(
                "turned-round",
                "(output - target)",
                "(target - output)",
                credit=0.5,
                says="All signs are turned: what is the slope of E where the output is above the target?",
            ),
            Slip(
                "half-forgotten",
                "(output - target)",
                "2 * (output - target)",
                credit=0.5,
                says="Everything is twice too large: what does the half of E do to the 2 of the square?",
            ),
            Slip(
                "slope-of-the-sum",
                "sigmoid_prime(output)",
                "sigmoid_prime(np.dot(w, a))",
                credit=0.5,
                says="The slope was computed from the sum; `sigmoid_prime` wants the activation.",
            ),
            Slip(
                "error-itself",
                "(output - target)",
                "0.5 * (output - target) ** 2",
                credit=0.25,
                says="E itself came into the product. What is its slope at the output?",
            ),
            Slip(
                "sum-shared-out",
                "d_s = (output - target)",
                "d_s = (output - target) / len(w)",
                credit=0.25,
                says="The plus gate shared its gradient out. It hands the whole of it to each of its inputs.",
            ),
        ],
        same=[
            Same(
                "through the gates",
                "",
                (
                    "    s = np.sum(w * a)\n    d_s = sigmoid_gates_backward(s, sigmoid(s) - target)[-1]\n    return "
                    "d_s * a, d_s * w"
                ),
            ),
            Same(
                "loops",
                "",
                (
                    "    s = 0.0\n    for one, other in zip(w, a):\n        s += one * other\n    out = 1 / (1 + "
                    "np.exp(-s))\n    d_s = (out - target) * out * (1 - out)\n    return [d_s * other for other in a], "
                    "[d_s * one for one in w]"
                ),
            ),
            Same("slope from exp", "sigmoid_prime(output)", "np.exp(-np.dot(w, a)) * output**2"),
        ],
        hints=[
            "First the gradient at the sum s, one number.",
            "Then one product after the other: each factor gets that number times the other factor.",
            "d_s = (output - target) times slope; d_s * a and d_s * w",
        ],
    ),
    function(
        "branches-add",
        "branch_gradient",
        points=1,
        worked=[
            Worked("2 and 3, slopes 5 and -1", lambda given: ([2.0, 3.0], [5.0, -1.0])),
            Worked(
                "an array used twice",
                lambda given: (
                    [np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.5, -1.0])],
                    [np.array([2.0, 2.0, 1.0]), np.array([4.0, -2.0, 3.0])],
                ),
            ),
        ],
        cases=[
            Case(
                "numbers",
                lambda rng: (
                    list(map(float, rng.uniform(0.3, 2, size=4))),
                    list(map(float, rng.uniform(0.3, 2, size=4))),
                ),
            ),
            Case("numbers in arrays", lambda rng: (rng.uniform(0.3, 2, size=5), rng.uniform(0.3, 2, size=5))),
            Case(
                "vectors",
                lambda rng: ([_away_from_0(rng, 4) for _ in range(3)], [_away_from_0(rng, 4) for _ in range(3)]),
            ),
            Case("one matrix a place", lambda rng: (_away_from_0(rng, 3, 2, 5), _away_from_0(rng, 3, 2, 5))),
            Case("one place only", lambda rng: ([float(rng.uniform(0.3, 2))], [float(rng.uniform(1.5, 2))])),
        ],
        slips=[
            Slip(
                "last-place-only",
                "total + upstream * local",
                "upstream * local",
                credit=0.25,
                says="Only the last place came through: each one overwrote the one before it.",
            ),
            Slip(
                "first-place-only",
                "",
                "    return upstreams[0] * locals_[0]",
                credit=0.25,
                says="Only the first place of use came through.",
            ),
            Slip(
                "no-locals",
                "total + upstream * local",
                "total + upstream",
                credit=0.25,
                says="The upstream gradients were added as they came; each passes its place's own slope first.",
            ),
            Slip(
                "mean",
                "return total",
                "return total / len(upstreams)",
                credit=0.5,
                says="The mean over the places was taken. Gradients from several places add.",
            ),
            Slip(
                "product-of-sums",
                "",
                "    return sum(upstreams) * sum(locals_)",
                credit=0.25,
                says="Sums were multiplied: every upstream met every slope. Each meets the one of its own place.",
            ),
            Slip(
                "places-multiplied",
                "",
                (
                    "    total = 1.0\n    for upstream, local in zip(upstreams, locals_):\n        total = total * "
                    "upstream * local\n    return total"
                ),
                credit=0.25,
                says=(
                    "The places were multiplied with each other. Along a road slopes multiply; where roads meet they "
                    "do something else."
                ),
            ),
            Slip(
                "added-up-whole",
                "return total",
                "return np.sum(total)",
                credit=0.5,
                says="For arrays everything was added into one number; each entry is a value of its own.",
            ),
            Slip(
                "slopes-added-on",
                "upstream * local",
                "upstream + local",
                credit=0.25,
                says="Upstream gradient and slope were added. The chain rule multiplies them.",
            ),
        ],
        same=[
            Same("numpy", "", "    return np.sum(np.asarray(upstreams) * np.asarray(locals_), axis=0)"),
            Same("einsum", "", '    return np.einsum("p...,p...->...", np.asarray(upstreams), np.asarray(locals_))'),
            Same("from the last place", "zip(upstreams, locals_, strict=True)", "zip(upstreams[::-1], locals_[::-1])"),
            Same("one-line sum", "", "    return sum(u * v for u, v in zip(upstreams, locals_))"),
        ],
        hints=[
            "One product a place.",
            "The products add, over the places and over nothing else.",
            "the sum over places of upstream times local",
        ],
    ),
    function(
        "shared-bias",
        "shared_bias_gradient",
        points=2,
        builds_on=["sigmoid-prime"],
        parts=["dE_db1", "dE_db2"],
        worked=[Worked("a small net", lambda given: SHARED_NET)],
        cases=[
            Case("any sizes", _any_shared_net, times=2),
            Case("a wide net", lambda rng: _shared_net(rng, 4, 7, 5)),
            Case("two hidden units", lambda rng: _shared_net(rng, 5, 2, 3)),
        ],
        slips=[
            Slip(
                "mean",
                "return np.sum(d_s1), np.sum(d_s2)",
                "return np.mean(d_s1), np.mean(d_s2)",
                credit=0.5,
                says="The mean over the units was taken. What comes back from several places adds.",
            ),
            Slip(
                "first-unit-only",
                "return np.sum(d_s1), np.sum(d_s2)",
                "return d_s1[0], d_s2[0]",
                credit=0.25,
                says="Only the first unit of each layer counts. The bias moves all of them.",
            ),
            Slip(
                "not-shared",
                "return np.sum(d_s1), np.sum(d_s2)",
                "return d_s1, d_s2",
                credit=0.5,
                says="There is one number a unit, as if each had a bias of its own. They share one.",
            ),
            Slip(
                "order",
                "return np.sum(d_s1), np.sum(d_s2)",
                "return np.sum(d_s2), np.sum(d_s1)",
                credit=0.5,
                says="The two numbers are swapped: first the hidden layer's bias, then the output layer's.",
            ),
            Slip(
                "no-hidden-slope",
                " * sigmoid_prime(a1)",
                "",
                credit=0.5,
                says="The output layer's bias is right; on the way to the hidden one a slope is missing.",
            ),
            Slip(
                "no-output-slope",
                " * sigmoid_prime(a2)",
                "",
                credit=0.5,
                says="The slope of the outputs is missing, and with it both numbers are off.",
            ),
            Slip(
                "bias-row",
                "w2[1:]",
                "w2[:-1]",
                credit=0.5,
                says="On the way back the bias row of w2 was taken for a hidden unit's.",
            ),
            Slip("turned-round", "(a2 - y)", "(y - a2)", credit=0.5, says="Both signs are turned."),
        ],
        same=[
            Same(
                "loops",
                "",
                """
    first = [sigmoid(w1[0, k] + sum(x[i] * w1[i + 1, k] for i in range(len(x)))) for k in range(w1.shape[1])]
    second = [sigmoid(w2[0, j] + sum(first[k] * w2[k + 1, j] for k in range(len(first)))) for j in range(w2.shape[1])]
    out = [(second[j] - y[j]) * sigmoid_prime(second[j]) for j in range(len(second))]
    back = 0.0
    for k in range(len(first)):
        back += sum(out[j] * w2[k + 1, j] for j in range(len(out))) * sigmoid_prime(first[k])
    return back, sum(out)
""",
            ),
            Same(
                "ones",
                "return np.sum(d_s1), np.sum(d_s2)",
                "return np.ones(len(d_s1)) @ d_s1, np.ones(len(d_s2)) @ d_s2",
            ),
            Same(
                "bias row of the tables",
                "return np.sum(d_s1), np.sum(d_s2)",
                "return np.outer(with_bias(x), d_s1)[0].sum(), np.outer(with_bias(a1), d_s2)[0].sum()",
            ),
            Same("einsum", "(w2[1:] @ d_s2)", 'np.einsum("kj,j->k", w2[1:], d_s2)'),
        ],
        hints=[
            "What would each unit's own bias get?",
            "A bias of one's own gets the unit's delta; this one stands at all units.",
            "the sum of each layer's deltas",
        ],
    ),
    function(
        "mlp-gradients",
        points=3,
        builds_on=["sigmoid-prime"],
        parts=["c1", "c2"],
        worked=[Worked("a small net", lambda given: SMALL_NET)],
        cases=[
            Case("any sizes", _any_net, times=2),
            Case("more outputs than inputs", lambda rng: _net(rng, 2, 4, 6)),
            Case("one output", lambda rng: _net(rng, 4, 3, 1)),
            Case("a wide net", lambda rng: _net(rng, 5, 8, 3)),
            Case("as many units as inputs", lambda rng: _net(rng, 3, 3, 3), easy=True),
        ],
        slips=[
            Slip(
                "no-hidden-slope",
                " * sigmoid_prime(a1)",
                "",
                credit=0.5,
                says=(
                    "c2 is right. On the way to c1 the error came over the weights, but not through the hidden "
                    "sigmoids."
                ),
            ),
            Slip(
                "no-output-slope",
                " * sigmoid_prime(a2)",
                "",
                credit=0.5,
                says="The slope of the outputs is missing, and with it both tables are off.",
            ),
            Slip(
                "error-sent-back-raw",
                "(w2[1:] @ d_s2)",
                "(w2[1:] @ (a2 - y))",
                credit=0.5,
                says="c2 is right. What went back to the hidden layer was the bare error, without the outputs' slope.",
            ),
            Slip(
                "bias-row",
                "w2[1:]",
                "w2[:-1]",
                credit=0.5,
                says="c2 is right. On the way back the bias row of w2 was taken for a hidden unit's.",
            ),
            Slip(
                "no-bias-row-c1",
                "np.outer(a0, d_s1)",
                "np.outer(x, d_s1)",
                credit=0.5,
                says="c1 has no row for the biases: it should have the shape of w1.",
            ),
            Slip(
                "no-bias-row-c2",
                "np.outer(with_bias(a1), d_s2)",
                "np.outer(a1, d_s2)",
                credit=0.5,
                says="c2 has no row for the biases: it should have the shape of w2.",
            ),
            Slip("turned-round", "(a2 - y)", "(y - a2)", credit=0.5, says="All signs are turned: look at the error."),
            Slip(
                "half-forgotten",
                "(a2 - y)",
                "2 * (a2 - y)",
                credit=0.5,
                says="Everything is twice too large: E has a half in front of its sum.",
            ),
            Slip(
                "slope-of-the-sums",
                "sigmoid_prime(a1)",
                "sigmoid_prime(a0 @ w1)",
                credit=0.5,
                says="c2 is right. The hidden slope was computed from the sums; `sigmoid_prime` wants activations.",
            ),
            Slip(
                "transposed",
                "np.outer(a0, d_s1), np.outer(with_bias(a1), d_s2)",
                "np.outer(d_s1, a0), np.outer(d_s2, with_bias(a1))",
                credit=0.5,
                says="Rows and columns of both tables are swapped: each has the shape of its weights.",
            ),
            Slip(
                "order",
                "np.outer(a0, d_s1), np.outer(with_bias(a1), d_s2)",
                "np.outer(with_bias(a1), d_s2), np.outer(a0, d_s1)",
                credit=0.5,
                says="The two tables are swapped: c1 comes first.",
            ),
            Slip(
                "first-output-only",
                "(w2[1:] @ d_s2)",
                "(w2[1:, 0] * d_s2[0])",
                credit=0.25,
                says="c2 is right. Only the first output sent something back to the hidden units.",
            ),
        ],
        same=[
            Same(
                "loops",
                "",
                """
    d, h, m = len(x), w1.shape[1], w2.shape[1]
    a0 = [1.0, *x]
    a1 = [1.0] + [1 / (1 + np.exp(-sum(a0[i] * w1[i, k] for i in range(d + 1)))) for k in range(h)]
    a2 = [1 / (1 + np.exp(-sum(a1[k] * w2[k, j] for k in range(h + 1)))) for j in range(m)]
    c1, c2 = np.zeros((d + 1, h)), np.zeros((h + 1, m))
    delta = [(a2[j] - y[j]) * a2[j] * (1 - a2[j]) for j in range(m)]
    for j in range(m):
        for k in range(h + 1):
            c2[k, j] = a1[k] * delta[j]
    for k in range(1, h + 1):
        back = sum(w2[k, j] * delta[j] for j in range(m)) * a1[k] * (1 - a1[k])
        for i in range(d + 1):
            c1[i, k - 1] = a0[i] * back
    return c1, c2
""",
            ),
            Same(
                "einsum",
                "np.outer(a0, d_s1), np.outer(with_bias(a1), d_s2)",
                'np.einsum("i,k->ik", a0, d_s1), np.einsum("k,j->kj", with_bias(a1), d_s2)',
            ),
            Same("whole w2, bias dropped after", "(w2[1:] @ d_s2)", "(w2 @ d_s2)[1:]"),
            Same(
                "columns",
                "",
                """
    first = np.concatenate([[1.0], x]).reshape(-1, 1)
    hidden = 1 / (1 + np.exp(-w1.T @ first))
    second = np.vstack([[[1.0]], hidden])
    out = 1 / (1 + np.exp(-w2.T @ second))
    delta = (out - np.reshape(y, (-1, 1))) * out * (1 - out)
    back = np.delete(w2 @ delta, 0, axis=0) * hidden * (1 - hidden)
    return first @ back.T, second @ delta.T
""",
            ),
        ],
        hints=[
            "Do sections 1 and 2 in order, for vectors of any length.",
            "Four steps: forward, delta2, delta1, two tables.",
            (
                "c1 = outer((1, x), delta1), c2 = outer((1, a1), delta2), delta1 = (w2 without row 0) @ delta2 times "
                "a1 (1 - a1)"
            ),
        ],
    ),
    function(
        "softmax-ce-gradient",
        "softmax_cross_entropy_gradient",
        points=2,
        worked=[
            Worked("equal scores", lambda given: (np.zeros((1, 3)), np.array([2]))),
            Worked("two examples", lambda given: (np.array([[1.0, 2.0, 0.0], [0.5, 0.5, -1.0]]), np.array([0, 2]))),
        ],
        cases=[
            Case("five examples, three classes", lambda rng: _scores(rng, 5, 3)),
            Case("three examples, six classes", lambda rng: _scores(rng, 3, 6)),
            Case("one example", lambda rng: _scores(rng, 1, 4)),
            Case("two classes", lambda rng: _scores(rng, 7, 2)),
        ],
        slips=[
            Slip(
                "not-divided",
                "return d_f / n",
                "return d_f",
                credit=0.5,
                says="That is the gradient of the sum over the examples. The loss is their mean.",
            ),
            Slip(
                "divided-by-all",
                "return d_f / n",
                "return d_f / d_f.size",
                credit=0.5,
                says="It was divided by the number of entries. The mean is taken over examples, not over classes.",
            ),
            Slip(
                "one-not-subtracted",
                "    d_f[np.arange(n), labels] -= 1\n",
                "",
                credit=0.25,
                says="These are the probabilities: nothing in them knows the labels.",
            ),
            Slip(
                "turned-round",
                "return d_f / n",
                "return -d_f / n",
                credit=0.5,
                says="The signs are turned: a larger score at the label makes the loss smaller.",
            ),
            Slip(
                "whole-columns",
                "d_f[np.arange(n), labels] -= 1",
                "d_f[:, labels] -= 1",
                credit=0.5,
                says=(
                    "1 was subtracted in whole columns. Each row has one label: rows and columns must be named in "
                    "pairs."
                ),
            ),
            Slip(
                "softmax-over-examples",
                "np.sum(powers, axis=1, keepdims=True)",
                "np.sum(powers, axis=0, keepdims=True)",
                credit=0.25,
                says="Softmax was taken down the columns: the examples were made to compete, not the classes.",
            ),
            Slip(
                "stops-at-p",
                "",
                (
                    "    n = len(f)\n    powers = np.exp(f - np.max(f, axis=1, keepdims=True))\n    p = powers / "
                    "np.sum(powers, axis=1, keepdims=True)\n    d_p = np.zeros_like(p)\n    d_p[np.arange(n), labels] "
                    "= -1 / p[np.arange(n), labels]\n    return d_p / n"
                ),
                credit=0.25,
                says=(
                    "That is the gradient with respect to the probabilities. One link of the chain, through softmax to "
                    "the scores, is left."
                ),
            ),
            Slip(
                "diagonal-only",
                "return d_f / n",
                (
                    "rows = np.arange(n)\n    only = np.zeros_like(d_f)\n    only[rows, labels] = d_f[rows, labels]\n  "
                    "  return only / n"
                ),
                credit=0.5,
                says=(
                    "Only the label's score has a slope. The other scores move the label's probability as well, "
                    "through the sum below the line."
                ),
            ),
            Slip(
                "extra-slope",
                "return d_f / n",
                "p = powers / np.sum(powers, axis=1, keepdims=True)\n    return d_f * p * (1 - p) / n",
                credit=0.25,
                says="A slope p(1-p) was multiplied on top. The short form holds softmax's slope already.",
            ),
        ],
        same=[
            Same(
                "one-hot",
                "",
                (
                    "    one_hot = np.eye(f.shape[1])[labels]\n    return (np.exp(f) / np.sum(np.exp(f), axis=1, "
                    "keepdims=True) - one_hot) / len(f)"
                ),
            ),
            Same(
                "loops",
                "",
                """
    grad = np.zeros(f.shape)
    for i, label in enumerate(labels):
        powers = [np.exp(score) for score in f[i]]
        for c, power in enumerate(powers):
            grad[i, c] = (power / sum(powers) - (1 if c == label else 0)) / len(f)
    return grad
""",
            ),
            Same(
                "whole jacobian",
                "",
                """
    powers = np.exp(f - f.max(axis=1, keepdims=True))
    p = powers / powers.sum(axis=1, keepdims=True)
    rows = np.arange(len(f))
    jacobian = np.einsum("ic,cd->icd", p, np.eye(f.shape[1])) - np.einsum("ic,id->icd", p, p)
    return -jacobian[rows, labels] / p[rows, labels][:, None] / len(f)
""",
            ),
            Same(
                "by logarithms",
                "d_f = powers / np.sum(powers, axis=1, keepdims=True)",
                "d_f = np.exp(f - np.log(np.sum(np.exp(f), axis=1))[:, np.newaxis])",
            ),
        ],
        hints=[
            "First the probabilities, a row at a time.",
            "Then one entry a row changes: the label's.",
            "(p - one-hot of the labels) / n",
        ],
    ),
    function(
        "softmax-mlp-gradients",
        points=3,
        builds_on=["sigmoid-prime", "softmax-ce-gradient"],
        parts=["c1", "c2"],
        worked=[Worked("a small net", lambda given: CLASS_NET)],
        cases=[
            Case("any sizes", _any_softmax_net, times=2),
            Case("two classes", lambda rng: _softmax_net(rng, 4, 3, 2)),
            Case("many classes", lambda rng: _softmax_net(rng, 3, 5, 7)),
        ],
        slips=[
            Slip(
                "sigmoid-slope-at-the-end",
                "[0]\n",
                "[0]\n    d_f = d_f * sigmoid_prime(sigmoid(f))\n",
                credit=0.5,
                says=(
                    "A sigmoid's slope was multiplied at the outputs. There is no sigmoid there: softmax's share is in "
                    "the short form already."
                ),
            ),
            Slip(
                "softmax-slope-twice",
                "[0]\n",
                "[0]\n    p = np.exp(f) / np.sum(np.exp(f))\n    d_f = d_f * p * (1 - p)\n",
                credit=0.5,
                says="A slope p(1-p) was multiplied at the outputs. Softmax's slope is in the short form already.",
            ),
            Slip(
                "sigmoid-before-softmax",
                "f = with_bias(a1) @ w2",
                "f = sigmoid(with_bias(a1) @ w2)",
                credit=0.25,
                says="The scores went through a sigmoid before softmax. Here they go in as they are.",
            ),
            Slip(
                "no-hidden-slope",
                " * sigmoid_prime(a1)",
                "",
                credit=0.5,
                says="c2 is right. On the way to c1 the slope of the hidden sigmoids is missing.",
            ),
            Slip(
                "bias-row",
                "w2[1:]",
                "w2[:-1]",
                credit=0.5,
                says="c2 is right. On the way back the bias row of w2 was taken for a hidden unit's.",
            ),
            Slip(
                "no-bias-row-c1",
                "np.outer(a0, d_s1)",
                "np.outer(x, d_s1)",
                credit=0.5,
                says="c1 has no row for the biases: it should have the shape of w1.",
            ),
            Slip(
                "no-bias-row-c2",
                "np.outer(with_bias(a1), d_f)",
                "np.outer(a1, d_f)",
                credit=0.5,
                says="c2 has no row for the biases: it should have the shape of w2.",
            ),
            Slip(
                "order",
                "np.outer(a0, d_s1), np.outer(with_bias(a1), d_f)",
                "np.outer(with_bias(a1), d_f), np.outer(a0, d_s1)",
                credit=0.5,
                says="The two tables are swapped: c1 comes first.",
            ),
            Slip(
                "transposed",
                "np.outer(a0, d_s1), np.outer(with_bias(a1), d_f)",
                "np.outer(d_s1, a0), np.outer(d_f, with_bias(a1))",
                credit=0.5,
                says="Rows and columns of both tables are swapped: each has the shape of its weights.",
            ),
            Slip(
                "squared-error",
                "d_f = softmax_cross_entropy_gradient(f[np.newaxis], np.array([label]))[0]",
                "a2 = sigmoid(f)\n    d_f = (a2 - np.eye(len(f))[label]) * sigmoid_prime(a2)",
                credit=0.25,
                says="That is the net of section 5, with sigmoid outputs and squared error. This one ends in softmax.",
            ),
            Slip(
                "label-by-one",
                "np.array([label])",
                "np.array([label - 1])",
                credit=0.5,
                says="The 1 was subtracted one class too early: labels count from 0 here.",
            ),
        ],
        same=[
            Same(
                "own softmax",
                "d_f = softmax_cross_entropy_gradient(f[np.newaxis], np.array([label]))[0]",
                "d_f = np.exp(f) / np.sum(np.exp(f)) - (np.arange(len(f)) == label)",
            ),
            Same(
                "loops",
                "",
                """
    d, h, m = len(x), w1.shape[1], w2.shape[1]
    a0 = [1.0, *x]
    a1 = [1.0] + [1 / (1 + np.exp(-sum(a0[i] * w1[i, k] for i in range(d + 1)))) for k in range(h)]
    powers = [np.exp(sum(a1[k] * w2[k, c] for k in range(h + 1))) for c in range(m)]
    delta = [power / sum(powers) for power in powers]
    delta[label] -= 1
    c2 = [[a1[k] * delta[c] for c in range(m)] for k in range(h + 1)]
    back = [sum(w2[k, c] * delta[c] for c in range(m)) * a1[k] * (1 - a1[k]) for k in range(1, h + 1)]
    c1 = [[a0[i] * back[k] for k in range(h)] for i in range(d + 1)]
    return c1, c2
""",
            ),
            Same("whole w2, bias dropped after", "(w2[1:] @ d_f)", "(w2 @ d_f)[1:]"),
            Same(
                "einsum",
                "np.outer(a0, d_s1), np.outer(with_bias(a1), d_f)",
                'np.einsum("i,k->ik", a0, d_s1), np.einsum("k,j->kj", with_bias(a1), d_f)',
            ),
        ],
        hints=[
            "Only the last delta differs from mlp_gradients.",
            "The function of the item before takes a batch: give it one row and one label, take row 0.",
            "delta2 = p minus 1 at the label; the rest is as in mlp_gradients",
        ],
    ),
    function(
        "numeric-gradient",
        points=2,
        float32=False,  # a step of 1e-5 drowns in float32, so there is nothing right to accept
        # Right implementations differ by up to about 3e-10 of the largest entry (rounding of f, over h = 1e-5); the
        # one-sided difference is off by h/2 times the curvature, some 1e-6. RTOL = 1e-7 lies between.
        worked=[
            Worked(
                "w[0]**2 * w[1] + 3 * w[1] at (2, 5)",
                lambda given: (Probe("lambda w: float(w[0] ** 2 * w[1] + 3 * w[1])", {}), np.array([2.0, 5.0])),
            )
        ],
        cases=[
            Case("error of a layer", _squared_error_of_a_layer),
            Case("a vector", _waves),
            Case("a vector, h = .01", lambda rng: (*_waves(rng), 0.01)),
            Case("a matrix, h = .02", lambda rng: (*_squared_error_of_a_layer(rng), 0.02)),
        ],
        slips=[
            Slip(
                "one-sided",
                "(f(w + step) - f(w - step)) / (2 * h)",
                "(f(w + step) - f(w)) / h",
                credit=0.5,
                says="It is close, but not close enough: it looks to one side of w only.",
            ),
            Slip(
                "no-2",
                "(2 * h)",
                "h",
                credit=0.5,
                says="Everything is twice too large: how far apart are the two places?",
            ),
            Slip(
                "turned-round",
                "(f(w + step) - f(w - step))",
                "(f(w - step) - f(w + step))",
                credit=0.5,
                says="All signs are turned.",
            ),
            Slip(
                "all-at-once",
                "step[index] = h",
                "step[...] = h",
                credit=0.25,
                says="All entries got the same number: they were moved together. One at a time.",
            ),
            Slip(
                "h-ignored",
                "    grad = np.zeros(w.shape)\n",
                "    grad = np.zeros(w.shape)\n    h = 1e-5\n",
                credit=0.5,
                says="It is right with the step 1e-5 only: is `h` used?",
            ),
            Slip(
                "not-moved-back",
                "",
                """
    grad = np.zeros(w.shape)
    for index in np.ndindex(w.shape):
        w[index] += h
        above = f(w)
        w[index] -= 2 * h
        grad[index] = (above - f(w)) / (2 * h)
    return grad
""",
                credit=0.5,
                says="The first entry is right, the others are a little off: w was not put back after each entry.",
            ),
            Slip(
                "step-not-cleared",
                "",
                """
    grad, step = np.zeros(w.shape), np.zeros(w.shape)
    for index in np.ndindex(w.shape):
        step[index] = h
        grad[index] = (f(w + step) - f(w - step)) / (2 * h)
    return grad
""",
                credit=0.5,
                says=(
                    "The first entry is right; each later one holds all before it as well. Does the step still move "
                    "the earlier entries?"
                ),
            ),
            Slip(
                "wrong-shape",
                "return grad",
                "return grad.ravel()[:, np.newaxis]",
                credit=0.5,
                says="The result has another shape than w.",
            ),
        ],
        same=[
            Same(
                "in place and put back",
                "",
                """
    grad = np.zeros_like(w)
    for index in np.ndindex(w.shape):
        kept = w[index]
        w[index] = kept + h
        above = f(w)
        w[index] = kept - h
        below = f(w)
        w[index] = kept
        grad[index] = (above - below) / (2 * h)
    return grad
""",
            ),
            Same(
                "flat copies",
                "",
                """
    slopes = []
    for i in range(w.size):
        up, down = w.copy(), w.copy()
        up.flat[i] += h
        down.flat[i] -= h
        slopes.append((f(up) - f(down)) / (2 * h))
    return np.array(slopes).reshape(w.shape)
""",
            ),
            Same(
                "there and back",
                "",
                """
    grad = np.empty(w.shape)
    for index in np.ndindex(w.shape):
        w[index] += h
        grad[index] = f(w)
        w[index] -= 2 * h
        grad[index] -= f(w)
        w[index] += h
    return grad / (2 * h)
""",
            ),
            Same(
                "unit vectors",
                "",
                """
    slopes = [(f(w + h * e.reshape(w.shape)) - f(w - h * e.reshape(w.shape))) / h / 2 for e in np.eye(w.size)]
    return np.reshape(slopes, w.shape)
""",
            ),
            Same(
                "two halves",
                "(f(w + step) - f(w - step)) / (2 * h)",
                "((f(w + step) - f(w)) / h + (f(w) - f(w - step)) / h) / 2",
            ),
        ],
        hints=[
            "Go over all entries of w, one at a time.",
            "Move one entry up, call f; move it down, call f; then the next entry from where w was.",
            "(f(w + h e_i) - f(w - h e_i)) / (2 h)",
        ],
    ),
)
