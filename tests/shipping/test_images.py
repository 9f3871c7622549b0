"""The image definitions: what they copy is enough to build breakeven, and nobody runs as root.

Docker itself is not asked: the steps are carried out here by hand, as the files name them.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
IMAGES = [ROOT / "deploy" / "Dockerfile", ROOT / "deploy" / "Dockerfile.cli"]


def steps(image: Path) -> list[list[str]]:
    """Instructions with their words, lines that go on joined, comments left out."""
    text = re.sub(r"\\\n", " ", image.read_text(encoding="utf-8"))
    return [shlex.split(line) for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


@pytest.mark.parametrize("image", IMAGES, ids=lambda path: path.name)
def test_what_is_copied_is_enough_to_build(image: Path, tmp_path: Path) -> None:
    for word, *rest in steps(image):
        if word != "COPY" or rest[0].startswith("--from"):
            continue
        *sources, target = rest
        for source in sources:
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, tmp_path / target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                (tmp_path / target).mkdir(exist_ok=True)
                shutil.copy(ROOT / source, tmp_path / target)
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel"], cwd=tmp_path, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    names = ZipFile(wheel).namelist()
    for needed in ("breakeven/web/templates/base.html.j2", "share/man/man1/breakeven.1"):
        assert any(name.endswith(needed) for name in names), needed
    asked = [
        each for step in steps(image) for each in step if each.startswith("requirements/") and each.endswith("txt")
    ]
    assert asked
    assert all((tmp_path / each).is_file() for each in asked)


@pytest.mark.parametrize("image", IMAGES, ids=lambda path: path.name)
def test_nobody_is_root(image: Path) -> None:
    last = max(at for at, step in enumerate(steps(image)) if step[0] == "FROM")
    words = [step[0] for step in steps(image)[last:]]
    (user,) = [step[1] for step in steps(image)[last:] if step[0] == "USER"]
    assert int(user) > 0
    assert words.index("USER") < words.index("ENTRYPOINT")


def test_the_command_line_is_what_runs() -> None:
    text = IMAGES[1].read_text(encoding="utf-8")
    assert 'ENTRYPOINT ["breakeven"]' in text
    assert "NUMBA_CACHE_DIR=/tmp" in text, "the code of the image may not be written to"
