"""Which submissions of a class are near-identical beyond what everybody writes. A hint for a human, never a mark.

Each answer's tokens are cut into fragments of K, of which winnowing (S. Schleimer, D. Wilkerson, A. Aiken, Winnowing:
local algorithms for document fingerprinting, SIGMOD 2003) keeps some, wherever they stand. Fragments that the course
itself holds (release, solutions, known slips and equivalents) say nothing, nor do those of most of the class; of the
others, the fewer students share one the more it says. So short and forced answers, which are alike everywhere, say
nothing either.

Two views: in one the names that a student chose are kept, with strings and comments; in the other they are all one,
so that renaming hides nothing. Numbers are all one in both: what was asked for forces them.
"""

from __future__ import annotations

import builtins
import io
import keyword
import math
import re
import tokenize
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from chainrule.course import Unit

K = 10  # tokens of a fragment
WINDOW = 4  # of as many fragments in a row one is kept at least: K + WINDOW - 1 tokens in common are always seen
MOST = 0.5  # of the class; fragments that more of it share say nothing
THRESHOLD = 0.6  # share of what is particular to the smaller of two submissions that the other holds, too
EVIDENCE = 12.0  # what the fragments in common must weigh; one that nobody else has weighs 1
LEAST = 3  # students; in a smaller class nothing is rare
MAX_TEXT = 20_000  # characters of an answer that are looked at
BLOCK = 4096  # fragments that are compared at once

NAMES, SHAPE = "names", "shape"  # the two views
VIEWS = (NAMES, SHAPE)
KEPT = frozenset(keyword.kwlist) | frozenset(dir(builtins)) | {"np", "numpy"}  # names that nobody chooses
SKIPPED = {tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING, tokenize.ENDMARKER}
PLAIN = re.compile(r"\w+|[^\w\s]")

Fragment = tuple[str, int]  # item, fingerprint
Texts = Mapping[str, str]  # the text of a submission's answers by item


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it is seen in each view, the tuple's entries in the order of VIEWS; "" where a view leaves it out."""

    line: int  # from 0
    seen: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two submissions of a unit. share: of what is particular to the smaller one, how much the other holds.

    evidence: what the fragments in common weigh. view: NAMES where they are near-identical with the students' own
    names, else SHAPE; the other numbers are of that view. items: those with fragments in common, the most first.
    """

    unit: str
    one: str
    other: str
    share: float
    evidence: float
    view: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Alike:
    """What was found in one unit: pairs above the threshold, the nearest first, and fragments to mark by view."""

    unit: str
    students: int
    pairs: tuple[Pair, ...]
    common: Mapping[str, frozenset[Fragment]]


def alike(unit: Unit, texts: Mapping[str, Texts]) -> Alike:
    """`texts` holds each student's answers. Nobody is compared in a class of fewer than LEAST."""
    held = course_fragments(unit)
    found: dict[tuple[str, str], Pair] = {}
    common: dict[str, frozenset[Fragment]] = {}
    for view, name in enumerate(VIEWS):
        fragments = {student: fragments_of(answers, view) - held[name] for student, answers in texts.items()}
        counts = Counter(fragment for those in fragments.values() for fragment in those)
        weights = _weights(counts, len(texts))
        common[name] = frozenset(fragment for fragment, weight in weights.items() if weight and counts[fragment] > 1)
        for one, other, share, evidence in _near(fragments, counts, weights):
            both = Counter(item for item, _ in fragments[one] & fragments[other] & common[name])
            where = tuple(item for item, _ in both.most_common())
            found.setdefault((one, other), Pair(unit.name, one, other, share, evidence, name, where))
    pairs = sorted(found.values(), key=lambda pair: (-pair.share, -pair.evidence, pair.one, pair.other))
    return Alike(unit.name, len(texts), tuple(pairs), common)


def common_lines(text: str, item: str, others: str, view: str, common: frozenset[Fragment]) -> frozenset[int]:
    """Lines of a student's answer, from 0, whose fragments the other one's answer has, too, and few others."""
    at = VIEWS.index(view)
    theirs = set(_fingerprints([token.seen[at] for token in tokens(others) if token.seen[at]]))
    mine = [token for token in tokens(text) if token.seen[at]]
    lines: set[int] = set()
    for start, print_ in enumerate(_fingerprints([token.seen[at] for token in mine])):
        if print_ in theirs and (item, print_) in common:
            lines |= {token.line for token in mine[start : start + K]}
    return frozenset(lines)


