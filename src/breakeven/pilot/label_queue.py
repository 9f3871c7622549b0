"""Label queue: the audit's answers that people label, blind: nobody is told whose answer it is.

A gateway keeps the answers to requests that were drawn for the audit before anybody saw them, `STATE/audit/PILOT/`.
Items come in an order of their own hash, so that both arms are labelled alike wherever one stops; what was labelled
lands in `labels/`, one line each, as a gold label. Answers labelled by two people tell how far people agree.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from breakeven.errors import PilotError
from breakeven.pilot.reading.read import LABELS_FOLDER
from breakeven.pilot.reading.said_lines import Said, SaidReader
from breakeven.routing.trial import CANDIDATE_ARM, SHADOW_ARM
from breakeven.routing.written import no_constant
from breakeven.usage.ingest_report import Reject

AUDIT_FOLDER: Final = "audit"
LABELS_NAME: Final = "labels.jsonl"
NEXT_COUNT: Final = 10
"""Items that are named as the next ones."""
_ITEM_BYTES: Final = 6


@dataclass(frozen=True, slots=True)
class Item:
    """One answer to label."""

    id: str
    """Tells nothing of the arm."""
    request_id: str
    arm: str
    """`baseline` or `candidate`; not shown."""
    model: str
    task: str
    prompt: str
    """"" where prompts are not kept."""
    answer: str

    @property
    def has_text(self) -> bool:
        """Whether there is anything to judge by; where the gateway keeps no prompts, only ids are here."""
        return bool(self.prompt or self.answer)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far people agree on answers that two or more of them labelled."""

    items_count: int
    same_fraction: float | None
    """None where nobody labelled the same answer."""


@dataclass(frozen=True, slots=True)
class Queue:
    """The audit of a pilot, and what is labelled of it."""

    items: tuple[Item, ...]
    """All that were drawn, in the order in which they are asked."""
    labelled: Mapping[str, tuple[Said, ...]]
    """Item -> its labels."""
    unreadable_count: int = 0
    """Lines of the gateway's audit that are no answers."""

    @property
    def textless_count(self) -> int:
        """Answers that wait for a label and whose texts the gateway did not keep."""
        return sum(not each.has_text for each in self.waiting())

    def waiting(self, labeller: str = "", *, again: bool = False) -> tuple[Item, ...]:
        """Items without a label; with `again` also those that only others labelled."""
        if not again:
            return tuple(each for each in self.items if each.id not in self.labelled)
        return tuple(
            each for each in self.items if all(said.who != labeller for said in self.labelled.get(each.id, ()))
        )

    def agreement(self) -> Agreement:
        """Of answers that were labelled more than once, by people of different names."""
        same = 0
        several = [each for each in self.labelled.values() if len({said.who for said in each}) > 1]
        for each in several:
            same += len({said.success_fraction for said in each}) == 1
        return Agreement(len(several), same / len(several) if several else None)


def queue_facts(queue: Queue, labeller: str, *, again: bool = False) -> dict[str, Any]:
    """How far a queue is, as JSON."""
    agreement = queue.agreement()
    waiting = queue.waiting(labeller, again=again)
    return {
        "items_count": len(queue.items),
        "labelled_count": len(queue.items) - len(queue.waiting()),
        "waiting_count": len(waiting),
        "labelled_twice_count": agreement.items_count,
        "agreement_fraction": agreement.same_fraction,
        "unreadable_count": queue.unreadable_count,
        "textless_count": queue.textless_count,
        "next": [each.id for each in waiting[:NEXT_COUNT]],
    }


def queue_words(queue: Queue, labeller: str, *, again: bool = False) -> str:
    """How far a queue is, in words."""
    if not queue.items:
        return "No answer of the audit is here yet; the gateway keeps them as they are drawn."
    agreement = queue.agreement()
    waiting = len(queue.waiting(labeller, again=again))
    done = len(queue.items) - len(queue.waiting())
    words = f"{done:,} of {len(queue.items):,} answers of the audit are labelled, {waiting:,} wait."
    if agreement.same_fraction is not None:
        words += f" People agree on {100 * agreement.same_fraction:.0f} % of {agreement.items_count:,} labelled twice."
    if queue.textless_count:
        words += (
            f" Of {queue.textless_count:,} the gateway kept no text (`prompts: none`): judge them by your own records, "
            "with --export and --from."
        )
    return words


