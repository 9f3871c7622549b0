"""Routing page: a policy and its report as the figures, lines and rows that the dashboard shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from breakeven.catalog import staleness
from breakeven.learning.evaluation_document import EvaluationDocument, FigurePart, SavingPart
from breakeven.reports import amounts
from breakeven.reports.routing_document import LearnDocument
from breakeven.reports.routing_evidence import CalibrationPart, TaskPart, group_words
from breakeven.reports.routing_rows import PER, percent_words
from breakeven.reports.safe_text import short
from breakeven.routing.policy import Decision
from breakeven.routing.policy_document import Guarantee, PolicyDocument, PricedModel

Kind = Literal["", "good", "bad", "warn"]
AGAINST: Final = {
    "incumbent": "what ran before",
    "best_single": "the best single model",
    "dearest": "the dearest model",
}
_NAME_MAX_COUNT: Final = 40


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the page."""

    label: str
    value: str
    range: str
    note: str
    kind: Kind = ""


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One group of requests."""

    name: str
    models: str
    share: str
    success: str
    interval: str
    reference: str
    per_success: str
    requests: str
    """Calibration requests behind the success."""
    learnt_from: str
    why: str
    moved: bool


@dataclass(frozen=True, slots=True)
class SavingRow:
    """What is saved against one way to do without the policy."""

    against: str
    model: str
    words: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class PriceRow:
    """What a model's calls cost in the policy's own snapshot."""

    model: str
    price: str
    when: str
    stale: bool
    words: str


def headline(document: LearnDocument) -> str:
    """What to do, what it saves, and what is promised; the verdict's own words where there is nothing to send."""
    floor = document.floor
    if document.policy.kind == "single" or not floor.moved_fraction:
        return document.verdict.sentence
    takers = ", ".join(_takers(document)) or "others"
    promise = (
        f"at least {amounts.fraction(floor.quality_floor_ratio)} of the success of {floor.against_model} is kept, with "
        f"{amounts.fraction(floor.confidence)} confidence"
        if floor.holds
        else f"the floor of {amounts.fraction(floor.quality_floor_ratio)} could not be proven"
    )
    saved = _main_saving(document.evaluation)
    money = f": {_saved_words(saved)}" if saved else ""
    return f"Send {amounts.fraction(floor.moved_fraction)} of the requests to {takers}{money}; {promise}."


def figures(document: LearnDocument) -> Iterator[Figure]:
    """Share that moves, cost, success, saving, promise."""
    own, floor = document.evaluation, document.floor
    is_used = document.policy.kind != "single"
    what = "" if is_used else ", of the router that was tried"
    if is_used:
        yield Figure(
            f"Leaves {short(floor.against_model, _NAME_MAX_COUNT)}", amounts.fraction(floor.moved_fraction),
            "of the calibration requests", f"the rest stays with {short(floor.against_model, _NAME_MAX_COUNT)}",
        )  # fmt: skip
    usd = own.usd_per_request
    if usd.value is not None:
        yield Figure(
            f"Cost per {PER:,.0f} requests{what}", amounts.money(PER * usd.value), _money_span(usd),
            f"measured on {amounts.counted(own.requests, 'request')}",
        )  # fmt: skip
    if own.success.value is not None:
        yield Figure(
            f"Success{what}", percent_words(own.success), interval_words(own.success), "95 % interval, measured"
        )
    saved = _main_saving(own)
    if saved is not None and saved.saved_fraction.value is not None and is_used:
        part = saved.saved_fraction
        verb = "Saves" if (part.value or 0) >= 0 else "Costs more"
        yield Figure(
            f"{verb}, against {AGAINST[saved.against]}", amounts.fraction(abs(part.value or 0)), _signed_span(part),
            short(saved.model, _NAME_MAX_COUNT), "good" if (part.value or 0) > 0 else "bad",
        )  # fmt: skip
    if not is_used:
        yield Figure("In use", short(document.policy.default_model, _NAME_MAX_COUNT), "takes every request", "")
        return
    yield Figure(
        "Promise", "kept" if floor.holds else "not proven",
        f"{amounts.fraction(floor.quality_floor_ratio)} of {short(floor.against_model, _NAME_MAX_COUNT)}'s success",
        f"{amounts.fraction(floor.confidence)} confidence", "good" if floor.holds else "warn",
    )  # fmt: skip


