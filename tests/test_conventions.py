"""What every file of the tree keeps to. Each test lists the places that do not."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests import conftest
from tests.support import tree
from tests.support.tree import PACKAGES, ROOT

OURS = (*PACKAGES, "scripts", "benchmarks", "tests")
MAY_IMPORT = {
    "splitcart": ("splitcart",),
    "models": ("models", "splitcart"),
    "splitcart_spiders": ("splitcart_spiders", "splitcart"),
    "pipelines": (
        "pipelines", "splitcart", "models",
        "splitcart_spiders.items", "splitcart_spiders.errors", "splitcart_spiders.shared",
    ),
    "sandbox": ("sandbox",),
}  # fmt: skip
FUNCTION_LINES, MODULE_LINES = 40, 300
LONGER: dict[str, str] = {}
"""`path` or `path:function` -> why splitting it would only please the counter."""
PRINTS = ("scripts/", "benchmarks/", "sandbox/__main__.py", "sandbox/cli.py")
SCRIPTS = sorted(
    path for path in tree.files() if path.parts[0] == "scripts" and re.match(r"scripts/[^_].*\.py", str(path))
)


def _within(name: str, allowed: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in allowed)


def test_imports_go_one_way():
    wrong = []
    for module in tree.modules():
        allowed = MAY_IMPORT.get(module.top)
        if allowed and module.path.is_relative_to("splitcart_spiders/extensions"):
            allowed = (*allowed, "models")  # they open a run and end it
        for line, name in module.imports():
            ours = name.split(".")[0] in OURS or name == "_path"
            if allowed and ours and not _within(name, allowed):
                wrong.append(f"{module.path}:{line} imports {name}")
    assert wrong == []


def test_the_packages_imported_are_ours():
    for name in PACKAGES:
        assert Path(__import__(name).__file__).is_relative_to(ROOT), f"another package called {name} is installed"


def test_functions_and_modules_stay_short():
    long = [f"{module.path}: {module.lines} lines" for module in tree.code() if module.lines > MODULE_LINES]
    for module in tree.code():
        for node in module.functions():
            length = node.end_lineno - node.lineno + 1
            if length > FUNCTION_LINES:
                long.append(f"{module.path}:{node.name}: {length} lines")
    assert [place for place in long if place.rpartition(": ")[0] not in LONGER] == []
    assert [place for place in LONGER if not any(found.startswith(f"{place}: ") for found in long)] == []


def test_every_signature_is_annotated():
    bare = []
    for module in tree.code():
        for node in module.functions():
            listed = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
            missing = [each.arg for each in listed if each and not each.annotation and each.arg not in {"self", "cls"}]
            if missing or node.returns is None:
                bare.append(f"{module.path}:{node.lineno} {node.name} {missing or 'gives no return type'}")
    assert bare == []


def test_the_types_of_all_code_are_checked_and_a_missing_module_of_ours_is_an_error():
    mypy = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
    assert set(mypy["files"]) == {*OURS} - {"tests"}
    apart = [str(path) for path in tree.files() for each in mypy["exclude"] if re.search(each, str(path))]
    lint = (ROOT / "Makefile").read_text()
    assert [path for path in apart if f"mypy -m {path.removesuffix('.py').replace('/', '.')}\n" not in lint] == []
    assert "ignore_missing_imports" not in mypy
    untyped = [name for each in mypy["overrides"] if each.get("ignore_missing_imports") for name in each["module"]]
    modules = {path.parts[1].removesuffix(".py") for path in tree.files() if path.parts[0] == "scripts"}
    assert {name.partition(".")[0] for name in untyped}.isdisjoint({*OURS, *modules})


def test_only_scripts_print():
    loud = []
    for module in tree.code():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
                loud.append(f"{module.path}:{node.lineno}")
    assert [place for place in loud if not place.startswith(PRINTS)] == []


def test_no_error_is_caught_unnamed():
    bare = [
        f"{module.path}:{node.lineno}"
        for module in tree.modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ExceptHandler) and node.type is None
    ]
    assert bare == []


def test_nothing_is_left_for_later():
    later = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b|pytest\.(mark\.)?(sk" r"ip|xf" r"ail)")
    found = [
        f"{path}:{number}: {line.strip()[:100]}"
        for path, text in tree.text_files()
        if path.suffix in {".py", ".md", ".toml", ".cfg", ".sh", ".ini", ""}
        for number, line in enumerate(text.splitlines(), 1)
        if later.search(line)
    ]
    assert found == []


def test_every_test_can_fail():
    checks = re.compile(r"\bassert|raises|approx|check|expect|verify|fail\(")
    empty = [
        f"{module.path}:{node.lineno} {node.name}"
        for module in tree.tests()
        for node in module.functions()
        if node.name.startswith("test_") and not checks.search(ast.unparse(node))
    ]
    assert empty == []


def test_the_environment_is_read_by_settings_and_scripts_only():
    reads = [
        f"{module.path}:{node.lineno}"
        for module in tree.code()
        if module.top in PACKAGES and module.path.as_posix() != "splitcart_spiders/settings.py"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
    ]
    assert reads == []


def test_every_script_finds_the_checkout_before_it_imports_ours():
    lost = []
    for module in tree.modules():
        if module.path in SCRIPTS:
            names = [name.split(".")[0] for _, name in sorted(module.imports())]
            if "_path" not in names or any(name in OURS for name in names[: names.index("_path")]):
                lost.append(str(module.path))
    assert lost == []


@pytest.fixture(scope="module")
def explained(tmp_path_factory):
    """A folder in which every script was asked for its help."""
    folder = tmp_path_factory.mktemp("explained")
    environ = {"PATH": "", "HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, str(ROOT / "tests" / "support" / "explaining.py"), str(folder)]
    command += [str(ROOT / path) for path in SCRIPTS]
    subprocess.run(command, cwd=folder, env=environ, timeout=60 + 10 * len(SCRIPTS), check=True)
    return folder


@pytest.mark.parametrize("script", [path.stem for path in SCRIPTS])
def test_every_script_explains_itself_from_anywhere_and_touches_nothing(explained, script):
    assert (explained / f"{script}.code").read_text() == "0", (explained / f"{script}.err").read_text()
    assert "usage" in (explained / f"{script}.out").read_text().lower()
    assert list((explained / script).iterdir()) == []
    expected = {f"{path.stem}{suffix}" for path in SCRIPTS for suffix in ("", ".code", ".err", ".out")}
    assert {path.name for path in explained.iterdir()} == expected


def test_no_file_names_a_machine_or_a_package_host():
    out = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True).stdout
    hosts = re.findall(r"https?://([^/:\s'\"]+)", out)
    here = [f"{path}/" for path in (ROOT, ROOT.parent, Path.home()) if len(str(path)) > 4]
    forbidden = re.compile("|".join(map(re.escape, [*here, *hosts])))
    named = [
        f"{path}:{number}: {line.strip()[:100]}"
        for path, text in tree.text_files()
        for number, line in enumerate(text.splitlines(), 1)
        if forbidden.search(line)
    ]
    assert named == []


def test_requirement_files_pin_versions_and_name_no_host():
    pinned = re.compile(r"[\w.-]+==[\w.]+( *; [^#]+?)?( +# via .*)?")
    loose = []
    for name in ("requirements.txt", "requirements-coles.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text().splitlines():
            if line and not line.startswith("#") and not pinned.fullmatch(line):
                loose.append(f"{name}: {line}")
    assert loose == []


def test_the_lock_files_hold_what_is_asked_for():
    for name in ("requirements", "requirements-coles", "requirements-dev"):
        locked = (ROOT / f"{name}.txt").read_text().splitlines()
        asked = (ROOT / f"{name}.in").read_text().splitlines()
        for line in asked:
            if "==" in line:
                assert any(each.split("  #")[0].strip() == line.strip() for each in locked), f"make lock: {line}"


def test_the_test_tree_mirrors_the_code():
    folders = {path.parent for path in tree.files() if path.suffix == ".py"}
    strays = []
    for module in tree.tests():
        folder = module.path.relative_to("tests").parent
        if folder.parts and folder.parts[0] not in {"chaos", "support"} and folder not in folders:
            strays.append(str(module.path))
    assert strays == []


def test_a_test_file_that_is_named_after_a_module_or_a_package_lies_where_that_lies():
    lies: dict[tuple[str, str], set[Path]] = {}
    for module in tree.code():
        *folders, name = module.name.split(".")  # of a package the folder that it lies in; in it will do as well
        lies.setdefault((module.top, f"test_{name}.py"), set()).update({Path(*folders), module.path.parent})
    strays = []
    for module in tree.tests():
        path = module.path.relative_to("tests")
        there = lies.get((path.parts[0], path.name))
        if there and path.parent not in there:
            strays.append(f"{module.path}: belongs in {', '.join(f'tests/{folder}' for folder in sorted(there))}")
    assert strays == []


def test_the_test_files_that_begin_first_are_there():
    assert [name for name in conftest.LONGEST if not (ROOT / "tests" / name).is_file()] == []


def _reached(names: set[str]) -> set[str]:
    """The modules that the dotted names lead to, and those that these import or name (as settings do)."""
    known = {module.name: module for module in tree.code()}
    reached: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        module = known.get(name) or known.get(name.rpartition(".")[0])
        if module and module.name not in reached:
            reached.add(module.name)
            waiting += [name for _, name in module.imports()]
            waiting += [
                node.value for node in ast.walk(module.tree) if isinstance(node, ast.Constant) and _dotted(node)
            ]
            if module.name.endswith((".spiders", ".commands")):  # Scrapy loads all of them
                waiting += [name for name in known if name.startswith(f"{module.name}.")]
    return reached


def _dotted(constant: ast.Constant) -> bool:
    return isinstance(constant.value, str) and constant.value.partition(".")[0] in PACKAGES


def test_every_module_is_under_test():
    """By a test file of its name in the mirrored folder, by a test that imports it, or as part of one that is."""
    named = {name for module in tree.tests() for _, name in module.imports()}
    reached = _reached({*named, "splitcart_spiders.settings"})
    mirrored = {module.path.relative_to("tests").as_posix() for module in tree.tests()}
    bare = [
        str(module.path)
        for module in tree.code()
        if module.top in PACKAGES and any(module.functions()) and "migrations" not in module.path.parts
        if module.path.with_name(f"test_{module.path.name}").as_posix() not in mirrored and module.name not in reached
    ]
    assert bare == []
