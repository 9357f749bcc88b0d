"""What people come for, in a browser, nothing replaced: LocalStack, Lambda, trainer and app.

Every AWS call is written down meanwhile, and in the end held against `tests/deployment/calls.json`.
"""

import csv
import io
import json
import re
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Locator, Page, expect

from chartbuster import layout as keys
from chartbuster.demo import as_csv, generate
from chartbuster.ports import Depth
from compose.layout import Layout, Ports
from compose.programs import Program, programs
from scripts.aws.checks.rights import as_text, by_statement, calls_of
from scripts.aws.checks.sources import CALLS, read
from scripts.status import queues_of
from tests.chromium import Visit
from tests.ecs_agent import OFF, ON, Agent, listening
from tests.emulator import ROOT, Emulator
from tests.integration.whole_stack import WholeStack, brought_up
from tests.recording.calls import needs_in, recording
from tests.waiting import until
from webapp import links

pytestmark = pytest.mark.integration

type Open = Callable[..., Page]

# In milliseconds. Soon is what the app does by itself; the others wait for the stack, on a machine
# that may have other things to do.
SOON = 15_000
PREPARED = 60_000
TRAINED = 150_000
# An event that fails is tried three times, 5 and 10 seconds apart, before it is set aside.
SET_ASIDE = 120_000


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the stack's LocalStack writes every call down."""
    return tmp_path_factory.mktemp("calls") / "calls.jsonl"


@pytest.fixture(scope="module")
def agent() -> Iterator[Agent]:
    """What the trainer takes for the agent of an ECS task it runs in."""
    with listening() as made:
        yield made


@pytest.fixture(scope="module")
def stack(
    tmp_path_factory: pytest.TempPathFactory, calls: Path, agent: Agent
) -> Iterator[WholeStack]:
    """One stack for the whole module, up with the demo catalogue; every journey leaves it well."""

    def consists_of(layout: Layout, ports: Ports) -> tuple[Program, ...]:
        return tuple(
            replace(each, environment={**each.environment, "ECS_AGENT_URI": agent.uri})
            if each.name == "trainer"
            else each
            for each in recording(programs(layout, ports), calls)
        )

    with brought_up(tmp_path_factory.mktemp("journeys"), consists_of) as made:
        yield made


@pytest.fixture
def opened(stack: WholeStack, visit: Callable[..., Visit]) -> Iterator[Open]:
    """Opens a page of the app, by its path or by a link, in a browser nobody used before.

    In the end none of them complained, and none asked another host for anything.
    """
    url = f"http://127.0.0.1:{stack.ports.web}"
    visits: list[Visit] = []

    def open_(address: str = "/") -> Page:
        visits.append(visit(address if address.startswith(url) else url + address))
        return visits[-1].page

    yield open_
    assert [each.complaints for each in visits] == [[] for _ in visits]
    assert {host for each in visits for host in each.hosts} <= {url.removeprefix("http://")}


def number(page: Page) -> str:
    """The predicted popularity alone: `42.9`."""
    said = page.get_by_role("status").filter(has_text="of 100")
    said.wait_for()
    return re.sub(r"\s*of 100", "", said.inner_text()).strip()


def source(page: Page) -> str:
    """The model, dataset and run the number comes from."""
    return page.locator(".cb-source").inner_text()


def press(control: Locator, *presses: str) -> None:
    control.focus()
    for key in presses:
        control.press(key)


def controls(page: Page) -> dict[str, str | None]:
    """What every slider of a page is at, by its label."""
    return {
        slider.get_attribute("aria-label") or "": slider.get_attribute("aria-valuetext")
        for slider in page.get_by_role("slider").all()
    }


def copied_link(page: Page, *says: str) -> str:
    """The link a page shows, once it says all there is to say."""
    code = page.get_by_test_id("stCode").locator("code")
    for said in says:
        expect(code).to_contain_text(said, timeout=SOON)
    return code.inner_text()


