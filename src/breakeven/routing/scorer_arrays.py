"""Scorer arrays: a scorer as named arrays and a few settings, and back, with every shape and value checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, cast

import numpy as np

from breakeven.errors import PolicyError
from breakeven.routing.array_file import Array
from breakeven.routing.features import FEATURES_VERSION, SURFACE_COUNT
from breakeven.routing.forest import ForestHead
from breakeven.routing.heads import LinearHead, NeighboursHead
from breakeven.routing.record import from_plain
from breakeven.routing.scorer import Calibration, Novelty, Scorer
from breakeven.routing.term_weights import TermWeights

BITS_MAX_COUNT: Final = 22
_DEPTH_MAX_COUNT: Final = 64

_SHAPES: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "terms.columns": ("uint32", ("terms",)),
    "terms.idf": ("float32", ("terms",)),
    "linear.term_weights": ("float32", ("terms", "models")),
    "linear.surface_weights": ("float64", ("surface", "models")),
    "linear.surface_mean": ("float64", ("surface",)),
    "linear.surface_scale": ("float64", ("surface",)),
    "linear.group_weights": ("float64", ("models",)),
    "linear.intercepts": ("float64", ("models",)),
    "neighbours.offsets": ("int64", ("terms + 1",)),
    "neighbours.rows": ("int32", ("postings",)),
    "neighbours.weights": ("float32", ("postings",)),
    "neighbours.outcomes": ("float32", ("bank", "models")),
    "forest.term_weights": ("float32", ("terms", "sums")),
    "forest.roots": ("int32", ("forest trees",)),
    "forest.feature": ("int32", ("forest nodes",)),
    "forest.threshold": ("float32", ("forest nodes",)),
    "forest.left": ("int32", ("forest nodes",)),
    "forest.value": ("float32", ("forest nodes", "models")),
    "residual.roots": ("int32", ("residual trees",)),
    "residual.feature": ("int32", ("residual nodes",)),
    "residual.threshold": ("float32", ("residual nodes",)),
    "residual.left": ("int32", ("residual nodes",)),
    "residual.value": ("float32", ("residual nodes", "models")),
    "calibration.x": ("float64", ("models", "knots")),
    "calibration.y": ("float64", ("models", "knots")),
}
_PARTS: Final = {
    "terms": TermWeights,
    "linear": LinearHead,
    "neighbours": NeighboursHead,
    "forest": ForestHead,
    "residual": ForestHead,
    "calibration": Calibration,
}


@dataclass(frozen=True, slots=True)
class ScorerSettings:
    """What of a scorer is not an array."""

    bits_count: int
    features_version: int
    """Of the features that it was learnt with."""
    blend: Mapping[str, float]
    parts: tuple[str, ...]
    """Those of `terms`, `linear`, `neighbours`, `forest`, `residual`, `calibration` that it has."""
    neighbours_count: int = 0
    prior_ratio: float = 0.0
    query_terms_count: int = 0
    depth_count: int = 0
    residual_depth_count: int = 0
    novelty: Novelty | None = None


@dataclass(frozen=True, slots=True)
class ScorerParts:
    """A scorer, taken apart."""

    settings: ScorerSettings
    arrays: Mapping[str, Array]


def parts_of(scorer: Scorer) -> ScorerParts:
    """A scorer as settings and arrays."""
    present = {name: getattr(scorer, name) for name in _PARTS if getattr(scorer, name) is not None}
    arrays = {
        f"{part}.{each.name}": np.asarray(getattr(value, each.name), dtype=_SHAPES[f"{part}.{each.name}"][0])
        for part, value in present.items()
        for each in fields(value)
        if f"{part}.{each.name}" in _SHAPES
    }
    bank, forest = scorer.neighbours, scorer.forest
    settings = ScorerSettings(
        bits_count=scorer.terms.bits,
        features_version=FEATURES_VERSION,
        blend=dict(scorer.blend),
        parts=tuple(present),
        neighbours_count=bank.neighbours_count if bank else 0,
        prior_ratio=bank.prior_ratio if bank else 0.0,
        query_terms_count=bank.query_terms_count if bank else 0,
        depth_count=forest.depth_count if forest else 0,
        residual_depth_count=scorer.residual.depth_count if scorer.residual else 0,
        novelty=scorer.novelty,
    )
    return ScorerParts(settings, arrays)


def scorer_of(parts: ScorerParts, models: tuple[str, ...]) -> Scorer:
    """The scorer of settings and arrays, for these models; PolicyError where anything does not fit."""
    settings, arrays = parts.settings, parts.arrays
    _check_settings(settings)
    wanted = {name for name in _SHAPES if name.split(".")[0] in settings.parts}
    if missing := sorted(wanted - set(arrays)):
        raise PolicyError(f"the policy lacks the array {missing[0]}; copy the whole folder, or learn again.")
    if extra := sorted(set(arrays) - wanted):
        raise PolicyError(f"the policy holds an array that nothing uses, {extra[0]}; learn again.")
    sizes = {"models": len(models), "surface": SURFACE_COUNT}
    for name in sorted(wanted, key=list(_SHAPES).index):
        _check_shape(name, arrays[name], sizes)
    _check_values(settings, arrays, sizes)
    taken: dict[str, Any] = {
        part: {name.split(".")[1]: arrays[name] for name in wanted if name.split(".")[0] == part}
        for part in settings.parts
    }
    return Scorer(
        models=models,
        terms=TermWeights(**taken["terms"], bits=settings.bits_count),
        blend=dict(settings.blend),
        linear=LinearHead(**taken["linear"]) if "linear" in taken else None,
        neighbours=_neighbours(taken["neighbours"], settings) if "neighbours" in taken else None,
        forest=ForestHead(**taken["forest"], depth_count=settings.depth_count) if "forest" in taken else None,
        residual=_residual(taken, settings) if "residual" in taken else None,
        calibration=Calibration(**taken["calibration"]) if "calibration" in taken else None,
        novelty=settings.novelty,
    )


def settings_of(plain: object) -> ScorerSettings:
    """Settings from the JSON of a policy file."""
    return cast(ScorerSettings, from_plain(ScorerSettings, plain, "scorer"))


def _residual(taken: dict[str, Any], settings: ScorerSettings) -> ForestHead:
    """Trees over the same sums of terms as the forest's, which are written once."""
    return ForestHead(
        **taken["residual"],
        term_weights=taken["forest"]["term_weights"],
        depth_count=settings.residual_depth_count,
    )


