# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Unit 3: partial derivatives
#
# Units 1 and 2 ended with one number: the error $E$ of one row. This unit asks how $E$ moves when a single weight
# moves, and answers it for every weight of the net. That is all that backpropagation is.
#
# **It assumes** the forward pass (unit 1), the squared error and softmax (unit 2), the chain rule, and the derivatives
# of $x^2$, $e^x$ and $1/x$.
#
# **Afterwards you can**
# - write down the chain from any weight to the error and multiply it out by hand,
# - say where a sum appears in it, and why,
# - run one neuron backwards, gate by gate,
# - compute all gradients of a two-layer net, with a sigmoid or a softmax at its end,
# - test a gradient that you do not trust.
#
# **It takes** about three hours. Each question is followed by a test cell that tells you at once how it went. Grading
# calls your functions with fresh numbers, other ones for each student.
#
# The net and the numbers come from Grady Kurpasi's slides "RNN-Tutorial"; below they are just "the slides".

# %% given="setup"
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

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
Y = np.array([[0.1, 0.05], [0.1221, 0.0964], [0.1061, 0.0702], [0.0996, 0.0641], [0.111, 0.0732], [0.106, 0.0701]])
w1 = np.array([[0.5, 0.5], [0.1, 0.2], [0.3, 0.4], [0.5, 0.6]])  # row 0: biases; rows 1 to 3: from x[0] to x[2]
w2 = np.array([[0.5, 0.5], [0.7, 0.8], [0.9, 0.1]])  # row 0: biases; rows 1 and 2: from the two hidden units
x, y = X[0], Y[0]  # the first example, "row 1"


def sigmoid(z):
    """any shape -> same shape. 1 / (1 + exp(-z)), written so that nothing overflows. Source: unit 01."""
    return 0.5 * (1 + np.tanh(0.5 * z))


def with_bias(x):
    """(d,) -> (d+1,) or (n, d) -> (n, d+1). A leading 1, the input of the bias weights. Source: unit 01."""
    x = np.asarray(x)
    return np.concatenate([np.ones_like(x[..., :1]), x], axis=-1)


s1 = with_bias(x) @ w1  # (2,)
a1 = sigmoid(s1)  # (2,)
s2 = with_bias(a1) @ w2  # (2,)
a2 = sigmoid(s2)  # (2,)

# %% [markdown]
# ## Where we start
#
# The first example, $x = (1, 4, 5)$, went forward through the net. It is `X[0]`; we call it row 1, as the slides do.
# These numbers are given, as `s1`, `a1`, `s2`, `a2`:
#
# | | first | second |
# |---|---|---|
# | $s_1$ | 4.3 | 5.3 |
# | $a_1$ | .9866 | .9950 |
# | $s_2$ | 2.0862 | 1.3888 |
# | $a_2$ | .8896 | .8004 |
# | target `y` | .1 | .05 |
#
# $$E = \tfrac12\sum_j (a_2[j] - y[j])^2 = .5932$$
#
# **How we count.** Unit 1 counted from 0 as numpy does. Here the formulas count units from 1, as the slides and most
# texts do, and keep the index 0 for the bias: $w_2[0,1]$ is the bias weight of the first output, $w_2[2,1]$ leads from
# the second hidden unit to it. So a **row** of a weight matrix has the same number in both, because row 0 is the bias;
# a **column**, and an entry of an array that has no place for the bias, is one less in numpy. Names in `code` are
# always numpy's.
#
# | in the formulas | in numpy | meaning |
# |---|---|---|
# | $w_2[0,1]$ | `w2[0, 0]` | bias of the first output |
# | $w_2[2,1]$ | `w2[2, 0]` | from the second hidden unit to the first output |
# | $w_1[0,1]$ | `w1[0, 0]` | bias of the first hidden unit |
# | $x_1$, $a_1[1]$, $a_2[1]$ | `x[0]`, `a1[0]`, `a2[0]` | first input, hidden unit, output |
# | $\partial E/\partial a_2[1]$ | `dE_da2[0]` | slope of the error at the first output |
# | $a_0[0] = a_1[0] = 1$ | the 1 that `with_bias` adds | input of a bias weight |

