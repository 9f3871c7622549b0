"""learn: a routing policy from outcomes that keeps a quality floor, or the answer that none is worth having."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from breakeven.cli.learning_extra import Amount

if TYPE_CHECKING:
    from breakeven.learning.savings import Charges
    from breakeven.learning.settings import LearnSettings
    from breakeven.outcomes.outcome import OutcomeTable

Value = TypeVar("Value")


@click.command(
    epilog="Example: breakeven learn --outcomes outcomes.csv --quality-floor 0.95 --out policy   |   "
    "breakeven learn --outcomes outcomes.csv --incumbent gpt-5 --failure-usd 0.5 --explain"
)
@click.option(
    "--outcomes",
    "files",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    help="File of outcomes (CSV, JSONL, Parquet; long or wide); may be given several times.",
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder to write the policy to.")
@click.option("--quality-floor", type=float, default=0.95, show_default=True, help="Part of the reference's success.")
@click.option(
    "--floor", "floors", multiple=True, metavar="TASK=PART", help="A task's own floor, proven on its requests."
)
@click.option("--confidence", type=float, default=0.95, show_default=True, help="That the floor is kept.")
@click.option("--reference", metavar="MODEL", help="Model the floor is a part of; the incumbent, else the best one.")
@click.option("--incumbent", metavar="MODEL", help="Model in use today: savings are printed against it.")
@click.option(
    "--price", "prices", multiple=True, metavar="MODEL=USD", help="USD per call, or IN/OUT per million tokens."
)
@click.option("--output-tokens", type=Amount(), help="Tokens of an answer, where the file has none.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Use the prices of this date.")
@click.option("--failure-usd", "failures", multiple=True, metavar="[TASK=]USD", help="What a failed answer costs.")
@click.option("--capacity", "capacities", multiple=True, metavar="MODEL=SHARE", help="Largest share of the requests.")
@click.option("--budget-usd", type=Amount(above_zero=True), help="Most USD per request, on average.")
@click.option("--only", "residency", multiple=True, metavar="TASK=MODEL,...", help="The only models for a task's data.")
@click.option("--max-latency-s", type=Amount(above_zero=True), help="Longest 95 % quantile of a model.")
@click.option("--validators", type=click.Path(dir_okay=False, path_type=Path), help="YAML: checks of answers by task.")
@click.option("--check-usd", type=Amount(), default=0.0, help="Cost of one check of an answer.")
@click.option("--lost-cache-usd", type=Amount(), help="Prompt-cache hits lost, USD per request.")
@click.option("--judge-usd", type=Amount(), help="Judge that labels, USD per request.")
@click.option("--shadow-usd", type=Amount(), help="Shadow calls, USD per request.")
@click.option("--router-usd", type=Amount(), help="The router itself, USD per request.")
@click.option("--with-rows", is_flag=True, help="Let the scorer hold training rows (it may be a little better).")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of splits, fits and draws.")
@click.option(
    "--tasks",
    "tasks_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write a classifier of the prompts' tasks to, for a gateway whose clients name none.",
)
@click.option("--explain", is_flag=True, help="What decides, examples on both sides, the curve as a chart.")
@click.option("--json", "as_json", is_flag=True, help="Print the JSON document instead of the page.")
def command(
    files: tuple[Path, ...],
    out: Path | None,
    prices: tuple[str, ...],
    as_of: datetime | None,
    output_tokens: float | None,
    tasks_file: Path | None,
    explain: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Learn which model should answer which request, from outcomes of two models or more on the same requests.

    The policy keeps a floor: with 95 % confidence, at least 95 % of the reference model's success, proven on requests
    that nothing was learnt from. Groups (application, system prompt, template, task) are looked at first, the words of
    a prompt only where they add to that. It may answer: do not route. Needs the extra `learning`.
    """
    from breakeven.catalog.load import load_catalog
    from breakeven.cli.console import progress, stdout_console
    from breakeven.cli.learning_extra import set_aside
    from breakeven.clock import today
    from breakeven.learning.pricing import given_price
    from breakeven.outcomes.judged import Sources, read_and_judge
    from breakeven.reports.learn_answer import LearnRequest, answer_learn, needs_learning, report_text

    needs_learning()
    if out is not None:
        _refuse_unwritable(out)
    with progress() as say:
        say("outcomes")
        judged = read_and_judge(files, Sources(seed=options["seed"]))
        read = judged.outcomes
        if tasks_file is not None:
            say("tasks")
            click.echo(_written_tasks(read.table, tasks_file, options["seed"]), err=True)
        catalog = load_catalog(as_of.date() if as_of else today())
        request = LearnRequest(
            _settings(options), _charges(options), _once(map(given_price, prices), "--price"), output_tokens
        )
        document = answer_learn(request, read, catalog, today(), out, say, judged.others)
        if explain and out is not None:
            from breakeven.reports.routing_chart import write_curve

            write_curve(document, out / "curve.svg")
    warnings = set_aside(read, files)
    if as_json:
        click.echo(report_text(document), nl=False)
        return
    from breakeven.reports.routing_terminal import render_learnt

    next_command = f"breakeven evaluate --policy {out} --outcomes OTHER-REQUESTS.csv" if out else "add --out policy"
    render_learnt(document, stdout_console(), explain=explain, next_command=next_command, warnings=warnings)


