"""Run: the terms of all options through the kernel: present costs, mean bills, odds by month, some whole futures."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Thread
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from breakeven.decision.horizon.exact import Setting
from breakeven.decision.horizon.paths import (
    SHOCKS,
    api_list_price_ratio,
    open_model_work_ratio,
    open_token_price_ratio,
    over_months,
    shock_loadings,
)
from breakeven.decision.horizon.price_of_line import BOTH_PRICES, LIST_PRICE, OPEN_PRICE
from breakeven.decision.horizon.terms import FAR_COUNT, FRACTIONS, KNOTS_COUNT, Floats, Terms
from breakeven.facts.memory import recalled


@dataclass(frozen=True, slots=True)
class Run:
    """What a pass over all draws leaves; options in the order of the terms, the status quo first."""

    names: tuple[str, ...]
    present_cost_usd: Floats
    """Shape ``(options, draws)``."""
    mean_usd_per_month: Floats
    """Mean bill, shape ``(options, months)``."""
    cheapest_fraction: Floats
    """Share of the draws in which the month's bill is the lowest among the rivals, shape ``(options, months)``."""
    bills_usd_per_month: Floats
    """Of the first draws, shape ``(options, months, kept draws)``; capital as its annuity."""
    cash_usd_per_month: Floats
    """The same with hardware as it is paid."""
    upfront_usd: Floats
    """Shape ``(options, kept draws)``."""

    def present(self, name: str) -> NDArray[np.float64]:
        """Present cost of one option, shape ``(draws,)``."""
        return np.asarray(self.present_cost_usd[self.names.index(name)])


def run(
    setting: Setting,
    terms: Sequence[Terms],
    *,
    rivals: Sequence[str] | None = None,
    kept_count: int = 0,
    start_month: int = 0,
) -> Run:
    """Evaluate `terms` (the status quo first) in every draw; `rivals`: those that count for the odds (None: all)."""
    return run_prepared(prepare(setting, terms, rivals), kept_count=kept_count, start_month=start_month)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Terms and paths side by side, as the kernel takes them."""

    names: tuple[str, ...]
    months_count: int
    draws_count: int
    path: Floats
    loadings: Floats
    stacked: tuple[Any, ...]
    counted: NDArray[np.int64]


def prepare(setting: Setting, terms: Sequence[Terms], rivals: Sequence[str] | None = None) -> Prepared:
    """Stack `terms`; with `rivals` as in `run`."""
    facts, months_count = setting.facts, setting.facts.months_count
    draws_count = draws_count_of(setting, terms)
    counted = np.array([rivals is None or each.name in rivals for each in terms], dtype=np.int64)
    if not counted.any():
        counted[:] = 1
    return Prepared(
        tuple(each.name for each in terms),
        months_count,
        draws_count,
        path_rows(setting, draws_count),
        shock_loadings(months_count, facts.typical_half_life_months),
        _stack(setting, terms, draws_count),
        counted,
    )


def draws_count_of(setting: Setting, terms: Sequence[Terms]) -> int:
    """Futures in which anything is drawn."""
    nodes = setting.facts.nodes.values()
    return max(*(each.once_usd.size for each in terms), setting.volume_mtok.size, *(node.value.size for node in nodes))


def run_prepared(prepared: Prepared, *, kept_count: int = 0, start_month: int = 0) -> Run:
    """The kernel over all draws."""
    from breakeven.decision.horizon.kernel import run_months

    options_count, months_count = len(prepared.names), prepared.months_count
    kept_count = min(kept_count, prepared.draws_count)
    found = Run(
        prepared.names,
        np.zeros((options_count, prepared.draws_count)),
        np.zeros((options_count, months_count)),
        np.zeros((options_count, months_count)),
        np.zeros((options_count, months_count, kept_count)),
        np.zeros((options_count, months_count, kept_count)),
        np.zeros((options_count, kept_count)),
    )
    cheapest = np.zeros((options_count, months_count), dtype=np.int64)
    cast(Any, run_months)(
        *_only_read(prepared.path, prepared.loadings, *prepared.stacked, prepared.counted),
        start_month,
        found.present_cost_usd,
        found.mean_usd_per_month,
        cheapest,
        found.bills_usd_per_month,
        found.cash_usd_per_month,
        found.upfront_usd,
    )
    found.cheapest_fraction[:] = cheapest / prepared.draws_count
    return found


def present_only(prepared: Prepared, *, start_month: int = 0) -> Floats:
    """Present costs alone, shape ``(options, draws)``: as `run_prepared`, several times quicker."""
    found = np.zeros((len(prepared.names), prepared.draws_count))
    begin_present(prepared.path, prepared.loadings, prepared.stacked, found, start_month)()
    return found


def begin_present(
    path: Floats, loadings: Floats, stacked: tuple[Any, ...], found: Floats, start_month: int = 0
) -> Callable[[], None]:
    """Begin to fill `found`, shape ``(options, draws)``, on another thread, so that the caller may do something else
    meanwhile; what comes back helps with the rest and waits for the end.

    Until then nobody may write into what is given.
    """
    from breakeven.decision.horizon.sums_kernel import present_costs

    draws_count, given = found.shape[1], _only_read(path, loadings, *stacked)
    pieces = deque((first, min(first + PIECE_COUNT, draws_count)) for first in range(0, draws_count, PIECE_COUNT))
    errors: list[BaseException] = []

    def fill(take: Callable[[], tuple[int, int]]) -> None:
        while True:
            try:
                first, last = take()
            except IndexError:
                return
            try:
                cast(Any, present_costs)(*given, start_month, first, last, found)
            except BaseException as error:
                errors.append(error)
                pieces.clear()

    other = Thread(target=fill, args=(pieces.popleft,)) if len(pieces) > 1 else None
    if other is not None:
        other.start()

    def wait() -> None:
        fill(pieces.pop)
        if other is not None:
            other.join()
        if errors:
            raise errors[0]

    return wait


def _only_read(*given: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Views that nobody may write into, whatever the arrays were: the code compiled for these is another than for
    arrays that may be written, and sums in another order, so that the last bit would hang on who kept an array."""
    views = tuple(each.view() for each in given)
    for each in views:
        each.flags.writeable = False
    return views


