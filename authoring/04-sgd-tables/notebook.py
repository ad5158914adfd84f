# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Unit 4: gradient descent, table by table
#
# Unit 3 told you, for one example, which way each weight should move. In this unit the weights do move: you fill the
# tables of the first update, find the misprints in a published one, and then let a loop train the net until its
# error is almost gone.
#
# **You need:** units 1 to 3, above all your own `mlp_gradients` of unit 3.
#
# **Afterwards you can**
#
# - turn the gradients of single examples into one update of all weights,
# - check a printed table of new weights against the rule that made it,
# - tell a batch step from online learning, and avoid the commonest slip in both,
# - write a training loop and read its error curve.
#
# **Time:** about 100 minutes.
#
# Under each question stands a test cell, `check(...)`. Run it as often as you like: it tells you at once how it went,
# but for `update_table` and `errors`, which are looked at when your work is graded; for these two, the table or picture
# below them shows it. Numbers typed by hand count when they are right within .0001 (sums of several rows: within
# .0005). Grading calls your functions with fresh numbers, other ones for each student.
#
# The data, the tables and the misprints come from Grady Kurpasi's slides "RNN-Tutorial"; below they are just "the
# slides".

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
x, y = X[0], Y[0]  # "row 1"
alpha = 0.01  # the learning rate of the worked tables
printed_w2_star = np.array([[0.4966, 0.0039], [0.4971, 0.0038], [0.0021, 0.0004]])  # as the slides print it


def sigmoid(z):
    """(...) -> (...). The logistic function, for the moderate sums of this unit."""
    return 1 / (1 + np.exp(-np.asarray(z)))


def with_bias(x):
    """(d,) -> (d+1,) or (n, d) -> (n, d+1). A leading 1 for every example."""
    return np.insert(np.asarray(x, dtype=float), 0, 1, axis=-1)


# %% given="drawing" hidden=true
BLUE, ORANGE, GREY, INK = "#2c6fb3", "#d9822b", "#b5b5b5", "#333333"
W1_NAMES = [f"w1[{i}, {k}]" for i, k in np.ndindex(w1.shape)]
W2_NAMES = [f"w2[{k}, {j}]" for k, j in np.ndindex(w2.shape)]


def as_array(answer, shape):
    """An answer as an array of that shape, None where it is not one yet."""
    try:
        array = np.asarray(answer, dtype=float)
    except (TypeError, ValueError):
        return None
    return array if array.shape == shape and np.isfinite(array).all() else None


