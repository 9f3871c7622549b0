"""The shipped coefficients: every parameter there, inside its bounds, and the file a round trip of what was fitted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from breakeven.errors import ServingError
from breakeven.serving.prediction.first_token import FEATURES
from breakeven.serving.prediction.fitted_model import from_json, shipped_model, to_json, write_model
from breakeven.serving.prediction.parameters import ENGINES, PARAMETERS
from breakeven.serving.prediction.regime import Nearness, Regime, errors_of, interval_ratio


def test_every_parameter_is_inside_its_bounds_and_explained() -> None:
    values = shipped_model().values
    assert set(values) == {each.name for each in PARAMETERS}
    for each in PARAMETERS:
        assert each.low * (1 - 1e-6) <= values[each.name] <= each.high * (1 + 1e-6), each.name
        assert each.low < each.typical <= each.high, each.name
        assert each.meaning and each.unit


def test_weights_of_first_tokens_belong_to_their_features() -> None:
    assert shipped_model().first_token_weights.shape == (len(FEATURES) * (len(ENGINES) + 1),)


def test_every_regime_has_errors_and_an_interval() -> None:
    table = shipped_model().errors
    assert table is not None
    for nearness in Nearness:
        for is_moe in (False, True):
            regime = Regime(nearness, is_moe, False, True)
            assert 1 < interval_ratio(regime, table) < 3
            assert errors_of(regime, table).rows_count > 50
            limit = Regime(nearness, is_moe, True, True)
            assert interval_ratio(limit, table) >= interval_ratio(regime, table)


def test_writing_and_reading_give_the_same_model(tmp_path: Path) -> None:
    model = shipped_model()
    write_model(tmp_path / "again.json", model, {"a rule": 3})
    again = from_json(json.loads((tmp_path / "again.json").read_text(encoding="utf-8")))
    assert again.values == pytest.approx(model.values, rel=1e-5)
    assert again.corrections == model.corrections
    assert np.allclose(again.first_token_weights, model.first_token_weights)
    assert (again.errors, again.source, again.gpus) == (model.errors, model.source, model.gpus)


def test_another_version_and_a_missing_parameter_are_refused() -> None:
    data = to_json(shipped_model(), {})
    with pytest.raises(ServingError, match="version 99; wanted 1"):
        from_json({**data, "version": 99})
    fewer = {name: entry for name, entry in data["parameters"].items() if name != "memory_fraction"}
    with pytest.raises(ServingError, match="lack memory_fraction"):
        from_json({**data, "parameters": fewer})
