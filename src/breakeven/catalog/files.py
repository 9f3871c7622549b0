"""Catalogue files: where they lie, what shape each has, and what one is told when a row is wrong."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from breakeven import strict_yaml
from breakeven.catalog.schema import (
    AssumptionFile,
    CatalogueFile,
    GpuOfferFile,
    HardwareFile,
    ModelFile,
    TokenOfferFile,
)
from breakeven.catalog.schema_context import CarbonFile, PriceSourcesFile, ProviderFile
from breakeven.errors import CatalogError

if TYPE_CHECKING:
    from breakeven.catalog.overlay import TokenList

DATA: Final = Path(__file__).parent / "data"
"""The catalogue that ships with the package."""
SCHEMA_PAGE: Final = "docs/reference/catalog.schema.json"
CARBON_FILE: Final = "carbon.yaml"
PLACES: Final[dict[str, type[BaseModel]]] = {
    "catalogue.yaml": CatalogueFile,
    CARBON_FILE: CarbonFile,
    "fx.yaml": AssumptionFile,
    "providers.yaml": ProviderFile,
    "price_sources.yaml": PriceSourcesFile,
    "assumptions/*.yaml": AssumptionFile,
    "offers/gpu_*.yaml": GpuOfferFile,
    "offers/tokens*.yaml": TokenOfferFile,
    "hardware/*.yaml": HardwareFile,
    "models/*.yaml": ModelFile,
}
"""Place below the data folder -> shape of the files there."""
_SHOWN_PROBLEMS: Final = 5

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file; its line is looked up only when somebody prints it."""

    file: str
    text: str
    path: tuple[str | int, ...]

    def __str__(self) -> str:
        steps = ".".join(str(step) for step in self.path)
        return f"{self.file}:{strict_yaml.line_of(self.text, self.path)}: {steps}" if steps else self.file


@dataclass(frozen=True, slots=True)
class CatalogFile(Generic[M]):
    """One YAML file that has the right shape."""

    name: str
    """Path below the data folder."""
    text: str
    content: M

    def where(self, *path: str | int) -> Place:
        """Where the entry at `path` stands, for error messages."""
        return Place(self.name, self.text, path)


@dataclass(frozen=True, slots=True)
class CatalogFiles:
    """Every file of one catalogue, each of the right shape (not yet checked against each other)."""

    catalogue: CatalogFile[CatalogueFile]
    assumptions: tuple[CatalogFile[AssumptionFile], ...]
    fx: tuple[CatalogFile[AssumptionFile], ...]
    gpu_offers: tuple[CatalogFile[GpuOfferFile], ...]
    token_offers: tuple[CatalogFile[TokenOfferFile], ...]
    hardware: tuple[CatalogFile[HardwareFile], ...]
    models: tuple[CatalogFile[ModelFile], ...]
    providers: tuple[CatalogFile[ProviderFile], ...]
    price_sources: tuple[CatalogFile[PriceSourcesFile], ...]
    carbon_bytes: bytes | None
    """carbon.yaml, unread; None when there is none."""
    digest: str
    """SHA-256 of all names and bytes."""
    token_lists: tuple[TokenList, ...] = ()
    """Editions of the token price list that a refresh read on this machine, oldest first."""

    def carbon(self) -> CatalogFile[CarbonFile] | None:
        """carbon.yaml, validated when somebody asks: it is long, and few questions need it."""
        return None if self.carbon_bytes is None else _carbon(self.carbon_bytes)


def read_files(root: Path = DATA) -> CatalogFiles:
    """Read and validate every YAML file below `root`; a file in no known place is refused."""
    raw = {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*.yaml"))}
    for name in raw:
        if _place_of(name) is None:
            raise CatalogError(f"{name}: no such place in the catalogue; move it to one of: {', '.join(PLACES)}.")
    catalogue = _read(raw, "catalogue.yaml", CatalogueFile)
    if not catalogue:
        raise CatalogError(f"{root}: no catalogue.yaml. Add one that says `checked:`, the day of the last look.")
    return CatalogFiles(
        catalogue=catalogue[0],
        assumptions=_read(raw, "assumptions/*.yaml", AssumptionFile),
        fx=_read(raw, "fx.yaml", AssumptionFile),
        gpu_offers=_read(raw, "offers/gpu_*.yaml", GpuOfferFile),
        token_offers=_read(raw, "offers/tokens*.yaml", TokenOfferFile),
        hardware=_read(raw, "hardware/*.yaml", HardwareFile),
        models=_read(raw, "models/*.yaml", ModelFile),
        providers=_read(raw, "providers.yaml", ProviderFile),
        price_sources=_read(raw, "price_sources.yaml", PriceSourcesFile),
        carbon_bytes=raw.get(CARBON_FILE),
        digest=_digest(raw),
    )


@lru_cache(maxsize=4)
def _carbon(raw: bytes) -> CatalogFile[CarbonFile]:
    return validated(CARBON_FILE, raw, CarbonFile)


def _read(raw: dict[str, bytes], place: str, shape: type[M]) -> tuple[CatalogFile[M], ...]:
    return tuple(_unchanged(name, content, shape) for name, content in raw.items() if _place_of(name) == place)


@lru_cache(maxsize=128)
def _unchanged(name: str, raw: bytes, shape: type[BaseModel]) -> CatalogFile[Any]:
    """A file with the same bytes is read once; nobody writes into what was read."""
    return validated(name, raw, shape)


def _place_of(name: str) -> str | None:
    from fnmatch import fnmatchcase

    return next((each for each in PLACES if fnmatchcase(name, each) and name.count("/") == each.count("/")), None)


def validated(name: str, raw: bytes, shape: type[M]) -> CatalogFile[M]:
    """A file of the right shape; raises CatalogError with the line of each field that is not."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CatalogError(f"{name}: not UTF-8 at byte {error.start}; save it as UTF-8.") from error
    content = strict_yaml.read(text, name)
    try:
        return CatalogFile(name, text, shape.model_validate({} if content is None else content))
    except ValidationError as error:
        raise CatalogError(_explained(name, text, error)) from error


def _explained(name: str, text: str, error: ValidationError) -> str:
    problems = error.errors(include_url=False)
    lines = [f"{Place(name, text, problem['loc'])}: {_wanted(dict(problem))}" for problem in problems[:_SHOWN_PROBLEMS]]
    if len(problems) > _SHOWN_PROBLEMS:
        lines.append(f"... and {len(problems) - _SHOWN_PROBLEMS} more")
    return "\n".join(lines) + f"\n  Every field is described in {SCHEMA_PAGE}."


def _wanted(problem: dict[str, Any]) -> str:
    seen = problem.get("input")
    kind = problem["type"]
    if kind == "missing":
        return "missing; a row without it is refused. Add it."
    if kind == "extra_forbidden":
        return "unknown field. Remove it or correct its name."
    if kind == "value_error":
        return f"{problem['ctx']['error']}."
    hints = {
        "date_type": "a date such as 2026-01-31, without quotes",
        "float_type": "a number without quotes (1.0e+6, not 1e6)",
        "int_type": "a whole number",
        "string_type": "text (quote it when YAML would read it as something else, such as no or 1.0)",
        "finite_number": "a finite number",
    }
    wanted = hints.get(kind) or str(problem["msg"]).removeprefix("Input should be ")
    return f"saw {seen!r}, wanted {wanted}."


def _digest(raw: dict[str, bytes]) -> str:
    sha = hashlib.sha256()
    for name, content in raw.items():
        sha.update(name.encode() + b"\0" + content + b"\0")
    return sha.hexdigest()
