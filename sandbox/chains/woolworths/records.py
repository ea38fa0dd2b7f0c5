"""Woolworths' product record."""

import json
from typing import TYPE_CHECKING, Any

from sandbox.chains.woolworths.constants import ATTRIBUTES, STATIC
from sandbox.chains.woolworths.goods import (  # fmt: skip
    bare_name,
    brand_sent,
    display_name,
    lot_of,
    measure_of,
    pies_path,
    prices_of,
    shelf_cup,
    size_text,
    weights,
)
from sandbox.goods.good import Line
from sandbox.pricing import State
from sandbox.shelf import Cup, cup, multibuy, pack_price, unit_of
from sandbox.site import dollars, opaque, slugify

if TYPE_CHECKING:
    from sandbox.world import World


def _centre_tag(line: Line, state: State, day: int, world: "World", available: bool) -> dict[str, Any]:
    tag: dict[str, Any] = {
        "TagContent": None, "TagLink": None, "FallbackText": None, "TagType": "None", "MultibuyData": None,
        "MemberPriceData": None, "TagContentText": None, "DualImageTagContent": None, "PromotionType": "NOT_SET",
        "IsRegisteredRewardCardPromotion": False,
    }  # fmt: skip
    quantity, total, members = multibuy(state, line.index)
    member = int(state.offers.member[line.index])
    text = None
    if available and quantity > 0:
        each = cup(total, line.good.amount * quantity, "g", 100 if unit_of(line.good.kind.form) != "ea" else 1)
        cup_tag = f"${each.number}/100G" if unit_of(line.good.kind.form) == "g" else f"${each.number}/1EA"
        if lot_of(line) % 13:  # else it is in the words alone
            tag["MultibuyData"] = {"Quantity": quantity, "Price": dollars(total), "CupTag": cup_tag}
        text = f"{quantity} for ${total / 100:.2f} - {cup_tag} "
        if members and lot_of(line) % 2:
            text = f"Member Price {text}"
    elif available and member >= 0:
        tag["MemberPriceData"] = {
            "PromotionalPrice": dollars(member), "ComparativeUnitPrice": None, "ComparativeSize": None,
            "ComparativeSizeUom": None,
        }  # fmt: skip
    elif available and state.offers.was[line.index] < 0 and lot_of(line) % 29 == 0:
        date = world.date_of(day - lot_of(line) % 60).strftime("%d/%m/%Y")
        before = dollars(int(state.offers.price[line.index]) + 150)
        text = f"Range was ${before:.2f} - {date}" if lot_of(line) % 2 else f"Was ${before} - {date}"
    if text:
        link = f"/shop/offerdetails?promoId={opaque(line.sku, 6)}"
        tag.update(TagType="Html", TagContentText=text, TagContent=f'<a href="{link}" target="_self">{text}</a>')
    return tag


def _image_tag(now: int | None, was: int | None, many: bool, members: bool) -> dict[str, Any]:
    text = ""
    if now is not None and members:
        text = "Member Price"
    elif now is not None and was:
        text = "Half Price" if now * 2 <= was else "Special"
    elif now is not None and many:
        text = "Buy More Save More"
    return {"TagContent": None, "TagLink": None, "FallbackText": text, "TagType": "Roundel" if text else "None"}


def _attributes(line: Line) -> dict[str, Any]:
    kind, market = line.good.kind, line.section == "market"
    values = dict(ATTRIBUTES)
    if market:
        return {**values, "Market.SellerSku": opaque(line.sku, 10), "Market.Brand": line.brand}
    if kind.form in ("g", "xg", "ml", "xml"):
        values["healthstarrating"] = f"{(lot_of(line) % 10) / 2 + 0.5:g}"
        values["ingredients"] = f"{kind.noun}, Water, Salt."
        values["allergystatement"] = "Egg Free,Fish Free,Soy Free"
        values["allergencontains"] = "Cereals, Gluten, Soy"
    for level, name in zip(("department", "category", "subcategory"), pies_path(line), strict=True):
        values[f"pies{level}namesjson"] = json.dumps([name])
    for key, name in (("sapdepartmentname", kind.department), ("sapcategoryname", kind.category)):
        values[key] = name.upper()
    values["sapsubcategoryname"] = values["sapsegmentname"] = kind.leaf.upper()
    return values


def record(world: "World", line: Line, state: State, day: int, fulfilled_by: int) -> dict[str, Any]:
    """The 115 fields or so of one organic row."""
    available = bool(state.available[line.index])
    now, was = prices_of(line, state)
    shelf = shelf_cup(line, now, state) if available else None
    quantity, _, members = multibuy(state, line.index)
    many, members = quantity > 0, members or bool(state.offers.member[line.index] >= 0)
    row = dict(STATIC)
    row.update(_words(line))
    row.update(_barcode(line))
    row.update(_money(now, was, available))
    row.update(_unit_price(line, shelf))
    row.update(_standing(line, available, fulfilled_by))
    row.update({
        "CentreTag": _centre_tag(line, state, day, world, available),
        "ImageTag": _image_tag(now if available else None, was, many, members),
        "OfferId": str(20_000_000 + line.index) if was or many else None,
        "AdditionalAttributes": _attributes(line),
        "Source": f"Aisle.{line.good.kind.department.title()}",
    })  # fmt: skip
    row.update(_weights(line, state, now, was))
    return row


