# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Unit 5: a recurrent net that counts
#
# So far every example was a row of numbers, read all at once. A **recurrent** net reads a sequence, one number at a
# time, and keeps a state. Here it has only two weights, so you can follow every number by hand, and yet everything
# that makes recurrent nets hard is already there. Its task: count the ones in a row of bits.
#
# **It assumes** the chain rule and gradient descent (units 3 and 4), and the rule that a value which is used in several
# places gets the sum of what comes back from each place.
#
# **Afterwards you can**
#
# - run a recurrent net forward and unroll it in time,
# - send a gradient back through time and add up what it leaves at each step,
# - test such a gradient by measuring it,
# - train the net although plain gradient descent blows up, by clipping and by the signs of the gradient alone,
# - say when a gradient vanishes, stays or explodes on its way back.
#
# **Time:** about two hours.
#
# Under each question stands a test cell, `check(...)`. Run it as often as you like; it compares with worked numbers.
# Grading calls your functions with fresh numbers, other ones for each student, so write them for any numbers and sizes.
#
# The net and its task come from a post by Jae Duk Seo, *Only Numpy: Vanilla Recurrent Neural Network, Deriving Back
# Propagation Through Time* (2017). After `Source:` a function names the part of the post that it follows.

# %% given="setup"
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

X = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 1.0], [1.0, 1.0, 1.0]])  # (n, T): three sequences of three bits
y = X.sum(axis=1)  # (n,): the ones in each sequence, 1, 2 and 3
w_x, w_rec = 0.5, 1.5  # the two weights that the net starts with

# random bits; 7 is the seed, the number that the drawing starts from: the same seed gives everyone the same bits
X20 = np.random.default_rng(7).integers(0, 2, size=(20, 10)).astype(float)  # (20, 10): for training
y20 = X20.sum(axis=1)  # (20,)

# %% given="drawing" hidden=true
VALUE, GRADIENT, INK, PALE = "#1a7f37", "#c0392b", "#333333", "#eef3fb"
LATER = "Nothing to draw yet: answer the items above, then run this again."


def tried(function, *arguments):
    """What the function returns as an array, or None while it returns nothing usable. For pictures only."""
    try:
        with np.errstate(all="ignore"):
            answer = np.asarray(function(*arguments), dtype=float)
    except Exception:
        return None
    return answer if np.isfinite(answer).all() else None


def shown(array, *place):
    """An answer's number with four decimals, or ? where there is none."""
    try:
        return f"{float(array[place]):.4f}".rstrip("0").rstrip(".").replace("-0.", "-.").removeprefix("0") or "0"
    except (TypeError, IndexError, ValueError):
        return "?"


def draw_unrolled(forward, slope=None, back=None, row=1):
    """One sequence of X, unrolled: values in green, what the gradient is at each state in red."""
    steps = X.shape[1]
    S = tried(forward, X, w_x, w_rec)
    G = None
    if back is not None:
        out = None if S is None else tried(lambda: slope(S[:, -1], y))
        G = None if out is None else tried(back, out, steps, w_rec)
    fig, ax = plt.subplots(figsize=(11, 4.6 if back is not None else 3.9))
    arrow = {"arrowstyle": "-|>", "color": "0.45", "lw": 1.6, "mutation_scale": 16, "shrinkA": 0, "shrinkB": 0}
    spots = [3.0 * k for k in range(steps + 1)]
    for k, at in enumerate(spots):
        ax.scatter(at, 0, s=2500, color=PALE, edgecolor=INK, zorder=3)
        ax.text(at, 0, f"$S_{k}$", ha="center", va="center", fontsize=15, zorder=4)
        ax.text(at, 0.72, shown(S, row, k), color=VALUE, ha="center", fontsize=13)
        if back is not None:
            ax.text(at, 1.12, shown(G, row, k), color=GRADIENT, ha="center", fontsize=13)
        if k:
            ax.annotate("", (at - 0.52, 0), (spots[k - 1] + 0.52, 0), arrowprops=arrow)
            ax.text(at - 1.5, 0.13, f"× {w_rec:g}", ha="center", fontsize=11, color=INK)
            ax.annotate("", (at, -0.56), (at, -1.35), arrowprops=arrow)
            ax.text(at + 0.1, -1.0, f"× {w_x:g}", ha="left", fontsize=11, color=INK)
            ax.text(at, -1.65, f"$x_{k}$ = {X[row, k - 1]:g}", ha="center", fontsize=13, color=INK)
            if back is not None:
                back_arrow = {**arrow, "color": GRADIENT, "connectionstyle": "arc3,rad=-0.22", "lw": 1.3}
                ax.annotate("", (spots[k - 1] + 0.42, -0.36), (at - 0.42, -0.36), arrowprops=back_arrow)
                ax.text(at - 1.5, -0.9, f"× {w_rec:g}", ha="center", fontsize=10, color=GRADIENT)
    ax.annotate("", (spots[-1] + 1.3, 0), (spots[-1] + 0.52, 0), arrowprops=arrow)
    ax.text(spots[-1] + 1.4, 0, f"target\n{y[row]:g}", va="center", fontsize=13, color=INK)
    ax.text(-1.9, 0.72, "value", color=VALUE, fontsize=12)
    if back is not None:
        ax.text(-1.9, 1.12, r"$\partial E/\partial S_k$", color=GRADIENT, fontsize=12)
    bits = ", ".join(f"{bit:g}" for bit in X[row])
    ax.set(
        xlim=(-2.1, spots[-1] + 2.6),
        ylim=(-1.95, 1.1 if back is None else 1.5),
        title=f"the net on the sequence ({bits}), unrolled in time",
    )
    ax.axis("off")
    fig.subplots_adjust(left=0.01, right=0.99, bottom=0.03, top=0.92)
    plt.show()


