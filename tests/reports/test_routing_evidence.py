"""Routing evidence: groups and calibration counted again from the outcomes themselves."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from breakeven.reports.routing_evidence import group_words, success_interval
from reports.learnt_documents import LearntFolder, learnt


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> LearntFolder:
    return learnt(tmp_path_factory.mktemp("learnt"))


def test_the_groups_are_those_of_the_calibration_requests(found: LearntFolder) -> None:
    document = found.document
    faq, contract = document.tasks
    assert (faq.group, contract.group) == ({"task": "faq"}, {"task": "contract"})
    assert faq.requests + contract.requests == document.split.calibration_requests
    assert faq.learnt_from_requests + contract.learnt_from_requests == document.split.learnt_from_requests
    assert faq.share_fraction + contract.share_fraction == pytest.approx(1)
    assert faq.model_shares == {"small": 1.0} and contract.model_shares == {"large": 1.0}
    assert "predicted to succeed in" in faq.why and "small would be cheaper" in contract.why


def test_the_groups_add_up_to_the_figures_of_the_policy(found: LearntFolder) -> None:
    document = found.document
    weights = np.array([each.share_fraction for each in document.tasks])
    success = np.array([each.success.value for each in document.tasks])
    usd = np.array([each.usd_per_request for each in document.tasks])
    assert weights @ success == pytest.approx(document.evaluation.success.value)
    assert weights @ usd == pytest.approx(document.evaluation.usd_per_request.value)
    faq = document.tasks[0]
    assert faq.usd_per_success == pytest.approx(0.0002 / faq.success.value)  # type: ignore[operator]


def test_the_bins_hold_every_calibration_request_once_for_each_model(found: LearntFolder) -> None:
    document = found.document
    for model in ("small", "large"):
        mine = [each for each in document.calibration if each.model == model]
        assert sum(each.requests for each in mine) == document.split.calibration_requests
        mean = sum(each.requests * each.observed.value for each in mine) / document.split.calibration_requests  # type: ignore[operator]
        assert mean == pytest.approx(document.singles[model].success_fraction)
        predicted = [each.predicted_fraction for each in mine]
        assert predicted == sorted(predicted)


@pytest.mark.parametrize(("mean", "count"), [(0.0, 5), (0.3, 40), (0.5, 100), (0.97, 300), (1.0, 20)])
def test_the_interval_is_wilsons(mean: float, count: int) -> None:
    low, high = proportion_confint(mean * count, count, method="wilson")
    found = success_interval(mean, count)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-12)


def test_no_request_has_no_interval() -> None:
    assert success_interval(0.5, 0).value is None


def test_a_group_without_names_is_all_requests() -> None:
    assert group_words({}) == "all requests"
    assert group_words({"application": "shop", "task": ""}) == "shop / not named"
