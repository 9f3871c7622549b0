"""gpuhunt feed: rows become goods of the catalogue, and a damaged archive is refused by line."""

from __future__ import annotations

import csv
import io
import logging
from datetime import date
from typing import Any

import pytest

from breakeven.catalog.load import load_catalog
from breakeven.catalog.refresh.download import Limits
from breakeven.catalog.refresh.gpuhunt_feed import PROVIDERS, good_of, read_feeds
from breakeven.errors import RefreshError
from price_server import COLUMNS, GPUHUNT, VERSION, Answer, Site, archive, h100_rows, row

TODAY = date(2026, 11, 23)
LIMITS = Limits(timeout_s=5.0)


@pytest.mark.parametrize(
    ("gpu", "memory", "instance", "good"),
    [
        ("H100", 80, "a3-megagpu-8g", "H100-SXM-80"),
        ("H100", 80, "Standard_ND96isr_H100_v5", "H100-SXM-80"),
        ("H100", 80, "1H100.80S.30V", "H100-SXM-80"),
        ("H100", 80, "NVIDIA H100 PCIe", "H100-PCIe"),
        ("H100", 80, "custom-7", None),
        ("H100NVL", 94, "Standard_NC40ads_H100_v5", "H100-NVL"),
        ("H200", 141, "gpu-h200-sxm 8gpu-128vcpu-1600gb", "H200-SXM-141"),
        ("H200NVL", 141, "NVIDIA H200 NVL", None),
        ("A100", 40, "p4d.24xlarge", "A100-40-SXM"),
        ("A100", 40, "gpu_1x_a100", None),
        ("A100", 80, "BM.GPU.A100-v2.8", "A100-SXM-80"),
        ("A100", 80, "NVIDIA A100 80GB PCIe", "A100-PCIe-80"),
        ("A100", 80, "Standard_NC24ads_A100_v4", "A100-PCIe-80"),
        ("L40S", 48, "g6e.xlarge", "L40S"),
        ("V100", 16, "p3.2xlarge", None),
    ],
)
def test_the_board_is_said_or_the_row_is_left_out(gpu: str, memory: float, instance: str, good: str | None) -> None:
    assert good_of(gpu, memory, instance) == good


def test_goods_that_are_rented_are_gpus_of_the_catalogue() -> None:
    known = load_catalog(TODAY).gpus
    for gpu, memory, instance in [("H100", 80, "p5.48xlarge"), ("A100", 80, "p4de-sxm"), ("B200", 180, "x")]:
        assert good_of(gpu, memory, instance) in known


def test_a_good_day(site: Site) -> None:
    feeds = read_feeds(site.gpu_url, (), TODAY, LIMITS)
    assert [feed.provider for feed in feeds] == list(PROVIDERS.values())
    assert {feed.day for feed in feeds} == {date(2026, 11, 22)}
    azure = next(feed for feed in feeds if feed.provider == "azure")
    assert [(each.gpu, each.is_spot, each.gpus_count) for each in azure.rows] == [
        ("H100-SXM-80", False, 8),
        ("H100-SXM-80", True, 8),
    ]
    assert azure.rows[0].usd_per_gpu_hour == pytest.approx(12.29)


