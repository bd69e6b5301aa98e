"""The curator against a real Reverb server: bad episodes stop at the door."""

from collections.abc import Callable, Iterator
import dataclasses
from pathlib import Path
import threading
from typing import Any

import numpy as np
import portpicker
import pytest

from agents.deployed.policy import Policy
from datasets import replay
from datasets.packed import Packed
from datasets.types import Episode, EpisodeId
from launchers.acting.episodes import act, seed_of
from launchers.environments.base import Description
from launchers.environments.suite import Environment
from launchers.nodes import curator, tasks
from launchers.nodes.conductor import Conductor
from launchers.runs.config import DemonstrationConfig, GrowingBatchConfig
from launchers.runs.launch_config import GatewayOptions
from launchers.runs.run_directory import RunDirectory
from tests.launchers.harness import random_policy

ENVIRONMENT = Environment('cartpole-swingup')
CONFIG = GrowingBatchConfig(
  name='run',
  cycles=1,
  actor_steps=80,
  episode_steps=20,
  learner_steps=0,
  max_refused_fraction=0.5,
  demonstrations=DemonstrationConfig(episodes=2),
)


class Program:
  """A conductor, a Reverb server and a curator in threads of this process."""

  def __init__(self, root: Path, ends_itself: bool = False):
    self._stop = threading.Event()
    self.directory = RunDirectory(root)
    environment = Description(ENVIRONMENT.task, ends_itself, True)
    root.mkdir(parents=True)
    self.directory.write_json(self.directory.task, environment.to_json())
    self.policy = random_policy(3)
    path = self.directory.policy_path(0)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(self.policy.to_bytes())
    self.conductor = Conductor(CONFIG, self.directory, self._stop.wait)
    port = portpicker.pick_unused_port()
    self.server = replay.make_server(port, 'here')
    self.address = f'localhost:{port}'
    self.writer = replay.EpisodeWriter(self.address, 'collected', 'here')
    self._curator = threading.Thread(
      target=curator.run_curator,
      args=(
        CONFIG, self.directory, self.conductor, self.address, 'here', (),
        GatewayOptions(), self._stop.wait,
      ),
    )  # fmt: skip
    self._curator.start()

  def status(self) -> dict[str, Any]:
    return self.conductor.status()

  def wait_for(self, condition: Callable[[], bool]) -> None:
    for _ in range(400):
      if condition():
        return
      self._stop.wait(0.05)
    raise AssertionError(self.status())

  def close(self) -> None:
    self._stop.set()
    self._curator.join()
    self.server.stop()


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
  running = Program(tmp_path / 'run')
  yield running
  running.close()


def episode(policy: Policy, index: int) -> Episode:
  identity = EpisodeId('run', 1, 0, index)
  environments = [Environment('cartpole-swingup')]
  orders = [(identity, seed_of(CONFIG.seed, identity, attempt=0))]
  steps, noise = CONFIG.episode_steps, CONFIG.acting_noise
  acted = next(act(environments, policy, orders, steps, noise, policy.digest))
  assert isinstance(acted, Episode)
  return acted


def with_value(array: np.ndarray, value: float) -> np.ndarray:
  changed = array.copy()
  changed.flat[-1] = value
  return changed


BAD: dict[str, Callable[[Episode], Episode]] = {
  'NaN reward': lambda e: e._replace(rewards=with_value(e.rewards, np.nan)),
  'infinite observation': lambda e: e._replace(
    observations=with_value(e.observations, np.inf)
  ),
  'action': lambda e: e._replace(actions=with_value(e.actions, 1.5)),
  'policy': lambda e: e._replace(policy='0' * 64),
  'length': lambda e: e._replace(
    observations=e.observations[:-1], actions=e.actions[:-1],
    rewards=e.rewards[:-1], discounts=e.discounts[:-1],
  ),
  'another task of equal widths': lambda e: e._replace(
    task=Environment('cartpole-balance').task
  ),
  'no task': lambda e: e._replace(task=None),
  'dtype': lambda e: e._replace(rewards=e.rewards.astype(np.float64)),
}  # fmt: skip


@pytest.mark.parametrize('kind', BAD)
def test_a_bad_episode_is_refused_and_counted(
  program: Program, kind: str
) -> None:
  good = episode(program.policy, 0)
  for _ in range(2):  # The same attempt, told of twice.
    program.writer.write(BAD[kind](good))
  program.writer.write(episode(program.policy, 1))
  program.wait_for(lambda: program.status()['collected'].get(1) == (1, 4))
  assert program.status()['refused'] == 1
  held = list(program.directory.store(1))
  assert [e.identity.episode for e in held] == [1]
  reasons = program.directory.cycle(1) / 'refused.csv'
  assert len(reasons.read_text().splitlines()) == 2
  # It is asked for again, as another attempt.
  order = program.conductor.act_order('actor/0', 8)
  episodes = [(0, 1), (2, 0), (3, 0)]
  assert order == {'cycle': 1, 'noise': 0.3, 'episodes': episodes}
  program.writer.write(good)
  program.wait_for(lambda: program.status()['collected'][1] == (2, 4))


