"""Merge: new Calls meet the store. One request id is one Call; the last delivery wins, whatever was imported first.

A row with token counts wins against one whose counts are estimated (a stream logged before its usage came). Then,
inside one import, the later line of a file wins; between files the later end (or start) time, then the larger
output, input and cost, then a fixed order of content. So the order of imports makes no difference, and importing
twice changes nothing. Rows that repeat a known Call word for word do not touch the stored file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from breakeven.usage.call import CALL_COLUMNS
from breakeven.usage.store.digest import CONTENT
from breakeven.usage.store.engine import Engine, parquet, path_literal
from breakeven.usage.store.id_hashes import SORTED_ROWS_MAX, has_twins

SUSPICIOUS_US: Final = 3_600_000_000
"""Deliveries of one request that lie further apart than this look like ids that are no request ids."""


@dataclass(frozen=True, slots=True)
class Repeats:
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
    if not new or not _find_repeats(engine, new):
        return
    rank = "row_number() OVER (PARTITION BY record_id ORDER BY source_file) - 1"
    made_up = "regexp_full_match(record_id, 'row-[0-9a-f]{32}') AND hash(record_id) IN (SELECT h FROM repeats)"
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


def find_repeats(engine: Engine, new: Sequence[Path], stored: Sequence[Path], *, may_repeat: bool = True) -> Repeats:
    """Compare the ids in `new` files with each other, where they `may_repeat`, and with the `stored` ones."""
    engine.run("CREATE OR REPLACE TEMP TABLE lost (file UBIGINT, row BIGINT)")
    if not may_repeat and not stored:
        return Repeats({}, {}, 0)
    engine.run(
        "CREATE OR REPLACE TEMP TABLE outcomes (source_file VARCHAR, is_duplicate BOOLEAN, is_far_apart BOOLEAN)"
    )
    if new:
        has_repeats = _find_repeats(engine, new, may_repeat=may_repeat)
        if stored and _find_known(engine, new, stored):
            _settle_pairs(engine, new, stored)
        if has_repeats:
            _settle_groups(engine, new, stored)
    losers = _counts(engine, "SELECT file AS name, count(*) AS n FROM lost GROUP BY ALL")
    duplicates: dict[str, int] = _counts(
        engine, "SELECT source_file AS name, count(*) AS n FROM outcomes WHERE is_duplicate GROUP BY ALL"
    )
    far_apart = engine.value("SELECT count(*) FROM outcomes WHERE is_far_apart")
    return Repeats(_by_path(engine, losers, (*new, *stored)), duplicates, int(far_apart))


def rewrite(engine: Engine, files: Sequence[Path], target: Path) -> int:
    """Write the rows of `files` that are not `lost` into `target`; return how many there are."""
    target.parent.mkdir(parents=True, exist_ok=True)
    columns = ", ".join(column.name for column in CALL_COLUMNS)
    rows = f"SELECT *, hash(filename) AS file, file_row_number AS row FROM {parquet(files, with_place=True)}"
    kept = f"SELECT {columns} FROM ({rows}) ANTI JOIN lost USING (file, row)"
    engine.run(f"COPY ({kept}) TO {path_literal(target)} (FORMAT parquet)")
    return int(engine.value(f"SELECT count(*) FROM {parquet([target])}"))


def _counts(engine: Engine, sql: str) -> dict[Any, int]:
    table = engine.run(sql)
    return dict(zip(table["name"].to_pylist(), table["n"].to_pylist(), strict=True))


def _by_path(engine: Engine, counts: dict[int, int], files: Sequence[Path]) -> dict[Path, int]:
    """`counts` by path instead of by the hash of the path."""
    if not counts:
        return {}
    names = ", ".join(path_literal(path) for path in files)
    hashed = engine.run(f"SELECT filename, hash(filename) AS file FROM (SELECT unnest([{names}]) AS filename)")
    pairs = zip(hashed["filename"].to_pylist(), hashed["file"].to_pylist(), strict=True)
    return {Path(name): counts[file] for name, file in pairs if file in counts}


def _find_repeats(engine: Engine, new: Sequence[Path], *, may_repeat: bool = True) -> bool:
    """Make the table `repeats` of id hashes that occur more than once in `new`; false when there are none."""
    hashes = f"SELECT hash(record_id) AS h FROM {parquet(new)}"
    several = f"SELECT h FROM ({hashes}) GROUP BY h HAVING count(*) > 1"
    if may_repeat:
        rows = engine.value(f"SELECT count(*) FROM {parquet(new)}")
        may_repeat = rows > SORTED_ROWS_MAX or has_twins(engine.run(hashes)["h"].to_numpy())
    if not may_repeat:
        several = "SELECT 0::UBIGINT AS h WHERE false"
    engine.run(f"CREATE OR REPLACE TEMP TABLE repeats AS {several}")
    return bool(engine.value("SELECT count(*) FROM repeats"))


def _find_known(engine: Engine, new: Sequence[Path], stored: Sequence[Path]) -> bool:
    """Make the table `known` of id hashes that `new` and `stored` share; false when there are none."""
    mine, theirs = (f"SELECT hash(record_id) AS h FROM {parquet(files)}" for files in (new, stored))
    engine.run(f"CREATE OR REPLACE TEMP TABLE known AS SELECT h FROM ({theirs}) SEMI JOIN ({mine}) USING (h)")
    return bool(engine.value("SELECT count(*) FROM known"))


def _settle_pairs(engine: Engine, new: Sequence[Path], stored: Sequence[Path]) -> None:
    """Ids that are once in `new` and once in the store: the better standing stays, the stored one if they are equal."""
    once = "h IN (SELECT h FROM known) AND h NOT IN (SELECT h FROM repeats)"
    pairs = f"({_candidates(new, once)}) AS n JOIN ({_candidates(stored, once)}) AS s USING (record_id)"
    engine.run(
        "CREATE OR REPLACE TEMP TABLE pairs AS SELECT n.source_file,"
        f" abs(n.start_us - s.start_us) > {SUSPICIOUS_US} AS is_far_apart,"
        " CASE WHEN n.standing > s.standing THEN s.place ELSE n.place END AS loser"
        f" FROM {pairs}"
    )
    engine.run("INSERT INTO lost SELECT loser.file, loser.row FROM pairs")
    engine.run("INSERT INTO outcomes SELECT source_file, true, is_far_apart FROM pairs")
    engine.run("DROP TABLE pairs")


def _settle_groups(engine: Engine, new: Sequence[Path], stored: Sequence[Path]) -> None:
    """Ids that repeat in `new`: the last line of each file, then the best standing of these and of the store."""
    several = "h IN (SELECT h FROM repeats)"
    parts = [f"SELECT *, true AS is_new FROM ({_candidates(new, several)})"]
    parts += [f"SELECT *, false AS is_new FROM ({_candidates(stored, several)})"] if stored else []
    engine.run(f"CREATE OR REPLACE TEMP TABLE candidates AS {' UNION ALL '.join(parts)}")
    engine.run(f"CREATE OR REPLACE TEMP TABLE winners AS {_WINNERS}")
    engine.run("INSERT INTO lost SELECT place.file, place.row FROM candidates ANTI JOIN winners USING (place)")
    engine.run(f"INSERT INTO outcomes {_OUTCOMES}")
    engine.run("DROP TABLE candidates")
    engine.run("DROP TABLE winners")


_WINNERS: Final = """
WITH finals AS (
    SELECT record_id, source_file,
    max({'told': standing.told, 'line': source_line, 'standing': standing, 'place': place}) AS last
    FROM candidates WHERE is_new GROUP BY record_id, source_file
),
contenders AS (
    SELECT record_id, last.standing AS standing, false AS is_stored, source_file, last.place AS place FROM finals
    UNION ALL SELECT record_id, standing, true, source_file, place FROM candidates WHERE NOT is_new
)
SELECT max({'standing': standing, 'is_stored': is_stored, 'file': source_file, 'place': place}).place AS place
FROM contenders GROUP BY record_id"""
"""The place of the row that stays, for each id. Of equal rows the stored one stays, else that of the last file by name:
where a row happens to lie in the store says nothing."""

_OUTCOMES: Final = f"""
WITH stored_ids AS (SELECT DISTINCT record_id FROM candidates WHERE NOT is_new),
apart AS (
    SELECT record_id FROM candidates GROUP BY record_id HAVING max(start_us) - min(start_us) > {SUSPICIOUS_US}
),
judged AS (
    SELECT source_file, record_id, place IN (SELECT place FROM winners) AS is_winner,
    record_id IN (SELECT record_id FROM stored_ids) AS is_stored FROM candidates WHERE is_new
)
SELECT source_file, NOT is_winner OR is_stored, is_winner AND record_id IN (SELECT record_id FROM apart) FROM judged"""
"""For each new row: is it a duplicate, and (once per id) do its deliveries lie far apart."""


def _candidates(files: Sequence[Path], condition: str) -> str:
    """Rows whose id hash `h` meets `condition`, with what decides between them."""
    content = ", ".join(column.name for column in CONTENT)
    later_us = "epoch_us(COALESCE(end_time, start_time))"
    fuller = "'out': output_tokens, 'in': input_tokens, 'cost': COALESCE(cost_usd, 0)"
    told = "tokens_source <> 'estimated'"
    standing = f"{{'told': {told}, 'later_us': {later_us}, {fuller}, 'content': hash({content})}}"
    place = "{'file': hash(filename), 'row': file_row_number}"
    rows = f"SELECT *, hash(record_id) AS h FROM {parquet(files, with_place=True)}"
    return (
        f"SELECT record_id, source_file, source_line, epoch_us(start_time) AS start_us, {standing} AS standing,"
        f" {place} AS place FROM ({rows}) WHERE {condition}"
    )
