"""A document as the full list of options makes it: about twenty in six families, some without a price, one a twin."""

from __future__ import annotations

from breakeven.reports.document import (
    Amount,
    AssumptionPart,
    CurvePart,
    Document,
    OptionPart,
    OwnershipPart,
    PairPart,
    SourcePart,
    UnavailablePart,
)
from reports.sample_document import sample_document

COPIES = (
    # name, title, family, the sample's option it is made of, times its cost, odds
    ("cheaper_tier", "Cheaper API tier", "api", "frontier_api", 0.62, 0.18),
    ("batch_api", "Batch API for what can wait", "api", "frontier_api", 0.85, 0.03),
    ("deepseek_api", "DeepSeek's own API", "api", "brokered", 1.06, 0.01),
    ("brokered_fireworks", "Brokered open model, Fireworks", "brokered", "brokered", 1.0, 0.0),
    ("brokered_together", "Brokered open model, Together", "brokered", "brokered", 1.04, 0.0),
    ("routed", "Routing (API + broker)", "routed", "brokered", 1.6, 0.04),
    ("managed_together", "Managed endpoint, Together", "managed", "rented_on_demand", 0.7, 0.0),
    ("managed_hf", "Managed endpoint, Hugging Face", "managed", "rented_on_demand", 0.72, 0.0),
    ("managed_hf_zero", "Managed, Hugging Face, scale to zero", "managed", "rented_on_demand", 0.71, 0.0),
    ("managed_fireworks", "Managed endpoint, Fireworks", "managed", "rented_on_demand", 0.8, 0.0),
    ("rented_one_year", "Rented GPUs, one-year term", "self_hosted", "rented_spot", 0.9, 0.0),
    ("owned_gpus", "Owned GPUs, bought new", "self_hosted", "rented_on_demand", 1.9, 0.0),
    ("sunk_gpus", "GPUs you already own", "self_hosted", "rented_on_demand", 0.5, 0.02),
    ("small_gpu", "Small GPU with Ollama", "self_hosted", "rented_on_demand", 3.0, 0.0),
)
UNAVAILABLE = (
    ("brokered_deepinfra", "Brokered open model, DeepInfra", "brokered", "price",
     "this seller has no price per token for gpt-oss-120b in the catalogue; set open_model to compare another; "
     "deepinfra sells Llama-3.3-70B"),
    ("brokered_siliconflow", "Brokered open model, SiliconFlow", "brokered", "price",
     "this seller has no price per token for gpt-oss-120b in the catalogue; set open_model to compare another; "
     "siliconflow sells Qwen3-8B, DeepSeek-V3"),
    ("provisioned", "Provisioned throughput (your quote)", "api", "price",
     "needs your quote: set provisioned_usd_per_unit_hour under overrides in the scenario"),
    ("managed_modal", "Managed endpoint, Modal", "managed", "constraint",
     "modal does not meet what the scenario requires: unknown retention for modal"),
)  # fmt: skip


def many_options_document() -> Document:
    """Nineteen options that could be costed and four that could not."""
    base = sample_document()
    options = [*base.options, *(_copy(base, *each) for each in COPIES)]
    options.sort(key=lambda each: (each.usd_per_success.p50, each.name))
    curves = [*base.breakeven.curves, *(_curve(base, each) for each in COPIES)]
    pairs = [*base.breakeven.pairs, *(_pair(each[0], each[1]) for each in COPIES)]
    return base.model_copy(
        update={
            "options": tuple(options),
            "unavailable": tuple(
                UnavailablePart(name=name, title=title, family=family, kind=kind, reason=reason)
                for name, title, family, kind, reason in UNAVAILABLE
            ),
            "breakeven": base.breakeven.model_copy(update={"curves": tuple(curves), "pairs": tuple(pairs)}),
            "assumptions": (*base.assumptions, _disagreement()),
        }
    )


