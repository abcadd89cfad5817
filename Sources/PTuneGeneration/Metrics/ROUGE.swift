/// ROUGE-L of a text (Lin 2004, https://aclanthology.org/W04-1013), from 0 to 1, as the package rouge-score computes it
/// without stemming: the F-measure of the longest common subsequence of words, of the reference that fits best.
enum ROUGE {
  static func l(_ text: String, references: [String]) -> Double {
    let words = words(text)
    return references.map { fMeasure(words, self.words($0)) }.max() ?? 0
  }

  private static func fMeasure(_ words: [String], _ reference: [String]) -> Double {
    let common = Double(longestCommon(words, reference))
    guard common > 0 else { return 0 }
    let (precision, recall) = (common / Double(words.count), common / Double(reference.count))
    return 2 * precision * recall / (precision + recall)
  }

  /// Runs of the letters a to z and digits, in small letters.
  private static func words(_ text: String) -> [String] {
    text.lowercased().utf8.split { byte in
      !(UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
        && !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }.map { String(decoding: $0, as: UTF8.self) }
  }

  private static func longestCommon(_ a: [String], _ b: [String]) -> Int {
    // row[j]: of what was seen of a and the first j words of b.
    var row = [Int](repeating: 0, count: b.count + 1)
    for word in a {
      var diagonal = 0
      for j in b.indices {
        let above = row[j + 1]
        row[j + 1] = word == b[j] ? diagonal + 1 : max(above, row[j])
        diagonal = above
      }
    }
    return row[b.count]
  }
}
