"""Reverb without TensorFlow, and with it afterwards."""

import json
import subprocess
import sys

LIGHT = """
import json, sys
import numpy as np
from benchmarks.resident import peak
from datasets import replay
found = [m for m in sys.modules if m.split('.')[0] in ('tensorflow', 'reverb')]
reverb = replay.reverb
server = reverb.Server([reverb.Table.queue('queue', 10)], port=None)
client = reverb.Client(f'localhost:{server.port}')
client.insert([np.arange(4)], {'queue': 1.0})
size = client.server_info()['queue'].current_size
data = next(client.sample('queue', 1, emit_timesteps=False)).data[0]
print(json.dumps({
  'modules': found,
  'megabytes': peak() / 1e6,
  'size': size,
  'data': data.tolist(),
}))
"""

# The rest of a process that imports TensorFlow (and all of Reverb) later.
HEAVY = """
import tensorflow as tf
assert float(tf.reduce_sum(tf.Variable([1.0, 2.0]))) == 3.0
import reverb as whole
assert whole is not reverb
spec = tf.TensorSpec([4], tf.int64)
other = whole.Server([whole.Table.queue('queue', 10, signature=spec)])
address = f'localhost:{other.port}'
with whole.Client(address).trajectory_writer(1) as writer:
  writer.append(np.arange(4))
  writer.create_item('queue', 1.0, writer.history[0])
dataset = whole.TrajectoryDataset.from_table_signature(address, 'queue', 10)
assert next(iter(dataset)).data.numpy().tolist() == [0, 1, 2, 3]
client.insert([np.arange(3)], {'queue': 1.0})
data = next(client.sample('queue', 1, emit_timesteps=False)).data[0]
assert data.tolist() == [[0, 1, 2]]
"""


def _run(code: str) -> str:
  done = subprocess.run(
    [sys.executable, '-c', code], capture_output=True, text=True
  )
  assert done.returncode == 0, done.stderr
  return done.stdout


def test_light_import():
  found = json.loads(_run(LIGHT))
  assert all(m.startswith('tensorflow.core') for m in found['modules'])
  assert found['megabytes'] < 150
  assert (found['size'], found['data']) == (1, [[0, 1, 2, 3]])


def test_writers_need_no_tensorflow():
  """An actor's whole way: write, read, check; nothing imports TensorFlow."""
  _run("""
import sys
from datasets import memory, replay, store, validation
assert 'tensorflow' not in sys.modules
""")


def test_tensorflow_afterwards():
  _run(LIGHT + HEAVY)
