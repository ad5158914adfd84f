# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Unit 9: three classes, more layers
#
# WildML's tutorial, the one of unit 8, ends with five exercises. Two are left: go from two to three classes, with data
# of your own (exercise 4), and go from three to four layers (exercise 5). A reader got stuck right there: *"How would
# the derivatives change if you add an extra hidden layer?"* He was told that people leave it to a library. You will do
# it by hand, then once and for all: for a net of any depth.
#
# **It assumes** unit 8: row vectors, models as dicts, $\delta_3$ and $\delta_2$, the summed loss with its penalty.
#
# **Afterwards you can**
# - make data on which a straight line fails, and prove that it does,
# - say what changes in the code when there are three classes instead of two (almost nothing),
# - carry the error signal back through one more layer, and through any number of them,
# - measure how the gradient grows or fades on its way back,
# - compare nets of different depth fairly, and draw where a net decides what.
#
# **It takes** about three hours. No training takes longer than a few seconds.
#
# **Grading** calls your functions with fresh numbers, other ones for each student: other weights, other sizes, another
# number of classes. Write them for any sizes, and let no function change its arguments: make new arrays. Points, nets
# and tables of your own are judged by what is asked of them.

# %% given="setup"
import itertools
import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd


def softmax(scores):
    """(n, c) -> (n, c). Each row made into probabilities. Source: unit 02."""
    powers = np.exp(scores - np.max(scores, axis=1, keepdims=True))
    return powers / np.sum(powers, axis=1, keepdims=True)


def summed_loss(probs, matrices, y, reg_lambda):
    """(n, c), list of weight matrices, (n,), number -> number. The loss whose gradients this unit asks for."""
    penalty = reg_lambda / 2 * sum(np.sum(W**2) for W in matrices)
    return -np.sum(np.log(probs[np.arange(len(y)), y])) + penalty


def random_layers(sizes, generator):
    """[2, 10, 3] -> weights [(2, 10), (10, 3)], biases [(10,), (3,)]. A random start for a net of these sizes."""
    pairs = list(itertools.pairwise(sizes))
    weights = [generator.normal(size=pair) / np.sqrt(pair[0]) for pair in pairs]
    return weights, [np.zeros(after) for _, after in pairs]


def random_start(sizes, generator):
    """[2, 10, 3] -> model, a dict with the keys W1, b1, W2, b2 and so on. The same start as a dict, biases (1, h)."""
    weights, biases = random_layers(sizes, generator)
    model = {f"W{i}": W for i, W in enumerate(weights, start=1)}
    return model | {f"b{i}": b[None] for i, b in enumerate(biases, start=1)}


rng = np.random.default_rng(9)  # yours, for the points and the starts that you draw
start = random_start([2, 3, 3], np.random.default_rng(0))  # three layers: 3 hidden units, 3 classes
start4 = random_start([2, 8, 6, 3], np.random.default_rng(4))  # four layers: 8 and 6 hidden units, 3 classes
num_passes = 1000  # steps of gradient descent
epsilon = 0.01  # learning rate of unit 8
reg_lambda = 0.01  # strength of the penalty on large weights

# nets so small that they can be worked on paper, and three points for them
tiny = {
    "W1": np.array([[1.0, -1.0], [0.5, 1.0]]),
    "b1": np.array([[0.0, 0.5]]),
    "W2": np.array([[1.0, -1.0, 0.5], [0.5, 0.0, -1.0]]),
    "b2": np.array([[0.1, 0.0, -0.1]]),
}
tiny4 = {
    "W1": np.array([[1.0, -1.0, 0.5], [0.5, 1.0, -1.0]]),
    "b1": np.array([[0.0, 0.5, 0.0]]),
    "W2": np.array([[1.0, -0.5], [0.5, 1.0], [-1.0, 0.5]]),
    "b2": np.array([[0.1, -0.1]]),
    "W3": np.array([[1.0, -1.0, 0.5], [0.5, 0.0, -1.0]]),
    "b3": np.array([[0.0, 0.1, -0.1]]),
}
tiny_weights = [tiny4["W1"], tiny4["W2"], tiny4["W3"]]
tiny_biases = [tiny4["b1"][0], tiny4["b2"][0], tiny4["b3"][0]]
X_tiny = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 1.0]])
y_tiny = np.array([0, 2, 1])

# %% given="judging-points"


def line_accuracy(points, inside):
    """(n, 2), (n,) of True and False -> fraction. The best that one straight line does at separating the two."""
    best = 0
    for angle in np.linspace(0, np.pi, 360, endpoint=False):
        along = np.asarray(inside)[np.argsort(points @ [np.cos(angle), np.sin(angle)])]
        # right answers with the line after 0, 1, ... n points, and "True" on its near side
        right = np.sum(~along) + np.concatenate([[0], np.cumsum(np.where(along, 1, -1))])
        best = max(best, right.max(), len(along) - right.min())
    return float(best / len(inside))


def linear_accuracy(points, labels):
    """(n, 2), (n,) of 0, 1, 2 -> fraction. What a softmax without a hidden layer gets right: the linear baseline."""
    inputs = np.column_stack([np.ones(len(points)), (points - points.mean(axis=0)) / points.std(axis=0)])
    W = np.zeros((3, 3))
    for _ in range(400):
        W = W - inputs.T @ (softmax(inputs @ W) - np.eye(3)[labels]) / len(points)
    return float(np.mean(np.argmax(inputs @ W, axis=1) == labels))


