# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Unit 6: a recurrent net learns "hello"
#
# The net of this unit reads a word letter by letter and guesses each next letter. It has a memory, three numbers that
# it passes on to itself. You run it by hand, run it backwards through time, train it, and let it write.
#
# **It assumes** matrix products and softmax (units 1 and 2), $c = a\,\delta$ and the sum where roads meet (unit 3), and
# that a weight used at every step collects a gradient at every step (unit 5).
#
# **Afterwards you can**
# - turn letters into vectors and a word into training pairs,
# - say which shape of net fits a task,
# - work out a step of a recurrent net with pencil and paper,
# - write backpropagation through time for all five parameters, and the step that uses them,
# - let the trained net spell, and say when its gradients vanish or explode.
#
# **It takes** about four hours. Each question is followed by a test cell that tells you at once how it went; for the
# trained net of section 8, the picture below it does. Grading calls your functions with fresh numbers, other ones for
# each student.
#
# The net and its numbers come from Grady Kurpasi's slides "RNN-Tutorial"; below they are just "the slides".

# %% given="setup"
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

text = "hello"
W_xh = np.array([[0.6, 0.8, 0.4, 0.8], [0.2, 0.2, 0.8, 0.7], [0.9, 0.8, 0.1, 0.2]])  # (H, V), input to hidden
W_hh = np.array([[0.1, 0.5, 0.1], [0.5, 0.9, 0.3], [0.3, 0.2, 0.1]])  # (H, H), hidden to hidden
W_yh = np.array([[0.9, 0.8, 0.3], [0.2, 0.3, 0.4], [0.6, 0.9, 0.1], [0.5, 0.0, 0.3]])  # (V, H), hidden to output
h0 = np.array([0.2, 0.1, 0.3])  # (H,), a starting state


def softmax(f):
    """any shape -> same shape. exp(f) over its sum along the last axis, without overflow. Source: unit 02."""
    power = np.exp(f - np.max(f, axis=-1, keepdims=True))
    return power / np.sum(power, axis=-1, keepdims=True)


# %% [markdown]
# ## 1. Letters as vectors
#
# A net eats numbers. The list of all letters that occur is the **vocabulary**; each gets an index, in the order in
# which it is first met. In "banana" that is `b` 0, `a` 1, `n` 2: three letters, though the word has six.
#
# **Define `char_to_ix`**, a dict from letter to index for `text = "hello"`.

# %% item="vocabulary"
char_to_ix = None  # a dict, letter -> index, in order of first appearance
### BEGIN SOLUTION
char_to_ix = {letter: ix for ix, letter in enumerate(dict.fromkeys(text))}
### END SOLUTION

# %% [markdown]
# The index itself is a poor input: it claims that letter 2 is twice letter 1. So each letter gets a slot of its own,
# with a 1 in it, and 0 in all others: its **one-hot** vector. In "banana", `n` is $(0, 0, 1)$.
#
# **Write `one_hot(ix, size)`**: an index from 0 and the size of the vocabulary in, shape `(size,)` out.


# %% item="one-hot"
def one_hot(ix, size):
    """int, int -> (size,). A 1 at place ix and zeros elsewhere. Source: Kurpasi, RNN-Tutorial, character prediction."""
    ### BEGIN SOLUTION
    vector = np.zeros(size)
    vector[ix] = 1.0
    return vector
    ### END SOLUTION


# %% [markdown]
# ### What the net is asked
# At each letter, the target is the letter after it. The last letter has no successor, so a word of five letters gives
# four pairs. "cat" gives `("c", "a")` and `("a", "t")`.
#
# **Define `pairs`**: the list of the (input, target) letters of "hello", in order.

# %% item="training-pairs"
pairs = None  # a list of pairs of letters
### BEGIN SOLUTION
pairs = [(text[k], text[k + 1]) for k in range(len(text) - 1)]
### END SOLUTION

# %% [markdown]
# Now look at your pairs with the eyes of the net of unit 1, which sees one letter and nothing else. The same input
# always gives the same output. One letter occurs as an input twice, with different targets: whatever that net answers,
# it is wrong once. Longer inputs ("he" to "l", "hel" to "l") only move the problem: a net has a fixed width, and words
# do not. What is missing is a memory.
#
# **Define `ambiguous_input`**: the letter that a net without memory cannot map, as a text of length 1.

# %% item="ambiguous-input"
ambiguous_input = None  # one letter
### BEGIN SOLUTION
ambiguous_input = next(a for a, b in pairs for c, d in pairs if a == c and b != d)
### END SOLUTION

# %% [markdown]
# ## 2. Shapes of nets with a memory
#
# A recurrent net is one small net used again at every step. Drawn step beside step it is **unrolled**: time runs to
# the right, the arrow between the grey boxes is the memory. What goes in (blue) and what comes out (orange) may be
# there at every step or only at some.

# %% given="drawing-shapes" hidden=true
BLUE, GREY, ORANGE, RED, GREEN = "#c6dbef", "#e3e3e3", "#fde3c8", "#c0392b", "#1b5e20"


