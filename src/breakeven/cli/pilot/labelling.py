"""Labelling: `pilot label`: the audit's answers, shown blind, labelled in the terminal or through a file."""

from __future__ import annotations

import csv
import getpass
import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from breakeven.cli.pilot.place import pilot_argument

if TYPE_CHECKING:
    from breakeven.pilot.label_queue import Item, Queue

_FILE = click.Path(dir_okay=False, path_type=Path)
_KEYS: Final = {"y": 1.0, "n": 0.0}


@click.command(
    short_help="Label the audit's answers, blind.",
    epilog="Example: breakeven pilot label faq   |   breakeven pilot label faq --export todo.csv   |   "
    "breakeven pilot label faq --from todo.csv --labeller ann",
)
@pilot_argument
@click.option("--labeller", metavar="NAME", help="Who labels; your user name when absent.")
@click.option("--count", "items_count", type=click.IntRange(1), help="Stop after so many.")
@click.option(
    "--again", is_flag=True, help="Also what others labelled: two labels of an answer tell how far people agree."
)
@click.option("--export", type=_FILE, help="Write the answers that wait as CSV, with an empty column success.")
@click.option("--from", "filled", type=_FILE, help="Take labels from a file: item, success.")
@click.option("--json", "as_json", is_flag=True, help="Print how far the queue is as JSON; asks nothing.")
def label(
    folder: Path,
    labeller: str | None,
    items_count: int | None,
    again: bool,
    export: Path | None,
    filled: Path | None,
    as_json: bool,
) -> None:
    """Label the audit's answers: was each good? Nobody is told which model gave it.

    A judge model's labels alone never promote a model; these labels of a random share make them count. Press y or n,
    s to skip one, q to end; what was labelled is kept at once.
    """
    from breakeven.clock import now
    from breakeven.pilot.design_file import read_design
    from breakeven.pilot.label_queue import add_labels, read_queue

    found = read_design(folder)
    sources = [Path(each) for each in found.design.sources]
    queue = read_queue(sources, folder, found.trial_name)
    who = labeller or getpass.getuser()
    at = now().isoformat(timespec="seconds")
    if filled is not None:
        _take_file(filled, queue, folder, who, at, as_json=as_json)
        queue = read_queue(sources, folder, found.trial_name)
    waiting = queue.waiting(who, again=again)[:items_count]
    if export is not None:
        _export(export, waiting)
    elif not as_json and filled is None:
        shown = tuple(each for each in waiting if each.has_text)
        for number, item in enumerate(shown, 1):
            success = _asked(item, number, len(shown))
            if success == "end":
                break
            if isinstance(success, float):
                add_labels(folder, [(item, success)], who, at)
        queue = read_queue(sources, folder, found.trial_name)
    _tell(queue, who, again=again, as_json=as_json, export=export)


def _asked(item: Item, number: int, count: int) -> float | str:
    from breakeven.cli.console import safe

    click.echo(f"\n{number} of {count}, task {safe(item.task) or 'not named'}, item {item.id}")
    click.secho("Prompt: ", nl=False, bold=True)
    click.echo(safe(item.prompt) or "(not kept)")
    click.secho("Answer: ", nl=False, bold=True)
    click.echo(safe(item.answer) or "(empty)")
    while True:
        key = click.prompt("Good? y/n/s/q", prompt_suffix=" ", type=str).strip().casefold()[:1]
        if key in _KEYS:
            return _KEYS[key]
        if key in ("s", "q"):
            return "end" if key == "q" else "skip"
        click.echo("y: good, n: not good, s: skip it, q: end")


def _export(path: Path, items: tuple[Item, ...]) -> None:
    from breakeven.errors import OutputError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["item", "task", "prompt", "answer", "success"])
            for each in items:
                writer.writerow([each.id, *map(_cell, (each.task, each.prompt, each.answer)), ""])
    except OSError as error:
        raise OutputError(f"--export {path}: cannot be written ({error.strerror})") from None


def _cell(text: str) -> str:
    r"""A text as a cell: its lines, without control characters, and no formula, wherever a spreadsheet looks for one.

    >>> _cell("+1\x1b]0;x\x07"), _cell("\x00 =A1"), _cell("one\ntwo")
    ("'+1", "'=A1", 'one\ntwo')
    """
    from breakeven.cli.console import safe
    from breakeven.outcomes.cell_marks import marked

    return marked("\n".join(map(safe, text.splitlines())).strip())


def _take_file(path: Path, queue: Queue, folder: Path, who: str, at: str, *, as_json: bool) -> None:
    from breakeven.cli.learning_extra import refuse_strange
    from breakeven.outcomes.writing import write_rejects
    from breakeven.pilot.label_queue import add_labels, labels_of_file

    labels, rejects = labels_of_file(path, queue)
    mine = {(name, said.success_fraction) for name, each in queue.labelled.items() for said in each if said.who == who}
    new = [(item, success) for item, success in labels if (item.id, success) not in mine]
    add_labels(folder, new, who, at)
    if rejects:
        aside = Path(f"{path.name}.rejects.jsonl")
        refuse_strange(aside)
        write_rejects(aside, rejects)
    if not as_json:
        known = f", {len(labels) - len(new):,} known before" if len(new) < len(labels) else ""
        click.echo(f"{path}: {len(new):,} labels kept{known}.")
        if rejects:
            click.echo(f"{len(rejects):,} rows are no labels; the first: {rejects[0]}. All: {aside}")


def _tell(queue: Queue, who: str, *, again: bool, as_json: bool, export: Path | None) -> None:
    from breakeven.pilot.label_queue import queue_facts, queue_words

    if as_json:
        click.echo(json.dumps(queue_facts(queue, who, again=again), indent=1))
        return
    if export is not None:
        click.echo(f"Wrote {export}: fill in success (1 or 0), then: breakeven pilot label --from {export}")
    click.echo(queue_words(queue, who, again=again))
