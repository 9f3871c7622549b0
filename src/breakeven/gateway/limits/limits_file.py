"""Limits file: the state of all keys in one memory-mapped file that the processes of a gateway share.

A header, a list of the records in use, then one record for each key: its `KeyState`, then what each process holds
reserved. A key's record is found by a hash of its id and never moves. Changes are made under a lock on the file, held
for microseconds, which the kernel frees when a process dies. A process holds a place (a number below `PLACES_COUNT`) as
long as it lives, by a lock on a file beside; what stands under a place whose lock is free was reserved by a process
that is dead.

The file outlives the gateway, `kill -9` included; after a power cut it may be some seconds old.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import time
from hashlib import blake2b
from pathlib import Path
from typing import Final

from breakeven.errors import ConfigError
from breakeven.gateway.limits.key_state import KeyState

MAGIC: Final = b"breakeven limits 1\n"
PLACES_COUNT: Final = 64
"""Processes of one machine that can share a file."""
KEYS_MAX_COUNT: Final = 16_384
_COUNT_WORD: Final = 8
"""Which 8 bytes of the header say how many records are in use."""
_LIST_WORD: Final = 512
"""Where the list of them begins: after the header of 4,096 bytes."""
_RECORDS_AT: Final = 8 * (_LIST_WORD + KEYS_MAX_COUNT)
NUMBERS: Final = struct.Struct("=qdqqqddd")
"""A `KeyState`, in the order of its fields."""
NUMBERS_AT: Final = 16
"""Where it stands in a record; before it the hash of the key's id."""
_PLACES: Final = struct.Struct(f"={PLACES_COUNT}q")
_PLACES_AT: Final = 96
RECORD_BYTES: Final = _PLACES_AT + _PLACES.size
FILE_BYTES: Final = _RECORDS_AT + KEYS_MAX_COUNT * RECORD_BYTES
_EMPTY: Final = bytes(16)
_LOCK_TRIES_COUNT: Final = 100
"""Some 8 ms. Who holds the lock may have been put to sleep for longer, on a busy machine; whoever can wait without
holding up others then asks again later."""
_SPIN_COUNT: Final = 20
_NAP_S: Final = 25e-6


