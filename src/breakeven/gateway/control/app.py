"""App: the admin API with metrics and health on its own port, and outcomes on a socket that only relays reach."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from breakeven import __version__
from breakeven.errors import BreakevenError, PolicyError
from breakeven.gateway.control.key_requests import Denied
from breakeven.gateway.control.outcome_request import BODY_MAX_BYTES, InvalidOutcome, read_outcome
from breakeven.gateway.control.pages import key_page, policy_page, settings_page, upstreams_page
from breakeven.gateway.control.policy_request import wanted_version
from breakeven.gateway.control.state import ControlState
from breakeven.gateway.plan import Key
from breakeven.gateway.telemetry.exposition import CONTENT_TYPE, exposition
from breakeven.gateway.telemetry.merged import Merged, merged, read_snapshots

KEY_ID_HEADER: Final = "x-breakeven-key-id"
"""Set by relays, never taken from clients: whose key an outcome came with."""
REQUEST_ID_HEADER: Final = "x-breakeven-request-id"
_RESULT_STATUS: Final = {"stored": 201, "repeated": 200, "replaced": 200, "conflict": 409}
Handler = Callable[[Request], Awaitable[Response]]


def admin_app(state: ControlState) -> Starlette:
    """What administrators and scrapers reach."""
    return Starlette(routes=_Admin(state).routes(), exception_handlers=_HANDLERS)


def outcomes_app(state: ControlState) -> Starlette:
    """What relays reach."""
    return Starlette(
        routes=[Route("/v1/outcomes", _Outcomes(state).post, methods=["POST"])], exception_handlers=_HANDLERS
    )


class _Outcomes:
    def __init__(self, state: ControlState) -> None:
        self._state = state
        self._one_at_a_time = asyncio.Lock()

    async def post(self, request: Request) -> Response:
        state = self._state
        body = await _body(request)
        if body is None:
            state.counters.count("outcomes_total", 1, "invalid")
            return _error(413, "body_too_large", f"an outcome has at most {BODY_MAX_BYTES:,} bytes")
        outcome = read_outcome(body)
        if isinstance(outcome, InvalidOutcome):
            state.counters.count("outcomes_total", 1, "invalid")
            return _error(400, "invalid_outcome", outcome.message, outcome.field)
        try:
            async with self._one_at_a_time:
                result = await run_in_threadpool(state.outcomes.give, outcome, request.headers.get(KEY_ID_HEADER))
        except OSError as error:
            state.counters.count("outcomes_total", 1, "failed")
            state.log.say("outcome_not_kept", "error", why=str(error.strerror))
            return _error(503, "outcomes_unavailable", "the outcome could not be kept; give it again in a while")
        state.counters.count("outcomes_total", 1, result)
        if result == "conflict":
            return _error(
                409,
                "outcome_conflict",
                f"'{outcome.source}' said something else of this request before; add \"replace\": true to change it",
            )
        if result != "repeated":
            state.counters.count("outcome_values_total", 1, outcome.source)
            state.counters.count("outcome_success_total", outcome.success_fraction, outcome.source)
        page = {"request_id": outcome.request_id, "source": outcome.source, "success": outcome.success_fraction}
        return JSONResponse(page | {"result": result}, _RESULT_STATUS[result])


class _Admin:
    def __init__(self, state: ControlState) -> None:
        self._state = state
        self._one_at_a_time = asyncio.Lock()

    def routes(self) -> list[Route]:
        guarded = (
            ("/admin/keys", self._list_keys, "GET"),
            ("/admin/keys", self._make_key, "POST"),
            ("/admin/keys/{key_id:path}/disable", self._disable_key, "POST"),
            ("/admin/keys/{key_id:path}/enable", self._enable_key, "POST"),
            ("/admin/keys/{key_id:path}", self._show_key, "GET"),
            ("/admin/keys/{key_id:path}", self._delete_key, "DELETE"),
            ("/admin/policy", self._show_policy, "GET"),
            ("/admin/policy/reload", self._reload_policy, "POST"),
            ("/admin/policy/rollback", self._step_back, "POST"),
            ("/admin/policy/rollback", self._end_step_back, "DELETE"),
            ("/admin/upstreams", self._show_upstreams, "GET"),
            ("/admin/settings", self._show_settings, "GET"),
        )
        open_to_all = (("/healthz", self._health), ("/readyz", self._ready), ("/metrics", self._metrics))
        routes = [Route(path, handler, methods=["GET"]) for path, handler in open_to_all]
        return routes + [Route(path, self._guarded(handler), methods=[method]) for path, handler, method in guarded]

    def _guarded(self, handler: Handler) -> Handler:
        """Asks for the token first."""

        async def asked(request: Request) -> Response:
            state = self._state
            if state.settings.admin_token_hash is None:
                return _error(
                    403,
                    "admin_disabled",
                    "no token of the admin API is configured; set admin_token_env in gateway.yaml to use it",
                )
            given = request.headers.get("authorization", "").encode("latin-1", "replace")
            token = given[7:].strip() if given[:7].lower() == b"bearer " else None
            if not state.is_admin(token):
                state.counters.count("events_total", 1, "admin_unauthorized")
                return _error(
                    401, "invalid_admin_token", "wanted Authorization: Bearer with the token of the admin API"
                )
            try:
                async with self._one_at_a_time:
                    return await handler(request)
            except OSError as error:
                state.log.say("admin_failed", "error", path=request.url.path, why=str(error.strerror))
                return _error(503, "state_unavailable", f"the state folder could not be used: {error.strerror}")
            except BreakevenError as error:
                return _error(409, "state_unusable", str(error))

        return asked

    async def _health(self, _request: Request) -> Response:
        return JSONResponse({"status": "ok", "version": __version__})

    async def _ready(self, _request: Request) -> Response:
        numbers = await self._numbers()
        count = int(sum(numbers.numbers.get("relay_up", {}).values()))
        wanted = self._state.settings.processes_count
        is_ready = count >= wanted and not self._state.is_draining
        status = "draining" if self._state.is_draining else "ready" if is_ready else "not_ready"
        return JSONResponse({"status": status, "relays": count, "wanted": wanted}, 200 if is_ready else 503)

    async def _metrics(self, _request: Request) -> Response:
        numbers = await self._numbers()
        return Response(await run_in_threadpool(exposition, numbers, __version__), media_type=CONTENT_TYPE)

    async def _numbers(self) -> Merged:
        state = self._state

        def read() -> Merged:
            snapshots = read_snapshots(state.settings.state_folder)
            snapshots["control"] = json.loads(state.counters.snapshot())
            return merged(snapshots, time.time())

        return await run_in_threadpool(read)

    async def _list_keys(self, _request: Request) -> Response:
        keys = await run_in_threadpool(self._state.keys.all_keys)
        return JSONResponse({"keys": [await self._key_page(each) for each in keys]})

    async def _make_key(self, request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return _error(413, "body_too_large", f"at most {BODY_MAX_BYTES:,} bytes")
        made = await run_in_threadpool(self._state.keys.make, body)
        if isinstance(made, Denied):
            return _error(made.http_status, made.code, made.message)
        self._state.log.say("key_made", key=made.key.id)
        page = await self._key_page(made.key)
        return JSONResponse(page | {"secret": made.secret, "note": "the secret is shown once"}, 201, _NOT_STORED)

    async def _show_key(self, request: Request) -> Response:
        key_id = request.path_params["key_id"]
        keys = await run_in_threadpool(self._state.keys.all_keys)
        found = [each for each in keys if each.id == key_id]
        if not found:
            return _error(404, "unknown_key", "no such key; GET /admin/keys lists them")
        return JSONResponse(await self._key_page(found[0]))

    async def _disable_key(self, request: Request) -> Response:
        return await self._set_disabled(request, True)

    async def _enable_key(self, request: Request) -> Response:
        return await self._set_disabled(request, False)

    async def _set_disabled(self, request: Request, is_disabled: bool) -> Response:
        found = await run_in_threadpool(self._state.keys.set_disabled, request.path_params["key_id"], is_disabled)
        if isinstance(found, Denied):
            return _error(found.http_status, found.code, found.message)
        self._state.log.say("key_disabled" if is_disabled else "key_enabled", key=found.id)
        return JSONResponse(await self._key_page(found))

    async def _delete_key(self, request: Request) -> Response:
        key_id = request.path_params["key_id"]
        denied = await run_in_threadpool(self._state.keys.delete, key_id)
        if denied is not None:
            return _error(denied.http_status, denied.code, denied.message)
        self._state.log.say("key_deleted", key=key_id)
        return Response(status_code=204)

    async def _key_page(self, key: Key) -> dict[str, Any]:
        spend = await self._state.spend(key) if key.budget_usd is not None else None
        return key_page(key, spend, any(each.id == key.id for each in self._state.keys.configured))

    async def _show_policy(self, _request: Request) -> Response:
        state = self._state
        try:
            chosen = await run_in_threadpool(state.chosen_policy)
        except PolicyError as error:
            return _error(503, "no_policy", str(error))
        since_unix_s = await run_in_threadpool(state.policy_since_unix_s, chosen)
        return JSONResponse(policy_page(chosen, state.shelf, await self._numbers(), since_unix_s))

    async def _reload_policy(self, request: Request) -> Response:
        await run_in_threadpool(self._state.reload_policy)
        return await self._show_policy(request)

    async def _step_back(self, request: Request) -> Response:
        wanted = wanted_version(await _body(request) or b"")
        if isinstance(wanted, Denied):
            return _error(wanted.http_status, wanted.code, wanted.message)
        done = await run_in_threadpool(self._state.step_back, wanted.hash)
        if done.is_unknown:
            return _error(404, "unknown_policy", done.why_not)
        if done.pin is None:
            return _error(409, "no_step_back", done.why_not)
        return await self._show_policy(request)

    async def _end_step_back(self, request: Request) -> Response:
        await run_in_threadpool(self._state.shelf.set_pin, None)
        return await self._show_policy(request)

    async def _show_upstreams(self, _request: Request) -> Response:
        return JSONResponse(upstreams_page(self._state.settings, await self._numbers()))

    async def _show_settings(self, _request: Request) -> Response:
        return JSONResponse(settings_page(self._state.settings))


_NOT_STORED: Final = {"cache-control": "no-store"}


async def _body(request: Request) -> bytes | None:
    """The body; None where it is too large."""
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > BODY_MAX_BYTES:
            return None
        pieces.append(piece)
    return b"".join(pieces)


def _error(http_status: int, code: str, message: str, parameter: str | None = None) -> Response:
    """In OpenAI's shape, as all answers of the gateway's own."""
    kind = "invalid_request_error" if http_status < 500 else "api_error"
    return JSONResponse({"error": {"message": message, "type": kind, "param": parameter, "code": code}}, http_status)


async def _no_page(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    known = {404: ("not_found", "no such page"), 405: ("method_not_allowed", "this page takes another method")}
    code, message = known.get(status, ("internal_error", "something went wrong; see the log"))
    return _error(status, code, message)


async def _gone(_request: Request, _error: Exception) -> Response:
    return Response(status_code=499)


_HANDLERS: Final[dict[Any, Any]] = {HTTPException: _no_page, ClientDisconnect: _gone, 500: _no_page}
