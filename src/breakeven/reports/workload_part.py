"""Workload part: a Workload and what was imported, in the words of the document."""

from __future__ import annotations

from datetime import date

from breakeven.reports.document import DayPart, HourPart, ImportPart, ModelUsePart, WorkloadPart
from breakeven.reports.stability_part import stability_part
from breakeven.usage.ingest_report import IngestReport
from breakeven.workload.profile import ModelUse, Workload
from breakeven.workload.stability import stability


def workload_part(
    workload: Workload, label: str, as_of: date, *, synthetic: bool = False, imported: ImportPart | None = None
) -> WorkloadPart:
    """The document's summary of a log, as it stands on the day `as_of`."""
    observation, ratio = workload.observation, workload.per_month_ratio
    return WorkloadPart(
        label=label,
        synthetic=synthetic,
        first_time=observation.first_time.isoformat(),
        last_time=observation.last_time.isoformat(),
        observed_hours=observation.observed_hours,
        days_count=len(workload.days),
        extrapolated_from_hours=observation.extrapolated_from_hours,
        requests_count=workload.requests_count,
        errors_count=workload.errors_count,
        input_tokens=workload.input_tokens,
        cache_read_tokens=workload.cache_read_tokens,
        cache_write_tokens=workload.cache_write_tokens,
        output_tokens=workload.output_tokens,
        spend_usd=workload.spend_usd if _any_priced(workload) else None,
        requests_per_month=workload.requests_count * ratio,
        tokens_per_month=workload.tokens * ratio,
        spend_usd_per_month=workload.spend_usd * ratio if _any_priced(workload) else None,
        peak_to_mean_ratio=workload.hourly_peak_to_mean_ratio,
        peak_basis=workload.peak_basis,
        input_tokens_quantiles=workload.input_tokens_quantiles,
        output_tokens_quantiles=workload.output_tokens_quantiles,
        models=tuple(_model(each) for each in workload.models),
        unpriced=tuple(_model(each) for each in workload.unpriced),
        unpriced_tokens_fraction=workload.unpriced_tokens_fraction,
        unnamed_tokens_fraction=workload.unnamed_tokens / max(workload.tokens, 1),
        days=tuple(
            DayPart(
                day=each.day.isoformat(),
                requests_count=each.requests_count,
                input_tokens=each.input_tokens,
                cache_read_tokens=each.cache_read_tokens,
                output_tokens=each.output_tokens,
                spend_usd=each.spend_usd,
                unpriced_tokens=each.unpriced_tokens,
                complete=each.complete,
            )
            for each in workload.days
        ),
        hours_of_week=tuple(
            HourPart(
                hour_of_week=each.hour_of_week, requests_per_hour=each.mean_requests, tokens_per_hour=each.mean_tokens
            )
            for each in workload.hours_of_week
        ),
        may_conclude=observation.may_conclude(lengths_known=bool(workload.lengths)),
        may_not_conclude=observation.may_not_conclude(),
        imported=imported,
        stability=stability_part(stability(workload, as_of)),
    )


def import_part(report: IngestReport) -> ImportPart:
    """What an import read, in the words of the document."""
    return ImportPart(
        rows_in=report.rows_in,
        calls=report.calls,
        duplicates=report.duplicates,
        rejects=report.rejects_count,
        rejects_by_reason=report.rejects,
        reject_file=report.reject_path.name if report.reject_path else None,
        files=tuple(each.name for each in report.files),
        format=", ".join(report.formats),
    )


def _any_priced(workload: Workload) -> bool:
    return any(each.spend_usd is not None for each in workload.models)


def _model(use: ModelUse) -> ModelUsePart:
    return ModelUsePart(
        provider=use.provider,
        model=use.model or "(no model named)",
        requests_count=use.requests_count,
        input_tokens=use.input_tokens,
        cache_read_tokens=use.cache_read_tokens,
        cache_write_tokens=use.cache_write_tokens,
        output_tokens=use.output_tokens,
        spend_usd=use.spend_usd,
    )
