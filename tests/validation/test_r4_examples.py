"""Whether the structural check agrees with the specification's own examples, and its table with the package."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhir_adapter import fhirjson, validation
from fhir_adapter.validation import check_structure
from fhir_adapter.validation.findings import CODES
from fhir_adapter.validation.generate_elements import RESOURCES, Package, as_text, main, make_table

pytestmark = pytest.mark.unmeasured

TABLE = Path(validation.__file__).with_name("r4_elements.json")
CORE = Path("fhir", "hl7.fhir.r4.core-4.0.1.tgz")
EXAMPLES = Path("fhir", "hl7.fhir.r4.examples-4.0.1.tgz")
NAMED_BY_TYPE = tuple(f"package/{name}-" for name in RESOURCES)
BREAK_THE_SPECIFICATION = {
    # Lists the same data element twice under one fullUrl and without version.
    "package/Bundle-dataelements.json": {"bdl-7"},
    # Names an Encounter as performer, which Observation.performer does not allow.
    "package/Observation-clinical-gender.json": {"Reference.reference"},
}


def examples(archive: Path) -> Iterator[tuple[str, Any]]:
    """Every example of a type in the table, with its file name."""
    with tarfile.open(archive, "r:gz") as package:
        for member in package:
            file = package.extractfile(member) if member.name.startswith(NAMED_BY_TYPE) else None
            if file:
                yield member.name, fhirjson.loads(file.read())


@pytest.fixture(scope="module")
def found_in_examples(shared_data: Path) -> dict[str, set[str | None]]:
    """The broken rules of every example of a type in the table."""
    return {
        name: {issue.rule for issue in check_structure(resource)} for name, resource in examples(shared_data / EXAMPLES)
    }


def test_the_examples_of_the_specification_pass(found_in_examples: dict[str, set[str | None]]) -> None:
    """Of 266 examples only those break a rule that really break it."""
    assert {name: rules for name, rules in found_in_examples.items() if rules} == BREAK_THE_SPECIFICATION


def test_many_examples_were_read(found_in_examples: dict[str, set[str | None]]) -> None:
    """The check above is not empty."""
    assert len(found_in_examples) == 266


def test_the_table_is_what_the_package_gives(shared_data: Path) -> None:
    """The committed table is byte for byte what the generator makes of the package."""
    assert as_text(make_table(Package(shared_data / CORE))).encode() == TABLE.read_bytes()


def test_the_generator_writes_the_file_it_is_told(shared_data: Path, tmp_path: Path) -> None:
    """The command line names package and file."""
    out = tmp_path / "out.json"

    assert main(["generate_elements", str(shared_data / CORE), str(out)]) == 0
    assert out.read_bytes() == TABLE.read_bytes()


def test_the_generator_explains_its_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong command line ends with 2 and the usage."""
    assert main(["generate_elements"]) == 2
    assert "PACKAGE.tgz OUT.json" in capsys.readouterr().err


def test_importing_the_room_loads_no_compiler() -> None:
    """Who only imports `fhir_adapter.validation` reads no table."""
    program = "import sys, fhir_adapter.validation; print('fhir_adapter.validation.structure' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)

    assert done.stdout.strip() == "False"


def test_every_code_has_a_meaning() -> None:
    """The table of issue codes says something about each."""
    assert all(CODES.values())
