//! @NAME@: an objective for Spar.
//!
//! For a chosen answer w and a rejected answer l of one prompt, with
//! r = log pi(y|x) - log pi_ref(y|x) in nats, summed over the tokens of the answer:
//!
//! ```text
//! margin = r_w - r_l
//! loss   = (margin - 1/(2 tau))^2
//! ```
//!
//! which pulls the margin to 1/(2 tau) and, unlike a logistic loss, back when it is beyond.
//! Source: Azar et al. 2023, arXiv:2310.12036, equation 17.

use std::ffi::{c_char, c_void};
use std::mem::size_of;
use std::ptr::null;
use std::slice::{from_raw_parts, from_raw_parts_mut};

use abi::objective::{Api, Batch, KIND, NEEDS_REFERENCE};
use abi::{adopt, guarded, Component, CreateInfo, Host, Param, Plugin, Status, Table, OK};

pub mod abi;
#[cfg(test)]
mod test_host;

struct Objective {
    host: *const Host,
    tau: f64,
}

impl Objective {
    /// Loss of one pair and its derivative by the margin.  Change both together: the unit test
    /// compares them by finite differences.
    fn pair(&self, margin: f64) -> (f64, f64) {
        let miss = margin - 0.5 / self.tau;
        (miss * miss, 2.0 * miss)
    }

