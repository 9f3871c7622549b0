"""breakeven capacity from outside: no option is ignored, no target is met by accident."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from breakeven.cli import main
from breakeven.errors import ServingError
from breakeven.serving.prediction.capacity import largest_concurrency
from deployments import deployment

ONE = ("--model", "Llama-3.1-8B", "--gpu", "H100", "--input-tokens", "1000", "--output-tokens", "100")


def run(*arguments: str) -> str:
    found = CliRunner().invoke(main.group, ["capacity", *arguments], catch_exceptions=False, standalone_mode=False)
    return found.output


@pytest.mark.parametrize(
    "option", [("--ttft-ms", "500"), ("--gpus", "4"), ("--tp", "2"), ("--precision", "fp8"), ("--engine", "sglang")]
)
def test_options_that_a_table_would_ignore_are_refused(tmp_path: Path, option: tuple[str, str]) -> None:
    path = tmp_path / "points.csv"
    path.write_text("model,gpu,isl,osl\nLlama-3.1-8B,H100,100,100\n")
    with pytest.raises(click.UsageError, match=f"leave {option[0]} out"):
        run("--points", str(path), "--out", str(tmp_path / "out.csv"), *option)
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(("option", "value"), [("--tp", "0"), ("--ttft-ms", "inf"), ("--tpot-ms", "nan")])
def test_odd_numbers_are_refused(option: str, value: str) -> None:
    with pytest.raises(ServingError, match="wanted"):
        run(*ONE, option, value)


def test_one_token_has_no_time_per_output_token() -> None:
    each = deployment("Llama-3.1-8B", "H100-SXM-80")
    free, bound = (largest_concurrency(each, 1000, 1, tpot_ms=target) for target in (None, 10))
    assert free is not None
    assert free == bound
