import CPTune

/// `ptune.data/1`
enum DataTable {
  nonisolated(unsafe) static let table = staticPointer(
    ptune_data_v1(
      struct_size: MemoryLayout<ptune_data_v1>.size,
      field: { pointer, name in
        guard let name, let row = Session.current?.object(pointer, .example, ExampleRow.self) else {
          return nil
        }
        return row.field(String(cString: name))
      },
      tokens: { pointer, ids, spans in
        Session.current?.object(pointer, .example, ExampleRow.self)?.withTokens(ids, spans) ?? 0
      },
      sequences: { pointer, offsets in
        Session.current?.object(pointer, .example, ExampleRow.self)?.withSequences(offsets) ?? 0
      },
      emit_integers: { pointer, values, count in
        guard let recorder = Recorder("emit_integers"),
          let to = recorder.session.object(pointer, .targets, TargetCollector.self),
          let values = recorder.array(values, count, "targets")
        else { return ptune_status(PTUNE_FAILED) }
        to.integers += values
        return ptune_status(PTUNE_OK)
      },
      emit_numbers: { pointer, values, count in
        guard let recorder = Recorder("emit_numbers"),
          let to = recorder.session.object(pointer, .targets, TargetCollector.self),
          let values = recorder.array(values, count, "targets")
        else { return ptune_status(PTUNE_FAILED) }
        to.numbers += values
        return ptune_status(PTUNE_OK)
      },
      put: { pointer, key, value in
        guard let key, let value, let session = Session.current,
          let to = session.object(pointer, .prediction, PredictionCollector.self)
        else { return ptune_status(PTUNE_FAILED) }
        if let reason = to.put(key, value) {
          session.record(reason, status: ptune_status(PTUNE_FAILED))
          return ptune_status(PTUNE_FAILED)
        }
        return ptune_status(PTUNE_OK)
      },
      example_count: { evaluation($0)?.count ?? 0 },
      scores: { pointer, example, rows, columns in
        guard let (record, entry) = entry(pointer, example) else { return nil }
        rows?.pointee = entry.rows
        columns?.pointee = entry.columns
        return record.scores.pointer + entry.offset
      },
      integers: { pointer, example, count in
        guard let (record, entry) = entry(pointer, example) else { return nil }
        count?.pointee = entry.integers.count
        return record.integers.pointer + entry.integers.lowerBound
      },
      numbers: { pointer, example, count in
        guard let (record, entry) = entry(pointer, example) else { return nil }
        count?.pointee = entry.numbers.count
        return record.numbers.pointer + entry.numbers.lowerBound
      },
      example: { pointer, example in
        guard let session = Session.current, let (record, entry) = entry(pointer, example) else { return nil }
        guard let row = entry.row else {
          session.record("the rows of this evaluation are not available")
          return nil
        }
        do {
          // One row at a time: an evaluation may be as large as its file.
          if let previous = record.rowHandle { session.release(previous) }
          record.rowHandle = session.handle(for: try row(), .example)
          return record.rowHandle
        } catch {
          session.record("\(error)")
          return nil
        }
      },
      metric: { pointer, name, value, higherIsBetter in
        guard let name, let record = evaluation(pointer) else { return ptune_status(PTUNE_FAILED) }
        record.metrics.append(
          .init(name: String(cString: name), value: value, higherIsBetter: higherIsBetter))
        return ptune_status(PTUNE_OK)
      }))

  private static func evaluation(_ pointer: OpaquePointer?) -> EvaluationRecord? {
    Session.current?.object(pointer, .evaluation, EvaluationRecord.self)
  }

  private static func entry(
    _ pointer: OpaquePointer?, _ example: Int
  ) -> (EvaluationRecord, EvaluationRecord.Entry)? {
    guard let record = evaluation(pointer) else { return nil }
    guard record.entries.indices.contains(example) else {
      Session.current?.record("example \(example) of an evaluation of \(record.entries.count)")
      return nil
    }
    return (record, record.entries[example])
  }
}
