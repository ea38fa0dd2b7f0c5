"""The clock of the middlewares; tests pass another."""

import asyncio
import time
from datetime import UTC, datetime


class Clock:
    """The machine's clocks. Seconds everywhere."""

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back."""
        return time.monotonic()

    def now(self) -> datetime:
        """The UTC time of day, aware."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Return after at least `seconds`."""
        await asyncio.sleep(seconds)
