"""Unit 07, the LSTM: the gates forwards and back, the whole sequence, and two cells with a job."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chainrule.items import Case, Finding, Item, Same, Slip, Trial, Worked, choice, function, value

Array = NDArray[Any]
Rng = np.random.Generator
Given = Mapping[str, Any]

GATES = "fico"  # the order of the article: forget, input, candidate, output

LINE_BOUND = 0.01  # syllabus: c stays within .01 of the count, for lines of up to LONGEST characters
QUOTE_LEVEL = 0.5  # syllabus: c above it inside quotation marks, below it outside
LONGEST = 80


# --------------------------------------------------------------------------- drawing cases


def signed(rng: Rng, *shape: int, low: float = 0.3, high: float = 1.3) -> Array:
    """Numbers of both signs, none near 0."""
    return rng.choice([-1.0, 1.0], size=shape) * rng.uniform(low, high, size=shape)


def clear(draw: Callable[[], tuple[Any, ...]], parts: Callable[..., tuple[Array, ...]]) -> tuple[Any, ...]:
    """Arguments for which no part of the answer cancels to nearly nothing: float32 could not tell the rest."""
    while True:
        args = draw()
        if min(np.max(np.abs(part)) for part in parts(*args)) > 0.2:
            return args


def gate_case(rng: Rng, h: int, d: int) -> tuple[Array, Array, Array]:
    """z (h+d,), W (h, h+d) and b (h,), the sums being off the flat ends of sigmoid and tanh."""
    return signed(rng, h + d), signed(rng, h, h + d) / np.sqrt(h + d), signed(rng, h, low=0.3, high=0.9)


def opened(rng: Rng, h: int) -> Array:
    """(h,) values of a gate, not near 0, 1/2 or 1: a half has the same slope in too many wrong ways."""
    return np.where(rng.random(h) < 0.5, rng.uniform(0.12, 0.4, h), rng.uniform(0.6, 0.88, h))


def squashed(rng: Rng, h: int) -> Array:
    """(h,) outputs of tanh, not near 0 or an end."""
    return signed(rng, h, low=0.2, high=0.85)


def lstm_params(rng: Rng, d: int, h: int, v: int) -> dict[str, Array]:
    """All ten parameters, no bias near 0, no two alike."""
    params: dict[str, Array] = {}
    for gate in GATES:
        params[f"W_{gate}"] = signed(rng, h, h + d) / np.sqrt(h + d) * 1.3
        params[f"b_{gate}"] = signed(rng, h, low=0.2, high=0.7)
    params["W_v"], params["b_v"] = signed(rng, v, h), signed(rng, v, low=0.2, high=0.7)
    return params


def states(rng: Rng, h: int) -> tuple[Array, Array]:
    """h (h,) as an LSTM could show it, and a cell state (h,) that may be larger than 1."""
    return signed(rng, h, low=0.15, high=0.7), signed(rng, h, low=0.3, high=1.4)


def step_case(rng: Rng, d: int, h: int) -> tuple[Any, ...]:
    def memory(x: Array, h_prev: Array, c_prev: Array, params: dict[str, Array]) -> tuple[Array]:
        f, i, c_tilde = (params[f"W_{k}"] @ np.concatenate([h_prev, x]) + params[f"b_{k}"] for k in "fic")
        return (c_prev / (1 + np.exp(-f)) + np.tanh(c_tilde) / (1 + np.exp(-i)),)

    return clear(lambda: (signed(rng, d), *states(rng, h), lstm_params(rng, d, h, h + d + 1)), memory)


def memory_case(rng: Rng, h: int, scale: float = 1.0) -> tuple[Any, ...]:
    return clear(
        lambda: (opened(rng, h), scale * states(rng, h)[1], opened(rng, h), squashed(rng, h)),
        lambda f, c_prev, i, c_tilde: (f * c_prev + i * c_tilde,),
    )


def clubbed_case(rng: Rng, h: int) -> tuple[Any, ...]:
    return clear(
        lambda: (signed(rng, h), opened(rng, h), states(rng, h)[1], signed(rng, h)),
        lambda d_h, o, c, d_c_next: (d_h * o * (1 - np.tanh(c) ** 2) + d_c_next,),
    )


def output_case(rng: Rng, v: int, h: int) -> tuple[Array, int, Array]:
    """Probabilities (v,), a label that is neither 0 nor 1 where there is room, and W_v (v, h)."""
    p = rng.uniform(0.2, 1.6, size=v)
    return p / p.sum(), int(rng.integers(min(2, v - 1), v)), signed(rng, v, h)


def gate_gradients(rng: Rng, h: int) -> dict[str, Array]:
    return {gate: signed(rng, h, low=0.1, high=1.0) for gate in GATES}


def concat_case(rng: Rng, d: int, h: int) -> tuple[Any, ...]:
    def parts(d_a: dict[str, Array], params: dict[str, Array], h: int) -> tuple[Array, Array]:
        d_z = np.sum([params[f"W_{gate}"].T @ d_a[gate] for gate in GATES], axis=0)
        return d_z[:h], d_z[h:]

    return clear(lambda: (gate_gradients(rng, h), lstm_params(rng, d, h, h + d + 1), h), parts)


def sequence(rng: Rng, t: int, d: int, h: int, v: int) -> tuple[Array, Array, Array, Array, dict[str, Array]]:
    """xs (t, d), labels that are not all alike, both start states away from zero, all ten parameters."""
    labels = rng.integers(0, v, size=t)
    labels[-1] = v - 1
    if t > 1:
        labels[0] = rng.integers(0, v - 1)
    return (signed(rng, t, d), labels, *states(rng, h), lstm_params(rng, d, h, v))


def update_case(rng: Rng, *sizes: int) -> tuple[dict[str, Array], dict[str, Array], float]:
    """Parameters and their gradients under the same keys, and a rate that is not 1."""
    params = lstm_params(rng, *sizes)
    grads = {name: signed(rng, *thing.shape) for name, thing in params.items()}
    return params, grads, float(rng.uniform(0.05, 0.4))


def forget_gates(rng: Rng, *shape: int) -> tuple[Array]:
    """Gates in the order of time, all different from 1 and from each other."""
    return (rng.uniform(0.35, 0.9, size=shape),)


SMALL_D_A = {
    "f": np.array([0.1, -0.2]),
    "i": np.array([0.3, 0.4]),
    "c": np.array([-0.5, 0.6]),
    "o": np.array([0.7, -0.8]),
}

OTHER_D_A = {
    "f": np.array([0.2, -0.1, 0.4]),
    "i": np.array([-0.3, 0.5, 0.1]),
    "c": np.array([0.6, 0.2, -0.4]),
    "o": np.array([-0.2, 0.3, 0.7]),
}


def from_other(*names: str) -> Callable[[Given], tuple[Any, ...]]:
    """Arguments by their names in the notebook's `other`, the LSTM of other sizes."""
    return lambda given: tuple(given["other"][name] for name in names)


def from_example(*names: str) -> Callable[[Given], tuple[Any, ...]]:
    """The worked arguments of one backward function, by their names in the notebook's `example`."""
    return lambda given: tuple(clubbed() if name == "d_c" else given["example"][name] for name in names)


def clubbed() -> Array:
    """The example's dJ/dC as the text prints it."""
    return np.array([0.3487, 0.2221])


# --------------------------------------------------------------------------- the four layers


def layer(gate: str, squash: str, other: str, says_other: str) -> tuple[list[Slip], list[Same]]:
    """Slips and equivalents of one of the four layers on z, `return squash(W @ z + b)`."""
    product, whole = f"W_{gate} @ z", f"{squash}(W_{gate} @ z + b_{gate})"
    slips = [
        Slip("no-bias", f" + b_{gate}", "", says="The bias is not in it: with all weights zero it would still count."),
        Slip(
            "bias-outside",
            whole,
            f"{squash}({product}) + b_{gate}",
            says="The bias came in after the squashing. It belongs to the sum that is squashed.",
        ),
        Slip(
            "not-squashed",
            whole,
            f"{product} + b_{gate}",
            credit=0.25,
            says="That is the sum a itself, which can have any size. What keeps the layer's output in its range?",
        ),
        Slip("other-squashing", f"{squash}(", f"{other}(", says=says_other),
        Slip(
            "squashed-twice",
            f"return {whole}",
            f"return {squash}({whole})",
            says="It went through the squashing function twice.",
        ),
        Slip(
            "bias-subtracted",
            f" + b_{gate}",
            f" - b_{gate}",
            says="The bias has the wrong sign: a larger bias should open the layer, here it shuts it.",
        ),
    ]
    same = [
        Same("row times matrix", product, f"z @ W_{gate}.T"),
        Same("einsum", product, f"np.einsum('hz,z->h', W_{gate}, z)"),
        Same("bias as a column", f"{product} + b_{gate}", f"np.column_stack([W_{gate}, b_{gate}]) @ np.append(z, 1.0)"),
        Same(
            "unit by unit",
            "",
            f"    sums = [sum(w * x for w, x in zip(row, z)) + b for row, b in zip(W_{gate}, b_{gate})]\n"
            + (
                "    return np.array([(np.exp(a) - np.exp(-a)) / (np.exp(a) + np.exp(-a)) for a in sums])"
                if squash == "np.tanh"
                else "    return np.array([1 / (1 + np.exp(-a)) for a in sums])"
            ),
        ),
    ]
    return slips, same


