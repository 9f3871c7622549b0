"""Fact pages: the table of facts, one fact with its form, and what is said when two people change it at once."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from breakeven.decision.scenario import BOUND_BY_OPTIONS, ONLY_FROM_A_SCENARIO
from breakeven.errors import UnknownName, nearest
from breakeven.web import documents
from breakeven.web.facts.edits import Edits
from breakeven.web.facts.fact_boxes import FactValue, plain
from breakeven.web.facts.table import GRADES, SORTS, FactRow, Filter, chosen_rows, fact_rows, rows_named
from breakeven.web.jobs import Job
from breakeven.web.page import Ask, View

if TYPE_CHECKING:
    from breakeven.catalog.load import Catalog
    from breakeven.decision.scenario import Scenario
    from breakeven.reports.chart_style import Series
    from breakeven.reports.document import Document
    from breakeven.web.page import Desk

ONLY: Final = {
    "": "all",
    "turns": "those that turn the answer",
    "yours": "those that you set",
    "stale": "those that are stale",
}
CHANGED_LINES_COUNT: Final = 60
COUNTED_UNITS: Final = ("hour", "day", "month", "year", "second", "millisecond", "token", "request", "watt", "kilowatt")
"""Units that are said in the plural."""
ROWS_COUNT: Final = 40
"""Rows of the table before somebody asks for all."""


@dataclass(frozen=True, slots=True)
class FactsNow:
    """What the pages are made of."""

    scenario: Scenario
    catalog: Catalog
    rows: tuple[FactRow, ...]
    document: Document | None
    """The comparison, perhaps of before the last change."""
    job: Job | None
    """The comparison that is being made, or that failed."""
    state: documents.StoreState


def facts_now(desk: Desk) -> FactsNow:
    """All facts as they stand; begins the comparison where it is out of date."""
    from breakeven.catalog.load import load_catalog

    said = documents.scenario(desk)
    catalog = load_catalog(said.as_of or desk.today())
    state = documents.store_state(desk)
    document, job = None, None
    if state.has_calls:
        found = documents.comparison(desk)
        document, job = (documents.latest_comparison(desk), found) if isinstance(found, Job) else (found, None)
    return FactsNow(said, catalog, fact_rows(document, catalog, said), document, job, state)


def facts_view(ask: Ask) -> View:
    """The table."""
    now = facts_now(ask.desk)
    wanted = Filter.of(ask.query)
    if now.document is None:  # nobody knows yet which are read
        wanted = replace(wanted, every=True)
    every = chosen_rows(now.rows, wanted)
    counted = [row for row in now.rows if row.is_read or now.document is None]
    shown = every if ask.query.get("rows") == "all" else every[:ROWS_COUNT]
    return View(
        "facts.html.j2",
        {
            **_common(ask.desk, now),
            "rows": shown,
            "names_twice": {name for name, count in Counter(row.name for row in shown).items() if count > 1},
            "rows_count": len(every),
            "all_rows": "?" + urlencode({**ask.query, "rows": "all"}),
            "series": _series(now.document),
            "wanted": wanted,
            "sorts": SORTS,
            "grades": GRADES,
            "onlys": ONLY,
            "options": _options(now.document),
            "letters": _letters(now.document),
            "read_count": len({row.name for row in now.rows if row.is_read}),
            "all_count": len({row.name for row in now.rows}),
            "grade_counts": {grade: sum(row.source.grade == grade for row in counted) for grade in GRADES},
            "stale_count": sum(row.stale for row in counted),
            "turns_count": len({row.name for row in now.rows if row.flips}),
            "yours_count": len({row.name for row in now.rows if row.is_yours}),
            "settable": sorted(BOUND_BY_OPTIONS | ONLY_FROM_A_SCENARIO),
        },
    )


def fact_view(ask: Ask) -> View:
    """One fact."""
    return fact_shown(ask.desk, ask.query.get("name", ""), saved=ask.query.get("saved") == "1")


def fact_shown(desk: Desk, name: str, *, typed: FactValue | None = None, error: str = "", saved: bool = False) -> View:
    """One fact with its form; with `error`, what was typed and what is wrong with it. Raises UnknownName."""
    now = facts_now(desk)
    rows = rows_named(now.rows, name)
    if not rows and name in BOUND_BY_OPTIONS | ONLY_FROM_A_SCENARIO:
        return _bound_view(desk, now, name, typed or FactValue(""), error)
    if not rows:
        raise UnknownName(
            f"no fact is named '{name[:80]}'; {nearest(name[:80], sorted({row.name for row in now.rows}))}"
        )
    like = now.catalog.assumptions.get(name)
    override = now.scenario.overrides.get(name)
    context = {
        **_common(desk, now),
        "name": name,
        "rows": rows,
        "row": next((row for row in rows if row.is_read), rows[0]),
        "typed": typed or _typed_of(override, rows[0]),
        "error": error,
        "saved": saved,
        "grades": GRADES,
        "catalogue": _catalogue_row(name, now) if like else None,
        "place": _place(now.scenario, name),
        "letters": _letters(now.document),
        "options": dict(_options(now.document)),
        "limits": _limits(name, rows[0].unit),
        "unit_words": _in_unit(rows[0].unit),
        "traced": _traced(now.document, name),
    }
    return View("facts_one.html.j2", context, 400 if error else 200)


def _bound_view(desk: Desk, now: FactsNow, name: str, typed: FactValue, error: str) -> View:
    """A fact that every option binds for itself, and that a scenario may set for all."""
    from breakeven.reports import amounts
    from breakeven.units import unit_of

    unit = unit_of(name) or ""
    context = {
        **_common(desk, now),
        "name": name,
        "title": amounts.fact_title(name),
        "unit": unit,
        "limits": _limits(name, unit),
        "unit_words": _in_unit(unit),
        "typed": typed,
        "error": error,
        "grades": GRADES,
        "bound": _bound(now.document, name) if now.document else [],
    }
    return View("facts_bound.html.j2", context, 400 if error else 200)


def _bound(document: Document, name: str) -> list[tuple[str, str, str]]:
    """Option, value, path of its trace, of those that read it."""
    from breakeven.reports.explain import find_trace
    from breakeven.reports.trace_wording import value_text

    found = []
    for option in document.options:
        path = f"{option.name}.{name}"
        with suppress(UnknownName):
            found.append((option.title, value_text(document.trace[find_trace(document, path)]), path))
    return found


def conflict_view(desk: Desk, name: str, version: str, mine: FactValue | None, action: str, words: str) -> View:
    """Mine, theirs and what both began with, side by side; nothing was written."""
    edits = Edits(desk)
    now = edits.version
    before = edits.text_of(version)
    return View(
        "facts_conflict.html.j2",
        {
            "name": name,
            "action": action,
            "mine": mine,
            "mine_words": _words(asdict(mine)) if mine else "",
            "theirs_words": _words(edits.override_at(now, name)) if name else "",
            "base_words": _words(edits.override_at(version, name)) if name and before is not None else "not known",
            "same": bool(name)
            and before is not None
            and edits.override_at(now, name) == edits.override_at(version, name),
            "file_version": now,
            "file": desk.project.scenario.name,
            "lines": changed_lines(before or "", edits.text_of(now) or "") if before is not None else [],
            "said": words,
        },
        409,
    )


def conflict_json(desk: Desk, name: str, version: str, mine: FactValue | None, words: str) -> dict[str, Any]:
    """The same for a script."""
    edits = Edits(desk)
    now = edits.version
    return {
        "error": {"type": "EditConflict", "message": words},
        "name": name,
        "version": now,
        "mine": asdict(mine) if mine else None,
        "theirs": edits.override_at(now, name) if name else None,
        "base": edits.override_at(version, name) if name else None,
    }


def facts_json(ask: Ask) -> dict[str, Any]:
    """Every fact that the filter lets through, the version to change them on, and the history."""
    now = facts_now(ask.desk)
    edits = Edits(ask.desk)
    history = edits.history
    return {
        "version": edits.version,
        "scenario": ask.desk.project.scenario.name,
        "comparison": "current" if now.document and not now.job else "none" if not now.document else "older",
        "facts": [_row_json(row) for row in chosen_rows(now.rows, Filter.of(ask.query))],
        "history": {"steps": [asdict(each) for each in history.steps[-50:]], "taken_count": history.taken_count},
    }


def changed_lines(before: str, after: str) -> list[tuple[str, int, str]]:
    """What changed between two texts of a file: ``+`` or ``-``, the line's indentation, and the line."""
    from difflib import unified_diff

    found = [
        (line[0], *_indented(line[1:]))
        for line in unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=1)
        if not line.startswith(("---", "+++", "@@"))
    ]
    return found[:CHANGED_LINES_COUNT]


