"""Usage rows: the usage document as figures, tables and sentences. Numbers come in, plain English goes out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from breakeven.reports import amounts, findings, stability_wording
from breakeven.reports.document import ModelUsePart, WorkloadPart
from breakeven.reports.safe_text import short
from breakeven.reports.stability_part import StabilityPart
from breakeven.reports.usage_document import ImportedPart, ModelUsagePart, PricePart, UsageDocument
from breakeven.workload.stability_sentence import wait_range

PRICES_SHOWN_COUNT: Final = 3
ALIASES_SHOWN_COUNT: Final = 3
UNPRICED: Final = "UNPRICED"
SAMPLED_FROM_RATIO: Final = 1.02
"""Logged rows stand for more calls than there are rows from here on."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure with its range and basis."""

    label: str
    value: str
    basis: str
    kind: Literal["", "good", "warn", "bad"] = ""


@dataclass(frozen=True, slots=True)
class PriceRow:
    """A price with where and when it was read."""

    words: str
    when: str
    source: str
    link: str
    grade: str


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One model in the table."""

    label: str
    calls: str
    input: str
    cached: str
    output: str
    reasoning: str
    spend: str
    """UNPRICED where no call has a price."""
    share: str
    partly: str
    """What of it has no price, though the rest does; empty where that is nothing."""
    prices: tuple[PriceRow, ...]
    more_prices_count: int
    reason: str
    """Why calls of it are unpriced."""


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One imported log: rows = calls + duplicates + rejects."""

    name: str
    format: str
    at: str
    rows: str
    calls: str
    duplicates: str
    rejects: str
    reasons: str
    is_clean: bool


def figures(document: UsageDocument) -> tuple[Figure, ...]:
    """Days to wait, a month, the next quarter; months of a short log are said to be extrapolated."""
    workload = document.workload
    part = workload.stability
    found = [_waiting(part)] if part else []
    found += [*_month(workload)]
    found += quarter_figures(part) if part else []
    return tuple(found)


def quarter_figures(part: StabilityPart) -> list[Figure]:
    """Tokens and spend of next quarter; why nothing is said of it where the log fell silent."""
    quarter = part.quarter
    if quarter is None:
        silence = stability_wording.silence_finding(part)
        return [Figure("Next quarter", amounts.NOT_KNOWN, silence)] if silence else []
    days = f"{amounts.date_text(quarter.first_day)} to {amounts.date_text(quarter.last_day)}"
    guess = "from few days; " if part.answer == "cannot tell" else ""
    guess = f"a wide guess {guess}" if guess and not stability_wording.is_equal(quarter.tokens) else guess
    span = stability_wording.span(quarter.tokens, amounts.magnitude)
    found = [Figure("Tokens next quarter", amounts.magnitude(quarter.tokens.typical), f"{span}; {guess}{days}")]
    if quarter.spend_usd is None:
        return [*found, Figure("Spend next quarter", UNPRICED, "no call has a known price", "bad")]
    less = f", without {amounts.fraction(quarter.unpriced_fraction)} of tokens {UNPRICED}"
    span = stability_wording.span(quarter.spend_usd, amounts.money)
    basis = f"{span}; {guess}at the log's prices{less if quarter.unpriced_fraction else ''}"
    return [*found, Figure("Spend next quarter", amounts.money(quarter.spend_usd.typical), basis)]


def shares(document: UsageDocument) -> tuple[Figure, ...]:
    """What the tokens are: cached, output, reasoning; and how long a request is."""
    workload = document.workload
    inputs, outputs = workload.input_tokens, workload.output_tokens
    cached = amounts.fraction(workload.cache_read_tokens / inputs) if inputs else amounts.NOT_KNOWN
    thought = amounts.fraction(document.reasoning_tokens / outputs) if outputs else amounts.NOT_KNOWN
    written = f", {amounts.magnitude(workload.cache_write_tokens)} written" if workload.cache_write_tokens else ""
    found = [
        Figure(
            "Cached, of input", cached,
            f"{amounts.magnitude(workload.cache_read_tokens)} of {amounts.magnitude(inputs)}{written}",
        ),
        Figure("Output, of all", amounts.fraction(outputs / max(inputs + outputs, 1)), amounts.tokens(outputs)),
        Figure(
            "Reasoning, of output", thought,
            f"{amounts.magnitude(document.reasoning_tokens)} of {amounts.magnitude(outputs)}"
            if document.reasoning_tokens else "the log names no reasoning tokens",
        ),
    ]  # fmt: skip
    for label, quantiles in (("Input", workload.input_tokens_quantiles), ("Output", workload.output_tokens_quantiles)):
        if quantiles:
            middle, *others = quantiles.items()
            rest = ", ".join(f"{name.upper()} {value:,.0f}" for name, value in others)
            found.append(Figure(f"{label} of a request, median", f"{middle[1]:,.0f} tokens", rest))
    return tuple(found)


