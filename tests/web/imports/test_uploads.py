"""Uploads: imported as the command imports them; a cut, a cancel, a bomb or a strange name loses nothing."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

from breakeven.cli.main import group
from breakeven.errors import UploadError
from breakeven.usage.store import CallStore
from breakeven.usage.store.intake import Intake
from breakeven.web.imports import uploads
from breakeven.web.imports.uploads import Choices, begin, find_upload, folder_of, keep_upload, new_key, state_of
from breakeven.web.jobs import Job
from breakeven.web.page import Desk
from breakeven.web.project import Project
from web.dashboards import client_of
from web.made_project import desk_of

CALL = '{"id": "%s", "timestamp": "2026-11-02T10:%02d:00Z", "model": "gpt-5", "input_tokens": 10, "output_tokens": 1}\n'
CALLS = "".join(CALL % (f"r{number}", number % 60) for number in range(50))
BAD = CALLS + "not json\n" + CALL.replace("10,", "-1,") % ("bad", 1) + CALL % ("r1", 1)


@pytest.fixture
def desk(empty_project: Project) -> Desk:
    """A desk of a project without calls."""
    return desk_of(empty_project)


@pytest.fixture
def client(desk: Desk) -> Iterator[TestClient]:
    """Asks the app of that desk."""
    with client_of(desk) as made:
        yield made


def sent(client: TestClient, files: list[tuple[str, bytes]], **fields: str) -> tuple[str, Desk]:
    """Upload as the form does; the address of the result, once the job is over."""
    desk: Desk = client.app.state.desk  # type: ignore[attr-defined]
    told = client.post("/import/upload", data=fields, files=[("files", each) for each in files], follow_redirects=False)
    assert told.status_code == 303, told.text
    address = told.headers["location"]
    job = desk.jobs.last(f"import {address.rpartition('/')[2]}")
    assert job is not None
    assert job.wait(60)
    return address, desk


def test_it_is_what_the_command_says(client: TestClient, tmp_path: Path) -> None:
    address, desk = sent(client, [("logs.jsonl", BAD.encode())])
    (tmp_path / "logs.jsonl").write_text(BAD)
    words = ["import", str(tmp_path / "logs.jsonl"), "--store", str(tmp_path / "store"), "--json"]
    told = json.loads(CliRunner().invoke(group, words, catch_exceptions=False).stdout)
    found = client.get(f"/api{address}").json()
    same = {"store": "", "reject_file": ""}
    assert {**found, **same} == {**told, **same}
    assert found["rows_in"] == found["calls"] + found["duplicates"] + found["rejects"] == 53
    page = client.get(address).text
    assert "53 rows in (breakeven) = 50 calls + 1 duplicate + 2 rejects" in page
    assert "not valid JSON" in page
    assert "input_tokens is negative" in page
    with CallStore(desk.project.store) as ours, CallStore(tmp_path / "store") as theirs:
        assert ours.digest() == theirs.digest()
    kept = desk.project.store / "rejects" / found["reject_file"]
    assert client.get(f"{address}/rejects").content == kept.read_bytes()


def test_the_logs_are_gone_once_they_are_in_the_store(client: TestClient) -> None:
    address, desk = sent(client, [("one.jsonl", CALLS.encode()), ("two.jsonl", b"")])
    folder = folder_of(desk, address.rpartition("/")[2])
    assert sorted(each.name for each in folder.iterdir()) == ["result.json", "upload.json"]
    again, _ = sent(client, [("one.jsonl", CALLS.encode())])
    assert client.get(f"/api{again}").json()["calls"] == 0


def test_prompts_are_dropped_unless_somebody_says_otherwise(client: TestClient, desk: Desk) -> None:
    row = json.loads(CALLS.splitlines()[0]) | {"prompt": "call Ada Lovelace at +44 20 7946 0958", "response": "ok"}
    sent(client, [("a.jsonl", json.dumps(row).encode())])
    with CallStore(desk.project.store) as store:
        assert store.texts().count().to_pyarrow().as_py() == 0
    sent(client, [("b.jsonl", json.dumps(row | {"id": "other"}).encode())], prompts="redact")
    with CallStore(desk.project.store) as store:
        kept = store.texts().to_pyarrow().to_pylist()
    assert len(kept) == 1
    assert "7946" not in str(kept)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../../etc/cron.d/x", "x"),
        ("..\\..\\evil.jsonl", "evil.jsonl"),
        ("NUL", "upload_NUL"),
        (".htaccess", "htaccess"),
        ("a\u202egpj.jsonl", "a_gpj.jsonl"),
        ("／etc／passwd", "passwd"),
        ("<script>.jsonl", "script_.jsonl"),
        ("x" * 400, "x" * 79),
    ],
)
def test_a_name_cannot_leave_the_folder(client: TestClient, desk: Desk, name: str, kept: str) -> None:
    before = {each for each in desk.project.folder.rglob("*") if each.is_file()}
    address, _ = sent(client, [(name, CALLS.encode())])
    assert client.get(f"/api{address}").json()["files"] == [kept]
    new = {each for each in desk.project.folder.rglob("*") if each.is_file()} - before
    assert all(desk.project.store in each.parents for each in new)
    assert "<script>." not in client.get(address).text


def test_two_files_of_one_name_are_two_files(client: TestClient) -> None:
    other = CALLS.replace('"r', '"s')
    address, _ = sent(client, [("a.jsonl", CALLS.encode()), ("A.jsonl", other.encode())])
    found = client.get(f"/api{address}").json()
    assert (found["files"], found["calls"]) == (["a.jsonl", "A-2.jsonl"], 100)


def test_a_bomb_and_an_archive_are_refused(client: TestClient, desk: Desk) -> None:
    bomb = gzip.compress(b'{"a": "' + b"0" * (40 << 20), 9)
    address, _ = sent(client, [("bomb.jsonl.gz", bomb), ("good.jsonl", CALLS.encode())])
    found = client.get(f"/api{address}").json()
    assert found["calls"] == 50
    zipped, _ = sent(client, [("logs.zip", b"PK\x03\x04" + b"\0" * 100)])
    page = client.get(zipped)
    assert "zip archive" in page.text
    assert str(desk.project.folder) not in page.text.replace(desk.project.name, "")
    assert "Try again" in page.text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"prompts": "steal"}, "wanted drop, redact or keep"),
        ({"format": "nobody"}, "nobody"),
        ({"maps": "input_tokens"}, "FIELD=COLUMN"),
        ({"maps": "nobody=x"}, "no such field"),
        ({"sampling_rate": "1,5"}, "wanted a number"),
        ({"sampling_rate": "0"}, "sampling rate"),
        ({"sampling_rate": "nan"}, "sampling rate"),
    ],
)
def test_choices_that_make_no_sense_are_refused_before_anything_is_kept(
    client: TestClient, desk: Desk, fields: dict[str, str], words: str
) -> None:
    told = client.post("/import/upload", data=fields, files=[("files", ("a.jsonl", CALLS.encode()))])
    assert told.status_code == 400
    assert words in told.text
    assert not list((desk.project.kept / "uploads").iterdir())
    assert not (desk.project.store / "manifest.json").exists()


def test_no_file_no_form_and_too_many_files_are_said(client: TestClient, desk: Desk) -> None:
    assert "no file was chosen" in client.post("/import/upload", files=[("files", ("", b""))]).text
    assert client.post("/import/upload", json={}).status_code == 400
    many = [("files", (f"{number}.jsonl", b"{}")) for number in range(201)]
    told = client.post("/import/upload", files=many)
    assert (told.status_code, "more than 200 files came" in told.text) == (400, True)
    assert "breakeven import FOLDER" in told.text
    assert "Too many files" not in told.text  # the parser's words
    wide = client.post("/import/upload", data={"maps": "x" * 20_000}, files=[("files", ("a.jsonl", b"{}"))])
    assert "a field of the form is longer than 16 KiB" in wide.text
    assert not list((desk.project.kept / "uploads").iterdir())


def test_an_upload_that_is_too_large_is_refused_at_once(client: TestClient, desk: Desk) -> None:
    head = {"content-length": str(3 * 2**30), "content-type": "multipart/form-data; boundary=x"}
    told = client.post("/import/upload", headers=head, content=b"--x")
    assert told.status_code == 413
    assert "Nothing was changed" in told.text


def test_a_full_disk_is_said(client: TestClient, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(desk.project.folder)
    monkeypatch.setattr(uploads.shutil, "disk_usage", lambda _: replace_free(usage))
    told = client.post("/import/upload", files=[("files", ("a.jsonl", CALLS.encode()))])
    assert (told.status_code, "no room" in told.text) == (400, True)


def replace_free(usage: object) -> object:
    return usage._replace(free=1_000)  # type: ignore[attr-defined]


@pytest.mark.parametrize("cut", [0.3, 0.9, 0.999])
def test_an_upload_cut_half_way_leaves_nothing(client: TestClient, desk: Desk, cut: float) -> None:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="prompts"\r\n\r\nkeep\r\n--x\r\n'
        b'Content-Disposition: form-data; name="files"; filename="a.jsonl"\r\n\r\n' + CALLS.encode() + b"\r\n--x--\r\n"
    )
    head = {"content-type": "multipart/form-data; boundary=x"}
    told = client.post("/import/upload", headers=head, content=body[: int(len(body) * cut)])
    assert (told.status_code, "nothing was imported" in told.text) == (400, True)
    assert not list((desk.project.kept / "uploads").iterdir())
    assert not (desk.project.store / "manifest.json").exists()


def test_cancelling_keeps_what_is_in_the_store_and_it_can_go_on(
    client: TestClient, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("breakeven.usage.store.intake.STEP_FILES", 1)
    names = ("a.jsonl", "b.jsonl", "c.jsonl")
    upload = _kept(desk, {name: CALLS.replace('"r', f'"{name[0]}') for name in names})
    second, go = threading.Event(), threading.Event()
    usual = Intake._take_file

    def slowly(self: Intake, path: Path, name: str, is_alone: bool) -> None:
        if name == "b.jsonl" and not go.is_set():
            second.set()
            go.wait(30)
        usual(self, path, name, is_alone)

    monkeypatch.setattr(Intake, "_take_file", slowly)
    job = begin(desk, upload)
    assert second.wait(30)
    assert client.post(f"/jobs/{job.key}/cancel").status_code == 200
    go.set()
    assert job.wait(30)
    assert job.state == "cancelled"
    with CallStore(desk.project.store) as store:
        assert store.calls_count == store.calls().count().to_pyarrow().as_py() == 50
    page = client.get(f"/import/{upload.key}").text
    assert "1 files are in the store" in page
    assert "Go on" in page
    assert not list(desk.project.store.glob(".staging/*"))
    client.post(f"/import/{upload.key}/again")
    again = desk.jobs.last(upload.job_name)
    assert again is not None
    assert again.wait(60)
    with CallStore(desk.project.store) as store:
        assert store.calls_count == store.calls().count().to_pyarrow().as_py() == 150
    assert state_of(desk, find_upload(desk, upload.key))[0] == "done"


def _kept(desk: Desk, files: dict[str, str]) -> uploads.Upload:
    key = new_key()
    folder = folder_of(desk, key)
    (folder / "files").mkdir(parents=True)
    for name, text in files.items():
        (folder / "files" / name).write_text(text)
    return keep_upload(folder, key, tuple(files), Choices())


def test_what_a_server_left_when_it_died_can_go_on_or_be_discarded(client: TestClient, desk: Desk) -> None:
    left, other = (_kept(desk, {"a.jsonl": CALLS}) for _ in range(2))
    half = desk.project.kept / "uploads" / new_key()  # it died while the files came
    (half / "files").mkdir(parents=True)
    assert client.get("/import").text.count("Not imported yet") == 2
    assert "Go on" in client.get(f"/import/{left.key}").text
    assert client.get("/api/import").json()["uploads"][0]["state"] == "interrupted"
    client.post(f"/import/{left.key}/again")
    job = desk.jobs.last(left.job_name)
    assert isinstance(job, Job)
    assert job.wait(60)
    assert client.get(f"/api/import/{left.key}").json()["calls"] == 50
    client.post(f"/import/{other.key}/discard")
    assert not other.folder.exists()
    with pytest.raises(UploadError):
        find_upload(desk, other.key)
    os.utime(half, (1, 1))
    sent(client, [("b.jsonl", CALLS.encode())])
    assert not half.exists()


def test_two_imports_at_once_wait_for_each_other(desk: Desk) -> None:
    made = [_kept(desk, {f"{name}.jsonl": CALLS.replace('"r', f'"{name}')}) for name in "ab"]
    jobs = [begin(desk, each) for each in made]
    assert all(job.wait(60) for job in jobs)
    assert [job.state for job in jobs] == ["done", "done"]
    with CallStore(desk.project.store) as store:
        assert store.calls_count == 100


@pytest.mark.parametrize("key", ["%2e%2e%2fedits", "x", "0" * 32, "%2e%2e", "a" * 31 + "/"])
def test_no_other_folder_is_an_upload(client: TestClient, key: str) -> None:
    assert client.get(f"/import/{key}").status_code in (400, 404)
    assert client.get(f"/import/{key}/rejects").status_code in (400, 404)
    assert client.post(f"/import/{key}/discard").status_code in (400, 404)


def test_a_rejects_name_that_was_tampered_with_leads_nowhere(client: TestClient) -> None:
    address, desk = sent(client, [("a.jsonl", BAD.encode())])
    result = folder_of(desk, address.rpartition("/")[2]) / "result.json"
    for name in ("../manifest.json", "/etc/passwd", "..", ""):
        result.write_text(re.sub(r'"reject_file": "[^"]*"', f'"reject_file": "{name}"', result.read_text()))
        assert client.get(f"{address}/rejects").status_code == 404


def test_a_stranger_without_the_token_uploads_nothing(client: TestClient, desk: Desk) -> None:
    token = client.headers.pop("x-breakeven-csrf")
    told = client.post("/import/upload", files=[("files", ("a.jsonl", CALLS.encode()))])
    assert told.status_code == 403
    assert not desk.project.kept.exists()
    fields = [("csrf", (None, token)), ("files", ("a.jsonl", CALLS.encode()))]
    assert client.post("/import/upload", files=fields, follow_redirects=False).status_code == 303


def test_the_salt_of_hashes_is_that_of_the_command(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BREAKEVEN_SALT", "pepper")
    assert replace(Choices(), maps=("record_id=",)).settings().salt == "pepper"
