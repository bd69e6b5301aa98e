"""Advice that is added afterwards: asked once, kept with a copy."""

import json
from pathlib import Path
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest

from datasets.packed import digest_of_episode
from datasets.store import EpisodeStore
from datasets.types import Annotation, EpisodeId
from launchers.acting import episodes, rollouts
from launchers.acting.outcomes import Failure
from launchers.environments.suite import Environment
from teachers import service
from teachers.base import Task
from tests.launchers import counting
from tests.launchers.harness import ROOT, random_policy
from tests.launchers.test_commands import command

EPISODES, STEPS = 12, 20
TASK = ('--task', 'cartpole-swingup')


@pytest.fixture
def data(tmp_path: Path) -> Path:
  """Real episodes; another teacher has annotated the first."""
  store = EpisodeStore(tmp_path / 'data')
  environments = [
    Environment('cartpole-swingup') for _ in range(rollouts.LANES)
  ]
  policy = random_policy(0)
  for first in range(0, EPISODES, rollouts.LANES):
    indices = range(EPISODES)[first : first + rollouts.LANES]
    ids = [EpisodeId('run', 1, 0, index) for index in indices]
    for episode in episodes.act(
      environments,
      policy,
      [(i, episodes.seed_of(0, i, attempt=0)) for i in ids],
      STEPS,
      noise=0.3,
      digest=policy.digest,
    ):
      assert not isinstance(episode, Failure)
      if episode.identity.episode == 0:
        other = Annotation('other', 'x', episode.actions)
        episode = episode._replace(annotation=other)
      store.commit(episode)
  return store.directory


def check_copies(data: Path, copies: Path) -> None:
  """Equal to the originals but for the advice, which is the teacher's."""
  assert list(EpisodeStore(copies).digests()) == list(
    EpisodeStore(data).digests()
  )
  pairs = zip(EpisodeStore(data), EpisodeStore(copies), strict=True)
  for original, copy in pairs:
    assert copy.annotation is not None
    assert copy.annotation[:2] == ('counting', '1')
    expected = np.tanh(original.observations[:-1, :1])
    np.testing.assert_array_equal(copy.annotation.actions, expected)
    without = copy._replace(annotation=original.annotation)
    assert digest_of_episode(without) == digest_of_episode(original)


def result_of(run: 'subprocess.CompletedProcess[str]') -> dict[str, Any]:
  assert run.returncode == 0, run.stderr
  return json.loads(run.stdout)


