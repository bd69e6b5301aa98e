import subprocess
import sys

import pytest

from agents.config import CloningConfig, ObjectiveConfig
from agents.d4pg.config import D4PGConfig


@pytest.mark.parametrize(
  ('config', 'fields'),
  [
    (D4PGConfig, {'policy_layer_sizes': ()}),
    (D4PGConfig, {'critic_layer_sizes': (256, 0)}),
    (D4PGConfig, {'vmin': 1.0, 'vmax': 1.0}),
    (D4PGConfig, {'num_atoms': 1}),
    (D4PGConfig, {'batch_size': 0}),
    (D4PGConfig, {'n_step': 0}),
    (D4PGConfig, {'target_update_period': 0}),
    (D4PGConfig, {'policy_learning_rate': 0.0}),
    (D4PGConfig, {'critic_learning_rate': float('nan')}),
    (D4PGConfig, {'gradient_norm': float('inf')}),
    (D4PGConfig, {'discount': 1.1}),
    (D4PGConfig, {'policy_loss_observation': 'next'}),
    (CloningConfig, {'steps': 0}),
    (CloningConfig, {'held_out_fraction': 1.0}),
    (CloningConfig, {'patience': 0}),
    (CloningConfig, {'learning_rate': -1.0}),
    (ObjectiveConfig, {'kind': 'bc'}),
    (ObjectiveConfig, {'decay_form': 'linear'}),
    (ObjectiveConfig, {'decay_rate': 0.0}),
    (ObjectiveConfig, {'decay_rate': 1e4}),
    (ObjectiveConfig, {'weight': -0.1}),
  ],
)
def test_refuses(config, fields):
  """The message names the field and its value."""
  name, value = next(iter(fields.items()))
  with pytest.raises(ValueError, match=name) as error:
    config(**fields)
  assert str(value) in str(error.value)


def test_actors_and_command_lines_need_no_tensorflow():
  code = (
    'import sys, agents.config, agents.deployed.policy; '
    'sys.exit("tensorflow" in sys.modules or "sonnet" in sys.modules)'
  )
  subprocess.run([sys.executable, '-c', code], check=True, timeout=60)
