"""Waiting: what it is worth to move later, or never, and to decide in a quarter with what is then known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.decision.horizon.exact import Setting
from breakeven.decision.horizon.run import path_rows, prepare, present_only
from breakeven.decision.horizon.terms import Floats, Terms

WAITS_MONTHS: Final = (0, 3, 6, 12)
QUARTER_MONTHS: Final = 3


@dataclass(frozen=True, slots=True)
class Wait:
    """Staying as today for some months, and then moving."""

    wait_months: int | None
    """None: never."""
    present_cost_usd: Floats
    """Shape ``(draws,)``."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """All waits for one option, and what deciding later is worth."""

    moves_to: str
    waits: tuple[Wait, ...]
    value_of_a_quarter_usd: float
    """Expected gain of deciding in three months, knowing how volume and prices have moved by then, over deciding now;
    negative: the saving lost meanwhile is worth more than what is learnt."""


def waiting_for(setting: Setting, terms: Sequence[Terms], moves_to: str, *, may_stay: bool = True) -> Waiting:
    """Cost every wait for `moves_to`; `terms`: the status quo first. `may_stay`: False where it is no answer."""
    two = prepare(setting, [terms[0], next(each for each in terms if each.name == moves_to)])
    waits = [
        Wait(months, present_only(two, start_month=months)[1])
        for months in WAITS_MONTHS
        if months < setting.facts.months_count
    ]
    stay = present_only(two)[0]
    later = next((each for each in waits if each.wait_months == QUARTER_MONTHS), None)
    value = 0.0
    if later is not None:
        now = waits[0].present_cost_usd
        value = (
            _value_of_a_quarter(setting, now, later.present_cost_usd, stay)
            if may_stay
            else float(np.mean(now) - np.mean(later.present_cost_usd))
        )
    return Waiting(moves_to, (*waits, Wait(None, stay)), value)


def _value_of_a_quarter(setting: Setting, now: Floats, later: Floats, stay: Floats) -> float:
    """Decide after a quarter by what is then seen: volume, list price and rent (least-squares Monte Carlo).

    The gain of moving is regressed on the state after three months (Longstaff and Schwartz, Review of Financial Studies
    14(1), 2001), so that nobody decides by what cannot be known yet.
    """
    decide_now = min(float(np.mean(now)), float(np.mean(stay)))
    state = _state_after_a_quarter(setting, now.size)
    gain = stay - later
    coefficients, *_ = np.linalg.lstsq(state, gain, rcond=None)
    moves = state @ coefficients > 0
    return decide_now - float(np.mean(np.where(moves, later, stay)))


def _state_after_a_quarter(setting: Setting, draws_count: int) -> Floats:
    """What is known by then, as a quadratic basis: logarithms of today's volume, volume, API price and rent ratios."""
    rows = path_rows(setting, draws_count)
    month = min(QUARTER_MONTHS, setting.facts.months_count - 1)
    paths = setting.paths
    seen = np.stack(
        [
            np.log(rows[13]),
            *(
                np.log(np.broadcast_to(path[month], (draws_count,)))
                for path in (paths.volume, paths.api_list_price, paths.gpu_rent)
            ),
        ]
    )
    spread = np.std(seen, axis=1, keepdims=True)
    scaled = (seen - np.mean(seen, axis=1, keepdims=True)) / np.where(spread > 0, spread, 1.0)
    columns = [np.ones(draws_count), *scaled]
    columns += [scaled[i] * scaled[j] for i in range(len(scaled)) for j in range(i, len(scaled))]
    return np.stack(columns, axis=1)
