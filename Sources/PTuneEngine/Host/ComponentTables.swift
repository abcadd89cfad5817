import CPTune
import PTune

/// `ptune.parameters/1`
enum ParametersTable {
  nonisolated(unsafe) static let table = staticPointer(
    ptune_parameters_v1(
      struct_size: MemoryLayout<ptune_parameters_v1>.size,
      declare: { _, name, shape, rank, initial in
        guard let recorder = Recorder("declare"), let name, let initial else { return nil }
        // Another rank is refused with the shape: what a wild one counts is not there to be read.
        let count = (1...4).contains(rank) ? rank : 0
        guard let dimensions = recorder.array(shape, count, "dimensions") else { return nil }
        return recorder.session.declare(String(cString: name), dimensions, initial.pointee)
      },
      value: { _, pointer in
        guard let session = Session.current, let parameter = session.parameter(pointer) else { return nil }
        return session.handle(for: session.leaf(parameter))
      },
      state: { _, name, count in
        guard let recorder = Recorder("state"), let name, let owner = recorder.session.frame?.identity.owner
        else { return nil }
        let text = String(cString: name)
        guard (1..<1 << 28).contains(count) else {
          recorder.session.record("the state '\(text)' of \(UInt(bitPattern: count)) numbers")
          return nil
        }
        guard let state = recorder.session.state(owner: owner, name: text, count: count) else {
          recorder.session.record("the state '\(text)' has another number of values than \(count)")
          return nil
        }
        return state.values.baseAddress
      }))
}

extension Session {
  /// Declares a parameter of the component in the call, with its initial values.
  fileprivate func declare(_ name: String, _ shape: [Int], _ initial: ptune_initial_v1) -> OpaquePointer? {
    guard let owner = frame?.identity.owner, frame?.method == "create" else {
      record("parameter '\(name)' was declared outside create")
      return nil
    }
    guard (1...4).contains(shape.count), shape.allSatisfy({ $0 > 0 && $0 < 1 << 28 }),
      shape.reduce(1.0, { $0 * Double($1) }) < Double(1 << 31)
    else {
      record("parameter '\(name)' has the shape \(shape); it needs 1 to 4 dimensions of sensible size")
      return nil
    }
    guard !parameters.contains(where: { $0.owner == owner && $0.name == name }) else {
      record("parameter '\(name)' was declared twice")
      return nil
    }
    let parameter = TrainableParameter(owner: owner, name: name, shape: shape)
    switch Int(initial.kind) {
    case PTUNE_INITIAL_CONSTANT: parameter.values.update(repeating: initial.a, count: parameter.count)
    case PTUNE_INITIAL_NORMAL:
      for index in 0..<parameter.count {
        parameter.values[index] = initial.a + initial.b * Float(generator.normal())
      }
    case PTUNE_INITIAL_UNIFORM:
      for index in 0..<parameter.count {
        parameter.values[index] = initial.a + (initial.b - initial.a) * Float(generator.unit())
      }
    case PTUNE_INITIAL_VALUES:
      guard let values = initial.values else {
        record("parameter '\(name)' starts with values that are at NULL")
        return nil
      }
      parameter.values.update(from: values, count: parameter.count)
    default:
      record("parameter '\(name)' starts as \(initial.kind), which this ptune does not know")
      return nil
    }
    return add(parameter)
  }
}

/// `ptune.checkpoint/1`
enum CheckpointTable {
  nonisolated(unsafe) static let table = staticPointer(
    ptune_checkpoint_v1(
      struct_size: MemoryLayout<ptune_checkpoint_v1>.size,
      config_integer: { _, key, out in
        read(key, "a whole number") { value in
          guard case .integer(let number) = value else { return false }
          out?.pointee = Int64(number)
          return true
        }
      },
      config_number: { _, key, out in
        read(key, "a number") { value in
          switch value {
          case .integer(let number): out?.pointee = Double(number)
          case .number(let number): out?.pointee = number
          default: return false
          }
          return true
        }
      },
      config_boolean: { _, key, out in
        read(key, "true or false") { value in
          guard case .boolean(let flag) = value else { return false }
          out?.pointee = flag
          return true
        }
      },
      config_string: { _, key, out in
        read(key, "a text") { value in
          guard case .string(let text) = value else { return false }
          out?.pointee = Session.current?.scopedString(text)
          return true
        }
      },
      has_weight: { _, name in
        guard let name else { return false }
        return Session.current?.frame?.checkpoint?.hasWeight(String(cString: name)) ?? false
      },
      weight: { _, name, rows, columns, transposed in
        guard let session = Session.current, let name else { return nil }
        return session.loadWeight(String(cString: name), rows, columns, transposed)
      },
      weight_part: { _, weight, begin, count in Session.current?.weightPart(weight, begin, count) }))