def layer_item(id: str, gate: str, squash: str, other: str, says_other: str, hints: list[str]) -> Item:
    slips, same = layer(gate, squash, other, says_other)
    return function(
        id,
        points=1,
        worked=[
            Worked(
                "the first step of the worked LSTM",
                lambda given: (given["z1"], given["params"][f"W_{gate}"], given["params"][f"b_{gate}"]),
            )
        ],
        cases=[
            Case("three units, two inputs", lambda rng: gate_case(rng, 3, 2)),
            Case("two units, five inputs", lambda rng: gate_case(rng, 2, 5)),
            Case("one unit, three inputs", lambda rng: gate_case(rng, 1, 3)),
        ],
        slips=slips,
        same=same,
        hints=hints,
    )


NOT_TANH = "tanh was used, which can be negative. A gate lets through a share between none and all."
NOT_SIGMOID = "The sigmoid was used, which is never negative. The memory must be able to go down as well as up."
SUM_FIRST = "First the weighted sums with the bias, one a unit; then what keeps them in range."


# --------------------------------------------------------------------------- slips that several gates share

NO_SLOPE = "The gradient reaches the gate's output and stops there: the second result is the same as the first."
AGAIN = "The gate's value was squashed once more before the slope was taken. It is an output of the sigmoid already."
TANH_SLOPE = "That is the slope of tanh. This gate is a sigmoid, and its slope, from its output, is another one."
HALF_SLOPE = "One factor of the sigmoid's slope is missing: it should be 0 at both ends, where the gate is saturated."
EARLY_SLOPE = "The first result holds the slope already. The slope comes in after the output, on the way to the input."
OTHER_SLOPE = "The second result has the slope of the other factor's squashing. Whose input does it belong to?"


def gate_slips(result: str, gate: str) -> list[Slip]:
    """What goes wrong between a gate and its input, where the solution ends in `result * gate * (1 - gate)`."""
    slope = f"{gate} * (1 - {gate})"
    return [
        Slip("no-slope", f"{result} * {slope}", result, says=NO_SLOPE),
        Slip("tanh-slope", slope, f"(1 - {gate}**2)", says=TANH_SLOPE),
        Slip("squashed-again", slope, f"sigmoid({gate}) * (1 - sigmoid({gate}))", says=AGAIN),
        Slip("half-of-the-slope", slope, f"(1 - {gate})", says=HALF_SLOPE),
        Slip("gate-for-slope", slope, gate, says=HALF_SLOPE),
        Slip(
            "slope-in-both",
            f"return {result}, {result} * {slope}",
            f"return {result} * {slope}, {result} * {slope}",
            says=EARLY_SLOPE,
        ),
        Slip(
            "slope-alone",
            f"{result} * {slope}",
            slope,
            credit=0.4,
            says="The second result is the slope alone: the gradient that arrives was not multiplied in.",
        ),
    ]


# --------------------------------------------------------------------------- judging the two cells


def numbers_of(cell: Any) -> dict[str, tuple[float, float, float]]:
    """The weights on h and x and the bias of each gate. Raises what `Trial` takes for a wrong form."""
    gates = {}
    for gate in GATES:
        weights = np.asarray(cell[f"W_{gate}"], dtype=float)
        bias = np.asarray(cell[f"b_{gate}"], dtype=float)
        if weights.size != 2 or bias.size != 1:
            raise ValueError(
                f"W_{gate} is (1, 2) and b_{gate} is (1,); they have {weights.size} and {bias.size} entries"
            )
        if not (np.all(np.isfinite(weights)) and np.all(np.isfinite(bias))):
            raise ValueError(f"W_{gate} or b_{gate} holds what is not a finite number")
        on_h, on_x = weights.ravel()
        gates[gate] = (float(on_h), float(on_x), float(bias.ravel()[0]))
    return gates


def cell_states(cell: Any, marks: Array) -> Array:
    """(T,) of 0 and 1 -> (T,). The state of a one-cell LSTM at every character, from h = c = 0."""
    gates, h, c, seen = numbers_of(cell), 0.0, 0.0, []
    for x in marks.tolist():
        f, i, c_tilde, o = (on_h * h + on_x * x + bias for on_h, on_x, bias in (gates[gate] for gate in GATES))
        c = _sigmoid(f) * c + _sigmoid(i) * float(np.tanh(c_tilde))
        h = _sigmoid(o) * float(np.tanh(c))
        seen.append(c)
    return np.array(seen)


def _sigmoid(a: float) -> float:
    return float(0.5 * (1 + np.tanh(0.5 * a)))


def lines(lengths: Array) -> tuple[Array, Array]:
    """Lines of these lengths, newlines between them: what the cell sees, and the count that it should hold."""
    marks = np.concatenate([np.append(np.zeros(n), 1.0) for n in lengths])[:-1]
    counts = np.concatenate([np.arange(n + 1.0) for n in lengths])[1:]  # every line but the first has its newline's 0
    return marks, counts


def quotations(outside: Array, inside: Array) -> tuple[Array, Array, Array]:
    """Stretches outside and inside in turn, a mark between two: what the cell sees, and where it is judged."""
    stretches = [n for pair in zip(outside, inside, strict=True) for n in pair]
    marks = np.concatenate([np.append(np.zeros(n), 1.0) for n in stretches] + [np.zeros(30)])
    is_inside = (np.cumsum(marks) % 2 == 1) & (marks == 0)
    return marks, is_inside, (np.cumsum(marks) % 2 == 0) & (marks == 0)


def line_texts() -> Iterator[tuple[Array, Array]]:
    """A long first line, then lines of every length in several orders, empty ones among them."""
    rng = np.random.default_rng(70_701)
    for _ in range(6):
        yield lines(np.array([LONGEST, *rng.permutation([LONGEST, 0, 0, 1, 2, *rng.integers(3, LONGEST, size=6)]), 40]))
    yield lines(np.array([0, 0, 30, LONGEST, 5]))


def quote_texts() -> Iterator[tuple[Array, Array, Array]]:
    """A long first quotation, then many of every length and distance, empty ones among them."""
    rng = np.random.default_rng(70_702)
    for _ in range(5):
        inside = np.array([LONGEST, *rng.permutation([LONGEST, 0, 1, *rng.integers(2, LONGEST, size=12)])])
        yield quotations(np.array([25, *rng.integers(1, 120, size=len(inside) - 1)]), inside)
    yield quotations(np.array([0, 1, 300, 40]), np.array([LONGEST, 60, 3, LONGEST]))


def judge_line(trial: Trial) -> Finding | None:
    """The count on every text, and which way it goes wrong on the first one, whose first line is the longest."""
    for marks, counts in line_texts():
        c = cell_states(trial.got, marks)
        if np.all(np.abs(c - counts) <= LINE_BOUND):
            continue
        newline, name = int(np.argmax(marks)), ""
        first_right = np.all(np.abs(c[:newline] - counts[:newline]) <= LINE_BOUND)
        if newline > 1 and first_right and c[newline] > 0.5 * c[newline - 1]:
            name = "never-reset"
        elif np.all(np.abs(c - counts - (np.cumsum(marks) > 0)) <= LINE_BOUND):
            name = "newline-counted"
        elif newline > 1 and abs(c[0] - 1) <= 0.1 and c[newline - 1] < counts[newline - 1] - LINE_BOUND:
            name = "leaks"
        if name:
            slip = next(slip for slip in LINE_SLIPS if slip.name == name)
            return Finding(slip.name, slip.says, slip.credit)
        k = int(np.argmax(~(np.abs(c - counts) <= LINE_BOUND)))
        where = "at a newline" if marks[k] else f"{counts[k]:.0f} characters into a line"
        return Finding("no-count", f"{where}, c is {c[k]:.4g}; {counts[k]:.0f} is wanted.")
    return None


def judge_quote(trial: Trial) -> Finding | None:
    """Inside and outside on every text, and which way it goes wrong, seen on the long first quotation."""
    for marks, inside, outside in quote_texts():
        c = cell_states(trial.got, marks)
        if np.all(c[inside] > QUOTE_LEVEL) and np.all(c[outside] < QUOTE_LEVEL):
            continue
        opening, closing = np.flatnonzero(marks)[:2]
        first, after = c[opening + 1 : closing], c[closing + 1 :][marks[closing + 1 :] == 0]
        name = ""
        if np.all(first > QUOTE_LEVEL) and np.all(after > QUOTE_LEVEL):
            name = "never-cleared"
        elif c[opening] > QUOTE_LEVEL and np.all(first <= QUOTE_LEVEL):
            name = "only-at-the-mark"
        elif len(first) and first[0] > QUOTE_LEVEL >= first[-1]:
            name = "fades"
        if name:
            slip = next(slip for slip in QUOTE_SLIPS if slip.name == name)
            return Finding(slip.name, slip.says, slip.credit)
        k = int(np.argmax((inside & ~(c > QUOTE_LEVEL)) | (outside & ~(c < QUOTE_LEVEL))))
        place, wanted = ("inside", "above") if inside[k] else ("outside", "below")
        return Finding("no-switch", f"{place} quotation marks, c is {c[k]:.4g}; {wanted} {QUOTE_LEVEL} is wanted.")
    return None


