"""The value types that events are made of: money, quantities, identifiers, instants."""

import re
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_extra_types.currency_code import ISO4217

THOUSANDTHS = 1_000
"""Of a piece, kilogram or litre: the unit of quantities."""
MAX_LINES = 1_000
MAX_CODES = 10
MAX_MONEY = 10**12
MAX_QUANTITY = 10**9  # 1,000,000.000 pieces, kilograms, litres

_EMAIL = re.compile(r"@")
_PHONE = re.compile(r"\+?[\d .()/-]{9,20}")


class Event(BaseModel):
    """Base of everything on the wire: immutable, strict about types, closed to unknown fields."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", ser_json_inf_nan="null")


def _opaque(value: str) -> str:
    """Refuse what looks like a person's e-mail address, telephone number or name."""
    if _EMAIL.search(value) or " " in value or not value.isascii():
        message = (
            "must be an opaque id, not an e-mail address or a name: keep personal data in the CRM"
        )
        raise ValueError(message)
    if _PHONE.fullmatch(value):
        message = (
            "looks like a telephone number: send an opaque id and keep personal data in the CRM"
        )
        raise ValueError(message)
    return value


_ID = StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")

Id = Annotated[str, _ID]
"""An identifier: 1–64 characters of ``A–Z a–z 0–9 . _ : -``."""

CustomerId = Annotated[
    str,
    AfterValidator(_opaque),
    StringConstraints(pattern=r"^[A-Za-z0-9@+][A-Za-z0-9@+._:() -]{0,63}$", max_length=64),
]
"""An opaque customer id; whatever looks like personal data is refused."""

Text = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")
]
"""One line of text without control characters (PostgreSQL cannot hold a null byte)."""

Money = Annotated[int, Field(ge=0, le=MAX_MONEY, description="integer minor units (cents)")]
SignedMoney = Annotated[
    int, Field(ge=-MAX_MONEY, le=MAX_MONEY, description="integer minor units (cents)")
]
Quantity = Annotated[
    int, Field(gt=0, le=MAX_QUANTITY, description="integer thousandths: 1.250 kg = 1250")
]
Percent = Annotated[int, Field(gt=0, le=10_000, description="basis points: 10% = 1000")]
Points = Annotated[int, Field(ge=0, le=MAX_MONEY, description="bonus points, whole")]
Count = Annotated[int, Field(ge=1, le=10**9)]
FIRST_INSTANT = datetime(1, 1, 2, tzinfo=UTC)
LAST_INSTANT = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
Instant = Annotated[
    AwareDatetime,
    Field(ge=FIRST_INSTANT, le=LAST_INSTANT, description="RFC 3339, with zone"),
]
"""A point in time that UTC can express, and that PostgreSQL's client does not take for infinity."""
Currency = ISO4217
Device = Literal["till", "desktop", "mobile", "tablet", "app", "other"]
Channel = Literal["till", "web", "app"]
PaymentMethod = Literal["cash", "card", "voucher", "account", "bonuses", "other"]


class Gift(Event):
    """Goods given away: a sku and how much of it.

    ``value`` of a unit (1000 thousandths) is what is withheld when the sale is returned without it.
    """

    sku: Text
    quantity: Quantity = 1000
    value: Money = 0


class Location(Event):
    """A point on the earth, in microdegrees."""

    latitude_e6: Annotated[int, Field(ge=-90_000_000, le=90_000_000)]
    longitude_e6: Annotated[int, Field(ge=-180_000_000, le=180_000_000)]