def neighbour_share(points, labels):
    """(n, 2), (n,) -> fraction. How many points have a point of their own class as their nearest neighbour."""
    asked = np.arange(0, len(points), max(1, len(points) // 1000))
    far = np.sum((points[asked, None] - points[None]) ** 2, axis=2)
    far[np.arange(len(asked)), asked] = np.inf
    return float(np.mean(labels[np.argmin(far, axis=1)] == labels[asked]))


# 90 points of three classes, in case your own are not ready: too few for an answer, enough to go on
SPARE = """
-.05 .24 -.13 -.36 .04 -.30 .19 .18 .39 .03 -.01 -.13 .34 .19 -.04 .46 -.20 -.17 -.07 -.03 .13 .04 .34 .29 -.09
-.29 .28 .25 .37 -.11 .20 -.04 -.39 .22 .00 -.11 -.15 .46 .11 .07 .21 .07 .16 -.18 .30 -.12 -.48 -.01 -.25 .08
-.08 .45 .09 -.04 -.25 .28 -.07 .07 .01 .16 1.17 -.27 -1.11 .47 -.47 -.68 -.44 -.95 .52 -.81 -.79 -.08 .68 -.94
-.88 -.40 .99 -.61 .80 -.53 -.83 -.12 -.69 -.43 -.62 .63 .51 1.08 .72 .49 -.13 -.99 -.66 .71 -1.21 -.05 -.34 .84
.41 -.72 -.84 -.25 .20 .78 -.98 .14 -.46 -.91 -.37 1.14 .63 -.60 .25 -1.12 -.84 -.37 -.01 .91 -.02 .87 -1.37
-.87 .38 -1.48 -1.71 -.11 -1.36 -.71 -1.20 -1.20 -1.44 -.57 1.46 .52 1.82 .10 .71 -1.50 1.59 .98 .32 1.53 -.67
-1.57 .75 1.60 -.06 -1.57 .50 -1.59 -1.38 -1.18 -.21 1.85 -1.69 -.54 1.70 .24 -1.71 -.38 -1.67 .15 -1.73 -.07
1.53 .71 -.49 1.49 .32 -1.72 1.75 .30 -1.50 -.05 1.67 -.11 -.13 1.84 -1.65 .86
"""
X_spare = np.array(SPARE.split(), dtype=float).reshape(90, 2)
y_spare = np.repeat([0, 1, 2], 30)

# %% given="drawing" hidden=true
COLORS = ("#c0392b", "#2471a3", "#b9770e")  # classes 0, 1, 2
PALE = plt.matplotlib.colors.ListedColormap(["#f5c6c0", "#c5dcf0", "#fae3b8"])


def tried(function, *arguments):
    """What the function returns, or None while it cannot be called yet. For pictures only."""
    try:
        with np.errstate(all="ignore"):
            return function(*arguments)
    except Exception:
        return None


def not_yet(ax, what):
    """An empty picture that says what to do."""
    says = f"answer {what}\nand run this again"
    ax.text(0.5, 0.5, says, ha="center", va="center", transform=ax.transAxes, color="0.5")
    ax.set(xticks=[], yticks=[])


def usable(points, labels):
    """Points as arrays, the spare ones where there are none yet, and whether they are yours."""
    own = tried(lambda: (np.asarray(points, dtype=float).reshape(-1, 2), np.asarray(labels, dtype=float).ravel()))
    if (
        own is None
        or len(own[0]) != len(own[1])
        or not np.all(np.isfinite(own[0]))
        or not set(own[1]) <= {0.0, 1.0, 2.0}
        or len(own[0]) < 3
    ):
        return X_spare, y_spare, False
    return own[0], own[1].astype(int), True


def dots(ax, points, labels, size=14):
    for label, color in enumerate(COLORS):
        ax.scatter(*points[labels == label].T, s=size, color=color, edgecolor="white", lw=0.4, zorder=3)
    low, high = points.min(axis=0) - 0.5, points.max(axis=0) + 0.5
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal", xticks=[], yticks=[])


def shade(ax, decide, points, labels, title, what, size=14):
    """Points on the plane, coloured by decide(points), a class for each."""
    low, high = points.min(axis=0) - 0.5, points.max(axis=0) + 0.5
    across, up = np.meshgrid(np.linspace(low[0], high[0], 160), np.linspace(low[1], high[1], 160))
    classes = tried(lambda: np.asarray(decide(np.column_stack([across.ravel(), up.ravel()])), dtype=float))
    if classes is None or classes.size != across.size:
        not_yet(ax, what)
    else:
        classes = classes.reshape(across.shape)
        ax.pcolormesh(across, up, classes, cmap=PALE, vmin=-0.5, vmax=2.5, rasterized=True)
        for label in range(3):
            if 0 < np.mean(classes == label) < 1:
                ax.contour(across, up, classes == label, [0.5], colors="0.25", linewidths=0.9)
        dots(ax, points, labels, size)
        right = tried(lambda: np.mean(np.asarray(decide(points)) == labels))
        title += "" if right is None else f": {right:.3f} right"
    ax.set_title(title, fontsize=10)


def draw_points(points, labels):
    """Your three classes, and what straight lines can do with them."""
    points, labels, own = usable(points, labels)
    fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4.4), width_ratios=[1, 1])
    dots(left, points, labels)
    name = "your points" if own else "the spare points (yours are not ready)"
    left.set_title(f"{name}\nneighbour_share {neighbour_share(points, labels):.2f}, at least .6 is wanted", fontsize=10)
    best = [line_accuracy(points, labels == label) for label in range(3)]
    names = [f"class {label}\nagainst the rest" for label in range(3)]
    right.bar(names, best, color=COLORS, width=0.6)
    right.axhline(0.95, color="0.3", ls="--", lw=1)
    right.text(2.3, 0.957, "at most .95 is wanted", ha="right", va="bottom", fontsize=9, color="0.3")
    for place, share in enumerate(best):
        right.text(place, share - 0.04, f"{share:.3f}", ha="center", va="top", color="white")
    right.set(ylim=(0, 1.08))
    right.spines[["top", "right"]].set_visible(False)
    baseline = linear_accuracy(points, labels)
    goal = f"linear_accuracy {baseline:.3f}, your net is to reach {baseline + 0.2:.3f}"
    right.set_title(f"what the best straight line gets right\n{goal}", fontsize=10)
    fig.subplots_adjust(left=0.01, right=0.98, bottom=0.13, top=0.88, wspace=0.07)
    plt.show()


