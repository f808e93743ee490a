"""How the text of a FHIRPath expression becomes a tree (http://hl7.org/fhirpath/grammar.html).

A scanner of one regular expression, and a parser that climbs the precedence of the operators. Texts that are longer or
nested deeper than any real expression are refused before they cost anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import ClassVar, NamedTuple, NoReturn

from fhir_adapter.fhirpath.errors import ExpressionError
from fhir_adapter.fhirpath.quantities import Quantity
from fhir_adapter.fhirpath.temporal import Date, DateTime, Time, parse_date, parse_datetime, parse_time
from fhir_adapter.fhirpath.tree import (
    POWER,
    Binary,
    Call,
    Indexed,
    Literal,
    Member,
    Node,
    Nothing,
    Signed,
    Special,
    TypeName,
    TypeTest,
    Variable,
)

MAX_LENGTH = 65_536
MAX_NESTING = 50
MAX_DIGITS = 256
MAX_CHAIN = 200
"""How many steps and operators one expression may hang behind another (`a.b.c`, `a or b or c`)."""

UNITS = frozenset(
    word + ending
    for word in ("year", "month", "week", "day", "hour", "minute", "second", "millisecond")
    for ending in ("", "s")
)
_TOKENS = re.compile(
    r"""(?P<space>(?:[ \t\r\n\f\u00a0\ufeff]+|//[^\r\n]*|/\*(?s:.)*?\*/)+)
      | (?P<date>@(?:T\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?
            |\d{4}(?:-\d\d(?:-\d\d)?)?(?:T(?:\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?(?:Z|[+-]\d\d:\d\d)?)?)?))
      | (?P<number>\d+(?:\.\d+)?L?)
      | (?P<string>'(?:[^'\\]|\\.)*+')
      | (?P<quoted>`(?:[^`\\]|\\.)*+`)
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<special>\$(?:this|index|total)\b)
      | (?P<sign><=|>=|!=|!~|[-+*/&|<>=~.,%(){}\[\]])""",
    re.VERBOSE | re.ASCII | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_ESCAPED = {"f": "\f", "n": "\n", "r": "\r", "t": "\t"} | {one: one for one in "\\/'\"`"}
_UNFINISHED = {"'": "a string that is never closed", "`": "a name that is never closed"}
_END = "the end"


class Token(NamedTuple):
    """One word, sign or literal of the text, and where it begins."""

    kind: str
    text: str
    position: int


def parse(text: str) -> Node:
    """The tree of an expression; raises `ExpressionError` with the place and what was expected there."""
    return _Parser(scan(text)).whole()


