"""Unit 02, the loss: squared errors, softmax, cross-entropy and the penalty on weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.items import Case, Same, Slip, Worked, choice, function, value

Array = NDArray[Any]
Rng = np.random.Generator

# E by hand on four decimals: cutting output, miss, square and half each loses up to 3e-4 (measured on the six rows);
# the nearest slip is .05 away.
ATOL_HAND = 4e-4

# log(p + 1e-8) is a common guard against log(0) and moves a loss by about 1e-7 of itself here; it counts as right.
RTOL_GUARDED_LOG = 1e-5

FAR_APART = np.array([[1000.0], [-1000.0]])  # moves the two worked rows of scores away from each other


# --------------------------------------------------------------------------- drawing cases


def two_batches(rng: Rng, n: int, m: int) -> tuple[Array, Array]:
    """Outputs and targets of n rows, any sign and size."""
    return rng.normal(0.3, 1.0, size=(n, m)), rng.normal(-0.2, 0.7, size=(n, m))


def probabilities(rng: Rng, n: int, c: int) -> Array:
    """(n, c) rows that add up to 1, no entry close to 0."""
    p = rng.uniform(0.2, 1.6, size=(n, c))
    return p / p.sum(axis=1, keepdims=True)


def some_labels(rng: Rng, n: int, c: int) -> Array:
    """(n,) integers below c, the first and the last class among them where there is room."""
    labels = rng.integers(0, c, size=n)
    labels[: min(n, 2)] = [0, c - 1][: min(n, 2)]
    return rng.permutation(labels)


def probabilities_and_labels(rng: Rng, n: int, c: int) -> tuple[Array, Array]:
    return probabilities(rng, n, c), some_labels(rng, n, c)


def score_rows(rng: Rng, n: int, c: int) -> Array:
    """(n, c) ordinary scores, unlike each other within a row."""
    return rng.normal(0, 1.2, size=(n, c)) + 0.4 * rng.permutation(c)


def eighths(rng: Rng, size: int | tuple[int, ...]) -> Array:
    """Small scores in steps of 1/8: beside 1000 they are still exact in float32."""
    return rng.integers(-14, 15, size=size) / 8.0


def high_and_low_rows(rng: Rng, c: int) -> Array:
    """(3, c): rows near +1000, -1000 and +940, the differences within a row being ordinary."""
    return np.array([[1000.0], [-1000.0], [940.0]]) + eighths(rng, (3, c))


def high_vector(rng: Rng, c: int) -> Array:
    """(c,): two scores near 1000, one at -1000, the others near 0."""
    f = eighths(rng, c)
    f[0] += 1000.0
    f[1] += 999.0
    f[2] = -1000.0
    return rng.permutation(f)


def hopeless_rows(rng: Rng, n: int, c: int) -> tuple[Array, Array]:
    """Rows whose right class is at -1000, 0 or ordinary while another class is at +1000."""
    f = eighths(rng, (n, c))
    labels = some_labels(rng, n, c)
    for i in range(n):
        others = rng.permutation(np.delete(np.arange(c), labels[i]))
        f[i, others[0]] += 1000.0
        if i % 2 == 0:
            f[i, labels[i]] = -1000.0
    return f, labels


def weight_list(rng: Rng, *shapes: tuple[int, int]) -> list[Array]:
    """Matrices with entries of both signs that do not cancel."""
    return [rng.normal(0.2, 0.9, size=shape) for shape in shapes]


def penalised(rng: Rng, n: int, c: int, *shapes: tuple[int, int]) -> tuple[Array, Array, list[Array], float]:
    return score_rows(rng, n, c), some_labels(rng, n, c), weight_list(rng, *shapes), float(rng.uniform(0.05, 0.3))


def net_and_data(rng: Rng, n: int, d: int, h: int, c: int) -> tuple[dict[str, Array], Array, Array, float]:
    """A model of WildML's layout with biases that are not zero, its rows, labels and lambda."""
    model = {
        "W1": rng.normal(0.1, 0.8, size=(d, h)),
        "b1": rng.normal(0.3, 0.8, size=(1, h)),
        "W2": rng.normal(-0.1, 0.7, size=(h, c)),
        "b2": rng.normal(0.4, 0.6, size=(1, c)),
    }
    return model, rng.normal(0.2, 1.0, size=(n, d)), some_labels(rng, n, c), float(rng.uniform(0.1, 0.5))


# --------------------------------------------------------------------------- the items

