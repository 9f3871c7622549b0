"""Changes: what a what-if makes different: facts, choices, the volume, or the price of today's API.

Names may be short: the table of aliases says what each stands for, and the answer says what was taken.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from breakeven.catalog.load import Catalog
from breakeven.decision.bounds import LARGEST_NUMBER
from breakeven.decision.scenario import BOUND_BY_OPTIONS, ONLY_FROM_A_SCENARIO, Scenario
from breakeven.decision.told_demand import at_price, at_volume
from breakeven.errors import ScenarioError, UnknownName, nearest
from breakeven.facts.assumption import Assumption
from breakeven.options.assembly.demand import Demand
from breakeven.options.assembly.offers import GPU_RENT_RATIO
from breakeven.units import TOKENS_PER_MTOK

Kind = Literal["fact", "choice", "volume", "api_price"]
VOLUME: Final = "volume_mtok_per_month"
API_PRICE: Final = "api_price_ratio"
PEAK: Final = "hourly_peak_to_mean_ratio"
HEADROOM: Final = "burst_headroom_ratio"
UTILISATION: Final = "utilisation"
"""Another way to say the peak: the busy share of a fleet that is full in its busiest minutes."""
FACT_ALIASES: Final[Mapping[str, str]] = {
    "gpu_usd_per_hour": "gpu_rent_usd_per_gpu_hour",
    "gpu_rent": "gpu_rent_usd_per_gpu_hour",
    "gpu_rents": GPU_RENT_RATIO,
    "volume": VOLUME,
    "api_price": API_PRICE,
    "salary": "engineer_usd_per_year",
    "engineer": "engineer_usd_per_year",
    "fte": "engineering_fte_count",
    "electricity": "electricity_usd_per_kwh",
    "success": "open_model_success_fraction",
    "growth": "volume_growth_fraction_per_month",
    "horizon": "horizon_months",
    "incidents": "incident_events_per_month",
    "peak": "hourly_peak_to_mean_ratio",
    "batch_share": "batch_share_fraction",
    "commodity_share": "hybrid_commodity_share_fraction",
}
"""Short name -> name of the fact."""
CHOICES: Final = (
    "frontier_model",
    "open_model",
    "broker_offer",
    "gpu",
    "precision",
    "gpus_per_replica_count",
    "tier_model",
    "deepseek_offer",
    "small_model",
    "small_gpu",
    "region",
    "grid_zone",
    "team",
    "data_may_not_leave",
)
"""Keys of a scenario that a change may give another value."""
_THOUSANDS: Final = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d*)?\s*[%A-Za-z]?$")
MOST: Final[Mapping[str, float]] = {VOLUME: LARGEST_NUMBER * 1e3, API_PRICE: 1e3}
"""What a scenario takes at most of what is no fact."""
UNITS: Final[Mapping[str, str]] = {VOLUME: "millions of tokens a month", API_PRICE: "times today's price"}
SUFFIXES: Final = {"k": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is different."""

    said: str
    """As it was typed."""
    name: str
    """Of the fact or key."""
    kind: Kind
    value: float | str

    @property
    def is_renamed(self) -> bool:
        """Whether a short name was typed."""
        return self.said != self.name


def name_of_fact(said: str, facts: Mapping[str, Assumption]) -> str:
    """The fact behind a typed name: itself, a short name, or the only one with all of its words.

    Raises UnknownName with the nearest name.
    """
    if said in facts or said in (VOLUME, API_PRICE) or said in BOUND_BY_OPTIONS | ONLY_FROM_A_SCENARIO:
        return said
    if said in FACT_ALIASES:
        return FACT_ALIASES[said]
    words = set(said.split("_"))
    alike = [name for name in facts if words <= set(name.split("_"))]
    if len(alike) == 1:
        return alike[0]
    if alike:
        raise UnknownName(f"'{said}' may be several facts: {', '.join(sorted(alike)[:6])}; say which")
    known = [*facts, *FACT_ALIASES, *CHOICES, VOLUME, API_PRICE, UTILISATION]
    raise UnknownName(f"no fact or choice is named '{said}'; {nearest(said, known)}")


