"""The stories: planted truth comes out, every end is computed, and all of it says that it is made up."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from breakeven.cli.main import group
from breakeven.cli.stories import story_names
from breakeven.cli.stories.chapters import learnt, piloted
from breakeven.cli.stories.stage import Stage
from breakeven.cli.stories.story import Chapter, Found, Story, story_named
from breakeven.cli.stories.telling import told_into
from breakeven.errors import OutputError, StoryError
from breakeven.reports.story_document import StoryDocument
from breakeven.reports.story_markdown import render_story_markdown
from breakeven.reports.story_page import render_story_html
from breakeven.web.project import Project

QUIET: Callable[..., None] = lambda *_: None  # noqa: E731


def small(name: str, *plays: str) -> Story:
    """The story with a short log and few futures; only the chapters that play these functions, if any are named."""
    story = story_named(name)
    chapters = tuple(each for each in story.chapters if not plays or each.play.__name__ in plays)
    company = replace(story.company, calls_count=2_000, sampled_fraction=story.company.sampled_fraction / 12)
    return replace(story, company=company, draws_log2=6, chapters=chapters)


@pytest.fixture(scope="module")
def support(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, StoryDocument]:
    """The help desk's folder and story."""
    folder = tmp_path_factory.mktemp("told") / "demo-support"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(piloted, "DAYS_COUNT", 6)
        return folder, told_into(small("support"), folder, 0, QUIET, QUIET)


@pytest.mark.parametrize("name", story_names())
def test_companies_are_whole(name: str) -> None:
    story = story_named(name)
    assert sum(each.share_fraction for each in story.company.works) == pytest.approx(1)
    for work in story.company.works:
        assert sum(each.share_fraction for each in work.kinds) == pytest.approx(1)
        assert all(0 < work.success_fraction(model) < 1 for model in story.judged)
    assert set(story.tasks) <= {each.task for each in story.company.works}
    assert story.company.start.weekday() == 0
    assert "made up" in story.about
    assert len({each.title for each in story.chapters}) == len(story.chapters)


def test_the_help_desk_ends_with_a_pilot_that_proves_it(support: tuple[Path, StoryDocument]) -> None:
    folder, document = support
    assert [each.number for each in document.chapters] == [1, 2, 3, 4, 5, 6]
    pilot = json.loads((folder / "pilots" / "synthetic" / "report.json").read_bytes())
    assert pilot["verdict"]["answer"] == "yes"
    assert document.end[0] == f"What the pilot showed: {pilot['verdict']['sentence']}"
    assert any(each.startswith("Promoted: ") for each in document.end)
    decided = json.loads((folder / "report.json").read_bytes())
    assert decided["workload"]["synthetic"] is True
    saved = pilot["savings"]["saved_usd_per_month"]["value"]
    share = saved / decided["workload"]["spend_usd_per_month"]
    assert any(f"{100 * share:.1f} %" in each for each in document.end)
    (why,) = (each for each in document.end if each.startswith("Both point the same way: "))
    assert "classify ticket, answer from knowledge base, extract order data alone" in why


def test_most_of_what_was_planted_is_found(support: tuple[Path, StoryDocument]) -> None:
    claimed = [each for each in support[1].truth if each.is_inside is not None]
    assert len(claimed) >= 12
    assert sum(bool(each.is_inside) for each in claimed) >= 0.7 * len(claimed)


def test_the_folder_is_a_project(support: tuple[Path, StoryDocument]) -> None:
    folder, _ = support
    project = Project.at(folder)
    assert project.is_synthetic
    assert project.scenario.exists()
    assert (project.policy / "policy.json").exists()
    assert (project.pilots / "synthetic" / "journal.jsonl").exists()
    for name in ("report.html", "report.xlsx", "report.md", "story.html", "story.md", "story.json", "first.json"):
        assert (folder / name).stat().st_size > 1_000, name
    assert StoryDocument.model_validate_json((folder / "story.json").read_text(encoding="utf-8")) == support[1]


def test_every_page_says_that_it_is_made_up(support: tuple[Path, StoryDocument]) -> None:
    folder, _ = support
    for name in ("story.html", "story.md", "report.html", "report.md"):
        assert "SYNTHETIC DATA" in (folder / name).read_text(encoding="utf-8"), name
    calls = (folder / "calls.jsonl").read_text(encoding="utf-8").splitlines()
    assert all('"source": "synthetic"' in each for each in calls)


