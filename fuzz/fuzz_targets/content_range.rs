#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| (gatewright_fuzz::target("content_range")
    .expect("a target")
    .run)(data));
