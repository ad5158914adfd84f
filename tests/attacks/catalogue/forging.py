"""Evidence that no honest notebook sends: forged, flooded, late, twice, of every wrong form.

Most leave the honest items' evidence as it is and send something of their own for `total`, whose answer is 21.
"""

# ruff: noqa: E501  (the attacks' own texts)

from __future__ import annotations

from typing import Any

from attack import HONEST, Attack

from helpers import NOTHING

MIME = "application/vnd.chainrule.evidence+json"
VERDICT = "application/vnd.chainrule.verdict+json"

SENDS = f"""
import base64, json, sys
from IPython.display import publish_display_data
module = sys.modules["check"]
honest = module.collect
def collect(item):
    if item != "total":
        return honest(item)
    sent = @SENT@
    for one in sent if isinstance(sent, tuple) else (sent,):
        publish_display_data({{{MIME!r}: one, "text/plain": "1.0"}})
module.collect = collect
"""


def sends(tries: str, sent: str, **more: Any) -> Attack:
    """An attack that sends what the expression `sent` gives as the evidence for `total`."""
    return Attack(tries, SENDS.replace("@SENT@", sent), **more)


def answer(node: str, **fields: str) -> str:
    """The expression of a well-formed evidence text with that answer."""
    others = "".join(f", {name!r}: {text}" for name, text in fields.items())
    return f'json.dumps({{"v": 1, "item": "total", "missing": [], "answers": [{node}]{others}}})'


RIGHT = '{"t": "float", "v": (21.0).hex()}'
WRONG = '{"t": "float", "v": (20.0).hex()}'
BYTES = "base64.b64encode({}).decode()"


def array(dtype: str, shape: str, data: str = "bytes(8)") -> str:
    return answer(f'{{"t": "array", "dtype": {dtype}, "shape": {shape}, "data": {BYTES.format(data)}}}')


PICKLE = "b\"cposix\\nsystem\\n(S'touch @ROOT@/pwned'\\ntR.\""

EARLIER = f"""
import json
from IPython.display import publish_display_data
for item, node in (("total", {RIGHT}), ("letter", {{"t": "str", "v": "b"}})):
    publish_display_data({{{MIME!r}: json.dumps({{"v": 1, "item": item, "missing": [], "answers": [node]}})}})
"""
THREAD = f"""
import json, threading, time
from IPython.display import publish_display_data
def late():
    end = time.monotonic() + 1
    while time.monotonic() < end:
        publish_display_data({{{MIME!r}: json.dumps({{"missing": [], "answers": [{{"t": "str", "v": "c"}}]}})}})
        time.sleep(0.05)
threading.Thread(target=late, daemon=True).start()
"""
STOLEN = """
import json
kernel = get_ipython().kernel
parents = []
honest = type(kernel).set_parent
def set_parent(self, ident, parent, channel="shell"):
    parents.append(parent)
    return honest(self, ident, parent, channel)
type(kernel).set_parent = set_parent
"""
STOLEN_LAST = f"""
data = {{{MIME!r}: json.dumps({{"v": 1, "item": "total", "missing": [], "answers": [{RIGHT}]}}), "text/plain": ""}}
for parent in parents:
    for kind in ("display_data", "update_display_data", "execute_result"):
        content = {{"data": data, "metadata": {{}}, "transient": {{"display_id": "x"}}, "execution_count": 1}}
        kernel.session.send(kernel.iopub_socket, kind, content, parent=parent)
"""
AT_EXIT = f"""
import atexit, json, os
from IPython.display import publish_display_data
def late():
    publish_display_data({{{MIME!r}: json.dumps({{"missing": [], "answers": [{RIGHT}]}})}})
atexit.register(late)
get_ipython().events.register("post_run_cell", lambda result: None)
"""
HOOKED = f"""
import json
from IPython.display import publish_display_data
def after(*a):
    publish_display_data({{{VERDICT!r}: json.dumps({{"item": "total", "points": 1.0, "out_of": 1.0, "status": "right"}}),
                          "text/plain": "1.0", "text/html": "<div class='chainrule'>total: 1 of 1 (right)</div>"}})
    print(1.0)
get_ipython().events.register("post_run_cell", after)
"""
LAST_LINE = """
import sys
from IPython.core.displayhook import DisplayHook
module = sys.modules["check"]
honest = module.collect
def collect(item):
    honest(item)
    get_ipython().displayhook(100.0)
    print("100.0")
module.collect = collect
"""
NO_CHANGE_SEEN = """
import sys
module = sys.modules["check"]
module.is_blank = lambda run: False
"""
OUTPUTS = """
import sys
module = sys.modules["check"]
honest = module.collect
def collect(item):
    honest(item)
    if item == "total":
        for _ in range(2_000):
            print("x", end="", flush=True)
module.collect = collect
"""