def draw_rows(c1_rows, c2_rows):
    """The 14 gradients of each of the six rows, as a coloured table."""
    c1, c2 = as_array(c1_rows, (6, 4, 2)), as_array(c2_rows, (6, 3, 2))
    if c1 is None or c2 is None:
        print("Nothing to draw yet: answer the item above, then run this again.")
        return
    table = np.hstack([c1.reshape(6, 8), c2.reshape(6, 6)])
    figure, axes = plt.subplots(figsize=(12, 4.2))
    limit = np.abs(table).max()
    image = axes.imshow(table, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto")
    for (row, column), number in np.ndenumerate(table):
        colour = "white" if abs(number) > 0.6 * limit else INK
        axes.text(column, row, f"{number:.4f}", ha="center", va="center", fontsize=9, color=colour)
    axes.axvline(7.5, color=INK, linewidth=1.5)
    axes.set_xticks(range(14), W1_NAMES + W2_NAMES, rotation=40, ha="right")
    axes.set_yticks(range(6), [f"row {r}" for r in range(1, 7)])
    axes.set_title("gradient of each row's error, weight by weight (red: the weight should fall, blue: rise)")
    axes.tick_params(length=0)
    figure.colorbar(image, ax=axes, pad=0.015)
    figure.subplots_adjust(left=0.05, right=0.99, bottom=0.16, top=0.91)
    plt.show()


def draw_changes(w1_star, w2_star):
    """How far each of the 14 weights moves in the first update."""
    new1, new2 = as_array(w1_star, w1.shape), as_array(w2_star, w2.shape)
    if new1 is None or new2 is None:
        print("Nothing to draw yet: answer `w1_star` and `w2_star` above, then run this again.")
        return
    changes = np.concatenate([(new1 - w1).ravel(), (new2 - w2).ravel()])
    figure, axes = plt.subplots(figsize=(11, 4))
    bars = axes.bar(range(14), changes, color=[BLUE] * 8 + [ORANGE] * 6, width=0.7)
    axes.bar_label(bars, [f"{change:+.4f}" for change in changes], fontsize=9, padding=3, color=INK)
    axes.axhline(0, color=INK, linewidth=1)
    axes.set_xticks(range(14), W1_NAMES + W2_NAMES, rotation=40, ha="right")
    axes.set(ylabel="new weight less old weight", title="what one update does to each weight")
    axes.margins(y=0.15)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend([bars[0], bars[-1]], ["first layer", "second layer"], frameon=False)
    figure.subplots_adjust(left=0.09, right=0.99, bottom=0.18, top=0.91)
    plt.show()


def show_table(update_table):
    """The update table with colours: one line for each weight."""
    wanted = ["layer", "row", "column", "w", "c", "w_star"]
    if not isinstance(update_table, pd.DataFrame) or not set(wanted) <= set(update_table.columns):
        print(f"No table yet: `update_table` should be a DataFrame with the columns {', '.join(wanted)}.")
        return None
    table = update_table[wanted].apply(pd.to_numeric, errors="coerce")
    table = table.sort_values(["layer", "row", "column"]).reset_index(drop=True)
    table["change"] = table["w_star"] - table["w"]
    limits = {name: float(table[name].abs().max()) for name in ("c", "change")}
    styled = table.style.hide(axis="index").set_uuid("update").set_caption("one update, weight by weight")
    for name, limit in limits.items():
        styled = styled.background_gradient("RdBu_r", subset=[name], vmin=-1.4 * limit, vmax=1.4 * limit)
    styled = styled.format(dict.fromkeys(("w", "c", "w_star"), "{:.4f}") | {"change": "{:+.4f}"})
    looks = [("text-align", "right"), ("padding", "0.25em 0.9em")]
    return styled.set_table_styles([{"selector": "th, td", "props": looks}])


def draw_paths(batch_step, online_epoch, rate=1.0):
    """Two weights on their way through one pass: row by row, and in one batch step."""
    places = [(w1[1, 0], w1[2, 0])]
    try:
        for r in range(1, 7):
            new1, _ = online_epoch(X[:r], Y[:r], w1.copy(), w2.copy(), rate)
            places.append((new1[1, 0], new1[2, 0]))
        batch1, _ = batch_step(X, Y, w1.copy(), w2.copy(), rate)
        goal = (float(batch1[1, 0]), float(batch1[2, 0]))
        path = np.array(places, dtype=float)
    except (TypeError, ValueError, NameError, IndexError):
        print("Nothing to draw yet: answer `batch_step` and `online_epoch` above, then run this again.")
        return
    _, axes = plt.subplots(figsize=(8.5, 5))
    looks = {"arrowstyle": "-|>", "linewidth": 2, "mutation_scale": 16, "shrinkA": 0, "shrinkB": 3}
    axes.annotate("", goal, path[0], arrowprops={**looks, "color": ORANGE})
    for r in range(6):
        axes.plot(*path[r : r + 2].T, color=BLUE, linewidth=2)
        if np.hypot(*(path[r + 1] - path[r])) > 0.05:  # the very short steps need no head and no name
            axes.annotate("", path[r + 1], path[r], arrowprops={**looks, "color": BLUE})
            middle = (path[r] + path[r + 1]) / 2
            axes.annotate(f"row {r + 1}", middle, (7, 7), textcoords="offset points", fontsize=9, color=BLUE)
    axes.plot(*path.T, "o", color=BLUE, markersize=4, label="online: one step after each row")
    axes.plot(*goal, "o", color=ORANGE, markersize=7, label="batch: one step for all rows")
    axes.plot(*path[0], "o", color=INK, markersize=8)
    axes.annotate("start", path[0], (8, -14), textcoords="offset points", color=INK)
    axes.set(xlabel="w1[1, 0]", ylabel="w1[2, 0]", title=f"one pass over the six rows, learning rate {rate:g}")
    axes.margins(0.12)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    plt.show()


def draw_errors(errors):
    """The error curve of a training run, once as it is and once on a logarithmic scale."""
    try:
        curve = np.asarray([] if errors is None else errors, dtype=float).ravel()
    except (TypeError, ValueError):
        curve = np.array([])
    if curve.size < 2 or not np.isfinite(curve).all():
        print("Nothing to draw yet: answer the item above, then run this again.")
        return
    figure, (left, right) = plt.subplots(1, 2, figsize=(11.5, 4))
    first = min(60, curve.size)
    left.plot(range(first), curve[:first], color=BLUE, linewidth=2)
    left.plot(0, curve[0], "o", color=ORANGE)
    left.annotate(f"start {curve[0]:.5f}", (0, curve[0]), (10, 0), textcoords="offset points", color=INK)
    left.set(xlabel="epoch", ylabel="total error E", title=f"the first {first - 1} epochs", ylim=(0, None))
    right.semilogy(np.maximum(curve, 1e-300), color=BLUE, linewidth=2)
    right.axhline(1e-4, color=GREY, linestyle="--", linewidth=1)
    right.text(curve.size * 0.02, 0.9e-4, "the bound, .0001", color=INK, fontsize=9, va="top")
    right.plot(curve.size - 1, max(curve[-1], 1e-300), "o", color=ORANGE)
    right.annotate(
        f"end {curve[-1]:.2g}",
        (curve.size - 1, max(curve[-1], 1e-300)),
        (-4, 12),
        textcoords="offset points",
        ha="right",
        color=INK,
    )
    right.yaxis.set_major_formatter("{x:g}")  # a formula at each tick is slow to draw
    right.set(xlabel="epoch", title="all of them, logarithmic")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.subplots_adjust(left=0.06, right=0.99, bottom=0.15, top=0.91, wspace=0.11)
    plt.show()


# %% [markdown]
# ## Where a weight stands
#
# A weight's column says which unit it leads to, its row where it comes from. Row 0 holds the biases, so everything else
# stands one row further down: what leads from the first hidden unit, `a1[0]`, is `w2[1]`.
#
# | weight | leads from | to |
# |---|---|---|
# | `w1[0, k]` | the constant 1 (bias) | hidden unit `k` |
# | `w1[i + 1, k]` | input `x[i]` | hidden unit `k` |
# | `w2[0, j]` | the constant 1 (bias) | output `j` |
# | `w2[k + 1, j]` | hidden unit `k` | output `j` |
#
# A gradient table has the shape of the weights that it belongs to: `c1` is (4, 2), `c2` is (3, 2).
#
# In this unit all indices in brackets are numpy's and count from 0, in formulas too. The slides count columns and
# examples from 1 (rows of weights from 0, because of the biases). One thing we count as they do: "row 1" to "row 6",
# without brackets, are the six examples.
#
# | on the slides | here |
# |---|---|
# | $w_2[0,1]$, $w_2[0,2]$ | `w2[0, 0]`, `w2[0, 1]` |
# | $c_1[3,2]$ | `c1[3, 1]` |
# | $r = 1$, $r = 4$ | row 1 is `X[0]`, row 4 is `X[3]` |

# %% [markdown]
# ## 1. One gradient table a row
#
# Each row of `X` has an error of its own, and so a gradient table of its own. All six are taken at the *same* weights,
# those of the start; nothing moves yet. This is unit 3's backward pass, with indices from 0. First the deltas, one for
# each output $j$ and one for each hidden unit $k$. The bias row of `w2` has no part in $\delta_1$, hence the $k + 1$:
#
# $$\delta_2[j] = (a_2[j] - y[j])\; a_2[j]\,(1 - a_2[j]) \qquad
# \delta_1[k] = \Big(\sum_j w_2[k + 1, j]\; \delta_2[j]\Big)\; a_1[k]\,(1 - a_1[k])$$
#
# Then the tables: what comes in times the delta. What comes in has its leading 1 again, $\tilde x = (1, x)$ and
# $\tilde a_1 = (1, a_1)$, so that row $i$ of a table belongs to row $i$ of the weights:
#
# $$c_2[i, j] = \tilde a_1[i]\; \delta_2[j] \qquad c_1[i, k] = \tilde x[i]\; \delta_1[k]$$
#
# Row 2, $x = (.1, -5, 3)$, has $a_2 = (.8113, .7423)$ and $y = (.1221, .0964)$. So $\delta_2 = (.1055, .1236)$ and
# $\delta_1 = (.0405, .0262)$. In its table `c1[2, 0]` is $\tilde x[2]\,\delta_1[0] = -5 \cdot .0405 = -.2024$, and
# `c2[0, 0]` is $\tilde a_1[0]\,\delta_2[0] = 1 \cdot .1055 = .1055$.
#
# **Question.** What are the tables of all six rows? `c1_rows` has shape `(6, 4, 2)` and `c2_rows` has shape
# `(6, 3, 2)`; `c1_rows[0]` belongs to `X[0]`, and so on. These are 84 numbers, so let code work them out: paste your
# `mlp_gradients(x, y, w1, w2)` of unit 3 into this cell, with the functions of yours that it calls, such as
# `sigmoid_prime` (or write it again; `sigmoid` and `with_bias` are given above). Call it for each row and stack the
# results. Later sections use it too.

# %% item="row-gradients"
c1_rows = None  # (6, 4, 2): dE/dw1 of each row
c2_rows = None  # (6, 3, 2): dE/dw2 of each row


### BEGIN SOLUTION
def mlp_gradients(x, y, w1, w2):
    """(d,), (m,), (d+1, h), (h+1, m) -> c1, c2 of the shapes of w1 and w2. The gradients of one row's error."""
    a0 = with_bias(x)
    a1 = with_bias(sigmoid(a0 @ w1))
    a2 = sigmoid(a1 @ w2)
    d_s2 = (a2 - y) * a2 * (1 - a2)
    d_s1 = w2[1:] @ d_s2 * a1[1:] * (1 - a1[1:])
    return np.outer(a0, d_s1), np.outer(a1, d_s2)


of_rows = [mlp_gradients(X[r], Y[r], w1, w2) for r in range(6)]
c1_rows = np.array([c1 for c1, _ in of_rows])
c2_rows = np.array([c2 for _, c2 in of_rows])
### END SOLUTION

# %% [markdown]
# Read the picture column by column: a column is one weight. Which rows pull hardest at the first layer? Row 4 hardly
# pulls at all: its large inputs drive both hidden units to the flat end of the sigmoid, where hardly any error is
# passed on.

# %%
draw_rows(c1_rows, c2_rows)

# %% [markdown]
# ## 2. Add up the rows
#
# One step should serve several rows at once. The error of several rows is the *sum* of their errors, and the gradient
# of a sum is the sum of the gradients. With $c^{(r)}$ for the table of row $r$, it is, cell by cell:
#
# $$c[i, j] = \sum_{r} c^{(r)}[i, j]$$
#
# For `w2[0, 0]`, rows 1 to 4: $.0776 + .1055 + .0847 + .0769 = .3447$. It is a sum, not a mean.
#
# The slides' data has six rows, and a bracket beside it spans $r = 1$ to $r = 4$. Their tables are the sums of these
# **four**; nothing in print says so, but recalculating shows it.
#
# **Question.** What are the sums over rows 1 to 4? `c1_sum4` has shape `(4, 2)`, `c2_sum4` has shape `(3, 2)`.

# %% item="gradient-sum-4"
c1_sum4 = None  # (4, 2): the sum over rows 1 to 4
c2_sum4 = None  # (3, 2)
### BEGIN SOLUTION
c1_sum4 = c1_rows[:4].sum(axis=0)
c2_sum4 = c2_rows[:4].sum(axis=0)
### END SOLUTION

# %% [markdown]
# On the slides the third line of the first table reads `2929` and `1658`: point and minus sign got lost in print.
# Compare with your `c1_sum4[2]`. Which way would these weights go without the minus sign?
#
# **Question.** And the sums over all six rows? `c1_sum6` is `(4, 2)`, `c2_sum6` is `(3, 2)`.

# %% item="gradient-sum-6"
c1_sum6 = None  # (4, 2): the sum over all six rows
c2_sum6 = None  # (3, 2)
### BEGIN SOLUTION
c1_sum6 = c1_rows.sum(axis=0)
c2_sum6 = c2_rows.sum(axis=0)
### END SOLUTION

# %% [markdown]
# ## 3. The first update
#
# A positive gradient says: the error grows when this weight grows. So the weight goes the other way, by a small
# multiple of the gradient. The factor $\alpha$ is the **learning rate**, here .01:
#
# $$w^* = w - \alpha\, c$$
#
# For `w2[0, 0]`: $.5 - .01 \cdot .3447 = .4966$. A weight with a negative gradient grows.
#
# **Question.** What is the first layer after one update with the sums over rows 1 to 4? `w1_star` is `(4, 2)`; four
# decimals or more.

# %% item="w1-star"
w1_star = None  # (4, 2): w1 after the update, rows 1 to 4, alpha .01
### BEGIN SOLUTION
w1_star = w1 - alpha * c1_sum4
### END SOLUTION

# %% [markdown]
# **Question.** And the second layer? `w2_star` is `(3, 2)`, with the same rows and the same rate. Work it out before
# you look at the printed table in the next section.

# %% item="w2-star"
w2_star = None  # (3, 2): w2 after the update, rows 1 to 4, alpha .01
### BEGIN SOLUTION
w2_star = w2 - alpha * c2_sum4
### END SOLUTION

# %% [markdown]
# The weights themselves hardly change, which is why a table of new weights can be badly wrong and still look fine.
# Look at the *changes*.

# %%
draw_changes(w1_star, w2_star)

# %% [markdown]
# ## 4. A printed table, checked
#
# This is $w_2^*$ as the slides print it. Their rule, old weights and sums of the second layer's gradients are all
# right; most of the new weights are not. A step with $\alpha = .01$ moves a weight by exactly a hundredth of its
# gradient, so with gradients below 1 a new weight far from the old one cannot be right.

# %%
pd.DataFrame(printed_w2_star, index=["row 0", "row 1", "row 2"], columns=["column 0", "column 1"])

# %% [markdown]
# **Question.** Which cells are wrong by more than .001? `wrong_cells` is a set of pairs `(row, column)`, counted from
# 0: the table's upper right cell is `(0, 1)`. A set of two pairs, of a larger table, is written `{(4, 3), (5, 0)}`.

# %% item="wrong-cells"
wrong_cells = None  # a set of pairs (row, column)
### BEGIN SOLUTION
wrong_cells = {(k, j) for k in range(3) for j in range(2) if abs(w2_star[k, j] - printed_w2_star[k, j]) > 0.001}
### END SOLUTION

# %% [markdown]
# Now a table of your own, with everything in sight. The line of `w2[0, 0]` is
#
# | layer | row | column | w | c | w_star |
# |---|---|---|---|---|---|
# | 2 | 0 | 0 | .5 | .3447 | .4966 |
#
# **Question.** Make `update_table`, a DataFrame with these six columns and one line for each of the 14 weights: layer 1
# or 2, the weight's numpy indices `row` and `column`, the old weight `w`, the sum `c` over rows 1 to 4, and the new
# weight `w_star`. The order of lines and columns does not matter. All six are columns, none is the index. The test cell
# does not judge it; the cell below it shows it with colours.

# %% item="update-table"
update_table = None  # a DataFrame: layer, row, column, w, c, w_star; 14 lines
### BEGIN SOLUTION
update_table = pd.DataFrame(
    [
        {"layer": layer, "row": i, "column": k, "w": w[i, k], "c": c[i, k], "w_star": new[i, k]}
        for layer, w, c, new in [(1, w1, c1_sum4, w1_star), (2, w2, c2_sum4, w2_star)]
        for i, k in np.ndindex(w.shape)
    ]
)
### END SOLUTION

# %% [markdown]
# Is it right? Each change should have the opposite sign of its `c` and a hundredth of its size.

# %%
show_table(update_table)

# %% [markdown]
# ## 5. A batch step as a function
#
# The same for any data and any net: gradients of all rows at the weights as they are, summed, one step. With all
# six rows and $\alpha = .1$, `w2[0, 0]` goes from .5 to $.5 - .1 \cdot .5188 = .4481$.
#
# **Question.** Write `batch_step(X, Y, w1, w2, alpha)` -> the tuple `w1, w2` of new weights, for any number n of
# examples, d of inputs, h of hidden units and m of outputs: `X` is `(n, d)`, `Y` is `(n, m)`, `w1` is `(d+1, h)`, `w2`
# is `(h+1, m)`. The arguments stay as they are: `w1 -= ...` would change the caller's weights, `w1 = w1 - ...` does
# not. You may use your `mlp_gradients`.


# %% item="batch-step"
def batch_step(X, Y, w1, w2, alpha):
    """(n, d), (n, m), (d+1, h), (h+1, m), number -> w1, w2. One step along the summed gradient of all rows.

    Source: Kurpasi, RNN-Tutorial, optimizer.
    """
    ### BEGIN SOLUTION
    gradients = [mlp_gradients(x, y, w1, w2) for x, y in zip(X, Y, strict=True)]
    c1 = sum(c1 for c1, _ in gradients)
    c2 = sum(c2 for _, c2 in gradients)
    return w1 - alpha * c1, w2 - alpha * c2
    ### END SOLUTION


# %% [markdown]
# ## 6. Online: a step after every row
#
# The slides call their update *stochastic* gradient descent. That name belongs to another procedure: take one row,
# step at once, and take the next row's gradient at the **new** weights. A pass over all rows is an **epoch**. What
# you did above is a batch step.
#
# For `w2[0, 0]` with $\alpha = .01$: after row 1 it is $.5 - .01 \cdot .0776 = .499224$, and row 2 already sees this
# weight. After six rows it is .494789; the batch step on the same six rows gives .494812. Close, but not the same.
#
# **Question.** Write `online_epoch(X, Y, w1, w2, alpha)` -> `w1, w2` after one pass, one update after each row, from
# the first row to the last. Shapes as in `batch_step`.


# %% item="online-epoch"
def online_epoch(X, Y, w1, w2, alpha):
    """(n, d), (n, m), (d+1, h), (h+1, m), number -> w1, w2. One update after each row, in the order of the rows.

    Source: Kurpasi, RNN-Tutorial, optimizer (the procedure that its heading names).
    """
    ### BEGIN SOLUTION
    for x, y in zip(X, Y, strict=True):
        c1, c2 = mlp_gradients(x, y, w1, w2)
        w1, w2 = w1 - alpha * c1, w2 - alpha * c2
    return w1, w2
    ### END SOLUTION


# %% [markdown]
# With a rate a hundred times as large, $\alpha = 1$, the two ways part visibly. Here are two of the first layer's
# weights. The online path bends, because every row steers from where the last one left off.

# %%
draw_paths(batch_step, online_epoch)

# %% [markdown]
# Which of the two is better off afterwards? The measure is the **total error**, the sum over the six rows of
#
# $$E = \tfrac12 \sum_j (a_2[j] - y[j])^2$$
#
# It is 3.24545 before the first step; unit 2's `squared_error`, summed, gives it.
#
# **Question.** Start from the given `w1`, `w2` with $\alpha = .01$ and all six rows. Which leaves the smaller total
# error, one batch step or one online epoch? `online_vs_batch` is `"online"` or `"batch"`.

# %% item="online-vs-batch"
online_vs_batch = None  # "online" or "batch"


### BEGIN SOLUTION
def error_with(w1, w2):
    return 0.5 * np.sum((sigmoid(with_bias(sigmoid(with_bias(X) @ w1)) @ w2) - Y) ** 2)


after_online = error_with(*online_epoch(X, Y, w1, w2, alpha))
after_batch = error_with(*batch_step(X, Y, w1, w2, alpha))
online_vs_batch = "online" if after_online < after_batch else "batch"
### END SOLUTION

# %% [markdown]
# ## 7. All weights at once
#
# One trap is left. The hidden layer's $\delta_1$ passes the error back through `w2`. If the code has already
# overwritten `w2`, the error travels through weights that did not make it.
#
# Row 2 once more, with $\alpha = 1$ so that it shows. Its $\delta_2$ is $(.1055, .1236)$ as before.
#
# | second layer used | `w2[1]`, from hidden unit 0 | error that reaches hidden unit 0 | new `w1[2, 0]` |
# |---|---|---|---|
# | old, as it should be | (.7, .8) | $.7 \cdot .1055 + .8 \cdot .1236 = .1727$ | .5024 |
# | new | (.6341, .7228) | $.6341 \cdot .1055 + .7228 \cdot .1236 = .1562$ | .4831 |
#
# **Question.** Write `simultaneous_step(x, y, w1, w2, alpha)` -> `w1, w2` for one example: `x` is `(d,)`, `y` is
# `(m,)`. Every gradient is taken at the old weights, then both layers step.


# %% item="simultaneous"
def simultaneous_step(x, y, w1, w2, alpha):
    """(d,), (m,), (d+1, h), (h+1, m), number -> w1, w2. One row's step, both layers from the old weights.

    Source: Kurpasi, RNN-Tutorial, backpropagation and optimizer.
    """
    ### BEGIN SOLUTION
    c1, c2 = mlp_gradients(x, y, w1, w2)
    return w1 - alpha * c1, w2 - alpha * c2
    ### END SOLUTION


# %% [markdown]
# ## 8. The training loop
#
# One batch step with $\alpha = .01$ moved the total error from 3.2455 to about 3.218. Training is the same step, over
# and over, with a record of the total error: once before the first step, then after every step. An epoch is one pass
# over all rows, which here is one batch step. So `epochs` steps give `epochs + 1` records.
#
# With all six rows and $\alpha = .1$ the record begins 3.24545, 2.95326.
#
# **Question.** Write `train(X, Y, w1, w2, alpha, epochs)` -> `w1, w2, errors`: the weights after `epochs` batch steps,
# and the total errors, `(epochs + 1,)`. With `epochs = 0` the weights come back as they are and `errors` holds one
# number.


# %% item="training-loop"
def train(X, Y, w1, w2, alpha, epochs):
    """(n, d), (n, m), (d+1, h), (h+1, m), number, int -> w1, w2, errors (epochs+1,). Batch steps with a record of E.

    Source: Kurpasi, RNN-Tutorial, error and optimizer.
    """

    ### BEGIN SOLUTION
    def total_error(w1, w2):
        a2 = sigmoid(with_bias(sigmoid(with_bias(X) @ w1)) @ w2)
        return 0.5 * np.sum((a2 - Y) ** 2)

    errors = [total_error(w1, w2)]
    for _ in range(epochs):
        w1, w2 = batch_step(X, Y, w1, w2, alpha)
        errors.append(total_error(w1, w2))
    return w1, w2, np.array(errors)
    ### END SOLUTION


# %% [markdown]
# ## 9. Train the net
#
# **Question.** Train on all six rows from the given `w1` and `w2`, 2000 epochs at $\alpha = .1$ (not .01). `errors` is
# the record, shape `(2001,)`; it should end below .0001. It takes about a second. The test cell does not judge it; the
# picture below it shows how it went. When graded, every one of the 2001 numbers is compared with the run's.

# %% item="training-run"
errors = None  # (2001,): total error before the first and after every one of the 2000 batch steps, alpha .1
### BEGIN SOLUTION
_, _, errors = train(X, Y, w1, w2, 0.1, 2000)
### END SOLUTION

# %% [markdown]
# Most of the work is done in the first fifty epochs. After that the outputs sit close to their targets, the error
# signals are small, and so are the steps: the logarithmic picture shows a long, ever flatter tail.

# %%
draw_errors(errors)

# %% [markdown]
# ## What you know now
#
# - The gradient of several rows is the sum of the rows' gradients; one batch step is $w - \alpha c$ with that sum.
# - Check an update by its *changes*: opposite sign of the gradient, $\alpha$ times its size. New weights alone hide
#   mistakes.
# - A batch step takes all gradients at the same weights. Online learning steps after each row, so order counts.
# - Within one step, all gradients come first and all updates after; `w2` must not change before $\delta_1$ is there.
# - A training loop is a step in a loop with a record. The record, on a logarithmic scale, tells how it went.
#
# So far each example stood alone. In unit 5 the input is a sequence, and the same weight is used at every step of it.
