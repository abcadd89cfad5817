import CPTune
import Foundation
import PTuneTesting
import Testing

@testable import PTune
@testable import PTuneEngine

/// A plugin may pass anything as a pointer: it gets an error, never a crash.
@Suite("Handles") struct HandleTests {
  private let session: Session

  init() {
    TestHost.connect()
    session = Session(threads: ThreadPool(count: 1), seed: 1)
  }

  /// The reason of the failure that `body` causes as a call of an adapter's function; nil if it causes none.
  private func reason(_ body: (OpaquePointer?) -> Void) -> String? {
    do {
      try session.call(ComponentIdentity(component: "adapter rude", owner: "adapter"), "inject") { call in
        Host.within(call) { body(call) }
      }
      return nil
    } catch {
      return (error as? EngineFailure)?.reason ?? "\(error)"
    }
  }

  private func ops() throws -> ptune_ops_v1 { try #require(Host.tables.ops?.pointee) }
  private let stranger =
    "unary got a pointer that is not a tensor of this step; tensors do not outlive their step"

  @Test(
    "a pointer that the host never gave is no tensor",
    arguments: [1, 8, 0x1234_5678, 0x0100_0000_0000_0000, 0x01FF_FFFF_FFFF_FFFF, 0x02FF_FFFF_FFFF_FFFF, .max])
  func garbage(_ bits: UInt) throws {
    let ops = try ops()
    session.scoped {
      var result: OpaquePointer?
      let failed = reason { _ in result = ops.unary(ptune_unary(PTUNE_TANH), OpaquePointer(bitPattern: bits))
      }
      #expect(result == nil)
      #expect(failed == stranger)
    }
  }

  @Test("a tensor of an earlier step is no tensor of this one")
  func stale() throws {
    let ops = try ops()
    var kept: OpaquePointer?
    var result: OpaquePointer?
    session.scoped {
      let failed = reason { call in
        kept = ops.fill(call, 2, 2, 1)
        result = ops.unary(ptune_unary(PTUNE_TANH), kept)
      }
      #expect(failed == nil)
      #expect(result != nil)
    }
    session.scoped {
      let failed = reason { call in
        _ = ops.fill(call, 2, 2, 1)
        result = ops.unary(ptune_unary(PTUNE_TANH), kept)
      }
      #expect(failed == stranger)
      #expect(result == nil)
    }
  }

  @Test("a handle of another kind is refused by the name of what was wanted")
  func wrongKinds() throws {
    let ops = try ops()
    let tables = Host.tables
    session.scoped {
      let batch = session.handle(for: BatchView(.forTesting()), .batch)
      let tensor = session.handle(for: Node(ConstantLeaf(values: [1]), [], rows: 1, columns: 1))
      var places = ptune_places_v1()
      var rows = ptune_rows_v1()
      let failures = [
        reason { _ in _ = ops.unary(ptune_unary(PTUNE_TANH), batch) },
        reason { _ = tables.parameters?.pointee.value($0, tensor) },
        reason { _ in _ = tables.batch?.pointee.places(tensor, &places) },
        reason { _ in _ = tables.batch?.pointee.places(nil, &places) },
        reason { _ in tables.forward?.pointee.rows(batch, &rows) },
        reason { _ in _ = tables.data?.pointee.field(batch, "label") },
      ]
      #expect(
        failures == [
          stranger, "got a pointer that is not a parameter", "got a pointer that is no batch of this step",
          "got a pointer that is no batch of this step", "got a pointer that is no forward of this step",
          "got a pointer that is no example of this step",
        ])
      #expect(rows.count == 0 && places.text_rows == nil)
    }
  }

