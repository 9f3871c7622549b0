"""Results of every known tool become the same measured points; anything else is refused in words."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from breakeven.bench.measured_point import MeasuredPoint
from breakeven.bench.results_file import all_readers, read_points
from breakeven.errors import BenchError

RESULTS = Path(__file__).parent / "results"


def points(name: str) -> tuple[MeasuredPoint, ...]:
    return read_points(RESULTS / name)


def figures(point: MeasuredPoint) -> tuple[float | None, ...]:
    """Input, output, concurrency, tok/s, TTFT, TPOT."""
    return (
        point.input_tokens,
        point.output_tokens,
        point.concurrency_count,
        point.output_tok_per_s,
        point.ttft_ms,
        point.tpot_ms,
    )


def test_vllm() -> None:
    (point,) = points("vllm_bench_serve.json")
    assert figures(point) == (1024, 128, 16, 1280, 92.5, 11.25)
    assert (point.requests_count, point.failures_count, point.measured_on) == (200, 0, date(2026, 3, 18))
    assert not point.is_open_loop
    assert point.labels["model"] == "meta-llama/Llama-3.1-8B-Instruct"


def test_vllm_appended_old_and_without_streaming() -> None:
    open_loop, unstreamed = points("vllm_append_result.jsonl")
    assert open_loop.is_open_loop
    assert (open_loop.rate_req_per_s, open_loop.failures_count) == (4.0, 10)  # 210 sent, 200 completed
    assert open_loop.concurrency_count == pytest.approx(4.0 * (92.5 + 11.25 * 127) / 1e3)  # Little's law
    assert (unstreamed.concurrency_count, unstreamed.ttft_ms) == (64, None)


def test_guidellm() -> None:
    one, closed, rate = points("guidellm_benchmarks.json")  # the fourth has no answer
    assert figures(one) == (512, 128, 1, 85, 40, 11.5)
    assert figures(closed) == (512, 128, 16, 1180, 95, 12.75)
    assert (rate.concurrency_count, rate.rate_req_per_s, rate.failures_count) == (9.25, 6.0, 4)
    assert [each.is_open_loop for each in (one, closed, rate)] == [False, False, True]
    assert closed.measured_on == date(2025, 11, 24)
    assert closed.labels == {"model": "Qwen/Qwen3-8B", "version": "0.6.0"}


def test_guidellm_before_0_4() -> None:
    (point,) = points("guidellm_0_3_benchmarks.json")
    assert figures(point) == (512, 128, 8, 640, 60, 11.8)
    assert (point.requests_count, point.failures_count) == (150, 1)
    assert point.measured_on == date(2025, 8, 12)
    assert point.labels["model"] == "Qwen/Qwen3-8B"


def test_guidellm_yaml(tmp_path: Path) -> None:
    import yaml

    report = json.loads((RESULTS / "guidellm_benchmarks.json").read_text(encoding="utf-8"))
    path = tmp_path / "benchmarks.yaml"
    path.write_text(yaml.safe_dump(report), encoding="utf-8")
    assert [figures(each) for each in read_points(path)] == [
        figures(each) for each in points("guidellm_benchmarks.json")
    ]


def test_aiperf() -> None:
    (point,) = points("profile_export_aiperf.json")
    assert figures(point) == (1000, 128, 16, 1024, 110, 14.5)
    assert (point.requests_count, point.failures_count, point.measured_on) == (240, 0, date(2026, 7, 3))
    assert point.labels == {"model": "openai/gpt-oss-20b", "version": "0.10.0"}
    assert not point.is_open_loop


def test_aiperf_open_loop_units_errors_and_cancellation() -> None:
    (point,) = points("profile_export_aiperf_poisson.json")
    assert point.is_open_loop
    assert point.rate_req_per_s == 8.0
    assert point.concurrency_count == pytest.approx(8.0 * 1.95)
    assert point.ttft_ms == pytest.approx(110)  # given in seconds
    assert point.failures_count == 5
    assert point.notes == ("the run was cancelled",)


def test_aiperf_before_phases() -> None:
    (point,) = points("profile_export_aiperf_old.json")
    assert (point.concurrency_count, point.failures_count) == (4, 7)
    assert point.labels["model"] == "openai/gpt-oss-20b"


def test_aiperf_csv_says_the_same() -> None:
    (point,) = points("profile_export_aiperf.csv")
    assert figures(point) == (1000, 128, pytest.approx(15.6), 1024, 110, 14.5)
    assert (point.requests_count, point.failures_count) == (240, 2)
    assert "says no load" in point.notes[0]


def test_each_reader_recognises_its_own_files_only() -> None:
    from breakeven.bench.results_file import _content

    for path in sorted(RESULTS.iterdir()):
        known = [reader.name for reader in all_readers() if reader.recognises(_content(path))]
        assert len(known) == (0 if path.suffix == ".md" else 1), path.name


def test_readers_do_not_know_each_other() -> None:
    import breakeven.bench.readers as room

    for path in Path(room.__path__[0]).glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert text.count("from breakeven.bench.readers.") == text.count("from breakeven.bench.readers.reader import")


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("vllm_bench_serve.json", {"output_throughput": float("nan")}, "output_throughput is nan"),
        ("vllm_bench_serve.json", {"output_throughput": -5.0}, "output_throughput is -5"),
        ("vllm_bench_serve.json", {"output_throughput": 0.0}, "output_tok_per_s is 0"),
        ("vllm_bench_serve.json", {"total_output_tokens": "many"}, "total_output_tokens is 'many'"),
        ("vllm_bench_serve.json", {"output_throughput": None}, "no 'output_throughput'"),
        ("vllm_bench_serve.json", {"completed": 0}, "without one request that succeeded"),
        ("guidellm_benchmarks.json", {"benchmarks": [{"metrics": {}}]}, "no 'metrics.request_latency"),
        ("profile_export_aiperf.json", {"time_to_first_token": {"unit": "fortnights", "avg": 1}}, "in 'fortnights'"),
        ("profile_export_aiperf.json", {"output_sequence_length": None}, "no 'output_sequence_length.avg'"),
    ],
)
def test_damaged(tmp_path: Path, name: str, change: dict[str, Any], said: str) -> None:
    document = json.loads((RESULTS / name).read_text(encoding="utf-8")) | change
    path = tmp_path / "damaged.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(BenchError, match=said):
        read_points(path)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"kind": "breakeven.bench", "schema_version": "2.0"}, "schema version 2.0; this breakeven reads 1.0"),
        ({"kind": "breakeven.bench", "schema_version": "1.0", "levels": [1]}, "breakeven_version: Field required"),
    ],
)
def test_damaged_results_of_our_own(tmp_path: Path, document: dict[str, Any], said: str) -> None:
    path = tmp_path / "ours.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(BenchError, match=said):
        read_points(path)


@pytest.mark.parametrize("text", ["", "hello", "{}", "[]", "[1, 2]", '{"benchmarks": []}', "{" * 50_000, "a,b\n1,2\n"])
def test_not_results(tmp_path: Path, text: str) -> None:
    path = tmp_path / "what.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BenchError, match="not the results of a tool known here"):
        read_points(path)


def test_unreadable(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="No such file"):
        read_points(tmp_path / "absent.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BenchError, match="not UTF-8"):
        read_points(tmp_path / "binary.json")
    (tmp_path / "bad.yaml").write_text("a: [", encoding="utf-8")
    with pytest.raises(BenchError, match="no YAML"):
        read_points(tmp_path / "bad.yaml")
