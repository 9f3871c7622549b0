"""Tool blocks: which block the pieces of a streamed tool call belong to.

Calls run beside each other, told apart by `index`. Some vendors give every call the same index and a new id, some give
no index at all: a new id is a new call, and a piece with neither belongs to the last one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson


class ToolBlock:
    """One call, on its way to be a block."""

    __slots__ = ("call_id", "index", "is_closed", "name", "pieces")

    def __init__(self) -> None:
        self.call_id = ""
        self.name = ""
        self.pieces: list[str] = []
        self.index: int | None = None
        """Of its block; None until its name is known."""
        self.is_closed = False

    def take(self, call: Mapping[str, Any]) -> str:
        """Take in a piece, and return what it adds to the arguments."""
        function = call.get("function")
        function = function if isinstance(function, dict) else {}
        if isinstance(call.get("id"), str) and call["id"]:
            self.call_id = call["id"]
        if isinstance(function.get("name"), str) and function["name"]:
            self.name = function["name"]
        piece = function.get("arguments")
        if isinstance(piece, dict):
            piece = orjson.dumps(piece).decode()
        if not isinstance(piece, str) or not piece:
            return ""
        self.pieces.append(piece)
        return piece

    @property
    def is_whole(self) -> bool:
        """Whether its arguments are a JSON value, so that nothing can follow."""
        try:
            orjson.loads("".join(self.pieces))
        except orjson.JSONDecodeError:
            return False
        return True


class ToolBlocks:
    """All calls of one answer."""

    __slots__ = ("_all", "_by_index")

    def __init__(self) -> None:
        self._all: list[ToolBlock] = []
        self._by_index: dict[int, ToolBlock] = {}

    def of(self, call: Mapping[str, Any]) -> ToolBlock:
        """The call that a piece belongs to; a new one where it begins one."""
        index, call_id = call.get("index"), call.get("id")
        found = self._by_index.get(index) if isinstance(index, int) else (self._all[-1] if self._all else None)
        is_other = isinstance(call_id, str) and call_id and found is not None and call_id != found.call_id
        if found is not None and found.call_id == "" and not found.is_closed:
            is_other = False  # its id comes late
        if is_other and not isinstance(index, int):
            same = next((each for each in self._all if each.call_id == call_id), None)
            found, is_other = (same, False) if same is not None else (found, True)
        if found is None or is_other:
            found = ToolBlock()
            self._all.append(found)
        if isinstance(index, int):
            self._by_index[index] = found
        return found

    def open_ones(self) -> list[ToolBlock]:
        """Blocks that were begun and not ended."""
        return [each for each in self._all if each.index is not None and not each.is_closed]

    def whole_ones(self) -> list[ToolBlock]:
        """Open blocks whose arguments are whole."""
        return [each for each in self.open_ones() if each.is_whole]
