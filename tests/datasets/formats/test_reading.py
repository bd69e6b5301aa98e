"""What people's files hold is read as it is, or refused by name."""

from collections.abc import Sequence
import os
from pathlib import Path
import pickle
from typing import Any

import h5py
from hypothesis import given, settings
from hypothesis import strategies as st
import minari
from minari.data_collector import EpisodeBuffer
import numpy as np
import pandas as pd
import pytest

from datasets.files import DamagedFileError
from datasets.formats import reading, tables
from datasets.formats.raw import RawEpisode

LENGTHS = st.lists(st.integers(1, 9), min_size=1, max_size=5)
ENDS = ('.csv', '.parquet')


def made(lengths: Sequence[int], seed: int = 0) -> list[dict[str, np.ndarray]]:
  random = np.random.default_rng(seed)
  return [
    {
      'level': random.normal(size=n),
      'pump': random.integers(0, 9, n),
      'who': np.array(['me' if i % 2 else 'them'] * n),
    }
    for i, n in enumerate(lengths)
  ]


def write_table(
  path: Path, episodes: list[dict[str, np.ndarray]], number: str = 'episode'
) -> None:
  frames = [pd.DataFrame({number: i, **e}) for i, e in enumerate(episodes)]
  whole = pd.concat(frames)
  if path.suffix == '.csv':
    whole.to_csv(path, index=False)
  else:
    whole.to_parquet(path, index=False)


def check(
  found: list[RawEpisode], expected: list[dict[str, np.ndarray]]
) -> None:
  assert len(found) == len(expected)
  for raw, columns in zip(found, expected, strict=True):
    assert raw.columns.keys() == columns.keys()
    for name, values in columns.items():
      np.testing.assert_array_equal(raw.columns[name], values)


@pytest.mark.parametrize('suffix', ENDS)
@settings(max_examples=30, deadline=None)
@given(LENGTHS, st.integers(1, 12), st.integers(0, 9))
def test_tables_are_cut_at_their_episodes(
  tmp_path_factory: pytest.TempPathFactory,
  suffix: str,
  lengths: list[int],
  rows: int,
  seed: int,
) -> None:
  """However they fall into pieces."""
  path = tmp_path_factory.mktemp('t') / f'log{suffix}'
  episodes = made(lengths, seed)
  write_table(path, episodes)
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(tables, '_ROWS', rows)
    found = list(reading.read(path))
  check(found, episodes)
  last = sum(lengths) - 1
  start = last + 1 - lengths[-1]
  name = f'episode {len(lengths) - 1}, rows {start} to {last}'
  assert found[-1].where == name


@pytest.mark.parametrize('suffix', ENDS)
def test_a_table_without_numbers_is_one_episode(
  tmp_path: Path, suffix: str
) -> None:
  path = tmp_path / f'log{suffix}'
  (episode,) = made([7])
  write_table(path, [episode], 'batch')
  (raw,) = reading.read(path)
  assert raw.columns['batch'].tolist() == [0] * 7
  (raw,) = reading.read(path, 'batch')
  check([raw], [episode])


def test_blank_cells_are_no_numbers(tmp_path: Path) -> None:
  path = tmp_path / 'log.csv'
  path.write_text('a,b,name\n1,2.5,x\n2,,\n')
  (raw,) = reading.read(path)
  assert raw.columns['a'].tolist() == [1, 2]
  assert np.isnan(raw.columns['b'][1])
  assert raw.columns['name'].tolist() == ['x', 'nan']


def test_lists_in_cells_are_rows(tmp_path: Path) -> None:
  path = tmp_path / 'log.parquet'
  state = np.random.default_rng(0).normal(size=(5, 3))
  frame = pd.DataFrame({'episode': [0, 0, 0, 1, 1], 'state': [*state]})
  frame.to_parquet(path)
  one, two = reading.read(path)
  np.testing.assert_array_equal(one.columns['state'], state[:3])
  np.testing.assert_array_equal(two.columns['state'], state[3:])


def test_arrays_of_one_episode(tmp_path: Path) -> None:
  path = tmp_path / 'log.npz'
  (episode,) = made([6])
  np.savez(path, **episode, policy=np.array('abc'))
  (raw,) = reading.read(path)
  check([raw], [{**episode, 'policy': np.array('abc')}])