def plain_decades(*axes):
    """1e-06 in place of a formula: formulas are slow to draw."""
    for axis in axes:
        axis.set_major_formatter("{x:g}")
        axis.set_minor_locator(plt.NullLocator())


def draw_check(relative_error):
    """The relative errors of the two gradients, for steps h of all sizes, at the worked numbers."""
    sizes = np.logspace(-13, 0, 53)
    errors = [tried(relative_error, X, y, w_x, w_rec, h) for h in sizes]
    if any(error is None or error.shape != (2,) for error in errors):
        print(LATER)
        return
    fig, ax = plt.subplots(figsize=(8.5, 4.2))
    for column, (name, color) in enumerate([("$w_x$", "tab:blue"), ("$w_{rec}$", "tab:orange")]):
        numbers = np.maximum(np.abs(np.array(errors)[:, column]), 1e-17)
        ax.loglog(sizes, numbers, "o-", ms=3, lw=1, color=color, label=name)
    ax.axvline(1e-6, color="0.7", ls="--", lw=1, zorder=0)
    ax.text(1.3e-6, ax.get_ylim()[1] / 4, "h = 1e-6", color="0.4", fontsize=10, va="top")
    plain_decades(ax.xaxis, ax.yaxis)
    ax.set(xlabel="step h", ylabel="relative error", title="too small a step drowns in rounding, too large a one bends")
    ax.legend(frameon=False, loc="lower left")
    ax.spines[["top", "right"]].set_visible(False)
    fig.subplots_adjust(left=0.1, right=0.98, bottom=0.14, top=0.91)
    plt.show()


def loss_surface(forward, loss, first, second):
    """The loss on X20 over a grid of weights, by the student's functions; None where they do not work yet."""
    table = np.empty((len(second), len(first)))
    for (i, j), _ in np.ndenumerate(table):
        number = tried(lambda u, v: loss(forward(X20, u, v)[:, -1], y20), first[j], second[i])
        if number is None or number.size != 1:
            return None
        table[i, j] = number.item()
    return table


def as_path(record):
    """A record of weights as an array (steps+1, 2), None where it is not one."""
    path = tried(lambda: record)
    return path if path is not None and path.ndim == 2 and path.shape[1] == 2 and len(path) > 1 else None


def draw_surface(forward, loss, paths):
    """The loss over both weights with paths of training on it, and the loss along each path."""
    paths = {name: as_path(record) for name, record in paths.items()}
    paths = {name: path for name, path in paths.items() if path is not None}
    first, second = np.linspace(-0.1, 1.5, 49), np.linspace(0.7, 1.6, 43)
    table = loss_surface(forward, loss, first, second) if paths else None
    if table is None:
        print(LATER)
        return
    fig, (left, right) = plt.subplots(1, 2, figsize=(12.5, 5), width_ratios=[3, 2])
    levels = np.linspace(-3, 4, 29)
    image = left.contourf(first, second, np.clip(np.log10(np.maximum(table, 1e-9)), -3, 4), levels, cmap="viridis")
    left.contour(first, second, np.log10(np.maximum(table, 1e-9)), levels[12::2], colors="white", linewidths=0.3)
    bar = fig.colorbar(image, ax=left, ticks=range(-3, 5), pad=0.02)
    bar.ax.set_yticklabels([f"{10.0**k:g}" for k in range(-3, 5)])
    bar.set_label("loss on X20")
    for color, (name, path) in zip(["white", "#ff9f43"], paths.items(), strict=False):
        left.plot(*path.T, color=color, lw=2, label=f"{name}, {len(path) - 1} steps")
        left.plot(*path[-1], "o", color=color, ms=6)
        some = np.unique(np.geomspace(1, len(path), 400).astype(int))  # enough for a smooth line
        along = [tried(lambda u, v: loss(forward(X20, u, v)[:, -1], y20), *path[k - 1]) for k in some]
        along = [np.nan if number is None else max(number.item(), 1e-300) for number in along]
        right.loglog(some, along, color=INK if color == "white" else color, lw=2, label=name)
    left.plot(w_x, w_rec, "s", color="white", ms=7)
    left.annotate("start", (w_x, w_rec), (9, -4), textcoords="offset points", color="white", fontsize=12)
    left.plot(1, 1, "*", color="#ffe066", ms=17, mec=INK, zorder=5)
    left.annotate("(1, 1)", (1, 1), (10, 8), textcoords="offset points", color="white", fontsize=12)
    left.set(xlabel="$w_x$", ylabel="$w_{rec}$", title="a cliff above, a narrow bent valley below")
    left.set(xlim=(first[0], first[-1]), ylim=(second[0], second[-1]))
    left.legend(facecolor="#2b4a5f", labelcolor="white", framealpha=0.9, loc="lower left")
    plain_decades(right.xaxis, right.yaxis)
    right.set(xlabel="record (1 is the start)", ylabel="loss on X20", title="the loss along the way", ylim=(1e-12, 3e3))
    right.legend(frameon=False, loc="lower left")
    right.spines[["top", "right"]].set_visible(False)
    fig.subplots_adjust(left=0.05, right=0.98, bottom=0.12, top=0.93, wspace=0.22)
    plt.show()


