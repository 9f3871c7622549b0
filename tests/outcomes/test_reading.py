"""Reading: files of outcomes, good and bad, long and wide."""

from __future__ import annotations

import csv
import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.errors import BreakevenError, OutcomeError
from breakeven.outcomes.outcome import SOURCES
from breakeven.outcomes.reading import ReadOutcomes, read_outcomes

DATA = Path(__file__).parents[2] / "../shared/data/routing"
HEADER = "request_id,task,prompt,model,success,cost_usd\n"


def _file(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def _reasons(read: ReadOutcomes) -> list[tuple[int, str]]:
    return [(each.row, each.reason) for each in read.rejects]


def test_long_format(tmp_path: Path) -> None:
    text = HEADER + "1,faq,hi,a,1,0.5\n1,faq,hi,b,0.25,\n2,law,so,b,no,0.1\n"
    read = read_outcomes(_file(tmp_path, "o.csv", text))
    table = read.table
    assert (table.request_ids, table.models, table.tasks) == (("1", "2"), ("a", "b"), ("faq", "law"))
    np.testing.assert_array_equal(table.success, [[1, 0.25], [np.nan, 0]])
    np.testing.assert_array_equal(table.cost_usd, [[0.5, np.nan], [np.nan, 0.1]])
    assert table.prompts == ("hi", "so")
    assert (read.rows_count, read.rejects, read.notes) == (3, (), ())
    assert table.source == ""


def test_wide_format(tmp_path: Path) -> None:
    text = "id,prompt,task,score__a/x,score__b,cost__b,response__b\n1,hi,faq,1.0,0.5,0.25,hello\n2,so,law,0,,,\n"
    table = read_outcomes(_file(tmp_path, "o.csv", text)).table
    assert (table.request_ids, table.models) == (("1", "2"), ("a/x", "b"))
    np.testing.assert_array_equal(table.success, [[1, 0.5], [0, np.nan]])
    np.testing.assert_array_equal(table.cost_usd, [[np.nan, 0.25], [np.nan, np.nan]])
    assert table.responses == {"b": ("hello", "")}


ROWS: list[dict[str, Any]] = [
    {"request_id": "1", "task": "faq", "prompt": "hi\n\nthere", "model": "a", "success": 1.0, "cost_usd": 0.5},
    {"request_id": "1", "task": "faq", "prompt": "hi\n\nthere", "model": "b", "success": None, "cost_usd": 0.25},
    {"request_id": "2", "task": "law", "prompt": '模型, "so"', "model": "b", "success": 0.0, "cost_usd": None},
]


def _as_csv(path: Path) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(ROWS[0]))
        writer.writeheader()
        writer.writerows(ROWS)
    return path


def _as_gzip(path: Path) -> Path:
    plain = _as_csv(path.with_name("plain.csv"))
    path.write_bytes(gzip.compress(plain.read_bytes()))
    return path


def _as_utf16(path: Path) -> Path:
    plain = _as_csv(path.with_name("plain.csv"))
    path.write_bytes(plain.read_text(encoding="utf-8").encode("utf-16"))
    return path


def _as_json_lines(path: Path) -> Path:
    path.write_text("".join(json.dumps(each) + "\n" for each in ROWS), encoding="utf-8")
    return path


def _as_json_list(path: Path) -> Path:
    path.write_text(json.dumps(ROWS, indent=1), encoding="utf-8")
    return path


def _as_parquet(path: Path) -> Path:
    pq.write_table(pa.Table.from_pylist(ROWS), path)
    return path


