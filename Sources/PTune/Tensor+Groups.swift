extension Tensor {
  /// Puts a column `[n, 1]` into groups, each a row: `[groups, longest group]`. What a group lacks is filled up with a
  /// score that no softmax gives weight to.
  ///
  /// - Parameter offsets: `[groups + 1]`; group g is rows `offsets[g]` … `offsets[g + 1] - 1`.
  public func grouped(by offsets: UnsafeBufferPointer<Int32>) -> Tensor {
    let longest = zip(offsets, offsets.dropFirst()).map { $1 - $0 }.max() ?? 0
    let filler = Int32(rows)
    let places = zip(offsets, offsets.dropFirst()).flatMap { begin, end in
      (0..<longest).map { begin + $0 < end ? begin + $0 : filler }
    }
    return Tensor.concatenatingRows([self, .filled(-1e9, rows: 1, columns: 1)]).rows(at: places)
      .reshaped(rows: max(0, offsets.count - 1), columns: Int(longest))
  }
}
