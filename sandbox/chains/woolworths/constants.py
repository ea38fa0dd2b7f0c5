"""The fields of Woolworths' product record that never vary, and the two forms of its denial page."""

from typing import Any

RATING = {
    "ReviewCount": 0, "RatingCount": 0, "RatingSum": 0, "OneStarCount": 0, "TwoStarCount": 0, "ThreeStarCount": 0,
    "FourStarCount": 0, "FiveStarCount": 0, "Average": 0, "OneStarPercentage": 0, "TwoStarPercentage": 0,
    "ThreeStarPercentage": 0, "FourStarPercentage": 0, "FiveStarPercentage": 0,
}  # fmt: skip

STATIC: dict[str, Any] = {
    "MinWeightPrice": None, "MaxWeightPrice": None, "IncrementalPrice": None, "IncrementalWasPrice": None,
    "IncrementalMinimumQuantity": None, "IncrementalMinimumQuantityUnit": "", "PricePerKGLabel": "",
    "MinimumQuantity": 1, "AdID": None, "AdIndex": None, "AdStatus": None, "IsMarketProduct": False,
    "IsGiftable": False, "Vendor": None, "Untraceable": False, "ThirdPartyProductInfo": None, "MarketFeatures": None,
    "MarketSpecifications": None, "SupplyLimitSource": "ProductLimit", "Tags": [],
    "IsPersonalisedByPurchaseHistory": False,
    "IsFromFacetedSearch": False, "NextAvailabilityDate": None, "NumberOfSubstitutes": 0,
    "IsPrimaryVariant": False, "VariantGroupId": 0, "HasVariants": False, "VariantTitle": None,
    "IsTobacco": False, "IsNew": False, "IsOnlineOnly": False, "IsEdrSpecial": False, "SavingsAmountText": None,
    "SupplyLimit": 36, "ProductLimit": 36, "MaxSupplyLimitMessage": "36 item limit", "ProductRestrictionMessage": None,
    "ProductWarningMessage": None, "IsBundle": False, "ChildProducts": None, "BundleProductGroups": None,
    "HeaderTag": None, "HasHeaderTag": False, "UnitWeightInGrams": 0, "QuantityInTrolley": 0, "TrolleyItemId": 0,
    "IsInTrolley": False, "IsInFamily": False, "IsForCollection": True, "IsForDelivery": True, "IsForExpress": False,
    "ProductDeliveryInformation": None, "FullDescription": None, "RichDescription": None, "HideWasSavedPrice": False,
    "SapCategories": None, "IsCombinedPromotion": False, "MoreSubstitutes": None, "ListName": None,
    "TradeOffers": [], "DisplayQuantity": 0, "IsSubscribable": False, "SubscriptionSavings": None,
    "IsSponsoredAd": False,
    "BadgeTag": None, "Diagnostics": "0", "IsAgeVerified": None, "Rating": RATING, "IsFreeShipping": None,
    "DietaryTag": None, "RewardsTag": None,
}  # fmt: skip

ATTRIBUTES: dict[str, Any] = {
    "boxedcontents": None, "healthstarrating": None, "ingredients": None, "allergystatement": None,
    "allergencontains": None, "allergenmaybepresent": None, "countryoforigin": None, "nutritionalinformation": None,
    "lifestyleanddietarystatement": None, "storageinstructions": None, "lifestyleclaim": None,
}  # fmt: skip

DENIED = (
    "<HTML><HEAD>\n<TITLE>Access Denied</TITLE>\n</HEAD><BODY>\n<H1>Access Denied</H1>\n \n"
    'You don&#39;t have permission to access "http&#58;&#47;&#47;www&#46;woolworths&#46;com&#46;au{path}" '
    "on this server.<P>\nReference&#32;&#35;18&#46;9c3e1102&#46;1789000000&#46;4d5e6f70\n"
    "<P>\nhttps&#58;&#47;&#47;errors&#46;edgesuite&#46;net&#47;18&#46;9c3e1102&#46;1789000000&#46;4d5e6f70\n"
    "</BODY>\n</HTML>\n"
)

HOME = (
    '<!DOCTYPE html><html lang="en"><head><title>Woolworths Supermarket - Buy Groceries Online</title>'
    "<!-- served through akamai --></head><body><wow-root></wow-root></body></html>"
)
