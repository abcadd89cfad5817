import CPTune

/// What a plugin says of itself: the texts of its description, copied, and nothing judged yet.
struct PluginReport: Hashable, Sendable {
  var id: String
  var version: String
  var runtime: String
  var components: [Component]

  struct Component: Hashable, Sendable {
    var kind: Int32
    var name: String
    var summary: String
    var schema: String
    var documentation: String
    var needs: String
  }
}

/// A rule of ptune.h that a description breaks.
struct DescriptionError: Error {
  let text: String
}

extension PluginReport {
  /// Copies a description after checking that its tables are those of this version and complete.
  init(reading plugin: UnsafePointer<ptune_plugin_v1>) throws(DescriptionError) {
    let table = plugin.pointee
    try checkSize(table.struct_size, of: ptune_plugin_v1.self, "the plugin")
    id = try text(table.id, "the plugin's id")
    version = try text(table.version, "the plugin's version")
    runtime = try optionalText(table.runtime, "the plugin's runtime")
    components = []
    guard table.component_count > 0, let list = table.components else {
      throw DescriptionError(text: "it contains no component")
    }
    guard table.component_count <= 1000 else {
      throw DescriptionError(text: "it claims to hold \(table.component_count) components")
    }
    for index in 0..<table.component_count {
      guard let component = list[index] else { throw DescriptionError(text: "component \(index) is NULL") }
      components.append(try Component(reading: component, "component \(index)"))
    }
  }
}

extension PluginReport.Component {
  fileprivate init(reading component: UnsafePointer<ptune_component_v1>, _ place: String)
    throws(DescriptionError)
  {
    let table = component.pointee
    try checkSize(table.struct_size, of: ptune_component_v1.self, place)
    kind = table.kind
    name = try text(table.name, "the name of \(place)")
    summary = try text(table.summary, "the summary of '\(name)'")
    schema = try text(table.schema, "the schema of '\(name)'")
    documentation = try optionalText(table.documentation, "the documentation of '\(name)'")
    needs = try optionalText(table.needs, "the needs of '\(name)'")
    guard table.create != nil else { throw DescriptionError(text: "'\(name)' has no create") }
    guard let methods = table.methods else { throw DescriptionError(text: "'\(name)' has no methods") }
    try checkMethods(methods, of: table.kind, component: name)
  }
}

/// Checks that the table of functions is the one of its kind and that no required function is missing.
private func checkMethods(_ methods: UnsafeRawPointer, of kind: ptune_kind, component: String)
  throws(DescriptionError)
{
  let missing: String?
  switch Int(kind) {
  case Int(PTUNE_BASE_MODEL):
    let table = try methodTable(methods, ptune_base_model_v1.self, component)
    missing =
      table.facts == nil
      ? "facts" : table.word_table == nil ? "word_table" : table.forward == nil ? "forward" : nil
  case Int(PTUNE_ADAPTER):
    let table = try methodTable(methods, ptune_adapter_v1.self, component)
    missing = table.positions == nil ? "positions" : table.inject == nil ? "inject" : nil
  case Int(PTUNE_SELECTOR):
    let table = try methodTable(methods, ptune_selector_v1.self, component)
    missing = table.weights == nil ? "weights" : nil
  case Int(PTUNE_TASK_HEAD):
    let table = try methodTable(methods, ptune_task_head_v1.self, component)
    missing =
      table.encode == nil
      ? "encode"
      : table.scores == nil
        ? "scores"
        : table.loss == nil
          ? "loss" : table.predict == nil ? "predict" : table.measure == nil ? "measure" : nil
  default: missing = nil  // A kind of a later version: it will be skipped.
  }
  if let missing { throw DescriptionError(text: "'\(component)' lacks the method `\(missing)`") }
}

private func methodTable<Table>(_ methods: UnsafeRawPointer, _ type: Table.Type, _ component: String)
  throws(DescriptionError) -> Table
{
  // Every table begins with its size: only if that is right may the rest be read.
  try checkSize(methods.load(as: Int.self), of: type, "the methods of '\(component)'")
  return methods.load(as: Table.self)
}

private func checkSize<Table>(_ size: Int, of type: Table.Type, _ place: String) throws(DescriptionError) {
  let expected = MemoryLayout<Table>.size
  guard size == expected else {
    throw DescriptionError(
      text:
        "\(place) has struct_size \(size) where \(type) has \(expected): it was built with another ptune.h")
  }
}

private func text(_ pointer: UnsafePointer<CChar>?, _ place: String) throws(DescriptionError) -> String {
  guard let pointer, pointer.pointee != 0 else { throw DescriptionError(text: "\(place) is missing") }
  return try optionalText(pointer, place)
}

private func optionalText(_ pointer: UnsafePointer<CChar>?, _ place: String) throws(DescriptionError)
  -> String
{
  guard let pointer else { return "" }
  guard let text = String(validatingCString: pointer) else {
    throw DescriptionError(text: "\(place) is not UTF-8")
  }
  return text
}
