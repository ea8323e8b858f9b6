"""What operators see of a running stack: Prometheus scrapes it, as deploy/prometheus says."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from deploy.local import ports
from deploy.local.ports import HOST
from deploy.local.services import SERVICES
from deploy.local.stack import Stack
from tests import monitoring
from tests.integration import shop
from tests.integration.test_checkout_http import Till, till
from tests.monitoring import PROMETHEUS
from tests.waiting import until

__all__ = ["till"]

Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


async def _scraped(stack: Stack, service: str) -> tuple[set[str], Samples]:
    """The names of the metrics that a service exports, and its samples."""
    async with httpx.AsyncClient(base_url=stack.url(service), trust_env=False) as asked:
        families = list(text_string_to_metric_families((await asked.get("/metrics")).text))
    names = {family.name + ("_total" if family.type == "counter" else "") for family in families}
    samples = [sample for family in families for sample in family.samples]
    return names, {(s.name, frozenset(s.labels.items())): s.value for s in samples}


async def test_every_metric_is_exported_by_a_service(stack: Stack) -> None:
    exported = set().union(*[(await _scraped(stack, service))[0] for service in SERVICES])
    assert {metric.name for metric in monitoring.defined()} - exported == set()
    of_library = {
        name
        for _, query in monitoring.queries()
        for name in monitoring.series_in(query)
        if monitoring.is_of_library(name)
    }
    assert of_library
    assert of_library - exported == set()


async def test_what_a_till_does_is_counted(stack: Stack, till: Till) -> None:
    async def counted(name: str, **labels: str) -> float:
        _, samples = await _scraped(stack, "evaluator")
        return samples.get((name, frozenset(labels.items())), 0.0)

    async def counts() -> list[float]:
        route = "/v1/checkouts/{receipt_id}/confirm"
        return [
            await counted("tillstream_events_total", kind="cart"),
            await counted("tillstream_events_total", kind="sale"),
            await counted("tillstream_redemptions_total", status="held"),
            await counted("tillstream_redemptions_total", status="committed"),
            await counted("tillstream_events_refused_total", reason="unknown_receipt"),
            *[
                await counted(
                    "tillstream_http_request_seconds_count",
                    method="POST",
                    route=route,
                    status=status,
                )
                for status in ("200", "404")
            ],
        ]

    before = await counts()
    cart = till.cart()
    await till.check_out(cart)
    await till.confirm(cart)
    await till.post(f"/checkouts/{uuid4()}/confirm")
    rise = [after - earlier for after, earlier in zip(await counts(), before, strict=True)]
    assert rise == [1] * len(before)


@asynccontextmanager
async def _prometheus(stack: Stack, directory: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a Prometheus that scrapes the stack each second and evaluates our rules."""
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(PROMETHEUS / "alerts.yml")]
    (directory / "targets").mkdir()
    targets = yaml.safe_load((PROMETHEUS / "targets" / "embedded.yml").read_text())
    for target in targets:
        target["targets"] = [stack.url(target["labels"]["service"]).removeprefix("http://")]
    (directory / "targets" / "stack.yml").write_text(yaml.safe_dump(targets))
    (directory / "prometheus.yml").write_text(yaml.safe_dump(config))
    port = ports.choose({"prometheus": 0}, {}, ports.free)["prometheus"]
    process = await asyncio.create_subprocess_exec(
        monitoring.program("prometheus"),
        f"--config.file={directory / 'prometheus.yml'}",
        f"--storage.tsdb.path={directory / 'data'}",
        f"--web.listen-address={HOST}:{port}",
        "--log.level=error",
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://{HOST}:{port}", trust_env=False) as asked:
            yield asked
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 20)


async def _found(prometheus: httpx.AsyncClient, query: str) -> bool:
    """Whether a query finds something; fails if it cannot be asked."""
    answer = (await prometheus.get("/api/v1/query", params={"query": query})).json()
    assert answer["status"] == "success", answer
    return bool(answer["data"]["result"])


async def _is_up(prometheus: httpx.AsyncClient) -> bool:
    try:
        ready = (await prometheus.get("/-/ready")).is_success
    except httpx.TransportError:
        return False
    return ready and await _found(prometheus, f"count(up == 1) == {len(SERVICES)}")


async def test_every_panel_shows_something_and_every_alert_is_evaluated(
    stack: Stack, till: Till, tmp_path: Path
) -> None:
    cart = till.cart()
    await till.check_out(cart)
    await till.confirm(cart)
    await till.post("/quotes", b"no JSON")
    await till.post(f"/checkouts/{uuid4()}/confirm")
    async with shop.client(stack, "analytics") as analyst:
        await analyst.get("/v1/statistics/totals")
    panels = [query for where, query in monitoring.queries() if where.startswith("panel")]
    # Only what goes wrong is there: alerts, and messages that could not be used.
    panels = [q for q in panels if "ALERTS" not in q and "dead_letters" not in q]
    async with _prometheus(stack, tmp_path) as prometheus:
        await until(lambda: _is_up(prometheus), what="every service scraped")

        async def empty() -> list[str]:
            return [query for query in panels if not await _found(prometheus, query)]

        async def all_show_something() -> bool:
            return not await empty()

        try:
            await until(all_show_something, within_s=60)
        except AssertionError:
            pytest.fail(f"these show nothing: {await empty()}")
        groups = (await prometheus.get("/api/v1/rules")).json()["data"]["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        assert len(rules) == len(monitoring.alerts())
        assert [rule["name"] for rule in rules if rule["health"] != "ok"] == []
