import CPTune
import PTuneEngine

extension ComputePrecision {
  /// Warns where the processor is no faster with this precision.
  package func announce(_ log: (_ level: Int32, _ message: String) -> Void) {
    guard !isNative else { return }
    log(
      Int32(PTUNE_LOG_WARNING),
      "this processor has no instructions for \(rawValue) products (AVX512_BF16), so \(rawValue) is not faster "
        + "here, only less exact; `compute` f32 is better except for memory")
  }
}
