import PTuneLibc

/// Dates in headers (RFC 9110, section 5.6.7).
enum HTTPDate {
  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// Seconds since 1970 of a date in any of the three forms: "Sun, 06 Nov 1994 08:49:37 GMT",
  /// "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"; nil for what is no date.
  static func seconds(_ text: String) -> Double? {
    var parts = text.split { " ,-:".contains($0) }.map(String.init)
    // The old form of C's asctime has the month first and the year last.
    if parts.count == 7 {
      parts = [parts[0], parts[2], parts[1], parts[6], parts[3], parts[4], parts[5], "GMT"]
    }
    guard parts.count == 8, parts[7] == "GMT", let month = months.firstIndex(of: parts[2]),
      var year = Int(parts[3]), (0...9999).contains(year), let day = Int(parts[1]), (1...31).contains(day),
      let hour = Int(parts[4]), (0..<24).contains(hour), let minute = Int(parts[5]),
      (0..<60).contains(minute),
      let second = Int(parts[6]), (0...60).contains(second)
    else { return nil }
    if parts[3].utf8.count == 2 { year += year < 70 ? 2000 : 1900 }
    return Double(((days(year, month + 1, day) * 24 + hour) * 60 + minute) * 60 + second)
  }

  /// Days since 1970 in the Gregorian calendar. Years begin in March here, so that leap days end them.
  private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let year = month > 2 ? year : year - 1
    let beforeMonth = ((month + 9) % 12 * 153 + 2) / 5
    return year * 365 + year / 4 - year / 100 + year / 400 + beforeMonth + day - 719_469
  }

  /// Seconds since 1970, by this machine's clock.
  static var now: Double { Double(time(nil)) }
}
