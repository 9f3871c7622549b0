"""The two CSVs of OpenAI's dashboard: floats, empty buckets as short rows, a locale's numbers, e-mail addresses."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from breakeven.usage.store import CallStore

from ..logs import NOW, Imported, imported, imported_paths, write

FIXTURES = Path(__file__).parent / "fixtures"
USAGE = (
    "start_time,end_time,start_time_iso,end_time_iso,project_id,num_model_requests,user_id,api_key_id,model,batch,"
    "service_tier,input_tokens,output_tokens,input_cached_tokens,input_audio_tokens,output_audio_tokens\n"
)
TIMES = "1793577600,1793664000,2026-11-02T00:00:00+00:00,2026-11-03T00:00:00+00:00"
COSTS = (
    "start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,quantity,quantity_unit,line_item,"
    "user_id,api_key_id,project_id,organization_id,project_name,organization_name,user_email,api_source\n"
)


def usage(folder: Path, *rows: str, header: str = USAGE) -> Imported:
    return imported(folder, header + "\n".join(rows) + "\n", "completions_usage.csv")


def costs(folder: Path, *rows: str, header: str = COSTS) -> Imported:
    return imported(folder, header + "\n".join(rows) + "\n", "cost.csv")


def cost_row(value: str, currency: str = "usd", line_item: str = '"gpt-5, input"') -> str:
    return f"{TIMES},{value},{currency},,,{line_item},user-1,key_1,proj_abc,org,Search,Org,someone@example.com,"


def test_the_usage_fixture(tmp_path: Path) -> None:
    (path,) = (FIXTURES / "openai_dashboard_usage").glob("*.csv")
    found = imported_paths(path)
    assert not found.rejects
    by_model = [c for c in found.calls if c["request_model"]]
    assert {(c["request_count"], c["input_tokens"], c["cache_read_tokens"], c["output_tokens"]) for c in by_model} == {
        (3, 4115, 2048, 210),
        (1, 100, 0, 5),
    }
    assert {(c["is_batch"], c["service_tier"]) for c in by_model} == {(False, "default"), (True, None)}
    empty = [c for c in found.calls if not c["request_model"]]
    assert [(c["start_time"].day, c["request_count"], c["input_tokens"], c["output_tokens"]) for c in empty] == [
        (3, 0, 0, 0),
        (4, 0, 0, 0),
    ]
    assert {c["grain"] for c in found.calls} == {"bucket"}
    assert by_model[0]["start_time"] == datetime(2026, 11, 2, tzinfo=UTC)
    assert by_model[0]["end_time"] == datetime(2026, 11, 3, tzinfo=UTC)


def test_an_export_of_nothing_has_four_columns(tmp_path: Path) -> None:
    found = usage(tmp_path, TIMES, header="start_time,end_time,start_time_iso,end_time_iso\n")
    assert found.report.formats == ("openai_dashboard_usage",)
    assert (found.only["request_count"], found.only["input_tokens"]) == (0, 0)


def test_a_short_row_that_is_no_empty_bucket_is_a_reject(tmp_path: Path) -> None:
    good = f"{TIMES},p,1,u,k,m,False,,10,1,0,0,0"
    found = usage(tmp_path, good, "a,b,c,d", TIMES + ",p", TIMES)
    assert found.report.calls == 2
    assert set(found.reasons.values()) == {"the record does not have the header's 16 fields"}
    assert len(found.rejects) == 2


def test_an_embeddings_export_has_no_output(tmp_path: Path) -> None:
    header = "start_time,end_time,start_time_iso,end_time_iso,num_model_requests,model,input_tokens\n"
    found = usage(
        tmp_path, f"{TIMES},2,text-embedding-3-small,16", f"{TIMES},1,omni-moderation-latest,9", header=header
    )
    assert sorted((c["operation"], c["input_tokens"], c["output_tokens"]) for c in found.calls) == [
        ("embeddings", 16, 0),
        ("moderations", 9, 0),
    ]


def test_an_export_of_images_counts_no_tokens(tmp_path: Path) -> None:
    header = "start_time,end_time,start_time_iso,end_time_iso,num_model_requests,images\n"
    assert set(usage(tmp_path, f"{TIMES},2,3", TIMES, header=header).reasons.values()) == {"this row counts no tokens"}


def test_rows_of_one_group_in_one_bucket_stay_apart(tmp_path: Path) -> None:
    """An export that is not split by key has one row for each key all the same."""
    row = f"{TIMES},p,1,,,m,False,,10,1,0,0,0"
    found = usage(tmp_path, row, row)
    assert (found.report.calls, found.report.duplicates) == (2, 0)


@pytest.mark.parametrize("is_late_first", [False, True])
def test_exports_that_overlap_by_a_day_in_either_order(tmp_path: Path, is_late_first: bool) -> None:
    next_day = TIMES.replace("1793664000", "X").replace("1793577600", "1793664000").replace("X", "1793750400")
    early = write(
        tmp_path, USAGE + f"{TIMES},p,1,,k,m,False,,10,1,0,0,0\n{next_day},p,1,,k,m,False,,10,1,0,0,0\n", "a.csv"
    )
    late = write(tmp_path, USAGE + f"{next_day},p,3,,k,m,False,,30,3,0,0,0\n", "b.csv")
    with CallStore(tmp_path / "store") as store:
        for path in (late, early) if is_late_first else (early, late):
            store.ingest([path], now=NOW)
        assert store.calls().input_tokens.sum().to_pyarrow().as_py() == 40
        assert store.calls().count().to_pyarrow().as_py() == 2


def test_a_file_saved_with_semicolons_and_decimal_commas(tmp_path: Path) -> None:
    row = f"{TIMES};p;3,0;u;k;m;False;;4.115;1.210,0;2048;0;0".replace(TIMES, TIMES.replace(",", ";"))
    call = usage(tmp_path, row, header=USAGE.replace(",", ";")).only
    assert (call["request_count"], call["input_tokens"], call["output_tokens"]) == (3, 4115, 1210)


def test_the_costs_fixture(tmp_path: Path) -> None:
    (path,) = (FIXTURES / "openai_dashboard_costs").glob("*.csv")
    found = imported_paths(path)
    assert not found.calls
    assert not found.rejects
    assert sorted(
        (b["start_time"].day, b["cost_usd"], b["model_key"] or "", b["operation"] or "") for b in found.bills
    ) == [
        (1, 0.0, "", ""),
        (2, 0.00383598, "gpt-5-2025-08-07", "input"),
        (2, 0.25, "gpt-5-2025-08-07", "output"),
    ]
    assert {(b["grain"], b["cost_source"], b["tokens_source"]) for b in found.bills} == {("bill", "billed", "missing")}


def test_nobody_is_named(tmp_path: Path) -> None:
    found = costs(tmp_path, cost_row("0.5"), cost_row("", "usd"))
    assert "someone@example.com" not in str(found.bills)
    assert "someone@example.com" not in str(found.rejects)
    assert "key_1" not in str(found.bills)
    assert found.bills[0]["unit_hash"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (cost_row("5", "eur"), "the amount is not in US dollars; convert it before the import"),
        (cost_row("5", ""), "the amount has no currency"),
        (cost_row("", "usd"), "a cost without an amount"),
        (cost_row("abc"), "cost_usd is not an amount"),
        (cost_row("-1"), "cost_usd is not an amount"),
    ],
)
def test_what_is_no_amount_of_dollars_is_a_reject(tmp_path: Path, row: str, reason: str) -> None:
    found = costs(tmp_path, cost_row("1"), row)
    assert list(found.reasons.values()) == [reason]
    assert [each["cost_usd"] for each in found.bills] == [1.0]


def test_costs_saved_with_semicolons_and_decimal_commas(tmp_path: Path) -> None:
    row = cost_row("1.234,50").replace('"gpt-5, input"', "gpt-5").replace(TIMES, TIMES.replace(",", ";"))
    semicolons = ";".join(row.replace("1.234,50", "@").split(",")).replace("@", "1.234,50")
    (bill,) = costs(tmp_path, semicolons, header=COSTS.replace(",", ";")).bills
    assert bill["cost_usd"] == 1234.5


def test_an_empty_hour_of_one_export_does_not_hide_what_another_counted(tmp_path: Path) -> None:
    """The API's export is of one project and has an empty hour, the dashboard's is of another project and model."""
    hour = {"object": "bucket", "start_time": 1_793_577_600, "end_time": 1_793_581_200}
    result = {"object": "organization.usage.completions.result", "input_tokens": 100, "output_tokens": 1}
    full = {**hour, "results": [{**result, "num_model_requests": 1, "model": "gpt-5"}]}
    empty = {**hour, "start_time": 1_793_581_200, "end_time": 1_793_584_800, "results": []}
    write(tmp_path / "logs", json.dumps({"object": "page", "data": [full, empty], "has_more": False}), "api.json")
    write(tmp_path / "logs", USAGE + f"{TIMES},p,1,,k,gpt-4o,False,,10,1,0,0,0\n", "dashboard.csv")
    found = imported_paths(tmp_path / "logs")
    assert sum(c["input_tokens"] for c in found.calls) == 110
    assert found.report.overlaps == ()
