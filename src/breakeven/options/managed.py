"""Managed endpoints: an open model on GPUs by the hour that a provider keeps, always on or scaled to zero."""

from __future__ import annotations

from dataclasses import dataclass

from breakeven.catalog.load import Catalog
from breakeven.catalog.offer import GpuOffer
from breakeven.costs.breakdown import CostBreakdown
from breakeven.errors import UnknownPrice
from breakeven.facts.trace import Binder
from breakeven.options.assembly.capacity import capacity_words
from breakeven.options.assembly.constraints import check_provider
from breakeven.options.assembly.deployment import Deployment, deployment
from breakeven.options.assembly.fleet import bind_fleet, bind_scaled_fleet, fleet_facts
from breakeven.options.assembly.fleet_lines import bind_fleet_people, bind_rent, rented_lines
from breakeven.options.assembly.offers import at_rent_ratio
from breakeven.options.assembly.staircase import Staircase
from breakeven.options.assembly.success import bind_open_model_success
from breakeven.options.option import (
    Evaluation,
    Family,
    OptionCost,
    Situation,
    binder_for,
    option_cost,
)


@dataclass(frozen=True, slots=True)
class Managed:
    """All calls move to one open model on a provider's dedicated endpoint."""

    name: str
    title: str
    provider: str
    """Provider of the catalogue's ``endpoint`` offers."""
    scale_to_zero: bool
    family: Family = "managed"

    def cost(self, situation: Situation, evaluation: Evaluation) -> OptionCost:
        """Size the replicas for the demand and pay the provider for the hours that are billed."""
        choices = situation.choices
        check_provider(situation, self.provider)
        machine = deployment(situation.catalog, choices.open_model, choices.gpu, choices.precision, choices.measured)
        offer = endpoint_offer(situation.catalog, self.provider, choices.gpu)
        if self.scale_to_zero and not offer.scales_to_zero:
            raise UnknownPrice(f"the catalogue knows of no scale to zero at {self.provider}: its endpoints stay on")
        binder = binder_for(situation, evaluation, {**machine.facts, **at_rent_ratio(offer.facts, situation.scenario)})
        bind_open_model_success(binder, machine.model, situation)
        staircase = self._size(binder, machine, choices.gpus_per_replica_count, evaluation.volume_mtok is None)
        bind_rent(binder)
        bind_fleet_people(binder, managed=True)
        breakdown = CostBreakdown(rented_lines(binder))
        how = "scaled to zero when idle" if self.scale_to_zero else "always on"
        buys = f"{machine.label} at {self.provider}, {how}{capacity_words(binder)}"
        return option_cost(self, binder, breakdown, buys, staircase=staircase, facts=fleet_facts(binder))

    def _size(
        self, binder: Binder, machine: Deployment, gpus_per_replica_count: int | None, own_volume: bool
    ) -> Staircase:
        if self.scale_to_zero:
            return bind_scaled_fleet(binder, machine, gpus_per_replica_count, evaluated_at_own_volume=own_volume)
        if "replicas_min_count" not in binder.scenario:
            binder.derive("replicas_min_count", 1.0, "the provider replaces a replica that fails")
        return bind_fleet(binder, machine, gpus_per_replica_count, evaluated_at_own_volume=own_volume)


def endpoint_offer(catalog: Catalog, provider: str, gpu: str) -> GpuOffer:
    """The provider's dedicated endpoint on `gpu`; raises UnknownPrice naming the GPUs that it does offer."""
    of_provider = [
        each for each in catalog.gpu_offers.values() if each.term == "endpoint" and each.provider == provider
    ]
    for each in of_provider:
        if each.gpu == gpu:
            return each
    known = ", ".join(sorted(each.gpu for each in of_provider)) or "none"
    raise UnknownPrice(
        f"the catalogue has no endpoint price of {provider} for '{gpu}' on {catalog.as_of}; it has: {known}"
    )


OPTIONS = (
    Managed("managed_huggingface", "Managed endpoint, Hugging Face", "huggingface", False),
    Managed("managed_huggingface_scale_to_zero", "Managed, Hugging Face, scale to zero", "huggingface", True),
    Managed("managed_fireworks", "Managed endpoint, Fireworks", "fireworks", False),
    Managed("managed_fireworks_scale_to_zero", "Managed, Fireworks, scale to zero", "fireworks", True),
    Managed("managed_together", "Managed endpoint, Together", "together", False),
)
