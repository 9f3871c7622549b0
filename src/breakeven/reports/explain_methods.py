"""Explain methods: how the numbers of the months, of doubt and of the questions are made, and where that is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Method:
    """One line on how, and the page that says it in full."""

    words: str
    page: str


_HORIZON: Final = "docs/explanation/horizon.md"
_RISK: Final = "docs/explanation/risk.md"
_BREAK_EVEN: Final = "docs/explanation/break-even.md"
_QUESTIONS: Final = "docs/explanation/five-questions.md"
_BANDS: Final = "docs/explanation/volume-bands.md"
_PRIVACY: Final = "docs/explanation/privacy.md"
_LOSSES: Final = "Poisson events a year, each a lognormal loss, cut where the firm's own loss ends"
_PRESENT: Final = (
    "cash of every month on the horizon, discounted at the cost of capital, one set of draws for all options"
)

METHODS: Final = {
    "HorizonOptionPart": Method(f"Present value: {_PRESENT}", _HORIZON),
    "HorizonOptionPart.saves_usd": Method("Present cost of the status quo less its own, future by future", _HORIZON),
    "HorizonOptionPart.regret_usd": Method("Its present cost less the lowest of the same future", _HORIZON),
    "HorizonOptionPart.irr_fraction_per_month": Method("Root of the present value of the typical cash flow", _HORIZON),
    "HorizonOptionPart.probability_cheapest_fraction": Method("Counted over the futures drawn", _HORIZON),
    "PaybackPart": Method("Last crossing of the cumulative cash flow against staying; never is latest", _HORIZON),
    "PathPart": Method("Damped trend, or a price that goes back to its long-run mean, month by month", _HORIZON),
    "WaitingPart": Method("Staying as today until that month and moving then, at that month's prices", _HORIZON),
    "HorizonPart.value_of_waiting_a_quarter_usd": Method(
        "Least-squares Monte Carlo: decide by the volume and prices then seen, less deciding now", _HORIZON
    ),
    "HorizonPart": Method(f"Horizon: {_PRESENT}", _HORIZON),
    "InformationPart": Method(
        "Value of information: the best choice by regression on this one number, less the best without it", _RISK
    ),
    "InformationPart.evsi_usd": Method("The same for a sample, by shrinking towards the mean (moment matching)", _RISK),
    "TornadoPart": Method("One assumption moved from its low to its high, all others typical", _RISK),
    "SobolPart": Method("Pick-freeze on two scrambled Sobol matrices (Saltelli 2010, Jansen 1999)", _RISK),
    "BreakEvenOddsPart": Method("First and last crossing of each future; never is kept apart", _BREAK_EVEN),
    "RiskPart": Method("Value of information: mean of the lowest cost of each future against the lowest mean", _RISK),
    "VolumeBandPart": Method("Expected cost of each option at the band's middle volume, on the same draws", _BANDS),
    "QuestionPart": Method("Evidence from the log, the scenario and the draws; unknown where none is", _QUESTIONS),
    "FiveQuestionsPart": Method("Count of yes over the futures; an unknown counts as one half", _QUESTIONS),
    "PrivacyPart": Method(_LOSSES, _PRIVACY),
    "PrivacyOptionPart": Method(_LOSSES, _PRIVACY),
    "ExceedancePart": Method("Probability of a yearly loss above it: Poisson events, lognormal sizes", _PRIVACY),
    "IndustryPart": Method("The same, scaled by what surveys say of the industry or region", _PRIVACY),
    "EnergyPart": Method("Power of the fleet over its hours, idle hours apart, times the carbon of the grid",
                         "docs/explanation/fleet.md"),
    "ExitCriterionPart": Method("Value at which the recommended option and the next cost the same", _QUESTIONS),
    "DecisionPart": Method("From the horizon, the value of information and the questions", _QUESTIONS),
}  # fmt: skip
"""By the name of the part, or of one of its fields."""


def method_of(part: str, field: str) -> Method:
    """How `field` of `part` was computed.

    >>> method_of("SobolPart", "total_fraction").page
    'docs/explanation/risk.md'
    """
    return METHODS.get(f"{part}.{field}") or METHODS.get(part) or Method("", "")
