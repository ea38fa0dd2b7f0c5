"""The documents name only what exists."""

import re
from pathlib import Path

from tests.support import tree
from tests.support.tree import ROOT

DOCUMENTS = [path for path in tree.files() if path.suffix == ".md"]
MADE = ("demo/", "build/", "dist/", ".venv")
"""What commands leave behind, so that it may be missing."""


PLACEHOLDER = "NAME"


def _looks_like_a_path(token: str) -> bool:
    if PLACEHOLDER in token:
        return False
    tops = {path.parts[0] for path in tree.files()}
    return (
        token.split("/")[0] in tops and re.fullmatch(r"[\w./-]+", token) is not None and ("/" in token or "." in token)
    )


def test_documents_name_only_files_that_exist():
    missing = []
    for document in DOCUMENTS:
        text = (ROOT / document).read_text()
        named = [token for span in re.findall(r"`([^`\n]+)`", text) for token in span.split()]
        for token in filter(_looks_like_a_path, named):
            if not token.startswith(MADE) and not (ROOT / token).exists():
                missing.append(f"{document}: {token}")
        for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", text):
            if not (ROOT / document.parent / target).exists():
                missing.append(f"{document}: link to {target}")
    assert missing == []


def test_documents_name_only_make_targets_that_exist():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        f"{document}: make {word}"
        for document in DOCUMENTS
        for word in re.findall(r"(?:`|^ *)make ([a-z]+)", (ROOT / document).read_text(), re.MULTILINE)
        if word not in targets
    }
    assert named == set()


def test_every_document_in_docs_is_linked_from_the_readme():
    readme = (ROOT / "README.md").read_text()
    unlinked = [str(path) for path in DOCUMENTS if path.parent == Path("docs") and f"({path.as_posix()})" not in readme]
    assert unlinked == []


def test_code_and_messages_name_only_scripts_and_documents_that_exist():
    missing = {
        f"{path}: {named}"
        for path, text in tree.texts()
        if path.suffix in {".py", ".toml", ".cfg", ""} and path.parts[0] != "tests"
        for named in re.findall(r"\b(?:scripts|docs|benchmarks)/\w+\.(?:py|md)\b", text)
        if PLACEHOLDER not in named and not (ROOT / named).exists()
    }
    assert missing == set()
