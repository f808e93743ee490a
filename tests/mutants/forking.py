"""How one mutant after the other is shown to the tests without starting Python and pytest anew for each.

A process that has imported everything but the program is forked per mutant. A function that runs only inside tests is
changed in a process that has collected them already, and is shown to those that touch it; whatever takes effect earlier
(tables, properties, functions that run while tests are collected) is shown to a fresh collection. The changed text of a
file exists in memory only. What was found is written down at once, so that a run can be stopped and goes on later.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import resource
import signal
import sys
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType
from typing import Any, Protocol

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.conftest import PROFILE

SLOW = 0.05
"""Seconds from which a test waits until the others have seen the mutant."""
MEMORY = 6 * 1024**3
LONGEST_WAIT = 3600
"""Seconds after which a mutant that waits for something, without working, is given up."""
WORKERS = 2
ROOMS = ("tests/units", "tests/terminology", "tests/scores")
OPTIONS = (
    *("-q", "--tb=no", "--assert=plain", "-p", "no:cacheprovider", "-p", "no:faulthandler"),
    # The notebook test starts an interpreter of its own, which knows no mutant.
    *("--deselect", "tests/scores/test_adhs.py::test_a_notebook_scores_without_fhir_http_sql_or_yaml"),
)
NOTICED, SURVIVED, BROKEN = 1, 0, 77
Tell = Callable[[str], None]
_CACHED = type(cache(len))


@dataclass(frozen=True, slots=True)
class Mutant:
    """A file with a change: its whole text, or the name of the function in it that mutmut is to let run."""

    name: str
    file: str
    text: str
    active: str = ""


class Log:
    """What was found out about each mutant, one line each: its file, its name, whether a test noticed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        self._found: dict[str, tuple[str, bool]] = {}
        for file, name, noticed in map(json.loads, lines):
            self._found[name] = (file, noticed)

    def noticed(self, mutant: Mutant) -> bool | None:
        """None when it was not tried."""
        return self._found.get(mutant.name, ("", None))[1]

    def write(self, mutant: Mutant, *, noticed: bool) -> None:
        """Add a line."""
        self._found[mutant.name] = (mutant.file, noticed)
        with self._path.open("a", encoding="utf-8") as log:
            log.write(json.dumps([mutant.file, mutant.name, noticed], ensure_ascii=False) + "\n")

    def forget(self, files: Collection[str], *, survivors: bool) -> None:
        """Leave out what is said of some files and, when asked, of all mutants that survived."""
        kept = {
            name: (file, noticed)
            for name, (file, noticed) in self._found.items()
            if file not in files and (noticed or not survivors)
        }
        lines = [json.dumps([file, name, noticed], ensure_ascii=False) for name, (file, noticed) in kept.items()]
        self._path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        self._found = kept


class Run(Protocol):
    """What a fork does with a mutant: true when a test noticed; the slow tests wait until all others were asked."""

    def __call__(self, mutant: Mutant, first: Sequence[str], tell: Tell, *, slow: bool) -> bool:
        """Ask the tests `first` before others; `tell` which one noticed."""


