"""Gap causes: what may stand between our figure and the bill, ranked by how much of the gap each would close.

Each cause is tried alone: what would our figure (or the bill) be if it held? Causes exclude each other more often than
they add up, so their shares are not a sum. Where the bill names its models, another reading of the calls must bring
the models that both have nearer to each other: a model that fits cannot be behind the gap. `computed` causes are
priced from the log's own calls, `billed` ones stand on the invoice, `shape` ones only fit the size of the gap.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from breakeven.catalog.load import Catalog
from breakeven.units import TOKENS_PER_MTOK
from breakeven.workload.billed_use import BilledUse
from breakeven.workload.invoice_gap import NO_MODEL, Bill, Gap, GapRow

Evidence = Literal["computed", "billed", "shape"]
SHARE_MIN_FRACTION: Final = 0.05
"""Causes that close less of the gap are not worth a line."""
_NEAR_FRACTION: Final = 0.015
_DECIMAL_NEAR_FRACTION: Final = 0.06
VAT_FRACTIONS: Final = (0.17, 0.19, 0.20, 0.21, 0.22, 0.23, 0.24, 0.25, 0.081)
"""Usual rates of value added tax in Europe."""
_SLIPS: Final = (10.0, 100.0, 1000.0, 1e6)
_ZONES: Final = tuple(hours for hours in range(-12, 15) if hours)
_TOKEN_PRICE_USD_PER_MTOK: Final = (0.01, 200.0)
"""Between these lie nearly all prices of text tokens."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that may be behind the gap."""

    name: str
    sentence: str
    moves_usd: float
    """How far it moves our figure towards the bill (negative: down)."""
    share_fraction: float
    """How much of the gap would be closed, 0 to 1."""
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class ShiftedDays:
    """Days of the bill that begin at another hour than those of the log."""

    shift_hours: int
    """Our clock must be put forward by so much."""
    before_usd: float
    """Differences of single days, added up, at UTC."""
    after_usd: float
    """The same with shifted days."""
    moves_usd: float

    @property
    def sentence(self) -> str:
        """One line for a person."""
        return (
            f"days of the bill begin at {-self.shift_hours % 24:02d}:00 UTC: with days shifted by {self.shift_hours:+d}"
            f" hours the differences of single days shrink from {self.before_usd:,.2f} to {self.after_usd:,.2f} USD"
        )


@dataclass(frozen=True, slots=True)
class Case:
    """What the causes are looked for in."""

    use: BilledUse
    bill: Bill
    gap: Gap
    catalog: Catalog
    logged_fraction: float = 1.0
    """Of the days that are compared, those that the log reaches over."""

    @property
    def _both(self) -> tuple[GapRow, ...]:
        return tuple(each for each in self.gap.by_model if each.ours_usd and each.billed_usd)

    @property
    def ours_usd(self) -> float:
        """Our figure for what the bill has too: the models that both have, where the bill names them."""
        if self.gap.by_model and self.bill.names_each_model:
            return sum(each.ours_usd or 0.0 for each in self._both)
        return self.gap.ours_usd

    @property
    def billed_usd(self) -> float:
        """The bill for the same: no fees and credits."""
        if self.gap.by_model and self.bill.names_each_model:
            return sum(each.billed_usd or 0.0 for each in self._both)
        return self.bill.of_kind("tokens")

    @property
    def gap_usd(self) -> float:
        """What another reading of the calls can be behind."""
        return self.billed_usd - self.ours_usd

    def is_nearer_by(self, moves_usd: float) -> bool:
        """Whether our figure for what both have comes nearer to the bill."""
        return abs(self.gap_usd - moves_usd) < abs(self.gap_usd)


