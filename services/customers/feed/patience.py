"""How long a receiver that does not take what it is sent is left alone."""

FIRST_S = 1.0
LONGEST_S = 300.0
_DOUBLINGS = 16  # more are beyond any bound, and at last beyond what a float can be


def delay_s(failures: int, chance: float, asked_s: float = 0.0) -> float:
    """Seconds until the next attempt after ``failures`` (from 1) in a row: twice as long each time, up to a bound.

    Half of it is left to ``chance`` (0 to 1): receivers that failed together are not met by everybody at once again.
    ``asked_s`` is what the receiver itself asked for; it gets that, up to the same bound.
    """
    longest = min(FIRST_S * 2.0 ** min(failures - 1, _DOUBLINGS), LONGEST_S)
    return max(longest * (1 + chance) / 2, min(asked_s, LONGEST_S))
