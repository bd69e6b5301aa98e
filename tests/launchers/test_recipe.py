"""The logs that BCQ was published on, one command each."""

import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from agents.deployed.policy import Policy
from datasets.store import EpisodeStore
from datasets.types import EpisodeId
from tests.launchers.harness import ROOT, write_teacher

STEPS = 40
WORDS = (
  '--task', 'cartpole-swingup', '--episodes', '6', '--teacher-episodes', '4',
  '--random-episodes', '2', '--episode-steps', str(STEPS),
  '--evaluation-interval', '80', '--evaluation-episodes', '2',
  '--behaviour.policy-layer-sizes', '8', '8',
  '--behaviour.critic-layer-sizes', '8', '8', '--behaviour.batch-size', '16',
  '--agent.vae-layer-sizes', '8', '8', '--agent.critic-layer-sizes', '8', '8',
  '--agent.perturbation-layer-sizes', '8', '8', '--agent.batch-size', '16',
  '--agent.num-acting-candidates', '5',
)  # fmt: skip
UPDATES = ('--learner-steps', '400')


def start(recipe: str, runs: Path, *words: str) -> 'subprocess.Popen[str]':
  more = () if recipe == 'concurrent' else UPDATES
  options = [recipe, *WORDS, *more, *words, '--name', 'x', '--runs', str(runs)]
  return subprocess.Popen(
    [sys.executable, '-m', 'launchers.recipe', *options],
    cwd=ROOT, env={**os.environ, 'PYTHONPATH': str(ROOT)},
    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
  )  # fmt: skip


def run(recipe: str, runs: Path, *words: str) -> dict:
  process = start(recipe, runs, *words)
  output, errors = process.communicate(timeout=240)
  assert process.returncode == 0, errors
  return json.loads(output.splitlines()[-1])


def killed(recipe: str, runs: Path, sight: str, *words: str) -> None:
  """Starts it, and kills it as soon as there is such a file."""
  process = start(recipe, runs, *words)
  deadline = time.monotonic() + 200
  while not list((runs / 'x').glob(sight)):
    assert process.poll() is None, process.communicate()
    assert time.monotonic() < deadline
    time.sleep(0.005)
  process.send_signal(signal.SIGKILL)
  process.communicate()


def made(runs: Path) -> dict[str, dict[EpisodeId, str]]:
  """The digests of all episodes, by where they are."""
  return {
    name: EpisodeStore(runs / 'x' / name).digests()
    for name in ('behaviour/episodes', 'demonstrations')
    if (runs / 'x' / name).exists()
  }


def policies(runs: Path) -> dict[str, str]:
  """The digest of every policy, by its file."""
  return {
    str(path.relative_to(runs)): Policy.from_bytes(path.read_bytes()).digest
    for path in sorted(runs.rglob('*.npz'))
    if path.name.startswith(('best', 'episode_', 'policy'))
  }


@pytest.mark.long
@pytest.mark.parametrize(
  ('recipe', 'sights'),
  [
    (
      'final-buffer',
      ['behaviour/learner/step_000000160', 'learner/learner/step_000000160'],
    ),
    (
      'concurrent',
      ['behaviour/learner/step_000000080', 'behaviour/pupil/*/*4.npz'],
    ),
    (
      'imitation',
      ['behaviour/learner/step_000000080', 'learner/learner/step_000000080'],
    ),
    ('imperfect', ['behaviour/learner/step_000000080', 'demonstrations/*.npz']),
  ],
)
def test_kills_change_nothing(
  recipe: str, sights: list[str], tmp_path: Path
) -> None:
  calm, runs = tmp_path / 'calm', tmp_path / 'killed'
  expected = run(recipe, calm)
  for sight in sights:
    killed(recipe, runs, sight)
  again = run(recipe, runs)
  assert made(runs) == made(calm)
  assert policies(runs) == policies(calm)
  if recipe == 'concurrent':
    means = [r['learner']['return_mean'] for r in (again, expected)]
    assert means[0] == means[1]
    assert 'x/behaviour/pupil/best.npz' in policies(runs)
  else:
    assert again['learner']['digest'] == expected['learner']['digest']
    assert again['learner']['learner_steps'] == 400
    assert again['learner']['transitions'] == 6 * STEPS
  assert len(EpisodeStore(Path(again['log']))) == 6


def test_imperfect_demonstrations_of_any_teacher(tmp_path: Path) -> None:
  """Three in ten actions are random, the others noisy; none has a label."""
  teacher = write_teacher(tmp_path / 'teacher.npz')
  words = (
    '--teacher',
    str(teacher),
    '--episodes',
    '20',
    '--learner-steps',
    '1',
  )
  result = run('imperfect', tmp_path, *words)
  assert 'behaviour' not in result
  episodes = list(EpisodeStore(Path(result['log'])))
  assert len(episodes) == 20
  assert {episode.annotation for episode in episodes} == {None}
  policy = Policy.from_bytes(teacher.read_bytes())
  departures = np.concatenate(
    [e.actions - policy(e.observations[:-1]) for e in episodes]
  )[:, 0]
  # |N(0, 0.3)| < 0.1 in 26 % of the steps; |uniform - a| in about 10 %.
  assert np.mean(np.abs(departures) < 0.1) == pytest.approx(
    0.7 * 0.26 + 0.3 * 0.1, abs=0.05
  )
  again = run('imperfect', tmp_path, *words)
  assert again['demonstrations']['recorded'] == 0


def test_what_a_recipe_has_no_use_for_is_refused(tmp_path: Path) -> None:
  for recipe, words, message in (
    ('final-buffer', ('--teacher', 'untrained'), 'a DDPG acts while it learns'),
    ('concurrent', UPDATES, 'one update for each step'),
    ('imitation', ('--teacher', 'nowhere.npz'), 'nowhere.npz'),
    ('imitation', ('--evaluation-episodes', '1'), 'must be at least 2.'),
    (
      'imitation',
      ('--evaluation-episodes', '1', '--teacher', 'nowhere.npz'),
      'nowhere.npz',
    ),
    ('imitation', ('--task', 'cheetah-fly'), 'cheetah-fly'),
  ):
    process = start(recipe, tmp_path, *words)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 2
    assert message in ' '.join(errors.replace('│', '').split())
    assert not (tmp_path / 'x').exists()
