"""Savings: before and after, revenue and cost, what was billed and what was recorded."""

from __future__ import annotations

from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula

ONE_PERIOD = True


@formula
def before_usd(api_usd: Draws) -> Draws:
    """What is paid today: the API.

    >>> before_usd(40_000.0)
    40000.0
    """
    return api_usd


@formula
def cloud_before_usd(cloud_usd: Draws) -> Draws:
    """What is paid today: rented machines.

    >>> cloud_before_usd(98.32)
    98.32
    """
    return cloud_usd


@formula
def after_usd(host_usd: Draws) -> Draws:
    """What would be paid: self-hosting.

    >>> after_usd(10_000.0)
    10000.0
    """
    return host_usd


@formula
def saving_usd(before_usd: Draws, after_usd: Draws) -> Draws:
    """What the change saves; negative: it costs more.

    >>> saving_usd(40_000.0, 55_000.0)
    -15000.0
    """
    return before_usd - after_usd


@formula
def running_saving_usd(before_usd: Draws, running_usd: Draws) -> Draws:
    """What running it oneself saves before the purchase is paid back; negative: it costs more.

    >>> running_saving_usd(280.0, 95.0)
    185.0
    """
    return before_usd - running_usd


@formula
def saving_fraction(before_usd: Draws, after_usd: Draws) -> Draws:
    """Share saved; negative: it costs more.

    >>> round(saving_fraction(4_200.0, 415.0), 3)
    0.901
    """
    return 1 - after_usd / before_usd


@formula
def before_over_after_ratio(before_usd: Draws, after_usd: Draws) -> Draws:
    """How many times dearer it was before.

    >>> before_over_after_ratio(47_000.0, 8_000.0)
    5.875
    """
    return before_usd / after_usd


@formula
def revenue_usd(api_usd: Draws) -> Draws:
    """What the tokens bring at the provider's list prices.

    >>> revenue_usd(562_100.0)
    562100.0
    """
    return api_usd


@formula
def cost_usd(host_usd: Draws) -> Draws:
    """What serving them costs the provider.

    >>> cost_usd(87_072.0)
    87072.0
    """
    return host_usd


@formula
def markup_ratio(revenue_usd: Draws, cost_usd: Draws) -> Draws:
    """Profit over cost.

    >>> round(markup_ratio(562_100.0, 87_072.0), 4)
    5.4556
    """
    return (revenue_usd - cost_usd) / cost_usd


@formula
def margin_fraction(revenue_usd: Draws, cost_usd: Draws) -> Draws:
    """Profit over revenue.

    >>> margin_fraction(100.0, 40.0)
    0.6
    """
    return (revenue_usd - cost_usd) / revenue_usd


@formula
def understated_ratio(billed_usd: Draws, recorded_usd: Draws) -> Draws:
    """How many times the recorded cost the bill was.

    >>> round(understated_ratio(185.0, 1.16), 1)
    159.5
    """
    return billed_usd / recorded_usd


WAYS = {"before_usd": (cloud_before_usd,)}
