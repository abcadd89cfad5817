import CPTuneFuzzMemory
import PTuneFuzzing
import PTuneLibc

/// `ptune-fuzz list`, `ptune-fuzz seeds TARGET FOLDER`, `ptune-fuzz mutate TARGET COUNT` and
/// `ptune-fuzz fuzz TARGET ARGUMENTS…`, where the arguments are libFuzzer's. `Scripts/check/fuzz` is for people.
///
/// libFuzzer has the `main`; it asks for the one below first, then for each input.
enum FuzzCommand {
  nonisolated(unsafe) static var target: FuzzTarget?
  nonisolated(unsafe) static var scratch: Scratch?

  /// Does what the arguments say; returns only for `fuzz`, with the number of arguments that were taken.
  static func begin(_ arguments: [String]) throws -> Int {
    guard arguments.count > 1 else { usage() }
    if arguments[1] == "list" {
      for target in FuzzTarget.all { print(target.name) }
      exit(0)
    }
    guard arguments.count > 2, let target = FuzzTarget.named(arguments[2]) else { usage() }
    switch (arguments[1], arguments.count) {
    case ("seeds", 4): try writeSeeds(target, to: arguments[3])
    case ("mutate", 4):
      guard let count = Int(arguments[3]), count > 0 else { usage() }
      ptune_fuzz_count_memory()
      try Mutations(target).run(count)
    case ("fuzz", _):
      self.target = target
      scratch = try Scratch()
      return 2
    default: usage()
    }
    exit(0)
  }

  private static func usage() -> Never {
    print(
      "usage: ptune-fuzz list | seeds TARGET FOLDER | mutate TARGET COUNT | fuzz TARGET [LIBFUZZER-ARGUMENT…]"
    )
    exit(2)
  }

  private static func writeSeeds(_ target: FuzzTarget, to folder: String) throws {
    for (index, seed) in try target.seeds().enumerated() {
      guard let file = fopen("\(folder)/seed-\(index)", "w") else {
        perror(folder)
        exit(1)
      }
      fwrite(seed, 1, seed.count, file)
      fclose(file)
    }
  }
}

/// What libFuzzer calls first, with the program's arguments, of which it gets those that are left.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
  _ count: UnsafeMutablePointer<Int32>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>
) -> Int32 {
  let texts = (0..<Int(count.pointee)).map { arguments.pointee[$0].map { String(cString: $0) } ?? "" }
  do {
    // libFuzzer takes the program's name from the first argument, and gets the rest as if ours were not there.
    let taken = try FuzzCommand.begin(texts)
    arguments.pointee[taken] = arguments.pointee[0]
    arguments.pointee += taken
    count.pointee -= Int32(taken)
  } catch {
    print("error: \(error)")
    exit(1)
  }
  return 0
}

/// What libFuzzer calls with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> Int32 {
  guard let target = FuzzCommand.target, let scratch = FuzzCommand.scratch else { return -1 }
  target.run(Array(UnsafeBufferPointer(start: data, count: size)), scratch)
  return 0
}
