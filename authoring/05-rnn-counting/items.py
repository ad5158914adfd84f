"""Unit 05, a recurrent net that counts: what is graded, on which cases, and the mistakes that it knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.items import Case, Finding, Same, Slip, Steps, Trial, Worked, choice, function, value

Rng = np.random.Generator
Array = np.ndarray[Any, np.dtype[np.float64]]

# State 1's term is 2.25 times an output gradient that is typed as .4166, .4167 or so: rounded and cut at every step
# it is up to 2.0e-4 off (measured), so its tolerance is a little above that. The nearest slip is 4.7e-1 away.
ATOL_STATE1 = 2.5e-4

# --------------------------------------------------------------------------- drawing cases


def _away(rng: Rng, *shape: int, low: float = 0.4, high: float = 1.4) -> Array:
    """Numbers of both signs, none near 0."""
    return rng.choice([-1.0, 1.0], size=shape) * rng.uniform(low, high, size=shape)


def _one_side(rng: Rng, *shape: int, low: float = 0.4, high: float = 1.4) -> Array:
    """Numbers of one sign, so that their sums do not cancel."""
    return float(rng.choice([-1.0, 1.0])) * rng.uniform(low, high, size=shape)


def _weights(rng: Rng) -> tuple[float, float]:
    """w_x and w_rec, clearly different in size: at w_x = w_rec the swapped net would be right."""
    small, large = rng.uniform(0.5, 0.8), rng.uniform(1.2, 1.6)
    sizes = (small, large) if rng.random() < 0.5 else (large, small)
    w_x, w_rec = (float(rng.choice([-1.0, 1.0]) * size) for size in sizes)
    return w_x, w_rec


def _step(*shape: int) -> Callable[[Rng], tuple[Any, ...]]:
    return lambda rng: (_away(rng, *shape), _away(rng, *shape), *_weights(rng))


def _sequences(n: int, T: int) -> Callable[[Rng], tuple[Any, ...]]:
    return lambda rng: (_away(rng, n, T), *_weights(rng))


def _ends(n: int) -> Callable[[Rng], tuple[Any, ...]]:
    """Last states and targets that are far apart, by more than 1, to both sides."""

    def draw(rng: Rng) -> tuple[Any, ...]:
        y = rng.uniform(0.5, 4.0, size=n)
        return y + _away(rng, n, low=1.3, high=2.6), y

    return draw


def _back(n: int, T: int, low: float, high: float) -> Callable[[Rng], tuple[Any, ...]]:
    return lambda rng: (_away(rng, n), T, float(rng.uniform(low, high)))


def _unrolled(n: int, T: int, low: float, high: float) -> Callable[[Rng], tuple[Any, ...]]:
    """X, S, grad_out, w_rec; S is no zero anywhere, its first column included."""

    def draw(rng: Rng) -> tuple[Any, ...]:
        w_rec = float(rng.uniform(low, high))
        return _one_side(rng, n, T), _one_side(rng, n, T + 1), _one_side(rng, n), w_rec

    return draw


def _checked(n: int, T: int, h: float) -> Callable[[Rng], tuple[Any, ...]]:
    """Positive inputs and weights, negative targets: nothing cancels, and the bend of E shows at a large h."""

    def draw(rng: Rng) -> tuple[Any, ...]:
        X, y = rng.uniform(0.3, 1.4, size=(n, T)), -rng.uniform(0.5, 2.0, size=n)
        return X, y, float(rng.uniform(0.5, 0.8)), float(rng.uniform(0.9, 1.2)), h

    return draw


def _tiny_weights(rng: Rng) -> tuple[Any, ...]:
    """Weights of some 1e-5, inputs so large that states are of order 1: there h = 1e-6 is a large step.

    The only way to judge the default h by numbers: elsewhere its relative error is rounding, and nobody's like ours.
    """
    X = rng.uniform(0.5, 1.5, size=(2, 3)) * [1e15, 1e10, 1e5]
    w_x, w_rec = rng.uniform(5e-6, 1e-5, size=2)
    return X, -rng.uniform(0.5, 2.0, size=2), float(w_x), float(w_rec)


def _descent(rng: Rng) -> tuple[Any, ...]:
    return (*map(float, _away(rng, 2)), *map(float, _away(rng, 2, low=1.0, high=4.0)), float(rng.uniform(0.1, 0.4)))


def _growth(low: float, high: float, T: int) -> Callable[[Rng], tuple[Any, ...]]:
    return lambda rng: (float(rng.uniform(low, high)), T)


def _resting(rng: Rng) -> tuple[Any, ...]:
    """Rprop's arguments with a sign of 0 now, before, and both times, beside one that stays and one that turns."""
    order = rng.permutation(5)
    sign = float(rng.choice([-1.0, 1.0]))
    now, before = sign * np.array([[0.0, 1.0, 0.0, 1.0, 1.0], [1.0, 0.0, 0.0, 1.0, -1.0]])[:, order]
    return now * rng.uniform(0.5, 3.0, size=5), before, rng.uniform(0.1, 0.6, size=5), _away(rng, 5)


def _rprop(m: int, *etas: tuple[float, float], first: bool = False) -> Callable[[Rng], tuple[Any, ...]]:
    """grad, prev_sign, delta, w, and the etas if given; some signs stay, some turn, or there was none before."""

    def draw(rng: Rng) -> tuple[Any, ...]:
        grad = _away(rng, m, low=0.5, high=3.0)
        turned = rng.permutation([-1.0, 1.0, *rng.choice([-1.0, 1.0], size=m - 2)])
        before = np.zeros(m) if first else np.sign(grad) * turned
        more = [float(rng.uniform(*eta)) for eta in etas]
        return grad, before, rng.uniform(0.1, 0.6, size=m), _away(rng, m), *more

    return draw


# --------------------------------------------------------------------------- judging the training run

NEAR = 0.01  # how near both weights must come to 1; the start is .5 away, the solution ends within 1e-3 of it
FEWEST, LONGEST = 20, 0.5  # steps of a record, length of its longest step, as the question says
DOWNHILL = (
    0.95  # share of the steps that must go against the gradient: real descent has all, made-up records .9 at most
)
FLAT = 1e-8  # a gradient below this has no sign to speak of

SAYS_DIVERGED = "the weights run away to numbers without end: on the cliff the steps are far too long. Limit them."
SAYS_EARLY = "the way is right so far; it stops before both weights are within .01 of 1. Give it more steps."
SAYS_START = "the path does not begin at the given weights (.5, 1.5)."
SAYS_MADE_UP = (
    "this is no path of gradient descent: at many of its steps a weight moves uphill, along its gradient on X20."
)


