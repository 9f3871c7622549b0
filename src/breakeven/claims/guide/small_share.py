"""Small share: the guide's 80 % of calls that fit a 7B model, and from which share on moving them pays."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Final

import numpy as np

from breakeven.claims.guide.bench import Bench
from breakeven.claims.guide.finding import Figure, Finding, GuideClaim, Table, Verdict, listed, odds_of, stated, traced
from breakeven.claims.guide.saving import BROKERED, RENTED, TODAY, saved_fraction
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.facts.source import Grade, Source
from breakeven.facts.trace import Layer, Node
from breakeven.options.option import Evaluation, Situation

GUIDE_SHARE_FRACTION: Final = 0.8
SMALL_MODEL: Final = "Llama-3.1-8B"
AUDITED_SHARE: Final = "hybrid_commodity_share_fraction"
VOLUMES_MTOK: Final = (60.0, 1_000.0, 10_000.0, 50_000.0)
WAYS: Final = {BROKERED: "at a broker", RENTED: "on rented GPUs"}
STEPS_COUNT: Final = 1000
SMALLEST_MTOK: Final = 1e-6
"""Nothing stays: so little that a cost per success is still defined."""
READ: Final = date(2026, 11, 23)
PUBLIC: Final = (
    ("Llama-3.1-8B", "Nemotron-51B", 2_252, 2_862, "LLMRouter, 4,510 questions of many tasks, nine open models"),
    ("Mistral-7B", "gpt-4-1106", 765, 1_176, "RouterBench, 1,318 questions (ARC, MBPP)"),
)
"""Small model, large model, questions that both got right, questions that the large one got right, and the set."""


@formula
def both_right_fraction(both_right_requests: Draws, large_right_requests: Draws) -> Draws:
    """Of what the large model got right, the share that the small one got right too.

    >>> float(both_right_fraction(3.0, 4.0))
    0.75
    """
    return both_right_requests / large_right_requests


@formula
def split_usd_per_month(kept_usd_per_month: Draws, moved_usd_per_month: Draws) -> Draws:
    """Calls that stay and calls that move, together.

    >>> float(split_usd_per_month(20.0, 30.0))
    50.0
    """
    return kept_usd_per_month + moved_usd_per_month


def small_share(bench: Bench) -> Finding:
    """Break-even share by volume and way; a share that the scenario sets (your audit) decides the verdict."""
    alike = _alike(bench)
    rows: list[tuple[Figure | str, ...]] = []
    odds: dict[tuple[str, float], Figure] = {}
    for mtok in VOLUMES_MTOK:
        for way, words in WAYS.items():
            share = breakeven_share(bench, alike, way, mtok)
            saved, pays = _at_guide_share(bench, alike, way, mtok)
            odds[way, mtok] = pays
            volume = Figure("v", "volume", stated("volume_mtok_per_month", mtok, "looked at"))
            cell = Figure("s", "from a share of", share) if share else "no share pays"
            rows.append((volume, f"{SMALL_MODEL} {words}", cell, saved, pays))
    needed, assumed = _needed(bench)
    public = tuple(_public(index) for index in range(len(PUBLIC)))
    figures = [public[0], public[1], needed, assumed]
    for key, volume_mtok in (("odds_small", VOLUMES_MTOK[0]), ("odds_large", VOLUMES_MTOK[-1])):
        figures.append(replace(odds[BROKERED, volume_mtok], key=key))
    verdict, depends_on = _verdict(bench, figures)
    return Finding(
        verdict,
        depends_on,
        "no log of yours is audited; public sets: {public_0} and {public_1} of what a large model gets right",
        "Which of your calls a small model gets right is known only after an audit of your own: in two public sets it "
        "was {public_0} and {public_1} of what the large model got right.",
        (
            "With four calls in five moved to a broker, the split pays in {odds_small} futures at 60 M tokens and in "
            "{odds_large} at 50 B.",
            f"If instead all calls moved, {SMALL_MODEL} would have to be right in {{needed:range}} of them to cost as "
            "much per success as today ({assumed:range} is guessed for its class).",
        ),
        f"{SMALL_MODEL} for the share that moves, today's API for the rest, equally successful; "
        f"{bench.traffic}, at other "
        "volumes; break-even shares at typical values",
        tuple(figures),
        (
            Table(
                "From which share of the calls moving them pays",
                (
                    "Tokens a month",
                    "Moved to",
                    "Pays from a share of",
                    "With 80 % moved, against today",
                    "Odds that 80 % pays",
                ),
                tuple(rows),
            ),
        ),
    )


def breakeven_share(bench: Bench, situation: Situation, way: str, mtok: float) -> Node | None:
    """The smallest share, in steps of a thousandth, whose move costs less than nothing moved; typical values."""
    shares = np.arange(1, STEPS_COUNT + 1) / STEPS_COUNT
    kept = bench.typical_cost(TODAY, np.maximum(mtok * (1 - shares), SMALLEST_MTOK), situation).total
    moved = bench.typical_cost(way, mtok * shares, _small(situation)).total
    stays = bench.typical_cost(TODAY, np.asarray([mtok]), situation).total
    pays = np.broadcast_to(split_usd_per_month(kept.value, moved.value), shares.shape) < stays.value
    if not pays.any():
        return None
    return listed(
        "breakeven_share_fraction", shares[int(np.argmax(pays))], "smallest share that pays", stays, kept, moved
    )


def _at_guide_share(bench: Bench, situation: Situation, way: str, mtok: float) -> tuple[Figure, Figure]:
    """Saved with 80 % moved, and the share of the futures in which that is more than nothing."""
    share = GUIDE_SHARE_FRACTION
    kept = bench.cost(TODAY, mtok * (1 - share), situation).total
    moved = bench.cost(way, mtok * share, _small(situation)).total
    stays = bench.cost(TODAY, mtok, situation).total
    saved = traced(saved_fraction, traced(split_usd_per_month, kept, moved), stays)
    pays = odds_of(saved.value > 0, saved)
    return Figure("f", "saved at 80 %", saved), Figure("o", "odds that 80 % pays", pays)


def _small(situation: Situation) -> Situation:
    choices = replace(
        situation.choices, open_model=SMALL_MODEL, broker_offer=None, precision=None, gpus_per_replica_count=None
    )
    return replace(situation, choices=choices)


def _alike(bench: Bench) -> Situation:
    """Only calls that fit are moved, so every Option succeeds as often as today's API."""
    facts = {**bench.situation.catalog.assumptions, **bench.situation.scenario}
    same = replace(facts["frontier_success_fraction"], name="success_fraction")
    return bench.with_facts({"success_fraction": same})


