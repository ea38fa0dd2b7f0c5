"""What a resume may skip: categories that ended and whose rows the database has, and none of a probe."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from splitcart.runs.verdict import Gates, is_proven
from splitcart_spiders.crawl.walk import CategoryWalk, Node, Page
from splitcart_spiders.extensions.staging import Staging


@pytest.mark.parametrize(("probe", "resumable"), [(None, ["tins"]), (8, [])])
def test_a_page_past_the_end_in_a_probe_proves_nothing_to_a_resumed_run(probe, resumable):
    walk = CategoryWalk(Node("tins", ("Tins",)), page_size=36)
    walk.take(Page([], ended=True), [])
    assert is_proven(walk.category(), Gates())
    staging = Staging()
    walker = SimpleNamespace(walks={"tins": walk}, unfinished=set(), yielded=0)
    staging.spider = cast(Any, SimpleNamespace(walker=walker, probe=probe))
    staging.writer = cast(Any, SimpleNamespace(accepted=0, staged=0, quarantined=0))
    beats = [staging.ended_and_staged(), staging.ended_and_staged()]
    assert [category.key for category in beats[1]] == resumable
