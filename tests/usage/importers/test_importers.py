"""What every importer promises."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from breakeven.errors import UsageError
from breakeven.usage.importers import importer_named, importers
from breakeven.usage.importers.importer import FIELD_NAMES, Importer
from breakeven.usage.store import CallStore

from ..logs import NOW, imported, imported_paths, jsonl, row

EVERY = pytest.mark.parametrize("importer", importers().values(), ids=importers().keys())
FIXTURES = Path(__file__).parent / "fixtures"
"""A folder for each importer: a small log written from its public documentation, and SOURCE.md, which names that."""
DOCS = Path(__file__).parents[3] / "docs" / "reference" / "importers"


def fixture(importer: Importer) -> list[Path]:
    """The files of an importer's fixture."""
    return sorted(each for each in (FIXTURES / importer.name).iterdir() if each.name != "SOURCE.md")


def test_the_fixtures_are_of_importers() -> None:
    assert {each.name for each in FIXTURES.iterdir()} == set(importers())


@EVERY
def test_it_says_what_it_is(importer: Importer) -> None:
    assert importer.name
    assert importer.title
    assert importer.concludes
    assert importer.shapes
    assert importer.tokens_rule in ("inclusive", "exclusive", "by_field")
    assert set(importer.fields) <= set(FIELD_NAMES)
    assert all(field in importer.fields for group in importer.wanted for field in group)
    assert (importer.companion_note != "") == (importer.is_companion is not None)


@EVERY
def test_its_page_says_what_it_holds_and_what_nobody_can_conclude(importer: Importer) -> None:
    page = (DOCS / f"{importer.name}.md").read_text()
    for wanted in (
        "**Recognised by**",
        "**Token rule",
        "**Time rule",
        "**Duplicates**",
        "**What breakeven cannot conclude",
    ):
        assert wanted in page, wanted
    source = (FIXTURES / importer.name / "SOURCE.md").read_text()
    assert "http" in source or "this repository" in source


@EVERY
def test_it_recognises_its_own_and_no_other_does(importer: Importer, tmp_path: Path) -> None:
    found = imported_paths(*fixture(importer))
    assert found.report.formats == (importer.name,)
    assert found.calls or found.bills
    assert {each["source"] for each in (*found.calls, *found.bills)} == {importer.name}
    for one in found.report.files:
        assert one.rows_in == one.calls + one.duplicates + one.rejects_count


@EVERY
def test_importing_it_twice_changes_nothing(importer: Importer, tmp_path: Path) -> None:
    with CallStore(tmp_path / "store") as store:
        first = store.ingest(fixture(importer), now=NOW)
        before = store.digest()
        copies = [tmp_path / f"again-{each.name}" for each in fixture(importer)]
        for copy, original in zip(copies, fixture(importer), strict=True):
            copy.write_bytes(original.read_bytes())
        second = store.ingest(copies, now=NOW)
        assert (second.rows_in, second.calls) == (first.rows_in, 0)
        assert store.digest() == before


@EVERY
def test_a_cut_file_loses_nothing_but_what_was_cut(importer: Importer, tmp_path: Path) -> None:
    """Every format, cut anywhere: no crash, every row accounted for."""
    for original in fixture(importer):
        data = original.read_bytes()
        for cut in sorted({len(data) // 3, len(data) // 2, len(data) - 7}):
            folder = tmp_path / f"{original.name}-{cut}"
            folder.mkdir()
            for other in fixture(importer):
                (folder / other.name).write_bytes(other.read_bytes() if other != original else data[:cut])
            with contextlib.suppress(UsageError):
                report = imported_paths(folder).report
                assert report.rows_in == report.calls + report.duplicates + report.rejects_count


@EVERY
def test_a_wrong_format_says_what_was_seen_and_what_was_wanted(importer: Importer, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        imported(tmp_path, "Datum,Preis\n1,2\n", "log", format=importer.name)
    assert "'Datum', 'Preis'" in str(error.value)
    assert "wanted" in str(error.value)


def test_no_format_at_all_lists_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        imported(tmp_path, "Datum,Preis\n1,2\n", "log")
    assert f"one of the {len(importers())} formats" in str(error.value)
    assert "'Datum', 'Preis'" in str(error.value)
    assert "--map" in str(error.value)


def test_an_unknown_format_gets_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'mooncake_trace'"):
        importer_named("moonkake_trace")


def test_an_importer_cannot_invent_fields() -> None:
    with pytest.raises(TypeError, match="no fields of a Call"):
        Importer("x", "x", frozenset({"csv"}), {"prompt_tokns": ("a",)}, (), "inclusive", lambda _: 0.0)


def test_mixed_formats_in_a_folder(tmp_path: Path) -> None:
    for importer in ("azure_llm_trace", "breakeven", "mooncake_trace"):
        for each in fixture(importer_named(importer)):
            (tmp_path / f"{importer}-{each.name}").write_bytes(each.read_bytes())
    (tmp_path / "notes.txt").write_text("nothing to see")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "more.jsonl").write_text(jsonl(row(1), row(2)))
    report = imported_paths(tmp_path).report
    assert report.calls == 5
    assert {each.name: each.status for each in report.files if each.status != "imported"} == {
        "empty.csv": "empty",
        "notes.txt": "not a log",
    }
