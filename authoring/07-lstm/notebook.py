# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Unit 7: the LSTM
#
# The plain recurrent net of unit 6 forgets: on the way back through time its gradient is multiplied by the same kind
# of factor at every step, and shrinks to nothing or grows without end. The **long short-term memory** (LSTM) adds a
# second state, a conveyor belt that is only ever scaled and added to, and three gates that decide what happens on it.
#
# **It assumes** the recurrent net and backpropagation through time (unit 6), softmax with cross-entropy (units 2 and
# 3), and the slopes written with the outputs: of the sigmoid (unit 3, `sigmoid_prime`) and of tanh (unit 6,
# `hidden_deltas`).
#
# **Afterwards you can**
# - run an LSTM forwards, gate by gate, and draw what flows where,
# - derive each gate's gradient from one rule: the gradient that arrives, times the local slope,
# - put the steps together into backpropagation through a whole sequence,
# - choose the weights of a cell by hand so that it counts, or remembers,
# - say why the gradient survives on the conveyor belt.
#
# **It takes** about four hours. Each question is followed by a test cell that tells you at once how it went; for the
# two cells of section 6, the picture below them does. Test cells compare with the worked numbers; grading calls your
# functions with fresh numbers and sizes, other ones for each student.
#
# The way follows Rahuljha's article *LSTM Gradients* (Towards Data Science, 2020), called "the article" below. Where it
# prints something wrong, we say so. After `Source:` a function names the part of the article that it comes from.

# %% given="setup"
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd


def sigmoid(z):
    """any shape -> same shape. 1 / (1 + exp(-z)), written so that nothing overflows. Source: unit 1."""
    return 0.5 * (1 + np.tanh(0.5 * z))


def softmax(v):
    """(V,) -> (V,). Positive numbers that add up to 1. Source: unit 2."""
    powers = np.exp(v - np.max(v))
    return powers / np.sum(powers)


params = {  # 2 units (H), 3 inputs (D), 4 classes (V)
    "W_f": np.array([[0.5, -0.3, 0.8, 0.2, -0.4], [0.1, 0.6, -0.5, 0.7, 0.3]]),
    "b_f": np.array([0.5, 1.0]),
    "W_i": np.array([[-0.2, 0.4, 0.6, -0.7, 0.5], [0.8, -0.1, 0.3, 0.4, -0.6]]),
    "b_i": np.array([0.1, -0.3]),
    "W_c": np.array([[0.7, 0.2, -0.9, 0.5, 0.3], [-0.4, 0.9, 0.6, -0.2, 0.8]]),
    "b_c": np.array([-0.2, 0.4]),
    "W_o": np.array([[0.3, -0.6, 0.4, 0.1, 0.9], [-0.5, 0.2, 0.7, -0.8, 0.6]]),
    "b_o": np.array([0.3, -0.1]),
    "W_v": np.array([[0.9, -0.4], [-0.7, 0.5], [0.2, 0.8], [0.6, -0.3]]),
    "b_v": np.array([0.1, -0.2, 0.3, 0.0]),
}
xs = np.array(
    [[1.0, 0.0, 0.5], [0.0, 1.0, -0.5], [0.5, 0.5, 1.0], [1.0, -0.5, 0.0], [-0.5, 1.0, 0.5]]
)  # one row a step
ys = np.array([2, 0, 3, 1, 2])  # the right class at each step
h0 = np.array([0.2, -0.1])  # hidden state before the first step
c0 = np.array([0.5, -0.4])  # cell state before the first step
z1 = np.concatenate([h0, xs[0]])  # what the gates see at the first step

# %% given="drawing" hidden=true
GREEN, RED = "#1a7f37", "#c0392b"


def tried(function, *arguments):
    """What the function returns, or None while it cannot be called yet. For pictures only."""
    try:
        return function(*arguments)
    except Exception:
        return None


def first(answer, place=()):
    """The first unit's number with four decimals, ? where there is none. `place` picks one of several results."""
    try:
        for k in place:
            answer = answer[k]
        number = float(np.asarray(answer, dtype=float).ravel()[0])
    except (TypeError, ValueError, IndexError, KeyError):
        return "?"
    return f"{number:.4f}" if np.isfinite(number) else "?"


def product(left, right):
    """Left times right where both are there, else None."""
    return None if left is None or right is None else tried(np.multiply, left, right)


def cell_frame(title):
    """The LSTM cell without numbers: conveyor belt on top, gates in a row, what they see below."""
    ax = plt.figure(figsize=(12.5, 6.6)).add_subplot()
    gates = {"f": (3.0, "σ\nforget", "#fde3cf"), "i": (5.4, "σ\ninput", "#d9ecd9")}
    gates |= {"c": (7.8, "tanh\ncandidate", "#dbe7f6"), "o": (9.7, "σ\noutput", "#eadcf3")}
    line = {"arrowstyle": "-|>", "color": "0.45", "lw": 1.5, "shrinkA": 0, "shrinkB": 0}

    def arrow(*stops):
        ax.plot(*zip(*stops[:-1], strict=True), color="0.45", lw=1.5, zorder=1)
        ax.annotate("", xy=stops[-1], xytext=stops[-2], arrowprops=line, zorder=1)

    def node(spot, text, color="white"):
        ax.scatter(*spot, s=760, color=color, edgecolor="0.3", zorder=3)
        ax.text(*spot, text, ha="center", va="center", fontsize=13 if len(text) == 1 else 10, zorder=4)

    arrow((0.9, 6), (2.72, 6))
    arrow((3.28, 6), (6.32, 6))
    arrow((6.88, 6), (13.2, 6))
    arrow((0.9, 0.6), (9.7, 0.6), (9.7, 1.55))
    for name, (x, text, color) in gates.items():
        if name != "o":
            arrow((x, 0.6), (x, 1.55))
        box = {"boxstyle": "round,pad=0.45", "facecolor": color, "edgecolor": "0.3"}
        ax.text(x, 2.0, text, ha="center", va="center", fontsize=10.5, bbox=box, zorder=4)
    arrow((3.0, 2.45), (3.0, 5.72))
    arrow((5.4, 2.45), (5.4, 4.2), (6.32, 4.2))
    arrow((7.8, 2.45), (7.8, 4.2), (6.88, 4.2))
    arrow((6.6, 4.48), (6.6, 5.72))
    arrow((11.4, 6), (11.4, 5.28))
    arrow((11.4, 4.72), (11.4, 3.73))
    arrow((9.7, 2.45), (9.7, 3.45), (11.12, 3.45))
    arrow((11.68, 3.45), (13.2, 3.45))
    node((3.0, 6), "×")
    node((6.6, 6), "+")
    node((6.6, 4.2), "×")
    node((11.4, 5), "tanh", "#f3f3f3")
    node((11.4, 3.45), "×")
    for spot, text, side in [
        ((0.8, 6), "$C_{t-1}$", "right"),
        ((13.3, 6), "$C_t$", "left"),
        ((13.3, 3.45), "$h_t$", "left"),
        ((0.8, 0.6), "$z_t = [h_{t-1}, x_t]$", "right"),
    ]:
        ax.text(*spot, text, ha=side, va="center", fontsize=13)
    ax.set(xlim=(-1.2, 14), ylim=(-0.3, 6.9), title=title)
    ax.axis("off")
    return ax