# %% [markdown]
# ## 1. One weight of the output layer
#
# Nudge $w_2[0,1]$. The sum $s_2[1]$ moves, so the output $a_2[1]$ moves, so $E$ moves. Three steps, three slopes; the
# chain rule multiplies them. For any weight, from hidden unit $k$ (or from the bias, $k = 0$) to output $j$:
#
# $$\frac{\partial E}{\partial w_2[k,j]} =
# \underbrace{\frac{\partial E}{\partial a_2[j]}}_{\text{error}}\cdot
# \underbrace{\frac{\partial a_2[j]}{\partial s_2[j]}}_{\text{slope of the sigmoid}}\cdot
# \underbrace{\frac{\partial s_2[j]}{\partial w_2[k,j]}}_{\text{what the weight is multiplied with}}$$
#
# **A little neuron to warm up.** One unit alone: weights $w = (.5, -1, 2)$, inputs $a = (1, .5, .25)$ of which the
# first is the bias input, output $\hat y$, target 1, $E = \frac12(\hat y - 1)^2$. Entry 0 is the bias, so $w[1] = -1$,
# $a[1] = .5$.
#
# | step | number |
# |---|---|
# | sum $s = .5\cdot 1 - 1\cdot .5 + 2\cdot .25$ | .5 |
# | output $\hat y = \sigma(.5)$ | .6225 |
# | error, $\partial E/\partial\hat y = \hat y - 1$ | -.3775 |
# | slope of the sigmoid at $s = .5$ (where it comes from is said below) | .2350 |
# | $\partial E/\partial s = -.3775 \cdot .2350$ | -.0887 |
# | $\partial E/\partial w[1] = -.0887 \cdot .5$ | -.0444 |
#
# The sign says what to do: a larger $w[1]$ makes $E$ smaller.
#
# ### The first slope
# How does $E$ move with each output? $E$ is a sum with one term for each output. In the derivative of a term the
# $\frac12$ and the square's 2 cancel; the other output's term does not move.
#
# **Define `dE_da2`**, two numbers: $\partial E/\partial a_2[1]$ and $\partial E/\partial a_2[2]$ for row 1.

# %% item="error-signal"
dE_da2 = None  # two numbers, shape (2,)
### BEGIN SOLUTION
dE_da2 = a2 - y
### END SOLUTION

# %% [markdown]
# ### The second slope
# The sigmoid has a kind derivative: it can be written with the output alone,
#
# $$\frac{\partial a}{\partial s} = a\,(1 - a) \qquad\text{where } a = \sigma(s).$$
#
# It is .25 where $a = .5$ and shrinks to 0 at both ends: for $a = .9$ it is $.9 \cdot .1 = .09$.
#
# **Write `sigmoid_prime(a)`**. It gets the activation $a$, which is between 0 and 1; not the sum $s$.


# %% item="sigmoid-prime"
def sigmoid_prime(a):
    """any shape -> same shape. Slope of the sigmoid, from its output a.

    Source: Kurpasi, RNN-Tutorial, backpropagation.
    """
    ### BEGIN SOLUTION
    return a * (1 - a)
    ### END SOLUTION


# %% given="draw-slope" hidden=true
def tried(function, *arguments):
    """What the function returns, or None while it cannot be called yet. For pictures only."""
    try:
        return function(*arguments)
    except Exception:
        return None


def draw_slope(slope):
    """The sigmoid above, your slope below, and where row 1's four units stand on them."""
    z = np.linspace(-7, 7, 201)
    fig, (top, low) = plt.subplots(2, 1, figsize=(7, 4.6), sharex=True, height_ratios=[3, 2])
    top.plot(z, sigmoid(z), color="0.3")
    top.set(ylabel="a = σ(s)", title="Row 1's units on the sigmoid: the hidden ones are nearly flat")
    low.set(xlabel="s", ylabel="slope")
    curve = tried(slope, sigmoid(z))
    if curve is None:
        low.text(0, 0.5, "answer sigmoid_prime and run this again", ha="center", va="center", color="0.5")
        low.set(ylim=(0, 1), yticks=[])
    else:
        low.plot(z, curve, color="0.3")
    units = [
        ("s1[1]", s1[0], "tab:blue"),
        ("s1[2]", s1[1], "tab:cyan"),
        ("s2[1]", s2[0], "tab:red"),
        ("s2[2]", s2[1], "tab:orange"),
    ]
    for name, s, color in units:
        top.plot(s, sigmoid(s), "o", color=color, label=f"{name} = {s:.2f}")
        if curve is not None:
            low.plot(s, slope(sigmoid(s)), "o", color=color)
    top.legend(loc="upper left", frameon=False)
    for ax in (top, low):
        ax.spines[["top", "right"]].set_visible(False)
    fig.subplots_adjust(left=0.1, right=0.98, bottom=0.13, top=0.92, hspace=0.12)
    plt.show()


# %%
draw_slope(sigmoid_prime)

# %% [markdown]
# ### The whole chain
# The third slope is what the weight is multiplied with on the way forward. A bias weight is multiplied with 1.
#
# Mind the brackets. The slides print the chain for $w_2[0,1]$ as `.8896 - .1 * .8896(1 - .8896) * 1`. Read by the
# rules, products first, that is $.8896 - (.1 \cdot \ldots)$ and about .88. The error as a whole, $.8896 - .1$, is one
# factor of the product.
#
# **Define `dE_dw2_01`**, one number: $\partial E/\partial w_2[0,1]$, the bias weight of the first output, `w2[0, 0]`
# in numpy.

# %% item="partial-w2-01"
dE_dw2_01 = None  # one number
### BEGIN SOLUTION
dE_dw2_01 = dE_da2[0] * sigmoid_prime(a2[0]) * 1.0
### END SOLUTION

