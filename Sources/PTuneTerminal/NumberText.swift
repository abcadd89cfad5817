/// Numbers as people read them.
public enum NumberText {
  /// With commas between thousands: "22,713,216".
  public static func grouped(_ number: Int) -> String {
    var digits = Array(String(number.magnitude))
    var place = digits.count - 3
    while place > 0 {
      digits.insert(",", at: place)
      place -= 3
    }
    return (number < 0 ? "-" : "") + String(digits)
  }

  /// With so many digits after the point: "0.8125". What is not finite is said in words.
  public static func fixed(_ number: Double, _ digits: Int) -> String {
    guard number.isFinite, abs(number) < 1e15 else { return "\(number)" }
    let scale = (0..<digits).reduce(1.0) { power, _ in power * 10 }
    let scaled = (abs(number) * scale).rounded()
    let whole = (scaled / scale).rounded(.down)
    let sign = number < 0 && scaled > 0 ? "-" : ""
    guard digits > 0 else { return "\(sign)\(Int(whole))" }
    let fraction = String(Int(scaled - whole * scale))
    return "\(sign)\(Int(whole)).\(String(repeating: "0", count: max(0, digits - fraction.count)))\(fraction)"
  }

  /// With three or four digits, however large or small it is: "0.0123", "1.5e-7".
  public static func significant(_ number: Double) -> String {
    guard number.isFinite, number != 0, abs(number) < 0.001 || abs(number) >= 10_000 else {
      return "\((number * 10_000).rounded() / 10_000)"
    }
    var (digits, exponent) = (number, 0)
    while abs(digits) >= 10 { (digits, exponent) = (digits / 10, exponent + 1) }
    while abs(digits) < 1 { (digits, exponent) = (digits * 10, exponent - 1) }
    return "\((digits * 100).rounded() / 100)e\(exponent)"
  }

  /// A share in percent, small ones with more digits: "0.41 %".
  public static func percent(_ share: Double) -> String {
    let percent = share * 100
    return "\(fixed(percent, percent >= 10 ? 1 : percent >= 0.1 ? 2 : 4)) %"
  }

  /// Seconds as a clock shows them: "1:05", "2:01:09".
  public static func clock(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 1e9 else { return "?" }
    let total = Int(seconds.rounded(.up))
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let (hours, minutes) = (total / 3600, total / 60 % 60)
    return hours > 0 ? "\(hours):\(two(minutes)):\(two(total % 60))" : "\(minutes):\(two(total % 60))"
  }
}