LINE_SLIPS = (
    Slip(
        "never-reset",
        "f=(0, -40, 20)",
        "f=(0, 0, 20)",
        credit=0.25,
        says="c counts, but a newline does not take it back to 0. Which gate can wipe the memory out, and when?",
    ),
    Slip(
        "newline-counted",
        "i=(0, -40, 20)",
        "i=(0, 0, 20)",
        credit=0.5,
        says="c is one too large in every line but the first: the newline itself is counted. What is written at it?",
    ),
    Slip(
        "leaks",
        "f=(0, -40, 20)",
        "f=(0, -24, 4)",
        credit=0.4,
        says="c starts right and falls behind in long lines: a little of it is lost at every character. "
        "How wide open is the forget gate?",
    ),
)

QUOTE_SLIPS = (
    Slip(
        "never-cleared",
        "c=(-40, 0, 15)",
        "c=(0, 0, 15)",
        credit=0.25,
        says="c goes up at the first mark and never comes down: opening and closing look the same to x. "
        "What else does the cell see?",
    ),
    Slip(
        "only-at-the-mark",
        "f=(0, -40, 20)",
        "f=(0, 40, -20)",
        credit=0.25,
        says="c is high at the opening mark and gone at the next character. Which gate keeps a memory?",
    ),
    Slip(
        "fades",
        "f=(0, -40, 20)",
        "f=(0, -23, 3)",
        credit=0.5,
        says="c is high after the opening mark, but does not last through a long quotation. "
        "How wide open is the forget gate?",
    ),
)


# --------------------------------------------------------------------------- other ways through the sequence

STACKED = """
    n, m = len(h0), len(xs)
    W = np.vstack([params["W_f"], params["W_i"], params["W_o"], params["W_c"]])
    b = np.concatenate([params["b_f"], params["b_i"], params["b_o"], params["b_c"]])
    hs, cs, zs, acts, ps = [h0], [c0], [], [], []
    for x in xs:
        zs.append(np.concatenate([hs[-1], x]))
        a = W @ zs[-1] + b
        acts.append(np.concatenate([1 / (1 + np.exp(-a[: 3 * n])), np.tanh(a[3 * n :])]))
        f, i, o, g = np.split(acts[-1], 4)
        cs.append(f * cs[-1] + i * g)
        hs.append(o * np.tanh(cs[-1]))
        e = np.exp(params["W_v"] @ hs[-1] + params["b_v"])
        ps.append(e / e.sum())
    dW, db, dWv, dbv = np.zeros(W.shape), np.zeros(b.shape), np.zeros(params["W_v"].shape), np.zeros(len(params["b_v"]))
    dh, dc = np.zeros(n), np.zeros(n)
    for t in range(m - 1, -1, -1):
        dv = ps[t] - (np.arange(len(ps[t])) == ys[t])
        dWv, dbv, dh = dWv + np.outer(dv, hs[t + 1]), dbv + dv, dh + dv @ params["W_v"]
        f, i, o, g = np.split(acts[t], 4)
        th = np.tanh(cs[t + 1])
        dc = dc + dh * o * (1 - th * th)
        gates = [dc * cs[t] * f * (1 - f), dc * g * i * (1 - i), dh * th * o * (1 - o), dc * i * (1 - g * g)]
        da = np.concatenate(gates)
        dW, db, dh, dc = dW + np.outer(da, zs[t]), db + da, (da @ W)[:n], dc * f
    names = "fioc"
    out = {"W_" + k: dW[j * n : j * n + n] for j, k in enumerate(names)}
    out.update({"b_" + k: db[j * n : j * n + n] for j, k in enumerate(names)}, W_v=dWv, b_v=dbv)
    return -sum(np.log(p[y]) for p, y in zip(ps, ys)), out, dh, dc
"""

BY_ARRAYS = """
    h, c, kept = h0, c0, []
    for x in xs:
        h, c, cache = lstm_step(x, h, c, params)
        kept.append(cache)
    H = np.array([k["h"] for k in kept])
    p = np.array([lstm_output(h, params["W_v"], params["b_v"])[1] for h in H])
    d_scores = p - np.eye(p.shape[1])[ys]
    d_hs, d_as, back_h, back_c = d_scores @ params["W_v"], {k: [] for k in "fico"}, 0 * h0, 0 * c0
    for t in range(len(xs))[::-1]:
        k, d_hs[t] = kept[t], d_hs[t] + back_h
        d_mem = d_cell(d_hs[t], k["o"], k["c"], back_c)
        d_as["f"].insert(0, d_mem * k["c_prev"] * k["f"] * (1 - k["f"]))
        d_as["i"].insert(0, d_mem * k["c_tilde"] * k["i"] * (1 - k["i"]))
        d_as["c"].insert(0, d_mem * k["i"] * (1 - k["c_tilde"] ** 2))
        d_as["o"].insert(0, d_hs[t] * np.tanh(k["c"]) * k["o"] * (1 - k["o"]))
        back_c = d_mem * k["f"]
        back_h = sum(d_as[g][0] @ params["W_" + g] for g in "ocif")[: len(h0)]
    Z = np.array([k["z"] for k in kept])
    out = {"W_" + g: np.array(d_as[g]).T @ Z for g in "fico"}
    out.update({"b_" + g: np.sum(d_as[g], axis=0) for g in "fico"}, W_v=d_scores.T @ H, b_v=d_scores.sum(0))
    return -np.log(p[np.arange(len(xs)), ys]).sum(), out, back_h, back_c
"""


def overwritten(name: str) -> Slip:
    """The gradient of one parameter alone is replaced at each step, all others are added up."""
    return Slip(
        f"{name}-not-summed",
        "grads[name] + d_param",
        f'(0.0 if name == "{name}" else grads[name]) + d_param',
        credit=0.75,
        says=f"All is right but the gradient of {name}: it is that of one step, overwritten and not added up.",
    )


# --------------------------------------------------------------------------- the items

