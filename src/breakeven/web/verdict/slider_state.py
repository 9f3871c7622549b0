"""Slider state: what an address says is different, the stops of a slider, and the command that gives the same numbers.

A slider moves over stops whose texts are those that `breakeven whatif NAME=VALUE` takes, so that page, address and
command say the same number. A slider that stands where the project stands is in none of the three.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, takewhile
from math import ceil, floor, isclose, log, log10
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from breakeven.decision.answers.changes import FACT_ALIASES, MOST, VOLUME, Change, typed_number
from breakeven.decision.bounds import SMALLEST_DIVISOR, limits_of
from breakeven.errors import BreakevenError
from breakeven.reports import amounts
from breakeven.reports.whatif_wording import value_after
from breakeven.units import TOKENS_PER_MTOK, unit_of

if TYPE_CHECKING:
    from breakeven.reports.sliders import Slider
    from breakeven.web.project import Project

Changes = tuple[tuple[str, str], ...]
"""Name and value of each thing that is different, as `breakeven whatif NAME=VALUE` takes them."""
NOT_CHANGES: Final = frozenset({"saved", "quick", "csrf"})
"""Keys of the address that say something else."""
_OVERRIDE: Final = re.compile(r"^overrides: '\w+' is [^;]*; ")
"""How an error about a fact begins: by its name in the scenario."""
STOPS_MAX_COUNT: Final = 240
CHANGES_MAX_COUNT: Final = 40
TEXT_MAX_COUNT: Final = 60
"""Characters of a typed value that are read."""
DIGITS_COUNT: Final = 3
"""Significant digits of a stop."""


@dataclass(frozen=True, slots=True)
class Stop:
    """One place where a slider may stand."""

    text: str
    """As the command takes it, e.g. 5B; empty: as things are."""
    words: str
    """As a person reads it, e.g. 5 B tokens/month."""
    value: float


@dataclass(frozen=True, slots=True)
class Stand:
    """A slider, where it stands, and where it may."""

    slider: Slider
    stops: tuple[Stop, ...]
    base_count: int
    """Place of the stop that is as things are."""
    here_count: int
    """Place of the stop that is nearest to what was asked."""
    text: str
    """What the numbers are of, as typed; empty: as things are."""
    words: str
    """The same for reading."""
    typed: str
    """What its field says: the same, or what could not be taken."""

    @property
    def name(self) -> str:
        """As the address and the command say it."""
        return self.slider.name

    @property
    def moved(self) -> bool:
        """Whether it stands elsewhere than the project."""
        return self.text != ""

    @property
    def is_refused(self) -> bool:
        """Whether its field says what could not be taken."""
        return self.typed != self.text

    @property
    def base_text(self) -> str:
        """What a field that was left empty stands for."""
        return _base_text(self.slider)

    @property
    def base_words(self) -> str:
        """As things are."""
        return self.stops[self.base_count].words

    @property
    def base_unit(self) -> str:
        """The last of those words, as far as every stop says them: what need not be said twice."""
        unit = _common_end([each.words for each in self.stops])
        return unit[unit.find(" ") :] if " " in unit else ""

    @property
    def base_fraction(self) -> float:
        """Where on the track the project stands."""
        return self._share(self.base_count)

    @property
    def here_fraction(self) -> float:
        """Where on the track the slider stands."""
        return self._share(self.here_count)

    @property
    def stops_json(self) -> str:
        """Text and words of every stop, for the script."""
        return json.dumps([[each.text, each.words] for each in self.stops], ensure_ascii=False, separators=(",", ":"))

    def _share(self, place_count: int) -> float:
        return round(place_count / max(len(self.stops) - 1, 1), 4)


def _common_end(texts: Sequence[str]) -> str:
    same = takewhile(lambda letters: len(set(letters)) == 1, zip(*(reversed(each) for each in texts), strict=False))
    return "".join(letters[0] for letters in same)[::-1]


def changes_of(address: Iterable[tuple[str, str]], sliders: Sequence[Slider] = ()) -> Changes:
    """What an address says is different: the sliders in their order, then whatever else `whatif` takes.

    A name with several values is there with each of them: see `contradictions`.
    """
    by_fact = {each.fact: each.name for each in sliders if _says_its_fact(each)}
    said: dict[str, list[str]] = {}
    for key, typed in islice(address, CHANGES_MAX_COUNT):
        name, text = key.strip(), typed.strip()[:TEXT_MAX_COUNT]
        if text and name and name not in NOT_CHANGES:
            texts = said.setdefault(by_fact.get(FACT_ALIASES.get(name, name), name), [])
            texts += [] if text in texts else [text]
    names = {each.name: each for each in sliders if not each.disabled}
    moved = [name for name, each in names.items() if name in said and said[name] != [_base_text(each)]]
    return tuple((name, text) for name in (*moved, *(key for key in said if key not in names)) for text in said[name])


def contradictions(changes: Changes) -> dict[str, str]:
    """Name -> what is wrong, of each that is given several values.

    >>> contradictions((("volume", "5B"), ("horizon", "24"), ("volume", "nan")))
    {'volume': 'volume has 2 values (5B, nan); wanted one'}
    """
    texts: dict[str, list[str]] = {}
    for name, text in changes:
        texts.setdefault(name, []).append(text)
    return {
        name: f"{name} has {len(each)} values ({', '.join(each)}); wanted one"
        for name, each in texts.items()
        if len(each) > 1
    }


def query_of(changes: Changes) -> str:
    """The changes as the end of an address, the question mark with it; empty without a change.

    >>> query_of((("volume", "5B"), ("growth", "2%"))), query_of(())
    ('?volume=5B&growth=2%25', '')
    """
    return f"?{urlencode(changes)}" if changes else ""


def without(changes: Changes, name: str) -> Changes:
    """All but one of the changes."""
    return tuple(each for each in changes if each[0] != name)


def command_of(project: Project, changes: Changes) -> str:
    """The command that prints the same numbers, to be run in the project's folder."""
    from breakeven.web.project import STORE_FOLDER

    words = ["breakeven", "whatif", *(f"{name}={text}" for name, text in changes)]
    if project.scenario.exists():
        words += ["--scenario", _from_folder(project, project.scenario)]
    if project.store != project.folder / STORE_FOLDER:
        words += ["--store", _from_folder(project, project.store)]
    if project.outcomes is not None:
        words += ["--outcomes", _from_folder(project, project.outcomes)]
    return shlex.join(words)


