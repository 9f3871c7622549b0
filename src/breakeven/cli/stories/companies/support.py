"""Support: a shop's help desk on one frontier model; most of its work is easy, some of it is not."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Final

from breakeven.cli.stories.chapters.afterwards import decide_measured
from breakeven.cli.stories.chapters.audited import label_and_audit
from breakeven.cli.stories.chapters.compared import compare_first
from breakeven.cli.stories.chapters.first_log import read_log
from breakeven.cli.stories.chapters.learnt import judge_and_learn
from breakeven.cli.stories.chapters.piloted import shadow
from breakeven.cli.stories.story import Chapter, Story
from breakeven.usage.synthetic_company import Company, Work, kind_of

_BIG, _SMALL = "openai/gpt-5", "gpt-oss-120b"
_kind = partial(kind_of, (_BIG, _SMALL))

_WORKS: Final = (
    Work(
        *("classify ticket", 0.40, 1_800, 140, 0.3, 0.8),
        (
            _kind(0.7, (0.97, 0.97), "Which queue? Order {n} has not arrived and it is a birthday present"),
            _kind(0.3, (0.94, 0.92), "Which queue? Zip of the blue jacket broke, order {n}, and I moved house"),
        ),
    ),
    Work(
        *("answer from knowledge base", 0.34, 6_500, 420, 0.4, 0.4),
        (
            _kind(0.6, (0.94, 0.935), "How long may I take to send back order {n}?"),
            _kind(0.4, (0.87, 0.855), "Is the tent of order {n} warm enough for a night at minus ten?"),
        ),
    ),
    Work(
        *("extract order data", 0.14, 3_500, 380, 0.2, 0.3),
        (_kind(1.0, (0.94, 0.93), "Fill the form: it is order {n}, two pairs of boots, one of them size 41"),),
    ),
    Work(
        *("handle complaint", 0.12, 9_000, 1_500, 0.3, 0.5),
        (
            _kind(0.5, (0.90, 0.74), "Order {n} came broken twice and now you want me to pay the postage"),
            _kind(0.5, (0.84, 0.58), "Third letter about {n}. My lawyer asks for every mail since March"),
        ),
    ),
)

STORY: Final = Story(
    name="support",
    title="Larkhill Outdoor: a help desk on one frontier model",
    about=(
        "Larkhill Outdoor (made up) sells boots and tents. Its help desk went live on GPT-5 in one spring, and every "
        "ticket, question and complaint goes there. The bill is now a line in the budget, and somebody has read that "
        "an open model costs a tenth. May the desk switch, for which of its work, and what would that really save?"
    ),
    company=Company(
        "Larkhill Outdoor",
        "help desk",
        "openai",
        "gpt-5",
        _WORKS,
        datetime(2026, 8, 10, tzinfo=UTC),
        days_count=91,
        calls_count=24_000,
        sampled_fraction=1 / 250,
    ),
    open_model=_SMALL,
    as_of=datetime(2026, 11, 24, tzinfo=UTC),
    scenario="""\
open_model: gpt-oss-120b
# moves that the desk would consider: customers wait for answers, so no batch; none owned, none to China
options: [frontier_api, brokered, routed, managed_huggingface_scale_to_zero, rented_one_year, hybrid]
answers: {data_sensitive: false, fine_tuning: false, mlops_team: false}
failure_usd_per_request: {complaint: 0.60, other: 0.02}  # a voucher for a complaint that went wrong
overrides:
  # from the desk's own counter: a log of one call in 250 exaggerates how much busier the busiest hour is
  hourly_peak_to_mean_ratio: {low: 2.4, typical: 2.6, high: 3.0}""",
    tasks=("classify ticket", "answer from knowledge base", "extract order data"),
    checks={
        "classify ticket": {"labels": ["delivery", "returns", "product", "complaint", "other"]},
        "answer from knowledge base": {"regex": r"\bKB-[0-9]{3,5}\b", "not_truncated": True},
        "extract order data": {"json_schema": {"type": "object", "required": ["order", "items"]}},
    },
    migration_usd=18_000,
    chapters=(
        Chapter(
            "Everything on one API",
            "Before any talk of GPUs: what is asked, how much, what it costs, and whether three months of it are "
            "enough to decide anything.",
            read_log,
        ),
        Chapter(
            "What the desk really does",
            "An average hides that a routing label and a lawyer's letter are different work. Sixty calls, one key "
            "each, say of which kind a small model could do the work.",
            label_and_audit,
        ),
        Chapter(
            "Every way to buy it, on assumptions",
            "The list price says a tenth. What remains of that with failed answers, people, moving and doubt counted?",
            compare_first,
        ),
        Chapter(
            "Judge the answers, learn who may answer what",
            "Success of the open model is the number that matters most, and nobody can look it up. So both models "
            "answer 1,500 requests, the people of the desk judge them, and a policy is learnt that keeps 95 % of "
            "today's success.",
            judge_and_learn,
        ),
        Chapter(
            "In shadow on live traffic",
            "Judged samples are not production. The candidate answers copies of live requests that no customer sees, "
            "the gateway checks both answers, and somebody looks every second evening, by rules that were written down "
            "before the first request.",
            shadow,
        ),
        Chapter(
            "The decision, measured",
            "The comparison again, with measured success in place of assumptions, beside what the pilot proved of a "
            "part of the work: what is decided, and what is left alone.",
            decide_measured,
        ),
    ),
)
