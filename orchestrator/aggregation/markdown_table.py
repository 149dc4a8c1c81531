"""A table in Markdown. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence


def table(header: Sequence[str], lines: Iterable[Sequence[str]], right: set[str]) -> Iterator[str]:
    """Its lines. ``right``: the columns of the header that are aligned to the right."""
    yield f"| {' | '.join(header)} |"
    yield f"|{'|'.join('---:' if name in right else '---' for name in header)}|"
    for line in lines:
        yield f"| {' | '.join(line)} |"


def bullet(text: str, loud: bool) -> str:
    """A line of a list; what is loud is bold."""
    return f"- **{cell(text)}**" if loud else f"- {cell(text)}"


def cell(text: str) -> str:
    """Text of others (names, messages) in one cell of a table, and not as markup."""
    flat = " ".join(text.split())
    for sign in ("\\", "|", "<", "`", "*"):
        flat = flat.replace(sign, "&lt;" if sign == "<" else "\\" + sign)
    return flat
