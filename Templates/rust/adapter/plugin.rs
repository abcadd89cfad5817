//! __NAME__: n trained rows r [n, hidden], each with a trained gate g, at the input of the base model:
//!
//!     p_i = g_i · r_i,   i = 1 … n,   g = 1 at first
//!
//! Change the maths in `inject`, the hyperparameters in `schema` and `create`, and tests/parity.py.

#[macro_use]
mod kit;
mod ptune;

use kit::*;
use ptune::*;
use std::ffi::c_void;
use std::mem::{size_of, zeroed};
use std::ptr::null;

struct Adapter {
    rows: usize,
    prompt: *mut ptune_parameter, // [rows, hidden]
    gates: *mut ptune_parameter,  // [rows, 1]
}

/// The schema below declares the arguments after `this`, in this order.
unsafe extern "C" fn create(
    call: *mut ptune_call, this: *mut *mut c_void, virtual_tokens: i32,
) -> ptune_status {
    let base: &ptune_base_v1 = interface(PTUNE_BASE_V1);
    let parameters: &ptune_parameters_v1 = interface(PTUNE_PARAMETERS_V1);
    let mut facts: ptune_base_facts_v1 = zeroed();
    call!(base.facts(call, &mut facts));
    let rows = virtual_tokens as usize;
    let random = ptune_initial_v1 { kind: PTUNE_INITIAL_NORMAL, a: 0.0, b: 0.02, values: null() };
    let one = ptune_initial_v1 { kind: PTUNE_INITIAL_CONSTANT, a: 1.0, b: 0.0, values: null() };
    let prompt =
        call!(parameters.declare(call, c"prompt".as_ptr(), [rows, facts.hidden_size].as_ptr(), 2, &random));
    let gates = call!(parameters.declare(call, c"gates".as_ptr(), [rows, 1].as_ptr(), 2, &one));
    if prompt.is_null() || gates.is_null() {
        return PTUNE_FAILED; // the host knows why
    }
    *this = Box::into_raw(Box::new(Adapter { rows, prompt, gates })) as *mut c_void;
    PTUNE_OK
}

unsafe extern "C" fn destroy(this: *mut c_void) {
    drop(Box::from_raw(this as *mut Adapter));
}

unsafe extern "C" fn positions(this: *mut c_void) -> usize {
    (*(this as *mut Adapter)).rows
}

/// Operators are recorded, not computed; gradients follow by themselves. A failed one gives NULL, and NULL in gives
/// NULL out, so `input` reports whatever went wrong.
unsafe extern "C" fn inject(
    this: *mut c_void, call: *mut ptune_call, _batch: *mut ptune_batch, into: *mut ptune_injections,
) -> ptune_status {
    let own = &*(this as *mut Adapter);
    let ops: &ptune_ops_v1 = interface(PTUNE_OPS_V1);
    let parameters: &ptune_parameters_v1 = interface(PTUNE_PARAMETERS_V1);
    let injections: &ptune_injections_v1 = interface(PTUNE_INJECTIONS_V1);
    let prompt = call!(parameters.value(call, own.prompt));
    let gates = call!(parameters.value(call, own.gates));
    let rows = call!(ops.binary(PTUNE_MULTIPLY, prompt, gates));
    call!(injections.input(into, rows, PTUNE_AT_START, false))
}

static METHODS: Shared<ptune_adapter_v1> = Shared(ptune_adapter_v1 {
    struct_size: size_of::<ptune_adapter_v1>(),
    positions: Some(positions),
    inject: Some(inject),
    save: None,
});

static COMPONENT: Shared<ptune_component_v1> = Shared(ptune_component_v1 {
    struct_size: size_of::<ptune_component_v1>(),
    kind: PTUNE_ADAPTER,
    name: c"__NAME__".as_ptr(),
    summary: c"prompt rows at the input, each with a trained gate".as_ptr(),
    schema: c"__SNAKE__(int virtual_tokens=20 [1..1024] \"rows of the prompt\")".as_ptr(),
    documentation: c"Trains n·hidden + n numbers: a prompt and a gate for each of its rows.".as_ptr(),
    needs: c"ptune.ops/1 ptune.parameters/1 ptune.base/1 ptune.injections/1".as_ptr(),
    methods: &METHODS.0 as *const ptune_adapter_v1 as *const c_void,
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
