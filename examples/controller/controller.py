"""Acts by an exported policy with NumPy alone, and logs whole episodes.

  python -m launchers.export runs/NAME --output policy
  python controller.py plant:Plant policy logs --episodes 10 --hertz 20

The plant is a class with `read()`, which gives {field: numbers} in the units of
the description, `write({field: numbers})`, and `stop()`.
"""

import argparse
import importlib
import json
import os
from pathlib import Path
import time

import numpy as np

NORM = 1e-5  # What a layer norm adds to the variance.
ELEMENTWISE = {
  'tanh': np.tanh,
  'elu': lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
  'relu': lambda x: np.maximum(x, 0),
  'clip': lambda x: np.clip(x, -1, 1),
}


class Controller:
  """The policy of an export: fields of sensors in, fields of actuators out."""

  def __init__(self, export: Path, seed: int):
    self.card = json.loads((export / 'card.json').read_text())
    self.task, self.random = self.card['task'], np.random.default_rng(seed)
    with np.load(export / 'network.npz') as arrays:
      self.network = [(op, *(arrays[n] for n in names))
                      for op, *names in self.card['network']]  # fmt: skip

  def canonical(self, x: np.ndarray) -> np.ndarray:
    """[S] to [A] in [-1, 1], without noise."""
    for op, *arrays in self.network:
      if op == 'linear':
        x = x @ arrays[0] + arrays[1]
      elif op == 'layer_norm':
        x = (x - x.mean()) / np.sqrt(x.var() + NORM) * arrays[0] + arrays[1]
      else:
        x = ELEMENTWISE[op](x)
    return x

  def act(self, sensors: dict) -> dict:
    """What to do, with the run's noise; refuses what no sensor can measure."""
    x = []
    for field in self.task['observations']:
      values, name = np.ravel(sensors[field['name']]), field['name']
      low = np.nan_to_num(np.array(field['low'], float), nan=-np.inf)
      high = np.nan_to_num(np.array(field['high'], float), nan=np.inf)
      if not np.all((values >= low) & (values <= high)):  # NaN is not, either.
        raise ValueError(f'{name} is {values}, beyond {low} to {high}.')
      x.append(values)
    action = self.canonical(np.concatenate(x).astype(np.float32))
    noise = self.random.normal(0, self.card['acting_noise'], action.shape)
    action, done, start = np.clip(action + noise, -1, 1), {}, 0
    for field in self.task['actions']:
      low, high = np.array(field['low']), np.array(field['high'])
      part = action[start : start + int(np.prod(field['shape']))]
      done[field['name']] = low + (part + 1) / 2 * (high - low)
      start += len(part)
    return done


def episode(plant, controller: Controller, period: float) -> dict:
  """One whole episode, as columns: observations have one row more."""
  seen, done, due = [plant.read()], [], time.monotonic()
  for _ in range(controller.card['episode_steps']):
    done.append(controller.act(seen[-1]))
    plant.write(done[-1])
    due += period
    time.sleep(max(0.0, due - time.monotonic()))
    seen.append(plant.read())
  controller.act(seen[-1])  # Refused here, rather than by whoever learns.
  rows = {n: np.array([s[n] for s in seen], np.float64) for n in seen[0]}
  rows.update({n: np.array([d[n] for d in done]) for n in done[0]})
  return {**rows, 'policy': np.array(controller.card['digest'])}


def keep(directory: Path, name: str, columns: dict) -> None:
  """Writes a file whole or not at all; it is durable when this returns."""
  aside, path = directory / f'.{name}', directory / name
  with aside.open('wb') as file:
    np.savez(file, **columns)
    file.flush()
    os.fsync(file.fileno())
  aside.rename(path)
  handle = os.open(directory, os.O_RDONLY)
  os.fsync(handle)
  os.close(handle)


def main() -> None:
  """The command."""
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument('plant', help='module:Class')
  parser.add_argument('export', type=Path)
  parser.add_argument('logs', type=Path)
  parser.add_argument('--episodes', type=int, default=1)
  parser.add_argument('--hertz', type=float, default=20.0)
  parser.add_argument('--seed', type=int, default=0)
  args = parser.parse_args()
  module, _, name = args.plant.partition(':')
  make = getattr(importlib.import_module(module), name)
  controller = Controller(args.export, args.seed)
  args.logs.mkdir(parents=True, exist_ok=True)
  digest = controller.card['digest'][:12]
  for number in range(args.episodes):
    plant = make(args.seed + number)
    try:
      columns = episode(plant, controller, 1 / args.hertz)
      keep(args.logs, f'{digest}-{time.time_ns()}.npz', columns)
    except ValueError as error:  # The others may be better.
      print(f'Episode {number} was stopped: {error}')
    finally:
      plant.stop()


if __name__ == '__main__':
  main()
