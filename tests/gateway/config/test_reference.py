"""The reference page of gateway.yaml: as printed, every key explained, its example can be read."""

from __future__ import annotations

import json
from pathlib import Path

from breakeven.gateway.config import schema
from breakeven.gateway.config.reading import settings_of
from breakeven.gateway.config.reference import EXAMPLE, PAGE, page
from breakeven.routing.policy_document import PolicyDocument, PricedModel
from breakeven.routing.policy_file import save


def test_the_page_is_printed_from_the_schema() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make docs`"


def test_every_key_says_what_it_means() -> None:
    parts = [each for each in vars(schema).values() if isinstance(each, type) and issubclass(each, schema.Part)]
    silent = [f"{part.__name__}.{name}" for part in parts for name, f in part.model_fields.items() if not f.description]
    assert silent == []
    assert len(parts) == 16


def test_the_example_can_be_read(tmp_path: Path) -> None:
    document = {
        "options": [{"name": "rented_on_demand", "usd_per_month": {"p50": 900.0}}],
        "workload": {"tokens_per_month": 3e8},
        "footer": {"as_of": "2026-11-26"},
    }
    (tmp_path / "report.json").write_text(json.dumps(document))
    save(PolicyDocument("single", (PricedModel("small"), PricedModel("strong")), "strong"), tmp_path / "policy")
    secrets = {"BREAKEVEN_ADMIN_TOKEN": "t", "OPENAI_API_KEY": "k", "SEARCH_TEAM_KEY": "s"}
    found = settings_of(EXAMPLE, "gateway.yaml", tmp_path, secrets)
    assert found.models["small"][0].price and found.models["small"][0].price.source == "amortised"
    assert found.residency[0].upstreams == ("own",)
