"""Overlay: what `breakeven catalog refresh` and `add-model` wrote on this machine, over the catalogue that ships.

A folder of its own, in the catalogue's shapes: ``offers/gpu_refreshed.yaml`` holds rows to append to the market
offers, ``tokens/DAY.yaml`` says which price list was read on that day, and the list lies beside it, named by its
content; ``models/added.yaml`` holds models of the user's own. Without the folder nothing changes. Rows are added to an
offer's history; the past keeps its prices.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import Field

from breakeven.catalog.schema_base import Entry, Text
from breakeven.errors import CatalogError

if TYPE_CHECKING:
    from breakeven.catalog.files import CatalogFile, CatalogFiles, Place
    from breakeven.catalog.genai_price_list import PriceList
    from breakeven.catalog.offer import TokenOffer
    from breakeven.catalog.schema import AssumptionEntry, GpuOfferEntry, GpuOfferFile, ModelFile

FOLDER_VARIABLE: Final = "BREAKEVEN_CATALOGUE"
"""Environment variable that names the folder; empty: read none."""
GPU_FILE: Final = "offers/gpu_refreshed.yaml"
MODEL_FILE: Final = "models/added.yaml"
TOKEN_FOLDER: Final = "tokens"  # noqa: S105  (no password)
REFRESHED: Final = "Read by `breakeven catalog refresh`"
"""Begins the note of each refreshed row."""
_HINT: Final = "delete it, or run `breakeven catalog refresh --write` again"


class TokenListFile(Entry):
    """tokens/DAY.yaml: which price list was read on that day."""

    read: date
    url: Text
    file: Annotated[str, Field(pattern=r"^[0-9a-f]{16}\.json$")]
    """The list, beside this file."""
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    held_back: list[Text] = Field(default_factory=list)
    """provider/model of prices that nobody accepted."""
    offers: list[Text] = Field(default_factory=list)
    """Offers of the catalogue that the list names."""


@dataclass(frozen=True, slots=True)
class TokenList:
    """One edition of the token price list, as it was read on a day."""

    read: date
    url: str
    path: Path
    sha256: str
    held_back: frozenset[str]
    """provider/model of prices that nobody accepted; older editions price them."""
    offers: frozenset[str]
    """Offers of the catalogue that the list still names."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """Everything in the folder."""

    folder: Path
    gpu_offers: CatalogFile[GpuOfferFile] | None
    token_lists: tuple[TokenList, ...]
    """Oldest first."""
    digest: str
    """SHA-256 of all names and bytes (of lists: of their hashes); empty when there is nothing."""
    models: CatalogFile[ModelFile] | None = None
    """Models of the user's own; one that the package has too by now stays the user's."""


def default_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where `refresh` writes when it is not told: the environment variable, or the user's data folder."""
    given = environment.get(FOLDER_VARIABLE)
    if given:
        return Path(given)
    data = environment.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "breakeven" / "catalogue"


