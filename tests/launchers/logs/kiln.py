"""Logs of a kiln, and what they are of."""

from collections.abc import Mapping
from pathlib import Path
import types
from typing import Any

import numpy as np

from datasets.formats.raw import RawEpisode
from launchers.environments import described
from launchers.environments.described import System
from tests.launchers.environments.test_described import GOOD

STEPS = 30


def system(
  directory: Path, changes: Mapping[str, str] = types.MappingProxyType({})
) -> System:
  """As described, with some texts replaced."""
  text = GOOD
  for old, new in changes.items():
    assert old in text
    text = text.replace(old, new)
  path = directory / 'kiln.toml'
  path.write_text(text)
  return described.load(path)


def columns(seed: int = 0, steps: int = STEPS) -> dict[str, Any]:
  """Of a log that calls things as the description does."""
  random = np.random.default_rng(seed)
  return {
    'heat_0': random.uniform(0, 90, steps),
    'heat_1': random.uniform(-1, 90, steps),
    'draught': random.normal(size=steps),
    'gas': random.uniform(0, 4, steps),
    'yield': random.normal(size=steps),
  }


def raw(**changes: Any) -> RawEpisode:
  """One episode; a column that is None is left out."""
  found = {**columns(), **changes}
  final = {'heat_0': 1.0, 'heat_1': 2.0, 'draught': 3.0}
  return RawEpisode(
    'rows 0 to 29',
    {k: np.asarray(v) for k, v in found.items() if v is not None},
    {k: np.asarray(v) for k, v in final.items()},
  )
