"""Keys that the admin API makes: hashed at rest, whole files only, and every wrong wish named."""

from __future__ import annotations

import json
import stat
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.errors import ConfigError
from breakeven.gateway.control.key_file import KeyFile, keys_in_force, read_key_file, write_key_file
from breakeven.gateway.control.key_requests import Denied, KeyDesk, MadeKey
from breakeven.gateway.plan import Key

MODELS = frozenset({"small", "big"})


def desk(tmp_path: Path, *configured: Key) -> KeyDesk:
    return KeyDesk(tmp_path / "keys.json", configured, MODELS)


def key(key_id: str, **more: object) -> Key:
    return Key(key_id, sha256(key_id.encode()).digest(), **more)  # type: ignore[arg-type]


def made(tmp_path: Path, **wanted: object) -> MadeKey:
    found = desk(tmp_path).make(json.dumps(wanted).encode())
    assert isinstance(found, MadeKey)
    return found


def test_a_secret_is_shown_once_and_kept_as_a_hash(tmp_path: Path) -> None:
    found = made(tmp_path, id="team-a", budget_usd=100, budget_days=7, models=["small"], expires="2027-01-31")
    assert found.secret.startswith("bk-") and len(found.secret) > 40
    assert found.key.key_hash == sha256(found.secret.encode()).digest()
    path = tmp_path / "keys.json"
    assert found.secret not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_key_file(path).keys == (found.key,)
    assert (found.key.budget_usd, found.key.budget_period_s) == (100.0, 7 * 86_400.0)
    assert found.key.allowed_models == ("small",)
    assert found.key.expires_unix_s == 1_801_440_000.0, "the end of that day"


def test_a_key_is_taken_on_its_last_day_and_not_made_after_it(tmp_path: Path) -> None:
    """As `expires` of the configuration: 2026-11-26 works all of that day."""
    noon_s = 1_795_694_400.0
    keys = KeyDesk(tmp_path / "keys.json", (), MODELS, now=lambda: noon_s)
    today = keys.make(b'{"id": "a", "expires": "2026-11-26"}')
    assert isinstance(today, MadeKey) and today.key.expires_unix_s == noon_s + 43_200
    yesterday = keys.make(b'{"id": "b", "expires": "2026-11-25"}')
    assert isinstance(yesterday, Denied) and "2026-11-25 is over" in yesterday.message


def test_two_keys_never_have_one_secret(tmp_path: Path) -> None:
    assert len({made(tmp_path, id=f"k{i}").secret for i in range(20)}) == 20


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"id": ""},
        {"id": "a b"},
        {"id": "a\r\nb"},
        {"id": "a", "budget_usd": -1},
        {"id": "a", "budget_usd": True},
        {"id": "a", "budget_usd": "100"},
        {"id": "a", "tokens_per_minute": 0},
        {"id": "a", "models": ["none-such"]},
        {"id": "a", "models": "small"},
        {"id": "a", "may_override": "yes"},
        {"id": "a", "expires": "soon"},
        {"id": "a", "expires": 7},
        {"id": "a", "application": ""},
        {"id": "a", "key_hash": "00"},
        [],
        None,
    ],
)
def test_wrong_wishes_are_refused(tmp_path: Path, wanted: object) -> None:
    found = desk(tmp_path).make(json.dumps(wanted).encode())
    assert isinstance(found, Denied) and found.http_status == 400
    assert not (tmp_path / "keys.json").exists()


def test_an_id_is_given_once(tmp_path: Path) -> None:
    both = desk(tmp_path, key("in-file"))
    assert isinstance(both.make(b'{"id": "a"}'), MadeKey)
    for body in (b'{"id": "a"}', b'{"id": "in-file"}'):
        found = both.make(body)
        assert isinstance(found, Denied) and found.http_status == 409


def test_disabling_reaches_keys_of_the_configuration_too(tmp_path: Path) -> None:
    both = desk(tmp_path, key("in-file"))
    both.make(b'{"id": "made"}')
    for each in ("in-file", "made"):
        both.set_disabled(each, True)
    assert all(each.is_disabled for each in both.all_keys())
    both.set_disabled("in-file", False)
    assert [each.is_disabled for each in both.all_keys()] == [False, True]
    assert isinstance(both.set_disabled("nobody", True), Denied)


def test_a_made_key_can_be_deleted_and_a_configured_one_not(tmp_path: Path) -> None:
    both = desk(tmp_path, key("in-file"))
    both.make(b'{"id": "made"}')
    assert both.delete("made") is None
    assert [each.id for each in both.all_keys()] == ["in-file"]
    refused, unknown = both.delete("in-file"), both.delete("made")
    assert refused is not None and refused.http_status == 409
    assert unknown is not None and unknown.http_status == 404


def test_the_configuration_wins_over_a_made_key_of_the_same_id() -> None:
    configured = key("a", budget_usd=1.0)
    assert keys_in_force([configured], KeyFile((key("a", budget_usd=99.0),))) == (configured,)


def test_a_damaged_file_is_an_error_and_not_an_empty_one(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    assert read_key_file(path) == KeyFile()
    short_hash = b'{"version": 1, "keys": [{"id": "a", "key_hash": "00"}], "disabled_ids": []}'
    for content in (b"", b"{", b"[]", b'{"version": 2}', short_hash):
        path.write_bytes(content)
        with pytest.raises(ConfigError, match=r"keys\.json"):
            read_key_file(path)


KEYS = st.builds(
    Key,
    id=st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True),
    key_hash=st.binary(min_size=32, max_size=32),
    application=st.none() | st.text(st.characters(codec="utf-8"), max_size=8),
    allowed_models=st.lists(st.sampled_from(["small", "big"]), max_size=2).map(tuple),
    may_override=st.booleans(),
    budget_usd=st.none() | st.floats(0, 1e9),
    budget_period_s=st.floats(1, 1e8),
    requests_per_minute=st.none() | st.floats(1e-9, 1e9),
    expires_unix_s=st.none() | st.floats(0, 1e10),
    is_disabled=st.booleans(),
)


IDS = st.frozensets(st.text(st.characters(codec="utf-8"), max_size=4), max_size=3)


@given(st.lists(KEYS, max_size=4, unique_by=lambda each: each.id), IDS)
def test_any_keys_survive(tmp_path_factory: pytest.TempPathFactory, keys: list[Key], ids: frozenset[str]) -> None:
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    write_key_file(path, KeyFile(tuple(keys), ids))
    assert read_key_file(path) == KeyFile(tuple(keys), ids)
    assert [each.name for each in path.parent.iterdir()] == ["keys.json"]
