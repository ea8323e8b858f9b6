"""What stores keep of the first buyers' benefit, to give it while they have no network."""

from dataclasses import dataclass, field
from http import HTTPStatus

import httpx

from deploy.local.stack import Stack
from tests.faults.offers import Offers
from tests.integration import emission, shop
from tests.waiting import until

LEASED = 3
"""How many slots a store leases."""
_SECONDS = 3_600
_RETURNED_WITHIN_S = 240


@dataclass
class Leases:
    """A lease for each store, and what its tills have not given away."""

    ids: dict[str, str] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)

    def take(self, store: str) -> str | None:
        """A slot of the store's lease; None once they are gone."""
        if not self.left.get(store):
            return None
        self.left[store] -= 1
        return self.ids[store]


async def grant(stack: Stack, offers: Offers) -> Leases:
    """Lease for every store, before anything is broken."""
    leases = Leases()
    async with shop.client(stack, "evaluator") as client:
        for store in offers.stores:
            asked = {
                "lease_id": f"{offers.run}-{store}"[:64],
                "store_id": store,
                "campaign_id": offers.campaign_id,
                "instrument_id": offers.instrument("first"),
                "amount": LEASED,
                "seconds": _SECONDS,
            }
            lease = emission.ok(await client.post("/v1/leases", json=asked))
            leases.ids[store], leases.left[store] = lease["lease_id"], LEASED
    return leases


async def give_back(stack: Stack, leases: Leases) -> None:
    """All sales have been sent: what was not used is free again. Asked until it is answered."""
    async with shop.client(stack, "evaluator") as client:
        for lease_id in leases.ids.values():

            async def returned(lease_id: str = lease_id) -> bool:
                try:
                    answer = await client.post(f"/v1/leases/{lease_id}/return")
                except httpx.HTTPError:
                    return False
                return answer.status_code == HTTPStatus.OK

            await until(returned, within_s=_RETURNED_WITHIN_S, what="a lease is returned")
