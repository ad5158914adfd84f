"""Markup, scripts and escapes in whatever reaches a page or a terminal. A page must not run any of it."""

# ruff: noqa: E501  (the attacks' own texts)

from __future__ import annotations

import base64

from attack import HONEST, PNG, Attack
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell

SCRIPT = "<script>alert(6660)</script><img src=x onerror=alert(6660)><svg onload=alert(6660)>"
ESCAPES = "\\x1b[2J\\x1b]0;owned\\x07\\x1b[31m\\x9b31m\\r\\b"


def shows(mime: str, data: str, **metadata: object) -> str:
    """A cell that displays that."""
    return (
        "from IPython.display import display\n"
        f"display({{{mime!r}: {data!r}, 'text/plain': 'x'}}, metadata={{{mime!r}: {metadata!r}}}, raw=True)"
    )


SVG = '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(6660)"><script>alert(6660)</script></svg>'
FRAMES = '<iframe srcdoc="<script>alert(6660)</script>"></iframe><object data="data:text/html,<script>alert(6660)</script>"></object><embed src="javascript:alert(6660)">'
LINKS = '<a href="javascript:alert(6660)">x</a><form action="javascript:alert(6660)"><button formaction="javascript:alert(6660)">x</button></form><a href=" java\tscript:alert(6660)">y</a>'
PAGE = '<meta http-equiv="refresh" content="0;url=javascript:alert(6660)"><base href="javascript:alert(6660)//"><style>@import "javascript:alert(6660)";</style></div></div></body></html><body onload=alert(6660)>'
PLAIN = f"print({SCRIPT!r})\nimport sys\nprint({SCRIPT!r}, file=sys.stderr)\n{SCRIPT!r}"
RAISES = f"def half(x):\n    raise type({SCRIPT!r}, (Exception,), {{}})({SCRIPT!r} + '{ESCAPES}')  # {SCRIPT}\n"
RAISES_IN_CELL = f"total = None\nraise type({SCRIPT!r}, (Exception,), {{}})({SCRIPT!r} + '{ESCAPES}')\n"
KINDS = f"total = {SCRIPT!r}\n"
TYPES = f"letter = type({SCRIPT!r}, (), {{}})()\n"
KEYS = f"total = {{{SCRIPT!r}: {SCRIPT!r}, '{ESCAPES}': 1}}\n"
WARNS = (
    f"def half(x):\n    import warnings\n    warnings.warn({SCRIPT!r} + '{ESCAPES}', RuntimeWarning)\n    return x\n"
)
TERMINAL = f"import sys\nfor stream in (sys.stdout, sys.stderr):\n    print('{ESCAPES}', file=stream)\n"


# by the socket itself: Python's own sending stops at that depth
DEEP = """
import json, os
kernel = get_ipython().kernel
for depth in (150, 400, 700, 900, 5000):
    for place in ('"data": {"application/json": @}, "metadata": {}', '"data": {}, "metadata": {"x": @}'):
        content = "{" + place.replace("@", "[" * depth + "]" * depth) + "}"
        line = '["display_data", ' + json.dumps(kernel.get_parent()["msg_id"]) + ", " + content + "]\\n"
        os.write(kernel.session.descriptor, line.encode())
"""
# messages that are of no form, or nearly of one
NONSENSE = """
import json, os
kernel = get_ipython().kernel
me = json.dumps(kernel.get_parent()["msg_id"])
long, half = "9" * 4300, '"\\\\ud800"'
content = {
    "clear_output": ['{"wait": "x"}', '{}'],
    "status": ['{}', '{"execution_state": null}'],
    "stream": ['{"name": ["stdout"], "text": "x"}', '{"name": "stdout", "text": %s}' % half, '{"name": "stdout"}'],
    "error": ['{"ename": "x", "evalue": "y", "traceback": "z"}', '{"ename": %s, "evalue": "", "traceback": []}' % half],
    "execute_reply": ['{"status": "error"}', '{"status": 1}', '[]'],
    "execute_input": ['{"execution_count": %s}' % long, '{"execution_count": -1}', '{"execution_count": true}'],
    "display_data": [
        '{"data": {"application/json": [NaN, -Infinity, 1e999, %s]}, "metadata": {"x": NaN}}' % long,
        '{"data": {%s: "x", "": "x", "a b": "x"}, "metadata": {%s: 1}}' % (half, half),
        '{"data": {"text/plain": ["a", 1]}, "metadata": {}}', '{"data": [], "metadata": {}}', '{"data": {}}',
        '{"data": {"text/plain": "x"}, "metadata": {}, "transient": {"display_id": {}}}',
        '{"data": {"text/plain": "x"}, "metadata": {}, "transient": [1]}',
    ],
    "update_display_data": ['{"data": {}, "metadata": {}, "transient": {"display_id": "none such"}}'],
    "comm_open": ['{"comm_id": "x", "target_name": "y", "data": {}}'], "comm_msg": ['{}'],
    "input_request": ['{"prompt": "x", "password": false}'], "fault": ['{"says": "x"}'],
}
lines = [f'["{kind}", {me}, {text}]'.encode() for kind, texts in content.items() for text in texts]
lines += [b"null", b"{}", b"[1, 2, 3]", b"[[], [], []]", b'["stream", {}, {}]', b"\\xff\\xfe" * 9, "[]".encode("utf-16")]
os.write(kernel.session.descriptor, b"\\n".join(lines) + b"\\n")
"""


