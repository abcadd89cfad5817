import CPTune
import PTune

/// `ptune.forward/1`
enum ForwardTable {
  nonisolated(unsafe) static let table = staticPointer(
    ptune_forward_v1(
      struct_size: MemoryLayout<ptune_forward_v1>.size,
      rows: { pointer, out in
        guard let pass = Session.current?.object(pointer, .forward, ForwardPass.self) else { return }
        out?.pointee = ptune_rows_v1(
          count: pass.layout.rows.count, positions: pass.positions.pointer,
          token_types: pass.tokenTypes.pointer)
      },
      input_rows: { pointer, table in
        guard let recorder = Recorder("input_rows"), let table = recorder.node(table),
          let pass = recorder.session.object(pointer, .forward, ForwardPass.self)
        else { return nil }
        return pass.inputRows(table, recorder)
      },
      linear: { pointer, x, weight, bias, hasBias in
        guard let recorder = Recorder("linear"),
          let pass = recorder.session.object(pointer, .forward, ForwardPass.self)
        else { return nil }
        return pass.linear(x, weight, bias, hasBias, recorder)
      },
      key_rows: { pointer, layer, x in
        guard let recorder = Recorder("key_rows"), let x = recorder.node(x),
          let pass = recorder.session.object(pointer, .forward, ForwardPass.self)
        else { return nil }
        return pass.keyRows(layer, x, recorder)
      },
      attention: { pointer, layer, q, k, v, heads, keyValueHeads in
        guard let recorder = Recorder("attention"), let q = recorder.node(q), let k = recorder.node(k),
          let v = recorder.node(v), let pass = recorder.session.object(pointer, .forward, ForwardPass.self)
        else { return nil }
        return pass.attention(layer, q, k, v, heads, keyValueHeads, GivenTerms(), recorder)
      },
      rotate_queries: { pointer, x, heads, rotation in
        rotate("rotate_queries", pointer, x, heads, rotation) { pass, _ in pass.layout.positions }
      },
      rotate_keys: { pointer, layer, x, heads, rotation in
        rotate("rotate_keys", pointer, x, heads, rotation) { pass, recorder in
          pass.keyPositions(layer, recorder)
        }
      }))

  private static func rotate(
    _ name: String, _ pointer: OpaquePointer?, _ x: OpaquePointer?, _ heads: Int,
    _ rotation: UnsafePointer<ptune_rotation_v1>?, _ positions: (ForwardPass, Recorder) -> [Int32]?
  ) -> OpaquePointer? {
    guard let recorder = Recorder(name), let x = recorder.node(x), let rotation = rotation?.pointee,
      let pass = recorder.session.object(pointer, .forward, ForwardPass.self),
      let frequencies = recorder.array(rotation.frequencies, rotation.pairs, "frequencies"),
      let positions = positions(pass, recorder)
    else { return nil }
    return pass.rotate(
      x, heads, RotaryAngles(frequencies: frequencies, scale: rotation.scale),
      isInterleaved: rotation.interleaved, positions, recorder)
  }
}

/// `ptune.batch/1`
enum BatchTable {
  nonisolated(unsafe) static let table = staticPointer(
    ptune_batch_v1(
      struct_size: MemoryLayout<ptune_batch_v1>.size,
      sequences: { pointer, out in
        guard let batch = Session.current?.object(pointer, .batch, BatchView.self) else { return }
        out?.pointee = batch.sequences
      },
      places: { pointer, out in
        guard let session = Session.current,
          let batch = session.object(pointer, .batch, BatchView.self)
        else { return ptune_status(PTUNE_FAILED) }
        guard let places = batch.places else {
          session.record("places are known only in a task head, once the adapter has injected")
          return ptune_status(PTUNE_UNSUPPORTED)
        }
        out?.pointee = places
        return ptune_status(PTUNE_OK)
      },
      targets: { pointer, out in
        guard let batch = Session.current?.object(pointer, .batch, BatchView.self) else { return }
        out?.pointee = batch.targets
      }))
}

