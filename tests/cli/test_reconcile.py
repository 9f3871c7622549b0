"""`breakeven reconcile` from files to exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from breakeven.cli.main import group

CALL_USD = 1000 * 1.25e-6 + 100 * 10e-6  # gpt-5


def run(*arguments: str) -> Result:
    return CliRunner().invoke(group, ["reconcile", *arguments])


def document(*arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(*arguments, "--json").stdout)
    return found


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Ten calls of gpt-5 on each of three days."""
    rows = [
        {
            "id": f"c{day}-{n}",
            "timestamp": f"2026-11-{day:02d}T{n:02d}:00:00Z",
            "provider": "openai",
            "model": "gpt-5",
            "input_tokens": 1000,
            "output_tokens": 100,
        }
        for day in (2, 3, 4)
        for n in range(10)
    ]
    path = tmp_path / "log.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


STORY = ("--calls", "420000", "--input-tokens", "3800", "--output-tokens", "600", "--model", "gpt-4-turbo")


def test_the_published_story_does_not_fit() -> None:
    told = document(*STORY, "--invoice", "2080EUR", "--usd-per", "EUR=1.08", "--date", "2025-12-01")
    assert told["verdict"] == "does not fit"
    assert told["ours_usd"] == pytest.approx(23_520)
    assert told["billed_usd"] == pytest.approx(2246.4)
    assert told["sentence"].endswith("our figure is 10.5 times the bill.")
    assert told["causes"][0]["name"] == "decimal_point"
    assert "1 EUR = 1.08 USD (as stated)." in told["notes"]
    result = run(*STORY, "--invoice", "2080EUR", "--usd-per", "EUR=1.08", "--date", "2025-12-01")
    assert result.exit_code == 1
    assert "a slip of the decimal point" in " ".join(result.stdout.split())


def test_the_catalogue_rate_is_dated_and_named() -> None:
    told = document(*STORY, "--invoice", "2080EUR", "--date", "2026-11-20")
    assert told["rates"][0]["usd_ratio"] == 1.138
    assert "read 2026-06-26" in told["rates"][0]["words"]
    result = run(*STORY, "--invoice", "2080EUR", "--date", "2025-06-01")
    assert type(result.exception).__name__ == "InvoiceError"
    assert "--usd-per EUR=RATE" in str(result.exception)


def test_a_stated_volume_that_fits() -> None:
    assert run(*STORY, "--invoice", "$23,520", "--date", "2026-11-20").exit_code == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--calls", "5", "--invoice", "1"), "say --input-tokens, --output-tokens, --model as well"),
        ((*STORY, "--invoice", "1", "--usage", "x.jsonl"), "leave out --usage and --store"),
        ((*STORY, "--invoice", "1", "--usd-per", "EUR=zero"), "'zero' is not a number"),
        ((*STORY, "--invoice", "1", "--usd-per", "EUR=0"), "wanted a rate above 0"),
        (("--invoice", "1", "--from", "2026-11-03", "--to", "2026-11-02"), "--from 2026-11-03 is after"),
        ((*STORY, "--invoice", "nothing.csv"), "give a file, or an amount"),
        ((*STORY, "--invoice", "store"), "no bills in the store"),
        ((*STORY[:-1], "acme-9", "--invoice", "1"), "no price is known for 'acme-9'"),
        ((*STORY, "--cached-tokens", "9999", "--invoice", "1"), "not possible"),
    ],
)
def test_mistakes(options: tuple[str, ...], words: str) -> None:
    result = run(*options)
    assert result.exit_code != 0
    assert words in result.output + str(result.exception)


