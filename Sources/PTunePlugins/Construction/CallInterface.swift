import CFFI

/// What libffi knows of a `create` function: `ptune_status (ptune_call *, void **self, …)` with the schema's C
/// types behind.
struct CallInterface {
  /// How many arguments stand before the schema's.
  static let leadingArguments = 2

  let cif: UnsafeMutablePointer<ffi_cif>
  let argumentCount: Int
  private let types: UnsafeMutablePointer<UnsafeMutablePointer<ffi_type>?>

  /// Allocates the description; `nil` if libffi cannot make these calls on this machine.
  init?(of schema: Schema) {
    argumentCount = Self.leadingArguments + schema.parameters.count
    types = .allocate(capacity: argumentCount)
    cif = .allocate(capacity: 1)
    types[0] = ptune_ffi_pointer()
    types[1] = ptune_ffi_pointer()
    for (index, parameter) in schema.parameters.enumerated() {
      types[Self.leadingArguments + index] = parameter.type.ffiType
    }
    let status = ffi_prep_cif(
      cif, ptune_ffi_default_abi(), UInt32(argumentCount), ptune_ffi_int32(), types)
    guard status == FFI_OK else {
      free()
      return nil
    }
  }

  /// Frees the description. A closure's description lives as long as the process instead.
  func free() {
    cif.deallocate()
    types.deallocate()
  }
}

extension ParameterType {
  fileprivate var ffiType: UnsafeMutablePointer<ffi_type> {
    switch self {
    case .int: ptune_ffi_int32()
    case .long: ptune_ffi_int64()
    case .float: ptune_ffi_float()
    case .double: ptune_ffi_double()
    case .bool: ptune_ffi_bool()
    case .string, .strings: ptune_ffi_pointer()
    }
  }
}
