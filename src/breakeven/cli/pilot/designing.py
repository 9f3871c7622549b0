"""Designing: `pilot init`: what a pilot promises, its size, days, odds and cost, written before anything starts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from breakeven.cli.learning_extra import Amount
from breakeven.cli.pilot.place import PILOTS_FOLDER

if TYPE_CHECKING:
    from breakeven.pilot.design import Design, RampStep, TaskPlan
    from breakeven.pilot.expectations import Known

_FOLDER = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)
_GIVEN: Final = {
    "requests_per_hour": "requests_per_hour",
    "success": "baseline_success_fraction",
    "ratio": "candidate_to_baseline_ratio",
    "correlation": "correlation_fraction",
    "baseline_usd": "baseline_usd_per_request",
    "candidate_usd": "candidate_usd_per_request",
}
"""Option -> figure of a plan."""


class Shares(click.ParamType[tuple[float, ...]]):
    """Shares of a ramp: rising numbers."""

    name = "shares"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The numbers of a text such as 0.01,0.05,0.2,0.5; percent may be written."""
        if not isinstance(value, str):
            return value
        try:
            return tuple(
                float(each.rstrip("%")) / (100 if each.strip().endswith("%") else 1) for each in value.split(",")
            )
        except ValueError:
            self.fail(f"{value!r} is no list of shares; wanted 0.01,0.05,0.2,0.5 or 1%,5%,20%,50%", param, ctx)


@click.command(
    short_help="Write down what it must show, its size, days, odds and cost.",
    epilog="Example: breakeven pilot init faq --baseline gpt-4o --candidate qwen-7b --task faq --gateway gateway.yaml"
    "   |   breakeven pilot init offline --mode offline --outcomes evals.csv --baseline gpt-4o --candidate qwen-7b",
)
@click.argument("name")
@click.option("--baseline", required=True, metavar="MODEL", help="The model in use.")
@click.option("--candidate", required=True, metavar="MODEL", help="The cheaper model.")
@click.option("--task", "tasks", multiple=True, metavar="TASK[=MODEL]", help="A task (and its own candidate).")
@click.option(
    "--mode",
    type=click.Choice(["shadow", "canary", "offline"]),
    help="shadow: both answer, the client sees the baseline; canary: the candidate answers a share; offline: files.",
)
@click.option("--gateway", type=_FILE, help="gateway.yaml: names the policy folder and the state folder.")
@click.option("--policy", "policy_folder", type=_FOLDER, help="The folder that the gateway reads its policy from.")
@click.option(
    "--state", "state_folders", multiple=True, type=_FOLDER, help="The gateway's state folder; one for each machine."
)
@click.option("--store", type=_FOLDER, help="Read Calls from this imported store in place of a state folder.")
@click.option("--checks", type=_FILE, help="YAML with checks by task (validators) that judge both arms' answers.")
@click.option("--unit", default="request", show_default=True, help="Of arms: request, key, session, user, header:X.")
@click.option("--margin", type=float, default=0.95, show_default=True, help="Part of the baseline's success to keep.")
@click.option("--alpha", type=float, default=0.05, show_default=True, help="Chance of accepting a model that does not.")
@click.option("--power", type=float, default=0.8, show_default=True, help="Odds of a yes where the plan is right.")
@click.option("--multiplicity", type=click.Choice(["e-bh", "bonferroni"]), default="e-bh", show_default=True)
@click.option("--share", type=float, default=1.0, show_default=True, help="Of the requests that a shadow copies.")
@click.option("--ramp", type=Shares(), default="0.01,0.05,0.2,0.5", show_default=True, help="Shares of a canary.")
@click.option("--step-requests", type=click.IntRange(0), default=100, show_default=True, help="Before the next share.")
@click.option("--step-hours", type=Amount(), default=0.0, show_default=True, help="Before the next share.")
@click.option("--days", type=Amount(above_zero=True), default=28.0, show_default=True, help="Longest.")
@click.option("--wait-hours", type=Amount(), default=24.0, show_default=True, help="Then an outcome is missing.")
@click.option("--audit", type=float, default=0.2, show_default=True, help="Share that people label.")
@click.option("--label-usd", type=Amount(), help="Cost of one label by a person.")
@click.option("--max-error-rate", type=float, default=0.05, show_default=True, help="Stops the candidate.")
@click.option("--max-latency-s", type=Amount(above_zero=True), help="95 % quantile that stops the candidate.")
@click.option("--max-latency-ratio", type=Amount(above_zero=True), help="The same, against the baseline's.")
@click.option("--max-spend-usd", type=Amount(above_zero=True), help="Of the pilot itself.")
@click.option("--migration-usd", type=Amount(), help="What the switch costs once.")
@click.option("--idle-usd-per-month", type=Amount(), help="Fixed cost of the candidate's own servers.")
@click.option("--human-correction-usd", type=Amount(), help="Cost of one failed answer that a person puts right.")
@click.option("--traffic", type=_FOLDER, help="Imported store: traffic and costs of each task.")
@click.option("--outcomes", "files", multiple=True, type=click.Path(path_type=Path), help="Outcomes: expected success.")
@click.option("--learnt", type=_FOLDER, help="Policy folder of `learn`: expected success and cost.")
@click.option("--promised", type=_FILE, help="JSON of `compare`: what is checked in the end.")
@click.option("--promised-option", metavar="OPTION", help="Of that comparison; the recommended one when absent.")
@click.option("--requests-per-hour", type=Amount(above_zero=True), help="Traffic of each task.")
@click.option("--success", type=float, help="Expected success of the baseline.")
@click.option("--ratio", type=float, help="Expected success of the candidate over the baseline's.")
@click.option("--correlation", type=float, help="Expected correlation of the two outcomes of a request.")
@click.option("--baseline-usd", type=Amount(), help="Expected cost of a request.")
@click.option("--candidate-usd", type=Amount(), help="Expected cost of a request.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--folder", type=_FOLDER, help=f"Of the pilot; {PILOTS_FOLDER}/NAME when absent.")
@click.option("--again", is_flag=True, help="Design anew a pilot that has not started.")
@click.option("--json", "as_json", is_flag=True, help="Print the design as JSON.")
def init(name: str, as_json: bool, again: bool, folder: Path | None, **options: Any) -> None:
    """Design a pilot: NAME, what it must show, how many requests and days that takes, what it costs; write pilot.json.

    What is not given or found is a guess, and is marked as one. Nothing starts: `breakeven pilot start` does that, and
    until then pilot.json may be edited.
    """
    from dataclasses import replace

    from breakeven.cli.console import progress, stdout_console
    from breakeven.errors import PilotError
    from breakeven.pilot.design_check import check_design
    from breakeven.pilot.design_file import DESIGN_NAME, PROMISED_NAME, checked_name, write_design
    from breakeven.pilot.sizes import design_sizes

    place = folder or PILOTS_FOLDER / checked_name(name)
    if (place / PROMISED_NAME).exists():
        raise PilotError(
            f"{place} has started, or its files were judged: what it promised stands; give the new pilot another name"
        )
    if (place / DESIGN_NAME).exists() and not again:
        raise PilotError(f"{place / DESIGN_NAME} exists; add --again to design it anew, or give another name")
    with progress(as_json) as say:
        say("what is known of these tasks")
        design = _design(checked_name(name), options)
        check_design(design, "the design")
        say("sizes, days and odds")
        design = replace(design, expects=_finite(design_sizes(design)))
        design_hash = write_design(design, place)
    if as_json:
        said = json.loads((place / DESIGN_NAME).read_bytes())
        click.echo(json.dumps({"folder": str(place), "hash": design_hash, "design": said}, indent=1))
        return
    from breakeven.reports.pilot_document import pilot_document
    from breakeven.reports.pilot_look import first_command
    from breakeven.reports.pilot_terminal import render_design

    document = pilot_document(design, None, None, design_hash=design_hash)
    render_design(document, stdout_console(), next_command=first_command(design, _said(place)))
    click.echo(f"Wrote {place / DESIGN_NAME} (hash {design_hash[:12]})")


