"""Afterwards: the comparison again, on what was measured, what the pilot proved, and the files for whoever pays."""

from __future__ import annotations

import json
from typing import Any, Final

from breakeven.cli.stories.chapters.compared import SCENARIO, details_of, figures_of, write_scenario
from breakeven.cli.stories.chapters.learnt import OUTCOMES
from breakeven.cli.stories.chapters.piloted import PILOT
from breakeven.cli.stories.stage import Stage
from breakeven.cli.stories.story import Found, Story
from breakeven.reports import amounts
from breakeven.reports.story_document import FigurePart

REPORT: Final = "report"


def decide_measured(stage: Stage, story: Story) -> Found:
    """`compare` with measured success, `decide`, and beside it what the pilot proved, where there was one."""
    write_scenario(stage, story, f"outcomes: {OUTCOMES}  # what people said of both models' answers")
    outs = [(f"--{kind}", f"{REPORT}.{kind}") for kind in ("html", "xlsx", "md")]
    words = ("compare", "--scenario", SCENARIO, "--out", f"{REPORT}.json", *(word for out in outs for word in out))
    document = stage.document(*words)
    decision = stage.document("decide", "--report", f"{REPORT}.json")
    proven = stage.path("pilots", PILOT, "report.json")
    pilot = json.loads(proven.read_bytes()) if proven.exists() else None
    sentences = [
        *([] if pilot is None else _proven(pilot, document)),
        f"Every way compared: {decision['sentence'][:1].lower()}{decision['sentence'][1:]}",
        *([] if pilot is None else [_why(pilot, document)]),
        *details_of(document),
    ]
    figures = [*([] if pilot is None else _payback(pilot)), *figures_of(document)]
    return Found(sentences, figures, limits=document["excluded"], files=[path for _, path in outs])


def _proven(pilot: dict[str, Any], document: dict[str, Any]) -> list[str]:
    """The pilot's answer, and how much of today's tokens it is."""
    saved, spend = pilot["savings"], document["workload"]["spend_usd_per_month"]
    found = [f"What the pilot showed: {pilot['verdict']['sentence']}"]
    part = None if saved is None else saved["saved_usd_per_month"]
    if pilot["verdict"]["answer"] == "yes" and part is not None and part["value"] is not None and spend:
        share = amounts.fraction(part["value"] / spend)
        found.append(f"That is {share} of the {amounts.money(spend)} that tokens cost a month today.")
    found += [each["words"] for each in pilot["journal"] if each["event"] == "promoted"]
    return found


def _why(pilot: dict[str, Any], document: dict[str, Any]) -> str:
    """Why the two say different things, where they do."""
    from breakeven.reports.document import Document
    from breakeven.reports.pilot_beside import why_they_differ
    from breakeven.reports.pilot_parts import PilotDocument

    return why_they_differ(Document.model_validate(document), PilotDocument.model_validate(pilot))


def _payback(pilot: dict[str, Any]) -> list[FigurePart]:
    part = (pilot["savings"] or {}).get("payback_months")
    if pilot["verdict"]["answer"] != "yes" or part is None or part["value"] is None:
        return []
    low, high = part["low"], part["high"]
    span = "" if low is None or high is None else f"; {low:.1f} to {high:.1f}"
    note = f"months until the savings have paid for the switch{span}"
    return [FigurePart(label="Paid back after", value=f"{part['value']:.1f} months", note=note)]
