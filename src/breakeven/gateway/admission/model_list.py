"""Model list: the document of `GET /v1/models`, in the shape that the client's SDK reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from breakeven.gateway.admission.chains import unknown_model
from breakeven.gateway.plan import Head, Refusal
from breakeven.gateway.upstream import Target


def models_page(head: Head, models: Mapping[str, tuple[Target, ...]], of_key: frozenset[str] | None) -> bytes | Refusal:
    """What a request of that head gets: all models of its key (None: all that there are), or the one that it names."""
    shown = [(name, targets[0]) for name, targets in models.items() if targets and (of_key is None or name in of_key)]
    is_anthropic = head.header(b"anthropic-version") is not None
    asked = head.path.decode("utf-8", "replace").partition("/models")[2].strip("/")
    if not asked:
        return model_list(shown, is_anthropic)
    found = dict(shown).get(asked)
    return unknown_model(asked) if found is None else one_model(asked, found, is_anthropic)


def model_list(models: Iterable[tuple[str, Target]], is_anthropic: bool) -> bytes:
    """All models."""
    data = [_model(name, target, is_anthropic) for name, target in models]
    if not is_anthropic:
        return orjson.dumps({"object": "list", "data": data})
    ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"]} if data else {"first_id": None, "last_id": None}
    return orjson.dumps({"data": data, "has_more": False, **ends})


def one_model(name: str, target: Target, is_anthropic: bool) -> bytes:
    """One of them, as `GET /v1/models/NAME` gives it."""
    return orjson.dumps(_model(name, target, is_anthropic))


def _model(name: str, target: Target, is_anthropic: bool) -> dict[str, Any]:
    if is_anthropic:
        return {"type": "model", "id": name, "display_name": name, "created_at": "1970-01-01T00:00:00Z"}
    return {"id": name, "object": "model", "created": 0, "owned_by": target.upstream.name}
