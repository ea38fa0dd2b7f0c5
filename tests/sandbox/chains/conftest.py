import pytest


@pytest.fixture(autouse=True)
def _calm(request):
    """Switches off all faults and switches of a module's server after each test."""
    yield
    if "server" in request.fixturenames:
        running = request.getfixturevalue("server")
        running.faults.clear()
        running.switches.clear()
