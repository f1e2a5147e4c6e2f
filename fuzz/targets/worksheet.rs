#![no_main]

#[path = "../checks.rs"]
mod checks;

libfuzzer_sys::fuzz_target!(
    // A panic that is caught is no failure; without this the fuzzer would end at it.
    init: std::panic::set_hook(Box::new(|_| {})),
    |bytes: &[u8]| checks::worksheet(bytes)
);
