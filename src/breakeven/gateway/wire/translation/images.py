"""Images and documents: as URLs, data URLs and files at OpenAI, as sources at Anthropic."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from breakeven.gateway.wire.translation.untranslatable import untranslatable

_DATA_URL: Final = re.compile(r"data:([\w.+-]+/[\w.+-]+)?(?:;[\w=.+-]+)*;base64,", re.IGNORECASE)


def source_of(url: str) -> dict[str, Any]:
    """Anthropic's source of an image that OpenAI names by URL.

    >>> source_of("data:image/png;base64,iVBO")
    {'type': 'base64', 'media_type': 'image/png', 'data': 'iVBO'}
    """
    if url.startswith(("https://", "http://")):
        return {"type": "url", "url": url}
    match = _DATA_URL.match(url)
    if match is None:
        raise untranslatable("An image is neither an http(s) address nor base64 in a data URL.", "Send one of these.")
    return {"type": "base64", "media_type": (match.group(1) or "image/png").lower(), "data": url[match.end() :]}


def image_block(part: Mapping[str, Any]) -> dict[str, Any]:
    """Anthropic's block for a part of type `image_url`."""
    named = part.get("image_url")
    url = named.get("url") if isinstance(named, dict) else named
    if not isinstance(url, str):
        raise untranslatable("An `image_url` has no `url`.", "Send an http(s) address or a data URL.")
    return {"type": "image", "source": source_of(url)}


def document_block(part: Mapping[str, Any]) -> dict[str, Any]:
    """Anthropic's block for a part of type `file`."""
    file = part.get("file")
    data = file.get("file_data") if isinstance(file, dict) else None
    if not isinstance(file, dict) or not isinstance(data, str):
        raise untranslatable("A file is named by an id that another vendor does not know.", "Send its `file_data`.")
    block: dict[str, Any] = {"type": "document", "source": source_of(data)}
    if isinstance(file.get("filename"), str):
        block["title"] = file["filename"]
    return block


def url_of(source: object) -> str:
    """OpenAI's URL for a source of Anthropic's.

    >>> url_of({"type": "base64", "media_type": "image/png", "data": "iVBO"})
    'data:image/png;base64,iVBO'
    """
    if isinstance(source, dict):
        kind, data, url = source.get("type"), source.get("data"), source.get("url")
        if kind == "base64" and isinstance(data, str):
            return f"data:{source.get('media_type', 'image/png')};base64,{data}"
        if kind == "url" and isinstance(url, str):
            return url
    raise untranslatable("An image or document is named by an id that another vendor does not know.", "Send its data.")


def image_part(block: Mapping[str, Any]) -> dict[str, Any]:
    """OpenAI's part for an image block."""
    return {"type": "image_url", "image_url": {"url": url_of(block.get("source"))}}


def document_part(block: Mapping[str, Any]) -> dict[str, Any]:
    """OpenAI's part for a document block: text as text, a PDF as a file."""
    source = block.get("source")
    if isinstance(source, dict) and source.get("type") == "text":
        return {"type": "text", "text": str(source.get("data", ""))}
    if isinstance(source, dict) and source.get("type") == "base64":
        name = block.get("title")
        file = {"filename": name if isinstance(name, str) else "document.pdf", "file_data": url_of(source)}
        return {"type": "file", "file": file}
    raise untranslatable("A document is named by its address.", "Send its data as base64, or its text.")
