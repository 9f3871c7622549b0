"""Fleet: what GPUs of your own would have to carry, and what stands idle"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from breakeven.web import documents
from breakeven.web.chart_shelf import kept_chart
from breakeven.web.jobs import Job, Say
from breakeven.web.marked_words import with_code
from breakeven.web.page import Ask, Desk, Page, View
from breakeven.web.replies import api_route, status_of
from breakeven.web.shelf import Recipe

if TYPE_CHECKING:
    from breakeven.catalog.load import Catalog
    from breakeven.decision.scenario import Scenario
    from breakeven.reports.answer import Question
    from breakeven.reports.capacity_document import CapacityDocument
    from breakeven.reports.charts import Chart
    from breakeven.web.plans.fleet_form import FleetForm

PATH: Final = "/fleet"
PICTURE_FIELDS: Final = ("day", "compare")
"""Fields of the address that choose what is shown and change no figure."""
WILL_SEE: Final = (
    "how many replicas of an open model your own requests need, hour by hour, and whether they meet your latency",
    "what they cost a month, how much of that is idle, and what to reserve",
    "how wrong the prediction may be, and how to replace it by a measurement",
)


def view(ask: Ask) -> View | Job:
    """What the page shows."""
    state = documents.store_state(ask.desk)
    if not state.has_calls:
        commands = [("Import a usage log", state.next_command)]
        said = {"title": "No requests to carry yet", "missing": state.words, "commands": commands, "then": WILL_SEE}
        return View("empty.html.j2", {**said, "is_in_story": True})
    form = form_for(ask)
    context: dict[str, Any] = {"form": form, "code": with_code, **_choices(ask.desk)}
    if form.request is None:
        return View("fleet.html.j2", context, 400)
    asked = recipe(ask.desk, form)
    text = _taken(ask.desk, asked)
    if isinstance(text, Job):
        return View("fleet.html.j2", {**context, "job": text}, status_of(text))
    return View("fleet.html.j2", {**context, **_shown(ask, form, text)})


def form_for(ask: Ask) -> FleetForm:
    """The question in the address, or the first choice."""
    from breakeven.web.plans.fleet_form import first_choice, form_of

    query = {name: value for name, value in ask.query.items() if name not in PICTURE_FIELDS}
    if "model" in query and "gpu" in query:
        return form_of(query, {}, ask.desk.project)
    scenario = documents.scenario(ask.desk)
    return form_of(query, first_choice(scenario, _comparison_at_hand(ask.desk)), ask.desk.project)


def recipe(desk: Desk, form: FleetForm) -> Recipe | Job:
    """The document of `breakeven fleet --json` for this question, to the byte."""
    request = form.request
    assert request is not None

    def make(asked: Question, say: Say) -> str:
        from breakeven.reports.fleet_document import to_json
        from breakeven.reports.fleet_request import fleet_of_calls

        found = fleet_of_calls(
            request, asked.store, _catalog(desk), label=asked.label, warnings=asked.warnings, say=say
        )
        text = to_json(found.document)
        say("drawing")
        _pictures(desk, form, text, "")
        return text

    return documents.recipe(desk, "fleet", "Sizing the fleet", make, _key(form), _no_scenario())


def gpus_recipe(desk: Desk, form: FleetForm) -> Recipe | Job:
    """The same log on other GPUs."""
    request = form.request
    assert request is not None

    def make(asked: Question, say: Say) -> str:
        from breakeven.reports.fleet_request import arrivals_asked
        from breakeven.reports.gpu_choices import choices_document, gpu_choices

        catalog = _catalog(desk)
        question = request.question(catalog)
        found = gpu_choices(question, arrivals_asked(request, asked.store, catalog, say), catalog, say)
        return json.dumps(choices_document(found, question), allow_nan=False)

    return documents.recipe(desk, "fleet-gpus", "The same requests on other GPUs", make, _key(form), _no_scenario())


def _no_scenario() -> Scenario:
    """A fleet asks of the scenario nothing: an edit of it leaves what was planned as it is."""
    from breakeven.decision.scenario import Scenario

    return Scenario()


def _key(form: FleetForm) -> tuple[str, ...]:
    """All that a fleet depends on beside the calls and the catalogue."""
    measured = form.request.measured if form.request else None
    return (repr(form.request), measured.read_text(encoding="utf-8") if measured else "")


def _taken(desk: Desk, asked: Recipe | Job) -> str | Job:
    """The text of a document; asked again where the work ended while it was asked."""
    if isinstance(asked, Job):
        return asked
    found = desk.shelf.take(asked)
    if isinstance(found, Job) and found.state == "done":
        return str(found.result)
    return found


def _document(make: Callable[[Desk, FleetForm], Recipe | Job], ask: Ask) -> str | Job:
    """As JSON; what is wrong with the question is an error in words."""
    from breakeven.errors import ServingError

    form = form_for(ask)
    if form.request is None:
        raise ServingError("; ".join(f"{name}: {words}" for name, words in form.problems.items()))
    return _taken(ask.desk, make(ask.desk, form))


def _comparison_at_hand(desk: Desk) -> Any:
    """The comparison where it is computed already; none is begun for a form."""
    asked = documents.comparison_recipe(desk)
    if isinstance(asked, Job) or desk.shelf.peek(asked) is None:
        return None
    found = documents.comparison(desk)
    return None if isinstance(found, Job) else found


def _choices(desk: Desk) -> dict[str, Any]:
    """What can be chosen."""
    from breakeven.reports.fleet_wording import TERM_NAMES
    from breakeven.web.plans.fleet_form import measured_files

    catalog = _catalog(desk)
    return {
        "models": sorted(catalog.models, key=str.lower),
        "gpus": sorted(catalog.gpus, key=str.lower),
        "term_names": TERM_NAMES,
        "measured_files": measured_files(desk.project),
        "facts": catalog.assumptions,
    }


@dataclass(frozen=True, slots=True)
class _Pictures:
    """A fleet with its capacity curve and its charts."""

    document: dict[str, Any]
    capacity: CapacityDocument | None
    """None where no curve can be told."""
    charts: dict[str, Any]
    days: tuple[str, ...]
    day: str
    """The one that is drawn."""


def _shown(ask: Ask, form: FleetForm, text: str) -> dict[str, Any]:
    """Everything about a fleet that is planned."""
    from breakeven.reports import amounts, fleet_page

    found = _pictures(ask.desk, form, text, ask.query.get("day", ""))
    document = found.document
    return {
        "document": document,
        "capacity": found.capacity,
        "tiles": fleet_page.fleet_tiles(document),
        "way": fleet_page.way_words(document),
        "ways": fleet_page.way_rows(document),
        "terms": fleet_page.term_rows(document),
        "peak": tuple(fleet_page.peak_lines(document)),
        "error_words": fleet_page.error_words(document, found.capacity),
        "bin_words": fleet_page.bin_words(document),
        "charts": found.charts,
        "days": [(each, amounts.date_text(each)) for each in found.days],
        "day": found.day,
        "amounts": amounts,
        "addressed": partial(_address, ask.query),
        "api": f"/api/fleet?{urlencode(_question_fields(form))}",
        **_compared(ask, form),
    }


def _question_fields(form: FleetForm) -> dict[str, str]:
    from breakeven.web.plans.fleet_form import DEFAULTS

    return {name: value for name, value in form.values.items() if value and value != DEFAULTS.get(name)}


def _address(query: Mapping[str, str], **changes: str) -> str:
    """This page with some fields changed."""
    asked = {name: value for name, value in {**query, **changes}.items() if value}
    return f"{PATH}?{urlencode(asked)}" if asked else PATH


def _compared(ask: Ask, form: FleetForm) -> dict[str, Any]:
    """The table of GPUs, where somebody asked for it."""
    if ask.query.get("compare") != "gpus":
        return {"choices": None, "choices_job": None}
    found = _taken(ask.desk, gpus_recipe(ask.desk, form))
    if isinstance(found, Job):
        return {"choices": None, "choices_job": found}
    return {"choices": json.loads(found), "choices_job": None}


def _pictures(desk: Desk, form: FleetForm, text: str, day: str) -> _Pictures:
    """What is drawn of a fleet document; all of it is kept under the document's hash."""
    from breakeven.reports.capacity_document import CapacityDocument
    from breakeven.reports.fleet_charts import days_of, peak_day

    document, key = _parsed(text)
    curve = desk.shelf.keep(
        "fleet-capacity", (key, *_key(form)), lambda: _capacity_text(_catalog(desk), form, document)
    )
    capacity = CapacityDocument.model_validate_json(curve) if curve else None
    days = days_of(document)
    day = day if day in days else peak_day(document)
    return _Pictures(document, capacity, _charts(desk, key, document, capacity, day), days, day)


