"""The models document: what it says on every surface, its schema, and what no console may see."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest
from rich.console import Console

from breakeven.decision.models import rank_models
from breakeven.decision.scenario import Scenario
from breakeven.facts.draws import DrawSet
from breakeven.options.discover import discover_options
from breakeven.reports import amounts
from breakeven.reports.build import Inputs
from breakeven.reports.models_build import build_models_document
from breakeven.reports.models_document import ModelsDocument, WayPart, to_json
from breakeven.reports.models_terminal import render_models, way_words
from breakeven.reports.schema import json_schema
from costing import demand, pinned, situation
from reports.sample_document import HOSTILE, sample_document

TOO_LONG = {"Llama-2-7B": 0.635, "Llama-2-13B": 0.635, "Llama-2-70B": 0.635}


@cache
def document(*, measured: bool = False) -> ModelsDocument:
    facts = pinned({"open_model_success_fraction": 0.9} if measured else {})
    here = situation(demand(3_000), facts)
    ranking = rank_models(here, discover_options(), DrawSet(draws_log2=7), too_long=TOO_LONG)
    inputs = Inputs(here.catalog, Scenario(), "abc", 730.0)
    return build_models_document(ranking, sample_document().workload, inputs, next_command="breakeven compare")


@cache
def nothing_costed() -> ModelsDocument:
    here = situation(demand(3_000))
    models = {name: here.catalog.models[name] for name in ("Llama-2-7B",)}
    here = replace(here, catalog=replace(here.catalog, models=models))
    ranking = rank_models(here, discover_options(), DrawSet(draws_log2=6), ways=("brokered",))
    inputs = Inputs(here.catalog, Scenario(), "abc", 730.0)
    return build_models_document(ranking, sample_document().workload, inputs, next_command="breakeven compare")


def hostile() -> ModelsDocument:
    """Names of the log reach what today's models buy, the warnings and the next command."""
    plain, evil = document(), " ".join(HOSTILE)
    left_out = plain.left_out[0].model_copy(update={"name": evil, "reasons": (evil,)})
    return plain.model_copy(
        update={
            "today": plain.today.model_copy(update={"buys": evil}),
            "cheaper_tier": plain.today.model_copy(update={"buys": evil}),
            "left_out": (left_out,),
            "warnings": HOSTILE,
            "verdict": plain.verdict.model_copy(update={"next_command": evil}),
        }
    )


DOCUMENTS: dict[str, Callable[[], ModelsDocument]] = {
    "plain": document,
    "measured": lambda: document(measured=True),
    "nothing costed": nothing_costed,
    "hostile": hostile,
}


def text_of(shown: ModelsDocument, width: int, *, colour: bool = False) -> str:
    stream = io.StringIO()
    console = Console(
        file=stream, width=width, force_terminal=colour, color_system="truecolor" if colour else None,
        highlight=False, emoji=False, legacy_windows=False,
    )  # fmt: skip
    render_models(shown, console)
    return stream.getvalue()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_survives_writing_and_reading(name: str) -> None:
    shown = DOCUMENTS[name]()
    assert ModelsDocument.model_validate_json(to_json(shown)) == shown


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_fits_the_schema(name: str) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.validate(json.loads(to_json(DOCUMENTS[name]())), json_schema("models"))


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_no_line_is_longer_than_the_console(name: str, width: int) -> None:
    for line in text_of(DOCUMENTS[name](), width).splitlines():
        assert len(line) <= width


@pytest.mark.parametrize("width", [80, 120])
def test_every_model_stands_in_the_ranking_with_its_cost(width: int) -> None:
    shown = document()
    lines = text_of(shown, width).splitlines()
    for each in shown.models:
        cost = amounts.money(each.ways[0].usd_per_success.p50 * 1000)
        mark = "> " if each.name == shown.verdict.cheapest else ""
        row = [line for line in lines if line.lstrip().startswith(f"{mark}{each.rank}  {each.name}") and cost in line]
        assert row, f"{each.name} {cost}"


@pytest.mark.parametrize("width", [80, 120])
def test_it_says_aloud_that_success_is_guessed(width: int) -> None:
    text = text_of(document(), width)
    assert "[SUCCESS RATES ARE GUESSES BY CLASS]" in text
    assert text.count("A GUESS") == len({each.size_class for each in document().models})
    assert any(each.startswith("SUCCESS RATES ARE GUESSES") for each in document().verdict.details)


def test_a_rate_of_the_scenario_is_no_guess() -> None:
    text = text_of(document(measured=True), 100)
    assert "GUESS" not in text
    assert {each.success.grade for each in document(measured=True).models} != {"guess"}


def test_each_left_out_model_is_named_with_its_reason() -> None:
    text = " ".join(text_of(document(), 200).split())
    assert "Llama-2-70B, context too short: context of 4,096 tokens: 63.5 % of the calls are longer" in text
    nothing = " ".join(text_of(nothing_costed(), 200).split())
    assert "Llama-2-7B, UNPRICED: Brokered" in nothing
    assert "No open model could be costed" in nothing


def test_the_three_claims_are_answered() -> None:
    text = " ".join(text_of(document(), 120).split())
    for claim in document().claims:
        assert f'"{claim.claim}": {claim.verdict.upper()}.' in text
        assert claim.figure in text
    assert {each.name for each in document().claims} == {
        "small_gold_standard", "mid_beats_tier", "seventy_is_ten_sevens",
    }  # fmt: skip


def test_the_facts_behind_it_are_listed_with_their_readers() -> None:
    facts = {each.name: each for each in document().assumptions}
    small = facts["small_model_success_fraction"]
    assert small.source.grade == "guess"
    assert set(small.used_by) == {each.name for each in document().models if each.size_class == "small"}
    assert "today" in facts["frontier_success_fraction"].used_by
    assert document().footer.prices_age is not None


def test_hostile_names_reach_a_terminal_as_plain_text() -> None:
    text = text_of(hostile(), 100, colour=True)
    assert "\x1b[31mred" not in text
    assert "\x1b]0;" not in text
    assert "\x07" not in text
    assert "\u202e" not in text
    assert "\x1b" not in text_of(hostile(), 100)


def test_a_way_in_a_few_words() -> None:
    def way(**changes: object) -> WayPart:
        return document().models[0].ways[0].model_copy(update={"gpu": None, "gpus_count": None, **changes})

    cheapest = way(buys="M at acme, the cheapest of 12 offers for this mix")
    ended = way(buys="M at acme, the cheapest of 2 offers for this mix (said to have ended on 2026-11-07)")
    assert way_words(cheapest, "M") == "at acme"
    assert way_words(ended, "M") == "at acme (said to have ended on 2026-11-07)"
    assert way_words(way(buys="M at acme"), "M") == "at acme"
