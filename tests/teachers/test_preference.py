"""Teachers that are people's orderings of actions."""

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import pytest

from datasets.tasks import Field
from teachers import preference, registry
from teachers.base import Task
from tests.teachers.contract import TeacherContract

TASK = Task('point-reach', 2, 2)
HEADER = 'person,s0,s1,a0,a1,b0,b1,magnitude'


def write(path: Path, *rows: str, header: str = HEADER) -> str:
  path.write_text('\n'.join([header, *rows]) + '\n', encoding='utf-8')
  return str(path)


def ask(path, state, action, bandwidth=0.5):
  """The advice at one state and action, [A]."""
  teacher = preference.make(TASK, path, bandwidth)
  questions = np.array([state, action], np.float32)
  return teacher.action_gradients(questions[:1], questions[1:])[0]


def optimum(states: np.ndarray) -> np.ndarray:
  """The best actions [N, 2] of a made-up task, at states [N, 2]."""
  return 0.6 * np.sin(2 * states)


def ordered_by(person: str, count: int, seed: int) -> list[str]:
  """Rows of somebody who prefers what is nearer to the optimum."""
  random = np.random.default_rng(seed)
  states = random.uniform(-1, 1, (count, 2))
  pairs = random.uniform(-1, 1, (2, count, 2))
  far = np.linalg.norm(pairs - optimum(states), axis=2)  # [2, count]
  worst, which = far.argmax(axis=0), np.arange(count)
  columns = [states, pairs[worst, which], pairs[1 - worst, which]]
  numbers = np.concatenate([*columns, np.ptp(far, axis=0)[:, None]], axis=1)
  return [','.join([person, *map(repr, row.tolist())]) for row in numbers]


class TestPreference(TeacherContract):
  @pytest.fixture(autouse=True)
  def _written(self, tmp_path):
    rows = [*ordered_by('ann', 50, 0), *ordered_by('bob', 20, 1)]
    self._path = write(tmp_path / 'preferences.csv', *rows)

  def make_teacher(self):
    return preference.make(TASK, self._path)

  def test_gives_gradients_alone(self, teacher):
    assert teacher.gives == {'action_gradients'}

  def test_some_of_the_questions_are_answered(self, teacher):
    """Or the contract's tests would compare zeros."""
    advice = teacher.action_gradients(*self._questions(teacher, 64))
    assert 0.2 < np.any(advice, axis=1).mean() < 1


def test_its_address_is_a_teachers(tmp_path):
  path = write(tmp_path / 'x.csv', 'ann,0,0,0,0,1,0,2')
  address = f'teachers.preference:make?path={path}&bandwidth=0.7'
  teacher = registry.load(address, TASK)
  assert teacher.name == 'preference/x'
  assert teacher.version == preference.make(TASK, path, 0.7).version
  assert teacher.version != preference.make(TASK, path, 0.8).version
  write(tmp_path / 'x.csv', 'ann,0,0,0,0,1,0,3')
  assert teacher.version != preference.make(TASK, path, 0.7).version


def test_its_version_is_that_of_earlier_releases(tmp_path):
  """Advice is asked again, and a run refused, when a version changes."""
  path = write(tmp_path / 'x.csv', 'ann,0,0,0,0,1,0,2')
  data = b"preference-1 ('point-reach', 2, 2) 0.7\n" + Path(path).read_bytes()
  whole = dataclasses.replace(TASK, observations=(Field('all', (2,)),))
  for task in (TASK, whole):
    teacher = preference.make(task, path, 0.7)
    assert teacher.version == hashlib.sha256(data).hexdigest()


def test_points_from_the_worse_action_to_the_better(tmp_path):
  path = write(tmp_path / 'x.csv', 'ann,0,0,-0.5,0,0.1,0.8,2')
  np.testing.assert_allclose(ask(path, [0, 0], [-0.5, 0]), [0.6, 0.8], 1e-6)


@pytest.mark.parametrize(
  ('along', 'length'), [(-0.5, 1), (0, 1), (0.5, 0.5), (1, 0), (1.5, 0)]
)
def test_nothing_is_said_beyond_the_better_action(tmp_path, along, length):
  path = write(tmp_path / 'x.csv', 'ann,0,0,0,0,0.6,0,2')
  advice = ask(path, [0, 0], [0.6 * along, 0])
  np.testing.assert_allclose(advice, [length, 0], atol=1e-6)


@pytest.mark.parametrize(
  ('distance', 'length'), [(0, 1), (0.5, 0.75), (1, 0), (2, 0), (1e6, 0)]
)
def test_is_silent_far_from_what_was_said(tmp_path, distance, length):
  path = write(tmp_path / 'x.csv', 'ann,0,0,0,0,1,0,2')
  # One row has no deviation, so that the units are the states' own.
  state = np.full(2, distance * 0.5)
  advice = ask(path, state, [0, 0], bandwidth=0.5)
  np.testing.assert_allclose(advice, [length, 0], atol=1e-6)


def test_disagreement_shortens_the_step(tmp_path):
  right, left = 'ann,0,0,0,0,1,0,1', 'bob,0,0,0,0,-1,0,1'
  up = 'bob,0,0,0,0,0,1,1'
  same = 'bob,0,0,0,0,1,0,1'
  steps = [
    np.linalg.norm(ask(write(tmp_path / 'x.csv', right, row), [0, 0], [0, 0]))
    for row in (same, up, left)
  ]
  np.testing.assert_allclose(steps, [1, 0.5**0.5, 0], atol=1e-6)


