"""How authors are told that something cannot be done."""

from collections.abc import Sequence
from http import HTTPStatus

from services.emission.campaigns import faults_of_posting
from services.emission.store.emissions import EmissionRow
from shared.codec import FieldError, InvalidMessageError
from shared.events.promotion import Instrument
from shared.web.problems import Problem


def refuse(faults: Sequence[FieldError]) -> None:
    """Raise ``InvalidMessageError`` if there are any."""
    if faults:
        raise InvalidMessageError(faults)


def refuse_unposted(instruments: Sequence[Instrument], used: Sequence[EmissionRow]) -> None:
    """Raise ``Problem`` (409) if instruments use emissions that are not posted."""
    posted = {row.asked.emission_id for row in used if row.status == "posted"}
    faults = faults_of_posting(instruments, posted)
    if faults:
        raise Problem(
            HTTPStatus.CONFLICT,
            "The campaign cannot run yet",
            "; ".join(str(fault) for fault in faults[:5]),
            [{"field": fault.field, "message": fault.message} for fault in faults],
        )


def conflict(field_name: str, message: str) -> Problem:
    """409 that names the field."""
    return Problem.of_field(HTTPStatus.CONFLICT, "Conflict", field_name, message)


def not_found(noun: str, field_name: str) -> Problem:
    """404 that names the id."""
    return Problem.of_field(HTTPStatus.NOT_FOUND, "Not found", field_name, f"no such {noun}")
