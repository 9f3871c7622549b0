"""Breach loss: the guide says that a data breach outweighs the savings of staying at an API."""

from __future__ import annotations

import numpy as np

from breakeven.claims.guide.bench import Bench
from breakeven.claims.guide.finding import Figure, Finding, GuideClaim, Table, by_share, listed, odds_of, stated, traced
from breakeven.claims.guide.saving import RENTED, TODAY, difference_usd_per_month
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.facts.trace import Node

VOLUMES_MTOK = (60.0, 1_000.0, 10_000.0)


@formula
def breach_events_per_year(breach_incident_events_per_year: Draws, breach_llm_path_fraction: Draws) -> Draws:
    """Incidents a year that come through the LLM path of an average firm.

    >>> round(float(breach_events_per_year(0.1, 0.02)), 9)
    0.002
    """
    return breach_incident_events_per_year * breach_llm_path_fraction


@formula
def flip_events_per_year(
    breach_events_per_year: Draws, extra_usd_per_month: Draws, breach_difference_usd_per_month: Draws
) -> Draws:
    """Incidents a year at which the difference in expected loss pays the extra cost; the loss is linear in them.

    >>> float(flip_events_per_year(0.01, 16_000.0, 80.0))
    2.0
    """
    return breach_events_per_year * extra_usd_per_month / breach_difference_usd_per_month


@formula
def months_of_bill_months(breach_usd: Draws, bill_usd_per_month: Draws) -> Draws:
    """How many months of a bill one breach costs.

    >>> float(months_of_bill_months(120_000.0, 10_000.0))
    12.0
    """
    return breach_usd / bill_usd_per_month


def breach_outweighs(bench: Bench) -> Finding:
    """Expected breach loss at the API less that of a fleet of one's own, against what the fleet costs more."""
    rows: list[tuple[Figure | str, ...]] = []
    for mtok in VOLUMES_MTOK:
        extra, loss = extra_cost(bench, mtok), loss_difference(bench, mtok)
        pays = Figure("o", "odds", _outweighs(loss, extra))
        volume = Figure("v", "volume", stated("volume_mtok_per_month", mtok, "looked at"))
        rows.append((volume, Figure("e", "extra cost", extra), Figure("l", "loss avoided", loss), pays))
    mtok = bench.volume_mtok
    extra, loss = extra_cost(bench, mtok), loss_difference(bench, mtok)
    events = traced(
        breach_events_per_year, bench.fact("breach_incident_events_per_year"), bench.fact("breach_llm_path_fraction")
    )
    survey = bench.fact("breach_survey_mean_usd")
    months = traced(months_of_bill_months, survey, bench.cost(TODAY).total)
    here = _outweighs(loss, extra)
    verdict = by_share(float(here.value.flat[0]))
    flip = _flip(bench, events, extra)
    figures = [
        Figure("extra", "self-hosting costs more by", extra),
        Figure("loss", "expected breach loss avoided by self-hosting", loss),
        Figure("odds", "odds that the loss outweighs it", here),
        Figure("events", "breaches through the LLM path", events),
        Figure("survey", "mean cost of one breach (survey)", survey),
        Figure("months", "one breach in months of today's bill", months),
    ]
    turn = "At typical exposures self-hosting avoids no expected loss, so no rate of breaches turns the answer."
    if flip is not None:
        figures.append(Figure("flip", "breaches a year at which it would", flip))
        turn = (
            "It would take breaches at a rate of {flip} through the LLM path, against {events} assumed, at the typical "
            "exposures."
        )
    if float(np.median(extra.value)) <= 0:
        turn = "At this volume self-hosting costs no more than the API, so there is nothing to outweigh."
    return Finding(
        verdict,
        "the exposure of your provider against your own, and the rate of breaches" if verdict == "depends" else "",
        "expected breach loss at the API {loss}, self-hosting {extra} a month; outweighs in {odds} futures",
        "One breach costs as much as {months} of today's bill, but self-hosting has breaches of its own: the expected "
        "loss at the API is {loss:range} a month, and self-hosting costs {extra:range}.",
        (
            turn,
            "One breach costs {survey} on average in the survey; only the difference between two ways to serve counts.",
        ),
        f"{bench.open_model} on rented GPUs against today's API, as many successful outcomes; {bench.traffic}",
        tuple(figures),
        (
            Table(
                "Breach risk against the extra cost of self-hosting",
                (
                    "Tokens a month",
                    "Self-hosting, USD a month",
                    "Expected breach loss at the API",
                    "Odds that it outweighs",
                ),
                tuple(rows),
            ),
        ),
    )


def extra_cost(bench: Bench, mtok: float) -> Node:
    """What self-hosting costs more, for as many successful outcomes."""
    return traced(difference_usd_per_month, bench.equal_success(RENTED, mtok), bench.equal_success(TODAY, mtok))


def loss_difference(bench: Bench, mtok: float) -> Node:
    """Expected breach loss at the API less that of one's own fleet."""
    api, own = (bench.cost(name, mtok).breakdown.apart for name in (TODAY, RENTED))
    return traced(difference_usd_per_month, api[0].usd_per_month, own[0].usd_per_month)


def _outweighs(loss: Node, extra: Node) -> Node:
    """Odds that the loss avoided pays what self-hosting costs more; it must cost more at all."""
    return odds_of((loss.value > extra.value) & (extra.value > 0), loss, extra)


def _flip(bench: Bench, events: Node, extra: Node) -> Node | None:
    """At typical values; None where self-hosting avoids nothing or costs nothing more."""
    facts = {**bench.situation.catalog.assumptions, **bench.situation.scenario}
    names = ("api_breach_exposure_ratio", "selfhost_breach_exposure_ratio")
    api, own = (facts[name].typical for name in names)
    if own >= api or float(np.median(extra.value)) <= 0:
        return None
    api_line = bench.typical_cost(TODAY, np.asarray([bench.volume_mtok])).breakdown.apart[0].usd_per_month
    own_line = bench.typical_cost(RENTED, np.asarray([bench.volume_mtok])).breakdown.apart[0].usd_per_month
    typical_loss = traced(difference_usd_per_month, api_line, own_line)
    middle = listed("extra_usd_per_month", np.median(extra.value), "median", extra)
    usual = listed("breach_events_per_year", np.median(events.value), "median", events)
    return traced(flip_events_per_year, usual, middle, typical_loss)


CLAIMS = (
    GuideClaim(
        "breach-outweighs-savings",
        12,
        "The cost of a data breach outweighs the savings of an API.",
        "breach > savings",
        breach_outweighs,
    ),
)
