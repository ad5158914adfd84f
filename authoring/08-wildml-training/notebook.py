# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Unit 8: training a net on the moons
#
# A tutorial of 2015, WildML's *Implementing a neural network from scratch*, trains a small net on two interleaved
# half circles and leaves its readers with five exercises and many questions. This unit builds that net and works the
# first three exercises: minibatches, a learning rate that falls, other activation functions. Then it answers readers'
# questions about the size of the hidden layer, the penalty, dropout and regression. Unit 9 has exercises 4 and 5.
#
# **It assumes** softmax and the cross-entropy (unit 2), backpropagation through two layers (unit 3) and gradient
# descent (unit 4).
#
# **Afterwards you can**
# - write the forward and the backward pass of a classifier for a whole batch, in a dozen lines of numpy,
# - say by what factor a gradient and a loss can disagree, and what that does to the learning rate,
# - train with batches and with minibatches, with a fixed and with a falling rate,
# - exchange the activation function and change exactly what has to change with it,
# - choose the size of a hidden layer by looking at points that the net was not trained on.
#
# **It takes** about four hours. No training takes longer than a few seconds.
#
# **Grading** calls your functions with fresh numbers, other ones for each student: other weights, other sizes, another
# number of classes. Write them for any sizes, and let no function change its arguments: make new arrays.

# %% given="setup"
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd


