# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Unit 2: The loss
#
# A net answers, and the answer is never quite right. A **loss** turns "never quite right" into one number: small when
# the answers are good, large when they are bad. Everything in the later units (gradients, updates, training) only makes
# this number smaller.
#
# **You need:** unit 1 (the forward pass), numpy arrays, the functions $\exp$ and $\log$.
#
# **Afterwards you can**
# - compute the squared error of a row, of a batch, and its mean, and say which of them a formula means;
# - turn any scores into probabilities with the softmax, at $\pm 1000$ too;
# - compute the cross-entropy from probabilities, from raw scores, and along a sequence;
# - add a penalty on the weights, and see what changes when it stands inside or outside the $1/N$.
#
# **Time:** about 90 minutes.
#
# Each question is followed by a test cell. Run it as often as you like: it tells you what it sees. Grading calls your
# functions with fresh numbers, other ones for each student.
#
# **Where the formulas come from.** Four texts, and they do not all mean the same by "loss":
# - Grady Kurpasi's slides "RNN-Tutorial", where unit 1's net comes from; below they are just "the slides",
# - notes that complement Gang Chen's "A Gentle Tutorial of Recurrent Neural Network"; below "the notes",
# - "Only Numpy: Vanilla Recurrent Neural Network" by Jae Duk Seo,
# - "Implementing a Neural Network from Scratch in Python" on the site WildML; below just "WildML".

# %% given="setup"
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

# Six rows, their targets and the weights of unit 1's net. Row 0 of a weight matrix holds the biases.
X = np.array(
    [
        [1.0, 4.0, 5.0],
        [0.1, -5.0, 3.0],
        [6.0, -5.542, 4.897],
        [4.0, 8.0, 9.0],
        [12.0, -2.0, 0.0063],
        [6.0, -5.5, 4.897],
    ]
)
Y = np.array(
    [[0.1, 0.05], [0.1221, 0.0964], [0.1061, 0.0702], [0.0996, 0.0641], [0.111, 0.0732], [0.106, 0.0701]],
)
w1 = np.array([[0.5, 0.5], [0.1, 0.2], [0.3, 0.4], [0.5, 0.6]])
w2 = np.array([[0.5, 0.5], [0.7, 0.8], [0.9, 0.1]])
x, y = X[0], Y[0]

# What that net answers for the six rows: the result of unit 1.
A2 = np.array(
    [
        [0.8895506140, 0.8003996081],
        [0.8113423894, 0.7422656137],
        [0.8737357824, 0.7835498372],
        [0.8908709204, 0.8021310934],
        [0.8614920291, 0.7667065244],
        [0.8739704304, 0.7837655596],
    ]
)

# %% given="drawing" hidden=true
# Only pictures are made here. Run this cell and read on below.
BLUE, ORANGE, GREEN, GREY = "#3b6ea8", "#d9822b", "#4a9a6b", "#8a8f98"


def computed(function, *args):
    """Your function's answer as an array of numbers, or None while there is no usable answer."""
    try:
        return np.asarray(function(*args), dtype=float)
    except Exception:
        return None


def new_axes(columns=1, size=(8, 3.4), **options):
    """A figure's axes without the upper and the right frame."""
    figure, axes = plt.subplots(1, columns, figsize=size, squeeze=False, **options)
    figure.subplots_adjust(left=0.05, right=0.99, bottom=0.15, top=0.91, wspace=0.18)
    for ax in axes[0]:
        ax.spines[["top", "right"]].set_visible(False)
    return axes[0]


def say(ax, text):
    """Words in place of a drawing that has no answers yet."""
    ax.text(0.5, 0.5, text, ha="center", va="center", transform=ax.transAxes, color=GREY, fontsize=11)
    ax.set_xticks([])
    ax.set_yticks([])


