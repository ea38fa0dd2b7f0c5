"""What each stage of the pipeline promises, without a crawler."""

from datetime import UTC, datetime

import pytest
from scrapy.exceptions import DropItem

from pipelines.clean import CleanPipeline
from pipelines.duplicates import DuplicatesPipeline
from pipelines.price import PricePipeline
from pipelines.stage import Dropped
from pipelines.validate import ValidatePipeline
from splitcart_spiders.items import CategoryItem, ProductItem
from tests.support.stages import Tally

NOW = datetime(2026, 11, 23, tzinfo=UTC)
ALL = (ValidatePipeline, CleanPipeline, PricePipeline, DuplicatesPipeline)


def product(**fields):
    known = {"company": "IGA", "store_id": "32600", "sku": "31218", "name": "Milk", "price_cents": 335}
    return ProductItem(**{**known, "scraped_at": NOW, **fields})


def through(stage_class, *items):
    """The items that came through, the counted events, and the reasons of the drops."""
    tally = Tally()
    stage = stage_class(tally)
    kept, dropped = [], []
    for item in items:
        try:
            kept.append(stage.process_item(item))
        except Dropped as drop:
            dropped.append(drop.reason)
    return kept, tally.short(), dropped


@pytest.mark.parametrize("stage_class", ALL)
def test_other_items_pass_untouched(stage_class):
    category = CategoryItem(company="IGA", store_id="32600", key="Bakery", path=("Bakery",))
    kept, counts, _ = through(stage_class, category)
    assert kept == [category]
    assert kept[0] is category
    assert counts == {}


@pytest.mark.parametrize("stage_class", ALL)
def test_a_sound_product_passes_every_stage_unchanged(stage_class):
    kept, counts, dropped = through(stage_class, product())
    assert (kept, counts, dropped) == ([product()], {}, [])


def test_a_drop_of_a_stage_is_scrapys_drop_item():
    assert issubclass(Dropped, DropItem)


@pytest.mark.parametrize("stage_class", ALL)
def test_a_stage_takes_its_statistics_from_the_crawler(stage_class):
    crawler = type("Crawler", (), {"stats": Tally()})()
    assert stage_class.from_crawler(crawler).stats is crawler.stats


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"sku": " "}, "no_sku"),
        ({"sku": 31218}, "no_sku"),
        ({"sku": "9" * 65}, "bad_id"),
        ({"company": ""}, "no_company"),
        ({"store_id": None}, "no_store_id"),
        ({"price_basis": "l"}, "bad_price_basis"),
        ({"price_basis": None}, "bad_price_basis"),
        ({"scraped_at": None}, "no_time"),
        ({"scraped_at": datetime(2026, 11, 23)}, "no_time"),
    ],
)
def test_validate_drops_and_counts_what_cannot_be_used(fields, reason):
    assert through(ValidatePipeline, product(**fields)) == ([], {f"validate/{reason}": 1}, [reason])


@pytest.mark.parametrize("price", [0, -1, 3.35, True, 10_000_001, "3.35", {}])
def test_validate_keeps_a_row_whose_price_cannot_be_true_as_unreadable(price):
    kept, counts, dropped = through(ValidatePipeline, product(price_cents=price))
    assert (kept, dropped) == ([product(price_cents=None, is_unreadable=True)], [])
    assert counts == {"validate/bad_price": 1}


@pytest.mark.parametrize(("name", "counted"), [("", 1), (5, 1), ({}, 1), (None, 0)])
def test_validate_keeps_a_row_whose_name_is_none_as_unreadable(name, counted):
    kept, counts, dropped = through(ValidatePipeline, product(name=name))
    assert (kept, dropped) == ([product(name=None, is_unreadable=True)], [])
    assert counts.get("validate/no_name", 0) == counted


@pytest.mark.parametrize(
    ("field", "value", "default"),
    [
        ("brand", 5, None),
        ("gtin", 9300633963583, None),
        ("size", [], None),
        ("was_price_cents", 4.8, None),
        ("was_price_cents", -4, None),
        ("multibuy_total_cents", "600", None),
        ("multibuy_quantity", 2.0, None),
        ("multibuy_quantity", 10**9, None),
        ("typical_grams", 0, None),
        ("member_price_cents", True, None),
        ("member_multibuy_quantity", 2.0, None),
        ("member_multibuy_total_cents", -5, None),
        ("is_available", None, True),
        ("is_ranged", "yes", True),
        ("sponsored", 1, False),
        ("is_estimated", {}, False),
        ("category_path", ["Bakery"], ()),
        ("category_path", ("Bakery", None), ()),
        ("shelf_unit_price", 0.74, None),
    ],
)
def test_validate_clears_and_counts_a_field_that_cannot_be_true(field, value, default):
    kept, counts, _ = through(ValidatePipeline, product(**{field: value}))
    assert getattr(kept[0], field) == default
    assert counts == {f"validate/cleared_{field}": 1}


