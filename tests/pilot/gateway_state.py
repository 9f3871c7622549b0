"""A gateway's state folder made up: Calls as its log and its compactor write them, outcomes, audits; for tests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from breakeven.gateway.metering.compaction import compact_once

START_S = datetime(2026, 11, 2, 8, tzinfo=UTC).timestamp()
BASELINE, CANDIDATE = "openai/gpt-5", "qwen3-8b"


@dataclass
class GatewayState:
    """Where a gateway would keep its state."""

    folder: Path
    policy_hash: str = "a" * 64
    lines: list[dict[str, Any]] = field(default_factory=list)
    calls_count: int = 0
    logs_count: int = 0

    def __post_init__(self) -> None:
        for name in ("write-ahead", "calls", "outcomes"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)

    def call(self, record_id: str, at_s: float, model: str, **more: Any) -> None:
        """One Call line, kept until `written`."""
        said = {
            "record_id": record_id,
            "start_time": datetime.fromtimestamp(at_s, UTC).isoformat(timespec="microseconds"),
            "duration_s": 0.8,
            "model_key": model,
            "request_model": "auto",
            "input_tokens": 900,
            "output_tokens": 100,
            "cost_usd": 0.01 if model == BASELINE else 0.001,
            "status": "ok",
            "task": "faq",
            "policy_hash": self.policy_hash,
            "source": "breakeven-gateway",
            **more,
        }
        self.lines.append({key: value for key, value in said.items() if value is not None})
        self.calls_count += 1

    def shadow(self, name: str, at_s: float, baseline: float | None, candidate: float | None, **more: Any) -> None:
        """A request that both answered, judged by a validator."""
        judged = {"outcome_source": "validator"}
        self.call(name, at_s, BASELINE, arm="baseline", propensity=1.0, outcome=baseline, **judged, **more)
        self.call(
            f"{name}-99", at_s + 0.1, CANDIDATE, arm="shadow", parent_id=name, outcome=candidate, **judged, **more
        )

    def canary(
        self, name: str, at_s: float, is_candidate: bool, share: float, outcome: float | None, **more: Any
    ) -> None:
        """A request that one arm answered."""
        arm, model = ("candidate", CANDIDATE) if is_candidate else ("baseline", BASELINE)
        chance = share if is_candidate else 1 - share
        said = {"arm": arm, "propensity": chance, "outcome": outcome, "outcome_source": "validator", **more}
        self.call(name, at_s, said.pop("model", model), **said)

    def written(self, *, compacted: bool = False, name: str = "") -> Path:
        """Put what was kept on the disk: as lines of a log (a new one after each compaction), or as Parquet."""
        name = name or f"relay-0-{self.logs_count}"
        self.logs_count += compacted
        path = self.folder / "write-ahead" / f"{name}.jsonl"
        with path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(each) + "\n" for each in self.lines)
        self.lines.clear()
        if compacted:
            compact_once(self.folder, spill=self.folder / "spill")
        return path

    def said(self, said: Iterable[dict[str, Any]], name: str = "outcomes.jsonl") -> None:
        """Outcomes of clients."""
        with (self.folder / "outcomes" / name).open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(each) + "\n" for each in said)

    def audited(self, trial_name: str, said: Sequence[dict[str, Any]]) -> None:
        """Answers kept for people."""
        folder = self.folder / "audit" / trial_name
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "relay-0.jsonl").open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(each) + "\n" for each in said)


def pairs(rng: np.random.Generator, count: int, baseline: float, ratio: float) -> list[tuple[float, float]]:
    """Outcomes of both arms with planted success; half of the requests are as hard for one as for the other."""
    hard, own = rng.random(count), rng.random(count)
    same = rng.random(count) < 0.5
    first, second = hard < baseline, np.where(same, hard, own) < baseline * ratio
    return [(float(a), float(b)) for a, b in zip(first, second, strict=True)]