def draw_growth(growth, steps=20):
    """How a gradient's size changes on its way back, for three recurrent weights."""
    curves = {v: tried(growth, v, steps) for v in (1.5, 1.0, 0.5)}
    if any(curve is None or curve.shape != (steps + 1,) for curve in curves.values()):
        print(LATER)
        return
    fig, ax = plt.subplots(figsize=(9, 4.4))
    for (v, curve), color in zip(curves.items(), ["#c0392b", "#7f8c8d", "#2c6fb3"], strict=True):
        ax.semilogy(np.maximum(np.abs(curve), 1e-300), "o-", color=color, ms=4)
        end = curve[-1]
        text = f"{end:,.0f}" if abs(end) >= 1 else f"{end:.1g}"
        ax.annotate(
            f"$w_{{rec}}$ = {v:g}: factor {text}", (steps, max(abs(end), 1e-300)), (10, 0),
            textcoords="offset points", va="center", color=color, fontsize=11,
        )  # fmt: skip
    ax.set(xlabel="steps back in time", ylabel="factor of the gradient", xlim=(-0.5, steps + 8.5))
    plain_decades(ax.yaxis)
    ax.set(title="what is left of one unit of gradient", xticks=range(0, steps + 1, 5))
    ax.spines[["top", "right"]].set_visible(False)
    fig.subplots_adjust(left=0.09, right=0.98, bottom=0.13, top=0.92)
    plt.show()


def rprop_path(step, forward, slope, gradients, steps=1500):
    """The weights on their way from (w_x, w_rec) when every step is `step`; None while it does not work."""
    w, delta, sign = np.array([w_x, w_rec]), np.full(2, 0.001), np.zeros(2)
    path = [w]
    for _ in range(steps):
        try:
            S = forward(X20, *w)
            grad = np.array(gradients(X20, S, slope(S[:, -1], y20), w[1]), dtype=float)
            w, sign, delta = (np.asarray(part, dtype=float) for part in step(grad, sign, delta, w))
        except Exception:
            return None
        if w.shape != (2,) or not np.isfinite(w).all():
            return None
        path.append(w)
    return np.array(path)


def path_table(record, forward, loss, gradients, slope):
    """Some places of a path: weights, loss on X20, and how long the gradient is there."""
    path = as_path(record)
    lines = []

    def measured(point):
        S = forward(X20, *point)
        length = np.hypot(*gradients(X20, S, slope(S[:, -1], y20), point[1]))
        return [float(loss(S[:, -1], y20)), float(length)]

    for step in [] if path is None else [0, 1, 10, 100, 200, 500, 1000, 2000, 5000, len(path) - 1]:
        numbers = tried(measured, path[step]) if step < len(path) else None
        if numbers is not None:
            lines.append((step, *path[step], *numbers))
    if not lines:
        print(LATER)
        return None
    names = ["step", "w_x", "w_rec", "loss", "length of the gradient"]
    forms = dict(zip(names[1:], ["{:.4f}", "{:.4f}", "{:.3g}", "{:.3g}"], strict=True))
    table = pd.DataFrame(lines, columns=names).drop_duplicates("step").set_index("step")
    return table.assign(**{name: table[name].map(form.format) for name, form in forms.items()})