def draw_three_classes(net, points, labels):
    """The linear baseline beside your trained net."""
    points, labels, _ = usable(points, labels)
    baseline = linear_accuracy(points, labels)
    fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4.6))
    linear = {}
    inputs = np.column_stack([np.ones(len(points)), points])
    W = np.zeros((3, 3))
    for _ in range(3000):
        W = W - 0.2 * inputs.T @ (softmax(inputs @ W) - np.eye(3)[labels]) / len(points)
    linear["W"] = W
    shade(
        left,
        lambda at: np.argmax(np.column_stack([np.ones(len(at)), at]) @ linear["W"], axis=1),
        points,
        labels,
        "a softmax without a hidden layer",
        "",
    )
    shade(
        right,
        lambda at: np.argmax(forward3(net, at)["probs"], axis=1),
        points,
        labels,
        "your net",
        "three-class-trained",
    )
    fig.suptitle(f"linear baseline {baseline:.3f}, to be beaten: {baseline + 0.2:.3f}", fontsize=10, color="0.3")
    fig.subplots_adjust(left=0.01, right=0.98, bottom=0.03, top=0.86, wspace=0.01)
    plt.show()


def draw_four_layers(points, labels, passes=800, rate=0.001):
    """start4 trained by your gradients4: its loss, where it decides what, and its last hidden layer."""
    points, labels, _ = usable(points, labels)
    fig, axes = plt.subplots(1, 3, figsize=(13, 4.2))
    net, losses = {name: part.copy() for name, part in start4.items()}, []

    def one_step(net):
        d_net = gradients4(net, points, labels, reg_lambda)
        return {name: part - rate * d_net[name] for name, part in net.items()}

    def inner_view(net):
        inner = np.asarray(forward4(net, points)["a2"], dtype=float)
        centred = inner - inner.mean(axis=0)
        return centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T

    end = time.monotonic() + 3  # seconds: gradients that go point by point get fewer passes
    while len(losses) < passes and (time.monotonic() < end or not losses):
        moved = tried(one_step, net)
        loss = tried(
            lambda net=net: summed_loss(
                forward4(net, points)["probs"], [net["W1"], net["W2"], net["W3"]], labels, reg_lambda
            )
        )
        if moved is None or loss is None:
            losses = []
            break
        losses.append(loss)
        net = moved
    if not losses:
        for ax in axes:
            not_yet(ax, "four-layer-forward\nand four-layer-gradients")
    else:
        axes[0].plot(losses, color="0.2")
        axes[0].set(xlabel="passes", ylabel="summed loss", ylim=(0, None))
        axes[0].spines[["top", "right"]].set_visible(False)
        axes[0].set_title("start4, trained by your gradients", fontsize=10)
        shade(axes[1], lambda at: np.argmax(forward4(net, at)["probs"], axis=1), points, labels, "its regions", "")
        seen = tried(inner_view, net)
        if seen is None or not np.all(np.isfinite(seen)):
            not_yet(axes[2], "four-layer-gradients")
        else:
            dots(axes[2], seen, labels)
        axes[2].set_title("the same points in the second hidden layer", fontsize=10)
    fig.subplots_adjust(left=0.06, right=0.99, bottom=0.14, top=0.92, wspace=0.04)
    plt.show()


def draw_norms(norms, layers=12, width=10):
    """Layer gradient norms of deep nets for three sizes of the starting weights; the first layer's over the depth."""
    generator = np.random.default_rng(7)
    points, labels = generator.normal(size=(60, 2)), generator.integers(3, size=60)

    def measured(depth, scale):
        weights, biases = random_layers([2] + (depth - 1) * [width] + [3], np.random.default_rng(1))
        found = tried(lambda: np.asarray(norms([scale * W for W in weights], biases, points, labels), dtype=float))
        return found if found is not None and found.shape == (depth,) and np.all(found > 0) else None

    fig, (left, right) = plt.subplots(1, 2, figsize=(11, 4), sharey=True)
    left.set_title(f"a net of {layers} layers: what each layer gets", fontsize=10)
    right.set_title("nets of any depth: what the first layer gets", fontsize=10)
    scales = ((2.0, "2 / √inputs", COLORS[0]), (1.0, "1 / √inputs", "0.2"), (0.5, ".5 / √inputs", COLORS[1]))
    depths = range(1, layers + 1)
    for scale, name, color in scales:
        found = [measured(depth, scale) for depth in depths]
        if any(entry is None for entry in found):
            not_yet(left, "layer-norms")
            not_yet(right, "layer-norms")
            break
        left.plot(depths, found[-1], "o-", color=color, label=f"weights of size {name}")
        right.plot(depths, [entry[0] for entry in found], "o-", color=color)
    else:
        left.set(yscale="log", xlabel="layer (1 is next to the input)", ylabel="gradient norm", xticks=depths)
        left.yaxis.set_major_formatter("{x:g}")  # a formula at each tick is slow to draw
        right.set(xlabel="number of layers", xticks=depths)
        left.legend(frameon=False, fontsize=9, loc="center right")
        for ax in (left, right):
            ax.spines[["top", "right"]].set_visible(False)
    fig.subplots_adjust(left=0.07, right=0.99, bottom=0.15, top=0.91, wspace=0.04)
    plt.show()


