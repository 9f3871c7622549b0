"""import: read usage logs into the local store; good rows are kept, bad ones counted, named and written aside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from breakeven.cli.usage_source import DEFAULT_STORE, import_settings, reading_options

if TYPE_CHECKING:
    from breakeven.usage.ingest_report import IngestReport
    from breakeven.usage.store import CallStore


@click.command("import", epilog="Example: breakeven import logs/ --map input_tokens=prompt_len")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@reading_options
@click.option("--store", type=click.Path(file_okay=False, path_type=Path), default=DEFAULT_STORE, show_default=True)
@click.option("--rejects", type=click.Path(dir_okay=False, path_type=Path), help="Where rejected rows go.")
@click.option("--json", "as_json", is_flag=True, help="Print what was read as JSON.")
def command(
    paths: tuple[Path, ...],
    log_format: str | None,
    maps: tuple[str, ...],
    sampled_fraction: float | None,
    prompts: str,
    vocabulary: bool,
    separate: bool,
    store: Path,
    rejects: Path | None,
    as_json: bool,
) -> None:
    """Read log files or folders into the store. Importing the same rows again changes nothing.

    Of prompts only hashed features are kept, unless --prompts says otherwise; keys and user names are hashed
    (BREAKEVEN_SALT in the environment is mixed into every hash).
    """
    from breakeven.cli.console import progress
    from breakeven.clock import now
    from breakeven.reports.import_wording import import_document
    from breakeven.usage.opened_calls import progress_text
    from breakeven.usage.store import CallStore

    with progress() as say, CallStore(store) as calls, _stoppable(calls):
        report = calls.ingest(
            list(paths),
            now=now(),
            settings=import_settings(log_format, maps, sampled_fraction, prompts, vocabulary),
            reject_path=rejects,
            progress=lambda at: say(progress_text(at)),
            is_separate=separate,
        )
    if prompts == "redact":
        _say_what_redaction_misses()
        if vocabulary:
            click.echo(
                "! the vocabulary (words of 20 calls or more) is from before redaction; --no-vocabulary", err=True
            )
    if as_json:
        click.echo(json.dumps(import_document(report, store), indent=2, ensure_ascii=False))
        return
    _print(report, store, keeps_words=prompts == "keep")


@contextmanager
def _stoppable(calls: CallStore) -> Iterator[None]:
    """Ctrl-C keeps the files that were committed, and says so; the exit code is 130."""
    from breakeven.reports.import_wording import stopped_sentence

    before = len(calls.imported())
    try:
        yield
    except KeyboardInterrupt:
        done = stopped_sentence(len(calls.imported()) - before)
        click.echo(f"stopped: {done}; the same command goes on where this one stopped", err=True)
        raise click.exceptions.Exit(130) from None


def _say_what_redaction_misses() -> None:
    from breakeven.reports.import_wording import redaction_sentences

    replaced, missed = redaction_sentences()
    click.echo(replaced, err=True)
    click.echo(f"! {missed}", err=True)


def _print(report: IngestReport, store: Path, *, keeps_words: bool) -> None:
    from breakeven.reports.import_wording import bills_sentence, counts_sentence, file_lines, rejects_held
    from breakeven.reports.safe_text import safe
    from breakeven.usage.ingest_report import wanted_instead

    click.echo(counts_sentence(report))
    for line in file_lines(report):
        click.echo(f"  {safe(line)}")
    for reason, count in report.rejects.items():
        click.echo(f"  {count:,} rejected: {safe(reason)}{wanted_instead(reason)}")
    for example in report.examples:
        click.echo(f"    {safe(str(example))}")
    if report.reject_path:
        held = rejects_held(keeps_words=keeps_words)
        click.echo(f"  all rejected rows ({held}): {report.reject_path}")
    if report.bills:
        click.echo(f"  {bills_sentence(report.bills)}")
    for warning in (*report.warnings, *(each.sentence for each in report.overlaps)):
        click.echo(f"! {safe(warning)}")
    option = "" if store == DEFAULT_STORE else f" --store {store}"
    click.echo(f"Next: breakeven profile{option}")
