"""The plant that nobody has a simulator of, and the log that its operator kept.

  python plant.py operator.csv --batches 20

It stands in for hardware: what reads and writes it is the controller alone.
"""

import argparse
from pathlib import Path

import numpy as np

TARGET = 0.8  # m, of the lower tank.
STEPS = 50  # Of an episode.


class Plant:
  """Two tanks in a row, each of 1 m²; a step takes five seconds."""

  def __init__(self, seed: int):
    self._random = np.random.default_rng(seed)
    self._levels = self._random.uniform(0.1, 1.2, 2)  # m

  def read(self) -> dict[str, np.ndarray]:
    """What the sensors say, in the description's units."""
    return {'level': self._levels.copy()}

  def write(self, command: dict[str, np.ndarray]) -> None:
    """Pumps for a step."""
    pump = float(np.ravel(command['pump'])[0]) / 1000  # m³/s
    upper, lower = self._levels
    between, out = 0.009 * np.sqrt(upper), 0.008 * np.sqrt(lower)  # m³/s
    change = 5 * np.array([pump - between, between - out])
    leaks = self._random.normal(0, 0.002, 2)
    self._levels = np.clip(self._levels + change + leaks, 0, 1.5)

  def stop(self) -> None:
    """Turns the pump off."""


def reward(
  observations: dict[str, np.ndarray], actions: dict[str, np.ndarray]
) -> np.ndarray:
  """1 where the lower tank is at its target after a step, less further away.

  Args:
    observations: level [T + 1, 2], in m.
    actions: pump [T], in l/s.

  Returns:
    [T].
  """
  away = observations['level'][1:, 1] - TARGET
  return np.exp(-20 * away**2) - 0.01 * actions['pump']


def operate(seed: int) -> np.ndarray:
  """A batch by the operator: [STEPS + 1, 3] of levels and pump."""
  plant, random, rows = Plant(seed), np.random.default_rng(seed + 1), []
  for _ in range(STEPS):
    levels = plant.read()['level']
    guess = 7 + 12 * (TARGET - levels[1]) + random.normal(0, 2)
    pump = float(np.clip(guess, 0, 10))
    rows.append([*levels, pump])
    plant.write({'pump': np.array([pump])})
  rows.append([*plant.read()['level'], np.nan])  # Nothing was pumped any more.
  return np.array(rows)


def main() -> None:
  """Writes the operator's log."""
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument('path', type=Path)
  parser.add_argument('--batches', type=int, default=20)
  parser.add_argument('--seed', type=int, default=0)
  args = parser.parse_args()
  lines = ['batch,upper_mm,lower_mm,pump_l_min']
  for batch in range(args.batches):
    for upper, lower, pump in operate(args.seed + 10 * batch):
      cell = '' if np.isnan(pump) else repr(float(pump * 60))
      lines.append(f'{batch},{upper * 1000!r},{lower * 1000!r},{cell}')
  args.path.write_text('\n'.join(lines) + '\n')


if __name__ == '__main__':
  main()
