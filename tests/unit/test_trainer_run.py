"""A dataset becomes one run, once, and the better model becomes champion, whatever goes wrong."""

import contextlib
import io
import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from chartbuster import layout
from chartbuster.errors import Conflict, InvalidSong, JobUnusable, NotFound, Unreachable
from chartbuster.explanations import ATTRIBUTES
from chartbuster.learn.predictor import Predictor
from chartbuster.memory import InMemoryStore
from chartbuster.outlook import Outlook
from chartbuster.registry import Registry, RunManifest
from chartbuster.runs import Interval
from chartbuster.tables import to_csv
from tests.unit.made_up_songs import QUICK, cleaned_songs, put_ready, ready_songs
from trainer.evaluate_performance import as_json, as_table
from trainer.promotion import Compared, decide, judged
from trainer.score_model import choose, score_file, score_song, song_from, summary
from trainer.train_model import run


def made(
    ready: InMemoryStore, artifacts: InMemoryStore, configuration: str = QUICK, *, jobs: int = 2
) -> RunManifest:
    manifest = run(
        "demo", ready=ready, artifacts=artifacts, configuration_text=configuration, jobs=jobs
    )
    assert manifest is not None
    return manifest


def a_ready_bucket(table: pd.DataFrame | None = None) -> InMemoryStore:
    ready = InMemoryStore()
    put_ready(ready, "demo", ready_songs(300) if table is None else table)
    return ready


@pytest.fixture(scope="module")
def finished() -> tuple[InMemoryStore, RunManifest]:
    """The artifacts of one run, for tests that only look."""
    artifacts = InMemoryStore()
    return artifacts, made(a_ready_bucket(), artifacts)


def test_a_run_holds_models_metrics_scores_catalogue_and_configuration(
    finished: tuple[InMemoryStore, RunManifest],
) -> None:
    artifacts, manifest = finished
    registry = Registry(artifacts)

    models = ["baseline", "linear", "forest", "network", "boosting"]
    assert [entry.name for entry in manifest.models] == models
    assert set(manifest.files) == {
        *(f"models/{name}.skops" for name in models),
        *(f"models/{name}/model.pkl" for name in models),
        *("metrics.json", "scores.csv", "songs.parquet", "configuration.yaml"),
        *("outlook.json", "report.json", "card.html"),
    }
    assert registry.file(manifest, "configuration.yaml").decode() == QUICK
    assert yaml.safe_load(QUICK)["seed"] == manifest.configuration["seed"]
    assert json.loads(registry.file(manifest, "metrics.json"))["best"] == manifest.best
    assert registry.manifest(manifest.run_id) == manifest
    assert (manifest.songs, manifest.artists) == (300, 60)


def test_the_scores_of_every_test_song_give_the_metrics(
    finished: tuple[InMemoryStore, RunManifest],
) -> None:
    artifacts, manifest = finished
    body = Registry(artifacts).file(manifest, "scores.csv")
    table = pd.read_csv(io.BytesIO(body))

    for entry in manifest.models:
        for protocol, scored in (
            ("new artists", entry.new_artists),
            ("known artists", entry.known_artists),
        ):
            rows = table[(table["model"] == entry.name) & (table["protocol"] == protocol)]
            assert scored is not None
            assert len(rows) == scored.songs
            errors = (rows["prediction"] - rows["popularity"]).abs()
            assert errors.mean() == pytest.approx(scored.mae, abs=1e-3)


def test_the_stored_model_is_the_one_that_never_saw_the_test_artists(
    finished: tuple[InMemoryStore, RunManifest],
) -> None:
    artifacts, manifest = finished
    registry = Registry(artifacts)
    table = pd.read_csv(io.BytesIO(registry.file(manifest, "scores.csv")))
    songs = ready_songs(300).set_index("song_id", drop=False)

    for entry in manifest.models:
        rows = table[(table["model"] == entry.name) & (table["protocol"] == "new artists")]
        told = Predictor.load(registry, manifest.run_id).predict(
            entry.name, songs.loc[rows["song_id"]]
        )
        np.testing.assert_allclose(told, rows["prediction"], atol=1e-3)