def draw_row_errors(A2, Y, E_rows):
    """Left: how far each output is from its target. Right: your errors, one bar a row."""
    left, right = new_axes(2, size=(10, 3.6))
    rows = np.arange(1, len(Y) + 1)
    for j, (color, shift) in enumerate([(BLUE, -0.12), (ORANGE, 0.12)]):
        left.vlines(rows + shift, Y[:, j], A2[:, j], color=color, alpha=0.4, linewidth=3)
        left.plot(rows + shift, A2[:, j], "o", color=color, label=f"A2[:, {j}]")
        left.plot(rows + shift, Y[:, j], "_", color=color, markersize=12, markeredgewidth=2.5)
    left.set(title="outputs (dots) and targets (dashes)", xlabel="row (row 1 is A2[0])", ylim=(0, 1.2), xticks=rows)
    left.legend(frameon=False, ncols=2, loc="upper center")
    errors = computed(lambda: E_rows)
    if errors is None or errors.size != len(Y) or not np.isfinite(errors).all():
        say(right, "Answer `error-rows`,\nthen run this cell again.")
        return
    bars = right.bar(rows, errors.ravel(), color=GREEN, width=0.65)
    right.bar_label(bars, fmt="%.3f", padding=2, fontsize=9)
    right.set(title="your E_rows", xlabel="row (row 1 is E_rows[0])", xticks=rows)
    right.margins(y=0.15)


def draw_surprise(cross_entropy):
    """The curve -log p, the worked points on it, and what your function gives there."""
    (ax,) = new_axes(1, size=(8, 3.8))
    curve = np.linspace(0.005, 1, 400)
    ax.plot(curve, -np.log(curve), color=BLUE, linewidth=2.2, label="-log p")
    for p in (0.01, 0.1, 0.5, 0.9):
        worked = ax.plot(p, -np.log(p), "o", color=ORANGE, markersize=8)[0]
        ax.annotate(f"p = {p:g}: {-np.log(p):.3f}", (p, -np.log(p)), (8, 7), textcoords="offset points", fontsize=10)
    worked.set_label("worked points")
    probes = np.linspace(0.05, 0.95, 13)
    yours = [computed(cross_entropy, np.array([[p, 1 - p]]), np.array([0])) for p in probes]
    if all(answer is not None and answer.size == 1 and np.isfinite(answer).all() for answer in yours):
        values = [answer.item() for answer in yours]
        ax.plot(probes, values, "x", color=GREEN, markersize=7, markeredgewidth=2, label="your cross_entropy")
    ax.set(xlabel="probability p that the right class got", ylabel="loss of the row")
    ax.set(xlim=(-0.02, 1.1), ylim=(min(-0.1, ax.get_ylim()[0]), 5.2))
    ax.legend(frameon=False)


def draw_shift(softmax):
    """Three times the same scores, moved by a constant, and your probabilities below each other."""
    left, right = new_axes(2, size=(10, 3.4))
    scores, shifts = np.array([1.0, 2.0, 3.0]), (0, 4, -5)
    places = np.arange(len(scores))
    answers = []
    for m, (shift, color) in enumerate(zip(shifts, (BLUE, ORANGE, GREEN), strict=True)):
        left.bar(
            places + 0.27 * (m - 1),
            scores + shift,
            width=0.25,
            color=color,
            label=f"{shift:+d}" if shift else "as given",
        )
        answers.append(computed(softmax, scores + shift))
    left.axhline(0, color=GREY, linewidth=0.8)
    left.set(title="scores", xlabel="class", xticks=places, ylim=(-5, 9.5))
    left.legend(frameon=False, ncols=3, loc="upper center", fontsize=9)
    if any(p is None or p.shape != scores.shape or not np.isfinite(p).all() for p in answers):
        say(right, "Answer `softmax`,\nthen run this cell again.")
        return
    for m, (p, color) in enumerate(zip(answers, (BLUE, ORANGE, GREEN), strict=True)):
        bars = right.bar(places + 0.27 * (m - 1), p, width=0.25, color=color)
        right.bar_label(bars, fmt="%.3f", fontsize=8, padding=2)
    right.set(title="your softmax of these scores", xlabel="class", ylabel="probability", xticks=places)
    right.margins(y=0.12)