def _copy(base: Document, name: str, title: str, family: str, of: str, times: float, odds: float) -> OptionPart:
    model = next(each for each in base.options if each.name == of)
    costs = (
        "usd_per_month",
        "usd_per_mtok",
        "usd_per_success",
        "equal_success_usd_per_month",
        "with_losses_usd_per_month",
    )
    changes: dict[str, object] = {each: _times(getattr(model, each), times) for each in costs}
    changes |= {"name": name, "title": title, "family": family, "probability_cheapest_fraction": odds}
    changes |= {"probability_cheapest_with_losses_fraction": odds}
    lines = tuple(each.model_copy(update={"usd_per_month": _times(each.usd_per_month, times)}) for each in model.lines)
    changes["lines"] = lines
    if name == "managed_hf_zero":
        billed = Amount(p10=0.3, p50=0.41, p90=0.6, mean=0.43, unit="fraction")
        starts = Amount(p10=40, p50=120, p90=300, mean=150, unit="1/month")
        changes["facts"] = {**model.facts, "billed_fraction": billed, "cold_start_events_per_month": starts}
    if name == "owned_gpus":
        changes["ownership"] = ownership()
    if name == "sunk_gpus":
        changes["only_if"] = "you already own the GPUs"
    if name == "brokered_fireworks":
        changes["same_as"] = "brokered"
    return model.model_copy(update=changes)


def ownership() -> OwnershipPart:
    """A purchase of 300,000 USD: the figures of the costs' own examples, without a range."""
    usd = {
        "capex_usd": 300_000.0,
        "resale_usd": 84_000.0,
        "running_usd_per_month": 10_000.0,
        "annuity_usd_per_month": 7_000.0,
        "annuity_total_usd_per_month": 17_000.0,
        "annuity_over_life_usd": 612_000.0,
        "cash_over_life_usd": 576_000.0,
        "depreciation_usd_per_month": 6_000.0,
        "accounting_usd_per_month": 16_000.0,
        "accounting_over_life_usd": 576_000.0,
        "cost_of_capital_usd_per_month": 1_000.0,
    }
    fixed = {name: Amount(p10=value, p50=value, p90=value, mean=value, unit="usd") for name, value in usd.items()}
    return OwnershipPart(lifetime_months=Amount(p10=36, p50=36, p90=36, mean=36, unit="month"), **fixed)


def _times(amount: Amount, times: float) -> Amount:
    values = {name: getattr(amount, name) * times for name in ("p10", "p50", "p90", "mean")}
    return amount.model_copy(update=values)


def _curve(base: Document, copy: tuple[str, str, str, str, float, float]) -> CurvePart:
    name, _, _, of, times, _ = copy
    model = next(each for each in base.breakeven.curves if each.option == of)
    kinds = (
        "p10_usd_per_month",
        "p50_usd_per_month",
        "p90_usd_per_month",
        "typical_usd_per_month",
        "exact_usd_per_month",
    )
    changes: dict[str, object] = {kind: tuple(value * times for value in getattr(model, kind)) for kind in kinds}
    nothing = (0.0,) * len(model.volumes_mtok_per_month)
    return model.model_copy(update=changes | {"option": name, "probability_cheapest_fraction": nothing})


def _pair(name: str, title: str) -> PairPart:
    return PairPart(
        option=name,
        crossings_mtok_per_month=(3_210.0,),
        first_mtok_per_month=3_210.0,
        always_above_mtok_per_month=3_210.0,
        proven_beyond_axis=True,
        sentence=f"{title} is always cheaper than today's API above 3.21 B tokens a month.",
    )


def _disagreement() -> AssumptionPart:
    source = SourcePart(
        title="genai-prices; models.dev", link="https://example.org/", read="2026-11-20", grade="quoted", age_days=3
    )
    return AssumptionPart(
        name="output_usd_per_mtok", unit="usd/mtok", low=0.4, typical=0.5, high=0.6, layer="offer", source=source,
        note="Price lists disagree: 0.5 (genai-prices); 0.6 (models.dev).", used_by=("brokered",), stale=False,
    )  # fmt: skip
