"""Where errors become exit codes: what every command has in common at its edge."""

from __future__ import annotations

import io
import os
import sys
import traceback
from pathlib import Path
from typing import NoReturn, TextIO

from typer.exceptions import TyperException

from fhir_adapter.cli.exit_codes import BUG, PIPE_CLOSED, SURROUNDINGS, USAGE, exit_code
from fhir_adapter.cli.stopping import STOPPED, Stop, StoppedBySignal, leave
from fhir_adapter.issues import AdapterError

_PACKAGES = {"fhir": "fhir.resources", "ruamel": "ruamel.yaml"}
"""What some packages are called where they are not called as they are imported."""


def run() -> NoReturn:
    """Run the command that was asked for, and end the process with its exit code."""
    stop = Stop()
    try:
        stop.listen()
        _open_streams()
        code = _ended(stop)
        stop.settle(code)
    except StoppedBySignal:
        code = 128 + stop.number
        if stop.to_be_said():
            _say(STOPPED)
    leave(code)


def _open_streams() -> None:
    sys.stdout = sys.stdout or _nowhere()  # closed before we began (`>&-`)
    sys.stderr = sys.stderr or _nowhere()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _ended(stop: Stop) -> int:
    """The exit code of the command; raises only what a signal raises."""
    try:
        code = _command()
        sys.stdout.flush()
    except Exception as error:
        if stop.number:  # what a stop became on its way, in a callback of the database for one
            raise StoppedBySignal from error
        return _failed(error)
    return code


def _failed(error: Exception) -> int:
    match error:
        case BrokenPipeError():
            return _reader_left()
        case AdapterError():
            _show(error)
            return exit_code(error)
        case ModuleNotFoundError():
            return _missing(error)
        case OSError():
            reason = error.strerror or type(error).__name__
            _say(f"the surroundings failed: {reason}; nothing is lost, run it again")
            return SURROUNDINGS
        case _:  # a bug is one line on the screen, all of it in the log
            _log_bug(error)
            return BUG


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")


def _command() -> int:
    from fhir_adapter.cli.app import app  # noqa: PLC0415 - `--help` must stay fast

    try:
        answer = app(standalone_mode=False)
    except SystemExit as stop:
        if isinstance(stop.__context__, BrokenPipeError):  # typer ends by itself then, with a code of its own
            raise stop.__context__ from None
        return stop.code if isinstance(stop.code, int) else 0
    except TyperException as error:
        usage = getattr(error, "ctx", None)
        _say(f"{error.format_message()}{f' (see {usage.command_path} --help)' if usage else ''}")
        return USAGE
    return answer if isinstance(answer, int) else 0


def _missing(error: ModuleNotFoundError) -> int:
    """A package that is not installed is no bug: what it is called, and how to get it."""
    name = (error.name or "").partition(".")[0]
    if not name or name == "fhir_adapter":
        _log_bug(error)
        return BUG
    package = _PACKAGES.get(name, name.replace("_", "-"))
    _say(f"the package {package} is missing, and this command needs it: python -m pip install {package}")
    return USAGE


def _show(error: AdapterError) -> None:
    from fhir_adapter.cli.show import issue_lines  # noqa: PLC0415

    issues = issue_lines(error.issues)
    for line in issues or [str(error)]:
        _say(line)


def _say(line: str) -> None:
    from fhir_adapter.cli.show import visible  # noqa: PLC0415

    try:
        sys.stderr.write(f"fhir-adapter: {visible(line)}\n")
    except OSError:
        return  # nobody listens on standard error


def _log_bug(error: Exception) -> None:
    """The place of a bug, without the values it met: messages of Python's own errors may quote data."""
    from platformdirs import user_log_path  # noqa: PLC0415

    frames = traceback.extract_tb(error.__traceback__)
    text = "".join(f"{frame.filename}:{frame.lineno} in {frame.name}\n" for frame in frames)
    place = user_log_path("fhir-adapter") / "bugs.log"
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("a", encoding="utf-8") as log:
            log.write(f"{type(error).__name__}\n{text}\n")
        _say(f"a bug ({type(error).__name__}); its place was written to {place}; please report it")
    except OSError:
        _say(f"a bug ({type(error).__name__}) in {frames[-1].name if frames else 'start-up'}; please report it")


def _reader_left() -> int:
    """The reader of standard output is gone (`| head`): leave quietly, and keep Python from complaining."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    return PIPE_CLOSED