# %% [markdown]
# ### All six weights of the layer
# Error times slope is the same for all weights that lead to output $j$. It has a name, the **delta**:
#
# $$\delta_2[j] = \frac{\partial E}{\partial s_2[j]} =
# \frac{\partial E}{\partial a_2[j]}\cdot\frac{\partial a_2[j]}{\partial s_2[j]},
# \qquad c_2[k,j] = \frac{\partial E}{\partial w_2[k,j]} = a_1[k]\,\delta_2[j],\quad a_1[0] = 1.$$
#
# The table $c_2$ has the shape of $w_2$: three rows (bias, first and second hidden unit), two columns (outputs). Every
# entry is one input times one delta. In the little neuron, $\delta = -.0887$ and $a = (1, .5, .25)$ give
# $c = (-.0887, -.0444, -.0222)$.
#
# **Define `c2_row1`**, shape (3, 2).

# %% item="grad-w2-row1"
c2_row1 = None  # shape (3, 2), the shape of w2
### BEGIN SOLUTION
c2_row1 = np.outer(with_bias(a1), dE_da2 * sigmoid_prime(a2))
### END SOLUTION

# %% [markdown]
# ## 2. One layer further back
#
# $w_1[0,1]$ reaches $E$ by two roads, because the hidden unit $a_1[1]$ feeds both outputs. Run the next cell: the
# roads part at $a_1[1]$ and meet again in $E$. On the way back each road brings its own gradient, and where they meet,
# they **add**.

# %% given="draw-paths" hidden=true
GREY, ROAD_1, ROAD_2, STEM = "0.82", "tab:blue", "tab:orange", "0.15"


def shown(answer, place=None):
    """An answer's number with four decimals, or ? where there is none."""
    try:
        number = float(np.asarray(answer, dtype=float)[() if place is None else place])
    except (TypeError, ValueError, IndexError):
        return "?"
    return f"{number:.4f}" if np.isfinite(number) else "?"


def draw_paths(dE_da2, dE_da1, dE_dw1_01):
    """The net of row 1, and the two roads from w1[0,1] to E with the numbers that you found."""
    fig, ax = plt.subplots(figsize=(11, 5.2))
    spots = {"1": (0, 3), "x1": (0, 2), "x2": (0, 1), "x3": (0, 0), "1 ": (3, 3), "h1": (3, 1.85), "h2": (3, 0.5)}
    spots |= {"o1": (6.2, 2.25), "o2": (6.2, 0.6), "E": (9, 1.42)}
    texts = {"1": "1", "1 ": "1", "E": f"E\n{0.5 * np.sum((a2 - y) ** 2):.4f}"}
    texts |= {f"x{i + 1}": f"$x_{i + 1}$\n{x[i]:g}" for i in range(3)}
    texts |= {f"h{k + 1}": f"$a_1[{k + 1}]$\n{a1[k]:.4f}" for k in range(2)}
    texts |= {f"o{j + 1}": f"$a_2[{j + 1}]$\n{a2[j]:.4f}" for j in range(2)}
    roads = {("1", "h1"): STEM, ("h1", "o1"): ROAD_1, ("o1", "E"): ROAD_1, ("h1", "o2"): ROAD_2, ("o2", "E"): ROAD_2}
    layers = [(["1", "x1", "x2", "x3"], ["h1", "h2"]), (["1 ", "h1", "h2"], ["o1", "o2"]), (["o1", "o2"], ["E"])]
    for sources, targets in layers:
        for source in sources:
            for target in targets:
                color = roads.get((source, target), GREY)
                ax.plot(
                    *zip(spots[source], spots[target], strict=True),
                    color=color,
                    lw=1.2 if color == GREY else 3,
                    zorder=1 if color == GREY else 2,
                )
    for name, spot in spots.items():
        ax.scatter(*spot, s=2100, color="white", edgecolor="0.3", zorder=3)
        ax.text(*spot, texts[name], ha="center", va="center", fontsize=10, zorder=4)

    def label(spot, text, color, **style):
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
        ax.text(*spot, text, color=color, ha="center", va="center", fontsize=10, bbox=box, zorder=5, **style)

    label((1.3, 2.5), f"$w_1[0,1]$ = {w1[0, 0]:g}", STEM)
    label((4.6, 2.05), f"$w_2[1,1]$ = {w2[1, 0]:g}", ROAD_1)
    label((4.6, 1.23), f"$w_2[1,2]$ = {w2[1, 1]:g}", ROAD_2)
    label((7.8, 2.35), rf"$\partial E/\partial a_2[1]$ = {shown(dE_da2, 0)}", ROAD_1)
    label((7.8, 0.48), rf"$\partial E/\partial a_2[2]$ = {shown(dE_da2, 1)}", ROAD_2)
    ax.annotate(
        rf"the roads add here: $\partial E/\partial a_1[1]$ = {shown(dE_da1, 0)}",
        xy=(3.52, 2.0),
        xytext=(5.6, 3.25),
        ha="center",
        fontsize=11,
        color="tab:green",
        arrowprops={"arrowstyle": "->", "color": "tab:green", "lw": 1.5},
        zorder=6,
    )
    ax.scatter(3.43, 1.86, s=330, color="tab:green", zorder=7)
    ax.text(3.43, 1.85, "+", color="white", ha="center", va="center", fontsize=14, fontweight="bold", zorder=8)
    label((1.2, 3.45), rf"$\partial E/\partial w_1[0,1]$ = {shown(dE_dw1_01)}", STEM)
    ax.set(xlim=(-0.6, 9.7), ylim=(-0.5, 3.7), title="From one weight to the error: one stem, two roads")
    ax.axis("off")
    fig.subplots_adjust(left=0.01, right=0.99, bottom=0.03, top=0.93)
    plt.show()


