"""Trials in policy files: written and read back, refused in words, and drawn by hash."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.errors import PolicyError
from breakeven.routing.policy_document import PolicyDocument, PricedModel
from breakeven.routing.policy_file import load, save
from breakeven.routing.trial import CANDIDATE_ARM, Trial, TrialPart
from breakeven.routing.trial_drawing import arm_of, drawn_fraction, is_audited, is_copied

PLAIN = PolicyDocument("single", (PricedModel("big"),), "big")
PART = TrialPart("faq", "small", "canary", 0.05)
REST = TrialPart("", "small", "shadow", 0.5, baseline_model="big")
TRIAL = Trial(
    "faq-4f0c12ab34cd",
    (PART, REST),
    unit="header:X-Tenant",
    checks_by_task={"faq": {"labels": ["yes", "no"]}, "": {"non_empty": True}},
    audit_fraction=0.2,
)
HASH_BEFORE_TRIALS = "bc07ea87bb531438e822a85e61f07db6"


def test_a_trial_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    written = save(replace(PLAIN, trial=TRIAL), tmp_path / "a")
    read = load(tmp_path / "a")
    assert read.document.trial == TRIAL
    assert read.hash == written.hash
    assert save(PLAIN, tmp_path / "b").hash != written.hash
    assert load(tmp_path / "b").document.trial is None


def test_a_policy_without_a_trial_keeps_the_hash_that_it_had(tmp_path: Path) -> None:
    save(PLAIN, tmp_path)
    assert b'"trial"' not in (tmp_path / "policy.json").read_bytes()
    saved = save(replace(PLAIN, created="2026-11-01", made_by="breakeven 0"), tmp_path)
    assert saved.hash.startswith(HASH_BEFORE_TRIALS)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"pilot": "../up"}, "trial.pilot"),
    ({"pilot": ""}, "trial.pilot"),
    ({"unit": "tenant"}, "request, key, session, user or header:NAME"),
    ({"audit_fraction": 1.5}, "trial.audit_fraction: saw 1.5"),
    ({"shadows_in_flight_max_count": 0}, "wanted 1 to"),
    ({"parts": ()}, "wanted one or more"),
    ({"parts": (PART, replace(PART, share_fraction=0.2))}, "'faq' has two parts"),
    ({"parts": (replace(PART, share_fraction=1.01),)}, r"parts\[0\].share_fraction: saw 1.01"),
    ({"parts": (replace(PART, share_fraction=-0.1),)}, "fraction from 0 to 1"),
    ({"parts": (replace(PART, share_fraction=float("nan")),)}, "fraction from 0 to 1"),
    ({"parts": (replace(PART, mode="dark"),)}, "wanted shadow or canary"),
    ({"parts": (replace(PART, candidate_model=""),)}, "saw no name"),
    ({"parts": (replace(PART, baseline_model="small"),)}, "candidate and baseline"),
    ({"parts": (replace(PART, task="secret"),), "checks_by_task": {}}, "may not take requests of the task 'secret'"),
    ({"checks_by_task": {"": {"lables": ["a"]}}}, "checks_by_task.'': .*unknown check 'lables'"),
    ({"checks_by_task": {"faq": {"regex": "(a"}}}, "checks_by_task.faq"),
    ({"parts": (PART,), "checks_by_task": {"fqa": {"non_empty": True}}}, "no part has the task 'fqa'.*faq"),
]


@pytest.mark.parametrize(("changes", "said"), BAD, ids=[said for _, said in BAD])
def test_bad_trials_are_refused_in_words(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    document = replace(PLAIN, trial=replace(TRIAL, **changes), allowed_by_task={"secret": ("big",)})
    with pytest.raises(PolicyError, match=said):
        save(document, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_task_belongs_to_its_own_part_and_else_to_the_rest() -> None:
    assert TRIAL.part_of("faq") is PART
    assert TRIAL.part_of("mail") is REST
    assert TRIAL.part_of(None) is REST
    assert Trial("p", (PART,)).part_of(None) is None


@given(st.text(max_size=40), st.text(max_size=40), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_keeps_the_units_of_a_smaller_one(pilot: str, unit: str, one: float, other: float) -> None:
    small, large = sorted((one, other))

    def arm(share: float) -> str:
        return arm_of(pilot, unit, {CANDIDATE_ARM: share, "baseline": 1 - share})[0]

    assert arm(small) != CANDIDATE_ARM or arm(large) == CANDIDATE_ARM


def test_audits_copies_and_arms_are_drawn_apart() -> None:
    ids = [f"r-{number}" for number in range(4_000)]
    audited = {each for each in ids if is_audited("p", each, 0.2)}
    copied = {each for each in ids if is_copied("p", each, 0.5)}
    dealt = {each for each in ids if drawn_fraction("p", each) < 0.5}
    assert abs(len(audited) - 800) < 4 * 26
    assert abs(len(copied) - 2_000) < 4 * 32
    assert abs(len(audited & copied) - 400) < 4 * 19
    assert abs(len(copied & dealt) - 1_000) < 4 * 28
