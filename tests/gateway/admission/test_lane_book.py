"""Lane book: where lanes are, how they are forgotten, and what has none."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.admission.admission_parts import Clock, Kept, body, head, key, settings

from breakeven.gateway.admission.engine import Engine
from breakeven.gateway.admission.lane import Gate
from breakeven.gateway.admission.lane_book import LEARNT_PER_S_MAX_COUNT
from breakeven.gateway.config.settings import Arms, Condition, GatewaySettings, ResidencyRule, Shadow, TaskRule
from breakeven.gateway.limits.shared_limits import SharedLimits


def engine(folder: Path, of: GatewaySettings) -> Engine:
    """With limits of its own, since only those have lanes."""
    limits = SharedLimits(folder / "limits.bin", of.keys)
    return Engine(of, None, limits, Kept(), Kept(), now=Clock(), monotonic=Clock())


def gate_of(of: Engine, **headers: str) -> Gate | None:
    """The gate of a head."""
    told = head(**headers)
    return of.lanes.gate(repr(told).encode(), told)


def lane_of(of: Engine, gate: Gate | None, said: bytes | None = None) -> Any:
    """The lane of a body under it."""
    said = said or body(model="small")
    assert gate is not None
    return of.lanes.read(gate, json.loads(said), said)


def test_a_lane_is_what_admission_decides(tmp_path: Path) -> None:
    of = engine(tmp_path, settings(keys=(key(budget_usd=1.0),)))
    lane, input_count, limit, system = lane_of(
        of, gate_of(of, x_breakeven_task="faq"), body(model="small", max_tokens=7)
    )
    plan: Any = of.admit(head(x_breakeven_task="faq"), body(model="small", max_tokens=7))
    for name in (
        "targets",
        "reason",
        "task",
        "task_source",
        "application",
        "groups",
        "policy_hash",
        "key",
        "is_pinned",
    ):
        assert getattr(lane.plan, name) == getattr(plan, name), name
    assert (limit, system) == (7, None)
    usd = (input_count * lane.dearest_usd_per_mtok + limit * lane.output_usd_per_mtok) / 1e6
    assert (plan.reservation.usd, plan.reservation.tokens_count) == (usd, input_count + limit)


def test_all_is_forgotten_when_anything_changes(tmp_path: Path) -> None:
    of = engine(tmp_path, settings())
    for change in (
        lambda: of.reload(settings()),
        lambda: of.set_keys((key(),)),
        lambda: of.swap_policy(None),
        of.lanes.renew,
    ):
        gate = gate_of(of)
        assert gate is not None and gate.is_open and gate is gate_of(of)
        change()
        assert not gate.is_open and gate_of(of) is not gate


@pytest.mark.parametrize(
    "more",
    [
        {"arms": Arms("a", "request", {"old": 1.0}, {})},
        {"shadows": (Shadow("big", 0.5),)},
        {"prompts": "redacted"},
        {"durability": "request"},
        {"is_open": True},
        {"residency": (ResidencyRule(Condition(pattern="x"), ("near",)),)},
        {"residency": (ResidencyRule(Condition(system_hash="x"), ("near",)),)},
    ],
)
def test_where_more_decides_there_are_no_lanes(more: dict[str, Any], tmp_path: Path) -> None:
    assert gate_of(engine(tmp_path, settings(**more))) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"secret": "bk-nobody"},
        {"x_breakeven_model": "big"},
        {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
        {"path": "/v1/embeddings"},
        {"path": "/v1/messages"},
    ],
)
def test_heads_without_a_gate(headers: dict[str, Any], tmp_path: Path) -> None:
    assert gate_of(engine(tmp_path, settings()), **headers) is None


def test_a_task_that_words_tell_has_no_gate_and_one_that_a_header_tells_has(tmp_path: Path) -> None:
    of = engine(tmp_path, settings(tasks=(TaskRule(Condition(pattern="parcel"), "faq"),)))
    assert gate_of(of) is None and gate_of(of, x_breakeven_task="other") is not None


def test_residency_that_the_head_decides_is_kept_to(tmp_path: Path) -> None:
    of = engine(tmp_path, settings(residency=(ResidencyRule(Condition(task="hr"), ("near",)),)))
    lane = lane_of(of, gate_of(of, x_breakeven_task="hr"), body(model="big"))[0]
    assert [each.upstream.name for each in lane.plan.targets] == ["near"] and lane.plan.is_pinned


def test_heads_that_never_come_again_are_learnt_of_so_fast_only(tmp_path: Path) -> None:
    of = engine(tmp_path, settings())
    found = [gate_of(of, x_request=str(number)) for number in range(LEARNT_PER_S_MAX_COUNT + 5)]
    assert sum(each is not None for each in found) == LEARNT_PER_S_MAX_COUNT
    of.lanes.learnt_count = 0
    assert gate_of(of, x_request="last") is not None


def test_models_that_nobody_has_and_names_in_capitals_have_no_lane(tmp_path: Path) -> None:
    of = engine(tmp_path, settings())
    gate = gate_of(of)
    assert lane_of(of, gate, body(model="nobody")) is None
    assert lane_of(of, gate, body(model="small", Stream=True)) is None
    assert lane_of(of, gate, body(model="opus")) is None  # another dialect
    assert lane_of(of, gate) is not None


def test_lanes_can_be_left_out(tmp_path: Path) -> None:
    of = replace(settings())
    limits = SharedLimits(tmp_path / "limits.bin", of.keys)
    assert gate_of(Engine(of, None, limits, Kept(), Kept(), may_use_lanes=False)) is None