def course_fragments(unit: Unit) -> dict[str, frozenset[Fragment]]:
    """All fragments, by view, of what the course itself holds: anybody may come upon them."""
    cells = unit.handed_out.cells
    texts = [
        (cell.metadata.nbgrader.grade_id, cell.source) for cell in cells if cell.get("metadata", {}).get("nbgrader")
    ]
    texts += [(item.id, unit.key.cell(item.id)) for item in unit.items.values()]
    texts += [(item.id, unit.key.edited(item.id, edit)) for item in unit.items.values() for edit in item.edits]
    return {
        name: frozenset(
            (item, print_)
            for item, text in texts
            for print_ in _fingerprints([token.seen[view] for token in tokens(text) if token.seen[view]])
        )
        for view, name in enumerate(VIEWS)
    }


def fragments_of(answers: Texts, view: int) -> frozenset[Fragment]:
    """The winnowed fragments of a submission's answers; the same fragment in another item is another one."""
    return frozenset(
        (item, print_)
        for item, text in answers.items()
        for print_ in winnow(_fingerprints([token.seen[view] for token in tokens(text) if token.seen[view]]))
    )


@lru_cache(maxsize=20_000)
def tokens(text: str) -> tuple[Token, ...]:
    """A text's tokens; what Python cannot cut into tokens is cut into words and signs."""
    text = text[:MAX_TEXT]
    try:
        found = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError, ValueError):
        lines = enumerate(text.split("\n"))
        return tuple(_seen(number, tokenize.NAME, word) for number, line in lines for word in PLAIN.findall(line))
    return tuple(
        _seen(token.start[0] - 1, token.type, token.string)
        for token in found
        if token.type not in SKIPPED and token.string.strip()
    )


def _seen(line: int, kind: int, text: str) -> Token:
    if kind == tokenize.COMMENT:
        return Token(line, (" ".join(text.lower().split()), ""))
    if kind == tokenize.NUMBER or text[0].isdigit():
        return Token(line, ("0", "0"))
    if kind == tokenize.STRING:
        return Token(line, (text, '""'))
    if kind == tokenize.NAME and text not in KEPT:
        return Token(line, (text, "name"))
    return Token(line, (text, text))


def _fingerprints(words: list[str]) -> list[int]:
    """Of every run of K tokens, in order."""
    return [zlib.crc32("\0".join(words[at : at + K]).encode("utf-8", "replace")) for at in range(len(words) - K + 1)]


def winnow(prints: list[int]) -> set[int]:
    """Of every WINDOW in a row the least; all of fewer than that share one."""
    if len(prints) <= WINDOW:
        return {min(prints)} if prints else set()
    return {min(prints[at : at + WINDOW]) for at in range(len(prints) - WINDOW + 1)}


def _weights(counts: Mapping[Fragment, int], students: int) -> dict[Fragment, float]:
    """Inverse document frequency, so that what two alone share weighs 1; 0 for what most of the class shares."""
    if students < LEAST:
        return {}
    most, scale = max(2.0, MOST * students), math.log(students / 2)
    return {
        fragment: min(1.0, math.log(students / count) / scale) if count <= most else 0.0
        for fragment, count in counts.items()
    }


def _near(
    fragments: Mapping[str, Iterable[Fragment]], counts: Mapping[Fragment, int], weights: Mapping[Fragment, float]
) -> Iterable[tuple[str, str, float, float]]:
    """Pairs above the threshold: one, other, share, evidence."""
    students = sorted(fragments)
    own = np.array([sum(weights.get(fragment, 0.0) for fragment in fragments[student]) for student in students])
    shared = [fragment for fragment, weight in weights.items() if weight and counts[fragment] > 1]
    columns = {fragment: at for at, fragment in enumerate(shared)}
    heavy = np.array([weights[fragment] for fragment in shared], dtype=np.float32)
    # who has which of a block's fragments, as 0 and 1: a product of matrices then adds up all pairs at once
    rows = [np.array(sorted(columns[f] for f in fragments[s] if f in columns), dtype=int) for s in students]
    evidence = np.zeros((len(students), len(students)), dtype=np.float32)
    for start in range(0, len(shared), BLOCK):
        width = min(BLOCK, len(shared) - start)
        has = np.zeros((len(students), width), dtype=np.float32)
        for row, found in enumerate(rows):
            has[row, found[(found >= start) & (found < start + width)] - start] = 1
        evidence += (has * heavy[start : start + width]) @ has.T
    smaller = np.minimum.outer(own, own) if len(students) else np.zeros((0, 0))
    share = np.divide(evidence, smaller, out=np.zeros(evidence.shape), where=smaller > 0)
    for one, other in np.argwhere(np.triu((share >= THRESHOLD) & (evidence >= EVIDENCE), 1)):
        yield students[one], students[other], min(1.0, float(share[one, other])), float(evidence[one, other])