@dataclass(frozen=True, slots=True)
class Show:
    """Forks for every mutant that is not in the log, so many at a time, and writes down how each ended.

    `quick` is the log of the quick tests: what they let pass is shown to the others when all were shown to them.
    """

    log: Log
    quick: Log
    written: Callable[[Mutant], Mutant]
    first: dict[str, list[str]] = field(default_factory=dict)
    """The tests that noticed other mutants of a file, the last of them first."""
    workers: int = WORKERS

    def __call__(self, mutants: Sequence[Mutant], run: Run) -> None:
        """First with the quick tests, then with all."""
        self._each([one for one in mutants if self.log.noticed(one) is None and self.quick.noticed(one) is None], run)
        self._each([one for one in mutants if self.log.noticed(one) is None], run, slow=True)

    def _each(self, mutants: Sequence[Mutant], run: Run, *, slow: bool = False) -> None:
        running: dict[int, tuple[Mutant, int]] = {}
        for mutant in mutants:
            if len(running) == self.workers:
                self._end_one(running, slow=slow)
            ear, mouth = os.pipe()
            process = _fork(self._shown(mutant, run, mouth, slow=slow))
            os.close(mouth)
            running[process] = (mutant, ear)
        while running:
            self._end_one(running, slow=slow)

    def _shown(self, mutant: Mutant, run: Run, mouth: int, *, slow: bool) -> Callable[[], bool]:
        def tell(test: str) -> None:
            os.write(mouth, test.encode())

        whole, first = self.written(mutant), self.first.get(mutant.file, [])
        return lambda: run(whole, first, tell, slow=slow)

    def _end_one(self, running: dict[int, tuple[Mutant, int]], *, slow: bool) -> None:
        process, status = os.wait()
        mutant, ear = running.pop(process)
        with os.fdopen(ear, "rb") as told:
            test = told.read().decode()
        if os.waitstatus_to_exitcode(status) == BROKEN:
            return  # our own mistake is no answer of a test: the mutant is left to try
        noticed = os.waitstatus_to_exitcode(status) != SURVIVED
        if test:
            others = [one for one in self.first.get(mutant.file, []) if one != test]
            self.first[mutant.file] = [test, *others]
        log = self.log if noticed or slow else self.quick
        log.write(mutant, noticed=noticed)


class _Changed(SourceFileLoader):
    """A module from the text that is given, not from its file."""

    def __init__(self, name: str, path: str, text: str) -> None:
        super().__init__(name, path)
        self._text = text

    def get_code(self, fullname: str) -> CodeType | None:  # noqa: ARG002  the loader's interface
        """The compiled text."""
        return compile(self._text, self.path, "exec", dont_inherit=True)


class _Finder:
    """Finds the changed modules before anything else does."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._files = {module_of(file): file for file in texts}
        self._texts = texts

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:  # noqa: ARG002
        """The changed module, or None."""
        file = self._files.get(name)
        if file is None:
            return None
        place = str(Path(file).absolute())
        folder = [str(Path(place).parent)] if file.endswith("__init__.py") else None
        loader = _Changed(name, place, self._texts[file])
        return spec_from_file_location(name, place, loader=loader, submodule_search_locations=folder)


class _EndsAtOnce:
    """The first failure ends the process: no report of it is written, nothing is shrunk or torn down."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell

    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """Look at the outcome before pytest tells a story of it."""
        if call.excinfo is not None and not isinstance(call.excinfo.value, pytest.skip.Exception):
            self._tell(item.nodeid)
            os._exit(NOTICED)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A module that cannot be imported any more is noticed as well."""
        if report.failed:
            os._exit(NOTICED)


class _InOrder:
    """Puts the tests first that noticed other mutants of the file."""

    def __init__(self, first: Sequence[str]) -> None:
        self._first = first

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """All others stay as they are."""
        items.sort(key=_order(self._first))


class _Touched:
    """Which functions each test runs, and how long it takes; ends the process when a test fails as things are."""

    def __init__(self, hits: set[str]) -> None:
        self._hits = hits
        self.functions: dict[str, list[str]] = {}
        self.seconds: dict[str, float] = defaultdict(float)

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        """Set-up and call are over."""
        self.functions[item.nodeid] = sorted(self._hits)
        self._hits.clear()

    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """Add up what it took; a test that fails as things are would look as if it noticed every mutant."""
        if call.excinfo is not None and not isinstance(call.excinfo.value, pytest.skip.Exception):
            _say_at_once(item.nodeid)
            os._exit(NOTICED)
        self.seconds[item.nodeid] += call.duration


class _Loop:
    """Takes the place of pytest's own loop once everything is collected."""

    def __init__(self, loop: Callable[[list[pytest.Item]], None]) -> None:
        self._loop = loop

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Say that all is done."""
        self._loop(session.items)
        return True


def module_of(file: str) -> str:
    """The dotted name of a file."""
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def prepare() -> None:
    """Import what the tests import, except the program and the tests; let hypothesis fail without searching on."""
    with contextlib.suppress(ProcessLookupError):
        os.nice(19 - os.nice(0))
    calm = [HealthCheck.too_slow, HealthCheck.data_too_large]
    settings.register_profile(
        "mutants",
        derandomize=True,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=calm,
    )
    settings.load_profile("mutants")
    os.environ[PROFILE] = "mutants"
    names = Path("imported.json")
    if _forked(lambda: _collect_only(names)) != 0 or _forked(_fails_as_it_is) != 0:
        raise SystemExit("the tests fail without any change: mend them first")
    for name in json.loads(names.read_text(encoding="utf-8")):
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    sys.dont_write_bytecode = True


def shown_afresh(mutants: Sequence[Mutant], show: Show, quick: Callable[[str], Sequence[str]]) -> None:
    """Show each mutant to a fresh collection: first to the tests that notice most of its file, then to all."""
    gc.collect()
    gc.freeze()

    def run(mutant: Mutant, first: Sequence[str], tell: Tell, *, slow: bool) -> bool:
        _limit(300)
        _take_effect(mutant)
        tests = ROOMS if slow else quick(mutant.file)
        return pytest.main([*OPTIONS, *tests], plugins=[_EndsAtOnce(tell), _InOrder(first)]) != 0

    show(mutants, run)


def shown_warm(
    texts: Mapping[str, str],
    mutants: Sequence[Mutant],
    function: Callable[[str], str],
    show: Show,
) -> set[str]:
    """Show mutmut's mutants to the tests that touch their function; answer those that need a fresh collection."""
    report = Path("early.json")
    if _forked(lambda: _warm(texts, mutants, function, show, report)) != 0:
        raise SystemExit("the tests fail without any change: mend them first")
    return set(json.loads(report.read_text(encoding="utf-8")))


