"""Audit rows: an audit as figures, table rows and lists. Numbers come in, plain English goes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from breakeven.audit.task import Audit, AuditedTask, Interval
from breakeven.reports import amounts
from breakeven.reports import audit_wording as wording
from breakeven.reports.safe_text import short
from breakeven.reports.usage_rows import UNPRICED, Figure

MODELS_SHOWN_COUNT: Final = 2
_KIND_WORDS: Final = {"faq": "FAQ", "agent": "agent or tool use", "unknown": "kind not known"}


@dataclass(frozen=True, slots=True)
class TaskRow:
    """One task in the table."""

    name: str
    key: str
    """The name as it is asked for."""
    letter: str
    """In the map; empty where it has no box of its own."""
    calls: str
    calls_share: str
    tokens: str
    spend: str
    spend_share: str
    kind: str
    models: str
    signals: str
    can_do: str
    low_fraction: float
    typical_fraction: float
    high_fraction: float
    basis: str
    """Grade of its evidence."""
    evidence: str
    is_commodity: bool
    saves: str


def figures(audit: Audit) -> tuple[Figure, ...]:
    """Shares, saving, and what the answer rests on."""
    share, found = audit.commodity, []
    found.append(Figure("Calls a small model can do", _percent(share.calls), _span(share.calls)))
    if audit.spend_usd:
        found.append(Figure("Spend of those calls", _percent(share.spend), _span(share.spend)))
    else:
        found.append(Figure("Spend of those calls", UNPRICED, "no call has a known price", "bad"))
    if share.savings:
        saved = share.savings.usd_per_month
        span = amounts.money_span(saved.low, saved.high)
        found.append(
            Figure(
                "Routing would save a month",
                amounts.money(saved.typical),
                f"80 %: {span} of {amounts.money(share.savings.today_usd_per_month)}, tokens alone",
            )
        )
    guessed = share.resting_on.get("prior", 0.0)
    labels = sum(each.suitability.labels_count for each in audit.tasks)
    found.append(
        Figure(
            "Rests on a guess",
            amounts.fraction(guessed),
            f"of {'spend' if audit.spend_usd else 'calls'}; {amounts.counted(labels, 'label')} of yours",
            "warn" if guessed > wording.MOSTLY_FRACTION else "",
        )
    )
    found.append(Figure("Go to a small model today", amounts.fraction(share.already_small_fraction), "of calls"))
    return tuple(found)


def task_rows(audit: Audit, letters: dict[str, str]) -> tuple[TaskRow, ...]:
    """Every task, most spend first; `letters` are those of the map."""
    return tuple(_row(each, letters.get(each.name, "")) for each in audit.tasks)


def why_lines(audit: Audit, task: AuditedTask) -> tuple[str, ...]:
    """How one task was found, why it is of its kind, what its suitability rests on."""
    kind = task.kind
    found = [
        f"Found by {wording.GROUPED_WORDS[task.grouped_by]}.",
        f"Kind of work: {kind_words(kind.kind)} ({amounts.fraction(kind.confidence_fraction)} sure: {kind.because}).",
    ]
    if templates := sum(rule.task == task.id for rule in audit.grouping.templates):
        longest = max(rule.words_count for rule in audit.grouping.templates if rule.task == task.id)
        found.append(
            f"{amounts.counted(templates, 'prompt template')}: its calls begin with the same words, up to "
            f"{longest:,} of them; templates are kept as hashes, never as text."
        )
    if task.terms:
        found.append(f"Words that tell it from other tasks: {', '.join(task.terms)}.")
    return tuple(found)


def evidence_lines(task: AuditedTask) -> tuple[str, ...]:
    """What the suitability of a task rests on."""
    suitable = task.suitability
    found = [f"Evidence: {wording.evidence_words(task)}."]
    if suitable.note:
        found.append(f"{suitable.note[0].upper()}{suitable.note[1:]}.")
    if suitable.evidence[0] == "prior":
        found.append("Mostly a guess by its kind of work: ten labels of this task weigh as much as the guess.")
    return tuple(found)


def task_figures(task: AuditedTask, audit: Audit) -> tuple[Figure, ...]:
    """Calls, tokens, spend, what a small model can do and would save."""
    can = task.suitability.can_do
    saved = task.saves_usd_per_month
    saving = audit.commodity.savings
    found = [
        Figure(
            "A small model can do", _percent(can), f"{_span(can)}; {wording.evidence_words(task)}",
            "good" if task.is_commodity else "",
        ),
        Figure("Calls", f"{task.calls_count:,}", f"{amounts.fraction(task.calls_fraction)} of all"),
        Figure(
            "Tokens", amounts.magnitude(task.tokens),
            f"{amounts.magnitude(task.input_tokens)} in ({amounts.magnitude(task.cache_read_tokens)} cached), "
            f"{amounts.magnitude(task.output_tokens)} out",
        ),
        Figure("Spend", UNPRICED, "no call of it has a known price", "bad")
        if task.spend_usd is None
        else Figure(
            "Spend", amounts.money(task.spend_usd),
            f"{amounts.fraction(task.spend_fraction)} of all, over the log"
            + (f"; without {amounts.tokens(task.unpriced_tokens)} {UNPRICED}" if task.unpriced_tokens else ""),
            "bad" if task.unpriced_tokens else "",
        ),
    ]  # fmt: skip
    if saving is not None and all(each.saves_usd_per_month is None for each in audit.tasks):
        found.append(Figure("Routing it would save a month", "not said", "an older audit: run it again to see it"))
    if saved is not None and saving is not None:
        span = amounts.money_span(saved.low, saved.high)
        found.append(
            Figure(
                "Routing it would save a month",
                amounts.money(saved.typical),
                f"80 %: {span}; to {saving.small_model}, tokens alone",
            )
        )
    return tuple(found)


def length_rows(task: AuditedTask) -> tuple[tuple[str, str, str], ...]:
    """Input and output: median and 95 %; empty where the log has no single requests."""
    lengths = task.lengths
    rows = (
        ("Input", lengths.input_p50_tokens, lengths.input_p95_tokens),
        ("Output", lengths.output_p50_tokens, lengths.output_p95_tokens),
    )
    return tuple(
        (name, f"{middle:,}", f"{high:,}") for name, middle, high in rows if middle is not None and high is not None
    )


def difficulty_rows(task: AuditedTask) -> tuple[tuple[str, str], ...]:
    """Every signal of difficulty that the log tells."""
    found = task.difficulty
    rows: tuple[tuple[str, float | None], ...] = (
        ("Reasoning, of output", found.reasoning_fraction),
        ("Calls that fail", found.error_fraction),
        ("Calls sent again", found.retry_fraction),
        ("Answers cut off", found.truncated_fraction),
        ("Calls with tools", found.tools_fraction),
        ("Prompts word for word alike", found.repeated_prompt_fraction),
    )
    told = [(name, amounts.fraction(value) if value is not None else "the log does not say") for name, value in rows]
    ratios = (
        ("User messages per call", found.user_turns_ratio),
        ("Marks of code per 100 words", found.code_marks_ratio),
    )
    return (*told, *((name, amounts.number(value)) for name, value in ratios if value is not None))


def model_rows(task: AuditedTask) -> tuple[tuple[str, str, str, str, str], ...]:
    """Today's models of a task: label, calls, share, spend, and whether it is small."""
    return tuple(
        (
            short(each.label, 80),
            f"{each.calls_count:,}",
            amounts.fraction(each.calls_fraction),
            UNPRICED if each.spend_usd is None else amounts.money(each.spend_usd),
            "small already" if each.is_small else "",
        )
        for each in task.models
    )


