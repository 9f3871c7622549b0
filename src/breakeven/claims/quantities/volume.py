"""Volume: tokens of a period, from their parts or from what a fleet can do."""

from __future__ import annotations

from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.units import SECONDS_PER_HOUR

ONE_PERIOD = True


@formula
def tokens(prompt_tokens: Draws, output_tokens: Draws) -> Draws:
    """Input and output together.

    >>> tokens(3e6, 1e6)
    4000000.0
    """
    return prompt_tokens + output_tokens


@formula
def busy_fleet_tokens(fleet_tok_per_s: Draws, hours: Draws, busy_fraction: Draws) -> Draws:
    """What a fleet makes in the share of its hours that is busy.

    >>> busy_fleet_tokens(1000.0, 1.0, 0.5)
    1800000.0
    """
    return fleet_tok_per_s * SECONDS_PER_HOUR * hours * busy_fraction


@formula
def capacity_tokens(fleet_tok_per_s: Draws, hours: Draws) -> Draws:
    """What a fleet makes when it is never idle.

    >>> capacity_tokens(2500.0, 729.6)
    6566400000.0
    """
    return fleet_tok_per_s * SECONDS_PER_HOUR * hours


@formula
def never_idle_tokens(capacity_tokens: Draws) -> Draws:
    """The volume where the claim gives none: full speed in every paid hour.

    >>> never_idle_tokens(5.0)
    5.0
    """
    return capacity_tokens


@formula
def output_tokens(tokens: Draws, input_fraction: Draws) -> Draws:
    """The output's share of all tokens.

    >>> output_tokens(1000.0, 0.75)
    250.0
    """
    return tokens * (1 - input_fraction)


@formula
def decoded_tokens(output_tok_per_s: Draws, hours: Draws, busy_fraction: Draws) -> Draws:
    """Output of a fleet in the share of its hours that is busy.

    >>> decoded_tokens(1000.0, 1.0, 0.5)
    1800000.0
    """
    return output_tok_per_s * SECONDS_PER_HOUR * hours * busy_fraction


@formula
def never_idle_output_tokens(output_tok_per_s: Draws, hours: Draws) -> Draws:
    """Output of a fleet that is never idle.

    >>> never_idle_output_tokens(1000.0, 1.0)
    3600000.0
    """
    return output_tok_per_s * SECONDS_PER_HOUR * hours


@formula
def input_tokens(tokens: Draws, input_fraction: Draws) -> Draws:
    """The input's share of all tokens.

    >>> input_tokens(1000.0, 0.75)
    750.0
    """
    return tokens * input_fraction


@formula
def input_fraction(input_output_ratio: Draws) -> Draws:
    """Share of the input, from tokens of input for each token of output.

    >>> input_fraction(3.0)
    0.75
    """
    return input_output_ratio / (1 + input_output_ratio)


@formula
def rest_input_fraction(output_fraction: Draws) -> Draws:
    """Share of the input, from that of the output.

    >>> rest_input_fraction(0.25)
    0.75
    """
    return 1 - output_fraction


@formula
def mean_tok_per_s(tokens: Draws, hours: Draws) -> Draws:
    """Tokens a second that a volume needs on average.

    >>> mean_tok_per_s(3600.0, 1.0)
    1.0
    """
    return tokens / (hours * SECONDS_PER_HOUR)


LAST_RESORT = ("busy_fleet_tokens", "decoded_tokens", "never_idle_tokens", "never_idle_output_tokens")
WAYS = {
    "tokens": (busy_fleet_tokens, never_idle_tokens),
    "output_tokens": (decoded_tokens, never_idle_output_tokens),
    "input_fraction": (rest_input_fraction,),
}