def test_people_count_equally_whatever_their_numbers(tmp_path):
  """Neither many rows nor generous magnitudes weigh more."""
  right = ['ann,0,0,0,0,1,0,100'] * 5
  path = write(tmp_path / 'x.csv', *right, 'bob,0,0,0,0,0,1,0.1')
  np.testing.assert_allclose(ask(path, [0, 0], [0, 0]), [0.5, 0.5], 1e-6)


def test_a_persons_own_magnitudes_set_the_length(tmp_path):
  weak, strong = 'ann,-1,0,0,0,1,0,1', 'ann,1,0,0,0,1,0,3'
  path = write(tmp_path / 'x.csv', weak, strong)
  lengths = [ask(path, [x, 0], [0, 0])[0] for x in (-1, 1)]
  np.testing.assert_allclose(lengths, [0.5, 1.5], 1e-6)


def test_finds_the_optimum_that_people_have_in_mind(tmp_path):
  people = [ordered_by(name, 400, i) for i, name in enumerate(('ann', 'bob'))]
  path = write(tmp_path / 'x.csv', *people[0], *people[1])
  teacher = preference.make(TASK, path, bandwidth=0.4)
  random = np.random.default_rng(5)
  states = random.uniform(-0.9, 0.9, (500, 2)).astype(np.float32)
  actions = random.uniform(-1, 1, (500, 2)).astype(np.float32)
  advice = teacher.action_gradients(states, actions)
  assert np.any(advice, axis=1).mean() > 0.95
  wanted = optimum(states) - actions
  lengths = np.linalg.norm(advice, axis=1) * np.linalg.norm(wanted, axis=1)
  cosines = np.sum(advice * wanted, axis=1) / np.maximum(lengths, 1e-9)
  assert np.median(cosines) > 0.9
  before = np.linalg.norm(actions - optimum(states), axis=1).mean()
  for _ in range(50):
    actions += 0.2 * teacher.action_gradients(states, actions)
    actions = np.clip(actions, -1, 1)
  after = np.linalg.norm(actions - optimum(states), axis=1).mean()
  assert after < 0.4 * before


def test_long_tables_are_answered_in_parts(tmp_path, monkeypatch):
  path = write(tmp_path / 'x.csv', *ordered_by('ann', 100, 0))
  questions = np.random.default_rng(0).uniform(-1, 1, (2, 50, 2))
  questions = questions.astype(np.float32)
  whole = preference.make(TASK, path).action_gradients(*questions)
  monkeypatch.setattr(preference, '_CHUNK', 700)
  parts = preference.make(TASK, path).action_gradients(*questions)
  np.testing.assert_allclose(parts, whole, rtol=1e-4, atol=1e-6)
  assert np.any(whole)


@pytest.mark.parametrize(
  ('row', 'complaint'),
  [
    ('ann,0,0,0,0,1,0', 'line 3: it has 7 values; the 8 columns'),
    (',0,0,0,0,1,0,1', 'line 3: person is empty'),
    ('ann,zero,0,0,0,1,0,1', "line 3: s0 is 'zero', which is no number"),
    ('ann,nan,0,0,0,1,0,1', 'line 3: s0 is nan; it must be finite'),
    ('ann,0,0,0,0,1.5,0,1', 'line 3: b0 is 1.5; .* from -1 to 1'),
    ('ann,0,0,0,0,1,0,0', 'line 3: magnitude is 0.0; it must be above 0'),
    ('ann,0,0,0,0,1,0,-2', 'exchange a and b'),
    ('ann,0,0,1,0,1,0,1', 'line 3: the actions a and b are the same'),
    ('"ann,0,0,0,0,1,0,1', 'near line 3: unexpected end of data'),
  ],
)
def test_refuses_a_malformed_row(tmp_path, row, complaint):
  path = write(tmp_path / 'x.csv', 'ann,0,0,0,0,1,0,2', row)
  with pytest.raises(ValueError, match=complaint):
    preference.make(TASK, path)


@pytest.mark.parametrize('header', ['', HEADER.replace('s1', 's2'), 'person'])
def test_refuses_other_columns(tmp_path, header):
  path = write(tmp_path / 'x.csv', 'ann,0,0,0,0,1,0,2', header=header)
  with pytest.raises(ValueError, match=r'line 1: .* they must be person, s0'):
    preference.make(TASK, path)


def test_refuses_what_is_no_text(tmp_path):
  path = tmp_path / 'x.csv'
  path.write_bytes(HEADER.encode() + b'\n\xff\xfe,0,0,0,0,1,0,2\n')
  with pytest.raises(ValueError, match='Save it as CSV in UTF-8'):
    preference.make(TASK, str(path))


def test_refuses_no_preferences_and_no_bandwidth(tmp_path):
  path = write(tmp_path / 'x.csv')
  with pytest.raises(ValueError, match='holds no preferences'):
    preference.make(TASK, path)
  path = write(tmp_path / 'x.csv', 'ann,0,0,0,0,1,0,2')
  with pytest.raises(ValueError, match='bandwidth 0; give'):
    preference.make(TASK, path, 0)
  with pytest.raises(FileNotFoundError):
    preference.make(TASK, str(tmp_path / 'none.csv'))