def moons(n, noise, seed):
    """-> X (n, 2), y (n,). Two half circles with noise: the points of scikit-learn's
    make_moons(n, noise=noise, random_state=seed), without the time that importing scikit-learn takes.
    The seed is the number that the random numbers start from: the same seed gives the same points again."""
    generator, angle = np.random.RandomState(seed), np.linspace(0, np.pi, n // 2)
    upper = np.column_stack([np.cos(angle), np.sin(angle)])
    lower = np.column_stack([1 - np.cos(angle), 0.5 - np.sin(angle)])
    order = np.arange(n)
    generator.shuffle(order)
    points = np.concatenate([upper, lower])[order] + generator.normal(scale=noise, size=(n, 2))
    return points, np.repeat([0, 1], n // 2)[order]


def random_start(hidden, generator):
    """-> model. Small random weights for 2 inputs, `hidden` units and 2 classes; biases of 0."""
    return {
        "W1": generator.standard_normal((2, hidden)) / np.sqrt(2),
        "b1": np.zeros((1, hidden)),
        "W2": generator.standard_normal((hidden, 2)) / np.sqrt(hidden),
        "b2": np.zeros((1, 2)),
    }


def sigmoid(z):
    """any shape -> same shape. 1 / (1 + exp(-z)), written so that nothing overflows. Source: unit 01."""
    return 0.5 * (1 + np.tanh(0.5 * z))


def relu(z):
    """any shape -> same shape. z where it is positive, else 0."""
    return np.maximum(z, 0)


def softmax(scores):
    """(n, c) -> (n, c). Each row made into probabilities. Source: unit 02."""
    powers = np.exp(scores - np.max(scores, axis=1, keepdims=True))
    return powers / np.sum(powers, axis=1, keepdims=True)


def printed_loss(probs, model, y, reg_lambda):
    """(n, c), model, (n,), number -> number. The loss that the tutorial prints: a mean. Source: unit 02."""
    data = -np.sum(np.log(probs[np.arange(len(y)), y]))
    penalty = reg_lambda / 2 * (np.sum(model["W1"] ** 2) + np.sum(model["W2"] ** 2))
    return (data + penalty) / len(y)


X, y = moons(200, noise=0.2, seed=0)  # the points to train on, with classes 0 and 1
X_test, y_test = moons(320, noise=0.2, seed=1)  # fresh points of the same kind, never trained on
start = random_start(3, np.random.RandomState(0))  # the weights that the tutorial starts from
num_passes = 5000  # steps of gradient descent
epsilon = 0.01  # learning rate
reg_lambda = 0.01  # strength of the penalty on large weights

# a net so small that it can be worked on paper, and two points for it
tiny = {
    "W1": np.array([[1.0, -1.0, 0.5], [0.5, 1.0, -1.0]]),
    "b1": np.array([[0.0, 0.5, 0.0]]),
    "W2": np.array([[1.0, -1.0], [0.5, 0.0], [-0.5, 1.0]]),
    "b2": np.array([[0.1, -0.1]]),
}
X_tiny = np.array([[1.0, 0.0], [-1.0, 1.0]])
y_tiny = np.array([0, 1])

# %% given="drawing" hidden=true
RED, BLUE = "#c0392b", "#2471a3"  # class 0 and class 1
PALE = plt.matplotlib.colors.LinearSegmentedColormap.from_list("moons", ["#f1a9a0", "#ffffff", "#a9cce3"])
CORNERS = (-1.75, 2.95, -1.35, 1.75)


def tried(function, *arguments):
    """What the function returns, or None while it cannot be called yet. For pictures only."""
    try:
        with np.errstate(all="ignore"):
            return function(*arguments)
    except Exception:
        return None


def not_yet(ax, what):
    """An empty picture that says what to do."""
    ax.text(
        0.5, 0.5, f"answer {what}\nand run this again", ha="center", va="center", transform=ax.transAxes, color="0.5"
    )
    ax.set(xticks=[], yticks=[])


def dots(ax, points, labels, size=16):
    for label, color in enumerate((RED, BLUE)):
        ax.scatter(*points[labels == label].T, s=size, color=color, edgecolor="white", lw=0.4, zorder=3)
    ax.set(xlim=CORNERS[:2], ylim=CORNERS[2:], aspect="equal", xticks=[], yticks=[])


def shade(ax, chance, title, what, size=16):
    """The training points on the plane, coloured by chance(points), the probability of class 1."""
    across, up = np.meshgrid(np.linspace(*CORNERS[:2], 150), np.linspace(*CORNERS[2:], 105))
    heights = tried(lambda: np.asarray(chance(np.column_stack([across.ravel(), up.ravel()])), dtype=float))
    if heights is None or heights.size != across.size:
        not_yet(ax, what)
    else:
        heights = np.nan_to_num(heights).reshape(across.shape)
        ax.contourf(across, up, heights, np.linspace(0, 1, 21), cmap=PALE, extend="both")
        if heights.min() < 0.5 < heights.max():
            ax.contour(across, up, heights, [0.5], colors="0.15", linewidths=1.4)
        dots(ax, X, y, size)
    ax.set_title(title, fontsize=10)


def loss_of(net, activation=np.tanh):
    """The printed loss of a net on the training points, by your `forward`; None where there is none."""
    return tried(lambda: float(printed_loss(forward(net, X, activation)["probs"], net, y, reg_lambda)))


def facts(net, activation=np.tanh):
    """Loss and accuracy of a net in words."""
    loss = loss_of(net, activation)
    right = tried(lambda: np.mean(np.argmax(forward(net, X, activation)["probs"], axis=1) == y))
    return "" if loss is None or right is None else f"loss {loss:.4f}, accuracy {right:.3f}"


def shade_net(ax, name, net, what, activation=np.tanh, size=16):
    title = name if net is None else f"{name}\n{facts(net, activation)}"
    shade(ax, lambda points: forward(net, points, activation)["probs"][:, 1], title, what, size)


def curves(ax, lines, what, title, top=0.62, log=False):
    """Losses over passes: `lines` is a list of (name, passes, losses, color)."""
    drawn = [line for line in lines if line[2] is not None and len(line[2]) and None not in list(line[2])]
    for name, passes, losses, color in drawn:
        ax.plot(passes, np.clip(losses, 0, 1e3), label=name, color=color, lw=1.6)
    if not drawn:
        not_yet(ax, what)
    else:
        ax.axhline(0.08, color="0.6", lw=1, ls=":", label="a loss of .08")
        ax.set(
            xlabel="passes through the data", ylabel="printed loss", ylim=(0.04, top), yscale="log" if log else "linear"
        )
        if log:
            ax.yaxis.set_major_formatter("{x:g}")
        if len(drawn) == 1 or not log:
            ax.legend(frameon=False, fontsize=9)
        ax.spines[["top", "right"]].set_visible(False)
    ax.set_title(title, fontsize=10)


def course_of(advance, net, passes, every, activation=np.tanh):
    """Losses of a net while `advance(net, done, passes)` trains it further, piece by piece."""
    losses = [loss_of(net, activation)]
    for done in range(0, passes, every):
        net = tried(advance, net, done, every)
        losses.append(None if net is None else loss_of(net, activation))
        if losses[-1] is None:
            return None, None, None
    return net, np.arange(0, passes + 1, every), losses


def draw_moons():
    """The points to train on and the points to test on."""
    fig, axes = plt.subplots(1, 2, figsize=(9.5, 3.5))
    for ax, points, labels, name in ((axes[0], X, y, "to train on"), (axes[1], X_test, y_test, "to test on")):
        dots(ax, points, labels)
        ax.set_title(f"{len(points)} points {name}", fontsize=10)
    axes[0].text(-1.6, 1.45, "class 0", color=RED)
    axes[0].text(2.05, -1.2, "class 1", color=BLUE)
    fig.subplots_adjust(left=0.02, right=0.98, bottom=0.04, top=0.96, wspace=0.03)
    plt.show()


def draw_line(classifier):
    """What a straight line can do."""
    fig, ax = plt.subplots(figsize=(5, 3.6))
    name = "" if classifier is None else f": {tried(lambda: classifier.score(X, y)):.3f} right"
    shade(ax, lambda points: classifier.predict_proba(points)[:, 1], f"Logistic regression{name}", "baseline")
    fig.subplots_adjust(left=0.03, right=0.97, bottom=0.04, top=0.94)
    plt.show()


def draw_training(net):
    """The trained net's boundary, and how the loss fell on the way."""
    fig, (left, right) = plt.subplots(1, 2, figsize=(10.5, 3.8))
    shade_net(left, "3 hidden units", net, "build-model")
    _, passes, losses = course_of(lambda now, done, more: trained(now, gradients, more), start, 600, 5)
    curves(right, [("batch gradient descent", passes, losses, "0.2")], "build-model", "The first 600 passes")
    fig.subplots_adjust(left=0.01, right=0.99, bottom=0.15, top=0.91, wspace=0.14)
    plt.show()


def draw_minibatches(net, losses):
    """The minibatch net's boundary, and its loss beside that of batch descent."""
    fig, (left, right) = plt.subplots(1, 2, figsize=(10.5, 3.8))
    shade_net(left, "trained with minibatches", net, "minibatch-train")
    _, passes, batch = course_of(lambda now, done, more: trained(now, gradients, more), start, 600, 5)
    small = None if not len(losses) else list(losses)[:600]
    lines = [("batch", passes, batch, "0.2")]
    lines += [("minibatches", np.arange(1, len(small) + 1), small, "tab:orange")] if small else []
    curves(right, lines, "minibatch-train", "The first 600 passes", top=0.4)
    fig.subplots_adjust(left=0.01, right=0.99, bottom=0.15, top=0.91, wspace=0.16)
    plt.show()


def draw_annealing(train, schedules, shaded, passes=600):
    """Rates and losses for several schedules, and the boundaries that the `shaded` ones end with."""
    fig, axes = plt.subplots(2, 2, figsize=(10.5, 7.2))
    (left, right), lines, nets = axes[0], [], {}
    for (name, schedule), color in zip(schedules.items(), ("0.2", "tab:green", "tab:purple", "tab:red"), strict=False):
        rates = tried(lambda s=schedule: [float(s(epoch)) for epoch in range(passes)])
        if rates is None:
            continue
        left.plot(rates, color=color, label=name, lw=1.6)

        def advance(now, done, more, schedule=schedule):
            return train(now, X, y, lambda epoch: schedule(epoch + done), more)[0]

        nets[name], steps, losses = course_of(advance, start, passes, 5)
        lines.append((name, steps, losses, color))
    left.set(xlabel="epoch", ylabel="learning rate", yscale="log", ylim=(0.0008, 500))
    left.yaxis.set_major_formatter("{x:g}")  # a formula at each tick is slow to draw
    left.set_title("The rates", fontsize=10)
    left.legend(frameon=False, fontsize=9, loc="upper right")
    left.spines[["top", "right"]].set_visible(False)
    curves(right, lines, "annealed-train", "The losses that they lead to", top=400, log=True)
    for ax, name in zip(axes[1], shaded, strict=True):
        shade_net(ax, name, nets.get(name), "annealed-train")
    fig.subplots_adjust(left=0.07, right=0.99, bottom=0.02, top=0.95, wspace=0.18, hspace=0.32)
    plt.show()


def draw_activations():
    """Three activation functions and their slopes, measured."""
    fig, axes = plt.subplots(1, 3, figsize=(10.5, 2.9), sharex=True)
    z = np.linspace(-4, 4, 401)
    for ax, (name, activation) in zip(axes, (("tanh", np.tanh), ("sigmoid", sigmoid), ("ReLU", relu)), strict=True):
        ax.plot(z, activation(z), color="0.2", lw=1.8, label="a")
        ax.plot(z, np.gradient(activation(z), z), color="tab:orange", lw=1.8, label="slope")
        ax.axhline(0, color="0.85", lw=0.8, zorder=0)
        ax.set(ylim=(-1.2, 2.2), xlabel="z")
        ax.set_title(name, fontsize=10)
        ax.legend(frameon=False, fontsize=9, loc="upper left")
        ax.spines[["top", "right"]].set_visible(False)
    fig.subplots_adjust(left=0.06, right=0.99, bottom=0.2, top=0.88, wspace=0.2)
    plt.show()


def draw_activation_nets(kinds, passes=1500):
    """Nets that differ in nothing but the hidden activation: boundaries and losses."""
    fig, axes = plt.subplots(1, 4, figsize=(13.5, 3.5), width_ratios=[1, 1, 1, 1.1])
    lines = []
    kinds = zip(axes, kinds.items(), ("0.2", "tab:orange", "tab:green"), strict=False)
    for ax, (name, (activation, gradients_of)), color in kinds:

        def advance(now, done, more, gradients_of=gradients_of):
            return trained(now, gradients_of, more)

        net, steps, losses = course_of(advance, start, passes, 25, activation)
        shade_net(
            ax, name, net, f"{name.lower()}-net" if activation is not np.tanh else "build-model", activation, size=9
        )
        lines.append((name, steps, losses, color))
    curves(axes[3], lines, "the items above", f"{passes} passes")
    fig.subplots_adjust(left=0.01, right=0.98, bottom=0.17, top=0.9, wspace=0.24)
    plt.show()


def draw_sweep(table, nets):
    """Boundaries for each size of the hidden layer, and the two accuracies over the size."""
    fig, axes = plt.subplots(2, 4, figsize=(13.5, 5.8))
    sizes = [1, 2, 3, 4, 5, 20, 50]
    for ax, hidden in zip(axes.flat, sizes, strict=False):
        name = f"{hidden} hidden unit{'s' if hidden > 1 else ''}"
        shade_net(ax, name, nets.get(hidden), "hidden-sizes\nand fill sweep_models", size=9)
    ax = axes[1, 3]
    rows = tried(lambda: table.set_index("hidden").loc[sizes])
    if rows is None:
        not_yet(ax, "hidden-sizes")
    else:
        places = range(len(sizes))
        ax.plot(places, rows["train_accuracy"], "o-", color="0.2", label="training points")
        ax.plot(places, rows["test_accuracy"], "o-", color="tab:orange", label="test points")
        ax.set(xticks=places, xticklabels=sizes, xlabel="hidden units")
        ax.legend(frameon=False, fontsize=9, loc="lower right")
        ax.spines[["top", "right"]].set_visible(False)
    ax.set_title("accuracy", fontsize=10)
    fig.subplots_adjust(left=0.01, right=0.99, bottom=0.1, top=0.95, wspace=0.23, hspace=0.03)
    plt.show()


def draw_dropout(drop, keep=0.6):
    """One layer's activations, dropped again and again: each draw differs, the average does not."""
    generator = np.random.default_rng(8)
    a = np.tanh(generator.normal(size=(4, 6)))
    masks = (generator.random((2000, 4, 6)) < keep).astype(float)
    dropped = tried(lambda: [np.asarray(drop(a, keep, mask), dtype=float) + 0.0 for mask in masks])
    fig, axes = plt.subplots(1, 4, figsize=(12.5, 2.7))
    pictures = [("activations a", a), ("one draw", None), ("another draw", None), ("average of 2000 draws", None)]
    if dropped is not None and all(np.shape(one) == a.shape for one in dropped[:2]):
        shown = [a, dropped[0], dropped[1], np.mean(dropped, axis=0)]
        pictures = [(name, picture) for (name, _), picture in zip(pictures, shown, strict=True)]
    for ax, (name, picture) in zip(axes, pictures, strict=True):
        ax.set_title(name, fontsize=10)
        if picture is None:
            not_yet(ax, "dropout")
            continue
        ax.imshow(picture, cmap="RdBu", vmin=-1.7, vmax=1.7)
        for (row, column), number in np.ndenumerate(picture):
            color = "white" if abs(number) > 1.0 else "0.2"
            ax.text(column, row, f"{number:.2f}", ha="center", va="center", fontsize=7.5, color=color)
        ax.set(xticks=[], yticks=[])
    fig.subplots_adjust(left=0.01, right=0.99, bottom=0.06, top=0.94, wspace=0.05)
    plt.show()


def draw_regression(gradients_of):
    """A curve fitted by nets of three sizes, each with the rate .01 and with a tenth of it."""
    generator = np.random.default_rng(3)
    at = np.sort(generator.uniform(-3, 3, size=(20, 1)), axis=0)
    t = np.sin(1.5 * at) + 0.15 * generator.normal(size=at.shape)
    fine = np.linspace(-3, 3, 200)[:, None]
    fig, axes = plt.subplots(1, 3, figsize=(12, 3.4), sharey=True)
    for ax, hidden in zip(axes, (3, 6, 20), strict=True):
        first = random_start(hidden, np.random.default_rng(1))
        first = {**first, "W1": 2 * first["W1"][:1], "W2": first["W2"][:, :1], "b2": first["b2"][:, :1]}
        ax.set_title(f"{hidden} hidden units", fontsize=10)
        for share, color in ((1.0, "tab:red"), (0.1, "tab:blue")):

            def scaled(net, _X, _y, _lambda, share=share):
                return {name: share * part for name, part in gradients_of(net, at, t).items()}

            net = tried(trained, first, scaled, 3000)
            fitted = tried(lambda net=net: np.asarray(forward(net, fine)["z2"]).reshape(len(fine)))
            error = tried(lambda net=net: float(np.sum((forward(net, at)["z2"] - t) ** 2)))
            if fitted is None or error is None:
                not_yet(ax, "regression-gradients")
                break
            fits = np.isfinite(error) and error < 1e4
            label = f"sum of squares {error:.3g}" if fits else "blown up"
            ax.plot(
                fine, fitted if fits else fine * np.nan, color=color, label=f"rate {share * epsilon:g}: {label}", lw=1.6
            )
        else:
            ax.plot(at, t, "o", ms=4, color="0.4")
            ax.set(ylim=(-2.4, 1.8), xlabel="x")
            ax.spines[["top", "right"]].set_visible(False)
            ax.legend(frameon=False, fontsize=8.5, loc="lower left")
    fig.subplots_adjust(left=0.05, right=0.99, bottom=0.17, top=0.9, wspace=0.06)
    plt.show()


# %% [markdown]
# ## 1. The points, and a net that answers
#
# Each point has two coordinates and one of two classes. Think of two measurements of a patient, if you like. The
# points are random, and still the same for everybody: a computer's random numbers follow from the number that they
# start from, the **seed**. Wherever this unit says `np.random.default_rng(0)`, the 0 is a seed; another seed gives
# other numbers, the same seed the same ones again.

# %%
draw_moons()

# %% [markdown]
# The net has three layers: 2 inputs, a hidden layer, one output for each class. A point is a **row**, so a batch of
# $n$ points is a matrix $X$ of shape $(n, 2)$, and everything is multiplied from the right:
#
# $$z_1 = X W_1 + b_1,\qquad a_1 = \tanh(z_1),\qquad z_2 = a_1 W_2 + b_2,\qquad \hat y = \text{softmax}(z_2)$$
#
# | in the model | shape | meaning |
# |---|---|---|
# | `model["W1"]`, `model["b1"]` | (d, h), (1, h) | from d inputs to h hidden units |
# | `model["W2"]`, `model["b2"]` | (h, c), (1, c) | from h hidden units to c classes |
#
# Unlike in units 1 to 4, the biases are arrays of their own here. No 1 is put before the inputs. A gradient of a bias
# may have the shape (1, h) or (h,); both count.
#
# The text counts points, layers and hidden units from 1, numpy from 0: point 1 is `X_tiny[0]`, and the entry of point 1
# and unit 2 in $z_1$ is `z1[0, 1]`. Classes are counted from 0 in both.
#
# **Worked on paper.** The given net `tiny` has 2 inputs, 3 hidden units, 2 classes; `X_tiny` holds two points.
#
# | | point 1, (1, 0) | point 2, (-1, 1) |
# |---|---|---|
# | $z_1$ | 1, -.5, .5 | -.5, 2.5, -1.5 |
# | $a_1$ | .7616, -.4621, .4621 | -.4621, .9866, -.9051 |
# | $z_2$, the scores | .3995, -.3995 | .5838, -.5430 |
# | $\hat y$, the probabilities | .6898, .3102 | .7552, .2448 |
# | predicted class | 0 | 0 |
# | true class, `y_tiny` | 0 | 1 |
#
# Both points are taken for class 0, so the second one is wrong. `tiny` has not been trained.
#
# ### Prediction
# The class with the highest probability is the class with the highest score: the softmax changes the numbers of a row,
# not their order.
#
# `np.argmax` gives the place of the largest number, and its argument `axis` says along which axis it looks for it.
#
# **Write `predict(model, x)`**: points (n, d) in, class numbers (n,) out, counted from 0, for any number of classes.


# %% item="predict"
def predict(model, x):
    """(n, d) -> (n,) integers. The class with the highest score for each point. Source: WildML, predict."""
    ### BEGIN SOLUTION
    hidden = np.tanh(x @ model["W1"] + model["b1"])
    scores = hidden @ model["W2"] + model["b2"]
    return np.argmax(scores, axis=1)
    ### END SOLUTION


# %% [markdown]
# ### The forward pass, with everything kept
# `predict` throws the numbers on the way away. The backward pass needs them, so training has a forward pass that
# returns all four. A reader of the tutorial proposed this: one function, used for the loss, the training, the pictures.
#
# **Write `forward(model, X)`**, which returns a dict with the keys `"z1"`, `"a1"`, `"z2"`, `"probs"`.
# `softmax` is given. The third argument is a function, with the tanh as its default: call `activation` where the
# formula has tanh. `forward(tiny, X_tiny)` then gives the table above, and exercise 3 can put another function in the
# tanh's place. With the given `relu`, which puts 0 in the place of every negative number, the first row of $a_1$ is
# 1, 0, .5.


# %% item="forward"
def forward(model, X, activation=np.tanh):
    """(n, d) -> dict of z1, a1 (n, h) and z2, probs (n, c). Source: WildML, forward propagation."""
    ### BEGIN SOLUTION
    z1 = X @ model["W1"] + model["b1"]
    a1 = activation(z1)
    z2 = a1 @ model["W2"] + model["b2"]
    probs = softmax(z2)
    return {"z1": z1, "a1": a1, "z2": z2, "probs": probs}
    ### END SOLUTION


# %% [markdown]
# ## 2. The backward pass
#
# The tutorial states five formulas and asks its readers to trust them. You need not: they are unit 3 with a softmax
# at the end. The loss behind them is the **summed** cross-entropy, $-\sum_n \log \hat y_{n, y_n}$.
#
# ### The error at the output
#
# $$\delta_3 = \hat y - y$$
#
# Here $y$ is not the class number. It is the row of true probabilities: 1 in the place of the true class, 0 elsewhere.
# The tutorial never builds these rows. It subtracts 1 in one place of each row of $\hat y$, the place that the class
# number points to. Two readers stumbled there:
#
# - *"When the true y is 0, why does it still subtract 1?"* Because class 0 is a place, not an amount. The probability
#   of the true class should be 1, whichever class it is.
# - *"Should the entry of the other class not be 0?"* No. Its probability should be 0 and is not, and that is an error
#   too.
#
# | | $\hat y$ | true class | $\delta_3$ |
# |---|---|---|---|
# | point 1 | .6898, .3102 | 0 | -.3102, .3102 |
# | point 2 | .7552, .2448 | 1 | .7552, -.7552 |
#
# Each row sums to 0. It is the same for more classes: two points with $\hat y$ = (.1, .2, .3, .4) and (.4, .3, .2, .1),
# of the classes 3 and 1, have the signals (.1, .2, .3, -.6) and (.4, -.7, .2, .1).
#
# **Write `delta3(probs, y)`**: probabilities (n, c) and class numbers (n,) in, a **new** array (n, c) out. The
# probabilities are still needed; a function that subtracts in them spoils them for its caller, and costs marks here.


# %% item="delta3"
def delta3(probs, y):
    """(n, c), (n,) integers -> (n, c), a new array. Error signal at the scores. Source: WildML, backpropagation."""
    ### BEGIN SOLUTION
    d_scores = probs.copy()
    d_scores[np.arange(len(y)), y] -= 1
    return d_scores
    ### END SOLUTION


# %% [markdown]
# ### The error at the hidden layer
# Back through $W_2$, then through the slope of the tanh:
#
# $$\delta_2 = \delta_3 W_2^T \circ (1 - \tanh^2 z_1)$$
#
# The circle is entry by entry. The slope can be had from what is already there: $a_1$ **is** $\tanh z_1$. A reader
# wanted to correct the code to `1 - z1**2`. Take $z_1 = 2.5$, where the tanh is almost flat:
#
# | | number |
# |---|---|
# | slope of the tanh, measured | .0266 |
# | by the reader's formula, $1 - 2.5^2$ | -5.25 |
#
# A negative slope, on a curve that only rises.
#
# | | $\delta_3 W_2^T$ | slope | $\delta_2$ |
# |---|---|---|---|
# | point 1 | -.6205, -.1551, .4654 | .4200, .7864, .7864 | -.2606, -.1220, .3660 |
# | point 2 | 1.5105, .3776, -1.1329 | .7864, .0266, .1807 | 1.1879, .0100, -.2047 |
#
# **Write `delta2(d3, W2, a1)`**: shapes (n, c), (h, c), (n, h) in, (n, h) out.


# %% item="delta2"
def delta2(d3, W2, a1):
    """(n, c), (h, c), (n, h) -> (n, h). Error signal at the hidden sums. Source: WildML, backpropagation."""
    ### BEGIN SOLUTION
    return d3 @ W2.T * (1 - a1**2)
    ### END SOLUTION


# %% [markdown]
# ### All gradients
# A weight's gradient is its input times the error signal behind it, summed over the points. The matrix product does
# the sum:
#
# $$\frac{\partial L}{\partial W_2} = a_1^T \delta_3,\qquad \frac{\partial L}{\partial W_1} = X^T \delta_2$$
#
# A bias has the input 1 at every point. The tutorial prints $\partial L/\partial b_2 = \delta_3$ and
# $\partial L/\partial b_1 = \delta_2$, which holds for one point. Over a batch the points' signals **add up** to one
# row, $(1, c)$ and $(1, h)$, as the tutorial's code has it.
#
# The loss also holds a **penalty** on large weights, $\frac{\lambda}{2}(\sum W_1^2 + \sum W_2^2)$, without the biases.
# Its slope is added to the two matrices.
#
# For `tiny` and $\lambda = .1$:
#
# | | from the points | with the penalty |
# |---|---|---|
# | `W1`, first row | -1.4485, -.1320, .5707 | -1.3485, -.2320, .6207 |
# | `W2`, first row | -.5853, .5853 | -.4853, .4853 |
# | `b1` | .9273, -.1120, .1613 | the same |
# | `b2` | .4450, -.4450 | the same |
#
# **Write `gradients(model, X, y, reg_lambda)`**: the gradients of the summed loss with its penalty, a dict with the
# model's keys and shapes. $\lambda$ is the function's own argument, and grading calls it with others than the
# notebook's .01.


# %% item="gradients"
def gradients(model, X, y, reg_lambda):
    """model, (n, d), (n,), number -> dict with the model's keys and shapes. Source: WildML, build_model."""
    ### BEGIN SOLUTION
    net = forward(model, X)
    d3 = delta3(net["probs"], y)
    d2 = delta2(d3, model["W2"], net["a1"])
    d_model = {
        "W1": X.T @ d2,
        "b1": np.sum(d2, axis=0, keepdims=True),
        "W2": net["a1"].T @ d3,
        "b2": np.sum(d3, axis=0, keepdims=True),
    }
    for name in ("W1", "W2"):
        d_model[name] = d_model[name] + reg_lambda * model[name]
    return d_model
    ### END SOLUTION


# %% [markdown]
# ### A sum here, a mean there
# The tutorial prints one loss and walks down another. What it prints, after each thousand steps, is
#
# $$L = \frac1N\Big(-\sum_n \log \hat y_{n, y_n} + \frac{\lambda}{2}\big(\textstyle\sum W_1^2 + \sum W_2^2\big)\Big),$$
#
# the given `printed_loss`. What it steps along are the gradients that you have just written. (Unit 2 met the same
# line: a reader wanted the penalty outside of the $\frac1N$.)
#
# You can measure it. For `tiny` and its two points, with $\lambda = .1$: nudge `b2[0, 0]` up and down by .0001, and
# `printed_loss` changes by .2225 a unit. `gradients` says .4450 for that bias.
#
# **Define `gradient_over_loss_gradient`** for the 200 moons: by what factor is the gradient that the code steps along
# larger than the gradient of the loss that it prints? A number, or a word for it.

# %% item="sum-or-mean"
gradient_over_loss_gradient = None  # a number, or a text such as "2"
### BEGIN SOLUTION
gradient_over_loss_gradient = 200
### END SOLUTION

# %% [markdown]
# Neither is wrong: both point downhill in the same direction. But a learning rate belongs to one of them. A reader with
# 16,000 rows wrote that his gradients were "too huge" until he divided them by the number of rows; now you know why. In
# the papers you will read, the mean is the rule.

# %% [markdown]
# ## 3. A straight line first
#
# How good is good? Before training a net, see what a simple method does. Logistic regression draws the best straight
# line between the classes. scikit-learn has it: make a `LogisticRegression()`, `fit` it to `X` and `y`, and count how
# many of the 200 points it then gets right. Import it in your cell with
# `from sklearn.linear_model import LogisticRegression`.
#
# **Define `baseline_accuracy`**, the fraction of the 200 training points that logistic regression classifies right.
# Keep the fitted classifier as `baseline_classifier`, and the picture below shows its line.

# %% item="baseline"
baseline_accuracy = None  # a fraction between 0 and 1
baseline_classifier = None  # the fitted classifier, for the picture
### BEGIN SOLUTION
from sklearn.linear_model import LogisticRegression

baseline_classifier = LogisticRegression().fit(X, y)
baseline_accuracy = float(np.mean(baseline_classifier.predict(X) == y))
### END SOLUTION

# %%
draw_line(baseline_classifier)

# %% [markdown]
# A line cannot follow the moons: both tips end up on the wrong side. That is the number to beat.
#
# ## 4. Training the net
#
# Batch gradient descent is three lines in a loop: gradients over all 200 points, one step against them, again.
#
# $$W \leftarrow W - \epsilon\,\frac{\partial L}{\partial W}\qquad\text{for each of the four parts}$$
#
# The start is given: `start`, three hidden units, the tutorial's own random weights. They are divided by
# $\sqrt{\text{number of inputs}}$; a reader asked why. A unit adds up as many products as it has inputs, and so its sum
# stays of size 1, where the tanh is still steep, however wide the layer before it is.
#
# | `start` | loss | accuracy |
# |---|---|---|
# | before the first step | .5839 | .865 |
# | after one step | .4324 | .840 |
# | after 100 | .1455 | .955 |
# | **what you should reach** | **.08 or less** | **.97 or more** |
#
# **Define `model`**, trained from `start` with `num_passes` steps at the rate `epsilon` and with `reg_lambda`.
# Write the loop as a function `trained(first, gradients_of, passes)`: it takes the model to start from, a function that
# is called like `gradients`, and the number of steps, and returns a **new** model. You will need it again below.
# Mind that `start` stays as it is: `{name: part.copy() for name, part in first.items()}` is a model of its own. The
# picture below prints the loss and the accuracy of your `model`.


# %% item="build-model"
def trained(first, gradients_of, passes):
    """model, function, number -> model. A new model, after that many steps from the first. Source: WildML."""


model = None  # a dict like start
### BEGIN SOLUTION


def trained(first, gradients_of, passes):
    """model, function, number -> model. A new model, after that many steps from the first. Source: WildML."""
    net = {name: part.copy() for name, part in first.items()}
    for _ in range(passes):
        d_net = gradients_of(net, X, y, reg_lambda)
        for name in net:
            net[name] = net[name] - epsilon * d_net[name]
    return net


model = trained(start, gradients, num_passes)
### END SOLUTION

# %%
draw_training(model)

# %% [markdown]
# The loss falls fast, creeps, and stays near .07. Your last digits may differ from your neighbour's, and that is no
# mistake. From about pass 2000 on, the rate .01 is slightly too large for the bottom of this valley: the net jumps from
# one wall to the other and back. Where it lands hangs on the last bit of every number: a change of $10^{-9}$ in one
# weight of `start` moves the loss after pass 3000 between .0708 and .0712. So the losses that the tutorial prints from
# there on cannot be reproduced, and trained nets are judged by bounds here, never by their digits.
#
# ## 5. Exercise 1: minibatches
#
# One step of batch descent looks at all points. **Minibatch** descent looks at a few, steps, looks at the next few. A
# pass through all points is called an **epoch**: 200 points in minibatches of 32 make seven steps an epoch, six with 32
# points and one with 8.
#
# Three things must hold. Each point comes once an epoch. Each keeps its own label. And the order is drawn anew each
# epoch, or the net learns the order too.
#
# An example with five points and size 2, where the drawn order is 3, 0, 4, 1, 2:
#
# | batch | points | labels |
# |---|---|---|
# | 1 | `X[[3, 0]]` | `y[[3, 0]]` |
# | 2 | `X[[4, 1]]` | `y[[4, 1]]` |
# | 3 | `X[[2]]` | `y[[2]]` |
#
# **Write `minibatches(X, y, size, rng)`**, which returns a list of pairs `(X_b, y_b)`. The order comes from `rng`, a
# numpy `Generator` as `np.random.default_rng(0)` makes it: `rng.permutation(5)` draws an order of the places 0 to 4.
# The last batch is as short as it has to be. `X` and `y` themselves stay in their order.


# %% item="minibatches"
def minibatches(X, y, size, rng):
    """(n, d), (n,), number, Generator -> list of pairs (size, d), (size,). Source: WildML, exercise 1."""
    ### BEGIN SOLUTION
    order = rng.permutation(len(X))
    return [(X[order[i : i + size]], y[order[i : i + size]]) for i in range(0, len(X), size)]
    ### END SOLUTION


# %% [markdown]
# ### The penalty's share
# Take $\delta_3$, $\delta_2$ and the products over a minibatch only: these parts of the gradient are sums over points,
# so the seven batches of an epoch together bring just what one full batch brings. The penalty does not belong to any
# point. Added in full to every minibatch, it is added seven times an epoch.
#
# Each batch should carry the share that its points have in the whole. With $\lambda = .01$, 200 points and a batch of
# 32, that is $.01\cdot\frac{32}{200} = .0016$ in place of .01; the batch of 8 carries .0004. Over the epoch:
# $6\cdot .0016 + .0004 = .01$.
#
# **Write `minibatch_gradients(model, X_b, y_b, reg_lambda, N)`**, where `N` is the number of all points: if the model
# stood still, the gradients of an epoch's batches would sum to `gradients(model, X, y, reg_lambda)`.


# %% item="minibatch-gradients"
def minibatch_gradients(model, X_b, y_b, reg_lambda, N):
    """model, (m, d), (m,), number, number -> dict with the model's keys. Source: WildML, exercise 1."""
    ### BEGIN SOLUTION
    return gradients(model, X_b, y_b, reg_lambda * len(X_b) / N)
    ### END SOLUTION


# %% [markdown]
# ### Training with them
# **Define `minibatch_model`**, trained from `start` with minibatches: a loss of .08 or less on all 200 points, and an
# accuracy of .97 or more. Batches of 32, the rate `epsilon / 2` and 800 epochs do it in a second. Append the
# `printed_loss` of all points to `minibatch_losses` after each epoch, and the picture below draws it.
#
# A reader used batches of 64 and 128 and was startled: *"the loss increased! Shouldn't it decrease?"* Not at every
# step. A minibatch's gradient points downhill for its own points, and for all points only on average. The loss goes
# down on the whole and up now and then; the smaller the batch and the larger the rate, the more often. At half the rate
# of batch descent you will see a few small bumps in the orange curve, and that it needs about twice the passes. The
# black curve, batch descent at the full rate, has a bump as well: even a step along the right gradient can be too long.

# %% item="minibatch-train"
minibatch_model = None  # a dict like start
minibatch_losses = []  # the printed loss of all points after each epoch, for the picture
### BEGIN SOLUTION
rng = np.random.default_rng(8)
minibatch_model = {name: part.copy() for name, part in start.items()}
for _ in range(800):
    for X_b, y_b in minibatches(X, y, 32, rng):
        d_part = minibatch_gradients(minibatch_model, X_b, y_b, reg_lambda, len(X))
        for name in minibatch_model:
            minibatch_model[name] = minibatch_model[name] - epsilon / 2 * d_part[name]
    minibatch_losses.append(printed_loss(forward(minibatch_model, X)["probs"], minibatch_model, y, reg_lambda))
### END SOLUTION

# %%
draw_minibatches(minibatch_model, minibatch_losses)

# %% [markdown]
# ## 6. Exercise 2: a rate that falls
#
# Far from the bottom large steps save time; near it they jump over it. **Annealing** starts large and shrinks. Two
# schedules, both with the epoch counted from 0:
#
# $$\text{annealed:}\quad \epsilon_t = \frac{\epsilon_0}{1 + k\,t}\qquad\qquad
# \text{step decay:}\quad \epsilon_t = \epsilon_0 \cdot r^{\lfloor t / m\rfloor}$$
#
# The first falls a little each epoch. The second multiplies the rate by $r$ (`drop`) after every $m$ epochs (`every`);
# the odd brackets say: whole part only, which is what `//` gives in Python (`25 // 10` is 2).
#
# | epoch $t$ | 0 | 1 | 4 | 9 | 10 | 25 |
# |---|---|---|---|---|---|---|
# | annealed, $\epsilon_0 = .02$, $k = .25$ | .02 | .016 | .01 | .0062 | .0057 | .0028 |
# | step decay, $\epsilon_0 = .02$, $r = .5$, $m = 10$ | .02 | .02 | .02 | .02 | .01 | .005 |
#
# Every rate is worked out from $\epsilon_0$, not from the rate before it.
#
# **Write `annealed(eps0, k, epoch)`** and, in the next cell, **`step_decay(eps0, drop, every, epoch)`**. Both return
# one number.


# %% item="annealing"
def annealed(eps0, k, epoch):
    """number, number, number -> number. The rate in this epoch, which is counted from 0. Source: a reader of WildML."""
    ### BEGIN SOLUTION
    return eps0 / (1 + k * epoch)
    ### END SOLUTION


# %% item="step-decay"
def step_decay(eps0, drop, every, epoch):
    """four numbers -> number. The rate in this epoch, which is counted from 0. Source: WildML, exercise 2."""
    ### BEGIN SOLUTION
    return eps0 * drop ** (epoch // every)
    ### END SOLUTION


# %% [markdown]
# ### Training with a schedule
# **Write `train_annealed(model, X, y, schedule, epochs)`**. In each epoch it takes one full-batch step with the
# notebook's `reg_lambda`, at the rate `schedule(epoch)`, epoch 0 first. It returns two things: the trained model, a new
# one, and the rates that it used, shape (epochs,).
#
# With `schedule = lambda epoch: annealed(.02, .25, epoch)` and three epochs, the rates are .02, .016, .0133.


# %% item="annealed-train"
def train_annealed(model, X, y, schedule, epochs):
    """model, (n, d), (n,), function, number -> model, rates (epochs,). Source: WildML, exercise 2."""
    ### BEGIN SOLUTION
    net = {name: part.copy() for name, part in model.items()}
    rates = []
    for epoch in range(epochs):
        rate = schedule(epoch)
        d_net = gradients(net, X, y, reg_lambda)
        for name in net:
            net[name] = net[name] - rate * d_net[name]
        rates.append(rate)
    return net, np.array(rates)
    ### END SOLUTION


# %% [markdown]
# A reader annealed with $\epsilon_0 = 1$ and $k = .005$ and got *"a line, like just a perceptron"*. The red curve is
# his: it blows up in the first steps and never recovers. His rate would have been sensible for the gradient of a mean.
# The gradients here are sums, so the same schedule has to start at $1/200$: that is the green curve. It never jumps,
# but its small rate gets smaller all the time, and so it is the slowest of the three that learn.

# %%
schedules = {
    "always .01": lambda epoch: 0.01,
    "1/200, annealed with k = .005": lambda epoch: annealed(1 / 200, 0.005, epoch),
    ".02, halved every 200 epochs": lambda epoch: step_decay(0.02, 0.5, 200, epoch),
    "1, annealed: the reader's": lambda epoch: annealed(1.0, 0.005, epoch),
}
draw_annealing(train_annealed, schedules, [".02, halved every 200 epochs", "1, annealed: the reader's"])

# %% [markdown]
# Starting at .02 the purple curve jumps up and down: a little too fast, but it is the first one below .1. After 200
# epochs its rate is halved, just when it has reached the narrow bottom of the valley, and the jumps stop.
#
# ## 7. Exercise 3: other activation functions
#
# The tanh stands in two places: in the forward pass, and as its slope in $\delta_2$. Who exchanges it in one place has
# to exchange it in the other. Everything else stays.

# %%
draw_activations()

# %% [markdown]
# | activation | $a$ | slope, from $a$ or $z$ | at $z = .5$: $a$, slope |
# |---|---|---|---|
# | tanh | $\tanh z$ | $1 - a^2$ | .4621, .7864 |
# | sigmoid | $1/(1+e^{-z})$ | see unit 3 | .6225, .2350 |
# | ReLU | $\max(0, z)$ | read it off the picture | .5, 1 |
#
# `sigmoid` and `relu` are given, and `forward(model, X, sigmoid)` uses the one in place of the tanh.
#
# **Write `gradients_sigmoid(model, X, y, reg_lambda)`**: as `gradients`, for a net whose hidden layer is a sigmoid.


# %% item="sigmoid-net"
def gradients_sigmoid(model, X, y, reg_lambda):
    """model, (n, d), (n,), number -> dict with the model's keys. Sigmoid hidden layer. Source: WildML, exercise 3."""
    ### BEGIN SOLUTION
    net = forward(model, X, sigmoid)
    d3 = delta3(net["probs"], y)
    slope = net["a1"] * (1 - net["a1"])
    d2 = d3 @ model["W2"].T * slope
    return {
        "W1": X.T @ d2 + reg_lambda * model["W1"],
        "b1": np.sum(d2, axis=0, keepdims=True),
        "W2": net["a1"].T @ d3 + reg_lambda * model["W2"],
        "b2": np.sum(d3, axis=0, keepdims=True),
    }
    ### END SOLUTION


# %% [markdown]
# A ReLU lets a positive sum through and stops the others. On the way back it is the same gate: what came through is let
# back unchanged, what was stopped gets nothing. At exactly 0 any choice will do.
#
# **Write `gradients_relu(model, X, y, reg_lambda)`** for a hidden layer of ReLUs.


# %% item="relu-net"
def gradients_relu(model, X, y, reg_lambda):
    """model, (n, d), (n,), number -> dict with the model's keys. ReLU hidden layer. Source: WildML, exercise 3."""
    ### BEGIN SOLUTION
    net = forward(model, X, relu)
    d3 = delta3(net["probs"], y)
    slope = net["z1"] > 0
    d2 = d3 @ model["W2"].T * slope
    return {
        "W1": X.T @ d2 + reg_lambda * model["W1"],
        "b1": np.sum(d2, axis=0, keepdims=True),
        "W2": net["a1"].T @ d3 + reg_lambda * model["W2"],
        "b2": np.sum(d3, axis=0, keepdims=True),
    }
    ### END SOLUTION


# %%
draw_activation_nets(
    {"tanh": (np.tanh, gradients), "sigmoid": (sigmoid, gradients_sigmoid), "ReLU": (relu, gradients_relu)}
)

# %% [markdown]
# Same start, same rate, same number of passes. (A single peak in a curve is a jump against the valley's wall, as in
# section 4.) The boundary of the ReLU net is made of straight pieces, one bend for
# each hidden unit. The sigmoid's slope is a quarter at most, so its error signal arrives weaker and it learns later.
#
# A unit of the ReLU net can also die: once its sum is negative at every point, its slope is 0 at every point, and no
# step changes it again. Readers who wrote that "all points were predicted as one class" had probably met that, after
# one step that was too large.
#
# ## 8. How many hidden units?
#
# With more units the net can bend its boundary more often. Whether that helps is not to be seen on the points that it
# was trained on. Hence `X_test` and `y_test`: 320 other points from the same moons.
#
# **Define `size_sweep`**, a DataFrame with the columns `hidden`, `train_accuracy` and `test_accuracy`, and one row for
# each of 1, 2, 3, 4, 5, 20 and 50 hidden units. Accuracies are fractions. `random_start(hidden, rng)` makes a start
# with a `Generator`; 1500 passes of your `trained` are enough for each net. `pd.DataFrame({"hidden": [1, 2]})` makes a
# table of one column from a list. Put each net into `sweep_models` under its number of units, and the picture below
# shows all boundaries.

# %% item="hidden-sizes"
size_sweep = None  # a DataFrame: hidden, train_accuracy, test_accuracy
sweep_models = {}  # hidden units -> trained net, for the picture
### BEGIN SOLUTION
sizes = [1, 2, 3, 4, 5, 20, 50]
for hidden in sizes:
    sweep_models[hidden] = trained(random_start(hidden, np.random.default_rng(4)), gradients, 1500)
size_sweep = pd.DataFrame(
    {
        "hidden": sizes,
        "train_accuracy": [np.mean(predict(sweep_models[hidden], X) == y) for hidden in sizes],
        "test_accuracy": [np.mean(predict(sweep_models[hidden], X_test) == y_test) for hidden in sizes],
    }
)
### END SOLUTION

# %%
draw_sweep(size_sweep, sweep_models)

# %% [markdown]
# A reader asked why one hidden unit gives a straight boundary. Both scores are then a number times the same $a_1$, so
# they are equal where $a_1$, and with it $z_1 = x W_1 + b_1$, has one certain value: on a line. More layers of one unit
# each would change nothing about that.
#
# From three units on the moons are followed. Beyond that the training points still gain a little, the test points do
# not: the net begins to bend around single points, which is called **overfitting**.
#
# ## 9. Dropout
#
# A reader proposed dropout: in each training step, switch off hidden units at random. No unit can rely on another, and
# large layers overfit less.
#
# The `mask` holds 1 where a unit stays and 0 where it is dropped; each stays with the probability `keep`. With half of
# the units gone the sums of the next layer would be half as large, and at test time, when all units are there, twice as
# large. **Inverted dropout** evens that out at once: what stays is divided by `keep`.
#
# | | | | |
# |---|---|---|---|
# | $a$ | .8 | -.4 | .6 |
# | mask, `keep` = .5 | 1 | 0 | 1 |
# | dropped layer | 1.6 | 0 | 1.2 |
#
# Backward, each entry meets what it met forward.
#
# **Write `dropout_forward(a, keep, mask)` and `dropout_backward(d, keep, mask)`**. `a`, `d` and `mask` have the shape
# (n, h); `d` is the error signal at the dropped layer, and what is wanted is the one at `a`.


# %% item="dropout"
def dropout_forward(a, keep, mask):
    """(n, h), number, (n, h) of 0 and 1 -> (n, h). The layer with some units off. Source: a reader of WildML."""


def dropout_backward(d, keep, mask):
    """(n, h), number, (n, h) of 0 and 1 -> (n, h). The error signal before the dropout. Source: a reader of WildML."""


### BEGIN SOLUTION


def dropout_forward(a, keep, mask):
    return a * mask / keep


def dropout_backward(d, keep, mask):
    return d * (mask / keep)


### END SOLUTION

# %%
draw_dropout(dropout_forward)

# %% [markdown]
# ## 10. From classes to numbers
#
# A reader wanted to predict numbers: *"Which parts of the code need to be changed?"* Two. The output is $z_2$ itself,
# without a softmax. And the loss is the sum of squares
#
# $$L = \sum_{n,k} (z_2[n,k] - t[n,k])^2$$
#
# with targets $t$ of shape (n, k): no $\frac12$ in front, no mean, and here no penalty either. Only $\delta_3$ changes.
# For `tiny` with the targets (1, 0) and (0, 1):
#
# | | $z_2$ | $t$ | $z_2 - t$ |
# |---|---|---|---|
# | point 1 | .3995, -.3995 | 1, 0 | -.6005, -.3995 |
# | point 2 | .5838, -.5430 | 0, 1 | .5838, -1.5430 |
#
# How fast does each square change with $z_2$?
#
# **Write `gradients_regression(model, X, t)`** for a tanh hidden layer and a linear output.


# %% item="regression-gradients"
def gradients_regression(model, X, t):
    """model, (n, d), (n, k) -> dict with the model's keys. Sum of squared errors. Source: a reader of WildML."""
    ### BEGIN SOLUTION
    net = forward(model, X)
    d3 = 2 * (net["z2"] - t)
    d2 = delta2(d3, model["W2"], net["a1"])
    return {
        "W1": X.T @ d2,
        "b1": np.sum(d2, axis=0, keepdims=True),
        "W2": net["a1"].T @ d3,
        "b2": np.sum(d3, axis=0, keepdims=True),
    }
    ### END SOLUTION


# %% [markdown]
# The same reader had all derivatives right and was still in trouble: with more than six hidden units his error grew,
# "super large". He suspected the mathematics. Look at the red curves, which are trained at the rate .01: with 20 hidden
# units there is none, it has left the picture. The blue ones have a tenth of that rate.

# %%
draw_regression(gradients_regression)

# %% [markdown]
# The gradients are sums over all points, and each unit that is added to the hidden layer adds to the step that the
# output takes. The rate that is right for six units is too large for twenty; a tenth of it is not. Before you mistrust
# a gradient that passed its check, try a smaller rate.
#
# ## What you have learnt
#
# - A classifier's backward pass is $\delta_3 = \hat y - y$, one slope, and two matrix products. Biases sum over the
#   points; the penalty touches the weights alone.
# - A summed gradient is $N$ times that of the mean. Rates, schedules and penalties have to know which one they meet.
# - Minibatches take each point once an epoch, with its label, in a new order; each carries its share of the penalty.
# - A falling rate lets you start fast and still settle. It is worked out from the epoch, not from the last rate.
# - An activation function stands in two places: forward, and as its slope backward.
# - Accuracy on the training points says how flexible a net is. Accuracy on other points says how good it is.
# - Trained nets are compared by bounds. Their digits are not reproducible, and need not be.
