"""The start page: the comparison and where the sliders stand, without a browser and without a script."""

from __future__ import annotations

import html
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from breakeven.reports.document import Document
from breakeven.reports.safe_text import short
from breakeven.reports.slider_turns import slider_turn
from breakeven.reports.whatif_base import as_it_is
from breakeven.web import documents
from breakeven.web.jobs import Job
from breakeven.web.page import Desk
from breakeven.web.project import Project
from breakeven.web.verdict import start as start_page
from breakeven.web.verdict.slider_session import Opened
from breakeven.web.verdict.words import verdict_words
from web.dashboards import client_of
from web.made_project import desk_of, verb
from web.verdict_project import OPTIONS, SCENARIO, make_quick_project, wait_for, whatif_json

FIGURE = re.compile(r'data-fig="([^"]+)">.*?<s>(.*?)</s>.*?class="now"(?: data-value="([^"]+)")?>(.*?)</span>', re.S)


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return make_quick_project(tmp_path_factory.mktemp("verdict") / "team")


@pytest.fixture(scope="module")
def desk(quick: Project) -> Desk:
    return desk_of(quick)


@pytest.fixture(scope="module")
def opened(desk: Desk) -> Opened:
    return wait_for(desk)


@pytest.fixture
def client(desk: Desk, opened: Opened) -> Iterator[TestClient]:
    with client_of(desk) as made:
        yield made


@pytest.fixture(scope="module")
def document(desk: Desk, opened: Opened) -> Document:
    found = documents.comparison(desk)
    assert not isinstance(found, Job)
    return found


def figures_of(page: str) -> dict[str, tuple[str, str, str]]:
    """Key -> what it was, its number, what it is."""
    return {key: (html.unescape(was), value, html.unescape(now)) for key, was, value, now in FIGURE.findall(page)}


def text_of(page: str) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page)))


def test_an_option_that_may_not_be_taken_is_nobodys_rival(document: Document) -> None:
    found = as_it_is(document)
    said = verdict_words(document, found).figures["tile.rival"].now
    named = next(each for each in document.options if short(each.title, 40) in said)
    barred = [
        each.model_copy(update={"only_if": "the data may leave"}) if each is named else each
        for each in document.options
    ]
    after = verdict_words(document.model_copy(update={"options": barred}), found).figures["tile.rival"].now
    assert short(named.title, 40) not in after and after.startswith("next: ")


def test_before_there_are_calls_it_says_how_to_begin(empty_project: Project) -> None:
    with client_of(desk_of(empty_project)) as client:
        page = client.get("/").text
    assert "breakeven import YOUR-LOG" in page
    assert "breakeven serve --upstream" in page
    assert "breakeven demo --story support" in page
    assert 'href="/import"' in page
    assert 'id="sentence"' not in page


def copy_of(project: Project, folder: Path) -> Project:
    """The same calls and scenario, with nothing computed."""
    shutil.copytree(project.folder, folder / "team", ignore=shutil.ignore_patterns("ui"))
    return Project.at(folder / "team")


def test_while_options_are_compared_it_says_how_far_it_is(tmp_path: Path, quick: Project) -> None:
    with client_of(desk_of(copy_of(quick, tmp_path))) as client:
        page = client.get("/")
        assert page.status_code == 200
        assert "data-wait=" in page.text
        assert client.get("/verdict/answer?volume=5B").status_code == 202


def test_the_verdict_is_the_sentence_that_decide_prints(client: TestClient, document: Document) -> None:
    assert document.answers is not None
    page = client.get("/").text
    assert document.answers.decision.sentence in text_of(page)
    assert f'<b class="odds">{round(100 * document.answers.decision.probability_fraction)} of 100 futures</b>' in page


def test_every_option_has_a_card_or_a_row_with_its_range(client: TestClient, document: Document) -> None:
    page = client.get("/").text
    assert {each.name for each in document.options} == set(OPTIONS)
    for each in document.options:
        assert f'data-option="{each.name}"' in page
        assert f'data-row="{each.name}"' in page
    assert document.horizon is not None
    found = figures_of(page)
    for part in document.horizon.options:
        was, value, _ = found[f"option.{part.option}.present"]
        assert was == ""
        assert float(value) == pytest.approx(part.present_cost_usd.mean, rel=1e-12)