def test_a_prediction_made_by_keyboard_is_shared_as_a_link(opened: Open):
    mine = opened()
    before = number(mine)
    moved = {
        name: mine.get_by_role("slider", name=name)
        for name in ("Acousticness", "Danceability", "Tempo")
    }
    press(moved["Acousticness"], "Home")
    press(moved["Danceability"], "End", "ArrowLeft", "ArrowLeft")
    press(moved["Tempo"], "Home", "PageUp")
    press(mine.get_by_role("radio", name="Random forest"), "Space")
    expect(mine.locator(".cb-source")).to_contain_text("Random forest", timeout=SOON)
    press(mine.get_by_role("button", name="Link"), "Enter")
    said = [f"{name.lower()}={float(each.input_value()):g}" for name, each in moved.items()]
    link = copied_link(mine, *said, "dataset=demo", "model=forest")
    mine.keyboard.press("Escape")
    assert number(mine) != before

    theirs = opened(link)

    assert number(theirs) == number(mine)
    assert source(theirs) == source(mine)
    until(lambda: controls(theirs) == controls(mine), seconds=15, what="the same controls")
    expect(theirs.get_by_role("radio", name="Random forest")).to_be_checked()


def test_a_song_of_the_uploaded_file_is_found_and_shown_beside_its_real_popularity(
    stack: WholeStack, opened: Open
):
    songs = pd.read_csv(stack.layout.demo_catalogue)
    song = songs.drop_duplicates("track_name", keep=False).iloc[0]
    page = opened()
    number(page)

    press(page.get_by_role("button", name="Known song"), "Enter")
    page.get_by_role("searchbox").fill(f"{song.track_name} {song.artist_name}")
    found = page.locator(".st-key-found button")
    expect(found).to_have_count(1, timeout=SOON)
    expect(found).to_contain_text(f"{song.track_name} · {song.artist_name}")
    press(found, "Enter")

    expect(page.get_by_role("dialog")).to_have_count(0)
    beside = page.locator(".cb-key")
    expect(beside).to_contain_text(f"really {song.popularity:.0f}", timeout=SOON)
    expect(beside).to_contain_text(song.track_name)
    expect(page.get_by_role("combobox", name="Genre")).to_have_value(song.genre)
    assert 0 <= float(number(page)) <= 100


def test_a_song_goes_from_predict_to_compare_and_the_comparison_on_as_a_link(opened: Open):
    mine = opened()
    before = number(mine)
    press(mine.get_by_role("slider", name="Acousticness"), "End")
    expect(mine.locator(".cb-number")).not_to_have_text(f"{before} of 100", timeout=SOON)
    song = number(mine)
    mine.get_by_role("link", name="Compare variants").click()
    scores = mine.locator(".cb-score")
    expect(scores).to_have_text([re.compile(rf"{song} of 100")] * 2, timeout=SOON)

    press(mine.get_by_role("slider", name="Energy of B"), "Home")
    expect(scores.nth(1)).not_to_contain_text(f"{song} of 100", timeout=SOON)
    expect(scores.nth(0)).to_contain_text(f"{song} of 100")
    mine.get_by_text("Show the link").click()

    theirs = opened(copied_link(mine, "energy%3D0", "dataset=demo"))

    expect(theirs.locator(".cb-score")).to_have_text(scores.all_inner_texts(), timeout=SOON)
    until(lambda: controls(theirs) == controls(mine), seconds=15, what="the same controls")
    come_from = re.compile("^Dataset demo, 20,000 songs")
    expect(theirs.get_by_text(come_from)).to_have_text(mine.get_by_text(come_from).inner_text())


def test_a_file_is_scored_and_what_comes_back_is_whole_and_harmless(opened: Open):
    songs = generate(40, seed=11).drop(columns="popularity")
    songs["energy"] = songs["energy"].astype(object)
    songs.loc[0, "track_name"] = '=HYPERLINK("http://evil.example","here")'
    songs.loc[1, "artist_name"] = "@SUM(A1:A9)"
    songs.loc[2, "energy"] = "loud"
    songs.loc[3, "energy"] = 17.0
    page = opened("/batch")
    choose_file(page, "mine.csv", as_csv(songs))

    expect(page.get_by_text("38 of 40 rows can be scored, 2 cannot")).to_be_visible(timeout=SOON)
    expect(page.get_by_role("cell", name="energy is not 0 to 1")).to_be_visible()
    expect(page.get_by_role("heading", name="Results")).to_have_count(0)
    page.get_by_role("button", name="Score 38 songs").click()
    expect(page.get_by_text("38 scored, 2 rejected")).to_be_visible(timeout=SOON)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download as CSV", exact=True).click()

    assert waiting.value.suggested_filename.startswith("mine.demo.")
    body = waiting.value.path().read_bytes().decode("utf-8-sig")
    scored = list(csv.DictReader(io.StringIO(body)))
    assert [row["track_id"] for row in scored] == list(songs["track_id"])
    assert scored[0]["track_name"] == """'=HYPERLINK("http://evil.example","here")"""
    assert scored[1]["artist_name"] == "'@SUM(A1:A9)"
    assert [row["reason"] for row in scored[2:4]] == [
        "energy is 'loud', expected 0 to 1",
        "energy is '17.0', expected 0 to 1",
    ]
    good = scored[:2] + scored[4:]
    assert not any(row["reason"] for row in good)
    assert all(
        0 <= float(row["low"]) <= float(row["popularity"]) <= float(row["high"]) <= 100
        for row in good
    )


