#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| (gatewright_fuzz::target("webhook_secret")
    .expect("a target")
    .run)(data));
