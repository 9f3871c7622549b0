"""Document: what flows through a gateway now as one JSON: rates, percentiles, spend, breakers, budgets.

`/api/gateway` answers it and the page shows it. Rates are of what was counted between two readings; a figure that
cannot be told yet is null, and an unpriced call is counted as one, never as 0 USD.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

from breakeven.units import SECONDS_PER_HOUR
from breakeven.web.gateway.histogram_quantiles import quantile
from breakeven.web.gateway.parts import (
    GatewayDocument,
    KeyRow,
    ModelRow,
    Percentiles,
    PolicyRow,
    Traffic,
    UpstreamRow,
)
from breakeven.web.gateway.series import GAP_S, series_of
from breakeven.web.gateway.totals import CallKey, ModelTotals, Span, Totals, span_of
from breakeven.web.gateway.watch import REMEMBERED_S, Seen

SCHEMA_VERSION: Final = "1.0"
RATE_WINDOW_S: Final = 60.0
"""Over which requests per second are told."""
LATENCY_WINDOW_S: Final = 300.0
"""Over which percentiles, spend and models are told."""
BREAKER_STATES: Final = ("closed", "half_open", "open")
FALLBACK_KINDS: Final = ("retry", "fallback", "escalation", "check", "hedge", "shadow")


def gateway_document(seen: Seen, address: str) -> GatewayDocument:
    """What is known, as a document."""
    newest = seen.moments[-1] if seen.moments else None
    admin = seen.admin or {}
    rates = None if newest is None else _span(seen.moments, RATE_WINDOW_S)
    window = None if newest is None else _span(seen.moments, LATENCY_WINDOW_S)
    ready = seen.ready or {}
    return GatewayDocument(
        SCHEMA_VERSION,
        "gateway",
        address,
        None if newest is None else _iso(newest.at_unix_s),
        _state(seen),
        _count(ready.get("relays")),
        _count(ready.get("wanted")),
        newest.version if newest else "",
        seen.trouble,
        seen.admin_trouble,
        None if rates is None or window is None else _traffic(rates, window),
        None if window is None else _percentiles(window, "durations"),
        None if window is None else _percentiles(window, "first_bytes"),
        {} if window is None else _kinds(window),
        {} if window is None else _counts(window.refusals),
        () if window is None else _models(window, _page(admin, "settings")),
        () if window is None else _upstreams(window, _page(admin, "settings")),
        _keys(_page(admin, "keys")),
        None if newest is None else _policy(newest, _page(admin, "policy")),
        {} if newest is None else _losses(newest),
        None if newest is None else int(newest.gauges.get("sink_queue_bytes", 0)),
        _rule(_page(_page(admin, "settings"), "breaker")),
        series_of(seen.moments, REMEMBERED_S),
    )


def as_json(document: GatewayDocument) -> dict[str, Any]:
    """Plain values."""
    return asdict(document)


def _span(moments: Sequence[Totals], window_s: float) -> Span:
    """From the moment nearest to `window_s` ago to now; not across a time when nobody read."""
    newest = moments[-1]
    before = newest
    for each in reversed(moments):
        if newest.at_unix_s - each.at_unix_s > window_s + 1.0 or before.at_unix_s - each.at_unix_s > GAP_S:
            break
        before = each
    return span_of(before, newest)


def _state(seen: Seen) -> str:
    if seen.trouble is not None or not seen.moments:
        return "unreached" if seen.moments else "never_reached"
    status = (seen.ready or {}).get("status")
    return {"ready": "serving", "draining": "draining"}.get(str(status), "not_ready")


def _traffic(rates: Span, window: Span) -> Traffic:
    refused, now = sum(rates.refusals.values()), rates.after
    has_time = rates.seconds_s > 0
    return Traffic(
        round(rates.seconds_s, 1),
        rates.rate(sum(rates.requests.values()) + refused),
        rates.rate(rates.requests.get("failed", 0.0)),
        rates.rate(refused),
        rates.rate(sum(each.input_tokens + each.output_tokens for each in rates.models.values())),
        round(window.seconds_s, 1),
        _per_hour(window, sum(each.cost_usd for each in window.models.values())),
        sum(each.unpriced_count for each in window.models.values()) if has_time else None,
        now.gauges.get("requests_in_flight", 0.0),
        now.gauges.get("client_connections", 0.0),
        sum(now.requests.values()) + sum(now.refusals.values()),
        sum(each.cost_usd for each in now.models.values()),
        sum(each.unpriced_count for each in now.models.values()),
    )


def _per_hour(window: Span, usd: float) -> float | None:
    rate = window.rate(usd)
    return None if rate is None else rate * SECONDS_PER_HOUR


def _percentiles(window: Span, name: str) -> Percentiles:
    whole, edges = window.whole(name), window.after.edges_s
    return Percentiles(sum(whole), *(quantile(whole, edges, fraction) for fraction in (0.5, 0.95, 0.99)))


def _kinds(window: Span) -> dict[str, float]:
    found = dict.fromkeys(FALLBACK_KINDS, 0.0)
    for (_, kind, _result), count in window.calls.items():
        if kind in found:
            found[kind] += count
    return _counts(found)


def _counts(found: Mapping[str, float]) -> dict[str, float]:
    """Those above zero, the largest first."""
    return {key: found[key] for key in sorted(found, key=lambda each: (-found[each], each)) if found[key] > 0}


def _models(window: Span, settings: Mapping[str, Any]) -> tuple[ModelRow, ...]:
    rows = []
    edges = window.after.edges_s
    for name, each in window.models.items():
        whole = window.after.models[name]
        sources, as_of = _prices(settings, name, whole)
        rows.append(
            ModelRow(
                name,
                each.calls_count,
                each.failed_count,
                each.unpriced_count,
                each.estimated_count,
                _per_hour(window, each.cost_usd),
                each.input_tokens,
                each.output_tokens,
                quantile(each.durations, edges, 0.95),
                quantile(each.first_bytes, edges, 0.95),
                sources,
                as_of,
                whole.calls_count,
                whole.cost_usd,
                whole.unpriced_count,
            )
        )
    return tuple(sorted(rows, key=lambda row: (-row.total_cost_usd, -row.total_calls_count, row.model)))


def _prices(settings: Mapping[str, Any], model: str, totals: ModelTotals) -> tuple[tuple[str, ...], str | None]:
    """Where a model's price comes from, and of which day the oldest is."""
    targets = _page(settings, "models").get(model)
    found: list[str] = []
    days: list[str] = []
    for each in targets if isinstance(targets, list) else ():
        price = _page(each, "price") if isinstance(each, dict) else {}
        is_counted = not price and totals.cost_usd > 0 and not totals.unpriced_count
        found.append(str(price.get("source")) if price else "policy" if is_counted else "unpriced")
        if price.get("as_of"):
            days.append(str(price["as_of"]))
    if totals.unpriced_count and "unpriced" not in found:
        found.append("unpriced")
    return tuple(dict.fromkeys(found)), min(days, default=None)