  private static func read(
    _ key: UnsafePointer<CChar>?, _ expected: String, _ take: (ConfigurationValue) -> Bool
  ) -> ptune_found {
    guard let session = Session.current, let key else { return ptune_found(PTUNE_MALFORMED) }
    let name = String(cString: key)
    guard let checkpoint = session.frame?.checkpoint else {
      session.record("config.json can be read in a base model's create, pooler and vocabulary_scores only")
      return ptune_found(PTUNE_MALFORMED)
    }
    guard let value = checkpoint.configuration(name) else { return ptune_found(PTUNE_ABSENT) }
    if take(value) { return ptune_found(PTUNE_FOUND) }
    session.record("config.json: '\(name)' should be \(expected)")
    return ptune_found(PTUNE_MALFORMED)
  }
}

extension Session {
  fileprivate func loadWeight(
    _ name: String, _ rows: Int, _ columns: Int, _ transposed: Bool
  ) -> OpaquePointer? {
    guard let checkpoint = frame?.checkpoint else {
      record("weights can be loaded in a base model's create, pooler and vocabulary_scores only")
      return nil
    }
    do {
      guard let found = try checkpoint.weight(name) else {
        record("the checkpoint has no tensor '\(name)', which this base model needs")
        return nil
      }
      let stored = transposed ? [columns, rows] : [rows, columns]
      guard found.shape == stored || (rows == 1 && found.shape == [columns]) else {
        record(
          "tensor '\(name)' of the checkpoint has the shape \(found.shape), not \(stored) as config.json says"
        )
        return nil
      }
      guard found.values.baseAddress != nil else {
        record("tensor '\(name)' of the checkpoint is empty")
        return nil
      }
      return add(Weight(name: name, rows: rows, columns: columns, found, transposed: transposed))
    } catch {
      record("\(error)")
      return nil
    }
  }

  fileprivate func weightPart(_ pointer: OpaquePointer?, _ begin: Int, _ count: Int) -> OpaquePointer? {
    guard frame?.checkpoint != nil, let weight = weight(pointer) else {
      record("a part can be taken of a weight only, in a base model's create")
      return nil
    }
    let length = weight.rows == 1 ? weight.columns : weight.rows
    guard begin >= 0, count > 0, begin < length, count <= length - begin else {
      record("\(count) rows from \(begin) of weight '\(weight.name)', which has \(length)")
      return nil
    }
    return add(weight.part(begin..<begin + count))
  }
}

/// `ptune.base/1` and `ptune.select/1`
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
          (out + index * table.columns).update(
            from: values + Int(ids[index]) * table.columns, count: table.columns)
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
          session.record("tokenize_at_mask can be called in a head's create only")
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

  nonisolated(unsafe) static let select = staticPointer(
    ptune_select_v1(
      struct_size: MemoryLayout<ptune_select_v1>.size,
      announce: { _, keys, columns in
        guard let session = Session.current, let frame = session.frame else {
          return ptune_status(PTUNE_FAILED)
        }
        guard frame.method == "create", frame.identity.owner.hasPrefix("adapter") else {
          session.record("a pool can be announced in the create of an adapter only")
          return ptune_status(PTUNE_BAD_ARGUMENT)
        }
        guard (1..<1 << 28).contains(keys), (1..<1 << 28).contains(columns) else {
          session.record("a pool of \(keys) keys of \(columns) columns was announced")
          return ptune_status(PTUNE_BAD_ARGUMENT)
        }
        if let other = session.services.poolOwner, other.owner != frame.identity.owner {
          session.record(
            "the run's selector weighs the pool of \(other.component) already, and a run has one selector; take one "
              + "adapter with a pool")
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
