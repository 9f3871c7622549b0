"""New cells: values that no Node stands for, written down for a workbook alone: one today, one for each month."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from breakeven.decision.workbook.cells import Cell, CellTable
from breakeven.decision.workbook.expression import evaluate, names_in
from breakeven.decision.workbook.translation import translate
from breakeven.facts.formula import Formula
from breakeven.units import unit_of

LAYER = "months"
"""Layer of what is written for the months."""


@dataclass(frozen=True, slots=True)
class NewCells:
    """Adds cells of one option (or of none) to a table."""

    table: CellTable
    option: str = ""

    def today(self, name: str, expression: str, inputs: Mapping[str, str], summary: str) -> str:
        """A value that does not move."""
        cell = self._cell(name, self._value(expression, inputs), summary)
        return self.table.keep(replace(cell, expression=expression, inputs=dict(inputs)), self.option)

    def month(
        self, name: str, expression: str, inputs: Mapping[str, str], summary: str, *, value: float | None = None
    ) -> str:
        """A value for each month; `value` today, where it has one before them."""
        cell = self._cell(name, value, summary)
        return self.table.keep(replace(cell, month_expression=expression, inputs=dict(inputs), moves=True), self.option)

    def given(self, name: str, values: tuple[float, ...], summary: str) -> str:
        """A value for each month that something else computed."""
        cell = self._cell(name, values[0], summary)
        return self.table.keep(replace(cell, month_values=values, moves=True, is_modelled=True), self.option)

    def late(self, name: str, expression: str, inputs: Mapping[str, str], summary: str) -> str:
        """A value that does not move and follows from the months."""
        cell = self._cell(name, None, summary)
        return self.table.keep(replace(cell, expression=expression, inputs=dict(inputs)), self.option)

    def formula(self, formula: Formula, keys: Mapping[str, str], *, has_today: bool = True, name: str = "") -> str:
        """The steps of `formula` over these cells; it moves where they do. `has_today`: False for the months alone."""
        steps, known = translate(formula), dict(keys)
        assert steps is not None, formula.qualified_name
        for step in steps:
            inputs = {each: known[each] for each in names_in(step.expression)}
            moves = any(self.table.cells[key].moves for key in inputs.values())
            shown = has_today or not moves
            value = self._value(step.expression, inputs) if shown else None
            last = step is steps[-1]
            cell = self._cell(name or step.name if last else step.name, value, formula.summary if last else "")
            now, then = (step.expression, "") if shown else ("", step.expression)
            cell = replace(cell, expression=now, month_expression=then, inputs=inputs, moves=moves)
            if not last:
                cell = replace(cell, step_of=formula.name, summary=f"a step towards {formula.name}")
            known[step.name] = self.table.keep(cell, self.option)
        return known[steps[-1].name]

    def key(self, name: str) -> str:
        """The key that a cell of that name will have, for cells that read each other."""
        key = f"{self.option}/{name}"
        assert key not in self.table.cells, key
        return key

    def _value(self, expression: str, inputs: Mapping[str, str]) -> float:
        return evaluate(expression, {each: self.table.today(key) for each, key in inputs.items()})

    def _cell(self, name: str, value: float | None, summary: str) -> Cell:
        return Cell("", name, unit_of(name) or "", value, summary=summary, layer=LAYER)
