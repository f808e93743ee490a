"""Answers that were given before, up to a number: a resource may ask for any code, and there may be many resources."""

from __future__ import annotations

from typing import Final, Generic, TypeVar

_MOST: Final = 20_000
_LONGEST: Final = 200

Value = TypeVar("Value")


class Memory(Generic[Value]):
    """Values by texts. When it is full it begins anew, so that what is asked daily finds its place again."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._values: dict[tuple[str | None, ...], Value] = {}
        self.get = self._values.get
        """The value that is remembered, or None."""

    def keep(self, key: tuple[str | None, ...], value: Value) -> Value:
        """Remember a value, unless its key is too long."""
        if sum(len(each) for each in key if each) <= _LONGEST * len(key):
            if len(self._values) >= self._most:
                self._values.clear()
            self._values[key] = value
        return value
