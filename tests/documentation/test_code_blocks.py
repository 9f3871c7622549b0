"""Every block of code in README and docs: sessions run and give what is shown, files parse, languages are known.

Commands are looked at in tests/cli/test_reference.py, the code of single how-to pages beside what they are about.
"""

from __future__ import annotations

import ast
import doctest
import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from breakeven.decision.scenario import Scenario, load_scenario
from breakeven.strict_yaml import read

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
LANGUAGES = {"", "text", "console", "sh", "bash", "python", "pycon", "yaml", "json", "csv", "toml", "nginx", "sql"}


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: where it stands, its language, its text without the indent of a list around it."""

    page: Path
    line_count: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line_count}"


def blocks_of(page: Path) -> list[Block]:
    found, lines = [], page.read_text(encoding="utf-8").splitlines()
    at = 0
    while at < len(lines):
        opening = re.match(r"( *)(`{3,})([a-z]*)", lines[at])
        if opening is None:
            at += 1
            continue
        indent, fence, language = opening.groups()
        end = next((i for i in range(at + 1, len(lines)) if lines[i].strip() == fence), None)
        assert end is not None, f"{page}:{at + 1}: a block that nobody closes"
        text = "\n".join(each.removeprefix(indent) for each in lines[at + 1 : end])
        found.append(Block(page, at + 1, language, text + "\n"))
        at = end + 1
    return found


BLOCKS = [block for page in PAGES for block in blocks_of(page)]
SESSIONS = [page for page in PAGES if any(block.text.startswith(">>> ") for block in blocks_of(page))]


def test_there_are_blocks_of_each_kind() -> None:
    assert {"python", "yaml", "json", "text"} <= {each.language for each in BLOCKS}
    assert len(SESSIONS) > 3


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_its_language_is_known(block: Block) -> None:
    assert block.language in LANGUAGES


@pytest.mark.parametrize("page", SESSIONS, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_session_gives_what_the_page_shows(page: Path) -> None:
    result = doctest.testfile(str(page), module_relative=False)
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize("block", [each for each in BLOCKS if each.language in ("python", "pycon")], ids=str)
def test_python_parses(block: Block) -> None:
    if not block.text.lstrip().startswith(">>>"):
        ast.parse(block.text)


@pytest.mark.parametrize("block", [each for each in BLOCKS if each.language == "json"], ids=str)
def test_json_parses(block: Block) -> None:
    text = block.text.strip()
    json.loads(text if text.startswith(("{", "[")) else f"{{{text}}}")


@pytest.mark.parametrize("block", [each for each in BLOCKS if each.language == "yaml"], ids=str)
def test_yaml_parses_and_a_scenario_is_one(block: Block, tmp_path: Path) -> None:
    found = read(block.text, str(block))
    if isinstance(found, dict) and found and set(found) <= set(Scenario.model_fields):
        file = tmp_path / "scenario.yaml"
        beside = {"measured", "outcomes", "audit"} & set(found)  # files of the reader's own
        text = "\n".join(line for line in block.text.splitlines() if line.partition(":")[0] not in beside)
        file.write_text(text, encoding="utf-8")
        load_scenario(file, {})
