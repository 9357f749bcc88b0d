"""The last uploads, each as a line of what happened to it and how long that took."""

from dataclasses import dataclass
from datetime import datetime

from chartbuster.markup import Markup, element
from chartbuster.passages import (
    AtWork,
    Failed,
    Passage,
    Prepared,
    Preparing,
    Queued,
    Refused,
    Trained,
    View,
)
from webapp.pipeline import words
from webapp.pipeline.stations import bar


@dataclass(frozen=True)
class Step:
    """One step of a passage; `kind` is done, now or bad, which its look and a word follow."""

    title: str
    says: str
    kind: str = "done"
    fraction: float | None = None


def steps(passage: Passage, now: datetime) -> tuple[Step, ...]:
    """What happened to an upload so far, in order."""
    uploaded = Step("Uploaded", f"{words.ago(passage.uploaded, now)}, {words.size(passage.size)}")
    return (uploaded, *_preparing(passage, now), *_training(passage, now))


def listed(view: View) -> Markup:
    """The last uploads as a list, the newest first."""
    return element("ol", *(_item(each, view.at) for each in view.passages), class_="cb-uploads")


def _preparing(passage: Passage, now: datetime) -> tuple[Step, ...]:
    match passage.preparation:
        case Preparing():
            waited = words.span((now - passage.uploaded).total_seconds())
            return (Step("Being prepared", f"for {waited}", "now"),)
        case Refused(reason):
            return (Step("Refused", reason, "bad"),)
        case Failed(reason):
            return (Step("Given up on by create_data", reason, "bad"),)
        case Prepared(_, seconds, songs, rejected):
            took = "the same bytes as before" if seconds is None else f"in {words.span(seconds)}"
            said = [took]
            if songs is not None:
                said.append(words.counted(songs, "song"))
            if rejected:
                said.append(words.counted(rejected, "row rejected", "rows rejected"))
            return (Step("Prepared", ", ".join(said)),)


def _training(passage: Passage, now: datetime) -> tuple[Step, ...]:
    match passage.training:
        case None:
            return ()
        case Queued(since, behind):
            waited = words.span((now - since).total_seconds())
            why = ", behind a run of the dataset as it was before" if behind else ""
            return (Step("Waits to be trained", f"for {waited}{why}", "now"),)
        case AtWork(note):
            return (Step("In training", words.stage(note, now), "now", note.fraction),)
        case Failed(reason):
            return (Step("Given up on by the trainer", reason, "bad"),)
        case Trained() as trained:
            rest = passage.queued_for
            queued = () if rest is None else (Step("Waited", f"{words.span(rest)} in the queue"),)
            return (*queued, *_ended(trained))


def _ended(trained: Trained) -> tuple[Step, ...]:
    decision = trained.decision
    took = [] if trained.seconds is None else [f"in {words.span(trained.seconds)}"]
    learnt = Step("Trained", ", ".join([*took, f"run {decision.run_id}"]))
    if trained.reigns:
        return (learnt, Step("Champion", f"{decision.model}: {decision.reason}"))
    title = "Was champion" if decision.crowned else "Did not become champion"
    return (learnt, Step(title, decision.reason))


_WORDS = {"done": "", "now": "at the moment: ", "bad": "problem: "}


def _item(passage: Passage, now: datetime) -> Markup:
    return element(
        "li",
        element("p", words.name(passage), class_="cb-title", title=words.clock(passage.uploaded)),
        element("ol", *(_step(each) for each in steps(passage, now)), class_="cb-steps"),
        class_="cb-upload",
    )


def _step(step: Step) -> Markup:
    return element(
        "li",
        element("span", _WORDS[step.kind], class_="cb-heard") if _WORDS[step.kind] else "",
        element("strong", step.title),
        " ",
        element("span", step.says, class_="cb-said"),
        bar(step.fraction, "This run") if step.fraction is not None else "",
        class_=f"cb-step cb-step-{step.kind}",
    )
