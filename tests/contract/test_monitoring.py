"""What operators are shown is valid, whole and documented: alert rules, their cases, the dashboard."""

import re
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.local.services import ROOT
from tests import monitoring
from tests.monitoring import GRAFANA, PROMETHEUS

ALERTS = monitoring.alerts()
PANELS = monitoring.panels()
QUERIES = list(monitoring.queries())
CASES = sorted(PROMETHEUS.glob("alerts*.test.yml"))
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()


def check(*arguments: str | Path) -> None:
    """Run promtool; fails with what it says."""
    run = subprocess.run(
        [monitoring.program("promtool"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_prometheus_is_configured_and_finds_its_rules_and_targets() -> None:
    check("check", "config", PROMETHEUS / "prometheus.yml")


def test_every_alert_fires_when_it_should_and_else_does_not() -> None:
    check("test", "rules", *CASES)


def _cases() -> dict[str, list[list[dict[str, Any]]]]:
    """By alert: what fires at each moment that is looked at."""
    found = defaultdict(list)
    tests = [test for file in CASES for test in yaml.safe_load(file.read_text())["tests"]]
    for case in (one for test in tests for one in test["promql_expr_test"]):
        [name] = re.findall(r'alertname="(\w+)"', case["expr"])
        found[name].append(case["exp_samples"])
    return found


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    cases = _cases()
    assert cases.keys() == {alert["alert"] for alert in ALERTS}
    assert [name for name, fired in cases.items() if not any(fired) or all(fired)] == []


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: str(alert["alert"]))
def test_an_alert_says_what_is_wrong_and_what_to_do_by_labels_that_it_has(
    alert: dict[str, Any],
) -> None:
    texts = alert["annotations"]
    assert alert["labels"]["severity"] in {"critical", "warning"}
    assert texts.keys() == {"summary", "description"}
    assert len(texts["description"]) > 100
    fired = [sample for samples in _cases()[alert["alert"]] for sample in samples]
    labels = set(re.findall(r"(\w+)=", fired[0]["labels"]))
    assert set(re.findall(r"\$labels\.(\w+)", " ".join(texts.values()))) <= labels


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: f"{panel['id']} {panel['title']}")
def test_a_panel_has_a_title_a_unit_and_says_what_it_shows(panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["description"].endswith((".", "`"))
    assert panel["targets"]
    asked = {target["datasource"]["uid"] for target in panel["targets"]}
    assert {panel["datasource"]["uid"], *asked} == {"${datasource}"}


def test_panels_lie_side_by_side_in_rows_and_have_numbers_of_their_own() -> None:
    every = monitoring.dashboard()["panels"]
    assert len({panel["id"] for panel in every}) == len(every)
    taken: set[tuple[int, int]] = set()
    for panel in every:
        at = panel["gridPos"]
        area = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert at["x"] + at["w"] <= 24
        assert taken.isdisjoint(area), panel["title"]
        taken |= area


def test_the_dashboard_can_be_narrowed_to_services_and_instances() -> None:
    variables = {one["name"]: one for one in monitoring.dashboard()["templating"]["list"]}
    assert variables.keys() == {"datasource", "service", "instance"}
    assert 'service=~"$service"' in variables["instance"]["definition"]


def test_queries_of_panels_are_valid(tmp_path: Path) -> None:
    rules = [
        {"record": f"query:{number}", "expr": query} for number, (_, query) in enumerate(QUERIES)
    ]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    check("check", "rules", file)


@pytest.mark.parametrize(
    ("where", "query"),
    [
        pytest.param(where, query, id=f"{n} {where}")
        for n, (where, query) in enumerate(monitoring.queries())
    ],
)
def test_a_query_asks_for_metrics_and_labels_that_there_are(where: str, query: str) -> None:
    known = monitoring.known_series()
    asked = {name for name in monitoring.series_in(query) if not monitoring.is_of_library(name)}
    assert asked <= known.keys(), where
    labels = {label for name in asked for label in known[name].labels}
    assert monitoring.labels_in(query) <= labels | {"le"}, where


def test_every_metric_is_documented_and_shown() -> None:
    documented = set(re.findall(r"^\| `(tillstream_\w+)", OPERATIONS, re.MULTILINE))
    assert documented == {metric.name for metric in monitoring.defined()}
    shown = {name for _, query in QUERIES for name in monitoring.series_in(query)}
    assert [m.name for m in monitoring.defined() if shown.isdisjoint(m.series)] == []


@pytest.mark.parametrize("metric", monitoring.defined(), ids=lambda metric: str(metric.name))
def test_the_documentation_says_of_a_metric_what_it_says_of_itself(
    metric: monitoring.Metric,
) -> None:
    labels = ", ".join(f"`{label}`" for label in metric.labels) or "–"
    assert f"| `{metric.name}` | {metric.kind} | {labels} | {metric.meaning} |" in OPERATIONS


def test_every_alert_is_documented() -> None:
    documented = re.findall(
        r"^\| `([A-Z][A-Za-z]+)` \| (critical|warning) \|", OPERATIONS, re.MULTILINE
    )
    assert documented == [(alert["alert"], alert["labels"]["severity"]) for alert in ALERTS]


def test_grafana_is_provisioned_by_what_the_documentation_says() -> None:
    files = sorted((GRAFANA / "provisioning").rglob("*.yml"))
    texts = [file.read_text() for file in files]
    assert {key for text in texts for key in yaml.safe_load(text)} == {
        "apiVersion",
        "datasources",
        "providers",
    }
    settings = {name for text in texts for name in re.findall(r"\$(\w+)", text)}
    assert settings == {"TILLSTREAM_DASHBOARDS", "TILLSTREAM_PROMETHEUS"}
    assert [name for name in sorted(settings) if f"`{name}`" not in OPERATIONS] == []
