"""Routing mix: a router sends a share of the requests to another model, and what looking after that costs.

Success of the routed share is success on what is routed, of the rest on what stays: a router that does its work sends
the easier requests, so neither is a model's success over all requests.
"""

from __future__ import annotations

from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.units import TOKENS_PER_MTOK


@formula
def routed_usd_per_request(
    routed_fraction: Draws, routed_model_usd_per_request: Draws, kept_model_usd_per_request: Draws
) -> Draws:
    """Models alone, mean of all requests.

    >>> round(float(routed_usd_per_request(0.75, 0.001, 0.01)), 9)
    0.00325
    """
    return routed_fraction * routed_model_usd_per_request + (1 - routed_fraction) * kept_model_usd_per_request


@formula
def mix_success_fraction(routed_fraction: Draws, routed_success_fraction: Draws, kept_success_fraction: Draws) -> Draws:
    """Success of the mix: each model on the requests it is given.

    >>> round(float(mix_success_fraction(0.75, 0.9, 0.8)), 9)
    0.875
    """
    return routed_fraction * routed_success_fraction + (1 - routed_fraction) * kept_success_fraction


@formula
def judge_usd_per_request(judged_fraction: Draws, judged_usd_per_request: Draws) -> Draws:
    """A judge model reads a share of the requests and their answers; mean of all requests.

    >>> round(float(judge_usd_per_request(0.02, 0.005)), 9)
    0.0001
    """
    return judged_fraction * judged_usd_per_request


@formula
def shadow_usd_per_request(
    shadowed_fraction: Draws,
    routed_fraction: Draws,
    routed_model_usd_per_request: Draws,
    kept_model_usd_per_request: Draws,
) -> Draws:
    """A share of the requests goes to the other model too, so that one sees what it would have answered.

    >>> round(float(shadow_usd_per_request(0.02, 0.75, 0.001, 0.01)), 9)
    0.000155
    """
    other = routed_fraction * kept_model_usd_per_request + (1 - routed_fraction) * routed_model_usd_per_request
    return shadowed_fraction * other


@formula
def lost_cache_usd_per_request(
    cached_tokens_per_request: Draws,
    lost_cache_fraction: Draws,
    input_usd_per_mtok: Draws,
    cache_read_usd_per_mtok: Draws,
) -> Draws:
    """Prompt-cache hits that end because conversations change their model: the same tokens at the full price.

    >>> round(float(lost_cache_usd_per_request(4000.0, 0.5, 1.25, 0.125)), 9)
    0.00225
    """
    dearer_usd_per_mtok = input_usd_per_mtok - cache_read_usd_per_mtok
    return cached_tokens_per_request * lost_cache_fraction * dearer_usd_per_mtok / TOKENS_PER_MTOK


@formula
def mix_usd_per_request(
    routed_usd_per_request: Draws,
    router_usd_per_request: Draws,
    judge_usd_per_request: Draws,
    shadow_usd_per_request: Draws,
    lost_cache_usd_per_request: Draws,
) -> Draws:
    """All that a routed request costs: the models, the decision, the judge, the shadow, the lost cache hits.

    >>> round(float(mix_usd_per_request(0.00325, 0.00001, 0.0001, 0.000155, 0.00225)), 9)
    0.005765
    """
    watched = judge_usd_per_request + shadow_usd_per_request
    return routed_usd_per_request + router_usd_per_request + watched + lost_cache_usd_per_request


@formula
def mix_usd_per_success(
    mix_usd_per_request: Draws, mix_success_fraction: Draws, failure_usd_per_request: Draws
) -> Draws:
    """Cost of one success of the mix; a failure costs `failure_usd_per_request` and gives nothing.

    >>> round(float(mix_usd_per_success(0.005765, 0.875, 0.0)), 9)
    0.006588571
    """
    return (mix_usd_per_request + (1 - mix_success_fraction) * failure_usd_per_request) / mix_success_fraction
