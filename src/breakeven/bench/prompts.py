"""Prompts: random words, each prompt unlike any before it, as many as make the wanted number of tokens.

A prompt begins with a nonce of eight words: no two prompts of any two runs share more than the chat template, so a
prefix cache finds nothing (`shared_prefix_tokens` puts the same words in front of every prompt instead, to measure
what caching gives). How many tokens a word makes is learnt from the server's own count.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from typing import Final

from breakeven.bench.load import Lengths

_TEXT: Final = (
    "able acid aged also area army away baby back ball band bank base bath bear beat been beer bell belt best "
    "bill bird blow blue boat body bomb bond bone book boom born boss both bowl bulk burn bush busy call calm "
    "came camp card care case cash cast cell chat chip city club coal coat code cold come cook cool cope copy "
    "core cost crew crop dark data date dawn days dead deal dean dear debt deep deny desk dial diet disc disk "
    "does done door dose down draw drew drop drug dual duke dust duty each earn ease east easy edge else even "
    "ever evil exit face fact fail fair fall farm fast fate fear feed feel feet fell felt file fill film find "
    "fine fire firm fish five flat flow food foot ford form fort four free from fuel full fund gain game gate "
    "gave gear gene gift girl give glad goal goes gold golf gone good gray grew grey grow gulf hair half hall "
    "hand hang hard harm hate have head hear heat held help here hero high hill hire hold hole holy home hope "
    "host hour huge hung hunt hurt idea inch into iron item jack jane jean john join jump jury just keen keep "
    "kept kick kind king knee knew know lack lady laid lake land lane last late lead left less life lift like "
    "line link list live load loan lock logo long look lord lose loss lost love luck made mail main make male "
    "many mark mass meal "
)
WORDS: Final = tuple(_TEXT.split())
"""256 short English words: most tokenisers make one token of each."""
NONCE_WORDS_COUNT: Final = 8
_POOL_COUNT: Final = 65_536


@dataclass(frozen=True, slots=True)
class Tokenisation:
    """What words become: tokens = overhead + tokens per word x words."""

    tokens_per_word_ratio: float = 1.0
    overhead_tokens: float = 0.0
    """Of the chat template."""
    is_estimated: bool = True
    """True while no server has counted."""

    def words_count(self, tokens: int) -> int:
        """Words that make so many tokens, at least the nonce."""
        return max(round((tokens - self.overhead_tokens) / self.tokens_per_word_ratio), 1)


def tokenisation_of(words: tuple[int, int], tokens: tuple[int, int]) -> Tokenisation | None:
    """What two prompts of different lengths say; None when it makes no sense.

    >>> tokenisation_of((100, 200), (117, 227))
    Tokenisation(tokens_per_word_ratio=1.1, overhead_tokens=7.0, is_estimated=False)
    """
    if words[0] == words[1]:
        return None
    ratio = (tokens[1] - tokens[0]) / (words[1] - words[0])
    overhead = tokens[0] - ratio * words[0]
    if not 0.2 <= ratio <= 10:
        return None
    return Tokenisation(round(ratio, 9), round(max(overhead, 0.0), 9), is_estimated=False)


class PromptMaker:
    """Makes the prompts of one run. Lengths follow `seed`, words follow `seed` and the nonce of the run."""

    def __init__(self, seed: int, nonce: str, lengths: Lengths, tokenisation: Tokenisation) -> None:
        rng = random.Random(f"{seed}/pool")  # noqa: S311 - no secret
        self._pool = rng.choices(WORDS, k=_POOL_COUNT)
        self._lengths = lengths
        self._tokenisation = tokenisation
        self._seed, self._nonce = seed, nonce
        self._shared = self._slice(0, self._words(lengths.shared_prefix_tokens)) if lengths.shared_prefix_tokens else []

    def lengths(self, index: int) -> tuple[int, int]:
        """Input and output tokens of the request of this number."""
        wanted, spread = self._lengths, self._lengths.spread_fraction
        if not spread:
            return wanted.input_tokens, wanted.output_tokens
        rng = random.Random(f"{self._seed}/{index}")  # noqa: S311 - no secret
        low, high = 1 - spread, 1 + spread
        return (
            max(round(wanted.input_tokens * rng.uniform(low, high)), wanted.shared_prefix_tokens + 1),
            max(round(wanted.output_tokens * rng.uniform(low, high)), 1),
        )

    def prompt(self, name: str, input_tokens: int) -> str:
        """A prompt of about so many tokens; another `name` gives another prompt."""
        return self.prompt_of_words(name, self._words(input_tokens))

    def prompt_of_words(self, name: str, words_count: int) -> str:
        """A prompt of exactly so many words."""
        digest = hashlib.sha256(f"{self._nonce}/{name}".encode()).digest()
        nonce = [WORDS[byte] for byte in digest[:NONCE_WORDS_COUNT]]
        own = words_count - len(self._shared)
        filler = self._slice(int.from_bytes(digest[8:12], "big"), own - NONCE_WORDS_COUNT)
        return " ".join((self._shared + nonce + filler)[: max(words_count, 1)])

    def _words(self, tokens: int) -> int:
        return self._tokenisation.words_count(tokens)

    def _slice(self, offset: int, count: int) -> list[str]:
        if count <= 0:
            return []
        start = offset % _POOL_COUNT
        found = self._pool[start : start + count]
        while len(found) < count:
            found += self._pool[: count - len(found)]
        return found
