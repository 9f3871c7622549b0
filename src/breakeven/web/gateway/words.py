"""Words: how the figures of a running gateway read: the sentence at the top, alarms, tiles, rows and charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from typing import TYPE_CHECKING, Final

from breakeven.reports import amounts
from breakeven.reports.safe_text import safe, short
from breakeven.units import MS_PER_S
from breakeven.web.gateway.histogram_quantiles import Quantile
from breakeven.web.gateway.parts import (
    GatewayDocument,
    KeyRow,
    ModelRow,
    PolicyRow,
    Traffic,
    UpstreamRow,
)
from breakeven.web.gateway.series import Series
from breakeven.web.gateway.sparkline import Line, sparkline

if TYPE_CHECKING:
    from markupsafe import Markup

NAME_SHOWN_COUNT: Final = 60
SHOWN_MIN_COUNT: Final = 2
"""Minutes that a chart shows at least."""
HASH_SHOWN_COUNT: Final = 12
NEARLY_USED_FRACTION: Final = 0.9
STATES: Final = {
    "serving": ("SERVING", "note"),
    "draining": ("DRAINING", "warning"),
    "not_ready": ("NOT READY", "danger"),
    "unreached": ("NOT REACHED", "danger"),
    "never_reached": ("NOT REACHED", "danger"),
}
BREAKERS: Final = {
    "closed": ("closed", "good", "requests pass"),
    "half_open": ("half open", "wait", "one request at a time tries whether it is back"),
    "open": ("OPEN", "bad", "no request goes there"),
}
BREAKERS_THEN: Final = {
    "closed": "requests passed",
    "half_open": "one request at a time tried whether it was back",
    "open": "no request went there",
}
"""What a breaker did, of a gateway that is not reached now."""
FAILURES: Final = {
    "connect": "not reached",
    "first_byte_timeout": "no first byte in time",
    "idle_timeout": "stopped in the middle",
    "total_timeout": "took too long",
    "reset": "connection broken",
    "bad_answer": "answer not understood",
    "too_large": "answer too large",
    "client_gone": "client left",
    "rejected": "failed its checks",
    "superseded": "another was faster",
}
KINDS: Final = {
    "retry": ("Retries", "asked the same model again"),
    "fallback": ("Fallbacks", "asked another model after a failure"),
    "escalation": ("Escalations", "a cascade asked its next model"),
    "check": ("Checks", "asked a second model, whose answer must be the same"),
    "hedge": ("Hedges", "asked a second one because the first was slow"),
    "shadow": ("Shadow copies", "answers nobody sees, for a pilot"),
}
LOSSES: Final = {
    "calls_dropped": "call records lost: neither folder could be written",
    "calls_spilled": "call records written to the spill folder",
    "sink_errors": "failed writes of call records",
    "shadows_skipped": "shadow copies not sent because enough were under way",
    "retry_budget_exhausted": "retries not made because too many had been",
    "limits_errors": "reservations that failed because shared limits were unreachable",
    "policy_errors": "new policy versions that could not be used",
    "reload_errors": "new settings or keys that could not be used",
    "spans_dropped": "spans that the collector did not take",
    "log_lines_dropped": "log lines not written",
}
ALARMING_LOSSES: Final = ("calls_dropped", "policy_errors", "limits_errors")


@dataclass(frozen=True, slots=True)
class Tile:
    """One headline figure."""

    label: str
    value: str
    basis: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class SmallChart:
    """One small chart with what it shows in words."""

    title: str
    now: str
    span: str
    svg: Markup


def sentence(document: GatewayDocument) -> str:
    """What flows, in one sentence."""
    traffic = document.traffic
    if traffic is None:
        return "No figure of the gateway is known."
    if traffic.requests_req_per_s is None:
        done = amounts.counted(traffic.requests_total_count, "request")
        return f"{done} so far; rates come with the second reading, in a few seconds."
    parts = [f"{rate(traffic.requests_req_per_s)} requests a second", _failing(traffic), _spending(traffic)]
    now = f"{', '.join(filter(None, parts))}; {_breakers(document.upstreams)}."
    return now if document.trouble is None else f"When it was last read: {now}"


def last_reached(document: GatewayDocument, now: datetime) -> str:
    """When the gateway was reached last, where it is not reached now; the day where that is not today."""
    if document.trouble is None or document.as_of is None:
        return ""
    at = datetime.fromisoformat(document.as_of)
    if at.date() == now.date():
        return f"When last reached, at {at:%H:%M} UTC"
    return f"When last reached, on {amounts.date_text(document.as_of)}"


def alarms(document: GatewayDocument) -> tuple[str, ...]:
    """What must not be overlooked; in the past tense of a gateway that is not reached now."""
    is_past = document.trouble is not None
    be, has, leave = ("was", "had", "left") if is_past else ("is", "has", "leave")
    found = []
    traffic = document.traffic
    for each in document.upstreams:
        if each.breaker != "closed":
            name, words = short(each.upstream, NAME_SHOWN_COUNT), BREAKERS[each.breaker]
            what = BREAKERS_THEN[each.breaker] if is_past else words[2]
            found.append(f"The breaker of {name} {be} {words[0]}: {what}. {breaker_reason(each)}")
    unpriced = [short(each.model, NAME_SHOWN_COUNT) for each in document.models if each.total_unpriced_count]
    if traffic is not None and unpriced:
        count = amounts.counted(traffic.unpriced_total_count, "call")
        found.append(
            f"UNPRICED: {count} of {_listed(unpriced)} cost money that nobody counted; spend and budgets {leave} them "
            "out. Give the model a price in gateway.yaml."
        )
    found += [f"{amounts.magnitude(document.losses[name])} {LOSSES[name]}." for name in ALARMING_LOSSES
              if name in document.losses]  # fmt: skip
    if document.policy is not None and document.policy.trouble:
        found.append(f"The policy in the folder {be} not in force: {safe(document.policy.trouble)}")
    for key in document.keys:
        if _fraction(key) >= NEARLY_USED_FRACTION:
            used = amounts.fraction(_fraction(key))
            found.append(f"Key {short(key.id, 40)} {has} used {used} of its budget ({used_words(key)}).")
    return tuple(found)


def tiles(document: GatewayDocument) -> tuple[Tile, ...]:
    """The headline figures."""
    traffic = document.traffic
    if traffic is None or document.durations is None or document.first_bytes is None:
        return ()
    over = f"over {_seconds(traffic.window_s)}" if traffic.window_s else "one reading so far"
    failed = traffic.failed_req_per_s or 0.0
    unpriced = traffic.unpriced_calls_count or 0.0
    per_hour = _usd_per_hour(traffic)
    total = (
        "nothing priced"
        if _has_no_price(traffic.unpriced_total_count, traffic.cost_total_usd)
        else amounts.money(traffic.cost_total_usd)
    )
    spent = f"over {_seconds(traffic.spend_window_s)}; {total} since the counters began"
    return (
        Tile("Requests a second", rate(traffic.requests_req_per_s), f"{over}; {rate(failed)} failed a second",
             "bad" if failed else ""),
        Tile("Answer, 95th percentile", quantile_words(document.durations.p95), _basis(document.durations.p95)),
        Tile("First byte, 95th percentile", quantile_words(document.first_bytes.p95), _basis(document.first_bytes.p95)),
        Tile("Spend an hour", per_hour,
             spent + (f"; {amounts.counted(unpriced, 'call')} UNPRICED on top" if unpriced else ""),
             "bad" if unpriced else ""),
        Tile("Tokens a second", rate(traffic.tokens_tok_per_s), "input and output"),
        Tile("Under way", f"{traffic.in_flight_count:,.0f}",
             amounts.counted(traffic.client_connections_count, "open connection")),
    )  # fmt: skip


def percentile_rows(document: GatewayDocument) -> tuple[tuple[str, tuple[tuple[str, str], ...], str], ...]:
    """Label, three percentiles with their edges, and of how many answers."""
    found = []
    for label, each in (("Whole answer", document.durations), ("First byte", document.first_bytes)):
        if each is not None:
            cells = tuple((quantile_words(one), _basis(one)) for one in (each.p50, each.p95, each.p99))
            found.append((label, cells, amounts.counted(each.answers_count, "answer")))
    return tuple(found)


def small_charts(document: GatewayDocument) -> tuple[SmallChart, ...]:
    """The charts of the last quarter of an hour."""
    by_name = {each.name: each for each in document.series}
    if not by_name:
        return ()
    shown_s = _shown_s(document.series)
    groups = (
        ("Requests a second", ("requests",), rate),
        ("Failed requests a second", ("failures",), rate),
        ("Time to the whole answer", ("duration_p50", "duration_p95"), _span_s),
        ("Time to the first byte", ("first_byte_p50", "first_byte_p95"), _span_s),
        ("Spend an hour", ("spend",), amounts.money),
        ("Tokens a second", ("tokens",), rate),
    )
    found = []
    for title, names, words in groups:
        lines = [by_name[name] for name in names]
        now, span = _line_words(lines[-1], words)
        label = f"{title}: {now}; {span}"
        svg = sparkline(
            [Line(each.points, ("p50", "p95")[i] if len(lines) > 1 else "") for i, each in enumerate(lines)],
            label, shown_s, words, since=f"{shown_s / 60:.0f} min ago",
        )  # fmt: skip
        found.append(SmallChart(title, f"{now}{' (p95)' if len(lines) > 1 else ''}", span, svg))
    return tuple(found)


def minute_rows(series: Sequence[Series]) -> tuple[tuple[str, ...], ...]:
    """The charts as a table: the last reading of each minute, the youngest first."""
    if not series:
        return ()
    found: dict[int, tuple[str, ...]] = {}
    for i in range(len(series[0].points) - 1, -1, -1):
        minute = int(series[0].points[i].ago_s // 60)
        if minute not in found:
            cells = (_cell(each, i) for each in series)
            found[minute] = (f"{minute} min ago" if minute else "now", *cells)
    return tuple(found.values())


def _cell(series: Series, at: int) -> str:
    value = series.points[at].value
    if value is None:
        return "–"
    words = {"second": _span_s, "usd/hour": amounts.money}.get(series.unit, rate)
    return words(value)


def price_badges(row: ModelRow) -> tuple[tuple[str, str], ...]:
    """Where a model's price comes from: words and kind of badge."""
    found = []
    for each in row.price_sources:
        day = f", {amounts.date_text(row.price_as_of)}" if row.price_as_of and each != "unpriced" else ""
        if each == "unpriced":
            found.append(("UNPRICED", "danger"))
        elif each == "policy":
            found.append(("the policy's price list", "grade-quoted"))
        elif each == "amortised":
            found.append((f"amortised{day}", "grade-measured"))
        else:
            found.append((f"list price{day}", "grade-official"))
    return tuple(found)


