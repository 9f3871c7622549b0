"""Numbers carry their unit in the name, and every folder that is a registry has its docs."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

import breakeven
from breakeven.units import unit_of

SRC = Path(inspect.getfile(breakeven)).parent
ROOT = SRC.parents[1]
FORBIDDEN_MODULES = {"utils", "helpers", "common", "manager", "base", "misc"}
PURE_NUMBERS = {
    # indices, exponents, seeds, probabilities of a density and the like: no unit to carry
    "seed",
    "draws_log2",
    "dimension",
    "low",
    "typical",
    "high",
    "step",
    "value",
    "p10",
    "p50",
    "p90",
    "mean",
    "n",
    "u",
    "draws",
    "confidence",
    "weight",
    "propensity",
    "outcome",
}


def float_names(tree: ast.Module) -> list[tuple[int, str]]:
    """Public float or Draws parameters and fields, with their lines."""
    found: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            arguments = [*node.args.args, *node.args.kwonlyargs]
            found += [(each.lineno, each.arg) for each in arguments if _is_float(each.annotation)]
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for each in node.body:
                if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name) and _is_float(each.annotation):
                    found.append((each.lineno, each.target.id))
    return found


def _is_float(annotation: ast.expr | None) -> bool:
    if annotation is None:
        return False
    text = ast.unparse(annotation)
    return text in {"float", "float | None", "Draws", "Draws | None", "Draws | float"}


MODULES = sorted(SRC.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SRC)))
def test_public_float_names_carry_their_unit(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    bare = [
        f"{path.name}:{line} {name}"
        for line, name in float_names(tree)
        if not name.startswith("_") and name not in PURE_NUMBERS and unit_of(name.rstrip("_")) is None
    ]
    assert not bare, "end these names in a unit of units.UNIT_BY_SUFFIX"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SRC)))
def test_modules_are_named_and_described(path: Path) -> None:
    assert path.stem not in FORBIDDEN_MODULES
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert docstring, f"{path.name} has no docstring"
    if path.stem not in {"__init__", "__main__"}:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 450, "a second concept is asking for its name"


def test_options_do_not_know_each_other() -> None:
    """Every file in options/ that offers OPTIONS, except hybrid, imports no other such file."""
    folder = SRC / "options"
    offers = {path.stem for path in folder.glob("*.py") if "\nOPTIONS = " in path.read_text(encoding="utf-8")}
    assert {"frontier_api", "brokered", "rented_gpus", "hybrid"} <= offers
    for name in offers - {"hybrid"}:
        tree = ast.parse((folder / f"{name}.py").read_text(encoding="utf-8"))
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
        assert not imported & {f"breakeven.options.{other}" for other in offers - {name}}


@pytest.mark.parametrize("folder", ["costs/drains", "usage/importers", "routing/policies"])
def test_siblings_of_a_registry_do_not_know_each_other(folder: str) -> None:
    package = "breakeven." + folder.replace("/", ".")
    shared = {"importer"}
    names = {path.stem for path in (SRC / folder).glob("*.py")} - {"__init__"} - shared
    for name in names:
        tree = ast.parse((SRC / folder / f"{name}.py").read_text(encoding="utf-8"))
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
        assert not imported & {f"{package}.{other}" for other in names - {name}}


def test_folder_is_registry_is_docs() -> None:
    """Each option, drain and importer has a page; no page is left over."""
    from breakeven.costs.drains import drain_names
    from breakeven.options.discover import discover_options
    from breakeven.usage.importers import importers

    registries = {
        "options": set(discover_options()),
        "drains": set(drain_names()),
        "importers": {name.removesuffix("_rows") for name in importers()},
    }
    for shelf, names in registries.items():
        pages = {path.stem for path in (ROOT / "docs" / "reference" / shelf).glob("*.md")}
        assert pages == names, f"docs/reference/{shelf} and the code disagree"


def test_the_architecture_page_shows_the_tree_on_disk() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = sorted(path.name for path in SRC.iterdir() if path.is_dir() and (path / "__init__.py").exists())
    missing = [room for room in rooms if f"  {room}/" not in page]
    assert not missing, "add these rooms to docs/architecture.md"
