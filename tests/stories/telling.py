"""How a story is told: an export as pushed, one change to it, one push more, a picture of before and after."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.stories.commands import Person, Pushing, Run
from tests.stories.export import Export
from tests.stories.fhir_server import Picture
from tests.stories.sandbox import running

Change = Callable[[Export], object]


@dataclass(frozen=True)
class Told:
    """What one push made of a changed export."""

    run: Run
    before: Picture
    after: Picture
    actions: dict[str, str]
    unchanged: int
    export: Export

    @property
    def rows_set_aside(self) -> list[tuple[str, int]]:
        """The files and rows of all that was set aside, in the order of the report."""
        return [(issue["where"]["file"], issue["where"]["line"]) for issue in self.run.set_aside]

    @property
    def written_again(self) -> set[str]:
        """What has more than one version now."""
        return {reference for reference, version in self.after.versions.items() if version != "1"}

    @property
    def new_provenances(self) -> list[str]:
        """The Provenances that this push brought."""
        return sorted(self.after.provenances - self.before.provenances)


@dataclass(frozen=True)
class Pushed:
    """Three subjects after their first push, on the shelf: every story starts from a copy."""

    folder: Path
    port: int
    run: Run
    picture: Picture
    plan: dict[str, str] = field(repr=False)

    @classmethod
    def once(cls, folder: Path) -> Pushed:
        """Push three subjects to an empty sandbox."""
        port = free_port()
        export = Export.of(folder / "export")
        with running(database=str(folder / "server.sqlite"), port=port) as base:
            pushing = Pushing(Person.at(folder / "home"), base, folder / "state.sqlite", export.folder)
            run = pushing.push("--plan", folder / "plan.json")
            return cls(folder, port, run, Picture.of(base), actions(folder / "plan.json"))

    @contextmanager
    def again(self, folder: Path) -> Iterator[tuple[Pushing, Export]]:
        """Take a copy from the shelf: server, state and export as they were after the first push."""
        shutil.copytree(self.folder, folder)
        with running(database=str(folder / "server.sqlite"), port=self.port) as base:
            export = Export(folder / "export")
            yield Pushing(Person(folder / "home"), base, folder / "state.sqlite", export.folder), export

    def then(self, folder: Path, change: Change) -> Told:
        """Change the export and push again."""
        with self.again(folder) as (pushing, export):
            change(export)
            return _told(pushing, export, folder, before=self.picture, unchanged=len(self.picture.records))


def pushed_at_first(folder: Path, change: Change, *options: str) -> Told:
    """Change the export of three subjects and push it to an empty sandbox."""
    export = Export.of(folder / "export")
    change(export)
    with running(database=str(folder / "server.sqlite")) as base:
        pushing = Pushing(Person.at(folder / "home"), base, folder / "state.sqlite", export.folder)
        return _told(pushing, export, folder, *options, before=Picture({}), unchanged=0)


def actions(plan: Path) -> dict[str, str]:
    """What a plan file says will be done with each resource."""
    return {item["resource"]: item["action"] for item in json.loads(plan.read_bytes())["items"]}


def free_port() -> int:
    """A port of this machine on which nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def _told(pushing: Pushing, export: Export, folder: Path, *options: str, before: Picture, unchanged: int) -> Told:
    plan = folder / "this-plan.json"
    run = pushing.push("--plan", plan, *options)
    return Told(run, before, Picture.of(pushing.server), actions(plan), unchanged, export)