# %% [markdown]
# ## 1. One step in time
#
# The state is one number, the memory of the net. At each step it is multiplied by the **recurrent weight** $w_{rec}$,
# and the input, multiplied by $w_x$, is added:
#
# $$S_k = w_{rec}\, S_{k-1} + w_x\, x_k$$
#
# There is no sigmoid and no bias. The same two weights are used at every step; that is what makes the net recurrent.
#
# **A little example** that stays with us: $w_x = 2$, $w_{rec} = .5$. From state 2 and input 1 the next state is
# $.5\cdot 2 + 2\cdot 1 = 3$.
#
# **A test that cannot fail.** Suppose somebody swaps the weights, $w_x S_{k-1} + w_{rec} x_k$, and tests with
# $w_x = w_{rec} = 1$: from state 2 and input 1 comes 3, just as it should. At $w_x = .5$, $w_{rec} = 1.5$ the right
# net gives $1.5\cdot 2 + .5\cdot 1 = 3.5$, the swapped one 2.5. Equal weights hide which weight is which, so never test
# at $w_x = w_{rec}$. Mind that the net which counts perfectly is exactly of that kind.
#
# **Question.** Write `next_state(s_prev, x, w_x, w_rec)`: `s_prev` and `x` are `(n,)`, the state and the
# input of $n$ sequences; the result is `(n,)`.


# %% item="next-state"
def next_state(s_prev, x, w_x, w_rec):
    """(n,), (n,), number, number -> (n,). The state after one more input. Source: Seo's post, equation (e)."""
    ### BEGIN SOLUTION
    return s_prev * w_rec + x * w_x
    ### END SOLUTION


# %% [markdown]
# ## 2. Unrolled
#
# A sequence of length $T$ needs $T$ such steps. Write them side by side and the loop becomes a chain, as in an ordinary
# net with $T$ layers that share their weights. This is called **unrolling**.
#
# The first state is zero: before the first bit, nothing has been counted. The little example reads $(1, 0, 1)$:
#
# | | $S_0$ | $S_1$ | $S_2$ | $S_3$ |
# |---|---|---|---|---|
# | input | | 1 | 0 | 1 |
# | state | 0 | $.5\cdot0 + 2\cdot1 = 2$ | $.5\cdot2 + 2\cdot0 = 1$ | $.5\cdot1 + 2\cdot1 = 2.5$ |
#
# **How to count.** The formulas count inputs from 1, numpy counts columns from 0: $x_1$ stands in column 0 of `X`.
# There are $T$ inputs but $T + 1$ states, and the states count from 0 in both: $S_0$ stands in column 0 of `S`. So
# `X[:, k]` leads from `S[:, k]` to `S[:, k + 1]`; in the formulas it is $x_{k+1}$.
#
# **Question.** Write `states(X, w_x, w_rec)`: `X` is `(n, T)` with one sequence in each row; the result `S`
# is `(n, T+1)` with `S[:, 0]` all zero. Use your `next_state`.


# %% item="states"
def states(X, w_x, w_rec):
    """(n, T), number, number -> (n, T+1). All states of n sequences, the zeros of the start first.

    Source: Seo's post, feed forward.
    """
    ### BEGIN SOLUTION
    n, T = X.shape
    S = np.zeros((n, T + 1))
    for k in range(T):
        S[:, k + 1] = next_state(S[:, k], X[:, k], w_x, w_rec)
    return S
    ### END SOLUTION


# %% [markdown]
# Now the given data: three sequences with one, two and three ones, and the weights $w_x = .5$, $w_{rec} = 1.5$.
#
# | `X` | | | `y` |
# |---|---|---|---|
# | 0 | 0 | 1 | 1 |
# | 0 | 1 | 1 | 2 |
# | 1 | 1 | 1 | 3 |
#
# **Question.** What are the states? `S_worked` is `(3, 4)`, one row for each sequence. Work at least one row
# out by hand.

# %% item="states-worked"
S_worked = None  # (3, 4): the states of the three sequences of X
### BEGIN SOLUTION
S_worked = states(X, w_x, w_rec)
### END SOLUTION

# %%
draw_unrolled(states)

# %% [markdown]
# ## 3. How wrong is the count?
#
# Only the last state, $S_T$, is compared with the target. The cost is the **mean squared error** over the $n$
# sequences:
#
# $$E = \frac1n\sum_{i=1}^{n}\left(S_{i,T} - y_i\right)^2$$
#
# Two sequences that end at $2.5$ and $3$, where both should end at 2: $E = (.5^2 + 1^2)/2 = .625$. In units 1 to 4 the
# error had a factor $\tfrac12$ and was summed; here it has none and is averaged.
#
# **Question.** Write `count_loss(s_T, y)`: both are `(n,)`, the result is one number.


# %% item="count-loss"
def count_loss(s_T, y):
    """(n,), (n,) -> one number. Mean squared error of the last states. Source: Seo's post, the cost function."""
    ### BEGIN SOLUTION
    return np.mean((s_T - y) ** 2)
    ### END SOLUTION


