"""BG/NBD: buyers who buy at a rate of their own until, after some purchase, they stay away for good.

Fader, Hardie and Lee (2005), "'Counting Your Customers' the Easy Way: An Alternative to the Pareto/NBD
Model", Marketing Science 24(2). A customer has bought ``x`` times after the first, the last time ``t_x`` days
after it, and is known for ``T`` days. While they come, purchases are a Poisson process; rates are gamma
(``r``, ``α``) among customers, and the probability to stay away after a purchase is beta (``a``, ``b``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln, hyp2f1

from services.customers.forecast.history import History, Reals

_STARTS = ((1.0, 10.0, 1.0, 1.0), (1.0, 30.0, 0.1, 5.0), (2.0, 20.0, 0.5, 20.0))
_BOUND = 12.0
_SINGULAR = 1e-6
"""``a − 1`` divides: an ``a`` of one is moved by so much."""


class Seen(NamedTuple):
    """Purchases after the first, days from it to the last, and to the history's end."""

    x: Reals
    t_x: Reals
    known: Reals


def seen(history: History) -> Seen:
    """The sufficient statistics of customers who have bought at least once. A day's trips are at its middle."""
    bought = history.trips > 0
    first = bought.argmax(axis=1).astype(np.float64)
    last = history.days - 1.0 - bought[:, ::-1].argmax(axis=1)
    x = np.maximum(history.counted(0, history.days) - 1.0, 0.0)
    return Seen(x, last - first, history.days - 0.5 - first)


def log_likelihood(parameters: Reals, of: Seen) -> float:
    """The mean over customers; ``parameters``: r, α, a, b."""
    r, alpha, a, b = parameters
    x = of.x
    shared = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    stays = gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x)
    comes = -(r + x) * np.log(alpha + of.known)
    repeat = np.maximum(x, 1.0)
    left = np.log(a) - np.log(b + repeat - 1.0) - (r + x) * np.log(alpha + of.t_x)
    either = np.logaddexp(comes, np.where(x > 0, left, -np.inf))
    return float(np.mean(shared + stays + either))


@dataclass(frozen=True)
class BgNbd:
    """By maximum likelihood, from three starts: the likelihood has flat ridges."""

    name: str = "bg-nbd"

    def fit(self, history: History) -> "FittedBgNbd":
        """Find the parameters that make the history of those who have bought most likely."""
        of = seen(history.of(history.known()))

        def loss(logarithms: Reals) -> float:
            return -log_likelihood(np.exp(logarithms), of)

        found = [
            minimize(loss, np.log(start), method="L-BFGS-B", bounds=[(-_BOUND, _BOUND)] * 4)
            for start in _STARTS
        ]
        r, alpha, a, b = np.exp(min(found, key=lambda one: float(one.fun)).x)
        return FittedBgNbd(float(r), float(alpha), float(a), float(b))


@dataclass(frozen=True)
class FittedBgNbd:
    """The parameters found."""

    r: float
    alpha: float
    a: float
    b: float

    def trips(self, history: History, days: int) -> Reals:
        """Expected purchases in ``days`` more, given what was seen.

        Euler's transformation of 2F1 (DLMF 15.8.1) keeps it finite for customers with hundreds of purchases.
        """
        of, r, alpha, b = seen(history), self.r, self.alpha, self.b
        a = self.a if abs(self.a - 1.0) > _SINGULAR else 1.0 + _SINGULAR
        x = of.x
        z = days / (alpha + of.known + days)
        # hyp2f1(r + x, b + x, a + b + x - 1, z) · (1 - z)^(r + x)
        term = (1.0 - z) ** (a - 1.0) * hyp2f1(a + b - 1.0 - r, a - 1.0, a + b + x - 1.0, z)
        result: Reals = (a + b + x - 1.0) / (a - 1.0) * (1.0 - term) * self._comes(of)
        return result

    def chance(self, history: History, days: Sequence[int]) -> Reals:
        """Still coming, and the waiting time of a gamma mixture of Poisson processes: 1 − ((α+T)/(α+T+t))^(r+x)."""
        of = seen(history)
        since = (self.alpha + of.known)[:, None]
        waits = -np.expm1(
            (self.r + of.x)[:, None]
            * (np.log(since) - np.log(since + np.asarray(days, np.float64)[None, :]))
        )
        result: Reals = self._comes(of)[:, None] * waits
        return result

    def _comes(self, of: Seen) -> Reals:
        """The probability that a customer has not stayed away."""
        repeat = np.maximum(of.x, 1.0)
        odds = (
            self.a
            / (self.b + repeat - 1.0)
            * np.exp(
                (self.r + of.x) * (np.log(self.alpha + of.known) - np.log(self.alpha + of.t_x))
            )
        )
        result: Reals = 1.0 / (1.0 + np.where(of.x > 0, odds, 0.0))
        return result
