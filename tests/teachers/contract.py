"""What holds for every teacher; its test class inherits this one.

from tests.teachers.contract import TeacherContract

class TestMine(TeacherContract):
  def make_teacher(self):
    return my_module.make(Task('cartpole-swingup', 5, 1))
"""

import abc
from concurrent import futures
import threading

import numpy as np
import pytest

from teachers import checks
from teachers.base import KINDS, Kind, NotGivenError, Teacher

_THREADS = 8


class TeacherContract(abc.ABC):
  """Asks a teacher as the curator and the learner do."""

  @abc.abstractmethod
  def make_teacher(self) -> Teacher:
    """A new teacher, always the same."""

  def observations(self, batch: int) -> np.ndarray:
    """Some that it could meet, [batch, S] float32; always the same.

    Override it if most of these are nothing to the teacher.
    """
    size = self.make_teacher().observation_size
    random = np.random.default_rng(batch)
    return random.normal(size=(batch, size)).astype(np.float32)

  @pytest.fixture
  def teacher(self) -> Teacher:
    return self.make_teacher()

  def test_says_who_it_is(self, teacher):
    assert isinstance(teacher, Teacher)
    for text in (teacher.name, teacher.version):
      assert isinstance(text, str)
      assert text
      assert text.isprintable()
    for size in (teacher.observation_size, teacher.action_size):
      assert isinstance(size, int)
      assert size >= 1

  def test_equal_ones_are_of_one_name_and_version(self, teacher):
    other = self.make_teacher()
    assert (other.name, other.version) == (teacher.name, teacher.version)

  def test_gives_what_it_says_and_nothing_else(self, teacher):
    assert teacher.gives
    assert teacher.gives <= set(KINDS)
    for kind in set(KINDS) - teacher.gives:
      with pytest.raises(NotGivenError):
        advise(teacher, kind, *self._questions(teacher, 1))

  @pytest.mark.parametrize('batch', [1, 7, 256])
  def test_advice_passes_the_checks(self, teacher, batch):
    for kind in teacher.gives:
      advice = advise(teacher, kind, *self._questions(teacher, batch))
      assert advice.shape == (batch, teacher.action_size)

  def test_a_row_is_answered_by_itself(self, teacher):
    """Or stored advice would depend on how it was asked for."""
    observations, actions = self._questions(teacher, 64)
    order = np.random.default_rng(0).permutation(64)
    for kind in teacher.gives:
      together = advise(teacher, kind, observations, actions)
      shuffled = advise(teacher, kind, observations[order], actions[order])
      assert_close(shuffled, together[order])
      for i in range(0, 64, 9):
        row = slice(i, i + 1)
        alone = advise(teacher, kind, observations[row], actions[row])
        assert_close(alone, together[row])

  def test_repeats_itself(self, teacher):
    """A new one too: advice outlives the process that asked for it."""
    for kind in teacher.gives:
      questions = self._questions(teacher, 32)
      first = advise(teacher, kind, *questions)
      kept = first.copy()
      advise(teacher, kind, *(-q for q in questions))
      np.testing.assert_array_equal(first, kept, 'overwrote its last answer')
      assert_close(advise(teacher, kind, *questions), kept)
      assert_close(advise(self.make_teacher(), kind, *questions), kept)

  def test_leaves_the_questions_alone(self, teacher):
    for kind in teacher.gives:
      questions = self._questions(teacher, 16)
      kept = [question.copy() for question in questions]
      advise(teacher, kind, *questions)
      for question, before in zip(questions, kept, strict=True):
        np.testing.assert_array_equal(question, before)

  def test_any_thread_may_ask(self, teacher):
    asked = [self._questions(teacher, 16 + i) for i in range(_THREADS)]
    for kind in teacher.gives:
      expected = [advise(teacher, kind, *questions) for questions in asked]
      together = threading.Barrier(_THREADS)

      def ask(questions, kind=kind, together=together):
        together.wait(30)
        return [advise(teacher, kind, *questions) for _ in range(5)]

      with futures.ThreadPoolExecutor(_THREADS) as pool:
        for answers, value in zip(pool.map(ask, asked), expected, strict=True):
          for answer in answers:
            assert_close(answer, value)

  @pytest.mark.parametrize('size', [0.0, 1e-30, 1e3, 1e6])
  def test_any_finite_observation_is_answered(self, teacher, size):
    """What a simulator shows when it diverges must not end a run."""
    signs = np.sign(self.observations(16))
    observations = (size * signs).astype(np.float32)
    actions = self._questions(teacher, 16)[1]
    for kind in teacher.gives:
      advise(teacher, kind, observations, actions)

  @pytest.mark.parametrize('bound', [-1.0, 1.0])
  def test_actions_at_the_bounds_are_answered(self, teacher, bound):
    observations, actions = self._questions(teacher, 16)
    for kind in teacher.gives:
      advise(teacher, kind, observations, np.full_like(actions, bound))

  def _questions(self, teacher, batch):
    random = np.random.default_rng([batch, 1])
    actions = random.uniform(-1, 1, size=(batch, teacher.action_size))
    return self.observations(batch), actions.astype(np.float32)


def advise(
  teacher: Teacher, kind: Kind, observations: np.ndarray, actions: np.ndarray
) -> np.ndarray:
  """Advice of a kind, checked as in a run; [B, A]."""
  if kind == 'actions':
    return checks.ask_actions(teacher, observations)
  return checks.ask_action_gradients(teacher, observations, actions)


def assert_close(value: np.ndarray, expected: np.ndarray) -> None:
  """Equal, but for the rounding of sums in another order."""
  scale = float(np.abs(expected).max(initial=0))
  np.testing.assert_allclose(value, expected, rtol=1e-3, atol=1e-4 * scale)
