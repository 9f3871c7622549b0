"""Five questions: volume, data sensitivity, fine-tuning, MLOps team, 95 % accuracy: yes, no or unknown, with evidence.

Volume is answered by this workload's own break-even: it is a yes in a future in which a fleet costs less than today's
API at the month's volume and at every larger one. Accuracy is a gate, and so is a hard constraint on the data: neither
is a point that others could outweigh. Of those that only the user can answer, none is ever guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from breakeven.decision.answers.outlook import ON_GPUS, OWN_FLEET, Outlook, equal_success_of, equal_success_usd
from breakeven.decision.breakeven import quantiles
from breakeven.decision.comparison import Comparison, Costed, OptionResult, Range, SideBySide, open_to_all, range_of
from breakeven.decision.recommendation import changes_model
from breakeven.decision.scenario import Scenario
from breakeven.errors import ScenarioError
from breakeven.facts.distribution import Draws
from breakeven.facts.draws import DrawSet
from breakeven.options.assembly.commodity_cut import moves_everything, rests_on_a_guess
from breakeven.options.assembly.success import evidence_of
from breakeven.options.option import OF_PARTS, Evaluation, Family, Option, Situation

Key = Literal["volume", "data_sensitive", "fine_tuning", "mlops_team", "accuracy"]
Reply = Literal["yes", "no", "unknown"]
Risk = Literal["low", "medium", "high"]
WANTED_YES_COUNT: Final = 3
"""The guide's rule: self-host when at least so many are a yes."""
GUIDE_VOLUME_MTOK: Final = 10_000.0
"""The guide's own answer to the first question: 10 billion tokens a month."""
QUALITY_FRACTION: Final = 0.95
"""Share of today's success rate that an open model must reach."""
CURVE_DRAWS_LOG2: Final = 10
CURVE_POINTS_COUNT: Final = 33
OPEN_MODELS: Final[tuple[Family, ...]] = ("brokered", "managed", "self_hosted")
OPEN_MODEL_APIS: Final = frozenset({"deepseek_api"})
"""Options of the family of APIs that serve an open model all the same."""
FINE_TUNING: Final = "fine_tune_campaigns_events_per_year"
LOW_ODDS_FRACTION: Final = 0.1
"""Odds of losing money against today up to which a choice is of low risk."""
HIGH_ODDS_FRACTION: Final = 0.4
LOW_REGRET_FRACTION: Final = 0.25
"""P90 regret, as a share of today's cost, up to which a choice is of low risk."""
HIGH_REGRET_FRACTION: Final = 1.0


@dataclass(frozen=True, slots=True)
class VolumeEvidence:
    """This workload's own break-even against its volume."""

    option: str | None
    """The fleet with the lowest expected cost; None: no fleet could be costed."""
    here_mtok: float
    crossing_mtok: float | None
    """At typical values, the volume above which the fleet always costs less; None: there is none."""
    crossing_p10_mtok: float
    """Over the futures; infinity: never within the range looked at."""
    crossing_p50_mtok: float
    crossing_p90_mtok: float
    never_fraction: float


@dataclass(frozen=True, slots=True)
class AccuracyEvidence:
    """Success of the open model over today's, as the facts have it."""

    option: str | None
    ratio: Range | None
    odds_fraction: float | None
    """That the ratio reaches the wanted share, on those facts."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question, answered or not."""

    key: Key
    reply: Reply
    probability_fraction: float | None
    """Of yes; None: unknown."""
    because: str
    """What answered it: the name of a scenario key or fact, ``draws``, or empty."""
    gate: bool
    """Whether the answer rules options out, whatever the others say."""


