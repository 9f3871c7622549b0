"""gpuhunt feed: the GPU offers that gpuhunt publishes every day, one archive per provider, read without the library.

Layout (version 3): ``BASE/PROVIDER/version`` names a version that starts with its day, ``catalog.zip`` below
``BASE/PROVIDER/VERSION`` holds ``PROVIDER.csv``. A row is an instance in a region at a price per hour. Which board a
row means is said by the GPU's name, its memory and, for GPUs sold on several boards, the name of the instance; a row
that does not say is left out and counted.
"""

from __future__ import annotations

import csv
import io
import lzma
import math
import re
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from breakeven.catalog.refresh.download import Limits, download
from breakeven.errors import RefreshError

BASE_URL: Final = "https://dstack-gpu-pricing.s3.eu-west-1.amazonaws.com/v3"
PROVIDERS: Final[Mapping[str, str]] = {
    "aws": "aws",
    "azure": "azure",
    "cloudrift": "cloudrift",
    "gcp": "gcp",
    "lambdalabs": "lambda",
    "nebius": "nebius",
    "oci": "oci",
    "runpod": "runpod",
    "verda": "verda",
}
"""Name of the archive -> name in the catalogue."""
OTHER_PRODUCTS: Final = frozenset({"gcp-dws-calendar-mode", "gcp-g4-preview", "runpod-cluster"})
"""Flags of rows that are no plain rental: reservations by calendar, clusters, doubled rows."""
OLDEST_DAYS: Final = 30
"""A provider's archive older than this stands still."""
_COLUMNS: Final = ("instance_name", "location", "price", "gpu_count", "gpu_name", "gpu_memory", "spot", "flags")

_SXM: Final = re.compile(
    r"sxm|hbm3|^p4|^p5|^standard_nd|^a[23]-(high|ultra|mega|edge)gpu|^bm\.gpu|\d+[AH]100\.\d+S", re.I
)
_PCIE: Final = re.compile(r"pcie|^standard_nc\d+ads_a100", re.I)
_DAMAGED: Final = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    ValueError,
)
"""What zipfile raises for damaged archives; a test flips bits until it has seen them."""
_ONE_BOARD: Final = {
    "A10": "A10",
    "A10G": "A10G",
    "A6000": "RTX-A6000",
    "B200": "B200-SXM-180",
    "B300": "B300-SXM",
    "GB200": "GB200",
    "GH200": "GH200",
    "H100NVL": "H100-NVL",
    "L4": "L4",
    "L40": "L40",
    "L40S": "L40S",
    "MI300X": "MI300X",
    "MI325X": "MI325X",
    "RTX3090": "RTX-3090",
    "RTX4090": "RTX-4090",
    "RTX5090": "RTX-5090",
    "RTX6000Ada": "RTX-6000-Ada",
    "RTXPRO6000": "RTX-PRO-6000-BSE",
    "T4": "T4",
}
"""gpuhunt's name -> the catalogue's, of GPUs that are sold on one board only (the H200NVL is another good)."""


@dataclass(frozen=True, slots=True)
class FeedRow:
    """One instance in one region."""

    provider: str
    instance: str
    region: str
    gpu: str
    """Name of a GPU of the catalogue."""
    gpus_count: int
    usd_per_gpu_hour: float
    is_spot: bool


@dataclass(frozen=True, slots=True)
class ProviderFeed:
    """What one archive says."""

    provider: str
    day: date
    """The day of its version."""
    rows: tuple[FeedRow, ...]
    left_out: Mapping[str, int]
    """Reason -> rows."""


def read_feeds(base_url: str, without: Sequence[str], today: date, limits: Limits) -> tuple[ProviderFeed, ...]:
    """Every provider's archive; one that fails fails all, unless it is named in `without`."""
    unknown = sorted(set(without) - set(PROVIDERS))
    if unknown:
        raise RefreshError(f"--without {unknown[0]}: gpuhunt publishes {', '.join(PROVIDERS)}.")
    base = base_url.rstrip("/")
    return tuple(_read_feed(base, each, today, limits) for each in PROVIDERS if each not in without)


def good_of(gpu_name: str, memory_gb: float, instance: str) -> str | None:
    """The catalogue's name of a GPU; None when the row does not say which board it is.

    >>> good_of("H100", 80, "p5.48xlarge"), good_of("H100", 80, "gpu_1x_h100_pcie"), good_of("H100", 80, "vm-7")
    ('H100-SXM-80', 'H100-PCIe', None)
    """
    if gpu_name in _ONE_BOARD:
        return _ONE_BOARD[gpu_name]
    is_pcie = bool(_PCIE.search(instance))
    is_sxm = bool(_SXM.search(instance)) and not is_pcie
    if gpu_name == "H200":
        return "H200-SXM-141" if not is_pcie and "NVL" not in instance.upper() else None
    if gpu_name == "H100":
        return "H100-SXM-80" if is_sxm else "H100-PCIe" if is_pcie else None
    if gpu_name == "A100" and memory_gb == 80:
        return "A100-SXM-80" if is_sxm else "A100-PCIe-80" if is_pcie else None
    if gpu_name == "A100" and memory_gb == 40:
        return "A100-40-SXM" if is_sxm else None
    return None


