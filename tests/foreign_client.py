"""Drives a run of each mode as a client that knows nothing of this project but the daemon's address.

usage: foreign_client.py HOST:PORT|unix:PATH TRACE_DIRECTORY

Learns the API by reflection (v1alpha, the version of grpcio-reflection), uploads the trace, submits a run of each mode,
follows it to its end, counts its records, and prints mode, last state, planned invocations and records, a line a run.
"""

import hashlib
import pathlib
import queue
import sys

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import ParseDict
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

SPECS = {
    "rps": {"start": 10, "end": 10, "slot": "1s", "runtime": "0.001s", "memoryMib": 1},
    "burst": {
        "targetRps": 2,
        "burst": 4,
        "hold": "2s",
        "stepDuration": "0.5s",
        "runtime": "0.001s",
        "memoryMib": 1,
    },
    "coldstart": {
        "start": 4,
        "coldStarts": [1, 2],
        "functions": 4,
        "slot": "1s",
        "runtime": "0.001s",
        "memoryMib": 1,
    },
    "trace": {"granularity": "second", "duration": "3s", "maxRuntime": "0.005s", "maxMemoryMib": 2},
}


class Client:
    def __init__(self, address):
        # For a Unix socket the library would send its path, which is no valid authority.
        self.channel = grpc.insecure_channel(address, [("grpc.default_authority", "localhost")])
        self.pool = DescriptorPool(ProtoReflectionDescriptorDatabase(self.channel))
        self.service = self.pool.FindServiceByName("loader.v1.LoaderControl")

    def message(self, method, fields):
        return ParseDict(fields, GetMessageClass(self.service.FindMethodByName(method).input_type)())

    def call(self, name, requests=None, **fields):
        method = self.service.FindMethodByName(name)
        kinds = {
            (False, False): self.channel.unary_unary,
            (False, True): self.channel.unary_stream,
            (True, True): self.channel.stream_stream,
        }
        stub = kinds[method.client_streaming, method.server_streaming](
            f"/{self.service.full_name}/{name}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=GetMessageClass(method.output_type).FromString,
        )
        return stub(requests or self.message(name, fields), timeout=300)

    def upload(self, folder):
        files = {path.name: path.read_bytes() for path in sorted(pathlib.Path(folder).glob("*.csv"))}
        manifest = [
            {"name": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in files.items()
        ]
        requests = queue.Queue()
        requests.put(self.message("UploadTrace", {"manifest": {"files": manifest}}))
        for answer in self.call("UploadTrace", iter(requests.get, None)):
            if answer.WhichOneof("answer") == "stored":
                return answer.stored.trace_id
            for file in answer.wanted.files:
                part = self.message("UploadTrace", {})
                part.data.name, part.data.offset, part.data.data = file.name, file.offset, files[file.name][file.offset :]
                requests.put(part)
        raise SystemExit("the upload ended without an answer")

    def run(self, mode, fields):
        spec = {mode: fields, "scaling": {"stableWindow": "0.3s"}}
        planned = self.call("PlanRun", spec=spec).plan.invocations
        run_id = self.call("SubmitRun", spec=spec).run.run_id
        last = [answer.run.state for answer in self.call("WatchRun", runId=run_id)][-1]
        state = self.pool.FindEnumTypeByName("loader.v1.RunState").values_by_number[last].name
        records = sum(len(answer.records) for answer in self.call("StreamRecords", runId=run_id))
        print(mode, state, planned, records)


def main():
    client = Client(sys.argv[1])
    SPECS["trace"]["upload"] = client.upload(sys.argv[2])
    for mode, fields in SPECS.items():
        client.run(mode, fields)


main()
