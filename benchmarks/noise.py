"""Episodes of noise at the size of cheetah, the same on every side."""

import numpy as np

OBSERVATION_SIZE, ACTION_SIZE = 17, 6
EPISODES, EPISODE_STEPS = 20, 1_000
TRANSITIONS = EPISODES * EPISODE_STEPS


def episodes() -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
  """Observations [T + 1, S], actions [T, A] and rewards [T] of each."""
  random = np.random.default_rng(0)

  def normal(*shape: int) -> np.ndarray:
    return random.standard_normal(shape, dtype=np.float32)

  return [
    (
      normal(EPISODE_STEPS + 1, OBSERVATION_SIZE),
      np.tanh(normal(EPISODE_STEPS, ACTION_SIZE)),
      normal(EPISODE_STEPS),
    )
    for _ in range(EPISODES)
  ]