def tag(ax, x, y, text, color, side="left"):
    """A number beside an edge."""
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
    ax.text(x, y, text, color=color, ha=side, va="center", fontsize=10, bbox=box, zorder=5)


def draw_cell(forget_gate, input_gate, candidate, output_gate, cell_state, hidden_state):
    """The first unit at the first step of the worked LSTM, with your functions' numbers on the edges."""
    f = tried(forget_gate, z1, params["W_f"], params["b_f"])
    i = tried(input_gate, z1, params["W_i"], params["b_i"])
    c_tilde = tried(candidate, z1, params["W_c"], params["b_c"])
    o = tried(output_gate, z1, params["W_o"], params["b_o"])
    c = tried(cell_state, f, c0, i, c_tilde)
    h = tried(hidden_state, o, c)
    ax = cell_frame("First unit, first step: what flows forward")
    tag(ax, 1.8, 6.3, first(c0), GREEN, "center")
    tag(ax, 4.8, 6.3, first(product(f, c0)), GREEN, "center")
    tag(ax, 9.2, 6.3, first(c), GREEN, "center")
    tag(ax, 3.15, 4.2, f"$f$ = {first(f)}", GREEN)
    tag(ax, 5.25, 3.4, f"$i$ = {first(i)}", GREEN, "right")
    tag(ax, 7.95, 3.4, rf"$\tilde c$ = {first(c_tilde)}", GREEN)
    tag(ax, 6.75, 5.1, first(product(i, c_tilde)), GREEN)
    tag(ax, 9.85, 2.85, f"$o$ = {first(o)}", GREEN)
    tag(ax, 11.25, 4.2, first(tried(np.tanh, c)), GREEN, "right")
    tag(ax, 12.45, 3.75, first(h), GREEN, "center")
    plt.show()


# %% [markdown]
# ## Where we start
#
# A step gets three things: the input $x_t$, the **hidden state** $h_{t-1}$, which is what the cell said last, and the
# **cell state** $C_{t-1}$, which is what it remembers. Input and hidden state are joined into one vector,
#
# $$z_t = [h_{t-1}, x_t],\qquad \text{hidden state first.}$$
#
# Four small layers look at $z_t$. Three are **gates**, numbers from 0 to 1 that say how much may pass; one is the
# **candidate**, what might be written into the memory.
#
# | in the formulas | in numpy | shape | here |
# |---|---|---|---|
# | $x_t$, $t = 1, \ldots, T$ | `xs[t - 1]` | (D,) | D = 3, T = 5 |
# | $h_{t-1}$ and $C_{t-1}$ at $t = 1$ | `h0`, `c0` | (H,) | H = 2 |
# | $z_t$ | `np.concatenate([h, x])`, `z1` at the first step | (H+D,) | (5,) |
# | $W_f, W_i, W_c, W_o$ | `params["W_f"]`, ... | (H, H+D) | (2, 5) |
# | $b_f, b_i, b_c, b_o$ | `params["b_f"]`, ... | (H,) | (2,) |
# | $W_v$, $b_v$ | `params["W_v"]`, `params["b_v"]` | (V, H), (V,) | V = 4 classes |
# | label at step $t$ | `ys[t - 1]` | an integer from 0 | |
#
# Mind the counting: the formulas count steps from 1, numpy counts rows and classes from 0, so step 1 reads `xs[0]`.
#
# The circle $\odot$ in a formula is numpy's `*`: entry by entry. $c_0$ is **not** zero in this unit. With
# $C_0 = 0$ a net that loses its memory looks right at the first step.

# %% [markdown]
# ## 1. Four layers on one vector
#
# ### The forget gate
# How much of each memory cell is kept? 1 keeps all of it, 0 wipes it out.
#
# $$a_f = W_f\,z_t + b_f,\qquad f_t = \sigma(a_f)$$
#
# The first unit at the first step, $z_1 = (.2, -.1, 1, 0, .5)$ and the first row of $W_f$:
#
# $$a_f = .5\cdot .2 - .3\cdot(-.1) + .8\cdot 1 + .2\cdot 0 - .4\cdot .5 + .5 = 1.23,\qquad f = \sigma(1.23) = .7738$$
#
# It keeps 77 % of what it remembers.
#
# **Write `forget_gate(z, W_f, b_f)`**: `z` (H+D,), `W_f` (H, H+D), `b_f` (H,); the result is (H,).


# %% item="forget-gate"
def forget_gate(z, W_f, b_f):
    """(H+D,), (H, H+D), (H,) -> (H,). How much of each memory cell is kept. Source: the article, equation 1."""
    ### BEGIN SOLUTION
    return sigmoid(W_f @ z + b_f)
    ### END SOLUTION


# %% [markdown]
# ### The input gate
# How much of the new may be written?
#
# $$a_i = W_i\,z_t + b_i,\qquad i_t = \sigma(a_i)$$
#
# First unit, first step: $a_i = .87$, $i = .7047$.
#
# **Write `input_gate(z, W_i, b_i)`**, shapes as before.


# %% item="input-gate"
def input_gate(z, W_i, b_i):
    """(H+D,), (H, H+D), (H,) -> (H,). How much of the candidate is written. Source: the article, equation 2."""
    ### BEGIN SOLUTION
    return sigmoid(W_i @ z + b_i)
    ### END SOLUTION


# %% [markdown]
# ### The candidate
# What would be written. This one is no gate: memory must be able to go down as well as up, so it runs from -1 to 1.
#
# $$a_c = W_c\,z_t + b_c,\qquad \tilde c_t = \tanh(a_c)$$
#
# First unit, first step: $a_c = -.83$, $\tilde c = -.6805$. Mind the tilde: $\tilde c_t$ is the candidate, $C_t$ the
# memory. The article loses the tilde in one line, and writes $f_t C_{t-1} + i_t c_t$ where it means $\tilde c_t$.
#
# **Write `candidate(z, W_c, b_c)`**, shapes as before.


# %% item="candidate"
def candidate(z, W_c, b_c):
    """(H+D,), (H, H+D), (H,) -> (H,). What might be written into the memory. Source: the article, equation 3."""
    ### BEGIN SOLUTION
    return np.tanh(W_c @ z + b_c)
    ### END SOLUTION


# %% [markdown]
# ### The output gate
# How much of the memory is shown to the outside?
#
# $$a_o = W_o\,z_t + b_o,\qquad o_t = \sigma(a_o)$$
#
# First unit, first step: $o = .7807$.
#
# **Write `output_gate(z, W_o, b_o)`**, shapes as before.


# %% item="output-gate"
def output_gate(z, W_o, b_o):
    """(H+D,), (H, H+D), (H,) -> (H,). How much of the memory is shown. Source: the article, equation 4."""
    ### BEGIN SOLUTION
    return sigmoid(W_o @ z + b_o)
    ### END SOLUTION


# %% [markdown]
# ## 2. The memory and what is shown of it
#
# ### The cell state
# Keep some of the old, write some of the new, add the two:
#
# $$C_t = f_t\odot C_{t-1} + i_t\odot\tilde c_t$$
#
# First unit, first step: $.7738\cdot .5 + .7047\cdot(-.6805) = .3869 - .4796 = -.0927$.
# No weight matrix and no squashing stands between $C_{t-1}$ and $C_t$. That is the whole point of an LSTM.
#
# **Write `cell_state(f, c_prev, i, c_tilde)`**: four vectors (H,), the result is (H,).


