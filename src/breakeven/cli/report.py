"""report: write HTML, PDF, spreadsheet or Markdown from a comparison document."""

from __future__ import annotations

import json
from pathlib import Path

import click

from breakeven.cli.baseline_options import MOVED, Baseline, baseline_options, show_watch
from breakeven.cli.output_files import OutputFiles, output_options


@click.command(epilog="Example: breakeven report report.json --html report.html --pdf decision.pdf --md comment.md")
@click.argument("comparison", type=click.Path(dir_okay=False, path_type=Path))
@output_options
@baseline_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON: what was written, or what changed.")
@click.pass_context
def command(
    ctx: click.Context, comparison: Path, outputs: OutputFiles, baseline: Baseline | None, as_json: bool
) -> None:
    """Write what people take away from COMPARISON, the JSON document of `breakeven compare --out`.

    Nothing is calculated again, and the same document gives the same files. A document of an older breakeven will do:
    the pages say what it does not hold. Without a file to write, the page of `compare` is printed.

    With --baseline the exit code is 0 within the bound and 2 when something moved. An error has code 2 as everywhere;
    it writes to stderr and prints nothing to stdout.
    """
    from breakeven.cli.console import progress, stdout_console
    from breakeven.reports.document import read_document

    outputs.check(reads=(comparison, baseline.path if baseline else None))
    document = read_document(comparison)
    watch = baseline.watch(document) if baseline else None
    with progress() as say:
        outputs.write(document, say, watch)
    written = outputs.asked
    if watch:
        show_watch(watch, as_json=as_json)
    elif as_json:
        rows = [{"kind": kind, "path": str(path), "bytes": path.stat().st_size} for kind, path in written.items()]
        click.echo(json.dumps({"document": str(comparison), "written": rows}, indent=2))
    elif not written:
        from breakeven.reports.terminal import render_comparison

        render_comparison(document, stdout_console())
    if not as_json:
        for path in written.values():
            click.echo(f"Wrote {path}")
    if watch and watch.moved:
        ctx.exit(MOVED)
