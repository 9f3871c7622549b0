"""`breakeven check` as a user runs it, its JSON, and the pages printed from it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from breakeven.claims.bundled import bundled_claim, bundled_names
from breakeven.reports import claim_pages
from breakeven.reports.claim_wording import verdict_sentence
from claims.claiming import checked
from one_process import run_here

ROOT = Path(__file__).parents[2]
OFF = """title: too good
source: {title: a slide, link: a drawer}
given: {gpus_count: 4, gpu_rent_usd_per_gpu_hour: 2, hours_per_month: 730}
published: {gpu_rent_usd_per_month: 1460}
"""


def breakeven(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return run_here(("check", *arguments), cwd=cwd)


def test_verdict_first_and_exit_codes(tmp_path: Path) -> None:
    good = breakeven("cynscode-g5", "--as-of", "2026-11-23", cwd=tmp_path)
    assert good.returncode == 0
    assert good.stdout.startswith("Right arithmetic, ")
    assert "the claim counts $200" in good.stdout
    (tmp_path / "off.yaml").write_text(OFF)
    off = breakeven("off.yaml", "--explain", cwd=tmp_path)
    assert off.returncode == 1
    assert off.stdout.startswith("Off by 4x: gpu_rent_usd_per_month is $5,840/month, not $1,460/month.")
    assert "given by the claim" in off.stdout
    (tmp_path / "bad.yaml").write_text(OFF.replace("gpus_count: 4", "gpus_count: 0"))
    bad = breakeven("bad.yaml", cwd=tmp_path)
    assert bad.returncode == 2
    assert "bad.yaml:3" in bad.stderr
    assert "Traceback" not in bad.stderr
    assert breakeven(cwd=tmp_path).returncode == 2


def test_never_on_every_surface(tmp_path: Path) -> None:
    text = breakeven("xqa-labour", cwd=tmp_path).stdout
    assert "never" in text
    assert "inf" not in text.replace("infrastructure", "")
    done = breakeven("xqa-labour", "--json", cwd=tmp_path)
    document = json.loads(done.stdout, parse_constant=lambda word: pytest.fail(f"{word} in JSON"))
    row = next(each for each in document["figures"] if each["name"] == "with one engineer.payback_months")
    assert (row["recomputed"], row["never"]) == (None, True)


def test_lists(tmp_path: Path) -> None:
    assert json.loads(breakeven("--list", "--json", cwd=tmp_path).stdout).keys() == set(bundled_names())
    quantities = breakeven("--quantities", "payback", cwd=tmp_path).stdout
    assert "payback_months" in quantities and "capex_usd" in quantities
    shown = breakeven("xqa-labour", "--show", cwd=tmp_path).stdout
    (tmp_path / "mine.yaml").write_text(shown)
    assert breakeven("mine.yaml", cwd=tmp_path).returncode == 0


def test_all_in_one_table(tmp_path: Path) -> None:
    done = breakeven("--all", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("22 of 22 claims follow")


def test_verdicts_in_words() -> None:
    given = "given: {capex_usd: 100, api_usd_per_month: 10, running_usd_per_month: 10, gpus_count: 1}\n"
    assert verdict_sentence(checked(given + "published: {payback_months: 5}\n")).startswith(
        "Never: payback_months is never"
    )
    near = "given: {a_usd: 100}\ndefine: {b_usd: a_usd * 1.03}\npublished: {b_usd: 100}\n"
    assert verdict_sentence(checked(near)).startswith("Off by 3.0 %")
    defined = "{c_usd: a_usd * 2, d_usd_per_month: b_usd_per_hour * hours_per_month}"
    partly = f"given: {{a_usd: 1, b_usd_per_hour: 1}}\ndefine: {defined}\n"
    sentence = verdict_sentence(checked(partly + "published: {c_usd: 2, d_usd_per_month: 730}\n"))
    assert sentence.startswith("Not reproduced: d_usd_per_month: to recompute d_usd_per_month I need hours_per_month")


def test_hostile_text_reaches_the_terminal_as_text(tmp_path: Path) -> None:
    evil = OFF.replace("too good", '"\\e[31m[red]x[/red]"')
    (tmp_path / "evil.yaml").write_text(evil)
    done = breakeven("evil.yaml", cwd=tmp_path)
    assert "\x1b" not in done.stdout
    assert "[red]x[/red]" in done.stdout


def test_pages_are_up_to_date() -> None:
    page = (ROOT / "docs" / claim_pages.EXPLANATION).read_text(encoding="utf-8")
    assert page == claim_pages.explanation_page(page), f"run {claim_pages.COMMAND}"
    reference = (ROOT / "docs" / claim_pages.REFERENCE).read_text(encoding="utf-8")
    assert reference == claim_pages.reference_page(), f"run {claim_pages.COMMAND}"


def test_the_example_of_the_page_says_what_the_page_says() -> None:
    page = (ROOT / "docs" / claim_pages.EXPLANATION).read_text(encoding="utf-8")
    example = page.split("```yaml\n")[1].split("```")[0]
    found = checked(example, head=False)
    assert verdict_sentence(found) in page
    assert any("2.13 times" in each for each in found.flags)


@pytest.mark.parametrize("name", bundled_names())
def test_the_page_says_why_a_trap_is_one(name: str) -> None:
    page = (ROOT / "docs" / claim_pages.EXPLANATION).read_text(encoding="utf-8")
    why = bundled_claim(name).entry.why_wrong
    assert " ".join(why.split()) in page
    assert f"| {name} |" in page
