from typing import NamedTuple

import numpy as np
import pytest
import sonnet as snt
import tensorflow as tf

from agents import base, checkpoint
from agents import learner as learner_lib


class Batch(NamedTuple):
  number: np.ndarray


class Nothing(base.Networks):
  """No networks."""

  def export(self):
    raise NotImplementedError

  def snapshot(self, metadata):
    raise NotImplementedError


class Counting(base.Agent):
  """Adds up its batches, and remembers what its target was at each step."""

  def __init__(self, period):
    super().__init__('counting', Nothing())
    self._period = period
    self.online = snt.Linear(1, with_bias=False, w_init=tf.zeros)
    self.target = snt.Linear(1, with_bias=False, w_init=tf.zeros)
    for module in (self.online, self.target):
      module(tf.zeros([1, 1]))

  @property
  def targets(self):
    return ((self.online, self.target),)

  @property
  def target_update_period(self):
    return self._period

  def update(self, batch, step):
    self.online.w.assign_add(batch.number)
    return {
      'number': batch.number[0, 0],
      'step': tf.cast(step, tf.float32),
      'target': self.target.w.read_value()[0, 0],
    }


class Recorder:
  """A sampler that gives step n the number n + 1."""

  def __init__(self):
    self.calls = []

  def __call__(self, first_step, num_steps):
    self.calls.append((first_step, num_steps))
    steps = np.arange(first_step, first_step + num_steps, dtype=np.float32)
    return Batch(steps[:, None, None] + 1)


@pytest.mark.parametrize('steps', [1, 4, 5, 11])
def test_exactly_so_many_steps(steps):
  """Invariant A-I11: the learner's steps are those it was told."""
  recorder = Recorder()
  learner = learner_lib.Learner(Counting(100), recorder, steps_per_call=4)
  metrics = learner.run(steps)
  assert learner.steps == steps
  assert learner.agent.online.w.numpy() == steps * (steps + 1) / 2
  assert metrics['number'] == (steps + 1) / 2
  assert metrics['step'] == (steps - 1) / 2
  covered = [n for f, count in recorder.calls for n in range(f, f + count)]
  assert covered == list(range(steps))


def test_steps_go_on():
  recorder = Recorder()
  learner = learner_lib.Learner(Counting(100), recorder, steps_per_call=4)
  learner.run(3)
  assert learner.run(6)['step'] == np.mean([3, 4, 5, 6, 7, 8])
  assert recorder.calls == [(0, 3), (3, 4), (7, 2)]


@pytest.mark.parametrize('period', [1, 3, 5])
@pytest.mark.parametrize('steps_per_call', [1, 4])
def test_targets_are_copied_before_the_update(period, steps_per_call):
  learner = learner_lib.Learner(Counting(period), Recorder(), steps_per_call)
  seen = [learner.run(1)['target'] for _ in range(11)]
  sums = np.cumsum(np.arange(11))  # The online weight before step n.
  assert seen == [sums[n - n % period] for n in range(11)]


def test_one_graph_serves_every_length():
  traces = []

  class Traced(Counting):
    def update(self, batch, step):
      traces.append(step)
      return super().update(batch, step)

  learner = learner_lib.Learner(Traced(3), Recorder(), steps_per_call=4)
  for steps in (1, 2, 9, 4):
    learner.run(steps)
  # TensorFlow traces the body of a loop more than once for one graph.
  assert len(set(map(id, traces))) <= 2


@pytest.mark.parametrize('steps', [0, -1])
def test_refuses_no_steps(steps):
  learner = learner_lib.Learner(Counting(1), Recorder())
  with pytest.raises(ValueError, match='num_steps'):
    learner.run(steps)
  with pytest.raises(ValueError, match='steps_per_call'):
    learner_lib.Learner(Counting(1), Recorder(), steps)


def test_a_batch_that_is_too_short_is_an_error():
  learner = learner_lib.Learner(
    Counting(100), lambda first, count: Recorder()(first, count - 1)
  )
  with pytest.raises(ValueError, match='3 steps'):
    learner.run(3)


def test_files_do_not_tell_what_was_traced(tmp_path):
  """A learner that was restored saves what one that went on saves."""
  straight = learner_lib.Learner(Counting(100), Recorder())
  straight.run(2)
  checkpoint.save({'learner': straight}, tmp_path / 'first', 2)
  restored = learner_lib.Learner(Counting(100), Recorder())
  checkpoint.restore_newest({'learner': restored}, tmp_path / 'first')
  for name, learner in (('straight', straight), ('restored', restored)):
    checkpoint.save({'learner': learner}, tmp_path / name, 2)
  first, second = (
    {path.name: path.read_bytes() for path in (tmp_path / name).rglob('c*')}
    for name in ('straight', 'restored')
  )
  assert first == second


def test_a_stop_breaks_off_between_two_calls():
  asked = []

  def is_stopping():
    asked.append(learner.steps)
    return len(asked) == 2

  agent = Counting(period=1_000)
  learner = learner_lib.Learner(agent, Recorder(), 4, is_stopping)
  with pytest.raises(learner_lib.LearningStoppedError):
    learner.run(100)
  assert asked == [4, 8]
  learner.run(4)  # One that is at its end has nothing to break off.
  assert learner.steps == 12