def test_each_observation_is_asked_once(data: Path, tmp_path: Path) -> None:
  log = tmp_path / 'log'
  before = EpisodeStore(data).digests()
  words = (str(data), '--teacher', counting.address(log), *TASK)
  # Two whole episodes fit into 50 rows.
  result = result_of(command('annotate', *words, '--batch', '50'))
  assert result['asked'] == result['transitions'] == EPISODES * STEPS
  assert counting.asked(log) == [2 * STEPS] * (EPISODES // 2)
  check_copies(data, tmp_path / 'data-annotated')
  assert EpisodeStore(data).digests() == before
  again = result_of(command('annotate', *words))
  assert (again['asked'], again['episodes']) == (0, EPISODES)
  assert sum(counting.asked(log)) == EPISODES * STEPS


def test_an_episode_longer_than_a_batch_is_asked_in_pieces(
  data: Path, tmp_path: Path
) -> None:
  log = tmp_path / 'log'
  words = (str(data), '--teacher', counting.address(log), *TASK)
  result_of(command('annotate', *words, '--batch', '15'))
  assert sorted(counting.asked(log)) == [5] * EPISODES + [15] * EPISODES
  check_copies(data, tmp_path / 'data-annotated')


@pytest.mark.long
def test_a_killed_command_asks_for_what_is_missing(
  data: Path, tmp_path: Path
) -> None:
  copies = tmp_path / 'copies'
  words = [str(data), '--output', str(copies), *TASK, '--batch', str(STEPS)]
  slow = counting.address(tmp_path / 'slow.log', pause=0.3)
  process = subprocess.Popen(
    [
      sys.executable, '-m', 'launchers.annotate', *words,
      '--teacher', slow, '--requests', '2',
    ],
    cwd=ROOT, stderr=subprocess.DEVNULL,
  )  # fmt: skip
  deadline = time.monotonic() + 60
  while len(list(copies.glob('*.npz'))) < 3:
    assert time.monotonic() < deadline
    assert process.poll() is None
    time.sleep(0.01)
  process.kill()
  process.wait()
  kept = EpisodeStore(copies).digests()
  assert 3 <= len(kept) < EPISODES
  # At most the two requests in flight were asked in vain.
  assert len(counting.asked(tmp_path / 'slow.log')) <= len(kept) + 2
  log = tmp_path / 'log'
  address = counting.address(log)
  result = result_of(command('annotate', *words, '--teacher', address))
  assert result['asked'] == (EPISODES - len(kept)) * STEPS
  assert counting.asked(log) == [STEPS] * (EPISODES - len(kept))
  assert kept.items() <= EpisodeStore(copies).digests().items()
  check_copies(data, copies)


def test_another_version_is_refused(data: Path, tmp_path: Path) -> None:
  log = tmp_path / 'log'
  words = (str(data), *TASK, '--teacher')
  result_of(command('annotate', *words, counting.address(log)))
  newer = counting.address(log, version=2)
  refused = command('annotate', *words, newer)
  assert refused.returncode == 2
  assert 'has version 2. Choose another' in ' '.join(refused.stderr.split())
  assert sum(counting.asked(log)) == EPISODES * STEPS


def test_a_directory_has_the_advice_of_one_teacher(
  data: Path, tmp_path: Path
) -> None:
  """Also where the episodes of two commands have nothing in common."""
  log, copies = tmp_path / 'log', tmp_path / 'copies'
  kept = EpisodeStore(copies)
  episode = next(iter(EpisodeStore(data)))
  other = Annotation('other', '2', episode.actions)
  identity = episode.identity._replace(run='another')
  kept.commit(episode._replace(identity=identity, annotation=other))
  words = ('--output', str(copies), '--teacher', counting.address(log))
  refused = command('annotate', str(data), *words, *TASK)
  assert refused.returncode == 2
  assert 'advice of version 2' in ' '.join(refused.stderr.split())
  assert (len(kept), counting.asked(log)) == (1, [])


def test_actions_out_of_bounds_fail_and_leave_nothing(
  data: Path, tmp_path: Path
) -> None:
  liar = counting.address(tmp_path / 'log', 'make_lying')
  failed = command('annotate', str(data), '--teacher', liar, *TASK)
  assert failed.returncode == 1
  assert 'beyond [-1, 1]' in ' '.join(failed.stderr.split())
  assert not list((tmp_path / 'data-annotated').glob('*.npz'))


def test_the_originals_are_never_overwritten(data: Path) -> None:
  refused = command(
    'annotate', str(data), '--output', str(data), '--teacher', 'x'
  )
  assert refused.returncode == 2
  assert 'Choose another --output' in ' '.join(refused.stderr.split())


def test_a_service_annotates(data: Path, tmp_path: Path) -> None:
  log = tmp_path / 'log'
  teacher = counting.make(Task('cartpole-swingup', 5, 1), str(log))
  server = service.serve(teacher)
  try:
    result_of(
      command(
        'annotate', str(data), '--teacher', f'grpc://{server.address}',
        '--batch', str(STEPS),
      )
    )  # fmt: skip
  finally:
    server.stop(0)
  assert counting.asked(log) == [STEPS] * EPISODES
  check_copies(data, tmp_path / 'data-annotated')


def test_the_episodes_name_the_task(data: Path, tmp_path: Path) -> None:
  result_of(
    command(
      'annotate', str(data), '--teacher', counting.address(tmp_path / 'l')
    )
  )
  check_copies(data, tmp_path / 'data-annotated')


@pytest.mark.parametrize(
  'words',
  [
    ('--teacher', 'cartpole-balance/expert'),
    ('--teacher', 'cartpole-swingup/expert', '--task', 'cartpole-balance'),
  ],
)
def test_another_task_of_equal_widths_is_refused(
  data: Path, words: tuple[str, ...]
) -> None:
  refused = command('annotate', str(data), *words)
  assert refused.returncode == 2
  says = ('cartpole-balance, not cartpole-swingup', 'cartpole-swingup, not')
  assert any(text in ' '.join(refused.stderr.split()) for text in says)
