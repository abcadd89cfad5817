import PTunePlugins

/// What `ptune list-plugins --json` prints.
struct InventoryDocument: Encodable {
  struct Component: Encodable {
    let kind, name, version, summary, schema, file, plugin, runtime: String

    init(_ component: ComponentDescription) {
      kind = component.kind.rawValue
      name = component.name
      version = component.plugin.version
      summary = component.summary
      schema = component.schema.description
      file = component.plugin.file
      plugin = component.plugin.id
      runtime = component.plugin.runtime
    }
  }

  struct LeftOut: Encodable {
    let file: String
    let component: String?
    let reason: String
    let help: String?

    init(_ rejection: Rejection) {
      file = rejection.path
      component = rejection.component
      reason = rejection.reason.description
      help = rejection.help
    }
  }

  struct Hidden: Encodable {
    let file, by, reason: String

    init(_ shadowed: Shadowed) {
      file = shadowed.path
      by = shadowed.winner
      reason = shadowed.description
    }
  }

  struct Folder: Encodable {
    let path, origin, state: String

    init(_ searched: SearchedFolder) {
      path = searched.folder.path
      origin = searched.folder.origin.rawValue
      state = searched.state.description
    }
  }

  let components: [Component]
  let shadowed: [Hidden]
  let rejected: [LeftOut]
  let folders: [Folder]

  init(_ inventory: PluginInventory, components: [ComponentDescription]) {
    self.components = components.map(Component.init)
    shadowed = inventory.shadowed.map(Hidden.init)
    rejected = inventory.rejected.map(LeftOut.init)
    folders = inventory.folders.map(Folder.init)
  }
}
