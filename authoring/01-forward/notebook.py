# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Unit 1: the forward pass
#
# A neural net turns numbers into numbers. In this unit you carry one example through a small net by hand,
# then teach numpy to do the same for any example and any net.
#
# **You need:** sums and the exponential function, Python functions, numpy arrays and the matrix product `@`.
#
# **Afterwards you can**
#
# - work out every number in a two-layer net, on paper,
# - write the same steps as functions that take one example or a whole batch,
# - test a printed formula and find the misprint in it,
# - add a memory to a layer, which makes it a recurrent one.
#
# **Time:** about 90 minutes.
#
# Under each question stands a test cell, `check(...)`. Run it as often as you like: it says what it sees in your
# answer. Numbers worked by hand need four decimals; they count when they are right within .0001. Grading calls your
# functions with fresh numbers, other ones for each student.
#
# The example comes from Grady Kurpasi's slides "RNN-Tutorial"; below they are just "the slides".

# %% given="setup"
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

X = np.array(  # six examples, one in each row: x[0], x[1], x[2]
    [
        [1.0, 4.0, 5.0],
        [0.1, -5.0, 3.0],
        [6.0, -5.542, 4.897],
        [4.0, 8.0, 9.0],
        [12.0, -2.0, 0.0063],
        [6.0, -5.5, 4.897],
    ]
)
Y = np.array(  # their targets: y[0], y[1]
    [
        [0.1, 0.05],
        [0.1221, 0.0964],
        [0.1061, 0.0702],
        [0.0996, 0.0641],
        [0.111, 0.0732],
        [0.106, 0.0701],
    ]
)
w1 = np.array([[0.5, 0.5], [0.1, 0.2], [0.3, 0.4], [0.5, 0.6]])  # row 0: biases; rows 1 to 3: from x[0] to x[2]
w2 = np.array([[0.5, 0.5], [0.7, 0.8], [0.9, 0.1]])  # row 0: biases; rows 1 and 2: from the two hidden units
x, y = X[0], Y[0]  # "row 1", the example that you work by hand

# %% given="drawing-the-net" hidden=true
INK, BLUE, ORANGE = "#333333", "#2c6fb3", "#c9711a"  # blue leads to unit 0 of a layer, orange to unit 1


def as_numbers(answer, size):
    """An answer as `size` numbers, or `size` times None where there is none yet."""
    try:
        numbers = np.asarray(answer, dtype=float)
    except (TypeError, ValueError):
        return [None] * size
    return list(numbers) if numbers.shape == (size,) else [None] * size


def as_text(number):
    """A number with four decimals; a question mark where it is not known yet."""
    return "?" if number is None or not np.isfinite(number) else f"{number:.4f}"


def draw_net(s1=None, a1=None, s2=None, a2=None):
    """Row 1 in the net: weights on the edges, inputs and your numbers in the nodes."""
    _, axes = plt.subplots(figsize=(11, 5.6))
    inputs = [(0, 5.0), (0, 3.6), (0, 2.2), (0, 0.8)]
    hidden = [(5, 5.0), (5, 3.1), (5, 0.9)]
    outputs = [(10, 3.1), (10, 0.9)]
    _edges(axes, inputs, hidden[1:], w1)
    _edges(axes, hidden, outputs, w2)
    for place, number, name in zip(inputs, [1, *x], ["bias", "x[0]", "x[1]", "x[2]"], strict=True):
        _node(axes, place, 0.4, f"{number:g}", "#ececec" if name == "bias" else "#cfe3f7")
        axes.text(place[0] - 0.55, place[1], name, ha="right", va="center", fontsize=11, color=INK)
    _node(axes, hidden[0], 0.4, "1", "#ececec")
    axes.text(hidden[0][0], hidden[0][1] + 0.48, "bias", ha="center", va="bottom", fontsize=11, color=INK)
    _units(axes, hidden[1:], as_numbers(s1, 2), as_numbers(a1, 2), "hidden", "#fdf0dd")
    _units(axes, outputs, as_numbers(s2, 2), as_numbers(a2, 2), "output", "#dcf0d9")
    for (left, height), target in zip(outputs, y, strict=True):
        axes.text(left + 0.85, height, f"target\n{target:g}", va="center", fontsize=11, color=INK)
    for middle, name in ((2.5, "w1"), (7.5, "w2")):
        axes.text(middle, 5.65, name, ha="center", fontsize=14, style="italic", color=INK)
    axes.set(xlim=(-1.4, 11.8), ylim=(-0.3, 6.1), aspect="equal")
    axes.axis("off")
    plt.show()


