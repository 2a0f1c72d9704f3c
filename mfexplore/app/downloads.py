"""Files that a page offers: kept for a while under an address that nobody can guess."""

from __future__ import annotations

import secrets
import time

from mfexplore.workbench.exports import File

KEPT_SECONDS = 120.0

_offered: dict[str, tuple[float, File]] = {}


def offer(file: File) -> str:
    """Keep a file for a while; returns the address it can be fetched from."""
    now = time.monotonic()
    for token in [t for t, (since, _) in list(_offered.items()) if now - since > KEPT_SECONDS]:
        _offered.pop(token, None)
    token = secrets.token_urlsafe(16)
    _offered[token] = (now, file)
    return f"download/{token}"


def fetch(token: str) -> File | None:
    found = _offered.get(token)
    return None if found is None else found[1]
