"""Overlap: sources that saw the same traffic at the same time are reconciled, never added.

A cell is what one source says of one UTC day, provider, model and way of sending (batch or not). Cells of different
formats that may mean the same calls (a missing provider, model or way may mean any) are compared; one of them counts:
single calls with tokens before buckets, then clearly more hours of the day covered, then clearly more tokens (of known
models), then the name. But no choice counts that holds less than half of the tokens of another: one call hides no day
of buckets. The rule knows nothing of the order of imports. Cells of one format never compete (repeats in them are found
by their ids), save those of a usage report that cut one account in several ways: by hour and by day, by project and as
a whole.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from breakeven.catalog.genai_price_list import PROVIDER_ALIASES, Listing, find_listing
from breakeven.usage.importers import importers
from breakeven.usage.overlap_report import TOKEN_KINDS, DayOverlap, SourceTotals
from breakeven.usage.report_cut import NO_CUT, Cut

if TYPE_CHECKING:
    from ibis import Table

OWN_ROWS: Final = "breakeven"
"""The family of rows whose `source` names no log format: it is a producer's own word, not another view of its calls."""
_DATED: Final = re.compile(r"[-@](\d{4}-\d{2}-\d{2}|\d{8})$")
_PATH: Final = re.compile(r"[\w.:@+~/ -]+")
"""Only such a name has a maker, a region or a folder before its last slash."""
_NEAR_FRACTIONS: Final = (0.0, 0.1, 0.02, 0.02)
"""How near calls or buckets, hours covered, tokens, and tokens of known models of two sources count as equal."""
_FULLER_RATIO: Final = 2.1
"""A choice with more than this many times the tokens is fuller. Up to twice, calls may be logged twice in it."""
_REPORTS: Final = frozenset(
    {
        "anthropic_console_usage",
        "anthropic_usage",
        "ccusage",
        "openai_dashboard_usage",
        "openai_usage",
        "openrouter_rollup",
    }
)
"""Formats that tell of a whole account in buckets, cut as whoever exported it liked."""
_LIBRARIES: Final = frozenset({"openinference", "otel_spans"})
"""Formats whose provider is the one whose library was called, wherever the library sent the call."""
_ALIKE_FRACTION: Final = 0.005
_ALIKE_FROM_CALLS: Final = 10
"""Cells under other names look alike with counts this near, from this many calls of a day on."""
_NAMED: Final = {
    "application": "project",
    "unit_hash": "user",
    "api_key_hash": "key",
    "session_id": "session",
    "service_tier": "tier",
    "endpoint": "endpoint",
    "response_model": "version",
}
"""Columns that a report has only where it grouped by them, and what they are called."""
_LONG_BUCKETS: Final = frozenset({"ccusage"})
"""Of these, the formats whose buckets may be longer than a day: weeks and months."""
_SECONDS_PER_HOUR: Final = 3600
_HOURS_PER_DAY: Final = 24
_DAY_S: Final = _SECONDS_PER_HOUR * _HOURS_PER_DAY
_FIRST_DAY: Final = date(1970, 1, 1)
_KEY_NAMES: Final = ("source", "is_separate", "cell_provider", "cell_model", "cell_batch", "is_bucket")


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
    file: str = ""
    """The file of a bucket; empty for calls."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell and what it adds up to."""

    key: CellKey
    covered_hours: int
    totals: SourceTotals
    cut: Cut = NO_CUT

    @property
    def family(self) -> str:
        """The log format whose rows these are."""
        return family_of(self.key.source)

    @property
    def meaning(self) -> tuple[str, str, str]:
        """Provider, model and way of sending; an empty text where the source does not say.

        Of a model that no list knows at its provider (one's own server, which each tool calls otherwise) the name
        alone counts; at Azure it is a deployment, of any model. A span's `openai` beside `maker/model` is the
        library that called: OpenAI itself has no such names, so the provider is not told.
        """
        provider, model, is_sure = _resolved(self.key.provider, self.key.model)
        model = model.rsplit("/", 1)[-1].lower()
        way = "batch" if self.key.is_batch else "" if self.key.is_bucket else "one by one"
        if provider == "azure" and not is_sure:
            return provider, "", way
        is_library = self.key.source in _LIBRARIES and provider == "openai" and "/" in self.key.model
        return provider if is_sure and not is_library else "", model, way

    @property
    def is_sure(self) -> bool:
        """Whether a list knows the model at its provider, or none is named."""
        return _resolved(self.key.provider, self.key.model)[2]

    @property
    def names(self) -> str:
        """Provider and model as the log writes them."""
        return " ".join((self.key.provider or "(no provider)", self.key.model or "(no model)"))

    def looks_like(self, other: Cell) -> bool:
        """Whether both count the same under other names: perhaps the same calls, perhaps not."""
        if self.family == other.family or self.key.is_separate or other.key.is_separate:
            return False
        (_, model, way), (_, other_model, other_way) = self.meaning, other.meaning
        if (way and other_way and way != other_way) or not self._may_be_model(other, model, other_model):
            return False
        ours, theirs = self.totals, other.totals
        counts = [(ours.input_tokens, theirs.input_tokens), (ours.output_tokens, theirs.output_tokens)]
        told = ours.requests_count and theirs.requests_count
        counts += [(ours.requests_count, theirs.requests_count)] if told else []
        is_enough = ours.tokens and max(ours.requests_count, theirs.requests_count) >= _ALIKE_FROM_CALLS
        hours = abs(self.covered_hours - other.covered_hours) <= _NEAR_FRACTIONS[1] * _HOURS_PER_DAY
        return bool(is_enough) and hours and all(abs(a - b) <= _ALIKE_FRACTION * max(a, b) for a, b in counts)

    def _may_be_model(self, other: Cell, model: str, other_model: str) -> bool:
        """Whether the models have one name, or one of the names is no model's that a list knows."""
        return not (model and other_model and self.is_sure and other.is_sure) or model == other_model

    def may_be(self, other: Cell) -> bool:
        """Whether the calls of both may be the same ones."""
        if self.family == other.family or self.key.is_separate or other.key.is_separate:
            return False
        return self._may_mean(other)

    def may_be_cut_otherwise(self, other: Cell) -> bool:
        """Whether both are of one account's report, exported in two ways."""
        if self.family != other.family or self.family not in _REPORTS or self.key.file == other.key.file:
            return False
        if self.key.is_separate or other.key.is_separate or not (self.key.is_bucket and other.key.is_bucket):
            return False
        return self.cut.differs(other.cut) and self._may_mean(other)

    def may_be_part_of(self, other: Cell) -> bool:
        """Whether one has a bucket of more than a day, and the other tells of some of its days in another cut."""
        if not (self.cut.is_long or other.cut.is_long) or self.family != other.family:
            return False
        if self.key.file == other.key.file or self.key.is_separate or other.key.is_separate:
            return False
        return self.cut.differs(other.cut) and self._may_mean(other)

    def _may_mean(self, other: Cell) -> bool:
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
    plain = _DATED.sub("", name.rsplit("/", 1)[-1] if _PATH.fullmatch(name) else name)
    for spelling in dict.fromkeys((model.strip(), name, plain, plain.replace(" ", "-").replace(".", "-"))):
        found = find_listing(provider or None, spelling)
        if isinstance(found, Listing):
            return found.provider.id, found.model.id, True
    return seller, plain, False


