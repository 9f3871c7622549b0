"""The HTML report: one file, no script, nothing fetched, hostile names harmless, the same bytes every time."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from breakeven.reports.amounts import money
from breakeven.reports.chart_style import DARK
from breakeven.reports.html import CONTENT_SECURITY_POLICY, render_html
from breakeven.reports.shortlist import MAIN_MAX_COUNT, main_options
from reports.many_options import many_options_document
from reports.sample_document import HOSTILE, hostile_document, one_option_document, sample_document

SECTIONS = [
    "verdict", "missing", "options", "all-options", "costs-by-volume", "around-your-volume", "break-even", "breakdown",
    "levers", "scope", "traffic", "lines", "assumptions", "reproduce",
]  # fmt: skip
VOID = {"meta", "br", "img", "input", "link", "hr", "base", "area", "col", "embed", "source", "track", "wbr"}


class Page(HTMLParser):
    """Tags, attributes and text of a page; complains about tags that do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open, f"left open: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        """Everything a reader sees, and the style sheet."""
        return " ".join(" ".join(self.words).split())

    def ids(self) -> list[str]:
        """All ids."""
        return [str(each["id"]) for _, each in self.tags if "id" in each]


@pytest.fixture(scope="module")
def sample() -> str:
    """The report of the sample."""
    return render_html(sample_document())


@pytest.fixture(scope="module")
def hostile() -> str:
    """The report of the hostile sample."""
    return render_html(hostile_document())


def test_the_page_nests_and_every_section_has_an_id(sample: str) -> None:
    page = Page(sample)
    ids = page.ids()
    assert len(ids) == len(set(ids))
    assert [each for each in ids if each in SECTIONS] == SECTIONS
    targets = [str(each["href"])[1:] for tag, each in page.tags if tag == "a" and str(each["href"]).startswith("#")]
    assert targets
    assert set(targets) <= set(ids)


@pytest.mark.parametrize("which", ["sample", "hostile"])
def test_nothing_runs_and_nothing_is_fetched(which: str, request: pytest.FixtureRequest) -> None:
    text: str = request.getfixturevalue(which)
    assert "<script" not in text.lower()
    assert "@import" not in text
    assert f'http-equiv="Content-Security-Policy" content="{CONTENT_SECURITY_POLICY.replace(chr(39), "&#39;")}"' in text
    for tag, attributes in Page(text).tags:
        assert tag not in {"script", "iframe", "object", "embed", "link", "base", "form", "img", "foreignobject"}
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            if name in {"src", "href", "xlink:href", "action", "poster", "data", "srcset"}:
                inside = str(value).startswith(("#", "data:"))
                assert inside or (tag == "a" and re.match(r"https?://", str(value))), (tag, name, value)
    urls = re.findall(r"url\(([^)]*)\)", text)
    assert urls
    assert all(each.startswith("#") for each in urls)


def test_hostile_names_are_text(hostile: str) -> None:
    page = Page(hostile)
    assert "<script>alert(1)</script>" in page.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in hostile
    assert "<img src=x" not in hostile
    assert "{{ 7 * 7 }}" in page.text
    assert "\x1b" not in hostile
    assert "\u202e" not in hostile
    assert "\x07" not in hostile
    assert "javascript:" not in " ".join(str(value) for _, each in page.tags for value in each.values())
    assert all(len(word) <= 320 for word in page.words[0].split())
    assert len(HOSTILE) == 8


def test_the_same_document_gives_the_same_bytes(sample: str) -> None:
    assert render_html(sample_document()) == sample


def test_the_file_is_small(sample: str) -> None:
    assert len(sample.encode()) < 400_000


def test_verdict_first_and_badges_loud(sample: str) -> None:
    body = sample[sample.index("<body>") :]
    text = Page(body.replace("</body>\n</html>", "</body>")).text
    assert text.index("SYNTHETIC DATA") < text.index("Probably move") < text.index("Options, cheapest")
    assert "EXTRAPOLATED FROM 672 HOURS" in text
    assert text.index("UNPRICED: 2.8 % of the tokens are in no figure") < text.index("Options, cheapest")
    assert "priced in CNY" in text


def test_nothing_is_claimed_that_is_not_so() -> None:
    text = Page(render_html(sample_document(synthetic=False, extrapolated=None))).text
    assert "SYNTHETIC" not in text
    assert "EXTRAPOLATED" not in text
    assert "as observed" in text


def test_every_option_line_and_assumption_is_on_the_page(sample: str) -> None:
    document, text = sample_document(), Page(sample).text
    for option in document.options:
        assert option.title in text
        assert f"{option.usd_per_month.p50:,.0f}" in text
        for line in option.lines:
            assert line.title.removesuffix(" (fleet)").removesuffix(" (API)") in text
    for fact in document.assumptions:
        assert fact.name in text
        assert fact.source.title in text
    assert text.count("STALE") == 1
    for line in (*document.included, *document.excluded, *document.warnings):
        assert line in text
    footer = document.footer
    for value in (
        footer.calls_hash,
        footer.catalog_hash,
        footer.scenario_hash,
        "16,384",
        "730",
        "0.2.3",
        "23 Nov 2026",
    ):
        assert value in text


def test_every_chart_has_a_text_alternative(sample: str) -> None:
    labels = [each["aria-label"] for tag, each in Page(sample).tags if tag == "svg" and each.get("role") == "img"]
    assert len(labels) == 14
    assert all(labels)
    hidden = [each for tag, each in Page(sample).tags if tag == "svg" and each.get("role") != "img"]
    assert all(each.get("aria-hidden") == "true" for each in hidden)


def test_every_chart_colour_has_a_dark_one_and_every_bar_a_hatch(sample: str) -> None:
    style = sample[sample.index("<style>") : sample.index("</style>")]
    drawn = set(re.findall(r'(?:fill|stroke)="(#[0-9a-f]{6})"', sample))
    kept = {each for each in drawn if each not in DARK}
    hatched = set(re.findall(r'\[fill="(#[0-9a-f]{6})"\] { fill: url', style))
    assert kept <= hatched | {"#10141c"}, "a colour that stays in the dark must be a bar with dark words on it"


def test_the_smallest_comparison_has_a_page() -> None:
    text = Page(render_html(one_option_document())).text
    assert "EXTRAPOLATED FROM 0.97 HOURS" in text
    assert "the only option that could be costed" in text
    assert "No other option to compare with" in text


def test_no_number_is_scientific_and_no_saving_negative(sample: str) -> None:
    body = Page(sample[sample.index("<body>") :].replace("</body>\n</html>", "</body>")).text
    assert not re.search(r"\d(?:\.\d+)?e[+-]\d", body)
    assert "saves -" not in body
    assert "nan" not in body.lower().split()


@pytest.fixture(scope="module")
def many() -> str:
    """The report of about twenty options."""
    return render_html(many_options_document())


def test_every_option_opens_to_every_line_of_its_cost(many: str) -> None:
    document = many_options_document()
    folds = re.findall(r'<details class="option" id="option-\w+">(.*?)</details>', many, re.DOTALL)
    assert len(folds) == len(document.options)
    by_title = {option.title: option for option in document.options}
    for fold in folds:
        text = Page(fold).text
        option = next(each for title, each in by_title.items() if f" {title} " in text)
        assert money(option.usd_per_month.p50) in text
        assert sum(f"{line.title} " in text for line in option.lines) == len(option.lines)
        assert option.buys in text


def test_the_tables_of_the_best_have_one_row_and_one_column_each(many: str) -> None:
    main = main_options(many_options_document())
    cards = many[many.index('<table class="cards">') : many.index("</table>", many.index('<table class="cards">'))]
    matrix = many[many.index('<table class="matrix">') : many.index("</thead>", many.index('<table class="matrix">'))]
    assert cards.count("<tr") - 1 == matrix.count("<th scope") - 1 == len(main) <= MAIN_MAX_COUNT


def test_what_is_not_costed_stands_with_its_family_and_its_whole_reason(many: str) -> None:
    text = Page(many).text
    for each in many_options_document().unavailable:
        assert f"{each.title} not costed {each.reason}" in text
    assert "4 OPTIONS NOT COSTED" in text


def test_conditions_and_twins_are_told(many: str) -> None:
    text = Page(many).text
    assert "GPUs you already own only if you already own the GPUs" in text
    assert "Brokered open model, Fireworks costs the same as Brokered open model" in text


def test_a_purchase_is_told_three_ways(many: str, sample: str) -> None:
    part = many[many.index('<section id="ownership">') : many.index('<section id="levers">')]
    text = Page(part).text
    assert "At the start – $300,000 –" in text
    assert "Each month, capital $7,000 – $6,000" in text
    assert "Each month $17,000 $10,000 $16,000" in text
    assert "At the end – $84,000 back –" in text
    assert "Over 36 months $612,000 $576,000 $576,000" in text
    assert 'id="ownership"' not in sample


def test_scale_to_zero_and_disagreeing_prices_are_told(many: str) -> None:
    text = Page(many).text
    assert "41 %" in text
    assert "Price lists disagree on 1 price" in text
    assert "0.6 (models.dev)" in text


def test_break_even_of_every_option_is_on_the_page(many: str) -> None:
    text = Page(many).text
    for pair in many_options_document().breakeven.pairs:
        assert pair.sentence in text
