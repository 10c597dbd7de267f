#!/usr/bin/env python3
"""A stand-in for kubectl on a cluster with one Knative Service, kept in the JSON file $SERVICE; appends its arguments to $CALLED.

The service has the fields that Knative's were recorded with. As the webhook and kubectl there, it takes scales that are texts of
whole numbers, the least no more than the most, and `wait` and `rollout status` fail where $UNREADY is set.
"""

import json
import os
import sys

AUTOSCALING = "autoscaling.knative.dev/"


def fail(message):
    print(message, file=sys.stderr)
    sys.exit(1)


def merge(target, patch):
    """A JSON merge patch (RFC 7386)."""
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, dict):
            merge(target.setdefault(key, {}), value)
        else:
            target[key] = value


def check(service):
    """What the webhook holds of the annotations for scales."""
    annotations = service["spec"]["template"]["metadata"]["annotations"]
    scales = {}
    for key in ("initial-scale", "min-scale", "max-scale"):
        text = annotations.get(AUTOSCALING + key, "0")
        if not isinstance(text, str) or not text.isdigit():
            fail(f"admission webhook denied the request: invalid value: {text}: {AUTOSCALING}{key}")
        scales[key] = int(text)
    if 0 < scales["max-scale"] < scales["min-scale"]:
        fail("admission webhook denied the request: max-scale is less than min-scale")


arguments = sys.argv[1:]
with open(os.environ["CALLED"], "a", encoding="utf-8") as called:
    called.write(" ".join(arguments) + "\n")
path = os.environ["SERVICE"]
with open(path, encoding="utf-8") as file:
    kept = json.load(file)
if "patch" in arguments:
    name = arguments[arguments.index("ksvc") + 1]
    space = arguments[arguments.index("-n") + 1]
    if (name, space) != (kept["metadata"]["name"], kept["metadata"]["namespace"]):
        fail(f'Error from server (NotFound): services.serving.knative.dev "{name}" not found')
    merge(kept, json.loads(arguments[arguments.index("--patch") + 1]))
    check(kept)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(kept, file)
elif "wait" in arguments or "status" in arguments:
    if os.environ.get("UNREADY"):
        fail("error: timed out waiting for the condition")
