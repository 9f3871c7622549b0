"""formats: which usage logs can be read, what each holds, and what nobody can conclude from it."""

from __future__ import annotations

import json

import click


@click.command(epilog="Example: breakeven formats   |   breakeven formats langfuse")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the formats as JSON.")
def command(name: str | None, as_json: bool) -> None:
    """List the log formats that `breakeven import` and --usage read: rows, prompts, latencies, cost, and the limits."""
    from dataclasses import asdict

    from breakeven.cli.console import stdout_console
    from breakeven.reports.log_formats import log_formats
    from breakeven.usage.importers import importer_named

    wanted = importer_named(name).name if name else None
    formats = [each for each in log_formats() if wanted in (None, each.name)]
    if as_json:
        click.echo(json.dumps([asdict(each) for each in formats], indent=2, ensure_ascii=False))
        return
    from rich.text import Text

    from breakeven.reports.terminal_table import PlainTable

    console = stdout_console()
    if wanted:
        (one,) = formats
        console.print(Text(f"{one.title} ({one.name}): {one.grain}; files: {one.files}", style="bold"))
        holds = f"prompts {one.prompts}, latency {one.latency}, first token {one.first_token}, cost {one.cost}"
        console.print(Text(f"Holds: {holds}."))
        console.print(Text(one.concludes))
        console.print(Text(f"Page: docs/reference/importers/{one.name}.md"))
        return
    table = PlainTable(box=None, pad_edge=False, header_style="bold")
    for title in ("format", "rows", "prompts", "latency", "1st token", "cost"):
        table.add_column(title, no_wrap=True)
    for each in formats:
        table.add_row(each.name, each.grain, each.prompts, each.latency, each.first_token, each.cost)
    console.print(table)
    console.print(Text(f"{len(formats)} formats, recognised by content. Next: breakeven formats NAME"))
