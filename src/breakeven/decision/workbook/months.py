"""Months: the cells that carry an option from today to the horizon: paths, lines at their prices, cash, present cost.

They say in expressions what `horizon/exact.py` says in arrays, name by name; a test holds one against the other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from breakeven.costs.line import CostLine
from breakeven.decision.horizon.paths import (
    PATHS,
    SHOCKS,
    PathFacts,
    gpu_rent_trend_ratio,
    moved_fraction,
    rent_chance,
)
from breakeven.decision.horizon.price_of_line import price_of
from breakeven.decision.workbook.cells import CellTable
from breakeven.decision.workbook.hardware import HardwareMonths
from breakeven.decision.workbook.new_cells import NewCells
from breakeven.facts.formula import Formula
from breakeven.facts.trace import Node
from breakeven.options.option import OptionCost

ELAPSED: Final = "elapsed_months"
Roles = dict[str, str]
"""What a reader looks for -> key of its cell."""


@dataclass(slots=True)
class Months:
    """Adds the cells of the months to a table: the paths first, then the status quo, then the others."""

    table: CellTable
    facts: PathFacts
    residual_facts: tuple[Node, Node]
    """Resale value of a GPU after three and five years, over the purchase price."""
    paths: Roles = field(default_factory=dict)
    """Name of a path -> key of its cell; ``moved`` and ``discount`` among them."""
    base: Roles = field(default_factory=dict)
    """What is known of the status quo."""
    _elapsed: str = ""

    def add_paths(self) -> None:
        """How volume and prices move, what has moved, and the discount of each month."""
        new = NewCells(self.table)
        self._elapsed = new.month(ELAPSED, "month_count - 1", {}, "months since today; none in the first", value=0.0)
        for name, path in PATHS.items():
            self.paths[name] = new.formula(path, self._keys(path, self._elapsed), has_today=name != "volume")
        self.paths["gpu_rent"] = self._with_chance(self.paths["gpu_rent"], 0, new)
        self.paths["moved"] = new.formula(moved_fraction, self._keys(moved_fraction, self._elapsed), has_today=False)
        rate = {"cost_of_capital": self.table.add(self.facts.discount_fraction_per_year, "")}
        words = "worth today of a dollar in a month"
        ratio = {"month": new.today("discount_month_ratio", "(1 + cost_of_capital) ** (-1 / 12)", rate, words)}
        words = "worth today of a dollar at the end of the month"
        self.paths["discount"] = new.month("discount_ratio", "month ** month_count", ratio, words)
        self.table.leaves["open_model_work_ratio"] = self.paths["open_model_work"]

    def add_status_quo(self, cost: OptionCost, roles: Roles) -> Roles:
        """The months of the option that everything is compared with; nothing moves."""
        new = NewCells(self.table, cost.name)
        self._move_volume(cost.name, moves=False)
        found: Roles = {"volume_mtok_per_month": self.table.volumes[cost.name][0]}
        found["cash"] = self._bill(cost, roles, found, new)
        found["upfront_usd"] = new.today("upfront_usd", "0", {}, "nothing moves, nothing is bought")
        found["equal_success_usd_per_month"] = roles["total_usd_per_month"]
        self._present(found, new)
        self.base = roles | found
        return found

    def add_option(self, cost: OptionCost, roles: Roles) -> Roles:
        """The months of an option to which the traffic moves over the ramp; what has not moved is paid as today."""
        new = NewCells(self.table, cost.name)
        self._move_volume(cost.name, moves=True)
        found: Roles = {"volume_mtok_per_month": self.table.volumes[cost.name][0], "ramp": self.paths["moved"]}
        own = found["own_usd_per_month"] = self._bill(cost, roles, found, new)
        success = {"todays": self.base["success_fraction"], "own": roles["success_fraction"]}
        words = "today's success over this option's: the bill for as many successful answers"
        ratio = found["equal_success_ratio"] = new.today("equal_success_ratio", "todays / own", success, words)
        total = {"total": roles["total_usd_per_month"], "ratio": ratio}
        words = "the total, for as many successful answers as today"
        found["equal_success_usd_per_month"] = new.today("equal_success_usd_per_month", "total * ratio", total, words)
        rest = {"moved": self.paths["moved"], "todays": self.base["cash"]}
        words = "today's bill of the month for what has not moved yet"
        rest_key = found["rest_usd_per_month"] = new.month("rest_usd_per_month", "(1 - moved) * todays", rest, words)
        move = self._move(cost, roles, new)
        cash, read = "own * ratio + rest", {"own": own, "ratio": ratio, "rest": rest_key}
        upfront, upfront_read = "move", {"move": move}
        if cost.capital is not None:
            bought = HardwareMonths(new, self.facts.months_count, self.residual_facts).add(cost.capital)
            found |= {"bought_usd": bought.net, "end_usd": bought.at_end}
            at_end = f"where(month_count >= {self.facts.months_count}, at_end, 0)"
            cash = f"(own - annuity + buys - {at_end}) * ratio + rest"
            annuity = self.table.add(cost.capital.annuity_usd_per_month, cost.name)
            read |= {"annuity": annuity, "buys": f"after:{bought.net}", "at_end": bought.at_end}
            upfront = "move + first * ratio"
            upfront_read |= {"first": f"first:{bought.net}", "ratio": ratio}
        words = "for as many successful answers as today; hardware as it is paid for, not as an annuity"
        words = words if cost.capital is not None else words.partition(";")[0]
        found["cash"] = new.month("cash_usd_per_month", cash, read, words)
        words = "the move, and hardware bought before the first month" if cost.capital is not None else "the move"
        found["upfront_usd"] = new.late("upfront_usd", upfront, upfront_read, words)
        self._present(found, new)
        return found

    def _move_volume(self, option: str, *, moves: bool) -> None:
        (key,) = self.table.volumes[option]
        cell = self.table.cells[key]
        expression, read = "today * volume", {"today": f"today:{key}", "volume": self.paths["volume"]}
        if moves:
            expression, read = f"{expression} * moved", {**read, "moved": self.paths["moved"]}
        self.table.cells[key] = replace(cell, month_expression=expression, inputs={**cell.inputs, **read})

    def _bill(self, cost: OptionCost, roles: Roles, found: Roles, new: NewCells) -> str:
        """Each counted line at its month's price, and their sum; what is paid once is left out."""
        read: dict[str, str] = {}
        for line in cost.breakdown.counted:
            price = price_of(line, cost)
            if price == "once":
                continue
            key = roles[line.name]
            if price != "today":
                key = self._priced(line, key, self._path(price, cost, new), new)
            found[f"month:{line.name}"] = read[_plain(line.name)] = key
        words = "the lines of the month at its prices; the move is paid at the start"
        return new.month("own_usd_per_month", " + ".join(read) or "0", read, words)

    def _path(self, price: str, cost: OptionCost, new: NewCells) -> str:
        term = cost.commitment_months
        if price != "gpu_rent" or not term:
            return self.paths[price]
        words = f"months since today when the rent was agreed, for {term} months at a time"
        read = {"elapsed": self._elapsed}
        agreed = new.month("agreed_months", f"floor(elapsed / {term}) * {term}", read, words, value=0.0)
        keys = self._keys(gpu_rent_trend_ratio, agreed)
        return self._with_chance(new.formula(gpu_rent_trend_ratio, keys, name="agreed_gpu_rent_ratio"), term, new)

    def _with_chance(self, trend: str, term: int, new: NewCells) -> str:
        """The trend, times what chance does to rents where the scenario gives some: its shape is no spreadsheet's."""
        shown = {each: self.facts.nodes[each] for each in (*SHOCKS, "gpu_rent_volatility_ratio")}
        if not any(float(shown[each].value.flat[0]) for each in SHOCKS):
            return trend
        for each in (*shown.values(), self.facts.nodes["gpu_rent_half_life_months"]):
            self.table.fixed.add(self.table.add(each, ""))
        months = np.arange(self.facts.months_count)
        months = months // term * term if term else months
        chance = np.exp(np.ravel(rent_chance(self.facts)))[months]
        words = "what chance does to GPU rents, as the scenario sets it"
        given = new.given("gpu_rent_chance_ratio", tuple(float(each) for each in chance), words)
        read = {"trend": trend, "chance": given}
        return new.month("gpu_rent_ratio", "trend * chance", read, "the trend of GPU rents and its chance", value=1.0)

    def _priced(self, line: CostLine, key: str, path: str, new: NewCells) -> str:
        name = f"{_plain(line.name)}_usd_per_month"
        return new.month(name, "line * price", {"line": key, "price": path}, "the line at the month's price")

    def _move(self, cost: OptionCost, roles: Roles, new: NewCells) -> str:
        once = {
            _plain(each.name): roles[each.name] for each in cost.breakdown.counted if price_of(each, cost) == "once"
        }
        expression = f"({' + '.join(once) or '0'}) * {self.facts.months_count}"
        return new.today("move_usd", expression, once, "the move, which its line spreads over the months")

    def _present(self, found: Roles, new: NewCells) -> None:
        read = {"cash": found["cash"], "discount": self.paths["discount"]}
        present = new.month("present_usd_per_month", "cash * discount", read, "the month's cash, discounted to today")
        so_far = new.key("present_so_far_usd")
        read = {"before": f"before:{so_far}", "first": found["upfront_usd"], "present": present}
        words = "what is paid at the start, and all months up to this one"
        expression = "where(month_count > 1, before, first) + present"
        new.month("present_so_far_usd", expression, read, words)
        read = {"upfront": found["upfront_usd"], "months": f"sum:{present}"}
        words = "what is paid at the start, and all months, discounted to today"
        cost = new.late("present_cost_usd", "upfront + months", read, words)
        found |= {"discount": self.paths["discount"], "present": present}
        found |= {"cumulative": so_far, "present_cost_usd": cost}

    def _keys(self, path: Formula, elapsed: str) -> dict[str, str]:
        """The cells behind the parameters of a path."""
        nodes = self.facts.nodes
        return {each: elapsed if each == ELAPSED else self.table.add(nodes[each], "") for each in path.parameters}


def _plain(name: str) -> str:
    """A line's name as a name in an expression."""
    return re.sub(r"\W", "_", name)
