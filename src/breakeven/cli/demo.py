"""demo: run the whole chain on a bundled synthetic workload and write the report."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command(epilog="Example: breakeven demo --out demo && open demo/report.html")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=Path("demo"), show_default=True, help="Folder."
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the log and the draws.")
@click.option("--json", "as_json", is_flag=True, help="Print the JSON document instead of the page.")
def command(out: Path, seed: int, as_json: bool) -> None:
    """Generate a synthetic log, import it, compare every option, and write report.html and report.json.

    The log is made up, and every page says so; the prices, ranges and formulas are the real ones.
    """
    from breakeven.cli.console import progress, stdout_console, write_text
    from breakeven.cli.usage_source import reading_warnings
    from breakeven.clock import now, today
    from breakeven.decision.scenario import Scenario
    from breakeven.reports.answer import Question, answer
    from breakeven.reports.document import to_json
    from breakeven.reports.html import render_html
    from breakeven.reports.warm_up import warm_up
    from breakeven.reports.workload_part import import_part
    from breakeven.usage.store import CallStore
    from breakeven.usage.synthetic import write_synthetic_log

    html, document_path, log = out / "report.html", out / "report.json", out / "synthetic-calls.jsonl"
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
        say("drawing the report")
        write_text(document_path, to_json(document))
        write_text(html, render_html(document))
    if as_json:
        click.echo(json.dumps({"report": str(html), "document": document.model_dump(mode="json")}, indent=2))
        return
    from breakeven.reports.terminal import render_comparison

    render_comparison(document, stdout_console())
    click.echo(f"Report: {html.resolve()}")
    click.echo(f"Every number explained: breakeven explain {document_path} rented_on_demand.engineering_labour")
