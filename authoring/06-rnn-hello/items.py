"""Unit 06, a recurrent net on "hello": what is graded, on which cases, and the mistakes that it knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from chainrule.items import Case, Finding, Same, Slip, Steps, Trial, Worked, choice, function, value

Rng = np.random.Generator
Array = np.ndarray[Any, np.dtype[np.float64]]
Params = dict[str, Array]
Args = tuple[Any, ...]

KEYS = ("W_xh", "W_hh", "W_yh", "b_h", "b_y")
SPELLED = [1, 2, 2, 3]  # "ello" by the indices of h, e, l, o

# Four logarithms of probabilities, each worked through states and scores cut to four decimals: measured 7.9e-4.
ATOL_LOSS = 1e-3
# Exponentials of scores cut to four decimals: measured 1.0e-4, on the border of what is always allowed.
ATOL_P1 = 2e-4


def _away(rng: Rng, shape: int | tuple[int, ...], low: float = 0.3, high: float = 1.2) -> Array:
    """Numbers of both signs, none near 0."""
    return rng.choice([-1.0, 1.0], size=shape) * rng.uniform(low, high, size=shape)


def _params(rng: Rng, V: int, H: int, loud: float = 1.0) -> Params:
    """A net with nonzero biases whose states stay off the flat ends of tanh (for `loud` about 1)."""
    return {
        "W_xh": loud * 0.6 * _away(rng, (H, V)),
        "W_hh": loud * _away(rng, (H, H)) / np.sqrt(H),
        "W_yh": loud * 1.2 * _away(rng, (V, H)),
        "b_h": _away(rng, H, 0.2, 0.6),
        "b_y": _away(rng, V, 0.2, 0.8),
    }


def _states(rng: Rng, T: int, H: int) -> Array:
    return _away(rng, (T + 1, H), 0.3, 0.9)


def _targets(rng: Rng, T: int, V: int) -> Array:
    """Labels that are not all the same where there are several."""
    targets = rng.integers(V, size=T)
    if T > 1 and np.all(targets == targets[0]):
        targets[0] = (targets[0] + 1) % V
    return targets


def _deltas(rng: Rng, T: int, V: int) -> Array:
    """Rows like probabilities minus one-hot targets."""
    return _probabilities(rng, T, V) - np.eye(V)[_targets(rng, T, V)]


def _probabilities(rng: Rng, T: int, V: int) -> Array:
    power = np.exp(_away(rng, (T, V)))
    return np.asarray(power / power.sum(axis=1, keepdims=True))


def _step_of(rng: Rng, V: int, H: int) -> Args:
    """x, h_prev and the three parameters of a step."""
    params = _params(rng, V, H)
    return _away(rng, V), _away(rng, H, 0.3, 0.9), params["W_xh"], params["W_hh"], params["b_h"]


def _sequence(T: int, V: int, H: int) -> Callable[[Rng], Args]:
    """inputs, h0, params."""
    return lambda rng: (_away(rng, (T, V)), _away(rng, H, 0.3, 0.9), _params(rng, V, H))


def _letters(T: int, V: int, H: int) -> Callable[[Rng], Args]:
    """The same with one-hot inputs."""
    return lambda rng: (np.eye(V)[_targets(rng, T, V)], _away(rng, H, 0.3, 0.9), _params(rng, V, H))


def _task(T: int, V: int, H: int, loud: float = 1.0) -> Callable[[Rng], Args]:
    """inputs, targets, h0, params."""
    return lambda rng: (
        _away(rng, (T, V)),
        _targets(rng, T, V),
        _away(rng, H, 0.3, 0.9),
        _params(rng, V, H, loud),
    )


def _one_sided_task(T: int, V: int, H: int) -> Callable[[Rng], Args]:
    """A long run of one target that the net thinks unlikely: some sums over time pass 5, each share stays below 1."""

    def draw(rng: Rng) -> Args:
        inputs, targets, h0, params = _task(T, V, H)(rng)
        targets[:] = rng.integers(V)
        targets[-1] = (targets[0] + 1) % V
        params["b_y"][targets[0]] = -2.5
        return inputs, targets, h0, params

    return draw


def _back(T: int, V: int, H: int) -> Callable[[Rng], Args]:
    """hs, d_y, params."""
    return lambda rng: (_states(rng, T, H), _deltas(rng, T, V), _params(rng, V, H))


def _flow(T: int, H: int) -> Callable[[Rng], Args]:
    """hs, d_last, W_hh; the matrix large enough that the gradient does not fade at once."""
    return lambda rng: (_away(rng, (T + 1, H), 0.2, 0.7), _away(rng, H), 2 * _away(rng, (H, H)) / np.sqrt(H))


def _grads(rng: Rng, V: int, H: int) -> Params:
    """Gradients of a net, some entries well beyond 1 and some well within, on both sides."""
    grads = {name: 1.5 * _away(rng, param.shape, 0.1, 2.0) for name, param in _params(rng, V, H).items()}
    grads["W_xh"].flat[:4] = [-4.0, 3.5, 0.2, -0.3]
    return grads


def _limits(rng: Rng) -> float:
    return float(rng.choice([rng.uniform(0.5, 0.8), rng.uniform(1.4, 2.0)]))


def _adagrad(*shape: int) -> Callable[[Rng], Args]:
    """param, grad, memory, alpha with a memory that is neither small nor large beside grad squared."""
    return lambda rng: (
        _away(rng, shape),
        _away(rng, shape),
        rng.uniform(0.3, 2.0, size=shape),
        float(rng.uniform(0.2, 0.6)),
    )


def _empty_memory(rng: Rng) -> Args:
    """A first step, in which one weight has no gradient at all."""
    param, _, _, alpha = _adagrad(3, 4)(rng)
    grad = _away(rng, (3, 4), 0.6, 1.5)  # large enough that eps in or beside the root makes no difference
    grad.flat[int(rng.integers(grad.size))] = 0.0
    return param, grad, np.zeros_like(grad), alpha


def _walk(h: Array, ix: int, steps: int, params: Mapping[str, Array]) -> tuple[list[int], float]:
    """What a net writes, and the narrowest lead that a letter had over the next best."""
    found, lead = [], np.inf
    for _ in range(steps):
        h = np.tanh(params["W_xh"][:, ix] + params["W_hh"] @ h + params["b_h"])
        scores = params["W_yh"] @ h + params["b_y"]
        second, best = np.sort(scores)[-2:]
        ix, lead = int(np.argmax(scores)), min(lead, float(best - second))
        found.append(ix)
    return found, lead


def _writing(steps: int, V: int, H: int) -> Callable[[Rng], Args]:
    """h, first_ix, steps, params of a net that writes at least three different letters, each by a clear lead."""

    def draw(rng: Rng) -> Args:
        while True:
            params = _params(rng, V, H, loud=1.8)
            h, first = _away(rng, H, 0.3, 0.9), int(rng.integers(1, V))
            found, lead = _walk(h, first, steps, params)
            if lead > 0.05 and len(set(found)) >= min(3, steps):
                return h, first, steps, params

    return draw


# --------------------------------------------------------------------------- judging the trained net


def accept_learned(trial: Trial) -> Finding | None:
    """The net spells "ello" after "h", from a state of zeros, by the judge's own run of it."""
    params = _as_net(trial.got)
    if not all(np.all(np.isfinite(param)) for param in params.values()):
        return Finding("not-finite", "some of its numbers are not finite (nan or inf): were the steps too large?")
    found, _ = _walk(np.zeros(len(params["b_h"])), 0, len(SPELLED), params)
    if found == SPELLED:
        return None
    spelled = "".join("helo"[ix] for ix in found)
    seen = f'after "h" it spells "{spelled}"'
    begin = _as_net(trial.given["start"])
    if all(params[name].shape == begin[name].shape and np.allclose(params[name], begin[name]) for name in KEYS):
        return Finding("untrained", f"{seen}: these are the weights of `start`, nothing has been learnt yet.")
    if not np.any(params["W_hh"]):
        says = "its W_hh is zero, so it has no memory: the two steps after an l cannot differ."
        return Finding("no-memory", f"{seen}; {says}", credit=0.25)
    if found[0] == 0:
        says = "right after an h it says h again: are the targets the inputs themselves?"
        return Finding("echo", f"{seen}: {says}", credit=0.25)
    return Finding("other-word", f'{seen}; "ello" is wanted.')


def _as_net(got: Any) -> Params:
    """The five arrays of a net on four letters; raises where it is none."""
    if not isinstance(got, Mapping):
        raise TypeError("`learned` is not a dict")
    params = {name: np.asarray(got[name], dtype=float) for name in KEYS}
    H = params["b_h"].size
    shapes = {"W_xh": (H, 4), "W_hh": (H, H), "W_yh": (4, H), "b_h": (H,), "b_y": (4,)}
    for name, shape in shapes.items():
        if sorted(k for k in params[name].shape if k != 1) != sorted(k for k in shape if k != 1) or H == 0:
            raise ValueError(f"{name} has shape {params[name].shape}, which does not fit {H} hidden units")
        if params[name].ndim == 2 and len(shape) == 2 and params[name].shape != shape:
            raise ValueError(f"{name} has shape {params[name].shape}; {shape} is wanted")
    return {name: params[name].reshape(shape) for name, shape in shapes.items()}


