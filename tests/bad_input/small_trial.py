"""What may a test spoil? A copy of a made-up trial of three subjects: its mapping, and its export as CSV."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.stories.commands import Person, Pushing, Run
from tests.stories.fhir_server import Picture, Resource, identifiers
from tests.stories.sandbox import running

RIVER = Path(__file__).parent / "river-7"


@dataclass(frozen=True)
class Told:
    """What a push to an empty server said, and what stands on the server after it."""

    run: Run
    picture: Picture

    @property
    def rows_set_aside(self) -> list[tuple[str, int]]:
        """The files and lines of all that was set aside."""
        return [(issue["where"]["file"], issue["where"]["line"]) for issue in self.run.set_aside]

    def of(self, kind: str) -> dict[str, Resource]:
        """The resources of a type by the value of their first business identifier."""
        found = (each for each in self.picture.resources.values() if each["resourceType"] == kind)
        return {identifiers(each)[0][1]: each for each in found}


@dataclass(frozen=True)
class SmallTrial:
    """A copy of the made-up trial."""

    folder: Path
    person: Person

    @classmethod
    def copied(cls, folder: Path) -> SmallTrial:
        """Copy the trial into an empty folder."""
        shutil.copytree(RIVER, folder / "trials" / RIVER.name)
        return cls(folder, Person.at(folder / "home"))

    @property
    def trial(self) -> Path:
        """The folder that --trial names."""
        return self.folder / "trials" / RIVER.name

    def file(self, name: str) -> Path:
        """A file of the export or of the mapping."""
        return self.trial / "data" / name if name.endswith(".csv") else self.trial / name

    def replace(self, name: str, old: str, new: str) -> None:
        """Replace a text that stands in a file exactly once; raises ValueError when it does not."""
        text = self.file(name).read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise ValueError(f"{old!r} stands {text.count(old)} times in {name}, not once")
        self.file(name).write_text(text.replace(old, new), encoding="utf-8", newline="")

    def add(self, name: str, line: str) -> None:
        """Add a line to the end of a file."""
        with self.file(name).open("a", encoding="utf-8", newline="") as file:
            file.write(f"{line}\n")

    def recode(self, name: str, encoding: str) -> None:
        """Write a file again in another encoding."""
        path = self.file(name)
        path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))

    def lines(self, name: str) -> int:
        """How many lines a file has."""
        return len(self.file(name).read_text(encoding="utf-8").splitlines())

    def map(self, *options: str | Path, **variables: str) -> Run:
        """Map the trial, without a server."""
        return self.person.runs("map", "--trial", self.trial, *options, **variables)

    @contextmanager
    def pushing(self) -> Iterator[Pushing]:
        """Push the trial to an empty sandbox."""
        with running(database=str(self.folder / "server.sqlite")) as base:
            yield Pushing(self.person, base, self.folder / "state.sqlite", trial=self.trial)

    def push(self, *options: str) -> Told:
        """Push the trial to an empty sandbox, and see what stands there."""
        with self.pushing() as pushing:
            run = pushing.push(*options)
            return Told(run, Picture.of(pushing.server))
