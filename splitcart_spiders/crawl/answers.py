"""Reads answers and failures of requests: JSON bodies, error statuses, and a line about the failure."""

import json
from typing import Any

from scrapy import Request
from scrapy.exceptions import DownloadCancelledError
from scrapy.http import Response
from scrapy.spidermiddlewares.httperror import HttpError
from twisted.python.failure import Failure

from splitcart_spiders.errors import CatalogueError


def decoded(response: Response) -> Any:
    """The JSON body of a response; raises CatalogueError for anything else."""
    try:
        return json.loads(response.body)
    except (ValueError, RecursionError):
        raise CatalogueError(f"{response.url} sent {len(response.body)} bytes that are not JSON") from None


def request_of(failure: Failure) -> Request:
    """The request whose errback received the failure; Scrapy sets it."""
    request = failure.request  # type: ignore[attr-defined]
    assert isinstance(request, Request)
    return request


def status_of(error: BaseException | None) -> int | None:
    """The error status of the response, if that is the error."""
    if isinstance(error, HttpError):
        return error.response.status
    return error.status if isinstance(error, CatalogueError) else None


def describe(failure: Failure) -> str:
    """One line for the run row: what failed, where."""
    error, url = failure.value, request_of(failure).url
    if isinstance(error, HttpError):
        return f"{url} answered {error.response.status}"
    if isinstance(error, DownloadCancelledError):  # Scrapy gives its reason in the log only
        return f"{url} sent more than DOWNLOAD_MAXSIZE allows"
    return f"{url}: {str(error) or type(error).__name__}"
