"""Report cut: how the buckets of an exported report are cut: how long they are and what they are grouped by.

One account can be exported in several cuts, by hour and by day, by project and as a whole; two cuts of the same hours
tell the same calls.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_HOUR_S: Final = 3600
_DAY_S: Final = 24 * _HOUR_S
_MONTH_DAYS: Final = (28, 29, 30, 31)
_LONGER_THAN_A_DAY_S: Final = _DAY_S + 2 * _HOUR_S
"""The day on which clocks go back has 25 hours."""


@dataclass(frozen=True, slots=True)
class Cut:
    """How the buckets of a file are cut, on one day."""

    bucket_s: int = 0
    """The longest of them; 0 where none says when it ends."""
    first_s: int = 0
    last_s: int = 0
    named: frozenset[str] = frozenset()
    """What the file grouped by."""
    operation: str = ""
    """Empty: several, or none said."""

    def with_others(self, other: Cut) -> Cut:
        """Of both together; an operation is one cell's own."""
        return Cut(
            max(self.bucket_s, other.bucket_s),
            min(self.first_s, other.first_s),
            max(self.last_s, other.last_s),
            self.named | other.named,
            self.operation,
        )

    def differs(self, other: Cut) -> bool:
        """Whether two reports of the same hours were cut in different ways."""
        ends = max(self.last_s, self.first_s + 1), max(other.last_s, other.first_s + 1)  # an instant is a time too
        meets = self.first_s < ends[1] and other.first_s < ends[0]
        has_other_buckets = self.bucket_s and other.bucket_s and self.bucket_s != other.bucket_s
        has_other_operation = self.operation and other.operation and self.operation != other.operation
        return meets and not has_other_operation and bool(has_other_buckets or self.named != other.named)

    @property
    def is_long(self) -> bool:
        """Whether a bucket lies in more than one day."""
        return self.bucket_s > _LONGER_THAN_A_DAY_S

    @property
    def words(self) -> str:
        """`by hour, model and project`, after the name of a format."""
        names = {60: "minute", _HOUR_S: "hour", _DAY_S: "day", 7 * _DAY_S: "week"}
        names |= {days * _DAY_S: "month" for days in _MONTH_DAYS}
        span = names.get(self.bucket_s, f"{self.bucket_s / _HOUR_S:.3g} hours" if self.bucket_s else "")
        parts = [span] * bool(span) + sorted(self.named)
        return " by " + " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts) if parts else ""


NO_CUT: Final = Cut()
"""Of calls."""