def draw_penalty(regularized_loss, calculate_loss, net, points, classes, scores, lam=0.1):
    """The same rows repeated: the data loss stays, and the two penalties part."""
    (ax,) = new_axes(1, size=(8, 3.8))
    copies = np.array([1, 2, 3, 5, 8, 12, 20, 30, 50])
    weights = [net["W1"], net["W2"]]
    outside, inside, bare = [], [], []
    for k in copies:
        X_k, y_k, f_k = np.tile(points, (k, 1)), np.tile(classes, k), np.tile(scores, (k, 1))
        outside.append(computed(regularized_loss, f_k, y_k, weights, lam))
        inside.append(computed(calculate_loss, net, X_k, y_k, lam))
        bare.append(computed(calculate_loss, net, X_k, y_k, 0.0))
    answers = [*outside, *inside, *bare]
    if any(a is None or a.size != 1 or not np.isfinite(a).all() for a in answers):
        say(ax, "Answer `regularized-loss` and `wildml-loss`,\nthen run this cell again.")
        return
    N = copies * len(points)
    ax.plot(N, np.ravel(outside), "o-", color=ORANGE, label="penalty outside the 1/N: your regularized_loss")
    ax.plot(N, np.ravel(inside), "s-", color=BLUE, label="penalty inside the 1/N: your calculate_loss")
    ax.plot(N, np.ravel(bare), "--", color=GREY, label="data loss alone")
    ax.set(xscale="log", xlabel="N, number of rows (the same four rows, repeated)", ylabel="loss")
    ax.set(xticks=[4, 12, 32, 80, 200], xticklabels=["4", "12", "32", "80", "200"])
    ax.minorticks_off()
    ax.margins(y=0.15)
    ax.legend(frameon=False, loc="center right", fontsize=9)


# %% [markdown]
# Here are the outputs and their targets side by side, four decimals each. The net has not been trained: it says about
# .7 to .9 everywhere, and the targets are about .1.
#
# **How we count.** Indices in brackets and below letters are numpy's and count from 0, in formulas too: outputs,
# classes, labels. Only the rows of the table are counted from 1, as on the slides: "row 1" is `A2[0]`. (The slides
# count outputs from 1 as well: their $a_2[1]$ of row 1 is `A2[0, 0]`. The 2 in $a_2$ and in `A2` numbers the layer.)

# %%
pd.DataFrame(
    np.hstack([A2, Y]).round(4),
    index=[f"row {r}" for r in range(1, 7)],
    columns=["A2[:, 0]", "A2[:, 1]", "Y[:, 0]", "Y[:, 1]"],
)

# %% [markdown]
# ## 1. One row's squared error
#
# How wrong is one row? Take the miss of each output, which is output minus target, square it so that too high and too
# low count alike, add up over the outputs, and halve:
#
# $$E = \frac12 \sum_j \left(a_2[j] - y[j]\right)^2$$
#
# The half costs nothing and tidies up unit 3, where the derivative of a square brings a factor 2.
#
# **Worked.** Outputs $(.6, .3)$, targets $(.1, .5)$: the misses are $.5$ and $-.2$, their squares $.25$ and $.04$, so
# $E = \frac12 (.25 + .04) = .145$.
#
# **Question `error-row1`.** Do the same by hand (a calculator is fine) for row 1 of the table: outputs
# $(.8896, .8004)$, targets $(.1, .05)$. Put the number in `E_row1`. Four decimals are enough.

# %% item="error-row1"
E_row1 = None  # a number
### BEGIN SOLUTION
E_row1 = 0.5 * np.sum((A2[0] - Y[0]) ** 2)
### END SOLUTION

