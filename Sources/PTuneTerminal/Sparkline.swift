/// Numbers as a line of blocks, the higher the larger: "█▆▅▃▂▁▁".
///
/// - Parameter width: blocks at most; where there are more numbers, a block stands for the mean of some.
public func sparkline(_ numbers: [Double], width: Int = 40) -> String {
  let numbers = numbers.filter(\.isFinite)
  guard !numbers.isEmpty, width > 0 else { return "" }
  let count = min(width, numbers.count)
  let means = (0..<count).map { block in
    let part = numbers[block * numbers.count / count..<(block + 1) * numbers.count / count]
    return part.reduce(0, +) / Double(part.count)
  }
  let blocks = Array("▁▂▃▄▅▆▇█")
  guard let low = means.min(), let high = means.max() else { return "" }
  return String(
    means.map { mean in
      high > low
        ? blocks[min(blocks.count - 1, Int((mean - low) / (high - low) * Double(blocks.count)))] : blocks[0]
    })
}