def draw_shapes():
    """The five arrangements of the slides, unrolled: steps with an input, steps with an output."""
    shapes = [
        ("one-to-one", [1], [1]),
        ("one-to-many", [1, 0, 0], [1, 1, 1]),
        ("many-to-one", [1, 1, 1], [0, 0, 1]),
        ("many-to-many", [1, 1, 1], [1, 1, 1]),
        ("generation", [1, 1, 1], [1, 1, 1]),
    ]
    fig, axes = plt.subplots(1, 5, figsize=(12, 3), width_ratios=[len(ins) + 0.1 for _, ins, _ in shapes])
    arrow = {"arrowstyle": "-|>", "color": "0.3", "lw": 1.3, "shrinkA": 0, "shrinkB": 0}
    for ax, (name, ins, outs) in zip(axes, shapes, strict=True):
        for t in range(len(ins)):
            boxes = [(1, GREY)] + [(0, BLUE)] * ins[t] + [(2, ORANGE)] * outs[t]
            for y, color in boxes:
                ax.add_patch(plt.Rectangle((t - 0.27, y - 0.2), 0.54, 0.4, facecolor=color, edgecolor="0.3"))
            if ins[t]:
                ax.annotate("", (t, 0.8), (t, 0.2), arrowprops=arrow)
            if outs[t]:
                ax.annotate("", (t, 1.8), (t, 1.2), arrowprops=arrow)
            if t:
                ax.annotate("", (t - 0.27, 1), (t - 0.73, 1), arrowprops=arrow)
            if t and name == "generation":
                loop = {**arrow, "color": RED, "connectionstyle": "arc3,rad=-.1", "linestyle": (0, (3, 2))}
                ax.annotate("", (t - 0.27, 0.05), (t - 0.73, 1.95), arrowprops=loop)
        ax.set(xlim=(-0.55, len(ins) - 0.45), ylim=(-0.35, 2.35), title=name)
        ax.set_aspect("equal")
        ax.axis("off")
    fig.suptitle("blue: input, grey: hidden state, orange: output; the steps of one net", y=0.02, fontsize=10)
    fig.subplots_adjust(left=0.01, right=0.99, bottom=0.05, top=0.85, wspace=0.07)
    plt.show()


# %% given="tasks"
tasks = ["image classification", "image captioning", "sentiment of a sentence", "translation"]

# %%
draw_shapes()

# %% [markdown]
# - *one-to-one*: a flat's size and rooms to its rent. No memory is needed.
# - *one-to-many*: a single note to a melody.
# - *many-to-one*: the strokes of a pen to the one letter that they write.
# - *many-to-many*: each word of a text to its part of speech.
# - *generation*: each output is the next step's input (dashed). This is how a trained net writes; section 8 does it.
#
# The four `tasks` given above: *image classification* says what a picture shows, in one word; *image captioning* writes
# a sentence below a picture; *sentiment* says whether a sentence is friendly or not; *translation* turns a sentence
# into one of another language. Count a picture and a single verdict as one thing, a sentence as many.
#
# **Define `architectures`**: a dict from each of the four `tasks` to `"one-to-one"`, `"one-to-many"`, `"many-to-one"`
# or `"many-to-many"`; each of these names is used once.

# %% item="architectures"
architectures = None  # a dict, task -> name of the shape
### BEGIN SOLUTION
architectures = {
    "image classification": "one-to-one",
    "image captioning": "one-to-many",
    "sentiment of a sentence": "many-to-one",
    "translation": "many-to-many",
}
### END SOLUTION

# %% [markdown]
# ## 3. One step by hand
#
# The state $h_t$ is made of two things, the letter that comes in and the state before:
#
# $$h_t = \tanh\left(W_{xh}\,x_t + W_{hh}\,h_{t-1} + b_h\right),\qquad
# \hat y_t = \mathrm{softmax}\left(W_{yh}\,h_t + b_y\right)$$
#
# Unit 1 wrote the same step with a sigmoid; here it is $\tanh$ (`np.tanh`), whose values lie between -1 and 1. What
# stands inside the tanh, the sum before it is squashed, is called *raw* below.
#
# | name | what it is | shape here |
# |---|---|---|
# | $x_t$ | the letter that goes in at step $t$, one-hot | (4,) |
# | $h_{t-1}$, $h_t$ | the state before and after step $t$: three hidden units | (3,) |
# | $\hat y_t$ | what comes out at step $t$: a probability for each letter | (4,) |
# | $W_{xh}$ | weights from the letter to the state | (3, 4) |
# | $W_{hh}$ | weights from the state before to the state | (3, 3) |
# | $W_{yh}$ | weights from the state to the output | (4, 3) |
# | $b_h$, $b_y$ | biases of the state and of the output | (3,), (4,) |
#
# **How to read a matrix.** The row says where a weight leads to, the column where it comes from. (In units 1 to 4 it
# was the other way round.) `W_xh[0, 2]` leads from the third letter to the first hidden unit, `W_yh[0, 2]` from the
# third hidden unit to the first letter's score. So `W @ x` makes all the sums of a step. Do not go by the names: in
# $W_{xh}$ the source stands first, in $W_{yh}$ last.
#
# **How we count.** Steps are counted from 1 in formulas: $h_1$ is the state after the first step, $h_0$ the one to
# start from. Indices in brackets are numpy's and begin at 0. And there are two h: the letter "h" of the word and the
# state $h$.
#
# **A small net first**, two inputs and two hidden units:
# $x = (1, 0)$, $h_{t-1} = (.5, -1)$, $b = (.1, 0)$,
# $W_{xh} = \begin{pmatrix}1&2\\0&-1\end{pmatrix}$, $W_{hh} = \begin{pmatrix}.5&0\\1&.2\end{pmatrix}$.
#
# | | first unit | second unit |
# |---|---|---|
# | $W_{xh}x$: the 1 picks the first column | 1 | 0 |
# | $W_{hh}h_{t-1}$ | $.5\cdot .5 + 0\cdot(-1) = .25$ | $1\cdot .5 + .2\cdot(-1) = .3$ |
# | raw: both added, and the bias | $1 + .25 + .1 = 1.35$ | $0 + .3 + 0 = .3$ |
# | $h_t = \tanh(\text{raw})$ | .8741 | .2913 |
#
# Now the net of the slides, with the matrices given at the top. The letter "h" is $(1, 0, 0, 0)$, given as `x_h`. The
# next three questions are about its first step, without biases.
#
# **Define `h1`**, shape (3,): the state after "h" when the state before is all zeros.

