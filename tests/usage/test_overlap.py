"""Which cells count is decided by what the sources say, never by their order."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.usage import overlap
from breakeven.usage.overlap import Cell, CellKey, canonical, family_of, settle
from breakeven.usage.overlap_report import SourceTotals, over_all_days
from breakeven.usage.report_cut import Cut

DAY = date(2026, 11, 2)
FORMATS = ("buckets", "batch_file", "gateway", "spans", "openai_usage", "otel_spans")


@pytest.fixture(autouse=True)
def formats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Formats whose names say what they are."""
    monkeypatch.setattr(overlap, "importers", lambda: dict.fromkeys(FORMATS))
    family_of.cache_clear()


def cell(
    source: str,
    model: str = "gpt-5",
    *,
    tokens: int = 1000,
    provider: str = "openai",
    hours: int = 24,
    day: date = DAY,
    is_batch: bool = False,
    is_separate: bool = False,
) -> Cell:
    """A cell; the source called 'buckets' has buckets."""
    key = CellKey(day, source, is_separate, provider, model, is_batch, source == "buckets")
    return Cell(key, hours, SourceTotals(10, tokens, 0, 0, 0, 0))


def left_out(*cells: Cell) -> set[tuple[str, str]]:
    """Source and model of the cells that do not count."""
    return {(each.source, each.model) for each in settle(cells).left_out}


@pytest.mark.parametrize(
    ("provider", "model", "meaning"),
    [
        ("openai", "gpt-5", ("openai", "gpt-5")),
        ("OpenAI", "gpt-5-2025-08-07", ("openai", "gpt-5")),
        ("", "openai/gpt-5-2025-08-07", ("openai", "gpt-5")),
        ("litellm", "gpt-5", ("openai", "gpt-5")),
        ("anthropic", "claude-sonnet-4-20250514", ("anthropic", "claude-sonnet-4-0")),
        ("acme", "Acme-7B", ("acme", "acme-7b")),
        ("", "", ("", "")),
        ("azure.ai.openai", "", ("azure", "")),
    ],
)
def test_names_mean_a_priced_model(provider: str, model: str, meaning: tuple[str, str]) -> None:
    assert canonical(provider, model) == meaning


def test_ones_own_server_goes_by_many_names() -> None:
    found = left_out(
        cell("gateway", "openai/Qwen/Qwen9-8B", provider="openai"),
        cell("buckets", "Qwen/Qwen9-8B", provider="vllm"),
        cell("buckets", "Qwen/Qwen9-9B", provider="vllm"),
    )
    assert found == {("buckets", "Qwen/Qwen9-8B")}


def test_producers_own_words_are_one_family() -> None:
    assert family_of("gateway") == "gateway"
    assert family_of("our mobile app") == family_of("another app") == "breakeven"
    assert left_out(cell("our mobile app"), cell("another app")) == set()


def test_calls_count_before_buckets_with_up_to_twice_the_tokens() -> None:
    calls, buckets = cell("gateway", "openai/gpt-5", provider="", tokens=1000), cell("buckets", tokens=2000)
    assert left_out(calls, buckets) == left_out(buckets, calls) == {("buckets", "gpt-5")}


@pytest.mark.parametrize("less", ["gateway", "batch_file"])
def test_a_few_calls_do_not_hide_a_day_of_buckets(less: str) -> None:
    few, all_of_them = cell(less, tokens=1000, is_batch=less == "batch_file"), cell("buckets", tokens=100_000)
    assert left_out(few, all_of_them) == left_out(all_of_them, few) == {(less, "gpt-5")}
    (told,) = settle([few, all_of_them]).overlaps
    assert (told.counted, told.left_out) == ("buckets", less)


def test_more_hours_with_a_hundredth_of_the_tokens_are_not_fuller() -> None:
    assert left_out(cell("gateway", tokens=10), cell("spans", tokens=1000, hours=20)) == {("gateway", "gpt-5")}


def test_one_bucket_without_a_model_does_not_hide_another_model() -> None:
    found = left_out(
        cell("gateway", tokens=10),
        cell("gateway", "gpt-4o", tokens=10**6),
        cell("buckets", tokens=3 * 10**6),
        cell("buckets", "", tokens=5),
    )
    assert found == {("gateway", "gpt-5"), ("buckets", "")}


def test_calls_without_tokens_do_not_beat_buckets() -> None:
    assert left_out(cell("gateway", tokens=0), cell("buckets")) == {("gateway", "gpt-5")}


def test_more_hours_then_more_tokens_then_the_name() -> None:
    assert left_out(cell("gateway", hours=8, tokens=99), cell("spans", hours=10)) == {("gateway", "gpt-5")}
    assert left_out(cell("gateway", tokens=95), cell("spans", tokens=98)) == {("gateway", "gpt-5")}
    assert left_out(cell("gateway"), cell("spans")) == {("spans", "gpt-5")}


