"""A face matcher as ops/docs/face-matcher.md has it, in Python's http.server. It checks requests with jsonschema, scores them by the length
of the probe in bytes, and finds one of more than 100 too poor. Prints its port.

    judge_face_matcher.py FOLDER    with compare-request.json and compare-answer.json
"""

import base64
import http.server
import json
import pathlib
import sys

import jsonschema

folder = pathlib.Path(sys.argv[1])
request_schema, answer_schema = (
    jsonschema.Draft202012Validator(json.loads((folder / f"compare-{name}.json").read_text())) for name in ("request", "answer")
)


class Service(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer(200 if self.path == "/v1/health" else 404, {})

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        is_json = self.headers["Content-Type"] == "application/json"
        if self.path != "/v1/compare" or not is_json or not request_schema.is_valid(request):
            return self.answer(404, {})
        assert len(base64.b64decode(request["reference"]["bytes"], validate=True)) == 1024
        length = len(base64.b64decode(request["probe"]["bytes"], validate=True))
        answer = {"score": length} if length <= 100 else {"refusal": "too-poor"}
        answer_schema.validate(answer)
        return self.answer(200, answer)

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
print(server.server_port, flush=True)
server.serve_forever()