def task_rows(document: LearnDocument) -> tuple[TaskRow, ...]:
    """Every group, the largest first."""
    return tuple(_task_row(each, document.floor.against_model) for each in document.tasks)


def saving_rows(evaluation: EvaluationDocument) -> tuple[SavingRow, ...]:
    """Signed, with words; nothing where nothing changes."""
    return tuple(
        SavingRow(
            AGAINST[each.against], each.model, each.sentence,
            "" if each.saved_usd_per_request.value is None
            else "good" if each.saved_usd_per_request.value > 0
            else "bad" if each.saved_usd_per_request.value < 0
            else "",
        )
        for each in evaluation.savings
        if each.saved_usd_per_request.value != 0
    )  # fmt: skip


def not_charged(evaluation: EvaluationDocument) -> tuple[str, ...]:
    """Costs of routing itself that nobody stated."""
    return tuple(name for name, amount in evaluation.charges_usd_per_request.items() if amount is None)


def guarantee_lines(guarantee: Guarantee | None, document: LearnDocument | None) -> Iterator[str]:
    """The promise, on what it rests, and what is missing."""
    if guarantee is None:
        yield "This policy promises nothing about quality: it was not learnt from outcomes."
        return
    of = guarantee.against_model
    yield (
        f"Floor: at least {amounts.fraction(guarantee.quality_floor_ratio)} of the success of {of}, for requests like "
        f"those it was calibrated on. Confidence: {amounts.fraction(guarantee.confidence_fraction)}."
    )
    count = amounts.counted(guarantee.calibration_requests_count, "labelled request")
    yield f"Calibrated on {count} from which nothing was learnt. Bound: {guarantee.method}."
    if document is not None and document.floor.success_ratio is not None:
        yield f"Measured there: {amounts.fraction(document.floor.success_ratio)} of the success of {of}."
    for each in guarantee.by_task:
        kept = "proven" if each.holds else f"not proven: its requests stay with {of}"
        count = amounts.counted(each.calibration_requests_count, "labelled request")
        yield f"Floor of {each.task}: {amounts.fraction(each.quality_floor_ratio)}, {kept} ({count})."
    if not guarantee.holds:
        yield "Not enough evidence: the floor is not proven, and nothing leaves the reference model for it."
    if guarantee.missing_requests_count:
        yield f"{guarantee.missing_requests_count:,} more labelled requests are missing, about."
    yield "It holds for requests like those: watch for drift (evaluate on later outcomes, below)."


def calibration_words(each: CalibrationPart) -> tuple[str, str, str, str, bool]:
    """Predicted, observed, its interval, the count, and whether the prediction lies inside."""
    return (
        amounts.fraction(each.predicted_fraction), percent_words(each.observed), interval_words(each.observed),
        f"{each.requests:,}", each.is_inside,
    )  # fmt: skip


def price_rows(policy: PolicyDocument, today: date, document: LearnDocument | None) -> tuple[PriceRow, ...]:
    """The price snapshot that the policy carries, with its age."""
    words = {each.model: each.words for each in document.prices} if document else {}
    return tuple(_price_row(each, today, words.get(each.name, "")) for each in policy.models)


def interval_words(figure: FigurePart) -> str:
    """Both ends of an interval of shares."""
    if figure.low is None or figure.high is None:
        return figure.why
    return f"{100 * figure.low:.1f} to {100 * figure.high:.1f} %"


def decision_words(decision: Decision, policy: PolicyDocument) -> tuple[str, ...]:
    """Which model takes a request and why, in sentences."""
    if not decision.model:
        return (f"Refused: no open model may take it ({decision.reason}).",)
    found = [f"{decision.model} takes it.", f"Why: {_reason_words(decision.reason)}."]
    if decision.escalate_to:
        found.append(f"If a check of its answer fails, next: {', '.join(decision.escalate_to)}.")
    if policy.trial is not None:
        found.append("A pilot is running: it sends a share of such requests elsewhere, by lot.")
    return tuple(found)


