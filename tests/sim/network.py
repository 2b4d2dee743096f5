"""Paths between the nodes: seeded loss, delay, duplication, reordering and outages.

An address is (link, host, port), as the agent writes it. Who owns a host has a receiver `receive(link, host,
port, data, local_port)`; the first three are the sender's address as the receiver has to answer it.
"""


class Path:
    """One medium in both directions. Rates in permille of datagrams, times in ms."""

    def __init__(self, world, chance, name, delay=2, jitter=4, loss=10, duplicate=5, late=5, late_by=3000):
        self.world, self.chance, self.name = world, chance, name
        self.delay, self.jitter, self.loss = delay, jitter, loss
        self.duplicate, self.late, self.late_by = duplicate, late, late_by
        self.up = True

    def carry(self, receive, link, host, port, data, local_port):
        """Bring a datagram to receive() later, perhaps never, perhaps twice, perhaps after younger ones."""
        chance = self.chance
        if not self.up or chance.often(self.loss):
            return self.world.trace(self.name + " lost", data)
        self.world.trace(self.name, data)
        for _ in range(2 if chance.often(self.duplicate) else 1):
            wait = self.delay + chance.below(self.jitter + 1)
            if chance.often(self.late):
                wait += chance.below(self.late_by)
            self.world.after(wait, self._arrive, receive, link, host, port, data, local_port)

    def _arrive(self, receive, link, host, port, data, local_port):
        if self.up:  # the link may have died under it
            receive(link, host, port, data, local_port)

    def set(self, up):
        if up != self.up:
            self.up = up
            self.world.trace("%s %s" % (self.name, "up" if up else "down"))

    def calm(self):
        """No more faults on this path."""
        self.loss = self.duplicate = self.late = 0


class Hosts:
    """Who answers under which host name on which side; a datagram to nobody is lost, as in life."""

    def __init__(self):
        self._owners = {}

    def own(self, host, path, receive):
        self._owners[host] = (path, receive)

    def disown(self, host):
        self._owners.pop(host, None)

    def send(self, source, peer, data, through=None):
        """From `source` (link, host, port) to `peer` (link, host, port), over `through` or the owner's
        path."""
        owner = self._owners.get(peer[1])
        if owner is not None:
            path = through or owner[0]
            path.carry(owner[1], source[0], source[1], source[2], data, peer[2])
