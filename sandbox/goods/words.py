"""The vocabulary of a supermarket: departments, kinds of goods, brands."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of good. `form` is how it is sold:

    g, ml: packs by weight or volume; xg, xml: several packs in one; ea: counted; sheets, m: paper and foil;
    loose: weighed at the till, `sizes` are grams of one piece; deli: counter goods by 100 g;
    weighed: packs of uneven weight, `sizes` are typical grams. `rate` is cents per kg, litre, piece, sheet or metre.
    """

    department: str
    category: str
    leaf: str
    noun: str
    varieties: tuple[str, ...]
    form: str
    sizes: tuple[int, ...]
    rate: tuple[int, int]
    counts: tuple[int, ...] = (1,)


def _table(text: str) -> tuple[Kind, ...]:
    """Lines of `department|category|leaf|noun|varieties|form|sizes|rate low-high|counts`."""
    kinds = []
    for line in text.strip().splitlines():
        parts = [part.strip() for part in line.split("|")]
        low, high = parts[7].split("-")
        kinds.append(
            Kind(
                department=parts[0],
                category=parts[1],
                leaf=parts[2],
                noun=parts[3],
                varieties=tuple(word.strip() for word in parts[4].split(",")),
                form=parts[5],
                sizes=tuple(int(size) for size in parts[6].split()),
                rate=(int(low), int(high)),
                counts=tuple(int(count) for count in parts[8].split()) if len(parts) > 8 else (1,),
            )
        )
    return tuple(kinds)


