"""Sliders: the numbers that a person moves first, each with its range, its source, and how far it may be moved.

Names are those that `breakeven whatif NAME=VALUE` takes. A slider reaches beyond its fact's range on both sides by
half of the range's width, as far as a person may set the fact.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import exp, log, log10
from typing import Final, Literal

from breakeven.decision.answers.changes import (
    API_PRICE,
    FACT_ALIASES,
    PEAK,
    UTILISATION,
    VOLUME,
    utilisation_fraction,
)
from breakeven.decision.bounds import ONE_OR_MORE, limits_of
from breakeven.decision.compare import AXIS_HIGH_MTOK, AXIS_LOW_MTOK
from breakeven.decision.comparison import Costed
from breakeven.facts.assumption import Assumption
from breakeven.facts.source import Grade
from breakeven.facts.trace import Node
from breakeven.options.assembly.audited_work import SUCCESS as EASIER
from breakeven.options.assembly.offers import GPU_RENT, GPU_RENT_RATIO
from breakeven.options.assembly.success import ANY_OPEN_MODEL, success_fact
from breakeven.options.option import OF_PARTS
from breakeven.reports.scope import facts_behind
from breakeven.reports.whatif_state import State
from breakeven.units import YEAR_MONTHS
from breakeven.workload.forecast import GROWTH

HORIZON: Final = "horizon_months"
SHARE: Final = "hybrid_commodity_share_fraction"
BEYOND_FRACTION: Final = 0.5
"""Of the width of a fact's range: how far beyond its ends a slider reaches."""
REACH_FRACTION: Final = 0.1
"""How far below zero, and above it, the slider of what may fall as well as grow reaches at least."""
POSITIONS_PER_DECADE: Final = 40
POSITIONS_COUNT: Final = 100
FTE_BY_GPUS: Final = {
    1: "engineering_fte_one_gpu_count",
    8: "engineering_fte_cluster_count",
    64: "engineering_fte_large_count",
}
"""GPUs of a fleet -> the fact that says how many people keep it; between them the people are interpolated."""
NOBODY: Final = "no option that could be costed reads it"


@dataclass(frozen=True, slots=True)
class Slider:
    """One number that may be moved."""

    name: str
    """As `breakeven whatif NAME=VALUE` takes it."""
    fact: str
    """Full name of what it moves, which ends in its unit."""
    title: str
    unit: str
    low: float
    """Left end."""
    typical: float
    """Where it stands while nobody has moved it; the number itself is then uncertain, as its source says."""
    high: float
    """Right end."""
    step: float
    """Between two positions: a difference on a linear scale, a factor on a logarithmic one."""
    scale: Literal["linear", "log"]
    about: str
    """What it means and what it moves, in a sentence."""
    source: str
    grade: str
    disabled: str = ""
    """Why it moves nothing here; empty: it may be moved."""


def sliders_of(state: State) -> tuple[Slider, ...]:
    """Volume, growth, utilisation, GPU price, people, API price, share that moves, success rates, horizon."""
    return (
        _volume(state),
        _of_fact(state, GROWTH, "Growth of the volume", "Per month at the beginning; it levels off later.", ahead=True),
        _utilisation(state),
        _gpu_price(state),
        _people(state),
        _api_price(state),
        _share(state),
        *_success(state),
        _horizon(state),
    )


def _volume(state: State) -> Slider:
    here, log_source = state.comparison.typical_volume_mtok, state.comparison.demand.source
    return Slider(
        "volume",
        VOLUME,
        "Volume",
        "mtok/month",
        min(AXIS_LOW_MTOK, here / 10),
        here,
        max(AXIS_HIGH_MTOK, here * 10),
        _factor(),
        "log",
        "Tokens of a month at today's mix of models and lengths, as far as the cost curves are drawn.",
        log_source.title,
        log_source.grade.value,
    )


def _utilisation(state: State) -> Slider:
    """Busy share of an always-on fleet that is just full in its busiest minutes: what the peaks of the log leave."""
    peak = _read(state, PEAK)
    if peak is None:
        return _disabled(UTILISATION, PEAK, "GPU utilisation", "fraction", NOBODY)
    fact = _fact(peak)
    headroom = state.headroom_ratio
    ends = sorted(utilisation_fraction(each, headroom) for each in (fact.low, fact.high, fact.typical * 4))
    return Slider(
        UTILISATION,
        PEAK,
        "GPU utilisation",
        "fraction",
        ends[0],
        utilisation_fraction(fact.typical, headroom),
        utilisation_fraction(1.0, headroom),
        0.01,
        "linear",
        "Busy share of a fleet that is full in its busiest minutes: sets the busiest hour over the mean hour "
        f"({PEAK}), at bursts {headroom:.2f} times their hour. Whole replicas leave more idle than this.",
        fact.source.title,
        fact.source.grade.value,
    )


