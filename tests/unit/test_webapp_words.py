"""Figures on the page are put into sentences that say what they mean, and HTML stays ours."""

import dataclasses

import pytest

from chartbuster import wording
from chartbuster.memory import InMemoryStore
from chartbuster.registry import ModelEntry, Scores
from tests.unit.webapp_store import published
from webapp import words

SCORES = Scores(r2=0.6, mae=6.94, rmse=9.0, spearman=0.7, songs=100)
ENTRY = ModelEntry("boosting", "Gradient boosting", "m", 1, 1.0, SCORES, None)


def test_the_error_is_said_with_the_songs_it_was_measured_on() -> None:
    known = dataclasses.replace(ENTRY, new_artists=None, known_artists=SCORES)
    neither = dataclasses.replace(ENTRY, new_artists=None)

    assert "artists it had never heard" in words.measured_on(ENTRY)
    assert "6.9 points" in words.measured_on(ENTRY)
    assert "songs it had never heard" in words.measured_on(known)
    assert "could not be measured" in words.measured_on(neither)
    assert words.off_by(neither) == "not measured"


@pytest.mark.parametrize(
    ("popularity", "mean", "genre", "says"),
    [
        (67.0, 64.0, "Pop", "**3.0 points above** the mean of Pop, 64.0."),
        (60.0, 64.04, "Pop", "**4.0 points below** the mean of Pop, 64.0."),
        (52.75, 45.03, "Pop", "**7.8 points above** the mean of Pop, 45.0."),
        (64.0, 64.01, None, "Exactly the mean of all songs, 64.0."),
        (64.0, None, "Pop", ""),
    ],
)
def test_the_prediction_is_said_beside_the_genres_mean(
    popularity: float, mean: float | None, genre: str | None, says: str
) -> None:
    assert words.beside_the_mean(popularity, mean, genre) == says


def test_a_moment_is_said_in_utc_and_nonsense_is_left_as_it_is() -> None:
    assert wording.moment("2026-11-23T19:52:00+01:00") == "23 November 2026, 18:52 UTC"
    assert wording.moment("soon") == "soon"


def test_a_run_without_artists_does_not_claim_any() -> None:
    run = published(InMemoryStore())

    assert wording.learnt_from(dataclasses.replace(run, songs=20_000, artists=0)) == "20,000 songs"
    assert wording.learnt_from(dataclasses.replace(run, songs=20_000, artists=3_100)) == (
        "20,000 songs by 3,100 artists"
    )
