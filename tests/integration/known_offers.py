"""Good requests to the operations of offers."""

from collections.abc import Callable
from itertools import islice, repeat
from typing import Any

from shared import clock
from tests.integration import emission
from tests.integration.good import Asks, Good

_ATTEMPTS = 10_000
_CURRENCY = "UAH"


def _policy(emission_id: str = "e-1") -> dict[str, Any]:
    """10% for who was not here for a month, in spring and while sales are slow."""
    return {
        "policy_id": emission.new_id("p"),
        "name": "Win back",
        "reason": "We miss you",
        "who": {"none_of": ["s-1"]},
        "when": {"days_since_purchase": {"at_least": 30}},
        "season": {"spans": [{"starts": "03-01", "until": "05-31"}], "weekdays": ["fri"]},
        "sales": [{"of": "store", "days": 7, "against": "year_ago", "below": 9_000}],
        "currency": _CURRENCY,
        "steps": [{"emission_id": emission_id, "discount": 1_000, "valid_days": 7}],
        "max_discount": 2_000,
        "sending": {"days_before_expected": 3},
        "cap": {"offers": 1, "days": 30},
        "budget": {"codes": 1, "cost": 100_000},
    }


def _draft(shop: Asks) -> dict[str, Any]:
    """A policy that is a draft."""
    body = _policy()
    shop.ask("customers", "POST", "policies", body)
    return body


def _of_draft(shop: Asks) -> Good:
    return Good({"policy_id": _draft(shop)["policy_id"]})


def _edited(shop: Asks) -> Good:
    body = _draft(shop)
    return Good({"policy_id": body["policy_id"]}, body)


_PROMISED: dict[int, str] = {}


def _promised(shop: Asks) -> str:
    """A policy that promises what a campaign gives for its codes; one for each shop, as it takes a while."""
    if id(shop) not in _PROMISED:
        _PROMISED[id(shop)] = _promise(shop)
    return _PROMISED[id(shop)]


def _promise(shop: Asks) -> str:
    store = emission.a_store(currency=_CURRENCY)
    shop.ask("emission", "PUT", "stores", {"stores": [store]})
    codes = {"emission_id": emission.new_id("e"), "name": "c", "kind": "personal", "count": 0}
    emission_id = shop.ask("emission", "POST", "emissions", codes)["emission_id"]
    shop.ask("emission", "POST", f"emissions/{emission_id}/post")
    _until(lambda: shop.ask("emission", "GET", f"emissions/{emission_id}")["status"] == "posted")
    code = {"kind": "promo_code", "emission_id": emission_id, "own": True}
    instrument = emission.instrument_of() | {"conditions": [code]}
    shop.ask("emission", "POST", "instruments", instrument)
    today = str(clock.now().date())
    plan = emission.plan_of(instrument, stores=[store["store_id"]], first_day=today)
    shop.ask("emission", "POST", "campaigns", plan)
    shop.ask("emission", "POST", f"campaigns/{plan['campaign_id']}/start")
    policy = _policy(emission_id)
    shop.ask("customers", "POST", "policies", policy)
    path = f"policies/{policy['policy_id']}"
    _until(lambda: not any(n["stops"] for n in shop.ask("customers", "GET", path)["notes"]))
    return str(policy["policy_id"])


def _until(is_so: Callable[[], bool]) -> None:
    assert any(one() for one in islice(repeat(is_so), _ATTEMPTS))


GOOD: dict[str, Callable[[Asks], Good]] = {
    "POST /v1/policies": lambda _: Good(body=_policy()),
    "POST /v1/policies/try": lambda _: Good(body=_policy()),
    "GET /v1/policies/{policy_id}": _of_draft,
    "PUT /v1/policies/{policy_id}": _edited,
    "POST /v1/policies/{policy_id}/start": lambda shop: Good({"policy_id": _promised(shop)}),
    "POST /v1/policies/{policy_id}/pause": lambda shop: Good({"policy_id": _promised(shop)}),
    "GET /v1/policies/{policy_id}/history": _of_draft,
    "GET /v1/policies/{policy_id}/outcome": _of_draft,
    "GET /v1/policies/{policy_id}/offers": _of_draft,
    "PUT /v1/offer-cap": lambda _: Good(body={"offers": 2, "days": 7}),
    "GET /v1/customers/{customer_id}/offers": lambda _: Good({"customer_id": "c-1"}),
}
"""By operation; those that are not here need no parameters."""
