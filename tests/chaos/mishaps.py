"""All mishaps, by name."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from models.tables import crawl_run_categories
from sandbox.sites import switches
from tests.chaos import databases, full, leases, strikes
from tests.chaos.rounds import PEACE, Mishap, Round
from tests.chaos.scene import process

PG = ("postgresql",)
BLOCKS = ("imperva", "imperva_script", "imperva_incident", "akamai", "cloudflare")
UNREADABLE = 0.03
STATUSES = (400, 401, 403, 404, 410, 429, 500, 502, 503, 504)


def shown(kind: str, *, at_once: bool = False, **options: Any) -> Callable[[Round], None]:
    """The sandbox shows a fault from a random request on, or from the first."""

    def begin(round: Round) -> None:
        fault = round.scene.sandbox.faults.add(kind, round.chain, after=0 if at_once else round.patience, **options)
        round.fired = lambda: bool(fault.fired)

    return begin


def drawn(kind: str, **choices: tuple[Any, ...]) -> Callable[[Round], None]:
    """As `shown`, each option drawn from its choices."""

    def begin(round: Round) -> None:
        options = {name: round.chance.choice(values) for name, values in choices.items()}
        shown(kind, **options)(round)

    return begin


def day_turns(round: Round) -> None:
    shown("day", value=round.scene.sandbox.day + 1, times=1)(round)


def specials_flip(round: Round) -> None:
    """The next Wednesday (day 0 is one) comes in the middle of the crawl."""
    day = round.scene.sandbox.day
    shown("day", value=day + 7 - day % 7, times=1)(round)


def a_switch(round: Round) -> None:
    """One of the chain's own switches goes on."""
    own = sorted(name for name in switches() if name.startswith(f"{round.chain}_"))
    shown("switch", value=round.chance.choice(own), times=1)(round)


def a_category_missing(round: Round) -> None:
    """One that the store's last run walked is not in the tree."""
    run = round.scene.run(round.chain, round.store_code)
    table = crawl_run_categories.c
    wanted = select(table.key).where(table.run_id == (run.id if run else -1), table.held).order_by(table.key)
    with round.scene.engine.connect() as connection:
        keys = list(connection.execute(wanted).scalars())
    if keys:
        shown("missing_category", at_once=True, value=round.chance.choice(keys).split("/")[-1])(round)


def network_goes_down(round: Round) -> None:
    round.stack.callback(round.scene.sandbox.network_up)
    round.scene.sandbox.network_down()


def killed_then_resumed(round: Round) -> None:
    """The run before was killed; this one resumes it."""
    round.options["arguments"] = {"resume": "1"}
    _leave_a_dead_run(round)


def crashes_while_resuming(round: Round) -> None:
    """As before, and the server crashes while the dead run is taken over."""
    killed_then_resumed(round)
    databases.restarts_at_a_statement(round)


def crashed_then_resumed(round: Round) -> None:
    """As before, and the server crashed between the two: the staged rows of the walk to resume are gone."""
    killed_then_resumed(round)
    databases.restart(round)


def _leave_a_dead_run(round: Round) -> None:
    scene = round.scene
    first, begun = process(scene, round.chain, round.store_code), len(scene.sandbox.log)
    strikes.wait_until(lambda: first.code() is not None or len(scene.sandbox.log) - begun > round.patience)
    first.kill()
    run = scene.run(round.chain, round.store_code)
    round.struck = run is not None and run.status == "running"


