"""A big import commits in steps: what is finished survives a stop, and the same command goes on."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from breakeven.cli.main import group
from breakeven.usage.call import CALL_COLUMNS
from breakeven.usage.ingest_report import Progress
from breakeven.usage.store import CallStore, intake
from breakeven.usage.store.digest import file_sums

from ..logs import NOW, jsonl, row, stored_calls, write

NEW = ("audio_input_tokens", "audio_output_tokens", "image_input_tokens", "endpoint", "has_tools", "prompt_words")


def logs(folder: Path) -> Path:
    for number in range(4):
        rows = [row(10 * number + each, prompt="invoice") for each in range(10)]
        write(folder, jsonl(*rows, "not JSON"), f"logs/{number}.jsonl")
    return folder / "logs"


def stop_at(number: int) -> object:
    def look(at: Progress) -> None:
        if at.files_done == number:
            raise KeyboardInterrupt

    return look


def test_steps_give_what_one_step_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with CallStore(tmp_path / "one") as store:
        whole, digest, words = store.ingest(logs(tmp_path), now=NOW), store.digest(), store.vocabulary()
    monkeypatch.setattr(intake, "STEP_FILES", 1)
    with CallStore(tmp_path / "steps") as store:
        report = store.ingest(tmp_path / "logs", now=NOW)
        assert (report.files, report.rejects) == (whole.files, whole.rejects)
        assert (store.digest(), store.vocabulary()) == (digest, words)
        assert words and len(store.imported()) == 4


def test_a_stop_keeps_what_is_committed_and_the_next_import_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "STEP_FILES", 1)
    with CallStore(tmp_path / "store") as store:
        with pytest.raises(KeyboardInterrupt):
            store.ingest(logs(tmp_path), now=NOW, progress=stop_at(2))  # type: ignore[arg-type]
        assert [each.name for each in store.imported()] == ["0.jsonl", "1.jsonl"]
        assert store.calls_count == 20
        report = store.ingest(tmp_path / "logs", now=NOW)
        assert [each.status for each in report.files] == ["already imported"] * 2 + ["imported"] * 2
        assert store.calls_count == 40


def test_the_command_says_what_it_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "STEP_FILES", 1)
    monkeypatch.setattr(intake.Intake, "_report_progress", lambda self: stop_at(2)(_at(self)))  # type: ignore[operator]
    arguments = ["import", str(logs(tmp_path)), "--store", str(tmp_path / "store")]
    result = CliRunner().invoke(group, arguments)
    assert result.exit_code == 130
    assert "stopped: 2 files are in the store; the same command goes on" in result.output


def _at(one: intake.Intake) -> Progress:
    return Progress("", len(one._tallies) - 1, 4, 0, 0)


def test_a_store_from_before_the_new_columns_is_read(tmp_path: Path) -> None:
    old, new = (write(tmp_path, jsonl(row(n), row(n + 1_500)), f"{n}.jsonl") for n in (0, 1))
    with CallStore(tmp_path / "store") as store:
        store.ingest(old, now=NOW)
        before, digest = stored_calls(store), store.digest()
    (path,) = (tmp_path / "store").rglob("calls-*.parquet")
    whole = pq.read_table(path, partitioning=None)
    pq.write_table(whole.select([each.name for each in CALL_COLUMNS if each.name not in NEW]), path)
    with CallStore(tmp_path / "store") as store:
        for mine, theirs in zip(stored_calls(store), before, strict=True):
            assert mine == theirs
        sums = file_sums(store._engine, tmp_path / "store", [path.relative_to(tmp_path / "store").as_posix()])
        assert store.digest() == digest and len(sums) == 1
        assert store.ingest(new, now=NOW).calls == 2
        again = stored_calls(store)
        assert len(again) == 4 and [each["audio_input_tokens"] for each in again] == [0] * 4
