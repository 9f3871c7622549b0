"""Hugging Face configuration: what a model's config.json says, read field by field; what is missing is named."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from breakeven.catalog.model import Precision
from breakeven.errors import CatalogError

QUANT_FILE: Final = "hf_quant_config.json"
"""NVIDIA's checkpoints say in this file, beside config.json, how they are quantised."""
MXFP4_BITS: Final = 4.25
"""4 bits and an 8-bit scale per 32 values."""
NVFP4_BITS: Final = 4.5
"""4 bits and an 8-bit scale per 16 values."""
FAMILY_DEFAULTS: Final[Mapping[str, Mapping[str, int]]] = {
    "gemma3": {
        "vocab_size": 262208,
        "head_dim": 256,
        "num_attention_heads": 8,
        "num_key_value_heads": 4,
        "sliding_window": 4096,
        "sliding_window_pattern": 6,
        "max_position_embeddings": 131072,
    },
}
"""What Transformers takes where the published files of a family leave a field out (Gemma3TextConfig)."""
_SCALE_BITS: Final = 16.0
"""Scale of a group of integer weights."""
_MAX_BYTES: Final = 5_000_000
_INHERITED: Final[tuple[str, ...]] = ("tie_word_embeddings", "vocab_size")
"""Fields that multimodal files may keep outside the language model's part."""


@dataclass(frozen=True, slots=True)
class Quantisation:
    """How a checkpoint stores its weights."""

    precision: Precision
    bits_per_weight_ratio: float
    """Bits of a quantised weight, its share of the scales included."""
    experts_only: bool
    """True: only the routed experts are quantised. Taken so wherever attention stays at 16 bit; what little some of
    those checkpoints quantise besides makes them smaller than counted, by about 1 %."""


@dataclass(frozen=True, slots=True)
class HfConfig:
    """The part of a config.json that describes the language model."""

    path: Path
    fields: Mapping[str, Any]
    """The nested `text_config` where there is one."""
    outer: Mapping[str, Any]
    """The file itself."""
    defaulted: tuple[str, ...] = ()
    """Fields that the file leaves out, as its family's files do; see FAMILY_DEFAULTS."""

    @property
    def family(self) -> str:
        """`model_type` of the language model, without the `_text` of multimodal ones."""
        return str(self.required("model_type")).removesuffix("_text")

    def required(self, name: str) -> Any:
        """A field that must be there; raises CatalogError naming file and field when it is not."""
        value = self.fields.get(name)
        if value is None:
            raise CatalogError(
                f"{self.path}: no field '{name}', which a model of type"
                f" '{self.fields.get('model_type', 'unknown')}' needs. Take the config.json of the model's repository."
            )
        return value

    def whole(self, name: str, default: int | None = None) -> int:
        """A whole number that is not negative; absent or null: `default`, or an error when there is none."""
        value = self.required(name) if default is None else self.fields.get(name)
        if value is None:
            assert default is not None
            return default
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise CatalogError(f"{self.path}: {name}: saw {value!r}, wanted a whole number.")
        return value

    def positive(self, name: str, default: int | None = None) -> int:
        """A whole number above 0."""
        value = self.whole(name, default)
        if value < 1:
            raise CatalogError(f"{self.path}: {name}: saw {value}, wanted a whole number above 0.")
        return value

    def flag(self, name: str, default: bool) -> bool:
        """True or false; absent or null: `default`."""
        value = self.fields.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise CatalogError(f"{self.path}: {name}: saw {value!r}, wanted true or false.")
        return value

    def words(self, name: str) -> list[str] | None:
        """A list of words, one per layer; None when it is absent."""
        value = self.fields.get(name)
        if value is None:
            return None
        layers_count = self.whole("num_hidden_layers")
        if not isinstance(value, list) or len(value) != layers_count:
            raise CatalogError(f"{self.path}: {name}: wanted a list of {layers_count} words, one per layer.")
        return [str(each) for each in value]


