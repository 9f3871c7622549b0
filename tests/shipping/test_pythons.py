"""The other Pythons: the whole chain runs there, and gives the same figures as here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from breakeven.usage.synthetic import write_synthetic_log

ROOT = Path(__file__).parents[2]
VERSIONS = ("3.12", "3.13")


def comparison(python: Path | str, log: Path) -> dict[str, Any]:
    """What `compare` says of a log, as that Python computes it."""
    asked = ("compare", "--usage", log, "--scenario", log.with_name("scenario.yaml"), "--json")
    done = subprocess.run(
        [python, "-W", "error::SyntaxWarning", "-m", "breakeven.cli.main", *asked],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        cwd=log.parent,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def figures(document: Any, path: str = "") -> dict[str, float]:
    """Every number of a document by its path."""
    if isinstance(document, dict):
        return {key: v for name, each in document.items() for key, v in figures(each, f"{path}.{name}").items()}
    if isinstance(document, list):
        return {key: v for at, each in enumerate(document) for key, v in figures(each, f"{path}.{at}").items()}
    return {path: float(document)} if isinstance(document, int | float) and not isinstance(document, bool) else {}


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made-up log."""
    path = tmp_path_factory.mktemp("pythons") / "calls.jsonl"
    write_synthetic_log(path, seed=0, calls_count=10_000)
    path.with_name("scenario.yaml").write_text("draws_log2: 9\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def here(log: Path) -> dict[str, float]:
    """The figures of this Python."""
    return figures(comparison(sys.executable, log))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_comparison_gives_the_same_figures(version: str, here: dict[str, float], log: Path) -> None:
    python = ROOT / f".venv-{version}" / "bin" / "python"
    if not (ROOT / f".venv-{version}" / ".ready").exists():
        pytest.skip(f"no Python {version} with breakeven's dependencies here: run `make .venv/.pythons`")
    there = figures(comparison(python, log))
    assert there.keys() == here.keys()
    # other builds of numpy sum in another order: the ninth digit of a fitted value differs, no cent does; a value of
    # information is a small difference of large sums, so its digits end at a ten-thousandth of a cent
    allowed = {name: pytest.approx(value, rel=1e-7, abs=1e-6) for name, value in here.items()}
    far = {name: (here[name], there[name]) for name in here if there[name] != allowed[name]}
    assert not far


@pytest.mark.parametrize("version", VERSIONS)
def test_every_module_can_be_compiled(version: str) -> None:
    python = ROOT / f".venv-{version}" / "bin" / "python"
    if not python.exists():
        pytest.skip(f"no Python {version} here: run `make .venv/.pythons`")
    code = (
        "import sys, pathlib, warnings; warnings.simplefilter('error')\n"
        "for each in pathlib.Path(sys.argv[1]).rglob('*.py'): compile(each.read_text(encoding='utf-8'), each, 'exec')"
    )
    done = subprocess.run([python, "-c", code, ROOT / "src"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
