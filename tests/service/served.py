"""How is the service started for a test? As an application in a thread, or as a process that a signal may stop."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, Self

import httpx2
from fastapi import FastAPI

from fhir_adapter.serving.listening import address_of, listening, served_in_thread
from tests.stories.commands import Person, Run
from tests.stories.ready import Process

SEED = Path(__file__).resolve().parents[2] / "mappings" / "trials" / "nct02569463"
HOSPITAL = SEED / "hospital"
FHIR_JSON = {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}

_LONGEST = 60.0
_SOON = 60.0
_TICK = 0.01
_UNTIL_IT_ENDS = 1 << 60

Resource = dict[str, Any]


def published(*names: str) -> bytes:
    """The lines of these files of the made-up hospital."""
    return b"".join((HOSPITAL / f"{name}.ndjson").read_bytes() for name in names)


def pull(person: Person, state: Path, *names: str) -> None:
    """Pull what the made-up hospital wrote into these files; raises when nothing could be read."""
    file = person.home / f"{'-'.join(names)}.ndjson"
    file.write_bytes(published(*names))
    run = person.runs("pull", "--trial", SEED, "--file", file, "--state", state, "--format", "json")
    if run.exit_code not in {0, 3}:
        raise RuntimeError(run.err)


def copied(state: Path, folder: Path) -> Path:
    """A state file of the test's own."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / state.name).write_bytes(state.read_bytes())
    return folder / state.name


def observations(patient: str = "", number: int | None = None) -> list[Resource]:
    """The hospital's first results, of one patient or of all."""
    every = [json.loads(line) for line in published("results").splitlines()]
    return [one for one in every if one["subject"]["reference"].endswith(patient)][:number]


def bundle_of(results: list[Resource]) -> Resource:
    """A collection of these."""
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in results]}


def many_results(number: int) -> bytes:
    """A Bundle of so many results, made of the hospital's."""
    some = observations()
    several = [some[place % len(some)] | {"id": f"made-up-{place}"} for place in range(number)]
    return json.dumps(bundle_of(several)).encode()


