"""Reference data: stores with their regions and time zones, and what running campaigns give for codes."""

from collections.abc import Sequence

from aiokafka.structs import ConsumerRecord

from services.customers import stores
from services.customers.offers.backing import backings
from services.customers.offers.store import sales as sales_store
from shared.codec import InvalidMessageError, decode
from shared.database import Connection
from shared.dead_letters import DeadLetter
from shared.events.promotion import Campaign
from shared.events.reference import Store
from shared.topics import BY_NAME, CAMPAIGNS, STORES

CONSUMER = "customers.reference"
TOPICS = (STORES.name, CAMPAIGNS.name)


async def apply(connection: Connection, records: Sequence[ConsumerRecord]) -> Sequence[DeadLetter]:
    """Save what the records say, in the caller's transaction; of each store and campaign the latest counts."""
    dead = []
    known: dict[str, Store] = {}
    campaigns: dict[str, Campaign] = {}
    for record in records:
        try:
            event = decode(BY_NAME[record.topic].event, record.value or b"", ignore_unknown=True)
        except InvalidMessageError as error:
            dead.append(DeadLetter(record, error.reason, str(error)))
            continue
        match event:
            case Store():
                known[event.store_id] = event
            case Campaign():
                campaigns[event.campaign_id] = event
    await stores.save(connection, known.values())
    for campaign_id, campaign in sorted(campaigns.items()):
        await sales_store.save_backings(connection, campaign_id, backings(campaign))
    return dead
