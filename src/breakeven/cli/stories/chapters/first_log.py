"""First log: a month's bill on the API, read, priced, and whether it is enough to decide."""

from __future__ import annotations

from typing import Any, Final

from breakeven.cli.stories.stage import Stage
from breakeven.cli.stories.story import Found, Story
from breakeven.reports import amounts
from breakeven.reports.story_document import FigurePart, TruthPart

LOG: Final = "calls.jsonl"


def read_log(stage: Stage, story: Story) -> Found:
    """`import` and `profile` of the company's log."""
    from breakeven.usage.synthetic_company import write_company_log

    write_company_log(stage.path(LOG), story.company, seed=stage.seed)
    stage.path(".gitignore").write_text("*\n", encoding="utf-8")
    read = stage.document("import", LOG, "--prompts", "keep")
    seen = stage.document("profile", "--as-of", story.as_of.date().isoformat())
    logged = story.company.sampled_fraction
    per_call = "" if logged == 1 else f"; the log holds one call in {1 / logged:,.0f}, and each stands for as many"
    sentences = [
        f"{amounts.counted(read['calls'], 'call')} read of {amounts.counted(read['rows_in'], 'row')}{per_call}.",
        seen["stability"]["sentence"],
    ]
    figures = [
        FigurePart(label="Calls a month", value=amounts.number(seen["requests_per_month"])),
        FigurePart(label="Tokens a month", value=amounts.tokens(seen["tokens_per_month"])),
        FigurePart(
            label="Tokens billed a month",
            value=amounts.money(seen["spend_usd_per_month"]),
            note=f"all of them {story.incumbent}, at each day's list price; no people, no failed answers",
        ),
        FigurePart(label="Busiest hour over the mean", value=amounts.ratio(seen["peak_to_mean_ratio"])),
    ]
    return Found(sentences, figures, (_calls(seen, story),), seen["may_not_conclude"], (LOG,))


def _calls(seen: dict[str, Any], story: Story) -> TruthPart:
    planted = story.company.calls_per_hour * 730
    found = seen["requests_per_month"]
    return TruthPart(what="calls a month", planted=amounts.number(planted), found=amounts.number(found), is_inside=None)
