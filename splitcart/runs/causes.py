"""Why a run staged nothing: the cause that an operator should look at first."""

from collections.abc import Sequence

from splitcart.runs.facts import Category, Counts

SHOWN = 3
"""How many reasons for drops are named, the most frequent first."""


def why_empty(counts: Counts, categories: Sequence[Category]) -> str:
    """The cause that lies nearest to the site: an error, failed categories, a site without products, dropped rows."""
    failed = [category for category in categories if category.failed]
    if failed:
        return f"{len(failed)} of {len(categories)} categories failed, first {failed[0].key}: {failed[0].failed}"
    if counts.error:
        return counts.error
    if counts.accepted < 0:
        return "staging never began"
    if counts.accepted > 0:
        return _lost(counts)
    if not categories:
        return "no category was walked"
    seen, promised = sum(each.seen for each in categories), sum(each.expected or 0 for each in categories)
    if seen:
        return f"{seen} products were listed and every row was dropped{_named(counts)}"
    if promised:
        return f"{promised} products were promised and none was listed{_named(counts)}"
    return f"the site lists no product in any of {len(categories)} categories{_named(counts)}"


def _lost(counts: Counts) -> str:
    """Where accepted rows were lost."""
    if counts.quarantined:
        return f"the database refused {counts.quarantined} of {counts.accepted} rows: see the table quarantined_items"
    return f"{counts.accepted} accepted rows are not in the staging table: something else deleted them"


def _named(counts: Counts) -> str:
    """The most frequent drops in brackets; empty without any."""
    most = sorted(counts.drops.items(), key=lambda drop: (-drop[1], drop[0]))[:SHOWN]
    return f" ({', '.join(f'{name} {count}' for name, count in most)})" if most else ""
