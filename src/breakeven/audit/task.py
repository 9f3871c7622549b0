"""Task: a kind of work that Calls do; an Audit is all of them, with what a small model can do of each.

Data only. Shares are of the calls that the audit looked at, weighted (a sampled call stands for several). An interval
holds 80 %: `low` and `high` are its 10 % and 90 % quantiles.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from breakeven.audit.grouping import Grouping
from breakeven.facts.source import Grade

Kind = Literal[
    "classification",
    "extraction",
    "faq",
    "summarisation",
    "translation",
    "rewriting",
    "chat",
    "code",
    "reasoning",
    "creative",
    "agent",
    "unknown",
]
"""The taxonomy; unknown: nothing tells."""
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
GroupedBy = Literal["log", "metadata", "template", "cluster", "rest"]
"""What makes a task one: the log named it; application, prompt or schema in common; a prompt template; words in
common; only lengths and models."""
Evidence = Literal["measured outcomes", "labels", "prior"]
COMMODITY_FROM_FRACTION: Final = 0.8
"""A task is commodity work as a whole from this share of its calls on: the guide's own figure."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A share with its 80 % interval."""

    low: float
    typical: float
    high: float


@dataclass(frozen=True, slots=True)
class Suitability:
    """Which share of a task's calls a small model can do."""

    can_do: Interval
    evidence: tuple[Evidence, ...]
    """What it rests on, what weighs most first; the prior is always among them."""
    grade: Grade
    """Of what weighs most: measured, expert (labels of a person, enough of them), guess (the prior)."""
    labels_count: int = 0
    """Calls of this task that a person judged."""
    outcomes_count: int = 0
    """Calls of this task that went to a small model and whose outcome the log knows."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class KindGuess:
    """Which kind of work a task is, and why."""

    kind: Kind
    confidence_fraction: float
    because: str


@dataclass(frozen=True, slots=True)
class LengthProfile:
    """Lengths of a task's requests, within 1 %; None where the log has no single requests."""

    input_p50_tokens: int | None = None
    input_p95_tokens: int | None = None
    output_p50_tokens: int | None = None
    output_p95_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class ModelShare:
    """What one of today's models does of a task."""

    label: str
    """``provider/model``, as the log writes them."""
    calls_count: int
    calls_fraction: float
    """Of the task's calls."""
    spend_usd: float | None
    """None: no price is known."""
    is_small: bool
    """An open model below 14 billion parameters, by the catalogue or by its name."""


@dataclass(frozen=True, slots=True)
class Difficulty:
    """Signals of how hard the calls of a task are; None where the log does not say."""

    reasoning_fraction: float = 0.0
    """Of the output tokens."""
    error_fraction: float = 0.0
    retry_fraction: float | None = None
    """Calls that repeat another one; None: the log never says."""
    truncated_fraction: float | None = None
    """Answers that ran into a limit of length; None: the log never says why an answer ended."""
    tools_fraction: float | None = None
    """Calls with tools on offer."""
    user_turns_ratio: float | None = None
    """User messages per call."""
    repeated_prompt_fraction: float | None = None
    """Calls whose prompt another call of the task has word for word."""
    code_marks_ratio: float | None = None
    """Marks of program code per hundred words of the prompt."""

    def words(self) -> tuple[str, ...]:
        """The signals that stand out, in words.

        >>> Difficulty(reasoning_fraction=0.6, truncated_fraction=0.1).words()
        ('60 % of the output is reasoning', '10 % of answers cut off')
        """
        signals = (
            (self.reasoning_fraction, 0.2, "of the output is reasoning"),
            (self.error_fraction, 0.03, "of calls fail"),
            (self.retry_fraction or 0.0, 0.03, "of calls are retries"),
            (self.truncated_fraction or 0.0, 0.03, "of answers cut off"),
            (self.tools_fraction or 0.0, 0.5, "of calls offer tools"),
            (self.repeated_prompt_fraction or 0.0, 0.2, "of prompts repeat"),
        )
        found = [f"{100 * value:.0f} % {text}" for value, least, text in signals if value >= least]
        if (self.user_turns_ratio or 0.0) >= 2:
            found.append(f"{self.user_turns_ratio:.1f} user turns a call")
        return tuple(found)


@dataclass(frozen=True, slots=True)
class AuditedTask:
    """One task of the log."""

    id: str
    name: str
    """Unique in the audit."""
    kind: KindGuess
    grouped_by: GroupedBy
    calls_count: int
    input_tokens: int
    cache_read_tokens: int
    output_tokens: int
    spend_usd: float | None
    """Of its priced calls; None when none has a price."""
    unpriced_tokens: int
    calls_fraction: float
    """Of all audited calls."""
    spend_fraction: float
    """Of all priced spend."""
    lengths: LengthProfile
    models: tuple[ModelShare, ...]
    """Most calls first."""
    difficulty: Difficulty
    suitability: Suitability
    terms: tuple[str, ...] = ()
    """Words that tell it from other tasks; empty without a vocabulary."""
    saves_usd_per_month: Interval | None = None
    """What routing its easy calls to the small model would save; None where nothing of it is priced and large."""

    @property
    def tokens(self) -> int:
        """Input and output."""
        return self.input_tokens + self.output_tokens

    @property
    def is_commodity(self) -> bool:
        """A small model can typically do enough of it to move the task as a whole."""
        return self.suitability.can_do.typical >= COMMODITY_FROM_FRACTION


@dataclass(frozen=True, slots=True)
class Savings:
    """What routing the commodity calls would save, tokens against tokens."""

    small_model: str
    """``model at provider`` of the price taken."""
    usd_per_month: Interval
    today_usd_per_month: float
    """Priced spend of all audited calls."""
    input_usd_per_mtok: float
    cache_read_usd_per_mtok: float
    output_usd_per_mtok: float
    chosen: str
    """How the model was chosen."""


@dataclass(frozen=True, slots=True)
class CommodityShare:
    """The answer: the share of the work that a small model can do."""

    calls: Interval
    spend: Interval
    already_small_fraction: float
    """Calls that go to a small model today, of all."""
    resting_on: dict[Evidence, float] = field(default_factory=dict)
    """Evidence -> share of all spend that rests on it (of all calls where nothing is priced); few labels of a task
    count for a part of its spend."""
    savings: Savings | None = None
    """None: no price of a small model, or of today's models, is known."""


@dataclass(frozen=True, slots=True)
class Audit:
    """The tasks of a log."""

    tasks: tuple[AuditedTask, ...]
    """Most spend first, then most calls."""
    commodity: CommodityShare
    grouping: Grouping
    """How every Call finds its task again."""
    calls_count: int
    tokens: int
    spend_usd: float
    unpriced_tokens: int
    prompts_fraction: float
    """Calls with features of their prompts."""
    sampled_count: int
    """Calls that templates and clusters were mined from."""
    left_out_count: int = 0
    """Calls that are no task for a language model: embeddings, moderation, audio."""
    seed: int = 0
    notes: tuple[str, ...] = ()
    """What weakens it."""
    calls_digest: str = ""
    """`CallStore.digest()` of the calls it was made from; empty when nobody said it."""

    @property
    def named(self) -> dict[str, AuditedTask]:
        """Tasks by name."""
        return {each.name: each for each in self.tasks}
