//! Pages of newer Android devices are 16 KiB, and a library that is not aligned so is not loaded there.

#![allow(
    clippy::print_stdout,
    reason = "a build script speaks to cargo through it"
)]

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var_os("CARGO_CFG_TARGET_OS").is_some_and(|os| os == "android") {
        println!("cargo:rustc-link-arg-cdylib=-Wl,-z,max-page-size=16384");
        println!("cargo:rustc-link-arg-cdylib=-Wl,-z,common-page-size=16384");
    }
}
