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
    from breakeven.usage.opened_calls import OpenedCalls
    from breakeven.usage.plan import ImportSettings

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
    """Split ``NAME=VALUE`` texts; a name with two values is refused."""
    said: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise click.UsageError(f"{option} {text}: wanted NAME=VALUE, e.g. {option} {example}")
        name, value = name.strip(), value.strip()
        if said.setdefault(name, value) != value:
            raise click.UsageError(f"{option}: {name} is said twice, {said[name]} and {value}; say it once")
        yield name, value


@contextmanager
def opened_calls(source: UsageSource, say: Callable[[str], None]) -> Iterator[OpenedCalls]:
    """The calls that the options mean; a log given with ``--usage`` is read into a store that is gone afterwards."""
    from breakeven.clock import now
    from breakeven.errors import UsageError
    from breakeven.usage.opened_calls import (
        OpenedCalls,
        has_store,
        kept_calls,
        no_calls,
        progress_text,
        reading_warnings,
        refuse_bills_alone,
    )
    from breakeven.usage.store import CallStore

    usage = source.usage
    if usage and source.store:
        raise click.UsageError("give --usage or --store, not both")
    if not usage:
        folder = source.store or DEFAULT_STORE
        if not has_store(folder):
            raise no_calls(folder)
        with CallStore(folder, engine=source.engine) as kept:
            yield kept_calls(kept, folder)
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
        refuse_bills_alone(passing, usage[0].name)
        if report.rows_in and not passing.calls_count:
            raise UsageError(" ".join(reading_warnings(report)))
        yield OpenedCalls(passing, ", ".join(path.name for path in usage), report)
