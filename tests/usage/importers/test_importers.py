"""What every importer promises."""

from __future__ import annotations

from pathlib import Path

import pytest

from breakeven.errors import UsageError
from breakeven.usage.importers import importer_named, importers
from breakeven.usage.importers.importer import FIELD_NAMES, Importer

from ..logs import CSV_HEADER, imported, jsonl, row

EVERY = pytest.mark.parametrize("importer", importers().values(), ids=importers().keys())
GOLDEN = {
    "azure_llm_trace": "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9799600,4808,10\n",
    "breakeven": CSV_HEADER + "2026-11-02T10:00:00Z,gpt-5,100,10\n",
    "mooncake_trace": '{"timestamp": 27482, "input_length": 6955, "output_length": 52, "hash_ids": [46, 47]}\n',
}


@EVERY
def test_it_says_what_it_is(importer: Importer) -> None:
    assert importer.name
    assert importer.title
    assert importer.concludes
    assert importer.shapes
    assert importer.tokens_rule in ("inclusive", "exclusive", "by_field")
    assert set(importer.fields) <= set(FIELD_NAMES)
    assert all(field in importer.fields for group in importer.wanted for field in group)


@EVERY
def test_it_recognises_its_own_and_no_other_does(importer: Importer, tmp_path: Path) -> None:
    found = imported(tmp_path, GOLDEN[importer.name], "log")
    assert found.report.formats == (importer.name,)
    assert found.report.calls == 1
    assert found.only["source"] == importer.name


@EVERY
def test_a_wrong_format_says_what_was_seen_and_what_was_wanted(importer: Importer, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        imported(tmp_path, "Datum,Preis\n1,2\n", "log", format=importer.name)
    assert "'Datum', 'Preis'" in str(error.value)
    assert importer.fields["output_tokens"][0] in str(error.value) or "jsonl rows" in str(error.value)


def test_no_format_at_all_lists_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        imported(tmp_path, "Datum,Preis\n1,2\n", "log")
    assert all(name in str(error.value) for name in importers())
    assert "--map" in str(error.value)


def test_an_unknown_format_gets_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'mooncake_trace'"):
        importer_named("moonkake_trace")


def test_an_importer_cannot_invent_fields() -> None:
    with pytest.raises(TypeError, match="no fields of a Call"):
        Importer("x", "x", frozenset({"csv"}), {"prompt_tokns": ("a",)}, (), "inclusive", lambda _: 0.0)


def test_mixed_formats_in_a_folder(tmp_path: Path) -> None:
    for name, text in GOLDEN.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "notes.txt").write_text("nothing to see")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "more.jsonl").write_text(jsonl(row(1), row(2)))
    from ..logs import imported_paths

    report = imported_paths(tmp_path).report
    assert report.calls == 5
    assert {each.name: each.status for each in report.files if each.status != "imported"} == {
        "empty.csv": "empty",
        "notes.txt": "not a log",
    }
