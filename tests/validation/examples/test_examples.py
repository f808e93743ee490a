"""The validator finds no error where there is none: the specification's examples and definitions, our golden resources.

All of them: `make examples`. Here a fixed sample.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.validation.examples.checking import CORE, EXAMPLES, Example, FalseAlarm, checked, of_golden, of_package
from tests.validation.examples.known import is_known, key_of, known

pytestmark = pytest.mark.unmeasured

SAMPLE = 500


@pytest.fixture(scope="session")
def packages(shared_data: Path) -> Path:
    """The folder with the two packages."""
    return shared_data / "fhir"


def unknown(examples: Iterable[Example]) -> list[FalseAlarm]:
    """The errors that the page does not name."""
    with checked(examples) as results:
        return [alarm for each in results for alarm in each if not is_known(alarm)]


def test_the_examples_of_the_specification_have_no_error(packages: Path) -> None:
    """But those that are wrong themselves."""
    assert unknown(of_package(packages / EXAMPLES, SAMPLE)) == []


def test_the_definitions_of_the_specification_have_no_error(packages: Path) -> None:
    """But those that are wrong themselves."""
    assert unknown(of_package(packages / CORE, SAMPLE)) == []


def test_our_golden_resources_have_no_error() -> None:
    """None at all."""
    assert unknown(of_golden()) == []


def test_what_is_called_wrong_is_wrong(packages: Path) -> None:
    """Every row of the page is an error that the validator finds."""
    names = {file for file, _ in known()}
    every = (one for archive in (EXAMPLES, CORE) for one in of_package(packages / archive))
    with checked(one for one in every if Path(one.name).stem in names) as results:
        assert {key_of(alarm) for each in results for alarm in each} == known()


def test_our_golden_resources_are_many() -> None:
    """The check above is not empty."""
    assert len(list(of_golden())) >= 29