# %%
draw_paths(dE_da2, None, None)

# %% [markdown]
# In symbols, for hidden unit $k$:
#
# $$\frac{\partial E}{\partial a_1[k]} = \sum_{j}
# \frac{\partial E}{\partial a_2[j]}\cdot\frac{\partial a_2[j]}{\partial s_2[j]}\cdot
# \frac{\partial s_2[j]}{\partial a_1[k]}
# = \sum_j \delta_2[j]\; w_2[k,j]$$
#
# Forward, $w_2[k,j]$ carries $a_1[k]$ to output $j$. Backward, the same weight carries $\delta_2[j]$ to hidden unit
# $k$. The bias row has no part in it: the constant 1 is not a hidden unit and nothing lies behind it.
#
# A small example: deltas $(.2, -.1)$ and weights $(3, 4)$ from this hidden unit to the two outputs give
# $.2\cdot 3 + (-.1)\cdot 4 = .2$.
#
# **Define `dE_da1`**, two numbers: $\partial E/\partial a_1[1]$ and $\partial E/\partial a_1[2]$ for row 1.

# %% item="partial-a1"
dE_da1 = None  # two numbers, shape (2,)
### BEGIN SOLUTION
dE_da1 = w2[1:] @ (dE_da2 * sigmoid_prime(a2))
### END SOLUTION

# %% [markdown]
# ### Down to the weight
# From the hidden unit it goes on as before: slope of the sigmoid, then what the weight is multiplied with.
#
# $$\frac{\partial E}{\partial w_1[i,k]} =
# \frac{\partial E}{\partial a_1[k]}\cdot\frac{\partial a_1[k]}{\partial s_1[k]}\cdot
# \frac{\partial s_1[k]}{\partial w_1[i,k]}
# ,\qquad \frac{\partial s_1[k]}{\partial w_1[i,k]} = a_0[i],\quad a_0 = (1, x_1, x_2, x_3)$$
#
# Whose slope is it this time? The sigmoid in this chain is the hidden unit's.
#
# **Define `dE_dw1_01`**, one number: $\partial E/\partial w_1[0,1]$, the bias weight of the first hidden unit,
# `w1[0, 0]`.

# %% item="partial-w1-01"
dE_dw1_01 = None  # one number
### BEGIN SOLUTION
dE_dw1_01 = dE_da1[0] * sigmoid_prime(a1[0]) * 1.0
### END SOLUTION

# %%
draw_paths(dE_da2, dE_da1, dE_dw1_01)

# %% [markdown]
# The number is small. The hidden unit sits at $s_1 = 4.3$, where the sigmoid is nearly flat, and lets little through.
# That is called **saturation**; you will meet it again as the vanishing gradient.
#
# ### All eight weights of the layer
# $\delta_1[k] = \frac{\partial E}{\partial a_1[k]}\cdot\frac{\partial a_1[k]}{\partial s_1[k]}$ and
# $c_1[i,k] = a_0[i]\,\delta_1[k]$, built just as $c_2$ was.
#
# **Define `c1_row1`**, shape (4, 2). In row 1, $x_1$ is 1 like the bias input, so two of the four rows come out equal.

# %% item="grad-w1-row1"
c1_row1 = None  # shape (4, 2), the shape of w1
### BEGIN SOLUTION
c1_row1 = np.outer(with_bias(x), dE_da1 * sigmoid_prime(a1))
### END SOLUTION

# %% [markdown]
# ## 3. A neuron taken apart
#
# Nobody needs to remember $a(1-a)$. Cut the sigmoid into gates that do one thing each, and every gate's slope is known
# from school:
#
# | gate | its output for the input $v$ | local slope |
# |---|---|---|
# | times a constant $r$ | $r\,v$ | $r$ |
# | exponential | $e^v$ | $e^v$, its own output |
# | plus a constant $r$ | $r + v$ | 1 |
# | reciprocal | $1/v$ | $-1/v^2$, from its input |
#
# $\sigma(s) = 1/(1 + e^{-s})$ is four of them in a row: times -1, exp, plus 1, reciprocal.
# For $s = 1$ the four outputs are $-1$, $.3679$, $1.3679$, $.7311$.
#
# **Write `sigmoid_gates(s)`**: one number in, the outputs of the four gates in this order, shape (4,).


