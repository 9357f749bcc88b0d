"""Programs ask as JSON, and are told everything that is wrong with what they ask."""

import asyncio
import dataclasses
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from chartbuster import layout
from chartbuster.answers import Answer
from chartbuster.errors import Unreachable
from chartbuster.memory import InMemoryStore
from chartbuster.outlooks import OUTLOOK
from chartbuster.ports import ObjectInfo
from chartbuster.records import to_json
from chartbuster.songs import AUDIO
from tests.unit.webapp_store import model_key, published
from webapp.api.asked import MOST_BYTES, MOST_EXPLAINED, MOST_SONGS
from webapp.api.http import Workers
from webapp.api.problems import Problem
from webapp.api.routes import routes
from webapp.headers import SecurityHeaders, security_headers
from webapp.serving import Serving
from webapp.states import Shown


class Absent(InMemoryStore):
    """A store that does not answer."""

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        raise Unreachable(f"no answer for {prefix}")


def serving_over(store: InMemoryStore) -> Serving:
    serving = Serving(store)
    serving.refresh()
    return serving


def client_over(serving: Serving) -> TestClient:
    app = Starlette(routes=routes(serving), middleware=[Middleware(SecurityHeaders)])
    return TestClient(app, raise_server_exceptions=False)


@pytest.fixture(scope="module")
def store() -> InMemoryStore:
    store = InMemoryStore()
    published(store)
    published(store, dataset="other", run_id="run2", model="boosting", genre="Polka")
    return store


@pytest.fixture(scope="module")
def serving(store: InMemoryStore) -> Serving:
    return serving_over(store)


@pytest.fixture(scope="module")
def api(serving: Serving) -> TestClient:
    return client_over(serving)


def predict(api: TestClient, *songs: Any, **more: Any) -> Any:
    return api.post("/api/predict", json={"songs": list(songs), **more})