def test_an_episode_counts_once_however_often_it_comes(
  program: Program,
) -> None:
  for index in (0, 0, 1, 0, 1):
    program.writer.write(episode(program.policy, index))
  program.writer.write(episode(program.policy, 2))
  program.wait_for(lambda: program.status()['collected'].get(1) == (3, 4))
  reader = replay.EpisodeReader(program.address, 'replay', 'here')
  received: list[Episode] = []

  def all_received() -> bool:
    received.extend(reader.read(9))
    return len(received) > 2

  program.wait_for(all_received)
  assert [e.identity.episode for e in received] == [0, 1, 2]
  assert program.status()['steps'][1] == 60


@pytest.mark.parametrize(
  'identity',
  [
    EpisodeId('other', 1, 0, 0),
    EpisodeId('run', 2, 0, 0),
    EpisodeId('run', 1, 1, 0),
    EpisodeId('run', 1, 0, 4),
  ],
)
def test_a_strangers_episode_is_ignored(
  program: Program, identity: EpisodeId
) -> None:
  program.writer.write(episode(program.policy, 0)._replace(identity=identity))
  program.writer.write(episode(program.policy, 1))
  program.wait_for(lambda: program.status()['collected'].get(1) == (1, 4))
  assert program.status()['refused'] == 0


STRAY: dict[str, Callable[[Episode], Episode]] = {
  **{kind: BAD[kind] for kind in BAD if kind != 'no task'},
  'of another run': lambda e: e._replace(
    identity=e.identity._replace(run='other')
  ),
  'beyond the quota': lambda e: e._replace(
    identity=e.identity._replace(episode=4)
  ),
  'of another cycle': lambda e: e._replace(
    identity=e.identity._replace(cycle=2)
  ),
  'without a dimension': lambda e: e._replace(
    discounts=np.float32(1) + np.zeros((), np.float32)
  ),
}


@pytest.mark.parametrize('kind', STRAY)
def test_what_someone_put_into_the_store_is_checked(
  tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
  """Older episodes do not say their task, and are let through."""
  directory = RunDirectory(tmp_path / 'run')
  policy, told = random_policy(3), list[int]()
  store = directory.store(1)
  store.commit(episode(policy, 0)._replace(task=None))
  store.commit(STRAY[kind](episode(policy, 1)))
  bad = max(store.directory.glob('*.npz'), key=lambda p: p.stat().st_mtime_ns)

  class Silent:
    def write_all(self, episodes: list[Packed]) -> None:
      told.extend(packed.episode.identity.episode for packed in episodes)

    def committed(self, *args: Any) -> None:
      pass

    def policy_digest(self, cycle: int) -> str:
      return policy.digest

  silent: Any = Silent()
  curated = curator.Curator(CONFIG, directory, silent, silent, None)
  curated.restore(1, lambda seconds: False)
  assert told == [0]
  assert (store.directory / 'quarantine' / bad.name).exists()
  assert bad.name in capsys.readouterr().err


def shorter(whole: Episode, steps: int) -> Episode:
  """The episode, cut where the environment might have cut it."""
  return whole._replace(
    observations=whole.observations[: steps + 1],
    actions=whole.actions[:steps],
    rewards=whole.rewards[:steps],
    discounts=whole.discounts[:steps],
  )


def longer(whole: Episode) -> Episode:
  twice = {
    name: np.concatenate([getattr(whole, name)] * 2)
    for name in ('actions', 'rewards', 'discounts')
  }
  observations = np.concatenate([whole.observations[:-1], whole.observations])
  return whole._replace(observations=observations, **twice)


def test_an_environment_that_cuts_episodes_may_end_them_early(
  tmp_path: Path,
) -> None:
  running = Program(tmp_path / 'run', ends_itself=True)
  try:
    running.writer.write(longer(episode(running.policy, 0)))
    running.writer.write(shorter(episode(running.policy, 1), 3))
    running.wait_for(lambda: running.status()['collected'].get(1) == (1, 4))
    assert running.status()['refused'] == 1
    (held,) = running.directory.store(1)
    assert held.num_steps == 3
    reasons = running.directory.cycle(1) / 'refused.csv'
    assert 'episode_steps allows' in reasons.read_text()
  finally:
    running.close()


def test_a_failed_attempt_counts_once_however_often_it_is_told(
  program: Program,
) -> None:
  """Of cycle 0, too, whose directory is not there yet."""
  for _ in range(3):
    program.conductor.refused(('run', 0, 0, 0), 'the motor is hot', 0)
  assert program.conductor._ledger.refused(0) == 1
  text = (program.directory.cycle(0) / 'refused.csv').read_text()
  assert text.splitlines()[1:] == ['0,0,0,the motor is hot']


def test_another_environment_does_not_go_on_with_a_run(tmp_path: Path) -> None:
  directory = RunDirectory(tmp_path)
  settled = tasks.settle(CONFIG, directory)
  assert tasks.load(CONFIG, directory) == tasks.settle(CONFIG, directory)
  other = dataclasses.replace(settled.task, observation_size=7, observations=())
  tree = settled._replace(task=other).to_json()
  directory.write_json(directory.task, tree)
  with pytest.raises(ValueError, match='observation_size: 5, not 7'):
    tasks.settle(CONFIG, directory)