# %% item="cell-state"
def cell_state(f, c_prev, i, c_tilde):
    """(H,), (H,), (H,), (H,) -> (H,). The new memory. Source: the article, equation 5."""
    ### BEGIN SOLUTION
    return f * c_prev + i * c_tilde
    ### END SOLUTION


# %% [markdown]
# ### The hidden state
# The memory may grow past 1, so it is squashed before it is shown, and the output gate decides how much of it:
#
# $$h_t = o_t\odot\tanh(C_t)$$
#
# First unit, first step: $.7807\cdot\tanh(-.0927) = .7807\cdot(-.0924) = -.0721$.
#
# **Write `hidden_state(o, c)`**: two vectors (H,), the result is (H,).


# %% item="hidden-state"
def hidden_state(o, c):
    """(H,), (H,) -> (H,). What the cell says. Source: the article, equation 6."""
    ### BEGIN SOLUTION
    return o * np.tanh(c)
    ### END SOLUTION


# %% [markdown]
# Run this to see the cell at work. A `?` waits for one of your answers. The belt on top is the memory; everything
# below decides what is done to it.

# %%
draw_cell(forget_gate, input_gate, candidate, output_gate, cell_state, hidden_state)

# %% [markdown]
# ### The output
# A last layer turns $h_t$ into scores, and softmax turns the scores into probabilities:
#
# $$v_t = W_v\,h_t + b_v,\qquad \hat y_t = \text{softmax}(v_t)$$
#
# The article prints the bias as $b_t$. It is $b_v$: one vector of the layer, the same at every step.
# At the first step $v = (-.0017, -.1036, .3591, -.0708)$ and $\hat y = (.2342, .2115, .3359, .2185)$. The label is 2,
# so this step's loss is $-\log .3359 = 1.0910$.
#
# **Write `lstm_output(h, W_v, b_v)`**: `h` (H,), `W_v` (V, H), `b_v` (V,); it returns two vectors (V,), first $v$,
# then $\hat y$. `softmax` is given.


# %% item="lstm-output"
def lstm_output(h, W_v, b_v):
    """(H,), (V, H), (V,) -> (V,), (V,). Scores v and probabilities y_hat. Source: the article, equations 7 and 8."""
    ### BEGIN SOLUTION
    v = W_v @ h + b_v
    return v, softmax(v)
    ### END SOLUTION


# %% [markdown]
# ### One whole step
# Now the step from $(h_{t-1}, C_{t-1})$ to $(h_t, C_t)$. On the way back you will need what was computed on the way
# forward, so keep it: the third result, `cache`, is your own and may be anything (a dict with $z$, the gates, both
# cell states and $h_t$ is a good choice). It is not judged, and `h, c` alone earn all marks here; but `lstm_backward`
# in section 4 needs what the cache holds.
#
# Everything that a step needs comes in as an argument, the dict `params` included, and the sizes may be any. So the
# test cell tries two LSTMs, the worked one and the one in the dict `other`, of other sizes: H = 3, D = 2. From its
# `h0`, `c0` its first step leads to $h = (.3076, -.1255, .1956)$ and $c = (.6845, -.4131, .2609)$.
#
# **Write `lstm_step(x, h_prev, c_prev, params)`** with your functions from above: `x` (D,), `h_prev` and `c_prev`
# (H,); it returns `h, c, cache`.

# %% given="other-sizes"
other = {  # an LSTM of other sizes: 3 units (H), 2 inputs (D), 4 classes (V), a sequence of 2 steps
    "params": {
        "W_f": np.array([[0.4, -0.6, 0.3, 0.7, -0.2], [-0.5, 0.2, 0.8, -0.3, 0.6], [0.9, 0.1, -0.4, 0.5, 0.3]]),
        "b_f": np.array([0.6, -0.4, 0.8]),
        "W_i": np.array([[-0.7, 0.5, 0.2, 0.4, 0.6], [0.3, 0.9, -0.6, -0.2, 0.5], [0.8, -0.3, 0.4, 0.7, -0.5]]),
        "b_i": np.array([0.2, 0.5, -0.3]),
        "W_c": np.array([[0.6, 0.3, -0.8, 0.9, -0.4], [-0.2, 0.7, 0.5, -0.6, 0.8], [0.4, -0.9, 0.1, 0.3, 0.7]]),
        "b_c": np.array([-0.3, 0.4, 0.2]),
        "W_o": np.array([[0.2, -0.8, 0.5, 0.6, 0.3], [0.7, 0.4, -0.3, -0.5, 0.9], [-0.6, 0.1, 0.9, 0.2, -0.7]]),
        "b_o": np.array([-0.2, 0.3, 0.5]),
        "W_v": np.array([[0.8, -0.5, 0.3], [-0.6, 0.4, 0.7], [0.2, 0.9, -0.4], [0.5, -0.3, -0.8]]),
        "b_v": np.array([0.2, -0.1, 0.4, -0.3]),
    },
    "xs": np.array([[0.5, -1.0], [1.0, 0.5]]),
    "ys": np.array([1, 3]),
    "h0": np.array([0.3, -0.2, 0.1]),
    "c0": np.array([0.6, -0.5, 0.4]),
}


# %% item="lstm-step"
def lstm_step(x, h_prev, c_prev, params):
    """(D,), (H,), (H,), dict -> (H,), (H,), anything. h and c after the step, and what the way back needs.

    Source: the article, forward equations.
    """
    ### BEGIN SOLUTION
    z = np.concatenate([h_prev, x])
    f = forget_gate(z, params["W_f"], params["b_f"])
    i = input_gate(z, params["W_i"], params["b_i"])
    c_tilde = candidate(z, params["W_c"], params["b_c"])
    o = output_gate(z, params["W_o"], params["b_o"])
    c = cell_state(f, c_prev, i, c_tilde)
    h = hidden_state(o, c)
    return h, c, {"z": z, "f": f, "i": i, "c_tilde": c_tilde, "o": o, "c_prev": c_prev, "c": c, "h": h}
    ### END SOLUTION


# %% [markdown]
# ## 3. The way back, gate by gate
#
# The loss of a sequence is $J = \sum_t -\log\hat y_t[\text{label}_t]$. Every rule of this section has the same form:
# **the gradient that arrives at a place, times the local slope there**. Two local slopes turn up again and again, that
# of the sigmoid and that of tanh, both written with the output as in units 3 and 6. In the names, `d_h` is short for
# $\partial J/\partial h_t$, `d_a_o` for $\partial J/\partial a_o$ and so on; a gradient has the shape of what it
# belongs to.
#
# For the worked numbers we take two units with rounder values than above (they are in the dict `example`):
#
# | | $f$ | $i$ | $\tilde c$ | $o$ | $C_{t-1}$ | $C_t$ | $\tanh C_t$ |
# |---|---|---|---|---|---|---|---|
# | first unit | .5 | .7 | .2 | .6 | .6 | .44 | .4136 |
# | second unit | .8 | .3 | -.6 | .9 | -1 | -.98 | -.7531 |
#
# At the cell arrive `d_h` = (.5, -.2) and, from the next step, `d_c_next` = (.1, .3).

# %% given="example"
example = {
    "f": np.array([0.5, 0.8]),
    "i": np.array([0.7, 0.3]),
    "c_tilde": np.array([0.2, -0.6]),
    "o": np.array([0.6, 0.9]),
    "c_prev": np.array([0.6, -1.0]),
    "c": np.array([0.44, -0.98]),
    "d_h": np.array([0.5, -0.2]),
    "d_c_next": np.array([0.1, 0.3]),
}

