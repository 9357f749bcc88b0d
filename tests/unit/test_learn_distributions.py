"""What the songs of a catalogue look like."""

import io

import numpy as np
import pyarrow.parquet as pq
import pytest

from chartbuster.demo import as_csv, generate
from chartbuster.errors import Corrupt
from chartbuster.features import read_ready
from chartbuster.learn.catalogue import catalogue
from chartbuster.learn.dataset import merged
from chartbuster.learn.distributions import Histogram, distributions
from chartbuster.preparing import prepare
from chartbuster.songs import AUDIO_NAMES, KEYS


def catalogue_of(csv: bytes) -> bytes:
    return catalogue(merged([read_ready(prepare(csv, "songs.csv").ready)]))


def of(found: tuple[Histogram, ...], name: str) -> Histogram:
    return next(each for each in found if each.name == name)


@pytest.fixture(scope="module")
def demo() -> bytes:
    return catalogue_of(as_csv(generate(500, seed=3)))


def test_every_song_is_in_a_bin_beyond_the_ends_or_missing(demo):
    found = distributions(demo)

    assert found.songs == 500
    assert [each.name for each in found.numbers] == list(AUDIO_NAMES)
    for each in (found.popularity, *found.numbers):
        assert sum(each.counts) + each.below + each.above + each.missing == 500
        assert len(each.edges) == len(each.counts) + 1
        assert each.low <= each.quarters[1] <= each.high
    for words in found.words:
        assert sum(words.counts.values()) + words.missing == 500


def test_the_counts_are_those_of_the_catalogue(demo):
    songs = pq.read_table(io.BytesIO(demo)).to_pandas()

    found = distributions(demo)

    energy = of(found.numbers, "energy")
    assert (energy.low, energy.high) == (0, 1)
    assert energy.counts == tuple(np.histogram(songs["energy"], bins=20, range=(0, 1))[0])
    (key, *_) = found.words
    assert list(key.counts) == list(KEYS)
    assert key.counts["C#"] == (songs["key"] == "C#").sum()
    pop = next(each for each in found.genres if each.genre == "Pop")
    its = songs[songs["genres"].map(lambda names: "Pop" in names)]["popularity"]
    assert pop.songs == len(its)
    assert pop.mean == pytest.approx(its.mean())
    assert pop.quarters[1] == its.median()


def test_a_song_counts_in_each_of_its_genres_and_one_without_any_is_counted_too():
    found = distributions(
        catalogue_of(
            b"track_id,popularity,genre,tempo\na,10,Pop,100\na,10,Rock,100\nb,30,Pop,\nc,50,,90\n"
        )
    )

    assert [(each.genre, each.songs, each.mean) for each in found.genres] == [
        ("Pop", 2, 20),
        ("Rock", 1, 10),
    ]
    assert found.without_genre == 1
    assert of(found.numbers, "tempo").missing == 1


def test_attributes_no_song_has_are_left_out():
    found = distributions(catalogue_of(b"track_id,popularity,tempo\na,10,100\nb,20,100\n"))

    assert [each.name for each in found.numbers] == ["tempo"]
    assert found.words == ()
    assert found.genres == ()
    assert found.without_genre == 2


def test_one_value_in_all_songs_is_one_bin_around_it():
    found = distributions(catalogue_of(b"track_id,popularity,tempo\na,10,100\nb,20,100\n"))

    tempo = of(found.numbers, "tempo")
    assert (tempo.low, tempo.high, tempo.counts) == (99.5, 100.5, (2,))


def test_a_far_off_song_does_not_squeeze_the_others():
    rows = "".join(f"s{n},50,{200 + n % 40}\n" for n in range(1_000))
    found = distributions(
        catalogue_of(f"track_id,popularity,duration_s\n{rows}x,50,7000\n".encode())
    )

    length = of(found.numbers, "duration_ms")
    assert length.high < 300_000
    assert length.above == 1


def test_bins_of_years_hold_whole_years():
    rows = "".join(f"s{n},50,{1950 + n % 70}\n" for n in range(700))
    found = distributions(catalogue_of(f"track_id,popularity,year\n{rows}".encode()))

    years = of(found.numbers, "release_year")
    assert all(edge == int(edge) for edge in years.edges)
    assert sum(years.counts) == 700
    assert years.low == 1950
    assert years.high >= 2020


@pytest.mark.parametrize("body", [b"", b"PAR1 cut short PAR1"])
def test_what_is_no_catalogue_is_corrupt(body):
    with pytest.raises(Corrupt, match="song catalogue"):
        distributions(body)


def test_a_table_of_something_else_is_corrupt(demo):
    written = io.BytesIO()
    pq.write_table(pq.read_table(io.BytesIO(demo)).select(["artist", "title"]), written)

    with pytest.raises(Corrupt, match="song catalogue"):
        distributions(written.getvalue())
