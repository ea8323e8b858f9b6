"""Conditions that can never be met, alone or together."""

from collections.abc import Iterator, Sequence

from services.emission.validation.claims import Choice, Claim, unfold
from services.emission.validation.facts import ONE_OF, Facts
from services.emission.validation.goods import faults_of_mix
from shared.codec import FieldError
from shared.events.conditions import Condition, ProductMix, walk

_MOST_WAYS = 500
"""How many ways through the choices are tried: beyond, a contradiction goes unnoticed."""


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
        left = [one for one, (can, _) in zip(choice.branches, branches, strict=True) if can]
        if choice.is_any:
            faults += [fault for _, found in branches for fault in found]
        elif not left:
            message = "can never be met with the other conditions: change it, or take it out"
            faults.append(FieldError(choice.path, message, "never"))
        if len(left) == 1:
            _examine(left, facts)  # the only way that is left must be gone
        can_hold = can_hold and bool(left)
    if can_hold and not _is_way(choices, facts, iter(range(_MOST_WAYS))):
        message = "no alternative can be met with those of the conditions before: change one"
        faults.append(FieldError(choices[-1].path, message, "never"))
        can_hold = False
    return can_hold, faults


def _is_way(choices: Sequence[Choice], facts: Facts, ways: Iterator[int]) -> bool:
    """Whether a branch of each can be chosen so that all go together; True when there are too many.

    Of two choices each may go with what must hold, and none with one of the other.
    """
    if not choices or next(ways, None) is None:
        return True
    for branch in choices[0].branches:
        tried = facts.copy()
        single, more = unfold([branch])
        if all(tried.add(claim) is None for claim in single) and _is_way(
            [*choices[1:], *more], tried, ways
        ):
            return True
    return False


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
