"""What to do about a run that does not let a worker in."""

from launchers.workers.options import Keys

_WRONG = {
  'Hostname Verification': (
    'its certificate is of another name. Join it by the name that the '
    'certificate has, or give that name with --server-name.'
  ),
  'CERTIFICATE_VERIFY_FAILED': (
    'its certificate is not signed by those in --ca, or is not valid now. '
    'Copy the one that the run was started with, and look at the clock.'
  ),
  'WRONG_VERSION_NUMBER': (
    'it speaks no TLS. Leave out --ca, or start the run with a certificate.'
  ),
}
"""What no waiting mends: a part of gRPC's text, and what to do."""
_NO_TLS = ' If it is there, it may speak TLS: give --ca and --token-file.'
_NO_OWN = (
  ' If it is there, it may ask for a certificate of this host: give '
  '--certificate and --key.'
)


def of_tls(details: str) -> str:
  """What no waiting mends, and what to do; '' where that is not known.

  Args:
    details: what gRPC says of a call that failed.
  """
  return ' '.join(text for mark, text in _WRONG.items() if mark in details)


def of_silence(details: str, keys: Keys) -> str:
  """What may be wrong, beside that the run is away.

  Args:
    details: what gRPC says of a call that failed.
    keys: that it was made with.
  """
  # A run that speaks TLS does not tell so to who does not.
  if not keys.certificates:
    return _NO_TLS
  is_closed = 'Socket closed' in details  # It is there.
  return _NO_OWN if is_closed and not keys.own.certificate else ''
