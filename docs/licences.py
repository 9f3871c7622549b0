"""Licences: print docs/reference/licences.md from a bill of materials. Run by `make sbom`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent / "reference" / "licences.md"
HEAD = """# Licences of what breakeven installs

Printed by `make sbom` from the bill of materials (CycloneDX) of `pip install 'breakeven[gateway,redis,otel,pdf,ui]'` at
the versions locked for Python 3.11 on Linux. What other extras bring is locked in `requirements/dev.txt`. breakeven
itself is Apache-2.0.

| package | version | licence, as its authors state it |
|---|---|---|
"""


def licence_of(component: dict[str, Any]) -> str:
    """The licence that a component states, its expression first."""
    found = []
    for each in component.get("licenses", ()):
        licence = each.get("license", {})
        found.append(each.get("expression") or licence.get("id") or licence.get("name") or "")
    stated = [each for each in found if each and "\n" not in each and not each.startswith("License ::")]
    named = [each.rpartition(":: ")[2] for each in found if each.startswith("License ::")]
    return "; ".join(dict.fromkeys(stated or named)) or "not stated"


def page(bill: dict[str, Any]) -> str:
    """The page as Markdown."""
    listed = [each for each in bill["components"] if each["name"] not in ("pip", "setuptools")]  # of the environment
    rows = sorted((each["name"].lower(), each["version"], licence_of(each)) for each in listed)
    return HEAD + "".join(f"| {name} | {version} | {licence} |\n" for name, version, licence in rows)


if __name__ == "__main__":
    PAGE.write_text(page(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))), encoding="utf-8")