@pytest.mark.parametrize("write", [_as_csv, _as_gzip, _as_utf16, _as_json_lines, _as_json_list, _as_parquet])
def test_every_kind_of_file_tells_the_same(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    table = read_outcomes(write(tmp_path / "outcomes.any")).table
    np.testing.assert_array_equal(table.success, [[1, np.nan], [np.nan, 0]])
    np.testing.assert_array_equal(table.cost_usd, [[0.5, 0.25], [np.nan, np.nan]])
    assert table.prompts == ("hi\n\nthere", '模型, "so"')


def test_bad_rows_are_named_and_the_others_kept(tmp_path: Path) -> None:
    text = (
        HEADER
        + "1,faq,hi,a,1,0.5\n,faq,hi,a,1,0.5\n2,faq,hi,,1,0.5\n3,faq,hi,a,1.5,0.5\n4,faq,hi,a,nan,0.5\n"
        + '5,faq,hi,a\n6,faq,"hi,a,1,0.5\n7,faq,hi,a,0,oops\n8,faq,hi,a,-1,0\n9,faq,hi,a,perhaps,0\n'
    )
    read = read_outcomes(_file(tmp_path, "o.csv", text))
    bad = "success is not a number from 0 to 1"
    assert _reasons(read) == [
        (3, "request_id is missing"),
        (4, "model is missing"),
        (5, bad),
        (6, bad),
        (7, "the record does not have the header's 6 fields"),
        (8, "a quote is not closed"),
        (10, bad),
        (11, bad),
    ]
    assert read.table.request_ids == ("1", "7")
    assert read.rows_count == 10
    assert read.notes == ("o.csv: cost_usd is unreadable in 1 row and was left out there.",)


def test_a_column_that_stands_twice_is_said(tmp_path: Path) -> None:
    """In whatever letters; a model's name is what it is."""
    read = read_outcomes(_file(tmp_path, "o.csv", "request_id,model,success, Success\n1,a,1,0\n"))
    assert read.table.success.tolist() == [[1.0]]
    assert read.notes == ("o.csv: the column success stands twice; the first counts.",)
    rows = '{"request_id": "1", "model": "a", "success": 1}\n{"Request_ID": "2", "model": "a", "success": 1}\n'
    read = read_outcomes(_file(tmp_path, "o.jsonl", rows))
    assert "o.jsonl: the column request_id stands twice; the first counts." in read.notes
    wide = read_outcomes(_file(tmp_path, "w.csv", "id,score__A,score__a\n1,1,0\n"))
    assert wide.notes == () and wide.table.models == ("A", "a")


def test_a_bad_cell_of_a_wide_row_costs_only_that_cell(tmp_path: Path) -> None:
    read = read_outcomes(_file(tmp_path, "o.csv", "id,score__a,score__b\n1,1,7\n2,NaN,0\n"))
    np.testing.assert_array_equal(read.table.success, [[1, np.nan], [np.nan, 0]])
    assert [(each.row, each.value) for each in read.rejects] == [(2, "b: 7"), (3, "a: NaN")]


def test_contradicting_rows_are_named_and_their_mean_kept_whatever_their_order(tmp_path: Path) -> None:
    rows = ["1,faq,hi,a,1,0.5", "1,faq,hi,a,0,0.3", "1,faq,hi,a,0,0.1", "2,faq,hi,a,1,0.5", "2,faq,hi,a,1,0.5"]
    for seed in range(3):
        random.Random(seed).shuffle(rows)
        read = read_outcomes(_file(tmp_path, "o.csv", HEADER + "\n".join(rows) + "\n"))
        at = read.table.request_ids.index("1")
        assert read.table.success[at, 0] == pytest.approx(1 / 3)
        assert read.table.cost_usd[at, 0] == pytest.approx(0.3)
        assert "1 answer is told several times and contradicts itself" in read.notes[0]
        assert "o.csv, rows" in read.notes[0]
        assert read.notes[1] == "1 row repeats an outcome that is told already; it counts once."
        assert read.tries_count.tolist() == [[1], [1]]
        assert read.contradicting_count == 1


def test_attempts_are_tries_and_no_contradiction(tmp_path: Path) -> None:
    text = "request_id,model,success,attempt\n1,a,1,1\n1,a,0,2\n1,a,0,3\n1,a,0,3\n2,a,1,1\n"
    read = read_outcomes(_file(tmp_path, "o.csv", text))
    assert read.table.success.ravel().tolist() == pytest.approx([1 / 3, 1])
    assert read.tries_count.ravel().tolist() == [3, 1]
    assert not any("contradict" in each for each in read.notes)


def test_the_most_trusted_source_counts(tmp_path: Path) -> None:
    text = "request_id,model,success,source\n1,a,1,judge\n1,a,0,human\n2,a,1,LLM\n3,a,1,our team\n"
    path = _file(tmp_path, "o.csv", text)
    read = read_outcomes(path)
    assert read.table.success.ravel().tolist() == [0, 1, 1]
    assert [SOURCES[code] for code in read.source_codes.ravel()] == ["gold", "judge", "log"]
    assert read.table.source == "judge+gold+log"
    assert "outranked" in read.notes[0]
    alone = read_outcomes(path, only_sources=["judge"])
    np.testing.assert_array_equal(alone.table.success.ravel(), [1, 1, np.nan])


def test_several_files_are_one_table(tmp_path: Path) -> None:
    first = _file(tmp_path, "a.csv", HEADER + "1,faq,hi,a,1,0.5\n")
    second = _file(tmp_path, "b.csv", "id,score__a,score__b\n1,1,0\n2,0,1\n")
    table = read_outcomes([first, second]).table
    np.testing.assert_array_equal(table.success, [[1, 0], [0, 1]])
    assert table.label.count("(") == 2


def test_an_id_of_another_request_in_another_file_is_another_request(tmp_path: Path) -> None:
    first = _file(tmp_path, "a.csv", HEADER + "1,faq,hi,a,1,0.5\n2,faq,so,a,1,0.5\n")
    second = _file(tmp_path, "b.csv", HEADER + "1,law,other,a,0,0.5\n2,faq,so,b,0,0.5\n")
    read = read_outcomes([first, second])
    assert read.table.request_ids == ("1", "2", "1 (b.csv)")
    np.testing.assert_array_equal(read.table.success, [[1, np.nan], [1, 0], [0, np.nan]])
    assert "different requests" in read.notes[0]


def test_requests_without_ids_are_told_apart_by_their_prompts(tmp_path: Path) -> None:
    read = read_outcomes(_file(tmp_path, "o.csv", "prompt,model,success\nhi,a,1\nso,a,0\nhi,b,0\n"))
    np.testing.assert_array_equal(read.table.success, [[1, 0], [0, np.nan]])
    assert "told apart by their prompts" in read.notes[0]


def test_a_model_that_always_costs_nothing_is_unpriced(tmp_path: Path) -> None:
    read = read_outcomes(_file(tmp_path, "o.csv", HEADER + "1,t,p,a,1,0\n2,t,p,a,1,0\n1,t,p,b,1,0\n2,t,p,b,1,0.1\n"))
    np.testing.assert_array_equal(read.table.cost_usd, [[np.nan, 0], [np.nan, 0.1]])
    assert "costs 0 in the file: taken as not known" in read.notes[0]


def test_decimal_commas(tmp_path: Path) -> None:
    text = "id;task;score__a;cost__a\n1;t;0,5;0,25\n2;t;1;\n"
    table = read_outcomes(_file(tmp_path, "o.csv", text)).table
    assert table.success.ravel().tolist() == [0.5, 1]
    assert table.cost_usd[0, 0] == 0.25


def test_rows_in_another_encoding_are_rejects(tmp_path: Path) -> None:
    read = read_outcomes(_file(tmp_path, "o.csv", HEADER + "1,t,Grüße,a,1,\n2,t,ok,a,0,\n", "cp1252"))
    assert read.table.request_ids == ("2",)
    assert _reasons(read) == [(2, "not valid UTF-8")]


def test_a_prompt_of_a_megabyte_with_many_lines(tmp_path: Path) -> None:
    prompt = 'a line, with "quotes" and\n\n' * 45_000
    path = tmp_path / "o.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "prompt", "score__a"])
        writer.writerows([["1", prompt, 1], ["2", "short", 0]])
    read = read_outcomes(path)
    assert len(prompt) > 1_000_000
    assert read.table.prompts == (prompt, "short")
    assert read.rejects == ()


def test_the_limit_of_csv_fields_is_put_back(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    read_outcomes(_file(tmp_path, "o.csv", HEADER + "1,t,p,a,1,\n"))
    assert csv.field_size_limit() == before


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "o.csv.gz"
    with gzip.open(path, "wb") as file:
        file.write(HEADER.encode() + b"1,t,p,a,1,\n")
        for _ in range(40):
            file.write(b" " * (1 << 20))
    with pytest.raises(OutcomeError, match="decompression bomb"):
        read_outcomes(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        (HEADER, "a header and no rows"),
        ("a,b\n1,2\n", "no outcomes; .* Wanted one row per request and model"),
        ("model,success\na,1\n", "neither request_id"),
        (HEADER + ",,,,,\n", r"no row is an outcome \(1 rejected; the first is o.csv, row 2: request_id is missing\)"),
        ("PK\x03\x04zip", "zip archive"),
        ('{"a": 1}\n{"b": 2}\n', "no outcomes"),
    ],
)
def test_files_without_outcomes_are_refused_in_words(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BreakevenError, match=message):
        read_outcomes(_file(tmp_path, "o.csv", text))


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(OutcomeError, match="no such file"):
            read_outcomes(path)


def test_bad_json_lines_are_rejects(tmp_path: Path) -> None:
    good = b'{"request_id": 1, "model": "a", "success": true}\n'
    path = tmp_path / "o.jsonl"
    path.write_bytes(good + b'nope\n[1]\n\n{"request_id": 2, "model": "\xff", "success": 1}\n' + good[:20])
    read = read_outcomes(path)
    assert read.table.success.tolist() == [[1]]
    assert _reasons(read) == [
        (2, "not valid JSON"),
        (3, "not a JSON object"),
        (5, "not valid UTF-8"),
        (6, "not valid JSON"),
    ]


def test_a_json_file_that_is_no_list_of_rows(tmp_path: Path) -> None:
    with pytest.raises(OutcomeError, match="neither JSON lines nor one JSON list"):
        read_outcomes(_file(tmp_path, "o.json", '[\n{"request_id": 1,\n "model": "a"},\n{"success": \n'))


def test_what_a_cut_gzip_file_holds_is_read_and_the_cut_named(tmp_path: Path) -> None:
    rng = random.Random(1)
    text = HEADER + "".join(f"{i},faq,{rng.random()},a,1,0.5\n" for i in range(5000))
    path = tmp_path / "o.csv.gz"
    path.write_bytes(gzip.compress(text.encode())[:-2000])
    read = read_outcomes(path)
    assert 3000 < read.table.requests_count < 5000
    assert any("ends early" in each.reason for each in read.rejects)


def test_numbers_that_parquet_has_not_are_missing_and_no_rejects(tmp_path: Path) -> None:
    table = pa.table({"id": [1, 2], "score__a": [float("nan"), 1.0], "score__b": [0.5, None]})
    pq.write_table(table, tmp_path / "o.parquet")
    read = read_outcomes(tmp_path / "o.parquet")
    np.testing.assert_array_equal(read.table.success, [[np.nan, 0.5], [1, np.nan]])
    assert read.rejects == ()


def test_a_damaged_parquet_file(tmp_path: Path) -> None:
    path = _as_parquet(tmp_path / "o.parquet")
    path.write_bytes(path.read_bytes()[:-20] + b"\0" * 20)
    with pytest.raises(OutcomeError, match="damaged"):
        read_outcomes(path)


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=30)


