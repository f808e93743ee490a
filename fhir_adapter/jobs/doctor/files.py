"""What is wrong with a file that should hold a secret: its shape, who may read it, what stands in it.

Nothing of what stands in it is ever told. What is no regular file is not opened: reading a pipe would wait for ever.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

LONGEST_SECRET = 8000
"""Servers and proxies refuse longer headers."""

_PEM = re.compile(r"-----BEGIN (?P<kind>[A-Z0-9 ]+)-----")
_OPENSSH = b"openssh-key-v1\0"
_BEARER = "a bearer token is read here: get one from the server's operator; keys are not used yet"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and what to do about it."""

    found: str
    do: str


def shape_fault(path: Path, *, do: str = "put the file there, or correct the configuration") -> Fault | None:
    """Missing, a folder, a device: anything but a regular file."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        link = " (a link that leads nowhere)" if path.is_symlink() else ""
        return Fault(f"the file {path.name} is not there{link}", do)
    except ValueError:
        return Fault("the name of the file cannot be one", do)
    except OSError as error:
        return Fault(f"the file {path.name} cannot be looked at: {error.strerror}", do)
    if stat.S_ISREG(mode):
        return None
    kind = "a folder" if stat.S_ISDIR(mode) else "no regular file (a device, pipe or socket)"
    return Fault(f"{path.name} is {kind}", "name a regular file")


def privacy_fault(path: Path) -> Fault | None:
    """A mode that lets others than the owner at a secret, of the file or of what a link leads to.

    The group may read what we ourselves can read only as members of it: so containers mount secrets. On Windows modes
    say nothing.
    """
    if not modes_count():
        return None
    found = path.stat()
    others, group = found.st_mode & 0o007, found.st_mode & 0o070
    ours = found.st_uid == os.geteuid()
    if not others and (not group or (group == stat.S_IRGRP and not ours)):
        return None
    who = "everybody" if others else "its group"
    link = "links to a file that" if path.is_symlink() else "may be used by"
    what = f"{path.name} {link} {who + ' may use' if path.is_symlink() else who}"
    return Fault(
        f"{what} (mode {stat.S_IMODE(found.st_mode):04o})", f"chmod 600 {path.name}; if others saw it, renew it"
    )


def modes_count() -> bool:
    """True where the mode of a file says who may read it."""
    return os.name == "posix"


def read_secret(path: Path) -> str | Fault:
    """What stands in a regular file, or why it cannot be used."""
    try:
        with path.open("rb") as file:
            raw = file.read(LONGEST_SECRET * 4)
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return Fault(f"{path.name} holds no UTF-8 text; it may be a key in binary form (DER, PKCS #12)", _BEARER)
    except OSError as error:
        message = f"{path.name} cannot be read: {error.strerror}"
        return Fault(message, "make the account that runs this program the owner of the file")


def token_fault(text: str) -> Fault | None:
    """Nothing, a key or a certificate instead of a token, or what no header can hold."""
    token = text.strip()
    if not token:
        return Fault("it is empty", "write the token into it")
    kind = _kind(token)
    if kind:
        return Fault(f"it is {kind}, no token", _BEARER)
    if not token.isascii() or not token.isprintable():
        found = "it holds characters that no HTTP header may hold"
        return Fault(found, "write the token alone into it: visible ASCII, one line")
    if len(token) > LONGEST_SECRET:
        return Fault(f"it is longer than {LONGEST_SECRET} characters, which no header holds", _BEARER)
    return None


def _kind(text: str) -> str:
    """What a text is that is no token; empty when it may be one."""
    pem = _PEM.search(text)
    if pem is None:
        return "a key in JSON (JWK)" if text.startswith("{") and '"kty"' in text else ""
    kind = pem["kind"]
    if not kind.endswith("PRIVATE KEY"):
        return "a certificate" if "CERTIFICATE" in kind else "a key or a certificate"
    locked = kind.startswith("ENCRYPTED") or "Proc-Type: 4,ENCRYPTED" in text or _is_locked_openssh(kind, text)
    return f"a private key ({'encrypted' if locked else 'not encrypted'})"


def _is_locked_openssh(kind: str, text: str) -> bool:
    """The name of the cipher stands first; `none` is none."""
    if not kind.startswith("OPENSSH"):
        return False
    body = "".join(line.strip() for line in text.splitlines() if "-----" not in line)
    try:
        raw = base64.b64decode(body)
    except (binascii.Error, ValueError):
        return False
    return raw.startswith(_OPENSSH) and not raw.startswith(_OPENSSH + b"\0\0\0\4none")