# %% given="letter-h"
x_h = np.array([1.0, 0.0, 0.0, 0.0])  # "h"

# %% item="h1-zero-start"
h1 = None  # three numbers, shape (3,)
### BEGIN SOLUTION
h1 = np.tanh(W_xh @ x_h)
### END SOLUTION

# %% [markdown]
# **Define `h1_from_h0`**, shape (3,): the state after "h" when the state before is `h0` = (.2, .1, .3).

# %% item="h1-given-start"
h1_from_h0 = None  # three numbers, shape (3,)
### BEGIN SOLUTION
h1_from_h0 = np.tanh(W_xh @ x_h + W_hh @ h0)
### END SOLUTION

# %% [markdown]
# ### From the state to a guess
# The output has a probability for each of the four letters. Scores $(1, 0, 2)$, for example, have the exponentials
# $2.7183$, $1$, $7.3891$ with sum $11.1073$, and so the probabilities $.2447$, $.0900$, $.6652$.
#
# **Define `p1`**, shape (4,): the probabilities of the letter after "h", $\mathrm{softmax}(W_{yh}\,h_1)$, from your
# `h1` (the zero start) and without a bias. `softmax` is given.

# %% item="p1"
p1 = None  # four probabilities, shape (4,)
### BEGIN SOLUTION
p1 = softmax(W_yh @ h1)
### END SOLUTION

# %% [markdown]
# The net has learnt nothing yet: its favourite after "h" is "h", and "e" is the least likely of all.
#
# **Write `rnn_step(x, h_prev, W_xh, W_hh, b_h)`**: one step of the state, now with a bias, for any number V of letters
# and H of hidden units: `x` is (V,), `h_prev` and `b_h` are (H,), `W_xh` is (H, V), `W_hh` is (H, H); the result is
# (H,).


# %% item="rnn-step"
def rnn_step(x, h_prev, W_xh, W_hh, b_h):
    """(V,), (H,), (H, V), (H, H), (H,) -> (H,). The next hidden state.

    Source: Kurpasi, RNN-Tutorial, recurrent neural networks.
    """
    ### BEGIN SOLUTION
    return np.tanh(W_xh @ x + W_hh @ h_prev + b_h)
    ### END SOLUTION


# %% [markdown]
# ## 4. The whole word
#
# The state goes from step to step and the same five parameters serve all of them. They travel together as a dict
# `params` with the keys `W_xh`, `W_hh`, `W_yh`, `b_h`, `b_y`.
#
# Mind the count. There are $T$ inputs and $T$ outputs but $T+1$ states, because the start counts as one:
#
# | step | input | state before | state after | output |
# |---|---|---|---|---|
# | first | `inputs[0]` | `hs[0]`, the start | `hs[1]` | `ps[0]` |
# | second | `inputs[1]` | `hs[1]` | `hs[2]` | `ps[1]` |
# | last | `inputs[T - 1]` | `hs[T - 1]` | `hs[T]` | `ps[T - 1]` |
#
# So $h_t$ of the formulas is `hs[t]`, but $x_t$ is `inputs[t - 1]` and $\hat y_t$ is `ps[t - 1]`: the states alone have
# a row 0 for the start. Below, all that belongs to steps and not to states is stored like `inputs`, from row 0.
#
# **Write `rnn_forward(inputs, h0, params)`**: `inputs` (T, V), one row a step (not always one-hot), `h0` (H,). It
# returns the pair `hs` (T+1, H) with `hs[0]` the start, and `ps` (T, V).


# %% item="rnn-forward"
def rnn_forward(inputs, h0, params):
    """(T, V), (H,), dict -> hs (T+1, H), ps (T, V). All states, the start first, and all outputs.

    Source: Kurpasi, RNN-Tutorial.
    """
    ### BEGIN SOLUTION
    hs, ps = [h0], []
    for x in inputs:
        hs.append(rnn_step(x, hs[-1], params["W_xh"], params["W_hh"], params["b_h"]))
        ps.append(softmax(params["W_yh"] @ hs[-1] + params["b_y"]))
    return np.array(hs), np.array(ps)
    ### END SOLUTION


# %% [markdown]
# ### The loss of a word
# At each step the loss is $-\log$ of the probability that the right next letter got, and the word's loss is the sum:
#
# $$L_t = -\log \hat y_t[\text{target}_t],\qquad L = \sum_{t=1}^{T} L_t$$
#
# The slides print the total as $-\sum_t y_t\log(\hat y)$, without the $t$ at $\hat y$. Taken at its word that would
# hold all targets against one and the same output. Every step has an output of its own: $\hat y_t$.
#
# A word of two steps whose targets got $.5$ and $.25$ has the loss $.6931 + 1.3863 = 2.0794$.
#
# `start` holds the matrices from the top with zero biases, which is as good as none. `hello_inputs` (4, 4) are the
# one-hot rows of h, e, l, l and `hello_targets` (4,) the indices of e, l, l, o.

# %% given="hello"
start = {"W_xh": W_xh, "W_hh": W_hh, "W_yh": W_yh, "b_h": np.zeros(3), "b_y": np.zeros(4)}
hello_inputs = np.eye(4)[[0, 1, 2, 2]]  # (4, 4), the rows for h, e, l, l
hello_targets = np.array([1, 2, 2, 3])  # (4,), e, l, l, o

# %% [markdown]
# **Define `hello_loss`**: the loss of "hello", four steps from a zero state. By hand or by `rnn_forward`, as you like.

# %% item="hello-loss"
hello_loss = None  # one number
### BEGIN SOLUTION
_, hello_ps = rnn_forward(hello_inputs, np.zeros(3), start)
hello_loss = -np.sum(np.log(hello_ps[np.arange(4), hello_targets]))
### END SOLUTION


