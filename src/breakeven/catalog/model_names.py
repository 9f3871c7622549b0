"""Model names: the other ways in which logs write the name of a model that a price list has under its own id.

Pure rules over text. A rule only fires for a name that no list knows as it stands, and never turns a fine-tuned model
into its base or a free one into a paid one: these have prices of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_BEDROCK: Final = re.compile(
    r"(?:bedrock/)?(?:(?:us|us-gov|eu|apac|jp|au|ca|global)\.)?"
    r"(?:anthropic|amazon|meta|mistral|cohere|ai21|deepseek|openai|qwen|writer|twelvelabs)\.[a-z0-9][\w.:-]*"
)
_CLAUDE: Final = re.compile(r"claude-(opus|sonnet|haiku)-(\d)[.-](\d)(-.*)?")
_VARIANT: Final = re.compile(r"(.+):(nitro|floor|exacto|extended|thinking|online)")
_FINE_TUNED: Final = re.compile(r"ft:[^:]+:.*|.+\.ft-[\w-]+")
_APPLICATION_PROFILE: Final = ":application-inference-profile/"
HOW_TO_SAY: Final = "say what it is under model_aliases in the scenario"


@dataclass(frozen=True, slots=True)
class ModelAlias:
    """A name that only the owner of a log can explain: a deployment, an inference profile."""

    name: str
    """As logs write it: the model, or provider/model."""
    means: str
    """provider/model whose price it has."""

    def is_of(self, provider: str | None, model: str) -> bool:
        """True when `name` is this model of this provider, in any letter case."""
        wanted = self.name.strip().lower()
        return wanted in (model.strip().lower(), f"{provider or ''}/{model}".strip().lower())


@dataclass(frozen=True, slots=True)
class Spelling:
    """Another way to write the same model."""

    model: str
    remark: str = ""
    """What is assumed by taking it."""


def is_bedrock_id(model: str) -> bool:
    """True for the ids and ARNs of AWS Bedrock.

    >>> is_bedrock_id("us.anthropic.claude-sonnet-4-5-20250929-v1:0"), is_bedrock_id("gpt-4.1")
    (True, False)
    """
    return model.startswith("arn:aws") or _BEDROCK.fullmatch(model.strip().lower()) is not None


def is_hidden(model: str) -> bool:
    """True for a name that does not tell its model to anybody but the account's owner."""
    return _APPLICATION_PROFILE in model


def spellings(model: str) -> Iterator[Spelling]:
    """What `model` may be called in a price list instead, best first.

    >>> [each.model for each in spellings("publishers/google/models/gemini-2.5-pro")]
    ['gemini-2.5-pro']
    >>> [each.model for each in spellings("Claude Haiku 3.5")]
    ['claude-haiku-3.5', 'claude-3-5-haiku']
    """
    if _FINE_TUNED.fullmatch(model):
        return
    name = model.strip()
    if "models/" in name:
        name = name.rpartition("models/")[2]
        yield Spelling(name)
    dashed = re.sub(r"[\s_]+", "-", name.lower())
    if dashed != name.lower():
        yield Spelling(dashed)
    if swapped := _CLAUDE.fullmatch(dashed):
        family, major, minor, rest = swapped.groups()
        yield Spelling(f"claude-{major}-{minor}-{family}{rest or ''}")
    if variant := _VARIANT.fullmatch(name):
        web = "; its web searches are billed besides" if variant[2] == "online" else ""
        yield Spelling(variant[1], f"price without the variant ':{variant[2]}' taken{web}")


def why_unknown(seller: str, model: str, known: Sequence[str]) -> str:
    """Why a price list has no price for `model`, and what to do about it."""
    if is_hidden(model):
        return f"'{model}' is an application inference profile, which does not tell its model: {HOW_TO_SAY}"
    if _FINE_TUNED.fullmatch(model):
        return f"{seller} lists no model '{model}': a fine-tuned model has a price of its own; give a contract price"
    return f"{seller} lists no model '{model}'{_nearest(model, tuple(known))}"


@lru_cache(maxsize=4096)
def _nearest(model: str, known: tuple[str, ...]) -> str:
    """A name that differs by a slip, else the longest that stands inside `model`, else the most similar one."""
    from difflib import get_close_matches

    name, runs = model.strip().lower(), _runs(model)
    slips = get_close_matches(name, known, n=1, cutoff=0.85)
    inside = max((each for each in known if _plain(each) in runs), key=len, default="")
    similar = get_close_matches(name, known, n=1, cutoff=0.6)
    nearest = slips[0] if slips else inside or (similar[0] if similar else "")
    return f"; nearest is '{nearest}': {HOW_TO_SAY}, if it is that" if nearest else f"; {HOW_TO_SAY}"


def _runs(model: str) -> frozenset[str]:
    """Neighbouring words of `model` written together, of four letters or more."""
    words = re.findall(r"[a-z0-9]+", model.lower())[:20]
    runs = ("".join(words[i:j]) for i in range(len(words)) for j in range(i + 1, len(words) + 1))
    return frozenset(each for each in runs if len(each) >= 4)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