# %% [markdown]
# Now for every row of a batch at once. A batch has one example per row, so **each row keeps its own error**: $n$ rows
# in, $n$ numbers out. Nothing is added up or averaged over the rows yet.
#
# **Worked.** `guess` and `wanted` below hold the example from above and a second row, outputs $(.9, .6)$ and targets
# $(1, .5)$. The errors of the two rows are $.145$ and $\frac12 (.01 + .01) = .01$.

# %% given="worked-squares"
guess = np.array([[0.6, 0.3], [0.9, 0.6]])
wanted = np.array([[0.1, 0.5], [1.0, 0.5]])

# %% [markdown]
# **Question `squared-error`.** Write `squared_error(y_hat, y)`: the outputs and the targets, two arrays of shape (n,
# m), in; the n errors out, shape (n,). It must work for any number n of rows and m of outputs. ($\hat y$, read "y hat",
# is the usual name for what a net answers to the target $y$.)


# %% item="squared-error"
def squared_error(y_hat, y):
    """(n, m), (n, m) -> (n,). Half the sum of the squared misses of each row. Source: Kurpasi, RNN-Tutorial, Error."""
    ### BEGIN SOLUTION
    miss = y_hat - y
    return 0.5 * np.sum(miss**2, axis=1)
    ### END SOLUTION


# %% [markdown]
# **Question `error-rows`.** The errors of all six rows of the table, shape (6,), in `E_rows`.

# %% item="error-rows"
E_rows = None  # an array of shape (6,)
### BEGIN SOLUTION
E_rows = squared_error(A2, Y)
### END SOLUTION

# %%
draw_row_errors(A2, Y, E_rows)

# %% [markdown]
# Row 1 is the worst here, and no row is good. Later the course adds these six numbers: the **total error** of a batch
# is the sum over its rows. Unit 4's training run starts from your six bars added up.
#
# ### A misprint
# The slides write the error of row 1 as
#
# $$E = \tfrac12 \left( (.8896 - .1)^2 + (.8004 - .5)^2 \right)$$
#
# Their result after the equals sign agrees with your `E_row1`. The line itself does not: work it out and it gives
# $.3569$. One **target** in the line is misprinted.
#
# **Question `slip-target`.** Which number should stand in its place? Put that number in `slip_target`.

# %% item="slip-target"
slip_target = None  # a number
### BEGIN SOLUTION
slip_target = 0.05
### END SOLUTION

# %% [markdown]
# ## 2. The mean squared error
#
# The slides call $E$ a "mean squared error", but nothing in it is a mean. The name properly belongs to the average of
# **all** squared misses, without the half. Seo's tutorial uses it, and so will unit 5. With rows $r$ and outputs $j$:
#
# $$\mathrm{MSE} = \frac{1}{n\,m} \sum_r \sum_j \left(\hat y_{r,j} - y_{r,j}\right)^2$$
#
# **Worked.** `guess` and `wanted` have four entries with squared misses $.25, .04, .01, .01$. Their mean is
# $.31 / 4 = .0775$. (Half sums per row were $.145$ and $.01$: another number for the same misses. Always ask whether a
# loss is a sum or a mean, and whether it is halved.)
#
# **Question `mean-squared-error`.** Write `mean_squared_error(y_hat, y)`: two arrays of one shape, (n, m) or (n,), in;
# one number out.


# %% item="mean-squared-error"
def mean_squared_error(y_hat, y):
    """(n, m), (n, m) or (n,), (n,) -> number. The mean of all squared misses.

    Source: Seo, Only Numpy: Vanilla RNN, cost function.
    """
    ### BEGIN SOLUTION
    miss = y_hat - y
    return np.mean(miss**2)
    ### END SOLUTION


