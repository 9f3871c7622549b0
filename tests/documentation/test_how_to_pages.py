"""How-to pages: the code on them runs: an option as an entry point, a format, contract prices, a warehouse's table."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from breakeven.usage.store import CallStore
from breakeven.usage.synthetic_company import write_company_log
from one_process import run_here

ROOT = Path(__file__).parents[2]
HOW_TO = ROOT / "docs" / "how-to"
NEW = (
    "add-a-log-format",
    "add-an-option",
    "from-a-warehouse",
    "run-on-kubernetes",
    "use-contract-prices",
    "with-litellm",
)
AS_OF = ("--as-of", "2026-11-24")


def block(page: str, language: str, at: int = 0) -> str:
    text = (HOW_TO / f"{page}.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)[at]


def module_of(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A small made-up log."""
    from dataclasses import replace

    from breakeven.cli.stories.story import story_named

    company = replace(story_named("support").company, calls_count=400)
    write_company_log(tmp_path / "calls.jsonl", company)
    return tmp_path / "calls.jsonl"


@pytest.mark.parametrize("page", NEW)
def test_a_page_says_why_and_is_in_the_navigation(page: str) -> None:
    text = (HOW_TO / f"{page}.md").read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert f"how-to/{page}.md" in (ROOT / "mkdocs.yml").read_text(encoding="utf-8")