def breaker_reason(row: UpstreamRow) -> str:
    """Why attempts there fail, as far as it was seen."""
    failed = sum(row.failures.values())
    if failed:
        return f"Of its last {amounts.counted(row.attempts_count, 'attempt')}, {failures_words(row.failures)}."
    if row.total_failures:
        return f"Nothing failed in the last minutes; before that: {failures_words(row.total_failures)}."
    return "No attempt there has failed."


def failures_words(failures: Mapping[str, float]) -> str:
    """How attempts failed, the commonest first."""
    return ", ".join(f"{amounts.magnitude(count)} {failure_words(name)}" for name, count in failures.items())


def failure_words(name: str) -> str:
    """One way to fail.

    >>> failure_words("http_503"), failure_words("connect")
    ('answered 503', 'not reached')
    """
    if name.startswith("http_"):
        return f"answered {short(name.removeprefix('http_'), 10)}"
    return FAILURES.get(name, short(name, 30).replace("_", " "))


def used_words(row: KeyRow) -> str:
    """How much of a budget is used."""
    if row.budget_usd is None:
        return "no budget"
    if row.spent_usd is None:
        return "not known now"
    reserved = f", {amounts.money(row.reserved_usd)} reserved" if row.reserved_usd else ""
    return f"{amounts.money(row.spent_usd)} of {amounts.money(row.budget_usd)}{reserved}"