# %% [markdown]
# ### From the loss to the hidden state
# Softmax with cross-entropy has the short gradient of unit 3: probabilities, less 1 at the label.
#
# $$\frac{\partial J}{\partial v_t} = \hat y_t - y_t,\qquad
# \frac{\partial J}{\partial h_t} = W_v^T\,\frac{\partial J}{\partial v_t}$$
#
# In the formula $y_t$ is a **one-hot** vector: 1 at the label, 0 elsewhere. In numpy the label comes as one integer.
# With $\hat y = (.2, .5, .1, .2)$ and label 2, $\partial J/\partial v = (.2, .5, -.9, .2)$, and with the given $W_v$
# $\partial J/\partial h = (-.23, -.61)$.
#
# **Write `d_output(y_hat, y, W_v)`**: `y_hat` (V,), `y` an integer label, `W_v` (V, H); it returns `d_v` (V,) and
# `d_h` (H,). Leave `y_hat` as it is.


# %% item="d-output"
def d_output(y_hat, y, W_v):
    """(V,), one integer, (V, H) -> (V,), (H,). dJ/dv and this step's part of dJ/dh.

    Source: the article, hidden state.
    """
    ### BEGIN SOLUTION
    d_v = y_hat.copy()
    d_v[y] -= 1
    return d_v, W_v.T @ d_v
    ### END SOLUTION


# %% [markdown]
# Mind the words *this step's part*. The article stops at $W_v^T\,\partial J/\partial v_t$, but $h_t$ is also an
# input of step $t+1$. It is used in two places, so two gradients add. Section 4 brings the other one.
#
# ### The output gate
# $h_t = o_t\odot\tanh(C_t)$ is a product. Each factor gets the gradient times the **other** factor; then the sigmoid's
# slope leads from $o$ to its input $a_o$.
#
# $$\frac{\partial J}{\partial o} = \frac{\partial J}{\partial h}\odot\tanh(C_t),\qquad
# \frac{\partial J}{\partial a_o} = \frac{\partial J}{\partial o}\odot\frac{\partial o}{\partial a_o}$$
#
# First unit: $\partial J/\partial o = .5\cdot .4136 = .2068$ and $\partial J/\partial a_o = .2068\cdot .24 = .0496$.
# Which number is .24, with $o = .6$?
#
# **Write `d_output_gate(d_h, o, c)`**: three vectors (H,); it returns `d_o` and `d_a_o`, both (H,).


# %% item="d-output-gate"
def d_output_gate(d_h, o, c):
    """(H,), (H,), (H,) -> (H,), (H,). dJ/do and dJ/da_o. Source: the article, output gate."""
    ### BEGIN SOLUTION
    d_o = d_h * np.tanh(c)
    return d_o, d_o * o * (1 - o)
    ### END SOLUTION


# %% [markdown]
# ### The cell state, from two sides
# $C_t$ is used twice: it is shown in $h_t$, and it is carried on to step $t+1$. What comes back from both is **added**:
#
# $$\frac{\partial J}{\partial C_t} = \frac{\partial J}{\partial h_t}\odot\frac{\partial h_t}{\partial C_t} +
# \text{what arrives from step } t+1$$
#
# The article calls this the clubbed gradient and prints $\pm$ between the two parts. It is a plus: gradients of a
# value that is used in several places always add. `d_c_next` is what step $t+1$ sends back along the belt; that step
# has already multiplied its own forget gate into it. At the last step nothing follows and it is zero.
#
# First unit: from $h_t$ comes $.5\cdot .6\cdot .8289 = .2487$ (.8289 is the slope of tanh at $C_t$), from the next step
# .1, together .3487. The second unit: $-.0779 + .3 = .2221$.
#
# **Write `d_cell(d_h, o, c, d_c_next)`**: four vectors (H,), the result is (H,).


# %% item="d-cell"
def d_cell(d_h, o, c, d_c_next):
    """(H,), (H,), (H,), (H,) -> (H,). dJ/dC_t from both sides. Source: the article, cell state clubbed."""
    ### BEGIN SOLUTION
    return d_h * o * (1 - np.tanh(c) ** 2) + d_c_next
    ### END SOLUTION


# %% [markdown]
# ### The candidate
# From here on `d_c`, the clubbed gradient, is what arrives: (.3487, .2221) in the example. $C_t = f_t\odot C_{t-1} +
# i_t\odot\tilde c_t$ has four factors in two products, so again each gets the gradient times its partner.
#
# For the candidate the partner is $i$: $\partial J/\partial\tilde c = .3487\cdot .7 = .2441$. Then the slope of tanh,
# written with its output $\tilde c = .2$, leads to the input: $\partial J/\partial a_c = .2441\cdot .96 = .2343$.
#
# **Write `d_candidate(d_c, i, c_tilde)`**: three vectors (H,); it returns `d_c_tilde` and `d_a_c`.


# %% item="d-candidate"
def d_candidate(d_c, i, c_tilde):
    """(H,), (H,), (H,) -> (H,), (H,). dJ/dc~ and dJ/da_c. Source: the article, candidate cell state."""
    ### BEGIN SOLUTION
    d_c_tilde = d_c * i
    return d_c_tilde, d_c_tilde * (1 - c_tilde**2)
    ### END SOLUTION


# %% [markdown]
# ### The input gate
# The same product seen from the other side. First unit: $\partial J/\partial i = .0697$ and
# $\partial J/\partial a_i = .0697\cdot .21 = .0146$.
#
# **Write `d_input_gate(d_c, i, c_tilde)`**: three vectors (H,); it returns `d_i` and `d_a_i`.


# %% item="d-input-gate"
def d_input_gate(d_c, i, c_tilde):
    """(H,), (H,), (H,) -> (H,), (H,). dJ/di and dJ/da_i. Source: the article, input gate."""
    ### BEGIN SOLUTION
    d_i = d_c * c_tilde
    return d_i, d_i * i * (1 - i)
    ### END SOLUTION


# %% [markdown]
# ### The forget gate
# Its partner is the **old** memory. First unit: $\partial J/\partial f = .3487\cdot .6 = .2092$ and
# $\partial J/\partial a_f = .0523$. With $C_0 = 0$ the forget gate gets no gradient at the first step:
# there was nothing to forget. If yours gets one, look whether $C_t$ stands where $C_{t-1}$ should.
#
# **Write `d_forget_gate(d_c, f, c_prev)`**: three vectors (H,); it returns `d_f` and `d_a_f`.


# %% item="d-forget-gate"
def d_forget_gate(d_c, f, c_prev):
    """(H,), (H,), (H,) -> (H,), (H,). dJ/df and dJ/da_f. Source: the article, forget gate."""
    ### BEGIN SOLUTION
    d_f = d_c * c_prev
    return d_f, d_f * f * (1 - f)
    ### END SOLUTION


# %% [markdown]
# ### The memory before
# The fourth factor is $C_{t-1}$ itself. What it gets travels on to step $t-1$, where it arrives as that step's
# `d_c_next`. First unit: .1743; second unit: .1777.
#
# **Write `d_previous_cell(d_c, f)`**: two vectors (H,), the result is (H,).


