"""Names: which model or GPU of the catalogue somebody means by a name from a log, a benchmark or a model hub.

By rule, never by likeness: case, separators, the maker's name and words that say how weights are stored or tuned
(``-Instruct``, ``-FP8``, ``-2507``) do not count; everything else must be an entry's name or one of its aliases.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Final, Protocol, TypeVar

from breakeven.catalog.hardware import Gpu
from breakeven.catalog.load import Catalog
from breakeven.catalog.model import ModelSpec
from breakeven.errors import CatalogError, UnknownName, nearest

_SEPARATORS: Final = re.compile(r"[\s_\-:,()\[\]]+")
_MODEL_WORDS: Final = re.compile(
    r"""instruct|chat|it|pt|hf|base|thinking|preview|original|meta|maas|turbo
    |(w|a|kv)?(nv|mx)?fp(4|8|16|32)|bf16|float(8|16)|u?int(4|8)|awq|gptq|nf4|bnb|4bit|8bit
    |w\d+a\d+|quantized(\.w\d+a\d+)?|quant|modelopt|static|dynamic|dyn|pre|trtllm|pertensor|block|kv|scale|sq
    |99|99\.9|interactive|edge|offline|server
    |\d{4}|20\d{6}""",
    re.VERBOSE,
)
"""Words of a model's name that do not change its architecture: tuning, storage, the class of a benchmark, a date."""
_GPU_WORDS: Final = re.compile(r"nvidia|amd|instinct|geforce|tesla|virtualized|gpu|oam|tensor|core|nps\d|spx|\d+w")
_MEMORY: Final = re.compile(r"(\d+)gb?")
_SOCKET: Final = re.compile(r"sxm\d")


class _Named(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def aliases(self) -> tuple[str, ...]: ...


N = TypeVar("N", bound=_Named)


def find_model(catalog: Catalog, name: str) -> ModelSpec:
    """The model that `name` means; raises UnknownName with the nearest name when there is none.

    >>> from datetime import date
    >>> from breakeven.catalog.load import load_catalog
    >>> catalog = load_catalog(date(2026, 11, 25))
    >>> [find_model(catalog, each).name for each in ("Qwen/Qwen3-235B-A22B-FP8", "llama2-70b-99.9", "Mistral-7B")]
    ['Qwen3-235B-A22B', 'Llama-2-70B', 'Mistral-7B-v0.3']
    """
    last = name.strip().rstrip("/").rsplit("/", 1)[-1]
    found = _found(_models(catalog), (_key(last), _key(last, _tuning)))
    if found is None:
        raise UnknownName(f"unknown model '{name}'; {nearest(last, list(catalog.models))}")
    return found


def find_gpu(catalog: Catalog, name: str) -> Gpu:
    """The GPU that `name` means; raises UnknownName with the nearest name when there is none.

    >>> from datetime import date
    >>> from breakeven.catalog.load import load_catalog
    >>> catalog = load_catalog(date(2026, 11, 25))
    >>> [find_gpu(catalog, each).name for each in ("NVIDIA H200-SXM-141GB", "h100 sxm", "AMD Instinct MI300X")]
    ['H200-SXM-141', 'H100-SXM-80', 'MI300X']
    """
    found = _found(_gpus(catalog), (_key(name), _key(name, _maker)))
    if found is None:
        raise UnknownName(f"unknown GPU '{name}'; {nearest(name, list(catalog.gpus))}")
    return found


@lru_cache(maxsize=4)
def _models(catalog: Catalog) -> Mapping[str, ModelSpec]:
    hub_names = {model.name: (model.hf_id.rsplit("/", 1)[-1],) for model in catalog.models.values()}
    return _index(catalog.models.values(), _tuning, hub_names)


@lru_cache(maxsize=4)
def _gpus(catalog: Catalog) -> Mapping[str, Gpu]:
    return _index(catalog.gpus.values(), _maker, {})


def _index(
    entries: Iterable[N], is_left_out: Callable[[str], bool], more_names: Mapping[str, tuple[str, ...]]
) -> dict[str, N]:
    """Key of each name -> its entry; the whole name where it has a key of its own, then without the words left out."""
    index: dict[str, N] = {}
    listed = list(entries)
    for each in listed:
        _add(index, _key(each.name), each)
    names = dict(index)
    for each in listed:
        for alias in each.aliases:
            if _key(alias) not in names:
                _add(index, _key(alias), each)
    for each in listed:
        for name in (each.name, *each.aliases, *more_names.get(each.name, ())):
            index.setdefault(_key(name, is_left_out), each)
    return index


def _add(index: dict[str, N], key: str, entry: N) -> None:
    holder = index.setdefault(key, entry)
    if holder.name != entry.name:
        raise CatalogError(
            f"'{holder.name}' and '{entry.name}' go by the same name ('{key}' without its separators);"
            " rename one of them, or take the alias out."
        )


def _found(index: Mapping[str, N], keys: Iterable[str]) -> N | None:
    return next((index[key] for key in keys if key and key in index), None)


def _key(name: str, is_left_out: Callable[[str], bool] | None = None) -> str:
    """`name` in small letters, without separators and without the words left out."""
    words = [word for word in _SEPARATORS.split(name.lower()) if word and not (is_left_out and is_left_out(word))]
    plain = (_MEMORY.sub(r"\1", word) if _MEMORY.fullmatch(word) else word for word in words)
    return re.sub(r"[^a-z0-9]", "", "".join(_SOCKET.sub("sxm", word) for word in plain))


def _tuning(word: str) -> bool:
    return _MODEL_WORDS.fullmatch(word) is not None


def _maker(word: str) -> bool:
    return _GPU_WORDS.fullmatch(word) is not None
