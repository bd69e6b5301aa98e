"""Runs with teachers: asked once, waited for, refused when they lie."""

from collections.abc import Iterator
import contextlib
import csv
import os
from pathlib import Path
import signal
import subprocess
import sys

import numpy as np
import portpicker
import pytest

from datasets.store import EpisodeStore
from tests.launchers import counting, harness
from tests.launchers.harness import Run

pytestmark = pytest.mark.processes

ADVISED = 160  # Steps of the two cycles.
DEMONSTRATED = 120


def episodes(run: Run, cycle: int) -> list:
  return list(EpisodeStore(run.directory / f'cycles/{cycle:03d}/episodes'))


def rows(run: Run, cycle: int) -> list[dict[str, str]]:
  path = run.directory / f'cycles/{cycle:03d}/metrics.csv'
  with path.open() as file:
    return list(csv.DictReader(file))


def spooled(run: Run) -> int:
  return len(list(run.directory.glob('cycles/*/unadvised/*.npz')))


@contextlib.contextmanager
def served(teacher: str, port: int) -> Iterator[subprocess.Popen]:
  """A service in a process of its own, as a person starts it."""
  process = subprocess.Popen(
    [
      sys.executable, '-m', 'launchers.teach', '--teacher', teacher,
      '--task', 'cartpole-swingup', '--port', str(port),
    ],
    cwd=harness.ROOT,
    env={**os.environ, 'PYTHONPATH': str(harness.ROOT)},
    stderr=subprocess.PIPE,
    text=True,
  )  # fmt: skip
  try:
    assert process.stderr is not None
    assert 'serves' in (line := process.stderr.readline()), line
    yield process
  finally:
    process.kill()
    process.wait()


@pytest.fixture(scope='module')
def calm(tmp_path_factory: pytest.TempPathFactory) -> Run:
  """A run that a snapshot advises, each process holding it."""
  return harness.complete(
    tmp_path_factory.mktemp('calm'), objective__kind='teacher_action'
  )


def test_actions_are_stored_with_the_episode(calm: Run) -> None:
  teacher = harness.random_policy(0)
  for cycle in (1, 2):
    for episode in episodes(calm, cycle):
      assert episode.annotation is not None
      assert episode.annotation.teacher.endswith('teacher.npz')
      assert len(episode.annotation.version) == 64
      np.testing.assert_allclose(
        episode.annotation.actions,
        teacher(episode.observations[:-1]),
        rtol=1e-5,
      )
  assert not spooled(calm)
  last = rows(calm, 2)[-1]
  assert float(last['teacher_distance']) > 0
  assert float(last['anchor_distance']) >= 0
  assert not {'teacher_fraction', 'teacher_cosine'} & last.keys()


@pytest.mark.long
def test_teachers_as_nodes_give_the_same_weights(
  tmp_path: Path, calm: Run
) -> None:
  run = harness.complete(
    tmp_path, objective__kind='teacher_action', teacher_nodes=2
  )
  assert harness.final_policies(run.directory) == harness.final_policies(
    calm.directory
  )


@pytest.mark.long
def test_a_filter_reports_its_side(tmp_path: Path) -> None:
  run = harness.complete(tmp_path, objective__kind='q_filter')
  fractions = [float(row['teacher_fraction']) for row in rows(run, 2)]
  assert all(0 <= fraction <= 1 for fraction in fractions)


@pytest.mark.long
def test_gradients_of_a_node_are_those_of_the_graph(tmp_path: Path) -> None:
  cosines: list[list[float]] = []
  for nodes in (0, 1):
    (runs := tmp_path / str(nodes)).mkdir()
    run = harness.complete(
      runs, objective__kind='teacher_grad', teacher_nodes=nodes
    )
    cosines.append([float(row['teacher_cosine']) for row in rows(run, 2)])
    harness.check_counts(run.directory)
  np.testing.assert_allclose(cosines[0], cosines[1], atol=0.05)


