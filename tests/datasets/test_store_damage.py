"""Files of a store that are not what they were: named, and set aside."""

import numpy as np
import pytest

from datasets import arrays, files
from datasets.packed import digest_of_episode
from datasets.store import EpisodeStore, file_name
from tests.datasets.samples import assert_same, make_episode


@pytest.fixture
def store(tmp_path):
  return EpisodeStore(tmp_path / 'episodes')


def _tear(data: bytes) -> bytes:
  return data[: len(data) // 2]


def _alter(data: bytes) -> bytes:
  middle = len(data) // 2
  return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def _other_episode(_: bytes) -> bytes:
  from datasets import encoding

  return arrays.encode(*encoding.to_arrays(make_episode(7)))[0]


def _other_arrays(_: bytes) -> bytes:
  return arrays.encode({'weights': np.zeros(3)}, {})[0]


DAMAGE = [
  (_tear, 'torn'),
  (_alter, 'torn|digest'),
  (lambda _: b'', 'empty'),
  (lambda data: bytes(len(data)), 'torn'),
  (_other_episode, 'it holds'),
  (_other_arrays, 'lacks'),
]


@pytest.mark.parametrize(('damage', 'reason'), DAMAGE)
def test_damage_is_named_and_set_aside(store, damage, reason):
  for index in range(3):
    store.commit(make_episode(index))
  victim = make_episode(1)
  path = store.directory / file_name(victim.identity)
  path.write_bytes(damage(path.read_bytes()))
  for opened in (store, EpisodeStore(store.directory)):
    with pytest.raises(files.DamagedFileError, match=reason) as error:
      opened.read(victim.identity)
    assert error.value.path == path
    with pytest.raises(files.DamagedFileError):
      opened.digests()
    with pytest.raises(files.DamagedFileError):
      list(opened)
  ((moved, why),) = store.quarantine()
  assert moved.parent.name == 'quarantine'
  assert moved.exists()
  assert not path.exists()
  assert error.value.reason == f'{why}; restore it, or move it out of there'
  assert len(store.digests()) == 2
  assert store.quarantine() == []
  # It is collected again, and may be damaged again.
  assert store.commit(victim) == digest_of_episode(victim)
  path.write_bytes(b'')
  ((again, _),) = store.quarantine()
  assert again != moved


def test_committing_again_heals(store, caplog):
  episode = make_episode()
  digest = store.commit(episode)
  path = store.directory / file_name(episode.identity)
  path.write_bytes(path.read_bytes()[:-7])
  assert EpisodeStore(store.directory).commit(episode) == digest
  assert 'damaged' in caplog.text
  assert_same(store.read(episode.identity), episode)
  assert len(list((store.directory / 'quarantine').iterdir())) == 1


@pytest.mark.parametrize(
  'name', ['x.npz', 'run-1-0-0.npz', 'run-0001-000-000000.npz']
)
def test_foreign_files_are_set_aside(store, name):
  store.commit(make_episode())
  (store.directory / name).write_bytes(b'data')
  (store.directory / 'notes.txt').write_text('left alone')
  ((moved, reason),) = store.quarantine()
  assert (moved.name, reason) == (name, 'its name is not that of an episode')
  assert len(store) == 1
  assert (store.directory / 'notes.txt').exists()
