"""What the codes of a result mean: an analyte, a finding of the score, a look-alike, or nothing that we know.

Codes of one CodeableConcept are said to mean the same (https://hl7.org/fhir/R4/datatypes.html#CodeableConcept); where
they do not, the result is refused instead of picking one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from fhir_adapter.terminology.site_codes import TABLES_ONLY, SiteCodes
from fhir_adapter.terminology.tables import LOINC, Coding, analytes, findings

Kind = Literal["analyte", "finding", "rejected", "unknown"]


@dataclass(frozen=True, slots=True)
class CodeMatch:
    """What the codes of one result mean.

    `name` is the analyte or finding; `code` the one that decided; `reason` says why a look-alike is not read; `method`
    how it was measured where that matters (`blood gas`, `axillary`). `needs_marrow`: counts only when the specimen or
    body site is bone marrow. `by_folder`: only the trial's folder says so; for a code of the hospital's own with its
    system (`system|code`).
    """

    kind: Kind
    name: str = ""
    code: str = ""
    reason: str = ""
    method: str = ""
    needs_marrow: bool = False
    by_folder: str = ""


def match_codes(codings: Sequence[Coding], site: SiteCodes = TABLES_ONLY) -> CodeMatch:
    """What the (system, code) pairs of one CodeableConcept mean together; `site` is what the trial's folder adds."""
    known = [match for match in (_match(coding, site) for coding in codings) if match is not None]
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


def _precedence(match: CodeMatch) -> tuple[bool, bool]:
    """A code of the tables goes before one of the folder, and one that says marrow before one that needs a specimen."""
    return bool(match.by_folder), match.needs_marrow


def _match(coding: Coding, site: SiteCodes) -> CodeMatch | None:
    table = findings()
    code = coding[1]
    if coding in table.codes:
        found = table.codes[coding]
        return CodeMatch("finding", found.name, code, needs_marrow=found.needs_marrow)
    if coding in table.rejected:
        return CodeMatch("rejected", code=code, reason=table.rejected[coding])
    match = _loinc().get(code) if coding[0] == LOINC else None
    if match and match.kind == "rejected" and match.name and code in site.loinc:
        return CodeMatch("analyte", match.name, code, by_folder=code)
    if match is None and coding in site.local:
        return _by_folder(coding, site.local[coding])
    return match


def _by_folder(coding: Coding, name: str) -> CodeMatch:
    kind: Kind = "analyte" if name in analytes() else "finding"
    return CodeMatch(kind, name, coding[1], by_folder="|".join(coding))


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


def search_codes(site: SiteCodes = TABLES_ONLY) -> tuple[Coding, ...]:
    """Every (system, code) that a pull searches for: scored analytes and findings, and what the folder adds to them."""
    scored = [analyte for analyte in analytes().values() if analyte.scored]
    numbers = [(LOINC, code) for analyte in scored for code in analyte.codes]
    configured = [(LOINC, code) for analyte in scored for code in analyte.configured if code in site.loinc]
    unscored = {name for name, analyte in analytes().items() if not analyte.scored}
    local = [coding for coding, name in site.local.items() if name not in unscored]
    return (*numbers, *configured, *findings().codes, *local)


def finding_codes(site: SiteCodes = TABLES_ONLY) -> tuple[Coding, ...]:
    """Every (system, code) of a finding: what a Condition can say."""
    local = [coding for coding, name in site.local.items() if name not in analytes()]
    return (*findings().codes, *local)


def present_of(stated: Iterable[Coding] | str, site: SiteCodes = TABLES_ONLY) -> bool | None:
    """Whether coded answers (or a text that is just the word) say present or absent; None for all else.

    Answers that contradict each other are no answer.
    """
    answers = set(_answers_in_text(stated, site) if isinstance(stated, str) else _coded_answers(stated, site))
    return answers.pop() if len(answers) == 1 else None


def _answers_in_text(text: str, site: SiteCodes) -> Iterator[bool]:
    known = findings().answers.get(("", text.strip().lower()), site.answers.get(text.strip()))
    if known is not None:
        yield known


def _coded_answers(codings: Iterable[Coding], site: SiteCodes) -> Iterator[bool]:
    for coding in codings:
        known = findings().answers.get(coding, site.answers.get("|".join(coding))) if coding[0] else None
        if known is not None:
            yield known
