"""Who may import whom (docs/decisions, README): an import against the direction fails here with its line."""

import sources

# Rising: a file may import from lower rows only, and from its own row inside one folder - except engines.
LAYERS = (
    ("agent.errors",),
    ("agent.codec", "agent.crypto", "agent.log", "agent.table", "agent.advice", "agent.interpreter",
     "agent.overlay", "agent.waiting", "agent.bell"),
    ("agent.modems", "agent.settings", "agent.texts", "agent.forms", "agent.reference",
     "agent.store", "agent.journal", "agent.sealing", "agent.accounts"),
    ("agent.engine",),
    ("agent.credentials", "agent.grouping", "agent.guarding", "agent.vetting"),
    ("agent.north",),
    # agent.py, split for its length
    ("agent.configuration", "agent.configuring", "agent.registering", "agent.linking", "agent.metrics",
     "agent.diagnosis", "agent.provisioning", "agent.tenure", "agent.patience", "agent.failing"),
    ("agent.agent",),
    ("agent.texting",),  # an Agent with short messages
    ("agent.session", "agent.names", "agent.lookups", "agent.brokering", "agent.subscribing",
     "agent.joining", "agent.run"),
)

# Engines never import each other. These are no engines: one engine each was too long for one file, and only it, and its
# other parts, import them.
PARTS = {
    "exchange": ("coap_transmission", "coap_client", "coap_server", "coap_blocks", "coap_following",
                 "coap_serving", "coap_observers"),  # messages, roles, blocks
    "modem": ("modem_ladder", "modem_session", "modem_aside", "modem_mux", "cmux", "modem_usb", "modem_bringup",
              "modem_sim", "modem_pin", "modem_radio", "modem_probe", "modem_recovery", "modem_texts", "at_transcript",
              "at_channel", "at_sockets"),
    "objects": ("tree_rows", "tree_reading", "tree_writing", "tree_executing", "tree_creating",
                "kinds"),  # what is done with the tree
    "oscore": ("oscore_sealing", "oscore_context"),
    "group_policies": ("policy_offer", "policy_course", "policy_gate", "policy_keys", "policy_member", "policy_offset",
                       "policy_rules", "policy_slots"),
    "dtls": ("dtls_session", "dtls_handshake", "dtls_assembly"),
}

# A person reads tools/ from the command line down; what one file of agent/ may use is in LAYERS.
MAY_IMPORT = {
    "agent": ("agent",),
    "boards": ("boards",),
    "firmware": ("firmware", "agent", "boards"),
    "tools": ("tools", "agent", "boards"),
}


def _layer(name):
    for rank, prefixes in enumerate(LAYERS):
        if any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes):
            return rank
    return None


def _project_imports(folder):
    for path in sources.files([folder]):
        for line, name in sources.imports(path):
            if name.split(".")[0] in sources.ALL + ("pointsman",):
                yield "%s:%d imports %s" % (sources.relative(path), line, name), sources.module(path), name


def test_folders_import_only_what_they_may():
    wrong = [text for folder, allowed in MAY_IMPORT.items()
             for text, _, name in _project_imports(folder) if name.split(".")[0] not in allowed]
    assert not wrong, "\n".join(wrong)


def test_portable_code_imports_relatively():
    """The same files are `agent` on a device and `pointsman.agent` once installed."""
    wrong = [text for folder in ("agent", "boards", "tools") for path in sources.files([folder])
             for line, name in _absolute(path) for text in ["%s:%d imports %s" % (sources.relative(path), line, name)]]
    assert not wrong, "\n".join(wrong)


def _absolute(path):
    import ast

    for node in ast.walk(sources.tree(path)):
        if isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        yield from ((node.lineno, name) for name in names if name.split(".")[0] in sources.SHIPPED + ("pointsman",))


def test_every_file_of_the_agent_has_a_layer():
    unknown = [sources.relative(path) for path in sources.files(["agent"])
               if path.name != "__init__.py" and _layer(sources.module(path)) is None]
    assert not unknown, "not in LAYERS: %s" % unknown


def test_layers_point_downwards():
    wrong = []
    for text, importer, name in _project_imports("agent"):
        mine, theirs = _layer(importer), _layer(name)
        if mine is None or theirs is None:
            continue
        same_folder = importer.rpartition(".")[0] == name.rpartition(".")[0]
        if theirs > mine or (theirs == mine and not same_folder):
            wrong.append(text)
    assert not wrong, "\n".join(wrong)


def test_engines_never_import_each_other():
    wrong = []
    owner = {part: engine for engine, parts in PARTS.items() for part in parts}
    for text, importer, name in _project_imports("agent"):
        mine, theirs = importer.rpartition(".")[2], name.rpartition(".")[2]
        if importer.startswith("agent.engine.") and name.startswith("agent.engine."):
            if owner.get(theirs, theirs) != owner.get(mine, mine):
                wrong.append(text)
    assert not wrong, "\n".join(wrong)


def test_no_import_cycles():
    graph = {}
    for folder in ("agent", "boards", "tools"):
        for _, importer, name in _project_imports(folder):
            graph.setdefault(importer, set()).add(name)
    done, way = set(), []

    def visit(name):
        if name in way:
            raise AssertionError("import cycle: " + " -> ".join(way[way.index(name):] + [name]))
        if name in done:
            return
        way.append(name)
        for target in sorted(graph.get(name, ())):
            visit(target)
        done.add(way.pop())

    for name in sorted(graph):
        visit(name)
