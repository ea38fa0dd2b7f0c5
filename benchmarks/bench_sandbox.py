"""How many listing pages the sandbox serves on one core, once they are rendered: it must not slow a crawl down."""

import http.client
import json
import os
import time
from collections.abc import Iterable
from urllib.parse import urlsplit

from benchmarks.bench_crawl import sandbox
from benchmarks.figures import Figure, row

PRODUCTS, PAGES, ROUNDS = 5000, 10, 100
BROWSE = "/woolworths/apis/ui/browse/category"
AIM = 300


def cpu_seconds(pid: int) -> float:
    """CPU seconds that the process has used so far, by the kernel's count."""
    with open(f"/proc/{pid}/stat") as stat:
        user, system = stat.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def send(connection: http.client.HTTPConnection, cookie: str, store: str, category: str, page: int) -> int:
    """Requests one listing page; returns how many products it has."""
    body = {"categoryId": category, "pageNumber": page, "pageSize": 24, "sortType": "Name", "storeId": store}
    headers = {"Content-Type": "application/json", "Cookie": cookie}
    connection.request("POST", BROWSE, json.dumps(body | {"isHideEverydayMarketProducts": True}), headers)
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != 200:
        raise SystemExit(f"the sandbox answered {answer.status} to page {page} of {category}")
    return sum(len(bundle["Products"]) for bundle in json.loads(text)["Bundles"] or [])


def run() -> Iterable[Figure]:
    """Listing pages a second of the sandbox's own CPU time, every body rendered before."""
    with sandbox(PRODUCTS) as (url, store, pid):
        connection = http.client.HTTPConnection(urlsplit(url).netloc)
        connection.request("GET", "/woolworths/")
        answer = connection.getresponse()
        answer.read()
        cookie = "; ".join(value.partition(";")[0] for value in answer.headers.get_all("Set-Cookie", []))
        asked = [("1_39FD49C", page) for page in range(1, PAGES + 1)]
        products = sum(send(connection, cookie, store, *one) for one in asked)
        began, used = time.perf_counter(), cpu_seconds(pid)
        for _ in range(ROUNDS):
            for one in asked:
                send(connection, cookie, store, *one)
        used, seconds = cpu_seconds(pid) - used, time.perf_counter() - began
        connection.close()
    pages = ROUNDS * len(asked)
    speed, name = pages / used, "sandbox: listing pages a second of one core"
    against = f"{AIM} pages/s; {pages / seconds:,.0f} by the clock, {products / len(asked):.0f} products a page"
    yield row(name, round(speed), "pages/s", against, round(speed / AIM, 2), f">= {AIM} pages/s", speed >= AIM)
