"""The table of log formats comes from the importers, on the page, in the terminal and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from breakeven.cli.main import group
from breakeven.reports.log_formats import PAGE, log_formats, page
from breakeven.usage.importers import importers

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_is_up_to_date() -> None:
    assert (DOCS / PAGE).read_text(encoding="utf-8") == page(), "run `make docs`"


def test_every_format_says_what_it_holds() -> None:
    assert [each.name for each in log_formats()] == sorted(importers())
    for each in log_formats():
        assert each.concludes
        assert each.grain in ("requests", "buckets", "bills")
        assert each.files


def test_the_verb_lists_them_all_and_one() -> None:
    every = CliRunner().invoke(group, ["formats", "--json"])
    assert [each["name"] for each in json.loads(every.output)] == sorted(importers())
    table = CliRunner().invoke(group, ["formats"]).output
    assert all(name in table for name in importers())
    one = CliRunner().invoke(group, ["formats", "mooncake_trace"]).output
    assert "The date is unknown" in one
    wrong = CliRunner().invoke(group, ["formats", "moonkake_trace"])
    assert wrong.exit_code != 0
    assert "did you mean 'mooncake_trace'" in str(wrong.exception)
