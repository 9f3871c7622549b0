"""Decide JSON: the one-page decision for a machine."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, Final

from breakeven.reports.decide_page import decide_page
from breakeven.reports.document import Document

SCHEMA_VERSION: Final = "1.0"


def decide_json(document: Document) -> str:
    """The page as JSON text, ending in a newline."""
    page = decide_page(document)
    content: dict[str, Any] = {"schema_version": SCHEMA_VERSION, "kind": "decision", **asdict(page)}
    content["figures"] = [each.model_dump(mode="json") for each in page.figures]
    content["footer"] = document.footer.model_dump(mode="json")
    return json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False) + "\n"
