#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| (gatewright_fuzz::target("local_quota")
    .expect("a target")
    .run)(data));
