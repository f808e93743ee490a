"""`make mutants`: change the program in one place, in a copy, and see whether a test notices.

mutmut changes function bodies, cosmic-ray module-level tables and properties, tables.py the TOML tables. Each works in
a copy of its own below ./mutants and goes on where it was stopped; `--fresh` copies the sources again and forgets what
was found. Exit 1 when a survivor is not explained in docs/mutants.md, or when not everything was tried.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from queue import Queue

from tests.mutants.survivors import Measured, Survivor, from_diff, unexplained
from tests.mutants.tables import Change, changed, changes

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
WORK = ROOT / "mutants"
COPIED = ("fhir_adapter", "tests", "mappings", "profiles", "docs", "pyproject.toml")
WORKERS = 2
TABLES = ("fhir_adapter/terminology/analytes.toml", "fhir_adapter/terminology/findings.toml")
QUICK_TESTS = (
    *("tests/terminology/test_codes.py", "tests/terminology/test_methods.py", "tests/terminology/test_tables.py"),
    *("tests/terminology/test_edges_and_divisors.py", "tests/scores/test_edges.py"),
)
"""They begin soon and notice most; only what they let pass is shown to all tests of the tables."""
TABLE_TESTS = (
    *("tests/terminology", "tests/scores/test_hscore.py", "tests/scores/test_edges.py"),
    *("tests/scores/test_attainable.py", "tests/mappers/test_read_observation.py"),
)
STARTED = "copied.txt"


def main() -> int:
    """Run the tools that are asked for, one after the other, and say what they found."""
    asked = _arguments()
    if asked.fresh:
        shutil.rmtree(WORK, ignore_errors=True)
    found = [TOOLS[tool](asked.only or ()) for tool in asked.tools or TOOLS]
    for one in found:
        _say(f"{one.tool}: {one.tried} tried, {len(one.survivors)} survived, {one.left} left to try")
    unknown = [lost for one in found for lost in unexplained(one.survivors, ROOT)]
    for lost in unknown:
        _say(f"not explained in docs/mutants.md: {lost}")
    return 1 if unknown or any(one.left for one in found) else 0


def functions(only: Sequence[str]) -> Measured:
    """Function bodies, by mutmut; `only` is a pattern of its names, such as `fhir_adapter.units.*`."""
    copy = _copy("mutmut", _with_settings)
    _tool(copy, "mutmut", "run", "--max-children", str(WORKERS), *only)
    states = dict(_states(_heard(copy, "mutmut", "results", "--all", "true"), only))
    survivors = [name for name, state in states.items() if state in ("survived", "no tests", "suspicious")]
    shown = tuple(from_diff(_file_of(name), _heard(copy, "mutmut", "show", name)) for name in survivors)
    left = [state for state in states.values() if state == "not checked"]
    return Measured("mutmut", len(states) - len(left), len(left), shown)


def module_level(_: Sequence[str]) -> Measured:
    """Tables and properties, by cosmic-ray, one pytest after the other."""
    copy = _copy("cosmic-ray")
    session, settings = copy / "session.sqlite", HERE / "cosmic-ray.toml"
    if not session.exists():
        _tool(copy, "cosmic_ray.cli", "init", str(settings), str(session))
    _restore(copy)
    _tool(copy, "cosmic_ray.cli", "exec", str(settings), str(session))
    _restore(copy)
    work = [json.loads(line) for line in _heard(copy, "cosmic_ray.cli", "dump", str(session)).splitlines()]
    done = [(task, result) for task, result in work if result]
    survivors = tuple(
        from_diff(task["mutations"][0]["module_path"], result["diff"])
        for task, result in done
        if result["test_outcome"] == "survived"
    )
    return Measured("cosmic-ray", len(done), len(work) - len(done), survivors)


def tables(only: Sequence[str]) -> Measured:
    """Our own changes of the TOML tables, by two workers in two copies; `only` is a part of the file's name."""
    copies: Queue[Path] = Queue()
    for number in range(WORKERS):
        copies.put(_passing(_copy(f"tables-{number + 1}")))
    kept = WORK / "tables.jsonl"
    known = dict(_kept(kept))
    wanted = [
        one
        for file in TABLES
        if not only or any(part in file for part in only)
        for one in _changes_of(WORK / "tables-1", file)
    ]
    with kept.open("a", encoding="utf-8") as log, ThreadPoolExecutor(WORKERS) as workers:
        fresh = [one for one in wanted if _name(one) not in known]
        for one, noticed in zip(fresh, workers.map(lambda one: _noticed(one, copies), fresh), strict=True):
            log.write(json.dumps([_name(one), noticed], ensure_ascii=False) + "\n")
            log.flush()
            known[_name(one)] = noticed
    lost = tuple(Survivor(one.file, one.before.strip(), one.after.strip()) for one in wanted if not known[_name(one)])
    return Measured("tables", len(wanted), 0, lost)


