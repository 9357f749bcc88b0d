"""A run and its report with numbers as a real collection gives them, for the tests of the card."""

import math

from chartbuster.report import Ablated, Bin, Claim, CurvePoint, GenreScore, Report, Tried
from chartbuster.runs import (
    AttributeRange,
    HitScores,
    Inputs,
    Interval,
    ModelEntry,
    RunManifest,
    Scores,
    best_model,
)

_GENRES = (
    ("Pop", 1_640, 6.1, 6.3),
    ("Children's Music", 1_210, 11.9, 16.2),
    ("Hip-Hop", 1_105, 5.8, 6.0),
    ("Alternative", 1_020, 6.4, 6.6),
    ("Rock", 980, 7.0, 7.4),
    ("R&B", 935, 6.6, 6.9),
    ("Soundtrack", 900, 7.3, 7.9),
    ("Classical", 870, 8.8, 9.6),
    ("Comedy", 862, 5.2, 5.1),
    ("Movie", 760, 7.7, 9.1),
    ("Anime", 702, 6.9, 7.7),
    ("Opera", 655, 6.7, 7.1),
    ("Reggaeton", 612, 8.0, 8.4),
    ("A Capella", 12, 9.4, 9.1),
)


def _scores(mae: float, *, covered: float | None = 0.897, songs: int = 20_000) -> Scores:
    r2 = 1 - (mae * 1.33 / 17.5) ** 2
    near = 0.012 * mae
    measured = covered is not None
    hits = HitScores(
        hits=songs // 20,
        average_precision=0.41,
        k=songs // 20,
        precision=0.44,
        brier=0.036,
        calibration_error=0.008,
    )
    intervals = {
        "mae": Interval(mae - near, mae + near),
        "r2": Interval(r2 - 0.013, r2 + 0.011),
        "rmse": Interval(mae * 1.33 - near, mae * 1.33 + near),
        "spearman": Interval(0.795, 0.826),
        "covered": Interval(0.884, 0.909),
        "average_precision": Interval(0.37, 0.45),
        "precision": Interval(0.40, 0.48),
        "brier": Interval(0.033, 0.039),
        "calibration_error": Interval(0.006, 0.012),
    }
    return Scores(
        r2=r2,
        mae=mae,
        rmse=mae * 1.33,
        spearman=0.811,
        songs=songs,
        covered=covered,
        width=31.4 if measured else None,
        hits=hits if measured else None,
        intervals=intervals if measured else {},
    )


def made_up_run(*, new_artists: bool = True, measured: bool = True) -> RunManifest:
    """A run of five models; gradient boosting is the best.

    Without `new_artists` the data names no artist, without `measured` scores are those that older
    runs have: no interval of any kind, no hits.
    """
    covered = 0.897 if measured else None
    figures = (
        ("baseline", "Genre mean", 7.58, 7.68, 4_200),
        ("linear", "Linear (ridge)", 7.51, 6.99, 9_800),
        ("forest", "Random forest", 7.42, 6.71, 22_400_000),
        ("network", "Neural network", 7.39, 6.80, 210_000),
        ("boosting", "Gradient boosting", 7.17, 6.35, 712_000),
    )
    models = tuple(
        ModelEntry(
            name=name,
            title=title,
            file=f"models/{name}.skops",
            bytes=size,
            fit_seconds=size**0.25,
            new_artists=_scores(new, covered=covered) if new_artists else None,
            known_artists=_scores(known, covered=covered),
        )
        for name, title, new, known, size in figures
    )
    return RunManifest(
        run_id="9b1c" * 16,
        attempt="first",
        dataset="spotify-2019",
        dataset_version="4e5f" * 16,
        uploads=("a" * 64, "b" * 64),
        created="2026-11-23T18:52:10+00:00",
        seconds=312.4,
        songs=20_000,
        artists=6_841 if new_artists else 0,
        code="c0de" * 16,
        lock="10c4" * 16,
        schema_version=1,
        configuration={"seed": 7, "folds": 5, "models": {"boosting": {"trees": 250}}},
        columns=("danceability", "energy", "genre=Pop"),
        inputs=Inputs(
            audio={
                "duration_ms": AttributeRange(15_387, 5_552_917, 220_427),
                "loudness": AttributeRange(-52.457, 3.744, -7.762),
                "valence": AttributeRange(0, 1, 0.444),
            },
            release_year=AttributeRange(1957, 2019, 2014),
            key="C",
            mode="Major",
            time_signature="4/4",
            genres=tuple(name for name, *_ in _GENRES),
            genre_defaults={},
        ),
        models=models,
        best=best_model(models),
        files={},
    )


def made_up_report() -> Report:
    """What `made_up_run` found out about its best model."""
    return Report(
        model="boosting",
        interval=0.9,
        hit_from=68.0,
        leaks=(
            Claim("forest", "Random forest", 0.739, 0.652, 0.197, 16_000),
            Claim("boosting", "Gradient boosting", 0.721, 0.667, 0.197, 16_000),
        ),
        ablation=(
            Ablated("genre", "new artists", 7.17, 11.2, Interval(3.71, 4.36), 4_000),
            Ablated("genre", "known artists", 6.35, 7.05, Interval(0.58, 0.83), 4_000),
            Ablated("artist", "known artists", 6.35, 7.30, Interval(0.84, 1.07), 4_000),
            Ablated("artist", "new artists", 7.17, 7.16, Interval(-0.05, 0.03), 4_000),
            Ablated("title flags", "new artists", 7.17, 7.25, Interval(0.03, 0.13), 4_000),
        ),
        learning_curve=tuple(
            CurvePoint(protocol, songs, least + 60 / math.sqrt(songs), 0.69 - 6 / math.sqrt(songs))
            for protocol, least in (("new artists", 6.7), ("known artists", 5.8))
            for songs in (1_000, 2_000, 4_000, 8_000, 16_000)
        ),
        genres=tuple(
            GenreScore(name, songs, mae, mean, 0.3 - mae / 20, 0.93 - mae / 150, 4 * mae)
            for name, songs, mae, mean in _GENRES
        ),
        reliability=tuple(
            Bin(said, min(1.0, said * 1.1), songs)
            for said, songs in (
                (0.002, 9_000),
                (0.02, 4_000),
                (0.08, 3_000),
                (0.2, 2_000),
                (0.42, 1_200),
                (0.71, 800),
            )
        ),
        predicted_against_actual=tuple(
            tuple(
                round(900 * math.exp(-(((n - m) / 2.2) ** 2) - ((n - 8) / 5) ** 2))
                for m in range(20)
            )
            for n in range(20)
        ),
        importances={
            "genre": 4.2,
            "acousticness": 0.31,
            "loudness": 0.24,
            "duration_ms": 0.12,
            "title_remix": 0.05,
            "valence": 0.04,
            "tempo": -0.004,
        },
        search=(
            Tried("boosting", {"rate": 0.06, "leaves": 24}, 13_000, 7.21, chosen=True),
            Tried("boosting", {"rate": 0.2, "leaves": 60}, 4_000, 7.66, chosen=False),
        ),
        search_note="The search was stopped after 60 seconds with 2 of 12 candidates compared.",
    )
