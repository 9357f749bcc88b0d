"""The app follows the champions in the store, and predicts only with models it can trust."""

import dataclasses
import json
import threading
from collections.abc import Iterator

import pytest

from chartbuster import layout
from chartbuster.errors import (
    Corrupt,
    InvalidName,
    InvalidSong,
    NotFound,
    Unreachable,
    UntrustedModel,
)
from chartbuster.identity import digest
from chartbuster.memory import InMemoryStore
from chartbuster.outlooks import OUTLOOK
from chartbuster.ports import ObjectInfo, StoredObject
from chartbuster.registry import FileEntry, Registry, RunManifest
from tests.unit.webapp_store import NOW, model_key, published
from tests.waiting import until
from webapp.serving import Serving
from webapp.states import Away, Broken, Connecting, Showing, Shown, Waiting


class Moody(InMemoryStore):
    """A store that can go away, and counts what is read of it."""

    def __init__(self) -> None:
        super().__init__()
        self.failure: Exception | None = None
        self.reads: list[str] = []

    def read(self, key: str) -> StoredObject:
        self._answer()
        self.reads.append(key)
        return super().read(key)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        self._answer()
        return super().list(prefix)

    def _answer(self) -> None:
        if self.failure is not None:
            raise self.failure


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def refreshed(store: InMemoryStore) -> Serving:
    serving = Serving(store)
    serving.refresh()
    return serving


def first(serving: Serving) -> Shown:
    assert isinstance(serving.state, Showing)
    found = serving.state.datasets[0]
    assert isinstance(found, Shown)
    return found


def test_before_anybody_looked_it_says_so() -> None:
    assert Serving(InMemoryStore()).state == Connecting()


@pytest.mark.parametrize(
    "failure", [Unreachable("no answer"), NotFound("no bucket"), RuntimeError("a bug")]
)
def test_a_store_that_does_not_answer_is_a_state_and_not_an_error(failure: Exception) -> None:
    store = Moody()
    store.failure = failure

    assert refreshed(store).state == Away()


def test_an_empty_store_waits_for_the_first_upload() -> None:
    assert refreshed(InMemoryStore()).state == Waiting()


def test_the_progress_of_a_first_run_is_shown_and_damaged_progress_is_left_out() -> None:
    store = InMemoryStore()
    store.write(layout.progress("mine"), b'{"stage": "fitting", "fraction": 0.25, "seconds": 3}')
    store.write(layout.progress("other"), b"{cut")

    state = refreshed(store).state

    assert isinstance(state, Waiting)
    assert [(run.dataset, run.stage, run.fraction) for run in state.runs] == [
        ("mine", "fitting", 0.25)
    ]


def test_a_champion_is_shown_with_its_run() -> None:
    store = InMemoryStore()
    run = published(store)

    found = first(refreshed(store))

    assert found.run == run
    assert found.champion.model == run.best


def test_the_active_dataset_comes_first_and_the_others_by_name() -> None:
    store = InMemoryStore()
    for number, dataset in enumerate(("c", "a", "b")):
        published(store, dataset=dataset, run_id=f"run{number}")
    Registry(store).activate("b")

    state = refreshed(store).state

    assert isinstance(state, Showing)
    assert [found.dataset for found in state.datasets] == ["b", "a", "c"]


def test_a_damaged_active_file_hides_no_dataset() -> None:
    store = InMemoryStore()
    published(store)
    store.write(layout.ACTIVE, b"{cut")

    assert first(refreshed(store)).dataset == "demo"


def test_a_new_champion_is_followed_at_the_next_look() -> None:
    store = InMemoryStore()
    published(store)
    serving = refreshed(store)
    published(store, run_id="run2", model="boosting")

    serving.refresh()

    assert first(serving).run.run_id == "run2"
    assert first(serving).champion.model == "boosting"


def test_a_rollback_is_followed_at_the_next_look_with_its_model_loaded() -> None:
    store = Moody()
    published(store, model="linear")
    published(store, run_id="run2", model="boosting")
    serving = refreshed(store)
    assert first(serving).run.run_id == "run2"
    Registry(store).rollback("demo", now=NOW)

    serving.refresh()

    shown, store.reads = first(serving), []
    assert (shown.run.run_id, shown.champion.model) == ("run1", "linear")
    assert 0 <= serving.predict(shown, "linear", {"genre": "Pop"}).popularity <= 100
    assert store.reads == []


