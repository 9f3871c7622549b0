"""Label queue: answers are asked blind and in the same order for everybody; labels are kept, once, by arm."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.pilot.gateway_state import BASELINE, CANDIDATE, GatewayState

from breakeven.errors import PilotError
from breakeven.pilot.label_queue import Queue, add_labels, labels_of_file, read_queue

TRIAL = "faq-0123456789ab"


@pytest.fixture
def state(tmp_path: Path) -> GatewayState:
    found = GatewayState(tmp_path / "state")
    said = []
    for i in range(6):
        for arm, model in (("baseline", BASELINE), ("shadow", CANDIDATE)):
            said.append(
                {"request_id": f"r{i}", "task": "faq", "arm": arm, "model": model, "prompt": f"p{i}", "answer": arm}
            )
    found.audited(TRIAL, said)
    return found


def queue(state: GatewayState, folder: Path) -> Queue:
    return read_queue([state.folder], folder, TRIAL)


def test_both_arms_are_asked_mixed_and_without_their_names(state: GatewayState, tmp_path: Path) -> None:
    found = queue(state, tmp_path)
    assert len(found.items) == 12
    assert {each.arm for each in found.items[:6]} == {"baseline", "candidate"}
    assert [each.id for each in found.items] == sorted(each.id for each in found.items)
    assert not any(each.arm in each.id or each.request_id in each.id for each in found.items)


def test_what_is_labelled_is_not_asked_again(state: GatewayState, tmp_path: Path) -> None:
    first, second, *_ = queue(state, tmp_path).items
    assert add_labels(tmp_path, [(first, 1.0)], "ann", "2026-11-02T08:00:00+00:00") == 1
    found = queue(state, tmp_path)
    assert found.waiting()[0] == second
    assert len(found.waiting()) == 11
    assert first in found.waiting("ben", again=True)
    assert first not in found.waiting("ann", again=True)


def test_two_labellers_tell_how_far_people_agree(state: GatewayState, tmp_path: Path) -> None:
    one, two, three, *_ = queue(state, tmp_path).items
    at = "2026-11-02T08:00:00+00:00"
    assert queue(state, tmp_path).agreement().same_fraction is None
    add_labels(tmp_path, [(one, 1.0), (two, 0.0), (three, 1.0)], "ann", at)
    add_labels(tmp_path, [(one, 1.0), (two, 1.0)], "ben", at)
    found = queue(state, tmp_path).agreement()
    assert (found.items_count, found.same_fraction) == (2, 0.5)


def test_labels_come_from_a_file_by_item_or_by_arm(state: GatewayState, tmp_path: Path) -> None:
    found = queue(state, tmp_path)
    one, two, *_ = found.items
    path = tmp_path / "filled.csv"
    path.write_text(f"item,prompt,success\n{one.id},x,1\n{two.id},x,\n000000000000,x,1\n{two.id},x,8\n")
    labels, rejects = labels_of_file(path, found)
    assert labels == [(one, 1.0)]
    assert [(each.row, each.reason) for each in rejects] == [
        (4, "no answer of this audit"),
        (5, "success is not a number from 0 to 1"),
    ]
    path.write_text("request_id,arm,success\nr1,shadow,0\nr1,candidate,0\n")
    labels, rejects = labels_of_file(path, found)
    assert [(each.request_id, each.arm) for each, _ in labels] == [("r1", "candidate")] * 2
    path.write_text("a,b\n1,2\n")
    with pytest.raises(PilotError, match="wanted item and success"):
        labels_of_file(path, found)


def test_a_torn_label_never_was(state: GatewayState, tmp_path: Path) -> None:
    one, two, *_ = queue(state, tmp_path).items
    add_labels(tmp_path, [(one, 1.0)], "ann", "2026-11-02T08:00:00+00:00")
    path = tmp_path / "labels" / "labels.jsonl"
    with path.open("a") as file:
        file.write('{"request_id": "r')
    add_labels(tmp_path, [(two, 0.0)], "ann", "2026-11-02T08:00:00+00:00")
    assert len(path.read_text().splitlines()) == 2
    assert set(queue(state, tmp_path).labelled) == {one.id, two.id}


def test_calls_of_tools_are_part_of_an_answer(tmp_path: Path) -> None:
    state = GatewayState(tmp_path / "state")
    state.audited(TRIAL, [{"request_id": "r", "arm": "baseline", "answer": "", "tool_calls": [{"name": "look"}]}])
    (item,) = queue(state, tmp_path).items
    assert item.answer == 'calls: [{"name": "look"}]'


def test_lines_that_are_none_are_counted(state: GatewayState, tmp_path: Path) -> None:
    with (state.folder / "audit" / TRIAL / "relay-0.jsonl").open("a") as file:
        file.write('nonsense\n{"request_id": 5, "arm": "baseline"}\n{"request_id": "half')
    found = queue(state, tmp_path)
    assert (len(found.items), found.unreadable_count) == (12, 2)


def test_answers_whose_text_nobody_kept_are_told_apart(tmp_path: Path) -> None:
    state = GatewayState(tmp_path / "state")
    kept = {"request_id": "kept", "arm": "baseline", "prompt": "p", "answer": ""}
    state.audited(TRIAL, [kept, {"request_id": "gone", "arm": "baseline"}])
    found = queue(state, tmp_path)
    assert {each.request_id for each in found.items if each.has_text} == {"kept"}
    assert (found.textless_count, found.unreadable_count) == (1, 0)
    (gone,) = (each for each in found.items if not each.has_text)
    add_labels(tmp_path, [(gone, 1.0)], "ann", "2026-11-02T08:00:00+00:00")  # by the team's own records
    assert queue(state, tmp_path).textless_count == 0
