"""How a run is, for whoever shows it."""

from typing import Any, Optional


class StatusClient:
  """Asks the conductor how the run is; None while it does not answer."""

  def __init__(self, address: str):
    """Asks nothing yet; the address is the conductor's."""
    import courier

    self._client = courier.Client(address, call_timeout=2.0)
    self._call: Any = None
    self._last: Optional[dict[str, Any]] = None

  def __call__(self) -> Optional[dict[str, Any]]:
    """What it said last: see `Conductor.status`."""
    if self._call is None:
      self._call = self._client.futures.status()
    elif self._call.done():
      if self._call.exception() is None:
        self._last = self._call.result()
      self._call = None
    return self._last
