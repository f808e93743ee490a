"""The commands about scores: compute them, of a trial or of a file, explain one, send them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from enum import StrEnum
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
    from fhir_adapter.jobs.criteria import CriteriaReport
    from fhir_adapter.jobs.score import ScoreOptions, ScoreReport
    from fhir_adapter.scores import SubjectScores
    from fhir_adapter.trial_folder import TrialFolder

SHOWN_SUBJECTS = 40
"""How many subjects of a file a table shows; a file may hold thousands."""


class ScoreFormat(StrEnum):
    """How `score` answers on standard output."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class Criteria(StrEnum):
    """What is computed from the results."""

    HSCORE = "hscore"
    HLH_2004 = "hlh-2004"
    MAS_2016 = "mas-2016"


Subject = Annotated[str | None, typer.Option("--subject", help="One subject, by the trial's own number.")]
Window = Annotated[
    str | None, typer.Option("--window", help="One visit of the trial's rule, such as baseline; all: every result.")
]


def _cutoff(text: str) -> int:
    """Points, or the published cut-off of that name."""
    from fhir_adapter.scores import CUTOFF_PRESETS, MAXIMUM  # noqa: PLC0415 - not for --help

    if text in CUTOFF_PRESETS:
        return CUTOFF_PRESETS[text][0]
    if text.isascii() and text.isdigit() and len(text) < len("1000") and int(text) <= MAXIMUM:
        return int(text)
    known = "; ".join(f"{name} ({points}, {source})" for name, (points, source) in CUTOFF_PRESETS.items())
    message = f"neither points from 0 to {MAXIMUM} nor a published cut-off; there are {known}"
    raise typer.BadParameter(message)


Cutoff = Annotated[
    int | None,
    typer.Option(
        "--cutoff",
        parser=_cutoff,
        metavar="POINTS|NAME",
        help=(
            "Points from which a score counts, or a published cut-off: fardet-2014 (169), aosd (120, Zhang 2020), "
            "rheumatic (191, Batu 2017)."
        ),
        show_default="the trial's own",
    ),
]
Which = Annotated[
    Criteria, typer.Option("--criteria", help="HScore, or a companion from the same results: HLH-2004, MAS 2016.")
]


def score_command(
    context: typer.Context,
    trial: Annotated[
        str | None,
        typer.Option("--trial", envvar=f"{PREFIX}TRIAL", help="A trial that comes with the program, or its folder."),
    ] = None,
    subject: Subject = None,
    window: Window = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--input", help="Observations as NDJSON or a Bundle, without any store.", exists=True, dir_okay=False
        ),
    ] = None,
    criteria: Which = Criteria.HSCORE,
    cutoff: Cutoff = None,
    sensitivity: Annotated[
        bool, typer.Option("--sensitivity", help="Show other rules beside the trial's own, never instead of it.")
    ] = False,
    push: Annotated[
        bool, typer.Option("--push", help="Send the scores to --server: each once, a new version when it changed.")
    ] = False,
    server: Annotated[
        str | None,
        typer.Option("--server", envvar=f"{PREFIX}SERVER", help="Where --push sends them: a name or a base URL."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="With --push: show the plan and write nothing.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="With --push: write nothing while anything is set aside.")
    ] = False,
    source: Source = None,
    state: State = None,
    output: Annotated[
        ScoreFormat,
        typer.Option(
            "--format", envvar=f"{PREFIX}FORMAT", help="table for people, json for programs, csv for statisticians."
        ),
    ] = ScoreFormat.TABLE,
    config: Config = None,
    verbose: Verbose = 0,
) -> int:
    """Compute the HScore at every visit, as a range while something is not known, and its change."""
    _check_together(
        {
            "--input with --push": file is not None and push,
            "--criteria with --push": criteria is not Criteria.HSCORE and push,
            "--criteria with --cutoff": criteria is not Criteria.HSCORE and cutoff is not None,
            "--criteria with --sensitivity": criteria is not Criteria.HSCORE and sensitivity,
            "--criteria with --format csv": criteria is not Criteria.HSCORE and output is ScoreFormat.CSV,
            "--push with --cutoff": push and cutoff is not None,
            "--push with --format csv": push and output is ScoreFormat.CSV,
            "--dry-run without --push": dry_run and not push,
            "--strict without --push": strict and not push,
        }
    )
    if file is not None:
        return _score_file(file, window, cutoff, criteria, output)
    folder = _folder(trial)
    options = _options(subject, window, source, cutoff)
    if push:
        return _push(context, folder, state, options, server, output, dry_run=dry_run, strict=strict)
    if criteria is not Criteria.HSCORE:
        return _show_criteria(_criteria(folder, state, options, criteria), output)
    if output is ScoreFormat.CSV:
        return _export(folder, state, options)
    report = _score(folder, state, options)
    if output is ScoreFormat.JSON:
        show.print_json(report.to_dict())
    else:
        show_scores(report.subjects)
        if sensitivity:
            _show_sensitivity(report.subjects)
    _say(report)
    return _exit_code(report)


