"""What learns: networks, losses, regularizers and the agents themselves."""

import os

# TensorFlow reads these when it starts. oneDNN makes the products of an update
# about 1.3 times faster. An update is a graph of many small operations: two of
# them at a time, each on half of the cores, is faster than all of the cores on
# one. Results do not depend on it.
os.environ.setdefault('TF_ENABLE_ONEDNN_OPTS', '1')
os.environ.setdefault('TF_NUM_INTEROP_THREADS', '2')
os.environ.setdefault(
  'TF_NUM_INTRAOP_THREADS', str(max(1, len(os.sched_getaffinity(0)) // 2))
)