ITEMS = (
    value(
        "error-row1",
        "E_row1",
        points=1,
        atol=ATOL_HAND,
        slips=[
            Slip(
                "target-as-misprinted",
                "Y[0]",
                "np.array([0.1, 0.5])",
                says="This is the error for a second target of .5. Look at row 1 of the table: is that its target?",
            ),
            Slip("no-half", "0.5 * ", "", says="This is twice the error. One factor of the formula has not been used."),
            Slip(
                "mean-of-outputs",
                "np.sum(",
                "np.mean(",
                says="This is half the error: it was divided by the number of outputs as well. "
                "Are the outputs averaged?",
            ),
            Slip(
                "not-squared",
                "np.sum((A2[0] - Y[0]) ** 2)",
                "np.sum(np.abs(A2[0] - Y[0]))",
                credit=0.25,
                says="This is half the sum of the misses themselves. What happens to a miss before it is added?",
            ),
            Slip(
                "first-output-only",
                "(A2[0] - Y[0])",
                "(A2[0, :1] - Y[0, :1])",
                credit=0.25,
                says="This is the share of the first output alone. The net has two outputs.",
            ),
            Slip(
                "root-taken",
                "np.sum((A2[0] - Y[0]) ** 2)",
                "np.sqrt(np.sum((A2[0] - Y[0]) ** 2))",
                credit=0.25,
                says="This is half the distance between outputs and targets: a square root was taken that E "
                "does not have.",
            ),
            Slip(
                "square-of-sum",
                "np.sum((A2[0] - Y[0]) ** 2)",
                "np.sum(A2[0] - Y[0]) ** 2",
                credit=0.25,
                says="The misses were added first and squared afterwards. Which comes first in the formula?",
            ),
        ],
        same=[
            Same("term by term", "np.sum((A2[0] - Y[0]) ** 2)", "((A2[0, 0] - 0.1) ** 2 + (A2[0, 1] - 0.05) ** 2)"),
            Same("dot product", "np.sum((A2[0] - Y[0]) ** 2)", "(A2[0] - Y[0]) @ (A2[0] - Y[0])"),
        ],
        hints=[
            "Write down the two misses first: output minus target, .7896 for the first output.",
            "Square both misses, add the squares, halve the sum.",
        ],
    ),
    function(
        "squared-error",
        points=2,
        worked=[
            Worked("the two rows of guess", lambda given: (given["guess"], given["wanted"])),
            Worked("squared_error(X, X[::-1])", lambda given: (given["X"], given["X"][::-1])),
        ],
        cases=[
            Case("a batch of five rows, three outputs", lambda rng: two_batches(rng, 5, 3)),
            Case("a batch of two rows, seven outputs", lambda rng: two_batches(rng, 2, 7)),
            Case("one row, four outputs", lambda rng: two_batches(rng, 1, 4)),
            Case("six rows, one output", lambda rng: two_batches(rng, 6, 1)),
        ],
        slips=[
            Slip("no-half", "0.5 * ", "", says="Every entry is twice what it should be: a factor is missing."),
            Slip(
                "mean-of-outputs",
                "np.sum(",
                "np.mean(",
                says="Each row was also divided by its number of outputs. E adds the outputs up, it does not "
                "average them.",
            ),
            Slip(
                "half-and-batch-mean",
                "0.5 * np.sum(miss**2, axis=1)",
                "0.5 * np.sum(miss**2, axis=1) / len(miss)",
                says="Each row's error was divided by the number of rows. Here nothing is averaged over the batch.",
            ),
            Slip(
                "one-total",
                ", axis=1",
                "",
                credit=0.25,
                says="One number came out for the whole batch. Each row keeps its own error.",
            ),
            Slip(
                "over-the-rows",
                "axis=1",
                "axis=0",
                credit=0.25,
                says="One number per output came out: the sum ran down the rows. "
                "In which direction do a row's outputs lie?",
            ),
            Slip(
                "not-summed",
                "np.sum(miss**2, axis=1)",
                "miss**2",
                credit=0.25,
                says="One number per output of each row came out. The outputs of a row still have to be added up.",
            ),
            Slip(
                "not-squared",
                "miss**2",
                "np.abs(miss)",
                credit=0.25,
                says="This is half the sum of the misses without their signs. "
                "What does E do with a miss before it adds?",
            ),
            Slip(
                "root-taken",
                "np.sum(miss**2, axis=1)",
                "np.linalg.norm(miss, axis=1)",
                credit=0.25,
                says="This is half the distance: there is a square root in it that E does not have.",
            ),
            Slip(
                "half-squared-too",
                "0.5 * np.sum(miss**2, axis=1)",
                "np.sum((0.5 * miss) ** 2, axis=1)",
                says="Every entry is half of what it should be: the half was squared together with the miss.",
            ),
        ],
        same=[
            Same(
                "loops",
                "",
                """
                errors = []
                for outputs, targets in zip(y_hat, y):
                    total = 0.0
                    for output, target in zip(outputs, targets):
                        total += (target - output) ** 2
                    errors.append(total / 2)
                return np.array(errors)
                """,
            ),
            Same("einsum", "np.sum(miss**2, axis=1)", "np.einsum('nm,nm->n', miss, miss)"),
            Same("mean times size", "np.sum(miss**2, axis=1)", "miss.shape[1] * np.mean(miss**2, axis=1)"),
            Same("diagonal of a product", "np.sum(miss**2, axis=1)", "np.diag(miss @ miss.T)"),
            Same("as a column", "axis=1", "axis=1, keepdims=True"),
            Same("table", "0.5 * np.sum(miss**2, axis=1)", "(pd.DataFrame(miss) ** 2).sum(axis=1) / 2"),
        ],
        hints=[
            "Subtract and square the two arrays as a whole; numpy does it entry by entry.",
            "In a batch the outputs of one row lie along axis 1: np.sum takes an argument axis.",
            "0.5 * np.sum((y_hat - y) ** 2, axis=1)",
        ],
    ),
    value(
        "error-rows",
        "E_rows",
        points=1,
        atol=ATOL_HAND,
        builds_on=["squared-error"],
        slips=[
            Slip(
                "target-as-misprinted",
                "squared_error(A2, Y)",
                "squared_error(A2, np.vstack([[0.1, 0.5], Y[1:]]))",
                says="Five rows are right. Row 1 was worked with a second target of .5: compare with the table.",
            ),
            Slip(
                "no-half",
                "squared_error(A2, Y)",
                "2 * squared_error(A2, Y)",
                says="Every row is twice what it should be: a factor of E is missing.",
            ),
            Slip(
                "mean-of-outputs",
                "squared_error(A2, Y)",
                "squared_error(A2, Y) / 2",
                says="Every row is half of what it should be: was it averaged over the two outputs as well as halved?",
            ),
            Slip(
                "total",
                "squared_error(A2, Y)",
                "np.sum(squared_error(A2, Y))",
                credit=0.25,
                says="This is the six errors added up. Six numbers are asked for, one a row.",
            ),
            Slip(
                "batch-mean",
                "squared_error(A2, Y)",
                "np.mean(squared_error(A2, Y))",
                credit=0.25,
                says="This is the average of the six errors. Six numbers are asked for, one a row.",
            ),
            Slip(
                "over-the-rows",
                "squared_error(A2, Y)",
                "squared_error(A2.T, Y.T)",
                credit=0.25,
                says="Two numbers came out, one per output: rows and outputs have changed places.",
            ),
        ],
        same=[
            Same("in one line", "squared_error(A2, Y)", "((A2 - Y) ** 2).sum(axis=1) / 2"),
            Same(
                "row by row",
                "squared_error(A2, Y)",
                "[float(squared_error(A2[r : r + 1], Y[r : r + 1])[0]) for r in range(6)]",
            ),
        ],
        hints=[
            "Your squared_error takes whole batches: which two arrays of the setup are the outputs and the targets?"
        ],
    ),
    choice(
        "slip-target",
        points=1,
        slips=[
            Slip(
                "as-printed",
                "0.05",
                "0.5",
                credit=0.0,
                says="That is the number as it is misprinted. Compare both targets of the line with row 1 of "
                "the table.",
            ),
            Slip(
                "first-target",
                "0.05",
                "0.1",
                credit=0.0,
                says="That is row 1's first target, and the line has it right. Look at the other one.",
            ),
            Slip(
                "an-output",
                "0.05",
                "0.8004",
                credit=0.0,
                says="That is an output of the net, and the line has it right. The misprint is in a target.",
            ),
            Slip(
                "zero-too-many",
                "0.05",
                "0.005",
                credit=0.0,
                says="The right digit, one place too far to the right. Read the target from row 1 of the table.",
            ),
        ],
        same=[
            Same("read from the table", "0.05", "Y[0, 1]"),
            Same("as text", "0.05", "'.05'"),
            Same("with its zero", "0.05", "'0.05'"),
        ],
        hints=["Print Y[0] and lay it beside the line."],
    ),
    function(
        "mean-squared-error",
        points=1,
        worked=[
            Worked("guess and wanted", lambda given: (given["guess"], given["wanted"])),
            Worked("mean_squared_error(X, X[::-1])", lambda given: (given["X"], given["X"][::-1])),
        ],
        cases=[
            Case("a batch of five rows, three outputs", lambda rng: two_batches(rng, 5, 3)),
            Case("two rows, six outputs", lambda rng: two_batches(rng, 2, 6)),
            Case("one number a row, shape (7,)", lambda rng: (rng.normal(2.0, 1.5, 7), rng.normal(1.0, 1.0, 7))),
        ],
        slips=[
            Slip(
                "half-kept",
                "np.mean(",
                "0.5 * np.mean(",
                says="This is half of it. The half belongs to E; a mean squared error has none.",
            ),
            Slip("sum", "np.mean(", "np.sum(", says="The squares were added up. What does the word 'mean' ask for?"),
            Slip(
                "half-sum",
                "np.mean(",
                "0.5 * np.sum(",
                credit=0.25,
                says="This is E added up over the rows, with its half. A mean squared error is neither halved "
                "nor summed.",
            ),
            Slip(
                "rows-only",
                "np.mean(miss**2)",
                "np.sum(miss**2) / len(miss)",
                says="The sum was divided by the number of rows. With several outputs a row there are more "
                "entries than rows.",
            ),
            Slip(
                "half-and-rows-only",
                "np.mean(miss**2)",
                "0.5 * np.sum(miss**2) / len(miss)",
                credit=0.25,
                says="This is the average over the rows of E. It is not halved here, and all entries share in "
                "the mean.",
            ),
            Slip(
                "outputs-only",
                "np.mean(miss**2)",
                "np.mean(miss**2, axis=-1)",
                credit=0.25,
                says="The mean ran over the last axis alone. One number for all entries is asked for.",
            ),
            Slip(
                "rows-kept-apart",
                "np.mean(miss**2)",
                "np.mean(miss**2, axis=0)",
                credit=0.25,
                says="The mean ran down the rows alone: one number per output came out. "
                "One number in all is asked for.",
            ),
            Slip(
                "root-taken",
                "np.mean(miss**2)",
                "np.sqrt(np.mean(miss**2))",
                says="This is the root of the mean squared error. The mean squared error has no root.",
            ),
            Slip(
                "not-squared",
                "miss**2",
                "np.abs(miss)",
                credit=0.25,
                says="This is the mean of the misses without their signs. Something is done to each miss "
                "before the mean.",
            ),
            Slip(
                "square-of-mean",
                "np.mean(miss**2)",
                "np.mean(miss) ** 2",
                credit=0.25,
                says="The mean was taken first and squared afterwards, so that misses of opposite sign cancel.",
            ),
        ],
        same=[
            Same(
                "loops",
                "",
                """
                total, count = 0.0, 0
                for output, target in zip(np.ravel(y_hat), np.ravel(y)):
                    total += (output - target) ** 2
                    count += 1
                return total / count
                """,
            ),
            Same("sum over size", "np.mean(miss**2)", "np.sum(miss**2) / miss.size"),
            Same("dot product", "np.mean(miss**2)", "np.vdot(miss, miss) / miss.size"),
            Same("mean of means", "np.mean(miss**2)", "np.mean(np.mean(miss**2, axis=0))"),
            Same("average", "np.mean(miss**2)", "np.average(np.square(np.abs(miss)))"),
        ],
        hints=["np.mean without an axis runs over every entry, whatever the shape.", "np.mean((y_hat - y) ** 2)"],
    ),
    function(
        "softmax",
        points=2,
        warns=0.6,
        worked=[
            Worked("scores", lambda given: (given["scores"],)),
            Worked("scores (1001, 1002, 1003)", lambda given: (given["scores"][0] + 1000.0,)),
            Worked("scores + [[1000], [-1000]]", lambda given: (given["scores"] + FAR_APART,)),
        ],
        cases=[
            Case("five rows, three classes", lambda rng: (score_rows(rng, 5, 3),)),
            Case("two rows, six classes", lambda rng: (score_rows(rng, 2, 6),)),
            Case("one row alone, shape (4,)", lambda rng: (score_rows(rng, 1, 4)[0],)),
            Case("rows near +1000 and -1000", lambda rng: (high_and_low_rows(rng, 4),)),
            Case("a vector with scores of +1000 and -1000", lambda rng: (high_vector(rng, 5),)),
        ],
        slips=[
            Slip(
                "no-shift",
                "f - np.max(f, axis=-1, keepdims=True)",
                "f",
                says="Right for ordinary scores, `nan` where they are near +1000 or -1000. "
                "Section 3 has a law that helps.",
            ),
            Slip(
                "one-shift-for-all",
                "np.max(f, axis=-1, keepdims=True)",
                "np.max(f)",
                says="All rows were moved by the same number. A row near -1000 then vanishes beside one near +1000.",
            ),
            Slip(
                "clipped",
                "f - np.max(f, axis=-1, keepdims=True)",
                "np.clip(f, -500, 500)",
                says="Large scores were cut off: 1000 and 1001 become alike. Their difference must survive.",
            ),
            Slip(
                "batches-only",
                "",
                """
                exps = np.exp(f - np.max(f, axis=1, keepdims=True))
                return exps / np.sum(exps, axis=1, keepdims=True)
                """,
                says="Batches are right, a single row of shape (c,) stops: it has no axis 1. "
                "Which axis is always the last?",
            ),
            Slip(
                "whole-batch",
                "",
                """
                return np.exp(f) / np.sum(np.exp(f))
                """,
                credit=0.25,
                says="All entries of the batch together add up to 1. Each row should. And near +1000 it is `nan`.",
            ),
            Slip(
                "whole-batch-shifted",
                "",
                """
                exps = np.exp(f - np.max(f))
                return exps / np.sum(exps)
                """,
                credit=0.25,
                says="All entries of the batch together add up to 1. Each row should, on its own.",
            ),
            Slip(
                "down-the-columns",
                "",
                """
                return np.exp(f) / np.sum(np.exp(f), axis=0)
                """,
                credit=0.25,
                says="The columns add up to 1, not the rows: the sum ran over the examples. "
                "And near +1000 it is `nan`.",
            ),
            Slip(
                "down-the-columns-shifted",
                "",
                """
                exps = np.exp(f - np.max(f, axis=0))
                return exps / np.sum(exps, axis=0)
                """,
                credit=0.25,
                says="The columns add up to 1, not the rows: the sum ran over the examples. Where do the classes lie?",
            ),
            Slip(
                "sigmoid",
                "",
                """
                return 1 / (1 + np.exp(-f))
                """,
                credit=0.0,
                says="This is the sigmoid of each score alone. The probabilities of a row have to share one 1.",
            ),
            Slip(
                "no-exponential",
                "",
                """
                return f / np.sum(f, axis=-1, keepdims=True)
                """,
                credit=0.25,
                says="The scores were divided by their sum as they are. Negative scores then give negative "
                "'probabilities'.",
            ),
            Slip(
                "not-divided",
                "exps / np.sum(exps, axis=-1, keepdims=True)",
                "exps",
                credit=0.25,
                says="The largest entry of each row is 1: the exponentials are there, the division by their "
                "sum is not.",
            ),
            Slip(
                "sign-turned",
                "f - np.max(f, axis=-1, keepdims=True)",
                "np.min(f, axis=-1, keepdims=True) - f",
                says="The largest score got the smallest probability: the sign of the scores was turned.",
            ),
        ],
        same=[
            Same(
                "loops",
                "",
                """
                if np.ndim(f) == 2:
                    return np.array([softmax(row) for row in f])
                exps = [np.exp(score - max(f)) for score in f]
                return np.array([e / sum(exps) for e in exps])
                """,
            ),
            Same(
                "log-sum-exp",
                "return exps / np.sum(exps, axis=-1, keepdims=True)",
                "return np.exp(f - np.logaddexp.reduce(f, axis=-1, keepdims=True))",
            ),
            Same("transposed", "", "exps = np.exp(f.T - np.max(f.T, axis=0))\nreturn (exps / np.sum(exps, axis=0)).T"),
            Same("einsum", "np.sum(exps, axis=-1, keepdims=True)", "np.einsum('...c->...', exps)[..., None]"),
            Same(
                "one over a sum",
                "",
                "return 1 / np.sum(np.exp(np.clip(f[..., None, :] - f[..., None], None, 700)), axis=-1)",
            ),
        ],
        hints=[
            "Which axis holds the classes, for (n, c) and for (c,) alike? Give it to both np.max and np.sum.",
            "keepdims=True keeps the summed axis as a 1, so that the division lines up row by row.",
            "exps = np.exp(f - f.max(axis=-1, keepdims=True)); then exps / exps.sum(axis=-1, keepdims=True)",
        ],
    ),
    function(
        "cross-entropy",
        points=2,
        rtol=RTOL_GUARDED_LOG,
        worked=[Worked("probs", lambda given: (given["probs"], given["prob_labels"]))],
        cases=[
            Case("seven rows, three classes", lambda rng: probabilities_and_labels(rng, 7, 3)),
            Case("four rows, six classes", lambda rng: probabilities_and_labels(rng, 4, 6)),
            Case("one row, five classes", lambda rng: probabilities_and_labels(rng, 1, 5)),
        ],
        slips=[
            Slip(
                "no-minus",
                "-np.mean",
                "np.mean",
                says="The loss is negative. The logarithm of a probability is, the loss is not.",
            ),
            Slip("sum", "np.mean(", "np.sum(", says="The rows were added up. Over a batch this loss is averaged."),
            Slip(
                "every-pair",
                "p[rows, labels]",
                "p[:, labels]",
                credit=0.25,
                says="`p[:, labels]` takes every label's column for every row, (n, n) numbers. "
                "One entry a row is wanted.",
            ),
            Slip(
                "labels-forgotten",
                "p[rows, labels]",
                "p",
                credit=0.25,
                says="All probabilities went into the mean. Only the one that the right class got should.",
            ),
            Slip(
                "count-from-one",
                "p[rows, labels]",
                "p[rows, labels - 1]",
                says="The neighbour's probability was taken: labels count from 0 here, label 0 is the first column.",
            ),
            Slip(
                "mean-before-log",
                "np.mean(np.log(p[rows, labels]))",
                "np.log(np.mean(p[rows, labels]))",
                credit=0.25,
                says="The probabilities were averaged before the logarithm. Each row has its own logarithm.",
            ),
            Slip(
                "divided-by-classes-too",
                "np.mean(np.log(p[rows, labels]))",
                "np.mean(np.log(p[rows, labels])) / p.shape[1]",
                says="It is too small by the number of classes: the mean also ran over the zeros of the one-hot rows.",
            ),
            Slip(
                "other-classes-too",
                "",
                """
                hot = np.eye(p.shape[1])[labels]
                return -np.mean(np.sum(hot * np.log(p) + (1 - hot) * np.log(1 - p), axis=1))
                """,
                credit=0.25,
                says="The wrong classes pay here as well, with log(1 - p). "
                "That is the loss of separate yes/no outputs.",
            ),
            Slip(
                "no-log",
                "np.log(p[rows, labels])",
                "p[rows, labels]",
                credit=0.25,
                says="This is the mean probability of the right classes with a minus. Where is the logarithm?",
            ),
            Slip(
                "base-two",
                "np.log(",
                "np.log2(",
                says="Too large by 1.44: a logarithm to base 2. The natural logarithm is meant.",
            ),
            Slip(
                "base-ten",
                "np.log(",
                "np.log10(",
                says="Too small by 2.3: a logarithm to base 10. The natural logarithm is meant.",
            ),
        ],
        same=[
            Same(
                "loops",
                "",
                """
                total = 0.0
                for row, label in zip(p, labels):
                    total += np.log(1 / row[label])
                return total / len(labels)
                """,
            ),
            Same("one-hot", "", "return np.sum(np.eye(p.shape[1])[labels] * -np.log(p)) / len(p)"),
            Same("take along axis", "p[rows, labels]", "np.take_along_axis(p, labels[:, None], axis=1)"),
            Same("guarded log", "np.log(p[rows, labels])", "np.log(p[rows, labels] + 1e-8)"),
            Same("clipped", "np.log(p[rows, labels])", "np.log(np.clip(p, 1e-12, 1 - 1e-12)[rows, labels])"),
            Same("log of the product", "np.mean(np.log(p[rows, labels]))", "np.log(np.prod(p[rows, labels])) / len(p)"),
        ],
        hints=[
            "First get one probability a row: the one of its right class.",
            "Two integer arrays as indices pick pairs: p[np.arange(n), labels].",
            "-np.mean(np.log(p[np.arange(len(labels)), labels]))",
        ],
    ),
    function(
        "cross-entropy-logits",
        "cross_entropy_from_logits",
        points=3,
        worked=[
            Worked("scores and labels", lambda given: (given["scores"], given["labels"])),
            Worked("scores + [[1000], [-1000]]", lambda given: (given["scores"] + FAR_APART, given["labels"])),
            Worked("scores (1000, 0), class 1", lambda given: (np.array([[1000.0, 0.0]]), np.array([1]))),
        ],
        cases=[
            Case("six rows, three classes", lambda rng: (score_rows(rng, 6, 3), some_labels(rng, 6, 3))),
            Case("one row, five classes", lambda rng: (score_rows(rng, 1, 5), some_labels(rng, 1, 5))),
            Case("rows near +1000 and -1000", lambda rng: (high_and_low_rows(rng, 4), some_labels(rng, 3, 4))),
            Case("right classes at -1000 or far below +1000", lambda rng: hopeless_rows(rng, 5, 4)),
        ],
        slips=[
            Slip(
                "naive",
                "",
                """
                exps = np.exp(f)
                p = exps / np.sum(exps, axis=1, keepdims=True)
                return -np.mean(np.log(p[np.arange(len(labels)), labels]))
                """,
                says="Right for ordinary scores, `nan` or `inf` near +1000 and -1000: the exponential itself "
                "overflows.",
            ),
            Slip(
                "log-after-softmax",
                "",
                """
                exps = np.exp(f - np.max(f, axis=1, keepdims=True))
                p = exps / np.sum(exps, axis=1, keepdims=True)
                return -np.mean(np.log(p[np.arange(len(labels)), labels]))
                """,
                says="The shift is there, yet a right class far below the others gives `inf`: its probability "
                "rounds to 0.",
            ),
            Slip(
                "probability-propped-up",
                "",
                """
                exps = np.exp(f - np.max(f, axis=1, keepdims=True))
                p = exps / np.sum(exps, axis=1, keepdims=True)
                return -np.mean(np.log(np.maximum(p[np.arange(len(labels)), labels], 1e-15)))
                """,
                says="Finite, but a loss in the hundreds comes out as about 35: a tiny number put under the "
                "log hides it.",
            ),
            Slip(
                "one-shift-for-all",
                "np.max(f, axis=1, keepdims=True)",
                "np.max(f)",
                says="All rows were moved by the same number. A row near -1000 then has no exponential left to sum.",
            ),
            Slip(
                "shift-not-undone",
                "shifted[rows, labels]",
                "f[rows, labels]",
                says="The sum was taken of shifted scores, the right class's score was not shifted. Treat both alike.",
            ),
            Slip(
                "no-minus",
                "log_sums - shifted[rows, labels]",
                "shifted[rows, labels] - log_sums",
                says="The loss is negative: the two terms have changed places.",
            ),
            Slip("sum", "np.mean(", "np.sum(", says="The rows were added up. The mean over the batch is asked for."),
            Slip(
                "every-pair",
                "log_sums - shifted[rows, labels]",
                "log_sums[:, None] - shifted[:, labels]",
                credit=0.25,
                says="Every label's column was taken for every row, (n, n) numbers. One score a row is wanted.",
            ),
            Slip(
                "count-from-one",
                "shifted[rows, labels]",
                "shifted[rows, labels - 1]",
                says="The neighbour's score was taken: labels count from 0 here, label 0 is the first column.",
            ),
            Slip(
                "softmax-twice",
                "",
                """
                p = np.exp(f - np.max(f, axis=1, keepdims=True))
                p = p / np.sum(p, axis=1, keepdims=True)
                return np.mean(np.log(np.sum(np.exp(p), axis=1)) - p[np.arange(len(labels)), labels])
                """,
                credit=0.25,
                says="Every loss is strangely mild: a softmax was taken of probabilities, so it was applied twice.",
            ),
            Slip(
                "scores-as-probabilities",
                "",
                """
                return -np.mean(np.log(f[np.arange(len(labels)), labels]))
                """,
                credit=0.0,
                says="The logarithm was taken of the scores themselves; they are no probabilities and may be negative.",
            ),
            Slip(
                "score-term-missing",
                "log_sums - shifted[rows, labels]",
                "np.max(f, axis=1) + log_sums",
                credit=0.25,
                says="This is the same for every label: only the log of the sum is there. "
                "Where does the right class come in?",
            ),
        ],
        same=[
            Same(
                "loops",
                "",
                """
                losses = []
                for scores_of_row, label in zip(f, labels):
                    top = max(scores_of_row)
                    total = sum(np.exp(score - top) for score in scores_of_row)
                    losses.append(top + np.log(total) - scores_of_row[label])
                return sum(losses) / len(losses)
                """,
            ),
            Same("logaddexp", "", "return np.mean(np.logaddexp.reduce(f, axis=1) - f[np.arange(len(f)), labels])"),
            Same(
                "distance to the right class",
                "",
                """
                gaps = f - np.take_along_axis(f, labels[:, None], axis=1)
                tops = gaps.max(axis=1)
                return np.mean(tops + np.log(np.exp(gaps - tops[:, None]).sum(axis=1)))
                """,
            ),
            Same(
                "one-hot of log-softmax",
                "",
                """
                shifted = f - f.max(axis=1, keepdims=True)
                log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
                return -np.einsum('nc,nc->', np.eye(f.shape[1])[labels], log_p) / len(f)
                """,
            ),
        ],
        hints=[
            "Never form the probability. Write the loss as two terms on paper, and code those two terms.",
            "Subtract each row's largest score from the row first; then use the moved scores in both terms.",
            "g = f - f.max(axis=1, keepdims=True); np.mean(np.log(np.exp(g).sum(axis=1)) - g[np.arange(n), labels])",
        ],
    ),
    function(
        "sequence-loss",
        points=1,
        rtol=RTOL_GUARDED_LOG,
        worked=[Worked("h, e, l", lambda given: (given["step_probs"], given["step_targets"]))],
        cases=[
            Case("six steps, four letters", lambda rng: probabilities_and_labels(rng, 6, 4)),
            Case("three steps, seven letters", lambda rng: probabilities_and_labels(rng, 3, 7)),
            Case("one step", lambda rng: probabilities_and_labels(rng, 1, 5)),
        ],
        slips=[
            Slip("mean", "np.sum(", "np.mean(", says="The steps were averaged. Along a sequence this loss adds up."),
            Slip(
                "no-minus",
                "-np.sum",
                "np.sum",
                says="The loss is negative: the logarithms were added, their sign was kept.",
            ),
            Slip(
                "one-y-hat",
                "p[steps, targets]",
                "p[-1, targets]",
                credit=0.25,
                says="Every target was looked up in the last step's probabilities. Each step has its own row.",
            ),
            Slip(
                "last-step-only",
                "p[steps, targets]",
                "p[-1, targets[-1]]",
                credit=0.25,
                says="This is the loss of the last step alone. All steps pay.",
            ),
            Slip(
                "every-pair",
                "p[steps, targets]",
                "p[:, targets]",
                credit=0.25,
                says="`p[:, targets]` takes every target for every step, (T, T) numbers. One entry a step is wanted.",
            ),
            Slip(
                "targets-forgotten",
                "p[steps, targets]",
                "p",
                credit=0.25,
                says="All probabilities of all steps were used. Only the target's one counts at each step.",
            ),
            Slip(
                "count-from-one",
                "p[steps, targets]",
                "p[steps, targets - 1]",
                says="The neighbour's probability was taken: letters count from 0 here.",
            ),
            Slip(
                "log-of-sum",
                "np.sum(np.log(p[steps, targets]))",
                "np.log(np.sum(p[steps, targets]))",
                credit=0.25,
                says="The probabilities were added before the logarithm. Each step has its own logarithm.",
            ),
            Slip(
                "step-late",
                "p[steps, targets]",
                "p[steps[:-1], targets[1:]]",
                credit=0.25,
                says="Step t was held against the target of step t + 1. The targets are already the letters "
                "that come next.",
            ),
        ],
        same=[
            Same(
                "loops",
                "",
                """
                loss = 0.0
                for t in range(len(targets)):
                    loss -= np.log(p[t, targets[t]])
                return loss
                """,
            ),
            Same("cross_entropy times T", "", "return len(targets) * cross_entropy(p, targets)"),
            Same("log of the product", "np.sum(np.log(p[steps, targets]))", "np.log(np.prod(p[steps, targets]))"),
            Same("one-hot", "", "return -np.einsum('tv,tv->', np.eye(p.shape[1])[targets], np.log(p))"),
            Same("guarded log", "np.log(p[steps, targets])", "np.log(p[steps, targets] + 1e-8)"),
        ],
        hints=[
            "It differs from cross_entropy in one word: is the loss along a sequence a sum or a mean?",
            "-np.sum(np.log(p[np.arange(T), targets]))",
        ],
    ),
    function(
        "l2-penalty",
        points=1,
        worked=[
            Worked("the net's two matrices", lambda given: ([given["net"]["W1"], given["net"]["W2"]], given["lam"])),
            Worked("the net's W1 alone", lambda given: ([given["net"]["W1"]], given["lam"])),
        ],
        cases=[
            Case("two matrices", lambda rng: (weight_list(rng, (4, 3), (3, 5)), float(rng.uniform(0.02, 0.3)))),
            Case("one matrix", lambda rng: (weight_list(rng, (3, 6)), float(rng.uniform(0.02, 0.3)))),
            Case(
                "three matrices", lambda rng: (weight_list(rng, (2, 5), (5, 4), (4, 3)), float(rng.uniform(0.3, 0.9)))
            ),
        ],
        slips=[
            Slip("no-half", "lam / 2", "lam", says="This is twice the penalty. A factor of the formula is missing."),
            Slip(
                "first-column-only",
                "W**2",
                "W[:, 0] ** 2",
                credit=0.25,
                says="Only the first column of each matrix was summed: the misprinted index. Both indices run.",
            ),
            Slip(
                "column-one-only",
                "W**2",
                "W[:, 1] ** 2",
                credit=0.25,
                says="Only column 1 of each matrix was summed: the misprinted index, taken literally. "
                "Both indices run.",
            ),
            Slip(
                "row-0-left-out",
                "W**2",
                "W[1:] ** 2",
                says="Row 0 of each matrix is missing. These matrices have no bias row: every entry counts.",
            ),
            Slip(
                "last-matrix-only",
                "for W in weights",
                "for W in weights[-1:]",
                credit=0.25,
                says="Only the last matrix of the list counts. Does the sum start again for each matrix?",
            ),
            Slip(
                "first-matrix-only",
                "for W in weights",
                "for W in weights[:1]",
                credit=0.25,
                says="Only the first matrix of the list counts. Does a return stand inside the loop?",
            ),
            Slip(
                "norm",
                "np.sum(W**2)",
                "np.sqrt(np.sum(W**2))",
                credit=0.25,
                says="The root of each sum was taken, which makes it a norm. The penalty adds the squares as they are.",
            ),
            Slip(
                "not-squared",
                "W**2",
                "np.abs(W)",
                credit=0.25,
                says="The weights were added without their signs. That is another penalty (L1); this one uses squares.",
            ),
            Slip(
                "square-of-sum",
                "np.sum(W**2)",
                "np.sum(W) ** 2",
                credit=0.25,
                says="Each matrix was summed first and squared afterwards, so that weights of opposite sign cancel.",
            ),
            Slip(
                "mean",
                "np.sum(W**2)",
                "np.mean(W**2)",
                says="Each matrix was averaged. The penalty adds up every entry.",
            ),
            Slip(
                "lam-missing",
                "lam / 2",
                "1 / 2",
                says="Half the sum of squares is there, and it does not change with `lam`.",
            ),
            Slip(
                "matrix-product",
                "W**2",
                "W @ W.T",
                credit=0.25,
                says="A matrix product stands where each entry should be squared by itself.",
            ),
        ],
        same=[
            Same(
                "loops",
                "",
                """
                total = 0.0
                for W in weights:
                    for row in W:
                        for w in row:
                            total += w * w
                return 0.5 * lam * total
                """,
            ),
            Same("norm squared", "np.sum(W**2)", "np.linalg.norm(W) ** 2"),
            Same("trace", "np.sum(W**2)", "np.trace(W.T @ W)"),
            Same("einsum", "np.sum(W**2)", "np.einsum('kl,kl->', W, W)"),
            Same(
                "all in one vector",
                "",
                "flat = np.concatenate([W.ravel() for W in weights])\nreturn flat @ flat * lam / 2",
            ),
        ],
        hints=[
            "np.sum(W**2) is the sum over all entries of one matrix; go through the list and add these sums.",
            "lam / 2 * sum(np.sum(W**2) for W in weights)",
        ],
    ),
    function(
        "regularized-loss",
        points=2,
        rtol=RTOL_GUARDED_LOG,
        builds_on=["cross-entropy-logits", "l2-penalty"],
        worked=[
            Worked(
                "the four points",
                lambda given: (
                    given["net_scores"],
                    given["classes"],
                    [given["net"]["W1"], given["net"]["W2"]],
                    given["lam"],
                ),
            ),
            Worked(
                "the four points, W1 alone",
                lambda given: (given["net_scores"], given["classes"], [given["net"]["W1"]], given["lam"]),
            ),
        ],
        cases=[
            Case("six rows, two matrices", lambda rng: penalised(rng, 6, 3, (4, 5), (5, 3))),
            Case("four rows, three matrices", lambda rng: penalised(rng, 4, 5, (2, 6), (6, 3), (3, 5))),
            Case("one row, one matrix", lambda rng: penalised(rng, 1, 4, (3, 4))),
        ],
        slips=[
            Slip(
                "penalty-inside",
                "l2_penalty(weights, lam)",
                "l2_penalty(weights, lam) / len(labels)",
                says="The penalty was divided by N too. That is the loss of the next question; here it stands outside.",
            ),
            Slip(
                "no-penalty",
                "data_loss + l2_penalty(weights, lam)",
                "data_loss",
                credit=0.25,
                says="This is the data loss alone: it does not change when the weights grow.",
            ),
            Slip(
                "no-data",
                "data_loss + l2_penalty(weights, lam)",
                "l2_penalty(weights, lam)",
                credit=0.25,
                says="This is the penalty alone: it does not change with the scores.",
            ),
            Slip(
                "penalty-subtracted",
                "data_loss +",
                "data_loss -",
                says="Large weights lower this loss. A penalty is there to raise it.",
            ),
            Slip(
                "lam-twice",
                "l2_penalty(weights, lam)",
                "lam * l2_penalty(weights, lam)",
                says="The penalty is too small by a factor `lam`: your l2_penalty has it in already.",
            ),
            Slip(
                "halved-twice",
                "l2_penalty(weights, lam)",
                "l2_penalty(weights, lam) / 2",
                says="The penalty is half of what it should be: your l2_penalty has the half in already.",
            ),
            Slip(
                "no-half",
                "l2_penalty(weights, lam)",
                "2 * l2_penalty(weights, lam)",
                says="The penalty is twice what it should be: its half is missing.",
            ),
            Slip(
                "data-summed",
                "cross_entropy_from_logits(f, labels)",
                "cross_entropy_from_logits(f, labels) * len(labels)",
                says="The data loss was summed over the rows. It should be their mean.",
            ),
            Slip(
                "penalty-averaged",
                "l2_penalty(weights, lam)",
                "l2_penalty(weights, lam) / len(weights)",
                says="The penalty was divided by the number of matrices. Every weight pays its full share.",
            ),
            Slip(
                "scores-as-probabilities",
                "cross_entropy_from_logits(f, labels)",
                "-np.mean(np.log(f[np.arange(len(labels)), labels]))",
                credit=0.25,
                says="The logarithm was taken of the scores: `f` holds no probabilities yet.",
            ),
            Slip(
                "softmax-twice",
                "cross_entropy_from_logits(f, labels)",
                "cross_entropy_from_logits(softmax(f), labels)",
                says="A softmax was applied before a loss that brings its own. Scores go in there, not probabilities.",
            ),
        ],
        same=[
            Same("through probabilities", "cross_entropy_from_logits(f, labels)", "cross_entropy(softmax(f), labels)"),
            Same(
                "through guarded probabilities",
                "cross_entropy_from_logits(f, labels)",
                "-np.mean(np.log(softmax(f)[np.arange(len(labels)), labels] + 1e-8))",
            ),
            Same(
                "loops",
                "",
                """
                loss = 0.0
                for row, label in zip(f, labels):
                    loss += (np.log(np.sum(np.exp(row))) - row[label]) / len(labels)
                for W in weights:
                    loss += lam / 2 * np.linalg.norm(W) ** 2
                return loss
                """,
            ),
            Same("matrix by matrix", "l2_penalty(weights, lam)", "sum(l2_penalty([W], lam) for W in weights)"),
            Same(
                "sum over N", "cross_entropy_from_logits(f, labels)", "sequence_loss(softmax(f), labels) / len(labels)"
            ),
        ],
        hints=[
            "Two functions that you have already written do all the work here.",
            "The penalty is added once, after the mean over the rows has been taken.",
            "cross_entropy_from_logits(f, labels) + l2_penalty(weights, lam)",
        ],
    ),
    function(
        "wildml-loss",
        "calculate_loss",
        points=2,
        rtol=RTOL_GUARDED_LOG,
        builds_on=["cross-entropy-logits", "l2-penalty"],
        worked=[
            Worked("the four points", lambda given: (given["net"], given["points"], given["classes"], given["lam"]))
        ],
        cases=[
            Case("seven rows, 2-5-3", lambda rng: net_and_data(rng, 7, 2, 5, 3)),
            Case("five rows, 3-4-2", lambda rng: net_and_data(rng, 5, 3, 4, 2)),
            Case("three rows, 4-2-5", lambda rng: net_and_data(rng, 3, 4, 2, 5)),
        ],
        slips=[
            Slip(
                "penalty-outside",
                "penalty / len(X)",
                "penalty",
                says="The penalty stands outside the 1/N. That is the question before; here it is divided by N, too.",
            ),
            Slip(
                "no-penalty",
                "data_loss + penalty / len(X)",
                "data_loss",
                credit=0.25,
                says="This is the data loss alone: it does not change with `reg_lambda`.",
            ),
            Slip(
                "nothing-divided",
                "data_loss + penalty / len(X)",
                "data_loss * len(X) + penalty",
                says="Everything is too large by N: the sum over the rows was never divided.",
            ),
            Slip(
                "data-summed",
                "data_loss + penalty / len(X)",
                "data_loss * len(X) + penalty / len(X)",
                says="Only the penalty was divided by N. The data loss is a mean, too.",
            ),
            Slip(
                "no-half",
                "penalty / len(X)",
                "2 * penalty / len(X)",
                says="The penalty is twice what it should be: its half is missing.",
            ),
            Slip(
                "lam-twice",
                "penalty / len(X)",
                "reg_lambda * penalty / len(X)",
                says="The penalty is too small by a factor `reg_lambda`: it was multiplied in twice.",
            ),
            Slip(
                "biases-too",
                'l2_penalty([model["W1"], model["W2"]], reg_lambda)',
                "l2_penalty(list(model.values()), reg_lambda)",
                says="The biases pay as well. Only the weight matrices do.",
            ),
            Slip(
                "first-matrix-only",
                'l2_penalty([model["W1"], model["W2"]], reg_lambda)',
                'l2_penalty([model["W1"]], reg_lambda)',
                says="Only the first weight matrix pays. There are two.",
            ),
            Slip(
                "last-matrix-only",
                'l2_penalty([model["W1"], model["W2"]], reg_lambda)',
                'l2_penalty([model["W2"]], reg_lambda)',
                says="Only the second weight matrix pays. There are two.",
            ),
            Slip(
                "sigmoid-hidden",
                'np.tanh(X @ model["W1"] + model["b1"])',
                '1 / (1 + np.exp(-(X @ model["W1"] + model["b1"])))',
                says="The hidden layer uses the sigmoid of the earlier unit. This net has another function there.",
            ),
            Slip(
                "no-tanh",
                "np.tanh(",
                "(",
                credit=0.25,
                says="The hidden layer's sums went on as they are. Which function bends them first?",
            ),
            Slip("no-b1", ' + model["b1"]', "", says="The first layer's biases have no effect on this loss."),
            Slip("no-b2", ' + model["b2"]', "", says="The second layer's biases have no effect on this loss."),
            Slip(
                "softmax-twice",
                "cross_entropy_from_logits(z2, y)",
                "cross_entropy_from_logits(softmax(z2), y)",
                says="A softmax was applied before a loss that brings its own. Scores go in there, not probabilities.",
            ),
            Slip(
                "count-from-one",
                "cross_entropy_from_logits(z2, y)",
                "cross_entropy_from_logits(z2, y - 1)",
                says="The neighbour's class was taken: labels count from 0 here.",
            ),
        ],
        same=[
            Same("through probabilities", "cross_entropy_from_logits(z2, y)", "cross_entropy(softmax(z2), y)"),
            Same(
                "through guarded probabilities",
                "cross_entropy_from_logits(z2, y)",
                "-np.mean(np.log(softmax(z2)[np.arange(len(y)), y] + 1e-8))",
            ),
            Same(
                "row by row",
                "",
                """
                loss = 0.0
                for row, label in zip(X, y):
                    hidden = np.tanh(row @ model["W1"] + model["b1"][0])
                    out = np.exp(hidden @ model["W2"] + model["b2"][0])
                    loss -= np.log(out[label] / out.sum())
                for key in ("W1", "W2"):
                    loss += reg_lambda / 2 * np.sum(np.square(model[key]))
                return loss / len(X)
                """,
            ),
            Same(
                "WildML's order",
                "data_loss + penalty / len(X)",
                "1.0 / len(X) * (sequence_loss(softmax(z2), y) + penalty)",
            ),
            Same(
                "biases as row 0",
                "",
                """
                ones = np.ones((len(X), 1))
                a1 = np.tanh(np.hstack([ones, X]) @ np.vstack([model["b1"], model["W1"]]))
                z2 = np.hstack([ones, a1]) @ np.vstack([model["b2"], model["W2"]])
                return regularized_loss(z2, y, [model["W1"], model["W2"]], reg_lambda / len(X))
                """,
            ),
        ],
        hints=[
            "Go forward to the scores z2 first, line by line as in the text; the loss of scores you already have.",
            "Which two of the four arrays pay the penalty, and what is the penalty divided by?",
            "cross_entropy_from_logits(z2, y) + l2_penalty([model['W1'], model['W2']], reg_lambda) / len(X)",
        ],
    ),
)