def model_rows(document: UsageDocument) -> tuple[ModelRow, ...]:
    """Every model, largest spend first as in the profile."""
    behind = {(each.provider, each.model or "(no model named)"): each for each in document.models}
    spend = document.workload.spend_usd or 0.0
    return tuple(_model_row(each, behind.get((each.provider, each.model)), spend) for each in document.workload.models)


def unpriced_rows(document: UsageDocument) -> tuple[ModelRow, ...]:
    """Models of which some calls have no price, also those without a name."""
    return tuple(each for each in model_rows(document) if each.reason)


def cure_lines(document: UsageDocument) -> tuple[str, ...]:
    """What to write into the scenario file for the unpriced models: a name for a deployment, or the price agreed on."""
    names = [each for each in document.models if each.unpriced_tokens and each.model][:ALIASES_SHOWN_COUNT]
    if not names:
        return ()
    aliases = [f"  {_quoted(_name(each.provider, each.model))}: PROVIDER/MODEL" for each in names]
    first = names[0]
    price = (
        f"  - {{provider: {_quoted(first.provider or 'PROVIDER')}, model: {_quoted(first.model)}, "
        "input_usd_per_mtok: 1.00, output_usd_per_mtok: 8.00}"
    )
    return (
        "model_aliases:        # a deployment of a model that has a price",
        *aliases,
        "contract_prices:      # or the price that you pay",
        price,
    )


def import_rows(document: UsageDocument) -> tuple[ImportRow, ...]:
    """Youngest first."""
    return tuple(_import_row(each) for each in reversed(document.imports))


def import_total(document: UsageDocument) -> str:
    """How all rows became calls."""
    rows, calls, repeats, rejects = (
        sum(getattr(each, name) for each in document.imports)
        for name in ("rows_count", "calls_count", "duplicates_count", "rejects_count")
    )
    text = f"{rows:,} rows = {calls:,} calls + {repeats:,} duplicates + {rejects:,} rejects"
    if document.workload.requests_count > SAMPLED_FROM_RATIO * max(calls, 1):
        text += f"; the log is a sample or counts in buckets: they stand for {document.workload.requests_count:,} calls"
    if document.left_out_count:
        text += f"; {document.left_out_count:,} of the calls are told by another source too and count once"
    if document.bills_count:
        text += (
            f"; {document.bills_count:,} rows are amounts billed (`breakeven reconcile --invoice store` compares them)"
        )
    return text + "."


def _waiting(part: StabilityPart) -> Figure:
    """How many more days."""
    label = "Stable enough to decide?"
    if part.answer == "yes":
        return Figure(label, "Yes", f"{part.days_count} whole days", "good")
    if part.answer == "stale":
        return Figure(label, "It was", f"the log is {part.age_days_count} days old: import newer days", "warn")
    if part.more_days_count is None:
        return Figure(label, "Not yet", "more days alone may not cure it", "warn")
    back = f"on {amounts.date_text(part.come_back)}" if part.come_back else "from its last whole day"
    more = amounts.counted(part.more_days_count, "more day")
    word = "Cannot tell" if part.answer == "cannot tell" else "Not yet"
    failed = {each.name: each.more_days_count for each in part.checks if not each.passed}
    if (span := wait_range(failed, part.more_days_count)) is not None:
        range_said = f"{span.low_days_count} to {span.high_days_count} days, by how fast the interval narrows"
        return Figure(label, f"{word}: about {more}", f"{back.replace('on ', 'on about ')}; {range_said}", "warn")
    return Figure(label, f"{word}: {more}", f"{back} at the earliest", "warn")


