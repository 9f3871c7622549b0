"""Models schema: the JSON Schema of the models document. Generated; drift is a failed test.

python -m breakeven.reports.models_schema [DOCS_FOLDER]
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from breakeven.reports.models_document import SCHEMA_VERSION, ModelsDocument

COMMAND: Final = "python -m breakeven.reports.models_schema"
FILE_NAME: Final = "models.schema.json"


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the document as it is written; every field carries its docstring."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **ModelsDocument.model_json_schema(mode="serialization"),
        "title": f"breakeven models, schema version {SCHEMA_VERSION}",
    }


def page() -> str:
    """The schema as text."""
    return json.dumps(json_schema(), indent=2) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the schema below the given documentation folder (default: docs)."""
    chosen = sys.argv[1:] if arguments is None else list(arguments)
    folder = Path(chosen[0] if chosen else "docs") / "reference"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE_NAME).write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
