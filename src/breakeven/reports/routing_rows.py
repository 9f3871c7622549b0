"""Routing rows: what a learnt policy or an evaluation says, line by line, the same on a terminal and on a page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from breakeven.learning.evaluation_document import EvaluationDocument, FigurePart, JudgedPart
from breakeven.reports.routing_document import JudgePart, LearnDocument, PolicyPart
from breakeven.reports.safe_text import short
from breakeven.routing.policy_document import PolicyDocument

NAME_MAX_COUNT: Final = 30
PER: Final = 1000.0
"""Requests to which money in tables refers: one call costs too little to read."""
_NOTHING: Final = FigurePart(value=None, low=None, high=None)
BASELINES: Final = {
    "best_single": "best single model",
    "always_weak": "cheap model alone",
    "always_strong": "reference alone",
    "random_mix": "random mix",
    "prompt_length": "prompt length",
    "keywords": "keywords",
    "per_task_best": "best model per task",
    "oracle": "oracle (has seen the answers)",
}
"""Name of a baseline -> what it is, for a reader."""


@dataclass(frozen=True, slots=True)
class WayRow:
    """One way to choose models, in words."""

    name: str
    cost: str
    """USD per 1,000 requests, or the share of calls to the strong model where no money is known."""
    success: str
    per_success: str
    """USD per 1,000 successes; empty where no money is known."""
    apgr: str
    aiq: str


def cost_heading(document: EvaluationDocument) -> str:
    """What the cost of a row is."""
    return f"USD per {PER:,.0f}" if document.cost_basis == "usd" else "strong calls"


def way_rows(document: EvaluationDocument, own_name: str) -> tuple[WayRow, ...]:
    """The policy among everything it is compared with; its own row first."""
    money = document.cost_basis == "usd"
    rows: list[tuple[str, FigurePart, FigurePart, FigurePart, FigurePart]] = [
        (
            own_name,
            document.usd_per_request if money else document.strong_share,
            document.success,
            document.apgr,
            document.aiq,
        )
    ]
    charges = sum(each for each in document.charges_usd_per_request.values() if each is not None)
    if money and charges > 0 and document.usd_per_request.value is not None:
        charged = FigurePart(value=document.usd_per_request.value + charges, low=None, high=None)
        rows.append((f"{own_name}, with its charges", charged, document.success, _NOTHING, _NOTHING))
    rows += [_row(each, document, money) for each in document.baselines]
    return tuple(
        WayRow(
            name,
            money_words(cost) if money else percent_words(cost),
            percent_words(success),
            _per_success(cost, success) if money else "",
            _plain(apgr),
            _plain(aiq),
        )
        for name, cost, success, apgr, aiq in rows
    )


def details(document: LearnDocument) -> Iterable[str]:
    """The floor, the split, the figures and the kind of policy."""
    floor, split, policy = document.floor, document.split, document.policy
    others = " over all tasks but those below" if floor.by_task else ""
    yield (
        f"Floor: at least {100 * floor.quality_floor_ratio:.0f} % of the success of {floor.against_model}{others}, "
        f"with {100 * floor.confidence:.0f} % confidence{', all floors together' if others else ''}, for requests like "
        f"these; {floor.sentence}."
    )
    for each in floor.by_task:
        missing = f"; about {each.missing_requests:,} more of its requests are missing" if each.missing_requests else ""
        floor_words = f"{100 * each.quality_floor_ratio:.1f} %"
        yield f"Floor of {short(each.task, NAME_MAX_COUNT)}: {floor_words}; {each.sentence}{missing}."
    if floor.missing_requests:
        yield f"About {floor.missing_requests:,} more labelled requests are missing."
    yield (
        f"Learnt from {split.learnt_from_requests:,} requests; judged on {split.calibration_requests:,} others "
        f"(seed {split.seed})."
    )
    yield from judge_words(document.judge)
    yield from ranges(document.evaluation)
    if document.policy.kind != "single":
        yield (
            "The setting was chosen on the requests it is judged on, which flatters it a little; figures of "
            "`evaluate` on other requests are free of that."
        )
    holds = "; it holds training rows (learn without --with-rows for one that does not)"
    kind = kind_words(policy.kind, policy)
    elsewhere = sum(each.requests for each in document.groups if each.model != policy.default_model)
    if policy.kind == "single" and elsewhere:
        kind += f", and the best that may where it may not answer ({elsewhere:,} of the requests learnt from)"
    yield f"Policy: {kind}{holds if policy.holds_training_rows else ''}."


def judge_words(judge: JudgePart | None) -> Iterable[str]:
    """Whose word the labels are, and what careful labels take off it."""
    if judge is None:
        return
    proof = (
        "too few to promise anything"
        if judge.is_alone
        else "the floor is proven on some of these alone, the others correct the judge on the requests learnt from"
    )
    yield (
        f"A judge alone says of {judge.judged_answers:,} of {judge.answers:,} answers whether they succeeded; "
        f"{judge.gold_requests:,} requests have a careful label of every model: {proof}."
    )
    for each in judge.corrected:
        learnt = (
            "" if each.corrected_in_training or judge.is_alone else "; too few of them to correct what is learnt from"
        )
        yield (
            f"{each.model}: {100 * each.judged_fraction:.1f} % by the judge, "
            f"{100 * each.success_fraction:.1f} % (90 %: "
            f"{100 * each.low_fraction:.1f} % to {100 * each.high_fraction:.1f} %) corrected by "
            f"{each.gold_labels:,} careful "
            f"labels{learnt}."
        )


def steps_words(document: LearnDocument) -> Iterable[str]:
    """Whether a scorer's scores were calibrated, and what that does."""
    for each in document.scorer.steps:
        then = "put through" if each.used else "left as they are: no sure gain by"
        loss = f"{each.log_loss_before_ratio:.4f} before, {each.log_loss_after_ratio:.4f} after"
        brier = f"{each.brier_before_ratio:.4f} before, {each.brier_after_ratio:.4f} after"
        yield (
            f"Scores of {each.model} are {then} isotonic steps (log loss {loss}, standard error of the difference "
            f"{each.standard_error_ratio:.4f}; Brier {brier}; on folds that the steps did not see)."
        )