def test_small_differences_do_not_make_sources_take_turns() -> None:
    days = [date(2026, 11, day) for day in range(1, 9)]
    found = [
        each
        for number, day in enumerate(days)
        for each in (
            cell("gateway", tokens=1000 + number % 3, hours=24, day=day),
            cell("spans", tokens=1001, hours=24 - number % 2, day=day),
        )
    ]
    assert {key.source for key in settle(found).left_out} == {"spans"}


def test_other_models_and_other_days_add_up() -> None:
    assert left_out(cell("gateway"), cell("buckets", "gpt-4o")) == set()
    assert left_out(cell("gateway"), cell("buckets", day=date(2026, 11, 3))) == set()
    assert left_out(cell("gateway"), cell("buckets", "claude-sonnet-4-0", provider="anthropic")) == set()


def test_declared_traffic_of_its_own_adds_up() -> None:
    assert left_out(cell("gateway"), cell("buckets", is_separate=True)) == set()


def test_a_bucket_without_a_model_may_be_any_of_its_provider() -> None:
    found = left_out(
        cell("gateway"), cell("gateway", "gpt-4o"), cell("gateway", "claude-x", provider="acme"), cell("buckets", "")
    )
    assert found == {("buckets", "")}


def test_batch_file_and_gateway_complete_each_other_and_both_beat_buckets() -> None:
    settled = settle([cell("batch_file", is_batch=True), cell("gateway"), cell("buckets", tokens=2100)])
    assert {each.source for each in settled.left_out} == {"buckets"}
    (told,) = settled.overlaps
    assert (told.counted, told.left_out, told.models) == ("batch_file + gateway", "buckets", ("gpt-5",))
    assert told.counted_totals.tokens == 2000


def test_the_library_in_a_span_is_not_who_served_it() -> None:
    bill = cell("gateway", "openai/gpt-5-2025-08-07", provider="openrouter")
    assert left_out(bill, cell("otel_spans", "openai/gpt-5")) == {("otel_spans", "openai/gpt-5")}
    assert left_out(bill, cell("otel_spans", "gpt-5")) == set()


@pytest.mark.parametrize("provider", ["az.ai.openai", "azure"])
def test_a_deployment_at_azure_may_be_any_model_and_the_one_that_names_it_counts(provider: str) -> None:
    named = cell("spans", "gpt-5", provider="azure.ai.openai")
    assert left_out(named, cell("gateway", "my-dep", provider=provider)) == {("gateway", "my-dep")}


def test_equal_counts_under_other_names_are_told_and_nothing_is_left_out() -> None:
    found = settle([cell("gateway", provider="azure", tokens=1001), cell("spans")])
    (told,) = found.overlaps
    assert not found.left_out
    assert (told.is_certain, told.models) == (False, ("azure gpt-5", "openai gpt-5"))


@pytest.mark.parametrize(
    "other",
    [
        cell("gateway", provider="azure", tokens=1100),
        cell("gateway", provider="azure", hours=12),
        cell("gateway", "gpt-4o"),
        cell("gateway", provider="azure", is_separate=True),
        cell("gateway", provider="azure", is_batch=True),
        cell("spans", provider="azure"),
    ],
)
def test_other_counts_hours_models_or_the_same_format_are_no_suspicion(other: Cell) -> None:
    assert settle([cell("spans"), other]).overlaps == ()


HOUR_S = 3600
NIGHT_S = 24 * HOUR_S


def exported(
    file: str,
    model: str = "gpt-5",
    *,
    hours: int = 1,
    named: tuple[str, ...] = (),
    tokens: int = 1000,
    starts_s: int = 0,
    ends_s: int = NIGHT_S,
    operation: str = "chat",
) -> Cell:
    """A day of an export of one account's usage, in buckets of `hours`."""
    key = CellKey(DAY, "openai_usage", False, "openai", model, False, True, file)
    cut = Cut(hours * HOUR_S, starts_s, ends_s, frozenset({*named, *(["model"] if model else [])}), operation)
    return Cell(key, 24, SourceTotals(10, tokens), cut)


def files_left_out(*cells: Cell) -> set[str]:
    """Files of which a cell does not count, in whatever order they come."""
    found = settle(cells).left_out
    assert settle(cells[::-1]).left_out == found
    return {each.file for each in found}


@pytest.mark.parametrize(
    ("coarse", "fine"),
    [
        (exported("coarse", hours=24), exported("fine")),
        (exported("coarse"), exported("fine", named=("project",))),
        (exported("coarse", ""), exported("fine", hours=24)),
    ],
)
def test_an_account_exported_in_two_cuts_counts_once_by_the_finer(coarse: Cell, fine: Cell) -> None:
    assert files_left_out(coarse, fine) == {"coarse"}


