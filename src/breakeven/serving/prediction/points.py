"""Points: rows of a table (model, GPU, precision, split, engine, lengths, load) as points that can be predicted.

Columns are those of public tables of measurements; names and labels are read by rule. A row that cannot be read gets a
status, never a guess; what was taken for granted about a row that can is listed with it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from breakeven.catalog.hardware import Gpu
from breakeven.catalog.load import Catalog
from breakeven.catalog.model import ModelSpec
from breakeven.catalog.names import find_gpu, find_model
from breakeven.errors import UnknownName
from breakeven.serving.prediction.deployment import UNSAID_VERSION, Engine

REQUIRED_COLUMNS: Final = ("model", "gpu", "isl", "osl")
OPTIONAL_COLUMNS: Final = (
    "n_gpus",
    "precision",
    "tp",
    "pp",
    "ep",
    "dp_attn",
    "engine",
    "engine_version",
    "concurrency",
    "batch",
    "scenario",
    "qps",
)
_SAYS_VERSIONS: Final = "says versions"
"""Whether the table has the column: in a public table an empty cell is a label of its own."""
_NODE_GPUS_COUNT: Final = 8
"""GPUs of one server; the GB boards link whole racks."""
CONTEXTS_MAX_RATIO: Final = 4
"""Longest request over the model's context: some are served beyond it, with stretched positions."""
_STRETCHED: Final = "requests longer than the context of the model, with stretched positions"
OUTPUT_MAX_TOKENS: Final = 1_000_000
CONCURRENCY_MAX_COUNT: Final = 100_000
GPUS_MAX_COUNT: Final = 100_000
_RACK_BOARDS: Final = ("GB200", "GB300")
_PRECISIONS: Final[Mapping[str, str]] = {
    "bf16": "bf16",
    "fp16": "bf16",
    "float16": "bf16",
    "bfloat16": "bf16",
    "half": "bf16",
    "fp8": "fp8",
    "int8": "fp8",
    "w8a8": "fp8",
    "fp4": "fp4",
    "nvfp4": "fp4",
    "mxfp4": "fp4",
    "int4": "int4",
    "uint4": "int4",
    "w4a16": "int4",
    "awq": "int4",
    "gptq": "int4",
}
"""Label -> how weights are stored; int4: 4-bit weights with 16-bit arithmetic."""
_UNSAID: Final = ("", "unset", "unknown", "none", "nan", "n/a", "auto")
_GUESSED: Final = re.compile(r"unknown\((\w+)\?\)")
_ENGINES: Final[tuple[tuple[str, Engine], ...]] = (
    ("vllm", "vllm"),
    ("sglang", "sglang"),
    ("trtllm", "trtllm"),
    ("trt-llm", "trtllm"),
    ("tensorrt", "trtllm"),
)
_VERSION: Final = re.compile(r"\d+(?:\.\w+)+")


class Status(StrEnum):
    """What became of a row."""

    OK = "ok"
    UNKNOWN_MODEL = "unknown_model"
    UNKNOWN_GPU = "unknown_gpu"
    UNKNOWN_PRECISION = "unknown_precision"
    BAD_NUMBER = "bad_number"
    BAD_SPLIT = "bad_split"
    """Tensor parallelism does not divide the heads, or the parts are not the GPUs."""
    DOES_NOT_FIT = "does_not_fit"
    BAD_ROW = "bad_row"
    """More cells than the header has columns."""


class Load(StrEnum):
    """How requests arrive."""

    CLOSED_LOOP = "closed_loop"
    """A fixed number of requests in flight."""
    OFFLINE = "offline"
    """Everything at once: as many in flight as fit."""
    STATIC_BATCH = "static_batch"
    """One batch, all of it prefilled and then decoded."""
    SERVER = "server"
    """Open arrivals at the highest rate that meets a latency target."""
    OPEN_LOOP = "open_loop"
    """Open arrivals at a given rate."""


