"""`--help` of many scripts, each in its own process, forked from one that has imported the third-party packages.

A file to run: `explaining.py FOLDER SCRIPT...`. The output of a script is in FOLDER/NAME.out and .err, its exit code in
NAME.code; it runs in the empty folder FOLDER/NAME.
"""

import os
import runpy
import sys
from importlib import import_module
from pathlib import Path

SLOW = ("alembic.config", "numpy", "scrapy.crawler", "sqlalchemy.dialects.postgresql")


def explain(script: Path, folder: Path) -> None:
    """In a forked process: as `python SCRIPT --help` would."""
    for stream, kind in ((sys.stdout, "out"), (sys.stderr, "err")):
        with (folder / f"{script.stem}.{kind}").open("wb") as file:
            os.dup2(file.fileno(), stream.fileno())
    empty = folder / script.stem
    empty.mkdir()
    os.chdir(empty)
    sys.argv, sys.path[0] = [str(script), "--help"], str(script.parent)
    runpy.run_path(str(script), run_name="__main__")


def main(folder: Path, scripts: list[Path]) -> None:
    for name in SLOW:
        import_module(name)
    for script in scripts:
        child = os.fork()
        if child == 0:
            return explain(script, folder)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        (folder / f"{script.stem}.code").write_text(str(code))
    return None


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(each) for each in sys.argv[2:]])
