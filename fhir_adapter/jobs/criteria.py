"""score --criteria: HLH-2004 or the 2016 criteria of every subject at every visit, from the same values as the HScore.

The diagnosis comes from the histories that the sites recorded, by the trial's own map; what changes the meaning of a
result (interleukin-2 and its soluble receptor) from a map of the trial's treatments.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from functools import partial
from pathlib import Path
from typing import cast, get_args

from fhir_adapter.issues import Issue, Misconfigured, Where
from fhir_adapter.jobs.file_results import results_of_file
from fhir_adapter.jobs.score import (
    EVERYTHING,
    Known,
    ScoreOptions,
    about_first_dose,
    about_pulls,
    check_known,
    check_window,
    course_of,
    gather,
    rules_of,
)
from fhir_adapter.mappers.recorded_results import ITEMS_TABLE, recorded_results
from fhir_adapter.scores import Course
from fhir_adapter.scores.choose import ScoreParts
from fhir_adapter.scores.companions import (
    HLH_2004,
    MAS_2016,
    CriteriaSet,
    Diagnosis,
    Population,
    SubjectCriteria,
    counted,
    criteria_of_everything,
    criteria_of_subject,
    explain_criteria,
    hlh_2004,
    in_words,
    mas_2016,
    not_interpretable_under,
    written_criteria,
)
from fhir_adapter.scores.companions.subject import Evaluate
from fhir_adapter.trial import Dose, Entity, Finding, History, Result, ScoreRules, Subject
from fhir_adapter.trial_folder import Codes, TrialFolder

ITEM_TABLE = "criteria_item"
"""The table of codes.yaml that says which findings are items of HLH-2004 alone."""
POPULATION_TABLE = "mas_2016_population"
"""The table of codes.yaml that says which term of a history is which underlying disease."""
TREATMENT_TABLE = "not_interpretable_after"
"""The table of codes.yaml that says which items cannot be interpreted once a treatment has begun."""

_SETS: Mapping[str, CriteriaSet] = {one.name: one for one in (HLH_2004, MAS_2016)}
CRITERIA = tuple(_SETS)
"""The names of the sets of criteria."""

_VALUES = "the values that count for the HScore: the trial's own rule for each visit"
_EVERY_VALUE = "every value counts: one that fulfils a criterion is enough"
_POPULATIONS = frozenset(get_args(Population))


@dataclass(frozen=True, slots=True)
class CriteriaReport:
    """The criteria, the settings they were computed with, and what could not be used."""

    which: str
    subjects: tuple[SubjectCriteria, ...]
    settings: Mapping[str, object]
    complete: bool = True
    issues: tuple[Issue, ...] = ()
    rows_set_aside: int = 0

    def to_dict(self) -> dict[str, object]:
        """The JSON form promised by the command."""
        told = written_criteria(self.subjects)
        mine = [issue.to_dict() for issue in self.issues]
        issues = told.pop("issues")
        assert isinstance(issues, list)
        return {
            "criteria": self.which,
            **told,
            "settings": self.settings,
            "pull_complete": self.complete,
            "issues": [*issues, *mine],
        }

    @property
    def title(self) -> str:
        """What the table of the command is called."""
        one = _SETS[self.which]
        return f"{one.title}: criteria fulfilled, {one.needed} needed; a range where something is not known"

    @property
    def caution(self) -> str:
        """What a reader must know of these criteria."""
        return _SETS[self.which].caution

    @property
    def windows(self) -> list[str]:
        """The columns of the table: every visit of which something is known."""
        return list(dict.fromkeys(window.window for one in self.subjects for window in one.windows))

    @property
    def rows(self) -> list[list[str]]:
        """The lines of the table: a subject and what each visit says."""
        found = []
        for one in self.subjects:
            at = {window.window: f"{counted(window.criteria)}; {in_words(window.criteria)}" for window in one.windows}
            if at:
                found.append([one.subject, *(at.get(name, "-") for name in self.windows)])
        return found

    @property
    def lines(self) -> list[str]:
        """The notes on all of them, for people."""
        windows = [window for one in self.subjects for window in one.windows]
        notes = [explain_criteria(one, _SETS[self.which], complete=self.complete) for one in windows]
        return [line for note in notes for line in (*note, "")]


def criteria(
    folder: TrialFolder, state: Path, options: ScoreOptions, which: str, fever: str | None = None
) -> CriteriaReport:
    """Compute one set of criteria from the store and the site's own records; raises as `score` does.

    `fever` is the temperature from which on a subject is febrile, in Cel; the set's own setting when not given.
    """
    _check_which(which)
    return criteria_known(gather(folder, state, options.source), folder, options, which, fever)


def criteria_known(
    known: Known, folder: TrialFolder, options: ScoreOptions, which: str, fever: str | None = None
) -> CriteriaReport:
    """Compute from what was gathered before."""
    _check_which(which)
    rules = rules_of(folder, options)
    subjects = [one for one in known.reading.entities if isinstance(one, Subject)][: options.subjects]
    check_known(options, [one.subject for one in subjects])
    check_window(options.window, rules)
    wanted = [one for one in subjects if options.subject in (None, one.subject)]
    asked = _Asked(which, fever or _SETS[which].fever, rules, options.window)
    found = [_of_subject(one, known, folder, asked) for one in wanted]
    doses = [issue for one in wanted for issue in about_first_dose(one, known, folder, rules)]
    noted = known.issues if options.subject is None else known.about(options.subject)
    return CriteriaReport(
        which,
        tuple(one for one, _ in found),
        _settings(asked, _VALUES, _treatments(folder.codes, ())),
        known.complete,
        (*(issue for _, issues in found for issue in issues), *noted, *doses, *about_pulls(known)),
        len(known.reading.set_aside),
    )


def criteria_of_file(path: Path, which: str, fever: str | None = None) -> CriteriaReport:
    """The criteria of every subject of a file of Observations, of whose treatment and diagnosis nothing is known.

    Raises `Misconfigured` for a file that cannot be opened, `Rejected` for one that is no JSON at all.
    """
    _check_which(which)
    asked = _Asked(which, fever or _SETS[which].fever)
    parts, evaluate = _set(asked, {}, None, Diagnosis())
    with results_of_file(path) as read:
        subjects = tuple(
            _told(
                criteria_of_everything(subject, results, parts, evaluate), _patient(subject), None, asked, Diagnosis()
            )
            for subject, results in read.by_subject()
        )
        issues = tuple(read.issues())
    return CriteriaReport(which, subjects, _settings(asked, _EVERY_VALUE, None), issues=issues)


def diagnosis_of(mine: Iterable[Entity], codes: Codes) -> Diagnosis:
    """Which underlying diseases the histories of a subject name, by the trial's map; other terms say nothing of it."""
    table = codes.maps.get(POPULATION_TABLE, {})
    terms = dict.fromkeys(one.term for one in mine if isinstance(one, History) and one.term in table)
    found = {code.code for term in terms for code in table[term]} & _POPULATIONS
    return Diagnosis(frozenset(cast("set[Population]", found)), tuple(terms))


