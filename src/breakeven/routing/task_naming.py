"""Task naming: which task a prompt is, by its words; where it is not sure enough it names none.

A softmax over weighted terms, as `learning/task_naming.py` fits it, in one JSON file with a hash. Reading the file
never runs code, and what is damaged or newer is refused in words.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from breakeven.errors import PolicyError
from breakeven.routing.array_file import array_bytes, arrays_of
from breakeven.routing.features import FEATURES_VERSION, hashed_terms
from breakeven.routing.term_weights import Floats32, TermWeights, WeightedTerms
from breakeven.routing.written import content_hash, no_constant, write_whole

FORMAT_NAME: Final = "breakeven-tasks"
FORMAT_VERSION: Final = 1
FILE_MAX_BYTES: Final = 256 * 2**20
BITS_MAX_COUNT: Final = 24
_NUMBERS: Final = ("least_fraction", "novelty_fraction")


@dataclass(frozen=True, slots=True)
class TaskNaming:
    """Names tasks."""

    tasks: tuple[str, ...]
    terms: TermWeights
    weights: Floats32
    """Shape (known terms, tasks)."""
    intercepts: npt.NDArray[np.float64]
    """Shape (tasks,)."""
    least_fraction: float
    """A task is named where its probability is so great."""
    novelty_fraction: float
    """With a greater share of unknown terms no task is named."""

    def name(self, prompt: str) -> str | None:
        """The task of a prompt; None where it is not sure, or the prompt has no known word."""
        seen = self.terms.weigh(hashed_terms(prompt, self.terms.bits))
        if not seen.rows.size or seen.unknown_fraction > self.novelty_fraction:
            return None
        fractions = self.fractions(seen)
        at = int(fractions.argmax())
        return self.tasks[at] if fractions[at] >= self.least_fraction else None

    def fractions(self, seen: WeightedTerms) -> npt.NDArray[np.float64]:
        """Probability of each task."""
        logits = seen.weights @ self.weights[seen.rows] + self.intercepts
        odds = np.exp(logits - logits.max())
        return np.asarray(odds / odds.sum(), dtype=np.float64)


def save_task_naming(naming: TaskNaming, path: Path) -> str:
    """Write it; the same naming gives the same bytes. Returns its hash."""
    arrays: dict[str, npt.NDArray[Any]] = {
        "columns": naming.terms.columns,
        "idf": naming.terms.idf,
        "weights": naming.weights,
        "intercepts": naming.intercepts,
    }
    plain: dict[str, Any] = {
        "format": FORMAT_NAME,
        "format_version": FORMAT_VERSION,
        "hash": "",
        "features_version": FEATURES_VERSION,
        "bits": naming.terms.bits,
        "tasks": list(naming.tasks),
        "least_fraction": naming.least_fraction,
        "novelty_fraction": naming.novelty_fraction,
        "arrays": base64.b64encode(array_bytes(arrays)).decode("ascii"),
    }
    plain["hash"] = content_hash(plain)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, (json.dumps(plain, indent=1) + "\n").encode("utf-8"))
    return str(plain["hash"])


def load_task_naming(path: Path) -> TaskNaming:
    """What a file holds; PolicyError where it is damaged, newer, or not one."""
    try:
        if path.stat().st_size > FILE_MAX_BYTES:
            raise PolicyError(f"{path} has more than {FILE_MAX_BYTES:,} bytes; no file of tasks does.")
        plain = json.loads(path.read_text(encoding="utf-8"), parse_constant=no_constant)
    except OSError as error:
        raise PolicyError(f"{path} cannot be read ({error.strerror}); `breakeven learn --tasks` writes one.") from error
    except (ValueError, RecursionError) as error:
        raise PolicyError(f"{path} is no valid JSON; copy it again, or write it again.") from error
    _check(plain, path)
    try:
        content = base64.b64decode(plain["arrays"], validate=True)
    except (binascii.Error, ValueError, TypeError) as error:
        raise PolicyError(f"{path}: its arrays are damaged; copy it again.") from error
    return _naming(plain, arrays_of(content, str(path)), path)


def _check(plain: Any, path: Path) -> None:
    if not isinstance(plain, dict) or plain.get("format") != FORMAT_NAME:
        raise PolicyError(f"{path} is no file of tasks; `breakeven learn --tasks` writes one.")
    version = plain.get("format_version")
    if type(version) is not int or version > FORMAT_VERSION or plain.get("features_version") != FEATURES_VERSION:
        raise PolicyError(f"{path} was written by another version of breakeven; write it again with this one.")
    if plain.get("hash") != content_hash(plain):
        raise PolicyError(f"{path} was changed or damaged after it was written; copy it again, or write it again.")
    tasks, bits = plain.get("tasks"), plain.get("bits")
    has_names = isinstance(tasks, list) and all(isinstance(each, str) and each for each in tasks)
    if not has_names or not tasks or len(set(tasks)) < len(tasks):
        raise PolicyError(f"{path}: wanted names of tasks, each once.")
    if type(bits) is not int or not 1 <= bits <= BITS_MAX_COUNT:
        raise PolicyError(f"{path}: bits is {bits!r}; wanted 1 to {BITS_MAX_COUNT}.")
    for name in _NUMBERS:
        value = plain.get(name)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
            raise PolicyError(f"{path}: {name} is {value!r}; wanted a fraction from 0 to 1.")


def _naming(plain: dict[str, Any], arrays: dict[str, npt.NDArray[Any]], path: Path) -> TaskNaming:
    if set(arrays) != {"columns", "idf", "weights", "intercepts"}:
        raise PolicyError(f"{path}: its arrays are {sorted(arrays)}; write it again.")
    columns, idf, weights, intercepts = (arrays[name] for name in ("columns", "idf", "weights", "intercepts"))
    tasks = tuple(plain["tasks"])
    fits = (
        columns.ndim == 1
        and idf.shape == columns.shape
        and weights.shape == (columns.size, len(tasks))
        and intercepts.shape == (len(tasks),)
        and (not columns.size or bool((np.diff(columns.astype(np.int64)) > 0).all()))
        and (not columns.size or int(columns[-1]) < 1 << plain["bits"])
        and all(bool(np.isfinite(each).all()) for each in (idf, weights, intercepts))
    )
    if not fits:
        raise PolicyError(f"{path}: its arrays do not fit each other; write it again.")
    terms = TermWeights(columns.astype(np.uint32), idf.astype(np.float32), plain["bits"])
    return TaskNaming(
        tasks,
        terms,
        weights.astype(np.float32),
        intercepts.astype(np.float64),
        float(plain["least_fraction"]),
        float(plain["novelty_fraction"]),
    )
