"""What is written is read back, by us and by whom the format belongs to."""

import json
import math
from pathlib import Path
import subprocess

import h5py
import minari
import numpy as np
import pytest
from rich.console import Console
import tensorflow_datasets as tfds

from benchmarks import environments
from datasets.files import DamagedFileError
from datasets.formats import reading
from datasets.store import EpisodeStore
from datasets.tasks import Field, Task
from datasets.types import Episode, EpisodeId
from launchers.export_data import ExportDataConfig, export_data

TASK = Task(
  'a/plant:x', 3, 2,
  (Field('level', (2,), 0.0, 1.0, 'm'), Field('flow')),
  (Field('valve', (2,), -2.0, 4.0),),
)  # fmt: skip
# A cut episode of one step is nothing to d3rlpy, which needs a next row.
LENGTHS = (1, 4, 7, 3) * 3


@pytest.fixture
def made(tmp_path: Path) -> tuple[list[Episode], Path]:
  """A store; every second episode was terminated."""
  random = np.random.default_rng(0)
  store = EpisodeStore(tmp_path / 'episodes')
  found = []
  for number, steps in enumerate(LENGTHS):
    discounts = np.ones(steps, np.float32)
    discounts[-1] = number % 2
    episode = Episode(
      EpisodeId('run', 1, 0, number), 'digest',
      random.uniform(0, 1, (steps + 1, 3)).astype(np.float32),
      random.uniform(-1, 1, (steps, 2)).astype(np.float32),
      random.normal(size=steps).astype(np.float32), discounts, task=TASK,
    )  # fmt: skip
    store.commit(episode)
    found.append(episode)
  return found, store.directory


def export(directory: Path, output: Path, form: str) -> dict[str, object]:
  config = ExportDataConfig((directory,), output, form)  # type: ignore[arg-type]
  return export_data(config, Console(quiet=True))


@pytest.mark.parametrize(
  ('form', 'file'),
  [
    ('hdf5', 'data.hdf5'),
    ('minari', 'data/main_data.hdf5'),
    ('rlds', 'understudy/1.0.0'),
  ],
)
def test_it_is_read_back(
  made: tuple[list[Episode], Path], tmp_path: Path, form: str, file: str
) -> None:
  episodes, directory = made
  output = tmp_path / 'out'
  result = export(directory, output, form)
  assert result['episodes'] == len(LENGTHS)
  assert result['transitions'] == sum(LENGTHS)
  assert not (tmp_path / '.out.aside').exists()
  card = json.loads((output / 'card.json').read_text())
  assert Task.from_json(card['task']) == TASK
  assert card['policies'] == ['digest']
  found = list(reading.read(output / file))
  for raw, episode in zip(found, episodes, strict=True):
    names = ('observation', 'action', 'reward')
    columns, seen = dict(raw.columns), episode.observations
    final = dict(raw.final)
    if form == 'rlds':  # Which has its own names, and columns for numbers.
      columns.update({f'{n}s': columns[n] for n in names})
      columns['rewards'] = columns['rewards'][:, 0]
      final['observations'] = final['observation']
    np.testing.assert_array_equal(columns['observations'], seen[:-1])
    np.testing.assert_array_equal(final['observations'], seen[-1])
    np.testing.assert_array_equal(columns['actions'], episode.actions)
    np.testing.assert_array_equal(columns['rewards'], episode.rewards)
    assert columns['terminations'][-1] == (episode.discounts[-1] == 0)
    assert columns['truncations'][-1] == (episode.discounts[-1] == 1)


def test_minari_reads_it(
  made: tuple[list[Episode], Path], tmp_path: Path
) -> None:
  episodes, directory = made
  export(directory, tmp_path / 'out', 'minari')
  dataset = minari.MinariDataset(tmp_path / 'out' / 'data')
  assert dataset.total_steps == sum(LENGTHS)
  space = dataset.observation_space
  assert space.low.tolist() == [0.0, 0.0, -math.inf]
  for theirs, ours in zip(dataset, episodes, strict=True):
    np.testing.assert_array_equal(theirs.observations, ours.observations)
    np.testing.assert_array_equal(theirs.actions, ours.actions)
    np.testing.assert_array_equal(theirs.rewards, ours.rewards)
    assert theirs.terminations[-1] == (ours.discounts[-1] == 0)


