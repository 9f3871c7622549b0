"""Price watch: what moved, what explains it, and what else differs between two comparisons."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from breakeven.reports.document import Amount, AssumptionPart, Document, OptionPart
from breakeven.reports.price_watch import price_watch
from breakeven.reports.price_watch_causes import _formula_called, causes
from breakeven.reports.price_watch_part import PriceWatchPart
from breakeven.reports.price_watch_terminal import render_price_watch
from decision_documents import real_document, with_decision, without_decision
from reports.many_options import many_options_document
from reports.sample_document import sample_document

TWO = ("frontier_api", "brokered")
CHANGED = (("engineer_usd_per_year", "400000"), ("moe_model_success_fraction", "0.7"))


def times(amount: Amount, ratio: float) -> Amount:
    values = {name: getattr(amount, name) * ratio for name in ("p10", "p50", "p90", "mean")}
    return amount.model_copy(update=values)


def with_option(document: Document, name: str, **update: object) -> Document:
    options = tuple(each.model_copy(update=update) if each.name == name else each for each in document.options)
    return document.model_copy(update={"options": options})


def dearer(document: Document, name: str, ratio: float) -> Document:
    """`document` with the bill of one option times `ratio`."""
    option = next(each for each in document.options if each.name == name)
    return with_option(
        document,
        name,
        usd_per_month=times(option.usd_per_month, ratio),
        equal_success_usd_per_month=times(option.equal_success_usd_per_month, ratio),
    )


def text_of(watch: PriceWatchPart, width: int = 100) -> str:
    console = Console(file=StringIO(), width=width, highlight=False)
    render_price_watch(watch, console)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_a_document_has_not_moved_from_itself() -> None:
    document = with_decision(sample_document())
    watch = price_watch(document, document, 0.0)
    assert not watch.moved
    assert watch.differences == watch.appeared == watch.disappeared == watch.changes == watch.causes == ()
    assert watch.sentence.startswith("WITHIN THE BOUND")
    assert all(each.moved_fraction == 0 for each in watch.moves)


@pytest.mark.parametrize(("ratio", "bound", "moved"), [(1.12, 0.1, True), (0.88, 0.1, True), (1.08, 0.1, False),
                                                       (1.1, 0.1, False), (1.001, 0.0, True)])  # fmt: skip
def test_a_cost_beyond_the_bound_has_moved(ratio: float, bound: float, moved: bool) -> None:
    before = sample_document()
    watch = price_watch(before, dearer(before, "hybrid", ratio), bound)
    assert watch.moved is moved
    assert watch.moves[0].option == "hybrid"
    assert watch.moves[0].moved_fraction == pytest.approx(ratio - 1)
    assert [each.option for each in watch.moves if each.beyond] == (["hybrid"] if moved else [])


def test_a_worse_success_rate_moves_the_cost_of_equal_successes_alone() -> None:
    before = sample_document()
    option = before.options[0]
    after = with_option(before, option.name, equal_success_usd_per_month=times(option.equal_success_usd_per_month, 1.5))
    watch = price_watch(before, after, 0.1)
    assert watch.moved and watch.moves[0].moved_fraction == pytest.approx(0.5)
    assert watch.moves[0].before_usd_per_month == watch.moves[0].after_usd_per_month


def test_the_present_cost_counts_where_both_have_it() -> None:
    before = with_decision(sample_document())
    assert before.horizon is not None
    first = before.horizon.options[0]
    dear = first.model_copy(update={"typical_present_cost_usd": first.typical_present_cost_usd * 2})
    horizon = before.horizon.model_copy(update={"options": (dear, *before.horizon.options[1:])})
    after = before.model_copy(update={"horizon": horizon})
    assert price_watch(before, after, 0.1).moves[0].moved_fraction == pytest.approx(1.0)
    old = price_watch(without_decision(before), after, 0.1)
    assert not old.moved and old.moves[0].present_before_usd is None


def test_from_nothing_to_something_is_beyond_every_bound() -> None:
    after = sample_document()
    watch = price_watch(dearer(after, "hybrid", 0.0), after, 5.0)
    assert watch.moved and watch.moves[0].moved_fraction is None


def test_another_recommendation_has_moved() -> None:
    before = sample_document()
    verdict = before.verdict.model_copy(update={"recommended": "frontier_api", "rival": "brokered"})
    watch = price_watch(before, before.model_copy(update={"verdict": verdict}), 0.5)
    assert watch.moved
    assert (watch.recommended_before, watch.recommended_after) == ("brokered", "frontier_api")
    assert "the recommendation was Brokered open model and is now Frontier API" in watch.sentence


def test_the_decision_over_the_horizon_counts_only_where_both_have_one() -> None:
    before = with_decision(sample_document())
    assert before.answers is not None
    decision = before.answers.decision.model_copy(update={"recommended": "hybrid"})
    after = before.model_copy(update={"answers": before.answers.model_copy(update={"decision": decision})})
    assert price_watch(before, after, 0.5).recommended_after == "hybrid"
    assert price_watch(without_decision(before), after, 0.5).recommended_after == "brokered"


def test_options_that_came_or_went_are_named() -> None:
    many, few = many_options_document(), sample_document()
    watch = price_watch(many, few, 1.0)
    assert "owned_gpus" in watch.disappeared and not watch.appeared
    assert "Options only in the baseline: " in text_of(watch)


def test_what_differs_is_named() -> None:
    before = sample_document()
    footer = before.footer.model_copy(update={"calls_hash": "f" * 64, "scenario_hash": "e" * 64, "seed": 7})
    part = before.breakeven.model_copy(update={"volume_mtok_per_month": 4_200.0})
    watch = price_watch(before, before.model_copy(update={"footer": footer, "breakeven": part}))
    assert [each.split(":")[0].split(" was")[0] for each in watch.differences] == [
        "The logs differ", "The scenarios differ", "The seed is another", "The volume",
    ]  # fmt: skip
    assert "The volume was 2.1 B tokens a month, now 4.2 B tokens." in watch.differences


def price(typical: float, source: str, used_by: tuple[str, ...], read: str = "2026-11-20") -> AssumptionPart:
    base = sample_document().assumptions[0]
    return base.model_copy(
        update={
            "name": "output_usd_per_mtok", "unit": "usd/mtok", "layer": "offer", "used_by": used_by,
            "low": typical, "typical": typical, "high": typical,
            "source": base.source.model_copy(update={"title": source, "read": read}),
        }
    )  # fmt: skip


def test_a_price_change_has_its_date_and_source_and_the_version_of_a_source_is_no_change() -> None:
    base = sample_document()
    old = (price(10.0, "genai-prices 0.2.3: openai/gpt-5", ("frontier_api",)),
           price(0.5, "genai-prices 0.2.3: fireworks/gpt-oss", ("brokered",)))  # fmt: skip
    new = (price(0.5, "genai-prices 0.2.4: fireworks/gpt-oss", ("brokered",), "2026-12-01"),
           price(8.0, "genai-prices 0.2.4: openai/gpt-5", ("frontier_api",), "2026-12-02"))  # fmt: skip
    watch = price_watch(*(base.model_copy(update={"assumptions": each}) for each in (old, new)))
    (change,) = watch.changes
    assert change.before is not None and change.after is not None
    assert (change.kind, change.before.typical, change.after.typical) == ("price", 10.0, 8.0)
    line = "price: Output, $10.00/Mtok to $8.00/Mtok (genai-prices 0.2.4: openai/gpt-5, read 2 Dec 2026)"
    assert line in " ".join(text_of(watch, 200).split())


def test_two_prices_of_one_source_are_not_confused() -> None:
    """A batch API reads the full price and the half of it from one page."""
    base = sample_document()
    full, half = (price(each, "list", users) for each, users in ((10.0, ("frontier_api",)), (5.0, ("batch_api",))))
    one, other = (base.model_copy(update={"assumptions": each}) for each in ((full, half), (half, full)))
    assert price_watch(one, other).changes == ()
    gone = price_watch(one, base.model_copy(update={"assumptions": (full,)})).changes
    assert [(each.before and each.before.typical, each.after) for each in gone] == [(5.0, None)]


def test_the_causes_are_the_facts_that_were_changed_and_explain_the_move() -> None:
    """The real chain twice, two overrides apart, one of them handed on under another name in the trace."""
    before, after = real_document(TWO), real_document(TWO, CHANGED)
    found = causes(before, after, "brokered")
    assert {each.name for each in found.causes} == {name for name, _ in CHANGED}
    assert {each.after.value for each in found.causes} == {float(value) for _, value in CHANGED}
    bills = [next(o for o in each.options if o.name == "brokered").usd_per_month.p50 for each in (before, after)]
    explained = sum(each.effect_usd_per_month for each in found.causes)
    assert explained + found.rest_usd_per_month == pytest.approx(bills[1] - bills[0], rel=1e-9)
    assert explained > 0.9 * (bills[1] - bills[0]) > 0
    assert all(each.effect_usd_per_month > 0 for each in found.causes)
    watch = price_watch(before, after, 0.05)
    assert {each.name for each in watch.changes} == {name for name, _ in CHANGED}
    assert "The scenarios differ" in watch.differences[0]


def test_causes_run_the_same_formulas_as_the_comparison() -> None:
    """At its own medians the walk reproduces itself: nothing changed, nothing explained."""
    document = real_document(TWO)
    found = causes(document, document, "brokered")
    assert found.causes == () and found.rest_usd_per_month == 0.0


@pytest.mark.parametrize("name", ["", "os.system", "breakeven.nowhere.f_usd", "breakeven.units.unit_of",
                                  "breakeven.cli.main.main", "breakeven..x"])  # fmt: skip
def test_a_document_can_call_nothing_but_formulas(name: str) -> None:
    assert _formula_called(name) is None


def test_a_document_without_its_trace_explains_nothing() -> None:
    before = sample_document()
    after = dearer(before, "brokered", 1.3)
    watch = price_watch(before, after)
    assert watch.causes == ()
    assert watch.rest_usd_per_month == pytest.approx(watch.explained_move_usd_per_month)


def test_the_diff_fits_its_width() -> None:
    before = many_options_document()
    options: list[OptionPart] = [dearer(before, each.name, 1.2).options[i] for i, each in enumerate(before.options)]
    text = text_of(price_watch(before, before.model_copy(update={"options": tuple(options)})), 80)
    assert all(len(line) <= 80 for line in text.splitlines())
    assert text.count("BEYOND") == len(before.options)
    assert "Exit code: 0 within the bound, 2 moved." in " ".join(text.split())


def test_where_the_recommended_option_did_not_move_the_one_it_replaced_is_explained() -> None:
    before = sample_document()
    verdict = before.verdict.model_copy(update={"recommended": "frontier_api", "rival": "brokered"})
    after = dearer(before.model_copy(update={"verdict": verdict}), "brokered", 2.0)
    assert price_watch(before, after).explained == "brokered"
    assert price_watch(before, dearer(after, "frontier_api", 1.1)).explained == "frontier_api"
    gone = before.model_copy(update={"options": before.options[2:]})
    assert price_watch(before, gone.model_copy(update={"verdict": verdict})).explained == ""
