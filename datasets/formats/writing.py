"""Writes episodes as other people's libraries read them, one after the other.

hdf5      a group an episode: observations [T + 1, S], actions [T, A], rewards,
          terminations and truncations [T]; `reading` reads it back
minari    the same in the directory of a Minari dataset, with its metadata
d3rlpy    what d3rlpy's ReplayBuffer.load takes (its version 2.1); of T + 1
          observations it has T
"""

from collections.abc import Iterable
import json
import math
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from datasets.tasks import Field, Task
from datasets.types import Episode

_MINARI = '0.5.3'  # The version of the layout.
_D3RLPY = '2.1'


def write_hdf5(
  episodes: Iterable[Episode], task: Task, directory: Path
) -> None:
  """Writes data.hdf5; see the module."""
  del task  # The card has it.
  _write_groups(episodes, directory / 'data.hdf5')


def write_minari(
  episodes: Iterable[Episode], task: Task, directory: Path
) -> None:
  """Writes data/, for `minari.MinariDataset(directory / 'data')`."""
  data = directory / 'data'
  data.mkdir()
  counts = _write_groups(episodes, data / 'main_data.hdf5')
  metadata = {
    'data_format': 'hdf5',
    'dataset_id': f'understudy/{_plain(task.name)}-v0',
    'minari_version': _MINARI,
    'total_episodes': len(counts),
    'total_steps': sum(counts),
    'observation_space': json.dumps(_box(task.observations, task.spec[0])),
    'action_space': json.dumps(
      _box((Field('action', (task.action_size,), -1.0, 1.0),), task.spec[1])
    ),
  }
  (data / 'metadata.json').write_text(json.dumps(metadata, indent=2))


def write_d3rlpy(
  episodes: Iterable[Episode], task: Task, directory: Path
) -> None:
  """Writes data.h5; see the module."""
  del task
  with h5py.File(directory / 'data.h5', 'w') as file:
    count = 0
    for count, episode in enumerate(episodes, 1):
      columns = {
        'observations': episode.observations[:-1],
        'actions': episode.actions,
        'rewards': episode.rewards[:, None],
        'terminated': episode.discounts[-1] == 0,
      }
      for name, values in columns.items():
        file[f'{name}_{count - 1}'] = values
    file['columns'] = ['observations', 'actions', 'rewards', 'terminated']
    file['num_episodes'] = count
    file['version'] = _D3RLPY


def _write_groups(episodes: Iterable[Episode], path: Path) -> list[int]:
  """Returns the lengths of the episodes."""
  counts = []
  with h5py.File(path, 'w', track_order=True) as file:
    for number, episode in enumerate(episodes):
      group = file.create_group(f'episode_{number}')
      is_last = np.arange(episode.num_steps) == episode.num_steps - 1
      is_terminated = episode.discounts[-1] == 0
      group['observations'] = episode.observations
      group['actions'] = episode.actions
      group['rewards'] = episode.rewards
      group['terminations'] = is_last & is_terminated
      group['truncations'] = is_last & (not is_terminated)
      group.attrs['id'] = number
      group.attrs['total_steps'] = episode.num_steps
      group.attrs['policy'] = episode.policy
      group.attrs['episode'] = str(episode.identity)
      counts.append(episode.num_steps)
  return counts


def _box(fields: tuple[Field, ...], width: int) -> dict[str, Any]:
  """A space as Minari writes it; -Infinity and Infinity are its own."""
  bounds = [pair for field in fields for pair in field.bounds]
  bounds = bounds or [(-math.inf, math.inf)] * width
  return {
    'type': 'Box', 'dtype': 'float32', 'shape': [width],
    'low': [low for low, _ in bounds], 'high': [high for _, high in bounds],
  }  # fmt: skip


def _plain(name: str) -> str:
  """A name that a dataset may have."""
  kept = ''.join(c if c.isalnum() and c.isascii() else '-' for c in name)
  return kept.strip('-') or 'task'
