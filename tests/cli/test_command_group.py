"""Command group: an unknown command or a word too many is told what was meant."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from breakeven.cli import main


def told(words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """The last line that a refused command line prints."""
    monkeypatch.setattr(sys, "argv", ["breakeven", *words])
    with pytest.raises(SystemExit) as stop:
        main.main()
    assert stop.value.code == 2
    return capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "clause"),
    [
        (["cmpare"], "no verb 'cmpare'; did you mean 'compare'?"),
        (["gateway"], "did you mean 'serve' (the gateway: "),
        (["zzz"], "known: audit, bench,"),
        (["pilot", "statsu"], "no command 'statsu'; did you mean 'status'?"),
        (["pilot", "nope"], "known: init, label,"),
        (["catalog", "chek"], "did you mean 'check'?"),
        (["audit", "lable"], "did you mean 'label'?"),
    ],
)
def test_the_nearest_command_is_named(
    words: list[str], clause: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert clause in told(words, monkeypatch, capsys)


def test_a_log_given_by_its_name_alone_is_told_the_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "my calls.jsonl"
    log.touch()
    for verb in ("compare", "audit"):
        assert told([verb, str(log)], monkeypatch, capsys).endswith(f"breakeven {verb} --usage '{log}'")
    assert told([str(log)], monkeypatch, capsys).endswith(f"breakeven compare --usage '{log}'")
    assert "--usage" not in told(["compare", str(tmp_path / "none.jsonl")], monkeypatch, capsys)
    assert "--usage" not in told(["pilot", str(log)], monkeypatch, capsys)
