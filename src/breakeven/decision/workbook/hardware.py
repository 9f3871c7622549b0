"""Hardware: what an option buys before each month, what it sells at the end of a life, and what is left at the end."""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.costs.ownership import gpu_residual_fraction
from breakeven.decision.workbook.new_cells import NewCells
from breakeven.facts.trace import Node
from breakeven.options.option import Capital


@dataclass(frozen=True, slots=True)
class Bought:
    """Keys of what the cash of an option reads."""

    net: str
    """Bought before each month, less what is sold at the end of its life."""
    at_end: str
    """What all of it brings after the last month."""


@dataclass(frozen=True, slots=True)
class HardwareMonths:
    """Adds the cells of one option's hardware; `horizon/exact.py` says the same in arrays."""

    new: NewCells
    months_count: int
    residual_facts: tuple[Node, Node]

    def add(self, capital: Capital) -> Bought:
        """Purchases when the fleet grows or hardware ends its life, and what is sold."""
        new, table = self.new, self.new.table
        capex, life = (table.add(each, new.option) for each in (capital.capex_usd, capital.lifetime_months))
        words = "months until hardware is sold, from the day it is bought"
        whole = new.today("whole_life_months", "max(ceil(life), 1)", {"life": life}, words)
        age = (
            table.add(capital.age_months, new.option)
            if capital.age_months is not None
            else new.today("bought_age_months", "0", {}, "bought new")
        )
        bought, in_use = new.key("hardware_bought_usd"), new.key("hardware_in_use_usd")
        read = {"bought": f"until:{bought}", "life": whole}
        words = "purchases that reach the end of their life before the month"
        gone = new.month("hardware_gone_usd", "earlier(bought, month_count - life)", read, words)
        read = {"before": f"before:{in_use}", "bought": f"before:{bought}", "gone": gone}
        new.month("hardware_in_use_usd", "before + bought - gone", read, "purchases still in use before the month")
        read = {"capex": capex, "in_use": in_use}
        words = "bought before the month: what the fleet costs beyond what is in use"
        new.month("hardware_bought_usd", "max(capex - in_use, 0)", read, words)
        worth = self._worth(
            age, new.today("sold_age_months", "age + life", {"age": age, "life": whole}, "age when sold")
        )
        read = {"bought": bought, "gone": gone, "worth": worth}
        net = new.month(
            "hardware_usd", "bought - gone * worth", read, "bought before the month, less what is sold then"
        )
        return Bought(net, self._at_end(bought, whole, age))

    def _at_end(self, bought: str, whole: str, age: str) -> str:
        new, months = self.new, self.months_count
        words = "age after the last month of what is bought before this one"
        final = new.month("final_age_months", f"age + ({months} - month_count + 1)", {"age": age}, words)
        worth = self._worth(age, final)
        read = {"life": whole, "bought": bought, "worth": worth}
        expression = f"where(life > {months} - month_count, bought, 0) * worth"
        words = "what this month's purchase brings after the last month"
        left = new.month("hardware_left_usd", expression, read, words)
        return new.late(
            "hardware_at_end_usd", "left", {"left": f"sum:{left}"}, "what all hardware brings after the last month"
        )

    def _worth(self, age: str, later: str) -> str:
        """Resale value at the age `later`, over that at the age when it was paid for."""
        new = self.new
        year3, year5 = (new.table.add(each, "") for each in self.residual_facts)
        facts = {"gpu_residual_year3_fraction": year3, "gpu_residual_year5_fraction": year5}
        moves = new.table.cells[later].moves
        at_age = new.formula(gpu_residual_fraction, {**facts, "gpu_lifetime_months": age}, name="paid_at_age_fraction")
        then = new.formula(
            gpu_residual_fraction, {**facts, "gpu_lifetime_months": later}, has_today=not moves, name="resale_fraction"
        )
        read, words = {"then": then, "at_age": at_age}, "resale value over what was paid"
        if moves:
            return new.month("kept_value_ratio", "then / at_age", read, words)
        return new.today("kept_value_ratio", "then / at_age", read, words)