# %% item="d-previous-cell"
def d_previous_cell(d_c, f):
    """(H,), (H,) -> (H,). What goes back along the belt to step t-1. Source: the article, input to the LSTM."""
    ### BEGIN SOLUTION
    return d_c * f
    ### END SOLUTION


# %% given="drawing-back" hidden=true
def draw_cell_backward(d_output_gate, d_cell, d_candidate, d_input_gate, d_forget_gate, d_previous_cell):
    """The first unit of the example: values forward in green, your gradients coming back in red."""
    e = example
    d_c = tried(d_cell, e["d_h"], e["o"], e["c"], e["d_c_next"])
    d_out = tried(d_output_gate, e["d_h"], e["o"], e["c"])
    d_cand = tried(d_candidate, d_c, e["i"], e["c_tilde"])
    d_in = tried(d_input_gate, d_c, e["i"], e["c_tilde"])
    d_for = tried(d_forget_gate, d_c, e["f"], e["c_prev"])
    ax = cell_frame("First unit of the example: values forward, gradients back")

    def both(x, y, value, gradient, side="left"):
        tag(ax, x, y, value, GREEN, side)
        tag(ax, x, y - 0.36, gradient, RED, side)

    both(1.8, 6.56, first(e["c_prev"]), first(tried(d_previous_cell, d_c, e["f"])), "center")
    both(4.8, 6.56, first(e["f"] * e["c_prev"]), first(d_c), "center")
    both(9.2, 6.56, first(e["c"]), first(d_c), "center")
    tag(ax, 12.3, 6.56, "from $t+1$:", RED, "center")
    tag(ax, 12.3, 6.2, first(e["d_c_next"]), RED, "center")
    both(3.15, 4.4, f"$f$ = {first(e['f'])}", first(d_for, (0,)))
    both(5.25, 3.6, f"$i$ = {first(e['i'])}", first(d_in, (0,)), "right")
    both(7.95, 3.6, rf"$\tilde c$ = {first(e['c_tilde'])}", first(d_cand, (0,)))
    both(6.75, 5.3, first(e["i"] * e["c_tilde"]), first(d_c))
    both(9.85, 3.1, f"$o$ = {first(e['o'])}", first(d_out, (0,)))
    both(12.45, 4.1, first(e["o"] * np.tanh(e["c"])), first(e["d_h"]), "center")
    tag(ax, 11.25, 4.2, first(np.tanh(e["c"])), GREEN, "right")
    for x, result in [(3.0, d_for), (5.4, d_in), (7.8, d_cand), (9.7, d_out)]:
        tag(ax, x + 0.12, 1.1, first(result, (1,)), RED)
    tag(ax, 0.8, 0.0, "red under a gate: gradient at the gate's input, $\\partial J/\\partial a$", RED)
    plt.show()


# %% [markdown]
# The cell once more, with all your gradients. Follow the belt from right to left: nothing on it but one sum and one
# product.

# %%
draw_cell_backward(d_output_gate, d_cell, d_candidate, d_input_gate, d_forget_gate, d_previous_cell)

# %% [markdown]
# ### Back to the input and the hidden state before
# $z_t$ feeds all four layers: a value used in four places, so four gradients add.
#
# $$\frac{\partial J}{\partial z_t} = W_f^T\frac{\partial J}{\partial a_f} + W_i^T\frac{\partial J}{\partial a_i} +
# W_c^T\frac{\partial J}{\partial a_c} + W_o^T\frac{\partial J}{\partial a_o}$$
#
# $z_t$ was $[h_{t-1}, x_t]$, so its gradient is cut at the same place: the first H entries belong to $h_{t-1}$, the
# others to $x_t$.
#
# With H = 2 and $\partial J/\partial z = (1, 2, 3, 4, 5)$ the parts are $(1, 2)$ and $(3, 4, 5)$; with H = 3 they are
# $(1, 2, 3)$ and $(4, 5)$.
#
# **Write `d_concat(d_a, params, H)`**: `d_a` is a dict with the keys `"f"`, `"i"`, `"c"`, `"o"`, each a vector (H,);
# `params` is a dict as above, `H` an integer. It returns `d_h_prev` (H,) and `d_x` (D,). The test cell tries H = 2 and,
# with the `other` parameters, H = 3.


# %% item="d-concat"
def d_concat(d_a, params, H):
    """dict of (H,), dict, one integer -> (H,), (D,). dJ/dh_{t-1} (this road's part) and dJ/dx_t.

    Source: the article, input to the LSTM.
    """
    ### BEGIN SOLUTION
    d_z = sum(params[f"W_{gate}"].T @ d_a[gate] for gate in "fico")
    return d_z[:H], d_z[H:]
    ### END SOLUTION


# %% [markdown]
# ### The weights of one step
# $a_f = W_f\,z_t + b_f$: entry $(k, j)$ of $W_f$ carries $z_t[j]$ into $a_f[k]$, so
#
# $$\frac{\partial J}{\partial W_f[k, j]} = \frac{\partial J}{\partial a_f[k]}\; z_t[j],\qquad
# \frac{\partial J}{\partial b_f} = \frac{\partial J}{\partial a_f}$$
#
# and the same for $i$, $c$ and $o$. With $\partial J/\partial a_f = (2, 3)$ and $z = (1, 10, 100)$ the first row of the
# gradient is $(2, 20, 200)$ and the second $(3, 30, 300)$. Shapes tell the order: the gradient has the shape of $W_f$.
#
# The output's layer works the same way. $v_t = W_v\,h_t + b_v$, so $h_t$ takes the place of $z_t$ and
# $\partial J/\partial v_t$ that of $\partial J/\partial a_f$:
#
# $$\frac{\partial J}{\partial W_v[k, j]} = \frac{\partial J}{\partial v_t[k]}\; h_t[j],\qquad
# \frac{\partial J}{\partial b_v} = \frac{\partial J}{\partial v_t}$$
#
# With $\partial J/\partial v_t = (.2, .5, -.9, .2)$ and $h_t = (.5, -.2)$ the first row for $W_v$ is $(.1, -.04)$, the
# third $(-.45, .18)$. (The article prints this product with $h_t^T$ in front, as if it were a scalar product. That does
# not even fit unless $h$ and $v$ have one size, and then gives one number in place of a matrix.) You need these two in
# section 4; the next question asks for the gates' eight.
#
# **Write `d_weights(d_a, z)`**: `d_a` a dict f, i, c, o of vectors (H,), `z` (H+D,). It returns a dict with the eight
# keys `W_f`, `b_f`, `W_i`, `b_i`, `W_c`, `b_c`, `W_o`, `b_o`.


# %% item="d-weights"
def d_weights(d_a, z):
    """dict of (H,), (H+D,) -> dict of (H, H+D) and (H,). One step's gradients of the gates' parameters.

    Source: the article, weights and biases.
    """
    ### BEGIN SOLUTION
    grads = {}
    for gate in "fico":
        grads[f"W_{gate}"] = np.outer(d_a[gate], z)
        grads[f"b_{gate}"] = d_a[gate].copy()
    return grads
    ### END SOLUTION


