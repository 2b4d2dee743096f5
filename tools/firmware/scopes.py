"""Which names of a file are the file's own: finds the places where a global name is used, past all that hides it."""

import ast

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def bound(body):
    """Names that these statements bind in their own scope: what is assigned, imported, defined; nothing deeper."""
    found, outside = set(), set()
    for node in _shallow(body):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, (*FUNCTIONS[:2], ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            outside.update(node.names)
    return found - outside


def _shallow(body):
    """All nodes of these statements but those inside functions, classes and comprehensions (their heads count)."""
    waiting = list(body)
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, FUNCTIONS):
            waiting += _head(node)
        elif isinstance(node, ast.ClassDef):
            waiting += node.bases + node.decorator_list
        elif isinstance(node, COMPREHENSIONS):
            waiting.append(node.generators[0].iter)
            waiting += [part for part in ast.walk(node) if isinstance(part, ast.NamedExpr)]
        else:
            waiting += ast.iter_child_nodes(node)


def _head(function):
    """What a function's definition evaluates outside of it. Annotations are evaluated nowhere on a device."""
    arguments = function.args
    return [*arguments.defaults, *[d for d in arguments.kw_defaults if d], *getattr(function, "decorator_list", [])]


def globals_used(tree):
    """Every Name node, and every Global statement, that means a name of the module itself."""
    yield from _used(tree.body, [])


def _used(body, hidden):
    """hidden: the sets of names that the scopes around these nodes bind."""
    for node in body:
        if isinstance(node, FUNCTIONS):
            yield from _used(_head(node), hidden)
            inside = node.body if isinstance(node.body, list) else [node.body]
            yield from _used(inside, [*hidden, bound(inside) | _parameters(node)])
        elif isinstance(node, ast.ClassDef):
            yield from _used(node.bases + node.decorator_list + [word.value for word in node.keywords], hidden)
            yield from _class(node, hidden)
        elif isinstance(node, COMPREHENSIONS):
            targets = [name for one in node.generators for name in ast.walk(one.target)]
            targets = {name.id for name in targets if isinstance(name, ast.Name)}
            yield from _used(ast.iter_child_nodes(node), [*hidden, targets])
        elif isinstance(node, ast.Name):
            if not any(node.id in names for names in hidden):
                yield node
        elif isinstance(node, ast.Global):
            yield node
        else:
            yield from _used(ast.iter_child_nodes(node), hidden)


def _class(node, hidden):
    """A class's own names are seen by its statements, not by its methods."""
    own = bound(node.body)
    for statement in node.body:
        if isinstance(statement, FUNCTIONS):
            yield from _used([statement], hidden)
        else:
            yield from _used([statement], [*hidden, own])


def _parameters(function):
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    return {argument.arg for argument in every if argument}
