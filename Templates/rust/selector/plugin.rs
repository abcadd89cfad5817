//! __NAME__: weighs the entries of a prompt pool by attention with a trained scale s:
//!
//!     α = softmax(s · q·kᵀ / √d)
//!
//! Change the maths in `weights`, the hyperparameters in `schema` and `create`, and tests/parity.py.

#[macro_use]
mod kit;
mod ptune;

use kit::*;
use ptune::*;
use std::ffi::c_void;
use std::mem::size_of;
use std::ptr::null;

struct Selector {
    scale: *mut ptune_parameter, // [1, 1]
}

/// The schema below declares the arguments after `this`, in this order.
unsafe extern "C" fn create(call: *mut ptune_call, this: *mut *mut c_void, start: f64) -> ptune_status {
    let parameters: &ptune_parameters_v1 = interface(PTUNE_PARAMETERS_V1);
    let initial =
        ptune_initial_v1 { kind: PTUNE_INITIAL_CONSTANT, a: start as f32, b: 0.0, values: null() };
    let scale = call!(parameters.declare(call, c"scale".as_ptr(), [1, 1].as_ptr(), 2, &initial));
    if scale.is_null() {
        return PTUNE_FAILED; // the host knows why
    }
    *this = Box::into_raw(Box::new(Selector { scale })) as *mut c_void;
    PTUNE_OK
}

unsafe extern "C" fn destroy(this: *mut c_void) {
    drop(Box::from_raw(this as *mut Selector));
}

/// Weights [count, keys] from queries [count, d] and keys [keys, d].
unsafe extern "C" fn weights(
    this: *mut c_void, call: *mut ptune_call, _batch: *mut ptune_batch, queries: *const ptune_tensor,
    keys: *const ptune_tensor,
) -> *mut ptune_tensor {
    let own = &*(this as *mut Selector);
    let ops: &ptune_ops_v1 = interface(PTUNE_OPS_V1);
    let parameters: &ptune_parameters_v1 = interface(PTUNE_PARAMETERS_V1);
    let (mut count, mut columns) = (0, 0);
    call!(ops.shape(queries, &mut count, &mut columns));
    let products = call!(ops.matmul(queries, false, keys, true));
    let scaled = call!(ops.affine(products, 1.0 / (columns as f32).sqrt(), 0.0));
    let scale = call!(parameters.value(call, own.scale));
    call!(ops.softmax(call!(ops.binary(PTUNE_MULTIPLY, scaled, scale))))
}

static METHODS: Shared<ptune_selector_v1> = Shared(ptune_selector_v1 {
    struct_size: size_of::<ptune_selector_v1>(),
    weights: Some(weights),
});

static COMPONENT: Shared<ptune_component_v1> = Shared(ptune_component_v1 {
    struct_size: size_of::<ptune_component_v1>(),
    kind: PTUNE_SELECTOR,
    name: c"__NAME__".as_ptr(),
    summary: c"attention over the pool with a trained scale".as_ptr(),
    schema: c"__SNAKE__(double start=1 [0.01..100] \"the scale at first\")".as_ptr(),
    documentation: c"Trains one number, the scale of the products of query and keys.".as_ptr(),
    needs: c"ptune.ops/1 ptune.parameters/1".as_ptr(),
    methods: &METHODS.0 as *const ptune_selector_v1 as *const c_void,
    // The host calls it with the arguments that the schema declares.
    create: Some(unsafe {
        std::mem::transmute::<*const (), unsafe extern "C" fn()>(create as *const ())
    }),
    destroy: Some(destroy),
    extension: None,
});

static COMPONENTS: Shared<[&ptune_component_v1; 1]> = Shared([&COMPONENT.0]);
static PLUGIN: Shared<ptune_plugin_v1> = Shared(ptune_plugin_v1 {
    struct_size: size_of::<ptune_plugin_v1>(),
    id: c"org.example.__NAME__".as_ptr(),
    version: c"1.0.0".as_ptr(),
    runtime: c"rust".as_ptr(),
    component_count: 1,
    components: COMPONENTS.0.as_ptr() as *const *const ptune_component_v1,
});

/// The one symbol that the plugin exports.
#[no_mangle]
pub extern "C" fn ptune_plugin_entry_v1(host: *const ptune_host_v1) -> *const ptune_plugin_v1 {
    keep_host(host);
    &PLUGIN.0
}
