"""Exposition reading: what prometheus_client writes is read back, whatever the labels hold."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

from breakeven.web.gateway.exposition_reading import LINES_MAX_COUNT, Sample, read_exposition

LABEL = st.text(st.characters(codec="utf-8"), max_size=12)


class _Source:
    def __init__(self, *families: object) -> None:
        self.families = families

    def collect(self) -> tuple[object, ...]:
        """What is shown."""
        return self.families


def written(*families: object) -> str:
    """The text that a gateway would send."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Source(*families))  # type: ignore[arg-type]
    return generate_latest(registry).decode()


@given(st.dictionaries(st.tuples(LABEL, LABEL), st.floats(0, 1e15), max_size=6))
def test_counters_are_read_back(values: dict[tuple[str, str], float]) -> None:
    family = CounterMetricFamily("breakeven_cost_usd", "Help, with\nlines.", labels=("model", "task"))
    for labels, value in values.items():
        family.add_metric(labels, value)
    found = read_exposition(written(family)).get("breakeven_cost_usd_total", [])
    assert {(each.labels["model"], each.labels["task"]): each.value for each in found} == values


def test_histograms_are_read_back() -> None:
    family = HistogramMetricFamily("breakeven_first_byte_seconds", "Help.", labels=("model",))
    family.add_metric(("a",), [("0.5", 2.0), ("+Inf", 3.0)], 1.5)
    found = read_exposition(written(family))["breakeven_first_byte_seconds_bucket"]
    assert found == [Sample({"model": "a", "le": "0.5"}, 2.0), Sample({"model": "a", "le": "+Inf"}, 3.0)]


@given(st.text(max_size=200))
def test_no_text_is_too_strange(text: str) -> None:
    for name, samples in read_exposition(text).items():
        assert name and all(isinstance(each.value, float) for each in samples)


def test_what_is_no_number_is_left_out() -> None:
    text = 'a 1\nb{x="1" 2\nc{x="1"} nan\nd{x="1"} +Inf\ne{x="1"}\nf oops\n# TYPE a counter\n'
    assert read_exposition(text) == {"a": [Sample({}, 1.0)]}
    assert len(read_exposition("a 1\n" * (LINES_MAX_COUNT + 9))["a"]) == LINES_MAX_COUNT