# %% [markdown]
# The way back starts with the slope of $E$ at the last states. Each sequence has its own, and both the square and the
# mean leave a mark on it. For the same two sequences, of $n = 2$: $2\cdot.5/2 = .5$ and $2\cdot1/2 = 1$.
#
# **Question.** Write `output_gradient(s_T, y)` -> `(n,)`: entry $i$ is $\partial E/\partial S_{i,T}$ of
# `count_loss`.


# %% item="output-gradient"
def output_gradient(s_T, y):
    """(n,), (n,) -> (n,). Gradient of count_loss with respect to each last state.

    Source: Seo's post, back propagation through time.
    """
    ### BEGIN SOLUTION
    return 2 * (s_T - y) / len(y)
    ### END SOLUTION


# %% [markdown]
# ## 4. Back through time
#
# From $S_k = w_{rec} S_{k-1} + w_x x_k$ follows $\partial S_k/\partial S_{k-1} = w_{rec}$. So a gradient that goes one
# step back is multiplied by $w_{rec}$, whatever the inputs and states are:
#
# $$\frac{\partial E}{\partial S_{k-1}} = \frac{\partial E}{\partial S_k}\; w_{rec}$$
#
# Write the derivative of $E$ with respect to a weight for each state, and these products appear over and over: the
# terms of state 1 contain those of state 2, which contain those of state 3. Compute the **repeated terms** once, keep
# them in a matrix, and the rest is cheap.
#
# Little example: the sequence ends at 2.5 and the target is 2, so with $n = 1$ the gradient at the end is
# $2\cdot.5 = 1$. Back it goes, times $.5$ a step:
#
# | $\partial E/\partial S_0$ | $\partial E/\partial S_1$ | $\partial E/\partial S_2$ | $\partial E/\partial S_3$ |
# |---|---|---|---|
# | .125 | .25 | .5 | 1 |
#
# **Question.** Write `gradient_over_time(grad_out, T, w_rec)` -> `(n, T+1)`: `grad_out` is `(n,)`, the
# gradient at the last states; column `k` is $\partial E/\partial S_k$ of each sequence, so the last column is
# `grad_out` itself.


# %% item="gradient-over-time"
def gradient_over_time(grad_out, T, w_rec):
    """(n,), integer, number -> (n, T+1). Gradient at each state, from the one at the last.

    Source: Seo's post, the repeating terms.
    """
    ### BEGIN SOLUTION
    G = np.zeros((len(grad_out), T + 1))
    G[:, T] = grad_out
    for k in range(T, 0, -1):
        G[:, k - 1] = G[:, k] * w_rec
    return G
    ### END SOLUTION


# %%
draw_unrolled(states, output_gradient, gradient_over_time)

# %% [markdown]
# The red numbers grow to the left: with $w_{rec} = 1.5$ an early state has more influence on the end than a late one.
#
# ### What each step leaves at the weights
# Each step uses both weights. At step $k$ the weight $w_x$ is multiplied with $x_k$, the weight $w_{rec}$ with
# $S_{k-1}$. So step $k$ adds to the two gradients:
#
# $$\text{to } \frac{\partial E}{\partial w_x}:\quad \sum_i \frac{\partial E}{\partial S_{i,k}}\; x_{i,k}
# \qquad\qquad
# \text{to } \frac{\partial E}{\partial w_{rec}}:\quad \sum_i \frac{\partial E}{\partial S_{i,k}}\; S_{i,k-1}$$
#
# The little example, one sequence:
#
# | step $k$ | $\partial E/\partial S_k$ | $x_k$ | $S_{k-1}$ | to $w_x$ | to $w_{rec}$ |
# |---|---|---|---|---|---|
# | 3 | 1 | 1 | 1 | 1 | 1 |
# | 2 | .5 | 0 | 2 | 0 | 1 |
#
# The post works out states 3 and 2 in this way and leaves state 1 to the reader. That is you.
#
# **Question.** For the given `X`, `y`, `w_x`, `w_rec`: what does **step 1** add to
# $\partial E/\partial w_x$ and to $\partial E/\partial w_{rec}$, summed over the three sequences? `state1_terms` is
# this pair of numbers, in this order. Here $n = 3$ sequences have $T = 3$ bits each. Step 1 is the first step in time,
# the line that the table above does not have.

# %% item="state1-terms"
state1_terms = None  # two numbers: what step 1 adds to dE/dw_x and to dE/dw_rec
### BEGIN SOLUTION
at_state_1 = gradient_over_time(output_gradient(S_worked[:, -1], y), 3, w_rec)[:, 1]
state1_terms = np.array([np.sum(at_state_1 * X[:, 0]), np.sum(at_state_1 * S_worked[:, 0])])
### END SOLUTION

