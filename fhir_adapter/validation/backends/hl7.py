"""HL7's own validator, where a JDK is: one Java process that starts once (10 to 30 s) and is asked many times.

It is built by `python -m fhir_adapter.validation.backends.build_hl7` into the user's cache; its sources lie in
`hl7_engine/`. Without terminology server and without network: what it would have to fetch is not looked at.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

from platformdirs import user_cache_path

from fhir_adapter import fhirjson
from fhir_adapter.issues import Issue, Misconfigured, Retriable, Source, Where
from fhir_adapter.validation.outcomes import (
    expression_of,
    foreign_code,
    label_of,
    rule_of,
    severity_of,
    values_of,
    without_values,
)

HOME_VARIABLE: Final = "FHIR_ADAPTER_HL7_HOME"
CORE: Final = "hl7.fhir.r4.core#4.0.1"
_BUILD: Final = "python -m fhir_adapter.validation.backends.build_hl7"
_MEMORY: Final = "-Xmx2g"
_SETTINGS: Final = {"prohibitNetworkAccess": True, "ignoreDefaultPackageServers": True}


def engine_home() -> Path:
    """Where the engine is kept: `FHIR_ADAPTER_HL7_HOME`, or a folder in the user's cache."""
    stated = os.environ.get(HOME_VARIABLE)
    return Path(stated) if stated else user_cache_path("fhir-adapter") / "hl7-engine"


def engine_command(home: Path) -> list[str]:
    """How the engine of this folder is started; raises `Misconfigured` that says what is missing and how to get it."""
    java = shutil.which("java")
    if java is None:
        raise _missing("Java is not installed: a JDK of version 17 or later is needed")
    if not (home / "jars" / "hl7-engine.jar").is_file():
        raise _missing("HL7's engine is not built yet")
    if not (home / ".fhir" / "packages" / CORE / "package").is_dir():
        raise _missing(f"the package {CORE} is not in the engine's folder")
    settings = home / "settings.json"
    return [
        *(java, _MEMORY, f"-Duser.home={home}", f"-Dfhir.settings.path={settings}"),
        *("-cp", str(home / "jars" / "*"), "Engine"),
    ]


class Hl7Backend:
    """HL7's engine as a process; started when it is entered, ended when it is left."""

    source: Source = "hl7"

    def __init__(
        self, packages: Sequence[Path] = (), *, strict_extensions: bool = False, command: Sequence[str] | None = None
    ) -> None:
        self._packages = packages
        self._strict_extensions = strict_extensions
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._said: IO[bytes] | None = None

    def __enter__(self) -> Self:
        command = self._command or _prepared_command(engine_home())
        self._said = tempfile.TemporaryFile()
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said, start_new_session=True
            )
        except OSError as error:
            self._said.close()
            raise _missing(f"HL7's engine does not start: {error.strerror}") from error
        try:
            self._tell_packages()
        except BaseException as error:  # who fails to enter is not left
            self.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def _tell_packages(self) -> None:
        packages = [str(path.resolve()) for path in self._packages]
        answer = self._exchange(_line({"packages": packages, "strict_extensions": self._strict_extensions}))
        if "ready" not in answer:
            raise _missing("HL7's engine cannot read the packages that it was given")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()  # it keeps nothing that could be lost
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):  # what was left unsent goes nowhere
                        pipe.close()
            process.wait()
        if self._said is not None:
            self._said.close()

    def check(self, resource: Mapping[str, Any], profiles: Sequence[str] = ()) -> list[Issue]:
        """What the engine finds; raises `Retriable` when it ended in the middle."""
        body = fhirjson.dumps(resource)
        answer = self._exchange(_line({"profiles": list(profiles), "length": len(body)}) + body)
        found = answer.get("issues")
        if not isinstance(found, list):
            message = "not evaluated by HL7's engine: it failed at this resource"
            return [Issue("information", "not-evaluated", message, Where(resource=label_of(resource)), source="hl7")]
        values = values_of(resource)
        return [_issue(one, resource, values) for one in found]

    def _exchange(self, question: bytes) -> Mapping[str, Any]:
        assert self._process is not None, "enter the backend first"
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(question)
            self._process.stdin.flush()
            answer = json.loads(self._process.stdout.readline())
        except (OSError, ValueError) as error:
            raise _ended() from error
        if not isinstance(answer, dict):
            raise _ended()
        return answer


def _issue(stated: Mapping[str, Any], resource: Mapping[str, Any], values: Sequence[str]) -> Issue:
    told = str(stated.get("message") or "no words were given")
    rule, profile = rule_of(stated.get("rule") or stated.get("id"), told)
    where = Where(resource=label_of(resource), expression=expression_of(stated.get("expression")))
    code = foreign_code(stated.get("kind"))
    return Issue(
        severity_of(stated.get("severity")), code, without_values(told, values), where, rule, profile, source="hl7"
    )


def _prepared_command(home: Path) -> list[str]:
    command = engine_command(home)
    settings = home / "settings.json"
    if not settings.exists():
        settings.write_text(json.dumps(_SETTINGS), encoding="utf-8")
    return command


def _line(value: Mapping[str, object]) -> bytes:
    return json.dumps(value).encode() + b"\n"


def _missing(what: str) -> Misconfigured:
    message = f"{what}. Without it leave `hl7` out of --backend; to have it: {_BUILD}"
    return Misconfigured(message, Issue("error", "no-hl7-engine", message, Where("--backend")))


def _ended() -> Retriable:
    message = "HL7's engine ended in the middle: is there room for 2 GB of memory?"
    return Retriable(message, Issue("error", "engine-ended", message, Where("--backend")))