@settings(max_examples=40, deadline=None)
@given(prompts=st.lists(TEXTS, min_size=1, max_size=6), scores=st.data())
def test_whatever_the_prompts_csv_and_json_lines_tell_the_same(
    tmp_path_factory: pytest.TempPathFactory, prompts: list[str], scores: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("any")
    rows = [
        {"request_id": str(i), "prompt": text, "model": "a", "success": scores.draw(st.floats(0, 1))}
        for i, text in enumerate(prompts)
    ]
    (folder / "o.jsonl").write_text("".join(json.dumps(each) + "\n" for each in rows), encoding="utf-8")
    with (folder / "o.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    lines, table = read_outcomes(folder / "o.jsonl").table, read_outcomes(folder / "o.csv").table
    assert table.request_ids == lines.request_ids
    np.testing.assert_array_equal(table.success, lines.success)
    plain = [text for text in prompts if not text.startswith("'")]
    assert [text for text in table.prompts if text in plain] == [text for text in lines.prompts if text in plain]


@settings(max_examples=60, deadline=None)
@given(body=st.text(st.sampled_from("1,a\"\n ;\t{}[]0.5nan'="), max_size=200))
def test_no_text_makes_a_crash(tmp_path_factory: pytest.TempPathFactory, body: str) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "o.csv"
    path.write_text("request_id,model,success\n" + body, encoding="utf-8")
    try:
        read = read_outcomes(path)
    except BreakevenError:
        return
    known = read.table.success[~np.isnan(read.table.success)]
    assert ((known >= 0) & (known <= 1)).all()


@pytest.mark.parametrize(
    ("name", "shape", "tasks_count"),
    [
        ("mmlu_routellm", (7559, 2), 46),
        ("gsm8k_routellm", (801, 2), 1),
        ("llmrouter_9models", (4510, 9), 11),
        ("routerbench_subset", (1318, 11), 2),
        ("routerdc_7models", (7596, 7), 6),
    ],
)
def test_public_outcomes(name: str, shape: tuple[int, int], tasks_count: int) -> None:
    path = DATA / f"{name}.csv.gz"
    if not path.exists():
        pytest.skip("the public outcomes are not here")
    read = read_outcomes(path)
    assert read.table.success.shape == shape
    assert len(set(read.table.tasks)) == tasks_count
    assert read.rejects == ()


@pytest.mark.parametrize("name", ["o.csv", "o.jsonl", "o.jsonl.gz"])
@pytest.mark.parametrize("ends", ["", "\n"])
def test_a_first_prompt_of_a_megabyte(tmp_path: Path, name: str, ends: str) -> None:
    prompts = ["x" * 1_000_000, "short", "y" * 300_000]
    if name == "o.csv":
        text = HEADER + "\n".join(f"{i},t,{each},a,1," for i, each in enumerate(prompts))
    else:
        rows = [{"request_id": str(i), "prompt": each, "model": "a", "success": 1} for i, each in enumerate(prompts)]
        text = "\n".join(map(json.dumps, rows))
    path = tmp_path / name
    data = (text + ends).encode()
    path.write_bytes(gzip.compress(data, 0) if name.endswith("gz") else data)
    assert read_outcomes(path).table.prompts == tuple(prompts)


def test_rejects_hold_no_words(tmp_path: Path) -> None:
    good = "request_id,task,prompt,model,success\n1,t,p,a,1\n"
    csv_rows = 'SECRET,t,SECRET,a,SECRET\n2,t,"SECRET,a,1\n2,SECRET\n'
    lines = ['{"request_id": "2", "model": "a", "success": {"SECRET": 1}}', '["SECRET"]', "{SECRET", '{"SECRET": 1}']
    good_line = '{"request_id": "1", "model": "a", "success": 1}\n'
    for path in (
        _file(tmp_path, "o.csv", good + csv_rows),
        _file(tmp_path, "o.jsonl", good_line + "\n".join(lines)),
        _file(tmp_path, "wide.csv", "id,score__a,score__b\n1,1,SECRET\n2,0,1\n"),
    ):
        read = read_outcomes(path)
        assert read.rejects
        assert "SECRET" not in str([(each.value, each.raw) for each in read.rejects])


def test_tries_that_stop_at_a_success_count_by_their_first(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    rates = rng.beta(2, 1, 2_000)
    firsts, rows, later_count = [], [], 0
    for i, rate in enumerate(rates):
        tries = rng.random(4) < rate
        made = int(np.argmax(tries)) + 1 if tries.any() else 4
        firsts.append(tries[0])
        later_count += made - 1
        rows += [f"{i},a,{int(tries[k])},{k},{0.001 * (k + 1)}\n" for k in range(made)]
    rng.shuffle(rows)
    read = read_outcomes(_file(tmp_path, "o.csv", "request_id,model,success,attempt,cost_usd\n" + "".join(rows)))
    assert read.table.success.mean() == pytest.approx(np.mean(firsts))
    np.testing.assert_allclose(read.table.cost_usd, 0.001)
    assert any(f"{later_count:,} later tries are left out" in each for each in read.notes)


def test_tries_that_go_on_after_a_success_all_count(tmp_path: Path) -> None:
    text = "request_id,model,success,attempt\n1,a,0,1\n1,a,1,2\n2,a,1,1\n2,a,1,2\n3,a,1,1\n"
    read = read_outcomes(_file(tmp_path, "o.csv", text))
    assert read.table.success.ravel().tolist() == [0.5, 1, 1]


def test_a_malformed_attempt_is_rejected(tmp_path: Path) -> None:
    text = "request_id,model,success,attempt\n1,a,1,1\n1,a,0,2.0\n1,a,1,second\n1,a,1,-1\n2,a,1,\n"
    read = read_outcomes(_file(tmp_path, "o.csv", text))
    assert _reasons(read) == [(row, "attempt is not a whole number from 0 to 1,000,000") for row in (4, 5)]
    assert read.tries_count.ravel().tolist() == [2, 1]


def test_a_cost_that_no_call_has_is_rejected_with_its_row(tmp_path: Path) -> None:
    text = HEADER + "1,faq,hi,a,1,1e300\n2,faq,hi,a,1,1000000\n3,faq,hi,a,0,1000000.01\n"
    read = read_outcomes(_file(tmp_path, "o.csv", text))
    assert _reasons(read) == [(2, "cost_usd is above 1,000,000"), (4, "cost_usd is above 1,000,000")]
    assert [each.value for each in read.rejects] == ["1e300", "1000000.01"]
    assert read.table.request_ids == ("2",)
    wide = "id,score__a,cost__a,score__b,latency_s__b\n1,1,1e9,1,2\n2,1,3,1,1e8\n"
    read = read_outcomes(_file(tmp_path, "w.csv", wide))
    np.testing.assert_array_equal(read.table.success, [[np.nan, 1], [1, np.nan]])
    assert [(each.row, each.value) for each in read.rejects] == [(2, "a: 1e9"), (3, "b: 1e8")]
