import CPTune

/// One component of a plugin: what the host needs to list, describe, create and call it.
public struct Component {
  let descriptor: UnsafePointer<ptune_component_v1>

  /// Describes a component whose `make` takes the declared hyperparameters, in their order and types.
  ///
  /// - Parameters:
  ///   - makeSelf: makes the component and returns it retained, as the C methods expect it.
  init<each Value: HyperparameterType>(
    kind: Int, name: String, summary: String, documentation: String, needs: [String],
    methods: UnsafeRawPointer, recommendation: UnsafeRawPointer? = nil,
    hyperparameters: (repeat Hyperparameter<each Value>),
    makeSelf: @escaping (repeat each Value) throws -> UnsafeMutableRawPointer
  ) {
    var declarations: [String] = []
    for declaration in repeat each hyperparameters { declarations.append(declaration.schema) }
    let function = String(name.map { $0 == "-" ? "_" : $0 })
    let schema = "\(function)(\(declarations.joined(separator: ", ")))"

    let construction = Construction { arguments in
      // Arguments 0 and 1 are the call and where to store `self`.
      var next = 2
      func argument<T: HyperparameterType>(_ type: T.Type) -> T {
        defer { next += 1 }
        // The host passes a pointer to each argument of the schema, none of them nil.
        return arguments[next].map { T.read($0) } ?? T.read(UnsafeRawPointer(Construction.zeros))
      }
      return try makeSelf(repeat argument((each Value).self))
    }

    // Descriptors and their strings are static by the ABI: they are made once and never freed.
    let component = UnsafeMutablePointer<ptune_component_v1>.allocate(capacity: 1)
    component.initialize(
      to: ptune_component_v1(
        struct_size: MemoryLayout<ptune_component_v1>.size, kind: ptune_kind(kind), name: staticString(name),
        summary: staticString(summary), schema: staticString(schema),
        documentation: staticString(documentation), needs: staticString(needs.joined(separator: " ")),
        methods: methods,
        create: Host.tables.closures?.pointee.make_create(
          schema, Construction.body, Unmanaged.passRetained(construction).toOpaque()),
        destroy: { pointer in
          if let pointer { Unmanaged<AnyObject>.fromOpaque(pointer).release() }
        },
        extension: ComponentExtensions.lookup))
    descriptor = UnsafePointer(component)
    ComponentExtensions.tables[UnsafeRawPointer(component)] = recommendation
  }
}

/// The extensions of this image's components: what they recommend, by the address of their descriptors, and what they read.
enum ComponentExtensions {
  // NB: `nonisolated(unsafe)` is sound: written in the entry function only, before any component is used.
  nonisolated(unsafe) static var tables: [UnsafeRawPointer: UnsafeRawPointer] = [:]
  /// `ptune.reads/1` of all components of the plugin.
  nonisolated(unsafe) static var reads: UnsafeRawPointer?

  static let lookup:
    @convention(c) (UnsafePointer<ptune_component_v1>?, UnsafePointer<CChar>?) -> UnsafeRawPointer? = {
      component, id in
      guard let component, let id else { return nil }
      return switch String(cString: id) {
      case PTUNE_RECOMMENDATION_V1: tables[UnsafeRawPointer(component)]
      case PTUNE_READS_V1: reads
      default: nil
      }
    }
}

/// Holds a component's typed initialiser behind the untyped closure of `ptune.closures/1`.
final class Construction {
  // Read in place of an argument that the host failed to pass: as any schema type this is zero or nothing.
  nonisolated(unsafe) static let zeros: UnsafeMutablePointer<Int64> = {
    let zeros = UnsafeMutablePointer<Int64>.allocate(capacity: 1)
    zeros.initialize(to: 0)
    return zeros
  }()

  let make: (UnsafePointer<UnsafeMutableRawPointer?>) throws -> UnsafeMutableRawPointer

  init(make: @escaping (UnsafePointer<UnsafeMutableRawPointer?>) throws -> UnsafeMutableRawPointer) {
    self.make = make
  }

  static let body:
    @convention(c) (
      UnsafeMutableRawPointer?, UnsafePointer<UnsafeMutableRawPointer?>?, Int
    ) -> ptune_status = { context, arguments, count in
      guard let context, let arguments, count >= 2,
        let call = arguments[0]?.load(as: OpaquePointer?.self),
        let target = arguments[1]?.load(as: UnsafeMutablePointer<UnsafeMutableRawPointer?>?.self)
      else { return ptune_status(PTUNE_FAILED) }
      return Host.status(in: call) {
        target.pointee = try Unmanaged<Construction>.fromOpaque(context).takeUnretainedValue().make(arguments)
      }
    }
}
