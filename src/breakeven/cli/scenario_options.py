"""Scenario options: the options that pin or override what a comparison takes as given."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from breakeven.cli.usage_source import pairs

if TYPE_CHECKING:
    from breakeven.decision.scenario import Scenario

Command = TypeVar("Command", bound=Callable[..., Any])


def scenario_options(command: Command) -> Command:
    """``--scenario``, ``--set``, ``--options``, ``--as-of``, ``--seed``; the command receives one `scenario`."""

    @functools.wraps(command)
    def with_scenario(**given: Any) -> Any:
        names = ("scenario", "sets", "options", "as_of", "seed")
        return command(scenario=scenario_from(*(given.pop(name) for name in names)), **given)

    decorated: Any = with_scenario
    for option in (
        click.option("--seed", type=click.IntRange(0), help="Seed of the draws."),
        click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Use the prices and facts of this date."),
        click.option("--options", metavar="A,B", help="Options to compare, separated by commas; all when absent."),
        click.option("--set", "sets", multiple=True, metavar="NAME=VALUE", help="Override a fact; may be repeated."),
        click.option(
            "--scenario",
            type=click.Path(dir_okay=False, path_type=Path),
            help="Scenario file; `breakeven init` writes one.",
        ),
    ):
        decorated = option(decorated)
    return cast(Command, decorated)


def scenario_from(
    path: Path | None, sets: tuple[str, ...], options: str | None, as_of: datetime | None, seed: int | None
) -> Scenario:
    """The scenario file with what the command line says over it."""
    from breakeven.decision.scenario import load_scenario

    scenario = load_scenario(path, dict(pairs(sets, "--set", "engineer_usd_per_year=180000")))
    said: dict[str, Any] = {}
    if options is not None:
        said["options"] = tuple(name.strip() for name in options.split(",") if name.strip())
    if as_of is not None:
        said["as_of"] = as_of.date()
    if seed is not None:
        said["seed"] = seed
    return scenario.model_copy(update=said)
