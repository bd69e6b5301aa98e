"""The learner's rate with each objective; see benchmarks.teachers."""

from collections.abc import Callable
import time
from typing import get_args

from agents import registry
from agents.config import Kind, ObjectiveConfig
from agents.d4pg.config import D4PGConfig
from agents.learner import Learner
from benchmarks import teachers_parts
from datasets.memory import Memory
from launchers.nodes.batches import sampler_for
from launchers.nodes.teacher_gradients import TeacherGradients
from teachers import client
from teachers.base import Teacher

_EPISODES = 20
_TOTAL_STEPS = 1_000_000  # alpha stays near 1: no objective becomes another.
_CONFIG = D4PGConfig(
  policy_layer_sizes=teachers_parts.LAYER_SIZES,
  critic_layer_sizes=teachers_parts.LAYER_SIZES,
  num_atoms=teachers_parts.NUM_ATOMS,
)


def rates(windows: int, updates: int) -> dict[str, list[float]]:
  """Updates per second in each window, by objective."""
  memory = Memory(_CONFIG.n_step, _CONFIG.discount, with_labels=True)
  memory.extend(teachers_parts.episodes(_EPISODES))

  def in_process() -> Teacher:
    return teachers_parts.make(teachers_parts.TASK)

  with teachers_parts.services(1) as addresses:
    runs = {kind: _learner(kind, memory, in_process) for kind in get_args(Kind)}
    runs['teacher_grad_remote'] = _learner(
      'teacher_grad', memory, lambda: client.connect(addresses)
    )
    for run in runs.values():
      run(updates)  # Traces the graph, connects, fills the caches.
    found: dict[str, list[float]] = {name: [] for name in runs}
    names = list(runs)
    for window in range(windows):
      # Each begins in turn, so that none always follows the same one.
      first = window % len(names)
      for name in names[first:] + names[:first]:
        started = time.perf_counter()
        runs[name](updates)
        found[name].append(updates / (time.perf_counter() - started))
    return found


def _learner(
  kind: Kind, memory: Memory, load: Callable[[], Teacher]
) -> Callable[[int], object]:
  """What does updates with this objective, as a run's learner does them."""
  objective = ObjectiveConfig(kind)
  gradients = TeacherGradients(load)
  if objective.uses_teacher_gradients:
    gradients.prepare()
  spec = teachers_parts.TASK.spec
  networks = registry.make_networks(_CONFIG, spec, seed=0)
  agent = registry.make_agent(
    _CONFIG, networks, objective, _TOTAL_STEPS, gradients
  )
  return Learner(agent, sampler_for(_CONFIG, agent, memory, seed=0)).run
