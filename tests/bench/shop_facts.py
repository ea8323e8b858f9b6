"""The facts of a shop as the fraud's core reads them: receipts, returns, answers to carts."""

from datetime import UTC, datetime
from typing import NamedTuple

from services.customers.messages import Decision, Receipt, Redemption, Returned, UnusedCode
from services.customers.messages import ReturnedRedemption as Back


def customer(household: int) -> str:
    """A household's customer id."""
    return f"h-{household}"


def when(at: int) -> datetime:
    """An instant from seconds since 1970."""
    return datetime.fromtimestamp(at, UTC)


class Place(NamedTuple):
    """Where something is bought: at a till with a cashier, or on a device from an address."""

    store: int
    cashier: str | None = None
    device: str | None = None
    address: str | None = None


def receipt(
    receipt_id: str,
    at: int,
    place: Place,
    customer_id: str | None,
    total: int,
    codes: int,
    *,
    benefit: bool = False,
    wrong: int = 0,
) -> Receipt:
    """A paid receipt with so many codes used, and so many benefits given without right."""
    redemptions = [
        Redemption("campaign", f"i{n}", "committed", max(total // 10, 1), 0, f"e{n}")
        for n in range(codes)
    ]
    redemptions += [
        Redemption("campaign", f"w{n}", "unauthorised", max(total // 10, 1), 0)
        for n in range(wrong)
    ]
    if benefit:
        redemptions.append(Redemption("everyday", "bonus", "committed", 0, total // 100))
    return Receipt(
        receipt_id=receipt_id,
        store_id=f"s{place.store}",
        terminal_id="t",
        region="",
        device="till",
        currency="USD",
        occurred_at=when(at),
        discount=0,
        paid=total,
        lines=(),
        redemptions=tuple(redemptions),
        customer_id=customer_id,
        device_id=place.device,
        cashier_id=place.cashier,
        address=place.address,
    )


def returned(
    of: Receipt, at: int, store: int, cashier: str | None, *, complete: bool = True
) -> Returned:
    """A return of a receipt."""
    backs = tuple(
        Back(
            one.campaign_id,
            one.instrument_id,
            "unauthorised"
            if one.status == "unauthorised"
            else "returned"
            if complete
            else "committed",
            complete,
            one.discount,
            one.bonuses,
            one.emission_id,
        )
        for one in of.redemptions
    )
    return Returned(
        return_id=f"r-{of.receipt_id}",
        receipt_id=of.receipt_id,
        store_id=f"s{store}",
        sold_at=of.occurred_at,
        occurred_at=when(at),
        currency="USD",
        complete=complete,
        refund=of.paid if complete else of.paid // 3,
        lines=(),
        redemptions=backs,
        customer_id=of.customer_id,
        cashier_id=cashier,
    )


def decision(
    receipt_id: str,
    at: int,
    place: Place,
    customer_id: str | None,
    *,
    unknown: int = 0,
    expired: int = 0,
    foreign: int = 0,
    used: bool = False,
) -> Decision:
    """An answer to a cart with codes that cannot be used; a foreign one may be, where its campaign does not mind."""
    reasons = ["unknown_code"] * unknown + ["code_not_valid"] * expired
    reasons += [] if used else ["code_not_yours"] * foreign
    unused = tuple(UnusedCode(n, reason) for n, reason in enumerate(reasons))
    bound = tuple(range(unknown + expired, unknown + expired + foreign))
    return Decision(
        receipt_id,
        "decided",
        f"s{place.store}",
        when(at),
        unused,
        bound,
        customer_id,
        place.device,
        place.cashier,
        place.address,
    )
