"""Fintech: a lender whose data may not leave its own account from January on; the floor of fixed costs decides."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Final

from breakeven.cli.stories.chapters.afterwards import decide_measured
from breakeven.cli.stories.chapters.compared import compare_first
from breakeven.cli.stories.chapters.first_log import read_log
from breakeven.cli.stories.chapters.kept_inside import ask_for_the_volume, plan_the_fleet
from breakeven.cli.stories.chapters.learnt import judge
from breakeven.cli.stories.chapters.piloted import judge_files
from breakeven.cli.stories.story import Chapter, Story
from breakeven.usage.synthetic_company import Company, Work, kind_of

_BIG, _SMALL = "openai/gpt-4.1", "gpt-oss-20b"
_kind = partial(kind_of, (_BIG, _SMALL))

_WORKS: Final = (
    Work(
        *("read bank statement", 0.60, 7_000, 500, 0.1, 0.0),
        (
            _kind(0.7, (0.95, 0.935), "Salaries, rents and loans of statement {n}, as JSON"),
            _kind(0.3, (0.90, 0.87), "Scanned statement {n}, two pages upside down: salaries, rents, loans as JSON"),
        ),
    ),
    Work(
        *("check identity document", 0.25, 2_500, 200, 0.1, 0.0),
        (_kind(1.0, (0.97, 0.96), "Name, birthday and expiry of passport scan {n}; do they agree with the form?"),),
    ),
    Work(
        *("summarise application", 0.15, 9_000, 700, 0.2, 0.0),
        (_kind(1.0, (0.92, 0.89), "Application {n} in ten lines for the credit committee"),),
    ),
)

STORY: Final = Story(
    name="fintech",
    title="Quayside Credit: the data may not leave",
    about=(
        "Quayside Credit (made up) reads bank statements and passports with GPT-4.1. From January on its regulator "
        "wants them inside the lender's own account. The engineers would like a GPU; the bill is small. What does the "
        "rule cost, what meets it, and from which volume would a machine of one's own have paid anyway?"
    ),
    company=Company(
        "Quayside Credit",
        "credit desk",
        "openai",
        "gpt-4.1",
        _WORKS,
        datetime(2026, 8, 10, tzinfo=UTC),
        days_count=91,
        calls_count=16_000,
        sampled_fraction=1 / 2,
    ),
    open_model=_SMALL,
    gpu="L40S",
    as_of=datetime(2026, 11, 24, tzinfo=UTC),
    scenario="""\
open_model: gpt-oss-20b
gpu: L40S
data_may_not_leave: own_vpc  # from January on; today's API is shown for comparison, and breaks the rule
answers: {data_sensitive: true, fine_tuning: false, mlops_team: false}
failure_usd_per_request: {other: 0.05}  # a clerk types the statement""",
    tasks=("read bank statement", "check identity document", "summarise application"),
    chapters=(
        Chapter(
            "A small bill at somebody else's",
            "What is sent out today, and what it costs: the figure that every way to keep it inside has to stand "
            "beside.",
            read_log,
        ),
        Chapter(
            "The rule, and what it leaves",
            "Whoever is paid by the token is out. What remains runs on machines that the lender rents or owns, and "
            "these cost the same at night.",
            compare_first,
        ),
        Chapter(
            "From which volume it would pay by itself",
            "The engineers say that a GPU pays for itself. At which volume would they be right?",
            ask_for_the_volume,
        ),
        Chapter(
            "The machines, hour by hour",
            "A floor of fixed costs is easier to believe when one sees the idle hours: the real arrivals, replayed on "
            "the smallest fleet that meets the target and survives the loss of a machine.",
            plan_the_fleet,
        ),
        Chapter(
            "Is the small model good enough?",
            "Cost is half of it. 1,500 documents are read by both models and checked by clerks.",
            judge,
        ),
        Chapter(
            "Proof from files",
            "No live traffic may be copied anywhere yet, so the pilot judges files: both models' answers on the same "
            "documents, by the margin that was written down before.",
            judge_files,
        ),
        Chapter(
            "The decision, measured",
            "The price of the rule a month, and what would change it.",
            decide_measured,
        ),
    ),
)
