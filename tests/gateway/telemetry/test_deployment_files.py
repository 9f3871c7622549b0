"""What is deployed: every query asks for metrics and labels that exist, probes ask for pages that exist, times fit."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from breakeven.gateway.config.reading import settings_of
from breakeven.gateway.config.settings import GatewaySettings
from breakeven.gateway.telemetry.metric_table import METRICS, PREFIX, Metric, exposed_names

DEPLOY = Path(__file__).parents[3] / "deploy"
NAMES: dict[str, Metric] = {name: metric for metric in METRICS for name in exposed_names(metric)}
FROM_PROMETHEUS = {"instance", "le"}
ENVIRONMENT = {
    "OPENAI_API_KEY": "sk-test-0123456789abcdef",
    "BREAKEVEN_ADMIN_TOKEN": "admin-token-0123456789abcdef",
    "BREAKEVEN_REDIS_URL": "redis://:password@localhost:6379/0",
    "TEAM_A_KEY": "bk-team-a-0123456789abcdef",
}


def expressions() -> Iterator[str]:
    dashboard = json.loads((DEPLOY / "grafana-dashboard.json").read_text())
    for panel in dashboard["panels"]:
        yield from (each["expr"] for each in panel.get("targets", []))
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["query"]["query"]
    for rule in yaml.safe_load((DEPLOY / "prometheus-rules.yaml").read_text())["spec"]["groups"][0]["rules"]:
        yield rule["expr"]


EXPRESSIONS = sorted(set(expressions()))


def documents(name: str) -> list[Any]:
    return list(yaml.safe_load_all((DEPLOY / name).read_text()))


def of_kind(kind: str, name: str = "breakeven-gateway") -> Any:
    found = [each for each in documents("kubernetes.yaml") if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    assert len(found) == 1
    return found[0]


@pytest.fixture(scope="module")
def settings() -> GatewaySettings:
    return settings_of((DEPLOY / "gateway.yaml").read_text(), "deploy/gateway.yaml", DEPLOY, ENVIRONMENT)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_query_asks_for_what_exists(expression: str) -> None:
    asked = re.findall(rf"\b{PREFIX}\w+", expression)
    assert asked and set(asked) <= set(NAMES)
    labels = {label for name in asked for label in NAMES[name].labels} | FROM_PROMETHEUS
    matched = [each for block in re.findall(r"\{([^}]*)\}", expression) for each in re.findall(r"(\w+)\s*[=!]", block)]
    grouped = [each.strip() for block in re.findall(r"by \(([^)]*)\)", expression) for each in block.split(",")]
    assert {*matched, *grouped} <= labels


def test_every_metric_is_on_the_dashboard() -> None:
    shown = set(re.findall(rf"\b{PREFIX}\w+", (DEPLOY / "grafana-dashboard.json").read_text()))
    assert {metric.name for metric in METRICS if not shown & set(exposed_names(metric))} == set()


def test_legends_name_labels_that_the_query_keeps() -> None:
    for panel in json.loads((DEPLOY / "grafana-dashboard.json").read_text())["panels"]:
        for target in panel.get("targets", []):
            metrics = re.findall(rf"\b{PREFIX}\w+", target["expr"])
            grouped = {
                each.strip() for block in re.findall(r"by \(([^)]*)\)", target["expr"]) for each in block.split(",")
            }
            kept = grouped or {"instance", *(label for name in metrics for label in NAMES[name].labels)}
            assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= kept, target


def test_panels_do_not_lie_on_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads((DEPLOY / "grafana-dashboard.json").read_text())["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + i, at["y"] + j) for i in range(at["w"]) for j in range(at["h"])}
        assert not cells & taken and max(x for x, _ in cells) < 24, panel["title"]
        taken |= cells


def test_the_configuration_is_good_and_probes_fit_it(settings: GatewaySettings) -> None:
    (container,) = of_kind("StatefulSet")["spec"]["template"]["spec"]["containers"]
    ports = {each["name"]: each["containerPort"] for each in container["ports"]}
    assert ports == {"http": settings.listen_port, "admin": settings.admin_port}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
    assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "admin"}
    named = {each["name"] for each in container["env"]}
    assert set(ENVIRONMENT) <= named
    mounts = {each["mountPath"] for each in container["volumeMounts"]}
    assert str(settings.state_folder) in mounts


def test_a_pod_has_time_to_drain(settings: GatewaySettings) -> None:
    pod = of_kind("StatefulSet")["spec"]["template"]["spec"]
    sleep_s = float(pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod["terminationGracePeriodSeconds"] >= sleep_s + settings.timeouts.drain_s + 15


def test_replicas_share_their_limits(settings: GatewaySettings) -> None:
    assert of_kind("StatefulSet")["spec"]["replicas"] > 1
    assert settings.redis_url is not None
    assert of_kind("Service", "breakeven-redis")["spec"]["ports"][0]["port"] == 6379


def test_the_admin_port_is_not_for_clients() -> None:
    (port,) = of_kind("Service")["spec"]["ports"]
    assert port["targetPort"] == "http"
    rules = of_kind("NetworkPolicy")["spec"]["ingress"]
    assert [rule for rule in rules if "from" not in rule] == [{"ports": [{"port": "http"}]}]


def test_selectors_find_the_pods() -> None:
    labels = of_kind("StatefulSet")["spec"]["template"]["metadata"]["labels"]
    for each in ("breakeven-gateway", "breakeven-gateway-replicas"):
        assert of_kind("Service", each)["spec"]["selector"].items() <= labels.items()
    admin = of_kind("Service", "breakeven-gateway-replicas")
    monitor = of_kind("ServiceMonitor")["spec"]
    assert monitor["selector"]["matchLabels"].items() <= admin["metadata"]["labels"].items()
    assert not monitor["selector"]["matchLabels"].items() <= of_kind("Service")["metadata"]["labels"].items()


def test_containers_may_do_little() -> None:
    for kind, name in (("StatefulSet", "breakeven-gateway"), ("Deployment", "breakeven-redis")):
        pod = of_kind(kind, name)["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] and not pod["automountServiceAccountToken"]
        for container in pod["containers"]:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] and not context["allowPrivilegeEscalation"]
            assert context["capabilities"] == {"drop": ["ALL"]}


def test_the_image_runs_the_verb_as_nobody(settings: GatewaySettings) -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    assert 'ENTRYPOINT ["breakeven", "serve"]' in text
    assert re.findall(r"^USER (\d+)$", text, re.M) == ["10001"]
    assert f"EXPOSE {settings.listen_port} {settings.admin_port}" in text
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.M)
    for each in " ".join(copied).split():
        assert (DEPLOY.parent / each).exists(), each