SITE = (
    PEACE,
    Mishap("slow answers", shown("delay", seconds=0.2, times=5), harmless=True),
    Mishap("connections reset", shown("reset", times=2), harmless=True),
    Mishap("connections reset for ever", shown("reset")),
    Mishap("an answer cut short", shown("cut", times=1), harmless=True),
    Mishap("answers cut short for ever", shown("cut")),
    Mishap("server errors", drawn("status", status=(500, 502, 503, 504), times=(1, 2)), harmless=True),
    Mishap("a status for ever", drawn("status", status=STATUSES)),
    Mishap("too many requests", shown("status", status=429, retry_after="1", times=1), harmless=True),
    Mishap("sessions expire", shown("expire", times=1)),
    Mishap("a new build", shown("build", times=1), harmless=True),
    Mishap("truncated JSON", drawn("truncate", times=(1, 2, None))),
    Mishap("no JSON", drawn("invalid_json", times=(1, 2, None))),
    Mishap("HTML where JSON is due", drawn("html", times=(1, 2, None))),
    Mishap("a block page", drawn("block", form=BLOCKS)),
    Mishap("a category missing", a_category_missing),
    Mishap("every page is page 1", shown("page_one")),
    Mishap("totals without rows", shown("no_rows")),
    Mishap("an empty store", shown("empty"), known=True),
    Mishap("9% of the rows gone", shown("gone", value=0.09), hides=True, known=True),
    Mishap(
        "rows that cannot be read",
        shown("unreadable_prices", at_once=True, value=UNREADABLE),
        garbles=UNREADABLE,
        known=True,
    ),
    Mishap("doubled prices", shown("prices", at_once=True, value=2.0), spoils=True, known=True),
    Mishap(
        "prices that nobody can read",
        drawn("unreadable_prices", at_once=(True,), form=("", "text", "zero", "negative", "object"), value=(0.5, 1.0)),
        spoils=True,
    ),
    Mishap("names that nobody can read", shown("unreadable_names", at_once=True, value=0.5), spoils=True),
    Mishap("the site behaves otherwise", a_switch),
    Mishap("the network goes down", strike=network_goes_down),
    Mishap("the day turns", day_turns),
    Mishap("the day turns over a flip", specials_flip, spoils=True),
)
PROCESS = (
    Mishap("killed at a request", strikes.as_process, strikes.kill, kills=True),
    Mishap("killed at a statement", strikes.dies_at_a_statement("run"), kills=True),
    Mishap("killed while it ends", strikes.dies_at_a_statement("end"), kills=True),
    Mishap("killed, then resumed", killed_then_resumed, harmless=True),
    Mishap("terminated", strikes.as_process, strikes.terminate),
    Mishap("terminated twice", strikes.as_process, strikes.terminate_twice, kills=True, mute=True),
    Mishap("pages run out", strikes.pages_run_out, spoils=True),
    Mishap("time runs out", strikes.time_runs_out, spoils=True),
    Mishap("parse raises", strikes.parse_raises, spoils=True),
    Mishap("start raises", strikes.start_raises, spoils=True),
    Mishap("a pipeline raises", strikes.a_pipeline_raises, spoils=True),
    Mishap("two crawls of one store", strike=databases.second_crawl, harmless=True),
    Mishap("the lease is lost", strike=leases.lease_lost, spoils=True),
)
DATABASE = (
    Mishap("readers look on", databases.readers_look_on, harmless=True),
    Mishap("the disk is full for a while", full.disk_full_for_a_while, mute=True),
    Mishap("the disk stays full", full.disk_stays_full, full.no_room_from_now_on, mute=True),
    Mishap("no space left", full.no_space_left, full.disk_fills_up, mute=True, fills_disk=True),
    Mishap("no space left to publish", full.no_space_left_to_publish, mute=True, fills_disk=True),
    Mishap("the file is lost", leases.file_lost, spoils=True, mute=True, on=("sqlite",)),
    Mishap("another writer", strike=databases.another_writer, harmless=True, on=("sqlite",)),
    Mishap("backends terminated", strike=databases.backends_terminated, harmless=True, on=PG),
    Mishap("cut while staging", databases.cut_while_staging, harmless=True, on=PG, stops_server=True),
    Mishap("cut while publishing", databases.cut_while_publishing, harmless=True, on=PG, stops_server=True),
    Mishap("an opening unanswered", databases.opening_unanswered, harmless=True, on=PG, stops_server=True),
    Mishap("a commit unanswered", databases.commit_unanswered, harmless=True, on=PG, stops_server=True),
    Mishap("the server crashes", strike=databases.restart, on=PG, stops_server=True),
    Mishap("crashes at a statement", databases.restarts_at_a_statement, on=PG, stops_server=True),
    Mishap("crashes while resuming", crashes_while_resuming, on=PG, stops_server=True),
    Mishap("crashes before judging", databases.restarts_before_judging, spoils=True, on=PG, stops_server=True),
    Mishap("crashes before publishing", databases.restarts_before_publishing, spoils=True, on=PG, stops_server=True),
    Mishap("crashes while publishing", databases.restarts_while_publishing, on=PG, stops_server=True),
    Mishap("crashed, then resumed", crashed_then_resumed, harmless=True, on=PG, stops_server=True),
    Mishap("the server is down", databases.server_is_down, spoils=True, on=PG, stops_server=True),
)
MISHAPS = (*SITE, *PROCESS, *DATABASE)
