"""Write every case and control of this corpus as a plain file, by `python plain_files.py FOLDER`.

FOLDER/cases/ID.json and FOLDER/controls/ID.json are whole resources; FOLDER/expected.ndjson says what is to be found in
each. Needs Python 3.9 or later and nothing else; applies JSON Patch (RFC 6902) as far as the corpus uses it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).parent


def planted(case: dict[str, Any]) -> Any:
    """The resource of a case: its base with its patch."""
    resource = json.loads((CORPUS / "bases" / f"{case['base']}.json").read_text(encoding="utf-8"))
    for change in case["patch"]:
        *way, last = change["path"].split("/")[1:]
        holder = resource
        for step in way:
            holder = holder[place(holder, step)]
        if change["op"] == "remove":
            del holder[place(holder, last)]
        elif change["op"] == "add" and isinstance(holder, list):
            holder.insert(int(last), change["value"])
        else:
            holder[place(holder, last)] = change["value"]
    return resource


def place(holder: Any, step: str) -> Any:
    """A step of a JSON Pointer: the index into a list, the name in an object."""
    return int(step) if isinstance(holder, list) else step


def write(folder: Path) -> int:
    """Write the whole corpus below a folder, and say how many resources there are."""
    expected = []
    for part in ("cases", "controls"):
        (folder / part).mkdir(parents=True, exist_ok=True)
        for line in (CORPUS / f"{part}.ndjson").read_text(encoding="utf-8").splitlines():
            case = json.loads(line)
            name = f"{part}/{case['id']}.json"
            (folder / name).write_text(json.dumps(planted(case), indent=2) + "\n", encoding="utf-8")
            expected.append({"file": name, **{key: case[key] for key in ("profiles", "expect", "why")}})
    lines = "".join(json.dumps(each) + "\n" for each in expected)
    (folder / "expected.ndjson").write_text(lines, encoding="utf-8")
    return len(expected)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.stdout.write(f"{write(Path(sys.argv[1]))} resources\n")
