import CPTuneCurl

/// An exchange that did not come to its end.
struct TransferError: Error, Equatable {
  /// What kind of trouble it was.
  enum Kind {
    /// The host's name leads nowhere: most often there is no network.
    case noHost
    /// Nothing answers.
    case noConnection
    /// Nothing arrived for too long.
    case slow
    /// The connection was cut.
    case cut
    /// The certificate, or the encryption, is not in order.
    case encryption
    /// Anything else.
    case other
  }

  let kind: Kind
  /// In libcurl's words.
  let message: String

  init(_ result: ptune_curl_result) {
    // Numbers of libcurl's interface, CURLE_….
    kind =
      switch result.code {
      case 5, 6: .noHost
      case 7: .noConnection
      case 28: .slow
      case 16, 18, 52, 55, 56, 92: .cut
      case 35, 51, 53, 54, 58, 59, 60, 64, 66, 77, 80, 82, 83, 90, 91: .encryption
      default: .other
      }
    message = withUnsafeBytes(of: result.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }

  init(_ kind: Kind, _ message: String) { (self.kind, self.message) = (kind, message) }

  /// Whether trying again soon may help.
  var isPassing: Bool { kind == .slow || kind == .cut }
}