def _warm(
    texts: Mapping[str, str],
    mutants: Sequence[Mutant],
    function: Callable[[str], str],
    show: Show,
    report: Path,
) -> bool:
    from mutmut.mutation.trampoline import set_mutant_under_test  # noqa: PLC0415  it must not be in the other processes
    from mutmut.state import state  # noqa: PLC0415

    _offer(texts)
    set_mutant_under_test("stats")

    def loop(items: list[pytest.Item]) -> None:
        early = set(state()._stats)
        state()._stats.clear()
        touching, seconds = _measured(items, state()._stats)
        set_mutant_under_test("")
        report.write_text(json.dumps([one.name for one in mutants if function(one.name) in early]), encoding="utf-8")
        gc.collect()
        gc.freeze()

        def run(mutant: Mutant, first: Sequence[str], tell: Tell, *, slow: bool) -> bool:
            of_function = [one for one in items if one.nodeid in touching[function(mutant.name)]]
            chosen = [one for one in of_function if (seconds[one.nodeid] >= SLOW) == slow]
            _limit(20 + 5 * int(sum(seconds[one.nodeid] for one in chosen)))
            set_mutant_under_test(mutant.active)
            home = f"tests/{Path(mutant.file).parts[1]}/"
            chosen.sort(key=lambda one: not one.nodeid.startswith(home))
            _run_items(sorted(chosen, key=_order(first)), _EndsAtOnce(tell))
            return False

        show([one for one in mutants if function(one.name) not in early], run)

    return pytest.main([*OPTIONS, *ROOMS], plugins=[_Loop(loop)]) != 0


