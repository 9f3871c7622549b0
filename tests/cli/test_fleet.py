"""fleet: a log in, a fleet out, as a user runs it."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from breakeven import clock
from breakeven.cli import main
from breakeven.errors import BreakevenError, ServingError, UnknownName, UsageError
from breakeven.facts.source import Grade, Source
from breakeven.serving.calibrate import Correction, DeploymentKey
from breakeven.serving.measured_facts import write_facts

USUAL = ("--model", "Llama-3.1-8B", "--gpu", "L4", "--gpus", "1", "--ttft-ms", "2500", "--tpot-ms", "150")


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "today", lambda: date(2026, 11, 23))
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture(scope="module")
def usage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty busy minutes and two quiet hours, with a gap between them."""
    rng = np.random.default_rng(4)
    seconds = np.sort(np.concatenate([rng.uniform(0, 2400, 3000), rng.uniform(14_400, 21_600, 60)]))
    path = tmp_path_factory.mktemp("fleet") / "calls.jsonl"
    first = datetime(2026, 10, 5, 8, tzinfo=UTC)
    rows = [
        {
            "start_time": (first + timedelta(seconds=float(each))).isoformat(),
            "model": "gpt-5",
            "provider": "openai",
            "input_tokens": int(rng.integers(100, 12_000)),
            "output_tokens": int(rng.integers(10, 300)),
        }
        for each in seconds
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def run(usage: Path, *arguments: str) -> Result:
    """An error of ours is raised, as `main` would print it."""
    done = CliRunner().invoke(main.group, ["fleet", "--usage", str(usage), *arguments])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def page(usage: Path, *arguments: str) -> Any:
    done = run(usage, *USUAL, *arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_the_document(usage: Path) -> None:
    found = page(usage)
    assert found["kind"] == "fleet"
    assert found["deployment"]["gpu"] == "L4" and found["deployment"]["gpus_per_replica_count"] == 1
    assert found["traffic"]["requests_count"] == 3060
    fleet, service, hours, cost = (found[each] for each in ("fleet", "service", "hours", "cost"))
    assert service["simulated_count"] == 3060 and service["meets_target"]
    assert fleet["peak_fewest_count"] <= fleet["peak_needed_count"] <= fleet["peak_most_count"]
    assert hours["paid_replica_hours"] == pytest.approx(fleet["peak_needed_count"] * found["traffic"]["observed_hours"])
    assert hours["busy_replica_hours"] == pytest.approx(hours["paid_replica_hours"] * (1 - hours["idle_fraction"]))
    rents = {each["term"]: each["typical_usd_per_gpu_hour"] for each in cost["rents"]}
    assert cost["usual_term"] == "on_demand"
    assert cost["usual_usd_per_month"]["typical"] == pytest.approx(
        rents["on_demand"] * fleet["peak_needed_count"] * 730
    )
    assert cost["mix"]["usd_per_month"] <= cost["usual_usd_per_month"]["typical"] + 1e-6
    assert "three_years" in cost["unpriced"]
    assert str(fleet["replicas_most_count"]) in found["verdict"]
    assert found["footer"]["calls_hash"]
    assert len(found["bins"]) == math.ceil(found["traffic"]["observed_hours"] * 12)
    assert len(hours["hourly_replicas_count"]) == math.ceil(found["traffic"]["observed_hours"])
    assert fleet["peak_needed_count"] > 1
    assert cost["idle_usd_per_month"]["typical"] == pytest.approx(
        cost["usual_usd_per_month"]["typical"] * hours["idle_fraction"]
    )
    assert cost["breakeven_fraction"] == {}, "nobody names a price of a commitment"
    assert {each["serving_count"] for each in found["bins"]} == {float(fleet["replicas_most_count"])}
    assert fleet["peak_output_tok_per_s"] / fleet["peak_req_per_s"] == pytest.approx(155, abs=15)
    assert found["traffic"]["mean_output_tokens"] == pytest.approx(155, abs=5)
    assert all(0 <= each["idle_fraction"] < 1 for each in found["otherwise"])


def test_a_commitment_says_from_which_share_of_the_hours_on_it_pays(usage: Path) -> None:
    rents = ("--rent", "on_demand=1", "--rent", "one_year=0.6", "--rent", "three_years=0.3")
    assert page(usage, *rents)["cost"]["breakeven_fraction"] == pytest.approx({"one_year": 0.6, "three_years": 0.9})
    spot = page(usage, *rents, "--rent", "spot=0.5", "--spot", "--horizon-months", "36")["cost"]["breakeven_fraction"]
    assert spot == pytest.approx({"one_year": 1.2, "three_years": 0.6}), "against spot, whole terms in the horizon"


def test_a_log_of_embeddings_alone_is_refused_by_the_fleet_and_the_comparison(tmp_path: Path) -> None:
    path = tmp_path / "embeddings.jsonl"
    row = {"provider": "openai", "model": "text-embedding-3-small", "input_tokens": 500, "output_tokens": 0}
    rows = [row | {"id": f"e{n}", "start_time": f"2026-10-05T08:{n:02d}:00Z"} for n in range(60)]
    path.write_text("".join(json.dumps(each) + "\n" for each in rows), encoding="utf-8")
    said = r"only embeddings in this log \(openai/text-embedding-3-small\): no option here serves those"
    with pytest.raises(UsageError, match=said):
        run(path, *USUAL)
    done = CliRunner().invoke(main.group, ["compare", "--usage", str(path)])
    assert isinstance(done.exception, UsageError) and "only embeddings in this log" in str(done.exception)
    rows[0] |= {"model": "my-own-7b", "provider": "me"}
    path.write_text("".join(json.dumps(each) + "\n" for each in rows), encoding="utf-8")
    done = CliRunner().invoke(main.group, ["compare", "--usage", str(path)])
    assert "has a known price" in str(done.exception) and "me/my-own-7b." in str(done.exception)


def test_the_same_question_gives_the_same_document(usage: Path) -> None:
    assert page(usage, "--spot", "--autoscale") == page(usage, "--spot", "--autoscale")


def test_ways_to_run_it(usage: Path) -> None:
    always = page(usage)
    asleep = page(usage, "--autoscale", "--scale-to-zero", "--min-replicas", "0", "--cold-start-s", "60")
    assert asleep["hours"]["paid_replica_hours"] < always["hours"]["paid_replica_hours"]
    assert asleep["service"]["cold_starts_count"] > 0
    spare = page(usage, "--spare", "1", "--min-replicas", "3")
    assert spare["fleet"]["replicas_most_count"] == max(always["fleet"]["peak_needed_count"], 3) + 1
    spot = page(usage, "--spot", "--rent", "spot=0.1", "--rent", "on_demand=1")
    assert spot["cost"]["usual_term"] == "spot"
    assert spot["cost"]["usual_usd_per_month"]["typical"] == pytest.approx(
        0.1 * spot["hours"]["paid_gpu_hours_per_month"]
    )
    assert spot["policy"]["interruption_events_per_replica_month"] > 0


def test_the_page(usage: Path) -> None:
    done = run(usage, *USUAL, "--autoscale")
    lines = done.stdout.splitlines()
    assert "of 1 x L4 carr" in lines[0]
    for heading in ("The fleet", "What the requests see", "What it costs", "The same log, run otherwise", "Next:"):
        assert heading in done.stdout
    assert "hours, not a week" in done.stdout
    assert "\x1b" not in done.stdout
    assert all(len(line) <= 100 for line in lines)


def test_the_size_of_a_replica_is_chosen(usage: Path) -> None:
    found = run(usage, "--model", "Llama-3.1-8B", "--gpu", "L4", "--ttft-ms", "5000", "--json")
    assert json.loads(found.stdout)["deployment"]["gpus_per_replica_count"] in (1, 2, 4, 8)


def test_your_own_measurement_corrects_it(usage: Path, tmp_path: Path) -> None:
    plain = page(usage)
    for name, gpus in (("same.yaml", 1), ("other.yaml", 8)):
        key = DeploymentKey("Llama-3.1-8B", "L4", gpus, plain["deployment"]["precision"], "vllm")
        slow = Correction(
            key,
            "output_tok_per_s",
            math.log(0.75),
            0.02,
            0.0,
            0.01,
            0.02,
            16.0,
            5,
            1.0,
            64.0,
            date(2026, 11, 1),
            "ours",
        )
        write_facts(tmp_path / name, [slow], Source("ours", "bench.json", date(2026, 11, 1), Grade.MEASURED))
    slower = page(usage, "--measured", str(tmp_path / "same.yaml"))
    assert slower["fleet"]["is_measured"] and not plain["fleet"]["is_measured"]
    assert slower["fleet"]["peak_needed_count"] > plain["fleet"]["peak_needed_count"]
    ignored = page(usage, "--measured", str(tmp_path / "other.yaml"))
    assert ignored["fleet"] == plain["fleet"]
    assert any("it was not used" in each for each in ignored["remarks"])


def test_only_some_models_move(usage: Path) -> None:
    assert page(usage, "--calls-of", "gpt-5")["traffic"]["requests_count"] == 3060
    with pytest.raises(UsageError, match="no calls of 'gpt-9'"):
        page(usage, "--calls-of", "gpt-9")


def test_no_price_is_unpriced(usage: Path) -> None:
    done = run(usage, "--model", "Llama-3.1-8B", "--gpu", "A10G", "--gpus", "1")
    assert "UNPRICED: nobody names an on-demand rent of A10G" in done.stdout
    assert "$" not in done.stdout.split("Worth knowing")[0].replace("USD", "")


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        (("--model", "Llama-9", "--gpu", "L4"), UnknownName, "unknown model 'Llama-9'"),
        (("--model", "Llama-3.1-8B", "--gpu", "L44"), UnknownName, "unknown GPU 'L44'"),
        (("--model", "Llama-3.1-8B", "--gpu", "L4", "--gpus", "3"), ServingError, "does not divide the 32 heads"),
        (("--model", "Llama-3.1-405B", "--gpu", "L4"), ServingError, "does not fit on 8 x L4"),
        ((*USUAL[:6], "--ttft-ms", "1"), ServingError, "no number of replicas meets TTFT 1 ms"),
        ((*USUAL, "--rent", "weekly=2"), ServingError, "no rent is called 'weekly'"),
        ((*USUAL, "--rent", "spot=-1"), ServingError, "spot: -1 USD"),
        ((*USUAL, "--precision", "int9"), ServingError, "no weights in 'int9'"),
    ],
)
def test_what_cannot_be(usage: Path, arguments: tuple[str, ...], error: type[BreakevenError], said: str) -> None:
    with pytest.raises(error, match=said):
        run(usage, *arguments)


@pytest.mark.parametrize(
    "arguments", [("--ttft-ms", "0"), ("--gpus", "0"), ("--share", "1"), ("--rent", "spot=x"), ("--rent", "spot")]
)
def test_what_cannot_be_asked(usage: Path, arguments: tuple[str, ...]) -> None:
    done = run(usage, "--model", "Llama-3.1-8B", "--gpu", "L4", *arguments)
    assert done.exit_code == 2
    assert "Error" in done.output
