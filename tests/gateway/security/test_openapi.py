"""The OpenAPI document: printed as it is built, and attacked by schemathesis; every answer is one that it announces."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from breakeven.gateway import openapi
from breakeven.gateway.wire.request_facts import OPERATIONS
from gateway.parts.fault_scripts import Repertoire
from gateway.parts.running import run, running_gateway
from gateway.parts.scripted_upstream import scripted_upstream
from gateway.parts.settings_for_tests import SECRET, models_at, settings_for, upstream_at

PAGE = Path(__file__).parents[3] / "docs" / "reference" / openapi.FILE_NAME
EXAMPLES = 8
"""Of each operation."""


def test_the_page_is_what_the_code_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == openapi.page(), f"print it again: {openapi.COMMAND}"


def test_every_operation_is_described() -> None:
    described = {path for path in openapi.document()["paths"] if "post" in openapi.document()["paths"][path]}
    assert described == {path.decode() for path in OPERATIONS if path.startswith(b"/v1/")}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_schemathesis(tmp_path: Path) -> None:
    pytest.importorskip("schemathesis", reason="no attacker: schemathesis is not installed")

    async def test() -> None:
        async with scripted_upstream(Repertoire()) as upstream:
            main = upstream_at(upstream.port)
            models = models_at(main, "good", "status:429", "status:500", "invalid_json")
            async with running_gateway(settings_for(tmp_path, [main], models, default_model="good")) as gateway:
                wrong = await asyncio.to_thread(attack, gateway.url)
                assert not wrong, wrong[:5]
                await gateway.settled()
                assert not upstream.oddities
                assert len(gateway.calls) == len(upstream.asked)

    run(test())


def attack(url: str) -> list[str]:
    """Answers that the document does not announce."""
    import requests
    import schemathesis
    from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

    schema: Any = schemathesis.openapi.from_dict(openapi.document())
    schema.config.update(base_url=url)
    wrong: list[str] = []
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path == "/v1/outcomes":
            continue  # the control process answers it: tests/gateway/control

        @given(case=operation.as_strategy())
        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def ask(case: Any) -> None:
            if isinstance(case.body, dict) and len(str(case.body)) % 2:
                case.body["model"] = ["good", "status:429", "status:500", "invalid_json"][len(str(case.body)) % 4]
            try:
                answer = case.call(headers={"Authorization": f"Bearer {SECRET}"})
            except requests.exceptions.ChunkedEncodingError:
                assert case.body.get("stream") is True  # a stream of `invalid_json` ends without its end
                return
            is_ours = answer.status_code == 500 or (answer.status_code > 500 and "rror" not in answer.text)
            try:
                case.validate_response(answer, checks=[status_code_conformance, response_schema_conformance])
            except BaseExceptionGroup as error:
                wrong.append(f"{case.method} {case.path} {answer.status_code}: {error.exceptions}")
            except Exception as error:
                wrong.append(f"{case.method} {case.path} {answer.status_code}: {error}")
            if is_ours:
                wrong.append(f"{case.method} {case.path} {answer.status_code}: {answer.text}")

        ask()
    return wrong
