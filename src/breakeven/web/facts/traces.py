"""Trace pages: the tree behind any number, as `breakeven explain` prints it, to open step by step."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from starlette.routing import Route

from breakeven.errors import UnknownName
from breakeven.web import documents
from breakeven.web.jobs import Job
from breakeven.web.page import Ask, View
from breakeven.web.replies import api_route, page_reply

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from breakeven.reports.document import Document, SourcePart, TraceNodePart

OPEN_LEVELS_COUNT: Final = 2
"""Levels of the tree that are open when the page comes."""
PATH_CHARACTERS_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Step:
    """One node of the tree, ready to be shown."""

    anchor: str
    name: str
    title: str
    value: str
    summary: str
    formula: str
    shadows: tuple[str, ...]
    """Which layers lost, and what they said."""
    layer: str
    source: SourcePart | None
    inputs: tuple[Step, ...]
    again: bool
    """Shown in full further up, at the same anchor."""
    is_open: bool
    is_fact: bool
    """Something that a scenario can set."""


def trace_view(ask: Ask) -> View | Job:
    """The tree behind the number that `path` names, or all numbers that have one."""
    state = documents.store_state(ask.desk)
    if not state.has_calls:
        return View(
            "empty.html.j2",
            {"title": "No number to trace yet", "missing": state.words, "commands": [("Import", state.next_command)]},
        )
    document = documents.comparison(ask.desk)
    if isinstance(document, Job):
        return document
    path = ask.query.get("path", "").strip()[:PATH_CHARACTERS_MAX]
    if not path:
        return _index(document, ask.query.get("q", ""))
    try:
        return _shown(document, path)
    except UnknownName as error:
        return _index(document, "", said=str(error))


def trace_json(ask: Ask) -> str | Job:
    """What `breakeven explain --json` prints of the same path."""
    from breakeven.reports.explain import explainable, find_trace, trace_tree
    from breakeven.reports.explain_parts import explain_path, explained_json, is_part_path, part_paths

    document = documents.comparison(ask.desk)
    if isinstance(document, Job):
        return document
    path = ask.query.get("path", "").strip()
    if not path:
        return json.dumps([*explainable(document), *part_paths(document)], indent=2)
    if is_part_path(document, path):
        return json.dumps(explained_json(explain_path(document, path)), indent=2, ensure_ascii=False)
    return json.dumps(trace_tree(document, find_trace(document, path)), indent=2)


def steps_of(document: Document, root: str) -> Step:
    """The tree below a node; what several parents share is shown once, as on the terminal."""
    return _Tree(document).step(root, 0)


async def _trace(request: Request) -> Response:
    return await page_reply(request, "facts", trace_view)


class _Tree:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._anchors: dict[str, str] = {}

    def step(self, key: str, level_count: int) -> Step:
        from breakeven.reports import amounts
        from breakeven.reports.safe_text import short
        from breakeven.reports.trace_wording import layer_words, shadow_text, value_text

        node = self._document.trace[key]
        again = key in self._anchors
        anchor = self._anchors.setdefault(key, f"step-{len(self._anchors)}")
        return Step(
            anchor=anchor,
            name=short(node.name, 80),
            title=amounts.fact_title(short(node.name, 80)),
            value=value_text(node),
            summary=short(node.summary, 300),
            formula=short(node.formula, 120),
            shadows=tuple(shadow_text(node, each) for each in node.shadowed),
            layer=layer_words(node.layer),
            source=node.source,
            inputs=() if again else tuple(self.step(each, level_count + 1) for each in node.inputs),
            again=again and bool(node.inputs or node.source),
            is_open=level_count < OPEN_LEVELS_COUNT,
            is_fact=_is_fact(node),
        )


def _is_fact(node: TraceNodePart) -> bool:
    return node.source is not None and node.layer in ("catalogue", "scenario", "offer")


def _shown(document: Document, path: str) -> View:
    from breakeven.reports import amounts
    from breakeven.reports.explain import find_trace
    from breakeven.reports.explain_parts import explain_path, is_part_path
    from breakeven.reports.terminal_explain import value_lines
    from breakeven.reports.trace_wording import HOW

    command = f"breakeven explain report.json {path}"
    common: dict[str, Any] = {"path": path, "how": HOW, "amounts": amounts, "command": command}
    if is_part_path(document, path):
        found = explain_path(document, path)
        values = value_lines(found.value, found.unit, path.rpartition(".")[2])
        return View("trace_part.html.j2", {**common, "found": found, "values": values, "facts": found.facts})
    root = find_trace(document, path)
    step = steps_of(document, root)
    option, _, line = path.partition(".")
    title = next((each.title for each in document.options if each.name == option and line), "")
    return View("trace.html.j2", {**common, "root": step, "of_option": title, "steps_count": _count(step)})


def _count(step: Step) -> int:
    return 1 + sum(_count(each) for each in step.inputs)


def _index(document: Document, q: str, said: str = "") -> View:
    groups = [group for group in _groups(document, q.strip().lower()[:80]) if group[1]]
    return View("trace_index.html.j2", {"groups": groups, "said": said, "q": q[:80]}, 404 if said else 200)


def _groups(document: Document, q: str) -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
    """For each option its lines: title, value, path."""
    from breakeven.reports import amounts

    for option in document.options:
        rows = [(each.title, _spread(each.usd_per_month), f"{option.name}.{each.name}") for each in option.lines]
        rows.append(("Total a month", _spread(option.usd_per_month), f"{option.name}.total_usd_per_month"))
        rows.append(("Cost of a success", _spread(option.usd_per_success), f"{option.name}.cost_usd_per_success"))
        yield option.title, [row for row in rows if not q or q in f"{option.title} {row[0]} {row[2]}".lower()]
    facts = [
        (
            amounts.fact_title(each.name),
            amounts.quantity_spread(each.typical, each.low, each.high, each.unit),
            each.name,
        )
        for each in document.assumptions
    ]
    yield "Facts", [row for row in facts if q and q in f"{row[0]} {row[2]}".lower()]


def _spread(amount: Any) -> str:
    from breakeven.reports import amounts

    return amounts.quantity_spread(amount.p50, amount.p10, amount.p90, amount.unit)


ROUTES: Final = (Route("/trace", _trace), api_route("/api/trace", trace_json))