@settings(max_examples=20, deadline=None)
@given(LENGTHS, st.sampled_from(['groups', 'terminals', 'timeouts', 'number']))
def test_hdf5(
  tmp_path_factory: pytest.TempPathFactory, lengths: list[int], kind: str
) -> None:
  path = tmp_path_factory.mktemp('h') / 'log.hdf5'
  episodes = [{k: v for k, v in e.items() if k != 'who'} for e in made(lengths)]
  with h5py.File(path, 'w') as file:
    if kind == 'groups':
      for i, episode in enumerate(episodes):
        for name, values in episode.items():
          file[f'episode_{i}/{name}'] = values
    else:
      for name in episodes[0]:
        file[name] = np.concatenate([e[name] for e in episodes])
      ends = np.cumsum(lengths) - 1
      rows = np.arange(sum(lengths))
      if kind == 'number':
        file['episode'] = np.searchsorted(ends, rows)
      else:
        file[kind] = np.isin(rows, ends)
        for i, episode in enumerate(episodes):
          episode[kind] = np.arange(lengths[i]) == lengths[i] - 1
  check(list(reading.read(path)), episodes)


def test_what_minari_writes(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  monkeypatch.setenv('MINARI_DATASETS_PATH', str(tmp_path))
  random = np.random.default_rng(0)
  episodes = [
    {
      'observations': random.normal(size=(n + 1, 3)),
      'actions': random.normal(size=(n, 2)),
      'rewards': random.normal(size=n),
      'terminations': np.arange(n) == n - 1,
      'truncations': np.zeros(n, bool),
    }
    for n in [4] * 12
  ]
  from gymnasium import spaces

  minari.create_dataset_from_buffers(
    dataset_id='mine/log-v0',
    buffer=[
      EpisodeBuffer(id=i, **{k: [*v] for k, v in e.items()})
      for i, e in enumerate(episodes)
    ],
    observation_space=spaces.Box(-9, 9, (3,), np.float64),
    action_space=spaces.Box(-9, 9, (2,), np.float64),
    data_format='hdf5',
  )
  (path,) = tmp_path.glob('mine/log-v0/data/*.hdf5')
  found = list(reading.read(path))
  assert [raw.where for raw in found] == [f'episode_{i}' for i in range(12)]
  for raw, episode in zip(found, episodes, strict=True):
    seen = episode.pop('observations')
    np.testing.assert_array_equal(raw.columns['observations'], seen[:-1])
    np.testing.assert_array_equal(raw.final['observations'], seen[-1])
    for name, values in episode.items():
      np.testing.assert_array_equal(raw.columns[name], values)


class Evil:
  """Would run a command when it is unpickled."""

  def __reduce__(self) -> Any:
    return os.system, ('touch hacked',)


def evil_npz(path: Path) -> None:
  np.savez(path, a=np.array([Evil()], dtype=object))


def evil_hdf5(path: Path) -> None:
  with h5py.File(path.with_name('other.h5'), 'w') as file:
    file['secret'] = np.ones(3)
  with h5py.File(path, 'w') as file:
    file['a'] = h5py.ExternalLink('other.h5', '/secret')


def elsewhere_hdf5(path: Path) -> None:
  path.with_name('raw').write_bytes(bytes(24))
  with h5py.File(path, 'w') as file:
    file.create_dataset('a', (3,), 'f8', external=[('raw', 0, 24)])


@pytest.mark.parametrize(
  ('name', 'write'),
  [
    ('a.npz', evil_npz),
    ('b.npz', lambda p: p.write_bytes(pickle.dumps(Evil()))),
    ('c.h5', evil_hdf5),
    ('d.h5', elsewhere_hdf5),
    ('e.h5', lambda p: p.write_bytes(b'\x89HDF\r\n\x1a\n' + bytes(40))),
    ('f.parquet', lambda p: p.write_bytes(b'PAR1' + bytes(40) + b'PAR1')),
    ('g.csv', lambda p: p.write_bytes(b'a,b\n1,2\n1,2,3,4\n')),
    ('h.csv', lambda p: p.write_bytes(b'')),
    ('i.csv', lambda p: p.write_bytes(b'a,b\n\xff\xfe,1\n')),
  ],
)
def test_what_it_is_not_is_said(
  tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, write: Any
) -> None:
  monkeypatch.chdir(tmp_path)
  path = tmp_path / name
  write(path)
  with pytest.raises(DamagedFileError, match=name):
    list(reading.read(path))
  assert not (tmp_path / 'hacked').exists()


def test_a_format_that_nobody_knows(tmp_path: Path) -> None:
  path = tmp_path / 'log.mat'
  path.write_text('')
  with pytest.raises(ValueError, match=r'log\.mat is of no format .* \.npz'):
    list(reading.read(path))
  with pytest.raises(FileNotFoundError):
    list(reading.read(tmp_path / 'gone.csv'))
