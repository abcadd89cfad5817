//! __NAME__: gives each text one of some labels:
//!
//!     scores = W·(mean of the text's hidden rows) + b,   loss = mean cross-entropy
//!
//! Change the maths in `scores` and `loss`, what rows mean in `encode` and `predict`, the hyperparameters in `schema` and
//! `create`, and tests/parity.py.

#[macro_use]
mod kit;
mod ptune;

use kit::*;
use ptune::*;
use std::ffi::{c_char, c_void, CStr, CString};
use std::mem::{size_of, zeroed};
use std::ptr::{null, null_mut};

struct Head {
    labels: Vec<CString>,
    weight: *mut ptune_parameter, // [labels, hidden]
    bias: *mut ptune_parameter,   // [labels]
}

/// The schema below declares the arguments after `this`. Where a run leaves `labels` empty, ptune fills in those of the
/// training data. Arguments live until the call returns, so what is kept is copied.
unsafe extern "C" fn create(
    call: *mut ptune_call, this: *mut *mut c_void, labels: *const ptune_strings_v1,
) -> ptune_status {
    let count = (*labels).count;
    if count < 2 {
        return fail(call, PTUNE_BAD_ARGUMENT, "it needs two labels or more");
    }
    let labels: Vec<CString> =
        (0..count).map(|i| CStr::from_ptr(*(*labels).items.add(i)).to_owned()).collect();
    let base: &ptune_base_v1 = interface(PTUNE_BASE_V1);
    let parameters: &ptune_parameters_v1 = interface(PTUNE_PARAMETERS_V1);
    let mut facts: ptune_base_facts_v1 = zeroed();
    call!(base.facts(call, &mut facts));
    let random = ptune_initial_v1 { kind: PTUNE_INITIAL_NORMAL, a: 0.0, b: 0.02, values: null() };
    let zero = ptune_initial_v1 { kind: PTUNE_INITIAL_CONSTANT, a: 0.0, b: 0.0, values: null() };
    let weight =
        call!(parameters.declare(call, c"weight".as_ptr(), [count, facts.hidden_size].as_ptr(), 2, &random));
    let bias = call!(parameters.declare(call, c"bias".as_ptr(), [count].as_ptr(), 1, &zero));
    if weight.is_null() || bias.is_null() {
        return PTUNE_FAILED; // the host knows why
    }
    *this = Box::into_raw(Box::new(Head { labels, weight, bias })) as *mut c_void;
    PTUNE_OK
}

unsafe extern "C" fn destroy(this: *mut c_void) {
    drop(Box::from_raw(this as *mut Head));
}

/// The target of a row is the number of its label.
unsafe extern "C" fn encode(
    this: *mut c_void, call: *mut ptune_call, example: *mut ptune_example, to: *mut ptune_targets,
) -> ptune_status {
    let own = &*(this as *mut Head);
    let data: &ptune_data_v1 = interface(PTUNE_DATA_V1);
    let label: *const c_char = call!(data.field(example, c"label".as_ptr()));
    if label.is_null() {
        return fail(call, PTUNE_BAD_ARGUMENT, "the row has no label");
    }
    let label = CStr::from_ptr(label);
    match own.labels.iter().position(|own| own.as_c_str() == label) {
        Some(index) => call!(data.emit_integers(to, &(index as i32), 1)),
        None => {
            let why = format!("label '{}' is not one of the labels", label.to_string_lossy());
            fail(call, PTUNE_BAD_ARGUMENT, &why)
        }
    }
}

/// Scores [sequences, labels] from hidden rows [rows, hidden].
unsafe extern "C" fn scores(
    this: *mut c_void, call: *mut ptune_call, hidden: *const ptune_tensor, batch: *mut ptune_batch,
) -> *mut ptune_tensor {
    let own = &*(this as *mut Head);
    let ops: &ptune_ops_v1 = interface(PTUNE_OPS_V1);
    let parameters: &ptune_parameters_v1 = interface(PTUNE_PARAMETERS_V1);
    let batches: &ptune_batch_v1 = interface(PTUNE_BATCH_V1);
    let mut sequences: ptune_sequences_v1 = zeroed();
    let mut places: ptune_places_v1 = zeroed();
    call!(batches.sequences(batch, &mut sequences));
    if call!(batches.places(batch, &mut places)) != PTUNE_OK {
        return null_mut();
    }
    let means = call!(ops.mean_rows(hidden, places.text_rows, sequences.offsets, sequences.count));
    let weight = call!(parameters.value(call, own.weight));
    call!(ops.linear(means, weight, call!(parameters.value(call, own.bias)), true))
}

