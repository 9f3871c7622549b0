"""The page on pilots, run as it stands: every `sh` block in one folder, every other command at least understood."""

from __future__ import annotations

import csv
import json
import re
import shlex
from pathlib import Path

import click
import pytest
from tests.one_process import run_here
from tests.reports.made_pilots import outcomes

from breakeven.cli.main import group

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "run-a-pilot.md").read_text(encoding="utf-8")
ENDS = {"yes": 0, "no": 1, "not_yet": 3}


def commands(language: str) -> list[list[str]]:
    """The commands of all blocks in that language, continued lines joined, comments left out."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    text = "\n".join(block for found, block in blocks if found == language).replace("\\\n", " ")
    return [shlex.split(line, comments=True) for line in text.splitlines() if line.startswith("breakeven ")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with what the page supposes: two files of outcomes as it shows them, and its checks."""
    baseline, candidate = outcomes(600, 0.95, 0.95, seed=2)
    head = re.findall(r"```csv\n(.*?)\n", PAGE)[0].split(",")
    for name, model, success, usd in (("old", "gpt-4o", baseline, 0.0142), ("new", "qwen-7b", candidate, 0.0011)):
        with (tmp_path / f"{name}.csv").open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(head)
            rows.writerows([f"r{at}", "faq", model, int(each), usd, "gold"] for at, each in enumerate(success))
    (tmp_path / "checks.yaml").write_text(re.findall(r"`checks.yaml`:\n\n```yaml\n(.*?)```", PAGE, re.DOTALL)[0])
    return tmp_path


def test_the_page_runs_as_written(folder: Path) -> None:
    said = {}
    for words in commands("sh"):
        done = run_here(words[1:], cwd=folder)
        said[" ".join(words[2:4])] = done
        judges = words[2] == "verdict" or "--once" in words
        assert done.returncode in (ENDS.values() if judges else (0,)), f"{words}\n{done.stdout}\n{done.stderr}"
    assert said["verdict offline"].returncode == ENDS["yes"], said["verdict offline"].stdout
    assert said["verdict offline"].stdout.startswith("[YES]")
    assert said["verdict faq"].returncode == ENDS["not_yet"], said["verdict faq"].stdout
    document = json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
    assert document["verdict"]["accepted_tasks"] == [""]
    assert document["history"]
    assert "<script" not in (folder / "verdict.html").read_text(encoding="utf-8")
    assert (folder / "faq.pdf").read_bytes().startswith(b"%PDF")
    assert (folder / "policy" / "policy.json").exists()


@pytest.mark.parametrize("words", commands(""), ids=" ".join)
def test_every_other_command_is_understood(words: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its options exist: only what it names may be missing here."""
    monkeypatch.chdir(folder)
    context = click.Context(group, info_name="breakeven")
    for name in words[1:]:
        command = context.command
        if not isinstance(command, click.Group):
            break
        found = command.get_command(context, name)
        assert found is not None, words
        context = click.Context(found, parent=context, info_name=name)
    options = {each for option in context.command.params for each in option.opts}
    assert {each for each in words if each.startswith("--")} <= options
