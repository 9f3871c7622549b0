"""Each model's days add up to the profile, and every price that was used is among its prices."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from breakeven.catalog.load import load_catalog
from breakeven.usage.store import CallStore
from breakeven.usage.synthetic import write_synthetic_log
from breakeven.workload.model_days import ModelDays, model_days
from breakeven.workload.profile import Workload, profile_workload

CATALOG = load_catalog(date(2026, 11, 26))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CallStore]:
    folder = tmp_path_factory.mktemp("days")
    write_synthetic_log(folder / "log.jsonl", calls_count=3_000)
    with CallStore(folder / "store") as made:
        made.ingest(folder / "log.jsonl", now=datetime(2026, 11, 26, tzinfo=UTC))
        yield made


@pytest.fixture(scope="module")
def workload(store: CallStore) -> Workload:
    return profile_workload(store.calls(), catalog=CATALOG)


@pytest.fixture(scope="module")
def found(store: CallStore, workload: Workload) -> tuple[ModelDays, ...]:
    return model_days(store.calls(), workload.days[0].day, len(workload.days), catalog=CATALOG)


def test_models_add_up_to_those_of_the_profile(found: tuple[ModelDays, ...], workload: Workload) -> None:
    told = {(each.provider, each.model): each for each in found}
    assert set(told) == {(each.provider, each.model) for each in workload.models}
    for use in workload.models:
        mine = told[use.provider, use.model]
        assert sum(mine.tokens) == pytest.approx(use.tokens, abs=len(mine.tokens))  # each day is rounded
        assert mine.requests_count == use.requests_count
        assert mine.unpriced_tokens == use.unpriced_tokens
        spend = [each for each in mine.spend_usd if each is not None]
        assert (sum(spend) if spend else None) == (
            None if use.spend_usd is None else pytest.approx(use.spend_usd, rel=1e-12)
        )
    assert sum(each.reasoning_tokens for each in found) == pytest.approx(workload.reasoning_tokens, abs=len(found))


def test_days_add_up_to_those_of_the_profile(found: tuple[ModelDays, ...], workload: Workload) -> None:
    for at, day in enumerate(workload.days):
        assert sum(each.tokens[at] for each in found) == pytest.approx(
            day.input_tokens + day.output_tokens, abs=len(found) + 1
        )
        assert sum(each.spend_usd[at] or 0.0 for each in found) == pytest.approx(day.spend_usd, rel=1e-12)


def test_what_is_unpriced_says_why_and_what_is_priced_says_by_which_price(found: tuple[ModelDays, ...]) -> None:
    for each in found:
        assert bool(each.reason) == bool(each.unpriced_tokens)
        assert bool(each.prices) == any(usd is not None for usd in each.spend_usd)
    unknown = next(each for each in found if each.provider == "acme")
    assert "acme" in unknown.reason


def test_no_calls_have_no_models(store: CallStore) -> None:
    calls = store.calls()
    assert model_days(calls.filter(calls.record_id == "none"), date(2026, 11, 1), 3, catalog=CATALOG) == ()
