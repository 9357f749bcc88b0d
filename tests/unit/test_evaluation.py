"""`make evaluate`: the models on a song file, beside the original system's forest."""

import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, r2_score

from chartbuster.learn import original
from chartbuster.learn.dataset import matrix, model_columns
from chartbuster.learn.evaluate import KNOWN, NEW, Held, Yardstick
from chartbuster.records import from_json, to_json
from chartbuster.report import Claim
from chartbuster.runs import Interval
from chartbuster.tables import to_csv
from scripts import evaluate as script
from tests.unit.made_up_songs import QUICK, cleaned_songs, ready_songs
from trainer import exams as taking
from trainer.configuration import read_configuration
from trainer.evaluate_performance import as_text, main
from trainer.evaluation import Evaluation, evaluate, gain
from trainer.fitting import bench
from trainer.targets import Promised, promised, targets

CONFIGURATION = read_configuration(QUICK)
SONGS = 300


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("songs") / "songs.csv"
    path.write_bytes(to_csv(cleaned_songs(SONGS)))
    return path


@pytest.fixture(scope="module")
def found(file):
    told = []
    evaluation = evaluate(
        file.read_bytes(),
        file.name,
        CONFIGURATION,
        jobs=2,
        tell=lambda *said: told.append(said),
    )
    return evaluation, told


def stick_of(popularity):
    groups = np.arange(len(popularity)) // 3
    return Yardstick(popularity, {NEW: groups, KNOWN: groups}, 70.0, 10, 7)


def said(predicted):
    return Held(predicted, predicted - 10, predicted + 10, np.full(len(predicted), 0.1))


def two_models(songs=600):
    draw = np.random.default_rng(3)
    truth = draw.uniform(0, 100, songs)
    close, far = truth + draw.normal(0, 5, songs), truth + draw.normal(0, 15, songs)
    return stick_of(truth), said(close), said(far)


def test_a_better_model_gains_and_its_whole_intervals_are_above_zero():
    stick, close, far = two_models()

    better = gain("close", close, far, stick, NEW)

    assert better.beyond_chance
    assert 0 < better.r2_interval.low < better.r2 < better.r2_interval.high
    assert 0 < better.mae_interval.low < better.mae < better.mae_interval.high
    truth = stick.popularity
    assert better.r2 == pytest.approx(
        r2_score(truth, close.predicted) - r2_score(truth, far.predicted)
    )
    assert better.mae == pytest.approx(
        mean_absolute_error(truth, far.predicted) - mean_absolute_error(truth, close.predicted)
    )


def test_a_worse_model_loses_by_as_much():
    stick, close, far = two_models()

    better, worse = gain("a", close, far, stick, NEW), gain("b", far, close, stick, NEW)

    assert not worse.beyond_chance
    assert worse.r2 == pytest.approx(-better.r2)
    assert worse.r2_interval.high == pytest.approx(-better.r2_interval.low)
    assert worse.mae_interval.high == pytest.approx(-better.mae_interval.low)


def test_the_same_predictions_gain_nothing():
    stick, close, _ = two_models()

    none = gain("a", close, close, stick, NEW)

    assert (none.r2, none.mae) == (0, 0)
    assert none.r2_interval == none.mae_interval == Interval(0, 0)
    assert not none.beyond_chance


def test_a_paired_interval_is_narrower_than_either_model_s_own():
    stick, close, _ = two_models()
    nearly = said(close.predicted + np.random.default_rng(4).normal(0, 0.5, 600))

    paired = gain("a", close, nearly, stick, NEW).r2_interval
    alone = stick.scores(close, NEW).intervals["r2"]

    assert paired.high - paired.low < (alone.high - alone.low) / 2


def test_only_songs_both_were_asked_about_are_compared():
    stick, close, far = two_models()
    far.predicted[:100] = np.nan

    assert gain("a", close, far, stick, NEW).songs == 500


def test_the_original_s_forest_sees_no_artist_no_year_and_no_title():
    columns = model_columns(ready_songs(60))

    hidden = set(columns) - set(original.seen(columns))

    logged = {"duration_ms", "instrumentalness", "liveness", "loudness", "speechiness", "tempo"}
    titles = {name for name in columns if name.startswith("title_")}
    assert hidden == {"artist", "release_year", *logged, *titles}


