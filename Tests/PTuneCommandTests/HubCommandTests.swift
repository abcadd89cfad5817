import Foundation
import PTuneFormats
import Testing

/// The commands that go to the hub, with the tests' own hub at work in the same shell.
@Suite struct HubCommandTests {
  /// Starts the hub, puts the desk's model there as test/tiny, and points HF_ENDPOINT to it.
  private static let hub = """
    coproc HUB { exec python3 '\(folder)/PTuneHubTests/hub_server.py'; }
    read -r port storage <&"${HUB[0]}"
    export HF_ENDPOINT="http://127.0.0.1:$port" HF_HUB_OFFLINE=
    python3 - "$port" <<'END'
    import base64, json, pathlib, sys, urllib.request
    files = {path.name: base64.b64encode(path.read_bytes()).decode() for path in pathlib.Path("model").iterdir()}
    document = json.dumps({"name": "test/tiny", "files": files, "lfs": ["model.safetensors"]}).encode()
    urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/test/repo", document)
    END

    """

  private static let folder =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path

  @Test("a model is pulled, found by its name, and fetched where a name is not in the cache")
  func pull() throws {
    let desk = try Desk()
    let pulled = try desk.shell(
      Self.hub + "ptune pull test/tiny && ptune tokenize --model test/tiny --text 'good film'")
    #expect(pulled.status == 0, "\(pulled.errors)")
    let lines = pulled.output.split(separator: "\n")
    #expect(lines.count == 2 && lines[0].hasPrefix("FOLDER/hf/hub/models--test--tiny/snapshots/"))
    #expect(pulled.errors.hasPrefix("fetching test/tiny from 127.0.0.1:"))
    #expect(pulled.errors.contains("\n  model.safetensors  "))
    let fresh = try Desk()
    let line = "ptune train run.yaml --model test/tiny --max-steps 1 --quiet"
    let offline = try fresh.shell(Self.hub + "\(line) --offline")
    #expect(offline.status == 1)
    #expect(
      offline.errors.hasSuffix("help: fetch it with 'ptune pull test/tiny', or give the path of a folder\n"))
    let trained = try fresh.shell(Self.hub + line)
    #expect(trained.status == 0, "\(trained.errors)")
    #expect(trained.errors.hasPrefix("fetching test/tiny from 127.0.0.1:"))
  }

  @Test("the proxy that the environment names is used, but for the hosts that it leaves out")
  func proxy() throws {
    // The hub answers for a host that there is not; its storage is asked directly.
    let outcome = try Desk().shell(
      Self.hub + """
        export http_proxy="$HF_ENDPOINT" no_proxy=127.0.0.1 HF_ENDPOINT=http://hub.invalid
        ptune pull test/tiny && ptune tokenize --model test/tiny --text 'good film'
        """)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.errors.hasPrefix("fetching test/tiny from hub.invalid: "))
  }

  @Test("an adapter is pushed, and used by its name")
  func push() throws {
    let desk = try Desk()
    #expect(try desk.ptune("train", "run.yaml", "--max-steps", "1", "--quiet").status == 0)
    let line = """
      export HF_TOKEN=hf_writer
      ptune push out/adapter test/tone --message 'Tone' --json
      python3 - "$port" <<'END'
      import json, sys, urllib.request
      ask = lambda what, document: json.load(urllib.request.urlopen(
          f"http://127.0.0.1:{sys.argv[1]}/test/{what}", json.dumps(document).encode()))
      ask("repo", {"name": "test/tone", "files": ask("pushed", {"name": "test/tone"})["files"]})
      END
      ptune predict --adapter test/tone --text 'a good film'
      """
    let outcome = try desk.shell(Self.hub + line)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains(#""created": true"#) && outcome.output.contains(#"{"label": "#))
    #expect(outcome.errors.contains("sending test/tone to 127.0.0.1:"))
    // What leaves the machine is listed first, and a path of the machine in it is pointed out.
    #expect(outcome.errors.contains(": adapter_config.json, README.md, adapter_model.safetensors, "))
    #expect(outcome.errors.contains("warning: out/adapter names its base model by a path of this machine"))
    // Where plugins are is not in it.
    #expect(try !desk.text("out/adapter/adapter_config.json").contains("/libptune_"))
    #expect(outcome.errors.contains("fetching test/tone from 127.0.0.1:"))
  }

  @Test("without a hub, a token or a name the commands say what to do")
  func errors() throws {
    let desk = try Desk()
    let unreachable = try desk.shell("HF_HUB_OFFLINE= HF_ENDPOINT=http://127.0.0.1:9 ptune pull a/b")
    #expect(unreachable.status == 1)
    #expect(unreachable.errors.hasPrefix("error: cannot connect to 127.0.0.1:9: "))
    #expect(unreachable.errors.hasSuffix("help: check the network, https_proxy and HF_ENDPOINT\n"))
    let offline = try desk.ptune("pull", "a/b")
    #expect(offline.status == 1 && offline.errors.hasPrefix("error: HF_HUB_OFFLINE is set"))
    let stranger = try desk.shell("HF_HUB_OFFLINE= ptune push model a/b")
    #expect(stranger.errors.hasPrefix("error: 'model' is not an adapter folder"))
    #expect(try desk.ptune("pull", "a/b/c").status == 2)
    #expect(try desk.ptune("push", "out", "b").status == 2)
    #expect(try desk.ptune("tokenize", "--model", "model").status == 2)
  }
}
