"""Pages printed from tables: they are printed, and the tables hold what the code says, no more and no less."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import breakeven.gateway
from breakeven.gateway import error_table
from breakeven.gateway.error_table import ERRORS
from breakeven.gateway.telemetry import reference
from breakeven.gateway.telemetry.metric_table import METRIC_BY_NAME, METRICS

SOURCE = Path(breakeven.gateway.__file__).parent
MADE_BY_DEFAULT = {("bad_request", 400), ("not_found", 404)}
"""A default argument of `relay.heads.BadMessage`, and the admin API's pages that are none."""
EVENTS = {"compaction_failures", "compacted_calls", "compaction_rejects", "sink_undurable_waits"}
"""Counted by their names as labels of `events_total`, on purpose."""


def calls() -> Iterator[ast.Call]:
    for path in SOURCE.rglob("*.py"):
        if path == Path(error_table.__file__):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield node


def constants(call: ast.Call) -> list[object]:
    return [each.value if isinstance(each, ast.Constant) else None for each in call.args]


def codes() -> set[tuple[str, int]]:
    found = set()
    for call in calls():
        values = constants(call)
        for status, code in pairwise(values):
            if isinstance(status, int) and 400 <= status < 600 and isinstance(code, str):
                found.add((code, status))
            if isinstance(code, int) and 400 <= code < 600 and isinstance(values[-1], str) and len(values) == 3:
                found.add((values[-1], code))  # BadMessage(message, status, code)
    return {each for each in found if each[0].replace("_", "").isalpha()}


def test_every_code_is_on_the_page_and_none_is_left_over() -> None:
    assert {(each.code, each.http_status) for each in ERRORS} == codes() | MADE_BY_DEFAULT


def test_codes_are_told_once() -> None:
    assert len({each.code for each in ERRORS}) == len(ERRORS)


def test_pages_are_printed() -> None:
    """`python -m breakeven.gateway.error_table` and `... .telemetry.reference` write them."""
    assert error_table.PAGE.read_text(encoding="utf-8") == error_table.page()
    assert reference.PAGE.read_text(encoding="utf-8") == reference.page()


def test_what_is_counted_is_in_the_table() -> None:
    counted, gauged = set(), set()
    for call in calls():
        if isinstance(call.func, ast.Attribute) and call.args and isinstance(call.args[0], ast.Constant):
            name = call.args[0].value
            if call.func.attr == "count" and isinstance(name, str) and name.isidentifier():
                counted.add(name)
            if call.func.attr == "gauge" and isinstance(name, str):
                gauged.add(name)
    assert {name for name in counted - EVENTS if METRIC_BY_NAME.get(name) is None} == set()
    assert {name for name in gauged if METRIC_BY_NAME.get(name) is None} == set()
    assert len(counted) > 10 and len(gauged) > 3, "the search finds what there is"


def test_names_follow_the_habits_of_prometheus() -> None:
    for each in METRICS:
        assert each.name.endswith("_total") == (each.type == "counter"), each.name
        assert each.help.endswith((".", "s.")) and "\n" not in each.help
    assert len(METRIC_BY_NAME) == len(METRICS)
