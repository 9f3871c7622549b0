"""Judging: `pilot verdict` and `pilot report`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from breakeven.cli.pilot.place import Reads, pilot_argument, reading_options

EXIT_CODES: Final = {"yes": 0, "no": 1, "not_yet": 3}
"""Of the verdict; an error has 2, too, writes to stderr and prints nothing to stdout."""
PIPE_BROKEN_CODE: Final = 141
"""As a shell tells of a program that was ended by SIGPIPE."""
KINDS: Final = ("html", "json", "md", "xlsx", "pdf")


@click.command(
    short_help="Yes (exit code 0), no (1), not yet (3).",
    epilog="Example: breakeven pilot verdict faq   |   breakeven pilot verdict faq --json && ./migrate.sh",
)
@pilot_argument
@reading_options
@click.option("--json", "as_json", is_flag=True, help="Print the pilot's JSON document.")
@click.pass_context
def verdict(ctx: click.Context, folder: Path, reads: Reads, as_json: bool) -> None:
    """Is the switch proven? The exit code is the answer: 0 yes, 1 no, 3 not yet (how many more days).

    Yes may be for some tasks only: they are listed. What may not be claimed is listed, too. An error has code 2 as
    everywhere; it writes to stderr and prints nothing to stdout.
    """
    from breakeven.cli.console import progress, stdout_console
    from breakeven.reports.pilot_document import to_json
    from breakeven.reports.pilot_look import document_of, next_command

    with progress(as_json) as say:
        say("reading and judging")
        look = reads.pilot(folder).look()
        document = document_of(look)
    with _reader_gone_is_no_answer():
        if as_json:
            click.echo(to_json(document), nl=False)
        else:
            from breakeven.reports.pilot_terminal import render_verdict

            render_verdict(document, stdout_console(), next_command=next_command(look, folder))
        sys.stdout.flush()
    ctx.exit(EXIT_CODES[look.verdict.answer if look.verdict is not None else "not_yet"])


@click.command(
    short_help="Write a page for finance, or the JSON.",
    epilog="Example: breakeven pilot report faq --out faq.html   |   breakeven pilot report faq --out faq.xlsx",
)
@pilot_argument
@reading_options
@click.option(
    "--out",
    multiple=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="PATH.html, .json, .md, .xlsx or .pdf; may be given several times.",
)
@click.option(
    "--recalibrate",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what was measured as a scenario (YAML) for `compare --scenario`.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def report(folder: Path, reads: Reads, out: tuple[Path, ...], recalibrate: Path | None, as_json: bool) -> None:
    """Write the pilot's report: a page for finance, the JSON for a machine; the kind is what the name ends in.

    With --recalibrate what was measured takes the place of what was assumed: `breakeven compare --scenario FILE`.
    """
    import json

    from breakeven.cli.console import progress
    from breakeven.clock import today
    from breakeven.errors import OutputError
    from breakeven.reports.pilot_files import render_pilot_file
    from breakeven.reports.pilot_look import document_of, measured_scenario

    kinds = [each.suffix.lstrip(".") for each in out]
    for path, kind in zip(out, kinds, strict=True):
        if kind not in KINDS:
            wanted = ", .".join(KINDS)
            raise OutputError(f"--out {path}: cannot write '{path.suffix}'; wanted a name that ends in .{wanted}")
    if not out and recalibrate is None:
        raise click.UsageError("name what to write: --out report.html, or --recalibrate scenario.yaml")
    with progress(as_json) as say:
        say("reading and judging")
        look = reads.pilot(folder).look()
        document = document_of(look, with_history=True)
        for path, kind in zip(out, kinds, strict=True):
            say(f"writing {path.name}")
            _write(path, render_pilot_file(kind, document))
        if recalibrate is not None:
            _write(recalibrate, measured_scenario(look, today()).encode())
    written = [str(each) for each in (*out, recalibrate) if each is not None]
    if as_json:
        click.echo(json.dumps({"written": written}))
        return
    for each in written:
        click.echo(f"Wrote {each}")


@contextmanager
def _reader_gone_is_no_answer() -> Iterator[None]:
    """Whoever reads only the beginning (`| head`) gets the code of a broken pipe, never that of a "no"."""
    try:
        yield
    except (BrokenPipeError, SystemExit):  # the console ends the process by itself
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(PIPE_BROKEN_CODE) from None


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all."""
    from breakeven.errors import OutputError
    from breakeven.routing.written import write_whole

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():
            path.write_bytes(content)  # a pipe, a device
        else:
            write_whole(path, content)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror})") from None