def explain_command(
    context: typer.Context,
    subject: Annotated[str, typer.Option("--subject", help="The trial's own number, such as S01.")],
    trial: Trial,
    window: Window = None,
    criteria: Which = Criteria.HSCORE,
    cutoff: Cutoff = None,
    source: Source = None,
    state: State = None,
    output: Format = OutputFormat.TABLE,
    config: Config = None,
    verbose: Verbose = 0,
) -> int:
    """Explain a score: every point, its value, its evidence, what was passed over and why."""
    from fhir_adapter.jobs.explain import explain_scores  # noqa: PLC0415
    from fhir_adapter.settings import state_file  # noqa: PLC0415

    del context
    _check_together({"--criteria with --cutoff": criteria is not Criteria.HSCORE and cutoff is not None})
    folder, options = _folder(trial), _options(subject, window, source, cutoff)
    if criteria is not Criteria.HSCORE:
        return _show_criteria(_criteria(folder, state, options, criteria), ScoreFormat(output), in_words=True)
    told = explain_scores(folder, state_file(state, folder.id), options)
    if output is OutputFormat.JSON:
        show.print_json(told.report.to_dict())
    else:
        show.print_lines(told.lines)
    _say(told.report)
    return _exit_code(told.report)


def _check_together(wrong: dict[str, bool]) -> None:
    for what, found in wrong.items():
        if found:
            message = f"{what}: these do not go together"
            raise Misconfigured(message, Issue("error", "options-together", message, Where(what.split()[0])))


def _folder(trial: str | None) -> TrialFolder:
    if trial is None:
        message = "name a trial with --trial, or a file of Observations with --input"
        raise Misconfigured(message, Issue("error", "no-trial", message, Where("--trial")))
    return trial_folder(trial)


def _options(subject: str | None, window: str | None, source: Path | None, cutoff: int | None) -> ScoreOptions:
    from fhir_adapter.jobs.score import ScoreOptions  # noqa: PLC0415

    return ScoreOptions(subject, window, source, cutoff)


def _score(folder: TrialFolder, state: str | None, options: ScoreOptions) -> ScoreReport:
    from fhir_adapter.jobs.score import score  # noqa: PLC0415
    from fhir_adapter.settings import state_file  # noqa: PLC0415

    return score(folder, state_file(state, folder.id), options)


def _say(report: ScoreReport) -> None:
    show.print_issues([issue for one in report.subjects for issue in one.issues], "subjects without a score")
    show.print_issues(report.issues, "remarks")


def _exit_code(report: ScoreReport | CriteriaReport) -> int:
    """In part when something that the scores rest on was set aside or could not be fetched."""
    return 0 if report.complete and not report.rows_set_aside else exit_codes.IN_PART


def _export(folder: TrialFolder, state: str | None, options: ScoreOptions) -> int:
    from fhir_adapter.jobs.adhs import export_scores  # noqa: PLC0415
    from fhir_adapter.settings import state_file  # noqa: PLC0415

    export = export_scores(folder, state_file(state, folder.id), options)
    _write_table(export.text)
    show.print_issues(export.issues, "remarks on the table")
    _say(export.report)
    return _exit_code(export.report)


