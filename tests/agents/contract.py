"""What holds for every agent; its test class inherits this one."""

import abc

import numpy as np
import pytest
import tensorflow as tf

from agents import base, checkpoint
from agents import learner as learner_lib
from tests.agents import problems


class AgentContract(abc.ABC):
  """Makes agents that are small and do not depend on earlier randomness."""

  @abc.abstractmethod
  def make_agent(self) -> base.Agent:
    """A fresh agent, always the same."""

  @abc.abstractmethod
  def sample(self, first_step, num_steps):
    """Batches, of which the n-th depends on n alone."""

  @abc.abstractmethod
  def trained(self, agent) -> list[tf.Module]:
    """The modules that updates change, targets and optimizers apart."""

  @abc.abstractmethod
  def frozen(self, agent) -> list[tf.Module]:
    """The modules that nothing may change."""

  def make_learner(self, steps_per_call=20):
    return learner_lib.Learner(self.make_agent(), self.sample, steps_per_call)

  @pytest.fixture(scope='class')
  @classmethod
  def trained_learner(cls):
    """A learner after 10 steps; for looking at only."""
    learner = cls().make_learner()
    learner.run(10)
    return learner

  def test_trains_and_freezes(self, trained_learner):
    before, after = self.make_agent(), trained_learner.agent
    for old, new in zip(self.trained(before), self.trained(after), strict=True):
      for variable, changed in zip(
        problems.variables(old), problems.variables(new), strict=True
      ):
        assert (variable != changed).any()
    problems.assert_equal(
      problems.variables(*self.frozen(before)),
      problems.variables(*self.frozen(after)),
    )

  @pytest.mark.parametrize('calls', [[1] * 10, [7, 3]])
  def test_calls_do_not_matter(self, trained_learner, calls):
    learner = self.make_learner(steps_per_call=3)
    for steps in calls:
      learner.run(steps)
    assert learner.steps == trained_learner.steps == 10
    problems.assert_equal(
      problems.variables(trained_learner), problems.variables(learner)
    )

  def test_resumes_bit_for_bit(self, trained_learner, tmp_path):
    half = self.make_learner()
    half.run(5)
    checkpoint.save({'learner': half}, tmp_path, half.steps)
    resumed = self.make_learner()
    restored = checkpoint.restore_newest({'learner': resumed}, tmp_path)
    assert restored.step == resumed.steps == 5
    resumed.run(5)
    problems.assert_equal(
      problems.variables(trained_learner), problems.variables(resumed)
    )

  def test_metrics_are_finite_scalars(self):
    agent = self.make_agent()
    batch = problems.first(self.sample(0, 1))
    metrics = agent.update(batch, tf.constant(0, tf.int64))
    assert metrics
    for name, value in metrics.items():
      assert value.shape == (), name
      assert value.dtype == tf.float32, name
      assert np.isfinite(value), name

  def test_variables_do_not_grow(self, trained_learner):
    """So a fresh learner has room for everything that was saved."""
    assert len(trained_learner.variables) == len(self.make_learner().variables)

  def test_divergence_is_an_error(self):
    learner = learner_lib.Learner(self.make_agent(), self._poisoned, 4)
    learner.run(2)
    with pytest.raises(FloatingPointError, match=r'is nan at learner step 5'):
      learner.run(10)

  def _poisoned(self, first_step, num_steps):
    batch = self.sample(first_step, num_steps)
    if first_step <= 5 < first_step + num_steps:
      batch.observation[5 - first_step] = np.nan
    return batch
