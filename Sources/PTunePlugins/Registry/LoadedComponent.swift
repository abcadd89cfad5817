import CPTune

/// A component whose plugin is loaded into this process. Its tables live as long as the process.
public struct LoadedComponent {
  /// What it is.
  public let description: ComponentDescription
  /// Its table of functions.
  public let component: UnsafePointer<ptune_component_v1>

  /// Makes an instance: calls the plugin's C `create`.
  ///
  /// - Parameters:
  ///   - values: the same component's, as they were checked.
  ///   - call: the `ptune_call` that the plugin hands back to the host's functions.
  /// - Returns: `self` for the component's methods and for `destroy`; it may be NULL.
  /// - Throws: `ConstructionError` if `create` fails, where the host's `fail` was told why.
  public func create(_ values: CheckedComponent, call: OpaquePointer?) throws(ConstructionError)
    -> UnsafeMutableRawPointer?
  {
    precondition(values.description.schema == description.schema, "values of another component")
    guard let create = component.pointee.create else {
      throw ConstructionError.impossible(component: description.name)
    }
    return try construct(
      create, component: description.name, schema: description.schema, arguments: values.arguments,
      call: call)
  }

  /// Earlier major versions of its plugin whose adapters it reads, as it says (`ptune.reads/1`).
  public var readVersions: [String] {
    let found = component.pointee.extension?(component, PTUNE_READS_V1)
    guard let table = found?.assumingMemoryBound(to: ptune_reads_v1.self).pointee,
      table.struct_size == MemoryLayout<ptune_reads_v1>.size, let versions = table.versions
    else { return [] }
    return String(cString: versions).split(separator: " ").map(String.init)
  }

  /// Lets the plugin free an instance.
  public func destroy(_ instance: UnsafeMutableRawPointer?) {
    component.pointee.destroy?(instance)
  }

  /// The table of functions of its kind, for instance a `ptune_adapter_v1`.
  ///
  /// The caller names the type that belongs to `description.kind`; its `struct_size` was checked.
  public func methods<Table>(as type: Table.Type) -> UnsafePointer<Table>? {
    component.pointee.methods?.assumingMemoryBound(to: Table.self)
  }
}
