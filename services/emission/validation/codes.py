"""Codes that nobody can present as the condition asks for them."""

from collections.abc import Iterator, Mapping

from services.emission.validation.campaign import claims_of
from services.emission.validation.limits import claims_within
from shared.codec import FieldError
from shared.events.conditions import PromoCode
from shared.events.promotion import EmissionSummary, Instrument


def faults_of_codes(
    instrument: Instrument, emissions: Mapping[str, EmissionSummary]
) -> Iterator[FieldError]:
    """Conditions that ask for a customer's own code of an emission that binds none."""
    for claim in claims_within(claims_of(instrument)):
        condition = claim.condition
        if not isinstance(condition, PromoCode) or not condition.own or not claim.holds:
            continue
        emission = emissions.get(condition.emission_id)
        if emission is not None and emission.kind == "mass":
            message = "the word of a mass emission is nobody's own: leave own out, or ask for"
            yield FieldError(f"{claim.path}.own", f"{message} a personal emission", "never")