def draw_depth(table, nets, points, labels):
    """The regions of the first five nets of the experiment, and the table's accuracies."""
    points, labels, _ = usable(points, labels)
    shown = list(nets)[:5] if isinstance(nets, list | tuple) and len(nets) else [None]
    fig, axes = plt.subplots(2, 3, figsize=(10.5, 6.8))
    for ax in axes.flat[len(shown) : 5]:
        ax.axis("off")
    for ax, net in zip(axes.flat, shown, strict=False):
        sizes = tried(lambda net=net: "-".join(str(len(W)) for W in net[0]) + f"-{np.shape(net[0][-1])[1]}")
        shade(
            ax,
            lambda at, net=net: np.argmax(forward_deep(net[0], net[1], at)[-1], axis=1),
            points,
            labels,
            sizes or "",
            "depth-experiment\nand keep depth_nets",
            size=8,
        )
    ax = axes[1, 2]
    bars = tried(lambda: [(f"{row.layers}, {row.hidden}", float(row.accuracy)) for row in table.itertuples()])
    if not bars:
        not_yet(ax, "depth-experiment")
    else:
        places = np.arange(len(bars))[::-1]
        ax.axvline(0.8, color="0.3", ls="--", lw=1, zorder=0)
        ax.barh(places, [share for _, share in bars], color="0.55", height=0.6)
        for place, (_, share) in zip(places, bars, strict=True):
            ax.text(share - 0.02, place, f"{share:.3f}", va="center", ha="right", color="white", fontsize=9)
        ax.set(yticks=places, yticklabels=[name for name, _ in bars], xlim=(0, 1.02), ylabel="layers, hidden units")
        ax.spines[["top", "right"]].set_visible(False)
    ax.set_title("accuracy", fontsize=10)
    fig.subplots_adjust(left=0.01, right=0.97, bottom=0.06, top=0.95, wspace=0.26, hspace=0.12)
    plt.show()


def draw_grid(grid, net, points, labels):
    """The same net asked on a coarse grid and on a fine one, by your decision_grid."""
    points, labels, _ = usable(points, labels)
    fig, axes = plt.subplots(1, 3, figsize=(13, 4.3))
    for ax, step in zip(axes, (0.5, 0.2, 0.03), strict=True):
        found = tried(grid, net, points, step)
        sound = tried(lambda found=found: [np.asarray(part, dtype=float) for part in found])
        if (
            net is None
            or sound is None
            or len(sound) != 3
            or len({part.shape for part in sound}) != 1
            or sound[0].ndim != 2
        ):
            not_yet(ax, "decision-grid")
            continue
        ax.pcolormesh(*sound, cmap=PALE, vmin=-0.5, vmax=2.5, shading="nearest", rasterized=True)
        if step >= 0.2:
            ax.plot(sound[0].ravel(), sound[1].ravel(), ".", ms=2, color="0.45")
        dots(ax, points, labels, size=9)
        ax.set_title(f"step {step:g}: {sound[0].shape[0]} x {sound[0].shape[1]} grid points", fontsize=10)
    fig.subplots_adjust(left=0.01, right=0.99, bottom=0.04, top=0.95, wspace=0.04)
    plt.show()


# %% [markdown]
# ## 1. Three classes
#
# ### Points of your own
# Exercise 4 begins: *"You will need to generate an appropriate dataset for this."* Appropriate means: a straight line
# must not do. Three round clouds side by side would be three classes, but the net would need no hidden layer for them.
#
# What works is a class that bends around another, or lies between two parts of it: rings, arms of a spiral, stripes. In
# numpy, draw a position along the shape, turn it into coordinates and add noise. For points at the angle $\varphi$ and
# the distance $r$ from the middle:
#
# $$x = (r\cos\varphi,\; r\sin\varphi)$$
#
# `rng.uniform(a, b, size=n)` and `rng.normal(scale=s, size=n)` draw the numbers.
#
# Three given functions tell you how you are doing:
#
# | function | gives | wanted |
# |---|---|---|
# | `line_accuracy(X3, y3 == 0)`, and the same for 1 and 2 | what the best line gets right | at most .95, each |
# | `neighbour_share(X3, y3)` | points whose nearest neighbour is of their class | at least .6: a shape, no mere noise |
# | `linear_accuracy(X3, y3)` | what a softmax without a hidden layer gets right | low: .2 above it must be possible |
#
# The picture below prints all of them for your points.
#
# **Define `X3`** (n, 2) **and `y3`** (n,): at least 100 different points of each of the classes 0, 1 and 2, with the
# properties of the table. Everybody's points are different.

# %% item="three-class-data"
X3 = None  # shape (n, 2)
y3 = None  # shape (n,), integers 0, 1, 2
### BEGIN SOLUTION
y3 = np.repeat([0, 1, 2], 110)
radius = rng.uniform(0.2, 2.0, size=len(y3))
angle = 2 * np.pi * y3 / 3 + 2.2 * radius + rng.normal(scale=0.2, size=len(y3))
X3 = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
### END SOLUTION

# %%
draw_points(X3, y3)

# %% [markdown]
# Stuck? The given `X_spare`, `y_spare` are 90 points of three classes. They are too few to answer this question, but
# you can go on with them in their place.
#
# ### What changes forward
# The number of columns of $W_2$ and $b_2$: one output a class. Nothing else.
#
# $$z_1 = X W_1 + b_1,\qquad a_1 = \tanh(z_1),\qquad z_2 = a_1 W_2 + b_2,\qquad \hat y = \text{softmax}(z_2)$$
#
# The given `tiny` has 2 inputs, 2 hidden units and 3 classes; `X_tiny` holds three points. The text counts points,
# layers and hidden units from 1, numpy from 0: point 1 is `X_tiny[0]`. Classes are counted from 0 in both.
#
# | | point 1, (1, 0) | point 2, (0, 1) | point 3, (-1, 1) |
# |---|---|---|---|
# | $z_1$ | 1, -.5 | .5, 1.5 | -.5, 2.5 |
# | $a_1$ | .7616, -.4621 | .4621, .9051 | -.4621, .9866 |
# | $z_2$ | .6305, -.7616, .7429 | 1.0147, -.4621, -.7741 | .1312, .4621, -1.3177 |
# | $\hat y$ | .4224, .1050, .4726 | .7166, .1636, .1198 | .3806, .5300, .0894 |
# | true class, `y_tiny` | 0 | 2 | 1 |
#
# With two classes one output would have been enough, since the other probability is what is left. With three it is not,
# and three sigmoids would not do either: a row's probabilities must sum to 1.
#
# **Write `forward3(model, X)`**, which returns a dict with the keys `"z1"`, `"a1"`, `"z2"`, `"probs"`, for any sizes.
# `softmax` is given.


