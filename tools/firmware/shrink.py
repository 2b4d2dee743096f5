"""Makes source text cheaper to load on a device, without changing what it does. Only the build uses it.

MicroPython keeps every name that it ever saw, about 10 bytes and the name itself, in a table that doubles when it is
full; and a string inside a constant tuple becomes an object of its own each time it occurs, unless the string is also a
name. So:

* a private name becomes `_0`, `_1`, ... : the same few names serve all files, but no two variables of one file, and no
  two attributes of one file or of files whose classes inherit from one another; one name is called the same everywhere;
* strings that repeat, or lie in constant tuples, are mentioned once as names at the head of their file.

Line numbers stay what they were. When the code is frozen into firmware, names and tuples lie in flash and none of this
is needed.
"""

import ast
import io
import itertools
import keyword
import re
import tokenize

from .inline import is_table

MOST_INTERNED = 10  # characters; MicroPython's compiler makes longer strings names only where they are identifiers


def shrink(texts):
    """({path: smaller text}, {path: {short name: name}}) of all files that will be loaded together."""
    trees = {path: ast.parse(text) for path, text in texts.items()}
    short = _short(trees)
    names = {path: {name: short[name] for name in sorted(_names(trees[path])) if name in short} for path in trees}
    smaller = {path: _mention(_rename(text, names[path])) for path, text in texts.items()}
    return smaller, {path: _meanings(new) for path, new in names.items()}


def _meanings(new):
    """{short name: what it was called, "a variable/an attribute" where it stands for one of each}."""
    found = {}
    for name, short in sorted(new.items()):
        found[short] = "%s/%s" % (found[short], name) if short in found else name
    return found


def _short(trees):
    """{name: short name}: the smallest number that no other name of its kind has in any of the families where it
    occurs."""
    kept, families = _kept(trees), _families(trees)
    defined = [_defined(trees[path], kept) for path in sorted(trees)]
    lent = _lent(trees)
    places = {}  # name: [number of family]
    for number, family in enumerate(families):
        for name in set().union(*(_names(trees[path]) for path in family)) | lent:
            places.setdefault(name, []).append(number)
    kinds = _kinds(trees)
    ordered = sorted(dict.fromkeys(name for names in defined for name in names), key=lambda name: -len(places[name]))
    taken, short = {}, {}
    for name in ordered:
        rooms = [taken.setdefault((number, kind), set()) for number in places[name] for kind in kinds[name]]
        used = set().union(*rooms)
        short[name] = next(number for number in itertools.count() if number not in used)
        for room in rooms:
            room.add(short[name])
    return {name: "_%d" % number for name, number in short.items()}


def _families(trees):
    """[[path]]: files together whose objects hold names of all of them, as their classes inherit from one another."""
    classes = {path: [node for node in ast.walk(trees[path]) if isinstance(node, ast.ClassDef)] for path in trees}
    home = {node.name: path for path, nodes in classes.items() for node in nodes}
    family = {path: [path] for path in trees}
    for path in sorted(trees):
        parents = [home.get(getattr(base, "attr", getattr(base, "id", None)), path)
                   for node in classes[path] for base in node.bases]
        for other in parents:
            if family[other] is not family[path]:
                family[path] += family[other]
                family.update(dict.fromkeys(family[other], family[path]))
    return [sorted(family[path]) for path in sorted(trees) if path == min(family[path])]


def _kinds(trees):
    """{name: what it is the name of, "variable" (a function's, a class's) or "attribute" or both}."""
    found = {}
    for tree in trees.values():
        inside = {id(node) for body in ast.walk(tree) if isinstance(body, ast.ClassDef) for node in body.body}
        for node in ast.walk(tree):
            named = [field for field in ("id", "attr", "name", "arg") if isinstance(getattr(node, field, None), str)]
            for field in named:
                kind = "attribute" if field == "attr" or id(node) in inside else "variable"
                found.setdefault(getattr(node, field), set()).add(kind)
            for name in _bodily(node):
                found.setdefault(name, set()).update(("variable", "attribute"))
    return found


def _bodily(node):
    """Names in the body of a class outside its functions: what the body gives a name, it may also look up by it."""
    body = node.body if isinstance(node, ast.ClassDef) else ()
    return [part.id for statement in body if not isinstance(statement, ast.FunctionDef)
            for part in ast.walk(statement) if isinstance(part, ast.Name)]