# %% [markdown]
# ## 4. Back through the whole sequence
#
# Go forward from `h0`, `c0` through all T steps and keep every cache. Then go back from step T to step 1. Two gradients
# travel along, and both start at zero behind the last step:
#
# | travels | is added to | comes from |
# |---|---|---|
# | `d_h_next` | $W_v^T\,\partial J/\partial v_t$; the sum is $\partial J/\partial h_t$ | `d_concat` of step $t+1$ |
# | `d_c_next` | inside `d_cell` | `d_previous_cell` of step $t+1$ |
#
# The parameters are the same at every step: used in T places, so their gradients are **summed** over the steps, the
# biases as well as the weights, all ten of them. `d_weights` gives a step's share of eight, and
#
# $$\frac{\partial J}{\partial W_v[k, j]} = \sum_{t=1}^{T}\frac{\partial J}{\partial v_t[k]}\; h_t[j],\qquad
# \frac{\partial J}{\partial b_v} = \sum_{t=1}^{T}\frac{\partial J}{\partial v_t}$$
#
# are the other two. What is left of the two travellers in front of step 1 is the gradient of `h0` and of `c0`.
#
# The five losses of the worked LSTM add up to 6.2806, the two of the `other` one to 3.6800. The test cell tries both.
#
# **Write `lstm_backward(xs, ys, h0, c0, params)`**: `xs` (T, D), `ys` (T,) integers. It returns `loss` (the sum over
# the steps), `gradients` (a dict with the ten keys of `params`), `d_h0` and `d_c0`, both (H,).


# %% item="lstm-backward"
def lstm_backward(xs, ys, h0, c0, params):
    """(T, D), (T,), (H,), (H,), dict -> one number, dict, (H,), (H,). Loss, all gradients, d_h0, d_c0.

    Source: the article, back propagation through time.
    """
    ### BEGIN SOLUTION
    h, c, loss, steps = h0, c0, 0.0, []
    for x, label in zip(xs, ys, strict=True):
        h, c, cache = lstm_step(x, h, c, params)
        _, y_hat = lstm_output(h, params["W_v"], params["b_v"])
        loss = loss - np.log(y_hat[label])
        steps.append((cache, y_hat, label))
    grads = dict.fromkeys(params, 0.0)
    d_h_next, d_c_next = np.zeros_like(h0), np.zeros_like(c0)
    for cache, y_hat, label in reversed(steps):
        d_v, d_h = d_output(y_hat, label, params["W_v"])
        d_h = d_h + d_h_next
        d_c = d_cell(d_h, cache["o"], cache["c"], d_c_next)
        d_a = {
            "f": d_forget_gate(d_c, cache["f"], cache["c_prev"])[1],
            "i": d_input_gate(d_c, cache["i"], cache["c_tilde"])[1],
            "c": d_candidate(d_c, cache["i"], cache["c_tilde"])[1],
            "o": d_output_gate(d_h, cache["o"], cache["c"])[1],
        }
        step = d_weights(d_a, cache["z"])
        step["W_v"], step["b_v"] = np.outer(d_v, cache["h"]), d_v
        for name, d_param in step.items():
            grads[name] = grads[name] + d_param
        d_h_next, _ = d_concat(d_a, params, len(h0))
        d_c_next = d_previous_cell(d_c, cache["f"])
    return loss, grads, d_h_next, d_c_next
    ### END SOLUTION


# %% given="drawing-check" hidden=true
def compare_gradients(lstm_backward, h=1e-5):
    """A table: for each parameter and both start states, your gradient beside central differences of your loss."""
    result = tried(lstm_backward, xs, ys, h0, c0, params)
    if not isinstance(result, tuple | list) or len(result) != 4 or not isinstance(result[1], dict):
        print("answer lstm_backward and run this again")
        return None
    places = {**params, "h0": h0, "c0": c0}
    mine = {**result[1], "h0": result[2], "c0": result[3]}

    def loss_with(name, thing):
        start = {"h0": h0, "c0": c0, name: thing}
        return lstm_backward(xs, ys, start["h0"], start["c0"], {k: start.get(k, v) for k, v in params.items()})[0]

    lines = []
    for name, thing in places.items():
        measured = np.zeros_like(thing)
        for place in np.ndindex(thing.shape):
            step = np.zeros_like(thing)
            step[place] = h
            measured[place] = (loss_with(name, thing + step) - loss_with(name, thing - step)) / (2 * h)
        found = tried(lambda got, like: np.asarray(got, dtype=float).reshape(like.shape), mine.get(name), thing)
        far = "not of the shape" if found is None else f"{np.max(np.abs(found - measured)):.0e}"
        lines.append((name, str(thing.shape), "?" if found is None else f"{found.flat[0]:.6f}", measured.flat[0], far))
    columns = ["parameter", "shape", "first entry, calculated", "first entry, measured", "largest difference"]
    return pd.DataFrame(lines, columns=columns).round(6)


# %% [markdown]
# Calculated beside measured (central differences, unit 3). Differences of about 1e-9 are rounding. A word of care: the
# measured column uses **your** loss. It shows that loss and gradients agree with each other, not that the loss is the
# right one.

# %%
compare_gradients(lstm_backward)

# %% [markdown]
# ## 5. The update
#
# The gradient points to where the loss **grows**. The article ends with the update
#
# $$W_f \mathrel{+}= \alpha\,\frac{\partial J}{\partial W_f}$$
#
# and the same for the other weights, $\alpha > 0$ being the learning rate. Is that the sign that you want?
#
# **Define `update_sign`**, the text `"+"` or `"-"`: what should stand in front of the equals sign.

# %% item="update-sign"
update_sign = None  # "+" or "-"
### BEGIN SOLUTION
update_sign = "-"
### END SOLUTION

# %% [markdown]
# One step down the gradient, for all parameters at once. A weight 1.0 with gradient .5 and $\alpha = .1$ becomes .95.
#
# The test cell calls this question `lstm-step-down`; the function is called `sgd_update`.
#
# **Write `sgd_update(params, grads, alpha)`**: two dicts with the same keys and one number. It returns a **new** dict
# with those keys; `params` and its arrays must stay as they were (here it costs half the points if they do not).


# %% item="lstm-step-down"
def sgd_update(params, grads, alpha):
    """dict, dict, one number -> a new dict. One step down the gradient. Source: the article, weight updation."""
    ### BEGIN SOLUTION
    return {name: value - alpha * grads[name] for name, value in params.items()}
    ### END SOLUTION


# %% given="drawing-descent" hidden=true
def draw_descent(lstm_backward, sgd_update, alpha=0.1):
    """The loss of the worked sequence under repeated updates: down the gradient, and for comparison up."""
    fig, axes = plt.subplots(1, 2, figsize=(11, 3.8))
    runs = [(alpha, 400, "your sgd_update with α = .1", GREEN), (-alpha, 60, "the same with α = -.1: uphill", RED)]
    for ax, (rate, steps, title, color) in zip(axes, runs, strict=True):
        now, losses = params, []
        for _ in range(steps):
            result = tried(lstm_backward, xs, ys, h0, c0, now)
            loss = None if result is None else tried(lambda found: float(found[0]), result)
            if loss is None or not np.isfinite(loss):
                break
            losses.append(loss)
            now = tried(lambda found, old, by: sgd_update(old, found[1], by), result, now, rate)
            if now is None:
                break
        if len(losses) > 1:
            ax.plot(losses, color=color)
            ax.set(ylim=(0, 1.05 * max(losses)))
        else:
            message = "answer lstm_backward and sgd_update\nand run this again"
            ax.text(0.5, 0.5, message, ha="center", va="center", color="0.5", transform=ax.transAxes)
            ax.set(xticks=[], yticks=[])
        ax.set(xlabel="update", ylabel="loss of the five steps", title=title)
        ax.spines[["top", "right"]].set_visible(False)
    fig.subplots_adjust(left=0.05, right=0.99, bottom=0.15, top=0.9, wspace=0.15)
    plt.show()