PIECE_COUNT: Final = 2048
"""Draws that one thread takes at a time, a multiple of the kernel's block."""
_STEADY: Final = (api_list_price_ratio, open_token_price_ratio, open_model_work_ratio)
"""Paths that fall by the same factor every month."""


def path_rows(setting: Setting, draws_count: int) -> Floats:
    """What the kernel makes the paths of, shape ``(14, draws)``; see `kernel.run_months`."""
    facts = setting.facts
    month = np.ones(1)
    rows = (
        np.log1p(facts.value("volume_growth_fraction_per_month")),
        np.exp2(-1 / facts.value("growth_half_life_months")),
        *(over_months(path, facts, month) for path in _STEADY),
        np.log(facts.value("gpu_rent_long_run_ratio")),
        np.exp2(-1 / facts.value("gpu_rent_half_life_months")),
        facts.value("gpu_rent_volatility_ratio"),
        *(facts.value(name) for name in SHOCKS),
        facts.value("migration_ramp_months"),
        facts.discount(),
        setting.volume_mtok * facts.value("volume_level_ratio"),
    )
    found: Floats = recalled(_stacked, draws_count, *rows)
    return found


def _stacked(draws_count: int, *rows: Floats) -> Floats:
    return np.stack([np.broadcast_to(row, (draws_count,)) for row in rows]).astype(np.float64)


Buffer = Callable[..., Floats]
"""Name, number of options, further shape -> an array to fill."""


def _stack(setting: Setting, terms: Sequence[Terms], draws_count: int) -> tuple[Any, ...]:
    """The coefficients of all options as the kernel takes them."""
    return smallest_stack(setting, terms, draws_count, lambda _, *shape: np.zeros(shape))


def smallest_stack(setting: Setting, terms: Sequence[Terms], draws_count: int, buffer: Buffer) -> tuple[Any, ...]:
    """The same in arrays of `buffer`; what the kernel does not read of an option is left as it is there."""
    count, most, prices = len(terms), 2 + KNOTS_COUNT, [_prices_of(each) for each in terms]
    once, per_mtok = buffer("once", count, draws_count), buffer("per_mtok", count, 3, draws_count)
    today, rent = buffer("today", count, most, draws_count), buffer("rent", count, most, draws_count)
    per_unit, fewest = buffer("units_per_mtok", count, draws_count), buffer("fewest", count, draws_count)
    capital = buffer("capital", 5, max(count, 2), draws_count)
    for index, each in enumerate(terms):
        once[index] = each.once_usd
        rows = _ROWS_OF_PRICES[prices[index]]
        per_mtok[index, : len(rows)] = each.per_mtok[rows]
        capital[0, index] = each.capex_usd
        if np.any(each.capex_usd):
            capital[1, index], capital[2, index] = each.annuity_usd_per_month, each.lifetime_months
            capital[3, index] = each.age_months
        if not each.steps:
            today[index, 0] = each.today[0]
            continue
        bends = 2 + int(np.count_nonzero(each.knots < FAR_COUNT))
        today[index, :bends] = each.today[:bends]
        rents = bends if each.kind == FRACTIONS else 2
        rent[index, :rents] = each.rent[:rents]
        per_unit[index], fewest[index] = 1 / each.step_mtok, each.fewest_count
    capital[4, 0], capital[4, 1] = setting.residual_facts
    return (
        once,
        per_mtok,
        today,
        rent,
        np.stack([each.knots for each in terms]),
        per_unit,
        fewest,
        np.array([each.kind for each in terms], dtype=np.int64),
        np.array(prices, dtype=np.int64),
        np.array([each.steps and bool(np.any(each.per_mtok[1])) for each in terms], dtype=np.int64),
        np.array(
            [_same_steps(before, each) for before, each in zip((None, *terms), terms, strict=False)], dtype=np.int64
        ),
        np.array([each.commitment_months for each in terms], dtype=np.int64),
        capital,
    )


def _prices_of(each: Terms) -> int:
    """Which prices of tokens the option pays, as the kernel numbers them."""
    if not np.any(each.per_mtok[2]):
        return LIST_PRICE
    return BOTH_PRICES if np.any(each.per_mtok[1]) else OPEN_PRICE


_ROWS_OF_PRICES: Final = {LIST_PRICE: [0, 1], OPEN_PRICE: [0, 2], BOTH_PRICES: [0, 2, 1]}
"""Rows of u, a, o: what goes with the volume at today's prices, and at each price of tokens that an option pays."""


def _same_steps(before: Terms | None, each: Terms) -> bool:
    """Whether the option has as many units as the one before it, in every draw and month."""
    return (
        before is not None
        and before.steps
        and each.steps
        and before.kind == each.kind
        and np.array_equal(before.step_mtok, each.step_mtok)
        and np.array_equal(before.fewest_count, each.fewest_count)
        and np.array_equal(before.knots, each.knots)
    )
