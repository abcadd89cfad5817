import Testing

@testable import PTuneFormats

@Suite struct ModelResolverTests {
  let folder: TemporaryFolder
  let main = "a1b2c3d4e5f60718293a4b5c6d7e8f9001122334"
  let other = "a1b2ffffe5f60718293a4b5c6d7e8f9001122334"

  init() throws {
    folder = try TemporaryFolder()
  }

  private func resolver(_ environment: [String: String] = [:]) -> ModelResolver {
    ModelResolver(
      environment: environment.merging(["HOME": folder("home")]) { given, _ in given },
      currentFolder: folder("work"))
  }

  private func makeModel(_ name: String) throws {
    try folder.write("\(name)/config.json", "{}")
    try folder.write("\(name)/model.safetensors", safetensors("{}"))
  }

  private func makeHub(_ cache: String) throws {
    let repository = "\(cache)/models--owner--name"
    try folder.write("\(repository)/refs/main", main + "\n")
    try folder.write("\(repository)/refs/refs/pr/1", other)
    try makeModel("\(repository)/snapshots/\(main)")
    try makeModel("\(repository)/snapshots/\(other)")
  }

  @Test("a path is seen from the run file's folder, then from the current one; ~ is the home folder")
  func paths() throws {
    try makeModel("work/runs/near")
    try makeModel("work/owner/name")
    try makeModel("home/m")
    let resolver = resolver()
    #expect(try resolver.resolve("near", relativeTo: "runs").folder == folder("work/runs/near"))
    #expect(
      try resolver.resolve("./near/", relativeTo: folder("work/runs")).folder == folder("work/runs/near"))
    #expect(try resolver.resolve("owner/name", relativeTo: "runs").folder == folder("work/owner/name"))
    #expect(try resolver.resolve("../owner/name", relativeTo: "runs").folder == folder("work/owner/name"))
    #expect(try resolver.resolve("~/m").folder == folder("home/m"))
    #expect(try resolver.resolve(folder("home/m")).folder == folder("home/m"))
  }

  @Test("a GGUF file stands for a model, and so does a folder with just one")
  func ggufFiles() throws {
    try folder.write("work/runs/a.gguf", "GGUF")
    try folder.write("work/one/b.gguf", "GGUF")
    try folder.write("work/two/b.gguf", "GGUF")
    try folder.write("work/two/c.GGUF", "GGUF")
    try makeModel("work/both")
    try folder.write("work/both/b.gguf", "GGUF")
    let resolver = resolver()
    #expect(try resolver.resolve("a.gguf", relativeTo: "runs").folder == folder("work/runs/a.gguf"))
    #expect(try resolver.resolve("one").folder == folder("work/one/b.gguf"))
    #expect(try resolver.resolve("both").folder == folder("work/both"))
    #expect(
      message { _ = try resolver.resolve("two") } == """
        \(folder("work/two")): the folder contains several GGUF files: b.gguf, c.GGUF
        help: name one of them
        """)
    #expect(
      message { _ = try resolver.resolve("owner/absent.gguf") } == """
        there is no model at '\(folder("work/owner/absent.gguf"))'
        help: check the path, or give a model's name on the Hugging Face hub (owner/name)
        """)
  }

  @Test(
    "a name is looked up in the Hugging Face caches",
    arguments: [
      ([:], "home/.cache/huggingface/hub"), (["XDG_CACHE_HOME": "x"], "x/huggingface/hub"),
      (["HF_HOME": "h"], "h/hub"), (["HUGGINGFACE_HUB_CACHE": "l"], "l"), (["HF_HUB_CACHE": "c"], "c"),
      (["HF_HOME": "~/h"], "home/h/hub"),
    ] as [([String: String], String)])
  func caches(environment: [String: String], cache: String) throws {
    try makeHub(cache)
    let absolute = environment.mapValues { $0.hasPrefix("~") ? $0 : folder($0) }
    let found = try resolver(absolute).resolve("owner/name")
    #expect(found.folder == folder("\(cache)/models--owner--name/snapshots/\(main)"))
    #expect(found.commit == main)
    #expect(found.name?.repository == "owner/name")
  }

  @Test("an adapter's name is looked up in the Hugging Face caches, whatever its folder holds")
  func adapters() throws {
    let repository = "home/.cache/huggingface/hub/models--owner--adapter"
    try folder.write("\(repository)/refs/main", main)
    try folder.write("\(repository)/snapshots/\(main)/adapter_config.json", "{}")
    try folder.write("work/owner/near/adapter_config.json", "{}")
    let resolver = resolver()
    #expect(try resolver.adapterFolder("owner/adapter") == folder("\(repository)/snapshots/\(main)"))
    #expect(try resolver.adapterFolder("owner/adapter@\(main)") == folder("\(repository)/snapshots/\(main)"))
    #expect(try resolver.adapterFolder("owner/other") == nil)
    #expect(try resolver.adapterFolder("owner/near") == nil)
  }

  @Test("a revision is a branch, a pull request, a commit or the beginning of one")
  func revisions() throws {
    try makeHub("home/.cache/huggingface/hub")
    let resolver = resolver()
    #expect(try resolver.resolve("owner/name@main").commit == main)
    #expect(try resolver.resolve("owner/name@refs/pr/1").commit == other)
    #expect(try resolver.resolve("owner/name@\(other)").commit == other)
    #expect(try resolver.resolve("owner/name@a1b2c").commit == main)
    #expect(
      message { _ = try resolver.resolve("owner/name@a1b2") } == """
        'owner/name@a1b2' fits several commits: \(main), \(other)
        help: give more digits of the commit
        """)
    #expect(
      message { _ = try resolver.resolve("owner/name@v2") } == """
        the model 'owner/name@v2' was not found; looked at:
          \(folder("home/.cache/huggingface/hub/models--owner--name")) (no revision 'v2')
        help: fetch it with 'ptune pull owner/name@v2', or give the path of a folder
        """)
  }

  @Test("ptune's own cache comes last")
  func ownCache() throws {
    try makeModel("home/.cache/ptune/models/owner--name")
    #expect(try resolver().resolve("owner/name").folder == folder("home/.cache/ptune/models/owner--name"))
    try makeHub("home/.cache/huggingface/hub")
    #expect(try resolver().resolve("owner/name").commit == main)
  }

  @Test("a model that is nowhere is an error that lists the places")
  func nowhere() {
    #expect(
      message { _ = try resolver(["HF_HOME": "/hf"]).resolve("owner/name") } == """
        the model 'owner/name' was not found; looked at:
          /hf/hub/models--owner--name
          \(folder("home/.cache/huggingface/hub/models--owner--name"))
          \(folder("home/.cache/ptune/models/owner--name"))
        help: fetch it with 'ptune pull owner/name', or give the path of a folder
        """)
    #expect(
      message { _ = try resolver().resolve("./absent") } == """
        there is no model at '\(folder("work/absent"))'
        help: check the path, or give a model's name on the Hugging Face hub (owner/name)
        """)
  }

  @Test("a folder that is no whole model says what it lacks")
  func incomplete() throws {
    try folder.write("work/m/config.json", "{}")
    #expect(
      message { _ = try resolver().resolve("m") } == """
        the model folder '\(folder("work/m"))' has no model.safetensors
        help: a model folder contains config.json, model.safetensors and the tokenizer's files
        """)
    try folder.write("work/n/model.safetensors", "")
    #expect(
      message { _ = try resolver().resolve("n") } == """
        the model folder '\(folder("work/n"))' has no config.json
        help: a model folder contains config.json, model.safetensors and the tokenizer's files
        """)
    #expect(
      message { _ = try resolver().resolve("n/model.safetensors") } == """
        '\(folder("work/n/model.safetensors"))' is neither a folder nor a .gguf file
        help: name the folder that contains config.json and model.safetensors, or a .gguf file
        """)
    try folder.write("home/.cache/ptune/models/o--m/config.json", "{}")
    #expect(message { _ = try resolver().resolve("o/m") }.hasSuffix("fetch the rest with 'ptune pull o/m'"))
  }

  @Test("a model in the cache that lacks some of its shards is not whole, and the rest is fetched")
  func missingShards() throws {
    let model = "home/.cache/ptune/models/o--m"
    try folder.write("\(model)/config.json", "{}")
    try folder.write(
      "\(model)/model.safetensors.index.json",
      #"{"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors", "c": "model-3.safetensors"}}"#
    )
    try folder.write("\(model)/model-2.safetensors", "")
    #expect(
      message { _ = try resolver().resolve("o/m") } == """
        the model folder '\(folder(model))' has no model-1.safetensors, model-3.safetensors
        help: fetch the rest with 'ptune pull o/m'
        """)
    try folder.write("\(model)/model-3.safetensors", "")
    let missing = folder("\(model)/model-1.safetensors")
    let fetching = ModelResolver(environment: ["HOME": folder("home")], currentFolder: folder("work")) {
      name, _ in
      if name.repository == "o/m" { try AtomicFile.write("", to: missing) }
    }
    #expect(try fetching.resolve("o/m").folder == folder(model))
    #expect(try resolver().resolve("o/m").folder == folder(model))
  }
}
