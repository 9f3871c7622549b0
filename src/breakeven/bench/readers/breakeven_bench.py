"""Results of `breakeven bench`: the document of our own, each level one point."""

from __future__ import annotations

from pydantic import ValidationError

from breakeven.bench.document import KIND, SCHEMA_VERSION, BenchDocument, LevelResult
from breakeven.bench.measured_point import MeasuredPoint
from breakeven.bench.readers.reader import Content, Reader, checked, day_of_text, labels
from breakeven.errors import BenchError


def _recognises(content: Content) -> bool:
    return content.first.get("kind") == KIND


def _read(content: Content) -> tuple[MeasuredPoint, ...]:
    version = str(content.first.get("schema_version"))
    if version.split(".")[0] != SCHEMA_VERSION.split(".")[0]:
        raise BenchError(
            f"{content.name}: schema version {version}; this breakeven reads {SCHEMA_VERSION}. Use the newer one."
        )
    given = dict(content.first)
    given["levels"] = [{"requests": None, **level} for level in given.get("levels", []) if isinstance(level, dict)]
    try:
        document = BenchDocument.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        raise BenchError(f"{content.name}: {place}: {first['msg']}; is the file complete?") from None
    return tuple(_point(content.name, document, level) for level in document.levels if level.succeeded_count)


def _point(name: str, document: BenchDocument, level: LevelResult) -> MeasuredPoint:
    closed = level.concurrency_count is not None
    estimated = ("output tokens are estimated from events",) if document.counting.output_tokens != "server" else ()
    return checked(
        MeasuredPoint(
            input_tokens=level.input_tokens or 0.0,
            output_tokens=level.output_tokens or 0.0,
            concurrency_count=float(level.concurrency_count or level.mean_in_flight_count),
            output_tok_per_s=level.output_tok_per_s or 0.0,
            ttft_ms=level.ttft_ms.mean_ms if level.ttft_ms else None,
            tpot_ms=level.tpot_ms.mean_ms if level.tpot_ms else None,
            requests_count=level.succeeded_count,
            failures_count=level.failed_count,
            source=f"breakeven bench, {name}, {level.title}",
            measured_on=day_of_text(document.measured_at),
            rate_req_per_s=level.rate_req_per_s,
            is_open_loop=not closed,
            labels=labels(model=document.model, url=document.url, server=document.server),
            notes=(*estimated, *level.notes),
        )
    )


READER = Reader("breakeven_bench", "breakeven bench", _recognises, _read)
