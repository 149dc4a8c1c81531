"""The job's data layout as memseg.data knows it."""

from __future__ import annotations

from memseg.data.layouts import LayoutConfig
from memseg.errors import SettingError
from orchestrator.job.settings import DataConfig


def layout_of(data: DataConfig) -> LayoutConfig:
    """Raises SettingError, in the job's words, for folders that are not below the category's."""
    normal = {"normal": data.normal} if data.normal is not None else {}
    try:
        return LayoutConfig(
            kind=data.layout,
            test_normal=data.test_normal,
            abnormal=data.abnormal,
            masks=data.masks,
            **normal,
        )
    except SettingError as error:
        in_the_jobs_words = str(error).replace("layout.kind", "data.layout")
        raise SettingError(in_the_jobs_words.replace("layout.", "data.")) from error
