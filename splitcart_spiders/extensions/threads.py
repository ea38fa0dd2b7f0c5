"""Runs blocking work in a thread of its own that never keeps the process alive."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


async def in_daemon_thread(work: Callable[..., T], *arguments: Any) -> T:
    """Return the result of `work(*arguments)`, or raise its error.

    As asyncio.to_thread, but in a daemon thread: if a database never answers, the caller may stop waiting
    (asyncio.wait_for) and the process may exit. The threads of an executor would be joined at exit.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(settler: Callable[[Any], None], outcome: Any) -> None:
        if not future.done():  # the caller may have stopped waiting
            settler(outcome)

    def run() -> None:
        settler: Callable[[Any], None] = future.set_result
        outcome: Any = None
        try:
            outcome = work(*arguments)
        except BaseException as error:  # noqa: BLE001 - the caller gets it, whatever it is
            settler, outcome = future.set_exception, error
        with contextlib.suppress(RuntimeError):  # the loop is closed: the process is ending
            loop.call_soon_threadsafe(settle, settler, outcome)

    threading.Thread(target=run, name=f"daemon-{getattr(work, '__name__', 'work')}", daemon=True).start()
    return await future
