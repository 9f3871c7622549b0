"""Task naming file: written and read back the same; what is damaged, newer or not one is refused in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from breakeven.errors import PolicyError
from breakeven.routing.features import hashed_terms
from breakeven.routing.task_naming import TaskNaming, load_task_naming, save_task_naming
from breakeven.routing.term_weights import TermWeights
from breakeven.routing.written import content_hash


def naming() -> TaskNaming:
    """Two tasks, told by one word each."""
    columns = np.unique(np.concatenate([hashed_terms(each).indexes for each in ("parcel", "python", "where")]))
    parcel, python = (int(np.searchsorted(columns, hashed_terms(each).indexes[0])) for each in ("parcel", "python"))
    weights = np.zeros((columns.size, 2), np.float32)
    weights[parcel, 0] = weights[python, 1] = 8.0
    terms = TermWeights(columns, np.ones(columns.size, np.float32))
    return TaskNaming(("faq", "code"), terms, weights, np.zeros(2), 0.9, 0.8)


def test_it_names_what_it_is_sure_of() -> None:
    of = naming()
    assert of.name("parcel") == "faq"
    assert of.name("python") == "code"
    assert of.name("where") is None  # both alike
    assert of.name("nothing known") is None
    assert of.name("parcel " + " ".join(f"w{at}" for at in range(30))) is None  # nearly all is unknown


def test_written_and_read_back_it_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "tasks.json"
    digest = save_task_naming(naming(), path)
    first = path.read_bytes()
    assert save_task_naming(load_task_naming(path), path) == digest
    assert path.read_bytes() == first
    assert load_task_naming(path).name("parcel") == "faq"
    assert [each.name for each in path.parent.iterdir()] == ["tasks.json"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"format": "else"}, "no file of tasks"),
        ({"format_version": 2}, "another version"),
        ({"features_version": 0}, "another version"),
        ({"tasks": ["faq", "faq"]}, "each once"),
        ({"tasks": ["faq"]}, "do not fit"),
        ({"tasks": "faq"}, "each once"),
        ({"bits": 99}, "bits is 99"),
        ({"bits": 3}, "do not fit"),
        ({"least_fraction": 2}, "from 0 to 1"),
        ({"novelty_fraction": None}, "from 0 to 1"),
        ({"least_fraction": True}, "from 0 to 1"),
        ({"arrays": "!!"}, "damaged"),
        ({"arrays": 3}, "damaged"),
        ({"arrays": "AAAA"}, "damaged"),
    ],
)
def test_what_is_no_such_file_is_refused(tmp_path: Path, change: dict[str, Any], why: str) -> None:
    path = tmp_path / "tasks.json"
    save_task_naming(naming(), path)
    plain = json.loads(path.read_text()) | change
    plain["hash"] = content_hash(plain)
    path.write_text(json.dumps(plain))
    with pytest.raises(PolicyError, match=why):
        load_task_naming(path)


def test_damage_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "tasks.json"
    save_task_naming(naming(), path)
    content = path.read_text()
    path.write_text(content.replace("0.9", "0.8"))
    with pytest.raises(PolicyError, match="changed or damaged"):
        load_task_naming(path)
    path.write_text(content[:100])
    with pytest.raises(PolicyError, match="no valid JSON"):
        load_task_naming(path)
    with pytest.raises(PolicyError, match="cannot be read"):
        load_task_naming(tmp_path / "none.json")
