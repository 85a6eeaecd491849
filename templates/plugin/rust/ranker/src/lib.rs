//! @NAME@: a ranker for Spar.
//!
//! It prefers the answer whose length is nearer to a wished number of words:
//!
//! ```text
//! score(y)  = -|words(y) - target|
//! raw(i, j) = (score(i) - score(j)) / scale        P(i beats j) = 1 / (1 + e^-raw)
//! ```
//!
//! A word is a run of bytes without ASCII white space.  Replace `score` with what you judge by.

use std::ffi::c_void;
use std::mem::size_of;
use std::ptr::null;
use std::slice::{from_raw_parts, from_raw_parts_mut};

use abi::ranker::{Api, Batch, Query, COMPLEMENT, KIND, NATIVE_RAW, REENTRANT, SCALAR};
use abi::{adopt, guarded, Component, CreateInfo, Host, Param, Plugin, Status, Table, OK};

pub mod abi;
#[cfg(test)]
mod test_host;

struct Ranker {
    host: *const Host,
    target: f64,
    scale: f64,
}

fn words(text: &[u8]) -> usize {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    text.split(is_space).filter(|word| !word.is_empty()).count()
}

fn logistic(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        x.exp() / (1.0 + x.exp())
    }
}

impl Ranker {
    /// Higher is better.
    fn score(&self, answer: &[u8]) -> f64 {
        -(words(answer) as f64 - self.target).abs()
    }

    /// The conversation before the answers is `q.messages`, `q.n_messages` of them.
    unsafe fn rank(&self, q: &Query) {
        let k = q.k as usize;
        if k == 0 {
            return; // then the arrays may be NULL
        }
        let answers = from_raw_parts(q.responses, k);
        let scores: Vec<f64> = answers
            .iter()
            .map(|text| self.score(text.bytes()))
            .collect();
        if !q.score.is_null() {
            from_raw_parts_mut(q.score, k).copy_from_slice(&scores);
        }
        let raw = from_raw_parts_mut(q.raw, k * k);
        let pairwise = from_raw_parts_mut(q.pairwise, k * k);
        for i in 0..k {
            for j in 0..k {
                let odds = if i == j {
                    0.0
                } else {
                    (scores[i] - scores[j]) / self.scale
                };
                raw[i * k + j] = odds;
                pairwise[i * k + j] = logistic(odds);
            }
        }
    }
}

unsafe extern "C" fn create(
    host: *const Host,
    info: *const CreateInfo,
    instance: *mut *mut c_void,
) -> Status {
    guarded(host, || {
        let info = adopt(info);
        if info.values.is_null() || info.n_values < 2 {
            return Err("@NAME@: target and scale are needed".into());
        }
        let values = from_raw_parts(info.values, 2); // in the order of PARAMS
        let (target, scale) = (values[0].i as f64, values[1].f);
        if scale.is_nan() || scale <= 0.0 {
            return Err(format!("@NAME@: scale is {scale}; it must be positive"));
        }
        *instance = Box::into_raw(Box::new(Ranker {
            host,
            target,
            scale,
        }))
        .cast();
        Ok(OK)
    })
}

unsafe extern "C" fn destroy(instance: *mut c_void) {
    if instance.is_null() {
        return;
    }
    let instance = Box::from_raw(instance.cast::<Ranker>());
    let host = instance.host;
    guarded(host, move || {
        drop(instance);
        Ok(OK)
    });
}

unsafe extern "C" fn rank(instance: *mut c_void, batch: *mut Batch) -> Status {
    let me = &*instance.cast::<Ranker>();
    guarded(me.host, || {
        let batch = adopt(batch);
        for n in 0..batch.n.max(0) as usize {
            me.rank(&*batch.queries.add(n));
        }
        Ok(OK)
    })
}

/// Spar prints these options, parses what the user types and checks it.
static PARAMS: Table<[Param; 2]> = Table([
    Param {
        struct_size: size_of::<Param>() as u64,
        name: c"target".as_ptr(),
        doc: c"the wished length".as_ptr(),
        unit: c"words".as_ptr(),
        default_text: c"50".as_ptr(),
        choices: null(),
        min: 0.0,
        max: 1e6,
        r#type: abi::T_INT,
        flags: abi::P_RANGE,
    },
    Param {
        struct_size: size_of::<Param>() as u64,
        name: c"scale".as_ptr(),
        doc: c"difference in distance that makes log-odds of 1".as_ptr(),
        unit: c"words".as_ptr(),
        default_text: c"10".as_ptr(),
        choices: null(),
        min: 1e-3,
        max: 1e6,
        r#type: abi::T_FLOAT,
        flags: abi::P_RANGE,
    },
]);
/// The flags are claims, which `spar plugin check` tests.
static API: Table<Api> = Table(Api {
    struct_size: size_of::<Api>() as u64,
    flags: NATIVE_RAW | COMPLEMENT | SCALAR | REENTRANT,
    rank,
    bind_backend: None,
});
static COMPONENT: Table<Component> = Table(Component {
    struct_size: size_of::<Component>() as u64,
    kind: KIND,
    flags: 0,
    id: c"@NAME@".as_ptr(),
    name: c"@NAME@".as_ptr(),
    doc: c"prefers answers near a wished number of words".as_ptr(),
    params: PARAMS.0.as_ptr(),
    n_params: 2,
    probe: None,
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
    use abi::ranker::Text;

    const K: usize = 4;
    const ANSWERS: [&[u8]; K] = [b"one two three", b"", b" one\ttwo\n", b"a b c d e f \xff g"];
    const EXPECTED: [f64; K] = [0.0, -3.0, -1.0, -5.0];

    #[test]
    fn known_answers_get_their_scores_and_the_matrix_keeps_its_laws() {
        let (component, instance) = test_host::create(&[3.0, 2.0]);
        let texts = ANSWERS.map(|a| Text {
            p: a.as_ptr().cast(),
            n: a.len() as u64,
        });
        let (mut p, mut raw, mut score) = ([0.0; K * K], [0.0; K * K], [0.0; K]);
        let mut query: Query = unsafe { std::mem::zeroed() };
        (query.responses, query.k) = (texts.as_ptr(), K as i64);
        (query.pairwise, query.raw) = (p.as_mut_ptr(), raw.as_mut_ptr());
        query.score = score.as_mut_ptr();
        let struct_size = size_of::<Batch>() as u64;
        let mut batch = Batch {
            struct_size,
            queries: &mut query,
            n: 1,
            rows: std::ptr::null(),
            failed: std::ptr::null(),
            truncated: std::ptr::null(),
        };
        unsafe {
            let api = &*component.api.cast::<Api>();
            assert_eq!((api.rank)(instance, &mut batch), OK);
            (component.destroy)(instance);
        }
        assert_eq!(score, EXPECTED);
        for i in 0..K {
            assert_eq!(
                (p[i * K + i], raw[i * K + i]),
                (0.5, 0.0),
                "diagonal at {i}"
            );
            for j in 0..K {
                assert!(
                    (p[i * K + j] + p[j * K + i] - 1.0).abs() < 1e-12,
                    "{i} and {j}"
                );
                assert_eq!(
                    raw[i * K + j] > 0.0,
                    EXPECTED[i] > EXPECTED[j],
                    "{i} against {j}"
                );
            }
        }
        assert!((p[2] - logistic(0.5)).abs() < 1e-12);
    }

    #[test]
    fn a_panic_becomes_a_status() {
        let status = unsafe { guarded(test_host::host(), || panic!("on purpose")) };
        assert_eq!(status, abi::E_INTERNAL);
    }
}