def _needed(bench: Bench) -> tuple[Figure, Figure]:
    """Success rate from which moving everything to the small model pays, and what is guessed of its class."""
    option, mtok = bench.options[BROKERED], bench.volume_mtok
    from breakeven.decision.models import needed_success_fraction, success_cost

    situation = replace(_small(bench.situation), demand=bench.situation.demand)
    by_success = success_cost(situation, option, bench.draws)
    today = bench.options[TODAY].cost(bench.situation, Evaluation(bench.draws.of))
    value = by_success.needed_fraction(today.cost_per_success.value)
    node = Node(
        "needed_success_fraction",
        "fraction",
        value,
        Layer.DERIVED,
        (today.cost_per_success, bench.cost(BROKERED, mtok, situation).total),
        formula=needed_success_fraction.qualified_name,
        summary=needed_success_fraction.summary,
    )
    return Figure("needed", "success rate needed", node), Figure(
        "assumed", "success rate guessed", bench.fact("small_model_success_fraction")
    )


def _public(index: int) -> Figure:
    small, large, both, right, title = PUBLIC[index]
    source = Source(title, "public routing outcomes", READ, Grade.MEASURED)
    both_node, right_node = (
        replace(listed(name, value, f"{small} against {large}"), source=source)
        for name, value in (("both_right_requests", both), ("large_right_requests", right))
    )
    return Figure(
        f"public_{index}",
        f"{small} right where {large} is ({title})",
        traced(both_right_fraction, both_node, right_node),
    )


def _verdict(bench: Bench, figures: list[Figure]) -> tuple[Verdict, str]:
    """Nobody's public set speaks for your calls: only a share that you set decides."""
    if AUDITED_SHARE not in bench.situation.scenario:
        return "depends", "an audit of your own calls"
    audited = Figure("audited", "share that your scenario says may move", bench.fact(AUDITED_SHARE))
    figures.append(audited)
    if audited.range.p50 >= GUIDE_SHARE_FRACTION:
        return "holds", ""
    return ("does not hold", "") if audited.range.p90 < GUIDE_SHARE_FRACTION else ("depends", "the rest of your audit")


CLAIMS = (GuideClaim("most-calls-fit-a-7b", 8, "80 % of calls fit a 7B model.", "80 % of calls", small_share),)
