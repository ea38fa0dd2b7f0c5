"""The counts of a chaos run: by database and mishap, and in total."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table

from tests.chaos.rounds import PEACE, Outcome

COLUMNS = {
    "runs": "runs",
    "struck": "struck",
    "losses": "losses",
    "wrong_deletions": "wrong deletions",
    "false_completes": "false completes",
    "violations": "violations",
}
GOOD = ("runs", "struck")


@dataclass(frozen=True)
class Figures:
    """Some crawls: how many, how many the mishap struck, how they ended, and what they broke."""

    runs: int
    struck: int
    ended: dict[str, int]
    """Crawls by the status of their run."""
    losses: int
    """Rows that were neither what they had been nor true."""
    wrong_deletions: int
    """Rows that were taken away though they were sold."""
    false_completes: int
    violations: int
    """Crawls that broke any promise, those above included."""

    @classmethod
    def of(cls, outcomes: Sequence[Outcome]) -> "Figures":
        return cls(
            runs=len(outcomes),
            struck=sum(each.struck for each in outcomes),
            ended=dict(Counter(each.status for each in outcomes).most_common()),
            losses=sum(each.losses for each in outcomes),
            wrong_deletions=sum(each.wrong_deletions for each in outcomes),
            false_completes=sum(each.false_complete for each in outcomes),
            violations=sum(bool(each.broken) for each in outcomes),
        )


def by_mishap(outcomes: Sequence[Outcome]) -> dict[tuple[str, str], Figures]:
    """(database, mishap) -> figures."""
    groups: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in sorted(outcomes, key=lambda each: (each.scene, each.mishap)):
        groups.setdefault((outcome.scene, outcome.mishap), []).append(outcome)
    return {key: Figures.of(these) for key, these in groups.items()}


def summary(outcomes: Sequence[Outcome], **facts: Any) -> dict[str, Any]:
    """The figures as JSON: in all, by database, by mishap; each crawl; and any `facts`."""
    databases = sorted({each.scene for each in outcomes})
    figures = by_mishap(outcomes)
    return {
        **facts,
        "totals": asdict(Figures.of(outcomes)),
        "databases": {one: asdict(Figures.of([each for each in outcomes if each.scene == one])) for one in databases},
        "mishaps": [{"database": key[0], "mishap": key[1], **asdict(each)} for key, each in figures.items()],
        "crawls": [asdict(outcome) for outcome in outcomes],
    }


def unstruck(outcomes: Sequence[Outcome]) -> list[str]:
    """Mishaps that were played on a database but never struck there."""
    figures = by_mishap(outcomes)
    return [" ".join(key) for key, each in figures.items() if not each.struck and key[1] != PEACE.name]


def table(outcomes: Sequence[Outcome], seed: int, seconds: float) -> Table:
    """The figures as a table; broken promises are red."""
    missed = unstruck(outcomes)
    never = f"; never struck: {', '.join(missed)}" if missed else ""
    caption = f"seed {seed}, {seconds:.0f} s{never}"
    shown = Table("database", "what went wrong", "how the runs ended", title="Chaos", caption=caption)
    shown.title_justify = shown.caption_justify = "left"
    for name in COLUMNS.values():
        shown.add_column(name, justify="right")
    for key, figures in by_mishap(outcomes).items():
        shown.add_row(*key, *_cells(figures))
    shown.add_section()
    for database in sorted({each.scene for each in outcomes}):
        shown.add_row(database, "all", *_cells(Figures.of([each for each in outcomes if each.scene == database])))
    shown.add_row("all", "", *_cells(Figures.of(outcomes)))
    return shown


def _cells(figures: Figures) -> list[str]:
    ended = ", ".join(f"{count} {status}" for status, count in figures.ended.items())
    counts = {name: getattr(figures, name) for name in COLUMNS}
    return [ended, *(f"[bold red]{n}" if n and name not in GOOD else str(n) for name, n in counts.items())]
