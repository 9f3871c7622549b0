"""The schema of Vega-Lite, as Altair ships it."""

from __future__ import annotations

from typing import Any


def check(spec: dict[str, Any]) -> None:
    """Raise where `spec` is no layered chart by the schema; Altair's objects, made one by one, would say no more."""
    from altair import LayerChart
    from altair.utils import schemapi

    schemapi.validate_jsonschema(spec, LayerChart._schema, LayerChart._rootschema)