TOOLS: dict[str, Callable[[Sequence[str]], Measured]] = {
    "mutmut": functions,
    "cosmic-ray": module_level,
    "tables": tables,
}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tools", nargs="*", help=f"some of {', '.join(TOOLS)}; all when left out")
    parser.add_argument("--fresh", action="store_true", help="copy the sources again, forget what was found")
    parser.add_argument("--only", action="append", help="mutmut: a pattern of names; tables: a part of a file's name")
    return parser.parse_args()


def _copy(name: str, finish: Callable[[Path], None] | None = None) -> Path:
    """The copy of one tool: the one that is there already, or a new one."""
    copy = WORK / name
    if not (copy / STARTED).exists():
        shutil.rmtree(copy, ignore_errors=True)
        for one in COPIED:
            source, target = ROOT / one, copy / one
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, target)
        for file in TABLES:
            shutil.copyfile(copy / file, copy / f"{Path(file).name}.unchanged")
        if finish:
            finish(copy)
        (copy / STARTED).write_text(datetime.now(UTC).isoformat(timespec="seconds"), encoding="utf-8")
    _say(f"{name}: sources as of {(copy / STARTED).read_text(encoding='utf-8')}")
    return copy


def _with_settings(copy: Path) -> None:
    with (copy / "pyproject.toml").open("a", encoding="utf-8") as settings:
        settings.write("\n" + (HERE / "mutmut.toml").read_text(encoding="utf-8"))


def _restore(copy: Path) -> None:
    """cosmic-ray edits in place and leaves its last mutant behind when it is stopped."""
    kept = copy / "unchanged"
    if not kept.exists():
        shutil.copytree(copy / "fhir_adapter", kept)
    for source in kept.rglob("*.py"):
        shutil.copyfile(source, copy / "fhir_adapter" / source.relative_to(kept))


def _tool(copy: Path, module: str, *arguments: str) -> None:
    """Run a tool where its copy is; what it found is asked for later, whatever it says now."""
    subprocess.run([sys.executable, "-P", "-m", module, *arguments], cwd=copy, env=_surroundings(), check=False)


def _heard(copy: Path, module: str, *arguments: str) -> str:
    command = [sys.executable, "-P", "-m", module, *arguments]
    return subprocess.run(
        command, cwd=copy, env=_surroundings(), check=True, capture_output=True, text=True, encoding="utf-8"
    ).stdout


def _surroundings() -> dict[str, str]:
    """This interpreter is the first that a tool finds; pytest begins without plugins that no test here needs."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def _states(answer: str, only: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Name and state of every mutant that mutmut knows, of those that were asked for."""
    for line in answer.splitlines():
        name, _, state = line.strip().partition(": ")
        if state and (not only or any(fnmatchcase(name, one) for one in only)):
            yield name, state


def _file_of(name: str) -> str:
    """The module of a mutant's name: `fhir_adapter.units.ucum.x_convert__mutmut_1`."""
    return name.rpartition(".")[0].replace(".", "/") + ".py"


def _changes_of(copy: Path, file: str) -> list[Change]:
    kept = copy / f"{Path(file).name}.unchanged"
    return list(changes(file, kept.read_text(encoding="utf-8")))


def _noticed(change: Change, copies: Queue[Path]) -> bool:
    """True when some test fails with the change."""
    copy = copies.get()
    place = copy / change.file
    kept = WORK / "tables-1" / f"{place.name}.unchanged"
    whole = kept.read_text(encoding="utf-8")
    try:
        place.write_text(changed(whole, change), encoding="utf-8")
        return any(_failed(copy, tests) for tests in (QUICK_TESTS, TABLE_TESTS))
    finally:
        place.write_text(whole, encoding="utf-8")
        copies.put(copy)


def _passing(copy: Path) -> Path:
    """A copy whose tests pass as it is: where they fail anyway, every mutant would look as if it had been noticed."""
    for file in TABLES:
        shutil.copyfile(copy / f"{Path(file).name}.unchanged", copy / file)  # a stopped run leaves a mutant behind
    if _failed(copy, TABLE_TESTS):
        raise SystemExit(f"the tests of {copy.name} fail without any change: mend them, then --fresh")
    return copy


def _failed(copy: Path, tests: Sequence[str]) -> bool:
    command = [sys.executable, "-P", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    return subprocess.run(command, cwd=copy, env=_surroundings(), check=False, capture_output=True).returncode != 0


def _kept(log: Path) -> Iterator[tuple[str, bool]]:
    if log.exists():
        for line in log.read_text(encoding="utf-8").splitlines():
            name, noticed = json.loads(line)
            yield name, noticed


def _name(change: Change) -> str:
    return f"{change.file}:{change.line + 1}: {change.after.strip()}"


def _say(sentence: str) -> None:
    sys.stdout.write(sentence + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
