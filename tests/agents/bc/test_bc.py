import numpy as np
import pytest
import sonnet as snt
import tensorflow as tf

from agents import base, checkpoint, registry
from agents import learner as learner_lib
from agents.bc.config import BCConfig
from agents.bc.early_stopping import EarlyStopping, clone
from agents.bc.update import BC
from agents.config import CloningConfig
from datasets.types import Demonstration
from tests.agents import problems
from tests.agents.contract import AgentContract
from tests.agents.problems import assert_equal, variables

CONFIG = CloningConfig(
  steps=80, learning_rate=1e-3, evaluation_interval=20, patience=2
)
HELD_OUT = Demonstration(*(x[0] for x in problems.demonstrations(999, 1, 5)))


class TestCloning(AgentContract):
  def make_agent(self):
    return BC(CONFIG, make_networks())

  def sample(self, first_step, num_steps):
    return problems.demonstrations(first_step, num_steps)

  def trained(self, agent):
    return [agent.networks.policy]

  def frozen(self, agent):
    return []


def make_networks():
  config = BCConfig(policy_layer_sizes=(16, 16))
  return registry.make_networks(config, problems.SPEC, seed=0)


def make(config=CONFIG):
  networks = make_networks()
  learner = learner_lib.Learner(BC(config, networks), problems.demonstrations)
  return learner, EarlyStopping(networks.policy)


class Linear(base.Networks):
  """A policy that a linear teacher can be recovered by."""

  def __init__(self):
    super().__init__()
    self.policy = snt.Linear(2)
    self.policy(tf.zeros([1, 3]))

  def export(self):
    raise NotImplementedError

  def snapshot(self, metadata):
    raise NotImplementedError


class Stop(Exception):
  pass


def test_linear_teacher_is_recovered():
  """Invariant A-I12."""
  teacher = np.random.default_rng(0).normal(0, 0.5, (3, 2)).astype(np.float32)

  def sample(first_step, num_steps):
    rng = np.random.default_rng(first_step)
    observation = rng.standard_normal((num_steps, 64, 3), dtype=np.float32)
    return Demonstration(observation, observation @ teacher)

  config = CloningConfig(steps=1000, learning_rate=1e-2)
  learner = learner_lib.Learner(BC(config, Linear()), sample, 100)
  learner.run(config.steps)
  assert learner.run(1)['cloning_loss'] < 1e-6


def test_learns_and_reports():
  learner, stopping = make()
  reports: list = []
  final = clone(CONFIG, learner, stopping, HELD_OUT, reports.append)
  assert learner.steps == 80
  assert len(reports) == 4
  assert reports[-1].keys() == {
    'cloning_loss',
    'policy_gradient_norm',
    'held_out_loss',
  }
  losses = [report['held_out_loss'] for report in reports]
  assert final == stopping.best_loss == min(losses) < losses[0]


def test_held_out_loss():
  learner, stopping = make()
  seen = []

  def on_progress(metrics):
    action = learner.agent.networks.policy(HELD_OUT.observation)
    distance = np.square(action - HELD_OUT.action).sum(axis=-1)
    seen.append((metrics['held_out_loss'], distance.mean()))

  clone(CONFIG, learner, stopping, HELD_OUT, on_progress)
  actual, expected = np.transpose(seen)
  # The last report comes after the best weights are back.
  np.testing.assert_allclose(actual[:-1], expected[:-1], rtol=1e-5)


def test_stops_and_ends_with_the_best_weights():
  """The held-out actions are the opposite: to learn is to get worse."""
  learner, stopping = make()
  worse = Demonstration(HELD_OUT.observation, -HELD_OUT.action)
  weights = []

  def on_progress(metrics):
    weights.append(variables(learner.agent.networks.policy))

  clone(CONFIG, learner, stopping, worse, on_progress)
  assert learner.steps == (1 + CONFIG.patience) * 20
  assert stopping.failures == CONFIG.patience
  assert_equal(variables(learner.agent.networks.policy), weights[0])
  assert_equal(weights[-1], weights[0])  # What a checkpoint would hold.


@pytest.mark.parametrize('reports', [1, 2])
def test_resumes(tmp_path, reports):
  """Stopped after a report, it ends where it would have ended."""
  learner, stopping = make()
  expected = clone(CONFIG, learner, stopping, HELD_OUT, lambda _: None)

  stopped, its_stopping = make()
  calls = []

  def on_progress(metrics):
    calls.append(metrics)
    trackables = {'learner': stopped, 'stopping': its_stopping}
    checkpoint.save(trackables, tmp_path, stopped.steps)
    if len(calls) == reports:
      raise Stop

  with pytest.raises(Stop):
    clone(CONFIG, stopped, its_stopping, HELD_OUT, on_progress)

  resumed, its_stopping = make()
  trackables = {'learner': resumed, 'stopping': its_stopping}
  assert checkpoint.restore_newest(trackables, tmp_path).step == 20 * reports
  assert (
    clone(CONFIG, resumed, its_stopping, HELD_OUT, lambda _: None) == expected
  )
  assert_equal(variables(learner, stopping), variables(resumed, its_stopping))


def test_interval_need_not_divide_the_steps():
  config = CloningConfig(steps=50, evaluation_interval=20)
  learner, stopping = make(config)
  seen = []
  clone(
    config, learner, stopping, HELD_OUT, lambda _: seen.append(learner.steps)
  )
  assert seen == [20, 40, 50]


def test_refuses_nothing_held_out():
  learner, stopping = make()
  nothing = Demonstration(*(x[:0] for x in HELD_OUT))
  with pytest.raises(ValueError, match='held-out'):
    clone(CONFIG, learner, stopping, nothing, lambda _: None)
