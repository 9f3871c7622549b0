"""Fleet form: the question about a fleet as it stands in an address, its first choice, and the same as a command."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from breakeven.reports.fleet_answer import TERMS
from breakeven.reports.fleet_request import FleetRequest

if TYPE_CHECKING:
    from breakeven.decision.scenario import Scenario
    from breakeven.reports.document import Document
    from breakeven.web.project import Project

Value = TypeVar("Value")
FLAGS: Final = ("autoscale", "scale_to_zero", "spot")
SELF_HOSTED: Final = "self_hosted"
MEASURED_MAX_BYTES: Final = 1_000_000
_KIND: Final = "breakeven.measured"
_OPTIONS: Final[Mapping[str, str]] = {
    "precision": "precision",
    "gpus": "gpus",
    "ttft_ms": "ttft-ms",
    "tpot_ms": "tpot-ms",
    "share": "share",
    "min_replicas": "min-replicas",
    "spare": "spare",
    "cold_start_s": "cold-start-s",
    "idle_timeout_s": "idle-timeout-s",
    "horizon_months": "horizon-months",
    "measured": "measured",
    "calls_of": "calls-of",
}
"""Field of the form -> option of `breakeven fleet`, where a value follows it."""
DEFAULTS: Final[Mapping[str, str]] = {"share": "0.95", "min_replicas": "1", "spare": "0", "horizon_months": "12"}
"""As the verb has them."""


@dataclass(frozen=True, slots=True)
class FleetForm:
    """What stands in the form, and the question that it makes."""

    values: Mapping[str, str]
    """Field -> text, also what is wrong."""
    problems: Mapping[str, str]
    """Field -> what is wrong with it."""
    request: FleetRequest | None
    """None while something is wrong."""

    @property
    def command(self) -> str:
        """The same question to the verb."""
        words = ["breakeven", "fleet", "--model", self.values["model"], "--gpu", self.values["gpu"]]
        for field, option in _OPTIONS.items():
            value = self.values.get(field, "")
            if value and value != DEFAULTS.get(field):
                words += [f"--{option}", value]
        words += [f"--{field.replace('_', '-')}" for field in FLAGS if self.values.get(field)]
        for term in TERMS:
            if value := self.values.get(f"rent_{term}", ""):
                words += ["--rent", f"{term}={value}"]
        return shlex.join(words)


def form_of(query: Mapping[str, str], first: Mapping[str, str], project: Project) -> FleetForm:
    """The form for an address; what it leaves out is as the verb has it, and without a model the first choice."""
    asked = {name: value.strip() for name, value in query.items() if value.strip()}
    values = {**DEFAULTS, **({} if "model" in asked else first), **asked}
    values.setdefault("gpu", first.get("gpu", ""))
    problems: dict[str, str] = {}

    def number(name: str, low: float, high: float, *, low_is_open: bool = False) -> float | None:
        said = values.get(name, "")
        if not said:
            return None
        try:
            found = float(said)
        except ValueError:
            found = float("nan")
        if not isfinite(found) or not low <= found <= high or (low_is_open and found == low):
            wanted = "more than" if low_is_open else "from"
            limit = "" if high == float("inf") else f" to {high:g}"
            problems[name] = f"'{said}': wanted a number {wanted} {low:g}{limit}"
            return None
        return found

    def whole(name: str, low: int) -> int | None:
        found = number(name, low, 1_000_000)
        if found is not None and found != int(found):
            problems[name] = f"'{values[name]}': wanted a whole number"
            return None
        return None if found is None else int(found)

    inf = float("inf")
    rents = {term: usd for term in TERMS if (usd := number(f"rent_{term}", 0, inf)) is not None}
    share = number("share", 0, 1, low_is_open=True)
    if share == 1:
        problems["share"] = "all of the requests cannot be promised: wanted a share below 1, such as 0.99"
    request = FleetRequest(
        values.get("model", ""),
        values.get("gpu", ""),
        values.get("precision") or None,
        whole("gpus", 1),
        number("ttft_ms", 0, inf, low_is_open=True),
        number("tpot_ms", 0, inf, low_is_open=True),
        _or(share, 0.95),
        _or(whole("min_replicas", 0), 1),
        _or(whole("spare", 0), 0),
        "autoscale" in values,
        number("cold_start_s", 0, inf),
        "scale_to_zero" in values,
        number("idle_timeout_s", 0, inf),
        "spot" in values,
        rents,
        _or(number("horizon_months", 0, inf, low_is_open=True), 12.0),
        _measured(values, problems, project),
        (values["calls_of"],) if values.get("calls_of") else (),
    )
    return FleetForm(values, problems, None if problems else request)


def first_choice(scenario: Scenario, document: Document | None) -> dict[str, str]:
    """Model and GPU of the cheapest self-hosted option of the comparison; the scenario's where there is none yet."""
    cheapest = next((each.name for each in document.options if each.family == SELF_HOSTED), "") if document else ""
    if cheapest == "small_gpu":
        return {"model": scenario.small_model, "gpu": scenario.small_gpu}
    found = {"model": scenario.open_model, "gpu": scenario.gpu}
    if scenario.precision:
        found["precision"] = scenario.precision
    if scenario.gpus_per_replica_count:
        found["gpus"] = str(scenario.gpus_per_replica_count)
    if cheapest == "rented_spot":
        found["spot"] = "yes"
    return found


def measured_files(project: Project) -> tuple[str, ...]:
    """Names of the files in the project's folder that `breakeven calibrate` wrote."""
    found = []
    for path in sorted(project.folder.glob("*")):
        if path.suffix.lower() in (".yaml", ".yml", ".json") and path.is_file() and _is_measured(path):
            found.append(path.name)
    return tuple(found)


def _is_measured(path: Path) -> bool:
    try:
        if path.stat().st_size > MEASURED_MAX_BYTES:
            return False
        return _KIND in path.read_text(encoding="utf-8")[:400]
    except (OSError, UnicodeDecodeError):
        return False


def _measured(values: Mapping[str, str], problems: dict[str, str], project: Project) -> Path | None:
    """One of the listed files, never another path."""
    name = values.get("measured", "")
    if not name:
        return None
    if name not in measured_files(project):
        problems["measured"] = "no such file of `breakeven calibrate` in the project's folder"
        return None
    return project.folder / name


def _or(found: Value | None, otherwise: Value) -> Value:
    return otherwise if found is None else found
