"""How the app looks: both themes, as Streamlit's own settings."""

from typing import Any

# Okabe and Ito's colours, which people with any common colour blindness tell apart.
CATEGORIES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")

TEAL = "#0B6E6E"
TEAL_IN_THE_DARK = "#2FB8AC"

# Captions are the text colour at 60 %, which still has to be readable: more than 4.5 to 1.
_LIGHT = {
    "primaryColor": TEAL,
    "backgroundColor": "#FBFCFC",
    "secondaryBackgroundColor": "#EEF3F3",
    "textColor": "#0B181C",
    "borderColor": "#D3DEDE",
    "linkColor": TEAL,
    "blueBackgroundColor": "#E3EEF5",
    "blueTextColor": "#1C4A69",
    "greenBackgroundColor": "#D9EDEB",
    "greenTextColor": "#0A5555",
}
_DARK = {
    "primaryColor": TEAL_IN_THE_DARK,
    "backgroundColor": "#0F1719",
    "secondaryBackgroundColor": "#18242A",
    "textColor": "#E8EFEF",
    "borderColor": "#2C3D42",
    "linkColor": TEAL_IN_THE_DARK,
    "blueBackgroundColor": "#14303F",
    "blueTextColor": "#A9D3EC",
    "greenBackgroundColor": "#12393B",
    "greenTextColor": "#86E3D9",
}
_BOTH = {
    "baseRadius": "0.6rem",
    "buttonRadius": "full",
    "showWidgetBorder": True,
    "headingFontSizes": ["2.1rem", "1.25rem", "1rem"],
    "headingFontWeights": [700, 650, 600],
    "chartCategoricalColors": list(CATEGORIES),
    "paddingTop": "2rem",
    "paddingBottom": "3rem",
}


def theme() -> dict[str, Any]:
    """The themes as Streamlit options; which one is used follows the visitor's system."""
    return (
        {f"theme.{name}": value for name, value in _BOTH.items()}
        | {f"theme.light.{name}": value for name, value in _LIGHT.items()}
        | {f"theme.dark.{name}": value for name, value in _DARK.items()}
    )
