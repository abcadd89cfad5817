import CPTune

/// Turns hidden rows into a loss, predictions and metrics; owns the head's parameters.
public protocol TaskHead: AnyObject {
  /// What a row of the scores of this type of head stands for.
  static var scoreRows: ScoreRows { get }
  /// What a row of this head's scores stands for: by default what its type says.
  var scoreRows: ScoreRows { get }
  /// Names of the columns of the scores, under which they are given to the user one by one; none by default.
  static var scoreColumns: [String] { get }
  /// The names of this head's columns: by default what its type says.
  var scoreColumns: [String] { get }
  /// How the texts of a row become a sequence for this type of head: as labelled text unless it says otherwise.
  static var reading: Reading { get }
  /// How the texts of a row become a sequence for this head: by default what its type says.
  var reading: Reading { get }
  /// Turns the label fields of a row into targets.
  func encode(_ example: Example, into targets: Targets) throws
  /// Scores from the hidden rows `[rows, hidden]`.
  func scores(_ hidden: Tensor, _ batch: Batch) throws -> Tensor
  /// The loss `[1, 1]` of these scores.
  func loss(_ scores: Tensor, _ batch: Batch) throws -> Tensor
  /// What an evaluation keeps of a batch instead of ``scores(_:_:)``, as many rows: by default those.
  func evaluationScores(_ hidden: Tensor, _ batch: Batch) throws -> Tensor
  /// What the scores of one example mean.
  func predict(_ scores: ScoreMatrix, _ example: Example, into prediction: Prediction) throws
  /// Metrics over a whole evaluation; the first one stated selects the best adapter.
  func measure(_ evaluation: Evaluation) throws
}

extension TaskHead {
  /// What its type says.
  public var scoreRows: ScoreRows { Self.scoreRows }
  /// No names.
  public static var scoreColumns: [String] { [] }
  /// What its type says.
  public var scoreColumns: [String] { Self.scoreColumns }
  /// Labelled text.
  public static var reading: Reading { .labelledText }
  /// What its type says.
  public var reading: Reading { Self.reading }
  /// The scores.
  public func evaluationScores(_ hidden: Tensor, _ batch: Batch) throws -> Tensor {
    try scores(hidden, batch)
  }
}

/// A head that lays out a row itself, as one or more sequences. A row has all columns of its file as fields then.
public protocol ArrangingHead: TaskHead {
  /// Lays out a row: at least one sequence.
  func arrange(_ example: Example, into arrangement: Arrangement) throws
}

/// How the texts of a row become a sequence.
public enum Reading: Int32, Sendable {
  /// A text, or a pair of texts, with the special tokens that the tokenizer puts around them. Rows to learn from have
  /// a label.
  case labelledText = 1
  /// A text, right after it the second text if there is one, and the token that ends a text: what a causal model goes
  /// on with. Rows need no label. The field "text_pair" is the second text.
  case continuedText = 2
  /// As ``labelledText``, but rows to learn from need no label.
  case unlabelledText = 3
}

/// What a row of a head's scores stands for.
public enum ScoreRows: Int32, Sendable {
  /// A sequence.
  case perSequence = 1
  /// A token of the text.
  case perToken = 2
}

extension Component {
  /// A task head component. See ``Component`` for the hyperparameters.
  public static func taskHead<Head: TaskHead, each Value: HyperparameterType>(
    _ name: String, summary: String, documentation: String,
    _ hyperparameters: repeat Hyperparameter<each Value>,
    make: @escaping (repeat each Value) throws -> Head
  ) -> Component {
    Component(
      kind: PTUNE_TASK_HEAD, name: name, summary: summary, documentation: documentation,
      needs: [PTUNE_OPS_V1, PTUNE_PARAMETERS_V1, PTUNE_BASE_V1, PTUNE_BATCH_V1, PTUNE_DATA_V1]
        + (Head.self is any ArrangingHead.Type ? [PTUNE_ARRANGEMENT_V1] : []),
      methods: staticTable(TaskHeadBox.table(Head.self)),
      hyperparameters: (repeat each hyperparameters)
    ) { (values: repeat each Value) in
      Unmanaged.passRetained(TaskHeadBox(try make(repeat each values))).toOpaque()
    }
  }
}

/// Carries a Swift head through the C ABI.
private final class TaskHeadBox {
  let head: any TaskHead
  init(_ head: any TaskHead) { self.head = head }

  static func of(_ pointer: UnsafeMutableRawPointer?) -> any TaskHead {
    // The host passes back exactly what `create` stored.
    Unmanaged<TaskHeadBox>.fromOpaque(pointer!).takeUnretainedValue().head
  }

  static func table(_ type: any TaskHead.Type) -> ptune_task_head_v1 {
    ptune_task_head_v1(
      struct_size: MemoryLayout<ptune_task_head_v1>.size, score_rows: type.scoreRows.rawValue,
      score_columns: type.scoreColumns.isEmpty
        ? nil : staticString(type.scoreColumns.joined(separator: " ")),
      reading: type.reading.rawValue, arrange: type is any ArrangingHead.Type ? arrange : nil,
      encode: { pointer, call, example, to in
        Host.status(in: call) {
          try TaskHeadBox.of(pointer).encode(Example(handle: example), into: Targets(handle: to))
        }
      },
      scores: { pointer, call, hidden, batch in
        Host.tensor(in: call) {
          try TaskHeadBox.of(pointer).scores(Tensor(handle: hidden), Batch(handle: batch))
        }
      },
      loss: { pointer, call, scores, batch in
        Host.tensor(in: call) {
          try TaskHeadBox.of(pointer).loss(Tensor(handle: scores), Batch(handle: batch))
        }
      },
      predict: { pointer, call, scores, rows, columns, example, to in
        Host.status(in: call) {
          let matrix = ScoreMatrix(
            values: UnsafeBufferPointer(start: scores, count: rows * columns), columns: columns)
          try TaskHeadBox.of(pointer).predict(matrix, Example(handle: example), into: Prediction(handle: to))
        }
      },
      evaluation_scores: { pointer, call, hidden, batch in
        Host.tensor(in: call) {
          try TaskHeadBox.of(pointer).evaluationScores(Tensor(handle: hidden), Batch(handle: batch))
        }
      },
      measure: { pointer, call, evaluation in
        Host.status(in: call) { try TaskHeadBox.of(pointer).measure(Evaluation(handle: evaluation)) }
      })
  }

  private static let arrange:
    @convention(c) (
      UnsafeMutableRawPointer?, OpaquePointer?, OpaquePointer?, OpaquePointer?
    ) -> ptune_status = { pointer, call, example, to in
      Host.status(in: call) {
        // The table has this function only where the type arranges.
        try (TaskHeadBox.of(pointer) as? any ArrangingHead)?.arrange(
          Example(handle: example), into: Arrangement(handle: to))
      }
    }
}
