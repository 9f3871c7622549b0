"""What an address says is different, and the stops of a slider."""

from __future__ import annotations

import shlex
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.catalog.load import load_catalog
from breakeven.decision.answers.changes import (
    API_PRICE,
    UTILISATION,
    VOLUME,
    changed_scenario,
    known_facts,
    parse_change,
    typed_number,
)
from breakeven.decision.scenario import Scenario
from breakeven.errors import BreakevenError
from breakeven.reports.sliders import Slider
from breakeven.web.project import Project
from breakeven.web.verdict.slider_state import (
    changes_of,
    command_of,
    contradictions,
    query_of,
    stand_of,
    text_of,
    why_not,
    without,
)


def slider(name: str, fact: str, unit: str, low: float, typical: float, high: float, step: float, scale: str) -> Slider:
    return Slider(name, fact, name, unit, low, typical, high, step, scale, "", "", "guess")  # type: ignore[arg-type]


VOLUMES = slider("volume", VOLUME, "mtok/month", 10, 5_059.3, 100_000, 10 ** (1 / 40), "log")
HORIZON = slider("horizon", "horizon_months", "month", 12, 36, 72, 1, "linear")
API = slider("api_price", API_PRICE, "ratio", 0.1, 1, 10, 10 ** (1 / 40), "log")
SHARE = slider("commodity_share", "hybrid_commodity_share_fraction", "fraction", 0.168, 0.371, 1, 0.005, "linear")
GROWTH = slider("growth", "volume_growth_fraction_per_month", "1/month", -0.08, 0.02, 0.16, 0.002, "linear")
BUSY = slider(UTILISATION, "hourly_peak_to_mean_ratio", "fraction", 0.0246, 0.21, 0.76923, 0.01, "linear")
CATALOG = load_catalog(date(2026, 11, 24))
FACTS = known_facts(CATALOG, Scenario())
EVERY = (VOLUMES, GROWTH, BUSY, API, SHARE, HORIZON)


def test_an_address_says_the_sliders_in_their_order_and_then_the_rest() -> None:
    query = {"gpu": "A100", "horizon": "24", "volume": " 5B ", "api_price": "", "saved": "x", "csrf": "y"}
    assert changes_of(query.items(), EVERY) == (("volume", "5B"), ("horizon", "24"), ("gpu", "A100"))


def test_the_full_name_of_a_fact_moves_its_slider_and_a_peak_is_no_utilisation() -> None:
    query = {"volume_mtok_per_month": "5B", "horizon_months": "24", "hourly_peak_to_mean_ratio": "3"}
    found = changes_of(query.items(), EVERY)
    assert found == (("volume", "5B"), ("horizon", "24"), ("hourly_peak_to_mean_ratio", "3"))


def test_a_slider_where_the_project_stands_is_no_change() -> None:
    assert changes_of({"horizon": "36", "volume": "5.06B"}.items(), EVERY) == ()
    assert changes_of({"horizon": "36.5"}.items(), EVERY) == (("horizon", "36.5"),)


def test_several_values_of_one_name_are_all_there_and_told() -> None:
    address = [("volume", "5B"), ("horizon", "36"), ("volume_mtok_per_month", "nan"), ("volume", "5B"), ("volume", "")]
    found = changes_of(address, EVERY)
    assert found == (("volume", "5B"), ("volume", "nan"))
    assert contradictions(found) == {"volume": "volume has 2 values (5B, nan); wanted one"}
    as_it_is = changes_of([("volume", "5.06B"), ("volume", "7B")], EVERY)
    assert as_it_is == (("volume", "5.06B"), ("volume", "7B")), "the project's own value is one of the two"
    assert contradictions(changes_of([("volume", "5B"), ("horizon", "24")], EVERY)) == {}


def test_what_moves_nothing_is_left_to_the_command_to_judge() -> None:
    off = replace(HORIZON, disabled="nobody reads it")
    assert changes_of({"horizon": "24"}.items(), (off,)) == (("horizon", "24"),)


def test_a_hostile_address_is_cut() -> None:
    found = changes_of({f"k{number}": "9" * 500 for number in range(500)}.items(), EVERY)
    assert len(found) == 40
    assert {len(text) for _, text in found} == {60}


def test_addresses_keep_what_they_hold() -> None:
    changes = (("volume", "5B"), ("growth", "2%"), ("open_model", "a b&c=d"))
    assert query_of(changes) == "?volume=5B&growth=2%25&open_model=a+b%26c%3Dd"
    assert query_of(without(changes, "growth")) == "?volume=5B&open_model=a+b%26c%3Dd"


