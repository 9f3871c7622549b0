"""Fleet page: figures and rows of a document made by hand."""

from __future__ import annotations

from breakeven.reports import fleet_page
from reports.made_fleets import fleet


def tiles(**changed: object) -> dict[str, fleet_page.FleetTile]:
    return {each.label: each for each in fleet_page.fleet_tiles(fleet(**changed))}


def test_every_figure_says_its_range_and_where_it_comes_from() -> None:
    found = tiles()
    replicas = found["Replicas at most"]
    assert (replicas.value, replicas.range) == ("3", "the peak needs 2 to 4 in 80 of 100 cases")
    assert (replicas.badge, replicas.grade) == ("predicted", "grade-expert")
    rent = found["Rent a month, all on demand"]
    assert (rent.value, rent.range, rent.badge) == ("$1,070", "669-1.6k", "price list, 10 Oct 2026")
    assert found["Idle, of the paid hours"].range == "costs $289 a month (181-434)"
    assert found["Cheapest mix a month"].range == "saves $194"
    assert found["Requests within the targets"].kind == "good"


def test_a_measurement_and_an_own_rent_are_said() -> None:
    document = fleet()
    document["fleet"]["is_measured"] = True
    document["cost"]["rents"][0]["source"] = None
    found = {each.label: each for each in fleet_page.fleet_tiles(document)}
    assert found["Replicas at most"].badge == "measured by you"
    assert found["Rent a month, all on demand"].badge == "your rent"
    assert "what you measured on your endpoint" in fleet_page.error_words(document)


def test_without_a_rent_it_is_unpriced_and_never_zero() -> None:
    nothing = {"low": None, "typical": None, "high": None}
    cost = {
        "rents": [], "unpriced": ["on_demand"], "usual_term": "on_demand", "usual_usd_per_month": nothing,
        "idle_usd_per_month": nothing, "breakeven_fraction": {}, "mix": None,
    }  # fmt: skip
    found = tiles(cost=cost)
    assert found["Rent a month"].value == "UNPRICED"
    assert found["Idle, of the paid hours"].range == ""
    assert not any("$" in each.value + each.range for each in found.values())
    assert [each.rent for each in fleet_page.term_rows(fleet(cost=cost))] == ["UNPRICED"] * 4


def test_no_target_is_not_called_a_target() -> None:
    found = tiles(target={"ttft_s": None, "tpot_s": None, "quantile_fraction": 0.95})
    assert found["Requests served"].range == "no target given; 95 % see the first token within 800 ms"
    assert found["Requests served"].kind == ""  # nothing was asked for, so nothing is met
    asked, other = fleet_page.way_rows(fleet(target={"ttft_s": None, "tpot_s": None, "quantile_fraction": 0.95}))
    assert (asked.state, other.state) == ("", "bad")


def test_what_is_longer_than_the_context_is_not_served() -> None:
    document = fleet()
    document["service"] |= {"beyond_context_count": 540, "attained_fraction": 0.74, "meets_target": False}
    tile = fleet_page.fleet_tiles(document)[1]
    assert (tile.value, tile.kind) == ("74 %", "bad")
    assert tile.note.endswith("25 % of them longer than the model's context, and not served")


def test_no_number_of_replicas_is_said() -> None:
    document = fleet()
    document["fleet"]["peak_most_count"] = None
    assert fleet_page.fleet_tiles(document)[0].range == "the peak needs 2 to no number in 80 of 100 cases"


def test_the_terms_say_when_they_pay_and_what_is_bought() -> None:
    on_demand, spot, one_year, _ = fleet_page.term_rows(fleet())
    assert on_demand.bought == "0.667 GPUs on average" and on_demand.pays == ""
    assert spot.rent == "UNPRICED"
    assert one_year.pays == "beyond 365 hours a month (50 %)"
    assert (one_year.bought, one_year.basis) == ("1 GPU", "your rent")
    dear = fleet()
    dear["cost"]["breakeven_fraction"] = {"one_year": 1.4}
    assert fleet_page.term_rows(dear)[2].pays == "never within 12 months"


def test_the_ways_begin_with_the_one_asked_for() -> None:
    asked, other = fleet_page.way_rows(fleet())
    assert (asked.name, asked.paid, asked.asked, asked.state) == ("autoscaled (asked)", "11", True, "good")
    assert (other.name, other.paid, other.state) == ("always on", "18", "bad")


def test_what_the_busiest_stretch_does() -> None:
    first, second, third = fleet_page.peak_lines(fleet())
    assert first == (
        "It begins 6 Oct 2026 01:00 UTC and lasts 60 minutes: 0.4 requests a second, 4x the mean, 48 output tokens a "
        "second."
    )
    assert second.startswith("3 replicas, all of them there, serve 96 %")
    assert third.endswith("time per output token 20 ms and not known.")


def test_a_wait_of_hours_is_not_told_in_milliseconds() -> None:
    document = fleet()
    document["service"] |= {"ttft_p50_s": 38.43, "ttft_p95_s": 116_000.0}
    last = list(fleet_page.peak_lines(document))[-1]
    assert "first token 38.4 s at the median, 95 % below 32.2 hours;" in last
