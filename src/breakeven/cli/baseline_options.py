"""Baseline options: an older comparison to hold the new one against, and how far a cost may move."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import click

if TYPE_CHECKING:
    from breakeven.reports.document import Document
    from breakeven.reports.price_watch_part import PriceWatchPart

Command = TypeVar("Command", bound=Callable[..., Any])

MOVED: Final = 2
"""Exit code when the recommendation changed or a cost moved beyond the bound."""
DEFAULT_BOUND: Final = "10%"


@dataclass(frozen=True, slots=True)
class Baseline:
    """The document to compare with, and the bound."""

    document: Document
    path: Path
    bound_fraction: float

    def watch(self, document: Document) -> PriceWatchPart:
        """What changed from the baseline to `document`."""
        from breakeven.reports.price_watch import price_watch

        return price_watch(self.document, document, self.bound_fraction)


def baseline_options(command: Command) -> Command:
    """``--baseline`` and ``--bound``; the command receives one `baseline`, read already, or None."""

    @functools.wraps(command)
    def with_baseline(**given: Any) -> Any:
        path, bound = given.pop("baseline"), given.pop("bound")
        return command(baseline=_baseline(path, bound), **given)

    decorated: Any = with_baseline
    for option in (
        click.option(
            "--bound",
            default=DEFAULT_BOUND,
            callback=_share,
            show_default=True,
            metavar="SHARE",
            help="How far a cost may move from the baseline.",
        ),
        click.option(
            "--baseline",
            type=click.Path(dir_okay=False, path_type=Path),
            metavar="OLD.json",
            help="Print what changed since this older comparison instead of the page. Exit code 2 when the "
            "recommendation changed, or the cost of an option moved beyond the bound.",
        ),
    ):
        decorated = option(decorated)
    return cast(Command, decorated)


def _share(ctx: click.Context, param: click.Parameter, value: str) -> float:
    """10% or 0.1 as a fraction; a number above 1 without % is refused, since nobody knows what it means."""
    text = value.strip()
    percent = text.endswith("%")
    try:
        number = float(text.removesuffix("%"))
    except ValueError:
        number = -1.0
    share = number / 100 if percent else number
    if not 0 <= share < float("inf") or (not percent and share > 1):
        raise click.BadParameter(f"{value} is no share; wanted e.g. 10% or 0.1", ctx, param)
    return share


def _baseline(path: Path | None, bound_fraction: float) -> Baseline | None:
    if path is None:
        return None
    from breakeven.reports.document import read_document

    return Baseline(read_document(path), path, bound_fraction)


def show_watch(watch: PriceWatchPart, *, as_json: bool) -> None:
    """Print what changed."""
    if as_json:
        import json

        click.echo(json.dumps(watch.model_dump(mode="json"), indent=2, allow_nan=False, ensure_ascii=False))
        return
    from breakeven.cli.console import stdout_console
    from breakeven.reports.price_watch_terminal import render_price_watch

    render_price_watch(watch, stdout_console())
