"""Unit 01, the forward pass: what is graded, on which cases, and the mistakes that it knows."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.items import Case, Same, Slip, Worked, choice, function, value

Rng = np.random.Generator
Array = np.ndarray[Any, np.dtype[np.float64]]


def _inputs(rng: Rng, *shape: int) -> Array:
    """Inputs away from 0 and 1, so that none of them can pass for the bias input."""
    return rng.choice([-1.0, 1.0], size=shape) * rng.uniform(1.2, 2.2, size=shape)


def _layer(rng: Rng, d: int, h: int) -> Array:
    """(d+1, h) weights, biases in row 0 and never near 0; small enough to keep the sigmoid off its flat ends."""
    w = rng.normal(scale=1 / np.sqrt(d), size=(d + 1, h))
    w[0] = rng.choice([-1.0, 1.0], size=h) * rng.uniform(0.5, 1.0, size=h)
    return w


def _net(rng: Rng, d: int, h: int, m: int) -> tuple[Array, Array]:
    return _layer(rng, d, h), _layer(rng, h, m)


def _memory(rng: Rng, d: int, h: int) -> tuple[Array, Array, Array, Array, Array]:
    """x (d,), h_prev (h,), w_x (h, d), w_h (h, h), b (h,); the state is not zero and w_h not symmetric."""
    w_x, w_h = (
        rng.normal(scale=0.5, size=(h, d)),
        rng.choice([-1.0, 1.0], size=(h, h)) * rng.uniform(0.3, 1.1, size=(h, h)),
    )
    b = rng.choice([-1.0, 1.0], size=h) * rng.uniform(0.4, 0.9, size=h)
    return _inputs(rng, d), rng.uniform(0.2, 0.9, size=h), w_x, w_h, b


def _extremes(rng: Rng) -> tuple[Array]:
    """Both ends, some draws beyond exp's range (709), and some ordinary numbers, in any order."""
    far = rng.uniform(710, 999, size=3)
    return (rng.permutation([-1000.0, 1000.0, far[0], -far[1], -far[2], *rng.normal(scale=2, size=2)]),)


CUT = 1.5e-4  # cutting (not rounding) to four decimals at every step costs an output up to 1.07e-4
SMALL_INPUT = np.array([2.0, -1.0])
SMALL_LAYER = np.array([[0.1, 0.2, 0.3], [0.4, -0.5, 0.6], [-0.7, 0.7, 0.9]])
SMALL_OUTPUT = np.array([[-0.4, 0.3], [0.8, -0.2], [-0.6, 0.7], [0.5, 0.1]])

