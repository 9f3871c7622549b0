"""Piloted: the candidate in shadow on live traffic, looked at every evening, until the answer is yes, no or not yet."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, Final

import yaml

from breakeven.cli.stories.chapters.compared import FIRST
from breakeven.cli.stories.chapters.learnt import LATER, OUTCOMES, POLICY
from breakeven.cli.stories.made_up import ShadowTraffic, TokenPrice, price_of
from breakeven.cli.stories.stage import Stage
from breakeven.cli.stories.story import Found, Story
from breakeven.reports import amounts
from breakeven.reports.story_document import FigurePart, TruthPart

GATEWAY: Final = "gateway"
PILOT: Final = "synthetic"
VERDICTS: Final = (0, 1, 3)
SHADOWS_PER_DAY_COUNT: Final = 400
DAYS_COUNT: Final = 14


def shadow(stage: Stage, story: Story) -> Found:
    """`pilot init`, `start`, `run` every evening, `verdict`, `report`, and `stop`: the whole of a pilot."""
    prices = (price_of(story.incumbent, story.as_of), price_of(story.open_model, story.as_of))
    _write_gateway(stage, story, prices)
    stage.document(*_init(story))
    stage.now += timedelta(hours=9)
    stage.document("pilot", "start", PILOT)
    _serve_and_watch(stage, story, prices)
    return _judged(stage, story)


def judge_files(stage: Stage, story: Story) -> Found:
    """`pilot init`, `verdict` and `report` of files of outcomes, where no live traffic may be copied."""
    models = ("--baseline", story.incumbent, "--candidate", story.open_model)
    tasks = [word for task in story.tasks for word in ("--task", task)]
    files = ("--outcomes", OUTCOMES, "--outcomes", LATER)
    stage.document("pilot", "init", PILOT, *models, *tasks, "--traffic", ".breakeven", *files)
    return _judged(stage, story)


def _judged(stage: Stage, story: Story) -> Found:
    verdict = stage.document("pilot", "verdict", PILOT, codes=VERDICTS)
    if verdict["verdict"]["answer"] == "yes" and verdict["design"]["mode"] != "offline":
        stage.now += timedelta(hours=13)
        stage.document("pilot", "stop", PILOT, "--promote", "--keep-watching")
    outs = [f"pilots/{PILOT}/report.{kind}" for kind in ("html", "xlsx", "json")]
    stage.document("pilot", "report", PILOT, *(word for out in outs for word in ("--out", out)))
    said = json.loads(stage.path(outs[-1]).read_bytes())
    return Found(
        [verdict["verdict"]["sentence"], *_journal(said)],
        [*_money(verdict), *_quality(verdict)],
        _truth(verdict, story),
        verdict["not_claimed"],
        outs,
    )


def _init(story: Story) -> tuple[str, ...]:
    moving = ("--migration-usd", f"{story.migration_usd:g}")
    tasks = [word for task in story.tasks for word in ("--task", task)]
    models = ("--baseline", story.incumbent, "--candidate", story.open_model)
    promised = ("--promised", FIRST, "--promised-option", story.promised_option) if story.promised_option else ()
    known = ("--learnt", POLICY, "--traffic", ".breakeven", *promised)
    places = ("--gateway", f"{GATEWAY}/gateway.yaml", "--checks", f"{GATEWAY}/checks.yaml")
    return ("pilot", "init", PILOT, *models, *tasks, *places, *known, "--audit", "0", "--share", "0.01", *moving)


def _write_gateway(stage: Stage, story: Story, prices: tuple[TokenPrice, TokenPrice]) -> None:
    """The gateway's file, and the checks by which it judges both models' answers."""
    folder = stage.path(GATEWAY)
    folder.mkdir()
    upstreams = {
        "api": {"vendor": story.company.provider, "api_key_env": "API_KEY"},
        "broker": {"base_url": "http://127.0.0.1:9/v1"},
    }
    models = {
        name: {"upstream": upstream, "model": name.partition("/")[2] or name, "price": _price(price, story)}
        for name, upstream, price in zip(story.models, upstreams, prices, strict=True)
    }
    said: dict[str, Any] = {
        "open": True,
        "upstreams": upstreams,
        "models": models,
        "default_model": story.incumbent,
        "policy": "policy",
        "state": "state",
    }
    folder.joinpath("gateway.yaml").write_text(yaml.safe_dump(said, sort_keys=False), encoding="utf-8")
    checks = {"tasks": {each: dict(story.checks[each]) for each in story.tasks}}
    folder.joinpath("checks.yaml").write_text(yaml.safe_dump(checks, sort_keys=False), encoding="utf-8")


def _price(price: TokenPrice, story: Story) -> dict[str, Any]:
    return {
        "input_usd_per_mtok": price.input_usd_per_mtok,
        "cache_read_usd_per_mtok": price.cached_usd_per_mtok,
        "output_usd_per_mtok": price.output_usd_per_mtok,
        "as_of": story.as_of.date(),
    }


def _serve_and_watch(stage: Stage, story: Story, prices: tuple[TokenPrice, TokenPrice]) -> None:
    """Traffic, and a look every second evening, until everything is decided or the pilot ended by itself."""
    from breakeven.routing.policy_file import load

    traffic = ShadowTraffic(
        story.company, story.models, prices, story.tasks, SHADOWS_PER_DAY_COUNT, DAYS_COUNT, stage.now, stage.seed + 3
    )
    policy = load(stage.path(GATEWAY, "policy")).hash
    for day, evening in enumerate(traffic.days(stage.path(GATEWAY, "state"), policy)):
        stage.now = evening
        if day % 2 and stage.ends("pilot", "run", PILOT, "--once", "--until-decided", codes=VERDICTS) == 1:
            break
    stage.commands.append(f"breakeven pilot run {PILOT} --once  # every second evening")


def _journal(said: dict[str, Any]) -> list[str]:
    """What was done and when; verdicts stand above, and how a task was stopped in full beside the task."""
    told = [each for each in said["journal"] if each["event"] in ("started", "stopped_task", "ramped", "promoted")]
    return [f"{amounts.day_text(each['at'][:10])}: {each['words'].partition(': task ')[0]}" for each in told]


def _money(verdict: dict[str, Any]) -> list[FigurePart]:
    saved = verdict["savings"]
    if saved is None:
        return []
    kept = "" if verdict["verdict"]["answer"] == "yes" else ", had it kept the quality"
    wanted = (("Saved a month", "saved_usd_per_month"), ("Saved, of the baseline's cost", "saved_fraction"))
    return [_figure(label + kept, saved[name]) for label, name in wanted]


def _figure(label: str, part: dict[str, Any]) -> FigurePart:
    if part["value"] is None:
        return FigurePart(label=label, value="not claimed", note=part["why_not"])
    say = amounts.money if part["unit"].startswith("usd") else amounts.fraction
    sure = f"{part['confidence_fraction'] * 100:.0f} %, however often one looks"
    return FigurePart(label=label, value=say(part["value"]), note=f"{say(part['low'])} to {say(part['high'])} ({sure})")


def _quality(verdict: dict[str, Any]) -> list[FigurePart]:
    found = []
    for each in verdict["tasks"]:
        ratio = each["ratio"]
        value = "not known yet" if ratio["value"] is None else f"{ratio['value']:.3f} of the baseline's success"
        state = "accepted" if each["is_accepted"] else "worse than allowed" if each["is_inferior"] else "open"
        span = "" if ratio["low"] is None or ratio["high"] is None else f"; {ratio['low']:.3f} to {ratio['high']:.3f}"
        note = f"{state}; {each['outcomes_count']:,} outcomes{span}"
        found.append(FigurePart(label=each["task"] or "all requests", value=value, note=note))
    return found


def _truth(verdict: dict[str, Any], story: Story) -> list[TruthPart]:
    found = []
    for each in verdict["tasks"]:
        work = next(work for work in story.company.works if work.task == each["task"])
        truth = work.success_fraction(story.open_model) / work.success_fraction(story.incumbent)
        low, high = each["ratio"]["low"], each["ratio"]["high"]
        if low is None or high is None:
            continue
        inside = low <= truth <= high
        span = f"{low:.3f} to {high:.3f}"
        what = f"{work.task}: success of {story.open_model} over {story.incumbent}'s"
        found.append(TruthPart(what=what, planted=f"{truth:.3f}", found=span, is_inside=inside))
    return found
