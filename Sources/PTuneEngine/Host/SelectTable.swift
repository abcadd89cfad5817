import CPTune

/// `ptune.select/1`
enum SelectTable {
  nonisolated(unsafe) static let table = staticPointer(
    ptune_select_v1(
      struct_size: MemoryLayout<ptune_select_v1>.size,
      announce: { _, keys, columns in
        guard let session = Session.current, let frame = session.frame else {
          return ptune_status(PTUNE_FAILED)
        }
        guard frame.method == "create", frame.identity.owner.hasPrefix(ParameterOwner.adapter) else {
          session.record("a pool can be announced only in an adapter's create")
          return ptune_status(PTUNE_BAD_ARGUMENT)
        }
        guard (1..<1 << 28).contains(keys), (1..<1 << 28).contains(columns) else {
          session.record("a pool of \(keys) keys of \(columns) columns was announced")
          return ptune_status(PTUNE_BAD_ARGUMENT)
        }
        if let other = session.services.poolOwner, other.owner != frame.identity.owner {
          session.record(
            "the run's selector is already used for the pool of \(other.component), and a run has one selector; "
              + "use one adapter with a pool")
          return ptune_status(PTUNE_UNSUPPORTED)
        }
        session.services.pool = (keys, columns)
        session.services.poolOwner = frame.identity
        return ptune_status(PTUNE_OK)
      },
      announced: { _, keys, columns in
        guard let session = Session.current else { return ptune_status(PTUNE_FAILED) }
        guard let pool = session.services.pool else {
          session.record("the run's adapter has announced no pool")
          return ptune_status(PTUNE_UNSUPPORTED)
        }
        keys?.pointee = pool.keys
        columns?.pointee = pool.columns
        return ptune_status(PTUNE_OK)
      },
      weights: { _, first, queries, keys in
        guard let recorder = Recorder("select"), let queries = recorder.node(queries),
          let keys = recorder.node(keys)
        else { return nil }
        do {
          guard let select = recorder.session.services.selector else {
            return recorder.fail("the run names no selector; add 'selector: {plugin: …}' to the run file")
          }
          return try select(first, queries, keys).flatMap { recorder.session.handle(for: $0) }
        } catch {
          return recorder.fail("\(error)")
        }
      }))
}