@dataclass(frozen=True, slots=True)
class FiveQuestions:
    """The five answers, the guide's rule, and the money beside it."""

    questions: tuple[Question, ...]
    volume: VolumeEvidence
    accuracy: AccuracyEvidence
    three_or_more_fraction: float
    """Probability of three or more yes; an unknown is a yes in half of the futures."""
    money_on_gpus: bool
    """Whether the option with the lowest expected cost runs on GPUs."""
    gate_closed: bool
    """The user says that no open model is good enough."""
    risk: Risk
    loses_fraction: float
    """Odds that the recommended option costs more than today; zero where staying is no option."""
    regret_p90_usd: float
    today_usd: float

    @property
    def yes_count(self) -> int:
        """How many are a yes."""
        return sum(each.reply == "yes" for each in self.questions)

    @property
    def unknown_count(self) -> int:
        """How many nobody has answered."""
        return sum(each.reply == "unknown" for each in self.questions)

    @property
    def rule(self) -> Reply:
        """Whether the guide's rule says to self-host; unknown while the open questions could turn it."""
        if self.gate_closed or self.yes_count + self.unknown_count < WANTED_YES_COUNT:
            return "no"
        return "yes" if self.yes_count >= WANTED_YES_COUNT else "unknown"

    @property
    def agree(self) -> bool:
        """Whether the rule and the money point the same way; a rule that says nothing yet contradicts nobody."""
        return self.rule == "unknown" or (self.rule == "yes") == self.money_on_gpus


def five_questions(
    comparison: Comparison,
    situation: Situation,
    options: Mapping[str, Option],
    draws: DrawSet,
    scenario: Scenario,
    outlook: Outlook,
) -> FiveQuestions:
    """Answer what the draws and the scenario can answer, and count."""
    fleet = best_fleet(comparison)
    wins, volume = _volume(comparison, situation, options, draws, fleet)
    open_model = fleet or _best_broker(comparison)
    enough, accuracy = _accuracy(comparison, open_model)
    asked = scenario.answers
    measured = asked.accuracy is not None or _stated_success(open_model)
    accurate = enough if asked.accuracy is None else float(asked.accuracy)
    questions = (
        _from_odds("volume", float(np.mean(wins)), "draws"),
        _data_sensitive(scenario),
        _fine_tuning(scenario),
        _mlops_team(scenario),
        _from_odds("accuracy", float(np.mean(accurate)), "accuracy" if asked.accuracy is not None else "facts", True)
        if measured
        else Question("accuracy", "unknown", None, "", True),
    )
    joint: list[Draws | float] = [
        0.5 if each.probability_fraction is None else each.probability_fraction for each in questions
    ]
    joint[0] = wins
    if measured:
        joint[4] = accurate
    recommended = outlook.recommended
    may_stay = outlook.status_quo in outlook.open_names
    loses = outlook.loses_fraction(recommended) if may_stay else 0.0
    regret = float(np.quantile(outlook.regret(recommended), 0.9))
    today = outlook.mean_usd(outlook.status_quo)
    return FiveQuestions(
        questions,
        volume,
        accuracy,
        at_least_fraction(joint, WANTED_YES_COUNT),
        comparison.option(recommended).cost.family in ON_GPUS,
        measured and questions[4].reply == "no",
        risk_level(loses, regret / today if today > 0 else np.inf),
        loses,
        regret,
        today,
    )


def behind_the_gate(comparison: SideBySide, scenario: Scenario) -> frozenset[str]:
    """Options that the user's own answer rules out: those in which an open model does all of the work, or a part of it
    on nothing but a guess that it is easy enough.

    Raises ScenarioError when that leaves none of those that the constraints leave.
    """
    if scenario.answers.accuracy is not False:
        return frozenset()
    gated = frozenset(
        each.name for each in comparison.options if changes_model(each) and _needs_an_able_open_model(each)
    )
    if all(each.name in gated or each.cost.only_if for each in comparison.options):
        place = scenario.place("answers.accuracy")
        raise ScenarioError(
            f"{place + ': ' if place else ''}no open model is good enough (accuracy: no), and nothing else meets the "
            f"constraints: {', '.join(sorted(gated))} are all that they leave. Loosen a constraint, or measure again"
        )
    return gated


def _needs_an_able_open_model(result: Costed) -> bool:
    cost = result.cost
    if cost.family in OF_PARTS:
        return rests_on_a_guess(cost.success) or moves_everything(cost.success)
    return cost.family in OPEN_MODELS or result.name in OPEN_MODEL_APIS