def problem(response: Any, status: int) -> dict[str, Any]:
    """The problem in an answer, which is one as RFC 9457 has it."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = response.json()
    assert found["status"] == status
    assert found["type"].startswith("urn:chartbuster:problem:")
    return found


def shown(serving: Serving, dataset: str = "demo", run: str = "run1") -> Shown:
    return serving.run(dataset, run)


def test_a_song_is_answered_as_the_page_answers_it(api, serving):
    song = {"genre": "Pop", "energy": 0.3, "title": "Song (Live)", "artist": "Nobody"}

    answer = predict(api, song).json()

    assert {k: v for k, v in answer.items() if k != "songs"} == {
        "dataset": "demo",
        "synthetic": True,
        "run_id": "run1",
        "model": shown(serving).model,
        "interval": 0.9,
        "hit_from": answer["hit_from"],
    }
    (said,) = answer["songs"]
    study = serving.study(shown(serving), shown(serving).model, song)
    assert study.sureness is not None
    assert said["popularity"] == round(study.popularity, 1)
    assert said["low"] == round(study.sureness.low, 1)
    assert said["high"] == round(study.sureness.high, 1)
    assert said["hit_probability"] == round(study.sureness.hit, 4)
    assert said["percentile"] == round(study.sureness.percentile, 1)
    assert said["artist_known"] is False
    assert answer["hit_from"] == study.sureness.hit_from
    assert "explanation" not in said


def test_many_songs_are_answered_in_their_order_as_each_would_be_alone(api):
    songs = [{"energy": n / MOST_SONGS, "genre": ["Pop", "Rock"]} for n in range(MOST_SONGS)]

    answers = predict(api, *songs, model="boosting").json()["songs"]

    assert len(answers) == MOST_SONGS
    for n in (0, 500, MOST_SONGS - 1):
        assert predict(api, songs[n], model="boosting").json()["songs"] == [answers[n]]


def test_what_was_assumed_is_told_and_what_was_given_is_not(api, serving):
    (said,) = predict(api, {"genre": "Pop", "energy": 0.3, "key": None}).json()["songs"]

    defaults = shown(serving).run.inputs.genre_defaults["Pop"]
    assert said["assumed"]["tempo"] == defaults["tempo"]
    assert said["assumed"]["key"] == defaults["key"]
    assert not {"energy", "genre", "title"} & said["assumed"].keys()


def test_an_explanation_adds_up_and_is_there_only_where_asked_for(api):
    for said in predict(api, {"genre": "Pop", "energy": 0.1}, {}, explain=True).json()["songs"]:
        told = said["explanation"]
        points = sum(part["points"] for part in told["contributions"])
        assert told["base"] + points == pytest.approx(told["prediction"], abs=0.02)
        assert told["prediction"] == pytest.approx(said["popularity"], abs=0.06)
        assert told["why"][0].startswith("a typical song")


def test_dataset_run_and_model_can_be_chosen(api):
    assert predict(api, {}, dataset="other").json()["model"] == "boosting"
    assert predict(api, {}, dataset="other", model="linear").json()["model"] == "linear"
    answer = predict(api, {"genre": "Polka"}, dataset="other", run="run2", model=None).json()
    assert (answer["dataset"], answer["run_id"], answer["synthetic"]) == ("other", "run2", False)


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ({"dataset": "gone"}, "dataset 'gone' has no champion; those that have one: demo, other"),
        ({"dataset": "x" * 500}, "xxx"),
        ({"model": "oracle"}, "no model 'oracle'; expected one of baseline, linear, boosting"),
        ({"run": "0123456789abcdef"}, "0123456789abcdef"),
        ({"run": "../../secrets"}, "secrets"),
        ({"run": "run2"}, "no run 'run2'"),
    ],
)
def test_what_is_not_there_is_not_found(api, named, says):
    found = problem(predict(api, {}, **named), 404)

    assert says in found["detail"]
    assert len(found["detail"]) < 400


def test_everything_wrong_with_every_song_is_told(api):
    found = problem(
        predict(
            api,
            {"energy": 3, "genre": ["Pop", "Gabber"], "tempo": 100},
            {"energy": 0.5},
            {"key": "H", "popularity": 50},
        ),
        422,
    )

    assert found["detail"].startswith(
        "4 things are wrong in 2 of the songs; the first: energy is 3"
    )
    errors = {error["pointer"]: error for error in found["errors"]}
    assert errors.keys() == {
        "/songs/0/energy",
        "/songs/0/genre",
        "/songs/2/key",
        "/songs/2/popularity",
    }
    assert errors["/songs/0/energy"] == {
        "pointer": "/songs/0/energy",
        "song": 0,
        "attribute": "energy",
        "value": 3,
        "expected": "a number from 0 to 1",
        "detail": "energy is 3, which is out of range; expected 0 to 1",
    }
    assert errors["/songs/0/genre"]["value"] == "Gabber"
    assert "Pop" in errors["/songs/0/genre"]["expected"]
    assert errors["/songs/2/popularity"]["song"] == 2


def test_a_genre_that_another_dataset_has_is_unknown_to_this_one(api):
    assert problem(predict(api, {"genre": "Polka"}), 422)["errors"][0]["value"] == "Polka"


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ([], [""]),
        ("songs", [""]),
        ({}, ["/songs"]),
        ({"songs": None}, ["/songs"]),
        ({"songs": []}, ["/songs"]),
        ({"songs": {"genre": "Pop"}}, ["/songs"]),
        ({"songs": [{}, 4, "x"]}, ["/songs/1", "/songs/2"]),
        ({"songs": [{}], "song": {}, "a/b~c": 1}, ["/song", "/a~1b~0c"]),
        ({"songs": [{}], "dataset": 7, "model": [], "run": {}}, ["/dataset", "/model", "/run"]),
        ({"songs": [{}], "explain": "yes"}, ["/explain"]),
        ({"songs": [{}], "explain": None}, ["/explain"]),
        ({"songs": [{}] * (MOST_SONGS + 1)}, ["/songs"]),
        ({"songs": [{}] * (MOST_EXPLAINED + 1), "explain": True}, ["/songs"]),
    ],
)
def test_a_body_of_another_shape_is_told_what_shape(api, body, pointers):
    found = problem(api.post("/api/predict", json=body), 422)

    assert [error["pointer"] for error in found["errors"]] == pointers
    assert all(error["expected"] for error in found["errors"])


def posted(api: TestClient, body: bytes | Iterator[bytes], **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return api.post(
        "/api/predict", content=body, headers={"content-type": "application/json", **named}
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"songs": [{"energy": NaN}]}',
        b'{"songs": [{"energy": -Infinity}]}',
        b'{"songs": [{"title": "\xff"}]}',
        b'{"songs": [{"title": "\\ud800"}]}',
        b'{"songs": [{"\\udfff": 1}]}',
        '{"songs": [{}]}'.encode("utf-16"),
        b"[" * 100_000,
        b'{"songs": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        b'{"songs": [{"energy": 1' + b"0" * 5_000 + b"}]}",
    ],
)
def test_what_is_no_json_is_refused(api, body):
    assert problem(posted(api, body), 400)["type"].endswith("malformed-json")


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1e300", "1" + "0" * 400])
def test_a_number_too_large_for_anything_is_out_of_range(api, number):
    found = problem(posted(api, b'{"songs": [{"energy": %s}]}' % number.encode()), 422)

    assert found["errors"][0]["attribute"] == "energy"


def test_long_values_are_cut_short_in_what_is_told(api):
    answer = predict(
        api, {"key": "x" * 100_000, "title": "y" * 100_000, "z" * 100_000: 1, "genre": "g" * 9_999}
    )

    assert len(problem(answer, 422)["errors"]) == 4
    assert len(answer.content) < 5_000


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "application/json; charset=latin-1",
        "",
    ],
)
def test_a_form_cannot_ask(api, kind):
    assert (
        "expected application/json"
        in problem(posted(api, b'{"songs": [{}]}', content_type=kind), 415)["detail"]
    )


def test_json_may_say_its_charset_but_not_come_packed(api):
    assert posted(
        api, b'{"songs": [{}]}', content_type='Application/JSON; charset="UTF-8"'
    ).is_success
    problem(posted(api, b"\x1f\x8b", content_encoding="gzip"), 415)


def test_a_body_is_read_no_further_than_its_limit_whatever_length_it_claims(api):
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 50 * MOST_BYTES:
            sent += 100_000
            yield b" " * 100_000

    assert "larger than 1,000,000 bytes" in problem(posted(api, endless()), 413)["detail"]
    body = b'{"songs": [{}]}'
    assert posted(api, body + b" " * (MOST_BYTES - len(body))).is_success
    problem(posted(api, body + b" " * (MOST_BYTES - len(body) + 1)), 413)


def test_other_methods_are_told_which_are_answered(api):
    for path, allowed in (
        ("/api/predict", "POST, OPTIONS"),
        ("/api/model", "GET, HEAD, OPTIONS"),
        ("/api/openapi.json", "GET, HEAD, OPTIONS"),
    ):
        for method in ("PUT", "DELETE", "PATCH", "TRACE"):
            answer = api.request(method, path)
            problem(answer, 405)
            assert answer.headers["allow"] == allowed
        options = api.options(path)
        assert (options.status_code, options.headers["allow"]) == (204, allowed)
        assert "access-control-allow-origin" not in options.headers
    problem(api.get("/api/predict"), 405)
    assert api.head("/api/model").status_code == 200


def test_an_address_there_is_not_is_no_page(api):
    for path in ("/api/", "/api/predict/", "/api/v2/predict"):
        problem(api.get(path), 404)
        problem(api.post(path), 404)


def test_every_answer_has_the_security_headers_and_none_sets_a_cookie(api):
    for answer in (
        predict(api, {}),
        predict(api, 4),
        api.get("/api/model"),
        api.get("/api/openapi.json"),
        api.get("/api/nothing"),
        api.delete("/api/model"),
        api.options("/api/predict"),
    ):
        assert all(answer.headers[name] == value for name, value in security_headers().items())
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("store", "kind"),
    [(Absent(), "store-away"), (InMemoryStore(), "no-champion")],
    ids=["away", "empty"],
)
def test_while_there_is_no_model_a_program_is_told_to_come_back(store, kind):
    api = client_over(serving_over(store))

    for answer in (predict(api, {}), api.get("/api/model")):
        assert problem(answer, 503)["type"].endswith(kind)
        assert int(answer.headers["retry-after"]) > 0
    described = api.get("/api/openapi.json").json()
    assert (
        "enum" not in described["components"]["schemas"]["Song"]["properties"]["genre"]["anyOf"][0]
    )


def test_before_the_store_was_read_a_program_is_told_to_come_back():
    assert problem(predict(client_over(Serving(InMemoryStore())), {}), 503)["type"].endswith(
        "connecting"
    )


def test_damage_in_the_store_is_named_and_the_rest_goes_on():
    store = InMemoryStore()
    run = published(store)
    store.write(model_key(run, "linear"), b"not the model")
    store.write("champions/broken.json", b"{cut")
    api = client_over(serving_over(store))

    assert problem(predict(api, {}, model="linear"), 503)["type"].endswith("damaged")
    assert problem(predict(api, {}, dataset="broken"), 503)["type"].endswith("damaged")
    assert problem(api.get("/api/model?dataset=broken"), 503)
    assert predict(api, {}, model="boosting").is_success
    assert api.get("/api/openapi.json").is_success


def test_a_run_older_than_outlooks_predicts_without_saying_how_sure_it_is():
    store = InMemoryStore()
    run = published(store)
    files = {name: entry for name, entry in run.files.items() if name != OUTLOOK}
    store.write(layout.run_manifest(run.run_id), to_json(dataclasses.replace(run, files=files)))

    answer = predict(client_over(serving_over(store)), {}).json()

    assert (answer["interval"], answer["hit_from"]) == (None, None)
    assert answer["songs"][0]["popularity"] > 0
    assert answer["songs"][0]["low"] is None


class Failing(Serving):
    """An app that fails in a way nobody thought of."""

    def answers(
        self, shown: Shown, model: str, songs: Sequence[Mapping[str, Any]], *, explain: bool = False
    ) -> tuple[Answer, ...]:
        raise RuntimeError("a secret")


def test_a_failure_nobody_thought_of_says_nothing_of_its_cause(store, caplog):
    serving = Failing(store)
    serving.refresh()

    answer = predict(client_over(serving), {})

    problem(answer, 500)
    assert "secret" not in answer.text
    assert "request_failed" in caplog.text


def test_a_model_tells_what_a_song_may_be_and_how_good_it_is(api, serving):
    told = api.get("/api/model").json()
    run = shown(serving).run

    assert told["datasets"] == ["demo", "other"]
    assert told["champion"]["model"] == run.best
    assert [entry["name"] for entry in told["models"] if entry["asked_first"]] == [run.best]
    assert told["models"][1]["new_artists"]["mae"] == run.models[1].deciding_mae
    energy = next(each for each in told["inputs"]["numbers"] if each["name"] == "energy")
    assert (energy["minimum"], energy["maximum"]) == (0, 1)
    assert energy["seen"]["default"] == run.inputs.audio["energy"].default
    assert told["inputs"]["genres"] == list(run.inputs.genres)
    assert "release_year" not in [each["name"] for each in told["inputs"]["numbers"]]


def test_a_model_of_another_dataset_or_run_is_told_on_request(api):
    assert api.get("/api/model?dataset=other").json()["run_id"] == "run2"
    assert api.get("/api/model?dataset=other&run=run2").json()["dataset"] == "other"
    problem(api.get("/api/model?dataset=gone"), 404)
    problem(api.get("/api/model?dataset="), 404)
    problem(api.get("/api/model?run=gone"), 404)


def test_the_description_has_the_bounds_and_its_example_is_answered(api):
    told = api.get("/api/openapi.json").json()

    song = told["components"]["schemas"]["Song"]["properties"]
    for attribute in AUDIO:
        bounds = song[attribute.name]
        assert (bounds["minimum"], bounds["maximum"]) == (attribute.low, attribute.high)
    assert "Polka" in song["genre"]["anyOf"][0]["enum"]
    content = told["paths"]["/api/predict"]["post"]["requestBody"]["content"]
    assert api.post("/api/predict", json=content["application/json"]["example"]).is_success
    assert told["paths"].keys() == {"/api/predict", "/api/model", "/api/openapi.json", "/ready"}


def test_a_burst_waits_for_a_few_threads_and_the_loop_goes_on():
    async def burst() -> tuple[list[int], int]:
        workers, go, working = Workers(), threading.Event(), []

        def work() -> int:
            working.append(threading.get_ident())
            assert go.wait(20)
            return 1

        asks = [asyncio.create_task(workers.do(work)) for _ in range(34)]
        while len(working) < 2:
            await asyncio.sleep(0.01)
        with pytest.raises(Problem) as refused:
            await workers.do(work)
        assert refused.value.status == 503
        assert refused.value.headers["Retry-After"] == "1"
        go.set()
        done = await asyncio.gather(*asks)
        assert await workers.do(work) == 1, "whoever asks later is answered again"
        return done, len(set(working))

    # On a thread of its own: where browsers are driven, this one has a loop already.
    with ThreadPoolExecutor(1) as beside:
        done, threads = beside.submit(asyncio.run, burst()).result()

    assert (sum(done), threads) == (34, 2)