def causes(case: Case) -> tuple[Cause, ...]:
    """The causes that would close at least a twentieth of the gap, the one that closes most first."""
    if case.gap.gap_usd == 0:
        return ()
    readings = [
        each
        for part in (_caching, _ways_of_sending, _repeats, _shapes)
        for each in part(case)
        if case.is_nearer_by(each[2])
    ]
    others = [each for part in (_coverage, _lines, _unpriced, _clock) for each in part(case)]
    found = [
        _cause(case.gap, name, sentence, moves_usd, evidence)
        for name, sentence, moves_usd, evidence in (*readings, *others)
    ]
    telling = [each for each in found if each.share_fraction >= SHARE_MIN_FRACTION]
    order: tuple[Evidence, ...] = ("billed", "computed", "shape")
    return tuple(
        sorted(telling, key=lambda each: (-round(each.share_fraction, 3), order.index(each.evidence), each.name))
    )


_Found = Iterator[tuple[str, str, float, Evidence]]


def _cause(gap: Gap, name: str, sentence: str, moves_usd: float, evidence: Evidence) -> Cause:
    rest = abs(gap.gap_usd - moves_usd)
    return Cause(name, sentence, moves_usd, max(0.0, 1 - rest / abs(gap.gap_usd)), evidence)


def _caching(case: Case) -> _Found:
    """Cached tokens read in another way."""
    ours, readings = case.gap.ours_usd, case.use.readings
    if readings.cached_as_input_usd is not None:
        moves = readings.cached_as_input_usd - ours
        yield "cached_as_input", "cached tokens are billed at the price of uncached input", moves, "computed"
    if readings.cached_beside_input_usd is not None:
        moves = readings.cached_beside_input_usd - ours
        words = "the log's input does not contain its cached tokens: they come on top"
        yield "cached_beside_input", words, moves, "computed"
    if readings.cached_left_out_usd is not None:
        moves = readings.cached_left_out_usd - ours
        yield "cached_left_out", "the bill leaves cached tokens out", moves, "computed"
    if readings.all_cached_usd is not None and case.gap_usd < 0 and readings.all_cached_usd < ours:
        needed = case.gap_usd / (readings.all_cached_usd - ours)
        if needed <= 1:
            fits = f"the bill fits if {100 * needed:.0f} % of the input was read from a cache"
            words = f"the log tells no cached tokens; {fits}"
            yield "cached_not_logged", words, case.gap_usd, "shape"


def _ways_of_sending(case: Case) -> _Found:
    """Batch and service tiers."""
    ours, readings = case.gap.ours_usd, case.use.readings
    if readings.all_batch_usd is not None and readings.all_batch_usd != ours:
        words = "the calls were billed at batch prices, and the log does not say that they were batches"
        yield "batch_not_logged", words, readings.all_batch_usd - ours, "computed"
    if readings.no_batch_usd is not None and readings.no_batch_usd != ours:
        words = "calls that the log calls batches were billed at standard prices"
        yield "batch_not_billed", words, readings.no_batch_usd - ours, "computed"
    for tier, usd in readings.tiers_usd:
        if usd not in (ours, readings.all_batch_usd):
            yield f"tier_{tier}", f"the calls were billed in the service tier '{tier}'", usd - ours, "computed"


def _repeats(case: Case) -> _Found:
    """Calls that nobody is billed for, or that are logged twice."""
    if case.use.readings.failed_usd:
        words = "failed and cancelled calls are in our figure and were not billed"
        yield "failed_calls", words, -case.use.readings.failed_usd, "computed"
    if case.use.readings.retried_usd:
        yield "retries", "retries are in our figure and were not billed", -case.use.readings.retried_usd, "computed"
    if case.billed_usd and abs(case.ours_usd / case.billed_usd - 2) < 2 * _NEAR_FRACTION:
        words = "our figure is twice the bill: calls are logged twice (streams, retries, parent spans)"
        yield "logged_twice", words, -case.ours_usd / 2, "shape"