def read_queue(sources: Sequence[Path], folder: Path, trial_name: str) -> Queue:
    """The queue of a pilot whose gateway's state is among `sources`."""
    items: dict[str, Item] = {}
    unreadable = 0
    for source in sources:
        for path in sorted((source / AUDIT_FOLDER / trial_name).glob("*.jsonl")):
            for line in _lines(path):
                item = _item(line)
                if item is None:
                    unreadable += 1
                else:
                    items.setdefault(item.id, item)
    said, _ = SaidReader().read(sorted((folder / LABELS_FOLDER).glob("*.jsonl")))
    labelled: dict[str, list[Said]] = {}
    for each in said:
        labelled.setdefault(item_id(each.request_id, each.arm), []).append(each)
    ordered = tuple(sorted(items.values(), key=lambda each: each.id))
    return Queue(ordered, {name: tuple(each) for name, each in labelled.items()}, unreadable)


def item_id(request_id: str, arm: str) -> str:
    """The name of an answer, which tells nothing of the arm.

    >>> item_id("r-1", "shadow") == item_id("r-1", "candidate") != item_id("r-1", "baseline")
    True
    """
    name = CANDIDATE_ARM if arm == SHADOW_ARM else arm
    return blake2b(f"{request_id}\n{name}".encode("utf-8", "surrogatepass"), digest_size=_ITEM_BYTES).hexdigest()


def add_labels(folder: Path, labels: Iterable[tuple[Item, float]], labeller: str, at: str) -> int:
    """Keep labels, on the disk when this returns; how many."""
    lines = [
        json.dumps(
            {
                "request_id": item.request_id,
                "arm": item.arm,
                "success": success,
                "source": "gold",
                "labeller": labeller,
                "time": at,
            }
        )
        + "\n"
        for item, success in labels
    ]
    path = folder / LABELS_FOLDER / LABELS_NAME
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # else one who cuts a torn end might cut what another is writing
            _cut_torn_end(path)
            file.write("".join(lines))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise PilotError(f"{path} cannot be written ({error.strerror}); the labels were not kept") from None
    return len(lines)


def labels_of_file(path: Path, queue: Queue) -> tuple[list[tuple[Item, float]], list[Reject]]:
    """Labels in a file that `--export` wrote and somebody filled in: item (or request_id and arm), success."""
    from breakeven.outcomes import cells as cell
    from breakeven.outcomes.columns import read_columns
    from breakeven.pilot.reading.said_lines import BAD_SUCCESS

    columns = read_columns(path, lambda name: name in ("item", "request_id", "arm", "success"))
    if "success" not in columns.values or not {"item", "request_id"} & set(columns.values):
        seen = ", ".join(columns.names) or "none that can be used"
        raise PilotError(f"{path}: the columns are {seen}; wanted item and success, as `--export` writes them")
    by_id = {each.id: each for each in queue.items}
    values = cell.successes(columns.values["success"], decimal_comma=columns.has_decimal_comma)
    found = []
    for i in range(columns.rows_count):
        said = {name: cell.name(column[i]) for name, column in columns.values.items()}
        if not said["success"]:
            continue  # not labelled yet
        name = said.get("item") or item_id(said.get("request_id", ""), said.get("arm", ""))
        item = by_id.get(name)
        if item is None:
            columns.rejects.append(columns.reject(i, "no answer of this audit", name))
        elif values.bad[i]:
            columns.rejects.append(columns.reject(i, BAD_SUCCESS, said["success"]))
        else:
            found.append((item, float(values.values[i])))
    return found, columns.rejects


def _lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().split(b"\n")[:-1]
    except OSError as error:
        raise PilotError(f"{path} cannot be read ({error.strerror})") from None


def _item(line: bytes) -> Item | None:
    try:
        said: dict[str, Any] = json.loads(line, parse_constant=no_constant)
        request_id, arm = said["request_id"], said["arm"]
        if not isinstance(request_id, str) or not isinstance(arm, str):
            return None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    name = CANDIDATE_ARM if arm == SHADOW_ARM else arm
    texts = {key: _text(said.get(key)) for key in ("model", "task", "prompt", "answer")}
    if said.get("tool_calls"):
        texts["answer"] = "\n".join([*filter(None, [texts["answer"]]), f"calls: {_text(said['tool_calls'])}"])
    return Item(item_id(request_id, name), request_id, name, **texts)


def _text(value: Any) -> str:
    """A text as it is; messages and other values as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _cut_torn_end(path: Path) -> None:
    """A line that a crash left unfinished would spoil the next one."""
    if path.exists():
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.truncate(path, whole)