def poisson_binomial(probabilities: Sequence[Draws | float]) -> Draws:
    """Probability of 0, 1, ... n yes among independent questions; shape ``(n + 1,)``, or ``(n + 1, draws)``.

    >>> [round(float(each), 5) for each in poisson_binomial([0.9, 0.7, 0.2, 0.6, 0.85])]
    [0.00144, 0.027, 0.1661, 0.3953, 0.3459, 0.06426]
    """
    shape = np.broadcast_shapes(*(np.shape(each) for each in probabilities))
    found = np.zeros((len(probabilities) + 1, *shape))
    found[0] = 1.0
    for each in probabilities:
        yes = found[:-1] * each
        found *= 1 - np.asarray(each)
        found[1:] += yes
    return found


def at_least_fraction(probabilities: Sequence[Draws | float], wanted_count: int) -> float:
    """Probability of so many yes or more; questions given future by future keep what they have in common.

    >>> round(at_least_fraction([0.9, 0.7, 0.2, 0.6, 0.85], 3), 5)
    0.80546
    """
    return float(np.mean(np.sum(poisson_binomial(probabilities)[wanted_count:], axis=0)))


def risk_level(loses_fraction: float, regret_fraction: float) -> Risk:
    """From the odds of losing money against today, and the P90 regret as a share of today's cost.

    >>> risk_level(0.02, 0.1), risk_level(0.2, 0.1), risk_level(0.02, 1.5)
    ('low', 'medium', 'high')
    """
    if loses_fraction > HIGH_ODDS_FRACTION or regret_fraction > HIGH_REGRET_FRACTION:
        return "high"
    return "low" if loses_fraction <= LOW_ODDS_FRACTION and regret_fraction <= LOW_REGRET_FRACTION else "medium"


def best_fleet(comparison: Comparison) -> OptionResult | None:
    """The option on GPUs alone with the lowest expected cost for equal successful outcomes; None: there is none."""
    fleets = [each for each in open_to_all(comparison.options) if each.cost.family in OWN_FLEET]
    return min(fleets, key=lambda each: each.equal_success_usd_per_month.mean) if fleets else None


def _volume(
    comparison: Comparison,
    situation: Situation,
    options: Mapping[str, Option],
    draws: DrawSet,
    fleet: OptionResult | None,
) -> tuple[Draws, VolumeEvidence]:
    """In which futures the fleet costs less at the month's volume and above it; and where it does so for good."""
    here = comparison.typical_volume_mtok
    if fleet is None:
        return np.zeros(1), VolumeEvidence(None, here, None, np.inf, np.inf, np.inf, 1.0)
    few = draws.first(CURVE_DRAWS_LOG2)
    envelope = comparison.envelope
    grid = np.geomspace(envelope.low_mtok, envelope.high_mtok, CURVE_POINTS_COUNT)
    gaps = _gaps(comparison.status_quo, fleet.name, situation, options, few, grid)
    last = last_crossing_mtok(grid, gaps)
    own = np.broadcast_to(fleet.cost.volume.value, (comparison.draws_count,))[: few.draws_count]
    cheaper = equal_success_usd(comparison, fleet) < equal_success_usd(
        comparison, comparison.option(comparison.status_quo)
    )
    wins = (own >= last) & cheaper[: few.draws_count]
    pair = next(each for each in comparison.pairs if each.option == fleet.name)
    p10, p50, p90 = quantiles(last, (0.1, 0.5, 0.9))
    never = float(np.mean(np.isinf(last)))
    return wins.astype(np.float64), VolumeEvidence(
        fleet.name, here, pair.report.b_always_above_mtok, p10, p50, p90, never
    )


def _gaps(
    status_quo: str, fleet: str, situation: Situation, options: Mapping[str, Option], draws: DrawSet, grid: Draws
) -> Draws:
    """The fleet's cost less the status quo's at every volume of every future, shape ``(volumes, draws)``."""
    evaluation = Evaluation(draws.of, grid[:, None])
    base, own = options[status_quo].cost(situation, evaluation), options[fleet].cost(situation, evaluation)
    gaps = equal_success_of(own, base) - base.total.value
    return np.broadcast_to(gaps, (grid.size, draws.draws_count))


