"""How many customers a definition is met by, from some of them."""

from dataclasses import dataclass
from math import sqrt

_Z = 1.96  # 95%


@dataclass(frozen=True)
class Estimate:
    """``matching`` of ``looked_at`` customers, who are all of ``customers`` or a random part of them."""

    matching: int
    looked_at: int
    customers: int

    @property
    def exact(self) -> bool:
        """Whether every customer was looked at."""
        return self.looked_at >= self.customers

    @property
    def expected(self) -> int:
        """How many there are of all customers."""
        if self.exact or not self.looked_at:
            return self.matching
        return (self.matching * self.customers + self.looked_at // 2) // self.looked_at

    @property
    def interval(self) -> tuple[int, int]:
        """Between which numbers that is, with 95% certainty.

        Wilson's interval (E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
        JASA 22, 1927): it is right for shares near none and all, too.
        """
        if self.exact:
            return self.matching, self.matching
        if not self.looked_at:
            return 0, self.customers
        n, share = self.looked_at, self.matching / self.looked_at
        middle = share + _Z**2 / (2 * n)
        spread = _Z * sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
        low, high = ((middle + side * spread) / (1 + _Z**2 / n) for side in (-1, 1))
        return max(self.matching, int(low * self.customers)), min(
            self.customers, int(high * self.customers) + 1
        )
