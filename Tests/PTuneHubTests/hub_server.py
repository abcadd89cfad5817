"""A hub for tests: speaks the API of the Hugging Face hub on 127.0.0.1, misbehaves where it is told to, and remembers
what it was asked. Prints "PORT STORAGE_PORT"; ends when its standard input does.

POST /test/repo   {"name", "files": {path: base64}, "lfs": [path], "commit"?, "faults": {path: [fault, …]},
                   "token"?, "gated"?, "sizes"?: {path: what is said of it}}
                  makes a repository; a fault is used up by one download of that file, "*" stands for the API
POST /test/log    gives the requests for a repository so far: [{"server", "method", "path", "token", "range"}]
POST /test/pushed gives what was committed to a repository
"""

import base64
import hashlib
import json
import re
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

repos, log, pushed, stored = {}, [], {}, {}
lock = threading.Lock()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def blob(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", headers=None, length=None):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def json(self, document, status=200, headers=None):
        self.answer(status, json.dumps(document).encode(), {"Content-Type": "application/json", **(headers or {})})

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def token(self):
        return (self.headers.get("Authorization") or "").removeprefix("Bearer ") or None

    def note(self, server):
        with lock:
            log.append(
                {
                    "server": server,
                    "method": self.command,
                    "path": self.path,
                    "token": self.token(),
                    "range": self.headers.get("Range"),
                }
            )

    def cut(self):
        self.wfile.flush()
        self.close_connection = True
        self.connection.shutdown(2)

    def send_file(self, data, fault, headers=None):
        """The file, or the part of it that is asked for, with a fault."""
        kind, _, value = (fault or "").partition(":")
        asked = self.headers.get("Range")
        start = int(asked[6:-1]) if asked and kind != "no-range" else 0
        if start >= len(data) and start:
            return self.answer(416, b"", {"Content-Range": f"bytes */{len(data)}"})
        if kind == "damage":
            data = bytes(byte ^ 0xFF for byte in data[:1]) + data[1:]
        if kind == "longer":
            data = data + b"more"
        if kind == "shorter":
            data = data[: -int(value)]
        part = data[start:]
        status = 206 if asked and kind != "no-range" else 200
        if status == 206:
            headers = {**(headers or {}), "Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"}
        if kind == "cut":
            self.answer(status, part[: int(value)], headers, length=len(part))
            return self.cut()
        if kind == "hang":
            self.answer(status, part[: int(value)], headers, length=len(part))
            time.sleep(3)
            return self.cut()
        self.answer(status, part, headers)


class Storage(Handler):
    """Another host, where large files lie."""

    def do_GET(self):
        self.note("storage")
        name, path, _ = urllib.parse.unquote(self.path[1:]).split("|")
        self.send_file(repos[name]["files"][path], take_fault(name, path))

    def do_PUT(self):
        self.note("storage")
        data = self.body()
        stored[sha256(data)] = data
        self.answer(200)


def take_fault(name, path):
    with lock:
        faults = repos[name]["faults"].get(path) or []
        if faults and faults[0].endswith("!"):
            return faults[0][:-1]
        return faults.pop(0) if faults else None


class Hub(Handler):
    def do_HEAD(self):
        self.route()

    def do_GET(self):
        self.route()

    def route(self):
        self.note("hub")
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        if "/was-" in self.path:  # a repository that was renamed
            return self.answer(307, b"", {"Location": self.path.replace("/was-", "/", 1)})
        parts = path.split("/")[1:]
        if parts[:2] == ["api", "models"]:
            return self.api("/".join(parts[2:4]), parts[4:])
        if len(parts) > 4 and parts[2] == "resolve":
            return self.resolve("/".join(parts[:2]), parts[3], "/".join(parts[4:]))
        self.json({"error": "Not found"}, 404)

    def may_see(self, name):
        repo = repos.get(name)
        if repo is None or (repo["token"] and self.token() != repo["token"]):
            status = 404 if self.token() else 401
            self.json({"error": "Repository not found"}, status, {"X-Error-Code": "RepoNotFound"})
            return None
        if repo["gated"]:
            self.json({"error": "Access is restricted"}, 403, {"X-Error-Code": "GatedRepo"})
            return None
        return repo

    def general_fault(self, name):
        kind, _, value = ((take_fault(name, "*") if name in repos else None) or "").partition(":")
        if kind == "status":
            status, _, wait = value.partition(":")
            self.json({"error": "not now"}, int(status), {"Retry-After": wait} if wait else {})
        elif kind == "cut":
            self.cut()
        elif kind == "html":
            self.answer(200, b"<html>Please log in</html>", {"Content-Type": "text/html"})
        else:
            return False
        return True

    def api(self, name, rest):
        if self.general_fault(name):
            return
        repo = self.may_see(name)
        if repo is None:
            return
        if rest[:1] == ["revision"] and rest[1] not in ("main", "v1", repo["commit"]):
            return self.json({"error": "Invalid rev id"}, 404, {"X-Error-Code": "RevisionNotFound"})
        if rest[:1] == ["tree"]:  # what huggingface_hub asks for
            return self.json([self.entry(repo, path, data) for path, data in repo["files"].items()])
        siblings = [{"rfilename": path, "size": len(data)} for path, data in repo["files"].items()]
        self.json({"id": name, "sha": repo["commit"], "siblings": siblings})

    def entry(self, repo, path, data):
        entry = {"type": "file", "oid": blob(data), "size": len(data), "path": path}
        if path in repo["lfs"]:
            entry["lfs"] = {"oid": sha256(data), "size": len(data), "pointerSize": 130}
        return entry

    def resolve(self, name, revision, path):
        repo = self.may_see(name)
        if repo is None:
            return
        data = repo["files"].get(path)
        if data is None:
            return self.json({"error": "Entry not found"}, 404, {"X-Error-Code": "EntryNotFound"})
        headers = {"X-Repo-Commit": repo["commit"]}
        if path in repo["lfs"]:
            headers["X-Linked-Etag"] = f'"{sha256(data)}"'
            headers["X-Linked-Size"] = str(repo["sizes"].get(path, len(data)))
            headers["Location"] = f"http://127.0.0.1:{storage.server_port}/" + urllib.parse.quote(
                f"{name}|{path}|signed", safe=""
            )
            return self.answer(302, b"", headers)
        headers["ETag"] = f'W/"{blob(data)}"' if path.endswith(".md") else f'"{blob(data)}"'
        if self.command == "HEAD":
            return self.answer(200, b"", headers, length=len(data))
        fault = take_fault(name, path)
        if fault and fault.startswith("status:"):
            return self.json({"error": "not now"}, int(fault[7:]))
        self.send_file(data, fault, headers)

    def do_POST(self):
        self.note("hub")
        data = self.body()
        address = urllib.parse.urlsplit(self.path)
        path, query = urllib.parse.unquote(address.path), address.query
        if path == "/test/repo":
            given = json.loads(data)
            files = {name: base64.b64decode(content) for name, content in given["files"].items()}
            repos[given["name"]] = {
                "files": files,
                "lfs": given.get("lfs", []),
                "faults": given.get("faults", {}),
                "commit": given.get("commit") or blob(given["name"].encode()),
                "token": given.get("token"),
                "gated": given.get("gated", False),
                "sizes": given.get("sizes", {}),
            }
            return self.json({"commit": repos[given["name"]]["commit"]})
        if path == "/test/log":
            # The name itself, not the beginning of another one.
            wanted = re.compile(re.escape(json.loads(data)["name"]) + r"(?![\w-]|\.(?!git/))")
            return self.json([entry for entry in log if wanted.search(urllib.parse.unquote(entry["path"]))])
        if path == "/test/pushed":
            return self.json(pushed.get(json.loads(data)["name"]))
        self.push(path, query, data)

    def push(self, path, query, data):
        if self.token() != "hf_writer":
            return self.json({"error": "you need the right to write"}, 403)
        if path == "/api/repos/create":
            given = json.loads(data)
            name = f"{given['organization']}/{given['name']}"
            if name in repos:
                return self.json({"error": "You already created this model repo"}, 409)
            repos[name] = {
                "files": {},
                "lfs": [],
                "faults": {},
                "commit": "0" * 40,
                "token": None,
                "gated": False,
                "sizes": {},
            }
            pushed[name] = {"private": given["private"], "files": {}}
            return self.json({"url": f"http://hub/{name}"})
        if path.endswith("/info/lfs/objects/batch"):
            return self.batch(path[1:].removesuffix(".git/info/lfs/objects/batch"), json.loads(data))
        if path.startswith("/verify/"):
            given = json.loads(data)
            whole = len(stored.get(given["oid"], b"")) == given["size"]
            return self.json({} if whole else {"message": "not all of it came"}, 200 if whole else 422)
        name, _, action = path.removeprefix("/api/models/").rpartition("/")
        name, _, action = name.rpartition("/")
        if self.general_fault(name):
            return
        if action == "preupload":
            files = json.loads(data)["files"]
            modes = [
                {"path": file["path"], "uploadMode": "lfs" if file["path"].endswith(".safetensors") else "regular"}
                for file in files
            ]
            return self.json({"files": modes})
        if action == "commit":
            return self.commit(name, [json.loads(line) for line in data.splitlines()], query)
        self.json({"error": "Not found"}, 404)

    def batch(self, name, given):
        objects = []
        for wanted in given["objects"]:
            entry = {"oid": wanted["oid"], "size": wanted["size"]}
            if "refused" in name:
                entry["error"] = {"code": 422, "message": "the quota is used up"}
            elif wanted["oid"] not in stored or "again" in name:
                entry["actions"] = {
                    "upload": {
                        "href": f"http://127.0.0.1:{storage.server_port}/{name}/{wanted['oid']}",
                        "header": {"X-Storage": "yes"},
                    },
                    "verify": {"href": f"http://127.0.0.1:{hub.server_port}/verify/{name}"},
                }
            objects.append(entry)
        self.json({"transfer": "basic", "objects": objects})

    def commit(self, name, lines, query):
        proposed = "create_pr=1" in query.split("&")
        entry = {"files": {}} if proposed else pushed.setdefault(name, {"files": {}})
        for line in lines:
            value = line["value"]
            if line["key"] == "header":
                entry["summary"] = value["summary"]
            elif line["key"] == "file":
                entry["files"][value["path"]] = value["content"]
            else:
                if value["oid"] not in stored:
                    return self.json({"error": f"{value['path']} was never sent"}, 400)
                entry["files"][value["path"]] = base64.b64encode(stored[value["oid"]]).decode()
        answer = {"success": True, "commitOid": "c" * 40, "commitUrl": f"http://hub/{name}/commit/c"}
        if proposed:
            answer["pullRequestUrl"] = f"http://hub/{name}/discussions/1"
        self.json(answer)


storage = ThreadingHTTPServer(("127.0.0.1", 0), Storage)
hub = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
for server in (storage, hub):
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
print(hub.server_port, storage.server_port, flush=True)
sys.stdin.read()