def accept_training(trial: Trial) -> Finding | None:
    """The record of a descent: right start, short steps downhill on the given data, an end near (1, 1)."""
    if trial.got[0] is None or trial.got[1] is None:
        return Finding("form", "`w_trained` and `w_path` are both asked for: where it ends, and the way there.")
    trained, path = (np.asarray(part, dtype=float) for part in trial.got)
    if path.ndim == 2 and path.shape[0] == 2 != path.shape[1]:
        path = path.T
    if path.ndim != 2 or path.shape[1] != 2 or trained.size != 2:
        return Finding("form", "`w_path` is (steps+1, 2) and `w_trained` is (2,).")
    trained = trained.ravel()
    if not (np.all(np.isfinite(path)) and np.all(np.isfinite(trained))) or np.max(np.abs(path)) > 1e3:
        return Finding("diverged", SAYS_DIVERGED)
    if np.max(np.abs(path[0] - (trial.given["w_x"], trial.given["w_rec"]))) > 1e-9:
        return Finding("other-start", SAYS_START, 0.25)
    if np.max(np.abs(path[-1] - trained)) > 1e-6:
        return Finding("two-ends", "`w_trained` is not where `w_path` ends.", 0.25)
    steps = np.diff(path, axis=0)
    if len(steps) < FEWEST or np.max(np.hypot(*steps.T)) > LONGEST:
        says = f"the record of a training has at least {FEWEST} steps here, none of them longer than {LONGEST}."
        return Finding("few-steps", says)
    if _downhill(path[:-1], steps, trial.given["X20"], trial.given["y20"]) < DOWNHILL:
        return Finding("made-up", SAYS_MADE_UP)
    far = float(np.max(np.abs(trained - 1)))
    return None if far <= NEAR else Finding("too-early", SAYS_EARLY, 0.25)


def _downhill(places: Array, steps: Array, X: Array, y: Array) -> float:
    """The share of the steps at which no weight moves along its gradient on all of X."""
    gradients = _gradients(places, X, y)
    against = (steps * gradients <= 0) | (np.abs(gradients) < FLAT)
    return float(np.mean(np.all(against, axis=1)))


def _gradients(places: Array, X: Array, y: Array) -> Array:
    """(m, 2) weights -> (m, 2) gradients: derivatives of the states carried forward, all places at once."""
    u, v = places[:, 0], places[:, 1]
    s, s_u, s_v = np.zeros((3, len(X), len(places)))
    for x in X.T[:, :, np.newaxis]:
        s, s_u, s_v = s * v + x * u, s_u * v + x, s_v * v + s
    slope = 2 * (s - y[:, np.newaxis])
    return np.stack([np.mean(slope * s_u, axis=0), np.mean(slope * s_v, axis=0)], axis=1)


# --------------------------------------------------------------------------- texts that stand more than once

PATH_TO = """
    w_path = {path}
    w_trained = w_path[-1]
    """
TRAIN = """
def train(u, v, steps, longest):
    path = [(u, v)]
    for _ in range(steps):
        S = states(X20, u, v)
        slopes = np.array(rnn_gradients(X20, S, output_gradient(S[:, -1], y20), v))
        {change}
        path.append((u, v))
    return np.array(path)


w_path = {path}
w_trained = w_path[-1]
"""
CLIPPED = "u, v = np.array([u, v]) - 0.001 * slopes * min(1.0, longest / np.linalg.norm(slopes))"
PLAIN = "u, v = np.array([u, v]) - 0.001 * slopes"
SIGNS = """
w_path, before, size = [np.array([w_x, w_rec])], np.zeros(2), np.full(2, 0.001)
for _ in range(2500):
    here = w_path[-1]
    S = states(X20, *here)
    now = np.sign(rnn_gradients(X20, S, output_gradient(S[:, -1], y20), here[1]))
    size = size * np.where(now == before, 1.2, 0.5)
    w_path.append(here - now * size)
    before = now
w_trained = w_path[-1]
"""

