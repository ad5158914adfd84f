"""Messages of a kernel become outputs without nbformat's own look at each: ours must see what nbformat would."""

from __future__ import annotations

from typing import Any

import pytest
from nbformat import NotebookNode
from nbformat.v4 import output_from_msg

from chainrule.grading.kernel import SandboxExecute
from chainrule.grading.messages import MAX_DEPTH, well_formed


def shown(data: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"data": data, "metadata": {}, **more}


GOOD = [
    ("stream", {"name": "stdout", "text": "a\nb"}),
    ("display_data", shown({"text/plain": ["a\n", "b"], "image/png": "aGE="})),
    ("display_data", shown({"application/json": {"a": [{}]}, "application/vnd.x.y+json": 1}, transient={})),
    ("display_data", {"data": {}, "metadata": {"image/png": {"width": 3}, "a": [{"b": 1}]}}),
    ("execute_result", shown({"text/plain": "1"}, execution_count=1)),
    ("execute_result", shown({}, execution_count=None)),
    ("error", {"ename": "E", "evalue": "", "traceback": ["a", "b"]}),
]
BAD = [
    ("stream", {"name": "stdout", "text": 1}),
    ("display_data", shown({"text/plain": {}})),
    ("display_data", shown({"text/plain": ["a", 1]})),
    ("display_data", shown({"json": {}})),
    ("display_data", shown({"text/json": {}})),
    ("display_data", shown({"application/xjson": {}})),
    ("display_data", {"data": {}, "metadata": []}),
    ("execute_result", shown({}, execution_count=-1)),
    ("execute_result", shown({}, execution_count=True)),
    ("execute_result", shown({}, execution_count="1")),
    ("execute_result", shown({})),
    ("error", {"ename": "E", "evalue": None, "traceback": []}),
    ("error", {"ename": "E", "evalue": "", "traceback": [1]}),
]


def message(kind: str, content: dict[str, Any]) -> dict[str, Any]:
    return {"msg_type": kind, "header": {"msg_type": kind}, "parent_header": {"msg_id": "1"}, "content": content}


def executing() -> SandboxExecute:
    """As it is in the middle of a cell."""
    executed = SandboxExecute()
    executed.reset_execution_trackers()
    executed.clear_before_next_output = False
    return executed


@pytest.mark.parametrize(("kind", "content"), GOOD)
def test_output_is_what_nbformat_makes_of_it(kind: str, content: dict[str, Any]) -> None:
    executed = executing()
    outputs: list[NotebookNode] = []
    assert well_formed(message(kind, content))
    executed.output(outputs, message(kind, content), None, 0)
    assert outputs == [output_from_msg(message(kind, content))]


@pytest.mark.parametrize(("kind", "content"), BAD)
def test_what_nbformat_refuses_is_not_well_formed(kind: str, content: dict[str, Any]) -> None:
    with pytest.raises(Exception, match=r".") as refused:
        output_from_msg(message(kind, content))
    assert type(refused.value).__name__ in ("NotebookValidationError", "KeyError")
    assert not well_formed(message(kind, content))


@pytest.mark.parametrize("place", ["data", "metadata"])
def test_what_is_nested_deeply_is_not_well_formed(place: str) -> None:
    """Who walks through it by recursion would fail, which would look like a fault of ours."""
    deep: list[Any] = []
    for _ in range(MAX_DEPTH - 5):
        deep = [deep]
    for more, good in ((0, True), (10, False), (100_000, False)):
        for _ in range(more):
            deep = [deep]
        content: dict[str, Any] = {"data": {}, "metadata": {}}
        content[place]["application/json"] = deep
        assert well_formed(message("display_data", content)) is good


@pytest.mark.parametrize("number", [float("nan"), float("-inf")])
def test_what_only_python_reads_is_not_well_formed(number: float) -> None:
    """A notebook that holds such a number is not opened by Jupyter's own page."""
    assert not well_formed(message("display_data", shown({"application/json": [number]})))
    assert not well_formed(message("display_data", {"data": {}, "metadata": {"x": {"y": number}}}))


def test_cleared_output_is_gone_when_the_next_one_comes() -> None:
    executed = executing()
    outputs = [NotebookNode(output_type="stream", name="stdout", text="old")]
    executed.clear_output(outputs, message("clear_output", {"wait": True}), 0)
    assert len(outputs) == 1
    executed.output(outputs, message(*GOOD[0]), None, 0)
    assert [output.text for output in outputs] == ["a\nb"]


@pytest.mark.parametrize("kind", ["kernel_info_reply", "execute_reply"])
def test_reply_in_the_place_of_an_output_is_none(kind: str) -> None:
    outputs: list[NotebookNode] = []
    content = {"status": "ok", "language_info": {}}
    assert well_formed(message(kind, content))
    assert executing().output(outputs, message(kind, content), None, 0) is None
    assert outputs == []