# %% item="gates-forward"
def sigmoid_gates(s):
    """one number -> (4,). Outputs of the gates times -1, exp, plus 1, reciprocal, in this order.

    Source: Kurpasi, RNN-Tutorial, the neuron's graph.
    """
    ### BEGIN SOLUTION
    negative = -s
    exponential = np.exp(negative)
    plus_one = exponential + 1
    reciprocal = 1 / plus_one
    return np.array([negative, exponential, plus_one, reciprocal])
    ### END SOLUTION


# %% [markdown]
# ### Backwards through the gates
# Start at the end with the gradient that arrives there, the **upstream** gradient. Each gate multiplies it with its
# local slope and hands the product on to its input:
#
# $$\text{gradient at the input} = \text{gradient at the output} \times \text{local slope}$$
#
# For $s = 1$ and upstream 1, the reciprocal gate has the input 1.3679 and hands on $1 \cdot (-1/1.3679^2) = -.5344$.
# The plus gate hands that on unchanged. The exp gate has the output .3679: $-.5344 \cdot .3679 = -.1966$. The gate
# times -1 turns the sign: .1966. Compare with $a(1-a) = .7311 \cdot .2689 = .1966$.
#
# **Write `sigmoid_gates_backward(s, upstream=1.0)`**: the gradient at the input of the gates reciprocal, plus 1, exp,
# times -1, in this order (the order in which you meet them going back), shape (4,).
# The last entry is the gradient with respect to $s$.


# %% item="gates-backward"
def sigmoid_gates_backward(s, upstream=1.0):
    """one number, one number -> (4,). Gradients at the inputs of the gates reciprocal, plus 1, exp, times -1.

    Source: Kurpasi, RNN-Tutorial, the neuron's graph.
    """
    ### BEGIN SOLUTION
    _, exponential, plus_one, _ = sigmoid_gates(s)
    d_plus_one = upstream * (-1 / plus_one**2)
    d_exponential = d_plus_one * 1
    d_negative = d_exponential * exponential
    d_s = d_negative * -1
    return np.array([d_plus_one, d_exponential, d_negative, d_s])
    ### END SOLUTION


# %% [markdown]
# ### The whole neuron
# In front of the sigmoid stand products and a plus gate. A plus gate hands its gradient to each of its inputs
# unchanged. A product hands to each factor the gradient times the **other** factor:
#
# $$u = w\,a \quad\Rightarrow\quad \frac{\partial u}{\partial w} = a,\qquad \frac{\partial u}{\partial a} = w$$
#
# The little neuron of section 1: $\partial E/\partial s = -.0887$ arrives at all three products. With
# $w = (.5, -1, 2)$ and $a = (1, .5, .25)$ the second product hands $-.0887\cdot .5 = -.0444$ to its weight and
# $-.0887\cdot(-1) = .0887$ to its input.
#
# **Write `neuron_graph_backward(w, a, target)`** for $E = \frac12(\sigma(w\cdot a) - \text{target})^2$, where
# $w\cdot a$ is the sum of the products: return the two gradients $\partial E/\partial w$ and $\partial E/\partial a$,
# each of shape (d,) for any number d of inputs. `a` already holds its leading 1 if there is a bias.


# %% item="neuron-graph"
def neuron_graph_backward(w, a, target):
    """(d,), (d,), one number -> (d,), (d,). dE/dw and dE/da of one neuron's squared error.

    Source: Kurpasi, RNN-Tutorial, the neuron's graph.
    """
    ### BEGIN SOLUTION
    output = sigmoid(np.dot(w, a))
    d_s = (output - target) * sigmoid_prime(output)
    return d_s * a, d_s * w
    ### END SOLUTION


# %% [markdown]
# Here is the first output unit of row 1 as a graph, drawn with your functions: green is the value going forward, red
# the gradient $\partial E_1/\partial(\cdot)$ coming back. A `?` waits for one of your answers. Two things to look for:
# where is the first column of `c2_row1`, and which red number is one of the two roads to `dE_da1[0]`?


