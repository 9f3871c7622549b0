"""Promises: the figures of a comparison that a pilot can check, read from the JSON that `compare` writes.

Each is a number under a name that ends in its unit; where the comparison has a range, `..._low_UNIT` and
`..._high_UNIT` are its 10 % and 90 % quantiles. A line that stands for an assumption has that assumption's name
(`moe_model_success_fraction`), the others start with the arm they speak of. Money for tokens or machines is summed as
`serving`; of lines that no pilot sees (salaries, incidents, migration, ...) what the candidate costs beyond today is
kept as `extra_..._usd_per_month`, to be named.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from breakeven.errors import PilotError
from breakeven.units import UNIT_BY_SUFFIX

STATUS_QUO: Final = "frontier_api"
BASELINE_SUCCESS: Final = "frontier_success_fraction"
SUCCESS: Final = "_success_fraction"
CANDIDATE_SUCCESS: Final = "candidate_success_fraction"
SAVINGS: Final = "savings_usd_per_month"
VOLUME: Final = "requests_per_month"
CAPACITY: Final = "candidate_capacity_req_per_s"
FAILED_ANSWERS: Final = "failed_answers"
UNSEEN: Final = frozenset(
    {
        "engineering_labour",
        "hardware_decay",
        "incident_response",
        "mlops_infrastructure",
        "opportunity_cost",
        "quality_monitoring",
        "migration",
    }
)
"""Lines of a comparison that calls do not show."""
_WANTED: Final = "wanted a comparison that `breakeven compare --out FILE` or `--json` writes"
_MOVED_LINES: Final = ("fleet_", "broker_")
_OTHER_LINES: Final = ("api_", "routing_")
_MOVED: Final = "moved_requests_fraction"
"""Only an option of parts has it: a fleet or a broker takes this share, the API keeps the rest."""
EXTRA: Final = "extra_"


def promises_of(comparison_document: Mapping[str, Any], option: str | None = None) -> Mapping[str, float]:
    """What a comparison promises of `option` against today; of the recommended one, or of its rival when that is today.

    Raises PilotError where this is no comparison, or has no such option.
    """
    document = comparison_document.get("document", comparison_document)
    if not isinstance(document, Mapping) or document.get("kind") != "comparison":
        raise PilotError(f"no comparison: its kind is {comparison_document.get('kind')!r}; {_WANTED}")
    try:
        options = {str(each["name"]): each for each in document["options"]}
        today = options[STATUS_QUO]
        candidate = options[_chosen(document["verdict"], options, option)]
        found = _of_workload(document["workload"])
        requests = found[VOLUME]
        found |= _of_success(document, today, candidate)
        found |= _of_lines("baseline", today["lines"], requests)
        found |= _of_candidate(candidate, requests)
        found |= _of_unseen(today["lines"], candidate["lines"])
        found |= _of_savings(candidate)
    except (KeyError, TypeError, ValueError) as error:
        raise PilotError(f"the comparison lacks {error}; {_WANTED}, of this version") from None
    return found


def bound_of(name: str, which: str) -> str:
    """Name of a promise's `low` or `high`.

    >>> bound_of("moe_model_success_fraction", "low"), bound_of("savings_usd_per_month", "high")
    ('moe_model_success_low_fraction', 'savings_high_usd_per_month')
    """
    suffix = max((each for each in UNIT_BY_SUFFIX if name == each or name.endswith(f"_{each}")), key=len, default="")
    stem = name.removesuffix(suffix).rstrip("_")
    return "_".join(each for each in (stem, which, suffix) if each)


def lines_of(promised: Mapping[str, float]) -> tuple[str, ...]:
    """The promises' names without those of their ranges, in their order."""
    bounds = {bound_of(name, which) for name in promised for which in ("low", "high")}
    return tuple(name for name in promised if name not in bounds)


def _chosen(verdict: Mapping[str, Any], options: Mapping[str, Any], option: str | None) -> str:
    if option is None:
        names = [each for each in (verdict["recommended"], verdict["rival"]) if each and each != STATUS_QUO]
        option = str(names[0]) if names else ""
    if option in options and option != STATUS_QUO:
        return option
    others = ", ".join(each for each in options if each != STATUS_QUO)
    raise PilotError(f"the comparison has no option {option!r} to promise anything; it has {others or 'none'}")


