"""Yes, no, or why it cannot be told: the three answers to whether a code is somewhere, and how they combine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Answer:
    """One of three: yes, no, or neither with the reason."""

    is_yes: bool = False
    is_no: bool = False
    why: str = ""
    """Why it cannot be told; empty for yes and no."""


YES: Final = Answer(is_yes=True)
NO: Final = Answer(is_no=True)


def unknown(why: str) -> Answer:
    """The answer that it cannot be told."""
    return Answer(why=why)


def yes_if(holds: bool) -> Answer:
    """The answer to what is known."""
    return YES if holds else NO


def negated(answer: Answer) -> Answer:
    """The opposite; what cannot be told stays so."""
    if answer.is_yes:
        return NO
    return YES if answer.is_no else answer


def any_of(answers: Iterable[Answer]) -> Answer:
    """Yes when one is yes, no when all are no."""
    result = NO
    for answer in answers:
        if answer.is_yes:
            return YES
        if not answer.is_no and result.is_no:
            result = answer
    return result


def all_of(answers: Iterable[Answer]) -> Answer:
    """No when one is no, yes when all are yes."""
    result = YES
    for answer in answers:
        if answer.is_no:
            return NO
        if not answer.is_yes and result.is_yes:
            result = answer
    return result
