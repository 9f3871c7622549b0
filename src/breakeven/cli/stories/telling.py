"""Telling: a story played into a folder of its own, with its page beside what it left."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from breakeven.cli.stories.stage import Stage
from breakeven.cli.stories.story import Chapter, Story
from breakeven.errors import OutputError
from breakeven.reports.story_document import ChapterPart, StoryDocument

if TYPE_CHECKING:
    from breakeven.cli.stories.story import Found

PAGE: Final = "story"
Begins = Callable[[int, Chapter], None]
Ends = Callable[[StoryDocument], None]


def told_into(story: Story, folder: Path, seed: int, begins: Begins, ends: Ends) -> StoryDocument:
    """Play a story into a folder that is empty or not there yet, and write story.html, story.md and story.json.

    `begins` is told of each chapter, `ends` of the story so far: before the first chapter, and after each.
    """
    if folder.exists() and any(folder.iterdir()):
        raise OutputError(
            f"{folder} is not empty, and a story needs a folder of its own: name another with --out, or remove it; "
            f"`breakeven ui --folder {folder}` shows what is in it"
        )
    folder.mkdir(parents=True, exist_ok=True)
    document = played(story, folder, seed, begins, ends)
    _write_pages(document, folder)
    return document


def played(story: Story, folder: Path, seed: int, begins: Begins, ends: Ends) -> StoryDocument:
    """Every chapter of a story, in a folder."""
    stage = Stage(folder.absolute(), story.company.end, seed)
    document = StoryDocument.begun(story.name, story.title, story.about, seed)
    ends(document)
    for number, chapter in enumerate(story.chapters, start=1):
        begins(number, chapter)
        stage.commands = []
        part = _part(number, chapter, chapter.play(stage, story), stage)
        document = document.model_copy(update={"chapters": (*document.chapters, part)})
        ends(document)
    return document


def _part(number: int, chapter: Chapter, found: Found, stage: Stage) -> ChapterPart:
    return ChapterPart(
        number=number,
        title=chapter.title,
        why=chapter.why,
        date=stage.now.date().isoformat(),
        commands=tuple(stage.commands),
        sentences=tuple(found.sentences),
        limits=tuple(found.limits),
        figures=tuple(found.figures),
        truth=tuple(found.truth),
        files=tuple(found.files),
    )


def _write_pages(document: StoryDocument, folder: Path) -> None:
    from breakeven.reports.story_markdown import render_story_markdown
    from breakeven.reports.story_page import render_story_html

    pages = {
        "html": render_story_html(document),
        "md": render_story_markdown(document),
        "json": document.model_dump_json(indent=2) + "\n",
    }
    for kind, text in pages.items():
        (folder / f"{PAGE}.{kind}").write_text(text, encoding="utf-8")
