import Foundation
import PTuneFormats
import PTuneTesting
import Testing

@testable import PTune
@testable import PTuneEngine

/// The reference numbers that Scripts/generate/fixtures/run wrote.
enum Fixtures {
  static let folder =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path + "/Fixtures"

  static func path(_ name: String) -> String { "\(folder)/\(name)" }

  /// The cases of a fixture file; none, which fails the test that takes them, if it cannot be read.
  static func cases(_ name: String) -> [FixtureCase] {
    ((try? JSONValue.read(path("\(name).json")))?.arrayValue ?? []).map { FixtureCase(json: $0) }
  }

  static func tensors(_ name: String) throws -> SafetensorsFile {
    try SafetensorsFile(path("\(name).safetensors"))
  }
}

/// A case of a fixture file, shown by its name.
struct FixtureCase: Sendable, CustomTestStringConvertible {
  let json: JSONValue

  var testDescription: String {
    [json["adapter"], json["operator"], json["name"]].compactMap { $0?.stringValue }.joined(separator: " ")
  }
}

/// A session with plain parameters, outside any component.
final class OperatorBench {
  let session: Session

  init(threads: Int = 2) {
    session = Session(threads: ThreadPool(count: threads), seed: 1)
    TestHost.connect()
  }

  /// A trained matrix with these values.
  func parameter(_ tensor: FloatTensor) -> TrainableParameter {
    // Vectors and scalars are matrices of one row.
    let shape = tensor.shape.isEmpty ? [1] : tensor.shape
    let parameter = TrainableParameter(owner: "test", name: "\(session.parameters.count)", shape: shape)
    for (index, value) in tensor.array.enumerated() { parameter.values[index] = value }
    _ = session.add(parameter)
    return parameter
  }

  func tensor(_ parameter: TrainableParameter) -> Tensor {
    Tensor(handle: session.handle(for: session.leaf(parameter)))
  }

  func node(_ tensor: Tensor) throws -> Node { try #require(session.node(tensor.handle, "test")) }
}

/// The largest difference of two lists, relative to the largest value of the second (at least 0.5, the size of what
/// goes in: a gradient that cancels to nothing is no more exact than its terms).
func relativeDifference(_ values: some Collection<Float>, _ expected: some Collection<Float>) -> Float {
  guard values.count == expected.count else { return .infinity }
  let scale = max(expected.map(abs).max() ?? 0, 0.5)
  return zip(values, expected).reduce(0) { largest, pair in
    // A comparison with NaN is false: it must not pass for small.
    let difference = abs(pair.0 - pair.1) / scale
    return difference <= largest ? largest : (difference.isNaN ? .infinity : difference)
  }
}
