"""Instruments that can never apply, or contradict themselves."""

from services.emission.validation.benefits import faults_of_benefit
from services.emission.validation.campaign import claims_of, longest_days
from services.emission.validation.conditions import faults_of_claims, faults_of_names
from services.emission.validation.facts import Facts
from services.emission.validation.goods import (
    faults_of_products,
    selections_of_benefit,
    selections_of_condition,
)
from services.emission.validation.limits import faults_of_caps, faults_of_limits, faults_of_repeat
from services.emission.validation.period_end import faults_at_period_end
from shared.codec import FieldError
from shared.events.conditions import walk
from shared.events.promotion import Instrument


def faults_of_definition(instrument: Instrument) -> list[FieldError]:
    """What makes the instrument never apply, whichever campaign uses it; nothing = it can."""
    claims = claims_of(instrument)
    facts = Facts(longest_days(instrument))
    return [
        *_faults_of_selections(instrument),
        *faults_of_names(instrument.conditions),
        *faults_of_claims(claims, facts),
        *faults_of_caps(claims),
        *faults_of_benefit(instrument.benefit, facts),
        *faults_of_limits(instrument, claims, facts),
        *faults_of_repeat(instrument),
        *faults_at_period_end(instrument, claims),
    ]


def _faults_of_selections(instrument: Instrument) -> list[FieldError]:
    selections = [
        (f"{path}.{field}", products)
        for path, condition, _ in walk(instrument.conditions)
        for field, products in selections_of_condition(condition)
    ] + [
        (f"benefit.{field}", products)
        for field, products in selections_of_benefit(instrument.benefit)
    ]
    return [fault for path, products in selections for fault in faults_of_products(path, products)]