def test_nothing_of_the_decision_is_left_out(client: TestClient, document: Document) -> None:
    assert document.answers is not None
    assert document.risk is not None
    text = text_of(client.get("/").text)
    said = (
        *document.included, *document.excluded, *document.warnings, *document.answers.decision.change_our_mind,
        document.risk.measure_next,
    )  # fmt: skip
    for each in said:
        assert each in text
    assert "UNPRICED" in text
    assert "acme/acme-private-7b" in text
    assert "Compared with" in text
    assert 'aria-label="' in text or "tornado" in client.get("/").text


def test_a_slider_says_from_where_on_the_answer_changes(client: TestClient, document: Document, opened: Opened) -> None:
    """Well before the mark the recommendation is as it is, well beyond it another one."""
    assert document.answers is not None
    turns = {each.name: slider_turn(each, document.answers.exit_criteria) for each in opened.sliders}
    known = {name: turn for name, turn in turns.items() if turn is not None}
    assert known
    page = client.get("/").text
    for name, turn in known.items():
        assert f"The answer changes {turn.words}" in text_of(page)
        typical = next(each.typical for each in opened.sliders if each.name == name)
        for share, changes in ((0.7, False), (1.4, True)):
            value = typical * (turn.value / typical) ** share
            text = f"{value:.6g}M" if name == "volume" else f"{value:.6g}"
            found = client.get(f"/verdict/answer?{name}={text}").json()
            assert (found["recommended"] != document.answers.decision.recommended) is changes, (name, text)
    assert page.count('class="turn-words"') == len(known) >= page.count('class="turn-mark"')


def test_without_a_change_the_page_is_the_comparison(document: Document, opened: Opened) -> None:
    """What the page shows before there is a session is what the session says."""
    base, session = as_it_is(document), opened.session.answer(())
    words, again = verdict_words(document, base), verdict_words(document, session)
    assert words.figures.keys() == again.figures.keys()
    for key, figure in words.figures.items():
        assert (figure.now, figure.was, figure.change) == (again.figures[key].now, "", "")
        value = again.figures[key].value
        assert figure.value == (None if value is None else pytest.approx(value, rel=1e-12))
    assert words.shown == again.shown
    assert base.before.option == session.before.option


def test_the_address_holds_the_state_without_a_script(client: TestClient, quick: Project) -> None:
    page = client.get("/?volume=2B&api_price=3").text
    said = whatif_json(quick, ["volume=2B", "api_price=3"])
    assert f"With your changes: {said['sentence'][:1].lower()}{said['sentence'][1:]}" in text_of(page)
    assert "breakeven whatif volume=2B api_price=3 --scenario scenario.yaml" in page
    assert re.search(r'name="volume" value="2B"', page)
    assert re.search(r'name="growth" value=""', page)
    for option in said["options"]:
        was, value, _ = figures_of(page)[f"option.{option['option']}.present"]
        assert float(value) == pytest.approx(option["after_present_cost_usd"]["mean"], abs=0.005)
        assert was.startswith("$")


def test_a_reset_takes_one_change_out_of_the_address(client: TestClient) -> None:
    page = client.get("/?volume=2B&api_price=3&open_model=gpt-oss-20b").text
    links = [html.unescape(each) for each in re.findall(r'class="reset" href="([^"]+)"', page)]
    assert "/?api_price=3&open_model=gpt-oss-20b" in links
    assert "/?volume=2B&open_model=gpt-oss-20b" in links
    assert "/?volume=2B&api_price=3" in links
    assert 'name="open_model" value="gpt-oss-20b"' in page


def test_script_and_page_say_the_same(client: TestClient) -> None:
    query = "?volume=2B&gpu_rents=0.5&horizon=24"
    answer, page = client.get(f"/verdict/answer{query}").json(), figures_of(client.get(f"/{query}").text)
    for key, (now, was, _, value) in answer["figures"].items():
        assert page[key] == (was, "" if value is None else repr(value), now), key
    assert answer["url"] == f"/{query}"
    assert answer["changed"]
    assert answer["recommended"] in answer["shown"]


def test_a_sum_over_fewer_months_is_no_saving(client: TestClient) -> None:
    answer = client.get("/verdict/answer?horizon=24").json()
    sums = {key: each for key, each in answer["figures"].items() if key.endswith((".present", ".against", ".saves"))}
    told = {change for _, was, change, _ in sums.values() if was}
    assert told == {"over 24 months instead of 36"}
    assert answer["figures"]["tile.present"][2] == "over 24 months instead of 36"
    assert "sums of different lengths" in "".join(text for text, *_ in answer["sentence"])
    for _, _, mean, was in answer["bars"].values():
        assert was == mean, "no mark of what cannot be held against it"
    page = text_of(client.get("/?horizon=24").text)
    assert len(re.findall(r"was 36 months 24 months ?, expected", page)) == 1 + len(OPTIONS), "each card and the table"
    assert "saves over 36 months against its rival" in page, "the tornado speaks of things as they are"
    same = client.get("/verdict/answer?volume=2B").json()["figures"]["tile.present"]
    assert same[2].startswith("costs $")


