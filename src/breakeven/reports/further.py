"""Further: what lies beyond this month: horizon, risk, answers and workbook, as parts of a document."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from breakeven.decision.answers.questions import behind_the_gate
from breakeven.decision.compare import STATUS_QUO, chosen
from breakeven.decision.comparison import Choice, Comparison, SideBySide
from breakeven.decision.horizon.horizon import Horizon, look_ahead
from breakeven.decision.horizon.paths import LOG_GROWTH, LOG_PRESENT
from breakeven.decision.horizon.present import present_costs_usd
from breakeven.decision.risk.breakeven_odds import breakeven_odds
from breakeven.decision.risk.risk import Risk, weigh
from breakeven.decision.scenario import Scenario
from breakeven.decision.scenario_entries import CorrelationEntry
from breakeven.errors import ScenarioError
from breakeven.facts.assumption import Assumption
from breakeven.facts.distribution import Draws
from breakeven.facts.draws import DrawSet
from breakeven.facts.trace import Node
from breakeven.options.option import Option, Situation
from breakeven.reports.answers_build import answers_part
from breakeven.reports.answers_part import AnswersPart
from breakeven.reports.horizon_build import horizon_part
from breakeven.reports.horizon_part import HorizonPart
from breakeven.reports.option_titles import titles_of
from breakeven.reports.risk_build import build_risk
from breakeven.reports.risk_part import RiskPart
from breakeven.reports.workbook_build import workbook_part
from breakeven.reports.workbook_part import WorkbookPart
from breakeven.workload.forecast import GROWTH, Forecast, forecast
from breakeven.workload.profile import Workload

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Further:
    """The comparison with what the months to come recommend, and the parts that say why."""

    comparison: Comparison
    horizon: HorizonPart
    risk: RiskPart
    answers: AnswersPart
    workbook: WorkbookPart
    path_facts: tuple[Node, ...]
    """Facts that move every option over the months."""


def look_further(
    comparison: Comparison,
    situation: Situation,
    options: Mapping[str, Option],
    draws: DrawSet,
    scenario: Scenario,
    workload: Workload,
    *,
    progress: Progress = lambda _: None,
) -> Further:
    """Project, weigh and answer; `options`: all that were asked for, of which the comparison could cost some."""
    usable = {each.name: options[each.name] for each in comparison.options}
    growth = growth_of(situation, workload, comparison)
    estimates = estimates_of(growth)
    progress("looking at the months to come")
    try:
        horizon = look_ahead(situation, usable, draws, estimates=estimates, only_if=_not_open(comparison, scenario))
    except ScenarioError as error:
        place = scenario.place(f"overrides.{GROWTH}")
        raise ScenarioError(f"{place}: {error}" if place else str(error)) from None
    comparison = chosen(comparison, situation, usable, _choice(horizon))
    titles = titles_of(comparison)
    progress("weighing the doubt")
    weighed = _weighed(comparison, situation, usable, draws, horizon, estimates, scenario)
    risk = build_risk(weighed, titles, horizon_months=horizon.months_count)
    progress("answering the questions")
    answers = answers_part(comparison, situation, usable, draws, scenario, horizon, risk, estimates)
    return Further(
        comparison,
        horizon_part(horizon, titles, growth.sentence + level_words(horizon)),
        risk,
        answers,
        workbook_part(situation, usable, estimates, _not_open(comparison, scenario)),
        horizon.facts,
    )


def level_words(horizon: Horizon) -> str:
    """How far the volume of month 1 stands from the mean of the log; nothing to say where it does not."""
    ratio = float(horizon.typical_paths.volume[0, 0])
    return "" if abs(ratio - 1) < _ROUND_RATIO else f" Month 1 has {ratio:.3g} times the mean volume of the log."


_ROUND_RATIO = 0.005


def growth_of(situation: Situation, workload: Workload, comparison: SideBySide) -> Forecast:
    """What the log says of its growth; where the scenario sets the growth to come, that is said beside it."""
    seen = forecast(workload, situation.catalog.assumptions[GROWTH], comparison.demand.source.link)
    given = situation.scenario.get(GROWTH)
    if given is None:
        return seen
    typical, low, high = (f"{100 * each:+.1f} %" for each in (given.typical, given.low, given.high))
    said = f"The scenario sets a growth of {typical} a month ({low} to {high})."
    return replace(seen, sentence=said)


def estimates_of(growth: Forecast) -> dict[str, Assumption]:
    """What the log shows as facts: its growth, and how far its end stands from its mean; nothing without either."""
    certain = {LOG_PRESENT: growth.present_over_mean_ratio} if growth.present_over_mean_ratio != 1 else {}
    if growth.growth is not None:
        certain |= {"log_lead_months": growth.lead_months, "log_length_months": growth.length_months}
    if growth.source is None or not certain:
        return {}
    units = {name: "ratio" if name == LOG_PRESENT else "month" for name in certain}
    found = {
        name: Assumption(name, units[name], value, value, value, growth.source, "Read from the log's days.")
        for name, value in certain.items()
    }
    if growth.growth is not None:
        found |= {GROWTH: growth.growth, LOG_GROWTH: replace(growth.growth, name=LOG_GROWTH)}
    return found


def _not_open(comparison: Comparison, scenario: Scenario) -> tuple[str, ...]:
    """Options that are not everybody's, cost what another costs, or that the user's own answer rules out."""
    gated = behind_the_gate(comparison, scenario)
    return tuple(
        each.name for each in comparison.options if each.cost.only_if or each.same_as is not None or each.name in gated
    )


def _choice(horizon: Horizon) -> Choice:
    odds = {name: horizon.option(name).cheapest_fraction for name in horizon.open_to_all}
    best = horizon.recommended
    return Choice(best, odds[best], horizon.months_count, max(odds, key=lambda name: odds[name]))


def _weighed(
    comparison: Comparison,
    situation: Situation,
    options: Mapping[str, Option],
    draws: DrawSet,
    horizon: Horizon,
    estimates: Mapping[str, Assumption],
    scenario: Scenario,
) -> Risk:
    axis = comparison.envelope
    return weigh(
        {name: horizon.present_cost_usd[name] for name in horizon.open_to_all},
        partial(_again, situation, options, estimates),
        draws,
        recommended=horizon.recommended,
        rival=horizon.rival,
        breakeven_odds=breakeven_odds(situation, options, draws, axis.low_mtok, axis.high_mtok),
        correlations=[words_of(each) for each in scenario.correlations],
    )


def words_of(correlation: CorrelationEntry) -> str:
    """A correlation as a reader says it."""
    first, second = correlation.between
    if correlation.rank is not None:
        return f"{first} and {second}: rank correlation {correlation.rank:+g}"
    return f"{first} and {second}: correlation of the normal scores {correlation.normal:+g}"


def _again(
    situation: Situation,
    options: Mapping[str, Option],
    estimates: Mapping[str, Assumption],
    draw: Callable[[Assumption], Draws],
    names: Sequence[str],
) -> Mapping[str, Draws]:
    """Present costs of `names` under other draws."""
    wanted = {name: options[name] for name in dict.fromkeys((STATUS_QUO, *names))}
    found = present_costs_usd(situation, wanted, draw, estimates)
    return {name: np.asarray(found[name]) for name in names}