def _words(line: Line) -> dict[str, Any]:
    good, name, size = line.good, bare_name(line), size_text(line)
    image = "https://cdn1.woolworths.media/content/wowproductimages/{}/" + f"{line.sku.zfill(6)}.jpg"
    return {
        "TileID": 0, "Stockcode": int(line.sku), "DisplayName": display_name(line), "PackageSize": size,
        "Name": f"{name} {good.words}" if lot_of(line) % 5 == 0 else name,
        "UrlFriendlyName": slugify(name), "Description": f" {name.replace(' ', '<br>', 1)} {size}".rstrip(),
        "Variety": good.words if lot_of(line) % 3 else None, "Brand": brand_sent(line),
        "Unit": "KG" if good.kind.form in ("loose", "deli") else "Each",
        "SmallImageFile": image.format("small"), "MediumImageFile": image.format("medium"),
        "LargeImageFile": image.format("large"), "DetailsImagePaths": [image.format("large")],
        "HasBeenBoughtBefore": False,
    }  # fmt: skip


def _barcode(line: Line) -> dict[str, Any]:
    code = line.barcode
    formal = code is not None and len(code) in (8, 12, 13, 14) and not code.startswith("02")
    return {"Barcode": code, "GtinFormat": len(code) if formal and code else 0}


def _money(now: int, was: int | None, available: bool) -> dict[str, Any]:
    price, before = dollars(now) if available else None, dollars(was or now)
    special = available and was is not None
    return {
        "Price": price, "WasPrice": before, "InstorePrice": price, "InstoreWasPrice": before,
        "SavingsAmount": dollars((was or now) - now) if available else None,
        "IsHalfPrice": special and now * 2 <= (was or 0), "IsOnSpecial": special, "InstoreIsOnSpecial": special,
    }  # fmt: skip


def _unit_price(line: Line, shelf: Cup | None) -> dict[str, Any]:
    measure = measure_of(line)
    text = measure[0] if measure else "0" if lot_of(line) % 8 else None
    number = float(shelf.number) if shelf else None
    return {
        "CupPrice": number, "InstoreCupPrice": number, "HasCupPrice": shelf is not None,
        "CupMeasure": "" if line.section == "market" else text,
        "CupString": f"${shelf.number} / {text}" if shelf else "",
    }  # fmt: skip


def _standing(line: Line, available: bool, fulfilled_by: int) -> dict[str, Any]:
    market, seller = line.section == "market", "Everyday Seller Pty Ltd"
    return {
        **dict.fromkeys(("IsAvailable", "IsInStock", "IsPurchasable", "InstoreIsAvailable", "IsRanged"), available),
        "AgeRestricted": line.section == "tobacco" or line.good.kind.department == "liquor",
        "IsTobacco": line.section == "tobacco", "IsMarketProduct": market, "Vendor": seller if market else None,
        "ThirdPartyProductInfo": {"VendorId": 17, "VendorName": seller} if market else None,
        "IsFreeShipping": False if market else None, "FulfilmentStoreId": 1100 if market else fulfilled_by,
    }  # fmt: skip


def _weights(line: Line, state: State, now: int, was: int | None) -> dict[str, Any]:
    """The fields that only weighed goods fill."""
    form, size = line.good.kind.form, line.good.size
    if form == "weighed":
        per_kg = int(state.offers.price[line.index])
        if not state.available[line.index]:
            return {}
        return {"MinWeightPrice": dollars(pack_price(per_kg, weights(line)[0])), "MaxWeightPrice": dollars(now)}
    if form not in ("loose", "deli"):
        return {}
    return {
        "IncrementalPrice": dollars(pack_price(now, size)),
        "IncrementalWasPrice": dollars(pack_price(was or now, size)),
        "IncrementalMinimumQuantity": float(size),
        "IncrementalMinimumQuantityUnit": "g",
        "PricePerKGLabel": "Price per Kg charged",
        "MinimumQuantity": size / 1000,
    }


def promoted(row: dict[str, Any], place: int) -> dict[str, Any]:
    """The same row as an advertisement."""
    ad = {"IsSponsoredAd": True, "AdStatus": "Promoted", "AdID": opaque(f"ad{row['Stockcode']}", 12), "AdIndex": place}
    return {**row, **ad, "Source": f"{row['Source']}.Promoted"}
