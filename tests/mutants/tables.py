"""Mutants of the TOML tables, which no tool makes: one number, code, spelling, relation or flag changed at a time.

Names and reasons are words for people: a test that knew them by heart would only say them twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.forking import Mutant
from tests.mutants.survivors import Survivor

_TEXT = re.compile(r'"[^"]*"')
_NUMBER = re.compile(r"-?\d+(\.\d+)?(/\d+)?")
_RELATION = re.compile(r"(<=|>=|<|>)(.+)")
_CODE = re.compile(r"\d{1,6}-\d|\d{6,18}|HP:\d+|LA\d+-\d")
_WORDS = re.compile(r'name = "[^"]*"|flag = "[^"]*"')
_REASON = re.compile(r'("[^"]+") = "(?=[^"]* )[^"]*"')
_OTHER = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}


@dataclass(frozen=True, slots=True)
class Change:
    """One changed line of a file; lines count from 0."""

    file: str
    line: int
    before: str
    after: str


def mutants(files: list[str]) -> Iterator[Mutant]:
    """Every mutant of the tables."""
    for file in files:
        whole = Path(file).read_text(encoding="utf-8")
        for one in changes(file, whole):
            yield Mutant(f"{file}:{one.line + 1}:{one.after.strip()}", file, changed(whole, one))


def survivor(mutant: Mutant) -> Survivor:
    """The line that changed."""
    file, line, after = mutant.name.split(":", 2)
    before = Path(file).read_text(encoding="utf-8").splitlines()[int(line) - 1]
    return Survivor(file, before.strip(), after)


def changes(file: str, text: str) -> Iterator[Change]:
    """Every change of a table, from its top to its end."""
    for place, line in enumerate(text.splitlines()):
        bare = _WORDS.sub(_blank, _without_comment(line))
        bare = _REASON.sub(lambda found: found[1] + " " * (len(found[0]) - len(found[1])), bare)
        for start, end, new in _of_line(bare):
            yield Change(file, place, line, line[:start] + new + line[end:])


def changed(text: str, change: Change) -> str:
    """The whole table with the change."""
    lines = text.splitlines()
    assert lines[change.line] == change.before
    lines[change.line] = change.after
    return "\n".join(lines) + "\n"


def _of_line(bare: str) -> Iterator[tuple[int, int, str]]:
    """What becomes of each text in a line, and of a flag."""
    for found in _TEXT.finditer(bare):
        for new in _others(found[0].strip('"')):
            yield found.start(), found.end(), f'"{new}"'
    for flag, other in (("true", "false"), ("false", "true")):
        place = bare.find(f"= {flag}")
        if place >= 0:
            yield place + 2, place + 2 + len(flag), other


def _others(text: str) -> Iterator[str]:
    relation = _RELATION.fullmatch(text)
    if relation:
        yield _OTHER[relation[1]] + relation[2]
        yield relation[1] + _next(relation[2])
    elif _CODE.fullmatch(text):
        yield _one_digit_more(text)
    elif _NUMBER.fullmatch(text):
        yield _next(text)
    else:
        yield text + "~"


def _next(number: str) -> str:
    """One unit in the last place more; of a fraction the part above."""
    above, solidus, below = number.partition("/")
    digits = str(int(above.replace(".", "")) + 1).zfill(len(above.replace(".", "")))
    point = len(above) - above.index(".") - 1 if "." in above else 0
    more = f"{digits[:-point]}.{digits[-point:]}" if point else digits
    return more + solidus + below


def _one_digit_more(code: str) -> str:
    place = next(place for place, letter in enumerate(code) if letter.isdigit())
    return code[:place] + str((int(code[place]) + 1) % 10) + code[place + 1 :]


def _without_comment(line: str) -> str:
    """A line whose comment is blank; `#` inside a text stands."""
    inside = False
    for place, letter in enumerate(line):
        inside ^= letter == '"'
        if letter == "#" and not inside:
            return line[:place]
    return line


def _blank(found: re.Match[str]) -> str:
    return " " * len(found[0])