# --------------------------------------------------------------------------- worked examples of their own

SMALL: Params = {  # three letters, two hidden units
    "W_xh": np.array([[0.5, -1.0, 0.8], [0.3, 0.9, -0.6]]),
    "W_hh": np.array([[0.2, -0.7], [1.0, 0.4]]),
    "W_yh": np.array([[1.0, -0.5], [-0.8, 0.6], [0.4, 1.1]]),
    "b_h": np.array([0.1, -0.2]),
    "b_y": np.array([0.3, 0.0, -0.1]),
}
SMALL_INPUTS = np.eye(3)[[2, 0, 1, 0]]
SMALL_TARGETS = np.array([0, 1, 0, 2])
SMALL_START = np.array([0.5, -0.3])
SMALL_STATES = np.array([[0.5, -0.3], [0.6, 0.8], [-0.4, 0.2], [0.9, -0.5]])
SMALL_PS = np.array([[0.2, 0.5, 0.3], [0.6, 0.3, 0.1], [0.1, 0.1, 0.8]])
SMALL_DELTAS = np.array([[0.2, -0.5, 0.3], [-0.4, 0.3, 0.1], [0.1, 0.1, -0.2]])
SMALL_RAW = np.array([[0.3, -0.1], [-0.2, 0.4], [0.1, 0.5]])
WRITER: Params = {  # after letter 1, from SMALL_START, it writes 0, 2, 1, 2, 1, 2, and each slip something else
    "W_xh": np.array([[0.8, 0.0, -1.4], [-1.6, 0.6, 1.8]]),
    "W_hh": np.array([[0.5, -1.9], [1.1, -1.0]]),
    "W_yh": np.array([[1.0, 0.7], [-0.9, 1.3], [-0.9, -0.5]]),
    "b_h": np.array([-0.8, 0.7]),
    "b_y": np.array([0.45, -0.45, -0.3]),
}

