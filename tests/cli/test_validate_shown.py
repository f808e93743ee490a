"""How findings of `validate` are shown: rules in a table, differences of backends, progress on a terminal."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence

import pytest

from fhir_adapter.cli.validate_shown import JsonShown, OutcomeShown, Progress, Shown, TableShown
from fhir_adapter.issues import Issue, Severity, Source, Where
from fhir_adapter.jobs import validate as job
from fhir_adapter.jobs.validate import Comparison, Tally
from fhir_adapter.jobs.validate_checking import Checked
from fhir_adapter.jobs.validate_documents import Reading

BOTH: tuple[Source, ...] = ("native", "server")


def issue(rule: str, place: int = 1, severity: Severity = "error", source: Source = "native") -> Issue:
    """A finding of this rule in a line."""
    where = Where("a.ndjson", place, "Patient/made-up", f"Patient.{rule}", 7)
    return Issue(severity, "format", "not a right date", where, f"Patient.{rule}", source=source)


def shown_with(shown: Shown, tally: Tally, found: Sequence[Sequence[Issue]], comparison: Comparison | None) -> None:
    """Show what came of each document, as the command does."""
    with shown:
        for line, issues in enumerate(found, 1):
            checked = Checked("a.ndjson", line, None, tuple(issues))
            shown.show(tally.add(checked))
            if comparison is not None:
                comparison.add(checked)


def stopped(shown: Shown, issues: Sequence[Issue]) -> None:
    """A run that a person stops after these."""
    with shown:
        shown.show(issues)
        raise KeyboardInterrupt


def table(found: Sequence[Sequence[Issue]], comparison: Comparison | None = None) -> Tally:
    """The table of what came of each document, on standard output."""
    tally = Tally()
    shown_with(TableShown(tally, comparison), tally, found, comparison)
    return tally


def test_the_worst_and_most_frequent_rules_come_first(capsys: pytest.CaptureFixture[str]) -> None:
    """Each once, with the first three of its places."""
    mild, often, once = issue("mild", severity="warning"), issue("often"), issue("once")

    table([[mild, once], *([issue("often", line)] for line in range(2, 7)), [often]])

    out = capsys.readouterr().out
    assert out.index("Patient.often") < out.index("Patient.once") < out.index("Patient.mild")
    assert [line for line in range(2, 7) if f"a.ndjson:{line}:7" in out] == [2, 3, 4]
    assert out.rstrip().endswith("7 resources: 7 errors, 1 warning, 0 not evaluated")


def test_rules_beyond_a_screenful_are_counted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are told apart, and findings of those that are not."""
    monkeypatch.setattr(job, "MOST_RULES", 60)

    tally = table([[issue(f"r{number}") for number in range(70)]])

    assert (tally.errors, len(tally.rules)) == (70, 60)
    assert "and 10 more rules, 10 findings of others; --format json lists all" in capsys.readouterr().out


def test_nothing_found_needs_no_table(capsys: pytest.CaptureFixture[str]) -> None:
    """One line is enough, and one more where several were asked."""
    comparison = Comparison(BOTH)

    table([[]])
    table([[]], comparison)

    assert capsys.readouterr().out.splitlines() == [
        "1 resource: 0 errors, 0 warnings, 0 not evaluated",
        "native, server: error or no error: the same for 1 resource, not for 0",
        "1 resource: 0 errors, 0 warnings, 0 not evaluated",
    ]


def test_of_many_differences_some_are_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All are counted, programs are told of more; the trial's own rules and what nobody looked at are none."""
    monkeypatch.setattr(job, "MOST_DIFFERENCES", 25)
    comparison = Comparison(BOTH)
    of_trial = Issue("error", "dose-day", "a dose too many", Where(), "rules.dose-day")
    comparison.add(Checked("gone.json", 1, None, (issue("x"),), looked_at=False))

    table([*([issue("birthDate", line)] for line in range(1, 31)), [of_trial]], comparison)

    out = capsys.readouterr().out
    assert "and 10 more places; --format json lists 25" in out
    assert "only native" in out
    assert (comparison.other_verdict, comparison.same_verdict) == (30, 1)


def test_a_run_that_is_stopped_says_that_it_is_not_finished(capsys: pytest.CaptureFixture[str]) -> None:
    """What was found until then is told."""
    tally = Tally()

    with pytest.raises(KeyboardInterrupt):
        stopped(TableShown(tally, None), tally.add(Checked("a", 1, None, (issue("x"),))))

    assert capsys.readouterr().out.rstrip().endswith("0 not evaluated (not finished)")


@pytest.mark.parametrize("form", [TableShown, JsonShown])
def test_a_run_that_never_began_shows_nothing(
    capsys: pytest.CaptureFixture[str], form: type[TableShown | JsonShown]
) -> None:
    """Why it did not is said on standard error."""
    with pytest.raises(KeyboardInterrupt):
        stopped(form(Tally(), None), [])

    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("found", [[], [issue("x")]])
def test_an_outcome_that_is_stopped_is_whole_or_is_not_there(
    capsys: pytest.CaptureFixture[str], found: list[Issue]
) -> None:
    """It is never half a resource."""
    with pytest.raises(KeyboardInterrupt):
        stopped(OutcomeShown(Tally()), found)

    out = capsys.readouterr().out
    assert [len(json.loads(line)["issue"]) for line in out.splitlines()] == [1] * len(found)


def test_an_outcome_says_that_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    """It cannot be empty."""
    with OutcomeShown(Tally()) as shown:
        shown.show([])

    [told] = json.loads(capsys.readouterr().out)["issue"]
    assert (told["severity"], told["code"]) == ("information", "informational")


def test_an_outcome_names_files_that_could_not_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    """Or nobody would know that something was not looked at."""
    tally = Tally()
    unread = Issue("error", "file-unreadable", "the file cannot be read", Where("gone.json", 1))

    with OutcomeShown(tally) as shown:
        shown.show(tally.add(Checked("gone.json", 1, None, (unread,), looked_at=False)))

    [told] = json.loads(capsys.readouterr().out)["issue"]
    assert told["diagnostics"] == "the file cannot be read"


class Terminal(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def test_progress_is_told_on_a_terminal_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five times a second at most, and wiped away at the end."""
    seen = Terminal()
    monkeypatch.setattr("sys.stderr", seen)
    times = iter([0.0, 0.1, 0.3, 0.3, 0.4, 1.0, 1.0])
    tally = Tally(resources=1234, errors=5)

    with Progress(Reading(total=200, done=50), tally, lambda: next(times)) as progress:
        for _ in range(3):
            progress.step()
        progress._reading.total = 0
        progress.step()

    assert seen.getvalue().split("\r\x1b[K") == ["", "1,234 resources, 25 %, 5 errors", "1,234 resources, 5 errors", ""]


def test_progress_is_told_to_nobody_else(capsys: pytest.CaptureFixture[str]) -> None:
    """Standard error that is no terminal is for what went wrong."""
    with Progress(Reading(), Tally(), lambda: 0.0) as progress:
        progress.step()

    assert capsys.readouterr().err == ""
