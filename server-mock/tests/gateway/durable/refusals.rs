//! Files that cannot be a gateway's data: refused at once, in words that say what to do, and left as they are.

use std::fs;
use std::path::Path;

use rusqlite::Connection;

use super::child::{Folder, Running, refusal};

fn sql(file: &Path, text: &str) {
    Connection::open(file).unwrap().execute_batch(text).unwrap();
}

/// The refusal of a file that must not be touched.
fn refused_untouched(file: &Path) -> String {
    let before = fs::read(file).unwrap();
    let said = refusal(file, &[]);
    assert_eq!(fs::read(file).unwrap(), before, "{said}");
    said
}

#[tokio::test]
async fn a_file_of_somebody_else_is_left_as_it_is() {
    let folder = Folder::new();
    let file = folder.file();
    fs::write(&file, "Dear diary, today I did not use a database.").unwrap();
    let said = refused_untouched(&file);
    assert!(
        said.contains("this is not a gateway's data, it is no SQLite database"),
        "{said}"
    );
    assert!(said.contains("name another file"), "{said}");

    fs::remove_file(&file).unwrap();
    sql(
        &file,
        "CREATE TABLE songs (name TEXT); INSERT INTO songs VALUES ('Help!')",
    );
    let said = refused_untouched(&file);
    assert!(
        said.contains("it is the database of another program"),
        "{said}"
    );
}

#[tokio::test]
async fn a_folder_a_missing_folder_and_a_read_only_file_are_told_apart() {
    let folder = Folder::new();
    let file = folder.file();
    let said = refusal(file.parent().unwrap(), &[]);
    assert!(said.contains("is no file; name a file"), "{said}");
    let said = refusal(&file.join("deeper"), &[]);
    assert!(said.contains("does not exist; make it first"), "{said}");

    Running::start(&file).kill();
    let mut permissions = fs::metadata(&file).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&file, permissions).unwrap();
    let said = refused_untouched(&file);
    assert!(
        said.contains("is read-only; make it writable or name another file"),
        "{said}"
    );
}

#[tokio::test]
async fn a_second_process_is_refused_and_the_first_goes_on() {
    let folder = Folder::new();
    let running = Running::start(&folder.file());
    assert_eq!(running.create("one").send().await.status(), 201);
    let said = refusal(&folder.file(), &[]);
    assert!(
        said.contains("is in use by another process; stop that gateway"),
        "{said}"
    );
    assert_eq!(running.create("two").send().await.status(), 201);
    running.kill();
    let running = Running::start(&folder.file());
    assert_eq!(running.created().await["count"], 2);
}

#[tokio::test]
async fn a_damaged_file_is_said_to_be_damaged() {
    let folder = Folder::new();
    let file = folder.file();
    let running = Running::start(&file);
    for key in 0..40 {
        assert_eq!(
            running.create(&format!("k-{key}")).send().await.status(),
            201
        );
    }
    running.kill();
    // All into the one file, as an orderly end does.
    sql(&file, "PRAGMA journal_mode = DELETE");
    let whole = fs::read(&file).unwrap();
    assert!(whole.len() > 4 * 4_096, "{}", whole.len());
    for (about, damage) in [
        ("overwritten", 4_096..8_192),
        ("overwritten", 8_192..12_288),
    ] {
        let mut damaged = whole.clone();
        damaged[damage].fill(0x5a);
        fs::write(&file, &damaged).unwrap();
        let said = refusal(&file, &[]);
        assert!(said.contains("is damaged: "), "{about}: {said}");
        assert!(said.contains("restore a copy of it"), "{about}: {said}");
    }
    fs::write(&file, &whole[..whole.len() - 6_000]).unwrap();
    let said = refusal(&file, &[]);
    assert!(said.contains("is damaged: "), "cut: {said}");

    fs::write(&file, &whole).unwrap();
    assert_eq!(Running::start(&file).created().await["count"], 40);
}

#[tokio::test]
async fn rows_and_layouts_that_are_not_understood_are_named() {
    let folder = Folder::new();
    let file = folder.file();
    let running = Running::start(&file);
    assert_eq!(running.create("k").send().await.status(), 201);
    running.kill();
    for (spoil, expected) in [
        (
            "UPDATE rows SET value = '[]' WHERE kind = 'record'",
            "session default, record ",
        ),
        (
            "UPDATE rows SET kind = 'teapot' WHERE kind = 'record'",
            "rows of the kind \"teapot\" are not known to this version",
        ),
        (
            "PRAGMA user_version = 2",
            "has layout 2, this gateway reads layout 1",
        ),
    ] {
        let copy = file.with_extension("copy");
        fs::copy(&file, &copy).unwrap();
        let log = file.with_extension("db-wal");
        if log.exists() {
            fs::copy(log, file.with_extension("copy-wal")).unwrap();
        }
        sql(&copy, spoil);
        let said = refusal(&copy, &[]);
        assert!(said.contains(expected), "{said}");
    }
    assert_eq!(Running::start(&file).created().await["count"], 1);
}

#[tokio::test]
async fn a_file_that_is_empty_or_was_left_by_a_crash_while_it_was_made_is_a_new_one() {
    let folder = Folder::new();
    fs::write(folder.file(), "").unwrap();
    let running = Running::start(&folder.file());
    assert_eq!(running.create("k").send().await.status(), 201);
}
