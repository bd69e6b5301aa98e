"""What both ends of the gateway agree on: see gateway.proto."""

import json
import math
from typing import Any

from launchers.environments.base import Description
from launchers.gateway import gateway_pb2 as pb
from launchers.runs import provenance
from launchers.runs.run_directory import EvaluationKey as EvaluationKey
from teachers import wire

PROTOCOL = 1
"""Rises when an older end would misread a newer one."""

SERVICE = pb.DESCRIPTOR.services_by_name['Gateway'].full_name

WAIT_SECONDS = 10.0
"""For which the gateway keeps a question for orders."""

MAX_BYTES = wire.MAX_BYTES
"""Of one message, either way."""
MAX_LANES = 1_024
"""Episodes that one worker acts side by side."""
MAX_NAME = wire.MAX_NAME

_MAX_REASON = 1_000
_DECIDING = ('dm-control', 'mujoco', 'numpy')


def versions() -> dict[str, str]:
  """What decides whether an episode acted here is that acted elsewhere."""
  made_by = provenance.collect()
  packages = {name: made_by['packages'][name] for name in _DECIDING}
  return {**packages, 'results': str(made_by['results'])}


def differences(request: Any) -> list[str]:
  """What keeps a worker that joins from acting the same episodes."""
  if request.protocol != PROTOCOL:
    return [f'protocol {request.protocol}, not {PROTOCOL}']
  theirs = dict(request.versions)
  return [
    f'{name}: {theirs.get(name, "none")[:40]}, not {version}'
    for name, version in versions().items()
    if theirs.get(name) != version
  ]


def cpu() -> str:
  """Of this machine."""
  return str(provenance.collect()['cpu'])


def method(name: str) -> str:
  """The path of a call."""
  return f'/{SERVICE}/{name}'


def check_name(name: str) -> str:
  """Returns a worker's name.

  Raises:
    wire.MessageError: it is none that a person would want to read.
  """
  if not 0 < len(name) <= MAX_NAME or not name.isprintable():
    raise wire.MessageError(
      f"A worker's name has {len(name)} characters; send between 1 and "
      f'{MAX_NAME} printable ones.'
    )
  return name


def description(text: str) -> Description:
  """What is acted in, from the JSON of an assignment.

  Raises:
    wire.MessageError: it is none.
  """
  try:
    return Description.from_json(json.loads(text))
  except (ValueError, KeyError, TypeError) as error:
    raise wire.MessageError(f'The run describes no task: {error}') from error


def evaluation_order(found: dict[str, Any]) -> Any:
  """A message, from what `Conductor.evaluation_order` gives."""
  return pb.EvaluationOrder(
    wanted=[
      pb.EvaluationOrder.Wanted(
        evaluation=evaluation(one['key']),
        episodes=one['episodes'],
        policy=one['policy'],
      )
      for one in found['evaluations']
    ]
  )


def evaluation(key: EvaluationKey) -> Any:
  """A message that names an evaluation."""
  kind, cycle, step = key
  return pb.Evaluation(kind=kind, cycle=cycle, step=step)


def evaluation_key(message: Any) -> EvaluationKey:
  """Which evaluation a message names."""
  return message.kind, message.cycle, message.step


def evaluation_result(
  message: Any,
) -> tuple[EvaluationKey, list[float], list[str]]:
  """Which evaluation it was, its returns, and why others failed.

  Raises:
    wire.MessageError: a return is none.
  """
  returns = list(message.returns)
  if not all(map(math.isfinite, returns)):
    raise wire.MessageError(f'A return is not finite: {returns[:10]}.')
  failures = [reason[:_MAX_REASON] for reason in message.failures]
  return evaluation_key(message.evaluation), returns, failures


def parse(message_type: type, data: bytes) -> Any:
  """See `teachers.wire.parse`."""
  return wire.parse(message_type, data)
