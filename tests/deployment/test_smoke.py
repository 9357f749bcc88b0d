"""When an app that was deployed counts as one that serves."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from chartbuster.errors import Unreachable
from scripts.aws.smoke import Answer, Smoke, ask, resolves

URL = "https://songs.example.com"
OK = Answer(200, "")
NOBODY = Answer(0, "connection refused")
ELSEWHERE = Answer(302, "https://id.example.com/authorize?client_id=x")


@dataclass
class App:
    """Answers each path in turn with what it is given, and with the last for ever after."""

    health: list[Answer]
    ready: list[Answer] = field(default_factory=lambda: [OK])
    seconds: float = 0.0
    asked: list[str] = field(default_factory=list)

    def ask(self, url: str) -> Answer:
        self.asked.append(url)
        answers = self.ready if url == f"{URL}/ready" else self.health
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def rest(self, seconds: float) -> None:
        self.seconds += seconds

    @property
    def smoke(self) -> Smoke:
        return Smoke(self.ask, lambda: self.seconds, self.rest, patience=60)


def test_an_app_that_answers_and_is_ready_serves():
    app = App([OK])

    assert app.smoke.test(URL, expects_model=True) == "the app answers, and can predict"
    assert app.asked == [f"{URL}/_stcore/health", f"{URL}/ready"]
    assert app.seconds == 0


def test_a_slow_start_is_waited_for_and_told_once_each():
    app = App([NOBODY, NOBODY, Answer(503, ""), OK], [Answer(503, ""), OK])
    told: list[str] = []

    app.smoke.test(URL, expects_model=True, progress=told.append)

    assert told == [
        f"{URL}/_stcore/health does not do yet: connection refused",
        f"{URL}/_stcore/health does not do yet: HTTP 503",
        f"{URL}/ready does not do yet: HTTP 503",
    ]


def test_without_a_model_the_app_need_not_be_ready():
    app = App([OK], [Answer(503, "")])

    said = app.smoke.test(URL, expects_model=False)

    assert said == "the app answers; there is no model yet"


@pytest.mark.parametrize(
    ("app", "path"),
    [(App([NOBODY]), "/_stcore/health"), (App([OK], [Answer(503, "")]), "/ready")],
)
def test_an_app_that_never_does_is_a_failure_that_says_what_was_asked(app, path):
    with pytest.raises(Unreachable, match=f"{URL}{path} did not answer 200 within 60 s"):
        app.smoke.test(URL, expects_model=True)

    assert app.seconds >= 60


def test_being_sent_to_sign_in_is_an_answer_only_where_the_load_balancer_asks_for_it():
    said = App([ELSEWHERE]).smoke.test(URL, expects_model=True, signs_in_before=True)

    assert "nobody through who has not signed in" in said
    with pytest.raises(Unreachable, match="HTTP 302"):
        App([ELSEWHERE]).smoke.test(URL, expects_model=True)


def test_a_redirect_on_the_same_host_is_no_sign_in():
    moved = Answer(302, f"{URL}/login")

    with pytest.raises(Unreachable):
        App([moved]).smoke.test(URL, expects_model=True, signs_in_before=True)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/ok":
            self.send_response(200)
        elif self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/ok")
        elif self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "https://elsewhere.invalid/")
        else:
            self.send_response(503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/ok", Answer(200, "")),
        ("/moved", Answer(200, "")),
        ("/away", Answer(302, "https://elsewhere.invalid/")),
        ("/sick", Answer(503, "")),
    ],
)
def test_a_way_within_the_host_is_followed_and_none_away_from_it(server, path, expected):
    assert ask(server + path) == expected


def test_on_this_machine_no_proxy_is_asked(server, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    assert ask(f"{server}/ok").status == 200


def test_nobody_there_is_an_answer_too():
    assert ask("http://127.0.0.1:9/").status == 0


def test_a_name_without_an_address_is_known():
    assert resolves("http://127.0.0.1:1/")
    assert not resolves("https://nowhere.invalid/")