def _write_table(text: str) -> None:
    """As it is: its line ends are CRLF on every system."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode())


def _push(
    context: typer.Context,
    folder: TrialFolder,
    state: str | None,
    options: ScoreOptions,
    server: str | None,
    output: ScoreFormat,
    *,
    dry_run: bool,
    strict: bool,
) -> int:
    from fhir_adapter.cli.push import PUSH_OUTCOMES, plan_shower, say_how_it_ended  # noqa: PLC0415
    from fhir_adapter.jobs.push_scores import PushScoresOptions, push_scores  # noqa: PLC0415
    from fhir_adapter.settings import state_file  # noqa: PLC0415

    if server is None:
        message = "name the server that --push sends the scores to"
        raise Misconfigured(message, Issue("error", "no-door", message, Where("--server")))
    settings = settings_of(context).server(server)
    as_json = output is ScoreFormat.JSON
    wanted = PushScoresOptions(options.subject, options.window, options.source, dry_run=dry_run, strict=strict)
    shower = plan_shower(None, as_json=as_json)
    report = push_scores(folder, settings, state_file(state, folder.id), wanted, shower)
    if as_json:
        show.print_json({**report.scores.to_dict(), "push": report.to_dict()})
    else:
        show_scores(report.scores.subjects)
    say_how_it_ended(report.push)
    return PUSH_OUTCOMES[report.outcome] or _exit_code(report.scores)


def _criteria(folder: TrialFolder, state: str | None, options: ScoreOptions, which: Criteria) -> CriteriaReport:
    from fhir_adapter.jobs.criteria import criteria  # noqa: PLC0415
    from fhir_adapter.settings import state_file  # noqa: PLC0415

    return criteria(folder, state_file(state, folder.id), options, which)


def _show_criteria(report: CriteriaReport, output: ScoreFormat, *, in_words: bool = False) -> int:
    if output is ScoreFormat.JSON:
        show.print_json(report.to_dict())
    elif in_words:
        show.print_lines(report.lines)
    else:
        show.print_table(report.title, ("subject", *report.windows), report.rows)
        show.hint(report.caution)
    show.print_issues(report.issues, "remarks")
    return _exit_code(report)


def _score_file(file: Path, window: str | None, cutoff: int | None, criteria: Criteria, output: ScoreFormat) -> int:
    if window not in (None, "all"):
        message = "a file of Observations has no visits; leave --window out, or say all"
        raise Misconfigured(message, Issue("error", "unknown-window", message, Where("--window")))
    if criteria is not Criteria.HSCORE:
        from fhir_adapter.jobs.criteria import criteria_of_file  # noqa: PLC0415

        told = criteria_of_file(file, criteria)
        _show_criteria(told, output)
        return _in_part(told.issues)
    if output is ScoreFormat.CSV:
        return _export_file(file, cutoff)
    return _stream_file(file, cutoff, output)


def _export_file(file: Path, cutoff: int | None) -> int:
    from fhir_adapter.jobs.adhs import table_of  # noqa: PLC0415
    from fhir_adapter.jobs.score_observations import score_file  # noqa: PLC0415

    report = score_file(file, cutoff)
    text, remarks = table_of(report.subjects)
    _write_table(text)
    show.print_issues(remarks, "remarks on the table")
    show.print_issues(report.issues, "remarks")
    return _in_part(report.issues)


def _stream_file(file: Path, cutoff: int | None, output: ScoreFormat) -> int:
    """Subject by subject, so that a file may be longer than memory."""
    from fhir_adapter.jobs.score_observations import scoring_of  # noqa: PLC0415

    with scoring_of(file, cutoff) as scoring:
        if output is ScoreFormat.JSON:
            for chunk in scoring.chunks():
                sys.stdout.write(chunk.decode())
            sys.stdout.write("\n")
        else:
            shown = scoring.first(SHOWN_SUBJECTS)
            show_scores(shown)
            if scoring.scored > len(shown):
                more = show.counted(scoring.scored - len(shown), "subjects")
                show.hint(f"... and {more} more; --format json has them all")
        show.print_issue_overview(list(scoring.issues(show.SHOWN_ISSUES)), scoring.kinds(), "remarks")
        return exit_codes.IN_PART if scoring.in_part else 0


def _in_part(issues: Iterable[Issue]) -> int:
    return exit_codes.IN_PART if any(issue.is_error for issue in issues) else 0


def show_scores(subjects: Sequence[SubjectScores]) -> None:
    """The scores as a table: a subject a line, a visit a column, a range wherever something is not known; changes."""
    from fhir_adapter.scores.explain import CAUTION, DIRECTIONS, points, signed  # noqa: PLC0415

    names = list(dict.fromkeys(window.window for one in subjects for window in one.windows))
    rows, changes = [], []
    for one in subjects:
        at = {window.window: points(window.score.low, window.score.high) for window in one.windows}
        if at:
            rows.append([one.subject, *(at.get(name, "-") for name in names)])
        if one.change is not None:
            both = [f"{signed(b.low, b.high)}" if b else "none" for b in (one.change.without_marrow, one.change.full)]
            direction = DIRECTIONS.get(one.change.direction, one.change.direction)
            changes.append([one.subject, *both, direction, "; ".join(one.change.notes)])
    show.print_table("HScore of 337 points; a range where something is not known", ("subject", *names), rows)
    if changes:
        first, second = next((one.change.first, one.change.second) for one in subjects if one.change)
        head = ("subject", "without marrow", "in full", "direction", "to be known")
        show.print_table(f"Change from {first} to {second}; negative is less", head, changes)
    show.hint(CAUTION)


def _show_sensitivity(subjects: Sequence[SubjectScores]) -> None:
    from fhir_adapter.scores.explain import points  # noqa: PLC0415

    windows = [window for one in subjects for window in one.windows]
    rules = list(dict.fromkeys(rule for window in windows for rule, _, _ in window.sensitivity))
    rows = []
    for window in windows:
        others = {rule: points(low, high) for rule, low, high in window.sensitivity}
        own = points(window.score.low, window.score.high)
        rows.append((window.subject, window.window, own, *(others.get(rule, "-") for rule in rules)))
    show.print_table("Other rules, beside the score", ("subject", "visit", "trial's rule", *rules), rows)