@pytest.mark.parametrize(
    ("given", "clean"),
    [
        ({"name": "  Ben &amp; Jerry&#39;s\t Ice\u00a0Cream \x00"}, {"name": "Ben & Jerry's Ice Cream"}),
        ({"name": "Cr\u00e8me \u200bfra\u00eeche"}, {"name": "Cr\u00e8me fra\u00eeche"}),
        ({"name": "n" * 100_000}, {"name": "n" * 300}),
        ({"name": "a &lt; b"}, {"name": "a < b"}),
        ({"name": "a < b > c <3"}, {"name": "a < b > c <3"}),
        ({"name": "Ben &amp;amp; Co"}, {"name": "Ben & Co"}),
        ({"brand": "Ben &amp;amp;amp; Co"}, {"brand": "Ben & Co"}),
        ({"name": "Sample <b>Crunchy</b> Muesli<br>500g"}, {"name": "Sample Crunchy Muesli 500g"}),
        ({"name": "Tea&lt;br /&gt;100 <span class='x'>Pack"}, {"name": "Tea 100 Pack"}),
        ({"size": "500g<br>"}, {"size": "500g"}),
        ({"brand": " \n "}, {"brand": None}),
        ({"size": "6  pack "}, {"size": "6 pack"}),
        ({"sku": " 31218 "}, {"sku": "31218"}),
        ({"gtin": "9300633963583"}, {"gtin": "09300633963583"}),
        ({"gtin": "93006339 63583"}, {"gtin": "09300633963583"}),
        ({"name": "Mac&regal Dollars&cents &amp Salt&#9731"}, {"name": "Mac&regal Dollars&cents &amp Salt&#9731"}),
        ({"name": "&#xe9;&Eacute;&nosuch; &#1114112;"}, {"name": "\u00e9\u00c9&nosuch; \ufffd"}),
        ({"category_path": ("Fruit &amp; Veg", " ", "Fruit")}, {"category_path": ("Fruit & Veg", "Fruit")}),
        ({"url": "https://a.b/milk-31218"}, {"url": "https://a.b/milk-31218"}),
    ],
)
def test_clean_trims_unescapes_and_bounds(given, clean):
    kept, counts, _ = through(CleanPipeline, product(**given))
    assert {field: getattr(kept[0], field) for field in clean} == clean
    assert counts == {}


@pytest.mark.parametrize("name", [" ", "\x00\x01", "&nbsp;", "\u200b"])
def test_clean_keeps_a_row_whose_name_is_nothing_as_unreadable(name):
    kept, counts, dropped = through(CleanPipeline, product(name=name))
    assert (kept, counts, dropped) == ([product(name=None, is_unreadable=True)], {"clean/no_name": 1}, [])


def test_an_unreadable_row_passes_every_stage_without_an_offer():
    rows = [product(price_cents=None, is_unreadable=True, shelf_unit_price="1.00", shelf_unit_measure="1L")]
    for stage in ALL:
        rows, _, dropped = through(stage, *rows)
        assert dropped == []
    assert rows == [product(price_cents=None, is_unreadable=True, is_available=False)]


@pytest.mark.parametrize("gtin", ["9300633963584", "0265178000003", "2000000000008", "notfound", "31218", "0" * 13])
def test_clean_counts_a_refused_barcode(gtin):
    kept, counts, _ = through(CleanPipeline, product(gtin=gtin))
    assert kept[0].gtin is None
    assert counts == {"clean/refused_gtin": 1}


@pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://a.b/c", "https://a b", "https://a/" + "x" * 2000, ""])
def test_clean_keeps_only_web_addresses(url):
    kept, counts, _ = through(CleanPipeline, product(url=url, image_url=url))
    assert (kept[0].url, kept[0].image_url) == (None, None)
    assert counts == {"clean/refused_url": 1, "clean/refused_image_url": 1}


