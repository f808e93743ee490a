"""What happens when a transaction took place and its answer did not arrive: no false conflict, no lost edit."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from fhir_adapter import fhirjson
from fhir_adapter.client import loopback_server
from fhir_adapter.issues import Misconfigured
from fhir_adapter.jobs.push import PushOptions, PushReport, push
from fhir_adapter.sync import SyncPlan
from fhir_adapter.trial_folder import TrialFolder, read_trial_folder, trial_path
from tests.stories.sandbox import running

RESULT = "Observation?identifier=CDISC001/ALB/1/2012-11-23T11:20"


def quiet(_plan: SyncPlan) -> Callable[[int], None]:
    return lambda _done: None


@contextmanager
def unreliable(server: str, swallow: Callable[[str, bytes], bool]) -> Iterator[str]:
    """A proxy that passes everything on, and answers 503 instead of the true answer where `swallow` says so."""

    class Proxy(BaseHTTPRequestHandler):
        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            head = {"Content-Type": self.headers.get("Content-Type", "application/fhir+json")}
            answer = httpx2.request(self.command, server + self.path[5:], content=body, headers=head)
            lost = swallow(self.command, body)
            self.send_response(503 if lost else answer.status_code)
            self.send_header("Content-Type", "application/fhir+json")
            self.send_header("Content-Length", str(0 if lost else len(answer.content)))
            self.end_headers()
            self.wfile.write(b"" if lost else answer.content)

        do_GET = do_POST = _pass  # noqa: N815 - the names that the standard library calls

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{proxy.server_port}/fhir"
        proxy.shutdown()


class First:
    """Swallows the answers of the first transactions after it is armed."""

    def __init__(self) -> None:
        self.left = 0

    def __call__(self, _method: str, body: bytes) -> bool:
        """True when this answer is lost."""
        if self.left and b'"type":"transaction"' in body:
            self.left -= 1
            return True
        return False


@pytest.fixture
def trial() -> TrialFolder:
    """The public study."""
    return read_trial_folder(trial_path("cdisc-pilot-18"))


@pytest.fixture
def export(tmp_path: Path, trial: TrialFolder) -> Path:
    """A copy of its files, to be changed."""
    return Path(shutil.copytree(trial.source_folder, tmp_path / "export"))


@pytest.fixture
def swallow() -> First:
    """Which answers are lost; none until it is armed."""
    return First()


@pytest.fixture
def base(swallow: First) -> Iterator[str]:
    """An empty server behind the proxy."""
    with running() as server, unreliable(server, swallow) as address:
        yield address


@pytest.fixture
def run(trial: TrialFolder, export: Path, base: str, tmp_path: Path) -> Callable[..., PushReport]:
    """Push the first subject's export."""

    def pushed(attempts: int = 4, state: str = "state.sqlite") -> PushReport:
        settings = replace(loopback_server(base), attempts=attempts)
        return push(trial, settings, tmp_path / state, PushOptions(source=export, subjects=1), quiet)

    return pushed


def set_cell(export: Path, file: str, row: int, column: str, value: object) -> None:
    """Change one cell of a dataset."""
    document = json.loads((export / file).read_text(encoding="utf-8"))
    place = [one["name"] for one in document["columns"]].index(column)
    document["rows"][row][place] = value
    (export / file).write_text(json.dumps(document), encoding="utf-8")


def standing(base: str) -> dict[str, Any]:
    """The first laboratory result as it stands on the server."""
    entry = fhirjson.loads(httpx2.get(f"{base}/{RESULT}").content)["entry"]
    return dict(entry[0]["resource"])


def test_an_update_whose_answer_was_lost_is_no_conflict(
    run: Callable[..., PushReport], export: Path, base: str, swallow: First
) -> None:
    """The repeated transaction conflicts with itself; its Provenance says that it is done."""
    run()
    set_cell(export, "lb.json", 0, "LBORRES", "4.1")
    swallow.left = 1
    report = run()
    again = run()
    assert report.applied is not None
    assert (report.complete, report.applied.to_dict()["update"], again.requests) == (True, 1, 0)
    assert str(standing(base)["meta"]["versionId"]) == "2"


def test_an_update_that_was_given_up_is_found_in_the_next_run(
    run: Callable[..., PushReport], export: Path, swallow: First
) -> None:
    """All attempts lost their answer: stopped, and the next run sees that it took place."""
    run()
    set_cell(export, "lb.json", 0, "LBORRES", "4.1")
    swallow.left = 1
    stopped = run(attempts=1)
    again = run()
    assert (stopped.outcome, again.complete, again.plan.counts()["unchanged"]) == ("stopped", True, 323)


