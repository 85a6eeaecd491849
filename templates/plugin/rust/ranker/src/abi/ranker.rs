//! The ranker's part of `spar_plugin.h`.

use std::ffi::{c_char, c_void};

use super::{Layout, Status};
use crate::c_struct;

pub const KIND: u32 = 2;
/// P(i,j) + P(j,i) = 1.
pub const COMPLEMENT: u64 = 1 << 0;
/// P is a function of score differences.
pub const SCALAR: u64 = 1 << 1;
/// rank() may be called from several threads at once.
pub const REENTRANT: u64 = 1 << 2;
/// `raw` is what the ranker computes, `pairwise` follows from it.
pub const NATIVE_RAW: u64 = 1 << 3;
/// A prompt takes seconds or money: Spar asks for one at a time, and keeps each.
#[allow(dead_code)]
pub const COSTLY: u64 = 1 << 4;

c_struct! {
    /// Bytes without a NUL at their end; usually UTF-8, but a model may have sampled anything.
    Text = "spar_text" { p: *const c_char, n: u64 }
}

impl Text {
    /// # Safety
    /// The text is alive: for the call in which Spar gave it.
    pub unsafe fn bytes<'a>(self) -> &'a [u8] {
        if self.n == 0 {
            return &[];
        }
        std::slice::from_raw_parts(self.p.cast(), self.n as usize)
    }
}

c_struct! {
    Message = "spar_message" { role: Text, content: Text }
}

c_struct! {
    /// One prompt, its k answers, and where the k x k results go.
    Query = "spar_rank_query" {
        messages: *const Message,
        n_messages: i64,
        responses: *const Text,
        k: i64,
        tokenizer_digest: *const c_char,
        prompt_ids: *const i32,
        n_prompt_ids: i64,
        response_ids: *const *const i32,
        n_response_ids: *const i64,
        pairwise: *mut f64,
        raw: *mut f64,
        score: *mut f64,
    }
}

c_struct! {
    Batch = "spar_rank_batch" {
        struct_size: u64,
        queries: *mut Query,
        n: i64,
        rows: *const Text,
        failed: *const *mut u8,
        truncated: *const *mut u8,
    }
}

c_struct! {
    Api = "spar_ranker_api" {
        struct_size: u64,
        flags: u64,
        rank: unsafe extern "C" fn(*mut c_void, *mut Batch) -> Status,
        bind_backend:
            Option<unsafe extern "C" fn(*mut c_void, *const c_void, *mut c_void) -> Status>,
    }
}

pub const LAYOUTS: &[Layout] = &[
    Text::LAYOUT,
    Message::LAYOUT,
    Query::LAYOUT,
    Batch::LAYOUT,
    Api::LAYOUT,
];
