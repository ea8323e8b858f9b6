"""What an event is decided with, beside its receipt."""

from datetime import datetime

import msgspec

from services.evaluator.payment import Points
from services.evaluator.promotion.exposure import NOT_EXPOSED, Exposure
from services.evaluator.promotion.ruleset import Considered
from shared.events.values import Device


class Circumstances(msgspec.Struct, frozen=True):
    """What an event is decided with, beside its receipt.

    ``region`` is the one that statistics count. ``considered`` is the rules it may meet: none for a sale whose cart was decided, since that decision
    stands, unless a customer becomes known by it. ``now`` is the arbitrating database's clock; holds last until ``expires_at``.
    ``points`` are the customer's, if there is one. ``exposure`` is what a sale's record says of control
    groups, ``utc_offset_minutes`` what it says of the store's clock. ``address`` is a hash. Where a decision of an
    earlier version is made again, ``names_emissions`` and ``names_senders`` (devices, cashiers, addresses) are false.
    """

    event_key: bytes
    body_digest: bytes
    considered: Considered
    region: str
    device: Device
    now: datetime
    expires_at: datetime
    points: Points | None = None
    exposure: Exposure = NOT_EXPOSED
    names_emissions: bool = True
    names_senders: bool = True
    address: str | None = None
    utc_offset_minutes: int | None = None
