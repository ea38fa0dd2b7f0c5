"""What the parts of one crawl share, one of each a crawler: its run, its gate, its rate, its hosts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from scrapy.crawler import Crawler

from splitcart_spiders.items import BarcodeItem, StoreItem

T = TypeVar("T")


class Run(Protocol):
    """Where the last pipeline puts what a run keeps."""

    async def stage(self, row: dict[str, Any]) -> None: ...

    async def stage_barcode(self, item: BarcodeItem) -> None: ...

    async def stage_store(self, item: StoreItem) -> None: ...

    async def end_staging(self) -> None: ...


@dataclass
class Shared:
    """Take a crawler's by `Shared.of(crawler)`. The crawler itself keeps it, so that both end together: what is shared
    knows its crawler, and a dictionary of crawlers, also a weak one, would keep every crawler alive."""

    run: Run | None = None
    """Set by the extension that owns the run of the spider; None: no extension does."""
    _made: dict[type, object] = field(default_factory=dict)

    @classmethod
    def of(cls, crawler: Crawler) -> "Shared":
        """The crawler's own, empty on first use."""
        shared = vars(crawler).setdefault("splitcart", cls())
        assert isinstance(shared, cls)
        return shared

    def one(self, kind: type[T], make: Callable[[], T]) -> T:
        """The only one of its kind, made on first use."""
        made = self._made.get(kind)
        if not isinstance(made, kind):
            made = self._made[kind] = make()
        return made