def test_log_against_a_file_by_day_and_model(tmp_path: Path, log: Path) -> None:
    bill = tmp_path / "bill.csv"
    lines = [f"2026-11-{day:02d},{10 * CALL_USD!r},gpt-5-2025-08-07" for day in (2, 3, 4)]
    bill.write_text("\n".join(["date,amount,model", *lines, "2026-11-05,0.02,o3"]) + "\n")
    told = document("--usage", str(log), "--invoice", str(bill))
    assert [each["name"] for each in told["by_day"]] == ["2026-11-02", "2026-11-03", "2026-11-04", "2026-11-05"]
    assert [each["ours_usd"] for each in told["by_day"]][-1] is None
    assert {each["name"]: round(each["gap_usd"], 9) for each in told["by_model"]} == {"gpt-5": 0.0, "o3": 0.02}
    assert {"days_not_logged", "models_not_logged"} <= {each["name"] for each in told["causes"]}
    assert "The log reaches from 2026-11-02 to 2026-11-04: 3 of the 4 days." in told["notes"]
    assert run("--usage", str(log), "--invoice", str(bill), "--to", "2026-11-04").exit_code == 0
    nothing = run("--usage", str(log), "--invoice", str(bill), "--from", "2026-12-01")
    assert "has nothing from 2026-12-01" in str(nothing.exception)


def test_only_the_days_asked_for(log: Path) -> None:
    options = ("--usage", str(log), "--invoice", f"{10 * CALL_USD}", "--from", "2026-11-03", "--to", "2026-11-03")
    result = run(*options)
    assert result.exit_code == 0
    assert "Fits" in result.stdout
    assert "names no days" not in result.stdout
    assert "it is compared with 2026-11-02 to 2026-11-04" in " ".join(
        document("--usage", str(log), "--invoice", "1")["notes"]
    )


def test_bills_in_the_store_and_costs_told_twice(tmp_path: Path, log: Path) -> None:
    costs = tmp_path / "costs.jsonl"
    row = {"grain": "bill", "provider": "openai", "model": "gpt-5", "input_tokens": 0, "output_tokens": 0}
    rows = [
        {
            **row,
            "id": f"{source}-{day}",
            "source": source,
            "timestamp": f"2026-11-{day:02d}T00:00:00Z",
            "cost_usd": 10 * CALL_USD,
        }
        for day in (2, 3, 4)
        for source in ("openai_costs", "openai_dashboard_costs")
    ]
    costs.write_text("".join(json.dumps(each) + "\n" for each in rows))
    told = document("--usage", str(log), "--usage", str(costs), "--invoice", "store")
    assert told["verdict"] == "fits"
    assert told["notes"][-1] == "Costs told twice count once: openai_dashboard_costs left out."
    assert told["calls_digest"] == document("--usage", str(log), "--invoice", "1")["calls_digest"]


def test_bills_without_calls_are_told_from_an_empty_store(tmp_path: Path) -> None:
    costs = tmp_path / "costs.jsonl"
    costs.write_text(
        json.dumps(
            {"grain": "bill", "timestamp": "2026-11-02T00:00:00Z", "cost_usd": 1, "input_tokens": 0, "output_tokens": 0}
        )
    )
    result = CliRunner().invoke(group, ["profile", "--usage", str(costs)])
    assert "holds 1 bills and no calls" in str(result.exception)


def test_calls_of_other_providers_are_left_out_and_told(tmp_path: Path, log: Path) -> None:
    claude = {"provider": "anthropic", "model": "claude-sonnet-4-5", "input_tokens": 1000, "output_tokens": 100}
    with log.open("a") as file:
        file.write(json.dumps({**claude, "id": "a", "timestamp": "2026-11-02T10:00:00Z"}) + "\n")
    results = [{"amount": {"value": 10 * CALL_USD, "currency": "usd"}, "line_item": "gpt-5-2025-08-07, input"}]
    start = 1793577600  # 2026-11-02
    days = [{"start_time": start + n * 86_400, "results": results} for n in range(3)]
    bill = tmp_path / "costs.json"
    bill.write_text(json.dumps({"data": days}))
    told = document("--usage", str(log), "--invoice", str(bill))
    assert (told["verdict"], told["gap_usd"], told["causes"]) == ("fits", 0.0, [])
    assert told["sentence"].startswith("Fits to the cent")
    assert "calls of anthropic ($0.0045) are left out; --all-providers compares them too." in told["notes"][0]
    whole = document("--usage", str(log), "--invoice", str(bill), "--all-providers", "--tolerance", "0")
    assert [each["name"] for each in whole["causes"]] == ["models_not_billed"]
    assert whole["ours_usd"] == pytest.approx(30 * CALL_USD + 0.0045)


