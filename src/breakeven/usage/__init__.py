"""Usage: the calls a team really made, read from its logs and kept as Parquet by UTC day."""