    /// Rows are grouped by prompt; label is +1 for chosen, -1 for rejected, 0 for the rest.
    unsafe fn evaluate(&self, b: &Batch) {
        if b.n_groups < 1 {
            return; // then the arrays may be NULL
        }
        let n = b.n as usize;
        let begin = from_raw_parts(b.begin, b.n_groups as usize + 1);
        let label = from_raw_parts(b.label, n);
        let (logp, reference) = (from_raw_parts(b.logp, n), from_raw_parts(b.ref_logp, n));
        let (loss, dlogp) = (
            from_raw_parts_mut(b.loss, n),
            from_raw_parts_mut(b.dlogp, n),
        );
        let sum = from_raw_parts_mut(b.metric_sum, 2);
        let weight = from_raw_parts_mut(b.metric_weight, 2);
        for group in begin.windows(2) {
            let rows = group[0] as usize..group[1] as usize;
            for w in rows.clone().filter(|&row| label[row] > 0) {
                for l in rows.clone().filter(|&row| label[row] < 0) {
                    let margin = (logp[w] - reference[w]) - (logp[l] - reference[l]);
                    let (value, slope) = self.pair(margin);
                    loss[w] += value; // Spar divides by the step's pairs
                    dlogp[w] += slope;
                    dlogp[l] -= slope;
                    sum[0] += margin;
                    sum[1] += f64::from(margin > 0.0);
                    weight[0] += 1.0;
                    weight[1] += 1.0;
                }
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
        if info.values.is_null() || info.n_values < 1 {
            return Err("@NAME@: tau is missing".into());
        }
        let tau = (*info.values).f; // in the order of PARAMS
        if tau.is_nan() || tau <= 0.0 {
            return Err(format!("@NAME@: tau is {tau}; it must be positive"));
        }
        *instance = Box::into_raw(Box::new(Objective { host, tau })).cast();
        Ok(OK)
    })
}

unsafe extern "C" fn destroy(instance: *mut c_void) {
    if instance.is_null() {
        return;
    }
    let instance = Box::from_raw(instance.cast::<Objective>());
    let host = instance.host;
    guarded(host, move || {
        drop(instance);
        Ok(OK)
    });
}

unsafe extern "C" fn evaluate(instance: *mut c_void, batch: *mut Batch) -> Status {
    let me = &*instance.cast::<Objective>();
    guarded(me.host, || {
        me.evaluate(&adopt(batch));
        Ok(OK)
    })
}

/// Spar prints these options, parses what the user types and checks it.
static PARAMS: Table<[Param; 1]> = Table([Param {
    struct_size: size_of::<Param>() as u64,
    name: c"tau".as_ptr(),
    doc: c"pull towards the reference: the margin aimed at is 1/(2 tau)".as_ptr(),
    unit: c"1/nat".as_ptr(),
    default_text: c"0.1".as_ptr(),
    choices: null(),
    min: 1e-6,
    max: 100.0,
    r#type: abi::T_FLOAT,
    flags: abi::P_RANGE,
}]);
/// Each is shown as sum / weight of the whole step; the list ends with NULL.
static METRICS: Table<[*const c_char; 3]> =
    Table([c"margin".as_ptr(), c"accuracy".as_ptr(), null()]);
static API: Table<Api> = Table(Api {
    struct_size: size_of::<Api>() as u64,
    needs: NEEDS_REFERENCE,
    metric_names: METRICS.0.as_ptr(),
    evaluate,
    select: None,
});
static COMPONENT: Table<Component> = Table(Component {
    struct_size: size_of::<Component>() as u64,
    kind: KIND,
    flags: 0,
    id: c"@NAME@".as_ptr(),
    name: c"@NAME@".as_ptr(),
    doc: c"squared distance of the log-ratio margin from 1/(2 tau)".as_ptr(),
    params: PARAMS.0.as_ptr(),
    n_params: 1,
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

    const BEGIN: [i64; 3] = [0, 3, 5];
    const LABEL: [i8; 5] = [1, 0, -1, -1, 1];
    const TOKENS: [i64; 5] = [4, 1, 7, 2, 3];
    const REFERENCE: [f64; 5] = [-12.0, -3.0, -20.5, -6.0, -9.0];

    /// The sum of the losses at `logp`, and the derivatives.
    fn total(api: &Api, instance: *mut c_void, logp: &[f64; 5]) -> (f64, [f64; 5]) {
        let (mut loss, mut dlogp) = ([0.0; 5], [0.0; 5]);
        let (mut sum, mut weight) = ([0.0; 2], [0.0; 2]);
        let mut batch: Batch = unsafe { std::mem::zeroed() };
        batch.struct_size = size_of::<Batch>() as u64;
        (batch.n, batch.n_groups, batch.begin) = (5, 2, BEGIN.as_ptr());
        (batch.logp, batch.ref_logp) = (logp.as_ptr(), REFERENCE.as_ptr());
        (batch.n_tokens, batch.label) = (TOKENS.as_ptr(), LABEL.as_ptr());
        (batch.loss, batch.dlogp) = (loss.as_mut_ptr(), dlogp.as_mut_ptr());
        (batch.metric_sum, batch.metric_weight) = (sum.as_mut_ptr(), weight.as_mut_ptr());
        assert_eq!(unsafe { (api.evaluate)(instance, &mut batch) }, OK);
        assert_eq!(weight[0], 2.0, "pairs");
        (loss.iter().sum(), dlogp)
    }

    #[test]
    fn the_derivatives_are_those_of_finite_differences() {
        let (component, instance) = test_host::create(&[0.25]);
        let api = unsafe { &*component.api.cast::<Api>() };
        let logp = [-11.0, -3.5, -21.0, -6.5, -8.0];
        let (loss, slope) = total(api, instance, &logp);
        // By hand: margins 1.5 and 1.5 against 1/(2 tau) = 2, twice 0.5 squared.
        assert!((loss - 0.5).abs() < 1e-12, "the loss is {loss}");
        for row in 0..5 {
            let h = 1e-5;
            let (mut above, mut below) = (logp, logp);
            above[row] += h;
            below[row] -= h;
            let measured = total(api, instance, &above).0 - total(api, instance, &below).0;
            assert!(
                (measured / (2.0 * h) - slope[row]).abs() < 1e-6,
                "row {row}"
            );
        }
        unsafe { (component.destroy)(instance) };
    }

    #[test]
    fn a_panic_becomes_a_status() {
        let status = unsafe { guarded(test_host::host(), || panic!("on purpose")) };
        assert_eq!(status, abi::E_INTERNAL);
    }
}
