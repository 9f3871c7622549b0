"""Oracle: one whole invented company, worked by hand in a spreadsheet, against the comparison of the same company.

``company/company.yaml`` holds its figures, each a single value; ``company/company.csv`` the sums, one line of one
option a row, written from the documentation. The log goes through the importer; nothing of the product's arithmetic is
used to evaluate the sheet.
"""

from __future__ import annotations

import ast
import csv
import json
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
import yaml

from breakeven.catalog.load import Catalog, load_catalog
from breakeven.catalog.offer import GpuOffer, GpuTerm
from breakeven.decision.baseline import demand_of
from breakeven.decision.compare import compare
from breakeven.decision.comparison import Comparison
from breakeven.decision.scenario import Scenario
from breakeven.facts.draws import DrawSet
from breakeven.facts.trace import Node
from breakeven.options.discover import select_options
from breakeven.options.option import Situation
from breakeven.usage.store import CallStore
from breakeven.workload.profile import profile_workload
from costing import LIST, pinned

FOLDER = Path(__file__).parent / "company"
COMPANY: Final[dict[str, Any]] = yaml.safe_load((FOLDER / "company.yaml").read_text())
INPUTS: Final[dict[str, float]] = {
    name: float(value)
    for part in ("log", "prices", "offers", "purchase", "machine", "overrides", "facts")
    for name, value in COMPANY[part].items()
}
GPU = "H100-SXM-80"
OPERATORS: Final[Mapping[type, Callable[..., float]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
}
FUNCTIONS: Final[Mapping[str, Callable[..., float]]] = {"max": max, "ceil": math.ceil}
Sheet = dict[str, dict[str, float]]


def value_of(arithmetic: str, names: Mapping[str, float]) -> float:
    """Plain arithmetic: numbers, names, + - * / **, max, ceil and parentheses; nothing else is evaluated."""

    def walk(node: ast.AST) -> float:
        match node:
            case ast.Expression(body=body):
                return walk(body)
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return float(number)
            case ast.Name(id=name):
                return names[name]
            case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
                return OPERATORS[type(op)](walk(left), walk(right))
            case ast.UnaryOp(op=ast.USub() as op, operand=operand):
                return OPERATORS[type(op)](walk(operand))
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in FUNCTIONS:
                return FUNCTIONS[name](*map(walk, arguments))
        raise ValueError(f"no arithmetic: {ast.dump(node)}")

    return float(walk(ast.parse(arithmetic, mode="eval")))


def rows() -> list[dict[str, str]]:
    """The rows of the spreadsheet as text."""
    with (FOLDER / "company.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_sheet() -> Sheet:
    """The cells, top to bottom: a cell may use the inputs, the working and its own option's cells above."""
    sheet: Sheet = {"working": {}}
    for row in rows():
        cells = sheet.setdefault(row["option"], {})
        assert row["line"] not in {**INPUTS, **sheet["working"], **cells}, f"{row['line']} stands there twice"
        cells[row["line"]] = value_of(row["arithmetic"], {**INPUTS, **sheet["working"], **cells})
    return sheet


SHEET: Final = read_sheet()
OPTIONS: Final = tuple(name for name in SHEET if name != "working")


def scenario() -> Scenario:
    def contract(provider: str, model: str, name: str) -> dict[str, object]:
        kinds = {"input": "in", "cache_read": "cache", "output": "out"}
        prices = {f"{kind}_usd_per_mtok": INPUTS[f"{name}_{short}"] for kind, short in kinds.items()}
        return {"provider": provider, "model": model, **prices}

    return Scenario.model_validate(
        {
            "options": OPTIONS,
            "tier_model": "openai/gpt-5-mini",
            "broker_offer": "fireworks-gpt-oss-120b",
            "gpu": GPU,
            "gpus_per_replica_count": 1,
            "overrides": COMPANY["overrides"],
            "contract_prices": [
                contract("openai", "gpt-5", "big"),
                contract("openai", "gpt-5-mini", "mini"),
                contract("fireworks", "accounts/fireworks/models/gpt-oss-120b", "broker"),
            ],
        }
    )


def catalogue() -> Catalog:
    """The catalogue with the company's facts and offers in the place of its own."""
    whole = load_catalog(COMPANY["as_of"])
    assert set(COMPANY["facts"]) <= set(whole.assumptions), "a fact has another name now"

    def offer(term: GpuTerm, provider: str, facts: dict[str, float]) -> GpuOffer:
        return GpuOffer(f"{term} {provider}", GPU, term, provider, pinned(facts), LIST.read)

    rents: list[tuple[GpuTerm, str]] = [
        ("on_demand", "market"),
        ("spot", "market"),
        ("one_year", "market"),
        ("endpoint", "huggingface"),
    ]
    offers = [offer(term, provider, {"gpu_rent_usd_per_gpu_hour": INPUTS[f"{term}_rent"]}) for term, provider in rents]
    offers.append(offer("purchase", "market", COMPANY["purchase"]))
    price = {"gpu_price_usd": INPUTS["gpu_price_usd"]}  # read by every option, and times no GPU where none is owned
    facts = {**whole.assumptions, **pinned({**COMPANY["facts"], **price})}
    return replace(whole, assumptions=facts, gpu_offers={each.name: each for each in offers})


def write_log(path: Path) -> None:
    """A call each half hour for 730 hours, each standing for a thousand: three of the small model, one of the large."""
    start = datetime(2026, 10, 1, tzinfo=UTC)
    assert INPUTS["mini_calls"] == 3 * INPUTS["big_calls"] == 1_095_000
    kinds = [("gpt-5-mini", "parcel classification", "mini")] * 3 + [("gpt-5", "complaint letter", "big")]
    with path.open("w", encoding="utf-8") as file:
        for number in range(1460):
            model, task, name = kinds[number % 4]
            row = {
                "id": f"halden-{number}",
                "timestamp": (start + timedelta(minutes=30 * number)).isoformat(),
                "sampling_rate": 0.001,
                "provider": "openai",
                "model": model,
                "task": task,
                "input_tokens": COMPANY["log"][f"{name}_input"],
                "cache_read_tokens": COMPANY["log"][f"{name}_cached"],
                "output_tokens": COMPANY["log"][f"{name}_output"],
            }
            file.write(json.dumps(row) + "\n")


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    path = tmp_path_factory.mktemp("halden") / "log.jsonl"
    write_log(path)
    known, asked = catalogue(), scenario()
    with CallStore.temporary() as store:
        store.ingest(path, now=datetime(2026, 11, 23, tzinfo=UTC))
        workload = profile_workload(store.calls(), catalog=known, contract=asked.contract())
        demand = demand_of(store.calls(), workload, known, asked, "the log of Halden Parcels")
    situation = Situation(demand, known, asked.choices(), asked.facts(known))
    found = compare(situation, select_options(asked.options), DrawSet(draws_log2=6))
    assert not found.unavailable
    return found


def exactly(value: float) -> Any:
    return pytest.approx(value, rel=1e-9, abs=1e-12)


def number(node: Node) -> float:
    """The one value of a certain node."""
    assert np.ptp(node.value) <= 1e-12 * abs(float(node.value.flat[0])), f"{node.name} is uncertain"
    return float(node.value.flat[0])


def below(*roots: Node) -> list[Node]:
    """Every node of the trees, once."""
    found: dict[int, Node] = {}
    waiting = list(roots)
    while waiting:
        node = waiting.pop()
        if id(node) not in found:
            found[id(node)] = node
            waiting.extend(node.inputs)
    return list(found.values())


def test_the_volume_and_the_tasks_are_those_of_the_sheet(comparison: Comparison) -> None:
    working = SHEET["working"]
    assert comparison.typical_volume_mtok == exactly(working["mtok"])
    cost = comparison.option("hybrid").cost
    assert number(cost.requests) == exactly(working["calls"])
    assert "parcel classification (40 % of the tokens, 75 % of the calls); the rest openai/gpt-5" in cost.buys


@pytest.mark.parametrize("name", OPTIONS)
def test_every_line_is_the_one_worked_by_hand(comparison: Comparison, name: str) -> None:
    lines = {line.name: number(line.usd_per_month) for line in comparison.option(name).cost.breakdown.lines}
    by_hand = {line: value for line, value in SHEET[name].items() if line in lines}
    assert set(lines) == set(by_hand), "the sheet and the option have different lines"
    assert lines == {line: exactly(value) for line, value in by_hand.items()}


@pytest.mark.parametrize("name", OPTIONS)
def test_total_and_cost_per_success(comparison: Comparison, name: str) -> None:
    result, by_hand = comparison.option(name), SHEET[name]
    assert number(result.cost.total) == exactly(by_hand["total"])
    assert result.usd_per_month.p10 == result.usd_per_month.p90 == exactly(by_hand["total"])
    assert number(result.cost.cost_per_success) == exactly(by_hand["cost_per_success"])
    if "success" in by_hand:
        assert number(result.cost.success) == exactly(by_hand["success"])


@pytest.mark.parametrize("name", OPTIONS)
def test_the_lines_of_the_sheet_add_up_to_its_total(comparison: Comparison, name: str) -> None:
    """By name, so that a total that leaves a line out, or counts the breach loss, is caught on either side."""
    counted = [line.name for line in comparison.option(name).cost.breakdown.counted]
    assert math.fsum(SHEET[name][line] for line in counted) == exactly(SHEET[name]["total"])


@pytest.mark.parametrize("name", OPTIONS)
def test_engineer_hours_over_all_lines(comparison: Comparison, name: str) -> None:
    lines = comparison.option(name).cost.breakdown.lines
    hours = [number(node) for line in lines if (node := line.engineer_hours_per_month) is not None]
    assert math.fsum(hours) == exactly(SHEET[name]["engineer_hours"])


@pytest.mark.parametrize("name", [name for name in OPTIONS if "raw_rent" in SHEET[name]])
def test_raw_rent_is_what_having_the_machines_costs(comparison: Comparison, name: str) -> None:
    rent = comparison.option(name).cost.breakdown.raw_rent_usd_per_month()
    assert rent is not None
    assert float(rent.flat[0]) == exactly(SHEET[name]["raw_rent"])


def test_the_purchase_is_counted_once(comparison: Comparison) -> None:
    """Paid over its life at the cost of capital, the annuity is the purchase less the resale, and no more."""
    cost, sheet = comparison.option("owned_gpus").cost, SHEET["owned_gpus"]
    assert cost.views is not None
    assert number(cost.views.capex_usd) == exactly(sheet["capex"])
    by_name = {line.name: line.usd_per_month for line in cost.breakdown.lines}
    idle_capital = number(by_name["idle_capacity"]) - sheet["housing"] * (1 - sheet["busy_share"])
    annuity = number(by_name["hardware_capital"]) + idle_capital
    life, rate = INPUTS["gpu_lifetime_months"], sheet["monthly_rate"]
    worth = math.fsum(annuity / (1 + rate) ** month for month in range(1, round(life) + 1))
    assert worth + sheet["resale"] / (1 + rate) ** life == exactly(sheet["capex"])
    with_capex = [line for line, node in by_name.items() if "capex_usd" in {each.name for each in below(node)}]
    assert sorted(with_capex) == ["hardware_capital", "idle_capacity"]


def test_cash_and_accounting_are_the_same_dollars_over_the_life(comparison: Comparison) -> None:
    views, sheet = comparison.option("owned_gpus").cost.views, SHEET["owned_gpus"]
    assert views is not None
    assert sheet["cash_over_life"] == exactly(sheet["accounting_over_life"])
    assert number(views.cash_over_life_usd) == exactly(sheet["cash_over_life"])
    assert number(views.accounting_over_life_usd) == exactly(sheet["accounting_over_life"])
    assert number(views.depreciation_usd_per_month) == exactly(sheet["depreciation"])


@pytest.mark.parametrize("name", OPTIONS)
def test_everything_is_certain(comparison: Comparison, name: str) -> None:
    cost = comparison.option(name).cost
    nodes = below(cost.cost_per_success, *(line.usd_per_month for line in cost.breakdown.lines))
    uncertain = {node.name for node in nodes if node.assumption and not node.assumption.is_certain}
    assert not uncertain


def test_every_fact_of_the_company_is_used_by_the_sheet() -> None:
    """A figure that no sum reads proves nothing; three are folded into a number that is typed in."""
    cells = ast.walk(ast.parse(f"[{', '.join(row['arithmetic'] for row in rows())}]"))
    words = {node.id for node in cells if isinstance(node, ast.Name)}
    typed = {"breach_loss_median_usd", "breach_loss_p95_usd", "breach_loss_cap_usd"}
    no_difference = {"month_window_volume_ratio", "engineering_fte_large_count", "engineering_fte_growth_ratio"}
    assert set(INPUTS) - words == typed | no_difference


@pytest.mark.parametrize("text", ["__import__('os')", "a.b", "[1][0]", "True", "1 if 1 else 2", "max(x=1)", "open(1)"])
def test_the_sheet_holds_arithmetic_and_nothing_else(text: str) -> None:
    with pytest.raises((ValueError, KeyError)):
        value_of(text, {"a": 1.0})
