/// A copy of a method table that lives as long as the process.
func staticTable<Table>(_ table: Table) -> UnsafeRawPointer {
  let copy = UnsafeMutablePointer<Table>.allocate(capacity: 1)
  copy.initialize(to: table)
  return UnsafeRawPointer(copy)
}

/// A zero-terminated copy that lives as long as the process.
func staticString(_ text: String) -> UnsafePointer<CChar> {
  let bytes = Array(text.utf8CString)
  let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
  copy.initialize(from: bytes, count: bytes.count)
  return UnsafePointer(copy)
}