# %% [markdown]
# ## 5. Add up
#
# A weight that is used at every step gets the sum of what comes back from every step:
#
# $$\frac{\partial E}{\partial w_x} = \sum_{k=1}^{T}\sum_i \frac{\partial E}{\partial S_{i,k}}\; x_{i,k}
# \qquad
# \frac{\partial E}{\partial w_{rec}} = \sum_{k=1}^{T}\sum_i \frac{\partial E}{\partial S_{i,k}}\; S_{i,k-1}$$
#
# There is no further $1/n$: `grad_out` brought it along. In the little example step 1 has the gradient $.25$, the input
# 1 and the state 0 before it, so it adds $.25$ and $0$. In all, $\partial E/\partial w_x = 1 + 0 + .25 = 1.25$ and
# $\partial E/\partial w_{rec} = 1 + 1 + 0 = 2$. Test it with school calculus: this net ends at
# $S_3 = w_x w_{rec}^2 + w_x$, so $\partial S_3/\partial w_x = .25 + 1$ and
# $\partial S_3/\partial w_{rec} = 2\cdot 2\cdot.5 = 2$, and the gradient at the end is 1.
#
# **Question.** Write `rnn_gradients(X, S, grad_out, w_rec)` -> `dw_x, dw_rec`, two numbers. `X` is `(n, T)`,
# `S` is `(n, T+1)`, `grad_out` is `(n,)`. Use `S` as it comes, its column 0 as well: it is tested with states that do
# not start at zero.


# %% item="rnn-gradients"
def rnn_gradients(X, S, grad_out, w_rec):
    """(n, T), (n, T+1), (n,), number -> two numbers. dE/dw_x and dE/dw_rec, summed over sequences and steps.

    Source: Seo's post, the weights' derivatives.
    """
    ### BEGIN SOLUTION
    T = X.shape[1]
    G = gradient_over_time(grad_out, T, w_rec)
    dw_x = np.sum(G[:, 1:] * X)
    dw_rec = np.sum(G[:, 1:] * S[:, :-1])
    return dw_x, dw_rec
    ### END SOLUTION


# %% [markdown]
# ## 6. Trust, but measure
#
# Gradients through time are easy to get almost right. Measure them as in unit 3: move one weight by $h$ up and down,
# let the other stand, and look at $E$. With $a$ the calculated and $m$ the measured gradient,
#
# $$m = \frac{E(w + h) - E(w - h)}{2h} \qquad\qquad \text{relative error} = \frac{|a - m|}{|a| + |m|}$$
#
# For right gradients and a small $h$ it is tiny, below 1e-7 or so; a forgotten step makes it large.
#
# The little example with a coarse step, $h = .1$: as a function of $w_{rec}$ alone its error is $E = 4 w_{rec}^4$.
# So $m = 4(.6^4 - .4^4)/.2 = 2.08$, beside $a = 2$: relative error $.08/4.08 = .0196$. As a function of $w_x$ alone,
# $E$ is a parabola, and for a parabola the two-sided difference is exact: relative error 0.
#
# What such a check cannot do: it compares your gradient with **your** $E$. If both forget the $1/n$, they agree
# perfectly and both are wrong.
#
# **Question.** Write `gradient_check(X, y, w_x, w_rec, h=1e-6)`: it returns the two relative errors, for
# $w_x$ and for $w_{rec}$, in this order, shape `(2,)`. Use your functions for $a$ and for $E$.


# %% item="gradient-check"
def gradient_check(X, y, w_x, w_rec, h=1e-6):
    """(n, T), (n,), number, number, number -> (2,). Relative error of dw_x and of dw_rec against central differences.

    Source: unit 3's numeric_gradient, on the net of Seo's post.
    """

    ### BEGIN SOLUTION
    def error(u, v):
        return count_loss(states(X, u, v)[:, -1], y)

    S = states(X, w_x, w_rec)
    calculated = np.array(rnn_gradients(X, S, output_gradient(S[:, -1], y), w_rec))
    up = np.array([error(w_x + h, w_rec), error(w_x, w_rec + h)])
    down = np.array([error(w_x - h, w_rec), error(w_x, w_rec - h)])
    measured = (up - down) / (2 * h)
    return np.abs(calculated - measured) / (np.abs(calculated) + np.abs(measured))
    ### END SOLUTION


# %%
draw_check(gradient_check)

# %% [markdown]
# From the right, the orange line falls a hundredfold whenever $h$ becomes ten times smaller: that is the bend of $E$.
# Further left both lines rise: there the two values of $E$ agree in almost all their digits, and what is left is
# rounding. The blue line belongs to a parabola, so it has no bend to show.
#
# ## 7. Train it
#
# The step is the one of unit 4, against the gradient: with weights $(.5, 1.5)$, gradients $(2, -4)$ and $\alpha = .1$,
# the new weights are $(.3, 1.9)$.
#
# **Question.** Write `sgd_step(w_x, w_rec, dw_x, dw_rec, alpha)` -> the new `w_x, w_rec`. (The test cell calls this
# question `counting-step`.)


