"""The door for a user's system: what acts is shown one kind of environment."""

import logging

import absl.logging  # noqa: F401  (makes its logger, of a class of its own)


def _is_of_use(record: logging.LogRecord) -> bool:
  """Not what MuJoCo says of the suite's own model files, which are not ours."""
  return "compiler attribute 'settotalmass'" not in str(record.msg)


logging.getLogger('absl').addFilter(_is_of_use)
