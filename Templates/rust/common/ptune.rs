//! The plugin interface of ptune, as ptune.h and ptune_1_1.h have it: types, threads, lifetimes and errors are explained there.
//! Written by a script from those headers; do not change it.
#![allow(dead_code, non_camel_case_types)]

use std::os::raw::{c_char, c_void};

pub const PTUNE_ABI_MAJOR: u32 = 1;
pub const PTUNE_ABI_MINOR: u32 = 1;
pub const PTUNE_OPS_V1: &std::ffi::CStr = c"ptune.ops/1";
pub const PTUNE_PARAMETERS_V1: &std::ffi::CStr = c"ptune.parameters/1";
pub const PTUNE_CLOSURES_V1: &std::ffi::CStr = c"ptune.closures/1";
pub const PTUNE_CHECKPOINT_V1: &std::ffi::CStr = c"ptune.checkpoint/1";
pub const PTUNE_BASE_V1: &std::ffi::CStr = c"ptune.base/1";
pub const PTUNE_TASKS_V1: &std::ffi::CStr = c"ptune.tasks/1";
pub const PTUNE_FORWARD_V1: &std::ffi::CStr = c"ptune.forward/1";
pub const PTUNE_BATCH_V1: &std::ffi::CStr = c"ptune.batch/1";
pub const PTUNE_INJECTIONS_V1: &std::ffi::CStr = c"ptune.injections/1";
pub const PTUNE_SITES_V1: &std::ffi::CStr = c"ptune.sites/1";
pub const PTUNE_EXPORT_V1: &std::ffi::CStr = c"ptune.export/1";
pub const PTUNE_ARRANGEMENT_V1: &std::ffi::CStr = c"ptune.arrangement/1";
pub const PTUNE_DATA_V1: &std::ffi::CStr = c"ptune.data/1";
pub const PTUNE_SELECT_V1: &std::ffi::CStr = c"ptune.select/1";
pub const PTUNE_RECOMMENDATION_V1: &std::ffi::CStr = c"ptune.recommendation/1";
pub const PTUNE_ATTENTION_V1: &std::ffi::CStr = c"ptune.attention/1";
pub const PTUNE_INPUT_V1: &std::ffi::CStr = c"ptune.input/1";
pub const PTUNE_CHECKPOINT_V2: &std::ffi::CStr = c"ptune.checkpoint/2";
pub const PTUNE_PARAMETERS_V2: &std::ffi::CStr = c"ptune.parameters/2";
pub const PTUNE_READS_V1: &std::ffi::CStr = c"ptune.reads/1";