# %% item="three-class-forward"
def forward3(model, X):
    """(n, d) -> dict of z1, a1 (n, h) and z2, probs (n, c). Source: WildML, exercise 4."""
    ### BEGIN SOLUTION
    z1 = X @ model["W1"] + model["b1"]
    a1 = np.tanh(z1)
    z2 = a1 @ model["W2"] + model["b2"]
    probs = softmax(z2)
    return {"z1": z1, "a1": a1, "z2": z2, "probs": probs}
    ### END SOLUTION


# %% [markdown]
# ### What changes backward
# The error at the output is still $\hat y - y$, where $y$ has a 1 in the true class's place and 0 elsewhere:
#
# | | $\hat y$ | true class | error signal |
# |---|---|---|---|
# | point 1 | .4224, .1050, .4726 | 0 | -.5776, .1050, .4726 |
# | point 2 | .7166, .1636, .1198 | 2 | .7166, .1636, -.8802 |
# | point 3 | .3806, .5300, .0894 | 1 | .3806, -.4700, .0894 |
#
# Each row sums to 0: what the true class should gain, the others should give.
#
# Numpy picks one entry in each row with **two** lists of places: `probs[[0, 1, 2], [0, 2, 1]]` are the entries (0, 0),
# (1, 2) and (2, 1). `probs[:, [0, 2, 1]]` is something else: three whole columns. Take the sizes from the arrays:
# two points of **four** classes with $\hat y$ = (.1, .2, .3, .4) and (.4, .3, .2, .1), of the classes 3 and 1, have the
# signals (.1, .2, .3, -.6) and (.4, -.7, .2, .1).
#
# **Write `output_delta(probs, y)`** for any number of classes: (n, c) and (n,) in, a new array (n, c) out.


# %% item="three-class-delta"
def output_delta(probs, y):
    """(n, c), (n,) integers -> (n, c). Error signal at the scores, summed loss. Source: WildML, backpropagation."""
    ### BEGIN SOLUTION
    d_scores = probs.copy()
    d_scores[np.arange(len(y)), y] -= 1
    return d_scores
    ### END SOLUTION


# %% [markdown]
# ### All gradients
# From here on unit 8's code did not know how many classes there are, and so it need not change:
#
# $$\delta_2 = \delta_3 W_2^T \circ (1 - a_1^2),\qquad
# \frac{\partial L}{\partial W_2} = a_1^T\delta_3 + \lambda W_2,\qquad
# \frac{\partial L}{\partial W_1} = X^T\delta_2 + \lambda W_1,$$
#
# and for the biases the sums of $\delta_3$ and $\delta_2$ over the points. It is the activation $a_1$ that is
# squared, not the sum $z_1$, which a reader of the tutorial wanted to put there. And it is the gradient of the
# **summed** loss, `summed_loss`: $N$ times that of a mean.
#
# For `tiny`, its three points and $\lambda = .1$:
#
# | | numbers |
# |---|---|
# | $\delta_2$ | (-.1874, -.5988), (.0887, .2238), (.7042, .0027) |
# | `W1`, first row | -.7916, -.7015 |
# | `b1` | .6055, -.3723 |
# | `W2`, first row | -.1847, .2728, -.0381 |
# | `b2` | .5196, -.2014, -.3182 |
#
# **Write `gradients3(model, X, y, reg_lambda)`**, a dict with the model's keys and shapes. For a bias's gradient (h,)
# counts as well as (1, h), here and below. $\lambda$ is the function's own argument, and grading calls it with others
# than the notebook's .01.


# %% item="three-class-gradients"
def gradients3(model, X, y, reg_lambda):
    """model, (n, d), (n,), number -> dict with the model's keys and shapes. Source: WildML, exercise 4."""
    ### BEGIN SOLUTION
    net = forward3(model, X)
    signal = output_delta(net["probs"], y)
    hidden_signal = signal @ model["W2"].T * (1 - net["a1"] ** 2)
    d_model = {
        "W1": X.T @ hidden_signal + reg_lambda * model["W1"],
        "b1": np.sum(hidden_signal, axis=0, keepdims=True),
        "W2": net["a1"].T @ signal + reg_lambda * model["W2"],
        "b2": np.sum(signal, axis=0, keepdims=True),
    }
    return d_model
    ### END SOLUTION


# %% [markdown]
# ### Train it
# The goal: **.2 above the linear baseline**, counted on your own `X3`, `y3` (or on the spare points, if yours cannot be
# used). `linear_accuracy(X3, y3)` is the baseline; the picture of your points prints it.
#
# Three things to choose:
# - **The start.** `start` has 3 hidden units, which may be too few for your shape. `random_start([2, 10, 3], rng)`
#   gives 10 of them.
# - **The rate.** `epsilon` = .01 was right for the 200 moons. Your gradients are sums over more points, so the step is
#   larger for the same rate. If the loss jumps up and down, take .003.
# - **The passes.** `num_passes` = 1000 should show what your net can do. They take a second. If they take much longer,
#   your gradients go through the points one by one, and grading does not wait for slow cells: let matrix products do
#   it.
#
# To see the loss, print it every hundred passes. For a model `model3`,
#
#     summed_loss(forward3(model3, X3)["probs"], [model3["W1"], model3["W2"]], y3, reg_lambda)
#
# is the number that your steps should make smaller, and the fraction of right answers is
# `np.mean(np.argmax(forward3(model3, X3)["probs"], axis=1) == y3)`.
#
# **Define `model3`**, a trained model for three classes, a dict with the keys W1, b1, W2, b2. Leave the line
# `model3_points` as it is: it hands in your points with the net.

