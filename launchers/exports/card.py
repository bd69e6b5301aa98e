"""What goes with a policy: where it came from, and vectors to check it by."""

from collections.abc import Mapping
import json
from pathlib import Path
from typing import Any, Optional

import numpy as np

from agents.deployed.policy import Policy
from datasets.tasks import Task
from launchers.runs.run_directory import RunDirectory

TOLERANCE = 1e-5
"""Of an action in [-1, 1]: what float32 may differ by on another machine."""

_LICENCE = (
  "The policy's arrays are under whatever licence its data and its owner give "
  'it; the code that reads them is in the public file formats named here.'
)


def of(
  directory: RunDirectory, cycle: int, policy: Policy, task: Task, form: str
) -> dict[str, Any]:
  """The card, of JSON's types.

  Args:
    directory: of the run.
    cycle: that published the policy.
    policy: the policy.
    task: what it acts in.
    form: in which format it is written.
  """
  config = directory.read_json(directory.config) or {}
  record = directory.read_json(directory.cycle(cycle) / 'cycle.json') or {}
  return {
    'format': form,
    'run': directory.root.resolve().name,
    'cycle': cycle,
    'digest': policy.digest,
    'form': policy.form,
    'task': task.to_json(),
    'observation_size': policy.spec.observation_size,
    'action_size': policy.spec.action_size,
    'actions': (
      'in [-1, 1], for the low and the high of each action; observations as '
      'the environment gives them'
    ),
    'tolerance': TOLERANCE,
    'acting_noise': config.get('acting_noise'),
    'episode_steps': config.get('episode_steps'),
    'seed': config.get('seed'),
    'objective': config.get('objective'),
    'data': _data(directory, cycle),
    'evaluation': _returns(record, 'evaluation'),
    'collected': _returns(record, 'collected'),
    'gate': _gate(directory, cycle),
    'provenance': record.get('provenance'),
    'licence': _LICENCE,
  }


def _returns(record: Mapping[str, Any], of: str) -> dict[str, Any]:
  """Without noise its own; with noise those of who acted in its cycle."""
  return {
    name: record.get(f'{of}_{name}') for name in ('return_mean', 'return_std')
  }


def _gate(directory: RunDirectory, cycle: int) -> Optional[dict[str, Any]]:
  """What the gate said of the cycle's own policy; None: it was not asked.

  Where that was held back, what is exported is the one that stayed deployed.
  """
  gate = directory.read_json(directory.cycle(cycle) / 'gate.json')
  names = ('rule', 'verdict', 'reason', 'candidate', 'approval')
  return {name: gate.get(name) for name in names} if gate else None


def _data(directory: RunDirectory, cycle: int) -> list[dict[str, Any]]:
  """What it was learned from: the batch of every cycle up to its own."""
  batches = []
  for k in range(cycle + 1):
    batch = directory.read_json(directory.cycle(k) / 'batch.json')
    if batch:
      batches.append({'cycle': k, **batch})
  return batches


def vectors(
  policy: Policy, directory: RunDirectory, cycle: int, count: int
) -> tuple[np.ndarray, np.ndarray]:
  """Observations [N, S] that were met, and the policy's actions [N, A].

  They are spread over the first episode that the cycle learned from; where
  there is none any more, they are drawn.
  """
  store = directory.store(cycle)
  found = store.identities()
  if found:
    met = store.read(found[0]).observations  # [T + 1, S]
    rows = np.linspace(0, len(met) - 1, min(count, len(met))).astype(int)
    observations = met[rows]
  else:
    shape = count, policy.spec.observation_size
    drawn = np.random.default_rng(0).standard_normal(shape)
    observations = drawn.astype(np.float32)
  # One at a time, as a controller asks.
  return observations, np.stack([policy(row) for row in observations])


def write(directory: Path, card: Mapping[str, Any]) -> None:
  """Writes card.json, and the same for a person: MODEL_CARD.md."""
  text = json.dumps(card, indent=2, sort_keys=True)
  (directory / 'card.json').write_text(text + '\n')
  rows = [
    (key, card[key])
    for key in ('run', 'cycle', 'digest', 'form', 'format', 'seed', 'objective')
  ]
  lines = [
    f'# Policy {card["run"]}, cycle {card["cycle"]}', '',
    f'It acts in {card["task"]["name"]}: {card["observation_size"]} numbers '
    f'in, {card["action_size"]} out, {card["actions"]}.', '',
    '| | |', '|---|---|',
    *(f'| {key} | {json.dumps(value)} |' for key, value in rows), '',
    '## What it was learned from', '',
    '| cycle | episodes | steps | digest |', '|---|---|---|---|',
    *(
      f'| {b["cycle"]} | {b["episodes"]:,} | {b["steps"]:,} | {b["digest"]} |'
      for b in card['data']
    ), '',
    '## What it earned', '',
    f'Without noise, evaluated before it was published: '
    f'{json.dumps(card["evaluation"])}.', '',
    f'The gate: {json.dumps(card["gate"])}.', '',
    '## Check it', '',
    f'`vectors.npz` has observations and the actions that this policy does in '
    f'them; yours must be within {card["tolerance"]:g}.', '',
    card['licence'], '',
  ]  # fmt: skip
  (directory / 'MODEL_CARD.md').write_text('\n'.join(lines))
