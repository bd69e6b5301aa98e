"""Teachers that are snapshots."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from agents.deployed.policy import Snapshot
from launchers.nodes.teacher_gradients import TeacherGradients
from teachers import snapshot, untrained
from tests.agents.deployed import made
from tests.launchers.harness import random_policy, write_teacher
from tests.teachers.contract import TeacherContract


def shipped() -> list[str]:
  files = sorted(snapshot.SHIPPED.glob('*/*.npz'))
  return [str(f.relative_to(snapshot.SHIPPED).with_suffix('')) for f in files]


class TestExpert(TeacherContract):
  def make_teacher(self):
    return snapshot.load('cartpole-swingup/expert')


class TestPolicyAlone(TeacherContract):
  def make_teacher(self):
    return snapshot.SnapshotTeacher('alone', Snapshot(random_policy(0), {}, {}))


class TestPolicyAndCritic(TeacherContract):
  @pytest.fixture(autouse=True)
  def _written(self, tmp_path):
    self._path = write_teacher(tmp_path / 'both.npz')

  def make_teacher(self):
    return snapshot.load(str(self._path))

  def test_gives_both(self, teacher):
    assert teacher.gives == {'actions', 'action_gradients'}


def test_the_demos_expert_ships() -> None:
  assert 'cartpole-swingup/expert' in shipped()


@pytest.mark.parametrize('name', shipped())
def test_shipped_snapshots_say_where_they_are_from(name: str) -> None:
  teacher = snapshot.load(name)
  assert name.startswith(teacher.metadata['task'])
  assert teacher.metadata['return_mean'] > 0
  assert {'seed', 'config', 'learner_steps'} <= set(teacher.metadata)
  size, width = teacher.policy.spec.action_size, teacher.policy.spec[0]
  observations = np.random.default_rng(0).normal(size=(7, width))
  actions = teacher.actions(observations.astype(np.float32))
  assert actions.shape == (7, size)
  assert actions.dtype == np.float32
  assert np.abs(actions).max() <= 1


def test_a_path_is_a_name_too(tmp_path: Path) -> None:
  path = write_teacher(tmp_path / 'mine.npz')
  teacher = snapshot.load(str(path))
  assert teacher.name == str(path)


def test_the_version_is_of_policy_and_critic(tmp_path: Path) -> None:
  both = Snapshot.from_bytes(write_teacher(tmp_path / 'mine.npz').read_bytes())
  alone = both._replace(critic={})
  other = both._replace(
    critic={**both.critic, 'atoms': both.critic['atoms'] * 2}
  )
  versions = {
    snapshot.SnapshotTeacher('mine', one).version
    for one in (both, alone, other)
  }
  assert len(versions) == 3
  assert random_policy(0).digest in versions


def test_an_unknown_teacher_is_refused_with_the_known_ones() -> None:
  with pytest.raises(FileNotFoundError, match='cartpole-swingup/expert'):
    snapshot.load('cartpole-swingup/wizard')


def test_a_file_that_is_no_snapshot_is_refused(tmp_path: Path) -> None:
  path = tmp_path / 'mine.npz'
  path.write_bytes(b'not arrays')
  with pytest.raises(ValueError, match=r'mine\.npz is no snapshot'):
    snapshot.load(str(path))


def test_one_that_is_cut_off_says_what_to_do(tmp_path: Path) -> None:
  path = write_teacher(tmp_path / 'mine.npz')
  path.write_bytes(path.read_bytes()[:-100])
  with pytest.raises(ValueError, match=r'cut off.*copy it again') as refusal:
    snapshot.load(str(path))
  assert 'Bad' not in str(refusal.value)  # As the error's class begins.


def test_of_a_run_directory_the_files_are_named(tmp_path: Path) -> None:
  with pytest.raises(FileNotFoundError, match=r'is a directory.*is none here'):
    snapshot.load(str(tmp_path))
  for name in ('000', '001'):
    (tmp_path / 'cycles' / name).mkdir(parents=True)
    write_teacher(tmp_path / 'cycles' / name / 'policy.npz')
  with pytest.raises(
    FileNotFoundError, match=r'one of .*001/policy\.npz, .*000'
  ):
    snapshot.load(str(tmp_path))


@pytest.mark.parametrize(
  ('changes', 'message'),
  [
    ({'atoms': None}, 'must have more than 1 inputs'),
    ({'atoms': np.array([-1, 0.5, 1], np.float32)}, 'evenly spaced'),
    ({'0/w': np.zeros((9, 8), np.float32)}, 'of width 8, but its policy of 5'),
    ({'0/w': np.zeros((1, 8), np.float32)}, 'more than 1 inputs'),
  ],
)
def test_a_critic_that_the_learner_cannot_hold_is_refused(
  tmp_path: Path, changes, message
) -> None:
  """At once, and not a cycle later."""
  path = write_teacher(tmp_path / 'mine.npz')
  good = Snapshot.from_bytes(path.read_bytes())
  critic = {**good.critic, **changes}
  critic = {name: array for name, array in critic.items() if array is not None}
  path.write_bytes(good._replace(critic=critic).to_bytes())
  with pytest.raises(ValueError, match=rf'mine\.npz is no snapshot.*{message}'):
    snapshot.load(str(path))


def scalar_snapshot() -> Snapshot:
  """A gaussian policy, and a critic whose one output is the value."""
  critic = dict(untrained.make(7, 1, 0, (8, 8)).arrays)
  return Snapshot(made.make('gaussian', 5, 2), critic, {})


class TestGaussianAndScalarCritic(TeacherContract):
  def make_teacher(self):
    return snapshot.SnapshotTeacher('scalar', scalar_snapshot())

  def test_advises_what_its_policy_does_without_noise(self, teacher):
    rows = self.observations(200)
    actions = teacher.actions(rows)
    np.testing.assert_array_equal(actions, scalar_snapshot().policy(rows))
    assert teacher.gives == {'actions', 'action_gradients'}

  def test_the_learners_graph_asks_for_its_gradients(self, teacher):
    gradients = TeacherGradients(lambda: teacher)
    gradients.prepare()
    observations = self.observations(6)
    actions = np.tanh(observations[:, :2])
    got = tf.function(gradients)(tf.constant(observations), actions)
    expected = teacher.action_gradients(observations, actions)
    np.testing.assert_array_equal(got, expected)
    assert np.abs(expected).max() > 0.01


class TestBestOfGaussian(TeacherContract):
  def make_teacher(self):
    policy = made.make('best_of_gaussian')
    return snapshot.SnapshotTeacher('best', Snapshot(policy, {}, {}))


class TestBestOfDecoder(TeacherContract):
  def make_teacher(self):
    policy = made.make('best_of_decoder')
    return snapshot.SnapshotTeacher('best', Snapshot(policy, {}, {}))


@pytest.mark.parametrize('form', made.FORMS)
def test_a_file_of_any_form_is_a_teacher(form: str, tmp_path: Path) -> None:
  path = tmp_path / 'mine.npz'
  path.write_bytes(made.make(form).to_bytes())
  teacher = snapshot.load(str(path))
  assert teacher.policy.form == form
  path.write_bytes(Snapshot(made.make(form), {}, {}).to_bytes()[:-30])
  with pytest.raises(ValueError, match=r'mine\.npz is no snapshot'):
    snapshot.load(str(path))
