"""Planted logs: prompts made from known templates and tasks, as the columns of a Call, with the truth beside them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

NOUNS = """
order invoice parcel refund login password account delivery address payment card app screen update photo printer router
contract tariff meter heating window kitchen garden bicycle train ticket seat flight hotel room booking doctor insurance
claim accident car engine tyre brake light school teacher exam homework report budget team meeting project deadline
client server database error backup network cable phone battery charger speaker camera
"""
VERBS = """
lost found changed broke cancelled ordered paid returned forgot checked sent received opened closed called asked needs
wants shows says fails stops starts works helps takes brings keeps leaves moves
"""
OPENERS = """
i my the we our hello hi please can could what why how when where this that it there yesterday today after since if no
yes thanks dear good customer according two three a an for from with as is are do does did
"""
SMALL = "the a my our his her this that some every with for to from on in at after before because and but so then"


class Zipf:
    """Words, the first ones often."""

    def __init__(self, words: str) -> None:
        self.words = words.split()
        self._cumulative = np.cumsum(1 / np.arange(1, len(self.words) + 1))

    def drawn(self, rng: np.random.Generator, count: int) -> list[str]:
        """`count` words."""
        at = np.searchsorted(self._cumulative, rng.random(count) * self._cumulative[-1])
        return [self.words[each] for each in at]


POOLS = (Zipf(NOUNS), Zipf(VERBS), Zipf(SMALL))
FIRST = Zipf(OPENERS)


def sentence(rng: np.random.Generator, words_count: int) -> str:
    """Free text: an opener, then nouns, verbs and small words."""
    nouns, verbs, small = (pool.drawn(rng, words_count) for pool in POOLS)
    which = rng.random(words_count)
    rest = [n if w < 0.4 else v if w < 0.6 else s for w, n, v, s in zip(which, nouns, verbs, small, strict=True)]
    return " ".join([*FIRST.drawn(rng, 1), *rest[1:]])


TEMPLATES = (
    "Classify the following support ticket into one of these categories: billing, technical, other. Ticket: {text}",
    "Classify the following customer e-mail as urgent or not urgent. E-mail: {text}",
    "Classify the sentiment of this review as positive, negative or neutral: {text}",
    "Extract the order number, the date and the amount from this message as JSON: {text}",
    "Extract all names of persons from the text below. Text: {text}",
    "Summarise the following meeting notes in three bullet points: {text}",
    "Summarise this article for a busy reader. Article: {text}",
    "Translate the following text from German into English: {text}",
    "Translate this product description into French, keep the tone: {text}",
    "Rewrite the paragraph below in plain language. Paragraph: {text}",
    "You are a helpful assistant of the Acme shop. Answer the question of customer {number}: {text}",
    "You are a helpful assistant that writes release notes. Changes: {text}",
    "Context: {number} documents were found. Use only them to answer. Question: {text}",
    "Write a Python function for this request and return only code: {text}",
    "Fix the bug in this function, explain nothing: {text}",
    "Solve the problem step by step and give the final number: {text}",
    "On {number} the customer wrote the following complaint, draft a polite reply: {text}",
    "Generate five headlines for an advertisement about: {text}",
)


@dataclass(frozen=True)
class Planted:
    """Prompts and the template that made each; -1: written by a person."""

    prompts: list[str]
    template_of: list[int]


def planted_prompts(
    seed: int, count: int, *, free_fraction: float = 0.1, templates: Sequence[str] = TEMPLATES
) -> Planted:
    """Prompts from `templates` with uneven shares, and some free ones."""
    rng = np.random.default_rng(seed)
    shares = 1 / np.arange(1, len(templates) + 1) ** 0.7
    prompts, truth = [], []
    for _ in range(count):
        text = sentence(rng, int(rng.integers(5, 40)))
        if rng.random() < free_fraction:
            prompts.append(text)
            truth.append(-1)
            continue
        which = int(rng.choice(len(templates), p=shares / shares.sum()))
        prompts.append(templates[which].format(text=text, number=int(rng.integers(1, 99999))))
        truth.append(which)
    return Planted(prompts, truth)


def chained(prompt: str, words_max_count: int = 40) -> list[int]:
    """A stand-in for `features.prompt_words`."""
    found, state = [], b""
    for word in prompt.lower().split()[:words_max_count]:
        plain = "<n>" if any(each.isdigit() for each in word) else word
        state = hashlib.blake2b(state + b" " + plain.encode(), digest_size=8).digest()
        found.append(int.from_bytes(state, "big") >> 1)
    return found


def term_hash(word: str) -> int:
    """A stand-in for the hash of a term."""
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "big") >> 1


STOP = frozenset(f"{SMALL} of it is are be i you we as an or not these this".split())


def terms(prompt: str) -> list[int]:
    """A stand-in for `features.prompt_terms`."""
    words = [each for each in re.findall(r"[a-z]{2,30}", prompt.lower()[:4000]) if each not in STOP]
    return [term_hash(each) for each in list(dict.fromkeys(words))[:64]]