# %% given="drawing-unrolled" hidden=true
def tried(function, *arguments):
    """What the function returns, or None while it cannot be called yet. For pictures only."""
    try:
        return function(*arguments)
    except Exception:
        return None


def as_table(answer, *shape):
    """The answer as an array of that shape, None where it is something else."""
    try:
        table = np.asarray(answer, dtype=float)
    except (TypeError, ValueError):
        return None
    return table if table.shape == shape and np.all(np.isfinite(table)) else None


def listed(numbers):
    return "\n".join(f"{number:+.3f}" if number < 0 else f" {number:.3f}" for number in numbers)


def draw_unrolled(forward, deltas_out=None, deltas_hidden=None):
    """The net over "hello" from a zero state: values in black, gradients (once there are some) in red."""
    states, outputs = tried(forward, hello_inputs, np.zeros(3), start) or (None, None)
    states, outputs = as_table(states, 5, 3), as_table(outputs, 4, 4)
    if states is None or outputs is None:
        print("Answer rnn_step and rnn_forward and run this again.")
        return
    d_out = as_table(tried(deltas_out, outputs.copy(), hello_targets), 4, 4) if deltas_out else None
    d_hid = as_table(tried(deltas_hidden, states, d_out, start), 4, 3) if d_out is not None else None
    if deltas_out and (d_out is None or d_hid is None):
        print("The gradients come with output_deltas and hidden_deltas: answer them and run this again.")
    fig, ax = plt.subplots(figsize=(12, 6))
    mono = {"family": "monospace", "ha": "center", "va": "center", "fontsize": 9}
    ahead = {"arrowstyle": "-|>", "color": "0.35", "lw": 1.5, "shrinkA": 0, "shrinkB": 0}
    back = {**ahead, "color": RED, "linestyle": (0, (4, 2))}

    def box(x, y, height, color):
        ax.add_patch(plt.Rectangle((x - 0.34, y - height / 2), 0.68, height, facecolor=color, edgecolor="0.35"))

    box(-1.1, 2.4, 0.9, "white")
    ax.text(-1.1, 2.4, listed(states[0]), **mono)
    ax.text(-1.1, 3.02, "start", ha="center")
    for t in range(4):
        x, letter, target = 1.9 * t + 0.6, "helo"[np.argmax(hello_inputs[t])], "helo"[hello_targets[t]]
        box(x, 0.8, 0.5, BLUE)
        ax.text(x, 0.8, letter, ha="center", va="center", fontsize=14, fontweight="bold")
        box(x, 2.4, 0.9, GREY)
        ax.text(x, 2.4, listed(states[t + 1]), **mono)
        box(x, 4.5, 1.15, ORANGE)
        for k, name in enumerate("helo"):
            is_target = name == target
            style = {"color": GREEN if is_target else "black", "fontweight": "bold" if is_target else "normal"}
            ax.text(x, 4.9 - 0.265 * k, f"{name} {outputs[t, k]:.3f}", **{**mono, **style})
            if d_out is not None:
                ax.text(x + 0.76, 4.9 - 0.265 * k, f"{d_out[t, k]:+.3f}", **{**mono, "ha": "right"}, color=RED)
        ax.text(x, 5.3, f"target {target}: loss {-np.log(outputs[t, hello_targets[t]]):.3f}", ha="center", color=GREEN)
        shift = 0.09 if d_hid is not None else 0.0
        ax.annotate("", (x - shift, 1.95), (x - shift, 1.05), arrowprops=ahead)
        ax.annotate("", (x - shift, 3.92), (x - shift, 2.85), arrowprops=ahead)
        left = (-1.1 if t == 0 else x - 1.9) + 0.34
        ax.annotate("", (x - 0.34, 2.4 + 2.5 * shift), (left, 2.4 + 2.5 * shift), arrowprops=ahead)
        if d_hid is not None:
            ax.annotate("", (x + shift, 2.85), (x + shift, 3.92), arrowprops=back)
            ax.annotate("", (left, 2.05), (x - 0.34, 2.05), arrowprops=back)
            size = np.linalg.norm(W_hh.T @ d_hid[t])
            ax.text((left + x - 0.34) / 2, 1.98, f"length {size:.3f}", ha="center", va="top", color=RED, fontsize=9)
            inside = " ".join(f"{number:+.2f}" for number in d_hid[t])
            ax.text(x + 0.04, 1.6, "$d_{raw}$", color=RED, fontsize=11, va="center")
            ax.text(x + 0.04, 1.3, inside, color=RED, fontsize=9, family="monospace", va="center")
            ax.text(x + 0.58, 5.12, "$d_y$", color=RED, fontsize=11, ha="center")
    title = f'"hello" unrolled: loss {-np.sum(np.log(outputs[np.arange(4), hello_targets])):.4f}'
    if d_hid is not None:
        title += "; black goes forward, red comes back"
    ax.set(xlim=(-1.6, 7.4), ylim=(0.4, 5.6), title=title)
    ax.axis("off")
    fig.subplots_adjust(left=0.01, right=0.96, bottom=0.03, top=0.94)
    plt.show()


# %%
draw_unrolled(rnn_forward)

# %% [markdown]
# Each column is a step: the letter that goes in, the state, the four probabilities, and the loss of the target. The
# same letter "l" goes in twice and two different states come out. That is the memory, and room for two answers.
#
# ## 5. Back from the outputs
#
# From here on every gradient is named `d_` and the variable. `d_y[t]` is that of the loss with respect to the *scores*
# of a step, the numbers that go into softmax. It is the step's **delta** at the output. For softmax with $-\log$, unit
# 3 found it to be wonderfully short: probability minus one-hot target. Say the probabilities are $(.2, .5, .3)$ and the
# target has index 2, then the gradient is $(.2, .5, -.7)$: push the first two down, the third up. The loss is a sum, so
# there is no division by $T$.
#
# **Write `output_deltas(ps, targets)`**: `ps` (T, V), `targets` (T,) indices; returns (T, V). Leave `ps` as it is.


