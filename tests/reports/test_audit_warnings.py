"""What a comparison by an audit warns of: other calls, and a small model judged where a larger one is served."""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from audit.test_saved import small_audit
from breakeven.catalog.load import load_catalog
from breakeven.decision.compare import compare
from breakeven.decision.scenario import Scenario
from breakeven.facts.draws import DrawSet
from breakeven.options.assembly.audited_work import SUCCESS
from breakeven.options.discover import select_options
from breakeven.reports.answer import _audit_warnings, _stale_audit
from breakeven.reports.build import Inputs, build_document
from breakeven.reports.terminal import render_comparison
from costing import AS_OF, demand, situation
from reports.sample_document import sample_workload


@dataclass
class Asked:
    """As much of a scenario as the warnings look at."""

    open_model: str = "gpt-oss-120b"
    options: tuple[str, ...] = ()
    set_by_user: dict[str, float] = field(default_factory=dict)

    def audit_file(self) -> Any:
        return SimpleNamespace(name="audit.json", audit=replace(small_audit(), calls_digest="then"))

    def choices(self) -> Any:
        return SimpleNamespace(open_model=self.open_model)

    def facts(self, _: object) -> dict[str, float]:
        return self.set_by_user


def warned(asked: Asked, digest: str = "then") -> str:
    """What stands under the verdict, and what stands among the warnings."""
    store = SimpleNamespace(digest=lambda: digest)
    question: Any = SimpleNamespace(scenario=asked, store=store, catalog=load_catalog(date(2026, 11, 26)))
    workload: Any = SimpleNamespace(requests_count=100)
    return " ".join([*_stale_audit(question, workload), *_audit_warnings(question)])


def test_a_larger_model_than_the_one_judged_is_said() -> None:
    assert "gpt-oss-120b is larger" in warned(Asked()) and "lower figure" in warned(Asked())
    assert "of other calls" in warned(Asked(), "now")


@pytest.mark.parametrize("asked", [Asked("Qwen3-8B"), Asked(options=("batch_api",)), Asked(set_by_user={SUCCESS: 0.5})])
def test_nothing_is_said_where_the_audit_does_not_decide(asked: Asked) -> None:
    assert warned(asked) == ""


def test_what_is_urgent_stands_under_the_verdict_before_anything_else() -> None:
    comparison = compare(situation(demand(300)), select_options(("frontier_api", "brokered")), DrawSet(0, 4))
    inputs = Inputs(load_catalog(AS_OF), Scenario(), "calls", 730.0)
    made = build_document(
        comparison, sample_workload(), inputs, next_command="", urgent=["STALE AUDIT: of other calls"]
    )
    assert made.verdict.details[0] == "STALE AUDIT: of other calls"
    page = io.StringIO()
    render_comparison(made, Console(file=page, width=100))
    assert page.getvalue().index("STALE AUDIT") < page.getvalue().index("USD a month")
