"""A server on loopback that publishes token prices and GPU offers, and can be told to publish rubbish instead."""

from __future__ import annotations

import io
import json
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import TieredPrices

GPUHUNT = ("aws", "azure", "cloudrift", "gcp", "lambdalabs", "nebius", "oci", "runpod", "verda")
COLUMNS = (
    "instance_name,location,price,cpu,memory,gpu_count,gpu_name,gpu_memory,spot,disk_size,gpu_vendor,flags,cpu_arch,"
    "provider_data"
)
VERSION = "20261122-7"
H100 = {
    # provider -> instance, GPUs, USD per GPU hour on demand, USD per GPU hour on spot
    "aws": ("p5.48xlarge", 8, 6.88, 4.10),
    "azure": ("Standard_ND96isr_H100_v5", 8, 12.29, 5.20),
    "gcp": ("a3-highgpu-8g", 8, 11.06, 4.60),
    "lambdalabs": ("gpu_8x_h100_sxm5", 8, 3.99, None),
    "nebius": ("gpu-h100-sxm 8gpu-128vcpu-1600gb", 8, 4.50, 2.50),
    "oci": ("BM.GPU.H100.8", 8, 10.00, None),
    "runpod": ("NVIDIA H100 80GB HBM3", 1, 3.99, 2.20),
    "verda": ("8H100.80S.176V", 8, 3.20, 1.70),
}


def token_list() -> list[dict[str, Any]]:
    """The installed package's prices in the shape in which its updater downloads them: undated, the newest of each."""
    return [
        {
            "id": provider.id,
            "name": provider.name,
            "api_pattern": provider.api_pattern,
            "pricing_urls": provider.pricing_urls,
            "models": [_model(each) for each in provider.models],
        }
        for provider in get_snapshot().providers
    ]


def _model(model: Any) -> dict[str, Any]:
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    variants = [
        {"when": each.when, "prices": _prices(each.prices)}
        for each in model.price_variants or ()
        if each.constraint is None or each.constraint.active(now)
    ]
    raw = {"id": model.id, "match": {"equals": model.id}, "prices": _prices(model.get_prices(now, None))}
    return {**raw, "price_variants": variants[::-1]} if variants else raw


def _prices(prices: Any) -> dict[str, Any]:
    return {name: _number(value) for name, value in vars(prices).items() if value is not None}


def _number(value: Any) -> Any:
    if isinstance(value, TieredPrices):
        tiers = [{"start": tier.start, "price": float(tier.price)} for tier in value.tiers]
        return {"base": float(value.base), "tiers": tiers}
    return float(value) if isinstance(value, Decimal) else value


def row(
    instance: str,
    gpus: int,
    usd_per_hour: float | str,
    *,
    spot: bool = False,
    gpu: str = "H100",
    memory: float = 80.0,
    region: str = "r-1",
    flags: str = "",
) -> str:
    """One line of a provider's CSV."""
    return f"{instance},{region},{usd_per_hour},96,1000,{gpus},{gpu},{memory},{spot},,nvidia,{flags},x86,{{}}"


def h100_rows(provider: str, factor: float = 1.0) -> list[str]:
    """What a provider of the sample sells: H100 SXM boards; and a machine without a GPU."""
    lines = [row("plain", 0, 0.5, gpu="", memory=0).replace(",0,,0,", ",0,,,")]
    if provider not in H100:
        return [*lines, row("rtx49-1", 1, 0.4, gpu="RTX4090", memory=24)]
    instance, gpus, price, spot = H100[provider]
    lines.append(row(instance, gpus, price * gpus * factor))
    if spot is not None:
        lines.append(row(instance, gpus, spot * gpus * factor, spot=True))
    return lines


def archive(provider: str, lines: list[str], *, columns: str = COLUMNS) -> bytes:
    """catalog.zip of a provider."""
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr(f"{provider}.csv", "\n".join([columns, *lines]) + "\n")
    return stored.getvalue()


@dataclass
class Answer:
    """What the server says at one path."""

    body: bytes
    status: int = 200
    kind: str = "application/octet-stream"
    promise: int | None = None
    """Content-Length, when it is not the truth."""
    delay_s: float = 0.0
    """Waits this long between the two halves of the body."""


@dataclass
class Site:
    """Path -> answer. Starts as a good day of both sources."""

    answers: dict[str, Answer] = field(default_factory=dict)
    address: str = ""

    @property
    def token_url(self) -> str:
        """Where the token list is."""
        return f"{self.address}/data.json"

    @property
    def gpu_url(self) -> str:
        """Base of the GPU offers."""
        return f"{self.address}/v3"

    def publish_tokens(self, content: Any) -> None:
        """Put a list at its address."""
        self.answers["/data.json"] = Answer(json.dumps(content).encode(), kind="text/plain; charset=utf-8")

    def publish_gpus(self, factor: float = 1.0, version: str = VERSION) -> None:
        """Put every provider's archive at its address, all prices times `factor`."""
        for provider in GPUHUNT:
            self.publish_rows(provider, h100_rows(provider, factor), version)

    def publish_rows(self, provider: str, lines: list[str], version: str = VERSION) -> None:
        """Put one provider's archive at its address."""
        self.answers[f"/v3/{provider}/version"] = Answer(f"{version}\n".encode())
        self.answers[f"/v3/{provider}/{version}/catalog.zip"] = Answer(archive(provider, lines), kind="application/zip")


@contextmanager
def price_server() -> Iterator[Site]:
    """Serve a `Site` on loopback."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = site.answers.get(self.path, Answer(b"no such page", 404))
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.kind)
            promise = len(answer.body) if answer.promise is None else answer.promise
            self.send_header("Content-Length", str(promise))
            self.end_headers()
            half = len(answer.body) // 2
            try:
                self.wfile.write(answer.body[:half])
                self.wfile.flush()
                time.sleep(answer.delay_s)
                self.wfile.write(answer.body[half:])
            except OSError:
                pass  # the reader gave up, which is what some tests want

        def log_message(self, *_: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    site.address = f"http://127.0.0.1:{server.server_port}"
    site.publish_tokens(token_list())
    site.publish_gpus()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
