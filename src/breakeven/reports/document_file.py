"""Document file: how a saved document is read: what is missing, no JSON, newer or damaged is said in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from breakeven.errors import DocumentError

Model = TypeVar("Model", bound=BaseModel)


def read_content(path: Path, writer: str) -> Any:
    """The JSON of a file; `writer` is the command that writes such files. Raises DocumentError."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DocumentError(f"cannot read {path}: {error.strerror}; `{writer}` writes one") from None
    except ValueError:
        raise DocumentError(f"{path} is not JSON; `{writer}` writes one") from None


def validated(path: Path, content: Any, kind: type[Model], version: str, schema_version: str) -> Model:
    """The document of a kind in what was read; raises DocumentError where it is newer or damaged."""
    if version.split(".")[0] != schema_version.split(".")[0]:
        raise DocumentError(f"{path} has schema {version}; this breakeven reads {schema_version}: upgrade breakeven")
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(each) for each in first["loc"])
        raise DocumentError(f"{path} is damaged at {place}: {first['msg']}") from None
