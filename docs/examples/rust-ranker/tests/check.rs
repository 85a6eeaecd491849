//! Runs Spar's own checks on the library, where the command `spar` (or $SPAR) is there.

use std::process::Command;

#[test]
fn the_library_passes_the_checks_of_spar() {
    let spar = std::env::var("SPAR").unwrap_or_else(|_| "spar".into());
    // `cargo build` leaves the library one folder above this program, `cargo test` beside it: the
    // newer one counts.
    let program = std::env::current_exe().unwrap();
    let library = program
        .ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join("libspar_tidy.so"));
    let library = library
        .filter(|file| file.is_file())
        .max_by_key(|file| file.metadata().and_then(|about| about.modified()).ok())
        .expect("cargo builds libspar_tidy.so");
    let help = match Command::new(&spar).args(["plugin", "--help"]).output() {
        Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned(),
        Err(error) => return eprintln!("skipped: {spar}: {error}"),
    };
    let action = if help.lines().any(|line| line.starts_with("  check ")) {
        "check"
    } else {
        "info"
    };
    let output = Command::new(&spar)
        .args(["plugin", action])
        .arg(&library)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr]
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .concat();
    assert!(
        output.status.success(),
        "spar plugin {action} says:\n{text}"
    );
}