def prose(text: str) -> object:
    """A cell of prose with that text."""
    return lambda notebook: notebook.cells.append(new_markdown_cell(text))


def raw(notebook: NotebookNode) -> None:
    """Raw cells, which a page takes as they are."""
    for form in ("text/html", "text/restructuredtext", "", "slides"):
        notebook.cells.append(new_raw_cell(SCRIPT, metadata={"raw_mimetype": form, "format": form}))


def attached(notebook: NotebookNode) -> None:
    cell = new_markdown_cell("![x](attachment:x.svg) ![y](attachment:y)")
    pictures = {
        "x.svg": {"image/svg+xml": base64.b64encode(SVG.encode()).decode()},
        "y": {'x" onerror="alert(6660)': "x"},
    }
    cell["attachments"] = pictures
    notebook.cells.append(cell)


def code(notebook: NotebookNode) -> None:
    notebook.cells.append(new_code_cell(f"# {SCRIPT} \x1b[31m\n'''{SCRIPT}'''"))


ATTACKS = {
    "shows-html": Attack("scripts and handlers in an HTML output", shows("text/html", SCRIPT)),
    "shows-svg": Attack("a picture that holds a script", shows("image/svg+xml", SVG)),
    "shows-javascript": Attack("an output that is a script", shows("application/javascript", "alert(6660)")),
    "shows-markdown": Attack("prose that holds a script", shows("text/markdown", f"# x\n{SCRIPT}\n[x](javascript:alert(6660))")),
    "shows-latex": Attack("a formula that holds a script", shows("text/latex", f"$x$ {SCRIPT} $\\href{{javascript:alert(6660)}}{{x}}$")),
    "shows-frames": Attack("frames and objects", shows("text/html", FRAMES)),
    "shows-links": Attack("links and forms that run", shows("text/html", LINKS)),
    "shows-page": Attack("markup that leaves its place in the page", shows("text/html", PAGE)),
    "shows-picture": Attack("a picture's data that ends its attribute", shows("image/png", f'{PNG}" onerror="alert(6660)')),
    "shows-width": Attack("a picture's width that is an attribute", shows("image/png", PNG, width="1 onerror=alert(6660)", height="1 onload=alert(6660)", alt='" onerror="alert(6660)')),
    "shows-widget": Attack("a widget's view that closes its script", shows("application/vnd.jupyter.widget-view+json", "</script><script>alert(6660)</script>")),
    "shows-json": Attack("markup in JSON", shows("application/json", f'"{SCRIPT}"')),
    "shows-deep": Attack("outputs nested so deeply that to walk through them ends the grader's recursion", DEEP),
    "shows-nonsense": Attack("messages of no form, or nearly of one", NONSENSE),
    "prints-markup": Attack("markup as text", PLAIN),
    "prints-escapes": Attack("escapes of the terminal", TERMINAL),
    "writes-prose": Attack("a script in a cell of prose", change=prose(f"# x\n\n{SCRIPT}\n\n[x](javascript:alert(6660)) <{'javascript'}:alert(6660)>\n\n$\\text{{{SCRIPT}}}$")),
    "writes-raw": Attack("a script in raw cells", change=raw),
    "writes-attachments": Attack("pictures attached to prose that hold scripts", change=attached),
    "writes-code": Attack("markup in code", change=code),
    "raises-markup": Attack("an exception of markup", answers={"half": RAISES}, earns={**HONEST, "half": 0.0}),
    "raises-markup-in-cell": Attack("the same in a cell", answers={"total": RAISES_IN_CELL}),
    "answers-markup": Attack("an answer of markup", answers={"total": KINDS}),
    "answers-type": Attack("an answer whose type is called markup", answers={"letter": TYPES}),
    "answers-keys": Attack("an answer whose keys are markup", answers={"total": KEYS}),
    "warns-markup": Attack("a warning of markup", answers={"half": WARNS}, earns={**HONEST, "half": 0.0}),
}  # fmt: skip
