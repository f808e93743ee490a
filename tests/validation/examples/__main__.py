"""The validator on everything that is right already: it must find no error but those that are known: `make examples`.

    python -m tests.validation.examples [--sample N] [--workers N] [--only WORD] FOLDER

FOLDER holds the packages hl7.fhir.r4.core and hl7.fhir.r4.examples. Checks all examples, all definitions of the core
package and the golden resources of this project. Prints every error, the known ones of `docs/validator-cases.md`
marked, and ends with 1 when there is one that is not known.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from itertools import chain
from pathlib import Path

from tests.validation.examples.checking import CORE, EXAMPLES, FalseAlarm, checked, of_golden, of_package
from tests.validation.examples.known import is_known


def main() -> int:
    """Check and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sample", type=int)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--only", default="")
    asked = parser.parse_args()
    packages = (of_package(asked.folder / name, asked.sample) for name in (EXAMPLES, CORE))
    examples = (one for one in chain(*packages, of_golden()) if asked.only in one.name)
    count = 0
    found: list[FalseAlarm] = []
    with checked(examples, asked.workers) as results:
        for each in results:
            count += 1
            found += each
            for alarm in each:
                say(alarm)
    return summary(count, found)


def say(alarm: FalseAlarm) -> None:
    """One error."""
    known = "known: " if is_known(alarm) else ""
    sys.stdout.write(f"{known}{alarm.file}: {alarm.path}: {alarm.code} {alarm.rule}: {alarm.message}\n")


def summary(count: int, found: list[FalseAlarm]) -> int:
    """What is not known, by rule, and the exit code."""
    unknown = [alarm for alarm in found if not is_known(alarm)]
    for (code, rule), times in Counter((alarm.code, alarm.rule) for alarm in unknown).most_common():
        sys.stdout.write(f"{times:6} {code} {rule}\n")
    files, known = len({alarm.file for alarm in unknown}), len(found) - len(unknown)
    sys.stdout.write(f"{count} checked, {known} known errors, {len(unknown)} others in {files} files\n")
    return int(bool(unknown))


if __name__ == "__main__":
    raise SystemExit(main())