# %% item="counting-step"
def sgd_step(w_x, w_rec, dw_x, dw_rec, alpha):
    """five numbers -> two numbers. Both weights after one step of gradient descent.

    Source: Seo's post, the weight update.
    """
    ### BEGIN SOLUTION
    return w_x - alpha * dw_x, w_rec - alpha * dw_rec
    ### END SOLUTION


# %% [markdown]
# Which weights count? With $w_x = w_{rec} = 1$ each one adds 1 and nothing is forgotten. The net should find this by
# itself, on twenty sequences of ten bits, `X20` and `y20`, from $(.5, 1.5)$.
#
# **Plain gradient descent fails.** At the start the gradient on `X20` is about $(3652, 8890)$. With $\alpha = .001$
# the first step lands at $(-3.15, -7.39)$, the second beyond $10^{13}$. With $\alpha = 10^{-7}$ the first steps are
# fine, but after ten thousand of them the weights are at $(.37, 1.21)$ and hardly move: down there the gradient is a
# thousand times smaller. No $\alpha$ is good on both: from state 10 back to state 1 the gradient is multiplied by
# $1.5$ nine times, and the loss has a cliff.
#
# **Two ways out.** *Clip*: where the gradient is longer than some limit, scale it down to that limit and keep its
# direction. A gradient $(30, 40)$ has length 50; clipped to length 1 it is $(.6, .8)$. Or use only the signs of the
# gradient, as in section 9.
#
# **Question.** Train from the given `w_x`, `w_rec` until both weights are within .01 of 1.
#
# - `w_path` is the record, `(steps+1, 2)`: the weights $(w_x, w_{rec})$ before the first and after every step.
# - `w_trained` is `(2,)`, where the path ends.
#
# Take each step from the gradient at that place alone, over all of `X20`. Clipping to length 1 with $\alpha = .001$
# needs some thousand steps, a second or two. Grading looks at the way: it starts at $(.5, 1.5)$, has at least 20 steps,
# none longer than .5, and at practically every step each weight moves against its own gradient. Typing $(1, 1)$ earns
# nothing. Call your running weights something else than `w_x`, `w_rec`, so that the given ones stay.

# %% item="counting-trained"
w_path = None  # (steps+1, 2): both weights before the first step and after every step
w_trained = None  # (2,): both weights at the end


### BEGIN SOLUTION
def trained_by_clipping(u, v, steps, alpha=0.001, limit=1.0):
    """number, number, integer -> (steps+1, 2). Gradient descent on X20, no gradient longer than the limit."""
    path = [(u, v)]
    for _ in range(steps):
        S = states(X20, u, v)
        d_u, d_v = rnn_gradients(X20, S, output_gradient(S[:, -1], y20), v)
        too_long = max(1.0, np.hypot(d_u, d_v) / limit)
        u, v = sgd_step(u, v, d_u / too_long, d_v / too_long, alpha)
        path.append((u, v))
    return np.array(path)


w_path = trained_by_clipping(w_x, w_rec, 8000)
w_trained = w_path[-1]
### END SOLUTION

# %%
path_table(w_path, states, count_loss, rnn_gradients, output_gradient)

# %%
draw_surface(states, count_loss, {"your path": w_path})

# %% [markdown]
# The gradient points down the cliff, and first leads $w_x$ away from 1. Then the path turns into the valley
# and follows it, slowly, because the valley's floor is almost flat while its walls are steep.
#
# And the trap of section 1 again: your trained net has $w_x = w_{rec} = 1$. It would count just as well with its
# weights swapped, so that it counts is no proof that the code is right.
#
# ## 8. Vanish or explode
#
# Every step back multiplies the gradient by $w_{rec}$. After $k$ steps one unit of gradient has become
#
# $$\underbrace{w_{rec}\cdot w_{rec}\cdots w_{rec}}_{k\text{ times}}$$
#
# For $w_{rec} = .5$ and $k = 0, 1, 2, 3$ that is 1, .5, .25, .125.
#
# **Question.** Write `gradient_growth(w_rec, T)` -> `(T+1,)`: entry `k` is the factor that a gradient
# gains on its way `k` steps back, `k` from 0 to `T`. The weight may be negative; the sign belongs to the factor.


# %% item="gradient-growth"
def gradient_growth(w_rec, T):
    """number, integer -> (T+1,). Factor that a gradient gains k steps back, k = 0 to T.

    Source: Seo's post, w_rec multiplied many times.
    """
    ### BEGIN SOLUTION
    return w_rec ** np.arange(T + 1)
    ### END SOLUTION


# %%
draw_growth(gradient_growth)