ITEMS = (
    function(
        "next-state",
        points=1,
        worked=[
            Worked("states 2 and 0, inputs 1", lambda given: (np.array([2.0, 0.0]), np.array([1.0, 1.0]), 2.0, 0.5)),
        ],
        cases=[
            Case("five sequences", _step(5)),
            Case("one sequence", _step(1)),
            Case("three sequences", _step(3)),
        ],
        slips=[
            Slip(
                "weights-swapped",
                "s_prev * w_rec + x * w_x",
                "s_prev * w_x + x * w_rec",
                credit=0.5,
                says="the two weights are swapped. Which one belongs to the memory, which one to the input?",
            ),
            Slip(
                "no-memory-weight",
                "s_prev * w_rec",
                "s_prev",
                credit=0.25,
                says="the state before is carried over whole. Which weight is it multiplied with?",
            ),
            Slip(
                "no-input-weight",
                "x * w_x",
                "x",
                credit=0.25,
                says="the input is added as it is. Which weight is it multiplied with?",
            ),
            Slip(
                "no-memory",
                "s_prev * w_rec + ",
                "",
                credit=0.25,
                says="the result does not depend on the state before: this net has no memory.",
            ),
            Slip(
                "one-weight-for-both", "x * w_x", "x * w_rec", credit=0.25, says="state and input got the same weight."
            ),
            Slip(
                "product",
                "s_prev * w_rec + x * w_x",
                "s_prev * w_rec * x * w_x",
                credit=0.25,
                says="memory and input were multiplied; with a zero input nothing would be remembered.",
            ),
            Slip(
                "squashed",
                "s_prev * w_rec + x * w_x",
                "np.tanh(s_prev * w_rec + x * w_x)",
                credit=0.5,
                says="the sum was squashed. This net is linear: a count must be able to grow.",
            ),
        ],
        same=[
            Same("other order", "s_prev * w_rec + x * w_x", "w_x * x + w_rec * s_prev"),
            Same("dot", "s_prev * w_rec + x * w_x", "np.stack([s_prev, x], axis=-1) @ np.array([w_rec, w_x])"),
            Same("one by one", "s_prev * w_rec + x * w_x", "[w_rec * s + w_x * u for s, u in zip(s_prev, x)]"),
        ],
        hints=[
            "Two products and a sum, for each sequence by itself.",
            "From state 2 and input 1 with w_x = 2, w_rec = .5 comes 3.",
            "s_prev times w_rec, plus x times w_x",
        ],
    ),
    function(
        "states",
        points=2,
        steps=Steps(1),
        builds_on=["next-state"],
        worked=[
            Worked(
                "the sequences (1, 0, 1) and (0, 1, 1) at w_x = 2, w_rec = .5",
                lambda given: (np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]), 2.0, 0.5),
            )
        ],
        cases=[
            Case("four sequences of six", _sequences(4, 6)),
            Case("five sequences of three", _sequences(5, 3)),
            Case("one sequence", _sequences(1, 5)),
            Case("a single step", _sequences(3, 1)),
        ],
        slips=[
            Slip(
                "no-start-column",
                "return S",
                "return S[:, 1:]",
                credit=0.5,
                says="the zero state of the start is missing: T inputs lead through T + 1 states.",
            ),
            Slip(
                "starts-at-one",
                "np.zeros((n, T + 1))",
                "np.ones((n, T + 1))",
                credit=0.5,
                says="the start state is 1; nothing has been counted before the first input.",
            ),
            Slip(
                "starts-at-first-input",
                "for k in range(T)",
                "S[:, 0] = X[:, 0]\n    for k in range(T)",
                credit=0.5,
                says="column 0 holds the first input. It is the state before any input.",
            ),
            Slip(
                "from-the-start-each-time",
                "next_state(S[:, k], X",
                "next_state(S[:, 0], X",
                credit=0.25,
                says="every state is made from the start state: nothing is carried on from step to step.",
            ),
            Slip(
                "first-input-always",
                "X[:, k], w_x",
                "X[:, 0], w_x",
                credit=0.25,
                says="every step reads the same input, the first one.",
            ),
            Slip(
                "weights-swapped",
                "w_x, w_rec)",
                "w_rec, w_x)",
                credit=0.5,
                says="the two weights are swapped on their way into next_state.",
            ),
            Slip(
                "read-backwards",
                "X[:, k], w_x",
                "X[:, T - 1 - k], w_x",
                credit=0.5,
                says="the sequences are read from their end; the first column comes first.",
            ),
            Slip(
                "rows-for-steps",
                "n, T = X.shape",
                "n = T = len(X)",
                credit=0.5,
                says="the number of sequences was taken for the number of steps: T is how many columns X has.",
            ),
            Slip(
                "last-step-missing",
                "range(T)",
                "range(T - 1)",
                credit=0.5,
                says="the last state was never computed: the last input is not read.",
            ),
            Slip(
                "transposed",
                "return S",
                "return S.T",
                credit=0.5,
                says="rows and columns are swapped: one sequence is one row.",
            ),
        ],
        same=[
            Same(
                "list of columns",
                "",
                """
                s = np.zeros(len(X))
                columns = [s]
                for x in X.T:
                    s = s * w_rec + x * w_x
                    columns.append(s)
                return np.stack(columns, axis=1)
                """,
            ),
            Same(
                "sums of powers",
                "",
                """
                n, T = X.shape
                S = np.zeros((n, T + 1))
                for k in range(1, T + 1):
                    S[:, k] = w_x * X[:, :k] @ w_rec ** np.arange(k - 1, -1, -1)
                return S
                """,
            ),
            Same(
                "entry by entry",
                "",
                """
                rows = []
                for sequence in X:
                    row = [0.0]
                    for bit in sequence:
                        row.append(row[-1] * w_rec + bit * w_x)
                    rows.append(row)
                return rows
                """,
            ),
            Same(
                "a triangle of powers",
                "",
                """
                n, T = X.shape
                lag = np.arange(T + 1)[np.newaxis, :] - np.arange(1, T + 1)[:, np.newaxis]
                return w_x * X @ np.where(lag >= 0, float(w_rec) ** np.maximum(lag, 0), 0.0)
                """,
            ),
        ],
        hints=[
            "Make an array of zeros with T + 1 columns and fill it from the left.",
            "Column k + 1 is made from column k of S and column k of X.",
            "S[:, k + 1] = next_state(S[:, k], X[:, k], w_x, w_rec) for k = 0 to T - 1",
        ],
    ),
    value(
        "states-worked",
        "S_worked",
        points=1,
        steps=Steps(1),
        builds_on=["states"],
        slips=[
            Slip(
                "weights-swapped",
                "w_x, w_rec",
                "w_rec, w_x",
                credit=0.5,
                says="that is what comes out with the two weights swapped: w_x = .5 meets the inputs.",
            ),
            Slip(
                "read-backwards",
                "states(X,",
                "states(X[:, ::-1],",
                credit=0.5,
                says="the sequences were read from right to left.",
            ),
            Slip(
                "counting-net",
                "w_x, w_rec",
                "1.0, 1.0",
                credit=0.25,
                says="these are the states of a net that counts already. This one starts with weights .5 and 1.5.",
            ),
            Slip(
                "no-memory",
                "w_x, w_rec",
                "w_x, 0.0",
                credit=0.25,
                says="each state is its input times w_x alone: what of the state before?",
            ),
            Slip(
                "memory-unweighted",
                "w_x, w_rec",
                "w_x, 1.0",
                credit=0.5,
                says="the state before is carried over unchanged; it has a weight, too.",
            ),
        ],
        same=[
            Same("rounded", "states(X, w_x, w_rec)", "np.round(states(X, w_x, w_rec), 4)"),
            Same("typed", "states(X, w_x, w_rec)", "[[0, 0, 0, .5], [0, 0, .5, 1.25], [0, .5, 1.25, 2.375]]"),
        ],
        hints=[
            "Row by row, from the left: old state times 1.5, plus input times .5.",
            "The second row is 0, 0, .5, and then .5 times 1.5 plus 1 times .5.",
        ],
    ),
    function(
        "count-loss",
        points=1,
        worked=[Worked("ends 2.5 and 3, targets 2", lambda given: (np.array([2.5, 3.0]), np.array([2.0, 2.0])))],
        cases=[
            Case("five sequences", _ends(5)),
            Case("three sequences", _ends(3)),
            Case("one sequence", _ends(1)),
        ],
        slips=[
            Slip(
                "summed",
                "np.mean",
                "np.sum",
                credit=0.5,
                says="it grows with the number of sequences: here the squares are averaged.",
            ),
            Slip(
                "half",
                "np.mean(",
                "0.5 * np.mean(",
                credit=0.5,
                says="it is half of what it should be. The one half of units 1 to 4 is not part of this cost.",
            ),
            Slip(
                "absolute",
                "(s_T - y) ** 2",
                "np.abs(s_T - y)",
                credit=0.25,
                says="the differences were averaged without their squares.",
            ),
            Slip(
                "root",
                "np.mean((s_T - y) ** 2)",
                "np.sqrt(np.mean((s_T - y) ** 2))",
                credit=0.5,
                says="that is the root of the mean squared error.",
            ),
            Slip(
                "squared-mean",
                "np.mean((s_T - y) ** 2)",
                "np.mean(s_T - y) ** 2",
                credit=0.5,
                says="first averaged, then squared: counts too high and too low cancel each other.",
            ),
            Slip(
                "one-each",
                "np.mean((s_T - y) ** 2)",
                "(s_T - y) ** 2",
                credit=0.5,
                says="there is one number for each sequence; the cost is one number for all.",
            ),
            Slip(
                "difference-of-squares",
                "(s_T - y) ** 2",
                "s_T**2 - y**2",
                credit=0.25,
                says="each of the two was squared before they were subtracted.",
            ),
        ],
        same=[
            Same("sum over n", "np.mean((s_T - y) ** 2)", "np.sum(np.square(s_T - y)) / len(y)"),
            Same("dot", "np.mean((s_T - y) ** 2)", "np.dot(y - s_T, y - s_T) / y.size"),
            Same("loop", "np.mean((s_T - y) ** 2)", "sum((a - b) ** 2 for a, b in zip(s_T, y)) / len(s_T)"),
        ],
        hints=[
            "Difference, square, then one number for all sequences.",
            "Ends 2.5 and 3 with targets 2 give .625.",
            "the mean of (s_T - y) squared",
        ],
    ),
    function(
        "output-gradient",
        points=1,
        worked=[
            Worked(
                "four sequences",
                lambda given: (np.array([2.5, 3.0, 1.0, 0.0]), np.array([2.0, 2.0, 3.0, 1.0])),
            )
        ],
        cases=[
            Case("five sequences", _ends(5)),
            Case("three sequences", _ends(3)),
            Case("one sequence", _ends(1)),
        ],
        slips=[
            Slip(
                "no-two",
                "2 * (s_T - y) / len(y)",
                "(s_T - y) / len(y)",
                credit=0.5,
                says="it is half of what it should be. What does the square leave behind when it is differentiated?",
            ),
            Slip(
                "no-mean",
                "2 * (s_T - y) / len(y)",
                "2 * (s_T - y)",
                credit=0.5,
                says="it is n times too large: the cost is a mean over the sequences.",
            ),
            Slip(
                "difference-alone",
                "2 * (s_T - y) / len(y)",
                "s_T - y",
                credit=0.25,
                says="that is the difference alone. The square and the mean leave a factor each.",
            ),
            Slip(
                "sign",
                "s_T - y",
                "y - s_T",
                credit=0.5,
                says="the signs are turned: a count that is too high makes E grow when it grows further.",
            ),
            Slip(
                "summed",
                "2 * (s_T - y) / len(y)",
                "np.sum(2 * (s_T - y)) / len(y)",
                credit=0.25,
                says="there is one number; each sequence has a last state, and a gradient, of its own.",
            ),
            Slip(
                "squared",
                "2 * (s_T - y) / len(y)",
                "2 * (s_T - y) ** 2 / len(y)",
                credit=0.25,
                says="the square is still there after differentiating.",
            ),
        ],
        same=[
            Same("mean first", "2 * (s_T - y) / len(y)", "(s_T - y) * (2 / s_T.size)"),
            Same("expanded", "2 * (s_T - y) / len(y)", "2 * s_T / len(s_T) - 2 * y / len(s_T)"),
            Same("loop", "2 * (s_T - y) / len(y)", "[2.0 / len(y) * (a - b) for a, b in zip(s_T, y)]"),
        ],
        hints=[
            "Differentiate the mean with respect to one of the last states; the others are constants.",
            "One factor from the square, one from the mean.",
            "2 (s_T - y) / n",
        ],
    ),
    function(
        "gradient-over-time",
        points=2,
        steps=Steps(1, backwards=True),
        worked=[Worked("gradients 1 and -2, three steps, w_rec = .5", lambda given: (np.array([1.0, -2.0]), 3, 0.5))],
        cases=[
            Case("six steps, growing", _back(4, 6, 1.2, 1.6)),
            Case("four steps, shrinking", _back(3, 4, 0.5, 0.8)),
            Case("a negative weight", _back(2, 5, -0.8, -0.5)),
            Case("one sequence", _back(1, 3, 0.5, 0.8)),
            Case("a single step", _back(5, 1, 1.2, 1.6)),
        ],
        slips=[
            Slip(
                "turned-in-time",
                "return G",
                "return G[:, ::-1]",
                credit=0.5,
                says="the columns run the wrong way: the last column belongs to the last state.",
            ),
            Slip(
                "one-power-too-many",
                "G[:, T] = grad_out",
                "G[:, T] = grad_out * w_rec",
                credit=0.5,
                says="every column went one step too far: at the last state the gradient is `grad_out` itself.",
            ),
            Slip(
                "no-weight",
                "G[:, k] * w_rec",
                "G[:, k]",
                credit=0.25,
                says="the gradient is the same at all states. What is it multiplied with on each step back?",
            ),
            Slip(
                "weight-once",
                "G[:, k] * w_rec",
                "G[:, T] * w_rec",
                credit=0.25,
                says="each column comes from the last one directly: the weight counts once, however long the way is.",
            ),
            Slip(
                "last-only",
                "range(T, 0, -1)",
                "range(T, T, -1)",
                credit=0.25,
                says="only the last state has a gradient; nothing went back through time.",
            ),
            Slip(
                "divided",
                "G[:, k] * w_rec",
                "G[:, k] / w_rec",
                credit=0.5,
                says="it was divided by w_rec. Going back multiplies by the same weight as going forward.",
            ),
            Slip(
                "added-at-each-step",
                "G[:, k] * w_rec",
                "G[:, k] * w_rec + grad_out",
                credit=0.25,
                says="`grad_out` came in at every state; only the last state is compared with a target.",
            ),
            Slip(
                "no-start-state",
                "return G",
                "return G[:, 1:]",
                credit=0.5,
                says="a column is missing: there are T + 1 states, the start state has a gradient as well.",
            ),
            Slip(
                "start-left-out",
                "range(T, 0, -1)",
                "range(T, 1, -1)",
                credit=0.5,
                says="column 0 was left at zero: the gradient goes back to the start state as well.",
            ),
        ],
        same=[
            Same("powers", "", "return grad_out[:, np.newaxis] * float(w_rec) ** np.arange(T, -1, -1)"),
            Same("outer", "", "return np.outer(grad_out, [w_rec**k for k in range(T, -1, -1)])"),
            Same(
                "list turned round",
                "",
                """
                columns = [grad_out]
                for _ in range(T):
                    columns.append(columns[-1] * w_rec)
                return np.stack(columns[::-1], axis=1)
                """,
            ),
            Same(
                "cumulative product",
                "",
                """
                factors = np.concatenate([[1.0], np.full(T, w_rec)])
                return np.einsum("n,t->nt", grad_out, np.cumprod(factors)[::-1])
                """,
            ),
        ],
        hints=[
            "Fill the last column first and walk to the left.",
            "Each column is the one to its right, times the same number.",
            "G[:, T] = grad_out; G[:, k - 1] = G[:, k] * w_rec",
        ],
    ),
    value(
        "state1-terms",
        "state1_terms",
        points=2,
        builds_on=["states-worked", "output-gradient", "gradient-over-time"],
        atol=ATOL_STATE1,
        slips=[
            Slip(
                "state-after",
                "S_worked[:, 0])",
                "S_worked[:, 1])",
                credit=0.5,
                says="the first number is right. In step 1, w_rec is multiplied with the state before that step.",
            ),
            Slip(
                "step-3",
                "w_rec)[:, 1]",
                "w_rec)[:, 3]",
                credit=0.25,
                says="that is the gradient at the last state; it has not gone back to state 1 yet.",
            ),
            Slip(
                "one-step-back",
                "w_rec)[:, 1]",
                "w_rec)[:, 2]",
                credit=0.5,
                says="the gradient went one step back. How many steps are there from state 3 to state 1?",
            ),
            Slip(
                "to-the-start",
                "w_rec)[:, 1]",
                "w_rec)[:, 0]",
                credit=0.5,
                says="the gradient went all the way to the start state, one step too far.",
            ),
            Slip(
                "second-input",
                "X[:, 0]",
                "X[:, 1]",
                credit=0.5,
                says="the input of step 2 was taken. In numpy, the input of step 1 is the column with number 0.",
            ),
            Slip(
                "averaged",
                "np.array([np.sum(at_state_1 * X[:, 0]), np.sum(at_state_1 * S_worked[:, 0])])",
                "np.array([np.mean(at_state_1 * X[:, 0]), np.mean(at_state_1 * S_worked[:, 0])])",
                credit=0.5,
                says="it was averaged over the sequences once more; the 1/n is in the output gradient already.",
            ),
            Slip(
                "whole-step-3",
                "",
                """
                at_state_3 = gradient_over_time(output_gradient(S_worked[:, -1], y), 3, w_rec)[:, 3]
                state1_terms = np.array([np.sum(at_state_3 * X[:, 2]), np.sum(at_state_3 * S_worked[:, 2])])
                """,
                credit=0.25,
                says="that is what step 3 adds, the last one: the steps were counted from the end.",
            ),
            Slip(
                "whole-step-2",
                "",
                """
                at_state_2 = gradient_over_time(output_gradient(S_worked[:, -1], y), 3, w_rec)[:, 2]
                state1_terms = np.array([np.sum(at_state_2 * X[:, 1]), np.sum(at_state_2 * S_worked[:, 1])])
                """,
                credit=0.5,
                says="that is what step 2 adds. In numpy, step 1 reads column 0 of X and of S and leads to column 1.",
            ),
            Slip(
                "turned-round",
                "np.array([np.sum(at_state_1 * X[:, 0]), np.sum(at_state_1 * S_worked[:, 0])])",
                "np.array([np.sum(at_state_1 * S_worked[:, 0]), np.sum(at_state_1 * X[:, 0])])",
                credit=0.5,
                says="the two numbers are in the other order: what goes to w_x comes first.",
            ),
            Slip(
                "not-summed",
                "np.array([np.sum(at_state_1 * X[:, 0]), np.sum(at_state_1 * S_worked[:, 0])])",
                "np.column_stack([at_state_1 * X[:, 0], at_state_1 * S_worked[:, 0]])",
                credit=0.5,
                says="there is one line for each sequence: the sequences share the weights, so add them up.",
            ),
            Slip(
                "not-averaged",
                "y), 3, w_rec",
                "y) * 3, 3, w_rec",
                credit=0.5,
                says=(
                    "The first number is three times too large: the 1/n of the mean is missing, or step 1's input, "
                    "which is 0 in two of the three sequences."
                ),
            ),
        ],
        same=[
            Same(
                "rounded",
                "np.array([np.sum(at_state_1 * X[:, 0]), np.sum(at_state_1 * S_worked[:, 0])])",
                "np.round([X[:, 0] @ at_state_1, 0.0], 4)",
            ),
            Same(
                "cut by hand",
                "np.array([np.sum(at_state_1 * X[:, 0]), np.sum(at_state_1 * S_worked[:, 0])])",
                "[-.9373, 0]",
            ),
            Same(
                "rounded by hand",
                "np.array([np.sum(at_state_1 * X[:, 0]), np.sum(at_state_1 * S_worked[:, 0])])",
                "(-.9377, 0.)",
            ),
        ],
        hints=[
            "Which of the three sequences have an input other than 0 in step 1?",
            "The gradient at state 1 is the one at state 3, two steps back.",
            "2 (S_3 - y) / 3, times w_rec twice; then times the input of step 1, and times the state before step 1.",
        ],
    ),
    function(
        "rnn-gradients",
        points=3,
        builds_on=["gradient-over-time"],
        parts=["dw_x", "dw_rec"],
        worked=[
            Worked(
                "two sequences at w_rec = .5",
                lambda given: (
                    np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]),
                    np.array([[0.0, 2.0, 1.0, 2.5], [0.0, 0.0, 2.0, 3.0]]),
                    np.array([1.0, -2.0]),
                    0.5,
                ),
            )
        ],
        cases=[
            Case("four sequences of six", _unrolled(4, 6, 0.6, 0.85)),
            Case("three sequences of five, growing", _unrolled(3, 5, 1.2, 1.5)),
            Case("one sequence", _unrolled(1, 4, 1.2, 1.5)),
            Case("a negative weight", _unrolled(2, 3, -0.7, -0.4)),
            Case("a single step", _unrolled(5, 1, 0.6, 0.85)),
        ],
        slips=[
            Slip(
                "last-step-only",
                "",
                """
                return np.sum(grad_out * X[:, -1]), np.sum(grad_out * S[:, -2])
                """,
                credit=0.25,
                says="that is what the last step alone leaves; the weights are used at every step.",
            ),
            Slip(
                "state-after",
                "G[:, 1:] * S[:, :-1]",
                "G[:, 1:] * S[:, 1:]",
                credit=0.5,
                says="dw_rec goes with the wrong states: at each step the weight is multiplied with the one before it.",
            ),
            Slip(
                "gradient-before",
                "G[:, 1:] * S[:, :-1]",
                "G[:, :-1] * S[:, :-1]",
                credit=0.5,
                says="dw_rec has the gradients of the wrong states: the product goes into the state after it.",
            ),
            Slip(
                "gradients-shifted",
                "return dw_x",
                "dw_x = np.sum(G[:, :-1] * X)\n    return dw_x",
                credit=0.5,
                says="dw_x has the gradients of the wrong states: input X[:, k] goes into state S[:, k + 1].",
            ),
            Slip(
                "not-through-time",
                "G = gradient_over_time(grad_out, T, w_rec)",
                "G = gradient_over_time(grad_out, T, 1.0)",
                credit=0.25,
                says="every step got the same gradient: it does not pass the recurrent weight on its way back.",
            ),
            Slip(
                "averaged",
                "return dw_x, dw_rec",
                "return dw_x / len(X), dw_rec / len(X)",
                credit=0.5,
                says="both are divided by the number of sequences. `grad_out` brought the 1/n along already.",
            ),
            Slip(
                "swapped",
                "return dw_x, dw_rec",
                "return dw_rec, dw_x",
                credit=0.5,
                says="the two results are in the other order: dw_x comes first.",
            ),
            Slip(
                "not-summed",
                "",
                """
                T = X.shape[1]
                G = gradient_over_time(grad_out, T, w_rec)
                return np.sum(G[:, 1:] * X, axis=1), np.sum(G[:, 1:] * S[:, :-1], axis=1)
                """,
                credit=0.5,
                says="there is one number for each sequence; all sequences share the two weights.",
            ),
            Slip(
                "averaged-over-time",
                "return dw_x, dw_rec",
                "return dw_x / T, dw_rec / T",
                credit=0.5,
                says="both are divided by the number of steps: the shares of the steps add up.",
            ),
            Slip(
                "rows-for-steps",
                "X.shape[1]",
                "len(X)",
                credit=0.5,
                says="the number of sequences was taken for the number of steps: T is how many columns X has.",
            ),
            Slip(
                "first-step-forgotten",
                "return dw_x",
                "dw_x = dw_x - np.sum(G[:, 1] * X[:, 0])\n"
                "    dw_rec = dw_rec - np.sum(G[:, 1] * S[:, 0])\n    return dw_x",
                credit=0.5,
                says="the share of step 1 is missing, the one that you worked out for `state1_terms`.",
            ),
        ],
        same=[
            Same(
                "loop back",
                "",
                """
                at_state, dw_x, dw_rec = grad_out, 0.0, 0.0
                for k in range(X.shape[1], 0, -1):
                    dw_x = dw_x + np.sum(at_state * X[:, k - 1])
                    dw_rec = dw_rec + np.sum(at_state * S[:, k - 1])
                    at_state = at_state * w_rec
                return dw_x, dw_rec
                """,
            ),
            Same(
                "einsum",
                "",
                """
                G = gradient_over_time(grad_out, X.shape[1], w_rec)[:, 1:]
                return np.einsum("nt,nt->", G, X), np.einsum("nt,nt->", G, S[:, :-1])
                """,
            ),
            Same(
                "powers",
                "",
                """
                powers = np.array([w_rec**k for k in range(X.shape[1] - 1, -1, -1)])
                return grad_out @ (X @ powers), grad_out @ (S[:, :-1] @ powers)
                """,
            ),
            Same("list", "return dw_x, dw_rec", "return [dw_x, dw_rec]"),
        ],
        hints=[
            "First the repeated terms for all states, with your gradient_over_time.",
            "S and the gradients have T + 1 columns, X has T. Which columns of them belong to X[:, 0]?",
            "The gradient at each new state (columns 1 to T) times the input, or times the state before; then sum all.",
        ],
    ),
    function(
        "gradient-check",
        points=2,
        builds_on=["states", "count-loss", "output-gradient", "rnn-gradients"],
        float32=False,  # a difference quotient drowns in float32
        # Compared as one array: the error of w_x is rounding only, because E is a parabola in w_x.
        worked=[
            Worked(
                "the sequence (1, 0, 1) with target 2 at w_x = 2, w_rec = .5, h = .1",
                lambda given: (np.array([[1.0, 0.0, 1.0]]), np.array([2.0]), 2.0, 0.5, 0.1),
            )
        ],
        cases=[
            Case("h = .1", _checked(3, 5, 0.1)),
            Case("h = .04, longer sequences", _checked(2, 7, 0.04)),
            Case("the default h, at tiny weights", _tiny_weights),
        ],
        slips=[
            Slip(
                "one-sided",
                "measured = (up - down) / (2 * h)",
                "measured = (up - error(w_x, w_rec)) / h",
                credit=0.5,
                says="the measured gradient looks to one side only: even the parabola in w_x gets an error.",
            ),
            Slip(
                "no-two",
                "(2 * h)",
                "h",
                credit=0.5,
                says="the measured gradients are twice what they should be: how far apart are the two places?",
            ),
            Slip(
                "not-relative",
                " / (np.abs(calculated) + np.abs(measured))",
                "",
                credit=0.5,
                says="that is the difference itself. Relative to the size of the two gradients, it says more.",
            ),
            Slip(
                "of-one-alone",
                "(np.abs(calculated) + np.abs(measured))",
                "np.abs(calculated)",
                credit=0.5,
                says="it is about twice what it should be: the difference is divided by one of the gradients alone.",
            ),
            Slip(
                "of-the-mean",
                "(np.abs(calculated) + np.abs(measured))",
                "((np.abs(calculated) + np.abs(measured)) / 2)",
                credit=0.5,
                says="it is exactly twice what it should be: here the sum of the two sizes is the measure.",
            ),
            Slip(
                "signed",
                "np.abs(calculated - measured)",
                "(calculated - measured)",
                credit=0.5,
                says="it can be negative: an error below zero would look smaller than it is.",
            ),
            Slip(
                "h-ignored",
                "up = np",
                "h = 1e-6\n    up = np",
                credit=0.5,
                says="it comes out the same at every h: is the argument used?",
            ),
            Slip(
                "both-moved",
                "",
                """
                def error(u, v):
                    return count_loss(states(X, u, v)[:, -1], y)

                S = states(X, w_x, w_rec)
                calculated = np.array(rnn_gradients(X, S, output_gradient(S[:, -1], y), w_rec))
                measured = (error(w_x + h, w_rec + h) - error(w_x - h, w_rec - h)) / (2 * h)
                return np.abs(calculated - measured) / (np.abs(calculated) + np.abs(measured))
                """,
                credit=0.25,
                says="both weights were moved at once. One is moved while the other stands.",
            ),
            Slip(
                "swapped",
                "[error(w_x + h, w_rec), error(w_x, w_rec + h)])\n"
                "    down = np.array([error(w_x - h, w_rec), error(w_x, w_rec - h)])",
                "[error(w_x, w_rec + h), error(w_x + h, w_rec)])\n"
                "    down = np.array([error(w_x, w_rec - h), error(w_x - h, w_rec)])",
                credit=0.5,
                says="the gradient of each weight is compared with the measurement of the other one.",
            ),
            Slip(
                "one-number",
                "return np.abs(calculated - measured) / (np.abs(calculated) + np.abs(measured))",
                "return np.linalg.norm(calculated - measured) / np.linalg.norm(np.abs(calculated) + np.abs(measured))",
                credit=0.5,
                says="there is one number for both; two are asked for, so that one can see which gradient is wrong.",
            ),
        ],
        same=[
            Same(
                "weight by weight",
                "",
                """
                S = states(X, w_x, w_rec)
                slopes = rnn_gradients(X, S, output_gradient(S[:, -1], y), w_rec)
                errors = []
                for i, slope in enumerate(slopes):
                    ends = []
                    for side in (h, -h):
                        moved = [w_x, w_rec]
                        moved[i] += side
                        ends.append(count_loss(states(X, *moved)[:, -1], y))
                    quotient = (ends[0] - ends[1]) / (2 * h)
                    errors.append(abs(slope - quotient) / (abs(slope) + abs(quotient)))
                return errors
                """,
            ),
            Same(
                "a tuple",
                "return np.abs(calculated - measured) / (np.abs(calculated) + np.abs(measured))",
                "return tuple(np.abs(measured - calculated) / (np.abs(measured) + np.abs(calculated)))",
            ),
            Same("half steps", "measured = (up - down) / (2 * h)", "measured = up / (2 * h) - down / (2 * h)"),
            Same(
                "own error",
                "return count_loss(states(X, u, v)[:, -1], y)",
                "return np.mean(np.square(y - states(X, u, v)[:, -1]))",
            ),
        ],
        hints=[
            "Four values of E are needed: two for each weight.",
            "E is count_loss of the last column of states(X, w_x, w_rec). Move one weight, keep the other.",
            "m = (E up - E down) / (2h), then |a - m| / (|a| + |m|) for each of the two.",
        ],
    ),
    function(
        "counting-step",
        "sgd_step",
        points=1,
        float32=False,  # an updated weight in float32 loses its small steps
        parts=["w_x", "w_rec"],
        worked=[Worked("weights .5 and 1.5, gradients 2 and -4, alpha .1", lambda given: (0.5, 1.5, 2.0, -4.0, 0.1))],
        cases=[Case("any numbers", _descent, times=3)],
        slips=[
            Slip(
                "ascent",
                "w_x - alpha * dw_x, w_rec - alpha * dw_rec",
                "w_x + alpha * dw_x, w_rec + alpha * dw_rec",
                credit=0.5,
                says="the weights move uphill, along the gradient: the error grows.",
            ),
            Slip(
                "no-alpha",
                "w_x - alpha * dw_x, w_rec - alpha * dw_rec",
                "w_x - dw_x, w_rec - dw_rec",
                credit=0.5,
                says="each weight moves by its whole gradient. Which factor makes the step small?",
            ),
            Slip(
                "gradients-swapped",
                "w_x - alpha * dw_x, w_rec - alpha * dw_rec",
                "w_x - alpha * dw_rec, w_rec - alpha * dw_x",
                credit=0.5,
                says="each weight got the other one's gradient.",
            ),
            Slip(
                "results-swapped",
                "w_x - alpha * dw_x, w_rec - alpha * dw_rec",
                "w_rec - alpha * dw_rec, w_x - alpha * dw_x",
                credit=0.5,
                says="the two new weights are in the other order: w_x comes first.",
            ),
            Slip(
                "change-alone",
                "w_x - alpha * dw_x, w_rec - alpha * dw_rec",
                "-alpha * dw_x, -alpha * dw_rec",
                credit=0.5,
                says="that is the change of the weights, not the new weights.",
            ),
            Slip(
                "no-change",
                "w_x - alpha * dw_x, w_rec - alpha * dw_rec",
                "w_x, w_rec",
                credit=0,
                says="no weight has moved.",
            ),
            Slip(
                "scaled-weight",
                "w_x - alpha * dw_x, w_rec - alpha * dw_rec",
                "w_x * (1 - alpha * dw_x), w_rec * (1 - alpha * dw_rec)",
                credit=0.25,
                says="the step was multiplied with the weight itself; it depends on the gradient alone.",
            ),
        ],
        same=[
            Same(
                "array",
                "w_x - alpha * dw_x, w_rec - alpha * dw_rec",
                "np.array([w_x, w_rec]) - alpha * np.array([dw_x, dw_rec])",
            ),
            Same(
                "plus the negative",
                "w_x - alpha * dw_x, w_rec - alpha * dw_rec",
                "w_x + dw_x * -alpha, w_rec + dw_rec * -alpha",
            ),
            Same(
                "list",
                "w_x - alpha * dw_x, w_rec - alpha * dw_rec",
                "[w - alpha * d for w, d in ((w_x, dw_x), (w_rec, dw_rec))]",
            ),
        ],
        hints=[
            "Each weight by itself: a share alpha of its gradient, against it.",
            "w - alpha * dw for both",
        ],
    ),
    value(
        "counting-trained",
        "w_trained",
        "w_path",
        points=2,
        accept=accept_training,
        builds_on=["states", "output-gradient", "rnn-gradients", "counting-step"],
        slips=[
            Slip(
                "diverged",
                "",
                TRAIN.format(change=PLAIN, path="train(w_x, w_rec, 40, 1.0)"),
                credit=0,
                says=SAYS_DIVERGED,
            ),
            Slip("too-early", "w_rec, 8000)", "w_rec, 800)", credit=0.25, says=SAYS_EARLY),
            Slip(
                "other-start",
                "trained_by_clipping(w_x, w_rec, 8000)",
                "trained_by_clipping(0.8, 1.1, 8000)",
                credit=0.25,
                says=SAYS_START,
            ),
            Slip(
                "made-up",
                "",
                PATH_TO.format(path="np.linspace((w_x, w_rec), (1.0, 1.0), 500)"),
                credit=0,
                says=SAYS_MADE_UP,
            ),
        ],
        same=[
            Same("by its signs", "", SIGNS),
            Same("other clip", "", TRAIN.format(change=CLIPPED, path="train(w_x, w_rec, 4000, 5.0)")),
        ],
        hints=[
            "Print the first three gradients: how long is a step of .001 times that?",
            "Divide both parts of the gradient by the same number, so that its length is at most 1.",
            "In a loop: states, output_gradient, rnn_gradients, clip, sgd_step, and append the new pair to the record.",
        ],
    ),
    function(
        "gradient-growth",
        points=1,
        steps=Steps(0),
        worked=[
            Worked("w_rec = .5, three steps", lambda given: (0.5, 3)),
            Worked("w_rec = 2, two steps", lambda given: (2.0, 2)),
            Worked("w_rec = -2, three steps", lambda given: (-2.0, 3)),
        ],
        cases=[
            Case("vanishing", _growth(0.5, 0.8, 6)),
            Case("exploding", _growth(1.2, 1.6, 8)),
            Case("a negative weight", _growth(-0.8, -0.5, 5)),
            Case("one step back", _growth(1.2, 1.6, 1)),
        ],
        slips=[
            Slip(
                "starts-at-one-step",
                "np.arange(T + 1)",
                "np.arange(1, T + 2)",
                credit=0.5,
                says="entry 0 has gone a step back already: no step back, no change.",
            ),
            Slip(
                "one-short",
                "np.arange(T + 1)",
                "np.arange(T)",
                credit=0.5,
                says="one entry is missing: k runs from 0 to T, both included.",
            ),
            Slip(
                "turned-round",
                "np.arange(T + 1)",
                "np.arange(T, -1, -1)",
                credit=0.5,
                says="the entries run the wrong way: entry 0 is no step back.",
            ),
            Slip(
                "linear",
                "w_rec ** np.arange(T + 1)",
                "1 + (w_rec - 1) * np.arange(T + 1)",
                credit=0.25,
                says="it grows by the same amount each step. The weight multiplies, it does not add.",
            ),
            Slip(
                "times-k",
                "w_rec ** np.arange(T + 1)",
                "w_rec * np.arange(T + 1)",
                credit=0.25,
                says="that is k times the weight; k steps back multiply by it k times.",
            ),
            Slip(
                "base-and-exponent",
                "w_rec ** np.arange(T + 1)",
                "np.arange(T + 1.0) ** w_rec",
                credit=0.25,
                says="base and exponent are swapped.",
            ),
            Slip(
                "no-sign",
                "w_rec ** np.arange(T + 1)",
                "np.abs(w_rec) ** np.arange(T + 1)",
                credit=0.5,
                says="with a negative weight the factor changes its sign at every step.",
            ),
        ],
        same=[
            Same(
                "loop",
                "",
                """
                factors = [1.0]
                for _ in range(T):
                    factors.append(factors[-1] * w_rec)
                return factors
                """,
            ),
            Same("cumulative product", "", "return np.cumprod(np.concatenate([[1.0], np.full(T, w_rec)]))"),
            Same("repeated terms", "", "return gradient_over_time(np.ones(1), T, w_rec)[0, ::-1]"),
            Same("list", "w_rec ** np.arange(T + 1)", "[float(w_rec) ** k for k in range(T + 1)]"),
        ],
        hints=[
            "How much is left after no step at all?",
            "Each entry is the one before it, times w_rec.",
            "w_rec to the power k, for k = 0 to T",
        ],
    ),
    choice(
        "vanish-or-explode",
        "regimes",
        points=1,
        slips=[
            Slip(
                "turned-round",
                '{0.5: "vanishes", 1: "steady", 1.5: "explodes"}',
                '{0.5: "explodes", 1: "steady", 1.5: "vanishes"}',
                credit=0.25,
                says="two of them are turned round: is .5 times .5 times .5 large or small?",
            ),
            Slip(
                "all-explode",
                '1: "steady"',
                '1: "explodes"',
                credit=0.5,
                says="what is 1 times 1 times 1, however often?",
            ),
            Slip(
                "one-vanishes",
                '1: "steady"',
                '1: "vanishes"',
                credit=0.5,
                says="one of them is not right: what is 1 times 1 times 1, however often?",
            ),
            Slip(
                "half-is-steady",
                '0.5: "vanishes"',
                '0.5: "steady"',
                credit=0.5,
                says="half of a half of a half: does it stay what it was?",
            ),
            Slip(
                "more-is-steady",
                '1.5: "explodes"',
                '1.5: "steady"',
                credit=0.5,
                says="1.5 may look close to 1, but the picture goes up by the same factor at every step.",
            ),
        ],
        same=[
            Same("floats", '1: "steady"', '1.0: "steady"'),
            Same(
                "keys as text",
                '{0.5: "vanishes", 1: "steady", 1.5: "explodes"}',
                '{"0.5": "vanishes", "1": "steady", "1.5": "explodes"}',
            ),
        ],
        hints=[
            "Keys are the numbers 0.5, 1 and 1.5; each value is one of the texts 'vanishes', 'steady', 'explodes'.",
            "Look at the right end of the three lines above.",
            "Multiply 1 by the key ten times: the result is near 0, still 1, or far above 1.",
        ],
    ),
    function(
        "rprop-step",
        points=2,
        float32=False,  # it returns updated weights
        parts=["w", "sign", "delta"],
        worked=[
            Worked(
                "gradients 3, -.2, 0, 3 and 0",
                lambda given: (
                    np.array([3.0, -0.2, 0.0, 3.0, 0.0]),
                    np.array([1.0, 1.0, 1.0, 0.0, 0.0]),
                    np.full(5, 0.1),
                    np.array([0.5, 1.5, 1.0, 2.0, 3.0]),
                ),
            )
        ],
        cases=[
            Case("five weights", _rprop(5)),
            Case("two weights", _rprop(2)),
            Case("the first step", _rprop(3, first=True)),
            Case("signs of 0", _resting),
            Case("other factors", _rprop(4, (1.3, 1.7), (0.2, 0.4))),
        ],
        slips=[
            Slip(
                "factors-swapped",
                "eta_plus, eta_minus)",
                "eta_minus, eta_plus)",
                credit=0.5,
                says="the step sizes shrink where they should grow, and the other way round.",
            ),
            Slip(
                "old-delta",
                "",
                """
                sign = np.sign(grad)
                new_delta = delta * np.where(sign * prev_sign > 0, eta_plus, eta_minus)
                return w - sign * delta, sign, new_delta
                """,
                credit=0.5,
                says="sign and delta are right; the weights moved by the step sizes of before.",
            ),
            Slip(
                "uphill",
                "w - sign * delta",
                "w + sign * delta",
                credit=0.5,
                says="sign and delta are right; the weights move uphill.",
            ),
            Slip(
                "size-of-gradient",
                "w - sign * delta",
                "w - grad * delta",
                credit=0.5,
                says="the weights move by more where the gradient is large. Only its sign should count.",
            ),
            Slip(
                "all-together",
                "sign * prev_sign > 0",
                "np.all(sign * prev_sign > 0)",
                credit=0.5,
                says="all step sizes changed alike; each weight decides by its own signs.",
            ),
            Slip(
                "factors-fixed",
                "eta_plus, eta_minus)",
                "1.2, 0.5)",
                credit=0.5,
                says="it is right with the usual factors only: are the last two arguments used?",
            ),
            Slip(
                "old-sign-returned",
                "sign * delta, sign, delta",
                "sign * delta, prev_sign, delta",
                credit=0.5,
                says="w and delta are right; the sign that goes out is the one that came in.",
            ),
            Slip(
                "zero-keeps",
                "np.where(sign * prev_sign > 0, eta_plus, eta_minus)",
                "np.where(sign * prev_sign > 0, eta_plus, np.where(sign * prev_sign < 0, eta_minus, 1.0))",
                credit=0.5,
                says="where one of the two signs is 0, delta stayed; it shrinks unless both are 1 or both -1.",
            ),
            Slip(
                "zero-grows",
                "sign * prev_sign > 0",
                "sign * prev_sign >= 0",
                credit=0.5,
                says="where one of the two signs is 0, delta grew; it shrinks unless both are 1 or both -1.",
            ),
            Slip(
                "zeros-alike",
                "sign * prev_sign > 0",
                "sign == prev_sign",
                credit=0.75,
                says="where both signs are 0, delta grew: they are alike, but 0 is no direction.",
            ),
            Slip(
                "no-sign-of-zero",
                "np.sign(grad)",
                "np.where(grad > 0, 1.0, -1.0)",
                credit=0.5,
                says="a gradient of 0 got the sign -1 and its weight moved; its sign is 0 and it stays.",
            ),
            Slip(
                "order-of-results",
                "w - sign * delta, sign, delta",
                "w - sign * delta, delta, sign",
                credit=0.5,
                says="the results are in another order: w, then sign, then delta.",
            ),
        ],
        same=[
            Same(
                "weight by weight",
                "",
                """
                new_w, new_sign, new_delta = [], [], []
                for g, before, d, weight in zip(grad, prev_sign, delta, w):
                    now = 1.0 if g > 0 else -1.0 if g < 0 else 0.0
                    d = d * (eta_plus if now * before > 0 else eta_minus)
                    new_w.append(weight - now * d)
                    new_sign.append(now)
                    new_delta.append(d)
                return np.array(new_w), np.array(new_sign), np.array(new_delta)
                """,
            ),
            Same(
                "mask",
                "",
                """
                sign = np.sign(grad)
                grown = np.array(delta, dtype=float)
                same = sign * prev_sign > 0
                grown[same] *= eta_plus
                grown[~same] *= eta_minus
                return w - grown * sign, sign, grown
                """,
            ),
            Same(
                "arithmetic",
                "np.where(sign * prev_sign > 0, eta_plus, eta_minus)",
                "(eta_minus + (eta_plus - eta_minus) * (sign * prev_sign > 0))",
            ),
            Same(
                "lists",
                "return w - sign * delta, sign, delta",
                "return list(w - sign * delta), sign.tolist(), delta.tolist()",
            ),
        ],
        hints=[
            "Signs first, then delta, then w.",
            "np.where chooses the factor for each weight by itself.",
            "delta = delta * (eta_plus where sign * prev_sign is above 0, else eta_minus); w = w - sign * delta",
        ],
    ),
)