# %%
draw_descent(lstm_backward, sgd_update)

# %% [markdown]
# ## 6. Two cells with a job
#
# In trained LSTMs that read text letter by letter, people have found single cells whose memory means something:
# one counts how far the line has come, one is switched on inside quotation marks. Nobody told them to.
# You can build both by hand. One cell is enough: H = 1, and D = 1 with
#
# $$x_t = 1 \text{ at the special character, else } 0.$$
#
# Each gate then has two weights and a bias, $a = w_h\,h_{t-1} + w_x\,x_t + b$. A large $|a|$ makes a gate a switch:
# $\sigma(20) = 1 - 2\cdot 10^{-9}$, $\sigma(-20) = 2\cdot 10^{-9}$, and $\tanh(20)$ is 1 to all digits.
# With `(w_h, w_x, b) = (0, -40, 20)` a gate is open at ordinary characters ($a = 20$) and shut at the special one
# ($a = -20$).
#
# The helper `one_cell` turns four such triples into the dict of eight parameters, each `W` (1, 2) on $[h, x]$, each `b`
# (1,). For example, a cell that adds one half at every character, whatever it is, and never forgets:
#
# `one_cell(f=(0, 0, 20), i=(0, 0, 0), c=(0, 0, 20), o=(0, 0, 20))`


# %% given="one-cell"
def one_cell(f, i, c, o):
    """Four triples (weight on h, weight on x, bias) -> dict of W_f, b_f, ..., b_o for H = 1, D = 1."""
    cell = {}
    for gate, (on_h, on_x, bias) in {"f": f, "i": i, "c": c, "o": o}.items():
        cell[f"W_{gate}"] = np.array([[on_h, on_x]], dtype=float)
        cell[f"b_{gate}"] = np.array([bias], dtype=float)
    return cell


sample = (
    "The keeper of the lighthouse counted the waves.\n"
    '"Eleven," he said, "and the twelfth one is late."\n'
    "Nobody answered.\n"
    "Far out, a gull looked down at the sea and cried:\n"
    '"Twelve!"\n'
    "He wrote it into the book."
)

# %% given="drawing-text" hidden=true


def run_over_text(cell, text, mark):
    """Arrays f, i, c_tilde, o, c over the characters, by your own functions; None where one is unanswered."""
    if not isinstance(cell, dict):
        return None
    h, c, rows = np.zeros(1), np.zeros(1), []
    for character in text:
        x = np.array([1.0 if character == mark else 0.0])
        z = np.concatenate([h, x])
        gates = [
            tried(gate, z, cell.get(f"W_{k}"), cell.get(f"b_{k}"))
            for k, gate in zip("fico", (forget_gate, input_gate, candidate, output_gate), strict=True)
        ]
        after = tried(lstm_step, x, h, c, cell)
        if after is None or any(gate is None for gate in gates):
            return None
        h, c = after[0], after[1]
        rows.append([float(np.ravel(number)[0]) for number in (*gates, c)])
    return dict(zip(("f", "i", "c_tilde", "o", "c"), np.array(rows).T, strict=True))


def draw_text(cell, text, mark, title, full):
    """The text on the colour of the cell's state (0 light, `full` dark); below it the state and the gates."""
    found = run_over_text(cell, text, mark)
    lines = text.split("\n")
    fig, (top, low, strip) = plt.subplots(3, 1, figsize=(12, 6.4), height_ratios=[len(lines), 2.6, 2.2])
    fig.subplots_adjust(left=0.07, right=0.99, bottom=0.08, top=0.95, hspace=0.07)
    colors, k = plt.get_cmap("YlGn"), 0
    for row, line in enumerate(lines):
        for column, character in enumerate(line + ("⏎" if row < len(lines) - 1 else "")):
            share = 0.0
            if found is not None:
                share = float(np.clip(found["c"][k] / full, 0, 1))
                top.add_patch(plt.Rectangle((column, row + 0.04), 1, 0.92, color=colors(0.85 * share), lw=0))
            ink = "white" if share > 0.7 else "0.5" if character == "⏎" else "black"
            spot = (column + 0.5, row + 0.5)
            top.text(*spot, character, color=ink, fontsize=13, family="monospace", ha="center", va="center")
            k += 1
    widest = max(map(len, lines)) + 1
    top.set(xlim=(0, widest), ylim=(len(lines), 0), title=title)
    top.axis("off")
    marks = [k for k, character in enumerate(text) if character == mark]
    if found is None:
        low.set(xticks=[], yticks=[])
        strip.axis("off")
        message = "answer the cell (and lstm_step) and run this again"
        low.text(0.5, 0.5, message, ha="center", va="center", color="0.5", transform=low.transAxes)
        plt.show()
        return None
    low.plot(found["c"], color=GREEN, drawstyle="steps-mid")
    low.set(ylabel="c", xlim=(-0.5, len(text) - 0.5), xticks=[])
    low.spines[["top", "right"]].set_visible(False)
    for k in marks:
        low.axvline(k, color="0.85", lw=0.8, zorder=0)
    table = np.array([found["f"], found["i"], (found["c_tilde"] + 1) / 2, found["o"]])
    strip.imshow(table, aspect="auto", cmap="Greys", vmin=0, vmax=1.25, interpolation="nearest")
    strip.set(yticks=range(4), yticklabels=["forget", "input", "candidate", "output"])
    strip.set(
        xlabel="character (gates: white 0, dark 1; candidate: white -1, dark 1; thin lines: the special character)"
    )
    for k in (0.5, 1.5, 2.5):
        strip.axhline(k, color="white", lw=2)
    plt.show()
    return found


def draw_line_cell(cell):
    """The line-length cell over the sample text, and how far its state is from the count."""
    found = draw_text(cell, sample, "\n", "The line-length cell: light at the start of a line, dark at its end", 50)
    if found is not None:
        count, counts = 0, []
        for character in sample:
            count = 0 if character == "\n" else count + 1
            counts.append(count)
        far = np.max(np.abs(found["c"] - counts))
        print(f"largest distance between c and the count on this text: {far:.4f} (at most .01 is asked for)")


def draw_quote_cell(cell):
    """The quote cell over the sample text, and how clearly its state tells inside from outside."""
    found = draw_text(cell, sample, '"', "The quote cell: dark inside quotation marks, light outside", 1)
    if found is not None:
        quote = np.array([character == '"' for character in sample])
        inside = (np.cumsum(quote) % 2 == 1) & ~quote
        low, high = np.min(found["c"][inside]), np.max(found["c"][~inside & ~quote])
        print(f"inside: c is at least {low:.4f} (above .5 is asked for); outside: at most {high:.4f} (below .5)")


# %% [markdown]
# ### A cell that counts
# $c$ must be the number of characters since the last newline: 0 at the newline itself, 1 at the first character of the
# line, 2 at the second. Before the first newline it counts from the start of the text.
#
# | at | $c$ should become | so the forget gate is | and what is written is |
# |---|---|---|---|
# | an ordinary character ($x = 0$) | $c + 1$ | ? | ? |
# | a newline ($x = 1$) | 0 | ? | ? |
#
# **Define `line_params`**, a dict with the eight gate parameters (`one_cell(...)` makes one). The cell starts at
# $h = c = 0$. On any text, with lines of up to 80 characters, $c$ must stay within .01 of the count.