def _gpu_price(state: State) -> Slider:
    """A multiple of the offers' rents, so that each GPU keeps its own; a rent that the scenario states moves itself."""
    if GPU_RENT in state.situation.scenario:
        return _of_fact(state, GPU_RENT, "GPU price", "Rent of an hour of any GPU, as your scenario states it.")
    if _read(state, GPU_RENT) is None:
        return _disabled("gpu_rents", GPU_RENT_RATIO, "GPU price", "ratio", NOBODY)
    choices, catalog = state.situation.choices, state.situation.catalog
    offers = [each for each in catalog.gpu_offers.values() if each.gpu == choices.gpu and GPU_RENT in each.facts]
    asked = next((each for each in offers if each.term == "on_demand"), offers[0] if offers else None)
    rent = asked.facts[GPU_RENT] if asked else _fact(_read(state, GPU_RENT))
    future = catalog.assumptions["gpu_rent_long_run_ratio"]
    low, high = _wider(
        min(rent.low / rent.typical, future.low),
        max(rent.high / rent.typical, future.high),
        GPU_RENT_RATIO,
        "ratio",
        "log",
    )
    return Slider(
        "gpu_rents",
        GPU_RENT_RATIO,
        "GPU price",
        "ratio",
        low,
        1.0,
        high,
        _factor(),
        "log",
        f"Every rent by the GPU hour as a multiple of its offer's; 1 is ${rent.typical:.2f}/h for a {choices.gpu} "
        "on demand, and each offer's own for the others.",
        rent.source.title,
        rent.source.grade.value,
    )


def _people(state: State) -> Slider:
    """Of the three sizes of fleet at which people are known, the one nearest to the cheapest fleet here."""
    fleets = [each for each in state.comparison.options if any(_is_gpus(node) for node in each.cost.facts)]
    own = [each for each in fleets if any(node.name in FTE_BY_GPUS.values() for node in facts_behind(each))]
    if not own:
        return _disabled(FTE_BY_GPUS[8], FTE_BY_GPUS[8], "Engineers for a fleet", "count", NOBODY)
    best = min(own, key=lambda each: each.equal_success_usd_per_month.mean)
    gpus = max(_gpus_count(best), 1.0)
    nearest = min(FTE_BY_GPUS, key=lambda count: abs(log(count) - log(gpus)))
    return _of_fact(
        state,
        FTE_BY_GPUS[nearest],
        "Engineers for a fleet",
        f"People (FTE) who keep a fleet of {nearest} GPU{'s' if nearest > 1 else ''}, the nearest known size to the "
        f"cheapest fleet here ({gpus:,.0f} GPU{'s' if round(gpus) != 1 else ''}); other sizes follow by a power law.",
    )


def _api_price(state: State) -> Slider:
    """Down as far as the price of equal quality falls in a year, and as far up."""
    fall = state.situation.catalog.assumptions["equal_quality_price_decline_ratio"]
    demand = state.comparison.demand
    source = demand.models[0].source
    return Slider(
        "api_price",
        API_PRICE,
        "API price",
        "ratio",
        1 / fall.typical,
        state.scenario.api_price_ratio,
        fall.typical,
        _factor(),
        "log",
        "Price of today's models as a multiple of what it is; brokers, cheaper tiers and batch keep theirs.",
        source.title,
        source.grade.value,
    )


def _share(state: State) -> Slider:
    title, about = (
        "Share that a small model takes",
        "Share of the tokens that routing or a hybrid moves to the open model",
    )
    mixed = next((each for each in state.comparison.options if each.cost.family in OF_PARTS), None)
    if mixed is None:
        return _disabled(_short(SHARE), SHARE, title, "fraction", "neither routing nor a hybrid could be costed")
    fact = state.situation.catalog.assumptions[SHARE]
    measured = next((each for each in mixed.cost.facts if each.name == "moved_tokens_fraction"), None)
    if measured is not None and SHARE not in state.situation.scenario:
        value, source = float(measured.value.flat[0]), measured.source or fact.source
        about += "; as it stands the tasks of the log decide it, and moving the slider replaces them"
        fact = replace(fact, typical=value, low=min(fact.low, value), high=max(fact.high, value), source=source)
    elif SHARE in state.situation.scenario:
        fact = state.situation.scenario[SHARE]
    return _slider(fact, title, f"{about}.")


def _success(state: State) -> tuple[Slider, ...]:
    """Of the small model and of the open one, each by the fact that is read of it, one where it is the same; and of an
    open model on the easier work alone, where an option moves that.
    """
    choices, models = state.situation.choices, state.situation.catalog.models
    found = []
    for label, title in ((choices.small_model, "Small model's success"), (choices.open_model, "Open model's success")):
        spec = models.get(label)
        name = ANY_OPEN_MODEL if ANY_OPEN_MODEL in state.situation.scenario or spec is None else success_fact(spec)
        if _read(state, name) is None and spec is not None and state.situation.choices.outcomes is not None:
            name = ANY_OPEN_MODEL  # what was measured of it gives way to this alone
            found.append(_of_fact(state, name, title, f"Share of the calls that {label} does right.", always=True))
        else:
            found.append(_of_fact(state, name, title, f"Share of the calls that {label} does right at the first try."))
    if _read(state, EASIER) is not None:
        about = "Share of the calls that move, by routing or to a hybrid, that the open model does right."
        found.append(_of_fact(state, EASIER, "Success on the easier work", about))
    return tuple({each.name: each for each in found}.values())