# %% [markdown]
# ## 3. Softmax: from scores to probabilities
#
# When the answer is one class out of several, the net's last layer gives one **score** $f_j$ for each class $j$: any
# real number. The softmax makes probabilities $p_j$ of them. The exponential makes every score positive, and the
# division makes each row add up to 1. The sum below the fraction line runs over all classes $k$ of the row:
#
# $$p_j = \frac{e^{f_j}}{\sum_k e^{f_k}}$$
#
# **Worked.** Scores $(1, 2, 3)$: exponentials $2.718, 7.389, 20.086$, sum $30.193$, so $p = (.0900, .2447, .6652)$.
#
# The formula has a trap: $e^{1000}$ does not fit into a float64. numpy answers `inf`, and `inf / inf` is `nan`. The way
# out is a law of the softmax: **adding the same number to all scores of a row changes nothing**, because with $q$ for
# that number, the factor $e^q$ stands above and below the fraction line:
#
# $$\frac{e^{f_j + q}}{\sum_k e^{f_k + q}} = \frac{e^q\, e^{f_j}}{e^q \sum_k e^{f_k}} = p_j$$
#
# So you may choose $q$ for each row such that the largest exponent is 0. Then nothing overflows, and at least one term
# of the sum is 1. Scores $(1001, 1002, 1003)$ must give $(.0900, .2447, .6652)$ again.

# %% given="worked-scores"
scores = np.array([[1.0, 2.0, 3.0], [2.0, 0.0, -1.0]])  # two rows, three classes
labels = np.array([2, 1])  # the right class of each row, counted from 0

# %% [markdown]
# **Question `softmax`.** Write `softmax(f)`: scores of n rows and c classes, shape (n, c), or (c,) for one row alone,
# in; probabilities of the same shape out, each row adding up to 1 (the last axis runs over the classes). It must be
# right, **and give no warning**, for scores of $\pm 1000$ too, also when one row is near $+1000$ and another near
# $-1000$.


# %% item="softmax"
def softmax(f):
    """(n, c) -> (n, c) or (c,) -> (c,). Probabilities over the last axis.

    Source: notes to Chen, A Gentle Tutorial of RNN, softmax function.
    """
    ### BEGIN SOLUTION
    shifted = f - np.max(f, axis=-1, keepdims=True)
    exps = np.exp(shifted)
    return exps / np.sum(exps, axis=-1, keepdims=True)
    ### END SOLUTION


# %%
draw_shift(softmax)

# %% [markdown]
# The bars on the left move up and down together, the bars on the right stay where they are. Only the **differences**
# between scores count.
#
# ## 4. Cross-entropy: the price of a surprise
#
# How much should row $i$ of a batch cost? Only the probability $p$ that the net gave to the row's right class is looked
# at. The loss of the row is
#
# $$L_i = -\log p_{i,\,y_i}$$
#
# with the natural logarithm (`np.log`). Here $y_i$ is the **label** of row $i$: the number of its right class, one
# integer, no longer a row of targets. Classes are counted from 0, so a 2 means the third column. Certain and right
# ($p = 1$) costs nothing. Certain and wrong ($p$ near 0) costs without bound. The other classes count only through the
# fact that they all share the same 1.
#
# | $p$ of the right class | .9 | .5 | .1 | .01 |
# |---|---|---|---|---|
# | $-\log p$ | .105 | .693 | 2.303 | 4.605 |
#
# The loss of a batch is the **mean** over its rows. $N$ is the number of rows, the n of the shapes:
#
# $$L = \frac1N \sum_i -\log p_{i,\,y_i}$$
#
# **Worked.** `probs` below has four rows, and the right classes are 0, 2, 0, 1. The net gave them $.7, .6, .2, .25$.
# The rows cost $.3567, .5108, 1.6094, 1.3863$, and the mean is $.9658$.
#
# Many texts write the loss of a row as $-\sum_j y_j \log \hat y_j$, where $\hat y$ are the probabilities and $y$ is a
# row such as $(0, 0, 1)$ with a 1 at the right class ("one-hot"). The zeros strike out all terms but one, so it is the
# same number; the label is the position of that 1, counted from 0.

# %% given="worked-probabilities"
probs = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.2, 0.5, 0.3], [0.25, 0.25, 0.5]])
prob_labels = np.array([0, 2, 0, 1])

