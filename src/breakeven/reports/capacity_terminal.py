"""Terminal capacity: the verdict, what fits, what each load gets, how far to trust it."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from breakeven.reports.capacity_document import CapacityDocument, PointPart
from breakeven.reports.terminal_table import plain_table
from breakeven.reports.terminal_text import Paragraph, bullets, print_parts, section


def render_capacity(document: CapacityDocument, console: Console) -> None:
    """Print a capacity document, verdict first."""
    several = len(document.table) > 1
    print_parts(
        console,
        (
            Paragraph(document.verdict, "bold"),
            section("Memory", bullets([*_memory(document)])),
            section("Time", bullets([*_time(document)])),
            section("By requests in flight", _table(document)) if several else None,
            section("How far to trust it", bullets([*_trust(document)])),
            section("Worth knowing", bullets(document.remarks)) if document.remarks else None,
        ),
    )


def _memory(document: CapacityDocument) -> Iterator[str]:
    held = document.memory
    length = f"{document.input_tokens:,.0f} + {document.output_tokens:,.0f} tokens"
    yield (
        f"weights {held.gpu_weights_gb:.4g} GB and cache {held.gpu_cache_gb:.4g} GB on each GPU of"
        f" {held.gpu_memory_gb:.4g} GB"
    )
    yield f"{held.sequences_max_count:,} requests of {length} fit a replica at once"


def _time(document: CapacityDocument) -> Iterator[str]:
    point = document.answer
    yield f"one prompt {_ms(point.prompt_ms)}, one decode step {_ms(point.step_ms)}"
    yield f"{100 * point.prefill_fraction:.0f} % of the time goes into prompts"
    tpot = "" if point.tpot_ms is None else f", per output token (TPOT) {_ms(point.tpot_ms)}"
    yield f"first token (TTFT) {_ms(point.ttft_ms)}{tpot}; means"
    per_joule = f"at least {point.tokens_per_joule_ratio:.3g} output tokens per joule"
    yield f"{point.requests_req_per_s:.3g} requests/s, {per_joule}"


def _table(document: CapacityDocument) -> Table:
    table = plain_table()
    headings = ["in flight", "tokens/s", "80 % interval", "per GPU", "TTFT ms", "TPOT ms", "tokens/J"]
    for heading in headings + (["targets"] if document.targets else []):
        table.add_column(heading, justify="right", no_wrap=True)
    for point in document.table:
        cells = [
            f"{point.concurrency_count:,.0f}",
            f"{point.output_tok_per_s:,.0f}",
            f"{point.low_output_tok_per_s:,.0f} to {point.high_output_tok_per_s:,.0f}",
            f"{point.gpu_output_tok_per_s:,.0f}",
            f"{point.ttft_ms:,.0f}",
            "-" if point.tpot_ms is None else f"{point.tpot_ms:.3g}",
            f"{point.tokens_per_joule_ratio:.3g}",
        ]
        table.add_row(*cells, *([_meets(point)] if document.targets else []))
    return table


def _meets(point: PointPart) -> str:
    return "met" if point.meets_targets else "missed"


def _trust(document: CapacityDocument) -> Iterator[str]:
    error, origin = document.error, document.origin
    if origin.measured_points_count:
        said = f"measured on your endpoint: {origin.measured_points_count} points"
        yield said if origin.measured_title == said else f"{said} of {origin.measured_title}"
    yield (
        f"{error.regime}: on {error.rows_count:,} held-out measurements of that kind, half of the predicted tokens/s"
        f" were within {100 * error.median_error_fraction:.1f} %, nine of ten within "
        f"{100 * error.p90_error_fraction:.0f} %"
        f" (bias {100 * error.bias_fraction:+.1f} %)"
    )
    yield f"coefficients: {origin.title}, {origin.rows_count:,} rows ({origin.link}); grade {origin.grade}"
    if not origin.measured_points_count:
        yield "replace the prediction by a measurement: `breakeven bench URL`, then `breakeven calibrate`"


def _ms(value: float) -> str:
    return f"{value:,.0f} ms" if value >= 100 else f"{value:.3g} ms"