@lru_cache(maxsize=4)
def _parsed(text: str) -> tuple[dict[str, Any], str]:
    """A document, which nobody changes, and its hash; three months of stretches take a while to read."""
    return json.loads(text), hashlib.sha256(text.encode()).hexdigest()


def _capacity_text(catalog: Catalog, form: FleetForm, document: Mapping[str, Any]) -> str:
    from breakeven.errors import BreakevenError
    from breakeven.reports.capacity_answer import CapacityQuestion, answer_capacity
    from breakeven.serving.measured_facts import read_facts
    from breakeven.units import MS_PER_S

    deployment, traffic, target = document["deployment"], document["traffic"], document["target"]
    measured = form.request.measured if form.request else None
    try:
        question = CapacityQuestion(
            deployment["model"],
            deployment["gpu"],
            traffic["mean_input_tokens"],
            traffic["mean_output_tokens"],
            deployment["gpus_per_replica_count"],
            precision=deployment["precision"],
            ttft_ms=None if target["ttft_s"] is None else target["ttft_s"] * MS_PER_S,
            tpot_ms=None if target["tpot_s"] is None else target["tpot_s"] * MS_PER_S,
            measured=read_facts(measured) if measured else None,
            table_step_count=2,
        )
        return answer_capacity(question, catalog).model_dump_json()
    except BreakevenError:
        return ""


