"""Story in Markdown: the chapters in order, the commands as typed, the figures as computed."""

from __future__ import annotations

from collections.abc import Iterator

from breakeven.reports.markdown_text import bullets, code, escaped, table
from breakeven.reports.safe_text import safe
from breakeven.reports.story_document import INSIDE_WORDS, TRUTH_NOTE, ChapterPart, StoryDocument


def render_story_markdown(document: StoryDocument) -> str:
    """The story as one page."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: StoryDocument) -> Iterator[str]:
    yield from (
        f"# {escaped(document.title)}",
        "",
        f"> **{escaped(document.made_up)}**",
        "",
        escaped(document.about),
        "",
    )
    if document.end:
        yield from ("**How it ends**", "", *bullets(document.end), "")
    for chapter in document.chapters:
        yield from _chapter(chapter)
    if document.truth:
        rows = [
            (escaped(each.what), escaped(each.planted), escaped(each.found), INSIDE_WORDS[each.is_inside])
            for each in document.truth
        ]
        yield from ("## What was planted, and what was found", "", TRUTH_NOTE, "")
        yield from (*table(("of", "planted", "found", "inside"), rows, ("left", "right", "left", "left")), "")
    yield f"breakeven {document.breakeven_version}; seed {document.seed}; synthetic data."


def _chapter(chapter: ChapterPart) -> Iterator[str]:
    yield from (f"## {chapter.number}. {escaped(chapter.title)}", "", escaped(chapter.why), "")
    yield from ("```text", *(f"$ {safe(each)}" for each in chapter.commands), "```", "")
    yield from (*bullets(chapter.sentences), "")
    if chapter.figures:
        rows = [(escaped(each.label), escaped(each.value), escaped(each.note)) for each in chapter.figures]
        yield from (*table(("figure", "value", "note"), rows, ("left", "right", "left")), "")
    if chapter.limits:
        yield from ("May not be concluded:", "", *bullets(chapter.limits), "")
    if chapter.files:
        yield from (f"In the folder: {', '.join(map(code, chapter.files))}", "")
