//! The objective's part of `spar_plugin.h`.

use std::ffi::{c_char, c_void};

use super::{Layout, Status};
use crate::c_struct;

pub const KIND: u32 = 1;
pub const NEEDS_REFERENCE: u64 = 1 << 0;

c_struct! {
    /// Responses in groups, one per prompt; see the header for each field.
    Batch = "spar_objective_batch" {
        struct_size: u64,
        n: i64,
        n_groups: i64,
        begin: *const i64,
        logp: *const f64,
        ref_logp: *const f64,
        win_prob: *const f64,
        mean_score: *const f64,
        pairwise: *const f64,
        score: *const f64,
        n_tokens: *const i64,
        label: *const i8,
        tok_logp: *const f32,
        tok_ref_logp: *const f32,
        tok_sum_p2: *const f32,
        columns: *const c_void,
        n_columns: i64,
        step_pairs: i64,
        step_answers: i64,
        step_tokens: i64,
        progress: f64,
        loss: *mut f64,
        dlogp: *mut f64,
        dtok_logp: *mut f32,
        metric_sum: *mut f64,
        metric_weight: *mut f64,
    }
}

c_struct! {
    Api = "spar_objective_api" {
        struct_size: u64,
        needs: u64,
        metric_names: *const *const c_char,
        evaluate: unsafe extern "C" fn(*mut c_void, *mut Batch) -> Status,
        select: Option<
            unsafe extern "C" fn(
                *mut c_void, *const f64, *const f64, i64, *mut c_void, i64, *mut i64,
            ) -> Status,
        >,
    }
}

pub const LAYOUTS: &[Layout] = &[Batch::LAYOUT, Api::LAYOUT];