def _lent(trees):
    """Private attributes that are given to an object from outside and that no class gives itself: nobody knows whose
    names they meet."""
    own, given = set(), set()
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                own.update(part.name for part in node.body if isinstance(part, ast.FunctionDef))
                own.update(part.id for statement in node.body if isinstance(statement, ast.Assign)
                           for part in ast.walk(statement) if isinstance(part, ast.Name))
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                mine = isinstance(node.value, ast.Name) and node.value.id == "self"
                (own if mine else given).add(node.attr)
    return {name for name in given - own if name.startswith("_")}


def _kept(trees):
    """Names that must stay: those in strings, in imports, and where names are made up."""
    said = set().union(*map(_spoken, trees.values()))
    begun = tuple(word for word in said if word.startswith("_") and word.endswith("_") and len(word) > 1)
    made = set()
    for tree in trees.values():
        if _makes_up_names(tree):  # of words in its tables: "registered" is said, and self._registered is meant
            tabled = _spoken(tree, is_table)
            made |= {name for name in _names(tree) if name[1:] in tabled}
    used = set().union(*map(_names, trees.values()))
    return said | made | {name for name in used if begun and name.startswith(begun)}


def _names(tree):
    found = set()
    for node in ast.walk(tree):
        found.update(getattr(node, field) for field in ("id", "attr", "name", "arg", "module")
                     if isinstance(getattr(node, field, None), str))
        found.update(getattr(node, "names", []) if isinstance(node, ast.Global | ast.Nonlocal) else [])
    return found


def _spoken(tree, counts=lambda text: True):
    """Words of all strings that count, but documentation; names inside f-strings, and everything that is imported."""
    found, documentation = set(), _documentation(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            found.update(re.findall(r"\w+", node.value) if counts(node.value) else ())
        elif isinstance(node, ast.JoinedStr):
            found |= _names(node)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found.update(word for alias in node.names for word in alias.name.split("."))
    return found


def _makes_up_names(tree):
    """Whether an attribute is reached by a name that only the run knows: getattr(x, "_on_" + event)."""
    return any(isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("getattr", "setattr", "hasattr")
               and not isinstance(node.args[1], ast.Constant) for node in ast.walk(tree))


def _defined(tree, kept):
    """The private names that this file defines, in the order of their first appearance."""
    found = []
    for node in ast.walk(tree):
        name = getattr(node, "name", None) or getattr(node, "attr", None) or getattr(node, "id", None)
        stored = isinstance(getattr(node, "ctx", ast.Store()), ast.Store)
        if name and stored and name.startswith("_") and not name.startswith("__") and name not in kept:
            found.append((node.lineno, node.col_offset, name))
    return [name for name in dict.fromkeys(name for *_, name in sorted(found)) if len(name) > 2]


def _rename(text, names):
    lines = text.splitlines(keepends=True)
    tokens = [token for token in tokenize.generate_tokens(io.StringIO(text).readline)
              if token.type == tokenize.NAME and token.string in names]
    for token in reversed(tokens):
        row, begin = token.start
        line = lines[row - 1]
        lines[row - 1] = line[:begin] + names[token.string] + line[token.end[1]:]
    return "".join(lines)


def _mention(text):
    """Put a function that is dropped at once before the first line; compiling it makes its strings names."""
    strings = _strings(ast.parse(text))
    short = [repr(s) for s in strings if 0 < len(s) <= MOST_INTERNED and s.isprintable()]
    long = ["o." + s for s in strings if len(s) > MOST_INTERNED and s.isidentifier() and not keyword.iskeyword(s)]
    return "(lambda o:[%s]);%s" % (",".join(short + long), text) if short or long else text


def _documentation(tree):
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def _strings(tree):
    """Sorted strings that occur twice, or in a tuple of constants."""
    seen, wanted = set(), set()
    documentation = _documentation(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            (wanted if node.value in seen else seen).add(node.value)
        elif isinstance(node, ast.Tuple):
            wanted.update(item.value for item in node.elts if isinstance(item, ast.Constant)
                          and isinstance(item.value, str))
    return sorted(wanted)
