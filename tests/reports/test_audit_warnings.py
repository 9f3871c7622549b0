"""What a comparison by an audit warns of: other calls, and a small model judged where a larger one is served."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from audit.test_saved import small_audit
from breakeven.catalog.load import load_catalog
from breakeven.options.assembly.audited_work import SUCCESS
from breakeven.reports.answer import _audit_warnings


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
    store = SimpleNamespace(digest=lambda: digest)
    question: Any = SimpleNamespace(scenario=asked, store=store, catalog=load_catalog(date(2026, 11, 26)))
    workload: Any = SimpleNamespace(requests_count=100)
    return " ".join(_audit_warnings(question, workload))


def test_a_larger_model_than_the_one_judged_is_said() -> None:
    assert "gpt-oss-120b is larger" in warned(Asked()) and "lower figure" in warned(Asked())
    assert "of other calls" in warned(Asked(), "now")


@pytest.mark.parametrize("asked", [Asked("Qwen3-8B"), Asked(options=("batch_api",)), Asked(set_by_user={SUCCESS: 0.5})])
def test_nothing_is_said_where_the_audit_does_not_decide(asked: Asked) -> None:
    assert warned(asked) == ""