def test_the_same_songs_under_another_name_are_the_same_run_with_a_champion_of_their_own() -> None:
    ready, artifacts = a_ready_bucket(), InMemoryStore()
    first = made(ready, artifacts)
    put_ready(ready, "copy", ready_songs(300))

    again = run("copy", ready=ready, artifacts=artifacts, configuration_text=QUICK)

    assert again == first
    champion = Registry(artifacts).champion("copy")
    assert champion is not None
    assert (champion.dataset, champion.run_id) == ("copy", first.run_id)


def test_the_same_songs_give_the_same_run_and_nothing_new() -> None:
    ready, artifacts = a_ready_bucket(), InMemoryStore()
    first = made(ready, artifacts)
    before = {item.key: item.etag for item in artifacts.list("")}

    again = made(ready, artifacts)

    assert again == first
    assert {item.key: item.etag for item in artifacts.list("")} == before


def test_the_same_songs_give_the_same_models_byte_for_byte_elsewhere() -> None:
    one = made(a_ready_bucket(), InMemoryStore(), jobs=1)
    other = made(a_ready_bucket(ready_songs(300).iloc[::-1]), InMemoryStore(), jobs=3)

    assert one.run_id != other.run_id, "the rows are in another order, so the upload is another"
    assert one.attempt != other.attempt
    for name, entry in one.files.items():
        # The two that say how long it took, and what nothing of ours loads.
        if name not in {"metrics.json", layout.CARD} and not name.endswith(".pkl"):
            assert other.files[name] == entry, name


def test_another_configuration_is_another_run() -> None:
    ready, artifacts = a_ready_bucket(), InMemoryStore()

    assert (
        made(ready, artifacts).run_id
        != made(ready, artifacts, QUICK.replace("seed: 7", "seed: 8")).run_id
    )


def test_the_first_run_is_champion_and_its_dataset_is_shown() -> None:
    artifacts = InMemoryStore()
    manifest = made(a_ready_bucket(), artifacts)

    champion = Registry(artifacts).champion("demo")
    assert champion is not None
    assert (champion.run_id, champion.model) == (manifest.run_id, manifest.best)
    assert "the first run" in champion.reason
    assert Registry(artifacts).active() == "demo"


def test_progress_ends_at_done_with_the_run_it_made() -> None:
    artifacts = InMemoryStore()
    manifest = made(a_ready_bucket(), artifacts)

    note = json.loads(Registry(artifacts).progress("demo"))

    assert (note["stage"], note["fraction"], note["run"]) == ("done", 1.0, manifest.run_id)


def test_a_dataset_without_a_prepared_upload_is_no_run_and_no_error() -> None:
    assert run("demo", ready=InMemoryStore(), artifacts=InMemoryStore()) is None


def test_too_few_songs_can_never_become_a_run() -> None:
    artifacts = InMemoryStore()

    with pytest.raises(JobUnusable, match="has 49 songs; expected at least 50"):
        made(a_ready_bucket(ready_songs(49)), artifacts)

    note = json.loads(Registry(artifacts).progress("demo"))
    assert note["stage"] == "refused"
    assert "has 49 songs" in note["reason"]


def test_songs_of_one_artist_have_no_score_for_new_artists() -> None:
    manifest = made(a_ready_bucket(ready_songs(200, artists=1)), InMemoryStore())

    assert all(entry.new_artists is None for entry in manifest.models)
    assert all(entry.known_artists is not None for entry in manifest.models)


def test_songs_that_name_no_artist_have_no_score_for_new_artists_and_a_champion_all_the_same() -> (
    None
):
    artifacts = InMemoryStore()
    manifest = made(a_ready_bucket(ready_songs(200, artists=0)), artifacts)

    assert manifest.artists == 0
    assert all(entry.new_artists is None for entry in manifest.models)
    assert Registry(artifacts).champion("demo") is not None


def test_several_uploads_of_a_dataset_are_one_run_over_all_their_songs() -> None:
    ready = InMemoryStore()
    put_ready(ready, "demo", ready_songs(200), file="a.csv")
    put_ready(ready, "demo", ready_songs(200, first=100, seed=2), file="b.csv")

    manifest = made(ready, InMemoryStore())

    assert manifest.songs == 300
    assert len(manifest.uploads) == 2