KINDS = _table("""
fruit|Fruit|Apples & Pears|Apples|Pink Lady,Granny Smith,Royal Gala,Fuji|loose|160 180 200|300-690
fruit|Fruit|Bananas & Tropical|Bananas|Cavendish,Lady Finger|loose|180|250-600
fruit|Fruit|Berries|Strawberries|Premium,Sweet|g|250 500|1000-2200
fruit|Vegetables|Potatoes & Onions|Potatoes|Washed,Brushed,Creme Gold|g|1000 2000 4000|200-450
fruit|Vegetables|Potatoes & Onions|Onions|Brown,Red,White|loose|125 180|250-500
fruit|Vegetables|Salad & Herbs|Baby Spinach|Fresh,Washed,Tender|g|60 120 280|1400-2600
fruit|Vegetables|Salad & Herbs|Tomatoes|Truss,Roma,Field|loose|100 125|500-1200
meat|Beef & Veal|Mince|Beef Mince|Regular,Lean,Extra Lean|g|500 1000|1200-2400
meat|Beef & Veal|Roasts|Beef Roast|Blade,Topside,Bolar|weighed|1200 1400 1800 2200|1400-3200
meat|Poultry|Chicken Breast|Chicken Breast Fillets|Skinless,Free Range,Marinated|weighed|600 800 1000|1000-2000
meat|Poultry|Chicken Pieces|Chicken Drumsticks|Plain,Honey Soy,Peri Peri|g|1000 2000|400-900
meat|Seafood|Fish Fillets|Salmon Portions|Skin On,Skin Off,Smoked|g|150 260 460|2800-5200
deli|Deli Meats|Ham|Leg Ham|Shaved,Champagne,Triple Smoked|deli|100|1500-3200
deli|Deli Meats|Salami|Salami|Danish,Hungarian,Hot|g|80 200|2500-4500
deli|Cheese Counter|Feta & Olives|Feta|Greek Style,Danish,Marinated|deli|100|1600-3600
deli|Dips|Dips & Pate|Dip|Hummus,Tzatziki,French Onion,Beetroot|g|150 200 450|1200-2400
dairy|Milk|Full Cream Milk|Full Cream Milk|Fresh,A2 Protein,Organic,Light|ml|1000 2000 3000|140-350
dairy|Milk|Long Life Milk|UHT Milk|Full Cream,Skim,Lite|ml|1000|120-250
dairy|Yoghurt|Greek Yoghurt|Greek Style Yoghurt|Natural,Vanilla,Honey,Mango|g|160 500 900|450-1100
dairy|Yoghurt|Kids Yoghurt|Squeezie Yoghurt|Strawberry,Banana,Vanilla|xg|70|900-1600|4 6 12
dairy|Cheese|Block Cheese|Tasty Cheese|Block,Vintage,Light,Grated|g|250 500 750 1000|900-1900
dairy|Eggs & Butter|Eggs|Eggs|Free Range Large,Cage Free Jumbo,Barn Laid|ea|6 12 18|35-90
dairy|Eggs & Butter|Butter|Butter|Salted,Unsalted,Spreadable|g|250 375 500|1000-2200
bakery|Packaged Bread|White Bread|Bread|White Sandwich,Wholemeal,Multigrain,Soy Linseed|g|600 650 700|350-800
bakery|Packaged Bread|Wraps & Crumpets|Wraps|Original,Wholegrain,Garlic|ea|6 8 10|35-90
bakery|In-Store Bakery|Rolls|Dinner Rolls|White,Wholemeal,Brioche|ea|4 6 12|30-90
bakery|In-Store Bakery|Cakes|Mud Cake|Chocolate,Caramel,White|g|600 1000|700-1600
pantry|Breakfast|Cereal|Cereal|Wheat Flakes,Honey Puffs,Fruit Muesli,Bran|g|350 500 750 1200|700-1800
pantry|Breakfast|Spreads|Peanut Butter|Smooth,Crunchy,No Added Salt|g|375 500 780|900-1900
pantry|Breakfast|Coffee|Instant Coffee|Classic,Gold,Decaf|g|100 150 400|5000-12000
pantry|Cooking|Pasta|Pasta|Penne,Spaghetti,Fusilli,Risoni|g|400 500 1000|250-800
pantry|Cooking|Pasta Sauce|Pasta Sauce|Bolognese,Tomato Basil,Arrabbiata|g|400 500 700|350-900
pantry|Cooking|Rice|Rice|Basmati,Jasmine,Long Grain,Arborio|g|750 1000 2000 5000|250-700
pantry|Cooking|Oils|Oil|Extra Virgin Olive,Canola,Sunflower|ml|500 750 1000 2000|500-2400
pantry|Canned|Canned Fish|Tuna|In Springwater,In Oil,Chilli|g|95 185 425|1200-3000
pantry|Canned|Canned Fish|Tuna Pack|In Springwater,Lemon Pepper,Tomato|xg|95|1200-2600|3 4
pantry|Canned|Canned Vegetables|Diced Tomatoes|Italian,Organic,With Herbs|g|400 800|250-600
world|Asian|Noodles|Instant Noodles|Chicken,Beef,Laksa,Oriental|xg|72 85|500-1300|5 6
world|Asian|Sauces|Soy Sauce|Light,Dark,Sweet|ml|250 500 1000|500-1200
world|Mexican|Taco Kits|Taco Shells|Original,Jumbo,Mini|ea|10 12|30-60
snacks|Chips|Potato Chips|Potato Chips|Original,Salt & Vinegar,Chicken,Cheese & Onion|g|45 170 200 330|1300-3200
snacks|Chips|Multipack Chips|Potato Chips Multipack|Variety,Original,Sea Salt|xg|19|1800-3400|6 12 20
snacks|Chocolate|Blocks|Chocolate Block|Milk,Dark,Hazelnut,Caramel|g|90 180 350|1500-3800
snacks|Biscuits|Sweet Biscuits|Biscuits|Choc Chip,Shortbread,Ginger Nut,Milk Arrowroot|g|200 250 500|700-2000
drinks|Soft Drinks|Cola|Cola|Classic,No Sugar,Vanilla|ml|600 1250 2000|120-400
drinks|Soft Drinks|Cola Cans|Soft Drink Cans|Cola,Lemonade,Ginger Beer,No Sugar Cola|xml|375|220-450|6 10 24 30
drinks|Juice|Orange Juice|Juice|Orange,Apple,Tropical,Breakfast|ml|1000 2000 2400|180-450
drinks|Juice|Poppers|Fruit Drink|Apple Blackcurrant,Orange,Tropical|xml|200 250|200-450|4 6
drinks|Water|Sparkling Water|Sparkling Water|Natural,Lime,Lemon|ml|500 1250 1500|60-250
drinks|Tea|Tea Bags|Tea Bags|English Breakfast,Earl Grey,Green,Peppermint|ea|50 100 200|4-14
freezer|Frozen Vegetables|Peas & Corn|Frozen Peas|Baby,Garden,Peas & Corn|g|500 1000|280-700
freezer|Frozen Vegetables|Chips & Wedges|Frozen Chips|Straight Cut,Crinkle Cut,Steakhouse|g|750 900 1000|300-800
freezer|Ice Cream|Tubs|Ice Cream|Vanilla,Chocolate,Cookies & Cream,Neapolitan|ml|1000 1800 2000|250-1200
freezer|Ice Cream|Sticks|Ice Cream Sticks|Classic,Almond,Mini|xml|60 85|900-2000|4 6
freezer|Frozen Meals|Pizza|Pizza|Hawaiian,Supreme,Margherita|g|350 500 600|700-1600
household|Paper|Toilet Paper|Toilet Paper|Soft White,Long Roll,3 Ply|ea|6 12 24|40-110
household|Paper|Tissues|Facial Tissues|White,Aloe Vera,Hypoallergenic|sheets|95 140 224|1-4
household|Paper|Paper Towel|Paper Towel|White,Printed,Half Size|sheets|120 240 360|1-4
household|Wraps & Bags|Foil & Wrap|Foil|Heavy Duty,Regular,Wide|m|10 20 30 60|20-60
household|Wraps & Bags|Foil & Wrap|Cling Wrap|Easy Cut,Microwave Safe|m|30 60 150|3-12
household|Laundry|Laundry Liquid|Laundry Liquid|Sensitive,Front Loader,Active Clean|ml|900 1000 2000 4000|300-1100
household|Dishwashing|Dishwasher Tablets|Dishwasher Tablets|Lemon,Original,All in 1|ea|18 42 60|20-70
beauty|Hair|Shampoo|Shampoo|Moisture,Repair,Dry Scalp|ml|200 350 700|700-2600
beauty|Dental|Toothpaste|Toothpaste|Whitening,Total,Kids|g|90 110 190|2000-6500
beauty|Body|Soap|Body Wash|Coconut,Sensitive,Citrus|ml|400 750 1000|400-1400
health|Vitamins|Multivitamins|Multivitamin Tablets|Women,Men,Kids|ea|60 100 200|10-40
baby|Nappies|Nappies|Nappies|Newborn,Crawler,Toddler,Walker|ea|24 48 90|25-60
baby|Baby Food|Pouches|Baby Food Pouch|Apple,Pear & Mango,Pumpkin|g|90 120|1200-2200
pet|Dog|Dry Dog Food|Dry Dog Food|Beef,Chicken,Puppy|g|1500 3000 8000|250-900
pet|Cat|Wet Cat Food|Wet Cat Food|Tuna,Chicken,Ocean Fish|xg|85|900-2000|6 12 24
liquor|Beer|Lager|Beer Can|Lager,Pale Ale,Mid Strength|xml|375|700-1300|6 24
liquor|Wine|White Wine|White Wine|Sauvignon Blanc,Chardonnay,Pinot Gris|ml|750|900-3200
""")

