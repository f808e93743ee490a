"""Where errors become exit codes: what every command has in common at its edge."""

from __future__ import annotations

import io
import os
import signal
import sys
import traceback
from pathlib import Path
from types import FrameType
from typing import NoReturn, TextIO

import typer
from typer.exceptions import TyperException

from fhir_adapter.cli.exit_codes import BUG, PIPE_CLOSED, SURROUNDINGS, USAGE, exit_code
from fhir_adapter.issues import AdapterError

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_PACKAGES = {"fhir": "fhir.resources", "ruamel": "ruamel.yaml"}
"""What some packages are called where they are not called as they are imported."""


class StoppedBySignal(BaseException):
    """SIGTERM arrived; what is under way is closed as an error would close it."""


def run() -> NoReturn:
    """Run the command that was asked for, and end the process with its exit code."""
    for number in _SIGNALS:
        signal.signal(number, _stop)
    sys.stdout = sys.stdout or _nowhere()  # closed before we began (`>&-`)
    sys.stderr = sys.stderr or _nowhere()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _command()
        sys.stdout.flush()
    except BrokenPipeError:
        code = _reader_left()
    except (KeyboardInterrupt, StoppedBySignal) as stop:
        code = 128 + (signal.SIGINT if isinstance(stop, KeyboardInterrupt) else signal.SIGTERM)
        _say("stopped by a signal; it is safe to run again")
    except AdapterError as error:
        code = exit_code(error)
        _show(error)
    except ModuleNotFoundError as error:
        code = _missing(error)
    except OSError as error:
        code = SURROUNDINGS
        _say(f"the surroundings failed: {error.strerror or type(error).__name__}; nothing is lost, run it again")
    except Exception as error:  # noqa: BLE001 - the border: a bug is one line on the screen, all of it in the log
        code = BUG
        _log_bug(error)
    sys.exit(code)


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")


def _command() -> int:
    from fhir_adapter.cli.app import app  # noqa: PLC0415 - `--help` must stay fast

    try:
        answer = app(standalone_mode=False)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0
    except typer.Abort as error:
        raise KeyboardInterrupt from error
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


def _stop(number: int, _frame: FrameType | None) -> NoReturn:
    """The first signal closes what is under way; an impatient second one must not break into that."""
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt if number == signal.SIGINT else StoppedBySignal
