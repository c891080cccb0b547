//! Android's store of trusted certificates: a directory with one file for each, in PEM (with words around it) or DER.
//!
//! Its Java code (`TrustedCertificateStore`, `SystemCertificateSource`) reads the same files, so that no JNI is needed, and no
//! start-up call with a `Context`. As there, a certificate that the user has switched off is one that has a file of the same
//! name in `cacerts-removed`. Certificates which the user has added are left alone, as Android does for apps since version 7:
//! an app that wants such a one gives it with `ca_certificates`.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use rustls::pki_types::CertificateDer;

use super::roots::read_pem;

/// Stores have some 150 certificates of some 2 to 8 kB. What is far beyond that is no store.
const MOST_FILES: usize = 2_000;
const MOST_BYTES: u64 = 256 * 1024;

/// The certificates of this device.
#[cfg(target_os = "android")]
pub(super) fn read() -> Vec<CertificateDer<'static>> {
    let root = std::env::var_os("ANDROID_ROOT").map_or_else(|| "/system".into(), PathBuf::from);
    let stores = [
        // Since Android 14 it is updated with Google Play's system updates.
        PathBuf::from("/apex/com.android.conscrypt/cacerts"),
        root.join("etc/security/cacerts"),
    ];
    first_of(&stores, removed_by_user().as_deref())
}

/// Where Android notes which certificates the user has switched off.
#[cfg(target_os = "android")]
fn removed_by_user() -> Option<PathBuf> {
    use std::os::unix::fs::MetadataExt as _;
    /// Each user of a device has a range of ids of this size.
    const IDS_OF_A_USER: u32 = 100_000;
    // The owner of a process's own folder is the id under which it runs.
    let user = fs::metadata("/proc/self").ok()?.uid() / IDS_OF_A_USER;
    let data = std::env::var_os("ANDROID_DATA").map_or_else(|| "/data".into(), PathBuf::from);
    Some(data.join(format!("misc/user/{user}/cacerts-removed")))
}

/// The certificates of the first store that has any.
fn first_of(stores: &[PathBuf], removed: Option<&Path>) -> Vec<CertificateDer<'static>> {
    stores
        .iter()
        .map(|store| of_directory(store, removed))
        .find(|found| !found.is_empty())
        .unwrap_or_default()
}

/// What cannot be read is passed over: one broken file must not take all the others with it.
fn of_directory(store: &Path, removed: Option<&Path>) -> Vec<CertificateDer<'static>> {
    let Ok(entries) = fs::read_dir(store) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for entry in entries.take(MOST_FILES).flatten() {
        if removed.is_some_and(|removed| removed.join(entry.file_name()).exists()) {
            continue;
        }
        let mut content = Vec::new();
        let read = fs::File::open(entry.path())
            .and_then(|file| file.take(MOST_BYTES).read_to_end(&mut content));
        if read.is_ok() {
            found.extend(certificates(content));
        }
    }
    found
}

fn certificates(content: Vec<u8>) -> Vec<CertificateDer<'static>> {
    match read_pem(&content) {
        Ok(certificates) => certificates,
        // A DER sequence; whether it is a certificate shows when it is taken among the roots.
        Err(_) if content.first() == Some(&0x30) => vec![CertificateDer::from(content)],
        Err(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use rustls::RootCertStore;

    use super::*;

    /// An empty directory, gone when dropped.
    struct Directory(PathBuf);

    impl Directory {
        fn new(name: &str) -> Self {
            let path =
                std::env::temp_dir().join(format!("gatewright-{}-{name}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn write(&self, name: &str, content: impl AsRef<[u8]>) {
            fs::write(self.0.join(name), content).unwrap();
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn certificate(name: &str) -> rcgen::Certificate {
        rcgen::generate_simple_self_signed([name.to_owned()])
            .unwrap()
            .cert
    }

    #[test]
    fn pem_with_words_around_it_and_der_are_read_and_what_is_broken_is_passed_over() {
        let store = Directory::new("store");
        let (pem, der) = (certificate("pem.example"), certificate("der.example"));
        store.write(
            "5ed36f99.0",
            format!(
                "{}Certificate:\n    Data:\n        Version: 3 (0x2)\n",
                pem.pem()
            ),
        );
        store.write("9c8dfbd4.0", der.der());
        store.write("README", "not a certificate");
        store.write(
            "broken.0",
            "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n",
        );
        store.write("empty.0", "");
        store.write("cut.0", &der.der()[..der.der().len() / 2]);
        fs::create_dir(store.0.join("directory")).unwrap();
        let found = of_directory(&store.0, None);
        assert!(found.contains(pem.der()) && found.contains(der.der()));
        let (taken, _) = RootCertStore::empty().add_parsable_certificates(found);
        assert_eq!(taken, 2);
    }

    #[test]
    fn what_the_user_has_switched_off_is_not_trusted() {
        let (store, removed) = (Directory::new("all"), Directory::new("removed"));
        let (kept, off) = (certificate("kept.example"), certificate("off.example"));
        store.write("00000001.0", kept.pem());
        store.write("00000002.0", off.pem());
        removed.write("00000002.0", off.pem());
        assert_eq!(
            of_directory(&store.0, Some(&removed.0)),
            [kept.der().clone()]
        );
        assert_eq!(
            of_directory(&store.0, Some(Path::new("/there/is/no/such/place"))).len(),
            2
        );
    }

    #[test]
    fn the_first_store_that_has_any_is_the_one() {
        let (empty, newer, older) = (
            Directory::new("empty"),
            Directory::new("newer"),
            Directory::new("older"),
        );
        let (new, old) = (certificate("new.example"), certificate("old.example"));
        newer.write("1.0", new.pem());
        older.write("1.0", old.pem());
        let none = PathBuf::from("/there/is/no/such/place");
        let stores = [none, empty.0.clone(), newer.0.clone(), older.0.clone()];
        assert_eq!(first_of(&stores, None), [new.der().clone()]);
        assert_eq!(first_of(&stores[..2], None), []);
    }
}