def _coverage(case: Case) -> _Found:
    """Days and models that only one of the two has."""
    for rows, name, noun in ((case.gap.by_day, "days", "day"), (case.gap.by_model, "models", "model")):
        missing = [each for each in rows if each.ours_usd is None and each.billed_usd]
        if noun == "model":
            tokens = {each.model or each.line.words for each in case.bill.lines if each.line.kind == "tokens"}
            lines = {each.line.words or NO_MODEL for each in case.bill.lines if each.line.kind != "tokens"}
            lines -= set() if "" not in tokens else {NO_MODEL}
            missing = [each for each in missing if each.name not in lines]
        if missing:
            words = f"the log has no call on {_listed([each.name for each in missing], noun)} that the bill has"
            if noun == "model":
                words += ": other keys or applications, or another name"
            yield f"{name}_not_logged", words, sum(each.billed_usd or 0.0 for each in missing), "billed"
        extra = [each for each in rows if each.billed_usd is None and each.ours_usd]
        if extra:
            words = f"the bill has nothing for {_listed([each.name for each in extra], noun)} that the log has"
            yield f"{name}_not_billed", words, -sum(each.ours_usd or 0.0 for each in extra), "computed"
    if not case.gap.by_day and 0 < case.logged_fraction < 1:
        moves = case.gap.ours_usd * (1 / case.logged_fraction - 1)
        words = f"the log reaches over {100 * case.logged_fraction:.0f} % of the days; the others at its daily rate"
        yield "days_not_logged", words, moves, "shape"
    yield from _nothing_in_common(case)
    if case.gap.by_model and case.gap.gap_usd > 0:
        yield from _other_keys(case.gap)


def _nothing_in_common(case: Case) -> _Found:
    """Another application's bill, or names that do not meet."""
    theirs = [each.name for each in case.gap.by_model if each.billed_usd and not each.ours_usd]
    ours = [each.name for each in case.gap.by_model if each.ours_usd and not each.billed_usd]
    if theirs and ours and len(theirs) + len(ours) == len(case.gap.by_model):
        words = (
            f"no model is in both: the log has {_listed(ours, 'model')}, the bill {_listed(theirs, 'model')}: other"
            " keys or providers, or other names"
        )
        yield "no_model_in_both", words, case.gap.gap_usd, "billed"


def _other_keys(gap: Gap) -> _Found:
    both = [each for each in gap.by_model if each.ours_usd and each.billed_usd]
    ratios = [(each.billed_usd or 0.0) / (each.ours_usd or 1.0) for each in both]
    if len(both) > 1 and min(ratios) > 1 and max(ratios) / min(ratios) > 1 + 2 * _NEAR_FRACTION:
        moves = sum(each.gap_usd for each in both)
        words = (
            f"the bill is higher by {min(ratios):.2f}x to {max(ratios):.2f}x, model by model: it covers keys or"
            " applications that the log does not see"
        )
        yield "other_keys", words, moves, "shape"


def _lines(case: Case) -> _Found:
    """Amounts that are not for tokens."""
    if fees := case.bill.of_kind("fee"):
        names = sorted({each.line.words or each.line.model for each in case.bill.lines if each.line.kind == "fee"})
        yield "fees", f"fees that are not for tokens: {_listed(names, 'kind')}", fees, "billed"
    if credited := case.bill.of_kind("credit"):
        yield "credits", "credits, refunds or commitment discounts on the bill", credited, "billed"


def _unpriced(case: Case) -> _Found:
    """Tokens without a price."""
    if not case.gap.unpriced_tokens:
        return
    names = sorted({each.model or "(no model named)" for each in case.use.rows if each.unpriced_tokens})
    known = [
        each for each in case.gap.by_model if each.unpriced_tokens and each.billed_usd is not None and not each.ours_usd
    ]
    if known:
        words = f"no price is known for {_listed(names, 'model')}, which the bill has"
        yield "unpriced", words, sum(each.billed_usd or 0.0 for each in known), "billed"
        return
    if case.gap.by_model and case.bill.names_each_model:
        return
    implied = case.gap.gap_usd / case.gap.unpriced_tokens * TOKENS_PER_MTOK
    low, high = _TOKEN_PRICE_USD_PER_MTOK
    if low <= implied <= high:
        words = (
            f"no price is known for {_listed(names, 'model')}; the bill fits if it costs {implied:,.2f} USD per Mtok"
        )
        yield "unpriced", words, case.gap.gap_usd, "shape"