def _units(axes, places, sums, activations, name, colour):
    for k, (place, s, a) in enumerate(zip(places, sums, activations, strict=True)):
        _node(axes, place, 0.68, f"s  {as_text(s)}\na  {as_text(a)}", colour)
        axes.text(place[0], place[1] - 0.76, f"{name} {k}", ha="center", va="top", fontsize=11, color=INK)


def _node(axes, place, radius, text, colour):
    axes.add_patch(plt.Circle(place, radius, facecolor=colour, edgecolor=INK, linewidth=1.2, zorder=3))
    axes.text(*place, text, ha="center", va="center", fontsize=11, color=INK, zorder=4)


def _edges(axes, sources, goals, weights):
    """One line for each weight: row i leads from source i, column k to goal k; thicker lines are larger weights."""
    box = {"boxstyle": "round,pad=0.12", "facecolor": "white", "edgecolor": "none"}
    for (i, k), weight in np.ndenumerate(weights):
        start, end, colour = np.array(sources[i]), np.array(goals[k]), (BLUE, ORANGE)[k]
        axes.plot(*zip(start, end, strict=True), color=colour, alpha=0.55, linewidth=0.8 + 2.5 * weight, zorder=1)
        place = start + (0.21, 0.36)[k] * (end - start)
        axes.text(*place, f"{weight:g}", ha="center", va="center", fontsize=11, color=colour, bbox=box, zorder=2)


# %% [markdown]
# ## The net
#
# Three inputs feed two hidden units, and these feed two outputs. Each layer also gets the constant 1 as an extra input.
# Every line is a **weight**: what comes in at its start is multiplied by it. A weight that leads from an extra 1 is
# called a **bias**. A unit does two things: it adds up its inputs times their weights (the sum `s`), then squeezes the
# sum between 0 and 1 (the activation `a`).
#
# The picture shows the first example, $x = (1, 4, 5)$, on its way in. Blue lines lead to the first unit of a layer,
# orange lines to the second. The question marks are yours to fill.

# %%
draw_net()

# %% [markdown]
# ### Where a weight stands
#
# Each **row** of a weight matrix belongs to an input of the layer, each **column** to a unit. Row 0 holds the biases,
# so row 1 belongs to the *first* real input, `x[0]`. The slides, like most mathematics, count units from 1; numpy
# counts them from 0:
#
# | on the slides | in numpy | value | leads from | to |
# |---|---|---|---|---|
# | $w_1[0,1]$ | `w1[0, 0]` | .5 | bias | first hidden unit |
# | $w_1[3,2]$ | `w1[3, 1]` | .6 | third input | second hidden unit |
# | $w_2[0,1]$ | `w2[0, 0]` | .5 | bias | first output |
# | $w_2[2,1]$ | `w2[2, 0]` | .9 | second hidden unit | first output |
#
# Rows agree (row 0 is the bias in both). Columns are one less in numpy, and so are the entries of `s` and `a`: the
# slides' $s_1[1]$ is `s1[0]`. From here on all indices in brackets are numpy's, in formulas too. Only the six examples
# are counted from 1, as on the slides: "row 1" of the data is `X[0]`, also given as `x`, and "row 2" is `X[1]`.

# %%
pd.DataFrame(
    w1, index=["0: from the bias", "1: from x[0]", "2: from x[1]", "3: from x[2]"], columns=["hidden 0", "hidden 1"]
)

# %% [markdown]
# ## 1. The sigmoid
#
# The sigmoid squeezes any number between 0 and 1: large sums come out near 1, very negative ones near 0, and 0 gives
# one half.
#
# $$\sigma(z) = \frac{1}{1 + e^{-z}} = \frac{e^{z}}{1 + e^{z}}$$
#
# For example $\sigma(2) = 1 / (1 + .1353) = .8808$ and $\sigma(-2) = .1353 / (1 + .1353) = .1192$; the two add up to 1.
#
# Both forms are the same number on paper. In a computer $e^{1000}$ is too large for any float: numpy warns and goes on
# with infinity, and infinity over infinity is `nan`. $e^{-1000}$ is harmless: it becomes 0.
#
# **Question.** Write `sigmoid(z)`. `z` is a number or an array of any shape, and the result has that shape. It must be
# right, and silent (no warning), for every `z` from -1000 to 1000. (`np.where(test, a, b)` picks entry by entry, but
# works out all of `a` and all of `b` first.)


