import CPTuneKernels

/// Which compute kernels this processor gets and which libraries for matrix products were found.
struct Kernels: Encodable {
  /// A library for matrix products.
  struct Library: Encodable {
    let name: String
    /// Its version and file, or "not found".
    let found: String
    /// Whether matrix products use it.
    let isChosen: Bool
  }

  /// The instructions that the kernels were compiled for: "avx512", "avx2", "neon" or "baseline".
  let variant: String
  let libraries: [Library]
  /// Whether the kernels here multiply by frozen weights, packed once for results and gradients, whatever library
  /// makes the other products.
  let packsBothWays: Bool

  init() {
    variant = String(cString: ptk_kernel_variant())
    _ = ptk_choose_backend(PTK_AUTOMATIC)
    let chosen = ptk_chosen_backend()
    packsBothWays = ptk_packs_both_ways()
    let backends = [("oneDNN", PTK_ONEDNN), ("CBLAS", PTK_CBLAS), ("portable", PTK_PORTABLE)]
    libraries = backends.map { name, backend in
      Library(
        name: name, found: String(cString: ptk_backend_description(backend)),
        isChosen: backend == chosen)
    }
  }

  /// The findings for people.
  var lines: [String] {
    ["kernels     \(variant)", "matrices"]
      + libraries.map { "  \($0.name): \($0.found)\($0.isChosen ? " (used)" : "")" }
      + (packsBothWays ? ["  frozen weights: packed once, for the kernels here"] : [])
  }
}
