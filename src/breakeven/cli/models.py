"""models: rank the open models by what a successful outcome costs on your workload, each at its cheapest way."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from breakeven.cli.scenario_options import scenario_options
from breakeven.cli.usage_source import UsageSource, opened_calls, source_options

if TYPE_CHECKING:
    from breakeven.decision.scenario import Scenario


@click.command(
    epilog="Example: breakeven models --usage calls.jsonl   |   breakeven models --options brokered,rented_spot --json"
)
@source_options
@scenario_options
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the JSON document to a file.")
@click.option("--json", "as_json", is_flag=True, help="Print the JSON document instead of the page.")
def command(source: UsageSource, scenario: Scenario, out: Path | None, as_json: bool) -> None:
    """Rank the open models of the catalogue by cost per successful outcome, for the workload of a usage log.

    Each model takes the cheapest of: a broker, GPUs rented on demand and, below 14 billion parameters, a small GPU;
    --options names other ways. Success rates are guesses by class of model: beside each cost stands the success rate
    from which the model pays. What the guide says about sizes of models is tested on the same workload.
    """
    from breakeven.cli.console import progress, stdout_console, write_text
    from breakeven.clock import today
    from breakeven.reports.answer import Question
    from breakeven.reports.models_answer import answer_models
    from breakeven.reports.models_document import to_json
    from breakeven.reports.workload_part import import_part

    with progress() as say, opened_calls(source, say) as calls:
        question = Question(
            calls.store,
            calls.label,
            scenario,
            today(),
            imported=import_part(calls.report) if calls.report else None,
            warnings=calls.warnings,
            next_command=_compare(source),
        )
        document = answer_models(question, say)
        if out:
            write_text(out, to_json(document))
    if as_json:
        click.echo(to_json(document), nl=False)
        return
    from breakeven.reports.models_terminal import render_models

    render_models(document, stdout_console())
    if out:
        click.echo(f"Wrote {out}")


def _compare(source: UsageSource) -> str:
    """The comparison of all ways to serve the same calls."""
    given = [f"--usage {path}" for path in source.usage] + ([f"--store {source.store}"] if source.store else [])
    return " ".join(["breakeven compare", *given])
