import PTuneLibc

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The most memory that this process ever had, in bytes; 0 if the system does not say.
func peakMemory() -> Int {
  #if os(Linux)
    // NB: getrusage's ru_maxrss survives exec on Linux: of a small command that a large one started it would be the
    // large one's.
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
      let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
      let number = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first,
      let kibibytes = Int(number)
    else { return 0 }
    return kibibytes << 10
  #else
    var usage = rusage()
    return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_maxrss : 0
  #endif
}
