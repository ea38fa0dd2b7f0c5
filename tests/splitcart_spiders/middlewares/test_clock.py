import asyncio
from datetime import timedelta

from splitcart_spiders.middlewares.clock import Clock


def test_a_sleep_is_never_shorter_than_asked():
    clock = Clock()
    before = clock.monotonic()
    asyncio.run(clock.sleep(0.01))
    assert clock.monotonic() - before >= 0.01


def test_the_time_of_day_is_aware_utc():
    assert Clock().now().utcoffset() == timedelta(0)