# %% [markdown]
# numpy picks one entry from each row when it gets two lists of indices: `probs[[0, 1], [0, 2]]` holds `probs[0, 0]` and
# `probs[1, 2]`.
#
# **Question `cross-entropy`.** Write `cross_entropy(p, labels)`: probabilities (n, c) and integer labels (n,) in, the
# mean loss out, one number.


# %% item="cross-entropy"
def cross_entropy(p, labels):
    """(n, c), (n,) integers -> number. Mean of -log p of each row's label.

    Source: notes to Chen, A Gentle Tutorial of RNN; WildML, loss.
    """
    ### BEGIN SOLUTION
    rows = np.arange(len(labels))
    return -np.mean(np.log(p[rows, labels]))
    ### END SOLUTION


# %%
draw_surprise(cross_entropy)

# %% [markdown]
# ## 5. Cross-entropy straight from the scores
#
# Softmax first and logarithm second works, until a right class gets a very low score. With scores $(1000, 0)$ and right
# class 1 the probability is $e^{-1000}$, which rounds to 0 in float64, and $-\log 0$ is `inf`. The true loss is
# 1000, a perfectly ordinary number. It only got lost on the way.
#
# So do not go that way: put the softmax into the logarithm on paper first. With $y$ as the row's label,
#
# $$-\log \frac{e^{f_y}}{\sum_j e^{f_j}} = \log \sum_j e^{f_j} - f_y ,$$
#
# and keep the remaining sum small with the shift of section 3. With $f_{max}$ as the row's largest score
#
# $$\log \sum_j e^{f_j} = f_{max} + \log \sum_j e^{f_j - f_{max}} .$$
#
# **Worked.** `scores` has the rows $(1, 2, 3)$ and $(2, 0, -1)$, and `labels` says classes 2 and 1. The first row:
# $3 + \log(e^{-2} + e^{-1} + 1) - 3 = \log 1.5032 = .4076$. The second row:
# $2 + \log(1 + e^{-2} + e^{-3}) - 0 = 2 + \log 1.1851 = 2.1698$. The mean is $1.2887$.
#
# **Question `cross-entropy-logits`.** Write `cross_entropy_from_logits(f, labels)`: scores (n, c), integer labels (n,)
# in, the mean loss out. The loss must stay finite and right for scores of $\pm 1000$, whichever class is the right one.
# ("Logits" is the usual word for the scores that go into a softmax.)


# %% item="cross-entropy-logits"
def cross_entropy_from_logits(f, labels):
    """(n, c), (n,) integers -> number. Mean cross-entropy of softmax(f).

    Source: notes to Chen, A Gentle Tutorial of RNN, loss of one example.
    """
    ### BEGIN SOLUTION
    rows = np.arange(len(labels))
    shifted = f - np.max(f, axis=1, keepdims=True)
    log_sums = np.log(np.sum(np.exp(shifted), axis=1))
    return np.mean(log_sums - shifted[rows, labels])
    ### END SOLUTION


# %% [markdown]
# ## 6. The loss of a sequence
#
# A recurrent net (units 6 and 7) reads a sequence, such as a word, step by step. At every step $t$ it answers with a
# row of probabilities $\hat y_t$, and at every step there is a right answer, $\text{target}_t$, the number of a class.
# Along the sequence the losses are **summed**, not averaged:
#
# $$L_{total} = -\sum_t \log \hat y_t[\text{target}_t]$$
#
# (The slides write $y_t \log \hat y$ in their total, without the $t$ at $\hat y$. Each step needs its own $\hat y_t$.)
#
# **Worked.** The letters h, e, l, o have the numbers 0, 1, 2, 3. After "h", "e", "l" the net should say "e", "l", "l",
# so the targets are 1, 2, 2. `step_probs` gives them $.6, .5, .4$, and the loss is $.5108 + .6931 + .9163 = 2.1203$.

