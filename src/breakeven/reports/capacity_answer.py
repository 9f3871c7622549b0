"""Capacity answer: the deployment somebody asks about, predicted at a load, over loads, or up to a latency target."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from breakeven.catalog.load import Catalog
from breakeven.catalog.model import ModelSpec
from breakeven.catalog.names import find_gpu, find_model
from breakeven.errors import ServingError
from breakeven.reports.capacity_document import (
    CapacityDocument,
    DeploymentPart,
    ErrorPart,
    MemoryPart,
    OriginPart,
    PointPart,
    TargetPart,
)
from breakeven.serving.calibrate import Correction
from breakeven.serving.measured_facts import MeasuredFacts
from breakeven.serving.prediction.capacity import FitStatus, Prediction, deployment_key, largest_concurrency, predict
from breakeven.serving.prediction.deployment import UNSAID_VERSION, Deployment, Point
from breakeven.serving.prediction.fitted_model import FittedModel, shipped_model
from breakeven.serving.prediction.points import CONCURRENCY_MAX_COUNT, engine_of, length_problem, precision_of
from breakeven.serving.prediction.points_predicted import does_not_fit
from breakeven.serving.prediction.timings import SEQUENCES_MAX_COUNT

_REPLICA_SIZES: Final = (1, 2, 4, 8, 16)


@dataclass(frozen=True, slots=True)
class CapacityQuestion:
    """What somebody asks, in their own words."""

    model: str
    gpu: str
    input_tokens: float
    output_tokens: float
    gpus_count: int = 1
    """All GPUs."""
    tensor_parallel_count: int | None = None
    """GPUs of one replica; None: all of them."""
    precision: str = ""
    """Empty: as the model is published."""
    engine: str = "vllm"
    engine_version: str = ""
    concurrency_count: float | None = None
    """Requests in flight over all replicas."""
    ttft_ms: float | None = None
    tpot_ms: float | None = None
    measured: MeasuredFacts | None = None
    table_step_count: int = 4
    """Each concurrency of the table is that many times the one before."""

    @property
    def has_targets(self) -> bool:
        """Whether a latency is asked for."""
        return self.ttft_ms is not None or self.tpot_ms is not None

    @property
    def corrections(self) -> tuple[Correction, ...]:
        """The user's own."""
        return tuple(self.measured.corrections.values()) if self.measured else ()


