"""Acme's D4PG as it comes, for the benchmarks that are measured beside it.

Everything is Acme's own part with Acme's own defaults, but for what must be
equal on both sides: three layers of 256 in policy and critic, batch 256,
n-step 5, noise 0.3. Where there was a choice it was made for Acme: observations
are one vector (Acme's adder is slower with two), nothing is logged per episode,
and oneDNN is on.
"""

from typing import Any

from acme import specs, wrappers
from acme.tf import networks as acme_networks
from acme.tf import utils as tf2_utils
from dm_control import suite
import dm_env
import numpy as np
import sonnet as snt

LAYER_SIZES = (256, 256, 256)


def make_environment(unused_evaluation: bool = False) -> dm_env.Environment:
  """cheetah-run, canonical actions, single precision, one observation."""
  environment = suite.load('cheetah', 'run')
  environment = wrappers.ConcatObservationWrapper(environment)
  environment = wrappers.CanonicalSpecWrapper(environment, clip=True)
  return wrappers.SinglePrecisionWrapper(environment)


def make_networks(action_spec: specs.BoundedArray) -> dict[str, Any]:
  """Acme's default D4PG blocks in our sizes."""
  width = int(np.prod(action_spec.shape))
  policy = snt.Sequential(
    [
      acme_networks.LayerNormMLP(LAYER_SIZES, activate_final=True),
      acme_networks.NearZeroInitializedLinear(width),
      acme_networks.TanhToSpec(action_spec),
    ]
  )
  critic = snt.Sequential(
    [
      acme_networks.CriticMultiplexer(),
      acme_networks.LayerNormMLP(LAYER_SIZES, activate_final=True),
      acme_networks.DiscreteValuedHead(-150.0, 150.0, 51),
    ]
  )
  return {
    'policy': policy,
    'critic': critic,
    'observation': tf2_utils.batch_concat,
  }
