"""catalog add-model as a user runs it: counted, kept in a folder of one's own, never over something else."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from breakeven import clock
from breakeven.catalog.load import load_catalog
from breakeven.catalog.names import find_model
from breakeven.catalog.overlay import FOLDER_VARIABLE, MODEL_FILE
from breakeven.cli import main
from breakeven.errors import CatalogError
from hf_configs import CONFIGS

DAY = date(2026, 11, 30)


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of one's own entries."""
    monkeypatch.setattr(clock, "today", lambda: DAY)
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "own"))
    return tmp_path / "own"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.json"
    small = {**CONFIGS["Llama-3.1-8B"], "num_hidden_layers": 2, "_name_or_path": "acme/Tiny-2L"}
    path.write_text(json.dumps(small), encoding="utf-8")
    return path


def run(*arguments: str | Path) -> Result:
    done = CliRunner().invoke(main.group, ["catalog", "add-model", *map(str, arguments)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done


def page(*arguments: str | Path) -> Any:
    return json.loads(run(*arguments, "--json").stdout)


def test_an_added_model_is_in_the_catalogue(config: Path, own: Path) -> None:
    added = page(config)
    assert (added["name"], added["written"], added["folder"]) == ("Tiny-2L", True, str(own))
    source = {"link": str(config), "read": "2026-11-30", "grade": "official"}
    assert added["entry"]["source"].items() >= source.items()
    model = find_model(load_catalog(DAY), "acme/tiny-2l-instruct")
    assert (model.name, model.hf_id, model.layers_count) == ("Tiny-2L", "acme/Tiny-2L", 2)
    assert model.params_count == added["entry"]["params_count"]
    assert model.source.read == DAY
    assert "Tiny-2L" in CliRunner().invoke(main.group, ["catalog", "list", "--kind", "model", "tiny"]).output


def test_a_dry_run_writes_nothing(config: Path, own: Path) -> None:
    assert page(config, "--dry-run")["written"] is False
    assert not own.exists()
    assert "not written (--dry-run)" in run(config, "--dry-run").stdout


def test_the_page_says_what_was_counted_and_how_far_to_trust_it(config: Path) -> None:
    config.write_text(json.dumps(CONFIGS["Qwen3.5-27B"]), encoding="utf-8")
    text = run(config, "--name", "my-hybrid").stdout
    for said in (
        "my-hybrid: 26.9 B parameters, dense; written to",
        "bf16 53.79 GB",
        "65,536 bytes per token",
        "48 layers keep a state, 0.154 GB per sequence",
        "graded quoted, not official",
        "Text part only.",
    ):
        assert said in text
    config.write_text(json.dumps(CONFIGS["Gemma-3-12B"]), encoding="utf-8")
    assert "Left out of the file, as usual in its family: vocab_size 262208, head_dim 256" in " ".join(
        run(config, "--name", "my-gemma").stdout.split()
    )


def test_a_name_that_is_taken_is_refused(config: Path, own: Path) -> None:
    run(config)
    before = (own / MODEL_FILE).read_bytes()
    with pytest.raises(CatalogError, match=r"'Tiny-2L' is in .* already\. Replace it with --replace"):
        run(config)
    with pytest.raises(CatalogError, match=r"the catalogue's 'Llama-3\.1-8B' goes by that name"):
        run(config, "--name", "Llama-3.1-8B-Instruct")
    assert (own / MODEL_FILE).read_bytes() == before
    config.write_text(config.read_text().replace('"num_hidden_layers": 2', '"num_hidden_layers": 3'))
    run(config, "--replace")
    assert find_model(load_catalog(DAY), "Tiny-2L").layers_count == 3


def test_a_second_model_keeps_the_first(config: Path) -> None:
    run(config)
    first = find_model(load_catalog(DAY), "Tiny-2L")
    run(config, "--name", "other")
    catalog = load_catalog(DAY)
    assert find_model(catalog, "Tiny-2L") == first
    assert find_model(catalog, "other").params_count == first.params_count


def test_a_file_without_a_name_needs_one(config: Path, own: Path) -> None:
    config.write_text(json.dumps(CONFIGS["Llama-3.1-8B"]), encoding="utf-8")
    with pytest.raises(CatalogError, match=r"says no name .*\. Give one with --name"):
        run(config)
    assert not own.exists()


def test_a_file_that_cannot_be_counted_changes_nothing(config: Path, own: Path) -> None:
    run(config)
    before = (own / MODEL_FILE).read_bytes()
    config.write_text(json.dumps({"model_type": "mamba2"}), encoding="utf-8")
    with pytest.raises(CatalogError, match="saw 'mamba2'"):
        run(config, "--name", "other")
    assert (own / MODEL_FILE).read_bytes() == before


def test_a_damaged_file_of_added_models_is_told_by_name(config: Path, own: Path) -> None:
    run(config)
    (own / MODEL_FILE).write_text("Tiny-2L: {params_count: 5}\n")
    with pytest.raises(CatalogError, match=r"models/added\.yaml"):
        load_catalog(DAY)


def test_one_s_own_entry_stays_when_the_package_brings_that_name(config: Path, own: Path) -> None:
    run(config)
    file = own / MODEL_FILE
    entries = yaml.safe_load(file.read_text())
    file.write_text(yaml.safe_dump({"Qwen3-8B": entries["Tiny-2L"]}))
    assert find_model(load_catalog(DAY), "Qwen3-8B").layers_count == 2