# %% item="output-deltas"
def output_deltas(ps, targets):
    """(T, V), (T,) ints -> (T, V). Gradient of the summed loss at the scores of each step.

    Source: Kurpasi, RNN-Tutorial.
    """
    ### BEGIN SOLUTION
    d_y = np.array(ps)
    d_y[np.arange(len(targets)), targets] -= 1.0
    return d_y
    ### END SOLUTION


# %% [markdown]
# ### The output layer
# $W_{yh}$ is used at every step, so each step adds to its gradient: what came in, times the delta of where it leads. As
# $W_{yh}$ has a row for each output and a column for each hidden unit, so has $d_{y,t}\;h_t^\top$, the **outer
# product** (`np.outer`): its entry in row $i$ and column $k$ is entry $i$ of $d_{y,t}$ times entry $k$ of $h_t$.
#
# $$\frac{\partial L}{\partial W_{yh}} = \sum_{t=1}^{T} d_{y,t}\;h_t^\top,\qquad
# \frac{\partial L}{\partial b_y} = \sum_{t=1}^{T} d_{y,t}$$
#
# With one hidden unit, two letters, states $.6, .8$ after the two steps, and deltas $(.2, -.2)$, $(-.5, .5)$, the
# weights get $.6\cdot(.2, -.2) + .8\cdot(-.5, .5) = (-.28, .28)$, as a column of shape (2, 1), and the bias gets
# $(-.3, .3)$. Both have the shape of their parameter.
#
# **Write `output_gradients(hs, d_y)`**: `hs` (T+1, H) with the start first, `d_y` (T, V); returns `d_W_yh` (V, H) and
# `d_b_y` (V,).


# %% item="output-gradients"
def output_gradients(hs, d_y):
    """(T+1, H), (T, V) -> d_W_yh (V, H), d_b_y (V,). Sums over all steps. Source: Kurpasi, RNN-Tutorial, dL/dW_yh."""
    ### BEGIN SOLUTION
    return d_y.T @ hs[1:], np.sum(d_y, axis=0)
    ### END SOLUTION


# %% [markdown]
# ## 6. Back through time
#
# The state $h_t$ is used twice: for the output of its own step, and for the state of the next. Two roads lead on from
# it, so two gradients come back to it, and they **add**:
#
# $$\frac{\partial L}{\partial h_t} = \underbrace{W_{yh}^\top\,d_{y,t}}_{\text{from its own output}}
# + \underbrace{W_{hh}^\top\,d_{raw,t+1}}_{\text{from the next step}},\qquad
# d_{raw,t} = \frac{\partial L}{\partial h_t}\cdot(1 - h_t^2)$$
#
# $d_{raw,t}$ is the gradient inside the tanh, the delta of the hidden units; $1 - h^2$ is the slope of tanh, from its
# output, and it is multiplied entry by entry. The transposed matrices carry a gradient the way back: from the four
# scores to the three units, from the units of the next step to those of this one.
#
# In which order? The last step has no next one, so its sum has only the first term and can be worked out at once. Then
# comes the last but one, which needs what the last has found, and so on back to the first.
#
# One hidden unit again, $h_0 = 0$, $h_1 = .6$, $h_2 = .8$, $W_{hh} = .5$, $W_{yh} = (1, -1)^\top$, deltas as before;
# read the last step first:
#
# | $t$ | from its own output | from the next step | sum | slope $1 - h_t^2$ | $d_{raw,t}$ |
# |---|---|---|---|---|---|
# | 2 | $1\cdot(-.5) - 1\cdot .5 = -1$ | none | $-1$ | $1 - .64 = .36$ | $-1\cdot .36 = -.36$ |
# | 1 | $1\cdot .2 - 1\cdot(-.2) = .4$ | $.5\cdot(-.36) = -.18$ | $.22$ | $1 - .36 = .64$ | $.22\cdot .64 = .1408$ |
#
# **Write `hidden_deltas(hs, d_y, params)`**: `hs` (T+1, H), `d_y` (T, V); returns $d_{raw}$, shape (T, H), row `t` for
# the step that made `hs[t + 1]`.


# %% item="hidden-deltas"
def hidden_deltas(hs, d_y, params):
    """(T+1, H), (T, V), dict -> (T, H). Gradient at the inputs of each tanh, through time.

    Source: Kurpasi, RNN-Tutorial.
    """
    ### BEGIN SOLUTION
    d_raw = np.zeros((len(d_y), hs.shape[1]))
    d_next = np.zeros(hs.shape[1])
    for t in reversed(range(len(d_y))):
        d_h = params["W_yh"].T @ d_y[t] + d_next
        d_raw[t] = d_h * (1 - hs[t + 1] ** 2)
        d_next = params["W_hh"].T @ d_raw[t]
    return d_raw
    ### END SOLUTION


# %% [markdown]
# The picture of section 4 once more; what flows back is now drawn in red. Begin at the right:
#
# - the red numbers beside an orange box are $d_y$ of the step: compare them with the probabilities in the box;
# - the dashed arrow down brings $W_{yh}^\top d_y$ to the state, the one from the right $W_{hh}^\top d_{raw}$ of the
#   next step. In the grey box the two add (the last box has only the first);
# - the red numbers below a grey box are $d_{raw}$ of the step, after the slope of tanh, one for each hidden unit;
# - the number at a dashed arrow to the left is the length of the vector that it carries, the root of the sum of its
#   squares: how much of the gradient is handed to the step before.

# %%
draw_unrolled(rnn_forward, output_deltas, hidden_deltas)

