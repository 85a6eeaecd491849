//! The part of `spar_plugin.h` that this plugin uses, declared by hand: Spar needs no crate.
//!
//! `c_struct!` also records the layout of each struct, which `tests/abi.rs` compares with what a C
//! compiler makes of the header.

use std::any::Any;
use std::ffi::{c_char, c_void, CString};
use std::mem::MaybeUninit;
use std::panic::{catch_unwind, AssertUnwindSafe};

pub mod @KIND@;

pub type Status = i32;
pub const OK: Status = 0;
pub const UNSUPPORTED: Status = 1;
pub const E_INVALID: Status = 2;
pub const E_INTERNAL: Status = 8;
pub const GENERATION: u32 = 1;

pub const T_INT: u32 = 2;
pub const T_FLOAT: u32 = 3;
pub const P_RANGE: u32 = 1 << 1;

/// A field of a struct: name, offset and size in bytes.
pub type Field = (&'static str, usize, usize);

/// A struct as Rust lays it out, under its name in C.
pub struct Layout {
    pub name: &'static str,
    pub size: usize,
    pub fields: &'static [Field],
}

#[macro_export]
macro_rules! c_struct {
    ($(#[$about:meta])* $name:ident = $c:literal { $($field:ident: $type:ty),* $(,)? }) => {
        $(#[$about])*
        #[repr(C)]
        #[derive(Clone, Copy)]
        pub struct $name { $(pub $field: $type),* }

        impl $name {
            pub const LAYOUT: $crate::abi::Layout = $crate::abi::Layout {
                name: $c,
                size: std::mem::size_of::<Self>(),
                fields: &[$((
                    stringify!($field),
                    std::mem::offset_of!(Self, $field),
                    std::mem::size_of::<$type>(),
                )),*],
            };
        }
    };
}

pub type RangeFn = unsafe extern "C" fn(arg: *mut c_void, begin: i64, end: i64, worker: i32);

c_struct! {
    /// What the host offers; valid until the process ends.
    Host = "spar_host" {
        struct_size: u64,
        generation: u32,
        revision: u32,
        name: *const c_char,
        version: *const c_char,
        ctx: *mut c_void,
        alloc: unsafe extern "C" fn(*const Host, u64, u64) -> *mut c_void,
        free: unsafe extern "C" fn(*const Host, *mut c_void, u64, u64),
        log: unsafe extern "C" fn(*const Host, i32, *const c_char),
        set_error: unsafe extern "C" fn(*const Host, *const c_char),
        parallel_for: unsafe extern "C" fn(*const Host, i64, i64, RangeFn, *mut c_void),
        thread_count: unsafe extern "C" fn(*const Host) -> i32,
        cancelled: unsafe extern "C" fn(*const Host) -> i32,
        extension: unsafe extern "C" fn(*const Host, *const c_char) -> *const c_void,
    }
}

c_struct! {
    /// An option that the component announces: Spar prints it, parses and checks its value.
    Param = "spar_param" {
        struct_size: u64,
        name: *const c_char,
        doc: *const c_char,
        unit: *const c_char,
        default_text: *const c_char,
        choices: *const *const c_char,
        min: f64,
        max: f64,
        r#type: u32,
        flags: u32,
    }
}

c_struct! {
    /// A checked value; they come in the order of the params.
    Value = "spar_value" { i: i64, f: f64, s: *const c_char, r#type: u32, given: u32 }
}

c_struct! {
    CreateInfo = "spar_create_info" {
        struct_size: u64,
        values: *const Value,
        n_values: u64,
        device: i32,
        threads: i32,
        cache_dir: *const c_char,
    }
}

c_struct! {
    Component = "spar_component" {
        struct_size: u64,
        kind: u32,
        flags: u32,
        id: *const c_char,
        name: *const c_char,
        doc: *const c_char,
        params: *const Param,
        n_params: u64,
        probe: Option<unsafe extern "C" fn(*const Host, *mut i32) -> Status>,
        create: unsafe extern "C" fn(*const Host, *const CreateInfo, *mut *mut c_void) -> Status,
        destroy: unsafe extern "C" fn(*mut c_void),
        api: *const c_void,
        extension: Option<unsafe extern "C" fn(*mut c_void, *const c_char) -> *const c_void>,
    }
}

c_struct! {
    Plugin = "spar_plugin" {
        struct_size: u64,
        generation: u32,
        revision: u32,
        id: *const c_char,
        name: *const c_char,
        version: *const c_char,
        vendor: *const c_char,
        license: *const c_char,
        url: *const c_char,
        components: *const Component,
        n_components: u64,
        init: Option<unsafe extern "C" fn(*const Host) -> Status>,
        shutdown: Option<unsafe extern "C" fn()>,
    }
}

pub const LAYOUTS: &[Layout] = &[
    Host::LAYOUT,
    Param::LAYOUT,
    Value::LAYOUT,
    CreateInfo::LAYOUT,
    Component::LAYOUT,
    Plugin::LAYOUT,
];

/// Static tables hold pointers to other static tables; nobody writes to them.
pub struct Table<T>(pub T);
unsafe impl<T> Sync for Table<T> {}

/// Copies a struct that may be shorter or longer than ours; what its writer did not know is zero.
///
/// # Safety
/// `foreign` begins with its size in bytes; `T` is a `c_struct!` for which zeros are a value.
pub unsafe fn adopt<T: Copy>(foreign: *const T) -> T {
    let size = foreign.cast::<u64>().read() as usize;
    let mut own = MaybeUninit::<T>::zeroed();
    std::ptr::copy_nonoverlapping(
        foreign.cast::<u8>(),
        own.as_mut_ptr().cast::<u8>(),
        size.min(std::mem::size_of::<T>()),
    );
    own.assume_init()
}

/// Runs the body of a function that Spar calls: neither an error nor a panic crosses.
///
/// # Safety
/// `host` is the table that Spar gave to this plugin.
pub unsafe fn guarded(host: *const Host, body: impl FnOnce() -> Result<Status, String>) -> Status {
    let (status, text) = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(status)) => return status,
        Ok(Err(text)) => (E_INVALID, text),
        Err(panic) => (E_INTERNAL, format!("@NAME@: panic: {}", words_of(&*panic))),
    };
    let text = CString::new(text.replace('\0', " ")).unwrap_or_default();
    ((*host).set_error)(host, text.as_ptr());
    status
}

fn words_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without words")
}
