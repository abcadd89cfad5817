import CFFI
import CPTune

/// The interface "ptune.closures/1", which makes C functions at run time. Static.
public func makeClosuresInterface() -> UnsafePointer<ptune_closures_v1> {
  closuresInterface
}

// Written once, before anyone can see it, and never changed: safe to share.
nonisolated(unsafe) private let closuresInterface: UnsafePointer<ptune_closures_v1> = {
  let table = UnsafeMutablePointer<ptune_closures_v1>.allocate(capacity: 1)
  table.initialize(
    to: ptune_closures_v1(
      struct_size: MemoryLayout<ptune_closures_v1>.size,
      make_create: { schema, body, context in
        guard let schema, let body, let text = String(validatingCString: schema),
          let parsed = try? Schema(parsing: text)
        else { return nil }
        return makeCreate(parsed, body, context)
      }))
  return UnsafePointer(table)
}()

private typealias ClosureBody =
  @convention(c) (
    UnsafeMutableRawPointer?, UnsafePointer<UnsafeMutableRawPointer?>?, Int
  ) -> ptune_status

/// What a closure calls when it is called.
private struct ClosureTarget {
  let body: ClosureBody
  let context: UnsafeMutableRawPointer?
  let argumentCount: Int
}

/// A C function of the schema's type that hands pointers to its arguments to `body`.
///
/// It is never freed, for the header promises that it lives as long as the process.
private func makeCreate(_ schema: Schema, _ body: @escaping ClosureBody, _ context: UnsafeMutableRawPointer?)
  -> (@convention(c) () -> Void)?
{
  guard let interface = CallInterface(of: schema) else { return nil }
  var code: UnsafeMutableRawPointer?
  guard let memory = ffi_closure_alloc(MemoryLayout<ffi_closure>.size, &code), let code else {
    interface.free()
    return nil
  }
  let target = UnsafeMutablePointer<ClosureTarget>.allocate(capacity: 1)
  target.initialize(
    to: ClosureTarget(body: body, context: context, argumentCount: interface.argumentCount))
  let status = ffi_prep_closure_loc(
    memory.assumingMemoryBound(to: ffi_closure.self), interface.cif, closureEntry, target, code)
  guard status == FFI_OK else {
    ffi_closure_free(memory)
    target.deallocate()
    interface.free()
    return nil
  }
  return unsafeBitCast(code, to: (@convention(c) () -> Void).self)
}

/// Where each closure ends up: `arguments[i]` points to the value of argument i.
private let closureEntry:
  @convention(c) (
    UnsafeMutablePointer<ffi_cif>?, UnsafeMutableRawPointer?,
    UnsafeMutablePointer<UnsafeMutableRawPointer?>?, UnsafeMutableRawPointer?
  ) -> Void = { _, result, arguments, data in
    guard let result, let target = data?.assumingMemoryBound(to: ClosureTarget.self).pointee else { return }
    let status = target.body(target.context, arguments.map { UnsafePointer($0) }, target.argumentCount)
    // NB: libffi reads an int32_t result from a whole ffi_sarg.
    result.storeBytes(of: ffi_sarg(status), as: ffi_sarg.self)
  }
