"""Benefits compiled to offers."""

from typing import assert_never

from services.evaluator.promotion.benefits.discounts import (
    AmountOffer,
    FixedPriceOffer,
    PercentOffer,
)
from services.evaluator.promotion.benefits.extras import BonusOffer, GiftOffer, Step, TierOffer
from services.evaluator.promotion.benefits.offer import Offer
from services.evaluator.promotion.benefits.rewards import CheapestOffer, RewardOffer
from services.evaluator.promotion.conditions.goods import quantity_of, sum_of
from services.evaluator.promotion.selection import select
from shared.events.benefits import (
    AmountOff,
    Benefit,
    Bonuses,
    BuyGet,
    CheapestFree,
    FixedPrice,
    GiftGoods,
    PercentOff,
    Tiers,
)

_PIECE = 1_000


def compile_benefit(benefit: Benefit) -> Offer:  # noqa: PLR0911 - one for each kind
    """The offer that a benefit makes."""
    match benefit:
        case PercentOff():
            return PercentOffer.of(benefit)
        case AmountOff():
            return AmountOffer.of(benefit)
        case FixedPrice():
            return FixedPriceOffer(benefit, select(benefit.products))
        case BuyGet():
            return _buy_get(benefit)
        case CheapestFree():
            return CheapestOffer(benefit, benefit.of, _PIECE, select(benefit.products))
        case Tiers():
            return _tiers(benefit)
        case Bonuses():
            return BonusOffer(benefit, select(benefit.products))
        case GiftGoods():
            return GiftOffer(benefit)
        case _:
            assert_never(benefit)


def _buy_get(benefit: BuyGet) -> Offer:
    bought = select(benefit.products)
    if benefit.rewards is None:
        return CheapestOffer(benefit, benefit.buy + benefit.get, benefit.get, bought)
    return RewardOffer(benefit, bought, select(benefit.rewards))


def _tiers(benefit: Tiers) -> TierOffer:
    selection = select(benefit.products)
    tiers = sorted(benefit.tiers, key=lambda tier: tier.at_least)
    ends = [*(tier.at_least for tier in tiers[1:]), None]
    steps = [
        Step(
            tier.at_least, end if tier.below is None else tier.below, compile_benefit(tier.benefit)
        )
        for tier, end in zip(tiers, ends, strict=True)
    ]
    return TierOffer(
        measure=sum_of(selection) if benefit.by == "sum" else quantity_of(selection),
        unit="money" if benefit.by == "sum" else "quantity",
        steps=steps,
        earns=all(step.offer.earns for step in steps),
    )
