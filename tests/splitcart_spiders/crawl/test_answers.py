"""What a failed request is called in the run row."""

import pytest
from scrapy import Request
from scrapy.exceptions import DownloadCancelledError, DownloadFailedError
from twisted.python.failure import Failure

from splitcart_spiders.crawl.answers import describe


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (DownloadCancelledError(), "sent more than DOWNLOAD_MAXSIZE allows"),
        (DownloadFailedError("reset"), "reset"),
        (OverflowError(), "OverflowError"),
    ],
)
def test_every_failure_is_described_in_words(error, words):
    failure = Failure(error)
    failure.request = Request("https://a.example/x")
    assert describe(failure).startswith("https://a.example/x")
    assert describe(failure).endswith(words)