@pytest.mark.parametrize(
    ("given", "expected", "events"),
    [
        ({"was_price_cents": 480}, {"was_price_cents": 480, "is_on_special": True}, {}),
        ({"was_price_cents": 335}, {"was_price_cents": None, "is_on_special": False}, {"price/was_not_above": 1}),
        ({"is_on_special": True}, {"is_on_special": False}, {}),
        ({"member_price_cents": 300}, {"member_price_cents": 300}, {"price/member_price": 1}),
        ({"member_price_cents": 335}, {"member_price_cents": None}, {"price/member_price_not_below": 1}),
    ],
)
def test_price_makes_special_mean_that_it_was_dearer(given, expected, events):
    kept, counts, _ = through(PricePipeline, product(**given))
    assert {field: getattr(kept[0], field) for field in expected} == expected
    assert counts == events


@pytest.mark.parametrize(
    ("quantity", "total", "event"),
    [
        (2, 600, None),
        (2, 669, None),
        (2, 670, "multibuy_not_better"),
        (2, 700, "multibuy_not_better"),
        (1, 300, "multibuy_absurd"),
        (0, 300, "multibuy_absurd"),
        (2, 0, "multibuy_absurd"),
        (2, -5, "multibuy_absurd"),
        (None, 600, "multibuy_incomplete"),
        (2, None, "multibuy_incomplete"),
        (None, None, "multibuy_incomplete"),
    ],
)
def test_price_keeps_a_multibuy_only_when_it_saves(quantity, total, event):
    offer = {"offer_kind": "multibuy", "offer_id": "7", "multibuy_quantity": quantity, "multibuy_total_cents": total}
    kept, counts, _ = through(PricePipeline, product(**offer))
    expected = tuple(offer.values()) if event is None else (None,) * 4
    assert tuple(getattr(kept[0], field) for field in offer) == expected
    assert counts == {f"price/{event or 'multibuy'}": 1}
    assert kept[0].price_cents == 335


@pytest.mark.parametrize(
    ("quantity", "total", "event"),
    [
        (3, 900, None),
        (2, 669, None),
        (2, 670, "member_multibuy_not_better"),
        (1, 300, "member_multibuy_absurd"),
        (2, 0, "member_multibuy_absurd"),
        (None, 600, "member_multibuy_incomplete"),
        (2, None, "member_multibuy_incomplete"),
        (None, None, "member_multibuy_incomplete"),
    ],
)
def test_a_members_multibuy_is_judged_by_the_same_rule_and_never_becomes_everyones(quantity, total, event):
    offer = {"offer_kind": "member_multibuy", "offer_id": "7"}
    offer |= {"member_multibuy_quantity": quantity, "member_multibuy_total_cents": total}
    kept, counts, _ = through(PricePipeline, product(**offer))
    expected = tuple(offer.values()) if event is None else (None,) * 4
    assert tuple(getattr(kept[0], field) for field in offer) == expected
    assert counts == {f"price/{event or 'member_multibuy'}": 1}
    assert (kept[0].multibuy_quantity, kept[0].multibuy_total_cents) == (None, None)


def test_a_members_multibuy_has_to_beat_what_a_member_pays_for_one():
    offer = {"member_price_cents": 300, "member_multibuy_quantity": 2, "member_multibuy_total_cents": 600}
    kept, counts, _ = through(PricePipeline, product(**offer, offer_kind="member_multibuy"))
    assert (kept[0].member_price_cents, kept[0].member_multibuy_quantity) == (300, None)
    assert counts == {"price/member_multibuy_not_better": 1, "price/member_price": 1}


def test_the_fault_of_one_multibuy_leaves_the_other():
    offer = {"multibuy_quantity": 2, "multibuy_total_cents": 600, "offer_kind": "multibuy", "offer_id": "7"}
    kept, counts, _ = through(PricePipeline, product(**offer, member_multibuy_quantity=2))
    assert (kept[0].multibuy_quantity, kept[0].offer_kind, kept[0].offer_id) == (2, "multibuy", "7")
    assert counts == {"price/multibuy": 1, "price/member_multibuy_incomplete": 1}


