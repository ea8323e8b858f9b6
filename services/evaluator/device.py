"""Which kind of device a cart came from."""

from functools import lru_cache

from ua_parser import parse

from shared.events.values import Channel, Device

_SYSTEMS: dict[str, Device] = {
    "Windows": "desktop",
    "Mac OS X": "desktop",
    "Linux": "desktop",
    "Ubuntu": "desktop",
    "Chrome OS": "desktop",
}


@lru_cache(maxsize=10_000)
def device_of(channel: Channel, user_agent: str | None) -> Device:
    """Tills and apps say so themselves; a browser tells by its user agent (ua-parser)."""
    if channel != "web":
        return channel
    if user_agent is None:
        return "other"
    found = parse(user_agent)
    family = found.device.family if found.device else ""
    system = found.os.family if found.os else ""
    if system == "iOS":
        return "tablet" if family == "iPad" else "mobile"
    if system == "Android":
        # Android's own rule: phones say "Mobile", tablets do not.
        return "mobile" if "Mobile" in user_agent else "tablet"
    return _SYSTEMS.get(system, "other")
