"""Settings words: how the settings of two imports of one file differ, as a person would say it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_SAMPLED: Final = "sampled="
_PROMPTS: Final = "prompts="


@dataclass(frozen=True, slots=True)
class _Settings:
    format: str
    mapped: str
    tokens_rule: str
    salt: str
    sampled: str
    prompts: str


def settings_differences(before: str, now: str) -> str:
    """What differs between two keys of settings (`ImportSettings.key`).

    >>> settings_differences("vertex||||sampled=0.1", "vertex|||")
    'before with a sampling rate of 0.1, now without a sampling rate'
    >>> settings_differences("generic|||", "generic|model=m|||prompts=keep")
    'before without mapped fields, now with --map model=m; before with prompts=drop, now with prompts=keep'
    """
    old, new = _read(before), _read(now)
    return "; ".join(_differences(old, new)) or "the settings differ"


def _read(key: str) -> _Settings:
    """The parts from both ends: a mapped column may have any name."""
    parts = key.split("|")
    extras = {"sampled": "", "prompts": "drop"}
    while len(parts) > 4 and parts[-1].startswith((_SAMPLED, _PROMPTS)):
        name, _, value = parts.pop().partition("=")
        extras[name] = value
    if len(parts) < 4:
        return _Settings(key, "", "", "", **extras)
    return _Settings(parts[0], "|".join(parts[1:-2]), parts[-2], parts[-1], **extras)


def _differences(old: _Settings, new: _Settings) -> Iterator[str]:
    if old.format != new.format:
        yield f"before as the format '{old.format}', now as '{new.format}'"
    if old.sampled != new.sampled:
        yield _changed("a sampling rate of {}", old.sampled, new.sampled, "a sampling rate")
    if old.mapped != new.mapped:
        yield _changed("--map {}", old.mapped, new.mapped, "mapped fields")
    if old.prompts != new.prompts:
        yield f"before with prompts={old.prompts}, now with prompts={new.prompts}"
    if old.tokens_rule != new.tokens_rule:
        yield _changed("the rule '{}' for tokens", old.tokens_rule, new.tokens_rule, "a rule for tokens")
    if old.salt != new.salt:
        yield "before with another salt for hashes"


def _changed(words: str, old: str, new: str, nothing: str) -> str:
    """Before with this, now with that."""
    before, now = (f"with {words.format(each)}" if each else f"without {nothing}" for each in (old, new))
    return f"before {before}, now {now}"