TOBACCO = _table("""
tobacco|Cigarettes|Cigarettes|Cigarettes|Red,Blue,Menthol|ea|20 25|150-220
tobacco|Tobacco|Rolling Tobacco|Rolling Tobacco|Original,Gold|g|25 50|200000-260000
""")

MARKET = _table("""
market|Home|Lamps|Desk Lamp|LED,Retro,Kids|ea|1|1500-9000
market|Home|Storage|Storage Box|Small,Large,Clear|ea|1|900-4000
market|Electronics|Cables|Charging Cable|USB-C,Lightning,Braided|ea|1|700-4500
""")

BRANDS = (
    "Barossa Grove",
    "Sunny Hollow",
    "Kookaburra Kitchen",
    "Old Harbour",
    "Daisy Flat",
    "Pemberley",
    "Gumleaf",
    "Murray Vale",
    "Tall Timber",
    "Billabong Bay",
    "Golden Paddock",
    "Ridgeway & Sons",
    "Wattle Lane",
    "Cape Southern",
    "Nonna Rosa",
    "Blue Wren",
    "Sir Cedric's",
    "Outpost",
    "Larrikin",
    "Ocean Arc",
    "Frosty Peak",
    "Pacific Rise",
    "Red Dune",
    "Ironbark",
    "Mallee",
    "True South",
    "Tip & Tuck",
    "Zest Co",
    "Emu Plains",
    "Harvest Home",
    "Bright & Fair",
    "Silverleaf",
    "Kinfolk",
    "Cobber",
    "Merri Creek",
    "D'Arcy's",
    "Little Joey",
    "Softly",
    "Purrfect",
    "Fetch",
    "Crème de Coq",
)
SYLLABLES = ("ba", "ka", "lo", "mi", "nu", "ra", "se", "ti", "vo", "wy", "za", "dor", "fen", "gil", "hart", "jin")
EXTRA = (
    "Classic",
    "Family",
    "Value",
    "Select",
    "Reserve",
    "Original Recipe",
    "Rustic",
    "Gold",
    "Homestyle",
    "Signature",
    "Everyday",
    "Gourmet",
)
