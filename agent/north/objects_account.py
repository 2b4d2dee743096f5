"""The tables of the objects of which a configuration consists: 0 security, 21 OSCORE, 1 server, 2 access control, and
the private 26241 to 26244. What is stored are rows of the agent's tree (accounts.py).

Sources: OMA LwM2M 1.1 Core appendix E, registry (0 and 1 version 1.1, 2 version 1.0, 21 version 2.0).
"""

from ..accounts import ACCESS, OSCORE, POINTSMAN, REGISTRAR, SECURITY, SERVER
from ..table import find
from .objects_pointsman import TABLE as _POINTSMAN

# id operations kind
_SECURITY = """
0 - str
1 - bool
2 - int
3 - opaque
4 - opaque
5 - opaque
6 - int
7 - opaque
8 - opaque
9 - str
10 - int
11 - int
12 - int
13 - int
14 - str
15 - int
16 -* int
17 - objlnk
"""
_SERVER = """
0 R int
1 RW! int
2 RW? int
3 RW? int
4 E -
5 RW? int
6 RW! bool
7 RW! str
8 E -
9 E -
10 RW? objlnk
11 R int
12 R time
13 - int
14 - int
15 - bool
16 - bool
17 - int
18 - int
19 - int
20 - int
21 RW? bool
22 RW? str
23 RW? bool
"""
_ACCESS = """
0 R int
1 R int
2 RW*? int
3 RW! int
"""
_OSCORE = """
0 - opaque
1 - opaque
2 - opaque
3 - int
4 - int
5 - opaque
6 - opaque
"""
_REGISTRAR = """
0 R int
1 R str
2 R bool
"""
_GROUP = """
0 - opaque
1 - int
2 - int
3 - str
4 - str
5 - opaque
"""
_POLICIES = """
0 - opaque
1 - str
2 - str
3 - opaque
"""
TABLES = {SECURITY: _SECURITY, SERVER: _SERVER, ACCESS: _ACCESS, OSCORE: _OSCORE, REGISTRAR: _REGISTRAR,
          POINTSMAN: _POINTSMAN, 26243: _GROUP, 26244: _POLICIES}  # fmt: skip


def kind(path):
    """The kind of a resource of the configuration, or None when it is not known (a bootstrap write ignores it)."""
    found = find(TABLES[path[0]], str(path[2])) if path[0] in TABLES else None
    return found and found[1]


def multiple(path):
    """Whether a resource of the configuration has instances."""
    return "*" in find(TABLES[path[0]], str(path[2]))[0]