def _upstreams(window: Span, settings: Mapping[str, Any]) -> tuple[UpstreamRow, ...]:
    listed = settings.get("upstreams")
    told = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    places = {str(each.get("name", "")): each for each in told}
    all_calls = window.after.calls
    names = {*window.after.breakers, *(key[0] for key in all_calls), *places} - {""}
    rows = []
    for name in sorted(names):
        state = min(max(window.after.breakers.get(name, 0), 0), 2)
        rows.append(
            UpstreamRow(
                name,
                BREAKER_STATES[state],
                str(places.get(name, {}).get("base_url", "")),
                sum(count for key, count in window.calls.items() if key[0] == name),
                _failures(window.calls, name),
                _failures(all_calls, name),
            )
        )
    return tuple(sorted(rows, key=lambda row: (-BREAKER_STATES.index(row.breaker), row.upstream)))


def _failures(calls: Mapping[CallKey, float], upstream: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for (name, _kind, result), count in calls.items():
        if name == upstream and result != "ok":
            found[result] = found.get(result, 0.0) + count
    return _counts(found)


def _keys(page: Mapping[str, Any]) -> tuple[KeyRow, ...]:
    listed = page.get("keys")
    rows = []
    for each in listed if isinstance(listed, list) else ():
        if not isinstance(each, dict):
            continue
        spend = _page(each, "spend")
        rows.append(
            KeyRow(
                str(each.get("id", "")),
                bool(each.get("is_disabled")),
                str(each["application"]) if each.get("application") else None,
                _number(each.get("budget_usd")),
                _number(spend.get("spent_usd")),
                _number(spend.get("reserved_usd")),
                _number(spend.get("period_ends_unix_s")),
            )
        )
    return tuple(sorted(rows, key=lambda row: (-_used(row), row.id)))


def _used(row: KeyRow) -> float:
    return row.spent_usd / row.budget_usd if row.budget_usd and row.spent_usd is not None else -1.0


def _policy(newest: Totals, page: Mapping[str, Any]) -> PolicyRow | None:
    told = _page(page, "policy")
    ranked = sorted(newest.policies, key=lambda each: -newest.policies[each])
    if not ranked and not told:
        return None
    served = next((each for each in ranked if each[0] == told.get("hash")), ranked[0] if ranked else ("", ""))
    trial = told.get("trial")
    return PolicyRow(
        str(served[0] or told.get("hash", "")),
        str(served[1] or told.get("kind", "")),
        newest.policies.get(served, 0),
        tuple(each[0] for each in ranked if each != served),
        _text(told.get("created")),
        _text(told.get("made_by")),
        _number(told.get("in_force_since_unix_s")),
        bool(told.get("is_rolled_back")),
        _text(told.get("trouble")),
        trial if isinstance(trial, dict) else None,
    )


def _rule(told: Mapping[str, Any]) -> dict[str, float] | None:
    """When a breaker opens, where all of it was told."""
    names = ("failures_count", "failing_fraction", "window_count", "open_s")
    found = {name: _number(told.get(name)) for name in names}
    known = {name: value for name, value in found.items() if value is not None}
    return known if len(known) == len(names) else None


def _losses(newest: Totals) -> dict[str, float]:
    counters = {name.removesuffix("_total"): value for name, value in newest.counters.items()}
    restarts = {f"restarts_of_{name}": value for name, value in newest.restarts.items()}
    return _counts({**counters, **restarts})


def _page(pages: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A part of what the admin API told, where it is a mapping."""
    found = pages.get(name)
    return found if isinstance(found, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _iso(unix_s: float) -> str:
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="seconds")