# %% item="line-length-cell"
line_params = None  # a dict, one_cell(f=(..., ..., ...), i=..., c=..., o=...)
### BEGIN SOLUTION
line_params = one_cell(f=(0, -40, 20), i=(0, -40, 20), c=(0, 0, 20), o=(0, 0, 20))
### END SOLUTION

# %%
draw_line_cell(line_params)

# %% [markdown]
# ### A cell that remembers
# Now $x = 1$ at a straight quotation mark `"`. The opening mark and the closing mark are the same character, so $x$
# alone cannot tell what to do: the cell must look at what it remembers. It sees that as $h_{t-1} = o\tanh(C_{t-1})$.
# With $o = 1$ a state of $c = 1$ shows as $h = .7616$, $c = 0$ as $h = 0$ and $c = -1$ as $h = -.7616$.
#
# | at | state before | state after |
# |---|---|---|
# | an ordinary character | any | the same |
# | a mark | low (or the start, $c = 0$) | high |
# | a mark | high | low |
#
# Low may be 0 or -1, as you like. In a candidate `(w_h, w_x, b)` the sign of $a$ changes at $h = -b/w_h$: which $h$
# lies well between the two states?
#
# **Define `quote_params`**, a dict as before. $c$ must be above .5 for all characters between an opening and its
# closing mark, below .5 for all characters outside, for any number of quotations of up to 80 characters each. The
# marks themselves are not judged.

# %% item="quote-cell"
quote_params = None  # a dict, one_cell(f=(..., ..., ...), i=..., c=..., o=...)
### BEGIN SOLUTION
quote_params = one_cell(f=(0, -40, 20), i=(0, 40, -20), c=(-40, 0, 15), o=(0, 0, 20))
### END SOLUTION

# %%
draw_quote_cell(quote_params)

# %% [markdown]
# Compare the two strips of gates. The counting cell writes at every character and wipes at one; the remembering cell
# writes at the marks alone and keeps its input gate shut for the rest of the time. Wherever the strip of the forget
# gate is dark, a gradient passes; where it is white, it ends. How far would one come in each of your two cells?
#
# ## 7. Why the gradient survives
#
# Going back along the belt, the gradient is multiplied by $f_T$, then $f_{T-1}$, and so on; nothing else. On its way
# from $C_T$ to the state before step $t$ it has met the gates of steps $t$ to $T$:
#
# $$\frac{\partial C_T}{\partial C_{t-1}} = f_t\odot f_{t+1}\odot\cdots\odot f_T \qquad\text{(along the belt alone)}$$
#
# With gates $(.5, .9, .8)$ the three factors are $(.36, .72, .8)$: the last one is .8, the one before $.9\cdot .8$, the
# first $.5\cdot .9\cdot .8$. A gate is never above 1, so this road cannot explode; and a net that wants to remember
# opens its gate, and the factor stays near 1.
#
# The test cell calls this question `lstm-vs-rnn`; the function is called `state_gradient_lstm`.
#
# **Write `state_gradient_lstm(fs)`**: `fs` holds the forget gates in the order of time, (T,) for one cell or (T, H),
# one row a step, $f_1$ in `fs[0]`. The result has the same shape; entry `t`, from 0, is the product of `fs[t]` to
# `fs[T-1]`.


# %% item="lstm-vs-rnn"
def state_gradient_lstm(fs):
    """(T,) or (T, H) -> same shape. What the gradient at the end is multiplied with on its way to before step t.

    Source: the article, C_{t-1}; Kurpasi's RNN tutorial, vanishing gradients.
    """
    ### BEGIN SOLUTION
    return np.cumprod(fs[::-1], axis=0)[::-1]
    ### END SOLUTION


# %% given="drawing-flow" hidden=true
def draw_gradient_flow(state_gradient_lstm, T=40):
    """How much of a gradient is left k steps back: a one-unit RNN on the left, an LSTM cell's belt on the right."""
    back = np.arange(1, T + 1)
    fig, (left, right) = plt.subplots(1, 2, figsize=(12, 4.6), sharey=True)
    for w, state, style, name in [
        (1.5, 0.0, "-", "w = 1.5, h near 0: explodes"),
        (1.0, 0.0, "-", "w = 1, h near 0: steady"),
        (1.5, 0.858, "--", "w = 1.5, h near .86: vanishes"),
        (0.5, 0.0, "-", "w = .5, h near 0: vanishes"),
    ]:
        left.plot(back, (w * (1 - state**2)) ** back, style, label=name)
    left.set(title="RNN: a factor w (1 - h²) at every step", ylabel="factor of the gradient (log scale)")
    gate = {"all gates .999": np.full(T, 0.999), "all gates .9": np.full(T, 0.9), "all gates .5": np.full(T, 0.5)}
    reset = np.full(T, 0.999)
    reset[T // 2] = 1e-5
    gate["shut once, 20 steps back"] = reset
    for (name, fs), style in zip(gate.items(), ("-", "-", "-", "--"), strict=True):
        found = tried(state_gradient_lstm, fs)
        flow = None if found is None else tried(lambda got=found: np.asarray(got, dtype=float).reshape(T))
        if flow is not None:
            right.plot(back, flow[::-1], style, label=name)
    if right.lines:
        right.legend(frameon=False, loc="upper right")
    else:
        message = "answer state_gradient_lstm\nand run this again"
        right.text(0.5, 0.75, message, ha="center", va="center", color="0.5", transform=right.transAxes)
    right.set(title="LSTM: the forget gates, and nothing else")
    left.legend(frameon=False, loc="upper left")
    for ax in (left, right):
        ax.set(yscale="log", xlim=(-0.5, T + 1), ylim=(1e-13, 1e11), xlabel="steps back")
        ax.axhline(1, color="0.8", lw=0.8, zorder=0)
        ax.spines[["top", "right"]].set_visible(False)
    left.yaxis.set_major_formatter("{x:.0e}")  # a formula at each tick is slow to draw
    fig.subplots_adjust(left=0.07, right=0.99, bottom=0.13, top=0.92, wspace=0.04)
    plt.show()


# %% [markdown]
# Beside it the RNN of unit 6 with a single unit, whose gradient meets $w\,(1 - h_t^2)$ at every step. It stays steady
# for one value of $w$ alone, and only while $h$ is near 0; the LSTM chooses its factor at every step anew. (Gradients
# take other roads as well, through $h_{t-1}$ and the gates; those can vanish or explode as before.)

# %%
draw_gradient_flow(state_gradient_lstm)

# %% [markdown]
# ## What you have learnt
#
# - An LSTM carries two states: $C_t$, the memory, and $h_t$, what is shown of it. Three gates and a candidate, all
#   seeing $[h_{t-1}, x_t]$, decide what is kept, written and shown.
# - Going back, each factor of a product gets the gradient times its partner; then the slope of sigmoid or tanh, from
#   its output, leads to the gate's input.
# - $h_t$ and $C_t$ are used twice, $z_t$ four times, the weights at every step: each time the gradients **add**.
# - An update goes down the gradient: minus.
# - With saturated gates a cell is a little machine: it counts, it remembers, it is reset.
# - Along the belt the gradient meets forget gates only. That is why an LSTM can learn what lies far back.
