"""Safe names: whatever somebody calls a file, its name stays in its folder."""

from __future__ import annotations

import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.web.safe_names import RESERVED, safe_file_name, safe_stem

texts = st.text(max_size=300) | st.text(st.sampled_from("./\\\0\n con:aux～．／＼\u202e"), max_size=40)


@pytest.mark.parametrize(
    ("said", "safe"),
    [
        ("calls.jsonl", "calls.jsonl"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("/etc/passwd", "passwd"),
        ("..", "file"),
        (".bashrc", "bashrc"),
        ("_hidden.csv", "hidden.csv"),
        ("NUL", "file_NUL"),
        ("com1.jsonl", "file_com1.jsonl"),
        ("a\0b.csv", "a_b.csv"),
        ("a\nb.csv", "a_b.csv"),
        ("．．／．．／x", "x"),
        ("calls.jsonl.gz", "calls.jsonl.gz"),
        ("a" * 500 + ".jsonl", "a" * 74 + ".jsonl"),
        ("\u202egpj.exe", "gpj.exe"),
        ("<img src=x>.csv", "img_src_x_.csv"),
    ],
)
def test_known_tricks(said: str, safe: str) -> None:
    assert safe_file_name(said) == safe


@given(texts)
def test_a_name_is_one_step_into_a_folder(said: str) -> None:
    name = safe_file_name(said)
    assert re.fullmatch(r"[\w.\-]+", name)
    assert os.path.normpath(f"/srv/x/{name}") == f"/srv/x/{name}"
    assert name[0] not in "._-"
    assert name.split(".")[0].lower() not in RESERVED
    assert len(name.encode()) <= 200


@given(texts)
def test_a_stem_is_stable_and_has_no_dots(said: str) -> None:
    stem = safe_stem(said)
    assert "." not in stem
    assert safe_stem(stem) == stem
    assert not stem or safe_file_name(f"{stem}.yaml") == f"{stem}.yaml"
