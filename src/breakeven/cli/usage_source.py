"""Usage source: the options that say which calls to look at, shared by the verbs that read usage."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import click

if TYPE_CHECKING:
    from breakeven.usage.ingest_report import IngestReport, Progress
    from breakeven.usage.plan import ImportSettings
    from breakeven.usage.store import CallStore

DEFAULT_STORE: Final = Path(".breakeven")
Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class UsageSource:
    """What the options of `source_options` say."""

    usage: tuple[Path, ...]
    store: Path | None
    rejects: Path | None
    log_format: str | None
    maps: tuple[str, ...]
    engine: str = "duckdb"
    separate: bool = False
    sampled_fraction: float | None = None
    prompts: str = "drop"
    vocabulary: bool = True


@dataclass(frozen=True, slots=True)
class OpenedCalls:
    """A store with calls in it, and what reading them gave."""

    store: CallStore
    label: str
    report: IngestReport | None
    """None when the calls were imported earlier."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What reading lost or changed, and which sources told the same traffic."""
        found = [*reading_warnings(self.report), *(each.sentence for each in self.store.overlaps())]
        if self.report is None and (estimated := self.store.estimated_count):
            found.append(f"{estimated:,} rows of the logs had no token counts; these were estimated from their texts.")
        return tuple(found)


def reading_options(command: Command) -> Command:
    """How to read a log, and what becomes of its prompts."""
    for option in (
        click.option(
            "--vocabulary/--no-vocabulary",
            default=True,
            help="Keep the words that at least 20 calls have, so that kinds of work can be named.",
        ),
        click.option(
            "--prompts",
            type=click.Choice(["drop", "redact", "keep"]),
            default="drop",
            show_default=True,
            help="What becomes of prompts and answers; hashed features are kept in any case.",
        ),
        click.option(
            "--sampling-rate",
            "sampled_fraction",
            type=float,
            metavar="SHARE",
            help="Share of the calls that was logged, e.g. 0.1, where the log is a sample and does not say it.",
        ),
        click.option(
            "--separate", is_flag=True, help="No other source tells these calls: count them beside whatever there is."
        ),
        click.option("--map", "maps", multiple=True, metavar="FIELD=COLUMN", help="Say which column holds a field."),
        click.option("--format", "log_format", metavar="NAME", help="Log format; recognised by itself when absent."),
    ):
        command = option(command)
    return command


def source_options(command: Command) -> Command:
    """``--usage`` or ``--store``, with the options of reading; the command receives them as one `source`."""

    @functools.wraps(command)
    def with_source(**given: Any) -> Any:
        source = UsageSource(**{field.name: given.pop(field.name) for field in fields(UsageSource)})
        return command(source=source, **given)

    decorated: Any = with_source
    for option in (
        click.option(
            "--engine",
            default="duckdb",
            metavar="ENGINE",
            show_default=True,
            help="Who analyses the calls: duckdb, spark (here), spark://HOST:PORT or sc://HOST:PORT.",
        ),
        click.option("--rejects", type=click.Path(dir_okay=False, path_type=Path), help="Where rejected rows go."),
        click.option(
            "--store",
            type=click.Path(file_okay=False, path_type=Path),
            help=f"Store that `breakeven import` filled; {DEFAULT_STORE} when absent.",
        ),
        click.option(
            "--usage",
            multiple=True,
            type=click.Path(path_type=Path),
            help="Log file or folder, read into a temporary store; may be repeated.",
        ),
    ):
        decorated = option(decorated)
    return cast(Command, reading_options(decorated))


def import_settings(
    log_format: str | None,
    maps: tuple[str, ...],
    sampled_fraction: float | None = None,
    prompts: str = "drop",
    vocabulary: bool = True,
) -> ImportSettings:
    """What the options of `reading_options` say; the salt of hashes comes from the environment (BREAKEVEN_SALT)."""
    from breakeven.usage.plan import ImportSettings
    from breakeven.usage.prompts.texts import PromptsMode

    mapping = dict(pairs(maps, "--map", "input_tokens=prompt_len"))
    return ImportSettings(
        format=log_format,
        mapping=mapping,
        salt=os.environ.get("BREAKEVEN_SALT", ""),
        sampled_fraction=sampled_fraction,
        prompts=cast(PromptsMode, prompts),
        vocabulary=vocabulary,
    )


def pairs(texts: tuple[str, ...], option: str, example: str) -> Iterator[tuple[str, str]]:
    """Split ``NAME=VALUE`` texts."""
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise click.UsageError(f"{option} {text}: wanted NAME=VALUE, e.g. {option} {example}")
        yield name.strip(), value.strip()


@contextmanager
def opened_calls(source: UsageSource, say: Callable[[str], None]) -> Iterator[OpenedCalls]:
    """The calls that the options mean; a log given with ``--usage`` is read into a store that is gone afterwards."""
    from breakeven.clock import now
    from breakeven.errors import UsageError
    from breakeven.usage.store import CallStore

    usage = source.usage
    if usage and source.store:
        raise click.UsageError("give --usage or --store, not both")
    if not usage:
        folder = source.store or DEFAULT_STORE
        if not (folder / "manifest.json").exists():
            raise UsageError(f"no calls in {folder}; run `breakeven import YOUR-LOG`, or give the log with --usage")
        with CallStore(folder, engine=source.engine) as kept:
            _refuse_bills_alone(kept, str(folder))
            yield OpenedCalls(kept, str(folder), None)
        return
    with CallStore.temporary(engine=source.engine) as passing:
        target = source.rejects or Path(f"{usage[0].name or 'log'}.rejects.jsonl")
        report = passing.ingest(
            list(usage),
            now=now(),
            settings=import_settings(
                source.log_format, source.maps, source.sampled_fraction, source.prompts, source.vocabulary
            ),
            reject_path=target,
            progress=lambda at: say(progress_text(at)),
            is_separate=source.separate,
        )
        _refuse_bills_alone(passing, usage[0].name)
        if report.rows_in and not passing.calls_count:
            raise UsageError(" ".join(reading_warnings(report)))
        yield OpenedCalls(passing, ", ".join(path.name for path in usage), report)


def _refuse_bills_alone(store: CallStore, where: str) -> None:
    from breakeven.errors import UsageError

    if store.bills_count and not store.calls_count:
        raise UsageError(
            f"{where} holds {store.bills_count:,} bills and no calls: amounts say nothing of requests and tokens;"
            " import a usage log as well, then `breakeven reconcile --invoice store` compares them"
        )


def progress_text(at: Progress) -> str:
    """One line about how far an import is."""
    files = f"file {at.files_done + 1} of {at.files_count}, " if at.files_count > 1 else ""
    return f"reading {at.file}: {files}{at.rows_in:,} rows"


def reading_warnings(report: IngestReport | None) -> tuple[str, ...]:
    """What reading lost or changed, for the report's warnings."""
    if report is None:
        return ()
    found = list(report.warnings)
    if report.rejects_count:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in list(report.rejects.items())[:3])
        where = f"; all of them are in {report.reject_path}" if report.reject_path else ""
        found.append(f"{report.rejects_count:,} of {report.rows_in:,} rows were rejected ({reasons}){where}.")
    for each in report.files:
        if each.status in ("empty", "not a log", "companion"):
            found.append(f"{each.name} was left out: {each.note or each.status}")
    return tuple(found)