# %% item="sigmoid"
def sigmoid(z):
    """(...) -> (...). The logistic function of every entry, without overflow.

    Source: Kurpasi, RNN-Tutorial, forward propagation.
    """
    ### BEGIN SOLUTION
    small = np.exp(-np.abs(z))  # at most 1, so it cannot overflow
    return np.where(np.asarray(z) >= 0, 1, small) / (1 + small)
    ### END SOLUTION


# %% [markdown]
# ## 2. The extra 1
#
# A bias is a weight whose input is always 1. If we put that 1 in front of the inputs, bias and weights become one
# matrix, and one product does all the work. Row 1, $(1, 4, 5)$, becomes $(1, 1, 4, 5)$; row 2, $(.1, -5, 3)$, becomes
# $(1, .1, -5, 3)$.
#
# **Question.** Write `with_bias(x)`. One example of d inputs, shape `(d,)`, gives `(d+1,)`; a batch of n examples, one
# in each row, shape `(n, d)`, gives `(n, d+1)`. The 1 always stands first. `x` itself stays as it is.


# %% item="with-bias"
def with_bias(x):
    """(d,) -> (d+1,) or (n, d) -> (n, d+1). A leading 1 for every example.

    Source: Kurpasi, RNN-Tutorial, forward propagation.
    """
    ### BEGIN SOLUTION
    ones = np.ones((*np.shape(x)[:-1], 1))
    return np.concatenate([ones, x], axis=-1)
    ### END SOLUTION


# %% [markdown]
# ## 3. Row 1 by hand: the hidden layer
#
# Write $\tilde x = (1, 1, 4, 5)$ for row 1 behind its leading 1. Hidden unit $k$ multiplies it with column $k$ of `w1`,
# entry by entry, and adds up:
#
# $$s_1[k] = \sum_{i=0}^{3} w_1[i, k]\; \tilde x[i]$$
#
# The slides print the first unit's sum like this:
#
# $$.05 \cdot 1 + .1 \cdot 1 + .3 \cdot 4 + .5 \cdot 5 = 4.3$$
#
# The result 4.3 is right. One of the weights in the line is not; compare it with the table of `w1` above. We come back
# to it in section 7.
#
# **Question.** What are the sums of *both* hidden units? `s1` has shape `(2,)`. Type the numbers or let numpy work them
# out.

# %% item="s1-row1"
s1 = None  # (2,): the sums of hidden units 0 and 1
### BEGIN SOLUTION
s1 = with_bias(x) @ w1
### END SOLUTION

# %% [markdown]
# Each sum now goes through the sigmoid:
#
# $$a_1[k] = \sigma(s_1[k])$$
#
# The first is $1 / (1 + e^{-4.3}) = 1 / (1 + .0136) = .9866$.
#
# **Question.** What are the activations of both hidden units? `a1` has shape `(2,)`, without a leading 1.

# %% item="a1-row1"
a1 = None  # (2,): the activations of hidden units 0 and 1
### BEGIN SOLUTION
a1 = sigmoid(s1)
### END SOLUTION


# %% given="drawing-the-sigmoid" hidden=true
def draw_sigmoid(function, s1=None, a1=None):
    """The curve of your sigmoid, and row 1's two hidden units on it."""
    z = np.linspace(-7, 7, 281)
    try:
        curve = np.asarray(function(z), dtype=float)
    except Exception as error:  # an unfinished function
        print(f"sigmoid stops with {type(error).__name__}: {error}")
        curve = np.array(np.nan)
    if curve.shape != z.shape or not np.isfinite(curve).all():
        print("No curve yet: answer `sigmoid` above and run this again.")
        return
    _, axes = plt.subplots(figsize=(8, 4))
    axes.axhline(0, color="#c8c8c8", linewidth=1)
    axes.axhline(1, color="#c8c8c8", linewidth=1)
    axes.plot(z, curve, color=INK, linewidth=2.5)
    known = [pair for pair in zip(as_numbers(s1, 2), as_numbers(a1, 2), strict=True) if None not in pair]
    for k, (s, a) in enumerate(known):
        colour = (BLUE, ORANGE)[k]
        axes.plot([s, s, -7], [0, a, a], color=colour, linewidth=1.2, linestyle=":")
        axes.plot(s, a, "o", color=colour, markersize=9)
        label, place = f"hidden {k}\ns  {as_text(s)}\na  {as_text(a)}", (s - 1.2 + 1.3 * k, 0.5)
        box = {"boxstyle": "round,pad=0.3", "facecolor": "white", "edgecolor": colour}
        line = {"arrowstyle": "-", "color": colour}
        axes.annotate(label, (s, a), place, ha="center", va="center", color=INK, bbox=box, arrowprops=line)
    axes.set(xlabel="sum s", ylabel="activation a", xlim=(-7, 7), title="your sigmoid, with row 1's hidden units")
    axes.spines[["top", "right"]].set_visible(False)
    plt.show()


