"""The man page is printed from the verbs, names all of them, and man(1) has nothing to say against it."""

from __future__ import annotations

import shutil
import subprocess

import click
import pytest

from breakeven.cli.main import group
from breakeven.cli.man_page import PAGE, escaped, man_page


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == man_page(), "run `make docs`"


def test_every_verb_has_a_section_with_its_options() -> None:
    page = man_page()
    context = click.Context(group, info_name="breakeven")
    for name in group.list_commands(context):
        assert f".SH {escaped(f'breakeven {name}').upper()}\n" in page
    assert page.count("\n.SH BREAKEVEN COMPARE\n") == 1
    compare = page.partition("\n.SH BREAKEVEN COMPARE\n")[2].partition("\n.SH ")[0]
    assert "\\-\\-usage" in compare and "Example: breakeven compare" in compare


def test_no_text_becomes_a_request_of_the_formatter() -> None:
    assert [line for line in man_page().splitlines() if line[:1] in ".'" and line.split()[0] not in REQUESTS] == []


REQUESTS = {".TH", ".SH", ".TP", ".PP", ".B"}


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_groff_has_no_warning() -> None:
    done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-rCHECKSTYLE=1", str(PAGE)], capture_output=True)
    assert done.returncode == 0 and done.stderr == b""
    assert b"Cost every way to serve" in b" ".join(done.stdout.split())  # lines are filled and justified
