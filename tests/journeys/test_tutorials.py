"""The three tutorials, played from a clean folder: every command in order, and the page shows what it prints."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
HOSTS = ("127.0.0.1", "localhost")


@pytest.fixture(scope="module")
def tutorials() -> ModuleType:
    """docs/run_tutorials.py, which writes what is printed into the pages."""
    path = ROOT / "docs" / "run_tutorials.py"
    spec = importlib.util.spec_from_file_location("run_tutorials", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["run_tutorials"] = module  # dataclasses look it up
    spec.loader.exec_module(module)
    return module


def test_there_are_three() -> None:
    assert [each.stem for each in PAGES] == ["enterprise", "prototyper", "scale-up"]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_the_page_shows_what_its_commands_print(page: Path, tutorials: ModuleType, tmp_path: Path) -> None:
    text = page.read_text(encoding="utf-8")
    count = 0
    for block, printed in tutorials.played(text, tmp_path):
        assert printed == block[2], "not as shown: run `make docs`, and read what changed"
        count += 1
    assert count >= 5


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_a_reader_is_told_that_the_data_are_made_up_and_where_it_is_wrong(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert "made up" in text.partition("## ")[0]
    assert "\n## Where this is wrong\n" in text
    assert len(text.split("\n")) < 420


def test_a_page_that_shows_something_else_is_found(tutorials: ModuleType, tmp_path: Path) -> None:
    page = "`greeting.txt`:\n\n```text\nhello\nworld\n```\n\n```console\n$ cat greeting.txt | head -1\nbye\n```\n"
    ((block, printed),) = tutorials.played(page, tmp_path)
    assert block[2] == "$ cat greeting.txt | head -1\nbye\n"
    assert printed == "$ cat greeting.txt | head -1\nhello\n"
    assert "\nhello\n" in tutorials.rewritten(page, tmp_path)


def test_exit_codes_files_and_lines_that_go_on(tutorials: ModuleType, tmp_path: Path) -> None:
    page = (
        "<!-- today: 2026-11-24 -->\n\n```console\n$ breakeven formats --json > formats.json\n$ echo $?\n"
        "$ breakeven explain none.json \\\n    x\n$ echo $?\n```\n"
    )
    ((_, printed),) = tutorials.played(page, tmp_path)
    assert printed.startswith(
        "$ breakeven formats --json > formats.json\n$ echo $?\n0\n$ breakeven explain none.json \\\n"
    )
    assert "cannot read none.json" in printed
    assert printed.endswith("$ echo $?\n2\n")
    assert (tmp_path / "formats.json").read_text(encoding="utf-8").startswith("[")


def test_a_program_that_fails_stops_the_page(tutorials: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no_such_module"):
        list(tutorials.played("```console\n$ python -m no_such_module\n```\n", tmp_path))
    with pytest.raises(RuntimeError, match="no_such_module"):
        list(tutorials.played("```console\n$ python -m no_such_module &\n```\n", tmp_path))


def test_steady_takes_out_only_what_runs_have_not_in_common(tutorials: ModuleType, tmp_path: Path) -> None:
    said = f"Wrote {tmp_path}/x.json, hash 00ff00ff00ff, on 127.0.0.1:54321, for $12,345 at 2026-11-26 20:48:29  "
    found = tutorials.steady(said, tmp_path, {"4000": "54321"})
    assert found == "Wrote x.json, hash 0123456789ab, on 127.0.0.1:4000, for $12,345 at 2026-11-24 09:00:00"


def test_nothing_leaves_the_machine() -> None:
    for page in PAGES:
        for block in re.findall(r"^```console\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
            for command in re.findall(r"^\$ (.*)$", block, re.MULTILINE):
                assert all(host in HOSTS for host in re.findall(r"https?://([\w.-]+)", command)), command
