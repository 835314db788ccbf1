"""In an environment of the platforms' SDKs: they upload the exports to a server on loopback.

drive_platforms.py LANGFUSE_ITEMS LANGSMITH_EXAMPLES    prints what the SDKs sent, as JSON
"""

import json
import sys
import threading
import uuid
from email.message import Message
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from langfuse.api import LangfuseAPI
from langfuse.api.dataset_items import CreateDatasetItemRequest
from langsmith import Client
from langsmith.schemas import ExampleCreate

SENT = {"langfuse": [], "langsmith": {}}
NOW = "2026-11-02T00:00:00Z"


class Platforms(BaseHTTPRequestHandler):
    """Answers as both platforms do to what is sent here."""

    def do_GET(self):
        flags = {"dataset_examples_multipart_enabled": True}
        self.reply({"version": "0.15.1", "instance_flags": flags})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.endswith("dataset-items"):
            item = json.loads(body)
            SENT["langfuse"].append(item)
            made = {"datasetId": "d", "createdAt": NOW, "updatedAt": NOW, "mediaReferences": []}
            self.reply({"expectedOutput": None, "metadata": None, **item, **made})
        else:
            head = f"Content-Type: {self.headers['Content-Type']}\n\n".encode()
            for part in BytesParser().parsebytes(head + body).get_payload():
                assert isinstance(part, Message)
                name = part.get_param("name", header="content-disposition")
                SENT["langsmith"][name] = json.loads(part.get_payload(decode=True))
            ids = [name for name in SENT["langsmith"] if "." not in name]
            self.reply({"count": len(ids), "example_ids": ids})

    def reply(self, body):
        content = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        """Nothing."""


def lines(path):
    """The objects of JSON lines."""
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


server = ThreadingHTTPServer(("127.0.0.1", 0), Platforms)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"

langfuse = LangfuseAPI(base_url=url, username="pk", password="sk")
own_names = {"datasetName": "dataset_name", "expectedOutput": "expected_output"}
for item in lines(sys.argv[1]):
    given = {own_names.get(name, name): value for name, value in item.items()}
    assert not CreateDatasetItemRequest(**given).model_extra
    langfuse.dataset_items.create(**given)

examples = lines(sys.argv[2])
for example in examples:
    assert not set(example) - set(ExampleCreate.model_fields) - {"outputs"}
client = Client(api_url=url, api_key="none", auto_batch_tracing=False)
client.create_examples(dataset_id=uuid.uuid4(), examples=examples)
print(json.dumps(SENT))
