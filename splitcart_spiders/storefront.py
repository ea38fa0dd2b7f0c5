"""The base of every spider: which chain's storefront it reads, and the attributes that other parts of a crawl read."""

from collections.abc import Set
from datetime import datetime
from typing import Any, ClassVar, Protocol

from scrapy import Spider
from scrapy.settings import BaseSettings

from splitcart.periods import Flip
from splitcart.timezones import DEFAULT_ZONE
from splitcart_spiders.arguments import refuse_unknown, trusts_clock, truth
from splitcart_spiders.items import Drop, ProductItem
from splitcart_spiders.limits import check_settings


class ToItem(Protocol):
    """`to_item` of a chain's mapping."""

    def __call__(
        self,
        record: object,
        *,
        store_id: str,
        now: datetime,
        category_path: tuple[str, ...] = (),
        sponsored: bool | None = None,
        **options: bool,
    ) -> ProductItem | Drop:
        """The item of one record, or why there is none. Never raises. options: those of the chain's own mapping."""


class Mapping(Protocol):
    """A chain's mapping: a module of splitcart_spiders.chains."""

    @property
    def COMPANY(self) -> str:
        """The company's name, as people know it."""

    @property
    def SLUG(self) -> str:
        """The company's key."""

    @property
    def SKIP_ROOTS(self) -> Set[str]:
        """Roots of the category tree that are never crawled: keys, slugs or names, casefolded."""

    @property
    def PROMO_ROOTS(self) -> frozenset[str]:
        """Roots of campaigns and seasons, in the same way."""

    @property
    def to_item(self) -> ToItem:
        """Makes an item of one record."""

    def records(self, body: object) -> list:
        """The raw records of one decoded listing answer. Never raises."""


class StorefrontSpider(Spider):
    """A spider of one chain, with the two arguments and the checks of settings that all of them share."""

    chain: Mapping
    hosts: ClassVar[frozenset[str]] = frozenset()
    """Hosts that are asked besides those of the first requests; requests and redirects to any other end the crawl."""
    flip: ClassVar[Flip] = Flip()
    """When the company's weekly specials change, in the store's own time."""
    timezone: ClassVar[str] = DEFAULT_ZONE
    """The time zone of a store whose own is not known yet."""
    store_code = ""
    """The chain's own id of the store that is crawled."""

    def __init__(self, *, dev: str | None = None, clock: str | None = None, **kwargs: Any) -> None:
        refuse_unknown(type(self), kwargs)
        super().__init__(**kwargs)
        self.dev = truth(dev, "dev")
        """Whether the sandbox is asked instead of the chain."""
        self.trusts_clock = trusts_clock(clock)

    @classmethod
    def update_settings(cls, settings: BaseSettings) -> None:
        super().update_settings(settings)
        check_settings(settings)
        settings.set("USER_AGENT", user_agent(settings), priority="project")


def user_agent(settings: BaseSettings) -> str:
    """The one User-Agent of spiders, locators and the browser: a name, and a contact."""
    name = f"{settings['BOT_NAME']}/{settings['BOT_VERSION']}"
    return f"{name} (grocery price research; contact: {settings['CONTACT']})"
