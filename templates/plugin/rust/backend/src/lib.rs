//! @NAME@: a compute backend for Spar.
//!
//! It has one operation, the product of two float32 matrices (`product.rs`), on the host's threads.
//! All that it leaves out or answers UNSUPPORTED to, Spar computes itself, from this product where
//! it can.

use std::ffi::c_void;
use std::mem::size_of;
use std::ptr::null;

use abi::backend::{
    parallel_for, Api, GemmArgs, Tensor, DETERMINISTIC, F32, KIND, TRANS_A, TRANS_B,
};
use abi::{adopt, guarded, Component, CreateInfo, Host, Plugin, Status, Table, OK, UNSUPPORTED};
use product::{Matrix, Product, ROWS};

pub mod abi;
mod product;
#[cfg(test)]
mod test_host;

struct Backend {
    host: *const Host,
}

/// A float32 matrix that the CPU can address; none for any other tensor.
unsafe fn matrix(tensor: *const Tensor) -> Option<Matrix> {
    let t = &*tensor;
    (t.dtype == F32 && t.rank == 2 && !t.data.is_null()).then(|| Matrix {
        data: t.data.cast(),
        rows: t.shape[0] as usize,
        columns: t.shape[1] as usize,
        row_stride: t.stride[0] as usize,
        column_stride: t.stride[1] as usize,
    })
}

unsafe extern "C" fn gemm(instance: *mut c_void, args: *const GemmArgs) -> Status {
    let host = (*instance.cast::<Backend>()).host;
    guarded(host, || {
        let g = adopt(args);
        let (Some(a), Some(b), Some(c)) = (matrix(g.a), matrix(g.b), matrix(g.c)) else {
            return Ok(UNSUPPORTED);
        };
        let bias = g.bias.as_ref();
        if bias.is_some_and(|t| t.dtype != F32 || t.rank != 1 || t.data.is_null()) {
            return Ok(UNSUPPORTED);
        }
        let product = Product {
            a: a.transposed(g.flags & TRANS_A != 0),
            b: b.transposed(g.flags & TRANS_B != 0),
            bias: bias.map_or(null(), |t| t.data.cast()),
            c,
            alpha: g.alpha as f32,
            beta: g.beta as f32,
        };
        if !product.fits() || bias.is_some_and(|t| t.shape[0] != c.columns as i64) {
            return Err("@NAME@: gemm: the shapes do not fit".into());
        }
        parallel_for(host, c.rows, ROWS, &|begin, end| unsafe {
            product.rows(begin, end)
        })?;
        Ok(OK)
    })
}

/// 100 is a portable baseline: below the backends that come with Spar, above what cannot run.
unsafe extern "C" fn probe(_: *const Host, score: *mut i32) -> Status {
    *score = 100;
    OK
}

unsafe extern "C" fn create(
    host: *const Host,
    _: *const CreateInfo,
    instance: *mut *mut c_void,
) -> Status {
    guarded(host, || {
        *instance = Box::into_raw(Box::new(Backend { host })).cast();
        Ok(OK)
    })
}

unsafe extern "C" fn destroy(instance: *mut c_void) {
    if instance.is_null() {
        return;
    }
    let instance = Box::from_raw(instance.cast::<Backend>());
    let host = instance.host;
    guarded(host, move || {
        drop(instance);
        Ok(OK)
    });
}

static API: Table<Api> = Table(Api {
    gemm: Some(gemm),
    ..Api::none(DETERMINISTIC)
});
static COMPONENT: Table<Component> = Table(Component {
    struct_size: size_of::<Component>() as u64,
    kind: KIND,
    flags: 0,
    id: c"@NAME@".as_ptr(),
    name: c"@NAME@".as_ptr(),
    doc: c"float32 products in plain tiled loops".as_ptr(),
    params: null(),
    n_params: 0,
    probe: Some(probe),
    create,
    destroy,
    api: (&raw const API.0).cast(),
    extension: None,
});
static PLUGIN: Table<Plugin> = Table(Plugin {
    struct_size: size_of::<Plugin>() as u64,
    generation: abi::GENERATION,
    revision: 0,
    id: c"plugin.@NAME@".as_ptr(),
    name: c"@NAME@".as_ptr(),
    version: c"0.1.0".as_ptr(),
    vendor: c"@AUTHOR@".as_ptr(),
    license: c"@LICENSE@".as_ptr(),
    url: null(),
    components: &raw const COMPONENT.0,
    n_components: 1,
    init: None,
    shutdown: None,
});

