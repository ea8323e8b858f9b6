"""The processing period in words."""

from services.emission.sentence.writer import Writer
from shared.events.promotion import Calendar, Consecutive, ProcessingPeriod, Rolling


def looking_back(writer: Writer, period: ProcessingPeriod) -> str:
    """The part of it that history is counted over: "in the last 30 days"."""
    match period:
        case Rolling(days=days):
            return writer.counted("last days", days)
        case Calendar(unit=unit):
            return writer.say(f"this {unit}")
        case Consecutive(days=days):
            return writer.counted("current days", days)
        case _:
            return writer.say("this campaign")


def each(writer: Writer, period: ProcessingPeriod) -> str:
    """Over which limits count anew: "in each calendar week"; nothing for the campaign's."""
    match period:
        case Rolling(days=days):
            return writer.counted("any days", days)
        case Calendar(unit=unit):
            return writer.say(f"each {unit}")
        case Consecutive(days=days):
            return writer.counted("each days", days)
        case _:
            return ""
