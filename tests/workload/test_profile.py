"""The profile against brute force in plain Python, and what holds for any log."""

from __future__ import annotations

import io
from collections import defaultdict
from datetime import date, timedelta

import numpy as np
import pytest
from rich.console import Console

from breakeven.catalog.load import load_catalog
from breakeven.errors import UsageError
from breakeven.reports.amounts import date_text
from breakeven.reports.findings import data_finding
from breakeven.reports.terminal_workload import render_workload
from breakeven.reports.workload_part import workload_part
from breakeven.usage.call import Call
from breakeven.workload.profile import Workload, profile_workload

from .typed_calls import MONDAY, call, table

CATALOG = load_catalog(date(2026, 11, 23))

pytestmark = pytest.mark.usefixtures("each_engine")


def profile(calls: list[Call]) -> Workload:
    return profile_workload(table(calls), catalog=CATALOG)


def random_calls(seed: int, count: int, days: float, first: int = 0) -> list[Call]:
    rng = np.random.default_rng(seed)
    models = (("openai", "gpt-5"), ("anthropic", "claude-sonnet-4-5"), ("acme", "private-7b"))
    return [
        call(
            first + number,
            float(rng.uniform(0, days * 24)),
            provider=models[which][0],
            request_model=models[which][1],
            input_tokens=int(rng.integers(10, 8000)),
            output_tokens=int(rng.integers(1, 900)),
            status="error" if rng.random() < 0.02 else "ok",
        )
        for number, which in enumerate(rng.integers(0, 3, count))
    ]


@pytest.fixture(scope="module")
def three_weeks(each_engine: str) -> tuple[list[Call], Workload]:
    calls = random_calls(1, 1500, 21)
    return calls, profile(calls)


def test_totals_are_the_sums(three_weeks: tuple[list[Call], Workload]) -> None:
    calls, workload = three_weeks
    assert workload.requests_count == len(calls)
    assert workload.input_tokens == sum(each.input_tokens for each in calls)
    assert workload.output_tokens == sum(each.output_tokens for each in calls)
    assert workload.errors_count == sum(each.status == "error" for each in calls)
    assert sum(each.requests_count for each in workload.days) == len(calls)
    assert sum(each.spend_usd for each in workload.days) == pytest.approx(workload.spend_usd)
    assert sum(each.spend_usd or 0 for each in workload.models) == pytest.approx(workload.spend_usd)


def test_unpriced_tokens_are_listed(three_weeks: tuple[list[Call], Workload]) -> None:
    calls, workload = three_weeks
    mine = sum(each.input_tokens + each.output_tokens for each in calls if each.provider == "acme")
    (unpriced,) = workload.unpriced
    assert (unpriced.label, unpriced.spend_usd, unpriced.unpriced_tokens) == ("acme/private-7b", None, mine)
    assert workload.unpriced_tokens_fraction == pytest.approx(mine / workload.tokens)


def test_hours_of_the_week_against_brute_force(three_weeks: tuple[list[Call], Workload]) -> None:
    calls, workload = three_weeks
    tokens: dict[int, int] = defaultdict(int)
    for each in calls:
        tokens[each.start_time.weekday() * 24 + each.start_time.hour] += each.input_tokens + each.output_tokens
    assert [hour.hour_of_week for hour in workload.hours_of_week] == list(range(168))
    for hour in workload.hours_of_week:
        assert hour.observed_count in (3, 4)
        assert hour.mean_tokens == pytest.approx(tokens[hour.hour_of_week] / hour.observed_count)


def test_the_peak_is_an_exact_quantile_over_all_hours_empty_ones_too(three_weeks: tuple[list[Call], Workload]) -> None:
    calls, workload = three_weeks
    first = min(each.start_time for each in calls).replace(minute=0, second=0, microsecond=0)
    last = max(each.start_time for each in calls)
    hours = np.zeros(int((last - first) / timedelta(hours=1)) + 1)
    for each in calls:
        hours[int((each.start_time - first) / timedelta(hours=1))] += each.input_tokens + each.output_tokens
    busiest = next(rate for rate in np.sort(hours) if hours[hours <= rate].sum() >= 0.99 * hours.sum())
    assert workload.hourly_peak_to_mean_ratio == pytest.approx(busiest / hours.mean())
    assert str(hours.size) in workload.peak_basis


def test_a_weekly_batch_job_is_all_peak() -> None:
    calls = [call(week * 60 + n, week * 168 + n / 60) for week in range(6) for n in range(60)]
    workload = profile(calls)
    hours = sum(hour.observed_count for hour in workload.hours_of_week)
    assert workload.hourly_peak_to_mean_ratio == pytest.approx(hours / 6)


def test_length_quantiles_are_exact(three_weeks: tuple[list[Call], Workload]) -> None:
    calls, workload = three_weeks
    lengths = np.array([each.input_tokens for each in calls])
    for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        wanted = np.quantile(lengths, share, method="inverted_cdf")
        assert workload.input_tokens_quantiles[name] == wanted


