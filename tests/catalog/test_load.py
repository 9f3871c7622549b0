"""Load: the catalogue as it stood on a day, and one clear sentence for each way in which a row can be wrong."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from breakeven.catalog.checks import warnings
from breakeven.catalog.files import DATA, read_files
from breakeven.catalog.load import load_catalog, read_catalog
from breakeven.errors import CatalogError
from breakeven.facts.source import Grade

AS_OF = date(2026, 11, 23)
SOURCE = "source: {title: T, link: L, read: 2026-01-01, grade: guess}"
ROW = f"""
spare_parts_usd_per_month:
  dimension: 900
  unit: usd/month
  values:
    - since: 2026-01-01
      range: {{low: 1, typical: 2, high: 3}}
      {SOURCE}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the bundled catalogue."""
    root = tmp_path / "data"
    shutil.copytree(DATA, root)
    return root


@pytest.fixture
def add(folder: Path) -> Callable[[str], Path]:
    """Adds a file of assumptions to the copy."""

    def write(text: str, name: str = "assumptions/extra.yaml") -> Path:
        (folder / name).write_text(text, encoding="utf-8")
        return folder

    return write


def test_a_good_row_is_an_assumption(add: Callable[[str], Path]) -> None:
    found = read_catalog(add(ROW), AS_OF).assumptions["spare_parts_usd_per_month"]
    assert (found.low, found.typical, found.high, found.unit) == (1, 2, 3, "usd/month")
    assert (found.dimension, found.source.grade, found.source.read) == (900, Grade.GUESS, date(2026, 1, 1))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  unit: usd/month\n", "", r"extra\.yaml:2: spare_parts_usd_per_month\.unit: missing; .*refused"),
        (f"      {SOURCE}\n", "", r"values\.0\.source: missing"),
        ("    - since: 2026-01-01\n      range", "    - range", r"values\.0\.since: missing"),
        ("grade: guess", "grade: opinion", r"saw 'opinion', wanted 'measured', 'official'"),
        ("title: T, ", "", r"source\.title: missing"),
        ("link: L, ", "link: '', ", r"source\.link: saw ''"),
        ("read: 2026-01-01, ", "", r"source\.read: missing"),
        ("read: 2026-01-01", "read: '2026-01-01'", r"saw '2026-01-01', wanted a date such as .*without quotes"),
        ("read: 2026-01-01", "read: 2026", r"saw 2026, wanted a date"),
        ("read: 2026-01-01", "read: 2026-11-26", r"read 2026-11-26, after the catalogue was last checked"),
        ("since: 2026-01-01", "since: 2026-12-01", r"starts 2026-12-01, after .* Write `expected:`"),
        ("since: 2026-01-01", "since: 2026-01-01T00:00:00", r"wanted a date"),
        ("link: L", "link: no", r"saw False, wanted text"),
        ("low: 1", "low: '1'", r"low: saw '1', wanted a number without quotes"),
        ("high: 3", "high: 1e6", r"saw '1e6', wanted a number .*1\.0e\+6"),
        ("high: 3", "high: .inf", r"wanted a finite number"),
        ("low: 1", "low: true", r"low: saw True, wanted a number"),
        ("low: 1", "low: 9", r"wanted low <= typical <= high, saw 9, 2, 3"),
        ("low: 1", "low: -1", r"low is -1 since 2026-01-01; wanted 0 or more"),
        ("unit: usd/month", "unit: usd/year", r"unit 'usd/year' contradicts the name, which says 'usd/month'"),
        ("spare_parts_usd_per_month", "spare_parts", r"the name ends in no unit"),
        ("dimension: 900", "dimension: 21", r"dimension 21 belongs to breach_.*; the next free one is \d+"),
        ("dimension: 900", "dimension: -1", r"dimension: saw -1"),
        ("dimension: 900", "dimension: 900\n  colour: red", r"colour: unknown field"),
        ("range:", "expected: {low: 1, typical: 2, high: 3}\n      range:", r"exactly one of range, expected"),
        ("      range: {low: 1, typical: 2, high: 3}\n", "", r"exactly one of range, expected; saw none"),
        ("values:", "values: []\n  other:", r"values: saw \[\]"),
        ("spare_parts_usd_per_month", "hours_per_month", r"already at assumptions/"),
    ],
)
def test_a_bad_row_is_refused_in_a_sentence(add: Callable[[str], Path], old: str, new: str, message: str) -> None:
    assert old in ROW
    with pytest.raises(CatalogError, match=message) as caught:
        read_catalog(add(ROW.replace(old, new)), AS_OF)
    assert "assumptions/extra.yaml" in str(caught.value) or "already at" in str(caught.value)


def test_a_price_is_positive_and_a_fraction_ends_at_one(add: Callable[[str], Path]) -> None:
    price = ROW.replace("spare_parts_usd_per_month", "power_usd_per_kwh").replace("usd/month", "usd/kwh")
    with pytest.raises(CatalogError, match="a price is positive"):
        read_catalog(add(price.replace("low: 1", "low: 0")), AS_OF)
    share = ROW.replace("spare_parts_usd_per_month", "spare_parts_fraction").replace("usd/month", "fraction")
    with pytest.raises(CatalogError, match="a fraction ends at 1"):
        read_catalog(add(share), AS_OF)


def test_values_are_in_order_each_day_once(add: Callable[[str], Path]) -> None:
    again = f"    - since: 2026-01-01\n      range: {{low: 1, typical: 2, high: 3}}\n      {SOURCE}\n"
    with pytest.raises(CatalogError, match="in order of `since`, each day once"):
        read_catalog(add(ROW + again), AS_OF)


def test_one_name_keeps_one_dimension_in_every_offer(folder: Path) -> None:
    path = folder / "offers" / "gpu_rent.yaml"
    text = path.read_text(encoding="utf-8")
    head, tail = text.split("h100-sxm-spot:")
    path.write_text(head + "h100-sxm-spot:" + tail.replace("dimension: 0", "dimension: 901", 1), encoding="utf-8")
    with pytest.raises(CatalogError, match="dimension 901, elsewhere 0; one name keeps one dimension"):
        read_catalog(folder, AS_OF)


def test_an_unknown_gpu_or_model_names_the_nearest(folder: Path) -> None:
    path = folder / "offers" / "gpu_rent.yaml"
    good = path.read_text(encoding="utf-8")
    path.write_text(good.replace("gpu: H100-SXM-80", "gpu: H100-SXM-8O", 1), encoding="utf-8")
    with pytest.raises(
        CatalogError, match=r"gpu_rent\.yaml:\d+: h100-sxm-on-demand\.gpu: .*did you mean 'H100-SXM-80'"
    ):
        read_catalog(folder, AS_OF)
    path.write_text(good, encoding="utf-8")
    tokens = folder / "offers" / "tokens.yaml"
    tokens.write_text(
        tokens.read_text(encoding="utf-8").replace("model: Qwen3-30B-A3B", "model: Qwen3-30B-A3"), "utf-8"
    )
    with pytest.raises(CatalogError, match="did you mean 'Qwen3-30B-A3B'"):
        read_catalog(folder, AS_OF)


def test_a_market_range_that_is_not_of_its_quotes_is_refused(folder: Path) -> None:
    path = folder / "offers" / "gpu_rent.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("typical: 4.2501", "typical: 3.5"), encoding="utf-8")
    with pytest.raises(CatalogError, match="the range is not that of its quotes"):
        read_catalog(folder, AS_OF)


def test_a_free_token_price_is_no_price(folder: Path) -> None:
    path = folder / "offers" / "tokens.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("{input_per_mtok: 1.26, output_per_mtok: 1.26}", "{input_per_mtok: 0, output_per_mtok: 0}"),
        "utf-8",
    )
    with pytest.raises(CatalogError, match="0 is not a price"):
        read_catalog(folder, AS_OF)


def test_the_unit_of_a_token_offer_is_its_currency(folder: Path) -> None:
    path = folder / "offers" / "tokens.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("unit: cny/mtok", "unit: usd/mtok", 1), "utf-8")
    with pytest.raises(CatalogError, match="wanted 'cny/mtok' for currency CNY, saw 'usd/mtok'"):
        read_catalog(folder, AS_OF)


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("models/models.yaml", "active_params_count: 8.03e+09", "active_params_count: 9.0e+09", "larger than params"),
        ("models/models.yaml", "native_precision: fp8", "native_precision: bf16", "no entry for the native precision"),
        ("models/models.yaml", "  experts_per_token_count: 2\n", "", "go together"),
        ("models/models.yaml", "expert_weights_gb: {fp8: 653.9, fp4", "expert_weights_gb: {fp4", "same precisions"),
        ("models/models.yaml", "  expert_size_count: 14336\n", "", "expert_size_count goes with experts"),
        ("models/experts.yaml", "  state_layers_count: 45\n", "", "state_gb go together"),
        ("fx.yaml", "usd_per_cny:", "price_usd_per_cny:", "named after its unit"),
        ("offers/gpu_rent.yaml", "provider: jarvis-labs,", "provider: novita,", "a provider is quoted twice"),
        ("offers/tokens.yaml", "openai-gpt-5-mini:", "openai-gpt-5:", "the key 'openai-gpt-5' is there twice"),
        (
            "offers/tokens.yaml",
            "genai_prices: {provider: openai, model: gpt-5}",
            "note: x",
            "exactly one of genai_prices",
        ),
        ("hardware/gpus.yaml", "memory_gb: 85.5", "memory_gb: 0", "greater than 0"),
        ("catalogue.yaml", "checked: 2026-11-25", "checked: yesterday", "wanted a date"),
        (
            "offers/gpu_rent.yaml",
            "usd_per_gpu_hour: 4.76,",
            "usd_per_gpu_hour: -4.76,",
            r"saw -4.76, wanted greater than 0",
        ),
        (
            "offers/gpu_rent.yaml",
            "4.76, gpus_count: 1",
            "4.76, gpus_count: 0",
            r"gpus_count: saw 0, wanted greater than",
        ),
        (
            "offers/gpu_rent.yaml",
            "- since: 2026-10-10",
            "- since: 2027-10-10",
            r"h100-sxm-on-demand.*starts 2027-10-10",
        ),
        (
            "offers/gpu_rent.yaml",
            "term: one_year",
            "term: on_demand",
            r"h100-sxm-one-year: contradicts .*gpu_rent\.yaml",
        ),
        ("offers/gpu_rent.yaml", "term: one_year", "term: two_years", r"term: saw 'two_years', wanted 'on_demand'"),
        ("offers/gpu_rent.yaml", "term: one_year", "term: purchase", r"terms 'purchase' needs the fact gpu_price_usd"),
        ("offers/gpu_rent.yaml", "term: spot", "term: spot\n  scales_to_zero: true", "only an endpoint can"),
        (
            "offers/gpu_rent.yaml",
            "provider: market",
            "provider: markt",
            r"no provider 'markt' under .*did you mean 'market'",
        ),
        (
            "offers/gpu_endpoints.yaml",
            "low: 4.5, typical: 4.5, high: 4.5",
            "low: -4.5, typical: 4.5, high: 4.5",
            r"low is -4.5 since 2026-05-05; wanted 0 or more",
        ),
        ("offers/gpu_endpoints.yaml", "low: 1.8,", "low: 0,", "low is 0 since .*a price is positive"),
        ("offers/tokens.yaml", "provider: fireworks", "provider: firework", r"no provider 'firework'.*'fireworks'"),
        (
            "offers/tokens.yaml",
            "cheaper_tier: openai-gpt-5-mini",
            "cheaper_tier: openai-gpt-6",
            r"no other offer 'openai-gpt-6'",
        ),
        (
            "offers/tokens.yaml",
            "cheaper_tier: openai-gpt-5-mini",
            "cheaper_tier: openai-gpt-5",
            "no other offer 'openai-gpt-5'",
        ),
        (
            "offers/tokens.yaml",
            "cheaper_tier: openai-gpt-5-mini",
            "cheaper_tier: google-gemini-2.5-flash",
            "sold by google; a tier is of the same provider",
        ),
        (
            "offers/tokens.yaml",
            "batch_discount_fraction: 0.5",
            "batch_discount_fraction: 1.5",
            "wanted less than or equal to 1",
        ),
        (
            "offers/tokens.yaml",
            "model_ids: [gpt-5-mini]",
            "model_ids: [GPT-5]",
            r"contradicts .*openai-gpt-5, which prices GPT-5",
        ),
        (
            "offers/tokens.yaml",
            "{input_per_mtok: 0.10,",
            "{input_per_mtok: -0.10,",
            "input_per_mtok: saw -0.1, wanted greater than",
        ),
        (
            "offers/tokens_brokered.yaml",
            "  source:",
            "  cheaper_tier: groq-gpt-oss-20b\n  source:",
            "only a frontier offer has one, this one is brokered",
        ),
        ("offers/tokens_own_api.yaml", "model: DeepSeek-V3", "model: DeepSeek-V4", r"no model 'DeepSeek-V4'"),
        ("providers.yaml", "jurisdiction: US", "jurisdiction: USA", r"openai\.jurisdiction: saw 'USA'"),
        ("providers.yaml", "trains_on_data: false", "trains_on_data: maybe", r"trains_on_data: saw 'maybe'"),
        ("providers.yaml", "from_memory: [jurisdiction]", "from_memory: [colour]", "'colour' is not a given field"),
        ("price_sources.yaml", "source: litellm, input", "source: litelm, input", "no source 'litelm'"),
        ("price_sources.yaml", "source: litellm, input", "source: genai-prices, input", "a source is quoted twice"),
        ("price_sources.yaml", "input_usd_per_mtok: 2.5", "input_usd_per_mtok: 0", "greater than 0"),
    ],
)
def test_other_rows_are_refused_in_a_sentence(folder: Path, file: str, old: str, new: str, message: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CatalogError, match=message) as caught:
        read_catalog(folder, AS_OF)
    assert str(caught.value).startswith(f"{file}:")


def test_an_offer_that_ended_is_gone_from_its_day_on(folder: Path) -> None:
    path = folder / "offers" / "gpu_rent.yaml"
    ended = f"        - since: 2026-09-01\n          range: null\n          {SOURCE}\n"
    head, mark, tail = path.read_text(encoding="utf-8").partition("# Further goods")
    path.write_text(head + ended + mark + tail, encoding="utf-8")
    assert "h100-sxm-one-year" in read_catalog(folder, date(2026, 8, 31)).gpu_offers
    assert "h100-sxm-one-year" not in read_catalog(folder, date(2026, 9, 1)).gpu_offers


def test_a_cached_token_that_costs_more_than_a_fresh_one_is_a_warning(folder: Path) -> None:
    path = folder / "offers" / "tokens.yaml"
    old, new = "{input_per_mtok: 0.10, output", "{input_per_mtok: 0.10, cache_read_per_mtok: 0.2, output"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    (found,) = warnings(read_files(folder))
    wanted = (
        r"tokens\.yaml:\d+: deepinfra-llama-3\.3-70b: since 2026-11-01 a cached token costs 0\.2, a fresh one 0\.1\."
    )
    assert re.search(wanted, found)
    assert read_catalog(folder, AS_OF)


def test_a_currency_without_a_rate_is_a_warning_and_the_offer_unpriced(folder: Path) -> None:
    (folder / "fx.yaml").unlink()
    found = warnings(read_files(folder))
    assert found
    wanted = r"tokens\w*\.yaml:\d+: siliconflow.*currency: fx\.yaml has no usd_per_cny, so .* unpriced"
    assert all(re.search(wanted, each) for each in found)
    assert read_catalog(folder, AS_OF)


def test_spot_that_is_dearer_than_on_demand_is_a_warning(folder: Path) -> None:
    path = folder / "offers" / "gpu_rent.yaml"
    text = path.read_text(encoding="utf-8")
    swapped = text.replace("term: spot", "term: other").replace("term: on_demand", "term: spot")
    path.write_text(swapped.replace("term: other", "term: on_demand"), encoding="utf-8")
    found = warnings(read_files(folder))
    assert any(
        re.search(r"gpu_rent\.yaml:\d+: h100-sxm-on-demand: since 2026-10-10 spot costs 4\.2501", each)
        for each in found
    )


def test_the_bundled_catalogue_has_nothing_odd() -> None:
    assert warnings(read_files()) == ()


def test_an_announced_token_price_is_listed_as_unconfirmed(folder: Path) -> None:
    path = folder / "offers" / "tokens.yaml"
    announced = f"""      note: x
    - since: 2027-01-01
      expected: {{input_per_mtok: 0.20, output_per_mtok: 0.40}}
      {SOURCE}