def read_hf_config(path: Path) -> HfConfig:
    """Read a config.json from disk; raises CatalogError when it cannot be one."""
    outer = _json(path)
    nested = outer.get("text_config") or outer.get("llm_config")
    fields = nested if isinstance(nested, dict) else outer
    inherited = {name: outer[name] for name in _INHERITED if name in outer}
    said = {**inherited, **{name: value for name, value in fields.items() if value is not None}}
    defaults = FAMILY_DEFAULTS.get(str(said.get("model_type")).removesuffix("_text"), {})
    return HfConfig(path, {**defaults, **said}, outer, tuple(name for name in defaults if name not in said))


def quantisation(config: HfConfig) -> Quantisation | None:
    """How the weights are stored; None: 16 bit. Raises CatalogError for a way that is not known."""
    said = config.outer.get("quantization_config") or config.fields.get("quantization_config")
    if said is None:
        beside = config.path.with_name(QUANT_FILE)
        return _modelopt(config.path, _json(beside).get("quantization", {})) if beside.is_file() else None
    if not isinstance(said, dict):
        raise CatalogError(f"{config.path}: quantization_config: saw {said!r}, wanted an object.")
    method = str(said.get("quant_method", "modelopt"))
    skipped = " ".join(map(str, said.get("modules_to_not_convert") or said.get("ignore") or ()))
    experts_only = "self_attn" in skipped
    if method in ("fp8", "fbgemm_fp8"):
        return Quantisation("fp8", 8.0, False)
    if method == "mxfp4":
        return Quantisation("fp4", MXFP4_BITS, True)
    if method in ("awq", "gptq"):
        return _integer(config.path, said.get("bits"), said.get("group_size"), experts_only)
    if said.get("config_groups"):
        return _groups(config.path, said["config_groups"], experts_only)
    if "quant_algo" in said:
        return _modelopt(config.path, said)
    raise CatalogError(
        f"{config.path}: quantization_config.quant_method: saw '{method}'; known: fp8, mxfp4, awq, gptq,"
        " compressed-tensors, modelopt. Take the config.json of the unquantised model."
    )


def _groups(path: Path, groups: Mapping[str, Any], experts_only: bool) -> Quantisation:
    """compressed-tensors and modelopt: all groups must store their weights alike."""
    weights = [group["weights"] for group in groups.values() if isinstance(group, dict) and group.get("weights")]
    bits = {each.get("num_bits") for each in weights}
    if len(bits) != 1:
        raise CatalogError(
            f"{path}: quantization_config.config_groups: saw groups of {sorted(map(str, bits)) or 'no'} bits,"
            " wanted one number of bits. Take the config.json of the unquantised model."
        )
    first = weights[0]
    (num_bits,), kind = bits, first.get("type")
    if num_bits == 4 and kind == "float":
        return Quantisation("fp4", NVFP4_BITS, experts_only)
    if num_bits == 8:
        return Quantisation("fp8", 8.0, False)
    return _integer(path, num_bits, first.get("group_size"), experts_only)


def _integer(path: Path, bits: object, group_size: object, experts_only: bool) -> Quantisation:
    if bits != 4 or not isinstance(group_size, int) or group_size < 1:
        raise CatalogError(
            f"{path}: quantization_config: saw {bits} bits in groups of {group_size}; known: 4 bits in groups."
        )
    return Quantisation("fp4", 4 + _SCALE_BITS / group_size, experts_only)


def _modelopt(path: Path, said: Mapping[str, Any]) -> Quantisation:
    algorithm = str(said.get("quant_algo"))
    experts_only = "self_attn" in " ".join(map(str, said.get("exclude_modules") or ()))
    known = {
        "FP8": Quantisation("fp8", 8.0, False),
        "NVFP4": Quantisation("fp4", NVFP4_BITS, experts_only),
    }
    if algorithm not in known:
        raise CatalogError(f"{path}: quant_algo: saw '{algorithm}'; known: {', '.join(known)}.")
    return known[algorithm]


def _json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise CatalogError(f"{path}: over {_MAX_BYTES} bytes; a config.json is a few thousand. Wrong file?")
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CatalogError(f"{path}: {error.strerror}. Name the config.json of a model.") from None
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CatalogError(f"{path}: no JSON ({error}). Name the config.json of a model.") from None
    if not isinstance(content, dict):
        raise CatalogError(f"{path}: wanted a JSON object, saw a {type(content).__name__}.")
    return content
