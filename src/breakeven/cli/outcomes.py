"""outcomes: how often each model succeeds at each task, who says so, and what a success costs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from breakeven.learning.pricing import GivenPrice
    from breakeven.outcomes.judged import Judged, Sources
    from breakeven.outcomes.judging import Confusion
    from breakeven.outcomes.reading import ReadOutcomes

CANARY_REQUESTS_COUNT = 50
"""Requests that a file of canaries is made of: with none of 50 passed, a judge passes at most 4 % of that kind."""
_FILE = click.Path(dir_okay=False, path_type=Path)
GROUPS = ("task", "application", "api_key_hash", "endpoint", "system_hash", "schema_hash", "template_id", "none")


@click.command(
    epilog="Example: breakeven outcomes outcomes.csv --gold gold.csv   |   "
    "breakeven outcomes answers.jsonl --validators checks.yaml --out outcomes.jsonl"
)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--store", type=click.Path(file_okay=False, path_type=Path), help="Take outcomes from imported calls.")
@click.option(
    "--retry-minutes",
    "retry_minutes_count",
    type=click.FloatRange(0.1, 1440),
    help="With --store: a call asked again within so many minutes failed, the others succeeded.",
)
@click.option("--validators", type=_FILE, help="YAML with checks by task: json_schema, regex, labels, tools, ...")
@click.option("--allow-commands", is_flag=True, help="Let the validators run the commands they declare.")
@click.option("--feedback", type=_FILE, help="What users said: request_id[, model], success.")
@click.option("--gold", type=_FILE, help="Careful labels of a random sample: request_id, model, success.")
@click.option(
    "--agreement-with", metavar="MODEL", help="Judge the rest by agreement with MODEL, or with the `majority`."
)
@click.option(
    "--judge-errors",
    metavar="TP,FN,TN,FP",
    help="The judge on known answers: good passed, good failed, bad failed, bad passed.",
)
@click.option("--by", type=click.Choice(GROUPS), default="task", show_default=True, help="Column to split by.")
@click.option("--price", "prices", multiple=True, metavar="MODEL=USD", help="Per call, or IN/OUT per million tokens.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Use the list prices of this date.")
@click.option("--canaries", type=_FILE, help="Write answers that no honest judge passes, for your judge to judge.")
@click.option("--out", type=_FILE, help="Write the judged outcomes in the long format (.jsonl or .csv).")
@click.option("--rejects", type=_FILE, help="Where rejected rows go; FILE.rejects.jsonl here when absent.")
@click.option("--all", "every_task", is_flag=True, help="Show every task.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of draws and samples.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcomes document as JSON.")
def command(
    files: tuple[Path, ...],
    store: Path | None,
    retry_minutes_count: float | None,
    validators: Path | None,
    allow_commands: bool,
    feedback: Path | None,
    gold: Path | None,
    agreement_with: str | None,
    judge_errors: str | None,
    by: str,
    prices: tuple[str, ...],
    as_of: datetime | None,
    canaries: Path | None,
    out: Path | None,
    rejects: Path | None,
    every_task: bool,
    seed: int,
    as_json: bool,
) -> None:
    """Say how often each model succeeds at each task, with intervals, who says so, and what a success costs.

    FILES hold a row per request and model (request_id, task, prompt, model, success, cost_usd, response, source, ...)
    or a row per request (id, prompt, task, score__MODEL, cost__MODEL, ...); CSV, JSON lines or Parquet, also gzipped.
    Success may come from the file, from validators, feedback, agreement, or a judge that gold labels correct.
    """
    from breakeven.catalog.load import load_catalog
    from breakeven.cli.console import progress, stdout_console
    from breakeven.cli.learning_extra import refuse_strange, written_rejects
    from breakeven.clock import today
    from breakeven.outcomes.judged import Sources
    from breakeven.outcomes.validation import read_declaration
    from breakeven.outcomes.writing import write_outcomes
    from breakeven.reports.outcomes_answer import AskedOutcomes, answer_outcomes
    from breakeven.reports.outcomes_document import to_json

    if bool(files) == bool(store):
        raise click.UsageError("name files of outcomes, or --store with imported calls")
    if retry_minutes_count is not None and store is None:
        raise click.UsageError("--retry-minutes looks at imported calls; it needs --store")
    if gold is not None and judge_errors is not None:
        raise click.UsageError("--gold and --judge-errors both say how the judge errs; give one of them")
    if rejects is not None:
        refuse_strange(rejects)
    _refuse_overwriting((*files, validators, feedback, gold), {"out": out, "canaries": canaries, "rejects": rejects})
    declaration = read_declaration(validators, allow_commands=allow_commands) if validators else None
    sources = Sources(declaration, feedback, gold, agreement_with, _confusion(judge_errors), seed)
    with progress(as_json) as say:
        found = _judged(files, store, retry_minutes_count, as_of, sources, say)
        if canaries:
            _write_canaries(canaries, found, seed)
        if out:
            write_outcomes(out, found.outcomes, found.others)
        say("success and its cost")
        set_aside = written_rejects(found.rejects, files, rejects)
        asked = AskedOutcomes("" if by == "none" else by, _prices(prices), seed, set_aside)
        document = answer_outcomes(found, asked, load_catalog(as_of.date() if as_of else today()))

    if as_json:
        click.echo(to_json(document), nl=False)
        return
    from breakeven.reports.outcomes_terminal import render_outcomes

    named = " ".join(str(each) for each in files[:1])
    step = f"breakeven learn --outcomes {named} --quality-floor 0.95" if files and len(document.models) > 1 else ""
    render_outcomes(document, stdout_console(), every_task=every_task, next_command=step)
    for path, what in ((out, "outcomes"), (canaries, "canaries for your judge")):
        if path:
            click.echo(f"Wrote {what}: {path}")


def _refuse_overwriting(inputs: tuple[Path | None, ...], outputs: dict[str, Path | None]) -> None:
    """What is read is never written over, and no two outputs are one file."""
    read = {each.resolve() for each in inputs if each is not None}
    taken: dict[Path, str] = {}
    for name, path in outputs.items():
        if path is None:
            continue
        if path.resolve() in read:
            raise click.UsageError(f"--{name} would write over {path}, which is read; give another path")
        if path.resolve() in taken:
            raise click.UsageError(f"--{taken[path.resolve()]} and --{name} both write {path}; give each its own")
        taken[path.resolve()] = name


def _judged(
    files: tuple[Path, ...],
    store: Path | None,
    retry_minutes_count: float | None,
    as_of: datetime | None,
    sources: Sources,
    say: Callable[[str], None],
) -> Judged:
    from breakeven.outcomes.judged import judged, read_and_judge

    say("reading the outcomes")
    if store is None:
        return read_and_judge(files, sources)
    return judged(_from_store(store, retry_minutes_count, as_of, sources), sources)


def _from_store(
    store: Path, retry_minutes_count: float | None, as_of: datetime | None, sources: Sources
) -> ReadOutcomes:
    from breakeven.catalog.load import load_catalog
    from breakeven.clock import today
    from breakeven.errors import UsageError
    from breakeven.outcomes.calls_seen import CallChoice, table_from_calls
    from breakeven.outcomes.labels import labelled_ids
    from breakeven.usage.store import CallStore

    if not store.is_dir():
        raise UsageError(f"{store}: no such store; run `breakeven import YOUR-LOG --store {store}` first")
    catalog = load_catalog(as_of.date() if as_of else today())
    with CallStore(store) as opened:
        files = [each for each in (sources.feedback, sources.gold) if each is not None]
        ids = frozenset[str]().union(*(labelled_ids(each) for each in files))
        choice = CallChoice(retry_minutes_count=retry_minutes_count, seed=sources.seed, judged_ids=ids)
        return table_from_calls(opened.calls(), catalog, choice=choice, label=str(store))


def _prices(texts: tuple[str, ...]) -> dict[str, GivenPrice]:
    from breakeven.learning.pricing import given_price

    return dict(given_price(each) for each in texts)


def _write_canaries(path: Path, found: Judged, seed: int) -> None:
    from breakeven.outcomes.canaries import canary_rows
    from breakeven.outcomes.writing import write_canaries

    if not write_canaries(path, canary_rows(found.outcomes.table, CANARY_REQUESTS_COUNT, seed)):
        raise click.ClickException(f"no request has a prompt, so {path} holds no canary")


def _confusion(text: str | None) -> Confusion | None:
    if text is None:
        return None
    from breakeven.outcomes.judging import Confusion

    counts = text.replace(" ", "").split(",")
    if len(counts) != 4 or not all(each.isdigit() for each in counts):
        raise click.UsageError(f"--judge-errors is '{text}'; wanted four counts, such as 95,5,80,20")
    return Confusion(*(int(each) for each in counts))
