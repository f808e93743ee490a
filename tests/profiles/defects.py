"""Which defects do the invalid examples have: one each, made from a valid example by one change of `defects.yaml`.

`python -m tests.profiles.defects` writes them to profiles/examples/invalid/, with `expected.json` beside them.
"""

from __future__ import annotations

import copy
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ruamel.yaml import YAML

EXAMPLES = Path(__file__).parents[2] / "profiles" / "examples"
INVALID = EXAMPLES / "invalid"
OURS = "https://w3id.org/fhir-adapter/StructureDefinition/"

_TABLE = Path(__file__).with_suffix(".yaml")
_STEP = re.compile(r"[A-Za-z_]+|\[[0-9]+\]")


@dataclass(frozen=True, slots=True)
class Defect:
    """One change of a valid example, and what a validator has to say of it (the keys are told in the table)."""

    file: str
    what: str
    path: str
    code: str
    expression: str
    value: Any = None
    gone: bool | Literal["value"] = False
    rule: str = ""
    profile: str = ""

    @property
    def example(self) -> str:
        """The valid example that it is made from."""
        return self.file.partition(".")[0]

    @property
    def asked(self) -> list[str]:
        """The profiles to ask for beside those that the resource names."""
        return [OURS + self.profile] if self.profile else []


DEFECTS = tuple(Defect(**row) for row in YAML(typ="safe", pure=True).load(_TABLE))


def broken(defect: Defect) -> Any:
    """The example with its defect."""
    resource = json.loads((EXAMPLES / f"{defect.example}.json").read_text(encoding="utf-8"))
    *steps, last = [int(one[1:-1]) if one[0] == "[" else one for one in _STEP.findall(defect.path)]
    holder = resource
    for step in steps:
        holder = holder[step]
    if defect.gone:
        del holder[last]
        if defect.gone is True and isinstance(holder, dict):
            holder.pop(f"_{last}", None)
    elif isinstance(holder, list):
        holder[last:] = [copy.deepcopy(defect.value), *holder[last + 1 :]]
    else:
        holder[last] = copy.deepcopy(defect.value)
    return resource


def invalid_files() -> dict[str, str]:
    """The text of each invalid example by file name, and what has to be found in them."""
    files = {f"{one.file}.json": _text(broken(one)) for one in DEFECTS}
    return {**files, "expected.json": _text({f"{one.file}.json": _expected(one) for one in DEFECTS})}


def _expected(one: Defect) -> dict[str, Any]:
    stated = {"what": one.what, "code": one.code, "expression": one.expression, "rule": one.rule}
    return {name: value for name, value in {**stated, "profiles": one.asked}.items() if value}


def _text(resource: Any) -> str:
    return json.dumps(resource, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the invalid examples again."""
    for old in INVALID.glob("*.json"):
        old.unlink()
    for name, text in invalid_files().items():
        (INVALID / name).write_text(text, encoding="utf-8")
    sys.stderr.write(f"{len(DEFECTS)} invalid examples\n")


if __name__ == "__main__":
    main()
