import CPTune

/// What an adapter states for its file.
final class ExportRecord {
  var tensors: [(name: String, shape: [Int], node: Node)] = []
  var hyperparameters: [(name: String, json: String)] = []
}

/// `ptune.export/1`
enum ExportTable {
  nonisolated(unsafe) static let table = staticPointer(
    ptune_export_v1(
      struct_size: MemoryLayout<ptune_export_v1>.size,
      tensor: { pointer, name, value, shape, rank in
        guard let recorder = Recorder("export"), let name, let node = recorder.node(value),
          let record = recorder.session.object(pointer, .export, ExportRecord.self)
        else { return ptune_status(PTUNE_FAILED) }
        let dimensions = shape.map { Array(UnsafeBufferPointer(start: $0, count: min(max(0, rank), 8))) }
        let stated = dimensions ?? [node.rows, node.columns]
        guard stated.reduce(1, { $0.multipliedReportingOverflow(by: $1).partialValue }) == node.count else {
          _ = recorder.fail("'\(String(cString: name))' \(node.shapeText) as \(stated)")
          return ptune_status(PTUNE_BAD_ARGUMENT)
        }
        record.tensors.append((String(cString: name), stated, node))
        return ptune_status(PTUNE_OK)
      },
      hyperparameter: { pointer, name, value in
        guard let name, let value,
          let record = Session.current?.object(pointer, .export, ExportRecord.self)
        else { return ptune_status(PTUNE_FAILED) }
        record.hyperparameters.append((String(cString: name), String(cString: value)))
        return ptune_status(PTUNE_OK)
      }))
}