# %% item="three-class-trained"
model3 = None  # a dict with the keys W1, b1, W2, b2
model3_points = (X3, y3)  # leave this line: the points that your net is judged on
### BEGIN SOLUTION
model3 = random_start([2, 10, 3], rng)
for _ in range(num_passes):
    d_model3 = gradients3(model3, X3, y3, reg_lambda)
    model3 = {name: part - 0.003 * d_model3[name] for name, part in model3.items()}
### END SOLUTION

# %%
draw_three_classes(model3, X3, y3)

# %% [markdown]
# The boundary between two classes is where their two scores are equal and the third is smaller. Without a hidden layer
# these are straight lines. The tanh units bend them.
#
# ## 2. Four layers
#
# Exercise 5: one more hidden layer. The tutorial counts layers of units (input, two hidden, output: four). This unit
# also counts **weight matrices**, of which that net has three; `layers` will mean that in the experiment below.
#
# $$z_1 = X W_1 + b_1,\quad a_1 = \tanh(z_1),\qquad z_2 = a_1 W_2 + b_2,\quad a_2 = \tanh(z_2),\qquad
# z_3 = a_2 W_3 + b_3,\quad \hat y = \text{softmax}(z_3)$$
#
# The given `tiny4` has 2 inputs, 3 and 2 hidden units, 3 classes. With the first two of the points `X_tiny`:
#
# | | point 1 | point 2 |
# |---|---|---|
# | $z_1$ | 1, -.5, .5 | .5, 1.5, -1 |
# | $a_1$ | .7616, -.4621, .4621 | .4621, .9051, -.7616 |
# | $z_2$ | .1684, -.7119 | 1.7763, .1933 |
# | $a_2$ | .1668, -.6118 | .9443, .1909 |
# | $z_3$ | -.1391, -.0668, .5953 | 1.0398, -.8443, .1812 |
# | $\hat y$ | .2404, .2585, .5011 | .6346, .0964, .2689 |
#
# **Write `forward4(model, X)`**, a dict with the keys `"z1"`, `"a1"`, `"z2"`, `"a2"`, `"z3"`, `"probs"`.


# %% item="four-layer-forward"
def forward4(model, X):
    """(n, d) -> dict of z1, a1 (n, h1), z2, a2 (n, h2) and z3, probs (n, c). Source: WildML, exercise 5."""
    ### BEGIN SOLUTION
    z1 = X @ model["W1"] + model["b1"]
    a1 = np.tanh(z1)
    z2 = a1 @ model["W2"] + model["b2"]
    a2 = np.tanh(z2)
    z3 = a2 @ model["W3"] + model["b3"]
    probs = softmax(z3)
    return {"z1": z1, "a1": a1, "z2": z2, "a2": a2, "z3": z3, "probs": probs}
    ### END SOLUTION


# %% [markdown]
# ### The error signals, one more of them
# The reader's question was how to find $\delta_2$ when there is another layer behind it. Look at what a hidden layer
# does with the signal that comes from behind, in any net: it takes it **back through the weights** in front of which it
# stands, then **times its own slope**. That rule does not ask what lies further on. Apply it twice:
#
# $$\delta_4 = \hat y - y,\qquad \delta_3 = \delta_4 W_3^T \circ (1 - a_2^2),\qquad
# \delta_2 = \delta_3 W_2^T \circ (1 - a_1^2)$$
#
# The name counts layers of units: $\delta_4$ is at the output, $\delta_3$ at the sums $z_2$, $\delta_2$ at the sums
# $z_1$. For point 1 of the table, which is of class 0:
#
# | step | numbers |
# |---|---|
# | $\delta_4$ | -.7596, .2585, .5011 |
# | $\delta_4 W_3^T$ | -.7675, -.8809 |
# | slope $1 - a_2^2$ | .9722, .6257 |
# | $\delta_3$ | -.7461, -.5511 |
# | $\delta_3 W_2^T$ | -.4705, -.9242, .4705 |
# | slope $1 - a_1^2$ | .4200, .7864, .7864 |
# | $\delta_2$ | -.1976, -.7268, .3700 |
#
# **Write `deltas4(model, X, y)`**, which returns the three signals `d4, d3, d2`, one row a point, in this order.


# %% item="four-layer-deltas"
def deltas4(model, X, y):
    """model, (n, d), (n,) -> d4 (n, c), d3 (n, h2), d2 (n, h1). Source: WildML, exercise 5 and a reader."""
    ### BEGIN SOLUTION
    net = forward4(model, X)
    d4 = output_delta(net["probs"], y)
    d3 = d4 @ model["W3"].T * (1 - net["a2"] ** 2)
    d2 = d3 @ model["W2"].T * (1 - net["a1"] ** 2)
    return d4, d3, d2
    ### END SOLUTION


# %% [markdown]
# ### The gradients
# A weight's gradient is what went into it forward times the signal that came back to it, summed over the points, plus
# its penalty. What goes into $W_1$ is $X$, into $W_2$ is $a_1$, into $W_3$ is $a_2$. A bias has the input 1 and no
# penalty. Shapes help: $W_2$ is $(h_1, h_2)$, and so is its gradient. Mind the numbers in the names: a signal is named
# after its layer of units, so the one behind $W_1$ is $\delta_2$.
#
# For `tiny4` and all three points, without a penalty, the first rows are:
#
# | | first row |
# |---|---|
# | `W1` | -.6737, -.7386, .4794 |
# | `W2` | -.8653, -.0049 |
# | `W3` | 1.0150, -.5474, -.4676 |
#
# **Write `gradients4(model, X, y, reg_lambda)`**, a dict with the six keys of the model.