def _refuse_unwritable(folder: Path) -> None:
    """Before minutes of learning: whether its policy could be written there."""
    from breakeven.errors import OutputError

    there = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise OutputError(f"cannot write a policy to {folder}: {there} is no folder that may be written to.")


def _written_tasks(table: OutcomeTable, path: Path, seed: int) -> str:
    """Write a classifier of tasks, and say how it does."""
    from breakeven.learning.task_naming import fit_task_naming
    from breakeven.routing.task_naming import save_task_naming

    fitted = fit_task_naming(table.prompts, table.tasks, seed)
    save_task_naming(fitted.naming, path)
    rare = f" Too rare to be learnt: {', '.join(fitted.rare_tasks)}." if fitted.rare_tasks else ""
    return (
        f"{path}: {len(fitted.naming.tasks)} tasks from {fitted.prompts_count:,} prompts. Of prompts held out it names "
        f"{100 * fitted.named_fraction:.0f} %, and {100 * fitted.right_fraction:.1f} % of these rightly (at least "
        f"{100 * fitted.right_low_fraction:.1f} %, 95 % confidence).{rare}"
    )


def _settings(options: dict[str, Any]) -> LearnSettings:
    from breakeven.cli.learning_extra import checks_by_task, quality_floor
    from breakeven.errors import LearningError
    from breakeven.learning.families import Capacities
    from breakeven.learning.settings import LearnSettings

    floor, confidence = quality_floor(options["quality_floor"]), options["confidence"]
    if not 0.5 <= confidence < 1:
        raise LearningError(f"--confidence {confidence:g}: wanted a fraction from 0.5 to below 1, such as 0.95")
    return LearnSettings(
        quality_floor_ratio=floor,
        floor_by_task=_once(map(_task_floor, options["floors"]), "--floor"),
        confidence_fraction=confidence,
        reference=options["reference"],
        incumbent=options["incumbent"],
        failure_usd=_once((_amount(each, "--failure-usd", "") for each in options["failures"]), "--failure-usd"),
        limits=Capacities(_once(map(_share, options["capacities"]), "--capacity"), options["budget_usd"]),
        allowed_by_task=_once(map(_models_of_task, options["residency"]), "--only"),
        latency_max_s=options["max_latency_s"],
        validators=checks_by_task(options["validators"]),
        check_usd_per_request=options["check_usd"],
        keeps_rows=options["with_rows"],
        seed=options["seed"],
    )


def _once(pairs: Iterable[tuple[str, Value]], option: str) -> dict[str, Value]:
    """What an option says of each name; of two that contradict each other nobody can say which one is meant."""
    found: dict[str, Value] = {}
    for name, value in pairs:
        if found.setdefault(name, value) != value:
            raise click.BadParameter(f"{name or 'all others'} is said twice, and not alike", param_hint=option)
    return found


def _charges(options: dict[str, Any]) -> Charges:
    from breakeven.learning.savings import Charges

    return Charges(options["lost_cache_usd"], options["judge_usd"], options["shadow_usd"], options["router_usd"])


def _amount(text: str, option: str, unnamed: str | None = None) -> tuple[str, float]:
    """`NAME=NUMBER`, or a number alone where `unnamed` names all others."""
    name, equals, value = text.rpartition("=")
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf") or not (name or (unnamed is not None and not equals)):
        raise click.BadParameter(f"saw '{text}'; wanted NAME=NUMBER, the number 0 or more", param_hint=option)
    return (name or unnamed or "").strip(), number


def _task_floor(text: str) -> tuple[str, float]:
    task, ratio = _amount(text, "--floor")
    if not 0 < ratio <= 1:
        raise click.BadParameter(
            f"saw '{text}'; wanted TASK=PART, a part of the reference's success such as 0.99", param_hint="--floor"
        )
    return task, ratio


def _share(text: str) -> tuple[str, float]:
    name, value = _amount(text, "--capacity")
    if value > 1:
        raise click.BadParameter(
            f"{name}={value:g}: wanted a share of the requests from 0 to 1", param_hint="--capacity"
        )
    return name, value


def _models_of_task(text: str) -> tuple[str, tuple[str, ...]]:
    task, equals, names = text.partition("=")
    models = tuple(each.strip() for each in names.split(",") if each.strip())
    if not equals or not models:
        raise click.BadParameter(f"saw '{text}'; wanted TASK=MODEL,MODEL", param_hint="--only")
    return task.strip(), models
