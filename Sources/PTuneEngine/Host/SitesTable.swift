import CPTune
import PTune

/// `ptune.sites/1`
enum SitesTable {
  nonisolated(unsafe) static let table = staticPointer(
    ptune_sites_v1(
      struct_size: MemoryLayout<ptune_sites_v1>.size,
      declare: { _, pointer, name, layer, roles in
        guard let recorder = Recorder("declaring a site"), let name else { return ptune_status(PTUNE_FAILED) }
        let (session, text) = (recorder.session, String(cString: name))
        guard session.frame?.checkpoint != nil, session.frame?.method == "create",
          let weight = session.weight(pointer)
        else {
          _ = recorder.fail("'\(text)' has to be declared in a base model's create, with a weight")
          return ptune_status(PTUNE_BAD_ARGUMENT)
        }
        let site = Sites.Site(
          name: text, layer: layer, roles: roles, inputs: weight.columns, outputs: weight.rows)
        guard let wrong = session.services.sites.declare(weight, site) else { return ptune_status(PTUNE_OK) }
        _ = recorder.fail("'\(text)': \(wrong)")
        return ptune_status(PTUNE_BAD_ARGUMENT)
      },
      count: { _ in Session.current?.services.sites.all.count ?? 0 },
      site: { _, index, out in
        guard let session = Session.current, session.services.sites.all.indices.contains(index) else {
          return false
        }
        let site = session.services.sites.all[index]
        out?.pointee = ptune_site_v1(
          name: session.scopedString(site.name), layer: site.layer, roles: site.roles, inputs: site.inputs,
          outputs: site.outputs)
        return true
      },
      low_rank: { pointer, index, a, b, scale, dropout in
        attach(pointer, "low_rank", index, [a, b]) { site, nodes, added in
          guard nodes[0].columns == site.inputs, nodes[1].rows == site.outputs,
            nodes[0].rows == nodes[1].columns
          else {
            return "A \(nodes[0].shapeText) and B \(nodes[1].shapeText) for \(site.inputs) inputs and "
              + "\(site.outputs) outputs"
          }
          guard dropout >= 0, dropout < 1, scale.isFinite else {
            return
              "scale \(scale) and dropout \(dropout); the scale has to be finite and the dropout in [0, 1)"
          }
          added.deltas.append(.init(a: nodes[0], b: nodes[1], scale: scale, dropout: dropout))
          return nil
        }
      },
      scale_inputs: { pointer, index, factors in
        attach(pointer, "scale_inputs", index, [factors]) { site, nodes, added in
          guard nodes[0].rows == 1, nodes[0].columns == site.inputs else {
            return "factors \(nodes[0].shapeText) for \(site.inputs) inputs"
          }
          added.inputFactors.append(nodes[0])
          return nil
        }
      },
      scale_outputs: { pointer, index, factors in
        attach(pointer, "scale_outputs", index, [factors]) { site, nodes, added in
          guard nodes[0].rows == 1, nodes[0].columns == site.outputs else {
            return "factors \(nodes[0].shapeText) for \(site.outputs) outputs"
          }
          added.outputFactors.append(nodes[0])
          return nil
        }
      }))

  /// Resolves what is attached to a site; `apply` says what is wrong, or nil.
  private static func attach(
    _ pointer: OpaquePointer?, _ name: String, _ index: Int, _ tensors: [OpaquePointer?],
    _ apply: (Sites.Site, [Node], inout SiteInjection) -> String?
  ) -> ptune_status {
    guard let recorder = Recorder("injection of \(name)"),
      let set = recorder.session.object(pointer, .injections, InjectionSet.self)
    else { return ptune_status(PTUNE_FAILED) }
    let sites = recorder.session.services.sites.all
    let nodes = tensors.compactMap { recorder.node($0) }
    guard nodes.count == tensors.count else { return ptune_status(PTUNE_FAILED) }
    guard sites.indices.contains(index) else {
      _ = recorder.fail("site \(UInt(bitPattern: index)) of \(sites.count)")
      return ptune_status(PTUNE_BAD_ARGUMENT)
    }
    guard let wrong = apply(sites[index], nodes, &set.sites[index, default: SiteInjection()]) else {
      return ptune_status(PTUNE_OK)
    }
    _ = recorder.fail("'\(sites[index].name)': \(wrong)")
    return ptune_status(PTUNE_BAD_ARGUMENT)
  }
}