def last_crossing_mtok(grid_mtok: Draws, gaps_usd: Draws) -> Draws:
    """The volume above which the gap stays negative, interpolated between the points of the grid; infinity: none.

    `gaps_usd` has shape ``(volumes, draws)``.

    >>> last_crossing_mtok(np.array([1.0, 2.0, 3.0]), np.array([[1.0, 1.0, -1.0], [1.0, 2.0, -1.0], [-1.0, 3.0, -1.0]]))
    array([2.5, inf, 1. ])
    """
    dear = gaps_usd >= 0
    any_dear = dear.any(axis=0)
    last = gaps_usd.shape[0] - 1 - np.argmax(dear[::-1], axis=0)
    for_good = any_dear & (last < gaps_usd.shape[0] - 1)
    at, columns = np.minimum(last, gaps_usd.shape[0] - 2), np.arange(gaps_usd.shape[1])
    above, below = gaps_usd[at, columns], gaps_usd[at + 1, columns]
    share = np.clip(above / np.where(above == below, 1.0, above - below), 0.0, 1.0)
    crossing = grid_mtok[at] + share * (grid_mtok[at + 1] - grid_mtok[at])
    return np.where(for_good, crossing, np.where(any_dear, np.inf, grid_mtok[0]))


def _best_broker(comparison: Comparison) -> OptionResult | None:
    """The broker of an open model with the lowest expected cost; None: there is none."""
    found = [each for each in open_to_all(comparison.options) if each.cost.family == "brokered"]
    return min(found, key=lambda each: each.equal_success_usd_per_month.mean) if found else None


def _accuracy(comparison: Comparison, open_model: OptionResult | None) -> tuple[Draws | float, AccuracyEvidence]:
    """Whether the open model reaches the wanted share of today's success rate, future by future."""
    if open_model is None:
        return 0.0, AccuracyEvidence(None, None, None)
    base = comparison.option(comparison.status_quo).cost.success.value
    ratio = np.broadcast_to(open_model.cost.success.value / base, (comparison.draws_count,))
    enough = (ratio >= QUALITY_FRACTION).astype(np.float64)
    evidence = AccuracyEvidence(open_model.name, range_of(ratio), float(np.mean(enough)))
    return enough[: 1 << min(CURVE_DRAWS_LOG2, int(np.log2(comparison.draws_count)))], evidence


def _stated_success(open_model: OptionResult | None) -> bool:
    """Whether somebody measured or says how often the open model succeeds: then the draws answer, and not its class."""
    if open_model is None or not changes_model(open_model):
        return False
    return evidence_of(open_model.cost.success) != "assumed"


def _from_odds(key: Key, odds_fraction: float, because: str, gate: bool = False) -> Question:
    return Question(key, "yes" if odds_fraction >= 0.5 else "no", odds_fraction, because, gate)


def _said(key: Key, value: bool, because: str, gate: bool = False) -> Question:
    return Question(key, "yes" if value else "no", float(value), because, gate)


def _data_sensitive(scenario: Scenario) -> Question:
    """The user's word; a hard constraint says it as well, and is a gate."""
    bound = scenario.data_may_not_leave is not None or bool(scenario.choices().require)
    if scenario.answers.data_sensitive is not None:
        return _said("data_sensitive", scenario.answers.data_sensitive, "data_sensitive", bound)
    if bound:
        because = "data_may_not_leave" if scenario.data_may_not_leave else "require"
        return _said("data_sensitive", True, because, True)
    return Question("data_sensitive", "unknown", None, "", False)


def _fine_tuning(scenario: Scenario) -> Question:
    """The user's word, or the campaigns that the scenario plans."""
    if scenario.answers.fine_tuning is not None:
        return _said("fine_tuning", scenario.answers.fine_tuning, "fine_tuning")
    planned = scenario.overrides.get(FINE_TUNING)
    if planned is None:
        return Question("fine_tuning", "unknown", None, "", False)
    campaigns = planned if isinstance(planned, float | int) else planned.typical
    return _said("fine_tuning", campaigns > 0, FINE_TUNING)


def _mlops_team(scenario: Scenario) -> Question:
    """The user's word; a scenario that hires people for it has none yet."""
    if scenario.answers.mlops_team is not None:
        return _said("mlops_team", scenario.answers.mlops_team, "mlops_team")
    if scenario.team == "new_hires":
        return _said("mlops_team", False, "team")
    return Question("mlops_team", "unknown", None, "", False)
