"""Class mix: near the truth of a real vocabulary where one is on disk, and sensible everywhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.usage.token_estimate.class_mix import CLASS_MIX_ERROR_FRACTION, class_mix_tokens, content_class
from breakeven.usage.token_estimate.vocabulary_file import tokenizer_for

ROOT = Path(__file__).parents[3]


@given(st.text(), st.text())
def test_tokens_are_never_negative_and_grow_with_the_text(a: str, b: str) -> None:
    assert 0 <= class_mix_tokens(a) <= class_mix_tokens(f"{a}\n{b}")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "prose"),
        ("Please answer the customer politely, in two sentences.", "prose"),
        ("def f(x): return {'a': [x[0], x[1]]}", "code"),
        ("17,25\n18,99\n20,14\n", "numbers"),
        ("请把下面的句子翻译成英文", "cjk"),
    ],
)
def test_content_classes(text: str, kind: str) -> None:
    assert content_class(text) == kind


@pytest.mark.parametrize("folder", ["docs/explanation", "src/breakeven/usage", "src/breakeven/catalog/data"])
def test_error_against_a_real_vocabulary(folder: str) -> None:
    count = tokenizer_for("gpt-4o")
    if count is None:
        pytest.skip("no vocabulary on disk (TIKTOKEN_CACHE_DIR)")
    texts = [
        path.read_text()[:4_000]
        for path in sorted((ROOT / folder).rglob("*.*"))
        if path.suffix in (".md", ".py", ".yaml")
    ]
    errors = sorted(abs(class_mix_tokens(text) / count(text) - 1) for text in texts if len(text) > 1_000)
    assert errors[int(0.8 * len(errors))] <= CLASS_MIX_ERROR_FRACTION
