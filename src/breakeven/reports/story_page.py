"""Story page: a made-up company's chapters on one page of HTML: no script, nothing fetched, light, dark and print."""

from __future__ import annotations

from breakeven.reports.page_frame import CONTENT_SECURITY_POLICY, environment, style_sheet
from breakeven.reports.story_document import INSIDE_WORDS, TRUTH_NOTE, StoryDocument


def render_story_html(document: StoryDocument) -> str:
    """The page as one text; links lead to the files beside it."""
    return (
        environment()
        .get_template("story.html.j2")
        .render(
            document=document,
            inside=INSIDE_WORDS,
            truth_note=TRUTH_NOTE,
            csp=CONTENT_SECURITY_POLICY,
            css=style_sheet("story.css"),
        )
    )
