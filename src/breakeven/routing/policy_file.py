"""Policy file: a folder with `policy.json`, which a person can read, and `arrays.npz` where a scorer needs arrays.

Reading it never runs code. The hash covers all of the JSON and, through their own, the arrays; what is damaged, of a
newer format, or contradicts itself is refused in words.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, cast

from breakeven.errors import OutputError, PolicyError
from breakeven.routing.answers import Answer
from breakeven.routing.array_file import FILE_MAX_GIB, array_bytes, arrays_of
from breakeven.routing.choice import safe_decision
from breakeven.routing.policies import policy_of
from breakeven.routing.policy import Accepting, Decision, Kind, RoutingPolicy
from breakeven.routing.policy_check import check_document
from breakeven.routing.policy_document import FORMAT_NAME, FORMAT_VERSION, PolicyDocument
from breakeven.routing.record import from_plain, to_plain
from breakeven.routing.request import RouteRequest
from breakeven.routing.scorer_arrays import ScorerParts, parts_of, scorer_of, settings_of
from breakeven.routing.validators import Verdict
from breakeven.routing.written import content_hash, no_constant, write_whole

JSON_NAME: Final = "policy.json"
ARRAYS_NAME: Final = "arrays.npz"
JSON_MAX_BYTES: Final = 64 * 2**20
_ARRAYS_MAX_BYTES: Final = FILE_MAX_GIB * 2**30


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """A policy that was read, ready to decide."""

    document: PolicyDocument
    policy: RoutingPolicy
    hash: str
    """SHA-256 that names this version."""
    holds_training_rows: bool
    """Whether rows of the training file can be read back from the arrays."""

    @property
    def kind(self) -> Kind:
        """What it is."""
        return self.document.kind

    @property
    def models(self) -> tuple[str, ...]:
        """The models that it may choose."""
        return self.document.model_names

    def decide(self, request: RouteRequest) -> Decision:
        """The model for one request, or none that may take it; whatever goes wrong, the safe side, with the reason."""
        try:
            return self.policy.decide(request)
        except Exception as error:  # a router must answer
            return safe_decision(self.document, request, f"{type(error).__name__} in the policy")

    def accepts(self, answer: Answer) -> Verdict:
        """Whether a cascade may give out an answer; every other kind of policy takes the answer that it gets."""
        if not isinstance(self.policy, Accepting):
            return Verdict(True)
        try:
            return self.policy.accepts(answer)
        except Exception as error:  # as above; the next model is the safe side
            return Verdict(False, f"{type(error).__name__} in the check")

    def route(self, prompt: str = "", **groups: str) -> Decision:
        """The same by plain arguments: `policy.route("Where is my parcel?", task="faq")`."""
        return self.decide(RouteRequest(prompt, groups))


def save(document: PolicyDocument, folder: Path | str) -> LoadedPolicy:
    """Write a policy; the same document gives the same bytes. Each file appears whole, the JSON last."""
    check_document(document)
    target = Path(folder)
    parts = None if document.scorer is None else parts_of(document.scorer)
    content = None if parts is None else array_bytes(parts.arrays)
    plain = _plain(document, parts, None if content is None else hashlib.sha256(content).hexdigest())
    loaded = _loaded(plain, content, target)  # what cannot be read back is not written
    try:
        target.mkdir(parents=True, exist_ok=True)
        if content is not None:
            write_whole(target / ARRAYS_NAME, content)
        write_whole(target / JSON_NAME, _json_bytes(plain))
        if content is None:
            (target / ARRAYS_NAME).unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{target}: the policy cannot be written ({error.strerror}); name another folder.") from None
    return loaded


def load(folder: Path | str) -> LoadedPolicy:
    """The policy in a folder; PolicyError where it is damaged, newer, incomplete or contradicts itself."""
    target = Path(folder)
    plain = _json(target / JSON_NAME)
    content = None
    if plain.get("arrays_sha256") is not None:
        content = _read(target / ARRAYS_NAME, _ARRAYS_MAX_BYTES)
    return _loaded(plain, content, target)


def hash_without_trial(folder: Path | str) -> str:
    """The hash that the policy in a folder has without the trial of a pilot: names what was learnt."""
    plain = _json(Path(folder) / JSON_NAME)
    return content_hash({key: value for key, value in plain.items() if key != "trial"})


def _plain(document: PolicyDocument, parts: ScorerParts | None, arrays_sha256: str | None) -> dict[str, Any]:
    """The JSON of a policy file."""
    ordered = replace(document, groups=tuple(sorted(document.groups, key=lambda each: each.path)), scorer=None)
    fields = to_plain(ordered)
    fields["scorer"] = None if parts is None else to_plain(parts.settings)
    head = {
        "format": FORMAT_NAME,
        "format_version": document.format_version,
        "hash": "",
        "arrays_sha256": arrays_sha256,
        "holds_training_rows": document.scorer is not None and document.scorer.holds_training_rows,
    }
    plain = {**head, **fields}
    try:
        plain["hash"] = content_hash(plain)
    except ValueError as error:
        raise PolicyError(f"a number of the policy is not finite ({error}); learn again.") from error
    return plain


def _loaded(plain: Mapping[str, Any], content: bytes | None, folder: Path) -> LoadedPolicy:
    _check_head(plain, folder)
    head = {"format", "format_version", "hash", "arrays_sha256", "holds_training_rows", "scorer"}
    document = cast(
        PolicyDocument,
        from_plain(PolicyDocument, {key: value for key, value in plain.items() if key not in head}, JSON_NAME),
    )
    if plain.get("scorer") is not None:
        document = replace(document, scorer=_scorer(plain, content, document, folder))
    check_document(document)
    holds = document.scorer is not None and document.scorer.holds_training_rows
    return LoadedPolicy(document, policy_of(document), plain["hash"], holds)


def _scorer(plain: Mapping[str, Any], content: bytes | None, document: PolicyDocument, folder: Path) -> Any:
    where = str(folder / ARRAYS_NAME)
    if content is None:
        raise PolicyError(f"{folder / JSON_NAME} has a scorer but no arrays_sha256; learn again.")
    if hashlib.sha256(content).hexdigest() != plain["arrays_sha256"]:
        raise PolicyError(f"{where} is not the one that {JSON_NAME} was written with; copy the whole folder again.")
    return scorer_of(ScorerParts(settings_of(plain["scorer"]), arrays_of(content, where)), document.model_names)


def _check_head(plain: Mapping[str, Any], folder: Path) -> None:
    where = folder / JSON_NAME
    if plain.get("format") != FORMAT_NAME:
        raise PolicyError(f"{where} is no policy: its format is {plain.get('format')!r}, wanted {FORMAT_NAME!r}.")
    version = plain.get("format_version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise PolicyError(f"{where}: format_version is {version!r}; wanted a whole number from 1.")
    if version > FORMAT_VERSION:
        raise PolicyError(
            f"{where} was written by a newer breakeven (format {version}; this one reads {FORMAT_VERSION}): "
            "upgrade, or learn again."
        )
    if plain.get("hash") != content_hash(plain):
        raise PolicyError(
            f"{where} was changed or damaged after it was written: its hash does not fit. "
            "Copy the policy folder again, or learn again."
        )


def _json_bytes(plain: Mapping[str, Any]) -> bytes:
    """Readable JSON; a name that is no valid Unicode is written with escapes."""
    try:
        return (json.dumps(plain, indent=1, ensure_ascii=False) + "\n").encode("utf-8")
    except UnicodeEncodeError:
        return (json.dumps(plain, indent=1) + "\n").encode("ascii")


def _json(path: Path) -> dict[str, Any]:
    content = _read(path, JSON_MAX_BYTES)
    try:
        plain = json.loads(content.decode("utf-8"), parse_constant=no_constant, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise PolicyError(
            f"{path} is no valid JSON ({error}); copy the policy folder again, or learn again."
        ) from error
    if not isinstance(plain, dict):
        raise PolicyError(f"{path} is no policy: it holds a {type(plain).__name__}, wanted a mapping.")
    return plain


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _read(path: Path, most_bytes: int) -> bytes:
    """A file's content, unless it is larger than a policy's can be."""
    try:
        size = path.stat().st_size
        if size > most_bytes:
            raise PolicyError(f"{path} has {size:,} bytes; a policy's has at most {most_bytes:,}.")
        return path.read_bytes()
    except OSError as error:
        raise PolicyError(
            f"{path} cannot be read ({error.strerror}). A policy is a folder with {JSON_NAME}, as "
            "`breakeven learn --out` writes it."
        ) from error
