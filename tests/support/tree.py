"""The checkout as data, for the tests that walk it: its files, their syntax trees, what each imports."""

import ast
import functools
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("splitcart", "splitcart_spiders", "pipelines", "models", "sandbox")
CODE = (*PACKAGES, "scripts", "benchmarks")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@functools.cache
def files() -> tuple[Path, ...]:
    """Every file that is committed or about to be, relative to the root."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode == 0:
        paths = (Path(line) for line in listed.stdout.splitlines())
    else:  # an unpacked archive
        paths = (path.relative_to(ROOT) for path in ROOT.rglob("*") if not set(path.parts) & {".venv", "build", "dist"})
    return tuple(sorted(path for path in paths if (ROOT / path).is_file()))


def text_files() -> Iterator[tuple[Path, str]]:
    """Every text file with its content."""
    for path in files():
        try:
            yield path, (ROOT / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


@dataclass(frozen=True, eq=False)
class Module:
    """One Python file: `path` relative to the root, dotted `name`, syntax `tree`, `lines` of text."""

    path: Path
    name: str
    tree: ast.Module
    lines: int

    @property
    def top(self) -> str:
        return self.path.parts[0]

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        return (node for node in ast.walk(self.tree) if isinstance(node, FUNCTIONS))

    def imports(self) -> Iterator[tuple[int, str]]:
        """(line, dotted name) of everything imported anywhere in the file, functions included.

        `from a.b import c` gives `a.b.c`; relative names are resolved; `import_module("a.b")` counts.
        """
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = self._absolute(node)
                yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)
            elif isinstance(node, ast.Call) and _callee(node) in {"import_module", "__import__"}:
                for argument in node.args[:1]:
                    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                        yield node.lineno, argument.value

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        package = self.name.split(".") if self.path.name == "__init__.py" else self.name.split(".")[:-1]
        base = package[: len(package) - node.level + 1]
        return ".".join([*base, *([node.module] if node.module else [])])


def _callee(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


@functools.cache
def modules() -> tuple[Module, ...]:
    """Every Python file of the tree."""
    found = []
    for path in files():
        if path.suffix == ".py":
            text = (ROOT / path).read_text()
            parts = path.with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found.append(Module(path, name, ast.parse(text), text.count("\n")))
    return tuple(found)


def code() -> tuple[Module, ...]:
    """What runs in production: the packages, scripts and benchmarks."""
    return tuple(module for module in modules() if module.top in CODE)


def tests() -> tuple[Module, ...]:
    """The test files and their support."""
    return tuple(module for module in modules() if module.top == "tests")