def test_tensorflow_datasets_reads_it(
  made: tuple[list[Episode], Path], tmp_path: Path
) -> None:
  episodes, directory = made
  export(directory, tmp_path / 'out', 'rlds')
  builder = tfds.builder_from_directory(tmp_path / 'out/understudy/1.0.0')
  found = list(builder.as_dataset('train', shuffle_files=False))
  for theirs, ours in zip(found, episodes, strict=True):
    steps = list(theirs['steps'].as_numpy_iterator())
    assert theirs['policy'].numpy() == b'digest'
    np.testing.assert_array_equal(
      [step['observation'] for step in steps], ours.observations
    )
    np.testing.assert_array_equal(
      [step['action'] for step in steps[:-1]], ours.actions
    )
    np.testing.assert_array_equal(
      [step['reward'] for step in steps[:-1]], ours.rewards
    )
    ends = [bool(steps[-1][f'is_{name}']) for name in ('last', 'terminal')]
    assert ends == [True, ours.discounts[-1] == 0]
    assert not any(step['is_last'] for step in steps[:-1])


def test_damaged_records_are_said(
  made: tuple[list[Episode], Path], tmp_path: Path
) -> None:
  export(made[1], tmp_path / 'out', 'rlds')
  path = tmp_path / 'out/understudy/1.0.0'
  (file,) = path.glob('*.tfrecord*')
  file.write_bytes(file.read_bytes()[:-20])
  with pytest.raises(DamagedFileError, match='record 11'):
    list(reading.read(path))
  file.unlink()
  with pytest.raises(DamagedFileError, match=r'no \.tfrecord files'):
    list(reading.read(path))


_D3RLPY = """
import sys, json, d3rlpy, numpy as np
with open(sys.argv[1], 'rb') as file:
  data = d3rlpy.dataset
  buffer = data.ReplayBuffer.load(file, data.InfiniteBuffer())
print(json.dumps([
  [e.observations.tolist(), e.actions.tolist(), e.rewards.tolist(),
   bool(e.terminated)] for e in buffer.episodes]))
"""


def test_the_file_of_d3rlpy(
  made: tuple[list[Episode], Path], tmp_path: Path
) -> None:
  episodes, directory = made
  export(directory, tmp_path / 'out', 'd3rlpy')
  with h5py.File(tmp_path / 'out' / 'data.h5') as file:
    assert file['num_episodes'][()] == len(LENGTHS)
    assert file['version'][()].decode() == '2.1'
    for number, episode in enumerate(episodes):
      np.testing.assert_array_equal(
        file[f'observations_{number}'], episode.observations[:-1]
      )
      assert file[f'rewards_{number}'].shape == (episode.num_steps, 1)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_d3rlpy_reads_it(
  made: tuple[list[Episode], Path], tmp_path: Path
) -> None:
  try:
    python = environments.python(environments.D3RLPY)
  except RuntimeError as error:
    pytest.skip(f'd3rlpy cannot be installed here: {str(error)[:200]}')
  episodes, directory = made
  export(directory, tmp_path / 'out', 'd3rlpy')
  result = subprocess.run(
    [str(python), '-c', _D3RLPY, str(tmp_path / 'out' / 'data.h5')],
    capture_output=True, text=True, timeout=300, check=False,
  )  # fmt: skip
  assert result.returncode == 0, result.stderr
  theirs = json.loads(result.stdout.strip().splitlines()[-1])
  for (seen, done, rewards, is_terminated), ours in zip(
    theirs, episodes, strict=True
  ):
    np.testing.assert_array_equal(
      np.array(seen, np.float32), ours.observations[:-1]
    )
    np.testing.assert_array_equal(np.array(done, np.float32), ours.actions)
    np.testing.assert_array_equal(
      np.array(rewards, np.float32)[:, 0], ours.rewards
    )
    assert is_terminated == (ours.discounts[-1] == 0)


def test_what_is_there_stays(
  made: tuple[list[Episode], Path], tmp_path: Path
) -> None:
  _, directory = made
  output = tmp_path / 'out'
  output.mkdir()
  with pytest.raises(FileExistsError, match='name another --output'):
    export(directory, output, 'hdf5')
  with pytest.raises(FileNotFoundError):
    export(tmp_path / 'nothing', tmp_path / 'new', 'hdf5')
  assert not (tmp_path / 'new').exists()
