"""The story of `validate`: documents are checked one after the other, and counted by the rules that they break."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from fhir_adapter.issues import Issue, Source, Where
from fhir_adapter.jobs.validate_checking import FIRST_PLACES, MOST_RULES, Checked, Checking, opened
from fhir_adapter.jobs.validate_documents import Document
from fhir_adapter.validation.run import NOT_EVALUATED

RuleKey = tuple[str, str, str, str]


@dataclass(slots=True)
class Broken:
    """One rule: how often it was broken, where first, and in which words."""

    issue: Issue
    count: int = 0
    places: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Tally:
    """What a run has found so far, in memory that does not grow with it."""

    resources: int = 0
    errors: int = 0
    warnings: int = 0
    not_evaluated: int = 0
    set_aside: list[Issue] = field(default_factory=list)
    rules: dict[RuleKey, Broken] = field(default_factory=dict)
    rules_left_out: int = 0

    def add(self, checked: Checked) -> list[Issue]:
        """Count what came of a document; the issues that are to be told one by one.

        What was not evaluated is told once for each rule: of a million results of one code there is one thing to say.
        """
        if checked.unread:
            self.set_aside += checked.issues
            return []
        self.resources += checked.looked_at
        return [issue for issue in checked.issues if self._counted(issue)]

    def _counted(self, issue: Issue) -> bool:
        told = issue.code != NOT_EVALUATED
        if issue.is_error:
            self.errors += 1
        elif not told:
            self.not_evaluated += 1
        elif issue.severity == "warning":
            self.warnings += 1
        key = (issue.severity, issue.code, issue.rule or ("" if told else issue.message), issue.source)
        broken = self.rules.get(key)
        if broken is None:
            if len(self.rules) >= MOST_RULES:
                self.rules_left_out += 1
                return told
            broken = self.rules[key] = Broken(issue)
        broken.count += 1
        if len(broken.places) < FIRST_PLACES:
            broken.places.append(_place(issue.where))
        return told or broken.count == 1

    def counts(self) -> dict[str, object]:
        """The summary, as JSON."""
        return {
            "resources": self.resources,
            "errors": self.errors,
            "warnings": self.warnings,
            "not_evaluated": self.not_evaluated,
            "set_aside": [issue.to_dict() for issue in self.set_aside],
        }


def _place(where: Where) -> str:
    """Where in a file, as editors write it; the resource where there is no file."""
    return str(replace(where, resource=None, expression=None)) if where.file else str(where)


def validate(
    documents: Iterable[Document], checking: Checking, jobs: int, tell: Callable[[Sequence[Issue]], None]
) -> Generator[Checked]:
    """Check documents, in order, by so many processes; `tell` hears what in the packages could not be read.

    What the rules of the trial say of all of them together comes last. Raises `Misconfigured` for packages, profiles or
    backends that are not there, `Retriable` when a backend is gone.
    """
    checked = _checked(documents, checking, jobs, tell)
    if checking.trial is None:
        yield from checked
        return
    from fhir_adapter.jobs.validate_trial import TrialRules  # noqa: PLC0415 - for who asks for them

    rules = TrialRules(checking.trial)
    for one in checked:
        rules.add(one.notes)
        yield one
    yield Checked(checking.trial.id, 1, None, tuple(rules.issues()), looked_at=False)


def _checked(
    documents: Iterable[Document], checking: Checking, jobs: int, tell: Callable[[Sequence[Issue]], None]
) -> Generator[Checked]:
    if jobs > 1:
        from fhir_adapter.jobs.validate_parallel import checked_in_parallel  # noqa: PLC0415 - for who asks for it

        yield from checked_in_parallel(documents, checking, jobs, tell)
        return
    with opened(checking) as checker:
        tell(checker.problems)
        for document in documents:
            yield checker.check(document)


# Where backends differ


@dataclass(frozen=True, slots=True)
class Difference:
    """One place of one resource where some backends find an error and others do not."""

    where: str
    found_by: tuple[Source, ...]
    messages: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """Its JSON form."""
        return {"where": self.where, "found_by": list(self.found_by), "messages": list(self.messages)}


MOST_DIFFERENCES: Final = 1_000


@dataclass(slots=True)
class Comparison:
    """Where backends agree that there is an error, and where not; the verdict on a resource is error or no error."""

    backends: tuple[Source, ...]
    same_verdict: int = 0
    other_verdict: int = 0
    places: Counter[tuple[Source, ...]] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)
    differences_left_out: int = 0

    def add(self, checked: Checked) -> None:
        """Compare what the backends say of one resource."""
        if not checked.looked_at or checked.unread:
            return
        errors = [issue for issue in checked.issues if issue.is_error and not _is_of_trial(issue)]
        blamed_by = {issue.source for issue in errors}
        if blamed_by and blamed_by != set(self.backends):
            self.other_verdict += 1
        else:
            self.same_verdict += 1
        at: dict[str, list[Issue]] = {}
        for issue in errors:
            at.setdefault(issue.where.expression or "", []).append(issue)
        for issues in at.values():
            self._place(issues)

    def _place(self, issues: Sequence[Issue]) -> None:
        by = tuple(source for source in self.backends if any(issue.source == source for issue in issues))
        self.places[by] += 1
        if by == self.backends:
            return
        if len(self.differences) >= MOST_DIFFERENCES:
            self.differences_left_out += 1
            return
        messages = tuple(dict.fromkeys(issue.message for issue in issues))
        self.differences.append(Difference(str(issues[0].where), by, messages))

    def to_dict(self) -> dict[str, object]:
        """Its JSON form."""
        return {
            "backends": list(self.backends),
            "same_verdict": self.same_verdict,
            "other_verdict": self.other_verdict,
            "places": [{"found_by": list(by), "count": count} for by, count in self.places.most_common()],
            "differences": [one.to_dict() for one in self.differences],
            "differences_left_out": self.differences_left_out,
        }


def _is_of_trial(issue: Issue) -> bool:
    """Whether a rule of the trial was broken, which nobody else was asked about."""
    return (issue.rule or "").startswith("rules.")
