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

  /// The instructions that the kernels were compiled for: "avx512_bf16", "avx512", "avx2", "neon" or "baseline".
  let variant: String
  let libraries: [Library]
  /// Whether the kernels here multiply by frozen weights, packed once for results and gradients, whatever library
  /// makes the other products.
  let packsBothWays: Bool
  /// Products in bf16: what computes them, and whether the processor has instructions for that.
  let bf16: Bf16

  struct Bf16: Encodable {
    let computedBy: String
    let isNative: Bool
  }

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
    bf16 = Bf16(computedBy: String(cString: ptk_bf16_description()), isNative: ptk_has_bf16())
  }

  /// The findings for people.
  var lines: [String] {
    ["kernels     \(variant)", "matrices"]
      + libraries.map { "  \($0.name): \($0.found)\($0.isChosen ? " (used)" : "")" }
      + (packsBothWays ? ["  frozen weights: packed once, for the kernels here"] : [])
      + [
        "bf16        \(bf16.computedBy)"
          + (bf16.isNative ? "" : ", no faster than f32: the processor has no AVX512_BF16")
      ]
  }
}
