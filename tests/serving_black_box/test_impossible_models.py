"""breakeven catalog add-model from outside: a config that contradicts itself is no model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from breakeven.cli import main
from breakeven.errors import CatalogError
from hf_configs import CONFIGS


@pytest.mark.parametrize(
    ("model", "fields", "said"),
    [
        ("Llama-3.1-8B", {"num_key_value_heads": 5}, "num_key_value_heads: saw 5, wanted a divisor of the 32"),
        ("Mixtral-8x7B", {"num_experts_per_tok": 9}, "num_experts_per_tok: saw 9, wanted at most the 8 experts"),
    ],
)
def test_fields_that_contradict_each_other(tmp_path: Path, model: str, fields: dict[str, Any], said: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(CONFIGS[model] | fields))
    arguments = ["catalog", "add-model", str(path), "--name", "x", "--dry-run"]
    with pytest.raises(CatalogError, match=said):
        CliRunner().invoke(main.group, arguments, catch_exceptions=False, standalone_mode=False)
