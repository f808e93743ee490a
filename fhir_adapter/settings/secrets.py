"""Where secrets come from: the environment before a file, never two places of the configuration, never shown.

A secret is never written into a message; one that is stated twice, missing, or unfit for a header is refused with file
and line.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fhir_adapter.client import Secret
from fhir_adapter.issues import Issue, Misconfigured, Where
from fhir_adapter.trial_folder import Document


@dataclass(frozen=True, slots=True)
class SecretSource:
    """Which place a bearer token is read from, told without the token.

    Exactly one of `variable`, `file` and `inline` is meant; `unused` names what the configuration states besides.
    """

    where: Where
    variable: str | None = None
    file: Path | None = None
    inline: bool = False
    unused: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.variable is not None:
            return f"the environment variable {self.variable}"
        return f"the file {self.file.name}" if self.file is not None else "the configuration itself"


@dataclass(frozen=True, slots=True)
class SecretPlace:
    """A key of the configuration that may state a secret, and the variable that stands before it."""

    document: Document | None
    key: tuple[str, ...]
    stated: Mapping[str, str]
    variable: str

    def issue(self, code: str, message: str, *below: str) -> Issue:
        """An issue at the key, or of the variable where there is no configuration file."""
        if self.document is None:
            return Issue("error", code, message, Where(self.variable or self.key[0]))
        return self.document.issue(code, message, *self.key, *below)

    def source(self) -> SecretSource | None:
        """Where the token is read from, None when none is stated; raises `Misconfigured` for two places in the file."""
        if "token" in self.stated and "token_file" in self.stated:
            message = "token and token_file are both stated; keep one"
            raise Misconfigured(message, self.issue("secret-twice", message, "token_file"))
        variable = self.stated.get("token_environment", self.variable)
        others = tuple(name for name in ("token", "token_file") if name in self.stated)
        if variable and os.environ.get(variable):
            return SecretSource(self.issue("", "", *others[:1]).where, variable=variable, unused=others)
        if "token_file" in self.stated:
            file = _folder(self.document) / self.stated["token_file"]
            return SecretSource(self.issue("", "", "token_file").where, file=file)
        if "token" in self.stated:
            return SecretSource(self.issue("", "", "token").where, inline=True)
        if "token_environment" in self.stated:
            message = f"the environment variable {variable} is not set"
            raise Misconfigured(message, self.issue("secret-missing", message, "token_environment"))
        return None

    def token(self) -> Secret | None:
        """The token itself; raises `Misconfigured` when it is missing, empty or unfit for a header."""
        source = self.source()
        if source is None:
            return None
        if source.variable is not None:
            return self._token(os.environ[source.variable], source)
        if source.file is not None:
            return self._token(self._read(source.file), source, "token_file")
        return self._token(self.stated["token"], source, "token")

    def header(self, value: str, *below: str, named: str = "a secret") -> Secret:
        """A secret that can stand in a header: visible ASCII, so that it cannot begin a header of its own."""
        if not value.isascii() or not value.isprintable():
            message = f"{named} with characters that no HTTP header may hold; only visible ASCII"
            raise Misconfigured(message, self.issue("wrong-secret", message, *below))
        return Secret(value)

    def _token(self, value: str, source: SecretSource, *below: str) -> Secret:
        """A token without the blanks around it; one of blanks alone would let everybody in."""
        if not value.strip():
            message = f"{source} is empty, or holds nothing but blanks"
            raise Misconfigured(message, self.issue("secret-missing", message, *below))
        return self.header(value.strip(), *below, named=f"{source}: a secret")

    def _read(self, path: Path) -> str:
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            message = f"the secret file {path.name} cannot be read"
            raise Misconfigured(message, self.issue("secret-missing", message, "token_file")) from error


def _folder(document: Document | None) -> Path:
    """Files are named relative to the configuration; on the command line, to where the person stands."""
    return document.path.parent if document is not None else Path()