def answer_capacity(
    question: CapacityQuestion, catalog: Catalog, fitted: FittedModel | None = None
) -> CapacityDocument:
    """The answer; raises UnknownName or ServingError for what cannot be served, saying what could."""
    model = fitted or shipped_model()
    _check(question)
    deployment, assumed = _deployment(question, catalog)
    asking = _Asking(question, deployment, question.gpus_count // deployment.gpus_count, model)
    if question.concurrency_count is not None and question.concurrency_count < asking.replicas_count:
        raise ServingError(
            f"a concurrency of {question.concurrency_count:g} over {asking.replicas_count} replicas; wanted at least"
            " one request for each"
        )
    single = asking.at(1.0 * asking.replicas_count)
    if single.status is FitStatus.DOES_NOT_FIT:
        raise ServingError(_would_fit(single, question, model))
    table = _table(asking, single)
    answer, verdict = _verdict(asking, table, single)
    return CapacityDocument(
        verdict=verdict,
        deployment=_deployment_part(asking),
        input_tokens=question.input_tokens,
        output_tokens=question.output_tokens,
        targets=TargetPart(ttft_ms=question.ttft_ms, tpot_ms=question.tpot_ms) if question.has_targets else None,
        answer=_point(answer, asking),
        table=[_point(each, asking) for each in table],
        memory=_memory(single),
        error=_error(answer),
        origin=_origin(model, answer, question.measured),
        remarks=[*assumed, *_remarks(asking, answer)],
    )


@dataclass(frozen=True, slots=True)
class _Asking:
    question: CapacityQuestion
    deployment: Deployment
    replicas_count: int
    model: FittedModel

    def at(self, *concurrencies: float) -> Prediction:
        return self.all_at(concurrencies)[0]

    def all_at(self, concurrencies: Sequence[float]) -> list[Prediction]:
        lengths = (self.question.input_tokens, self.question.output_tokens)
        points = [Point(self.deployment, *lengths, each, self.replicas_count) for each in concurrencies]
        return predict(points, model=self.model, measured=self.question.corrections)


def _check(question: CapacityQuestion) -> None:
    if question.concurrency_count is not None and question.concurrency_count < 1:
        raise ServingError(f"a concurrency of {question.concurrency_count:g}; wanted at least 1 request in flight")
    if (question.concurrency_count or 0) > CONCURRENCY_MAX_COUNT:
        raise ServingError(f"a concurrency of {question.concurrency_count:g}; wanted at most {CONCURRENCY_MAX_COUNT:,}")
    if question.tensor_parallel_count is not None and question.tensor_parallel_count < 1:
        raise ServingError(f"replicas of {question.tensor_parallel_count} GPUs (--tp); wanted at least 1")
    for name in ("ttft_ms", "tpot_ms"):
        value = getattr(question, name)
        if value is not None and not 0 < value < math.inf:
            raise ServingError(f"a target of {value:g} ms for {name.removesuffix('_ms').upper()}; wanted more than 0")


def _deployment(question: CapacityQuestion, catalog: Catalog) -> tuple[Deployment, list[str]]:
    model, gpu = find_model(catalog, question.model), find_gpu(catalog, question.gpu)
    if too_long := length_problem(model, question.input_tokens, question.output_tokens):
        raise ServingError(too_long)
    try:
        precision, is_widened, assumed = precision_of(question.precision, question.model, model)
    except ValueError as error:
        raise ServingError(str(error)) from None
    per_replica = question.tensor_parallel_count or question.gpus_count
    if question.gpus_count < 1 or per_replica < 1:
        raise ServingError(f"{question.gpus_count} GPUs in replicas of {per_replica}; wanted at least 1 of each")
    if question.gpus_count % per_replica:
        raise ServingError(
            f"replicas of {per_replica} GPUs (--tp) do not divide {question.gpus_count} GPUs; take"
            f" {_divisors(question.gpus_count)}"
        )
    if model.heads_count % per_replica:
        raise ServingError(
            f"tensor parallelism of {per_replica} does not divide the {model.heads_count} heads of {model.name}; take"
            f" --tp {_splits(model, question.gpus_count)}"
        )
    engine, version = engine_of(question.engine, question.engine_version)
    version = version or UNSAID_VERSION
    deployment = Deployment(model, gpu, per_replica, precision, engine, version, computes_in_16_bit=is_widened)
    return deployment, [f"Taken for granted: {assumed}."] if assumed else []


def _would_fit(single: Prediction, question: CapacityQuestion, fitted: FittedModel) -> str:
    """Why it does not fit, and what would."""
    deployment = single.point.deployment
    model, gpu = deployment.model, deployment.gpu
    said = f"{model.name} in {deployment.precision} does not fit: {does_not_fit(single)}."
    larger = [n for n in _REPLICA_SIZES if n > deployment.gpus_count and model.heads_count % n == 0]
    candidates = [
        Deployment(
            model, gpu, n, deployment.precision, deployment.engine, computes_in_16_bit=deployment.computes_in_16_bit
        )
        for n in larger
    ]
    points = [Point(each, question.input_tokens, question.output_tokens, 1.0) for each in candidates]
    fits = [each for each in predict(points, model=fitted) if each.status is FitStatus.OK]
    if not fits:
        return f"{said} Not even {larger[-1] if larger else deployment.gpus_count} GPUs hold it; take a larger GPU."
    best = fits[0]
    count = best.point.deployment.gpus_count
    return f"{said} {count} GPUs (--gpus {count}) hold it, with room for {best.sequences_count:,.0f} such requests."


def _table(asking: _Asking, single: Prediction) -> list[Prediction]:
    """Loads from one request per replica to as many as fit; one where a concurrency was asked for."""
    if asking.question.concurrency_count is not None:
        return [asking.at(asking.question.concurrency_count)]
    most, step = _most(single), asking.question.table_step_count
    loads = [1]
    while loads[-1] * step < most:
        loads.append(loads[-1] * step)
    loads += [most] if most > loads[-1] else []
    return asking.all_at([float(each * asking.replicas_count) for each in loads])


def _most(single: Prediction) -> int:
    return max(int(min(single.sequences_count, SEQUENCES_MAX_COUNT)), 1)


def _verdict(asking: _Asking, table: Sequence[Prediction], single: Prediction) -> tuple[Prediction, str]:
    question = asking.question
    name = asking.deployment.label
    if question.concurrency_count is not None:
        (answer,) = table
        return answer, f"{name}: {_delivers(answer, asking)} with {_in_flight(answer)}{_held(answer, question)}."
    if not question.has_targets:
        answer = table[-1]
        return answer, f"{name}: up to {_delivers(answer, asking)} with {_in_flight(answer)}, {_latencies(answer)}."
    largest = largest_concurrency(
        asking.deployment,
        question.input_tokens,
        question.output_tokens,
        ttft_ms=question.ttft_ms,
        tpot_ms=question.tpot_ms,
        model=asking.model,
        measured=question.corrections,
    )
    if largest is None:
        return single, f"{name}: not even one request at a time meets {_targets(question)}: {_latencies(single)}."
    assert largest.point.concurrency_count is not None
    answer = asking.at(largest.point.concurrency_count * asking.replicas_count)
    return answer, f"{name}: {_delivers(answer, asking)} within {_targets(question)}, with {_in_flight(answer)}."


def _delivers(answer: Prediction, asking: _Asking) -> str:
    gpus = asking.replicas_count * asking.deployment.gpus_count
    low, middle, high = (answer.low_output_tok_per_s, answer.output_tok_per_s, answer.high_output_tok_per_s)
    said = f"{_three(middle)} output tokens/s ({_three(low)} to {_three(high)})"
    several = f" from {asking.replicas_count} replicas" if asking.replicas_count > 1 else ""
    return f"{said}{several}, {_three(middle / gpus)} per GPU," if gpus > 1 else said


def _held(answer: Prediction, question: CapacityQuestion) -> str:
    if not question.has_targets:
        return f", {_latencies(answer)}"
    parts = []
    for name, target, value in (
        ("TTFT", question.ttft_ms, answer.ttft_ms),
        ("TPOT", question.tpot_ms, answer.tpot_ms),
    ):
        if target is not None:
            holds = "holds" if value <= target else "does NOT hold"
            parts.append(f"{name} {_three(value)} ms, the target of {target:g} ms {holds}")
    return "; " + "; ".join(parts)


def _targets(question: CapacityQuestion) -> str:
    named = (("TTFT", question.ttft_ms), ("TPOT", question.tpot_ms))
    return " and ".join(f"{name} {value:g} ms" for name, value in named if value is not None)


def _latencies(answer: Prediction) -> str:
    if answer.point.output_tokens <= 1:
        return f"TTFT {_three(answer.ttft_ms)} ms"
    return f"TTFT {_three(answer.ttft_ms)} ms, TPOT {_three(answer.tpot_ms)} ms"


def _in_flight(answer: Prediction) -> str:
    count = answer.point.concurrency_count or answer.batch_count
    return f"{count:,.0f} request{'s' if count != 1 else ''} in flight"


def _three(value: float) -> str:
    """Three significant digits, in full."""
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if rounded >= 100 else f"{rounded:.3g}"


def _deployment_part(asking: _Asking) -> DeploymentPart:
    each = asking.deployment
    return DeploymentPart(
        model=each.model.name,
        gpu=each.gpu.name,
        gpus_count=each.gpus_count,
        replicas_count=asking.replicas_count,
        precision=each.precision,
        tensor_parallel_count=each.shards_count,
        engine=each.engine,
        engine_version=each.engine_version,
    )


def _memory(single: Prediction) -> MemoryPart:
    return MemoryPart(
        gpu_memory_gb=single.point.deployment.gpu.memory_gb,
        gpu_weights_gb=single.weights_gb_per_gpu,
        gpu_cache_gb=single.cache_gb_per_gpu,
        sequences_max_count=int(single.sequences_count),
    )


def _point(each: Prediction, asking: _Asking) -> PointPart:
    question, point = asking.question, each.point
    concurrency = point.concurrency_count or 0.0
    has_steps = point.output_tokens > 1
    ttft_holds = question.ttft_ms is None or each.ttft_ms <= question.ttft_ms
    tpot_holds = question.tpot_ms is None or not has_steps or each.tpot_ms <= question.tpot_ms
    return PointPart(
        concurrency_count=concurrency,
        output_tok_per_s=each.output_tok_per_s,
        low_output_tok_per_s=each.low_output_tok_per_s,
        high_output_tok_per_s=each.high_output_tok_per_s,
        gpu_output_tok_per_s=each.output_tok_per_s / (asking.replicas_count * asking.deployment.gpus_count),
        requests_req_per_s=each.output_tok_per_s / point.output_tokens,
        ttft_ms=each.ttft_ms,
        tpot_ms=each.tpot_ms if has_steps else None,
        prompt_ms=each.prompt_ms,
        step_ms=each.step_ms,
        prefill_fraction=each.prefill_fraction,
        tokens_per_joule_ratio=each.tokens_per_joule_ratio,
        beyond_memory=concurrency / point.replicas_count > each.sequences_count,
        meets_targets=(ttft_holds and tpot_holds) if question.has_targets else None,
    )


def _error(answer: Prediction) -> ErrorPart:
    errors = answer.errors
    return ErrorPart(
        regime=str(answer.regime),
        rows_count=errors.rows_count,
        median_error_fraction=errors.median_error_fraction,
        p90_error_fraction=errors.p90_error_fraction,
        bias_fraction=errors.bias_fraction,
    )


def _origin(fitted: FittedModel, answer: Prediction, measured: MeasuredFacts | None) -> OriginPart:
    assert fitted.source is not None
    return OriginPart(
        title=fitted.source.title,
        link=fitted.source.link,
        read=fitted.source.read.isoformat(),
        grade=fitted.source.grade.value,
        rows_count=fitted.rows_count,
        measured_points_count=answer.measured_points_count,
        measured_title=measured.source.title if measured and answer.is_measured else "",
    )


def _remarks(asking: _Asking, answer: Prediction) -> list[str]:
    found = []
    measured, deployment = asking.question.measured, asking.deployment
    if measured is not None and not answer.is_measured:
        found.append(f"The measurement is of {measured.key}, not of {deployment_key(deployment)}: it was not used.")
    concurrency = answer.point.concurrency_count or 0.0
    if concurrency / answer.point.replicas_count > answer.sequences_count:
        found.append(f"Only {answer.sequences_count:,.0f} of these requests fit a replica at once; the others wait.")
    longest = asking.question.input_tokens + asking.question.output_tokens
    if longest > deployment.model.context_tokens:
        found.append(
            f"Requests of {longest:,.0f} tokens are longer than the context of {deployment.model.context_tokens:,}."
        )
    if deployment.is_widened:
        found.append("4-bit weights are widened to 16 bit before each multiplication: this GPU or format computes so.")
    return found


def _divisors(count: int) -> str:
    return " or ".join(str(n) for n in _REPLICA_SIZES if n <= count and count % n == 0)


def _splits(model: ModelSpec, count: int) -> str:
    return " or ".join(str(n) for n in range(1, count + 1) if count % n == 0 and model.heads_count % n == 0)
