"""Overlap: sources that saw the same traffic at the same time are reconciled, never added.

A cell is what one source says of one UTC day, provider, model and way of sending (batch or not). Cells of different
formats that may mean the same calls (a missing provider, model or way may mean any) are compared; one of them counts:
single calls with tokens before buckets, then clearly more hours of the day covered, then clearly more tokens, then the
name. But no choice counts that holds less than half of the tokens of another: a log of one call hides no day of buckets.
The rule knows nothing of the order of imports. Cells of one format never compete: repeats in them are found by their ids.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from breakeven.catalog.genai_price_list import PROVIDER_ALIASES, Listing, find_listing
from breakeven.usage.importers import importers
from breakeven.usage.overlap_report import TOKEN_KINDS, DayOverlap, SourceTotals

if TYPE_CHECKING:
    from ibis import Table

OWN_ROWS: Final = "breakeven"
"""The family of rows whose `source` names no log format: it is a producer's own word, not another view of its calls."""
_DATED: Final = re.compile(r"[-@](\d{4}-\d{2}-\d{2}|\d{8})$")
_NEAR_FRACTIONS: Final = (0.0, 0.1, 0.02)
"""How near calls or buckets, hours covered, and tokens of two sources count as equal."""
_FULLER_RATIO: Final = 2.1
"""A choice with more than this many times the tokens is fuller. Up to twice, calls may be logged twice in it."""
_SECONDS_PER_HOUR: Final = 3600
_HOURS_PER_DAY: Final = 24
_FIRST_DAY: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True, order=True)
class CellKey:
    """What the rows of one cell have in common, as they are written in the store."""

    day: date
    source: str
    is_separate: bool
    provider: str
    model: str
    is_batch: bool
    is_bucket: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell and what it adds up to."""

    key: CellKey
    covered_hours: int
    totals: SourceTotals

    @property
    def family(self) -> str:
        """The log format whose rows these are."""
        return family_of(self.key.source)

    @property
    def meaning(self) -> tuple[str, str, str]:
        """Provider, model and way of sending; an empty text where the source does not say.

        Of a model that no list knows at its provider (one's own server, which each tool calls otherwise) the name
        alone counts.
        """
        provider, model, is_sure = _resolved(self.key.provider, self.key.model)
        way = "batch" if self.key.is_batch else "" if self.key.is_bucket else "one by one"
        return provider if is_sure else "", model, way

    def may_be(self, other: Cell) -> bool:
        """Whether the calls of both may be the same ones."""
        if self.family == other.family or self.key.is_separate or other.key.is_separate:
            return False
        return all(not (a and b) or a == b for a, b in zip(self.meaning, other.meaning, strict=True))


@dataclass(frozen=True, slots=True)
class Settled:
    """Which cells do not count, and how far the sources agree."""

    left_out: frozenset[CellKey]
    overlaps: tuple[DayOverlap, ...]


@lru_cache(maxsize=4096)
def family_of(source: str) -> str:
    """The log format that a Call's `source` names, or `OWN_ROWS`."""
    return source if source in importers() else OWN_ROWS


def canonical(provider: str, model: str) -> tuple[str, str]:
    """Provider and model by the price list's names; where it knows none, the log's own in small letters.

    >>> canonical("", "openai/gpt-5-2025-08-07"), canonical("openai", "gpt-5"), canonical("", "acme-7b@20260101")
    (('openai', 'gpt-5'), ('openai', 'gpt-5'), ('', 'acme-7b'))
    """
    return _resolved(provider, model)[:2]


@lru_cache(maxsize=65_536)
def _resolved(provider: str, model: str) -> tuple[str, str, bool]:
    """Provider, model, and whether the provider is sure: a list has the model, or the log names nothing else."""
    seller = provider.strip().lower()
    seller = PROVIDER_ALIASES.get(seller, seller)
    if not model:
        return seller, "", True
    name = model.strip().lower()
    plain = _DATED.sub("", name.rsplit("/", 1)[-1])
    for spelling in dict.fromkeys((model.strip(), name, plain, plain.replace(" ", "-").replace(".", "-"))):
        found = find_listing(provider or None, spelling)
        if isinstance(found, Listing):
            return found.provider.id, found.model.id, True
    return seller, plain, False


def cells(calls: Table, separate_files: Sequence[str]) -> Table:
    """Sums by cell of `calls`; rows of `separate_files` were declared other traffic."""
    import ibis

    empty = ibis.literal("")
    usage = calls.filter(calls.grain != "bill")
    separate = usage.source_file.isin(list(separate_files)) if separate_files else ibis.literal(False)
    is_bucket = usage.grain == "bucket"
    weight: Any = ibis.coalesce(usage.weight, 1.0)
    requests: Any = ibis.coalesce(usage.request_count, ibis.ifelse(is_bucket, 0, 1))
    hourly = usage.group_by(
        "source",
        hour=usage.start_time.epoch_seconds() // _SECONDS_PER_HOUR,
        is_separate=ibis.coalesce(separate, ibis.literal(False)),
        cell_provider=ibis.coalesce(usage.provider, empty),
        cell_model=ibis.coalesce(usage.model_key, usage.response_model, usage.request_model, empty),
        cell_batch=ibis.coalesce(usage.is_batch, ibis.literal(False)),
        is_bucket=is_bucket,
    ).aggregate(
        first_s=usage.start_time.epoch_seconds().min(),
        last_s=ibis.coalesce(usage.end_time, usage.start_time).epoch_seconds().max(),
        requests=(requests * weight).sum(),
        **{kind: (ibis.coalesce(usage[kind], 0) * weight).sum() for kind in TOKEN_KINDS},
    )
    day = (hourly.hour // _HOURS_PER_DAY).name("day_number")
    keys = ("source", "is_separate", "cell_provider", "cell_model", "cell_batch", "is_bucket")
    return hourly.group_by(day, *keys).aggregate(
        hours_seen=hourly.count(),
        span_s=(hourly.last_s.max() - hourly.first_s.min()).cast("float64").ceil(),
        requests=hourly.requests.sum(),
        **{kind: hourly[kind].sum() for kind in TOKEN_KINDS},
    )


def cell_of(row: Mapping[str, Any]) -> Cell:
    """A row of `cells` as a Cell."""
    names = ("source", "is_separate", "cell_provider", "cell_model", "cell_batch", "is_bucket")
    key = CellKey(_FIRST_DAY + timedelta(days=row["day_number"]), *(row[name] for name in names))
    spanned = -(-int(row["span_s"]) // _SECONDS_PER_HOUR)
    hours = min(spanned, _HOURS_PER_DAY) if key.is_bucket else int(row["hours_seen"])
    totals = SourceTotals(round(row["requests"]), *(round(row[kind]) for kind in TOKEN_KINDS))
    return Cell(key, hours, totals)


def settle(found: Iterable[Cell]) -> Settled:
    """Decide, day by day, which cells count. A cell in which nothing happened is no other view of anything."""
    by_day: dict[date, list[Cell]] = {}
    for each in (each for each in found if each.totals.requests_count or each.totals.tokens):
        by_day.setdefault(each.key.day, []).append(each)
    left_out: set[CellKey] = set()
    overlaps: list[DayOverlap] = []
    for day in sorted(by_day):
        for group in _groups(sorted(by_day[day], key=lambda each: each.key)):
            losers = _losers(group)
            left_out.update(each.key for each in losers)
            overlaps += _told(day, [each for each in group if each not in losers], losers)
    return Settled(frozenset(left_out), tuple(overlaps))


def _groups(day: list[Cell]) -> list[list[Cell]]:
    """Cells linked by `may_be`, directly or through others; groups of one format are left out."""
    if len({each.family for each in day}) < 2:
        return []
    waiting, groups = list(day), []
    while waiting:
        group = [waiting.pop(0)]
        for each in group:  # grows while it is walked
            linked = [other for other in waiting if each.may_be(other)]
            group += linked
            waiting = [other for other in waiting if other not in linked]
        if len({each.family for each in group}) > 1:
            groups.append(group)
    return groups


def _losers(group: list[Cell]) -> list[Cell]:
    """Cells that do not count: families in order of their standing, unless far fewer tokens would count that way."""
    by_family: dict[str, list[Cell]] = {}
    for each in group:
        by_family.setdefault(each.family, []).append(each)
    in_order = _beaten([by_family[family] for family in _in_order(by_family)])
    fullest = _beaten([[each] for each in sorted(group, key=lambda each: (-each.totals.tokens, each.key))])
    lost = [sum(each.totals.tokens for each in losers) for losers in (in_order, fullest)]
    total = sum(each.totals.tokens for each in group)
    return fullest if total - lost[1] > _FULLER_RATIO * (total - lost[0]) else in_order


def _beaten(in_order: Iterable[list[Cell]]) -> list[Cell]:
    """Cells of which cells that count already may tell the same calls."""
    kept: list[Cell] = []
    losers: list[Cell] = []
    for party in in_order:
        beaten = [each for each in party if any(each.may_be(other) for other in kept)]
        losers += beaten
        kept += [each for each in party if each not in beaten]
    return losers


def _in_order(by_family: Mapping[str, list[Cell]]) -> list[str]:
    """Families, best first. Small differences do not count, so that the same source counts day after day."""
    waiting, order = sorted(by_family), []
    while waiting:
        standing = {name: _standing(by_family[name]) for name in waiting}
        best = waiting
        for criterion, near_fraction in enumerate(_NEAR_FRACTIONS):
            most = max(standing[name][criterion] for name in best)
            best = [name for name in best if standing[name][criterion] >= most * (1 - near_fraction)]
        order.append(best[0])
        waiting.remove(best[0])
    return order


def _standing(group: list[Cell]) -> tuple[float, float, float]:
    """Whether it tells calls one by one, hours covered, tokens; more is better."""
    tells_calls = any(not each.key.is_bucket and each.totals.tokens for each in group)
    hours = max(each.covered_hours for each in group)
    return float(tells_calls), float(hours), float(sum(each.totals.tokens for each in group))


def _told(day: date, kept: list[Cell], losers: list[Cell]) -> Iterable[DayOverlap]:
    counted = " + ".join(sorted({each.family for each in kept}))
    models = tuple(sorted({each.meaning[1] or "(no model named)" for each in (*kept, *losers)}))
    ours = sum((each.totals for each in kept), SourceTotals())
    for family in sorted({each.family for each in losers}):
        theirs = sum((each.totals for each in losers if each.family == family), SourceTotals())
        yield DayOverlap(day, counted, family, models, ours, theirs)
