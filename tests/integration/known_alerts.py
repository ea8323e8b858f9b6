"""Good requests to the operations on alerts, rules and blocks."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol
from uuid import uuid4

from tests.integration import emission
from tests.integration.good import Asks, Good
from tests.waiting import until


class Till(Asks, Protocol):
    """Has carts, too."""

    def cart(self) -> dict[str, Any]:
        """A cart of a store that there is."""


_made: dict[str, str] = {}
"""Alerts by what they are for: a few are enough, since saying the same again changes nothing."""


def _alert(shop: Till, purpose: str) -> str:
    """An alert about a customer who has guessed codes."""
    if purpose not in _made:
        customer_id, terminal_id = emission.new_id("c"), emission.new_id("t")
        for _ in range(2):
            codes = [f"GUESS{uuid4().hex[:8]}" for _ in range(5)]
            asked = {"codes": codes, "customer_id": customer_id, "terminal_id": terminal_id}
            shop.ask("evaluator", "POST", "checkouts", shop.cart() | asked)
        _made[purpose] = asyncio.run(_raised(shop, customer_id))
    return _made[purpose]


async def _raised(shop: Asks, customer_id: str) -> str:
    async def alert_id() -> str | None:
        found = shop.ask("customers", "GET", f"alerts?subject={customer_id}")["items"]
        return str(found[0]["alert_id"]) if found else None

    return str(await until(alert_id, what="an alert"))


def _of_alert(purpose: str, body: dict[str, Any] | None = None) -> Callable[[Till], Good]:
    def good(shop: Till) -> Good:
        path = {"alert_id": _alert(shop, purpose)}
        return Good(path) if body is None else Good(path, body)

    return good


def _block() -> Good:
    path = {"subject_kind": "device", "subject": emission.new_id("d")}
    return Good(path, {"until": "2100-01-01T00:00:00Z", "note": "It was seen before"})


def _blocked(shop: Asks) -> Good:
    good = _block()
    shop.ask("customers", "PUT", f"blocks/device/{good.path['subject']}", good.body)
    return Good(good.path)


def _rule(shop: Asks) -> Good:
    """A rule as it is, once more."""
    rules = shop.ask("customers", "GET", "alert-rules")["items"]
    [rule] = [one for one in rules if one["rule"] == "borrowed_card"]
    read = ("version", "enabled", "tests", "score", "blocks_s")
    return Good({"rule": "borrowed_card"}, {name: rule[name] for name in read})


GOOD: dict[str, Callable[[Any], Good]] = {
    "GET /v1/alerts": lambda _: Good(query={"status": "open", "severity": "high"}),
    "GET /v1/alerts/{alert_id}": _of_alert("read"),
    "POST /v1/alerts/{alert_id}/confirm": _of_alert("confirm", {"note": "They said so"}),
    "POST /v1/alerts/{alert_id}/dismiss": _of_alert("dismiss", {}),
    "PUT /v1/blocks/{subject_kind}/{subject}": lambda _: _block(),
    "DELETE /v1/blocks/{subject_kind}/{subject}": _blocked,
    "PUT /v1/alert-rules/{rule}": _rule,
}
"""By operation; those that are not here need no parameters."""
