"""The comparison's page names the pilots and a pilot's page the comparison; neither page waits for the other."""

from __future__ import annotations

import html
import re

from breakeven.web import documents
from breakeven.web.jobs import Job
from breakeven.web.pilot.beside import comparison_line, pilot_lines
from breakeven.web.pilot.room import room_of
from breakeven.web.project import Project
from web.dashboards import client_of
from web.made_project import desk_of, verb
from web.pages.page_words import main_words, until


def test_each_page_says_what_the_other_says_and_why(compared: Project) -> None:
    desk = desk_of(compared)
    place = room_of(desk).find("evals")
    until(lambda: place.known_now() is not None)
    document = documents.kept_comparison(desk)
    assert document is not None
    with client_of(desk) as client:
        until(lambda: 'id="sentence"' in client.get("/").text)
        start, pilot = client.get("/").text, client.get("/pilot/evals").text
        live = client.get("/pilot/evals/live").text
    (line,) = pilot_lines(desk, document).shown
    verdict = place.look_now().document.verdict
    assert verdict is not None and line.beside.said == verdict.sentence
    words = main_words(start)
    assert f"{line.beside.said[:200]}" in words and line.beside.why in words
    assert re.search(r'<a href="/pilot/evals">Pilot evals</a>', start)
    sentence = re.search(r'id="sentence">(.*?)</p>', start, re.S)
    assert sentence is not None
    said = html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", sentence[1]))).strip()
    for page in (pilot, live):
        assert f"The comparison of the whole traffic: {said}" in " ".join(
            html.unescape(re.sub(r"<[^>]+>", "", page)).split()
        )
        assert line.beside.why in html.unescape(page)


def test_a_pilot_page_begins_no_comparison(own_project: Project) -> None:
    desk = desk_of(own_project)
    place = room_of(desk).find("evals")
    assert documents.kept_comparison(desk) is None
    with client_of(desk) as client:
        until(lambda: 'id="pilot-head"' in client.get("/pilot/evals").text)
        assert "The comparison" not in main_words(client.get("/pilot/evals").text)
    assert comparison_line(desk, place.look_now().document) is None
    assert not any(each.name.startswith("comparison") for each in desk.jobs.every())


def test_a_pilot_without_calls_has_nothing_beside_it(own_project: Project) -> None:
    import shutil

    shutil.rmtree(own_project.store)
    assert documents.kept_comparison(desk_of(own_project)) is None


def test_what_is_not_read_yet_is_told_by_its_journal_and_what_is_not_begun_is_left_out(compared: Project) -> None:
    desk = desk_of(compared)
    document = documents.kept_comparison(desk)
    assert document is not None
    (line,) = pilot_lines(desk, document).shown
    assert line.beside.said.endswith(("it is being read again.", "it is being read."))
    until(lambda: not any(isinstance(each, Job) and each.state == "running" for each in desk.jobs.every()))


def test_a_pilot_that_only_has_a_design_says_nothing(own_project: Project, compared: Project) -> None:
    document = documents.kept_comparison(desk_of(compared))
    assert document is not None
    models = ("--baseline", "openai/gpt-5", "--candidate", "openai/gpt-5-mini", "--task", "contract")
    verb(own_project.folder, "pilot", "init", "later", *models, "--outcomes", "outcomes.csv")
    shown = pilot_lines(desk_of(own_project), document).shown
    assert [each.name for each in shown] == ["evals"]
