"""The published JSON Schema is what the document is today."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from breakeven.reports.document import Document, read_document, to_json
from breakeven.reports.schema import COMMAND, DOCUMENTS, file_name, json_schema, main, page
from reports.sample_document import hostile_document, sample_document

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_no_drift(kind: str) -> None:
    assert (REFERENCE / file_name(kind)).read_text(encoding="utf-8") == page(kind), f"run `{COMMAND}`"


def test_the_command_writes_every_page(tmp_path: Path) -> None:
    assert main([str(tmp_path)]) == 0
    written = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "reference").iterdir()}
    assert written == {file_name(kind): page(kind) for kind in DOCUMENTS}


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_every_part_is_closed_and_described(kind: str) -> None:
    for name, part in json_schema(kind)["$defs"].items():
        assert part["additionalProperties"] is False, name
        assert part["description"], name


@pytest.mark.parametrize("document", [sample_document(), hostile_document()])
def test_a_document_survives_writing_and_reading(document: Document, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(to_json(document), encoding="utf-8")
    assert read_document(path) == document


def test_a_document_fits_the_schema() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.validate(json.loads(to_json(sample_document())), json_schema())
