"""Learnt: the models' answers judged by people, and whether a policy that keeps the quality is worth having."""

from __future__ import annotations

from typing import Any, Final

from breakeven.cli.stories.made_up import price_of, write_outcomes
from breakeven.cli.stories.stage import Stage
from breakeven.cli.stories.story import Found, Story
from breakeven.reports import amounts
from breakeven.reports.story_document import FigurePart, TruthPart

OUTCOMES: Final = "synthetic-outcomes.csv"
LATER: Final = "synthetic-outcomes-later.csv"
POLICY: Final = "policy"
REQUESTS_COUNT: Final = 1_500
LATER_COUNT: Final = 800


def judge(stage: Stage, story: Story) -> Found:
    """`outcomes` of a sample that people judged."""
    _write(stage, story)
    seen = stage.document("outcomes", OUTCOMES, "--as-of", story.as_of.date().isoformat())
    figures = [_rate(each) for each in seen["rates"] if each["group"]]
    return Found([seen["verdict"]], figures, _truth(seen, story), files=(OUTCOMES, LATER))


def _rate(each: dict[str, Any]) -> FigurePart:
    rate = each["success_fraction"]
    span = f"{amounts.fraction(rate['low'])} to {amounts.fraction(rate['high'])}"
    note = f"of {each['tries_count']:,} answers; {span}, 90 %"
    return FigurePart(label=f"{each['group']}: {each['model']}", value=amounts.fraction(rate["value"]), note=note)


def _write(stage: Stage, story: Story) -> None:
    """What people said of two samples."""
    prices = [price_of(each, story.as_of) for each in story.judged]
    for path, count, seed in ((OUTCOMES, REQUESTS_COUNT, 1), (LATER, LATER_COUNT, 2)):
        write_outcomes(stage.path(path), story.company, story.judged, prices, count, stage.seed + seed)


def judge_and_learn(stage: Stage, story: Story) -> Found:
    """`outcomes`, `learn`, and `evaluate` on requests that came later."""
    _write(stage, story)
    as_of = ("--as-of", story.as_of.date().isoformat())
    seen = stage.document("outcomes", OUTCOMES, *as_of)
    learn = ("learn", "--outcomes", OUTCOMES, "--incumbent", story.incumbent, "--out", POLICY, "--explain", *as_of)
    learnt = stage.document(*learn)
    later = stage.document("evaluate", "--policy", POLICY, "--outcomes", LATER, *as_of)
    sentences = [
        learnt["verdict"]["sentence"],
        f"The floor: {learnt['floor']['sentence']}.",
        f"On requests that came later: {_said(later)}",
    ]
    figures = [_choice(each) for each in learnt["groups"]]
    return Found(sentences, figures, _truth(seen, story), learnt["notes"], (OUTCOMES, LATER, POLICY))


def _choice(group: dict[str, Any]) -> FigurePart:
    """Who answers a group of requests, and how often each would do."""
    rates = ", ".join(f"{name} {amounts.fraction(rate)}" for name, rate in group["success"].items())
    seen = amounts.counted(group["requests"], "request")
    return FigurePart(
        label=group["group"].get("task", "all requests"), value=group["model"], note=f"success: {rates}, on {seen}"
    )


def _said(later: dict[str, Any]) -> str:
    against = next((each["sentence"] for each in later["savings"] if each["against"] == "incumbent"), "")
    return f"{later['verdict']['sentence']} {against[:1].upper()}{against[1:]}{'.' if against else ''}"


def _truth(seen: dict[str, Any], story: Story) -> list[TruthPart]:
    rates = {(each["group"], each["model"]): each["success_fraction"] for each in seen["rates"]}
    found = []
    for work in story.company.works:
        for model in story.judged:
            truth, rate = work.success_fraction(model), rates[work.task, model]
            span = f"{amounts.fraction(rate['low'])} to {amounts.fraction(rate['high'])}, 90 %"
            found.append(
                TruthPart(
                    what=f"{work.task}: success of {model}",
                    planted=amounts.fraction(truth),
                    found=f"{amounts.fraction(rate['value'])} ({span})",
                    is_inside=rate["low"] <= truth <= rate["high"],
                )
            )
    return found
