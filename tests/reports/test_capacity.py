"""Capacity answers: the verdict, the targets, what does not fit, and what the page says of it."""

from __future__ import annotations

import io
from datetime import date

import pytest
from rich.console import Console

from breakeven.catalog.load import load_catalog
from breakeven.errors import BreakevenError, UnknownName
from breakeven.facts.source import Grade, Source
from breakeven.reports.capacity_answer import CapacityQuestion, answer_capacity
from breakeven.reports.capacity_document import CapacityDocument, to_json
from breakeven.reports.capacity_terminal import render_capacity
from breakeven.serving.calibrate import DeploymentKey, fit_correction
from breakeven.serving.measured_facts import MeasuredFacts
from prior_model import prior_model

CATALOG = load_catalog(date(2026, 11, 25))
MODEL = prior_model()


def asked(**changes: object) -> CapacityDocument:
    given: dict[str, object] = {
        "model": "Llama-3.3-70B",
        "gpu": "H100",
        "gpus_count": 4,
        "precision": "fp8",
        "input_tokens": 1000.0,
        "output_tokens": 300.0,
    }
    return answer_capacity(CapacityQuestion(**{**given, **changes}), CATALOG, MODEL)  # type: ignore[arg-type]


def text_of(document: CapacityDocument, width: int = 100) -> str:
    out = io.StringIO()
    render_capacity(document, Console(file=out, width=width, highlight=False))
    return out.getvalue()


def test_a_question_without_a_load_gets_a_table() -> None:
    document = asked()
    loads = [point.concurrency_count for point in document.table]
    assert loads[:5] == [1, 4, 16, 64, 256]
    assert loads[-1] == min(document.memory.sequences_max_count, 1024)
    assert document.answer == document.table[-1]
    outputs = [point.output_tok_per_s for point in document.table]
    assert outputs == sorted(outputs)
    assert "up to" in document.verdict
    assert all(point.meets_targets is None for point in document.table)


def test_a_load_gets_its_own_answer() -> None:
    document = asked(concurrency_count=32.0)
    assert [point.concurrency_count for point in document.table] == [32]
    assert "with 32 requests in flight" in document.verdict
    point = document.answer
    assert point.low_output_tok_per_s < point.output_tok_per_s < point.high_output_tok_per_s
    assert point.gpu_output_tok_per_s == pytest.approx(point.output_tok_per_s / 4)
    assert point.requests_req_per_s == pytest.approx(point.output_tok_per_s / 300)
    assert point.tokens_per_joule_ratio == pytest.approx(point.output_tok_per_s / (4 * 700))


def test_the_largest_load_within_targets_is_the_largest() -> None:
    document = asked(ttft_ms=500.0, tpot_ms=25.0)
    load = document.answer.concurrency_count
    assert document.answer.meets_targets
    assert document.answer.ttft_ms <= 500
    beyond = asked(ttft_ms=500.0, tpot_ms=25.0, concurrency_count=load + 1)
    assert not beyond.answer.meets_targets
    assert "does NOT hold" in beyond.verdict
    assert "within TTFT 500 ms and TPOT 25 ms" in document.verdict


def test_targets_that_nothing_meets() -> None:
    document = asked(ttft_ms=0.1)
    assert "not even one request at a time meets TTFT 0.1 ms" in document.verdict
    assert document.answer.meets_targets is False


def test_a_target_that_holds_says_so() -> None:
    assert "the target of 900 ms holds" in asked(concurrency_count=4.0, ttft_ms=900.0).verdict


