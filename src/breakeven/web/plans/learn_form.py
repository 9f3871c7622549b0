"""Learn form: how to learn a policy, as the page asks for it, and what it shows when it is seen again.

What was asked last is shown again, also where it failed; else the floors of the policy in use, so that learning again
does not drop a promise by accident.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from breakeven.errors import LearningError

if TYPE_CHECKING:
    from breakeven.reports.learn_answer import LearnRequest
    from breakeven.reports.routing_document import LearnDocument
    from breakeven.web.jobs import Job

FIELDS: Final = ("outcomes", "incumbent", "quality_floor", "floors", "confidence", "failure_usd", "prices")
DEFAULTS: Final[Mapping[str, str]] = {**dict.fromkeys(FIELDS, ""), "quality_floor": "0.95", "confidence": "0.95"}


def form_values(asked: Job | None, report: LearnDocument | None) -> dict[str, str]:
    """What stands in each field."""
    if asked is not None and asked.asked:
        return {**DEFAULTS, **{name: asked.asked[name] for name in FIELDS if name in asked.asked}}
    if report is None:
        return dict(DEFAULTS)
    floor = report.floor
    return {
        **DEFAULTS,
        "quality_floor": f"{floor.quality_floor_ratio:g}",
        "confidence": f"{floor.confidence:g}",
        "floors": "\n".join(f"{each.task}={each.quality_floor_ratio:g}" for each in floor.by_task),
    }


def learn_request(said: Mapping[str, str]) -> LearnRequest:
    """How to learn, as the form says it; LearningError for what makes no sense."""
    from breakeven.learning.pricing import given_price
    from breakeven.learning.settings import LearnSettings
    from breakeven.reports.learn_answer import LearnRequest

    failure_usd = _number(said, "failure_usd", "what a failed answer costs", 0.0, 1e9, 0.0)
    settings = LearnSettings(
        quality_floor_ratio=_number(said, "quality_floor", "the floor", 0.0, 1.0, 0.95),
        floor_by_task=_floors(said.get("floors", "")),
        confidence_fraction=_number(said, "confidence", "the confidence", 0.5, 0.9999, 0.95),
        reference=said.get("reference") or None,
        incumbent=said.get("incumbent") or None,
        failure_usd={"": failure_usd} if said.get("failure_usd") else {},
    )
    prices = dict(given_price(line.strip()) for line in said.get("prices", "").splitlines() if line.strip())
    return LearnRequest(settings, prices=prices)


def _floors(text: str) -> dict[str, float]:
    """Task -> its own floor, a line each.

    >>> _floors("contract=0.99\\n\\n refunds = 1 ")
    {'contract': 0.99, 'refunds': 1.0}
    """
    found: dict[str, float] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        task, _, part = (each.strip() for each in line.rpartition("="))
        ratio = _float(part)
        if not task or not 0 < ratio <= 1:
            raise LearningError(
                f"floors of tasks: saw '{line[:80]}', wanted TASK=PART on a line, the part of the reference's success "
                "above 0 and up to 1, such as contract=0.99"
            )
        if task in found:
            raise LearningError(f"floors of tasks: {task} is named twice; leave one of the two out")
        found[task] = ratio
    return found


def _number(said: Mapping[str, str], name: str, what: str, low: float, high: float, default: float) -> float:
    text = said.get(name, "")
    if not text:
        return default
    found = _float(text)
    if not low <= found <= high:
        raise LearningError(f"{what}: saw '{text}', wanted a number from {low:g} to {high:g}")
    return found


def _float(text: str) -> float:
    """Not a number where it is none."""
    try:
        return float(text)
    except ValueError:
        return float("nan")