def _said(place: Path) -> str:
    return place.name if place.parent == PILOTS_FOLDER else str(place)


def _design(name: str, options: Mapping[str, Any]) -> Design:
    from breakeven import __version__
    from breakeven.cli.learning_extra import checks_by_task
    from breakeven.clock import now
    from breakeven.pilot.design import Design, Guards, Mode

    mode: Mode = options["mode"] or ("offline" if options["files"] and not _places_given(options) else "shadow")
    policy, sources = _places(options, mode)
    checks = checks_by_task(options["checks"])
    promised, promised_from = _promised(options["promised"], options["promised_option"])
    return Design(
        name=name,
        mode=mode,
        tasks=_plans(options, mode),
        created=now().isoformat(timespec="seconds"),
        unit=options["unit"],
        margin_ratio=options["margin"],
        alpha_fraction=options["alpha"],
        power_fraction=options["power"],
        multiplicity=options["multiplicity"],
        share_fraction=options["share"],
        ramp=_ramp(options),
        checks_by_task=checks,
        audit_fraction=options["audit"],
        label_usd=options["label_usd"],
        days_max_days=options["days"],
        outcome_wait_hours=0.0 if mode == "offline" else options["wait_hours"],
        guards=Guards(
            error_rate_max_fraction=options["max_error_rate"] or None,
            latency_p95_max_s=options["max_latency_s"],
            latency_p95_max_ratio=options["max_latency_ratio"],
            spend_max_usd=options["max_spend_usd"],
        ),
        migration_usd=options["migration_usd"],
        idle_usd_per_month=options["idle_usd_per_month"],
        human_correction_usd=options["human_correction_usd"],
        promised=promised,
        promised_from=promised_from,
        policy_folder=policy,
        sources=sources,
        seed=options["seed"],
        made_by=f"breakeven {__version__}",
    )


def _places_given(options: Mapping[str, Any]) -> bool:
    return any(options[each] for each in ("gateway", "policy_folder", "state_folders", "store"))