def _of_workload(workload: Mapping[str, Any]) -> dict[str, float]:
    requests = int(workload["requests_count"])
    if requests < 1:
        raise PilotError(f"the comparison rests on no requests; {_WANTED} of a log that has some")
    tokens = {name: workload[f"{name}_tokens"] / requests for name in ("input", "output")}
    found = {VOLUME: float(workload["requests_per_month"])}
    for arm in ("baseline", "candidate"):
        found |= {f"{arm}_{name}_tokens_per_request": float(each) for name, each in tokens.items()}
    return found


def _of_success(
    document: Mapping[str, Any], today: Mapping[str, Any], candidate: Mapping[str, Any]
) -> dict[str, float]:
    """Success of both, under the assumption's name where one assumption alone stands behind the candidate's."""
    read = {
        str(each["name"]): float(each["typical"])
        for each in document["assumptions"]
        if candidate["name"] in each["used_by"] and str(each["name"]).endswith(SUCCESS)
    }
    names = sorted(set(read) - {BASELINE_SUCCESS})
    found = _ranged(BASELINE_SUCCESS, today["success_fraction"])
    if not names and read:
        return found
    if _MOVED in candidate["facts"] and len(names) == 1:
        return found | {names[0]: read[names[0]]}
    return found | _ranged(names[0] if len(names) == 1 else CANDIDATE_SUCCESS, candidate["success_fraction"])


def _of_candidate(candidate: Mapping[str, Any], requests: float) -> dict[str, float]:
    """Lines and capacity of what would be switched to; of an option of parts, of the one that moves."""
    lines, facts = candidate["lines"], candidate["facts"]
    if _MOVED in facts:
        requests *= facts[_MOVED]["p50"]
        moved = [each for each in lines if str(each["name"]).startswith(_MOVED_LINES)]
        lines = [{**each, "name": _without_part(str(each["name"]))} for each in moved]
    found = _of_lines("candidate", lines, requests)
    if "replica_capacity_req_per_s" in facts and "replicas_count" in facts:
        found[CAPACITY] = facts["replica_capacity_req_per_s"]["p50"] * facts["replicas_count"]["p50"]
    return found


def _of_lines(arm: str, lines: list[Mapping[str, Any]], requests: float) -> dict[str, float]:
    serving = [each for each in lines if not each["apart"] and each["name"] not in UNSEEN | {FAILED_ANSWERS}]
    found: dict[str, float] = {}
    if serving and requests > 0:
        sums = {key: sum(each["usd_per_month"][key] for each in serving) / requests for key in ("p10", "p50", "p90")}
        found |= _ranged(f"{arm}_serving_usd_per_request", sums)
    for each in lines:
        if each["name"] == FAILED_ANSWERS and requests > 0:
            usd = {key: each["usd_per_month"][key] / requests for key in ("p10", "p50", "p90")}
            found |= _ranged(f"{arm}_{FAILED_ANSWERS}_usd_per_request", usd)
    return found


def _of_unseen(today: list[Mapping[str, Any]], candidate: list[Mapping[str, Any]]) -> dict[str, float]:
    """What each line that no pilot sees costs beyond today's, by the month."""
    extra = dict.fromkeys(sorted(UNSEEN), 0.0)
    for sign, lines in ((-1.0, today), (1.0, candidate)):
        for each in lines:
            name = _without_part(str(each["name"]))
            if name in extra:
                extra[name] += sign * float(each["usd_per_month"]["p50"])
    return {f"{EXTRA}{name}_usd_per_month": usd for name, usd in extra.items() if abs(usd) >= 1.0}


def _without_part(name: str) -> str:
    """A line's name without that of its part.

    >>> _without_part("broker_failed_answers"), _without_part("failed_answers")
    ('failed_answers', 'failed_answers')
    """
    part = next((each for each in (*_MOVED_LINES, *_OTHER_LINES) if name.startswith(each)), "")
    return name.removeprefix(part)


def _of_savings(candidate: Mapping[str, Any]) -> dict[str, float]:
    """Saved each month for equal successful outcomes: what the option costs extra, with the other sign."""
    extra = candidate["extra_usd_per_month"]
    return _ranged(SAVINGS, {"p10": -extra["p90"], "p50": -extra["p50"], "p90": -extra["p10"]})


def _ranged(name: str, amount: Mapping[str, Any]) -> dict[str, float]:
    value, low, high = (float(amount[key]) for key in ("p50", "p10", "p90"))
    if low == high:
        return {name: value}
    return {name: value, bound_of(name, "low"): low, bound_of(name, "high"): high}
