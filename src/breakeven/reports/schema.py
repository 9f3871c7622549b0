"""Schema: the JSON Schemas of the documents. Generated; drift is a failed test.

python -m breakeven.reports.schema [DOCS_FOLDER]
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from breakeven.reports import document, models_document, pilot_parts

COMMAND: Final = "python -m breakeven.reports.schema"
DOCUMENTS: Final[Mapping[str, tuple[type[BaseModel], str]]] = {
    "comparison": (document.Document, document.SCHEMA_VERSION),
    "pilot": (pilot_parts.PilotDocument, pilot_parts.SCHEMA_VERSION),
    "models": (models_document.ModelsDocument, models_document.SCHEMA_VERSION),
}
"""Kind of document -> its shape and version."""


def json_schema(kind: str = "comparison") -> dict[str, Any]:
    """JSON Schema (2020-12) of a document as it is written; every field carries its docstring."""
    shape, version = DOCUMENTS[kind]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **shape.model_json_schema(mode="serialization"),
        "title": f"breakeven {kind}, schema version {version}",
    }


def file_name(kind: str) -> str:
    """Name of the schema's file below docs/reference."""
    return f"{kind}.schema.json"


def page(kind: str = "comparison") -> str:
    """The schema as text."""
    return json.dumps(json_schema(kind), indent=2) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the schemas below the given documentation folder (default: docs)."""
    chosen = sys.argv[1:] if arguments is None else list(arguments)
    folder = Path(chosen[0] if chosen else "docs") / "reference"
    folder.mkdir(parents=True, exist_ok=True)
    for kind in DOCUMENTS:
        (folder / file_name(kind)).write_text(page(kind), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