def test_replicas_are_added_up() -> None:
    one, two = asked(concurrency_count=16.0), asked(gpus_count=8, tensor_parallel_count=4, concurrency_count=32.0)
    assert two.deployment.replicas_count == 2
    assert two.answer.output_tok_per_s == pytest.approx(2 * one.answer.output_tok_per_s)
    assert two.answer.tpot_ms == pytest.approx(one.answer.tpot_ms)
    assert "from 2 replicas" in two.verdict


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gpus_count": 1, "precision": "bf16"}, r"does not fit: weights of 141\.1 GB .* 2 GPUs \(--gpus 2\) hold it"),
        ({"model": "DeepSeek-R1", "gpu": "L4"}, "Not even 16 GPUs hold it; take a larger GPU"),
        ({"gpus_count": 3}, "tensor parallelism of 3 does not divide the 64 heads of Llama-3.3-70B; take --tp 1"),
        (
            {"gpus_count": 8, "tensor_parallel_count": 3},
            r"replicas of 3 GPUs \(--tp\) do not divide 8 GPUs",
        ),
        ({"gpus_count": 0}, "wanted at least 1 of each"),
        ({"output_tokens": 0.0}, "0 output tokens; wanted at least 1"),
        ({"input_tokens": float("nan")}, "nan input tokens; wanted at least 1"),
        ({"concurrency_count": 0.0}, "a concurrency of 0; wanted at least 1 request in flight"),
        (
            {"gpus_count": 8, "tensor_parallel_count": 4, "concurrency_count": 1.0},
            "1 over 2 replicas; wanted at least one request",
        ),
        ({"concurrency_count": 1e12}, "wanted at most 100,000"),
        ({"input_tokens": 1e12}, r"requests of .* tokens; the context of Llama-3\.3-70B is 131,072"),
        ({"ttft_ms": 0.0}, "a target of 0 ms for TTFT; wanted more than 0"),
        ({"precision": "fp3"}, "precision 'fp3'; known: bf16"),
    ],
)
def test_what_cannot_be_served_is_told(changes: dict[str, object], message: str) -> None:
    with pytest.raises(BreakevenError, match=message):
        asked(**changes)


def test_an_unknown_name_comes_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="unknown GPU 'H10'; did you mean"):
        asked(gpu="H10")


def test_what_fits_is_what_the_error_promises() -> None:
    assert asked(gpus_count=2, precision="bf16").memory.sequences_max_count >= 1


def measured(factor: float, gpu: str = "H100-SXM-80") -> MeasuredFacts:
    key = DeploymentKey("Llama-3.3-70B", gpu, 4, "fp8", "vllm")
    loads = [4.0, 16.0, 64.0] * 4
    correction = fit_correction(
        loads, [factor] * 12, [1.0] * 12, key=key, measured_on=date(2026, 11, 20), source_title="bench"
    )
    return MeasuredFacts(
        key, Source("my bench", "bench.json", date(2026, 11, 20), Grade.MEASURED), {"output_tok_per_s": correction}
    )


def test_a_measurement_of_this_deployment_corrects_the_figure_and_is_named() -> None:
    plain, own = asked(concurrency_count=16.0), asked(concurrency_count=16.0, measured=measured(0.7))
    assert own.answer.output_tok_per_s == pytest.approx(0.7 * plain.answer.output_tok_per_s, rel=0.03)
    assert own.origin.measured_points_count == 12
    assert "measured on your endpoint: 12 points of my bench" in text_of(own)
    assert "breakeven bench" not in text_of(own)


def test_a_measurement_of_another_deployment_is_not_used_and_says_so() -> None:
    plain, own = asked(concurrency_count=16.0), asked(concurrency_count=16.0, measured=measured(0.7, "H200-SXM-141"))
    assert own.answer == plain.answer
    assert "it was not used" in text_of(own)


def test_the_page_has_every_part() -> None:
    text = text_of(asked(ttft_ms=500.0))
    for said in (
        "Memory",
        "Time",
        "By requests in flight",
        "How far to trust it",
        "targets",
        "missed",
        "tokens per joule",
    ):
        assert said in text
    assert "10.0 %, nine of ten within 30 % (bias +1.0 %)" in " ".join(text.split())
    assert "By requests in flight" not in text_of(asked(concurrency_count=8.0))


def test_remarks() -> None:
    assert "the others wait" in text_of(asked(concurrency_count=5000.0))
    assert "longer than the context of 131,072" in text_of(asked(input_tokens=200_000.0, concurrency_count=1.0))
    widened = text_of(asked(precision="fp4"))
    assert "widened to 16 bit" in widened
    assert "Taken for granted: precision bf16" in text_of(asked(precision=""))


def test_answers_of_one_token() -> None:
    document = asked(output_tokens=1.0, concurrency_count=4.0)
    assert document.answer.tpot_ms is None
    assert "TPOT" not in text_of(document)


@pytest.mark.parametrize("width", [80, 100, 140])
def test_no_line_is_longer_than_the_console(width: int) -> None:
    assert max(map(len, text_of(asked(ttft_ms=500.0, tpot_ms=30.0), width).splitlines())) <= width


def test_the_document_survives_json() -> None:
    document = asked(ttft_ms=500.0)
    assert CapacityDocument.model_validate_json(to_json(document)) == document
