"""How much is remembered."""

from __future__ import annotations

from fhir_adapter.validation.value_sets.memory import Memory


def test_what_was_kept_is_found() -> None:
    """By its whole key."""
    memory = Memory[int]()
    assert memory.keep(("a", None), 1) == 1
    assert memory.get(("a", None)) == 1
    assert memory.get(("a",)) is None


def test_a_full_memory_begins_anew() -> None:
    """A flood of codes pushes the others out, and is pushed out itself."""
    memory = Memory[int](2)
    for number in range(3):
        memory.keep((str(number),), number)
    assert [memory.get((str(number),)) for number in range(3)] == [None, None, 2]


def test_long_keys_are_not_remembered() -> None:
    """A code may be as long as the resource."""
    memory = Memory[int]()
    assert memory.keep(("a" * 1000,), 1) == 1
    assert memory.get(("a" * 1000,)) is None
