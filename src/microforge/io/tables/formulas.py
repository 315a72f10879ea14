"""Text in tables that a spreadsheet would run; come here for what is written instead, and how it is read back.

Spreadsheets take a cell that starts with one of a few signs for a formula, and names of files, classes and regions come
from anywhere. Such text gets an apostrophe before it, which spreadsheets know as "this is text" (OWASP, CSV injection).
"""

import re

_SIGNS = "=@+\uff1d\uff20\uff0b\uff0d-"
_FORMULA = re.compile(rf"'*\s*[{_SIGNS}]")
_NUMBER = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf|nan)", re.IGNORECASE)


def guarded(text: str) -> str:
    """Give a text as no spreadsheet runs it; numbers stay as they are."""
    return f"'{text}" if _is_formula(text) else text


def unguarded(text: str) -> str:
    """Give back the text that was `guarded`."""
    return text[1:] if text.startswith("'") and _is_formula(text[1:]) else text


def _is_formula(text: str) -> bool:
    return _FORMULA.match(text) is not None and _NUMBER.fullmatch(text) is None
