"""Redaction of kept prompts: what is found, what stays, and no network on the way."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from breakeven.errors import UsageError
from breakeven.usage.plan import ImportSettings
from breakeven.usage.prompts.personal_data import DETECTED, PersonalDataRedactor
from breakeven.usage.store import CallStore

from ..logs import NOW, jsonl, row, write


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise AssertionError("a redactor may not use the network")

    for name in ("create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refused)
    monkeypatch.setattr(socket.socket, "connect", refused)


@pytest.fixture(scope="module")
def redactor() -> PersonalDataRedactor:
    pytest.importorskip("presidio_analyzer")
    return PersonalDataRedactor()


FOUND = {
    "EMAIL_ADDRESS": ["ann.b+c@mail.example.co.uk", "x@example.com"],
    "PHONE_NUMBER": ["+49 30 901820", "(212) 555-0134", "020 7946 0958"],
    "CREDIT_CARD": ["4111 1111 1111 1111", "5555555555554444"],
    "IBAN_CODE": ["DE89 3704 0044 0532 0130 00"],
    "IP_ADDRESS": ["192.168.1.20", "2001:db8::1", "fe80::1ff:fe23:4567:890a"],
    "MAC_ADDRESS": ["00:1B:44:11:3A:B7"],
    "CRYPTO": ["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"],
    "US_SSN": ["536-90-4399"],
    "UK_NINO": ["AB123456C"],
    "ES_NIF": ["12345678Z"],
    "IT_FISCAL_CODE": ["RSSMRA85T10A562S"],
    "SECRET": [
        *("sk-proj-abcdefghijklmnop1234", "AKIAIOSFODNN7EXAMPLE", "ghp_" + "a1B2" * 9),
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NSJ9.dozjgNryP4J3jVmNHl0w5N",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
    ],
}


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in FOUND.items() for text in texts])
def test_what_is_found(redactor: PersonalDataRedactor, kind: str, text: str) -> None:
    (found,) = redactor.redacted([f"please use {text} now"])
    assert found is not None
    assert text not in found and f"<{kind}>" in found
    assert found.startswith("please") and found.endswith(" now")


def test_every_kind_is_tested_above_but_one_that_looks_like_a_phone_number() -> None:
    assert set(DETECTED) - set(FOUND) == {"UK_NHS"}


@pytest.mark.parametrize(
    "text",
    [
        "Ann Miller of Acme lives at 5 Main Street, born 2 May 1980",
        "std::vector<int> a; ab::cd; 10:30:00; 2026-11-02; $1,234.50; 4711 tokens",
        "{not json",
    ],
)
def test_what_stays(redactor: PersonalDataRedactor, text: str) -> None:
    assert redactor.redacted([text, None]) == [text, None]


def test_json_stays_json(redactor: PersonalDataRedactor) -> None:
    messages = [{"role": "user", "content": 'say "hi"\nann@example.com'}]
    (found,) = redactor.redacted([json.dumps(messages)])
    assert json.loads(found or "") == [{"role": "user", "content": 'say "hi"\n<EMAIL_ADDRESS>'}]


def test_import_keeps_redacted_texts(tmp_path: Path, redactor: PersonalDataRedactor) -> None:
    rows = [row(0, prompt="Mail ann@example.com", response="Sent to ann@example.com", system="From bob@example.com")]
    with CallStore(tmp_path / "store") as store:
        store.ingest(write(tmp_path, jsonl(*rows)), now=NOW, settings=ImportSettings(prompts="redact"))
        (text,) = store.texts().to_pyarrow().to_pylist()
        (call,) = store.calls().to_pyarrow().to_pylist()
    assert text == {
        "record_id": "call-0",
        "system": "From <EMAIL_ADDRESS>",
        "prompt": "Mail <EMAIL_ADDRESS>",
        "response": "Sent to <EMAIL_ADDRESS>",
    }
    assert call["redaction"] == "prompt kept redacted"
    assert not any(b"example.com" in path.read_bytes() for path in (tmp_path / "store").rglob("*.parquet"))


def test_without_presidio_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "presidio_analyzer", None)
    with pytest.raises(UsageError, match=r"pip install breakeven\[redact\]"):
        PersonalDataRedactor()
