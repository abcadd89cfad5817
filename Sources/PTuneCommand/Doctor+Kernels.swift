/// Which compute kernels were chosen and which libraries for matrix products were found.
struct Kernels: Encodable {
  /// "avx512", "avx2", …; `nil` where no kernels are linked in.
  let variant: String?
  /// What is known of each library, by its name.
  let libraries: [String: String]

  init() {
    variant = nil
    libraries = [:]
  }

  /// The findings for people.
  var lines: [String] {
    ["kernels     \(variant ?? "none")"]
      + libraries.sorted { $0.key < $1.key }.map { "  \($0.key): \($0.value)" }
  }
}
