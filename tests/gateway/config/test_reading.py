"""Reading a gateway's configuration: what is served, and that whatever is wrong is named with its line."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields
from pathlib import Path

import pytest

from breakeven.errors import ConfigError
from breakeven.gateway.config.reading import read_settings, record_only, settings_of
from breakeven.gateway.config.schema import GatewayFile
from breakeven.routing.policy_document import PolicyDocument, PricedModel
from breakeven.routing.policy_file import save

WHOLE = """\
listen: 127.0.0.1:0
admin: "[::1]:4001"
admin_token_env: ADMIN
processes: 2
upstreams:
  openai: {vendor: openai, api_key_env: OPENAI}
  claude: {vendor: anthropic, api_key_env: CLAUDE}
  own: {base_url: "http://10.0.0.5:8000/v1", headers: {X-Team: search}}
models:
  small:
    upstream: own
    model: qwen3-8b
    price: {usd_per_month: 2100, tokens_per_month: 2.1e9, as_of: 2026-11-20}
  strong:
    - {upstream: openai, model: gpt-5.2, price: {input_usd_per_mtok: 1.75, output_usd_per_mtok: 14}}
    - {upstream: claude}
default_model: strong
fallbacks: {small: strong}
keys:
  - {id: team-a, env: TEAM_A, models: small, budget_usd: 100, budget_days: 7, requests_per_minute: 60}
  - {id: team-b, sha256: '0000000000000000000000000000000000000000000000000000000000000001', expires: 2026-12-31}
residency:
  - {when: {header: {X-Data-Class: restricted}}, upstreams: own}
  - {when: {pattern: '[0-9]{3}-[0-9]{2}-[0-9]{4}'}, upstreams: [own], name: ssn}
tasks:
  - {when: {path: /v1/embeddings}, task: search}