def test_a_thread_that_follows_sees_a_rollback_within_seconds() -> None:
    store = InMemoryStore()
    published(store, model="linear")
    published(store, run_id="run2", model="boosting")
    serving = refreshed(store)
    stop = threading.Event()
    thread = threading.Thread(target=serving.follow, args=(stop.wait,))
    thread.start()
    try:
        Registry(store).rollback("demo", now=NOW)

        until(lambda: first(serving).run.run_id == "run1", seconds=5, what="the former champion")
    finally:
        stop.set()
        thread.join()


def test_another_model_of_the_same_run_is_followed_too() -> None:
    store = InMemoryStore()
    published(store, model="linear")
    serving = refreshed(store)
    Registry(store).promote("demo", "run1", "boosting", reason="chosen", now=NOW)

    serving.refresh()

    assert first(serving).champion.model == "boosting"


def test_looking_again_reads_nothing_and_keeps_the_very_same_state() -> None:
    store = Moody()
    published(store)
    serving = refreshed(store)
    before, store.reads = serving.state, []

    serving.refresh()

    assert serving.state is before
    assert store.reads == [layout.ACTIVE]


def test_the_champions_model_is_loaded_before_anybody_asks() -> None:
    store = Moody()
    published(store)
    serving = refreshed(store)
    shown, store.reads = first(serving), []

    serving.predict(shown, shown.champion.model, {"genre": "Pop"})

    assert store.reads == []


def test_what_is_loaded_goes_on_working_when_the_store_goes_away() -> None:
    store = Moody()
    published(store)
    serving = refreshed(store)
    store.failure = Unreachable("no answer")

    serving.refresh()

    assert isinstance(serving.state, Showing)
    assert serving.state.asleep
    shown = first(serving)
    assert 0 <= serving.predict(shown, shown.champion.model, {}).popularity <= 100
    store.failure = None
    serving.refresh()
    assert not serving.state.asleep


@pytest.mark.parametrize("body", [b"{cut", b"{}"])
def test_a_damaged_champion_is_named_and_the_other_datasets_still_work(body: bytes) -> None:
    store = InMemoryStore()
    published(store)
    store.write(layout.champion("bad"), body)

    state = refreshed(store).state

    assert isinstance(state, Showing)
    assert [type(found) for found in state.datasets] == [Shown, Broken]


def test_a_champion_without_its_run_is_shown_as_soon_as_the_run_is_there() -> None:
    whole, store = InMemoryStore(), InMemoryStore()
    published(whole)
    store.write(layout.champion("demo"), whole.read(layout.champion("demo")).body)
    serving = refreshed(store)
    assert isinstance(serving.state, Showing)
    assert isinstance(serving.state.datasets[0], Broken)

    published(store)
    serving.refresh()

    assert first(serving).run.run_id == "run1"


def test_a_champion_that_is_not_among_its_runs_models_is_broken() -> None:
    store = InMemoryStore()
    published(store)
    Registry(store).crown("demo", "run1", "oracle", reason="a slip", now=NOW)

    state = refreshed(store).state

    assert isinstance(state, Showing)
    assert isinstance(state.datasets[0], Broken)


def test_something_else_under_the_champions_is_not_taken_for_one() -> None:
    store = InMemoryStore()
    published(store)
    store.write("champions/READ ME.txt", b"hello")

    state = refreshed(store).state

    assert isinstance(state, Showing)
    assert len(state.datasets) == 1


def test_a_changed_model_file_is_refused_and_the_runs_other_models_are_not() -> None:
    store = Moody()
    run = published(store)
    other = next(model.name for model in run.models if model.name != run.best)
    store.write(model_key(run, run.best), b"not the model")
    serving = refreshed(store)
    shown, store.reads = first(serving), []

    for _ in range(3):
        with pytest.raises(UntrustedModel):
            serving.predict(shown, run.best, {})

    assert store.reads == [], "a refused file is not fetched again at every move of a slider"
    assert 0 <= serving.predict(shown, other, {}).popularity <= 100


def test_a_refused_model_is_tried_again_after_a_while() -> None:
    store, clock = Moody(), Clock()
    run = published(store)
    good = store.read(model_key(run, run.best)).body
    store.write(model_key(run, run.best), b"not the model")
    serving = Serving(store, monotonic=clock)
    serving.refresh()
    store.write(model_key(run, run.best), good)

    clock.now += 60

    assert serving.predict(first(serving), run.best, {}).popularity > 0


