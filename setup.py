"""Builds the egg that scrapyd runs: the crawl and the packages it imports, with migrations; no sandbox, no tests."""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).resolve().parent
PACKAGES = ("splitcart", "splitcart_spiders", "pipelines", "models")
DATA = ("py", "sql", "mako", "toml", "json", "csv", "txt")


def requirements(name: str) -> list[str]:
    """The direct requirements of a file, pinned."""
    lines = (HERE / f"{name}.in").read_text().splitlines()
    return [line for line in lines if line and not line.startswith(("#", "-r"))]


setup(
    packages=find_packages(str(HERE), include=[*PACKAGES, *(f"{name}.*" for name in PACKAGES)]),
    package_data={name: [f"**/*.{suffix}" for suffix in DATA] for name in PACKAGES},
    install_requires=requirements("requirements"),
    extras_require={"coles": requirements("requirements-coles")},
    entry_points={"scrapy": ["settings = splitcart_spiders.settings"]},
    zip_safe=True,
)