  @Test("NULL in every place of every function of the host is survived")
  func nulls() throws {
    let ops = try ops()
    let tables = Host.tables
    session.scoped {
      _ = reason { call in
        let some = ops.fill(call, 2, 3, 1)
        ops.shape(some, nil, nil)
        #expect(ops.read(some, nil) != ptune_status(PTUNE_OK))
        let results: [OpaquePointer?] = [
          ops.constant(call, 2, 3, nil), ops.unary(1, nil), ops.binary(1, some, nil),
          ops.binary(1, nil, some),
          ops.affine(nil, 1, 1), ops.dropout(nil, 0.1), ops.stop_gradient(nil),
          ops.matmul(some, false, nil, false),
          ops.linear(some, nil, nil, false), ops.linear(some, some, nil, true), ops.transpose(nil),
          ops.reshape(nil, 1, 1), ops.layer_norm(some, nil, nil, 0), ops.rms_norm(some, nil, 0),
          ops.softmax(nil),
          ops.log_softmax(nil), ops.sum(nil, 1), ops.mean(nil, 1), ops.gather_rows(some, nil, 2),
          ops.assemble_rows(nil, 2, nil, nil, 2), ops.mean_rows(some, nil, nil, 2),
          ops.concatenate_columns(nil, 2), ops.slice_columns(nil, 0, 1), ops.cross_entropy(some, nil, nil, 0),
          ops.sigmoid_cross_entropy(some, nil), tables.parameters?.pointee.value(call, nil),
          tables.parameters?.pointee.declare(call, nil, nil, 2, nil),
          tables.checkpoint?.pointee.weight(call, nil, 1, 1, false), tables.base?.pointee.word_table(call),
          tables.base?.pointee.pooler(call, nil), tables.forward?.pointee.input_rows(nil, nil),
          tables.forward?.pointee.linear(nil, nil, nil, nil, true),
          tables.forward?.pointee.key_rows(nil, 0, nil),
          tables.forward?.pointee.attention(nil, 0, nil, nil, nil, 1, 1),
          tables.select?.pointee.weights(call, 0, nil, nil),
        ]
        #expect(results.allSatisfy { $0 == nil })
        tables.base?.pointee.facts(call, nil)
        _ = tables.base?.pointee.tokenize(call, nil, nil, 0)
        _ = tables.base?.pointee.frequent_tokens(call, nil, .max)
        tables.batch?.pointee.sequences(nil, nil)
        tables.batch?.pointee.targets(nil, nil)
        _ = tables.data?.pointee.tokens(nil, nil, nil)
        _ = tables.data?.pointee.example_count(nil)
        _ = tables.data?.pointee.scores(nil, 0, nil, nil)
        _ = tables.data?.pointee.integers(nil, 0, nil)
        let statuses: [ptune_status?] = [
          tables.injections?.pointee.input(nil, nil, 1, false),
          tables.injections?.pointee.hidden_prefix(nil, 0, nil, false),
          tables.injections?.pointee.key_value_prefix(nil, 0, nil, nil, false),
          tables.injections?.pointee.loss(nil, nil), tables.export?.pointee.tensor(nil, nil, nil, nil, 0),
          tables.export?.pointee.hyperparameter(nil, nil, nil),
          tables.data?.pointee.emit_integers(nil, nil, 1),
          tables.data?.pointee.emit_numbers(nil, nil, 1), tables.data?.pointee.put(nil, nil, nil),
          tables.data?.pointee.metric(nil, nil, 0, true), tables.base?.pointee.word_rows(call, nil, 1, nil),
        ]
        #expect(statuses.allSatisfy { $0 != nil && $0 != ptune_status(PTUNE_OK) })
        let layerRows = tables.base?.pointee.layer_rows(call, nil, 1, 0, 1, nil)
        #expect(layerRows != nil && layerRows != ptune_status(PTUNE_OK))
        #expect(tables.parameters?.pointee.state(call, nil, 1) == nil)
        Host.host?.pointee.log(call, 0, nil)
        Host.host?.pointee.fail(call, ptune_status(PTUNE_FAILED), nil)
        #expect(Host.host?.pointee.interface_for(nil) == nil)
        #expect(Host.host?.pointee.interface_for("ptune.nothing/1") == nil)
      }
    }
  }

  @Test("a count that was a negative number is refused")
  func wildCounts() throws {
    let ops = try ops()
    let values: [Float] = [1]
    let rows: [Int32] = [0]
    session.scoped {
      var results: [OpaquePointer?] = []
      let failures = [
        reason { results.append(ops.constant($0, -1, 1, values)) },
        reason { results.append(ops.fill($0, 1 << 40, 1 << 40, 0)) },
        reason { results.append(ops.gather_rows(ops.fill($0, 1, 1, 0), rows, -5)) },
        reason { results.append(ops.gather_rows(ops.fill($0, 1, 1, 0), rows, .max)) },
        reason { results.append(ops.reshape(ops.fill($0, 1, 1, 0), -1, -1)) },
        reason { results.append(ops.slice_columns(ops.fill($0, 1, 3, 0), 1, .max)) },
        reason { results.append(ops.mean_rows(ops.fill($0, 1, 1, 0), rows, rows, .max)) },
      ]
      #expect(results == Array(repeating: nil, count: 7))
      #expect(
        failures == [
          "constant: [18446744073709551615, 1] is too large",
          "fill: [1099511627776, 1099511627776] is too large",
          "gather_rows: 18446744073709551611 rows are too many",
          "gather_rows: 9223372036854775807 rows are too many",
          "reshape: [18446744073709551615, 18446744073709551615] is too large",
          "slice_columns: 9223372036854775807 columns from 1 of [1, 3]",
          "mean_rows: 9223372036854775807 groups are too many",
        ])
    }
  }

  @Test("a thread that the host did not call has no operators, and the call is told of the failed tensor")
  func foreignThread() throws {
    let ops = try ops()
    // Written by the other thread before the semaphore is signalled, read after.
    nonisolated(unsafe) var made: OpaquePointer?
    nonisolated(unsafe) var rows = 9
    nonisolated(unsafe) var columns = 9
    session.scoped {
      let failed = reason { call in
        nonisolated(unsafe) let (known, call) = (ops.fill(call, 2, 2, 1), call)
        let done = DispatchSemaphore(value: 0)
        let thread = Thread {
          made = ops.fill(call, 2, 2, 1) ?? ops.unary(ptune_unary(PTUNE_TANH), known)
          ops.shape(known, &rows, &columns)
          done.signal()
        }
        thread.start()
        done.wait()
        #expect(made == nil)
        #expect(rows == 0 && columns == 0)
        #expect(ops.binary(ptune_binary(PTUNE_ADD), known, made) == nil)
      }
      #expect(failed == "binary got a tensor that failed before")
    }
  }

  @Test("codes that this host does not know are refused")
  func unknownCodes() throws {
    let ops = try ops()
    session.scoped {
      let failures = [
        reason { _ = ops.unary(99, ops.fill($0, 1, 1, 0)) },
        reason { _ = ops.binary(99, ops.fill($0, 1, 1, 0), ops.fill($0, 1, 1, 0)) },
        reason { _ = ops.sum(ops.fill($0, 1, 1, 0), 99) },
      ]
      #expect(failures == ["unary: no function 99", "binary: no function 99", "sum: no axis 99"])
    }
  }
}
