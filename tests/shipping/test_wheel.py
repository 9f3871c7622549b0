"""The wheel in an empty environment: what it declares is all it needs, and a missing extra is named."""

from __future__ import annotations

import json
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

from breakeven import __version__

Environment = Callable[..., Path]


def run(place: Path, folder: Path, *words: str, expect: int = 0) -> str:
    """What a command of that environment prints, in a folder of its own; its errors where it should fail.

    Nothing is compiled: in a new place that would take most of the time.
    """
    done = subprocess.run(
        [str(place / words[0]), *words[1:]],
        cwd=folder,
        env={"PATH": f"{place}:/usr/bin:/bin", "HOME": str(folder), "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == expect, done.stderr[-2000:]
    return done.stderr if expect else done.stdout


def test_what_the_wheel_holds(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names} == {
        "breakeven",
        f"breakeven-{__version__}.dist-info",
        f"breakeven-{__version__}.data",
    }
    assert any(name.endswith("share/man/man1/breakeven.1") for name in names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert "breakeven/py.typed" in names and "breakeven/catalog/data/providers.yaml" in names
    assert [name for name in names if "__pycache__" in name or name.endswith(".pyc")] == []


def test_a_log_is_read_with_what_is_declared(plain: Path, tmp_path: Path) -> None:
    assert run(plain, tmp_path, "breakeven", "--version").strip().endswith(__version__)
    call = {"model": "gpt-4o-mini", "input_tokens": 90, "output_tokens": 9}
    lines = [json.dumps(call | {"start_time": f"2026-09-01T00:{n:02}:00Z"}) for n in range(60)]
    (tmp_path / "calls.jsonl").write_text("\n".join(lines), encoding="utf-8")
    told = json.loads(run(plain, tmp_path, "breakeven", "profile", "--usage", "calls.jsonl", "--json"))
    assert told["requests_count"] == 60
    assert (plain.parent / "share" / "man" / "man1" / "breakeven.1").is_file()


def test_every_module_comes_with_what_is_declared_or_with_an_extra(plain: Path, tmp_path: Path) -> None:
    program = """
import importlib, json, pkgutil
import breakeven
from breakeven.cli.main import extra_with
missing = {}
for each in pkgutil.walk_packages(breakeven.__path__, "breakeven."):
    try:
        importlib.import_module(each.name)
    except ModuleNotFoundError as error:
        missing[each.name] = extra_with(error.name)
print(json.dumps(missing))
"""
    missing = json.loads(run(plain, tmp_path, "python", "-W", "error", "-c", program))
    assert [name for name, extra in missing.items() if extra is None] == []
    assert {name.split(".")[1] for name, extra in missing.items() if extra == "gateway"} <= {"gateway", "web"}


def test_a_missing_extra_is_named(plain: Path, tmp_path: Path) -> None:
    said = run(plain, tmp_path, "breakeven", "serve", "--upstream", "http://127.0.0.1:9/v1", "--check", expect=2)
    assert "pip install" in said and "breakeven[gateway]" in said
    assert "Traceback" not in said
    said = run(plain, tmp_path, "breakeven", "ui", "--demo", "--no-browser", expect=2)
    assert "pip install" in said and "breakeven[ui]" in said
    assert "Traceback" not in said


def test_the_gateway_comes_with_its_extra(environment: Environment, tmp_path: Path) -> None:
    place = environment("gateway")
    said = run(place, tmp_path, "breakeven", "serve", "--upstream", "http://127.0.0.1:9/v1", "--check")
    assert said.startswith("Good.")
