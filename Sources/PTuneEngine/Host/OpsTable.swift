import CPTune

/// `ptune.ops/1`: what each function does is said in the header; shapes are checked by ``Recorder``.
enum OpsTable {
  nonisolated(unsafe) static let table = staticPointer(
    ptune_ops_v1(
      struct_size: MemoryLayout<ptune_ops_v1>.size,
      shape: { x, rows, columns in
        let node = x == nil ? nil : Session.current?.node(x, "shape")
        rows?.pointee = node?.rows ?? 0
        columns?.pointee = node?.columns ?? 0
      },
      read: { x, out in
        guard let recorder = Recorder("read"), let node = recorder.node(x), let out else {
          return ptune_status(PTUNE_FAILED)
        }
        do {
          let values = try recorder.session.evaluate(node)
          out.update(from: values, count: values.count)
          return ptune_status(PTUNE_OK)
        } catch {
          recorder.session.record("\(error)")
          return ptune_status(PTUNE_FAILED)
        }
      },
      constant: { _, rows, columns, values in
        guard let recorder = Recorder("constant"), let count = recorder.count(rows, columns),
          let values = recorder.array(values, count, "values")
        else { return nil }
        return recorder.constant(values, rows: rows, columns: columns)
      },
      fill: { _, rows, columns, value in
        guard let recorder = Recorder("fill"), let count = recorder.count(rows, columns) else { return nil }
        return recorder.constant(Array(repeating: value, count: count), rows: rows, columns: columns)
      },
      unary: { function, x in
        guard let recorder = Recorder("unary") else { return nil }
        guard let operation = UnaryOperation(function) else {
          return recorder.fail("no function \(function)")
        }
        return recorder.keepShape(operation, x)
      },
      binary: { function, a, b in Recorder("binary")?.binary(function, a, b) },
      affine: { x, scale, shift in
        Recorder("affine")?.keepShape(AffineOperation(scale: scale, shift: shift), x)
      },
      dropout: { x, probability in
        guard let recorder = Recorder("dropout") else { return nil }
        guard probability >= 0, probability < 1 else {
          return recorder.fail("probability \(probability) is not in [0, 1)")
        }
        let operation = DropoutOperation(probability: probability, seed: recorder.session.generator.next())
        return recorder.keepShape(operation, x)
      },
      stop_gradient: { x in
        guard let recorder = Recorder("stop_gradient"), let x = recorder.node(x) else { return nil }
        return recorder.session.handle(
          for: Node(
            StopGradientOperation(), [x], rows: x.rows, columns: x.columns, needsGradient: false))
      },
      matmul: { a, transposeA, b, transposeB in Recorder("matmul")?.matmul(a, transposeA, b, transposeB) },
      linear: { x, weight, bias, hasBias in Recorder("linear")?.linear(x, weight, bias, hasBias) },
      transpose: { x in
        guard let recorder = Recorder("transpose"), let x = recorder.node(x) else { return nil }
        return recorder.add(TransposeOperation(), [x], rows: x.columns, columns: x.rows)
      },
      reshape: { x, rows, columns in Recorder("reshape")?.reshape(x, rows, columns) },
      layer_norm: { x, gain, bias, epsilon in
        Recorder("layer_norm")?.norm(LayerNormOperation(epsilon: epsilon), x, [gain, bias])
      },
      rms_norm: { x, gain, epsilon in
        Recorder("rms_norm")?.norm(RMSNormOperation(epsilon: epsilon), x, [gain])
      },
      softmax: { x in Recorder("softmax")?.keepShape(SoftmaxOperation(logarithm: false), x) },
      log_softmax: { x in Recorder("log_softmax")?.keepShape(SoftmaxOperation(logarithm: true), x) },
      sum: { x, axis in Recorder("sum")?.sum(x, axis, mean: false) },
      mean: { x, axis in Recorder("mean")?.sum(x, axis, mean: true) },
      gather_rows: { x, rows, count in
        guard let recorder = Recorder("gather_rows"), let rows = recorder.array(rows, count, "rows") else {
          return nil
        }
        return recorder.gather(x, rows)
      },
      assemble_rows: { sources, sourceCount, sourceOf, rowOf, rows in
        guard let recorder = Recorder("assemble_rows"), let nodes = recorder.nodes(sources, sourceCount),
          let sourceOf = recorder.array(sourceOf, rows, "source_of"),
          let rowOf = recorder.array(rowOf, rows, "row_of")
        else { return nil }
        return recorder.assemble(nodes, sourceOf, rowOf)
      },
      mean_rows: { x, rows, offsets, groups in
        guard let recorder = Recorder("mean_rows") else { return nil }
        guard (0..<Recorder.largest).contains(groups) else {
          return recorder.fail("\(groups) groups are too many")
        }
        guard let bounds = recorder.array(offsets, groups + 1, "offsets"),
          let rows = recorder.array(rows, max(0, Int(bounds[groups])), "rows")
        else { return nil }
        return recorder.meanRows(x, rows, bounds)
      },
      concatenate_columns: { sources, count in
        guard let recorder = Recorder("concatenate_columns"), let nodes = recorder.nodes(sources, count)
        else {
          return nil
        }
        return recorder.concatenateColumns(nodes)
      },
      slice_columns: { x, begin, count in Recorder("slice_columns")?.slice(x, begin, count) },
      cross_entropy: { logits, targets, weights, smoothing in
        Recorder("cross_entropy")?.crossEntropy(logits, targets, weights, smoothing)
      },
      sigmoid_cross_entropy: { logits, targets in
        guard let recorder = Recorder("sigmoid_cross_entropy"), let x = recorder.node(logits),
          let values = recorder.array(targets, x.count, "targets")
        else { return nil }
        return recorder.add(SigmoidCrossEntropyOperation(targets: values), [x], rows: 1, columns: 1)
      },
      target_scores: { logits, targets in Recorder("target_scores")?.targetScores(logits, targets) }))
}

/// A copy of a table that lives as long as the process.
func staticPointer<Table>(_ table: Table) -> UnsafePointer<Table> {
  let copy = UnsafeMutablePointer<Table>.allocate(capacity: 1)
  copy.initialize(to: table)
  return UnsafePointer(copy)
}
