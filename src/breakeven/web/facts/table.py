"""Facts table: every assumption as a row: value, range, source, age, who reads it, and how much it moves the answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from breakeven.catalog.staleness import is_stale
from breakeven.decision.answers.changes import known_facts
from breakeven.facts.source import Grade
from breakeven.reports import amounts
from breakeven.reports.decision_rows import span_of, value_of
from breakeven.reports.safe_text import safe, short
from breakeven.reports.trace_wording import layer_words
from breakeven.reports.tracing import source_part

if TYPE_CHECKING:
    from breakeven.catalog.load import Catalog
    from breakeven.decision.scenario import Scenario
    from breakeven.facts.assumption import Assumption
    from breakeven.reports.document import AssumptionPart, Document, SourcePart

SORTS: Final = {"moves": "what moves the answer most", "name": "name", "age": "oldest first", "grade": "least trusted"}
"""Key of a sort in the query -> what it puts first."""
GRADES: Final = tuple(each.value for each in Grade)


@dataclass(frozen=True, slots=True)
class FactRow:
    """One fact at one range: offers may have ranges of their own for the same name."""

    name: str
    unit: str
    low: float
    typical: float
    high: float
    layer: str
    """derived, scenario, offer or catalogue."""
    source: SourcePart
    note: str
    used_by: tuple[str, ...]
    """Options that read it; empty: none does, or nobody has compared yet."""
    is_read: bool
    """Whether the comparison reads it."""
    stale: bool
    swing_usd: float = 0.0
    """By how much the saving's present value moves between its ends; 0: not among those that move it."""
    moves: str = ""
    """The same in words."""
    flips: bool = False
    """True: the answer turns inside its range."""
    worth_usd: float = 0.0
    """Expected worth of knowing it exactly."""
    how_to_measure: str = ""
    is_yours: bool = False
    """Whether the scenario file sets it."""
    rows_of_name_count: int = 1
    """Rows with a range that share its name: they are one column of draws, so their influence is one too."""

    @property
    def title(self) -> str:
        """Its name as words."""
        return amounts.fact_title(short(self.name, 80))

    @property
    def value(self) -> str:
        """Typical value with unit."""
        return value_of(self.name, self.typical, self.unit)

    @property
    def span(self) -> str:
        """Range with unit; empty where it has none."""
        return "" if self.low == self.high else span_of(self.name, self.low, self.high, self.unit)

    @property
    def layer_words(self) -> str:
        """Who says it, as a person calls them."""
        return layer_words(self.layer)

    @property
    def date_words(self) -> str:
        """When it was read, and how long ago."""
        return f"read {amounts.date_text(self.source.read)}, {amounts.age(self.source.age_days)}"

    @property
    def worth(self) -> str:
        """What knowing it exactly is worth, in words; empty where that cannot be told from nothing."""
        return amounts.money(self.worth_usd) if self.worth_usd > 0 else ""


@dataclass(frozen=True, slots=True)
class Filter:
    """What somebody wants to see."""

    words: str = ""
    grade: str = ""
    option: str = ""
    only: str = ""
    """yours, stale, or turns."""
    every: bool = False
    """Also what no option of the comparison reads."""
    sort: str = "moves"

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Filter:
        """From a query string; what makes no sense is left out."""
        grade, sort, only = query.get("grade", ""), query.get("sort", "moves"), query.get("only", "")
        return cls(
            words=query.get("q", "").strip()[:100],
            grade=grade if grade in GRADES else "",
            option=query.get("option", "")[:80],
            only=only if only in ("yours", "stale", "turns") else "",
            every=query.get("all") in ("1", "yes", "on"),
            sort=sort if sort in SORTS else "moves",
        )


def fact_rows(document: Document | None, catalog: Catalog, scenario: Scenario) -> tuple[FactRow, ...]:
    """Every fact: those that the comparison read as it read them, the others as catalogue and scenario say them.

    Where the comparison is older than the scenario, a fact that was changed since is shown as the scenario says it now.
    """
    now = known_facts(catalog, scenario)
    read = _read_rows(document, now, set(scenario.overrides), catalog) if document else []
    names = {row.name for row in read}
    others = [_row(fact, _layer(name, scenario, catalog), catalog) for name, fact in now.items() if name not in names]
    rows = _with_influence([*read, *others], document)
    return tuple(replace(row, is_yours=row.name in scenario.overrides) for row in rows)


