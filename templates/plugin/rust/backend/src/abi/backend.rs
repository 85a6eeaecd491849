//! The backend's part of `spar_plugin.h`: the product, and the table with every other operation
//! absent.

use std::ffi::c_void;

use super::{Host, Layout, Status};
use crate::c_struct;

pub const KIND: u32 = 3;
/// Same bits whatever the thread count.
pub const DETERMINISTIC: u64 = 1 << 3;
pub const F32: i32 = 1;
pub const TRANS_A: u64 = 1 << 1;
pub const TRANS_B: u64 = 1 << 2;

c_struct! {
    /// A view: row-major, strides in elements, the last one 1.
    Tensor = "spar_tensor" {
        data: *mut c_void,
        buffer: *mut c_void,
        offset: u64,
        dtype: i32,
        rank: i32,
        shape: [i64; 4],
        stride: [i64; 4],
    }
}

c_struct! {
    /// C = alpha op(A) op(B) + beta C + bias.
    GemmArgs = "spar_gemm_args" {
        struct_size: u64,
        flags: u64,
        a: *const Tensor,
        b: *const Tensor,
        bias: *const Tensor,
        c: *mut Tensor,
        alpha: f64,
        beta: f64,
    }
}

/// The place of an operation or a memory function that this backend leaves to Spar.  Replace it by
/// the function's type from the header before you fill it.
pub type Absent = Option<unsafe extern "C" fn()>;

c_struct! {
    Api = "spar_backend_api" {
        struct_size: u64,
        flags: u64,
        device: Absent,
        buffer_alloc: Absent,
        buffer_import: Absent,
        buffer_free: Absent,
        buffer_write: Absent,
        buffer_read: Absent,
        buffer_copy: Absent,
        sync: Absent,
        gemm: Option<unsafe extern "C" fn(*mut c_void, *const GemmArgs) -> Status>,
        attention: Absent,
        attention_bwd: Absent,
        norm: Absent,
        norm_bwd: Absent,
        rope: Absent,
        softmax: Absent,
        softmax_bwd: Absent,
        activation: Absent,
        activation_bwd: Absent,
        embed: Absent,
        embed_bwd: Absent,
        logp: Absent,
        logp_bwd: Absent,
        binary: Absent,
        reduce: Absent,
        copy: Absent,
        fill: Absent,
        linear_logp: Absent,
        linear_logp_bwd: Absent,
        optimizer: Absent,
        rel_attention: Absent,
        rel_attention_bwd: Absent,
    }
}

impl Api {
    /// A table without operations; Spar takes each from its own.
    pub const fn none(flags: u64) -> Self {
        // SAFETY: zeros are absent functions.
        let mut api: Api = unsafe { std::mem::zeroed() };
        api.struct_size = std::mem::size_of::<Api>() as u64;
        api.flags = flags;
        api
    }
}

pub const LAYOUTS: &[Layout] = &[Tensor::LAYOUT, GemmArgs::LAYOUT, Api::LAYOUT];

/// The loop [0, n) in slices of `grain`, on the host's threads.
///
/// # Safety
/// `host` is the table that Spar gave to this plugin.
pub unsafe fn parallel_for<F: Fn(usize, usize) + Sync>(
    host: *const Host,
    n: usize,
    grain: usize,
    body: &F,
) -> Result<(), String> {
    struct Job<'a, F> {
        body: &'a F,
        panicked: std::sync::atomic::AtomicBool,
    }
    unsafe extern "C" fn slice<F: Fn(usize, usize) + Sync>(
        arg: *mut c_void,
        begin: i64,
        end: i64,
        _worker: i32,
    ) {
        let job = &*arg.cast::<Job<F>>();
        let body = std::panic::AssertUnwindSafe(|| (job.body)(begin as usize, end as usize));
        if std::panic::catch_unwind(body).is_err() {
            job.panicked
                .store(true, std::sync::atomic::Ordering::Relaxed);
        }
    }
    let job = Job {
        body,
        panicked: false.into(),
    };
    let arg = (&raw const job).cast_mut().cast();
    ((*host).parallel_for)(host, n as i64, grain as i64, slice::<F>, arg);
    match job.panicked.into_inner() {
        true => Err("@NAME@: a slice of a parallel loop panicked".into()),
        false => Ok(()),
    }
}