def test_the_documents_are_those_of_the_command_line(client: TestClient, quick: Project, desk: Desk) -> None:
    assert client.get("/api/verdict").text == documents.comparison_text(desk)
    mine, said = client.get("/api/verdict/whatif?volume=2B").json(), whatif_json(quick, ["volume=2B"])
    assert mine.keys() == said.keys()
    assert mine["sentence"] == said["sentence"]
    assert mine["changes"] == said["changes"]
    for one, other in zip(mine["options"], said["options"], strict=True):
        assert one["title"] == other["title"]
        assert one["after_usd_per_month"]["mean"] == pytest.approx(other["after_usd_per_month"]["mean"], abs=0.005)


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("volume=abc", "wanted a number"),
        ("volume=-5B", "more than zero"),
        ("nonsense=3", "nonsense"),
        ("open_model=no-such-model", "no-such-model"),
        ("volume=%3Cscript%3Ealert(1)%3C/script%3E", "wanted a number"),
        ("horizon=1e400", "Horizon: 1e400 is not taken; wanted a number more than zero and at most 120 months"),
        ("volume=1e30", "Volume: 1e30 is not taken"),
        ("volume=5B&volume=nan", "volume has 2 values (5B, nan); wanted one"),
        ("volume=5B&volume_mtok_per_month=6B", "volume has 2 values (5B, 6B); wanted one"),
    ],
)
def test_what_cannot_be_is_left_out_and_said(client: TestClient, query: str, why: str) -> None:
    page = client.get(f"/?api_price=3&{query}")
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    refused = re.search(r'id="refused".*?</div>', page.text, re.S)
    assert refused
    assert why in text_of(refused[0])
    assert "Input should" not in refused[0] and "_mtok_" not in refused[0]
    assert "With your changes" in page.text
    assert figures_of(page.text)["option.frontier_api.present"][0].startswith("$")


def test_saved_sliders_are_a_scenario(tmp_path: Path, quick: Project) -> None:
    project = copy_of(quick, tmp_path)
    with client_of(desk_of(project)) as client:
        fields = {"changes": "?api_price=3&horizon=24", "name": "cheaper gpus"}
        reply = client.post("/verdict/save", data=fields, follow_redirects=False)
        assert reply.status_code == 303, reply.text
        assert reply.headers["location"] == "/?api_price=3&horizon=24&saved=cheaper_gpus"
        again = client.post("/verdict/save", data=fields, headers={"Accept": "application/json"})
        assert again.status_code == 409
        twice = client.post("/verdict/save", data={"changes": "?volume=5B&volume=6B", "name": "x"})
        assert twice.status_code == 400 and "volume has 2 values" in twice.text
        nothing = client.post("/verdict/save", data={"changes": "", "name": "x"})
        assert nothing.status_code == 400
        without_token = client.post("/verdict/save", data=fields, headers={"x-breakeven-csrf": ""})
        assert without_token.status_code == 403
    text = (project.folder / "scenarios" / "cheaper_gpus.yaml").read_text(encoding="utf-8")
    assert re.search(r"horizon_months: 24", text)
    assert re.search(r"api_price_ratio: 3", text)


def test_the_page_says_what_was_saved_and_nothing_else(client: TestClient, quick: Project) -> None:
    file = quick.folder / "scenarios" / "mine.yaml"
    file.parent.mkdir()
    file.touch()
    assert "breakeven compare --scenario scenarios/mine.yaml" in text_of(client.get("/?saved=mine").text)
    assert "Saved as" not in client.get("/?saved=other").text


def test_a_single_option_has_nothing_to_compare_with(tmp_path: Path) -> None:
    project = make_quick_project(tmp_path / "team", "draws_log2: 6\noptions: [frontier_api]\n")
    desk = desk_of(project)
    wait_for(desk)
    with client_of(desk) as client:
        for query in ("", "?volume=2B"):
            page = client.get(f"/{query}")
            assert page.status_code == 200
            assert page.text.count("data-option=") == 1
            assert "the only option" in page.text
            assert "no other option" in page.text
            assert "What would change our mind" not in page.text, "a heading above nothing"
            assert "The option in a table" in page.text and "stand in the table" not in page.text


