//! Compiles the protobuf files without `protoc`, and keeps the descriptor set for reflection and the JSON form.

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message as _;

/// The control API, and the function protocol that it builds on.
const FILES: [&str; 5] =
    ["loader/v1/spec.proto", "loader/v1/study.proto", "loader/v1/run.proto", "loader/v1/control.proto", "faas.proto"];

/// What a daemon and the workers of its runs say to each other.
const WORKERS: [&str; 1] = ["loader/worker/v1/worker.proto"];

/// The protocols of functions.
const FUNCTIONS: [&str; 2] = ["faas.proto", "helloworld.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    for file in FILES.iter().chain(&WORKERS).chain(&FUNCTIONS) {
        println!("cargo:rerun-if-changed={file}");
    }
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let set = protox::compile(FILES, ["."])?;
    fs::write(out.join("descriptors.bin"), set.encode_to_vec())?;
    let functions = protox::compile(FUNCTIONS, ["."])?;
    fs::write(out.join("functions.bin"), functions.encode_to_vec())?;
    for set in [set, protox::compile(["helloworld.proto"], ["."])?, protox::compile(WORKERS, ["."])?] {
        let mut config = prost_build::Config::new();
        config.enable_type_names();
        let services = tonic_prost_build::configure().codec_path("crate::codec::RequestCodec");
        services.btree_map(".").compile_fds_with_config(set, config)?;
    }
    Ok(())
}
