"""demo: run the whole chain on a bundled synthetic workload and write the report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from breakeven.cli.output_files import OutputFiles


@click.command(epilog="Example: breakeven demo --out demo && open demo/report.html")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=Path("demo"), show_default=True, help="Folder."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the log and the draws.")
@click.option("--json", "as_json", is_flag=True, help="Print the JSON document instead of the page.")
def command(out: Path, seed: int, as_json: bool) -> None:
    """Generate a synthetic log, import it, compare every option, and write the report.

    Beside report.html and report.json stand report.xlsx with live formulas, report.md for a pull request, and
    report.pdf where the typst package is installed (`pip install 'breakeven[pdf]'`).

    The log is made up, and every page says so; the prices, ranges and formulas are the real ones.
    """
    from importlib.util import find_spec

    from breakeven.cli.console import progress, stdout_console, write_text
    from breakeven.cli.output_files import OutputFiles
    from breakeven.clock import now, today
    from breakeven.decision.scenario import Scenario
    from breakeven.reports.answer import Question, answer
    from breakeven.reports.document import to_json
    from breakeven.reports.warm_up import warm_up
    from breakeven.reports.workload_part import import_part
    from breakeven.usage.opened_calls import reading_warnings
    from breakeven.usage.store import CallStore
    from breakeven.usage.synthetic import write_synthetic_log

    document_path, log = out / "report.json", out / "synthetic-calls.jsonl"
    pdf = out / "report.pdf" if find_spec("typst") else None
    files = OutputFiles(html=out / "report.html", pdf=pdf, xlsx=out / "report.xlsx", md=out / "report.md")
    with progress() as say, CallStore.temporary() as store:
        warm_up(draws_charts=True)
        say("generating a synthetic log")
        write_text(out / ".gitignore", "*\n")
        write_synthetic_log(log, seed=seed)
        say("importing the log")
        report = store.ingest(log, now=now(), reject_path=out / "rejects.jsonl")
        question = Question(
            store,
            log.name,
            Scenario(seed=seed),
            today(),
            synthetic=True,
            imported=import_part(report),
            warnings=reading_warnings(report),
            next_command="breakeven import YOUR-LOG && breakeven compare",
        )
        document = answer(question, say)
        write_text(document_path, to_json(document))
        files.write(document, say)
    if as_json:
        click.echo(json.dumps({"report": str(files.html), "document": document.model_dump(mode="json")}, indent=2))
        return
    from breakeven.reports.terminal import render_comparison

    render_comparison(document, stdout_console())
    click.echo(f"\nReport: {(out / 'report.html').resolve()}")
    click.echo(f"Beside it: {beside(files)}")
    click.echo(f"The decision on one page: breakeven decide --report {document_path}")
    click.echo(f"Every number explained: breakeven explain {document_path} rented_on_demand.engineering_labour")


def beside(files: OutputFiles) -> str:
    """The files beside the report in words."""
    pdf = "report.pdf (two pages), " if files.pdf else ""
    more = "" if files.pdf else "; a PDF needs pip install 'breakeven[pdf]'"
    return f"report.xlsx (live formulas), {pdf}report.md (for a pull request), report.json (the document){more}"