# %% given="draw-graph" hidden=true
def draw_neuron_graph(gates, gates_backward, neuron_backward, dE_da2):
    """The first output unit of row 1: forward value above each edge in green, gradient below it in red."""
    w, a, s, target = w2[:, 0], with_bias(a1), s2[0], y[0]
    upstream = None if dE_da2 is None else tried(lambda: float(dE_da2[0]))
    values = tried(gates, s)
    back = None if upstream is None else tried(gates_backward, s, upstream)
    ends = tried(neuron_backward, w, a, target)
    d_w, d_a = ends if isinstance(ends, tuple) and len(ends) == 2 else (None, None)

    fig, ax = plt.subplots(figsize=(14, 6))
    green, red = "#1a7f37", "#c0392b"

    def edge(start, end, value, gradient, name="", at=0.5):
        (x0, y0), (x1, y1) = start, end
        ax.annotate("", xy=end, xytext=start, arrowprops={"arrowstyle": "->", "color": "0.6", "lw": 1.3}, zorder=1)
        px, py = x0 + at * (x1 - x0), y0 + at * (y1 - y0)
        box = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
        ax.text(px, py + 0.07, value, color=green, ha="center", va="bottom", fontsize=10, bbox=box, zorder=2)
        ax.text(px, py - 0.07, gradient, color=red, ha="center", va="top", fontsize=10, bbox=box, zorder=2)
        if name:
            ax.text(x0 - 0.1, y0, name, ha="right", va="center", fontsize=11)

    def gate(spot, text):
        ax.scatter(*spot, s=1250, color="#eef3fb", edgecolor="0.3", zorder=3)
        ax.text(*spot, text, ha="center", va="center", fontsize=12 if len(text) < 4 else 10, zorder=4)

    reach = 0.36
    for k, level in enumerate((2.6, 0.0, -2.6)):
        product, plus = (2.1, level), (4.4, 0.0)
        edge((0.2, level + 0.75), (2.1 - reach, level + 0.16), f"{w[k]:.4f}", shown(d_w, k), f"$w_2[{k},1]$", 0.42)
        edge((0.2, level - 0.75), (2.1 - reach, level - 0.16), f"{a[k]:.4f}", shown(d_a, k), f"$a_1[{k}]$", 0.42)
        way = np.subtract(plus, product) / np.hypot(*np.subtract(plus, product)) * (0.32 if level else reach)
        edge(tuple(product + way), tuple(plus - way), f"{w[k] * a[k]:.4f}", shown(back, 3))
        gate(product, "×")
    stops = [4.4, 6.0, 7.6, 9.2, 10.8, 12.6]
    passing = [
        (f"{s:.4f}", shown(back, 3)),
        (shown(values, 0), shown(back, 2)),
        (shown(values, 1), shown(back, 1)),
        (shown(values, 2), shown(back, 0)),
        (shown(values, 3), shown(upstream)),
    ]
    for start, end, (value, gradient) in zip(stops[:-1], stops[1:], passing, strict=True):
        edge((start + reach, 0), (end - (0.62 if end == stops[-1] else reach), 0), value, gradient)
    for spot, text in zip(stops[:-1], ["+", "× −1", "exp", "+1", "1/v"], strict=True):
        gate((spot, 0), text)
    box = {"boxstyle": "round,pad=0.5", "facecolor": "#eef3fb", "edgecolor": "0.3"}
    ax.text(stops[-1], 0, f"½(v − {target:g})²", ha="center", va="center", fontsize=11, bbox=box, zorder=4)
    edge((stops[-1] + 0.68, 0), (14.2, 0), f"{0.5 * (a2[0] - target) ** 2:.4f}", "1.0000", at=0.42)
    names = ["$s_2[1]$", "", "", "", "$a_2[1]$"]
    for start, end, name in zip(stops[:-1], stops[1:], names, strict=True):
        ax.text((start + end) / 2, 0.62, name, ha="center", fontsize=11)
    ax.text(14.25, 0, "$E_1$", ha="left", va="center", fontsize=12)
    ax.text(8.4, -2.2, "value, going forward", color=green, fontsize=12)
    ax.text(8.4, -2.65, "gradient of $E_1$, coming back", color=red, fontsize=12)
    ax.set(xlim=(-0.9, 14.8), ylim=(-3.7, 3.7), title="The first output unit: $E_1$ is its half of the error of row 1")
    ax.axis("off")
    fig.subplots_adjust(left=0.01, right=0.99, bottom=0.03, top=0.94)
    plt.show()


# %%
draw_neuron_graph(sigmoid_gates, sigmoid_gates_backward, neuron_graph_backward, dE_da2)

# %% [markdown]
# ## 4. Where a value is used more than once
#
# $a_1[1]$ was used by two outputs, and two gradients added. That is a rule: **a value that is used in several places
# gets the sum of what comes back from each place.** From each place comes its upstream gradient times the local slope
# there.
#
# $$\frac{\partial E}{\partial v} = \sum_{\text{places}} \text{upstream} \cdot \text{local slope}$$
#
# With two places, upstream gradients 2 and 3, local slopes 5 and -1: $2\cdot 5 + 3\cdot(-1) = 7$.
# When $v$ is an array, this holds for each of its entries by itself.
#
# **Write `branch_gradient(upstreams, locals_)`**. Both have one entry a place of use. The entries are numbers, or
# arrays of one and the same shape; the result has the shape of one entry.


# %% item="branches-add"
def branch_gradient(upstreams, locals_):
    """(places, ...), (places, ...) -> (...). Gradient of a value that is used in several places.

    Source: Kurpasi, RNN-Tutorial, dE/da1 as a sum over the outputs.
    """
    ### BEGIN SOLUTION
    total = 0.0
    for upstream, local in zip(upstreams, locals_, strict=True):
        total = total + upstream * local
    return total
    ### END SOLUTION


# %% [markdown]
# ### One bias for a whole layer
# Suppose that all units of a layer share a single bias: row 0 of `w1` holds the same number $b_1$ in every column, row
# 0 of `w2` the same $b_2$. (With the weights given here it is so: .5 and .5, twice.) When $b_1$ moves, all entries of
# its row move together. It is one value used in several places.
#
# A small example: a layer with deltas $(.3, -.1, .05)$ and one shared bias $b$ has $\partial E/\partial b = .25$.
#
# **Write `shared_bias_gradient(x, y, w1, w2)`** for one row: it returns two numbers, $\partial E/\partial b_1$ and
# $\partial E/\partial b_2$. Layers may have any sizes; `w1` is (d+1, h), `w2` is (h+1, m), as always with the biases
# in row 0.


