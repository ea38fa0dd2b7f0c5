"""The plan's page in a real Chromium: on a desk, on a phone and on paper, and harmless whatever names are in it."""

import json
import os
import re
from html.parser import HTMLParser
from importlib.resources import files

import pytest
import split_cart
from playwright.sync_api import sync_playwright

from splitcart_spiders.sessions.browser import chromium_path
from tests.support import cart_worlds, carts
from tests.support.manners import crawler_with

HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(2)> & 'x' \u202e"
DEPARTMENTS = ("Dairy", "Bakery", "Fruit & Veg", None)


def document(names=None):
    found, _ = cart_worlds.world(2, 14, 6, offers=0.5)
    for line in found["lines"]:
        for option in line["options"]:
            option["department"] = DEPARTMENTS[line["line"] % 4]
            option["source"] = ("own", "contested", "inferred")[line["line"] % 3]
            option["unit_price"], option["unit_of_measure"] = 7.4, "kg"
            option["product_name"] = names or option["product_name"]
    found["lines"].append(carts.line(15, [], item=names or "gtin:9300675024235"))
    return found


def made(folder, found, *options):
    slots, page = folder / "slots.json", folder / "plan.html"
    slots.write_text(json.dumps(found))
    assert split_cart.main(["--slots", str(slots), "--html", str(page), "--max-stores", "4", "--csv", *options]) == 0
    return page


@pytest.fixture(scope="module")
def browser():
    options = {"args": ["--no-sandbox"] if os.geteuid() == 0 else []}
    path = chromium_path(crawler_with({"CHROMIUM": os.environ.get("CHROMIUM")}).settings)
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(**options, **({"executable_path": path} if path else {}))
        yield chromium
        chromium.close()


def opened(browser, page, width, height):
    """The page at a size, and the messages of its console."""
    view = browser.new_page(viewport={"width": width, "height": height})
    messages = []
    view.on("console", lambda message: messages.append(message.text))
    view.on("pageerror", lambda error: messages.append(str(error)))
    view.on(
        "request",
        lambda request: messages.append(request.url) if not request.url.startswith(("file:", "data:")) else None,
    )
    view.goto(page.as_uri())
    return view, messages


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)])
def test_the_page_opens_without_an_error_and_axe_reports_nothing_serious(browser, tmp_path, width, height):
    view, messages = opened(browser, made(tmp_path, document()), width, height)
    assert view.evaluate("document.documentElement.scrollWidth") <= width
    assert view.locator("h1").inner_text() == "Shopping plan"
    axe = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    view.evaluate(axe)
    found = view.evaluate("axe.run()")
    assert [(each["id"], each["impact"]) for each in found["violations"]] == []
    assert len(found["passes"]) > 10
    assert messages == []
    view.close()


def test_the_printed_page_has_all_that_is_bought_within_the_paper(browser, tmp_path):
    view, messages = opened(browser, made(tmp_path, document()), 718, 1000)
    view.emulate_media(media="print")
    assert view.evaluate("document.documentElement.scrollWidth") <= 718
    assert view.locator(".goods li").count() == 14
    assert view.pdf(format="A4").startswith(b"%PDF")
    assert messages == []
    view.close()


def test_names_from_outside_are_text_of_the_page(browser, tmp_path):
    found = document(HOSTILE)
    for store in found["stores"]:
        store["store_name"] = store["company_name"] = store["store_address"] = HOSTILE
    page = made(tmp_path, found)
    view, messages = opened(browser, page, 1280, 900)
    assert view.locator("script").count() == view.locator("img").count() == 0
    assert "<script>alert(1)</script>" in view.locator(".goods li").first.inner_text()
    assert "\u202e" not in page.read_text()
    assert messages == []
    view.close()


class Headings(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found, self.level = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.level = tag if re.fullmatch("h[1-6]", tag) else ""

    def handle_data(self, data):
        if self.level:
            self.found.append((self.level, data))
            self.level = ""


def test_goods_stand_by_store_and_then_by_department_in_order(tmp_path):
    headings = Headings(made(tmp_path, document()).read_text()).found
    stores = [text for level, text in headings if level == "h2"][1:-2]
    assert len(stores) >= 2
    for store in stores:
        at = headings.index(("h2", store)) + 1
        end = next(place for place in range(at, len(headings)) if headings[place][0] == "h2")
        departments = [text for _, text in headings[at:end]]
        assert departments
        assert departments == sorted(departments, key=lambda name: (name == "Other", name))


def test_the_page_needs_nothing_from_elsewhere(tmp_path):
    text = made(tmp_path, document()).read_text()
    assert re.findall(r"(?:src|href)=\"(?!data:)[^\"]*\"|url\(|@import", text) == []
    assert "default-src 'none'" in text


def test_the_chart_has_a_bar_for_each_number_of_stores_and_states_it_in_words(tmp_path):
    text = made(tmp_path, document()).read_text()
    assert text.count("<rect") == 8
    assert re.search(r'aria-label="Total by the number of stores allowed\. 1: \$[0-9.]+; 2: ', text)


def test_a_list_that_cannot_be_planned_still_has_a_page(browser, tmp_path):
    fees = tmp_path / "fees.toml"
    fees.write_text("".join(f"[{company}]\nminimum_cents = 9000000\n" for company in carts.COMPANIES))
    page = made(tmp_path, document(), "--fees", str(fees))
    view, messages = opened(browser, page, 390, 844)
    assert "There is no plan" in view.locator("main").inner_text()
    assert messages == []
    view.close()