def stated_findings(mine: Iterable[Entity], folder: TrialFolder) -> tuple[list[Result], list[Issue]]:
    """The findings that are items of HLH-2004 alone, as the sites stated them, and those that cannot be read."""
    table = folder.codes.maps.get(ITEM_TABLE, {})
    findings = [one for one in mine if isinstance(one, Finding) and one.test in table]
    codes = replace(folder.codes, maps={**folder.codes.maps, ITEMS_TABLE: table})
    results, issues = recorded_results(findings, replace(folder, codes=codes))
    return [one for one in results if one.name in hlh_2004.STATED_FINDINGS], issues


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which set is wanted, with its setting and the rule of the trial; without a rule every value counts."""

    which: str
    fever: str
    rules: ScoreRules | None = None
    window: str | None = None


def _of_subject(
    subject: Subject, known: Known, folder: TrialFolder, asked: _Asked
) -> tuple[SubjectCriteria, Sequence[Issue]]:
    assert asked.rules is not None
    name, mine = subject.subject, known.entities[subject.subject]
    stated, issues = stated_findings(mine, folder)
    results = [*known.results.get(name, ()), *stated]
    course = course_of(subject, mine, folder, asked.rules)
    diagnosis = diagnosis_of(mine, folder.codes)
    given = [one.treatment for one in mine if isinstance(one, Dose) and one.given]
    parts, evaluate = _set(asked, _treatments(folder.codes, given), course, diagnosis)
    if asked.window == EVERYTHING:
        found = criteria_of_everything(name, results, parts, evaluate, folder.sites[subject.site].zone or UTC)
    else:
        found = criteria_of_subject(name, results, asked.rules, course, parts, evaluate)
    return _told(found, known.patients.get(name), known.marks.get(name), asked, diagnosis), issues


def _set(
    asked: _Asked, treatments: Mapping[str, str], course: Course | None, diagnosis: Diagnosis
) -> tuple[ScoreParts, Evaluate]:
    """What is looked at and how it is evaluated, for one subject."""
    if asked.which == MAS_2016.name:
        return mas_2016.parts(asked.fever), partial(mas_2016.evaluate, diagnosis=diagnosis, fever=asked.fever)
    refuses = not_interpretable_under(treatments, course)
    evaluate = partial(hlh_2004.evaluate, fever=asked.fever, treatment_known=asked.rules is not None)
    return hlh_2004.parts(asked.fever, refuses), evaluate


def _told(
    found: SubjectCriteria, patient: str | None, as_of: str | None, asked: _Asked, diagnosis: Diagnosis
) -> SubjectCriteria:
    """The windows that are wanted, with whose they are and of when."""
    named = diagnosis if asked.which == MAS_2016.name else None
    windows = [one for one in found.windows if asked.window in (None, one.window)]
    told = tuple(replace(one, patient=patient, as_of=as_of, diagnosis=named) for one in windows)
    return replace(found, windows=told)


def _treatments(codes: Codes, given: Sequence[str]) -> dict[str, str]:
    """Items that cannot be interpreted under a treatment, of those that were given; of all when no dose names one."""
    table = codes.maps.get(TREATMENT_TABLE, {})
    words = [word for word in table if not given or word in given]
    return {code.code.replace("-", "_"): word for word in words for code in table[word]}


def _settings(asked: _Asked, values: str, treatments: Mapping[str, str] | None) -> dict[str, object]:
    """What the answers rest on, printed with them."""
    one = _SETS[asked.which]
    limits = {
        part: [f"{limit.relation} {value} {unit}" for unit, value in limit.printed.items()]
        for part, limit in one.limits_with(asked.fever).items()
    }
    under: dict[str, object] = {}
    if asked.which == HLH_2004.name:
        under = {"not_interpretable_under": "treatment unknown" if treatments is None else dict(treatments)}
    return {
        "citation": one.citation,
        "fever": limits["temperature"][0],
        "needed": one.needed,
        "limits": limits,
        "values": values,
        **under,
    }


def _check_which(which: str) -> None:
    if which not in _SETS:
        message = f"no criteria of that name are computed; there are hscore, {', '.join(CRITERIA)}"
        raise Misconfigured(message, Issue("error", "unknown-criteria", message, Where("--criteria")))


def _patient(subject: str) -> str | None:
    return subject if subject.startswith("Patient/") else None
