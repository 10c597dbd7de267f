#!/usr/bin/env python3
"""Tries scripts/ibm2026-to-csv: tables as pandas pickles them become rows, and what is no table is never loaded."""

import builtins
import os
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
import pandas

SCRIPT = Path(__file__).parent.parent / "scripts" / "ibm2026-to-csv"
HEADER = "app,func,end_timestamp,duration\n"
ROWS = HEADER + "n1,a,0.1,0.1\nn1,a,11.005,0.005\nn1,a,21.533,0.033\n"


def table():
    """As published: the columns, an app in two rows, an invocation before the data set's zero."""
    rows = {
        "NamespaceHash": ["n1", "n1", "n2"],
        "AppHash": ["a", "a", "b"],
        "NumEvents": [2, 1, 1],
        "InvocationTimes": [[17999.0, 18020.5], [18010.0], [17000.0]],
        "AppExecTimes": [[100.0, 33.0], [5.0], [1.0]],
        "TotalExecTimes": [[101.0, 34.0], [6.0], [2.0]],
        "PodHash": [["x", "y"], ["z"], ["w"]],
    }
    # Texts as they were before pandas had a type for them.
    frame = pandas.DataFrame({name: pandas.Series(values, dtype=object) for name, values in rows.items()})
    frame.columns = frame.columns.astype(object)
    return frame


class Runs:
    """What unpickling would run."""

    def __init__(self, call, *arguments):
        self.call, self.arguments = call, arguments

    def __reduce__(self):
        return self.call, self.arguments


def convert(directory, *arguments):
    """Runs the script in a directory."""
    line = [sys.executable, str(SCRIPT), *arguments]
    return subprocess.run(line, cwd=directory, capture_output=True, text=True, check=False)


def check(condition, ran):
    """Ends with what was printed, unless the condition holds."""
    if not condition:
        sys.exit(f"{ran.args}: {ran.returncode}\n{ran.stdout}{ran.stderr}")


def converts_tables(directory):
    """Lists and arrays, in every form of pickle that can be a published one."""
    lists, arrays = table(), table()
    for name in ("InvocationTimes", "AppExecTimes"):
        arrays[name] = pandas.Series([numpy.array(values) for values in arrays[name]], dtype=object)
    for kind, frame in (("lists", lists), ("arrays", arrays)):
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
            frame.to_pickle(directory / "week.pickle", protocol=protocol)
            ran = convert(directory, "--to", f"{kind}-{protocol}.csv", "week.pickle")
            check(ran.returncode == 0 and (directory / f"{kind}-{protocol}.csv").read_text() == ROWS, ran)
    ran = convert(directory, "--from", "10s", "--duration", "1m", "--to", "part.csv", "week.pickle", "week.pickle")
    part = "".join(line * 2 for line in ROWS.splitlines(keepends=True)[2:])
    check((directory / "part.csv").read_text() == HEADER + part, ran)


def keeps_files(directory):
    """A file that exists needs --force."""
    (directory / "mine.csv").write_text("mine")
    ran = convert(directory, "--to", "mine.csv", "week.pickle")
    check(ran.returncode == 2 and "--force" in ran.stderr and (directory / "mine.csv").read_text() == "mine", ran)
    ran = convert(directory, "--force", "--to", "mine.csv", "week.pickle")
    check((directory / "mine.csv").read_text() == ROWS, ran)


def refuses_the_rest(directory):
    """Nothing of a pickle is run that is not on the list."""
    harmful = [
        (Runs(os.system, "touch ran"), "system"),
        ({"a": Runs(eval, "open('ran', 'w')")}, "builtins.eval"),
        ([Runs(builtins.getattr, table(), "to_csv")], "builtins.getattr"),
        (Runs(pandas.read_pickle, "week.pickle"), "read_pickle"),
        (Runs(numpy.load, "week.pickle"), "load"),
    ]
    for thing, name in harmful:
        with open(directory / "harmful.pickle", "wb") as file:
            pickle.dump(thing, file)
        ran = convert(directory, "--to", "never.csv", "harmful.pickle")
        check(ran.returncode == 2 and name in ran.stderr and "nothing of it was run" in ran.stderr, ran)
    # A codec is looked up by name: only the one that old pickles use is known.
    (directory / "codec.pickle").write_bytes(b"\x80\x02c_codecs\nencode\nX\x01\0\0\0aX\x05\0\0\0rot13\x86R.")
    for name, content in (("list", pickle.dumps([1])), ("cut-off", pickle.dumps(table())[:-40]), ("text", b"a,b\n")):
        (directory / f"{name}.pickle").write_bytes(content)
    table().drop(columns="AppExecTimes").to_pickle(directory / "lacking.pickle")
    for name, word in (
        ("codec", "rot13"),
        ("list", "holds a list"),
        ("cut-off", "no pickled table"),
        ("text", "no pickled table"),
        ("lacking", "AppExecTimes"),
        ("nowhere", "No such file"),
    ):
        ran = convert(directory, "--to", "never.csv", f"{name}.pickle")
        check(ran.returncode == 2 and word in ran.stderr, ran)
    left = {"ran", "never.csv"} & set(os.listdir(directory))
    if left or any(name.startswith(".ibm") for name in os.listdir(directory)):
        sys.exit(f"left behind: {left or os.listdir(directory)}")


with tempfile.TemporaryDirectory() as folder:
    converts_tables(Path(folder))
    keeps_files(Path(folder))
    refuses_the_rest(Path(folder))
