"""The changelog can be made of its fragments, and none of them is lost on the way."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_fragment_is_in_the_draft() -> None:
    drawn = subprocess.run(
        [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "9.9.9"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert drawn.returncode == 0, drawn.stderr
    fragments = sorted((ROOT / "changelog.d").glob("*.md"))
    assert all(each.name.startswith("+") for each in fragments), "name it +WHAT.added.md (or changed, fixed)"
    said = " ".join(drawn.stdout.split())
    lost = [each.name for each in fragments if " ".join(each.read_text(encoding="utf-8").split()) not in said]
    assert not lost