ITEMS = (
    value(
        "vocabulary",
        "char_to_ix",
        points=1,
        slips=[
            Slip(
                "alphabetical",
                "dict.fromkeys(text)",
                "sorted(set(text))",
                credit=0.5,
                says="The letters stand in alphabetical order; here they are numbered as they are first met.",
            ),
            Slip(
                "from-1",
                "enumerate(dict.fromkeys(text))",
                "enumerate(dict.fromkeys(text), start=1)",
                credit=0.5,
                says="The indices begin at 1. numpy counts from 0.",
            ),
            Slip(
                "last-place",
                "enumerate(dict.fromkeys(text))",
                "enumerate(text)",
                credit=0.5,
                says="An index was skipped: l is met twice and its second place was counted as well.",
            ),
            Slip(
                "turned-round",
                "letter: ix for",
                "ix: letter for",
                credit=0.5,
                says="It leads from index to letter; from letter to index is asked for.",
            ),
            Slip(
                "backwards",
                "dict.fromkeys(text)",
                "dict.fromkeys(reversed(text))",
                credit=0.25,
                says="The word was read from its end.",
            ),
        ],
        same=[
            Same("typed", "{letter: ix for ix, letter in enumerate(dict.fromkeys(text))}", "dict(h=0, e=1, l=2, o=3)"),
            Same("floats", "letter: ix for", "letter: float(ix) for"),
        ],
        hints=[
            "Four letters, so the indices are 0 to 3.",
            "Go through the word; a letter met before gets nothing new.",
        ],
    ),
    function(
        "one-hot",
        points=1,
        worked=[Worked("index 2 of 5", lambda given: (2, 5)), Worked("index 0 of 3", lambda given: (0, 3))],
        cases=[
            Case("an index in the middle", lambda rng: (int(rng.integers(1, 5)), 6)),
            Case("the first", lambda rng: (0, int(rng.integers(2, 6)))),
            Case("the last", lambda rng: (6, 7)),
        ],
        slips=[
            Slip(
                "index-as-value",
                "= 1.0",
                "= ix",
                credit=0.25,
                says="The index itself was written into the slot. Every letter should be a 1.",
            ),
            Slip(
                "from-1",
                "vector[ix]",
                "vector[ix - 1]",
                credit=0.5,
                says="The 1 stands one place too far left (for index 0 it comes round to the end): count from 0.",
            ),
            Slip(
                "inverted",
                "vector = np.zeros(size)\n    vector[ix] = 1.0",
                "vector = np.ones(size)\n    vector[ix] = 0.0",
                credit=0.5,
                says="Zeros and ones are exchanged.",
            ),
            Slip(
                "up-to",
                "vector[ix]",
                "vector[: ix + 1]",
                credit=0.25,
                says="All slots up to the index are 1, like a thermometer. One slot alone should be.",
            ),
            Slip(
                "too-long",
                "np.zeros(size)",
                "np.zeros(size + 1)",
                credit=0.5,
                says="There is a slot too many.",
            ),
        ],
        same=[
            Same("identity", "", "    return np.eye(size)[ix]\n"),
            Same("a list", "", "    return [1 if k == ix else 0 for k in range(size)]\n"),
            Same("compared", "", "    return np.arange(size) == ix\n"),
            Same("a column", "return vector", "return vector[:, np.newaxis]"),
        ],
        hints=["Begin with zeros.", "The identity matrix has all of them as its rows."],
    ),
    value(
        "training-pairs",
        "pairs",
        points=1,
        slips=[
            Slip(
                "itself",
                "text[k + 1])",
                "text[k])",
                credit=0.25,
                says="Each letter is its own target. What should the net guess when it has seen it?",
            ),
            Slip(
                "turned-round",
                "(text[k], text[k + 1])",
                "(text[k + 1], text[k])",
                credit=0.5,
                says="Input and target are exchanged: the net would guess the letter before.",
            ),
            Slip(
                "wrapped",
                "text[k + 1]) for k in range(len(text) - 1)",
                "text[(k + 1) % 5]) for k in range(5)",
                credit=0.5,
                says="There is a pair too many: nothing follows the last letter.",
            ),
            Slip(
                "whole-beginnings",
                "[(text[k], text[k + 1]) for k in range(len(text) - 1)]",
                "[(text[:k], text[k]) for k in range(1, 5)]",
                credit=0.5,
                says="The inputs are whole beginnings of the word. Here the input is one letter.",
            ),
            Slip(
                "each-once",
                "[(text[k], text[k + 1]) for k in range(len(text) - 1)]",
                "[(a, b) for k, (a, b) in enumerate(zip(text, text[1:])) if a not in text[:k]]",
                credit=0.5,
                says="Each input stands once only. A letter that comes twice is an input twice.",
            ),
        ],
        same=[
            Same(
                "strings",
                "[(text[k], text[k + 1]) for k in range(len(text) - 1)]",
                "[text[k : k + 2] for k in range(4)]",
            ),
            Same(
                "lists",
                "[(text[k], text[k + 1]) for k in range(len(text) - 1)]",
                "[[a, b] for a, b in zip(text, text[1:])]",
            ),
            Same("zipped", "[(text[k], text[k + 1]) for k in range(len(text) - 1)]", "tuple(zip(text, text[1:]))"),
        ],
        hints=["Two letters that stand side by side make a pair.", "Five letters, four pairs."],
    ),
    choice(
        "ambiguous-input",
        points=1,
        builds_on=["training-pairs"],
        slips=[
            Slip("h", "", 'ambiguous_input = "h"', credit=0, says="h is an input once; its target is always e."),
            Slip("e", "", 'ambiguous_input = "e"', credit=0, says="e is an input once; its target is always l."),
            Slip("o", "", 'ambiguous_input = "o"', credit=0, says="o ends the word: it is a target and no input."),
            Slip(
                "its-index",
                "",
                "ambiguous_input = 2",
                credit=0.5,
                says="That is the index of the right letter. The letter itself is asked for, as a text.",
            ),
        ],
        same=[Same("capital", "", 'ambiguous_input = "L"'), Same("typed", "", 'ambiguous_input = " l"')],
        hints=["Look for two pairs with the same first letter."],
    ),
    choice(
        "architectures",
        points=1,
        slips=[
            Slip(
                "one-and-many-swapped",
                "",
                """
architectures = {
    "image classification": "one-to-one",
    "image captioning": "many-to-one",
    "sentiment of a sentence": "one-to-many",
    "translation": "many-to-many",
}
""",
                credit=0.5,
                says="One of the two is turned round, and so is the other: what goes in is named first.",
            ),
            Slip(
                "sentence-as-one",
                "",
                """
architectures = {
    "image classification": "one-to-one",
    "image captioning": "one-to-many",
    "sentiment of a sentence": "one-to-one",
    "translation": "many-to-many",
}
""",
                credit=0.75,
                says="A sentence is many words, one a step. How many things come out when its mood is asked for?",
            ),
            Slip(
                "caption-from-many",
                "",
                """
architectures = {
    "image classification": "one-to-one",
    "image captioning": "many-to-many",
    "sentiment of a sentence": "many-to-one",
    "translation": "many-to-many",
}
""",
                credit=0.75,
                says="The caption is many words, but the picture goes in once, at the first step.",
            ),
            Slip(
                "pixels-as-many",
                "",
                """
architectures = {
    "image classification": "many-to-one",
    "image captioning": "one-to-many",
    "sentiment of a sentence": "many-to-one",
    "translation": "many-to-many",
}
""",
                credit=0.75,
                says="A picture counts as one thing here: it goes in as a whole, at one step.",
            ),
            Slip(
                "translation-from-one",
                "",
                """
architectures = {
    "image classification": "one-to-one",
    "image captioning": "one-to-many",
    "sentiment of a sentence": "many-to-one",
    "translation": "one-to-many",
}
""",
                credit=0.75,
                says="A text is translated word by word: the input is a sequence as well.",
            ),
        ],
        same=[
            Same(
                "in the order of tasks",
                "",
                'architectures = dict(zip(tasks, ["One-to-One", "one-to-many", "many-to-one", "MANY-TO-MANY"]))',
            ),
            Same(
                "without hyphens",
                "",
                'architectures = dict(zip(tasks, ["one to one", "one to many", "many to one", "many to many"]))',
            ),
        ],
        hints=["First what goes in, then what comes out.", "A picture is one, a sentence is many, a class is one."],
    ),
    value(
        "h1-zero-start",
        "h1",
        points=1,
        slips=[
            Slip(
                "no-tanh",
                "np.tanh(W_xh @ x_h)",
                "W_xh @ x_h",
                credit=0.25,
                says="That is what stands inside the tanh.",
            ),
            Slip(
                "sigmoid",
                "np.tanh(W_xh @ x_h)",
                "1 / (1 + np.exp(-(W_xh @ x_h)))",
                credit=0.5,
                says="The right sums went through a sigmoid. Here the state is squashed by tanh.",
            ),
            Slip(
                "given-start",
                "W_xh @ x_h",
                "W_xh @ x_h + W_hh @ h0",
                credit=0.5,
                says="That is the state that comes after h0. Here the state before is zero.",
            ),
            Slip(
                "next-letter",
                "W_xh @ x_h",
                "W_xh[:, 1]",
                credit=0.5,
                says="That is the column of the second letter.",
            ),
            Slip(
                "row-for-column",
                "W_xh @ x_h",
                "W_xh[0, :3]",
                credit=0.25,
                says="The numbers come from a row of W_xh. Which entries does a 1 in the first place pick?",
            ),
        ],
        same=[
            Same("typed", "np.tanh(W_xh @ x_h)", "[0.5370, 0.1974, 0.7163]"),
            Same("cut", "np.tanh(W_xh @ x_h)", "(0.5370, 0.1973, 0.7162)"),
            Same("column", "W_xh @ x_h", "W_xh[:, [0]]"),
        ],
        hints=["A zero state adds nothing: only W_xh and the letter matter.", "A one-hot vector picks a column."],
    ),
    value(
        "h1-given-start",
        "h1_from_h0",
        points=1,
        slips=[
            Slip(
                "state-left-out",
                " + W_hh @ h0",
                "",
                credit=0.25,
                says="That is the state after a zero start: h0 has not come in.",
            ),
            Slip(
                "no-tanh",
                "np.tanh(W_xh @ x_h + W_hh @ h0)",
                "W_xh @ x_h + W_hh @ h0",
                credit=0.25,
                says="That is what stands inside the tanh.",
            ),
            Slip(
                "sigmoid",
                "np.tanh(W_xh @ x_h + W_hh @ h0)",
                "1 / (1 + np.exp(-(W_xh @ x_h + W_hh @ h0)))",
                credit=0.5,
                says="The right sums went through a sigmoid. Here the state is squashed by tanh.",
            ),
            Slip(
                "state-unweighted",
                "W_hh @ h0",
                "h0",
                credit=0.25,
                says="h0 was added as it is. Which matrix leads from one state to the next?",
            ),
            Slip(
                "columns-for-rows",
                "W_hh @ h0",
                "h0 @ W_hh",
                credit=0.5,
                says="W_hh was read the other way round: its row says where a weight leads to.",
            ),
            Slip(
                "squashed-twice",
                "np.tanh(W_xh @ x_h + W_hh @ h0)",
                "np.tanh(W_xh @ x_h) + np.tanh(W_hh @ h0)",
                credit=0.5,
                says="Each part was squashed by itself. The parts are added first.",
            ),
            Slip(
                "entry-by-entry",
                "W_hh @ h0",
                "np.diag(W_hh) * h0",
                credit=0.25,
                says="Each unit remembers only itself: the other two entries of the state are not used.",
            ),
        ],
        same=[
            Same("typed", "np.tanh(W_xh @ x_h + W_hh @ h0)", "[0.6044, 0.4462, 0.7658]"),
            Same("cut", "np.tanh(W_xh @ x_h + W_hh @ h0)", "(0.6043, 0.4462, 0.7657)"),
            Same("one product", "W_xh @ x_h + W_hh @ h0", "np.hstack([W_xh, W_hh]) @ np.concatenate([x_h, h0])"),
        ],
        hints=["Two contributions, one from the letter, one from h0.", "Inside the tanh it is (.7, .48, 1.01)."],
    ),
    value(
        "p1",
        points=1,
        atol=ATOL_P1,
        builds_on=["h1-zero-start"],
        slips=[
            Slip(
                "scores", "softmax(W_yh @ h1)", "W_yh @ h1", credit=0.25, says="Those are the scores, before softmax."
            ),
            Slip(
                "no-exponential",
                "softmax(W_yh @ h1)",
                "W_yh @ h1 / np.sum(W_yh @ h1)",
                credit=0.25,
                says="The scores were divided by their sum. What does softmax do to them before?",
            ),
            Slip(
                "not-divided",
                "softmax(W_yh @ h1)",
                "np.exp(W_yh @ h1)",
                credit=0.5,
                says="They do not sum to 1: the exponentials are there, the division is missing.",
            ),
            Slip(
                "sigmoids",
                "softmax(W_yh @ h1)",
                "1 / (1 + np.exp(-(W_yh @ h1)))",
                credit=0.25,
                says="They do not sum to 1: that is a sigmoid of each score by itself.",
            ),
            Slip(
                "given-start",
                "W_yh @ h1",
                "W_yh @ np.tanh(W_xh @ x_h + W_hh @ h0)",
                credit=0.5,
                says="That comes from the state after h0; the zero start is asked for.",
            ),
            Slip(
                "before-the-tanh",
                "W_yh @ h1",
                "W_yh @ np.arctanh(h1)",
                credit=0.5,
                says="The output was worked out from the sums inside the tanh instead of the state.",
            ),
        ],
        same=[
            Same("typed", "softmax(W_yh @ h1)", "[0.3216, 0.2149, 0.2419, 0.2215]"),
            Same("rounded", "softmax(W_yh @ h1)", "np.round(softmax(W_yh @ h1), 4)"),
            Same("written out", "softmax(W_yh @ h1)", "np.exp(W_yh @ h1) / np.sum(np.exp(W_yh @ h1))"),
        ],
        hints=["First four scores, then exponentials, then their shares.", "The scores begin with .8561."],
    ),
    function(
        "rnn-step",
        points=2,
        worked=[
            Worked(
                "the small net of the text",
                lambda given: (
                    np.array([1.0, 0.0]),
                    np.array([0.5, -1.0]),
                    np.array([[1.0, 2.0], [0.0, -1.0]]),
                    np.array([[0.5, 0.0], [1.0, 0.2]]),
                    np.array([0.1, 0.0]),
                ),
            ),
            Worked(
                "three letters, two units",
                lambda given: (SMALL_INPUTS[0], SMALL_START, SMALL["W_xh"], SMALL["W_hh"], SMALL["b_h"]),
            ),
        ],
        cases=[
            Case("any input", lambda rng: _step_of(rng, 5, 3)),
            Case("more units than inputs", lambda rng: _step_of(rng, 2, 4)),
            Case("a letter", lambda rng: (np.eye(6)[int(rng.integers(6))], *_step_of(rng, 6, 4)[1:])),
            Case("one unit", lambda rng: _step_of(rng, 3, 1)),
        ],
        slips=[
            Slip(
                "no-bias",
                " + b_h",
                "",
                credit=0.5,
                says="The bias is missing.",
            ),
            Slip(
                "sigmoid",
                "np.tanh(W_xh @ x + W_hh @ h_prev + b_h)",
                "1 / (1 + np.exp(-(W_xh @ x + W_hh @ h_prev + b_h)))",
                credit=0.5,
                says="The right sums went through a sigmoid. Here the state is squashed by tanh.",
            ),
            Slip(
                "no-tanh",
                "np.tanh(W_xh @ x + W_hh @ h_prev + b_h)",
                "W_xh @ x + W_hh @ h_prev + b_h",
                credit=0.25,
                says="That is what stands inside the tanh.",
            ),
            Slip(
                "columns-for-rows",
                "W_hh @ h_prev",
                "h_prev @ W_hh",
                credit=0.5,
                says="W_hh was read the other way round: its row says where a weight leads to.",
            ),
            Slip(
                "no-memory",
                " + W_hh @ h_prev",
                "",
                credit=0.25,
                says="The state before makes no difference: this net has no memory.",
            ),
            Slip(
                "bias-outside",
                "np.tanh(W_xh @ x + W_hh @ h_prev + b_h)",
                "np.tanh(W_xh @ x + W_hh @ h_prev) + b_h",
                credit=0.5,
                says="The bias was added after the tanh, so the state can leave the range from -1 to 1.",
            ),
            Slip(
                "squashed-twice",
                "np.tanh(W_xh @ x + W_hh @ h_prev + b_h)",
                "np.tanh(W_xh @ x) + np.tanh(W_hh @ h_prev + b_h)",
                credit=0.5,
                says="Input and memory were squashed apart. They are added first.",
            ),
        ],
        same=[
            Same("rows", "W_xh @ x + W_hh @ h_prev", "x @ W_xh.T + h_prev @ W_hh.T"),
            Same(
                "einsum",
                "W_xh @ x + W_hh @ h_prev",
                "np.einsum('hv,v->h', W_xh, x) + np.einsum('hg,g->h', W_hh, h_prev)",
            ),
            Same(
                "one product",
                "W_xh @ x + W_hh @ h_prev",
                "np.hstack([W_xh, W_hh]) @ np.concatenate([x, h_prev])",
            ),
            Same(
                "loops",
                "",
                """
    h = []
    for i in range(len(b_h)):
        raw = b_h[i]
        for j in range(len(x)):
            raw = raw + W_xh[i, j] * x[j]
        for j in range(len(h_prev)):
            raw = raw + W_hh[i, j] * h_prev[j]
        h.append(np.tanh(raw))
    return np.array(h)
""",
            ),
            Same(
                "by exponentials",
                "return np.tanh(W_xh @ x + W_hh @ h_prev + b_h)",
                "u = np.exp(2 * (W_xh @ x + W_hh @ h_prev + b_h))\n    return (u - 1) / (u + 1)",
            ),
        ],
        hints=[
            "Three summands, then one function of the sum.",
            "Matrix times vector, twice: `@`.",
            "tanh(W_xh x + W_hh h_prev + b_h)",
        ],
    ),
    function(
        "rnn-forward",
        points=3,
        steps=Steps(0),
        parts=["hs", "ps"],
        builds_on=["rnn-step"],
        worked=[Worked("four letters of three", lambda given: (SMALL_INPUTS, SMALL_START, SMALL))],
        cases=[
            Case("a sequence", _sequence(5, 4, 3)),
            Case("more units", _sequence(4, 2, 5)),
            Case("letters", _letters(6, 5, 2)),
            Case("one step", _sequence(1, 3, 4)),
        ],
        slips=[
            Slip(
                "zero-start",
                "[h0], []",
                "[np.zeros_like(h0)], []",
                credit=0.5,
                says="It starts from zeros whatever h0 is.",
            ),
            Slip(
                "state-not-carried",
                "rnn_step(x, hs[-1],",
                "rnn_step(x, h0,",
                credit=0.25,
                says="Every step begins from h0 again: the state is not handed on.",
            ),
            Slip(
                "output-bias-missing",
                ' + params["b_y"]',
                "",
                credit=0.5,
                says="The states are right, the outputs lack their bias.",
            ),
            Slip(
                "output-of-the-state-before",
                '@ hs[-1] + params["b_y"]',
                '@ hs[-2] + params["b_y"]',
                credit=0.5,
                says="Each output was made from the state before the step instead of the one after it.",
            ),
            Slip(
                "scores",
                'softmax(params["W_yh"] @ hs[-1] + params["b_y"])',
                'params["W_yh"] @ hs[-1] + params["b_y"]',
                credit=0.5,
                says="The outputs are scores: their rows do not sum to 1.",
            ),
            Slip(
                "start-left-out",
                "np.array(hs)",
                "np.array(hs[1:])",
                credit=0.5,
                says="hs has a row too few: the start state counts as its first one.",
            ),
            Slip(
                "last-output-only",
                "np.array(ps)",
                "np.array(ps[-1])",
                credit=0.5,
                says="Only the last output came back. There is one at every step.",
            ),
            Slip(
                "softmax-over-time",
                'softmax(params["W_yh"] @ hs[-1] + params["b_y"]))\n    return np.array(hs), np.array(ps)',
                'params["W_yh"] @ hs[-1] + params["b_y"])\n    return np.array(hs), softmax(np.array(ps).T).T',
                credit=0.5,
                says="The columns of ps sum to 1 instead of its rows: softmax ran over time.",
            ),
            Slip(
                "softmax-over-everything",
                'softmax(params["W_yh"] @ hs[-1] + params["b_y"]))\n    return np.array(hs), np.array(ps)',
                'np.exp(params["W_yh"] @ hs[-1] + params["b_y"]))\n    return np.array(hs), np.array(ps) / np.sum(ps)',
                credit=0.5,
                says="All entries of ps together sum to 1. Each step has probabilities of its own, so each row should.",
            ),
        ],
        same=[
            Same(
                "arrays filled",
                "",
                """
    T = inputs.shape[0]
    hs, ps = np.zeros((T + 1, h0.shape[0])), np.zeros((T, params["b_y"].shape[0]))
    hs[0] = h0
    for t in range(T):
        hs[t + 1] = rnn_step(inputs[t], hs[t], params["W_xh"], params["W_hh"], params["b_h"])
        ps[t] = softmax(params["W_yh"].dot(hs[t + 1]) + params["b_y"])
    return hs, ps
""",
            ),
            Same(
                "outputs at once",
                'ps.append(softmax(params["W_yh"] @ hs[-1] + params["b_y"]))\n    return np.array(hs), np.array(ps)',
                'pass\n    return np.array(hs), softmax(np.array(hs[1:]) @ params["W_yh"].T + params["b_y"])',
            ),
            Same(
                "inputs at once",
                "",
                """
    hs = [h0]
    for driven in inputs @ params["W_xh"].T + params["b_h"]:
        hs.append(np.tanh(driven + params["W_hh"] @ hs[-1]))
    power = np.exp(np.array(hs[1:]) @ params["W_yh"].T + params["b_y"])
    return np.array(hs), power / power.sum(axis=1, keepdims=True)
""",
            ),
            Same("lists", "return np.array(hs), np.array(ps)", "return hs, ps"),
        ],
        hints=[
            "A loop over the rows of inputs; keep every state.",
            "hs begins with h0, so it ends one longer than ps.",
            "h = rnn_step(x, h, ...), then softmax(W_yh h + b_y)",
        ],
    ),
    value(
        "hello-loss",
        points=1,
        atol=ATOL_LOSS,
        builds_on=["rnn-forward"],
        slips=[
            Slip(
                "mean",
                "-np.sum(",
                "-np.mean(",
                credit=0.5,
                says="It is a quarter of what it should be: the steps are summed here.",
            ),
            Slip(
                "last-step-only",
                "hello_ps[np.arange(4), hello_targets]",
                "hello_ps[-1, 3]",
                credit=0.25,
                says="That is the loss of the last step alone.",
            ),
            Slip(
                "one-output-for-all",
                "hello_ps[np.arange(4), hello_targets]",
                "hello_ps[-1, hello_targets]",
                credit=0.5,
                says="All targets were held against the last output, as the slides' total reads. Each has its own.",
            ),
            Slip(
                "inputs-as-targets",
                "hello_targets]",
                "[0, 1, 2, 2]]",
                credit=0.5,
                says="The probabilities are those of the letters that went in. The letters after them are the targets.",
            ),
            Slip(
                "given-start",
                "np.zeros(3), start",
                "h0, start",
                credit=0.5,
                says="That is the loss from h0. The word starts from a zero state here.",
            ),
            Slip(
                "base-10",
                "np.log(",
                "np.log10(",
                credit=0.5,
                says="That is with the logarithm to base 10; the natural one is meant.",
            ),
            Slip("sign", "-np.sum(", "np.sum(", credit=0.5, says="It is negative: the logarithm of a share is."),
            Slip(
                "minus-the-shares",
                "-np.sum(np.log(hello_ps[np.arange(4), hello_targets]))",
                "np.sum(1 - hello_ps[np.arange(4), hello_targets])",
                credit=0.25,
                says="That is what the probabilities lack to 1, summed. The loss takes their logarithms.",
            ),
        ],
        same=[
            Same("typed", "-np.sum(np.log(hello_ps[np.arange(4), hello_targets]))", "5.9663"),
            Same(
                "step by step",
                "-np.sum(np.log(hello_ps[np.arange(4), hello_targets]))",
                "sum(-np.log(p[k]) for p, k in zip(hello_ps, hello_targets))",
            ),
        ],
        hints=[
            "Four probabilities, each that of the letter that comes next.",
            "The first of them is p1[1].",
            "minus the sum of their natural logarithms",
        ],
    ),
    function(
        "output-deltas",
        points=1,
        steps=Steps(0),
        worked=[Worked("three steps", lambda given: (SMALL_PS, np.array([2, 0, 1])))],
        cases=[
            Case("several steps", lambda rng: (_probabilities(rng, 5, 3), _targets(rng, 5, 3))),
            Case("more letters than steps", lambda rng: (_probabilities(rng, 3, 6), _targets(rng, 3, 6))),
            Case("one step", lambda rng: (_probabilities(rng, 1, 4), rng.integers(1, 4, size=1))),
        ],
        slips=[
            Slip(
                "labels-as-numbers",
                "d_y[np.arange(len(targets)), targets] -= 1.0",
                "d_y -= targets[:, np.newaxis]",
                credit=0.25,
                says="The indices were subtracted as if they were numbers. A target is a place in the row.",
            ),
            Slip(
                "sign",
                "return d_y",
                "return -d_y",
                credit=0.5,
                says="The signs are turned: a larger score of the target makes the loss smaller.",
            ),
            Slip(
                "mean",
                "return d_y",
                "return d_y / len(targets)",
                credit=0.5,
                says="It was divided by the number of steps, but the loss is a sum over them.",
            ),
            Slip(
                "whole-columns",
                "d_y[np.arange(len(targets)), targets] -= 1.0",
                "d_y[:, targets] -= 1.0",
                credit=0.5,
                says="The 1 was taken away at all targets in every row. Each row has one target of its own.",
            ),
            Slip(
                "slope-of-the-log",
                "d_y[np.arange(len(targets)), targets] -= 1.0",
                "d_y = -np.eye(ps.shape[1])[targets] / ps",
                credit=0.25,
                says="That is the gradient at the probabilities. Softmax has still to be gone back through.",
            ),
            Slip(
                "last-step-only",
                "d_y[np.arange(len(targets)), targets] -= 1.0",
                "d_y[:-1] = 0.0\n    d_y[-1, targets[-1]] -= 1.0",
                credit=0.25,
                says="Only the last step has a gradient, but every step has a loss.",
            ),
            Slip(
                "target-only",
                "d_y[np.arange(len(targets)), targets] -= 1.0",
                "d_y = np.eye(ps.shape[1])[targets] * (ps - 1.0)",
                credit=0.5,
                says="Only the target's entry is there. Softmax ties all scores of a row together.",
            ),
        ],
        same=[
            Same(
                "one-hot rows",
                "",
                "    return ps - np.eye(ps.shape[1])[targets]\n",
            ),
            Same(
                "loop",
                "",
                """
    d_y = ps.copy()
    for t, target in enumerate(targets):
        d_y[t, target] = ps[t, target] - 1
    return d_y
""",
            ),
            Same("compared", "", "    return ps - (np.arange(ps.shape[1]) == targets[:, None])\n"),
        ],
        hints=[
            "Work on a copy of ps.",
            "In each row one entry changes: the one at the target's place.",
            "p minus one-hot",
        ],
    ),
    function(
        "output-gradients",
        points=2,
        parts=["d_W_yh", "d_b_y"],
        worked=[Worked("three steps", lambda given: (SMALL_STATES, SMALL_DELTAS))],
        cases=[
            Case("several steps", lambda rng: (_states(rng, 5, 3), _deltas(rng, 5, 4))),
            Case("more units than letters", lambda rng: (_states(rng, 3, 6), _deltas(rng, 3, 2))),
            Case("one step", lambda rng: (_states(rng, 1, 3), _deltas(rng, 1, 5))),
        ],
        slips=[
            Slip(
                "states-before",
                "hs[1:]",
                "hs[:-1]",
                credit=0.5,
                says="The deltas met the states before each step. Which state was the output made from?",
            ),
            Slip(
                "transposed",
                "d_y.T @ hs[1:]",
                "hs[1:].T @ d_y",
                credit=0.5,
                says="d_W_yh came out as its transpose; a gradient has the shape of its parameter.",
            ),
            Slip(
                "last-step-only",
                "d_y.T @ hs[1:], np.sum(d_y, axis=0)",
                "np.outer(d_y[-1], hs[-1]), d_y[-1]",
                credit=0.25,
                says="Only the last step's share is there. The weights are used at every step.",
            ),
            Slip(
                "bias-not-summed",
                "np.sum(d_y, axis=0)",
                "d_y",
                credit=0.5,
                says="The bias has a gradient for each step; it is one bias, so its shares are added.",
            ),
            Slip(
                "bias-over-letters",
                "np.sum(d_y, axis=0)",
                "np.sum(d_y, axis=1)",
                credit=0.5,
                says="The bias was summed over the letters. There is one for each letter, shared by all steps.",
            ),
            Slip(
                "mean",
                "d_y.T @ hs[1:], np.sum(d_y, axis=0)",
                "d_y.T @ hs[1:] / len(d_y), np.mean(d_y, axis=0)",
                credit=0.5,
                says="It was divided by the number of steps, but the loss is a sum over them.",
            ),
        ],
        same=[
            Same(
                "outer products",
                "",
                """
    d_W_yh, d_b_y = np.zeros((d_y.shape[1], hs.shape[1])), np.zeros(d_y.shape[1])
    for t in range(len(d_y)):
        d_W_yh += np.outer(d_y[t], hs[t + 1])
        d_b_y += d_y[t]
    return d_W_yh, d_b_y
""",
            ),
            Same("einsum", "d_y.T @ hs[1:]", "np.einsum('tv,th->vh', d_y, hs[1:])"),
            Same("turned twice", "d_y.T @ hs[1:]", "(hs[1:].T @ d_y).T"),
            Same("bias by a product", "np.sum(d_y, axis=0)", "np.ones(len(d_y)) @ d_y"),
        ],
        hints=[
            "The step t has the delta d_y[t]. In which row of hs is the state that its output was made from?",
            "One outer product a step, all of them added.",
            "sum over t of d_y[t] times hs[t + 1]",
        ],
    ),
    function(
        "hidden-deltas",
        points=3,
        steps=Steps(0, backwards=True),
        builds_on=["output-deltas"],
        worked=[Worked("three steps", lambda given: (SMALL_STATES, SMALL_DELTAS, SMALL))],
        cases=[
            Case("several steps", _back(5, 4, 3)),
            Case("more units than letters", _back(4, 2, 5)),
            Case("a longer sequence", _back(9, 3, 4)),
            Case("one step", _back(1, 5, 3)),
        ],
        slips=[
            Slip(
                "not-through-time",
                " + d_next",
                "",
                credit=0.25,
                says="Every step got the gradient of its own output only. What else does a state lead to?",
            ),
            Slip(
                "one-step-back-only",
                'd_next = params["W_hh"].T @ d_raw[t]',
                'd_next = params["W_hh"].T @ ((params["W_yh"].T @ d_y[t]) * (1 - hs[t + 1] ** 2))',
                credit=0.5,
                says="The last two steps are right. What a step hands back must hold all that it has received itself.",
            ),
            Slip(
                "recurrent-not-transposed",
                'params["W_hh"].T',
                'params["W_hh"]',
                credit=0.5,
                says="On the way back a matrix is used the other way round: W_hh went forward once more.",
            ),
            Slip(
                "slope-left-out",
                " * (1 - hs[t + 1] ** 2)",
                "",
                credit=0.25,
                says="That is the gradient at the states. The slope of tanh is still missing.",
            ),
            Slip(
                "tanh-once-more",
                "hs[t + 1] ** 2",
                "np.tanh(hs[t + 1]) ** 2",
                credit=0.5,
                says="It looks as if tanh was taken of the state; the state is its output already.",
            ),
            Slip(
                "sigmoid-slope",
                "(1 - hs[t + 1] ** 2)",
                "hs[t + 1] * (1 - hs[t + 1])",
                credit=0.5,
                says="That is the sigmoid's slope. These states come out of a tanh.",
            ),
            Slip(
                "state-before",
                "hs[t + 1] ** 2",
                "hs[t] ** 2",
                credit=0.5,
                says="The slopes are those of the state one step earlier: row 0 of hs is the start.",
            ),
            Slip(
                "handed-back-before-the-slope",
                'params["W_hh"].T @ d_raw[t]',
                'params["W_hh"].T @ d_h',
                credit=0.5,
                says="The last step is right. What is handed back must pass the tanh first, then W_hh.",
            ),
            Slip(
                "replaced-not-added",
                'd_h = params["W_yh"].T @ d_y[t] + d_next',
                'd_h = d_next if t < len(d_y) - 1 else params["W_yh"].T @ d_y[t]',
                credit=0.5,
                says="Only what comes from the next step was kept. Where two roads meet, gradients add.",
            ),
            Slip(
                "forward-order",
                "reversed(range(len(d_y)))",
                "range(len(d_y))",
                credit=0.25,
                says="The gradients ran from the first step to the last. A step needs what the one after it has found.",
            ),
        ],
        same=[
            Same(
                "recursive sum",
                "",
                """
    from_outputs = d_y @ params["W_yh"]
    slopes = 1 - hs[1:] ** 2
    rows = [from_outputs[-1] * slopes[-1]]
    for own, slope in zip(from_outputs[-2::-1], slopes[-2::-1]):
        rows.insert(0, (own + rows[0] @ params["W_hh"]) * slope)
    return np.array(rows)
""",
            ),
            Same(
                "by Jacobians",
                "",
                """
    T, H = len(d_y), hs.shape[1]
    d_raw = np.zeros((T, H))
    for late in range(T):
        d_h = params["W_yh"].T @ d_y[late]
        for t in range(late, -1, -1):
            inside = (1 - hs[t + 1] ** 2) * d_h
            d_raw[t] += inside
            d_h = params["W_hh"].T @ inside
    return d_raw
""",
            ),
            Same("slope factored", "(1 - hs[t + 1] ** 2)", "((1 - hs[t + 1]) * (1 + hs[t + 1]))"),
            Same(
                "einsum",
                'params["W_yh"].T @ d_y[t]',
                "np.einsum('vh,v->h', params[\"W_yh\"], d_y[t])",
            ),
        ],
        hints=[
            "Begin with the last step. What does it hand to the one before?",
            "Two summands, then the slope of tanh; row t of the result belongs to hs[t + 1].",
            "(W_yh^T d_y[t] + W_hh^T d_raw[t + 1]) (1 - hs[t + 1]^2)",
        ],
    ),
    function(
        "recurrent-gradients",
        points=3,
        parts=["d_W_xh", "d_W_hh", "d_b_h"],
        builds_on=["hidden-deltas"],
        worked=[Worked("three steps", lambda given: (SMALL_INPUTS[:3], SMALL_STATES, SMALL_RAW))],
        cases=[
            Case("several steps", lambda rng: (_away(rng, (5, 4)), _states(rng, 5, 3), _away(rng, (5, 3)))),
            Case("more units", lambda rng: (_away(rng, (4, 2)), _states(rng, 4, 6), _away(rng, (4, 6)))),
            Case("letters", lambda rng: (np.eye(5)[_targets(rng, 6, 5)], _states(rng, 6, 2), _away(rng, (6, 2)))),
            Case("one step", lambda rng: (_away(rng, (1, 5)), _states(rng, 1, 3), _away(rng, (1, 3)))),
        ],
        slips=[
            Slip(
                "states-after",
                "hs[:-1]",
                "hs[1:]",
                credit=0.5,
                says="W_hh met the states after each step. What did it multiply on the way forward?",
            ),
            Slip(
                "zero-start",
                "d_raw.T @ hs[:-1]",
                "d_raw[1:].T @ hs[1:-1]",
                credit=0.5,
                says="The first step's share of W_hh is missing, as if the start state were zero. It need not be.",
            ),
            Slip(
                "transposed",
                "d_raw.T @ inputs, d_raw.T @ hs[:-1]",
                "inputs.T @ d_raw, hs[:-1].T @ d_raw",
                credit=0.5,
                says="The matrices came out as transposes; the row of a weight is where it leads to.",
            ),
            Slip(
                "recurrent-transposed",
                "d_raw.T @ hs[:-1]",
                "hs[:-1].T @ d_raw",
                credit=0.5,
                says="d_W_hh is its transpose. It is square, so the shape does not tell.",
            ),
            Slip(
                "last-step-only",
                "d_raw.T @ inputs, d_raw.T @ hs[:-1], np.sum(d_raw, axis=0)",
                "np.outer(d_raw[-1], inputs[-1]), np.outer(d_raw[-1], hs[-2]), d_raw[-1]",
                credit=0.25,
                says="Only the last step's share is there. The weights are used at every step.",
            ),
            Slip(
                "bias-not-summed",
                "np.sum(d_raw, axis=0)",
                "d_raw[0]",
                credit=0.5,
                says="The bias got the first step's share alone. It is added at every step.",
            ),
            Slip(
                "mean",
                "d_raw.T @ inputs, d_raw.T @ hs[:-1], np.sum(d_raw, axis=0)",
                "d_raw.T @ inputs / len(d_raw), d_raw.T @ hs[:-1] / len(d_raw), np.mean(d_raw, axis=0)",
                credit=0.5,
                says="It was divided by the number of steps, but the loss is a sum over them.",
            ),
        ],
        same=[
            Same(
                "outer products",
                "",
                """
    d_W_xh, d_W_hh, d_b_h = 0.0, 0.0, 0.0
    for t in range(len(inputs)):
        d_W_xh = d_W_xh + np.outer(d_raw[t], inputs[t])
        d_W_hh = d_W_hh + np.outer(d_raw[t], hs[t])
        d_b_h = d_b_h + d_raw[t]
    return d_W_xh, d_W_hh, d_b_h
""",
            ),
            Same(
                "einsum",
                "d_raw.T @ inputs, d_raw.T @ hs[:-1]",
                "np.einsum('th,tv->hv', d_raw, inputs), np.einsum('th,tg->hg', d_raw, hs[:-1])",
            ),
            Same("turned twice", "d_raw.T @ hs[:-1]", "(hs[: len(d_raw)].T @ d_raw).T"),
            Same(
                "one product",
                "",
                """
    both = d_raw.T @ np.hstack([inputs, hs[:-1], np.ones((len(inputs), 1))])
    width = inputs.shape[1]
    return both[:, :width], both[:, width:-1], both[:, -1]
""",
            ),
        ],
        hints=[
            "Each step adds: delta times what the matrix multiplied at that step.",
            "At step t, W_xh met inputs[t]. Which row of hs did W_hh meet?",
            "sum over t of d_raw[t] times hs[t]",
        ],
    ),
    function(
        "start-state-gradient",
        points=1,
        builds_on=["hidden-deltas"],
        worked=[Worked("three steps", lambda given: (SMALL_RAW, SMALL["W_hh"]))],
        cases=[
            Case("several steps", lambda rng: (_away(rng, (5, 3)), _away(rng, (3, 3)))),
            Case("more units", lambda rng: (_away(rng, (2, 6)), _away(rng, (6, 6)))),
            Case("one step", lambda rng: (_away(rng, (1, 4)), _away(rng, (4, 4)))),
        ],
        slips=[
            Slip(
                "not-transposed",
                "W_hh.T @",
                "W_hh @",
                credit=0.5,
                says="On the way back a matrix is used the other way round: W_hh went forward once more.",
            ),
            Slip(
                "last-step",
                "d_raw[0]",
                "d_raw[-1]",
                credit=0.5,
                says="That is what the last step hands back. Which step used the start state?",
            ),
            Slip(
                "all-steps",
                "d_raw[0]",
                "np.sum(d_raw, axis=0)",
                credit=0.5,
                says="All steps were summed. The start state is not a weight: it goes into one step only.",
            ),
            Slip(
                "matrix-left-out",
                "W_hh.T @ d_raw[0]",
                "d_raw[0]",
                credit=0.25,
                says="That is the delta of the first step. How did the start state come into it?",
            ),
        ],
        same=[
            Same("row times matrix", "W_hh.T @ d_raw[0]", "d_raw[0] @ W_hh"),
            Same("einsum", "W_hh.T @ d_raw[0]", "np.einsum('gh,g->h', W_hh, d_raw[0])"),
            Same(
                "loop",
                "",
                """
    H, first = len(W_hh), d_raw[0]
    return np.array([sum(W_hh[i, j] * first[i] for i in range(H)) for j in range(H)])
""",
            ),
            Same("weighted rows", "W_hh.T @ d_raw[0]", "np.sum(W_hh * d_raw[0][:, np.newaxis], axis=0)"),
        ],
        hints=["It is what any step hands to the one before.", "W_hh^T d_raw of the first step"],
    ),
    function(
        "rnn-backward",
        points=3,
        parts=["loss", "grads", "h_last"],
        builds_on=["rnn-forward", "output-deltas", "output-gradients", "hidden-deltas", "recurrent-gradients"],
        worked=[
            Worked("four letters of three", lambda given: (SMALL_INPUTS, SMALL_TARGETS, SMALL_START, SMALL)),
        ],
        cases=[
            Case("several steps", _task(5, 4, 3)),
            Case("more units", _task(4, 2, 5)),
            Case("a long run of one target", _one_sided_task(14, 3, 4)),
            Case("one step", _task(1, 3, 4)),
        ],
        slips=[
            Slip(
                "not-through-time",
                "hidden_deltas(hs, d_y, params)",
                '(d_y @ params["W_yh"]) * (1 - hs[1:] ** 2)',
                credit=0.25,
                says="The gradients stop at each step's own state: nothing is handed back in time.",
            ),
            Slip(
                "mean-loss",
                "-np.sum(np.log(",
                "-np.mean(np.log(",
                credit=0.5,
                says="The loss is a mean over the steps, the gradients are those of the sum.",
            ),
            Slip(
                "mean-gradients",
                "d_y = output_deltas(ps, targets)",
                "d_y = output_deltas(ps, targets) / len(targets)",
                credit=0.5,
                says="The gradients were divided by the number of steps, but the loss is a sum over them.",
            ),
            Slip(
                "last-loss-only",
                "ps[np.arange(len(targets)), targets]",
                "ps[-1, targets[-1]]",
                credit=0.5,
                says="The loss is that of the last step alone.",
            ),
            Slip(
                "zero-start",
                "rnn_forward(inputs, h0, params)",
                "rnn_forward(inputs, np.zeros_like(h0), params)",
                credit=0.5,
                says="It starts from zeros whatever h0 is.",
            ),
            Slip(
                "first-state",
                "hs[-1]",
                "hs[0]",
                credit=0.5,
                says="The third result is the start state; the state at the end is asked for.",
            ),
            Slip(
                "clipped-inside",
                "return loss, grads,",
                "return loss, {name: np.clip(d_param, -5, 5) for name, d_param in grads.items()},",
                credit=0.5,
                says="The gradients are cut at 5. Clipping is another function's work; here it is plain sums.",
            ),
            Slip(
                "clipped-before-the-sum",
                "d_raw = hidden_deltas(hs, d_y, params)",
                "d_y = np.clip(d_y, -0.5, 0.5)\n    d_raw = hidden_deltas(hs, d_y, params)",
                credit=0.5,
                says="Each step's share was cut before the sum over time, so the sum is no gradient any more.",
            ),
            Slip(
                "sign",
                '"W_yh": d_W_yh, "b_h": d_b_h, "b_y": d_b_y}',
                '"W_yh": -d_W_yh, "b_h": d_b_h, "b_y": -d_b_y}',
                credit=0.5,
                says="The output layer's gradients have the opposite sign of the others.",
            ),
        ],
        same=[
            Same(
                "one loop each way",
                "",
                """
    T = len(inputs)
    hs, ps, loss = {-1: h0}, {}, 0.0
    for t in range(T):
        hs[t] = np.tanh(params["W_xh"] @ inputs[t] + params["W_hh"] @ hs[t - 1] + params["b_h"])
        power = np.exp(params["W_yh"] @ hs[t] + params["b_y"])
        ps[t] = power / np.sum(power)
        loss += -np.log(ps[t][targets[t]])
    grads = {name: np.zeros_like(param) for name, param in params.items()}
    handed = np.zeros_like(h0)
    for t in range(T - 1, -1, -1):
        dy = ps[t].copy()
        dy[targets[t]] -= 1
        inside = (params["W_yh"].T @ dy + handed) * (1 - hs[t] * hs[t])
        grads["W_yh"] += np.outer(dy, hs[t])
        grads["b_y"] += dy
        grads["W_xh"] += np.outer(inside, inputs[t])
        grads["W_hh"] += np.outer(inside, hs[t - 1])
        grads["b_h"] += inside
        handed = params["W_hh"].T @ inside
    return loss, grads, hs[T - 1]
""",
            ),
            Same(
                "loss by a loop",
                "loss = -np.sum(np.log(ps[np.arange(len(targets)), targets]))",
                "loss = sum(-np.log(ps[t][target]) for t, target in enumerate(targets))",
            ),
            Same(
                "each loss by itself",
                "",
                """
    hs, ps = rnn_forward(inputs, h0, params)
    loss, total = 0.0, {name: np.zeros_like(param) for name, param in params.items()}
    for late in range(len(targets)):
        loss = loss - np.log(ps[late, targets[late]])
        dy = ps[late] - np.eye(ps.shape[1])[targets[late]]
        total["W_yh"] = total["W_yh"] + dy[:, None] * hs[late + 1][None, :]
        total["b_y"] = total["b_y"] + dy
        back = dy @ params["W_yh"]
        for t in range(late, -1, -1):
            inside = back * (1 - hs[t + 1] ** 2)
            total["W_xh"] = total["W_xh"] + inside[:, None] * inputs[t]
            total["W_hh"] = total["W_hh"] + inside[:, None] * hs[t]
            total["b_h"] = total["b_h"] + inside
            back = inside @ params["W_hh"]
    return loss, total, hs[-1]
""",
            ),
            Same(
                "more in the dict", "return loss, grads,", 'return loss, {**grads, "h0": params["W_hh"].T @ d_raw[0]},'
            ),
        ],
        hints=[
            "Call your functions in this order: forward, output deltas, hidden deltas, the two kinds of gradients.",
            "The loss is a sum over the steps; the dict has the keys of params.",
        ],
    ),
    function(
        "clip",
        "clip_gradients",
        points=1,
        changed_arguments=0.5,
        builds_on=["rnn-backward"],
        worked=[
            Worked("the text's example", lambda given: ({"b_h": np.array([0.5, -3.0, 7.0])}, 2.0)),
            Worked("two parameters", lambda given: ({"W_hh": 4 * SMALL_RAW, "b_y": np.array([0.3, -0.9])}, 0.6)),
        ],
        cases=[
            Case("gradients of a net", lambda rng: (_grads(rng, 4, 3), _limits(rng))),
            Case("another net", lambda rng: (_grads(rng, 2, 5), _limits(rng))),
            Case("nothing to cut", lambda rng: (_grads(rng, 3, 4), float(rng.uniform(30, 50)))),
        ],
        # no slip keeps exactly half: that share stands for a right answer that changes its argument
        slips=[
            Slip(
                "by-the-norm",
                "np.clip(d_param, -limit, limit)",
                "d_param * min(1.0, limit / np.linalg.norm(d_param))",
                credit=0.4,
                says="Whole arrays were scaled down to that length. Here each entry is cut by itself.",
            ),
            Slip(
                "one-side",
                "np.clip(d_param, -limit, limit)",
                "np.minimum(d_param, limit)",
                credit=0.4,
                says="Large positive entries are cut, large negative ones are not.",
            ),
            Slip(
                "lower-bound-zero",
                "-limit, limit",
                "0, limit",
                credit=0.25,
                says="All negative entries became 0.",
            ),
            Slip(
                "dropped",
                "np.clip(d_param, -limit, limit)",
                "np.where(np.abs(d_param) > limit, 0.0, d_param)",
                credit=0.4,
                says="Entries beyond the limit became 0. They should keep their direction.",
            ),
            Slip(
                "sign-lost",
                "np.clip(d_param, -limit, limit)",
                "np.minimum(np.abs(d_param), limit)",
                credit=0.4,
                says="All entries are positive: the signs were lost.",
            ),
            Slip(
                "limit-not-used",
                "-limit, limit",
                "-5.0, 5.0",
                credit=0.4,
                says="It cuts at 5 whatever the limit is.",
            ),
        ],
        same=[
            Same("two steps", "np.clip(d_param, -limit, limit)", "np.maximum(np.minimum(d_param, limit), -limit)"),
            Same(
                "sign and size",
                "np.clip(d_param, -limit, limit)",
                "np.sign(d_param) * np.minimum(np.abs(d_param), limit)",
            ),
            Same(
                "on copies",
                "",
                """
    clipped = {}
    for name in grads:
        clipped[name] = grads[name].copy()
        clipped[name][clipped[name] > limit] = limit
        clipped[name][clipped[name] < -limit] = -limit
    return clipped
""",
            ),
        ],
        hints=["A dict comprehension over grads.items().", "numpy has a function for it."],
    ),
    function(
        "adagrad-step",
        points=2,
        float32=False,  # updated weights
        parts=["param", "memory"],
        worked=[
            Worked(
                "three weights",
                lambda given: (np.array([1.0, -2.0, 0.5]), np.array([-1.0, 0.6, 2.0]), np.array([3.0, 0.64, 5.0]), 0.5),
            )
        ],
        cases=[
            Case("a matrix", _adagrad(3, 4)),
            Case("a bias", _adagrad(5)),
            Case("a first step with a weight that has no gradient", _empty_memory),
        ],
        slips=[
            Slip(
                "memory-too-late",
                "np.sqrt(memory + eps), memory",
                "np.sqrt(memory - grad**2 + eps), memory",
                credit=0.5,
                says="The step divides by the old memory. The new square comes into it first.",
            ),
            Slip(
                "no-root",
                "np.sqrt(memory + eps)",
                "(memory + eps)",
                credit=0.5,
                says="The memory is right; the step divides by it without the root.",
            ),
            Slip(
                "plain-step",
                "param - alpha * grad / np.sqrt(memory + eps)",
                "param - alpha * grad",
                credit=0.25,
                says="The memory is kept and not used: that is a plain gradient step.",
            ),
            Slip(
                "ascent",
                "param - alpha",
                "param + alpha",
                credit=0.5,
                says="The step goes uphill: with a positive gradient the weight should shrink.",
            ),
            Slip(
                "sizes-not-squares",
                "memory + grad**2",
                "memory + np.abs(grad)",
                credit=0.5,
                says="The memory gained the size of the gradient. Its square is what is collected.",
            ),
            Slip(
                "no-memory",
                "memory = memory + grad**2",
                "memory = grad**2",
                credit=0.25,
                says="The memory holds this step alone: what it held before is gone.",
            ),
            Slip(
                "fading-memory",
                "memory + grad**2",
                "0.9 * memory + 0.1 * grad**2",
                credit=0.5,
                says="This memory forgets; that is another method, RMSprop. Adagrad's only grows.",
            ),
            Slip(
                "no-epsilon",
                "memory + eps",
                "memory",
                credit=0.5,
                says="A weight that never had a gradient becomes nan: zero is divided by zero.",
            ),
        ],
        same=[
            Same("beside the root", "np.sqrt(memory + eps)", "(np.sqrt(memory) + eps)"),
            Same("power", "alpha * grad / np.sqrt(memory + eps)", "alpha * grad * (memory + eps) ** -0.5"),
            Same(
                "loop",
                "",
                """
    new, kept = np.empty_like(param), np.empty_like(memory)
    for place in np.ndindex(param.shape):
        kept[place] = memory[place] + grad[place] * grad[place]
        new[place] = param[place] - grad[place] * (alpha / np.sqrt(kept[place] + eps))
    return new, kept
""",
            ),
            Same("rate first", "alpha * grad / np.sqrt(memory + eps)", "(alpha / np.sqrt(eps + memory)) * grad"),
        ],
        hints=[
            "Two lines: first the memory, then the weight.",
            "The step is the plain one, divided by something that has grown.",
            "param - alpha grad / sqrt(memory + grad^2 + eps)",
        ],
    ),
    function(
        "generate",
        points=2,
        builds_on=["one-hot", "rnn-step"],
        worked=[
            Worked("six letters", lambda given: (SMALL_START, 1, 6, WRITER)),
        ],
        cases=[
            Case("three letters to choose from", _writing(8, 3, 4)),
            Case("a longer text", _writing(12, 5, 3)),
            Case("more letters", _writing(10, 6, 4)),
            Case("one letter", _writing(1, 4, 2)),
        ],
        slips=[
            Slip(
                "first-included",
                "return found",
                "return [first_ix, *found][:steps]",
                credit=0.5,
                says="It begins with the letter that was given. The letters after it are asked for.",
            ),
            Slip(
                "state-not-carried",
                "h = rnn_step(x, h, params",
                "h_new = rnn_step(x, h, params",
                credit=0.25,
                says="The state never moves on.",
            ),
            Slip(
                "not-fed-back",
                "one_hot(ix,",
                "one_hot(first_ix,",
                credit=0.25,
                says="The first letter goes in at every step. Which letter should come next?",
            ),
            Slip(
                "zero-start",
                "ix, found = first_ix, []",
                "ix, found, h = first_ix, [], np.zeros_like(h)",
                credit=0.5,
                says="It starts from zeros whatever the state is.",
            ),
            Slip(
                "output-bias-missing",
                ' + params["b_y"])',
                ")",
                credit=0.5,
                says="Now and then another letter wins: something is missing in the scores.",
            ),
            Slip(
                "least-probable",
                "np.argmax",
                "np.argmin",
                credit=0.5,
                says="It takes the least probable letter each time.",
            ),
            Slip(
                "one-too-many",
                "range(steps)",
                "range(steps + 1)",
                credit=0.5,
                says="There is a letter too many.",
            ),
        ],
        same=[
            Same(
                "columns",
                "",
                """
    found = []
    for _ in range(steps):
        h = np.tanh(params["W_xh"][:, first_ix] + params["W_hh"] @ h + params["b_h"])
        first_ix = np.argmax(params["W_yh"] @ h + params["b_y"])
        found.append(first_ix)
    return found
""",
            ),
            Same(
                "with softmax",
                'np.argmax(params["W_yh"] @ h + params["b_y"])',
                'np.argmax(softmax(params["W_yh"] @ h + params["b_y"]))',
            ),
            Same("an array", "return found", "return np.array(found)"),
            Same(
                "recursive",
                "",
                """
    if steps == 0:
        return []
    x = one_hot(first_ix, params["W_xh"].shape[1])
    h = rnn_step(x, h, params["W_xh"], params["W_hh"], params["b_h"])
    scores = list(params["W_yh"] @ h + params["b_y"])
    best = scores.index(max(scores))
    return [best] + generate(h, best, steps - 1, params)
""",
            ),
        ],
        hints=[
            "Each round: one-hot the index, one step of the state, scores, the best index.",
            "Both the state and the index must be the new ones in the next round.",
            "h = rnn_step(...); ix = argmax(W_yh h + b_y)",
        ],
    ),
    value(
        "hello-learned",
        "learned",
        points=2,
        accept=accept_learned,
        builds_on=["rnn-backward", "clip", "adagrad-step"],
        slips=[
            Slip(
                "untrained",
                "range(200)",
                "range(0)",
                credit=0,
                says="These are the weights of `start`.",
            ),
            Slip(
                "no-memory",
                "",
                """
learned = {name: weights.copy() for name, weights in start.items()}
learned["W_hh"] = np.zeros((3, 3))
memories = {name: np.zeros_like(weights) for name, weights in start.items()}
for _ in range(100):
    d_learned = rnn_backward(hello_inputs, hello_targets, np.zeros(3), learned)[1]
    for name in ["W_xh", "W_yh", "b_h", "b_y"]:
        learned[name], memories[name] = adagrad_step(learned[name], d_learned[name], memories[name], 0.2)
""",
                credit=0.25,
                says="Its W_hh is zero, so it has no memory.",
            ),
            Slip(
                "echo",
                "hello_inputs, hello_targets,",
                "hello_inputs, np.array([0, 1, 2, 2]),",
                credit=0.25,
                says="It learnt to repeat its input.",
            ),
        ],
        same=[
            Same("fewer rounds", "range(200)", "range(120)"),
            Same(
                "plain steps",
                "",
                """
gen = np.random.default_rng(1)
learned = {"W_xh": gen.normal(size=(6, 4)), "W_hh": gen.normal(size=(6, 6)) / 3, "W_yh": gen.normal(size=(4, 6))}
learned |= {"b_h": np.zeros(6), "b_y": np.zeros(4)}
for _ in range(400):
    d_learned = rnn_backward(hello_inputs, hello_targets, np.zeros(6), learned)[1]
    learned = {name: learned[name] - 0.1 * d_learned[name] for name in learned}
""",
            ),
        ],
        hints=[
            "Watch the loss: it starts near 5.97 and should fall below .1.",
            "One memory for each parameter, zeros at first, and carry both results of adagrad_step on.",
            "All five parameters move in every round; the start state stays zeros.",
        ],
    ),
    function(
        "gradient-flow",
        points=2,
        steps=Steps(0, backwards=True),
        builds_on=["hidden-deltas"],
        worked=[
            Worked(
                "three steps",
                lambda given: (SMALL_STATES, np.array([3.0, -4.0]), SMALL["W_hh"]),
            )
        ],
        cases=[
            Case("several steps", _flow(5, 3)),
            Case("a longer sequence", _flow(9, 4)),
            Case("one step", _flow(1, 5)),
            Case("one unit", _flow(6, 1)),
        ],
        slips=[
            Slip(
                "slope-left-out",
                " * (1 - hs[t + 1] ** 2)",
                "",
                credit=0.5,
                says="Only the matrix was applied. The slopes of tanh make the gradient smaller at each step.",
            ),
            Slip(
                "not-transposed",
                "W_hh.T @",
                "W_hh @",
                credit=0.5,
                says="On the way back a matrix is used the other way round: W_hh went forward once more.",
            ),
            Slip(
                "state-before",
                "hs[t + 1] ** 2",
                "hs[t] ** 2",
                credit=0.5,
                says="The slopes are those of the state one step earlier. Which tanh lies between two states?",
            ),
            Slip(
                "tanh-once-more",
                "hs[t + 1] ** 2",
                "np.tanh(hs[t + 1]) ** 2",
                credit=0.5,
                says="It looks as if tanh was taken of the state; the state is its output already.",
            ),
            Slip(
                "squared",
                "np.linalg.norm(d_h)",
                "np.sum(d_h**2)",
                credit=0.5,
                says="Those are squared lengths: the root is missing.",
            ),
            Slip(
                "other-size",
                "np.linalg.norm(d_h)",
                "np.sum(np.abs(d_h))",
                credit=0.5,
                says="The sizes of the entries were summed. The norm is the root of the sum of squares.",
            ),
            Slip(
                "time-turned-round",
                "return norms",
                "return norms[::-1]",
                credit=0.5,
                says="The order is turned round: entry 0 belongs to the start state.",
            ),
            Slip(
                "last-state-included",
                "return norms",
                "return np.append(norms, np.linalg.norm(d_last))[1:]",
                credit=0.5,
                says="Everything is one place off: the last state's own gradient is in, the start state's is out.",
            ),
        ],
        same=[
            Same(
                "collected and turned",
                "",
                """
    norms, d_h = [], np.array(d_last)
    for h in hs[:0:-1]:
        d_h = (d_h - d_h * h * h) @ W_hh
        norms.append(np.sqrt(np.sum(d_h**2)))
    return norms[::-1]
""",
            ),
            Same(
                "matrices",
                "d_h = W_hh.T @ (d_h * (1 - hs[t + 1] ** 2))",
                "d_h = (np.diag(1 - hs[t + 1] ** 2) @ W_hh).T @ d_h",
            ),
            Same(
                "products of matrices",
                "",
                """
    T, H = len(hs) - 1, hs.shape[1]
    jacobian, norms = np.eye(H), [0.0] * T
    for t in range(T - 1, -1, -1):
        jacobian = jacobian @ ((1 - hs[t + 1] ** 2)[:, np.newaxis] * W_hh)
        norms[t] = float(np.sqrt((d_last @ jacobian) @ (d_last @ jacobian)))
    return norms
""",
            ),
            Same(
                "einsum",
                "W_hh.T @ (d_h * (1 - hs[t + 1] ** 2))",
                "np.einsum('gh,g,g->h', W_hh, d_h, 1 - hs[t + 1] ** 2)",
            ),
        ],
        hints=[
            "Go back from the last state; each step is a slope and then a matrix.",
            "No outputs here: one road only, nothing to add.",
            "d_h = W_hh^T (d_h (1 - hs[t + 1]^2)), then its norm",
        ],
    ),
)