def _from_folder(project: Project, path: Path) -> str:
    """A path as one says it inside the project's folder."""
    return str(path.relative_to(project.folder)) if path.is_relative_to(project.folder) else str(path.absolute())


def stand_of(slider: Slider, changes: Changes, asked: Changes = ()) -> Stand:
    """Where a slider stands under the changes that were taken; its field keeps what was `asked`."""
    text = dict(changes).get(slider.name, "")
    typed = text or dict(asked).get(slider.name, "")
    stops, base = _stops(slider)
    value = _value(slider, text)
    if value is None:
        return Stand(slider, stops, base, base, "", stops[base].words, typed)
    here = min(range(len(stops)), key=lambda at: (abs(stops[at].value - value), at == base))
    return Stand(slider, stops, base, here, text, words_of(slider, value), typed)


def why_not(slider: Slider, text: str, error: str) -> str:
    """Why a typed value is not taken, by the slider's title and what it takes; else what the `error` says of it."""
    value, (low, high) = _value(slider, text), _limits(slider)
    own = _OVERRIDE.sub("", error.removeprefix(f"{slider.name}={text}: "))
    if ("," in text and value is None) or (value is not None and low <= value <= high):
        return f"{slider.title}: {text} is not taken; {own}"
    least = "more than zero" if 0 < low <= SMALLEST_DIVISOR else f"from {words_of(slider, low)}"
    most = f"{'and at most' if low > 0 else 'to'} {words_of(slider, high)}"
    return f"{slider.title}: {text} is not taken; wanted a number {least} {most}, e.g. {_base_text(slider)}"


