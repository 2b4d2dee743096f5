"""The private objects 26243, the groups that the device is in, and 26244, who vouches for their policies and where the
broker is (docs/decisions/0007). The registrar creates and deletes groups; keys are written and never read.
"""

from ..accounts import instances
from ..errors import LocalError, RemoteError
from ..grouping import GROUP, POLICIES

# id operations kind
_GROUP = """
0 RW! opaque
1 RW? int
2 RW? int
3 RW? str
4 RW? str
5 W? opaque
6 R int
7 R str
8 R opaque
9 R int
"""
_POLICIES = """
0 R opaque
1 RW? str
2 RW? str
3 W? opaque
4 R* str
"""


def enter(agent, objects):
    """Put them into the tree of objects."""
    groups = _Groups(agent)
    objects.add(GROUP, _GROUP, groups.read, groups.write, None, groups.there, create=groups.create,
                delete=groups.delete)  # fmt: skip
    objects.add(POLICIES, _POLICIES, groups.policies, groups.write_policies)


class _Groups:
    def __init__(self, agent):
        self._agent = agent

    def there(self):
        return instances(self._agent.configuration.tree, GROUP)

    def read(self, instance, rid):
        """6 version, 7 state, 8 digest, 9 detail of the policy in the group: as it is told in a registration."""
        tree, policing = self._agent.configuration.tree, self._agent.north.policing
        if rid < 6:
            return tree.get((GROUP, instance, rid))
        member = policing and policing.engine and policing.engine.member(tree[(GROUP, instance, 0)])
        return member and {6: member.version, 7: member.state, 8: member.digest, 9: member.detail}[rid]

    def policies(self, instance, rid):
        """4: how often documents were turned away, by word."""
        if rid == 4:
            policing = self._agent.north.policing
            counts = policing.engine.counts if policing and policing.engine else {}
            return ["%s %d" % (word, counts[word]) for word in sorted(counts)]
        return self._agent.configuration.tree.get((POLICIES, instance, rid))

    def write(self, instance, rid, value, really):
        self._change({(GROUP, instance, rid): value}, really)

    def write_policies(self, instance, rid, value, really):
        self._change({(POLICIES, instance, rid): value}, really)

    def create(self, instance, values, really):
        self._change({(GROUP, instance, rid): values[rid] for rid in values}, really)

    def delete(self, instance, really):
        tree = self._agent.configuration.tree
        self._change({path: None for path in tree if path[:2] == (GROUP, instance)}, really)

    def _change(self, changes, really):
        """RemoteError with the reason when that is no configuration; None takes a resource away."""
        tree = dict(self._agent.configuration.tree)
        tree.update(changes)
        for path in changes:
            if changes[path] is None:
                tree.pop(path, None)
        if not really:
            return self._check(tree)
        kept, path = self._agent.configuration, sorted(tree)[0]
        kept.tree = tree
        kept.set(path, tree[path])  # writes all of it, at once
        self._agent.resources.extend()

    def _check(self, tree):
        try:
            self._agent.configuration.check(tree)
        except LocalError as e:
            raise RemoteError(e.args[0])
