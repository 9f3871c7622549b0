"""Answers build: a comparison, with a horizon and its risk where there are, becomes the answers part of a document."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from breakeven.decision.answers.advice import Decision, Influence, decide
from breakeven.decision.answers.energy import FleetEnergy, fleet_energy
from breakeven.decision.answers.exit_criteria import exit_plan
from breakeven.decision.answers.expected import Expectation, Turn, turns_of
from breakeven.decision.answers.outlook import Outlook, PresentCosts, outlook_of
from breakeven.decision.answers.privacy import Privacy, privacy
from breakeven.decision.answers.questions import (
    FiveQuestions,
    Question,
    behind_the_gate,
    five_questions,
)
from breakeven.decision.answers.volume_bands import VolumeBand, volume_bands
from breakeven.decision.compare import typical
from breakeven.decision.comparison import Comparison
from breakeven.decision.scenario import Scenario
from breakeven.facts.assumption import Assumption
from breakeven.facts.draws import DrawSet
from breakeven.facts.source import Grade, Source
from breakeven.options.option import Evaluation, Option, Situation
from breakeven.reports import answers_wording as words
from breakeven.reports import decision_wording as told
from breakeven.reports.amounts import fact_title, quantity, quantity_range
from breakeven.reports.answers_part import (
    AnswersPart,
    DecisionPart,
    EnergyPart,
    ExceedancePart,
    ExitCriterionPart,
    FigurePart,
    FiveQuestionsPart,
    IndustryPart,
    PrivacyOptionPart,
    PrivacyPart,
    QuestionPart,
    VolumeBandPart,
)
from breakeven.reports.option_titles import Titles, titles_of
from breakeven.reports.range_amount import amount
from breakeven.reports.risk_part import RiskPart
from breakeven.units import MONTHS_PER_YEAR

MONTHS: Final = "horizon_months"
CAPITAL: Final = "cost_of_capital_fraction_per_year"
TURN_DRAWS_LOG2: Final = 9
ASKED_VALUE: Final = Source("asked", "value at which it was looked", date(1970, 1, 1), Grade.GUESS)


def answers_part(
    comparison: Comparison,
    situation: Situation,
    options: Mapping[str, Option],
    draws: DrawSet,
    scenario: Scenario,
    horizon: PresentCosts | None = None,
    risk: RiskPart | None = None,
    estimates: Mapping[str, Assumption] | None = None,
) -> AnswersPart:
    """Every answer for one comparison; `estimates`: facts that the log shows, as the horizon was made with them."""
    titles = titles_of(comparison)
    at_typical = {each.name: options[each.name].cost(situation, Evaluation(typical)) for each in comparison.options}
    whole = outlook_of(comparison, horizon)
    gated = behind_the_gate(comparison, scenario)
    outlook = whole.without(gated)
    bands = volume_bands(comparison, situation, options, draws)
    found = five_questions(comparison, situation, options, draws, scenario, outlook)
    insured = privacy(
        comparison, situation, at_typical, outlook, discounted_months=_discounted_months(situation) if horizon else 1.0
    )
    expected = Expectation(situation, options, draws, estimates or {}) if horizon is not None else None
    others = _others(outlook)
    exits = exit_plan(comparison, situation, options, at_typical, outlook.recommended, outlook.rival, expected, others)
    influences = _influences(risk)
    decision = decide(
        comparison,
        outlook,
        found,
        exits,
        at_typical,
        influences=influences,
        ungated=whole.best_of(whole.open_names) if gated else None,
        today_alone=outlook_of(comparison).without(gated).recommended,
    )
    changers = tuple(told.mind_changers(exits, decision, found, _turns(expected, decision, outlook), titles))
    return AnswersPart(
        volume_bands=tuple(_band(each, titles) for each in bands),
        five_questions=_five(found, outlook, changers, titles),
        privacy=_privacy(insured, outlook, titles),
        energy=tuple(_energy(each) for each in fleet_energy(comparison)),
        exit_criteria=tuple(
            ExitCriterionPart(
                metric=told.METRICS[each.metric],
                condition=told.criterion_condition(each),
                why=told.criterion_reason(each, exits, comparison.status_quo, titles),
                fact=each.fact,
                unit=each.unit,
                typical=each.typical,
                value=each.value,
            )
            for each in exits.criteria
        ),
        decision=_decision(decision, comparison, insured, changers, _months_count(situation), titles),
        exit_title=told.exit_title(exits),
    )


def _months_count(situation: Situation) -> int:
    facts = {**situation.catalog.assumptions, **situation.scenario}
    return round(facts[MONTHS].typical) if MONTHS in facts else 1


def _discounted_months(situation: Situation) -> float:
    """By how many months' worth a payment of every month weighs today, paid in arrears."""
    facts = {**situation.catalog.assumptions, **situation.scenario}
    yearly = facts[CAPITAL].typical if CAPITAL in facts else 0.0
    month = (1 + yearly) ** (-1 / MONTHS_PER_YEAR)
    count = _months_count(situation)
    return float(count) if month == 1 else month * (1 - month**count) / (1 - month)