# %% [markdown]
# Sequences of text are hundreds of steps long. A gradient that vanishes on the way tells the early inputs nothing, so
# the net cannot learn what happened long ago. One that explodes throws the weights far away, as plain gradient descent
# did above. Larger recurrent nets have a matrix in place of $w_{rec}$, and the same thing happens; units 6 and 7
# come back to it.
#
# **Question.** What happens to a gradient that goes back over many steps? `regimes` is a dict of this form:
#
# `{0.5: "...", 1: "...", 1.5: "..."}`
#
# The keys are three numbers, the values of $w_{rec}$, and stay as they stand here. For each `...` put one of the three
# words `vanishes`, `steady`, `explodes`.

# %% item="vanish-or-explode"
regimes = None  # {0.5: "...", 1: "...", 1.5: "..."}
### BEGIN SOLUTION
regimes = {0.5: "vanishes", 1: "steady", 1.5: "explodes"}
### END SOLUTION

# %% [markdown]
# ## 9. Only the signs
#
# If the size of the gradient cannot be trusted, use its sign alone. **Rprop** (resilient propagation) keeps a step
# size $\delta$ for each weight and looks at two signs, the one now and the one of the step before:
#
# - both are 1, or both are -1: the direction is right, so $\delta$ grows, times $\eta_+ = 1.2$;
# - in every other case $\delta$ shrinks, times $\eta_- = .5$: one is 1 and the other -1 (the minimum was jumped over),
#   or one of them is 0, or both are.
#
# A sign of 0 is no direction. A gradient of exactly 0 has it, and so has the sign before at the first step, where there
# was no step before.
#
# **Then** each weight moves by its new $\delta$ against its sign (and stays where it is if the sign is 0):
#
# $$w \leftarrow w - \operatorname{sign}(\text{grad})\cdot\delta$$
#
# An example with five weights: $w = (.5, 1.5, 1, 2, 3)$, gradients $(3, -.2, 0, 3, 0)$, signs before $(1, 1, 1, 0, 0)$
# and $\delta = .1$ for each.
#
# | weight | sign before | sign now | new $\delta$ | new $w$ |
# |---|---|---|---|---|
# | first | 1 | 1 | $.1\cdot1.2 = .12$ | $.5 - .12 = .38$ |
# | second | 1 | -1 | $.1\cdot.5 = .05$ | $1.5 + .05 = 1.55$ |
# | third | 1 | 0 | $.1\cdot.5 = .05$ | 1 |
# | fourth | 0 | 1 | $.1\cdot.5 = .05$ | $2 - .05 = 1.95$ |
# | fifth | 0 | 0 | $.1\cdot.5 = .05$ | 3 |
#
# That the first gradient is 15 times the second one plays no part.
#
# **Question.** Write `rprop_step(grad, prev_sign, delta, w, eta_plus=1.2, eta_minus=.5)` -> the new
# `w, sign, delta`, where `sign` is the sign now: 1, 0 or -1. All arrays are `(m,)`, one entry for each of $m$ weights,
# and each weight is treated by itself.


# %% item="rprop-step"
def rprop_step(grad, prev_sign, delta, w, eta_plus=1.2, eta_minus=0.5):
    """(m,), (m,), (m,), (m,), number, number -> w (m,), sign (m,), delta (m,). One step by the gradient's signs.

    Source: Riedmiller and Braun's Rprop, in the simple form of the text above.
    """
    ### BEGIN SOLUTION
    sign = np.sign(grad)
    delta = delta * np.where(sign * prev_sign > 0, eta_plus, eta_minus)
    return w - sign * delta, sign, delta
    ### END SOLUTION


# %% [markdown]
# Here is your `rprop_step` on the same surface, with 1500 steps from $\delta = .001$.

# %%
draw_surface(
    states,
    count_loss,
    {"clipped": w_path, "rprop": rprop_path(rprop_step, states, output_gradient, rnn_gradients)},
)

# %% [markdown]
# ## What you have learnt
#
# - A recurrent net uses the same weights at every step. Unrolled, it is a chain of layers that share them.
# - $T$ inputs make $T + 1$ states; `X[:, k]` leads from `S[:, k]` to `S[:, k + 1]`.
# - The gradient at the states is worked out once, from the last to the first: these are the repeated terms.
# - Each step leaves its share at each weight, and the shares add up: gradient at the new state times the input, or
#   times the state before.
# - Each step back multiplies by $w_{rec}$: below 1 the gradient vanishes, above 1 it explodes.
# - Clipping keeps the direction of a gradient and limits its length. Rprop keeps its signs and nothing else.
# - A test at $w_x = w_{rec}$ cannot tell the weights apart, and a gradient check only tells whether gradient and loss
#   agree.
#
# Unit 6 gives the net a hidden layer with a tanh, letters to read, and a letter to say at every step.
