"""Joins the files that are always loaded together into one. Only the build uses it.

Every module costs a device a table of the names that it mentions, a dictionary, and an entry for each name that it
imports: for files that are never loaded one without the other, that is paid for nothing. A file named in ROOTS takes in
all that it imports at its head, directly or not, and what others imported of those files they import of it. Names that
meet in one bundle and mean different things get their file's name behind them.

A module that somewhere is used as a value (passed on, looked up by name) stays a file of its own, as do packages.
"""

import ast
from pathlib import PurePosixPath

from .scopes import COMPREHENSIONS, FUNCTIONS, bound, globals_used

ROOTS = ("agent/run.py", "agent/engine/modem.py", "boards/sim.py", "boards/linux.py")


def bundle(texts, roots=ROOTS):
    """{path: text} of fewer files that do the same. texts: {path: text} of all files that are on the device."""
    files = {path: _File(path, text) for path, text in texts.items()}
    for file in files.values():
        file.resolve(files)
    apart = {path for file in files.values() for path in file.values()} - set(roots)  # a root keeps its module
    home, members = {}, {}
    for root in [root for root in roots if root in files]:
        members[root] = [path for path in _needs(root, files) if path not in apart | home.keys()]
        home.update(dict.fromkeys(members[root], root))
    names = {root: _names(root, [files[path] for path in members[root]]) for root in members}
    done = {path: file.rewritten(home, names) for path, file in files.items()}
    for root, inside in members.items():
        whole = ast.Module([node for path in inside for node in done.pop(path).body], [])
        done[root] = whole
    return {path: ast.unparse(tree) + "\n" for path, tree in sorted(done.items())}


def _needs(root, files, seen=None):
    """The file and what it imports at its head, in the order in which that is executed."""
    seen = [] if seen is None else seen
    order = []
    if root not in seen:
        seen.append(root)
        for path in files[root].head:
            order += _needs(path, files, seen)
        order.append(root)
    return order


def _names(root, members):
    """{(path, name): name in the bundle}: as it is, unless another member has it too and means something else."""
    meanings, hiding = {}, set().union(*(file.hiding() for file in members))
    for file in members:
        for name in file.own:
            meanings.setdefault(name, []).append((file.path, file.outside.get(name)))
    found = {}
    for name, owners in meanings.items():
        same = len({meaning for _, meaning in owners}) == 1 and owners[0][1] is not None
        for path, _ in owners:
            clash = path != root and not same and (len(owners) > 1 or name in hiding)
            found[path, name] = "%s_%s" % (name, PurePosixPath(path).stem) if clash else name
    return found


class _File:
    """One file: its tree, its own names, and what its imports mean."""

    def __init__(self, path, text):
        self.path, self.tree = path, ast.parse(text)
        self.own = bound(self.tree.body)
        self.outside = {}  # own names that come from outside of the project: what they mean
        self.head = []  # project files imported when this one is
        self.imported = {}  # id(import statement) -> [(alias, path, name or None for the module itself)]

    def resolve(self, files):
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and (node.level or node.module.split(".")[0] in _tops(files)):
                self.imported[id(node)] = [self._target(node, alias, files) for alias in node.names]
        for node in self.tree.body:
            if id(node) in self.imported:
                for alias, path, _ in self.imported[id(node)]:
                    self.head.append(path)
                    self.own.discard(alias.asname or alias.name)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                for alias in node.names:
                    self.outside[alias.asname or alias.name] = (getattr(node, "module", None), alias.name)

    def _target(self, node, alias, files):
        """What `from ..x import y` names: a file, and a name in it or None."""
        folder = PurePosixPath(self.path).parents[node.level - 1] if node.level else PurePosixPath()
        place = folder.joinpath(*(node.module or "").split(".")) if node.module else folder
        for path, name in (((place / alias.name).with_suffix(".py"), None), (place.with_suffix(".py"), alias.name)):
            if path.as_posix() in files:
                return alias, path.as_posix(), name
        return alias, (place / "__init__.py").as_posix(), alias.name

    def hiding(self):
        """Names of variables and parameters inside functions: one of them could hide a global name of another file."""
        inside = [part for node in ast.walk(self.tree) if isinstance(node, FUNCTIONS + COMPREHENSIONS)
                  for part in ast.walk(node)]
        found = {part.id for part in inside if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load)}
        return found | {part.arg for part in inside if isinstance(part, ast.arg)}

    def values(self):
        """Paths of files that this one uses as values: otherwise than for `module.name`. They keep their module."""
        for node in ast.walk(self.tree):
            for alias, path, name in self.imported.get(id(node), ()):
                if name is None and self._is_value(alias.asname or alias.name, node in self.tree.body):
                    yield path

    def _is_value(self, name, at_head):
        """Whether this name of a module is used otherwise; one that was imported inside a function hides nothing."""
        used = {id(node.value) for node in ast.walk(self.tree) if isinstance(node, ast.Attribute)}
        nodes = globals_used(self.tree) if at_head else ast.walk(self.tree)
        return any(getattr(node, "id", None) == name and id(node) not in used for node in nodes)

    def rewritten(self, home, names):
        """The tree with imports and names as they are after the files have moved to `home`."""
        here = home.get(self.path, self.path)
        mine = names.get(home.get(self.path), {})
        change = {name: mine.get((self.path, name), name) for name in self.own}
        modules = {}
        for node in self.tree.body:
            self._moved(self.imported.get(id(node), ()), here, home, names, change, modules)
        _Rename(self, here, home, names, change, modules).visit(self.tree)
        return self.tree

    def _moved(self, targets, here, home, names, change, modules):
        """What names that an import at the head brought are called now; the import itself goes where they are here."""
        for alias, path, name in targets:
            if home.get(path) == here and name is not None:
                change[alias.asname or alias.name] = names[here][path, name]
            elif path in home and name is None:
                modules[alias.asname or alias.name] = path


