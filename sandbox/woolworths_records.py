"""Woolworths' product record, and the truth that it tells."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.catalogue import Line
from sandbox.places import Store
from sandbox.pricing import State
from sandbox.shelf import Cup, blank, cup, pack_price, put_price, unit_of
from sandbox.site import dollars, opaque, slugify
from sandbox.woolworths_constants import ATTRIBUTES, STATIC

if TYPE_CHECKING:
    from sandbox.world import World

UNITS = {"g": "g", "xg": "g", "ml": "mL", "xml": "mL"}


def _lot(line: Line) -> int:
    """A number below 1,000 that decides a line's oddities; it never changes."""
    return int(opaque(f"woolworths:{line.sku}", 8), 16) % 1000


def _metric(size: int, unit: str) -> str:
    if size >= 1000 and unit in ("g", "mL"):
        return f"{Decimal(size) / 1000:f}".rstrip("0").rstrip(".") + ("kg" if unit == "g" else "L")
    return f"{size}{unit}"


def weights(line: Line) -> tuple[int, int]:
    """The least and the most a pack of uneven weight may weigh, in grams."""
    return round(line.good.size * 7 / 1000) * 100, round(line.good.size * 13 / 1000) * 100


def pack_grams(line: Line) -> int:
    """Grams that the price of a pack is made of; 0 where the price is not made from a weight."""
    return weights(line)[1] if line.good.kind.form == "weighed" else 0


def size_text(line: Line) -> str:
    """PackageSize as sent, typing errors included."""
    good, form, lot = line.good, line.good.kind.form, _lot(line)
    if line.section == "market":
        return ""
    if form in ("loose", "deli"):
        return "each" if form == "loose" else "per 100g"
    if form == "weighed":
        return " - ".join(f"{Decimal(grams) / 1000:f}kg".replace("000kg", "kg") for grams in weights(line))
    if form == "ea":
        return "each" if good.amount == 1 else f"{good.amount} pack" if lot % 3 else f"{good.amount}pk"
    if form in ("sheets", "m"):
        return f"{good.size} sheets" if form == "sheets" else f"{good.size}m"
    unit = UNITS[form]
    if good.count > 1:
        if unit == "mL" and lot < 60:
            return f"{good.size}Nl x{good.count} Pack"
        one = _metric(good.size, unit)
        return f"{one} x {good.count} pack" if lot % 4 else f"{good.count} x {one}"
    return f"{good.size}Mm" if unit == "mL" and lot < 40 else _metric(good.size, unit)


def display_name(line: Line) -> str:
    return f"{_name(line)} {size_text(line)}".strip()


def _name(line: Line) -> str:
    return f"{line.brand} {line.good.words}" if line.brand else line.good.words


def _brand(line: Line) -> str | None:
    return "" if _lot(line) < 4 and line.brand else line.brand


def _measure(line: Line) -> tuple[str, int, str] | None:
    """(CupMeasure as sent, its amount, unit) of the shelf's unit price; None where the shelf shows none."""
    form, kind, lot, amount = line.good.kind.form, line.good.kind, _lot(line), line.good.amount
    if form == "loose":
        return ("Per Kg" if lot < 60 else "1KG", 1000, "g")
    if form in ("weighed", "deli"):
        return ("100G", 100, "g") if form == "deli" else ("1KG", 1000, "g")
    if lot >= 955:
        return None
    if form == "sheets":
        return ("100 sheets", 100, "ea")
    if form == "ea":
        return ("100EA", 100, "ea") if amount >= 50 else ("1EA", 1, "ea")
    if form == "m":
        return (f"{amount}m", amount, "m") if lot < 60 else ("1M", 1, "m")
    if unit_of(form) == "ml":
        if kind.category in ("Dental", "Hair") and lot % 2:
            return ("10ML", 10, "ml")
        return ("1L", 1000, "ml") if kind.department in ("drinks", "dairy", "liquor") else ("100ML", 100, "ml")
    if kind.leaf == "Coffee" and lot % 2:
        return ("10G", 10, "g")
    if kind.leaf == "Berries" and lot < 400:
        return (f"{amount}G Punnet", amount, "g")
    return ("1KG", 1000, "g") if kind.department in ("fruit", "meat", "freezer") else ("100G", 100, "g")