def _indented(line: str) -> tuple[int, str]:
    text = line.lstrip(" ")
    return min(len(line) - len(text), 40), text


def indented_lines(text: str) -> list[tuple[int, str]]:
    """A text as a page shows it: lines with their indentation."""
    return [_indented(line) for line in text.splitlines()]


def _common(desk: Desk, now: FactsNow) -> dict[str, Any]:
    edits = Edits(desk)
    version, history = edits.version, edits.history
    last = history.last
    return {
        "file_version": version,
        "history": history,
        "last": last,
        "next": history.next,
        "outside": edits.is_changed_outside,
        "file": desk.project.scenario.name,
        "state": now.state,
        "job": now.job,
        "document": now.document,
        "is_older": bool(now.document and now.job),
    }


def _row_json(row: FactRow) -> dict[str, Any]:
    return {
        **{key: value for key, value in asdict(row).items() if key != "source"},
        "source": row.source.model_dump(mode="json"),
        "used_by": list(row.used_by),
    }


def _options(document: Document | None) -> list[tuple[str, str]]:
    return [(each.name, each.title) for each in document.options] if document else []


def _series(document: Document | None) -> dict[str, Series]:
    from breakeven.reports.chart_style import series_of

    return {each.name: each for each in series_of(document)} if document else {}


