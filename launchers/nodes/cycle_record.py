"""What is written of a finished cycle, and what is told of a running one."""

from collections.abc import Mapping
from typing import Any

from launchers.acting.outcomes import summary
from launchers.nodes.evaluations import Evaluations
from launchers.nodes.ledger import Ledger, RunFailedError
from launchers.runs.frozen import differences
from launchers.runs.run_directory import EvaluationKey, RunDirectory

_FEW = 0.5  # Of the steps that were planned for.
_CLIPPED = 0.01  # Share of the targets beyond which it is worth a word.


def outcome(
  cycle: int, ledger: Ledger, evaluations: Evaluations, final: EvaluationKey
) -> dict[str, Any]:
  """What a cycle collected and what its policy returns, for cycle.json.

  Args:
    cycle: its number.
    ledger: has its episodes.
    evaluations: have its returns.
    final: the evaluation of its policy.
  """
  collected = ledger.returns(cycle)
  evaluation = summary(evaluations.returns(final))
  return {
    'cycle': cycle,
    **ledger.batch(cycle),
    'refused': ledger.refused(cycle),
    'collected_return_mean': collected.get('return_mean'),
    'collected_return_std': collected.get('return_std'),
    'evaluation_return_mean': evaluation.get('return_mean'),
    'evaluation_return_std': evaluation.get('return_std'),
    'evaluation_episodes': evaluation['episodes'],
    'evaluation_failures': evaluations.failures(final),
    'evaluation_skipped': evaluations.skipped(cycle),
    'learner_steps': final[2],
    'acted_steps': ledger.new_steps,
  }


def freeze(directory: RunDirectory, cycle: int, batch: dict[str, Any]) -> None:
  """Records what the data of a cycle are, or checks that they still are that.

  Raises:
    RunFailedError: they are others.
  """
  path = directory.cycle(cycle) / 'batch.json'
  frozen = directory.read_json(path)
  if frozen is None:
    directory.write_json(path, batch)
  elif frozen != batch:
    changes = '; '.join(differences(frozen, batch))
    raise RunFailedError(
      f'The episodes of cycle {cycle} are not those that it was learned from, '
      f'which {path} tells: {changes}. Restore the episode files, or remove '
      f'cycle {cycle} and those after it from the run.'
    )


def held_back(cycle: int, reason: str) -> str:
  """What to tell a person of a policy that is not deployed."""
  return f'Cycle {cycle}: its policy is held back. {reason}'


def shortage(batch: Mapping[str, Any], episode_steps: int) -> dict[str, str]:
  """What to tell a person of data that are far fewer than was planned for."""
  planned = batch['episodes'] * episode_steps
  if batch['steps'] >= _FEW * planned:
    return {}
  mean = batch['steps'] / batch['episodes']
  return {
    'short': f'A cycle has {batch["steps"]:,} of {planned:,} steps, since its '
    f'episodes end early: with --episode-steps {mean:.0f} a new run collects '
    'as many steps as --actor-steps says.'
  }


def warnings(progress: Mapping[str, Any]) -> dict[str, str]:
  """What a learner's progress gives reason to tell a person, by its kind."""
  clipped = progress.get('clipped_fraction', 0.0)
  if clipped <= _CLIPPED:
    return {}
  return {
    'clipped': f"{clipped:.0%} of the critic's targets lie beyond its support, "
    'which cuts them there: widen it with --agent.vmin and --agent.vmax in a '
    'new run.'
  }
