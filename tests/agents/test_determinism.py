"""The learner's results depend on nothing but its seeds and its data."""

import os
import subprocess
import sys

import pytest

# Sizes at which TensorFlow does divide its work among threads.
_CODE = """
import hashlib
from agents import learner as learner_lib
from agents.config import ObjectiveConfig
from agents.d4pg.config import D4PGConfig
from agents import registry
from agents.d4pg.update import D4PG
from tests.agents import problems

networks = registry.make_networks(D4PGConfig(), problems.SPEC, seed=0)
agent = D4PG(D4PGConfig(), networks, ObjectiveConfig('bc_decay'), 10)
learner = learner_lib.Learner(agent, lambda *n: problems.transitions(*n, 256))
learner.run(5)
digest = hashlib.sha256()
for variable in learner.variables:
  digest.update(variable.numpy().tobytes())
print(digest.hexdigest())
"""


@pytest.mark.long
def test_processes_and_threads_do_not_matter():
  digests = set()
  for inter_op, intra_op in ((2, 1), (1, 4)):
    threads = {
      'TF_NUM_INTEROP_THREADS': str(inter_op),
      'TF_NUM_INTRAOP_THREADS': str(intra_op),
    }
    process = subprocess.run(
      [sys.executable, '-c', _CODE],
      env={**os.environ, **threads},
      check=True,
      capture_output=True,
      text=True,
      timeout=150,
    )
    digests.add(process.stdout.strip())
  assert len(digests) == 1
