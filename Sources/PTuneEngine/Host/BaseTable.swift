import CPTune
import PTune

/// `ptune.base/1`
enum BaseTable {
  nonisolated(unsafe) static let table = staticPointer(
    ptune_base_v1(
      struct_size: MemoryLayout<ptune_base_v1>.size,
      facts: { _, out in
        guard let session = Session.current, let facts = session.services.facts else {
          Session.current?.record("there is no base model yet to ask for facts")
          return
        }
        out?.pointee = facts
      },
      word_rows: { _, ids, count, out in
        guard let session = Session.current, let table = session.services.wordTable, let ids, let out
        else { return ptune_status(PTUNE_FAILED) }
        let values: UnsafePointer<Float>
        do {
          values = try table.values
        } catch {
          session.record("word_rows: \(error)")
          return ptune_status(PTUNE_FAILED)
        }
        for index in 0..<max(0, count) {
          guard ids[index] >= 0, ids[index] < table.rows else {
            session.record("word_rows: token \(ids[index]) of a vocabulary of \(table.rows)")
            return ptune_status(PTUNE_BAD_ARGUMENT)
          }
          let row = values + Int(ids[index]) * table.columns
          for column in 0..<table.columns {
            out[index * table.columns + column] = session.services.wordScale * row[column]
          }
        }
        return ptune_status(PTUNE_OK)
      },
      word_table: { _ in
        guard let session = Session.current, let table = session.services.wordTable else { return nil }
        return session.add(table)
      },
      tokenize: { _, text, out, capacity in
        guard let session = Session.current, let text else { return 0 }
        guard let tokenize = session.services.tokenize else {
          session.record("tokenize: this run has no tokenizer")
          return 0
        }
        return copy(tokenize(String(cString: text)), out, capacity, countAll: true)
      },
      frequent_tokens: { _, out, capacity in
        guard let services = Session.current?.services, let tokens = services.frequentTokens else { return 0 }
        // There are no more than the vocabulary has, however many the plugin has room for.
        let limit = min(UInt(bitPattern: capacity), UInt(services.facts?.vocabulary_size ?? 0))
        return copy(tokens(Int(limit)), out, Int(limit), countAll: false)
      },
      pooler: { _, rows in
        ask("pooler", Session.current?.services.pooler, rows)
      },
      vocabulary_scores: { _, rows in
        ask("vocabulary_scores", Session.current?.services.vocabularyScores, rows)
      },
      special_token: { _, kind in
        Base.SpecialToken(rawValue: kind).flatMap { Session.current?.services.specialToken?($0) } ?? -1
      },
      tokenize_at_mask: { _, word, out, capacity in
        guard let session = Session.current, let word else { return 0 }
        guard let task = session.services.headTask, session.services.tasks.indices.contains(task) else {
          session.record("tokenize_at_mask can be called only in a head's create")
          return 0
        }
        let facts = session.services.tasks[task]
        guard let tokenize = facts.wordAtMask else {
          session.record(
            "it needs a template with {mask} in the data of task '\(facts.name)', such as "
              + "template: \"{text} It was {mask}.\"")
          return 0
        }
        return copy(tokenize(String(cString: word)), out, capacity, countAll: true)
      },
      layer_rows: { _, ids, count, layer, part, out in
        guard let recorder = Recorder("layer_rows"), let out,
          let ids = recorder.array(ids, count, "token ids")
        else { return ptune_status(PTUNE_FAILED) }
        do {
          guard let part = Base.LayerPart(rawValue: part) else {
            throw ComponentFailure("a layer has no part \(part)")
          }
          guard let rows = try recorder.session.services.layerRows?(ids, layer, part) else {
            throw ComponentFailure("there is no base model yet to read tokens")
          }
          out.update(from: rows, count: rows.count)
          return ptune_status(PTUNE_OK)
        } catch {
          _ = recorder.fail("\(error)")
          return ptune_status(PTUNE_BAD_ARGUMENT)
        }
      }))

  /// Lets the base model answer about hidden rows.
  private static func ask(
    _ name: String, _ answer: ((Node) throws -> Node?)?, _ rows: OpaquePointer?
  ) -> OpaquePointer? {
    guard let recorder = Recorder(name), let node = recorder.node(rows) else { return nil }
    do {
      return try answer?(node).flatMap { recorder.session.handle(for: $0) }
    } catch {
      return recorder.fail("\(error)")
    }
  }

  private static func copy(
    _ tokens: [Int32], _ out: UnsafeMutablePointer<Int32>?, _ capacity: Int, countAll: Bool
  ) -> Int {
    let count = min(tokens.count, Int(clamping: UInt(bitPattern: capacity)))
    out?.update(from: tokens, count: count)
    return countAll ? tokens.count : count
  }
}
