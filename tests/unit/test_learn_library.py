"""The songs of a run are found by name, by likeness and by chance."""

import io
import random
import time
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chartbuster.errors import Corrupt, InvalidSong, NotFound
from chartbuster.known_songs import KnownSong
from chartbuster.learn.catalogue import catalogue
from chartbuster.learn.dataset import inputs_of, merged
from chartbuster.learn.library import Library
from chartbuster.runs import AttributeRange, Inputs
from chartbuster.scoring import completed, song_table
from chartbuster.songs import AUDIO, AUDIO_NAMES
from tests.unit.made_up_songs import ready_songs

GENRES = ("Folk", "Pop", "Rock")
INPUTS = Inputs(
    audio={a.name: AttributeRange(a.low, a.high, (a.low + a.high) / 2) for a in AUDIO},
    release_year=AttributeRange(1960.0, 2019.0, 2005.0),
    key="C",
    mode="Major",
    time_signature="4/4",
    genres=GENRES,
    genre_defaults={},
)
TYPICAL: dict[str, Any] = {
    **{name: seen.default for name, seen in INPUTS.audio.items()},
    "key": "C",
    "mode": "Major",
}
MISSING: dict[str, Any] = {
    **dict.fromkeys((*AUDIO_NAMES, "release_year")),
    **dict.fromkeys(("artist", "title", "key", "mode", "time_signature")),
    "genres": [],
}


def parquet(*songs: dict[str, Any]) -> bytes:
    """Songs as a run stores them; what one does not say is missing, its popularity falls."""
    rows = [
        {"song_id": f"s{n}", "popularity": 90.0 - n, **MISSING, **song}
        for n, song in enumerate(songs)
    ]
    kinds: dict[str, Any] = dict.fromkeys(rows[0], pa.string()) if rows else {}
    kinds |= dict.fromkeys(("popularity", "release_year", *AUDIO_NAMES), pa.float64())
    written = io.BytesIO()
    schema = pa.schema((name, kinds[name]) for name in kinds if name != "genres")
    schema = schema.append(pa.field("genres", pa.list_(pa.string())))
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), written)
    return written.getvalue()


def library(*songs: dict[str, Any], inputs: Inputs = INPUTS) -> Library:
    return Library.read(parquet(*songs), inputs)


def called(artist: str | None, title: str | None, **more: Any) -> dict[str, Any]:
    return {"artist": artist, "title": title, **more}


def titles(found: tuple[KnownSong, ...]) -> list[str | None]:
    return [song.title for song in found]


SHELF = library(
    called("The Beatles", "Yesterday"),
    called("Beyoncé", "Déjà Vu"),
    called("Queen; David Bowie", "Under Pressure"),
    called("ABBA", "Dancing Queen"),
    called("Sigur Rós", "Hoppípolla"),
    called("Guns N' Roses", "Sweet Child O' Mine"),
    called("Mø", "Final Song"),
    called("Ed Sheeran", "÷"),
    called("Queen", "Don't Stop Me Now"),
    called("Somebody", "Queen of Hearts"),
    called("Nobody", "Queen"),
    called("Die Ärzte", "Westerland"),
    called("坂本 九", "上を向いて歩こう"),
)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("yesterday", "Yesterday"),
        ("YESTERDAY BEATLES", "Yesterday"),
        ("beatles yest", "Yesterday"),
        ("  beatles\t–  yesterday ", "Yesterday"),
        ("beyonce deja", "Déjà Vu"),
        ("Déjà", "Déjà Vu"),
        ("hoppipolla", "Hoppípolla"),
        ("guns n roses", "Sweet Child O' Mine"),
        ("sweet child o’ mine", "Sweet Child O' Mine"),
        ("dont stop", "Don't Stop Me Now"),
        ("mo final", "Final Song"),
        ("÷", "÷"),
        ("ärzte", "Westerland"),
        ("arzte", "Westerland"),
        ("david bowie", "Under Pressure"),
        ("上を向いて", "上を向いて歩こう"),
    ],
)
def test_a_song_is_found_by_words_of_title_and_artist_however_they_are_typed(text, title):
    assert titles(SHELF.search(text)) == [title]


@pytest.mark.parametrize("text", ["", "   ", "\n", "yesterday nowhere", "esterday", "beatless"])
def test_no_words_and_words_no_song_has_find_nothing(text):
    assert SHELF.search(text) == ()


def test_what_is_called_exactly_so_comes_first_then_what_begins_so_and_the_artists_songs():
    assert titles(SHELF.search("queen")) == [
        "Queen",
        "Under Pressure",
        "Don't Stop Me Now",
        "Queen of Hearts",
        "Dancing Queen",
    ]


