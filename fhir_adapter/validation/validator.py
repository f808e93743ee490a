"""The validator: what is wrong with a resource against FHIR R4 and the profiles that it names or should have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fhir_adapter.issues import Issue, Where
from fhir_adapter.validation.definitions import Definitions
from fhir_adapter.validation.engine import Engine, Options
from fhir_adapter.validation.environment import environment
from fhir_adapter.validation.findings import MOST_ISSUES, TooManyError
from fhir_adapter.validation.primitives import is_id
from fhir_adapter.validation.resources import check_resource
from fhir_adapter.validation.run import Run
from fhir_adapter.validation.surroundings import Surroundings


class Validator:
    """Checks resources against FHIR R4 and profiles; made once, asked often, safe to share between threads.

    `packages` are FHIR packages (tgz or folder), folders of definitions or single ones, beside R4 core and this
    project's profiles, which are always there. Further options are those of `Options`. Raises `OSError` when a package
    cannot be opened; what in a package cannot be used is in `problems`.
    """

    def __init__(
        self,
        packages: Sequence[Path | str] = (),
        fhir_version: str = "4.0.1",
        *,
        definitions: Definitions | None = None,
        **options: Any,  # noqa: ANN401 - the fields of Options
    ) -> None:
        self.definitions = definitions or Definitions.of(packages, fhir_version=fhir_version)
        self._engine = Engine(self.definitions, Options(**options))

    @property
    def problems(self) -> list[Issue]:
        """What in the packages could not be read."""
        return self.definitions.problems

    def check(self, resource: object, profiles: Sequence[str] = ()) -> list[Issue]:
        """Everything that is wrong with one resource (a JSON value with `Decimal` numbers), and what was not looked at.

        `profiles` are checked beside those in `meta.profile`. Never raises on a JSON value.
        """
        kind = resource.get("resourceType") if isinstance(resource, dict) else None
        path = kind if isinstance(kind, str) and is_id(kind) else "Resource"
        root: Mapping[str, Any] = resource if isinstance(resource, dict) else {}
        run = Run(_label(root, path), root, Surroundings.of(root), {})
        run.environment = environment(self._engine, run)
        try:
            check_resource(self._engine, resource, path, run, profiles=profiles)
        except TooManyError:
            message = f"more than {MOST_ISSUES} findings; the rest was not looked at"
            run.issues.append(Issue("error", "more-defects", message, Where(resource=run.label, expression=path), path))
        except RecursionError:
            message = "nested too deep to be checked"
            run.issues.append(Issue("error", "too-deep", message, Where(resource=run.label, expression=path), path))
        if run.warnings_left_out:
            message = f"{run.warnings_left_out} more warnings are left out"
            run.issues.append(Issue("information", "more-warnings", message, Where(resource=run.label), path))
        return run.issues


def _label(resource: Mapping[str, Any], kind: str) -> str:
    """`Observation/id`, without the id when that is none: it may hold anything."""
    found = resource.get("id")
    return f"{kind}/{found}" if is_id(found) else kind
