"""What doctor says: one check a line, what was found, and what to do about it; only the standard library is needed."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal

from fhir_adapter.issues import AdapterError, Issue, Misconfigured, Retriable

Status = Literal["pass", "warning", "fail", "skipped"]
Matter = Literal["set-up", "refused", "surroundings"]
"""Who can mend it: whoever writes configuration and trial folder; nobody as things stand; whoever runs the machines."""

SHOWN_ISSUES = 5

_DO = {
    "fhir-version": "name a server of that version; for R4B state accept_4_3: true",
    "no-namespace": "write one UUID into the place that id_namespace names, and keep it secret and safe",
    "not-authorised": "renew the token, or ask the server's operator which rights it lacks",
    "not-fhir": "correct the base URL; a login page or a proxy may stand in between",
    "patients-not-ours": "give this server the role read, and push to one that is no ehr",
    "read-only-server": "push to a server with the role write or both",
    "secret-missing": "put the token where the configuration says, or correct the place",
    "secret-twice": "keep one of token and token_file",
    "server-failed": "try again later; if it stays so, ask the server's operator",
    "server-rejected": "correct the base URL; if it is right, ask the server's operator",
    "server-unreachable": "check address, network, proxy and ca_bundle; then run doctor again",
    "test-data": "state test: true if that server holds no real person's data; else name another server",
    "unknown-server": "name one of `servers` in the configuration, or an http(s) URL",
    "unknown-trial": "name the folder with the trial.yaml, or a trial that comes with the program",
    "write-only-server": "pull from a server with the role read or both",
    "wrong-secret": "write the secret again, in visible ASCII and on one line",
}
_DO_ABOUT: dict[Matter, str] = {
    "set-up": "correct the place that is named; docs/reference/issue-codes.md explains the code",
    "refused": "docs/reference/issue-codes.md explains the code; as it is, nothing will be written",
    "surroundings": "mend it and run doctor again; docs/reference/issue-codes.md explains the code",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    `id` is stable; `about` names the server or the file where there may be several. `do` is empty only when nothing is
    to be done. `matter` of a failed check says whose it is to mend.
    """

    id: str
    status: Status
    found: str
    do: str = ""
    about: str = ""
    matter: Matter | None = None

    def to_dict(self) -> dict[str, object]:
        """The JSON form promised by the command."""
        return {"id": self.id, "status": self.status, "found": self.found, "do": self.do, "about": self.about}


@dataclass(frozen=True, slots=True)
class DoctorReport:
    """Everything that was looked at; `ok` when nothing failed."""

    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """True when nothing stands in the way; warnings do not."""
        return not self.matters

    @property
    def matters(self) -> frozenset[Matter]:
        """What the failed checks are about."""
        return frozenset(check.matter for check in self.checks if check.matter is not None)

    def to_dict(self) -> dict[str, object]:
        """The JSON form promised by the command."""
        return {"ok": self.ok, "checks": [check.to_dict() for check in self.checks]}


@dataclass
class Notes:
    """The checks as they are made."""

    checks: list[Check] = field(default_factory=list)

    def passed(self, name: str, found: str, about: str = "") -> None:
        """Nothing to be done."""
        self.checks.append(Check(name, "pass", found, "", about))

    def warned(self, name: str, found: str, do: str, about: str = "") -> None:
        """It will work, but not as somebody may think."""
        self.checks.append(Check(name, "warning", found, do, about))

    def failed(self, name: str, found: str, do: str, matter: Matter, about: str = "") -> None:
        """It will not work."""
        self.checks.append(Check(name, "fail", found, do, about, matter))

    def skipped(self, name: str, found: str, do: str = "", about: str = "") -> None:
        """It was not looked at, and why."""
        self.checks.append(Check(name, "skipped", found, do, about))

    def border(self, name: str, about: str = "") -> Border:
        """Whatever fails inside becomes this one failed check; the others go on."""
        return Border(self, name, about)


@dataclass(frozen=True, slots=True)
class Border:
    """Where a failure ends: errors of this program and of the system, and packages that are not there."""

    notes: Notes
    name: str
    about: str

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if isinstance(error, AdapterError):
            self.notes.checks.append(_of_error(self.name, self.about, error))
        elif isinstance(error, OSError):
            found = f"cannot be looked at: {error.strerror or type(error).__name__}"
            self.notes.failed(self.name, found, "let this account read and write there", "surroundings", self.about)
        elif isinstance(error, ImportError):
            do = "install what the check `packages` names"
            self.notes.skipped(self.name, "needs a package that is not there", do, self.about)
        else:
            return False
        return True


def matter_of(error: AdapterError) -> Matter:
    """Whose an error is to mend, as the exit codes of the other commands see it."""
    if isinstance(error, Misconfigured):
        return "set-up"
    return "surroundings" if isinstance(error, Retriable) else "refused"


def said(error: AdapterError) -> str:
    """The issues of an error on one line, each with its place and code; its message where there are none."""
    lines = [_line(issue) for issue in error.issues[:SHOWN_ISSUES]]
    more = len(error.issues) - len(lines)
    return "; ".join([*lines, *([f"and {more} more"] if more else [])]) or str(error)


def what_to_do(error: AdapterError) -> str:
    """The remedy for the first issue, or for errors of that kind."""
    code = error.issues[0].code if error.issues else ""
    return _DO.get(code, _DO_ABOUT[matter_of(error)])


def _line(issue: Issue) -> str:
    place = f"{issue.where}: " if str(issue.where) else ""
    return f"{place}{issue.message} [{issue.code}]"


def _of_error(name: str, about: str, error: AdapterError) -> Check:
    return Check(name, "fail", said(error), what_to_do(error), about, matter_of(error))
