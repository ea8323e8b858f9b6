"""Good requests to the operations of the customers service."""

from collections.abc import Callable
from typing import Any

from tests.integration import emission
from tests.integration.good import Asks, Good

CUSTOMER = "c-1"
"""A customer who has bought something."""


def _new_segment() -> dict[str, Any]:
    compare = {"op": ">=", "value": 1}
    only = {"stores": [emission.new_id("s")], "hours": {"starts": 8, "ends": 20}}
    condition = {"kind": "purchases", "compare": compare, "days": 30, "only": only}
    return {
        "segment_id": emission.new_id("seg"),
        "name": "Buyers at a store",
        "definition": {"conditions": [condition]},
    }


def _segment(shop: Asks) -> str:
    """A segment of nobody."""
    body = _room_for_segment(shop)
    shop.ask("customers", "POST", "segments", body)
    return str(body["segment_id"])


def _room_for_segment(shop: Asks) -> dict[str, Any]:
    """A segment to be; those from before are archived, because there may be 500."""
    for known in shop.ask("customers", "GET", "segments?archived=false&limit=1000")["items"]:
        if known["changed_by"] == "fuzzer" and not known["builtin"]:
            shop.ask("customers", "POST", f"segments/{known['segment_id']}/archive")
    return _new_segment()


def _of_segment(*actions: str) -> Callable[[Asks], Good]:
    def good(shop: Asks) -> Good:
        segment_id = _segment(shop)
        for action in actions:
            shop.ask("customers", "POST", f"segments/{segment_id}/{action}")
        return Good({"segment_id": segment_id})

    return good


def _there(_: Asks) -> Good:
    """A segment that is there from the start."""
    return Good({"segment_id": "rare-promo-users"})


def _erase(shop: Asks) -> dict[str, Any]:
    """An erasure of somebody whom nobody knows."""
    return shop.ask("customers", "POST", f"customers/{emission.new_id('c')}/erasure")


# Its host does not exist.
_WEBHOOK = {"name": "CRM", "url": "https://crm.invalid/hook", "topics": ["profiles", "alerts"]}


def _webhook(shop: Asks) -> dict[str, str]:
    """A webhook of its own; those from before are deleted, because there may be fifty."""
    for known in shop.ask("customers", "GET", "webhooks")["items"]:
        shop.ask("customers", "DELETE", f"webhooks/{known['webhook_id']}")
    made = shop.ask("customers", "POST", "webhooks", _WEBHOOK)
    return {"webhook_id": made["webhook"]["webhook_id"]}


def _of_webhook(shop: Asks) -> Good:
    return Good(_webhook(shop))


def _new_webhook(shop: Asks) -> Good:
    _webhook(shop)
    return Good(body=_WEBHOOK)


def _ended(shop: Asks) -> None:
    """Wait until no training is under way."""
    latest: dict[str, Any] | None = {"status": "running"}
    while latest and latest["status"] in ("asked", "running"):
        latest = shop.ask("customers", "GET", "forecast")["latest"]


def _training(shop: Asks) -> Good:
    """A training, be it done or not."""
    latest = shop.ask("customers", "GET", "forecast")["latest"]
    return Good({"run_id": (latest or shop.ask("customers", "POST", "forecast/runs"))["run_id"]})


def _new_training(shop: Asks) -> Good:
    _ended(shop)
    return Good()


GOOD: dict[str, Callable[[Asks], Good]] = {
    "POST /v1/customers/{customer_id}/erasure": lambda _: Good(
        {"customer_id": emission.new_id("c")}
    ),
    "GET /v1/erasures/{erasure_id}": lambda shop: Good({"erasure_id": _erase(shop)["erasure_id"]}),
    "GET /v1/profiles": lambda _: Good(query={"search": "c-", "limit": "5"}),
    "GET /v1/profiles/export": lambda _: Good(query={"format": "parquet"}),
    "GET /v1/profiles/{customer_id}": lambda _: Good({"customer_id": CUSTOMER}),
    "GET /v1/forecast/expected": lambda _: Good(query={"days": "14", "limit": "5"}),
    "GET /v1/forecast/runs": lambda _: Good(query={"limit": "5"}),
    "GET /v1/forecast/runs/{run_id}": _training,
    "POST /v1/forecast/runs": _new_training,
    "POST /v1/webhooks": _new_webhook,
    "GET /v1/webhooks/{webhook_id}": _of_webhook,
    "PUT /v1/webhooks/{webhook_id}": lambda shop: Good(_webhook(shop), _WEBHOOK),
    "DELETE /v1/webhooks/{webhook_id}": _of_webhook,
    "GET /v1/webhooks/{webhook_id}/deliveries": _of_webhook,
    "POST /v1/webhooks/{webhook_id}/secret": _of_webhook,
    "POST /v1/webhooks/{webhook_id}/pause": _of_webhook,
    "POST /v1/webhooks/{webhook_id}/resume": _of_webhook,
    "POST /v1/webhooks/{webhook_id}/test": _of_webhook,
    "POST /v1/webhooks/{webhook_id}/replay": lambda shop: Good(
        _webhook(shop), {"since": "2026-05-01T00:00:00Z"}
    ),
    "POST /v1/segments": lambda shop: Good(body=_room_for_segment(shop)),
    "POST /v1/segments/preview": lambda _: Good(
        body={"definition": _new_segment()["definition"]}, query={"language": "uk"}
    ),
    "GET /v1/segments/{segment_id}": _there,
    "PUT /v1/segments/{segment_id}": lambda shop: Good(
        {"segment_id": _segment(shop)},
        {"name": "Renamed", "definition": _new_segment()["definition"]},
    ),
    "GET /v1/segments/{segment_id}/members": _there,
    "GET /v1/segments/{segment_id}/history": _there,
    "GET /v1/segments/{segment_id}/days": _there,
    "POST /v1/segments/{segment_id}/archive": _of_segment(),
    "POST /v1/segments/{segment_id}/restore": _of_segment("archive"),
}
"""By operation; those that are not here need no parameters."""
