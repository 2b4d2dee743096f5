"""What the device has been told to be: its server accounts and settings, which of them are on trial, and its epoch.
All of it in the store; a medium that takes no writes costs durability, not service.

A new configuration replaces the old one in a single write, and the old one is kept beside it until the first
registration under the new one: a bad configuration cannot cut a device off for ever (C3, L2).
"""

from . import accounts as form
from .codec import cbor
from .errors import LocalError
from .north.resources import configured_settings
from .overlay import drop

_EPOCH_MAX = 4294967295
_AHEAD = 16  # epochs that are reserved by one write


class Configuration:
    """store: Store; settings: Settings, into which what the configuration says about settings is put."""

    def __init__(self, store, settings):
        self._store, self._settings = store, settings
        self._epoch_of = None  # (short server id, link) that the present epoch was given to
        self.epoch = store.get("epoch", 0)  # of the last attempt; after a start: the highest that may have been used
        self._load()

    @property
    def trial(self):
        """Whether no registration has succeeded yet under this configuration while there is an older one to go back
        to."""
        return self._store.get("previous") is not None

    def check(self, tree):
        """LocalError unless one could live with this configuration."""
        from .vetting import check

        check(tree, self._settings.get("insecure"), self._store)
        drop("vetting")
        for name, value in configured_settings(tree):
            self._settings.check(name, value)

    def commit(self, tree):
        before = _storable(self.tree) if self.accounts else None
        self._store.keep({"config": _storable(tree), "previous": before, "versions": None, "attributes": None})
        self._load()

    def proven(self):
        if self.trial:
            self._store.keep({"previous": None})

    def revert(self):
        """Back to the configuration before. -> whether there was one."""
        if not self.trial:
            return False
        self._store.keep({"config": self._store.get("previous"), "previous": None})
        self._load()
        return True

    def set(self, path, value):
        """One resource, durable on return unless the medium fails."""
        self.tree[path] = value
        self._store.keep({"config": _storable(self.tree)})

    def remove(self, object, instance):
        """One instance, for good."""
        for path in list(self.tree):
            if path[:2] == (object, instance):
                del self.tree[path]
        self._store.keep({"config": _storable(self.tree)})

    def epoch_for(self, account, link):
        """The epoch of a registration attempt: a new one, which no earlier life of the device can have used, unless
        the last attempt was for the same registrar over the same link: repeating it is no change of registrar.

        Epochs are reserved in the store many at a time, so that hardly a move waits for the flash; a restart goes on
        behind the reserved ones (docs/decisions/0010).
        """
        if self._epoch_of != (account.ssid, link):
            self.epoch = min(self.epoch + 1, _EPOCH_MAX)
            self._epoch_of = (account.ssid, link)
            if self.epoch > self._store.get("epoch", 0):
                self._reserve()
        elif self._store.behind:
            self._store.keep({})  # what a full medium refused before
        return self.epoch

    def reserve_epochs(self):
        """When nothing is urgent: see to it that the next moves find reserved epochs."""
        if self._store.get("epoch", 0) - self.epoch < _AHEAD // 2:
            self._reserve()

    def raise_epoch(self, highest):
        """A registrar knows a higher epoch of ours (4.09): go above it next time."""
        if self.epoch <= highest < _EPOCH_MAX:
            self.epoch, self._epoch_of = highest, None

    def _reserve(self):
        self._store.keep({"epoch": min(self.epoch + _AHEAD - 1, _EPOCH_MAX)})

    def _load(self):
        """The stored tree; on a device that is told its server by a setting, only the settings in it count."""
        from .vetting import given

        tree = given(_stored(self._store.get("config", [])), self._settings.get)
        drop("vetting")
        self.tree, self.accounts = tree, form.accounts(tree)
        self._epoch_of = None
        for name, value in configured_settings(tree):
            try:
                self._settings.set(name, value)
            except LocalError:
                pass  # stored by a version that allowed it: the default holds


def _storable(tree):
    """As bytes: while they lie in the store they take a fifth of the room that the lists would."""
    return cbor.encode(form.pack(tree))


def _stored(data):
    rows = cbor.decode(data) if isinstance(data, bytes) else data  # lists: from earlier versions
    drop("codec.cbor_reading")
    return form.unpack(rows)