ITEMS = (
    layer_item(
        "forget-gate",
        "f",
        "sigmoid",
        "np.tanh",
        NOT_TANH,
        [SUM_FIRST, "sigmoid is given.", "the sigmoid of the matrix times z, plus the bias inside"],
    ),
    layer_item(
        "input-gate",
        "i",
        "sigmoid",
        "np.tanh",
        NOT_TANH,
        [SUM_FIRST, "The same form as the forget gate, other weights."],
    ),
    layer_item(
        "candidate",
        "c",
        "np.tanh",
        "sigmoid",
        NOT_SIGMOID,
        [SUM_FIRST, "This one is no gate: from -1 to 1.", "np.tanh of the matrix times z plus the bias"],
    ),
    layer_item(
        "output-gate",
        "o",
        "sigmoid",
        "np.tanh",
        NOT_TANH,
        [SUM_FIRST, "The same form as the other two gates."],
    ),
    function(
        "cell-state",
        points=1,
        worked=[Worked("the example", from_example("f", "c_prev", "i", "c_tilde"))],
        cases=[
            Case("four cells", lambda rng: memory_case(rng, 4)),
            Case("one cell", lambda rng: memory_case(rng, 1)),
            Case("a full memory, seven cells", lambda rng: memory_case(rng, 7, 5.0)),
        ],
        slips=[
            Slip(
                "memory-lost",
                "f * c_prev + i * c_tilde",
                "i * c_tilde",
                credit=0.25,
                says="The old memory is not in it. From an empty memory nobody would notice.",
            ),
            Slip(
                "tilde-lost",
                "i * c_tilde",
                "i * c_prev",
                says="The candidate is not in it: the old memory was used twice. One line of the article loses "
                "the tilde.",
            ),
            Slip(
                "gates-swapped",
                "f * c_prev + i * c_tilde",
                "i * c_prev + f * c_tilde",
                says="The two gates changed places: which one belongs to the old memory?",
            ),
            Slip(
                "squashed",
                "f * c_prev + i * c_tilde",
                "np.tanh(f * c_prev + i * c_tilde)",
                says="The memory itself was squashed. That happens only when it is shown.",
            ),
            Slip(
                "minus",
                "f * c_prev + i",
                "f * c_prev - i",
                says="What is written was subtracted. The belt is only scaled and added to.",
            ),
            Slip(
                "kept-for-forgotten",
                "f * c_prev",
                "(1 - f) * c_prev",
                says="The forget gate works the wrong way round: at 1 it should keep everything.",
            ),
            Slip(
                "one-gate-for-both",
                "i * c_tilde",
                "(1 - f) * c_tilde",
                says="The input gate is not used: what is written does not follow from what is forgotten here.",
            ),
        ],
        same=[
            Same("two rows", "f * c_prev + i * c_tilde", "np.sum(np.array([f, i]) * np.array([c_prev, c_tilde]), 0)"),
            Same("einsum", "f * c_prev + i * c_tilde", "np.einsum('gh,gh->h', [f, i], [c_prev, c_tilde])"),
            Same(
                "cell by cell",
                "",
                "    return np.array([f[k] * c_prev[k] + i[k] * c_tilde[k] for k in range(len(f))])",
            ),
        ],
        hints=["Two products, one sum.", "forget gate times old memory, plus input gate times candidate"],
    ),
    function(
        "hidden-state",
        points=1,
        worked=[Worked("the example", from_example("o", "c"))],
        cases=[
            Case("five cells", lambda rng: (opened(rng, 5), states(rng, 5)[1])),
            Case("one cell", lambda rng: (opened(rng, 1), states(rng, 1)[1])),
            Case("a full memory", lambda rng: (opened(rng, 3), 3 * signed(rng, 3))),
        ],
        slips=[
            Slip(
                "not-squashed",
                "np.tanh(c)",
                "c",
                says="The memory is shown as it is. It may be larger than 1; what is shown may not.",
            ),
            Slip(
                "sigmoid-for-tanh",
                "np.tanh(c)",
                "sigmoid(c)",
                says="The memory went through the sigmoid, so nothing negative can be shown.",
            ),
            Slip(
                "gate-inside",
                "o * np.tanh(c)",
                "np.tanh(o * c)",
                says="The gate was multiplied in before the squashing. It decides about what comes out of it.",
            ),
            Slip("gate-left-out", "o * ", "", credit=0.25, says="That is the squashed memory: the gate is missing."),
            Slip(
                "sum-for-product",
                "o * np",
                "o + np",
                credit=0.25,
                says="The gate was added. A shut gate (0) should show nothing at all.",
            ),
        ],
        same=[
            Same("turned", "o * np.tanh(c)", "np.multiply(np.tanh(c), o)"),
            Same("from the sigmoid", "np.tanh(c)", "(2 * sigmoid(2 * c) - 1)"),
            Same("by exponentials", "np.tanh(c)", "(1 - 2 / (np.exp(2 * c) + 1))"),
            Same("cell by cell", "", "    return np.array([gate * np.tanh(memory) for gate, memory in zip(o, c)])"),
        ],
        hints=["Squash first, then let the gate decide.", "the gate times tanh of the memory"],
    ),
    function(
        "lstm-output",
        points=1,
        parts=("v", "y_hat"),
        worked=[
            Worked(
                "h = (.5, -.2)",
                lambda given: (np.array([0.5, -0.2]), given["params"]["W_v"], given["params"]["b_v"]),
            )
        ],
        cases=[
            Case("four classes, three units", lambda rng: (signed(rng, 3), signed(rng, 4, 3), signed(rng, 4))),
            Case("two classes, five units", lambda rng: (signed(rng, 5), signed(rng, 2, 5) / 2, signed(rng, 2))),
            Case("six classes, one unit", lambda rng: (signed(rng, 1), signed(rng, 6, 1), signed(rng, 6))),
        ],
        slips=[
            Slip("no-bias", " + b_v", "", says="The bias of the scores is missing."),
            Slip(
                "sigmoid-for-softmax",
                "softmax(v)",
                "sigmoid(v)",
                says="The second result does not add up to 1: each score was squashed by itself.",
            ),
            Slip(
                "not-normalised",
                "softmax(v)",
                "np.exp(v)",
                says="The second result does not add up to 1: exp was taken, and nothing was divided.",
            ),
            Slip(
                "scores-twice",
                "softmax(v)",
                "v",
                credit=0.4,
                says="Both results are the scores. The second should be probabilities.",
            ),
            Slip(
                "logarithms",
                "softmax(v)",
                "np.log(softmax(v))",
                says="The second result is negative: those are logarithms of the probabilities.",
            ),
            Slip(
                "softmax-twice",
                "v, softmax(v)",
                "softmax(v), softmax(softmax(v))",
                says="The first result should be the scores as they are; it looks as if softmax came too early.",
            ),
        ],
        same=[
            Same("row times matrix", "W_v @ h", "h @ W_v.T"),
            Same("einsum", "W_v @ h", "np.einsum('vh,h->v', W_v, h)"),
            Same("own softmax", "softmax(v)", "np.exp(v) / np.exp(v).sum()"),
            Same("a list", "v, softmax(v)", "[v, softmax(v)]"),
        ],
        hints=["Scores first: the matrix times h, plus the bias.", "softmax is given; return both, scores first."],
    ),
    function(
        "lstm-step",
        points=3,
        parts=("h", "c", ""),
        builds_on=["forget-gate", "input-gate", "candidate", "output-gate", "cell-state", "hidden-state"],
        worked=[
            Worked("the first step", lambda given: (given["xs"][0], given["h0"], given["c0"], given["params"])),
            Worked(
                "the first step of `other`, H = 3 and D = 2",
                lambda given: (given["other"]["xs"][0], *from_other("h0", "c0", "params")(given)),
            ),
        ],
        cases=[
            # of these sizes alone can the notebook's own `params` be used, so that this mistake has numbers
            Case("two units, three inputs", lambda rng: step_case(rng, 3, 2)),
            Case("three units, two inputs", lambda rng: step_case(rng, 2, 3)),
            Case("two units, five inputs", lambda rng: step_case(rng, 5, 2)),
            Case("one unit, four inputs", lambda rng: step_case(rng, 4, 1)),
        ],
        slips=[
            Slip(
                "notebook-params",
                "z = np",
                'params = globals()["params"]\n    z = np',
                says="It uses the weights of the worked LSTM, whatever comes in: take them from the last argument.",
            ),
            Slip(
                "input-first",
                "[h_prev, x]",
                "[x, h_prev]",
                says="The two parts of z are in the other order. The columns of the weights expect the hidden state "
                "first.",
            ),
            Slip(
                "memory-lost",
                "cell_state(f, c_prev,",
                "cell_state(f, 0 * c_prev,",
                credit=0.4,
                says="The step starts from an empty memory: the cell state that came in has no effect.",
            ),
            Slip(
                "hidden-state-ignored",
                "[h_prev, x]",
                "[0 * h_prev, x]",
                credit=0.4,
                says="The hidden state that came in has no effect: it looks as if each step started from zero.",
            ),
            Slip(
                "old-memory-shown",
                "hidden_state(o, c)",
                "hidden_state(o, c_prev)",
                says="c is right, h is not: it shows the memory from before the step.",
            ),
            Slip(
                "gates-swapped",
                "cell_state(f, c_prev, i, c_tilde)",
                "cell_state(i, c_prev, f, c_tilde)",
                says="Forget gate and input gate changed places.",
            ),
            Slip(
                "forget-for-output",
                "hidden_state(o, c)",
                "hidden_state(f, c)",
                says="c is right, h is not: another gate decides about what is shown.",
            ),
            Slip(
                "wrong-bias",
                'params["b_i"]',
                'params["b_f"]',
                says="The input gate seems to have another layer's bias.",
            ),
            Slip(
                "results-turned",
                "return h, c,",
                "return c, h,",
                says="The two states are returned in the other order: hidden state first, then cell state.",
            ),
        ],
        same=[
            Same(
                "no cache",
                'h, c, {"z": z, "f": f, "i": i, "c_tilde": c_tilde, "o": o, "c_prev": c_prev, "c": c, "h": h}',
                "h, c, None",
            ),
            Same(
                "two results",
                'h, c, {"z": z, "f": f, "i": i, "c_tilde": c_tilde, "o": o, "c_prev": c_prev, "c": c, "h": h}',
                "h, c",
            ),
            Same(
                "all gates in one product",
                "",
                "    n = len(h_prev)\n"
                '    W = np.vstack([params["W_f"], params["W_i"], params["W_o"], params["W_c"]])\n'
                '    b = np.concatenate([params["b_f"], params["b_i"], params["b_o"], params["b_c"]])\n'
                "    a = W @ np.concatenate((h_prev, x)) + b\n"
                "    s = 1 / (1 + np.exp(-a[: 3 * n]))\n"
                "    c = s[:n] * c_prev + s[n : 2 * n] * np.tanh(a[3 * n :])\n"
                "    return s[2 * n :] * np.tanh(c), c, (a, s)",
            ),
            Same(
                "without concatenating",
                "",
                "    n = len(h_prev)\n"
                '    a = {k: params["W_" + k][:, :n] @ h_prev + params["W_" + k][:, n:] @ x + params["b_" + k]'
                ' for k in "fico"}\n'
                '    c = sigmoid(a["f"]) * c_prev + sigmoid(a["i"]) * np.tanh(a["c"])\n'
                '    return sigmoid(a["o"]) * np.tanh(c), c, a',
            ),
        ],
        hints=[
            "First z, then the four layers, then the new memory, then what is shown of it.",
            "z is np.concatenate of the hidden state and the input, in this order.",
            "c from cell_state(f, c_prev, i, c_tilde), h from hidden_state(o, c) with the new c",
        ],
    ),
    function(
        "d-output",
        points=1,
        parts=("d_v", "d_h"),
        worked=[
            Worked(
                "y_hat = (.2, .5, .1, .2), label 2",
                lambda given: (np.array([0.2, 0.5, 0.1, 0.2]), 2, given["params"]["W_v"]),
            )
        ],
        cases=[
            Case("five classes, three units", lambda rng: output_case(rng, 5, 3)),
            Case("three classes, two units", lambda rng: output_case(rng, 3, 2)),
            Case("two classes, six units", lambda rng: output_case(rng, 2, 6)),
            # here alone can the transposed product be computed, so that its mistake has numbers
            Case("as many classes as units", lambda rng: output_case(rng, 4, 4)),
        ],
        slips=[
            Slip(
                "label-as-number",
                "d_v[y] -= 1",
                "d_v -= y",
                says="The label was subtracted as a number from every entry. It says where to subtract.",
            ),
            Slip(
                "turned-round",
                "d_v[y] -= 1",
                "d_v[y] -= 1\n    d_v *= -1",
                says="The signs are turned: a larger score at the label makes the loss smaller.",
            ),
            Slip(
                "labels-from-one",
                "d_v[y] -= 1",
                "d_v[y - 1] -= 1",
                says="The entry beside the label was changed. Labels count from 0, as numpy does.",
            ),
            Slip(
                "label-ignored",
                "d_v[y] -= 1",
                "d_v[y] -= 0",
                credit=0.25,
                says="Those are the probabilities themselves. How does the right class come in?",
            ),
            Slip(
                "probabilities-sent-back",
                "W_v.T @ d_v",
                "W_v.T @ y_hat",
                says="d_v is right; what is sent back to h are the probabilities, not the gradient.",
            ),
            Slip(
                "loss-alone",
                "d_v[y] -= 1",
                "d_v = np.where(np.arange(len(y_hat)) == y, -1 / y_hat, 0.0)",
                credit=0.4,
                says="That is the gradient with respect to the probabilities. One link is missing: softmax.",
            ),
            Slip(
                "weights-not-turned",
                "W_v.T @ d_v",
                "W_v @ d_v",
                says="Going back, the weights were used as on the way forward: h to v is (V, H), v to h is (H, V).",
            ),
        ],
        same=[
            Same("one-hot", "d_v[y] -= 1", "d_v = y_hat - (np.arange(len(y_hat)) == y)"),
            Same("identity matrix", "d_v[y] -= 1", "d_v = y_hat - np.eye(len(y_hat))[y]"),
            Same("row times matrix", "W_v.T @ d_v", "d_v @ W_v"),
            Same("einsum", "W_v.T @ d_v", "np.einsum('vh,v->h', W_v, d_v)"),
            Same("summed by hand", "W_v.T @ d_v", "sum(d_v[k] * W_v[k] for k in range(len(d_v)))"),
        ],
        hints=[
            "Unit 3: softmax with cross-entropy has a short gradient.",
            "Only one entry of the probabilities changes. Work on a copy.",
            "1 less at the label; then W_v transposed times that",
        ],
    ),
    function(
        "d-output-gate",
        points=2,
        parts=("d_o", "d_a_o"),
        worked=[Worked("the example", from_example("d_h", "o", "c"))],
        cases=[
            Case("four cells", lambda rng: (signed(rng, 4), opened(rng, 4), states(rng, 4)[1])),
            Case("one cell", lambda rng: (signed(rng, 1), opened(rng, 1), states(rng, 1)[1])),
            Case("a full memory", lambda rng: (signed(rng, 3), opened(rng, 3), 1.5 * signed(rng, 3))),
        ],
        slips=[
            *gate_slips("d_o", "o"),
            Slip("slope-of-the-memory", "o * (1 - o)", "(1 - np.tanh(c) ** 2)", says=OTHER_SLOPE),
            Slip(
                "memory-not-squashed",
                "np.tanh(c)",
                "c",
                says="The partner of o in the product is not the memory itself, but what is shown of it.",
            ),
            Slip(
                "other-road",
                "np.tanh(c)",
                "(1 - np.tanh(c) ** 2)",
                credit=0.4,
                says="The slope of tanh is on the other road, to the memory. On the road to the gate it is not met.",
            ),
            Slip(
                "own-factor",
                "d_h * np.tanh(c)",
                "d_h * o",
                credit=0.4,
                says="The gradient was multiplied with the gate itself. In a product each factor gets its partner.",
            ),
        ],
        same=[
            Same("expanded", "o * (1 - o)", "(o - o**2)"),
            Same("middle", "o * (1 - o)", "(0.25 - (o - 0.5) ** 2)"),
            Same("from h", "d_h * np.tanh(c)", "d_h * (o * np.tanh(c)) / o"),
            Same(
                "cell by cell",
                "",
                "    d_o = [g * np.tanh(m) for g, m in zip(d_h, c)]\n"
                "    return np.array(d_o), np.array([g * v * (1 - v) for g, v in zip(d_o, o)])",
            ),
        ],
        hints=[
            "h is a product of two factors; what is the partner of o?",
            "The slope of the sigmoid, from its output: unit 3, sigmoid_prime.",
            "d_o is d_h times tanh(c); then times o (1 - o)",
        ],
    ),
    function(
        "d-cell",
        points=2,
        worked=[Worked("the example", from_example("d_h", "o", "c", "d_c_next"))],
        cases=[
            Case("in mid-sequence", lambda rng: clubbed_case(rng, 4)),
            Case("one cell", lambda rng: clubbed_case(rng, 1)),
            Case("the last step", lambda rng: (signed(rng, 5), opened(rng, 5), states(rng, 5)[1], np.zeros(5))),
        ],
        slips=[
            Slip(
                "next-step-dropped",
                " + d_c_next",
                "",
                credit=0.4,
                says="It is right at the last step only: what comes back from the next step is missing.",
            ),
            Slip(
                "minus",
                " + d_c_next",
                " - d_c_next",
                says="The two parts were subtracted. The article prints plus-minus; a value that is used twice "
                "has only one rule.",
            ),
            Slip(
                "no-slope",
                " * (1 - np.tanh(c) ** 2)",
                "",
                says="On its way from h to the memory the gradient passes the squashing; its slope is missing.",
            ),
            Slip(
                "slope-of-the-memory",
                "np.tanh(c) ** 2",
                "c**2",
                says="The slope of tanh is written with its output. The memory itself is its input.",
            ),
            Slip(
                "not-squared",
                "np.tanh(c) ** 2",
                "np.tanh(c)",
                says="The slope of tanh is not quite that: at c and at -c the curve is equally steep.",
            ),
            Slip(
                "next-step-squashed",
                "d_h * o * (1 - np.tanh(c) ** 2) + d_c_next",
                "(d_h * o + d_c_next) * (1 - np.tanh(c) ** 2)",
                says="What comes from the next step was multiplied with the slope as well. It arrives at the memory "
                "itself, behind the squashing.",
            ),
            Slip(
                "gate-left-out",
                "d_h * o * (",
                "d_h * (",
                says="The output gate is missing: a cell that shows nothing gets nothing back from h.",
            ),
            Slip(
                "other-road",
                "(1 - np.tanh(c) ** 2)",
                "np.tanh(c)",
                credit=0.4,
                says="That factor is on the road to the gate o. To the memory one passes the squashing.",
            ),
        ],
        same=[
            Same("two brackets", "(1 - np.tanh(c) ** 2)", "(1 - np.tanh(c)) * (1 + np.tanh(c))"),
            Same("cosh", "(1 - np.tanh(c) ** 2)", "np.cosh(c) ** -2"),
            Same(
                "by a graph", "d_h * o * (1 - np.tanh(c) ** 2) + d_c_next", "d_c_next + (o - o * np.tanh(c) ** 2) * d_h"
            ),
            Same(
                "cell by cell",
                "",
                "    return np.array(\n"
                "        [d_h[k] * o[k] * (1 - np.tanh(c[k]) ** 2) + d_c_next[k] for k in range(len(c))]\n    )",
            ),
        ],
        hints=[
            "C is used in two places: in h, and in the next step.",
            "From h: past the gate, and past tanh with its slope at C.",
            "d_h times o times (1 - tanh(c) squared), plus d_c_next",
        ],
    ),
    function(
        "d-candidate",
        points=2,
        parts=("d_c_tilde", "d_a_c"),
        worked=[Worked("the example", from_example("d_c", "i", "c_tilde"))],
        cases=[
            Case("five cells", lambda rng: (signed(rng, 5), opened(rng, 5), squashed(rng, 5))),
            Case("one cell", lambda rng: (signed(rng, 1), opened(rng, 1), squashed(rng, 1))),
            Case("three cells", lambda rng: (signed(rng, 3), opened(rng, 3), squashed(rng, 3))),
        ],
        slips=[
            Slip("no-slope", " * (1 - c_tilde**2)", "", says="The second result lacks the slope of the candidate."),
            Slip("slope-of-the-gate", "(1 - c_tilde**2)", "i * (1 - i)", says=OTHER_SLOPE),
            Slip(
                "slope-in-both",
                "return d_c_tilde, d_c_tilde * (1 - c_tilde**2)",
                "return d_c_tilde * (1 - c_tilde**2), d_c_tilde * (1 - c_tilde**2)",
                says=EARLY_SLOPE,
            ),
            Slip(
                "squashed-again",
                "c_tilde**2)",
                "np.tanh(c_tilde) ** 2)",
                says="The candidate was squashed once more before the slope was taken. It is an output already.",
            ),
            Slip(
                "sigmoid-slope",
                "(1 - c_tilde**2)",
                "c_tilde * (1 - c_tilde)",
                says="That is the slope of the sigmoid. The candidate is a tanh.",
            ),
            Slip("not-squared", "c_tilde**2)", "c_tilde)", says="The slope of tanh, from its output, has a square."),
            Slip(
                "gate-left-out",
                "d_c * i",
                "d_c * 1",
                says="The gradient came to the candidate unchanged. It stands in a product: what is its partner?",
            ),
            Slip(
                "own-factor",
                "d_c * i",
                "d_c * c_tilde",
                credit=0.4,
                says="The gradient was multiplied with the candidate. In a product each factor gets its partner.",
            ),
            Slip(
                "gate-slope",
                "d_c * i",
                "d_c * i * (1 - i)",
                credit=0.4,
                says="The slope of the input gate came in. It is on another road, to the gate's own input.",
            ),
        ],
        same=[
            Same("two brackets", "(1 - c_tilde**2)", "(1 - c_tilde) * (1 + c_tilde)"),
            Same("from the input", "(1 - c_tilde**2)", "(1 - np.tanh(np.arctanh(c_tilde)) ** 2)"),
            Same("difference", "d_c_tilde * (1 - c_tilde**2)", "d_c_tilde - d_c_tilde * c_tilde**2"),
            Same(
                "cell by cell",
                "",
                "    pairs = [(g * v, g * v * (1 - m * m)) for g, v, m in zip(d_c, i, c_tilde)]\n"
                "    return np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])",
            ),
        ],
        hints=[
            "What is the candidate multiplied with on the way forward?",
            "The slope of tanh, from its output.",
            "d_c times i; then times (1 - c_tilde squared)",
        ],
    ),
    function(
        "d-input-gate",
        points=2,
        parts=("d_i", "d_a_i"),
        worked=[Worked("the example", from_example("d_c", "i", "c_tilde"))],
        cases=[
            Case("five cells", lambda rng: (signed(rng, 5), opened(rng, 5), squashed(rng, 5))),
            Case("one cell", lambda rng: (signed(rng, 1), opened(rng, 1), squashed(rng, 1))),
            Case("three cells", lambda rng: (signed(rng, 3), opened(rng, 3), squashed(rng, 3))),
        ],
        slips=[
            *gate_slips("d_i", "i"),
            Slip("slope-of-the-candidate", "i * (1 - i)", "(1 - c_tilde**2)", says=OTHER_SLOPE),
            Slip(
                "own-factor",
                "d_c * c_tilde",
                "d_c * i",
                credit=0.4,
                says="The gradient was multiplied with the gate itself. In a product each factor gets its partner.",
            ),
            Slip(
                "partner-left-out",
                "d_c * c_tilde",
                "d_c * 1",
                says="The gradient came to the gate unchanged. It stands in a product: what is its partner?",
            ),
            Slip(
                "candidate-slope",
                "d_c * c_tilde",
                "d_c * (1 - c_tilde**2)",
                credit=0.4,
                says="The slope of the candidate came in. It is on the other road, to the candidate's own input.",
            ),
        ],
        same=[
            Same("expanded", "i * (1 - i)", "(i - i**2)"),
            Same("middle", "i * (1 - i)", "(0.25 - (i - 0.5) ** 2)"),
            Same("difference", "d_i * i * (1 - i)", "d_i * i - d_i * i**2"),
            Same(
                "cell by cell",
                "",
                "    pairs = [(g * m, g * m * v * (1 - v)) for g, v, m in zip(d_c, i, c_tilde)]\n"
                "    return np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])",
            ),
        ],
        hints=[
            "The same product as for the candidate, seen from the other side.",
            "This one is a sigmoid again.",
            "d_c times c_tilde; then times i (1 - i)",
        ],
    ),
    function(
        "d-forget-gate",
        points=2,
        parts=("d_f", "d_a_f"),
        worked=[Worked("the example", from_example("d_c", "f", "c_prev"))],
        cases=[
            Case("five cells", lambda rng: (signed(rng, 5), opened(rng, 5), states(rng, 5)[1])),
            Case("one cell", lambda rng: (signed(rng, 1), opened(rng, 1), states(rng, 1)[1])),
            Case("a full memory", lambda rng: (signed(rng, 3), opened(rng, 3), 4 * signed(rng, 3))),
        ],
        slips=[
            *gate_slips("d_f", "f"),
            Slip(
                "own-factor",
                "d_c * c_prev",
                "d_c * f",
                credit=0.4,
                says="That is what the old memory gets. In a product each factor gets its partner.",
            ),
            Slip(
                "partner-left-out",
                "d_c * c_prev",
                "d_c * 1",
                says="The gradient came to the gate unchanged. It stands in a product: what is its partner?",
            ),
            Slip(
                "memory-squashed",
                "d_c * c_prev",
                "d_c * np.tanh(c_prev)",
                says="The old memory was squashed. On the belt it is used as it is.",
            ),
        ],
        same=[
            Same("expanded", "f * (1 - f)", "(f - f**2)"),
            Same("middle", "f * (1 - f)", "(0.25 - (f - 0.5) ** 2)"),
            Same("difference", "d_f * f * (1 - f)", "d_f * f - d_f * f**2"),
            Same(
                "cell by cell",
                "",
                "    pairs = [(g * m, g * m * v * (1 - v)) for g, v, m in zip(d_c, f, c_prev)]\n"
                "    return np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])",
            ),
        ],
        hints=[
            "What is the forget gate multiplied with on the way forward: the old memory or the new one?",
            "Then the slope of the sigmoid, as for the input gate.",
            "d_c times c_prev; then times f (1 - f)",
        ],
    ),
    function(
        "d-previous-cell",
        points=1,
        worked=[Worked("the example", from_example("d_c", "f"))],
        cases=[
            Case("four cells", lambda rng: (signed(rng, 4), opened(rng, 4))),
            Case("one cell", lambda rng: (signed(rng, 1), opened(rng, 1))),
            Case("six cells", lambda rng: (signed(rng, 6), opened(rng, 6))),
        ],
        slips=[
            Slip(
                "untouched",
                "d_c * f",
                "d_c.copy()",
                credit=0.25,
                says="The gradient went back unchanged. On the way forward the old memory was scaled.",
            ),
            Slip(
                "gate-slope",
                "d_c * f",
                "d_c * f * (1 - f)",
                says="The gate's slope came in. It is on the road to the gate's input, not on the belt.",
            ),
            Slip(
                "what-is-forgotten",
                "d_c * f",
                "d_c * (1 - f)",
                says="The gate works the wrong way round: with f = 1 all of the gradient comes through.",
            ),
            Slip(
                "sum-for-product",
                "d_c * f",
                "d_c + f",
                credit=0.25,
                says="The gate was added. A local slope is multiplied with what arrives.",
            ),
            Slip(
                "gate-alone",
                "d_c * f",
                "1.0 * f",
                credit=0.25,
                says="That is the local slope alone: the gradient that arrives is missing.",
            ),
        ],
        same=[
            Same("turned", "d_c * f", "np.multiply(f, d_c)"),
            Same("cell by cell", "d_c * f", "np.array([g * gate for g, gate in zip(d_c, f)])"),
            Same("diagonal", "d_c * f", "np.diag(f) @ d_c"),
        ],
        hints=["The fourth factor of the two products. Who is its partner?", "d_c times f"],
    ),
    function(
        "d-concat",
        points=3,
        parts=("d_h_prev", "d_x"),
        worked=[
            Worked("four small gradients, H = 2", lambda given: (SMALL_D_A, given["params"], 2)),
            Worked("the `other` parameters, H = 3", lambda given: (OTHER_D_A, given["other"]["params"], 3)),
        ],
        cases=[
            Case("three units, two inputs", lambda rng: concat_case(rng, 2, 3)),
            Case("two units, five inputs", lambda rng: concat_case(rng, 5, 2)),
            Case("one unit, four inputs", lambda rng: concat_case(rng, 4, 1)),
        ],
        slips=[
            Slip(
                "one-road-of-four",
                '"fico"',
                '"o"',
                credit=0.25,
                says="Only the road through the output gate is in it. z feeds all four layers.",
            ),
            Slip(
                "candidate-forgotten",
                '"fico"',
                '"fio"',
                says="Three roads are in it, one is missing: the candidate sees z as well.",
            ),
            Slip(
                "input-first",
                "d_z[:H], d_z[H:]",
                "d_z[-H:], d_z[:-H]",
                says="It was cut at the wrong end: z begins with the hidden state.",
            ),
            Slip(
                "always-two-units",
                "d_z[:H], d_z[H:]",
                "d_z[:2], d_z[2:]",
                says="It is cut after two entries whatever H is: right for the worked LSTM, and for no other size.",
            ),
            Slip(
                "results-turned",
                "d_z[:H], d_z[H:]",
                "d_z[H:], d_z[:H]",
                says="The two results are in the other order: first the hidden state's, then the input's.",
            ),
            Slip(
                "averaged",
                'for gate in "fico")',
                'for gate in "fico") / 4',
                says="Everything is a quarter of what it should be. Gradients from several roads add.",
            ),
            Slip(
                "weights-mixed-up",
                "d_a[gate]",
                'd_a[{"i": "c", "c": "i"}.get(gate, gate)]',
                says="Two roads are crossed: it seems that input gate and candidate each use the other's weights.",
            ),
            Slip(
                "one-matrix-for-all",
                'params[f"W_{gate}"].T',
                'params["W_f"].T',
                credit=0.25,
                says="All four gradients went back through the forget gate's weights.",
            ),
        ],
        same=[
            Same(
                "written out",
                'sum(params[f"W_{gate}"].T @ d_a[gate] for gate in "fico")',
                'd_a["o"] @ params["W_o"] + d_a["c"] @ params["W_c"] + d_a["i"] @ params["W_i"]'
                ' + d_a["f"] @ params["W_f"]',
            ),
            Same(
                "all in one product",
                'sum(params[f"W_{gate}"].T @ d_a[gate] for gate in "fico")',
                'np.vstack([params["W_" + k] for k in "ocif"]).T @ np.concatenate([d_a[k] for k in "ocif"])',
            ),
            Same(
                "einsum",
                'sum(params[f"W_{gate}"].T @ d_a[gate] for gate in "fico")',
                'np.einsum("ghz,gh->z", [params["W_" + k] for k in "fico"], [d_a[k] for k in "fico"])',
            ),
            Same(
                "cut first",
                "",
                '    back = [(params["W_" + k], d_a[k]) for k in "fico"]\n'
                "    return sum(W[:, :H].T @ d for W, d in back), sum(W[:, H:].T @ d for W, d in back)",
            ),
        ],
        hints=[
            "z goes into four layers; what comes back from a layer goes over its weights, transposed.",
            "Add the four, then cut where z was joined.",
            "d_z is the sum of W transposed times d_a over the four; its first H entries are d_h_prev",
        ],
    ),
    function(
        "d-weights",
        points=2,
        worked=[Worked("four small gradients", lambda given: (SMALL_D_A, given["z1"]))],
        cases=[
            Case("three units, two inputs", lambda rng: (gate_gradients(rng, 3), signed(rng, 5))),
            Case("two units, six inputs", lambda rng: (gate_gradients(rng, 2), signed(rng, 8))),
            Case("one unit, three inputs", lambda rng: (gate_gradients(rng, 1), signed(rng, 4))),
        ],
        slips=[
            Slip(
                "outer-turned",
                "np.outer(d_a[gate], z)",
                "np.outer(z, d_a[gate])",
                says="The weights' gradients lie on their side: each must have the shape of its W.",
            ),
            Slip(
                "no-bias-gradient",
                "d_a[gate].copy()",
                "0 * d_a[gate]",
                says="The biases get no gradient. A bias is a weight whose input is always 1.",
            ),
            Slip(
                "bias-summed-up",
                "d_a[gate].copy()",
                "np.sum(d_a[gate])",
                says="Each bias gradient is a single number: the units were added up, but each has a bias of its own.",
            ),
            Slip(
                "z-left-out",
                "np.outer(d_a[gate], z)",
                "np.outer(d_a[gate], np.ones_like(z))",
                credit=0.25,
                says="The rows of each weight gradient hold one number only. What is a weight multiplied with?",
            ),
            Slip(
                "keys-mixed-up",
                "np.outer(d_a[gate], z)",
                'np.outer(d_a[{"c": "o", "o": "c"}.get(gate, gate)], z)',
                says="Candidate and output gate have each other's weight gradient.",
            ),
            Slip(
                "one-gate-for-all",
                "np.outer(d_a[gate], z)",
                'np.outer(d_a["f"], z)',
                credit=0.25,
                says="All four weight gradients are the forget gate's.",
            ),
        ],
        same=[
            Same("column times row", "np.outer(d_a[gate], z)", "d_a[gate][:, None] * z[None, :]"),
            Same("einsum", "np.outer(d_a[gate], z)", "np.einsum('h,z->hz', d_a[gate], z)"),
            Same("turned twice", "np.outer(d_a[gate], z)", "np.outer(z, d_a[gate]).T"),
            Same("row by row", "np.outer(d_a[gate], z)", "np.array([d * z for d in d_a[gate]])"),
        ],
        hints=[
            "Every entry of W's gradient is one entry of d_a times one entry of z.",
            "Its shape must be that of W: rows belong to units, columns to entries of z.",
            "np.outer(d_a, z) for a W, d_a itself for a b",
        ],
    ),
    function(
        "lstm-backward",
        points=4,
        parts=("loss", "gradients", "d_h0", "d_c0"),
        builds_on=[
            "lstm-output",
            "lstm-step",
            "d-output",
            "d-output-gate",
            "d-cell",
            "d-candidate",
            "d-input-gate",
            "d-forget-gate",
            "d-previous-cell",
            "d-concat",
            "d-weights",
        ],
        worked=[
            Worked(
                "the worked LSTM",
                lambda given: (given["xs"], given["ys"], given["h0"], given["c0"], given["params"]),
            ),
            Worked("the LSTM `other`, H = 3 and D = 2", from_other("xs", "ys", "h0", "c0", "params")),
        ],
        cases=[
            Case("three steps", lambda rng: sequence(rng, 3, 2, 4, 5)),
            Case("five steps, two units", lambda rng: sequence(rng, 5, 3, 2, 4)),
            Case("one step", lambda rng: sequence(rng, 1, 4, 3, 5)),
            Case("as many classes as units", lambda rng: sequence(rng, 2, 3, 4, 4)),
        ],
        slips=[
            Slip(
                "next-hidden-dropped",
                "d_h + d_h_next",
                "d_h + 0 * d_h_next",
                says="Nothing comes back through the hidden state: h is used by the next step as well, not only by "
                "the output. The article leaves this part out.",
            ),
            Slip(
                "next-cell-dropped",
                'cache["c"], d_c_next)',
                'cache["c"], 0 * d_c_next)',
                says="Nothing comes back along the belt: the memory is used by the next step as well.",
            ),
            Slip(
                "last-output-only",
                "d_h = d_h + d_h_next",
                "last = cache is steps[-1][0]\n        d_v, d_h = d_v * last, d_h * last + d_h_next",
                credit=0.4,
                says="Only the last step's output sends a gradient back, but every step has a loss of its own.",
            ),
            Slip(
                "loss-of-the-last-step",
                "loss = loss - np",
                "loss = 0.0 - np",
                says="The gradients are right; the loss is that of the last step alone.",
            ),
            Slip(
                "not-summed-over-time",
                "grads[name] + d_param",
                "d_param",
                says="The gradients of one step are returned: each step overwrites the one before. The parameters are "
                "used at every step.",
            ),
            Slip(
                "biases-not-summed",
                "grads[name] + d_param",
                '(0.0 if name.startswith("b_") else grads[name]) + d_param',
                says="The weights' gradients are right; the biases have those of one step only.",
            ),
            Slip(
                "gates-not-summed",
                "grads[name] + d_param",
                '(grads[name] if name.endswith("_v") else 0.0) + d_param',
                says="The gradients of W_v and b_v are right; the gates' eight are those of one step only.",
            ),
            Slip(
                "output-not-summed",
                "grads[name] + d_param",
                '(0.0 if name.endswith("_v") else grads[name]) + d_param',
                says="The gates' eight gradients are right; those of W_v and b_v are of one step only.",
            ),
            # of the ten, those that are written by hand; more slips here cost time with every notebook that is graded
            overwritten("W_v"),
            overwritten("b_v"),
            Slip(
                "new-memory-for-old",
                'cache["c_prev"]',
                'cache["c"]',
                says="The forget gate's gradient was taken with the new memory. It scales the old one.",
            ),
            Slip(
                "zero-start",
                "= h0, c0, 0.0, []",
                "= 0 * h0, 0 * c0, 0.0, []",
                credit=0.4,
                says="It starts from zero states: h0 and c0 have no effect on the loss.",
            ),
            Slip(
                "mean-over-time",
                "return loss, grads, d_h_next, d_c_next",
                "n = len(steps)\n    return loss / n, {k: g / n for k, g in grads.items()}, d_h_next / n, d_c_next / n",
                says="Everything was divided by the number of steps. The loss of a sequence is a sum here.",
            ),
            Slip(
                "in-order-of-time",
                "reversed(steps)",
                "steps",
                credit=0.4,
                says="The way back goes from the first step to the last. What travels back must meet the last step "
                "first.",
            ),
            Slip(
                "hidden-state-before",
                'cache["h"]',
                'cache["z"][: len(h0)]',
                says="The gradient of W_v was taken with the hidden state from before the step.",
            ),
            Slip(
                "stops-inside-step-one",
                "return loss, grads, d_h_next, d_c_next",
                "return loss, grads, d_h, d_c",
                says="The last two results belong to the states after step 1. h0 and c0 lie before it.",
            ),
            Slip(
                "output-gate-early",
                "d_output_gate(d_h,",
                "d_output_gate(d_h - d_h_next,",
                says="The output gate got only the part of the hidden state's gradient that comes from the output.",
            ),
        ],
        same=[
            Same(
                "filled in place",
                "dict.fromkeys(params, 0.0)",
                "{name: np.zeros(np.shape(value)) for name, value in params.items()}",
            ),
            Same("loss from logits", "- np.log(y_hat[label])", "+ np.log(1 / y_hat[label])"),
            Same("all gates at once", "", STACKED),
            Same("one array a quantity", "", BY_ARRAYS),
        ],
        hints=[
            "Forward first, keeping every cache; then the steps in reverse order, with two travelling gradients.",
            "Where d_h comes from two places, add before you use it. Add up each parameter's gradient over the steps.",
            "in each step: d_output, plus d_h_next, d_cell, the four gates, d_weights, d_concat, d_previous_cell",
        ],
    ),
    choice(
        "update-sign",
        points=1,
        slips=[
            Slip(
                "uphill",
                '"-"',
                '"+"',
                credit=0,
                says="With this sign the loss rises. Which way does a gradient point?",
            ),
            Slip(
                "uphill-with-equals",
                '"-"',
                '"+="',
                credit=0,
                says="With this sign the loss rises. Which way does a gradient point?",
            ),
        ],
        same=[
            Same("with equals", '"-"', '"-="'),
            Same("typographic", '"-"', '"\\u2212"'),
            Same("typographic with equals", '"-"', '"\\u2212="'),
            Same("word", '"-"', '"minus"'),
        ],
        hints=["Take one weight: if its gradient is positive, which way makes the loss smaller?"],
    ),
    function(
        "lstm-step-down",
        "sgd_update",
        points=1,
        float32=False,  # an update is small beside the weight, and at float32's tolerance none at all would pass
        changed_arguments=0.5,
        worked=[
            Worked(
                "two parameters, alpha .1",
                lambda given: (
                    {"W": np.array([[1.0, -2.0]]), "b": np.array([0.5])},
                    {"W": np.array([[0.5, 3.0]]), "b": np.array([-4.0])},
                    0.1,
                ),
            )
        ],
        cases=[
            Case("an LSTM of three units", lambda rng: update_case(rng, 2, 3, 4)),
            Case("an LSTM of one unit", lambda rng: update_case(rng, 3, 1, 2)),
        ],
        slips=[
            Slip(
                "uphill",
                "value - alpha",
                "value + alpha",
                credit=0.4,
                says="The step goes up the gradient, as the article prints it: the loss would rise.",
            ),
            Slip(
                "no-rate",
                "alpha * grads",
                "grads",
                credit=0.4,
                says="The learning rate has no effect: the whole gradient was subtracted.",
            ),
            Slip(
                "step-alone",
                "value - alpha * grads[name]",
                "-alpha * grads[name]",
                credit=0.4,
                says="Those are the steps themselves, not where they lead.",
            ),
            Slip(
                "nothing-moved",
                "value - alpha * grads[name]",
                "value.copy()",
                credit=0,
                says="The parameters come back as they were.",
            ),
            Slip(
                "biases-left",
                "alpha * grads[name]",
                '(0.0 if name.startswith("b") else alpha) * grads[name]',
                credit=0.4,
                says="The weights have moved, the biases have not.",
            ),
            Slip(
                "divided",
                "alpha * grads[name]",
                "grads[name] / alpha",
                credit=0.4,
                says="The gradient was divided by the learning rate: a smaller rate makes a larger step.",
            ),
        ],
        same=[
            Same("added with a minus", "value - alpha * grads[name]", "value + (-alpha) * grads[name]"),
            Same(
                "copies first",
                "",
                "    new = {k: np.array(v, dtype=float) for k, v in params.items()}\n"
                "    for k in new:\n        new[k] -= alpha * grads[k]\n    return new",
            ),
            Same(
                "np.subtract",
                "",
                "    return dict((k, np.subtract(params[k], np.multiply(grads[k], alpha))) for k in grads)",
            ),
        ],
        hints=[
            "One line a parameter.",
            "A new dict: no -= on the arrays of params.",
            "value minus alpha times gradient",
        ],
    ),
    value(
        "line-length-cell",
        "line_params",
        points=2,
        accept=judge_line,
        slips=LINE_SLIPS,
        same=[
            Same(
                "smaller weights, half a step twice",
                "one_cell(f=(0, -40, 20), i=(0, -40, 20), c=(0, 0, 20), o=(0, 0, 20))",
                '{"W_f": [[0, -34]], "b_f": [17], "W_i": [[0, 0]], "b_i": 30.0, "W_c": [0, -16], "b_c": [16],'
                ' "W_o": np.zeros((1, 2)), "b_o": np.zeros(1)}',
            ),
        ],
        hints=[
            "At an ordinary character: keep all, write 1. At a newline: keep nothing, write nothing.",
            "The weight on h can be 0 everywhere. The candidate can be 1 always, if the input gate does the rest.",
            "The triple (0, -40, 20) is open at ordinary characters and shut at newlines: which two gates need it?",
        ],
    ),
    value(
        "quote-cell",
        "quote_params",
        points=2,
        accept=judge_quote,
        slips=QUOTE_SLIPS,
        same=[
            Same(
                "low is zero",
                "i=(0, 40, -20), c=(-40, 0, 15)",
                "i=(-60, 60, -40), c=(0, 0, 15)",
            ),
            Same("low is minus one, smaller", "c=(-40, 0, 15)", "c=(-12, 0, 4)"),
        ],
        hints=[
            "Between the marks nothing may change: keep all, write nothing. At a mark: keep nothing, write anew.",
            "What is written depends on the state before, so the candidate needs a weight on h.",
            "Candidate (w_h, 0, b) with w_h negative: positive at h = 0 and below, negative at h = .76.",
        ],
    ),
    function(
        "lstm-vs-rnn",
        "state_gradient_lstm",
        points=1,
        worked=[
            Worked("gates .5, .9, .8", lambda given: (np.array([0.5, 0.9, 0.8]),)),
            Worked("two cells", lambda given: (np.array([[0.5, 1.0], [0.9, 0.4], [0.8, 0.5]]),)),
        ],
        cases=[
            Case("six steps, one cell", lambda rng: forget_gates(rng, 6)),
            Case("four steps, three cells", lambda rng: forget_gates(rng, 4, 3)),
            Case("two steps, five cells", lambda rng: forget_gates(rng, 2, 5)),
        ],
        slips=[
            Slip(
                "forwards",
                "np.cumprod(fs[::-1], axis=0)[::-1]",
                "np.cumprod(fs, axis=0)",
                says="The products grow from the start of the sequence. The gradient comes from its end.",
            ),
            Slip(
                "not-turned-back",
                "axis=0)[::-1]",
                "axis=0)",
                says="The right products in the reverse order: entry 0 belongs to the first step.",
            ),
            Slip(
                "own-gate-left-out",
                "np.cumprod(fs[::-1], axis=0)[::-1]",
                "np.cumprod(fs[::-1], axis=0)[::-1] / fs",
                says="Each product misses one gate, its own step's: the road ends before the step, not behind it.",
            ),
            Slip(
                "last-gate-left-out",
                "np.cumprod(fs[::-1], axis=0)[::-1]",
                "np.cumprod(fs[::-1], axis=0)[::-1] / fs[-1]",
                says="Each product misses the last gate, the first that the gradient meets.",
            ),
            Slip(
                "summed",
                "np.cumprod",
                "np.cumsum",
                credit=0.25,
                says="The gates were added up. One behind the other, slopes multiply.",
            ),
            Slip(
                "gates-alone",
                "np.cumprod(fs[::-1], axis=0)[::-1]",
                "1.0 * fs",
                credit=0.25,
                says="Those are the gates themselves: the factor of one step, not of the whole way.",
            ),
            Slip(
                "cells-mixed",
                "np.cumprod(fs[::-1], axis=0)[::-1]",
                "np.cumprod(np.ravel(fs)[::-1])[::-1].reshape(np.shape(fs))",
                says="With several cells their gates are multiplied with each other. Each cell has a belt of its own.",
            ),
        ],
        same=[
            Same(
                "loop",
                "",
                "    out, factor = np.zeros(np.shape(fs)), 1.0\n"
                "    for t in range(len(fs) - 1, -1, -1):\n"
                "        factor = factor * fs[t]\n        out[t] = factor\n    return out",
            ),
            Same("product of each rest", "", "    return np.array([np.prod(fs[t:], axis=0) for t in range(len(fs))])"),
            Same(
                "by logarithms",
                "np.cumprod(fs[::-1], axis=0)[::-1]",
                "np.exp(np.cumsum(np.log(fs)[::-1], axis=0)[::-1])",
            ),
        ],
        hints=[
            "Start at the end: the last entry is the last gate.",
            "Each entry is its gate times the entry behind it.",
            "np.cumprod over the reversed steps (axis=0), reversed again",
        ],
    ),
)
