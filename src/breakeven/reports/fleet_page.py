"""Fleet page: a fleet document as the figures, lines and rows that the dashboard shows; every word is chosen here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from breakeven.reports import amounts
from breakeven.reports.capacity_document import CapacityDocument
from breakeven.reports.fleet_wording import TERM_NAMES, way
from breakeven.serving.traffic.fleet_bins import LatencyTarget
from breakeven.serving.traffic.fleet_schedule import FleetPolicy
from breakeven.units import MS_PER_S, SECONDS_PER_HOUR

Part = Mapping[str, Any]
Kind = Literal["", "good", "bad", "warn"]
MEASURED, PREDICTED, SIMULATED = "measured by you", "predicted", "simulated"
PER_CENT_OF_ERRORS: Final = 80


@dataclass(frozen=True, slots=True)
class FleetTile:
    """One figure with its range, what it is of, and where it comes from."""

    label: str
    value: str
    range: str
    note: str
    badge: str
    grade: str
    """Class of the badge: measured, quoted, ..."""
    kind: Kind = ""


@dataclass(frozen=True, slots=True)
class TermRow:
    """One way to rent."""

    name: str
    rent: str
    basis: str
    link: str
    pays: str
    """When a commitment pays."""
    bought: str
    """What the cheapest mix buys that way."""


@dataclass(frozen=True, slots=True)
class WayRow:
    """One way to run the same fleet."""

    name: str
    replicas: str
    paid: str
    idle: str
    met: str
    asked: bool
    state: Kind
    """good: the targets are met; bad: they are not; empty: none was given, and enough is served."""


def fleet_tiles(document: Part) -> tuple[FleetTile, ...]:
    """Replicas, service, cost, idle hours, and the cheapest mix."""
    return (_replicas(document), _service(document), *_money(document))


def _replicas(document: Part) -> FleetTile:
    fleet, deployment = document["fleet"], document["deployment"]
    fewest, most = fleet["peak_fewest_count"], fleet["peak_most_count"]
    last = "no number" if most is None else f"{most}"
    span = f"{fewest}" if fewest == most else f"{fewest} to {last}"
    gpus = deployment["gpus_per_replica_count"]
    spares = fleet["replicas_most_count"] - fleet["peak_needed_count"]
    note = f"each {gpus} x {deployment['gpu']}"
    if spares > 0:
        note += f"; the peak needs {fleet['peak_needed_count']}"
    return FleetTile(
        "Replicas at most",
        f"{fleet['replicas_most_count']}",
        f"the peak needs {span} in {PER_CENT_OF_ERRORS} of 100 cases",
        note,
        *_provenance(document),
    )


def _service(document: Part) -> FleetTile:
    service, target = document["service"], document["target"]
    wanted = amounts.fraction(target["quantile_fraction"])
    is_asked = has_target(document)
    note = f"{amounts.counted(service['simulated_count'], 'request')} played one by one"
    if service["beyond_context_count"]:
        note += f"; {amounts.fraction(service['beyond_context_count'] / service['simulated_count'])} of them longer "
        note += "than the model's context, and not served"
    return FleetTile(
        "Requests within the targets" if is_asked else "Requests served",
        amounts.fraction(service["attained_fraction"]),
        f"{wanted} asked for"
        if is_asked
        else f"no target given; 95 % see the first token within {_ms(service['ttft_p95_s'])}",
        note,
        SIMULATED,
        "quiet",
        "bad" if not service["meets_target"] else "good" if is_asked else "",
    )


def has_target(document: Part) -> bool:
    """Whether a latency was asked for: without one, nothing is called met."""
    return document["target"]["ttft_s"] is not None or document["target"]["tpot_s"] is not None


def _money(document: Part) -> Iterator[FleetTile]:
    cost, hours = document["cost"], document["hours"]
    usual, term = cost["usual_usd_per_month"], cost["usual_term"]
    rent = next((each for each in cost["rents"] if each["term"] == term), None)
    if usual["typical"] is None or rent is None:
        gpu_hours = amounts.number(hours["paid_gpu_hours_per_month"])
        yield FleetTile(
            "Rent a month", "UNPRICED", f"{gpu_hours} GPU hours a month",
            f"nobody names a rent {_term_words(term)} of {document['deployment']['gpu']}: give yours below",
            "no price", "warning", "warn",
        )  # fmt: skip
    else:
        badge, grade = _rent_provenance(rent)
        yield FleetTile(
            f"Rent a month, all {_term_words(term)}", amounts.money(usual["typical"]),
            amounts.money_span(usual["low"], usual["high"]),
            f"at {amounts.money(rent['typical_usd_per_gpu_hour'])} per GPU hour", badge, grade,
        )  # fmt: skip
    idle = cost["idle_usd_per_month"]
    costs = "" if idle["typical"] is None else f"costs {amounts.money(idle['typical'])} a month"
    span = "" if idle["typical"] is None else amounts.money_span(idle["low"], idle["high"])
    yield FleetTile(
        "Idle, of the paid hours", amounts.fraction(hours["idle_fraction"]), f"{costs} ({span})" if span else costs,
        f"filled to {amounts.fraction(hours['load_fraction'])} of what it could serve", SIMULATED, "quiet",
    )  # fmt: skip
    if cost["mix"] is not None and usual["typical"] is not None:
        saved = usual["typical"] - cost["mix"]["usd_per_month"]
        yield FleetTile(
            "Cheapest mix a month", amounts.money(cost["mix"]["usd_per_month"]),
            amounts.difference(saved) if saved > 0.005 * usual["typical"] else "no mix is cheaper",
            f"over {amounts.number(cost['mix']['horizon_months'])} months, by whole hours, at typical prices",
            "calculated", "quiet",
        )  # fmt: skip


def _provenance(document: Part) -> tuple[str, str]:
    fleet = document["fleet"]
    return (MEASURED, "grade-measured") if fleet["is_measured"] else (PREDICTED, "grade-expert")


def _rent_provenance(rent: Part) -> tuple[str, str]:
    if rent["source"] is None:
        return "your rent", "note"
    name, _, day = str(rent["basis"]).rpartition(", ")
    return (f"price list, {amounts.date_text(day)}", "grade-quoted") if name else (str(rent["basis"]), "grade-quoted")


def _term_words(term: str) -> str:
    return {"on_demand": "on demand", "spot": "on spot"}.get(term, TERM_NAMES[term])


def error_words(document: Part, capacity: CapacityDocument | None = None) -> str:
    """How wrong the speeds may be, and who says so."""
    fleet = document["fleet"]
    factor = f"{fleet['error_ratio']:.2f}"
    if fleet["is_measured"]:
        return (
            f"Speeds are corrected by what you measured on your endpoint: {PER_CENT_OF_ERRORS} % of such speeds lie "
            f"within a factor of {factor} either way."
        )
    told = (
        f"Speeds are predicted ({fleet['regime']}): {PER_CENT_OF_ERRORS} % lie within a factor of {factor} either way"
    )
    if capacity is None:
        return f"{told}."
    error = capacity.error
    return (
        f"{told}, on {amounts.counted(error.rows_count, 'measurement')} that were held out: median error "
        f"{amounts.fraction(error.median_error_fraction)}, 90 % within {amounts.fraction(error.p90_error_fraction)}."
    )


def peak_lines(document: Part) -> Iterator[str]:
    """What the busiest stretch does."""
    fleet, service, traffic = document["fleet"], document["service"], document["traffic"]
    minutes = (fleet["peak_to_s"] - fleet["peak_from_s"]) / 60
    begins = _moment(traffic["first_time"], fleet["peak_from_s"])
    rate, mean = fleet["peak_req_per_s"], traffic["requests_count"] / (traffic["observed_hours"] * SECONDS_PER_HOUR)
    times = f", {amounts.ratio(rate / mean)} the mean" if 0 < mean < rate else ""
    yield (
        f"It begins {begins} and lasts {amounts.number(minutes)} minutes: {amounts.number(rate)} requests a second"
        f"{times}, {amounts.number(fleet['peak_output_tok_per_s'])} output tokens a second."
    )
    yield (
        f"{amounts.counted(fleet['peak_needed_count'], 'replica')}, all of them there, serve "
        f"{amounts.fraction(service['peak_attained_fraction'])} of its requests"
        f"{' within the targets' if has_target(document) else ''}."
    )
    yield (
        f"Over the whole log: time to the first token {_ms(service['ttft_p50_s'])} at the median, 95 % below "
        f"{_ms(service['ttft_p95_s'])}; time per output token {_ms(service['tpot_p50_s'])} and "
        f"{_ms(service['tpot_p95_s'])}."
    )


def term_rows(document: Part) -> tuple[TermRow, ...]:
    """Every way to rent, also those without a price."""
    cost = document["cost"]
    by_term = {each["term"]: each for each in cost["rents"]}
    return tuple(_term_row(term, by_term.get(term), document) for term in TERM_NAMES)


def _term_row(term: str, rent: Part | None, document: Part) -> TermRow:
    name = TERM_NAMES[term]
    if rent is None:
        return TermRow(name, "UNPRICED", "nobody names a price; it is left out of the mix", "", "", "")
    typical = amounts.money(rent["typical_usd_per_gpu_hour"])
    span = amounts.money_span(rent["low_usd_per_gpu_hour"], rent["high_usd_per_gpu_hour"])
    basis = "your rent" if rent["source"] is None else f"{rent['source']}, {rent['basis']}"
    return TermRow(
        name, f"{typical} ({span})" if span else typical, basis, rent["link"] or "", _pays(term, document),
        _bought(term, document),
    )  # fmt: skip


def _pays(term: str, document: Part) -> str:
    """From how many hours a month on a reserved GPU is the cheaper one."""
    share = document["cost"]["breakeven_fraction"].get(term)
    if share is None:
        return ""
    usual = _term_words(document["cost"]["usual_term"])
    mix = document["cost"]["mix"]
    if share > 1:
        return f"never within {amounts.number(mix['horizon_months'])} months" if mix else f"never, beside {usual}"
    hours = share * document["footer"]["hours_per_month"]
    return f"beyond {amounts.number(hours)} hours a month ({amounts.fraction(share)})"


def _bought(term: str, document: Part) -> str:
    mix = document["cost"]["mix"]
    if mix is None:
        return ""
    if term in mix["reserved_gpus_count"]:
        count = mix["reserved_gpus_count"][term]
        return amounts.counted(count, "GPU") if count else "none"
    hours = len(document["hours"]["hourly_replicas_count"])
    used = mix["spot_gpu_hours"] if term == "spot" else mix["on_demand_gpu_hours"]
    mean = amounts.number(used / hours)
    return f"{mean} GPU{'' if mean == '1' else 's'} on average" if used else "none"


def way_rows(document: Part) -> tuple[WayRow, ...]:
    """The fleet as asked, and run otherwise."""
    asked = way_words(document)
    service, fleet, hours = document["service"], document["fleet"], document["hours"]
    first = WayRow(
        f"{asked} (asked)", f"{fleet['replicas_most_count']:,}", amounts.number(hours["paid_replica_hours"]),
        amounts.fraction(hours["idle_fraction"]), amounts.fraction(service["attained_fraction"]), True,
        _state(document, service["meets_target"]),
    )  # fmt: skip
    others = tuple(
        WayRow(
            each["name"], f"{each['replicas_most_count']:,}", amounts.number(each["paid_replica_hours"]),
            amounts.fraction(each["idle_fraction"]), amounts.fraction(each["attained_fraction"]), False,
            _state(document, each["meets_target"]),
        )
        for each in document["otherwise"]
    )  # fmt: skip
    return (first, *others)


def _state(document: Part, is_met: bool) -> Kind:
    return "bad" if not is_met else "good" if has_target(document) else ""


def way_words(document: Part) -> str:
    """How the fleet of a document is run."""
    return way(FleetPolicy(LatencyTarget(**document["target"]), **document["policy"]))


def bin_words(document: Part) -> str:
    """How fine the chart of a day is."""
    return f"{amounts.number(document['policy']['decision_s'] / 60)} minutes"


def _moment(first_time: str, seconds_s: float) -> str:
    from datetime import datetime, timedelta

    return amounts.date_text((datetime.fromisoformat(first_time) + timedelta(seconds=seconds_s)).isoformat())


def _ms(seconds_s: float | None) -> str:
    """A latency as it is read: milliseconds, seconds from ten on, hours where nobody waits any more."""
    if seconds_s is None:
        return amounts.NOT_KNOWN
    if seconds_s < 10:
        return f"{amounts.number(seconds_s * MS_PER_S)} ms"
    if seconds_s < 2 * SECONDS_PER_HOUR:
        return f"{amounts.number(seconds_s)} s"
    return amounts.hours(seconds_s / SECONDS_PER_HOUR)
