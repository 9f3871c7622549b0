"""Place: which pilot a command means: a folder, or a name below `pilots/`; the only one there where none is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

PILOTS_FOLDER: Final = Path("pilots")
Command = TypeVar("Command", bound=Callable[..., Any])


def pilot_argument(command: Command) -> Command:
    """The argument PILOT; the command receives its folder as `folder`."""
    return click.argument("folder", metavar="[PILOT]", required=False, callback=_folder)(command)


def outcomes_option(command: Command) -> Command:
    """More files of outcomes than the design names."""
    return click.option(
        "--outcomes",
        "outcome_files",
        multiple=True,
        type=click.Path(path_type=Path),
        help="More outcomes or labels: a file with request_id, success[, model, source].",
    )(command)


def _folder(_ctx: click.Context, _param: click.Parameter, value: str | None) -> Path:
    from breakeven.errors import PilotError, nearest
    from breakeven.pilot.design_file import DESIGN_NAME

    known = sorted(each.parent.name for each in PILOTS_FOLDER.glob(f"*/{DESIGN_NAME}"))
    if value is None:
        if len(known) == 1:
            return PILOTS_FOLDER / known[0]
        there = f"there are {', '.join(known)}" if known else "there is none here"
        raise PilotError(f"which pilot? {there}; `breakeven pilot init NAME` designs one")
    for each in (Path(value), PILOTS_FOLDER / value):
        if (each / DESIGN_NAME).exists():
            return each
    words = nearest(value, known) if known else "`breakeven pilot init NAME` designs one"
    raise PilotError(f"no pilot '{value}': neither a folder with {DESIGN_NAME} nor a name in {PILOTS_FOLDER}/; {words}")
