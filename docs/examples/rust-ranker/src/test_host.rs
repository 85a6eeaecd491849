//! What a unit test needs of a host: the table that Spar hands to a plugin.

use std::ffi::{c_char, c_void, CStr};

use crate::abi::{Component, CreateInfo, Host, RangeFn, Value, OK};

unsafe extern "C" fn alloc(_: *const Host, _: u64, _: u64) -> *mut c_void {
    std::ptr::null_mut()
}
unsafe extern "C" fn free(_: *const Host, _: *mut c_void, _: u64, _: u64) {}
unsafe extern "C" fn log(_: *const Host, _: i32, text: *const c_char) {
    eprintln!("log: {:?}", CStr::from_ptr(text));
}
unsafe extern "C" fn set_error(_: *const Host, text: *const c_char) {
    eprintln!("the plugin reports: {:?}", CStr::from_ptr(text));
}
unsafe extern "C" fn parallel_for(
    _: *const Host,
    n: i64,
    grain: i64,
    body: RangeFn,
    arg: *mut c_void,
) {
    let mut begin = 0;
    while begin < n {
        body(arg, begin, n.min(begin + grain), 0);
        begin += grain;
    }
}
unsafe extern "C" fn one(_: *const Host) -> i32 {
    1
}
unsafe extern "C" fn zero(_: *const Host) -> i32 {
    0
}
unsafe extern "C" fn extension(_: *const Host, _: *const c_char) -> *const c_void {
    std::ptr::null()
}

/// A host that lives until the process ends, as Spar's does.  It has no memory to give.
pub fn host() -> *const Host {
    Box::leak(Box::new(Host {
        struct_size: std::mem::size_of::<Host>() as u64,
        generation: crate::abi::GENERATION,
        revision: 0,
        name: c"test".as_ptr(),
        version: c"1".as_ptr(),
        ctx: std::ptr::null_mut(),
        alloc,
        free,
        log,
        set_error,
        parallel_for,
        thread_count: one,
        cancelled: zero,
        extension,
    }))
}

/// The plugin's only component and an instance of it, with the given values of its options.
pub fn create(numbers: &[f64]) -> (&'static Component, *mut c_void) {
    let value = |&f: &f64| Value {
        i: f as i64,
        f,
        s: c"".as_ptr(),
        r#type: 0,
        given: 1,
    };
    let values: Vec<Value> = numbers.iter().map(value).collect();
    let info = CreateInfo {
        struct_size: std::mem::size_of::<CreateInfo>() as u64,
        values: values.as_ptr(),
        n_values: values.len() as u64,
        device: 0,
        threads: 1,
        cache_dir: std::ptr::null(),
    };
    let mut instance = std::ptr::null_mut();
    unsafe {
        let component = &*(*crate::spar_plugin_entry_v1()).components;
        assert_eq!((component.create)(host(), &info, &mut instance), OK);
        (component, instance)
    }
}
