"""Terminal bench: the results of a measurement as text: one line per level, failures by kind, what to know of them."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from breakeven.bench.advice import advice
from breakeven.bench.document import BenchDocument, LevelResult, Spread
from breakeven.bench.self_test import SelfTest
from breakeven.reports.safe_text import short
from breakeven.reports.terminal_table import plain_table
from breakeven.reports.terminal_text import Paragraph, bullets, print_parts, section


def render_bench(document: BenchDocument, console: Console) -> None:
    """Print a measurement, verdict first."""
    print_parts(
        console,
        (
            Paragraph(_headline(document), "bold"),
            Paragraph(_setting(document), "dim"),
            _levels(document),
            section("Failed, and in no figure above", bullets(list(_failures(document))), "bold red"),
            section("Worth knowing", bullets(list(_notes(document)))),
        ),
    )


def render_self_test(found: SelfTest, console: Console) -> None:
    """Print what the generator itself costs."""
    lag = found.event_lag_ms
    lines = [
        f"{found.request_cpu_ms:.2f} ms of processor time per request and {1e3 * found.event_cpu_ms:.0f} us per event",
        f"time to first token of an idle server that answers at once: {found.first_token_ms.p50_ms:.2f} ms "
        f"(P99 {found.first_token_ms.p99_ms:.2f}), the network and the mock included",
        f"an event is stamped {lag.p50_ms:.2f} ms after it was sent (P99 {lag.p99_ms:.2f}) "
        f"at {found.lag_tok_per_s:,.0f} events/s",
        f"driven with {found.users_count} users: {found.driven_req_per_s:,.0f} requests/s of one token, "
        f"{found.driven_tok_per_s:,.0f} events/s; the mock server shares the machine and may be what limits",
        f"{found.requests_count:,} requests, {found.failures_count} failed",
    ]
    print_parts(console, (Paragraph("The generator itself, on this machine and now", "bold"), bullets(lines)))


def _headline(document: BenchDocument) -> str:
    done = [each for each in document.levels if each.output_tok_per_s]
    best = max(done, key=lambda each: each.output_tok_per_s or 0.0)
    stopped = "Stopped early. " if document.interrupted else ""
    most = "At most " if len(done) > 1 else ""
    return f"{stopped}{most}{best.output_tok_per_s:,.1f} output tok/s at {best.title}."


def _setting(document: BenchDocument) -> str:
    by_server = document.counting.output_tokens == "server"
    counted = "tokens counted by the server" if by_server else f"output tokens {document.counting.output_tokens}"
    return (
        f"{document.model} at {document.url}"
        + (f" ({short(document.server, 40)})" if document.server else "")
        + f", {_range(document, 'input_tokens')} tokens in and {_range(document, 'output_tokens')} out, {counted}, "
        f"{document.measured_at}"
    )


def _range(document: BenchDocument, name: str) -> str:
    """Mean lengths over the levels."""
    found = sorted({round(mean) for each in document.levels if (mean := getattr(each, name)) is not None})
    return f"{found[0]:,}" if len(found) == 1 else f"{found[0]:,} to {found[-1]:,}"


def _levels(document: BenchDocument) -> Table:
    table = plain_table()
    for heading in ("load", "answers", "failed", "req/s", "out tok/s", "TTFT", "P90", "P99", "TPOT", "P99"):
        table.add_column(heading, justify="left" if heading == "load" else "right", no_wrap=True)
    table.add_column("end to end", justify="right")
    for each in document.levels:
        table.add_row(
            short(each.title, 22),
            f"{each.succeeded_count:,}",
            f"{each.failed_count:,}" if each.failed_count else "-",
            _figure(each.rate_done_req_per_s, 2),
            _figure(each.output_tok_per_s, 1),
            *_quantiles(each.ttft_ms, "p50_ms", "p90_ms", "p99_ms"),
            *_quantiles(each.tpot_ms, "p50_ms", "p99_ms"),
            *_quantiles(each.end_to_end_ms, "p50_ms"),
        )
    table.caption = "latencies: median and percentiles, milliseconds"
    table.caption_justify = "right"
    return table


def _quantiles(spread: Spread | None, *names: str) -> Iterator[str]:
    for name in names:
        yield _figure(getattr(spread, name) if spread else None, 1)


def _figure(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def _failures(document: BenchDocument) -> Iterator[str]:
    for level in document.levels:
        for each in level.failures:
            shown = f": {short(each.example, 100)}" if each.example else ""
            yield f"{level.title}: {each.count} x {each.kind}{shown}. {advice(each.kind)}"


def _notes(document: BenchDocument) -> Iterator[str]:
    yield from document.notes
    titles: dict[str, list[str]] = {}
    for level in document.levels:
        for note in (*level.notes, *_unfinished(level)):
            titles.setdefault(note, []).append(level.title)
    for note, where in titles.items():
        yield note if len(where) == len(document.levels) > 1 else f"{', '.join(where)}: {note}"
    if document.plan.shared_prefix_tokens:
        yield f"all prompts begin with the same {document.plan.shared_prefix_tokens} tokens: a prefix cache is tested"
    else:
        yield "no two prompts are alike, so a prefix cache helped nothing; --shared-prefix-tokens tests caching"


def _unfinished(level: LevelResult) -> Iterator[str]:
    if level.unfinished_count:
        yield f"{level.unfinished_count} requests were under way when it was stopped; they are in no figure"
