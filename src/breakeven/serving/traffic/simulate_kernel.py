"""Simulation kernel: the compiled loop that plays requests against replicas, iteration by iteration.

`simulate.py` describes what is modelled and prepares the arrays; only it imports this module, since Numba is heavy.
Requests, replicas and events are rows of plain arrays; the constants below name their columns. Iterations between two
events in which nothing but decoding happens are advanced at once: their times grow by the same amount from one to the
next, so that their sum is a quadratic.
"""

from __future__ import annotations

import math

import numpy as np

from breakeven.serving.traffic.finish_queue import Floats, Ints, compiled, push, remove, sink, step_s

# columns of a request
INPUT, OUTPUT, CACHED, DONE, PROMPT, AT, NEXT, ORDER, REPLICA, REDONE = range(10)
"""Tokens in, out, found in the prefix cache, generated; tokens to compute before the next one, computed so far; next
in its queue; rank of its admission; where it was served; how often it was begun again."""
REQUEST_INTS = 10
ARRIVAL, FIRST, END = range(3)
REQUEST_FLOATS = 3
# columns of a replica
CLOCK, BATCH, HELD, RESERVED, WAIT_HEAD, WAIT_TAIL, PREFILL_HEAD, PREFILL_TAIL, RUNNING, OUTSTANDING = range(10)
"""Decode iterations so far; decoding sequences, tokens they hold; tokens promised to prompts; two queues; sequences
admitted; requests waiting or admitted."""
STRETCH, CHUNKS, RANK, ITERATIONS, TOKENS_OUT, TOKENS_IN, ACCEPTS, PREEMPTED = range(10, 18)
"""Iterations of the stretch that runs, prompt tokens in it; admissions; totals; whether it is in the rotation."""
REPLICA_INTS = 18
START, UNTIL, STEP, GROWTH, BUSY = range(5)
"""The stretch: its start, its end, time of its first iteration, what each next one takes more. Busy seconds."""
REPLICA_FLOATS = 5
# columns of the timing's figures
SEQUENCE_S, READ_S, PAIR_S, FIRST_S, CAPACITY, SEQUENCES_MAX, STEP_MAX = range(7)
UP, DRAIN, KILL = 1, 0, -1
"""Events: a replica joins, takes no new requests, is gone at once."""
SHORTEST_QUEUE, ROUND_ROBIN, GIVEN = 0, 1, 2


@compiled
def _wait(requests: Ints, state: Ints, request: int, in_front: bool) -> None:
    """Put a request into the replica's queue."""
    if state[WAIT_HEAD] < 0:
        requests[request, NEXT] = -1
        state[WAIT_HEAD] = state[WAIT_TAIL] = request
    elif in_front:
        requests[request, NEXT] = state[WAIT_HEAD]
        state[WAIT_HEAD] = request
    else:
        requests[request, NEXT] = -1
        requests[state[WAIT_TAIL], NEXT] = request
        state[WAIT_TAIL] = request


@compiled
def _preempt_last(requests: Ints, state: Ints, keys: Ints, who: Ints) -> None:
    """Send the sequence admitted last back to the front of the queue; what it generated becomes part of its prompt."""
    if state[PREFILL_HEAD] >= 0:  # at most one prompt is half done here, and it was admitted after all that decode
        request = state[PREFILL_HEAD]
        state[PREFILL_HEAD] = state[PREFILL_TAIL] = -1
        state[RESERVED] -= requests[request, PROMPT] + 1
    else:
        at = 0
        for each in range(state[BATCH]):
            if requests[who[each], ORDER] > requests[who[at], ORDER]:
                at = each
        request = who[at]
        requests[request, DONE] = requests[request, OUTPUT] - (keys[at] - state[CLOCK])
        remove(keys, who, state[BATCH], at)
        state[BATCH] -= 1
        requests[request, PROMPT] = requests[request, INPUT] + requests[request, DONE]
        state[HELD] -= requests[request, PROMPT]
    requests[request, AT] = requests[request, CACHED]
    state[RUNNING] -= 1
    state[PREEMPTED] += 1
    _wait(requests, state, request, True)