def test_amounts_are_told_to_the_cent_and_dust_is_nothing() -> None:
    volume = ("--calls", "100000", "--input-tokens", "1000", "--output-tokens", "60", "--model", "gpt-5")
    told = document(*volume, "--invoice", "185", "--date", "2026-11-20")
    assert (told["gap_usd"], told["sentence"]) == (0.0, "Fits to the cent: ours $185.00, bill $185.00.")
    told = document(*volume, "--invoice", "184.50", "--date", "2026-11-20")
    assert told["sentence"] == "Fits within 2 %: ours $185.00, bill $184.50."


def test_tokens_without_a_price_beside_a_gap_of_nothing(tmp_path: Path, log: Path) -> None:
    row = {"id": "u", "timestamp": "2026-11-02T10:00:00Z", "provider": "acme", "model": "acme-7b"}
    with log.open("a") as file:
        file.write(json.dumps({**row, "input_tokens": 1000, "output_tokens": 100}) + "\n")
    result = run("--usage", str(log), "--invoice", f"{30 * CALL_USD!r}")
    assert result.exit_code == 1
    words = " ".join(result.stdout.split())
    assert "is the bill to the cent, and 1.1 k tokens have no price" in words
    assert "None of the usual ones" not in words


def test_a_narrow_terminal_is_kept_to(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    result = run("--usage", str(log), "--invoice", "1")
    assert max(map(len, result.stdout.splitlines())) <= 60


@pytest.mark.parametrize("dated", ["2026-11-30", "2026-11-01", "2026-12-02"])
def test_a_bill_of_one_date_a_month_is_of_the_whole_month(log: Path, tmp_path: Path, dated: str) -> None:
    bill = tmp_path / "bill.csv"
    bill.write_text(f"date,model,amount,currency\n{dated},gpt-5,{30 * CALL_USD:.6f},USD\n", encoding="utf-8")
    told = document("--usage", str(log), "--invoice", str(bill))
    assert (told["verdict"], told["first_day"], told["last_day"]) == ("fits", "2026-11-01", "2026-11-30")
    assert any(f"one date a month ({dated})" in each for each in told["notes"])
    assert told["by_day"] == []
    told = document("--usage", str(log), "--invoice", str(bill), "--from", "2026-11-01", "--to", "2026-12-10")
    assert told["verdict"] == "fits" and told["by_day"] == []


def test_a_bill_of_a_single_day_that_fits_it_is_of_that_day(log: Path, tmp_path: Path) -> None:
    bill = tmp_path / "bill.csv"
    bill.write_text(f"date,model,amount,currency\n2026-11-03,gpt-5,{10 * CALL_USD:.6f},USD\n", encoding="utf-8")
    told = document("--usage", str(log), "--invoice", str(bill))
    assert (told["verdict"], told["first_day"], told["last_day"]) == ("fits", "2026-11-03", "2026-11-03")
    assert [each["name"] for each in told["by_day"]] == ["2026-11-03"]


def test_days_that_the_log_does_not_reach_may_be_behind_the_gap_of_a_monthly_bill(log: Path, tmp_path: Path) -> None:
    bill = tmp_path / "bill.csv"
    bill.write_text(f"date,model,amount,currency\n2026-11-30,gpt-5,{300 * CALL_USD:.6f},USD\n", encoding="utf-8")
    told = document("--usage", str(log), "--invoice", str(bill))
    (cause,) = [each for each in told["causes"] if each["name"] == "days_not_logged"]
    assert "10 % of the days" in cause["sentence"]
    assert cause["share_fraction"] == pytest.approx(1.0)
