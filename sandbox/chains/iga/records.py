"""IGA's item."""

from typing import Any

from sandbox.chains.iga.goods import brand_sent, is_loose, lot_of, name_of, prices_of, shelf_of, unit_of_size
from sandbox.goods.good import Line
from sandbox.places.places import Store
from sandbox.pricing import State
from sandbox.shelf import multibuy
from sandbox.site import dollars, opaque


def _money(line: Line, state: State) -> dict[str, Any]:
    """The price keys: those of the price before exist on special only, and then wholePrice is the price before."""
    now, was = prices_of(line, state)
    shown: dict[str, Any] = {
        "price": f"${now / 100:.2f}", "priceNumeric": dollars(now), "wholePrice": dollars(now), "priceLabel": "",
        "priceSource": "regular", "tprPrice": [],
    }  # fmt: skip
    if was is not None:
        temporary = [{"wholePrice": dollars(now), "active": True, "label": "Special"}]
        shown.update(
            wholePrice=dollars(was), priceLabel="Special", priceSource="tpr", wasPrice=f"${was / 100:.2f}",
            wasPriceNumeric=dollars(was), wasWholePrice=dollars(was), tprPrice=temporary if lot_of(line) % 33 else [],
        )  # fmt: skip
    shelf = shelf_of(line, now, state)
    shown["pricePerUnit"] = shelf[1] if shelf else None
    return shown | _promotion(line, state)


def _promotion(line: Line, state: State) -> dict[str, Any]:
    """A deal as a sister site sends it: priceNumeric and price are the deal's, wholePrice is what one costs without."""
    offers, place, lot = state.offers, line.index, lot_of(line)
    quantity, total, members = multibuy(state, place)
    whose = "Members" if members else "Everyone"
    if quantity > 0:
        each = total // quantity
        words = f"{whose}: {quantity} for ${total / 100:.2f}" if lot % 3 else f"{whose}: buy {quantity} or more"
        deal = {"name": words, "description": "Multi buy", "minimumQuantity": quantity}
    elif offers.member[place] >= 0:
        each = int(offers.member[place])
        deal = {"name": "Member Price", "description": ""} | ({"minimumQuantity": 1} if lot % 2 else {})
    else:
        return {}
    return {"promotions": [deal], "priceNumeric": dollars(each), "price": f"${each / 100:.2f}"}


def record(line: Line, store: Store, state: State, breadcrumb: list[str]) -> dict[str, Any]:
    """One item of a listing."""
    name, lot = name_of(line), lot_of(line)
    image = f"https://cdn.metcash.media/image/upload/w_1500,h_1500,c_pad,b_auto/igashop/images/{line.sku}.jpg"
    categories = [
        {
            "category": step,
            "categoryBreadcrumb": "/".join(breadcrumb[: place + 1]),
            "categoryId": f"{opaque(step, 8).lower()}-0000-4000-8000-000000000000",
            "retailerId": "1",
        }
        for place, step in enumerate(breadcrumb)
    ]
    return {
        "productId": line.sku, "sku": line.sku, "name": name, "brand": brand_sent(line, store), "barcode": line.barcode,
        "description": f"{name}<br />Country of Origin: Australia<br />Allergen may be present: Milk",
        "available": bool(state.available[line.index]), **_money(line, state),
        "unitOfSize": unit_of_size(line),
        "unitOfMeasure": {"abbreviation": "", "label": "Each", "size": 1, "type": "each"},
        "unitOfPrice": {"abbreviation": "", "label": "Each", "size": 1, "type": "each"},
        "sellBy": "EachUnit" if is_loose(line) else "Each",
        "weightIncrement": line.good.size / 1000 if is_loose(line) else None,
        "image": dict.fromkeys(("default", "cell", "details", "template", "zoom"), image if lot % 30 else None),
        "categories": categories, "defaultCategory": [categories[-1]], "attributes": {}, "isFavorite": False,
        "isPastPurchased": False, "shoppingRuleMessages": None,
    }  # fmt: skip
