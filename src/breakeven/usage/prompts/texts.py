"""Texts: prompts and answers that are kept on request, apart from the Calls, as they were or redacted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, Protocol

import pyarrow as pa

PromptsMode = Literal["drop", "redact", "keep"]
"""What becomes of prompts and answers: dropped, kept without what is recognised as personal, kept."""
PROMPTS_MODES: Final[tuple[PromptsMode, ...]] = ("drop", "redact", "keep")
TEXTS_SCHEMA: Final = pa.schema(
    [("record_id", pa.string()), ("system", pa.string()), ("prompt", pa.string()), ("response", pa.string())]
)
"""The kept texts; `record_id` is that of the Call."""


class TextRedactor(Protocol):
    """Decides what of a text is kept."""

    def redacted(self, texts: Sequence[str | None]) -> list[str | None]:
        """The texts as they may be kept."""
        ...


class AsItWas:
    """Keeps everything."""

    def redacted(self, texts: Sequence[str | None]) -> list[str | None]:
        """The texts themselves."""
        return list(texts)


def redactor_for(mode: PromptsMode) -> TextRedactor | None:
    """What `mode` asks for; None where no text is kept."""
    if mode == "drop":
        return None
    if mode == "keep":
        return AsItWas()
    from breakeven.usage.prompts.personal_data import PersonalDataRedactor

    return PersonalDataRedactor()