def _limits(slider: Slider) -> tuple[float, float]:
    """The least and the most that may be typed."""
    if slider.fact in MOST:
        return SMALLEST_DIVISOR, MOST[slider.fact]
    if not _says_its_fact(slider):
        return SMALLEST_DIVISOR, slider.high
    return limits_of(slider.fact, slider.unit)


def text_of(slider: Slider, value: float) -> str:
    """A value as `whatif` takes it."""
    if slider.fact == VOLUME:
        return amounts.magnitude(value * TOKENS_PER_MTOK, DIGITS_COUNT).replace(" ", "").replace(",", "")
    if slider.unit == "fraction" or slider.unit.startswith("1/"):
        return f"{_plain(value * 100)}%"
    return _plain(value)


def _base_text(slider: Slider) -> str:
    return text_of(slider, slider.typical)


def words_of(slider: Slider, value: float) -> str:
    """A value as a person reads it, and as `whatif` prints it."""
    if _says_its_fact(slider):
        return value_after(Change(slider.name, slider.fact, "fact", value))
    return amounts.quantity(value, slider.unit)


def _says_its_fact(slider: Slider) -> bool:
    """Whether its number is the fact's own, and not one that the fact follows from."""
    return unit_of(slider.fact) == slider.unit


def _value(slider: Slider, text: str) -> float | None:
    """The number that a text says; None: none."""
    try:
        return typed_number(slider.name, text, is_volume=slider.fact == VOLUME) if text else None
    except BreakevenError:
        return None


@lru_cache(maxsize=64)
def _stops(slider: Slider) -> tuple[tuple[Stop, ...], int]:
    """The stops from low to high, and the place of the one that is as things are."""
    base = Stop("", words_of(slider, slider.typical), slider.typical)
    base_text, found = _base_text(slider), {}
    for value in _values(slider):
        text = text_of(slider, value)
        if text != base_text:
            found[text] = Stop(text, words_of(slider, value), value)
    below = [each for each in found.values() if each.value < slider.typical]
    above = [each for each in found.values() if each.value > slider.typical]
    return (*below, base, *above), len(below)


def _values(slider: Slider) -> list[float]:
    """Round values from low to high: even steps, or even ratios from where the project stands."""
    low, high, step = slider.low, slider.high, slider.step
    if low >= high:
        return []
    if slider.scale == "log":
        while log(high / low) / log(step) > STOPS_MAX_COUNT:
            step *= step
        first, last = ceil(log(low / slider.typical) / log(step)), floor(log(high / slider.typical) / log(step))
        inner = [_rounded(slider.typical * step**k) for k in range(first, last + 1)]
    else:
        while (high - low) / step > STOPS_MAX_COUNT:
            step *= 2
        inner = [_rounded(k * step) for k in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)]
    ends = (_inward(low, ceil), _inward(high, floor))
    return [ends[0], *(each for each in inner if ends[0] < each < ends[1]), ends[1]]


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS_COUNT - 1}e}")


def _inward(value: float, toward: Callable[[float], int]) -> float:
    """An end of a slider, rounded to the inside, so that it is no further than what may be set.

    >>> _inward(0.76923, floor), _inward(0.26297, ceil), _inward(-0.08, ceil), _inward(0.0, ceil)
    (0.769, 0.263, -0.08, 0.0)
    """
    if value == 0:
        return 0.0
    unit = 10.0 ** (floor(log10(abs(value))) - DIGITS_COUNT + 1)
    whole = value / unit
    return _rounded((round(whole) if isclose(whole, round(whole), rel_tol=1e-9) else toward(whole)) * unit)


def _plain(value: float) -> str:
    """Three significant digits, no exponent, no separator.

    >>> _plain(1.65), _plain(0.04592), _plain(12345.0), _plain(-0.02), _plain(36.0)
    ('1.65', '0.0459', '12345', '-0.02', '36')
    """
    if value == 0:
        return "0"
    places = max(0, DIGITS_COUNT - 1 - floor(log10(abs(value))))
    text = f"{value:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
