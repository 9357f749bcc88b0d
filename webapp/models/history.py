"""How champions came and went, as markup."""

from chartbuster import wording
from chartbuster.card import words
from chartbuster.markup import Markup, element, joined
from chartbuster.runs import PERSON, ROLLBACK, TRAINING, Champion, Decision, Interval
from webapp.models.shelf import Shelf

_MOST = 50


def history(shelf: Shelf, champion: Champion) -> Markup:
    """Every decision about `champion`'s dataset, the newest first."""
    newest = tuple(reversed(champion.history))
    now = next((each for each in newest if each.crowned), None)
    former = shelf.former
    items = (_item(shelf, each, now=each is now, back=each is former) for each in newest[:_MOST])
    left = len(newest) - _MOST
    return joined(
        element("ol", *items, class_="cb-history"),
        element("p", f"{left:,} older decisions are not shown.") if left > 0 else Markup(),
    )


def _item(shelf: Shelf, decision: Decision, *, now: bool, back: bool) -> Markup:
    badges = [_badge("champion now")] if now else []
    badges += [_badge("a rollback returns here")] if back else []
    return element(
        "li",
        element(
            "p",
            element("b", did(decision)),
            f" {shelf.named(decision.run_id, decision.model)}",
            *badges,
            class_="cb-did",
        ),
        element("p", f"{wording.moment(decision.at)}, {by(decision)}", class_="cb-when"),
        element("p", decision.reason),
        element("p", figures(decision), class_="cb-when") if decision.figures else Markup(),
        class_=None if decision.crowned else "cb-refused",
    )


def _badge(said: str) -> Markup:
    return joined(" ", element("span", said, class_="cb-badge"))


def did(decision: Decision) -> str:
    """What happened, in a word or two."""
    if not decision.crowned:
        return "Refused"
    return {PERSON: "Promoted", ROLLBACK: "Returned to"}.get(decision.by, "Crowned")


def by(decision: Decision) -> str:
    """Who decided: by training, or a person by name where one signed in."""
    if decision.by == TRAINING:
        return "by training"
    return f"by {decision.who}" if decision.who else "by a person"


def figures(decision: Decision) -> str:
    """The figures a decision was taken on, in words: `new artists: error 7.17, R² 0.667`."""
    parts = []
    for protocol in (words.NEW, words.KNOWN):
        known = {
            figure.replace(f"{key}_", "").replace(f"_{key}", ""): value
            for figure, value in decision.figures.items()
            if (key := protocol.replace(" ", "_")) in figure
        }
        said = [
            f"{label} {known[name]:{form}}".replace("-", "−")
            for name, (label, form) in _FIGURES.items()
            if name in known
        ]
        if "gain_low" in known and "gain_high" in known:
            sure = Interval(known["gain_low"], known["gain_high"])
            said.append(f"better by {words.signed_between(sure)}")
        parts += [f"{protocol}: {', '.join(said)}"] if said else []
    return "; ".join(parts)


_FIGURES = {
    "mae": ("error", ".2f"),
    "r2": ("R²", ".3f"),
    "mae_challenger": ("error", ".2f"),
    "mae_champion": ("the champion's", ".2f"),
    "songs": ("songs", ",.0f"),
}
