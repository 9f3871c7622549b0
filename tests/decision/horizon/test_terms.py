"""Terms: what is read off an option at other volumes is the same at any horizon, unless hardware is sold at its end."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

import costing
from breakeven.decision.compare import STATUS_QUO
from breakeven.decision.horizon import terms as module
from breakeven.decision.horizon.exact import setting_of
from breakeven.decision.horizon.terms import HORIZON_MONTHS, at_any_horizon, terms_of
from breakeven.errors import BreakevenError
from breakeven.facts.draws import DrawSet
from breakeven.options.discover import select_options
from breakeven.options.option import Evaluation, Option
from costing import demand, pinned, situation

SOLD_AT_THE_END = {"sunk_gpus"}
"""Options whose months hang on the horizon."""


@pytest.mark.parametrize("volume_mtok", [300.0, 20_000.0])
@pytest.mark.parametrize("months", [12.0, 60.0])
def test_every_option_has_the_terms_of_its_own_horizon(
    volume_mtok: float, months: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the bit, with and without another horizon's views."""
    here = situation(demand(volume_mtok), {**pinned(costing.QUOTE), **pinned({HORIZON_MONTHS: months})})
    draws = DrawSet(1, 7)
    setting = setting_of(here, draws.of, {})
    options: dict[str, Option] = {}
    moved = set()
    for name, option in select_options(()).items():
        try:
            cost = option.cost(here, Evaluation(draws.of))
        except BreakevenError:
            continue
        options[name] = option
        if at_any_horizon(here, cost) is not here:
            moved.add(name)
    in_order = {STATUS_QUO: options[STATUS_QUO], **options}
    found = terms_of(setting, in_order)
    monkeypatch.setattr(module, "at_any_horizon", lambda situation, cost: situation)
    wanted = terms_of(setting, in_order)
    assert len(found) >= 15
    for one, other in zip(found, wanted, strict=True):
        for each in fields(one):
            assert np.array_equal(getattr(one, each.name), getattr(other, each.name)), (one.name, each.name)
    assert options.keys() - moved == SOLD_AT_THE_END