# %% item="shared-bias"
def shared_bias_gradient(x, y, w1, w2):
    """(d,), (m,), (d+1, h), (h+1, m) -> two numbers. dE/db1 and dE/db2 when a layer's units share one bias.

    Source: Kurpasi, RNN-Tutorial, with the rule for branches.
    """
    ### BEGIN SOLUTION
    a1 = sigmoid(with_bias(x) @ w1)
    a2 = sigmoid(with_bias(a1) @ w2)
    d_s2 = (a2 - y) * sigmoid_prime(a2)
    d_s1 = (w2[1:] @ d_s2) * sigmoid_prime(a1)
    return np.sum(d_s1), np.sum(d_s2)
    ### END SOLUTION


# %% [markdown]
# ## 5. The whole net in one function
#
# Now put sections 1 and 2 together for a net of any sizes: $d$ inputs, $h$ hidden units, $m$ outputs.
# The order of work, with the shapes to aim at:
#
# | step | shape |
# |---|---|
# | forward: $a_0 = (1, x)$, $a_1$, $a_2$ | (d+1,), (h,), (m,) |
# | $\delta_2 = $ error times slope at the outputs | (m,) |
# | $\delta_1 = $ what comes back over $w_2$, times slope at the hidden units | (h,) |
# | $c_1 = a_0[i]\,\delta_1[k]$ and $c_2 = a_1[k]\,\delta_2[j]$ | (d+1, h) and (h+1, m) |
#
# **Write `mlp_gradients(x, y, w1, w2)`** for one row: it returns `c1, c2`. Row 1 must give your `c1_row1` and
# `c2_row1`.


# %% item="mlp-gradients"
def mlp_gradients(x, y, w1, w2):
    """(d,), (m,), (d+1, h), (h+1, m) -> (d+1, h), (h+1, m). dE/dw1 and dE/dw2 for one row.

    Source: Kurpasi, RNN-Tutorial, backpropagation.
    """
    ### BEGIN SOLUTION
    a0 = with_bias(x)
    a1 = sigmoid(a0 @ w1)
    a2 = sigmoid(with_bias(a1) @ w2)
    d_s2 = (a2 - y) * sigmoid_prime(a2)
    d_s1 = (w2[1:] @ d_s2) * sigmoid_prime(a1)
    return np.outer(a0, d_s1), np.outer(with_bias(a1), d_s2)
    ### END SOLUTION


# %% [markdown]
# ## 6. A softmax at the end
#
# For classes the net ends differently: the scores $f$ go through softmax, and the loss of example $i$ is $-\log p$ of
# its label. There is no bias among examples and classes, and labels count from 0; so **in this section** the formulas
# count them from 0 as numpy does: $f[i,j]$ is `f[i, j]`, the score of class $j$ in row $i$.
#
# $$p[i,j] = \frac{e^{f[i,j]}}{\sum_l e^{f[i,l]}}, \qquad L = \frac1n\sum_i -\log p[i, \text{label}_i]$$
#
# where $l$ runs over all classes. Every score moves every probability of its row, so the chain has branches again. They
# add up to something short. Write the loss of one row as
# $-\log p[\text{label}] = -f[\text{label}] + \log\sum_l e^{f[l]}$ and differentiate the two terms:
#
# $$\frac{\partial L}{\partial f[i,j]} = \frac1n\left(p[i,j] -
# \begin{cases}1 & j = \text{label}_i\\ 0 & \text{else}\end{cases}\right)$$
#
# One example with scores $(0, 0, 0)$ and label 2, the third class: $p = (.3333, .3333, .3333)$, gradient
# $(.3333, .3333, -.6667)$. Each row sums to 0: what one score gains the others lose.
#
# **Write `softmax_cross_entropy_gradient(f, labels)`**: `f` is (n, m) for n examples and m classes, `labels` are n
# integers from 0 to m-1; the result is (n, m), the gradient of the **mean** loss. Leave `f` as it is.


# %% item="softmax-ce-gradient"
def softmax_cross_entropy_gradient(f, labels):
    """(n, m), (n,) -> (n, m). Gradient of the mean cross-entropy with respect to the scores f.

    Source: notes to Chen, A Gentle Tutorial of RNN, the loss of the i-th example.
    """
    ### BEGIN SOLUTION
    n = len(f)
    powers = np.exp(f - np.max(f, axis=1, keepdims=True))
    d_f = powers / np.sum(powers, axis=1, keepdims=True)
    d_f[np.arange(n), labels] -= 1
    return d_f / n
    ### END SOLUTION


