"""Which names are looked for, and when."""

from __future__ import annotations

from pathlib import Path

import pytest

from breakeven.errors import UsageError
from breakeven.usage import plan as plan_module
from breakeven.usage.plan import ImportSettings, Plan, plan_for
from breakeven.usage.reading.first_look import head_of
from breakeven.usage.reading.head import Head
from breakeven.usage.reading.log_file import open_log

from .logs import CSV_HEADER, imported, jsonl, row, write


def planned(path: Path, **settings: object) -> Plan:
    log = open_log(path, path.name)
    head = head_of(log)
    assert isinstance(head, Head)
    return plan_for(log, head, ImportSettings(**settings))  # type: ignore[arg-type]


def test_a_small_json_log_is_searched_for_every_name(tmp_path: Path) -> None:
    plan = planned(write(tmp_path, jsonl(row())))
    assert dict(plan.fields)["cache_read_tokens"][0] == "cache_read_tokens"
    assert len(plan.wanted) > 80


def test_a_table_is_searched_for_its_columns_only(tmp_path: Path) -> None:
    plan = planned(write(tmp_path, CSV_HEADER + "1,2,3,4\n", "log.csv"))
    assert plan.wanted == ("input_tokens", "output_tokens", "model", "timestamp")


def test_a_large_json_log_is_searched_for_what_samples_show_and_cached_tokens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_module, "SAMPLED_BYTES", 10)
    nested = {"usage": {"prompt_tokens": 1, "completion_tokens": 1}}
    plan = planned(write(tmp_path, jsonl(row(0, input_tokens=None, output_tokens=None, **nested))))
    assert set(dict(plan.fields)) == {
        "record_id",
        "start_time",
        "provider",
        "request_model",
        "prompt_tokens",
        "output_tokens",
        "cache_read_tokens",
        "exclusive_cache_read_tokens",
        "exclusive_cache_write_tokens",
        "exclusive_cache_write_1h_tokens",
        "reasoning_tokens",
    }
    assert all(path.startswith("usage.") for path in dict(plan.fields)["cache_read_tokens"])


def test_sampling_finds_the_same_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [row(number, usage={"x": 1}, **{"gen_ai.system": "openai"}) for number in range(500)]
    rows += [row(number, cached_tokens=9, status="error", task="late") for number in range(500, 520)]
    whole = imported(tmp_path, jsonl(*rows))
    monkeypatch.setattr(plan_module, "SAMPLED_BYTES", 10)
    sampled = imported(tmp_path, jsonl(*rows))
    assert sampled.digest == whole.digest
    assert sum(call["cache_read_tokens"] for call in sampled.calls) == 180


def test_the_key_of_settings_tells_readings_apart() -> None:
    keys = {
        ImportSettings().key("a"),
        ImportSettings().key("b"),
        ImportSettings(mapping={"task": "x"}).key("a"),
        ImportSettings(tokens_rule="exclusive").key("a"),
        ImportSettings(salt="s").key("a"),
    }
    assert len(keys) == 5


def test_missing_columns_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        planned(write(tmp_path, "timestamp,prompt_tokens\n1,2\n", "log.csv"), format="breakeven")
    assert "'timestamp', 'prompt_tokens'" in str(error.value)
    assert "output_tokens" in str(error.value)
    assert "--map" in str(error.value)
