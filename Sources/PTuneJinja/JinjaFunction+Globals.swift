import PTuneLibc

extension JinjaFunction {
  /// What transformers gives a chat template beside its variables.
  static var all: [JinjaFunction] {
    [
      JinjaFunction(name: "raise_exception") { arguments, _ throws(JinjaError) in
        throw JinjaError(try arguments.first?.text() ?? "", isRefusal: true)
      },
      JinjaFunction(name: "namespace") { _, named throws(JinjaError) in
        let space = JinjaNamespace()
        space.members = named
        return .namespace(space)
      },
      JinjaFunction(name: "dict") { _, named throws(JinjaError) in .dictionary(named) },
      JinjaFunction(name: "range") { arguments, _ throws(JinjaError) in
        let bounds = arguments.compactMap(\.integer)
        guard (1...3).contains(bounds.count), bounds.count == arguments.count else {
          throw JinjaError("'range' takes one to three integers")
        }
        let step = bounds.count == 3 ? bounds[2] : 1
        let (from, to) = bounds.count == 1 ? (0, bounds[0]) : (bounds[0], bounds[1])
        guard step != 0, abs(Double(to) - Double(from)) / abs(Double(step)) <= 100_000 else {
          throw JinjaError("a 'range' of this many numbers")
        }
        return .list(stride(from: from, to: to, by: step).map { .int($0) })
      },
      JinjaFunction(name: "strftime_now") { arguments, _ throws(JinjaError) in
        var (now, parts) = (time(nil), tm())
        localtime_r(&now, &parts)
        var bytes = [CChar](repeating: 0, count: 256)
        let count = strftime(&bytes, bytes.count, try arguments.first?.text() ?? "%Y-%m-%d", &parts)
        return .string(String(decoding: bytes.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self))
      },
    ]
  }
}
