#!/usr/bin/env python3
"""A function server on grpcio, whose HTTP/2 is of another make than the loader's and its tests'.

usage: grpc_function.py

Says `listening on HOST:PORT`, and answers each invocation at once with 7 µs of run time and 9 KiB of memory. It allows 20 streams on a
connection, gives each answer a header whose value is another one, and winds a connection up after two seconds.
"""

import itertools
import time
from concurrent.futures import ThreadPoolExecutor

import grpc

# A FaasReply: message "ok", duration_in_micro_sec 7, memory_usage_in_kb 9.
REPLY = b"\x0a\x02ok\x10\x07\x18\x09"
OPTIONS = [
    ("grpc.max_concurrent_streams", 20),
    ("grpc.max_connection_age_ms", 2000),
    ("grpc.max_connection_age_grace_ms", 10_000),
]


class Executor(grpc.GenericRpcHandler):
    """`faas.Executor`, without its generated code."""

    def __init__(self):
        self.numbers = itertools.count()

    def service(self, details):
        if details.method != "/faas.Executor/Execute":
            return None
        return grpc.unary_unary_rpc_method_handler(self.execute)

    def execute(self, _request, context):
        number = next(self.numbers)
        context.send_initial_metadata([("count", str(number)), ("loader-instance", f"python-{number % 3}")])
        context.set_trailing_metadata([("more", "x" * (number % 200))])
        time.sleep(0.001)
        return REPLY


server = grpc.server(ThreadPoolExecutor(8), handlers=[Executor()], options=OPTIONS)
port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(f"listening on 127.0.0.1:{port}", flush=True)
server.wait_for_termination()
