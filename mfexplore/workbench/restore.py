"""A file that was exported here leads back to where it was made: in any form it carries the link in plain letters.

The app's page reads files by itself (app/static/restore.js), in the same way.
"""

from __future__ import annotations

import re

MOST = 200_000_000  # bytes
QUOTE = r'(?:\\?"|&quot;)'


def _field(name: str, text: str) -> str:
    found = re.search(rf"{name}{QUOTE}\s*:\s*{QUOTE}(.*?){QUOTE}", text)
    return found[1] if found else ""


def made_at(content: bytes) -> tuple[str, str] | None:
    """The system and the part of the link after the question mark; None if the file does not say."""
    if len(content) > MOST:
        return None
    text = _comment(content) if content[:3] == b"GIF" else content.decode("latin1")
    system, link = _field("system", text), _field("link", text)
    if not system or "?" not in link:
        return None
    return system, link.partition("?")[2].replace("&amp;", "&")


def sweep_in(name: str, content: bytes) -> str:
    """The text of a sweep's table, which is to be laid over a diagram; empty if the file is none."""
    text = content.decode("utf-8", "replace") if name.lower().endswith(".csv") else ""
    return text if re.search("^# samples: ", text, re.MULTILINE) else ""


def _comment(content: bytes) -> str:
    """The comment of a GIF, which comes in pieces, each after its length."""
    at = content.find(b"\x21\xfe", 6)
    while at >= 0:
        text, piece = b"", at + 2
        while piece < len(content) and content[piece]:
            text += content[piece + 1 : piece + 1 + content[piece]]
            piece += content[piece] + 1
        if _field("link", text.decode("latin1")):
            return text.decode("latin1")
        at = content.find(b"\x21\xfe", at + 2)
    return ""