def test_a_listing_without_a_price_is_unavailable_and_carries_no_offer():
    offer = {"was_price_cents": 480, "offer_kind": "multibuy", "multibuy_quantity": 2, "multibuy_total_cents": 600}
    shelf = {"shelf_unit_price": "1.00", "shelf_unit_measure": "1L", "is_on_special": True}
    offer |= {"member_price_cents": 300, "member_multibuy_quantity": 2, "member_multibuy_total_cents": 500}
    kept, counts, _ = through(PricePipeline, product(price_cents=None, **offer, **shelf))
    assert kept == [product(price_cents=None, is_available=False)]
    assert counts == {"price/unpriced": 1}


def test_the_organic_row_replaces_the_advertised_one_and_later_adverts_are_dropped():
    advert = product(sponsored=True, category_path=("Elsewhere",))
    kept, counts, dropped = through(
        DuplicatesPipeline, advert, product(sponsored=True), product(category_path=("Dairy",)), product(sponsored=True)
    )
    assert kept == [product(sponsored=True), product(category_path=("Dairy",))]
    assert dropped == ["advertised_again", "advertised_after_organic"]
    assert counts["duplicates/organic_replaces_advertised"] == 1


def test_the_same_organic_row_again_is_dropped_and_a_changed_offer_keeps_the_first_category():
    first, again = product(category_path=("Dairy", "Milk")), product(category_path=("Specials",))
    changed = product(category_path=("Specials",), price_cents=300)
    kept, counts, dropped = through(DuplicatesPipeline, first, again, changed)
    assert kept == [first, product(category_path=("Dairy", "Milk"), price_cents=300)]
    assert dropped == ["organic_again"]
    assert counts == {"duplicates/organic_again": 1, "duplicates/changed_offer": 1}


@pytest.mark.parametrize("field", ["member_price_cents", "member_multibuy_quantity", "member_multibuy_total_cents"])
def test_a_changed_offer_for_members_is_a_changed_offer(field):
    kept, counts, dropped = through(DuplicatesPipeline, product(), product(**{field: 2}))
    assert (len(kept), counts, dropped) == (2, {"duplicates/changed_offer": 1}, [])


def test_a_repeat_that_first_gives_a_category_goes_on():
    kept, _, dropped = through(DuplicatesPipeline, product(), product(), product(category_path=("Dairy",)), product())
    assert kept == [product(), product(category_path=("Dairy",))]
    assert dropped == ["organic_again", "organic_again"]


def test_stores_and_companies_do_not_hide_each_others_listings():
    rows = (product(), product(store_id="52511"), product(company="Coles"), product(sku="2"))
    assert through(DuplicatesPipeline, *rows)[2] == []


UNREADABLE = {"price_cents": None, "is_unreadable": True, "is_available": False}


def test_the_organic_row_with_a_readable_price_is_kept():
    priced, unreadable = product(category_path=("Dairy",)), product(**UNREADABLE, category_path=("Dairy",))
    kept, _, dropped = through(DuplicatesPipeline, priced, unreadable)
    assert (kept, dropped) == ([priced], ["unreadable_again"])
    kept, counts, dropped = through(DuplicatesPipeline, unreadable, priced, unreadable)
    assert (kept, dropped) == ([unreadable, priced], ["unreadable_again"])
    assert counts["duplicates/readable_at_last"] == 1


def test_an_advertised_row_gives_a_price_that_the_organic_one_lacks():
    unreadable, advert = product(**UNREADABLE, category_path=("Dairy",)), product(sponsored=True)
    kept, _, dropped = through(DuplicatesPipeline, unreadable, advert, product(sponsored=True), unreadable)
    assert kept == [unreadable, advert]
    assert dropped == ["advertised_after_organic", "unreadable_again"]


def test_an_organic_row_without_a_readable_price_still_gives_the_category():
    unreadable, advert = product(**UNREADABLE, category_path=("Dairy",)), product(sponsored=True)
    kept, _, dropped = through(DuplicatesPipeline, advert, unreadable, product(sponsored=True), unreadable)
    assert kept == [advert, unreadable]
    assert dropped == ["advertised_after_organic", "unreadable_again"]


def test_a_repeat_that_first_gives_a_name_goes_on():
    unnamed, named = product(name=None, is_unreadable=True), product()
    kept, counts, dropped = through(DuplicatesPipeline, unnamed, named, named, unnamed)
    assert (kept, dropped) == ([unnamed, named], ["organic_again", "organic_again"])
    assert counts["duplicates/readable_at_last"] == 1
