"""What is sold: brands, products across chains, and each company's listings of them."""

from sqlalchemy import Column, Index, Integer, Text, UniqueConstraint, text

from models.tables.base import Big, both_or_none, check, gtin_check, one_of, reference, sqlite_reference, table
from models.tables.types import Flag, Json, UtcDateTime

TEXTS = ("name", "brand", "gtin", "size", "url", "image_url")
"""The texts of a listing, as the company's site gives them; its category is not among them."""

brands = table(
    "brands",
    Column("id", Integer, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
)

brand_aliases = table(
    "brand_aliases",
    Column("key", Text, primary_key=True),
    reference("brand_id", "brands.id", nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("crawl_run_id", Integer),
    Column("created_at", UtcDateTime, nullable=False),
)

products = table(
    "products",
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("brand_id", Integer, index=True),
    Column("gtin", Text),
    # The parsed size in thousandths of size_unit, one pack of size_count.
    Column("size_amount_e3", Big),
    Column("size_unit", Text),
    Column("size_count", Integer),
    Column("size_is_approx", Flag),
    Column("normalized_key", Text, nullable=False, index=True),
    gtin_check(),
    one_of("size_unit", ("g", "ml", "m", "ea")),
    check("size", "size_amount_e3 > 0 AND size_count >= 1"),
    both_or_none("size_unit_known", "size_amount_e3", "size_unit"),
    both_or_none("size_count_known", "size_amount_e3", "size_count"),
    sqlite_reference("brand_id", "brands.id"),
    Index(
        "uq_products_gtin",
        "gtin",
        unique=True,
        sqlite_where=text("gtin IS NOT NULL"),
        postgresql_where=text("gtin IS NOT NULL"),
    ),
)

# Other keys and GTINs under which crawls have found a product, and skus that have left it.
product_aliases = table(
    "product_aliases",
    reference("product_id", "products.id", primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("company_id", Integer),
    Column("sku", Text),
    Column("crawl_run_id", Integer),
    Column("created_at", UtcDateTime, nullable=False),
    one_of("kind", ("key", "gtin", "product")),
    Index("ix_product_aliases_value", "kind", "value"),
)

categories = table(
    "categories",
    Column("id", Integer, primary_key=True),
    reference("company_id", "companies.id", nullable=False),
    # JSON array of names from department to leaf, as text.
    Column("path", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("key", Text),
    reference("parent_id", "categories.id", index=True),
    Column("is_promo", Flag, nullable=False, server_default=text("false")),
    UniqueConstraint("company_id", "path"),
)

product_categories = table(
    "product_categories",
    # No foreign keys here, nor from listings to companies and categories: checking them row by row tripled the time of
    # a first publish (docs/storage.md). None of these rows is ever deleted, and check_database finds orphans. For the
    # same reason PostgreSQL has no foreign key from products to brands and from listings to products.
    Column("product_id", Integer, primary_key=True, autoincrement=False),
    Column("category_id", Integer, primary_key=True, autoincrement=False, index=True),
    sqlite_with_rowid=False,
)

listings = table(
    "listings",
    Column("id", Integer, primary_key=True),
    Column("company_id", Integer, nullable=False),
    Column("sku", Text, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("product_id", Integer, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("brand", Text),
    Column("gtin", Text),
    Column("size", Text),
    Column("url", Text),
    Column("image_url", Text),
    Column("category_id", Integer, index=True),
    # Other texts that one complete run reported, until a run on another day confirms them or the present text returns.
    Column("pending", Json),
    Column("pending_at", UtcDateTime),
    # When a product page was last asked for the barcode, at a chain whose listings have none.
    Column("gtin_looked_up_at", UtcDateTime),
    UniqueConstraint("company_id", "sku"),
    UniqueConstraint("company_id", "ordinal"),
    gtin_check(),
    check("ordinal", "ordinal >= 0"),
    check("text", "sku <> '' AND name <> ''"),
    check("pending", "(pending IS NULL) = (pending_at IS NULL)"),
    sqlite_reference("product_id", "products.id"),
)
