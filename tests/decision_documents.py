"""Documents with the parts that speak of time, doubt and the decision: one from the real chain, and made-up ones.

`real_document` runs the real chain on a small synthetic log with few draws, once per process. `with_decision` adds
plausible made-up parts to any document that lacks them, so that a page can be tested on two options or on forty.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cache
from math import exp
from pathlib import Path

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
from breakeven.reports.document import Amount, Document, OptionPart
from breakeven.reports.horizon_part import HorizonOptionPart, HorizonPart, PathPart, PaybackPart, WaitingPart
from breakeven.reports.risk_part import BreakEvenOddsPart, InformationPart, RiskPart, SobolPart, TornadoPart

TODAY = date(2026, 11, 23)
MONTHS = 36
DISCOUNT = 1.1 ** (-1 / 12)
BANDS = ((10.0, 60.0), (60.0, 500.0), (500.0, 5_000.0), (5_000.0, 10_000.0), (10_000.0, 100_000.0))
GUIDE = ("standard API", "tiered API or a small self-host", "managed GPU", "nothing", "full self-hosting")


@cache
def real_document(
    options: tuple[str, ...] = (), overrides: tuple[tuple[str, str], ...] = (), calls_count: int = 2_000
) -> Document:
    """The whole chain on a small synthetic log: the real thing, with 64 draws."""
    from breakeven.decision.scenario import load_scenario
    from breakeven.reports.answer import Question, answer
    from breakeven.usage.store import CallStore
    from breakeven.usage.synthetic import write_synthetic_log

    with tempfile.TemporaryDirectory() as folder, CallStore.temporary() as store:
        log = Path(folder) / "calls.jsonl"
        write_synthetic_log(log, seed=0, calls_count=calls_count)
        store.ingest(log, now=datetime(2026, 11, 23, tzinfo=UTC), reject_path=Path(folder) / "rejects.jsonl")
        scenario = load_scenario(None, dict(overrides))
        scenario = scenario.model_copy(update={"draws_log2": 6, "as_of": TODAY, "options": options})
        return answer(Question(store, log.name, scenario, TODAY, synthetic=True))


def with_decision(document: Document, words: Callable[[int], str] = lambda _: "") -> Document:
    """`document` with made-up parts where it has none; `words` adds a text to every name that somebody may choose."""
    return document.model_copy(
        update={
            "horizon": document.horizon or _horizon(document, words),
            "risk": document.risk or _risk(document, words),
            "answers": document.answers or _answers(document, words),
        }
    )


def without_decision(document: Document) -> Document:
    """`document` as an older breakeven wrote it."""
    return document.model_copy(
        update={"schema_version": "1.1", "horizon": None, "risk": None, "answers": None, "workbook": None}
    )


def with_options(document: Document, count: int) -> Document:
    """`document` with `count` options: some left out, or copied under new names."""
    kept = list(document.options[:count])
    status = next(each for each in document.options if each.name == _status_quo(document))
    if status not in kept:
        kept[-1] = status
    for index in range(count - len(kept)):
        model = document.options[index % len(document.options)]
        name = f"copy_{index}"
        kept.append(model.model_copy(update={"name": name, "title": f"{model.title}, offer {index}", "same_as": None}))
    names = {each.name for each in kept}
    verdict = document.verdict
    best = verdict.recommended if verdict.recommended in names else kept[0].name
    rival = verdict.rival if verdict.rival in names - {best} else None
    part = document.breakeven
    shown = part.model_copy(
        update={
            "pairs": tuple(each for each in part.pairs if each.option in names),
            "curves": tuple(each for each in part.curves if each.option in names),
        }
    )
    return document.model_copy(
        update={
            "options": tuple(kept),
            "breakeven": shown,
            "verdict": verdict.model_copy(
                update={
                    "recommended": best,
                    "rival": rival,
                    "saves_usd_per_month": verdict.saves_usd_per_month if rival else None,
                }
            ),
        }
    )


def _status_quo(document: Document) -> str:
    paired = {each.option for each in document.breakeven.pairs}
    return next(
        (each.name for each in document.options if each.name == "frontier_api"),
        next(each.name for each in document.options if each.name not in paired),
    )


def _usd(p50: float, low: float, high: float, unit: str = "usd") -> Amount:
    return Amount(p10=low, p50=p50, p90=high, mean=p50 * 0.98 + high * 0.02, unit=unit)


def _monthly(option: OptionPart) -> tuple[float, ...]:
    start = option.equal_success_usd_per_month.p50
    slide = {"api": 0.992, "brokered": 0.985}.get(option.family, 1.004)
    return tuple(start * slide**month for month in range(MONTHS))


def _horizon(document: Document, words: Callable[[int], str]) -> HorizonPart:
    today = _status_quo(document)
    present = {each.name: sum(u * DISCOUNT**m for m, u in enumerate(_monthly(each), 1)) for each in document.options}
    ranked = sorted(document.options, key=lambda each: present[each.name] + (0 if each.family == "api" else 4_000))
    best = next(each.name for each in ranked if not each.only_if)
    options = tuple(_horizon_option(document, each, present, today, best) for each in ranked)
    moves_to = next((each.name for each in ranked if each.name != today and not each.only_if), None)
    return HorizonPart(
        months_count=MONTHS,
        discount_fraction_per_year=0.1,
        draws_count=16_384,
        recommended=best,
        moves_to=moves_to,
        paths=tuple(_path(name, rate) for name, rate in (("volume", 1.01), ("api_list_price", 0.992))),
        options=options,
        waiting=tuple(
            WaitingPart(
                wait_months=months,
                present_cost_usd=_usd(present[best] * (1 + (months or 40) / 200), present[best], present[best] * 1.6),
                saves_against_now_usd=_usd(-1_200.0 * (months or 40), -90_000, 4_000),
            )
            for months in (3, 6, 12, None)
        ),
        value_of_waiting_a_quarter_usd=3_420.0,
        waiting_sentence="Moving now saves about $9,800 against moving in three months." + words(0),
        growth_sentence="The log grew 1.1 % a month (80 %: -2 % to 4 %); 1 % was assumed, halving every year."
        + words(1),
        sentence=f"Over 36 months the move is worth about $96,000 at 10 % a year.{words(2)}",
        approximation_error_fraction=0.0004,
    )


def _horizon_option(
    document: Document, option: OptionPart, present: dict[str, float], today: str, best: str
) -> HorizonOptionPart:
    months = _monthly(option)
    cost, saves = present[option.name], present[today] - present[option.name]
    rank = sorted(present.values()).index(cost)
    odds = [0.7, 0.2, 0.06, 0.04][rank] if rank < 4 else 0.0
    back = 4.0 if saves > 0 else None
    payback = PaybackPart(
        typical_months=back,
        p10_months=2.0 if back else None,
        p50_months=back,
        p90_months=None,
        never_fraction=0.14 if back else 1.0,
        sentence="Paid back after 4 months; never within 36 months in 14 of 100 futures."
        if back
        else "It never pays back within 36 months.",
    )
    return HorizonOptionPart(
        option=option.name,
        present_cost_usd=_usd(cost, cost * 0.7, cost * 1.7),
        typical_present_cost_usd=cost,
        saves_usd=_usd(saves, saves - cost * 0.3, saves + cost * 0.2),
        upfront_usd=_usd(0.0 if option.name == today else 6_400.0, 0.0, 12_000.0),
        payback=None if option.name == today else payback,
        irr_fraction_per_month=0.31 if back and option.name != today else None,
        probability_cheapest_fraction=odds,
        regret_usd=_usd(cost * 0.05, 0.0, cost * 0.4),
        typical_usd_per_month=months,
        p10_usd_per_month=tuple(each * 0.7 for each in months),
        p50_usd_per_month=months,
        p90_usd_per_month=tuple(each * 1.6 for each in months),
        probability_cheapest_by_month_fraction=tuple(
            max(odds + (0.15 if rank == 1 else -0.15 if rank == 0 else 0) * (1 - exp(-month / 9)), 0.0)
            for month in range(MONTHS)
        ),
    )


def _path(name: str, rate: float) -> PathPart:
    months = tuple(rate**month for month in range(MONTHS))
    return PathPart(
        name=name,
        title=name.replace("_", " "),
        basis="made up for a test",
        typical_ratio=months,
        p10_ratio=tuple(each * 0.9 for each in months),
        p50_ratio=months,
        p90_ratio=tuple(each * 1.2 for each in months),
    )


def _risk(document: Document, words: Callable[[int], str]) -> RiskPart:
    levers = document.levers
    information = tuple(
        InformationPart(
            name=each.name + words(index),
            unit=each.unit,
            low=each.low,
            typical=(each.low + each.high) / 2,
            high=each.high,
            grade=each.grade,
            evppi_usd=11_400.0 / (index + 1) ** 2,
            evppi_fraction=0.55 / (index + 1) ** 2,
            evsi_usd=8_200.0 if index == 0 else None,
            samples_count=200 if index == 0 else None,
            how_to_measure="run 200 of your own tasks on the open model and grade them" + words(index),
        )
        for index, each in enumerate(levers)
    )
    first = information[0].name if information else "nothing"
    return RiskPart(
        recommended=document.verdict.recommended,
        rival=document.verdict.rival,
        evpi_usd=20_700.0,
        measure_next=f"Measure {first} next: knowing it is worth up to $11,400; 200 samples are worth $8,200.",
        information=information,
        tornado=tuple(
            TornadoPart(
                name=each.name,
                unit=each.unit,
                low=each.low,
                typical=(each.low + each.high) / 2,
                high=each.high,
                saves_at_low_usd=each.gap_at_low_usd_per_month * 20,
                saves_at_high_usd=each.gap_at_high_usd_per_month * 20,
                saves_usd=96_000.0,
                flips=each.flips,
            )
            for each in levers
        ),
        sobol=tuple(
            SobolPart(name=each.name, first_order_fraction=0.4 / (i + 1), total_fraction=0.5 / (i + 1))
            for i, each in enumerate(levers)
        ),
        breakeven_odds=tuple(
            BreakEvenOddsPart(
                option=each.option,
                first_p10_mtok_per_month=400.0,
                first_p50_mtok_per_month=900.0,
                first_p90_mtok_per_month=None,
                last_p10_mtok_per_month=500.0,
                last_p50_mtok_per_month=1_200.0,
                last_p90_mtok_per_month=None,
                never_fraction=0.2,
                here_fraction=0.6,
                sentence=f"In 20 of 100 futures {each.option} is never cheaper.",
            )
            for each in document.breakeven.pairs
        ),
        correlations=(),
        draws_count=16_384,
    )


def _answers(document: Document, words: Callable[[int], str]) -> AnswersPart:
    ranked = document.options
    best, here = document.verdict.recommended, document.breakeven.volume_mtok_per_month
    title = next(each.title for each in ranked if each.name == best)
    bands = tuple(
        VolumeBandPart(
            from_mtok_per_month=low,
            to_mtok_per_month=high,
            guide_says=guide,
            option=ranked[index % len(ranked)].name,
            title=ranked[index % len(ranked)].title,
            probability_cheapest_fraction=0.5 + 0.08 * index,
            usd_per_month=_usd(low * 2, low, low * 4, "usd/month"),
            regret_usd_per_month=low * 0.3,
            runner_up=ranked[(index + 1) % len(ranked)].title,
            main_driver="engineering labour" + words(index),
            agrees=index % 2 == 0,
            why="Today's token prices are a tenth of those the guide was written with." + words(index + 1),
            is_here=low <= here < high,
        )
        for index, ((low, high), guide) in enumerate(zip(BANDS, GUIDE, strict=True))
    )
    return AnswersPart(
        volume_bands=bands,
        five_questions=_questions(words),
        privacy=_privacy(document, words),
        energy=tuple(
            EnergyPart(
                option=each.name,
                energy_kwh_per_month=_usd(900, 700, 1_200, "kwh/month"),
                idle_energy_kwh_per_month=_usd(700, 500, 900, "kwh/month"),
                carbon_kg_per_month=_usd(340, 200, 500, "kilogram/month"),
                idle_carbon_kg_per_month=_usd(250, 150, 400, "kilogram/month"),
            )
            for each in ranked
            if each.family == "self_hosted"
        ),
        exit_criteria=(
            ExitCriterionPart(
                metric="volume",
                condition="below 1.2 B tokens a month for two months in a row",
                why="below it today's API costs less" + words(3),
            ),
            ExitCriterionPart(
                metric="success of the open model",
                condition="below 78 % on your own tasks",
                why="then the corrections cost more than the tokens save" + words(4),
            ),
        ),
        decision=DecisionPart(
            recommended=best,
            sentence=f"Choose {title}: about $96,000 less over 36 months (between costing $8,000 more and saving "
            "$210,000); lowest present cost in 69 of 100 futures." + words(5),
            probability_fraction=0.69,
            figures=(
                FigurePart(
                    label="Success of the open model" + words(6),
                    value="84 %",
                    range="65 to 96 %",
                    why="below 78 % today's API costs less",
                ),
                FigurePart(
                    label="Engineering time" + words(7),
                    value="0.05 FTE",
                    range="0.02 to 0.15",
                    why="each tenth of an engineer costs $2,400 a month",
                ),
                FigurePart(
                    label="Volume",
                    value="5.06 B tokens a month",
                    range="measured over 28 days",
                    why="break-even with today's API is at 861 M",
                ),
            ),
            monday=(
                "Run 200 of your own tasks on gpt-oss-120b and grade them (about 9 hours)." + words(8),
                "Ask the broker for its retention terms in writing.",
                "Put 5 % of the traffic of one task behind a flag.",
            ),
            change_our_mind=(
                "The open model succeeds in fewer than 78 % of your tasks." + words(9),
                "The broker's price rises above $3.10 per million tokens.",
                "Volume falls below 860 M tokens a month.",
            ),
            today_alone="" if best == document.verdict.recommended else f"At today's volume alone: {title}.",
            with_losses="With breach risk counted the decision is the same: $5,900 against $10,900 a month."
            + words(10),
        ),
    )


def _questions(words: Callable[[int], str]) -> FiveQuestionsPart:
    known = (
        ("volume", "Is the volume above the break-even with self-hosting?", "no", 0.04, False),
        ("data_sensitive", "May the data not leave your premises?", "unknown", None, True),
        ("fine_tuning", "Do you need a model tuned on your own data?", "no", 0.1, False),
        ("mlops_team", "Do you have people who run GPU services?", "unknown", None, False),
        ("accuracy", "Does an open model reach 95 % of today's accuracy?", "yes", 0.62, True),
    )
    return FiveQuestionsPart(
        questions=tuple(
            QuestionPart.model_validate(
                {
                    "key": key,
                    "question": question,
                    "answer": answer,
                    "probability_fraction": odds,
                    "evidence": "" if answer == "unknown" else "your log against the prices of today" + words(index),
                    "source": "measured",
                    "ask": f"--{key.replace('_', '-')} yes" if answer == "unknown" else "",
                    "gate": gate,
                }
            )
            for index, (key, question, answer, odds, gate) in enumerate(known)
        ),
        yes_count=1,
        unknown_count=2,
        three_or_more_fraction=0.19,
        rule_says="stay on an API",
        money_says="move to a broker",
        agree=True,
        risk_level="medium",
        risk_reason="12 of 100 futures lose money against today; P90 regret $41,000" + words(2),
        change_our_mind=("a third yes",),
    )


def _privacy(document: Document, words: Callable[[int], str]) -> PrivacyPart:
    return PrivacyPart(
        options=tuple(
            PrivacyOptionPart(
                option=each.name,
                exposure_ratio=1.0,
                events_per_year=0.01,
                annual_loss_usd=_usd(11_000, 3_000, 40_000, "usd/year"),
                any_event_fraction=0.01,
            )
            for each in document.options
        ),
        exceedance=tuple(
            ExceedancePart(loss_usd=10.0**power, api_fraction=0.01 / power, selfhost_fraction=0.008 / power)
            for power in range(4, 8)
        ),
        industries=(
            IndustryPart(
                name="healthcare",
                kind="industry",
                relative_ratio=1.6,
                api_usd_per_year=17_000,
                selfhost_usd_per_year=14_000,
                source="made up" + words(0),
            ),
        ),
        recommended_without_losses=document.verdict.recommended,
        recommended_with_losses=document.verdict.recommended,
        premium_sentence="Self-hosting would have to cut the yearly event rate by 40 % to be worth its extra cost.",
        excluded_by_constraints=(),
        cap_sentence="54 % of the mean loss lies above $50 M; losses are capped there.",
    )