# %% [markdown]
# Where do the two units sit on the curve? Both sums are far out on the right, where the curve is nearly flat: a change
# in the sum hardly moves the activation. Keep that in mind; in unit 3 it makes these units slow to learn.

# %%
draw_sigmoid(sigmoid, s1, a1)

# %% [markdown]
# ## 4. Row 1 by hand: the output layer
#
# The second layer does the same with the first layer's activations. They get a leading 1 of their own, which makes
# $\tilde a_1$ of length 3, and output $j$ uses column $j$ of `w2`:
#
# $$s_2[j] = \sum_{k=0}^{2} w_2[k, j]\; \tilde a_1[k]$$
#
# The first output: $.5 \cdot 1 + .7 \cdot .9866 + .9 \cdot \square = 2.0862$, with your `a1[1]` in the box. (The slides
# label a weight of this line as if it came from the second column. The numbers are the first column's, as they should
# be.)
#
# **Question.** What are the sums of both outputs? `s2` has shape `(2,)`.

# %% item="s2-row1"
s2 = None  # (2,): the sums of outputs 0 and 1
### BEGIN SOLUTION
s2 = with_bias(a1) @ w2
### END SOLUTION

# %% [markdown]
# And once more the sigmoid: $a_2[j] = \sigma(s_2[j])$. The first output is $1 / (1 + e^{-2.0862}) = .8896$.
#
# **Question.** What does the net answer for row 1? `a2` has shape `(2,)`.

# %% item="a2-row1"
a2 = None  # (2,): the activations of outputs 0 and 1, the net's answer
### BEGIN SOLUTION
a2 = sigmoid(s2)
### END SOLUTION

# %% [markdown]
# Now every node has its number. The net answers far too high: the targets are .1 and .05. Nobody has trained it yet.

# %%
draw_net(s1, a1, s2, a2)

# %% [markdown]
# ## 5. One layer as a function
#
# Both layers did the same: leading 1, weighted sums, sigmoid. For a whole layer at once, with $\tilde a$ for whatever
# comes in, behind its leading 1:
#
# $$s = \tilde a\, w \qquad a = \sigma(s)$$
#
# With one example in each row, `@` makes the sums of all units for all examples at once: `(n, d+1) @ (d+1, h)` is
# `(n, h)`, for n examples, d inputs and h units. A small layer from two inputs to three units, with
# $\tilde a = (1, 2, -1)$:
#
# $$(1, 2, -1) \begin{pmatrix} .1 & .2 & .3 \\ .4 & -.5 & .6 \\ -.7 & .7 & .9 \end{pmatrix} = (1.6, -1.5, .6)
# \qquad a = (.8320, .1824, .6457)$$
#
# These are not row 1's numbers, and on purpose. In row 1 the first input is 1, the same as the bias input, so code that
# mixes up the two still looks right there. Always try a second example.
#
# **Question.** Write `layer_forward(a_prev, w)`. `a_prev` is `(d,)` or `(n, d)` *without* the leading 1, `w` is
# `(d+1, h)` with the biases in row 0. Return the tuple `s, a`, each `(h,)` or `(n, h)`.


# %% item="layer-forward"
def layer_forward(a_prev, w):
    """(d,) or (n, d), (d+1, h) -> s, a: each (h,) or (n, h). One layer, which adds the leading 1 itself.

    Source: Kurpasi, RNN-Tutorial, forward propagation.
    """
    ### BEGIN SOLUTION
    s = with_bias(a_prev) @ w
    return s, sigmoid(s)
    ### END SOLUTION


