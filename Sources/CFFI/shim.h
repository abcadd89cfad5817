/* libffi, and its type descriptors as functions: they are mutable globals, which Swift 6 does not let us name. */
#include <ffi.h>
#include <stdbool.h>
#include <stdint.h>

static inline ffi_type *ptune_ffi_int32(void) { return &ffi_type_sint32; }
static inline ffi_type *ptune_ffi_int64(void) { return &ffi_type_sint64; }
static inline ffi_type *ptune_ffi_float(void) { return &ffi_type_float; }
static inline ffi_type *ptune_ffi_double(void) { return &ffi_type_double; }
static inline ffi_type *ptune_ffi_bool(void) { return &ffi_type_uint8; }
static inline ffi_type *ptune_ffi_pointer(void) { return &ffi_type_pointer; }
static inline ffi_abi ptune_ffi_default_abi(void) { return FFI_DEFAULT_ABI; }
