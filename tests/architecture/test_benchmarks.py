"""Benchmarks: what they take from the package is there; nothing else runs them often enough to notice."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def defined(module: Path) -> set[str]:
    """Names that a module defines or imports, anywhere in it."""
    found: set[str] = set()
    for each in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(each.name)
        elif isinstance(each, ast.Import | ast.ImportFrom):
            found |= {alias.asname or alias.name for alias in each.names}
        elif isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
            found.add(each.id)
    return found


def missing(benchmark: Path) -> Iterator[str]:
    """Names that a benchmark takes from where they are not."""
    for each in ast.walk(ast.parse(benchmark.read_text(encoding="utf-8"))):
        if not isinstance(each, ast.ImportFrom) or not (each.module or "").startswith("breakeven"):
            continue
        place = ROOT.joinpath("src", *str(each.module).split("."))
        module = place.with_suffix(".py") if place.with_suffix(".py").exists() else place / "__init__.py"
        names = defined(module) | {inside.stem for inside in place.glob("*")}
        yield from (f"{each.module}.{alias.name}" for alias in each.names if alias.name not in names)


@pytest.mark.parametrize("benchmark", sorted((ROOT / "benchmarks").glob("*.py")), ids=lambda path: path.stem)
def test_a_benchmark_imports_what_is_there(benchmark: Path) -> None:
    assert not list(missing(benchmark))


def test_a_name_that_moved_is_noticed(tmp_path: Path) -> None:
    stale = tmp_path / "stale.py"
    stale.write_text("from breakeven.audit.run import HARD_CALL_COST, audited\n", encoding="utf-8")
    assert list(missing(stale)) == ["breakeven.audit.run.HARD_CALL_COST"]
