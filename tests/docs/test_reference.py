"""The reference pages say everything that the program can say or be told."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.issue_codes import used_codes

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"


def _keys(schema: object) -> Iterator[str]:
    if isinstance(schema, dict):
        properties = schema.get("properties", {})
        yield from properties
        for child in schema.values():
            yield from _keys(child)
    elif isinstance(schema, list):
        for child in schema:
            yield from _keys(child)


def _schema_keys(name: str) -> set[str]:
    return set(_keys(json.loads((ROOT / "mappings" / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8"))))


def _named_in(page: str) -> set[str]:
    return set(re.findall(r"`([A-Za-z0-9_-]+)`", (REFERENCE / page).read_text(encoding="utf-8")))


def test_every_issue_code_is_documented() -> None:
    """A person who meets a code finds it on the page."""
    assert used_codes() - _named_in("issue-codes.md") == set()


def test_the_collector_of_codes_finds_codes() -> None:
    """The check above can fail: it sees codes from several rooms."""
    assert {"duplicate-key", "server-unreachable", "unknown-element", "unmapped-unit", "row-short"} <= used_codes()


@pytest.mark.parametrize("schema", ["trial", "sources", "codes", "decisions"])
def test_every_key_of_a_trial_folder_is_documented(schema: str) -> None:
    """A data manager finds every key of the YAML on one page."""
    assert _schema_keys(schema) - _named_in("trial-folder.md") == set()


def test_every_key_of_the_configuration_is_documented() -> None:
    """An engineer finds every key of the configuration on one page."""
    assert _schema_keys("config") - _named_in("commands.md") == set()


def test_every_dependency_has_its_sentence() -> None:
    """Each package that pyproject.toml names stands in the decision on dependencies."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    lists = re.findall(r"^(?:dependencies|dev) = \[\n(.*?)^\]", text, re.DOTALL | re.MULTILINE)
    names = {name for part in lists for name in re.findall(r'^ +"([A-Za-z0-9.-]+)', part, re.MULTILINE)}
    page = (ROOT / "docs" / "decisions" / "0002-dependencies.md").read_text(encoding="utf-8")
    assert {name for name in names if not re.search(rf"[| ,]{re.escape(name)}[ ,|]", page)} == set()


def test_every_link_between_pages_leads_somewhere() -> None:
    """No page sends its reader to a file that is not there."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    links = [
        (page, target) for page in pages for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
    ]
    assert [(page.name, target) for page, target in links if not (page.parent / target).exists()] == []
