"""Volume wording: a log with days without a call in a row says what today's volume is the mean of."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from breakeven.reports import findings, wording
from breakeven.reports.document import DayPart, WorkloadPart
from breakeven.reports.stability_part import stability_part
from breakeven.reports.volume_wording import volume_details
from breakeven.workload.stability import stability
from reports.sample_document import sample_workload
from workload.planted_days import Floats, log_of


def workload_of(daily_tokens: Floats) -> WorkloadPart:
    """A log from 1 Jun 2026 on, a day's tokens each."""
    log = log_of(daily_tokens)
    total = int(daily_tokens.sum())
    return sample_workload(synthetic=False).model_copy(
        update={
            "stability": stability_part(stability(log, log.days[-1].day + timedelta(days=1))),
            "observed_hours": 24.0 * len(daily_tokens),
            "input_tokens": total,
            "output_tokens": 0,
            "tokens_per_month": total / len(daily_tokens) * 30,
            "days": tuple(
                DayPart(
                    day=each.day.isoformat(), requests_count=each.requests_count, input_tokens=each.input_tokens,
                    cache_read_tokens=0, output_tokens=0, spend_usd=0.0, unpriced_tokens=0, complete=each.complete,
                )
                for each in log.days
            ),
        }
    )  # fmt: skip


def test_a_log_that_fell_silent_says_so_with_its_volume_before() -> None:
    workload = workload_of(np.array([1e6] * 60 + [0.0] * 39 + [1e6]))
    [said] = volume_details(workload)
    assert said == (
        "The log fell silent: no call on the 39 days from 31 Jul 2026 on, and use has not come back. Nobody knows "
        "whether it will: what is called today's volume is the mean of the whole log, these days counted as empty "
        "(18.3 M tokens a month; the days before them make 30 M tokens)."
    )
    assert said in wording.data_details(workload)
    assert "LOG FELL SILENT" in [each.text for each in findings.workload_badges(workload)]


def test_an_outage_that_is_over_is_said_to_count_as_empty() -> None:
    [said] = volume_details(workload_of(np.array([1e6] * 40 + [0.0] * 10 + [1e6] * 50)))
    assert said == (
        "The log has outages of 10 days in all; today's volume counts them as empty: 27 M tokens a month, "
        "30 M tokens without them."
    )


def test_a_log_without_either_says_nothing_of_it() -> None:
    workload = workload_of(np.array([1e6] * 60))
    assert volume_details(workload) == []
    assert volume_details(workload.model_copy(update={"stability": None})) == []
    assert "LOG FELL SILENT" not in [each.text for each in findings.workload_badges(workload)]


def test_a_log_that_fell_silent_before_a_whole_day_was_seen_says_no_volume() -> None:
    workload = workload_of(np.array([1e6] * 60 + [0.0] * 39 + [1e6])).model_copy(update={"days": ()})
    assert "days before them" not in volume_details(workload)[0]


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (0.5, "extrapolated from 0.5 hours, times "),
        (
            72.0,
            "extrapolated from 72 hours (3 days), times 10; their growth is assumed, not seen. Days of the week",
        ),
        (504.0, "extrapolated from 504 hours (21 days), times 1.43; their growth is assumed, not seen."),
    ],
)
def test_a_log_of_less_than_a_month_says_of_how_much_a_month_is_made(hours: float, said: str) -> None:
    workload = workload_of(np.full(28, 1e6))
    tokens = 1_000_000 * 28
    short = workload.model_copy(
        update={"extrapolated_from_hours": hours, "input_tokens": tokens, "tokens_per_month": tokens * 720 / hours}
    )
    found = wording.data_details(short)[0]
    assert said in found
    assert ("Days of the week" in found) == (hours < 168)