def _measured(items: list[pytest.Item], hits: set[str]) -> tuple[dict[str, set[str]], dict[str, float]]:
    """Which tests touch each function, and the seconds of each test, found in a fork."""
    report = Path("touched.json")

    def run() -> bool:
        plugin = _Touched(hits)
        empty = [cached for cached in _caches() if not cached.cache_info().currsize]
        for one, following in zip(items, [*items[1:], None], strict=True):
            for cached in empty:
                cached.cache_clear()
            _run_items([one], plugin, following)
        report.write_text(json.dumps([plugin.functions, plugin.seconds]), encoding="utf-8")
        return False

    if _forked(run) != 0:
        os._exit(NOTICED)
    functions, seconds = json.loads(report.read_text(encoding="utf-8"))
    touching: dict[str, set[str]] = defaultdict(set)
    for one in items:
        # A fixture that several tests share is run by the first of them only.
        shared = any(found[-1].scope != "function" for found in _fixtures(one).values() if found)
        names = [other.nodeid for other in items if other.path == one.path] if shared else [one.nodeid]
        for function in {function for name in names for function in functions[name]}:
            touching[function].add(one.nodeid)
    return touching, seconds


def _order(first: Sequence[str]) -> Callable[[pytest.Item], int]:
    rank = {name: place for place, name in enumerate(first)}
    return lambda one: rank.get(one.nodeid, len(rank))


def _fixtures(item: pytest.Item) -> Mapping[str, Sequence[Any]]:
    return item._fixtureinfo.name2fixturedefs if isinstance(item, pytest.Function) else {}


def _caches() -> Iterator[Any]:
    for name, module in list(sys.modules.items()):
        if name.startswith("fhir_adapter"):
            yield from (one for one in vars(module).values() if isinstance(one, _CACHED))


def _run_items(items: Sequence[pytest.Item], plugin: object, last: pytest.Item | None = None) -> None:
    for one, following in zip(items, [*items, last][1:], strict=True):
        if not one.config.pluginmanager.is_registered(plugin):
            one.config.pluginmanager.register(plugin)
        one.ihook.pytest_runtest_protocol(item=one, nextitem=following)


def _take_effect(mutant: Mutant) -> None:
    if mutant.active:
        from mutmut.mutation.trampoline import set_mutant_under_test  # noqa: PLC0415  only where it is needed

        set_mutant_under_test(mutant.active)
    if mutant.file.endswith(".py"):
        _offer({mutant.file: mutant.text})
        return
    place, read = Path(mutant.file).absolute(), Path.read_text

    def read_text(path: Path, *given: Any, **named: Any) -> str:
        return mutant.text if path == place else read(path, *given, **named)

    Path.read_text = read_text  # type: ignore[assignment,method-assign]  # how the tables are read


def _offer(texts: Mapping[str, str]) -> None:
    sys.meta_path.insert(0, _Finder(texts))


def _fails_as_it_is() -> bool:
    return pytest.main([*OPTIONS, *ROOMS], plugins=[_EndsAtOnce(_say_at_once)]) != 0


def _say_at_once(test: str) -> None:
    os.write(2, f"{test} fails without any change\n".encode())


def _collect_only(report: Path) -> bool:
    if pytest.main([*OPTIONS, "--collect-only", *ROOMS]) != 0:
        return True
    here = str(Path.cwd())
    names = [
        name for name, module in sys.modules.items() if not str(getattr(module, "__file__", here)).startswith(here)
    ]
    report.write_text(json.dumps(names), encoding="utf-8")
    return False


def _forked(run: Callable[[], bool]) -> int:
    _, status = os.waitpid(_fork(run), 0)
    return os.waitstatus_to_exitcode(status)


def _fork(run: Callable[[], bool]) -> int:
    """The number of the new process, which ends when `run` does: with 1 when that is true."""
    process = os.fork()
    if process:
        return process
    try:
        os._exit(NOTICED if run() else SURVIVED)
    except BaseException as error:  # noqa: BLE001  whatever it is, it must not reach the parent's code
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.stderr.flush()
        os._exit(BROKEN)


def _limit(seconds: int) -> None:
    """A mutant that never ends, or grows without end, is ended by the system, and so was noticed.

    The seconds are those that it works, not those of a clock: that a machine is busy or stands still notices nothing.
    """
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(LONGEST_WAIT)
