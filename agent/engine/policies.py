"""What the registrar may set on the device: offered -> checked -> applied, or refused with the reason.

First form: one setting at a time, written by the server one is registered with, checked by the settings table. A
refused offer changes nothing; an offer equal to what is in force is acknowledged and changes nothing either.
"""

from ..errors import LocalError, RemoteError

KNOWN = ("report_period_s", "apn")


class Policies:
    """settings: where values are checked and kept in force (get, check, set)."""

    def __init__(self, settings):
        self._settings = settings
        self.applied = 0
        self.refused = 0
        self._out = []

    def check(self, name, value):
        """RemoteError (4.00) with the reason when the value is refused."""
        try:
            if name not in KNOWN:
                raise LocalError("%s cannot be set from afar" % name)
            self._settings.check(name, value)
        except LocalError as e:
            self.refused += 1
            raise RemoteError(e.args[0])

    def offer(self, name, value):
        """Check and put into force. RemoteError (4.00) with the reason when the value is refused."""
        self.check(name, value)
        if self._settings.get(name) != value:
            self._settings.set(name, value)
            self.applied += 1
            self._out.append(("apply", name, value))

    def take(self):
        """-> [("apply", name, value)]: settings that changed, for the agent to put into effect and to store."""
        out, self._out = self._out, []
        return out
