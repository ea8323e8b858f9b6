"""Whose codes are listened to, in one transaction at the desk (``guessing``).

A lock-out counts from the next cart on. Which limits a cart may ask for must be known before anything
is decided: of whoever may be locked out by then it is worked out both with the codes and without.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.evaluator.facts import Facts, Incoming
from services.evaluator.guessing import TILL, Guesses, Subject, failed_codes, subjects_of
from services.evaluator.outgoing import attempt_message
from services.evaluator.promotion.ruleset import Considered
from services.evaluator.receipt import Answer
from shared.events.checkout import Cart
from shared.outbox import Message


def cart_with_codes(came: Incoming) -> Cart | None:
    """The cart, if it is one that is to be decided and has codes."""
    event = came.event
    match event.intent:
        case "quote" | "checkout":
            return event if event.codes else None
        case _:
            return None


def sender_of(cart: Cart) -> tuple[Subject, ...]:
    """What the sender of a cart counts as; at the desk all are trusted."""
    return subjects_of(cart.store_id, cart.terminal_id, cart.customer_id, cart.channel, TILL)


@dataclass
class Hearing:
    """Who presents codes in a transaction, by the events' keys, and what is held against them.

    ``unheard`` is what carts may meet without their codes, of those whose senders are locked out or may be.
    """

    guesses: Guesses = field(default_factory=Guesses)
    subjects: Mapping[bytes, tuple[Subject, ...]] = field(default_factory=dict)
    unheard: dict[bytes, Considered] = field(default_factory=dict)

    def consider(self, carts: Mapping[bytes, Cart], facts: Facts) -> None:
        """Work out what carts with codes may meet without them, where that may be needed."""
        presented: dict[Subject, set[bytes]] = {}
        for key, cart in carts.items():
            for subject in self.subjects[key]:
                presented.setdefault(subject, set()).update(facts.digests_of(cart))
        risky = self.guesses.may_lock(presented)
        for key, cart in carts.items():
            subjects = self.subjects[key]
            if not risky.isdisjoint(subjects) or self.guesses.lockout(subjects, facts.now):
                self.unheard[key] = facts.consider(cart, heard=False)

    def considered(self, came: Incoming, heard: Considered, facts: Facts) -> Considered:
        """What the event may meet: without its codes, if its sender is locked out by now."""
        subjects = self.subjects.get(came.key)
        if subjects and self.guesses.lockout(subjects, facts.now):
            return self.unheard[came.key]
        return heard

    def note(self, cart: Cart, event_key: bytes, answer: Answer, facts: Facts) -> list[Message]:
        """Hold codes that have failed against the sender of a cart, or tell that none was listened to."""
        subjects = self.subjects.get(event_key)
        if subjects is None or answer.free is None:
            return []
        lockout = self.guesses.lockout(subjects, facts.now)
        if lockout is not None:
            return [attempt_message(answer.decision, len(cart.codes), lockout)]
        failed = failed_codes(facts.digests_of(cart), answer.decision, answer.free)
        self.guesses.blame(subjects, failed, facts.now)
        return []
