"""Every error a user can meet: what was seen, what was wanted, what to do next."""

from __future__ import annotations


class BreakevenError(Exception):
    """Parent of all errors this package raises on purpose; the command line prints it without a traceback."""


class UsageError(BreakevenError):
    """A usage log cannot be read at all (single bad rows are rejects, never an exception)."""


class EngineError(BreakevenError):
    """The engine asked for is not known, not installed, or not reachable."""


class CatalogError(BreakevenError):
    """A catalogue entry is incomplete, contradicts itself, or is not there."""


class ConstraintNotMet(CatalogError):
    """A provider does not meet a hard constraint of the scenario, or nobody knows whether it does."""


class RefreshError(CatalogError):
    """A source of prices could not be read, or what came is not to be trusted; nothing was written."""


class UnknownPrice(BreakevenError):
    """No price is known for something on a date. Shown as unpriced; never taken as zero."""


class UnknownName(BreakevenError):
    """A name (fact, option, model, GPU, line) is not known; the message gives the nearest right one."""


class ScenarioError(BreakevenError):
    """The scenario file has an unknown key, an impossible value, or contradicts itself."""


class EditConflict(BreakevenError):
    """A file changed since a person read what they now want to change; nothing was written, nothing is lost."""


class UploadError(BreakevenError):
    """Files that came through the browser cannot be taken, or an upload is not there; the store is as it was."""


class ClaimError(BreakevenError):
    """A claim file cannot be read, names something unknown, or gives an impossible value."""


class AuditError(BreakevenError):
    """A saved audit, or labels of calls, cannot be read, or contradict the calls they are said of."""


class PolicyError(BreakevenError):
    """A policy folder is corrupt, newer than this version, or not one; nothing of it is used."""


class ConfigError(BreakevenError):
    """A gateway's configuration has an unknown key, an impossible value, or contradicts itself."""


class PilotError(BreakevenError):
    """A pilot's design, its input or its state cannot be used; nothing was started or stopped."""


class GatewayError(BreakevenError):
    """A gateway cannot start here: a port or its state folder is taken, or a process of it does not come up."""


class DashboardError(BreakevenError):
    """The dashboard cannot start here: its port is taken, or others could reach it without a password."""


class LearningError(BreakevenError):
    """No policy can be learnt or judged from these outcomes within these limits."""


class OutcomeError(BreakevenError):
    """A file of outcomes, of validators or of gold labels cannot be used at all (single bad rows are rejects)."""


class BenchError(BreakevenError):
    """An endpoint could not be measured at all, or a load, a trace or a results file makes no sense."""


class CalibrationError(BreakevenError):
    """Measurements cannot correct a prediction: none is usable, or they contradict the deployment they are said of."""


class ServingError(BreakevenError):
    """A deployment, its traffic or its targets make no sense, or nothing can serve them."""


class InvoiceError(BreakevenError):
    """An invoice cannot be read, or an amount cannot be compared with ours."""


class DocumentError(BreakevenError):
    """A comparison document is missing, damaged, or of a newer schema version."""


class OutputError(BreakevenError):
    """A file to take away cannot be written: a package is missing, its place is no good, or two files are one."""


class StoryError(BreakevenError):
    """A step of a told story did not end as a step may end; the story stops there."""


class CurveError(BreakevenError, ValueError):
    """A cost curve is malformed, is not a line where it was said to be one, or does not cover the volumes asked."""


def nearest(name: str, known: list[str]) -> str:
    """Return a clause naming the closest known name, or the known names when none is close.

    >>> nearest("gpu_prise", ["gpu_price", "cat"])
    "did you mean 'gpu_price'?"
    """
    from difflib import get_close_matches

    close = get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{close[0]}'?"
    shown = ", ".join(sorted(known)[:12])
    return f"known: {shown}{', ...' if len(known) > 12 else ''}"