# %% given="worked-sequence"
step_probs = np.array([[0.1, 0.6, 0.2, 0.1], [0.2, 0.1, 0.5, 0.2], [0.1, 0.1, 0.4, 0.4]])  # one row a step
step_targets = np.array([1, 2, 2])

# %% [markdown]
# **Question `sequence-loss`.** Write `sequence_loss(p, targets)`: probabilities (T, V), one row for each of T steps and
# one column for each of V letters, and integer targets (T,) in; one number out.


# %% item="sequence-loss"
def sequence_loss(p, targets):
    """(T, V), (T,) integers -> number. Sum over the steps of -log p of the step's target.

    Source: Kurpasi, RNN-Tutorial, L_total.
    """
    ### BEGIN SOLUTION
    steps = np.arange(len(targets))
    return -np.sum(np.log(p[steps, targets]))
    ### END SOLUTION


# %% [markdown]
# ## 7. A price on large weights
#
# Large weights let a net bend sharply around single examples. A **penalty** makes them expensive: the squares of all
# weights, added up, times half a small number $\lambda$ that says how much we care. With $k$ for the rows and $l$ for
# the columns of each weight matrix $W$ of the net:
#
# $$R = \frac{\lambda}{2} \sum_{W} \sum_k \sum_l W_{k,l}^2$$
#
# (The notes print $W_{k,1}$, with a one in place of the letter $l$. The sum runs over both indices, so every entry
# counts.) Biases are left out: they move a neuron's threshold and do not make anything steeper.
#
# The small net below has two weight matrices, in WildML's layout: rows times matrix plus bias. A bias is an array of
# its own, not row 0 of the matrix as in `w1` and `w2`.

# %% given="worked-net"
net = {
    "W1": np.array([[1.0, -1.0, 0.5], [0.5, 1.0, -1.0]]),  # (2, 3)
    "b1": np.array([[0.1, -0.2, 0.3]]),  # (1, 3)
    "W2": np.array([[1.0, -1.0], [-0.5, 0.5], [0.5, 1.0]]),  # (3, 2)
    "b2": np.array([[0.1, -0.1]]),  # (1, 2)
}
points = np.array([[1.0, 0.5], [-0.5, 1.0], [1.5, -0.5], [-1.0, 0.0]])  # four examples
classes = np.array([0, 1, 0, 1])
net_scores = np.array([[1.4219, -0.9849], [-0.6011, -0.5086], [1.9188, -0.5481], [-1.0470, 0.7509]])  # z2 for them
lam = 0.1

# %% [markdown]
# **Worked.** The squares in `net["W1"]` add up to $4.5$, those in `net["W2"]` to $3.75$. With $\lambda = .1$ the
# penalty is $.05 \cdot 8.25 = .4125$.
#
# **Question `l2-penalty`.** Write `l2_penalty(weights, lam)`: a list of weight matrices of any shapes (no biases in it)
# and a number in, a number out.


# %% item="l2-penalty"
def l2_penalty(weights, lam):
    """List of matrices, number -> number. Half of lam times all squared weights.

    Source: notes to Chen, A Gentle Tutorial of RNN, regularization.
    """
    ### BEGIN SOLUTION
    return lam / 2 * sum(np.sum(W**2) for W in weights)
    ### END SOLUTION


# %% [markdown]
# ### The penalty outside the 1/N
# The notes add the penalty to the mean loss of the rows, the **data loss**:
#
# $$L = \underbrace{\frac1N \sum_i L_i}_{\text{data loss}}
# + \underbrace{\frac{\lambda}{2} \sum_W \sum_k \sum_l W_{k,l}^2}_{\text{penalty}}$$
#
# **Worked.** For the four `points` the small net has the scores `net_scores`. The four rows cost
# $.0863, .6480, .0814, .1533$ and the data loss is their mean, $.2422$. With the penalty: $.2422 + .4125 = .6547$.
#
# **Question `regularized-loss`.** Write `regularized_loss(f, labels, weights, lam)`: scores (n, c), integer labels
# (n,), a list of weight matrices and a number in; a number out. Use what you have.


