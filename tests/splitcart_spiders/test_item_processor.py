"""The runner of the stages: in order, sync or async, and every stage is of the kind that it runs."""

import asyncio
import inspect

import pytest
from scrapy.exceptions import DropItem
from scrapy.utils.misc import load_object
from scrapy.utils.project import get_project_settings
from scrapy.utils.test import get_crawler

from splitcart_spiders.item_processor import StageRunner


class Plain:
    def process_item(self, item: list[str]) -> list[str]:
        return [*item, "plain"]


class PlainAgain(Plain):
    """The same again: a setting names a class once."""


class Awaited:
    async def process_item(self, item: list[str]) -> list[str]:
        return [*item, "awaited"]


class Dropping:
    def process_item(self, item: list[str]) -> list[str]:
        raise DropItem("dropped")


def run(*stages: type) -> list[str]:
    crawler = get_crawler(settings_dict={"ITEM_PIPELINES": {stage: n for n, stage in enumerate(stages)}})
    return asyncio.run(StageRunner.from_crawler(crawler).process_item_async([]))


def test_stages_run_in_order_and_are_awaited_where_they_have_to_be() -> None:
    assert run(Plain, Awaited, PlainAgain) == ["plain", "awaited", "plain"]


def test_a_dropped_item_goes_no_further() -> None:
    with pytest.raises(DropItem):
        run(Plain, Dropping, Awaited)


def test_every_stage_takes_the_item_alone() -> None:
    for stage in get_project_settings().getdict("ITEM_PIPELINES"):
        assert list(inspect.signature(load_object(stage).process_item).parameters) == ["self", "item"]
