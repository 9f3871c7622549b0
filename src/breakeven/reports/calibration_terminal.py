"""Terminal calibration: predicted, measured and corrected figures as tables, and what the correction is worth."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from breakeven.reports.calibration_document import CalibrationDocument, FigureSummary
from breakeven.reports.safe_text import safe
from breakeven.reports.terminal_table import plain_table
from breakeven.reports.terminal_text import Paragraph, bullets, print_parts, section

TITLES = {
    "output_tok_per_s": "Output tokens per second",
    "ttft_ms": "Time to first token, ms",
    "tpot_ms": "Time per output token, ms",
}


def render_calibration(document: CalibrationDocument, console: Console) -> None:
    """Print a calibration, verdict first."""
    print_parts(
        console,
        (
            Paragraph(_headline(document), "bold"),
            *(section(TITLES[name], _table(document, name)) for name in document.figures),
            section("What it is worth", bullets([*_worth(document)])),
            section("Refused", bullets([*_refused(document)]), "bold red"),
            section("Worth knowing", bullets([*_remarks(document)])),
        ),
    )


def _headline(document: CalibrationDocument) -> str:
    where = document.deployment
    engine = f", {where['engine']}" if where["engine"] else ""
    name = f"{where['model']} on {where['gpus_count']} x {where['gpu']}, {where['precision']}{engine}"
    first = document.figures.get("output_tok_per_s")
    if first is None:
        return f"{name}: corrected."
    return f"{name}: measured on your endpoint, output tok/s is {first.factor.typical:.2f} times what was predicted."


def _table(document: CalibrationDocument, name: str) -> Table:
    table = plain_table()
    for heading in (
        "concurrency",
        "in",
        "out",
        "predicted",
        "measured",
        "corrected",
        "80 % interval",
        "before",
        "after",
    ):
        table.add_column(heading, justify="right", no_wrap=True)
    for point in document.points:
        row = point.figures.get(name)
        if row is not None:
            table.add_row(
                f"{point.concurrency_count:,.4g}" + (" *" if row.weight < 0.5 else ""),
                f"{point.input_tokens:,.0f}",
                f"{point.output_tokens:,.0f}",
                *(f"{value:,.1f}" for value in (row.predicted, row.measured, row.corrected)),
                f"{row.corrected_low:,.1f}-{row.corrected_high:,.1f}",
                f"{100 * row.error_before_fraction:+.1f} %",
                f"{100 * row.error_after_fraction:+.1f} %",
            )
    return table


def _worth(document: CalibrationDocument) -> Iterator[str]:
    for name, each in document.figures.items():
        yield f"{TITLES[name]}: {_errors(each)}"
    if any(each.points_count == 1 for each in document.figures.values()):
        yield "One point has no others to be corrected by: its error after is its error before. Measure three."
    if any(row.weight < 0.5 for point in document.points for row in point.figures.values()):
        yield "* an outlier: it disagrees with the other points and hardly counts"


def _errors(summary: FigureSummary) -> str:
    return (
        f"median error {100 * summary.median_error_before_fraction:.1f} % before, "
        f"{100 * summary.median_error_after_fraction:.1f} % "
        f"after, each point corrected by the others; a new measurement is {summary.factor.low:.2f} to "
        f"{summary.factor.high:.2f} times the prediction in 80 of 100 cases"
    )


def _refused(document: CalibrationDocument) -> Iterator[str]:
    return (f"{safe(each.source)}: {each.remark}" for each in document.points if each.is_refused)


def _remarks(document: CalibrationDocument) -> Iterator[str]:
    return (f"{safe(each.source)}: {each.remark}" for each in document.points if each.remark and not each.is_refused)
