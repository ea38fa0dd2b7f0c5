"""The documents name only what exists."""

import re
from pathlib import Path

from scrapy.settings import default_settings

from splitcart_spiders import limits, settings
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
        for path, text in tree.text_files()
        if path.suffix in {".py", ".toml", ".cfg", ""} and path.parts[0] != "tests"
        for named in re.findall(r"\b(?:scripts|docs|benchmarks)/\w+\.(?:py|md)\b", text)
        if PLACEHOLDER not in named and not (ROOT / named).exists()
    }
    assert missing == set()


def test_every_setting_of_ours_has_a_heading_with_its_default_its_effect_and_when_to_change_it():
    ours = {name: value for name, value in vars(settings).items() if name.isupper() and not name.startswith("_")}
    scrapys = {name for name in vars(default_settings) if name.isupper()}
    operators = set(limits.WHOLE | limits.NUMBERS) | limits.YES_OR_NO | set(limits.NAMED)
    wanted = {name for name in ours if name not in scrapys} - {"BOT_VERSION", "ORDER", "SPIDER_ORDER"}
    document = (ROOT / "docs" / "settings.md").read_text()
    sections = dict(re.findall(r"^## ([A-Z_]+)\n\n(.*?)(?=^#|\Z)", document, re.MULTILINE | re.DOTALL))
    assert wanted - set(sections) == set()
    assert set(sections) - wanted - operators - {"LOG_LEVEL"} == set()
    for name, text in sections.items():
        default, *effect = [line for line in text.splitlines() if line]
        assert default.startswith("Default: "), name
        assert any(line.startswith("Change it when ") for line in effect), name
        assert not effect[0].startswith("Change it"), name
        if isinstance(ours[name], int | float) and name not in ("POLITE", "BROWSER"):
            assert f"`{ours[name]}`" in default, name