def test_the_original_s_forest_is_as_it_was():
    columns = model_columns(ready_songs(60))

    forest = original.forest(columns, seed=5).named_steps["model"]

    assert (forest.n_estimators, forest.max_depth, forest.min_samples_split) == (100, 15, 10)
    assert (forest.max_features, forest.random_state) == (30, 5)


def test_the_original_s_forest_takes_all_features_where_there_are_few():
    forest = original.forest(["energy", "log_loudness", "loudness", "artist"], seed=5)

    assert forest.named_steps["model"].max_features == 2


def test_the_original_s_forest_is_asked_about_what_it_was_not_fitted_on():
    songs = ready_songs(SONGS)
    columns = model_columns(songs)
    features = matrix(songs, columns)
    exams = taking.exams_of(songs, features, CONFIGURATION)
    for split in (*exams.new, *exams.known):
        unseen = np.concatenate([split.test, split.calibration])
        popularity = songs["popularity"].to_numpy(dtype=float).copy()
        # A fit that met one of these would fail: scikit-learn takes no NaN for a popularity.
        popularity[unseen] = np.nan
        only = dataclasses.replace(
            exams,
            new=tuple(each for each in exams.new if each is split),
            known=tuple(each for each in exams.known if each is split),
        )
        with bench(features, popularity, seed=7, jobs=1) as fitting:
            candidate = taking.begin_without_history(
                fitting, lambda: original.forest(columns, seed=7), only
            )
            (fit,) = (*candidate.new, *candidate.known)
            assert len(fit.result().predicted) == len(unseen)


def test_every_model_and_the_forest_are_scored_on_the_same_songs(found):
    evaluation, _ = found

    names = {model.name for model in evaluation.models}

    assert names == {"baseline", "linear", "forest", "network", "boosting", original.NAME}
    for protocol in (NEW, KNOWN):
        assert len({model.scores[protocol].songs for model in evaluation.models}) == 1
    maes = [model.new_artists.mae for model in evaluation.models]
    assert maes == sorted(maes)


def test_every_model_is_compared_with_the_forest_under_both_protocols(found):
    evaluation, _ = found
    scores = {model.name: model for model in evaluation.models}

    assert len(evaluation.gains) == 10
    for each in evaluation.gains:
        ours, theirs = (scores[name].scores[each.protocol] for name in (each.model, original.NAME))
        assert each.songs == ours.songs
        assert each.r2 == pytest.approx(ours.r2 - theirs.r2)
        assert each.mae == pytest.approx(theirs.mae - ours.mae)
    bests = [each for each in evaluation.gains if each.model == evaluation.best]
    assert evaluation.better == all(each.beyond_chance for each in bests)


def test_progress_goes_from_preparing_to_the_last_fit_of_the_forest(found):
    _, told = found

    fractions = [fraction for _, fraction in told]

    assert told[0] == ("preparing songs.csv", 0.0)
    assert fractions == sorted(fractions)
    assert told[-1][0].endswith("forest, 2 of 2")
    assert fractions[-1] == pytest.approx(1)


def test_the_json_is_one_object_with_everything(file, found, tmp_path, capsys):
    configuration = tmp_path / "quick.yaml"
    configuration.write_text(QUICK)

    code = main(["--data", str(file), "--configuration", str(configuration), "--format", "json"])

    told = capsys.readouterr()
    assert code == 0
    assert from_json(Evaluation, told.out.encode(), where="stdout") == found[0]
    shown = json.loads(told.out)
    assert set(shown) == {field.name for field in dataclasses.fields(Evaluation)}
    (best,) = (model for model in shown["models"] if model["name"] == shown["best"])
    for protocol in ("new_artists", "known_artists"):
        scores = best[protocol]
        assert {"r2", "mae", "rmse", "spearman", "covered"} <= set(scores)
        assert {"average_precision", "precision", "k"} <= set(scores["hits"])
        assert {"r2", "mae"} <= set(scores["intervals"])
    assert "100% fitted the original" in told.err


