"""Invoices in every layout give the same lines, exact to the last digit; what cannot be read says why."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.errors import InvoiceError
from breakeven.usage.invoice import Invoice, kind_of, parsed_day, read_invoice, stated_amount
from breakeven.usage.invoice_amounts import parsed_amount

DAY = date(2026, 11, 2)


def read(folder: Path, text: str | bytes, **mapping: str) -> Invoice:
    """Write an invoice and read it."""
    path = folder / "bill.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_invoice(path, mapping)


def told(invoice: Invoice) -> list[tuple[str, str, str]]:
    """Amount, model and kind of each line."""
    return [(str(each.amount), each.model, each.kind) for each in invoice.lines]


def test_openai_costs_json(tmp_path: Path) -> None:
    results = [
        {"amount": {"value": 0.1234567, "currency": "usd"}, "line_item": "gpt-5-2025-08-07, cached input"},
        {"amount": {"value": 2, "currency": "usd"}, "line_item": "web search tool calls"},
        {"amount": {"value": -1, "currency": "usd"}, "line_item": None},
    ]
    page = {"data": [{"start_time": 1762041600, "end_time": 1762128000, "results": results}]}
    invoice = read(tmp_path, json.dumps(page))
    assert told(invoice) == [
        ("0.1234567", "gpt-5-2025-08-07", "tokens"),
        ("2", "", "fee"),
        ("-1", "", "credit"),
    ]
    assert {each.day for each in invoice.lines} == {date(2025, 11, 2)}
    assert {each.currency for each in invoice.lines} == {"USD"}
    assert told(read(tmp_path, json.dumps([page, page]))) == told(invoice) * 2


def test_anthropic_amounts_are_cents(tmp_path: Path) -> None:
    results = [
        {"amount": "123.78912", "currency": "USD", "cost_type": "tokens", "model": "claude-opus-4-6"},
        {"amount": "10", "currency": "USD", "cost_type": "web_search", "description": "Web search", "model": None},
    ]
    invoice = read(tmp_path, json.dumps({"data": [{"starting_at": "2026-11-02T00:00:00Z", "results": results}]}))
    assert told(invoice) == [("1.2378912", "claude-opus-4-6", "tokens"), ("0.1", "", "fee")]
    assert invoice.has_days
    assert invoice.has_models


def test_dashboard_and_console_csvs(tmp_path: Path) -> None:
    openai = "start_time,start_time_iso,amount_value,amount_currency,line_item\n"
    openai += '1793577600,2026-11-02T00:00:00+00:00,1.5,usd,"gpt-5, output"\n'
    anthropic = "usage_date_utc,model,token_type,cost_usd,list_price_usd,cost_type\n"
    anthropic += "2026-11-02,Claude Opus 4.6,output,1.5,1.5,token\n"
    assert told(read(tmp_path, openai)) == [("1.5", "gpt-5", "tokens")]
    (line,) = read(tmp_path, anthropic).lines
    assert (line.amount, line.day, line.model, line.words) == (Decimal("1.5"), DAY, "Claude Opus 4.6", "output")


def test_a_description_says_what_a_line_is_for(tmp_path: Path) -> None:
    text = (
        "date,model,description,amount\n2026-11-02,gpt-4o,gpt-4o usage,8.50\n2026-11-05,,VAT 19 %,1.62\n"
        "2026-11-05,,Platform fee,0.40\n2026-11-05,,Mehrwertsteuer,0.10\n2026-11-30,,Total,10.62\n"
    )
    invoice = read(tmp_path, text)
    assert [each.words for each in invoice.lines] == ["", "VAT 19 %", "Platform fee", "Mehrwertsteuer"]
    assert told(invoice) == [
        ("8.50", "gpt-4o", "tokens"),
        ("1.62", "", "tax"),
        ("0.40", "", "fee"),
        ("0.10", "", "tax"),
    ]


@pytest.mark.parametrize(
    "model", ["o3-deep-research", "sonar-deep-research", "gpt-4o-search-preview", "gpt-5-search-api"]
)
def test_models_that_search_are_models(tmp_path: Path, model: str) -> None:
    assert told(read(tmp_path, f"date,model,amount\n2026-11-02,{model},8.50\n")) == [("8.50", model, "tokens")]


def test_focus_keeps_ai_usage_taxes_and_credits(tmp_path: Path) -> None:
    text = (
        "BilledCost,BillingCurrency,ChargePeriodStart,ChargeCategory,ServiceCategory,SkuId,SkuMeter\n"
        "10.5,EUR,2026-11-02T00:00:00Z,Usage,AI and Machine Learning,gpt-5,input\n"
        "99,EUR,2026-11-02T00:00:00Z,Usage,Compute,m5.large,hours\n"
        "2,EUR,2026-11-02T00:00:00Z,Tax,AI and Machine Learning,,\n"
        "-3,EUR,2026-11-02T00:00:00Z,Credit,AI and Machine Learning,,\n"
    )
    invoice = read(tmp_path, text)
    assert told(invoice) == [("10.5", "gpt-5", "tokens"), ("2", "", "tax"), ("-3", "", "credit")]
    assert invoice.notes == ("rows of other services than 'AI and Machine Learning' left out: 1.",)


def test_any_csv_with_a_map_in_any_locale(tmp_path: Path) -> None:
    text = "Datum;Betrag;Modell\r\n02.11.2026;1.234,50;gpt-5\r\n03.11.2026;0,5;'=gpt\r\n"
    invoice = read(tmp_path, "\ufeff" + text, date="Datum", amount="Betrag", model="Modell")
    assert told(invoice) == [("1234.50", "gpt-5", "tokens"), ("0.5", "=gpt", "tokens")]
    assert told(read(tmp_path, text.encode("utf-16"), date="Datum", amount="Betrag", model="Modell")) == told(invoice)


@pytest.mark.parametrize(
    ("text", "mapping", "words"),
    [
        ("a,b\n1,2\n", {}, "no column of amounts among a, b"),
        ("amount\n", {}, "no amount in any row"),
        ("amount\nlots\n", {}, "row 2: 'lots' is not an amount"),
        ("amount,date\n1,11/02/2026\n", {}, "row 2: '11/02/2026' is not a date"),
        ("amount\n1\n", {"date": "When"}, "no such column; there are amount"),
        ("amount\n1\n", {"when": "amount"}, "no such field of an invoice"),
        ('{"data": 3}', {}, "no cost report of OpenAI or Anthropic"),
        ('{"data": []}', {}, "without an amount"),
        ("[" * 100_000, {}, "no cost report"),
        ('{"data": [{"start_time": 1, "results": [{"amount": {"value": 1e999}}]}]}', {}, "no cost report"),
        ('{"data": [{"start_time": 1, "results": [{"amount": "a lot"}]}]}', {}, "no cost report"),
        ("amount\n1e999\n", {}, "not an amount"),
        ("amount\n" + "9" * 200_000, {}, "not a CSV"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, text: str, mapping: dict[str, str], words: str) -> None:
    with pytest.raises(InvoiceError, match=words):
        read(tmp_path, text, **mapping)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InvoiceError, match="give a file, or an amount such as 2080EUR"):
        read_invoice(tmp_path / "nothing.csv", {})


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("2080EUR", "2080", "EUR"),
        ("eur 2.080,50", "2080.50", "EUR"),
        ("$1,234.50", "1234.50", "USD"),
        ("£12", "12", "GBP"),
        ("12.5", "12.5", "CHF"),
        ("1.234.567", "1234567", "CHF"),
    ],
)
def test_stated_amounts(text: str, amount: str, currency: str) -> None:
    invoice = stated_amount(text, "CHF")
    assert invoice is not None
    assert [(str(each.amount), each.currency) for each in invoice.lines] == [(amount, currency)]
    assert not invoice.has_days


def test_no_amount() -> None:
    assert stated_amount("costs.csv") is None
    assert parsed_amount("1e400") is None
    assert parsed_amount("NaN") is None
    assert parsed_day("2026-13-01") is None


def test_kinds() -> None:
    one = Decimal(1)
    assert kind_of("output", "tokens", one) == "tokens"
    assert kind_of("", "Tax", one) == "tax"
    assert kind_of("fine-tuning training", "", one) == "fee"
    assert kind_of("committed-use discount", "", one) == "credit"


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=4))
def test_english_and_german_amounts_mean_the_same(number: Decimal) -> None:
    english = f"{number:,.4f}"
    german = english.translate(str.maketrans(",.", ".,"))
    assert parsed_amount(english) == number
    assert parsed_amount(german) == number


def test_the_amounts_of_one_column_are_read_in_one_way(tmp_path: Path) -> None:
    # "22,455" beside "2,25" is twenty-two, in the same column as everywhere
    german = read(tmp_path, "date;model;amount\n2026-11-02;gpt-5;22,455\n2026-11-02;gpt-5-mini;2,25\n")
    assert [str(each.amount) for each in german.lines] == ["22.455", "2.25"]
    assert german.notes == ()
    english = read(tmp_path, 'model,amount\ngpt-5,"1,234"\ngpt-5-mini,0.50\n')
    assert [str(each.amount) for each in english.lines] == ["1234", "0.50"]
    dotted = read(tmp_path, "model;amount\ngpt-5;1.234\ngpt-5-mini;0,50\n")
    assert [str(each.amount) for each in dotted.lines] == ["1234", "0.50"]


def test_an_amount_that_nothing_decides_is_told(tmp_path: Path) -> None:
    assert read(tmp_path, "model;amount\ngpt-5;22,455\n").notes == ("Amounts such as '22,455' are read as 22.455.",)
    assert read(tmp_path, 'model,amount\ngpt-5,"22,455"\n').notes == ("Amounts such as '22,455' are read as 22,455.",)
    assert read(tmp_path, "model,amount\ngpt-5,22.455\n").notes == ()
    with pytest.raises(InvoiceError, match=r"row 4: '1,234' can be read in two ways"):
        read(tmp_path, "model;amount\ngpt-5;2,25\ngpt-5;2.25\ngpt-5;1,234\n")
    stated = stated_amount("2.080EUR")
    assert stated is not None
    assert stated.notes == ("'2.080' is read as 2.080; write thousands without a mark.",)


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        ("model,cost\ngpt-5,112.275\ngpt-5-mini,11.25\nTotal,123.525\n", ["112.275", "11.25"]),
        ("date,model,amount\n2026-11-02,gpt-5,61.5\n2026-11-03,gpt-5,62.025\nTotal,,123.525\n", ["61.5", "62.025"]),
        ("date,model,amount\n2026-11-02,gpt-5,61.5\n2026-11-03,gpt-5,62.025\n,,123.525\n", ["61.5", "62.025"]),
        ("model;cost\ngpt-5;1,5\nZwischensumme;1,5\no3;2,5\nGesamt (EUR);4,0\n", ["1.5", "2.5"]),
    ],
)
def test_rows_that_add_up_others_do_not_count(tmp_path: Path, text: str, amounts: list[str]) -> None:
    invoice = read(tmp_path, text)
    assert [str(each.amount) for each in invoice.lines] == amounts
    assert f"rows that add up others left out: {1 + ('Gesamt' in text)}." in invoice.notes


def test_a_sum_that_is_not_the_sum_is_told_and_a_sum_alone_is_the_bill(tmp_path: Path) -> None:
    short = read(tmp_path, "model,cost\ngpt-5,112.275\nTotal,123.525\n")
    assert short.notes[-1] == "The sum in row 3 says 123.525, the rows above add up to 112.275: rows may be missing."
    alone = read(tmp_path, "date,model,amount\nTotal,,123.525\n")
    assert told(alone) == [("123.525", "", "tokens")]
    assert alone.notes == ()


@pytest.mark.parametrize(
    "text", ["Subtotal,100\nVAT 19%,19\nTotal,119\n", "VAT 19%,19\nTotal,119\n", "Total,100\nVAT 19%,19\n"]
)
def test_a_bill_of_sums_and_tax_keeps_its_net_amount(tmp_path: Path, text: str) -> None:
    assert sorted(told(read(tmp_path, "model,amount\n" + text))) == [("100", "", "tokens"), ("19", "", "tax")]


def test_a_credit_is_no_model(tmp_path: Path) -> None:
    invoice = read(tmp_path, "model,amount\ngpt-5,9\nCredit grant,-5\ngpt-5,-1\nVAT 19%,2\n")
    assert told(invoice) == [
        ("9", "gpt-5", "tokens"),
        ("-5", "", "credit"),
        ("-1", "gpt-5", "credit"),
        ("2", "", "tax"),
    ]
    assert invoice.lines[1].words == "Credit grant"


@pytest.mark.parametrize("text", ["-5", "0", "0.00 EUR"])
def test_no_bill_is_for_nothing_or_less(text: str) -> None:
    with pytest.raises(InvoiceError, match="wanted an amount above 0"):
        stated_amount(text)
