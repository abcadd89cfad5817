import CPTune
import PTune

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

  fileprivate static func read(
    _ key: UnsafePointer<CChar>?, _ expected: String, _ take: (ConfigurationValue) -> Bool
  ) -> ptune_found {
    guard let session = Session.current, let key else { return ptune_found(PTUNE_MALFORMED) }
    let name = String(cString: key)
    guard let checkpoint = session.frame?.checkpoint else {
      session.record("config.json can be read only in a base model's create, pooler and vocabulary_scores")
      return ptune_found(PTUNE_MALFORMED)
    }
    session.services.configurationRead.insert(name)
    guard let value = checkpoint.configuration(name) else { return ptune_found(PTUNE_ABSENT) }
    if take(value) { return ptune_found(PTUNE_FOUND) }
    session.record("config.json: '\(name)' should be \(expected)")
    return ptune_found(PTUNE_MALFORMED)
  }
}

/// `ptune.checkpoint/2`
enum SecondCheckpointTable {
  nonisolated(unsafe) static let table = staticPointer(
    ptune_checkpoint_v2(
      struct_size: MemoryLayout<ptune_checkpoint_v2>.size,
      config_size: { _, key, out in
        CheckpointTable.read(key, "a list or an object") { value in
          switch value {
          case .list(let count): out?.pointee = count
          case .object(let members): out?.pointee = members.count
          default: return false
          }
          return true
        }
      },
      config_member: { _, key, index in
        guard let session = Session.current, let checkpoint = session.frame?.checkpoint, let key,
          case .object(let members)? = checkpoint.configuration(String(cString: key)),
          members.indices.contains(index)
        else { return nil }
        return session.scopedString(members[index])
      },
      weight_slice: { _, name, slices, index, rows, columns, transposed in
        guard let session = Session.current, let name else { return nil }
        return session.loadSlice(String(cString: name), slices, index, rows, columns, transposed)
      },
      understand: { _, keys, count in
        guard let recorder = Recorder("understand"), recorder.session.frame?.checkpoint != nil,
          let keys = recorder.array(keys, count, "keys")
        else { return ptune_status(PTUNE_FAILED) }
        let names = keys.compactMap { $0.map { String(cString: $0) } }
        recorder.session.services.configurationUnderstood =
          (recorder.session.services.configurationUnderstood ?? []).union(names)
        return ptune_status(PTUNE_OK)
      }))
}

extension Session {
  /// A matrix of a tensor of three dimensions. What is loaded of the tensor serves all its slices.
  fileprivate func loadSlice(
    _ name: String, _ slices: Int, _ index: Int, _ rows: Int, _ columns: Int, _ transposed: Bool
  ) -> OpaquePointer? {
    guard let checkpoint = frame?.checkpoint else {
      record("weights can be loaded only in a base model's create, pooler and vocabulary_scores")
      return nil
    }
    do {
      if services.sliced[name] == nil {
        guard let found = try checkpoint.weight(name) else {
          record("the checkpoint has no tensor '\(name)', which this base model needs")
          return nil
        }
        guard found.values.baseAddress != nil else {
          record("tensor '\(name)' of the checkpoint is empty")
          return nil
        }
        services.sliced[name] = (found.shape, StoredTensor(found))
      }
      guard let (shape, stored) = services.sliced[name] else { return nil }
      let expected = [slices] + (transposed ? [columns, rows] : [rows, columns])
      guard shape == expected else {
        record(
          "tensor '\(name)' of the checkpoint has the shape \(shape), not \(expected) as config.json says")
        return nil
      }
      guard (0..<slices).contains(index) else {
        record("slice \(index) of tensor '\(name)', which has \(slices)")
        return nil
      }
      return add(
        Weight(
          name: "\(name)[\(index)]", rows: rows, columns: columns, slice: index, of: stored,
          transposed: transposed))
    } catch {
      record("\(error)")
      return nil
    }
  }

  fileprivate func loadWeight(
    _ name: String, _ rows: Int, _ columns: Int, _ transposed: Bool
  ) -> OpaquePointer? {
    guard let checkpoint = frame?.checkpoint else {
      record("weights can be loaded only in a base model's create, pooler and vocabulary_scores")
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
      if let twin = found.sameAs.flatMap({ weightIndices[$0] }),
        weights[twin].isLaidOut(rows, columns, transposed: transposed)
      {
        weightIndices[name] = twin
      }
      return add(Weight(name: name, rows: rows, columns: columns, found, transposed: transposed))
    } catch {
      record("\(error)")
      return nil
    }
  }

  fileprivate func weightPart(_ pointer: OpaquePointer?, _ begin: Int, _ count: Int) -> OpaquePointer? {
    guard frame?.checkpoint != nil, let weight = weight(pointer) else {
      record("a part can be taken only of a weight, in a base model's create")
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
