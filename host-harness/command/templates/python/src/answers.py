"""Reads answers: JSON from bytes, within bounds.

The interpreter's own parser calls itself as deep as an answer is nested, so brackets are counted
first; and white space, of which an answer may have megabytes, is cut before the bytes become text.
"""

import json
import re

DEEPEST = 64

# Texts, which may have brackets in them; and brackets.
TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


class Unreadable(Exception):
    """The body is not JSON of a usable depth. The message ends a sentence: "The answer …"."""


def read(body: bytes):
    """The JSON of a body."""
    body = body.strip()
    depth = 0
    for token in TOKENS.finditer(body):
        sign = token.group()
        if sign in (b"[", b"{"):
            depth += 1
        elif sign in (b"]", b"}"):
            depth -= 1
        if depth > DEEPEST:
            raise Unreadable("is nested too deep")
    try:
        return json.loads(body.decode("utf-8"))
    except UnicodeDecodeError:
        raise Unreadable("is not UTF-8") from None
    except ValueError:
        raise Unreadable("is not JSON") from None


def is_text(value) -> bool:
    return isinstance(value, str)


def is_number(value) -> bool:
    """A whole number that fits into 63 bits: `True` is a number to Python."""
    return type(value) is int and abs(value) < 2**63