def test_the_option_is_costed_as_an_entry_point_of_another_package(tmp_path: Path, log: Path) -> None:
    """As pip installs it: a module, and metadata beside it that name the entry point; a process of its own."""
    site = tmp_path / "site"
    (site / "acme_options-0.1.dist-info").mkdir(parents=True)
    (site / "acme_options.py").write_text(block("add-an-option", "python"), encoding="utf-8")
    points = re.findall(r'entry-points\."(.*?)"\]\n(.*)', block("add-an-option", "toml"))
    group, entry = points[0]
    metadata = site / "acme_options-0.1.dist-info"
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-options\nVersion: 0.1\n", encoding="utf-8")
    (metadata / "entry_points.txt").write_text(f"[{group}]\n{entry.replace(chr(34), '')}\n", encoding="utf-8")
    (tmp_path / "few.yaml").write_text("as_of: 2026-11-24\ndraws_log2: 7\n", encoding="utf-8")
    words = ("compare", "--usage", str(log), "--scenario", "few.yaml", "--options", "frontier_api,brokered,acme_flat")
    done = subprocess.run(
        [sys.executable, "-m", "breakeven.cli.main", *words, "--json"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(site), "PATH": "", "BREAKEVEN_CATALOGUE": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    options = {each["name"]: each for each in json.loads(done.stdout)["options"]}
    assert set(options) == {"frontier_api", "brokered", "acme_flat"}
    fee = next(each for each in options["acme_flat"]["lines"] if each["name"] == "flat_fee")
    assert 5_500 < fee["usd_per_month"]["p50"] < 6_500
    assert options["acme_flat"]["buys"] == "gpt-oss-120b at Acme"
    assert "Offer of Acme, no. 4711" in done.stdout


def test_the_option_brings_an_example_that_holds(tmp_path: Path) -> None:
    import doctest

    (tmp_path / "acme_options.py").write_text(block("add-an-option", "python"), encoding="utf-8")
    result = doctest.testmod(module_of(tmp_path / "acme_options.py"))
    assert (result.attempted, result.failed) == (1, 0)


def test_the_format_reads_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from breakeven.usage import importers as folder

    (tmp_path / "acme_gateway.py").write_text(block("add-a-log-format", "python"), encoding="utf-8")
    importer = module_of(tmp_path / "acme_gateway.py").IMPORTER
    known = {**folder.importers(), importer.name: importer}
    folder_calls = folder.importers
    monkeypatch.setattr(folder, "importers", lambda: known)
    for name, module in list(sys.modules.items()):
        if name.startswith("breakeven.usage") and getattr(module, "importers", None) is folder_calls:
            monkeypatch.setattr(module, "importers", lambda: known)
    (tmp_path / "acme.jsonl").write_text(block("add-a-log-format", "json"), encoding="utf-8")
    done = run_here(("import", "acme.jsonl"), cwd=tmp_path)
    assert done.stdout.startswith("1 row in (acme_gateway) = 1 call"), done.stdout + done.stderr
    with CallStore(tmp_path / ".breakeven") as store:
        (call,) = store.calls().to_pyarrow().to_pylist()
    assert (call["input_tokens"], call["cache_read_tokens"], call["output_tokens"]) == (1_000, 800, 50)
    assert (call["task"], call["provider"]) == ("faq", "anthropic")


def test_contract_prices_are_those_that_are_paid(tmp_path: Path, log: Path) -> None:
    (tmp_path / "scenario.yaml").write_text(block("use-contract-prices", "yaml"), encoding="utf-8")
    rows = [json.loads(each) for each in log.read_text(encoding="utf-8").splitlines()]
    paid = sum(
        (each["input_tokens"] - each["cache_read_tokens"]) * 1.0
        + each["cache_read_tokens"] * 0.1
        + each["output_tokens"] * 8.0
        for each in rows
    )
    weight = 1 / rows[0]["sampling_rate"]
    words = ("profile", "--usage", log.name, "--scenario", "scenario.yaml", *AS_OF, "--json")
    found = json.loads(run_here(words, cwd=tmp_path).stdout)
    assert found["spend_usd"] == pytest.approx(paid * weight / 1e6, rel=1e-6)


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_warehouse_table_with_these_columns_is_read(at: int, tmp_path: Path) -> None:
    """Whatever server wrote it: the names that the page's query gives, with ordinary types."""
    query = block("from-a-warehouse", "sql", at)
    listed = re.search(r"SELECT (.*?)\s+FROM", query, re.DOTALL)
    assert listed is not None
    names = [each.split(" AS ")[-1].strip() for each in listed[1].split(",")]
    values = {
        "record_id": ["a", "b"],
        "start_time": pa.array([1_790_000_000_000_000, 1_790_000_060_000_000], pa.timestamp("us", "UTC")),
        "provider": ["openai"] * 2,
        "request_model": ["gpt-5"] * 2,
        "prompt_tokens": [1_000, 2_000],
        "cached_tokens": [800, 0],
        "completion_tokens": [50, 60],
        "duration_ms": [900.0, 1_200.0],
        "status": ["ok", "error"],
        "task": ["faq", "faq"],
    }
    assert set(names) == set(values)
    (tmp_path / "calls").mkdir()
    pq.write_table(pa.table({name: values[name] for name in names}), tmp_path / "calls" / "part-0.parquet")
    for words in re.findall(r"^breakeven (.*)$", block("from-a-warehouse", "sh"), re.MULTILINE):
        done = run_here(words.split(), cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    with CallStore(tmp_path / "team") as store:
        calls = store.calls().order_by("record_id").to_pyarrow().to_pylist()
    assert [each["input_tokens"] for each in calls] == [1_000, 2_000]
    assert [each["cache_read_tokens"] for each in calls] == [800, 0]
    assert [each["status"] for each in calls] == ["ok", "error"]
    assert [each["duration_s"] for each in calls] == [0.9, 1.2]


def test_litellm_spend_logs_go_to_a_verdict(tmp_path: Path) -> None:
    """The commands of the page, on a table with the columns of LiteLLM's own schema."""
    head = (
        "request_id,call_type,spend,total_tokens,prompt_tokens,completion_tokens,startTime,endTime,model,model_group,"
    )
    head += "custom_llm_provider,request_tags,metadata,cache_hit,status"
    lines = [head]
    for at in range(400):
        day, hour = 1 + at // 20, 8 + at % 12
        start, end = (f"2026-10-{day:02d} {hour:02d}:{at % 60:02d}:0{second}" for second in (0, 2))
        tag = '"[""faq""]"' if at % 3 else '"[""contract""]"'
        lines.append(f"r{at},acompletion,0.01,1100,1000,100,{start},{end},gpt-5,gpt-5,openai,{tag},{{}},False,success")
    (tmp_path / "spend_logs.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    said = {}
    for at in (0, 1):
        for words in re.findall(r"^breakeven (.*)$", block("with-litellm", "sh", at), re.MULTILINE):
            done = run_here(words.split(), cwd=tmp_path)
            assert done.returncode == 0, f"{words}: {done.stderr}"
            said[words.split()[0]] = done.stdout
    assert "(litellm)" in said["import"]
    assert "faq" in said["audit"] and "contract" in said["audit"]
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["verdict"]["sentence"]


def test_kubernetes_objects_are_those_that_the_page_names() -> None:
    text = (HOW_TO / "run-on-kubernetes.md").read_text(encoding="utf-8")
    objects = list(yaml.safe_load_all((ROOT / "deploy" / "kubernetes.yaml").read_text(encoding="utf-8")))
    kinds = {each["kind"] for each in objects}
    assert {"StatefulSet", "NetworkPolicy", "PodDisruptionBudget"} <= kinds
    workload = next(each for each in objects if each["kind"] == "StatefulSet")
    pod = workload["spec"]["template"]["spec"]
    assert f"StatefulSet, {workload['spec']['replicas']} replicas" in text
    assert f"grace {pod['terminationGracePeriodSeconds']} s" in text
    assert f"user {pod['securityContext']['runAsUser']}" in text
    secret = set(re.findall(r"--from-literal=([\w-]+)=", text))
    used = {each["valueFrom"]["secretKeyRef"]["key"] for each in pod["containers"][0]["env"] if "valueFrom" in each}
    assert used == secret
