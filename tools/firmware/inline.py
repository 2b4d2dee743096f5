"""Puts constants where they are used, and lets their names go. Only the build uses it.

A number that a module gives a name costs a device 16 bytes in the module's own table, the code that puts it there and,
when other files use it, the name: all for something that never changes. So `_LIMIT`, or `coap.GET` in another file,
becomes the number itself, and the definition goes when nothing can miss it. `const` is of no use then, and goes too.

Left alone is every name that is bound a second time anywhere in its file, or that a string mentions.
"""

import ast
import re
from pathlib import PurePosixPath

LARGEST = 1 << 30  # beyond it a number is an object of its own wherever it is mentioned
LONGEST = 10  # characters; longer strings are objects of their own
_FOLDED = (ast.Constant, ast.UnaryOp, ast.BinOp, ast.Name, ast.operator, ast.unaryop, ast.expr_context)


def inline(texts):
    """{path: text} with constants in the place of their names; lines stay where they are. texts: all files that will be
    loaded together, {path: text}."""
    files = {path: _File(path, text) for path, text in texts.items()}
    said = set().union(*(file.said for file in files.values()))
    for file in files.values():
        file.replace(files)
    missed = set().union(said, *(file.unresolved for file in files.values()))
    return {path: file.rewritten(missed) for path, file in files.items()}


class Edits:
    """What shall stand in the place of parts of a text, by their nodes in its tree."""

    def __init__(self, text):
        self._lines, self._edits = text.splitlines(keepends=True), []

    def replace(self, node, text):
        self._edits.append((node, text))

    def text(self):
        """The text with all replaced; of what lies inside another replaced part nothing is left."""
        inside = {id(part) for node, _ in self._edits for part in ast.walk(node) if part is not node}
        outer = [edit for edit in self._edits if id(edit[0]) not in inside]
        for node, text in sorted(outer, key=lambda edit: (edit[0].lineno, edit[0].col_offset), reverse=True):
            self._put(node, text)
        return "".join(self._lines)

    def _put(self, node, text):
        """What the node spanned stays as empty lines."""
        lines, more = self._lines, node.end_lineno - node.lineno
        first, last = lines[node.lineno - 1].encode(), lines[node.end_lineno - 1].encode()
        lines[node.lineno - 1 : node.end_lineno] = [
            first[: node.col_offset].decode() + text + last[node.end_col_offset :].decode() + "\n" * more
        ] + [""] * more


