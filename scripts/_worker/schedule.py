"""The database as a worker uses it between crawls: the schedule of one company."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from _support.crawls import product_spiders
from sqlalchemy import Connection, Engine, Row, select

from models.database.retry import retried
from models.runs.leases import FAILURE_DELAY, Holder
from models.scheduling import due
from models.scheduling.fates import Fate, fate
from models.scheduling.merges import merge
from models.scheduling.taking import Taken, give_back, take
from models.slots.building import build
from models.tables import companies
from splitcart.grouping.rules import Rules as GroupRules
from splitcart.periods import Flip
from splitcart.scheduling.due import Facts
from splitcart.scheduling.rule import Queue, Rules

T = TypeVar("T")


def spider_of(company: str) -> str:
    """The spider of a company, given its name or slug in any case. Raises ValueError where there is none."""
    spiders = product_spiders()
    for name, spider in spiders.items():
        if company.casefold() in (name.casefold(), spider.chain.COMPANY.casefold()):
            return name
    raise ValueError(f"company {company!r} is unknown; there is {', '.join(spiders)}")


@dataclass(frozen=True, slots=True)
class CompanySchedule:
    """The schedule of the company of `spider`. The company has no row until its first run."""

    engine: Engine
    spider: str
    rules: Rules
    clock: Callable[[], datetime]
    holder: Holder
    lease_seconds: int = 120
    failure_delay: timedelta = FAILURE_DELAY

    def take(self) -> Taken | Queue:
        """The next store, leased; or the queue, which holds the reasons why there is none."""
        company = self._company()
        if company is None:
            return Queue((), {})
        return take(
            self.engine,
            company,
            self.rules,
            self.clock(),
            holder=self.holder,
            lease_seconds=self.lease_seconds,
            failure_delay=self.failure_delay,
        )

    def give_back(self, taken: Taken) -> None:
        """Ends the lease of a store whose crawl could not begin, and counts a failure of the store."""
        company = self._company()
        assert company is not None
        give_back(self.engine, company.id, taken, self.clock(), self.failure_delay)

    def facts(self) -> Facts:
        """What the database holds of the company's locator runs, complete runs and merges."""
        company = self._company()
        if company is None:
            return Facts()
        return self._read(lambda connection: due.facts(connection, company, self.clock()), "reading what is due")

    def last_run(self, store_code: str) -> int:
        """The id of a store's latest run; 0: none."""
        company = self._company()
        if company is None:
            return 0
        return self._read(lambda c: due.last_run(c, company.id, store_code), f"reading the runs of {store_code}")

    def run_after(self, store_code: str, run_id: int) -> Row[Any] | None:
        """The row of a store's first run after `run_id`; None where there is none."""
        company = self._company()
        if company is None:
            return None
        return self._read(
            lambda c: due.run_after(c, company.id, store_code, run_id), f"reading the run of {store_code}"
        )

    def fate(self, store_code: str, token: str | None, run_id: int) -> Fate:
        """The state of a crawl that was handed to a node, by the store's runs after `run_id` and by its lease."""
        company = self._company()
        if company is None:  # the locator that makes its row has not begun
            return "starting"
        now, who = self.clock(), self.holder
        return self._read(
            lambda c: fate(c, company.id, store_code, token=token, after=run_id, now=now, holder=who),
            f"reading the run of {store_code}",
        )

    def merge(self) -> dict[str, int]:
        """Merges the groups, then builds the marked slots; returns counts. Raises MergeHeld while another merges."""
        company = self._company()
        assert company is not None
        rules = GroupRules(flip=Flip(company.flip_weekday, company.flip_hour))
        done = merge(self.engine, company, rules, self.clock, self.holder)
        counts = ("groups_before", "groups_after", "merged", "ejected", "put_off")
        return {name: getattr(done, name) for name in counts} | {"slots": build(self.engine).rows}

    def _company(self) -> Row[Any] | None:
        wanted = select(companies).where(companies.c.slug == self.spider.lower())
        return self._read(lambda connection: connection.execute(wanted).one_or_none(), f"reading {self.spider}")

    def _read(self, work: Callable[[Connection], T], what: str) -> T:
        def reading() -> T:
            with self.engine.connect() as connection:
                return work(connection)

        return retried(self.engine, reading, what=what)
