"""Answers part: what a document says to the guide's questions: bands, five questions, privacy, energy, exit, advice."""

from __future__ import annotations

from typing import Literal

from breakeven.reports.option_part import Amount, Part


class VolumeBandPart(Part):
    """One band of monthly volume: what the guide says of it, and what today's prices say for this workload."""

    from_mtok_per_month: float
    to_mtok_per_month: float
    guide_says: str
    """Empty: the guide has no row for this band."""
    option: str
    """Lowest expected cost for equal successful outcomes at the band's middle (geometric) volume."""
    title: str
    probability_cheapest_fraction: float
    usd_per_month: Amount
    regret_usd_per_month: float
    """Expected cost of being wrong: this option beyond the best of each future."""
    runner_up: str
    """Title of the option with the next lowest expected cost; empty: there is none."""
    main_driver: str
    """What this option's cost mostly consists of there."""
    agrees: bool | None
    """Whether the cheapest option is of the guide's kind; None: the guide has no row for this band."""
    why: str
    """Why today's prices disagree with the guide, or agree."""
    is_here: bool
    """True: the volume of the log lies in this band."""
    option_at_low_end: str = ""
    """Name of the option with the lowest expected cost at the low end of the band."""
    option_at_high_end: str = ""


class QuestionPart(Part):
    """One of the five questions."""

    key: Literal["volume", "data_sensitive", "fine_tuning", "mlops_team", "accuracy"]
    question: str
    answer: Literal["yes", "no", "unknown"]
    probability_fraction: float | None
    """Of yes; None: unknown."""
    evidence: str
    source: str
    ask: str
    """What would answer it, with the command-line option; empty when it is answered."""
    gate: bool
    """True: the answer rules options out, whatever the others say."""


class FiveQuestionsPart(Part):
    """The guide's rule: self-host when three or more are yes; shown as advice beside the money."""

    questions: tuple[QuestionPart, ...]
    yes_count: int
    unknown_count: int
    three_or_more_fraction: float
    """Probability of three or more yes; an unknown counts as one half."""
    rule_says: str
    money_says: str
    agree: bool
    """False: the guide's rule and the money point different ways; money decides. A rule that cannot be applied yet,
    because too many answers are unknown, contradicts nobody."""
    risk_level: Literal["low", "medium", "high"]
    risk_reason: str
    """The numbers behind the level: odds of losing money against today, and the P90 regret."""
    change_our_mind: tuple[str, ...]


class ExceedancePart(Part):
    """Probability that the yearly loss through one path is above an amount."""

    loss_usd: float
    api_fraction: float
    selfhost_fraction: float


class PrivacyOptionPart(Part):
    """Breach risk of one option."""

    option: str
    exposure_ratio: float
    events_per_year: float
    annual_loss_usd: Amount
    """Frequency x severity, capped; range over the assumptions."""
    any_event_fraction: float
    """Probability of at least one event in a year, typical."""


class IndustryPart(Part):
    """The same for firms of one industry or region, by how far surveyed breach costs stand from the average.

    Expected losses at typical values; the loss still ends at the cap.
    """

    name: str
    kind: Literal["industry", "region"]
    relative_ratio: float
    api_usd_per_year: float
    selfhost_usd_per_year: float
    source: str


class PrivacyPart(Part):
    """Privacy as insurance: what exposure costs a year, here and there; no way to serve is free of risk."""

    options: tuple[PrivacyOptionPart, ...]
    exceedance: tuple[ExceedancePart, ...]
    industries: tuple[IndustryPart, ...]
    recommended_without_losses: str
    recommended_with_losses: str
    premium_sentence: str
    """What moving would have to cut the yearly event rate by, to be worth its extra cost."""
    excluded_by_constraints: tuple[str, ...]
    """Options that a hard constraint rules out, and which one."""
    cap_sentence: str
    """How much of the mean loss lies above which size, and that losses are capped."""
    flip_events_per_year: float | None = None
    """By how much moving to GPUs would have to cut the yearly rate; None: it costs nothing more, or cannot be had."""
    premium_usd_per_year: float | None = None
    """What the cheapest option on GPUs costs more than today; negative: less. None: there is none."""


class EnergyPart(Part):
    """Energy and carbon of one option with a fleet, per month; idle share apart."""

    option: str
    energy_kwh_per_month: Amount
    idle_energy_kwh_per_month: Amount
    carbon_kg_per_month: Amount
    idle_carbon_kg_per_month: Amount


class ExitCriterionPart(Part):
    """When to go back, or to move: one measurable condition."""

    metric: str
    condition: str
    """E.g. below 3.1 B tokens a month for two months in a row."""
    why: str
    fact: str = ""
    """What is moved: a fact, the volume, or the price of a token; empty: the document is older than this field."""
    unit: str = ""
    typical: float | None = None
    """As things are, in `unit`."""
    value: float | None = None
    """From where on the answer is another one, in `unit`."""


class FigurePart(Part):
    """One number that matters."""

    label: str
    value: str
    range: str
    why: str


class DecisionPart(Part):
    """One page: what to do, how sure, and what would change it."""

    recommended: str
    sentence: str
    probability_fraction: float
    """That it has the lowest present cost over the horizon."""
    figures: tuple[FigurePart, ...]
    """The three numbers that matter."""
    monday: tuple[str, ...]
    """What to do on Monday, in order."""
    change_our_mind: tuple[str, ...]
    today_alone: str
    """What today's volume and prices alone would say; empty when the same."""
    with_losses: str
    """The decision with breach risk counted, beside the one without."""


class AnswersPart(Part):
    """The guide's questions, answered for this workload."""

    volume_bands: tuple[VolumeBandPart, ...]
    five_questions: FiveQuestionsPart
    privacy: PrivacyPart
    energy: tuple[EnergyPart, ...]
    exit_criteria: tuple[ExitCriterionPart, ...]
    decision: DecisionPart
    exit_title: str = "When to go back"
    """Heading of `exit_criteria`: whoever stays is told when to move."""