class _File:
    """One file: its constants, what was replaced in it, and what it wants of other files by name."""

    def __init__(self, path, text):
        self.path, self.text = PurePosixPath(path), text
        self.tree = ast.parse(text)
        self.bound = _bound(self.tree)
        self.said = _said(self.tree)
        self.unresolved = set()  # names that something still looks up
        self.definitions = []  # (statement, names, values)
        self.constants = {}
        for statement in self.tree.body:
            self._define(statement)
        self._edits = []  # (node, text instead)
        self._imports = []  # (statement, names in it that are constants)

    def _define(self, statement):
        """Note what a statement of the module gives a name for good."""
        if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
            return
        target, value = statement.targets[0], statement.value
        pairs = [(target, value)]
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
            pairs = list(zip(target.elts, value.elts, strict=True))
        found = {name.id: _value(node, self.constants) for name, node in pairs
                 if isinstance(name, ast.Name) and self.bound.count(name.id) == 1}
        good = {name: value for name, value in found.items() if value is not None}
        self.constants.update(good)
        if len(good) == len(pairs):
            self.definitions.append((statement, good))

    def replace(self, files):
        """Find what can be replaced: own constants and those of other files."""
        known, modules = dict(self.constants), {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom):
                self._import(node, files, known, modules)
        formatted = {id(part) for node in ast.walk(self.tree) if isinstance(node, ast.JoinedStr)
                     for part in ast.walk(node)}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute):
                self._attribute(node, modules, id(node) in formatted)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in known:
                if id(node) in formatted:
                    self.unresolved.add(node.id)
                else:
                    self._edits.append((node, "(%r)" % (known[node.id],)))

    def _import(self, node, files, known, modules):
        """Constants that are imported by name need no import; modules are remembered by the name they have here."""
        source, spare = files.get(self._resolve(node, None)), set()
        for alias in node.names:
            name = alias.asname or alias.name
            module = files.get(self._resolve(node, alias.name))
            if self.bound.count(name) == 1 and source and alias.name in source.constants:
                known[name] = source.constants[alias.name]
                spare.add(name)
            else:
                self.unresolved.add(alias.name)
            if self.bound.count(name) == 1 and module:
                modules[name] = module.constants
        if spare:
            self._imports.append((node, spare))

    def _attribute(self, node, modules, formatted):
        constants = modules.get(node.value.id, {}) if isinstance(node.value, ast.Name) else {}
        if node.attr in constants and isinstance(node.ctx, ast.Load) and not formatted:
            self._edits.append((node, "(%r)" % (constants[node.attr],)))
        else:
            self.unresolved.add(node.attr)

    def _resolve(self, node, name):
        """The path of the file that an import means: of its module, or of `name` in it as a module."""
        parts = list(self.path.parts[: -node.level]) if node.level else []
        parts += (node.module or "").split(".") if node.module else []
        return "/".join(parts + ([name] if name else [])) + ".py"

    def rewritten(self, missed):
        """The text with all that is replaced; definitions stay whose names are in `missed`."""
        edits = list(self._edits)
        for statement, good in self.definitions:
            kept = {name: value for name, value in good.items() if name in missed}
            values = ", ".join(map(repr, kept.values()))
            edits.append((statement, "%s = %s" % (", ".join(kept), values) if kept else "pass"))
        edits += [(node, _import_without(node, spare - missed)) for node, spare in self._imports if spare - missed]
        edits += _without_const(self.tree, edits)
        done = Edits(self.text)
        for node, text in edits:
            done.replace(node, text)
        return done.text()


def _bound(tree):
    """Every binding of a name, wherever it is, as often as it occurs."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.append(node.id)
        elif isinstance(node, ast.alias):
            found.append((node.asname or node.name).split(".")[0])
        elif isinstance(node, ast.Global | ast.Nonlocal):
            found += node.names * 2
        else:
            found.append(getattr(node, "name", None) or getattr(node, "arg", None))
    return found


def _said(tree):
    """Words of all strings that may be names: not of documentation, and not of messages."""
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    strings = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and
               isinstance(node.value, str) and id(node) not in documentation and is_table(node.value)]
    return set(re.findall(r"\w+", "\n".join(strings)))


def is_table(text):
    """Whether a string is a word, words, or lines of them, rather than a message."""
    return "\n" in text or re.fullmatch(r"[\w\s.!>-]*", text) is not None


def _value(node, constants):
    """The number, short string, True or False that an expression means, or None."""
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "const" and len(node.args) == 1:
        node = node.args[0]
    names = [part.id for part in ast.walk(node) if isinstance(part, ast.Name)]
    if not all(isinstance(part, _FOLDED) for part in ast.walk(node)) or not constants.keys() >= set(names):
        return None
    value = eval(compile(ast.Expression(node), "constant", "eval"), {"__builtins__": {}}, dict(constants))
    short = isinstance(value, str) and len(value) <= LONGEST
    return value if short or (isinstance(value, int) and -LARGEST < value < LARGEST) else None


def _without_const(tree, edits):
    """Edits that take `const` away where every use of it is gone."""
    gone = {id(part) for node, _ in edits for part in ast.walk(node)}
    if any(isinstance(node, ast.Name) and node.id == "const" and isinstance(node.ctx, ast.Load)
           and id(node) not in gone for node in ast.walk(tree)):
        return []
    return [(node, "pass") for node in tree.body if isinstance(node, ast.Try)
            and isinstance(node.body[0], ast.ImportFrom) and [alias.name for alias in node.body[0].names] == ["const"]]


def _import_without(node, names):
    kept = [ast.unparse(alias) for alias in node.names if (alias.asname or alias.name) not in names]
    return "from %s%s import %s" % ("." * node.level, node.module or "", ", ".join(kept)) if kept else "pass"