def bounds_of(answer: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """The lower and upper bound of each score in a Bundle, by the name of its visit."""
    entries = [entry["resource"] for entry in answer["entry"]]
    scores = [one for one in entries if one["resourceType"] == "Observation" and _code(one) == "hscore"]
    return {one["method"]["coding"][0]["code"]: (_part(one, "low"), _part(one, "high")) for one in scores}


def _code(observation: Mapping[str, Any]) -> str:
    code: str = observation["code"].get("coding", [{}])[0].get("code", "")
    return code


def _part(score: Mapping[str, Any], name: str) -> int:
    (found,) = (one for one in score["component"] if _code(one) == f"hscore-{name}")
    return int(found["valueQuantity"]["value"])


@contextmanager
def in_thread(app: FastAPI) -> Iterator[str]:
    """The address of an application that really listens while the block runs."""
    with listening(0) as listener, served_in_thread(app, listener, 5):
        yield address_of(listener)


@contextmanager
def calling(app: FastAPI, **headers: str) -> Iterator[httpx2.Client]:
    """A client of an application that really listens while the block runs."""
    with in_thread(app) as base, httpx2.Client(base_url=base, headers=headers, timeout=30) as client:
        yield client


@dataclass(frozen=True)
class Service:
    """`serve` as a process of its own, and what it says on standard error."""

    process: Process
    said: list[str] = field(default_factory=list)
    reader: list[threading.Thread] = field(default_factory=list)

    @property
    def err(self) -> str:
        """All it has said; whole once it has ended."""
        return "".join(self.said)

    @property
    def base(self) -> str:
        """The address it announced, as soon as it did; raises when it ends before, or says nothing."""
        until = time.monotonic() + _LONGEST
        while time.monotonic() < until and self.process.poll() is None:
            for line in self.said:
                if line.startswith("service at "):
                    return line.split()[2]
            time.sleep(_TICK)
        raise RuntimeError(f"the service did not listen: {self.err}")

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        host, _, port = self.base.removeprefix("http://").rpartition(":")
        return host.strip("[]"), int(port)

    def signalled(self, number: int, *, within: float = _LONGEST) -> int:
        """Send a signal and wait for the end; gives the exit code."""
        self.process.send_signal(number)
        return self.ended(within=within)

    def ended(self, *, within: float = _LONGEST) -> int:
        """Wait for the end; gives the exit code."""
        code = self.process.wait(within)
        self.reader[0].join(within)
        return code


@contextmanager
def serve(person: Person, *arguments: str | Path, **variables: str) -> Iterator[Service]:
    """Start `serve` on a free port; at the end it is killed if it still runs."""
    with _served(person.begins, *arguments, **variables) as service:
        yield service


@contextmanager
def serve_from_the_start(person: Person, *arguments: str | Path, **variables: str) -> Iterator[Service]:
    """The same, with Python and the program still to be loaded."""
    with _served(person.begins_from_the_start, *arguments, **variables) as service:
        yield service


@contextmanager
def _served(begin: Callable[..., Process], *arguments: str | Path, **variables: str) -> Iterator[Service]:
    port = () if "--port" in arguments else ("--port", "0")
    heard, said = os.pipe()
    with os.fdopen(heard, "rb") as err, os.fdopen(said, "wb") as written, Path(os.devnull).open("wb") as nowhere:
        process = begin(nowhere.fileno(), written.fileno(), "serve", *arguments, *port, **variables)
        written.close()
        service = Service(process)
        service.reader.append(threading.Thread(target=_read, args=(err, service.said), daemon=True))
        service.reader[0].start()
        try:
            yield service
        finally:
            process.kill()
            process.wait(_LONGEST)
            service.reader[0].join(_LONGEST)


def refused(person: Person, *arguments: str | Path, **variables: str) -> Run:
    """Start a `serve` that ends by itself, because something is wrong; raises when it serves instead."""
    port = () if "--port" in arguments else ("--port", "0")
    try:
        return replace(person, patience=_SOON).runs("serve", *arguments, *port, **variables)
    except TimeoutError as error:
        raise AssertionError("it was not refused") from error


def _read(err: IO[bytes], said: list[str]) -> None:
    for line in err:
        said.append(line.decode())  # noqa: PERF401  others read it meanwhile


@dataclass
class Slowly:
    """A request that is sent piece by piece over a connection of its own."""

    connection: socket.socket

    @classmethod
    def begun(cls, address: tuple[str, int], path: str, body: bytes, sent: int, *headers: str) -> Slowly:
        """Send the head and the first bytes of the content, and wait until they have gone."""
        connection = socket.create_connection(address, timeout=_LONGEST)
        lines = (f"POST {path} HTTP/1.1", f"Host: {address[0]}:{address[1]}", "Content-Type: application/fhir+json")
        head = "\r\n".join((*lines, f"Content-Length: {len(body)}", *headers, "", ""))
        connection.sendall(head.encode() + body[:sent])
        return cls(connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def goes_on(self, rest: bytes) -> None:
        """Send more of the content."""
        self.connection.sendall(rest)

    def answered(self) -> tuple[int, bytes]:
        """The status and the whole content of the answer; (0, b"") when the connection was cut without one."""
        text = b""
        try:
            while part := self.connection.recv(65536):
                text += part
                head, end, body = text.partition(b"\r\n\r\n")
                if end and len(body) >= _length(head):
                    break
        except ConnectionError:
            pass
        self.connection.close()
        head, _, body = text.partition(b"\r\n\r\n")
        return (int(head.split()[1]), body) if head else (0, b"")


def _length(head: bytes) -> int:
    lines = [line.partition(b":") for line in head.lower().splitlines()]
    return next((int(value) for name, _, value in lines if name == b"content-length"), _UNTIL_IT_ENDS)


def refuses_connections(address: tuple[str, int]) -> bool:
    """True when nobody listens there any more."""
    with socket.socket() as tried:
        tried.settimeout(5)
        return tried.connect_ex(address) != 0


def refuses_connections_soon(address: tuple[str, int], within: float = 30) -> bool:
    """True when nobody listens there any more, now or soon."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        if refuses_connections(address):
            return True
        time.sleep(_TICK)
    return False


def secret_file(folder: Path, secret: str, name: str = "token.txt") -> Path:
    """A file that only its owner may read."""
    path = folder / name
    path.touch(mode=0o600)
    path.write_text(f"{secret}\n", encoding="utf-8")
    return path