@pytest.mark.long
def test_a_service_that_dies_costs_nothing_and_is_asked_once(
  tmp_path: Path,
) -> None:
  """Killed, the run stopped, both back: every step was asked for once."""
  log, port = tmp_path / 'asked', portpicker.pick_unused_port()
  teacher = counting.address(log)
  changes = {
    'teacher': f'grpc://127.0.0.1:{port}',
    'demonstrations__teacher': str(harness.write_teacher(tmp_path / 't.npz')),
    'objective__kind': 'teacher_action',
  }
  with (
    served(teacher, port) as service,
    harness.launched(tmp_path, **changes) as run,
  ):
    run.wait_for(lambda: run.metrics(0) >= 2)
    service.kill()
    run.wait_for(lambda: spooled(run) == 2)
    run.wait_for(lambda: 'waits for the teacher' in run.output)
    assert not counting.asked(log)
    run.process.send_signal(signal.SIGINT)
    assert run.wait(30) == 128 + signal.SIGINT, run.output
    assert spooled(run) == 2
  # The run comes back before the service does, and waits.
  with harness.launched(tmp_path, **changes) as run:
    run.wait_for(lambda: 'waits for the teacher' in run.output)
    with served(teacher, port):
      assert run.wait() == 0, run.output
  harness.check_counts(run.directory)
  assert not spooled(run)
  assert sum(counting.asked(log)) == ADVISED


@pytest.mark.long
def test_a_learner_waits_for_gradients_and_stops_cleanly(
  tmp_path: Path,
) -> None:
  """A stop in the middle of an update; the end is that of a calm run."""
  port = portpicker.pick_unused_port()
  teacher = str(harness.write_teacher(tmp_path / 't.npz'))
  changes = {
    'teacher': f'grpc://127.0.0.1:{port}',
    'demonstrations__teacher': teacher,
    'objective__kind': 'teacher_grad',
    'learner_steps': 2_000,
    'evaluation__interval': 100,
  }
  with (
    served(teacher, port) as service,
    harness.launched(tmp_path, **changes) as run,
  ):
    run.wait_for(lambda: run.metrics(1) >= 3)
    service.kill()
    run.wait_for(lambda: 'learner waits for the teacher' in run.output)
    run.process.send_signal(signal.SIGTERM)
    assert run.wait(30) == 128 + signal.SIGTERM, run.output
  with served(teacher, port):
    disturbed = harness.complete(tmp_path, **changes)
    (calm := tmp_path / 'calm').mkdir()
    undisturbed = harness.complete(calm, **changes)
  assert harness.final_policies(disturbed.directory) == (
    harness.final_policies(undisturbed.directory)
  )


@pytest.mark.long
def test_a_liar_stops_the_run_and_costs_nothing(tmp_path: Path) -> None:
  log = tmp_path / 'asked'
  changes = {
    'objective__kind': 'teacher_action',
    'demonstrations__teacher': str(harness.write_teacher(tmp_path / 't.npz')),
  }
  lying = {**changes, 'teacher': counting.address(log, 'make_lying')}
  with harness.launched(tmp_path, **lying) as run:
    assert run.wait(90) == 1, run.output
  assert 'beyond [-1, 1]' in run.output
  assert spooled(run) == 2
  assert not list(run.directory.glob('cycles/001/episodes/*.npz'))


@pytest.mark.long
def test_another_version_is_refused(tmp_path: Path) -> None:
  log = tmp_path / 'asked'
  changes = {
    'objective__kind': 'teacher_action',
    'teacher': f'{counting.__name__}:make_from_file?path={tmp_path}/version',
  }
  (tmp_path / 'version').write_text(f'1 {log}')
  run = harness.complete(tmp_path, **changes)
  # It demonstrated, too, and was never asked for the labels of what it did.
  demonstrated = sum(counting.asked(log)) - ADVISED
  assert demonstrated >= DEMONSTRATED
  (run.directory / 'cycles/002/policy.npz').unlink()
  (tmp_path / 'version').write_text(f'2 {log}')
  with harness.launched(tmp_path, **changes) as run:
    assert run.wait(60) == 2, run.output
  assert 'of version 2' in run.output
