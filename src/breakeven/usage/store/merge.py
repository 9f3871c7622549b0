"""Merge: new Calls meet the store. One request id is one Call; the last delivery wins, whatever was imported first.

Inside one import the later line of a file wins; between files the later end (or start) time, then the larger
output, then a fixed order of content. So the order of imports makes no difference, and importing twice changes
nothing. Rows that repeat a known Call word for word do not touch the stored file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from breakeven.usage.call import CALL_COLUMNS
from breakeven.usage.store.digest import CONTENT, row_text
from breakeven.usage.store.engine import Engine, parquet, path_literal

SUSPICIOUS_US: Final = 3_600_000_000
"""Deliveries of one request that lie further apart than this look like ids that are no request ids."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """Which files hold rows that lose against another row with the same id (the table `lost` has the rows)."""

    losers: dict[Path, int]
    """File -> how many of its rows must go."""
    duplicates: dict[str, int]
    """Source file -> its new rows that do not add a Call."""
    far_apart: int
    """Ids whose deliveries lie more than an hour apart."""


def separate_twins(engine: Engine, new: Sequence[Path]) -> None:
    """Give rows without a request id that are equal, on equal lines of files of one name, ids of their own.

    Two machines that rotate a log under one name can log such twins. Which of them gets which id does not matter,
    since they are equal; so importing the same files again, or one more of them, finds the others known.
    """
    if not new:
        return
    rank = "row_number() OVER (PARTITION BY record_id ORDER BY source_file) - 1"
    made_up = "regexp_full_match(record_id, 'row-[0-9a-f]{32}')"
    twins = f"SELECT filename, file_row_number, record_id, {rank} AS twin FROM {parquet(new, with_place=True)}"
    engine.run(
        "CREATE OR REPLACE TEMP TABLE twins AS SELECT filename, file_row_number, record_id || '-' || twin AS new_id"
        f" FROM ({twins} WHERE {made_up}) WHERE twin > 0"
    )
    columns = ", ".join(column.name for column in CALL_COLUMNS if column.name != "record_id")
    for name in engine.run("SELECT DISTINCT filename FROM twins")["filename"].to_pylist():
        path = Path(name)
        renamed = f"SELECT COALESCE(new_id, record_id) AS record_id, {columns} FROM {parquet([path], with_place=True)}"
        beside = path.with_suffix(".twins")
        both = "LEFT JOIN twins USING (filename, file_row_number)"
        engine.run(f"COPY ({renamed} {both}) TO {path_literal(beside)} (FORMAT parquet)")
        beside.replace(path)


def overlap(engine: Engine, new: Sequence[Path], stored: Sequence[Path]) -> Overlap:
    """Compare the ids in `new` files with each other and with the `stored` ones."""
    engine.run("CREATE OR REPLACE TEMP TABLE lost (filename VARCHAR, file_row_number BIGINT)")
    if not new or not _find_repeats(engine, new, stored):
        return Overlap({}, {}, 0)
    engine.run(f"CREATE OR REPLACE TEMP TABLE ranked AS {_ranked(new, stored)}")
    engine.run("INSERT INTO lost SELECT filename, file_row_number FROM ranked WHERE NOT is_winner")
    losers = _counts(engine, "SELECT filename AS name, count(*) AS n FROM lost GROUP BY ALL")
    is_duplicate = "is_new AND (NOT is_winner OR is_known)"
    duplicates = _counts(
        engine, f"SELECT source_file AS name, count(*) AS n FROM ranked WHERE {is_duplicate} GROUP BY ALL"
    )
    far_apart = engine.value(
        "SELECT count(*) FROM (SELECT record_id FROM ranked GROUP BY record_id"
        f" HAVING max(start_us) - min(start_us) > {SUSPICIOUS_US})"
    )
    engine.run("DROP TABLE ranked")
    return Overlap({Path(name): n for name, n in losers.items()}, duplicates, int(far_apart))


def rewrite(engine: Engine, files: Sequence[Path], target: Path) -> int:
    """Write the rows of `files` that are not `lost` into `target`; return how many there are."""
    target.parent.mkdir(parents=True, exist_ok=True)
    columns = ", ".join(column.name for column in CALL_COLUMNS)
    kept = f"SELECT {columns} FROM {parquet(files, with_place=True)} ANTI JOIN lost USING (filename, file_row_number)"
    engine.run(f"COPY ({kept}) TO {path_literal(target)} (FORMAT parquet)")
    return int(engine.value(f"SELECT count(*) FROM {parquet([target])}"))


def _counts(engine: Engine, sql: str) -> dict[str, int]:
    table = engine.run(sql)
    return dict(zip(table["name"].to_pylist(), table["n"].to_pylist(), strict=True))


def _find_repeats(engine: Engine, new: Sequence[Path], stored: Sequence[Path]) -> bool:
    """Make the table `repeats` of id hashes that occur more than once; false when there are none."""
    hashes = f"SELECT hash(record_id) AS h FROM {parquet(new)}"
    if stored:
        known = f"SELECT hash(record_id) AS h FROM {parquet(stored)}"
        hashes = f"{hashes} UNION ALL SELECT h FROM ({known}) SEMI JOIN ({hashes}) USING (h)"
    engine.run(f"CREATE OR REPLACE TEMP TABLE repeats AS SELECT h FROM ({hashes}) GROUP BY h HAVING count(*) > 1")
    return bool(engine.value("SELECT count(*) FROM repeats"))


def _ranked(new: Sequence[Path], stored: Sequence[Path]) -> str:
    """Every row whose id repeats, with `is_winner`, and `is_known` when the store has its id."""
    parts = [_candidates(new, "true")] + ([_candidates(stored, "false")] if stored else [])
    last_of_file = "PARTITION BY record_id, is_new, CASE WHEN is_new THEN source_file ELSE filename END"
    order = "later_us DESC, output_tokens DESC, input_tokens DESC, content DESC, is_new, filename, file_row_number"
    return f"""WITH candidates AS ({" UNION ALL ".join(parts)}),
finals AS (SELECT *, row_number() OVER ({last_of_file} ORDER BY source_line DESC) = 1 AS is_final FROM candidates)
SELECT *, is_final AND row_number() OVER (PARTITION BY record_id, is_final ORDER BY {order}) = 1 AS is_winner,
bool_or(NOT is_new) OVER (PARTITION BY record_id) AS is_known
FROM finals QUALIFY count(*) OVER (PARTITION BY record_id) > 1"""


def _candidates(files: Sequence[Path], is_new: str) -> str:
    return (
        "SELECT record_id, filename, file_row_number, source_file, source_line, input_tokens, output_tokens,"
        f" epoch_us(start_time) AS start_us, epoch_us(COALESCE(end_time, start_time)) AS later_us,"
        f" md5({row_text(CONTENT)}) AS content, {is_new} AS is_new"
        f" FROM {parquet(files, with_place=True)} WHERE hash(record_id) IN (SELECT h FROM repeats)"
    )
