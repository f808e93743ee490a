"""What the codes of a result mean: an analyte, a finding of the score, a look-alike, or nothing that we know.

Codes of one CodeableConcept are said to mean the same (https://hl7.org/fhir/R4/datatypes.html#CodeableConcept); where
they do not, the result is refused instead of picking one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from fhir_adapter.terminology.tables import LOINC, Coding, analytes, findings

Kind = Literal["analyte", "finding", "rejected", "unknown"]


@dataclass(frozen=True, slots=True)
class CodeMatch:
    """What the codes of one result mean.

    `name` is the analyte or finding; `code` the one that decided; `reason` says why a look-alike is not read; `method`
    how it was measured where that matters (`blood gas`, `axillary`). `needs_marrow`: counts only when the specimen or
    body site is bone marrow.
    """

    kind: Kind
    name: str = ""
    code: str = ""
    reason: str = ""
    method: str = ""
    needs_marrow: bool = False


def match_codes(codings: Sequence[Coding], *, configured: Collection[str] = ()) -> CodeMatch:
    """What the (system, code) pairs of one CodeableConcept mean together.

    `configured` are codes of the table `configured` that a trial wants to be read.
    """
    known = [match for match in (_match(coding, configured) for coding in codings) if match is not None]
    refused = [match for match in known if match.kind == "rejected"]
    read = [match for match in known if match.kind != "rejected"]
    if len({match.name for match in read}) > 1:
        names = " and ".join(sorted({match.name for match in read}))
        return CodeMatch("rejected", code=read[0].code, reason=f"its codes contradict each other: {names}")
    if read and not [match for match in refused if not match.name]:
        return min(read, key=_precedence)
    if refused:
        return refused[0]
    return CodeMatch("unknown", code=codings[0][1] if codings else "")


def _precedence(match: CodeMatch) -> bool:
    """A code that says marrow by itself goes before one that needs a marrow specimen."""
    return match.needs_marrow


def _match(coding: Coding, configured: Collection[str]) -> CodeMatch | None:
    table = findings()
    code = coding[1]
    if coding in table.codes:
        found = table.codes[coding]
        return CodeMatch("finding", found.name, code, needs_marrow=found.needs_marrow)
    if coding in table.rejected:
        return CodeMatch("rejected", code=code, reason=table.rejected[coding])
    match = _loinc().get(code) if coding[0] == LOINC else None
    if match and match.kind == "rejected" and match.name and code in configured:
        return CodeMatch("analyte", match.name, code)
    return match


@cache
def _loinc() -> dict[str, CodeMatch]:
    """What each LOINC code means; a rejected one has a name only when a configuration may accept it."""
    found: dict[str, CodeMatch] = {}
    for analyte in analytes().values():
        for code, stated in analyte.codes.items():
            found[code] = CodeMatch("analyte", analyte.name, code, method=stated.method)
        for code, reason in analyte.configured.items():
            found[code] = CodeMatch("rejected", analyte.name, code, reason, method="config only")
        for code, reason in analyte.rejected.items():
            found[code] = CodeMatch("rejected", code=code, reason=reason)
    return found


@cache
def search_codes() -> tuple[Coding, ...]:
    """Every (system, code) that a pull searches for: scored analytes and findings."""
    numbers = [(LOINC, code) for analyte in analytes().values() if analyte.scored for code in analyte.codes]
    return (*numbers, *findings().codes)


def present_of(stated: Iterable[Coding] | str) -> bool | None:
    """Whether coded answers (or a text that is just the word) say present or absent; None for all else.

    Answers that contradict each other are no answer.
    """
    codings = [("", stated.strip().lower())] if isinstance(stated, str) else [one for one in stated if one[0]]
    answers = {findings().answers[coding] for coding in codings if coding in findings().answers}
    return answers.pop() if len(answers) == 1 else None
