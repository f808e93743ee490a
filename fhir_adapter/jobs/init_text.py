"""How the files of a new trial folder are written: the template's text, and what the registry says as quoted YAML.

Every key of the folder is there, set or switched off by "# "; whatever a registry's text holds, YAML reads it back as
it was.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from fhir_adapter.sources.registry_record import RegistryRecord
from fhir_adapter.trial import STUDY_FIELDS

NOBODY = "nobody yet"
"""Who decided what `init` writes; a person puts a name here."""

_OPEN = "NONE"
"""The registry's word for a trial in which nothing is masked."""
_WIDTH = 100
_LONGEST_VALUE = 200
_PLACE = re.compile(r"^( *)\$\{(\w+)\}$", re.MULTILINE)
_WORDS = re.compile(r"(?<=[ \n])(?=[^ \t\n])")
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}
_SHOWN_SPACE = " "
_HIDDEN = ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs")


@dataclass(frozen=True, slots=True)
class Row:
    """A row of decisions.yaml: what was taken over (and from where), or what is open (and why)."""

    about: str
    value: str
    source: str
    is_open: bool = False


def quoted(text: str) -> str:
    """The text as a double-quoted YAML scalar, in lines of readable length; nothing in it can be read as YAML."""
    lines = ["".join(map(_letter, line)) for line in _lines(text)]
    return '"' + "\\\n      ".join(lines) + '"'


def fill(template: str, values: Mapping[str, str]) -> str:
    """The template with each line `${name}` replaced; what is filled in is not looked at again."""
    return _PLACE.sub(lambda place: textwrap.indent(values[place[2]], place[1]), template)


def trial_values(trial_id: str, today: date, record: RegistryRecord | None) -> dict[str, str]:
    """What stands in the places of trial.yaml."""
    facts = {} if record is None else {field: one.texts for field, one in record.facts.items()}
    status = record.status if record else None
    return {
        "id": f"id: {quoted(trial_id)}",
        "blinding": _blinding(record),
        "identifier": f"identifier: {quoted(study_identifier(trial_id, record))}",
        "registry_status": f"registry_status: {quoted(status)}" if status else "# registry_status: UNKNOWN",
        "decided_on": f"decided_on: {quoted(today.isoformat())}",
        "why": f"why: {quoted('nobody has decided the status yet: state a code, who decided it, when, and why')}",
        "facts": "facts:" if facts else "# facts:",
        **{field: _fact(field, facts.get(field, ())) for field in STUDY_FIELDS},
    }


def decision_rows(trial_id: str, record: RegistryRecord | None, source: str) -> Iterator[Row]:
    """What was taken from the registry, and what is open: one row each."""
    if record is not None:
        place = "identificationModule.orgStudyIdInfo.id" if record.sponsors_number else "identificationModule.nctId"
        yield Row("study.identifier", study_identifier(trial_id, record), f"{source}, {place}")
        for field, one in record.facts.items():
            yield Row(f"study.facts.{field}", _shortened(field, one.texts), f"{source}, {one.place}")
        if record.masking is not None:
            value = f"{'open' if record.masking == _OPEN else 'masked'} (the registry's masking: {record.masking})"
            yield Row("blinding", value, f"{source}, designModule.designInfo.maskingInfo")
        if record.status is not None:
            value = f"{record.status} kept verbatim as registry_status"
            yield Row("study.status.registry_status", value, f"{source}, statusModule.overallStatus")
    yield from _open_rows(record, source)


def decisions_text(rows: Iterable[Row], today: date) -> str:
    """The rows as YAML; all are assumptions until a person confirms them."""
    return "\n".join(
        f"- about: {quoted(f'open: {row.about}' if row.is_open else row.about)}\n"
        f"  value: {quoted(row.value)}\n"
        "  kind: assumption\n"
        f"  source: {quoted(row.source)}\n"
        f"  who: {NOBODY}\n"
        f"  when: {quoted(today.isoformat())}"
        for row in rows
    )


def study_identifier(trial_id: str, record: RegistryRecord | None) -> str:
    """The sponsor's number, else the registry's, else the trial's id until somebody replaces it."""
    return trial_id if record is None else record.sponsors_number or record.number


def _open_rows(record: RegistryRecord | None, source: str) -> Iterator[Row]:
    made = "fhir-adapter init"

    def still(about: str, value: str, where: str = made) -> Row:
        return Row(about, value, where, is_open=True)

    yield still("study.status", "absent (unknown): a person decides the code; the registry's word is never translated")
    yield still("labels", "PSEUDED: everything sent is labelled as pseudonymised")
    yield still("identifiers.base", "an address of this program; put one of your own institution before sending")
    if record is None:
        yield still("study.identifier", "the trial's id stands there until the sponsor's number is known")
        yield still("study.facts", "nothing is known of the study yet")
        yield still("sites", "one example site, to be replaced")
        return
    count = f"the registry names {record.location_count} locations, without the numbers and time zones of your exports"
    yield still("sites", f"one example site, to be replaced; {count}", source)
    if record.masking is None:
        yield still("blinding", "open by default: the record does not say whether anything is masked", source)
    if record.arms:
        yield still("arms", f"{len(record.arms)} in the registry; read from a source with the sponsor's codes", source)
    if record.has_criteria:
        text = "one text in the registry; write each as a row of a source, so that exclusions are told from inclusions"
        yield still("eligibility criteria", text, source)
    for field, why in record.open.items():
        yield still(f"study.facts.{field}", why, source)


def _blinding(record: RegistryRecord | None) -> str:
    if record is None or record.masking is None:
        return "# blinding: open"
    return "blinding: open" if record.masking == _OPEN else "blinding: masked"


def _fact(field: str, texts: tuple[str, ...]) -> str:
    if not texts:
        return f"# {field}: [{{text: replace me}}]"
    return "\n".join([f"{field}:", *(f"  - text: {quoted(text)}" for text in texts)])


def _shortened(field: str, texts: tuple[str, ...]) -> str:
    whole = "; ".join(texts)
    if len(whole) <= _LONGEST_VALUE and "\n" not in whole:
        return whole
    size = f"{len(whole)} characters" if len(texts) == 1 else f"{len(texts)} entries"
    return f"as study.facts.{field} in trial.yaml has it ({size})"


def _lines(text: str) -> list[str]:
    """The text in pieces that end after a line break, or after a space when a line is full, none beginning with one."""
    lines: list[list[str]] = [[]]
    length = 0
    for word in _WORDS.split(text):
        if lines[-1] and (lines[-1][-1].endswith("\n") or length + len(word) > _WIDTH):
            lines.append([])
            length = 0
        lines[-1].append(word)
        length += len(word)
    return ["".join(words) for words in lines]


def _letter(letter: str) -> str:
    if letter in _SHORT:
        return _SHORT[letter]
    if letter == _SHOWN_SPACE or unicodedata.category(letter) not in _HIDDEN:
        return letter
    number = ord(letter)
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"  # noqa: PLR2004 - four hex digits
