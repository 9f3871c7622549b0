"""audit: which kinds of work the calls are, and the share of calls and spend that a small model can do."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from breakeven.cli.command_group import CommandGroup
from breakeven.cli.usage_source import DEFAULT_STORE, UsageSource, opened_calls, source_options

if TYPE_CHECKING:
    from rich.console import Console

    from breakeven.audit.labelling import Walk
    from breakeven.audit.labels import Label
    from breakeven.audit.task import Audit
    from breakeven.decision.scenario import Scenario
    from breakeven.reports.answer import Question
    from breakeven.usage.opened_calls import OpenedCalls

LABELS_COUNT = 50


@click.group(
    cls=CommandGroup,
    invoke_without_command=True,
    epilog="Example: breakeven audit --usage calls.jsonl   |   breakeven audit label   |   breakeven audit --json",
)
@source_options
@click.option("--scenario", type=click.Path(dir_okay=False, path_type=Path), help="Scenario file; its prices are used.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Use the prices and facts of this date.")
@click.option("--small-model", metavar="NAME", help="Open model to route to; the cheapest small one when absent.")
@click.option("--labels", type=click.Path(dir_okay=False, path_type=Path), help="CSV of record_id,label (1, 2 or 3).")
@click.option(
    "--embeddings",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder with a model2vec model, for kept texts.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of samples, clusters and draws.")
@click.option("--json", "as_json", is_flag=True, help="Print the audit as JSON, as audit.json in the store holds it.")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    source: UsageSource,
    scenario: Path | None,
    as_of: datetime | None,
    small_model: str | None,
    labels: Path | None,
    embeddings: Path | None,
    seed: int,
    as_json: bool,
) -> None:
    """Group the calls into tasks and say, for each and in all, what a small model can do of it, and how sure that is.

    Tasks come from what the log says (task, application, endpoint, schema, system prompt), from templates found in
    the prompts, from words in common, or from model and length alone. Suitability rests on outcomes in the log, on
    labels of yours (`breakeven audit label`), else on a guess by kind of work. The audit is kept in the store.
    """
    if ctx.invoked_subcommand is not None:
        ctx.obj = source
        return
    from breakeven.audit.saved import save_audit, to_json
    from breakeven.cli.console import progress, stdout_console
    from breakeven.cli.scenario_options import scenario_from

    asked = scenario_from(scenario, (), None, as_of, seed)
    with progress() as say, opened_calls(source, say) as opened:
        found = _audit(opened, asked, small_model, _labels(opened, labels), embeddings, say)
        warnings = opened.warnings
        kept = not source.usage
        if kept:
            save_audit(found, opened.store.path)
    if as_json:
        click.echo(to_json(found), nl=False)
        return
    from breakeven.reports.audit_terminal import render_audit
    from breakeven.reports.audit_wording import next_command

    step = next_command(found, _place(source)) if kept else "breakeven import YOUR-LOG, then breakeven audit label"
    render_audit(found, stdout_console(), warnings=warnings, next_command=step)


@command.command(
    "label",
    short_help="Judge the most informative calls, one key each.",
    epilog="Example: breakeven audit label --store .breakeven   |   breakeven audit label --count 100",
)
@click.option("--store", type=click.Path(file_okay=False, path_type=Path), help=f"Store; {DEFAULT_STORE} when absent.")
@click.option(
    "--count", type=click.IntRange(1, 10_000), default=LABELS_COUNT, show_default=True, help="Calls to judge."
)
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Use the prices and facts of this date.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of samples, clusters and draws.")
@click.option("--scenario", type=click.Path(dir_okay=False, path_type=Path), help="Scenario file; its prices are used.")
@click.option("--small-model", metavar="NAME", help="Open model to route to; the cheapest small one when absent.")
@click.option("--json", "as_json", is_flag=True, help="Print the calls to judge as JSON, to be labelled elsewhere.")
@click.pass_obj
def label(
    given: UsageSource | None,
    /,
    store: Path | None,
    count: int,
    as_of: datetime | None,
    seed: int,
    scenario: Path | None,
    small_model: str | None,
    as_json: bool,
) -> None:
    """Walk through the calls that narrow the answer most: 1 a small model can, 2 it cannot, 3 cannot tell.

    s skips (skipped calls come last, in the dashboard too), u takes the last one back, q stops; every answer is kept
    at once in labels.jsonl of the store, and the next walk goes on where this one stopped. Texts are shown where the
    store keeps them, else what is known of the prompt.
    """
    from breakeven.audit.labelling import Walk
    from breakeven.audit.labels import label_file
    from breakeven.audit.saved import save_audit
    from breakeven.cli.console import progress, stdout_console
    from breakeven.cli.scenario_options import scenario_from
    from breakeven.clock import now
    from breakeven.reports.audit_answer import walk_answer

    source = UsageSource((), store or (given.store if given else None), None, None, ())
    asked = scenario_from(scenario, (), None, as_of, seed)
    with progress() as say, opened_calls(source, say) as opened:
        walking = walk_answer(_question(opened, asked), small_model, _labels(opened, None), count, say)
        found, calls = walking.audited.audit, walking.calls
        folder = opened.store.path
    if as_json:
        click.echo(json.dumps([asdict(each) for each in calls], indent=2, default=str))
        return
    walk = Walk(calls, label_file(folder), now)
    _walk(walk, stdout_console())
    if walk.judged_count:
        with progress() as say, opened_calls(source, say) as opened:
            found = _audit(opened, asked, small_model, _labels(opened, None), None, say)
            save_audit(found, folder)
    _say_what_changed(walk.judged_count, found, _place(source))


def _place(source: UsageSource) -> str:
    """The option that names the store, where it is not the usual one."""
    return f" --store {source.store}" if source.store else ""


def _walk(walk: Walk, console: Console) -> None:
    from breakeven.reports.audit_terminal import render_call

    if not walk.calls:
        click.echo("There is no call left to label.")
    shown = None
    while (call := walk.current) is not None:
        if shown is not call:
            render_call(call, console, walk.calls.index(call) + 1, len(walk.calls))
            shown = call
        key = _key()
        step = walk.press(key) if key else "quit"
        if step == "quit":
            break
        if step in ("unknown key", "nothing to undo"):
            click.echo(f"{step}: 1, 2, 3, s, u or q")
        elif step == "skipped":
            shown = None
            click.echo("skipped; it comes again at the end")
        elif step == "asked":
            click.echo(f"somebody else said meanwhile: {walk.theirs}; press the key of the judgement that counts")
        elif step == "left":
            click.echo("somebody else said the same meanwhile; theirs stands")
        elif step == "not yours":
            click.echo("nothing taken back: somebody else changed your last label, or took it back")


def _key() -> str:
    """One key on a terminal, one line elsewhere; empty at the end of the input."""
    if sys.stdin.isatty():
        return click.getchar()
    line = sys.stdin.readline()
    return line.strip() or ("3" if line else "")


def _say_what_changed(judged_count: int, found: Audit, place: str) -> None:
    from breakeven.reports.amounts import counted
    from breakeven.reports.audit_wording import next_command, verdict_sentence
    from breakeven.reports.safe_text import safe

    click.echo(f"{counted(judged_count, 'label')} kept." if judged_count else "Nothing was labelled.")
    click.echo(safe(verdict_sentence(found)))
    click.echo(safe(f"Next: {next_command(found, place)}"))


def _labels(opened: OpenedCalls, table: Path | None) -> tuple[Label, ...]:
    """The labels of the store, with those of a table over them."""
    from breakeven.audit.labels import label_file, read_label_table, read_labels

    kept = {each.record_id: each for each in read_labels(label_file(opened.store.path))}
    given = {each.record_id: each for each in read_label_table(table)} if table else {}
    return tuple({**kept, **given}.values())


def _audit(
    opened: OpenedCalls,
    scenario: Scenario,
    small_model: str | None,
    labels: tuple[Label, ...],
    embeddings: Path | None,
    say: Callable[[str], None],
) -> Audit:
    from breakeven.audit.embedding import embedder
    from breakeven.reports.audit_answer import audit_answer

    embed = embedder(embeddings, opened.store.texts()) if embeddings else None
    return audit_answer(_question(opened, scenario), small_model, labels, say, embed).audit


def _question(opened: OpenedCalls, scenario: Scenario) -> Question:
    from breakeven.clock import today
    from breakeven.reports.answer import Question

    return Question(opened.store, opened.label, scenario, today())