def test_an_edit_between_a_stop_and_the_next_run_is_kept(
    run: Callable[..., PushReport], export: Path, base: str, swallow: First
) -> None:
    """The recovered version is the one we made, not the one that stands there now."""
    run()
    set_cell(export, "lb.json", 0, "LBORRES", "4.1")
    swallow.left = 1
    run(attempts=1)
    edited = {**standing(base), "status": "entered-in-error"}
    server = urlsplit(base)
    httpx2.post(
        f"{server.scheme}://{server.netloc}/fhir",
        content=fhirjson.dumps(
            {
                "resourceType": "Bundle",
                "type": "transaction",
                "entry": [{"resource": edited, "request": {"method": "PUT", "url": f"Observation/{edited['id']}"}}],
            }
        ),
        headers={"Content-Type": "application/fhir+json"},
    ).raise_for_status()
    set_cell(export, "lb.json", 0, "LBORRES", "4.2")
    report = run()
    assert [issue.code for issue in report.set_aside] == ["edited-on-server"]
    assert (report.plan.counts()["conflict"], standing(base)["status"]) == (1, "entered-in-error")


def test_a_state_from_before_the_last_run_is_no_conflict(
    run: Callable[..., PushReport], export: Path, tmp_path: Path
) -> None:
    """A restored backup: the server already holds what we would send."""
    run()
    shutil.copy(tmp_path / "state.sqlite", tmp_path / "backup.sqlite")
    set_cell(export, "lb.json", 0, "LBORRES", "4.1")
    run()
    restored = run(state="backup.sqlite")
    assert (restored.complete, restored.set_aside) == (True, [])
    assert run(state="backup.sqlite").requests == 0


@pytest.mark.parametrize(
    ("file", "row", "column", "value", "kind"),
    [
        ("ds.json", 0, "DSSTDTC", "2013-02-30", "ResearchSubject"),
        ("ti.json", 40, "IECAT", "Exclusion", "Group"),
        ("ts.json", 4, "TSVAL", "fifty years", "ResearchStudy"),
    ],
)
def test_a_bad_row_leaves_what_is_built_of_many_rows_alone(
    run: Callable[..., PushReport], export: Path, file: str, row: int, column: str, value: str, kind: str
) -> None:
    """A status, a group or a study told in part would overwrite the whole one."""
    run()
    set_cell(export, file, row, column, value)
    report = run()
    assert (report.outcome, report.plan.counts()["update"]) == ("in part", 0)
    assert report.plan.counts()["withdrawn"] == 0
    blocked = {item.name.partition("/")[0] for item in report.plan.of("blocked", "unchanged")}
    assert kind in blocked
    assert report.requests == 0


def test_what_stands_there_whole_can_be_referred_to(run: Callable[..., PushReport], export: Path) -> None:
    """A bad row of the trial summary leaves the study alone, and does not stop the results of its subjects."""
    run()
    set_cell(export, "ts.json", 4, "TSVAL", "fifty years")
    set_cell(export, "lb.json", 0, "LBORRES", "4.1")
    report = run()
    assert (report.outcome, report.plan.counts()["update"]) == ("in part", 1)
    assert {issue.code for issue in report.set_aside} == {"invalid-number"}


def test_a_lost_state_and_a_bad_row_overwrite_nothing_with_a_part(run: Callable[..., PushReport], export: Path) -> None:
    """What is found on the server is left whole, although the ledger does not know it."""
    run()
    set_cell(export, "ti.json", 40, "IECAT", "Exclusion")
    report = run(state="other.sqlite")
    assert (report.plan.counts()["create"], report.plan.counts()["update"]) == (0, 0)


def test_another_namespace_is_refused(
    run: Callable[..., PushReport], trial: TrialFolder, base: str, tmp_path: Path
) -> None:
    """Under it every record would be written a second time."""
    run()
    other = replace(trial, namespace=type(trial.namespace)(int=7))
    with pytest.raises(Misconfigured, match="id_namespace"):
        push(other, loopback_server(base), tmp_path / "state.sqlite", PushOptions(subjects=1), quiet)


def test_a_visit_number_written_otherwise_is_the_same_visit(run: Callable[..., PushReport], export: Path) -> None:
    """1 and 1.0 of a numeric column are one number."""
    run()
    document = json.loads((export / "sv.json").read_text(encoding="utf-8"))
    for row in document["rows"]:
        row[3] = float(row[3])
    (export / "sv.json").write_text(json.dumps(document), encoding="utf-8")
    counts = run().plan.counts()
    assert (counts["create"], counts["withdrawn"], counts["blocked"]) == (0, 0, 0)
