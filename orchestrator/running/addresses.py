"""Texts of Ray and of its stack traces without what names a machine. Pure."""

from __future__ import annotations

import re

_ADDRESS = re.compile(
    r"""
    \b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b                        # IPv4, with a port
    | \bip-\d{1,3}(?:-\d{1,3}){3}(?:\.[\w-]+)*                    # a host as AWS names it
    | (?<![\w:])(?:[0-9a-f]{1,4}:){3,7}:?[0-9a-f]{1,4}(?![\w:])    # IPv6, whole or shortened late
    | (?<![\w:])(?=[a-f:]*\d)[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,5}
      ::[0-9a-f]{1,4}(?::[0-9a-f]{1,4})*(?![\w:])                  # IPv6, shortened before
    """,
    re.I | re.X,
)


def without_addresses(text: str) -> str:
    """The text with "(address)" for each IP address or cloud host name; times stay."""
    return _ADDRESS.sub("(address)", text)
