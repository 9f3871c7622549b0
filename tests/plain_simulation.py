"""The simulation again, in plain Python, one iteration at a time: what the compiled one is compared with.

Written from the description in `breakeven.serving.traffic.simulate`, with lists and no merging of iterations.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf, nan

from breakeven.serving.traffic.replica_timing import ReplicaTiming


@dataclass
class Request:
    arrival: float
    tokens_in: int
    tokens_out: int
    cached: int = 0
    generated: int = 0
    computed: int = 0
    first: float = nan
    end: float = nan
    redone: int = 0

    @property
    def prompt(self) -> int:
        return self.tokens_in + self.generated


@dataclass
class Replica:
    timing: ReplicaTiming
    waiting: list[Request] = field(default_factory=list)
    prefilling: list[Request] = field(default_factory=list)
    decoding: list[Request] = field(default_factory=list)
    """In the order of admission."""
    until: float = inf
    running: bool = False
    busy: float = 0.0
    started: float = 0.0
    preempted: int = 0
    accepts: bool = True
    now_decoding: list[Request] = field(default_factory=list)

    @property
    def outstanding(self) -> int:
        return len(self.waiting) + len(self.prefilling) + len(self.decoding)

    def tokens_held(self) -> int:
        promised = sum(each.prompt + 1 for each in self.prefilling)
        return sum(each.tokens_in + each.generated for each in self.decoding) + promised

    def begin_iteration(self, now: float) -> None:
        capacity = self.timing.cache_capacity_tokens
        while self.tokens_held() > capacity:
            last = (self.prefilling or self.decoding).pop()
            last.computed = last.cached
            self.waiting.insert(0, last)
            self.preempted += 1
        batch = len(self.decoding)
        budget = self.timing.step_max_tokens - batch
        held = sum(each.tokens_in + each.generated for each in self.decoding)
        prompt_tokens, pairs = 0, 0.0
        for request in list(self.prefilling):
            prompt_tokens, pairs, budget = self._cut(request, prompt_tokens, pairs, budget)
        limit = min(self.timing.sequences_max_count, self.timing.step_max_tokens)
        while budget > 0 and self.waiting and batch + len(self.prefilling) < limit:
            if self.tokens_held() + batch + self.waiting[0].prompt + 1 > capacity:
                break
            self.prefilling.append(self.waiting.pop(0))
            prompt_tokens, pairs, budget = self._cut(self.prefilling[-1], prompt_tokens, pairs, budget)
        self.now_decoding = list(self.decoding)
        self.running = bool(batch or prompt_tokens)
        self.started = now
        self.until = now + self.timing.iteration_s(batch, held, prompt_tokens, pairs) if self.running else inf

    def _cut(self, request: Request, tokens: int, pairs: float, budget: int) -> tuple[int, float, int]:
        chunk = min(request.prompt - request.computed, budget)
        pairs += sum(request.computed + each for each in range(chunk))
        request.computed += chunk
        return tokens + chunk, pairs, budget - chunk

    def end_iteration(self) -> list[Request]:
        now, ended = self.until, []
        self.busy += now - self.started
        self.running = False
        for request in self.now_decoding:
            request.generated += 1
        for request in [each for each in self.prefilling if each.computed == each.prompt]:
            self.prefilling.remove(request)
            request.generated += 1
            if request.first != request.first:
                request.first = now
            self.decoding.append(request)
        for request in [each for each in self.decoding if each.generated == each.tokens_out]:
            self.decoding.remove(request)
            request.end = now
            ended.append(request)
        return ended

    def arrive(self, request: Request, now: float) -> None:
        request.generated, request.computed = 0, request.cached
        self.waiting.append(request)
        if self.until == inf:
            self.until = now

    def leave(self, now: float) -> list[Request]:
        lost = self.waiting + self.prefilling + self.decoding
        self.waiting, self.prefilling, self.decoding = [], [], []
        self.busy += now - self.started if self.running else 0.0
        self.running, self.until = False, inf
        return sorted(lost, key=lambda each: each.arrival)


def play(
    timing: ReplicaTiming,
    requests: list[Request],
    replicas_count: int,
    *,
    round_robin: bool = False,
    clients: int | None = None,
    events: tuple[tuple[float, int, str], ...] = (),
    absent: tuple[int, ...] = (),
) -> list[Replica]:
    """Play requests in the order of their arrival; with `clients`, all but the first ones are sent when one ends."""
    replicas = [Replica(timing, accepts=each not in absent) for each in range(replicas_count)]
    pending, later = list(requests[:clients]), list(requests[clients:]) if clients else []
    coming, homeless, turn = sorted(events), [], 0

    def send(request: Request, now: float) -> None:
        nonlocal turn
        order = [(turn + each) % replicas_count for each in range(replicas_count)]
        open_ = [each for each in order if replicas[each].accepts]
        if not open_:
            homeless.append(request)
            return
        to = open_[0] if round_robin else min(open_, key=lambda each: replicas[each].outstanding)
        replicas[to].arrive(request, now)
        turn = (to + 1) % replicas_count

    while True:
        arrival = pending[0].arrival + timing.first_token_s if pending else inf
        event = coming[0][0] if coming else inf
        at = min(range(replicas_count), key=lambda each: replicas[each].until)
        boundary = replicas[at].until
        if event < inf and event <= arrival and event <= boundary:
            _, index, kind = coming.pop(0)
            replicas[index].accepts = kind == "up"
            if kind == "up":
                while homeless:
                    replicas[index].arrive(homeless.pop(0), event)
            for request in replicas[index].leave(event) if kind == "kill" else ():
                request.redone += 1
                send(request, event)
        elif arrival < inf and arrival <= boundary:
            send(pending.pop(0), arrival)
        elif boundary < inf:
            if replicas[at].running:
                for _ in replicas[at].end_iteration():
                    if later:
                        later[0].arrival = boundary
                        pending.append(later.pop(0))
                continue  # everything that comes at this moment is seen before the next iteration
            replicas[at].begin_iteration(boundary)
        else:
            return replicas