def test_rows_that_are_no_rental_are_left_out_and_counted(site: Site) -> None:
    lines = [
        row("p5.48xlarge", 8, 55.0),
        row("p5.48xlarge", 8, 0, spot=True),
        row("vm-7", 1, 2.0),
        row("a3-highgpu-8g", 8, 9.0, flags="gcp-dws-calendar-mode"),
    ]
    site.publish_rows("aws", lines)
    aws = read_feeds(site.gpu_url, tuple(set(GPUHUNT) - {"aws"}), TODAY, LIMITS)[0]
    assert len(aws.rows) == 1
    assert sum(aws.left_out.values()) == 3
    assert any("0, which means none" in reason for reason in aws.left_out)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([row("p5.48xlarge", 8, "nan")], r"line 2: price is nan"),
        ([row("p5.48xlarge", 8, "inf")], r"line 2: price is inf"),
        ([row("p5.48xlarge", 8, -3)], r"line 2: price is -3"),
        ([row("p5.48xlarge", 8, "cheap")], r"line 2: price is 'cheap', wanted a number"),
        ([row("p5.48xlarge", 8, 55), "p5.48xlarge,r-1,55"], r"line 3: the row is cut short"),
        ([row("p5.48xlarge", 8, 55).replace("False", "no")], r"spot is 'no'"),
        ([], "lists no GPU"),
        ([row("plain", 0, 1.0, gpu="", memory=0)], "lists no GPU"),
    ],
)
def test_a_damaged_file_is_refused_by_line(site: Site, lines: list[str], message: str) -> None:
    site.publish_rows("aws", lines)
    with pytest.raises(RefreshError, match=message):
        read_feeds(site.gpu_url, (), TODAY, LIMITS)


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("20261124-1", "dated 2026-11-24, after today"),
        ("20260901-1", "stands still since 2026-09-01; leave it out with --without gcp"),
        ("20261399", "starts with no day"),
        ("<html>", "wanted a version such as"),
        ("../../secrets", "wanted a version such as"),
    ],
)
def test_an_impossible_version_is_refused(site: Site, version: str, message: str) -> None:
    site.answers["/v3/gcp/version"] = Answer(version.encode())
    with pytest.raises(RefreshError, match=message):
        read_feeds(site.gpu_url, (), TODAY, LIMITS)
    assert len(read_feeds(site.gpu_url, ("gcp",), TODAY, LIMITS)) == len(GPUHUNT) - 1


def test_a_changed_format_is_refused(site: Site) -> None:
    renamed = COLUMNS.replace("price", "hourly")
    site.answers[f"/v3/aws/{VERSION}/catalog.zip"] = Answer(archive("aws", h100_rows("aws"), columns=renamed))
    with pytest.raises(RefreshError, match="no column price; the format has changed"):
        read_feeds(site.gpu_url, (), TODAY, LIMITS)


def test_an_unknown_provider_to_leave_out_is_named(site: Site) -> None:
    with pytest.raises(RefreshError, match="--without amazon: gpuhunt publishes aws"):
        read_feeds(site.gpu_url, ("amazon",), TODAY, LIMITS)


def test_the_library_reads_the_same(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Oracle: gpuhunt itself, where it is installed, reads the same instances at the same prices from this server."""
    gpuhunt: Any = pytest.importorskip("gpuhunt")
    logging.getLogger("gpuhunt").setLevel(logging.CRITICAL)
    monkeypatch.setenv("GPUHUNT_CATALOG_URL", site.gpu_url)
    library = gpuhunt.Catalog(balance_resources=False, auto_reload=False)
    library.load()
    theirs = {
        (PROVIDERS[each.provider], each.instance_name, each.spot, round(each.price / each.gpu_count, 6))
        for each in library.query(min_gpu_count=1, provider=list(PROVIDERS))
    }
    ours = {
        (each.provider, each.instance, each.is_spot, round(each.usd_per_gpu_hour, 6))
        for feed in read_feeds(site.gpu_url, (), TODAY, LIMITS)
        for each in feed.rows
    }
    assert theirs == ours


def test_the_columns_of_the_sample_are_those_of_gpuhunt_0_1_34() -> None:
    """Its storage writes these, in this order; a sample in another shape would test nothing."""
    (head,) = csv.reader(io.StringIO(COLUMNS))
    assert head == [
        "instance_name", "location", "price", "cpu", "memory", "gpu_count", "gpu_name", "gpu_memory", "spot",
        "disk_size", "gpu_vendor", "flags", "cpu_arch", "provider_data",
    ]  # fmt: skip