def test_a_finer_cut_that_is_not_complete_does_not_count() -> None:
    assert files_left_out(exported("day", hours=24), exported("half", tokens=500, ends_s=NIGHT_S // 2)) == {"half"}


def test_two_cuts_are_told() -> None:
    (told,) = settle([exported("a", hours=24), exported("b", named=("project",))]).overlaps
    assert told.counted == "openai_usage by hour, model and project"
    assert told.left_out == "openai_usage by day and model"


def test_what_two_exports_do_not_both_tell_adds_up() -> None:
    night, noon = NIGHT_S, NIGHT_S // 2
    assert files_left_out(exported("p1", named=("project",)), exported("p2", named=("project",))) == set()
    assert files_left_out(exported("a", hours=24), exported("b", "gpt-4o")) == set()
    pages = exported("page 1", ends_s=noon), exported("page 2", named=("project",), starts_s=noon, ends_s=night)
    assert files_left_out(*pages) == set()
    assert files_left_out(exported("a", ""), exported("b", operation="embeddings")) == set()
    assert files_left_out(exported("one", ""), exported("one", named=("project",))) == set()


def test_the_cut_is_that_of_the_whole_file() -> None:
    found = [exported("by key", "gpt-4o", named=("key",)), exported("by key"), exported("plain")]
    assert files_left_out(*found) == {"plain"}


DAY_S = 86_400
DAY_0_S = (DAY - date(1970, 1, 1)).days * DAY_S


def report(file: str, first_day: int, *, days: int = 1, tokens: int, model: str = "gpt-5", **keys: bool) -> Cell:
    """A bucket of so many days in a report that may be by day, week or month."""
    key = CellKey(DAY + timedelta(days=first_day), "ccusage", keys.get("separate", False), "", model, False, True, file)
    start = DAY_0_S + first_day * DAY_S
    return Cell(key, 24, SourceTotals(0, tokens), Cut(days * DAY_S, start, start + days * DAY_S, frozenset({"model"})))


@pytest.fixture
def long_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    """A format by the name that reports by week and month have."""
    monkeypatch.setattr(overlap, "importers", lambda: dict.fromkeys((*FORMATS, "ccusage")))
    family_of.cache_clear()


@pytest.mark.usefixtures("long_reports")
class TestReportsByMonth:
    """A bucket of a month beside buckets of its days."""

    DAYS = tuple(report("daily", day, tokens=100) for day in range(30))

    def test_the_days_count_and_the_month_is_left_out_and_said(self) -> None:
        month = report("monthly", 0, days=30, tokens=3000)
        assert files_left_out(*self.DAYS, month) == {"monthly"}
        (told,) = over_all_days(settle([*self.DAYS, month]).overlaps)
        assert (told.counted, told.left_out) == ("ccusage by day and model", "ccusage by month and model")
        assert (told.days_count, told.first_day, told.last_day) == (30, DAY, DAY + timedelta(days=29))
        assert told.tokens_agreement_fraction == 1.0

    def test_a_month_counts_where_the_days_lack_some(self) -> None:
        month = report("monthly", 0, days=30, tokens=3000)
        settled = settle([*self.DAYS[12:], month])
        assert {each.file for each in settled.left_out} == {"daily"}
        assert len(settled.left_out) == 18

    def test_other_months_other_models_and_declared_traffic_add_up(self) -> None:
        before = report("monthly", -30, days=30, tokens=3000)
        other = report("monthly", 0, days=30, tokens=3000, model="gpt-4o")
        apart = report("monthly", 0, days=30, tokens=3000, separate=True)
        assert files_left_out(*self.DAYS, before, other, apart) == set()

    def test_weeks_months_and_days_count_once(self) -> None:
        weeks = [report("weekly", first, days=7, tokens=700) for first in (0, 7, 14)]
        months = [report("monthly", 0, days=30, tokens=3000), report("monthly", 30, days=31, tokens=3100)]
        assert files_left_out(*self.DAYS, *weeks, *months) == {"weekly", "monthly"}
        kept = {each.key for each in (*self.DAYS, *weeks, *months)} - settle([*self.DAYS, *weeks, *months]).left_out
        assert sum(each.file == "monthly" for each in kept) == 1  # of the month without days


cells = st.builds(
    cell,
    st.sampled_from(FORMATS[:4]),
    st.sampled_from(["gpt-5", "gpt-4o", ""]),
    tokens=st.integers(0, 3),
    provider=st.sampled_from(["openai", ""]),
    hours=st.integers(1, 3),
    is_batch=st.booleans(),
    is_separate=st.booleans(),
)


@given(st.lists(cells, max_size=9, unique_by=lambda each: each.key), st.randoms(use_true_random=False))
def test_no_two_counted_cells_may_be_the_same_calls_and_each_loser_has_a_winner(found: list[Cell], random) -> None:  # type: ignore[no-untyped-def]
    settled = settle(found)
    kept = [each for each in found if each.key not in settled.left_out]
    assert not any(one.may_be(other) for one in kept for other in kept)
    for loser in (each for each in found if each.key in settled.left_out):
        assert any(loser.may_be(other) for other in kept)
    random.shuffle(found)
    assert settle(found) == settled
