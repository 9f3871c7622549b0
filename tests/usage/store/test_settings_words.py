"""Two ways to import one file are told in words, whatever the columns are called."""

from __future__ import annotations

import pytest

from breakeven.usage.plan import ImportSettings
from breakeven.usage.store.settings_words import settings_differences


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (ImportSettings(sampled_fraction=0.1), "before without a sampling rate, now with a sampling rate of 0.1"),
        (ImportSettings(prompts="redact"), "before with prompts=drop, now with prompts=redact"),
        (ImportSettings(mapping={"model_key": "a|b"}), "before without mapped fields, now with --map model_key=a|b"),
        (ImportSettings(salt="s"), "before with another salt for hashes"),
    ],
)
def test_each_setting(now: ImportSettings, words: str) -> None:
    assert settings_differences(ImportSettings().key("generic"), now.key("generic")) == words


def test_formats_and_several_at_once() -> None:
    now = ImportSettings(sampled_fraction=0.1, prompts="keep")
    words = settings_differences(ImportSettings(sampled_fraction=0.2).key("vertex"), now.key("generic"))
    assert words == (
        "before as the format 'vertex', now as 'generic'; before with a sampling rate of 0.2, now with a sampling rate"
        " of 0.1; before with prompts=drop, now with prompts=keep"
    )
