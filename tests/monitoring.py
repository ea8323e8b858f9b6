"""What operators are shown: the metrics there are, and the queries of the dashboard and the alerts."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from deploy.local import promtool
from deploy.local.errors import StackError
from deploy.local.services import ROOT
from services.analytics import metrics as analytics
from services.customers import metrics as customers
from services.emission import metrics as emission
from services.evaluator import metrics as evaluator
from shared import metrics as plumbing

MODULES: tuple[ModuleType, ...] = (plumbing, emission, evaluator, analytics, customers)
PROMETHEUS = ROOT / "deploy" / "prometheus"
GRAFANA = ROOT / "deploy" / "grafana"
# Prometheus has them of itself or by the names of targets; the client library exports process_… and python_….
_OF_PROMETHEUS = {"up", "ALERTS"}
_OF_TARGETS = {"job", "service", "instance"}
_LIBRARY = ("process_", "python_")
_SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
_VARIABLES = {"$__rate_interval": "5m", "$service": ".*", "$instance": ".*"}


@dataclass(frozen=True)
class Metric:
    """A metric as the documentation has it; ``series`` are the names of its series."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str
    series: tuple[str, ...]


def defined() -> list[Metric]:
    """Every metric of ours."""
    return [
        _metric(value)
        for module in MODULES
        for value in vars(module).values()
        if isinstance(value, MetricWrapperBase)
    ]


def _metric(wrapper: MetricWrapperBase) -> Metric:
    [described] = wrapper.describe()
    series = tuple(described.name + suffix for suffix in _SUFFIXES[described.type])
    name = series[0] if described.type == "counter" else described.name
    return Metric(name, described.type, wrapper._labelnames, described.documentation, series)


def alerts() -> list[dict[str, Any]]:
    """The alert rules."""
    groups = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    """The dashboard's panels, without its rows."""
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def dashboard() -> dict[str, Any]:
    """The dashboard."""
    text = (GRAFANA / "dashboards" / "tillstream.json").read_text()
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def queries() -> Iterator[tuple[str, str]]:
    """The PromQL of every panel and alert, with the name of where it is; variables stand for everything."""
    for panel in panels():
        for target in panel["targets"]:
            yield f"panel {panel['title']!r}", _filled(target["expr"])
    for alert in alerts():
        yield f"alert {alert['alert']}", alert["expr"]


def _filled(query: str) -> str:
    for variable, value in _VARIABLES.items():
        query = query.replace(variable, value)
    return query


def series_in(query: str) -> set[str]:
    """The names of the series that a query asks for, of Prometheus's own too."""
    bare = re.sub(r'"[^"]*"', '""', query)
    named = re.findall(r"\b[a-zA-Z_]\w*(?=\s*[{[])", bare)
    return {*named, *re.findall(r"\b(?:tillstream|process|python)_\w+", bare)} - _OF_PROMETHEUS


def labels_in(query: str) -> set[str]:
    """The names of labels that a query asks for, but those that targets have."""
    bare = re.sub(r'"[^"]*"', '""', query)
    chosen = re.findall(r'(\w+)\s*(?:=|!=|=~|!~)\s*""', bare)
    grouped = re.findall(r"\b(?:by|on|ignoring)\s*\(([^)]*)\)", bare)
    listed = [label.strip() for group in grouped for label in group.split(",")]
    return {*chosen, *filter(None, listed)} - _OF_TARGETS - {"alertstate"}


def known_series() -> Mapping[str, Metric]:
    """Our metrics, by the names of their series."""
    return {name: metric for metric in defined() for name in metric.series}


def is_of_library(series: str) -> bool:
    """Whether the client library exports it, of every process."""
    return series.startswith(_LIBRARY)


def program(name: str) -> Path:
    """Prometheus or its promtool; where there is none and none can be fetched, the test is skipped and says so.

    The product needs neither: a machine without Debian's packages can still test everything else.
    """
    try:
        return promtool.ensure(name)
    except StackError as error:
        pytest.skip(str(error))
