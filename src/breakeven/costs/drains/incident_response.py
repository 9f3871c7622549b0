"""Incident response: unplanned engineer hours, the people on call, and the business lost while something is down."""

from __future__ import annotations

from breakeven.costs.line import CostLine
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.facts.trace import Binder
from breakeven.units import MONTHS_PER_YEAR


@formula
def fleet_incident_events_per_month(
    gpus_count: Draws,
    gpu_interruptions_events_per_gpu_year: Draws,
    replicas_count: Draws,
    engine_crash_events_per_replica_month: Draws,
) -> Draws:
    """Incidents of a fleet that an engineer must look at: GPU faults and engine crashes.

    >>> float(fleet_incident_events_per_month(12.0, 0.1, 4.0, 0.25))
    1.1
    """
    gpu_faults = gpus_count * gpu_interruptions_events_per_gpu_year / MONTHS_PER_YEAR
    return gpu_faults + replicas_count * engine_crash_events_per_replica_month


@formula
def api_incident_events_per_month(api_outage_events_per_year: Draws) -> Draws:
    """Outages of an API provider that an engineer must look at.

    >>> float(api_incident_events_per_month(6.0))
    0.5
    """
    return api_outage_events_per_year / MONTHS_PER_YEAR


@formula
def spot_incident_events_per_month(replicas_count: Draws, spot_interruption_events_per_replica_month: Draws) -> Draws:
    """Replicas that a spot market takes away.

    >>> float(spot_incident_events_per_month(2.0, 0.2))
    0.4
    """
    return replicas_count * spot_interruption_events_per_replica_month


@formula
def incident_events_with_spot_events_per_month(
    incident_events_per_month: Draws, spot_incident_events_per_month: Draws
) -> Draws:
    """Faults, crashes and spot interruptions.

    >>> float(incident_events_with_spot_events_per_month(1.0, 0.5))
    1.5
    """
    return incident_events_per_month + spot_incident_events_per_month


@formula
def incident_hours_per_month(incident_events_per_month: Draws, incident_hours_per_event: Draws) -> Draws:
    """Unplanned engineer hours.

    >>> float(incident_hours_per_month(1.5, 2.0))
    3.0
    """
    return incident_events_per_month * incident_hours_per_event


@formula
def incident_labour_usd_per_month(incident_hours_per_month: Draws, engineer_usd_per_hour: Draws) -> Draws:
    """Pay for the unplanned hours.

    >>> float(incident_labour_usd_per_month(3.0, 100.0))
    300.0
    """
    return incident_hours_per_month * engineer_usd_per_hour


@formula
def fleet_downtime_hours_per_month(
    gpus_count: Draws,
    gpu_interruptions_events_per_gpu_year: Draws,
    node_recovery_hours_per_event: Draws,
    replicas_count: Draws,
    engine_crash_events_per_replica_month: Draws,
    engine_restart_hours_per_event: Draws,
) -> Draws:
    """Hours of a whole fleet lost in a month: a fault takes one replica of many until it is repaired or restarted.

    >>> float(fleet_downtime_hours_per_month(12.0, 0.5, 2.0, 4.0, 0.5, 0.1))
    0.3
    """
    repairs = gpus_count * gpu_interruptions_events_per_gpu_year / MONTHS_PER_YEAR * node_recovery_hours_per_event
    restarts = replicas_count * engine_crash_events_per_replica_month * engine_restart_hours_per_event
    return (repairs + restarts) / replicas_count


@formula
def api_downtime_hours_per_month(hours_per_month: Draws, api_uptime_fraction: Draws) -> Draws:
    """Hours in which the provider does not answer.

    >>> round(float(api_downtime_hours_per_month(730.0, 0.997)), 6)
    2.19
    """
    return hours_per_month * (1 - api_uptime_fraction)


@formula
def lost_business_usd_per_month(downtime_hours_per_month: Draws, downtime_usd_per_hour: Draws) -> Draws:
    """What an hour without answers costs the business, times the hours.

    >>> float(lost_business_usd_per_month(2.0, 100.0))
    200.0
    """
    return downtime_hours_per_month * downtime_usd_per_hour


@formula
def incident_response_usd_per_month(
    incident_labour_usd_per_month: Draws, on_call_usd_per_month: Draws, lost_business_usd_per_month: Draws
) -> Draws:
    """Unplanned hours, the rota that waits for them, and the business lost meanwhile.

    >>> float(incident_response_usd_per_month(300.0, 500.0, 200.0))
    1000.0
    """
    return incident_labour_usd_per_month + on_call_usd_per_month + lost_business_usd_per_month


def line(binder: Binder) -> CostLine:
    """Incidents; needs `incident_events_per_month`, `incident_hours_per_event`, `on_call_usd_per_month` and
    `downtime_hours_per_month`, bound by the Option.
    """
    hours = binder.evaluate(incident_hours_per_month)
    binder.evaluate(incident_labour_usd_per_month)
    binder.evaluate(lost_business_usd_per_month)
    return CostLine("incident_response", "Incident response", binder.evaluate(incident_response_usd_per_month), hours)
