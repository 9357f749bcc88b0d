"""The model card: what it says of a run, and that it stands by itself."""

import dataclasses
import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import chartbuster.card
from chartbuster.card import model_card
from chartbuster.records import from_json, to_json
from chartbuster.report import Report
from chartbuster.runs import BASELINE, HitScores, Interval, RunManifest
from tests.unit.made_up_run import made_up_report, made_up_run

_STYLE = Path(chartbuster.card.__file__).with_name("style.css").read_text(encoding="utf-8")
_HOSTILE = """<script>alert(1)</script>"'&<img src=x onerror=alert(2)>"""


class _Page(HTMLParser):
    """A page taken apart; fails on a tag that is closed wrongly or not at all."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str]] = []
        self.headings: dict[str, str] = {}
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        self.attributes += [(name, value or "") for name, value in attrs]
        assert len({name for name, _ in attrs}) == len(attrs), f"{tag} says something twice"
        if tag == "h2":
            self.headings[dict(attrs)["id"]] = ""
        if tag not in {"meta", "br"}:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)
        if self._open and self._open[-1] == "h2":
            self.headings[list(self.headings)[-1]] += data

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))

    def of(self, name: str) -> list[str]:
        return [value for found, value in self.attributes if found == name]


def _card(run: RunManifest | None = None, report: Report | None = None) -> _Page:
    return _Page(model_card(run or made_up_run(), report or made_up_report()))


def _with_best(run: RunManifest, **changes) -> RunManifest:
    models = tuple(
        dataclasses.replace(entry, **changes) if entry.name == run.best else entry
        for entry in run.models
    )
    return dataclasses.replace(run, models=models)


def _with_scores(run: RunManifest, **changes) -> RunManifest:
    best = run.model(run.best)
    assert best.new_artists
    assert best.known_artists
    return _with_best(
        run,
        new_artists=dataclasses.replace(best.new_artists, **changes),
        known_artists=dataclasses.replace(best.known_artists, **changes),
    )


def test_the_verdict_is_one_sentence_with_known_artists_debuts_and_guessing():
    assert (
        "On a scale from 0 to 100, Gradient boosting is off on average by 6.3 points for a song "
        "by an artist it knows and 7.2 points for a debut, where guessing the genre's average is "
        "off by 7.7 and 7.6."
    ) in _card().text


def test_without_artists_nobody_is_new_and_the_card_says_so():
    page = _card(made_up_run(new_artists=False))

    assert "off on average by 6.3 points for a song it never met, where" in page.text
    assert "debut" not in page.text
    assert "New artists: not available, because the data names no artists." in page.text


def test_without_genres_guessing_means_the_average_of_all_songs():
    run = made_up_run()
    run = dataclasses.replace(run, inputs=dataclasses.replace(run.inputs, genres=()))

    assert "guessing the average of all songs is off by" in _card(run).text


def test_a_model_worse_than_guessing_is_said_to_be():
    run = made_up_run()
    best = run.model(run.best)
    assert best.known_artists
    worse = dataclasses.replace(best.known_artists, mae=8.1)

    page = _card(_with_best(run, known_artists=worse))

    assert "0.4 worse than guessing" in page.text
    assert "0.4 better than guessing" in page.text


def test_when_the_baseline_is_best_the_verdict_is_that_no_model_was_better():
    run = dataclasses.replace(made_up_run(), best=BASELINE)
    report = dataclasses.replace(made_up_report(), model=BASELINE)

    text = _card(run, report).text

    assert "No model was better than guessing the genre's average" in text
    assert "than guessing (" not in text


def test_a_model_that_could_not_be_tested_gets_no_number():
    text = _card(_with_best(made_up_run(), new_artists=None, known_artists=None)).text

    assert "How good Gradient boosting is could not be measured on this data." in text


def test_synthetic_songs_are_said_to_say_nothing_about_music():
    page = _card(dataclasses.replace(made_up_run(), dataset="demo"))

    assert "says nothing about real music" in page.text
    assert "says nothing about real music" not in _card().text


def test_its_sections_come_in_order_and_the_contents_lead_to_each():
    page = _card()

    assert list(page.headings) == [
        "against",
        "interval",
        "hits",
        "genres",
        "learning",
        "models",
        "leaks",
        "ablation",
        "importances",
        "data",
        "configuration",
        "limits",
    ]
    assert page.of("href") == [f"#{name}" for name in page.headings]


@pytest.mark.parametrize(
    ("field", "section"),
    [
        ("leaks", "leaks"),
        ("ablation", "ablation"),
        ("learning_curve", "learning"),
        ("genres", "genres"),
        ("predicted_against_actual", "against"),
    ],
)
def test_a_section_without_figures_is_left_out(field, section):
    nothing: dict[str, Any] = {field: ()}
    page = _card(report=dataclasses.replace(made_up_report(), **nothing))

    assert section not in page.headings
    assert len(page.headings) == 11


def test_without_importances_nothing_is_said_of_what_the_model_leans_on():
    page = _card(report=dataclasses.replace(made_up_report(), importances={}))

    assert "importances" not in page.headings


def test_no_songs_predicted_are_no_plot_of_predictions():
    nothing = tuple((0,) * 20 for _ in range(20))
    page = _card(report=dataclasses.replace(made_up_report(), predicted_against_actual=nothing))

    assert "against" not in page.headings


def test_a_run_without_a_report_has_a_card_of_its_scores():
    page = _Page(model_card(made_up_run(measured=False), None))

    assert list(page.headings) == [
        "interval",
        "hits",
        "models",
        "data",
        "configuration",
        "limits",
    ]
    assert "This run left no report" in page.text
    assert "gives no interval with its predictions" in page.text
    assert "Intervals are of" not in page.text


def test_a_report_about_another_model_is_refused():
    report = dataclasses.replace(made_up_report(), model="forest")

    with pytest.raises(ValueError, match="'forest'; expected the run's best model 'boosting'"):
        model_card(made_up_run(), report)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.84, 0.88, "holds too few"),
        (0.88, 0.91, "does, as far as these songs can tell"),
        (0.92, 0.95, "holds more than that"),
    ],
)
def test_the_interval_is_judged_by_what_it_wanted_to_hold(low, high, verdict):
    run = _with_scores(
        made_up_run(), covered=(low + high) / 2, intervals={"covered": Interval(low, high)}
    )

    text = _card(run).text

    assert f"For new artists it {verdict}" in text
    assert f"For known artists it {verdict}" in text


def test_the_leak_audit_quotes_the_best_model_s_claim():
    assert (
        "A random split of rows would have claimed an R² of 0.721 for Gradient boosting; with no "
        "artist on both sides it is 0.667."
    ) in _card().text


def test_the_table_beside_the_predictions_holds_every_song_once():
    counts = [[0] * 20 for _ in range(20)]
    counts[0][0], counts[1][3], counts[19][19] = 95, 5, 7
    report = dataclasses.replace(
        made_up_report(), predicted_against_actual=tuple(map(tuple, counts))
    )

    text = _card(report=report).text

    # 95 songs of 0 to 5 and five of 15 to 20: 95 times 2.5 and five times 17.5 are 3.25 a song.
    assert "0 to 10 100 3 0 to 5 90 to 100 7 98 95 to 100" in text


def test_many_genres_are_cut_to_those_with_the_most_songs():
    report = made_up_report()
    one = report.genres[0]
    many = tuple(
        dataclasses.replace(one, genre=f"genre {n:03}", songs=1_000 - n) for n in range(114)
    )

    text = _card(report=dataclasses.replace(report, genres=many)).text

    assert "Shown are the 24 genres with the most songs." in text
    assert "genre 023" in text
    assert "genre 024" not in text


def test_limits_name_genres_that_are_no_better_than_their_mean_but_none_of_a_dozen_songs():
    (limit,) = re.findall(r"It is no better than the genre's mean in ([^.]*)\.", _card().text)

    assert limit == "Comedy"


def test_limits_name_genres_whose_interval_holds_too_few():
    report = made_up_report()
    genres = tuple(
        dataclasses.replace(each, covered=0.7 if each.genre in {"Opera", "A Capella"} else 0.9)
        for each in report.genres
    )

    text = _card(report=dataclasses.replace(report, genres=genres)).text

    assert "clearly less often in Opera." in text


def test_hits_are_only_doubted_where_most_of_the_surest_are_none():
    run = made_up_run()
    hits = HitScores(900, 0.8, 900, 0.75, 0.01, 0.005)

    assert "only 44 % are" in _card(run).text
    assert "Do not trust it to name hits" not in _card(_with_scores(run, hits=hits)).text


def test_equal_runs_give_equal_bytes_whatever_the_order_of_their_mappings():
    run, report = made_up_run(), made_up_report()
    stored = from_json(RunManifest, to_json(run), where="here")
    stored_report = from_json(Report, to_json(report), where="here")

    assert model_card(run, report) == model_card(run, report)
    assert model_card(stored, stored_report) == model_card(run, report)


def test_no_text_of_the_data_becomes_markup():
    run, report = made_up_run(), made_up_report()
    baseline, *others = run.models
    hostile = dataclasses.replace(
        run,
        dataset=_HOSTILE,
        dataset_version=_HOSTILE,
        run_id=_HOSTILE,
        created=_HOSTILE,
        code=_HOSTILE,
        lock=_HOSTILE,
        configuration={_HOSTILE: [_HOSTILE]},
        inputs=dataclasses.replace(
            run.inputs, audio={_HOSTILE: run.inputs.audio["valence"]}, genres=(_HOSTILE,)
        ),
        models=(baseline, *(dataclasses.replace(each, title=_HOSTILE) for each in others)),
    )
    hostile_report = dataclasses.replace(
        report,
        leaks=tuple(dataclasses.replace(each, title=_HOSTILE) for each in report.leaks),
        ablation=tuple(dataclasses.replace(each, group=_HOSTILE) for each in report.ablation[:1]),
        genres=tuple(dataclasses.replace(each, genre=_HOSTILE) for each in report.genres),
        importances={_HOSTILE: 1.0},
        search=tuple(dataclasses.replace(each, settings={_HOSTILE: 1.0}) for each in report.search),
        search_note=_HOSTILE,
    )

    page = _card(hostile, hostile_report)

    assert page.tags["script"] == page.tags["img"] == 0
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    shown = page.text.count(re.sub(r"\s+", " ", _HOSTILE))
    assert shown > 20


def test_the_page_stands_by_itself():
    page = _card()
    said = model_card(made_up_run(), made_up_report())

    assert not page.tags.keys() & {"script", "img", "link", "iframe", "object", "embed", "image"}
    assert not {"src", "srcset", "style", "xlink:href"} & {name for name, _ in page.attributes}
    assert all(value.startswith("#") for value in page.of("href"))
    assert not re.search(r"https?:|//|url\(|@import|data:", said)


def test_the_browser_is_told_to_load_nothing():
    assert "default-src 'none'; style-src 'unsafe-inline'" in _card().of("content")


def test_every_id_is_there_once_and_every_plot_has_its_title_and_description():
    page = _card()

    assert len(set(page.of("id"))) == len(page.of("id"))
    named = [name for value in page.of("aria-labelledby") for name in value.split()]
    assert len(named) == 2 * page.tags["svg"] == 2 * page.tags["desc"]
    assert page.tags["svg"] == 9
    assert set(named) <= set(page.of("id"))


def test_the_configuration_is_shown_as_json():
    run = made_up_run()
    (shown,) = re.findall(r"<pre>(.*?)</pre>", model_card(run, None), re.DOTALL)

    assert json.loads(shown.replace("&quot;", '"')) == run.configuration


def test_what_was_tried_and_kept_is_told_with_why_the_search_ended():
    text = _card().text

    assert "The search was stopped after 60 seconds" in text
    assert "Gradient boosting 2 7.21 13,000 leaves 24, rate 0.06" in text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_and_marks_stand_out_from_what_is_behind_them(scheme):
    """WCAG 2: 4.5 to 1 for letters, 3 to 1 for what is drawn."""
    blocks = re.findall(r":root \{([^}]*)\}", _STYLE)
    light, dark = (dict(re.findall(r"--([a-z]+): (#[0-9a-f]+);", block)) for block in blocks[:2])
    colours = light if scheme == "light" else dark

    for behind in ("page", "soft", "result"):
        for letters in ("ink", "quiet", "teal"):
            assert _contrast(colours[letters], colours[behind]) >= 4.5, (letters, behind)
    for drawn in ("teal", "second", "ink"):
        assert _contrast(colours[drawn], colours["page"]) >= 3, drawn


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
