"""Who makes the logs of studies; `launchers.study_cell` calls them."""

from pathlib import Path
from typing import Any

from rich.console import Console

from launchers import demonstrate
from launchers.acting.demonstrating import DemonstrateConfig


def demonstrations(
  directory: Path, task: str, seed: int, teacher: str, **options: Any
) -> None:
  """What somebody does who does not learn any more.

  Args:
    directory: of the episodes; they go on where they are.
    task: that they are of.
    seed: of initial states and noise.
    teacher: its address, TASK/TIER for instance.
    **options: more of launchers.demonstrate.
  """
  config = DemonstrateConfig(
    teacher, directory, task=task, seed=seed, **options
  )
  demonstrate.demonstrate(config, Console(stderr=True))