REFUSED = {  # name: (tries, what is sent)
    "no-json": ("text that is no JSON", '"{"'),
    "no-text": ("a tree in place of text", '{"missing": [], "answers": []}'),
    "list": ("a list in place of a tree", '"[1, 2]"'),
    "nothing": ("null", '"null"'),
    "empty": ("no fields", '"{}"'),
    "score": ("a score of its own", 'json.dumps({"points": 1.0, "score": 1.0, "status": "right", "missing": []})'),
    "verdict": ("a verdict among the answers", answer(WRONG, status='"right"', points="1.0", full="True")),
    "two-answers": ("more answers than asked for", answer(f"{WRONG}, {RIGHT}")),
    "other-names": ("names that are not asked for", answer(RIGHT).replace('"missing": []', '"missing": ["x"]')),
    "constant": ("NaN, which is no JSON", '\'{"missing": [], "answers": [{"t": "float", "v": NaN}]}\''),
    "nan": ("not a number", answer('{"t": "float", "v": "nan"}')),
    "infinite": ("infinity", answer('{"t": "float", "v": "inf"}')),
    "overflow": ("a number beyond all numbers", answer('{"t": "float", "v": "0x1p999999"}')),
    "digits": ("an integer of a million digits", '\'{"missing": [], "answers": [{"t": "int", "v": \' + "9" * 10**6 + "}]}"'),
    "big-int": ("an integer above 64 bits", answer('{"t": "int", "v": 2**70}')),
    "truth": ("True, which is like 1", answer('{"t": "bool", "v": True}')),
    "text": ("the number as text", answer('{"t": "str", "v": "21.0"}')),
    "pickle": ("a pickle that runs a command", answer(f'{{"t": "pickle", "v": {BYTES.format(PICKLE)}}}')),
    "pickled-array": ("an array of pickled objects", array('"O8"', "[1]", PICKLE)),
    "code": ("code, as a probe in the cases", answer('{"t": "probe", "source": "__import__(\'os\').system(\'touch @ROOT@/pwned\')", "names": {"t": "dict", "items": []}}')),
    "seed": ("a generator", answer('{"t": "seed", "v": 1}')),
    "dtype": ("an array of an unknown kind", array('"V8"', "[1]")),
    "dtype-name": ("a kind that is no text", array("[1, 2]", "[1]")),
    "shape-negative": ("a negative shape", array('"f8"', "[-1, -1]")),
    "shape-huge": ("a shape of a petabyte", array('"f8"', "[10**15]")),
    "shape-product": ("a shape whose product is huge", array('"f8"', "[8000000] * 8")),
    "shape-deep": ("an array of 60 axes", array('"f8"', "[1] * 60")),
    "shape-zero": ("an array with nothing in it", array('"f8"', "[0, 8000000]", "b''")),
    "shape-floats": ("a shape of floats", array('"f8"', "[1.0]")),
    "data-short": ("less data than the shape says", array('"f8"', "[100]")),
    "data-garbage": ("data that is no base64", answer('{"t": "array", "dtype": "f8", "shape": [1], "data": "\\u00e9" * 12}')),
    "deep": ("lists 100,000 deep", "'{\"missing\": [], \"answers\": ' + '[' * 10**5 + ']' * 10**5 + '}'"),
    "deep-nodes": ("nodes 500 deep", answer("'@'").replace("json.dumps", "(lambda t: json.dumps(t).replace('\"@\"', '{\"t\": \"list\", \"items\": [' * 500 + ']}' * 500))")),
    "wide": ("a million entries", answer('{"t": "list", "items": [{"t": "none"}] * 10**5 * 2}')),
    "set-of-sets": ("a set of what cannot be in a set", answer('{"t": "set", "items": [{"t": "dict", "items": []}]}')),
    "keys": ("a dict whose keys are lists", answer('{"t": "dict", "items": [[{"t": "list", "items": []}, {"t": "none"}]]}')),
    "pairs": ("a dict of single things", answer('{"t": "dict", "items": [1, [2], {}]}')),
    "ragged": ("a ragged table", answer('{"t": "table", "columns": [{"t": "list", "items": []}], "data": [{"t": "none"}, {"t": "list", "items": []}]}')),
    "table-names": ("a table whose names are lists", answer('{"t": "table", "columns": [{"t": "list", "items": [{"t": "none"}]}] * 2, "data": [{"t": "list", "items": [{"t": "none"}]}] * 2}')),
    "surrogates": ("halves of characters", '\'{"missing": [], "answers": [{"t": "str", "v": "\\\\ud800\\\\udfff\\\\u202e\\\\u0000"}]}\''),
    "other": ("a type with a name of markup", answer('{"t": "other", "type": "<script>@ALERT@</script>" * 50}')),
    "everything": ("a dict of all answers", answer('{"t": "set", "items": [{"t": "float", "v": float(k).hex()} for k in range(40)]}')),
}  # fmt: skip

ATTACKS = {
    **{f"sends-{name}": sends(f"sends {tries}", sent) for name, (tries, sent) in REFUSED.items()},
    "sends-twice": sends("sends two answers of its own", f"({answer(WRONG)}, {answer(RIGHT)})"),
    "sends-flood": sends("sends a thousand answers", f"({answer(WRONG)},) * 1000"),
    "sends-large": sends(
        "sends 20 MB of answer", answer('{"t": "str", "v": "x" * 20_000_000}'), causes=frozenset({"evidence-limit"})
    ),
    "sends-crash": sends(
        "says that the kit broke down",
        'json.dumps({"crash": "MemoryError: run  rm -rf /  as root"})',
        causes=frozenset({"not-judged"}),
    ),
    "hides-cases": Attack(
        "takes the cases away, so that gathering breaks down",
        'import os\nos.environ.pop("CHAINRULE_CASES")',
        earns=NOTHING,
        causes=frozenset({"not-judged"}),
    ),
    "sends-early": Attack("displays evidence in a cell before the tests", EARLIER),
    "sends-from-thread": Attack("a thread keeps sending evidence into other cells", THREAD, at_most=True),
    "sends-later": Attack("sends evidence for earlier cells from the last one", STOLEN, last=STOLEN_LAST, at_most=True),
    "sends-at-exit": Attack("sends evidence when the process ends", AT_EXIT),
    "sends-verdicts": Attack("shows a verdict after each cell", HOOKED),
    "sends-points": Attack("ends each test cell with the number 100", LAST_LINE),
    "sends-noise": Attack("2,000 outputs beside the evidence", OUTPUTS),
    "hides-blanks": Attack("says that nothing is blank", NO_CHANGE_SEEN, {"half": "def half(x):\n    pass"}, earns={**HONEST, "half": 0.0}),
}  # fmt: skip