def _charts(
    desk: Desk, key: str, document: Mapping[str, Any], capacity: CapacityDocument | None, day: str
) -> dict[str, Any]:
    """The drawn charts by name; each is kept."""
    from breakeven.reports import fleet_charts
    from breakeven.reports.amounts import number

    replicas = max(document["fleet"]["replicas_most_count"], 1)
    peak_tok_per_s = document["fleet"]["peak_output_tok_per_s"] / replicas
    words = f"{number(peak_tok_per_s)} tokens/s each"
    drawings: dict[str, Callable[[], Chart | None]] = {
        "capacity_latency": lambda: fleet_charts.latency_chart(capacity, peak_tok_per_s, words) if capacity else None,
        "day_replicas": lambda: fleet_charts.day_chart(document, day),
        "commitments": lambda: fleet_charts.commitment_chart(document),
    }
    found = {}
    for name, draw in drawings.items():
        made_of = (key, day if name == "day_replicas" else "")
        if drawn := kept_chart(desk, f"fleet-{name}", made_of, draw):
            found[name] = drawn
    return found


def _catalog(desk: Desk) -> Catalog:
    from breakeven.catalog.load import load_catalog

    return load_catalog(desk.today())


PAGE = Page(
    "fleet",
    "Fleet",
    3,
    "what GPUs of your own would have to carry, and what stands idle",
    view,
    (
        api_route("/api/fleet", partial(_document, recipe)),
        api_route("/api/fleet/gpus", partial(_document, gpus_recipe)),
    ),
)