def test_summaries_of_two_logs_add_up_to_the_summary_of_both() -> None:
    one, two = random_calls(2, 200, 9), random_calls(3, 300, 9, first=1000)
    a, b, both = profile(one), profile(two), profile([*one, *two])
    assert both.requests_count == a.requests_count + b.requests_count
    assert both.tokens == a.tokens + b.tokens
    assert both.spend_usd == pytest.approx(a.spend_usd + b.spend_usd)


def test_the_order_of_rows_does_not_matter() -> None:
    calls = random_calls(4, 100, 9)
    assert profile(calls) == profile(calls[::-1])


def test_an_hour_of_data_claims_little() -> None:
    workload = profile([call(n, n / 60) for n in range(60)])
    observation = workload.observation
    assert observation.observed_hours == pytest.approx(1.0)
    assert observation.extrapolated_from_hours == pytest.approx(1.0)
    assert observation.volume_ratio_name == "short_window_volume_ratio"
    assert workload.hourly_peak_to_mean_ratio is None
    assert workload.hours_of_week == ()
    assert any("growth" in each for each in observation.may_not_conclude())
    assert any("night and day" in each for each in observation.may_not_conclude())


def test_four_weeks_are_not_extrapolated() -> None:
    workload = profile([call(n, n) for n in range(28 * 24)])
    assert workload.observation.extrapolated_from_hours is None
    assert workload.observation.volume_ratio_name == "month_window_volume_ratio"
    assert workload.per_month_ratio == pytest.approx(730 / (28 * 24))


def test_days_without_calls_are_days() -> None:
    workload = profile([call(1, 0.5), call(2, 1.0), call(3, 24 * 4 + 23.5)])
    assert [day.requests_count for day in workload.days] == [2, 0, 0, 0, 1]
    assert [day.complete for day in workload.days] == [True] * 5


def test_partial_first_and_last_days_are_marked() -> None:
    workload = profile([call(n, 12 + n) for n in range(48)])
    assert [day.complete for day in workload.days] == [False, True, False]


def test_weights_count(three_weeks: tuple[list[Call], Workload]) -> None:
    workload = profile([call(1, 0, weight=10.0), call(2, 1)])
    assert (workload.requests_count, workload.input_tokens) == (11, 11_000)


def test_buckets_bring_their_own_count_and_end() -> None:
    hour = timedelta(hours=1)
    buckets = [
        call(n, n, grain="bucket", request_count=count, end_time=MONDAY + (n + 1) * hour)
        for n, count in enumerate((5, None, 7))
    ]
    workload = profile(buckets)
    assert workload.requests_count == 12
    assert workload.observation.observed_hours == 3.0
    assert workload.input_tokens_quantiles == {}


def test_no_calls_and_one_instant_are_explained() -> None:
    with pytest.raises(UsageError, match="there are no calls"):
        profile([])
    with pytest.raises(UsageError, match="that has no rate"):
        profile([call(1, 0), call(2, 0)])


def test_days_in_buckets_name_no_empty_model_and_no_day_after_the_last() -> None:
    """A day with tokens and no number of calls, an empty one, the second ending at midnight."""
    day = {"grain": "bucket", "request_count": None}
    calls = [
        call(1, 0, end_time=MONDAY + timedelta(days=1), **day),
        call(
            2,
            24,
            end_time=MONDAY + timedelta(days=2),
            **day | {"request_count": 0, "request_model": None},
            input_tokens=0,
            output_tokens=0,
        ),
    ]
    workload = profile_workload(table(calls), catalog=CATALOG)
    assert [each.model for each in workload.models] == ["gpt-5"]
    assert [each.complete for each in workload.days] == [True, True]
    part = workload_part(workload, "log", workload.days[-1].day)
    assert part.may_conclude[0] == "token counts and models of this window"
    assert data_finding(part).startswith("number of calls not known, ")
    console = Console(file=io.StringIO(), width=100)
    render_workload(part, console)
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert "requests not known" in said and "0 calls" not in said and "request lengths" not in said


@pytest.mark.parametrize("width", [40, 56, 72, 100])
def test_days_and_figures_stand_whole_at_any_width(three_weeks: tuple[list[Call], Workload], width: int) -> None:
    workload = three_weeks[1]
    part = workload_part(workload, "log", workload.days[-1].day)
    console = Console(file=io.StringIO(), width=width)
    render_workload(part, console)
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert "…" not in said
    assert all(date_text(each.day) in said for each in part.days[-14:])
    assert max(len(line) for line in said.splitlines()) <= width
    heat = [line for line in said.splitlines() if line.startswith("Mon ")]
    assert len(heat) == 1 and len(heat[0].rstrip()) > 20
