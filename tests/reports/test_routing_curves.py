"""Routing curves: specs by the schema, marks where the figures are, names that lie on nothing."""

from __future__ import annotations

import pytest

from breakeven.reports import routing_curves
from breakeven.reports.chart_style import Canvas
from breakeven.reports.routing_document import LearnDocument, PointPart
from reports.learnt_documents import learnt
from reports.vegalite import check

CANVASES = (Canvas("wide", 780, 340, 56, 40, 46, 46), Canvas("narrow", 272, 280, 48, 22, 46, 46))


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> LearnDocument:
    return learnt(tmp_path_factory.mktemp("learnt")).document


@pytest.mark.parametrize("canvas", CANVASES, ids=["wide", "narrow"])
def test_every_spec_is_one(document: LearnDocument, canvas: Canvas) -> None:
    check(routing_curves.cost_quality_spec(document, canvas))
    check(routing_curves.calibration_spec(document, canvas))


def test_the_policy_lies_where_its_figures_are(document: LearnDocument) -> None:
    spec = routing_curves.cost_quality_spec(document, CANVASES[0])
    layers = {each["name"]: each["data"]["values"] for each in spec["layer"]}
    assert {"oracle", "chance", "settings", "models", "here"} <= set(layers)
    (here,) = layers["here"]
    settings = layers["settings"]
    assert min(abs(each["x"] - here["x"]) + abs(each["y"] - here["y"]) for each in settings) < 1
    assert len(layers["models"]) == 2


def test_a_model_that_costs_nothing_has_a_place(document: LearnDocument) -> None:
    free = {**document.singles, "own": PointPart(usd_per_request=0.0, success_fraction=0.5)}
    check(routing_curves.cost_quality_spec(document.model_copy(update={"singles": free}), CANVASES[0]))


def test_names_of_models_that_lie_together_do_not_cover_each_other(document: LearnDocument) -> None:
    many = {f"model-{at}": PointPart(usd_per_request=0.001 * (1 + at / 100), success_fraction=0.8) for at in range(12)}
    spec = routing_curves.cost_quality_spec(document.model_copy(update={"singles": many}), CANVASES[1])
    labels = [row for each in spec["layer"] if each["name"].startswith("row_titles") for row in each["data"]["values"]]
    assert 1 <= len(labels) < 12
    assert len({(row["x"], row["y"]) for row in labels}) == len(labels)


def test_the_captions_say_it(document: LearnDocument) -> None:
    assert routing_curves.cost_quality_caption(document).startswith("Success against cost: this policy succeeds in ")
    bins = len(document.calibration)
    assert f"of {bins} bins the prediction lies within" in routing_curves.calibration_caption(document)


def test_an_old_report_has_no_calibration(document: LearnDocument) -> None:
    assert routing_curves.calibration_chart(document.model_copy(update={"calibration": []})) is None
    looks = routing_curves.model_looks(document)
    assert [(each.letter, each.model) for each in looks] == [("A", "small"), ("B", "large")]
