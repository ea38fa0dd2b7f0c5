"""scripts/sandbox.py prints its address once it serves, and a signal ends it."""

import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "sandbox.py"
SMALL = ["--products", "20", "--stores", "2", "--json"]


def start(*arguments):
    command = [sys.executable, str(SCRIPT), *arguments, *SMALL]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_ready_line_has_the_address_and_a_signal_ends_it():
    process = start("--port", "0", "--day", "3")
    try:
        ready = json.loads(process.stdout.readline())
        assert ready["day"] == 3
        assert len(ready["chains"]["iga"]["stores"]) == 2
        with urllib.request.urlopen(f"{ready['chains']['coles']['url']}/", timeout=60) as answer:
            assert answer.status == 200
        taken = start("--port", str(ready["port"]))
        assert taken.wait(60) == 1
        assert "--port" in taken.stderr.read()
        taken.stdout.close()
        taken.stderr.close()
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        process.stdout.close()
        process.stderr.close()