def _read_feed(base: str, provider: str, today: date, limits: Limits) -> ProviderFeed:
    address = f"{base}/{provider}/version"
    version = download(address, limits).decode("utf-8", "replace").strip()
    day = _day_of(address, version, today)
    archive = f"{base}/{provider}/{version}/catalog.zip"
    text = _unpacked(archive, download(archive, limits), f"{provider}.csv", limits)
    return _parsed(archive, provider, day, text)


def _day_of(address: str, version: str, today: date) -> date:
    if not re.fullmatch(r"\d{8}[\w.-]{0,40}", version):
        raise RefreshError(f"{address}: saw '{version[:60]}', wanted a version such as 20261123.")
    try:
        day = datetime.strptime(version[:8], "%Y%m%d").date()  # noqa: DTZ007  (a day, no moment)
    except ValueError:
        raise RefreshError(f"{address}: '{version}' starts with no day of the calendar.") from None
    if day > today:
        raise RefreshError(f"{address}: dated {day}, after today ({today}).")
    if (today - day).days > OLDEST_DAYS:
        name = address.rsplit("/", 2)[-2]
        raise RefreshError(f"{address}: stands still since {day}; leave it out with --without {name}.")
    return day


def _unpacked(address: str, archive: bytes, member: str, limits: Limits) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            if opened.getinfo(member).file_size > limits.largest_count:
                raise RefreshError(f"{address}: {member} unpacks to more than {limits.largest_count:,} bytes.")
            return opened.read(member).decode("utf-8")
    except _DAMAGED as error:
        raise RefreshError(f"{address}: no whole archive with {member} in it ({error}); try again.") from None


def _parsed(address: str, provider: str, day: date, text: str) -> ProviderFeed:
    reader = csv.DictReader(io.StringIO(text))
    missing = [column for column in _COLUMNS[:-1] if column not in (reader.fieldnames or ())]
    if missing:
        raise RefreshError(f"{address}: no column {missing[0]}; the format has changed, upgrade breakeven.")
    rows, left_out, with_gpu = [], Counter[str](), 0
    for row in reader:
        where = f"{address}: line {reader.line_num}"
        if None in row or None in row.values():
            raise RefreshError(f"{where}: the row is cut short; the file is partial, try again.")
        found = _row(where, provider, row)
        with_gpu += not isinstance(found, str) or found != _NO_GPU
        if isinstance(found, str):
            left_out[found] += 1
        else:
            rows.append(found)
    if not with_gpu:
        raise RefreshError(f"{address}: lists no GPU; the file is empty or partial.")
    left_out.pop(_NO_GPU, None)
    return ProviderFeed(PROVIDERS[provider], day, tuple(rows), dict(left_out))


_NO_GPU: Final = "without a GPU"


def _row(where: str, provider: str, row: Mapping[str, str]) -> FeedRow | str:
    """A row, or why it is left out; raises RefreshError for one that cannot be right."""
    gpus = _number(where, row, "gpu_count")
    if not gpus:
        return _NO_GPU
    price = _number(where, row, "price")
    if row["spot"].lower() not in ("true", "false"):
        raise RefreshError(f"{where}: spot is '{row['spot'][:20]}', wanted True or False.")
    if OTHER_PRODUCTS & set((row.get("flags") or "").split()):
        return "a reservation or a cluster"
    if price == 0:
        return "a price of 0, which means none"
    memory_gb = _number(where, row, "gpu_memory") if row["gpu_memory"] else 0.0
    gpu = good_of(row["gpu_name"], memory_gb, row["instance_name"])
    if gpu is None:
        return "a GPU or a board that the catalogue does not know"
    is_spot = row["spot"].lower() == "true"
    return FeedRow(PROVIDERS[provider], row["instance_name"], row["location"], gpu, int(gpus), price / gpus, is_spot)


def _number(where: str, row: Mapping[str, str], column: str) -> float:
    try:
        value = float(row[column])
    except ValueError:
        raise RefreshError(f"{where}: {column} is '{row[column][:20]}', wanted a number.") from None
    if not math.isfinite(value) or value < 0:
        raise RefreshError(f"{where}: {column} is {value:g}, wanted 0 or more.")
    return value


def left_out_of(feeds: Sequence[ProviderFeed]) -> Iterator[str]:
    """One line per reason for which rows were left out."""
    total: Counter[str] = Counter()
    for feed in feeds:
        total.update(feed.left_out)
    for reason, count in total.most_common():
        yield f"{count:,} rows left out: {reason}"