# %% item="regularized-loss"
def regularized_loss(f, labels, weights, lam):
    """(n, c), (n,), list of matrices, number -> number. Mean data loss plus penalty.

    Source: notes to Chen, A Gentle Tutorial of RNN, batch loss.
    """
    ### BEGIN SOLUTION
    data_loss = cross_entropy_from_logits(f, labels)
    return data_loss + l2_penalty(weights, lam)
    ### END SOLUTION


# %% [markdown]
# ### The penalty inside the 1/N
# WildML adds the penalty to the **summed** loss of the rows and then divides all of it by $N$:
#
# $$L = \frac1N \Big( \sum_i -\log \hat y_{i,\,y_i}
# + \frac{\lambda}{2} \big( \textstyle\sum W_1^2 + \sum W_2^2 \big) \Big)$$
#
# A reader of WildML asks there whether the penalty should not stand outside. Both are in use; they are different losses
# with the same name, and $\lambda = .01$ means something else in each. What matters is to know which one you have: unit
# 8 trains with WildML's.
#
# WildML's net has a hidden layer with tanh (`np.tanh`), a function like the sigmoid but from -1 to 1. From a row $x$ it
# computes its scores $z_2$ in three steps, and softmax makes the probabilities $\hat y$ of them: $z_1 = x W_1 + b_1$,
# $\; a_1 = \tanh(z_1)$, $\; z_2 = a_1 W_2 + b_2$, $\; \hat y = \mathrm{softmax}(z_2)$.
#
# **Worked.** The same four `points`, the same net and $\lambda = .1$: $.2422 + .4125 / 4 = .3454$.
#
# **Question `wildml-loss`.** Write `calculate_loss(model, X, y, reg_lambda)`: a dict with the keys `"W1"` (d, h),
# `"b1"` (1, h), `"W2"` (h, c), `"b2"` (1, c), rows `X` (n, d), integer labels `y` (n,) and a number in; a number out.
# $N$ is the number of rows of the `X` that is passed in.


# %% item="wildml-loss"
def calculate_loss(model, X, y, reg_lambda):
    """dict, (n, d), (n,), number -> number. Data loss and penalty, both over N.

    Source: WildML, implementing a neural network from scratch, calculate_loss.
    """
    ### BEGIN SOLUTION
    a1 = np.tanh(X @ model["W1"] + model["b1"])
    z2 = a1 @ model["W2"] + model["b2"]
    data_loss = cross_entropy_from_logits(z2, y)
    penalty = l2_penalty([model["W1"], model["W2"]], reg_lambda)
    return data_loss + penalty / len(X)
    ### END SOLUTION


# %% [markdown]
# What does the place of the penalty change? Repeat the same four rows again and again. The data loss is a mean and
# stays. So does a penalty outside the $1/N$. A penalty inside fades as $N$ grows: with 200 rows it weighs a fiftieth of
# what it weighed with 4.

# %%
draw_penalty(regularized_loss, calculate_loss, net, points, classes, net_scores, lam)

# %% [markdown]
# ## What you have learnt
#
# | loss | half? | over the outputs | over the rows or steps | used in |
# |---|---|---|---|---|
# | squared error $E$ | yes | sum | one per row, then summed | units 3, 4 |
# | mean squared error | no | mean | mean | unit 5 |
# | cross-entropy | no | the right class only | mean | units 3, 8, 9 |
# | sequence loss | no | the right class only | sum | units 6, 7 |
# | penalty | yes | every weight, no bias | outside or inside the $1/N$ | units 8, 9 |
#
# - "Loss" names a family. Before you compare two numbers, ask: half or not, sum or mean, penalty inside or outside?
# - Softmax sees only differences of scores, so shift each row by its largest score before the exponential.
# - Take the logarithm on paper, not of a rounded probability: from the scores, $\log\sum_j e^{f_j} - f_y$.
#
# Next, unit 3: how does $E$ change when one weight changes a little?
