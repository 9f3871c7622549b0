"""Hardware loop: hardware bought, replaced and sold by the fleet of each draw, in place of its annuity."""

from __future__ import annotations

import numpy as np

from breakeven.compiled import njit
from breakeven.decision.horizon.compiled_loops import Floats


@njit(error_model="numpy", forceinline=True)
def hardware(
    capital: Floats,
    option: int,
    begin: int,
    size: int,
    units: Floats,
    discount: Floats,
    start_month: int,
    present: Floats,
    kept_cash: Floats,
    kept_upfront: Floats,
) -> None:
    """Swap the annuity for purchases when the fleet grows, again at the end of life, and what all brings at the end."""
    months = units.shape[0]
    kept = kept_upfront.shape[1]
    bought = np.zeros(months)
    for i in range(size):
        draw = begin + i
        price, annuity = capital[0, option, draw], capital[1, option, draw]
        life, age = int(capital[2, option, draw]), capital[3, option, draw]
        year3, year5 = capital[4, 0, draw], capital[4, 1, draw]
        alive = 0.0
        found = 0.0
        for month in range(start_month, months):
            flow = -annuity * units[month, i]
            purchase = 0.0
            if month - life >= start_month and bought[month - life] > 0.0:
                alive -= bought[month - life]
                purchase -= bought[month - life] * price * resale_ratio(age, float(life), year3, year5)
            bought[month] = max(units[month, i] - alive, 0.0)
            alive += bought[month]
            purchase += bought[month] * price
            found += flow * discount[month, i] + purchase * (discount[month - 1, i] if month > 0 else 1.0)
            if draw < kept:
                kept_cash[option, month, draw] += flow
                if month > 0:
                    kept_cash[option, month - 1, draw] += purchase
                else:
                    kept_upfront[option, draw] += purchase
        sold = 0.0
        for month in range(start_month, months):
            if life > months - 1 - month and bought[month] > 0.0:
                sold += bought[month] * price * resale_ratio(age, float(months - month), year3, year5)
        found -= sold * discount[months - 1, i]
        if draw < kept:
            kept_cash[option, months - 1, draw] -= sold
        present[option, draw] += found


@njit(error_model="numpy", forceinline=True)
def hardware_row(
    capital: Floats,
    option: int,
    draw: int,
    units: Floats,
    most_count: float,
    worth: Floats,
    month_ratio: float,
    start_month: int,
) -> float:
    """Present value of purchases less sales for one draw; `worth`: discount of each month, `month_ratio`: of one."""
    price, life, age = capital[0, option, draw], int(capital[2, option, draw]), capital[3, option, draw]
    year3, year5 = capital[4, 0, draw], capital[4, 1, draw]
    months = units.size
    first = units[start_month]
    begins = worth[start_month] / month_ratio
    if most_count == first and life >= months - start_month:  # bought once, kept to the end
        left = resale_ratio(age, float(months - start_month), year3, year5)
        return first * price * (begins - left * worth[months - 1])  # type: ignore[no-any-return]
    bought = np.zeros(months)
    alive, found, sold = 0.0, 0.0, 0.0
    for month in range(start_month, months):
        purchase = 0.0
        if month - life >= start_month and bought[month - life] > 0.0:
            alive -= bought[month - life]
            purchase -= bought[month - life] * resale_ratio(age, float(life), year3, year5)
        bought[month] = max(units[month] - alive, 0.0)
        alive += bought[month]
        purchase += bought[month]
        found += purchase * worth[month] / month_ratio
        if life > months - 1 - month and bought[month] > 0.0:
            sold += bought[month] * resale_ratio(age, float(months - month), year3, year5)
    return price * (found - sold * worth[months - 1])  # type: ignore[no-any-return]


@njit(error_model="numpy", forceinline=True)
def resale_ratio(age_months: float, later_months: float, year3_fraction: float, year5_fraction: float) -> float:
    """Resale value after so many months over the value at `age_months` (costs.ownership.gpu_residual_fraction)."""
    high = max(year3_fraction, 1e-9)
    low = min(max(year5_fraction, 1e-9), high)
    slope = np.log(low / high)
    later = min(high * np.exp(slope * (age_months + later_months - 36.0) / 24.0), 1.0)
    now = min(high * np.exp(slope * (age_months - 36.0) / 24.0), 1.0)
    return later / now  # type: ignore[no-any-return]