def test_a_promotion_reaches_a_page_that_is_open_and_a_rollback_takes_it_back(
    stack: WholeStack, opened: Open
):
    champion = stack.registry.champion("demo")
    assert champion is not None
    watching, deciding = opened(), opened("/models")
    number(watching)
    before = source(watching)

    decide(deciding, "Promote", "heard it, likes it")

    expect(watching.get_by_text("A new champion:")).to_be_visible(timeout=SOON)
    now = watching.locator(".cb-source")
    expect(now).not_to_have_text(before)
    expect(now).to_contain_text(", the champion")
    promoted = stack.registry.champion("demo")
    assert promoted is not None
    assert promoted.model != champion.model
    assert promoted.reason == "heard it, likes it"

    decide(deciding, "Roll back", "too kind to opera")

    expect(now).to_have_text(before, timeout=SOON)
    newest = deciding.locator(".cb-history li")
    expect(newest.nth(0)).to_contain_text("Returned to", timeout=SOON)
    expect(newest.nth(0)).to_contain_text("too kind to opera")
    expect(newest.nth(1)).to_contain_text("Promoted")
    expect(newest.nth(1)).to_contain_text("heard it, likes it")
    after = stack.registry.champion("demo")
    assert after is not None
    assert after.is_model(champion.run_id, champion.model)


