"""Authors a plan over the public API, as a marketer's tools would, and waits until it is active."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import httpx
from pydantic import BaseModel

from deploy.demo.campaigns import Authored, Emission, Group, Plan
from deploy.demo.mapping import TIME_ZONE
from shared import clock

_AT_ONCE = 8
_TIMEOUT_S = 30.0
_ACTIVE_WITHIN_S = 60.0
_POLL_S = 0.2
_STORES_PER_CALL = 500


class AuthoringError(RuntimeError):
    """The API refused what the demo authors, or it did not become active in time."""


class Api:
    """A service's HTTP API with a token."""

    def __init__(self, url: str, token: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.client = httpx.AsyncClient(base_url=url, headers=headers, timeout=_TIMEOUT_S)

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """The JSON answer, None if there is none. Raises ``AuthoringError`` with the problem."""
        answer = await self.client.request(method, path, json=body)
        if answer.is_error:
            message = f"{method} {path}: {answer.status_code} {answer.text[:500]}"
            raise AuthoringError(message)
        return answer.json() if answer.content else None

    async def close(self) -> None:
        """Close its connections."""
        await self.client.aclose()


async def token_for(emission_url: str, api_key: str) -> str:
    """A token for the API key."""
    api = Api(emission_url)
    try:
        answer = await api.call("POST", "/v1/tokens", {"api_key": api_key})
    finally:
        await api.close()
    return str(answer["token"])


async def author(api: Api, plan: Plan) -> None:
    """Stores, groups, emissions (posted), instruments, campaigns (started), in that order."""
    for start in range(0, len(plan.stores), _STORES_PER_CALL):
        some = plan.stores[start : start + _STORES_PER_CALL]
        await api.call("PUT", "/v1/stores", {"stores": [_json(store) for store in some]})
    await _each(plan.groups, lambda group: _group(api, group))
    await _each(plan.emissions, lambda emission: _emission(api, emission))
    instruments = [one for campaign in plan.campaigns for one in campaign.instruments]
    await _each(instruments, lambda one: api.call("POST", "/v1/instruments", _json(one)))
    await _each(plan.campaigns, lambda campaign: _campaign(api, campaign))


async def until(
    what: str, condition: Callable[[], Awaitable[bool]], within_s: float = _ACTIVE_WITHIN_S
) -> None:
    """Wait until the condition holds. Raises ``AuthoringError`` naming what did not happen."""
    end = clock.monotonic() + within_s
    while not await condition():
        if clock.monotonic() > end:
            message = f"{what}: not within {within_s:.0f} s"
            raise AuthoringError(message)
        await asyncio.sleep(_POLL_S)


async def _each(items: Sequence[Any], call: Callable[[Any], Awaitable[Any]]) -> None:
    """A call for every item, a few at a time; the first failure ends it."""
    queue = iter(items)

    async def worker() -> None:
        for item in queue:
            await call(item)

    async with asyncio.TaskGroup() as group:
        for _ in range(_AT_ONCE):
            group.create_task(worker())


def _json(model: BaseModel) -> dict[str, Any]:
    return model.model_dump(mode="json", exclude_none=True)


async def _group(api: Api, group: Group) -> None:
    body = {"name": group.name, "customers": list(group.customers)}
    await api.call("PUT", f"/v1/customer-groups/{group.group_id}", body)


async def _emission(api: Api, emission: Emission) -> None:
    body = {
        "emission_id": emission.emission_id,
        "name": emission.name,
        "kind": "mass",
        "word": emission.word,
    }
    await api.call("POST", "/v1/emissions", body)
    await api.call("POST", f"/v1/emissions/{emission.emission_id}/post")

    async def posted() -> bool:
        state = await api.call("GET", f"/v1/emissions/{emission.emission_id}")
        return bool(state["status"] == "posted")

    await until(f"posting of emission {emission.emission_id}", posted)


async def _campaign(api: Api, campaign: Authored) -> None:
    body: dict[str, Any] = {
        "campaign_id": campaign.campaign_id,
        "name": campaign.name,
        "comment": campaign.comment,
        "priority": campaign.priority,
        "time_zone": TIME_ZONE,
        "first_day": campaign.first_day.isoformat(),
        "last_day": campaign.last_day.isoformat(),
        "instruments": [one.instrument_id for one in campaign.instruments],
    }
    if campaign.groups:
        body["customer_groups"] = list(campaign.groups)
    await api.call("POST", "/v1/campaigns", body)
    # The year is replayed: most campaigns are over when their baskets come.
    await api.call("POST", f"/v1/campaigns/{campaign.campaign_id}/start?past=true")


async def running(api: Api, plan: Plan) -> int:
    """How many of the plan's campaigns emission says are running."""
    paths = [f"/v1/campaigns/{one.campaign_id}" for one in plan.campaigns]
    states = [await api.call("GET", path) for path in paths]
    return sum(state["status"] == "running" for state in states)


async def wait_active(quotes: Api, carts: Iterable[tuple[dict[str, Any], str]]) -> None:
    """Wait until quotes show every campaign: (a cart that meets an instrument, the instrument)."""
    for cart, instrument_id in carts:

        async def shown(cart: dict[str, Any] = cart, instrument_id: str = instrument_id) -> bool:
            answer = await quotes.client.post("/v1/quotes", json=cart)
            if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
                return False
            if answer.is_error:
                message = f"quote: {answer.status_code} {answer.text[:500]}"
                raise AuthoringError(message)
            applied = answer.json()["applied"]
            return any(one["instrument_id"] == instrument_id for one in applied)

        await until(f"instrument {instrument_id} in quotes", shown)