def test_thirty_options_have_few_cards_and_a_row_each(
    client: TestClient, document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = with_copies(document, 30)
    monkeypatch.setattr(start_page.documents, "comparison", lambda *_: many)
    failed = Job("sliders", "Preparing the sliders", state="failed", error="ScenarioError: made to fail")
    monkeypatch.setattr(start_page, "session", lambda *_, **__: failed)
    page = client.get("/").text
    cards = re.findall(r'<article class="card[^>]*data-option="[^"]+"[^>]*>', page)
    assert len(cards) == 30
    assert 4 <= sum("hidden" not in each for each in cards) <= 8
    assert page.count("data-row=") == 30
    assert "made to fail" in page


def test_sliders_whose_preparation_was_cancelled_can_be_prepared_again(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancelled = Job("sliders", "Preparing the sliders", state="cancelled", is_refused=True)
    monkeypatch.setattr(start_page, "session", lambda *_, **__: cancelled)
    page = client.get("/?volume=5B").text
    assert f'action="/jobs/{cancelled.key}/retry"' in page
    assert 'name="next" value="/?volume=5B"' in page
    assert "Prepare again" in page
    assert "because it cannot be" not in page
    assert "volume=5B: the sliders are not prepared; once they are, it counts" in page


def with_copies(document: Document, count: int) -> Document:
    """The document with copies of its last option until there are `count`."""
    assert document.horizon is not None
    option, part = document.options[-1], document.horizon.options[-1]
    source = next(each for each in document.options if each.name == part.option)
    pair = next(each for each in document.breakeven.pairs if each.option == source.name)
    names = [f"copy_{number}" for number in range(count - len(document.options))]
    options = [source.model_copy(update={"name": each, "title": f"{option.title} {each}"}) for each in names]
    parts = [part.model_copy(update={"option": each, "probability_cheapest_fraction": 0.0}) for each in names]
    pairs = [pair.model_copy(update={"option": each}) for each in names]
    horizon = document.horizon.model_copy(update={"options": (*document.horizon.options, *parts)})
    breakeven = document.breakeven.model_copy(update={"pairs": (*document.breakeven.pairs, *pairs)})
    changed = {"options": (*document.options, *options), "horizon": horizon, "breakeven": breakeven}
    return document.model_copy(update=changed)


HOSTILE = '</script><img src=x onerror=alert(1)>\u202e"><b>'


def write_log(path: Path, models: dict[str, int]) -> None:
    """Calls of three weeks, as many of each model as asked."""
    rows = [
        {
            "id": f"{model}-{number}", "timestamp": f"2026-11-{1 + number % 21:02d}T{number % 24:02d}:00:00Z",
            "model": model, "input_tokens": 900 + number % 50, "output_tokens": 200 + number % 30,
        }
        for model, count in models.items()
        for number in range(count)
    ]  # fmt: skip
    path.write_text("".join(json.dumps(each) + "\n" for each in rows), encoding="utf-8")


def project_of(folder: Path, models: dict[str, int]) -> Project:
    folder.mkdir()
    write_log(folder / "calls.jsonl", models)
    (folder / "scenario.yaml").write_text(SCENARIO.replace("draws_log2: 7", "draws_log2: 6"), encoding="utf-8")
    verb(folder, "import", "calls.jsonl", codes=(0, 1))
    return Project.at(folder)


def test_hostile_names_stay_words_and_a_large_unpriced_share_is_loud(tmp_path: Path) -> None:
    desk = desk_of(project_of(tmp_path / "team", {"openai/gpt-5": 300, f"acme/{HOSTILE}": 300}))
    wait_for(desk)
    with client_of(desk) as client:
        for page in (client.get("/"), client.get("/?volume=2B")):
            assert page.status_code == 200
            assert "<img src=x" not in page.text
            assert "\u202e" not in page.text
            before, _, _ = page.text.partition('id="sentence"')
            assert 'class="loud"' in before
            assert re.search(r"UNPRICED: \d+(\.\d+)?\s% of the tokens are in no figure of this page", before)


def test_where_nothing_has_a_price_it_says_which(tmp_path: Path) -> None:
    desk = desk_of(project_of(tmp_path / "team", {"acme/private-7b": 300}))
    for _ in range(4):
        found = documents.comparison(desk)
        assert isinstance(found, Job)
        if found.state == "failed":
            break
        found.wait(120)
    with client_of(desk) as client:
        page = client.get("/")
        answer = client.get("/verdict/answer?volume=2B")
    assert page.status_code == 400
    assert "acme/private-7b" in text_of(page.text)
    assert answer.status_code == 400
    assert "acme/private-7b" in answer.json()["job"]["error"]
