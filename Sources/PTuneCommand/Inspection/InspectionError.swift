import PTuneFormats

/// Why the entries of a pool cannot be counted.
enum InspectionError: HelpfulError, Equatable {
  /// The adapters have no pool.
  case noPool(adapters: [String])
  /// The file of labelled rows is empty.
  case noRows(file: String)

  /// What is wrong, where.
  var description: String {
    switch self {
    case .noPool(let adapters):
      "\(adapters.joined(separator: ", ")) has no pool whose entries could be counted"
    case .noRows(let file): "\(file) has no rows"
    }
  }

  /// What to do about it.
  var help: String? {
    switch self {
    case .noPool: "leave --data out; `ptune eval` measures an adapter"
    case .noRows: "give a file of labelled rows with --data"
    }
  }
}