def _influences(risk: RiskPart | None) -> tuple[Influence, ...]:
    """What it is worth to know each number, largest first; empty where nobody has computed it."""
    if risk is None:
        return ()
    turns = {each.name for each in risk.tornado if each.flips}
    return tuple(
        Influence(
            each.name,
            each.unit,
            each.low,
            each.typical,
            each.high,
            each.evppi_usd,
            "worth",
            each.name in turns,
            each.how_to_measure,
        )
        for each in risk.information
        if each.evppi_usd > 0 and not each.is_noise
    )


def _band(band: VolumeBand, titles: Titles) -> VolumeBandPart:
    return VolumeBandPart(
        from_mtok_per_month=band.guide.from_mtok,
        to_mtok_per_month=band.guide.to_mtok,
        guide_says=band.guide.says,
        option=band.best.name,
        title=band.best.title,
        probability_cheapest_fraction=band.probability_fraction,
        usd_per_month=amount(band.best.usd_per_month, "usd/month"),
        regret_usd_per_month=band.regret_usd_per_month,
        runner_up=band.runner_up.title if band.runner_up else "",
        main_driver=words.driver_words(band.best),
        agrees=band.agrees,
        why=words.band_words(band, titles),
        is_here=band.is_here,
        option_at_low_end=band.best_at_low,
        option_at_high_end=band.best_at_high,
    )


def _others(outlook: Outlook) -> list[str]:
    """What may be chosen beside the recommended option, the lowest expected cost first."""
    return sorted((each for each in outlook.open_names if each != outlook.recommended), key=outlook.mean_usd)


def _turns(expected: Expectation | None, decision: Decision, outlook: Outlook) -> tuple[Turn, ...]:
    """Where the numbers that matter turn the decision; without a horizon nobody has looked."""
    if expected is None:
        return ()
    few, name = expected.few(TURN_DRAWS_LOG2), decision.recommended
    found: list[Turn] = []
    for each in decision.influences:
        if each.flips:
            fact = Assumption(each.name, each.unit, each.low, each.typical, each.high, ASKED_VALUE)
            found += turns_of(few, fact, name, _others(outlook))
    return tuple(found)


def _five(found: FiveQuestions, outlook: Outlook, changers: tuple[str, ...], titles: Titles) -> FiveQuestionsPart:
    return FiveQuestionsPart(
        questions=tuple(_question(each, found, titles) for each in found.questions),
        yes_count=found.yes_count,
        unknown_count=found.unknown_count,
        three_or_more_fraction=found.three_or_more_fraction,
        rule_says=words.rule_words(found),
        money_says=words.money_words(outlook, titles),
        agree=found.agree,
        risk_level=found.risk,
        risk_reason=words.risk_words(found, outlook, titles),
        change_our_mind=changers,
    )


_SOURCES: Final = {
    "draws": "your log and the cost curves",
    "facts": "success rates of the scenario",
    "": "nobody has said",
}


