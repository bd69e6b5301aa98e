"""A log: all its episodes in memory, in order, or refused."""

import numpy as np
import pytest

from agents.bc.config import BCConfig
from agents.d4pg.config import D4PGConfig
from datasets.files import DamagedFileError
from datasets.memory import Memory
from datasets.store import EpisodeStore
from datasets.validation import EpisodeRefused
from launchers.training.offline import Log
from tests.datasets.samples import make_episode


@pytest.fixture
def stores(tmp_path):
  """Two: of episodes 0 to 7, and of 8 to 11, the last of them advised."""
  found = [EpisodeStore(tmp_path / name) for name in ('a', 'b')]
  for index in range(12):
    episode = make_episode(index, 5 + index, with_advice=index == 11)
    found[index >= 8].commit(episode)
  return found


def log_of(stores, *more, config=D4PGConfig()):
  return Log([store.directory for store in stores], config, *more)


def test_all_are_there_in_order(stores):
  memory = Memory(5, 0.99, with_labels=True)
  for store in stores:
    memory.extend(store)
  log = log_of(stores)
  assert (log.num_episodes, len(log.memory)) == (12, len(memory))
  assert tuple(log.spec) == (17, 6)
  everything = np.arange(len(memory))
  for one, other in zip(
    (
      *log.memory.gather(everything)[:5],
      *log.memory.demonstrations(everything),
    ),
    (*memory.gather(everything)[:5], *memory.demonstrations(everything)),
    strict=True,
  ):
    assert one.tobytes() == other.tobytes()


def test_the_digest_is_that_of_the_data(stores):
  before = log_of(stores).digest
  assert log_of(stores, config=BCConfig()).digest == before
  stores[1].discard(make_episode(10).identity)
  assert log_of(stores).digest != before


def test_says_how_far_it_is(stores):
  told: list[tuple[int, int]] = []
  log_of(stores, None, lambda done, total: told.append((done, total)))
  assert told == [(done, 12) for done in range(1, 13)]


@pytest.mark.parametrize('count', [1, 4])
def test_the_first_of_each_directory_are_its_phase(stores, tmp_path, count):
  """The same as if nothing had been acted after them."""
  phases = []
  for i, store in enumerate(stores):
    phase = EpisodeStore(tmp_path / f'phase{i}')
    for episode in list(store)[:count]:
      phase.commit(episode)
    phases.append(phase)
  path = sorted(stores[0].directory.glob('*.npz'))[4]
  path.write_bytes(b'Later ones are not even read.')
  told: list[tuple[int, int]] = []
  first = log_of(stores, None, lambda *numbers: told.append(numbers), count)
  expected = log_of(phases)
  assert told[-1] == (2 * count, 2 * count)
  assert first.num_episodes == expected.num_episodes
  assert len(first.memory) == len(expected.memory)
  assert first.digest == expected.digest


def test_too_few_for_a_phase_are_refused(stores):
  with pytest.raises(ValueError, match=r'b holds 4 episodes, and .* for 5'):
    log_of(stores, None, lambda *_: None, 5)


def test_what_is_no_log_is_refused(stores, tmp_path):
  with pytest.raises(ValueError, match=r'no episodes in .*empty'):
    log_of([EpisodeStore(tmp_path / 'empty')])
  path = next(iter(sorted(stores[1].directory.glob('*.npz'))))
  stores[0].commit(make_episode(99, observations=np.zeros((21, 3), np.float32)))
  with pytest.raises(EpisodeRefused, match=r'000099\.npz: '):
    log_of(stores)
  path.write_bytes(path.read_bytes()[:-300])
  with pytest.raises(DamagedFileError, match=path.name):
    log_of(stores[1:])
