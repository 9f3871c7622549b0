"""The store of Calls: Parquet by UTC day, filled by importers, queried as Ibis expressions. Only this room knows
which engine runs."""

from breakeven.usage.store.call_store import CallStore

__all__ = ["CallStore"]