@compiled
def _plan(
    requests: Ints, state: Ints, clock: Floats, keys: Ints, who: Ints, tokens: Floats, times: Floats, figures: Floats
) -> None:
    """Begin the next stretch at the end of the last: admit, cut chunks, and see how long nothing else can happen."""
    capacity, now = int(figures[CAPACITY]), clock[UNTIL]
    while state[HELD] + state[RESERVED] > capacity:
        _preempt_last(requests, state, keys, who)
    batch, held = state[BATCH], state[HELD]
    budget = int(figures[STEP_MAX]) - batch
    prompt_tokens, pairs = 0, 0.0
    request = state[PREFILL_HEAD]
    while budget > 0:
        if request < 0:
            request = state[WAIT_HEAD]
            if request < 0 or state[RUNNING] >= figures[SEQUENCES_MAX]:
                break
            if held + batch + state[RESERVED] + requests[request, PROMPT] + 1 > capacity:
                break
            state[WAIT_HEAD] = requests[request, NEXT]
            requests[request, NEXT] = -1
            if state[PREFILL_HEAD] < 0:
                state[PREFILL_HEAD] = request
            else:
                requests[state[PREFILL_TAIL], NEXT] = request
            state[PREFILL_TAIL] = request
            state[RUNNING] += 1
            state[RANK] += 1
            state[RESERVED] += requests[request, PROMPT] + 1
            requests[request, ORDER] = state[RANK]
        before = requests[request, AT]
        chunk = min(requests[request, PROMPT] - before, budget)
        pairs += chunk * before + 0.5 * chunk * (chunk - 1)
        requests[request, AT] = before + chunk
        prompt_tokens += chunk
        budget -= chunk
        request = -1
    clock[START] = now
    state[CHUNKS] = prompt_tokens
    if batch == 0 and prompt_tokens == 0:
        state[STRETCH] = 0
        clock[UNTIL] = math.inf
        return
    clock[STEP] = (
        step_s(tokens, times, float(batch + prompt_tokens))
        + batch * figures[SEQUENCE_S]
        + held * figures[READ_S]
        + pairs * figures[PAIR_S]
    )
    clock[GROWTH] = batch * figures[READ_S]
    count = 1
    if prompt_tokens == 0:
        count = min(keys[0] - state[CLOCK], (capacity - held - state[RESERVED]) // batch + 1)
    state[STRETCH] = count
    clock[UNTIL] = now + count * clock[STEP] + clock[GROWTH] * (0.5 * count * (count - 1))


@compiled
def _cut_short(state: Ints, clock: Floats, now: float) -> None:
    """End a stretch of pure decoding with the iteration that is running `now`."""
    step, growth, passed = clock[STEP], clock[GROWTH], now - clock[START]
    a = step - 0.5 * growth
    count = max(1, math.ceil(2.0 * passed / (a + math.sqrt(a * a + 2.0 * growth * passed))))
    while count > 1 and (count - 1) * step + growth * (0.5 * (count - 1) * (count - 2)) >= passed:
        count -= 1
    while count * step + growth * (0.5 * count * (count - 1)) < passed:
        count += 1
    if count < state[STRETCH]:
        state[STRETCH] = count
        clock[UNTIL] = clock[START] + count * step + growth * (0.5 * count * (count - 1))


@compiled
def _finish(requests: Ints, moments: Floats, state: Ints, request: int, now: float, finished: Ints, count: int) -> int:
    requests[request, DONE] = requests[request, OUTPUT]
    moments[request, END] = now
    state[RUNNING] -= 1
    state[OUTSTANDING] -= 1
    finished[count] = request
    return count + 1


@compiled
def _complete(
    requests: Ints, moments: Floats, state: Ints, clock: Floats, keys: Ints, who: Ints, finished: Ints
) -> int:
    """Book the stretch that ends; `finished` receives the requests that end with it; returns how many."""
    now, stretch, count = clock[UNTIL], state[STRETCH], 0
    if stretch == 0:
        return 0
    state[CLOCK] += stretch
    state[HELD] += state[BATCH] * stretch
    state[ITERATIONS] += stretch
    state[TOKENS_OUT] += state[BATCH] * stretch
    state[TOKENS_IN] += state[CHUNKS]
    clock[BUSY] += now - clock[START]
    state[STRETCH] = 0
    while state[BATCH] > 0 and keys[0] == state[CLOCK]:
        request = who[0]
        state[BATCH] -= 1
        size = state[BATCH]
        if size > 0:
            sink(keys, who, size, 0, keys[size], who[size])
        state[HELD] -= requests[request, INPUT] + requests[request, OUTPUT]
        count = _finish(requests, moments, state, request, now, finished, count)
    request = state[PREFILL_HEAD]
    while request >= 0 and requests[request, AT] == requests[request, PROMPT]:
        following = requests[request, NEXT]
        state[RESERVED] -= requests[request, PROMPT] + 1
        requests[request, DONE] += 1
        state[TOKENS_OUT] += 1
        if math.isnan(moments[request, FIRST]):
            moments[request, FIRST] = now
        if requests[request, DONE] == requests[request, OUTPUT]:
            count = _finish(requests, moments, state, request, now, finished, count)
        else:
            left = requests[request, OUTPUT] - requests[request, DONE]
            push(keys, who, state[BATCH], state[CLOCK] + left, request)
            state[BATCH] += 1
            state[HELD] += requests[request, PROMPT] + 1
        request = following
    state[PREFILL_HEAD] = request
    if request < 0:
        state[PREFILL_TAIL] = -1
    return count


@compiled
def _arrive(
    requests: Ints, state: Ints, clock: Floats, request: int, replica: int, now: float, figures: Floats
) -> None:
    """A request reaches a replica: an idle one begins, one that decodes looks up after the iteration that runs."""
    requests[request, REPLICA] = replica
    requests[request, PROMPT] = requests[request, INPUT]
    requests[request, AT] = requests[request, CACHED]
    requests[request, DONE] = 0
    alone = state[WAIT_HEAD] < 0
    _wait(requests, state, request, False)
    state[OUTSTANDING] += 1
    if math.isinf(clock[UNTIL]):
        clock[START] = clock[UNTIL] = now
    elif alone and state[STRETCH] > 1 and state[RUNNING] < figures[SEQUENCES_MAX]:
        _cut_short(state, clock, now)


@compiled
def _choose(states: Ints, rule: int, turn: int, given: int) -> int:
    """The replica for the next request; -1: none is in the rotation."""
    count = states.shape[0]
    if rule == GIVEN and states[given, ACCEPTS]:
        return given
    best = -1
    for offset in range(count):
        each = turn + offset
        if each >= count:
            each -= count
        if states[each, ACCEPTS]:
            if rule == ROUND_ROBIN:
                return each
            if best < 0 or states[each, OUTSTANDING] < states[best, OUTSTANDING]:
                best = each
                if states[each, OUTSTANDING] == 0:
                    break
    return best


@compiled
def _leave(requests: Ints, state: Ints, clock: Floats, who: Ints, now: float) -> Ints:
    """A replica is gone: all its requests, in the order of their arrival; what it was doing is lost."""
    lost = np.empty(state[OUTSTANDING], np.int64)
    count = 0
    for each in range(state[BATCH]):
        lost[count] = who[each]
        count += 1
    for head in (PREFILL_HEAD, WAIT_HEAD):
        request = state[head]
        while request >= 0:
            lost[count] = request
            count += 1
            request = requests[request, NEXT]
    if state[STRETCH] > 0:
        clock[BUSY] += now - clock[START]
    state[BATCH] = state[HELD] = state[RESERVED] = state[RUNNING] = state[OUTSTANDING] = 0
    state[STRETCH] = state[CHUNKS] = 0
    state[WAIT_HEAD] = state[WAIT_TAIL] = state[PREFILL_HEAD] = state[PREFILL_TAIL] = -1
    clock[UNTIL] = math.inf
    _sort(lost)
    return lost


@compiled
def _sort(values: Ints) -> None:
    """Shell's sort, in place: a few lines, where compiling NumPy's takes seconds of the first simulation."""
    gap = values.size // 2
    while gap > 0:
        for each in range(gap, values.size):
            value, place = values[each], each
            while place >= gap and values[place - gap] > value:
                values[place] = values[place - gap]
                place -= gap
            values[place] = value
        gap //= 2


@compiled
def play(
    requests: Ints,
    moments: Floats,
    submitted: int,
    event_s: Floats,
    events: Ints,
    states: Ints,
    clocks: Floats,
    rule: int,
    tokens: Floats,
    times: Floats,
    figures: Floats,
    emptied_s: Floats,
) -> int:
    """Play all requests; returns how many were served. The first `submitted` come at their ARRIVAL, in order; each of
    the others is sent when one ends (closed loop). `events` rows are (kind, replica), at `event_s`."""
    replicas, total = states.shape[0], requests.shape[0]
    widest = int(min(figures[SEQUENCES_MAX], total)) + 1
    keys, who = np.empty((replicas, widest), np.int64), np.empty((replicas, widest), np.int64)
    finished = np.empty(total + 1, np.int64)
    arriving, coming, turn, served = 0, 0, 0, 0
    homeless, homeless_last = -1, -1  # requests that found no replica in the rotation
    while True:
        soonest, at = math.inf, -1
        for each in range(replicas):
            if clocks[each, UNTIL] < soonest:
                soonest, at = clocks[each, UNTIL], each
        next_arrival = moments[arriving, ARRIVAL] + figures[FIRST_S] if arriving < submitted else math.inf
        next_event = event_s[coming] if coming < event_s.size else math.inf
        if next_event < math.inf and next_event <= next_arrival and next_event <= soonest:
            kind, replica = events[coming, 0], events[coming, 1]
            coming += 1
            states[replica, ACCEPTS] = int(kind == UP)
            moved = np.empty(0, np.int64)
            if kind == UP:
                emptied_s[replica] = math.inf
                while homeless >= 0:
                    following = requests[homeless, NEXT]
                    _arrive(requests, states[replica], clocks[replica], homeless, replica, next_event, figures)
                    homeless = following
            elif kind == KILL:
                moved = _leave(requests, states[replica], clocks[replica], who[replica], next_event)
            if kind != UP and states[replica, OUTSTANDING] == 0:
                emptied_s[replica] = min(emptied_s[replica], next_event)
            for lost in moved:
                request = int(lost)
                requests[request, REDONE] += 1
                to = _choose(states, rule if rule != GIVEN else SHORTEST_QUEUE, turn, 0)
                if to >= 0:
                    _arrive(requests, states[to], clocks[to], request, to, next_event, figures)
                    turn = to + 1 if to + 1 < replicas else 0
                else:
                    homeless, homeless_last = _lodge(requests, homeless, homeless_last, request)
        elif next_arrival < math.inf and next_arrival <= soonest:
            to = _choose(states, rule, turn, requests[arriving, REPLICA])
            if to >= 0:
                _arrive(requests, states[to], clocks[to], arriving, to, next_arrival, figures)
                turn = to + 1 if to + 1 < replicas else 0
            else:
                homeless, homeless_last = _lodge(requests, homeless, homeless_last, arriving)
            arriving += 1
        elif at >= 0:
            state, clock = states[at], clocks[at]
            if state[STRETCH] > 0:
                count = _complete(requests, moments, state, clock, keys[at], who[at], finished)
                served += count
                for _ in range(min(count, total - submitted)):
                    moments[submitted, ARRIVAL] = clock[UNTIL]
                    submitted += 1
                if count > 0 and state[OUTSTANDING] == 0 and state[ACCEPTS] == 0:
                    emptied_s[at] = clock[UNTIL]
                more = moments[arriving, ARRIVAL] + figures[FIRST_S] if arriving < submitted else math.inf
                if min(more, next_event) <= clock[UNTIL]:
                    continue  # what comes at this very moment is seen before the next iteration is put together
            _plan(requests, state, clock, keys[at], who[at], tokens, times, figures)
        else:
            return served


@compiled
def _lodge(requests: Ints, first: int, last: int, request: int) -> tuple[int, int]:
    requests[request, NEXT] = -1
    if first < 0:
        return request, request
    requests[last, NEXT] = request
    return first, request


@compiled
def play_points(
    tokens: Floats, times: Floats, figures: Floats, clients: Ints, lengths: Ints, uniforms: Floats, results: Floats
) -> None:
    """Closed loop of one replica, point by point. `lengths` rows: requests, input low and high, output low and high;
    `uniforms` rows: where in their ranges the lengths of a request lie; `results` rows: see `simulate.ClosedLoop`."""
    for point in range(clients.size):
        total, many = lengths[point, 0], min(clients[point], lengths[point, 0])
        requests = np.zeros((total, REQUEST_INTS), np.int64)
        moments = np.full((total, REQUEST_FLOATS), np.nan)
        for each in range(total):
            for column in (INPUT, OUTPUT):
                low, high = lengths[point, 1 + 2 * column], lengths[point, 2 + 2 * column]
                requests[each, column] = high - int(uniforms[each, column] * (high - low + 1))
        moments[:many, ARRIVAL] = 0.0
        states, clocks = fresh_replicas(1)
        none_s, none, emptied_s = np.empty(0), np.empty((0, 2), np.int64), np.full(1, np.inf)
        if lengths[point, 2] + lengths[point, 4] > figures[point, CAPACITY]:
            results[point, :] = np.nan
            continue
        play(
            requests,
            moments,
            many,
            none_s,
            none,
            states,
            clocks,
            0,
            tokens[point],
            times[point],
            figures[point],
            emptied_s,
        )
        _summarise(requests, moments, many, results[point])
        results[point, 6] = states[0, PREEMPTED]


@compiled
def fresh_replicas(count: int) -> tuple[Ints, Floats]:
    """Idle replicas, all in the rotation."""
    states, clocks = np.zeros((count, REPLICA_INTS), np.int64), np.zeros((count, REPLICA_FLOATS))
    for column in (WAIT_HEAD, WAIT_TAIL, PREFILL_HEAD, PREFILL_TAIL):
        states[:, column] = -1
    states[:, ACCEPTS] = 1
    clocks[:, UNTIL] = np.inf
    return states, clocks


@compiled
def _summarise(requests: Ints, moments: Floats, clients: int, result: Floats) -> None:
    total = requests.shape[0]
    ttft_s = moments[:, FIRST] - moments[:, ARRIVAL]
    tpot_s, several, tokens = 0.0, 0, 0
    for each in range(total):
        tokens += requests[each, OUTPUT]
        if requests[each, OUTPUT] > 1:
            tpot_s += (moments[each, END] - moments[each, FIRST]) / (requests[each, OUTPUT] - 1)
            several += 1
    order = np.argsort(moments[:, END])
    last_s = moments[order[total - 1], END]
    result[0], result[1] = np.mean(ttft_s), np.median(ttft_s)
    result[2] = np.mean(ttft_s[clients:]) if total > clients else result[0]
    result[3] = tpot_s / several if several > 0 else np.nan
    result[4] = tokens / last_s
    # steady: from the end of the first request of each client (in number) to the moment when no more are sent
    since, to = clients - 1, total - clients - 1
    result[5] = result[4]
    if to > since and moments[order[to], END] > moments[order[since], END]:
        between = 0
        for each in range(since + 1, to + 1):
            between += requests[order[each], OUTPUT]
        result[5] = between / (moments[order[to], END] - moments[order[since], END])