# %% [markdown]
# ### The recurrent weights
# With $d_{raw}$ in hand the rest is what it always was: what came in, times the delta, summed over all steps. The only
# question is what came in at step $t$.
#
# $$\frac{\partial L}{\partial W_{xh}} = \sum_t d_{raw,t}\,x_t^\top,\qquad
# \frac{\partial L}{\partial W_{hh}} = \sum_t d_{raw,t}\,h_{t-1}^\top,\qquad
# \frac{\partial L}{\partial b_h} = \sum_t d_{raw,t}$$
#
# In the small example with inputs $(1, 0)$ and $(0, 1)$:
# $d_{W_{xh}} = .1408\cdot(1, 0) - .36\cdot(0, 1) = (.1408, -.36)$,
# $d_{W_{hh}} = .1408\cdot h_0 - .36\cdot h_1 = .1408\cdot 0 - .36\cdot .6 = -.216$, and
# $d_{b_h} = .1408 - .36 = -.2192$. The first step adds nothing to $d_{W_{hh}}$ only because $h_0$ is 0 here.
#
# **Write `recurrent_gradients(inputs, hs, d_raw)`**: `inputs` (T, V), `hs` (T+1, H), `d_raw` (T, H); returns `d_W_xh`
# (H, V), `d_W_hh` (H, H), `d_b_h` (H,).


# %% item="recurrent-gradients"
def recurrent_gradients(inputs, hs, d_raw):
    """(T, V), (T+1, H), (T, H) -> d_W_xh (H, V), d_W_hh (H, H), d_b_h (H,). Sums over all steps.

    Source: Kurpasi, RNN-Tutorial.
    """
    ### BEGIN SOLUTION
    return d_raw.T @ inputs, d_raw.T @ hs[:-1], np.sum(d_raw, axis=0)
    ### END SOLUTION


# %% [markdown]
# The chain does not stop at the first step: the start state can be nudged as well, and it has only one road to the
# loss. In the small example $\partial L/\partial h_0 = .5\cdot .1408 = .0704$. A net that works through a long text in
# chunks, or whose start is itself the output of another net, needs it.
#
# **Write `start_state_gradient(d_raw, W_hh)`**: `d_raw` (T, H), `W_hh` (H, H); returns $\partial L/\partial h_0$ (H,).


# %% item="start-state-gradient"
def start_state_gradient(d_raw, W_hh):
    """(T, H), (H, H) -> (H,). Gradient of the loss at the start state h0.

    Source: Kurpasi, RNN-Tutorial, vanishing gradients.
    """
    ### BEGIN SOLUTION
    return W_hh.T @ d_raw[0]
    ### END SOLUTION


# %% [markdown]
# ### All of it
# Put the pieces together: forward, then back. The third result, the last state, is where a next chunk of text would
# begin. Return the plain sums: no mean, no clipping yet.
#
# **Write `rnn_backward(inputs, targets, h0, params)`**: `inputs` (T, V), `targets` (T,), `h0` (H,); returns `loss` (a
# number), `grads` (a dict with the keys of `params`, each gradient in the shape of its parameter) and `h_last` (H,).


# %% item="rnn-backward"
def rnn_backward(inputs, targets, h0, params):
    """(T, V), (T,) ints, (H,), dict -> loss, dict of gradients, h_last (H,). A whole sequence.

    Source: Kurpasi, RNN-Tutorial.
    """
    ### BEGIN SOLUTION
    hs, ps = rnn_forward(inputs, h0, params)
    d_y = output_deltas(ps, targets)
    d_raw = hidden_deltas(hs, d_y, params)
    d_W_yh, d_b_y = output_gradients(hs, d_y)
    d_W_xh, d_W_hh, d_b_h = recurrent_gradients(inputs, hs, d_raw)
    loss = -np.sum(np.log(ps[np.arange(len(targets)), targets]))
    grads = {"W_xh": d_W_xh, "W_hh": d_W_hh, "W_yh": d_W_yh, "b_h": d_b_h, "b_y": d_b_y}
    return loss, grads, hs[-1]
    ### END SOLUTION


# %% [markdown]
# How large are they? The next cell shows each gradient at `start`, for "hello" from a zero state. Both bias gradients
# are sums of rows that you have seen in the picture.


# %% given="drawing-table" hidden=true
def gradient_table(backward):
    """Shape, largest entry and norm of each parameter's gradient on "hello"."""
    results = tried(backward, hello_inputs, hello_targets, np.zeros(3), start)
    try:
        d_params = {name: as_table(results[1][name], *weights.shape) for name, weights in start.items()}
        rows = {
            name: {"shape": d_param.shape, "largest entry": np.abs(d_param).max(), "norm": np.linalg.norm(d_param)}
            for name, d_param in d_params.items()
        }
    except Exception:
        return "Answer rnn_backward and run this again."
    return pd.DataFrame(rows).T


# %%
gradient_table(rnn_backward)

# %% [markdown]
# ## 7. Two tools for steps
#
# **Clipping.** Sums over time can become large all of a sudden, and one huge step ruins a net. So entries beyond a
# limit are cut to it: with the limit 2, $(.5, -3, 7)$ becomes $(.5, -2, 2)$. It is done to the finished sums, not to
# the share of each step.
#
# **Write `clip_gradients(grads, limit)`**: a dict of arrays in, a **new** dict with the same keys out; the old one must
# stay as it is.


# %% item="clip"
def clip_gradients(grads, limit):
    """dict of arrays, number -> new dict of arrays. Every entry kept within -limit and limit.

    Source: Kurpasi, RNN-Tutorial.
    """
    ### BEGIN SOLUTION
    return {name: np.clip(d_param, -limit, limit) for name, d_param in grads.items()}
    ### END SOLUTION