# %% item="four-layer-gradients"
def gradients4(model, X, y, reg_lambda):
    """model, (n, d), (n,), number -> dict with the model's keys and shapes. Source: WildML, exercise 5."""
    ### BEGIN SOLUTION
    net = forward4(model, X)
    signal3, signal2, signal1 = deltas4(model, X, y)
    return {
        "W1": X.T @ signal1 + reg_lambda * model["W1"],
        "b1": np.sum(signal1, axis=0, keepdims=True),
        "W2": net["a1"].T @ signal2 + reg_lambda * model["W2"],
        "b2": np.sum(signal2, axis=0, keepdims=True),
        "W3": net["a2"].T @ signal3 + reg_lambda * model["W3"],
        "b3": np.sum(signal3, axis=0, keepdims=True),
    }
    ### END SOLUTION


# %%
draw_four_layers(X3, y3)

# %% [markdown]
# The picture on the right shows the points as the last layer sees them, in the two directions in which they differ
# most. The hidden layers have pulled the classes apart, so that straight lines are enough at the end. If there
# is a peak in the loss on the left, one step was too long for the slope it stood on; a smaller rate would have kept it
# low.
#
# ## 3. Any depth
#
# Writing `forward5` would be tedious. What repeats belongs in a loop, and what is numbered belongs in a list: `weights`
# holds $W_1, W_2, \ldots, W_L$ and `biases` holds $b_1, \ldots, b_L$, now of shape $(h,)$ each. The formulas count from
# 1, Python counts from 0:
#
# | in the formulas | in the lists |
# |---|---|
# | $W_1$, $b_1$ | `weights[0]`, `biases[0]` |
# | $W_L$, $b_L$ | `weights[-1]`, `biases[-1]` |
# | $X$, the activation before layer 1 | `activations[0]` |
# | $a_1$ | `activations[1]` |
# | $\hat y$ | `activations[-1]` |
#
# ### Forward
# All layers but the last end in a tanh. The last one ends in the softmax. A net with $L = 1$ is allowed: it has a
# softmax and no tanh at all, the linear classifier.
#
# **Write `forward_deep(weights, biases, X)`**, which returns the list `[X, a1, ..., probs]` of $L + 1$ activations. The
# given `tiny_weights` and `tiny_biases` are `tiny4` as lists, so you know the numbers already. With `tiny_weights[:1]`
# and `tiny_biases[:1]`, a net of one layer, the list is `[X, probs]`.


# %% item="any-depth-forward"
def forward_deep(weights, biases, X):
    """L matrices, L vectors, (n, d) -> list of L + 1 activations, X first, probs last. Source: WildML, exercise 5."""
    ### BEGIN SOLUTION
    activations = [X]
    for i in range(len(weights)):
        z = activations[-1] @ weights[i] + biases[i]
        activations.append(softmax(z) if i == len(weights) - 1 else np.tanh(z))
    return activations
    ### END SOLUTION


# %% [markdown]
# ### Backward
# Start with the signal at the output. Then, from the last layer to the first:
#
# 1. the gradients of this layer's weights and biases, from what went into it and the signal,
# 2. the signal one layer further back: through this layer's weights, times the slope of the activation that went into
#    it.
#
# Before the first layer stands $X$, which is data: there is nothing to step 2 there.
#
# **Write `gradients_deep(weights, biases, X, y, reg_lambda)`**, which returns two lists, the gradients of the weights
# and those of the biases, **first layer first**, in the shapes of `weights` and `biases`, for any $L$ from 1. With
# `tiny_weights` it has to give what `gradients4` gives for `tiny4`: a check that you can make yourself. Python's
# `reversed(range(3))` counts 2, 1, 0, and `some_list.insert(0, entry)` puts an entry in front.


# %% item="any-depth-gradients"
def gradients_deep(weights, biases, X, y, reg_lambda):
    """L matrices, L vectors, (n, d), (n,), number -> two lists in the same shapes. Source: WildML, exercise 5."""
    ### BEGIN SOLUTION
    activations = forward_deep(weights, biases, X)
    signal = output_delta(activations[-1], y)
    d_weights, d_biases = [], []
    for i in reversed(range(len(weights))):
        d_weights.insert(0, activations[i].T @ signal + reg_lambda * weights[i])
        d_biases.insert(0, np.sum(signal, axis=0))
        if i > 0:
            signal = signal @ weights[i].T * (1 - activations[i] ** 2)
    return d_weights, d_biases
    ### END SOLUTION


# %% [markdown]
# ### How much arrives
# On its way back the signal is multiplied by a matrix and by slopes below 1, again and again. Does anything reach the
# first layer of a deep net? Measure the size of each layer's weight gradient by its **Frobenius norm**, the root of the
# sum of the squares of all entries,
#
# $$\lVert G\rVert = \sqrt{\textstyle\sum_{i,k} G_{ik}^2},\qquad
# \text{for } G = \begin{pmatrix}3&0\\0&4\end{pmatrix}:\quad \sqrt{9 + 16} = 5.$$
#
# For `tiny_weights` and the three points: 1.1338, 2.3669, 1.7530. No penalty is counted here: it does not travel.
#
# **Write `layer_gradient_norms(weights, biases, X, y)`**, an array of $L$ numbers, first layer first.


# %% item="layer-norms"
def layer_gradient_norms(weights, biases, X, y):
    """L matrices, L vectors, (n, d), (n,) -> (L,). Frobenius norms of the weight gradients. Source: WildML, ex. 5."""
    ### BEGIN SOLUTION
    slopes, _ = gradients_deep(weights, biases, X, y, 0.0)
    return np.array([np.sqrt(np.sum(slope**2)) for slope in slopes])
    ### END SOLUTION


# %%
draw_norms(layer_gradient_norms)

