"""Watching: `pilot start`, `run`, `status`, `stop` and `restore`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from breakeven.cli.pilot.place import Reads, pilot_argument, reading_options

if TYPE_CHECKING:
    from breakeven.pilot.journal import Entry
    from breakeven.pilot.orders import Order
    from breakeven.pilot.running import Look


@click.command(
    short_help="Put the trial into the gateway's policy.",
    epilog="Example: breakeven pilot start faq && breakeven pilot run faq",
)
@pilot_argument
@click.option("--json", "as_json", is_flag=True, help="Print the journal's entry as JSON.")
def start(folder: Path, as_json: bool) -> None:
    """Promise the design as it is now, and put its trial into the gateway's policy.

    A gateway without a policy gets one that sends everything to the baseline. From now on what was promised is judged.
    """
    from breakeven.pilot.orders import give
    from breakeven.pilot.running import Pilot

    _tell([give(Pilot(folder), "start")], as_json)
    if not as_json:
        click.echo(f"Next: breakeven pilot run {folder.name}")


@click.command(
    short_help="Watch: ramp, stop a bad candidate, promote if told to.",
    epilog="Example: breakeven pilot run faq   |   breakeven pilot run faq --promote   |   "
    "breakeven pilot run faq --once --json",
)
@pilot_argument
@reading_options
@click.option("--every-s", type=click.FloatRange(0.05), default=2.0, show_default=True, help="How often it looks.")
@click.option("--promote", is_flag=True, help="Once every task is decided: give the accepted ones over, and watch on.")
@click.option("--roll-back", is_flag=True, help="After a promotion: an alarm puts the old policy back.")
@click.option("--until-decided", is_flag=True, help="End with the verdict's exit code once every task is decided.")
@click.option("--once", is_flag=True, help="Look once, act, and end (for cron).")
@click.option("--json", "as_json", is_flag=True, help="Print what happens as JSON lines.")
@click.pass_context
def run(
    ctx: click.Context,
    folder: Path,
    reads: Reads,
    every_s: float,
    promote: bool,
    roll_back: bool,
    until_decided: bool,
    once: bool,
    as_json: bool,
) -> None:
    """Watch a pilot: ramp a canary, stop a bad candidate by a new version of the policy, say so; safe to kill.

    Ends by itself when the verdict is no, or the pilot was stopped. With --once and --until-decided the exit code is
    the verdict's: 0 yes, 1 no, 2 not yet.
    """
    from breakeven.pilot.looking import watch

    last: Look | None = None
    for step in watch(
        reads.pilot(folder),
        every_s,
        promotes=promote,
        rolls_back=roll_back,
        until_decided=until_decided,
        is_once=once,
    ):
        last = step.look
        _tell(step.entries, as_json)
        if not as_json:
            _hint(last, step.entries, promotes=promote)
    if last is not None and last.verdict is not None and (once or until_decided or last.verdict.answer == "no"):
        from breakeven.cli.pilot.judging import EXIT_CODES

        ctx.exit(EXIT_CODES[last.verdict.answer])


@click.command(
    short_help="How it stands now; changes nothing.",
    epilog="Example: breakeven pilot status faq   |   breakeven pilot status faq --watch",
)
@pilot_argument
@reading_options
@click.option("--watch", is_flag=True, help="Stay, and show every change (Ctrl-C ends).")
@click.option("--every-s", type=click.FloatRange(0.05), default=2.0, show_default=True, help="With --watch.")
@click.option("--json", "as_json", is_flag=True, help="Print the pilot's JSON document.")
def status(folder: Path, reads: Reads, watch: bool, every_s: float, as_json: bool) -> None:
    """How a pilot stands now: outcomes, evidence, guards, savings, what is wrong with the input. Changes nothing."""
    from breakeven.pilot.looking import looks

    pilot = reads.pilot(folder)
    for look in looks(pilot, every_s, is_once=not watch):
        if watch and not as_json and sys.stdout.isatty():
            click.clear()
        _show_status(look, folder, as_json)


@click.command(
    short_help="Take the trial out of the policy, or promote.",
    epilog="Example: breakeven pilot stop faq   |   breakeven pilot stop faq --promote",
)
@pilot_argument
@reading_options
@click.option("--promote", is_flag=True, help="Give the accepted tasks to the candidate; refused where none is.")
@click.option("--keep-watching", is_flag=True, help="With --promote: the gateway goes on judging answers for `run`.")
@click.option("--roll-back", is_flag=True, help="After a promotion: the policy from before it is in force again.")
@click.option("--json", "as_json", is_flag=True, help="Print the journal's entry as JSON.")
def stop(folder: Path, reads: Reads, promote: bool, keep_watching: bool, roll_back: bool, as_json: bool) -> None:
    """End a pilot: take its trial out of the policy; everybody is served as before, or (--promote) by the candidate.

    With --roll-back a promotion is undone: the policy from before it is in force again.
    """
    from breakeven.pilot.orders import give

    if promote and roll_back:
        raise click.UsageError("--promote gives tasks to the candidate, --roll-back takes them back; give one of both")
    order: Order = "promote" if promote else "roll_back" if roll_back else "stop"
    _tell([give(reads.pilot(folder), order, keeps_watch=keep_watching)], as_json)


@click.command(
    short_help="Put the trial into a policy that was swapped.", epilog="Example: breakeven pilot restore faq"
)
@pilot_argument
@click.option("--json", "as_json", is_flag=True, help="Print the journal's entry as JSON.")
def restore(folder: Path, as_json: bool) -> None:
    """Put the trial into the policy that somebody put in place of the pilot's."""
    from breakeven.pilot.orders import give
    from breakeven.pilot.running import Pilot

    _tell([give(Pilot(folder), "restore")], as_json)


def _hint(look: Look, entries: Sequence[Entry], *, promotes: bool) -> None:
    """What a person does about a yes."""
    is_new = any(each.event == "verdict" and each.detail.get("answer") == "yes" for each in entries)
    if is_new and not promotes and not look.state.promoted_tasks:
        click.echo(f"The trial goes on; `breakeven pilot stop {look.design.name} --promote` gives these tasks over.")


def _tell(entries: Sequence[Entry], as_json: bool) -> None:
    for each in entries:
        if as_json:
            click.echo(json.dumps(each.plain(), ensure_ascii=False))
        else:
            from breakeven.cli.console import safe

            suffix = f" (policy {each.policy_hash[:12]})" if each.policy_hash else ""
            click.echo(safe(f"{each.at[:19].replace('T', ' ')}  {each.words}{suffix}"))


def _show_status(look: Look, folder: Path, as_json: bool) -> None:
    from breakeven.cli.console import stdout_console
    from breakeven.reports.pilot_document import to_json
    from breakeven.reports.pilot_look import document_of, next_command

    document = document_of(look)
    if as_json:
        click.echo(to_json(document), nl=False)
        return
    from breakeven.reports.pilot_terminal import render_status

    render_status(document, stdout_console(), next_command=next_command(look, folder))
