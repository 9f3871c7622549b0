"""Prompts on import: what is kept of them, with and without being asked to keep more."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from breakeven.usage.features import Hasher, features, system_hash_of
from breakeven.usage.plan import ImportSettings
from breakeven.usage.prompts.conversation import conversation
from breakeven.usage.store import CallStore, prompt_features
from breakeven.usage.store.vocabulary import CALLS_MIN_COUNT

from ..logs import NOW, imported, jsonl, row, write

CHAT = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Classify this ticket about invoices"}]


@pytest.mark.parametrize("logged", ["Plain text with numbers 42", CHAT, {"messages": CHAT, "tools": [{"name": "t"}]}])
@pytest.mark.parametrize("name", ["log.jsonl", "log.csv"])
def test_features_are_those_of_the_reference(tmp_path: Path, logged: Any, name: str) -> None:
    text = logged if isinstance(logged, str) else json.dumps(logged)
    if name == "log.jsonl":
        content = jsonl(row(0, messages=logged), row(1))
    else:
        quoted = text.replace('"', '""')
        content = f'timestamp,model,input_tokens,output_tokens,prompt\n2026-11-02T00:00:00Z,m,1,1,"{quoted}"\n'
    call = imported(tmp_path, content, name).calls[0]
    prompt, hasher = conversation(text), Hasher()
    wanted = features(prompt, hasher)
    for field in ("prompt_words", "prompt_terms", "prompt_counts"):
        assert tuple(call[field]) == getattr(wanted, field)
    assert call["system_hash"] == system_hash_of(prompt, "")
    assert (call["schema_hash"], call["has_tools"]) == (wanted.schema_hash, wanted.has_tools)
    assert call["redaction"] == "prompt dropped"


def test_rows_without_a_prompt_have_no_features(tmp_path: Path) -> None:
    found = imported(tmp_path, jsonl(row(0, prompt="Hello world"), row(1), row(2, prompt="Hello world"))).calls
    assert found[0]["prompt_words"] == found[2]["prompt_words"] is not None
    names = ("prompt_words", "prompt_terms", "prompt_counts", "prompt_hash", "system_hash", "redaction")
    assert [found[1][name] for name in names] == [None] * 6


def test_system_prompt_tools_and_schema_in_columns_of_their_own(tmp_path: Path) -> None:
    fields = {
        "prompt": "Hi",
        "system": "Be brief.",
        "tools": [{"name": "t"}],
        "response_format": {"type": "json_object"},
    }
    call = imported(tmp_path, jsonl(row(0, **fields))).only
    assert call["system_hash"] == system_hash_of(conversation("Hi", "Be brief."), "")
    assert call["schema_hash"] is not None and call["has_tools"] is True


def test_features_that_the_log_tells_count_first(tmp_path: Path) -> None:
    told = {"prompt": "Hello world", "prompt_words": [7], "has_tools": True, "system_hash": "s"}
    call = imported(tmp_path, jsonl(row(0, **told))).only
    assert (call["prompt_words"], call["has_tools"], call["system_hash"]) == ([7], True, "s")
    assert len(call["prompt_counts"]) == 14


def test_no_word_of_a_prompt_is_in_the_store(tmp_path: Path) -> None:
    rows = [row(number, prompt=f"Xylophone {number}", response="Marimba", system="Vibraphone") for number in range(5)]
    with CallStore(tmp_path / "store") as store:
        store.ingest(write(tmp_path, jsonl(*rows)), now=NOW)
    for path in (tmp_path / "store").rglob("*"):
        content = path.read_bytes().lower() if path.is_file() else b""
        assert not any(word in content for word in (b"xylophone", b"marimba", b"vibraphone"))


def test_many_prompts_and_few_give_the_same_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = jsonl(
        *(row(number, messages=CHAT, prompt=f"Ticket {number} of an upset customer") for number in range(50))
    )
    few = imported(tmp_path, content)
    monkeypatch.setattr(prompt_features, "KERNEL_TEXT_BYTES", 0)
    assert imported(tmp_path, content).digest == few.digest


def vocabulary(folder: Path, calls_count: int, **settings: Any) -> dict[int, str]:
    first = write(folder, jsonl(*(row(number, prompt=f"invoice w{number}") for number in range(calls_count))))
    with CallStore(folder / "store") as store:
        store.ingest(first, now=NOW, settings=ImportSettings(**settings))
        found = store.vocabulary()
        for path in store.path.glob("vocabulary.parquet"):
            assert path.stat().st_mode & 0o077 == 0
        return found


def test_the_vocabulary_names_words_that_many_calls_have(tmp_path: Path) -> None:
    assert vocabulary(tmp_path, CALLS_MIN_COUNT) == {Hasher().term(b"invoice"): "invoice"}


def test_rare_words_and_unwanted_ones_are_not_named(tmp_path: Path) -> None:
    assert vocabulary(tmp_path / "a", CALLS_MIN_COUNT - 1) == {}
    assert vocabulary(tmp_path / "b", CALLS_MIN_COUNT, vocabulary=False) == {}
    assert b"invoice" not in (tmp_path / "a/store/vocabulary.parquet").read_bytes()
    assert not (tmp_path / "b/store/vocabulary.parquet").exists()


def test_words_add_up_over_imports(tmp_path: Path) -> None:
    vocabulary(tmp_path, CALLS_MIN_COUNT - 1)
    more = write(tmp_path, jsonl(row(100, prompt="Invoice twice: invoice")), "more.jsonl")
    with CallStore(tmp_path / "store") as store:
        store.ingest(more, now=NOW)
        assert set(store.vocabulary().values()) == {"invoice"}


def test_texts_are_kept_apart_when_asked_for(tmp_path: Path) -> None:
    rows = [row(0, messages=CHAT, response="billing"), row(1), row(1_500, prompt="Mail ann@example.com")]
    with CallStore(tmp_path / "store") as store:
        store.ingest(write(tmp_path, jsonl(*rows)), now=NOW, settings=ImportSettings(prompts="keep"))
        texts = store.texts().order_by("record_id").to_pyarrow().to_pylist()
        calls = store.calls().order_by("record_id").to_pyarrow().to_pylist()
    assert [each["record_id"] for each in texts] == ["call-0", "call-1500"]
    assert texts[0] == {
        "record_id": "call-0",
        "system": "Be brief.",
        "prompt": json.dumps(CHAT).replace(": ", ":").replace(", ", ","),
        "response": "billing",
    }
    assert texts[1]["prompt"] == "Mail ann@example.com"
    assert [each["redaction"] for each in calls] == ["prompt kept", None, "prompt kept"]
    files = list((tmp_path / "store/texts").rglob("*.parquet"))
    assert [path.parent.name for path in files] == ["day=2026-11-02"]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files)


def test_texts_of_repeated_deliveries_are_given_once_and_strays_are_removed(tmp_path: Path) -> None:
    one = write(tmp_path, jsonl(row(0, prompt="a")), "one.jsonl")
    two = write(tmp_path, jsonl(row(0, prompt="a"), row(1, prompt="b")), "two.jsonl")
    stray = tmp_path / "store/texts/day=2026-11-02/texts-0.parquet"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"")
    settings = ImportSettings(prompts="keep")
    with CallStore(tmp_path / "store") as store:
        store.ingest([one], now=NOW, settings=settings)
        store.ingest([two], now=NOW, settings=settings)
        assert store.texts().count().to_pyarrow().as_py() == 2
    assert not stray.exists()


def test_no_texts_without_asking(tmp_path: Path) -> None:
    with CallStore(tmp_path / "store") as store:
        store.ingest(write(tmp_path, jsonl(row(0, prompt="a"))), now=NOW)
        assert store.texts().count().to_pyarrow().as_py() == 0
    assert not (tmp_path / "store/texts").exists()