# %% [markdown]
# Each curve is for random weights of another size. Read the vertical axis with care, it counts in powers of ten.
#
# - On the left, no layer of a net is much worse off than another: a weight's gradient is an activation times a signal.
#   With small weights (blue) the activations fade on the way forward and the signals fade on the way back, so that each
#   layer lacks a part of both.
# - On the right you see what that adds up to. The blue curve loses a part with nearly each further layer, and at twelve
#   layers a ten-thousandth is left, nothing worth a step. The gradient **vanishes**.
# - With large weights (red) it does not, but in deep nets it is some ten times as large as the black one: the rate that
#   suits one net makes the other one jump.
#
# A reader asked why the random weights are divided by the root of the number of inputs; `random_layers` does it too.
# Here is the answer, the black curve: at that size a sum stays of size 1 whatever the layer's width, and twelve layers
# get a tenth of the gradient that one layer gets, not a ten-thousandth.
#
# ### The experiment
# *"Experiment with the layer size"*, says exercise 5. Train at least four different nets on `X3`, `y3` and note for
# each
#
# - `layers`: how many weight matrices it has (1 is the linear classifier),
# - `hidden`: how many units each hidden layer has (0 where there is none),
# - `accuracy`: the fraction of `X3`, `y3` that it gets right, between 0 and 1.
#
# The best one should reach at least .8. `random_layers([2, 10, 10, 3], rng)` gives a start with `layers` = 3 and
# `hidden` = 10. A rate of .003 and some hundred passes are enough for most; a line of the table may also show a net
# that failed.
#
# **Define `depth_table`**, a DataFrame with the columns `layers`, `hidden`, `accuracy`, one line a net, **and
# `depth_nets`**, the list of the trained nets in the order of the lines, each a pair `(weights, biases)`. The judge
# counts again what your nets get right, so a table without its nets cannot be judged. Leave the line `depth_points`.

# %% item="depth-experiment"
depth_table = None  # a DataFrame with the columns layers, hidden, accuracy
depth_nets = None  # a list of pairs (weights, biases), one for each line of the table
depth_points = (X3, y3)  # leave this line: the points that your nets are judged on
### BEGIN SOLUTION
depth_nets, lines = [], []
for sizes in ([2, 3], [2, 3, 3], [2, 10, 3], [2, 6, 6, 3], [2, 3, 3, 3, 3]):
    weights, biases = random_layers(sizes, rng)
    for _ in range(600):
        d_weights, d_biases = gradients_deep(weights, biases, X3, y3, reg_lambda)
        weights = [W - 0.003 * d_W for W, d_W in zip(weights, d_weights, strict=True)]
        biases = [b - 0.003 * d_b for b, d_b in zip(biases, d_biases, strict=True)]
    depth_nets.append((weights, biases))
    found = np.argmax(forward_deep(weights, biases, X3)[-1], axis=1)
    hidden = sizes[1] if len(sizes) > 2 else 0
    lines.append({"layers": len(weights), "hidden": hidden, "accuracy": np.mean(found == y3)})
depth_table = pd.DataFrame(lines)
### END SOLUTION

# %%
draw_depth(depth_table, depth_nets, X3, y3)

# %% [markdown]
# Look at width and depth together: a second layer of three units may do what one layer of three cannot, but a single
# wide layer is easier to train than many narrow ones. Run the cell again with another start, and see how much of the
# order is luck.
#
# A reader asked what happens with many hidden layers of **one unit** each. The first of them passes on a single number,
# a function of $x W_1 + b_1$. Whatever comes later, points with the same $x W_1$ get the same answer, so all boundaries
# are parallel straight lines. Depth cannot bring back what a narrow layer has thrown away.
#
# ## 4. The picture
#
# How are the coloured regions drawn? The net is asked about every point of a fine grid. The tutorial makes the grid
# with `np.arange`, from half a unit below the smallest coordinate of the data to half a unit above the largest, in
# both directions, and `np.meshgrid` combines the two. For data between (0, 0) and (1, .3) and a step of .5:
#
# | | numbers |
# |---|---|
# | across, from -.5 up to 1.5 | -.5, 0, .5, 1 |
# | up, from -.5 up to .8 | -.5, 0, .5 |
# | `xx`, shape (3, 4) | each row is -.5, 0, .5, 1 |
# | `yy`, shape (3, 4) | rows of -.5, of 0, of .5 |
#
# `np.arange` stops before its end. Rows of the grid go up, columns go across: `xx.shape` is (number up, number across).
# The net wants points as rows, (12, 2), so the grid is made flat for it, and its answers get the grid's shape again:
# `xx.ravel()` is all of `xx` as (12,), row by row, `np.column_stack` puts two of these side by side as columns, and
# `answers.reshape(xx.shape)` goes back.
#
# **Write `decision_grid(model, X, step)`** for a model with one hidden layer and data `X` (n, 2): it returns `xx`, `yy`
# and `labels`, three arrays of the same shape; `labels` holds the class that the net gives to each grid point.


# %% item="decision-grid"
def decision_grid(model, X, step):
    """model, (n, 2), number -> xx, yy, labels, each (up, across). Source: WildML, plot_decision_boundary."""
    ### BEGIN SOLUTION
    low = X.min(axis=0) - 0.5
    high = X.max(axis=0) + 0.5
    xx, yy = np.meshgrid(np.arange(low[0], high[0], step), np.arange(low[1], high[1], step))
    asked = np.column_stack([xx.ravel(), yy.ravel()])
    labels = np.argmax(forward3(model, asked)["probs"], axis=1).reshape(xx.shape)
    return xx, yy, labels
    ### END SOLUTION


# %%
draw_grid(decision_grid, model3, X3, y3)

# %% [markdown]
# ## What you have learnt
#
# - More classes mean more columns at the output. The error signal is $\hat y - y$ for any number of them.
# - Whether data need a hidden layer can be measured: count what the best straight line gets right.
# - Each hidden layer does the same with the signal: back through the weights, times its own slope. That is why a loop
#   is enough for any depth.
# - A weight's gradient is what went in, times the signal that came back. Before you trust it, compare two ways to get
#   it.
# - How much gradient arrives in the first layers depends on the size of the starting weights.
# - Deeper is not better by itself. Wide enough comes first; a narrow layer throws away what no later layer can restore.
