import PTuneLibc

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The machine as far as speed and memory depend on it.
struct Machine: Encodable {
  let system, architecture, processor: String
  /// Instruction sets that the kernels can use.
  let features: [String]
  /// Processors that this process may run on.
  let threads: Int
  /// How many processors' time a container may use; `nil` without a limit.
  let quota: Double?
  /// Bytes.
  let memory: UInt64
  let availableMemory: UInt64?
  /// Bytes that control groups leave this process at the most; `nil` without a limit.
  let memoryLimit: UInt64?
  /// Bytes in use under that limit.
  let limitedMemoryInUse: UInt64?
  /// Bytes of address space that `ulimit -v` leaves this process; `nil` without a limit.
  let addressSpaceLimit: UInt64?

  init() {
    let process = ProcessInfo.processInfo
    var name = utsname()
    uname(&name)
    let release = Self.text(of: name.release)
    architecture = Self.text(of: name.machine)
    threads = process.activeProcessorCount
    memory = process.physicalMemory
    var limit = rlimit()
    #if canImport(Glibc)
      let read = getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
    #else
      let read = getrlimit(RLIMIT_AS, &limit)
    #endif
    addressSpaceLimit = read == 0 && limit.rlim_cur < 1 << 62 ? UInt64(limit.rlim_cur) : nil
    #if canImport(Darwin)
      system = "macOS \(process.operatingSystemVersionString), Darwin \(release)"
      processor = Self.control("machdep.cpu.brand_string") ?? "unknown"
      features = (Self.control("machdep.cpu.features") ?? "").lowercased().split(separator: " ").map(
        String.init)
      quota = nil
      availableMemory = nil
      (memoryLimit, limitedMemoryInUse) = (nil, nil)
    #else
      let distribution = Self.value(of: "PRETTY_NAME", in: "/etc/os-release", separator: "=")
      let quotes: Set<Character> = ["\""]
      system = (distribution.map { $0.filter { !quotes.contains($0) } + ", " } ?? "") + "Linux \(release)"
      let facts = "/proc/cpuinfo"
      processor = Self.value(of: "model name", in: facts, separator: ":") ?? "unknown"
      let flags =
        Self.value(of: "flags", in: facts, separator: ":")
        ?? Self.value(of: "Features", in: facts, separator: ":")
      let present = Set((flags ?? "").split(separator: " ").map(String.init))
      features = Self.interesting.filter(present.contains)
      let groups = ControlGroups()
      quota = groups.processors
      (memoryLimit, limitedMemoryInUse) = (groups.memory?.limit, groups.memory?.used)
      availableMemory = Self.value(of: "MemAvailable", in: "/proc/meminfo", separator: ":")
        .flatMap { $0.split(separator: " ").first }.flatMap { UInt64($0) }.map { $0 << 10 }
    #endif
  }

  /// As /proc/cpuinfo spells them, on x86 and Arm.
  private static let interesting = [
    "sse4_2", "avx", "f16c", "fma", "avx2", "avx512f", "avx512bw", "avx512_bf16", "avx512_vnni", "avx_vnni",
    "amx_bf16", "amx_int8", "asimd", "asimddp", "bf16", "i8mm", "sve", "sve2",
  ]

  /// The first value of a line `key separator value`.
  private static func value(of key: String, in file: String, separator: Character) -> String? {
    guard let data = FileManager.default.contents(atPath: file) else { return nil }
    for line in String(decoding: data, as: UTF8.self).split(separator: "\n") {
      let parts = line.split(separator: separator, maxSplits: 1)
      guard parts.count == 2, trimmed(parts[0]) == key else { continue }
      return trimmed(parts[1])
    }
    return nil
  }

  private static func trimmed(_ text: Substring) -> String {
    String(text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
  }

  private static func text<Field>(of field: Field) -> String {
    withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }

  #if canImport(Darwin)
    private static func control(_ name: String) -> String? {
      var size = 0
      guard sysctlbyname(name, nil, &size, nil, 0) == 0 else { return nil }
      var bytes = [UInt8](repeating: 0, count: size)
      guard sysctlbyname(name, &bytes, &size, nil, 0) == 0 else { return nil }
      return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  #endif
}
