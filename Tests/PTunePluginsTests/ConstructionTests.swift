import CPTune
import Testing

@testable import PTunePlugins

@Suite("Construction through libffi")
struct ConstructionTests {
  @Test("a C create receives exactly the values of every type")
  func intoC() throws {
    let workshop = try Workshop()
    let component = try load(from: workshop)
    let call = OpaquePointer(bitPattern: 0x1230)
    let cases: [(values: [String: HyperparameterValue], seen: String)] = [
      (["i": .int(1)], "1 5000000000 0.100000001 1e-300 false <mean> -3"),
      (
        [
          "i": .int(-2_147_483_648), "l": .int(.min), "f": .double(1), "d": .int(3), "b": .bool(true),
          "s": .string("none"), "list": .strings(["", "caf\u{e9}", "a b"]), "last": .int(2_147_483_647),
        ], "-2147483648 -9223372036854775808 1 3 true <none> <> <caf\u{e9}> <a b> 2147483647"
      ),
    ]
    for (values, expected) in cases {
      let instance = try component.create(CheckedComponent(component.description, values), call: call)
      #expect(instance == UnsafeMutableRawPointer(bitPattern: 0x1230))
      let seen = try seen(by: component)
      #expect(seen == expected)
      component.destroy(instance)
    }
    let destructions = try #require(ability(of: component, "test.destructions/1"))
    #expect(destructions.load(as: Int32.self) == 2)
  }

  @Test("the status of a create that refuses is an error, and a value that does not fit never reaches it")
  func refusals() throws {
    let workshop = try Workshop()
    let component = try load(from: workshop)
    #expect(throws: ConstructionError.refused(component: "every-type", status: badArgument)) {
      try component.create(CheckedComponent(component.description, ["i": .int(13)]), call: nil)
    }
    #expect(throws: HyperparameterError.self) {
      try component.create(CheckedComponent(component.description, ["i": .int(101)]), call: nil)
    }
    #expect(try seen(by: component).hasPrefix("13 "))
  }

  @Test("a function made from a schema receives exactly what C passes to it")
  func outOfC() throws {
    let workshop = try Workshop()
    let component = try load(from: workshop)
    let record = Record()
    let function = makeClosure(
      "made(int i, long l, float f, double d, bool b, string s, strings list, int last)", record)
    let made = try #require(function)
    typealias Caller =
      @convention(c) (
        @convention(c) () -> Void, OpaquePointer?, UnsafeMutablePointer<UnsafeMutableRawPointer?>
      ) -> ptune_status
    let address = try #require(ability(of: component, "test.call/1"))
    var instance: UnsafeMutableRawPointer?
    let status = unsafeBitCast(address, to: Caller.self)(made, OpaquePointer(bitPattern: 0x50), &instance)
    #expect(status == 3)
    #expect(instance == UnsafeMutableRawPointer(bitPattern: 0x50))
    #expect(record.text == "10: -7 \(Int64.max) 0.1 -2.5e-300 true café [\"x\", \"y z\"] 42")
  }

  @Test("arguments beyond the registers arrive too")
  func manyArguments() throws {
    let parameters = (0..<24).map { (index: Int) -> String in
      index % 2 == 0 ? "int i\(index)=\(index)" : "double d\(index)=\(index).5"
    }
    let text = "many(\(parameters.joined(separator: ", ")))"
    let total = Total()
    let context = Unmanaged.passRetained(total).toOpaque()
    let function = makeClosuresInterface().pointee.make_create(
      text,
      { context, arguments, count in
        guard let context, let arguments else { return 1 }
        let total = Unmanaged<Total>.fromOpaque(context).takeUnretainedValue()
        for index in 2..<count {
          guard let argument = arguments[index] else { return 1 }
          total.values.append(
            index % 2 == 0 ? Double(argument.load(as: Int32.self)) : argument.load(as: Double.self))
        }
        return 0
      }, context)
    let made = try #require(function)
    let schema = try Schema(parsing: text)
    let arguments = try schema.arguments(from: [:])
    #expect(try construct(made, component: "many", schema: schema, arguments: arguments, call: nil) == nil)
    let expected = (0..<24).map { (index: Int) -> Double in Double(index) + (index % 2 == 0 ? 0 : 0.5) }
    #expect(total.values == expected)
  }

  @Test("a malformed schema makes no function")
  func malformed() {
    let made = makeClosure("made(flaot x)", Record())
    #expect(made == nil)
  }

  @Test("a component that is not there is an error that names the nearest")
  func unknown() throws {
    let workshop = try Workshop()
    try workshop.build("typed")
    let registry = PluginRegistry(
      host: testHost, search: workshop.search([workshop.folder]), prober: try workshop.prober())
    let misspelt = try #require(throws: UnknownComponentError.self) {
      try registry.load(.adapter, named: "evry-type")
    }
    #expect(misspelt.description == "there is no adapter 'evry-type'")
    #expect(misspelt.help == "did you mean 'every-type'?")
    let otherKind = try #require(throws: UnknownComponentError.self) {
      try registry.load(.selector, named: "every-type")
    }
    #expect(otherKind.help == "'every-type' is an adapter")
  }

  @Test("a file that is another plugin than when it was probed is not used")
  func replaced() throws {
    let workshop = try Workshop()
    try workshop.build("good", as: "changing")
    let registry = PluginRegistry(
      host: testHost, search: workshop.search([workshop.folder]), prober: try workshop.prober())
    #expect(registry.inventory.components.map(\.name) == ["good"])
    let file = try workshop.build("typed", as: "changing")
    let error = try #require(throws: Rejection.self) { try registry.load(.adapter, named: "good") }
    #expect(error.path == file)
  }

  private func load(from workshop: Workshop) throws -> LoadedComponent {
    try workshop.build("typed")
    let registry = PluginRegistry(
      host: testHost, search: workshop.search([workshop.folder]), prober: try workshop.prober())
    return try registry.load(.adapter, named: "every-type")
  }

  private func ability(of component: LoadedComponent, _ id: String) -> UnsafeRawPointer? {
    component.component.pointee.extension?(component.component, id)
  }

  private func seen(by component: LoadedComponent) throws -> String {
    let text = try #require(ability(of: component, "test.seen/1"))
    return String(cString: text.assumingMemoryBound(to: CChar.self))
  }
}

