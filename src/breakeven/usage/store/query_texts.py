"""Query texts: the SQL of an expression is worked out once in a process, however often and of however many stores.

Working it out costs more than running it on a small store. A text is known by the whole expression, the names and types
of its columns and its constants among it; the rows of the store are not in the text, but behind the name of a view.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from breakeven.usage.store.utc_times import utc_compiler

if TYPE_CHECKING:
    import ibis

TEXTS_MAX_COUNT: Final = 512
"""The oldest text is forgotten for one more."""


def duckdb_backend() -> Any:
    """Ibis' backend for a DuckDB in memory, which knows the texts of the process and times in UTC."""
    backend = _backend_class()().connect()
    backend.compiler = _compiler()
    return backend


@lru_cache(maxsize=1)
def _backend_class() -> Any:
    """One class for all stores: tables of one name and schema are the same to Ibis where their backends are alike."""
    import ibis
    from ibis.backends.duckdb import Backend

    assert ibis.duckdb  # looked up once, it registers the options that its compiler reads
    known: dict[Any, str] = {}

    class RememberingBackend(Backend):  # type: ignore[misc]  # ibis has no types
        """Differs from its parent in how it comes to the text of an expression."""

        def compile(self, expr: ibis.Expr, /, *, limit: Any = None, params: Any = None, pretty: bool = False) -> str:
            if limit is not None or params or pretty:
                return str(super().compile(expr, limit=limit, params=params, pretty=pretty))
            asked = expr.op()
            if (text := known.get(asked)) is None:
                text = super().compile(expr)
                while len(known) >= TEXTS_MAX_COUNT:
                    known.pop(next(iter(known)), None)
                known[asked] = text
            return text

    return RememberingBackend


@lru_cache(maxsize=1)
def _compiler() -> Any:
    """The one for times in UTC, which reads the name of a type once: a Call has many columns and few types."""
    from ibis.backends.sql.datatypes import DuckDBType

    class RememberedTypes(DuckDBType):  # type: ignore[misc]  # ibis has no types
        """Differs from its parent in reading each name once."""

        @classmethod
        @lru_cache(maxsize=256)
        def from_string(cls, text: str, nullable: bool | None = None) -> Any:
            return super().from_string(text, nullable)

    class RememberingCompiler(type(utc_compiler())):  # type: ignore[misc]
        """Differs from its parent in its types."""

        __slots__ = ()
        type_mapper = RememberedTypes

    return RememberingCompiler()
