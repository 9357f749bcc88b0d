"""The picture of the architecture: every station of the way, with what is there at the moment."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chartbuster.markup import Markup, element, joined
from chartbuster.passages import (
    AtWork,
    Passage,
    Place,
    Prepared,
    Queued,
    Trained,
    Tray,
    View,
)
from webapp.pipeline import words

type Mark = Literal["", "passed", "here", "stopped"]

# The order in which an upload comes by, and where it is at each place it can be.
_RAW, _LAMBDA, _READY, _QUEUE, _TRAINER, _ARTIFACTS, _APP = range(7)
_AT = {
    Place.LAMBDA: _LAMBDA,
    Place.UPLOAD_LETTERS: _LAMBDA,
    Place.QUEUE: _QUEUE,
    Place.TRAINER: _TRAINER,
    Place.TRAINING_LETTERS: _TRAINER,
    Place.APP: _APP,
}


@dataclass(frozen=True)
class DeadEnd:
    """A dead-letter queue below its station."""

    name: str
    figure: str
    unit: str
    explains: str
    full: bool


@dataclass(frozen=True)
class Station:
    """One station: what it is, what it holds, and what the newest upload does there.

    `mark` says whether the newest upload passed it, is there, or ended there; `says` is that in
    words. `fraction` is how far the work there is, None where nothing is worked on.
    """

    name: str
    kind: str
    figure: str
    unit: str
    explains: str
    mark: Mark = ""
    says: str = ""
    busy: bool = False
    fraction: float | None = None
    dead_end: DeadEnd | None = None


def stations(view: View) -> tuple[Station, ...]:
    """Every station in the order of the way."""
    newest = view.passages[0] if view.passages else None
    stock, queue = view.stock, view.queue
    running = view.notes[0] if view.notes else None
    preparing = sum(1 for each in view.passages if each.place is Place.LAMBDA)

    def figure(count: int | None) -> str:
        return "?" if count is None else f"{count:,}"

    def marked(number: int) -> tuple[Mark, str]:
        return _mark(newest, number, view.at) if newest else ("", "")

    def station(
        number: int,
        name: str,
        kind: str,
        count: int | None,
        unit: str,
        explains: str,
        *,
        busy: bool = False,
        fraction: float | None = None,
        dead_end: DeadEnd | None = None,
    ) -> Station:
        mark, says = marked(number)
        return Station(
            name, kind, figure(count), unit, explains, mark, says, busy, fraction, dead_end
        )

    return (
        station(
            _RAW,
            "Raw bucket",
            "S3 bucket",
            stock.uploads if stock else None,
            "uploaded files",
            "Keeps every upload as it came. Each new object is announced to the Lambda.",
        ),
        station(
            _LAMBDA,
            "create_data",
            "Lambda function",
            preparing if stock else None,
            "being prepared",
            "Recognises the columns, cleans the songs and works out their features. It runs only "
            "when a file arrives.",
            busy=preparing > 0,
            dead_end=_dead_end(
                view.upload_letters,
                "Dead letters of uploads",
                "What create_data failed on three times, with the reason.",
            ),
        ),
        station(
            _READY,
            "Ready bucket",
            "S3 bucket",
            stock.prepared if stock else None,
            "prepared tables",
            "Keeps the cleaned songs, what was rejected, and ready_data.csv, whose arrival is "
            "announced to the queue.",
        ),
        station(
            _QUEUE,
            "Training queue",
            "SQS queue",
            queue.messages if queue else None,
            words.depth(queue),
            "Holds announcements until the trainer has time, so a burst of uploads is one run.",
            busy=bool(queue and queue.messages),
            dead_end=_dead_end(
                view.training_letters,
                "Dead letters of trainings",
                "What the trainer can make no run of, or failed on five times, with the reason.",
            ),
        ),
        station(
            _TRAINER,
            "Trainer",
            "container",
            len(view.notes) if stock else None,
            words.stage(running, view.at) if running else "runs under way",
            "Takes a message, trains several models, tests them on songs they have not heard and "
            "keeps the run.",
            busy=running is not None,
            fraction=running.fraction if running else None,
        ),
        station(
            _ARTIFACTS,
            "Artifacts bucket",
            "S3 bucket",
            stock.champions if stock else None,
            "champions",
            "Keeps runs and their models, and who is champion. A new run takes over only when it "
            "is better than chance explains.",
        ),
        station(
            _APP,
            "This app",
            "container",
            stock.champions if stock else None,
            "models that predict",
            "Sees a new champion within seconds and predicts with it, without a restart.",
        ),
    )


def picture(found: tuple[Station, ...]) -> Markup:
    """The stations as a list a screen reader reads in order; `style.css` draws the way."""
    return element("ol", *(_drawn(each) for each in found), class_="cb-way")


def _mark(newest: Passage, number: int, now: datetime) -> tuple[Mark, str]:
    at = _AT[newest.place]
    if number == at:
        if newest.place is Place.APP:
            training = newest.training
            reigns = isinstance(training, Trained) and training.reigns
            return "here", "predicts now" if reigns else "not the champion"
        if newest.place in (Place.UPLOAD_LETTERS, Place.TRAINING_LETTERS):
            return "stopped", "newest upload ended here"
        return "here", "newest upload is here"
    if number > at:
        return "", ""
    return "passed", _passed(newest, number, now)


def _passed(newest: Passage, number: int, now: datetime) -> str:
    """What the newest upload left behind at a station."""
    prepared = newest.preparation if isinstance(newest.preparation, Prepared) else None
    trained = newest.training if isinstance(newest.training, Trained) else None
    if number == _RAW:
        return f"arrived {words.ago(newest.uploaded, now)}"
    if number == _LAMBDA and prepared:
        seconds = prepared.seconds
        return "was prepared before" if seconds is None else f"took {words.span(seconds)}"
    if number == _READY and prepared and prepared.songs is not None:
        return words.counted(prepared.songs, "song")
    if number == _QUEUE and newest.queued_for is not None:
        return f"waited {words.span(newest.queued_for)}"
    if number == _TRAINER and trained and trained.seconds is not None:
        return f"took {words.span(trained.seconds)}"
    if number == _ARTIFACTS and trained:
        return f"run {trained.decision.run_id}"
    return "passed"


def _dead_end(tray: Tray | None, name: str, explains: str) -> DeadEnd:
    if tray is None:
        return DeadEnd(name, "?", "does not answer", explains, full=False)
    count = tray.depth.messages
    unit = "letter" if count == 1 else "letters"
    return DeadEnd(name, f"{count:,}", unit, explains, full=count > 0)


def _drawn(station: Station) -> Markup:
    classes = ["cb-station", station.mark and f"cb-{station.mark}", "cb-busy" * station.busy]
    box = element(
        "div",
        element("p", station.name, class_="cb-name"),
        element("p", station.kind, class_="cb-kind"),
        _figure(station.figure, station.unit),
        _bar(station) if station.fraction is not None else "",
        element("p", _SIGNS[station.mark], station.says, class_="cb-says") if station.says else "",
        element("p", station.explains, class_="cb-explains"),
        class_="cb-box",
    )
    below = _drawn_end(station.dead_end) if station.dead_end else ""
    return element("li", box, below, class_=" ".join(filter(None, classes)))


# Shapes as well as colours; a screen reader reads the words beside them.
_SIGNS: dict[Mark, Markup] = {
    "": Markup(""),
    "passed": element("span", "✓ ", aria_hidden="true"),
    "here": element("span", "● ", aria_hidden="true"),
    "stopped": element("span", "✕ ", aria_hidden="true"),
}


def _figure(figure: str, unit: str) -> Markup:
    return element("p", element("span", figure, class_="cb-number"), " ", unit, class_="cb-figure")


def _bar(station: Station) -> Markup:
    return bar(station.fraction or 0.0, "The run at the trainer")


def bar(fraction: float, of: str) -> Markup:
    """How far something is, as a bar; `of` is what, for those who do not see it."""
    return element("progress", max="1", value=f"{fraction:.3f}", aria_label=of, class_="cb-bar")


def _drawn_end(end: DeadEnd) -> Markup:
    return element(
        "div",
        element("p", end.name, class_="cb-name"),
        _figure(end.figure, end.unit),
        element("p", end.explains, class_="cb-explains"),
        class_="cb-end cb-full" if end.full else "cb-end",
    )


def newest(view: View) -> Markup:
    """Where the newest upload is, in a sentence that is read out when it changes."""
    if not view.passages:
        return Markup("")
    passage = view.passages[0]
    # What changes every second would be read out every second, so only the place is announced.
    place = element(
        "span",
        f"Newest upload, {words.name(passage)}: {_PLACES[passage.place]}.",
        role="status",
        class_="cb-heard",
    )
    seen = joined(
        "Newest upload: ",
        element("strong", words.name(passage)),
        ". ",
        words.whereabouts(passage, view.at),
    )
    return joined(place, element("p", seen, class_="cb-newest"))


_PLACES = {
    Place.LAMBDA: "being prepared",
    Place.QUEUE: "waits to be trained",
    Place.TRAINER: "in training",
    Place.APP: "trained",
    Place.UPLOAD_LETTERS: "refused, or given up on, by create_data",
    Place.TRAINING_LETTERS: "given up on by the trainer",
}


def waiting_for(view: View) -> str:
    """How long the queue has kept somebody waiting, in a sentence, or nothing."""
    since = view.waiting_since
    queued = [each for each in view.passages if isinstance(each.training, Queued)]
    if since is None:
        return ""
    waited = words.span((view.at - since).total_seconds())
    idle = not any(isinstance(each.training, AtWork) for each in view.passages) and not view.notes
    nobody = (
        " Nobody trains at the moment: if that lasts, `make status` shows whether the trainer runs."
        if idle and (view.at - since).total_seconds() > _PATIENT
        else ""
    )
    return (
        f"{words.counted(len(queued), 'upload waits', 'uploads wait')} to be trained, the longest "
        f"for {waited}: the time since its ready_data.csv was written, because SQS itself does "
        f"not tell how old its messages are.{nobody}"
    )


_PATIENT = 20.0
