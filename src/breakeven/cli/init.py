"""init: write a commented scenario file with every setting at its default."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command(epilog="Example: breakeven init && breakeven compare --usage calls.jsonl --scenario scenario.yaml")
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path), default=Path("scenario.yaml"))
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@click.option("--json", "as_json", is_flag=True, help="Say what was written as JSON.")
def command(path: Path, force: bool, as_json: bool) -> None:
    """Write a commented scenario file; delete what you do not change, commit the rest."""
    from breakeven.cli.console import write_text
    from breakeven.decision.scenario import scenario_template
    from breakeven.errors import ScenarioError

    if path.exists() and not force:
        raise ScenarioError(f"{path} exists; choose another name, or overwrite it with --force")
    write_text(path, scenario_template())
    if as_json:
        click.echo(json.dumps({"written": str(path)}))
    else:
        click.echo(f"Wrote {path}. Next: breakeven compare --usage YOUR-LOG --scenario {path}")