def used_percent(row: KeyRow) -> str:
    """The same as a number for a bar, 0 to 100."""
    return f"{100 * min(max(_fraction(row), 0.0), 1.0):.0f}"


def period_words(row: KeyRow) -> str:
    """When a budget begins anew."""
    if row.period_ends_unix_s is None:
        return ""
    return amounts.date_text(datetime.fromtimestamp(row.period_ends_unix_s, UTC).isoformat())


def policy_rows(policy: PolicyRow, now_unix_s: float) -> tuple[tuple[str, str], ...]:
    """The policy in force, label by label."""
    relays = amounts.counted(policy.relays_count, "relay process").replace("processs", "processes")
    rows = [("Version", f"{safe(policy.hash)[:HASH_SHOWN_COUNT]} ({safe(policy.kind)}), served by {relays}")]
    if policy.others:
        names = ", ".join(safe(each)[:HASH_SHOWN_COUNT] for each in policy.others)
        rows.append(("Still served by others", names))
    if policy.since_unix_s is not None:
        rows.append(("In force for", age_words(now_unix_s - policy.since_unix_s)))
    if policy.created or policy.made_by:
        made = f"made by {safe(policy.made_by or 'nobody named')}"
        rows.append(("Written", f"{amounts.date_text(safe(policy.created or ''))}, {made}" if policy.created else made))
    if policy.is_rolled_back:
        rows.append(("Rolled back", "an earlier version is in force in place of the folder's"))
    if policy.trial:
        rows.append(("Trial", f"pilot {short(str(policy.trial.get('pilot', '')), NAME_SHOWN_COUNT)}"))
    return tuple(rows)


