"""The commands about results: pull them, score them, explain a score, write the report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fhir_adapter.cli import exit_codes, show
from fhir_adapter.cli.options import (
    PREFIX,
    Config,
    Format,
    OutputFormat,
    Source,
    State,
    Trial,
    Verbose,
    settings_of,
    trial_folder,
)
from fhir_adapter.issues import Issue, Misconfigured, Where

if TYPE_CHECKING:
    from fhir_adapter.jobs.score import ScoreReport
    from fhir_adapter.scores import SubjectScores

Window = Annotated[
    str | None, typer.Option("--window", help="One visit of the trial's rule, such as baseline; all: every result.")
]
Cutoff = Annotated[
    int | None,
    typer.Option("--cutoff", min=0, max=337, help="Points from which a score counts.", show_default="the trial's own"),
]
_PULL_OUTCOMES = {
    "done": 0,
    "in part": exit_codes.IN_PART,
    "refused": exit_codes.REFUSED,
    "stopped": exit_codes.SURROUNDINGS,
}


def pull_command(
    context: typer.Context,
    trial: Trial,
    server: Annotated[
        str | None,
        typer.Option(
            "--server", envvar=f"{PREFIX}SERVER", help="A server's name in the configuration, or its base URL."
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="NDJSON or a Bundle instead of a server.", exists=True, dir_okay=False)
    ] = None,
    source: Source = None,
    state: State = None,
    output: Format = OutputFormat.TABLE,
    config: Config = None,
    verbose: Verbose = 0,
) -> int:
    """Fetch each subject's results from the hospital, keep them as received, and say what cannot be used."""
    from fhir_adapter.jobs.pull import PullOptions, pull  # noqa: PLC0415
    from fhir_adapter.settings import state_file  # noqa: PLC0415

    if (file is None) == (server is None):
        message = "name either a server or a file to pull from"
        raise Misconfigured(message, Issue("error", "no-door", message, Where("--server")))
    folder = trial_folder(trial)
    settings = settings_of(context).server(server) if server is not None else None
    report = pull(folder, settings, state_file(state, folder.id), PullOptions(file=file, source=source))
    told = report.to_dict()
    if output is OutputFormat.JSON:
        show.print_json(told)
    else:
        names = ("fetched", "new", "changed", "withdrawn", "measurements", "findings", "review")
        show.print_table("Pull", names, [[told[name] for name in names]])
        items = [(one.subject, one.kind, one.reference, one.why) for one in report.review_items]
        if items:
            show.print_table("To be reviewed by a person", ("subject", "what", "result", "why"), items)
    show.print_issues(report.set_aside, "not used")
    show.print_issues(report.why_incomplete, "reasons why this pull is incomplete")
    return _PULL_OUTCOMES[report.outcome]


def score_command(
    context: typer.Context,
    trial: Annotated[
        str | None,
        typer.Option("--trial", envvar=f"{PREFIX}TRIAL", help="A trial that comes with the program, or its folder."),
    ] = None,
    subject: Annotated[str | None, typer.Option("--subject", help="One subject, by the trial's own number.")] = None,
    window: Window = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--input", help="Observations as NDJSON or a Bundle, without any store.", exists=True, dir_okay=False
        ),
    ] = None,
    cutoff: Cutoff = None,
    sensitivity: Annotated[
        bool, typer.Option("--sensitivity", help="Show other rules beside the trial's own, never instead of it.")
    ] = False,
    source: Source = None,
    state: State = None,
    output: Format = OutputFormat.TABLE,
    config: Config = None,
    verbose: Verbose = 0,
) -> int:
    """Compute the HScore at every visit, as a range while something is not known, and its change."""
    del context
    if file is not None:
        return _score_file(file, window, cutoff, output)
    report = _score(trial, subject, window, cutoff, source, state)
    if output is OutputFormat.JSON:
        show.print_json(report.to_dict())
    else:
        show_scores(report.subjects)
        if sensitivity:
            _show_sensitivity(report.subjects)
    show.print_issues([issue for one in report.subjects for issue in one.issues], "subjects without a score")
    show.print_issues(report.issues, "remarks")
    return _exit_code(report)


def _exit_code(report: ScoreReport) -> int:
    """In part when something that the scores rest on was set aside or could not be fetched."""
    return 0 if report.complete and not report.rows_set_aside else exit_codes.IN_PART


