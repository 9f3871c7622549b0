"""The kernel's features are those of `usage/features.py`, whatever the text."""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from breakeven.usage.features import Hasher
from breakeven.usage.prompts.conversation import Conversation
from breakeven.usage.store import prompt_features
from breakeven.usage.store.prompt_features import FeatureMaker

PIECES = (
    *' \n\t?"`{};=>-*+.)0123abcXYZ\u00e9\u00df\u0416翻译。、カ한글é“”—😀\u00a0？𠀀\x00\x7f\x0b',
    *("```", "=> ", "def ", "class", " import ", "\n- ", "\n 12. ", "\n1234) ", "THE ", "ABC-12 ", "the ", '"x y" '),
    *("word ", "invoice ", "ORD-12345 ", "deadbeef12 ", "ÉTÉ ", "snake_case", "a1", "ﬁ"),
)


def columns(texts: list[str], monkeypatch: pytest.MonkeyPatch, at_bytes: int) -> list[object]:
    monkeypatch.setattr(prompt_features, "KERNEL_TEXT_BYTES", at_bytes)
    found = FeatureMaker(Hasher("s")).columns([Conversation(each, messages_count=2, images_count=1) for each in texts])
    return [found.prompt_words.to_pylist(), found.prompt_terms.to_pylist(), found.prompt_counts.to_pylist()]


def assert_same(texts: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        one_by_one, at_once = (columns(texts, patch, size) for size in (1 << 60, 0))
    for mine, theirs, name in zip(one_by_one, at_once, ("words", "terms", "counts"), strict=True):
        assert mine == theirs, name


@settings(max_examples=150)
@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=30).map("".join) | st.text(max_size=20), max_size=4))
@example([])
@example([""])
@example(["a" * 40 + " " + "字" * 500, "字a字"])
def test_kernel_and_reference_agree(texts: list[str]) -> None:
    assert_same(texts)


def test_they_agree_on_many_long_texts() -> None:
    chance = random.Random(5)
    assert_same(["".join(chance.choices(PIECES, k=chance.randrange(3_000))) for _ in range(150)])
    assert_same(
        [" ".join(f"w{chance.randrange(30_000)}x {chr(97 + i % 26)}{i}z" for i in range(60)) for _ in range(400)]
    )
    letters = "abcdefghij"
    assert_same(
        ["".join(chance.choice(letters) + " " * (chance.random() < 0.2) for _ in range(3_000)) for _ in range(60)]
    )


def test_system_prompts_schemas_and_tools() -> None:
    found = FeatureMaker(Hasher()).columns(
        [Conversation("a", system="s", tool_names=("t",), has_tools=True), Conversation("b")]
    )
    assert [each is None for each in found.system_hash.to_pylist()] == [False, True]
    assert [each is None for each in found.schema_hash.to_pylist()] == [False, True]
    assert found.has_tools.to_pylist() == [True, None]


@pytest.mark.parametrize(
    ("private", "words"),
    [
        ("write to margarethe.zwickelmann@firma-gmbh.example now", {"margarethe", "zwickelmann", "firma", "gmbh"}),
        ("the key is sk-abcdefghij-secretsegment-klmnop ok", {"abcdefghij", "secretsegment", "klmnop"}),
        ("slack xoxb-tokenpart-otherpart here", {"tokenpart", "otherpart"}),
        ("my password: correcthorse thanks", {"correcthorse"}),
        ("see https://intranet.example/hiddenpath?q=hiddenword", {"intranet", "hiddenpath", "hiddenword"}),
    ],
)
@pytest.mark.parametrize("at_bytes", [0, 1 << 60])
def test_words_of_addresses_links_keys_and_passwords_are_no_terms(
    private: str, words: set[str], at_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompt_features, "KERNEL_TEXT_BYTES", at_bytes)
    hasher = Hasher()
    found = FeatureMaker(hasher).columns([Conversation("invoice " + private)])
    assert not words & set(hasher.words.values())
    assert "invoice" in hasher.words.values()
    assert not {hasher.term(word.encode()) for word in words} & set(found.prompt_terms.to_pylist()[0])
    assert found.prompt_counts.to_pylist()[0][0] == len("invoice " + private), "lengths stay"