"""
    old = "      note: November 2026, day not known; one source.\n"
    path.write_text(path.read_text(encoding="utf-8").replace(old, announced), encoding="utf-8")
    assert read_catalog(folder, date(2027, 1, 1)).unconfirmed == {"deepinfra-llama-3.3-70b"}


def test_an_announced_value_is_used_from_its_day_on_and_listed_as_unconfirmed(add: Callable[[str], Path]) -> None:
    announced = f"    - since: 2027-01-01\n      expected: {{low: 4, typical: 5, high: 6}}\n      {SOURCE}\n"
    root = add(ROW + announced)
    before, after = read_catalog(root, AS_OF), read_catalog(root, date(2027, 1, 1))
    assert before.assumptions["spare_parts_usd_per_month"].typical == 2
    assert after.assumptions["spare_parts_usd_per_month"].typical == 5
    assert before.unconfirmed == frozenset()
    assert after.unconfirmed == {"spare_parts_usd_per_month"}


def test_a_value_ends_with_null(add: Callable[[str], Path]) -> None:
    root = add(ROW + f"    - since: 2026-06-01\n      range: null\n      {SOURCE}\n")
    assert "spare_parts_usd_per_month" in read_catalog(root, date(2026, 5, 31)).assumptions
    assert "spare_parts_usd_per_month" not in read_catalog(root, date(2026, 6, 1)).assumptions


def test_a_file_in_no_known_place_is_refused(folder: Path) -> None:
    (folder / "prices.yaml").write_text("a: 1", encoding="utf-8")
    with pytest.raises(CatalogError, match=r"prices\.yaml: no such place in the catalogue"):
        read_catalog(folder, AS_OF)


def test_a_folder_without_catalogue_yaml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"no catalogue\.yaml"):
        read_catalog(tmp_path, AS_OF)


def test_a_file_that_is_not_utf8_is_refused(folder: Path) -> None:
    (folder / "assumptions" / "extra.yaml").write_bytes(b"# caf\xe9\n")
    with pytest.raises(CatalogError, match=r"extra\.yaml: not UTF-8 at byte 5"):
        read_catalog(folder, AS_OF)


def test_many_problems_are_counted_not_dumped(add: Callable[[str], Path]) -> None:
    rows = "".join(f"part_{index}_usd_per_month: {{}}\n" for index in range(4))
    with pytest.raises(CatalogError, match=r"\.\.\. and 7 more"):
        read_catalog(add(rows), AS_OF)


def test_past_days_see_past_values() -> None:
    rent = "gpu_rent_usd_per_gpu_hour"
    may, october = load_catalog(date(2026, 6, 24)), load_catalog(date(2026, 10, 10))
    assert may.gpu_offers["h100-sxm-spot"].facts[rent].typical == 1.1
    assert october.gpu_offers["h100-sxm-spot"].facts[rent].typical == 2.9525
    assert october.gpu_offers["h100-sxm-spot"].since == date(2026, 10, 10)
    assert "h100-sxm-spot" not in load_catalog(date(2026, 5, 23)).gpu_offers


def test_the_same_day_is_the_same_object_and_the_digest_is_of_the_files(folder: Path) -> None:
    assert load_catalog(AS_OF) is load_catalog(AS_OF)
    assert read_catalog(folder, AS_OF).digest == load_catalog(AS_OF).digest
    (folder / "fx.yaml").write_text((folder / "fx.yaml").read_text("utf-8") + "# a comment\n", "utf-8")
    assert read_catalog(folder, AS_OF).digest != load_catalog(AS_OF).digest


def test_an_unchecked_release_of_the_price_list_has_no_read_date(folder: Path) -> None:
    path = folder / "catalogue.yaml"
    path.write_text(path.read_text("utf-8").replace("version: 0.2.3", "version: 0.2.0"), "utf-8")
    assert read_catalog(folder, AS_OF).genai_prices_read is None


def test_loading_needs_nothing_heavy() -> None:
    program = (
        "import sys, datetime; from breakeven.catalog.load import load_catalog;"
        "load_catalog(datetime.date(2026, 11, 23));"
        "print(*sorted({'genai_prices', 'duckdb', 'ibis', 'scipy', 'numpy', 'pandas', 'pyarrow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_importing_reads_nothing() -> None:
    program = "import sys, breakeven.catalog.load; print('yaml' in sys.modules, 'pydantic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