def decide(page: Page, what: str, reason: str) -> None:
    page.get_by_role("button", name=f"{what}…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill(reason)
    dialog.get_by_role("button", name=what).click()
    expect(dialog).to_have_count(0, timeout=SOON)


def test_a_file_sent_on_pipeline_is_watched_until_predict_offers_its_champion(opened: Open):
    predict, page = opened(), opened("/pipeline")
    assert "watched" not in source(predict)

    send(page, "watched", "my songs é.csv", as_csv(generate(2_000, seed=71)))

    upload = page.locator(".cb-upload").filter(has_text="watched / my songs é.csv")
    heard = page.get_by_role("status").filter(has_text="watched / my songs é.csv")
    expect(upload).to_contain_text(re.compile(r"Prepared.*2,000 songs"), timeout=PREPARED)
    expect(heard).to_contain_text("in training", timeout=PREPARED)
    bar = page.get_by_role("progressbar", name="The run at the trainer")
    expect(bar).to_be_visible(timeout=SOON)
    far = bar.get_attribute("value") or ""
    expect(bar).not_to_have_attribute("value", far, timeout=TRAINED)
    expect(heard).to_contain_text("trained", timeout=TRAINED)
    expect(bar).to_have_count(0, timeout=SOON)
    expect(upload).to_contain_text(re.compile("Trained.*Champion"))

    box = predict.get_by_role("combobox", name="Dataset")
    expect(box).to_be_visible(timeout=SOON)
    box.fill("watched")
    predict.get_by_role("option", name="watched").click()
    expect(predict.locator(".cb-source")).to_contain_text("watched", timeout=SOON)
    assert 0 <= float(number(predict)) <= 100


def test_letters_say_why_and_go_once_they_are_dealt_with(stack: WholeStack, opened: Open):
    page = opened("/pipeline")
    uploads, trainings = tray(page, "Uploads"), tray(page, "Trainings")
    expect(uploads).to_contain_text("No letters", timeout=SOON)
    expect(trainings).to_contain_text("No letters")
    body = as_csv(generate(300, seed=72))

    send(page, "mended", "songs.csv", body.replace(b"popularity", b"loudness of crowd", 1))
    stack.running.sqs.send_message(
        QueueUrl=stack.running.outputs["QueueUrl"], MessageBody="<b>not a job</b>"
    )

    upload = page.locator(".cb-upload").filter(has_text="mended / songs.csv")
    expect(upload).to_contain_text(re.compile("Refused.*popularity"), timeout=PREPARED)
    expect(trainings).to_contain_text("<b>not a job</b>", timeout=PREPARED)
    expect(trainings).to_contain_text("not JSON")
    expect(uploads).to_contain_text("mended/songs.csv", timeout=SET_ASIDE)
    expect(uploads).to_contain_text("popularity")

    send(page, "mended", "songs.csv", body)
    expect(upload).to_contain_text(re.compile("Prepared.*300 songs"), timeout=PREPARED)
    uploads.get_by_role("button", name="Redrive").click()
    expect(uploads).to_contain_text("The file was prepared since, so the letter is gone")
    trainings.get_by_role("button", name="Discard").click()
    page.get_by_role("button", name="Discard for good").click()

    expect(trainings).to_contain_text("Discarded.")
    expect(trainings).to_contain_text("No letters")
    expect(uploads).to_contain_text("No letters")
    expect(upload).to_contain_text(re.compile("Trained.*Champion"), timeout=TRAINED)
    depths = queues_of(stack.running)
    for name in ("create_data dead letters", "train dead letters"):
        assert depths[name]() == Depth(waiting=0, in_hand=0)


def test_what_was_cut_short_is_asked_for_again_and_leaves_nothing_behind(
    stack: WholeStack, opened: Open
):
    running = stack.running
    key = keys.RawKey("resumed", "more.csv")
    earlier = stack.upload(keys.RawKey("resumed", "songs.csv"), as_csv(generate(300, seed=73)))
    until(lambda: stack.decided("resumed", earlier), what="the champion", seconds=TRAINED / 1000)
    upload = stack.upload(key, as_csv(generate(300, seed=74)))
    until(lambda: stack.decided("resumed", earlier, upload), what="the run", seconds=TRAINED / 1000)
    (run,) = stack.runs_of(earlier, upload)
    lost = keys.attempt_prefix(run.run_id, run.attempt)
    # As if the Lambda and the trainer had been killed just before their last step.
    running.ready.delete(key.current)
    running.artifacts.delete(keys.run_manifest(run.run_id))
    running.artifacts.delete(keys.champion("resumed"))
    assert list(running.artifacts.list(lost))
    event = {"Records": [{"s3": {"object": {"key": str(key)}}}]}
    letter = {"requestPayload": event, "responsePayload": {"errorMessage": "killed"}}
    table = {"Records": [{"s3": {"object": {"key": key.prepared(upload, keys.READY)}}}]}
    for queue, body in (("LambdaDeadLetterQueueUrl", letter), ("TrainDeadLetterQueueUrl", table)):
        running.sqs.send_message(QueueUrl=running.outputs[queue], MessageBody=json.dumps(body))

    page = opened("/pipeline")
    uploads, trainings = tray(page, "Uploads"), tray(page, "Trainings")
    uploads.get_by_role("button", name="Redrive").click(timeout=PREPARED)
    expect(uploads).to_contain_text("put again", timeout=SOON)
    until(lambda: running.ready.etag(key.current) is not None, what="the upload to be current")
    trainings.get_by_role("button", name="Redrive").click(timeout=PREPARED)
    expect(trainings).to_contain_text("Back in the training queue", timeout=SOON)

    until(lambda: stack.decided("resumed", earlier, upload), what="the run", seconds=TRAINED / 1000)
    (again,) = stack.runs_of(earlier, upload)
    assert again.run_id == run.run_id
    assert again.attempt != run.attempt
    assert not list(running.artifacts.list(lost))
    expect(uploads).to_contain_text("No letters", timeout=PREPARED)
    expect(trainings).to_contain_text("No letters", timeout=PREPARED)
    # How the newer songs differ was told once, and is still there to be read.
    told = opened("/data")
    box = told.get_by_role("combobox", name="Dataset")
    box.fill("resumed")
    told.get_by_role("option", name="resumed").click()
    expect(told.get_by_role("heading", name="resumed in short")).to_be_visible(timeout=SOON)
    drift = told.get_by_role("tab", name="Drift")
    # The tabs of the dataset before stay until all of this one is drawn.
    expect(drift).to_have_count(1)
    drift.click()
    expect(told.get_by_text("the population stability index")).to_be_visible(timeout=SOON)


def test_an_event_of_a_file_that_is_gone_by_then_is_no_failure(stack: WholeStack):
    outputs = stack.running.outputs
    record = {
        "eventName": "ObjectCreated:Put",
        "s3": {
            "bucket": {"name": outputs["RawBucket"]},
            "object": {"key": str(keys.RawKey("gone", "songs.csv"))},
        },
    }

    answer = (
        Emulator(outputs["Endpoint"])
        .client("lambda")
        .invoke(FunctionName=outputs["FunctionName"], Payload=json.dumps({"Records": [record]}))
    )

    said = json.load(answer["Payload"])
    assert said == {"prepared": 0, "unchanged": 0, "superseded": 0, "gone": 1}


def tray(page: Page, name: str) -> Locator:
    heading = page.get_by_role("heading", name=name, exact=True)
    return page.get_by_test_id("stColumn").filter(has=heading)


def send(page: Page, dataset: str, file: str, body: bytes) -> None:
    page.get_by_role("textbox", name="Dataset").fill(dataset)
    choose_file(page, file, body)
    page.get_by_role("button", name="Send this file").click()
    expect(page.get_by_text("is in the raw bucket")).to_be_visible(timeout=SOON)


def choose_file(page: Page, file: str, body: bytes) -> None:
    page.locator("input[type=file]").set_input_files(
        {"name": file, "mimeType": "text/csv", "buffer": body}
    )
    expect(page.get_by_text(file).first).to_be_visible()


def test_a_program_is_told_the_number_the_page_shows(stack: WholeStack, opened: Open):
    song = {
        "genre": ["Jazz"],
        "acousticness": 0.62,
        "danceability": 0.55,
        "duration_ms": 215_000,
        "energy": 0.4,
        "instrumentalness": 0.1,
        "liveness": 0.12,
        "loudness": -9.5,
        "speechiness": 0.05,
        "tempo": 104.0,
        "valence": 0.5,
        "key": "F",
        "mode": "Major",
        "time_signature": "4/4",
    }
    page = opened(links.address("/", links.parameters(links.Asked(dataset="demo", song=song))))
    shown = number(page)

    request = urllib.request.Request(
        f"http://127.0.0.1:{stack.ports.web}/api/predict",
        json.dumps({"dataset": "demo", "songs": [{**song, "genre": "Jazz"}]}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=15) as answer:
        told = json.load(answer)

    (one,) = told["songs"]
    assert f"{one['popularity']:.1f}" == shown
    between = re.search(r"between (\d+) and (\d+)", page.locator(".cb-sure").inner_text())
    assert between is not None
    # The page rounds to whole points, the API to tenths.
    assert [int(end) for end in between.groups()] == [
        pytest.approx(one[end], abs=0.55) for end in ("low", "high")
    ]
    assert f"run {told['run_id'][:12]}" in source(page)


def test_the_trainer_was_protected_from_being_scaled_in_while_it_worked_and_is_not_any_more(
    stack: WholeStack, agent: Agent
):
    until(lambda: agent.asked[-1:] == [OFF], what="the end of the protection")

    assert stack.started() > 0
    assert ON in agent.asked


def test_what_each_component_asked_of_aws_is_what_its_role_was_written_for(
    stack: WholeStack, calls: Path, request: pytest.FixtureRequest
):
    here = request.module
    chosen = {
        item.originalname
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.module is here
    }
    if left := {name for name in vars(here) if name.startswith("test_")} - chosen:
        pytest.skip(f"of the journeys {len(left)} were not made, so not every call was")
    lines = calls.read_text(encoding="utf-8").splitlines()

    sources = read(ROOT)
    recorded = by_statement(sources.documents["data.yaml"], needs_in(lines))

    if request.config.getoption("--record-calls"):
        (ROOT / CALLS).write_text(as_text(recorded), encoding="utf-8")
    else:
        assert recorded == calls_of(sources.calls), f"not {CALLS}; `make calls` writes it anew"
