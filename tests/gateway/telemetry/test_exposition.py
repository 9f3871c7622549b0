"""The exposition: parsed by Prometheus' own parser, consistent after merging, every metric of the table in it."""

from __future__ import annotations

import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.gateway.telemetry.told import attempt, plan

from breakeven.gateway.telemetry.counters import Counters
from breakeven.gateway.telemetry.exposition import exposition
from breakeven.gateway.telemetry.merged import FRESH_S, Merged, merged
from breakeven.gateway.telemetry.metric_table import METRICS, PREFIX


def two_relays() -> Merged:
    one, two = Counters(0), Counters(1)
    for i in range(10):
        one.finished(plan(), [attempt(spent_s=0.01 * i)], True)
    for i in range(7):
        two.finished(plan(), [attempt(spent_s=10.0 * i, first_byte_s=None)], True)
    two.finished(plan(task=None), [attempt('a\nb"c\\d')], True)
    for each, count in ((one, 3), (two, 4)):
        each.gauge("requests_in_flight", count)
        each.gauge("breaker_state", count % 3, "vendor")
        each.serves_policy("a" * 64, "task_map")
        each.refused("invalid_api_key")
    plain = {f"relay-{i}": orjson.loads(each.snapshot()) for i, each in enumerate((one, two))}
    return merged(plain, plain["relay-0"]["written_unix_s"])


def samples(text: bytes) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def test_histograms_are_consistent_after_merging() -> None:
    found = samples(exposition(two_relays(), "1"))
    for name in ("request_duration_seconds", "first_byte_seconds"):
        for labels, count in found[f"{PREFIX}{name}_count"].items():
            buckets = [
                (float(dict(each)["le"]), value)
                for each, value in found[f"{PREFIX}{name}_bucket"].items()
                if tuple(pair for pair in each if pair[0] != "le") == labels
            ]
            values = [value for _, value in sorted(buckets)]
            assert values == sorted(values), "buckets are cumulative"
            assert values[-1] == count and sorted(buckets)[-1][0] == float("inf")
    labels = (("model", "small"), ("task", "faq"))
    assert found[f"{PREFIX}request_duration_seconds_count"][labels] == 17
    assert found[f"{PREFIX}request_duration_seconds_sum"][labels] == pytest.approx(0.45 + 210)
    assert found[f"{PREFIX}first_byte_seconds_count"][labels] == 10


def test_counters_add_up_and_gauges_merge_as_the_table_says() -> None:
    found = samples(exposition(two_relays(), "1"))
    assert found[f"{PREFIX}requests_in_flight"] == {(): 7}
    assert found[f"{PREFIX}breaker_state"] == {(("upstream", "vendor"),): 1}
    assert found[f"{PREFIX}refusals_total"] == {(("code", "invalid_api_key"),): 2}
    assert found[f"{PREFIX}policy_info"] == {(("hash", "a" * 64), ("kind", "task_map")): 2}
    assert found[f"{PREFIX}relay_up"] == {(("process", "0"),): 1, (("process", "1"),): 1}


def test_hostile_names_survive() -> None:
    found = samples(exposition(two_relays(), "1"))
    assert found[f"{PREFIX}request_duration_seconds_count"][(("model", 'a\nb"c\\d'), ("task", ""))] == 1


def test_every_metric_of_the_table_is_shown() -> None:
    shown = {each.name for each in text_string_to_metric_families(exposition(Merged(), "1").decode())}
    assert shown == {(PREFIX + each.name).removesuffix("_total") for each in METRICS}


def test_a_dead_relay_keeps_its_totals_and_loses_its_gauges() -> None:
    one = Counters(0)
    one.finished(plan(), [attempt()], True)
    one.gauge("requests_in_flight", 3)
    plain = orjson.loads(one.snapshot())
    found = merged({"relay-0": plain}, plain["written_unix_s"] + FRESH_S + 1).numbers
    assert found["requests_total"] == {("chat", "delivered"): 1}
    assert "requests_in_flight" not in found
    assert found["relay_up"] == {("0",): 0}


def test_a_damaged_snapshot_hides_no_other() -> None:
    one = Counters(0)
    one.refused("x")
    plain = orjson.loads(one.snapshot())
    found = merged({"relay-0": plain, "relay-1": {"version": 1}}, plain["written_unix_s"]).numbers
    assert found["refusals_total"] == {("x",): 1}
    assert found["events_total"] == {("snapshot_unreadable",): 1}