def kind_words(kind: str, policy: PolicyPart | PolicyDocument) -> str:
    """What decides, in words."""
    return {
        "single": f"one model for everything, {policy.default_model}",
        "task_map": f"a map from {' / '.join(policy.levels)} to a model",
        "threshold": "a scorer of prompts decides, with what its group is known to do",
        "cascade": "a cheap model answers first, and a check of its answer decides who answers next",
        "allocation": "prices of capacity decide among several models",
    }[kind]


def ranges(document: EvaluationDocument) -> Iterable[str]:
    """The policy's own figures with their intervals."""
    usd, success = document.usd_per_request, document.success
    if success.value is not None and success.low is not None and success.high is not None:
        words = f"success {100 * success.value:.1f} % (95 %: {100 * success.low:.1f} % to {100 * success.high:.1f} %)"
        if usd.value is not None and usd.low is not None and usd.high is not None:
            words += f", {PER * usd.value:.4g} USD per {PER:,.0f} ({PER * usd.low:.4g} to {PER * usd.high:.4g})"
        yield f"Measured on {document.requests:,} requests: {words}."


def savings_lines(document: EvaluationDocument) -> list[str]:
    """What is saved against what, signed in words; nothing where nothing changes."""
    if all(each.saved_usd_per_request.value == 0 for each in document.savings):
        return []
    names = {"incumbent": "What ran before", "best_single": "Best single model", "dearest": "Dearest model"}
    lines = [f"{names[each.against]}: {each.sentence}." for each in document.savings]
    not_stated = [name for name, amount in document.charges_usd_per_request.items() if amount is None]
    if lines and not_stated:
        lines.append(f"Not charged, because nobody stated it: {', '.join(not_stated)}.")
    return lines


def curve_words(document: EvaluationDocument) -> Iterable[str]:
    """The figures of the curve and what they mean."""
    weak, strong = document.weak_model, document.strong_model
    for name, what, each in (
        ("APGR", f"share of the gap between {weak} and {strong} recovered, over all settings (0.5: by chance)", "apgr"),
        ("CPT50", f"calls of {strong} that recover half of the gap", "cpt50"),
        ("CPT80", "calls of it that recover 80 %", "cpt80"),
        ("AIQ", "mean success over the costs from the cheapest to the dearest model", "aiq"),
        ("Saved at 95 %", f"of the bill of {strong}, keeping 95 % of its success", "savings_at_95"),
        ("Saved at 98 %", "keeping 98 %", "savings_at_98"),
        ("Saved at 100 %", "keeping all of it", "savings_at_100"),
    ):
        figure: FigurePart = getattr(document, each)
        percent = each.startswith(("cpt", "savings"))
        yield f"{name}: {_spread(figure, percent)}: {what}."


def price_words(document: LearnDocument, model: str) -> str:
    """The price of a model's calls and who says so."""
    found = next(each for each in document.prices if each.model == model)
    usd = "unpriced" if found.usd_per_request is None else f"{PER * found.usd_per_request:.4g} USD per {PER:,.0f} calls"
    return f"{model}: {usd}; {found.words}."


def money_words(each: FigurePart) -> str:
    """USD per 1,000."""
    return "not known" if each.value is None else f"{PER * each.value:.4g}"


def percent_words(each: FigurePart) -> str:
    """A share; empty where there is none."""
    return "" if each.value is None else f"{100 * each.value:.1f} %"


def _row(
    each: JudgedPart, document: EvaluationDocument, money: bool
) -> tuple[str, FigurePart, FigurePart, FigurePart, FigurePart]:
    """One baseline; one without a setting of its own stands at the cost of the policy."""
    name = BASELINES.get(each.name, each.name)
    if each.name == "always_weak" and _is_dearer(document):
        name = "the other model alone"
    model = each.what.rpartition(": ")[2] if each.name in ("best_single", "always_weak", "always_strong") else ""
    label = f"{name}: {short(model, NAME_MAX_COUNT)}" if model else name
    cost, success = each.cost_per_request if money else each.strong_share, each.success
    if cost.value is None and each.success_at_policy_cost.value is not None:
        own = document.usd_per_request if money else document.strong_share
        return f"{label}, at the same cost", own, each.success_at_policy_cost, each.apgr, each.aiq
    return label, cost, success, each.apgr, each.aiq


def _is_dearer(document: EvaluationDocument) -> bool:
    """Whether the model called weak costs more than the reference."""
    cost = {each.name: each.cost_per_request.value for each in document.baselines}
    weak, strong = cost.get("always_weak"), cost.get("always_strong")
    return weak is not None and strong is not None and weak > strong


def _per_success(cost: FigurePart, success: FigurePart) -> str:
    if cost.value is None or success.value is None or success.value <= 0:
        return "not known"
    return f"{PER * cost.value / success.value:.4g}"


def _plain(each: FigurePart) -> str:
    return "" if each.value is None else f"{each.value:.3f}"


def _spread(each: FigurePart, percent: bool) -> str:
    if each.value is None:
        return f"not known ({each.why})"
    values = [
        f"{100 * value:.1f} %" if percent else f"{value:.3f}"
        for value in (each.value, each.low, each.high)
        if value is not None
    ]
    return values[0] if len(values) < 3 else f"{values[0]} ({values[1]} to {values[2]})"
