"""Cautions: what is allowed in a configuration or a policy and yet may surprise, in sentences."""

from __future__ import annotations

from ipaddress import ip_address

from breakeven.gateway.config.settings import GatewaySettings
from breakeven.gateway.metering.pricing import assumptions
from breakeven.gateway.upstream import Target
from breakeven.routing.policy_document import PolicyDocument

_CACHE_READS = "cache reads cost what other input costs"
"""One of `pricing.assumptions`."""


def cautions(settings: GatewaySettings) -> tuple[str, ...]:
    """One sentence each, the gravest first."""
    found = []
    if settings.is_open and not is_loopback(settings.listen_host):
        found.append(
            f"It is open and listens on {settings.listen_host}: whoever reaches the port may use it. Their own keys go "
            "to the upstream."
        )
    if not is_loopback(settings.listen_host) and settings.tls_certificate is None:
        found.append(f"It listens on {settings.listen_host} without TLS: keys and prompts cross the network readable.")
    if not is_loopback(settings.admin_host) and settings.admin_tls_certificate is None:
        found.append(f"The admin API listens on {settings.admin_host} without TLS; keep that port inside the cluster.")
    if not settings.is_open and not settings.keys and settings.admin_token_hash is None:
        found.append("It has no key and no admin token to make one with: every request will be refused.")
    if settings.is_open and settings.keys:
        found.append("It is open, so its keys are not asked: their budgets, rates and models bind nobody.")
    assumed = [(target, assumptions(target.price)) for target in _targets(settings)]
    unpriced = sorted({target.name for target, each in assumed if any("unpriced" in words for words in each)})
    if unpriced:
        found.append(f"UNPRICED, in no budget and no total: {', '.join(unpriced)}. Give them a price.")
    uncached = sorted({target.name for target, each in assumed if _is_of_a_list(target) and _CACHE_READS in each})
    if uncached:
        found.append(f"Cached tokens cost what other input costs, for want of a cache price: {', '.join(uncached)}.")
    if settings.prompts == "full":
        found.append("Prompts are stored in full, personal data included.")
    if settings.durability == "batch" and any(each.budget_usd is not None for each in settings.keys):
        found.append("Calls of the last second before a crash of the machine may be lost (durability: batch).")
    return tuple(found)


def policy_cautions(policy: PolicyDocument) -> tuple[str, ...]:
    """Of a policy that the gateway serves otherwise than its file may be read."""
    plan = policy.cascade if policy.kind == "cascade" else None
    if plan is None:
        return ()
    name = "" if plan.order_by_task else f" ({plan.order[-1]})"
    last = f"the last model of the cascade's order{name} answers, unchecked"
    found = [f"Of streamed requests {last}, unless `cascade_streams: buffered` has them checked whole first."]
    second = plan.agreement_model
    orders = (plan.order, *plan.order_by_task.values())
    if second is not None and any(second in order for order in orders):
        found.append(
            f"Where {second} is in the cascade's order it would be compared with itself: the last model answers."
        )
    return tuple(found)


def _targets(settings: GatewaySettings) -> list[Target]:
    return [each for targets in settings.models.values() for each in targets]


def _is_of_a_list(target: Target) -> bool:
    """An own server has one bill, and no price of cached tokens to miss."""
    return target.price is not None and target.price.source == "list"


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address.

    >>> is_loopback("127.0.0.1"), is_loopback("0.0.0.0"), is_loopback("localhost")
    (True, False, True)
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