unsafe extern "C" fn loss(
    _this: *mut c_void, _call: *mut ptune_call, scores: *const ptune_tensor, batch: *mut ptune_batch,
) -> *mut ptune_tensor {
    let ops: &ptune_ops_v1 = interface(PTUNE_OPS_V1);
    let batches: &ptune_batch_v1 = interface(PTUNE_BATCH_V1);
    let mut targets: ptune_all_targets_v1 = zeroed();
    call!(batches.targets(batch, &mut targets));
    call!(ops.cross_entropy(scores, targets.integers, null(), 0.0))
}

fn best(scores: &[f32]) -> usize {
    (1..scores.len()).fold(0, |best, i| if scores[i] > scores[best] { i } else { best })
}

/// `put` takes JSON.
unsafe extern "C" fn predict(
    this: *mut c_void, _call: *mut ptune_call, scores: *const f32, _rows: usize, columns: usize,
    _example: *mut ptune_example, to: *mut ptune_prediction,
) -> ptune_status {
    let own = &*(this as *mut Head);
    let data: &ptune_data_v1 = interface(PTUNE_DATA_V1);
    let label = own.labels[best(std::slice::from_raw_parts(scores, columns))].to_string_lossy();
    let json = format!("\"{}\"", label.replace('\\', "\\\\").replace('"', "\\\""));
    let json = CString::new(json).unwrap_or_default();
    call!(data.put(to, c"label".as_ptr(), json.as_ptr()))
}

unsafe extern "C" fn measure(
    _this: *mut c_void, _call: *mut ptune_call, evaluation: *mut ptune_evaluation,
) -> ptune_status {
    let data: &ptune_data_v1 = interface(PTUNE_DATA_V1);
    let count = call!(data.example_count(evaluation));
    let mut right = 0;
    for example in 0..count {
        let (mut rows, mut columns, mut targets) = (0, 0, 0);
        let scores = call!(data.scores(evaluation, example, &mut rows, &mut columns));
        let target = call!(data.integers(evaluation, example, &mut targets));
        let best = best(std::slice::from_raw_parts(scores, columns));
        right += usize::from(targets == 1 && best as i32 == *target);
    }
    let accuracy = right as f64 / count.max(1) as f64;
    call!(data.metric(evaluation, c"accuracy".as_ptr(), accuracy, true))
}

static METHODS: Shared<ptune_task_head_v1> = Shared(ptune_task_head_v1 {
    struct_size: size_of::<ptune_task_head_v1>(),
    score_rows: PTUNE_ROW_PER_SEQUENCE,
    score_columns: null(),
    reading: PTUNE_READS_LABELLED_TEXT,
    arrange: None,
    encode: Some(encode),
    scores: Some(scores),
    loss: Some(loss),
    predict: Some(predict),
    evaluation_scores: None,
    measure: Some(measure),
});

static COMPONENT: Shared<ptune_component_v1> = Shared(ptune_component_v1 {
    struct_size: size_of::<ptune_component_v1>(),
    kind: PTUNE_TASK_HEAD,
    name: c"__NAME__".as_ptr(),
    summary: c"one of some labels, from the mean of a text's rows".as_ptr(),
    schema: c"__SNAKE__(strings labels=[] \"the labels; those of the training data if none are given\")"
        .as_ptr(),
    documentation: c"Trains a linear layer on the mean of a text's hidden rows. Reports accuracy.".as_ptr(),
    needs: c"ptune.ops/1 ptune.parameters/1 ptune.base/1 ptune.batch/1 ptune.data/1".as_ptr(),
    methods: &METHODS.0 as *const ptune_task_head_v1 as *const c_void,
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
