"""Compiled loops: how the loops over draws are compiled: sums may be taken in any order, which lets vectors be used."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from breakeven.compiled import njit

Floats = NDArray[np.float64]
FAST: Final = njit(error_model="numpy", fastmath={"contract", "nsz", "arcp", "reassoc", "nnan"})
FAST_WITHOUT_LOCK: Final = njit(
    nogil=True, error_model="numpy", fastmath={"contract", "nsz", "arcp", "reassoc", "nnan"}
)
"""The same for a loop that several threads may run at once."""
