"""Reference: the page that prints the serving model: errors by regime, and every parameter with its range and meaning.

``python -m breakeven.serving.prediction.reference`` writes docs/reference/serving-model.md from data/coefficients.json.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from breakeven.serving.prediction.fitted_model import FittedModel, shipped_model
from breakeven.serving.prediction.parameters import PARAMETERS, Parameter

PAGE: Final = Path(__file__).parents[4] / "docs" / "reference" / "serving-model.md"


def page(model: FittedModel) -> str:
    """The page as Markdown."""
    assert model.errors is not None and model.source is not None
    ratios = ", ".join(f"{name} {ratio:.2f}" for name, ratio in model.latency_bound_ratios.items())
    lines = [
        "# The serving model in numbers",
        "",
        "Printed from `serving/prediction/data/coefficients.json` by",
        "`python -m breakeven.serving.prediction.reference`;",
        "[how it works and when it is wrong](../explanation/serving.md).",
        "",
        f"Source: {model.source.title}; {model.rows_count:,} rows, read {model.source.read},"
        f" grade {model.source.grade}.",
        "",
        "## Errors of output tokens per second on held-out rows",
        "",
        "| regime | rows | median | 90 % below | bias | within 25 % | 80 % interval |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, each in model.errors.items():
        lines.append(
            f"| {name.replace('|', ', ').replace('_', ' ')} | {each.rows_count:,} | "
            f"{100 * each.median_error_fraction:.1f} % | "
            f"{100 * each.p90_error_fraction:.1f} % | {100 * each.bias_fraction:+.1f} % | "
            f"{100 * each.within_quarter_fraction:.1f} % | "
            f"x/÷ {each.interval_ratio:.2f} |"
        )
    lines += [
        "",
        f"Under a latency target, throughput over that of offline work (MLPerf): {ratios}.",
        "",
        "## Parameters",
        "",
        "| parameter | unit | fitted | prior | bounds | meaning |",
        "|---|---|---|---|---|---|",
        *(_row(each, model.values[each.name]) for each in PARAMETERS),
        "",
    ]
    return "\n".join(lines)


def _row(each: Parameter, value: float) -> str:
    at_bound = " (at its bound)" if min(abs(value / each.low - 1), abs(value / each.high - 1)) < 1e-3 else ""
    span = f"{each.typical:.3g} | {each.low:.3g} to {each.high:.3g}"
    return f"| `{each.name}` | {each.unit} | {value:.3g}{at_bound} | {span} | {each.meaning} |"


if __name__ == "__main__":
    PAGE.write_text(page(shipped_model()), encoding="utf-8")
