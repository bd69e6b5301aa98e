"""What floating-point operations alone would allow each objective."""

from collections.abc import Sequence
import itertools

from benchmarks import learner, noise

_CRITIC = (
  noise.OBSERVATION_SIZE + noise.ACTION_SIZE,
  *learner.LAYER_SIZES,
  learner.NUM_ATOMS,
)
# Backwards through the critic, at the input only to the action.
_TO_ACTION = (noise.ACTION_SIZE, *_CRITIC[1:])


def relative_limits() -> dict[str, float]:
  """Rates relative to that of `none`, by objective."""
  base = learner.flops_per_step()
  return {
    name: round(base / (base + flops), 3)
    for name, flops in added_flops().items()
  }


def added_flops() -> dict[str, int]:
  """What each objective computes in an update that `none` does not.

  A remote teacher computes the same as one in process, and on loopback on the
  same cores.
  """
  teacher = _products(_CRITIC) + _products(_TO_ACTION)
  return {
    'none': 0,
    'bc_fixed': 0,
    'bc_decay': 0,
    'between': 0,
    'teacher_action': 0,
    'q_filter': _products(_CRITIC),
    'teacher_grad': teacher,
    'teacher_grad_remote': teacher,
  }


def _products(sizes: Sequence[int]) -> int:
  """Of a batch once through layers of these widths, either way."""
  pairs = itertools.pairwise(sizes)
  return sum(2 * learner.BATCH_SIZE * n * m for n, m in pairs)