private let badArgument = Int32(PTUNE_BAD_ARGUMENT)

private final class Total {
  var values: [Double] = []
}

private final class Record {
  var text = ""
}

/// A C function with the schema's arguments that writes them down, stores the call as `self` and returns 3.
private func makeClosure(_ schema: String, _ record: Record) -> (@convention(c) () -> Void)? {
  makeClosuresInterface().pointee.make_create(
    schema,
    { context, arguments, count in
      guard let context, let arguments, count == 10 else { return 1 }
      let list = value(arguments, 8, as: UnsafePointer<ptune_strings_v1>.self)?.pointee
      let items = (0..<(list?.count ?? 0)).map { list?.items[$0].map { String(cString: $0) } ?? "" }
      let record = Unmanaged<Record>.fromOpaque(context).takeUnretainedValue()
      let numbers: [String] = [
        "\(value(arguments, 2, as: Int32.self) ?? 0)", "\(value(arguments, 3, as: Int64.self) ?? 0)",
        "\(value(arguments, 4, as: Float.self) ?? 0)",
        "\(value(arguments, 5, as: Double.self) ?? 0)", "\(value(arguments, 6, as: Bool.self) ?? false)",
      ]
      let text = value(arguments, 7, as: UnsafePointer<CChar>.self).map { String(cString: $0) } ?? ""
      let last = value(arguments, 9, as: Int32.self) ?? 0
      record.text = "\(count): \(numbers.joined(separator: " ")) \(text) \(items) \(last)"
      let place = value(arguments, 1, as: UnsafeMutablePointer<UnsafeMutableRawPointer?>.self)
      place?.pointee = value(arguments, 0, as: OpaquePointer.self).map { UnsafeMutableRawPointer($0) }
      return 3
    }, Unmanaged.passRetained(record).toOpaque())
}

private func value<Value>(
  _ arguments: UnsafePointer<UnsafeMutableRawPointer?>, _ index: Int, as type: Value.Type
) -> Value? {
  arguments[index]?.load(as: type)
}

/// A host that has closures and nothing else. Written once and never changed.
nonisolated(unsafe) private let testHost: UnsafePointer<ptune_host_v1> = {
  let host = UnsafeMutablePointer<ptune_host_v1>.allocate(capacity: 1)
  host.initialize(
    to: ptune_host_v1(
      struct_size: MemoryLayout<ptune_host_v1>.size, abi_major: 1, abi_minor: 0, version: nil,
      interface_for: { _ in UnsafeRawPointer(makeClosuresInterface()) }, fail: { _, _, _ in },
      log: { _, _, _ in }, cancelled: { _ in false }, random: { _ in 4 }))
  return UnsafePointer(host)
}()
