"""Kept inside: the volume from which machines of one's own would pay, and the hours in which they would wait."""

from __future__ import annotations

from typing import Any, Final

from breakeven.cli.stories.chapters.compared import SCENARIO
from breakeven.cli.stories.stage import Stage
from breakeven.cli.stories.story import Found, Story
from breakeven.reports import amounts
from breakeven.reports.story_document import FigurePart

DREAM: Final = "20B"
"""Tokens a month that somebody might dream of."""


def ask_for_the_volume(stage: Stage, _story: Story) -> Found:
    """`whatif --solve volume`, and a large volume tried."""
    asked = ("whatif", "--scenario", SCENARIO)
    until = ("--until", "rented_on_demand=api", "--this-month")
    solved = stage.document(*asked, "--solve", "volume", *until)["solved"]
    tried = stage.document(*asked, f"volume={DREAM}")
    rows = [each for each in tried["options"] if each["after_usd_per_month"] is not None]
    figures = [_at_volume(each) for each in sorted(rows, key=lambda each: each["after_usd_per_month"]["p50"])[:4]]
    return Found([solved["sentence"], f"At {DREAM} tokens a month: {tried['sentence']}"], figures)


def _at_volume(option: dict[str, Any]) -> FigurePart:
    usd = option["after_usd_per_month"]
    value = amounts.money_range(usd["p50"], usd["p10"], usd["p90"])
    return FigurePart(label=f"{option['title']}, at {DREAM}", value=value, note="a month, everything included")


def plan_the_fleet(stage: Stage, story: Story) -> Found:
    """`fleet`: the replicas that this traffic needs, and how long they would wait for work."""
    where = ("--model", story.open_model, "--gpu", story.gpu, "--as-of", story.as_of.date().isoformat())
    plan = stage.document("fleet", *where, "--gpus", "1", "--ttft-ms", "2000", "--spare", "1")
    return Found([plan["verdict"]], _hours(plan), limits=plan["excluded"])


def _hours(plan: dict[str, Any]) -> list[FigurePart]:
    hours, service = plan["hours"], plan["service"]
    paid = f"{hours['paid_replica_hours']:,.0f} replica hours paid in {plan['traffic']['observed_hours']:,.0f} hours"
    first = f"95 % below {service['ttft_p95_s']:.1f} s"
    return [
        FigurePart(label="Idle", value=amounts.fraction(hours["idle_fraction"]), note=f"of the time; {paid}"),
        FigurePart(label="Filled", value=amounts.fraction(hours["load_fraction"]), note="of what it could serve"),
        FigurePart(label="First token, median", value=f"{service['ttft_p50_s']:.1f} s", note=first),
    ]
