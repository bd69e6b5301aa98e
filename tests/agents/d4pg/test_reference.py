"""The update against Acme's, an implementation that is not ours."""

from typing import NamedTuple

from acme import types
from acme.agents.tf.d4pg import learning
from acme.agents.tf.d4pg import networks as acme_networks
from acme.specs import BoundedArray
from acme.utils import loggers
import numpy as np
import sonnet as snt
import tensorflow as tf

from agents import learner as learner_lib
from agents.config import ObjectiveConfig
from agents.d4pg.config import D4PGConfig
from agents.d4pg.update import D4PG
from tests.agents import problems
from tests.agents.d4pg.agents import make_networks

STEPS = 7
CONFIG = D4PGConfig(
  policy_layer_sizes=(16, 16),
  critic_layer_sizes=(16, 16),
  vmin=-10.0,
  vmax=10.0,
  num_atoms=11,
  policy_learning_rate=1e-3,
  critic_learning_rate=1e-3,
  target_update_period=3,
  policy_loss_observation='last',
)


class Sample(NamedTuple):
  """The part of Reverb's samples that the learner looks at."""

  data: types.Transition


def test_equals_acme():
  ours = make_networks(CONFIG, problems.SPEC, seed=0)
  learner = learner_lib.Learner(
    D4PG(CONFIG, ours, ObjectiveConfig('none'), STEPS), problems.transitions
  )
  acmes = _acme_learner(ours)
  for _ in range(STEPS):
    acmes.step()
  learner.run(STEPS)
  for mine, theirs in (
    (ours.policy, acmes._policy_network),
    (ours.critic, acmes._critic_network),
    (ours.target_policy, acmes._target_policy_network),
    (ours.target_critic, acmes._target_critic_network),
  ):
    for a, b in zip(_in_acmes_order(mine), theirs.variables, strict=True):
      np.testing.assert_allclose(a, b, atol=2e-5)


def _in_acmes_order(module):
  first = module.torso.first
  linears = [*module.torso.rest, module.head]
  return [
    first.b,
    first.w,
    first.offset,
    first.scale,
    *(v for linear in linears for v in (linear.b, linear.w)),
  ]


def _acme_learner(ours):
  """Acme's learner on the same weights and batches."""
  online, target = (
    acme_networks.make_default_networks(
      BoundedArray((2,), np.float32, -1.0, 1.0),
      CONFIG.policy_layer_sizes,
      CONFIG.critic_layer_sizes,
      CONFIG.vmin,
      CONFIG.vmax,
      CONFIG.num_atoms,
    )
    for _ in range(2)
  )
  observation, action = tf.zeros([1, 3]), tf.zeros([1, 2])
  for nets in (online, target):
    nets['policy'](observation)
    nets['critic'](observation, action)
    for name in ('policy', 'critic'):
      mine = _in_acmes_order(getattr(ours, name))
      for a, b in zip(mine, nets[name].variables, strict=True):
        b.assign(a)
  batches = Sample(types.Transition(*problems.transitions(0, STEPS)[:5]))
  return learning.D4PGLearner(
    online['policy'],
    online['critic'],
    target['policy'],
    target['critic'],
    CONFIG.discount,
    CONFIG.target_update_period,
    iter(tf.data.Dataset.from_tensor_slices(batches)),
    policy_optimizer=snt.optimizers.Adam(CONFIG.policy_learning_rate),
    critic_optimizer=snt.optimizers.Adam(CONFIG.critic_learning_rate),
    checkpoint=False,
    logger=loggers.NoOpLogger(),
  )
