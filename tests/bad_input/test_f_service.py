"""Group F of the bad-input list over the service: its token, and those of the servers beside it, are told to nobody."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from tests.service.served import FHIR_JSON, SEED, Service, pull, secret_file, serve
from tests.stories.commands import Person

TOKEN = "canary-service-5b1e"
WRONG = "canary-wrong-77c0"
SERVER_TOKEN = "canary-server-9a41"
HEADER = "canary-header-e3d2"
SECRETS = (TOKEN, SERVER_TOKEN, HEADER)

SCORE = "/fhir/Patient/hp-a417/$hscore"
PATHS = (
    "/",
    "/report",
    "/metrics",
    "/openapi.json",
    "/health/live",
    "/health/ready",
    "/fhir/metadata",
    "/fhir/OperationDefinition/hscore",
    SCORE,
    f"{SCORE}?evidence=true",
    "/fhir/Patient/nobody/$hscore",
    "/fhir/Observation/$hscore",
    "/fhir/Patient/$validate",
    "/fhir/nothing",
    "/nothing",
)

PLACES = ("configuration", "file", "environment", "option")


@dataclass(frozen=True)
class Kept:
    """A running service with a secret of every kind, and all it answered."""

    folder: Path
    service: Service
    client: httpx2.Client

    def call(self, method: str, path: str, **more: object) -> str:
        """What came back: head and content."""
        answer = self.client.request(method, path, **more)  # type: ignore[arg-type]
        return f"{answer.status_code} {answer.headers} {answer.text}"

    def files_with(self, secret: str) -> list[str]:
        """The files that hold a secret, but for those where this test put it."""
        put = {"config.yaml", "token.txt"}
        files = [path for path in self.folder.rglob("*") if path.is_file() and path.name not in put]
        return [path.name for path in files if secret.encode() in path.read_bytes()]


@pytest.fixture(params=PLACES)
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kept]:
    """The service with its token from one of the places, and a hospital server's secrets beside it."""
    person = Person.at(tmp_path / "home")
    pull(person, person.home / "state.sqlite", "patients", "results")
    stated = {"configuration": f"token: {TOKEN}", "file": "token_file: token.txt"}.get(request.param, "port: 0")
    secret_file(person.home, TOKEN)
    (person.home / "config.yaml").write_text(
        f"service:\n  {stated}\nservers:\n  hospital:\n    base: https://hospital.invalid/r4\n    role: read\n"
        f"    auth: {{token: {SERVER_TOKEN}}}\n    headers: {{X-Api-Key: {HEADER}}}\n",
        encoding="utf-8",
    )
    options = ("--token-file", "token.txt") if request.param == "option" else ()
    variables = {"FHIR_ADAPTER_SERVICE_TOKEN": TOKEN} if request.param == "environment" else {}
    named = ("--trial", SEED, "--state", "state.sqlite", "--config", "config.yaml", "-v", "-v")
    with (
        serve(person, *named, *options, **variables) as service,
        httpx2.Client(base_url=service.base, timeout=30) as client,
    ):
        yield Kept(person.home, service, client)


def basic(password: str) -> str:
    """What a browser sends."""
    return f"Basic {base64.b64encode(f'anyone:{password}'.encode()).decode()}"


def test_f103_secrets_of_the_service(kept: Kept) -> None:
    """Right, wrong and misplaced tokens, at every address: none comes back, none is logged, none is written."""
    shown: tuple[dict[str, str], ...] = (
        {"Authorization": f"Bearer {TOKEN}"},
        {"Authorization": f"Bearer {WRONG}"},
        {"Authorization": basic(TOKEN)},
        {"Authorization": basic(WRONG)},
        {"Authorization": TOKEN},
        {"Cookie": f"token={TOKEN}", "X-Api-Key": WRONG, "User-Agent": TOKEN, "Referer": f"http://x/?token={TOKEN}"},
        {},
    )
    answers = [kept.call("GET", path, headers=one) for path in PATHS for one in shown]
    assert [answer for answer in answers if answer.startswith("200")] != []
    assert [one for one in (*SECRETS, WRONG) if one in "".join(answers)] == []
    assert kept.service.signalled(15) == 143
    assert [one for one in (*SECRETS, WRONG, basic(TOKEN)) if one in kept.service.err] == []
    assert "answered" in kept.service.err
    assert [kept.files_with(secret) for secret in (*SECRETS, WRONG)] == [[]] * 4