def test_commands_of_the_page_are_those_of_a_user(support: tuple[Path, StoryDocument]) -> None:
    folder, document = support
    commands = [each for chapter in document.chapters for each in chapter.commands]
    assert all(each.startswith("breakeven ") and "--json" not in each for each in commands)
    assert str(folder) not in " ".join(commands)


def test_a_story_needs_a_folder_of_its_own(support: tuple[Path, StoryDocument]) -> None:
    with pytest.raises(OutputError, match="not empty"):
        told_into(small("support"), support[0], 0, QUIET, QUIET)


def test_the_studio_stays_because_quality_falls(tmp_path: Path) -> None:
    story = small("code", "read_log", "judge_and_learn", "shadow")
    document = told_into(story, tmp_path / "code", 0, QUIET, QUIET)
    assert document.chapters[1].sentences[0].startswith("Do not route")
    assert document.end[0].startswith("No: ")
    assert any("Stopped" in each for each in document.end)
    assert "had it kept the quality" in document.chapters[2].figures[0].label


def test_the_lender_may_not_stay(tmp_path: Path) -> None:
    document = told_into(small("fintech", "read_log", "compare_first"), tmp_path / "f", 0, QUIET, QUIET)
    assert any("Staying as today is no answer" in each for each in document.end)
    first = json.loads((tmp_path / "f" / "first.json").read_bytes())
    assert not {"brokered", "deepseek_api"} & {each["name"] for each in first["options"]}


def test_another_end_is_told_where_another_comes_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same studio with an open model that is better: the same commands no longer keep everybody on the API."""
    story = small("code", "judge_and_learn")
    planted = dict(zip(story.judged, (0.80, 0.97, 0.70), strict=True))
    works = tuple(
        replace(work, kinds=tuple(replace(kind, success_fraction=planted) for kind in work.kinds))
        for work in story.company.works
    )
    monkeypatch.setattr(learnt, "REQUESTS_COUNT", 600)
    story = replace(story, company=replace(story.company, works=works))
    document = told_into(story, tmp_path / "x", 0, QUIET, QUIET)
    assert f"use {story.incumbent} alone" not in document.end[0]
    assert story.open_model in document.end[0]


def test_the_same_seed_tells_the_same_story(tmp_path: Path) -> None:
    story = small("support", "read_log")
    first, again, other = (
        told_into(story, tmp_path / str(at), seed, QUIET, QUIET) for at, seed in enumerate((1, 1, 2))
    )
    assert first == again
    assert first.chapters != other.chapters


def test_a_step_that_fails_ends_the_story(tmp_path: Path) -> None:
    def play(stage: Stage, _story: Story) -> Found:
        stage.breakeven("pilot", "verdict", "absent", codes=(0,))
        raise AssertionError

    story = replace(small("support", "read_log"), chapters=(Chapter("x", "y", play),))
    with pytest.raises(Exception, match="no pilot 'absent'"):
        told_into(story, tmp_path / "x", 0, QUIET, QUIET)


def test_a_code_that_is_not_expected_is_an_error(tmp_path: Path) -> None:
    story = story_named("support")
    stage = Stage(tmp_path, story.as_of)
    with pytest.raises(StoryError, match="ended with"):
        stage.breakeven("--help", codes=(7,))


def test_hostile_words_reach_no_page_raw() -> None:
    evil = "<script>alert(1)</script>\x1b[31m|`"
    document = StoryDocument.begun("x", evil, evil, 0)
    html, text = render_story_html(document), render_story_markdown(document)
    assert "<script" not in html
    assert "\x1b" not in html + text
    assert not re.search(r"(?<!\\)<script", text)


def test_the_log_alone(tmp_path: Path) -> None:
    log, outcomes = tmp_path / "calls.jsonl", tmp_path / "outcomes.csv"
    words = ["demo", "--story", "fintech", "--log", str(log), "--outcomes", str(outcomes), "--calls", "200"]
    done = CliRunner().invoke(group, [*words, "--weeks", "2", "--growth", "0.1"], catch_exceptions=False)
    assert done.exit_code == 0
    assert "Synthetic: 200 lines of Quayside Credit, made up" in done.stdout
    assert len(log.read_text(encoding="utf-8").splitlines()) == 200
    assert outcomes.read_text(encoding="utf-8").startswith("request_id,task,prompt,model,success")
    refused = CliRunner().invoke(group, ["demo", "--calls", "200"])
    assert refused.exit_code == 2
    assert "go with --log FILE" in refused.output
