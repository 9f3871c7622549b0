"""The fleet page: the same document as the verb, a question in the address, and what is said when it cannot be."""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from breakeven.decision.scenario import Scenario
from breakeven.facts.source import Grade, Source
from breakeven.serving.calibrate import Correction, DeploymentKey
from breakeven.serving.measured_facts import write_facts
from breakeven.web.pages import fleet as page
from breakeven.web.plans.fleet_form import first_choice, form_of, measured_files
from breakeven.web.project import Project
from web.dashboards import client_of
from web.made_project import TODAY, desk_of, verb
from web.pages.page_words import main_words, when_done

ASKED = "model=Llama-3.1-8B&gpu=L4&gpus=1&ttft_ms=9000&tpot_ms=200&share=0.8&autoscale=yes&rent_one_year=0.4"
FIRST = {"model": "gpt-oss-120b", "gpu": "H100-SXM-80"}


@pytest.fixture(scope="module")
def asked(project: Project) -> Iterator[TestClient]:
    """A client of a dashboard that has planned the fleet of `ASKED`."""
    with client_of(desk_of(project)) as made:
        when_done(made, f"/api/fleet?{ASKED}")
        yield made


def test_the_document_is_that_of_the_verb(asked: TestClient, project: Project) -> None:
    form = form_of(dict(each.split("=") for each in ASKED.split("&")), FIRST, project)
    assert form.command == (
        "breakeven fleet --model Llama-3.1-8B --gpu L4 --gpus 1 --ttft-ms 9000 --tpot-ms 200 --share 0.8 --autoscale "
        "--rent one_year=0.4"
    )
    printed = verb(project.folder, *form.command.split()[1:], "--json", "--as-of", TODAY.isoformat())
    assert asked.get(f"/api/fleet?{ASKED}").text == printed


def test_the_page_says_the_verdict_first_and_every_figure_of_it(asked: TestClient) -> None:
    document = asked.get(f"/api/fleet?{ASKED}").json()
    said = main_words(asked.get(f"/fleet?{ASKED}").text)
    assert said.index(document["verdict"]) < said.index("Replicas at most")
    for words in (
        "predicted", "price list", "your rent", "UNPRICED", "Idle, of the paid hours", "What the busiest stretch does",
        "The same log, run otherwise", "breakeven calibrate results.json --model Llama-3.1-8B --gpu L4 --gpus 1",
        "held out", "Compare GPUs", "hours a month (", *(each.replace("`", "") for each in document["remarks"]),
    ):  # fmt: skip
        assert words in said, words


def test_the_charts_are_there_in_both_widths(asked: TestClient) -> None:
    text = asked.get(f"/fleet?{ASKED}").text
    for name in ("capacity-latency", "day-replicas", "commitments"):
        figure = text[text.index(f'id="chart-{name}"') :].partition("</figure>")[0]
        assert figure.count('<svg class="chart" viewBox') == 2


def test_another_day_draws_another_day(asked: TestClient) -> None:
    text = asked.get(f"/fleet?{ASKED}&day=2026-10-07").text
    assert "7 Oct 2026: up to" in text
    assert '<option value="2026-10-07" selected>' in text
    assert asked.get(f"/fleet?{ASKED}&day=nonsense").status_code == 200


def test_the_form_holds_what_was_asked(asked: TestClient) -> None:
    text = asked.get(f"/fleet?{ASKED}").text
    assert re.search(r'name="ttft_ms"[^>]*value="9000"', text)
    assert re.search(r'name="autoscale" value="yes" checked', text)
    assert "<option selected>L4</option>" in text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("ttft_ms=soon", "'soon': wanted a number more than 0"),
        ("ttft_ms=0", "'0': wanted a number more than 0"),
        ("gpus=1.5", "'1.5': wanted a whole number"),
        ("gpus=0", "wanted a number from 1"),
        ("share=1", "all of the requests cannot be promised"),
        ("rent_spot=-1", "wanted a number from 0"),
        ("horizon_months=nan", "wanted a number more than 0"),
        ("measured=../../etc/passwd", "no such file of `breakeven calibrate`"),
    ],
)
def test_what_cannot_be_asked_stands_beside_its_field(asked: TestClient, query: str, said: str) -> None:
    response = asked.get(f"/fleet?model=Llama-3.1-8B&gpu=L4&{query}")
    assert response.status_code == 400
    assert said in html.unescape(response.text)
    assert 'aria-invalid="true"' in response.text or "measured" in query
    told = asked.get(f"/api/fleet?model=Llama-3.1-8B&gpu=L4&{query}")
    assert told.status_code == 400 and said in told.json()["error"]["message"]


