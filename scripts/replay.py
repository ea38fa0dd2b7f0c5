"""Runs saved response bodies of a chain through its mapping and the pipelines, and prints the products."""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import _path
from _support import output
from _support.chains import mapping, names, other_chain, records_of, slug
from _support.command import parser, run, shown, word
from _support.output import print_error

from pipelines.clean import CleanPipeline
from pipelines.duplicates import DuplicatesPipeline
from pipelines.price import PricePipeline
from pipelines.stage import Dropped
from pipelines.unit_price import UnitPricePipeline
from pipelines.validate import ValidatePipeline
from splitcart.sizes import packs
from splitcart_spiders.items import Drop, ProductItem

LARGEST_BYTES = 64 * 1024 * 1024
_COMPRESSED = (b"\x1f\x8b", b"PK\x03\x04", b"\x28\xb5\x2f\xfd")
"""How gzip, zip and zstd files begin."""
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
"""How a file begins that a Windows shell wrote by redirection."""
TRANSIT = {"shelf_unit_price", "shelf_unit_measure", "category_key"}
"""Fields of an item that one stage hands to the next and that are not stored."""
STAGES = (ValidatePipeline, CleanPipeline, PricePipeline, UnitPricePipeline, DuplicatesPipeline)


class Tally:
    """A statistics collector that only counts."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def inc_value(self, key: str, count: int = 1, start: int = 0) -> None:
        self.counts[key] += count


class Replay:
    """Runs any number of bodies through one chain's mapping and the stages; `products` holds one item a sku.

    Every record read is kept, dropped with a reason, or `replaced` by a later row of its sku.
    """

    def __init__(self, chain: ModuleType, store_code: str, now: datetime) -> None:
        self.chain, self.store_code, self.now = chain, store_code, now
        self.tally = Tally()
        self.stages = [stage(self.tally) for stage in STAGES]
        self.read = 0
        self.dropped: Counter[str] = Counter()
        self.products: dict[str, ProductItem] = {}

    def body(self, body: object) -> int:
        """Processes every record of a body; returns how many there were."""
        records = records_of(self.chain, body)
        self.read += len(records)
        for record in records:
            mapped = self.chain.to_item(record, store_id=self.store_code, now=self.now)
            if isinstance(mapped, Drop):
                self.dropped[mapped.reason] += 1
            else:
                self._stage(mapped)
        return len(records)

    def _stage(self, item: ProductItem) -> None:
        try:
            for stage in self.stages:
                stage.process_item(item)
        except Dropped as drop:
            self.dropped[drop.reason] += 1
            return
        if item.sku in self.products:
            self.dropped["replaced"] += 1
        self.products[item.sku] = item

    def ordered(self) -> Iterator[ProductItem]:
        """Organic products before advertised ones, each in the order in which they were first read."""
        yield from sorted(self.products.values(), key=lambda item: item.sponsored)

    def summary(self) -> dict[str, object]:
        return {
            "read": self.read,
            "kept": len(self.products),
            "dropped": dict(sorted(self.dropped.items())),
            "events": dict(sorted(self.tally.counts.items())),
        }


def as_json(item: ProductItem) -> str:
    """One line of JSON: every field of an item that is stored, and the pack read from its size and name."""
    fields = {key: value for key, value in asdict(item).items() if key not in TRANSIT}
    fields["pack"] = pack(packs.of(item.size, item.name))
    fields["scraped_at"] = item.scraped_at.isoformat() if item.scraped_at else None
    return output.as_json(fields)


def pack(size: packs.Size | None) -> dict[str, object] | None:
    """How much is in a pack: count, amount of each (the upper end of a range), unit g, ml, m or ea."""
    if size is None:
        return None
    amount = int(size.amount) if size.amount == int(size.amount) else float(size.amount)
    return {"count": size.count, "amount": amount, "unit": size.unit, "is_approximate": size.approx}


def load(chain: ModuleType, file: Path) -> object:
    """The decoded body of a file: JSON, or a page that carries its data (where the chain has such pages)."""
    try:
        with file.open("rb") as handle:
            raw = handle.read(LARGEST_BYTES + 1)
    except OSError as error:
        why = error.strerror or error
        raise ValueError(f"{file}: cannot be read ({why}); name a file that you may read") from error
    if len(raw) > LARGEST_BYTES:
        raise ValueError(f"{file}: larger than {LARGEST_BYTES // 2**20} MB; save one response a file")
    if raw.startswith(_COMPRESSED):
        raise ValueError(f"{file}: compressed; unpack it first (gunzip, unzip, zstd -d)")
    text = raw.decode("utf-16" if raw.startswith(_UTF_16) else "utf-8-sig", "replace")
    if not text.strip("\0 \t\r\n"):
        raise ValueError(f"{file}: empty; save the response body again")
    if text.lstrip().startswith("<"):
        return _page(chain, file, text)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file}: not JSON ({error}); save the response body unchanged") from error


def _page(chain: ModuleType, file: Path, text: str) -> object:
    next_data: Callable[[str], dict | None] | None = getattr(chain, "next_data", None)
    body = next_data(text) if next_data else None
    if body is None:
        raise ValueError(f"{file}: a page without product data (a block page?); save a listing or a product page")
    return body


def moment(text: str) -> datetime:
    """A time, in UTC. For argparse's `type`."""
    try:
        seen = datetime.fromisoformat(text)
        return seen.astimezone(UTC) if seen.tzinfo else seen.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            f"{shown(text)} is no time in ISO 8601, for example 2026-11-23T10:00"
        ) from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: every file was read; 1: one was not; 2: wrong arguments.

    One JSON object a product, one a sku, organic before advertised; the summary goes to standard error.
    """
    made = parser(__doc__, json="for symmetry with other scripts: the output is always JSON")
    made.add_argument("chain", type=mapping, metavar="CHAIN", help=f"which mapping: {', '.join(names())}")
    made.add_argument("files", type=Path, nargs="+", metavar="FILE", help="saved bodies: JSON, or Coles pages")
    made.add_argument("--store", type=word, default="replay", help="the store code of the items")
    made.add_argument("--now", type=moment, help="when it was seen, ISO 8601, UTC without an offset (default: now)")
    return run(made, _replay, arguments)


def _replay_file(replay: Replay, file: Path) -> None:
    """Replays one file. Raises ValueError where it cannot be read, or is another chain's."""
    body = load(replay.chain, file)
    if other := other_chain(replay.chain, body):
        raise ValueError(f"{file}: a body of {other}, not of {slug(replay.chain)}: write replay.py {other} {file}")
    if not replay.body(body):
        print_error(f"note: {file}: no records of {slug(replay.chain)} in it")


def _replay(options: argparse.Namespace) -> int:
    replay = Replay(options.chain, options.store, options.now or datetime.now(UTC))
    failed = False
    for file in options.files:
        try:
            _replay_file(replay, file)
        except ValueError as error:
            failed = True
            print_error(f"error: {error}")
    for item in replay.ordered():
        print(as_json(item))
    print_error(output.as_json(replay.summary()))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
