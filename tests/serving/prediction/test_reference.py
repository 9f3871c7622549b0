"""The page of the serving model says what the coefficients say."""

from __future__ import annotations

from breakeven.serving.prediction.fitted_model import shipped_model
from breakeven.serving.prediction.reference import PAGE, page


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(shipped_model()), (
        "run python -m breakeven.serving.prediction.reference"
    )
