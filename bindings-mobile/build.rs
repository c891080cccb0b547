//! How the library is linked for Android: pages of newer devices are 16 KiB, and what is not aligned so is not loaded there; relocations are
//! packed, which Android reads since version 6.

#![allow(
    clippy::print_stdout,
    reason = "a build script speaks to cargo through it"
)]

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var_os("CARGO_CFG_TARGET_OS").is_some_and(|os| os == "android") {
        println!("cargo:rustc-link-arg-cdylib=-Wl,-z,max-page-size=16384");
        println!("cargo:rustc-link-arg-cdylib=-Wl,-z,common-page-size=16384");
        println!("cargo:rustc-link-arg-cdylib=-Wl,--pack-dyn-relocs=android");
    }
}