def test_f103_secrets_in_wrong_calls(kept: Kept) -> None:
    """In the address, in the content, as a name, as a method: what is wrong is not repeated, nor logged."""
    right = {"Authorization": f"Bearer {TOKEN}"} | FHIR_JSON
    parameter = {"name": TOKEN, "valueString": WRONG}
    wrong_value = {"resourceType": "Patient", "id": "a b", "birthDate": TOKEN, "gender": WRONG, WRONG: TOKEN}
    answers = [
        kept.call("GET", f"{SCORE}?window={TOKEN}&cutoff={WRONG}", headers=right),
        kept.call("GET", f"{SCORE}?{TOKEN}={WRONG}", headers=right),
        kept.call("GET", f"/fhir/Patient/{TOKEN}/$hscore", headers=right),
        kept.call("GET", f"/fhir/{TOKEN}", headers=right),
        kept.call("GET", f"/{TOKEN}?token={WRONG}", headers=right),
        kept.call(WRONG.upper(), SCORE, headers=right),
        kept.call("POST", SCORE, headers=right, content=json.dumps({"resourceType": TOKEN})),
        kept.call("POST", SCORE, headers=right, content=f'{{"{TOKEN}": "{WRONG}"'),
        kept.call("POST", SCORE, headers=right | {"Content-Type": f"text/{TOKEN}"}, content="{}"),
        kept.call(
            "POST", SCORE, headers=right, content=json.dumps({"resourceType": "Parameters", "parameter": [parameter]})
        ),
        kept.call("POST", "/fhir/Patient/$validate", headers=right, content=json.dumps(wrong_value)),
        kept.call("GET", SCORE, headers={"Host": TOKEN}),
        kept.call("GET", "/metrics", headers=right),
        kept.call("GET", "/openapi.json", headers=right),
    ]
    leaks = {secret: [answer[:80] for answer in answers if secret in answer] for secret in (*SECRETS, WRONG)}
    assert leaks == {secret: [] for secret in (*SECRETS, WRONG)}
    assert kept.service.signalled(15) == 143
    assert [one for one in (*SECRETS, WRONG) if one in kept.service.err] == []


def test_f103_secrets_when_the_service_itself_fails(kept: Kept) -> None:
    """The state is spoilt while it runs: 503 or 500, and neither answer nor log tells a secret, a path or a value."""
    right = {"Authorization": f"Bearer {TOKEN}"}
    for left in kept.folder.glob("state.sqlite*"):
        left.unlink()
    (kept.folder / "state.sqlite").write_text(f"no database {TOKEN}", encoding="utf-8")
    answers = [kept.call(method, path, headers=right) for path in (SCORE, "/report") for method in ("GET", "POST")]
    assert answers[0][:3] in {"500", "503"}
    assert "OperationOutcome" in answers[0]
    assert [one for one in (*SECRETS, str(kept.folder)) if one in "".join(answers)] == []
    assert kept.service.signalled(15) == 143
    assert [one for one in (*SECRETS, "Traceback") if one in kept.service.err] == []


def test_f103_what_identifies_a_person_is_not_logged(kept: Kept) -> None:
    """Nor is the id of a patient, a subject or a value of a call: the log says which kind of call it was."""
    right = {"Authorization": f"Bearer {TOKEN}"} | FHIR_JSON
    kept.call("GET", SCORE, headers=right)
    kept.call("GET", "/fhir/Patient/hp-k233/$hscore", headers=right)
    kept.call("GET", "/fhir/Patient/hp-k233", headers=right)
    kept.call("POST", "/fhir/Patient/$validate", headers=right, content='{"resourceType":"Patient","id":"hp-k233 "}')
    assert kept.service.signalled(15) == 143
    assert [one for one in ("hp-a417", "hp-k233", "S01", "HP00") if one in kept.service.err] == []


@pytest.mark.parametrize(
    "text",
    [
        f"service:\n  token: {TOKEN}\n  token: {WRONG}\n",
        f"service:\n  tokn: {TOKEN}\n",
        f"service:\n  token: [{TOKEN}]\n",
        f"service:\n  token: '{TOKEN} \x7f'\n",
        f"service:\n  token: {{{TOKEN}: {WRONG}}}\n",
        f"service: {TOKEN}\n",
        f"service:\n  port: {TOKEN}\n",
        f"service:\n  token: {TOKEN}\n  token_file: token.txt\n",
        f"service:\n  token: {TOKEN}\n token: [\n",
    ],
)
def test_f103_secrets_in_a_wrong_configuration_of_the_service(tmp_path: Path, text: str) -> None:
    """A mistake beside a secret, or with it in the wrong place, is told without it."""
    person = Person.at(tmp_path / "home")
    (person.home / "config.yaml").write_text(text, encoding="utf-8")
    run = person.runs("serve", "--config", "config.yaml", "-v", "-v")
    assert run.exit_code == 2
    assert "config.yaml" in run.err
    assert [one for one in (TOKEN, WRONG) if one in run.err + run.out] == []
