"""Who may sign the groups' policies, as the root has signed it (`pointsman policy keys`), and which of the members have
been told. Documents are kept as they came: the platform knows no root, its devices do.
"""

import time
from collections import Counter

import sqlalchemy as sa

from ...agent.codec import cose
from ...agent.engine import policy_rules as rules
from ...agent.errors import LocalError, RemoteError
from ..faults import Fault
from ..policies import signing
from ..policies.keys import Signer, kid
from ..policies.showing import entry

_tables = sa.MetaData()
_keys = sa.Table(
    "policy_keys", _tables,
    sa.Column("root", sa.String, primary_key=True),  # its key's id
    sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("document", sa.LargeBinary, nullable=False),
    sa.Column("taken_at", sa.Float, nullable=False),  # Unix s
)
_told = sa.Table(
    "policy_keys_told", _tables,
    sa.Column("endpoint", sa.String, primary_key=True),
    sa.Column("root", sa.String, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("said", sa.String, nullable=False),
)
_STORED, _NEWER = "has them", "has newer ones"
_MEANINGS = {0: _STORED, 3: _STORED, 4: _NEWER, 5: "bad value", 8: "storage error"}


class Vouching:
    """The newest document of keys, in a Storage, for the members of these Groups. There is one root at a time: the
    document of another one takes the place of what there was."""

    def __init__(self, storage, groups):
        self._storage, self._groups = storage, groups
        self._save_told = storage.upsert(_told, ["endpoint"])
        storage.submit(_tables.create_all).result()
        self.document, self._root, self.version, self._signers, self._names = None, "", 0, [], ()
        rows = storage.read(sa.select(_keys).order_by(_keys.c.taken_at.desc()).limit(1))
        if rows:
            self._become(rows[0]["document"], *_read(rows[0]["document"]))
        self._said = {row["endpoint"]: (row["root"], row["version"], row["said"])
                      for row in storage.read(sa.select(_told))}
        self._settled = set()  # endpoints that have answered since their last contact

    async def take(self, document):
        """Keep a new document of keys. Raises LocalError: it is none, or an old one."""
        root, version, signers = _read(document)
        if root == self._root and (version < self.version or version == self.version and document != self.document):
            raise LocalError("keys: version %d of this root has been; the next document needs %d" % (
                self.version, self.version + 1))
        if document == self.document:
            return
        row = {"root": root, "version": version, "document": document, "taken_at": time.time()}
        await self._storage.execute(self._storage.upsert(_keys, ["root", "version"]), row)
        self._become(document, root, version, signers)
        self._settled.clear()

    def check(self, document, group):
        """Raises LocalError where the members of a Group would not believe who has signed this: it is known who may."""
        signed_by, now = cose.split(signing.bare(document))[2].hex(), time.time()
        fits = [signer.not_before <= now < signer.not_after for signer in self._signers
                if kid(signer.public).hex() == signed_by and group.id in signer.groups]
        if self.document is not None and True not in fits:
            why = "may not sign at this time" if fits else "is not among those who may"
            raise LocalError("group %s: key %s %s; policy keys --root and --push say who may" % (
                group.name, signed_by, why))

    def lacks(self, endpoint):
        """Whether it is to be told: it is in a group that the document names, and is not known to have it, nor has
        refused it since its last contact."""
        return self._open(endpoint) and any(group.index(endpoint) is not None for group in self._named())

    def lacking(self):
        """The endpoints of all that are to be told."""
        return [endpoint for endpoint in self._members() if self._open(endpoint)]

    def online(self, endpoint):
        """It has registered or updated: what it has refused it may take now."""
        self._settled.discard(endpoint)

    def doubt(self, endpoint):
        """It believes nobody who has signed a document for it: whether it is to be told again, as it may have lost what
        it was told."""
        if endpoint in self._settled:
            return False
        self._said.pop(endpoint, None)
        return self.lacks(endpoint)

    def said(self, endpoint, version, status):
        """It has answered to a version: a number of the device's, or why it has refused."""
        said = _MEANINGS.get(status, str(status)[:100])
        self._settled.add(endpoint)
        self._said[endpoint] = self._root, version, said
        self._storage.execute(self._save_told, {"endpoint": endpoint, "root": self._root, "version": version,
                                                "said": said})  # what is lost is said again

    def status(self):
        """The version, who may sign, and how many members have said what. Raises LocalError: there is no document."""
        if self.document is None:
            raise LocalError("keys: there are none here; pointsman policy keys --push FILE brings them")
        counts = Counter(self._about(endpoint) for endpoint in self._members())
        signers = [entry(signer.entry()) for signer in self._signers]
        return {"version": self.version, "root": self._root, "signers": signers, "members": counts.total(),
                "counts": dict(counts)}

    def outcomes(self):
        """What each member of a group that the document names has said to it: [dict]."""
        return [{"endpoint": endpoint, "said": self._about(endpoint)} for endpoint in self._members()]

    def _about(self, endpoint):
        root, version, said = self._said.get(endpoint, ("", 0, ""))
        return said if (root, version) == (self._root, self.version) else "not told yet"

    def _open(self, endpoint):
        return endpoint not in self._settled and self._about(endpoint) not in (_STORED, _NEWER)

    def _members(self):
        return list(dict.fromkeys(member.endpoint for group in self._named() for member in group.members))

    def _named(self):
        return [group for group in map(self._groups.find, self._names) if group]

    def _become(self, document, root, version, signers):
        self.document, self._root, self.version = document, root, version
        self._signers = signers
        self._names = {group for signer in signers for group in signer.groups}


def _read(document):
    """(id of the root's key, version, [Signer]) of a document of keys. Raises LocalError."""
    try:
        tag, _, signed_by, _, body, _ = cose.split(document, cose.KEYS)
        found = rules.plain(body)
        if tag != cose.SIGN1 or sorted(found) != [1, 2] or type(found[1]) is not int or found[1] < 1:
            raise RemoteError("it is none of keys")
        signers = [Signer(*row[1:]) for row in found[2]]
        if [signer.entry() for signer in signers] != found[2]:
            raise RemoteError("a signer's key has the id of another")
    except (RemoteError, Fault, TypeError, ValueError) as problem:
        raise LocalError("keys: no device takes this document: %s; take what policy keys --out writes" % problem) \
            from problem
    return signed_by.hex(), found[1], signers
