"""Added model: a catalogue entry counted from the configuration of a model that the catalogue does not ship."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from breakeven.catalog.hf_config import HfConfig, quantisation, read_hf_config
from breakeven.catalog.hf_counts import count
from breakeven.catalog.load import Catalog
from breakeven.catalog.names import find_model
from breakeven.catalog.overlay import MODEL_FILE, read_overlay
from breakeven.errors import CatalogError, UnknownName

_DIGITS: Final = 6
"""Significant digits of a size."""
_LEFT_OUT: Final = ("expert_params_count", "embedding_params_count")
_DEFAULTS: Final[Mapping[str, object]] = {
    "experts_count": 0,
    "experts_per_token_count": 0,
    "expert_size_count": 0,
    "intermediate_size_count": 0,
    "latent_attention": False,
    "state_layers_count": 0,
    "state_gb": 0.0,
    "sparse_attention_tokens": 0,
    "fp8_block_scaled": False,
    "sliding_window_tokens": 0,
    "sliding_layers_count": 0,
    "expert_weights_gb": {},
}
"""Fields that an entry leaves out where they say nothing."""


@dataclass(frozen=True, slots=True)
class AddedModel:
    """A model of the user's own, as it stands in models/added.yaml."""

    name: str
    entry: Mapping[str, Any]


def added_model(path: Path, name: str | None, today: date) -> AddedModel:
    """Count the model of a config.json; raises CatalogError for what cannot be counted, or has no name."""
    config = read_hf_config(path)
    said = str(config.outer.get("_name_or_path") or config.fields.get("_name_or_path") or "").strip()
    name = name or said.rstrip("/").rsplit("/", 1)[-1]
    if not name:
        raise CatalogError(f"{path}: says no name ('_name_or_path'). Give one with --name.")
    counts = asdict(count(config))
    entry = {key: _rounded(value) for key, value in counts.items() if key not in _LEFT_OUT}
    kept = {key: value for key, value in entry.items() if key not in _DEFAULTS or value != _DEFAULTS[key]}
    source = {
        "title": f"config.json{f' of {said}' if said else ''}, sha256 {_sha256(path)[:16]}",
        "link": str(path.resolve()),
        "read": today,
        "grade": "official" if said else "quoted",
    }
    hub_name = said if said.count("/") == 1 and not said.startswith((".", "/")) else name
    return AddedModel(name, {"hf_id": hub_name, **kept, "source": source, "note": _note(config)})


def check_is_new(model: AddedModel, catalog: Catalog, folder: Path, *, replaces: bool) -> None:
    """Raises CatalogError when the name is taken, by the package or by an earlier entry that is not to be replaced."""
    own = own_models(folder)
    if model.name in own:
        if not replaces:
            raise CatalogError(
                f"'{model.name}' is in {folder / MODEL_FILE} already. Replace it with --replace, or give --name."
            )
        return
    try:
        known = find_model(catalog, model.name)
    except UnknownName:
        return
    raise CatalogError(
        f"'{model.name}' is known: the catalogue's '{known.name}' goes by that name. Use it, or give another --name."
    )


def added_file(model: AddedModel, folder: Path) -> Mapping[str, bytes]:
    """models/added.yaml with the model in it, to be written below `folder`."""
    import yaml

    models = {**own_models(folder), model.name: model.entry}
    text = yaml.safe_dump(models, sort_keys=False, allow_unicode=True, width=1000)
    return {MODEL_FILE: f"# Models added by `breakeven catalog add-model`.\n{text}".encode()}


def own_models(folder: Path) -> dict[str, Mapping[str, Any]]:
    """Models added before, by name."""
    added = read_overlay(folder).models if folder.is_dir() else None
    if added is None:
        return {}
    entries: dict[str, Mapping[str, Any]] = {}
    for name, entry in added.content.root.items():
        kept = entry.model_dump(exclude_defaults=True)
        entries[name] = {**kept, "source": {**kept["source"], "grade": entry.source.grade.value}}
    return entries


def _note(config: HfConfig) -> str:
    stored = quantisation(config)
    weights = f"{stored.bits_per_weight_ratio:g} bits" if stored else "16 bits"
    part = " in the routed experts only" if stored and stored.experts_only else ""
    tower = " Text part only." if "text_config" in config.outer else ""
    absent = ", ".join(f"{name} {config.fields[name]}" for name in config.defaulted)
    default = f" Left out of the file, as usual in its family: {absent}." if absent else ""
    counted = f"Counted from the configuration (model_type {config.family})"
    return f"{counted}; weights are stored in {weights}{part}.{tower}{default}"


def _rounded(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _rounded(each) for key, each in value.items()}
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
