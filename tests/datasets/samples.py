"""Episodes for tests."""

from typing import Any, Optional

from hypothesis import strategies as st
import numpy as np

from datasets.tasks import Field, Task
from datasets.types import Annotation, EnvironmentSpec, Episode, EpisodeId

CHEETAH = EnvironmentSpec(17, 6)
TASK = Task('made-up', *CHEETAH, (Field('all', (17,), -1.0, unit='m'),))


def make_episode(
  index: int = 0,
  length: int = 20,
  spec: EnvironmentSpec = CHEETAH,
  with_advice: bool = False,
  terminates: bool = False,
  seed: Optional[int] = None,
  **fields: Any,
) -> Episode:
  """A valid episode of random numbers; `fields` replace its own."""
  rng = np.random.default_rng(index if seed is None else seed)

  def draw(*shape: int) -> np.ndarray:
    return rng.uniform(-1, 1, shape).astype(np.float32)

  discounts = np.ones(length, np.float32)
  discounts[-1] = not terminates
  episode = Episode(
    EpisodeId('run', 1, index % 2, index),
    'policy-digest',
    draw(length + 1, spec.observation_size),
    draw(length, spec.action_size),
    draw(length),
    discounts,
  )
  if with_advice:
    advice = Annotation('teacher', 'v1', draw(length, spec.action_size))
    episode = episode._replace(annotation=advice)
  return episode._replace(**fields)


def assert_same(left: Episode, right: Episode) -> None:
  """Asserts that two episodes are equal to the bit."""
  assert left.identity == right.identity
  assert left.policy == right.policy
  assert left.task == right.task
  pairs = list(zip(left[2:6], right[2:6], strict=True))
  assert (left.annotation is None) == (right.annotation is None)
  if left.annotation is not None and right.annotation is not None:
    assert left.annotation[:2] == right.annotation[:2]
    pairs.append((left.annotation.actions, right.annotation.actions))
  for one, other in pairs:
    assert one.dtype == other.dtype
    assert one.shape == other.shape
    assert one.tobytes() == other.tobytes()


@st.composite
def episodes(draw: Any, spec: EnvironmentSpec = CHEETAH) -> Episode:
  """Any valid episode, of any identity."""
  text = st.text(st.characters(exclude_categories=['Cs']), min_size=1)
  return make_episode(
    length=draw(st.integers(1, 12)),
    spec=spec,
    with_advice=draw(st.booleans()),
    terminates=draw(st.booleans()),
    seed=draw(st.integers(0, 2**32)),
    policy=draw(text),
    task=draw(st.sampled_from([None, TASK if spec == CHEETAH else None])),
    identity=EpisodeId(
      draw(st.text(st.characters(exclude_categories=['Cs']), min_size=1,
                   max_size=15)),
      *(draw(st.integers(0, 10**9)) for _ in range(3)),
    ),
  )  # fmt: skip