def test_what_cannot_be_served_is_said_in_the_verbs_words_with_the_form(asked: TestClient) -> None:
    text = when_done(asked, "/fleet?model=Llama-3.1-405B&gpu=L4&gpus=8")
    said = main_words(text)
    assert "Llama-3.1-405B in fp8 does not fit on 8 x L4" in said
    assert "Plan this fleet" in said
    unknown = main_words(when_done(asked, "/fleet?model=Llama-9&gpu=L4"))
    assert "unknown model 'Llama-9'" in unknown


def test_without_calls_the_page_teaches(empty_project: Project) -> None:
    with client_of(desk_of(empty_project)) as client:
        response = client.get("/fleet")
        assert response.status_code == 200
        assert "No requests to carry yet" in response.text and "breakeven import YOUR-LOG" in response.text
        told = client.get("/api/fleet?model=Llama-3.1-8B&gpu=L4")
        assert told.status_code == 400 and "Nothing was imported yet" in told.json()["error"]["message"]


def test_the_first_choice_is_the_scenarios_until_there_is_a_comparison() -> None:
    scenario = Scenario(open_model="Qwen3-32B", gpu="L40S", precision="fp8", gpus_per_replica_count=2)
    assert first_choice(scenario, None) == {"model": "Qwen3-32B", "gpu": "L40S", "precision": "fp8", "gpus": "2"}


@pytest.mark.parametrize(
    ("option", "wanted"),
    [
        ("small_gpu", {"model": "Qwen3-8B", "gpu": "L4"}),
        ("rented_spot", {**FIRST, "spot": "yes"}),
        ("rented_one_year", FIRST),
    ],
)
def test_the_first_choice_is_the_cheapest_self_hosted_option(option: str, wanted: dict[str, str]) -> None:
    from types import SimpleNamespace

    parts = [SimpleNamespace(name="frontier_api", family="api"), SimpleNamespace(name=option, family="self_hosted")]
    document = SimpleNamespace(options=(*parts, SimpleNamespace(name="owned_gpus", family="self_hosted")))
    assert first_choice(Scenario(), document) == wanted  # type: ignore[arg-type]


def test_what_is_left_out_is_as_the_verb_has_it(project: Project) -> None:
    form = form_of({}, FIRST, project)
    assert form.request is not None
    assert (form.request.met_fraction, form.request.replicas_min_count, form.request.horizon_months) == (0.95, 1, 12.0)
    assert form.command == "breakeven fleet --model gpt-oss-120b --gpu H100-SXM-80"
    assert form_of({"share": "0.95", "spare": "0"}, FIRST, project).command == form.command


def test_a_measurement_in_the_folder_can_be_chosen(tmp_path: Path, project: Project) -> None:
    key = DeploymentKey("Llama-3.1-8B", "L4", 1, "fp8", "vllm")
    figures = (math.log(0.75), 0.02, 0.0, 0.01, 0.02, 16.0, 5, 1.0, 64.0)
    slow = Correction(key, "output_tok_per_s", *figures, date(2026, 11, 1), "ours")
    write_facts(tmp_path / "measured.yaml", [slow], Source("ours", "bench.json", date(2026, 11, 1), Grade.MEASURED))
    (tmp_path / "scenario.yaml").write_text("seed: 1\n", encoding="utf-8")
    mine = replace(project, folder=tmp_path)
    assert measured_files(mine) == ("measured.yaml",)
    form = form_of({**FIRST, "measured": "measured.yaml"}, {}, mine)
    assert form.request is not None and form.request.measured == tmp_path / "measured.yaml"
    assert page._key(form) != page._key(form_of(FIRST, {}, mine))


def test_the_table_of_gpus_is_made_when_it_is_asked_for(asked: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from breakeven.catalog import load

    whole = load.load_catalog(TODAY)
    few = replace(whole, gpus={name: whole.gpus[name] for name in ("L4", "T4")})
    monkeypatch.setattr(page, "_catalog", lambda _: few)
    text = when_done(asked, f"/fleet?{ASKED}&compare=gpus")
    table = text[text.index('aria-label="GPUs"') :].partition("</table>")[0]
    assert table.count("<tr") == 3 and "T4" in table
    document = json.loads(when_done(asked, f"/api/fleet/gpus?{ASKED}"))
    assert {each["gpu"] for each in document["choices"]} == {"L4", "T4"}
