"""How a score changed between two visits: with the marrow, without it, and on what is known at both.

Primary: the marrow left out at both visits, immunosuppression fixed at enrolment, so that it cancels. A death before
the second visit gives no value and counts as "not improved (died)".
"""

from __future__ import annotations

from collections.abc import Sequence

from fhir_adapter.scores.hscore_table import ITEMS
from fhir_adapter.scores.model import Bounds, Change, Direction, HScore, WindowScore

_MARROW = "marrow_hemophagocytosis"
_FIXED = "known_immunosuppression"


def change_between(
    subject: str, names: tuple[str, str], first: WindowScore | None, second: WindowScore | None, notes: Sequence[str]
) -> Change:
    """The change from the first to the second visit; without a value, and with a note, when one has no score."""
    if first is None or second is None:
        missing = " and ".join(name for name, one in zip(names, (first, second), strict=True) if one is None)
        said = (*notes, f"no score at {missing}: no change value")
        return Change(subject, *names, None, None, None, "undetermined", said)
    full = _difference(first.score, second.score, ITEMS)
    without_marrow = _difference(first.score, second.score, [item for item in ITEMS if item != _MARROW])
    common = [item for item in ITEMS if first.score.item(item).known and second.score.item(item).known]
    return Change(
        subject,
        *names,
        full,
        without_marrow,
        _difference(first.score, second.score, common),
        direction_of(full),
        tuple(notes),
    )


def died_before(subject: str, names: tuple[str, str], notes: Sequence[str]) -> Change:
    """No change value: the subject died before the second visit."""
    return Change(subject, *names, None, None, None, "not improved (died)", tuple(notes))


def direction_of(change: Bounds) -> Direction:
    """Improved when certainly lower, worsened when certainly higher; undetermined when the bounds touch 0."""
    if change.low == change.high == 0:
        return "unchanged"
    if change.high < 0:
        return "improved"
    return "worsened" if change.low > 0 else "undetermined"


def _difference(first: HScore, second: HScore, items: Sequence[str]) -> Bounds:
    low = high = 0
    for name in items:
        if name == _FIXED:
            continue  # answered once at enrolment: it cancels, known or not
        before, after = first.item(name), second.item(name)
        low += after.low - before.high
        high += after.high - before.low
    return Bounds(low, high, tuple(items))