def _prices(line: Line, state: State) -> tuple[int, int | None]:
    """Cents now and before a special: per pack, or per kg of loose goods."""
    now, was = int(state.offers.price[line.index]), int(state.offers.was[line.index])
    grams = pack_grams(line)
    if grams:
        now, was = pack_price(now, grams), pack_price(was, grams) if was >= 0 else -1
    return now, was if was >= 0 else None


def _cup(line: Line, now: int, state: State) -> Cup | None:
    measure = _measure(line)
    if measure is None or line.section == "market":
        return None
    _, amount, unit = measure
    if line.good.weighed:
        return cup(int(state.offers.price[line.index]), 1000, "g", amount)
    return cup(now, line.good.amount, unit, amount)


def truth(world: "World", store: Store, day: int, line: Line, state: State) -> dict[str, Any]:
    """What a correct crawl stores of the line; shape as World.truth says."""
    row = blank("Woolworths", store.store_id, line)
    tree = world.woolworths_tree
    row.update(
        name=display_name(line),
        brand=_brand(line) or None,
        size=size_text(line) or None,
        category_path=tree.best(line.index),
        category_paths=tree.leads.get(line.index, []),
    )
    if line.good.kind.form in ("loose", "deli"):
        row.update(price_basis="kg", typical_grams=line.good.size)
    if line.good.kind.form == "weighed":
        low, high = weights(line)
        row["is_estimated"] = True
        row["acceptable"]["typical_grams"] = [None, high, (low + high) // 2]
    if not state.available[line.index]:
        row.update(is_available=False, is_ranged=False)
        return row
    now, was = _prices(line, state)
    put_price(row, now, was, _cup(line, now, state))
    quantity = int(state.offers.quantity[line.index])
    if quantity > 0:
        row.update(multibuy_quantity=quantity, multibuy_total_cents=int(state.offers.total[line.index]))
        row["offer_kind"] = "multibuy"
    return row


def _centre_tag(line: Line, state: State, day: int, world: "World", available: bool) -> dict[str, Any]:
    tag: dict[str, Any] = {
        "TagContent": None, "TagLink": None, "FallbackText": None, "TagType": "None", "MultibuyData": None,
        "MemberPriceData": None, "TagContentText": None, "DualImageTagContent": None, "PromotionType": "NOT_SET",
        "IsRegisteredRewardCardPromotion": False,
    }  # fmt: skip
    quantity, total = int(state.offers.quantity[line.index]), int(state.offers.total[line.index])
    text = None
    if available and quantity > 0:
        each = cup(total, line.good.amount * quantity, "g", 100 if unit_of(line.good.kind.form) != "ea" else 1)
        cup_tag = f"${each.number}/100G" if unit_of(line.good.kind.form) == "g" else f"${each.number}/1EA"
        tag["MultibuyData"] = {"Quantity": quantity, "Price": dollars(total), "CupTag": cup_tag}
        text = f"{quantity} for ${total / 100:.2f} - {cup_tag} "
    elif available and state.offers.was[line.index] < 0 and _lot(line) % 29 == 0:
        date = world.date_of(day - _lot(line) % 60).strftime("%d/%m/%Y")
        before = dollars(int(state.offers.price[line.index]) + 150)
        text = f"Range was ${before:.2f} - {date}" if _lot(line) % 2 else f"Was ${before} - {date}"
    if text:
        link = f"/shop/offerdetails?promoId={opaque(line.sku, 6)}"
        tag.update(TagType="Html", TagContentText=text, TagContent=f'<a href="{link}" target="_self">{text}</a>')
    return tag


def _image_tag(now: int | None, was: int | None, quantity: int) -> dict[str, Any]:
    text = ""
    if now is not None and was:
        text = "Half Price" if now * 2 <= was else "Special"
    elif now is not None and quantity > 0:
        text = "Buy More Save More"
    return {"TagContent": None, "TagLink": None, "FallbackText": text, "TagType": "Roundel" if text else "None"}


def _attributes(line: Line) -> dict[str, Any]:
    kind, market = line.good.kind, line.section == "market"
    values = dict(ATTRIBUTES)
    if market:
        return {**values, "Market.SellerSku": opaque(line.sku, 10), "Market.Brand": line.brand}
    if kind.form in ("g", "xg", "ml", "xml"):
        values["healthstarrating"] = f"{(_lot(line) % 10) / 2 + 0.5:g}"
        values["ingredients"] = f"{kind.noun}, Water, Salt."
        values["allergystatement"] = "Egg Free,Fish Free,Soy Free"
        values["allergencontains"] = "Cereals, Gluten, Soy"
    values["piesdepartmentnamesjson"] = f'["{kind.department.title()}"]'
    values["piescategorynamesjson"] = f'["{kind.category}"]'
    values["piessubcategorynamesjson"] = f'["{kind.leaf}"]'
    for key, name in (("sapdepartmentname", kind.department), ("sapcategoryname", kind.category)):
        values[key] = name.upper()
    values["sapsubcategoryname"] = values["sapsegmentname"] = kind.leaf.upper()
    return values


def record(world: "World", line: Line, state: State, day: int, fulfilled_by: int) -> dict[str, Any]:
    """The 115 fields or so of one organic row."""
    market, form, good = line.section == "market", line.good.kind.form, line.good
    available = bool(state.available[line.index])
    now, was = _prices(line, state)
    shelf, measure = (_cup(line, now, state) if available else None), _measure(line)
    name, barcode, quantity = _name(line), line.barcode, int(state.offers.quantity[line.index])
    true_format = barcode is not None and len(barcode) in (8, 12, 13, 14) and not barcode.startswith("02")
    image = "https://cdn1.woolworths.media/content/wowproductimages/{}/" + f"{line.sku.zfill(6)}.jpg"
    row = dict(STATIC)
    row.update({
        "TileID": 0, "Stockcode": int(line.sku), "Barcode": barcode,
        "GtinFormat": len(barcode) if true_format and barcode else 0,
        "CupPrice": float(shelf.number) if shelf else None,
        "CupMeasure": "" if market else measure[0] if measure else "0" if _lot(line) % 8 else None,
        "CupString": f"${shelf.number} / {measure[0]}" if shelf and measure else "",
        "HasCupPrice": shelf is not None,
        "Price": dollars(now) if available else None, "WasPrice": dollars(was or now),
        "InstorePrice": dollars(now) if available else None, "InstoreWasPrice": dollars(was or now),
        "SavingsAmount": dollars((was or now) - now) if available else None,
        "IsHalfPrice": available and was is not None and now * 2 <= was,
        "IsOnSpecial": available and was is not None, "InstoreIsOnSpecial": available and was is not None,
        "CentreTag": _centre_tag(line, state, day, world, available),
        "ImageTag": _image_tag(now if available else None, was, quantity),
        "Unit": "KG" if form in ("loose", "deli") else "Each",
        "PackageSize": size_text(line), "Name": name, "DisplayName": display_name(line),
        "UrlFriendlyName": slugify(name), "Description": f" {name.replace(' ', '<br>', 1)} {size_text(line)}".rstrip(),
        "Variety": good.words if _lot(line) % 3 else None, "Brand": None if form == "deli" else _brand(line),
        "SmallImageFile": image.format("small"), "MediumImageFile": image.format("medium"),
        "LargeImageFile": image.format("large"), "DetailsImagePaths": [image.format("large")],
        "IsAvailable": available, "IsInStock": available, "IsPurchasable": available,
        "InstoreIsAvailable": available, "IsRanged": available,
        "AgeRestricted": line.section == "tobacco" or good.kind.department == "liquor",
        "IsTobacco": line.section == "tobacco", "IsMarketProduct": market,
        "Vendor": "Everyday Seller Pty Ltd" if market else None,
        "ThirdPartyProductInfo": {"VendorId": 17, "VendorName": "Everyday Seller Pty Ltd"} if market else None,
        "IsFreeShipping": False if market else None,
        "OfferId": str(20_000_000 + line.index) if was or quantity > 0 else None,
        "FulfilmentStoreId": 1100 if market else fulfilled_by, "AdditionalAttributes": _attributes(line),
        "Source": f"Aisle.{good.kind.department.title()}",
    })  # fmt: skip
    row.update(_weights(line, state, now, was))
    row["InstoreCupPrice"] = row["CupPrice"]
    row["HasBeenBoughtBefore"] = False
    return row


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