# %% [markdown]
# ## 6. The whole net
#
# Two layers in a row make the net: the first layer's `a` is the second layer's input. We keep all four
# results, because the backward pass (unit 3) needs them again.
#
# | key | one example | batch | what |
# |---|---|---|---|
# | `"s1"`, `"a1"` | `(h,)` | `(n, h)` | hidden layer |
# | `"s2"`, `"a2"` | `(m,)` | `(n, m)` | output layer |
#
# For a small net, take section 5's layer as the first one and put two outputs behind it:
#
# $$s_2 = (1, .8320, .1824, .6457) \begin{pmatrix} -.4 & .3 \\ .8 & -.2 \\ -.6 & .7 \\ .5 & .1 \end{pmatrix}
# = (.4790, .3259) \qquad a_2 = (.6175, .5808)$$
#
# **Question.** Write `mlp_forward(x, w1, w2)`, which returns a dict with these four keys. `x` is `(d,)` or `(n, d)`,
# `w1` is `(d+1, h)`, `w2` is `(h+1, m)`: any number of inputs (d), hidden units (h) and outputs (m). No entry holds the
# leading 1.


# %% item="mlp-forward"
def mlp_forward(x, w1, w2):
    """(d,) or (n, d), (d+1, h), (h+1, m) -> dict s1, a1: (h,) or (n, h); s2, a2: (m,) or (n, m).

    Both layers of the net, biases in row 0 of each matrix. Source: Kurpasi, RNN-Tutorial, forward propagation.
    """
    ### BEGIN SOLUTION
    s1, a1 = layer_forward(x, w1)
    s2, a2 = layer_forward(a1, w2)
    return {"s1": s1, "a1": a1, "s2": s2, "a2": a2}
    ### END SOLUTION


# %% given="comparing" hidden=true
def by_hand_and_by_code(hand, function):
    """A table of row 1: your numbers from sections 3 and 4 beside those of your function."""
    try:
        code = dict(function(x, w1, w2) or {})
    except Exception as error:  # an unfinished function, or one that is called by it
        print(f"mlp_forward stops with {type(error).__name__}: {error}")
        code = {}
    rows = {}
    for name, answer in hand.items():
        pairs = zip(as_numbers(answer, 2), as_numbers(code.get(name), 2), strict=True)
        rows |= {f"{name}[{k}]": [as_text(number) for number in pair] for k, pair in enumerate(pairs)}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["by hand", "mlp_forward"])


# %% [markdown]
# Does the function find your numbers of row 1?

# %%
by_hand_and_by_code({"s1": s1, "a1": a1, "s2": s2, "a2": a2}, mlp_forward)

# %% [markdown]
# A net is made to be used on many examples. `X` holds six.
#
# **Question.** What does the net answer for all six rows? `predictions` has shape `(6, 2)`, one example in each row; an
# array or a DataFrame.

# %% item="predictions"
predictions = None  # (6, 2): the net's two outputs for each row of X
### BEGIN SOLUTION
predictions = mlp_forward(X, w1, w2)["a2"]
### END SOLUTION


# %% given="drawing-the-predictions" hidden=true
def draw_predictions(predictions):
    """The net's answers for the six rows beside the targets."""
    try:
        answers = np.asarray(predictions, dtype=float)
    except (TypeError, ValueError):
        answers = np.array(np.nan)
    if answers.shape != Y.shape or not np.isfinite(answers).all():
        print("Nothing to draw yet: answer `predictions` above, shape (6, 2), and run this again.")
        return
    figure, panels = plt.subplots(1, 2, figsize=(10, 3.8), sharey=True)
    rows = np.arange(1, 7)
    for j, axes in enumerate(panels):
        axes.vlines(rows, Y[:, j], answers[:, j], color="#d0d0d0", linewidth=5, label="error")
        axes.plot(rows, answers[:, j], "o", color=BLUE, markersize=9, label="the net's answer")
        axes.plot(rows, Y[:, j], "D", color=ORANGE, markersize=7, label="target")
        axes.set(
            title=f"output {j}",
            xlabel="row",
            xticks=rows,
            ylim=(min(0, answers.min() - 0.1), max(1, answers.max() + 0.1)),
        )
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("activation")
    panels[1].legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    figure.subplots_adjust(left=0.07, right=0.81, bottom=0.15, top=0.91, wspace=0.06)
    plt.show()


# %% [markdown]
# The grey bars are what training has to shorten. Unit 2 turns their lengths into one number, the error.