class _Rename(ast.NodeTransformer):
    """Puts the new names and imports into a tree."""

    def __init__(self, file, here, home, names, change, modules):
        self.file, self.here, self.home, self.names = file, here, home, names
        self.change, self.modules = change, modules
        used = list(globals_used(file.tree))
        self._globals = {id(node) for node in used}

    def visit_Name(self, node):
        if id(node) in self._globals and node.id in self.change:
            node.id = self.change[node.id]
        return node

    def visit_Global(self, node):
        node.names = [self.change.get(name, name) for name in node.names]
        return node

    def visit_FunctionDef(self, node):
        node.returns = None
        return self._defined(node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node):
        return self._defined(node)

    def _defined(self, node):
        """A function or class of the module's own, or one inside of something."""
        parts = [part for part in self.file.tree.body if isinstance(part, ast.Try | ast.If)]
        if node in self.file.tree.body or any(node in part.body for part in parts):
            node.name = self.change.get(node.name, node.name)
        return self.generic_visit(node)

    def visit_Attribute(self, node):
        """module.name, of a module that is no file any more."""
        self.generic_visit(node)
        if isinstance(node.value, ast.Name) and node.value.id in self.modules:
            path = self.modules[node.value.id]
            name = self.names[self.home[path]][path, node.attr]
            if self.home[path] == self.here:
                return ast.copy_location(ast.Name(name, node.ctx), node)
            node.attr = name
        return node

    def visit_ImportFrom(self, node):
        """Each imported name from where it is now; inside functions too."""
        if id(node) not in self.file.imported:
            return self._external(node)
        lines = []
        for alias, path, name in self.file.imported[id(node)]:
            now = self.home.get(path, path)
            local = alias.asname or alias.name
            if now == self.here:
                if name is None and path not in self.home:
                    raise ValueError("%s imports itself" % self.file.path)
                if node not in self.file.tree.body and name is not None and local != self.names[now][path, name]:
                    lines.append(ast.parse("%s = %s" % (local, self.names[now][path, name])).body[0])
                continue
            if name is None:
                lines.append(self._import(now, None, local))
            else:
                lines.append(self._import(now, self.names.get(now, {}).get((path, name), name), local))
        return lines or ast.Pass()

    def _external(self, node):
        for alias in node.names:
            local = alias.asname or alias.name
            if node in self.file.tree.body and self.change.get(local, local) != local:
                alias.asname = self.change[local]
        return node

    def visit_Import(self, node):
        return self._external(node)

    def _import(self, path, name, local):
        """`from .place import name as local`, seen from where this text is now."""
        mine, theirs = PurePosixPath(self.here).parent.parts, PurePosixPath(path).with_suffix("").parts
        theirs = theirs[:-1] if theirs[-1] == "__init__" else theirs
        if name is None:
            theirs, name = theirs[:-1], theirs[-1]
        common = 0
        while common < min(len(mine), len(theirs)) and mine[common] == theirs[common]:
            common += 1
        module = ".".join(theirs[common:]) or None
        alias = ast.alias(name, local if local != name else None)
        return ast.ImportFrom(module, [alias], len(mine) - common + 1 if common else 0)


def _tops(files):
    """The project's folders, by which it may be imported absolutely."""
    return {PurePosixPath(path).parts[0] for path in files}