/// `ptune.injections/1`
enum InjectionsTable {
  nonisolated(unsafe) static let table = staticPointer(
    ptune_injections_v1(
      struct_size: MemoryLayout<ptune_injections_v1>.size,
      input: { pointer, rows, placement, perSequence in
        inject(pointer, "input", [rows], perSequence) { recorder, set, nodes, facts in
          guard let placement = Placement(rawValue: placement) else { return "no placement \(placement)" }
          guard nodes[0].columns == facts.hidden_size else {
            return "rows \(nodes[0].shapeText) for a hidden size of \(facts.hidden_size)"
          }
          set.inputs.append(.init(rows: nodes[0], placement: placement, perSequence: perSequence))
          return nil
        }
      },
      hidden_prefix: { pointer, layer, rows, perSequence in
        inject(pointer, "hidden_prefix", [rows], perSequence) { recorder, set, nodes, facts in
          guard (0..<facts.layers).contains(layer) else { return "layer \(layer) of \(facts.layers)" }
          guard nodes[0].columns == facts.hidden_size else {
            return "rows \(nodes[0].shapeText) for a hidden size of \(facts.hidden_size)"
          }
          set.prefixes[layer, default: []].append(
            .init(rows: nodes[0], values: nil, perSequence: perSequence))
          return nil
        }
      },
      key_value_prefix: { pointer, layer, keys, values, perSequence in
        inject(pointer, "key_value_prefix", [keys, values], perSequence) { recorder, set, nodes, facts in
          guard (0..<facts.layers).contains(layer) else { return "layer \(layer) of \(facts.layers)" }
          guard nodes[0].columns == facts.key_value_size, nodes[1].columns == facts.key_value_size,
            nodes[0].rows == nodes[1].rows
          else {
            return
              "keys \(nodes[0].shapeText) and values \(nodes[1].shapeText) for \(facts.key_value_size) columns"
          }
          set.prefixes[layer, default: []].append(
            .init(rows: nodes[0], values: nodes[1], perSequence: perSequence))
          return nil
        }
      },
      first_position: { pointer, position in
        inject(pointer, "first_position", [], false) { recorder, set, nodes, facts in
          guard (0...min(facts.positions, Int(Int32.max) / 2)).contains(position) else {
            return "position \(position) of \(facts.positions)"
          }
          let claimant = recorder.session.frame?.identity.component ?? "an adapter"
          if let (other, first) = set.firstPositionClaim, other != claimant {
            // 0 is where the text begins without being asked to.
            if position == 0 { return nil }
            if first > 0 {
              return
                "it puts the text's first token at position \(position), and \(other) puts it at \(first); "
                + "give one of them 'shift_positions: false'"
            }
          }
          set.firstPositionClaim = (claimant, position)
          set.firstPosition = position
          return nil
        }
      },
      loss: { pointer, scalar in
        inject(pointer, "loss", [scalar], false) { recorder, set, nodes, facts in
          guard nodes[0].count == 1 else { return "a loss of the shape \(nodes[0].shapeText)" }
          set.losses.append(nodes[0])
          return nil
        }
      }))

  /// Resolves the arguments of an injection and applies it; `apply` says what is wrong, or nil.
  private static func inject(
    _ pointer: OpaquePointer?, _ name: String, _ tensors: [OpaquePointer?], _ perSequence: Bool,
    _ apply: (Recorder, InjectionSet, [Node], ptune_base_facts_v1) -> String?
  ) -> ptune_status {
    guard let recorder = Recorder("injection of \(name)"),
      let set = recorder.session.object(pointer, .injections, InjectionSet.self),
      let facts = recorder.session.services.facts
    else { return ptune_status(PTUNE_FAILED) }
    let nodes = tensors.compactMap { recorder.node($0) }
    guard nodes.count == tensors.count else { return ptune_status(PTUNE_FAILED) }
    var wrong = apply(recorder, set, nodes, facts)
    if perSequence, let rows = nodes.first, rows.rows % max(1, set.batch.count) != 0 {
      wrong = "\(rows.rows) rows for \(set.batch.count) sequences"
    }
    guard let wrong else { return ptune_status(PTUNE_OK) }
    _ = recorder.fail(wrong)
    return ptune_status(PTUNE_BAD_ARGUMENT)
  }
}
