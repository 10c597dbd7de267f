//! Hands a fuzzer's bytes to the input that `FUZZ_INPUT` names; its examples are written to the empty directory
//! `FUZZ_EXAMPLES` first, from which the fuzzer begins.

#![no_main]

use std::{env, fs, path::Path, sync::OnceLock};

use libfuzzer_sys::fuzz_target;
use loaderd::untrusted::{INPUTS, Input};

static INPUT: OnceLock<Input> = OnceLock::new();

fn begin() {
    let name = env::var("FUZZ_INPUT").expect("FUZZ_INPUT names an input");
    let names = INPUTS.map(|input| input.name);
    let input = INPUTS.into_iter().find(|input| input.name == name);
    let input = input.unwrap_or_else(|| panic!("{name} is no input; there are: {}", names.join(", ")));
    if let Ok(directory) = env::var("FUZZ_EXAMPLES") {
        for (name, bytes) in (input.examples)() {
            fs::write(Path::new(&directory).join(name), bytes).expect("writes");
        }
    }
    INPUT.set(input).expect("is the first");
}

fuzz_target!(init: begin(), |bytes: &[u8]| (INPUT.get().expect("has begun").check)(bytes));
