"""What a person sees on the terminal: tables, issues, progress; nothing that a source wrote can move the cursor."""

from __future__ import annotations

import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from fhir_adapter import fhirjson
from fhir_adapter.issues import Issue

if TYPE_CHECKING:
    from fhir_adapter.sync import SyncPlan

SHOWN_ISSUES = 20
SHORT_CELL = 12
"""Columns whose cells are no longer are never broken: half a number is another number."""
_WIDE = 10_000

_MEANINGS = {
    "create": "not on the server yet",
    "update": "changed since we sent it",
    "unchanged": "as we sent it: nothing to do",
    "withdrawn": "no longer in the sources; left on the server",
    "conflict": "changed by somebody else; left as it is",
    "blocked": "set aside, or refers to something set aside",
}


def visible(text: str) -> str:
    """The text with everything invisible written out: control characters, escapes, changes of direction."""
    return "".join(_letter(letter) for letter in text)


def _letter(letter: str) -> str:
    hidden = unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    return f"\\u{ord(letter):04x}" if hidden and letter != "\u200d" else letter


def print_json(value: object) -> None:
    """Write one JSON document to standard output."""
    sys.stdout.write(fhirjson.dumps(value).decode() + "\n")


def print_lines(lines: Iterable[str]) -> None:
    """Lines for the person, on standard output."""
    for line in lines:
        sys.stdout.write(visible(line) + "\n")


def issue_lines(issues: Sequence[Issue]) -> list[str]:
    """One line an issue: where, what, and its stable code; at most a screenful, then how many more."""
    lines = [
        f"{f'{issue.where}: ' if str(issue.where) else ''}{issue.message} [{issue.code}]"
        for issue in issues[:SHOWN_ISSUES]
    ]
    rest = Counter(issue.code for issue in issues[SHOWN_ISSUES:])
    if rest:
        more = ", ".join(f"{count} {code}" for code, count in rest.most_common())
        lines.append(f"and {sum(rest.values())} more ({more}); --format json lists all")
    return lines


def hint(text: str) -> None:
    """A line for the person, on standard error."""
    sys.stderr.write(visible(text) + "\n")


def print_table(title: str, head: Sequence[str], rows: Iterable[Sequence[object]], *, to_stderr: bool = False) -> None:
    """A table as wide as the terminal allows, numbers to the right; short cells stay whole on the narrowest one."""
    from rich.cells import cell_len  # noqa: PLC0415 - only when a table is shown
    from rich.console import Console  # noqa: PLC0415
    from rich.measure import Measurement  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(title=title, title_justify="left", title_style="bold")
    body = [list(row) for row in rows]
    for place, name in enumerate(head):
        right = bool(body) and all(isinstance(row[place], int) for row in body)
        widest = max((cell_len(_cell(row[place])) for row in body), default=0)
        # A heading may be broken between its words; of a cell the least width keeps it whole.
        least = widest if widest <= SHORT_CELL else None
        table.add_column(name, justify="right" if right else "left", overflow="fold", min_width=least)
    for row in body:
        table.add_row(*(Text(_cell(cell)) for cell in row))
    console = Console(stderr=to_stderr, highlight=False)
    wide = Console(width=_WIDE)
    needed = Measurement.get(wide, wide.options, table).minimum
    console.width = max(console.width, needed)
    console.print(table)


def _cell(value: object) -> str:
    return visible(f"{value:,}" if isinstance(value, int) else str(value))


def print_plan(plan: SyncPlan, *, to_stderr: bool = False) -> None:
    """The plan by resource type and action, and what was set aside."""
    counts: dict[str, Counter[str]] = {}
    for item in plan.items:
        counts.setdefault(item.name.partition("/")[0], Counter())[item.action] += 1
    actions = [action for action in _MEANINGS if any(count[action] for count in counts.values())]
    rows = [[name, *(count[action] for action in actions)] for name, count in counts.items()]
    rows.append(["in all", *(sum(count[action] for count in counts.values()) for action in actions)])
    print_table("Plan", ["resource", *actions], rows, to_stderr=to_stderr)
    for action in actions:
        hint(f"  {action}: {_MEANINGS[action]}")


def counted(number: int, what: str) -> str:
    """How many there are of something that is named in the plural: `1 remark`, `2 remarks on the table`."""
    first, *others = what.split(" ")
    return " ".join([str(number), first.removesuffix("s") if number == 1 else first, *others])


def print_issues(issues: Sequence[Issue], what: str) -> None:
    """Issues on standard error, under a line that counts them."""
    if issues:
        hint(f"{counted(len(issues), what)}:")
        for line in issue_lines(issues):
            hint(f"  {line}")


def print_issue_overview(first: Sequence[Issue], kinds: Mapping[str, int], what: str) -> None:
    """The first issues on standard error, and how many there are of each code where there are more."""
    hidden = sum(kinds.values()) - len(first[:SHOWN_ISSUES])
    if first:
        hint(f"{counted(sum(kinds.values()), what)}:")
        for line in issue_lines(first[:SHOWN_ISSUES]):
            hint(f"  {line}")
    if hidden > 0:
        hint(f"  ... and {hidden} more; in all " + ", ".join(f"{count} {code}" for code, count in kinds.items()))


def progress_bar(total: int) -> Callable[[int], None]:
    """A bar on standard error when that is a terminal; otherwise nothing."""
    if not sys.stderr.isatty() or total == 0:
        return lambda _done: None
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (TextColumn("writing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    progress = Progress(*columns, console=Console(stderr=True), transient=True)
    progress.start()
    task = progress.add_task("writing", total=total)

    def advance(done: int) -> None:
        progress.advance(task, done)
        if progress.finished:
            progress.stop()

    return advance
