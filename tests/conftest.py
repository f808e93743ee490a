"""What all tests share: a FHIR server that answers as a test says, and the trial made of three subjects."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import httpcore2
import pytest
import respx
from hypothesis import HealthCheck, settings
from respx.mocks import HTTPCoreMocker

from tests.stories.commands import MEASURED_RUNS

BASE = "https://fhir.test/r4"
PROFILE = "TESTS_HYPOTHESIS_PROFILE"
"""The variable that names hypothesis's settings, where they are to be others than those of all tests."""

settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a machine may be slow
settings.load_profile(os.environ.get(PROFILE, "tests"))


class HTTPCore2Mocker(HTTPCoreMocker):
    """respx for httpx2, whose transport is httpcore2."""

    name = "httpcore2"
    targets = [target.replace("httpcore.", "httpcore2.", 1) for target in HTTPCoreMocker.targets]  # noqa: RUF012

    @classmethod
    def from_sync_httpx_response(cls, httpx_response: Any, target: Any, **kwargs: Any) -> Any:  # noqa: ARG003
        """The answer in httpcore2's own class."""
        return httpcore2.Response(
            status=httpx_response.status_code,
            headers=httpx_response.headers.raw,
            content=httpx_response.stream,
            extensions=httpx_response.extensions,
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """A test that is marked `unmeasured` runs without the function that measures coverage, several times as fast."""
    if item.get_closest_marker("unmeasured") is None:
        return (yield)
    tracer = sys.gettrace()
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(tracer)


@pytest.fixture
def fhir_mock() -> Iterator[respx.MockRouter]:
    """A FHIR server at `BASE` that answers what the test says, and nothing else."""
    with respx.mock(using="httpcore2", base_url=BASE) as router:
        yield router


@pytest.fixture(autouse=True)
def _own_surroundings(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's own configuration, state or logs; its runs are measured where it says so."""
    if request.node.get_closest_marker("measured_runs"):
        monkeypatch.setenv(MEASURED_RUNS, "1")
    for name in [name for name in os.environ if name.startswith("FHIR_ADAPTER_") and name != "FHIR_ADAPTER_SHARED"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("CONFIG", "STATE", "DATA", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / "home" / name.lower()))