pub type ptune_status = i32;
pub const PTUNE_OK: i32 = 0;
pub const PTUNE_FAILED: i32 = 1;
pub const PTUNE_BAD_ARGUMENT: i32 = 2;
pub const PTUNE_UNSUPPORTED: i32 = 3;
pub const PTUNE_CANCELLED: i32 = 4;
pub type ptune_kind = i32;
pub const PTUNE_BASE_MODEL: i32 = 1;
pub const PTUNE_ADAPTER: i32 = 2;
pub const PTUNE_SELECTOR: i32 = 3;
pub const PTUNE_TASK_HEAD: i32 = 4;
pub type ptune_log_level = i32;
pub const PTUNE_LOG_DEBUG: i32 = 0;
pub const PTUNE_LOG_INFO: i32 = 1;
pub const PTUNE_LOG_WARNING: i32 = 2;
pub type ptune_unary = i32;
pub const PTUNE_RELU: i32 = 1;
pub const PTUNE_GELU: i32 = 2;
pub const PTUNE_GELU_TANH: i32 = 3;
pub const PTUNE_TANH: i32 = 4;
pub const PTUNE_SIGMOID: i32 = 5;
pub const PTUNE_SILU: i32 = 6;
pub const PTUNE_EXP: i32 = 7;
pub const PTUNE_LOG: i32 = 8;
pub const PTUNE_SQRT: i32 = 9;
pub type ptune_binary = i32;
pub const PTUNE_ADD: i32 = 1;
pub const PTUNE_SUBTRACT: i32 = 2;
pub const PTUNE_MULTIPLY: i32 = 3;
pub const PTUNE_DIVIDE: i32 = 4;
pub type ptune_axis = i32;
pub const PTUNE_OVER_ROWS: i32 = 1;
pub const PTUNE_OVER_COLUMNS: i32 = 2;
pub const PTUNE_OVER_ALL: i32 = 3;
pub type ptune_initial = i32;
pub const PTUNE_INITIAL_CONSTANT: i32 = 1;
pub const PTUNE_INITIAL_NORMAL: i32 = 2;
pub const PTUNE_INITIAL_UNIFORM: i32 = 3;
pub const PTUNE_INITIAL_VALUES: i32 = 4;
pub type ptune_found = i32;
pub const PTUNE_ABSENT: i32 = 0;
pub const PTUNE_FOUND: i32 = 1;
pub const PTUNE_MALFORMED: i32 = -1;
pub type ptune_special = i32;
pub const PTUNE_TOKEN_CLASSIFICATION: i32 = 1;
pub const PTUNE_TOKEN_SEPARATOR: i32 = 2;
pub const PTUNE_TOKEN_PADDING: i32 = 3;
pub const PTUNE_TOKEN_MASK: i32 = 4;
pub const PTUNE_TOKEN_UNKNOWN: i32 = 5;
pub const PTUNE_TOKEN_BEGINNING: i32 = 6;
pub const PTUNE_TOKEN_END: i32 = 7;
pub type ptune_layer_part = i32;
pub const PTUNE_LAYER_INPUT: i32 = 1;
pub const PTUNE_LAYER_KEYS: i32 = 2;
pub const PTUNE_LAYER_VALUES: i32 = 3;
pub type ptune_placement = i32;
pub const PTUNE_AT_START: i32 = 1;
pub const PTUNE_AFTER_FIRST: i32 = 2;
pub const PTUNE_IN_MIDDLE: i32 = 3;
pub const PTUNE_AT_END: i32 = 4;
pub const PTUNE_AT_MARKS: i32 = 5;
pub type ptune_site_roles = u32;
pub const PTUNE_SITE_QUERY: u32 = 1;
pub const PTUNE_SITE_KEY: u32 = 2;
pub const PTUNE_SITE_VALUE: u32 = 4;
pub const PTUNE_SITE_ATTENTION_OUTPUT: u32 = 8;
pub const PTUNE_SITE_FEED_FORWARD_IN: u32 = 16;
pub const PTUNE_SITE_FEED_FORWARD_GATE: u32 = 32;
pub const PTUNE_SITE_FEED_FORWARD_OUT: u32 = 64;
pub type ptune_cut = i32;
pub const PTUNE_CUT_LONGER: i32 = 0;
pub const PTUNE_CUT_FIRST: i32 = 1;
pub const PTUNE_CUT_SECOND: i32 = 2;
pub type ptune_score_rows = i32;
pub const PTUNE_ROW_PER_SEQUENCE: i32 = 1;
pub const PTUNE_ROW_PER_TOKEN: i32 = 2;
pub type ptune_reading = i32;
pub const PTUNE_READS_LABELLED_TEXT: i32 = 1;
pub const PTUNE_READS_CONTINUED_TEXT: i32 = 2;
pub type ptune_attention_kind = i32;
pub const PTUNE_ATTENTION_SCALE: i32 = 1;
pub const PTUNE_ATTENTION_SOFT_CAP: i32 = 2;
pub const PTUNE_ATTENTION_WINDOW: i32 = 3;
pub const PTUNE_ATTENTION_ALIBI: i32 = 4;
pub const PTUNE_ATTENTION_RELATIVE_BIAS: i32 = 5;
pub const PTUNE_ATTENTION_CONTENT_TO_POSITION: i32 = 6;
pub const PTUNE_ATTENTION_POSITION_TO_CONTENT: i32 = 7;
pub const PTUNE_ATTENTION_SINKS: i32 = 8;
pub const PTUNE_READS_UNLABELLED_TEXT: i32 = 3;

