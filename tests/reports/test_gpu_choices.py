"""GPU choices: cheapest first, those that cannot last, and the same fleet as a plan of that GPU would be."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from breakeven.catalog.load import Catalog, load_catalog
from breakeven.reports.fleet_request import FleetRequest
from breakeven.reports.gpu_choices import choices_document, gpu_choices
from fleet_logs import day_and_night


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    whole = load_catalog(date(2026, 11, 26))
    return replace(whole, gpus={name: whole.gpus[name] for name in ("T4", "A10G", "L4", "H100-SXM-80")})


def test_the_table(catalog: Catalog) -> None:
    arrivals = day_and_night(3, 2.0, 0.3)
    request = FleetRequest("Llama-3.1-8B", "L4", ttft_ms=3000, tpot_ms=45, rents_usd={"on_demand": 0.5}, spare_count=1)
    question = request.question(catalog)
    found = gpu_choices(question, arrivals, catalog)
    by_gpu = {each.gpu: each for each in found}
    assert "A10G" not in by_gpu, "nobody names its rent, and it was not asked for"
    l4 = by_gpu["L4"]
    assert l4.gpus_count is not None and l4.replicas_count is not None
    assert l4.typical_usd_per_month == pytest.approx(0.5 * l4.gpus_count * 730) and l4.basis == "yours"
    assert l4.replicas_count >= 2, "with the spare"
    assert by_gpu["H100-SXM-80"].basis != "yours"
    priced = [each.typical_usd_per_month for each in found if each.typical_usd_per_month is not None]
    assert priced == sorted(priced)
    assert all(each.why and each.replicas_count is None for each in found[len(priced) :])
    document = choices_document(found, question)
    assert (document["kind"], document["term"], len(document["choices"])) == ("gpu_choices", "on_demand", len(found))


def test_the_one_asked_for_is_there_without_a_price(catalog: Catalog) -> None:
    arrivals = day_and_night(3, 1.0, 0.2)
    only = replace(catalog, gpus={"A10G": catalog.gpus["A10G"]})
    (found,) = gpu_choices(FleetRequest("Llama-3.1-8B", "A10G").question(only), arrivals, only)
    assert found.gpus_count and found.typical_usd_per_month is None and found.why == ""


def test_what_does_not_fit_says_why(catalog: Catalog) -> None:
    arrivals = day_and_night(3, 1.0, 0.2)
    only = replace(catalog, gpus={"T4": catalog.gpus["T4"]})
    (found,) = gpu_choices(FleetRequest("Llama-3.1-405B", "T4").question(only), arrivals, only)
    assert found.replicas_count is None and "does not fit" in found.why
