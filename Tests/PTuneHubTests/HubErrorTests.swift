import Foundation
import PTuneFormats
import Testing

@testable import PTuneHub

@Suite struct HubErrorTests {
  private static let login =
    "create a token in your account's settings and set HF_TOKEN, or run 'hf auth login'"

  @Test("each refusal of the hub says what to do")
  func refusals() throws {
    let none = try HubDesk("nobody")
    #expect(
      none.failure() == """
        HOST has no public model 'test/nobody'
        check the name; for a private one \(Self.login)
        """)
    #expect(
      none.failure(environment: ["HF_TOKEN": "hf_x"]) == """
        HOST has no model 'test/nobody' that this token may see
        check the name; a token sees what its account may see
        """)
    let gated = try HubDesk("gated")
    try gated.serve(PullTests.model, more: ["gated": true])
    #expect(
      gated.failure() == """
        'test/gated' is gated: its authors grant access on request
        ask for access at HUB/test/gated; then \(Self.login)
        """)
    let revision = try HubDesk("revision")
    try revision.serve(PullTests.model)
    #expect(
      revision.failure(revision: "v9") == """
        'test/revision' has no revision 'v9'
        see its branches and tags: test/revision@main is the usual one
        """)
    let busy = try HubDesk("busy")
    try busy.serve(PullTests.model, faults: ["*": ["status:429:3600!"]])
    #expect(
      busy.failure() == """
        HOST wants fewer requests, and none for 3600 seconds
        run the same command again then; with HF_TOKEN set, the limits are higher
        """)
    let ill = try HubDesk("ill")
    try ill.serve(PullTests.model, faults: ["*": ["status:500!"]])
    #expect(
      ill.failure() == """
        HUB/api/models/test/ill/revision/main?blobs=true answered with status 500: not now
        try again later; what has arrived is kept
        """)
    let portal = try HubDesk("portal")
    try portal.serve(PullTests.model, faults: ["*": ["html"]])
    #expect(
      portal.failure() == """
        HUB/api/models/test/portal/revision/main?blobs=true does not answer as a hub: what it sends is not JSON
        check HF_ENDPOINT, and whether the network asks for a login in a browser
        """)
  }

  @Test(
    "a server says how long to wait as a number, a date in any of the three forms, or the reset of its limit",
    arguments: [
      ("Retry-After: 7", 7), ("Retry-After: Sun, 06 Nov 1994 08:50:07 GMT", 30),
      ("Retry-After: Sunday, 06-Nov-94 08:50:07 GMT", 30), ("Retry-After: Sun Nov  6 08:50:07 1994", 30),
      ("Retry-After: Sun, 06 Nov 1994 08:49:00 GMT", 0), ("Retry-After: soon", nil),
      (#"RateLimit: "api";r=0;t=55"#, 55),
    ] as [(String, Double?)])
  func waits(field: String, seconds: Double?) {
    var head = HTTPHead()
    for line in ["HTTP/1.1 429 Too Many Requests", "Date: Sun, 06 Nov 1994 08:49:37 GMT", field] {
      head.take(line: line)
    }
    #expect(head.secondsToWait == seconds)
    #expect(HTTPDate.seconds("Thu, 01 Jan 1970 00:00:10 GMT") == 10)
    #expect(HTTPDate.seconds("Thu, 01 Jan 1970 00:00:10 GMT, or later") == nil)
  }

  @Test("a repository without anything that ptune reads is an error that names what there is")
  func nothingToRead() throws {
    let pickle = try HubDesk("pickle")
    try pickle.serve(["config.json": "{}", "pytorch_model.bin": "p"])
    #expect(
      pickle.failure() == """
        'test/pickle' has its weights only as pytorch_model.bin, a pickle, which ptune does not open
        convert it once with Python: AutoModel.from_pretrained("test/pickle").save_pretrained(FOLDER), and name FOLDER
        """)
    let other = try HubDesk("other")
    try other.serve(["README.md": "#", "model.onnx": "o"])
    #expect(
      other.failure() == """
        'test/other' contains neither a model nor an adapter that ptune can read
        ptune reads safetensors and GGUF files; there are README.md, model.onnx
        """)
    #expect(other.failure(.adapter).hasPrefix("'test/other' has no file 'adapter_config.json'"))
  }

  @Test("without a network the error says how to do without")
  func network() throws {
    let desk = try HubDesk("network")
    let nothing = desk.failure(environment: ["HF_ENDPOINT": "http://127.0.0.1:9"])
    #expect(nothing.hasPrefix("cannot connect to 127.0.0.1:9: "), "\(nothing)")
    #expect(nothing.hasSuffix("check the network, https_proxy and HF_ENDPOINT"))
    let unknown = desk.failure(environment: ["HF_ENDPOINT": "https://hub.invalid"])
    #expect(unknown.hasPrefix("cannot find hub.invalid: "), "\(unknown)")
    #expect(unknown.hasSuffix("with a model in the cache --offline needs no network"))
    // The server speaks no TLS.
    let plain = desk.failure(
      environment: ["HF_ENDPOINT": desk.server.endpoint.replacingOccurrences(of: "http:", with: "https:")])
    #expect(plain.hasPrefix("no secure connection to HOST: "), "\(plain)")
    #expect(desk.failure(environment: ["HF_HUB_OFFLINE": "ON"]).hasPrefix("HF_HUB_OFFLINE is set"))
  }

  @Test("settings that cannot be are refused")
  func settings() throws {
    let desk = try HubDesk("settings")
    #expect(
      desk.failure(environment: ["HF_ENDPOINT": "ftp://host"]) == """
        HF_ENDPOINT is 'ftp://host', which is not an address
        an address begins with https:// or http://; unset HF_ENDPOINT for the public hub
        """)
    #expect(
      desk.failure(environment: ["HF_HUB_DOWNLOAD_TIMEOUT": "1m"]) == """
        HF_HUB_DOWNLOAD_TIMEOUT is '1m', which is not a number of seconds
        give a whole number above 0, or unset HF_HUB_DOWNLOAD_TIMEOUT
        """)
    #expect(
      desk.failure(environment: ["HF_TOKEN": "hf_a\nX-Evil: yes"]) == """
        HF_TOKEN holds no token
        a token is one line of letters, digits and '_'; \(Self.login)
        """)
  }

  @Test("redirects lead neither in circles nor out of encryption, and relative ones are followed")
  func addresses() throws {
    let here = try #require(HTTPAddress("https://Hub.example/a/b?c"))
    #expect(here.origin == "https://hub.example" && here.rest == "/a/b?c")
    #expect(here.following("/d") == "https://hub.example/d")
    #expect(here.following("//cdn.example/d") == "https://cdn.example/d")
    #expect(here.following("http://cdn.example/d") == "http://cdn.example/d")
    #expect(here.following("file:///etc/passwd") == nil)
    #expect(!here.hasSameOrigin(as: try #require(HTTPAddress("https://hub.example:8443/"))))
    #expect(HTTPAddress.escaped("refs/pr/1 ü") == "refs%2Fpr%2F1%20%C3%BC")
  }

  @Test("git's checksum is that of FIPS 180")
  func sha1() {
    func digest(_ text: String) -> String {
      var hash = SHA1()
      for byte in text.utf8 { hash.update([byte]) }
      var whole = SHA1()
      whole.update(Array(text.utf8))
      let (first, second) = (hash.hexadecimal(), whole.hexadecimal())
      return first == second ? first : "\(first) \(second)"
    }
    #expect(digest("abc") == "a9993e364706816aba3e25717850c26c9cd0d89d")
    #expect(digest("") == "da39a3ee5e6b4b0d3255bfef95601890afd80709")
    #expect(
      digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
        == "84983e441c3bd26ebaae4aa1f95129e5e54670f1")
    #expect(digest(String(repeating: "a", count: 64)) == "0098ba824b5c16427bd7a1122a5a442a25ec644d")
  }
}