def scan(text: str) -> list[Token]:
    """The tokens of a text without its comments, and one that marks the end."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"an expression of {len(text)} characters: at most {MAX_LENGTH} are read")
    tokens = []
    position = 0
    while position < len(text):
        found = _TOKENS.match(text, position)
        if found is None or found.lastgroup is None:
            _refuse_character(text, position)
        if found.lastgroup != "space":
            if text.startswith("/*", position):
                raise ExpressionError("a comment that is never closed", position)
            tokens.append(Token(found.lastgroup, found[0], position))
        position = found.end()
    tokens.append(Token("end", _END, len(text)))
    return tokens


def _refuse_character(text: str, position: int) -> NoReturn:
    what = _UNFINISHED.get(text[position]) or f"{text[position]!r}, which begins nothing"
    raise ExpressionError(f"character {position + 1}: {what}", position)


class _Parser:
    """Reads tokens from left to right; each method answers the tree of what it read."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._nesting = 0

    def whole(self) -> Node:
        tree = self._expression(0)
        if self._next.kind != "end":
            self._refuse("an operator, or the end of the expression")
        return tree

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _takes(self, sign: str) -> bool:
        if self._next.text == sign and self._next.kind == "sign":
            self._at += 1
            return True
        return False

    def _expect(self, sign: str) -> None:
        if not self._takes(sign):
            self._refuse(f"{sign!r}")

    def _refuse(self, expected: str) -> NoReturn:
        token = self._next
        found = token.text if len(token.text) <= MAX_NESTING else token.text[:MAX_NESTING] + "..."
        where = token.text if token.kind == "end" else f"character {token.position + 1}"
        raise ExpressionError(f"{where}: expected {expected}, found {found}", token.position)

    def _expression(self, least: int) -> Node:
        """An expression whose operators all bind at least that strongly."""
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise ExpressionError(f"nested deeper than {MAX_NESTING} levels", self._next.position)
        left = self._signed()
        for _ in range(MAX_CHAIN):
            operator = self._next
            if operator.kind not in ("sign", "word") or POWER.get(operator.text, -1) < least:
                self._nesting -= 1
                return left
            self._at += 1
            left = self._operation(operator, left)
        raise ExpressionError(f"more than {MAX_CHAIN} operators in one chain", self._next.position)

    def _operation(self, operator: Token, left: Node) -> Node:
        if operator.text in ("is", "as"):
            return TypeTest(operator.position, operator.text, left, self._type_name())
        right = self._expression(POWER[operator.text] + 1)
        return Binary(operator.position, operator.text, left, right)

    def _signed(self) -> Node:
        signs = []
        while self._next.kind == "sign" and self._next.text in "+-":
            signs.append(self._take())
            if len(signs) > MAX_NESTING:
                raise ExpressionError(f"more than {MAX_NESTING} signs in a row", self._next.position)
        tree = self._steps(self._term())
        for token in reversed(signs):
            tree = Signed(token.position, token.text, tree)
        return tree

    def _steps(self, tree: Node) -> Node:
        """What hangs on a term: `.name`, `.function(...)` and `[index]`."""
        for _ in range(MAX_CHAIN):
            position = self._next.position
            if self._takes("."):
                tree = self._invocation(tree)
            elif self._takes("["):
                tree = Indexed(position, tree, self._expression(0))
                self._expect("]")
            else:
                return tree
        raise ExpressionError(f"more than {MAX_CHAIN} steps in one path", self._next.position)

    def _invocation(self, source: Node | None) -> Node:
        token = self._next
        if token.kind == "special" and source is None:
            self._at += 1
            return Special(token.position, token.text)
        name = self._identifier("a name")
        if self._takes("("):
            return Call(token.position, source, name, self._arguments())
        return Member(token.position, source, name)

    def _arguments(self) -> tuple[Node, ...]:
        if self._takes(")"):
            return ()
        found = [self._expression(0)]
        while self._takes(","):
            found.append(self._expression(0))
        self._expect(")")
        return tuple(found)

    def _term(self) -> Node:
        token = self._next
        read = self._TERMS.get(token.kind)
        if read is not None:
            return read(self)
        if self._takes("("):
            tree = self._expression(0)
            self._expect(")")
            return tree
        if self._takes("{"):
            self._expect("}")
            return Nothing(token.position)
        if self._takes("%"):
            return Variable(token.position, self._variable())
        return self._refuse("a name, a value or a parenthesis")

    def _variable(self) -> str:
        if self._next.kind == "string":  # %'vs-name', the older spelling
            return unescaped(self._take())
        return self._identifier("the name of a variable")

    def _word(self) -> Node:
        token = self._next
        if token.text in ("true", "false") and not self._is_called(self._at + 1):
            self._at += 1
            return Literal(token.position, token.text == "true")
        return self._invocation(None)

    def _named(self) -> Node:
        return self._invocation(None)

    def _is_called(self, at: int) -> bool:
        return self._tokens[at].text == "(" and self._tokens[at].kind == "sign"

    def _number(self) -> Node:
        token = self._take()
        text = token.text.removesuffix("L")
        if len(text) > MAX_DIGITS:
            raise ExpressionError(f"a number of {len(text)} digits: at most {MAX_DIGITS} are read", token.position)
        unit = self._unit()
        if unit is not None:
            return Literal(token.position, Quantity(Decimal(text), unit))
        return Literal(token.position, Decimal(text) if "." in text else int(text))

    def _unit(self) -> str | None:
        """The unit of a quantity: a UCUM code in quotes or a word of the calendar right behind its number."""
        token = self._next
        if token.kind == "string":
            return unescaped(self._take())
        if token.kind == "word" and token.text in UNITS:
            return self._take().text
        return None

    def _string(self) -> Node:
        token = self._take()
        return Literal(token.position, unescaped(token))

    def _date(self) -> Node:
        token = self._take()
        text = token.text[1:]
        value: Date | DateTime | Time | None
        if text.startswith("T"):
            value = parse_time(text[1:])
        elif "T" in text:
            value = parse_datetime(text.removesuffix("T"))
        else:
            value = parse_date(text)
        if value is None:
            raise ExpressionError(f"{token.text} is no date or time", token.position)
        return Literal(token.position, value)

    def _identifier(self, expected: str) -> str:
        token = self._next
        if token.kind == "quoted":
            return unescaped(self._take())
        if token.kind != "word":
            self._refuse(expected)
        return self._take().text

    def _type_name(self) -> TypeName:
        position = self._next.position
        parenthesis = self._takes("(")  # `x is (FHIR.Patient)`: some profiles write it
        name = self._identifier("the name of a type")
        namespace = None
        if self._takes("."):
            namespace, name = name, self._identifier("the name of a type")
        if parenthesis:
            self._expect(")")
        return TypeName(position, namespace, name)

    _TERMS: ClassVar[dict[str, Callable[[_Parser], Node]]] = {
        "word": _word,
        "quoted": _named,
        "special": _named,
        "number": _number,
        "string": _string,
        "date": _date,
    }


def unescaped(token: Token) -> str:
    """The text between the quotes of a string or a delimited name."""
    inner = token.text[1:-1]
    if "\\" not in inner:
        return inner
    units = _ESCAPE.sub(lambda found: _escape(found[1], token), inner)
    try:  # two escapes may be the halves of one character
        return units.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError as error:
        what = "half a character (a surrogate without its other half)"
        raise ExpressionError(f"character {token.position + 1}: {what}", token.position) from error


def _escape(written: str, token: Token) -> str:
    if len(written) > 1:
        return chr(int(written[1:], 16))
    known = _ESCAPED.get(written)
    if known is None:
        raise ExpressionError(f"character {token.position + 1}: \\{written} is no escape", token.position)
    return known
