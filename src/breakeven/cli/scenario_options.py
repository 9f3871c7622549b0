"""Scenario options: the options that pin or override what a comparison takes as given."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import click

from breakeven.cli.usage_source import pairs

if TYPE_CHECKING:
    from breakeven.decision.scenario import Scenario

Command = TypeVar("Command", bound=Callable[..., Any])
QUESTIONS: Final = {
    "data_sensitive": "Is the data sensitive (personal, regulated, secret)?",
    "fine_tuning": "Does the work need a model fine-tuned on your data?",
    "mlops_team": "Is there a team that can run models on GPUs?",
    "accuracy": "Does an open model reach 95 % of the quality you need?",
}
"""What only the user can say of the five questions: key under `answers` -> the option's help."""
USUAL_PATH: Final = Path("scenario.yaml")
"""Where `breakeven init` writes; the dashboard reads it from there, a verb only when it is named."""


def scenario_options(command: Command) -> Command:
    """``--scenario``, ``--set``, ``--options``, ``--as-of``, ``--seed``, ``--outcomes``, and the user's own answers.

    The command receives one `scenario`.
    """

    @functools.wraps(command)
    def with_scenario(**given: Any) -> Any:
        names = ("scenario", "sets", "options", "as_of", "seed")
        is_asked = given.get("report") is None  # a finished document has its scenario in it
        if is_asked and given["scenario"] is None and USUAL_PATH.is_file():
            click.echo(f"{USUAL_PATH} lies here and is not used; --scenario {USUAL_PATH} uses it.", err=True)
        scenario = scenario_from(*(given.pop(name) for name in names))
        border, answers = given.pop("data_may_not_leave"), {name: given.pop(name) for name in QUESTIONS}
        outcomes = given.pop("outcomes")
        if outcomes is not None:
            scenario = scenario.with_outcomes(outcomes)
        return command(scenario=with_answers(scenario, answers, border), **given)

    decorated: Any = with_scenario
    for option in (
        *(
            click.option(f"--{name.replace('_', '-')}", name, type=click.Choice(["yes", "no"]), help=text)
            for name, text in reversed(QUESTIONS.items())
        ),
        click.option(
            "--data-may-not-leave",
            type=click.Choice(["eu", "own_vpc"]),
            help="Leave out options that take data out of the EU, or off machines of yours.",
        ),
        click.option(
            "--outcomes",
            type=click.Path(dir_okay=False, path_type=Path),
            help="File of outcomes: its success rates take the place of assumed ones.",
        ),
        click.option("--seed", type=click.IntRange(0), help="Seed of the draws."),
        click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Use the prices and facts of this date."),
        click.option(
            "--options",
            metavar="A,B",
            help="Options to compare, separated by commas; all when absent. Also api, managed, spot, owned.",
        ),
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
    from breakeven.options.discover import options_said

    scenario = load_scenario(path, dict(pairs(sets, "--set", "engineer_usd_per_year=180000")))
    said: dict[str, Any] = {}
    if options is not None:
        said["options"] = options_said(tuple(name.strip() for name in options.split(",") if name.strip()))
    if as_of is not None:
        said["as_of"] = as_of.date()
    if seed is not None:
        said["seed"] = seed
    return scenario.model_copy(update=said)


def with_answers(scenario: Scenario, answers: Mapping[str, str | None], border: str | None) -> Scenario:
    """The scenario with the questions that the command line answers, over what the file says."""
    said = {name: text == "yes" for name, text in answers.items() if text is not None}
    update: dict[str, Any] = {"answers": scenario.answers.model_copy(update=said)} if said else {}
    if border is not None:
        update["data_may_not_leave"] = border
    return scenario.model_copy(update=update) if update else scenario
