"""Objects that the parts of one crawl share, one of each per crawler: its run, gate, rate and hosts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from scrapy.crawler import Crawler

from splitcart_spiders.items import BarcodeItem, StoreItem

T = TypeVar("T")


class Run(Protocol):
    """Where the last pipeline puts the rows of a run."""

    async def stage(self, row: dict[str, Any]) -> None: ...

    async def stage_barcode(self, item: BarcodeItem) -> None: ...

    async def stage_store(self, item: StoreItem) -> None: ...

    async def end_staging(self) -> None: ...


@dataclass
class Shared:
    """The shared objects of a crawler: `Shared.of(crawler)`. Stored on the crawler itself. A WeakKeyDictionary would
    leak, because the values refer to their keys."""

    run: Run | None = None
    """Set by the extension that owns the spider's run; None: no extension does."""
    _made: dict[type, object] = field(default_factory=dict)

    @classmethod
    def of(cls, crawler: Crawler) -> "Shared":
        """The shared objects of the crawler, made on first use."""
        shared = vars(crawler).setdefault("splitcart", cls())
        assert isinstance(shared, cls)
        return shared

    def one(self, kind: type[T], make: Callable[[], T]) -> T:
        """The only one of its kind, made on first use."""
        made = self._made.get(kind)
        if not isinstance(made, kind):
            made = self._made[kind] = make()
        return made
