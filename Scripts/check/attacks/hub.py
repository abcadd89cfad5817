"""A hub that answers as no hub should, on 127.0.0.1."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONTROLS = "\\u001b[2J\\u009b31m"
COMMIT = "c" * 40
# What is wrong, by the first part of the address's path.
WAYS = [
    "plain",
    "retry-huge",
    "retry-long",
    "retry-nan",
    "size-huge",
    "size-negative",
    "listing-size",
    "traversal",
    "controls",
    "redirect-loop",
    "redirect-file",
    "no-json",
    "deep-json",
    "etag-path",
    "status-0",
    "short",
    "endless-header",
]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if not any(name.lower() == "content-length" for name, _ in headers):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.close_connection = True

    def do_GET(self):
        parts = self.path.split("/")
        way, rest = parts[1], "/".join(parts[2:])
        if way == "retry-huge":
            return self.answer(503, headers=[("Retry-After", "1e300")])
        if way == "retry-long":
            return self.answer(429 if "api" in rest else 503, headers=[("Retry-After", "100000")])
        if way == "retry-nan":
            return self.answer(429, headers=[("Retry-After", "nan"), ("RateLimit", '"api";r=0;t=1e300')])
        if way == "redirect-loop":
            return self.answer(302, headers=[("Location", self.path)])
        if way == "redirect-file":
            return self.answer(302, headers=[("Location", "file:///etc/passwd")])
        if way == "status-0":
            return self.answer(999, b"x" * 100)
        if way == "endless-header":
            return self.answer(200, b"", [(f"X-{i}", "y" * 4000) for i in range(40)])
        if way == "controls":
            return self.answer(404, json.dumps({"error": "\x1b]0;mine\x07\x1b[2J\u009b31m"}).encode())
        if way == "no-json":
            return self.answer(200, bytes(range(256)))
        if way == "deep-json":
            return self.answer(200, b"[" * 1_000_000)
        if rest.startswith("api/"):
            name = {"traversal": "../../../evil.safetensors"}.get(way, "model.safetensors")
            size = 2**63 - 1 if way == "listing-size" else 64
            files = [{"rfilename": f, "size": size} for f in ("config.json", name, "tokenizer.json")]
            return self.answer(200, json.dumps({"sha": COMMIT, "siblings": files}).encode())
        tag = "../../../evil" if way == "etag-path" else "e" * 40
        headers = [("ETag", f'"{tag}{"" if way == "etag-path" else abs(hash(rest)) % 10}"')]
        if way == "size-huge":
            headers.append(("X-Linked-Size", str(2**63 - 1)))
        if way == "size-negative":
            headers.append(("X-Linked-Size", "-5"))
        if way == "short":
            headers.append(("Content-Length", "1000"))
        self.answer(200, b"{}", headers)

    do_HEAD = do_GET

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.answer(200, b"{}")


class HostileHub:
    def __init__(self):
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def endpoint(self, way):
        return f"http://user:secret-password@127.0.0.1:{self.server.server_address[1]}/{way}"

    def close(self):
        self.server.shutdown()
