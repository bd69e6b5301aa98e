"""Our transitions are those of Acme's adder, item by item."""

import json
import subprocess
import sys

import numpy as np

from datasets.memory import Memory
from datasets.types import EnvironmentSpec
from tests.datasets.samples import make_episode

# In a process of its own: Acme imports TensorFlow, JAX and all of Reverb.
ACME = """
import json, sys
import acme.adders.reverb as adders
import dm_env, numpy as np, reverb
from datasets import replay
from datasets.types import EnvironmentSpec
from tests.datasets.samples import make_episode
assert replay.reverb is reverb, 'With TensorFlow it is the plain import.'
server = reverb.Server([reverb.Table.queue('priority_table', 1000)])
client = reverb.Client(f'localhost:{server.port}')
adder = adders.NStepTransitionAdder(client, n_step=5, discount=0.99)
found = []
for terminates in (False, True):
  e = make_episode(3, 12, EnvironmentSpec(3, 2), terminates=terminates)
  adder.add_first(dm_env.restart(e.observations[0]))
  for t in range(12):
    kind = dm_env.StepType.LAST if t == 11 else dm_env.StepType.MID
    adder.add(e.actions[t], dm_env.TimeStep(
      kind, e.rewards[t], e.discounts[t], e.observations[t + 1]))
  items = client.server_info(10)['priority_table'].current_size
  found.append([
    [column.tolist() for column in sample.data]
    for sample in client.sample('priority_table', items, emit_timesteps=False)
  ])
print(json.dumps(found))
"""


def test_the_items_of_acme():
  done = subprocess.run(
    [sys.executable, '-c', ACME], capture_output=True, text=True
  )
  assert done.returncode == 0, done.stderr
  found = json.loads(done.stdout.splitlines()[-1])
  for items, terminates in zip(found, (False, True), strict=True):
    assert len(items) == 12 + 5 - 1
    episode = make_episode(3, 12, EnvironmentSpec(3, 2), terminates=terminates)
    memory = Memory(5, 0.99)
    memory.extend([episode])
    batch = memory.gather(np.arange(12))
    # Acme's first four items start at step 0, too, but are shorter: left out.
    for index, item in enumerate(items[4:]):
      for ours, theirs in zip(batch[:5], item, strict=True):
        np.testing.assert_allclose(ours[index], theirs, rtol=1e-5, atol=1e-6)
