"""Copies under another id: what an author may say of one, and what it is then. Pure."""

from collections.abc import Sequence
from typing import Annotated, TypeVar

from pydantic import StringConstraints, ValidationError

from services.emission.campaigns import CampaignPlan
from services.emission.codes import NewEmission
from shared.codec import FieldError, InvalidMessageError
from shared.events.promotion import Instrument
from shared.events.reference import NOBODY
from shared.events.values import Event, Id, Text

Copied = TypeVar("Copied", Instrument, CampaignPlan)


class CopyOfEmission(Event):
    """A copy's id, and its name if it is to have another. ``word``: a mass emission's copy needs one of its own."""

    emission_id: Id
    name: Text | None = None
    word: Annotated[str, StringConstraints(max_length=80)] | None = None


class CopyOfInstrument(Event):
    """A copy's id, and its name if it is to have another."""

    instrument_id: Id
    name: Text | None = None


class CopyOfCampaign(Event):
    """A copy's id, and its name if it is to have another."""

    campaign_id: Id
    name: Text | None = None


def copy_of(one: Copied, copy: CopyOfInstrument | CopyOfCampaign) -> Copied:
    """The same under the copy's id and name."""
    return one.model_copy(update=copy.model_dump(exclude_none=True))


def copy_of_emission(
    one: NewEmission, customers: Sequence[str], copy: CopyOfEmission
) -> NewEmission:
    """An emission like another, whose codes are yet to be made. Raises ``InvalidMessageError``.

    Customers that were erased have no code in it, and nobody else has theirs.
    """
    holders = tuple(customer for customer in customers if customer != NOBODY)
    erased = len(customers) - len(holders)
    count = one.count and one.count - erased
    said = one.model_dump() | {"word": copy.word, "customers": holders or None, "count": count}
    try:
        return NewEmission.model_validate(said | copy.model_dump(exclude_none=True))
    except ValidationError as error:
        # Of what is copied, only the word is said anew.
        message = str(error.errors()[0]["msg"]).removeprefix("Value error, word: ")
        raise InvalidMessageError([FieldError("word", message, "word")]) from None
