use std::path::PathBuf;

use gatewright::testing::{answer, answer_with};
use gatewright::{Downloaded, ErrorKind};

use crate::world::{End, Step, World, header, pieces, world};

const V1: (&str, &str) = ("etag", "\"v1\"");
const TEN: (&str, &str) = ("content-length", "10");

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("gatewright-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("file.bin")
    }

    /// The names of what is there.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(&self.0)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn get(world: &World, folder: &Folder) -> Result<Downloaded, gatewright::Error> {
    let request = world.client.get("/v1/files/fi_1/content").max_attempts(1);
    world.clock.block_on(request.download_to(folder.file()))
}

fn first(chunks: &[&'static str], end: End) -> Step {
    pieces(200, &[V1, TEN], chunks, end)
}

#[test]
fn a_file_is_there_once_it_is_whole() {
    let folder = Folder::new("whole");
    std::fs::write(folder.file(), "old").unwrap();
    let world = world([first(&["01234"], End::Broken)]);
    get(&world, &folder).unwrap_err();
    assert_eq!(std::fs::read(folder.file()).unwrap(), b"old");
    let world = self::world([first(&["01234", "56789"], End::Closed)]);
    std::fs::remove_file(folder.0.join("file.bin.part")).unwrap();
    let done = get(&world, &folder).unwrap();
    assert_eq!((done.length, done.resumed_from), (10, 0));
    assert_eq!(std::fs::read(folder.file()).unwrap(), b"0123456789");
    assert_eq!(folder.names(), ["file.bin"]);
}

#[test]
fn another_run_goes_on_where_one_broke() {
    let folder = Folder::new("goes-on");
    let world = world([
        first(&["01234"], End::Broken),
        pieces(
            206,
            &[V1, ("content-range", "bytes 5-9/10")],
            &["56789"],
            End::Closed,
        ),
    ]);
    get(&world, &folder).unwrap_err();
    assert_eq!(folder.names(), ["file.bin.part", "file.bin.part.version"]);
    let done = get(&world, &folder).unwrap();
    assert_eq!((done.length, done.resumed_from), (10, 5));
    let seen = &world.wire.requests()[1];
    assert_eq!(header(seen, "range"), Some("bytes=5-"));
    assert_eq!(header(seen, "if-range"), Some("\"v1\""));
    assert_eq!(std::fs::read(folder.file()).unwrap(), b"0123456789");
    assert_eq!(folder.names(), ["file.bin"]);
}

#[test]
fn a_digest_is_that_of_both_runs() {
    // That of `hello`.
    let digest = (
        "repr-digest",
        "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:",
    );
    for (rest, fits) in [("lo", true), ("l!", false)] {
        let folder = Folder::new(&format!("digest-{fits}"));
        let world = world([
            pieces(200, &[V1, ("content-length", "5")], &["hel"], End::Broken),
            pieces(
                206,
                &[V1, digest, ("content-range", "bytes 3-4/5")],
                &[rest],
                End::Closed,
            ),
        ]);
        get(&world, &folder).unwrap_err();
        let done = get(&world, &folder);
        assert_eq!(done.is_ok(), fits);
        if let Err(why) = done {
            assert_eq!(why.kind(), ErrorKind::Decode);
            assert!(folder.names().is_empty(), "{:?}", folder.names());
        }
    }
}

#[test]
fn another_version_begins_anew() {
    let folder = Folder::new("anew");
    let world = world([
        first(&["01234"], End::Broken),
        pieces(
            200,
            &[("etag", "\"v2\""), ("content-length", "3")],
            &["abc"],
            End::Closed,
        ),
    ]);
    get(&world, &folder).unwrap_err();
    let done = get(&world, &folder).unwrap();
    assert_eq!((done.length, done.resumed_from), (3, 0));
    assert_eq!(std::fs::read(folder.file()).unwrap(), b"abc");
}

#[test]
fn a_part_that_is_all_of_it_is_taken() {
    let folder = Folder::new("all");
    let world = world([
        pieces(
            200,
            &[V1, ("content-length", "99")],
            &["01234"],
            End::Broken,
        ),
        answer_with(416, &[V1, ("content-range", "bytes */5")], ""),
    ]);
    get(&world, &folder).unwrap_err();
    let done = get(&world, &folder).unwrap();
    assert_eq!((done.length, done.resumed_from), (5, 5));
    assert_eq!(std::fs::read(folder.file()).unwrap(), b"01234");
}

#[test]
fn a_part_of_another_url_is_not_taken() {
    let folder = Folder::new("url");
    let world = world([
        first(&["01234"], End::Broken),
        pieces(200, &[("content-length", "3")], &["abc"], End::Closed),
    ]);
    get(&world, &folder).unwrap_err();
    let request = world.client.get("/v1/files/fi_2/content");
    world
        .clock
        .block_on(request.download_to(folder.file()))
        .unwrap();
    assert_eq!(header(&world.wire.requests()[1], "range"), None);
    assert_eq!(std::fs::read(folder.file()).unwrap(), b"abc");
}

#[test]
fn what_cannot_be_gone_on_with_is_not_left() {
    let folder = Folder::new("weak");
    let world = world([pieces(200, &[TEN], &["01234"], End::Broken), answer(404)]);
    get(&world, &folder).unwrap_err();
    assert!(folder.names().is_empty());
    assert_eq!(
        get(&world, &folder).unwrap_err().kind(),
        ErrorKind::NotFound
    );
    assert!(folder.names().is_empty());
}

#[test]
fn two_downloads_into_one_file_are_refused() {
    let folder = Folder::new("two");
    let file = std::fs::File::create(folder.0.join("file.bin.part")).unwrap();
    file.lock().unwrap();
    let world = world([]);
    let error = get(&world, &folder).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.what().contains("another download"), "{error}");
}

#[test]
fn a_path_that_is_none_is_refused() {
    let world = world([]);
    for path in ["/", "..", "/nowhere/at/all/file.bin"] {
        let request = world.client.get("/v1/files/fi_1/content");
        let error = world.clock.block_on(request.download_to(path)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{path}");
    }
}