def _layer(name: str, scenario: Scenario, catalog: Catalog) -> str:
    """Who says a fact that no option read."""
    if name in scenario.overrides:
        return "scenario"
    return "catalogue" if name in catalog.assumptions else "offer"


def chosen_rows(rows: Sequence[FactRow], wanted: Filter) -> list[FactRow]:
    """The rows that a filter lets through, in its order."""
    found = [row for row in rows if _passes(row, wanted)]
    keys = {
        "moves": lambda row: (not row.is_read, -row.swing_usd, -row.worth_usd, row.low == row.high, row.name),
        "name": lambda row: (row.name, row.low),
        "age": lambda row: (-row.source.age_days, row.name),
        "grade": lambda row: (-GRADES.index(row.source.grade) if row.source.grade in GRADES else 0, row.name),
    }
    return sorted(found, key=keys[wanted.sort])


def rows_named(rows: Iterable[FactRow], name: str) -> list[FactRow]:
    """All ranges of one fact."""
    return [row for row in rows if row.name == name]


def _passes(row: FactRow, wanted: Filter) -> bool:
    if not (row.is_read or wanted.every or row.is_yours):
        return False
    if wanted.grade and row.source.grade != wanted.grade:
        return False
    if wanted.option and wanted.option not in row.used_by:
        return False
    if (wanted.only == "yours" and not row.is_yours) or (wanted.only == "stale" and not row.stale):
        return False
    if wanted.only == "turns" and not row.flips:
        return False
    text = f"{row.name} {row.title} {row.note} {row.source.title} {row.unit}".casefold()
    return all(word in text for word in wanted.words.casefold().split())


def _read_rows(
    document: Document, now: Mapping[str, Assumption], overrides: set[str], catalog: Catalog
) -> list[FactRow]:
    found: list[FactRow] = []
    done: set[str] = set()
    for part in document.assumptions:
        changed = _changed(part, now, overrides)
        if not changed:
            found.append(_row_of(part))
        elif part.name not in done and part.name in now:
            done.add(part.name)
            row = _row(now[part.name], "scenario" if part.name in overrides else "catalogue", catalog)
            found.append(replace(row, used_by=part.used_by, is_read=True))
    return found


def _changed(part: AssumptionPart, now: Mapping[str, Assumption], overrides: set[str]) -> bool:
    """Whether the scenario says something else of a fact than when the comparison was made."""
    if part.name in overrides:
        fact = now[part.name]
        return (part.low, part.typical, part.high) != (fact.low, fact.typical, fact.high)
    return part.layer == "scenario" and part.name in now and part.source.link == "scenario file"


def _row_of(part: AssumptionPart) -> FactRow:
    return FactRow(
        part.name,
        part.unit,
        part.low,
        part.typical,
        part.high,
        part.layer,
        part.source,
        safe(part.note),
        part.used_by,
        is_read=True,
        stale=part.stale,
    )


def _row(fact: Assumption, layer: str, catalog: Catalog) -> FactRow:
    return FactRow(
        fact.name,
        fact.unit,
        fact.low,
        fact.typical,
        fact.high,
        layer,
        source_part(fact.source, catalog.as_of),
        safe(fact.note),
        (),
        is_read=False,
        stale=is_stale(fact, catalog.as_of),
    )


def _with_influence(rows: Sequence[FactRow], document: Document | None) -> list[FactRow]:
    if document is None or document.risk is None:
        return list(rows)
    bars = {each.name: each for each in document.risk.tornado}
    known = {each.name: each for each in document.risk.information}
    ranges = Counter(row.name for row in rows if row.is_read and row.low != row.high)
    found = []
    for row in rows:
        moves = row.is_read and row.low != row.high  # one value of the same name is moved by nothing
        bar, worth = (bars.get(row.name), known.get(row.name)) if moves else (None, None)
        row = replace(row, rows_of_name_count=ranges[row.name] if moves else 1)
        if bar is not None:
            ends = sorted((bar.saves_at_low_usd, bar.saves_at_high_usd))
            row = replace(row, swing_usd=ends[1] - ends[0], moves=amounts.difference_range(*ends), flips=bar.flips)
        if worth is not None:
            told = 0.0 if worth.is_noise else worth.evppi_usd
            row = replace(row, worth_usd=told, how_to_measure=worth.how_to_measure)
        found.append(row)
    return found
