"""The mock server is an OpenAI-compatible one: the official client is content with it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from breakeven.bench.self_test import mock_process, self_test


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with mock_process("--ttft-ms", "1", "--tpot-ms", "1") as found:
        yield found


def test_the_official_client(port: int) -> None:
    openai = pytest.importorskip("openai")
    with openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="none", max_retries=0) as client:
        assert [each.id for each in client.models.list()] == ["mock"]
        said = [{"role": "user", "content": "one two three"}]
        whole = client.chat.completions.create(model="mock", messages=said, max_tokens=5)
        assert whole.choices[0].message.content == " word" * 5
        assert (whole.usage.prompt_tokens, whole.usage.completion_tokens) == (3 + 7, 5)
        stream = client.chat.completions.create(
            model="mock", messages=said, max_tokens=5, stream=True, stream_options={"include_usage": True}
        )
        chunks = list(stream)
        assert "".join(each.choices[0].delta.content or "" for each in chunks if each.choices) == " word" * 5
        assert [each.usage.completion_tokens for each in chunks if each.usage] == [5]
        assert [each.choices[0].finish_reason for each in chunks if each.choices][-1] == "length"
        text = client.completions.create(model="mock", prompt="one two", max_tokens=4, stream=True)
        assert "".join(each.choices[0].text for each in text if each.choices) == " word" * 4
        with pytest.raises(openai.BadRequestError):
            client.chat.completions.create(model="mock", messages=said, max_tokens=-1)
        with pytest.raises(openai.NotFoundError):
            client.embeddings.create(model="mock", input="x")


def test_the_self_test_counts_and_measures() -> None:
    said: list[str] = []
    found = self_test(said.append, users_count=4, scale_count=1)
    assert found.failures_count == 0
    assert found.requests_count == 25 + 8 + 4 + 8
    assert found.request_cpu_ms > 0
    assert found.event_cpu_ms > 0
    assert found.first_token_ms.values_count == 25
    assert 0 < found.event_lag_ms.p50_ms < 1000
    assert found.driven_req_per_s > 0
    assert found.driven_tok_per_s > 0
    assert len(said) == 3