def overlay_folder(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The folder to read; None when there is none, or when the environment says to read none."""
    if environment.get(FOLDER_VARIABLE) == "":
        return None
    folder = default_folder(environment)
    return folder if folder.is_dir() else None


def stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Name, size and time of each file: what tells a changed folder from the one already read."""
    files = sorted(path for part in ("offers", "models", TOKEN_FOLDER) for path in (folder / part).glob("*.yaml"))
    return tuple((path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files)


def read_overlay(folder: Path) -> Overlay:
    """Read and validate the folder; raises CatalogError naming the file for anything that is not as written."""
    from breakeven.catalog.files import validated
    from breakeven.catalog.schema import GpuOfferFile, ModelFile

    digest = hashlib.sha256()
    found: dict[str, bytes] = {}
    for name in (GPU_FILE, MODEL_FILE):
        if (folder / name).is_file():
            found[name] = (folder / name).read_bytes()
            digest.update(name.encode() + b"\0" + found[name])
    gpu_offers = validated(str(folder / GPU_FILE), found[GPU_FILE], GpuOfferFile) if GPU_FILE in found else None
    models = validated(str(folder / MODEL_FILE), found[MODEL_FILE], ModelFile) if MODEL_FILE in found else None
    lists = []
    for path in sorted((folder / TOKEN_FOLDER).glob("*.yaml")):
        raw = path.read_bytes()
        digest.update(path.name.encode() + b"\0" + raw)
        lists.append(_token_list(path, raw))
    return Overlay(folder, gpu_offers, tuple(lists), digest.hexdigest() if found or lists else "", models)


def with_overlay(files: CatalogFiles, overlay: Overlay) -> CatalogFiles:
    """`files` with the overlay's rows appended to their offers, checked together; the very same files without any."""
    from breakeven.catalog.checks import check

    if not overlay.digest:
        return files
    merged = files
    days = [files.catalogue.content.checked]
    if overlay.gpu_offers is not None:
        merged = replace(merged, gpu_offers=tuple(_merged(merged.gpu_offers, overlay.gpu_offers)))
        days += [value.since for _, _, entry in _rents(overlay.gpu_offers) for value in entry.values]
    if overlay.models is not None:
        merged = replace(merged, models=(*_without(merged.models, overlay.models), overlay.models))
        days += [entry.source.read for entry in overlay.models.content.root.values()]
    if merged is not files:
        seen = files.catalogue.content.model_copy(update={"checked": max(days)})
        try:
            check(replace(merged, catalogue=replace(files.catalogue, content=seen)))
        except CatalogError as error:
            raise CatalogError(f"{overlay.folder} does not fit this catalogue: {error} {_HINT}.") from None
    digest = hashlib.sha256(f"{files.digest} {overlay.digest}".encode()).hexdigest()
    return replace(merged, token_lists=overlay.token_lists, digest=digest)


def read_token_list(edition: TokenList) -> PriceList:
    """The prices of an edition; raises CatalogError when its file is not the one that was written."""
    return _parsed(edition.path, edition.sha256)


def with_refreshed_source(offer: TokenOffer, lists: Sequence[TokenList]) -> TokenOffer:
    """`offer`, its source the newest edition that prices it: an offer that genai-prices lists is as old as that."""
    if offer.genai_prices is None:
        return offer
    name = f"{offer.genai_prices.provider}/{offer.genai_prices.model}"
    for edition in reversed(lists):
        if offer.name in edition.offers and name not in edition.held_back:
            title = f"genai-prices, list of {edition.read}"
            return replace(offer, source=replace(offer.source, title=title, read=edition.read))
    return offer


@lru_cache(maxsize=4)
def _parsed(path: Path, sha256: str) -> PriceList:
    from breakeven.catalog.genai_price_list import parse_price_list

    try:
        raw = path.read_bytes()
    except OSError as error:
        raise CatalogError(f"{path}: {error.strerror}; {_HINT}.") from None
    if hashlib.sha256(raw).hexdigest() != sha256:
        raise CatalogError(f"{path}: not the list that was read (its hash differs); {_HINT}.")
    return parse_price_list(raw)


def _token_list(path: Path, raw: bytes) -> TokenList:
    from breakeven.catalog.files import validated

    said = validated(str(path), raw, TokenListFile).content
    if path.stem != said.read.isoformat():
        raise CatalogError(f"{path}: says it was read {said.read}; {_HINT}.")
    return TokenList(
        said.read,
        said.url,
        path.parent / said.file,
        said.sha256,
        frozenset(said.held_back),
        frozenset(said.offers),
    )


def _merged(
    bundled: Sequence[CatalogFile[GpuOfferFile]], refreshed: CatalogFile[GpuOfferFile]
) -> Iterator[CatalogFile[GpuOfferFile]]:
    """Bundled files with the refreshed rows in them, matched by what is sold; an offer that the package no longer has
    stays one of its own.
    """
    left = {_good(offer): (name, offer) for name, offer in refreshed.content.root.items()}
    for file in bundled:
        offers = {}
        for name, offer in file.content.root.items():
            refreshed_name, extra = left.pop(_good(offer), (name, None))
            offers[name] = offer if extra is None else _joined(offer, extra, refreshed.where(refreshed_name))
        yield replace(file, content=file.content.model_copy(update={"root": offers}))
    if left:
        yield replace(refreshed, content=refreshed.content.model_copy(update={"root": dict(left.values())}))


def _without(
    bundled: Sequence[CatalogFile[ModelFile]], own: CatalogFile[ModelFile]
) -> Iterator[CatalogFile[ModelFile]]:
    """Bundled files without the models that the user has an entry for."""
    for file in bundled:
        left = {name: entry for name, entry in file.content.root.items() if name not in own.content.root}
        yield replace(file, content=file.content.model_copy(update={"root": left}))


def _good(offer: GpuOfferEntry) -> tuple[str, str, str]:
    return offer.gpu, offer.term, offer.provider


def _joined(offer: GpuOfferEntry, extra: GpuOfferEntry, where: Place) -> GpuOfferEntry:
    facts = dict(offer.facts)
    for name, entry in extra.facts.items():
        if name in facts and (facts[name].unit, facts[name].dimension) != (entry.unit, entry.dimension):
            raise CatalogError(f"{where}: unit or dimension of {name} is not the catalogue's; {_HINT}.")
        facts[name] = _appended(facts[name], entry) if name in facts else entry
    return offer.model_copy(update={"facts": facts})


def _appended(bundled: AssumptionEntry, extra: AssumptionEntry) -> AssumptionEntry:
    """Both histories by day; where both have a row of one day, the catalogue's own."""
    by_day = {value.since: value for value in (*extra.values, *bundled.values)}
    return bundled.model_copy(update={"values": [by_day[day] for day in sorted(by_day)]})


def _rents(file: CatalogFile[GpuOfferFile]) -> Iterator[tuple[str, str, AssumptionEntry]]:
    for name, offer in file.content.root.items():
        for fact, entry in offer.facts.items():
            yield name, fact, entry


def as_entry(value: Mapping[str, Any], entry: GpuOfferEntry, fact: str) -> dict[str, Any]:
    """A new row of `entry` as a whole entry of the overlay's file, before YAML."""
    rent = entry.facts[fact]
    facts = {fact: {"dimension": rent.dimension, "unit": rent.unit, "values": [dict(value)]}}
    return {"gpu": entry.gpu, "term": entry.term, "provider": entry.provider, "facts": facts}