# %% [markdown]
# ### A net with this end
# Sigmoid hidden layer, then scores $f = s_2$ with no sigmoid on them, then softmax and $-\log p$. Only $\delta_2$
# changes: it is now $\partial L/\partial f$ of the one example. What lies before it is as in section 5.
#
# **Write `softmax_mlp_gradients(x, label, w1, w2)`** for one row: `label` is one integer; it returns `c1, c2` with the
# biases in row 0, shapes (d+1, h) and (h+1, m).


# %% item="softmax-mlp-gradients"
def softmax_mlp_gradients(x, label, w1, w2):
    """(d,), one integer, (d+1, h), (h+1, m) -> (d+1, h), (h+1, m). dL/dw1, dL/dw2 of -log softmax.

    Source: notes to Chen, A Gentle Tutorial of RNN, back propagation; layout of weights: Kurpasi.
    """
    ### BEGIN SOLUTION
    a0 = with_bias(x)
    a1 = sigmoid(a0 @ w1)
    f = with_bias(a1) @ w2
    d_f = softmax_cross_entropy_gradient(f[np.newaxis], np.array([label]))[0]
    d_s1 = (w2[1:] @ d_f) * sigmoid_prime(a1)
    return np.outer(a0, d_s1), np.outer(with_bias(a1), d_f)
    ### END SOLUTION


# %% [markdown]
# ## 7. Trust, but measure
#
# A gradient can be measured without any calculus: move one weight a little up, a little down, and look at the error
# both times. From here on $f$ is any function of weights that gives one number, no longer the scores, and $h$ is the
# little step, no longer a number of hidden units.
#
# $$\frac{\partial f}{\partial w[i]} \approx \frac{f(w + h\,e_i) - f(w - h\,e_i)}{2h}$$
#
# where $e_i$ has the shape of $w$ and is 1 at entry $i$ and 0 elsewhere. It is slow, two runs of the net a weight, so
# it is no way to train; it is the way to **test** a gradient. Looking to both sides matters: for $f(w) = w^3$ at
# $w = 1$ with $h = .1$, one side gives $(1.331 - 1)/.1 = 3.31$, both sides give $(1.331 - .729)/.2 = 3.01$; the truth
# is 3.
#
# **Write `numeric_gradient(f, w, h=1e-5)`**: `f` takes an array like `w` and returns one number; `w` is a vector or a
# matrix of floats; the result has the shape of `w`. After the call `w` must hold exactly what it held before.


# %% item="numeric-gradient"
def numeric_gradient(f, w, h=1e-5):
    """function, (d,) or (r, c), one number -> shape of w. Central differences of f at w; w stays as it was.

    Source: the definition of a derivative.
    """
    ### BEGIN SOLUTION
    grad = np.zeros(w.shape)
    for index in np.ndindex(w.shape):
        step = np.zeros(w.shape)
        step[index] = h
        grad[index] = (f(w + step) - f(w - step)) / (2 * h)
    return grad
    ### END SOLUTION


# %% [markdown]
# Your two ways side by side, for all fourteen weights of row 1. Where they part by more than about 1e-8, one of them
# is wrong.


# %% given="draw-check" hidden=true
def compare_gradients(gradients, numeric):
    """A table with the calculated and the measured gradient of every weight of row 1."""

    def error(first, second):
        return float(0.5 * np.sum((sigmoid(with_bias(sigmoid(with_bias(x) @ first)) @ second) - y) ** 2))

    calculated = tried(gradients, x, y, w1, w2)
    measured = (
        tried(numeric, lambda w: error(w, w2), w1.copy()),
        tried(numeric, lambda w: error(w1, w), w2.copy()),
    )
    if calculated is None or any(part is None for part in measured):
        print("answer mlp_gradients and numeric_gradient and run this again")
        return None
    lines = []
    for layer, (exact, tested) in enumerate(zip(calculated, measured, strict=True), start=1):
        for place in np.ndindex(np.shape(tested)):
            number = tried(lambda found, at: float(found[at]), exact, place)
            lines.append((f"w{layer}[{place[0]}, {place[1]}]", number, float(tested[place])))
    table = pd.DataFrame(lines, columns=["weight (numpy)", "calculated", "measured"])
    table["difference"] = (table["calculated"] - table["measured"]).abs()
    forms = {"calculated": "{:.6f}", "measured": "{:.6f}", "difference": "{:.0e}"}
    return table.assign(**{name: table[name].map(form.format) for name, form in forms.items()})


# %%
compare_gradients(mlp_gradients, numeric_gradient)

# %% [markdown]
# ## What you have learnt
#
# - A partial derivative is a product of slopes along the road from the weight to the error.
# - Where roads meet, gradients add: over the outputs for a hidden unit, over the places of use for anything shared.
# - Error times slope at a unit is its delta. A weight's gradient is what it is multiplied with, times the delta behind
#   it.
# - Going back, a delta travels over the same weights as the activation did going forward, without the bias row.
# - A saturated unit has almost no slope, and little gradient comes through it.
# - Softmax with cross-entropy has the shortest delta of all: probabilities minus the one at the label.
# - Central differences test any gradient.
#
# Unit 4 uses these gradients to change the weights.
