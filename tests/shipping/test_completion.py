"""Completion: the script is the shell's own language, and what it calls names verbs, options and choices."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest
from click.testing import CliRunner

from breakeven.cli.main import group


def completed(words: str, count: int) -> set[str]:
    """What bash is told for words that are typed so far."""
    asked = {"_BREAKEVEN_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(count)}
    program = "import sys; sys.argv[0] = 'breakeven'; from breakeven.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | asked, capture_output=True, text=True, check=True
    )
    return {line.partition(",")[2] for line in done.stdout.splitlines()}


def test_verbs_options_and_choices_are_completed() -> None:
    assert {"compare", "completion"} <= completed("breakeven comp", 1)
    assert completed("breakeven compare --usa", 2) == {"--usage"}
    assert completed("breakeven completion ", 2) == {"bash", "zsh", "fish"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_printed_and_the_shell_takes_it(shell: str) -> None:
    printed = CliRunner().invoke(group, ["completion", shell])
    assert printed.exit_code == 0 and "_BREAKEVEN_COMPLETE" in printed.output
    said = json.loads(CliRunner().invoke(group, ["completion", shell, "--json"]).output)
    assert said["script"].strip() == printed.output.strip() and shell in said["install"]
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed; its script was only printed")
    subprocess.run([shell, "-n"], input=printed.output, text=True, check=True)