def explain_command(
    context: typer.Context,
    subject: Annotated[str, typer.Option("--subject", help="The trial's own number, such as S01.")],
    trial: Trial,
    window: Window = None,
    cutoff: Cutoff = None,
    source: Source = None,
    state: State = None,
    output: Format = OutputFormat.TABLE,
    config: Config = None,
    verbose: Verbose = 0,
) -> int:
    """Explain a score: every point, its value, its evidence, what was passed over and why."""
    from fhir_adapter.scores.explain import explain  # noqa: PLC0415

    del context
    report = _score(trial, subject, window, cutoff, source, state)
    if output is OutputFormat.JSON:
        show.print_json(report.to_dict())
    else:
        for one in report.subjects:
            for scored in one.windows:
                change = one.change if one.change and one.change.second == scored.window else None
                show.print_lines([*explain(scored, change, complete=report.complete), ""])
    show.print_issues([*(issue for one in report.subjects for issue in one.issues), *report.issues], "remarks")
    return _exit_code(report)


def report_command(
    context: typer.Context,
    trial: Trial,
    out: Annotated[Path, typer.Option("--out", help="The HTML file to write.")],
    source: Source = None,
    state: State = None,
    output: Format = OutputFormat.TABLE,
    config: Config = None,
    verbose: Verbose = 0,
) -> int:
    """Write the page that a clinician opens: scores, courses, evidence, what is missing, in one HTML file."""
    from fhir_adapter.jobs.report import ReportOptions, write_report  # noqa: PLC0415
    from fhir_adapter.settings import state_file  # noqa: PLC0415

    del context
    folder = trial_folder(trial)
    path = write_report(folder, state_file(state, folder.id), out, ReportOptions(source=source))
    if output is OutputFormat.JSON:
        show.print_json({"report": str(path)})
    else:
        show.hint(f"Report: {path}")
    return 0


def _score(
    trial: str | None,
    subject: str | None,
    window: str | None,
    cutoff: int | None,
    source: Path | None,
    state: str | None,
) -> ScoreReport:
    from fhir_adapter.jobs.score import ScoreOptions, score  # noqa: PLC0415
    from fhir_adapter.settings import state_file  # noqa: PLC0415

    if trial is None:
        message = "name a trial with --trial, or a file of Observations with --input"
        raise Misconfigured(message, Issue("error", "no-trial", message, Where("--trial")))
    folder = trial_folder(trial)
    return score(folder, state_file(state, folder.id), ScoreOptions(subject, window, source, cutoff))


def _score_file(file: Path, window: str | None, cutoff: int | None, output: OutputFormat) -> int:
    from fhir_adapter.jobs.score_observations import score_file  # noqa: PLC0415

    if window not in (None, "all"):
        message = "a file of Observations has no visits; leave --window out, or say all"
        raise Misconfigured(message, Issue("error", "unknown-window", message, Where("--window")))
    report = score_file(file, cutoff)
    if output is OutputFormat.JSON:
        show.print_json(report.to_dict())
    else:
        show_scores(report.subjects)
    show.print_issues(report.issues, "not used")
    return exit_codes.IN_PART if any(issue.is_error for issue in report.issues) else 0


def show_scores(subjects: tuple[SubjectScores, ...]) -> None:
    """The scores as a table: a subject a line, a visit a column, a range wherever something is not known; changes."""
    from fhir_adapter.scores.explain import CAUTION, points, signed  # noqa: PLC0415

    names = list(dict.fromkeys(window.window for one in subjects for window in one.windows))
    rows, changes = [], []
    for one in subjects:
        at = {window.window: points(window.score.low, window.score.high) for window in one.windows}
        if at:
            rows.append([one.subject, *(at.get(name, "-") for name in names)])
        if one.change is not None:
            both = [f"{signed(b.low, b.high)}" if b else "none" for b in (one.change.without_marrow, one.change.full)]
            changes.append([one.subject, *both, one.change.direction, "; ".join(one.change.notes)])
    show.print_table("HScore of 337 points; a range where something is not known", ("subject", *names), rows)
    if changes:
        first, second = next((one.change.first, one.change.second) for one in subjects if one.change)
        head = ("subject", "without marrow", "in full", "direction", "to be known")
        show.print_table(f"Change from {first} to {second}; negative is less", head, changes)
    show.hint(CAUTION)


def _show_sensitivity(subjects: tuple[SubjectScores, ...]) -> None:
    from fhir_adapter.scores.explain import points  # noqa: PLC0415

    windows = [window for one in subjects for window in one.windows]
    rules = list(dict.fromkeys(rule for window in windows for rule, _, _ in window.sensitivity))
    rows = []
    for window in windows:
        others = {rule: points(low, high) for rule, low, high in window.sensitivity}
        own = points(window.score.low, window.score.high)
        rows.append((window.subject, window.window, own, *(others.get(rule, "-") for rule in rules)))
    show.print_table("Other rules, beside the score", ("subject", "visit", "the trial's rule", *rules), rows)
