//! tidy: a ranker for Spar that prefers answers without loops, cut endings and open markup.
//!
//! ```text
//! score(y)  = -(repetition x repeated n-grams + ending x is cut + markup x is open)
//! raw(i, j) = score(i) - score(j)        P(i beats j) = 1 / (1 + e^-raw)
//! ```
//!
//! What the three faults are: `tidiness.rs`.

use std::ffi::{c_void, CStr};
use std::mem::size_of;
use std::ptr::null;
use std::slice::{from_raw_parts, from_raw_parts_mut};

use abi::ranker::{Api, Batch, Query, COMPLEMENT, KIND, NATIVE_RAW, REENTRANT, SCALAR};
use abi::{adopt, guarded, Component, CreateInfo, Host, Param, Plugin, Status, Table, OK};
use tidiness::{score, Weights};

pub mod abi;
#[cfg(test)]
mod test_host;
pub mod tidiness;

struct Ranker {
    host: *const Host,
    weights: Weights,
}

fn logistic(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        x.exp() / (1.0 + x.exp())
    }
}

impl Ranker {
    /// Fills the scores and the two matrices of one prompt.
    unsafe fn rank(&self, q: &Query) {
        let k = q.k as usize;
        if k == 0 {
            return; // then the arrays may be NULL
        }
        let answers = from_raw_parts(q.responses, k);
        let scores: Vec<f64> = answers
            .iter()
            .map(|text| score(text.bytes(), &self.weights))
            .collect();
        if !q.score.is_null() {
            from_raw_parts_mut(q.score, k).copy_from_slice(&scores);
        }
        let raw = from_raw_parts_mut(q.raw, k * k);
        let pairwise = from_raw_parts_mut(q.pairwise, k * k);
        for i in 0..k {
            for j in 0..k {
                let odds = if i == j { 0.0 } else { scores[i] - scores[j] };
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
        if info.values.is_null() || info.n_values < 4 {
            return Err("tidy: repetition, ending, markup and n are needed".into());
        }
        let values = from_raw_parts(info.values, 4); // in the order of PARAMS
        if values[..3]
            .iter()
            .any(|value| value.f.is_nan() || value.f < 0.0)
            || values[3].i < 1
        {
            return Err("tidy: a penalty is below 0, or n below 1".into());
        }
        let weights = Weights {
            repetition: values[0].f,
            ending: values[1].f,
            markup: values[2].f,
            n: values[3].i as usize,
        };
        *instance = Box::into_raw(Box::new(Ranker { host, weights })).cast();
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

const fn penalty(name: &'static CStr, doc: &'static CStr, default: &'static CStr) -> Param {
    Param {
        struct_size: size_of::<Param>() as u64,
        name: name.as_ptr(),
        doc: doc.as_ptr(),
        unit: c"nats".as_ptr(),
        default_text: default.as_ptr(),
        choices: null(),
        min: 0.0,
        max: 100.0,
        r#type: abi::T_FLOAT,
        flags: abi::P_RANGE,
    }
}

/// Spar prints these options, parses what the user types and checks it.
static PARAMS: Table<[Param; 4]> = Table([
    penalty(
        c"repetition",
        c"penalty when every n-gram stood before; less in proportion",
        c"4",
    ),
    penalty(
        c"ending",
        c"penalty for stopping within a sentence, or saying nothing",
        c"1",
    ),
    penalty(
        c"markup",
        c"penalty for a code block, code or bracket left open",
        c"1",
    ),
    Param {
        struct_size: size_of::<Param>() as u64,
        name: c"n".as_ptr(),
        doc: c"length of the n-grams whose repetition counts".as_ptr(),
        unit: c"words".as_ptr(),
        default_text: c"3".as_ptr(),
        choices: null(),
        min: 1.0,
        max: 16.0,
        r#type: abi::T_INT,
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
    id: c"tidy".as_ptr(),
    name: c"tidy".as_ptr(),
    doc: c"prefers answers without loops, cut endings and open markup".as_ptr(),
    params: PARAMS.0.as_ptr(),
    n_params: 4,
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
    id: c"org.spar.tidy".as_ptr(),
    name: c"tidy".as_ptr(),
    version: c"0.1.0".as_ptr(),
    vendor: c"Spar".as_ptr(),
    license: c"Apache-2.0".as_ptr(),
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

    const K: usize = 3;
    const ANSWERS: [&[u8]; K] = [b"Blue is a colour.", b"", b"the the the the the"];
    const EXPECTED: [f64; K] = [0.0, -1.0, -(4.0 * (2.0 / 3.0) + 1.0)];

    #[test]
    fn known_answers_get_their_scores_and_the_matrix_keeps_its_laws() {
        let (component, instance) = test_host::create(&[4.0, 1.0, 1.0, 3.0]);
        let texts = ANSWERS.map(|a| Text {
            p: a.as_ptr().cast(),
            n: a.len() as u64,
        });
        let (mut p, mut raw, mut scores) = ([0.0; K * K], [0.0; K * K], [0.0; K]);
        let mut query: Query = unsafe { std::mem::zeroed() };
        (query.responses, query.k) = (texts.as_ptr(), K as i64);
        (query.pairwise, query.raw) = (p.as_mut_ptr(), raw.as_mut_ptr());
        query.score = scores.as_mut_ptr();
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
        assert_eq!(scores, EXPECTED);
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
            }
        }
        assert!((p[1] - logistic(1.0)).abs() < 1e-12);
    }

    #[test]
    fn a_panic_becomes_a_status() {
        let status = unsafe { guarded(test_host::host(), || panic!("on purpose")) };
        assert_eq!(status, abi::E_INTERNAL);
    }
}
