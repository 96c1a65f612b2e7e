#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| lifesign_fuzz::json_body(bytes));
