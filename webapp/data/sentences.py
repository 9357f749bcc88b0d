"""What the page Data says in words: pure functions of records, each returning Markdown."""

from collections.abc import Iterable, Sequence

from chartbuster import wording
from chartbuster.drift import DriftReport
from chartbuster.preparing import READY, REFUSED
from chartbuster.quality import DAMAGED, WAITING, Upload, UploadReport
from chartbuster.runs import RunManifest
from webapp.words import plain

_LABELS = {
    "duration_ms": "Length (minutes)",
    "loudness": "Loudness (dB)",
    "tempo": "Tempo (beats per minute)",
    "song_id": "Song id",
}
_UNITS = {"ms": "milliseconds", "s": "seconds", "min": "minutes", "percent": "percent"}
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_MINUTE = 60_000.0

STATUS = {
    READY: "ready",
    REFUSED: "refused",
    WAITING: "not prepared yet",
    DAMAGED: "its records are damaged",
}


def label(attribute: str) -> str:
    """An attribute's name for people, with the unit `shown` gives its values."""
    return _LABELS.get(attribute, attribute.replace("_", " ").capitalize())


def short(attribute: str) -> str:
    """An attribute's name within a sentence."""
    return "length" if attribute == "duration_ms" else attribute.replace("_", " ")


def shown(attribute: str, value: float) -> float:
    """A value of an attribute in the unit of its `label`."""
    return value / _MINUTE if attribute == "duration_ms" else value


def unit(name: str | None) -> str:
    """The unit a column was read in, in full."""
    return _UNITS.get(name or "", name or "")


def listed(names: Sequence[str], last: str = "and") -> str:
    """`a, b and c`."""
    return f"{', '.join(names[:-1])} {last} {names[-1]}" if len(names) > 1 else "".join(names)


def songs(run: RunManifest | None, reports: Sequence[UploadReport], *, broken: bool = False) -> str:
    """How many songs there are, and what has learnt from them.

    Without `run` no model has, unless the champion is `broken`.
    """
    if run is not None:
        genres = f" in {counted(len(run.inputs.genres), 'genre')}" if run.inputs.genres else ""
        return (
            f"The champion, of run {plain(run.run_id)}, learnt from "
            f"**{wording.learnt_from(run)}**{genres}."
        )
    ready = [report for report in reports if report.status == READY]
    if not ready:
        return "None of the files can be used yet, so there is nothing to learn from."
    total = counted(sum(report.songs for report in ready), "song")
    model = "" if broken else " No model has learnt from them yet."
    return f"**{total}** in {counted(len(ready), 'file')}.{model}"


def changed(run: RunManifest, uploads: Iterable[Upload]) -> str:
    """Whether the champion comes from the files as they are now; nothing where it does."""
    now = {upload.upload for upload in uploads if upload.status == READY}
    if now == set(run.uploads):
        return ""
    return (
        "The files have changed since the champion learnt from them: a newer version is still in "
        "training, or its models were not better."
    )


def rows(reports: Sequence[UploadReport]) -> str:
    """What became of the rows of all files."""
    read = sum(report.rows.read for report in reports)
    rejected = sum(report.rows.rejected for report in reports)
    merged = sum(report.rows.merged for report in reports)
    left_out = f"{counted(rejected, 'row')} rejected" if rejected else "none rejected"
    more = f", {merged:,} of them more of a song that was already there" if merged else ""
    return f"{counted(read, 'row')} read{more}; {left_out}."


def incomplete(reports: Sequence[UploadReport], *, most: int) -> str:
    """Which attributes lack values, the worst first, and which have no column in any file.

    At most `most` of either are named.
    """
    lost: dict[str, int] = {}
    absent = [set(report.absent) for report in reports]
    for report in reports:
        for name in report.incomplete:
            found = report.attributes[name]
            lost[name] = lost.get(name, 0) + found.missing + found.unreadable
    worst = sorted(lost, key=lambda name: (-lost[name], name))
    said = []
    if worst:
        named = [f"{short(name)} in {counted(lost[name], 'row')}" for name in worst[:most]]
        rest = len(worst) - most
        more = f" ({rest} more below)" if rest > 0 else ""
        said.append(f"Values are missing or cannot be read: {listed(named)}{more}.")
    nowhere = set.intersection(*absent) if absent else set()
    if nowhere:
        names = [short(name) for report in reports[:1] for name in report.absent if name in nowhere]
        if len(names) > most:
            said.append(f"{len(names)} attributes have no column.")
        else:
            said.append(f"No column says {listed(names, 'or')}.")
    return " ".join(said) or "Every attribute has a value in every row."


def written(report: UploadReport) -> str:
    """How a file is written."""
    if report.text is None:
        return ""
    between = _DELIMITERS.get(report.text.delimiter, repr(report.text.delimiter))
    encoding = plain(report.text.encoding.upper())
    return f"Written in {encoding}, its cells separated by {plain(between)}."


def popularities(report: UploadReport) -> str:
    """The popularities of a file's songs."""
    found = report.popularity
    if found is None:
        return ""
    none = f" {counted(found.zeros, 'song')} at 0." if found.zeros else ""
    return (
        f"Popularity from {found.min:g} to {found.max:g}, half of the songs at {found.median:g} or "
        f"below, {found.mean:.1f} on average.{none}"
    )


def compared(report: DriftReport, champion: str | None) -> str:
    """Which songs a drift report compares, and whether the champion is still the one it names."""
    shared = f", {report.songs_shared:,} of them in both" if report.songs_shared else ""
    said = (
        f"{counted(report.songs_now, 'song')} of version {plain(report.version[:12])} compared "
        f"with {report.songs_before:,} of run {plain(report.champion)}{shared}, on "
        f"{plain(wording.moment(report.at))}."
    )
    if champion is not None and champion != report.champion:
        said += (
            f" That run was the champion's then; now the champion is of run {plain(champion)}, and "
            "there is no newer version to compare it with."
        )
    return said


def genres(report: DriftReport) -> str:
    """The genres that are new and those that vanished, if any."""
    said = []
    for what, found in (("New", report.new_genres), ("Vanished", report.vanished_genres)):
        if found:
            first = sorted(found.items(), key=lambda item: (-item[1], item[0]))
            named = [f"{plain(name)} ({share:.1%} of the songs)" for name, share in first[:10]]
            rest = f" and {len(first) - 10} more" if len(first) > 10 else ""
            said.append(f"**{what} genres:** {', '.join(named)}{rest}.")
    return " ".join(said) or "No genre is new, and none has vanished."


def counted(number: int, thing: str) -> str:
    """`1 song`, `20,000 songs`."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