# %%
draw_predictions(predictions)

# %% [markdown]
# ## 7. Two misprints
#
# Formulas in print are wrong more often than one thinks. The remedy is always the same: put in numbers.
#
# **Question.** Look again at the slides' line for the first hidden unit's sum,
# $.05 \cdot 1 + .1 \cdot 1 + .3 \cdot 4 + .5 \cdot 5 = 4.3$. Add it up. One weight is misprinted: what should stand in
# its place? `slip_weight` is that number.

# %% item="slip-weight"
slip_weight = None  # a number: the right weight
### BEGIN SOLUTION
slip_weight = 0.5
### END SOLUTION

# %% [markdown]
# A **recurrent** layer has a memory: besides its input $x$ it sees its own last activations $h_{prev}$, through a
# second matrix $W_h$. Its new activations $h$ are the sigmoid of the whole sum $W_x x + W_h h_{prev} + b$, where $b$ is
# the bias. Only one of these forms is that; a tutorial prints one of the others:
#
# $$\text{a:}\;\; \frac{1}{1 + \exp(W_x x + W_h h_{prev} + b)}$$
#
# $$\text{b:}\;\; \frac{1}{1 + \exp(-(W_x x + W_h h_{prev} + b))}$$
#
# $$\text{c:}\;\; \frac{1}{1 + \exp(-W_x x + W_h h_{prev} + b)}$$
#
# Put in numbers for a single unit: $W_x x = 2$, $W_h h_{prev} = 1$, $b = 1$. The sum is 4, and $\sigma(4) = .9820$.
# Compare also what each form does when the bias $b$ grows.
#
# **Question.** Which form is right? `slip_sigmoid` is `"a"`, `"b"` or `"c"`.

# %% item="slip-sigmoid"
slip_sigmoid = None  # "a", "b" or "c"
### BEGIN SOLUTION
slip_sigmoid = "b"
### END SOLUTION

# %% [markdown]
# ## 8. A layer with a memory
#
# Here the vectors are columns, as in most texts on recurrent nets: the matrix stands on the left, one **row** for each
# unit, and the bias is a vector of its own. So there is no leading 1. And $h$ is no longer a number of units, as in the
# shapes above, but the vector of activations; the shapes below call the number of units H and that of inputs D.
#
# $$h = \sigma(W_x\, x + W_h\, h_{prev} + b)$$
#
# Take two units and one input: $x = (2)$, $h_{prev} = (.5, -.4)$, $b = (.1, -.3)$,
#
# $$W_x = \begin{pmatrix} .4 \\ -.6 \end{pmatrix} \qquad W_h = \begin{pmatrix} .2 & -.7 \\ .9 & .3 \end{pmatrix}$$
#
# The first unit: $.4 \cdot 2 + (.2 \cdot .5 + .7 \cdot .4) + .1 = 1.28$, and $\sigma(1.28) = .7824$. The second:
# $-.6 \cdot 2 + (.9 \cdot .5 - .3 \cdot .4) - .3 = -1.17$, and $\sigma(-1.17) = .2369$.
#
# **Question.** Write `rnn_hidden(x, h_prev, w_x, w_h, b)`: `x` is `(D,)`, `h_prev` and `b` are `(H,)`, `w_x` is
# `(H, D)`, `w_h` is `(H, H)`. Return the new activations `(H,)`.


# %% item="rnn-hidden"
def rnn_hidden(x, h_prev, w_x, w_h, b):
    """(D,), (H,), (H, D), (H, H), (H,) -> (H,). One step of a layer with memory.

    Source: notes to Chen, A Gentle Tutorial of RNN, forward pass.
    """
    ### BEGIN SOLUTION
    return sigmoid(w_x @ x + w_h @ h_prev + b)
    ### END SOLUTION


# %% [markdown]
# ## What you know now
#
# - A unit adds up weighted inputs (`s`), then squeezes the sum (`a`). A bias is a weight whose input is always 1.
# - A layer is one matrix product and one sigmoid; a net is layers in a row; a batch is the same product with more rows.
# - Far from 0 the sigmoid is flat, and a careless formula overflows there.
# - Test code and formulas with numbers that cannot agree by accident: no input equal to the bias input, no equal sizes.
# - A recurrent layer adds one more product: its own last activations.
#
# The net's answers are still far from their targets. How far, as one number, is the question of unit 2.