def test_without_its_baseline_a_run_still_predicts() -> None:
    store = InMemoryStore()
    run = published(store)
    store.write(model_key(run, "baseline"), b"not the model")
    serving = refreshed(store)

    prediction = serving.predict(first(serving), run.best, {"genre": "Pop"})

    assert prediction.genre_mean is None


def test_a_song_that_cannot_be_is_refused_with_the_reason() -> None:
    store = InMemoryStore()
    published(store)
    serving = refreshed(store)

    with pytest.raises(InvalidSong, match="Gabber"):
        serving.predict(first(serving), "boosting", {"genre": "Gabber"})


def test_the_genre_mean_is_the_baselines_word() -> None:
    store = InMemoryStore()
    published(store)
    serving = refreshed(store)

    prediction = serving.predict(first(serving), "baseline", {"genre": "Pop"})

    assert prediction.popularity == prediction.genre_mean


def test_the_store_is_asked_often_while_somebody_looks_and_seldom_while_nobody_does() -> None:
    clock = Clock()
    serving = Serving(InMemoryStore(), monotonic=clock)

    assert serving.state == Connecting()
    assert serving.pause() == 2.0
    clock.now += 60
    assert serving.pause() == 15.0


def test_whoever_comes_after_an_idle_time_sees_the_present_champion_within_seconds() -> None:
    store, clock = InMemoryStore(), Clock()
    published(store, model="linear")
    published(store, run_id="run2", model="boosting")
    serving = Serving(store, monotonic=clock)
    seen: list[tuple[float, str]] = []

    def wait(seconds: float) -> bool:
        clock.now += seconds
        if clock.now >= 50:  # nobody looked before
            seen.append((clock.now, first(serving).run.run_id))
        if clock.now == 50:
            Registry(store).rollback("demo", now=NOW)
        return clock.now >= 60

    serving.follow(wait)

    assert seen[:2] == [(50, "run2"), (52, "run1")]


def test_following_refreshes_until_it_is_told_to_stop() -> None:
    store = InMemoryStore()
    serving = Serving(store)
    stops = iter([False, True])

    serving.follow(lambda _seconds: next(stops))

    assert serving.state == Waiting()


def test_a_run_published_anew_under_the_same_name_is_not_mixed_with_the_old_models() -> None:
    store = InMemoryStore()
    run = published(store)
    serving = refreshed(store)
    shown = first(serving)
    serving.predict(shown, "boosting", {})
    files = {n: dataclasses.replace(f, sha256="0" * 64) for n, f in run.files.items()}
    other = dataclasses.replace(shown, run=dataclasses.replace(run, files=files))

    with pytest.raises(UntrustedModel):
        serving.predict(other, "boosting", {})


def test_a_vouched_for_model_that_does_not_fit_its_run_takes_nothing_else_down() -> None:
    store = InMemoryStore()
    run = published(store)
    key = layout.run_manifest("run1")
    columns = ["genre=Polka" if name == "genre=Pop" else name for name in run.columns]
    changed = json.loads(store.read(key).body) | {"columns": columns}
    store.write(key, json.dumps(changed).encode())

    serving = refreshed(store)

    with pytest.raises(UntrustedModel, match="own columns"):
        serving.predict(first(serving), run.best, {})


def test_a_song_that_cannot_be_scored_says_nothing_against_the_model() -> None:
    store = InMemoryStore()
    run = published(store)
    key = layout.run_manifest("run1")
    good = store.read(key).body
    changed = json.loads(good) | {"columns": [*run.columns, "mood"]}
    store.write(key, json.dumps(changed).encode())
    serving = refreshed(store)

    for _ in range(2):
        with pytest.raises(InvalidSong, match="mood"):
            serving.predict(first(serving), run.best, {})


def test_a_study_says_what_a_prediction_says_and_more() -> None:
    store = InMemoryStore()
    published(store)
    serving = refreshed(store)
    shown, song = first(serving), {"genre": "Pop", "energy": 0.3}

    for model in ("linear", "boosting"):
        study, prediction = serving.study(shown, model, song), serving.predict(shown, model, song)

        assert study.popularity == pytest.approx(prediction.popularity, abs=1e-9)
        assert study.genre_mean == prediction.genre_mean
        assert study.sureness is not None
        assert study.sureness.low <= study.popularity <= study.sureness.high


def test_all_that_a_study_needs_is_loaded_before_anybody_asks() -> None:
    store = Moody()
    published(store)
    serving = refreshed(store)
    shown, store.reads = first(serving), []

    serving.study(shown, shown.model, {"genre": "Pop"})

    assert store.reads == []


