"""Advice: one page of the decision: what to do, how sure, the numbers that matter, what to do first.

Everything here is a number or the name of a step; the sentences are made in reports. What others compute of doubt (the
value of knowing a number) is taken when it is there, else the levers of the comparison stand for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from breakeven.decision.answers.exit_criteria import ExitPlan
from breakeven.decision.answers.outlook import ON_GPUS, Outlook
from breakeven.decision.answers.questions import FiveQuestions
from breakeven.decision.comparison import Comparison, Range, range_of
from breakeven.decision.recommendation import changes_model
from breakeven.options.assembly.success import evidence_of
from breakeven.options.option import OptionCost
from breakeven.units import HOURS_PER_WEEK

FIGURES_COUNT: Final = 3
WANTED_WEEKS: Final = 4.0
"""Weeks of calls from which on a month is no guess."""
NEARLY_FRACTION: Final = 0.95
"""Of the wanted weeks: a log that lacks an hour at its ends is not asked for more."""
StepKind = Literal[
    "stay",
    "start",
    "pilot",
    "measure_success",
    "terms",
    "quote",
    "bench",
    "people",
    "import_more",
    "measure",
    "answer",
    "alarm",
]


@dataclass(frozen=True, slots=True)
class Influence:
    """One assumption and how much hangs on it."""

    name: str
    unit: str
    low: float
    typical: float
    high: float
    effect_usd: float
    """What it is worth to know it, or how far it alone moves the gap between the two options."""
    kind: Literal["worth", "swing"]
    flips: bool
    """Whether the answer changes inside its range."""
    how_to_measure: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do first; what it is about, and the number that goes with it."""

    kind: StepKind
    about: str = ""
    value: float | None = None
    how: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, how sure, and what would change it."""

    recommended: str
    rival: str | None
    outlook: Outlook
    odds_fraction: float
    saves: Range | None
    """Against the rival; positive: the recommended option costs less. None: it stands alone."""
    influences: tuple[Influence, ...]
    """The three with the largest effect."""
    steps: tuple[Step, ...]
    today_alone: str | None
    """What this month alone would recommend; None: the same."""
    new_model: bool
    """Whether another model would answer."""
    todays_models_left: bool
    """Whether an option that everybody may take keeps today's models."""
    gate_excluded: str | None
    """What money alone would recommend, had the user not said that no open model is good enough; None: the same."""


def decide(
    comparison: Comparison,
    outlook: Outlook,
    questions: FiveQuestions,
    exits: ExitPlan,
    at_typical: Mapping[str, OptionCost],
    *,
    influences: Sequence[Influence] = (),
    ungated: str | None = None,
    today_alone: str | None = None,
) -> Decision:
    """Put the answers together; `influences` (largest first) come before the comparison's levers.

    `ungated`: what money alone would recommend. `today_alone`: what this month alone would.
    """
    name, rival = outlook.recommended, outlook.rival
    saves = range_of(outlook.costs[rival] - outlook.costs[name]) if rival else None
    known = _filled_up(influences, levers_of(comparison))
    return Decision(
        name,
        rival,
        outlook,
        outlook.odds_fraction(name),
        saves,
        known[:FIGURES_COUNT],
        _steps(comparison, questions, exits, at_typical[name], known, stays=name == outlook.status_quo),
        today_alone if today_alone != name else None,
        changes_model(comparison.option(name)),
        any(not changes_model(comparison.option(each)) for each in outlook.open_names),
        ungated if ungated not in (None, name) else None,
    )


def levers_of(comparison: Comparison) -> tuple[Influence, ...]:
    """The comparison's levers: first those that turn the answer, then the largest."""
    found = [
        Influence(
            each.name,
            each.node.unit,
            each.low,
            each.node.assumption.typical if each.node.assumption else each.low,
            each.high,
            each.swing_usd_per_month,
            "swing",
            each.flips,
        )
        for each in comparison.levers
    ]
    return tuple(sorted(found, key=lambda each: (not each.flips, -each.effect_usd)))


def _filled_up(influences: Sequence[Influence], levers: Sequence[Influence]) -> tuple[Influence, ...]:
    """What is worth knowing, then levers for the places that are left."""
    named = {each.name for each in influences}
    return (*influences, *(each for each in levers if each.name not in named))


def _steps(
    comparison: Comparison,
    questions: FiveQuestions,
    exits: ExitPlan,
    cost: OptionCost,
    influences: Sequence[Influence],
    *,
    stays: bool,
) -> tuple[Step, ...]:
    """In the order in which one does them."""
    result = comparison.option(cost.name)
    steps = [Step("stay")] if stays else []
    if not stays and changes_model(result):
        if questions.accuracy.odds_fraction is not None and not _measured(cost):
            steps.append(Step("measure_success", cost.name, float(cost.success.value.flat[0])))
        steps.append(Step("pilot", cost.name))
    elif not stays:
        steps.append(Step("start", cost.name))
    if not stays and cost.family in ("api", "brokered", "routed") and changes_model(result):
        steps.append(Step("terms", cost.name))
    rent = next((each.value for each in exits.criteria if each.metric == "gpu_rent" and each.above), None)
    if not stays and cost.family in ON_GPUS:
        steps += [Step("quote", cost.name, rent), Step("bench", cost.name)]
        if cost.family != "managed":
            steps.append(Step("people", cost.name, _people_hours(cost)))
    weeks = comparison.demand.observed_hours / HOURS_PER_WEEK
    if weeks < WANTED_WEEKS * NEARLY_FRACTION:
        steps.append(Step("import_more", value=weeks))
    if influences and influences[0].kind == "worth" and influences[0].effect_usd > 0:
        first = influences[0]
        steps.append(Step("measure", first.name, first.effect_usd, first.how_to_measure))
    covered = {"accuracy"} if any(each.kind == "measure_success" for each in steps) else set[str]()
    unknown = [each.key for each in questions.questions if each.reply == "unknown" and each.key not in covered]
    if unknown:
        steps.append(Step("answer", ",".join(unknown)))
    if any(each.metric == "volume" for each in exits.criteria):
        threshold = next(each.value for each in exits.criteria if each.metric == "volume")
        steps.append(Step("alarm", value=threshold))
    return tuple(steps)


def _measured(cost: OptionCost) -> bool:
    """Whether somebody measured how often the option succeeds, or the scenario says it."""
    return evidence_of(cost.success) != "assumed"


def _people_hours(cost: OptionCost) -> float:
    """Engineer hours a month that its lines pay for, at typical values."""
    nodes = [
        each.engineer_hours_per_month for each in cost.breakdown.counted if each.engineer_hours_per_month is not None
    ]
    return sum(float(each.value.flat[0]) for each in nodes)
