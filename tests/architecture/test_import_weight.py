"""`breakeven --help` stays instant: what it may load is listed by what is actually imported."""

from __future__ import annotations

import json
import subprocess
import sys

HEAVY = {
    "numpy",
    "scipy",
    "pandas",
    "pyarrow",
    "duckdb",
    "ibis",
    "pydantic",
    "yaml",
    "genai_prices",
    "altair",
    "vl_convert",
    "jinja2",
    "rich",
    "httpx2",
    "numba",
    "aiohttp",
}


def loaded_by(code: str) -> set[str]:
    """Top-level packages in `sys.modules` after running `code` in a fresh interpreter."""
    probe = f"import sys, json\n{code}\nprint(json.dumps(sorted({{m.split('.')[0] for m in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_help_loads_nothing_heavy() -> None:
    run = "m.group.main(['--help'], standalone_mode=False)"
    code = f"import breakeven.cli.main as m\ntry:\n  {run}\nexcept SystemExit: pass"
    loaded = loaded_by(code)
    assert "click" in loaded
    assert not loaded & HEAVY


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert not loaded_by("import breakeven") & HEAVY


def test_a_call_is_plain_data() -> None:
    """The gateway writes Calls: the record must not drag an engine in."""
    assert not loaded_by("import breakeven.usage.call") & HEAVY


def test_explain_needs_no_engine() -> None:
    engines = {"duckdb", "ibis", "pandas", "pyarrow", "scipy", "genai_prices", "altair", "vl_convert"}
    assert not loaded_by("import breakeven.reports.explain, breakeven.cli.explain") & engines
