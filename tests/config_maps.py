#!/usr/bin/env python3
"""A stand-in for kubectl that keeps ConfigMaps in the JSON file $CONFIG_MAPS and appends its arguments to $CALLED."""

import json
import os
import re
import sys

arguments = sys.argv[1:]
with open(os.environ["CALLED"], "a", encoding="utf-8") as called:
    called.write(" ".join(arguments) + "\n")
path = os.environ["CONFIG_MAPS"]
with open(path, encoding="utf-8") as file:
    maps = json.load(file)


def merge(target, patch):
    """A JSON merge patch (RFC 7386)."""
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict):
            merge(target.setdefault(key, {}), value)
        else:
            target[key] = value


if "configmap" in arguments:
    config = maps[arguments[arguments.index("configmap") + 1]]
    if "patch" in arguments:
        merge(config, json.loads(arguments[arguments.index("--patch") + 1]))
    else:
        fields, key = re.search(r':= \.(\S+)}}.*eq \$key "([^"]+)"', arguments[-1]).groups()
        for field in fields.split("."):
            config = config.get(field, {})
        if key in config:
            print("=" + config[key], end="")
with open(path, "w", encoding="utf-8") as file:
    json.dump(maps, file)
