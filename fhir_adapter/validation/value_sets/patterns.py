"""Whether a text has the form of a regular expression that somebody else wrote, in bounded time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fhir_adapter.validation.value_sets.answers import Answer, unknown, yes_if

if TYPE_CHECKING:
    import regex

_SECONDS: Final = 0.05
_MOST_FAILURES: Final = 3
"""After so many texts that took too long, a pattern is not tried again: a resource could hold thousands."""

_MOST_CHARACTERS: Final = 1_000


class Pattern:
    """One pattern of a package; a text must have its form as a whole."""

    def __init__(self, written: str) -> None:
        self._written = written
        self._compiled: regex.Pattern[str] | None = None
        self._failures = 0

    def matches(self, value: str) -> Answer:
        """Whether a text has the form."""
        if self._failures >= _MOST_FAILURES or len(self._written) > _MOST_CHARACTERS:
            return unknown("its pattern takes too long to try")
        import regex  # noqa: PLC0415 - 20 ms that only value sets with a pattern pay

        try:
            self._compiled = self._compiled or regex.compile(self._written)
            return yes_if(self._compiled.fullmatch(value, timeout=_SECONDS) is not None)
        except TimeoutError:
            self._failures += 1
            return unknown("its pattern takes too long to try")
        except (regex.error, OverflowError, RecursionError, MemoryError):
            self._failures = _MOST_FAILURES
            return unknown("its pattern cannot be read")
