//! The `doorstep` program: see [`doorstep::office::cli`].

#[cfg(not(target_arch = "wasm32"))]
fn main() -> std::process::ExitCode {
    doorstep::office::cli::main()
}

/// Tests of the phone's core build every target for the browser, this one too.
#[cfg(target_arch = "wasm32")]
fn main() {}
