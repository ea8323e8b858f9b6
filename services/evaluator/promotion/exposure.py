"""Which campaigns with a control group are for a customer, and which of them hold the customer back.

What the two arms are compared by: it depends on the customer, the store and the time, never on what is
bought or given, since that is what a campaign may change.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from services.evaluator.promotion.basket import Reading
from services.evaluator.promotion.instrument import CompiledCampaign


class Exposure(NamedTuple):
    """Campaign ids in their order: all, and those whose control group the customer is in."""

    exposed: tuple[str, ...] = ()
    held_back: tuple[str, ...] = ()


NOT_EXPOSED = Exposure()


def exposure(
    campaigns: Iterable[CompiledCampaign], reading: Reading, held: Mapping[str, int]
) -> Exposure:
    """Of ``campaigns`` with control groups; ``held``: how many codes are held of each emission."""
    customer_id = reading.basket.customer_id
    if customer_id is None:
        return NOT_EXPOSED
    met = [one for one in campaigns if one.failure(reading, held) is None]
    return Exposure(
        tuple(sorted([one.campaign_id for one in met])),
        tuple(sorted([one.campaign_id for one in met if one.holds_back(customer_id)])),
    )