class LimitsFile:
    """The file, as one process sees it. Not for several threads."""

    def __init__(self, path: Path, *, is_shared: bool = True) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.is_shared = is_shared
        self._tries_count = _LOCK_TRIES_COUNT
        self.locked_out_since_s: float | None = None
        """When another process was first found to hold the lock for so long (monotonic); None: the last try got it."""
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self.fd, fcntl.LOCK_EX)
        try:
            self._prepare()
            self.map = mmap.mmap(self.fd, FILE_BYTES)
            self.words = memoryview(self.map).cast("q")
        finally:
            fcntl.flock(self.fd, fcntl.LOCK_UN)
        self.place, self._place_fd = self._take_place()
        self.free_place(self.place)

    def _prepare(self) -> None:
        """Make a new file whole; refuse one that is something else."""
        size = os.fstat(self.fd).st_size
        if size and os.pread(self.fd, len(MAGIC), 0) not in (MAGIC, b"\0" * len(MAGIC)):
            raise ConfigError(
                f"{self.path} is no file of limits of this version; move it away to start with fresh budgets"
            )
        try:  # all of it now: a page of a mapped file that finds the disk full later would kill the process
            os.posix_fallocate(self.fd, 0, FILE_BYTES)
        except OSError as error:
            raise ConfigError(f"{self.path} needs {FILE_BYTES:,} bytes of disk: {error}") from None
        os.pwrite(self.fd, MAGIC, 0)

    def _take_place(self) -> tuple[int, int]:
        for place in range(PLACES_COUNT):
            fd = self._lock_place(place)
            if fd is not None:
                return place, fd
        raise ConfigError(f"{self.path} has no place left: {PLACES_COUNT} processes use it")

    def _lock_place(self, place: int) -> int | None:
        """A descriptor that holds the lock of a place, or None where another process lives there."""
        path = self.path.with_name(f"{self.path.name}.place-{place}")
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            return None
        return fd

    def close(self) -> None:
        """Give the place back; what is still reserved under it is freed by the next who looks."""
        self.words.release()
        self.map.close()
        os.close(self._place_fd)
        os.close(self.fd)

    def find(self, key_id: str, *, is_new: bool = True) -> int | None:
        """Where a key's record stands; made if there is none and `is_new`."""
        name = blake2b(key_id.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        first = int.from_bytes(name[:4], "little")
        fcntl.flock(self.fd, fcntl.LOCK_EX)
        try:
            for i in range(KEYS_MAX_COUNT):
                at = _RECORDS_AT + (first + i) % KEYS_MAX_COUNT * RECORD_BYTES
                there = self.map[at : at + 16]
                if there == name:
                    return at
                if there == _EMPTY:
                    if is_new:
                        self._use(at)
                        self.map[at : at + 16] = name
                    return at if is_new else None
        finally:
            fcntl.flock(self.fd, fcntl.LOCK_UN)
        raise ConfigError(f"{self.path} is full: it has room for {KEYS_MAX_COUNT:,} keys; move it away to start anew")

    def _use(self, at: int) -> None:
        """List a record, before it gets its name: whoever dies between leaves an empty record in the list, no more."""
        count = self.words[_COUNT_WORD]
        if count < KEYS_MAX_COUNT:
            self.words[_LIST_WORD + count] = at
            self.words[_COUNT_WORD] = count + 1

    def lock(self) -> bool:
        """Lock the file; False where another process has held it far longer than any update takes."""
        if not self.is_shared:
            return True
        for i in range(self._tries_count):
            try:
                fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if i >= _SPIN_COUNT:
                    time.sleep(_NAP_S)
            else:
                self._tries_count, self.locked_out_since_s = _LOCK_TRIES_COUNT, None
                return True
        self._tries_count = _SPIN_COUNT  # no other request holds up the loop for it
        if self.locked_out_since_s is None:
            self.locked_out_since_s = time.monotonic()
        return False

    def unlock(self) -> None:
        """Unlock the file."""
        if self.is_shared:
            fcntl.flock(self.fd, fcntl.LOCK_UN)

    def read(self, at: int) -> KeyState:
        """The state of the key there."""
        return KeyState(*NUMBERS.unpack_from(self.map, at + NUMBERS_AT))

    def write(self, at: int, state: KeyState) -> None:
        """Write the state of the key there."""
        NUMBERS.pack_into(
            self.map,
            at + NUMBERS_AT,
            state.period,
            state.period_s,
            state.spent_nano,
            state.reserved_nano,
            state.spent_before_nano,
            state.requests_used_count,
            state.tokens_used_count,
            state.updated_s,
        )

    def own_word(self, at: int, place: int | None = None) -> int:
        """Which of `words` says what a process (this one) holds reserved of a key."""
        return (at + _PLACES_AT) // 8 + (self.place if place is None else place)

    def clear_reservations(self, at: int) -> None:
        """A new period: nothing is reserved of it."""
        self.map[at + _PLACES_AT : at + RECORD_BYTES] = bytes(_PLACES.size)

    def free_place(self, place: int) -> None:
        """Free what is reserved under a place whose process is dead."""
        for at in self.records():
            word = self.own_word(at, place)
            if self.words[word] and self.lock():
                try:
                    self.words[word] = 0
                    state = self.read(at)
                    state.reserved_nano = sum(_PLACES.unpack_from(self.map, at + _PLACES_AT))
                    self.write(at, state)
                finally:
                    self.unlock()

    def free_dead(self) -> None:
        """Free what dead processes hold reserved."""
        for place in self._places_in_use():
            if place == self.place:
                continue
            fd = self._lock_place(place)
            if fd is not None:
                try:
                    self.free_place(place)
                finally:
                    os.close(fd)

    def _places_in_use(self) -> list[int]:
        found = set()
        for at in self.records():
            found |= {i for i, held in enumerate(_PLACES.unpack_from(self.map, at + _PLACES_AT)) if held}
        return sorted(found)

    def records(self) -> list[int]:
        """Where there are records."""
        count = min(self.words[_COUNT_WORD], KEYS_MAX_COUNT)
        return sorted(set(self.words[_LIST_WORD : _LIST_WORD + count]))