# %% [markdown]
# **Adagrad.** Every weight keeps a memory $m$ of the squares of its gradients so far. A weight that has been pushed a
# lot takes small steps, one that is seldom needed keeps its large ones:
#
# $$m \leftarrow m + g^2,\qquad w \leftarrow w - \alpha\,\frac{g}{\sqrt{m + \epsilon}}$$
#
# The tiny $\epsilon$ only saves a weight that never had a gradient from $0/0$. Example: $w = 1$, $m = 3$, $g = -1$,
# $\alpha = .5$ give $m = 4$ and $w = 1 + .5\cdot\frac12 = 1.25$.
#
# **Write `adagrad_step(param, grad, memory, alpha, eps=1e-8)`**: three arrays of one shape; returns the new `param`
# and the new `memory`.


# %% item="adagrad-step"
def adagrad_step(param, grad, memory, alpha, eps=1e-8):
    """Three arrays of one shape, number, number -> param, memory. One Adagrad step.

    Source: Kurpasi, RNN-Tutorial, generation.
    """
    ### BEGIN SOLUTION
    memory = memory + grad**2
    return param - alpha * grad / np.sqrt(memory + eps), memory
    ### END SOLUTION


# %% [markdown]
# ## 8. Let it write
#
# To write, the net gets a state and a first letter, and then its own guesses: each guess is its next input. The guess
# is always the most probable letter, which is called **greedy**. One round, from a state and the index of a letter:
#
# 1. the letter goes in as its one-hot vector, and the state makes a step;
# 2. the new state gives the scores $W_{yh}\,h + b_y$, and the index of the largest is the guess (`np.argmax` finds it;
#    softmax keeps the order, so the largest score has the largest probability);
# 3. the guess is added to the list. The next round starts from the new state and the guess.
#
# For example, say that index 2 is given and goes in, and the largest score is that of index 0. So 0 goes in next, and
# now 1 has the largest score. Then two rounds give `[0, 1]`: the 2 was given, so it is not in the list.
#
# **Write `generate(h, first_ix, steps, params)`**: `h` (H,) is the state before the first letter goes in, `first_ix`
# that letter's index; returns the list of the guessed indices, one for each of the `steps` rounds.


# %% item="generate"
def generate(h, first_ix, steps, params):
    """(H,), int, int, dict -> list of ints. The most probable letter each time, fed back.

    Source: Kurpasi, RNN-Tutorial.
    """
    ### BEGIN SOLUTION
    ix, found = first_ix, []
    for _ in range(steps):
        x = one_hot(ix, len(params["b_y"]))
        h = rnn_step(x, h, params["W_xh"], params["W_hh"], params["b_h"])
        ix = int(np.argmax(params["W_yh"] @ h + params["b_y"]))
        found.append(ix)
    return found
    ### END SOLUTION


# %% [markdown]
# ### Learn "hello"
# Everything is there to train the net. Begin with **copies** of the five arrays in `start`, and for each of them a
# memory of zeros in its shape. Then repeat, some hundred times:
#
# 1. `rnn_backward` on `hello_inputs` and `hello_targets`, from a state of zeros, gives the loss and the gradients;
# 2. `clip_gradients` cuts the gradients at 5;
# 3. for each of the five parameters, `adagrad_step` at a rate of .1 to .3 gives its new array and its new memory.
#
# It takes less than a second. The loss begins at your `hello_loss`, and it should fall below .1.
#
# **Define `learned`**: the trained net, a dict with the keys of `start`. With it `generate`, from a state of zeros and
# the letter "h" (index 0), must spell "ello", which is `[1, 2, 2, 3]`. Any number of hidden units and any way of
# finding the weights will do. The test cell does not judge the net; the picture below shows what it spells.

# %% item="hello-learned"
learned = None  # a dict with the keys W_xh, W_hh, W_yh, b_h, b_y
### BEGIN SOLUTION
learned = {name: weights.copy() for name, weights in start.items()}
memories = {name: np.zeros_like(weights) for name, weights in start.items()}
for _ in range(200):
    d_learned = rnn_backward(hello_inputs, hello_targets, np.zeros(len(learned["b_h"])), learned)[1]
    for name, d_weights in clip_gradients(d_learned, 5.0).items():
        learned[name], memories[name] = adagrad_step(learned[name], d_weights, memories[name], 0.2)
### END SOLUTION


# %% given="drawing-generation" hidden=true
def draw_generation(generating, forward, trained):
    """What the net would say after each letter of its own writing, before and after training."""
    fig, axes = plt.subplots(1, 2, figsize=(11, 3.6), sharey=True)
    image = None
    for ax, (name, net) in zip(axes, [("start", start), ("learned", trained)], strict=True):
        try:
            zero = np.zeros(len(net["b_h"]))
            indices = [int(ix) for ix in generating(zero, 0, 4, net)]
            table = as_table(forward(np.eye(4)[[0, *indices[:3]]], zero, net)[1], 4, 4)
        except Exception:
            table = None
        ax.set(xticks=[], title=name)
        if table is None:
            ax.text(
                0.5,
                0.5,
                "answer the items above\nand run this again",
                ha="center",
                va="center",
                color="0.5",
                transform=ax.transAxes,
            )
            ax.set(yticks=[])
            continue
        image = ax.imshow(table.T, cmap="Greens", vmin=0, vmax=1, aspect="auto")
        for t in range(4):
            for k in range(4):
                bold = "bold" if k == indices[t] else "normal"
                color = "white" if table[t, k] > 0.6 else "black"
                ax.text(t, k, f"{table[t, k]:.2f}", ha="center", va="center", fontweight=bold, color=color)
        spelled = "h" + "".join("helo"[ix] for ix in indices)
        ax.set(xticks=range(4), xticklabels=[f'after "{spelled[: t + 1]}"' for t in range(4)])
        ax.set(yticks=range(4), yticklabels=list("helo"), title=f'{name}: spells "{spelled}"')
        ax.tick_params(length=0, labelsize=9)
    axes[0].set_ylabel("next letter")
    if image is not None:
        fig.colorbar(image, ax=axes, label="probability", fraction=0.03)
    plt.show()