#[repr(C)]
pub struct ptune_call {
    _opaque: [u8; 0],
}

#[repr(C)]
pub struct ptune_tensor {
    _opaque: [u8; 0],
}

#[repr(C)]
pub struct ptune_parameter {
    _opaque: [u8; 0],
}

#[repr(C)]
pub struct ptune_forward {
    _opaque: [u8; 0],
}

#[repr(C)]
pub struct ptune_batch {
    _opaque: [u8; 0],
}

#[repr(C)]
pub struct ptune_injections {
    _opaque: [u8; 0],
}

#[repr(C)]
pub struct ptune_export {
    _opaque: [u8; 0],
}

#[repr(C)]
pub struct ptune_example {
    _opaque: [u8; 0],
}

#[repr(C)]
pub struct ptune_arrangement {
    _opaque: [u8; 0],
}

#[repr(C)]
pub struct ptune_targets {
    _opaque: [u8; 0],
}

#[repr(C)]
pub struct ptune_prediction {
    _opaque: [u8; 0],
}

#[repr(C)]
pub struct ptune_evaluation {
    _opaque: [u8; 0],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_strings_v1 {
    pub count: usize,
    pub items: *const *const c_char,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_host_v1 {
    pub struct_size: usize,
    pub abi_major: u32,
    pub abi_minor: u32,
    pub version: *const c_char,
    pub interface_for: Option<unsafe extern "C" fn(id: *const c_char) -> *const c_void>,
    pub fail: Option<unsafe extern "C" fn(call: *mut ptune_call, status: ptune_status, why: *const c_char)>,
    pub log: Option<unsafe extern "C" fn(call: *mut ptune_call, level: ptune_log_level, message: *const c_char)>,
    pub cancelled: Option<unsafe extern "C" fn(call: *mut ptune_call) -> bool>,
    pub random: Option<unsafe extern "C" fn(call: *mut ptune_call) -> u64>,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_ops_v1 {
    pub struct_size: usize,
    pub shape: Option<unsafe extern "C" fn(x: *const ptune_tensor, rows: *mut usize, columns: *mut usize)>,
    pub read: Option<unsafe extern "C" fn(x: *const ptune_tensor, out: *mut f32) -> ptune_status>,
    pub constant: Option<unsafe extern "C" fn(call: *mut ptune_call, rows: usize, columns: usize, values: *const f32) -> *mut ptune_tensor>,
    pub fill: Option<unsafe extern "C" fn(call: *mut ptune_call, rows: usize, columns: usize, value: f32) -> *mut ptune_tensor>,
    pub unary: Option<unsafe extern "C" fn(function: ptune_unary, x: *const ptune_tensor) -> *mut ptune_tensor>,
    pub binary: Option<unsafe extern "C" fn(function: ptune_binary, a: *const ptune_tensor, b: *const ptune_tensor) -> *mut ptune_tensor>,
    pub affine: Option<unsafe extern "C" fn(x: *const ptune_tensor, scale: f32, shift: f32) -> *mut ptune_tensor>,
    pub dropout: Option<unsafe extern "C" fn(x: *const ptune_tensor, probability: f32) -> *mut ptune_tensor>,
    pub stop_gradient: Option<unsafe extern "C" fn(x: *const ptune_tensor) -> *mut ptune_tensor>,
    pub matmul: Option<unsafe extern "C" fn(a: *const ptune_tensor, transpose_a: bool, b: *const ptune_tensor, transpose_b: bool) -> *mut ptune_tensor>,
    pub linear: Option<unsafe extern "C" fn(x: *const ptune_tensor, weight: *const ptune_tensor, bias: *const ptune_tensor, has_bias: bool) -> *mut ptune_tensor>,
    pub transpose: Option<unsafe extern "C" fn(x: *const ptune_tensor) -> *mut ptune_tensor>,
    pub reshape: Option<unsafe extern "C" fn(x: *const ptune_tensor, rows: usize, columns: usize) -> *mut ptune_tensor>,
    pub layer_norm: Option<unsafe extern "C" fn(x: *const ptune_tensor, gain: *const ptune_tensor, bias: *const ptune_tensor, epsilon: f32) -> *mut ptune_tensor>,
    pub rms_norm: Option<unsafe extern "C" fn(x: *const ptune_tensor, gain: *const ptune_tensor, epsilon: f32) -> *mut ptune_tensor>,
    pub softmax: Option<unsafe extern "C" fn(x: *const ptune_tensor) -> *mut ptune_tensor>,
    pub log_softmax: Option<unsafe extern "C" fn(x: *const ptune_tensor) -> *mut ptune_tensor>,
    pub sum: Option<unsafe extern "C" fn(x: *const ptune_tensor, axis: ptune_axis) -> *mut ptune_tensor>,
    pub mean: Option<unsafe extern "C" fn(x: *const ptune_tensor, axis: ptune_axis) -> *mut ptune_tensor>,
    pub gather_rows: Option<unsafe extern "C" fn(x: *const ptune_tensor, rows: *const i32, count: usize) -> *mut ptune_tensor>,
    pub assemble_rows: Option<unsafe extern "C" fn(sources: *const *const ptune_tensor, source_count: usize, source_of: *const i32, row_of: *const i32, rows: usize) -> *mut ptune_tensor>,
    pub mean_rows: Option<unsafe extern "C" fn(x: *const ptune_tensor, rows: *const i32, offsets: *const i32, groups: usize) -> *mut ptune_tensor>,
    pub concatenate_columns: Option<unsafe extern "C" fn(sources: *const *const ptune_tensor, source_count: usize) -> *mut ptune_tensor>,
    pub slice_columns: Option<unsafe extern "C" fn(x: *const ptune_tensor, begin: usize, count: usize) -> *mut ptune_tensor>,
    pub cross_entropy: Option<unsafe extern "C" fn(logits: *const ptune_tensor, targets: *const i32, class_weights: *const f32, smoothing: f32) -> *mut ptune_tensor>,
    pub sigmoid_cross_entropy: Option<unsafe extern "C" fn(logits: *const ptune_tensor, targets: *const f32) -> *mut ptune_tensor>,
    pub target_scores: Option<unsafe extern "C" fn(logits: *const ptune_tensor, targets: *const i32) -> *mut ptune_tensor>,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_initial_v1 {
    pub kind: ptune_initial,
    pub a: f32,
    pub b: f32,
    pub values: *const f32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_parameters_v1 {
    pub struct_size: usize,
    pub declare: Option<unsafe extern "C" fn(call: *mut ptune_call, name: *const c_char, shape: *const usize, rank: usize, initial: *const ptune_initial_v1) -> *mut ptune_parameter>,
    pub value: Option<unsafe extern "C" fn(call: *mut ptune_call, parameter: *mut ptune_parameter) -> *mut ptune_tensor>,
    pub state: Option<unsafe extern "C" fn(call: *mut ptune_call, name: *const c_char, count: usize) -> *mut f32>,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_closures_v1 {
    pub struct_size: usize,
    pub make_create: Option<unsafe extern "C" fn(schema: *const c_char, body: Option<unsafe extern "C" fn(context: *mut c_void, arguments: *const *mut c_void, count: usize) -> ptune_status>, context: *mut c_void) -> Option<unsafe extern "C" fn()>>,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_checkpoint_v1 {
    pub struct_size: usize,
    pub config_integer: Option<unsafe extern "C" fn(call: *mut ptune_call, key: *const c_char, out: *mut i64) -> ptune_found>,
    pub config_number: Option<unsafe extern "C" fn(call: *mut ptune_call, key: *const c_char, out: *mut f64) -> ptune_found>,
    pub config_boolean: Option<unsafe extern "C" fn(call: *mut ptune_call, key: *const c_char, out: *mut bool) -> ptune_found>,
    pub config_string: Option<unsafe extern "C" fn(call: *mut ptune_call, key: *const c_char, out: *mut *const c_char) -> ptune_found>,
    pub has_weight: Option<unsafe extern "C" fn(call: *mut ptune_call, name: *const c_char) -> bool>,
    pub weight: Option<unsafe extern "C" fn(call: *mut ptune_call, name: *const c_char, rows: usize, columns: usize, transposed: bool) -> *mut ptune_tensor>,
    pub weight_part: Option<unsafe extern "C" fn(call: *mut ptune_call, weight: *const ptune_tensor, begin: usize, count: usize) -> *mut ptune_tensor>,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_base_facts_v1 {
    pub hidden_size: usize,
    pub layers: usize,
    pub key_value_size: usize,
    pub attention_heads: usize,
    pub vocabulary_size: usize,
    pub positions: usize,
    pub causal: bool,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_base_v1 {
    pub struct_size: usize,
    pub facts: Option<unsafe extern "C" fn(call: *mut ptune_call, out: *mut ptune_base_facts_v1)>,
    pub word_rows: Option<unsafe extern "C" fn(call: *mut ptune_call, ids: *const i32, count: usize, out: *mut f32) -> ptune_status>,
    pub word_table: Option<unsafe extern "C" fn(call: *mut ptune_call) -> *mut ptune_tensor>,
    pub tokenize: Option<unsafe extern "C" fn(call: *mut ptune_call, text: *const c_char, out: *mut i32, capacity: usize) -> usize>,
    pub frequent_tokens: Option<unsafe extern "C" fn(call: *mut ptune_call, out: *mut i32, capacity: usize) -> usize>,
    pub pooler: Option<unsafe extern "C" fn(call: *mut ptune_call, rows: *const ptune_tensor) -> *mut ptune_tensor>,
    pub vocabulary_scores: Option<unsafe extern "C" fn(call: *mut ptune_call, rows: *const ptune_tensor) -> *mut ptune_tensor>,
    pub special_token: Option<unsafe extern "C" fn(call: *mut ptune_call, kind: ptune_special) -> i32>,
    pub tokenize_at_mask: Option<unsafe extern "C" fn(call: *mut ptune_call, word: *const c_char, out: *mut i32, capacity: usize) -> usize>,
    pub layer_rows: Option<unsafe extern "C" fn(call: *mut ptune_call, ids: *const i32, count: usize, layer: usize, part: ptune_layer_part, out: *mut f32) -> ptune_status>,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_tasks_v1 {
    pub struct_size: usize,
    pub count: Option<unsafe extern "C" fn(call: *mut ptune_call) -> usize>,
    pub name: Option<unsafe extern "C" fn(call: *mut ptune_call, task: usize) -> *const c_char>,
    pub label_count: Option<unsafe extern "C" fn(call: *mut ptune_call, task: usize) -> usize>,
    pub label: Option<unsafe extern "C" fn(call: *mut ptune_call, task: usize, index: usize) -> *const c_char>,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_rows_v1 {
    pub count: usize,
    pub positions: *const i32,
    pub token_types: *const i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_rotation_v1 {
    pub frequencies: *const f32,
    pub pairs: usize,
    pub scale: f32,
    pub interleaved: bool,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_forward_v1 {
    pub struct_size: usize,
    pub rows: Option<unsafe extern "C" fn(forward: *mut ptune_forward, out: *mut ptune_rows_v1)>,
    pub input_rows: Option<unsafe extern "C" fn(forward: *mut ptune_forward, table: *const ptune_tensor) -> *mut ptune_tensor>,
    pub linear: Option<unsafe extern "C" fn(forward: *mut ptune_forward, x: *const ptune_tensor, weight: *const ptune_tensor, bias: *const ptune_tensor, has_bias: bool) -> *mut ptune_tensor>,
    pub key_rows: Option<unsafe extern "C" fn(forward: *mut ptune_forward, layer: usize, x: *const ptune_tensor) -> *mut ptune_tensor>,
    pub attention: Option<unsafe extern "C" fn(forward: *mut ptune_forward, layer: usize, q: *const ptune_tensor, k: *const ptune_tensor, v: *const ptune_tensor, heads: usize, kv_heads: usize) -> *mut ptune_tensor>,
    pub rotate_queries: Option<unsafe extern "C" fn(forward: *mut ptune_forward, q: *const ptune_tensor, heads: usize, rotation: *const ptune_rotation_v1) -> *mut ptune_tensor>,
    pub rotate_keys: Option<unsafe extern "C" fn(forward: *mut ptune_forward, layer: usize, k: *const ptune_tensor, kv_heads: usize, rotation: *const ptune_rotation_v1) -> *mut ptune_tensor>,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_sequences_v1 {
    pub count: usize,
    pub tokens: *const i32,
    pub offsets: *const i32,
    pub tasks: *const i32,
    pub example_count: usize,
    pub example_offsets: *const i32,
    pub context_ends: *const i32,
    pub training: bool,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_places_v1 {
    pub text_rows: *const i32,
    pub first_row: *const i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_all_targets_v1 {
    pub integers: *const i32,
    pub integer_offsets: *const i32,
    pub numbers: *const f32,
    pub number_offsets: *const i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_batch_v1 {
    pub struct_size: usize,
    pub sequences: Option<unsafe extern "C" fn(batch: *mut ptune_batch, out: *mut ptune_sequences_v1)>,
    pub places: Option<unsafe extern "C" fn(batch: *mut ptune_batch, out: *mut ptune_places_v1) -> ptune_status>,
    pub targets: Option<unsafe extern "C" fn(batch: *mut ptune_batch, out: *mut ptune_all_targets_v1)>,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_injections_v1 {
    pub struct_size: usize,
    pub input: Option<unsafe extern "C" fn(into: *mut ptune_injections, rows: *const ptune_tensor, placement: ptune_placement, per_sequence: bool) -> ptune_status>,
    pub hidden_prefix: Option<unsafe extern "C" fn(into: *mut ptune_injections, layer: usize, rows: *const ptune_tensor, per_sequence: bool) -> ptune_status>,
    pub key_value_prefix: Option<unsafe extern "C" fn(into: *mut ptune_injections, layer: usize, keys: *const ptune_tensor, values: *const ptune_tensor, per_sequence: bool) -> ptune_status>,
    pub first_position: Option<unsafe extern "C" fn(into: *mut ptune_injections, position: usize) -> ptune_status>,
    pub loss: Option<unsafe extern "C" fn(into: *mut ptune_injections, scalar: *const ptune_tensor) -> ptune_status>,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_site_v1 {
    pub name: *const c_char,
    pub layer: usize,
    pub roles: ptune_site_roles,
    pub inputs: usize,
    pub outputs: usize,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_sites_v1 {
    pub struct_size: usize,
    pub declare: Option<unsafe extern "C" fn(call: *mut ptune_call, weight: *const ptune_tensor, name: *const c_char, layer: usize, roles: ptune_site_roles) -> ptune_status>,
    pub count: Option<unsafe extern "C" fn(call: *mut ptune_call) -> usize>,
    pub site: Option<unsafe extern "C" fn(call: *mut ptune_call, index: usize, out: *mut ptune_site_v1) -> bool>,
    pub low_rank: Option<unsafe extern "C" fn(into: *mut ptune_injections, site: usize, a: *const ptune_tensor, b: *const ptune_tensor, scale: f32, dropout: f32) -> ptune_status>,
    pub scale_inputs: Option<unsafe extern "C" fn(into: *mut ptune_injections, site: usize, factors: *const ptune_tensor) -> ptune_status>,
    pub scale_outputs: Option<unsafe extern "C" fn(into: *mut ptune_injections, site: usize, factors: *const ptune_tensor) -> ptune_status>,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_export_v1 {
    pub struct_size: usize,
    pub tensor: Option<unsafe extern "C" fn(to: *mut ptune_export, name: *const c_char, value: *const ptune_tensor, shape: *const usize, rank: usize) -> ptune_status>,
    pub hyperparameter: Option<unsafe extern "C" fn(to: *mut ptune_export, name: *const c_char, value: *const c_char) -> ptune_status>,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_arrangement_v1 {
    pub struct_size: usize,
    pub input: Option<unsafe extern "C" fn(to: *mut ptune_arrangement, first: *const c_char, second: *const c_char, cut: ptune_cut, overlap: i32) -> ptune_status>,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_span_v1 {
    pub field: i32,
    pub begin: i32,
    pub end: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_data_v1 {
    pub struct_size: usize,
    pub field: Option<unsafe extern "C" fn(example: *mut ptune_example, name: *const c_char) -> *const c_char>,
    pub tokens: Option<unsafe extern "C" fn(example: *mut ptune_example, ids: *mut *const i32, spans: *mut *const ptune_span_v1) -> usize>,
    pub sequences: Option<unsafe extern "C" fn(example: *mut ptune_example, offsets: *mut *const i32) -> usize>,
    pub emit_integers: Option<unsafe extern "C" fn(to: *mut ptune_targets, values: *const i32, count: usize) -> ptune_status>,
    pub emit_numbers: Option<unsafe extern "C" fn(to: *mut ptune_targets, values: *const f32, count: usize) -> ptune_status>,
    pub put: Option<unsafe extern "C" fn(to: *mut ptune_prediction, key: *const c_char, value: *const c_char) -> ptune_status>,
    pub example_count: Option<unsafe extern "C" fn(evaluation: *mut ptune_evaluation) -> usize>,
    pub scores: Option<unsafe extern "C" fn(evaluation: *mut ptune_evaluation, example: usize, rows: *mut usize, columns: *mut usize) -> *const f32>,
    pub integers: Option<unsafe extern "C" fn(evaluation: *mut ptune_evaluation, example: usize, count: *mut usize) -> *const i32>,
    pub numbers: Option<unsafe extern "C" fn(evaluation: *mut ptune_evaluation, example: usize, count: *mut usize) -> *const f32>,
    pub example: Option<unsafe extern "C" fn(evaluation: *mut ptune_evaluation, example: usize) -> *mut ptune_example>,
    pub metric: Option<unsafe extern "C" fn(evaluation: *mut ptune_evaluation, name: *const c_char, value: f64, higher_is_better: bool) -> ptune_status>,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_select_v1 {
    pub struct_size: usize,
    pub announce: Option<unsafe extern "C" fn(call: *mut ptune_call, keys: usize, columns: usize) -> ptune_status>,
    pub announced: Option<unsafe extern "C" fn(call: *mut ptune_call, keys: *mut usize, columns: *mut usize) -> ptune_status>,
    pub weights: Option<unsafe extern "C" fn(call: *mut ptune_call, first: usize, queries: *const ptune_tensor, keys: *const ptune_tensor) -> *mut ptune_tensor>,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_base_model_v1 {
    pub struct_size: usize,
    pub facts: Option<unsafe extern "C" fn(self_: *mut c_void, out: *mut ptune_base_facts_v1)>,
    pub word_table: Option<unsafe extern "C" fn(self_: *mut c_void) -> *mut ptune_tensor>,
    pub forward: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut ptune_call, forward: *mut ptune_forward) -> *mut ptune_tensor>,
    pub pooler: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut ptune_call, rows: *const ptune_tensor) -> *mut ptune_tensor>,
    pub vocabulary_scores: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut ptune_call, rows: *const ptune_tensor) -> *mut ptune_tensor>,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_adapter_v1 {
    pub struct_size: usize,
    pub positions: Option<unsafe extern "C" fn(self_: *mut c_void) -> usize>,
    pub inject: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut ptune_call, batch: *mut ptune_batch, into: *mut ptune_injections) -> ptune_status>,
    pub save: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut ptune_call, to: *mut ptune_export) -> ptune_status>,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_selector_v1 {
    pub struct_size: usize,
    pub weights: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut ptune_call, batch: *mut ptune_batch, queries: *const ptune_tensor, keys: *const ptune_tensor) -> *mut ptune_tensor>,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_task_head_v1 {
    pub struct_size: usize,
    pub score_rows: ptune_score_rows,
    pub score_columns: *const c_char,
    pub reading: ptune_reading,
    pub arrange: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut ptune_call, example: *mut ptune_example, to: *mut ptune_arrangement) -> ptune_status>,
    pub encode: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut ptune_call, example: *mut ptune_example, to: *mut ptune_targets) -> ptune_status>,
    pub scores: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut ptune_call, hidden: *const ptune_tensor, batch: *mut ptune_batch) -> *mut ptune_tensor>,
    pub loss: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut ptune_call, scores: *const ptune_tensor, batch: *mut ptune_batch) -> *mut ptune_tensor>,
    pub predict: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut ptune_call, scores: *const f32, rows: usize, columns: usize, example: *mut ptune_example, to: *mut ptune_prediction) -> ptune_status>,
    pub evaluation_scores: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut ptune_call, hidden: *const ptune_tensor, batch: *mut ptune_batch) -> *mut ptune_tensor>,
    pub measure: Option<unsafe extern "C" fn(self_: *mut c_void, call: *mut ptune_call, evaluation: *mut ptune_evaluation) -> ptune_status>,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_recommendation_v1 {
    pub struct_size: usize,
    pub learning_rate: Option<unsafe extern "C" fn(self_: *mut c_void) -> f64>,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_component_v1 {
    pub struct_size: usize,
    pub kind: ptune_kind,
    pub name: *const c_char,
    pub summary: *const c_char,
    pub schema: *const c_char,
    pub documentation: *const c_char,
    pub needs: *const c_char,
    pub methods: *const c_void,
    pub create: Option<unsafe extern "C" fn()>,
    pub destroy: Option<unsafe extern "C" fn(self_: *mut c_void)>,
    pub extension: Option<unsafe extern "C" fn(component: *const ptune_component_v1, id: *const c_char) -> *const c_void>,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_plugin_v1 {
    pub struct_size: usize,
    pub id: *const c_char,
    pub version: *const c_char,
    pub runtime: *const c_char,
    pub component_count: usize,
    pub components: *const *const ptune_component_v1,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_attention_term_v1 {
    pub kind: ptune_attention_kind,
    pub value: *const c_void,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_window_v1 {
    pub left: usize,
    pub right: usize,
    pub keeps_injected: bool,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_relative_v1 {
    pub table: *const ptune_tensor,
    pub buckets: *const i32,
    pub distances: usize,
    pub first: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_attention_v1 {
    pub struct_size: usize,
    pub attend: Option<unsafe extern "C" fn(forward: *mut ptune_forward, layer: usize, q: *const ptune_tensor, k: *const ptune_tensor, v: *const ptune_tensor, heads: usize, kv_heads: usize, terms: *const ptune_attention_term_v1, term_count: usize) -> *mut ptune_tensor>,
    pub key_positions: Option<unsafe extern "C" fn(forward: *mut ptune_forward, layer: usize, positions: *mut *const i32) -> usize>,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_input_v1 {
    pub struct_size: usize,
    pub scale_words: Option<unsafe extern "C" fn(call: *mut ptune_call, scale: f32) -> ptune_status>,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_checkpoint_v2 {
    pub struct_size: usize,
    pub config_size: Option<unsafe extern "C" fn(call: *mut ptune_call, key: *const c_char, out: *mut usize) -> ptune_found>,
    pub config_member: Option<unsafe extern "C" fn(call: *mut ptune_call, key: *const c_char, index: usize) -> *const c_char>,
    pub weight_slice: Option<unsafe extern "C" fn(call: *mut ptune_call, name: *const c_char, slices: usize, index: usize, rows: usize, columns: usize, transposed: bool) -> *mut ptune_tensor>,
    pub understand: Option<unsafe extern "C" fn(call: *mut ptune_call, keys: *const *const c_char, count: usize) -> ptune_status>,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_parameters_v2 {
    pub struct_size: usize,
    pub learning_rate: Option<unsafe extern "C" fn(call: *mut ptune_call, parameter: *mut ptune_parameter, factor: f64) -> ptune_status>,
    pub weight_decay: Option<unsafe extern "C" fn(call: *mut ptune_call, parameter: *mut ptune_parameter, decay: f64) -> ptune_status>,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ptune_reads_v1 {
    pub struct_size: usize,
    pub versions: *const c_char,
}
