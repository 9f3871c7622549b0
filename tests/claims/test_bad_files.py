# ruff: noqa: E501 (one case on a line)
"""A bad claim file is told where, with file and line; nothing of it is run."""

from __future__ import annotations

from pathlib import Path

import pytest

from breakeven.claims.bundled import bundled_claim
from breakeven.claims.file import parse_claim, read_claim
from breakeven.errors import ClaimError
from claims.claiming import HEAD, checked

RENT = "gpu_rent_usd_per_gpu_hour: 2, hours_per_month: 730"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"given: {{gpus_count: 0, {RENT}}}\npublished: {{gpu_rent_usd_per_month: 1}}", "claim.yaml:3: given.gpus_count: .*wanted more than zero"),
        ("given:\n  x: 3\n  gpus_count: 1\npublished: {gpu_rent_usd_per_month: 1}", "claim.yaml:4: given.x: a name ends in its unit"),
        ("given: {gpu_rent_usd_per_hour: -2}\npublished: {gpu_rent_usd_per_day: 1}", "gpu_rent_usd_per_hour is -2; wanted zero or more"),
        ("given: {input_usd_per_mtok: 0, input_tokens: 2}\npublished: {api_usd: 1}", "0 is no price"),
        ("given: {busy_fraction: 30, gpu_rent_usd_per_hour: 2}\npublished: {gpu_rent_usd_per_day: 1}", "between 0 and 1"),
        ("given: {gpus_coumt_count: 1, gpu_rent_usd_per_hour: 2}\npublished: {gpu_rent_usd_per_day: 1}", "no quantity and no definition reads this"),
        ("given: {capex_sek: 5}\npublished: {capex_usd: 1}", "claim.yaml:3: given.capex_sek: no exchange rate for SEK"),
        ("given: {capex_usd: 5, capex_eur: 4, usd_per_eur: 1}\npublished: {capex_usd: 1}", "contradicts capex_usd"),
        ("given: {input_usd_per_mtok: 3, input_usd_per_ktok: 0.004}\npublished: {input_usd_per_mtok: 3}", "contradict each other"),
        ("given: {input_tokens: 3, cache_read_tokens: 2}\npublished: {input_tokens: 3}", "prompt_tokens .*OpenAI"),
        ("given: {capex_usd: true}\npublished: {capex_usd: 1}", "saw true; wanted a number"),
        ("given: {capex_usd: a lot}\npublished: {capex_usd: 1}", "saw 'a lot'; wanted a number"),
        ("given: {capex_usd: .nan}\npublished: {capex_usd: 1}", "given.capex_usd"),
        ("given: {capex_usd: {low: 3, typical: 2, high: 4}}\npublished: {capex_usd: 1}", "low <= typical <= high"),
        ("given: {capex_usd: {low: 3, typcal: 3, high: 4}}\npublished: {capex_usd: 1}", "did you mean 'typical'"),
        ("given: {capex_usd: 1}\npublished: {capex_total: 1}", "breakeven knows no such quantity"),
        ("given: {capex_usd: 1}\npublished: {one.capex_usd: 1}", "no part 'one'"),
        ("given: {capex_usd: 1}\npublished: {capex_usd: 1}\nincludes: [labour]", "claim.yaml:5: includes.0: no cost line 'labour'"),
        ("given: {capex_usd: 1}\npublished: {capex_usd: 1}\ngpu: H100", "the catalogue has no GPU 'H100'"),
        ("given: {capex_usd: 1}\npublished: {capex_usd: 1}\nkind: trap", "why_wrong"),
        ("given: {capex_usd: 1}", "nothing to check"),
        ("givn: {capex_usd: 1}\npublished: {capex_usd: 1}", "claim.yaml:3: givn: unknown key; did you mean 'given'"),
        ("given: {capex_usd: 1}\ngiven: {capex_usd: 2}\npublished: {capex_usd: 1}", "claim.yaml:4.*twice"),
        ("given: [1, 2\n", "not readable as YAML"),
        ("define: {a_usd: 'b_usd + c_usd_per_hour'}\ngiven: {b_usd: 1, c_usd_per_hour: 2}\npublished: {a_usd: 1}", "claim.yaml:3: define.a_usd: .*adds or compares usd and usd/second"),
        ("define: {a_usd_per_month: b_usd_per_hour}\ngiven: {b_usd_per_hour: 1}\npublished: {a_usd_per_month: 1}", "hours and months meet in hours_per_month"),
        ("define: {a_usd: \"__import__('os').getcwd()\"}\npublished: {a_usd: 1}", "define.a_usd: "),
        ("define: {a_usd: 'b_usd if 1 else b_usd'}\ngiven: {b_usd: 1}\npublished: {a_usd: 1}", "plain arithmetic"),
        ("define: {a_usd: 'b_usd.real'}\ngiven: {b_usd: 1}\npublished: {a_usd: 1}", "plain arithmetic"),
        ("define: {a_usd: 'b_usd +'}\ngiven: {b_usd: 1}\npublished: {a_usd: 1}", "is no arithmetic"),
        ("define: {a_usd: b_usd, b_usd: a_usd}\npublished: {a_usd: 1}", "to recompute a_usd"),
        ("gpu_mix: {req_per_s: 3, workload: [[1]], gpus: {A: {usd_per_hour: 1, req_per_s: [[1, 2]]}}}\npublished: {A.gpus_count: 3}", "another shape"),
    ],
)  # fmt: skip
def test_what_is_wrong_and_where(text: str, message: str) -> None:
    with pytest.raises(ClaimError, match=message):
        checked(text)


@pytest.mark.parametrize("text", ["", "- 1\n", "just text", "42"])
def test_something_else_than_a_claim(text: str) -> None:
    with pytest.raises(ClaimError, match=r"wanted keys and values"):
        parse_claim(text, "claim.yaml")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    from datetime import date

    with pytest.raises(ClaimError, match="cannot read"):
        read_claim(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"title: caf\xe9\n")
    with pytest.raises(ClaimError, match="not UTF-8"):
        read_claim(tmp_path / "latin.yaml")
    (tmp_path / "large.yaml").write_text("# " + "x" * 1_100_000)
    with pytest.raises(ClaimError, match="larger than"):
        read_claim(tmp_path / "large.yaml")
    late = HEAD.replace("link: somewhere", "link: somewhere, read: 2099-01-01") + "published: {capex_usd: 1}\n"
    (tmp_path / "late.yaml").write_text(late)
    with pytest.raises(ClaimError, match=r"late.yaml:2: source.read: 2099-01-01 has not come yet"):
        read_claim(tmp_path / "late.yaml", date(2026, 11, 23))


def test_the_nearest_case_is_named() -> None:
    with pytest.raises(ClaimError, match="did you mean 'xqa-labour'"):
        bundled_claim("xqa-labor")


def test_deep_nesting_and_aliases_do_not_hang() -> None:
    with pytest.raises(ClaimError):
        parse_claim("[" * 3000, "claim.yaml")
    with pytest.raises(ClaimError):
        checked("define: {a_usd: '" + "(" * 500 + "1" + ")" * 500 + "'}\npublished: {a_usd: 1}")