/// The one symbol that Spar looks for.
#[no_mangle]
pub extern "C" fn spar_plugin_entry_v1() -> *const Plugin {
    &raw const PLUGIN.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const GAP: usize = 3; // rows lie so many floats further apart than they need

    struct Random(u32);
    impl Random {
        fn floats(&mut self, n: usize) -> Vec<f32> {
            let mut next = || {
                self.0 = self.0.wrapping_mul(1664525).wrapping_add(1013904223);
                (self.0 >> 8) as f32 / 8388608.0 - 1.0
            };
            (0..n).map(|_| next()).collect()
        }
    }

    fn tensor(data: &[f32], rank: i32, shape: [usize; 2]) -> Tensor {
        let stride = if rank == 1 {
            [1, 0, 0, 0]
        } else {
            [(shape[1] + GAP) as i64, 1, 0, 0]
        };
        Tensor {
            data: data.as_ptr().cast_mut().cast(),
            buffer: std::ptr::null_mut(),
            offset: 0,
            dtype: F32,
            rank,
            shape: [shape[0] as i64, shape[1] as i64, 0, 0],
            stride,
        }
    }

    fn compare(instance: *mut c_void, [m, n, k]: [usize; 3], ta: bool, tb: bool, beta: f64) {
        let mut random = Random(1);
        let (a_shape, b_shape) = (
            if ta { [k, m] } else { [m, k] },
            if tb { [n, k] } else { [k, n] },
        );
        let a = random.floats(a_shape[0] * (a_shape[1] + GAP));
        let b = random.floats(b_shape[0] * (b_shape[1] + GAP));
        let bias = random.floats(n);
        let mut c = random.floats(m * (n + GAP));
        if beta == 0.0 {
            c.fill(f32::NAN);
        }
        let before = c.clone();
        let (at, bt, biast) = (
            tensor(&a, 2, a_shape),
            tensor(&b, 2, b_shape),
            tensor(&bias, 1, [n, 0]),
        );
        let mut ct = tensor(&c, 2, [m, n]);
        ct.data = c.as_mut_ptr().cast();
        let args = GemmArgs {
            struct_size: size_of::<GemmArgs>() as u64,
            flags: if ta { TRANS_A } else { 0 } | if tb { TRANS_B } else { 0 },
            a: &at,
            b: &bt,
            bias: &biast,
            c: &mut ct,
            alpha: 0.5,
            beta,
        };
        assert_eq!(unsafe { gemm(instance, &args) }, OK);
        for i in 0..m {
            for j in 0..n {
                let at = |p: usize| {
                    if ta {
                        a[p * (m + GAP) + i]
                    } else {
                        a[i * (k + GAP) + p]
                    }
                };
                let bt = |p: usize| {
                    if tb {
                        b[j * (k + GAP) + p]
                    } else {
                        b[p * (n + GAP) + j]
                    }
                };
                let sum: f64 = (0..k).map(|p| f64::from(at(p)) * f64::from(bt(p))).sum();
                let old = if beta == 0.0 {
                    0.0
                } else {
                    beta * f64::from(before[i * (n + GAP) + j])
                };
                let miss = f64::from(c[i * (n + GAP) + j]) - (0.5 * sum + old + f64::from(bias[j]));
                assert!(
                    miss.abs() < 1e-4,
                    "{m}x{n}x{k} {ta} {tb} {beta}: ({i}, {j}) off by {miss}"
                );
            }
            let end = i * (n + GAP) + n..(i + 1) * (n + GAP);
            let bits = |row: &[f32]| row.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(
                bits(&c[end.clone()]),
                bits(&before[end]),
                "row {i}: written beyond its end"
            );
        }
    }

    #[test]
    fn products_of_odd_sizes_equal_sums_in_double_precision() {
        let (component, instance) = test_host::create(&[]);
        for shape in [[1, 1, 1], [1, 70, 300], [17, 65, 129], [33, 64, 128]] {
            for (ta, tb) in [(false, false), (false, true), (true, false), (true, true)] {
                for beta in [0.0, 0.75] {
                    compare(instance, shape, ta, tb, beta);
                }
            }
        }
        unsafe { (component.destroy)(instance) };
    }

    #[test]
    fn a_panic_in_a_slice_becomes_an_error() {
        let body = |_: usize, _: usize| panic!("on purpose");
        let result = unsafe { parallel_for(test_host::host(), 3, 2, &body) };
        assert!(result.is_err());
    }
}
