#![no_main]

libfuzzer_sys::fuzz_target!(
    |data: &[u8]| (gatewright_fuzz::target("event_filter").expect("a target").run)(data)
);
