"""The device, from the channel and the user agent."""

import pytest

from services.evaluator.device import device_of
from shared.events.values import Channel, Device

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
IPAD = "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1"
PIXEL = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Mobile Safari/537.36"
TAB = "Mozilla/5.0 (Linux; Android 13; SM-X700) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Safari/537.36"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Safari/537.36"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15"


@pytest.mark.parametrize(
    ("channel", "user_agent", "device"),
    [
        ("till", None, "till"),
        ("app", PIXEL, "app"),
        ("web", IPHONE, "mobile"),
        ("web", IPAD, "tablet"),
        ("web", PIXEL, "mobile"),
        ("web", TAB, "tablet"),
        ("web", WINDOWS, "desktop"),
        ("web", MAC, "desktop"),
        ("web", "curl/8.0", "other"),
        ("web", None, "other"),
    ],
)
def test_the_device(channel: Channel, user_agent: str | None, device: Device) -> None:
    assert device_of(channel, user_agent) == device
