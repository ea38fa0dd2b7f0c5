"""One product record as each chain's site sends it, and the fields that differ for other kinds of product."""

CRUMPETS = {
    "Stockcode": 49622,
    "Barcode": "9310043003014",
    "GtinFormat": 13,
    "DisplayName": "Golden Crumpets Round 6 pack",
    "Name": "Golden Crumpets Round",
    "Brand": "Golden",
    "PackageSize": "6 pack",
    "Unit": "Each",
    "Price": 2,
    "WasPrice": 4.8,
    "CupPrice": 0.33,
    "CupMeasure": "1EA",
    "CupString": "$0.33 / 1EA",
    "MinWeightPrice": None,
    "MaxWeightPrice": None,
    "IncrementalMinimumQuantity": None,
    "IncrementalMinimumQuantityUnit": "g",
    "CentreTag": {"TagType": "None", "MultibuyData": None, "MemberPriceData": None},
    "IsOnSpecial": True,
    "IsSponsoredAd": False,
    "AdStatus": None,
    "Source": "Aisle.Bakery",
    "OfferId": "24306557",
    "IsAvailable": True,
    "IsInStock": True,
    "IsPurchasable": True,
    "IsRanged": True,
    "IsMarketProduct": False,
    "Vendor": None,
    "ThirdPartyProductInfo": None,
    "LargeImageFile": "https://cdn1.woolworths.media/content/wowproductimages/large/049622.jpg",
    "UrlFriendlyName": "golden-crumpets-round",
    "FulfilmentStoreId": 1101,
    "AdditionalAttributes": {
        "piesdepartmentnamesjson": '["Bakery"]',
        "piescategorynamesjson": '["English Muffins & Crumpets","Breakfast"]',
        "piessubcategorynamesjson": '["Crumpets"]',
        "countryoforigin": None,
    },
}

COLES_MILK = {
    "_type": "PRODUCT",
    "id": 8150288,
    "adId": None,
    "adSource": None,
    "featured": False,
    "name": "Full Cream Milk",
    "brand": "Coles",
    "description": "COLES FULL CREAM MILK 3L",
    "size": "3L",
    "availability": True,
    "availabilityType": "InStoreAndOnline",
    "imageUris": [{"altText": "Milk", "type": "default", "uri": "/8/8150288.jpg"}],
    "locations": [{"aisle": "12", "order": 9999}],
    "restrictions": {"retailLimit": 20},
    "onlineHeirs": [
        {"subCategory": "Down Down", "category": "Dairy", "aisle": "Milk"},
        {"subCategory": "Dairy, Eggs & Fridge", "category": "Milk", "aisle": "Full Cream Milk"},
    ],
    "pricing": {
        "now": 4.5,
        "was": 5,
        "promotionType": "DOWNDOWN",
        "onlineSpecial": False,
        "unit": {
            "quantity": 3,
            "ofMeasureQuantity": 1,
            "ofMeasureUnits": "l",
            "price": 1.5,
            "ofMeasureType": "litre",
            "isWeighted": False,
            "isIncremental": False,
        },
        "comparable": "$1.50/ 1L",
    },
}

SALMON = {
    **COLES_MILK,
    "id": 5191256,
    "name": "Salmon Portions",
    "size": "approx. 226g",
    "pricing": {
        "now": 11.75,
        "rawPriceNow": 11.752,
        "was": 0,
        "unit": {"quantity": 226, "ofMeasureQuantity": 1, "ofMeasureUnits": "g", "price": 52, "isWeighted": True},
        "comparable": "$52.00/ 1kg",
    },
}

OATS = {
    "sku": "000000000000457910",
    "name": "Rolled Oats 280g",
    "brandName": "GOLDENVALE",
    "urlSlugText": "goldenvale-rolled-oats-280g",
    "discontinued": False,
    "discontinuedNote": None,
    "notForSale": True,
    "notForSaleReason": None,
    "quantityUnit": "ea",
    "sellingSize": "280 g",
    "price": {
        "amount": 469,
        "amountRelevant": 469,
        "amountRelevantDisplay": "$4.69",
        "bottleDeposit": 0,
        "comparison": 168,
        "comparisonDisplay": "$1.68 per 100 g",
        "currencyCode": "AUD",
        "wasPriceDisplay": None,
    },
    "categories": [
        {"id": "970000000", "name": "Pantry", "urlSlugText": "pantry"},
        {"id": "970000001", "name": "Breakfast", "urlSlugText": "pantry/breakfast"},
    ],
    "assets": [
        {"url": "https://dm.apac.cms.aldi.cx/is/image/prod/457910/scaleWidth/{width}/{slug}", "assetType": "FR01"}
    ],
    "badges": [],
}

CHICKEN = {
    "sellingSize": "approx. 1.8 kg per package",
    "price": {"amount": 599, "comparison": 599, "comparisonDisplay": "$5.99 per 1 kg", "wasPriceDisplay": None},
}

IGA_MILK = {
    "productId": "31218",
    "sku": "31218",
    "name": "Devondale Full Cream Long Life Milk",
    "brand": "Devondale",
    "barcode": "9310072000282",
    "description": "Milk.<br />Country of Origin: Australia",
    "available": True,
    "price": "$3.35",
    "priceNumeric": 3.35,
    "wholePrice": 3.35,
    "priceLabel": "",
    "priceSource": "regular",
    "tprPrice": [],
    "pricePerUnit": "$3.35/l",
    "unitOfSize": {"abbreviation": "l", "label": "Litre", "size": 1, "type": "litre"},
    "sellBy": "Each",
    "weightIncrement": None,
    "image": {"default": "https://cdn.metcash.media/image/upload/w_1500/igashop/images/31218.jpg", "cell": None},
    "categories": [{"category": "Grocery", "categoryBreadcrumb": "Grocery", "retailerId": "32600"}],
    "defaultCategory": [{"category": "Long Life Milk", "categoryBreadcrumb": "Grocery/Drinks/Long Life Milk"}],
}

KILOGRAM = {"abbreviation": "kg", "label": "Kilogram", "size": 1, "type": "kilogram"}
APPLE = {
    "productId": "80060017",
    "sellBy": "EachUnit",
    "price": "$0.81",
    "priceNumeric": 0.81,
    "wholePrice": 0.81,
    "pricePerUnit": "$4.50/kg",
    "unitOfSize": {"abbreviation": "g", "label": "Gram", "size": 180, "type": "gram"},
}
SPECIAL = {
    "price": "$4.00",
    "priceNumeric": 4,
    "wholePrice": 5,
    "wasWholePrice": 5,
    "wasPriceNumeric": 5,
    "wasPrice": "$5.00",
    "tprPrice": [{"wholePrice": 4}],
    "priceSource": "tpr",
}
