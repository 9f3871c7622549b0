"""From the bytes of a log to the profile: real traces, and bills known to the digit."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from breakeven.catalog.contract import ContractPrice
from breakeven.catalog.load import load_catalog
from breakeven.usage.store import CallStore
from breakeven.workload.profile import Workload, profile_workload

CATALOG = load_catalog(date(2026, 11, 23))
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
OPENAI = {
    "model": "m",
    "provider": "openai",
    "usage": {
        "prompt_tokens": 9126,
        "completion_tokens": 3197,
        "prompt_tokens_details": {"cached_tokens": 4864},
    },
}
ANTHROPIC = {
    "model": "big",
    "provider": "anthropic",
    "usage": {
        "input_tokens": 450,
        "output_tokens": 36_100,
        "cache_read_input_tokens": 14_000_000,
        "cache_creation_input_tokens": 293_700,
    },
}
ANTHROPIC_SMALL = {
    "model": "small",
    "provider": "anthropic",
    "usage": {"input_tokens": 105_400, "output_tokens": 3_600},
}
PRICES = (
    ContractPrice("m", 1.25, 10.0, "openai", cache_read_usd_per_mtok=0.125),
    ContractPrice("big", 3.0, 15.0, "anthropic", cache_read_usd_per_mtok=0.30, cache_write_usd_per_mtok=3.75),
    ContractPrice("small", 0.8, 4.0, "anthropic"),
)


def profiled(path: Path) -> Workload:
    with CallStore.temporary() as store:
        store.ingest(path, now=NOW)
        return profile_workload(store.calls(), catalog=CATALOG, contract=PRICES)


def test_worked_example_16_from_the_log_to_the_bill(tmp_path: Path) -> None:
    for rows, bill_usd in (([OPENAI], 0.0379055), ([ANTHROPIC, ANTHROPIC_SMALL], 5.942945)):
        # a second, free-of-charge call makes it a stretch of time
        lines = [{"timestamp": f"2026-11-02T10:0{n}:00Z", **row} for n, row in enumerate(rows)]
        lines.append({"timestamp": "2026-11-02T10:30:00Z", "model": "m", "provider": "openai", "status": "error"})
        path = tmp_path / "log.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        assert profiled(path).spend_usd == pytest.approx(bill_usd, abs=1e-12)


def test_an_hour_of_azure(shared_data: Path) -> None:
    workload = profiled(shared_data / "traces" / "azure_llm_2023_code.csv")
    lengths = np.loadtxt(shared_data / "traces" / "azure_llm_2023_code.csv", delimiter=",", skiprows=1, usecols=(1, 2))
    assert workload.observation.observed_hours == pytest.approx(1.0, abs=0.1)
    assert workload.observation.extrapolated_from_hours == workload.observation.observed_hours
    assert (workload.requests_count, workload.input_tokens) == (len(lengths), int(lengths[:, 0].sum()))
    assert workload.unnamed_tokens == int(lengths.sum())
    assert workload.spend_usd == 0.0
    for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        assert workload.input_tokens_quantiles[name] == np.quantile(lengths[:, 0], share, method="inverted_cdf")
    assert any("growth" in each for each in workload.observation.may_not_conclude())


def test_an_hour_of_mooncake(shared_data: Path) -> None:
    workload = profiled(shared_data / "traces" / "mooncake_conversation.jsonl")
    assert workload.observation.observed_hours == pytest.approx(1.0, abs=0.1)
    assert workload.requests_count == 12_031