class Breaks(InMemoryStore):
    """Goes away, once, when a key that ends with `suffix` is written."""

    def __init__(self, suffix: str, *, after: bool) -> None:
        super().__init__()
        self._suffix = suffix
        self._after = after
        self.broke = False

    def write(self, key: str, body: bytes) -> str:
        return self._once(key, lambda: super(Breaks, self).write(key, body))

    def create(self, key: str, body: bytes) -> str:
        return self._once(key, lambda: super(Breaks, self).create(key, body))

    def _once(self, key: str, act: Any) -> str:
        if self.broke or not key.endswith(self._suffix):
            return str(act())
        self.broke = True
        if self._after:
            act()
        raise Unreachable(f"no answer for {key}")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    "suffix",
    ["baseline.skops", "configuration.yaml", "manifest.json", "champions/demo.json", layout.ACTIVE],
)
def test_a_run_that_breaks_off_anywhere_is_whole_after_the_next_try(
    suffix: str, after: bool
) -> None:
    ready, artifacts = a_ready_bucket(ready_songs(100)), Breaks(suffix, after=after)
    with contextlib.suppress(Unreachable):
        run("demo", ready=ready, artifacts=artifacts, configuration_text=QUICK)
    assert artifacts.broke

    manifest = made(ready, artifacts)

    registry = Registry(artifacts)
    champion = registry.champion("demo")
    assert champion is not None
    assert champion.run_id == manifest.run_id
    assert registry.active() == "demo"
    assert registry.runs() == (manifest.run_id,)
    for name in manifest.files:
        registry.file(manifest, name)
    attempts = {item.key.split("/")[2] for item in artifacts.list("runs/")}
    assert attempts == {manifest.attempt, "manifest.json"}


def test_two_that_make_the_same_run_agree_on_the_first() -> None:
    ready, artifacts = a_ready_bucket(ready_songs(100)), InMemoryStore()

    class Overtaken(InMemoryStore):
        """Shares its objects with `artifacts`; somebody else's run is there before its manifest."""

        def __init__(self) -> None:
            super().__init__()
            self._objects = artifacts._objects
            self.theirs: RunManifest | None = None

        def create(self, key: str, body: bytes) -> str:
            if key.endswith("manifest.json") and self.theirs is None:
                self.theirs = made(ready, artifacts)
                raise Conflict(key)
            return super().create(key, body)

    slow = Overtaken()

    ours = made(ready, slow)

    assert ours == slow.theirs
    champion = Registry(artifacts).champion("demo")
    assert champion is not None
    assert len(champion.history) == 1


def compared(tried: float, low: float, high: float) -> Compared:
    """A challenger's error `tried` against 7, and the interval of its gain."""
    return Compared(held=7.0, tried=tried, gain=Interval(low, high), songs=10)


BETTER, MAYBE_BETTER = compared(6.8, 0.1, 0.3), compared(6.9, -0.1, 0.3)
MAYBE_WORSE, WORSE = compared(7.1, -0.3, 0.1), compared(7.2, -0.3, -0.1)


@pytest.mark.parametrize(
    ("new", "known", "newer", "crowned"),
    [
        (BETTER, None, False, True),
        (BETTER, BETTER, False, True),
        (BETTER, MAYBE_WORSE, False, True),
        (BETTER, WORSE, False, False),
        (BETTER, WORSE, True, False),
        (MAYBE_BETTER, BETTER, False, False),
        (MAYBE_BETTER, MAYBE_WORSE, True, True),
        (compared(7.0, 0.0, 0.0), None, True, True),
        (compared(7.0, 0.0, 0.0), None, False, False),
        (MAYBE_WORSE, BETTER, True, False),
        (WORSE, BETTER, True, False),
    ],
)
def test_a_challenger_wins_by_being_better_for_new_artists_and_not_worse_for_known_ones(
    new: Compared, known: Compared | None, newer: bool, crowned: bool
) -> None:
    assert judged(new, known, newer=newer).crowned == crowned


