"""Run: read the sources, compare, and say which files would be written; nothing is written here."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal

import yaml

from breakeven.catalog.files import CatalogFiles, read_files
from breakeven.catalog.genai_price_list import PUBLISHED_AT
from breakeven.catalog.overlay import (
    GPU_FILE,
    TOKEN_FOLDER,
    Overlay,
    TokenListFile,
    as_entry,
    read_overlay,
    with_overlay,
)
from breakeven.catalog.refresh import gpu_rents, gpuhunt_feed, token_list
from breakeven.catalog.refresh.download import Limits, download
from breakeven.catalog.refresh.moves import Move, Status

SourceName = Literal["tokens", "gpus"]
SOURCES: tuple[SourceName, ...] = ("tokens", "gpus")


@dataclass(frozen=True, slots=True)
class RefreshPlan:
    """What to read, and what to believe."""

    folder: Path
    """Where the refreshed rows are, and will be."""
    today: date
    sources: tuple[SourceName, ...] = SOURCES
    token_url: str = PUBLISHED_AT
    gpu_url: str = gpuhunt_feed.BASE_URL
    without: tuple[str, ...] = ()
    """gpuhunt's providers to leave out."""
    accepted: frozenset[str] = frozenset()
    """Names whose jump is believed."""
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Refresh:
    """What a refresh read, what would change, and the files that would say so."""

    moves: tuple[Move, ...]
    notes: tuple[str, ...]
    """What was read, and what was left out of it."""
    files: Mapping[str, bytes]
    """Path below the folder -> new content, in the order in which to put them there."""

    def count(self, status: Status) -> int:
        """How many prices have this status."""
        return sum(move.status is status for move in self.moves)


def refresh(plan: RefreshPlan, say: Callable[[str], None] = lambda _: None) -> Refresh:
    """Read every source of the plan; raises RefreshError when one of them cannot be read or trusted."""
    overlay = read_overlay(plan.folder)
    files = with_overlay(read_files(), overlay)
    parts = []
    if "tokens" in plan.sources:
        say(f"reading token prices at {plan.token_url}")
        parts.append(_tokens(plan, files))
    if "gpus" in plan.sources:
        say(f"reading GPU offers at {plan.gpu_url}")
        parts.append(_gpus(plan, files, overlay))
    return Refresh(
        tuple(move for part in parts for move in part.moves),
        tuple(note for part in parts for note in part.notes),
        {name: content for part in parts for name, content in part.files.items()},
    )


def _tokens(plan: RefreshPlan, files: CatalogFiles) -> Refresh:
    raw = download(plan.token_url, plan.limits)
    proposal = token_list.propose(raw, plan.token_url, files, plan.accepted, plan.today)
    sha256 = hashlib.sha256(raw).hexdigest()
    gone = {move.name for move in proposal.moves if move.status is Status.KEPT}
    offers = [name for file in files.token_offers for name, each in file.content.root.items() if each.genai_prices]
    said = TokenListFile(
        read=plan.today,
        url=plan.token_url,
        file=f"{sha256[:16]}.json",
        sha256=sha256,
        held_back=list(proposal.held_back),
        offers=[name for name in offers if name not in gone],
    )
    written = {f"{TOKEN_FOLDER}/{said.file}": raw, f"{TOKEN_FOLDER}/{plan.today}.yaml": _yaml(said.model_dump())}
    note = f"tokens: {proposal.models_count:,} models with a price, {len(raw):,} bytes, {plan.token_url}"
    return Refresh(proposal.moves, (note,), written)


def _gpus(plan: RefreshPlan, files: CatalogFiles, overlay: Overlay) -> Refresh:
    feeds = gpuhunt_feed.read_feeds(plan.gpu_url, plan.without, plan.today, plan.limits)
    proposal = gpu_rents.propose(files, feeds, plan.gpu_url, plan.accepted, plan.today)
    days = sorted({feed.day for feed in feeds})
    of = f"{days[0]}" if len(days) == 1 else f"{days[0]} to {days[-1]}"
    rows = sum(len(feed.rows) for feed in feeds)
    notes = (
        f"gpus: {rows:,} offers of {len(feeds)} providers ({of}), {plan.gpu_url}",
        *(f"gpus: {line}" for line in gpuhunt_feed.left_out_of(feeds)),
    )
    written = {GPU_FILE: _yaml(_gpu_file(overlay, proposal.rows))} if proposal.rows else {}
    return Refresh(proposal.moves, notes, written)


def _gpu_file(overlay: Overlay, rows: tuple[gpu_rents.RentRow, ...]) -> dict[str, Any]:
    """The overlay's file with the new rows at the ends of their histories."""
    known = overlay.gpu_offers.content.root if overlay.gpu_offers else {}
    content = {name: entry.model_dump(mode="python", exclude_unset=True) for name, entry in known.items()}
    for row in rows:
        fresh = as_entry(row.value, row.entry, gpu_rents.RENT)
        if row.offer in content:
            content[row.offer]["facts"][gpu_rents.RENT]["values"].append(dict(row.value))
        else:
            content[row.offer] = fresh
    return content


def _yaml(content: dict[str, Any]) -> bytes:
    head = (
        "# Written by `breakeven catalog refresh --write`; remove the file to go back to the catalogue's own prices.\n"
    )
    return (
        head + yaml.dump(_plain(content), Dumper=_Dumper, default_flow_style=None, sort_keys=False, width=118)
    ).encode()


class _Dumper(yaml.SafeDumper):
    """The safe dumper without anchors: a date that stands twice is written twice."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  (PyYAML's signature)
        return True


def _plain(value: Any) -> Any:
    """Without enums, which YAML would write as Python objects."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return str(value.value) if hasattr(value, "value") else value