def _horizon(state: State) -> Slider:
    """From a year, the longest term of any offer, to the longest life of a GPU that anybody plans with."""
    facts = {**state.situation.catalog.assumptions, **state.situation.scenario}
    fact, life = facts[HORIZON], facts["gpu_lifetime_months"]
    return Slider(
        "horizon",
        HORIZON,
        "Horizon",
        "month",
        min(YEAR_MONTHS, fact.typical),
        fact.typical,
        max(round(life.high), fact.typical),
        1.0,
        "linear",
        "Months over which costs are added up: from a year, the longest term of a rent, to the life of a GPU.",
        fact.source.title,
        fact.source.grade.value,
    )


def _of_fact(state: State, name: str, title: str, about: str, *, ahead: bool = False, always: bool = False) -> Slider:
    """A slider of a fact as it stands; `ahead`: the months to come read it; `always`: whoever reads it."""
    node = _read(state, name)
    if ahead:
        return _slider(state.expected.fact(name), title, about)
    if node is None and not always:
        fact = state.situation.scenario.get(name) or state.situation.catalog.assumptions.get(name)
        slider = _slider(fact, title, about) if fact else _disabled(_short(name), name, title, "ratio", NOBODY)
        return replace(slider, disabled=NOBODY)
    return _slider(_fact(node) if node else state.situation.catalog.assumptions[name], title, about)


def _slider(fact: Assumption, title: str, about: str) -> Slider:
    smallest, _ = limits_of(fact.name, fact.unit)
    may_fall = smallest < 0
    scale: Literal["linear", "log"] = "log" if fact.unit != "fraction" and fact.low > 0 and not may_fall else "linear"
    low, high = _wider(fact.low, fact.high, fact.name, fact.unit, scale)
    if may_fall:
        high = 2 * fact.typical if fact.is_certain else high
        low, high = max(min(low, 2 * fact.typical, -REACH_FRACTION), smallest), max(high, REACH_FRACTION)
    step = _factor() if scale == "log" else _round_step((high - low) / POSITIONS_COUNT)
    source = fact.source
    return Slider(
        _short(fact.name),
        fact.name,
        title,
        fact.unit,
        low,
        fact.typical,
        high,
        step,
        scale,
        about,
        source.title,
        source.grade.value,
    )


def _short(name: str) -> str:
    """The short name of a fact, where it has one."""
    return next((alias for alias, fact in FACT_ALIASES.items() if fact == name), name)


def _wider(low: float, high: float, name: str, unit: str, scale: str) -> tuple[float, float]:
    """Half of the range's width beyond both ends, within what may be set; a range without width: half and twice."""
    smallest, largest = limits_of(name, unit)
    if high <= low:
        low, high = (low / 2, high * 2) if high > 0 else (0.0, 1.0)
    elif scale == "log":
        beyond = BEYOND_FRACTION * (log(high) - log(low))
        low, high = exp(log(low) - beyond), exp(log(high) + beyond)
    else:
        beyond = BEYOND_FRACTION * (high - low)
        low, high = low - beyond if low != 0 else low, high + beyond
    if unit == "fraction" and name not in ONE_OR_MORE:
        smallest = max(smallest, 0.01)
    return max(low, smallest), min(high, largest)


def _factor() -> float:
    return float(10 ** (1 / POSITIONS_PER_DECADE))


def _round_step(step: float) -> float:
    """1, 2 or 5 times a power of ten, at most `step`.

    >>> _round_step(0.0137), _round_step(0.7)
    (0.01, 0.5)
    """
    power = 10.0 ** int(log10(step) // 1)
    return float(round(next(each for each in (5, 2, 1) if each * power <= step * (1 + 1e-9)) * power, 12))


def _read(state: State, name: str) -> Node | None:
    """The fact as an option that could be costed reads it; None: none does."""
    for result in state.comparison.options:
        for node in facts_behind(result):
            if node.name == name:
                return node
    return None


def _fact(node: Node | None) -> Assumption:
    """The fact behind a node; what the log shows is certain."""
    assert node is not None
    if node.assumption is not None:
        return node.assumption
    value, source = float(node.value.flat[0]), node.source
    assert source is not None
    return Assumption(node.name, node.unit, value, value, value, source)


def _is_gpus(node: Node) -> bool:
    return node.name == "gpus_count"


def _gpus_count(result: Costed) -> float:
    return float(next(node for node in result.cost.facts if _is_gpus(node)).value.mean())


def _disabled(name: str, fact: str, title: str, unit: str, why: str) -> Slider:
    return Slider(name, fact, title, unit, 0.0, 0.0, 1.0, 0.01, "linear", "", "", Grade.GUESS.value, why)