def kind_words(kind: str) -> str:
    """A kind of work as a person says it.

    >>> kind_words("faq"), kind_words("extraction")
    ('FAQ', 'extraction')
    """
    return _KIND_WORDS.get(kind, kind)


def _row(task: AuditedTask, letter: str) -> TaskRow:
    can, saved = task.suitability.can_do, task.saves_usd_per_month
    named = [
        f"{short(each.label, 44)} {amounts.fraction(each.calls_fraction)}" for each in task.models[:MODELS_SHOWN_COUNT]
    ]
    more = len(task.models) - len(named)
    return TaskRow(
        name=short(task.name, 80),
        key=task.name,
        letter=letter,
        calls=f"{task.calls_count:,}",
        calls_share=amounts.fraction(task.calls_fraction),
        tokens=amounts.magnitude(task.tokens),
        spend=UNPRICED if task.spend_usd is None else amounts.money(task.spend_usd),
        spend_share="" if task.spend_usd is None else amounts.fraction(task.spend_fraction),
        kind=kind_words(task.kind.kind),
        models=", ".join(named) + (f" and {more} more" if more > 0 else ""),
        signals="; ".join(task.difficulty.words()) or "none stands out",
        can_do=wording.share_range(can),
        low_fraction=can.low,
        typical_fraction=can.typical,
        high_fraction=can.high,
        basis=task.suitability.grade.value,
        evidence=wording.evidence_words(task),
        is_commodity=task.is_commodity,
        saves="–" if saved is None else amounts.money_range(saved.typical, saved.low, saved.high),
    )


def _percent(share: Interval) -> str:
    return f"{share.typical * 100:.0f} %"


def _span(share: Interval) -> str:
    return f"80 %: {share.low * 100:.0f} to {share.high * 100:.0f} %"
