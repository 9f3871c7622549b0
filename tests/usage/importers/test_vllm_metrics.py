"""vLLM metrics: growth of counters between scrapes, restarts, several engines, several files, Prometheus' API."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from breakeven.usage.store import CallStore

from ..logs import NOW, Imported, imported, imported_paths, stored_calls

FIXTURES = Path(__file__).parent / "fixtures" / "vllm_metrics"
FIRST = datetime(2026, 11, 2, 10, tzinfo=UTC)


def scrape(prompt: float, output: float, at: str = "", suffix: str = "", labels: str = 'model_name="m"') -> str:
    return (
        f"{f'# scraped_at {at}' + chr(10) if at else ''}# TYPE vllm:prompt_tokens_total counter\n"
        f"vllm:prompt_tokens_total{{{labels}}} {prompt}{suffix}\n"
        f"vllm:generation_tokens_total{{{labels}}} {output}{suffix}\n"
    )


def tokens(found: Imported) -> list[tuple[int, int]]:
    return [(each["input_tokens"], each["output_tokens"]) for each in found.calls]


def test_the_fixture_to_the_token() -> None:
    found = imported_paths(FIXTURES / "scrape-1000.prom", FIXTURES / "scrape-1100.prom")
    by_count = {each["request_count"]: each for each in found.calls}
    grown = by_count[300]
    assert (grown["input_tokens"], grown["cache_read_tokens"], grown["output_tokens"]) == (300_000, 120_000, 60_000)
    assert (grown["grain"], grown["start_time"], grown["end_time"].hour) == ("bucket", FIRST, 11)
    assert (grown["provider"], grown["request_model"], grown["usage_estimated"]) == ("vllm", "Qwen/Qwen3-8B", False)
    idle = by_count[0]
    assert (idle["input_tokens"], idle["output_tokens"]) == (0, 0)
    restarted = by_count[30]
    assert (restarted["input_tokens"], restarted["output_tokens"], restarted["usage_estimated"]) == (
        40_000,
        9_000,
        True,
    )
    other = by_count[10]
    assert (other["input_tokens"], other["cache_read_tokens"], other["output_tokens"]) == (2_000, 500, 300)
    assert found.report.rejects == {"the first scrape of an engine: a starting point for the next one": 2}


def test_scrapes_in_one_file_or_in_many_are_the_same_calls(tmp_path: Path) -> None:
    times = [f"2026-11-02T{hour:02d}:00:00Z" for hour in range(5)]
    texts = [scrape(100 * n * n, 10 * n, at) for n, at in enumerate(times)]
    one = imported(tmp_path, "".join(texts), "all.prom")
    folder = tmp_path / "many"
    folder.mkdir()
    for number, text in enumerate(reversed(texts)):
        (folder / f"{number}.prom").write_text(text)
    many = imported_paths(folder)
    assert tokens(one) == [(100, 10), (300, 10), (500, 10), (700, 10)] == tokens(many)
    ids = [[each["record_id"] for each in found.calls] for found in (one, many)]
    assert ids[0] == ids[1]
    for each in many.report.files:
        assert each.rows_in == each.calls + each.duplicates + each.rejects_count == 1


def test_a_new_scrape_continues_from_those_that_were_imported_before(tmp_path: Path) -> None:
    folder = tmp_path / "scrapes"
    folder.mkdir()
    (folder / "0.prom").write_text(scrape(10, 1, "2026-11-02T00:00:00Z"))
    with CallStore(tmp_path / "store") as store:
        assert store.ingest(folder, now=NOW).calls == 0
        (folder / "1.prom").write_text(scrape(25, 3, "2026-11-02T01:00:00Z"))
        again = store.ingest(folder, now=NOW)
        assert [each.status for each in again.files] == ["already imported", "imported"]
        (call,) = stored_calls(store)
        assert (call["input_tokens"], call["output_tokens"]) == (15, 2)


def test_a_scrape_that_comes_twice_is_one_bucket(tmp_path: Path) -> None:
    first, second = scrape(0, 0, "2026-11-02T00:00:00Z"), scrape(5, 5, "2026-11-02T01:00:00Z")
    (tmp_path / "a.prom").write_text(first + second)
    (tmp_path / "b.prom").write_text(second + first)
    found = imported_paths(tmp_path / "a.prom", tmp_path / "b.prom")
    assert (tokens(found), found.report.duplicates) == ([(5, 5)], 1)


def test_timestamps_on_samples_are_the_time(tmp_path: Path) -> None:
    text = scrape(1, 1, suffix=" 1793613600000") + scrape(4, 3, suffix=" 1793617200000")
    call = imported(tmp_path, text, "x.prom").only
    assert (call["start_time"].isoformat(), call["duration_s"]) == ("2026-11-02T10:00:00+00:00", 3600.0)
    assert (call["input_tokens"], call["output_tokens"], call["tz_assumed"]) == (3, 2, False)


def test_without_any_time_the_files_own_is_taken_and_said(tmp_path: Path) -> None:
    for number, name in enumerate(("a.prom", "b.prom")):
        (tmp_path / name).write_text(scrape(10 * number, number))
        os.utime(tmp_path / name, (1793613600 + 60 * number, 1793613600 + 60 * number))
    call = imported_paths(tmp_path / "a.prom", tmp_path / "b.prom").only
    assert (call["duration_s"], call["tz_assumed"], call["input_tokens"]) == (60.0, True, 10)
    several = imported(tmp_path, scrape(1, 1) + scrape(2, 2), "c.prom")
    assert [*several.report.rejects] == [
        "a scrape without a time; write '# scraped_at 2026-11-02T10:00:00Z' above each"
    ]


def test_a_restart_between_scrapes_begins_with_the_process(tmp_path: Path) -> None:
    """Its start tells a restart even where the counters have passed what they stood at before."""

    def started(at: int) -> str:
        return f"# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds {at}\n"

    before, after = 1793613600, 1793617200
    text = f"# scraped_at {before}\n" + started(before - 999) + scrape(100, 10)
    text += f"# scraped_at {after}\n" + started(after - 600) + scrape(130, 11)
    call = imported(tmp_path, text, "x.prom").only
    assert (call["input_tokens"], call["output_tokens"], call["usage_estimated"]) == (130, 11, True)
    assert (call["duration_s"], call["request_count"]) == (600.0, None)


def answer(series: list[dict[str, Any]]) -> str:
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": series}})


def series(name: str, values: list[Any], **labels: str) -> dict[str, Any]:
    return {"metric": {"__name__": name, **labels}, "values": [[1793613600 + 60 * i, v] for i, v in enumerate(values)]}


@pytest.mark.parametrize("indent", [False, True])
def test_an_answer_of_query_range(tmp_path: Path, indent: bool) -> None:
    pod = {"instance": "10.0.0.1:8000", "model_name": "m", "job": "vllm"}
    parts = [
        series("vllm:prompt_tokens_total", ["10", "30", "5"], **pod),
        series("vllm:generation_tokens_total", ["1", "4", "2"], **pod),
        series("vllm:request_success_total", ["1", "2", "1"], finished_reason="stop", **pod),
        series("vllm:request_success_total", ["0", "1", "0"], finished_reason="length", **pod),
        series("up", ["1", "1", "1"]),
    ]
    text = answer(parts)
    text = json.dumps(json.loads(text), indent=2) if indent else text
    found = imported(tmp_path, text, "x.json")
    assert tokens(found) == [(20, 3), (5, 2)]
    assert [each["request_count"] for each in found.calls] == [2, 1]
    assert {each["application"] for each in found.calls} == {"vllm"}


def test_a_rate_is_no_counter(tmp_path: Path) -> None:
    found = imported(tmp_path, answer([{"metric": {"model_name": "m"}, "values": [[1793613600, "1"]]}]), "x.json")
    assert "not its rate()" in next(iter(found.report.rejects))


def test_labels_with_escapes_and_odd_samples(tmp_path: Path) -> None:
    labels = r'model_name="a \"quoted\\ name, with {braces} and commas"'
    text = "".join(scrape(n, n, f"2026-11-02T0{n}:00:00Z", labels=labels) for n in range(10))
    odd = 'vllm:prompt_tokens_total{model_name="b"} NaN\nvllm:generation_tokens_total{broken 5\n'
    found = imported(tmp_path, text + odd, "x.prom")
    assert {each["request_model"] for each in found.calls} == {'a "quoted\\ name, with {braces} and commas'}
    assert found.report.rejects == {
        "not a sample of a metric": 1,
        "not what a counter can stand at": 1,
        "the first scrape of an engine: a starting point for the next one": 1,
    }


def test_growth_adds_up_to_what_the_engine_did(tmp_path: Path) -> None:
    """Over many scrapes with restarts: all but what a restart hid by catching up before the next scrape."""
    import random

    dice = random.Random(6)
    stood, done, hidden, falls, text = 0, 0, 0, 0, ""
    for minute in range(60):
        grown = dice.randrange(1, 1000)
        if minute and dice.random() < 0.3:
            falls += grown < stood
            hidden += stood if grown >= stood else 0
            stood = 0
        stood += grown
        done += grown if minute else 0
        text += scrape(stood, stood, f"2026-11-02T10:{minute:02d}:00Z")
    found = imported(tmp_path, text, "x.prom")
    assert sum(each["input_tokens"] for each in found.calls) == done - hidden
    assert sum(each["usage_estimated"] for each in found.calls) == falls > 5