def parse_change(said: str, text: str, facts: Mapping[str, Assumption], headroom_ratio: float | None = None) -> Change:
    """``name=value`` as a change; raises ScenarioError or UnknownName saying what was wanted.

    `headroom_ratio`: busiest minutes over their hour, as the log shows them; the catalogue's when absent.
    """
    if said in CHOICES:
        return Change(said, said, "choice", text)
    if said == UTILISATION:
        headroom = facts[HEADROOM].typical if headroom_ratio is None else headroom_ratio
        return Change(said, PEAK, "fact", _peak_of(typed_number(said, text, is_volume=False), headroom, text))
    name = name_of_fact(said, facts)
    value = typed_number(said, text, is_volume=name == VOLUME)
    if name in (VOLUME, API_PRICE):
        if not 0 < value <= MOST[name]:
            raise ScenarioError(
                f"{said}={text}: wanted more than zero and at most {MOST[name]:,.12g}, in {UNITS[name]}"
            )
        return Change(said, name, "volume" if name == VOLUME else "api_price", value)
    return Change(said, name, "fact", value)


def changed_scenario(scenario: Scenario, changes: Sequence[Change]) -> Scenario:
    """The scenario that says the same as `changes`, also in a file; raises ScenarioError for an impossible value."""
    content = scenario.model_dump(exclude={"measured"})
    for each in changes:
        if each.kind == "choice":
            content[each.name] = None if str(each.value).lower() in ("none", "") else each.value
        elif each.kind in ("volume", "api_price"):
            content[each.name] = each.value
        else:
            content["overrides"] = {**content["overrides"], each.name: each.value}
    try:
        found = Scenario.model_validate(content)
    except ValueError as error:
        told = [
            f"{'.'.join(str(at) for at in each['loc'])}: {each['msg'].replace('Input should be', 'wanted')}"
            for each in getattr(error, "errors", list)()
        ]
        raise ScenarioError("; ".join(told) or str(error)) from None
    return found.with_files_of(scenario)


def changed_demand(demand: Demand, changes: Sequence[Change], hours_per_month: float) -> Demand:
    """The demand at another volume, or another price of today's models."""
    for each in changes:
        if each.kind == "volume":
            demand = at_volume(demand, float(each.value), hours_per_month)
        elif each.kind == "api_price":
            demand = at_price(demand, float(each.value))
    return demand


def utilisation_fraction(peak_to_mean_ratio: float, headroom_ratio: float) -> float:
    """Busy share of a fleet that is full in its busiest minutes.

    >>> utilisation_fraction(2.0, 1.25)
    0.4
    """
    return 1.0 / (max(peak_to_mean_ratio, 1.0) * max(headroom_ratio, 1.0))


def _peak_of(utilisation: float, headroom_ratio: float, text: str) -> float:
    """The peak that leaves a fleet so busy."""
    most = 1.0 / max(headroom_ratio, 1.0)
    if not 0 < utilisation <= most * (1 + 1e-9):
        raise ScenarioError(
            f"{UTILISATION}={text}: wanted more than zero and at most {100 * most:.0f} %: bursts within the "
            f"busiest hour need {max(headroom_ratio, 1.0):.2f} times its mean ({HEADROOM})"
        )
    return max(1.0 / (utilisation * max(headroom_ratio, 1.0)), 1.0)


def known_facts(catalog: Catalog, scenario: Scenario) -> dict[str, Assumption]:
    """Every fact that a change may name."""
    known = dict(catalog.assumptions)
    for offer in catalog.gpu_offers.values():
        for name, fact in offer.facts.items():
            known.setdefault(name, fact)
    return {**known, **scenario.facts(catalog)}


def typed_number(said: str, text: str, *, is_volume: bool) -> float:
    """A number; ``5B`` and ``300M`` for a volume, ``20%`` for a share; commas only between thousands.

    >>> typed_number("volume", "1,500M", is_volume=True), typed_number("gpu_rents", "1.5", is_volume=False)
    (1500.0, 1.5)
    """
    plain = text.strip().replace("_", "")
    if "," in plain:
        if not _THOUSANDS.match(plain):
            raise ScenarioError(
                f"{said}={text}: saw a comma that does not stand between thousands; the decimal sign is a point, e.g. "
                f"{said}={'1.5B' if is_volume else '1.5'}"
            )
        plain = plain.replace(",", "")
    scale = 1.0
    if plain.endswith("%"):
        plain, scale = plain[:-1].strip(), 0.01
    elif is_volume and plain[-1:] in SUFFIXES:
        plain, scale = plain[:-1].strip(), SUFFIXES[plain[-1]] / TOKENS_PER_MTOK
    try:
        return float(plain) * scale
    except ValueError:
        example = "5B" if is_volume else "1.65"
        raise ScenarioError(f"{said}={text}: wanted a number, e.g. {said}={example}") from None
