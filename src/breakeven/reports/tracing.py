"""Tracing: the Nodes behind a comparison as the flat, shared table that a document carries."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from breakeven.facts.assumption import Assumption
from breakeven.facts.source import Source
from breakeven.facts.trace import Node
from breakeven.reports.document import ShadowedPart, SourcePart, TraceNodePart


@dataclass(slots=True)
class TraceTable:
    """Collects Nodes once each; ids depend on content alone, so the same comparison gives the same ids."""

    as_of: date
    nodes: dict[str, TraceNodePart] = field(default_factory=dict)
    _ids: dict[int, str] = field(default_factory=dict)
    _kept: list[Node] = field(default_factory=list)
    _quantiles: dict[int, tuple[float, float, float]] = field(default_factory=dict)
    """By the identity of the draws: options share the draws of the facts they share."""

    def add(self, node: Node) -> str:
        """Add `node` with everything below it; returns its id."""
        if id(node) not in self._ids:
            self._kept.append(node)  # keeps id(node) and id(node.value) from being reused
            inputs = tuple(self.add(each) for each in node.inputs)
            part = self._part(node, inputs)
            digest = hashlib.sha256(part.model_dump_json().encode()).hexdigest()[:10]
            key = f"{node.name}@{digest}"
            self.nodes[key] = part
            self._ids[id(node)] = key
        return self._ids[id(node)]

    def _part(self, node: Node, inputs: tuple[str, ...]) -> TraceNodePart:
        if id(node.value) not in self._quantiles:
            p10, p50, p90 = (float(each) for each in np.quantile(node.value, (0.1, 0.5, 0.9)))
            self._quantiles[id(node.value)] = p10, p50, p90
        p10, p50, p90 = self._quantiles[id(node.value)]
        return TraceNodePart(
            name=node.name,
            unit=node.unit,
            layer=node.layer.value,
            p10=p10,
            p50=p50,
            p90=p90,
            formula=node.formula,
            summary=node.summary,
            source=source_part(node.source, self.as_of) if node.source else None,
            shadowed=tuple(_shadowed(layer.value, fact) for layer, fact in node.shadowed),
            inputs=inputs,
        )


def source_part(source: Source, as_of: date) -> SourcePart:
    """A Source with its age on the comparison's date."""
    return SourcePart(
        title=source.title,
        link=source.link,
        read=source.read.isoformat(),
        grade=source.grade.value,
        age_days=source.age_days(as_of),
    )


def _shadowed(layer: str, fact: Assumption) -> ShadowedPart:
    return ShadowedPart(layer=layer, low=fact.low, typical=fact.typical, high=fact.high)
