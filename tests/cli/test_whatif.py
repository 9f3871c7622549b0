"""whatif as a user runs it: before and after agree with compare, a solution holds, and slips are named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from breakeven.cli import main
from breakeven.errors import BreakevenError, ScenarioError, UnknownName
from stored_log import stored_log

OPTIONS = "frontier_api,cheaper_tier,brokered,managed_together,rented_one_year,rented_spot"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stored_log(tmp_path_factory.mktemp("calls"), 3_000)


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scenario") / "scenario.yaml"
    path.write_text("draws_log2: 7\nas_of: 2026-11-24\n", encoding="utf-8")
    return path


def run(store: Path, scenario: Path, *arguments: str, verb: str = "whatif", code: int = 0) -> Result:
    """Run the verb; an error of ours is raised, as `main` would print it."""
    told = [verb, *arguments, "--store", str(store), "--scenario", str(scenario), "--options", OPTIONS]
    done = CliRunner().invoke(main.group, told)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    return done


def document(store: Path, scenario: Path, *arguments: str, verb: str = "whatif") -> Any:
    return json.loads(run(store, scenario, *arguments, "--json", verb=verb).stdout)


@pytest.fixture(scope="module")
def plain(store: Path, scenario: Path) -> Any:
    """What compare says as things are."""
    return document(store, scenario, verb="compare")


def option(of: Any, name: str, key: str = "option") -> Any:
    return next(each for each in of["options"] if each[key] == name)


def test_after_is_what_compare_says_with_the_same_override(store: Path, scenario: Path, plain: Any) -> None:
    after = document(store, scenario, "gpu_usd_per_hour=1.2", "salary=100000")
    told = ("--set", "gpu_rent_usd_per_gpu_hour=1.2", "--set", "engineer_usd_per_year=100000")
    compared = document(store, scenario, *told, verb="compare")
    for each in after["options"]:
        new, old = (option(of, each["option"], "name") for of in (compared, plain))
        assert each["after_usd_per_month"] == new["equal_success_usd_per_month"]
        assert each["before_usd_per_month"] == old["equal_success_usd_per_month"]
        pairs = {pair["option"]: pair["always_above_mtok_per_month"] for pair in compared["breakeven"]["pairs"]}
        assert each["after_always_above_mtok_per_month"] == pairs.get(each["option"])
        over_months = option(compared["horizon"], each["option"])
        assert each["after_present_cost_usd"]["mean"] == pytest.approx(over_months["present_cost_usd"]["mean"])
        assert each["after_cheapest_fraction"] == pytest.approx(over_months["probability_cheapest_fraction"])
    assert after["after"]["option"] == compared["verdict"]["recommended"]
    assert after["before"]["option"] == plain["verdict"]["recommended"]


def test_the_page_shows_both_and_says_what_was_typed(store: Path, scenario: Path) -> None:
    page = " ".join(run(store, scenario, "gpu_usd_per_hour=1.2", "volume=30B").output.split())
    assert "gpu_rent_usd_per_gpu_hour (you typed gpu_usd_per_hour): each option's own becomes $1.20/h" in page
    assert "becomes 30 B tokens/month" in page
    assert "Rented GPUs, spot" in page and "The recommendation changes from" in page


def test_a_larger_volume_scales_the_bill_by_the_token(store: Path, scenario: Path, plain: Any) -> None:
    mtok = plain["breakeven"]["volume_mtok_per_month"]
    found = document(store, scenario, f"volume={mtok * 3}")
    api = option(found, "frontier_api")
    assert api["before_usd_per_month"]["mean"] < api["after_usd_per_month"]["mean"]
    assert api["after_usd_per_month"]["mean"] < 3 * api["before_usd_per_month"]["mean"], "people do not triple"


def test_a_solution_put_back_makes_the_two_equal(store: Path, scenario: Path) -> None:
    found = document(
        store, scenario, "--solve", "gpu_usd_per_hour", "--until", "self_host=api", "volume=100B", "api_price=4"
    )
    solved = found["solved"]
    assert solved["first"] in ("rented_one_year", "rented_spot") and solved["second"] == "frontier_api"
    (only,) = solved["solutions"]
    assert only["first_is_cheaper"] == "below" and solved["low"] < only["value"] < solved["high"]
    rent = f"--between={only['value'] * 0.99},{only['value'] * 1.01}"
    until = f"{solved['first']}=today"
    changes = ("volume=100B", "api_price=4")
    again = document(store, scenario, "--solve", "gpu_usd_per_hour", "--until", until, *changes, rent)
    assert again["solved"]["solutions"][0]["value"] == pytest.approx(only["value"], rel=1e-4)
    assert "cost the same where GPU rent is" in solved["sentence"]


def test_no_solution_says_between_which_bounds(store: Path, scenario: Path) -> None:
    found = document(store, scenario, "--solve", "gpu_usd_per_hour", "--until", "self_host=api", "--between", "50,60")
    assert found["solved"]["solutions"] == []
    assert found["solved"]["sentence"].startswith("No value of GPU rent from $50.00 to $60.00/h makes")


def test_several_solutions_are_all_told(store: Path, scenario: Path, plain: Any) -> None:
    found = document(store, scenario, "--solve", "volume", "--until", "rented_one_year=api", "--this-month")
    assert found["solved"]["basis"] == "month" and found["solved"]["gap_now_present_usd"] is None
    pairs = plain["breakeven"]["pairs"]
    crossings = next(each["crossings_mtok_per_month"] for each in pairs if each["option"] == "rented_one_year")
    for each in found["solved"]["solutions"]:
        assert min(abs(each["value"] / mark - 1) for mark in crossings) < 1e-6


def test_a_solved_volume_turns_the_two_options_of_the_decision(store: Path, scenario: Path) -> None:
    """In expectation over the horizon: what the recommendation goes by."""
    found = document(store, scenario, "--solve", "volume", "--until", "broker=api")["solved"]
    assert found["basis"] == "horizon" and "in expectation over 36 months" in found["sentence"]
    assert found["solutions"]
    for each in found["solutions"]:
        for factor in (0.9, 1.1):
            there = document(store, scenario, f"volume={each['value'] * factor}")
            first, second = (
                option(there, found[name])["after_present_cost_usd"]["mean"] for name in ("first", "second")
            )
            assert (first < second) == ((factor > 1) == (each["first_is_cheaper"] == "above"))


def test_what_only_the_months_read_can_be_solved_for(store: Path, scenario: Path) -> None:
    found = document(store, scenario, "--solve", "growth", "--until", "broker=api")["solved"]
    assert found["name"] == "volume_growth_fraction_per_month" and found["basis"] == "horizon"
    with pytest.raises(UnknownName, match="depends on 'volume_growth"):
        document(store, scenario, "--solve", "growth", "--this-month")


def test_one_rent_for_all_says_for_whom_it_rises(store: Path, scenario: Path) -> None:
    told = ("whatif", "gpu_usd_per_hour=1.0", "--store", str(store), "--scenario", str(scenario), "--json")
    done = CliRunner().invoke(main.group, [*told, "--options", "frontier_api,small_gpu,rented_one_year"])
    (change,) = json.loads(done.stdout)["changes"]
    assert "every option that reads it takes this value" in change["note"]
    assert "it rises for Small GPU" in change["note"] and "Rented" not in change["note"]


def test_what_only_the_months_to_to_come_read_changes_the_present_cost_alone(store: Path, scenario: Path) -> None:
    found = document(store, scenario, "growth=12%")
    (change,) = found["changes"]
    assert change["note"] == "" and change["after"] == "12 % per month"
    for each in found["options"]:
        assert each["before_usd_per_month"] == each["after_usd_per_month"]
        assert each["after_present_cost_usd"]["mean"] > each["before_present_cost_usd"]["mean"]


def test_without_until_the_recommended_option_meets_its_rival(store: Path, scenario: Path) -> None:
    found = document(store, scenario, "--solve", "frontier_success_fraction")
    assert found["solved"]["first"] == found["before"]["option"]


def test_a_choice_may_be_changed(store: Path, scenario: Path) -> None:
    found = document(store, scenario, "open_model=Llama-3.3-70B")
    assert found["changes"][0]["before"] == "gpt-oss-120b"
    rented = option(found, "rented_one_year")
    assert rented["before_usd_per_month"] != rented["after_usd_per_month"]
    assert option(found, "frontier_api")["before_usd_per_month"] == option(found, "frontier_api")["after_usd_per_month"]


def test_a_border_takes_options_away(store: Path, scenario: Path) -> None:
    words = run(store, scenario, "data_may_not_leave=own_vpc").output.split()
    assert words.count("gone") == 2 * 3, "three options, a month and over the months"
    assert "The recommendation changes from" in " ".join(words)


def test_a_fact_that_nothing_reads_is_said(store: Path, scenario: Path) -> None:
    unread, read = document(store, scenario, "idle_timeout_s=60", "salary=100000")["changes"]
    assert unread["note"].startswith("changed nothing") and read["note"] == ""


@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        (("gpu_ust_per_hour=1",), UnknownName, "did you mean 'gpu_usd_per_hour'"),
        (("gpu_usd_per_hour=-1",), ScenarioError, "'gpu_rent_usd_per_gpu_hour' is -1; wanted zero or more"),
        (("success=1.3",), ScenarioError, "a fraction lies between 0 and 1"),
        (("open_model=gpt-os-120b",), BreakevenError, "did you mean 'gpt-oss-120b'"),
        (("--solve", "salary", "--until", "api=today"), ScenarioError, "both are frontier_api"),
    ],
)
def test_a_slip_is_named(
    store: Path, scenario: Path, arguments: tuple[str, ...], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        run(store, scenario, *arguments)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "nothing to change"),
        (("volume=5B", "volume=6B"), "volume is said twice, 5B and 6B"),
        (("gpu_usd_per_hour",), "wanted NAME=VALUE"),
        (("salary=1", "--until", "api=self_host"), "go with --solve"),
        (("salary=1", "--this-month"), "go with --solve"),
        (("--solve", "salary", "--until", "api"), "wanted OPTION=OPTION"),
        (("--solve", "salary", "--between", "5"), "wanted LOW,HIGH"),
        (("--solve", "salary", "--between", "5,1"), "wanted 0 <= LOW < HIGH"),
    ],
)
def test_wrong_usage_exits_with_two(store: Path, scenario: Path, arguments: tuple[str, ...], told: str) -> None:
    assert told in run(store, scenario, *arguments, code=2).output


def test_the_five_questions_are_options_of_the_command_line() -> None:
    from breakeven.cli.scenario_options import with_answers
    from breakeven.decision.scenario import AnswersEntry, Scenario

    before = Scenario(answers=AnswersEntry(fine_tuning=True))
    given = {"data_sensitive": "yes", "fine_tuning": None, "mlops_team": "no", "accuracy": None}
    after = with_answers(before, given, "eu")
    assert after.answers == AnswersEntry(data_sensitive=True, fine_tuning=True, mlops_team=False)
    assert after.data_may_not_leave == "eu"
    assert with_answers(before, dict.fromkeys(given), None) is before


def test_help_shows_an_example() -> None:
    page = CliRunner().invoke(main.group, ["whatif", "--help"]).output
    assert "Example: breakeven whatif" in page and "--until" in page
    assert isinstance(main.group.get_command(click.Context(main.group), "whatif"), click.Command)


@pytest.mark.parametrize("typed", ["volume=1,5B", "gpu_rents=0,5", "gpu_usd_per_hour=1.234,56", "growth=0,01"])
def test_a_decimal_comma_is_not_taken_for_thousands(store: Path, scenario: Path, typed: str) -> None:
    with pytest.raises(ScenarioError, match=f"{typed}: saw a comma .* the decimal sign is a point"):
        run(store, scenario, typed)


def test_commas_between_thousands_are_read(store: Path, scenario: Path) -> None:
    assert document(store, scenario, "volume=1,500M")["options"] == document(store, scenario, "volume=1.5B")["options"]


def test_a_choice_keeps_the_files_that_the_scenario_names_from_its_own_folder(store: Path, tmp_path: Path) -> None:
    rows = [f"{n},faq,{n % 20 > 0:d},0.001" for n in range(200)]
    text = "request_id,task,success,cost_usd,model\n" + "\n".join(f"{row},openai/gpt-4o" for row in rows)
    (tmp_path / "outcomes.csv").write_text(text + "\n", encoding="utf-8")
    path = tmp_path / "scenario.yaml"
    path.write_text("draws_log2: 7\nas_of: 2026-11-24\noutcomes: outcomes.csv\n", encoding="utf-8")
    assert not Path("outcomes.csv").exists()
    assert document(store, path, "gpu=A100-SXM-80")["options"]