def _letters(document: Document | None) -> dict[str, str]:
    return {name: each.letter for name, each in _series(document).items()}


def _catalogue_row(name: str, now: FactsNow) -> FactRow:
    bare = now.scenario.model_copy(update={"overrides": {}})
    return rows_named(fact_rows(None, now.catalog, bare), name)[0]


def _typed_of(override: Any, row: FactRow) -> FactValue:
    """What stands in the form before anybody typed: the scenario's own words, or the range as it is."""
    if override is None:
        ends = ("", "") if row.low == row.high else (plain(row.low), plain(row.high))
        return FactValue(plain(row.typical), *ends)
    if isinstance(override, int | float):
        return FactValue(plain(override))
    is_range = override.low != override.high
    note = "" if override.source == "scenario" else override.source
    grade = override.grade.value if "grade" in override.model_fields_set else ""
    ends = (plain(override.low), plain(override.high)) if is_range else ("", "")
    return FactValue(plain(override.typical), *ends, note, grade)


def _words(override: Any) -> str:
    """What a file says of a fact, in words."""
    if override is None:
        return "as the catalogue says"
    if not isinstance(override, dict):
        return str(override)
    low, typical, high = (override.get(key, "") for key in ("low", "typical", "high"))
    note = override.get("source") or override.get("note") or ""
    span = f" ({low} to {high})" if str(low) or str(high) else ""
    return f"{typical}{span}" + (f"; {note}" if note else "")


def _limits(name: str, unit: str) -> str:
    """Which values are possible, in words."""
    from breakeven.decision.bounds import limits_of
    from breakeven.reports import amounts

    low, high = limits_of(name, unit)
    return amounts.quantity_range(low, high, unit)


def _in_unit(unit: str) -> str:
    """What is typed, as a person says it.

    >>> _in_unit("hour"), _in_unit("usd/year"), _in_unit("fraction")
    ('hours', 'usd/year', 'fraction')
    """
    return f"{unit}s" if unit in COUNTED_UNITS else unit


def _place(said: Scenario, name: str) -> str:
    """Where the file sets it."""
    return said.place(f"overrides.{name}")


def _traced(document: Document | None, name: str) -> list[tuple[str, str]]:
    """Options in whose trees the fact stands: title and path."""
    if document is None:
        return []
    titles = {each.name: each.title for each in document.options}
    used = {option for part in document.assumptions if part.name == name for option in part.used_by}
    inside = {node.name for node in document.trace.values()}
    return [(titles[each], f"{each}.{name}") for each in titles if each in used] if name in inside else []
