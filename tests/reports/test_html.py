"""The HTML report: one file, no script, nothing fetched, hostile names harmless, the same bytes every time."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from breakeven.reports.amounts import difference, difference_range, money
from breakeven.reports.chart_style import DARK
from breakeven.reports.decide_page import decide_page
from breakeven.reports.html import render_html
from breakeven.reports.page_frame import CONTENT_SECURITY_POLICY
from breakeven.reports.shortlist import MAIN_MAX_COUNT, main_options
from decision_documents import with_decision
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


DECISION_SECTIONS = [
    "decision", "months", "present-value", "bills", "odds-by-month", "paths", "waiting", "doubt", "measure", "tornado",
    "break-even-odds", "answers", "bands", "questions", "privacy", "energy", "exit", "month",
]  # fmt: skip


@pytest.fixture(scope="module")
def decided() -> str:
    """The report of about twenty options with the months, doubt and the guide's questions."""
    return render_html(with_decision(many_options_document()))


def section(text: str, name: str, until: str = "") -> str:
    """Text of a page from one anchor to another, or to the end of a section that holds no other."""
    start = text.index(f'<section id="{name}"')
    end = text.index(f'<section id="{until}"') if until else text.index("</section>", start) + len("</section>")
    return Page(text[start:end]).text


def test_the_decision_comes_before_the_month_and_all_of_it_can_be_reached(decided: str) -> None:
    page = Page(decided)
    ids = page.ids()
    assert len(ids) == len(set(ids))
    wanted = [*SECTIONS[:2], *DECISION_SECTIONS, *SECTIONS[2:]]
    assert [each for each in ids if each in wanted] == wanted
    targets = {str(each["href"])[1:] for tag, each in page.tags if tag == "a" and str(each["href"]).startswith("#")}
    assert targets <= set(ids)
    assert set(DECISION_SECTIONS) <= targets


def test_an_old_document_has_none_of_it(sample: str) -> None:
    assert not set(Page(sample).ids()) & set(DECISION_SECTIONS)
    assert "One month, at today" not in Page(sample).text


@pytest.mark.parametrize("part", ["horizon", "risk", "answers"])
def test_a_document_without_one_part_has_the_others(part: str) -> None:
    page = Page(render_html(with_decision(sample_document()).model_copy(update={part: None})))
    targets = {str(each["href"])[1:] for tag, each in page.tags if tag == "a" and str(each["href"]).startswith("#")}
    assert targets <= set(page.ids())
    assert "month" in page.ids()


def test_the_decision_is_the_document_s(decided: str) -> None:
    answers = with_decision(many_options_document()).answers
    assert answers is not None
    text, decision = section(decided, "decision", "months"), answers.decision
    for line in (decision.sentence, *decision.monday, *decision.change_our_mind, decision.with_losses):
        assert " ".join(line.split()) in text
    for each in decision.figures:
        assert f"{each.label} {each.value} {each.range} {each.why}" in text


def test_the_first_figures_are_those_of_the_one_page_decision(decided: str) -> None:
    first, present, payback, odds = decide_page(with_decision(many_options_document())).tiles
    head = Page(decided[decided.index('<dl class="figures') : decided.index("</dl>") + len("</dl>")]).text
    assert f"{first.label} {first.value} {first.note}" in head and "One month, against" not in head
    assert f"{present.label} {present.value} {present.range}; {present.note}" in head
    assert f"{payback.label}, median {payback.value} {payback.range}; {payback.note}" in head
    assert f"{odds.label} {odds.value} futures {odds.note}" in head


def test_each_main_option_has_its_months(decided: str) -> None:
    document = with_decision(many_options_document())
    assert document.horizon is not None
    text = section(decided, "present-value", "bills")
    parts = {each.option: each for each in document.horizon.options}
    for option in main_options(document):
        part = parts[option.name]
        assert money(part.present_cost_usd.mean) in text
        assert money(part.regret_usd.mean) in text
        if part.payback:
            assert difference(part.saves_usd.mean) in text
            assert difference_range(part.saves_usd.p10, part.saves_usd.p90) in text
    assert "never in 100 of 100" in text
    assert f"All {len(document.options)} options over the months" in text
    assert "10 % a year" in text
    waiting = section(decided, "waiting")
    for wait in document.horizon.waiting:
        assert difference(wait.saves_against_now_usd.mean) in waiting
    assert "never move" in waiting
    for path in document.horizon.paths:
        assert f"{path.title} : {path.basis}" in section(decided, "paths")


def test_doubt_is_priced_and_never_stands_apart(decided: str) -> None:
    document = with_decision(many_options_document())
    assert document.risk is not None
    text = section(decided, "doubt", "answers")
    assert document.risk.measure_next in text
    assert money(document.risk.evpi_usd) in text
    for each in document.risk.information:
        assert money(each.evppi_usd) in text
        assert each.how_to_measure in text
    for pair in document.risk.breakeven_odds:
        assert pair.sentence in text
    assert "20 of 100" in text
    assert "An explanation only" in text


def test_the_guide_stands_beside_today_s_prices(decided: str) -> None:
    answers = with_decision(many_options_document()).answers
    assert answers is not None
    text = section(decided, "answers", "options")
    for band in answers.volume_bands:
        for words in (band.guide_says, band.title, band.why, band.main_driver, money(band.usd_per_month.mean)):
            assert words in text
    assert text.count(" agrees ") == sum(band.agrees is True for band in answers.volume_bands)
    assert text.count(" disagrees ") == sum(band.agrees is False for band in answers.volume_bands)
    assert text.count("you are here") == 1
    for question in answers.five_questions.questions:
        assert f"{question.question} " in text
        assert question.ask in text
        assert question.evidence in text
    privacy = answers.privacy
    for words in (privacy.premium_sentence, privacy.cap_sentence, privacy.industries[0].name):
        assert words in text
    for each in answers.exit_criteria:
        assert f"{each.metric} {each.condition} {each.why}" in text
    assert "idle" in section(decided, "energy")


def test_headings_of_one_month_say_so(decided: str) -> None:
    text = Page(decided).text
    for heading in (
        "One month, at today's volume and prices",
        "Options, cheapest successful outcome first, at today's volume and prices",
        "Break-even of one month, at typical values",
        "What would change the answer of one month",
        "Where the money goes in one month",
    ):
        assert heading in text


def test_hostile_names_in_the_new_parts_are_text() -> None:
    document = with_decision(hostile_document(), words=lambda index: HOSTILE[index % len(HOSTILE)])
    text = render_html(document)
    page = Page(text)
    assert "<script" not in text.lower()
    assert "<img" not in text
    assert not set("\x1b\u202e\x07") & set(text)
    assert not any(name.startswith("on") for _, each in page.tags for name in each)
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;") > render_html(hostile_document()).count(
        "&lt;script&gt;alert(1)&lt;/script&gt;"
    )


def test_the_same_decision_gives_the_same_bytes_and_a_small_file(decided: str) -> None:
    assert render_html(with_decision(many_options_document())) == decided
    assert len(decided.encode()) < 700_000


def test_no_number_of_the_decision_is_scientific_and_no_saving_negative(decided: str) -> None:
    body = Page(decided[decided.index("<body>") :].replace("</body>\n</html>", "</body>")).text
    assert not re.search(r"\d(?:\.\d+)?e[+-]\d", body)
    assert "saves -" not in body
    assert "nan" not in body.lower().split()