def reports_accounts(source: str) -> bool:
    """Whether two exports of this format may tell the same calls under different ids."""
    return source in _REPORTS


def has_long_buckets(source: str) -> bool:
    """Whether buckets of this format may lie in several days, so that its days are settled together."""
    return source in _LONG_BUCKETS


def cells(calls: Table, separate_files: Sequence[str]) -> Table:
    """Sums by cell of `calls`; rows of `separate_files` were declared other traffic."""
    import ibis

    empty = ibis.literal("")
    usage = calls.filter(calls.grain != "bill")
    separate = usage.source_file.isin(list(separate_files)) if separate_files else ibis.literal(False)
    is_bucket = usage.grain == "bucket"
    weight: Any = ibis.coalesce(usage.weight, 1.0)
    requests: Any = ibis.coalesce(usage.request_count, ibis.ifelse(is_bucket, 0, 1))
    start_s: Any = usage.start_time.epoch_seconds()
    told_s: Any = ibis.coalesce(usage.end_time.epoch_seconds() - start_s, usage.duration_s.cast("int64"))
    hourly = usage.group_by(
        "source",
        hour=usage.start_time.epoch_seconds() // _SECONDS_PER_HOUR,
        is_separate=ibis.coalesce(separate, ibis.literal(False)),
        cell_provider=ibis.coalesce(usage.provider, empty),
        cell_model=ibis.coalesce(usage.model_key, usage.response_model, usage.request_model, empty),
        cell_batch=ibis.coalesce(usage.is_batch, ibis.literal(False)),
        is_bucket=is_bucket,
        file=ibis.ifelse(is_bucket, ibis.coalesce(usage.source_file, empty), empty),
    ).aggregate(
        bucket_s=told_s.max(),
        one_operation=usage.operation.min(),
        other_operation=usage.operation.max(),
        **{f"has_{name}": usage[name].notnull().any() for name in _NAMED},
        first_s=start_s.min(),
        last_s=(start_s + ibis.coalesce(told_s, 0)).max(),
        requests=(requests * weight).sum(),
        **{kind: (ibis.coalesce(usage[kind], 0) * weight).sum() for kind in TOKEN_KINDS},
    )
    day = (hourly.hour // _HOURS_PER_DAY).name("day_number")
    keys = (*_KEY_NAMES, "file")
    return hourly.group_by(day, *keys).aggregate(
        hours_seen=hourly.count(),
        bucket_s=hourly.bucket_s.max().cast("float64").ceil(),
        first_s=hourly.first_s.min().cast("float64").floor(),
        last_s=hourly.last_s.max().cast("float64").ceil(),
        one_operation=hourly.one_operation.min(),
        other_operation=hourly.other_operation.max(),
        **{f"has_{name}": hourly[f"has_{name}"].any() for name in _NAMED},
        span_s=(hourly.last_s.max() - hourly.first_s.min()).cast("float64").ceil(),
        requests=hourly.requests.sum(),
        **{kind: hourly[kind].sum() for kind in TOKEN_KINDS},
    )


def cell_of(row: Mapping[str, Any]) -> Cell:
    """A row of `cells` as a Cell."""
    day = _FIRST_DAY + timedelta(days=row["day_number"])
    key = CellKey(day, *(row[name] for name in (*_KEY_NAMES, "file")))
    spanned = -(-int(row["span_s"]) // _SECONDS_PER_HOUR)
    hours = min(spanned, _HOURS_PER_DAY) if key.is_bucket else int(row["hours_seen"])
    totals = SourceTotals(round(row["requests"]), *(round(row[kind]) for kind in TOKEN_KINDS))
    named = {word for name, word in _NAMED.items() if row[f"has_{name}"]} | ({"model"} if key.model else set())
    operation = row["one_operation"] if row["one_operation"] == row["other_operation"] else None
    cut = Cut(int(row["bucket_s"] or 0), int(row["first_s"]), int(row["last_s"]), frozenset(named), operation or "")
    return Cell(key, hours, totals, cut)


def settle(found: Iterable[Cell]) -> Settled:
    """Decide, day by day, which cells count. A cell in which nothing happened is no other view of anything."""
    told_at_all = [each for each in found if each.totals.requests_count or each.totals.tokens]
    parts, overlaps = _long_twice(told_at_all)
    left_out = {each.key for each in parts}
    by_day: dict[date, list[Cell]] = {}
    for each in (each for each in told_at_all if each.key not in left_out):
        by_day.setdefault(each.key.day, []).append(each)
    for day in sorted(by_day):
        cells_of_day = _of_whole_files(sorted(by_day[day], key=lambda each: each.key))
        twice, told = _cut_twice(day, cells_of_day)
        left_out.update(each.key for each in twice)
        overlaps += told
        for group in _groups([each for each in cells_of_day if each.key not in left_out], Cell.may_be):
            losers = _losers(group)
            left_out.update(each.key for each in losers)
            overlaps += _told(day, [each for each in group if each not in losers], losers)
        overlaps += _alike(day, [each for each in cells_of_day if each.key not in left_out])
    return Settled(frozenset(left_out), tuple(overlaps))


def _long_twice(found: Iterable[Cell]) -> tuple[list[Cell], list[DayOverlap]]:
    """Cells of reports by week or month whose days another export tells, or the other way round; over all days.

    Told on the first day of each group: a month has no other day to be told on.
    """
    reports = sorted((each for each in found if each.family in _LONG_BUCKETS), key=lambda each: each.key)
    if not any(each.cut.is_long for each in reports):
        return [], []
    twice: list[Cell] = []
    told: list[DayOverlap] = []
    for group in _groups(reports, Cell.may_be_part_of):
        losers = _beaten(_fuller_then_finer(_parties(group)), Cell.may_be_part_of)
        twice += losers
        kept = [each for each in group if each not in losers]
        first, last = min(each.cut.first_s for each in group), max(each.cut.last_s for each in group)
        days_count = max(-(-last // _DAY_S) - first // _DAY_S, 1)
        day = _FIRST_DAY + timedelta(days=first // _DAY_S)
        found_of_group = _told(day, kept, losers, lambda each: each.family + each.cut.words)
        told += [replace(each, days_count=days_count) for each in found_of_group]
    return twice, told


def _parties(group: Iterable[Cell]) -> list[list[Cell]]:
    """Cells of one cut together; months are of one cut, whatever their length."""
    parties: dict[tuple[bool, str, frozenset[str]], list[Cell]] = {}
    for each in group:
        parties.setdefault(("model" in each.cut.named, each.cut.words, each.cut.named), []).append(each)
    return list(parties.values())


def _of_whole_files(day: list[Cell]) -> list[Cell]:
    """The cells, each with the cut of its whole file."""
    whole: dict[tuple[str, str], Cut] = {}
    for each in day:
        file = (each.key.source, each.key.file)
        whole[file] = each.cut.with_others(whole.get(file, each.cut))
    return [replace(each, cut=each.cut.with_others(whole[each.key.source, each.key.file])) for each in day]


def _cut_twice(day: date, found: list[Cell]) -> tuple[list[Cell], list[DayOverlap]]:
    """Cells of reports that another export of the same account tells in another cut; the fuller, then finer counts."""
    twice: list[Cell] = []
    told: list[DayOverlap] = []
    for group in _groups([each for each in found if each.family in _REPORTS], Cell.may_be_cut_otherwise):
        losers = _beaten(_fuller_then_finer(_parties(group)), Cell.may_be_cut_otherwise)
        twice += losers
        kept = [each for each in group if each not in losers]
        told += _told(day, kept, losers, lambda each: each.family + each.cut.words)
    return twice, told


def _fuller_then_finer(parties: list[list[Cell]]) -> list[list[Cell]]:
    """Parties, best first: clearly more tokens, models named, shorter buckets, more that it is grouped by."""
    waiting, order = list(parties), []
    while waiting:
        sums = [sum(each.totals.tokens for each in party) for party in waiting]
        near = [
            party for party, tokens in zip(waiting, sums, strict=True) if tokens >= max(sums) * (1 - _NEAR_FRACTIONS[2])
        ]
        best = min(near, key=lambda party: _coarseness(party[0].cut))
        order.append(best)
        waiting.remove(best)
    return order


def _coarseness(cut: Cut) -> tuple[bool, float, int, list[str]]:
    return "model" not in cut.named, cut.bucket_s or math.inf, -len(cut.named), sorted(cut.named)


def _groups(day: list[Cell], may_be: Callable[[Cell, Cell], bool]) -> list[list[Cell]]:
    """Cells linked by `may_be`, directly or through others."""
    waiting, groups = list(day), []
    while waiting:
        group = [waiting.pop(0)]
        for each in group:  # grows while it is walked
            linked = [other for other in waiting if may_be(each, other)]
            group += linked
            waiting = [other for other in waiting if other not in linked]
        if len(group) > 1:
            groups.append(group)
    return groups


def _losers(group: list[Cell]) -> list[Cell]:
    """Cells that do not count: families in order of their standing, unless far fewer tokens would count that way."""
    by_family: dict[str, list[Cell]] = {}
    for each in group:
        by_family.setdefault(each.family, []).append(each)
    in_order = _beaten([by_family[family] for family in _in_order(by_family)], Cell.may_be)
    fullest = _beaten([[each] for each in sorted(group, key=lambda each: (-each.totals.tokens, each.key))], Cell.may_be)
    lost = [sum(each.totals.tokens for each in losers) for losers in (in_order, fullest)]
    total = sum(each.totals.tokens for each in group)
    return fullest if total - lost[1] > _FULLER_RATIO * (total - lost[0]) else in_order


def _beaten(in_order: Iterable[list[Cell]], may_be: Callable[[Cell, Cell], bool]) -> list[Cell]:
    """Cells of which cells that count already may tell the same calls."""
    kept: list[Cell] = []
    losers: list[Cell] = []
    for party in in_order:
        beaten = [each for each in party if any(may_be(each, other) for other in kept)]
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


def _standing(group: list[Cell]) -> tuple[float, float, float, float]:
    """Whether it tells calls one by one, hours covered, tokens, those of models a list knows; more is better."""
    tells_calls = any(not each.key.is_bucket and each.totals.tokens for each in group)
    hours = max(each.covered_hours for each in group)
    known = sum(each.totals.tokens for each in group if each.key.model and each.is_sure)
    return float(tells_calls), float(hours), float(sum(each.totals.tokens for each in group)), float(known)


def _alike(day: date, kept: list[Cell]) -> Iterable[DayOverlap]:
    """Pairs of cells that both count and look like the same calls under other names."""
    for number, one in enumerate(kept):
        for other in kept[number + 1 :]:
            if one.looks_like(other):
                a, b = sorted((one, other), key=lambda each: (each.family, each.key))
                names = (a.names, b.names)
                yield DayOverlap(day, a.family, b.family, names, a.totals, b.totals, is_certain=False)


def _told(
    day: date, kept: list[Cell], losers: list[Cell], name: Callable[[Cell], str] = lambda each: each.family
) -> Iterable[DayOverlap]:
    counted = " + ".join(sorted({name(each) for each in kept}))
    models = tuple(sorted({each.meaning[1] or "(no model named)" for each in (*kept, *losers)}))
    ours = sum((each.totals for each in kept), SourceTotals())
    for party in sorted({name(each) for each in losers}):
        theirs = sum((each.totals for each in losers if name(each) == party), SourceTotals())
        yield DayOverlap(day, counted, party, models, ours, theirs)