def _neighbours(arrays: dict[str, Any], settings: ScorerSettings) -> NeighboursHead:
    return NeighboursHead(
        **arrays,
        neighbours_count=settings.neighbours_count,
        prior_ratio=settings.prior_ratio,
        query_terms_count=settings.query_terms_count,
    )


def _check_settings(settings: ScorerSettings) -> None:
    if settings.features_version != FEATURES_VERSION:
        raise PolicyError(
            f"the policy was learnt with version {settings.features_version} of the prompt's features, this version of "
            f"breakeven computes {FEATURES_VERSION}: learn again with this version."
        )
    if not 1 <= settings.bits_count <= BITS_MAX_COUNT:
        raise PolicyError(f"scorer: bits_count is {settings.bits_count}; wanted 1 to {BITS_MAX_COUNT}.")
    for name in ("depth_count", "residual_depth_count"):
        if not 0 <= (depth := getattr(settings, name)) <= _DEPTH_MAX_COUNT:
            raise PolicyError(f"scorer: {name} is {depth}; wanted 0 to {_DEPTH_MAX_COUNT}.")
    if min(settings.neighbours_count, settings.query_terms_count) < 0 or settings.prior_ratio < 0:
        raise PolicyError("scorer: neighbours_count, query_terms_count and prior_ratio are never negative.")
    if unknown := [each for each in settings.parts if each not in _PARTS]:
        raise PolicyError(f"scorer: unknown part {unknown[0]!r}; known: {', '.join(_PARTS)}.")
    if "terms" not in settings.parts:
        raise PolicyError("scorer: the part 'terms' is missing; learn again.")
    if "residual" in settings.parts and "forest" not in settings.parts:
        raise PolicyError("scorer: the part 'residual' needs the part 'forest', whose sums it looks at; learn again.")
    heads = [name for name, weight in settings.blend.items() if weight > 0]
    if bad := [name for name in heads if name != "group" and name not in settings.parts]:
        raise PolicyError(f"scorer: the blend gives weight to {bad[0]!r}, which the policy does not hold.")
    if not heads or min(settings.blend.values()) < 0:
        raise PolicyError("scorer: the blend needs one weight above 0, and none below.")


