"""One bench for all tests of the guide's claims: the reference workload on the bundled catalogue of its checked day."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from breakeven.catalog.files import DATA, read_files
from breakeven.catalog.load import Catalog, read_catalog
from breakeven.claims.guide.bench import Bench
from breakeven.claims.guide.discover import finding_of, guide_claims
from breakeven.claims.guide.finding import Finding
from breakeven.claims.guide.reference_workload import WORDS, reference_situation
from breakeven.decision.scenario import Scenario
from breakeven.facts.draws import DrawSet
from breakeven.options.discover import discover_options

Find = Callable[..., Finding]


@pytest.fixture(scope="package")
def catalog() -> Catalog:
    return read_catalog(DATA, read_files().catalogue.content.checked)


@pytest.fixture(scope="package")
def bench_of(catalog: Catalog) -> Callable[..., Bench]:
    def build(overrides: dict[str, float] | None = None, **chosen: Any) -> Bench:
        scenario = Scenario(overrides=overrides or {}, **chosen)
        return Bench(reference_situation(catalog, scenario), DrawSet(0, 9), discover_options(), WORDS, True)

    return build


@pytest.fixture(scope="package")
def bench(bench_of: Callable[..., Bench]) -> Bench:
    return bench_of()


@pytest.fixture
def find(bench_of: Callable[..., Bench]) -> Find:
    """The finding of one claim under overrides and choices."""

    def run(name: str, overrides: dict[str, float] | None = None, **chosen: Any) -> Finding:
        return finding_of(guide_claims((name,))[0], bench_of(overrides, **chosen))

    return run
