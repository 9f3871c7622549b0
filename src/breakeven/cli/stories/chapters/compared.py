"""Compared: every way to serve the work, before anything is measured and after; and what is charged for the doubt."""

from __future__ import annotations

from typing import Any, Final

from breakeven.cli.stories.stage import Stage
from breakeven.cli.stories.story import Found, Story
from breakeven.reports import amounts
from breakeven.reports.story_document import FigurePart

SCENARIO: Final = "scenario.yaml"
FIRST: Final = "first.json"
SHOWN_COUNT: Final = 5


def write_scenario(stage: Stage, story: Story, *more: str) -> None:
    """The scenario file: the day of the prices, the company's own lines, and what was learnt since."""
    head = (
        f"# {story.company.name}: a made-up company; `breakeven init` writes every key with what it means",
        f"as_of: {story.as_of.date().isoformat()}",
        f"draws_log2: {story.draws_log2}  # {2**story.draws_log2:,} futures: quick; 14 is usual",
    )
    stage.path(SCENARIO).write_text("\n".join((*head, story.scenario.strip(), *more)) + "\n", encoding="utf-8")


def compare_first(stage: Stage, story: Story) -> Found:
    """`compare` and `decide` on assumptions: nothing is measured yet."""
    write_scenario(stage, story)
    document = stage.document("compare", "--scenario", SCENARIO, "--out", FIRST)
    decision = stage.document("decide", "--report", FIRST)
    return Found(
        [document["verdict"]["sentence"], *details_of(document), *_next(decision)],
        limits=document["excluded"],
        figures=figures_of(document),
        files=(SCENARIO, FIRST),
    )


def details_of(document: dict[str, Any]) -> list[str]:
    """What the verdict adds; that the data are made up stands on every page already."""
    return [each for each in document["verdict"]["details"] if not each.startswith("Synthetic data")]


def figures_of(document: dict[str, Any]) -> list[FigurePart]:
    """The cheapest options and today's, one month."""
    options = document["options"]
    shown = options[:SHOWN_COUNT]
    today = [each for each in options if each["name"] == "frontier_api" and each not in shown]
    figures = []
    for each in (*shown, *today):
        usd = each["usd_per_month"]
        figures.append(
            FigurePart(
                label=each["title"],
                value=amounts.money_range(usd["p50"], usd["p10"], usd["p90"]),
                note=f"a month, everything included; cheapest in {_odds(each)} futures",
            )
        )
    return figures


def _odds(option: dict[str, Any]) -> str:
    return amounts.odds(option["probability_cheapest_fraction"])


def _next(decision: dict[str, Any]) -> list[str]:
    """The number that is worth most to know."""
    first = next(iter(decision["figures"]), None)
    return (
        []
        if first is None
        else [f"The number that matters most: {first['label']}, {first['value']} ({first['range']}); {first['why']}."]
    )
