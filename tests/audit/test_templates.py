"""Templates: planted ones are found again without a label; people's own words are not taken for one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from breakeven.audit.templates import SUPPORT_CALLS_COUNT, WORDS_MIN_COUNT, mine

from .planted import TEMPLATES, chained, planted_prompts, sentence


@pytest.mark.parametrize("seed", range(3))
def test_planted_templates_are_found_again(seed: int) -> None:
    planted = planted_prompts(seed, 2_500)
    found = mine([chained(each) for each in planted.prompts])
    assert adjusted_rand_score(planted.template_of, found.template_of) >= 0.9
    assert abs(found.coverage_fraction - np.mean(np.array(planted.template_of) >= 0)) < 0.03
    assert sum(each.calls_count for each in found.templates) == round(found.coverage_fraction * 2_500)


def test_templates_that_share_their_beginning_are_told_apart_and_a_closed_slot_is_not_free_text() -> None:
    templates = (
        "Answer in {number} words. Translate the text into German: {text}",
        "Answer in {number} words. Translate the text into French: {text}",
        "Answer in {number} words. Summarise the text: {text}",
    )
    planted = planted_prompts(3, 900, free_fraction=0.0, templates=templates)
    found = mine([chained(each) for each in planted.prompts])
    assert len(found.templates) == 3
    assert adjusted_rand_score(planted.template_of, found.template_of) == 1.0


def test_people_who_write_what_they_like_make_no_template() -> None:
    rng = np.random.default_rng(0)
    found = mine([chained(sentence(rng, 20)) for _ in range(2_000)])
    assert found.coverage_fraction < 0.1


def test_one_prompt_sent_again_and_again_is_a_template_and_a_few_calls_are_none() -> None:
    ping = [chained("are you still there")] * 30
    assert [each.words_count for each in mine(ping).templates] == [4]
    assert mine([chained(TEMPLATES[0])] * (SUPPORT_CALLS_COUNT - 1)).templates == ()
    assert mine([]).coverage_fraction == 0.0
    assert mine([[], []]).templates == ()


@given(st.lists(st.lists(st.integers(0, 3), max_size=6), max_size=60))
def test_every_template_is_a_prefix_of_its_calls(prompts: list[list[int]]) -> None:
    words = [chained(" ".join(f"w{'abcd'[each]}" for each in prompt)) for prompt in prompts]
    found = mine(words)
    for call, at in enumerate(found.template_of):
        if at >= 0:
            template = found.templates[at]
            assert words[call][template.words_count - 1] == template.words_hash
            assert template.words_count >= WORDS_MIN_COUNT
    assert all(each.calls_count > 0 for each in found.templates)
