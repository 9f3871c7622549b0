"""Markdown: a pull request shows every name as it is, and nothing in a name does anything there."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from breakeven.reports import amounts
from breakeven.reports.markdown import render_markdown
from breakeven.reports.markdown_text import GAP, bullets, code, escaped, table
from breakeven.reports.price_watch import price_watch
from breakeven.reports.safe_text import safe
from decision_documents import with_decision, without_decision
from reports.many_options import many_options_document
from reports.sample_document import HOSTILE, hostile_document, sample_document

OURS = {"h2", "h3", "p", "strong", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "details", "summary", "sub",
        "code", "br"}  # fmt: skip
GITHUB = (
    "@octocat please look",
    "fixes #12 and GH-7",
    "https://evil.example/x",
    "www.evil.example",
    ":tada: party",
    "$x^2$ and $$y$$",
    "[text](https://evil.example)",
    "![](https://evil.example/x.png)",
    "a | b || c",
    "- [ ] task",
    "--- ",
    "1. one",
    "~~gone~~ ***bold***",
    "`code` ``more``",
    "<!-- hidden --> <details open>",
    "&lt;b&gt; &#64;octocat",
    "[^1] and ^up^",
    "> quoted",
    "\\",
)


class Reader(HTMLParser):
    """Tags with their attributes, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.text += data


def read(markdown: str) -> Reader:
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return Reader(parser.render(markdown))


@pytest.mark.parametrize("text", [*HOSTILE, *GITHUB])
@pytest.mark.parametrize("place", ["bullet", "cell", "bold"])
def test_a_text_is_shown_and_does_nothing(text: str, place: str) -> None:
    shown = escaped(text)
    markdown = {
        "bullet": "\n".join(bullets([text])),
        "cell": "\n".join(table(("a", "b"), [(shown, "end")], ("left", "left"))),
        "bold": f"**{shown} end**",
    }[place]
    found = read(markdown)
    assert found.tags <= {"ul", "li", "table", "thead", "tbody", "tr", "th", "td", "p", "strong"}
    assert safe(text) in found.text.replace(GAP, "")
    if place == "cell":
        assert found.text.rstrip().endswith("end")


@given(st.text(max_size=60))
def test_any_text_survives_in_a_cell(text: str) -> None:
    found = read("\n".join(table(("a", "b"), [(escaped(text), "end")], ("left", "left"))))
    assert found.tags == {"table", "thead", "tbody", "tr", "th", "td"}
    assert safe(text).replace(GAP, "") in found.text.replace(GAP, "")


@pytest.mark.parametrize("text", GITHUB)
def test_github_finds_no_mention_no_issue_and_no_link(text: str) -> None:
    shown = escaped(text)
    assert not re.search(r"(?i)@\w|#\d|\bGH-\d|https?:|\bwww\.|:\w+:", shown)
    assert not re.search(r"(?<!\\)\$", shown)


def test_code_stays_on_one_line() -> None:
    found = read(code("breakeven `x`\n**y**"))
    assert found.tags == {"p", "code"} and found.text.strip() == "breakeven ′x′ **y**"


def test_the_comparison_in_markdown() -> None:
    document = with_decision(many_options_document())
    assert document.answers is not None and document.risk is not None and document.horizon is not None
    found = read(render_markdown(document))
    text = found.text
    assert document.answers.decision.sentence in text
    assert document.risk.measure_next in text
    for each in (*document.included, *document.excluded, *document.answers.decision.change_our_mind):
        assert each in text
    for option in document.options:
        if option.name in ("brokered", "frontier_api", "hybrid"):
            bill = option.usd_per_month
            assert option.title in text and amounts.money_range(bill.p50, bill.p10, bill.p90) in text
    assert "10 more options in the HTML report" in text or "more options in the HTML report" in text
    assert document.footer.calls_hash[:12] in text
    assert found.tags <= OURS


def test_an_older_document_says_what_is_missing() -> None:
    text = read(render_markdown(without_decision(sample_document()))).text
    assert "Not in this document (schema 1.1)" in text
    assert "What to measure next" not in text


def test_hostile_names_only_show() -> None:
    document = with_decision(hostile_document(), words=lambda i: " " + HOSTILE[i % len(HOSTILE)])
    changed = document.model_copy(update={"options": document.options[1:]})
    markdown = render_markdown(document, price_watch(changed, document))
    found = read(markdown)
    assert found.tags <= OURS and not found.links
    assert "<script>alert(1)</script>" in found.text
    assert not re.search(r"(?i)(?<!\\)<(?:script|img)", markdown)
    assert "\x1b" not in markdown and "\u202e" not in markdown


def test_every_row_of_a_table_has_the_cells_of_its_head() -> None:
    document = with_decision(hostile_document(), words=lambda i: " " + HOSTILE[i % len(HOSTILE)])
    rows = [line for line in render_markdown(document).splitlines() if line.startswith("| ")]
    cells = [len(re.findall(r"(?<!\\)\|", line)) - 1 for line in rows]
    assert set(cells) == {4, 6}


def test_the_same_document_gives_the_same_text() -> None:
    document = with_decision(sample_document())
    assert render_markdown(document) == render_markdown(type(document).model_validate(document.model_dump()))