def test_the_command_is_safe_to_paste(tmp_path: Path) -> None:
    (tmp_path / "scenario.yaml").touch()
    project = replace(Project.at(tmp_path), outcomes=tmp_path / "my outcomes.csv")
    words = shlex.split(command_of(project, (("volume", "5B; rm -rf ~"), ("gpu", "A100"))))
    assert words[2:] == [
        "volume=5B; rm -rf ~", "gpu=A100", "--scenario", "scenario.yaml", "--outcomes", "my outcomes.csv",
    ]  # fmt: skip


def test_the_command_names_no_scenario_where_there_is_none(tmp_path: Path) -> None:
    assert command_of(Project.at(tmp_path), (("volume", "5B"),)) == "breakeven whatif volume=5B"


@pytest.mark.parametrize("each", EVERY, ids=lambda each: each.name)
def test_stops_rise_within_the_ends_and_say_what_the_command_reads(each: Slider) -> None:
    stand = stand_of(each, ())
    values = [stop.value for stop in stand.stops]
    assert values == sorted(set(values))
    assert each.low <= values[0]
    assert values[-1] <= each.high
    assert len(values) > 20
    for stop in stand.stops:
        if stop.text:
            assert typed_number(each.name, stop.text, is_volume=each is VOLUMES) == pytest.approx(stop.value, rel=1e-9)
            assert stop.text != text_of(each, each.typical)
        else:
            assert stop is stand.stops[stand.base_count]
            assert stop.value == each.typical


@pytest.mark.parametrize("each", EVERY, ids=lambda each: each.name)
def test_every_stop_of_an_address_stands_there(each: Slider) -> None:
    for place, stop in enumerate(stand_of(each, ()).stops):
        stand = stand_of(each, ((each.name, stop.text),) if stop.text else ())
        assert stand.here_count == place
        assert stand.words == stop.words
        assert stand.moved == bool(stop.text)


def test_words_are_those_of_the_command() -> None:
    assert stand_of(VOLUMES, (("volume", "5B"),)).words == "5 B tokens/month"
    assert stand_of(GROWTH, (("growth", "-2%"),)).words == "-2 % per month"
    assert stand_of(BUSY, ((UTILISATION, "30%"),)).words == "30 %"
    assert stand_of(API, (("api_price", "0.5"),)).words == "0.5x"
    assert stand_of(HORIZON, (("horizon", "24"),)).words == "24 months"


def test_what_is_no_number_leaves_the_slider_where_it_was() -> None:
    stand = stand_of(HORIZON, (("horizon", "<b>"),))
    assert (stand.here_count, stand.text, stand.words) == (stand.base_count, "", "36 months")


def test_what_could_not_be_taken_stays_in_the_field_alone() -> None:
    stand = stand_of(VOLUMES, (), (("volume", "1e30"),))
    assert (stand.here_count, stand.words, stand.moved) == (stand.base_count, stand.base_words, False)
    assert (stand.typed, stand.is_refused) == ("1e30", True)
    assert not stand_of(VOLUMES, (("volume", "5B"),), (("volume", "5B"),)).is_refused


@pytest.mark.parametrize(
    ("each", "text", "why"),
    [
        (VOLUMES, "1e30", "wanted a number more than zero and at most 1,000 T tokens/month, e.g. 5.06B"),
        (GROWTH, "-80%", "wanted a number from -50 % per month to 100 % per month, e.g. 2%"),
        (BUSY, "nan", "wanted a number more than zero and at most 76.9 %, e.g. 21%"),
        (API, "0", "wanted a number more than zero and at most 1,000x, e.g. 1"),
        (SHARE, "abc", "wanted a number more than zero and at most 100 %, e.g. 37.1%"),
        (HORIZON, "12.5", "wanted a whole number, in month"),
        (HORIZON, "1,5", "saw a comma that does not stand between thousands; the decimal sign is a point"),
    ],
)
def test_a_value_is_refused_by_title_and_limits(each: Slider, text: str, why: str) -> None:
    with pytest.raises(BreakevenError) as error:
        changed_scenario(Scenario(), [parse_change(each.name, text, FACTS)]).facts(CATALOG)
    assert why_not(each, text, str(error.value)).startswith(f"{each.title}: {text} is not taken; {why}")


@given(st.floats(min_value=10, max_value=100_000))
def test_a_typed_volume_stands_at_the_nearest_stop(mtok: float) -> None:
    stand = stand_of(VOLUMES, (("volume", text_of(VOLUMES, mtok)),))
    value = typed_number("volume", text_of(VOLUMES, mtok), is_volume=True)
    assert abs(stand.stops[stand.here_count].value - value) == min(abs(each.value - value) for each in stand.stops)
