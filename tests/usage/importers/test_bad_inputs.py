"""Bad inputs that real exports have, in every format that they can befall."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from breakeven.errors import UsageError
from breakeven.usage.importers import importers
from breakeven.usage.store import CallStore

from ..logs import NOW, Imported, imported_paths

FIXTURES = Path(__file__).parent / "fixtures"
_PLACE = ("source_file", "source_line")


def fixture(name: str) -> list[Path]:
    return sorted(each for each in (FIXTURES / name).iterdir() if each.name != "SOURCE.md")


@cache
def as_it_is(name: str) -> Imported:
    """The fixture of `name`, imported once for all that is compared with it."""
    return imported_paths(*fixture(name))


def plain(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data


def lines_of(path: Path) -> list[dict[str, Any]] | None:
    """The records of JSON lines; None for any other file."""
    try:
        found = [json.loads(line) for line in plain(path).splitlines()]
    except ValueError:
        return None
    return found if all(isinstance(each, dict) for each in found) else None


def records_of(path: Path) -> list[list[str]] | None:
    """The records of a table with commas; None for any other file."""
    text = plain(path).decode("utf-8-sig")
    if path.suffix != ".csv":
        return None
    return [each for each in csv.reader(io.StringIO(text)) if each]


def table(records: list[list[str]], delimiter: str = ",", **options: Any) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, **options).writerows(records)
    return out.getvalue().encode()


def as_objects(path: Path) -> Any:
    """What a JSON file holds, in one value."""
    lines = lines_of(path)
    if lines is not None:
        return lines if len(lines) > 1 else lines[0]
    try:
        return json.loads(plain(path))
    except ValueError:
        return None


def stored(found: Imported) -> list[dict[str, Any]]:
    """Calls and bills, but for where they stood, and for ids that are made from that."""
    rows = [{key: value for key, value in each.items() if key not in _PLACE} for each in (*found.calls, *found.bills)]
    return sorted(({**each, "record_id": each["record_id"].partition("row-")[0]} for each in rows), key=repr)


def rewritten(name: str, folder: Path, how: Callable[[Path], bytes | None]) -> list[Path] | None:
    """The fixture of `name` with every file that `how` applies to written anew; None where it applies to none."""
    changed = {each: how(each) for each in fixture(name)}
    if not any(changed.values()):
        return None
    for each, data in changed.items():
        (folder / each.name.removesuffix(".gz")).write_bytes(plain(each) if data is None else data)
    return sorted(folder.iterdir())


def every(how: Callable[[Path], bytes | None]) -> list[str]:
    """The formats with a file that `how` applies to."""
    names = sorted(name for name in importers() if (FIXTURES / name).is_dir())
    return [name for name in names if any(how(each) for each in fixture(name))]


def with_a_decimal_comma(path: Path) -> bytes | None:
    """As a spreadsheet of another locale saves it: semicolons, and commas for decimal points."""
    records = records_of(path)
    if records is None:
        return None
    number = re.compile(r"-?\d+\.\d+")
    local = [[each.replace(".", ",") if number.fullmatch(each) else each for each in record] for record in records]
    return table(local, ";")


@pytest.mark.parametrize("name", every(with_a_decimal_comma))
def test_a_decimal_comma(name: str, tmp_path: Path) -> None:
    files = rewritten(name, tmp_path, with_a_decimal_comma)
    assert files is not None
    assert stored(imported_paths(*files)) == stored(as_it_is(name))


def in_another_layout(path: Path) -> bytes | None:
    """The same export, written differently."""
    records, value = records_of(path), as_objects(path)
    if records is not None:
        return table(records, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    return None if value is None else json.dumps(value, indent=3).encode()


@pytest.mark.parametrize("name", every(in_another_layout))
def test_an_export_that_comes_again_in_another_layout_adds_nothing(name: str, tmp_path: Path) -> None:
    """Formats with ids of their own; where a row's place is its id, honest twins stay."""
    (tmp_path / "again").mkdir()
    files = rewritten(name, tmp_path / "again", in_another_layout)
    assert files is not None
    with CallStore(tmp_path / "store") as store:
        first = store.ingest(fixture(name), now=NOW)
        before = store.digest()
        ids = store.calls().record_id.to_pyarrow().to_pylist() + store.bills().record_id.to_pyarrow().to_pylist()
        if any(each.startswith("row-") for each in ids):
            pytest.skip("rows of this format have no ids")
        again = store.ingest(files, now=NOW)
        assert (again.calls, store.digest()) == (0, before)
        assert again.rows_in >= first.calls


def with_numbers_as_strings(path: Path) -> bytes | None:
    value = as_objects(path)
    return None if value is None else json.dumps(_texted(value)).encode()


def _texted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _texted(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_texted(inner) for inner in value]
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


@pytest.mark.parametrize("name", every(with_numbers_as_strings))
def test_numbers_as_strings(name: str, tmp_path: Path) -> None:
    files = rewritten(name, tmp_path, with_numbers_as_strings)
    assert files is not None
    found, good = imported_paths(*files), as_it_is(name)
    told = ("start_time", "input_tokens", "output_tokens", "cache_read_tokens", "cost_usd", "request_count")
    assert sorted(tuple(map(str, (each[key] for key in told))) for each in (*found.calls, *found.bills)) == sorted(
        tuple(map(str, (each[key] for key in told))) for each in (*good.calls, *good.bills)
    )


def with_a_long_line(path: Path) -> bytes | None:
    """The last record carries 50 MB, an image say."""
    lines = lines_of(path)
    if lines is None or len(lines) < 2:
        return None
    lines[-1] = {**lines[-1], "padding": "a" * 50_000_000}
    return "".join(json.dumps(each) + "\n" for each in lines).encode()


@pytest.mark.parametrize("name", ["bedrock", "litellm"])
def test_a_line_of_50_megabytes(name: str, tmp_path: Path) -> None:
    files = rewritten(name, tmp_path, with_a_long_line)
    if files is None:
        pytest.skip("no JSON lines in this fixture")
    assert stored(imported_paths(*files)) == stored(as_it_is(name))


@pytest.mark.parametrize("name", ["bedrock"])
def test_a_decompression_bomb_is_refused(name: str, tmp_path: Path) -> None:
    original = fixture(name)[-1]
    bomb = gzip.compress(plain(original) + b"\n" + b"0" * (260 << 20), compresslevel=1)
    (tmp_path / f"{original.name}.gz").write_bytes(bomb)
    report = imported_paths(tmp_path).report
    assert any("bomb" in reason or "too long" in reason or "not valid JSON" in reason for reason in report.rejects)
    assert report.rows_in == report.calls + report.duplicates + report.rejects_count


@pytest.mark.parametrize("name", sorted(name for name in importers() if (FIXTURES / name).is_dir()))
def test_a_zip_archive_is_refused_with_advice(name: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        for each in fixture(name):
            archive.write(each, each.name)
    with pytest.raises(UsageError, match="Unpack it first"):
        imported_paths(tmp_path / "export.zip")