arms: {experiment: pilot-1, unit: "header:x-user", shares: {control: 0.9, candidate: 0.1}, models: {candidate: small}}
shadows: [{model: small, share_fraction: 0.05}]
timeouts: {first_byte_s: 20}
durability: request
cascade_streams: buffered
"""
SECRETS = {"ADMIN": "admin-secret", "OPENAI": "sk-openai", "CLAUDE": "sk-claude", "TEAM_A": "be-team-a"}


def whole(old: str = "", new: str = "") -> str:
    assert old in WHOLE
    return WHOLE.replace(old, new, 1)


def test_a_whole_file_becomes_settings(tmp_path: Path) -> None:
    found = settings_of(WHOLE, "gateway.yaml", tmp_path, SECRETS)
    assert (found.listen_host, found.listen_port, found.admin_host, found.admin_port) == ("127.0.0.1", 0, "::1", 4001)
    assert found.upstreams["openai"].auth_headers == ((b"authorization", b"Bearer sk-openai"),)
    assert (found.durability, found.cascade_streams) == ("request", "buffered")
    assert found.upstreams["openai"].is_tls and found.upstreams["openai"].port == 443
    assert found.upstreams["claude"].dialect == "anthropic"
    assert dict(found.upstreams["claude"].auth_headers)[b"x-api-key"] == b"sk-claude"
    own = found.upstreams["own"]
    assert (own.host, own.port, own.is_tls, own.path_prefix) == ("10.0.0.5", 8000, False, b"/v1")
    assert own.auth_headers == ((b"x-team", b"search"),)
    assert [each.model for each in found.models["strong"]] == ["gpt-5.2", "strong"]
    assert found.models["strong"][1].price is None
    team = found.keys[0]
    assert team.key_hash == hashlib.sha256(b"be-team-a").digest()
    assert (team.allowed_models, team.budget_usd, team.budget_period_s) == (("small",), 100.0, 7 * 86_400.0)
    assert found.keys[1].expires_unix_s == 1798761600.0  # 2027-01-01T00:00Z: the named day still counts
    assert found.residency[0].when.header == (b"x-data-class", "restricted")
    assert found.admin_token_hash == hashlib.sha256(b"admin-secret").digest()
    assert found.timeouts.first_byte_s == 20 and found.timeouts.connect_s == 5
    assert found.state_folder == tmp_path / "gateway-state"


def test_a_server_of_ones_own_carries_its_whole_bill(tmp_path: Path) -> None:
    price = settings_of(WHOLE, "gateway.yaml", tmp_path, SECRETS).models["small"][0].price
    assert price is not None and price.source == "amortised" and price.as_of == "2026-11-20"
    assert price.input_usd_per_mtok == price.output_usd_per_mtok == pytest.approx(1.0)  # 2,100 USD / 2,100 Mtok


def test_a_saved_comparison_prices_a_server(tmp_path: Path) -> None:
    document = {
        "options": [{"name": "rented_gpus", "usd_per_month": {"p50": 900.0}}],
        "workload": {"tokens_per_month": 3e8},
        "footer": {"as_of": "2026-11-26"},
    }
    (tmp_path / "report.json").write_text(json.dumps(document))
    asked = "price: {comparison: report.json, option: rented_gpus}"
    price_line = "price: {usd_per_month: 2100, tokens_per_month: 2.1e9, as_of: 2026-11-20}"
    price = settings_of(whole(price_line, asked), "g.yaml", tmp_path, SECRETS).models["small"][0].price
    assert price is not None and (price.source, price.as_of) == ("amortised", "2026-11-26")
    assert price.output_usd_per_mtok == pytest.approx(3.0)
    with pytest.raises(ConfigError, match=r"g\.yaml:13: .*has no option 'owned'; it has rented_gpus"):
        settings_of(whole(price_line, asked.replace("rented_gpus", "owned")), "g.yaml", tmp_path, SECRETS)


def test_models_without_a_price_take_the_policys_dated_one(tmp_path: Path) -> None:
    models = (PricedModel("small", 0.1, 0.4, None, "2026-11-01"), PricedModel("strong", 2.0, 8.0, None, "2026-11-01"))
    save(PolicyDocument("single", models, "strong"), tmp_path / "policy")
    found = settings_of(WHOLE + "policy: policy\n", "g.yaml", tmp_path, SECRETS)
    price = found.models["strong"][1].price
    assert price is not None and (price.input_usd_per_mtok, price.as_of) == (2.0, "2026-11-01")
    first = found.models["strong"][0].price
    assert first is not None and first.input_usd_per_mtok == 1.75  # what the file says goes first


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("processes: 2", "proceses: 2", r"g\.yaml:4: proceses: unknown key; did you mean 'processes'\?"),
        ("processes: 2", "processes: 0", r"g\.yaml:4: processes: saw '0'; .*greater than or equal to 1"),
        ("listen: 127.0.0.1:0", "listen: '4000'", r"g\.yaml:1: listen: saw '4000'; wanted HOST:PORT"),
        ("{vendor: openai, api", "{vendor: opanai, api", r"g\.yaml:6: .*no vendor is named 'opanai'; did you mean"),
        ("api_key_env: OPENAI", "api_key_env: GONE", r"g\.yaml:6: .*variable GONE is not set"),
        ("api_key_env: OPENAI", "api_key: sk-1", r"g\.yaml:6: .*api_key: unknown key; .*api_key_env"),
        ("http://10.0.0.5:8000/v1", "ftp://x", r"g\.yaml:8: .*saw the base URL 'ftp://x'"),
        ("http://10.0.0.5:8000/v1", "http://u:p@x/v1", r"holds no user or password"),
        ("X-Team: search", 'X-Team: "a\\r\\nb"', r"header X-Team holds characters"),
        ("X-Team: search", "Host: search", r"header 'Host' cannot be set"),
        ("upstream: own\n", "upstream: owm\n", r"g\.yaml:11: .*no upstream is named 'owm'; did you mean 'own'\?"),
        ("tokens_per_month: 2.1e9, ", "", r"g\.yaml:13: .*wanted both of usd_per_month and tokens_per_month"),
        ("usd_per_month: 2100", "usd_per_month: -1", r"g\.yaml:13: .*greater than or equal to 0"),
        ("usd_per_month: 2100", "usd_per_month: .nan", r"g\.yaml:13: "),
        ("http://10.0.0.5:8000/v1", "http://x/v1/chat/completions", r"ends before /chat/completions"),
        ("vendor: anthropic,", "vendr: anthropic,", r"g\.yaml:7: .*unknown key; did you mean 'vendor'"),
        ("processes: 2", "tasks_file: none.json", r"g\.yaml:4: tasks_file: .*none\.json"),
        ("{small: strong}", "{small: small}", r"g\.yaml:18: .*cannot take its own place"),
        ("default_model: strong", "default_model: stron", r"g\.yaml:17: .*did you mean 'strong'\?"),
        ("{small: strong}", "{small: strng}", r"g\.yaml:18: .*no model is named 'strng'"),
        ("models: small, budget", "models: smal, budget", r"g\.yaml:20: .*no model is named 'smal'"),
        ("env: TEAM_A", "sha256: abc", r"g\.yaml:20: keys.0.sha256"),
        ("id: team-b", "id: team-a", r"g\.yaml:21: .*named 'team-a' stands above"),
        ("upstreams: own}", "upstreams: away}", r"g\.yaml:23: .*no upstream is named 'away'"),
        ("'[0-9]{3}-[0-9]{2}-[0-9]{4}'", r"'(a)\1'", r"g\.yaml:24: residency.1.when.pattern: "),
        ("{path: /v1/embeddings}", "{}", r"g\.yaml:26: .*wanted at least one of task"),
        ("candidate: 0.1}", "candidate: 0.2}", r"g\.yaml:27: .*shares sum to 1.1; wanted 1"),
        ("durability: request", "durability: never", r"g\.yaml:30: durability: saw 'never'"),
        ("processes: 2", "processes: 2\nprocesses: 3", r"g\.yaml:5.*'processes' is there twice"),
        ("processes: 2", "processes: [", r"g\.yaml:\d+: not readable as YAML"),
        ("processes: 2", "policy: nowhere", r"g\.yaml:4: policy: .*nowhere.* cannot be read"),
        ("processes: 2", "tls: {certificate: a.pem, key: b.pem}", r"g\.yaml:4: tls.certificate: .*a\.pem is not there"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as raised:
        settings_of(whole(old, new), "g.yaml", tmp_path, SECRETS)
    assert not [secret for secret in SECRETS.values() if secret in str(raised.value)]


def test_a_policy_may_not_choose_a_model_that_nobody_serves(tmp_path: Path) -> None:
    save(PolicyDocument("single", (PricedModel("other"),), "other"), tmp_path / "policy")
    with pytest.raises(ConfigError, match=r"policy: the policy may choose 'other', which `models:` does not list"):
        settings_of(WHOLE + "policy: policy\n", "g.yaml", tmp_path, SECRETS)


def test_a_gateway_that_nobody_may_ask_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"g\.yaml:1: nobody may ask"):
        settings_of("upstreams: {a: {vendor: ollama}}\npassthrough: a\n", "g.yaml", tmp_path, {})
    assert settings_of("upstreams: {a: {vendor: ollama}}\npassthrough: a\nopen: true\n", "g.yaml", tmp_path, {}).is_open


def test_a_missing_file_and_an_empty_one_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="serve --upstream URL"):
        read_settings(tmp_path / "none.yaml", {})
    (tmp_path / "empty.yaml").write_text("")
    with pytest.raises(ConfigError, match="wanted at least `upstreams:`"):
        read_settings(tmp_path / "empty.yaml", {})


def test_a_rule_by_key_must_be_able_to_hold(tmp_path: Path) -> None:
    base = "upstreams: {a: {vendor: ollama}}\npassthrough: a\nresidency: [{when: {key: hr}, upstreams: a}]\n"
    with pytest.raises(ConfigError, match=r"g\.yaml:3: residency.0.when.key: no key is asked .* never hold"):
        settings_of(base + "open: true\n", "g.yaml", tmp_path, {})
    with pytest.raises(ConfigError, match=r"no key is named 'hr'"):
        settings_of(base + "keys: [{id: it, env: K}]\n", "g.yaml", tmp_path, {"K": "k"})
    assert settings_of(base + "keys: [{id: hr, env: K}]\n", "g.yaml", tmp_path, {"K": "k"}).residency
    assert settings_of(base + "admin_token_env: K\n", "g.yaml", tmp_path, {"K": "k"}).residency  # made later


def test_a_clients_own_key_goes_to_one_server_only(tmp_path: Path) -> None:
    two = "upstreams: {a: {base_url: 'http://a/v1'}, b: {base_url: 'http://b/v1'%s}}\npassthrough: a\nopen: true\n"
    with pytest.raises(ConfigError, match=r"g\.yaml:3: open: .* several servers \(a, b\)"):
        settings_of(two % "", "g.yaml", tmp_path, {})
    assert settings_of(two % ", api_key_env: K", "g.yaml", tmp_path, {"K": "k"}).is_open


def test_recording_only_needs_one_url(tmp_path: Path) -> None:
    found = record_only("http://localhost:11434/v1", state=tmp_path)
    assert found.is_open and found.passthrough in found.upstreams and not found.models
    with pytest.raises(ConfigError, match="wanted http://HOST"):
        record_only("localhost:11434")


def test_no_secret_is_in_what_settings_print(tmp_path: Path) -> None:
    printed = repr(settings_of(WHOLE, "g.yaml", tmp_path, SECRETS))
    assert not [secret for secret in SECRETS.values() if secret in printed]


def test_every_key_of_a_file_reaches_the_settings() -> None:
    """A key that is read and not used would be a promise not kept: each has a place that names it in `reading`."""
    import inspect

    from breakeven.gateway.config import reading

    text = inspect.getsource(reading)
    assert [name for name in GatewayFile.model_fields if f"file.{name}" not in text] == []
    assert len(fields(reading.GatewaySettings)) >= len(GatewayFile.model_fields) - 3