def loss_rows(document: GatewayDocument) -> tuple[tuple[str, str], ...]:
    """Counters that ought to be 0."""
    found = []
    for name, count in document.losses.items():
        words = LOSSES.get(name) or f"{safe(name).replace('_', ' ')}: ended by itself and was started again"
        found.append((amounts.magnitude(count), words))
    return tuple(found)


def age_words(seconds_s: float) -> str:
    """How long something is so.

    >>> age_words(12), age_words(600), age_words(7200), age_words(3 * 86_400)
    ('12 s', '10 min', '2 hours', '3 days')
    """
    seconds_s = max(seconds_s, 0.0)
    if seconds_s < 60:
        return f"{seconds_s:.0f} s"
    if seconds_s < 3600:
        return f"{seconds_s / 60:.0f} min"
    if seconds_s < 2 * 86_400:
        return amounts.hours(round(seconds_s / 3600))
    return amounts.counted(seconds_s // 86_400, "day")


def rate(value: float | None) -> str:
    """A rate.

    >>> rate(0.0), rate(0.034), rate(12.41), rate(None)
    ('0', '0.034', '12.4', 'not known')
    """
    return amounts.NOT_KNOWN if value is None else amounts.magnitude(value)


def quantile_words(found: Quantile | None) -> str:
    """A percentile."""
    if found is None:
        return "no answer"
    return f"over {_span_s(found.low_s)}" if found.value_s is None else _span_s(found.value_s)


def _basis(found: Quantile | None) -> str:
    if found is None or found.high_s is None:
        return "" if found is None else "beyond the last edge of the histogram"
    return f"between {_span_s(found.low_s)} and {_span_s(found.high_s)}"


def _span_s(seconds_s: float) -> str:
    if seconds_s < 1:
        return f"{amounts.number(MS_PER_S * seconds_s, 2)} ms" if seconds_s else "0 s"
    return f"{amounts.number(seconds_s, 2)} s"


def _seconds(seconds_s: float) -> str:
    return "the last minute" if 55 <= seconds_s <= 65 else f"the last {age_words(seconds_s)}"


def _failing(traffic: Traffic) -> str:
    all_of, failed = traffic.requests_req_per_s or 0.0, traffic.failed_req_per_s or 0.0
    if not all_of:
        return ""
    return f"{amounts.fraction(failed / all_of)} failing" if failed else "none failing"


def _usd_per_hour(traffic: Traffic) -> str:
    """Spend an hour; where no call of it has a price that is no $0."""
    if traffic.usd_per_hour is None:
        return amounts.NOT_KNOWN
    return (
        "unpriced"
        if _has_no_price(traffic.unpriced_calls_count, traffic.usd_per_hour)
        else (amounts.money(traffic.usd_per_hour))
    )


def _has_no_price(unpriced_count: float | None, usd: float) -> bool:
    """Whether a sum of nothing is one of calls without a price."""
    return bool(unpriced_count) and not usd


def _spending(traffic: Traffic) -> str:
    if traffic.usd_per_hour is None:
        return ""
    if _has_no_price(traffic.unpriced_calls_count, traffic.usd_per_hour):
        return "spend unpriced"
    also = ", unpriced calls not counted" if traffic.unpriced_calls_count else ""
    return f"{amounts.money(traffic.usd_per_hour)} an hour{also}"


def _breakers(rows: Sequence[UpstreamRow]) -> str:
    shut = [each for each in rows if each.breaker != "closed"]
    if shut:
        return f"{amounts.counted(len(shut), 'breaker')} of {len(rows)} not closed"
    return "all breakers closed" if rows else "no upstream has been asked"


def _fraction(row: KeyRow) -> float:
    return row.spent_usd / row.budget_usd if row.budget_usd and row.spent_usd is not None else 0.0


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more models" if len(names) > 4 else "")


def _line_words(series: Series, words: object) -> tuple[str, str]:
    assert callable(words)
    values = series.values
    if not values:
        return "nothing measured", "nothing was measured yet"
    last = series.points[-1].value
    return (
        words(last) if last is not None else "nothing now",
        f"{words(min(values))} to {words(max(values))} in the time shown",
    )


def _shown_s(series: Sequence[Series]) -> float:
    """How far back the charts reach: whole minutes, two at least."""
    oldest_s = max((each.ago_s for one in series for each in one.points), default=0.0)
    return 60.0 * max(ceil(oldest_s / 60), SHOWN_MIN_COUNT)