def test_a_song_that_cannot_be_is_not_studied() -> None:
    store = InMemoryStore()
    published(store)
    serving = refreshed(store)

    with pytest.raises(InvalidSong, match="Gabber"):
        serving.study(first(serving), "boosting", {"genre": "Gabber"})


@pytest.mark.parametrize("file", [OUTLOOK, "models/baseline.skops"])
def test_what_a_run_lacks_beside_its_model_is_left_out_of_a_study(file: str) -> None:
    store = Moody()
    run = published(store)
    store.write(f"runs/{run.run_id}/{run.attempt}/{file}", b"damaged")
    serving = refreshed(store)
    shown, store.reads = first(serving), []

    study = serving.study(shown, "boosting", {"genre": "Pop"})

    assert (study.sureness is None) == (file == OUTLOOK)
    assert (study.genre_mean is None) == (file != OUTLOOK)
    serving.study(shown, "boosting", {"genre": "Pop", "energy": 0.2})
    assert file not in "".join(store.reads), "it is not fetched at every move of a slider"


def test_a_run_older_than_outlooks_is_studied_without() -> None:
    store = InMemoryStore()
    run = published(store)
    shown = first(refreshed(store))
    files = {name: entry for name, entry in run.files.items() if name != OUTLOOK}
    older = dataclasses.replace(shown, run=dataclasses.replace(run, files=files))

    study = Serving(store).study(older, "boosting", {})

    assert study.sureness is None
    assert study.explanation.contributions


def test_a_changed_model_file_is_refused_by_studies_too() -> None:
    store = Moody()
    run = published(store)
    store.write(model_key(run, run.best), b"not the model")
    serving = refreshed(store)
    shown, store.reads = first(serving), []

    for _ in range(2):
        with pytest.raises(UntrustedModel):
            serving.study(shown, run.best, {})

    assert store.reads == []


def test_a_link_may_name_a_run_that_has_no_champion_any_more() -> None:
    store = Moody()
    published(store, model="linear")
    published(store, run_id="run2", model="boosting")
    serving = refreshed(store)

    shown = serving.run("demo", "run1")

    assert (shown.run.run_id, shown.model, shown.reigns) == ("run1", shown.run.best, False)
    assert shown.champion.run_id == "run2"
    store.reads = []
    assert serving.run("demo", "run1") == shown
    assert 0 <= serving.study(shown, shown.model, {"genre": "Pop"}).popularity <= 100
    assert store.reads == []


def test_a_link_to_the_champions_run_shows_what_is_shown_anyway() -> None:
    store = InMemoryStore()
    published(store)
    serving = refreshed(store)

    assert serving.run("demo", "run1") is first(serving)
    assert first(serving).reigns


def test_only_the_last_few_runs_without_champion_are_kept() -> None:
    store = Moody()
    for number in range(5):
        published(store, run_id=f"run{number}")
    serving = refreshed(store)

    for number in range(4):
        serving.run("demo", f"run{number}")
    serving.refresh()

    store.reads = []
    serving.run("demo", "run3")
    serving.run("demo", "run2")
    assert layout.run_manifest("run3") not in store.reads
    assert layout.run_manifest("run2") not in store.reads
    serving.run("demo", "run0")
    assert layout.run_manifest("run0") in store.reads
    store.reads = []
    serving.study(first(serving), first(serving).model, {})
    assert store.reads == [], "champions are never dropped for them"


def test_a_run_that_is_not_there_is_asked_for_once_in_a_while() -> None:
    store, clock = Moody(), Clock()
    published(store)
    serving = Serving(store, monotonic=clock)
    serving.refresh()
    store.reads = []

    for _ in range(3):
        with pytest.raises(NotFound):
            serving.run("demo", "run9")
    assert store.reads == [layout.run_manifest("run9")]

    published(store, run_id="run9")
    clock.now += 60
    assert serving.run("demo", "run9").run.run_id == "run9"


@pytest.mark.parametrize("run_id", ["", "../demo", "a/b", "x" * 65, "Run 1", "run1\n"])
def test_what_can_be_no_runs_id_is_never_asked_for(run_id: str) -> None:
    store = Moody()
    published(store)
    serving = refreshed(store)
    store.reads = []

    with pytest.raises(InvalidName, match="expected lower-case letters and digits"):
        serving.run("demo", run_id)

    assert store.reads == []


