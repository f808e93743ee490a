"""How tests read a page: its words as one line, its pictures as trees."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

from fhir_adapter.report import Page, render

_SVG = re.compile(r"<svg .*?</svg>", re.DOTALL)


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.silent = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent = tag == "style" or self.silent
        if tag == "br" or ("class", "value") in attrs:
            self.said.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self.silent = self.silent and tag != "style"
        if tag in {"span", "div", "td", "th", "p", "li", "dt", "dd"}:
            self.said.append(" ")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.said.append(data)


def words_of(shown: Page) -> str:
    """What a page says, without its style sheet, blanks made single."""
    words = _Words()
    words.feed(render(shown))
    return re.sub(r"\s+", " ", "".join(words.said))


def pictures(shown: Page, kind: str) -> list[ET.Element]:
    """The inline SVG of one kind (`ranges`, `course`), which is well-formed XML too."""
    trees = map(ET.fromstring, _SVG.findall(render(shown)))
    return [one for one in trees if kind in one.attrib["class"].split()]


def drawn(picture: ET.Element, tag: str, style: str = "") -> list[ET.Element]:
    """Its elements of a kind, and of a class when one is named."""
    return [one for one in picture.iter(tag) if not style or one.get("class") == style]
