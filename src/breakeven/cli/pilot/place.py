"""Place: which pilot a command means (a folder, or a name below `pilots/`), and what it reads beside its design."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import click

if TYPE_CHECKING:
    from breakeven.pilot.running import Pilot

PILOTS_FOLDER: Final = Path("pilots")
Command = TypeVar("Command", bound=Callable[..., Any])


def pilot_argument(command: Command) -> Command:
    """The argument PILOT; the command receives its folder as `folder`."""
    return click.argument("folder", metavar="[PILOT]", required=False, callback=_folder)(command)


@dataclass(frozen=True, slots=True)
class Reads:
    """What is read beside what the design names."""

    outcome_files: tuple[Path, ...] = ()
    prices: tuple[str, ...] = ()

    def pilot(self, folder: Path) -> Pilot:
        """The pilot in a folder."""
        from breakeven.learning.pricing import given_price
        from breakeven.pilot.running import Pilot
        from breakeven.routing.policy_document import PricedModel

        prices = []
        for text in self.prices:
            name, given = given_price(text)
            prices.append(PricedModel(name, given.input_usd_per_mtok, given.output_usd_per_mtok, given.usd_per_request))
        return Pilot(folder, outcome_files=self.outcome_files, prices=tuple(prices))


def reading_options(command: Command) -> Command:
    """More outcomes, and prices of calls that have none; the command receives them as `reads`."""

    @functools.wraps(command)
    def with_reads(**given: Any) -> Any:
        return command(reads=Reads(given.pop("outcome_files"), given.pop("prices")), **given)

    decorated: Any = with_reads
    decorated = click.option(
        "--price", "prices", multiple=True, metavar="MODEL=USD", help="Of calls without a price; or IN/OUT per mtok."
    )(decorated)
    decorated = click.option(
        "--outcomes",
        "outcome_files",
        multiple=True,
        type=click.Path(path_type=Path),
        help="More outcomes or labels: a file with request_id, success[, model, source].",
    )(decorated)
    return cast(Command, decorated)


def _folder(_ctx: click.Context, _param: click.Parameter, value: str | None) -> Path:
    from breakeven.pilot.design_file import DESIGN_NAME
    from breakeven.pilot.pilot_folders import which_pilot

    if value is not None and (Path(value) / DESIGN_NAME).exists():
        return Path(value)
    return which_pilot(value, PILOTS_FOLDER)
