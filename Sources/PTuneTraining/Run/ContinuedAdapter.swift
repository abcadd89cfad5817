import PTuneAdapters
import PTuneComposition
import PTuneFormats
import PTuneRunFile

/// A trained adapter that a run goes on from, whose components are those that the run names.
struct ContinuedAdapter {
  /// The adapter on the run's base model.
  let opened: OpenedAdapter
  /// Where the run names it.
  let place: RunPlace

  /// What the folder says.
  var folder: AdapterFolder { opened.folder }

  /// Opens the adapter.
  ///
  /// - Throws: ``TrainingError/otherAdapter(_:reason:help:)`` if the run names other adapters, and what is wrong with its
  ///   files.
  init(
    _ path: Located<String>, _ spec: RunSpec, resolver: ModelResolver,
    log: (_ level: Int32, _ message: String) -> Void
  ) throws {
    place = path.place
    opened = try OpenedAdapter(
      path.value, baseModel: spec.base.model.value, resolver: resolver, log: log
    ).trainable()
    guard spec.adapters.count == folder.adapters.count else {
      throw refused(
        at: spec.adapters[0].plugin.place,
        "the adapters of \(folder.path) are \(folder.adapters.map(\.plugin).joined(separator: ", "))",
        help: "name them all, in this order")
    }
    for (given, own) in zip(spec.adapters, folder.adapters) { try check("adapter", given, own) }
  }

  /// A component of the run has to be the adapter's.
  ///
  /// - Throws: ``TrainingError/otherAdapter(_:reason:help:)``.
  func check(_ kind: String, _ given: ComponentSpec?, _ own: ComponentChoice?) throws(TrainingError) {
    switch (given?.plugin, own?.plugin) {
    case (let given?, nil):
      throw refused(
        at: given.place, "the adapter \(folder.path) has no \(kind)", help: "remove the '\(kind)' section")
    case (let given?, let own?) where given.value != own:
      throw refused(
        at: given.place, "the \(kind) of \(folder.path) is '\(own)', not '\(given.value)'",
        help: "a run goes on with the components that the adapter has: name '\(own)'")
    case (nil, let own?):
      throw refused(
        "the \(kind) of \(folder.path) is '\(own)', and the run names none",
        help: "a run goes on with the components that the adapter has: name '\(own)'")
    default: break
    }
  }

  /// Why the run cannot go on from the adapter.
  ///
  /// - Parameter other: where the run says what does not fit; nil for where it names the adapter.
  func refused(at other: RunPlace? = nil, _ reason: String, help: String) -> TrainingError {
    .otherAdapter(other ?? place, reason: reason, help: help)
  }
}