def test_among_equals_the_more_popular_comes_first_and_no_more_than_asked_for():
    found = library(*(called(f"Band {n}", f"Love {n}", popularity=n) for n in range(30))).search(
        "love", most=3
    )

    assert [song.popularity for song in found] == [29.0, 28.0, 27.0]


def test_of_songs_with_one_name_the_most_popular_is_found():
    shelf = library(
        called("Band", "Song", popularity=3.0),
        called("band", "Song ", popularity=50.0),
        called("Other", "Song", popularity=7.0),
    )

    assert [song.popularity for song in shelf.search("song")] == [50.0, 7.0]


@given(text=st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_no_text_makes_a_search_fail(text):
    assert len(SHELF.search(text)) <= 13


def test_a_known_song_says_what_its_run_knows_of_it_and_can_be_asked_about():
    songs = merged([ready_songs(300, artists=40)])
    inputs = inputs_of(songs)
    shelf = Library.read(catalogue(songs), inputs)

    for row in songs.sample(20, random_state=1).to_dict("records"):
        song = shelf.song(row["song_id"])
        assert song.popularity == row["popularity"]
        assert set(song.genres) == {g for g in inputs.genres if row[f"genre={g}"] == 1}
        used = completed(song.asked, inputs)
        for name in AUDIO_NAMES:
            assert used[name] == pytest.approx(row[name], rel=1e-6)
        assert row[f"key={used['key']}"] == 1
        assert row[f"mode={used['mode']}"] == 1
        again = song_table([song.asked], inputs).iloc[0]
        assert again["artist"] == row["artist"]
        assert again["title"] == row["title"]


def test_a_number_is_as_it_was_typed_though_it_is_kept_in_single_precision():
    values = {"energy": 0.7, "loudness": -7.013, "duration_ms": 222_973.0, "tempo": 119.99}
    song = library(called("A", "B", **values)).song("s0")

    assert dict(song.attributes) == values


def test_a_known_song_asks_only_for_what_the_run_knows():
    inputs = Inputs({"energy": INPUTS.audio["energy"]}, None, None, "Major", None, ("Pop",), {})
    song = library(
        called("A", "B", energy=0.7, tempo=99.0, key="C", mode="Minor", genres=["Gone", "Pop"]),
        inputs=inputs,
    ).song("s0")

    assert song.asked == {
        "artist": "A",
        "title": "B",
        "genre": ["Pop"],
        "energy": 0.7,
        "mode": "Minor",
    }
    assert completed(song.asked, inputs)["mode"] == "Minor"


def test_a_song_of_which_nothing_is_said_is_still_a_song():
    song = library({"song_id": "bare"}).song("bare")

    assert song.name == "bare"
    assert song.asked == {}
    assert library({"song_id": "bare"}).nearest({})[0].song.song_id == "bare"


def test_a_song_is_called_by_artist_and_title_as_far_as_there_are_some():
    names = [
        library(called(artist, title)).song("s0").name
        for artist, title in (("A; B", "T"), ("A", None), (None, "T"))
    ]

    assert names == ["A, B – T", "A", "T"]


def test_a_song_that_is_not_there_is_named():
    with pytest.raises(NotFound, match="no song 'gone'"):
        SHELF.song("gone")


def spread(**more: Any) -> list[dict[str, Any]]:
    """101 songs with energy from 0 to 1, otherwise typical."""
    return [
        {**TYPICAL, **called(f"Artist {n}", "T"), "energy": n / 100, **more} for n in range(101)
    ]


def test_the_nearest_songs_are_those_whose_attributes_are_nearest():
    near = library(*spread()).nearest({**TYPICAL, "energy": 0.503}, most=3)

    assert [n.song.attributes["energy"] for n in near] == [0.5, 0.51, 0.49]
    # The middle nine tenths of the songs reach from 0.05 to 0.95.
    assert [n.distance * 0.9 for n in near] == pytest.approx([0.003, 0.007, 0.013], rel=1e-4)


def test_a_song_is_not_its_own_neighbour_nor_are_others_of_its_name():
    songs = [*spread(), {**spread()[50], "song_id": "copy", "popularity": 1.0}]
    shelf = library(*songs)

    for left_out in ("s50", "copy"):
        near = shelf.nearest(shelf.song("s50").asked, most=2, without=left_out)
        assert {n.song.attributes["energy"] for n in near} == {0.49, 0.51}
    assert len(shelf.nearest({}, without="gone")) == 6


def test_several_songs_of_one_name_are_one_neighbour():
    shelf = library(*({**song, "artist": f"A {n // 20}"} for n, song in enumerate(spread())))

    near = shelf.nearest({**TYPICAL, "energy": 0.0}, most=10)

    assert [n.song.name for n in near] == [f"A {n} – T" for n in range(6)]


def test_a_song_of_another_genre_is_a_quarter_farther_and_no_nearer_one_is_missed():
    songs = spread(genres=["Rock"])
    # Many Rock songs are nearer than the Pop song, but not by a quarter.
    songs += [{**TYPICAL, **called("P", "T"), "energy": 0.7, "genres": ["Pop", "Folk"]}]
    near = library(*songs).nearest({**TYPICAL, "energy": 0.5, "genre": "Pop"}, most=2)

    assert near[0].song.genres == ("Pop", "Folk")
    assert near[0].distance == pytest.approx(0.2 / 0.9, rel=0.05)
    assert near[1].distance == pytest.approx(0.25, rel=1e-4)


def test_neighbours_are_those_that_measuring_every_song_finds():
    draw = np.random.default_rng(4)
    songs = [
        {
            **{a.name: draw.uniform(a.low, a.high) for a in AUDIO},
            **called(f"A {n}", "T"),
            "genres": [str(draw.choice(GENRES))],
            "key": "C",
            "mode": "Major",
        }
        for n in range(400)
    ]
    shelf = library(*songs)
    asked = {**songs[7], "genre": "Folk"}
    del asked["genres"]
    columns = np.array([[song[name] for name in AUDIO_NAMES] for song in songs])
    spans = np.subtract(*np.quantile(columns, (0.95, 0.05), axis=0))
    far = np.sqrt((((columns - columns[7]) / spans) ** 2).sum(axis=1))
    far += [0.0 if song["genres"] == ["Folk"] else 0.25 for song in songs]

    near = shelf.nearest(asked, most=20)

    assert [n.song.song_id for n in near] == [f"s{n}" for n in np.argsort(far)[:20]]
    assert [n.distance for n in near] == pytest.approx(np.sort(far)[:20], rel=1e-4, abs=1e-6)


def test_key_and_mode_count_a_little():
    songs = [
        {**TYPICAL, **called(f"{key} {mode}", "T"), "key": key, "mode": mode}
        for key in ("C", "G", "F#")
        for mode in ("Major", "Minor")
    ]
    near = library(*songs).nearest({**TYPICAL, "key": "C", "mode": "Major"})

    assert [(n.song.artist, round(n.distance, 3)) for n in near] == [
        ("C Major", 0.0),
        ("G Major", 0.065),
        ("C Minor", 0.25),
        ("F# Major", 0.25),
        ("G Minor", 0.258),
        ("F# Minor", 0.354),
    ]


def test_what_is_not_known_of_a_song_is_taken_as_typical():
    shelf = library(called("Silent", "T"), {**TYPICAL, **called("Typical", "T"), "energy": 0.9})

    assert [n.song.artist for n in shelf.nearest(TYPICAL)] == ["Silent", "Typical"]


def test_neighbours_of_an_impossible_song_are_refused():
    with pytest.raises(InvalidSong, match="energy is 3"):
        SHELF.nearest({"energy": 3})


def test_songs_are_drawn_by_chance_and_the_same_chance_draws_the_same():
    drawn = [SHELF.drawn(random.Random(seed)).song_id for seed in range(100)]

    assert len(set(drawn)) == 13
    assert SHELF.drawn(random.Random(3)).song_id == drawn[3]


def test_an_empty_catalogue_has_no_songs_to_find():
    empty = Library.read(catalogue(merged([ready_songs(40, artists=9)]).iloc[:0]), INPUTS)

    assert len(empty) == 0
    assert empty.search("love") == ()
    assert empty.nearest({}) == ()
    with pytest.raises(NotFound, match="empty"):
        empty.drawn(random.Random(1))


def test_what_is_no_catalogue_is_refused():
    with pytest.raises(Corrupt, match="no Parquet file"):
        Library.read(b"PAR1 nothing", INPUTS)
    lacking = io.BytesIO()
    pq.write_table(pa.table({"song_id": ["a"]}), lacking)
    with pytest.raises(Corrupt, match="lacks the columns artist, title"):
        Library.read(lacking.getvalue(), INPUTS)
    odd = pq.read_table(io.BytesIO(parquet({}))).set_column(1, "popularity", pa.array(["much"]))
    written = io.BytesIO()
    pq.write_table(odd, written)
    with pytest.raises(Corrupt, match="columns of another kind"):
        Library.read(written.getvalue(), INPUTS)


def test_a_search_among_many_songs_takes_no_time_one_would_notice():
    draw = random.Random(5)
    words = [f"{a}{b}{c}" for a in "bdfgklm" for b in "aeiou" for c in ("", "n", "st", "rk")]
    shelf = library(
        *(
            called(" ".join(draw.choices(words, k=2)), " ".join(draw.choices(words, k=3)))
            for _ in range(20_000)
        )
    )

    took = []
    for text in ("ba", "b d", "bast", "bast dink mork"):
        began = time.perf_counter()
        shelf.search(text)
        took.append(time.perf_counter() - began)

    assert min(took) < 0.03
