import CPTuneFuzzMemory
import PTuneFuzzing
import PTuneLibc

/// Reads damaged inputs one after the other and measures what each took.
///
/// A crash ends the process; the number of the input stands on standard error then, and the same number makes the
/// same input again.
struct Mutations {
  /// What an input of N bytes may have in memory at once: so many times N, and a constant for what does not depend on it.
  private static let bytesPerByte = 64.0
  private static let constant = 1 << 20
  /// An input may take so many seconds.
  private static let secondsAllowed = 5.0

  private let target: FuzzTarget
  private let seeds: [[UInt8]]

  init(_ target: FuzzTarget) throws {
    self.target = target
    seeds = try target.seeds()
  }

  func run(_ count: Int) throws {
    let scratch = try Scratch()
    // Tables that are made at the first use are not the input's.
    for seed in seeds { target.run(seed, scratch) }
    var mutator = Mutator(seed: 8)
    var refused = 0
    var tooMuch = 0
    var tooSlow = 0
    var worst = 0.0
    let clock = ContinuousClock()
    for number in 1...count {
      let input = mutator.mutate(seeds)
      Progress.number = number
      let before = ptune_fuzz_memory()
      _ = ptune_fuzz_peak_memory()
      let start = clock.now
      if target.run(input, scratch) != nil { refused += 1 }
      let took = clock.now - start
      let bytes = Double(ptune_fuzz_peak_memory() - before - Int64(Self.constant))
      let ratio = bytes / Double(max(1, input.count))
      worst = max(worst, ratio)
      if ratio > Self.bytesPerByte {
        tooMuch += 1
        print("input \(number) of \(input.count) bytes took \(Int(bytes) + Self.constant) bytes of memory")
      }
      if took > .seconds(Self.secondsAllowed) {
        tooSlow += 1
        print("input \(number) of \(input.count) bytes took \(took)")
      }
    }
    print(
      "{\"target\": \"\(target.name)\", \"inputs\": \(count), \"refused\": \(refused), \"crashes\": 0, "
        + "\"too_much_memory\": \(tooMuch), \"too_slow\": \(tooSlow), "
        + "\"bytes_per_byte_beyond_1_MiB\": \(Int(max(0, worst).rounded(.up)))}")
    if tooMuch + tooSlow > 0 { exit(1) }
  }
}

/// Says which input was being read when the process dies.
private enum Progress {
  nonisolated(unsafe) static var number = 0 {
    didSet { if oldValue == 0 { watch() } }
  }

  private static func watch() {
    for number in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGABRT, SIGFPE] {
      signal(number) { number in
        let line = "signal \(number) at input \(Progress.number)\n"
        write(STDERR_FILENO, line, line.utf8.count)
        signal(number, SIG_DFL)
        raise(number)
      }
    }
  }
}
