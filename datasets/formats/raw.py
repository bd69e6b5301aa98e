"""What a log holds, before anybody has said what it means."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np


class RawEpisode(NamedTuple):
  """One episode as a file has it: its own columns, units and types.

  Attributes:
    where: it stands in its file, for a person: 'episode 3', 'rows 40 to 79'.
    columns: of each name [T, ...], one row a step: what was observed before the
      action, the action, and what came of it.
    final: of some of these names [...], what was observed after the last step;
      {} where the file does not have it.
  """

  where: str
  columns: Mapping[str, np.ndarray]
  final: Mapping[str, np.ndarray]
