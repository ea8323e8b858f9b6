"""Conditions that can never be met, alone or together."""

from collections.abc import Iterator, Sequence

from services.emission.validation.claims import Claim, unfold
from services.emission.validation.facts import ONE_OF, Facts
from services.emission.validation.goods import faults_of_mix
from shared.codec import FieldError
from shared.events.conditions import Condition, ProductMix, walk


def faults_of_claims(claims: Sequence[Claim], facts: Facts) -> list[FieldError]:
    """What can never hold of the claims, which all must; ``facts`` gets those that can.

    Each alternative of an ``any`` is looked at by itself, beside what must hold anyway.
    """
    return _examine(claims, facts)[1]


def _examine(claims: Sequence[Claim], facts: Facts) -> tuple[bool, list[FieldError]]:
    """Whether the claims can all hold, and what is wrong even if they can."""
    single, choices = unfold(claims)
    faults = []
    for claim in single:
        clash = facts.add(claim)
        if clash is not None:
            field = f"{claim.path}.{clash.field}" if clash.field else claim.path
            faults.append(FieldError(field, clash.message, "never"))
    can_hold = not faults
    for choice in choices:
        branches = [_examine([branch], facts.copy()) for branch in choice.branches]
        is_open = any(can for can, _ in branches)
        if choice.is_any:
            faults += [fault for _, found in branches for fault in found]
        elif not is_open:
            message = "can never be met with the other conditions: change it, or take it out"
            faults.append(FieldError(choice.path, message, "never"))
        can_hold = can_hold and is_open
    return can_hold, faults


def faults_of_names(conditions: Sequence[Condition]) -> Iterator[FieldError]:
    """Names that are given twice, or that another part has counted already."""
    for path, condition, _ in walk(conditions):
        field = ONE_OF.get(condition.kind)
        names: Sequence[str] = () if field is None else getattr(condition, field)
        seen: set[str] = set()
        for n, name in enumerate(names):
            if name in seen:
                yield FieldError(f"{path}.{field}.{n}", "given twice: take it out", "repeated")
            seen.add(name)
        if isinstance(condition, ProductMix):
            yield from faults_of_mix(path, condition)