SCENARIOS: Final[Mapping[str, Load]] = {
    "": Load.CLOSED_LOOP,
    "closed_loop": Load.CLOSED_LOOP,
    "ttft_batch1": Load.STATIC_BATCH,
    "burst50": Load.STATIC_BATCH,
    "static_batch": Load.STATIC_BATCH,
    "offline": Load.OFFLINE,
    "offline_max": Load.OFFLINE,
    "mlperf_offline": Load.OFFLINE,
    "mlperf_server": Load.SERVER,
    "mlperf_interactive": Load.SERVER,
    "open_loop": Load.OPEN_LOOP,
    "open_loop_poisson": Load.OPEN_LOOP,
}
"""Value of the column `scenario` -> load."""


@dataclass(frozen=True, slots=True)
class ReadPoint:
    """A row that could be read."""

    model: ModelSpec
    gpu: Gpu
    gpus_count: int
    """All GPUs of the row."""
    precision: str
    """As weights are stored: a key of the model's `weights_gb_by_precision`."""
    computes_in_16_bit: bool
    """True for 4-bit weights that are widened before each multiplication (INT4, AWQ)."""
    tensor_parallel_count: int | None
    """None: not said, to be chosen among `splits`."""
    pipeline_parallel_count: int
    expert_parallel_count: int
    attention_parallel_count: int
    """Ranks that each hold whole attention for a part of the requests (data-parallel attention); 1: none."""
    engine: Engine
    engine_version: str
    input_tokens: float
    output_tokens: float
    concurrency_count: float | None
    """Requests in flight over all GPUs; None: as many as fit."""
    load: Load
    scenario: str
    rate_req_per_s: float | None = None
    """Rate of an open loop."""
    assumed: tuple[str, ...] = ()
    """What the row left open, and how it was read."""

    @property
    def splits(self) -> tuple[int, ...]:
        """Sizes of a replica that divide the GPUs, the heads and the server, smallest first."""
        sizes = (2**i for i in range(int(math.log2(_NODE_GPUS_COUNT)) + 1))
        return tuple(n for n in sizes if self.gpus_count % n == 0 and self.model.heads_count % n == 0)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row cannot be predicted."""

    status: Status
    reason: str

    def __str__(self) -> str:
        return f"{self.status.value}: {self.reason}"


class _Refused(Exception):
    def __init__(self, status: Status, reason: str) -> None:
        super().__init__(reason)
        self.problem = Problem(status, reason)


def read_point(row: Mapping[str, str], catalog: Catalog) -> ReadPoint | Problem:
    """A row as a point; a Problem for a row that cannot be read."""
    cells = {name: (row.get(name) or "").strip() for name in (*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS)}
    cells[_SAYS_VERSIONS] = "yes" if "engine_version" in row else ""
    try:
        return _read(cells, catalog)
    except _Refused as refused:
        return refused.problem


def precision_of(label: str, name: str, model: ModelSpec) -> tuple[str, bool, str]:
    """How weights are stored, whether arithmetic is in 16 bit all the same, and what was taken for granted.

    An unsaid precision is that of the model's `name`, else the one it is published in; raises ValueError for a label
    that is none.
    """
    said = label.lower()
    assumed = ""
    if (guessed := _GUESSED.fullmatch(said)) is not None:
        said, assumed = guessed[1], f"precision {guessed[1]}"
    elif said in _UNSAID:
        said = _precision_in(name) or model.native_precision
        assumed = f"precision {said}"
    if said not in _PRECISIONS:
        raise ValueError(f"precision '{label}'; known: {', '.join(_PRECISIONS)}")
    stored = _PRECISIONS[said]
    wanted = "fp4" if stored == "int4" else stored
    if wanted not in model.weights_gb_by_precision:
        published = model.native_precision
        return published, stored in ("int4", "bf16"), f"weights in {published}, as {model.name} is published"
    return wanted, stored == "int4", assumed


def length_problem(model: ModelSpec, input_tokens: float, output_tokens: float) -> str:
    """Why no request can be that long; empty: it can."""
    most = CONTEXTS_MAX_RATIO * model.context_tokens
    if input_tokens + output_tokens > most or output_tokens > OUTPUT_MAX_TOKENS:
        return (
            f"requests of {input_tokens:,.0f} + {output_tokens:,.0f} tokens; the context of {model.name} is"
            f" {model.context_tokens:,}"
        )
    return ""


def engine_of(label: str, version: str) -> tuple[Engine, str]:
    """Family and version of an engine, also out of one text.

    >>> engine_of("vLLM v0.9.2", ""), engine_of("TensorRT 10.11, CUDA 12.9", ""), engine_of("", "")
    (('vllm', '0.9.2'), ('trtllm', ''), ('vllm', ''))
    """
    said = label.lower()
    family = next((engine for mark, engine in _ENGINES if mark in said), "other" if said else "vllm")
    if version or family not in ("vllm", "sglang"):
        return family, version
    found = _VERSION.search(said)
    return family, found[0] if found else ""


def _read(cells: Mapping[str, str], catalog: Catalog) -> ReadPoint:
    try:
        model = find_model(catalog, cells["model"])
    except UnknownName as error:
        raise _Refused(Status.UNKNOWN_MODEL, str(error)) from None
    try:
        gpu = find_gpu(catalog, cells["gpu"])
    except UnknownName as error:
        raise _Refused(Status.UNKNOWN_GPU, str(error)) from None
    try:
        precision, is_widened, assumed = precision_of(cells["precision"], cells["model"], model)
    except ValueError as error:
        raise _Refused(Status.UNKNOWN_PRECISION, str(error)) from None
    split, assumed_split = _split(cells, model, gpu)
    load, assumed_load = _load(cells)
    engine, version = engine_of(cells["engine"], cells["engine_version"])
    if not version and not cells[_SAYS_VERSIONS]:
        version = UNSAID_VERSION
    concurrency, assumed_concurrency = _concurrency(cells, load)
    input_tokens, output_tokens = _tokens(cells, "isl"), _tokens(cells, "osl")
    if too_long := length_problem(model, input_tokens, output_tokens):
        raise _Refused(Status.BAD_NUMBER, too_long)
    stretched = input_tokens + output_tokens > model.context_tokens
    if concurrency is None and load in (Load.CLOSED_LOOP, Load.STATIC_BATCH):
        assumed_concurrency = "no concurrency said: as many requests as fit"
    if concurrency is None and load is Load.OPEN_LOOP and not cells["qps"]:
        assumed_concurrency = "no rate said: as many requests as fit"
    assumptions = (assumed, assumed_split, assumed_load, assumed_concurrency, _STRETCHED if stretched else "")
    return ReadPoint(
        model=model,
        gpu=gpu,
        gpus_count=split.gpus,
        precision=precision,
        computes_in_16_bit=is_widened,
        tensor_parallel_count=split.tensor,
        pipeline_parallel_count=split.pipeline,
        expert_parallel_count=split.expert,
        attention_parallel_count=split.attention,
        engine=engine,
        engine_version=version,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        concurrency_count=concurrency,
        load=Load.OFFLINE if concurrency is None and load in (Load.CLOSED_LOOP, Load.STATIC_BATCH) else load,
        scenario=cells["scenario"].lower(),
        rate_req_per_s=_number(cells, "qps") if cells["qps"] else None,
        assumed=tuple(each for each in assumptions if each),
    )


@dataclass(frozen=True, slots=True)
class _Split:
    gpus: int
    tensor: int | None
    pipeline: int
    expert: int
    attention: int


def _split(cells: Mapping[str, str], model: ModelSpec, gpu: Gpu) -> tuple[_Split, str]:
    tensor, pipeline = _count(cells, "tp"), _count(cells, "pp") or 1
    expert, attention = _count(cells, "ep") or 1, _count(cells, "dp_attn") or 1
    gpus = _count(cells, "n_gpus") or (tensor or 1) * pipeline * attention
    split, assumed = _without_squares(_Split(gpus, tensor, pipeline, expert, attention), gpu)
    if (inner := _within_tensor(split)) is not None:
        split, assumed = inner, "data-parallel attention inside the ranks of TP"
    if split.tensor is None:
        return split, assumed or ("" if gpus == 1 else "tensor parallelism not said")
    replica = split.tensor * split.pipeline
    if split.gpus % replica:
        raise _Refused(Status.BAD_SPLIT, f"tp {split.tensor} x pp {split.pipeline} does not divide {split.gpus} GPUs")
    if model.heads_count % split.tensor:
        raise _Refused(
            Status.BAD_SPLIT, f"tp {split.tensor} does not divide the {model.heads_count} heads of {model.name}"
        )
    if model.layers_count < split.pipeline:
        raise _Refused(Status.BAD_SPLIT, f"pp {split.pipeline} is more than the {model.layers_count} layers")
    return split, assumed


def _within_tensor(split: _Split) -> _Split | None:
    """SGLang counts the ranks of data-parallel attention inside TP (``--tp 8 --dp 8`` on eight GPUs)."""
    whole = (split.tensor or 0) * split.pipeline
    if split.tensor is None or split.attention == 1 or whole != split.gpus or split.tensor % split.attention:
        return None
    return _Split(split.gpus, split.tensor // split.attention, split.pipeline, split.expert, split.attention)


def _without_squares(split: _Split, gpu: Gpu) -> tuple[_Split, str]:
    """The public sample of aiconfigurator names 16 GPUs for 4 and 64 for 8 where experts are spread: TP times EP stands
    for TP. 48 of those rows are there again, to the digit, with 4 and 8; none of its servers has over 8 GPUs.
    """
    if gpu.name in _RACK_BOARDS or split.expert == 1 or split.pipeline != 1 or split.gpus not in (16, 64):
        return split, ""
    true = math.isqrt(split.gpus)
    tensor = split.tensor if split.tensor in (None, 1) else math.isqrt(split.tensor or 1)
    attention = 1 if split.attention == 1 else true if tensor == 1 else math.isqrt(split.attention)
    fixed = _Split(true, tensor, 1, min(split.expert, true), attention)
    if tensor is None or tensor * attention != true:
        return split, ""
    return fixed, f"{true} GPUs, not {split.gpus}: TP times EP stands for TP"


def _load(cells: Mapping[str, str]) -> tuple[Load, str]:
    scenario = cells["scenario"].lower()
    if scenario in SCENARIOS:
        return SCENARIOS[scenario], ""
    return Load.CLOSED_LOOP, f"scenario '{scenario}' read as a closed loop"


def _concurrency(cells: Mapping[str, str], load: Load) -> tuple[float | None, str]:
    """Requests in flight; of an open loop, a mean below one counts as one."""
    for name in ("batch", "concurrency") if load is Load.STATIC_BATCH else ("concurrency", "batch"):
        if cells[name] and not (name == "batch" and load in (Load.OFFLINE, Load.SERVER)):
            value = _number(cells, name)
            if value > CONCURRENCY_MAX_COUNT:
                raise _Refused(Status.BAD_NUMBER, f"{name} is {cells[name]}, wanted at most {CONCURRENCY_MAX_COUNT:,}")
            if value >= 1:
                return value, ""
            if load is not Load.OPEN_LOOP:
                raise _Refused(Status.BAD_NUMBER, f"{name} is {cells[name]}, wanted 1 or more")
            return 1.0, "less than one request in flight counted as one"
    return None, ""


def _number(cells: Mapping[str, str], name: str) -> float:
    """A finite number above 0."""
    try:
        value = float(cells[name].replace("_", "?"))
    except ValueError:
        raise _Refused(Status.BAD_NUMBER, f"{name} is '{cells[name]}', wanted a number above 0") from None
    if not 0 < value < math.inf:
        raise _Refused(Status.BAD_NUMBER, f"{name} is {cells[name]}, wanted a number above 0")
    return value


def _tokens(cells: Mapping[str, str], name: str) -> float:
    value = _number(cells, name)
    if value < 1:
        raise _Refused(Status.BAD_NUMBER, f"{name} is {cells[name]}, wanted 1 token or more")
    return value


def _count(cells: Mapping[str, str], name: str) -> int | None:
    """A whole number; empty or 0 for a way to split: not said."""
    if not cells[name] or (name in ("ep", "dp_attn", "pp") and cells[name] in ("0", "0.0")):
        return None
    value = _number(cells, name)
    if value != int(value):
        raise _Refused(Status.BAD_NUMBER, f"{name} is {cells[name]}, wanted a whole number")
    if value > GPUS_MAX_COUNT:
        raise _Refused(Status.BAD_NUMBER, f"{name} is {cells[name]}, wanted at most {GPUS_MAX_COUNT:,}")
    return int(value)


def _precision_in(name: str) -> str | None:
    """The precision that a model's name says, such as `-FP8`."""
    words = re.split(r"[^a-z0-9]+", name.lower())
    return next((word for word in words if word in _PRECISIONS), None)
