"""How a batch is shared among workers. Without torch: a plan asks it too."""

from __future__ import annotations

from memseg.errors import SettingError


def check_split(batch_size: int, workers: int) -> None:
    """Raises SettingError where a batch's halves cannot be split among so many workers.

    Means of unequal shares would not be the mean of all.
    """
    if (batch_size // 2) % workers:
        raise SettingError(
            f"training.batch_size {batch_size} is {batch_size // 2} normal and as many simulated "
            f"images, which {workers} workers cannot share equally: choose a multiple of "
            f"{2 * workers}, or another resources.workers_per_trial"
        )