def _places(options: Mapping[str, Any], mode: str) -> tuple[str, tuple[str, ...]]:
    """The policy folder, and where Calls and outcomes are read."""
    from breakeven.errors import PilotError

    if mode == "offline":
        if not options["files"]:
            raise PilotError("an offline pilot reads files of outcomes: name them with --outcomes FILE")
        return "", tuple(str(each.absolute()) for each in options["files"])
    policy, states = options["policy_folder"], options["state_folders"]
    if options["gateway"] is not None:
        named = _folders_of(options["gateway"], _models(options))
        policy, states = policy or named[0], states or (named[1],)
    sources = (options["store"],) if options["store"] is not None else states
    return ("" if policy is None else str(policy.absolute())), tuple(str(each.absolute()) for each in sources)


def _models(options: Mapping[str, Any]) -> list[str]:
    own = [text.partition("=")[2].strip() for text in options["tasks"]]
    return list(
        dict.fromkeys([options["baseline"], *([] if own and all(own) else [options["candidate"]]), *filter(None, own)])
    )


def _folders_of(gateway: Path, models: list[str]) -> tuple[Path, Path]:
    """The policy folder and the state folder that a gateway.yaml names, which must list the models of the pilot."""
    from breakeven.errors import ConfigError, nearest
    from breakeven.gateway.config.schema import GatewayFile
    from breakeven.strict_yaml import read

    try:
        content = read(gateway.read_text(encoding="utf-8"), str(gateway), ConfigError)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{gateway}: cannot be read as YAML ({error})") from None
    said = content if isinstance(content, dict) else {}
    if not isinstance(said.get("policy"), str):
        raise ConfigError(
            f"{gateway} names no policy folder, so no pilot can reach the gateway; add `policy: FOLDER` to it (a "
            "folder that is not there yet will do) and start the gateway again"
        )
    listed = [str(each) for each in said.get("models") or ()]
    for each in models:
        if each not in listed:
            known = nearest(each, listed) if listed else "it lists none"
            raise ConfigError(
                f"{gateway}: `models:` does not list {each!r}, so the gateway would refuse the trial; {known}"
            )
    state = said.get("state", GatewayFile.model_fields["state"].default)
    return gateway.parent / said["policy"], gateway.parent / str(state)


def _plans(options: Mapping[str, Any], mode: str) -> tuple[TaskPlan, ...]:
    from dataclasses import replace

    from breakeven.pilot.design import TaskPlan
    from breakeven.pilot.expectations import Known, of_outcomes, of_policy, planned

    given = {field: options[option] for option, field in _GIVEN.items() if options[option] is not None}
    found = []
    for text in options["tasks"] or ("",):
        task, _, candidate = text.partition("=")
        plan = TaskPlan(task.strip(), options["baseline"], candidate.strip() or options["candidate"])
        known = [Known(**given, told_by=("given",))] if given else []
        if options["files"]:
            known.append(of_outcomes(options["files"], plan, is_judged_by_them=mode == "offline"))
        if options["learnt"] is not None:
            known.append(of_policy(options["learnt"], plan))
        if options["traffic"] is not None:
            known.append(_traffic(options["traffic"], plan))
        plan = planned(plan, known)
        found.append(replace(plan, correlation_fraction=0.0) if mode == "canary" else plan)
    return tuple(found)


def _traffic(store: Path, plan: TaskPlan) -> Known:
    """What imported calls tell of a task; a task that they do not name is said."""
    from breakeven.errors import nearest
    from breakeven.pilot.expectations import of_store, tasks_of_store

    found = of_store(store, plan)
    if plan.task and found.requests_per_hour is None:
        named = list(tasks_of_store(store))
        words = nearest(plan.task, named) if named else "they name no task"
        click.echo(f"{store}: no call of the task '{plan.task}' ({words}); its traffic is not known", err=True)
    return found


def _ramp(options: Mapping[str, Any]) -> tuple[RampStep, ...]:
    from breakeven.pilot.design import RampStep

    return tuple(RampStep(each, options["step_requests"], options["step_hours"]) for each in options["ramp"])


def _promised(path: Path | None, option: str | None) -> tuple[dict[str, float], str]:
    """What a comparison promised, and which."""
    if path is None:
        return {}, ""
    from hashlib import sha256

    from breakeven.errors import DocumentError
    from breakeven.pilot.promises import promises_of

    try:
        content = path.read_bytes()
        document = json.loads(content)
    except (OSError, ValueError) as error:
        raise DocumentError(f"{path}: no comparison ({error}); wanted what `breakeven compare --out` writes") from None
    return dict(promises_of(document, option)), f"{path.name} ({sha256(content).hexdigest()[:12]})"


def _finite(value: Any) -> Any:
    """Figures as JSON holds them: what is not finite is not known."""
    if isinstance(value, Mapping):
        return {str(key): _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    if isinstance(value, float) and not (float("-inf") < value < float("inf")):
        return None
    return value.item() if hasattr(value, "item") else value
