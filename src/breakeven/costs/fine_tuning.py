"""Fine-tuning: GPU hours of training runs on rented GPUs, spread over the year. Preparing data is not counted.

Training takes about 6 FLOP for each parameter and token, forward and backward (Kaplan et al., arXiv 2001.08361,
section 2.1); adapters skip the gradients of the frozen weights (method fraction, about 2/3 for LoRA and QLoRA).
"""

from __future__ import annotations

from breakeven.costs.line import CostLine
from breakeven.facts.distribution import Draws
from breakeven.facts.formula import formula
from breakeven.facts.trace import Binder
from breakeven.units import FLOP_PER_TRAINED_PARAM_TOKEN, FLOPS_PER_TFLOPS, MONTHS_PER_YEAR, SECONDS_PER_HOUR

CAMPAIGNS = "fine_tune_campaigns_events_per_year"
"""Set by a scenario that plans to train."""


@formula
def fine_tune_gpu_hours(
    params_count: Draws,
    fine_tune_tokens: Draws,
    fine_tune_method_fraction: Draws,
    training_peak_tflops: Draws,
    fine_tune_mfu_fraction: Draws,
    fine_tune_penalty_fraction: Draws,
    fine_tune_overhead_ratio: Draws,
) -> Draws:
    """GPU hours of one run: arithmetic over the speed that is really reached, with time for loading and checkpoints.

    The penalty is the speed left by quantised base weights; the peak is the dense 16-bit one.

    >>> round(float(fine_tune_gpu_hours(80e9, 300e6, 0.67, 989.0, 0.3, 0.7, 1.1)), 3)
    141.942
    """
    flop = FLOP_PER_TRAINED_PARAM_TOKEN * params_count * fine_tune_tokens * fine_tune_method_fraction
    speed = training_peak_tflops * FLOPS_PER_TFLOPS * fine_tune_mfu_fraction * fine_tune_penalty_fraction
    return flop / speed / SECONDS_PER_HOUR * fine_tune_overhead_ratio


@formula
def fine_tune_run_usd(fine_tune_gpu_hours: Draws, gpu_rent_usd_per_gpu_hour: Draws) -> Draws:
    """Rent for one run.

    >>> round(float(fine_tune_run_usd(141.942317, 2.90)), 2)
    411.63
    """
    return fine_tune_gpu_hours * gpu_rent_usd_per_gpu_hour


@formula
def fine_tune_campaign_usd(fine_tune_run_usd: Draws, fine_tune_experiments_count: Draws) -> Draws:
    """One campaign: the run that is kept, and those that were not.

    >>> round(float(fine_tune_campaign_usd(411.632722, 2.5)), 2)
    1029.08
    """
    return fine_tune_run_usd * fine_tune_experiments_count


@formula
def fine_tuning_usd_per_month(fine_tune_campaign_usd: Draws, fine_tune_campaigns_events_per_year: Draws) -> Draws:
    """Campaigns of a year, per month.

    >>> float(fine_tuning_usd_per_month(1200.0, 4.0))
    400.0
    """
    return fine_tune_campaign_usd * fine_tune_campaigns_events_per_year / MONTHS_PER_YEAR


def lines(binder: Binder) -> tuple[CostLine, ...]:
    """One line when the scenario plans campaigns (`fine_tune_campaigns_events_per_year`); nobody else trains."""
    if CAMPAIGNS not in binder.scenario:
        return ()
    for each in (fine_tune_gpu_hours, fine_tune_run_usd, fine_tune_campaign_usd):
        binder.evaluate(each)
    return (CostLine("fine_tuning", "Fine-tuning runs", binder.evaluate(fine_tuning_usd_per_month)),)
