"""Retries: with a cap in the scenario every option pays each try and succeeds as often as all tries together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from breakeven.decision.compare import typical
from breakeven.decision.outcomes_file import OutcomesFile, outcomes_warnings, read_outcomes_file
from breakeven.decision.scenario import Scenario
from breakeven.errors import ScenarioError
from breakeven.options.assembly.situation import Situation
from breakeven.options.discover import discover_options
from breakeven.options.option import Evaluation, OptionCost
from breakeven.outcomes.tries import all_tries_fail_fraction, expected_tries_count
from costing import AS_OF, NEEDS, PRICES, demand, demand_by_task, pinned, situation

OPTIONS = discover_options()
BY_TOKEN = ("frontier_api", "brokered", "deepseek_api", "cheaper_tier", "batch_api")
FLEETS = ("rented_on_demand", "owned_gpus", "managed_together", "small_gpu", "sunk_gpus")
CORRELATION = 0.5
CORRELATION_NAME = "retry_correlation_fraction"


def cost(name: str, volume_mtok: float = 300, **facts: float) -> OptionCost:
    needed, choices = NEEDS.get(name, ({}, {}))
    return OPTIONS[name].cost(
        situation(demand(volume_mtok), pinned({**needed, **facts}), **choices), Evaluation(typical)
    )


def line_usd(found: OptionCost, ending: str) -> float:
    lines = [each for each in found.breakdown.lines if each.name.endswith(ending)]
    assert lines
    return sum(float(each.usd_per_month.value.flat[0]) for each in lines)


def fact(found: OptionCost, name: str) -> float:
    return next(float(node.value.flat[0]) for node in found.facts if node.name == name)


def success(found: OptionCost) -> float:
    return float(found.success.value.flat[0])


@pytest.mark.parametrize("name", [*BY_TOKEN, *FLEETS, "provisioned", "hybrid", "routed"])
def test_one_try_is_as_without_a_cap(name: str) -> None:
    capped, plain = cost(name, tries_max_count=1), cost(name)
    assert success(capped) == pytest.approx(success(plain), rel=1e-12)
    assert float(capped.total.value.flat[0]) == pytest.approx(float(plain.total.value.flat[0]), rel=1e-12)


@pytest.mark.parametrize("name", BY_TOKEN)
def test_tokens_are_paid_for_every_try(name: str) -> None:
    one = cost(name)
    three = cost(name, tries_max_count=3, retry_correlation_fraction=CORRELATION)
    tries = float(expected_tries_count(success(one), CORRELATION, 3.0))
    assert line_usd(three, "tokens") == pytest.approx(line_usd(one, "tokens") * tries, rel=1e-9)
    assert success(three) == pytest.approx(1 - float(all_tries_fail_fraction(success(one), CORRELATION, 3.0)), rel=1e-9)


@pytest.mark.parametrize("name", FLEETS)
def test_a_replica_carries_fewer_requests(name: str) -> None:
    one, three = (cost(name, 40_000, tries_max_count=each, retry_correlation_fraction=0.0) for each in (1, 3))
    tries = float(expected_tries_count(success(one), 0.0, 3.0))
    carried = [fact(each, "replica_capacity_req_per_s") for each in (one, three)]
    assert carried[0] / carried[1] == pytest.approx(tries, rel=1e-9)
    assert fact(three, "replicas_count") > fact(one, "replicas_count")


def test_units_carry_fewer_requests() -> None:
    one, three = (cost("provisioned", 40_000, tries_max_count=each) for each in (1, 3))
    assert fact(three, "provisioned_units_count") > fact(one, "provisioned_units_count")


def test_a_hybrid_retries_both_parts() -> None:
    tasks = [
        {"task": "faq", "volume_mtok_per_month": 1200, "tokens_per_request": 1000},
        {"task": "drafting", "volume_mtok_per_month": 800, "tokens_per_request": 2000},
    ]
    facts = {
        "tries_max_count": 2.0,
        "retry_correlation_fraction": 0.0,
        "open_model_commodity_success_fraction": 0.8,
        "frontier_success_fraction": 0.9,
    }
    at = situation(demand_by_task(tasks, PRICES), pinned(facts))
    found = OPTIONS["hybrid"].cost(at, Evaluation(typical))
    assert success(found) == pytest.approx(0.75 * (1 - 0.2**2) + 0.25 * (1 - 0.1**2), rel=1e-9)


def test_fewer_failures_are_corrected_and_checks_cost() -> None:
    one, three = cost("brokered"), cost("brokered", tries_max_count=3, check_usd_per_request=0.001)
    fewer = (1 - success(three)) / (1 - success(one))
    assert fewer < 1
    assert line_usd(three, "failed_answers") == pytest.approx(line_usd(one, "failed_answers") * fewer, rel=1e-9)
    correlation = situation(demand(1)).catalog.assumptions["retry_correlation_fraction"].typical
    tries = float(expected_tries_count(success(one), correlation, 3.0))
    requests = float(three.requests.value.flat[0])
    assert line_usd(three, "checks") == pytest.approx(requests * tries * 0.001, rel=1e-9)


@pytest.mark.parametrize(("value", "said"), [(0.5, "at least 1"), (1000.0, "at most 100")])
def test_a_cap_is_a_count_of_tries(value: float, said: str) -> None:
    from breakeven.catalog.load import load_catalog

    with pytest.raises(ScenarioError, match=said):
        Scenario(overrides={"tries_max_count": value}).facts(load_catalog(AS_OF))


def measured_retries(
    tmp_path: Path, requests: int, correlation: float, **facts: float
) -> tuple[Situation, OutcomesFile]:
    """A situation whose outcomes hold retries of the model that the options with an open model run."""
    model = situation(demand(1)).choices.open_model
    rng = np.random.default_rng(2)
    precision = 1 / correlation - 1
    rows = []
    for at, rate in enumerate(rng.beta(0.7 * precision, 0.3 * precision, requests)):
        for attempt in (1, 2, 3):
            won = int(rng.random() < rate)
            rows.append(f"{at},{model},{won},{attempt}")
            if won:
                break
    path = tmp_path / "retries.csv"
    path.write_text("request_id,model,success,attempt\n" + "\n".join(rows) + "\n")
    file = read_outcomes_file(str(path), Path(), {})
    return situation(demand(300), pinned({"tries_max_count": 3.0, **facts}), outcomes=str(path)), file


def test_a_measured_correlation_takes_the_place_of_the_guess(tmp_path: Path) -> None:
    at, file = measured_retries(tmp_path, 2000, 0.3)
    measured = file.success.models[0]
    assert measured.tries is not None
    assert measured.tries.typical_fraction == pytest.approx(0.3, abs=0.06)
    found = OPTIONS["brokered"].cost(at, Evaluation(typical))
    one = measured.overall.mean_fraction
    expected = 1 - float(all_tries_fail_fraction(one, measured.tries.typical_fraction, 3.0))
    assert success(found) == pytest.approx(expected, abs=2e-3)
    node = next(each for name, each in found.success.leaves().items() if name.endswith(CORRELATION_NAME))
    assert node.source is not None
    assert node.source.grade == "measured"
    assert node.source.read == at.demand.source.read
    assert f"{measured.tries.repeated_count:,} requests tried more than once" in node.source.title
    assert "the guess stays" not in " ".join(outcomes_warnings(file, at))


def test_the_scenario_wins_over_a_measured_correlation(tmp_path: Path) -> None:
    at, _ = measured_retries(tmp_path, 2000, 0.3, retry_correlation_fraction=0.9)
    found = OPTIONS["brokered"].cost(at, Evaluation(typical))
    leaves = found.success.leaves()
    assert float(leaves[CORRELATION_NAME].value.flat[0]) == 0.9


def test_models_that_answer_together_count_by_their_calls(tmp_path: Path) -> None:
    """Today's model is not in the outcomes: its tries keep the guess, as the broker's open model does not."""
    at, _ = measured_retries(tmp_path, 2000, 0.3)
    found = OPTIONS["frontier_api"].cost(at, Evaluation(typical))
    guess = at.catalog.assumptions[CORRELATION_NAME]
    assert found.success.leaves()[CORRELATION_NAME].assumption == guess


@pytest.mark.parametrize("requests", [40, 12])
def test_too_little_data_keeps_the_guess_and_says_so(tmp_path: Path, requests: int) -> None:
    at, file = measured_retries(tmp_path, requests, 0.5)
    found = OPTIONS["brokered"].cost(at, Evaluation(typical))
    guess = at.catalog.assumptions[CORRELATION_NAME]
    assert found.success.leaves()[CORRELATION_NAME].assumption == guess
    said = " ".join(outcomes_warnings(file, at))
    assert "the guess stays (0.35 to 0.85)" in said
    once = situation(demand(300), outcomes=file.name)
    assert "the guess stays" not in " ".join(outcomes_warnings(file, once))