def _month(workload: WorkloadPart) -> Iterator[Figure]:
    since = workload.extrapolated_from_hours
    basis = f"EXTRAPOLATED from {amounts.hours(since)}, no growth assumed" if since is not None else "as observed"
    kind: Literal["", "warn"] = "warn" if since is not None else ""
    known = workload.requests_count or not workload.tokens_per_month
    calls = amounts.counted(workload.requests_per_month, "request") if known else "requests not known"
    yield Figure("Tokens a month", amounts.magnitude(workload.tokens_per_month), f"{calls}; {basis}", kind)
    if workload.spend_usd_per_month is None:
        yield Figure("Spend a month", UNPRICED, "no call has a known price", "bad")
        return
    share = workload.unpriced_tokens_fraction + workload.unnamed_tokens_fraction
    less = f"; without {amounts.fraction(share)} of tokens {UNPRICED}" if share else ""
    yield Figure(
        "Spend a month", amounts.money(workload.spend_usd_per_month), f"{basis}{less}", "bad" if share else kind
    )


def _model_row(use: ModelUsePart, behind: ModelUsagePart | None, spend_usd: float) -> ModelRow:
    tokens = use.input_tokens + use.output_tokens
    lost = behind.unpriced_tokens if behind else 0
    prices = tuple(_price_row(each) for each in (behind.prices if behind else ()))
    known = use.requests_count or not tokens
    return ModelRow(
        label=findings.model_label(use),
        calls=f"{use.requests_count:,}" if known else "?",
        input=amounts.magnitude(use.input_tokens - use.cache_read_tokens),
        cached=amounts.magnitude(use.cache_read_tokens),
        output=amounts.magnitude(use.output_tokens),
        reasoning=amounts.magnitude(behind.reasoning_tokens) if behind and behind.reasoning_tokens else "–",
        spend=UNPRICED if use.spend_usd is None else amounts.money(use.spend_usd),
        share="" if use.spend_usd is None or not spend_usd else amounts.fraction(use.spend_usd / spend_usd),
        partly=f"{amounts.tokens(lost)} {UNPRICED}" if lost and use.spend_usd is not None else "",
        prices=prices[:PRICES_SHOWN_COUNT],
        more_prices_count=max(len(prices) - PRICES_SHOWN_COUNT, 0),
        reason=short(behind.unpriced_reason, 240) if behind else "",
    )


def _price_row(price: PricePart) -> PriceRow:
    parts = [
        f"{_usd(usd)} {kind}"
        for usd, kind in (
            (price.input_usd_per_mtok, "in"),
            (price.cache_read_usd_per_mtok, "cached"),
            (price.output_usd_per_mtok, "out"),
        )
        if usd is not None
    ]
    limits = [
        f"from {amounts.date_text(price.since[:10])}" if price.since else "",
        f"to {amounts.date_text(price.until[:10])}" if price.until else "",
        f"inputs from {price.input_tokens_from:,} tokens" if price.input_tokens_from else "",
        price.tier,
        f"at some hours: {price.stretches_count:,} stretches of time" if price.stretches_count > 1 else "",
    ]
    words = f"{', '.join(parts)} per million tokens"
    extra = "; ".join(each for each in limits if each)
    source = price.source
    return PriceRow(
        f"{words} ({extra})" if extra else words,
        f"read {amounts.date_text(source.read)}, {amounts.age(source.age_days)}",
        short(source.title, 120),
        source.link,
        source.grade,
    )


def _usd(usd: float) -> str:
    """A price per million tokens.

    >>> _usd(1.25), _usd(0.125), _usd(10)
    ('$1.25', '$0.125', '$10')
    """
    return f"${usd:g}"


def _import_row(file: ImportedPart) -> ImportRow:
    reasons = "; ".join(
        f"{count:,} {short(reason, 80)}"
        for reason, count in sorted(file.rejects_by_reason.items(), key=lambda one: -one[1])
    )
    if file.estimated_count:
        told = f"{file.estimated_count:,} rows had no token counts; these were estimated from their texts"
        reasons = "; ".join(each for each in (reasons, told) if each)
    return ImportRow(
        short(file.name, 80),
        short(file.format, 40),
        amounts.date_text(file.at),
        f"{file.rows_count:,}",
        f"{file.calls_count:,}",
        f"{file.duplicates_count:,}",
        f"{file.rejects_count:,}",
        reasons,
        not file.rejects_count and not file.estimated_count,
    )


def _name(provider: str, model: str) -> str:
    return "/".join(each for each in (provider, model) if each)


def _quoted(text: str) -> str:
    """As a YAML word, quoted where it has to be.

    >>> _quoted("chat-prod"), _quoted("a: b")
    ('chat-prod', '"a: b"')
    """
    import json

    from breakeven.reports.safe_text import safe

    plain = safe(text)
    is_word = plain.replace("-", "").replace("_", "").replace("/", "").replace(".", "").isalnum()
    return plain if is_word else json.dumps(plain, ensure_ascii=False)
