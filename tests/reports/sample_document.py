"""Sample documents for the tests of the surfaces: realistic, deterministic, and one variant full of hostile names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, exp

from breakeven.decision.breakeven import lower_envelope, pairwise
from breakeven.decision.curve import CostCurve
from breakeven.reports.amounts import volume
from breakeven.reports.document import (
    Amount,
    AssumptionPart,
    BreakEvenPart,
    CrossingPart,
    CurvePart,
    DayPart,
    Document,
    FooterPart,
    HourPart,
    ImportPart,
    LeverPart,
    LinePart,
    ModelUsePart,
    OptionPart,
    PairPart,
    PricesAgePart,
    ShadowedPart,
    SourcePart,
    StretchPart,
    TraceNodePart,
    UnavailablePart,
    VerdictPart,
    WorkloadPart,
)

HOSTILE = (
    "<script>alert(1)</script>",
    "[red]rich markup[/red]",
    "|md|*a*_b_`c`",
    "esc\x1b[31mred\x1b]0;title\x07",
    "rtl\u202eevil",
    "long-" + "x" * 295,
    "{{ 7 * 7 }}",
    "quote\"'&amp;<img src=x onerror=alert(1)>",
)
VOLUME_MTOK = 2_100.0
REQUESTS_PER_MONTH = 900_000.0
AXIS = (10.0, 1_000_000.0)


@dataclass(frozen=True)
class Plan:
    """One option as a straight line plus whole replicas."""

    name: str
    title: str
    family: str
    buys: str
    slope: float
    fixed: float
    replica: float
    capacity_mtok: float
    least: int
    success: float
    spread: tuple[float, float]
    odds: float

    def cost(self, mtok: float) -> float:
        """Monthly bill."""
        steps = max(self.least, ceil(mtok / self.capacity_mtok)) if self.replica else 0
        return self.fixed + self.slope * mtok + self.replica * steps

    @property
    def scale(self) -> float:
        """From the bill to the cost of as many successful outcomes as today."""
        return 0.93 / self.success

    def equal_cost(self, mtok: float) -> float:
        """Monthly cost for as many successful outcomes as today."""
        return self.cost(mtok) * self.scale

    def curve(self) -> CostCurve:
        """The exact curve of `equal_cost`."""
        if not self.replica:
            return CostCurve.linear(self.name, usd_per_mtok=self.slope * self.scale, fixed_usd=self.fixed * self.scale)
        return CostCurve.staircase(
            self.name,
            fixed_usd=self.fixed * self.scale,
            usd_per_mtok=self.slope * self.scale,
            usd_per_replica=self.replica * self.scale,
            replica_capacity_mtok=self.capacity_mtok,
            min_replicas_count=self.least,
            end_mtok=AXIS[1],
        )


PLANS = (
    Plan("brokered", "Brokered open model", "brokered", "gpt-oss-120b at Fireworks, per token", 0.42, 1_900, 0, 1, 0,
         0.88, (0.72, 1.45), 0.61),
    Plan("frontier_api", "Frontier API (as today)", "api", "openai/gpt-5 72 %, anthropic/claude-sonnet-4-5 28 %", 2.55,
         980, 0, 1, 0, 0.93, (0.93, 1.08), 0.36),
    Plan("rented_spot", "Rented H100, spot", "self_hosted", "gpt-oss-120b mxfp4 on 2 x 1 H100, vLLM", 0.0, 8_900, 1_080,
         3_400, 2, 0.87, (0.84, 1.42), 0.02),
    Plan("rented_on_demand", "Rented H100, on demand", "self_hosted", "gpt-oss-120b mxfp4 on 2 x 1 H100, vLLM", 0.0,
         8_600, 1_715, 3_600, 2, 0.88, (0.87, 1.38), 0.01),
    Plan("hybrid", "Hybrid (API + rented GPUs)", "hybrid", "gpt-oss-120b for 60 % of tokens; the rest openai/gpt-5",
         1.02, 9_000, 1_715, 6_000, 2, 0.91, (0.88, 1.3), 0.0),
)  # fmt: skip
_API_LINES = (
    ("tokens", "Tokens", 0.84, False, False),
    ("engineering_labour", "Engineering labour", 0.08, False, False),
    ("mlops_infrastructure", "MLOps infrastructure", 0.03, False, False),
    ("hardware_decay", "Hardware decay", 0.0, False, False),
    ("incident_response", "Incident response", 0.03, False, False),
    ("opportunity_cost", "Opportunity cost", 0.02, False, False),
    ("idle_capacity", "Idle capacity", 0.0, True, False),
    ("breach_risk", "Breach risk (expected loss)", 0.11, False, True),
)
_FLEET_LINES = (
    ("gpu_rent_busy", "GPU rent, busy hours", 0.07, True, False),
    ("engineering_labour", "Engineering labour", 0.46, False, False),
    ("mlops_infrastructure", "MLOps infrastructure", 0.07, False, False),
    ("hardware_decay", "Hardware decay", 0.0, False, False),
    ("incident_response", "Incident response", 0.09, False, False),
    ("opportunity_cost", "Opportunity cost", 0.09, False, False),
    ("idle_capacity", "Idle capacity", 0.22, True, False),
    ("breach_risk", "Breach risk (expected loss)", 0.06, False, True),
)


def sample_document(*, synthetic: bool = True, days_count: int = 28, extrapolated: float | None = 672.0) -> Document:
    """A comparison of five options for a synthetic month of calls."""
    options = tuple(_option(each) for each in PLANS)
    return Document(
        schema_version="1.1",
        kind="comparison",
        verdict=_verdict(synthetic, extrapolated),
        workload=sample_workload(synthetic=synthetic, days_count=days_count, extrapolated=extrapolated),
        options=options,
        unavailable=(
            UnavailablePart(
                name="deepseek",
                title="DeepSeek API",
                reason="no price for 'deepseek/deepseek-v3' on 2026-11-23: priced in CNY, and there is no dated rate",
            ),
        ),
        breakeven=_breakeven(),
        levers=_levers(),
        assumptions=_assumptions(),
        included=("Tokens", "GPU rent, busy hours", "Engineering labour", "MLOps infrastructure", "Hardware decay",
                  "Incident response", "Opportunity cost", "Idle capacity", "Breach risk (expected loss), shown apart"),
        excluded=(
            "fine-tuning: the scenario plans none (fine_tune_campaigns_events_per_year)",
            "growth of the workload and change of prices over time: one month at today's prices",
            "running old and new side by side while moving",
            "taxes, and discounts and negotiated rates that are not in the scenario",
        ),
        warnings=("the override of 'gpu_watts' changed nothing: no compared option reads it",),
        trace=_trace(),
        footer=FooterPart(
            breakeven_version="0.1.0",
            calls_hash="3f1d9c5e7b2a48f60c1d2e3f4a5b6c7d8e9f0a1b2c3d4e5f60718293a4b5c6d7",
            catalog_hash="a5b6c7d8e9f0a1b2c3d4e5f60718293a4b5c6d73f1d9c5e7b2a48f60c1d2e3f4",
            scenario_hash="0c1d2e3f4a5b6c7d8e9f0a1b2c3d4e5f60718293a4b5c6d73f1d9c5e7b2a48f6",
            prices_version="0.2.3",
            as_of="2026-11-23",
            seed=42,
            draws_count=16_384,
            hours_per_month=730.0,
            prices_age=PricesAgePart(
                count=9, newest_days=0, median_days=12.0, oldest_days=44,
                oldest="GPU rent, H100 SXM list prices of 12 providers on one day",
            ),
        ),
    )  # fmt: skip


def hostile_document() -> Document:
    """The sample with hostile text wherever a name from a log, a scenario or a file can stand."""
    base = sample_document()
    pick: Callable[[int], str] = lambda index: HOSTILE[index % len(HOSTILE)]  # noqa: E731
    workload = base.workload
    models = tuple(
        each.model_copy(update={"provider": pick(i), "model": pick(i + 1)}) for i, each in enumerate(workload.models)
    )
    workload = workload.model_copy(
        update={
            "label": " ".join(HOSTILE),
            "models": models + tuple(_use(pick(i), pick(i), 1_000 + i, None) for i in range(len(HOSTILE))),
            "unpriced": tuple(_use(pick(i), pick(i + 3), 100 + i, None) for i in range(len(HOSTILE))),
            "peak_basis": pick(3),
            "imported": ImportPart(
                rows_in=10, calls=8, duplicates=0, rejects=2, rejects_by_reason={pick(0): 1, pick(3): 1},
                reject_file=pick(1), files=HOSTILE, format=pick(2),
            ),
            "may_conclude": HOSTILE,
            "may_not_conclude": HOSTILE,
        }
    )  # fmt: skip
    options = tuple(
        each.model_copy(
            update={
                "title": f"{each.title} {pick(i)}",
                "buys": " ".join(HOSTILE),
                "lines": tuple(
                    line.model_copy(update={"title": f"{line.title} {pick(j)}", "note": pick(j + 1)})
                    for j, line in enumerate(each.lines)
                ),
            }
        )
        for i, each in enumerate(base.options)
    )
    return base.model_copy(
        update={
            "workload": workload,
            "options": options,
            "verdict": base.verdict.model_copy(update={"details": HOSTILE, "sentence": f"Stay: {' '.join(HOSTILE)}"}),
            "unavailable": tuple(UnavailablePart(name=t, title=t, reason=t) for t in HOSTILE),
            "warnings": HOSTILE,
            "included": HOSTILE,
            "excluded": HOSTILE,
            "levers": tuple(
                each.model_copy(update={"name": pick(i), "unit": pick(i + 1)}) for i, each in enumerate(base.levers)
            ),
            "assumptions": tuple(
                each.model_copy(
                    update={
                        "name": pick(i),
                        "unit": pick(i),
                        "note": pick(i + 1),
                        "source": each.source.model_copy(
                            update={
                                "title": pick(i + 2),
                                "link": ("javascript:alert(1)", 'https://x/"onload="y')[i % 2],
                            }
                        ),
                    }
                )
                for i, each in enumerate(base.assumptions)
            ),
            "trace": {
                key: node.model_copy(update={"name": pick(i), "summary": pick(i + 1), "unit": pick(i + 2)})
                for i, (key, node) in enumerate(base.trace.items())
            },
        }
    )


def sample_workload(
    *, synthetic: bool = True, days_count: int = 28, extrapolated: float | None = 672.0
) -> WorkloadPart:
    """A month of office-hours traffic on two models, one more model without a price."""
    days = tuple(_day(index, days_count) for index in range(days_count))
    inputs = sum(each.input_tokens for each in days)
    cached = sum(each.cache_read_tokens for each in days)
    outputs = sum(each.output_tokens for each in days)
    spend = sum(each.spend_usd for each in days)
    requests = sum(each.requests_count for each in days)
    week = tuple(_hour(hour) for hour in range(168)) if days_count >= 7 else ()
    return WorkloadPart(
        label="demo: support assistant of a mid-size shop",
        synthetic=synthetic,
        first_time="2026-10-26T00:00:03+00:00",
        last_time="2026-11-22T23:59:41+00:00",
        observed_hours=days_count * 24.0,
        days_count=days_count,
        extrapolated_from_hours=extrapolated,
        requests_count=requests,
        errors_count=412,
        input_tokens=inputs,
        cache_read_tokens=cached,
        cache_write_tokens=0,
        output_tokens=outputs,
        spend_usd=spend,
        requests_per_month=REQUESTS_PER_MONTH,
        tokens_per_month=VOLUME_MTOK * 1e6,
        spend_usd_per_month=5_990.0,
        peak_to_mean_ratio=4.7,
        peak_basis="busiest 5 minutes of the busiest hour of the week against the mean",
        input_tokens_quantiles={"p50": 1_640.0, "p95": 6_120.0, "p99": 11_980.0},
        output_tokens_quantiles={"p50": 212.0, "p95": 640.0, "p99": 1_204.0},
        models=(
            _use("openai", "gpt-5", 590_000, 4_020.55),
            _use("anthropic", "claude-sonnet-4-5", 231_000, 1_503.2),
            _use("acme", "house-model-7b", 24_000, None),
        ),
        unpriced=(_use("acme", "house-model-7b", 24_000, None),),
        unnamed_tokens_fraction=0.0,
        unpriced_tokens_fraction=0.0284,
        days=days,
        hours_of_week=week,
        may_conclude=("the monthly volume within about 10 %", "the weekly rhythm", "today's bill at list prices"),
        may_not_conclude=("growth: fewer than 8 weeks were seen", "success rates: no outcome was logged"),
        imported=ImportPart(
            rows_in=845_900,
            calls=845_612,
            duplicates=201,
            rejects=87,
            rejects_by_reason={"negative token count": 55, "time cannot be read": 32},
            reject_file=".breakeven/rejects/demo.jsonl",
            files=("demo/calls.jsonl.gz",),
            format="breakeven-jsonl",
        ),
    )


def _use(provider: str, model: str, requests: int, spend: float | None) -> ModelUsePart:
    return ModelUsePart(
        provider=provider,
        model=model,
        requests_count=requests,
        input_tokens=requests * 2_020,
        cache_read_tokens=requests * 610,
        cache_write_tokens=0,
        output_tokens=requests * 262,
        spend_usd=spend,
    )


def _day(index: int, days_count: int) -> DayPart:
    load = (
        (1.2, 1.25, 1.22, 1.18, 1.05, 0.35, 0.3)[index % 7] * (1 + 0.004 * index) * (1 + 0.05 * ((index * 7) % 5 - 2))
    )
    complete = index not in {0, days_count - 1}
    requests = round(30_000 * load * (1 if complete else 0.6))
    date = f"2026-{10 if index < 6 else 11}-{26 + index if index < 6 else index - 5:02d}"
    if index >= 36:
        date = f"{2027 + (index - 36) // 336}-{1 + ((index - 36) // 28) % 12:02d}-{1 + (index - 36) % 28:02d}"
    return DayPart(
        day=date,
        requests_count=requests,
        input_tokens=requests * 2_020,
        cache_read_tokens=requests * 610,
        output_tokens=requests * 262,
        spend_usd=requests * 0.00655,
        unpriced_tokens=requests * 60,
        complete=complete,
    )


def _hour(hour_of_week: int) -> HourPart:
    day, hour = divmod(hour_of_week, 24)
    load = 0.08 + exp(-(((hour - 11) / 3.2) ** 2)) + 0.8 * exp(-(((hour - 16) / 2.6) ** 2))
    load *= 1.0 if day < 5 else 0.22
    return HourPart(hour_of_week=hour_of_week, requests_per_hour=2_600 * load, tokens_per_hour=2_600 * load * 2_282)


def _amount(p50: float, spread: tuple[float, float], unit: str = "usd/month") -> Amount:
    low, high = sorted((p50 * spread[0], p50 * spread[1]))
    return Amount(p10=low, p50=p50, p90=high, mean=p50 * (1 + 0.25 * (sum(spread) / 2 - 1)), unit=unit)


def _option(plan: Plan) -> OptionPart:
    cost = plan.cost(VOLUME_MTOK)
    successes = REQUESTS_PER_MONTH * plan.success
    api = PLANS[1]
    extra = cost * api.success / plan.success - api.cost(VOLUME_MTOK)
    rent = _amount(plan.replica * plan.least, (0.8, 1.25)) if plan.replica else None
    return OptionPart(
        name=plan.name,
        title=plan.title,
        family=plan.family,
        buys=plan.buys,
        usd_per_month=_amount(cost, plan.spread),
        usd_per_mtok=_amount(cost / VOLUME_MTOK, plan.spread, "usd/mtok"),
        usd_per_success=_amount(cost / successes, plan.spread, "usd/success"),
        equal_success_usd_per_month=_amount(cost * api.success / plan.success, plan.spread),
        with_losses_usd_per_month=_amount(cost * 1.08, plan.spread),
        extra_usd_per_month=Amount(
            p10=extra - cost * 0.2, p50=extra, p90=extra + cost * 0.3, mean=extra + cost * 0.03, unit="usd/month"
        )
        if plan is not api
        else Amount(p10=0, p50=0, p90=0, mean=0, unit="usd/month"),
        success_fraction=_amount(plan.success, (0.95, 1.03), "fraction"),
        raw_rent_usd_per_month=rent,
        total_over_rent_ratio=_amount(cost / (plan.replica * plan.least), (0.82, 1.3), "ratio") if rent else None,
        probability_cheapest_fraction=plan.odds,
        probability_cheapest_with_losses_fraction=plan.odds,
        lines=_lines(plan, cost),
        facts={
            "replicas_count": _amount(2, (1, 1), "count"),
            "gpus_count": _amount(2, (1, 1.5), "count"),
            "busy_fraction": _amount(0.11, (0.6, 1.6), "fraction"),
            "replica_capacity_req_per_s": _amount(4.1, (0.6, 1.5), "request/s"),
        }
        if rent
        else {},
    )


def _lines(plan: Plan, cost: float) -> tuple[LinePart, ...]:
    if plan.family == "hybrid":
        return (
            *_part(_API_LINES, cost * 0.28, "api_", " (API)"),
            *_part(_FLEET_LINES, cost * 0.72, "fleet_", " (fleet)"),
        )
    return _part(_FLEET_LINES if plan.replica else _API_LINES, cost)


def _part(
    rows: tuple[tuple[str, str, float, bool, bool], ...], cost: float, prefix: str = "", suffix: str = ""
) -> tuple[LinePart, ...]:
    return tuple(
        LinePart(
            name=prefix + name,
            title=title + suffix,
            usd_per_month=_amount(cost * share, (0.6, 1.6) if share else (1, 1)),
            engineer_hours_per_month=_amount(cost * share / 144, (0.6, 1.6), "hour/month")
            if name in {"engineering_labour", "incident_response"}
            else None,
            raw_rent=raw,
            apart=apart,
            note="paid inside the rent or price" if name == "hardware_decay" else "",
            trace="total_usd_per_month@1" if name == "tokens" else "rent_usd_per_month@1",
        )
        for name, title, share, raw, apart in rows
    )


def _verdict(synthetic: bool, extrapolated: float | None) -> VerdictPart:
    saves = Amount(p10=-480.0, p50=3_116.0, p90=4_390.0, mean=2_950.0, unit="usd/month")
    details = ["Success rates are assumed, not measured (Brokered open model 88 %, Frontier API (as today) 93 %). "
               "Measure the open model on your own tasks before you move."]  # fmt: skip
    if extrapolated is not None:
        hours = f"{extrapolated:,.4g} hours"
        details.insert(0, f"Monthly figures are extrapolated from {hours}; their growth is assumed, not seen.")
    if synthetic:
        details.insert(0, "Synthetic data: these calls were generated, nobody made them.")
    return VerdictPart(
        sentence="Probably move to brokered open model: about $3,116 a month less than today for the same "
        "successful work (costs $480 more to saves $4,390); cheapest in 61 of 100 futures, if its answers are good "
        "enough.",
        details=tuple(details),
        recommended="brokered",
        rival="frontier_api",
        confidence="likely",
        odds_fraction=0.61,
        saves_usd_per_month=saves,
        next_command="breakeven import your-logs.jsonl",
    )


def _breakeven() -> BreakEvenPart:
    curves = [plan.curve() for plan in PLANS]
    envelope = lower_envelope(curves, *AXIS)
    return BreakEvenPart(
        volume_mtok_per_month=VOLUME_MTOK,
        axis_low_mtok_per_month=AXIS[0],
        axis_high_mtok_per_month=AXIS[1],
        stretches=tuple(
            StretchPart(from_mtok_per_month=each.from_mtok, to_mtok_per_month=each.to_mtok, option=each.option)
            for each in envelope.stretches
        ),
        crossings=tuple(
            CrossingPart(
                mtok_per_month=each.mtok_per_month,
                from_option=each.from_option,
                to_option=each.to_option,
                kind=each.kind,
            )
            for each in envelope.crossings
        ),
        pairs=tuple(_pair(plan) for plan in PLANS if plan.family != "api"),
        curves=tuple(_curve(plan) for plan in PLANS),
    )


def _pair(plan: Plan) -> PairPart:
    report = pairwise(PLANS[1].curve(), plan.curve(), *AXIS)
    first = report.first_mtok
    always = report.b_always_above_mtok
    if always is None:
        sentence = f"{plan.title} never becomes cheaper than today's API up to {volume(AXIS[1])} a month."
    else:
        where = "You are above it" if always < VOLUME_MTOK else "You are below it"
        sentence = (
            f"{plan.title} is always cheaper than today's API above {volume(always)} a month, for the first time at "
            f"{volume(first or 0)}. {where}, at {volume(VOLUME_MTOK)}."
        )
    return PairPart(
        option=plan.name,
        crossings_mtok_per_month=tuple(each.mtok_per_month for each in report.crossings),
        first_mtok_per_month=first,
        always_above_mtok_per_month=always,
        proven_beyond_axis=True,
        sentence=sentence,
    )


def _curve(plan: Plan) -> CurvePart:
    low, high = AXIS
    grid = tuple(low * (high / low) ** (index / 96) for index in range(97))
    typical = [plan.equal_cost(each) for each in grid]
    end = VOLUME_MTOK * 3
    starts = [0.0]
    if plan.replica:
        starts += [plan.capacity_mtok * k for k in range(plan.least, 100) if plan.capacity_mtok * k < end]
    ends = [*starts[1:], end]
    corners = [
        (v, plan.equal_cost(start + 1e-9) + plan.slope * plan.scale * (v - start))
        for start, stop in zip(starts, ends, strict=True)
        for v in (start, stop)
    ]
    weights = [[each.equal_cost(v) ** -8 for each in PLANS] for v in grid]
    mine = [plan.equal_cost(v) ** -8 for v in grid]
    return CurvePart(
        option=plan.name,
        volumes_mtok_per_month=grid,
        p10_usd_per_month=tuple(each * plan.spread[0] for each in typical),
        p50_usd_per_month=tuple(typical),
        typical_usd_per_month=tuple(typical),
        p90_usd_per_month=tuple(each * plan.spread[1] for each in typical),
        probability_cheapest_fraction=tuple(one / sum(all_) for one, all_ in zip(mine, weights, strict=True)),
        exact_volumes_mtok_per_month=tuple(v for v, _ in corners),
        exact_usd_per_month=tuple(cost for _, cost in corners),
    )


def _levers() -> tuple[LeverPart, ...]:
    rows = (
        ("open_model_success_fraction", "fraction", 0.7, 0.95, -1_240.0, 3_610.0, "expert"),
        ("broker_engineering_fte_count", "count", 0.02, 0.25, 3_600.0, -310.0, "guess"),
        ("engineer_usd_per_year", "usd/year", 210_000, 420_000, 3_520.0, 2_240.0, "quoted"),
        ("frontier_success_fraction", "fraction", 0.88, 0.97, 3_420.0, 2_830.0, "expert"),
        ("broker_input_usd_per_mtok", "usd/mtok", 0.1, 0.3, 3_260.0, 2_900.0, "official"),
        ("api_outage_hours_per_event", "hour", 1, 6, 3_080.0, 3_140.0, "guess"),
        ("observability_usd_per_month", "usd/month", 150, 400, 3_160.0, 3_050.0, "quoted"),
    )
    return tuple(
        LeverPart(
            name=name,
            unit=unit,
            low=low,
            high=high,
            gap_at_low_usd_per_month=at_low,
            gap_at_high_usd_per_month=at_high,
            gap_usd_per_month=3_116.0,
            flips=min(at_low, at_high) < 0 < max(at_low, at_high),
            grade=grade,
        )
        for name, unit, low, high, at_low, at_high, grade in rows
    )


_SOURCES = {
    "levels": SourcePart(title="Levels.fyi, total pay of infrastructure engineers", link="https://www.levels.fyi/",
                         read="2026-11-01", grade="quoted", age_days=22),
    "openai": SourcePart(title="OpenAI price list", link="https://openai.com/api/pricing/", read="2026-11-20",
                         grade="official", age_days=3),
    "market": SourcePart(title="GPU rental market, November 2026", link="https://example.org/gpu-rents",
                         read="2026-03-02", grade="quoted", age_days=266),
    "vllm": SourcePart(title="vLLM benchmark run on one H100 (measured)", link="https://example.org/bench",
                       read="2026-09-12", grade="measured", age_days=72),
    "guess": SourcePart(title="our guess", link="", read="2026-11-23", grade="guess", age_days=0),
}  # fmt: skip


def _assumptions() -> tuple[AssumptionPart, ...]:
    hosted, api = ("hybrid", "rented_on_demand", "rented_spot"), ("frontier_api",)
    everyone = tuple(sorted(plan.name for plan in PLANS))
    rows = (
        ("engineer_usd_per_year", "usd/year", 210_000, 300_000, 420_000, "scenario", "levels", everyone, False, ""),
        ("gpt_5_input_usd_per_mtok", "usd/mtok", 1.25, 1.25, 1.25, "offer", "openai", api, False, ""),
        ("gpt_5_output_usd_per_mtok", "usd/mtok", 10, 10, 10, "offer", "openai", api, False, ""),
        ("gpu_rent_usd_per_gpu_hour", "usd/hour", 1.65, 2.35, 2.95, "offer", "market", hosted, True,
         "rents fell to 1.70 in October 2025 and rose again"),
        ("prefill_efficiency_fraction", "fraction", 0.3, 0.45, 0.6, "catalogue", "vllm", hosted, False, ""),
        ("replicas_min_count", "count", 2, 2, 2, "scenario", "guess", hosted, False, "one may fail"),
        ("open_model_success_fraction", "fraction", 0.7, 0.88, 0.95, "catalogue", "guess", hosted, False,
         "measure it on your own tasks"),
    )  # fmt: skip
    return tuple(
        AssumptionPart(
            name=name, unit=unit, low=low, typical=typical, high=high, layer=layer, source=_SOURCES[source], note=note,
            used_by=used_by, stale=stale,
        )
        for name, unit, low, typical, high, layer, source, used_by, stale, note in rows
    )  # fmt: skip


def _trace() -> dict[str, TraceNodePart]:
    def node(
        name: str,
        unit: str,
        values: tuple[float, float, float],
        layer: str,
        *inputs: str,
        formula: str = "",
        summary: str = "",
        source: str | None = None,
        shadowed: tuple[ShadowedPart, ...] = (),
    ) -> TraceNodePart:
        p10, p50, p90 = values
        found = _SOURCES[source] if source else None
        return TraceNodePart(
            name=name, unit=unit, layer=layer, p10=p10, p50=p50, p90=p90, formula=formula, summary=summary,
            source=found, shadowed=shadowed, inputs=inputs,
        )  # fmt: skip

    return {
        "total_usd_per_month@1": node(
            "tokens_usd_per_month", "usd/month", (5_900, 6_334, 6_840), "derived", "price@1", "volume@1",
            formula="breakeven.costs.tokens.tokens_usd_per_month", summary="What the provider bills for the month.",
        ),
        "price@1": node(
            "token_usd_per_mtok", "usd/mtok", (3.01, 3.01, 3.01), "derived", "input@1", "output@1",
            summary="mean over the models of the log, weighted by tokens (openai/gpt-5 72 %)",
        ),
        "input@1": node("input_usd_per_mtok", "usd/mtok", (1.25, 1.25, 1.25), "offer", source="openai"),
        "output@1": node("output_usd_per_mtok", "usd/mtok", (10, 10, 10), "offer", source="openai"),
        "volume@1": node("volume_mtok_per_month", "mtok/month", (1_900, 2_100, 2_300), "derived",
                         summary="the log, stretched to a month"),
        "rent_usd_per_month@1": node(
            "gpu_rent_busy_usd_per_month", "usd/month", (400, 900, 1_500), "derived", "rent@1", "busy@1",
            formula="breakeven.costs.gpu_rental.gpu_rent_busy_usd_per_month",
            summary="The share of the rent that did useful work.",
        ),
        "rent@1": node(
            "gpu_rent_usd_per_month", "usd/month", (2_409, 3_431, 4_307), "derived", "gpus@1", "hourly@1",
            formula="breakeven.costs.gpu_rental.gpu_rent_usd_per_month",
            summary="Rent of an always-on fleet: every hour is billed, busy or not.",
        ),
        "busy@1": node("busy_fraction", "fraction", (0.07, 0.11, 0.18), "derived", "gpus@1", "volume@1",
                       formula="breakeven.serving.fleet.busy_fraction", summary="Work over capacity."),
        "gpus@1": node("gpus_count", "count", (2, 2, 2), "derived", "replicas@1", summary="replicas of one GPU each"),
        "replicas@1": node(
            "replicas_min_count", "count", (2, 2, 2), "scenario", source="guess",
            shadowed=(ShadowedPart(layer="catalogue", low=1, typical=1, high=2),),
        ),
        "hourly@1": node(
            "gpu_rent_usd_per_gpu_hour", "usd/hour", (1.65, 2.35, 2.95), "offer", source="market",
            shadowed=(ShadowedPart(layer="catalogue", low=1.38, typical=2.1, high=2.65),),
        ),
    }  # fmt: skip


def one_option_document() -> Document:
    """The smallest comparison: one option, nothing to compare it with, a few hours of calls, no price at all."""
    base = sample_document(days_count=1, extrapolated=0.97, synthetic=False)
    only = next(each for each in base.options if each.name == "frontier_api")
    curves = tuple(each for each in base.breakeven.curves if each.option == only.name)
    stretch = StretchPart(from_mtok_per_month=AXIS[0], to_mtok_per_month=AXIS[1], option=only.name)
    verdict = base.verdict.model_copy(
        update={
            "sentence": "Frontier API (as today) is the only option that could be costed.",
            "recommended": only.name,
            "rival": None,
            "confidence": "clear",
            "odds_fraction": 1.0,
            "saves_usd_per_month": None,
        }
    )
    return base.model_copy(
        update={
            "verdict": verdict,
            "options": (only,),
            "breakeven": base.breakeven.model_copy(
                update={"curves": curves, "crossings": (), "pairs": (), "stretches": (stretch,)}
            ),
            "levers": (),
            "workload": base.workload.model_copy(
                update={"hours_of_week": (), "peak_to_mean_ratio": None, "imported": None, "unpriced": ()}
            ),
        }
    )
