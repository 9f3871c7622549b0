"""Room: the pilots of a project in the server's memory: looked at when something changed, watched by a job.

A page shows the last look at once and has the next one made beside it, so that no browser waits for a reading; a look
that took long is followed by a longer rest. Watching (ramps, stops) is a job: who cancels it stops the reading, and the
traffic goes on as it is.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote
from weakref import WeakKeyDictionary

from breakeven.clock import now
from breakeven.errors import BreakevenError, PilotError
from breakeven.pilot.design_file import DesignFile, read_design
from breakeven.pilot.journal import PilotState, state_of
from breakeven.pilot.looking import LOOK_AGAIN_S, REST_RATIO, watch
from breakeven.pilot.pilot_folders import known_pilots, which_pilot
from breakeven.pilot.running import Look, Pilot
from breakeven.reports.pilot_charts import draw_pilot_charts
from breakeven.reports.pilot_look import document_of
from breakeven.reports.pilot_parts import PilotDocument
from breakeven.web.jobs import Job, Jobs, Say
from breakeven.web.pilot.label_desk import LabelDesk

if TYPE_CHECKING:
    from starlette.requests import Request

    from breakeven.reports.charts import Chart
    from breakeven.web.page import Desk

LOOK_EVERY_S: Final = 2.0
DRAW_EVERY_S: Final = 6.0
"""Charts of a pilot that runs are drawn again at most so often."""
PATIENCE_S: Final = 0.7
STOP_PATIENCE_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class Known:
    """What the last look said."""

    look: Look
    document: PilotDocument
    """With its history."""
    charts: Mapping[str, Chart]


class PilotPlace:
    """One pilot, its last look, and who watches it."""

    def __init__(self, folder: Path, jobs: Jobs) -> None:
        self.folder = folder
        self.name = folder.name
        self.labels = LabelDesk(folder)
        self._jobs = jobs
        self._lock = threading.Lock()
        self._looking = threading.Lock()
        self._pilot: Pilot | None = None
        self._known: Known | None = None
        self._error: BreakevenError | None = None
        self._signature: object = None
        self._is_stale = False
        """Something was done since the last look that a watching job has not shown."""
        self._after_s = 0.0
        self._looked_s = 0.0
        self._drawn_s = 0.0
        self._drawn_of = ""
        self._wanted_of = ""
        """What the charts were drawn of, and what they ought to be drawn of."""

    @property
    def pilot(self) -> Pilot:
        """For orders; its own reader, so that it disturbs no look."""
        return Pilot(self.folder)

    def brief(self) -> tuple[DesignFile, PilotState]:
        """Design and state, without reading what the pilot reads."""
        return read_design(self.folder), state_of(Pilot(self.folder).journal.entries())

    def is_unjudged(self) -> bool:
        """A pilot from files whose first look would promise its design: nobody does that by looking at a page."""
        found, state = self.brief()
        return found.design.mode == "offline" and not state.design_hash

    def known(self) -> Known | Job:
        """The last look; the first one is waited for a moment, later ones are made beside the page."""
        if self._known is None or self._error is not None:
            return self._first()
        is_fed = self.is_watched_here() and not self._is_stale
        if time.monotonic() >= self._after_s and not self._looking.locked() and not is_fed:
            thread = threading.Thread(target=self._again, name=f"look at {self.name}", daemon=True)
            was_stale = self._is_stale
            thread.start()
            if was_stale:  # somebody did something: they want to see it
                thread.join(PATIENCE_S)
            if self._error is not None:
                raise self._error
        return self._known

    def known_now(self) -> Known | None:
        """The last look where there was one; one is begun where there was none."""
        if self._known is None and not self._looking.locked():
            threading.Thread(target=self._again, name=f"look at {self.name}", daemon=True).start()
        return self._known

    def look_now(self) -> Known:
        """A look of this moment, unless nothing has changed since the last."""
        with self._looking:
            self._look(lambda _words: None)
            if self._error is not None:
                raise self._error
            assert self._known is not None
            return self._known

    def watching(self) -> Job | None:
        """The job that watches it, or the last one that did."""
        return self._jobs.last(self._job_name)

    def watch(self, *, promotes: bool = False, rolls_back: bool = False) -> Job:
        """Begin to watch it, as `breakeven pilot run` does."""
        if self.pilot.is_watched() and not self.is_watched_here():
            raise PilotError(
                f"{self.folder}: another `breakeven pilot run` watches this pilot; stop it first (Ctrl-C), or leave it "
                "to watch"
            )

        def work(say: Say) -> None:
            self._watch(say, promotes=promotes, rolls_back=rolls_back)

        return self._jobs.start(self._job_name, f"Watching the pilot {self.name}", work)

    def is_watched_here(self) -> bool:
        """Whether a job of this server watches it."""
        job = self.watching()
        return job is not None and job.state == "running"

    def end_watch(self) -> None:
        """Have the job end; the traffic goes on as it is."""
        job = self.watching()
        if job is not None and job.state == "running":
            job.cancel()
            if not job.wait(STOP_PATIENCE_S):
                raise PilotError(f"{self.name} is just being read; it ends after that, try again in a moment")

    def forget(self) -> None:
        """Look anew at the next question."""
        self._after_s, self._signature, self._is_stale = 0.0, None, True

    @property
    def _job_name(self) -> str:
        return f"watch {self.name}"

    def _first(self) -> Known | Job:
        """The first look, in a job whose progress a page can show."""

        def work(say: Say) -> None:
            with self._looking:
                self._look(say)

        self._error = None
        job = self._jobs.start(f"look {self.name}", f"Reading the pilot {self.name}", work)
        ends_s = time.monotonic() + PATIENCE_S
        while self._known is None and time.monotonic() < ends_s and not job.wait(0.02):
            pass
        if self._error is not None:
            raise self._error
        return job if self._known is None else self._known

    def _again(self) -> None:
        if self._looking.acquire(blocking=False):
            try:
                self._look(lambda _words: None)
            finally:
                self._looking.release()

    def _look(self, say: Say) -> None:
        """One look; what goes wrong in words of ours is kept for the page."""
        began_s, self._is_stale = time.monotonic(), False
        try:
            if self._pilot is None:
                self._pilot = Pilot(self.folder)
            say("reading calls and outcomes")
            has_changed, signature = self._pilot.changed_since(self._signature)
            is_old = began_s - self._looked_s >= LOOK_AGAIN_S
            if has_changed or is_old or self._known is None or self._error is not None:
                self._take(self._pilot.look(), say)
                self._signature = signature
            elif self._wanted_of != self._drawn_of and began_s - self._drawn_s >= DRAW_EVERY_S:
                self._draw(self._known)
        except BreakevenError as error:
            self._error = error
        except OSError as error:
            self._error = PilotError(f"{self.name} cannot be read ({error.strerror}: {error.filename})")
        finally:
            took_s = time.monotonic() - began_s
            self._after_s = time.monotonic() + max(LOOK_EVERY_S, took_s * REST_RATIO)

    def _take(self, look: Look, say: Say) -> None:
        """Keep a look with its document and charts."""
        before = self._known
        document = document_of(look)
        if before is not None:  # how it came to this takes longer to work out than what it is: with the charts
            document = document.model_copy(update={"history": before.document.history})
        known = Known(look, document, {} if before is None else before.charts)
        with self._lock:
            self._known, self._error, self._looked_s = known, None, time.monotonic()
        self._wanted_of = document.model_dump_json(include={"tasks", "overall", "design"})
        is_due = time.monotonic() - self._drawn_s >= DRAW_EVERY_S
        if self._wanted_of != self._drawn_of and (is_due or not look.state.is_running):
            say("drawing")  # the words are there already, and a page asks again by itself
            self._draw(known)

    def _draw(self, known: Known) -> None:
        """The history and the charts of a look, if it is still the last one."""
        document = document_of(known.look, with_history=True)
        charts = draw_pilot_charts(document)
        with self._lock:
            if self._known is known:
                self._known = replace(known, document=document, charts=charts)
        self._drawn_of, self._drawn_s = self._wanted_of, time.monotonic()

    def _watch(self, say: Say, *, promotes: bool, rolls_back: bool) -> None:
        say("reading calls and outcomes")

        def rest(seconds_s: float) -> None:
            ends_s = time.monotonic() + seconds_s
            while time.monotonic() < ends_s:
                say(words)
                time.sleep(min(0.25, seconds_s))

        words = ""
        for step in watch(Pilot(self.folder), LOOK_EVERY_S, promotes=promotes, rolls_back=rolls_back, rest=rest):
            with self._looking:
                self._take(step.look, lambda _words: None)
            if step.entries:
                self.forget()
            words = _watched_words(step.look)
            say(words)


class PilotRoom:
    """The pilots of one project."""

    def __init__(self, desk: Desk) -> None:
        self._folder = desk.project.pilots
        self._jobs = desk.jobs
        self._places: dict[str, PilotPlace] = {}
        self._lock = threading.Lock()

    def names(self) -> tuple[str, ...]:
        """All pilots there are now."""
        return known_pilots(self._folder)

    def find(self, name: str | None) -> PilotPlace:
        """The pilot of that name, or the only one; PilotError in the command line's words."""
        folder = which_pilot(name, self._folder)
        with self._lock:
            return self._places.setdefault(folder.name, PilotPlace(folder, self._jobs))


_rooms: WeakKeyDictionary[Jobs, PilotRoom] = WeakKeyDictionary()
_rooms_lock = threading.Lock()


def room_of(desk: Desk) -> PilotRoom:
    """The one room of a server."""
    with _rooms_lock:
        return _rooms.setdefault(desk.jobs, PilotRoom(desk))


def place_of(request: Request) -> PilotPlace:
    """The pilot that an address names."""
    return room_of(request.app.state.desk).find(request.path_params["name"])


def path_of(place: PilotPlace) -> str:
    """The address of a pilot."""
    return f"/pilot/{quote(place.name, safe='')}"


def _watched_words(look: Look) -> str:
    at = now().strftime("%H:%M:%S")
    answer = "not started" if look.verdict is None else look.verdict.answer.replace("_", " ")
    return f"looked at {at} UTC: {answer}"
