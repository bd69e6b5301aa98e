"""What can go wrong with a teacher."""


class WrongTeacherError(ValueError):
  """A teacher that cannot teach this; the message says what would do."""


class AdviceRefusedError(ValueError):
  """A teacher's answer that nothing may learn from; the message says why."""


class TeacherFailedError(Exception):
  """A service answered with an error that waiting does not mend.

  Attributes:
    passing: whether another attempt may succeed.
  """

  def __init__(self, message: str, passing: bool = False):
    super().__init__(message)
    self.passing = passing


class TeacherUnavailableError(Exception):
  """No service of a teacher answered for longer than the caller's patience."""


class TeacherStoppedError(Exception):
  """A teacher is no longer waited for, since the program stops."""
