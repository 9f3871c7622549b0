"""The whole chain on a real server: bench llama.cpp, calibrate on half of the concurrencies, predict the rest."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from statistics import median

import pytest

from bench import llama_server
from bench.rule_of_thumb import WIDE, RuleOfThumb
from breakeven.bench.document import BenchDocument, to_json
from breakeven.bench.endpoint import endpoint_at
from breakeven.bench.load import ClosedLoop, Lengths
from breakeven.bench.measurement import Order, measure
from breakeven.bench.results_file import read_points
from breakeven.reports.calibration_document import calibrate
from breakeven.serving.calibrate import DeploymentKey

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
KEY = DeploymentKey("tiny-random", "this machine's processor", 1, "fp32", "llama.cpp")
USERS = (1, 2, 4, 8)
FAR_OFF = RuleOfThumb(params_count=3.0e6, bandwidth_gb_per_s=0.5, gflops=2.5)
"""A machine that is many times slower than any: whatever this one does meanwhile, measuring must help."""


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BenchDocument]:
    pytest.importorskip("xllamacpp", reason="no llama.cpp server here: xllamacpp is not installed")
    pytest.importorskip("gguf", reason="no way to write a model: gguf is not installed")
    model = tmp_path_factory.mktemp("llama") / "tiny.gguf"
    llama_server.write_model(model)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with llama_server.llama_process(model, port) as url:
        order = Order(
            endpoint_at(url, llama_server.MODEL, "chat"),
            lambda _: [ClosedLoop(users, 3 * users) for users in USERS],
            Lengths(60, 16),
            warm_up_count=2,
            nonce=token_hex(16),
        )
        yield measure(order, NOW, lambda _: None)


def test_every_request_is_counted(measured: BenchDocument) -> None:
    for users, level in zip(USERS, measured.levels, strict=True):
        assert (level.succeeded_count, level.failed_count, level.unfinished_count) == (3 * users, 0, 0)
        assert level.output_tokens == 16
        assert level.asked_output_tokens == 16
        assert level.input_tokens == pytest.approx(60, abs=3)  # a word is five tokens
        assert level.whole_output_tok_per_s == pytest.approx(3 * users * 16 / level.duration_s)
        assert level.mean_in_flight_count <= users + 1e-9
        for spread in (level.ttft_ms, level.tpot_ms, level.end_to_end_ms):
            assert spread is not None
            assert 0 < spread.p50_ms <= spread.max_ms
        assert level.end_to_end_ms is not None
        assert level.end_to_end_ms.max_ms <= level.duration_s * 1e3


def test_the_server_is_known_as_it_is(measured: BenchDocument) -> None:
    assert measured.server == "llama.cpp"
    assert measured.counting.output_tokens == measured.counting.input_tokens == "server"
    assert measured.plan.ignore_eos
    assert measured.plan.tokens_per_word_ratio == pytest.approx(5, abs=0.2)


def test_half_of_the_concurrencies_predict_the_other_half(measured: BenchDocument, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(to_json(measured), encoding="utf-8")
    points = read_points(path)
    assert [each.concurrency_count for each in points] == list(USERS)
    known, new = points[::2], points[1::2]
    correction = calibrate(known, FAR_OFF, KEY, NOW.date(), WIDE).corrections[0]
    before, after = [], []
    for point in new:
        predicted = FAR_OFF(point.input_tokens, point.output_tokens, point.concurrency_count).output_tok_per_s
        assert predicted is not None
        before.append(abs(predicted / point.output_tok_per_s - 1))
        factor = correction.factor(point.concurrency_count)
        after.append(abs(predicted * factor / point.output_tok_per_s - 1))
    assert median(after) < median(before)
    assert correction.points_count == 2
