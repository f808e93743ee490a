"""The report as a browser shows it; needs Chromium of the operating system, no download."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhir_adapter.report import render
from tests.report.sample import only

CHROMIUM = Path("/usr/bin/chromium")

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}")

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")

WIDE: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 360, "height": 740},
    "device_scale_factor": 3,
    "is_mobile": True,
    "has_touch": True,
}
SEEN = [
    pytest.param(WIDE, "light", id="wide-light"),
    pytest.param(WIDE, "dark", id="wide-dark"),
    pytest.param(PHONE, "light", id="phone-light"),
    pytest.param(PHONE, "dark", id="phone-dark"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One browser for all tests of this file."""
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=str(CHROMIUM))
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The sample page as a file, with three of its subjects: a course, gaps, a death."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render(only("S01", "S03", "S05")), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def shown(browser: Any, address: str, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The page opened without a network, on the device and in the colours that the test asks for."""
    device, colours = getattr(request, "param", (WIDE, "light"))
    context = browser.new_context(**device, color_scheme=colours, offline=True)
    opened = context.new_page()
    opened.goto(address)
    yield opened
    context.close()


def opened_details(shown: Any) -> Any:
    """The page with all its folded parts open."""
    shown.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    return shown


@pytest.mark.parametrize("shown", [pytest.param(one.values, id=one.id) for one in SEEN], indirect=True)
def test_no_accessibility_violation(shown: Any) -> None:
    """Axe finds nothing, serious or not, whatever the device and the colours, with everything open."""
    found = axe.Axe().run(opened_details(shown)).response["violations"]
    assert [(one["id"], one["impact"], [node["target"] for node in one["nodes"]][:3]) for one in found] == []


@pytest.mark.parametrize("shown", [pytest.param(one.values, id=one.id) for one in SEEN], indirect=True)
def test_the_page_never_scrolls_sideways(shown: Any) -> None:
    """Wide tables scroll inside their own container."""
    wide, window = opened_details(shown).evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert wide == window


@pytest.mark.parametrize("shown", [(PHONE, "light")], indirect=True)
def test_range_charts_fit_a_phone_whole(shown: Any) -> None:
    """No number of a score is hidden behind the edge."""
    wide, inner = shown.evaluate(
        "[...document.querySelectorAll('svg.ranges')].map(one => one.getBoundingClientRect())"
        ".reduce((most, box) => [Math.max(most[0], box.right), window.innerWidth], [0, 0])"
    )
    assert wide <= inner


def test_chinese_is_drawn_with_a_chinese_font(shown: Any) -> None:
    """The browser names the font that it drew the title with."""
    fonts = fonts_of(shown, "h1")
    if not {"WenQuanYi", "Noto", "Source", "PingFang", "Droid"} & {one.split()[0] for one in fonts}:
        pytest.skip(f"no Chinese font on this machine, drawn with {fonts}")
    assert len(fonts) == 2


def fonts_of(shown: Any, selector: str) -> list[str]:
    """The families that the text of a node was drawn with."""
    session = shown.context.new_cdp_session(shown)
    session.send("DOM.enable")
    session.send("CSS.enable")
    root = session.send("DOM.getDocument")["root"]["nodeId"]
    node = session.send("DOM.querySelector", {"nodeId": root, "selector": selector})["nodeId"]
    return [one["familyName"] for one in session.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]]


def test_dark_colours_are_dark(browser: Any, address: str) -> None:
    """The page follows the reader's colours."""
    grounds = {colours: ground(browser, address, colours) for colours in ("light", "dark")}
    assert grounds["light"] > 240
    assert grounds["dark"] < 40


def ground(browser: Any, address: str, colours: str) -> int:
    """How bright the page's ground is."""
    context = browser.new_context(**WIDE, color_scheme=colours, offline=True)
    opened = context.new_page()
    opened.goto(address)
    colour: str = opened.evaluate("getComputedStyle(document.body).backgroundColor")
    context.close()
    return int(colour.removeprefix("rgb(").split(",")[0])


def test_paper_has_a_page_for_each_subject_and_no_navigation(shown: Any) -> None:
    """Printed, every subject begins on a new page."""
    shown.emulate_media(media="print")
    assert not shown.locator("nav").is_visible()
    assert shown.evaluate("getComputedStyle(document.querySelector('.subject')).breakBefore") == "page"


def test_navigation_stays_in_sight(shown: Any) -> None:
    """At the end of the page every subject is one click away."""
    shown.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    assert shown.locator("nav").bounding_box()["y"] == 0


def test_nothing_is_asked_of_a_network(browser: Any, address: str) -> None:
    """The page is one file: the browser asks for nothing else, and complains of nothing."""
    context = browser.new_context(**WIDE)
    opened = context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("console", lambda message: complaints.append(message.text))
    opened.goto(address, wait_until="networkidle")
    context.close()
    assert asked == [address]
    assert complaints == []
