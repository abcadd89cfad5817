//! __NAME__: an encoder of attention layers with one head and nothing else, for checkpoints whose config.json has the
//! model_type "__NAME__":
//!
//!     x = E[token];   in each layer  x = x + softmax(q·kᵀ/√d)·v,   q = Wq·x, k = Wk·x, v = Wv·x
//!
//! Change the layers in `create` and `forward`, and tests/parity.py and tests/make_model.py with them. `key_rows` and
//! `attention` are what every tuning method attaches to: a model that calls them for each layer works with all.

#[macro_use]
mod kit;
mod ptune;

use kit::*;
use ptune::*;
use std::ffi::{c_void, CString};
use std::mem::size_of;
use std::ptr::null;

struct Layer {
    query: *mut ptune_tensor, // [hidden, hidden]; kept
    key: *mut ptune_tensor,
    value: *mut ptune_tensor,
}

struct Model {
    facts: ptune_base_facts_v1,
    words: *mut ptune_tensor, // [vocabulary, hidden]
    layers: Vec<Layer>,
}

/// A key of config.json that has to be a positive number.
unsafe fn count(call: *mut ptune_call, key: &str) -> Result<usize, ptune_status> {
    let checkpoint: &ptune_checkpoint_v1 = interface(PTUNE_CHECKPOINT_V1);
    let name = CString::new(key).unwrap_or_default();
    let mut value = 0;
    match call!(checkpoint.config_integer(call, name.as_ptr(), &mut value)) {
        PTUNE_FOUND if value > 0 => Ok(value as usize),
        _ => {
            let why = format!("config.json: {key} is missing or not positive");
            Err(fail(call, PTUNE_BAD_ARGUMENT, &why))
        }
    }
}

/// A weight; the host records which one is missing.
unsafe fn weight(
    call: *mut ptune_call, name: &str, rows: usize, columns: usize,
) -> Result<*mut ptune_tensor, ptune_status> {
    let checkpoint: &ptune_checkpoint_v1 = interface(PTUNE_CHECKPOINT_V1);
    let name = CString::new(name).unwrap_or_default();
    let weight = call!(checkpoint.weight(call, name.as_ptr(), rows, columns, false));
    if weight.is_null() { Err(PTUNE_FAILED) } else { Ok(weight) }
}

unsafe fn load(call: *mut ptune_call) -> Result<Model, ptune_status> {
    let size = count(call, "hidden_size")?;
    let layers = count(call, "num_hidden_layers")?;
    let vocabulary = count(call, "vocab_size")?;
    let facts = ptune_base_facts_v1 {
        hidden_size: size,
        layers,
        key_value_size: size,
        attention_heads: 1,
        vocabulary_size: vocabulary,
        positions: count(call, "max_position_embeddings")?,
        causal: false,
    };
    let words = weight(call, "words", vocabulary, size)?;
    let layers = (0..layers)
        .map(|index| {
            let square = |name: &str| weight(call, &format!("layers.{index}.{name}"), size, size);
            Ok(Layer { query: square("query")?, key: square("key")?, value: square("value")? })
        })
        .collect::<Result<Vec<_>, ptune_status>>()?;
    Ok(Model { facts, words, layers })
}

unsafe extern "C" fn create(call: *mut ptune_call, this: *mut *mut c_void) -> ptune_status {
    match load(call) {
        Ok(model) => {
            *this = Box::into_raw(Box::new(model)) as *mut c_void;
            PTUNE_OK
        }
        Err(status) => status,
    }
}

unsafe extern "C" fn destroy(this: *mut c_void) {
    drop(Box::from_raw(this as *mut Model));
}

unsafe extern "C" fn facts(this: *mut c_void, out: *mut ptune_base_facts_v1) {
    *out = (*(this as *mut Model)).facts;
}

unsafe extern "C" fn word_table(this: *mut c_void) -> *mut ptune_tensor {
    (*(this as *mut Model)).words
}

/// The last hidden rows, [rows, hidden].
unsafe extern "C" fn forward(
    this: *mut c_void, _call: *mut ptune_call, pass: *mut ptune_forward,
) -> *mut ptune_tensor {
    let own = &*(this as *mut Model);
    let ops: &ptune_ops_v1 = interface(PTUNE_OPS_V1);
    let forwards: &ptune_forward_v1 = interface(PTUNE_FORWARD_V1);
    let mut x = call!(forwards.input_rows(pass, own.words));
    for (index, layer) in own.layers.iter().enumerate() {
        let rows = call!(forwards.key_rows(pass, index, x));
        let q = call!(forwards.linear(pass, x, layer.query, null(), false));
        let k = call!(forwards.linear(pass, rows, layer.key, null(), false));
        let v = call!(forwards.linear(pass, rows, layer.value, null(), false));
        x = call!(ops.binary(PTUNE_ADD, x, call!(forwards.attention(pass, index, q, k, v, 1, 1))));
    }
    x
}

static METHODS: Shared<ptune_base_model_v1> = Shared(ptune_base_model_v1 {
    struct_size: size_of::<ptune_base_model_v1>(),
    facts: Some(facts),
    word_table: Some(word_table),
    forward: Some(forward),
    pooler: None,
    vocabulary_scores: None,
});

static COMPONENT: Shared<ptune_component_v1> = Shared(ptune_component_v1 {
    struct_size: size_of::<ptune_component_v1>(),
    kind: PTUNE_BASE_MODEL,
    name: c"__NAME__".as_ptr(),
    summary: c"an encoder of attention layers and nothing else".as_ptr(),
    schema: c"__SNAKE__()".as_ptr(),
    documentation: c"For checkpoints of the model type __NAME__.".as_ptr(),
    needs: c"ptune.ops/1 ptune.checkpoint/1 ptune.forward/1".as_ptr(),
    methods: &METHODS.0 as *const ptune_base_model_v1 as *const c_void,
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
