"""Prometheus' text and API answers: samples, labels with escapes, and the moment a scrape was made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from breakeven.usage.reading.head import Head
from breakeven.usage.reading.log_file import open_log
from breakeven.usage.reading.prometheus import Scrape, scrapes
from breakeven.usage.reading.unpacked import Unfit

WANTED = frozenset({"a_total", "b_total"})


def read(folder: Path, text: str, shape: str = "metrics") -> list[Scrape | Unfit]:
    path = folder / "x"
    path.write_text(text)
    return list(scrapes(open_log(path, "x"), Head(shape, frozenset()), WANTED))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("comment", "time_s"),
    [
        ("# scraped_at 2026-11-02T10:00:00Z", 1793613600.0),
        ("# scraped_at: 2026-11-02T12:00:00+02:00", 1793613600.0),
        ("# 2026-11-02 10:00:00", 1793613600.0),
        ("# time=1793613600.5", 1793613600.5),
        ("# timestamp 1793613600000", 1793613600.0),
        ("# HELP a_total Of 2026-11-02T10:00:00Z.", None),
        ("# scraped_at 2026-99-99T10:00:00Z", None),
    ],
)
def test_a_comment_may_say_the_time(comment: str, time_s: float | None, tmp_path: Path) -> None:
    (found,) = read(tmp_path, f"{comment}\na_total 1\n")
    assert isinstance(found, Scrape)
    assert found.time_s == time_s


def test_a_series_that_comes_again_begins_a_new_scrape(tmp_path: Path) -> None:
    text = 'a_total{x="1"} 1\na_total{x="2"} 2\nb_total 3\nother 9\na_total{x="1"} 4\n'
    one, two = read(tmp_path, text)
    assert isinstance(one, Scrape) and isinstance(two, Scrape)
    assert sorted(one.values.values()) == [1, 2, 3]
    assert two.values == {("a_total", (("x", "1"),)): 4.0}


def test_labels_are_sorted_and_unescaped(tmp_path: Path) -> None:
    (found,) = read(tmp_path, 'a_total{z="\\\\ \\" \\n }",b="1",} 1e3 1793613600000\n')
    assert isinstance(found, Scrape)
    assert found.values == {("a_total", (("b", "1"), ("z", '\\ " \n }'))): 1000.0}
    assert found.time_s == 1793613600.0


@pytest.mark.parametrize("line", ["a_total", 'a_total{x="1} 3', "a_total three", "{} 4", "a_total{x=1} 2"])
def test_what_is_no_sample_is_said(line: str, tmp_path: Path) -> None:
    (found,) = read(tmp_path, line + "\n")
    assert found == Unfit("not a sample of a metric", raw=line)


def test_an_instant_and_a_range_give_moments_in_order(tmp_path: Path) -> None:
    series = [
        {"metric": {"__name__": "a_total", "x": "1"}, "values": [[20, "2"], [10, "1"], ["?", "3"]]},
        {"metric": {"__name__": "b_total"}, "value": [10, "5"]},
        {"metric": {}, "value": [10, "5"]},
    ]
    found = read(tmp_path, json.dumps({"data": {"resultType": "matrix", "result": series}}), "jsonl")
    moments = [each for each in found if isinstance(each, Scrape)]
    assert [each.time_s for each in moments] == [10.0, 20.0]
    assert sorted(moments[0].values.values()) == [1.0, 5.0]
    assert [each.reason[:24] for each in found if isinstance(each, Unfit)] == [
        "not a point of a series",
        "a series without a name:",
    ]
