/// What the probe's child tells its parent on descriptor 3.
///
/// On the wire a message is its number of fields and its fields, each a text that a zero byte ends. C strings
/// hold no zero byte, so nothing needs to be escaped.
enum ProbeMessage: Hashable, Sendable {
  /// The dynamic linker is about to open file `index`.
  case opening(index: Int)
  /// Its entry function is about to be called.
  case entering(index: Int)
  /// It is no usable plugin.
  case refused(index: Int, Refusal)
  /// It is, and this is all of its description.
  case described(index: Int, PluginReport)
  /// There are no more files.
  case done

  /// Why a file is no usable plugin, where the probe survived to say so.
  enum Refusal: Hashable, Sendable {
    case cannotOpen(String)
    case noEntry
    case otherInterface(Int)
    case entryFailed(String)
    case badDescription(String)
  }
}

extension ProbeMessage {
  /// The bytes of the message.
  var encoded: [UInt8] {
    let fields = self.fields
    return ([String(fields.count)] + fields).flatMap { Array($0.utf8) + [0] }
  }

  private var fields: [String] {
    switch self {
    case .opening(let index): ["opening", "\(index)"]
    case .entering(let index): ["entering", "\(index)"]
    case .refused(let index, .cannotOpen(let why)): ["cannotOpen", "\(index)", why]
    case .refused(let index, .noEntry): ["noEntry", "\(index)"]
    case .refused(let index, .otherInterface(let version)): ["otherInterface", "\(index)", "\(version)"]
    case .refused(let index, .entryFailed(let why)): ["entryFailed", "\(index)", why]
    case .refused(let index, .badDescription(let why)): ["badDescription", "\(index)", why]
    case .described(let index, let report):
      ["described", "\(index)", report.id, report.version, report.runtime]
        + report.components.flatMap {
          ["\($0.kind)", $0.name, $0.summary, $0.schema, $0.documentation, $0.needs]
        }
    case .done: ["done"]
    }
  }

  /// A message from its fields; `nil` if they are none.
  init?(fields: [String]) {
    let index = fields.count > 1 ? Int(fields[1]) : nil
    switch (fields.first, index, fields.count) {
    case ("opening", let index?, 2): self = .opening(index: index)
    case ("entering", let index?, 2): self = .entering(index: index)
    case ("cannotOpen", let index?, 3): self = .refused(index: index, .cannotOpen(fields[2]))
    case ("noEntry", let index?, 2): self = .refused(index: index, .noEntry)
    case ("otherInterface", let index?, 3):
      guard let version = Int(fields[2]) else { return nil }
      self = .refused(index: index, .otherInterface(version))
    case ("entryFailed", let index?, 3): self = .refused(index: index, .entryFailed(fields[2]))
    case ("badDescription", let index?, 3): self = .refused(index: index, .badDescription(fields[2]))
    case ("described", let index?, 5...):
      guard let report = PluginReport(fields: fields[2...]) else { return nil }
      self = .described(index: index, report)
    case ("done", nil, 1): self = .done
    default: return nil
    }
  }
}

extension PluginReport {
  fileprivate init?(fields: ArraySlice<String>) {
    let fields = Array(fields)
    guard fields.count % 6 == 3 else { return nil }
    (id, version, runtime) = (fields[0], fields[1], fields[2])
    components = []
    for start in stride(from: 3, to: fields.count, by: 6) {
      guard let kind = Int32(fields[start]) else { return nil }
      components.append(
        Component(
          kind: kind, name: fields[start + 1], summary: fields[start + 2], schema: fields[start + 3],
          documentation: fields[start + 4], needs: fields[start + 5]))
    }
  }
}

/// Puts messages together from the bytes of the channel, however they are cut.
struct ProbeMessageReader {
  /// Whether something else than the probe wrote into the channel; nothing is read after that.
  private(set) var isGarbled = false
  private var rest: [UInt8] = []
  private var fields: [String] = []

  /// The messages that these bytes complete.
  mutating func read(_ bytes: some Sequence<UInt8>) -> [ProbeMessage] {
    var messages: [ProbeMessage] = []
    for byte in bytes where !isGarbled {
      guard byte == 0 else {
        rest.append(byte)
        continue
      }
      fields.append(String(decoding: rest, as: UTF8.self))
      rest.removeAll(keepingCapacity: true)
      let count = Int(fields[0])
      if fields.count - 1 == count {
        let message = ProbeMessage(fields: Array(fields.dropFirst()))
        fields.removeAll()
        if let message { messages.append(message) } else { isGarbled = true }
      } else if count == nil {
        isGarbled = true
      }
    }
    return messages
  }
}

/// What a report of the probe says, for tests of its reader with reports that no probe would write.
package struct ProbeReport: Equatable {
  private let messages: [ProbeMessage]
  private let isGarbled: Bool

  /// Reads the bytes of a channel, as they arrive.
  package init(reading parts: [[UInt8]]) {
    var reader = ProbeMessageReader()
    messages = parts.flatMap { reader.read($0) }
    isGarbled = reader.isGarbled
  }
}
