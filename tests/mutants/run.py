"""`make mutants`: change the program in one place, in a copy, and see whether a test notices.

mutmut changes function bodies, cosmic-ray module-level tables, fields and properties, tables.py the TOML tables. They
work in a copy below ./mutants and go on where they were stopped. A file that has changed since is tried again, and so
is every survivor when the tests have changed. Exit 1 when a survivor is not explained in docs/mutants.md, or when not
everything was tried.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from filecmp import cmp
from pathlib import Path

from tests.mutants.forking import ROOMS, Log
from tests.mutants.survivors import Measured, unexplained
from tests.mutants.trying import TOOLS, chosen, quick_log

ROOT = Path(__file__).parents[2]
WORK = ROOT / "mutants"
COPY = WORK / "copy"
COPIED = ("fhir_adapter", "tests", "mappings", "profiles", "docs", "pyproject.toml")
SETTINGS = """
[tool.mutmut]
source_paths = ["fhir_adapter/"]
"""


def main() -> int:
    """Run the tools that are asked for, one after the other, and say what they found."""
    asked = _arguments()
    if asked.fresh:
        shutil.rmtree(WORK, ignore_errors=True)
    if not (asked.report and COPY.exists()):
        _bring_up_to_date()
    os.chdir(COPY)
    found = [_measured(tool, asked.only or ["*"], show=not asked.report) for tool in asked.tools or TOOLS]
    for one in found:
        _say(f"{one.tool}: {one.tried} tried, {len(one.survivors)} survived, {one.left} left to try")
    unknown = [lost for one in found for lost in unexplained(one.survivors, ROOT)]
    for lost in unknown:
        _say(f"not explained in docs/mutants.md: {lost}")
    return 1 if unknown or any(one.left for one in found) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tools", nargs="*", help=f"some of {', '.join(TOOLS)}; all when left out")
    parser.add_argument("--fresh", action="store_true", help="copy the sources again, forget what was found")
    parser.add_argument("--report", action="store_true", help="try nothing, say what was found")
    parser.add_argument("--only", action="append", help="a pattern of files, such as 'fhir_adapter/units/*'")
    return parser.parse_args()


def _measured(name: str, only: Sequence[str], *, show: bool) -> Measured:
    log, tool = _log(name), TOOLS[name]
    if show:
        command = [sys.executable, "-P", "-m", "tests.mutants.trying", name, str(log), *only]
        subprocess.run(command, cwd=COPY, env=_surroundings(), check=False, stdout=subprocess.DEVNULL)
    known, mutants = Log(log), chosen(tool, only)
    lost = tuple(tool.survivor(one) for one in mutants if known.noticed(one) is False)
    left = sum(known.noticed(one) is None for one in mutants)
    return Measured(name, len(mutants) - left, left, lost)


def _log(name: str) -> Path:
    return WORK / f"{name}.jsonl"


def _surroundings() -> dict[str, str]:
    """The copy is found before the sources; pytest begins without plugins that no test here needs."""
    return {**os.environ, "PYTHONPATH": str(COPY), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def _bring_up_to_date() -> None:
    """Copy what has changed, and forget what is no longer known because of it."""
    COPY.mkdir(parents=True, exist_ok=True)
    changed = {file for one in COPIED for file in _copied(one)}
    tests_too = any(file.startswith((*(f"{room}/" for room in ROOMS), "tests/conftest.py")) for file in changed)
    for name in TOOLS:
        for log in (_log(name), quick_log(_log(name))):
            Log(log).forget(changed, survivors=tests_too)
    with (COPY / "pyproject.toml").open("a", encoding="utf-8") as settings:
        settings.write(SETTINGS)


def _copied(name: str) -> Iterator[str]:
    """Make a file or a folder of the copy like the original, and name the files that were not."""
    source = ROOT / name
    there = {source} if source.is_file() else {one for one in source.rglob("*") if _is_source(one)}
    kept = {ROOT / one.relative_to(COPY) for one in (COPY / name).rglob("*") if _is_source(one)}
    for gone in kept - there:
        (COPY / gone.relative_to(ROOT)).unlink()
        yield gone.relative_to(ROOT).as_posix()
    for one in there:
        target = COPY / one.relative_to(ROOT)
        if not target.exists() or not cmp(one, target, shallow=False):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(one, target)
            yield one.relative_to(ROOT).as_posix()


def _is_source(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts


def _say(sentence: str) -> None:
    sys.stdout.write(sentence + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
