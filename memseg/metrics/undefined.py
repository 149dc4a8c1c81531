"""A metric that has no value, which is not the same as a bad value."""

from __future__ import annotations

from memseg.errors import MemSegError


class UndefinedMetric(MemSegError):  # noqa: N818 - nothing went wrong, there is just no number
    """The data do not define the metric, for example with one class only; the message says why."""

    @property
    def reason(self) -> str:
        """Why there is no value, as a clause for a table's note."""
        return str(self)