def _clock(case: Case) -> _Found:
    """Days that begin at another hour than midnight UTC: calls at both ends of the window change sides."""
    if shift := shifted_days(case):
        yield "time_zone", shift.sentence, shift.moves_usd, "computed"


def shifted_days(case: Case) -> ShiftedDays | None:
    """The hours by which the days of the bill are shifted; None where days at UTC fit about as well."""
    days = {each.name: each.billed_usd for each in case.gap.by_day if each.billed_usd is not None}
    if len(days) < 2:
        return None
    errors = {hours: _day_error(case.use, days, hours) for hours in (0, *_ZONES)}
    best = min(errors, key=lambda hours: (errors[hours][0], abs(hours)))
    if not best or errors[best][0] >= 0.5 * errors[0][0]:
        return None
    return ShiftedDays(best, errors[0][0], errors[best][0], errors[best][1] - errors[0][1])


def _day_error(use: BilledUse, days: dict[str, float], hours: int) -> tuple[float, float]:
    """Sum of the differences of single days, and of our spend on them, with our clock put `hours` forward."""
    ours = dict.fromkeys(days, 0.0)
    for time, usd in use.hourly_usd:
        day = (time + timedelta(hours=hours)).date().isoformat()
        if day in ours:
            ours[day] += usd
    return sum(abs(ours[day] - days[day]) for day in days), sum(ours.values())


def _shapes(case: Case) -> _Found:
    """Factors that give themselves away."""
    ours = case.ours_usd
    if ours <= 0 or case.billed_usd <= 0:
        return
    ratio = case.billed_usd / ours
    net = min(VAT_FRACTIONS, key=lambda each: abs(ratio / (1 + each) - 1))
    if abs(ratio / (1 + net) - 1) < _NEAR_FRACTION / 3 and not case.bill.tax_usd:
        words = f"the bill is {100 * (ratio - 1):.1f} % higher, as with {100 * net:.1f} % value added tax in it"
        yield "tax", words, ours * net, "shape"
    for factor in _SLIPS:
        for size, words in ((factor, "more"), (1 / factor, "less")):
            if abs(ratio / size - 1) < _DECIMAL_NEAR_FRACTION:
                yield "decimal_point", _slip_words(factor, words), ours * (size - 1), "shape"
    in_dollars = all(each.line.currency == "USD" for each in case.bill.lines)
    for name, fact in case.catalog.fx.items() if in_dollars else ():
        for size, words in (
            (1 / fact.typical, f"in {name.upper()} and read as USD"),
            (fact.typical, "converted twice"),
        ):
            if abs(fact.typical - 1) > _NEAR_FRACTION and abs(ratio / size - 1) < _NEAR_FRACTION:
                yield f"currency_{name}", f"the bill is {words} ({fact.typical:g} USD each)", ours * (size - 1), "shape"
    yield from _uniform(case.gap.by_model)


def _slip_words(factor: float, words: str) -> str:
    cents = ": cents read as dollars, or the other way round" if factor == 100 else ": a slip of the decimal point"
    return f"the bill is about {factor:,.0f} times {words}{cents}"


def _uniform(rows: Sequence[GapRow]) -> _Found:
    """One factor on every model that both have."""
    both = [(each.ours_usd, each.billed_usd) for each in rows if each.ours_usd and each.billed_usd]
    ratios = [billed / ours for ours, billed in both]
    if len(ratios) < 2 or min(ratios) <= 0 or max(ratios) / min(ratios) >= 1 + 2 * _NEAR_FRACTION:
        return
    ours_usd, billed_usd = sum(ours for ours, _ in both), sum(billed for _, billed in both)
    ratio = billed_usd / ours_usd
    if abs(ratio - 1) > _NEAR_FRACTION:
        kind = "a discount (contract, commitment)" if ratio < 1 else "a surcharge (region, reseller, tax)"
        yield "uniform", f"the same {ratio:.3f}x on each of {len(both)} models: {kind}", billed_usd - ours_usd, "shape"


def _listed(names: Sequence[str], noun: str) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{len(names)} {noun}s ({shown}, ...)"