def _question(question: Question, found: FiveQuestions, titles: Titles) -> QuestionPart:
    return QuestionPart(
        key=question.key,
        question=words.ASKED[question.key],
        answer=question.reply,
        probability_fraction=question.probability_fraction,
        evidence=words.evidence_words(question, found, titles),
        source=_SOURCES.get(question.because, "your scenario or command line"),
        ask=words.ASK[question.key] if question.reply == "unknown" else "",
        gate=question.gate,
    )


def _privacy(found: Privacy, outlook: Outlook, titles: Titles) -> PrivacyPart:
    premium, severity = found.premium, found.severity
    return PrivacyPart(
        options=tuple(
            PrivacyOptionPart(
                option=each.name,
                exposure_ratio=each.exposure_ratio,
                events_per_year=each.loss_events_per_year,
                annual_loss_usd=amount(each.annual_loss, "usd/year"),
                any_event_fraction=each.any_event_fraction,
            )
            for each in found.risks
        ),
        exceedance=tuple(
            ExceedancePart(
                loss_usd=each.loss_usd, api_fraction=each.api_fraction, selfhost_fraction=each.selfhost_fraction
            )
            for each in found.exceedance
        ),
        industries=tuple(
            IndustryPart(
                name=each.name,
                kind=each.kind,
                relative_ratio=each.relative_ratio,
                api_usd_per_year=each.api_usd_per_year,
                selfhost_usd_per_year=each.selfhost_usd_per_year,
                source=each.survey.source.title,
            )
            for each in found.peers
        ),
        recommended_without_losses=outlook.recommended,
        recommended_with_losses=found.recommended_with_losses,
        premium_sentence=words.premium_words(premium, titles),
        excluded_by_constraints=tuple(f"{each.title}: {each.reason}" for each in found.excluded),
        cap_sentence=words.cap_words(
            severity.uncapped_mean_usd, severity.mean_usd, severity.cap_usd, severity.beyond_cap_fraction
        ),
        flip_events_per_year=premium.flip_events_per_year if premium else None,
        premium_usd_per_year=premium.premium_usd_per_year if premium else None,
    )


def _energy(found: FleetEnergy) -> EnergyPart:
    return EnergyPart(
        option=found.option,
        energy_kwh_per_month=amount(found.energy_kwh_per_month, "kwh/month"),
        idle_energy_kwh_per_month=amount(found.idle_energy_kwh_per_month, "kwh/month"),
        carbon_kg_per_month=amount(found.carbon_kg_per_month, "kilogram/month"),
        idle_carbon_kg_per_month=amount(found.idle_carbon_kg_per_month, "kilogram/month"),
    )


def _decision(
    decision: Decision,
    comparison: Comparison,
    insured: Privacy,
    changers: tuple[str, ...],
    months_count: int,
    titles: Titles,
) -> DecisionPart:
    today = comparison.option(comparison.status_quo).cost
    no_answer = f" Staying as today is no answer: only if {today.only_if}." if today.only_if else ""
    gate = (
        f" Money alone would choose {titles.inside(decision.gate_excluded)}; you say that no open model is good enough."
        if decision.gate_excluded
        else ""
    )
    return DecisionPart(
        recommended=decision.recommended,
        sentence=told.decision_sentence(decision, months_count, titles) + no_answer + gate,
        probability_fraction=decision.odds_fraction,
        figures=tuple(
            FigurePart(
                label=fact_title(each.name),
                value=quantity(each.typical, each.unit),
                range=quantity_range(each.low, each.high, each.unit),
                why=told.influence_reason(each),
            )
            for each in decision.influences
        ),
        monday=tuple(told.step_words(each, titles) for each in decision.steps),
        change_our_mind=changers,
        today_alone=told.today_alone_words(decision.today_alone, comparison, titles),
        with_losses=told.with_losses_words(
            decision.outlook, insured.recommended_with_losses, insured.with_losses_odds_fraction, titles
        ),
    )
