"""What the parts of one crawl share: one of each, and no longer than the crawler."""

import pytest
from scrapy.exceptions import NotConfigured

from pipelines.unit_of_work import UnitOfWorkPipeline
from splitcart_spiders.extensions.staging import Staging
from splitcart_spiders.middlewares.gate import Gate
from splitcart_spiders.middlewares.host_rate import HostRate
from splitcart_spiders.middlewares.hosts import Hosts
from splitcart_spiders.shared import Shared
from tests.support.manners import crawler_with


@pytest.mark.parametrize("kind", [Gate, HostRate, Hosts])
def test_a_crawler_has_one_of_each_and_shares_it_with_no_other(kind):
    one, other = crawler_with(), crawler_with()
    assert type(kind.of(one)) is kind
    assert kind.of(one) is kind.of(one)
    assert kind.of(one) is not kind.of(other)


def test_the_last_pipeline_stages_into_the_run_that_an_extension_set():
    crawler = crawler_with()
    with pytest.raises(NotConfigured, match="no extension owns a run"):
        UnitOfWorkPipeline.from_crawler(crawler)
    Shared.of(crawler).run = staging = Staging()
    assert UnitOfWorkPipeline.from_crawler(crawler).run is staging
