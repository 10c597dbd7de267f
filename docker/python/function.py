"""A benchmark function in Python, to compare with trace-func: the same protocol (faas.Executor), another runtime.

It takes the memory that an invocation asks for, touches it, is busy until the requested run time since receipt has passed, and reports
both as it measured them. It knows none of the metadata of this project's function: run times are whole milliseconds, and whether an
instance was cold is not reported.

Environment: PORT [8080]. Its stubs are made of proto/faas.proto, next to it or on the module path.
"""

import math
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import faas_pb2
import faas_pb2_grpc
import grpc

PAGE = os.sysconf("SC_PAGE_SIZE")
MIB = 1 << 20

# As InVitro's functions have them.
LONGEST_MS = 60_000
LARGEST_MIB = 10_240

# What may be in flight at once; Knative's containerConcurrency is what bounds it.
THREADS = 32


def resident_kib():
    """The resident memory of this process."""
    with open("/proc/self/statm", encoding="ascii") as pages:
        return int(pages.read().split()[1]) * PAGE // 1024


def work_until(deadline_ns):
    """Keeps a processor busy."""
    number = 1.0
    while time.monotonic_ns() < deadline_ns:
        for _ in range(100):
            number = math.sqrt(number) + 1.0


class Executor(faas_pb2_grpc.ExecutorServicer):
    """The function."""

    def Execute(self, request, context):
        """Consumes what an invocation asks for."""
        begun = time.monotonic_ns()
        if request.runtimeInMilliSec > LONGEST_MS or request.memoryInMebiBytes > LARGEST_MIB:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"at most {LONGEST_MS} ms and {LARGEST_MIB} MiB")
        try:
            memory = bytearray(request.memoryInMebiBytes * MIB)
            memory[::PAGE] = bytes([1]) * len(range(0, len(memory), PAGE))
        except MemoryError:
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, f"cannot allocate {request.memoryInMebiBytes} MiB")
        work_until(begun + request.runtimeInMilliSec * 1_000_000)
        held = resident_kib()
        del memory
        consumed = (time.monotonic_ns() - begun) // 1000
        return faas_pb2.FaasReply(message="OK", durationInMicroSec=consumed, memoryUsageInKb=held)


def main():
    """Serves until SIGTERM, and then ends what is in flight."""
    server = grpc.server(ThreadPoolExecutor(max_workers=THREADS))
    faas_pb2_grpc.add_ExecutorServicer_to_server(Executor(), server)
    host = os.environ.get("HOST", "0.0.0.0")
    port = server.add_insecure_port(f"{host}:{os.environ.get('PORT', '8080')}")
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    server.start()
    print(f"listening on {host}:{port}", flush=True)
    ended.wait()
    server.stop(grace=LONGEST_MS / 1000).wait()


if __name__ == "__main__":
    main()
