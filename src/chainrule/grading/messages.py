"""Messages from a kernel, which is the student's process: nbclient sees only those of a known form."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

MESSAGE_BYTES = 64_000_000  # of one message; what is larger is dropped before it is parsed
OUTPUTS = {"stream", "display_data", "update_display_data", "execute_result", "error"}
JSON_MIME = re.compile(r"application/(.*\+)?json")  # of these a notebook holds any data, of others text alone
MAX_DEPTH = 100  # of lists and dictionaries in each other: libraries walk through it by recursion
SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")  # half a character, which no file can hold


def whole_text(content: Any, raw: Iterable[bytes]) -> Any:
    """`content` as it was parsed from `raw`, half characters replaced."""
    if any(SURROGATE.search(part) for part in raw):
        return json.loads(json.dumps(content, ensure_ascii=False).encode("utf-8", "replace").decode())
    return content


def obituary(status: int) -> str:
    """Why a kernel is dead, from the exit status as a shell shows it: above 128, a signal's number is added."""
    number = status - 128
    if number == signal.SIGKILL:
        return "Python was killed, by the notebook itself or for want of memory"
    if number == signal.SIGXCPU:
        return "the notebook used up its processor time"
    if number in signal.valid_signals():
        return f"Python crashed ({signal.strsignal(number)})"
    return f"Python ended in the middle of the notebook (exit status {status})"


def well_formed(message: Mapping[str, Any]) -> bool:
    """Whether nbclient can take the message as it is, and a notebook can hold it: its outputs are not looked at again.

    Widgets' messages cannot come in.
    """
    content, parent = message["content"], message["parent_header"]
    if not (isinstance(content, dict) and isinstance(parent, dict) and _text_or_none(parent.get("msg_id"))):
        return False
    count = content.get("execution_count")
    if is_deep(content) or (count is not None and not (type(count) is int and count >= 0)):
        return False
    match message["msg_type"]:
        case "status":
            return isinstance(content["execution_state"], str)
        case "stream":
            return content["name"] in ("stdout", "stderr") and isinstance(content["text"], str)
        case "display_data" | "update_display_data" | "execute_result":
            transient = content.get("transient") or {}
            return (
                all(_showable(mime, data) for mime, data in content["data"].items())
                and isinstance(content["metadata"], dict)
                and _is_json(content["metadata"])
                and _text_or_none(transient.get("display_id"))
                and (message["msg_type"] != "execute_result" or "execution_count" in content)
            )
        case "error":
            return _is_error(content)
        case "execute_reply":
            return isinstance(content["status"], str) and (content["status"] != "error" or _is_error(content))
        case "kernel_info_reply":
            return isinstance(content["language_info"], dict)
        case "clear_output" | "execute_input":
            return True
    return False


def is_deep(tree: Any) -> bool:
    """Whether parsed JSON has more than MAX_DEPTH lists and dictionaries in each other."""
    level = [tree]
    for _ in range(MAX_DEPTH):
        entries = chain.from_iterable(thing.values() if isinstance(thing, dict) else thing for thing in level)
        level = [entry for entry in entries if isinstance(entry, dict | list)]
        if not level:
            return False
    return True


def _is_error(content: Mapping[str, Any]) -> bool:
    lines = content["traceback"]
    words = (content["ename"], content["evalue"], *lines)
    return isinstance(lines, list) and all(isinstance(word, str) for word in words)


def _showable(mime: str, data: Any) -> bool:
    text = isinstance(data, str) or (isinstance(data, list) and all(isinstance(line, str) for line in data))
    return text or (JSON_MIME.fullmatch(mime) is not None and _is_json(data))


def _is_json(tree: Any) -> bool:
    """Python reads NaN and 1e999, and writes what no other program can read."""
    try:
        json.dumps(tree, allow_nan=False)
    except ValueError:
        return False
    return True


def _text_or_none(value: Any) -> bool:
    return value is None or isinstance(value, str)