def test_the_text_has_scores_gains_and_the_verdict(found):
    evaluation, _ = found

    text = as_text(evaluation)

    assert text.startswith("songs.csv: 300 songs, 60 artists; 90% intervals")
    for name in ("P@k", "covered", "original  new artists", "R2 higher by"):
        assert name in text
    assert f"The best model, {evaluation.best}, is" in text
    assert "Targets" not in text
    assert "would have claimed" in text


@pytest.mark.parametrize(("better", "words"), [(True, "is better"), (False, "is not better")])
def test_the_verdict_says_whether_the_best_model_is_better(found, better, words):
    text = as_text(dataclasses.replace(found[0], better=better))

    assert f"{words} beyond chance under both protocols." in text


def test_the_leak_audit_and_the_targets_are_shown_where_there_are_some(found):
    leak = Claim("forest", "Random forest", claimed=0.5, honest=0.2, shared=0.197, rows=900)
    (best,) = (model for model in found[0].models if model.name == found[0].best)
    met = targets(Promised("a file", {NEW: 0.0, KNOWN: 0.999}), best.scores, interval=0.9)

    text = as_text(dataclasses.replace(found[0], leaks=(leak,), promised="a file", targets=met))

    assert "0.500      0.200       +0.300   19.7%" in text
    lines = {line.split("  ")[0]: line for line in text.splitlines()}
    assert lines["R2, new artists"].endswith("met")
    assert lines["R2, known artists"].endswith("MISSED")
    assert "0.880 to 0.920" in lines["coverage, new artists"]


def test_coverage_is_met_from_two_points_below_to_two_above(found):
    (best,) = (model for model in found[0].models if model.name == found[0].best)
    promise = Promised("a file", {})

    def met(covered):
        scores = {NEW: dataclasses.replace(best.new_artists, covered=covered)}
        (target,) = targets(promise, scores, interval=0.9)
        return target.met

    assert [met(covered) for covered in (0.879, 0.88, 0.9, 0.92, 0.921, None)] == [
        *(False, True, True, True, False, False)
    ]


def test_nothing_is_promised_of_other_files(file):
    assert promised(file.read_bytes()) is None


def test_songs_without_artists_are_compared_as_known_ones_alone():
    evaluation = evaluate(
        to_csv(cleaned_songs(SONGS, artists=0)),
        "songs.csv",
        CONFIGURATION,
        jobs=2,
        tell=lambda *_: None,
    )

    assert {each.protocol for each in evaluation.gains} == {KNOWN}
    assert all(model.new_artists is None for model in evaluation.models)
    assert "beyond chance for known artists." in as_text(evaluation)
    assert json.loads(to_json(evaluation))["models"][0]["new_artists"] is None


def test_a_refused_file_gives_the_reason(tmp_path, capsys):
    path = tmp_path / "list.csv"
    path.write_text("colour,size\nred,3\n")

    code = main(["--data", str(path)])

    told = capsys.readouterr()
    assert code == 1
    assert told.out == ""
    assert "error: list.csv: " in told.err
    assert "popularity" in told.err


def test_a_file_that_is_not_there_is_named(tmp_path, capsys):
    code = main(["--data", str(tmp_path / "none.csv")])

    assert code == 1
    assert "none.csv' cannot be read (No such file or directory)" in capsys.readouterr().err


def test_the_program_gets_no_credentials_and_runs_in_the_trainer_s_environment():
    wanted = script.command(Path("a b.csv"), configuration=None, shape="json")
    env = script.environment({"PATH": "/bin", "AWS_PROFILE": "work", "TRAINER_JOBS": "4"})

    assert wanted[0].endswith(".venv/trainer/bin/python")
    assert wanted[1:] == [
        *("-m", "trainer.evaluate_performance", "--data", "a b.csv", "--format", "json")
    ]
    assert env == {"PATH": "/bin", "TRAINER_JOBS": "4", "PYTHONSAFEPATH": "1"}


def test_a_file_must_be_named(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["evaluate", "--data", ""])

    with pytest.raises(SystemExit):
        script.main()

    assert "DATA names no file" in capsys.readouterr().err
