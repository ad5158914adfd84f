"""The made class: people of a class have names of their own, and some are late as the policy's text has it."""

from __future__ import annotations

import tomllib
from datetime import timedelta

from chainrule.demo.people import FIRST, HOURS, LAST, POLICY, due, handed_in, name_of, policy_text


def test_names_are_those_of_many_people() -> None:
    """A class of 200 repeats no whole name, and has first names beyond a to z."""
    names = [name_of(number) for number in range(200)]
    assert len(set(names)) == len(names) <= len(FIRST) * len(LAST)
    assert any(not first.isascii() for first, _ in names)


def test_what_is_lost_is_what_the_policy_takes() -> None:
    """The shares worked by hand are those of the arithmetic; some are late, some in the grace, nobody is each time."""
    for hours, lost in HOURS:
        assert POLICY.share(max(-hours, 0) * 3600) == lost
    works = [[handed_in(student, unit) for unit in range(9)] for student in range(10)]
    assert {work.lost for unit in works for work in unit} == {0, 0.1, 0.2}
    assert all(any(work.lost == 0 for work in unit) for unit in works)
    assert works[0][2].time == due(2) - timedelta(hours=HOURS[6][0])


def test_policy_text_is_read_back(small) -> None:
    """As course.toml has it."""
    tables = tomllib.loads(policy_text([small]))
    assert tables["due"] == {small.name: due(0)}
    assert tables["late"] == {"share_per_day": 0.1, "share_at_most": 0.5, "grace_minutes": 15}