ITEMS = (
    function(
        "sigmoid",
        points=2,
        warns=0.6,
        worked=[
            Worked("-2, 0 and 2", lambda given: (np.array([-2.0, 0.0, 2.0]),)),
            Worked("-1000 and 1000", lambda given: (np.array([-1000.0, 1000.0]),)),
        ],
        cases=[
            Case("one number", lambda rng: (float(_inputs(rng, 1)[0]),)),
            Case("a vector", lambda rng: (rng.normal(scale=2, size=5),)),
            Case("a matrix", lambda rng: (rng.normal(scale=2, size=(3, 4)),)),
            Case("three axes", lambda rng: (rng.normal(scale=2, size=(2, 5, 3)),)),
            Case("from -1000 to 1000", _extremes),
        ],
        slips=[
            Slip(
                "sign-lost",
                ">= 0",
                "< 0",
                credit=0.5,
                says="It falls as z grows; it should rise. Look at the sign in the exponent.",
            ),
            Slip(
                "extremes",
                "",
                "    return np.exp(z) / (1 + np.exp(z))",
                credit=0.5,
                says="Ordinary numbers are right, but far from 0 `nan` comes out: infinity divided by infinity. "
                "Which exponential overflows there?",
            ),
            Slip(
                "brackets",
                "",
                "    return 1 / 1 + np.exp(-z)",
                credit=0.5,
                says="The results are above 1. Python divides before it adds: what belongs below the fraction line?",
            ),
            Slip(
                "folded",
                "np.where(np.asarray(z) >= 0, 1, small)",
                "1",
                credit=0.5,
                says="Nothing comes out below one half: negative z are treated like positive ones.",
            ),
            Slip(
                "slope",
                "np.where(np.asarray(z) >= 0, 1, small) / (1 + small)",
                "small / (1 + small) ** 2",
                credit=0.25,
                says="It is highest at 0 and falls to both sides: that is the slope of the sigmoid, not its value.",
            ),
            Slip(
                "tanh",
                "np.where(np.asarray(z) >= 0, 1, small) / (1 + small)",
                "np.tanh(z)",
                credit=0.25,
                says="It runs from -1 to 1: that is another squeezing function, tanh. The sigmoid runs from 0 to 1.",
            ),
            Slip(
                "softmax",
                "",
                "    return np.exp(z) / np.sum(np.exp(z))",
                credit=0.25,
                says="All entries together add up to 1: that is softmax. The sigmoid looks at each number alone.",
            ),
        ],
        same=[
            Same("tanh-form", "np.where(np.asarray(z) >= 0, 1, small) / (1 + small)", "0.5 * (1 + np.tanh(0.5 * z))"),
            Same("clipped", "", "    return 1 / (1 + np.exp(-np.clip(z, -500, 500)))"),
            Same("logaddexp", "", "    return np.exp(-np.logaddexp(0, -z))"),
            Same(
                "loop",
                "",
                "    flat = np.ravel(z).astype(float)\n"
                "    out = np.empty_like(flat)\n"
                "    for i, t in enumerate(flat):\n"
                "        e = np.exp(-abs(t))\n"
                "        out[i] = 1 / (1 + e) if t >= 0 else e / (1 + e)\n"
                "    return out.reshape(np.shape(z))",
            ),
            Same(
                "masked",
                "",
                "    z = np.asarray(z, dtype=float)\n"
                "    out = np.empty_like(z)\n"
                "    high = z >= 0\n"
                "    out[high] = 1 / (1 + np.exp(-z[high]))\n"
                "    e = np.exp(z[~high])\n"
                "    out[~high] = e / (1 + e)\n"
                "    return out",
            ),
        ],
        hints=[
            "Try z = 0, 2 and -2 first: .5, .8808 and .1192.",
            "For positive z one of the two forms is safe, for negative z the other: the exponential must not grow. "
            "`np.where(test, a, b)` works out both a and b, so an overflow in the one that is not used still warns.",
            "With e = np.exp(-np.abs(z)): 1 / (1 + e) where z >= 0, and e / (1 + e) elsewhere.",
        ],
    ),
    function(
        "with-bias",
        points=1,
        worked=[
            Worked("row 2", lambda given: (given["X"][1],)),
            Worked("rows 2 to 4", lambda given: (given["X"][1:4],)),
        ],
        cases=[
            Case("one example", lambda rng: (_inputs(rng, 4),)),
            Case("a batch", lambda rng: (_inputs(rng, 5, 3),)),
            Case("a batch of one", lambda rng: (_inputs(rng, 1, 4),)),
            Case("one feature", lambda rng: (_inputs(rng, 3, 1),)),
        ],
        slips=[
            Slip("last", "[ones, x]", "[x, ones]", credit=0.5, says="The 1 stands last; row 0 of w holds the biases."),
            Slip(
                "second",
                "",
                "    return np.insert(np.asarray(x, dtype=float), 1, 1, axis=-1)",
                credit=0.5,
                says="The 1 stands in the second place. Row 1 hides this, as its first input is 1 too. "
                "Places are counted from 0.",
            ),
            Slip(
                "zero", "np.ones(", "np.zeros(", credit=0.5, says="The extra input is 0, which switches the biases off."
            ),
            Slip(
                "overwritten",
                "",
                "    x = np.array(x, dtype=float)\n    x[..., 0] = 1\n    return x",
                credit=0.25,
                says="The first input was replaced by 1. The 1 is an additional input: one column more.",
            ),
            Slip(
                "flattened",
                "",
                "    return np.insert(np.asarray(x, dtype=float), 0, 1)",
                credit=0.5,
                says="One example is right, but a batch became one long row. Which axis gets the 1?",
            ),
            Slip(
                "row-of-ones",
                "",
                "    x = np.asarray(x, dtype=float)\n    return np.concatenate([np.ones_like(x[:1]), x])",
                credit=0.5,
                says="A batch got a row of ones, that is one example more. Every example needs a 1 of its own.",
            ),
            Slip(
                "unchanged",
                "np.concatenate([ones, x], axis=-1)",
                "np.array(x, dtype=float)",
                credit=0,
                says="That is x as it came: no 1 was added.",
            ),
        ],
        same=[
            Same(
                "insert", "np.concatenate([ones, x], axis=-1)", "np.insert(np.asarray(x, dtype=float), 0, 1, axis=-1)"
            ),
            Same(
                "pad",
                "np.concatenate([ones, x], axis=-1)",
                "np.pad(np.asarray(x, dtype=float), [(0, 0)] * (np.ndim(x) - 1) + [(1, 0)], constant_values=1)",
            ),
            Same(
                "loop",
                "",
                "    if np.ndim(x) == 1:\n"
                "        return np.array([1.0, *x])\n"
                "    return np.array([[1.0, *row] for row in x])",
            ),
            Same(
                "fill",
                "",
                "    out = np.empty((*np.shape(x)[:-1], np.shape(x)[-1] + 1))\n"
                "    out[..., 0] = 1\n"
                "    out[..., 1:] = x\n"
                "    return out",
            ),
        ],
        hints=[
            "Look at the shapes: (3,) becomes (4,), and (6, 3) becomes (6, 4).",
            "The last axis grows by one, in both cases. `np.concatenate` and `np.insert` take `axis=-1`.",
            "np.insert(x, 0, 1.0, axis=-1)",
        ],
    ),
    value(
        "s1-row1",
        "s1",
        points=1,
        builds_on=["with-bias"],
        slips=[
            Slip(
                "misprint",
                "with_bias(x) @ w1",
                "with_bias(x) @ w1 - np.array([0.45, 0])",
                credit=0.5,
                says="The first sum holds the misprinted weight of the worked line. Read all weights from w1.",
            ),
            Slip(
                "no-bias",
                "with_bias(x) @ w1",
                "x @ w1[1:]",
                credit=0.5,
                says="Each sum lacks one term. Count them: there are four.",
            ),
            Slip(
                "bias-last",
                "with_bias(x) @ w1",
                "np.append(x, 1) @ w1",
                credit=0.5,
                says="The inputs met the wrong rows of w1, as if the biases stood in its last row.",
            ),
            Slip(
                "units-swapped",
                "with_bias(x) @ w1",
                "(with_bias(x) @ w1)[::-1]",
                credit=0.5,
                says="Both numbers are there, in the other order. Column 0 belongs to unit 0.",
            ),
            Slip(
                "activated",
                "with_bias(x) @ w1",
                "sigmoid(with_bias(x) @ w1)",
                credit=0.5,
                says="These are the activations already. The question is about the sums before the sigmoid.",
            ),
            Slip(
                "rows-not-columns",
                "with_bias(x) @ w1",
                "w1.reshape(2, 4) @ with_bias(x)",
                credit=0.25,
                says="The weights were read along the rows of w1. A unit's weights stand in one column.",
            ),
        ],
        same=[
            Same("typed", "with_bias(x) @ w1", "[4.3, 5.3]"),
            Same("matrix-and-bias", "with_bias(x) @ w1", "x @ w1[1:] + w1[0]"),
            Same("loop", "with_bias(x) @ w1", "[sum(w1[i, k] * a for i, a in enumerate([1.0, *x])) for k in range(2)]"),
        ],
        hints=[
            "Four products a unit: one for the bias and one for each input.",
            "For unit 1 use the second column of w1: .5, .2, .4, .6.",
            "with_bias(x) @ w1",
        ],
    ),
    value(
        "a1-row1",
        "a1",
        points=1,
        builds_on=["sigmoid", "s1-row1"],
        slips=[
            Slip(
                "sums",
                "sigmoid(s1)",
                "s1",
                credit=0.25,
                says="These are still the sums: nothing has squeezed them yet.",
            ),
            Slip(
                "sign-lost",
                "sigmoid(s1)",
                "sigmoid(-s1)",
                credit=0.5,
                says="These are near 0, though both sums are large and positive. Look at the sign in the exponent.",
            ),
            Slip(
                "brackets",
                "sigmoid(s1)",
                "1 + np.exp(-s1)",
                credit=0.5,
                says="An activation lies between 0 and 1. This is what stands below the fraction line.",
            ),
            Slip(
                "tanh", "sigmoid(s1)", "np.tanh(s1)", credit=0.25, says="That is tanh of the sums, not their sigmoid."
            ),
            Slip(
                "leading-1",
                "sigmoid(s1)",
                "with_bias(sigmoid(s1))",
                credit=0.5,
                says="The leading 1 is not part of a1: two units, two numbers.",
            ),
            Slip(
                "rounded",
                "sigmoid(s1)",
                "np.round(sigmoid(s1), 2)",
                credit=0.5,
                says="The numbers are rounded too early: keep four decimals.",
            ),
        ],
        same=[
            Same("rounded-4", "sigmoid(s1)", "np.round(sigmoid(s1), 4)"),
            Same("cut-4", "sigmoid(s1)", "np.floor(sigmoid(s1) * 1e4) / 1e4"),
            Same("formula", "sigmoid(s1)", "1 / (1 + np.exp(-s1))"),
        ],
        hints=["Your function `sigmoid` takes both sums at once.", "sigmoid(s1)"],
    ),
    value(
        "s2-row1",
        "s2",
        points=1,
        builds_on=["with-bias", "a1-row1"],
        slips=[
            Slip(
                "no-bias",
                "with_bias(a1) @ w2",
                "a1 @ w2[1:]",
                credit=0.5,
                says="Each sum lacks one term. The second layer has a bias input of its own.",
            ),
            Slip(
                "bias-last",
                "with_bias(a1) @ w2",
                "np.append(a1, 1) @ w2",
                credit=0.5,
                says="The activations met the wrong rows of w2, as if the biases stood in its last row.",
            ),
            Slip(
                "from-sums",
                "with_bias(a1) @ w2",
                "with_bias(s1) @ w2",
                credit=0.5,
                says="The hidden units handed on their sums. The next layer gets what comes out of the sigmoid.",
            ),
            Slip(
                "units-swapped",
                "with_bias(a1) @ w2",
                "(with_bias(a1) @ w2)[::-1]",
                credit=0.5,
                says="Both numbers are there, in the other order. Column 0 of w2 belongs to output 0.",
            ),
            Slip(
                "activated",
                "with_bias(a1) @ w2",
                "sigmoid(with_bias(a1) @ w2)",
                credit=0.5,
                says="These are the activations already. The question is about the sums before the sigmoid.",
            ),
        ],
        same=[
            Same("rounded-4", "with_bias(a1) @ w2", "np.round(with_bias(a1) @ w2, 4)"),
            Same(
                "cut-at-each-step",
                "with_bias(a1) @ w2",
                "(np.floor(np.round(w2[1:] * np.floor(a1 * 1e4)[:, None], 6))).sum(axis=0) / 1e4 + w2[0]",
            ),
            Same("matrix-and-bias", "with_bias(a1) @ w2", "a1 @ w2[1:] + w2[0]"),
        ],
        hints=[
            "It is the hidden layer's sum once more, with a1 for x and w2 for w1.",
            "Three products an output: bias, first hidden unit, second hidden unit.",
            "with_bias(a1) @ w2",
        ],
    ),
    value(
        "a2-row1",
        "a2",
        points=1,
        atol=CUT,
        builds_on=["sigmoid", "s2-row1"],
        slips=[
            Slip(
                "sums",
                "sigmoid(s2)",
                "s2",
                credit=0.25,
                says="These are still the sums: nothing has squeezed them yet.",
            ),
            Slip(
                "sign-lost",
                "sigmoid(s2)",
                "sigmoid(-s2)",
                credit=0.5,
                says="These are below one half, though both sums are positive. Look at the sign in the exponent.",
            ),
            Slip(
                "brackets",
                "sigmoid(s2)",
                "1 + np.exp(-s2)",
                credit=0.5,
                says="An activation lies between 0 and 1. This is what stands below the fraction line.",
            ),
            Slip(
                "twice",
                "sigmoid(s2)",
                "sigmoid(sigmoid(s2))",
                credit=0.5,
                says="The sigmoid was applied twice; once a layer is enough.",
            ),
            Slip(
                "slope",
                "sigmoid(s2)",
                "sigmoid(s2) * (1 - sigmoid(s2))",
                credit=0.25,
                says="That is the slope of the sigmoid at the sums, which unit 3 needs. Here its value is asked.",
            ),
            Slip(
                "targets",
                "sigmoid(s2)",
                "np.array(y)",
                credit=0,
                says="These are row 1's targets. What does the net itself answer?",
            ),
            Slip(
                "rounded",
                "sigmoid(s2)",
                "np.round(sigmoid(s2), 1)",
                credit=0.5,
                says="The numbers are rounded too early: keep four decimals.",
            ),
        ],
        same=[
            Same("rounded-4", "sigmoid(s2)", "np.round(sigmoid(s2), 4)"),
            Same("cut-at-each-step", "sigmoid(s2)", "np.floor(1e4 / (1 + np.exp(-np.floor(s2 * 1e4) / 1e4))) / 1e4"),
            Same("one-liner", "sigmoid(s2)", "np.reciprocal(1 + np.exp(-np.asarray(s2)))"),
        ],
        hints=["The second layer ends as the first one did.", "sigmoid(s2)"],
    ),
    function(
        "layer-forward",
        points=2,
        builds_on=["sigmoid", "with-bias"],
        parts=["s", "a"],
        worked=[Worked("the small layer", lambda given: (SMALL_INPUT, SMALL_LAYER))],
        cases=[
            Case("one example", lambda rng: (_inputs(rng, 4), _layer(rng, 4, 3))),
            Case("a batch", lambda rng: (_inputs(rng, 5, 3), _layer(rng, 3, 4))),
            Case("a batch of one", lambda rng: (_inputs(rng, 1, 3), _layer(rng, 3, 2))),
            Case("one unit", lambda rng: (_inputs(rng, 5, 4), _layer(rng, 4, 1))),
        ],
        slips=[
            Slip(
                "no-bias",
                "with_bias(a_prev) @ w",
                "np.asarray(a_prev) @ w[1:]",
                credit=0.5,
                says="The biases have no part in it. Which input meets row 0 of w?",
            ),
            Slip(
                "bias-last",
                "with_bias(a_prev) @ w",
                "np.asarray(a_prev) @ w[:-1] + w[-1]",
                credit=0.5,
                says="The last row of w was taken for the biases; they stand in row 0.",
            ),
            Slip(
                "bias-second",
                "with_bias(a_prev) @ w",
                "np.asarray(a_prev) @ np.delete(w, 1, axis=0) + w[1]",
                credit=0.5,
                says="Row 1 of w was taken for the biases. Row 1 of the data hides this, as its first input is 1 too.",
            ),
            Slip(
                "order",
                "return s, sigmoid(s)",
                "return sigmoid(s), s",
                credit=0.5,
                says="Sums and activations are swapped in the answer: s comes first.",
            ),
            Slip(
                "no-sigmoid",
                "return s, sigmoid(s)",
                "return s, s",
                credit=0.5,
                says="The second answer equals the first: the activations are still sums.",
            ),
            Slip(
                "activations-only",
                "return s, sigmoid(s)",
                "return sigmoid(s), sigmoid(s)",
                credit=0.5,
                says="The first answer equals the second: s is the sum before the sigmoid.",
            ),
            Slip(
                "twice",
                "return s, sigmoid(s)",
                "return s, sigmoid(sigmoid(s))",
                credit=0.5,
                says="The sums are right; the sigmoid was applied twice.",
            ),
            Slip(
                "tanh",
                "return s, sigmoid(s)",
                "return s, np.tanh(s)",
                credit=0.5,
                says="The sums are right; the activations are their tanh.",
            ),
            Slip(
                "leading-1",
                "return s, sigmoid(s)",
                "return s, with_bias(sigmoid(s))",
                credit=0.5,
                says="The activations carry a leading 1. The next layer adds it itself.",
            ),
        ],
        same=[
            Same("matrix-and-bias", "with_bias(a_prev) @ w", "np.asarray(a_prev) @ w[1:] + w[0]"),
            Same("einsum", "with_bias(a_prev) @ w", "np.einsum('...i,ik->...k', with_bias(a_prev), w)"),
            Same("left-product", "with_bias(a_prev) @ w", "(w.T @ with_bias(a_prev).T).T"),
            Same(
                "loop",
                "s = with_bias(a_prev) @ w",
                "s = np.zeros((*np.shape(a_prev)[:-1], w.shape[1])) + w[0]\n"
                "    for i in range(1, len(w)):\n"
                "        s += np.asarray(a_prev)[..., i - 1, None] * w[i]",
            ),
        ],
        hints=[
            "Use the two functions that you have written already.",
            "The shapes lead: (n, d) gains a column, then meets (d+1, h).",
            "s = with_bias(a_prev) @ w, and a = sigmoid(s)",
        ],
    ),
    function(
        "mlp-forward",
        points=3,
        builds_on=["layer-forward"],
        worked=[Worked("a small net", lambda given: (SMALL_INPUT, SMALL_LAYER, SMALL_OUTPUT))],
        cases=[
            Case("one example", lambda rng: (_inputs(rng, 3), *_net(rng, 3, 5, 2))),
            Case("a batch", lambda rng: (_inputs(rng, 6, 4), *_net(rng, 4, 3, 2))),
            Case("a batch of one", lambda rng: (_inputs(rng, 1, 5), *_net(rng, 5, 4, 3))),
            Case("more outputs than inputs", lambda rng: (_inputs(rng, 4, 2), *_net(rng, 2, 3, 5))),
            Case("as many units as inputs", lambda rng: (_inputs(rng, 3), *_net(rng, 3, 3, 3)), easy=True),
        ],
        slips=[
            Slip(
                "sums-onward",
                "layer_forward(a1, w2)",
                "layer_forward(s1, w2)",
                credit=0.5,
                says="The hidden layer is right, but it hands on its sums. What should reach the second layer?",
            ),
            Slip(
                "hidden-bias",
                "layer_forward(x, w1)",
                "(lambda s: (s, sigmoid(s)))(np.asarray(x) @ w1[1:])",
                credit=0.5,
                says="The hidden layer's biases have no part in it, and everything after it is off.",
            ),
            Slip(
                "output-bias",
                "layer_forward(a1, w2)",
                "(lambda s: (s, sigmoid(s)))(np.asarray(a1) @ w2[1:])",
                credit=0.5,
                says="The hidden layer is right; the output layer's biases have no part in it.",
            ),
            Slip(
                "linear-output",
                '"a2": a2',
                '"a2": s2',
                credit=0.5,
                says="The outputs are still sums: the last layer has a sigmoid too.",
            ),
            Slip(
                "softmax-output",
                '"a2": a2',
                '"a2": np.exp(s2) / np.sum(np.exp(s2), axis=-1, keepdims=True)',
                credit=0.5,
                says="The outputs of an example add up to 1: that is softmax. This net has a sigmoid at every output.",
            ),
            Slip(
                "keys-swapped",
                '"s1": s1, "a1": a1, "s2": s2, "a2": a2',
                '"s1": a1, "a1": s1, "s2": a2, "a2": s2',
                credit=0.5,
                says="Sums and activations are swapped: s is before the sigmoid, a is after it.",
            ),
            Slip(
                "leading-1",
                '"a1": a1',
                '"a1": with_bias(a1)',
                credit=0.5,
                says="a1 carries a leading 1. It belongs to the next layer's input, not to the answer.",
            ),
            Slip(
                "twice",
                "layer_forward(a1, w2)",
                "layer_forward(sigmoid(a1), w2)",
                credit=0.5,
                says="The hidden layer is right, but its activations were squeezed once more on their way.",
            ),
        ],
        same=[
            Same(
                "written-out",
                "",
                "    s1 = with_bias(x) @ w1\n"
                "    a1 = sigmoid(s1)\n"
                "    s2 = with_bias(a1) @ w2\n"
                "    return dict(s1=s1, a1=a1, s2=s2, a2=sigmoid(s2))",
            ),
            Same(
                "matrices-and-biases",
                "",
                "    s1 = np.dot(x, w1[1:]) + w1[0]\n"
                "    a1 = 1 / (1 + np.exp(-s1))\n"
                "    s2 = np.dot(a1, w2[1:]) + w2[0]\n"
                "    return {'s1': s1, 'a1': a1, 's2': s2, 'a2': 1 / (1 + np.exp(-s2))}",
            ),
            Same(
                "loop",
                "",
                "    out, a = {}, x\n"
                "    for number, w in enumerate([w1, w2], start=1):\n"
                "        s, a = layer_forward(a, w)\n"
                "        out |= {f's{number}': s, f'a{number}': a}\n"
                "    return out",
            ),
            Same(
                "row-by-row",
                "",
                "    if np.ndim(x) == 2:\n"
                "        rows = [mlp_forward(row, w1, w2) for row in x]\n"
                "        return {key: np.array([row[key] for row in rows]) for key in rows[0]}\n"
                "    s1, a1 = layer_forward(x, w1)\n"
                "    s2, a2 = layer_forward(a1, w2)\n"
                "    return {'s1': s1, 'a1': a1, 's2': s2, 'a2': a2}",
            ),
        ],
        hints=[
            "Two calls of `layer_forward`, one for each layer.",
            "Which of the first call's two results goes into the second call?",
            "s1, a1 = layer_forward(x, w1); s2, a2 = layer_forward(a1, w2)",
        ],
    ),
    value(
        "predictions",
        points=2,
        atol=CUT,
        builds_on=["mlp-forward"],
        slips=[
            Slip(
                "sums", '["a2"]', '["s2"]', credit=0.5, says="Some are above 1: these are the sums, before the sigmoid."
            ),
            Slip(
                "hidden",
                '["a2"]',
                '["a1"]',
                credit=0.5,
                says="These are the hidden units' activations; the outputs are asked.",
            ),
            Slip(
                "transposed",
                '["a2"]',
                '["a2"].T',
                credit=0.5,
                says="Rows and columns are swapped: one example a row gives six rows of two.",
            ),
            Slip(
                "row-1-only",
                'mlp_forward(X, w1, w2)["a2"]',
                'np.tile(mlp_forward(x, w1, w2)["a2"], (6, 1))',
                credit=0.25,
                says="All six rows are the same. Look at which x goes into the net.",
            ),
            Slip(
                "outputs-swapped",
                '["a2"]',
                '["a2"][:, ::-1]',
                credit=0.5,
                says="The two outputs stand in the other order. Column 0 is output 0.",
            ),
            Slip(
                "targets",
                'mlp_forward(X, w1, w2)["a2"]',
                "Y.copy()",
                credit=0,
                says="These are the targets. What does the net itself answer?",
            ),
        ],
        same=[
            Same("rounded-4", 'mlp_forward(X, w1, w2)["a2"]', 'np.round(mlp_forward(X, w1, w2)["a2"], 4)'),
            Same(
                "frame",
                'mlp_forward(X, w1, w2)["a2"]',
                'pd.DataFrame(mlp_forward(X, w1, w2)["a2"], columns=["y1", "y2"])',
            ),
            Same("row-by-row", 'mlp_forward(X, w1, w2)["a2"]', '[list(mlp_forward(row, w1, w2)["a2"]) for row in X]'),
        ],
        hints=["Your function takes the whole of X at once.", 'mlp_forward(X, w1, w2)["a2"]'],
    ),
    choice(
        "slip-weight",
        points=1,
        slips=[
            Slip(
                "as-printed",
                "0.5",
                "0.05",
                credit=0,
                says="With that weight the four terms add up to 3.85, not to 4.3. Compare it with the table.",
            ),
            Slip(
                "second-term",
                "0.5",
                "0.1",
                credit=0,
                says="That is the weight of the first input, which the line prints as it should.",
            ),
            Slip(
                "third-term",
                "0.5",
                "0.3",
                credit=0,
                says="That is the weight of the second input, which the line prints as it should.",
            ),
            Slip(
                "the-sum",
                "0.5",
                "4.3",
                credit=0,
                says="The sum 4.3 is right. Which of the four weights does not lead to it?",
            ),
            Slip(
                "the-gap",
                "0.5",
                "0.45",
                credit=0.5,
                says="By that much the printed line falls short. What must the weight be to close the gap?",
            ),
        ],
        same=[
            Same("read-from-w1", "0.5", "w1[0, 0]"),
            Same("as-a-fraction", "0.5", "1 / 2"),
            Same("as-text", "0.5", "'.5'"),
            Same("as-text-with-its-zero", "0.5", "'0.5'"),
            Same("as-text-of-a-fraction", "0.5", "'1/2'"),
        ],
        hints=["Add up the printed line: does it give 4.3?", "Compare each weight with the first column of w1."],
    ),
    choice(
        "slip-sigmoid",
        points=1,
        slips=[
            Slip(
                "no-minus",
                '"b"',
                '"a"',
                credit=0,
                says="That form falls as its sum grows: a sum of 4 gives .0180 where .9820 is expected.",
            ),
            Slip(
                "minus-on-one-term",
                '"b"',
                '"c"',
                credit=0,
                says="In that form only the input's part has its minus: it falls when the bias or the memory grows.",
            ),
        ],
        same=[Same("capital", '"b"', '" B "')],
        hints=[
            "Put in the numbers for the single unit and compare with .9820.",
            "The minus in the sigmoid's exponent belongs to the whole sum.",
        ],
    ),
    function(
        "rnn-hidden",
        points=2,
        builds_on=["sigmoid"],
        worked=[
            Worked(
                "the two units",
                lambda given: (
                    np.array([2.0]),
                    np.array([0.5, -0.4]),
                    np.array([[0.4], [-0.6]]),
                    np.array([[0.2, -0.7], [0.9, 0.3]]),
                    np.array([0.1, -0.3]),
                ),
            )
        ],
        cases=[
            Case("more units than inputs", lambda rng: _memory(rng, 2, 4)),
            Case("more inputs than units", lambda rng: _memory(rng, 5, 3)),
            Case("one unit", lambda rng: _memory(rng, 3, 1)),
        ],
        slips=[
            Slip(
                "no-minus",
                "sigmoid(w_x @ x + w_h @ h_prev + b)",
                "sigmoid(-(w_x @ x + w_h @ h_prev + b))",
                credit=0.5,
                says="It falls as the sum grows, as in one of the misprinted forms of section 7.",
            ),
            Slip(
                "minus-on-one-term",
                "sigmoid(w_x @ x + w_h @ h_prev + b)",
                "sigmoid(w_x @ x - w_h @ h_prev - b)",
                credit=0.5,
                says="Memory and bias pull the wrong way, as in one of the misprinted forms of section 7.",
            ),
            Slip(
                "no-memory",
                " + w_h @ h_prev",
                "",
                credit=0.25,
                says="It is the same whatever h_prev is: the layer has no memory.",
            ),
            Slip(
                "no-input",
                "w_x @ x + w_h @ h_prev",
                "w_h @ h_prev",
                credit=0.25,
                says="It is the same whatever x is: only memory and bias have a part in it.",
            ),
            Slip("no-bias", "h_prev + b", "h_prev", credit=0.5, says="The bias has no part in it."),
            Slip(
                "transposed",
                "w_h @ h_prev",
                "h_prev @ w_h",
                credit=0.5,
                says="The memory's matrix was used the wrong way round. Each unit has one row of it.",
            ),
            Slip(
                "no-sigmoid",
                "sigmoid(w_x @ x + w_h @ h_prev + b)",
                "w_x @ x + w_h @ h_prev + b",
                credit=0.5,
                says="These are the sums: nothing has squeezed them yet.",
            ),
            Slip(
                "tanh",
                "sigmoid(",
                "np.tanh(",
                credit=0.5,
                says="That is tanh of the sum. Unit 6 uses it; this layer has a sigmoid.",
            ),
            Slip(
                "sigmoid-too-early",
                "sigmoid(w_x @ x + w_h @ h_prev + b)",
                "sigmoid(w_x @ x) + sigmoid(w_h @ h_prev) + b",
                credit=0.25,
                says="Each part was squeezed alone. Add up first, squeeze once.",
            ),
        ],
        same=[
            Same("stacked", "w_x @ x + w_h @ h_prev + b", "np.hstack([w_x, w_h]) @ np.concatenate([x, h_prev]) + b"),
            Same(
                "einsum",
                "w_x @ x + w_h @ h_prev + b",
                "np.einsum('hd,d->h', w_x, x) + np.einsum('hk,k->h', w_h, h_prev) + b",
            ),
            Same("rows", "w_x @ x + w_h @ h_prev + b", "x @ w_x.T + h_prev @ w_h.T + b"),
            Same(
                "loop",
                "",
                "    out = np.empty(len(b))\n"
                "    for k in range(len(b)):\n"
                "        s = b[k]\n"
                "        for w, v in zip([*w_x[k], *w_h[k]], [*x, *h_prev]):\n"
                "            s = s + w * v\n"
                "        out[k] = 1 / (1 + np.exp(-s))\n"
                "    return out",
            ),
        ],
        hints=[
            "Three parts of shape (H,) are added, then squeezed once.",
            "The matrices stand on the left: (H, D) @ (D,) is (H,).",
            "sigmoid(w_x @ x + w_h @ h_prev + b)",
        ],
    ),
)
