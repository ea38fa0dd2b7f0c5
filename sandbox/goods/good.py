"""Physical goods, and the lines under which a chain lists them."""

from dataclasses import dataclass

from sandbox.goods.words import Kind


@dataclass(frozen=True, slots=True)
class Good:
    """One physical good, whoever sells it."""

    kind: Kind
    brand: str | None
    words: str
    """Variety and noun: `Salted Butter`."""
    size: int
    """Grams, millilitres, pieces, sheets or metres of one of `count`; typical grams where weighed."""
    count: int
    base: int
    """Cents for the pack, or for a kilogram where the good is weighed."""
    gtin: str

    @property
    def amount(self) -> int:
        return self.size * self.count

    @property
    def weighed(self) -> bool:
        return self.kind.form in ("loose", "deli", "weighed")


@dataclass(frozen=True, slots=True)
class Line:
    """A good as one chain lists it."""

    index: int
    """Dense over the chain's lines; the main ones come first."""
    sku: str
    good: Good
    brand: str | None
    base: int
    family: int
    """Lines of one brand and size share their price."""
    section: str = "main"
    """main, tobacco or market."""
    promo_only: bool = False
    """Listed under a promotional root and nowhere else."""
    abroad: bool = False
    """Listed a second time under international foods."""
    barcode: str | None = None
    """As the chain sends it."""
