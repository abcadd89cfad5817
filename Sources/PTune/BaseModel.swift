import CPTune

/// A frozen network: turns packed token rows, with what an adapter injects, into hidden rows.
///
/// Weights are loaded in the component's `init` through ``Checkpoint``. Methods are called by one thread at a time.
public protocol BaseModel: AnyObject {
  /// What adapters and heads need to know.
  var facts: BaseFacts { get }
  /// The word embedding table, `[vocabulary, hidden]`: a weight that `init` loaded.
  var wordTable: Tensor { get }
  /// The last hidden rows, `[rows, hidden]`.
  func forward(_ forward: Forward) throws -> Tensor
  /// The model's own pooling layer on rows `[n, hidden]`.
  ///
  /// - Throws: ``ComponentFailure`` where the model has none, which is what the default does.
  func pooler(_ rows: Tensor) throws -> Tensor
  /// Scores over the vocabulary for hidden rows `[n, hidden]`: `[n, vocabulary]`.
  ///
  /// - Throws: ``ComponentFailure`` where the model has none, which is what the default does.
  func vocabularyScores(_ rows: Tensor) throws -> Tensor
}

extension BaseModel {
  /// Throws: the model has none unless it says otherwise.
  public func pooler(_ rows: Tensor) throws -> Tensor {
    throw ComponentFailure.unsupported("this base model has no pooling layer of its own")
  }
  /// Throws: the model has none unless it says otherwise.
  public func vocabularyScores(_ rows: Tensor) throws -> Tensor {
    throw ComponentFailure.unsupported("this base model does not score the vocabulary")
  }
}

extension Component {
  /// A base model component. See ``Component`` for the hyperparameters.
  ///
  /// - Parameter needs: ids of further interfaces that it cannot work without, such as `PTUNE_ATTENTION_V1`.
  public static func baseModel<each Value: HyperparameterType>(
    _ name: String, summary: String, documentation: String,
    needs: [String] = [], _ hyperparameters: repeat Hyperparameter<each Value>,
    make: @escaping (repeat each Value) throws -> any BaseModel
  ) -> Component {
    Component(
      kind: PTUNE_BASE_MODEL, name: name, summary: summary, documentation: documentation,
      needs: [PTUNE_OPS_V1, PTUNE_CHECKPOINT_V1, PTUNE_FORWARD_V1] + needs, methods: BaseModelBox.methods,
      hyperparameters: (repeat each hyperparameters)
    ) { (values: repeat each Value) in
      Unmanaged.passRetained(BaseModelBox(try make(repeat each values))).toOpaque()
    }
  }
}

/// Carries a Swift base model through the C ABI.
private final class BaseModelBox {
  let model: any BaseModel
  init(_ model: any BaseModel) { self.model = model }

  static func of(_ pointer: UnsafeMutableRawPointer?) -> any BaseModel {
    // The host passes back exactly what `create` stored.
    Unmanaged<BaseModelBox>.fromOpaque(pointer!).takeUnretainedValue().model
  }

  nonisolated(unsafe) static let methods: UnsafeRawPointer = staticTable(
    ptune_base_model_v1(
      struct_size: MemoryLayout<ptune_base_model_v1>.size,
      facts: { pointer, out in out?.pointee = BaseModelBox.of(pointer).facts.raw },
      word_table: { BaseModelBox.of($0).wordTable.handle },
      forward: { pointer, call, forward in
        Host.tensor(in: call) { try BaseModelBox.of(pointer).forward(Forward(handle: forward)) }
      },
      pooler: { pointer, call, rows in
        Host.tensor(in: call) { try BaseModelBox.of(pointer).pooler(Tensor(handle: rows)) }
      },
      vocabulary_scores: { pointer, call, rows in
        Host.tensor(in: call) { try BaseModelBox.of(pointer).vocabularyScores(Tensor(handle: rows)) }
      }))
}