def _check_shape(name: str, array: Array, sizes: dict[str, int]) -> None:
    """The array's type and shape; sizes not fixed yet are fixed by the first array that has them."""
    kind, axes = _SHAPES[name]
    if array.dtype.name != kind or array.ndim != len(axes):
        raise PolicyError(f"array {name} is {array.dtype.name} with {array.ndim} axes; wanted {kind} with {len(axes)}.")
    for axis, size in zip(axes, array.shape, strict=True):
        expected = sizes["terms"] + 1 if axis == "terms + 1" else sizes.setdefault(axis, size)
        if size != expected:
            raise PolicyError(f"array {name} has shape {array.shape}; wanted {expected} {axis}.")


def _check_values(settings: ScorerSettings, arrays: Mapping[str, Array], sizes: Mapping[str, int]) -> None:
    for name, array in arrays.items():
        if array.dtype.kind == "f" and name != "neighbours.outcomes" and not np.isfinite(array).all():
            raise PolicyError(f"array {name} holds a value that is no number; learn again.")
    columns = arrays["terms.columns"].astype(np.int64)
    _must("terms.columns", bool((np.diff(columns) > 0).all()), "ascending")
    _must("terms.columns", not columns.size or columns[-1] < 1 << settings.bits_count, "below 2**bits_count")
    _must("terms.idf", bool((arrays["terms.idf"] >= 0).all()), "0 or more")
    if "linear" in settings.parts:
        _must("linear.surface_scale", bool((arrays["linear.surface_scale"] > 0).all()), "above 0")
    if "neighbours" in settings.parts:
        _check_bank(arrays, sizes)
    for name, least in (("forest", 0), ("residual", -1)):
        if name in settings.parts:
            _check_trees(name, least, arrays, sizes)
    if "calibration" in settings.parts:
        y = arrays["calibration.y"]
        _must("calibration.x", sizes["knots"] > 0 and bool((np.diff(arrays["calibration.x"]) >= 0).all()), "ascending")
        _must("calibration.y", bool(((y >= 0) & (y <= 1)).all()), "from 0 to 1")


def _check_trees(name: str, least: int, arrays: Mapping[str, Array], sizes: Mapping[str, int]) -> None:
    nodes = sizes[f"{name} nodes"]
    _within(arrays, f"{name}.roots", nodes)
    _within(arrays, f"{name}.feature", sizes["surface"] + sizes["models"] + sizes["sums"])
    _within(arrays, f"{name}.left", nodes)
    leaf = arrays[f"{name}.threshold"] == np.finfo(np.float32).max
    last = arrays[f"{name}.left"][~leaf]
    _must(f"{name}.left", not last.size or bool(last.max() + 1 < nodes), "of nodes with two below")
    _must(f"{name}.roots", sizes[f"{name} trees"] > 0, "of one tree at least")
    value = arrays[f"{name}.value"]
    _must(f"{name}.value", bool(((value >= least) & (value <= 1)).all()), f"from {least} to 1")


def _check_bank(arrays: Mapping[str, Array], sizes: Mapping[str, int]) -> None:
    offsets, outcomes = arrays["neighbours.offsets"], arrays["neighbours.outcomes"]
    _must("neighbours.offsets", bool((np.diff(offsets) >= 0).all()), "ascending")
    _must("neighbours.offsets", offsets[0] == 0 and offsets[-1] == sizes["postings"], "0 to the number of postings")
    _within(arrays, "neighbours.rows", sizes["bank"])
    with np.errstate(invalid="ignore"):
        fine = np.isnan(outcomes) | ((outcomes >= 0) & (outcomes <= 1))
    _must("neighbours.outcomes", bool(fine.all()), "from 0 to 1, or nan where not tried")


def _within(arrays: Mapping[str, Array], name: str, below: int) -> None:
    array = arrays[name]
    _must(name, not array.size or bool(array.min() >= 0 and array.max() < below), f"from 0 to {below - 1}")


def _must(name: str, fine: bool, wanted: str) -> None:
    if not fine:
        raise PolicyError(f"array {name} must be {wanted}, and is not; copy the policy folder again, or learn again.")
