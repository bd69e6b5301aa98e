"""The conductor: owns the state of a run, act → learn → evaluate → publish.

The other nodes ask it what to do (`act_order`, `learn_order`,
`evaluation_order`) and tell it what was done (`committed`, `learned`,
`evaluated`). A node may ask or tell twice: the second time changes nothing.
What must outlive the process is in the run directory, so that a conductor
that starts again goes on where the directory is.
"""

import collections
from collections.abc import Callable
import threading
import time
from typing import Any, Optional

from agents.deployed.policy import Policy
from datasets.types import EpisodeId
from launchers.nodes import cycle_record
from launchers.nodes.evaluations import Evaluations
from launchers.nodes.ledger import Ledger, RunFailedError
from launchers.nodes.refusals import Refusals
from launchers.runs import provenance
from launchers.runs.config import GrowingBatchConfig
from launchers.runs.run_directory import EvaluationKey, RunDirectory

_TICK = 0.05  # Seconds between two looks at the state.


class Conductor:
  """State of one run, served to the other nodes."""

  def __init__(
    self,
    config: GrowingBatchConfig,
    directory: RunDirectory,
    wait_for_stop: Callable[[float], bool],
  ):
    self._config = config
    self._directory = directory
    self._wait_for_stop = wait_for_stop
    self._lock = threading.Lock()  # Courier calls handlers from many threads.
    self._ledger = Ledger(config)
    self._cycle = directory.finished_cycles(config.cycles)
    self._refusals = Refusals(config.run_name, directory)
    for cycle in self._cycles():
      for refusal in self._refusals.of(cycle):
        self._ledger.restore_refusal(*refusal)
    self._phase = 'restore'
    self._policies: dict[int, Policy] = {}
    self._evaluations = Evaluations(config, directory)
    self._troubles: dict[str, str] = {}
    self._warnings: dict[str, str] = {}
    self._learned: Optional[bytes] = None
    self._learner: dict[str, Any] = {}
    self._seconds: dict[str, float] = collections.defaultdict(float)
    self._failure: Optional[RunFailedError] = None
    # As the program was launched: its sources may change while it runs.
    self._provenance = provenance.collect()

  # --- What actors and the curator call. ---

  def act_order(self, actor: int) -> Optional[dict[str, Any]]:
    """What `actor` should collect now: a cycle and (episode, attempt) pairs."""
    with self._lock:
      if self._phase == 'act':
        for cycle in self._cycles():
          missing = self._ledger.missing(cycle, actor)
          if missing:
            return {'cycle': cycle, 'episodes': missing}
      return None

  def policy(self, cycle: int) -> bytes:
    """The one policy that acts in `cycle`, as `Policy.from_bytes` reads it.

    In cycle 0 the demonstrator acts.
    """
    with self._lock:
      return self._policy(cycle).to_bytes()

  def policy_digest(self, cycle: int) -> str:
    """Which policy acts in `cycle`; the demonstrator's version in cycle 0."""
    with self._lock:
      if cycle == 0:
        return self._directory.teacher_identity('demonstrator')[1]
      return self._policy(cycle).digest

  def open_cycles(self) -> list[int]:
    """The cycles whose episodes are learned from now."""
    with self._lock:
      return list(self._cycles())

  def committed(
    self,
    identity: tuple[Any, ...],
    digest: str,
    episode_return: float,
    num_steps: int,
    is_new: bool,
  ) -> None:
    """Told of an episode that is durable."""
    with self._lock:
      episode = EpisodeId(*identity)
      self._ledger.add(episode, digest, episode_return, num_steps, is_new)

  def attempts(self, identity: tuple[Any, ...]) -> int:
    """How often an episode was refused: the number of its present attempt."""
    with self._lock:
      return self._ledger.attempts(EpisodeId(*identity))

  def restored(self) -> None:
    """Told that every durable episode has been announced."""
    with self._lock:
      if self._phase == 'restore':
        self._phase = 'act'

  def refused(
    self,
    identity: tuple[Any, ...],
    reason: str,
    attempt: Optional[int] = None,
  ) -> None:
    """Told of an episode that failed or was refused; it is collected again.

    Args:
      identity: of the episode.
      reason: for a person.
      attempt: at the episode; told of it a second time, nothing changes. None:
        the present one.
    """
    with self._lock:
      episode = EpisodeId(*identity)
      present = self._ledger.attempts(episode)
      noted = present if attempt is None else attempt
      if noted < present:
        return
      self._refusals.add(episode, noted, reason)
      try:
        self._ledger.refuse(episode, reason, noted)
      except RunFailedError as error:
        self._failure = error

  # --- What the learner calls. ---

  def learn_order(self) -> Optional[dict[str, Any]]:
    """The cycle to learn and the digests of exactly the data to learn from."""
    with self._lock:
      if self._phase != 'learn' or self._learned is not None:
        return None
      digests = self._ledger.digests(self._cycles())
      return {
        'cycle': self._cycle,
        'digests': {tuple(identity): d for identity, d in digests.items()},
      }

  def progress(self, progress: dict[str, Any]) -> None:
    """Told of the learner's phase, step, last step, rate and metrics."""
    with self._lock:
      self._learner = {**self._learner, **progress}
      self._warnings.update(cycle_record.warnings(progress))

  def evaluate(self, step: int, policy: bytes) -> None:
    """Asked to evaluate the online policy of learner step `step`."""
    with self._lock:
      self._evaluations.ask(('interval', self._cycle, step), policy)

  def learned(self, cycle: int, policy: bytes) -> None:
    """Told that `cycle` is learned; `policy` is to be checked and published."""
    with self._lock:
      if cycle == self._cycle and self._phase == 'learn':
        self._learned = policy

  # --- What the evaluator calls. ---

  def evaluation_order(self) -> Optional[dict[str, Any]]:
    """The next policies to evaluate."""
    with self._lock:
      return self._evaluations.order()

  def evaluated(
    self,
    key: EvaluationKey,
    returns: list[float],
    failures: list[str],
    core_seconds: float,
  ) -> None:
    """Told the returns of one, why episodes failed, and the time it took."""
    with self._lock:
      self._evaluations.record(key, returns, failures, core_seconds)

  # --- What those who ask a teacher call. ---

  def trouble(self, node: str, message: Optional[str]) -> None:
    """Told what keeps a teacher from answering a node; None: nothing does."""
    with self._lock:
      if message is None:
        self._troubles.pop(node, None)
      else:
        self._troubles[node] = message

  # --- What the display calls. ---

  def status(self) -> dict[str, Any]:
    """Where the run is, for a person."""
    with self._lock:
      return {
        'cycle': self._cycle,
        'phase': self._phase,
        'pending': len(self._evaluations),
        'skipped': self._evaluations.skipped(self._cycle),
        'troubles': dict(self._troubles),
        'learner': self._learner,
        'seconds': dict(self._seconds),
        'warnings': sorted(self._warnings.values()),
        **self._ledger.status(),
        'refused': self._ledger.refused(self._cycle),
      }

  # --- The loop. ---

  def run(self) -> None:
    """Advances the run until the program stops.

    Raises:
      RunFailedError: too many episodes were refused, or data have changed.
    """
    with self._lock:
      if self._directory.read_json(self._directory.teacher_result) is None:
        # Not by its policy: it may be any program.
        self._evaluations.ask(('teacher', 0, 0), b'')
    last = time.monotonic()
    while not self._wait_for_stop(_TICK):
      with self._lock:
        if self._failure:
          raise self._failure
        now = time.monotonic()
        self._seconds[self._phase] += now - last
        last = now
        self._advance()
    with self._lock:
      self._evaluations.close()

  def _advance(self) -> None:
    if self._phase == 'act' and self._ledger.is_full(self._cycles()):
      self._freeze_data()
      self._phase = 'learn'
    elif self._phase == 'learn' and self._learned is not None:
      self._evaluations.ask(self._final(), self._learned)
      self._phase = 'evaluate'
    elif self._phase == 'evaluate' and not len(self._evaluations):
      self._publish()
      self._cycle += 1
      is_done = self._cycle > self._config.cycles
      self._phase = 'done' if is_done else 'act'
      self._learned, self._learner = None, {}
      self._seconds.clear()
      self._ledger.new_steps = 0

  def _freeze_data(self) -> None:
    """Records what the cycles' data are, or checks that they still are that."""
    for cycle in self._cycles():
      batch = self._ledger.batch(cycle)
      cycle_record.freeze(self._directory, cycle, batch)
      episode_steps = self._config.episode_steps
      self._warnings.update(cycle_record.shortage(batch, episode_steps))

  def _publish(self) -> None:
    """Writes what the cycle was, and last of all its policy."""
    assert self._learned is not None
    cycle, directory = self._cycle, self._directory
    outcome = cycle_record.outcome(
      cycle, self._ledger, self._evaluations, self._final()
    )
    record = {
      **outcome,
      'learner': self._learner,
      'seconds': {k: round(v, 2) for k, v in self._seconds.items()},
      'policy_digest': Policy.from_bytes(self._learned).digest,
      'provenance': self._provenance,
    }
    directory.write_json(directory.cycle(cycle) / 'cycle.json', record)
    directory.publish(cycle, self._learned)

  def _final(self) -> EvaluationKey:
    step = self._cycle * self._config.learner_steps_per_cycle
    return 'final', self._cycle, step

  def _policy(self, cycle: int) -> Policy:
    if cycle not in self._policies:
      path = self._directory.policy_path(cycle - 1)
      self._policies[cycle] = Policy.from_bytes(path.read_bytes())
    return self._policies[cycle]

  def _cycles(self) -> range:
    """The cycles whose data are learned from in the present one.

    Cloning needs the demonstrations; what follows only when they are mixed.
    """
    is_first_needed = self._cycle == 0 or self._config.mix_demonstrations
    return range(0 if is_first_needed else 1, self._cycle + 1)
