"""How far the validator agrees with HL7's Java engine on HL7's own cases.

    python -m tests.validation.hl7_cases [--warnings] [--only NAME] [FOLDER]

FOLDER is the folder `data` of the shared data, by default that beside the project's folder. Prints every disagreement
(`-` only the Java engine, `+` only ours) and the figures that `docs/validator-cases.md` explains.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.validation.hl7_cases.agreement import Agreement
from tests.validation.hl7_cases.asking import Answer, Asker
from tests.validation.hl7_cases.manifest import FOLDER, case_runs
from tests.validation.hl7_cases.page import left_out

SHARED = Path(__file__).parents[4] / "shared" / "data"


def main() -> int:
    """Ask and print; 0 always: the test beside this file says what must not get worse."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=SHARED)
    parser.add_argument("--only", default="", help="only runs whose name holds this")
    parser.add_argument("--warnings", action="store_true", help="show where warnings differ, too")
    asked = parser.parse_args()
    runs = [run for run in case_runs(asked.folder / FOLDER) if asked.only in run.label]
    with tempfile.TemporaryDirectory() as work:
        answers = list(Asker(Path(work)).answers(runs))
    for answer in answers:
        show(answer, with_warnings=asked.warnings)
    for run in runs:
        if run.not_run:
            say(f"not asked: {run.label}: {run.not_run}")
    names = left_out()
    summary("all runs", answers)
    summary("without those left out", [answer for answer in answers if answer.run.label not in names])
    return 0


def show(answer: Answer, *, with_warnings: bool) -> None:
    """One answer, where it differs."""
    ours, theirs = (answer.places, answer.run.answered) if with_warnings else (answer.ours, answer.theirs)
    if answer.agrees and ours | answer.run.external == theirs | answer.run.external:
        return
    mark = "" if answer.agrees else "  <== error or no error"
    excused = "  (left out)" if answer.run.label in left_out() else ""
    say(f"{answer.run.label}{excused}{mark}")
    for place in sorted(theirs - ours):
        say(f"  - {place}")
    for place in sorted(ours - theirs):
        said = {i.code: i.message for i in answer.issues if place.is_of(i.severity, i.where.expression)}
        say(f"  + {place}" + "".join(f"\n      {code}: {message}" for code, message in said.items()))


def summary(title: str, answers: list[Answer]) -> None:
    """The three figures."""
    found = Agreement.of(answers)
    say(f"{title}: error or no error {found.verdicts}, errors at the same places {found.places},")
    say(f"  errors and warnings that both have {found.findings}")


def say(text: str) -> None:
    """A line."""
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    raise SystemExit(main())
