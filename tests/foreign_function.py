"""The function protocol as others know it: three fields in, three fields out, nothing else.

usage: foreign_function.py serve
       foreign_function.py call HOST:PORT RUNTIME_MS MEMORY_MIB

Has its stubs generated from its own text of the protocol, as InVitro's and vHive's functions have it. `serve` prints
`listening on HOST:PORT` and answers until it is killed, without any metadata; `call` prints the reply as JSON.
"""

import importlib
import json
import pathlib
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
from grpc_tools import protoc

PROTOCOL = """
syntax = "proto3";
package faas;

service Executor {
  rpc Execute(FaasRequest) returns (FaasReply) {}
}

message FaasRequest {
  string message = 1;
  uint32 runtimeInMilliSec = 2;
  uint32 memoryInMebiBytes = 3;
}

message FaasReply {
  string message = 1;
  uint32 durationInMicroSec = 2;
  uint32 memoryUsageInKb = 3;
}
"""


def stubs():
    folder = tempfile.mkdtemp()
    pathlib.Path(folder, "faas.proto").write_text(PROTOCOL)
    if protoc.main(["", f"-I{folder}", f"--python_out={folder}", f"--grpc_python_out={folder}", "faas.proto"]):
        sys.exit("protoc failed")
    sys.path.insert(0, folder)
    return importlib.import_module("faas_pb2"), importlib.import_module("faas_pb2_grpc")


def serve(messages, services):
    class Executor(services.ExecutorServicer):
        def Execute(self, request, context):
            asked = request.runtimeInMilliSec * 1000
            return messages.FaasReply(message="OK", durationInMicroSec=asked, memoryUsageInKb=42)

    server = grpc.server(ThreadPoolExecutor(max_workers=4))
    services.add_ExecutorServicer_to_server(Executor(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"listening on 127.0.0.1:{port}", flush=True)
    threading.Event().wait()


def call(messages, services, address, runtime_ms, memory_mib):
    request = messages.FaasRequest(runtimeInMilliSec=runtime_ms, memoryInMebiBytes=memory_mib)
    reply = services.ExecutorStub(grpc.insecure_channel(address)).Execute(request, timeout=300)
    fields = {field.name: getattr(reply, field.name) for field in reply.DESCRIPTOR.fields}
    print(json.dumps({"known": fields, "unknown": len(reply.SerializeToString()) - rebuilt(messages, fields)}))


def rebuilt(messages, fields):
    """How long a reply with these fields, and no others, is."""
    return len(messages.FaasReply(**fields).SerializeToString())


if __name__ == "__main__":
    made = stubs()
    if sys.argv[1] == "serve":
        serve(*made)
    else:
        call(*made, sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