def predicted_rows(decision: Decision, policy: PolicyDocument) -> tuple[tuple[str, str, str, bool], ...]:
    """Each model with its predicted success, its price per 1,000 calls, and whether it was chosen."""
    return tuple(
        (each.name, amounts.fraction(share) if share is not None else "not looked at", _per_calls(each),
         each.name == decision.model)
        for each in policy.models
        for share in (decision.success_fractions.get(each.name),)
    )  # fmt: skip


def _reason_words(reason: str) -> str:
    """A reason's code in words; the code itself behind it."""
    code, _, rest = (each.strip() for each in reason.partition(":"))
    words = {
        "group": f"its group decides ({rest})",
        "share": f"its group is divided by a hash of the prompt ({rest})",
        "threshold": "what is predicted from the words of the prompt, against what a success is worth",
        "cascade": f"the models are asked in the order {rest} until a check accepts an answer",
        "default": f"the default model, because: {rest}",
        "open": f"another open model, because {rest}",
        "single": "the policy has one model for everything",
    }
    return words.get(code, reason)


def _takers(document: LearnDocument) -> list[str]:
    """The models other than the reference that take requests, those with most first."""
    shares = {
        each.model: each.share_fraction or 0.0
        for each in document.evaluation.models
        if each.model != document.floor.against_model and each.share_fraction
    }
    return [short(name, _NAME_MAX_COUNT) for name in sorted(shares, key=lambda each: -shares[each])][:3]


def _main_saving(evaluation: EvaluationDocument) -> SavingPart | None:
    by_name: Mapping[str, SavingPart] = {each.against: each for each in evaluation.savings}
    return by_name.get("incumbent") or by_name.get("best_single")


def _saved_words(saving: SavingPart) -> str:
    part, what = saving.saved_fraction, AGAINST[saving.against]
    if part.value is None:
        return f"no money figure against {what}"
    verb = "saves" if part.value >= 0 else "costs"
    more = "" if part.value >= 0 else " more"
    return f"{verb} {amounts.fraction(abs(part.value))}{more} ({_signed_span(part)}) against {what}"


def _signed_span(part: FigurePart) -> str:
    if part.low is None or part.high is None:
        return "no interval"
    if part.low >= 0:
        return f"{100 * part.low:.0f} to {100 * part.high:.0f} %"
    if part.high <= 0:
        return f"{-100 * part.high:.0f} to {-100 * part.low:.0f} % more"
    return f"from {-100 * part.low:.0f} % more to {100 * part.high:.0f} % saved"


def _money_span(usd: FigurePart) -> str:
    if usd.low is None or usd.high is None:
        return usd.why
    return amounts.money_span(PER * usd.low, PER * usd.high)


def _task_row(each: TaskPart, reference: str) -> TaskRow:
    models = [
        name if share >= 0.9995 else f"{name} {amounts.fraction(share)}" for name, share in each.model_shares.items()
    ]
    return TaskRow(
        group_words(each.group),
        ", ".join(short(name, _NAME_MAX_COUNT + 8) for name in models),
        amounts.fraction(each.share_fraction),
        percent_words(each.success),
        interval_words(each.success),
        percent_words(each.reference_success),
        "UNPRICED" if each.usd_per_success is None else amounts.money(PER * each.usd_per_success),
        f"{each.requests:,}",
        f"learnt from {each.learnt_from_requests:,} others",
        each.why,
        next(iter(each.model_shares), reference) != reference,
    )


def _price_row(each: PricedModel, today: date, words: str) -> PriceRow:
    when, is_stale = "no date", True
    if each.prices_as_of:
        age_days = (today - date.fromisoformat(each.prices_as_of[:10])).days
        when, is_stale = (
            f"{amounts.date_text(each.prices_as_of[:10])}, {amounts.age(age_days)}",
            age_days > staleness.LIMIT_DAYS[staleness.Kind.PRICE],
        )
    price = _per_calls(each)
    if each.input_usd_per_mtok is not None and each.output_usd_per_mtok is not None:
        price += (
            f"; {amounts.money(each.input_usd_per_mtok)} in, {amounts.money(each.output_usd_per_mtok)} out per Mtok"
        )
    return PriceRow(each.name, price, when, is_stale, words)


def _per_calls(each: PricedModel) -> str:
    if each.usd_per_request is None:
        return "UNPRICED"
    return f"{amounts.money(PER * each.usd_per_request)} per {PER:,.0f} calls"
