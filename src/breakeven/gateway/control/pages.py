"""Pages: what the admin API shows, as plain values for JSON; no secret is in any of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from breakeven.gateway.config.settings import GatewaySettings
from breakeven.gateway.control.policy_shelf import Chosen, PolicyShelf
from breakeven.gateway.limits.key_state import KeySpend
from breakeven.gateway.places import address
from breakeven.gateway.plan import Key
from breakeven.gateway.telemetry.merged import Merged
from breakeven.gateway.upstream import Target, Upstream
from breakeven.routing.trial import Trial

_BREAKER_STATES: Final = ("closed", "half_open", "open")


def key_page(key: Key, spend: KeySpend | None, is_configured: bool) -> dict[str, Any]:
    """A key; never its hash."""
    page: dict[str, Any] = {
        "id": key.id,
        "origin": "configuration" if is_configured else "admin",
        "application": key.application,
        "models": list(key.allowed_models),
        "may_override": key.may_override,
        "may_give_outcomes": key.may_give_outcomes,
        "budget_usd": key.budget_usd,
        "budget_period_s": key.budget_period_s,
        "requests_per_minute": key.requests_per_minute,
        "tokens_per_minute": key.tokens_per_minute,
        "expires_unix_s": key.expires_unix_s,
        "is_disabled": key.is_disabled,
    }
    if spend is not None and key.budget_usd is not None:
        page["spend"] = {
            "spent_usd": spend.spent_usd,
            "reserved_usd": spend.reserved_usd,
            "spent_before_usd": spend.spent_before_usd,
            "period_starts_unix_s": spend.period_starts_unix_s,
            "period_ends_unix_s": spend.period_ends_unix_s,
        }
    return page


def policy_page(
    chosen: Chosen | None, shelf: PolicyShelf, numbers: Merged, since_unix_s: float | None = None
) -> dict[str, Any]:
    """The policy in force, the versions one can go back to, and what the relays really serve."""
    serving = numbers.numbers.get("policy_info", {})
    page: dict[str, Any] = {
        "policy": None,
        "versions": list(reversed(shelf.hashes())),
        "served_by_relays": {policy_hash: int(count) for (policy_hash, _kind), count in serving.items()},
    }
    if chosen is not None:
        document = chosen.policy.document
        page["policy"] = {
            "hash": chosen.policy.hash,
            "kind": chosen.policy.kind,
            "created": document.created or None,
            "made_by": document.made_by or None,
            "models": list(chosen.policy.models),
            "default_model": document.default_model,
            "is_rolled_back": chosen.is_pinned,
            "in_force_since_unix_s": since_unix_s,
            "trouble": chosen.trouble or None,
            "trial": _trial(document.trial),
        }
    return page


def _trial(trial: Trial | None) -> dict[str, Any] | None:
    """What a policy puts to the test."""
    if trial is None:
        return None
    parts = [
        {"task": each.task, "candidate": each.candidate_model, "mode": each.mode, "share_fraction": each.share_fraction}
        for each in trial.parts
    ]
    return {"pilot": trial.pilot, "unit": trial.unit, "parts": parts}


def upstreams_page(settings: GatewaySettings, numbers: Merged) -> dict[str, Any]:
    """Each upstream with its breaker, and what became of the attempts there."""
    breakers = numbers.numbers.get("breaker_state", {})
    pages = []
    for name, upstream in settings.upstreams.items():
        results: dict[str, int] = {}
        for labels, count in numbers.numbers.get("calls_total", {}).items():
            if labels[1] == name:
                results[labels[4]] = results.get(labels[4], 0) + int(count)
        state = int(breakers.get((name,), 0))
        page = _upstream_page(upstream) | {
            "breaker": _BREAKER_STATES[min(max(state, 0), 2)],
            "attempts": results,
        }
        pages.append(page)
    return {"upstreams": pages}


def settings_page(settings: GatewaySettings) -> dict[str, Any]:
    """The settings in force: only what is named here, so that nothing new leaks by itself."""
    return {
        "listen": address(settings.listen_host, settings.listen_port),
        "admin": address(settings.admin_host, settings.admin_port),
        "processes_count": settings.processes_count,
        "state_folder": str(settings.state_folder),
        "upstreams": [_upstream_page(each) for each in settings.upstreams.values()],
        "models": {name: [_target_page(each) for each in targets] for name, targets in settings.models.items()},
        "default_model": settings.default_model,
        "passthrough": settings.passthrough,
        "policy_folder": None if settings.policy_folder is None else str(settings.policy_folder),
        "fallbacks": {name: list(models) for name, models in settings.fallbacks.items()},
        "keys_count": len(settings.keys),
        "is_open": settings.is_open,
        "residency_rules": [{"name": each.name, "upstreams": list(each.upstreams)} for each in settings.residency],
        "arms": None
        if settings.arms is None
        else {"experiment": settings.arms.experiment, "shares": dict(settings.arms.shares)},
        "shadows": [{"model": each.model, "share_fraction": each.share_fraction} for each in settings.shadows],
        "timeouts": _fields(settings.timeouts),
        "retries": _fields(settings.retries),
        "breaker": _fields(settings.breaker),
        "wire": _fields(settings.wire),
        "cascade_streams": settings.cascade_streams,
        "durability": settings.durability,
        "prompts": settings.prompts,
        "limits": "limits.bin in the state folder"
        if settings.redis_url is None
        else f"redis at {_host(settings.redis_url)}",
        "tls": settings.tls_certificate is not None,
        "trace_endpoint": None if settings.trace_endpoint is None else _host(settings.trace_endpoint),
    }


def _upstream_page(upstream: Upstream) -> dict[str, Any]:
    scheme = "https" if upstream.is_tls else "http"
    place = (
        upstream.socket_path or f"{scheme}://{upstream.host}:{upstream.port}{upstream.path_prefix.decode('latin-1')}"
    )
    return {"name": upstream.name, "base_url": place, "dialect": upstream.dialect, "quirks": upstream.quirks}


def _target_page(target: Target) -> dict[str, Any]:
    page: dict[str, Any] = {"upstream": target.upstream.name, "model": target.model, "price": None}
    if target.price is not None:
        page["price"] = _fields(target.price)
    return page


def _fields(value: Any) -> Mapping[str, Any]:
    return {name: getattr(value, name) for name in type(value).__slots__}


def _host(url: str) -> str:
    """Where an URL points, without who asks there."""
    parts = urlsplit(url)
    return f"{parts.hostname or '?'}:{parts.port}" if parts.port else parts.hostname or "?"
