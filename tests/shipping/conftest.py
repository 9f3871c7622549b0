"""A wheel, built once, and environments that hold it with what it declares and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
Environment = Callable[..., Path]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Makes an environment with the wheel, its declared dependencies and those of some extras; gives its `bin`.

    The dependencies are links to those that are installed here, so nothing is fetched; what is not declared is not
    there, and an import of it fails as it would on a customer's machine.
    """

    def make(*extras: str) -> Path:
        folder = tmp_path_factory.mktemp("environment-" + "-".join(extras or ("plain",)))
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
        python = folder / "bin" / "python"
        subprocess.run(
            [*(sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python), "install"),
             *("--quiet", "--no-deps", "--no-index", str(wheel))],
            check=True,
        )  # fmt: skip
        (site,) = (folder / "lib").glob("python*/site-packages")
        for each in needed(distribution("breakeven"), extras).values():
            link_into(each, site)
        return folder / "bin"

    return make


def needed(top: Distribution, extras: tuple[str, ...]) -> dict[str, Distribution]:
    """All distributions that one asks for, with their extras, by normal name."""
    found: dict[str, Distribution] = {}
    asked: list[tuple[Distribution, frozenset[str]]] = [(top, frozenset(extras))]
    seen: set[tuple[str, frozenset[str]]] = set()
    while asked:
        parent, wanted = asked.pop()
        if (normal(parent.name), wanted) in seen:
            continue
        seen.add((normal(parent.name), wanted))
        for text in parent.requires or ():
            requirement = Requirement(text)
            worlds = [{"extra": each} for each in (*wanted, "")]
            if requirement.marker is not None and not any(requirement.marker.evaluate(each) for each in worlds):
                continue
            try:
                child = distribution(requirement.name)
            except PackageNotFoundError:
                raise AssertionError(f"{parent.name} needs {requirement.name}, which is not installed here") from None
            found[normal(child.name)] = child
            asked.append((child, frozenset(requirement.extras)))
    return found


def normal(name: str) -> str:
    """A distribution's name in the form that all spellings share."""
    return re.sub(r"[-_.]+", "-", name).lower()


def link_into(package: Distribution, site: Path) -> None:
    """Links to a distribution's files; folders that several of them share are made and filled file by file."""
    base = Path(str(package.locate_file("")))
    tops = {Path(each).parts[0] for each in package.files or () if ".." not in Path(each).parts}
    for top in sorted(tops):
        if top != "__pycache__":
            merge(base / top, site / top)


def merge(source: Path, target: Path) -> None:
    if not target.exists():
        if source.is_dir() and not (source / "__init__.py").exists() and not source.name.endswith("-info"):
            target.mkdir()  # a namespace that another distribution may share
        else:
            target.symlink_to(source)
            return
    if target.is_dir() and not target.is_symlink():
        for each in source.iterdir():
            if each.name != "__pycache__":
                merge(each, target / each.name)


@pytest.fixture(scope="session")
def plain(environment: Environment) -> Path:
    """`bin` of an environment without extras."""
    return environment()