def test_a_run_belongs_to_its_dataset() -> None:
    store = InMemoryStore()
    published(store, dataset="mine")
    published(store, dataset="yours", run_id="run2")
    serving = refreshed(store)

    with pytest.raises(NotFound, match="no run 'run2'"):
        serving.run("mine", "run2")
    with pytest.raises(NotFound, match="mine, yours"):
        serving.run("theirs", "run2")


def test_a_damaged_run_is_called_damaged() -> None:
    store = InMemoryStore()
    published(store)
    store.write(layout.run_manifest("run8"), b"{cut")

    with pytest.raises(Corrupt):
        refreshed(store).run("demo", "run8")


def test_a_link_to_a_run_while_the_store_is_away_says_so_and_waits_for_nothing() -> None:
    store = Moody()
    published(store)
    published(store, run_id="run2")
    serving = refreshed(store)
    serving.run("demo", "run1")
    store.failure = Unreachable("no answer")
    serving.refresh()

    assert serving.run("demo", "run1").run.run_id == "run1"
    with pytest.raises(Unreachable, match="run0 cannot be read"):
        serving.run("demo", "run0")
    with pytest.raises(Unreachable):
        Serving(store).run("demo", "run1")


def without_songs(run: RunManifest) -> RunManifest:
    return dataclasses.replace(run, files={n: f for n, f in run.files.items() if n != layout.SONGS})


def songs_read(store: Moody) -> list[str]:
    return [key.split("/")[1] for key in store.reads if key.endswith(layout.SONGS)]


def test_the_songs_of_a_run_are_read_once() -> None:
    store = Moody()
    published(store)
    serving = refreshed(store)

    library = serving.library(first(serving))

    assert len(library) == first(serving).run.songs
    assert serving.library(first(serving)) is library
    assert songs_read(store) == ["run1"]


def test_of_runs_without_champion_only_the_songs_last_asked_for_are_kept() -> None:
    store = Moody()
    for run_id in ("run1", "run2", "run3"):
        published(store, run_id=run_id)
    serving = refreshed(store)
    shown = [serving.run("demo", run_id) for run_id in ("run3", "run2", "run1")]

    for each in (*shown, *shown):
        serving.library(each)

    assert songs_read(store) == ["run3", "run2", "run1", "run2", "run1"]


def test_the_first_pages_songs_are_read_while_nobody_waits() -> None:
    store = Moody()
    published(store)
    published(store, dataset="other", run_id="run2")
    serving = refreshed(store)
    assert songs_read(store) == []

    serving.follow(lambda _seconds: True)

    assert songs_read(store) == ["run1"]


def test_a_run_without_songs_says_what_to_do() -> None:
    store = InMemoryStore()
    published(store)
    serving = refreshed(store)
    shown = first(serving)

    with pytest.raises(NotFound, match="put the dataset's file in again"):
        serving.library(dataclasses.replace(shown, run=without_songs(shown.run)))


def test_songs_that_the_run_does_not_vouch_for_are_refused_and_not_read_again_at_once() -> None:
    store = Moody()
    run = published(store)
    store.write(f"runs/{run.run_id}/{run.attempt}/{layout.SONGS}", b"other songs")
    serving = refreshed(store)
    store.reads.clear()

    for _ in range(3):
        with pytest.raises(UntrustedModel, match=layout.SONGS):
            serving.library(first(serving))
    serving.follow(lambda _seconds: True)

    assert len(store.reads) == 1


def test_songs_that_are_no_catalogue_are_corrupt_and_the_following_goes_on() -> None:
    store = InMemoryStore()
    run = published(store)
    body = b"PAR1 but no more"
    store.write(f"runs/{run.run_id}/{run.attempt}/{layout.SONGS}", body)
    serving = refreshed(store)
    shown = first(serving)
    entry = FileEntry(digest(body), len(body))
    shown = dataclasses.replace(
        shown, run=dataclasses.replace(run, files={**run.files, layout.SONGS: entry})
    )

    with pytest.raises(Corrupt, match="no Parquet file"):
        serving.library(shown)
    serving.follow(lambda _seconds: True)


def test_a_store_that_is_away_is_asked_for_the_songs_again() -> None:
    store = Moody()
    published(store)
    serving = refreshed(store)
    store.failure = Unreachable("no answer")
    with pytest.raises(Unreachable):
        serving.library(first(serving))

    store.failure = None

    assert len(serving.library(first(serving)))