def test_a_verdict_says_what_it_was_reached_by() -> None:
    verdict = judged(BETTER, WORSE, newer=False)

    assert "6.800 against the champion's 7.000 on 10 songs of new artists" in verdict.reason
    assert "7.200 against 7.000 on 10 songs of known artists" in verdict.reason
    assert verdict.figures == {
        "new_artists_mae_champion": 7.0,
        "new_artists_mae_challenger": 6.8,
        "new_artists_gain_low": 0.1,
        "new_artists_gain_high": 0.3,
        "new_artists_songs": 10.0,
        "known_artists_mae_champion": 7.0,
        "known_artists_mae_challenger": 7.2,
        "known_artists_gain_low": -0.3,
        "known_artists_gain_high": -0.1,
        "known_artists_songs": 10.0,
    }


def test_a_model_made_worse_on_purpose_is_refused_with_the_figures_on_record() -> None:
    ready, artifacts = a_ready_bucket(), InMemoryStore()
    good = made(ready, artifacts)

    worse = made(ready, artifacts, "{seed: 7, folds: 1, fewest_songs: 50, models: {baseline: }}")

    champion = Registry(artifacts).champion("demo")
    assert champion is not None
    assert champion.run_id == good.run_id
    assert champion.has_met(worse.run_id)
    assert "against the champion's" in champion.history[-1].reason
    figures = champion.history[-1].figures
    assert figures["new_artists_mae_challenger"] > figures["new_artists_mae_champion"]
    assert figures["new_artists_gain_high"] < 0


def test_a_better_run_takes_the_champions_place() -> None:
    ready, artifacts = a_ready_bucket(), InMemoryStore()
    made(ready, artifacts, "{seed: 7, folds: 1, fewest_songs: 50, models: {baseline: }}")

    better = made(ready, artifacts)

    champion = Registry(artifacts).champion("demo")
    assert champion is not None
    assert (champion.run_id, champion.model) == (better.run_id, better.best)


def test_a_run_whose_decision_was_lost_is_judged_without_being_made_again() -> None:
    ready, artifacts = a_ready_bucket(), InMemoryStore()
    made(ready, artifacts, "{seed: 7, folds: 1, fewest_songs: 50, models: {baseline: }}")
    before = artifacts.read(layout.champion("demo")).body
    better = made(ready, artifacts)
    artifacts.write(layout.champion("demo"), before)

    again = made(ready, artifacts)

    champion = Registry(artifacts).champion("demo")
    assert champion is not None
    assert champion.run_id == better.run_id
    assert again.attempt == better.attempt


def test_a_champion_whose_file_was_changed_is_replaced_and_the_reason_says_so() -> None:
    ready, artifacts = a_ready_bucket(), InMemoryStore()
    first = made(ready, artifacts)
    file = first.model(first.best).file
    artifacts.write(f"runs/{first.run_id}/{first.attempt}/{file}", b"something else")

    second = made(ready, artifacts, QUICK.replace("seed: 7", "seed: 8"))

    champion = Registry(artifacts).champion("demo")
    assert champion is not None
    assert champion.run_id == second.run_id
    assert "SHA-256" in champion.reason


def test_a_champion_whose_features_the_new_songs_lack_is_replaced() -> None:
    ready, artifacts = a_ready_bucket(), InMemoryStore()
    first = made(ready, artifacts)
    second = made(ready, artifacts, QUICK.replace("seed: 7", "seed: 8"))
    registry = Registry(InMemoryStore())
    registry._store = artifacts
    artifacts.delete(layout.champion("demo"))
    registry.crown("demo", first.run_id, first.best, reason="", now=datetime.now(UTC))

    songs = ready_songs(300).drop(columns="title_live")
    champion = decide(registry, second, songs, dataset="demo", now=datetime.now(UTC))

    assert champion.run_id == second.run_id
    assert "lacks title_live" in champion.reason


def test_a_predictor_refuses_a_model_its_run_does_not_have(
    finished: tuple[InMemoryStore, RunManifest],
) -> None:
    artifacts, manifest = finished

    with pytest.raises(NotFound, match="expected one of baseline, linear"):
        Predictor.load(Registry(artifacts), manifest.run_id).predict("oracle", ready_songs(3))