# %%
draw_generation(generate, rnn_forward, learned)

# %% [markdown]
# Each column shows the probabilities of the next letter; the letter that is written is bold. Look at the last two
# columns of the trained net, after "hel" and "hell": the same input "l", and different answers. A net whose $W_{hh}$ is
# zero cannot do that, however long it is trained.
#
# ## 9. Gradients over a long time
#
# "hello" has four steps. What happens over forty? Follow one gradient back from the last state only, with no outputs on
# the way. Each step multiplies by the slopes, entry by entry, and by $W_{hh}^\top$:
#
# $$\frac{\partial L}{\partial h_{t-1}} = W_{hh}^\top\left((1 - h_t^2)\cdot\frac{\partial L}{\partial h_t}\right)$$
#
# In unit 5 the factor was one number and its powers vanished, stayed or exploded. Here the matrix plays that part, and
# the slopes, never above 1, can only make it smaller. With one unit, $W_{hh} = .5$, $h = (0, .6, .8)$ and
# $\partial L/\partial h_2 = 1$: at $h_1$ it is $.5\cdot .36 = .18$, at $h_0$ it is $.5\cdot .64\cdot .18 = .0576$.
#
# The size of a gradient vector is its length or **norm**, the root of the sum of its squares: $(3, -4)$ has 5.
#
# **Write `gradient_flow(hs, d_last, W_hh)`**: `hs` (T+1, H), `d_last` (H,) is $\partial L/\partial h_T$; returns (T,),
# entry `t` being the norm of $\partial L/\partial h_t$ for $t = 0$ to $T-1$. (So the last state itself is left out.)


# %% item="gradient-flow"
def gradient_flow(hs, d_last, W_hh):
    """(T+1, H), (H,), (H, H) -> (T,). Norms of the gradient at each earlier state.

    Source: Kurpasi, RNN-Tutorial, vanishing gradients.
    """
    ### BEGIN SOLUTION
    norms = np.zeros(len(hs) - 1)
    d_h = d_last
    for t in reversed(range(len(norms))):
        d_h = W_hh.T @ (d_h * (1 - hs[t + 1] ** 2))
        norms[t] = np.linalg.norm(d_h)
    return norms
    ### END SOLUTION


# %% given="drawing-flow" hidden=true
def draw_flow(flow, step):
    """Gradient norms back over 40 steps for recurrent matrices that shrink, keep or stretch."""
    rng = np.random.default_rng(6)
    size, steps = 16, 40
    turning = np.linalg.qr(rng.normal(size=(size, size)))[0]  # keeps every length
    noise, d_last = rng.normal(size=(steps, size)), rng.normal(size=size)
    runs = [
        ("stretches by 1.2, quiet inputs", 1.2, 1e-5, "tab:red"),
        ("keeps lengths, quiet inputs", 1.0, 1e-5, "tab:green"),
        ("shrinks to .8, quiet inputs", 0.8, 1e-5, "tab:blue"),
        ("stretches by 1.2, strong inputs", 1.2, 1.0, "tab:purple"),
    ]
    fig, ax = plt.subplots(figsize=(9, 4.2))
    drawn = False
    for name, scale, loud, color in runs:
        states = [np.zeros(size)]
        for x in noise:
            states.append(tried(step, loud * x, states[-1], np.eye(size), scale * turning, np.zeros(size)))
        states = as_table(states, steps + 1, size)
        norms = None if states is None else as_table(tried(flow, states, d_last, scale * turning), steps)
        if norms is not None and np.all(norms > 0):
            ax.plot(np.arange(steps, 0, -1), norms / np.linalg.norm(d_last), ".-", color=color, label=name)
            drawn = True
    if not drawn:
        plt.close(fig)
        print("Answer rnn_step and gradient_flow and run this again.")
        return
    ax.set(yscale="log", xlabel="steps back from the last state", ylabel="gradient, compared with the last state's")
    ax.yaxis.set_major_formatter("{x:g}")  # a formula at each tick is slow to draw
    ax.set_title("The recurrent matrix decides: exploding, steady, vanishing")
    ax.axhline(1, color="0.7", lw=0.8, zorder=0)
    ax.legend(frameon=False)
    ax.spines[["top", "right"]].set_visible(False)
    fig.subplots_adjust(left=0.09, right=0.98, bottom=0.14, top=0.91)
    plt.show()


# %%
draw_flow(gradient_flow, rnn_step)

# %% [markdown]
# Forty steps are enough for a factor of a thousand either way. The purple line has the stretching matrix, but its
# inputs push the states towards -1 and 1, where tanh is flat: the slopes win. Exploding is mended by clipping.
# Vanishing is not: a gradient that has gone to nothing cannot be scaled up again, and a net that needs to remember a
# quotation mark from eighty letters ago never learns it. Unit 7 builds a cell that can.
#
# ## What you know now
#
# - Letters become one-hot vectors; a word gives pairs of input and next letter; the memory tells the two "l" apart.
# - $T$ steps have $T+1$ states. At the step of `inputs[t]`, `hs[t]` goes in and `hs[t + 1]` comes out.
# - The loss of a word is the sum over its steps, each with its own output.
# - A state has two roads to the loss; going back, the gradient from its output and the one from the next step add.
# - Every parameter is used at every step, so each gradient is a sum over time: with the state *after* the step for
#   $W_{yh}$, with the state *before* it for $W_{hh}$.
# - Clip the finished sums; Adagrad gives each weight a rate of its own; greedy generation feeds the guess back.
# - Over many steps the gradient is multiplied by $W_{hh}^\top$ and the tanh slopes again and again: it vanishes or
#   explodes unless they balance.