def test_a_predictor_answers_within_the_range_and_reads_a_model_once(
    finished: tuple[InMemoryStore, RunManifest],
) -> None:
    artifacts, manifest = finished
    asked: list[str] = []

    def read(name: str) -> bytes:
        asked.append(name)
        return Registry(artifacts).file(manifest, name)

    predictor = Predictor(manifest, read)
    first = predictor.predict("linear", ready_songs(50))
    predictor.predict("linear", ready_songs(50).iloc[:0])

    assert ((first >= 0) & (first <= 100)).all()
    assert asked == ["models/linear.skops"]


def test_a_song_is_scored_by_the_champion_and_the_answer_says_with_what(
    finished: tuple[InMemoryStore, RunManifest],
) -> None:
    artifacts, manifest = finished
    registry = Registry(artifacts)
    choice = choose(registry, dataset=None, run=None, model=None)

    loud = score_song(registry, choice, {"genre": "pop", "energy": 1.0})
    quiet = score_song(registry, choice, {"genre": "Folk", "energy": 0.0})

    assert 0 <= quiet["popularity"] < loud["popularity"] <= 100
    assert (loud["dataset"], loud["run_id"]) == ("demo", manifest.run_id)
    assert loud["song"]["genre"] == ["Pop"]
    assert loud["song"]["tempo"] == manifest.inputs.genre_defaults["Pop"]["tempo"]
    json.dumps(loud)


def test_the_answer_for_a_song_says_why_in_words_and_in_points_that_add_up(
    finished: tuple[InMemoryStore, RunManifest],
) -> None:
    registry = Registry(finished[0])
    choice = choose(registry, dataset=None, run=None, model=None)

    answer = score_song(registry, choice, {"genre": "pop", "energy": 1.0})

    first, second, third = answer["why"][:3]
    assert first == f"a typical song: {answer['base']:.1f}"
    assert {second.split(":")[0], third.split(":")[0]} == {"genre Pop", "energy 1"}
    total = answer["base"] + sum(part["points"] for part in answer["contributions"])
    assert total == pytest.approx(answer["popularity"], abs=0.1)
    assert {part["attribute"] for part in answer["contributions"]} == set(ATTRIBUTES)


def test_a_whole_file_is_scored_row_by_row(finished: tuple[InMemoryStore, RunManifest]) -> None:
    artifacts, manifest = finished
    predictor = Predictor.load(Registry(artifacts), manifest.run_id)

    def ask(table: pd.DataFrame) -> Outlook:
        said = predictor.predict("linear", table)
        return Outlook(said, said, said, said / 100, said, np.zeros(len(said), dtype=bool))

    songs = cleaned_songs(20)
    out = io.BytesIO()
    told: list[int] = []
    tally = score_file(
        io.BytesIO(to_csv(songs)),
        out,
        ask=ask,
        inputs=manifest.inputs,
        watch=lambda tally: told.append(tally.rows),
    )
    scored = pd.read_csv(io.BytesIO(out.getvalue()))

    assert list(scored["song_id"]) == list(songs["song_id"])
    assert list(scored["popularity"]) == list(predictor.predict("linear", ready_songs(20)).round(1))
    assert (tally.rows, tally.scored, told) == (20, 20, [20])
    assert "20 rows" in summary(tally, 1.0)


def test_asking_for_a_model_before_there_is_one_says_so() -> None:
    registry = Registry(InMemoryStore())

    with pytest.raises(NotFound, match="no dataset has a model yet"):
        choose(registry, dataset=None, run=None, model=None)
    with pytest.raises(NotFound, match="'demo' has no champion; datasets that have one: none"):
        choose(registry, dataset="demo", run=None, model=None)


@pytest.mark.parametrize("text", ["{cut", "[1]", '"Pop"', "[" * 100_000])
def test_a_song_that_is_no_json_object_says_what_one_looks_like(text: str) -> None:
    with pytest.raises(InvalidSong):
        song_from(text)


def test_the_table_of_scores_has_the_best_model_first(
    finished: tuple[InMemoryStore, RunManifest],
) -> None:
    _, manifest = finished

    lines = as_table(manifest.models).splitlines()

    for name in ("R2", "MAE", "RMSE", "Spearman", "AP", "P@k", "covered"):
        assert name in lines[0].split()
    assert lines[1].startswith(manifest.best)
    assert len(lines) == 11
    assert set(json.loads(as_json(manifest.models))) == {m.name for m in manifest.models}
